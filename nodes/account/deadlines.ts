/**
 * Time limits of what is nearly always done in time. They share one timer, which rings when the first of them may be over:
 * a timer for each would take a noticeable part of the time that a request takes.
 */
export class Deadlines {
  /** By what is called when it is over: a time, ms of `performance.now()`. */
  readonly #ends = new Map<() => void, number>();
  /** When the timer rings; `Infinity` if there is none. */
  #rings = Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** Calls `late` in so many ms, in place of a former time, unless it is `done` before. */
  set(late: () => void, ms: number): void {
    const end = performance.now() + ms;
    this.#ends.set(late, end);
    if (end < this.#rings) this.#ringAt(end);
  }

  done(late: () => void): void {
    if (this.#ends.delete(late) && this.#ends.size === 0) this.#ringAt(Infinity);
  }

  #ringAt(end: number): void {
    clearTimeout(this.#timer);
    this.#rings = end;
    if (end < Infinity) this.#timer = setTimeout(() => this.#ring(end), Math.max(0, end - performance.now()));
  }

  #ring(now: number): void {
    this.#rings = Infinity;
    let next = Infinity;
    for (const [late, end] of this.#ends) {
      if (end > now) next = Math.min(next, end);
      else {
        this.#ends.delete(late);
        late();
      }
    }
    if (next < this.#rings) this.#ringAt(next);
  }
}
