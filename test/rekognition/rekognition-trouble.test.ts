/** What happens to pictures when answers come late, in another order, not at all, or say what nobody expects. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { crc32, deflateSync } from 'node:zlib';
import { createCanvas, loadImage } from 'canvas';
import { closed } from '../../nodes/fields/errors';
import { pictureFrom } from '../../nodes/rekognition/picture';
import { account, credentials, deployAction, detectNode, useBench } from '../aws';
import { sink } from '../node-red';
import { operationOf, useRelay } from '../relay';

/** The built ones: the thread is a file of its own. */
const { annotate, needRoom } =
  require('../../dist/nodes/rekognition/pixels.js') as typeof import('../../nodes/rekognition/pixels');

function picture(width = 320, height = 240, colour = '#888'): Buffer {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return canvas.encodeSync('jpeg', 80);
}

/** A white PNG of one bit for each pixel: some KB, however large it is. */
function smallPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const pixels = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

const json = (answer: object) => ({ body: JSON.stringify(answer) });
const nothing = json({ Labels: [] });

interface Box {
  Left: number;
  Top: number;
  Width: number;
  Height: number;
}
const faces = (...boxes: Box[]) => json({ FaceDetails: boxes.map((BoundingBox) => ({ Confidence: 99, BoundingBox })) });

describe('Rekognition in trouble', () => {
  const bench = useBench();
  const relay = useRelay(bench);
  let folder: string;
  beforeEach(async () => {
    relay.answer = () => nothing;
    folder = await mkdtemp(join(tmpdir(), 'nimbus-pictures-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const deploy = (properties: Record<string, unknown> = {}): Promise<void> =>
    deployAction(bench, detectNode(properties), { rekognitionRate: 0, endpoint: relay.url });
  const identify = { operation: 'identify', collection: 'family', collectionType: 'str' };
  const asked = (operation: string): number => relay.exchanges.filter((each) => operationOf(each) === operation).length;

  it('pays for no more searches once one was refused', async () => {
    const many = Array.from({ length: 40 }, (_, n) => ({ Left: (n % 10) / 10, Top: 0.1, Width: 0.09, Height: 0.09 }));
    relay.answer = (exchange) =>
      operationOf(exchange) === 'DetectFaces'
        ? faces(...many)
        : { status: 400, errorType: 'AccessDeniedException', body: '{"Message":"no"}' };
    await deploy(identify);
    const { error, done, statuses } = await bench.red.send('detect', { payload: picture(1000, 1000) });
    assert.deepEqual([error?.code, done], ['AccessDeniedException', 1]);
    assert.ok(asked('SearchFacesByImage') <= 5, `${asked('SearchFacesByImage')} searches`);
    assert.deepEqual(statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.denied' });
  });

  it('sends no face smaller than the service takes, wherever its box is', async () => {
    const sizes: number[] = [];
    const odd = [
      { Left: 0.99, Top: 0.1, Width: 0.15, Height: 0.8 },
      { Left: 0.5, Top: 0, Width: 0.01, Height: 1 },
      { Left: 1.2, Top: 0.5, Width: 0.2, Height: 0.2 },
      { Left: -0.1, Top: -0.1, Width: 0.2, Height: 0.2 },
      { Left: 0.3, Top: 0.3, Width: -0.2, Height: 0.2 },
      { Left: 0, Top: 0, Width: 0, Height: 0 }
    ];
    relay.answer = async (exchange) => {
      if (operationOf(exchange) === 'DetectFaces') return faces(...odd);
      const { Image } = JSON.parse(exchange.body) as { Image: { Bytes: string } };
      const { width, height } = await loadImage(Buffer.from(Image.Bytes, 'base64'));
      sizes.push(Math.min(width, height));
      return json({ FaceMatches: [] });
    };
    await deploy({ ...identify, annotate: 'jpeg' });
    const { error } = await bench.red.send('detect', { payload: picture(1920, 1080) });
    assert.equal(error, undefined);
    assert.equal(sizes.length, odd.length);
    assert.ok(
      sizes.every((size) => size >= 80),
      String(sizes)
    );
  });

  it('keeps the later picture as the latest one, whichever answer comes first', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    relay.answer = async () => {
      if (relay.exchanges.length === 1) await held;
      return nothing;
    };
    await deploy({ saveFolder: folder, source: 'porch' });
    const early = await bench.red.begin('detect', { payload: picture(320, 240, '#f00') });
    await bench.red.until(() => relay.exchanges.length === 1, 'the first request');
    await bench.red.send('detect', { payload: picture(320, 240, '#00f') });
    release();
    await bench.red.until(() => early.done, 'the first picture to end');
    const context = createCanvas(320, 240).getContext('2d');
    context.drawImage(await loadImage(await readFile(join(folder, 'porch_latest.jpg'))), 0, 0);
    const [red = 0, , blue = 0] = context.getImageData(160, 120, 1, 1).data;
    assert.ok(blue > 200 && red < 50, `it is rgb(${red}, …, ${blue})`);
  });

  it('analyses a picture of another size, although the same is to be seen in it', async () => {
    await deploy({ skipUnchanged: '5' });
    await bench.red.send('detect', { payload: picture() });
    const { sent } = await bench.red.send('detect', { payload: picture(640, 480) });
    const [found] = sent as [{ payload: { image: object } }];
    assert.deepEqual(found.payload.image, { width: 640, height: 480 });
    assert.equal(asked('DetectLabels'), 2);
  });

  it('tells Catch nodes of a picture that was not saved, with the message as it came, and the result goes on', async () => {
    await bench.red.deploy(
      [
        account(bench, { rekognitionRate: 0, endpoint: relay.url }),
        detectNode({ saveFolder: join(folder, 'missing') }),
        sink('out'),
        { id: 'catch', type: 'catch', scope: ['detect'], wires: [['caught']] },
        sink('caught'),
        { id: 'complete', type: 'complete', scope: ['detect'], wires: [['completed']] },
        sink('completed')
      ],
      { credentials: credentials() }
    );
    const payload = picture();
    const { done, error, sent } = await bench.red.send('detect', { payload });
    const caught = await bench.red.next('caught');
    await bench.red.next('completed');
    assert.deepEqual([done, error, sent.length], [1, undefined, 1]);
    assert.ok(payload.equals(caught.payload as Buffer));
    const { code, message } = caught.error as { code: string; message: string };
    assert.equal(code, 'InvalidValue');
    assert.match(
      message,
      /^InvalidValue: Save in folder \(saveFolder\): the picture was not saved in .*: there is no such folder\.$/
    );
    const [found] = sent as [{ payload: { saved: object } }];
    assert.deepEqual(found.payload.saved, { error: { name: code, message: message.replace('InvalidValue: ', '') } });
    assert.deepEqual([bench.red.received('caught').length, bench.red.received('completed').length], [1, 1]);
  });

  describe('the thread that draws', () => {
    const drawn = pictureFrom(picture(), 'image');

    /** What the thread is told. */
    const words: { task?: { do: string }; bytes?: Uint8Array; keep?: boolean; forget?: number; picture?: number }[] =
      [];
    const { postMessage } = Worker.prototype;
    beforeEach(() => {
      words.length = 0;
      Worker.prototype.postMessage = function (this: Worker, ...given: Parameters<typeof postMessage>) {
        // As it is now: its bytes are handed over.
        words.push({ ...given[0] });
        postMessage.apply(this, given);
      };
    });
    afterEach(() => {
      Worker.prototype.postMessage = postMessage;
    });
    const tasks = () => words.flatMap(({ task }) => task?.do ?? []);
    const decoded = () => words.filter(({ bytes }) => bytes);
    /** The pictures that it still keeps. */
    const kept = () => {
      const forgotten = new Set(words.map(({ forget }) => forget));
      return words.filter(({ keep, picture: number }) => keep && !forgotten.has(number));
    };

    /** More than the service takes: hardly any compression can make it smaller. */
    function noise(width: number, height: number): Buffer {
      const context = createCanvas(width, height).getContext('2d');
      const pixels = context.getImageData(0, 0, width, height);
      let state = 1;
      for (let at = 0; at < pixels.data.length; at += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        pixels.data[at] = at % 4 === 3 ? 255 : state >>> 24;
      }
      context.putImageData(pixels, 0, 0);
      return context.canvas.encodeSync('png');
    }

    const two = faces(
      { Left: 0.1, Top: 0.2, Width: 0.2, Height: 0.3 },
      { Left: 0.6, Top: 0.2, Width: 0.2, Height: 0.3 }
    );
    const everything = { ...identify, skipUnchanged: '5', annotate: 'jpeg' };

    it('decodes a picture once for all that its message wants of it, and forgets it with the message', async () => {
      relay.answer = (exchange) => (operationOf(exchange) === 'DetectFaces' ? two : json({ FaceMatches: [] }));
      await deploy(everything);
      const { error } = await bench.red.send('detect', { payload: noise(1600, 1200) });
      assert.equal(error, undefined);
      assert.deepEqual(tasks(), ['measure', 'shrink', 'cut', 'annotate']);
      assert.equal(decoded().length, 1);
      assert.deepEqual(kept(), []);
    });

    it('decodes a picture once, however large it is', async () => {
      relay.answer = () => nothing;
      await deploy({ skipUnchanged: '5', annotate: 'jpeg' });
      // Decoded, it takes 160 MB.
      const { error } = await bench.red.send('detect', { payload: picture(8000, 5000) });
      assert.equal(error, undefined);
      assert.deepEqual(tasks(), ['measure', 'annotate']);
      assert.equal(decoded().length, 1);
      assert.deepEqual(kept(), []);
    });

    it('forgets a picture whose message has failed, or in which nothing has changed', async () => {
      relay.answer = () => ({ status: 400, errorType: 'AccessDeniedException', body: '{"Message":"no"}' });
      await deploy({ skipUnchanged: '5', annotate: 'jpeg' });
      const { error } = await bench.red.send('detect', { payload: picture() });
      assert.equal(error?.code, 'AccessDeniedException');
      relay.answer = () => nothing;
      for (const _ of [1, 2]) assert.equal((await bench.red.send('detect', { payload: picture() })).error, undefined);
      assert.deepEqual(tasks(), ['measure', 'measure', 'annotate', 'measure']);
      assert.equal(decoded().length, 3);
      assert.deepEqual(kept(), []);
    });

    it('forgets a picture that is broken, so that it is told of it each time', async () => {
      const broken = Buffer.from('ffd8ffc0000b080064006401011100ffda0008010100003f0055ffd9', 'hex');
      await deploy({ skipUnchanged: '5', annotate: 'jpeg' });
      for (const _ of [1, 2]) {
        assert.equal((await bench.red.send('detect', { payload: broken })).error?.code, 'InvalidValue');
      }
      assert.equal(decoded().length, 2);
      assert.deepEqual(kept(), []);
    });

    it('keeps no more pictures than it has room for: those of many messages are decoded again, and not mixed up', async () => {
      const held: (() => void)[] = [];
      relay.answer = async () => {
        await new Promise<void>((resolve) => held.push(resolve));
        return nothing;
      };
      await deploy({ skipUnchanged: '5', annotate: 'jpeg', source: 'camera', sourceType: 'msg' });
      const colours = ['#f00', '#0f0', '#00f'];
      // Decoded, each of them takes 120 MB.
      const begun = await Promise.all(
        colours.map((colour) => bench.red.begin('detect', { payload: picture(6000, 5000, colour), camera: colour }))
      );
      await bench.red.until(() => held.length === 3, 'all pictures to be measured');
      assert.equal(decoded().length, 3);
      assert.equal(kept().length, 1);
      for (const answer of held) answer();
      await bench.red.until(() => begun.every(({ done }) => done === 1), 'all messages to end');
      for (const [number, { error, sent }] of begun.entries()) {
        assert.equal(error, undefined);
        const context = createCanvas(60, 50).getContext('2d');
        context.drawImage(await loadImage(sent[0]?.image as Buffer), 0, 0, 60, 50);
        const colour = [...context.getImageData(30, 25, 1, 1).data.subarray(0, 3)];
        assert.equal(colour.indexOf(Math.max(...colour)), number);
      }
      assert.ok(decoded().length >= 5, `${decoded().length} decoded`);
      assert.deepEqual(kept(), []);
    });

    it('does nothing for a message that has ended', async () => {
      const over = AbortSignal.abort(closed());
      await assert.rejects(annotate(drawn, [], undefined, 'jpeg', over), { name: 'Closed' });
      assert.ok((await annotate(drawn, [], undefined, 'jpeg')).length > 500);
    });

    const deployTwo = (properties: Record<string, unknown>) =>
      bench.red.deploy(
        [
          account(bench, { rekognitionRate: 0, endpoint: relay.url }),
          detectNode({ id: 'flood', ...properties }),
          detectNode({ id: 'other', ...properties }),
          sink('out')
        ],
        { credentials: credentials() }
      );

    it('holds only so many pixels of a node, however few bytes they have, and has room for those of another', async () => {
      const refusals: (() => void)[] = [];
      relay.answer = async () => {
        await new Promise<void>((resolve) => refusals.push(resolve));
        return { status: 400, errorType: 'AccessDeniedException', body: '{"Message":"no"}' };
      };
      await deployTwo({ annotate: 'jpeg' });
      const payload = smallPng(8000, 8000);
      assert.ok(payload.length < 10_000);
      const flood = await Promise.all(Array.from({ length: 20 }, () => bench.red.begin('flood', { payload })));
      const other = await bench.red.begin('other', { payload });
      await bench.red.until(() => refusals.length === 16, 'those that have room to be asked for');
      const throttled = flood.filter(({ done }) => done === 1);
      assert.equal(throttled.length, 5);
      for (const { error } of throttled) {
        assert.equal(error?.code, 'RequestThrottled');
        assert.match(String(error?.message), / or 1000 megapixels of a node, /);
      }
      for (const refuse of refusals) refuse();
      await bench.red.until(() => [...flood, other].every(({ done }) => done === 1), 'all to end');
      assert.equal(other.error?.code, 'AccessDeniedException');
      relay.answer = () => ({ status: 400, errorType: 'AccessDeniedException', body: '{"Message":"no"}' });
      assert.equal((await bench.red.send('flood', { payload })).error?.code, 'AccessDeniedException');
    });

    for (const [what, second] of [
      ['node', { id: 'other', camera: 'one' }],
      ['camera of the same node', { id: 'flood', camera: 'two' }]
    ] as const) {
      it(`draws for another ${what} while one has sent many pictures`, async () => {
        const held: (() => void)[] = [];
        relay.answer = async () => {
          await new Promise<void>((resolve) => held.push(resolve));
          return nothing;
        };
        await deployTwo({ annotate: 'jpeg', source: 'camera', sourceType: 'msg' });
        const begin = async (id: string, camera: string, payload: Buffer) => {
          const begun = await bench.red.begin(id, { payload, camera }, 30_000);
          const before = held.length;
          await bench.red.until(() => held.length > before, 'its request');
          return begun;
        };
        // While the first one is drawn, the others come to wait for it.
        const flood = [await begin('flood', 'one', picture(8000, 6000))];
        for (let number = 0; number < 10; number += 1) flood.push(await begin('flood', 'one', picture(1000, 800)));
        const other = await begin(second.id, second.camera, picture());
        held[0]?.();
        await bench.red.until(() => tasks().includes('annotate'), 'the first to be drawn');
        for (const answer of held.slice(1)) answer();
        await bench.red.until(() => other.done === 1, 'the other to end', 30_000);
        assert.equal(other.error, undefined);
        const waiting = flood.filter(({ done }) => done === 0).length;
        assert.ok(waiting >= 7, `only ${waiting} of the others waited`);
        await bench.red.until(() => flood.every(({ done }) => done === 1), 'all to end', 30_000);
      });
    }

    it('holds so much and no more, and says so', async () => {
      const large = { ...drawn, bytes: Buffer.alloc(64 * 1024 * 1024) };
      const waiting = Array.from({ length: 4 }, () => annotate(large, [], undefined, 'jpeg'));
      assert.throws(() => needRoom(drawn), {
        name: 'RequestThrottled',
        message: /^Too many messages wait .*: the thread that draws pictures holds at most 1000 or 256 MiB/
      });
      for (const { status } of await Promise.allSettled(waiting)) assert.equal(status, 'rejected');
      assert.doesNotThrow(() => needRoom(drawn));
    });
  });
});
