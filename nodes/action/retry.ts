import { setTimeout as wait } from 'node:timers/promises';
import type { Task } from './task';

/** The first pause is at most `base` ms; the limit doubles for each further one, up to `longest` ms. */
const base = 200;
const longest = 20_000;

/**
 * Does `work`, and repeats it up to `times` times after random pauses, as long as it fails with an error that `when`
 * accepts.
 */
export async function retry<T>(
  work: () => Promise<T>,
  { times, when, message }: { times: number; when: (error: unknown) => boolean; message: Task }
): Promise<T> {
  for (let done = 0; ; done += 1) {
    try {
      return await work();
    } catch (error) {
      if (done >= times || message.aborted || !when(error)) throw error;
      await wait(Math.random() * Math.min(longest, base * 2 ** done), undefined, { signal: message.signal });
    }
  }
}
