/** Why the runtime does not give what was asked for: `kind` is a key of the words. As `refusal.ts` makes it. */
type Refusal = Partial<import('../lib/refusal').Refusal> & { kind: string };

/** Asks the runtime. What goes wrong on the way there is a reason, too. */
// biome-ignore lint/correctness/noUnusedVariables: lists and the connection test call it
async function nimbusRequest<T extends { refusal?: Refusal }>(request: JQueryAjaxSettings): Promise<T> {
  try {
    return await $.ajax({ dataType: 'json', ...request });
  } catch (thrown) {
    const { status } = thrown as JQueryXHR;
    return { refusal: { kind: status === 401 || status === 403 ? 'forbidden' : 'offline' } } as T;
  }
}
