import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Semaphore } from '../action/parallel';
import { bytesIn } from '../fields/bytes';
import { invalid, isActionError, missing } from '../fields/errors';
import { show } from '../fields/fields';
import type { Size } from './jpeg';
import { jpegSize } from './jpeg';

/** A JPEG or PNG whose structure has been checked; it has not been decoded. */
export interface Picture {
  readonly bytes: Buffer;
  readonly kind: 'jpeg' | 'png';
  /** Pixels, after turning the picture by its EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/** A picture in S3, which Rekognition reads itself. */
export interface StoredPicture {
  readonly S3Object: { Bucket: string; Name: string; Version?: string };
}

/** The most bytes and pixels of a picture. While it is drawn on, each pixel takes 8 bytes of memory. */
const mostBytes = 64 * 1024 * 1024;
const mostPixels = 64_000_000;
/** The most characters of a picture as text. */
const longestText = Math.ceil(mostBytes * 1.4);
/** The most pixels of a side: JPEGs cannot have more. */
const longestSide = 65_500;
/** The most bytes of a PNG beside its pixels: the decoder takes a second for 8 MB of text, and a minute for 30. */
const mostBeside = 8 * 1024 * 1024;

/** The most chunks of a PNG: each takes time on the main thread. Programs write a dozen, or one for 8 KB. */
const mostChunks = 65_536;

const is = 'a JPEG or PNG picture: a Buffer, a data URL, base64 text, a file path, s3://bucket/key or {S3Object}';

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

/** A picture from a message, or text: the picture itself, or the path of its file. */
export type ImageSource = string | Picture | StoredPicture;

/**
 * Checks and copies a picture when its message arrives, since the flow may change its Buffer later. A file is read, and text
 * decoded, later, since text cannot change. Throws `MissingValue` or `InvalidValue`.
 */
export function takeImage(value: unknown, name: string, typed = false): ImageSource {
  if (typeof value !== 'string') return readObject(value, name);
  if (!typed) needLocal(value, name);
  return takeText(value, name);
}

/** Checks text as far as that takes no file and no decoding. */
function takeText(text: string, name: string): ImageSource {
  if (text === '') throw missing(name, 'is required, but is empty.');
  if (text.length > longestText) {
    throw invalid(name, `may have at most ${longestText} characters, but has ${text.length}.`);
  }
  if (/^s3:\/\//i.test(text)) return storedAt(text, name);
  // Not quoted, since the address of a camera may contain its password.
  if (/^(?!file:)[a-z][a-z\d+.-]*:\/\//i.test(text)) {
    throw invalid(name, `must be ${is}, but is a web address: get the picture with an http request node.`);
  }
  if (/^data:/i.test(text) && !/;base64$/i.test(text.slice(0, Math.max(0, text.indexOf(','))))) {
    throw invalid(name, 'must be a data URL with base64, such as data:image/jpeg;base64,…');
  }
  return text;
}

/** The most characters of a path. */
const longestPath = 4096;

/** Two slashes or backslashes at the beginning: the share of another machine, or a device. */
const elsewhere = /^(?:[\\/]|%5c|%2f){2}/i;

function isElsewhere(path: string): boolean {
  if (!/^file:/i.test(path)) return elsewhere.test(path);
  // A longer one is not a path, which is reported later.
  if (path.length > longestPath || !URL.canParse(path)) return false;
  const { host, pathname } = new URL(path);
  return host !== '' || elsewhere.test(pathname);
}

/**
 * Throws `InvalidValue`, which does not quote the path, for a path on another machine: Windows would sign in there with the
 * name and password of its user. Only those who edit the node may name such a path.
 */
export function needLocal(path: string, name: string): void {
  if (isElsewhere(path)) {
    const is = 'a path on this machine, but begins as those of other machines and devices do';
    throw invalid(name, `must be ${is}, which count only where they stand in the node itself.`);
  }
}

/**
 * Reads the picture from its source. Relative paths begin at `folder`; `sought` is what a path may lead to, for errors.
 * Rejects with `InvalidValue`.
 */
export async function readImage(
  value: ImageSource,
  name: string,
  folder: string,
  sought = 'file'
): Promise<Picture | StoredPicture> {
  if (typeof value !== 'string') return value;
  return pictureFrom(decodeText(value) ?? (await readFile(pathOf(value, name, folder), name, sought)), name);
}

/** The absolute path for a text that is a path or a file URL. Throws `InvalidValue`. */
export function pathOf(value: string, name: string, folder: string): string {
  if (value.includes('\0') || value.length > longestPath || value.includes('\n')) {
    throw invalid(name, `must be ${is}, but is other text.`);
  }
  try {
    const path = resolvePath(folder, /^file:/i.test(value) ? fileURLToPath(value) : value);
    if (!path.includes('\0')) return path;
  } catch {
    // Reported below.
  }
  throw invalid(name, `is not a valid file URL: ${show(value)}.`);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function readObject(value: unknown, name: string): Picture | StoredPicture {
  const bytes = bytesIn(value);
  if (bytes) return copyOf(bytes, name);
  if (isObject(value) && 'S3Object' in value) return storedIn(value.S3Object, name);
  // The JSON of a Buffer, as after MQTT.
  if (isObject(value) && value.type === 'Buffer' && Array.isArray(value.data) && value.data.length <= mostBytes) {
    return pictureFrom(Buffer.from(value.data), name);
  }
  throw invalid(name, `must be ${is}, but is ${show(value)}.`);
}

function copyOf(bytes: Buffer, name: string): Picture {
  const picture = pictureFrom(bytes, name);
  return { ...picture, bytes: Buffer.from(bytes) };
}

function storedAt(url: string, name: string): StoredPicture {
  const [, bucket, key] = /^s3:\/\/([^/]*)\/(.*)$/is.exec(url) ?? [];
  return storedIn({ Bucket: bucket, Name: key }, name);
}

function storedIn(given: unknown, name: string): StoredPicture {
  const { Bucket, Name, Version } = isObject(given) ? given : {};
  if (typeof Bucket !== 'string' || !/^[\w.-]{3,255}$/.test(Bucket)) {
    throw invalid(
      name,
      `must name an S3 bucket, 3 to 255 letters, digits and . - _, but names ${show(Bucket).replace(/^".*@/, '"***@')}.`
    );
  }
  if (typeof Name !== 'string' || Name === '' || Buffer.byteLength(Name) > 1024) {
    throw invalid(name, `must name the key of an S3 object, 1 to 1024 bytes, but names ${show(Name)}.`);
  }
  if (Version === undefined || Version === null || Version === '') return { S3Object: { Bucket, Name } };
  if (typeof Version !== 'string' || Version.length > 1024) {
    throw invalid(name, `must name the version of an S3 object as text, but names ${show(Version)}.`);
  }
  return { S3Object: { Bucket, Name, Version } };
}

/** The bytes of a picture as a data URL or base64; `undefined` for text that may be a path. */
function decodeText(text: string): Buffer | undefined {
  if (/^data:/i.test(text)) return Buffer.from(text.slice(text.indexOf(',') + 1), 'base64');
  // JPEGs begin with /9j/4 in base64, PNGs with iVBORw0KGgo. Paths could begin like this, but hardly do.
  const head = Buffer.from(text.slice(0, 64), 'base64');
  return pictureKind(head) || /^(?:R0lGOD|UklGR|JVBERi0)/.test(text.trimStart())
    ? Buffer.from(text, 'base64')
    : undefined;
}

/** Texts for the codes of errors about files. */
const fileProblems: Record<string, string> = {
  EACCES: 'Node-RED may not read it',
  EPERM: 'Node-RED may not read it',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its links lead in a circle'
};

/** Why a file cannot be read, for the text of an error. */
export const fileProblem = (error: unknown, sought = 'file'): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no such ${sought}`;
  return fileProblems[code] ?? (code || message);
};

/** Limits how many files are read at the same time, as Node.js does: each is in memory before it counts in a backlog. */
const reading = new Semaphore(4);

/** Reads a regular file, but never a device or pipe, which may be endless. Rejects with `InvalidValue`. */
export const readFile = (path: string, name: string, sought?: string): Promise<Buffer> =>
  reading.take(() => readNow(path, name, sought));

async function readNow(path: string, name: string, sought?: string): Promise<Buffer> {
  try {
    // O_NONBLOCK, since opening a pipe would wait for a writer. Windows has neither the flag nor such pipes.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw invalid(name, `: ${show(path)} is ${stats.isDirectory() ? 'a folder' : 'no file'}.`);
      checkBytes(stats.size, name);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isActionError(error)) throw error;
    throw invalid(name, `: ${show(path)} cannot be read: ${fileProblem(error, sought)}.`);
  }
}

function checkBytes(bytes: number, name: string): void {
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
  const size = kind === 'jpeg' ? jpegSize(bytes) : pngSize(bytes, name);
  if (size === 'broken') throw broken(name);
  if (size === 'cut off') throw cutOff(name);
  const { width, height } = size;
  if (width * height > mostPixels) {
    throw invalid(name, `may have at most ${mostPixels / 1e6} megapixels, but has ${width} × ${height} pixels.`);
  }
  if (Math.max(width, height) > longestSide) {
    throw invalid(name, `may have at most ${longestSide} pixels on a side, but has ${width} × ${height}.`);
  }
  return { bytes, kind, width, height };
}

const broken = (name: string) => invalid(name, 'is a broken picture: its structure is not that of its kind.');
const cutOff = (name: string) => invalid(name, 'is cut off: its end is missing, as after a broken transfer.');

/** Follows a PNG's chunks (ISO/IEC 15948) to their end. */
function pngSize(bytes: Buffer, name: string): Size {
  if (bytes.length < 33) throw cutOff(name);
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') throw broken(name);
  const size = { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (size.width === 0 || size.height === 0) throw broken(name);
  let pixels = false;
  let beside = 0;
  for (let at = 8, length = 0, chunks = 0; at + 12 <= bytes.length; at += 12 + length, chunks += 1) {
    if (chunks > mostChunks) throw broken(name);
    length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw broken(name);
    if (type === 'IDAT') pixels = true;
    else beside += length;
    if (beside > mostBeside && at + 12 + length <= bytes.length) {
      throw invalid(
        name,
        `may have at most ${mostBeside / 1024 / 1024} MiB beside its pixels, but has ${beside} bytes.`
      );
    }
    if (type === 'IEND') {
      if (!pixels) throw broken(name);
      return size;
    }
  }
  throw cutOff(name);
}
