/**
 * Calls `work` for each item, for at most `most` at the same time. Returns the results in the order of the items. After a
 * failure no further work is begun; once all begun work has ended, the promise rejects with the first failure.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  most: number,
  work: (item: T, index: number) => Promise<R>
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  let failure: { reason: unknown } | undefined;
  const workOff = async () => {
    for (const [index, item] of left) {
      if (failure) return;
      try {
        results[index] = await work(item, index);
      } catch (reason) {
        failure ??= { reason };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, workOff));
  if (failure) throw failure.reason;
  return results;
}

/** Waits until all promises have settled. Rejects with the first failure in their order. */
export async function together(works: readonly unknown[]): Promise<void> {
  for (const end of await Promise.allSettled(works)) if (end.status === 'rejected') throw end.reason;
}

/** Limits how much work is done at the same time; more waits for its turn. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
