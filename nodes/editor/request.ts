import type { Refusal as RuntimeRefusal } from '../dialog/refusal';
import { memberOf } from '../fields/thrown';

/** Why the runtime refuses a request: see `refusal.ts`. */
export type Refusal = Partial<RuntimeRefusal> & { kind: string };

/** Why a request has failed. The runtime explains why it does not know who sends it; everything else is up to the status. */
function kindOf(thrown: unknown): string {
  if (memberOf(memberOf(thrown, 'responseJSON'), 'kind') === 'foreign') return 'foreign';
  const status = memberOf(thrown, 'status');
  return status === 401 || status === 403 ? 'forbidden' : 'offline';
}

/**
 * Sends a request to the runtime. Never rejects: failures of the request are refusals, too. The cookie proves that the
 * editor's own page sends it, since behind a proxy the runtime may not know its host.
 */
export async function request<T extends object>(
  settings: JQueryAjaxSettings,
  signal?: AbortSignal
): Promise<T | { refusal: Refusal }> {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API works on secure pages only
  document.cookie = 'nimbus=editor; SameSite=Strict';
  try {
    const sent = $.ajax({ dataType: 'json', ...settings });
    signal?.addEventListener('abort', () => sent.abort());
    return await sent;
  } catch (thrown) {
    return { refusal: { kind: kindOf(thrown) } };
  }
}
