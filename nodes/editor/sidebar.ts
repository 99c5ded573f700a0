/**
 * The debug sidebar shows an error that no Catch node has caught as an object whose texts are cut off after 30 characters.
 * This adds the whole message above it.
 */
import { isOwn } from './own-nodes';

export function showSentences(): void {
  const hook = 'debugPostProcessMessage.nimbus';
  // The program is loaded again if the package is reinstalled.
  RED.hooks.remove(hook);
  RED.hooks.add(hook, ({ message, element, payload }) => {
    if (message.format !== 'error' || !isOwn(message.type)) return;
    const { name, message: sentence } = payload.data ?? {};
    const text = $('<div class="nimbus-sentence"></div>').text(`${name}: ${sentence}`);
    element.find('.red-ui-debug-msg-payload').first().before(text);
  });
}
