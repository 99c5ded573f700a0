/** Why the runtime does not give what was asked for: `kind` is a key of the words. As `refusal.ts` makes it. */
type Refusal = Partial<import('../dialog/refusal').Refusal> & { kind: string };

/**
 * Asks the runtime. What goes wrong on the way there is a reason, too. The cookie says that it is the editor's own page
 * that asks: behind a proxy the runtime may not see it by the host.
 */
// biome-ignore lint/correctness/noUnusedVariables: lists and the connection test call it
async function nimbusRequest<T extends { refusal?: Refusal }>(request: JQueryAjaxSettings): Promise<T> {
  // biome-ignore lint/suspicious/noDocumentCookie: browsers have the other way on secure pages only
  document.cookie = 'nimbus=editor; SameSite=Strict';
  try {
    return await $.ajax({ dataType: 'json', ...request });
  } catch (thrown) {
    const { status, responseJSON } = thrown as JQueryXHR;
    if (responseJSON?.kind === 'foreign') return { refusal: { kind: 'foreign' } } as T;
    return { refusal: { kind: status === 401 || status === 403 ? 'forbidden' : 'offline' } } as T;
  }
}
