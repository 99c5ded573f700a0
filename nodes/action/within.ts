import { ownError } from '../fields/errors';

/**
 * Gives what the work comes to, or rejects with `Timeout` after `limit` milliseconds, or with its reason where `ended`
 * aborts earlier; `goOn` gives the work the whole time once more. Work that is not waited for any more is told to end.
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
