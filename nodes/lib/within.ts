import { ActionError } from './errors';

/** Gives what the work comes to, or rejects with `Timeout` after `limit` milliseconds, at which it is told to end. */
export async function within<T>(limit: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ActionError('Timeout', `There was no answer within ${limit / 1000} s.`, { retryable: true });
    timer = setTimeout(() => {
      reject(error);
      controller.abort(error);
    }, limit);
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
