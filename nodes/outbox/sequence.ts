import { type EntryTable, none } from './entry-table';

/** Pauses after failures, ms: up to this long, and twice as long after each further one. */
const firstPause = 5000;
const longestPause = 60_000;
/** What waits is tried again so long after the last time at the earliest, however many other requests succeed, ms. */
const soonest = 1000;

/** When something that has failed is tried again. Times are of `time.now()`, ms. */
export class Pause {
  #failures = 0;
  #tried = Number.NEGATIVE_INFINITY;
  /** 0: it is not paused. */
  until = 0;

  get isOn(): boolean {
    return this.until !== 0;
  }

  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  /** A request that began before the last failure was known has failed of the same cause. */
  failed(now: number, began = now): void {
    if (began < this.#tried) return;
    const longest = Math.min(longestPause, firstPause * 2 ** this.#failures);
    this.#failures += 1;
    this.#tried = now;
    this.until = now + longest * (0.5 + Math.random() / 2);
  }

  /** A request that began before the last failure says nothing of the time since then. */
  succeeded(began = Infinity): void {
    if (began < this.#tried) return;
    this.#failures = 0;
    this.until = 0;
  }

  /** Ends it if it has lasted long enough. Returns whether it did. */
  end(now: number): boolean {
    if (!this.isOn || this.until > now) return false;
    this.until = 0;
    return true;
  }

  /** Something else has succeeded, so that it is worth a try. */
  wake(now: number): void {
    if (this.isOn) this.until = Math.min(this.until, Math.max(now, this.#tried + soonest));
  }
}

/** Entries of one target that are sent one after the other, in the order of their numbers. */
export class Sequence {
  #head = none;
  #tail = none;
  /**
   * The entry that was last put between others. The next one usually belongs behind it, since the entries of a segment
   * that is read again come in their order.
   */
  #latest = none;
  readonly pause = new Pause();
  /** Where it stands among those that may go; `undefined` if it is not there. */
  order: number | undefined;
  /** With a group: whether one of it is under way. */
  isBusy = false;
  /** Whether its first entry shares its requests with no other, since it may be why they fail. */
  isAlone = false;

  constructor(
    private readonly table: EntryTable,
    /** The FIFO group, of which one at a time is under way. */
    readonly group: string | undefined
  ) {}

  get isEmpty(): boolean {
    return this.#head === none;
  }

  /** The row of the first entry; `none` if there is none. */
  get head(): number {
    return this.#head;
  }

  /**
   * Puts an entry where its number belongs: at the end, or, where it comes back, near the beginning. Returns whether it could:
   * one that was being written to another segment when the process died stands in both.
   */
  put(row: number): boolean {
    const { table } = this;
    const id = table.id(row);
    if (this.#tail !== none && table.id(this.#tail) < id) {
      table.setNext(this.#tail, row);
      table.setNext(row, none);
      this.#tail = row;
      return true;
    }
    let before = this.#latest !== none && table.id(this.#latest) < id ? this.#latest : none;
    let at = before === none ? this.#head : table.next(before);
    while (at !== none && table.id(at) < id) {
      before = at;
      at = table.next(at);
    }
    if (at !== none && table.id(at) === id) return false;
    table.setNext(row, at);
    this.#latest = row;
    if (before === none) this.#head = row;
    else table.setNext(before, row);
    if (at === none) this.#tail = row;
    return true;
  }

  /** Takes the first entry out; `none` if there is none. */
  take(): number {
    const row = this.#head;
    if (row === none) return none;
    this.#latest = none;
    this.#head = this.table.next(row);
    if (this.#head === none) this.#tail = none;
    return row;
  }
}
