/*
 * The debug sidebar shows an error that no Catch node has taken as an object, of which each text is cut off after 30
 * characters until somebody opens it. The sentence that says what is wrong is put above it.
 */

// biome-ignore lint/correctness/noUnusedVariables: the build's pages call it
function nimbusSentences(type: string): void {
  const hook = `debugPostProcessMessage.${type}`;
  // The page comes again when the node is disabled and enabled in the palette.
  RED.hooks.remove(hook);
  RED.hooks.add(hook, ({ message, element, payload }) => {
    if (message.type !== type || message.format !== 'error') return;
    const { name, message: sentence } = payload.data ?? {};
    const text = $('<div class="nimbus-sentence"></div>').text(`${name}: ${sentence}`);
    element.find('.red-ui-debug-msg-payload').first().before(text);
  });
}
