import { ownError } from '../fields/errors';

/**
 * Settles as `work` does. Rejects with `Timeout` after `limit` ms, or with the reason of `ended` if that aborts; the signal
 * for `work` is then aborted as well. `goOn` starts the time limit anew.
 */
export async function within<T>(
  limit: number,
  work: (signal: AbortSignal, goOn: () => void) => Promise<T>,
  ended?: AbortSignal
): Promise<T> {
  ended?.throwIfAborted();
  const controller = new AbortController();
  const stop = (reason: unknown) => controller.abort(reason);
  const isEnded = () => stop(ended?.reason);
  const isLate = () => stop(ownError('Timeout', `There was no answer within ${limit / 1000} s.`, { retryable: true }));
  const timer = setTimeout(isLate, limit);
  ended?.addEventListener('abort', isEnded);
  const cut = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason));
  });
  try {
    return await Promise.race([work(controller.signal, () => timer.refresh()), cut]);
  } finally {
    clearTimeout(timer);
    ended?.removeEventListener('abort', isEnded);
  }
}
