import type { Place, Waiting } from './segment';

/** The first size, entries. It grows by half. */
const firstSize = 1024;

/** No entry, where one is named by its row. */
export const none = -1;

/**
 * What is held in memory of the entries that wait, some 50 bytes each: a row of numbers, in columns. What they say is on the
 * disk.
 */
export class EntryTable {
  #ids = new Float64Array(0);
  #since = new Float64Array(0);
  #segments = new Uint32Array(0);
  #offsets = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #shares = new Uint32Array(0);
  #bytes = new Uint32Array(0);
  #members = new Uint16Array(0);
  #tries = new Uint16Array(0);
  #next = new Int32Array(0);
  /** The first free row; each free row names the next one. */
  #free = none;
  #count = 0;

  /** How many entries wait. */
  get count(): number {
    return this.#count;
  }

  /** Adds an entry, kept at a time of `time.now()`. Gives its row. */
  add({ id, bytes, place }: Waiting, since: number): number {
    if (this.#free === none) this.#grow();
    const row = this.#free;
    this.#free = this.next(row);
    this.#count += 1;
    this.#ids[row] = id;
    this.#since[row] = since;
    this.#bytes[row] = bytes;
    this.#tries[row] = 0;
    this.#next[row] = none;
    this.move(row, place);
    return row;
  }

  remove(row: number): void {
    this.#ids[row] = 0;
    this.#next[row] = this.#free;
    this.#free = row;
    this.#count -= 1;
  }

  /** An entry stands at another place now. */
  move(row: number, { segment, offset, length, member, share }: Place): void {
    this.#segments[row] = segment;
    this.#offsets[row] = offset;
    this.#lengths[row] = length;
    this.#members[row] = member;
    this.#shares[row] = share;
  }

  place(row: number): Place {
    return {
      segment: cell(this.#segments, row),
      offset: cell(this.#offsets, row),
      length: cell(this.#lengths, row),
      member: cell(this.#members, row),
      share: cell(this.#shares, row)
    };
  }

  /** Its number; 0 if the row is free. */
  id(row: number): number {
    return cell(this.#ids, row);
  }

  since(row: number): number {
    return cell(this.#since, row);
  }

  bytes(row: number): number {
    return cell(this.#bytes, row);
  }

  /** Counts a try; gives how many there were with it. */
  countTry(row: number): number {
    const tries = Math.min(cell(this.#tries, row) + 1, 0xffff);
    this.#tries[row] = tries;
    return tries;
  }

  /** The row of the entry behind it. */
  next(row: number): number {
    return cell(this.#next, row);
  }

  setNext(row: number, next: number): void {
    this.#next[row] = next;
  }

  /** The rows of the entries in a segment. */
  inSegment(segment: number): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.#ids.length; row += 1) {
      if (this.#segments[row] === segment && this.#ids[row] !== 0) rows.push(row);
    }
    return rows;
  }

  /** All entries, in the order in which they came. */
  entries(): { row: number; id: number }[] {
    const entries: { row: number; id: number }[] = [];
    for (const [row, id] of this.#ids.entries()) if (id !== 0) entries.push({ row, id });
    return entries.sort((one, other) => one.id - other.id);
  }

  #grow(): void {
    const from = this.#ids.length;
    const to = Math.max(firstSize, Math.ceil(from * 1.5));
    this.#ids = grown(new Float64Array(to), this.#ids);
    this.#since = grown(new Float64Array(to), this.#since);
    this.#segments = grown(new Uint32Array(to), this.#segments);
    this.#offsets = grown(new Uint32Array(to), this.#offsets);
    this.#lengths = grown(new Uint32Array(to), this.#lengths);
    this.#shares = grown(new Uint32Array(to), this.#shares);
    this.#bytes = grown(new Uint32Array(to), this.#bytes);
    this.#members = grown(new Uint16Array(to), this.#members);
    this.#tries = grown(new Uint16Array(to), this.#tries);
    this.#next = grown(new Int32Array(to), this.#next);
    for (let row = from; row < to; row += 1) this.#next[row] = row + 1 < to ? row + 1 : none;
    this.#free = from;
  }
}

/** What a column has in a row. Throws for a row that the table does not have. */
function cell(column: Readonly<Record<number, number>>, row: number): number {
  const value = column[row];
  if (value === undefined) throw new RangeError(`There is no row ${row}.`);
  return value;
}

function grown<A extends { set(from: A): void }>(column: A, from: A): A {
  column.set(from);
  return column;
}
