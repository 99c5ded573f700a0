import type { Size } from './jpeg';

/** The most bytes of a PNG beside its pixels: the decoder takes a second for 8 MB of text, and a minute for 30. */
export const mostBeside = 8 * 1024 * 1024;
/** The most chunks of a PNG: each takes time on the main thread. Programs write a dozen, or one for 8 KB. */
const mostChunks = 65_536;

/** What is wrong with the structure of a PNG: `beside` is how many bytes it has beside its pixels, of which there are too many. */
type Fault = 'broken' | 'cut off' | { readonly beside: number };

/**
 * The size of a PNG. It is not decoded, but its chunks are followed to their end (ISO/IEC 15948); what is in them is not
 * checked.
 */
export function pngSize(bytes: Buffer): Size | Fault {
  if (bytes.length < 33) return 'cut off';
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') return 'broken';
  const size = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (size.width === 0 || size.height === 0) return 'broken';
  let hasPixels = false;
  let beside = 0;
  for (let at = 8, length = 0, chunks = 0; at + 12 <= bytes.length; at += 12 + length, chunks += 1) {
    length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (chunks > mostChunks || !/^[A-Za-z]{4}$/.test(type)) return 'broken';
    if (type === 'IDAT') hasPixels = true;
    else beside += length;
    if (beside > mostBeside && at + 12 + length <= bytes.length) return { beside };
    if (type === 'IEND') return hasPixels ? size : 'broken';
  }
  return 'cut off';
}
