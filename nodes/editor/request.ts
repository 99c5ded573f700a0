import type { Refusal as RuntimeRefusal } from '../dialog/refusal';

/** Why the runtime refuses a request: see `refusal.ts`. */
export type Refusal = Partial<RuntimeRefusal> & { kind: string };

/**
 * Sends a request to the runtime. Never rejects: failures of the request are refusals, too. The cookie proves that the
 * editor's own page sends it, since behind a proxy the runtime may not know its host.
 */
export async function request<T extends { refusal?: Refusal }>(settings: JQueryAjaxSettings): Promise<T> {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API works on secure pages only
  document.cookie = 'nimbus=editor; SameSite=Strict';
  try {
    return await $.ajax({ dataType: 'json', ...settings });
  } catch (thrown) {
    const { status, responseJSON } = thrown as JQueryXHR;
    if (responseJSON?.kind === 'foreign') return { refusal: { kind: 'foreign' } } as T;
    return { refusal: { kind: status === 401 || status === 403 ? 'forbidden' : 'offline' } } as T;
  }
}
