/** The store of a node: its lock, its log, and what is held in memory of it. */
import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';
import { disk } from './disk';
import { readError } from './disk-errors';
import { EntryTable } from './entry-table';
import { Lock } from './lock';
import { Log, type Told } from './log';
import { decode, type Kept, sizeOf } from './records';
import type { Place, Waiting } from './segment';

const megabyte = 1_000_000;
/** A segment is a sixteenth of the store, within these limits, bytes. */
const smallestSegment = 65_536;
const largestSegment = 4_000_000;
/** Entries that are written anew at once when a segment that is nearly empty is given up. */
const movedAtOnce = 50;

export interface StoreOptions {
  folder: string;
  /** Node-RED's user directory. */
  root: string;
  /** MB that may wait. */
  most: number;
  tell: Told;
}

/** A record, and which of its entries is meant: compaction gives an entry a record of its own. */
export interface Read {
  readonly record: Buffer;
  readonly member: number;
}

export class Store {
  readonly table = new EntryTable();
  readonly #log: Log;
  readonly #mostBytes: number;
  readonly #slack: number;
  /** Bytes of what is being written. */
  #adding = 0;
  #compacting: Promise<void> | undefined;
  #lock: Lock | undefined;
  #isClosing = false;

  constructor(private readonly options: StoreOptions) {
    const { folder, root, most, tell } = options;
    this.#mostBytes = most * megabyte;
    const segmentBytes = Math.min(largestSegment, Math.max(smallestSegment, this.#mostBytes / 16));
    // What has left takes at most a quarter of the store, and a segment.
    this.#slack = this.#mostBytes / 4 + segmentBytes;
    this.#log = new Log({ disk, folder, root, segmentBytes, tell });
  }

  /**
   * Takes the store and reads what waits in it. Resolves with whether it could: another process may have it. Rejects with the
   * error of the disk, or if the signal is aborted.
   */
  async open(signal: AbortSignal, take: (entry: Waiting) => void): Promise<boolean> {
    this.#lock = await Lock.take(this.options.folder, signal);
    if (!this.#lock) return false;
    for await (const entries of this.#log.load()) for (const entry of entries) take(entry);
    return true;
  }

  /** Adds a message. Resolves with its entries when it is safe. Rejects with `StoreFull`. */
  async add(kept: Kept): Promise<Waiting[]> {
    const bytes = sizeOf(kept);
    if (this.#lock?.isLost) throw taken(this.options.folder);
    if (this.#log.waitingBytes + this.#adding + bytes > this.#mostBytes) throw this.#full(bytes);
    this.#adding += bytes;
    try {
      return await this.#log.add(kept);
    } finally {
      this.#adding -= bytes;
    }
  }

  #full(bytes: number): ActionError {
    const most = this.#mostBytes / megabyte;
    const held = (this.#log.waitingBytes + this.#adding) / megabyte;
    return ownError(
      'StoreFull',
      bytes > this.#mostBytes
        ? `The message has ${(bytes / megabyte).toFixed(1)} MB with its requests, but this node keeps at most ${most} MB. It was not sent.`
        : `This node keeps at most ${most} MB, and ${held.toFixed(1)} MB wait: there is no room for the message. It was not sent.`,
      { retryable: bytes <= this.#mostBytes }
    );
  }

  /**
   * Reads the records of entries; `undefined` for what is damaged, which then leaves the store. Rejects with the error of the
   * disk.
   */
  async read(rows: readonly number[]): Promise<(Read | undefined)[]> {
    const places = rows.map((row) => this.table.place(row));
    const records = await this.#readAt(places);
    const found: (Read | undefined)[] = [];
    for (const [index, row] of rows.entries()) {
      const place = places[index] as Place;
      const record = records[index];
      found.push(record ? { record, member: place.member } : await this.#readAgain(row, place));
    }
    return found;
  }

  async #readAt(places: readonly Place[]): Promise<(Buffer | undefined)[]> {
    try {
      return await this.#log.read(places);
    } catch (error) {
      throw readError(error, this.options.folder);
    }
  }

  /**
   * Reads entries as they stand, and changes nothing: what has left, or is damaged, is not among them. Rejects with the error
   * of the disk.
   */
  async look(entries: readonly { row: number; id: number }[]): Promise<Read[]> {
    const { table } = this;
    const waiting = entries.filter(({ row, id }) => table.id(row) === id);
    const places = waiting.map(({ row }) => table.place(row));
    const records = await this.#readAt(places);
    const found: Read[] = [];
    for (const [index, { row, id }] of waiting.entries()) {
      const record = records[index];
      const { member } = places[index] as Place;
      if (record) found.push({ record, member });
      // It may have been written to another segment while it was read.
      else if (table.id(row) === id) found.push(...(await this.#lookAt(table.place(row))));
    }
    return found;
  }

  async #lookAt(place: Place): Promise<Read[]> {
    const [record] = await this.#readAt([place]);
    return record ? [{ record, member: place.member }] : [];
  }

  /** It may have been written to another segment while it was read. */
  async #readAgain(row: number, before: Place): Promise<Read | undefined> {
    const place = this.table.place(row);
    const hasMoved = place.segment !== before.segment || place.offset !== before.offset;
    const [record] = hasMoved ? await this.#readAt([place]) : [];
    if (record) return { record, member: place.member };
    this.#log.damaged(place);
    this.left(row);
    return undefined;
  }

  /** An entry has left the store. */
  left(row: number): void {
    const place = this.table.place(row);
    this.table.remove(row);
    this.gone(place);
  }

  /** What stands at a place has left the store, or is not needed. */
  gone(place: Place): void {
    this.#log.gone(place);
    const isWide = this.#log.bytes > this.#log.waitingBytes + this.#slack;
    if (!isWide || this.#isClosing || this.#compacting !== undefined) return;
    this.#compacting = this.#compact()
      // The disk may be full; it is tried again when something leaves.
      .catch(() => undefined)
      .finally(() => {
        this.#compacting = undefined;
      });
  }

  /**
   * Writes what waits in the emptiest segment to the end of the log, so that the segment is deleted: else a few messages that
   * wait for long would keep the room of all that came with them.
   */
  async #compact(): Promise<void> {
    const segment = this.#log.emptiest;
    if (segment === undefined) return;
    const rows = this.table.inSegment(segment);
    for (let first = 0; first < rows.length && !this.#isClosing; first += movedAtOnce) {
      await this.#move(
        segment,
        rows.slice(first, first + movedAtOnce).filter((row) => this.#isIn(segment, row))
      );
    }
  }

  #isIn(segment: number, row: number): boolean {
    return this.table.id(row) !== 0 && this.table.place(row).segment === segment;
  }

  /** Moves entries to the end of the log. A process that dies on the way leaves them at one place or at both, never at none. */
  async #move(segment: number, rows: number[]): Promise<void> {
    const before = rows.map((row) => ({ row, id: this.table.id(row), place: this.table.place(row) }));
    const records = await this.#log.read(before.map(({ place }) => place));
    const copies = await Promise.all(before.map(({ id, place }, index) => this.#copy(id, place, records[index])));
    const moved = before.flatMap((each, index) => {
      const copy = copies[index];
      return copy ? { ...each, copy } : [];
    });
    try {
      await this.#log.noteMoved(
        segment,
        moved.map(({ place }) => place)
      );
    } catch (thrown) {
      for (const { copy } of moved) this.#log.gone(copy);
      throw thrown;
    }
    for (const { row, id, place, copy } of moved) {
      // It may have left in the meantime.
      const isHere = this.table.id(row) === id;
      if (isHere) this.table.move(row, copy);
      this.#log.gone(isHere ? place : copy, isHere);
    }
  }

  /** Writes an entry of a record anew; gives where it stands, or `undefined` if that fails. */
  async #copy(id: number, { member }: Place, record: Buffer | undefined): Promise<Place | undefined> {
    if (!record) return undefined;
    const { keptAt, entries, requests, message } = decode(record);
    const one = {
      id,
      keptAt,
      entries: entries.slice(member, member + 1),
      requests: requests.slice(member, member + 1),
      message
    };
    const [copy] = await this.#log.add(one).catch(() => []);
    return copy?.place;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#compacting;
    await this.#log.close();
    await this.#lock?.release();
  }
}

/** The error where another process has the store. */
export const taken = (folder: string): ActionError =>
  ownError(
    'StoreFull',
    `The message cannot be kept in ${folder}: another Node-RED has this store open. It was not sent either.`,
    { retryable: true }
  );
