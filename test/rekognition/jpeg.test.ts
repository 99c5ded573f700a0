/**
 * JPEGs as cameras, phones and broken transfers make them: what the decoder shows is a picture, as large and as turned as it
 * shows it; what it does not show is none.
 */
import assert from 'node:assert/strict';
import { createCanvas, Image } from 'canvas';
import fc from 'fast-check';
import { pictureFrom } from '../../nodes/rekognition/picture';

const canvas = createCanvas(48, 24);
const drawing = canvas.getContext('2d');
for (let stripe = 0; stripe < 48; stripe += 2) {
  drawing.fillStyle = `hsl(${(stripe * 37) % 360}, 80%, ${30 + ((stripe * 3) % 50)}%)`;
  drawing.fillRect(stripe, (stripe * 5) % 24, 3, 24);
}
const drawn = canvas.encodeSync('jpeg');

/** A JPEG's start, each of its segments, and its first scan with all that follows. */
function piecesOf(jpeg: Buffer): Buffer[] {
  const pieces = [jpeg.subarray(0, 2)];
  let at = 2;
  for (; jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2)) {
    pieces.push(jpeg.subarray(at, at + 2 + jpeg.readUInt16BE(at + 2)));
  }
  return [...pieces, jpeg.subarray(at)];
}

const pieces = piecesOf(drawn);
const frame = pieces.find((piece) => piece[1] === 0xc0) as Buffer;

/** A segment; its length may be a lie. */
function segment(marker: number, data: Uint8Array, length = data.length + 2): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(length, 2);
  return Buffer.concat([head, data]);
}

interface Entry {
  tag: number;
  type: number;
  count: number;
  value: number;
}

/** An EXIF block whose directories follow each other, each as if it were the only one. */
function exif({
  little,
  directories,
  offset = 8,
  entries,
  head = little ? 'II*\0' : 'MM\0*',
  sign = 'Exif\0\0'
}: Exif) {
  const short = (value: number) => Buffer.from(little ? [value & 255, value >> 8] : [value >> 8, value & 255]);
  const long = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return little ? bytes.reverse() : bytes;
  };
  const entry = ({ tag, type, count, value }: Entry) =>
    Buffer.concat([
      ...[short(tag), short(type), long(count)],
      type === 3 ? Buffer.concat([short(value), short(0)]) : long(value)
    ]);
  const directory = (all: Entry[]) =>
    Buffer.concat([short(entries ?? all.length), ...all.map((each) => entry(each)), long(0)]);
  const data = [Buffer.from(sign + head, 'latin1'), long(offset), ...directories.map((all) => directory(all))];
  return Buffer.concat(data);
}

interface Exif {
  little: boolean;
  directories: Entry[][];
  /** Where the first directory is, if not where it should be. */
  offset?: number | undefined;
  /** How many entries each directory says it has, if not as many as it has. */
  entries?: number | undefined;
  head?: string | undefined;
  sign?: string | undefined;
}

/** The tag of the orientation, and the one of the directory below. */
const orientation = 0x0112;
const below = 0x8769;
const lying = (value: number, type = 3): Entry => ({ tag: orientation, type, count: 1, value });
const exifSegment = (value: number, type = 3, little = true) =>
  segment(0xe1, exif({ little, directories: [[lying(value, type)]] }));

type Shown = { width: number; height: number } | undefined;

async function decoded(bytes: Buffer): Promise<Shown> {
  const image = new Image();
  try {
    image.src = bytes;
    await image.decode();
  } catch {
    return undefined;
  }
  return image.width > 0 ? { width: image.width, height: image.height } : undefined;
}

function taken(bytes: Buffer): Shown {
  try {
    const { width, height } = pictureFrom(bytes, 'image');
    return { width, height };
  } catch (error) {
    assert.equal((error as Error).name, 'InvalidValue');
    return undefined;
  }
}

const upright = { width: 48, height: 24 };
const turned = { width: 24, height: 48 };

/** The picture with something in front of the piece with this number. */
const before = (number: number, ...more: Uint8Array[]): Buffer =>
  Buffer.concat([...pieces.slice(0, number), ...more, ...pieces.slice(number)]);

const scan = pieces.length - 1;
const wrongByte = exifSegment(6);
wrongByte[0] = 0;

const cases: [what: string, bytes: Buffer, shown: Shown][] = [
  ['608 zeros behind a comment', before(2, segment(0xfe, Buffer.from('a camera')), Buffer.alloc(608)), upright],
  ['bytes that are no marker in front of the pixels', before(scan, Buffer.from('what cameras leave behind')), upright],
  ['zeros right behind its start', before(1, Buffer.alloc(4)), undefined],
  ['00 E1 in the place of FF E1', before(2, wrongByte), upright],
  [
    'filling in front of each marker',
    Buffer.concat(pieces.flatMap((piece) => [piece, Buffer.alloc(9, 0xff)])),
    upright
  ],
  ['filling and zeros in turn', before(3, Buffer.from([0xff, 0, 0xff, 0xff, 0, 0])), upright],
  ['markers that stand alone', before(3, Buffer.from([0xff, 0x01, 0xff, 0xd0, 0xff, 0xd7])), upright],
  ['no end marker', drawn.subarray(0, -2), upright],
  ['half of its pixels', drawn.subarray(0, -Math.floor((pieces[scan] as Buffer).length / 2)), upright],
  ['no pixels behind its first scan’s head', Buffer.concat([...pieces.slice(0, -1), drawn.subarray(-2)]), undefined],
  ['a segment without a length', before(2, segment(0xe5, Buffer.alloc(8), 0)), upright],
  ['a second start', before(2, Buffer.from([0xff, 0xd8])), undefined],
  ['an end before its pixels', before(2, Buffer.from([0xff, 0xd9])), undefined],
  ['a second frame', before(scan, frame), undefined],
  ['no frame', Buffer.concat(pieces.filter((piece) => piece !== frame)), undefined],
  ['a marker that is reserved', before(2, segment(0xf7, Buffer.alloc(4))), undefined],
  ['an orientation', before(1, exifSegment(6)), turned],
  ['an orientation in the other order of bytes', before(1, exifSegment(6, 3, false)), turned],
  ['an orientation of type LONG', before(1, exifSegment(6, 4)), upright],
  ['an orientation of type LONG in the other order of bytes', before(1, exifSegment(6, 4, false)), upright],
  ['two EXIF blocks, the first turned', before(1, exifSegment(6), exifSegment(1)), turned],
  ['two EXIF blocks, the second turned', before(1, exifSegment(1), exifSegment(6)), upright],
  ['two EXIF blocks, the first a LONG', before(1, exifSegment(8, 4), exifSegment(6)), upright],
  ['two EXIF blocks, the first empty', before(1, segment(0xe1, Buffer.from('Exif\0\0')), exifSegment(6)), turned],
  ['an EXIF block in front of its pixels', before(scan, exifSegment(8)), turned],
  [
    'an EXIF block that says it is longer',
    before(1, segment(0xe1, exif({ little: true, directories: [[lying(6)]], entries: 99 }))),
    turned
  ]
];

describe('a JPEG with', () => {
  for (const [what, bytes, shown] of cases) {
    it(`${what} is ${shown ? `a picture of ${shown.width} × ${shown.height}` : 'none'}, as the decoder has it`, async () => {
      assert.deepEqual(taken(bytes), shown);
      assert.deepEqual(await decoded(bytes), shown);
    });
  }

  const byte = fc.integer({ min: 0, max: 255 });
  const plainBytes = (most: number) => fc.uint8Array({ maxLength: most, max: 254 }).map((bytes) => Buffer.from(bytes));
  const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const applications = fc.integer({ min: 0xe0, max: 0xef });

  const entries = fc.record({
    tag: fc.oneof({ weight: 4, arbitrary: fc.constant(orientation) }, fc.constantFrom(below, 0x0100), fc.nat(0xffff)),
    type: fc.oneof({ weight: 4, arbitrary: fc.constant(3) }, fc.constant(4), fc.nat(13)),
    count: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.nat(3)),
    value: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 8 }) }, fc.nat(60), fc.nat(0xffff))
  });
  const belows = fc
    .oneof(fc.constantFrom(26, 38, 50), fc.nat(60))
    .map((value) => ({ tag: below, type: 4, count: 1, value }));
  const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  const exifs = fc
    .record({
      block: fc.record({
        little: fc.boolean(),
        directories: fc.array(fc.array(fc.oneof({ weight: 3, arbitrary: entries }, belows), { maxLength: 3 }), {
          minLength: 1,
          maxLength: 3
        }),
        offset: rarely(fc.oneof(fc.nat(80), fc.nat(0xffffffff))),
        entries: rarely(fc.nat(20)),
        head: rarely(fc.constantFrom('II*\0', 'MM\0*', 'II\0\0', 'IM*\0', '\0\0\0\0')),
        sign: rarely(fc.constantFrom('Exif\0\x01', 'Exif\x01\0', 'Exif', 'http://ns.adobe.com/xap/1.0/\0'))
      }),
      cut: rarely(fc.nat(70))
    })
    .map(({ block, cut }) => segment(0xe1, exif(block).subarray(0, cut)));

  /** What cameras, phones and broken transfers put between the segments; no tables, which would be about the pixels. */
  const oddities = fc.oneof(
    plainBytes(700),
    fc.nat(12).map((length) => Buffer.alloc(length, 0xff)),
    plainBytes(3).map((bytes) => Buffer.from([0xff, 0, ...bytes])),
    fc.constantFrom(0x01, 0xd0, 0xd3, 0xd7).map((marker) => Buffer.from([0xff, marker])),
    fc
      .tuple(fc.oneof(applications, fc.constantFrom(0xfe, 0xdc)), anyBytes)
      .map(([marker, data]) => segment(marker, data)),
    fc
      .tuple(fc.oneof(applications, fc.constant(0xfe)), plainBytes(20), fc.constantFrom(0, 1, 2, 0xffff))
      .map(([marker, data, length]) => segment(marker, data, length)),
    fc.tuple(exifs, fc.constantFrom(0xff, 0xff, 0xff, 0)).map(([block, first]) => {
      block[0] = first;
      return block;
    }),
    { weight: 4, arbitrary: exifs }
  );
  const faults = fc.oneof(
    fc
      .constantFrom(0x02, 0xbf, 0xc5, 0xc7, 0xc8, 0xcb, 0xcd, 0xcf, 0xd8, 0xd9, 0xde, 0xf0, 0xfd)
      .map((marker) => segment(marker, Buffer.alloc(4))),
    byte.map((more) => segment(0xc0, Buffer.concat([frame.subarray(4), Buffer.alloc(more % 4)]))),
    byte
      .map((last) => Buffer.from([0xff, last]))
      .filter(([, last]) => ![0xc4, 0xcc, 0xda, 0xdb, 0xdd].includes(last ?? 0))
  );

  interface Odd {
    inserted: { at: number; bytes: Buffer }[];
    /** Bytes that are missing at its end. */
    missing: number;
  }
  const odd: fc.Arbitrary<Odd> = fc.record({
    inserted: fc.array(
      fc.record({
        at: fc.integer({ min: 1, max: scan }),
        bytes: fc.oneof({ weight: 12, arbitrary: oddities }, { weight: 1, arbitrary: faults })
      }),
      { maxLength: 5 }
    ),
    missing: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(drawn.length))
  });
  const jpegOf = ({ inserted, missing }: Odd): Buffer => {
    const parts = pieces.flatMap((piece, number) => [
      ...inserted.filter(({ at }) => at === number).map(({ bytes }) => bytes),
      piece
    ]);
    const whole = Buffer.concat(parts);
    return whole.subarray(0, whole.length - missing);
  };

  it('anything between its segments, any EXIF data and any end is what the decoder shows, in 5,000 cases', async () => {
    const found = { shown: 0, turned: 0, none: 0 };
    await fc.assert(
      fc.asyncProperty(odd, async (given) => {
        const bytes = jpegOf(given);
        const ours = taken(bytes);
        assert.deepEqual(ours, await decoded(bytes), bytes.toString('hex'));
        found[ours ? (ours.width < ours.height ? 'turned' : 'shown') : 'none'] += 1;
      }),
      { numRuns: 5000 }
    );
    // Cases that are all the same prove nothing.
    for (const [kind, count] of Object.entries(found)) assert.ok(count > 100, `${count} ${kind}`);
  });
});
