import { setTimeout as wait } from 'node:timers/promises';

/** Pauses after failures, ms: up to this long, and twice as long after each further one. */
const firstPause = 1000;
const longestPause = 30_000;

/** How long to wait after so many failures before, ms. */
export function pauseAfter(failures: number): number {
  const longest = Math.min(longestPause, firstPause * 2 ** failures);
  return longest * (0.5 + Math.random() / 2);
}

/** When a receiver may ask its queue again: later each time that it fails. Times are of `performance.now()`, ms. */
export class BackOff {
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #until = 0;

  /** Whether something that began at this time does not show how things are since the last failure. */
  isOutdated(began: number): boolean {
    return began < this.#failedAt;
  }

  /** Requests that fail side by side are one failure. */
  failed(): void {
    const now = performance.now();
    this.#failedAt = now;
    if (now < this.#until) return;
    this.rest(pauseAfter(this.#failures));
    this.#failures += 1;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** The queue is not asked for so many ms. */
  rest(ms: number): void {
    this.#until = Math.max(this.#until, performance.now() + ms);
  }

  /** Waits until the queue may be asked, or the signal is aborted. */
  async over(signal: AbortSignal): Promise<void> {
    for (let rest = this.#rest; rest > 0 && !signal.aborted; rest = this.#rest) {
      await wait(rest, undefined, { signal }).catch(() => undefined);
    }
  }

  get #rest(): number {
    return this.#until - performance.now();
  }
}
