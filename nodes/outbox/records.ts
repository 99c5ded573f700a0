/**
 * Records of a segment: twelve bytes of a mark, the length and the CRC-32 of what follows, then a message with its requests.
 * The mark is what reading goes on with behind a place that is damaged.
 */
import { checksum } from './checksum';

const mark = 0x9d4e5142;
export const headLength = 12;
/** Before the JSON: the number of the first entry, when it was kept, and the length of the list of entries. */
const fixedLength = 20;

/** A request of a message to one target. */
export interface Entry {
  target: string;
  region: string;
  /** The FIFO group, whose entries go one after the other. */
  group?: string | undefined;
  /** As the service counts them for a batch. */
  bytes: number;
}

/** What the store knows of a record without its requests and its message. */
export interface RecordHead {
  /** The number of the first entry; the others follow. */
  id: number;
  /** Ms since 1970. */
  keptAt: number;
  entries: readonly Entry[];
}

/** The whole record: requests and message as text. */
export interface Kept extends RecordHead {
  requests: readonly string[];
  message: string;
}

type Row = [target: string, region: string, bytes: number, length: number, group?: string];

/** About how many bytes a record will have. */
export const sizeOf = ({ entries, requests, message }: Kept): number =>
  requests.reduce(
    (sum, request) => sum + Buffer.byteLength(request),
    Buffer.byteLength(message) + 100 * entries.length
  );

/** The request of an entry. Throws if there is none: each entry has one. */
function requestAt(requests: readonly string[], index: number): string {
  const request = requests[index];
  if (request === undefined) throw new RangeError(`A record has no request ${index}.`);
  return request;
}

/** The bytes of a record. */
export function encode({ id, keptAt, entries, requests, message }: Kept): Buffer {
  const rows = entries.map(({ target, region, bytes, group }, index): Row => {
    const length = Buffer.byteLength(requestAt(requests, index));
    return group === undefined ? [target, region, bytes, length] : [target, region, bytes, length, group];
  });
  const list = JSON.stringify(rows);
  const texts = [list, ...requests, message];
  const length = texts.reduce((sum, text) => sum + Buffer.byteLength(text), fixedLength);
  const record = Buffer.allocUnsafe(headLength + length);
  record.writeUInt32LE(mark, 0);
  record.writeUInt32LE(length, 4);
  record.writeDoubleLE(id, headLength);
  record.writeDoubleLE(keptAt, headLength + 8);
  record.writeUInt32LE(Buffer.byteLength(list), headLength + 16);
  let at = headLength + fixedLength;
  for (const text of texts) at += record.write(text, at);
  record.writeUInt32LE(checksum(record.subarray(headLength)), 8);
  return record;
}

function rowsOf(record: Buffer): { rows: Row[]; end: number } {
  const begin = headLength + fixedLength;
  const end = begin + record.readUInt32LE(headLength + 16);
  const rows: Row[] = JSON.parse(record.toString('utf8', begin, end));
  return { rows, end };
}

function headOf(record: Buffer, rows: Row[]): RecordHead {
  return {
    id: record.readDoubleLE(headLength),
    keptAt: record.readDoubleLE(headLength + 8),
    entries: rows.map(([target, region, bytes, , group]) => ({ target, region, bytes, group }))
  };
}

/** The content of a record that is whole. */
export function decode(record: Buffer): Kept {
  const { rows, end } = rowsOf(record);
  let at = end;
  const requests = rows.map(([, , , length]) => {
    const text = record.toString('utf8', at, at + length);
    at += length;
    return text;
  });
  return { ...headOf(record, rows), requests, message: record.toString('utf8', at) };
}

/** What one of the entries of a whole record needs: the requests of the others, which may be a hundred times that, are left out. */
export function decodeEntry(record: Buffer, member: number): Pick<Kept, 'keptAt' | 'message'> & { request: string } {
  const { rows, end } = rowsOf(record);
  const row = rows[member];
  if (row === undefined) throw new RangeError(`A record has no request ${member}.`);
  const lengthOfRows = (some: readonly Row[]) => some.reduce((sum, [, , , length]) => sum + length, 0);
  const start = end + lengthOfRows(rows.slice(0, member));
  return {
    keptAt: record.readDoubleLE(headLength + 8),
    request: record.toString('utf8', start, start + row[3]),
    message: record.toString('utf8', end + lengthOfRows(rows))
  };
}

/** A whole record without requests and message. */
export const decodeHead = (record: Buffer): RecordHead => headOf(record, rowsOf(record).rows);

/** How long the record is that begins with these bytes; `undefined` where none begins. */
export function lengthOf(bytes: Buffer, at = 0): number | undefined {
  if (bytes.length - at < headLength || bytes.readUInt32LE(at) !== mark) return undefined;
  return headLength + bytes.readUInt32LE(at + 4);
}

/** Whether these bytes are a whole record. */
export const isWhole = (record: Buffer): boolean =>
  lengthOf(record) === record.length &&
  record.length > headLength + fixedLength &&
  record.readUInt32LE(8) === checksum(record.subarray(headLength));

const markBytes = Buffer.alloc(4);
markBytes.writeUInt32LE(mark, 0);

/** Where the next mark is; -1 if there is none. */
export const nextMark = (bytes: Buffer, from: number): number => bytes.indexOf(markBytes, from);
