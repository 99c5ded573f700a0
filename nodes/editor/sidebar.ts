/**
 * The debug sidebar shows an error that no Catch node has taken as an object, of which each text is cut off after 30
 * characters until somebody opens it. The sentence that says what is wrong is put above it.
 */
import { isOwn } from './own-nodes';

export function showSentences(): void {
  const hook = 'debugPostProcessMessage.nimbus';
  // The program comes again when the package is installed anew.
  RED.hooks.remove(hook);
  RED.hooks.add(hook, ({ message, element, payload }) => {
    if (message.format !== 'error' || !isOwn(message.type)) return;
    const { name, message: sentence } = payload.data ?? {};
    const text = $('<div class="nimbus-sentence"></div>').text(`${name}: ${sentence}`);
    element.find('.red-ui-debug-msg-payload').first().before(text);
  });
}
