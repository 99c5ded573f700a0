/** Slow and dead connections between the nodes and the services: nobody waits in vain, and nothing is cut off that goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { createCanvas } from 'canvas';
import {
  account,
  credentials,
  detectNode,
  indexFaceNode,
  invokeNode,
  keysOf,
  listNode,
  receiveNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import { type FlowNode, type Message, sink } from '../node-red';
import { Wire } from '../wire';
import { useEnvironment } from './environment';

const second = 1000;

/** Lets timers from 2 s to a minute end so many times sooner. */
function hurry(times = 100): void {
  const set = globalThis.setTimeout;
  const sooner = (work: () => void, ms = 0, ...more: []) =>
    set(work, ms < 2 * second || ms > 60 * second ? ms : ms / times, ...more);
  mock.method(globalThis, 'setTimeout', Object.assign(sooner, set));
}

/** A PNG of about so many bytes: noise cannot be made smaller. */
function noise(width: number, height: number): Buffer {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(width, height);
  randomFillSync(pixels.data);
  for (let each = 3; each < pixels.data.length; each += 4) pixels.data[each] = 255;
  context.putImageData(pixels, 0, 0);
  return canvas.encodeSync('png');
}

describe('a link', () => {
  let wire: Wire;
  // First of all: what closes has to have the time that it takes.
  afterEach(() => {
    mock.restoreAll();
    wire.pace = undefined;
    wire.cut();
  });
  const bench = useBench();
  const queues = useQueues(bench);

  before(async () => {
    wire = await Wire.start(bench.aws.url);
  });
  after(() => wire.stop());

  const deploy = (nodes: FlowNode[], properties: Record<string, unknown> = {}) =>
    bench.red.deploy(
      [account(bench, { endpoint: wire.url, rekognitionRate: 0, ...properties }), ...nodes, sink('out')],
      {
        credentials: credentials()
      }
    );
  const polls = async () => (await queues.requests('ReceiveMessage')).length;

  describe('that is slow', () => {
    it('brings the messages of a receiver, however long they take', async () => {
      const queue = await queues.create();
      const bodies = [...'abcdefghij'].map((letter) => letter.repeat(30_000));
      await queues.send(queue, ...bodies);
      hurry();
      // For more than a second, when half a second of silence is the limit.
      wire.pace = { bytes: 4096, ms: 15, most: Infinity };
      await deploy([receiveNode({ queue, waitTime: 20 })]);
      const messages = await bench.red.collect('out', 10);
      assert.deepEqual(messages.map(({ payload }) => bodies.indexOf(payload as string)).sort(), [...bodies.keys()]);
      assert.deepEqual(
        messages.map(({ aws }) => aws?.receiveCount),
        Array(10).fill(1)
      );
    });

    it('takes a picture once, however long that takes', async () => {
      const picture = noise(1180, 1180);
      assert.ok(picture.length > 4_500_000 && picture.length < 5_242_880, `${picture.length} bytes`);
      // For seven seconds, when six of silence are the limit; the kernel takes two MB at a time.
      hurry(10);
      wire.pace = { bytes: 65_536, ms: 100, most: 4_200_000 };
      await deploy([detectNode({ confidence: 1 })]);
      const { error, sent } = await bench.red.send('detect', { payload: picture });
      assert.equal(error, undefined);
      assert.equal(sent[0]?.aws?.attempts, 1);
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'DetectLabels').length, 1);
    });

    it('gives an invocation no more time than its timeout, although bytes flow', async () => {
      wire.pace = { bytes: 10, ms: 20, most: Infinity };
      await deploy([invokeNode({ timeout: 0.3 })]);
      const { error } = await bench.red.send('invoke', { payload: 'x'.repeat(1000) });
      assert.equal(error?.code, 'Timeout');
    });
  });

  describe('that is silent', () => {
    it('is given up after a minute, three times', async () => {
      hurry();
      await deploy([listNode()]);
      await bench.aws.fault({ kind: 'hangAfter', operation: 'ListFunctions' });
      const { error } = await bench.red.send('list', {});
      assert.deepEqual([error?.code, error?.retryable], ['Timeout', true]);
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'ListFunctions').length, 3);
    });
  });

  describe('to a source of keys that hangs', () => {
    const env = useEnvironment();

    it('holds messages up for a minute, and says what did not answer', async () => {
      const keys = keysOf('demo');
      const answer = env.file('answer.json', '');
      const program = env.file(
        'keys.js',
        `const { readFileSync } = require('node:fs');
        const text = readFileSync(${JSON.stringify(answer)}, 'utf8');
        if (text) process.stdout.write(text);
        else setTimeout(() => undefined, 5000);`
      );
      env.config({ garden: { credential_process: `"${process.execPath}" "${program}"` } });
      hurry();
      await deploy([listNode()], { source: 'profile', profile: 'garden' });
      for (const { error } of await bench.red.sendMany('list', [{}, {}], 5 * second)) {
        assert.deepEqual([error?.code, error?.retryable], ['Timeout', true]);
        assert.match(String(error?.message), /"garden".*credential_process.* within 60 s/);
      }
      mock.restoreAll();
      env.file(
        'answer.json',
        JSON.stringify({ Version: 1, AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey })
      );
      assert.equal((await bench.red.send('list', {}, 5 * second)).error, undefined);
    });
  });

  describe('to a source of values that does not answer', () => {
    const hangs = () => new Promise(() => undefined);
    const hanging = (name: string, otherwise: string) => ({
      [name]: `$exists(hang) ? hang() : ${otherwise}`,
      [`${name}Type`]: 'jsonata'
    });

    it('holds later messages to a standard queue up for a second', async () => {
      const queue = await queues.create();
      await deploy([sendNode({ queue, ...hanging('delaySeconds', '0') })]);
      const hung = await bench.red.begin('send', { payload: 'hung', hang: hangs });
      const began = performance.now();
      const later = await bench.red.sendMany('send', [{ payload: 1 }, { payload: 2 }], 4 * second);
      assert.deepEqual(
        later.map(({ error }) => error),
        [undefined, undefined]
      );
      assert.ok(performance.now() - began > 0.9 * second);
      assert.equal((await bench.red.send('send', { payload: 3 }, 0.5 * second)).error, undefined);
      assert.equal(hung.done, 0);
    });

    it('ends a message after a minute, and says which field waits for what; the order of a FIFO queue stays', async () => {
      const queue = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      hurry(20);
      await deploy([sendNode({ queue, ...hanging('groupId', '"a"') })]);
      const hung = await bench.red.begin('send', { payload: 'hung', hang: hangs });
      const behind = await bench.red.begin('send', { payload: 'behind' });
      await bench.red.until(() => behind.done, 'the message behind', 5 * second);
      assert.deepEqual(
        [hung.done, hung.error?.code, hung.error?.retryable, behind.error],
        [1, 'Timeout', true, undefined]
      );
      assert.match(String(hung.error?.message), /\(groupId\) .*JSONata expression.* within 60 s/);
    });

    /** The harness with a context store of its own, which Node-RED takes at its start only. */
    const program = `
      const { startNodeRed } = require('./test/node-red');
      const { flow, credentials } = JSON.parse(process.argv[1]);
      const get = (scope, key, answer) => {
        if (key.includes('late')) setTimeout(answer, 300, null, 0);
        else if (key.includes('broken')) answer(new Error('no store'));
        else if (!key.includes('never')) answer(null, 0);
      };
      const done = async () => undefined;
      const remote = () => ({ open: done, close: done, delete: done, clean: done, get, set: (...all) => all.at(-1)(), keys: () => {} });
      const set = globalThis.setTimeout;
      const sooner = (work, ms = 0, ...more) => set(work, ms < 2000 ? ms : ms / 20, ...more);
      startNodeRed({ settings: { contextStorage: { default: { module: 'memory' }, remote: { module: remote } } } }).then(async (red) => {
        await red.deploy(flow, { credentials });
        const late = await red.begin('send', { payload: 'late', key: 'late' });
        const behind = await red.send('send', { payload: 'behind', key: 'here' });
        await red.until(() => late.done === 1, 'the late one to end', 30_000);
        globalThis.setTimeout = Object.assign(sooner, set);
        const never = await red.begin('send', { payload: 'never', key: 'never' });
        const others = await red.sendMany('send', [{ payload: 1, key: 'here' }, { payload: 2, key: 'broken' }]);
        const neverWasFirst = never.done === 1;
        await red.until(() => never.done === 1, 'the message to end', 30_000);
        const ends = [late, behind, never, ...others].map(({ error }) => error && error.code + ': ' + error.message);
        process.send({ neverWasFirst, ends }, () => red.stop().then(() => process.exit(0)));
      });`;

    it('such as a context store: one that is late is waited for, one that never answers for a minute, and not by others', async () => {
      const queue = await queues.create();
      const value = { delaySeconds: '#:(remote)::values[msg.key]', delaySecondsType: 'flow' };
      const flow = [account(bench), sendNode({ queue, ...value }), sink('out')];
      const child = spawn(
        process.execPath,
        ['--require', 'tsx/cjs', '-e', program, JSON.stringify({ flow, credentials: credentials() })],
        { cwd: join(__dirname, '..', '..'), stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }
      );
      let said = '';
      child.stderr?.on('data', (chunk) => {
        said += chunk;
      });
      const [told] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])])) as {
        neverWasFirst: boolean;
        ends: (string | undefined)[];
      }[];
      assert.ok(told, said.slice(-1000));
      assert.equal(told.neverWasFirst, false);
      const [late, behind, never, other, broken] = told.ends;
      assert.deepEqual([late, behind, other], [null, null, null]);
      assert.match(
        String(never),
        /^Timeout: .*\(delaySeconds\).* flow\.#:\(remote\)::values\[msg\.key\] gave no value within 60 s/
      );
      assert.match(String(broken), /^InvalidValue: .*\(delaySeconds\).* cannot be read: no store/);
    });

    it('counts for the timeout of an invocation', async () => {
      await deploy([invokeNode({ timeout: 0.2, ...hanging('clientContext', '{}') })]);
      const { error } = await bench.red.send('invoke', { payload: 1, hang: hangs });
      assert.equal(error?.code, 'Timeout');
      assert.match(String(error?.message), /clientContext.* timeout of 0.2 s; nothing was sent/);
    });

    it('holds no more than 10,000 messages', async () => {
      await deploy([listNode(hanging('maxItems', '50'))]);
      hurry(20);
      const hang = hangs;
      const begun = await Promise.all(Array.from({ length: 10_001 }, () => bench.red.begin('list', { hang }, 30_000)));
      await bench.red.until(() => begun.every(({ done }) => done === 1), 'all to end', 30_000);
      assert.equal(begun.filter(({ error }) => error?.code === 'RequestThrottled').length, 1);
      assert.equal(begun.filter(({ error }) => error?.code === 'Timeout').length, 10_000);
    });
  });

  describe('to a service that hangs', () => {
    const picture = noise(600, 600);
    const most = Math.floor((64 * 1024 * 1024) / picture.length);
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'nimbus-links-'));
      await writeFile(join(folder, 'noise.png'), picture);
    });
    after(() => rm(folder, { recursive: true }));

    for (const [from, id, node] of [
      ['messages', 'detect', detectNode()],
      ['files', 'detect', detectNode()],
      ['files', 'detect', detectNode({ annotate: 'jpeg' })],
      ['files', 'index', indexFaceNode({ collection: 'family' })]
    ] as const) {
      it(`holds no more than 64 MiB of pictures in a node: ${node.type}, ${node.annotate ?? 'none'}, from ${from}`, async () => {
        await bench.aws.fault({ kind: 'hang', service: 'rekognition' });
        await deploy([node], { endpoint: bench.aws.url });
        const msg = { payload: from === 'files' ? join(folder, 'noise.png') : picture, topic: 'Ada' };
        const begun = await Promise.all(Array.from({ length: most + 10 }, () => bench.red.begin(id, { ...msg })));
        await bench.red.until(() => begun.filter(({ done }) => done === 1).length === 10, 'those beyond');
        assert.equal(begun.filter(({ error }) => error?.code === 'RequestThrottled').length, 10);
        await bench.aws.clearFaults();
        await bench.aws.reset();
      });
    }
  });

  describe('that fails for a while', () => {
    for (const kind of ['resetBefore', 'error500'] as const) {
      it(`brings a message once, whose deletion meets ${kind}: that goes on while the message is hidden`, async () => {
        const queue = await queues.create({ VisibilityTimeout: '1' });
        // Each request is sent three times. By then the message would be shown again.
        await bench.aws.fault({ kind, operation: 'DeleteMessage', times: 7 });
        await deploy([receiveNode({ queue })]);
        await queues.send(queue, 'once');
        await bench.red.next('out');
        await bench.red.until(
          async () => {
            const { visible, hidden } = await queues.counts(queue);
            return visible + hidden === 0;
          },
          'the deletion',
          10_000
        );
        assert.equal(bench.red.received('out').length, 1);
        assert.equal((await queues.requests('DeleteMessage')).length, 8);
      });
    }

    it('costs no message a second time whose deletion fails when the receiver closes', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'error500', operation: 'DeleteMessage', times: 3 });
      await deploy([receiveNode({ queue })]);
      await queues.send(queue, 'once');
      await bench.red.next('out');
      await bench.aws.until({ operation: 'DeleteMessage', requests: 3, finished: true });
      await deploy([]);
      assert.deepEqual(await queues.counts(queue), { visible: 0, hidden: 0, delayed: 0 });
    });
  });

  describe('whose connections have died', () => {
    /** Leaves as many connections idle as there are messages. */
    async function burst(id: string, messages: Message[]): Promise<void> {
      await bench.aws.fault({ kind: 'delay', delayMs: 100, times: messages.length });
      for (const { error } of await bench.red.sendMany(id, messages)) assert.equal(error, undefined);
      assert.ok(wire.open >= messages.length);
    }
    const six = (payload: unknown): Message[] => Array.from({ length: 6 }, () => ({ payload }));

    it('takes a picture by a new one, after a few seconds', async () => {
      const picture = noise(100, 100);
      await deploy([detectNode()]);
      await burst('detect', six(picture));
      wire.die();
      // A minute would be too long for the test.
      hurry(4);
      const { error, sent } = await bench.red.send('detect', { payload: picture }, 12 * second);
      assert.equal(error, undefined);
      assert.equal(sent[0]?.aws?.attempts, 2);
    });

    it('lists functions by a new one, after a few seconds', async () => {
      await deploy([listNode()]);
      await burst('list', six(''));
      wire.die();
      hurry(4);
      const { error, sent } = await bench.red.send('list', {}, 12 * second);
      assert.deepEqual([error, sent[0]?.aws?.attempts], [undefined, 2]);
    });

    it('is not found dead twice, where only the service is slow: a request is sent again once', async () => {
      await deploy([listNode(), invokeNode()]);
      await burst('invoke', six(1));
      hurry(5);
      // Longer than the few seconds, and less than a minute.
      await bench.aws.fault({ kind: 'delay', operation: 'ListFunctions', delayMs: 2500 });
      const slow = await bench.red.begin('list');
      // Meanwhile other connections prove that they are alive, and are free again.
      for (const { error } of await bench.red.sendMany('invoke', six(1), 10 * second)) assert.equal(error, undefined);
      await bench.red.until(() => slow.done, 'the list', 10 * second);
      assert.deepEqual([slow.error, slow.sent[0]?.aws?.attempts], [undefined, 2]);
    });

    it('brings the messages of a receiver by a new one, after a few seconds', async () => {
      const queue = await queues.create();
      hurry(3);
      await deploy([receiveNode({ queue, waitTime: 1 })]);
      await bench.red.until(async () => (await polls()) > 1, 'two polls');
      wire.die();
      await queues.send(queue, 'second');
      // What is on its way to a dead connection is lost.
      assert.equal((await bench.red.next('out', 30_000)).payload, 'second');
    });

    it('keeps an invocation waiting, which may have been carried out, and none of those after it', async () => {
      await deploy([invokeNode()]);
      await burst('invoke', six(1));
      wire.die();
      const hung = await bench.red.begin('invoke', { payload: 1 });
      await wire.untilDead(1);
      for (let n = 0; n < 3; n += 1)
        assert.equal((await bench.red.send('invoke', { payload: n }, 30_000)).error, undefined);
      assert.equal(hung.done, 0);
      wire.cut();
      await bench.red.until(() => hung.done);
      assert.equal(hung.error?.code, 'ECONNRESET');
      assert.equal((await bench.aws.invocations()).length, 9);
    });

    it('carries nothing that comes when they have been idle for half a minute', async () => {
      await deploy([invokeNode()]);
      await burst('invoke', six(1));
      wire.die();
      const now = performance.now.bind(performance);
      mock.method(performance, 'now', () => now() + 31 * second);
      assert.equal((await bench.red.send('invoke', { payload: 1 }, 30_000)).error, undefined);
      await wire.untilDead(0);
    });

    for (const [what, attributes, attempts] of [
      ['sends a message to a FIFO queue again, which takes it once', { FifoQueue: 'true' }, 2],
      ['sends no message to a standard queue again, which would take it twice', {}, undefined]
    ] as const) {
      it(what, async () => {
        const isFifo = 'FifoQueue' in attributes;
        const queue = await queues.create({
          ...attributes,
          ...(isFifo && { ContentBasedDeduplication: 'true' })
        } as Record<string, string>);
        const group = isFifo ? { groupId: 'a', groupIdType: 'str' } : {};
        await deploy([sendNode({ queue, ...group })]);
        assert.equal((await bench.red.send('send', { payload: 'first' })).error, undefined);
        wire.die();
        hurry(20);
        const hung = await bench.red.begin('send', { payload: 'second' });
        const done = () => hung.done > 0;
        if (attempts === undefined) {
          await wire.untilDead(1);
          // Longer than it takes to send again what may be sent again.
          await assert.rejects(bench.red.until(done, 'the message', 300));
          return;
        }
        await bench.red.until(done, 'the message', 2 * second);
        assert.deepEqual([hung.error, hung.sent[0]?.aws?.attempts], [undefined, attempts]);
      });
    }

    it('lets a role be assumed by a new one', async () => {
      await deploy([listNode()], { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' });
      await burst('list', six(''));
      await bench.aws.clearFaults();
      await bench.aws.fault({ kind: 'expired', service: 'lambda', times: 1 });
      wire.die();
      hurry();
      // The list finds out that its connection is dead, then that its keys are refused.
      const refused = await bench.red.send('list', {}, 5 * second);
      assert.match(String(refused.error?.code), /^ExpiredToken/);
      wire.die();
      assert.equal((await bench.red.send('list', {}, 5 * second)).error, undefined);
    });
  });
});
