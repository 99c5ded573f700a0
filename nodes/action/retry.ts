import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds: the first pause is up to `base` long, each next one up to twice as long, none longer than `longest`. */
const base = 200;
const longest = 20_000;

/** Does `work`, and again up to `times` times while it fails in a way that `when` accepts, with random pauses. */
export async function retry<T>(
  work: () => Promise<T>,
  { times, when, signal }: { times: number; when: (error: unknown) => boolean; signal: AbortSignal }
): Promise<T> {
  for (let done = 0; ; done += 1) {
    try {
      return await work();
    } catch (error) {
      if (done >= times || signal.aborted || !when(error)) throw error;
      await wait(Math.random() * Math.min(longest, base * 2 ** done), undefined, { signal });
    }
  }
}
