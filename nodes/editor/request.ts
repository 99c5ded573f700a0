import type { Refusal as RuntimeRefusal } from '../dialog/refusal';

/** Why the runtime does not give what was asked for: `kind` is a key of the words. As `refusal.ts` makes it. */
export type Refusal = Partial<RuntimeRefusal> & { kind: string };

/**
 * Asks the runtime. What goes wrong on the way there is a reason, too. The cookie says that it is the editor's own page
 * that asks: behind a proxy the runtime may not see it by the host.
 */
export async function request<T extends { refusal?: Refusal }>(settings: JQueryAjaxSettings): Promise<T> {
  // biome-ignore lint/suspicious/noDocumentCookie: browsers have the other way on secure pages only
  document.cookie = 'nimbus=editor; SameSite=Strict';
  try {
    return await $.ajax({ dataType: 'json', ...settings });
  } catch (thrown) {
    const { status, responseJSON } = thrown as JQueryXHR;
    if (responseJSON?.kind === 'foreign') return { refusal: { kind: 'foreign' } } as T;
    return { refusal: { kind: status === 401 || status === 403 ? 'forbidden' : 'offline' } } as T;
  }
}
