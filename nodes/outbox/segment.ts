/** A segment of the log: one file with records, one with the numbers of its entries that have left, and an index once it is full. */
import { join } from 'node:path';
import { checksum } from './checksum';
import type { Disk, OpenFile } from './disk';
import { decodeHead, type Entry, headLength, isWhole, lengthOf, nextMark, type RecordHead } from './records';

/** Where an entry stands on the disk. */
export interface Place {
  segment: number;
  /** Of the record, bytes. */
  offset: number;
  length: number;
  /** Which entry of its record it is, from 0. */
  member: number;
  /** The part of the record's bytes that counts for it. */
  share: number;
}

/** An entry that waits. */
export interface Waiting extends Entry {
  id: number;
  keptAt: number;
  place: Place;
}

/** Bytes that are read at once. */
const pieceLength = 256 * 1024;

const digits = (segment: number): string => String(segment).padStart(12, '0');
const namePattern = /^(\d{12})\.log$/;

/** The numbers of the segments among the names of files, in their order. */
export const segmentsIn = (names: readonly string[]): number[] =>
  names
    .flatMap((name) => namePattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);

/** The files of a segment. */
export class SegmentFiles {
  readonly records: string;
  readonly index: string;
  readonly gone: string;
  /** The name that damaged records get when all readable entries have left. */
  readonly damaged: string;

  constructor(
    folder: string,
    readonly number: number
  ) {
    const path = join(folder, digits(number));
    this.records = `${path}.log`;
    this.index = `${path}.index`;
    this.gone = `${path}.gone`;
    this.damaged = `${path}.damaged`;
  }
}

/** The entries of a record that stands at a place of a segment. */
export function entriesOf(
  { id, keptAt, entries }: RecordHead,
  { segment, offset, length }: Pick<Place, 'segment' | 'offset' | 'length'>
): Waiting[] {
  const share = Math.ceil(length / entries.length);
  return entries.map((entry, member) => ({
    ...entry,
    id: id + member,
    keptAt,
    place: { segment, offset, length, member, share }
  }));
}

/** Reads a file in pieces. */
class Pieces {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(
    private readonly file: OpenFile,
    readonly size: number
  ) {}

  /** So many bytes from a position on; less at the end of the file. */
  async at(position: number, length: number): Promise<Buffer> {
    const from = position - this.#start;
    if (from < 0 || from + length > this.#bytes.length) {
      this.#bytes = await this.file.read(Math.min(Math.max(length, pieceLength), this.size - position), position);
      this.#start = position;
      return this.#bytes.subarray(0, length);
    }
    return this.#bytes.subarray(from, from + length);
  }

  /** Where the next mark of a record is, or the end of the file. */
  async nextMark(from: number): Promise<number> {
    for (let position = from; position < this.size; ) {
      const bytes = await this.at(position, Math.min(pieceLength, this.size - position));
      const found = nextMark(bytes, 0);
      if (found >= 0) return position + found;
      // A mark may begin at the end of the piece.
      if (position + bytes.length >= this.size) break;
      position += Math.max(1, bytes.length - headLength);
    }
    return this.size;
  }
}

/** A part of a segment that is no record. */
export interface Unreadable {
  from: number;
  to: number;
  /** Whether it may be a write that the end of the process has cut off, and that was never confirmed. */
  isTorn: boolean;
}

/** Bytes at the end of a file: a record that is not whole, or zeros where the disk had made room only. */
async function isTornAt(pieces: Pieces, from: number): Promise<boolean> {
  const bytes = await pieces.at(from, Math.min(pieceLength, pieces.size - from));
  const length = lengthOf(bytes);
  if (bytes.length < headLength || (length !== undefined && from + length > pieces.size)) return true;
  return bytes.every((byte) => byte === 0);
}

/** Reads the heads of all records of a segment. `unreadable` is called with each part that is no record. */
export async function* scan(
  file: OpenFile,
  segment: number,
  unreadable: (part: Unreadable) => void
): AsyncGenerator<Waiting[]> {
  const pieces = new Pieces(file, await file.size());
  let bad: number | undefined;
  for (let at = 0; at < pieces.size; ) {
    const length = lengthOf(await pieces.at(at, Math.min(headLength, pieces.size - at)));
    const record = length !== undefined && at + length <= pieces.size ? await pieces.at(at, length) : undefined;
    if (length !== undefined && record && isWhole(record)) {
      if (bad !== undefined) unreadable({ from: bad, to: at, isTorn: false });
      bad = undefined;
      yield entriesOf(decodeHead(record), { segment, offset: at, length });
      at += length;
    } else {
      bad ??= at;
      at = await pieces.nextMark(at + 1);
    }
  }
  if (bad !== undefined) unreadable({ from: bad, to: pieces.size, isTorn: await isTornAt(pieces, bad) });
}

/** The index of a segment: the heads of its records, so that Node-RED can start without reading these. */
interface Index {
  /** The bytes of the segment that count. What is behind them was never confirmed. */
  size: number;
  names: [target: string, region: string, group?: string][];
  /** Seven numbers an entry. */
  rows: number[];
}

const rowLength = 7;

/** Gathers what the index of a segment will hold. */
export class IndexMaker {
  readonly #names: Index['names'] = [];
  readonly #known = new Map<string, number>();
  readonly #rows: number[] = [];

  add({ target, region, group, id, keptAt, bytes, place }: Waiting): void {
    // Without a group there is none in JSON either: what comes back as `null` would be one.
    const names: Index['names'][number] = group === undefined ? [target, region] : [target, region, group];
    const key = JSON.stringify(names);
    const name = this.#known.get(key) ?? this.#names.push(names) - 1;
    this.#known.set(key, name);
    this.#rows.push(id, keptAt, place.offset, place.length, place.member, name, bytes);
  }

  /** What is written: a checksum and JSON. */
  toBytes(size: number): Buffer {
    const text = Buffer.from(JSON.stringify({ size, names: this.#names, rows: this.#rows } satisfies Index));
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(checksum(text));
    return Buffer.concat([sum, text]);
  }
}

/** The entries of an index; `undefined` where it is damaged, or does not fit a segment of so many bytes. */
export function entriesInIndex(bytes: Buffer, segment: number, sizeOfSegment: number): Waiting[] | undefined {
  const text = bytes.subarray(4);
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== checksum(text)) return undefined;
  const { size, names, rows }: Index = JSON.parse(text.toString());
  if (size > sizeOfSegment) return undefined;
  const members = new Map<number, number>();
  for (let at = 0; at < rows.length; at += rowLength) {
    const offset = rows[at + 2] as number;
    members.set(offset, (members.get(offset) ?? 0) + 1);
  }
  const entries: Waiting[] = [];
  for (let at = 0; at < rows.length; at += rowLength) {
    const [id, keptAt, offset, length, member, name, size] = rows.slice(at, at + rowLength) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number
    ];
    const [target, region, group] = names[name] as Index['names'][number];
    const share = Math.ceil(length / (members.get(offset) as number));
    const place = { segment, offset, length, member, share };
    entries.push({ id, keptAt, target, region, group, bytes: size, place });
  }
  return entries;
}

/** The bytes of a note that an entry has left: what it is, and a checksum, so that a torn note says nothing. */
export const goneLength = 12;

/** The key of an entry in its segment: its position, which stays the same if something before it is damaged. */
export const keyOf = ({ offset, member }: Pick<Place, 'offset' | 'member'>): number => offset * 1024 + member;

const sumBytes = Buffer.alloc(16);

function sumOfNote(segment: number, key: number): number {
  sumBytes.writeDoubleLE(segment, 0);
  sumBytes.writeDoubleLE(key, 8);
  return checksum(sumBytes);
}

/** The notes that entries of a segment have left. */
export function notesOfGone(segment: number, keys: readonly number[]): Buffer {
  const notes = Buffer.alloc(goneLength * keys.length);
  keys.forEach((key, index) => {
    notes.writeDoubleLE(key, index * goneLength);
    notes.writeUInt32LE(sumOfNote(segment, key), index * goneLength + 8);
  });
  return notes;
}

/** Which entries have left, by such notes. */
export function keysGone(notes: Buffer, segment: number): Set<number> {
  const keys = new Set<number>();
  for (let at = 0; at + goneLength <= notes.length; at += goneLength) {
    const key = notes.readDoubleLE(at);
    if (notes.readUInt32LE(at + 8) === sumOfNote(segment, key)) keys.add(key);
  }
  return keys;
}

/** All of a file; nothing where there is none. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer> {
  try {
    const file = await disk.open(path, 'read');
    try {
      return await file.read(await file.size(), 0);
    } finally {
      await file.close();
    }
  } catch {
    return Buffer.alloc(0);
  }
}
