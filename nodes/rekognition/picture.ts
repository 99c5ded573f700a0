import { invalid } from '../fields/errors';
import { jpegSize } from './jpeg';
import { mostBeside, pngSize } from './png';

/** A JPEG or PNG whose structure has been checked; it has not been decoded. */
export interface Picture {
  readonly bytes: Buffer;
  readonly kind: 'jpeg' | 'png';
  /** Pixels, after turning the picture by its EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/** The most bytes and pixels of a picture. While it is drawn on, each pixel takes 8 bytes of memory. */
export const mostBytes = 64 * 1024 * 1024;
const mostPixels = 64_000_000;
/** The most pixels of a side: JPEGs cannot have more. */
const longestSide = 65_500;

const jpegHead = Buffer.from([0xff, 0xd8, 0xff]);
const pngHead = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Files that are not supported, or that users get instead of a picture, by their beginning. */
const foreign: Array<[is: string, head: RegExp]> = [
  ['a GIF', /^GIF8/],
  ['a WebP picture', /^RIFF....WEBP/s],
  ['a BMP', /^BM.{4}\0{4}/s],
  ['a TIFF', /^(?:II\*\0|MM\0\*)/],
  ['an AVIF or HEIC picture, or a video', /^....ftyp/s],
  ['a PDF', /^%PDF/],
  ['a web page or SVG (does the camera ask for a password?)', /^\s*</],
  ['JSON (did the camera report an error?)', /^\s*\{\s*"/]
];

/** Throws `InvalidValue` for a picture of no bytes, or of too many. */
export function checkBytes(bytes: number, name: string): void {
  if (bytes > mostBytes)
    throw invalid(name, `may have at most ${mostBytes / 1024 / 1024} MiB, but has ${bytes} bytes.`);
  if (bytes === 0) throw invalid(name, 'is empty: it has 0 bytes.');
}

/** The kind of a picture by its content, since file names and media types are often wrong. */
export function pictureKind(bytes: Buffer): Picture['kind'] | undefined {
  if (bytes.subarray(0, 3).equals(jpegHead)) return 'jpeg';
  return bytes.subarray(0, 8).equals(pngHead) ? 'png' : undefined;
}

/** Checks the structure of a picture and reads its size without decoding it. Throws `InvalidValue`. */
export function pictureFrom(bytes: Buffer, name: string): Picture {
  checkBytes(bytes.length, name);
  const kind = pictureKind(bytes);
  if (!kind) {
    const head = bytes.toString('latin1', 0, 64);
    const found = foreign.find(([, pattern]) => pattern.test(head))?.[0] ?? 'something else';
    throw invalid(name, `must be a JPEG or PNG picture, but is ${found}.`);
  }
  const size = kind === 'jpeg' ? jpegSize(bytes) : pngSize(bytes);
  if (size === 'broken') throw invalid(name, 'is a broken picture: its structure is not that of its kind.');
  if (size === 'cut off') throw invalid(name, 'is cut off: its end is missing, as after a broken transfer.');
  if ('beside' in size)
    throw invalid(
      name,
      `may have at most ${mostBeside / 1024 / 1024} MiB beside its pixels, but has ${size.beside} bytes.`
    );
  const { width, height } = size;
  if (width * height > mostPixels) {
    throw invalid(name, `may have at most ${mostPixels / 1e6} megapixels, but has ${width} × ${height} pixels.`);
  }
  if (Math.max(width, height) > longestSide) {
    throw invalid(name, `may have at most ${longestSide} pixels on a side, but has ${width} × ${height}.`);
  }
  return { bytes, kind, width, height };
}
