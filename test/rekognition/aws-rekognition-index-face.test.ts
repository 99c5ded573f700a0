import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import {
  CreateCollectionCommand,
  DeleteCollectionCommand,
  type Face,
  ListCollectionsCommand,
  ListFacesCommand,
  RekognitionClient
} from '@aws-sdk/client-rekognition';
import { createCanvas } from 'canvas';
import { signIns } from '../../local-aws/client';
import { drawPicture, people, type Thing } from '../../local-aws/rekognition/drawings';
import type { RequestRecord } from '../../local-aws/server/records';
import { account, credentials, detectNode, indexFaceNode, keysOf, useBench } from '../aws';
import type { Message, NodeError, Outcome } from '../node-red';
import { sink } from '../node-red';
import { operationOf, useRelay } from '../relay';

interface Indexed {
  file?: string;
  faceId: string;
  confidence: number;
  box: { left: number; top: number; width: number; height: number };
}

interface Taught {
  collection: string;
  imageId: string;
  externalImageId: string;
  indexed: Indexed[];
  skipped: { file?: string; reason: string }[];
}

const bench = useBench();

const size = { width: 320, height: 240 };
type Box = Thing['box'];
const middle: Box = { left: 0.3, top: 0.2, width: 0.4, height: 0.6 };
const small: Box = { left: 0.02, top: 0.3, width: 0.16, height: 0.25 };
const tiny: Box = { left: 0.4, top: 0.4, width: 0.12, height: 0.18 };
const face = (who: (typeof people)[keyof typeof people], box: Box = middle): Thing => ({ kind: 'face', who, box });
const draw = (things: Thing[], format: 'jpeg' | 'png' = 'jpeg') => drawPicture({ things }, { ...size, format });

const anna = draw([face(people.anna)]);
const ben = draw([face(people.ben)], 'png');
const nobody = draw([{ kind: 'car', box: middle }]);
/** It ends before its pixels begin. */
const broken = anna.subarray(0, 500);

/** A JPEG whose structure is right, and whose pixels the service cannot decode. */
const withoutPixels = Buffer.from('ffd8ffc0000b080064006401011100ffda0008010100003f0055ffd9', 'hex');

/** A PNG with so many bytes of text in front of its pixels, in pieces: of a single one, decoders make heavy work. */
function withText(png: Buffer, bytes: number): Buffer {
  const body = Buffer.concat([Buffer.from('tEXtComment\0'), Buffer.alloc(65_536, 0x20)]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length - 4, 0);
  ends.writeUInt32BE(crc32(body), 4);
  const chunk = Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  const chunks = Array.from({ length: Math.ceil(bytes / chunk.length) }, () => chunk);
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
}

/** The service as another program sees it. */
class Collections {
  readonly #client: RekognitionClient;

  constructor(name: keyof typeof signIns = 'demo') {
    this.#client = new RekognitionClient({
      region: 'us-east-1',
      endpoint: bench.aws.url,
      credentials: signIns[name],
      customUserAgent: 'nimbus-tests'
    });
  }

  async create(CollectionId: string): Promise<void> {
    await this.#client.send(new CreateCollectionCommand({ CollectionId }));
  }

  async delete(CollectionId: string): Promise<void> {
    await this.#client.send(new DeleteCollectionCommand({ CollectionId }));
  }

  async list(): Promise<string[]> {
    const { CollectionIds = [] } = await this.#client.send(new ListCollectionsCommand({}));
    return CollectionIds;
  }

  async faces(CollectionId: string): Promise<Face[]> {
    const { Faces = [] } = await this.#client.send(new ListFacesCommand({ CollectionId }));
    return Faces;
  }

  /** The names that were taught, in alphabetical order. */
  async names(CollectionId: string): Promise<string[]> {
    return (await this.faces(CollectionId)).map(({ ExternalImageId = '' }) => ExternalImageId).sort();
  }

  close(): void {
    this.#client.destroy();
  }
}

/** What the nodes have asked of Rekognition. */
async function requests(operation?: string): Promise<RequestRecord[]> {
  return (await bench.aws.requests()).filter(
    (each) =>
      each.service === 'rekognition' &&
      !each.headers['user-agent']?.includes('nimbus-tests') &&
      (operation === undefined || each.operation === operation)
  );
}

const operations = async (): Promise<string[]> => (await requests()).map(({ operation }) => operation);

/** Deploys the node with an account that does not hold requests back. */
async function deploy(
  node: Record<string, unknown> = {},
  properties: Record<string, unknown> = {},
  signIn: keyof typeof signIns = 'demo'
): Promise<void> {
  const nodes = [account(bench, { rekognitionRate: 0, ...properties }), index(node), sink('out')];
  await bench.red.deploy(nodes, { credentials: credentials(signIn) });
}

const index = (node: Record<string, unknown> = {}) => indexFaceNode({ collection: 'friends', ...node });

const send = (payload: unknown, more: Message = {}): Promise<Outcome> =>
  bench.red.send('index', { topic: 'Ada', payload, ...more });

/** The result of a message that went on. */
function resultOf<Result = Taught>({ error, done, sent }: Outcome): Result {
  assert.equal(error?.message, undefined);
  assert.equal(done, 1);
  assert.equal(sent.length, 1);
  return sent[0]?.payload as Result;
}

/** The error of a message that did not. */
function errorOf({ error, done, sent }: Outcome): NodeError {
  assert.equal(done, 1);
  assert.deepEqual(sent, []);
  assert.ok(error);
  assert.equal(error.name, error.code);
  return error;
}

const skippedOf = ({ cause }: NodeError): Taught['skipped'] =>
  (cause as { results: { skipped: Taught['skipped'] } }).results.skipped;

describe('aws-rekognition-index-face', () => {
  let collections: Collections;
  const relay = useRelay(bench);
  let folder = '';
  const put = (name: string, content: Buffer | string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  before(() => {
    collections = new Collections();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nimbus-faces-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  after(() => collections.close());

  const refusal = (errorType: string, message = 'no') => ({
    status: 400,
    errorType,
    body: JSON.stringify({ __type: errorType, message })
  });

  it('teaches a face, and says which', async () => {
    await deploy();
    const outcome = await send(anna);
    const { indexed, ...rest } = resultOf(outcome);
    assert.deepEqual(rest, { collection: 'friends', imageId: 'Ada', externalImageId: 'Ada', skipped: [] });
    assert.equal(indexed.length, 1);
    const [known] = await collections.faces('friends');
    assert.equal(known?.ExternalImageId, 'Ada');
    const [{ faceId, confidence, box, ...others } = {} as Indexed] = indexed;
    assert.equal(faceId, known?.FaceId);
    assert.deepEqual(others, {});
    assert.ok(confidence > 90 && confidence <= 100);
    for (const side of ['left', 'top', 'width', 'height'] as const) {
      assert.ok(Math.abs(box[side] - middle[side]) < 0.03, `${side} ${box[side]}`);
    }
    for (const number of [confidence, ...Object.values(box)]) assert.equal(number, Number(number.toFixed(3)));
  });

  it('tells in msg.aws which request it was, and keeps the other members', async () => {
    await collections.create('friends');
    await deploy();
    const { sent } = await send(anna, { camera: 'porch' });
    const [request] = await requests();
    assert.deepEqual(sent[0]?.aws, {
      service: 'rekognition',
      operation: 'IndexFaces',
      region: 'us-east-1',
      statusCode: 200,
      requestId: request?.requestId,
      attempts: 1
    });
    assert.equal(sent[0]?.topic, 'Ada');
    assert.equal(sent[0]?.camera, 'porch');
  });

  describe('a collection', () => {
    it('is made if it does not exist', async () => {
      await deploy();
      resultOf(await send(anna));
      assert.deepEqual(await operations(), ['IndexFaces', 'CreateCollection', 'IndexFaces']);
      assert.deepEqual(await collections.list(), ['friends']);
      assert.deepEqual(await collections.names('friends'), ['Ada']);
    });

    it('that exists is used without a further request', async () => {
      await collections.create('friends');
      await deploy();
      resultOf(await send(anna));
      resultOf(await send(ben, { topic: 'Ben' }));
      assert.deepEqual(await operations(), ['IndexFaces', 'IndexFaces']);
      assert.deepEqual(await collections.names('friends'), ['Ada', 'Ben']);
    });

    it('is made once for many messages at a time', async () => {
      await deploy();
      const messages = Array.from({ length: 10 }, (_, number) => ({ payload: anna, topic: `Ada ${number}` }));
      for (const outcome of await bench.red.sendMany('index', messages)) resultOf(outcome);
      assert.equal((await requests('CreateCollection')).length, 1);
      assert.equal((await collections.faces('friends')).length, 10);
    });

    it('is made once for the pictures of a folder', async () => {
      for (let number = 0; number < 8; number += 1) put(`${number}.jpg`, number % 2 ? anna : ben);
      await deploy();
      assert.equal(resultOf(await send(folder)).indexed.length, 8);
      assert.equal((await requests('CreateCollection')).length, 1);
    });

    it('is made for each account of its own', async () => {
      const others = new Collections('second');
      const keys = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      await deploy(keys);
      resultOf(await send(anna, { keys: keysOf('demo') }));
      resultOf(await send(anna, { keys: keysOf('second') }));
      assert.equal((await requests('CreateCollection')).length, 2);
      assert.deepEqual(await others.names('friends'), ['Ada']);
      others.close();
    });

    it('that was deleted in the meantime is made again', async () => {
      await deploy();
      resultOf(await send(anna));
      await collections.delete('friends');
      resultOf(await send(anna));
      assert.equal((await requests('CreateCollection')).length, 2);
      assert.deepEqual(await collections.names('friends'), ['Ada']);
    });

    it('that another program makes at the same time is used', async () => {
      await collections.create('friends');
      let missing = 1;
      relay.answer = (exchange) => {
        if (operationOf(exchange) !== 'IndexFaces' || missing === 0) return undefined;
        missing -= 1;
        return refusal('ResourceNotFoundException', 'The collection id: friends does not exist');
      };
      await deploy({}, { endpoint: relay.url });
      resultOf(await send(anna));
      const asked = relay.exchanges.map((exchange) => operationOf(exchange));
      assert.deepEqual(asked, ['IndexFaces', 'CreateCollection', 'IndexFaces']);
      assert.match(String(relay.exchanges[1]?.answer), /already exists/);
    });

    it('that may not be made is an error for each message, and is tried again for the next', async () => {
      let allowed = false;
      relay.answer = (exchange) =>
        operationOf(exchange) === 'CreateCollection' && !allowed ? refusal('AccessDeniedException') : undefined;
      await deploy({}, { endpoint: relay.url });
      const outcomes = await bench.red.sendMany(
        'index',
        Array.from({ length: 3 }, () => ({ payload: anna, topic: 'Ada' }))
      );
      for (const outcome of outcomes) assert.equal(errorOf(outcome).name, 'AccessDeniedException');
      allowed = true;
      resultOf(await send(anna));
    });

    it('may come from the message', async () => {
      await deploy({ collection: 'where', collectionType: 'msg' });
      assert.equal(resultOf(await send(anna, { where: 'guests' })).collection, 'guests');
      assert.deepEqual(await collections.names('guests'), ['Ada']);
    });
  });

  it('teaches a picture as it came, also where the flow writes into its Buffer while it waits for its turn', async () => {
    await collections.create('friends');
    await deploy({}, { rekognitionRate: 1 });
    const payload = Buffer.from(anna);
    const outcomes = [
      await bench.red.begin('index', { payload: ben, topic: 'Ben' }),
      await bench.red.begin('index', { payload, topic: 'Ada' })
    ];
    payload.fill(0);
    await bench.red.until(() => outcomes.every(({ done }) => done === 1), 'both messages to end');
    for (const outcome of outcomes) assert.equal(resultOf(outcome).indexed.length, 1);
    assert.deepEqual(await collections.names('friends'), ['Ada', 'Ben']);
  });

  describe('imageId', () => {
    it('is written so that the service takes it, and the result has both', async () => {
      await deploy();
      const { imageId, externalImageId } = resultOf(await send(anna, { topic: 'Ada Lovelace & Söhne' }));
      assert.equal(imageId, 'Ada Lovelace & Söhne');
      assert.equal(externalImageId, 'Ada:20Lovelace:20:26:20S:C3:B6hne');
      assert.deepEqual(await collections.names('friends'), [externalImageId]);
    });

    it('of two people in another script is not the same', async () => {
      await deploy();
      resultOf(await send(anna, { topic: '山田' }));
      resultOf(await send(ben, { topic: '鈴木' }));
      assert.deepEqual(await collections.names('friends'), [':E5:B1:B1:E7:94:B0', ':E9:88:B4:E6:9C:A8']);
    });

    it('may come from elsewhere in the message', async () => {
      await deploy({ imageId: 'who.name', imageIdType: 'msg' });
      assert.equal(resultOf(await send(anna, { who: { name: 'Anna' } })).imageId, 'Anna');
    });

    it('that is missing ends in an error, and nothing is sent', async () => {
      await deploy();
      const { name, message } = errorOf(await send(anna, { topic: '' }));
      assert.equal(name, 'MissingValue');
      assert.match(message, /^Whose face \(imageId\) is required, but msg\.topic has no value/);
      assert.deepEqual(await requests(), []);
    });
  });

  describe('of several faces', () => {
    it('only the largest one is taught', async () => {
      await deploy();
      const { indexed, skipped } = resultOf(await send(draw([face(people.ben, small), face(people.anna)])));
      assert.equal(indexed.length, 1);
      assert.ok(Math.abs((indexed[0]?.box.left ?? 0) - middle.left) < 0.03);
      assert.deepEqual(skipped, []);
      assert.equal((await collections.faces('friends')).length, 1);
      for (const { input } of await requests('IndexFaces')) assert.equal(input.MaxFaces, 1);
    });

    it('of each picture in a folder only the largest one is taught', async () => {
      put('both.jpg', draw([face(people.ben, small), face(people.anna)]));
      put('more.png', draw([face(people.anna, small), face(people.ben)], 'png'));
      await deploy();
      assert.equal(resultOf(await send(folder)).indexed.length, 2);
      assert.equal((await collections.faces('friends')).length, 2);
    });
  });

  describe('a picture', () => {
    const kinds: Record<string, () => unknown> = {
      'a JPEG in a Buffer': () => anna,
      'a PNG in a Buffer': () => ben,
      'a data URL': () => `data:image/png;base64,${ben.toString('base64')}`,
      base64: () => anna.toString('base64'),
      'a Buffer that was JSON': () => JSON.parse(JSON.stringify(anna)) as unknown,
      'the path of a file': () => put('anna.jpg', anna),
      'the path of a file without an extension': () => put('anna', anna),
      'the path of a file with the wrong extension': () => put('anna.png', anna),
      'a relative path': () => relative(process.cwd(), put('anna.jpg', anna)),
      'a file URL': () => `${pathToFileURL(put('anna 1.jpg', anna))}`,
      's3://': () => 's3://nimbus-pictures/anna.jpg',
      '{S3Object}': () => ({ S3Object: { Bucket: 'nimbus-pictures', Name: 'ben.jpg' } })
    };
    for (const [kind, make] of Object.entries(kinds)) {
      it(`may be ${kind}`, async () => {
        await deploy();
        const { indexed, skipped } = resultOf(await send(make()));
        assert.equal(indexed.length, 1);
        assert.equal('file' in (indexed[0] as Indexed), false);
        assert.deepEqual(skipped, []);
        assert.deepEqual(await collections.names('friends'), ['Ada']);
      });
    }

    it('in S3 is not fetched', async () => {
      await deploy();
      resultOf(await send('s3://nimbus-pictures/anna.jpg'));
      for (const { input } of await requests('IndexFaces')) {
        assert.deepEqual(input.Image, { S3Object: { Bucket: 'nimbus-pictures', Name: 'anna.jpg' } });
      }
    });

    it('that is too large for the service is scaled down, and its box is right', async () => {
      await deploy();
      const large = withText(ben, 5.5 * 1024 * 1024);
      const [found] = resultOf(await send(large)).indexed;
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        assert.ok(Math.abs((found?.box[side] ?? 0) - middle[side]) < 0.03);
      }
      for (const { bytes } of await requests('IndexFaces')) assert.ok(bytes < 5 * 1024 * 1024);
    });

    it('without a face ends in PartialFailure, which says so', async () => {
      await deploy();
      const error = errorOf(await send(nobody));
      assert.equal(error.name, 'PartialFailure');
      assert.equal(error.message, 'Nothing was indexed: no face was found.');
      assert.deepEqual(skippedOf(error), [{ reason: 'no face was found' }]);
      assert.deepEqual(error.results, { skipped: [{ reason: 'no face was found' }] });
      assert.equal(error.retryable, false);
      assert.equal(error.operation, 'IndexFaces');
      assert.deepEqual(await collections.faces('friends'), []);
    });

    it('with a face that is not good enough ends in PartialFailure with the reason of the service', async () => {
      await deploy({ quality: 'HIGH' });
      const error = errorOf(await send(draw([face(people.anna, tiny)])));
      assert.equal(error.name, 'PartialFailure');
      assert.deepEqual(skippedOf(error), [{ reason: 'LOW_FACE_QUALITY' }]);
      assert.match(error.message, /^Nothing was indexed: LOW_FACE_QUALITY\.$/);
    });

    it('that is broken ends in InvalidValue, and nothing is sent', async () => {
      await deploy();
      assert.equal(errorOf(await send(broken)).name, 'InvalidValue');
      assert.deepEqual(await requests(), []);
    });

    it('that the service cannot decode ends in its error', async () => {
      await deploy();
      const error = errorOf(await send(withoutPixels));
      assert.equal(error.name, 'InvalidImageFormatException');
      assert.equal(error.statusCode, 400);
    });

    it('that may not be taught ends in AccessDeniedException, and no collection is made', async () => {
      await deploy({}, {}, 'limited');
      assert.equal(errorOf(await send(anna)).name, 'AccessDeniedException');
      assert.deepEqual(await operations(), ['IndexFaces']);
    });
  });

  describe('on the wire', () => {
    const wires: [what: string, node: Record<string, unknown>, sent: Record<string, unknown>][] = [
      ['the defaults', {}, { DetectionAttributes: ['DEFAULT'], QualityFilter: 'AUTO', MaxFaces: 1 }],
      ['all attributes', { attributes: 'ALL' }, { DetectionAttributes: ['ALL'] }],
      ['attributes with commas', { attributes: 'default, smile' }, { DetectionAttributes: ['DEFAULT', 'SMILE'] }],
      [
        'a list of attributes',
        { attributes: '["AGE_RANGE","GENDER"]', attributesType: 'json' },
        { DetectionAttributes: ['AGE_RANGE', 'GENDER'] }
      ],
      [
        'attributes of the message',
        { attributes: 'which', attributesType: 'msg' },
        { DetectionAttributes: ['EYEGLASSES', 'BEARD'] }
      ],
      ['no attributes', { attributes: '' }, { DetectionAttributes: undefined }],
      ...['NONE', 'LOW', 'MEDIUM', 'HIGH'].map(
        (quality): [string, Record<string, unknown>, Record<string, unknown>] => [
          `the quality ${quality}`,
          { quality },
          { QualityFilter: quality }
        ]
      )
    ];
    for (const [what, node, expected] of wires) {
      it(`are ${what}`, async () => {
        await deploy(node);
        resultOf(await send(anna, { which: ['EYEGLASSES', 'beard'] }));
        for (const { input } of await requests('IndexFaces')) {
          for (const [name, value] of Object.entries(expected)) assert.deepEqual(input[name], value);
          assert.equal(input.CollectionId, 'friends');
          assert.equal(input.ExternalImageId, 'Ada');
        }
      });
    }
  });

  describe('a folder', () => {
    /** A folder as people have them. */
    function fill(): void {
      put('a.jpg', anna);
      put('b', ben);
      put('c.JPG', broken);
      put('d.txt', 'Ada and Ben, in the garden');
      put('e.png', nobody);
      put('f.heic', Buffer.from('\0\0\0\x18ftypheic'));
      put('g.txt', anna);
      put('h.jpg', '');
      put('i.jpeg', '<html>Sign in</html>');
      mkdirSync(join(folder, 'j.jpg'));
      put('j.jpg/anna.jpg', anna);
      symlinkSync('a.jpg', join(folder, 'k.jpg'));
      symlinkSync('a.jpg', join(folder, 'l'));
      execFileSync('mkfifo', [join(folder, 'm.jpg')]);
      put('n.jpg', withoutPixels);
      put('o.jpg', createCanvas(79, 79).encodeSync('jpeg'));
      put('z.png', ben);
    }

    it('is every JPEG and PNG directly in it, by content; what is wrong with one stops no other', async () => {
      fill();
      await deploy();
      const { indexed, skipped, ...rest } = resultOf(await send(folder));
      assert.deepEqual(rest, { collection: 'friends', imageId: 'Ada', externalImageId: 'Ada' });
      assert.deepEqual(
        indexed.map(({ file }) => file),
        ['a.jpg', 'b', 'g.txt', 'z.png']
      );
      for (const { faceId, confidence, box } of indexed) {
        assert.match(faceId, /^[0-9a-f-]{36}$/);
        assert.ok(confidence > 90);
        assert.ok(Math.abs(box.width - middle.width) < 0.03);
      }
      assert.deepEqual(
        skipped.map(({ file }) => file),
        ['c.JPG', 'e.png', 'h.jpg', 'i.jpeg', 'k.jpg', 'n.jpg', 'o.jpg']
      );
      const reasons = [
        /cut off/,
        /^no face was found$/,
        /empty/,
        /web page/,
        /^it is a link$/,
        /decode/,
        /at least 80/
      ];
      for (const [number, { reason }] of skipped.entries()) assert.match(reason, reasons[number] as RegExp);
      // Of the same picture under the same name the service keeps one face.
      assert.deepEqual(await collections.names('friends'), ['Ada', 'Ada']);
    });

    it('sends nothing for what it skips before', async () => {
      fill();
      await collections.create('friends');
      await deploy();
      resultOf(await send(folder));
      // a.jpg, b, e.png, g.txt, n.jpg, z.png
      assert.deepEqual(await operations(), Array(6).fill('IndexFaces'));
    });

    for (const [kind, make] of Object.entries({
      'with a slash at its end': () => `${folder}/`,
      'as a relative path': () => relative(process.cwd(), folder),
      'as a file URL': () => `${pathToFileURL(folder)}`,
      'behind a link': () => {
        mkdirSync(join(folder, 'links'));
        symlinkSync('..', join(folder, 'links/link'));
        return join(folder, 'links/link');
      }
    })) {
      it(`may be given ${kind}`, async () => {
        put('anna.jpg', anna);
        await deploy();
        assert.equal(resultOf(await send(make())).indexed[0]?.file, 'anna.jpg');
      });
    }

    it('may have any names in it', async () => {
      const names = ['-rf.jpg', ' .jpg', '#?%20.jpg', 'a\nb.jpg', '\u202egpj.jpg', 'Ü.jpg', '花.jpg', '😀.jpg'].sort();
      for (const name of names) put(name, anna);
      await deploy();
      assert.deepEqual(
        resultOf(await send(folder)).indexed.map(({ file }) => file),
        names
      );
    });

    it('is worked off five pictures at a time, and its results are in the order of the files', async () => {
      await collections.create('friends');
      let [now, most] = [0, 0];
      relay.answer = async () => {
        now += 1;
        most = Math.max(most, now);
        const pause = 20 + 150 / relay.exchanges.length;
        await bench.red.until(() => now >= 5 || relay.exchanges.length === 14, 'five requests at a time');
        // For a sixth one, and so that the first ones take the longest.
        await new Promise((resolve) => setTimeout(resolve, pause));
        now -= 1;
        return undefined;
      };
      const names = Array.from({ length: 14 }, (_, number) => `${String(number).padStart(2, '0')}.jpg`);
      for (const name of names) put(name, name > '10' ? nobody : anna);
      await deploy({}, { endpoint: relay.url });
      const { indexed, skipped } = resultOf(await send(folder));
      assert.equal(most, 5);
      assert.equal(relay.exchanges.length, 14);
      assert.deepEqual(
        [...indexed, ...skipped].map(({ file }) => file),
        names
      );
      assert.equal(skipped.length, 4);
    });

    it('shows in its status how far it has come, and how many were skipped', async () => {
      const names = ['1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg', '6.jpg', '7.jpg'];
      for (const name of names) put(name, name === '3.jpg' ? broken : anna);
      await deploy();
      const outcome = await send(folder);
      resultOf(outcome);
      const texts = outcome.statuses.map(({ text = '' }) => text).filter((text) => text.includes('/'));
      assert.equal(texts.length, 7);
      for (const [number, text] of texts.entries()) assert.match(text, new RegExp(`^${number + 1}/7(?: ✗1)?$`));
      assert.equal(texts.at(-1), '7/7 ✗1');
      for (const { fill: colour, shape, text } of outcome.statuses) {
        if (text?.includes('/')) assert.deepEqual([colour, shape], ['blue', 'dot']);
      }
      assert.deepEqual(outcome.statuses.at(-1), {});
      assert.deepEqual(bench.red.statuses('index').at(-1), {});
    });

    it('in which one picture cannot even be made smaller goes on with the others', async () => {
      // Too wide for a JPEG, and too many bytes to be sent as it is.
      put('a.png', withText(createCanvas(70_000, 100).encodeSync('png'), 6 * 1024 * 1024));
      for (let number = 0; number < 10; number += 1) put(`b${number}.jpg`, anna);
      // Nothing is answered before that is known.
      const skips = () => bench.red.statuses('index').some(({ text }) => text?.includes('✗1'));
      relay.answer = async () => {
        await bench.red.until(skips, 'the first skip');
        return undefined;
      };
      await deploy({}, { endpoint: relay.url });
      const { indexed, skipped } = resultOf(await send(folder));
      assert.equal(indexed.length, 10);
      assert.deepEqual(
        skipped.map(({ file }) => file),
        ['a.png']
      );
    });

    it('without rights ends early in AccessDeniedException', async () => {
      for (let number = 0; number < 30; number += 1) put(`${number}.jpg`, number === 4 ? broken : anna);
      await deploy({}, {}, 'limited');
      const outcome = await send(folder);
      assert.equal(errorOf(outcome).name, 'AccessDeniedException');
      assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.denied' });
      assert.ok((await requests()).length <= 5);
    });

    /** Pictures that are told apart by a comment. */
    const thirty = () => {
      for (let number = 10; number < 40; number += 1) {
        const comment = Buffer.from([0xff, 0xfe, 0, 4, 0, number]);
        put(`${number}.jpg`, Buffer.concat([anna.subarray(0, 2), comment, anna.subarray(2)]));
      }
    };
    const resultsIn = (error: NodeError) => error.results as Pick<Taught, 'indexed' | 'skipped'>;

    it('whose rights end in the middle is an error, which tells what was taught, and what was not sent', async () => {
      await collections.create('friends');
      relay.answer = () => (relay.exchanges.length > 3 ? refusal('AccessDeniedException') : undefined);
      thirty();
      await deploy({}, { endpoint: relay.url });
      const outcome = await send(folder);
      const error = errorOf(outcome);
      assert.equal(error.name, 'AccessDeniedException');
      const { indexed, skipped } = resultsIn(error);
      assert.deepEqual([indexed.length, skipped.length], [3, 27]);
      assert.ok(skipped.some(({ reason }) => reason === 'not sent after AccessDeniedException'));
      assert.deepEqual((error.cause as { results?: unknown }).results, { indexed, skipped });
      assert.ok(relay.exchanges.length <= 8);
      assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.denied' });
    });

    it('whose collection cannot be made is an error at once', async () => {
      relay.answer = ({ headers }) =>
        headers['x-amz-target']?.endsWith('CreateCollection') ? refusal('AccessDeniedException') : undefined;
      thirty();
      await deploy({}, { endpoint: relay.url });
      assert.equal(errorOf(await send(folder)).name, 'AccessDeniedException');
      assert.ok(relay.exchanges.length <= 12);
    });

    for (const [what, name] of [
      ['a throttled one', 'ProvisionedThroughputExceededException'],
      ['a fault of the service', 'InternalServerError']
    ] as const) {
      it(`of which one picture meets ${what} goes on with the others`, async () => {
        await collections.create('friends');
        let body = '';
        relay.answer = (exchange) => {
          if (relay.exchanges.length === 7) body = exchange.body;
          return exchange.body === body ? refusal(name) : undefined;
        };
        thirty();
        await deploy({}, { endpoint: relay.url });
        const { indexed, skipped } = resultOf(await send(folder));
        assert.deepEqual([indexed.length, skipped.length], [29, 1]);
      });
    }

    it('of which one picture after the other meets a fault that may pass ends in it', async () => {
      await collections.create('friends');
      relay.answer = ({ body }) => {
        const isFirst = relay.exchanges.findIndex((exchange) => exchange.body === body) < 3;
        return isFirst ? undefined : refusal('ThrottlingException');
      };
      thirty();
      await deploy({}, { endpoint: relay.url });
      const error = errorOf(await send(folder));
      assert.deepEqual([error.name, error.retryable], ['ThrottlingException', true]);
      const { indexed, skipped } = resultsIn(error);
      assert.deepEqual([indexed.length, skipped.length], [3, 27]);
      assert.ok(new Set(relay.exchanges.map(({ body }) => body)).size <= 18);
    });

    it('of which the only picture meets a fault that may pass fails with it', async () => {
      await collections.create('friends');
      relay.answer = () => refusal('ThrottlingException');
      put('a.jpg', anna);
      put('b.jpg', nobody);
      await deploy({}, { endpoint: relay.url });
      const { name, retryable } = errorOf(await send(folder));
      assert.deepEqual([name, retryable], ['ThrottlingException', true]);
    });

    it('that is empty ends in PartialFailure', async () => {
      put('notes.txt', 'none');
      await deploy();
      const error = errorOf(await send(folder));
      assert.equal(error.name, 'PartialFailure');
      assert.equal(error.message, 'Nothing was indexed: there is no JPEG or PNG in the folder.');
      assert.deepEqual(skippedOf(error), []);
      assert.deepEqual(await requests(), []);
    });

    it('of which nothing was taught ends in PartialFailure, which says why', async () => {
      put('a.jpg', broken);
      put('b.jpg', nobody);
      put('c.jpg', createCanvas(79, 79).encodeSync('jpeg'));
      await deploy();
      const outcome = await send(folder);
      const error = errorOf(outcome);
      assert.equal(error.name, 'PartialFailure');
      assert.match(
        error.message,
        /^Nothing was indexed: a\.jpg: the picture is cut off.*; 2 more pictures were skipped\.$/
      );
      assert.deepEqual(
        skippedOf(error).map(({ file }) => file),
        ['a.jpg', 'b.jpg', 'c.jpg']
      );
      assert.match(String(skippedOf(error)[1]?.reason), /^no face was found$/);
      assert.match(String(skippedOf(error)[2]?.reason), /^the picture must be at least 80 pixels .* 79 × 79\.$/);
      assert.equal(outcome.msg.payload, folder);
    });

    it('of which nothing was taught is told in a sentence with one full stop', async () => {
      put('c.jpg', createCanvas(79, 79).encodeSync('jpeg'));
      await deploy();
      const said = 'c.jpg: the picture must be at least 80 pixels wide and high, but has 79 × 79.';
      assert.equal(errorOf(await send(folder)).message, `Nothing was indexed: ${said}`);
    });

    it('shows what a Catch node needs to know', async () => {
      put('a.jpg', nobody);
      const caught = { id: 'catch', type: 'catch', scope: ['index'], uncaught: false, wires: [['caught']] };
      await bench.red.deploy([account(bench, { rekognitionRate: 0 }), index(), sink('out'), caught, sink('caught')], {
        credentials: credentials()
      });
      await send(folder);
      const { error } = (await bench.red.next('caught')) as unknown as { error: { code: string; cause: object } };
      assert.deepEqual((error.cause as { results: object }).results, {
        skipped: [{ file: 'a.jpg', reason: 'no face was found' }]
      });
    });

    it('that does not exist ends in InvalidValue', async () => {
      await deploy();
      const error = errorOf(await send(join(folder, 'missing')));
      assert.equal(error.name, 'InvalidValue');
      assert.match(
        error.message,
        /^Picture or folder \(image\): ".*" cannot be read: there is no such file or folder\.$/
      );
    });

    it('ends with Closed when the node is closed, and sends nothing any more', async function () {
      this.timeout(120_000);
      await collections.create('friends');
      let answered = 0;
      // Slow enough that pictures are left when the node's time is up.
      relay.answer = async () => {
        await new Promise((resolve) => setTimeout(resolve, 3000).unref());
        answered += 1;
        return undefined;
      };
      for (let number = 0; number < 40; number += 1) put(`${number}.jpg`, anna);
      await deploy({}, { endpoint: relay.url });
      const outcome = await bench.red.begin('index', { payload: folder, topic: 'Ada' }, 20_000);
      await bench.red.until(() => relay.exchanges.length === 5, 'five requests');
      await bench.red.deploy([]);
      await bench.red.until(() => outcome.done === 1, 'the end of the message');
      assert.equal(errorOf(outcome).name, 'Closed');
      const sent = relay.exchanges.length;
      assert.ok(sent >= 10 && sent <= 25, `${sent} requests`);
      // What was on its way comes to its end; nothing follows.
      await bench.red.until(() => answered === sent, 'the last answers');
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(relay.exchanges.length, sent);
      assert.equal(outcome.done, 1);
      assert.deepEqual(outcome.sent, []);
    });
  });

  describe('raw output', () => {
    it('of a picture is the service’s own answer', async () => {
      await deploy({ output: 'raw' });
      const raw = resultOf<Record<string, unknown>>(await send(anna));
      assert.deepEqual(Object.keys(raw).sort(), ['FaceModelVersion', 'FaceRecords', 'UnindexedFaces']);
      const [{ Face: known, FaceDetail } = {}] = raw.FaceRecords as { Face?: Face; FaceDetail?: object }[];
      assert.equal(known?.ExternalImageId, 'Ada');
      assert.ok(FaceDetail);
    });

    it('of a folder is an answer for each file, or why there is none', async () => {
      put('a.jpg', anna);
      put('b.jpg', broken);
      put('c.jpg', nobody);
      await deploy({ output: 'raw' });
      const [first, second, third, ...rest] = resultOf<Record<string, unknown>[]>(await send(folder));
      assert.deepEqual(rest, []);
      assert.equal(first?.File, 'a.jpg');
      assert.deepEqual(Object.keys(first ?? {}).sort(), ['FaceModelVersion', 'FaceRecords', 'File', 'UnindexedFaces']);
      assert.deepEqual(Object.keys(second ?? {}), ['File', 'Reason']);
      assert.match(String(second?.Reason), /cut off/);
      assert.equal(third?.File, 'c.jpg');
      assert.deepEqual(third?.FaceRecords, []);
    });

    it('has all attributes where they are asked for', async () => {
      await deploy({ output: 'raw', attributes: 'ALL' });
      const { FaceRecords } = resultOf<{ FaceRecords: { FaceDetail: object }[] }>(await send(anna));
      assert.ok('AgeRange' in (FaceRecords[0]?.FaceDetail ?? {}));
    });
  });

  it('teaches faces that aws-rekognition-detect finds under the taught names', async () => {
    const identify = detectNode({ operation: 'identify', collection: 'friends', collectionType: 'str' });
    await bench.red.deploy([account(bench, { rekognitionRate: 0 }), index(), identify, sink('out')], {
      credentials: credentials()
    });
    put('1.jpg', ben);
    put('2.jpg', draw([face(people.ben, { left: 0.25, top: 0.15, width: 0.5, height: 0.7 })]));
    resultOf(await send(anna, { topic: 'Ada Lovelace' }));
    assert.equal(resultOf(await send(folder, { topic: 'Ben' })).indexed.length, 2);
    const places = [0.04, 0.37, 0.7].map((left) => ({ left, top: 0.3, width: 0.22, height: 0.34 }));
    const [left, centre, right] = places as [Box, Box, Box];
    const payload = drawPicture(
      { things: [face(people.ben, left), face(people.anna, centre), face(people.dora, right)] },
      { width: 640, height: 480, format: 'jpeg' }
    );
    const { objects } = resultOf<{
      objects: { name: string; box: Box; match: { name: string; similarity: number } }[];
    }>(await bench.red.send('detect', { payload }));
    const found = objects.sort((one, other) => one.box.left - other.box.left);
    assert.deepEqual(
      found.map(({ name, match }) => [name, match?.name ?? null]),
      [
        ['Ben', 'Ben'],
        ['Ada Lovelace', 'Ada Lovelace'],
        ['unknown', null]
      ]
    );
    assert.equal((await collections.faces('friends')).length, 3, 'a search adds no face');
  });
});
