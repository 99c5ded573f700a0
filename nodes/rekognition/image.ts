import { bytesIn } from '../fields/bytes';
import { invalid, missing } from '../fields/errors';
import { show } from '../fields/fields';
import { isObject } from '../fields/json';
import { mostBytes, type Picture, pictureFrom, pictureKind } from './picture';
import { imageIs, needLocal, pathOf, readFile } from './picture-files';

/** The most characters of a picture as text. */
const longestText = Math.ceil(mostBytes * 1.4);

/** A picture in S3, which Rekognition reads itself. */
export interface StoredPicture {
  readonly S3Object: { Bucket: string; Name: string; Version?: string };
}

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
    throw invalid(name, `must be ${imageIs}, but is a web address: get the picture with an http request node.`);
  }
  if (/^data:/i.test(text) && !/;base64$/i.test(text.slice(0, Math.max(0, text.indexOf(','))))) {
    throw invalid(name, 'must be a data URL with base64, such as data:image/jpeg;base64,…');
  }
  return text;
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

function readObject(value: unknown, name: string): Picture | StoredPicture {
  const bytes = bytesIn(value);
  if (bytes) return copyOf(bytes, name);
  if (isObject(value) && 'S3Object' in value) return storedIn(value.S3Object, name);
  // The JSON of a Buffer, as after MQTT.
  if (isObject(value) && value.type === 'Buffer' && Array.isArray(value.data) && value.data.length <= mostBytes) {
    return pictureFrom(Buffer.from(value.data), name);
  }
  throw invalid(name, `must be ${imageIs}, but is ${show(value)}.`);
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
