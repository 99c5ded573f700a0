/** The logarithm of the ratio between two steps of the scale. Times that are read off it are at most 2 % wrong. */
const step = Math.log(1.04);
/** The shortest and longest times that are told apart, ms. */
const shortest = 0.1;
const longest = 1_000_000;

const stepOf = (ms: number): number =>
  Math.floor(Math.log(Math.min(longest, Math.max(shortest, ms)) / shortest) / step);

/** How long requests took, counted on a scale: however many there are, they take no more memory. */
export class Durations {
  readonly #counts = new Uint32Array(stepOf(longest) + 1);
  #all = 0;

  /** Adds a time, ms. */
  add(ms: number): void {
    const at = stepOf(ms);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#all += 1;
  }

  /** The time, ms, that this part of the requests did not exceed: 0.5 for the median. `null` where there were none. */
  at(share: number): number | null {
    let left = Math.ceil(this.#all * share);
    if (left === 0) return null;
    const found = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return Number((shortest * Math.exp((found + 0.5) * step)).toFixed(1));
  }
}
