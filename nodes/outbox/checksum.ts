import * as zlib from 'node:zlib';

/** Node.js has it from 20.15 and 22.2 on. */
const { crc32 } = zlib as { crc32?: (bytes: Buffer) => number };

const makeTable = (): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });

let table: Uint32Array | undefined;

/** The same in JavaScript. */
export function slowChecksum(bytes: Buffer): number {
  table ??= makeTable();
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    const entry = byte === undefined ? undefined : table[(sum ^ byte) & 0xff];
    if (entry === undefined) throw new RangeError('Not a byte.');
    sum = (sum >>> 8) ^ entry;
  }
  return ~sum >>> 0;
}

/** The CRC-32 of bytes. */
export const checksum: (bytes: Buffer) => number = crc32 ?? slowChecksum;
