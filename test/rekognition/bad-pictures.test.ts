/**
 * Pictures that are none, files that are no files, and names that lead elsewhere, as tables: what cannot be used ends in
 * one clear error before anything is sent, and what is only strange is made safe.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { createCanvas } from 'canvas';
import fc from 'fast-check';
import { drawPicture, people } from '../../local-aws/rekognition/drawings';
import { pictureFrom } from '../../nodes/rekognition/picture';
import { fileNameOf, timestamp } from '../../nodes/rekognition/save';
import { account, assertFailed, credentials, detectNode, elsewhere, indexFaceNode, useBench } from '../aws';
import type { Message, Outcome } from '../node-red';
import { sink } from '../node-red';

interface Row {
  bad: string;
  /** What is in the place of the picture; a function where it has to be made when the test runs. */
  image?: unknown;
  /** Properties of the nodes. */
  node?: Record<string, unknown>;
  /** More members of the message. */
  msg?: Message;
  /** Rows about pictures are for both nodes, others for the one that has the field. */
  only?: 'detect' | 'index';
  /** The error's name and text. */
  says: RegExp;
  /** Needs another user than root. */
  asUser?: true;
}

const bench = useBench();
let folder = '';
const inFolder = (name: string) => join(folder, name);
const isRoot = process.getuid?.() === 0;

/** A picture with enough in it that its pixels fill most of the file. */
function colourful(width: number, height: number) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  for (let stripe = 0; stripe < width; stripe += 4) {
    context.fillStyle = `hsl(${(stripe * 7) % 360}, 80%, ${30 + ((stripe * 3) % 50)}%)`;
    context.fillRect(stripe, (stripe * 5) % height, 4, height);
  }
  return canvas;
}

const jpeg = colourful(200, 120).encodeSync('jpeg');
const png = colourful(200, 120).encodeSync('png');

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** A PNG that says how large it is, and has next to no pixels. */
function pngOf(width: number, height: number, pixels: Buffer = deflateSync(Buffer.alloc(64))): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  return Buffer.concat([
    png.subarray(0, 8),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0))
  ]);
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** A JPEG that says how large it is, and has no pixels. */
function jpegOf(width: number, height: number): Buffer {
  const frame = Buffer.from([8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  const scan = Buffer.from([1, 1, 0, 0, 63, 0]);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    segment(0xc0, frame),
    segment(0xda, scan),
    Buffer.from([0x55, 0xff, 0xd9])
  ]);
}

/** A JPEG with a segment put in front of all others. */
const jpegWith = (marker: number, data: Buffer, picture = jpeg): Buffer =>
  Buffer.concat([picture.subarray(0, 2), segment(marker, data), picture.subarray(2)]);

const exif = (data: Buffer) => jpegWith(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), data]));

/** Properties as the texts of errors name them. */
const labelled = (names: string): string =>
  names
    .replace('annotate', 'Draw boxes \\(annotate\\)')
    .replace('saveFolder', 'Save in folder \\(saveFolder\\)')
    .replace('skipUnchanged', 'Skip if unchanged \\(skipUnchanged\\)')
    .replace('identify', 'Look for \\(operation\\)');

const cutOff =
  /^InvalidValue: Picture(?: or folder)? \(image\) is (?:cut off: its end is missing|a broken picture: its structure)/;

/** Where the pixels of a JPEG begin. */
function pixelsOf(bytes: Buffer): number {
  let at = 2;
  while (bytes[at + 1] !== 0xda) at += 2 + bytes.readUInt16BE(at + 2);
  return at + 2 + bytes.readUInt16BE(at + 2);
}

const isNoPicture = (what: string) =>
  new RegExp(
    `^InvalidValue: Picture(?: or folder)? \\(image\\) must be a JPEG or PNG picture, but is ${what}[^.]*\\.$`
  );

const truncated: Row[] = [
  ...[3, 4, 5, 20, 100, pixelsOf(jpeg) - 14, pixelsOf(jpeg) - 10, pixelsOf(jpeg) - 1].map((length) => ({
    bad: `a JPEG that ends after ${length} of ${jpeg.length} bytes, before its pixels`,
    image: jpeg.subarray(0, length),
    says: cutOff
  })),
  ...[8, 12, 16, 24, 32, 33, 40, Math.floor(png.length / 2), png.length - 12, png.length - 4, png.length - 1].map(
    (length) => ({
      bad: `a PNG that ends after ${length} of ${png.length} bytes`,
      image: png.subarray(0, length),
      says: cutOff
    })
  ),
  {
    bad: 'a JPEG that ends within its thumbnail',
    image: jpegWith(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), jpeg])).subarray(0, jpeg.length - 50),
    says: cutOff
  },
  {
    bad: 'a JPEG whose segment is longer than the file',
    image: Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe0, 0xff, 0xff]), jpeg.subarray(2)]),
    says: cutOff
  },
  { bad: 'a JPEG of filling only', image: Buffer.alloc(100_000, 0xff).fill(0xd8, 1, 2), says: cutOff },
  {
    bad: 'a PNG without pixels',
    image: Buffer.concat([png.subarray(0, 33), chunk('IEND', Buffer.alloc(0))]),
    says: cutOff
  },
  {
    bad: 'a PNG whose chunk is longer than the file',
    image: Buffer.concat([png.subarray(0, 33), Buffer.from([0xff, 0xff, 0xff, 0xff]), png.subarray(37)]),
    says: cutOff
  },
  { bad: 'a PNG of zeros', image: Buffer.concat([png.subarray(0, 8), Buffer.alloc(5000)]), says: cutOff }
];

const sizes: Row[] = [
  {
    bad: 'an empty Buffer',
    image: Buffer.alloc(0),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty: it has 0 bytes\.$/
  },
  {
    bad: 'a PNG of 10,000 × 10,000',
    image: pngOf(10_000, 10_000),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 megapixels, but has 10000 × 10000/
  },
  {
    bad: 'a JPEG of 10,000 × 10,000',
    image: jpegOf(10_000, 10_000),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 megapixels, but has 10000 × 10000/
  },
  {
    bad: 'a JPEG of 70,000 segments',
    image: Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.alloc(280_000, Buffer.from([0xff, 0xfe, 0, 2])),
      jpeg.subarray(2)
    ]),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is a broken picture/
  },
  {
    bad: 'a PNG with 9 MB of text in it',
    image: Buffer.concat([png.subarray(0, 33), chunk('tEXt', Buffer.alloc(9_000_000, 'a')), png.subarray(33)]),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 8 MiB beside its pixels, but has 9000013 bytes/
  },
  {
    bad: 'a JPEG of 65,535 × 65,535',
    image: jpegOf(65_535, 65_535),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 megapixels/
  },
  {
    bad: 'a PNG of 4,294,967,295 × 4,294,967,295',
    image: pngOf(0xffffffff, 0xffffffff),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 megapixels/
  },
  {
    bad: 'a PNG of 70,000 × 900, for which a JPEG with boxes has no room,',
    image: pngOf(70_000, 900),
    node: { operation: 'text', annotate: 'jpeg' },
    only: 'detect',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) .*70000 × 900/
  },
  {
    bad: 'a JPEG of 0 × 0',
    image: jpegOf(0, 0),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is a broken picture/
  },
  {
    bad: 'a JPEG without a height',
    image: jpegOf(640, 0),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is a broken picture/
  },
  {
    bad: 'a PNG of 0 × 0',
    image: pngOf(0, 0),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is a broken picture/
  },
  {
    bad: 'a JPEG that is 79 pixels high',
    image: createCanvas(200, 79).encodeSync('jpeg'),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be at least 80 pixels wide and high, but has 200 × 79\.$/
  },
  {
    bad: 'a PNG that is 79 pixels wide',
    image: createCanvas(79, 200).encodeSync('png'),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be at least 80 pixels wide and high, but has 79 × 200\.$/
  },
  {
    bad: 'a PNG of 1 × 1',
    image: createCanvas(1, 1).encodeSync('png'),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be at least 80/
  },
  {
    bad: 'a picture of 60,000 × 100, which is too small once it is scaled down,',
    image: () => createCanvas(60_000, 100).encodeSync('jpeg'),
    only: 'detect',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be at least 80 pixels wide and high, but has 60000 × 100, of which the longer side may have at most 10000\.$/
  },
  {
    bad: 'a file of 65 MiB',
    image: () => {
      writeFileSync(inFolder('large.jpg'), jpeg);
      truncateSync(inFolder('large.jpg'), 65 * 1024 * 1024);
      return inFolder('large.jpg');
    },
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 MiB, but has 68157440 bytes\.$/
  },
  {
    bad: 'a Buffer of 65 MiB',
    image: () => Buffer.concat([jpeg, Buffer.alloc(65 * 1024 * 1024)]),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at most 64 MiB/
  }
];

const bmp = Buffer.concat([Buffer.from('BM'), Buffer.from([1, 2, 3, 0, 0, 0, 0, 0]), Buffer.alloc(100)]);
const others: [what: string, bytes: Buffer, says: string][] = [
  ['a GIF', Buffer.from('GIF89a\x01\0\x01\0'), 'a GIF'],
  ['a WebP', Buffer.from('RIFF\x10\0\0\0WEBPVP8 '), 'a WebP picture'],
  ['a BMP', bmp, 'a BMP'],
  ['a little-endian TIFF', Buffer.from('II*\0\x08\0\0\0'), 'a TIFF'],
  ['a big-endian TIFF', Buffer.from('MM\0*\0\0\0\x08'), 'a TIFF'],
  ['an iPhone’s HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0'), 'an AVIF or HEIC picture, or a video'],
  ['an AVIF', Buffer.from('\0\0\0\x1cftypavif\0\0\0\0'), 'an AVIF or HEIC picture, or a video'],
  ['an MP4', Buffer.from('\0\0\0\x20ftypisom\0\0\0\0'), 'an AVIF or HEIC picture, or a video'],
  ['a PDF', Buffer.from('%PDF-1.7\n'), 'a PDF'],
  ['a page of HTML', Buffer.from('<!DOCTYPE html><title>Sign in</title>'), 'a web page or SVG'],
  ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'a web page or SVG'],
  ['JSON', Buffer.from('{"error":"no signal"}'), 'JSON'],
  ['a JPEG without its first byte', jpeg.subarray(1), 'something else'],
  ['zeros', Buffer.alloc(10_000), 'something else'],
  ['text', Buffer.from('not a picture'), 'something else']
];

const foreign: Row[] = [
  ...others.map(([what, image, says]) => ({ bad: `${what} as a Buffer`, image, says: isNoPicture(says) })),
  ...others.slice(8, 12).map(([what, bytes, says]) => ({
    bad: `${what} in a file called picture.jpg`,
    image: () => {
      writeFileSync(inFolder('picture.jpg'), bytes);
      return inFolder('picture.jpg');
    },
    says: isNoPicture(says)
  })),
  ...others.slice(0, 6).map(([what, bytes, says]) => ({
    bad: `${what} as a data URL that claims to be a JPEG`,
    image: `data:image/jpeg;base64,${bytes.toString('base64')}`,
    says: isNoPicture(says)
  })),
  { bad: 'base64 of a GIF', image: others[0]?.[1].toString('base64'), says: isNoPicture('a GIF') },
  { bad: 'base64 of a PDF', image: others[8]?.[1].toString('base64'), says: isNoPicture('a PDF') },
  { bad: 'base64 of a WebP', image: others[1]?.[1].toString('base64'), says: isNoPicture('a WebP picture') }
];

const isNone = /^InvalidValue: Picture(?: or folder)? \(image\) must be a JPEG or PNG picture: a Buffer, .*, but is /;
const wrongTypes: Row[] = Object.entries({
  'a number': 7,
  NaN: Number.NaN,
  true: true,
  null: null,
  'an array of bytes': [...jpeg.subarray(0, 10)],
  'an empty object': {},
  'a date': new Date(),
  'a bigint': 7n,
  'a symbol': Symbol('picture'),
  'a function': () => jpeg,
  'an array of Buffers': [jpeg],
  'floats that are a picture': new Float32Array(100),
  "{type: 'Buffer', data: 'x'}": { type: 'Buffer', data: 'x' },
  "{type: 'Buffer'}": { type: 'Buffer' },
  "{type: 'Blob', data: […]}": { type: 'Blob', data: [...jpeg] },
  'an HTTP answer': { statusCode: 200, payload: jpeg },
  'something with a null prototype': Object.create(null) as object
}).map(([what, image]) => ({ bad: what, image, says: isNone }));

const fromJson: Row[] = [
  {
    bad: "{type: 'Buffer', data: []}",
    image: { type: 'Buffer', data: [] },
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty/
  },
  {
    bad: "{type: 'Buffer'} of what are no bytes",
    image: { type: 'Buffer', data: ['x', null, {}, -1, 1e9, Number.NaN] },
    says: isNoPicture('something else')
  }
];

const bucket =
  /^InvalidValue: Picture(?: or folder)? \(image\) must name an S3 bucket, 3 to 255 letters, digits and \. - _, but names /;
const key =
  /^InvalidValue: Picture(?: or folder)? \(image\) must name the key of an S3 object, 1 to 1024 bytes, but names /;
const stored = { Bucket: 'nimbus-pictures', Name: 'porch.jpg' };
const inS3: Row[] = [
  { bad: 's3:// alone', image: 's3://', says: bucket },
  { bad: 's3:// without a key', image: 's3://nimbus-pictures', says: bucket },
  { bad: 's3:// with an empty key', image: 's3://nimbus-pictures/', says: key },
  { bad: 's3:// without a bucket', image: 's3:///porch.jpg', says: bucket },
  { bad: 's3:// with a bucket of two letters', image: 's3://ab/porch.jpg', says: bucket },
  { bad: 's3:// with a blank in the bucket', image: 's3://my bucket/porch.jpg', says: bucket },
  { bad: 's3:// with a line break in the bucket', image: 's3://my\nbucket/porch.jpg', says: bucket },
  { bad: 's3:// with a password', image: 's3://user:hunter2@bucket/porch.jpg', says: bucket },
  { bad: 's3:// with a key of 1025 bytes', image: `s3://nimbus-pictures/${'ü'.repeat(513)}`, says: key },
  ...[null, undefined, 'porch.jpg', 7, [], {}, ['nimbus-pictures', 'porch.jpg']].map((S3Object) => ({
    bad: `an S3Object that is ${JSON.stringify(S3Object) ?? 'undefined'}`,
    image: { S3Object },
    says: bucket
  })),
  { bad: 'an S3Object without a name', image: { S3Object: { Bucket: 'nimbus-pictures' } }, says: key },
  {
    bad: 'an S3Object with a bucket that is a number',
    image: { S3Object: { ...stored, Bucket: 12345 } },
    says: bucket
  },
  { bad: 'an S3Object with a name that is a list', image: { S3Object: { ...stored, Name: ['porch.jpg'] } }, says: key },
  { bad: 'an S3Object with an empty name', image: { S3Object: { ...stored, Name: '' } }, says: key },
  {
    bad: 'an S3Object with a version that is a number',
    image: { S3Object: { ...stored, Version: 3 } },
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must name the version of an S3 object as text, but names 3\.$/
  },
  ...Object.entries({
    annotate: { annotate: 'jpeg' },
    'annotate, saveFolder': { annotate: 'png', saveFolder: '/tmp' },
    saveFolder: { saveFolder: '/tmp' },
    skipUnchanged: { skipUnchanged: 1 },
    identify: { operation: 'identify', collection: 'friends' },
    'annotate, saveFolder, skipUnchanged, identify': {
      operation: 'identify',
      collection: 'friends',
      annotate: 'jpeg',
      saveFolder: '/tmp',
      skipUnchanged: 5
    }
  }).map(([needs, node]) => ({
    bad: `${needs} for a picture that stays in S3`,
    image: 's3://nimbus-pictures/porch.jpg',
    node,
    only: 'detect' as const,
    says: new RegExp(
      `^InvalidValue: ${labelled(needs)}: the picture itself is needed, but it is in S3, where it stays\\.$`
    )
  })),
  {
    bad: 'annotate for an S3Object',
    image: { S3Object: stored },
    node: { annotate: 'png' },
    only: 'detect',
    says: /^InvalidValue: Draw boxes \(annotate\): the picture itself is needed/
  }
];

const dataUrl =
  /^InvalidValue: Picture(?: or folder)? \(image\) must be a data URL with base64, such as data:image\/jpeg;base64,…$/;
const texts: Row[] = [
  {
    bad: 'no picture at all',
    image: undefined,
    says: /^MissingValue: Picture(?: or folder)? \(image\) is required, but msg\.payload has no value/
  },
  {
    bad: 'empty text',
    image: '',
    says: /^MissingValue: Picture(?: or folder)? \(image\) is required, but is empty\.$/
  },
  {
    bad: 'a data URL without data',
    image: 'data:image/png;base64,',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty/
  },
  { bad: 'a data URL without a comma', image: 'data:image/png;base64', says: dataUrl },
  { bad: 'a data URL that is not base64', image: 'data:image/png,%89PNG', says: dataUrl },
  { bad: 'a data URL of nothing', image: 'data:', says: dataUrl },
  {
    bad: 'a data URL of what is no base64',
    image: 'data:image/png;base64,%%%%<<<>>>',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty/
  },
  {
    bad: 'a data URL that is cut off',
    image: `data:image/png;base64,${png.toString('base64', 0, 99)}`,
    says: cutOff
  },
  { bad: 'base64 that is cut off', image: png.toString('base64').slice(0, -40), says: cutOff },
  { bad: 'base64 of nothing but a beginning', image: '/9j/4AAQ', says: cutOff },
  {
    bad: 'base64 of text',
    image: Buffer.from('not a picture').toString('base64'),
    says: /^InvalidValue: Picture(?: or folder)? \(image\): ".*bm90IGEgcGljdHVyZQ==" cannot be read: there is no such file(?: or folder)?\.$/
  },
  {
    bad: 'long base64 of something else',
    image: Buffer.alloc(9000, 7).toString('base64'),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be a JPEG or PNG picture: .*, but is other text\.$/
  },
  {
    bad: 'text in lines',
    image: 'one\ntwo',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be a JPEG or PNG picture: .*, but is other text\.$/
  },
  {
    bad: 'text of a hundred million characters',
    image: () => 'x'.repeat(1e8),
    says: /^InvalidValue: Picture(?: or folder)? \(image\) may have at/
  },
  { bad: 'a data URL in capitals', image: 'DATA:IMAGE/PNG;BASE64', says: dataUrl }
];

const noFile =
  /^InvalidValue: Picture(?: or folder)? \(image\): ".*"?…? cannot be read: there is no such file(?: or folder)?\.$/;
const paths: Row[] = [
  { bad: 'a file that is missing', image: () => inFolder('missing.jpg'), says: noFile },
  { bad: 'a file below a file', image: () => join(__filename, 'picture.jpg'), says: noFile },
  { bad: 'a relative path that climbs out', image: '../../../../../../../nimbus/picture.jpg', says: noFile },
  {
    bad: 'a web address',
    image: 'http://camera.local/picture.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\)/
  },
  {
    bad: 'a web address with a password',
    image: 'http://me:hunter2@camera.local/1.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\)/
  },
  {
    bad: 'the address of a stream with a password',
    image: 'rtsp://me:hunter2@camera.local/1',
    says: /^InvalidValue: Picture(?: or folder)? \(image\)/
  },
  {
    bad: 'a file URL with a password',
    image: 'file://me:hunter2@camera.local/1.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\)/
  },
  {
    bad: 'a folder',
    image: () => folder,
    only: 'detect',
    says: /^InvalidValue: Picture(?: or folder)? \(image\): ".*" is a folder\.$/
  },
  {
    bad: 'an empty folder',
    image: () => folder,
    only: 'index',
    says: /^PartialFailure: Nothing was indexed: there is no/
  },
  {
    bad: 'a device without an end',
    image: '/dev/zero',
    says: /^InvalidValue: Picture(?: or folder)? \(image\): "\/dev\/zero" is no file\.$/
  },
  {
    bad: 'a device without a beginning',
    image: '/dev/null',
    says: /^InvalidValue: Picture(?: or folder)? \(image\): "\/dev\/null" is no file\.$/
  },
  {
    bad: 'a pipe into which nobody writes',
    image: () => {
      execFileSync('mkfifo', [inFolder('pipe.jpg')]);
      return inFolder('pipe.jpg');
    },
    says: /^InvalidValue: Picture(?: or folder)? \(image\): ".*" is no file\.$/
  },
  {
    bad: 'a file of the kernel',
    image: '/proc/self/status',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty/
  },
  {
    bad: 'an empty file',
    image: () => {
      writeFileSync(inFolder('empty.png'), '');
      return inFolder('empty.png');
    },
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is empty: it has 0 bytes\.$/
  },
  {
    bad: 'a link to itself',
    image: () => {
      symlinkSync('circle.jpg', inFolder('circle.jpg'));
      return inFolder('circle.jpg');
    },
    says: /^InvalidValue: Picture(?: or folder)? \(image\): ".*" cannot be read: its links lead in a circle\.$/
  },
  {
    bad: 'a link to a file that is missing',
    image: () => {
      symlinkSync('nowhere', inFolder('nothing.jpg'));
      return inFolder('nothing.jpg');
    },
    says: noFile
  },
  {
    bad: 'a file that may not be read',
    image: () => {
      writeFileSync(inFolder('secret.jpg'), jpeg, { mode: 0 });
      return inFolder('secret.jpg');
    },
    asUser: true,
    says: /^InvalidValue: Picture(?: or folder)? \(image\): ".*" cannot be read: Node-RED may not read it\.$/
  },
  {
    bad: 'a path with a NUL',
    image: 'a\0.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be .*, but is other text\.$/
  },
  {
    bad: 'a path of 4,097 characters',
    image: `${'./'.repeat(2046)}x.jpg`,
    says: /^InvalidValue: Picture(?: or folder)? \(image\) must be .* other text/
  },
  {
    bad: 'a path of 4,096 characters, of which most have two bytes',
    image: `/${'ü'.repeat(4091)}.jpg`,
    says: /^InvalidValue: Picture(?: or folder)? \(image\): .* cannot be read: the path is too long\.$/
  },
  {
    bad: 'a path with a name of 300 characters',
    image: `/tmp/${'x'.repeat(300)}.jpg`,
    says: /^InvalidValue: Picture(?: or folder)? \(image\): .* cannot be read: the path is too long\.$/
  },
  {
    bad: 'a file URL with a slash in code',
    image: 'file:///tmp/a%2Fb.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is not a valid file/
  },
  {
    bad: 'a file URL that is broken',
    image: 'file://%',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is not a valid file URL/
  },
  {
    bad: 'a file URL with a NUL in code',
    image: 'file:///tmp/a%00b.jpg',
    says: /^InvalidValue: Picture(?: or folder)? \(image\)/
  },
  { bad: 'a file URL of a missing file', image: () => `${pathToFileURL(inFolder('no.jpg'))}`, says: noFile }
];

/** On Windows each of them would sign in to another machine, or open a device. */
const remote: Row[] = [
  ...elsewhere,
  'file://stranger.example/share/1.jpg',
  'FILE://stranger.example/1.jpg',
  'file:\\\\stranger.example\\share\\1.jpg',
  'file:////stranger.example/share/1.jpg',
  'file:///%5C%5Cstranger.example/share/1.jpg',
  'file:/%5cstranger.example/share/1.jpg'
].map((image) => ({
  bad: `the path of another machine, ${image},`,
  image,
  says: /^InvalidValue: Picture(?: or folder)? \(image\) must be a path on this machine, but (?!.*stranger)/
}));

/** Pictures whose pixels are broken are found out where they are decoded. */
const pixels: Row[] = [
  {
    bad: 'a JPEG with a good structure and no pixels',
    image: jpegOf(640, 480),
    node: { skipUnchanged: 5 },
    only: 'detect',
    says: /^InvalidValue: Picture(?: or folder)? \(image\) is a broken picture: it cannot be decoded\.$/
  }
];

/** One row for each value that a field does not take. */
const fieldRows = (
  field: string,
  values: unknown[],
  says: RegExp,
  { only = 'detect', ...node }: Record<string, unknown> & Pick<Row, 'only'> = {}
): Row[] =>
  values.map((value) => ({
    bad: `${field} ${shown(value)}`,
    node: { ...node, [field]: 'bad', [`${field}Type`]: 'msg' },
    msg: { bad: value },
    only,
    says
  }));

function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'function' || typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

const noNumber = ['high', 'NaN', {}, [], [50], true, Number.NaN, Number.POSITIVE_INFINITY, -0.001, 100.001, '101', ' '];
const numbers: Row[] = [
  ...fieldRows('confidence', noNumber, /^InvalidValue: Confidence must be a number from 0 to 100, but is /),
  ...fieldRows('similarity', noNumber, /^InvalidValue: Similarity must be a number from 0 to 100, but is /, {
    operation: 'identify',
    collection: 'friends'
  }),
  ...fieldRows(
    'skipUnchanged',
    noNumber,
    /^InvalidValue: Skip if unchanged \(skipUnchanged\) must be a number from 0 to 100, but is /
  ),
  ...fieldRows(
    'maxLabels',
    ['many', {}, [], 0, -1, 1.5, 1001, Number.NaN],
    /^InvalidValue: Maximum labels \(maxLabels\) must be a whole number from 1 to 1000, but is /
  )
];

const noTargets = /^InvalidValue: Targets must be a list/;
const noRoi =
  /^InvalidValue: Region of interest \(roi\) must (?:be \{left, top, width, height\} in fractions|lie within the picture)/;
const noAttributes = /^InvalidValue: Attributes must be (?:of ALL, DEFAULT, |a list)/;
const noEquipment =
  /^InvalidValue: Required equipment \(required\) (?:must be of face_cover, hand_cover, head_cover, but has|may be at most 10000)/;
const noCollection = /^InvalidValue: Face collection \(collection\) must be (?:the ID of a collection|text)/;
const collections = ['two words', 'ü', '../friends', 'a:b', 'x'.repeat(256), 'friends\n', 7, {}, ['friends']];
const half = { left: 0.5, top: 0.5, width: 0.5, height: 0.5 };

const fields: Row[] = [
  ...fieldRows('targets', [7, true, {}, ' ', { name: ' ' }, [7], [''], [null], [[]], [{}], [{ name: '' }]], noTargets),
  ...fieldRows('targets', [['person', { nme: 'car' }], [{ name: 7 }], [Buffer.from('person')]], noTargets),
  ...fieldRows('targets', [{ nme: 'car' }, { name: 7 }, Buffer.from('person')], noTargets),
  ...fieldRows(
    'targets',
    ['70', -1, 101, Number.NaN, {}, true].map((confidence) => [{ name: 'person', confidence }]),
    /^InvalidValue: Targets: the confidence of "person" must be from 0 to 100, but is /
  ),
  ...fieldRows('roi', [7, true, [], {}, 'half', '[0, 0, 1, 1]', [0, 0, 1, 1], { left: 0, top: 0 }], noRoi),
  ...fieldRows(
    'roi',
    [
      { ...half, left: -0.1 },
      { ...half, left: 0.6 },
      { ...half, height: 0.6 },
      { ...half, width: 0 },
      { ...half, height: '0.5' },
      { ...half, top: Number.NaN },
      { left: 10, top: 10, width: 200, height: 100 },
      { Left: 0, Top: 0, Width: 1, Height: 1 }
    ],
    noRoi
  ),
  ...fieldRows('attributes', ['BEAUTY', 7, {}, [7], ['ALL', ''], [null], [['ALL']], 'ALL;DEFAULT'], noAttributes, {
    operation: 'faces'
  }),
  ...fieldRows('attributes', ['BEAUTY', 7, {}, [7]], noAttributes, { only: 'index' }),
  ...fieldRows(
    'required',
    ['helmet', 7, true, {}, [7], [null], [['head_cover']], ['head_cover', ''], 'head_cover;face_cover', '__proto__'],
    noEquipment,
    { operation: 'protectiveEquipment' }
  ),
  ...fieldRows('required', [Array(10_001).fill('head_cover')], noEquipment, { operation: 'protectiveEquipment' }),
  ...fieldRows('collection', collections, noCollection, { operation: 'identify' }),
  ...fieldRows('collection', collections, noCollection, { only: 'index' }),
  ...fieldRows('collection', ['', undefined], /^MissingValue: Face collection \(collection\) is required, but /, {
    operation: 'identify'
  }),
  ...fieldRows('collection', ['', undefined], /^MissingValue: Face collection \(collection\) is required, but /, {
    only: 'index'
  }),
  ...fieldRows('imageId', ['', undefined], /^MissingValue: Whose face \(imageId\) is required, but /, {
    only: 'index'
  }),
  ...fieldRows('imageId', [{}, ['Ada'], true, null], /^InvalidValue: Whose face \(imageId\) must be text, but is /, {
    only: 'index'
  }),
  ...fieldRows(
    'imageId',
    ['\ud83d', 'Ada \udc00'],
    /^InvalidValue: Whose face \(imageId\) must be text, but holds half of a /,
    { only: 'index' }
  ),
  ...fieldRows(
    'imageId',
    ['x'.repeat(256), 'x'.repeat(5000), 'ü'.repeat(43), '花'.repeat(29)],
    /^InvalidValue: Whose face \(imageId\) may have at most 255 characters as the service stores it, .*, but has (?:256|5000|258|261)\.$/,
    { only: 'index' }
  ),
  ...fieldRows('source', [{}, ['porch'], true], /^InvalidValue: Source must be text, but is /),
  ...fieldRows(
    'saveFolder',
    [{}, 7, ['/tmp'], true],
    /^InvalidValue: Save in folder \(saveFolder\) must be text, but is /
  ),
  ...['Labels', 'everything', '__proto__', 'toString'].map((operation) => ({
    bad: `operation ${operation}`,
    node: { operation },
    only: 'detect' as const,
    says: /^InvalidValue: Look for \(operation\) must be one of labels, faces, identify, text, .*, but is "/
  })),
  ...['gif', 'JPEG', true].map((annotate) => ({
    bad: `annotate ${annotate}`,
    node: { annotate },
    only: 'detect' as const,
    says: /^InvalidValue: Draw boxes \(annotate\) must be one of none, jpeg, png, but is /
  })),
  ...['auto', 'BEST', 7].map((quality) => ({
    bad: `quality ${quality}`,
    node: { quality },
    only: 'index' as const,
    says: /^InvalidValue: Minimum quality \(quality\) must be one of AUTO, NONE, LOW, MEDIUM, HIGH, but is /
  })),
  {
    bad: 'saveTimestamp perhaps',
    node: { saveFolder: '/tmp', saveTimestamp: 'perhaps' },
    only: 'detect',
    says: /^InvalidValue: Keep dated copies \(saveTimestamp\) must be true or false, but is "perhaps"\.$/
  }
];

const codes = new RegExp(`\\b(?:${Object.keys(constants.errno).join('|')}|ERR_\\w+)\\b`);

/** Whether a text can be read by somebody who does not know the code. */
function assertReadable(text: string): void {
  assert.match(text, /^[^\n\r]{20,400}[^.?!][.…)]$/u, `not one sentence: ${text}`);
  assert.doesNotMatch(text, /\[object/, 'words');
  assert.doesNotMatch(text, codes, `no words, but a code: ${text}`);
  assert.doesNotMatch(text, /hunter2/, `a password: ${text}`);
}

async function rekognitionRequests(): Promise<string[]> {
  const requests = await bench.aws.requests();
  return requests.filter(({ service }) => service === 'rekognition').map(({ operation }) => operation);
}

async function judge(outcome: Outcome, row: Row, payload: unknown): Promise<void> {
  const { error, done, sent, statuses, msg } = outcome;
  assert.equal(done, 1);
  assert.deepEqual(sent, []);
  assert.match(`${error?.code}: ${error?.message}`, row.says);
  assert.equal(error?.name, error?.code);
  assertReadable(String(error?.message));
  assertFailed(statuses.at(-1), error);
  assert.equal(msg.payload, payload);
  assert.deepEqual(await rekognitionRequests(), []);
}

const detect = (properties: Record<string, unknown>) => detectNode({ source: 'camera', ...properties });
const index = (properties: Record<string, unknown>) => indexFaceNode({ collection: 'friends', ...properties });

/** Deploys both nodes with an account that does not hold requests back. */
async function deploy(node: Record<string, unknown> = {}): Promise<void> {
  const nodes = [
    account(bench, { rekognitionRate: 0 }),
    detect(node),
    index(node),
    detect({ id: 'good' }),
    sink('out')
  ];
  await bench.red.deploy(nodes, { credentials: credentials() });
}

async function check(row: Row): Promise<void> {
  await deploy(row.node);
  const image = row.image instanceof Function && row.bad !== 'a function' ? (row.image as () => unknown)() : row.image;
  const payload = 'image' in row ? image : jpeg;
  const before = Buffer.isBuffer(payload) ? Buffer.from(payload) : undefined;
  for (const id of row.only ? [row.only] : ['detect', 'index']) {
    const outcome = await bench.red.send(id, { topic: 'Ada', ...row.msg, payload });
    await judge(outcome, row, payload);
    if (before) assert.ok(before.equals(payload as Buffer), 'the bytes are as they were');
  }
  const good = await bench.red.send('good', { payload: jpeg });
  assert.equal(good.error, undefined);
  assert.equal(good.sent.length, 1);
}

/** The result of a message that went on. */
function resultOf<Result>({ error, done, sent }: Outcome): Result {
  assert.equal(error?.message, undefined);
  assert.equal(done, 1);
  assert.equal(sent.length, 1);
  return sent[0]?.payload as Result;
}

/** Growth of this process, in MiB, while something is done. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  await work();
  clearInterval(watch);
  return (Math.max(most, process.memoryUsage().rss) - before) / 1024 / 1024;
}

beforeEach(() => {
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), 'nimbus-pictures-'))), 'pictures');
  mkdirSync(folder);
});
afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

describe('a bad picture', () => {
  const groups = {
    truncated,
    sizes,
    foreign,
    wrongTypes,
    fromJson,
    inS3,
    texts,
    paths,
    remote,
    pixels,
    numbers,
    fields
  };
  for (const [name, rows] of Object.entries(groups)) {
    describe(name, () => {
      for (const row of rows) {
        it(`${row.bad} ends in one clear error before anything is sent, and the next picture passes`, async function () {
          if (row.asUser && isRoot) {
            console.log('      not possible as root, who may read and write everything');
            return this.skip();
          }
          return check(row);
        });
      }
    });
  }

  it('that ends anywhere is found out', () => {
    const withThumbnail = exif(jpeg);
    for (const whole of [jpeg, png, withThumbnail]) {
      assert.equal(pictureFrom(whole, 'image').width, 200);
      // Of a JPEG that has lost some of its pixels, decoders and the service show the rest.
      const needed = whole === png ? whole.length : pixelsOf(whole);
      for (let length = 0; length < whole.length; length += length < 1000 || whole.length - length < 50 ? 1 : 7) {
        const look = () => pictureFrom(whole.subarray(0, length), 'image');
        if (length >= needed) assert.equal(look().width, 200);
        else assert.throws(look, { name: 'InvalidValue' }, `${length}`);
      }
    }
  });

  it('with any byte changed has a size or a clear error', () => {
    const outcomes = new Set<string>();
    for (const whole of [jpeg, png, exif(Buffer.alloc(300, 0x49))]) {
      for (let at = 0; at < Math.min(whole.length, 1500); at += 1) {
        for (const value of [0, 0xff, (whole[at] as number) ^ 0x80]) {
          const bytes = Buffer.from(whole);
          bytes[at] = value;
          try {
            const { width, height } = pictureFrom(bytes, 'image');
            assert.ok(width > 0 && height > 0 && width * height <= 64e6);
          } catch (error) {
            assert.equal((error as Error).name, 'InvalidValue');
            outcomes.add((error as Error).message.replace(/\d+/g, '…'));
          }
        }
      }
    }
    for (const text of outcomes) assertReadable(text);
  });

  it('that claims to be huge costs no memory', async () => {
    await deploy({ annotate: 'jpeg', skipUnchanged: 5 });
    const huge = [pngOf(10_000, 10_000), jpegOf(10_000, 10_000), pngOf(100_000, 100_000), jpegOf(65_535, 65_535)];
    const sendAll = async () => {
      const outcomes = await bench.red.sendMany(
        'detect',
        Array.from({ length: 200 }, (_, number) => ({ payload: huge[number % huge.length] }))
      );
      for (const { error } of outcomes)
        assert.match(String(error?.message), /^Picture(?: or folder)? \(image\) may have at most 64 megapixels/);
    };
    await sendAll();
    // The first one's pixels would need 400.
    assert.ok((await growth(sendAll)) < 100);
    assert.deepEqual(await rekognitionRequests(), []);
  });

  it('is no longer held when its message has ended', async () => {
    await deploy();
    const open = () => readdirSync('/proc/self/fd').length;
    if (!existsSync('/proc/self/fd')) return;
    writeFileSync(inFolder('broken.jpg'), jpeg.subarray(0, 99));
    const sendAll = () =>
      bench.red.sendMany(
        'detect',
        Array.from({ length: 50 }, (_, number) => ({ payload: number % 2 ? inFolder('broken.jpg') : folder }))
      );
    await sendAll();
    const before = open();
    await sendAll();
    assert.equal(open(), before, 'files that are open');
  });

  it('whose pixels only the service finds broken ends in its error', async () => {
    await deploy();
    const { error, done } = await bench.red.send('detect', { payload: jpegOf(640, 480) });
    assert.equal(done, 1);
    assert.equal(error?.name, 'InvalidImageFormatException');
    assertReadable(String(error?.message));
    assert.equal((await bench.red.send('good', { payload: jpeg })).error, undefined);
  });
});

describe('a picture that is strange, but good,', () => {
  const turned = Buffer.from('49492a0008000000010012010300010000000600000000000000', 'hex');
  const strange: Record<string, () => unknown> = {
    'with EXIF data of nothing': () => exif(Buffer.alloc(0)),
    'with EXIF data of text': () => exif(Buffer.from('not EXIF data at all')),
    'with EXIF data of zeros': () => exif(Buffer.alloc(5000)),
    'with EXIF data of ones': () => exif(Buffer.alloc(60_000, 0xff)),
    'with EXIF data whose directory is elsewhere': () => exif(Buffer.from('49492a00ffffff7f', 'hex')),
    'with EXIF data whose directory is endless': () => exif(Buffer.from('49492a0008000000ffff', 'hex')),
    'with EXIF data whose directory begins in itself': () => exif(Buffer.from('4d4d002a00000000', 'hex')),
    'with an orientation that does not exist': () =>
      exif(Buffer.from(turned.toString('hex').replace('0600', 'ffff'), 'hex')),
    'with a thumbnail': () => exif(jpeg),
    'with a comment of 65,533 bytes': () => jpegWith(0xfe, Buffer.alloc(65_533, 0x20)),
    'with zeros behind its end': () => Buffer.concat([jpeg, Buffer.alloc(4096)]),
    'with a line break behind its end': () => Buffer.concat([jpeg, Buffer.from('\r\n')]),
    'with a film behind its end, as phones add it,': () =>
      Buffer.concat([jpeg, Buffer.from('\0\0\0\x18ftypmp42'), Buffer.from([0x12, 0xff, 0xda, 0x34, 0x56])]),
    'without its last two bytes': () => jpeg.subarray(0, -2),
    'without half of its pixels': () => jpeg.subarray(0, pixelsOf(jpeg) + Math.floor(jpeg.length / 3)),
    'with a thumbnail, and without its last pixels,': () =>
      jpegWith(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), jpeg])).subarray(0, -50),
    'with 608 zeros behind a comment': () =>
      Buffer.concat([jpeg.subarray(0, 20), segment(0xfe, Buffer.from('camera')), Buffer.alloc(608), jpeg.subarray(20)]),
    'with a segment that has no length': () =>
      Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe0, 0, 0]), jpeg.subarray(2)]),
    'with an orientation of type LONG': () =>
      exif(Buffer.from('49492a0008000000010012010400010000000600000000000000', 'hex')),
    'with filling in front of a marker': () =>
      Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(5, 0xff), jpeg.subarray(2)]),
    'that is a PNG with something behind its end': () => Buffer.concat([png, Buffer.alloc(100, 1)]),
    'in a part of a larger Buffer': () => Buffer.concat([Buffer.alloc(77), jpeg, Buffer.alloc(77)]).subarray(77, -77),
    'as a Uint8Array': () => new Uint8Array(jpeg),
    'as an ArrayBuffer': () => new Uint8Array(jpeg).buffer,
    'as a Buffer that was JSON': () => JSON.parse(JSON.stringify(jpeg)) as unknown,
    'as a data URL of another kind': () => `data:text/plain;charset=utf-8;base64,${jpeg.toString('base64')}`,
    'as a data URL in capitals': () => `DATA:IMAGE/JPEG;BASE64,${jpeg.toString('base64')}`,
    'as base64 in lines': () => jpeg.toString('base64').replace(/.{76}/g, '$&\r\n'),
    'as base64url': () => png.toString('base64url'),
    'as base64 with blanks around it': () => `\n  ${png.toString('base64')}\n`,
    'in a file that is called .txt': () => {
      writeFileSync(inFolder('picture.txt'), jpeg);
      return inFolder('picture.txt');
    },
    'in a file with a hostile name': () => {
      writeFileSync(inFolder('a b%20#?\\\u202e“ü”\u0007.jpg'), jpeg);
      return inFolder('a b%20#?\\\u202e“ü”\u0007.jpg');
    },
    'at a file URL with a hostile name': () => {
      writeFileSync(inFolder('a b%20#?.jpg'), jpeg);
      return `${pathToFileURL(inFolder('a b%20#?.jpg'))}`;
    },
    'behind a link': () => {
      writeFileSync(inFolder('real'), jpeg);
      symlinkSync('real', inFolder('link'));
      return inFolder('link');
    }
  };
  for (const [what, make] of Object.entries(strange)) {
    it(`${what} is taken`, async () => {
      await deploy({ annotate: 'jpeg' });
      const outcome = await bench.red.send('detect', { payload: make() });
      const { image } = resultOf<{ image: unknown }>(outcome);
      assert.deepEqual(image, { width: 200, height: 120 });
      assert.ok(Buffer.isBuffer(outcome.sent[0]?.image));
    });
  }

  for (const [width, height] of [
    [10_100, 100],
    [30_000, 250],
    [40_000, 330]
  ] as const) {
    it(`${width} pixels wide and ${height} high is scaled down for its labels, and drawn on as it is`, async () => {
      await deploy({ annotate: 'jpeg' });
      const outcome = await bench.red.send('detect', { payload: createCanvas(width, height).encodeSync('jpeg') });
      const { image } = resultOf<{ image: unknown }>(outcome);
      assert.deepEqual(image, { width, height });
      const { width: drawn } = pictureFrom(outcome.sent[0]?.image as Buffer, 'image');
      assert.equal(drawn, width);
    });
  }
});

describe('a strange name', () => {
  /** A source, and how its files begin. */
  /** Where it is no name of a file itself, a mark follows. */
  const sources: [source: unknown, stem: string, mark?: 'marked'][] = [
    ['porch', 'porch'],
    ['Front door 2', 'Front door 2'],
    ['../../etc/passwd', '__.._etc_passwd', 'marked'],
    ['/etc/passwd', '_etc_passwd', 'marked'],
    ['a/b\\c', 'a_b_c', 'marked'],
    ['..', '_', 'marked'],
    ['.', '_', 'marked'],
    ['...', '_', 'marked'],
    ['.hidden', '_hidden', 'marked'],
    ['CON', '_CON', 'marked'],
    ['nul', '_nul', 'marked'],
    ['CON.porch', '_CON.porch', 'marked'],
    ['console', 'console'],
    ['COM1', '_COM1', 'marked'],
    ['C:\\Windows', 'C_Windows', 'marked'],
    ['porch\0.exe', 'porch_.exe', 'marked'],
    ['a\nb\tc\x07d', 'a_b_c_d', 'marked'],
    ['a\u202egpj.exe', 'a_gpj.exe', 'marked'],
    ['a\u200bb\ufeffc', 'a_b_c', 'marked'],
    ['🚪', '_', 'marked'],
    ['door 🚪', 'door _', 'marked'],
    ['玄関', '玄関'],
    ['الباب', 'الباب'],
    ['Türe', 'Türe'],
    ['Tu\u0308re', 'Türe'],
    ['e\u0301\u0302\u0303', '\u00e9\u0302\u0303'],
    ['\u0301', '\u0301'],
    ['ก็', 'ก็'],
    ['x'.repeat(5000), 'x'.repeat(167), 'marked'],
    ['ü'.repeat(5000), 'ü'.repeat(83), 'marked'],
    ['😀'.repeat(5000), '_', 'marked'],
    ['\ud83d', '_', 'marked'],
    ['%2e%2e%2f', '_2e_2e_2f', 'marked'],
    ['$(reboot)', '_reboot_', 'marked'],
    ['<img src=x>', '_img src_x_', 'marked'],
    ['   ', '_', 'marked'],
    ['', 'Camera'],
    [null, 'Camera'],
    [7, '7'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['-rf', '-rf']
  ];
  const scene = { things: [{ kind: 'car', box: { left: 0.3, top: 0.4, width: 0.4, height: 0.3 } }] } as const;
  const car = drawPicture(scene, { width: 320, height: 240, format: 'jpeg' });

  interface Saved {
    source: string;
    count: number;
    saved: { latest: string; timestamped: string; error?: { name: string; message: string } };
  }

  const saving = (more: Record<string, unknown> = {}) => ({
    name: 'Camera',
    source: 'source',
    sourceType: 'msg',
    saveFolder: folder,
    saveTimestamp: true,
    ...more
  });

  async function saveFrom(source: unknown, more: Record<string, unknown> = {}): Promise<Saved> {
    await deploy(saving(more));
    return resultOf(await bench.red.send('detect', { payload: car, source }));
  }

  /** A file that is a whole JPEG, and no link. */
  function assertPicture(path: string): void {
    assert.ok(lstatSync(path).isFile(), path);
    assert.deepEqual(pictureFrom(readFileSync(path), 'image').width, 320);
  }

  for (const [source, stem, mark] of sources) {
    it(`${shown(source)} of a camera makes files in the folder that can be read`, async () => {
      const { saved, count } = await saveFrom(source);
      assert.ok(count > 0);
      for (const path of [saved.latest, saved.timestamped]) {
        assert.equal(dirname(path), folder);
        assert.ok(Buffer.byteLength(basename(path)) <= 255);
        assert.match(basename(path), /^[\p{L}\p{M}\p{N} ._-]+$/u);
        assertPicture(path);
      }
      const [name] = /^.*(?=_latest\.jpg$)/su.exec(basename(saved.latest)) ?? [''];
      assert.equal(mark ? name.replace(/_[0-9a-f]{12}$/, '') : name, stem);
      assert.equal(name !== stem, mark !== undefined);
      assert.match(basename(saved.timestamped).slice(name.length), /^_\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d\.jpg$/);
      assert.deepEqual(
        readdirSync(folder).sort(),
        [saved.latest, saved.timestamped].map((path) => basename(path)).sort()
      );
      assert.deepEqual(readdirSync(dirname(folder)), ['pictures']);
    });
  }

  for (const alike of [
    ['cams/front/1', 'cams_front_1', 'cams:front:1', 'cams/front_1'],
    ['cam?', 'cam*', 'cam_'],
    ['👍', '👎', '👍🏽', '👍🏿', '_'],
    ['\ud83d', '\ud83e', '\ufffd'],
    ['CON', '_CON'],
    ['.hidden', '_hidden', ' hidden'],
    ['..', '.', '', '_'],
    [`${'x'.repeat(180)}1`, `${'x'.repeat(180)}2`, 'x'.repeat(180)],
    ['ü'.repeat(500), 'ü'.repeat(501), 'ü'.repeat(90)]
  ]) {
    it(`have files of their own: ${shown(alike)}`, () => {
      const names = alike.map(fileNameOf);
      // A source may be called like another one's file.
      const more = names.filter((name) => !alike.includes(name)).map(fileNameOf);
      assert.equal(new Set([...names, ...more]).size, names.length + more.length, names.join());
    });
  }

  it('has files of its own, whatever others are called', () => {
    const unit = fc.constantFrom(...'/\\:?*_ .a0', '👍', '👎', '\ud83d', '\ud83e', 'x'.repeat(60));
    const names = fc.uniqueArray(fc.string({ unit, maxLength: 5 }), { maxLength: 200 });
    fc.assert(
      fc.property(names, (all) => {
        const files = all.map(fileNameOf);
        assert.equal(new Set(files).size, all.length, JSON.stringify([all, files]));
      })
    );
  });

  it('is in the result as it came', async () => {
    const { source } = await saveFrom('../🚪/\u202eporch');
    assert.equal(source, '../🚪/\u202eporch');
  });

  it('of a target is a name in the summary', async () => {
    const targets = JSON.stringify(['__proto__', 'constructor', 'CAR']);
    await deploy({ targets, targetsType: 'json', skipUnchanged: 1 });
    const { msg } = await bench.red.send('detect', { payload: car });
    // The message itself: of a copy, Node-RED leaves `__proto__` out.
    const { summary } = msg.payload as { summary: object };
    assert.deepEqual(Object.entries(summary), [
      ['__proto__', 0],
      ['constructor', 0],
      ['CAR', 1]
    ]);
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });

  describe('in the folder', () => {
    /** Something outside that must stay as it is. */
    const outside = () => join(dirname(folder), 'outside.txt');
    beforeEach(() => writeFileSync(outside(), 'untouched'));
    const assertUntouched = () => assert.equal(readFileSync(outside(), 'utf8'), 'untouched');

    it('that is a link is replaced; what it leads to is not touched', async () => {
      symlinkSync(outside(), inFolder('porch_latest.jpg'));
      const { saved } = await saveFrom('porch');
      assertPicture(saved.latest);
      assertUntouched();
    });

    it('that is a link to nothing is replaced', async () => {
      symlinkSync('../nothing.txt', inFolder('porch_latest.jpg'));
      const { saved } = await saveFrom('porch');
      assertPicture(saved.latest);
      assert.deepEqual(readdirSync(dirname(folder)).sort(), ['outside.txt', 'pictures']);
    });

    for (const target of ['outside.txt', 'nothing.txt']) {
      it(`that is a link to ${target} with the time in its name is not followed`, async () => {
        await deploy(saving());
        const soon = Array.from(
          { length: 20 },
          (_, second) => `porch_${timestamp(new Date(Date.now() + second * 1000))}.jpg`
        );
        for (const name of soon) symlinkSync(`../${target}`, inFolder(name));
        const { saved } = resultOf<Saved>(await bench.red.send('detect', { payload: car, source: 'porch' }));
        assert.match(saved.timestamped, /_1\.jpg$/);
        assertPicture(saved.timestamped);
        assertUntouched();
        assert.deepEqual(readdirSync(dirname(folder)).sort(), ['outside.txt', 'pictures']);
      });
    }

    it('that leads to a folder elsewhere is a folder like others', async () => {
      mkdirSync(join(dirname(folder), 'disk'));
      symlinkSync('../disk', inFolder('link'));
      const { saved } = await saveFrom('porch', { saveFolder: inFolder('link') });
      assertPicture(join(dirname(folder), 'disk', basename(saved.latest)));
    });

    it('with .. in its path is the folder that this means', async () => {
      mkdirSync(inFolder('below'));
      const { saved } = await saveFrom('porch', { saveFolder: `${folder}/below/..//./below/../` });
      assert.equal(dirname(saved.latest), folder);
      assertPicture(saved.latest);
    });

    /** What cannot be saved is said in the log and in the result, which goes on. */
    async function assertNotSaved(more: Record<string, unknown>, says: RegExp): Promise<void> {
      const { saved, count } = await saveFrom('porch', more);
      assert.ok(count > 0);
      assert.equal(saved.error?.name, 'InvalidValue');
      assert.match(String(saved.error?.message), says);
      assertReadable(String(saved.error?.message));
      const logged = bench.red.logs.filter(({ level, id }) => level === 'error' && id === 'detect');
      assert.deepEqual(
        logged.map(({ text }) => text),
        [`InvalidValue: ${saved.error?.message}`]
      );
    }

    it('that has a folder in the place of the latest picture: the result says so, and nothing is lost', async () => {
      mkdirSync(inFolder('porch_latest.jpg'));
      await assertNotSaved({}, /^Save in folder \(saveFolder\): the picture was not saved in ".*"…?: /);
      assert.deepEqual(readdirSync(folder), ['porch_latest.jpg']);
      assert.ok(lstatSync(inFolder('porch_latest.jpg')).isDirectory());
    });

    it('that has a full folder in the place of the latest picture: the result says so, and nothing is lost', async () => {
      mkdirSync(inFolder('porch_latest.jpg'));
      writeFileSync(inFolder('porch_latest.jpg/kept'), 'x');
      await assertNotSaved({}, /^Save in folder \(saveFolder\): the picture was not saved in /);
      assert.deepEqual(readdirSync(inFolder('porch_latest.jpg')), ['kept']);
      assert.deepEqual(readdirSync(folder), ['porch_latest.jpg']);
    });

    it('that is a file', async () => {
      await assertNotSaved({ saveFolder: outside() }, /: it is no folder\.$/);
      assertUntouched();
    });

    it('that is below a file', async () => {
      await assertNotSaved({ saveFolder: `${outside()}/pictures` }, /: it is no folder\.$/);
    });

    it('that does not exist', async () => {
      await assertNotSaved({ saveFolder: inFolder('missing') }, /: there is no such folder\.$/);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('that is a link to itself', async () => {
      symlinkSync('circle', inFolder('circle'));
      await assertNotSaved(
        { saveFolder: inFolder('circle') },
        /^Save in folder \(saveFolder\): the picture was not saved in /
      );
    });

    it('with a NUL', async () => {
      await assertNotSaved(
        { saveFolder: `${folder}/a\0b` },
        /^Save in folder \(saveFolder\): the picture was not saved in /
      );
    });

    it('of 5000 characters', async () => {
      await assertNotSaved({ saveFolder: `/${'x'.repeat(5000)}` }, /: the path is too long\.$/);
    });

    it('in which Node-RED may not write', async function () {
      if (isRoot) {
        console.log('        not possible as root, who may read and write everything');
        return this.skip();
      }
      chmodSync(folder, 0o555);
      await assertNotSaved({}, /: Node-RED may not write there\.$/);
      chmodSync(folder, 0o755);
    });
  });

  describe('to teach', () => {
    const who = { things: [{ kind: 'face', who: people.anna, box: { left: 0.3, top: 0.2, width: 0.4, height: 0.6 } }] };
    const face = drawPicture(who as never, { width: 320, height: 240, format: 'jpeg' });
    const ids: [given: unknown, used: string][] = [
      ['Ada', 'Ada'],
      ['Ada Lovelace', 'Ada:20Lovelace'],
      ['../../etc/passwd', '..:2F..:2Fetc:2Fpasswd'],
      ['a/b\\c', 'a:2Fb:5Cc'],
      ['..', '..'],
      ['.', '.'],
      ['CON', 'CON'],
      ['a:b.c-d_e', 'a:3Ab.c-d_e'],
      ['a\0b', 'a:00b'],
      ['a\r\nX-Evil: 1', 'a:0D:0AX-Evil:3A:201'],
      ['a\u202eb', 'a:E2:80:AEb'],
      ['😀', ':F0:9F:98:80'],
      ['花子', ':E8:8A:B1:E5:AD:90'],
      ['أمينة', ':D8:A3:D9:85:D9:8A:D9:86:D8:A9'],
      ['Zoë', 'Zo:C3:AB'],
      ['e\u0301', 'e:CC:81'],
      ['x'.repeat(255), 'x'.repeat(255)],
      ['ü'.repeat(42), ':C3:BC'.repeat(42)],
      ['__proto__', '__proto__'],
      ['   ', ':20:20:20'],
      [7, '7']
    ];
    for (const [given, used] of ids) {
      it(`${shown(given)} is taught as ${used.slice(0, 40)}, and the result says so`, async () => {
        await deploy();
        const { imageId, externalImageId } = resultOf<{ imageId: string; externalImageId: string }>(
          await bench.red.send('index', { payload: face, topic: given as string })
        );
        assert.deepEqual([imageId, externalImageId], [String(given), used]);
        const taught = (await bench.aws.requests()).filter(({ operation }) => operation === 'IndexFaces').at(-1);
        assert.equal(taught?.status, 200);
        assert.equal(taught?.input.ExternalImageId, used);
      });
    }
  });
});
