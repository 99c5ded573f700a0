import { type EntryTable, none } from './entry-table';
import { Pause, Sequence } from './sequence';

/** An entry that is taken to be sent, and the sequence to which it belongs. */
export interface Taken {
  row: number;
  id: number;
  sequence: Sequence;
}

/** How much one request takes. */
export interface Capacity {
  entries: number;
  bytes: number;
}

/** What waits for one target in one region. */
export class TargetQueue {
  readonly pause = new Pause();
  /** Requests that are under way. */
  sending = 0;
  /** The sequence of all entries without a group. */
  readonly #main: Sequence;
  readonly #groups = new Map<string, Sequence>();
  /** Those of which an entry may go, the one whose entry came first at the end. */
  readonly #ready: Sequence[] = [];
  /** Those that rest after a failure. */
  readonly #resting = new Set<Sequence>();

  constructor(
    private readonly table: EntryTable,
    readonly target: string,
    readonly region: string
  ) {
    this.#main = new Sequence(table, undefined);
  }

  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#resting.size === 0 && this.#groups.size === 0 && this.sending === 0;
  }

  /** When the next one has rested, ms of `performance.now()`; `Infinity` if none does. */
  get nextRested(): number {
    let next = this.pause.until === 0 ? Infinity : this.pause.until;
    for (const { pause } of this.#resting) next = Math.min(next, pause.until);
    return next;
  }

  /** Adds an entry behind all others of its group. Returns whether it is a new one. */
  add(row: number, group: string | undefined): boolean {
    const sequence = this.#of(group);
    const { head } = sequence;
    const isNew = sequence.put(row);
    if (sequence.head !== head) this.#withdraw(sequence);
    this.#enter(sequence);
    return isNew;
  }

  #of(group: string | undefined): Sequence {
    if (group === undefined) return this.#main;
    const known = this.#groups.get(group) ?? new Sequence(this.table, group);
    this.#groups.set(group, known);
    return known;
  }

  /** Takes the entries of the next request, in the order in which they came; of a group at most one. */
  take({ entries, bytes }: Capacity): Taken[] {
    const taken: Taken[] = [];
    let sum = 0;
    for (let next = this.#ready.at(-1); next && taken.length < entries; next = this.#ready.at(-1)) {
      sum += this.table.bytes(next.head);
      if (taken.length > 0 && sum > bytes) break;
      taken.push(this.#takeFrom(next));
    }
    return taken;
  }

  #takeFrom(sequence: Sequence): Taken {
    this.#ready.pop();
    sequence.order = undefined;
    const row = sequence.take();
    if (sequence.group !== undefined) sequence.isBusy = true;
    else this.#enter(sequence);
    return { row, id: this.table.id(row), sequence };
  }

  /** An entry has left, so that the next one of its group may go. */
  left({ sequence }: Taken): void {
    sequence.pause.succeeded();
    this.#free(sequence);
  }

  /** An entry comes back to where it was: its whole target has failed. */
  putBack({ row, sequence }: Taken): void {
    this.#withdraw(sequence);
    sequence.put(row);
    this.#free(sequence);
  }

  /** An entry was refused for now. It rests, and with it its group; without one the others go on. */
  setAside({ row, sequence }: Taken, now: number): void {
    const own = sequence === this.#main ? new Sequence(this.table, undefined) : sequence;
    this.#withdraw(own);
    own.put(row);
    own.pause.failed(now);
    own.isBusy = false;
    this.#resting.add(own);
  }

  #free(sequence: Sequence): void {
    sequence.isBusy = false;
    if (sequence.isEmpty && sequence.group !== undefined) this.#groups.delete(sequence.group);
    this.#enter(sequence);
  }

  /** Something else has succeeded. */
  wake(now: number): void {
    this.pause.wake(now);
    for (const { pause } of this.#resting) pause.wake(now);
  }

  /** Lets those that have rested enough go. */
  endRests(now: number): void {
    for (const sequence of this.#resting) {
      if (sequence.pause.until > now) continue;
      this.#resting.delete(sequence);
      sequence.pause.until = 0;
      this.#enter(sequence);
    }
  }

  /** An entry that was taken out as too old could not be read, and waits on. */
  restore(row: number): void {
    this.#main.put(row);
    this.#enter(this.#main);
  }

  /** Takes out all entries that were kept before a time of `performance.now()`, those under way aside. */
  takeOlder(than: number): number[] {
    const rows: number[] = [];
    for (const sequence of [this.#main, ...this.#groups.values(), ...this.#resting]) {
      if (sequence.isEmpty || this.table.since(sequence.head) >= than) continue;
      this.#withdraw(sequence);
      while (!sequence.isEmpty && this.table.since(sequence.head) < than) rows.push(sequence.take());
      if (sequence.isEmpty) this.#resting.delete(sequence);
      if (sequence.isEmpty && !sequence.isBusy && sequence.group !== undefined) this.#groups.delete(sequence.group);
      this.#enter(sequence);
    }
    return rows;
  }

  /** When the oldest entry was kept, ms of `performance.now()`; `Infinity` if none waits. */
  get oldest(): number {
    let oldest = Infinity;
    for (const { head } of [this.#main, ...this.#groups.values(), ...this.#resting]) {
      if (head !== none) oldest = Math.min(oldest, this.table.since(head));
    }
    return oldest;
  }

  /** Puts a sequence among those that may go, if it has something and may. */
  #enter(sequence: Sequence): void {
    if (sequence.isEmpty || sequence.isBusy || sequence.order !== undefined || this.#resting.has(sequence)) return;
    sequence.order = this.table.id(sequence.head);
    this.#ready.splice(this.#indexOf(sequence.order), 0, sequence);
  }

  /** Takes it out of those that may go, since its first entry becomes another one. */
  #withdraw(sequence: Sequence): void {
    if (sequence.order === undefined) return;
    this.#ready.splice(this.#indexOf(sequence.order), 1);
    sequence.order = undefined;
  }

  /** Where a sequence of this order stands, or has to. */
  #indexOf(order: number): number {
    let from = 0;
    let to = this.#ready.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#ready[middle]?.order as number) > order) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
