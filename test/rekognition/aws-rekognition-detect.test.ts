import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { CreateCollectionCommand, IndexFacesCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { type Canvas, createCanvas, type Image, loadImage } from 'canvas';
import { type RequestRecord, roles, signIns } from '../../local-aws/client';
import {
  type Box,
  celebrities,
  drawPicture,
  drawScene,
  people,
  type Scene,
  type Thing
} from '../../local-aws/rekognition/drawings';
import { workingFolder } from '../../nodes/rekognition/picture-fields';
import {
  account,
  deployAction,
  detectNode,
  elsewhere,
  facesNode,
  indexFaceNode,
  keysOf,
  sentBy,
  useBench
} from '../aws';
import type { Message, NodeError, Outcome } from '../node-red';
import { sink } from '../node-red';
import { useRelay } from '../relay';

interface Found {
  name: string;
  confidence: number;
  target: boolean;
  box: Box;
  [member: string]: unknown;
}

interface Payload {
  operation: string;
  source: string;
  time: string;
  image?: { width: number; height: number };
  count: number;
  summary: Record<string, number>;
  objects: Found[];
  labels: { name: string; confidence: number }[];
  saved?: { latest?: string; timestamped?: string; error?: { name: string; message: string } };
}

const size = { width: 320, height: 240 };
const draw = (scene: Scene, format: 'jpeg' | 'png' = 'jpeg', quality?: number) =>
  drawPicture(scene, { ...size, format, ...(quality !== undefined && { quality }) });

const box = (left: number, top: number, width: number, height: number): Box => ({ left, top, width, height });
const person = (left: number, more: Partial<Thing> = {}): Thing => ({
  kind: 'person',
  box: box(left, 0.25, 0.2, 0.7),
  ...more
});
const car = (left: number): Thing => ({ kind: 'car', box: box(left, 0.5, 0.35, 0.3) });
const face = (who: keyof typeof people, left: number, width = 0.2, top = 0.3): Thing => ({
  kind: 'face',
  who: people[who],
  box: box(left, top, width, width * 1.5)
});

/** Somebody on the left, a car on the right. */
const porch: Scene = { background: 'porch', things: [person(0.1), car(0.55)] };
const porchJpeg = draw(porch);
const porchPng = draw(porch, 'png');
/** Nobody and nothing. */
const nothing = draw({ things: [] });

/** A PNG that is as large as it has to be: a chunk that nobody shows is added. */
function padded(png: Buffer, bytes: number): Buffer {
  const data = Buffer.concat([Buffer.from('teXt'), Buffer.alloc(bytes, 'x')]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length - 4);
  sum.writeUInt32BE(crc32(data));
  const header = 33;
  return Buffer.concat([png.subarray(0, header), length, data, sum, png.subarray(header)]);
}

/** Light dots, which hardly any compression can make smaller, below the upper third of a picture. */
function noisy(canvas: Canvas): Canvas {
  const context = canvas.getContext('2d');
  const top = Math.round(canvas.height / 3);
  const pixels = context.getImageData(0, top, canvas.width, canvas.height - top);
  let state = 1;
  for (let at = 0; at < pixels.data.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (at % 4 < 3) pixels.data[at] = 128 + (state >>> 25);
  }
  context.putImageData(pixels, 0, top);
  return canvas;
}

/** A JPEG as a camera that is held on its side makes it: it says by how much it is to be turned (EXIF). */
function onItsSide(upright: Canvas): Buffer {
  const canvas = createCanvas(upright.height, upright.width);
  const context = canvas.getContext('2d');
  context.translate(0, upright.width);
  context.rotate(-Math.PI / 2);
  context.drawImage(upright, 0, 0);
  const jpeg = canvas.encodeSync('jpeg', 95);
  // One entry: orientation, a short, once, 6.
  const exif = Buffer.from(
    '457869660000' + '4d4d002a00000008' + '0001' + '0112000300000001' + '00060000' + '00000000',
    'hex'
  );
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** The pixels of a picture. */
class Pixels {
  readonly width: number;
  readonly height: number;
  readonly #data: Uint8ClampedArray;

  constructor(image: Image | Canvas) {
    const { width, height } = image;
    const canvas = createCanvas(width, height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    [this.width, this.height] = [width, height];
    this.#data = context.getImageData(0, 0, width, height).data as Uint8ClampedArray;
  }

  static async of(bytes: unknown): Promise<Pixels> {
    return new Pixels(await loadImage(bytes as Buffer));
  }

  /** How far a pixel is from that of another picture, 0 to 255. */
  apart(other: Pixels, x: number, y: number): number {
    const at = (Math.floor(y * this.height) * this.width + Math.floor(x * this.width)) * 4;
    return Math.max(...[0, 1, 2].map((n) => Math.abs((this.#data[at + n] ?? 0) - (other.#data[at + n] ?? 0))));
  }

  /** The largest distance from that of another picture, near a place. */
  apartNear(other: Pixels, x: number, y: number): number {
    const near = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
    const within = (fraction: number) => Math.min(0.999, Math.max(0, fraction));
    return Math.max(
      ...near.flatMap((dx) =>
        near.map((dy) => this.apart(other, within(x + dx / this.width), within(y + dy / this.height)))
      )
    );
  }
}

/** Checks that a box was drawn around a place in a picture, and that the place itself can be seen. */
function assertBoxed(drawn: Pixels, original: Pixels, { left, top, width, height }: Box, tolerance = 0): void {
  assert.deepEqual([drawn.width, drawn.height], [original.width, original.height]);
  for (const [side, x, y] of [
    ['left', left, top + height * 0.6],
    ['right', left + width, top + height * 0.6],
    ['top', left + width / 2, top],
    ['bottom', left + width / 2, top + height]
  ] as const) {
    assert.ok(drawn.apartNear(original, x, y) > 60, `there is no line on the ${side}`);
  }
  assert.ok(drawn.apart(original, left + width / 2, top + height * 0.6) <= tolerance, 'the object itself is covered');
}

describe('aws-rekognition-detect', () => {
  const bench = useBench();
  const relay = useRelay(bench);
  let client: RekognitionClient;
  const folders: string[] = [];

  before(() => {
    client = new RekognitionClient({
      region: 'us-east-1',
      endpoint: bench.aws.url,
      credentials: signIns.demo,
      customUserAgent: 'nimbus-tests'
    });
  });
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  after(() => client.destroy());

  async function newFolder(): Promise<string> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'nimbus-pictures-')));
    folders.push(folder);
    return folder;
  }

  /** Deploys the node with an account that knows no rate. */
  const deploy = (properties: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Promise<void> =>
    deployAction(bench, detectNode(properties), { rekognitionRate: 0, ...more });

  function assertSent({ error, done, sent }: Outcome): Message {
    assert.equal(error, undefined);
    assert.deepEqual([done, sent.length], [1, 1]);
    return sent[0] as Message;
  }

  /** Sends a message to the deployed node; it has to go on. */
  const send = async (msg: Message = { payload: porchJpeg }): Promise<Message> =>
    assertSent(await bench.red.send('detect', msg));

  async function detected(properties: Record<string, unknown>, msg?: Message): Promise<Message> {
    await deploy(properties);
    return send(msg);
  }

  const payloadOf = ({ payload }: Message): Payload => payload as Payload;

  async function found(properties: Record<string, unknown>, picture: unknown = porchJpeg): Promise<Payload> {
    return payloadOf(await detected(properties, { payload: picture }));
  }

  async function errorOf(
    properties: Record<string, unknown>,
    msg: Message = { payload: porchJpeg }
  ): Promise<NodeError> {
    await deploy(properties);
    const { payload } = msg;
    const { error, sent, done, msg: after } = await bench.red.send('detect', msg);
    assert.ok(error, 'the message ended without an error');
    assert.deepEqual([error.name, done, sent], [error.code, 1, []]);
    assert.equal(after.payload, payload);
    return error;
  }

  const textOf = ({ code, message }: NodeError): string => `${code}: ${message}`;

  /** What the node has asked, the tests' own questions left out. */
  async function requests(operation?: string): Promise<RequestRecord[]> {
    return (await bench.aws.requests()).filter(
      (each) =>
        each.service === 'rekognition' &&
        !each.headers['user-agent']?.includes('nimbus-tests') &&
        (operation === undefined || each.operation === operation)
    );
  }

  const operations = async (): Promise<string[]> => (await requests()).map(({ operation }) => operation);

  async function inputOf(operation: string): Promise<Record<string, unknown>> {
    const [request, ...more] = await requests(operation);
    assert.ok(request && more.length === 0, `${more.length + 1} requests`);
    return request.input;
  }

  /** The pictures that went over the wire through the relay. */
  const picturesSent = (operation: string): Buffer[] =>
    relay.exchanges
      .filter(({ headers }) => headers['x-amz-target'] === `RekognitionService.${operation}`)
      .map(({ body }) => Buffer.from((JSON.parse(body) as { Image: { Bytes: string } }).Image.Bytes, 'base64'));

  const throughRelay = () => ({ endpoint: relay.url });

  /** Teaches a collection the faces of people, by their names. */
  async function teach(CollectionId: string, ...names: (keyof typeof people)[]): Promise<void> {
    await client.send(new CreateCollectionCommand({ CollectionId }));
    for (const name of names) {
      const Bytes = draw({ things: [face(name, 0.3, 0.35)] });
      const { FaceRecords = [] } = await client.send(
        new IndexFacesCommand({ CollectionId, ExternalImageId: people[name].name, Image: { Bytes } })
      );
      assert.equal(FaceRecords.length, 1);
    }
  }

  const names = ({ objects }: Payload): string[] => objects.map(({ name }) => name).sort();

  describe('operation', () => {
    for (const [operation, api, scene, expected] of [
      ['labels', 'DetectLabels', porch, ['car', 'person']],
      ['faces', 'DetectFaces', { things: [face('anna', 0.1), face('ben', 0.6)] }, ['face', 'face']],
      ['identify', 'SearchFacesByImage', { things: [face('anna', 0.1)] }, ['unknown']],
      [
        'text',
        'DetectText',
        { things: [{ kind: 'sign', box: box(0.2, 0.2, 0.6, 0.5), text: 'EXIT' }] },
        ['line', 'word']
      ],
      ['celebrities', 'RecognizeCelebrities', { things: [face('anna', 0.1)] }, ['unknown']],
      ['protectiveEquipment', 'DetectProtectiveEquipment', { things: [person(0.4)] }, ['person']]
    ] as const) {
      it(`${operation} asks ${api}, and says so`, async () => {
        const { payload, aws, topic } = await detected(
          { operation, collection: 'family' },
          { payload: draw(scene), topic: 'kept' }
        );
        assert.deepEqual(names(payload as Payload), expected);
        const { requestId, attempts, ...more } = aws ?? {};
        assert.match(String(requestId), /^[0-9a-f-]{36}$/);
        assert.deepEqual(more, { service: 'rekognition', operation: api, region: 'us-east-1', statusCode: 200 });
        assert.equal(attempts, (await requests()).filter(({ operation: each }) => each !== 'CreateCollection').length);
        assert.equal(topic, 'kept');
      });
    }

    it('moderation asks DetectModerationLabels, and counts what it finds', async () => {
      const scene: Scene = { things: [{ kind: 'bottle', box: box(0.4, 0.2, 0.15, 0.6) }] };
      const { payload, aws } = await detected({ operation: 'moderation' }, { payload: draw(scene) });
      assert.equal(aws?.operation, 'DetectModerationLabels');
      const { count, summary, labels, objects } = payload as Payload;
      assert.deepEqual([count, summary, objects], [1, { 'alcoholic beverages': 1 }, []]);
      assert.deepEqual(
        labels.map(({ confidence, ...label }) => label),
        [
          { name: 'alcohol', parent: '', level: 1 },
          { name: 'alcoholic beverages', parent: 'alcohol', level: 2 }
        ]
      );
    });

    it('of a celebrity and of somebody with a hard hat says who and what', async () => {
      const famous: Thing = { kind: 'face', who: celebrities.aurora, box: box(0.3, 0.2, 0.3, 0.45) };
      const [celebrity] = (await found({ operation: 'celebrities' }, draw({ things: [famous] }))).objects;
      assert.equal(celebrity?.name, 'Aurora Finch');
      const { similarity, ...match } = (celebrity as Found).match as { similarity: number };
      assert.ok(similarity > 90 && similarity <= 100);
      assert.deepEqual(match, { name: 'Aurora Finch', id: '1Lo4ca1', urls: ['www.example.com/aurora-finch'] });
      const worker = person(0.4, { who: people.ben, wears: ['hardHat'] });
      const [one] = (await found({ operation: 'protectiveEquipment' }, draw({ things: [worker] }))).objects;
      const [hat, ...more] = (one as Found).equipment as Found[];
      assert.deepEqual([hat?.name, hat?.bodyPart, hat?.covers, more], ['head_cover', 'head', true, []]);
    });

    it('that is none is refused', async () => {
      const error = await errorOf({ operation: 'cats' });
      assert.match(textOf(error), /^InvalidValue: Look for \(operation\) must be one of labels, faces, identify, text/);
      assert.deepEqual(await requests(), []);
    });
  });

  describe('the result', () => {
    it('has the shape of the contract, to the letter', async () => {
      const before = Date.now();
      const payload = await found({ name: 'porch', targets: '["Car", "boat"]' });
      const { objects, labels, time, ...more } = payload;
      assert.equal(new Date(time).toISOString(), time);
      assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
      assert.deepEqual(more, {
        operation: 'labels',
        source: 'porch',
        image: size,
        count: 1,
        summary: { Car: 1, boat: 0 }
      });
      for (const { name, confidence, target, box: place, centre, area, ...others } of objects) {
        assert.equal(target, name === 'car');
        const { left, top, width, height } = place;
        const decimals = [confidence, left, top, width, height, ...Object.values(centre as object), area];
        for (const each of decimals) assert.equal(each, Math.round(Number(each) * 1000) / 1000);
        const { x, y } = centre as { x: number; y: number };
        assert.ok(Math.abs(x - left - width / 2) < 0.002 && Math.abs(y - top - height / 2) < 0.002);
        assert.ok(Math.abs((area as number) - width * height * 100) < 0.2);
        const ofCar = {
          parents: ['transportation', 'vehicle'],
          categories: ['vehicles and automotive'],
          aliases: ['automobile']
        };
        assert.deepEqual(others, name === 'car' ? ofCar : { categories: ['person description'], aliases: ['human'] });
      }
      assert.deepEqual(names(payload), ['car', 'person']);
      const vehicle = labels.find(({ name }) => name === 'vehicle');
      assert.deepEqual(Object.keys(vehicle ?? {}), ['name', 'confidence', 'categories']);
    });

    it('finds things where they are', async () => {
      const { objects } = await found({});
      for (const { kind, box: place } of porch.things) {
        const { box: seen } = objects.find(({ name }) => name === kind) as Found;
        for (const side of ['left', 'top', 'width', 'height'] as const) {
          assert.ok(Math.abs(seen[side] - place[side]) < 0.05, `${kind}: ${side} is ${seen[side]}, not ${place[side]}`);
        }
      }
    });

    for (const operation of ['labels', 'faces', 'identify', 'text', 'celebrities', 'protectiveEquipment']) {
      it(`of a picture without anything is empty, not an error: ${operation}`, async () => {
        const { count, summary, objects } = await found({ operation, collection: 'family' }, nothing);
        assert.deepEqual([count, summary, objects], [0, {}, []]);
      });
    }

    it('as raw is the service’s own answer', async () => {
      const { payload } = await detected({ output: 'raw' });
      const { Labels = [], LabelModelVersion, ...more } = payload as Record<string, unknown[]>;
      assert.deepEqual([LabelModelVersion, more], ['3.0', {}]);
      assert.ok(Labels.some((each) => (each as { Name: string }).Name === 'Person'));
    });

    it('as raw of identify has each face and who matches it', async () => {
      await teach('family', 'anna');
      const picture = draw({ things: [face('anna', 0.1), face('ben', 0.6)] });
      const { payload } = await detected(
        { operation: 'identify', collection: 'family', output: 'raw' },
        { payload: picture }
      );
      const { Faces, ...more } = payload as {
        Faces: { Detail: { Confidence: number }; Matches: { Face: object }[] }[];
      };
      assert.deepEqual(more, {});
      for (const each of Faces) assert.deepEqual(Object.keys(each).sort(), ['Detail', 'Matches']);
      assert.deepEqual(Faces.map(({ Matches }) => Matches.length).sort(), [0, 1]);
    });

    it('is signed for by the message’s own credentials where it has some', async () => {
      const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      await detected(dynamic, { payload: porchJpeg, keys: keysOf('second') });
      assert.equal((await requests())[0]?.accessKeyId, signIns.second.accessKeyId);
    });
  });

  describe('image', () => {
    const lines = (text: string) => text.replace(/.{76}/g, '$&\r\n');
    for (const [what, given] of [
      ['a Buffer', porchJpeg],
      ['a PNG', porchPng],
      ['a Uint8Array that is a part of a larger one', new Uint8Array([1, ...porchJpeg, 2]).subarray(1, -1)],
      ['a Buffer that has gone through JSON', JSON.parse(JSON.stringify(porchJpeg))],
      ['a data URL of a JPEG', `data:image/jpeg;base64,${porchJpeg.toString('base64')}`],
      ['a data URL that is wrong about its kind', `DATA:image/gif;charset=x;base64,${porchPng.toString('base64')}`],
      ['base64', porchJpeg.toString('base64')],
      ['base64 of a PNG', porchPng.toString('base64')],
      ['base64 with line breaks', lines(porchJpeg.toString('base64'))],
      ['base64 that begins with a line break', `\n${lines(porchPng.toString('base64'))}\n`]
    ] as const) {
      it(`may be ${what}`, async () => {
        assert.deepEqual(names(await found({}, given)), ['car', 'person']);
        const sent = (await inputOf('DetectLabels')).Image;
        const png = /PNG|its kind|begins/.test(what);
        assert.deepEqual(sent, { Bytes: `(${png ? porchPng.length : porchJpeg.length} bytes)` });
      });
    }

    it('goes to the service byte for byte where that takes it', async () => {
      await deploy({}, throughRelay());
      await send({ payload: porchPng });
      assert.deepEqual(picturesSent('DetectLabels'), [porchPng]);
    });

    it('as a camera makes it goes byte for byte as well, and its size and boxes are those that are seen', async () => {
      const comment = Buffer.from('fffe000663616d65', 'hex');
      // Lies on its side; a second block says otherwise, and does not count.
      const [turned, upright] = [6, 1].map((orientation) =>
        Buffer.from(`ffe1002245786966000049492a00080000000100120103000100000000000000000000`, 'hex').fill(
          orientation,
          28,
          29
        )
      ) as [Buffer, Buffer];
      const start = porchJpeg.subarray(0, 2);
      const strange = Buffer.concat([start, turned, upright, comment, Buffer.alloc(608), porchJpeg.subarray(2, -2)]);
      await deploy({ annotate: 'png' }, throughRelay());
      const { payload, image } = await send({ payload: strange });
      assert.deepEqual(picturesSent('DetectLabels'), [strange]);
      assert.deepEqual((payload as Payload).image, { width: size.height, height: size.width });
      const { width, height } = await loadImage(image as Buffer);
      assert.deepEqual({ width, height }, { width: size.height, height: size.width });
    });

    it('may be a path: absolute, relative, of up to 4,096 characters, or a file URL, whatever the name says', async () => {
      const path = join(await newFolder(), 'Küche 1%.gif');
      await writeFile(path, porchPng);
      await deploy();
      const longest = `${dirname(path)}${'/'.repeat(4097 - path.length)}${basename(path)}`;
      assert.equal(longest.length, 4096);
      for (const payload of [path, relative(process.cwd(), path), longest, pathToFileURL(path).href]) {
        assert.deepEqual(names(payloadOf(await send({ payload }))), ['car', 'person']);
      }
    });

    it('as a relative path starts where Node-RED’s own file nodes start', () => {
      const red = (settings: object) => ({ settings }) as Parameters<typeof workingFolder>[0];
      assert.equal(workingFolder(red({ fileWorkingDirectory: '/data' })), '/data');
      assert.equal(workingFolder(red({})), process.cwd());
    });

    for (const [what, given] of [
      ['s3://', 's3://nimbus-pictures/porch.jpg'],
      ['{S3Object}', { S3Object: { Bucket: 'nimbus-pictures', Name: 'porch.jpg' } }]
    ] as const) {
      it(`may stay in S3: ${what}`, async () => {
        const payload = await found({}, given);
        assert.deepEqual(names(payload), ['car', 'dog', 'person']);
        assert.ok(!('image' in payload));
        const expected = { S3Object: { Bucket: 'nimbus-pictures', Name: 'porch.jpg' } };
        assert.deepEqual((await inputOf('DetectLabels')).Image, expected);
      });
    }

    it('in S3 may have a version', async () => {
      const S3Object = { Bucket: 'nimbus-pictures', Name: 'porch.jpg', Version: '7' };
      await found({}, { S3Object });
      assert.deepEqual((await inputOf('DetectLabels')).Image, { S3Object });
    });

    it('that is not in S3 is an error of the service', async () => {
      const error = await errorOf({}, { payload: 's3://nimbus-pictures/gone.jpg' });
      assert.match(textOf(error), /^InvalidS3ObjectException: The picture in S3 cannot be read/);
    });

    for (const [what, properties] of [
      ['Draw boxes (annotate)', { annotate: 'jpeg' }],
      ['Save in folder (saveFolder)', { saveFolder: '/tmp' }],
      ['Skip if unchanged (skipUnchanged)', { skipUnchanged: '5' }],
      ['Look for (operation)', { operation: 'identify', collection: 'family' }],
      [
        'Draw boxes (annotate), Save in folder (saveFolder), Skip if unchanged (skipUnchanged), Look for (operation)',
        { annotate: 'png', saveFolder: '/tmp', skipUnchanged: '5', operation: 'identify', collection: 'f' }
      ]
    ] as const) {
      it(`in S3 will not do for ${what}`, async () => {
        const error = await errorOf(properties, { payload: 's3://nimbus-pictures/porch.jpg' });
        assert.ok(textOf(error).startsWith(`InvalidValue: ${what}: the picture itself is needed`), textOf(error));
        assert.deepEqual(await requests(), []);
      });
    }

    const small = drawPicture(porch, { width: 79, height: 200, format: 'png' });
    for (const [what, payload, text] of [
      ['nothing', undefined, /^MissingValue: Picture \(image\) is required, but msg.payload has no value/],
      ['null', null, /^(MissingValue|InvalidValue): Picture \(image\) /],
      ['empty text', '', /^MissingValue: Picture \(image\) is required, but is empty/],
      ['an empty Buffer', Buffer.alloc(0), /^InvalidValue: Picture \(image\) is empty: it has 0 bytes/],
      ['a number', 17, /^InvalidValue: Picture \(image\) must be a JPEG or PNG picture: a Buffer, a data URL/],
      [
        'a GIF',
        Buffer.from('GIF89a and more'),
        /^InvalidValue: Picture \(image\) must be a JPEG or PNG picture, but is a GIF/
      ],
      ['a web page', '<html>\n401</html>', /^InvalidValue: Picture \(image\) must be a JPEG or PNG/],
      ['a web page in a Buffer', Buffer.from('<html>401</html>'), /but is a web page or SVG \(does the camera ask/],
      ['a JPEG without pixels', porchJpeg.subarray(0, 500), /^InvalidValue: Picture \(image\) is cut off/],
      ['half a PNG', porchPng.subarray(0, 2000), /^InvalidValue: Picture \(image\) is cut off/],
      ['a data URL without base64', 'data:image/svg+xml,<svg/>', /must be a data URL with base64/],
      [
        'a file that is not there',
        '/nowhere/at all.jpg',
        /^InvalidValue: Picture \(image\): "\/nowhere\/at all.jpg" cannot be read: there is no such file/
      ],
      ['a folder', tmpdir(), /^InvalidValue: Picture \(image\): ".*" is a folder/],
      ['a device', '/dev/zero', /^InvalidValue: Picture \(image\): "\/dev\/zero" is no file/],
      [
        'a picture with fewer than 80 pixels',
        small,
        /^InvalidValue: Picture \(image\) must be at least 80 pixels wide and high, but has 79 × 200/
      ]
    ] as const) {
      it(`will not do as ${what}, which costs no request`, async () => {
        assert.match(textOf(await errorOf({}, { payload })), text);
        assert.deepEqual(await requests(), []);
      });
    }
  });

  describe('a picture that is too large for the service', () => {
    const near = (one: Box, other: Box, what: string) => {
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        assert.ok(Math.abs(one[side] - other[side]) < 0.03, `${what}: ${side} is ${one[side]}, not ${other[side]}`);
      }
    };

    it('in bytes is scaled down, and the result is about the original', async () => {
      const place = box(0.3, 0.05, 0.3, 0.2);
      const canvas = noisy(drawScene({ things: [{ kind: 'car', box: place }] }, 1920, 1440));
      const picture = canvas.encodeSync('png');
      assert.ok(picture.length > 5 * 1024 * 1024, `${picture.length} bytes`);
      await deploy({}, throughRelay());
      const { image, objects } = payloadOf(await send({ payload: picture }));
      assert.deepEqual(image, { width: 1920, height: 1440 });
      const [seen] = objects.filter(({ name }) => name === 'car');
      near(seen?.box as Box, place, 'the car');
      const [smaller] = picturesSent('DetectLabels');
      assert.ok(smaller && smaller.length <= 5 * 1024 * 1024);
      const { width, height } = await loadImage(smaller);
      assert.ok(Math.abs(width / height - 4 / 3) < 0.01);
    });

    it('in bytes has its limit at 4 MB for protective equipment, and at 5 MiB for the others', async () => {
      const picture = padded(draw({ things: [person(0.4)] }, 'png'), 4_100_000);
      await deploy({ operation: 'protectiveEquipment' }, throughRelay());
      const { image, count } = payloadOf(await send({ payload: picture }));
      assert.deepEqual([image, count], [size, 1]);
      assert.ok((picturesSent('DetectProtectiveEquipment')[0] as Buffer).length < 4_000_000);
      await deploy({}, throughRelay());
      await send({ payload: picture });
      assert.deepEqual(picturesSent('DetectLabels')[0]?.length, picture.length);
    });

    it('in pixels is scaled down for labels', async () => {
      const place = box(0.4, 0.1, 0.05, 0.8);
      const scene: Scene = { things: [{ kind: 'car', box: place }] };
      const picture = drawPicture(scene, { width: 10_400, height: 400, format: 'jpeg', quality: 70 });
      await deploy({}, throughRelay());
      const { image, objects } = payloadOf(await send({ payload: picture }));
      assert.deepEqual(image, { width: 10_400, height: 400 });
      if (objects[0]) near(objects[0].box, place, 'the car');
      const { width, height } = await loadImage(picturesSent('DetectLabels')[0] as Buffer);
      assert.deepEqual([width, height], [10_000, 385]);
    });

    it('but would then be too small is refused before it is sent', async () => {
      const picture = createCanvas(12_000, 90).encodeSync('png');
      const error = await errorOf({}, { payload: picture });
      assert.match(
        textOf(error),
        /^InvalidValue: Picture \(image\) must be at least 80 pixels .* but has 12000 × 90, of which/
      );
      assert.deepEqual(await requests(), []);
    });

    it('in megapixels is refused before anybody decodes it', async () => {
      const picture = Buffer.from(porchPng);
      picture.writeUInt32BE(60_000, 16);
      picture.writeUInt32BE(60_000, 20);
      const error = await errorOf({ annotate: 'png' }, { payload: picture });
      assert.match(
        textOf(error),
        /^InvalidValue: Picture \(image\) may have at most 64 megapixels, but has 60000 × 60000 pixels/
      );
    });
  });

  describe('a picture that a camera took on its side', () => {
    const tall = { width: 240, height: 320 };
    const scene: Scene = { things: [{ kind: 'person', box: box(0.55, 0.1, 0.25, 0.6) }] };
    const upright = drawScene(scene, tall.width, tall.height);

    it('is as people see it: size, places, and boxes', async () => {
      const { payload, image } = await detected({ annotate: 'png' }, { payload: onItsSide(upright) });
      const { image: seen, objects } = payload as Payload;
      assert.deepEqual(seen, tall);
      const [somebody] = objects;
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        const [is, expected] = [somebody?.box[side] ?? -1, scene.things[0]?.box[side] ?? -1];
        assert.ok(Math.abs(is - expected) < 0.05, `${side} is ${is}, not ${expected}`);
      }
      assertBoxed(await Pixels.of(image), new Pixels(upright), somebody?.box as Box, 60);
    });

    it('is searched for faces the right way up', async () => {
      await teach('family', 'anna', 'ben');
      const things = [face('anna', 0.1, 0.3, 0.1), face('ben', 0.55, 0.35, 0.5)];
      const payload = await found(
        { operation: 'identify', collection: 'family' },
        onItsSide(drawScene({ things }, tall.width, tall.height))
      );
      assert.deepEqual(names(payload), ['Anna', 'Ben']);
      const anna = payload.objects.find(({ name }) => name === 'Anna') as Found;
      assert.ok(anna.box.left < 0.2 && anna.box.top < 0.2);
    });
  });

  describe('confidence', () => {
    it('is what the service is asked for, and what is there has at least that', async () => {
      const all = await found({ confidence: '50' });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 50);
      const [one, other] = all.objects.map(({ confidence }) => confidence).sort() as [number, number];
      const between = (one + other) / 2;
      await bench.aws.reset();
      const { objects } = await found({ confidence: String(between) });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, between);
      assert.equal(objects.length, 1);
    });

    it('is checked here for operations that do not know it', async () => {
      const picture = draw({ things: [face('anna', 0.1), face('ben', 0.7, 0.1)] });
      const { objects } = await found({ operation: 'faces', confidence: '0' }, picture);
      const [one, other] = objects.map((each) => each.confidence) as [number, number];
      const payload = await found({ operation: 'faces', confidence: String((one + other) / 2) }, picture);
      assert.deepEqual([objects.length, payload.objects.length, payload.count], [2, 1, 1]);
    });

    it('comes from the message as well, and is 70 where nobody says otherwise', async () => {
      await detected({ confidence: 'sure', confidenceType: 'msg' }, { payload: porchJpeg, sure: 12.5 });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 12.5);
      await bench.aws.reset();
      await detected({});
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 70);
    });

    it('of 0 is sent as 0, and a blank one is left to the service', async () => {
      await detected({ confidence: '0' });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 0);
      await bench.aws.reset();
      await detected({ confidence: '' });
      assert.ok(!('MinConfidence' in (await inputOf('DetectLabels'))));
    });

    it('of a target is its own, lower or higher', async () => {
      const lower = await found({ confidence: '99.9', targets: '[{"name": "car", "confidence": 40}]' });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 40);
      assert.deepEqual([names(lower), lower.summary], [['car'], { car: 1 }]);
      const higher = await found({ confidence: '50', targets: '[{"name": "car", "confidence": 99.99}]' });
      assert.deepEqual([names(higher), higher.count, higher.summary], [['person'], 0, { car: 0 }]);
    });

    it('of a target is asked for also where there is no other', async () => {
      await detected({ confidence: '', targets: '[{"name": "car", "confidence": 20}]' });
      assert.equal((await inputOf('DetectLabels')).MinConfidence, 20);
    });

    for (const confidence of [-1, 101, 'much']) {
      it(`will not do as ${confidence}`, async () => {
        const error = await errorOf(
          { confidence: 'sure', confidenceType: 'msg' },
          { payload: porchJpeg, sure: confidence }
        );
        assert.match(textOf(error), /^InvalidValue: Confidence must be a number from 0 to 100/);
      });
    }
  });

  describe('maxLabels', () => {
    it('goes to the service', async () => {
      const { output } = { output: 'raw' };
      const { payload } = await detected({ maxLabels: '2', output });
      assert.equal((await inputOf('DetectLabels')).MaxLabels, 2);
      assert.equal((payload as { Labels: unknown[] }).Labels.length, 2);
    });

    it('is for labels only', async () => {
      await detected({ operation: 'text', maxLabels: 'nonsense', maxLabelsType: 'num' });
      assert.deepEqual(Object.keys(await inputOf('DetectText')), ['Image']);
    });
  });

  describe('attributes', () => {
    const picture = draw({ things: [{ ...face('anna', 0.3, 0.3), smiling: true, glasses: true }] });
    for (const [attributes, type, wire, there] of [
      ['DEFAULT', 'str', ['DEFAULT'], undefined],
      ['all', 'str', ['ALL'], true],
      ['SMILE, eyeglasses', 'str', ['SMILE', 'EYEGLASSES'], true],
      ['["SMILE","GENDER"]', 'json', ['SMILE', 'GENDER'], true],
      ['["SMILE"]', 'str', ['SMILE'], true]
    ] as const) {
      it(`${attributes} are ${wire.join(' and ')} on the wire`, async () => {
        const { objects } = await found({ operation: 'faces', attributes, attributesType: type }, picture);
        assert.deepEqual((await inputOf('DetectFaces')).Attributes, wire);
        const smile = ((objects[0] as Found).face as { Smile?: { Value: boolean } }).Smile;
        assert.equal(smile?.Value, there);
      });
    }

    it('that are blank are left out, and those of the message are used', async () => {
      await found({ operation: 'faces', attributes: '' }, picture);
      assert.ok(!('Attributes' in (await inputOf('DetectFaces'))));
      await bench.aws.reset();
      const fromMsg = { attributes: 'ask', attributesType: 'msg' };
      await detected({ operation: 'identify', collection: 'family', ...fromMsg }, { payload: picture, ask: ['ALL'] });
      assert.deepEqual((await inputOf('DetectFaces')).Attributes, ['ALL']);
    });

    it('that the service does not know are refused', async () => {
      const error = await errorOf({ operation: 'faces', attributes: 'SMILE, HAIR' });
      assert.match(textOf(error), /^InvalidValue: Attributes must be of ALL, DEFAULT, AGE_RANGE.*but has "HAIR"/);
    });
  });

  describe('identify', () => {
    const identify = (more: Record<string, unknown> = {}) => ({ operation: 'identify', collection: 'family', ...more });

    it('finds every face of a picture, whoever is the largest', async () => {
      await teach('family', 'anna', 'ben');
      const things = [face('anna', 0.05, 0.15), face('dora', 0.3, 0.3), face('ben', 0.7, 0.2)];
      const payload = await found(identify(), draw({ things }));
      assert.deepEqual(names(payload), ['Anna', 'Ben', 'unknown']);
      assert.deepEqual([payload.count, payload.summary], [3, { Anna: 1, Ben: 1, unknown: 1 }]);
      for (const { name, match, box: place, face: details } of payload.objects) {
        const left = { Anna: 0.05, unknown: 0.3, Ben: 0.7 }[name] ?? -1;
        assert.ok(Math.abs(place.left - left) < 0.04, `${name} is at ${place.left}`);
        assert.ok('Landmarks' in (details as object));
        if (name === 'unknown') assert.equal(match, null);
        else {
          const { name: matched, similarity, faceId, ...more } = match as Record<string, unknown>;
          assert.deepEqual([matched, more], [name, {}]);
          assert.ok(Number(similarity) > 80 && Number(similarity) <= 100);
          assert.match(String(faceId), /^[0-9a-f-]{36}$/);
        }
      }
      assert.deepEqual((await operations()).sort(), [
        'DetectFaces',
        'SearchFacesByImage',
        'SearchFacesByImage',
        'SearchFacesByImage'
      ]);
    });

    it('sends the picture as it is where it shows one face', async () => {
      await teach('family', 'anna');
      await deploy(identify(), throughRelay());
      const picture = draw({ things: [face('anna', 0.4, 0.1)] });
      assert.deepEqual(names(payloadOf(await send({ payload: picture }))), ['Anna']);
      assert.deepEqual(picturesSent('SearchFacesByImage'), [picture]);
    });

    it('does not take a larger neighbour for the face', async () => {
      await teach('family', 'anna', 'ben');
      const things = [face('anna', 0.2, 0.12, 0.45), face('ben', 0.34, 0.4, 0.2)];
      const payload = await found(identify(), draw({ things }));
      const smallest = payload.objects.toSorted((one, other) => one.box.width - other.box.width)[0];
      assert.equal(smallest?.name, 'Anna');
      assert.deepEqual(names(payload), ['Anna', 'Ben']);
    });

    it('does not take a neighbour for the face that is not sure enough to be searched itself', async () => {
      const detail = (place: Box, Confidence: number) => ({
        BoundingBox: { Left: place.left, Top: place.top, Width: place.width, Height: place.height },
        Confidence
      });
      const FaceDetails = [detail(box(0.35, 0.2, 0.4, 0.6), 65), detail(box(0.2, 0.4, 0.12, 0.2), 99)];
      relay.answer = ({ headers }) => {
        const operation = String(headers['x-amz-target']).split('.')[1];
        return { body: JSON.stringify(operation === 'DetectFaces' ? { FaceDetails } : { FaceMatches: [] }) };
      };
      const canvas = createCanvas(size.width, size.height);
      const context = canvas.getContext('2d');
      context.fillStyle = '#ffffff';
      context.fillRect(0, 0, size.width, size.height);
      context.fillStyle = '#ff0000';
      context.fillRect(0.36 * size.width, 0.2 * size.height, 0.39 * size.width, 0.6 * size.height);
      await deploy(identify(), throughRelay());
      await send({ payload: canvas.encodeSync('png') });
      const [cut, ...more] = picturesSent('SearchFacesByImage');
      assert.ok(cut && more.length === 0);
      const image = await loadImage(cut);
      const sheet = createCanvas(image.width, image.height);
      sheet.getContext('2d').drawImage(image, 0, 0);
      const { data } = sheet.getContext('2d').getImageData(0, 0, image.width, image.height);
      let red = 0;
      for (let at = 0; at < data.length; at += 4) {
        if ((data[at] ?? 0) > 200 && (data[at + 1] ?? 0) < 80) red += 1;
      }
      assert.equal(red, 0, 'the neighbour is in the picture that is searched');
    });

    it('never adds a face to the collection', async () => {
      await teach('family', 'anna');
      await deploy(identify());
      const picture = draw({ things: [face('dora', 0.1), face('ben', 0.6)] });
      for (let n = 0; n < 3; n += 1)
        assert.deepEqual(names(payloadOf(await send({ payload: picture }))), ['unknown', 'unknown']);
      assert.ok(!(await operations()).includes('IndexFaces'));
    });

    it('searches nothing, and makes nothing, where there is no face', async () => {
      const { count } = await found(identify(), nothing);
      assert.equal(count, 0);
      assert.deepEqual(await operations(), ['DetectFaces']);
    });

    it('takes a face that the search does not see for nobody', async () => {
      await teach('family', 'anna');
      relay.answer = ({ headers }) =>
        headers['x-amz-target'] === 'RekognitionService.SearchFacesByImage'
          ? {
              status: 400,
              errorType: 'InvalidParameterException',
              body: '{"Message":"There are no faces in the image. Should be at least 1."}'
            }
          : undefined;
      await deploy(identify(), throughRelay());
      const payload = payloadOf(await send({ payload: draw({ things: [face('anna', 0.1), face('ben', 0.6)] }) }));
      assert.deepEqual(names(payload), ['unknown', 'unknown']);
    });

    it('is asked with the similarity, which is 80 where nobody says otherwise', async () => {
      const picture = draw({ things: [face('anna', 0.1)] });
      await teach('family', 'anna');
      await found(identify(), picture);
      assert.equal((await inputOf('SearchFacesByImage')).FaceMatchThreshold, 80);
      await bench.aws.reset();
      await teach('family', 'anna');
      await found(identify({ similarity: '99.5' }), picture);
      const { FaceMatchThreshold, CollectionId } = await inputOf('SearchFacesByImage');
      assert.deepEqual([FaceMatchThreshold, CollectionId], [99.5, 'family']);
    });

    it('knows nobody who is not similar enough', async () => {
      await teach('family', 'anna');
      const picture = draw({ things: [face('anna', 0.1)] }, 'jpeg', 40);
      const [known] = (await found(identify({ similarity: '1' }), picture)).objects;
      const { similarity } = (known as Found).match as { similarity: number };
      assert.ok(similarity < 100);
      const more = String(Math.min(100, similarity + 0.01));
      assert.deepEqual(names(await found(identify({ similarity: more }), picture)), ['unknown']);
    });

    it('can have people as targets, and strangers too', async () => {
      await teach('family', 'anna', 'ben');
      const picture = draw({ things: [face('anna', 0.1), face('dora', 0.4), face('ben', 0.7)] });
      const payload = await found(identify({ targets: '["ANNA", "Unknown", "Gus"]' }), picture);
      assert.deepEqual([payload.count, payload.summary], [2, { ANNA: 1, Unknown: 1, Gus: 0 }]);
      const ben = payload.objects.find(({ name }) => name === 'Ben');
      assert.equal(ben?.target, false);
    });

    const lovelace = 'Zoë “Ada” Lovelace, 山田';
    for (const [what, target] of [
      ['as it was taught', lovelace],
      ['in capitals', lovelace.toUpperCase()],
      ['with its accents apart', lovelace.normalize('NFD')]
    ] as const) {
      it(`gives a name back as it was taught, in any script, and takes it as a target ${what}`, async () => {
        const nodes = [
          account(bench, { rekognitionRate: 0 }),
          indexFaceNode({ collection: 'family', wires: [] }),
          detectNode({ ...identify({ targets: 'who', targetsType: 'msg' }) }),
          sink('out')
        ];
        await bench.red.deploy(nodes, { credentials: { account: keysOf('demo') } });
        const taught = draw({ things: [face('anna', 0.3, 0.35)] });
        assert.equal((await bench.red.send('index', { payload: taught, topic: lovelace })).error, undefined);
        const payload = draw({ things: [face('anna', 0.1), face('ben', 0.6)] });
        const { count, summary, objects } = payloadOf(await send({ payload, who: target }));
        assert.deepEqual([count, summary], [1, { [target]: 1 }]);
        const [ada] = objects.filter((each) => each.target);
        assert.equal(ada?.name, lovelace);
        assert.equal((ada?.match as { name: string } | undefined)?.name, lovelace);
      });
    }

    it('gives a name whose accents were taught apart as the list of people does, so that one is found by the other', async () => {
      const nodes = [
        account(bench, { rekognitionRate: 0 }),
        indexFaceNode({ collection: 'family', wires: [] }),
        detectNode(identify()),
        facesNode({ collection: 'family' }),
        sink('out')
      ];
      await bench.red.deploy(nodes, { credentials: { account: keysOf('demo') } });
      const picture = draw({ things: [face('anna', 0.3, 0.35)] });
      const apart = 'Zoë'.normalize('NFD');
      assert.equal((await bench.red.send('index', { payload: picture, topic: apart })).error, undefined);
      const { summary } = payloadOf(await send({ payload: picture }));
      const { people } = sentBy(await bench.red.send('faces')).payload as { people: { name: string }[] };
      assert.deepEqual([summary, people.map(({ name }) => name)], [{ Zoë: 1 }, ['Zoë']]);
    });

    it('takes an id that was made elsewhere for a name as it stands', async () => {
      await client.send(new CreateCollectionCommand({ CollectionId: 'family' }));
      const Bytes = draw({ things: [face('anna', 0.3, 0.35)] });
      const ids = { CollectionId: 'family', ExternalImageId: 'user:42' };
      await client.send(new IndexFacesCommand({ ...ids, Image: { Bytes } }));
      const { summary } = await found(identify({ targets: '["User:42"]' }), draw({ things: [face('anna', 0.1)] }));
      assert.deepEqual(summary, { 'User:42': 1 });
    });

    it('needs a collection', async () => {
      assert.match(
        textOf(await errorOf(identify({ collection: '' }))),
        /^MissingValue: Face collection \(collection\) is required/
      );
      const error = await errorOf(identify({ collection: 'my family' }));
      assert.match(textOf(error), /^InvalidValue: Face collection \(collection\) must be the ID of a collection/);
      assert.deepEqual(await requests(), []);
    });
  });

  describe('a collection', () => {
    const identify = { operation: 'identify', collection: 'family' };
    const picture = draw({ things: [face('anna', 0.1)] });

    it('that does not exist is made once, for all who miss it', async () => {
      await deploy(identify);
      const outcomes = await bench.red.sendMany(
        'detect',
        Array.from({ length: 6 }, () => ({ payload: picture }))
      );
      for (const outcome of outcomes) assert.deepEqual(names(payloadOf(assertSent(outcome))), ['unknown']);
      assert.equal((await requests('CreateCollection')).length, 1);
      assert.equal((await inputOf('CreateCollection')).CollectionId, 'family');
    });

    it('that exists is not made, so that nobody needs the right to', async () => {
      await teach('family', 'anna');
      await found(identify, picture);
      assert.equal((await requests('CreateCollection')).length, 0);
    });

    it('that somebody else makes at the same time is no error', async () => {
      await teach('family', 'anna');
      let missed = 0;
      relay.answer = ({ headers }) => {
        if (headers['x-amz-target'] !== 'RekognitionService.SearchFacesByImage' || missed++ > 0) return undefined;
        const body = '{"Message":"The collection id: family does not exist"}';
        return { status: 400, errorType: 'ResourceNotFoundException', body };
      };
      await deploy(identify, throughRelay());
      assert.deepEqual(names(payloadOf(await send({ payload: picture }))), ['Anna']);
      assert.equal((await requests('CreateCollection'))[0]?.errorCode, 'ResourceAlreadyExistsException');
    });

    it('that is deleted later is made again', async () => {
      await deploy(identify);
      await send({ payload: picture });
      await bench.aws.reset();
      await send({ payload: picture });
      assert.equal((await requests('CreateCollection')).length, 1);
    });

    it('that may not be made is an error, each time anew', async () => {
      relay.answer = ({ headers }) =>
        headers['x-amz-target'] === 'RekognitionService.CreateCollection'
          ? { status: 400, errorType: 'AccessDeniedException', body: '{"Message":"not allowed"}' }
          : undefined;
      await deploy(identify, throughRelay());
      for (const _ of [1, 2]) {
        const { error } = await bench.red.send('detect', { payload: picture });
        assert.equal(error?.code, 'AccessDeniedException');
      }
      const created = relay.exchanges.filter(({ headers }) => headers['x-amz-target']?.endsWith('CreateCollection'));
      assert.equal(created.length, 2);
    });
  });

  describe('targets', () => {
    const two: Scene = {
      background: 'porch',
      things: [person(0.05), person(0.3, { colour: [20, 140, 110] }), car(0.6)]
    };
    for (const [what, properties, summary] of [
      ['names, in any spelling', { targets: '["PERSON", "Cat"]' }, { PERSON: 2, Cat: 0 }],
      ['objects', { targets: '[{"name": "Person"}, {"name": "car", "confidence": 10}]' }, { Person: 2, car: 1 }],
      ['text with commas', { targets: ' Person , cAR,, boat ', targetsType: 'str' }, { Person: 2, cAR: 1, boat: 0 }],
      ['text that is JSON', { targets: '["car"]', targetsType: 'str' }, { car: 1 }],
      ['one object', { targets: '{"name": "Car", "confidence": 10}' }, { Car: 1 }],
      ['one name', { targets: '"Car"' }, { Car: 1 }],
      ['none: everything counts', { targets: '' }, { person: 2, car: 1 }],
      ['an empty list: everything counts', { targets: '[]' }, { person: 2, car: 1 }],
      ['the same twice', { targets: '["car", "CAR"]' }, { car: 1, CAR: 1 }],
      ['what things are a kind of', { targets: '["vehicle", "person"]' }, { vehicle: 1, person: 2 }]
    ] as const) {
      it(`may be ${what}`, async () => {
        const payload = await found(properties, draw(two));
        assert.deepEqual(payload.summary, summary);
        assert.deepEqual(names(payload), ['car', 'person', 'person']);
        assert.equal(payload.count, payload.objects.filter(({ target }) => target).length);
      });
    }

    it('may come from the message', async () => {
      const fromMsg = { targets: 'seek', targetsType: 'msg' };
      const { payload } = await detected(fromMsg, { payload: porchJpeg, seek: ['Car'] });
      assert.deepEqual((payload as Payload).summary, { Car: 1 });
    });

    const seek = 'payload.looked[wanted].{"name": name, "confidence": least}';
    for (const [what, looked, summary] of [
      ['finds exactly one', [{ name: 'Car', least: 10, wanted: true }], { Car: 1 }],
      ['finds two', ['Car', 'Boat'].map((name) => ({ name, least: 10, wanted: true })), { Car: 1, Boat: 0 }],
      ['finds none: everything counts', [{ name: 'Car', least: 10, wanted: false }], { car: 1, person: 1 }]
    ] as const) {
      it(`may be what an expression ${what}`, async () => {
        const properties = { targets: seek, targetsType: 'jsonata', image: 'picture' };
        const { payload } = await detected(properties, { payload: { looked }, picture: porchJpeg });
        assert.deepEqual((payload as Payload).summary, summary);
      });
    }

    it('from elsewhere are one name where they are text, with a comma in it or not', async () => {
      process.env.NIMBUS_TARGET = 'car, person';
      for (const [targets, targetsType] of [
        ['seek', 'msg'],
        ['NIMBUS_TARGET', 'env'],
        ['seek', 'jsonata'],
        ['"car, person"', 'json']
      ]) {
        const { payload } = await detected({ targets, targetsType }, { payload: porchJpeg, seek: 'car, person' });
        assert.deepEqual((payload as Payload).summary, { 'car, person': 0 }, targetsType);
      }
      const { payload } = await detected(
        { targets: 'seek', targetsType: 'msg' },
        { payload: porchJpeg, seek: { name: 'car', confidence: 1 } }
      );
      assert.deepEqual((payload as Payload).summary, { car: 1 });
    });

    for (const skipUnchanged of ['0', '5']) {
      it(`may be the names of Object’s own members, with skipUnchanged ${skipUnchanged}`, async () => {
        const targets = '["__proto__", "constructor", "toString", "car"]';
        await deploy({ targets, skipUnchanged });
        for (const _ of [1, 2]) {
          const { msg, sent } = await bench.red.send('detect', { payload: porchJpeg });
          const { summary } = payloadOf(msg);
          assert.deepEqual(Object.entries(summary), [
            ['__proto__', 0],
            ['constructor', 0],
            ['toString', 0],
            ['car', 1]
          ]);
          for (const each of [msg, ...sent]) {
            assert.equal(Object.getPrototypeOf(payloadOf(each).summary), Object.prototype);
          }
        }
      });
    }

    it('of text are lines by what they say, in any spelling', async () => {
      const sign: Thing = { kind: 'sign', box: box(0.1, 0.1, 0.8, 0.7), text: 'Exit\nKeep clear' };
      const payload = await found({ operation: 'text', targets: '["EXIT", "fire"]' }, draw({ things: [sign] }));
      assert.deepEqual([payload.count, payload.summary], [1, { EXIT: 1, fire: 0 }]);
      const [exit] = payload.objects.filter(({ target }) => target);
      assert.deepEqual([exit?.name, exit?.text], ['line', 'Exit']);
    });

    it('may be labels without a place, which count once, but never with a roi', async () => {
      const payload = await found({ targets: '["Outdoors", "person"]' });
      assert.deepEqual([payload.count, payload.summary], [2, { Outdoors: 1, person: 1 }]);
      assert.ok(payload.labels.some(({ name }) => name === 'outdoors'));
      const whole = '{"left": 0, "top": 0, "width": 1, "height": 1}';
      const inside = await found({ targets: '["Outdoors", "person"]', roi: whole });
      assert.deepEqual([inside.count, inside.summary], [1, { Outdoors: 0, person: 1 }]);
    });

    it('of moderation are all that count', async () => {
      const scene: Scene = { things: [{ kind: 'bottle', box: box(0.4, 0.2, 0.15, 0.6) }] };
      const payload = await found({ operation: 'moderation', targets: '["Alcohol", "Gambling"]' }, draw(scene));
      assert.deepEqual([payload.count, payload.summary], [1, { Alcohol: 1, Gambling: 0 }]);
      const roi = '{"left": 0, "top": 0, "width": 1, "height": 1}';
      const inside = await found({ operation: 'moderation', roi }, draw(scene));
      assert.deepEqual([inside.count, inside.summary, inside.labels.length], [0, {}, 2]);
    });

    for (const targets of ['{}', '17', '[17]', '[{"confidence": 5}]', '[""]', '[{"name": "car", "confidence": 101}]']) {
      it(`will not do as ${targets}`, async () => {
        assert.match(textOf(await errorOf({ targets })), /^InvalidValue: Targets(:| must be)/);
        assert.deepEqual(await requests(), []);
      });
    }
  });

  describe('roi', () => {
    for (const [what, roi, summary] of [
      ['the left half', box(0, 0, 0.5, 1), { person: 1 }],
      ['the right half', box(0.5, 0, 0.5, 1), { car: 1 }],
      ['what holds the centre of an object, not all of it', box(0.15, 0.5, 0.1, 0.2), { person: 1 }],
      ['a corner without anything', box(0, 0, 0.1, 0.1), {}]
    ] as const) {
      it(`is ${what}`, async () => {
        const payload = await found({ roi: JSON.stringify(roi) });
        assert.deepEqual([payload.summary, names(payload)], [summary, ['car', 'person']]);
        for (const { name, target } of payload.objects) assert.equal(target, name in summary);
      });
    }

    it('and targets both have to be met; it may come from the message', async () => {
      const fromMsg = { roi: 'zone', roiType: 'msg', targets: '["car"]' };
      const { payload } = await detected(fromMsg, { payload: porchJpeg, zone: box(0, 0, 0.5, 1) });
      assert.deepEqual([(payload as Payload).count, (payload as Payload).summary], [0, { car: 0 }]);
    });

    for (const roi of [
      '[0, 0, 1, 1]',
      '{"left": 0, "top": 0, "width": 2, "height": 1}',
      '{"left": 0.5, "top": 0, "width": 0.6, "height": 1}',
      '{"left": 0, "top": 0, "width": 0, "height": 1}'
    ]) {
      it(`will not do as ${roi}`, async () => {
        assert.match(textOf(await errorOf({ roi })), /^InvalidValue: Region of interest \(roi\) must /);
        assert.deepEqual(await requests(), []);
      });
    }
  });

  describe('annotate', () => {
    const scene: Scene = { things: [car(0.3)] };
    const original = drawScene(scene, size.width, size.height);
    const picture = draw(scene, 'png');

    it('that is none leaves msg.image as it is', async () => {
      const { image } = await detected({}, { payload: picture, image: 'mine' });
      assert.equal(image, 'mine');
      assert.ok(!('image' in (await send({ payload: picture }))));
    });

    for (const [annotate, head, tolerance] of [
      ['png', '89504e47', 0],
      ['jpeg', 'ffd8ff', 40]
    ] as const) {
      it(`that is ${annotate} gives the picture with boxes in that format`, async () => {
        const { image, payload } = await detected({ annotate }, { payload: picture, image: 'replaced' });
        assert.ok(Buffer.isBuffer(image));
        assert.ok(image.toString('hex').startsWith(head));
        const [found] = (payload as Payload).objects;
        assertBoxed(await Pixels.of(image), new Pixels(original), found?.box as Box, tolerance);
      });
    }

    it('of a picture without anything is the picture itself', async () => {
      const { image } = await detected({ annotate: 'png' }, { payload: draw({ things: [] }, 'png') });
      const [drawn, plain] = [await Pixels.of(image), new Pixels(drawScene({ things: [] }, size.width, size.height))];
      for (const [x, y] of [
        [0.1, 0.1],
        [0.5, 0.5],
        [0.9, 0.9]
      ] as const)
        assert.equal(drawn.apart(plain, x, y), 0);
    });

    it('darkens what is outside the roi', async () => {
      const roi = box(0, 0, 0.5, 1);
      const { image } = await detected(
        { annotate: 'png', roi: JSON.stringify(roi) },
        { payload: draw({ things: [] }, 'png') }
      );
      const [drawn, plain] = [await Pixels.of(image), new Pixels(drawScene({ things: [] }, size.width, size.height))];
      assert.equal(drawn.apart(plain, 0.25, 0.5), 0);
      assert.ok(drawn.apart(plain, 0.75, 0.5) > 30);
    });

    it('goes with raw as well', async () => {
      const { image, payload } = await detected({ annotate: 'jpeg', output: 'raw' }, { payload: picture });
      assert.ok(Buffer.isBuffer(image));
      assert.ok('Labels' in (payload as object));
    });

    it('takes an upright picture’s own size, not that which was sent', async () => {
      const wide = drawPicture(scene, { width: 10_400, height: 400, format: 'jpeg', quality: 70 });
      const { image } = await detected({ annotate: 'jpeg' }, { payload: wide });
      const { width, height } = await loadImage(image as Buffer);
      assert.deepEqual([width, height], [10_400, 400]);
    });

    it('of a picture that cannot be decoded is an error', async () => {
      const broken = Buffer.from(picture);
      // No PNG has 77 bits a colour.
      broken[24] = 77;
      broken.writeUInt32BE(crc32(broken.subarray(12, 29)), 29);
      relay.answer = () => ({ body: '{"Labels":[]}' });
      await deploy({ annotate: 'png' }, throughRelay());
      const { error, sent } = await bench.red.send('detect', { payload: broken });
      assert.match(textOf(error as NodeError), /^InvalidValue: Picture \(image\) is a broken picture/);
      assert.deepEqual(sent, []);
    });
  });

  describe('saveFolder', () => {
    it('gets the latest picture of a source, with its boxes', async () => {
      const saveFolder = await newFolder();
      const { payload } = await detected({ saveFolder, name: 'porch' });
      const latest = join(saveFolder, 'porch_latest.jpg');
      assert.deepEqual((payload as Payload).saved, { latest });
      assert.deepEqual(await readdir(saveFolder), ['porch_latest.jpg']);
      const [original, saved] = [await Pixels.of(porchJpeg), await Pixels.of(await readFile(latest))];
      for (const { box: place } of (payload as Payload).objects) assertBoxed(saved, original, place, 60);
    });

    it('gets what annotate says, and msg.image is the same', async () => {
      const saveFolder = await newFolder();
      const { payload, image } = await detected({ saveFolder, annotate: 'png', name: 'porch' });
      const { latest } = (payload as Payload).saved ?? {};
      assert.equal(latest, join(saveFolder, 'porch_latest.png'));
      assert.deepEqual(await readFile(latest), image);
    });

    it('leaves msg.image as it is without annotate', async () => {
      const { image } = await detected({ saveFolder: await newFolder() }, { payload: porchJpeg, image: 'mine' });
      assert.equal(image, 'mine');
    });

    it('may be relative, and may come from the message', async () => {
      const folder = await newFolder();
      const fromMsg = { saveFolder: 'folder', saveFolderType: 'msg', name: 'porch' };
      const { payload } = await detected(fromMsg, { payload: porchJpeg, folder: relative(process.cwd(), folder) });
      assert.deepEqual((payload as Payload).saved, { latest: join(folder, 'porch_latest.jpg') });
      assert.ok(!('saved' in payloadOf(await send({ payload: porchJpeg }))));
    });

    it('has the latest picture as a whole at any time, and nothing else afterwards', async () => {
      const saveFolder = await newFolder();
      await deploy({ saveFolder, name: 'porch' });
      await send();
      const latest = join(saveFolder, 'porch_latest.jpg');
      const copy = join(saveFolder, 'copy');
      await link(latest, copy);
      const before = await readFile(copy);
      let running = true;
      const pictures = [nothing, porchJpeg, draw({ things: [car(0.2)] }), draw({ things: [person(0.7)] })];
      const sending = bench.red
        .sendMany(
          'detect',
          [...pictures, ...pictures].map((payload) => ({ payload }))
        )
        .finally(() => {
          running = false;
        });
      let looks = 0;
      while (running) {
        const bytes = readFileSync(latest);
        assert.deepEqual([bytes.subarray(0, 2).toString('hex'), bytes.subarray(-2).toString('hex')], ['ffd8', 'ffd9']);
        looks += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const outcome of await sending) assertSent(outcome);
      assert.ok(looks > 3);
      assert.deepEqual(await readFile(copy), before, 'the old file was written into');
      assert.deepEqual((await readdir(saveFolder)).sort(), ['copy', 'porch_latest.jpg']);
    });

    it('replaces a link, and does not follow it', async () => {
      const [saveFolder, elsewhere] = [await newFolder(), await newFolder()];
      const target = join(elsewhere, 'precious');
      await writeFile(target, 'mine');
      await symlink(target, join(saveFolder, 'porch_latest.jpg'));
      await detected({ saveFolder, name: 'porch' });
      assert.equal(await readFile(target, 'utf8'), 'mine');
      assert.equal((await readFile(join(saveFolder, 'porch_latest.jpg'))).subarray(0, 2).toString('hex'), 'ffd8');
    });

    for (const folder of elsewhere) {
      it(`of another machine is not taken from the message: ${folder}`, async () => {
        const error = await errorOf({ saveFolder: 'folder', saveFolderType: 'msg' }, { payload: porchJpeg, folder });
        assert.match(
          textOf(error),
          /^InvalidValue: Save in folder \(saveFolder\) must be a path on this machine, but /
        );
        assert.ok(!textOf(error).includes('stranger'));
        assert.deepEqual(await requests(), []);
      });
    }

    it('of another machine is for the node to name', async () => {
      // Elsewhere than on Windows this is a folder of this machine.
      const folder = await newFolder();
      const { payload } = await detected({ saveFolder: `/${folder}`, name: 'porch' });
      assert.deepEqual((payload as Payload).saved, { latest: join(folder, 'porch_latest.jpg') });
    });

    /** What cannot be saved takes nothing from the result. */
    async function assertNotSaved(
      saveFolder: string,
      reason: RegExp,
      more: Record<string, unknown> = {}
    ): Promise<void> {
      bench.red.clearLogs();
      const { payload, aws, image } = await detected({ saveFolder, name: 'porch', annotate: 'jpeg', ...more });
      const { saved, count } = payload as Payload;
      assert.deepEqual([count, aws?.statusCode, Buffer.isBuffer(image)], [2, 200, true]);
      assert.deepEqual(Object.keys(saved ?? {}), ['error']);
      assert.equal(saved?.error?.name, 'InvalidValue');
      assert.match(saved?.error?.message ?? '', reason);
      const lines = bench.red.logs.filter(({ level }) => level === 'error' || level === 'warn');
      assert.deepEqual(
        lines.map(({ level, id, text }) => [level, id, text]),
        [['error', 'detect', `InvalidValue: ${saved?.error?.message}`]]
      );
    }

    it('that does not exist costs a line in the log, not the result', async () => {
      const folder = join(await newFolder(), 'gone');
      await assertNotSaved(
        folder,
        /^Save in folder \(saveFolder\): the picture was not saved in ".*gone": there is no such folder\.$/
      );
      await assert.rejects(stat(folder));
    });

    it('that is a file, likewise', async () => {
      const file = join(await newFolder(), 'file');
      await writeFile(file, 'mine');
      await assertNotSaved(file, /: it is no folder\.$/);
      assert.equal(await readFile(file, 'utf8'), 'mine');
    });

    it('in which nobody may write, likewise', async function () {
      let folder = '/sys';
      // Nothing keeps root out of a folder of its own.
      if (process.getuid?.() !== 0) {
        folder = await newFolder();
        await import('node:fs/promises').then(({ chmod }) => chmod(folder, 0o500));
      } else if (process.platform !== 'linux') return this.skip();
      await assertNotSaved(folder, /: (Node-RED may not write there|it can only be read)\.$/);
    });

    it('in which the name is taken by a folder, likewise, and nothing is left behind', async () => {
      const saveFolder = await newFolder();
      await mkdir(join(saveFolder, 'porch_latest.jpg'));
      await assertNotSaved(saveFolder, /^Save in folder \(saveFolder\): the picture was not saved in /, {
        saveTimestamp: true
      });
      assert.deepEqual(await readdir(saveFolder), ['porch_latest.jpg']);
      assert.ok(statSync(join(saveFolder, 'porch_latest.jpg')).isDirectory());
    });
  });

  describe('saveLatest', () => {
    it('saves a picture only where something counts, if that is asked for', async () => {
      const saveFolder = await newFolder();
      await deploy({ saveFolder, name: 'porch', saveLatest: 'found', targets: 'wanted', targetsType: 'msg' });
      const savedFor = async (wanted: string) => {
        const { payload } = sentBy(await bench.red.send('detect', { payload: porchJpeg, wanted }));
        return (payload as Payload).saved;
      };
      assert.equal(await savedFor('boat'), undefined);
      assert.deepEqual(await readdir(saveFolder), []);
      assert.deepEqual(await savedFor('car'), { latest: join(saveFolder, 'porch_latest.jpg') });
      const saved = await readFile(join(saveFolder, 'porch_latest.jpg'));
      assert.equal(await savedFor('boat'), undefined);
      assert.deepEqual(await readFile(join(saveFolder, 'porch_latest.jpg')), saved);
    });
  });

  describe('saveBoxes', () => {
    it('off saves the picture as it came, while msg.image has the boxes', async () => {
      const saveFolder = await newFolder();
      const { image } = await detected({ saveFolder, name: 'porch', saveBoxes: false, annotate: 'jpeg' });
      assert.deepEqual(await readFile(join(saveFolder, 'porch_latest.jpg')), porchJpeg);
      assert.notDeepEqual(image, porchJpeg);
    });

    it('off saves a picture without boxes also in the other format', async () => {
      const saveFolder = await newFolder();
      await detected({ saveFolder, name: 'plain', saveBoxes: false, annotate: 'png' });
      await detected({ saveFolder, name: 'boxes', annotate: 'png' });
      const saved = async (name: string) => Pixels.of(await readFile(join(saveFolder, `${name}_latest.png`)));
      const [original, plain, boxes] = [await Pixels.of(porchJpeg), await saved('plain'), await saved('boxes')];
      const { box: place } = porch.things[0] as Thing;
      assertBoxed(boxes, original, place);
      const edge = [place.left, place.top + place.height * 0.6] as const;
      assert.equal(plain.apartNear(original, ...edge), 0);
    });
  });

  it('without the newer properties, as in a flow of an older version, is as a node that is dragged in', async () => {
    const saveFolder = await newFolder();
    const older = { saveLatest: undefined, saveBoxes: undefined, imageQuality: undefined, required: undefined };
    const { payload, image } = await detected({ saveFolder, name: 'porch', annotate: 'jpeg', ...older });
    assert.deepEqual(await readFile(join(saveFolder, 'porch_latest.jpg')), image);
    assert.equal((payload as { quality?: object }).quality, undefined);
    const [{ input } = {}] = await bench.aws.requests();
    assert.equal((input as { Features?: string[] }).Features, undefined);
  });

  describe('saveTimestamp', () => {
    const name = /^porch_(\d{4})-(\d\d)-(\d\d)_(\d\d)\.(\d\d)\.(\d\d)(?:_(\d+))?\.jpg$/;

    it('saves a second picture, by the time here, where something counts', async () => {
      const saveFolder = await newFolder();
      const { TZ } = process.env;
      process.env.TZ = 'Asia/Kolkata';
      try {
        const begin = Math.floor(Date.now() / 1000) * 1000;
        const { payload } = await detected({ saveFolder, saveTimestamp: true, name: 'porch' });
        const { latest = '', timestamped = '' } = (payload as Payload).saved ?? {};
        const [, year, month, day, hour, minute, second, number] = (
          name.exec(relative(saveFolder, timestamped)) ?? []
        ).map(Number);
        const time = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second) - 5.5 * 3_600_000;
        assert.ok(time >= begin && time <= Date.now(), timestamped);
        assert.ok(Number.isNaN(number));
        assert.deepEqual(await readFile(timestamped), await readFile(latest));
        assert.equal((await readdir(saveFolder)).length, 2);
      } finally {
        if (TZ === undefined) delete process.env.TZ;
        else process.env.TZ = TZ;
      }
    });

    for (const [what, properties, picture] of [
      ['where nothing was found', {}, nothing],
      ['where nothing counts', { targets: '["cat"]' }, porchJpeg],
      ['without saveFolder', { saveFolder: '' }, porchJpeg]
    ] as const) {
      it(`saves none ${what}`, async () => {
        const saveFolder = await newFolder();
        const payload = await found({ saveFolder, saveTimestamp: true, name: 'porch', ...properties }, picture);
        const expected = 'saveFolder' in properties ? undefined : { latest: join(saveFolder, 'porch_latest.jpg') };
        assert.deepEqual(payload.saved, expected);
        assert.equal((await readdir(saveFolder)).length, expected ? 1 : 0);
      });
    }

    it('never overwrites one: those of the same second are numbered', async () => {
      const saveFolder = await newFolder();
      await deploy({ saveFolder, saveTimestamp: true, name: 'porch' });
      const begin = Date.now();
      const outcomes = await bench.red.sendMany(
        'detect',
        [0.1, 0.15, 0.2, 0.25, 0.3, 0.35].map((left) => ({ payload: draw({ things: [car(left)] }) }))
      );
      const seconds = Math.floor(Date.now() / 1000) - Math.floor(begin / 1000) + 1;
      const files = outcomes.map((outcome) => payloadOf(assertSent(outcome)).saved?.timestamped ?? '');
      assert.equal(new Set(files).size, 6);
      assert.ok(seconds < 6, 'too slow to tell anything');
      const numbers = new Map<string, number[]>();
      for (const file of files) {
        const [second = '', number = 0] = relative(saveFolder, file)
          .replace('.jpg', '')
          .split(/(?<=\.\d\d)_/);
        assert.match(relative(saveFolder, file), name);
        numbers.set(second, [...(numbers.get(second) ?? []), Number(number)]);
      }
      for (const each of numbers.values()) assert.deepEqual(each.sort(), [...each.keys()]);
      const contents = await Promise.all(files.map(async (file) => (await readFile(file)).toString('base64')));
      assert.equal(new Set(contents).size, 6);
      assert.equal((await readdir(saveFolder)).length, 7);
    });
  });

  describe('source', () => {
    it('is the node’s name, else its id', async () => {
      assert.equal((await found({ name: 'Hof 2' })).source, 'Hof 2');
      assert.equal((await found({ name: '' })).source, 'detect');
    });

    it('comes from the message, as a number too, and is the name of the file', async () => {
      const saveFolder = await newFolder();
      await deploy({ source: 'camera', sourceType: 'msg', saveFolder });
      for (const [camera, source, file] of [
        ['garden', 'garden', 'garden'],
        [7, '7', '7'],
        ['Küche – links', 'Küche – links', /^Küche _ links_[0-9a-f]{12}$/],
        ['../../etc/x', '../../etc/x', /^__\.\._etc_x_[0-9a-f]{12}$/],
        ['a\\b:c*"<>|', 'a\\b:c*"<>|', /^a_b_c__[0-9a-f]{12}$/],
        ['CON', 'CON', /^_CON_[0-9a-f]{12}$/],
        ['...', '...', /^__[0-9a-f]{12}$/],
        [undefined, 'detect', 'detect']
      ] as const) {
        const payload = payloadOf(await send({ payload: nothing, camera }));
        assert.equal(payload.source, source);
        const [, name = ''] = /^(.*)_latest\.jpg$/.exec(relative(saveFolder, payload.saved?.latest ?? '')) ?? [];
        if (typeof file === 'string') assert.equal(name, file);
        else assert.match(name, file);
      }
      assert.equal((await readdir(saveFolder)).length, 8);
    });

    it('that is very long is cut for the file only', async () => {
      const source = 'ü'.repeat(500);
      const payload = await found({ source, saveFolder: await newFolder(), saveTimestamp: true });
      assert.equal(payload.source, source);
      assert.equal(payload.saved?.error, undefined);
      assert.ok(payload.saved?.timestamped);
    });
  });

  describe('a picture that the flow writes into again', () => {
    const forms: Record<string, (bytes: Buffer) => [given: unknown, overwrite: () => unknown]> = {
      'a Buffer': (bytes) => [bytes, () => bytes.fill(0)],
      'a part of a Buffer': (bytes) => {
        const larger = Buffer.concat([bytes, bytes]);
        return [larger.subarray(bytes.length), () => larger.fill(0)];
      },
      'an ArrayBuffer': (bytes) => {
        const { buffer } = Uint8Array.from(bytes);
        return [buffer, () => new Uint8Array(buffer).fill(0)];
      },
      'a Buffer that was JSON': (bytes) => {
        const given = JSON.parse(JSON.stringify(bytes)) as { data: number[] };
        return [given, () => given.data.fill(0)];
      }
    };
    for (const [what, make] of Object.entries(forms)) {
      it(`as ${what}, while it waits for its turn, is sent and drawn on as it came`, async () => {
        await deploy({ annotate: 'png' }, { ...throughRelay(), rekognitionRate: 1 });
        const [payload, overwrite] = make(Buffer.from(porchPng));
        const first = await bench.red.begin('detect', { payload: porchJpeg });
        const second = await bench.red.begin('detect', { payload });
        overwrite();
        await bench.red.until(() => first.done + second.done === 2, 'both messages to end');
        const { image } = assertSent(second);
        assert.deepEqual(picturesSent('DetectLabels'), [porchJpeg, porchPng]);
        const { width } = await loadImage(image as Buffer);
        assert.equal(width, size.width);
      });
    }
  });

  describe('skipUnchanged', () => {
    const moved = draw({ background: 'porch', things: [person(0.3), car(0.55)] });

    async function sent(): Promise<number> {
      return (await requests('DetectLabels')).length;
    }

    it('is off at first: each frame is sent', async () => {
      await deploy();
      for (const _ of [1, 2]) assert.ok(!('skipped' in ((await send()).aws ?? {})));
      assert.equal(await sent(), 2);
    });

    it('does not send the same frame again: the last result goes on', async () => {
      await deploy({ skipUnchanged: '5', annotate: 'jpeg', name: 'porch' });
      const first = await send({ payload: porchJpeg, topic: 'first' });
      const second = await send({ payload: Buffer.from(porchJpeg), topic: 'second' });
      assert.equal(await sent(), 1);
      assert.ok(!('skipped' in (first.aws ?? {})));
      const { skipped, attempts, ...more } = second.aws ?? {};
      assert.deepEqual(
        [skipped, attempts, more],
        [true, 0, { service: 'rekognition', operation: 'DetectLabels', region: 'us-east-1' }]
      );
      assert.deepEqual([second.payload, second.image, second.topic], [first.payload, first.image, 'second']);
    });

    it('keeps its result from what flows do to theirs', async () => {
      for (const output of ['parsed', 'raw']) {
        await deploy({ skipUnchanged: '5', annotate: 'jpeg', output });
        const before = await send();
        for (const _ of [1, 2]) {
          // The message itself, not a copy of it.
          const { msg, sent: copies } = await bench.red.send('detect', { payload: porchJpeg });
          assert.deepEqual([copies[0]?.payload, copies[0]?.image], [before.payload, before.image]);
          const { payload, image } = msg as { payload: Record<string, unknown>; image: Buffer };
          image.fill(0);
          for (const member of Object.values(payload)) if (Array.isArray(member)) member.length = 0;
          for (const member of Object.keys(payload)) delete payload[member];
        }
      }
    });

    it('sends a frame in which something has moved, and compares with that from then on', async () => {
      await deploy({ skipUnchanged: '2' });
      const skipped: unknown[] = [];
      for (const payload of [porchJpeg, moved, moved, porchJpeg]) skipped.push((await send({ payload })).aws?.skipped);
      assert.deepEqual(skipped, [undefined, undefined, true, undefined]);
      assert.equal(await sent(), 3);
    });

    it('sends what differs by as much as the percentage', async () => {
      await deploy({ skipUnchanged: '100' });
      const white = createCanvas(100, 100);
      const black = createCanvas(100, 100);
      white.getContext('2d').fillStyle = '#fff';
      white.getContext('2d').fillRect(0, 0, 100, 100);
      black.getContext('2d').fillRect(0, 0, 100, 100);
      await send({ payload: white.encodeSync('png') });
      assert.equal((await send({ payload: black.encodeSync('png') })).aws?.skipped, undefined);
      const half = createCanvas(100, 100);
      half.getContext('2d').fillRect(0, 0, 100, 50);
      half.getContext('2d').fillStyle = '#fff';
      half.getContext('2d').fillRect(0, 50, 100, 50);
      assert.equal((await send({ payload: half.encodeSync('png') })).aws?.skipped, true);
    });

    it('takes noise and another compression for nothing', async () => {
      const canvas = drawScene(porch, size.width, size.height);
      const context = canvas.getContext('2d');
      const pixels = context.getImageData(0, 0, size.width, size.height);
      let state = 7;
      for (let at = 0; at < pixels.data.length; at += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        if (at % 4 < 3) pixels.data[at] = (pixels.data[at] ?? 0) + ((state >>> 28) - 8);
      }
      context.putImageData(pixels, 0, 0);
      await deploy({ skipUnchanged: '1' });
      await send();
      for (const payload of [canvas.encodeSync('jpeg', 60), draw(porch, 'jpeg', 50), porchPng]) {
        assert.equal((await send({ payload })).aws?.skipped, true);
      }
    });

    it('keeps the cameras apart', async () => {
      await deploy({ skipUnchanged: '5', source: 'camera', sourceType: 'msg' });
      const skipped: unknown[] = [];
      for (const camera of ['a', 'b', 'a', 'b', 'c']) {
        const { payload, aws } = await send({ payload: porchJpeg, camera });
        assert.equal((payload as Payload).source, camera);
        skipped.push(aws?.skipped);
      }
      assert.deepEqual(skipped, [undefined, undefined, true, true, undefined]);
    });

    for (const [what, properties, one, other] of [
      ['the targets', { targets: 'ask', targetsType: 'msg' }, ['car'], ['person']],
      ['the confidence', { confidence: 'ask', confidenceType: 'msg' }, 50, 60],
      ['the roi', { roi: 'ask', roiType: 'msg' }, box(0, 0, 1, 1), box(0, 0, 0.5, 1)],
      ['the region', { region: 'ask', regionType: 'msg' }, 'us-east-1', 'eu-west-1'],
      [
        'the credentials',
        { dynamicCredentials: 'ask', dynamicCredentialsType: 'msg' },
        keysOf('demo'),
        keysOf('second')
      ]
    ] as const) {
      it(`asks again where ${what} of the message are others`, async () => {
        await deploy({ skipUnchanged: '5', ...properties });
        const skipped: unknown[] = [];
        for (const ask of [one, other, other]) skipped.push((await send({ payload: porchJpeg, ask })).aws?.skipped);
        assert.deepEqual(skipped, [undefined, undefined, true]);
      });
    }

    it('asks again after a deploy', async () => {
      for (const _ of [1, 2]) assert.equal((await detected({ skipUnchanged: '5' })).aws?.skipped, undefined);
      assert.equal(await sent(), 2);
    });

    it('sends one of two that come at once', async () => {
      await deploy({ skipUnchanged: '5' });
      const outcomes = await bench.red.sendMany('detect', [{ payload: porchJpeg }, { payload: porchJpeg }]);
      const [one, other] = outcomes.map(assertSent) as [Message, Message];
      assert.deepEqual(one.payload, other.payload);
      assert.deepEqual([one.aws?.skipped, other.aws?.skipped], [undefined, true]);
      assert.equal(await sent(), 1);
    });

    it('sends the next one after one that failed, also if it has come already', async () => {
      await deploy({ skipUnchanged: '5' }, throughRelay());
      let refused = 0;
      const refuse = () => {
        refused += 1;
        if (refused > 2) return undefined;
        return { status: 400, errorType: 'AccessDeniedException', body: '{"Message":"no"}' };
      };
      relay.answer = refuse;
      const alone = await bench.red.send('detect', { payload: porchJpeg });
      assert.equal(alone.error?.code, 'AccessDeniedException');
      const [first, ...more] = await bench.red.sendMany(
        'detect',
        [1, 2, 3].map(() => ({ payload: porchJpeg }))
      );
      assert.equal(first?.error?.code, 'AccessDeniedException');
      assert.deepEqual(more.map((outcome) => assertSent(outcome).aws?.skipped).sort(), [true, undefined]);
      assert.equal(refused, 3);
    });

    it('saves nothing again', async () => {
      const saveFolder = await newFolder();
      await deploy({ skipUnchanged: '5', saveFolder, saveTimestamp: true });
      const first = payloadOf(await send());
      const before = await stat(first.saved?.latest ?? '');
      assert.deepEqual(payloadOf(await send()), first);
      assert.equal((await stat(first.saved?.latest ?? '')).mtimeMs, before.mtimeMs);
      assert.equal((await readdir(saveFolder)).length, 2);
    });

    it('works for identify, too: neither a look nor a search', async () => {
      await teach('family', 'anna');
      const picture = draw({ things: [face('anna', 0.1)] });
      await deploy({ operation: 'identify', collection: 'family', skipUnchanged: '5' });
      const [first, second] = [await send({ payload: picture }), await send({ payload: picture })];
      assert.deepEqual([second.payload, second.aws?.skipped], [first.payload, true]);
      assert.deepEqual(await operations(), ['DetectFaces', 'SearchFacesByImage']);
    });
  });

  describe('rekognitionRate', () => {
    const messages = (count: number): Message[] => Array.from({ length: count }, () => ({ payload: porchJpeg }));

    /** The most requests in any second: less what a busy machine may lose between a departure and an arrival. */
    const densest = (times: number[]): number =>
      Math.max(...times.map((begin) => times.filter((time) => time >= begin && time < begin + 800).length));

    it('keeps each operation to so many requests in any second, and loses none', async () => {
      const nodes = [
        account(bench, { rekognitionRate: 5 }),
        detectNode({ wires: [] }),
        detectNode({ id: 'text', operation: 'text', wires: [] })
      ];
      await bench.red.deploy(nodes, { credentials: { account: keysOf('demo') } });
      // Once the connections are made and the local AWS is awake, requests arrive as they leave.
      await bench.red.sendMany('text', messages(5));
      const begin = Date.now();
      const outcomes = await bench.red.sendMany('detect', messages(12));
      const took = Date.now() - begin;
      for (const outcome of outcomes) assertSent(outcome);
      const times = (await requests('DetectLabels')).map(({ time }) => time);
      assert.equal(times.length, 12);
      assert.ok(took >= 2000 && took < 6000, `took ${took} ms`);
      assert.ok(densest(times) <= 5, `${densest(times)} in a second`);
    });

    it('counts from when a request leaves, however long the sign-in before it takes', async () => {
      await bench.aws.fault({ kind: 'delay', delayMs: 1500, service: 'sts' });
      await deploy({}, { rekognitionRate: 2, roleArn: roles.demo.arn });
      const outcomes = await bench.red.sendMany('detect', messages(4));
      for (const outcome of outcomes) assertSent(outcome);
      const times = (await requests('DetectLabels')).map(({ time }) => time);
      assert.equal(times.length, 4);
      assert.ok(densest(times) <= 2, `${densest(times)} in a second`);
    });

    it('is for all nodes of the account together, but for each operation by itself', async () => {
      const nodes = [
        account(bench, { rekognitionRate: 2 }),
        detectNode({ id: 'one', wires: [] }),
        detectNode({ id: 'other', wires: [] }),
        detectNode({ id: 'text', operation: 'text', wires: [] })
      ];
      await bench.red.deploy(nodes, { credentials: { account: keysOf('demo') } });
      await Promise.all(['one', 'other', 'text'].map((id) => bench.red.sendMany(id, messages(2))));
      const [labels, texts] = await Promise.all(
        ['DetectLabels', 'DetectText'].map(async (operation) => (await requests(operation)).map(({ time }) => time))
      );
      assert.deepEqual([labels?.length, texts?.length], [4, 2]);
      assert.ok(densest(labels as number[]) <= 2);
      // Those of the one operation came before those that waited of the other.
      assert.ok((texts?.[1] ?? Infinity) < (labels?.[2] ?? 0));
    });

    it('of 0 is no limit', async () => {
      await bench.aws.fault({ kind: 'delay', delayMs: 1500, service: 'rekognition' });
      await deploy({}, { rekognitionRate: 0 });
      const outcomes = bench.red.sendMany('detect', messages(20));
      await bench.aws.until({ requests: 20, service: 'rekognition' }, 1400);
      for (const outcome of await outcomes) assertSent(outcome);
    });

    it('counts what is tried again', async () => {
      await bench.aws.fault({ kind: 'throttle', service: 'rekognition', times: 2 });
      await deploy({}, { rekognitionRate: 2 });
      const outcomes = await bench.red.sendMany('detect', messages(3));
      for (const outcome of outcomes) assertSent(outcome);
      const times = (await requests('DetectLabels')).map(({ time }) => time);
      assert.equal(times.length, 5);
      assert.ok(densest(times) <= 2, `${densest(times)} in a second`);
    });

    it('lets messages wait no longer than a node takes to close: the rest ends with Closed', async function () {
      this.slow(15_000);
      await deploy({}, { rekognitionRate: 2 });
      const waiting = await Promise.all(messages(60).map((msg) => bench.red.begin('detect', msg)));
      const begin = Date.now();
      await bench.red.deploy([]);
      const took = Date.now() - begin;
      assert.ok(took < 12_000, `took ${took} ms`);
      for (const { done } of waiting) assert.equal(done, 1);
      const failed = waiting.filter(({ error }) => error);
      assert.ok(failed.length >= 30 && failed.length < 58, `${failed.length} failed`);
      for (const { error, sent } of failed) assert.deepEqual([error?.code, sent], ['Closed', []]);
    });
  });

  describe('a request', () => {
    it('that is throttled is tried again', async () => {
      await bench.aws.fault({ kind: 'throttle', service: 'rekognition', times: 1 });
      const { aws, payload } = await detected({});
      assert.deepEqual([aws?.attempts, aws?.statusCode, (payload as Payload).count], [2, 200, 2]);
    });

    it('that stays throttled is an error that says so', async () => {
      await bench.aws.fault({ kind: 'throttle', service: 'rekognition' });
      const error = await errorOf({});
      assert.match(textOf(error), /^ProvisionedThroughputExceededException: There were too many requests/);
      assert.deepEqual([error.retryable, error.statusCode, error.operation], [true, 400, 'DetectLabels']);
      assert.equal((await requests()).length, 3);
    });

    it('that nobody may make is an error that says what to do', async () => {
      const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      const error = await errorOf(dynamic, { payload: porchJpeg, keys: keysOf('limited') });
      assert.match(textOf(error), /^AccessDeniedException: This sign-in is not allowed to do that/);
    });

    it('goes to the region that the node says', async () => {
      const { aws } = await detected({ region: 'eu-west-1', regionType: 'str' });
      assert.equal(aws?.region, 'eu-west-1');
      assert.equal((await requests())[0]?.region, 'eu-west-1');
    });

    it('is shown by a blue dot, and a failure by a red ring', async () => {
      await deploy();
      const { statuses } = await bench.red.send('detect', { payload: porchJpeg });
      assert.deepEqual(
        statuses.map(({ fill, shape }) => [fill, shape]),
        [
          ['blue', 'dot'],
          [undefined, undefined]
        ]
      );
      const failed = await bench.red.send('detect', { payload: 17 });
      assert.deepEqual(failed.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'Picture: invalid value' });
    });

    it('names all properties that do not go with the picture', async () => {
      await deployAction(
        bench,
        detectNode({ annotate: 'jpeg', saveFolder: '/tmp', operation: 'identify', collection: 'friends' })
      );
      const { statuses } = await bench.red.send('detect', { payload: 's3://nimbus-pictures/porch.jpg' });
      assert.equal((statuses.at(-1) as { text: string }).text, 'Draw boxes, Save in folder, Look for: invalid value');
    });
  });
});
