/**
 * Does the same to each item, to so many at a time; gives the results in the items' order. Rejects with the first failure:
 * nothing more is begun then, and what is under way ends before.
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

/** Waits for all of them; rejects with the first failure in their order, when none is under way any more. */
export async function together(works: readonly unknown[]): Promise<void> {
  for (const end of await Promise.allSettled(works)) if (end.status === 'rejected') throw end.reason;
}

/** Lets so many works be under way at a time, whoever they belong to; the others wait for their turn. */
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
