/**
 * The log of a node: segments to which messages are added, and from which they are read back. What comes together is written
 * by one flush. Nothing is ever written over: an entry that has left is noted beside its segment, and a segment of which all
 * has left is deleted.
 */
import { dirname } from 'node:path';
import { reasonOf } from '../fields/thrown';
import type { Disk, OpenFile } from './disk';
import { isAbsent } from './disk';
import { type DiskError, diskError } from './disk-errors';
import { Recent } from './recent';
import { encode, isWhole, type Kept } from './records';
import { runsOf } from './runs';
import {
  entriesInIndex,
  entriesOf,
  goneLength,
  IndexMaker,
  keyOf,
  keysGone,
  notesOfGone,
  type Place,
  readWhole,
  SegmentFiles,
  scan,
  segmentsIn,
  type Unreadable,
  type Waiting
} from './segment';
import { time } from './time';

/**
 * How long notes about entries that have left are collected before they are written, ms. With writing, it stays below 2
 * s.
 */
const noteAfter = 1000;
/** Most bytes of one write. */
const longestWrite = 4_000_000;
/** What the log tells its owner. */
export interface Told {
  log(text: string): void;
  warn(text: string): void;
}

class Segment {
  readonly files: SegmentFiles;
  /** Bytes that are confirmed. */
  size = 0;
  /** Entries that wait, and their bytes. */
  left = 0;
  leftBytes = 0;
  /** Whether a part of it could not be read. */
  isDamaged = false;
  /** Entries that have left without a note, and the bytes of the notes that there are. */
  unnoted: number[] = [];
  noted = 0;
  /** Whether the name of the file with the notes is on the disk: an earlier process may have died before. */
  isNotedSafely = false;

  constructor(folder: string, number: number) {
    this.files = new SegmentFiles(folder, number);
  }

  get number(): number {
    return this.files.number;
  }
}

/** The segment that is written to. */
interface Active {
  segment: Segment;
  file: OpenFile;
  index: IndexMaker;
}

interface Addition {
  record: Buffer;
  head: Kept;
  resolve(entries: Waiting[]): void;
  reject(error: DiskError): void;
}

export interface LogOptions {
  disk: Disk;
  folder: string;
  /** A folder above it that has been there before. */
  root: string;
  /** A segment that has so many bytes is full. */
  segmentBytes: number;
  tell: Told;
}

export class Log {
  readonly #segments = new Map<number, Segment>();
  #active: Active | undefined;
  #lastNumber = 0;
  #nextId = 1;
  #additions: Addition[] = [];
  readonly #recent = new Recent();
  #writing: Promise<void> | undefined;
  /** Notes and deletions, one after the other. */
  #tidying: Promise<unknown> = Promise.resolve();
  /** Ends the waiting until it is tidied. */
  #notTidy: (() => void) | undefined;
  #isClosed = false;
  #waitingBytes = 0;
  #bytes = 0;
  /** Whether the folder's own name, and those of the folders that it is in, are on the disk. */
  #isFolderSafe = false;
  /** Segments that are being sealed. */
  readonly #works = new Set<Promise<void>>();

  constructor(private readonly options: LogOptions) {}

  /** Bytes of the entries that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes of the segments on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The full segment with the fewest bytes that wait, for `compact`; `undefined` if there is none. */
  get emptiest(): number | undefined {
    let found: Segment | undefined;
    for (const segment of this.#segments.values()) {
      if (segment === this.#active?.segment || segment.isDamaged || segment.left === 0) continue;
      if (segment.leftBytes < segment.size / 2 && segment.leftBytes < (found?.leftBytes ?? Infinity)) found = segment;
    }
    return found?.number;
  }

  /** Reads what waits, segment by segment in their order. Rejects if the folder cannot be read. */
  async *load(): AsyncGenerator<Waiting[]> {
    const { disk, folder } = this.options;
    const names = await disk.list(folder);
    const numbers = segmentsIn(names);
    // A number is not used again while any file has it: old notes would apply to new entries.
    for (const name of names) this.#lastNumber = Math.max(this.#lastNumber, numberIn(name));
    // The other files of a segment whose records were deleted mean nothing any more.
    const orphans = names.filter(
      (name) => /^\d{12}\.(index|gone)$/.test(name) && !numbers.includes(Number.parseInt(name, 10))
    );
    for (const name of orphans) await disk.remove(`${folder}/${name}`).catch(() => undefined);
    for (const number of numbers) yield* this.#loadSegment(number);
    this.#tidy();
    await this.#tidying;
  }

  async *#loadSegment(number: number): AsyncGenerator<Waiting[]> {
    const { disk, folder, tell } = this.options;
    const segment = new Segment(folder, number);
    const notes = await readWhole(disk, segment.files.gone);
    const gone = keysGone(notes, number);
    segment.noted = notes.length - (notes.length % goneLength);
    this.#segments.set(number, segment);
    try {
      const file = await disk.open(segment.files.records, 'read');
      try {
        segment.size = await file.size();
        this.#bytes += segment.size;
        for await (const entries of this.#entriesOf(segment, file)) yield this.#take(segment, entries, gone);
      } finally {
        await file.close();
      }
    } catch (error) {
      segment.isDamaged = true;
      this.#segments.delete(number);
      tell.warn(
        `${segment.files.records} cannot be read: ${reasonOf(error)}. It stays there for the next start; the rest goes out.`
      );
    }
  }

  async *#entriesOf(segment: Segment, file: OpenFile): AsyncGenerator<Waiting[]> {
    const index = await readWhole(this.options.disk, segment.files.index);
    const known = entriesInIndex(index, segment.number, segment.size);
    if (known) yield known;
    else yield* scan(file, segment.number, (part) => this.#isUnreadable(segment, part));
  }

  #isUnreadable(segment: Segment, { from, to, isTorn }: Unreadable): void {
    const { records, damaged } = segment.files;
    const where = `${to - from} bytes of ${records}, from ${from} on,`;
    if (isTorn) {
      this.options.tell.log(`${where} were being written when Node-RED ended, and nobody was told that they were kept`);
      return;
    }
    segment.isDamaged = true;
    this.options.tell.warn(
      `${where} are damaged and cannot be sent. The file is ${damaged} when the rest of it has gone out.`
    );
  }

  #take(segment: Segment, entries: Waiting[], gone: ReadonlySet<number>): Waiting[] {
    const waiting = gone.size === 0 ? entries : entries.filter(({ place }) => !gone.has(keyOf(place)));
    for (const { id } of entries) this.#nextId = Math.max(this.#nextId, id + 1);
    for (const { place } of waiting) this.#count(segment, place);
    return waiting;
  }

  #count(segment: Segment, { share }: Place): void {
    segment.left += 1;
    segment.leftBytes += share;
    this.#waitingBytes += share;
  }

  /**
   * Adds a message. Resolves with its entries when it is safe; rejects with a `DiskError`, and is then never read back. The
   * numbers of the entries are those in `id`, or new ones where that is 0.
   */
  add(kept: Kept): Promise<Waiting[]> {
    const head = kept.id === 0 ? { ...kept, id: this.#nextId } : kept;
    this.#nextId = Math.max(this.#nextId, head.id + head.entries.length);
    return new Promise((resolve, reject) => {
      this.#additions.push({ record: encode(head), head, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Writes all that waits, and what comes in the meantime. Never rejects. */
  async #write(): Promise<void> {
    // What comes in this turn of the event loop is written together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#additions.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#commit(batch);
      } catch (error) {
        const { folder } = this.options;
        await this.#abandon();
        for (const { reject } of batch) reject(diskError(error, folder));
      }
    }
    // In the turn in which nothing was left to write, so that what is added now starts a write of its own.
    this.#writing = undefined;
  }

  #nextBatch(): Addition[] {
    let count = 0;
    let bytes = 0;
    for (const { record } of this.#additions) {
      if (count > 0 && bytes + record.length > longestWrite) break;
      count += 1;
      bytes += record.length;
    }
    return this.#additions.splice(0, count);
  }

  async #commit(batch: Addition[]): Promise<void> {
    const active = this.#active ?? (await this.#begin());
    const { segment, file, index } = active;
    const isNew = segment.size === 0;
    await file.write(Buffer.concat(batch.map(({ record }) => record)), segment.size);
    await file.flush();
    // The name of the file has to be on the disk as well, and a file that somebody has deleted keeps nothing.
    if (isNew) await this.options.disk.flushFolder(this.options.folder);
    if (await file.isDeleted()) {
      this.#isFolderSafe = false;
      throw Object.assign(new Error('it was deleted'), { code: 'ENOENT' });
    }
    for (const { record, head, resolve } of batch) {
      const at = { segment: segment.number, offset: segment.size, length: record.length };
      const entries = entriesOf(head, at);
      this.#recent.add(at, record);
      segment.size += record.length;
      this.#bytes += record.length;
      for (const entry of entries) {
        index.add(entry);
        this.#count(segment, entry.place);
      }
      resolve(entries);
    }
    if (segment.size >= this.options.segmentBytes) this.#seal(active);
  }

  async #begin(): Promise<Active> {
    const { disk, folder } = this.options;
    await disk.makeFolder(folder);
    if (!this.#isFolderSafe) await this.#saveFolder();
    this.#lastNumber += 1;
    const segment = new Segment(folder, this.#lastNumber);
    const file = await disk.open(segment.files.records, 'new');
    this.#segments.set(segment.number, segment);
    this.#active = { segment, file, index: new IndexMaker() };
    return this.#active;
  }

  /** An earlier process may have made the folders and died before their names were flushed. */
  async #saveFolder(): Promise<void> {
    const { disk, folder, root } = this.options;
    for (let above = dirname(folder); above.length >= root.length; above = dirname(above)) {
      await disk.flushFolder(above);
      if (above === dirname(above)) break;
    }
    this.#isFolderSafe = true;
  }

  /**
   * After a failure nobody knows how much of the last write is on the disk. That write is cut off, and the next message
   * begins a new segment.
   */
  async #abandon(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    const { segment, file } = active;
    await file.truncate(segment.size).catch(() => undefined);
    await file.flush().catch(() => undefined);
    this.#seal(active);
  }

  /** Ends a segment: writes its index, which spares the next start from reading its records. */
  #seal(active: Active): void {
    this.#active = undefined;
    const { segment, file, index } = active;
    const bytes = index.toBytes(segment.size);
    this.#inBackground(async () => {
      await file.close().catch(() => undefined);
      if (segment.left > 0) await this.#replace(segment.files.index, bytes);
      else this.#tidy();
    });
  }

  async #replace(path: string, bytes: Buffer): Promise<void> {
    const file = await this.options.disk.open(path, 'any');
    try {
      await file.write(bytes, 0);
      await file.truncate(bytes.length);
    } finally {
      await file.close();
    }
  }

  #inBackground(work: () => Promise<void>): void {
    const promise: Promise<void> = work()
      // An index is not needed.
      .catch(() => undefined)
      .finally(() => this.#works.delete(promise));
    this.#works.add(promise);
  }

  /** An entry has left. That is noted on the disk within 2 s, if `noteMoved` has not done so. */
  gone(place: Place, isNoted = false): void {
    this.#recent.delete(place);
    const segment = this.#segments.get(place.segment);
    if (!segment) return;
    segment.left -= 1;
    segment.leftBytes -= place.share;
    this.#waitingBytes -= place.share;
    if (!isNoted) segment.unnoted.push(keyOf(place));
    if (this.#isOver(segment)) this.#tidy();
    else this.#tidyLater();
  }

  /**
   * Notes that entries of a segment were copied to another place, which counts from then on. Resolves when the note is
   * on the disk; rejects if it cannot be written. Before that the entries must not leave their new place: that would be
   * noted, and the entries here would be sent again.
   */
  async noteMoved(number: number, places: readonly Place[]): Promise<void> {
    const noting = this.#tidying.then(async () => {
      const segment = this.#segments.get(number);
      if (segment) await this.#writeNotes(segment, places.map(keyOf));
    });
    this.#tidying = noting.catch(() => undefined);
    await noting;
  }

  #tidyLater(): void {
    if (this.#isClosed) return;
    this.#notTidy ??= time.after(noteAfter, () => {
      this.#notTidy = undefined;
      this.#tidy();
    });
  }

  /** Deletes segments of which all has left, and notes what has left of others. What fails is tried again. */
  #tidy(): void {
    this.#tidying = this.#tidying.then(async () => {
      for (const segment of [...this.#segments.values()]) {
        if (this.#isOver(segment) && (await this.#succeeds(this.#drop(segment)))) continue;
        // The notes come first: if the segment could not be deleted, all of it would be sent again.
        if (segment.unnoted.length > 0) await this.#succeeds(this.#noteGone(segment));
      }
    });
  }

  #isOver(segment: Segment): boolean {
    return segment.left === 0 && segment !== this.#active?.segment;
  }

  async #succeeds(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch {
      this.#tidyLater();
      return false;
    }
  }

  async #noteGone(segment: Segment): Promise<void> {
    const keys = segment.unnoted;
    segment.unnoted = [];
    try {
      await this.#writeNotes(segment, keys);
    } catch (thrown) {
      segment.unnoted = [...keys, ...segment.unnoted];
      throw thrown;
    }
  }

  async #writeNotes(segment: Segment, keys: number[]): Promise<void> {
    const { disk, folder } = this.options;
    const file = await disk.open(segment.files.gone, 'any');
    try {
      await file.write(notesOfGone(segment.number, keys), segment.noted);
      await file.flush();
      // The name of the file has to be on the disk as well.
      if (!segment.isNotedSafely) await disk.flushFolder(folder);
      segment.isNotedSafely = true;
      segment.noted += keys.length * goneLength;
    } finally {
      await file.close();
    }
  }

  /** Deletes a segment of which all has left; one that is damaged is set aside. */
  async #drop(segment: Segment): Promise<void> {
    const { disk, folder } = this.options;
    const { records, damaged, index, gone } = segment.files;
    if (segment.isDamaged) await disk.rename(records, damaged).catch(unlessAbsent);
    else await disk.remove(records);
    // Before the notes are deleted: without them it would be sent again.
    await disk.flushFolder(folder);
    this.#segments.delete(segment.number);
    this.#bytes -= segment.size;
    // What is left of these is deleted at the next start.
    for (const path of [index, gone]) await disk.remove(path).catch(() => undefined);
  }

  /**
   * Reads records, each a whole one, or `undefined` where it is damaged, which is logged. Rejects with the error of the
   * disk.
   */
  async read(places: readonly Place[]): Promise<(Buffer | undefined)[]> {
    const records = places.map((place) => this.#recent.get(place));
    if (!records.includes(undefined)) return records;
    for (const { segment, start, end, members } of runsOf(places)) {
      const bytes = await this.#readPart(segment, start, end - start);
      for (const { place, index } of members) {
        const record = bytes.subarray(place.offset - start, place.offset - start + place.length);
        if (isWhole(record)) records[index] = record;
      }
    }
    return records;
  }

  async #readPart(segment: number, offset: number, length: number): Promise<Buffer> {
    const { disk, folder } = this.options;
    try {
      const file = await disk.open(new SegmentFiles(folder, segment).records, 'read');
      try {
        return await file.read(length, offset);
      } finally {
        await file.close();
      }
    } catch (error) {
      // Somebody has deleted it: what was in it is lost, and nothing waits for it.
      if (isAbsent(error)) return Buffer.alloc(0);
      throw error;
    }
  }

  /** A record could not be read back: its segment is set aside when the rest of it has gone out. */
  damaged({ segment: number, offset }: Place): void {
    const segment = this.#segments.get(number);
    if (!segment) return;
    segment.isDamaged = true;
    const { records, damaged } = segment.files;
    this.options.tell.warn(
      `A message in ${records}, at ${offset}, is damaged and cannot be sent. The file is ${damaged} when the rest of it has gone out.`
    );
  }

  /** Writes what is to be written, and closes the files. */
  async close(): Promise<void> {
    await this.#writing;
    this.#isClosed = true;
    this.#notTidy?.();
    const active = this.#active;
    if (active) this.#seal(active);
    await Promise.all(this.#works);
    this.#tidy();
    await this.#tidying;
  }
}

/** The number of the segment that a file belongs to; 0 if it belongs to none. */
const numberIn = (name: string): number => Number(/^(\d{12})\./.exec(name)?.[1] ?? 0);

function unlessAbsent(error: unknown): void {
  if (!isAbsent(error)) throw error;
}
