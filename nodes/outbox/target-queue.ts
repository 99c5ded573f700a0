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

/** A request of so many entries that has succeeded shows that none of them was why others failed. */
const enough = 10;

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
  /** Those whose first entry has failed while others did not: each rests between its tries. */
  readonly #failed = new Set<Sequence>();
  /** How many entries a request takes at most: few after one was refused as a whole, since one of them may be why. */
  #width = Infinity;
  /** How many entries in a row were set aside since the service has accepted any. */
  asides = 0;

  constructor(
    private readonly table: EntryTable,
    readonly target: string,
    readonly region: string
  ) {
    this.#main = new Sequence(table, undefined);
  }

  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#failed.size === 0 && this.#groups.size === 0 && this.sending === 0;
  }

  /** When the next one has rested, ms of `time.now()`; `Infinity` if none does. */
  get nextRested(): number {
    let next = this.pause.isOn ? this.pause.until : Infinity;
    for (const { pause } of this.#failed) if (pause.isOn) next = Math.min(next, pause.until);
    return next;
  }

  /** Whether anything has failed that has not arrived since, or may be among what waits. */
  get isInTrouble(): boolean {
    return this.pause.hasFailed || this.#failed.size > 0 || this.#width < enough;
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
    const most = Math.min(entries, this.#width);
    const taken: Taken[] = [];
    let sum = 0;
    for (let next = this.#ready.at(-1); next && taken.length < most; next = this.#ready.at(-1)) {
      sum += this.table.bytes(next.head);
      if (taken.length > 0 && (sum > bytes || next.isAlone)) break;
      taken.push(this.#takeFrom(next));
      if (next.isAlone) break;
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
    sequence.isAlone = false;
    this.#failed.delete(sequence);
    this.#free(sequence);
  }

  /** The service has answered a request that began at a time, as it should. */
  succeeded(began: number): void {
    this.pause.succeeded(began);
    this.#width *= 2;
    this.asides = 0;
  }

  /** A request that began at a time has failed as a whole: the target rests. `narrow`: one of its entries may be why. */
  failed(now: number, began: number, narrow: boolean): void {
    this.pause.failed(now, began);
    if (narrow) this.#width = 1;
    this.asides = 0;
  }

  /** An entry comes back to where it was: its whole target has failed. */
  putBack({ row, sequence }: Taken): void {
    this.#withdraw(sequence);
    sequence.put(row);
    this.#free(sequence);
  }

  /**
   * An entry was refused for now. It rests, and with it its group; without one the others go on. `alone`: from now on it shares
   * its requests with no other.
   */
  setAside({ row, sequence }: Taken, now: number, alone: boolean): void {
    const own = sequence === this.#main ? new Sequence(this.table, undefined) : sequence;
    this.#withdraw(own);
    own.put(row);
    own.pause.failed(now);
    own.isBusy = false;
    own.isAlone ||= alone;
    this.#failed.add(own);
    this.asides += 1;
  }

  #free(sequence: Sequence): void {
    sequence.isBusy = false;
    if (sequence.isEmpty && sequence.group !== undefined) this.#groups.delete(sequence.group);
    this.#enter(sequence);
  }

  /** Something else has succeeded. */
  wake(now: number): void {
    this.pause.wake(now);
    for (const { pause } of this.#failed) pause.wake(now);
  }

  /** Lets those that have rested enough go. */
  endRests(now: number): void {
    this.pause.end(now);
    for (const sequence of this.#failed) if (sequence.pause.end(now)) this.#enter(sequence);
  }

  /** An entry that was taken out as too old could not be read, and waits on. */
  restore({ row, sequence }: Taken): void {
    this.add(row, sequence.group);
  }

  /** Takes out all entries that were kept before a time of `time.now()`, those under way aside. */
  takeOlder(than: number): Taken[] {
    const older: Taken[] = [];
    for (const sequence of this.#all) {
      if (sequence.isEmpty || this.table.since(sequence.head) >= than) continue;
      this.#withdraw(sequence);
      while (!sequence.isEmpty && this.table.since(sequence.head) < than) {
        const row = sequence.take();
        older.push({ row, id: this.table.id(row), sequence });
      }
      if (sequence.isEmpty) this.#failed.delete(sequence);
      if (sequence.isEmpty && !sequence.isBusy && sequence.group !== undefined) this.#groups.delete(sequence.group);
      this.#enter(sequence);
    }
    return older;
  }

  /** When the oldest entry was kept, ms of `time.now()`; `Infinity` if none waits. */
  get oldest(): number {
    let oldest = Infinity;
    for (const { head } of this.#all) {
      if (head !== none) oldest = Math.min(oldest, this.table.since(head));
    }
    return oldest;
  }

  get #all(): Iterable<Sequence> {
    return new Set([this.#main, ...this.#groups.values(), ...this.#failed]);
  }

  /** Puts a sequence among those that may go, if it has something and may. */
  #enter(sequence: Sequence): void {
    if (sequence.isEmpty || sequence.isBusy || sequence.order !== undefined || sequence.pause.isOn) return;
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
      const other = this.#ready[middle]?.order;
      if (other !== undefined && other > order) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
