/** Store and forward, through a whole Node-RED and the real SDK. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { basename, join } from 'node:path';
import { mock } from 'node:test';
import type { NodeAPI } from 'node-red';
import { type Fault, type RequestRecord, roles } from '../../local-aws/client';
import { timeOf } from '../../nodes/action/status-words';
import {
  account,
  credentials,
  deployAction,
  deployNodes,
  errorOf,
  invokeNode,
  keysOf,
  publishNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import { type FlowNode, type Message, nodeRedVersion, sink } from '../node-red';
import { setClock } from '../set-clock';
import { useLeaps } from './leaps';

const { disk } = require('../../dist/nodes/outbox/disk.js') as typeof import('../../nodes/outbox/disk');
const { fromText, toText } =
  require('../../dist/nodes/outbox/json-text.js') as typeof import('../../nodes/outbox/json-text');
type OpenFile = Awaited<ReturnType<typeof disk.open>>;

describe('keep', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const outboxTime = useLeaps();
  const { leap } = outboxTime;
  let made = 0;

  /** A node with an id that no other test has, so that its store is empty. */
  const keeping = (properties: Record<string, unknown>): FlowNode => {
    made += 1;
    return sendNode({ id: `send-${made}`, keep: true, ...properties });
  };
  const stores = () => join(bench.red.userDir, 'nimbus', 'outbox');
  const storeOf = ({ id }: FlowNode) => join(stores(), id);
  /** None where there is no folder yet. */
  const filesOf = (node: FlowNode) =>
    existsSync(storeOf(node)) ? readdirSync(storeOf(node)).filter((name) => !name.startsWith('lock')) : [];
  const bytesOf = (node: FlowNode) =>
    filesOf(node)
      .map((name) => readFileSync(join(storeOf(node), name), 'latin1'))
      .join();

  /** Has the disk do something else than an operation on files. */
  const onFiles = <Name extends 'write' | 'flush' | 'read'>(
    name: Name,
    instead: (work: () => ReturnType<OpenFile[Name]>) => ReturnType<OpenFile[Name]>
  ) => {
    const open = disk.open.bind(disk);
    mock.method(disk, 'open', async (...how: Parameters<typeof open>) => {
      const file = await open(...how);
      const work = file[name].bind(file) as (...given: unknown[]) => ReturnType<OpenFile[Name]>;
      return { ...file, [name]: (...given: unknown[]) => instead(() => work(...given)) };
    });
  };
  const failing = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
  afterEach(() => mock.restoreAll());

  /** Keeps messages, each of which has to end without an error. */
  const keep = async ({ id }: FlowNode, ...msgs: Message[]): Promise<void> => {
    for (const { error, done } of await bench.red.sendMany(id, msgs)) {
      assert.equal(error, undefined);
      assert.equal(done, 1);
    }
  };
  const numbered = (count: number, more: (n: number) => Message = () => ({})): Message[] =>
    Array.from({ length: count }, (_, n) => ({ payload: String(n), ...more(n) }));
  const catching = ({ id }: FlowNode): FlowNode[] => [
    { id: 'catch', type: 'catch', scope: [id], uncaught: false, wires: [['caught']] },
    sink('caught')
  ];
  const down = (more = {}) => bench.aws.fault({ kind: 'resetBefore', service: 'sqs', ...more });
  const status = ({ id }: FlowNode) => bench.red.statuses(id).at(-1);
  const untilStatus = ({ id }: FlowNode, text: RegExp) =>
    bench.red.until(() => bench.red.statuses(id).some((each) => text.test(each.text ?? '')), String(text));
  /** All that a queue has, in its order. */
  const bodies = async (url: string): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    for (;;) {
      const messages = await queues.receive(url, { VisibilityTimeout: 600 });
      if (messages.length === 0) return found;
      found.push(...messages.map(({ Body }) => Body));
    }
  };
  /** What the last status says of how many wait, since when and why. */
  const trouble = ({ id }: FlowNode) =>
    /^(\d+) kept since (.*?): (.*)$/.exec(bench.red.statuses(id).at(-1)?.text ?? '');
  const untilTrouble = (node: FlowNode) =>
    bench.red.until(() => trouble(node), 'a status that says what kept messages wait for');
  /** When it has come to nothing, the fault is over, and then the longest pause. */
  const up = async (node: FlowNode): Promise<void> => {
    await untilTrouble(node);
    await bench.aws.clearFaults();
    leap(60_000);
  };
  /** When nothing is under way any more because it has come to nothing: what waits for its next try is all that is due. */
  const resting = (due = 1) => bench.red.until(() => outboxTime.due >= due, 'the end of all requests');
  /** All time that it takes passes, until so many messages have gone on. */
  const untilOut = (count: number) =>
    bench.red.until(() => {
      leap(60_000);
      return bench.red.received('out').length >= count;
    }, `${count} messages`);
  const errorsIn = (text: RegExp) =>
    bench.red.logs.filter(({ level, text: line }) => level === 'error' && text.test(line));

  it('ends a message when it is safe, and sends it on once when the service has accepted it', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await deployAction(bench, node);
    const before = Date.now();
    const { sent, done, error } = await bench.red.send(node.id, { payload: 'one', topic: 'here', _msgid: 'id' });
    assert.deepEqual({ sent, done, error }, { sent: [], done: 1, error: undefined });
    const { payload, topic, aws, _msgid } = await bench.red.next('out');
    assert.deepEqual([topic, _msgid], ['here', 'id']);
    assert.equal((payload as { MessageId: string }).MessageId.length, 36);
    const { keptAt, requestId, ...rest } = aws ?? {};
    assert.ok(Number(keptAt) >= before && Number(keptAt) <= Date.now());
    assert.equal(typeof requestId, 'string');
    const expected = { service: 'sqs', operation: 'SendMessage', region: 'us-east-1', statusCode: 200, attempts: 1 };
    assert.deepEqual(rest, { ...expected, tries: 1 });
    assert.deepEqual(await bodies(url), ['one']);
  });

  it('checks the fields first: what is wrong with them fails at once, and is not kept', async () => {
    const node = keeping({ queue: 'no queue', queueType: 'str' });
    await deployAction(bench, node);
    assert.equal(errorOf(await bench.red.send(node.id, { payload: 'one' })).code, 'InvalidValue');
    assert.deepEqual(filesOf(node), []);
  });

  it('ends no message before it is flushed, and flushes once for those that come together', async () => {
    const node = keeping({ queue: await queues.create() });
    let flushes = 0;
    let held: Promise<unknown> | undefined;
    onFiles('flush', async (flush) => {
      flushes += 1;
      await held;
      return flush();
    });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'opens the file' });
    flushes = 0;
    const gate = new EventEmitter();
    held = once(gate, 'open');
    const begun = await Promise.all(numbered(10).map((msg) => bench.red.begin(node.id, msg)));
    await bench.red.until(() => flushes > 0);
    // What would end them too early has had its turn.
    await bench.aws.requests();
    assert.deepEqual(
      begun.map(({ done }) => done),
      Array(10).fill(0)
    );
    gate.emit('open');
    await bench.red.until(() => begun.every(({ done }) => done === 1));
    assert.equal(flushes, 1);
  });

  it('keeps messages in files that only their owner may read', async () => {
    const node = keeping({ queue: await queues.create() });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'one' });
    if (process.platform === 'win32') return;
    assert.equal(statSync(storeOf(node)).mode & 0o777, 0o700);
    for (const name of readdirSync(storeOf(node)))
      assert.equal(statSync(join(storeOf(node), name)).mode & 0o077, 0, name);
  });

  it('sends what waits in order, in batches of 10; what comes later lines up behind', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'first' });
    await untilStatus(node, /^1 kept since .*: no connection$/);
    await keep(node, ...numbered(24));
    await up(node);
    const messages = await bench.red.collect('out', 25);
    assert.equal(messages[0]?.aws?.tries, 2);
    assert.deepEqual(await bodies(url), ['first', ...numbered(24).map(({ payload }) => payload)]);
    const sizes = (await queues.requests('SendMessage')).map(entriesIn);
    assert.deepEqual(sizes, [1, 10, 10, 5]);
    await bench.red.until(() => JSON.stringify(status(node)) === '{}');
    await bench.red.until(() => bench.red.logs.some(({ text }) => text.includes('kept messages go out again')));
  });

  it('tries what waits at once when another request of the account succeeds', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down({ operation: 'SendMessage' });
    await deployNodes(bench, [node, sink('out'), invokeNode({ wires: [] })]);
    await keep(node, { payload: 'one' });
    await untilTrouble(node);
    const tries = async () => (await queues.requests('SendMessage')).length;
    const succeed = async () => assert.equal((await bench.red.send('invoke', { payload: {} })).error, undefined);
    // The pauses are of several seconds by now: it is tried as often as something else succeeds, but once a second at most.
    for (let count = 1; count <= 5; count += 1) {
      await succeed();
      leap(999);
      await succeed();
      assert.equal(await tries(), count);
      leap(1);
      await bench.red.until(async () => (await tries()) > count);
      await resting();
    }
    await bench.aws.clearFaults();
    await succeed();
    leap(1000);
    await bench.red.next('out');
  });

  describe('has what may pass wait, and says why once', () => {
    const causes: [what: string, fault: Fault, status: string][] = [
      ['throttling', { kind: 'throttle' }, 'throttled'],
      ['a fault of the service', { kind: 'error500' }, 'fault at AWS'],
      ['an outage', { kind: 'error503' }, 'fault at AWS'],
      ['a page of a proxy', { kind: 'html' }, 'answer not from AWS'],
      ['expired credentials', { kind: 'expired' }, 'keys expired'],
      ['a missing permission', { kind: 'denied' }, 'not allowed'],
      ['a lost connection', { kind: 'resetBefore' }, 'no connection'],
      ['an answer that is cut', { kind: 'truncate' }, 'no connection']
    ];
    for (const [what, fault, status] of causes) {
      it(what, async () => {
        const url = await queues.create();
        const node = keeping({ queue: url });
        await bench.aws.fault({ ...fault, service: 'sqs' });
        await deployNodes(bench, [node, sink('out'), ...catching(node)]);
        await keep(node, ...numbered(2));
        assert.equal((await untilTrouble(node))?.[3], status);
        await bench.red.until(async () => {
          leap(60_000);
          return (await queues.requests('SendMessage')).length > 4;
        });
        assert.equal(errorsIn(/Kept messages wait/).length, 1);
        assert.deepEqual([bench.red.received('out'), bench.red.received('caught')], [[], []]);
        await bench.aws.clearFaults();
        await untilOut(2);
        const arrived = await bodies(url);
        assert.deepEqual(new Set(arrived), new Set(['0', '1']));
        if (fault.kind !== 'truncate') assert.equal(arrived.length, 2);
      });
    }

    it('an answer that does not come within 15 s: it has one request, and the status says so', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url });
      await down({ kind: 'hang' });
      const limits: (() => void)[] = [];
      const set = globalThis.setTimeout;
      const held = (work: () => void, ms?: number, ...more: []) => {
        if (ms === 15_000) limits.push(work);
        return set(ms === 15_000 ? () => undefined : work, ms, ...more);
      };
      mock.method(globalThis, 'setTimeout', Object.assign(held, set));
      await deployAction(bench, node);
      await keep(node, { payload: 'one' });
      await untilStatus(node, /^1 kept$/);
      assert.deepEqual(status(node)?.shape, 'ring');
      assert.deepEqual(status(node)?.fill, 'yellow');
      // Nothing is looked at until there is an answer, or none.
      assert.equal(outboxTime.due, 0);
      await bench.aws.until({ requests: 1, service: 'sqs' });
      for (const limit of limits) limit();
      assert.equal((await untilTrouble(node))?.[3], 'timeout');
      assert.equal((await queues.requests('SendMessage')).length, 1);
      mock.restoreAll();
      await up(node);
      const { aws } = await bench.red.next('out');
      assert.deepEqual([aws?.tries, aws?.attempts], [2, 1]);
      assert.deepEqual(await bodies(url), ['one']);
    });

    it('keys that are wrong, until the account has others', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url });
      const flow = [account(bench), node, sink('out')];
      const wrong = { ...keysOf('demo'), secretAccessKey: 'wrong' };
      await bench.red.deploy(flow, { credentials: { account: wrong } });
      await keep(node, { payload: 'one' });
      assert.equal((await untilTrouble(node))?.[3], 'wrong secret key or clock');
      await bench.red.deploy(flow, { credentials: credentials(), type: 'nodes' });
      await untilOut(1);
      assert.deepEqual(await bodies(url), ['one']);
    });

    it('a budget that is spent, until there is more', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url, account: 'poor' });
      const flow = (budget: string) => [account(bench, { id: 'poor', budget }), node, sink('out')];
      const keys = { credentials: { poor: keysOf('demo') } };
      await bench.red.deploy(flow('0.0000001'), keys);
      await keep(node, { payload: 'one' });
      assert.equal((await untilTrouble(node))?.[3], 'budget is spent');
      assert.equal((await queues.requests('SendMessage')).length, 0);
      await bench.red.deploy(flow('1'), keys);
      await untilOut(1);
      assert.deepEqual(await bodies(url), ['one']);
    });
  });

  it('says how many wait, and since when the oldest does', async () => {
    const node = keeping({ queue: await queues.create() });
    await down();
    await deployAction(bench, node);
    const since = Date.now();
    await keep(node, { payload: 'one' });
    await untilTrouble(node);
    const hours = 3 * 3_600_000;
    setClock(hours);
    leap(hours);
    await keep(node, { payload: 'two' });
    await untilStatus(node, /^2 kept since/);
    const [, count, text] = trouble(node) ?? [];
    assert.equal(count, '2');
    assert.ok([since, since + 60_000].map((time) => timeOf(new Date(time))).includes(text ?? ''), text);
  });

  it('sends again what had no answer: it arrives twice, and goes on once', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await bench.aws.fault({ kind: 'resetAfter', service: 'sqs' });
    await deployAction(bench, node);
    await keep(node, { payload: 'one' });
    await up(node);
    await bench.red.next('out');
    assert.deepEqual(await bodies(url), ['one', 'one']);
    assert.equal(bench.red.received('out').length, 1);
  });

  it('notes within 2 s what has gone out', async () => {
    const node = keeping({ queue: await queues.create() });
    await deployAction(bench, node);
    await keep(node, { payload: 'one' });
    await bench.red.next('out');
    leap(1000);
    await bench.red.until(() => filesOf(node).some((name) => name.endsWith('.gone')));
  });

  describe('when the node closes', () => {
    it('sends what was under way later, and counts its tries anew', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url });
      await down({ kind: 'hang' });
      await deployAction(bench, node);
      await keep(node, ...numbered(3));
      await bench.aws.until({ requests: 1, service: 'sqs' });
      const leaping = setInterval(() => leap(10_000), 20);
      await bench.red.deploy([]).finally(() => clearInterval(leaping));
      await bench.aws.clearFaults();
      await deployAction(bench, node);
      const messages = await bench.red.collect('out', 3);
      assert.deepEqual(
        messages.map(({ aws }) => aws?.tries),
        [1, 1, 1]
      );
      assert.deepEqual(await bodies(url), ['0', '1', '2']);
    });

    it('waits for the answer of what is under way, and does not send that again', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url });
      await bench.aws.fault({ kind: 'delayAfter', delayMs: 500, service: 'sqs', times: 1 });
      await deployAction(bench, node);
      await keep(node, { payload: 'one' });
      await bench.aws.until({ requests: 1, service: 'sqs' });
      await bench.red.deploy([]);
      assert.deepEqual(readdirSync(storeOf(node)), []);
      await deployAction(bench, node);
      await keep(node, { payload: 'two' });
      await bench.red.next('out');
      assert.deepEqual(await bodies(url), ['one', 'two']);
    });
  });

  it('leaves the store to its node when that is moved, disabled, deleted and brought back, and to no copy of it', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    const tab = (id: string): FlowNode => ({ id, type: 'tab', label: id });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'one' });
    const copy = keeping({ queue: url });
    const all = [tab('first'), tab('second'), account(bench), { ...sink('out'), z: 'first' }];
    for (const flow of [
      [...all, { ...node, z: 'first' }, { ...copy, z: 'first' }],
      [...all, { ...node, z: 'second' }, { ...copy, z: 'first' }],
      [...all, { ...node, z: 'second', d: true }, { ...copy, z: 'first' }],
      [...all, { ...copy, z: 'first' }],
      []
    ]) {
      await bench.red.deploy(flow, { credentials: credentials() });
      assert.deepEqual([filesOf(node).length > 0, filesOf(copy)], [true, []]);
    }
    await bench.aws.clearFaults();
    await bench.red.deploy([...all, { ...copy, z: 'first' }], { credentials: credentials() });
    await keep(copy, { payload: 'of the copy' });
    await bench.red.next('out');
    assert.deepEqual(await bodies(url), ['of the copy']);
    await bench.red.deploy([...all, { ...node, z: 'first' }], { credentials: credentials() });
    await bench.red.next('out');
    assert.deepEqual(await bodies(url), ['one']);
  });

  it('names in the log, when Node-RED starts, the store of a node that was deleted', async () => {
    const path = require.resolve('../../dist/nodes/outbox/left-stores.js');
    const node = keeping({ queue: await queues.create() });
    const other = keeping({ queue: await queues.create() });
    await down();
    await deployNodes(bench, [node, other, sink('out')]);
    await keep(node, ...numbered(3));
    await keep(other, { payload: 'x' });
    await bench.red.deploy([]);
    // Loaded anew, it takes the next deployment for the start.
    delete require.cache[path];
    const { watch } = require(path) as typeof import('../../nodes/outbox/left-stores');
    watch(require(nodeRedVersion === 4 ? 'node-red-4' : 'node-red') as NodeAPI);
    bench.red.clearLogs();
    await deployNodes(bench, [other, sink('out')]);
    const told = () => bench.red.logs.filter(({ text }) => /of a node that is not deployed/.test(text));
    await bench.red.until(() => told().some(({ text }) => text.includes(storeOf(node))));
    const own = told().filter(({ text }) => text.includes(storeOf(node)));
    assert.equal(own.length, 1);
    assert.match(own[0]?.text ?? '', / 3 messages /);
    assert.ok(!told().some(({ text }) => text.includes(`${storeOf(other)} `)));
    assert.ok(filesOf(node).length > 0);
  });

  it('keeps nothing without a user directory, and says so', async () => {
    const { userDir } = bench.red.settings;
    const url = await queues.create();
    const node = keeping({ queue: url });
    try {
      bench.red.settings.userDir = undefined;
      await deployAction(bench, node);
      const error = errorOf(await bench.red.send(node.id, { payload: 'one' }));
      assert.deepEqual([error.code, /no user directory/.test(error.message)], ['StoreFull', true]);
    } finally {
      bench.red.settings.userDir = userDir;
    }
    assert.deepEqual(await bodies(url), []);
  });

  for (const [code, words] of [
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'it can only be read'],
    ['EIO', 'the disk has failed'],
    ['ENODEV', 'the disk is gone']
  ] as const) {
    it(`refuses at once what cannot be written because ${words}, sends that never, and keeps what comes when it can`, async () => {
      const url = await queues.create();
      const node = keeping({ queue: url });
      let isFailing = false;
      onFiles('write', (write) => (isFailing ? failing(code) : write()));
      await down();
      await deployAction(bench, node);
      await keep(node, { payload: 'before' });
      isFailing = true;
      for (const { error, done } of await bench.red.sendMany(node.id, numbered(3))) {
        assert.equal(done, 1);
        assert.equal(error?.code, 'StoreFull');
        assert.ok(error?.message.includes(storeOf(node)) && error.message.includes(words), error?.message);
      }
      isFailing = false;
      await keep(node, { payload: 'after' });
      await up(node);
      await untilOut(2);
      await bench.red.deploy([]);
      await deployAction(bench, node);
      await keep(node, { payload: 'last' });
      await bench.red.next('out');
      assert.deepEqual(await bodies(url), ['before', 'after', 'last']);
    });
  }

  it('waits for a disk from which it cannot read what it has kept', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'one' });
    await bench.red.deploy([]);
    await bench.aws.clearFaults();
    let isGone = false;
    const open = disk.open.bind(disk);
    mock.method(disk, 'open', (...how: Parameters<typeof open>) => (isGone ? failing('EIO') : open(...how)));
    await bench.aws.fault({ kind: 'resetBefore', service: 'sqs', times: 1 });
    await deployAction(bench, node);
    await untilTrouble(node);
    isGone = true;
    leap(5000);
    await bench.red.until(() => errorsIn(/cannot be read: the disk has failed/).length > 0);
    isGone = false;
    await untilOut(1);
    assert.deepEqual(await bodies(url), ['one']);
  });

  it('has a store of its own for each node: one that is full leaves the other its room', async () => {
    const url = await queues.create();
    const [small, large] = [keeping({ queue: url, keepMost: 1 }), keeping({ queue: url, keepMost: 10 })];
    const text = 'x'.repeat(200_000);
    await down();
    await deployNodes(bench, [small, large, sink('out')]);
    const full = await bench.red.sendMany(
      small.id,
      Array.from({ length: 3 }, () => ({ payload: text }))
    );
    assert.deepEqual(
      full.map(({ error }) => error?.code),
      [undefined, undefined, 'StoreFull']
    );
    await keep(large, ...Array.from({ length: 3 }, () => ({ payload: text })));
    await bench.aws.clearFaults();
    await untilOut(5);
    assert.equal((await bodies(url)).length, 5);
  });

  it('goes on after a deployment and in a node that does not keep any more', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    await keep(node, ...numbered(25));
    await untilStatus(node, /^25 kept since .*: no connection$|^25 kept since/);
    await bench.red.deploy([]);
    await bench.aws.clearFaults();
    await bench.aws.reset();
    await deployAction(bench, { ...node, keep: false });
    await bench.red.collect('out', 25);
    assert.deepEqual((await queues.requests('SendMessage')).map(entriesIn), [10, 10, 5]);
    assert.deepEqual(
      await bodies(url),
      numbered(25).map(({ payload }) => payload)
    );
    await bench.red.deploy([]);
    assert.deepEqual(readdirSync(storeOf(node)), []);
  });

  it('has one message of a FIFO group under way, groups side by side in one batch, each in its order', async () => {
    const url = await queues.create({ FifoQueue: 'true' });
    const node = keeping({ queue: url, groupId: 'topic', groupIdType: 'msg' });
    await down();
    await deployAction(bench, node);
    const messages = numbered(20, (n) => ({ topic: `g${n % 4}` }));
    await keep(node, ...messages);
    await up(node);
    await bench.red.collect('out', 20);
    const requests = (await queues.requests('SendMessage')).slice(1);
    for (const request of requests) {
      const groups = groupsIn(request);
      assert.equal(new Set(groups).size, groups.length);
    }
    assert.ok(requests.some((request) => entriesIn(request) === 4));
    const received = await bodies(url);
    for (let group = 0; group < 4; group += 1) {
      const own = received.filter((body) => Number(body) % 4 === group).map(Number);
      assert.deepEqual(
        own,
        [...own].sort((one, other) => one - other)
      );
    }
  });

  it('has one message of a FIFO group under way, by whatever names its queue goes', async () => {
    const url = await queues.create({ FifoQueue: 'true' });
    const name = url.split('/').at(-1);
    const node = keeping({ queue: 'queue', queueType: 'msg', groupId: 'group', groupIdType: 'str' });
    await down({ kind: 'hang', operation: 'SendMessage' });
    await deployAction(bench, node);
    await keep(node, ...numbered(6, (n) => ({ queue: n % 2 === 0 ? url : name })));
    await bench.red.until(async () => (await queues.requests('SendMessage')).length > 0);
    // What would go beside it has had its turn.
    for (let asked = 0; asked < 5; asked += 1) await queues.counts(url);
    assert.equal((await queues.requests('SendMessage')).length, 1);
    const leaping = setInterval(() => leap(10_000), 20);
    await bench.red.deploy([]).finally(() => clearInterval(leaping));
    await bench.aws.clearFaults();
    await deployAction(bench, node);
    await untilOut(6);
    assert.equal((await bodies(url)).length, 6);
  });

  it('makes up an ID for a FIFO message, so that equal bodies both arrive and a repetition does not', async () => {
    const url = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const node = keeping({ queue: url, groupId: 'g' });
    await bench.aws.fault({ kind: 'resetAfter', service: 'sqs', times: 1 });
    await deployAction(bench, node);
    await keep(node, { payload: 'same' }, { payload: 'same' });
    await up(node);
    await bench.red.collect('out', 2);
    const groups = [...(await queues.receive(url, { VisibilityTimeout: 600 }))];
    assert.deepEqual(
      groups.map(({ Body }) => Body),
      ['same', 'same']
    );
  });

  it('lets others pass a message that the service refuses for now', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    await keep(node, ...numbered(10));
    await untilTrouble(node);
    await bench.aws.clearFaults();
    await bench.aws.fault({ kind: 'entries', service: 'sqs', entryProbability: 0.4, seed: 3, times: 1 });
    leap(5000);
    await bench.red.until(() => bench.red.received('out').length > 0);
    assert.ok(bench.red.received('out').length < 10);
    leap(5000);
    const messages = await bench.red.collect('out', 10);
    const tries = messages.map(({ aws }) => (aws as { tries: number }).tries);
    assert.ok(Number(tries.at(-1)) > Number(tries[0]), String(tries));
    assert.deepEqual(
      (await bodies(url)).map(Number).sort((one, other) => one - other),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    );
  });

  describe('over whose message the service fails every time', () => {
    const poison = 'poison';
    const topic = 'arn:aws:sns:us-east-1:111111111111:alerts';
    const kinds: [string, () => Promise<FlowNode>][] = [
      ['queue', async () => keeping({ queue: await queues.create() })],
      ['queue, one by one', async () => keeping({ queue: await queues.create(), batch: false })],
      ['topic', async () => publishNode({ id: 'publish-poison', target: topic, keep: true })],
      ['function', async () => invokeNode({ id: 'invoke-poison', invocationType: 'Event', keep: true })]
    ];
    for (const [kind, make] of kinds) {
      it(`lets all others of a ${kind} pass in their order, and says so once`, async () => {
        const node = await make();
        await bench.aws.fault({ kind: 'error500', contains: poison });
        await deployAction(bench, node);
        const messages = numbered(25, (n) => ({ n, ...(n === 3 && { payload: poison }) }));
        await keep(node, ...messages);
        await bench.red.until(async () => {
          leap(1000);
          return bench.red.received('out').length === 24;
        });
        const arrived = bench.red.received('out').map(({ n }) => Number(n));
        const others = messages.map(({ n }) => n).filter((n) => n !== 3);
        if (kind === 'function') assert.deepEqual(new Set(arrived), new Set(others));
        else assert.deepEqual(arrived, others);
        assert.equal((await untilTrouble(node))?.[3], 'fault at AWS');
        await keep(node, { payload: 'later', n: 25 });
        await bench.red.until(() => bench.red.received('out').length === 25);
        assert.equal(errorsIn(/Kept messages wait/).length, 1);
        await bench.aws.clearFaults();
        await untilOut(26);
        assert.equal(bench.red.received('out').at(-1)?.n, 3);
        await bench.red.until(() => bench.red.logs.some(({ text }) => text.includes('kept messages go out again')));
      });
    }

    it('holds its FIFO group, and no other', async () => {
      const url = await queues.create({ FifoQueue: 'true' });
      const node = keeping({ queue: url, groupId: 'topic', groupIdType: 'msg' });
      await bench.aws.fault({ kind: 'error500', contains: poison });
      await deployAction(bench, node);
      await keep(node, ...numbered(24, (n) => ({ n, topic: `g${n % 4}`, ...(n === 2 && { payload: poison }) })));
      await bench.red.until(() => {
        leap(1000);
        return bench.red.received('out').length === 18;
      });
      assert.ok(bench.red.received('out').every(({ topic: group }) => group !== 'g2'));
      await bench.aws.clearFaults();
      await untilOut(24);
      const held = bench.red.received('out').flatMap(({ topic: group, n }) => (group === 'g2' ? [n] : []));
      assert.deepEqual(held, [2, 6, 10, 14, 18, 22]);
    });

    it('tries few of those that wait while it fails over all of them', async () => {
      const url = await queues.create();
      const node = keeping({ queue: url, batch: false });
      await bench.aws.fault({ kind: 'error500', service: 'sqs' });
      await deployAction(bench, node);
      await keep(node, ...numbered(40));
      const tries = async () => (await queues.requests('SendMessage')).length;
      let minutes = 0;
      await bench.red.until(async () => {
        leap(60_000);
        minutes += 1;
        return (await tries()) > 100;
      });
      assert.ok((await tries()) <= 11 * (minutes + 1), `${await tries()} tries in ${minutes} minutes`);
      await bench.aws.clearFaults();
      await untilOut(40);
      assert.deepEqual(new Set(await bodies(url)), new Set(numbered(40).map(({ payload }) => payload)));
    });
  });

  it('holds no target because of another one, and says once in the log what it waits for', async () => {
    const url = await queues.create();
    const node = keeping({ queue: 'topic', queueType: 'msg' });
    await deployAction(bench, node);
    await keep(node, ...numbered(10, (n) => ({ topic: n % 2 ? url : 'not-there' })));
    const arrived = await bench.red.collect('out', 5);
    assert.ok(arrived.every(({ topic }) => topic === url));
    await untilStatus(node, /^5 kept since .*: no queue “not-there”$/);
    const made = await queues.createNamed('not-there');
    leap(5000);
    const late = await bench.red.collect('out', 5);
    assert.ok(late.every(({ topic }) => topic === 'not-there'));
    assert.equal(errorsIn(/Kept messages wait/).length, 1);
    await queues.delete(made);
  });

  it('gives what the service refuses to Catch nodes, with the stored message, and keeps it no longer', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployNodes(bench, [node, sink('out'), ...catching(node)]);
    await keep(node, { payload: 'one', picture: Buffer.from([1, 2, 3]) }, { payload: 'two' });
    await untilTrouble(node);
    await bench.aws.clearFaults();
    await bench.aws.fault({ kind: 'entries', service: 'sqs', senderFault: true, times: 1 });
    leap(5000);
    const [first, second] = await bench.red.collect('caught', 2);
    assert.deepEqual([first?.payload, second?.payload], ['one', 'two']);
    assert.deepEqual(first?.picture, Buffer.from([1, 2, 3]));
    assert.equal(typeof (first?.error as { code?: string } | undefined)?.code, 'string');
    await bench.red.deploy([]);
    assert.deepEqual(filesOf(node), []);
    assert.deepEqual(await bodies(url), []);
  });

  it('keeps what is JSON in a message, and Buffers; an HTTP request is answered from a Complete node', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url, body: 'text', bodyType: 'msg' });
    await deployNodes(bench, [
      { id: 'in', type: 'http in', url: '/kept', method: 'post', wires: [['shape']] },
      {
        id: 'shape',
        type: 'change',
        rules: [{ t: 'set', p: 'text', pt: 'msg', to: 'a text', tot: 'str' }],
        wires: [[node.id]]
      },
      node,
      sink('out'),
      { id: 'complete', type: 'complete', scope: [node.id], wires: [['answer']] },
      { id: 'answer', type: 'http response', statusCode: '202', wires: [] }
    ]);
    await down();
    const response = await bench.red.request('kept', { method: 'POST', body: 'x' });
    assert.equal(response.status, 202);
    await up(node);
    const message = await bench.red.next('out');
    assert.equal('res' in message || 'req' in message, false);
    assert.equal(message.text, 'a text');
  });

  it('refuses at once what is nested too deeply to be read back, and keeps what is less so', async () => {
    const node = keeping({ queue: await queues.create(), body: 'text', bodyType: 'msg' });
    await deployNodes(bench, [node, sink('out')]);
    const nested = (depth: number): unknown => {
      let value: unknown = 'inside';
      for (let level = 0; level < depth; level += 1) value = [value];
      return value;
    };
    const { error } = await bench.red.send(node.id, { text: 'a text', payload: nested(5000) });
    assert.equal(error?.name, 'InvalidValue');
    await keep(node, { text: 'a text', payload: nested(900) });
    assert.equal(JSON.stringify((await bench.red.next('out')).text), '"a text"');
  });

  it('refuses a message that is nested too deeply to be read back, and reads back all others', () => {
    const nested = (depth: number): unknown => {
      let value: unknown = Buffer.from('x');
      for (let n = 0; n < depth; n += 1) value = { value };
      return value;
    };
    const isKept = (depth: number): boolean => {
      try {
        toText(nested(depth), 'The message');
        return true;
      } catch (thrown) {
        assert.equal((thrown as { code?: string }).code, 'InvalidValue');
        return false;
      }
    };
    let [deepest, tooDeep] = [500, 100_000];
    assert.ok(isKept(deepest));
    while (tooDeep - deepest > 1) {
      const middle = (deepest + tooDeep) >> 1;
      if (isKept(middle)) deepest = middle;
      else tooDeep = middle;
    }
    const text = toText(nested(deepest), 'The message');
    const readBack = (calls: number): unknown => (calls === 0 ? fromText(text) : readBack(calls - 1));
    assert.equal(toText(readBack(200), 'The message'), text);
  });

  it('gives up what is too old within a minute, with the stored message, and nothing before', async () => {
    const node = keeping({ queue: await queues.create(), keepHours: '0.5' });
    await down();
    await deployNodes(bench, [node, sink('out'), ...catching(node)]);
    await keep(node, { payload: 'old' });
    await untilTrouble(node);
    leap(1_799_000);
    await resting(2);
    await keep(node, { payload: 'young' });
    assert.deepEqual(bench.red.received('caught'), []);
    let passed = 0;
    await bench.red.until(async () => {
      leap(5000);
      passed += 5000;
      await resting(2);
      return bench.red.received('caught').length > 0;
    });
    assert.ok(passed <= 60_000, `${passed}`);
    const { payload, error } = await bench.red.next('caught');
    assert.equal(payload, 'old');
    assert.equal((error as unknown as { code: string }).code, 'Expired');
    await up(node);
    const { payload: result } = await bench.red.next('out');
    assert.ok(result);
    await bench.red.deploy([]);
    assert.deepEqual(filesOf(node), []);
  });

  it('waits for nothing that concerns only what is given up', async () => {
    const url = await queues.create();
    const node = keeping({ queue: 'topic', queueType: 'msg', keepHours: '0.5' });
    await deployNodes(bench, [node, sink('out'), ...catching(node)]);
    await keep(node, { payload: 'old', topic: 'not-there' });
    await untilStatus(node, /^1 kept since .*: no queue “not-there”$/);
    leap(1_750_000);
    await bench.aws.fault({ kind: 'throttle', operation: 'SendMessage', times: 100 });
    await keep(node, { payload: 'young', topic: url });
    await bench.red.until(() => errorsIn(/Kept messages wait/).length === 2);
    await bench.red.until(async () => {
      leap(5000);
      await resting(2);
      return bench.red.received('caught').length > 0;
    }, 'what was given up');
    await untilStatus(node, /^1 kept since .*: (?!no queue)/);
    await bench.aws.clearFaults();
    leap(60_000);
    await bench.red.next('out');
  });

  it('gives up nothing because the clock is set', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url, keepHours: '1' });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'kept' });
    try {
      setClock(48 * 3_600_000);
      await keep(node, { payload: 'later' });
      setClock(-48 * 3_600_000);
      await keep(node, { payload: 'last' });
      await up(node);
      await bench.red.collect('out', 3);
    } finally {
      setClock(0);
    }
    assert.deepEqual(await bodies(url), ['kept', 'later', 'last']);
  });

  it('refuses at once what there is no room for, and keeps what fits', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url, keepMost: 1 });
    await down();
    await deployAction(bench, node);
    const large = 'x'.repeat(300_000);
    await keep(node, { payload: large });
    const error = errorOf(await bench.red.send(node.id, { payload: large }));
    assert.equal(error.code, 'StoreFull');
    assert.equal(error.retryable, true);
    await keep(node, { payload: 'small' });
    await up(node);
    await bench.red.collect('out', 2);
    assert.deepEqual(
      (await bodies(url)).map((body) => body?.length),
      [300_000, 5]
    );
  });

  it('says at once that it cannot write, names the folder, and goes on when it can', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    mkdirSync(stores(), { recursive: true });
    writeFileSync(storeOf(node), 'a file in its place');
    await deployAction(bench, node);
    const error = errorOf(await bench.red.send(node.id, { payload: 'one' }));
    assert.ok(error.message.includes(storeOf(node)), error.message);
    rmSync(storeOf(node));
    await keep(node, { payload: 'two' });
    await bench.red.next('out');
    assert.deepEqual(await bodies(url), ['two']);
  });

  it('notices that its folder was deleted, and begins anew', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    await keep(node, { payload: 'before' });
    rmSync(storeOf(node), { recursive: true });
    assert.ok(errorOf(await bench.red.send(node.id, { payload: 'refused' })).message.includes(storeOf(node)));
    await keep(node, { payload: 'kept' });
    await up(node);
    await bench.red.collect('out', 2);
    assert.deepEqual(await bodies(url), ['before', 'kept']);
  });

  it('keeps nothing where another process has the store, and takes over that of a dead one', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")']);
    await new Promise((resolve) => other.stdout.once('data', resolve));
    mkdirSync(storeOf(node), { recursive: true });
    const stat = readFileSync(`/proc/${other.pid}/stat`, 'utf8');
    const holder = {
      token: 'theirs',
      pid: other.pid,
      began: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19],
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      space: readlinkSync('/proc/self/ns/pid')
    };
    writeFileSync(join(storeOf(node), 'lock'), JSON.stringify(holder));
    await deployAction(bench, node);
    const error = errorOf(await bench.red.send(node.id, { payload: 'one' }));
    assert.match(error.message, /another Node-RED/);
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('exit', resolve));
    await bench.red.until(async () => (await bench.red.send(node.id, { payload: 'two' })).error === undefined);
    await bench.red.next('out');
    assert.deepEqual(await bodies(url), ['two']);
  });

  it('does not keep keys that a message brings, and writes none of the account to disk', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url, dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' });
    await deployAction(bench, node);
    assert.equal(errorOf(await bench.red.send(node.id, { payload: 'one', keys: keysOf('demo') })).code, 'InvalidValue');
    const plain = keeping({ queue: url });
    await down();
    await deployAction(bench, plain);
    await keep(plain, ...numbered(5));
    const written = bytesOf(plain) + readFileSync(join(storeOf(plain), 'lock'), 'latin1');
    for (const secret of Object.values(keysOf('demo'))) assert.ok(!written.includes(secret));
  });

  it('writes neither the External ID nor the keys of an assumed role to disk', async () => {
    const { arn, externalId } = roles.external;
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await bench.red.deploy([account(bench, { roleArn: arn }), node, sink('out')], {
      credentials: credentials('demo', { externalId: externalId as string })
    });
    await keep(node, ...numbered(5));
    await untilTrouble(node);
    const { clients } = bench.red.node('account') as unknown as { clients: { secrets(): string[] } };
    const secrets = clients.secrets().filter((secret) => secret !== '');
    assert.ok(secrets.length >= 4 && secrets.includes(externalId as string), String(secrets.length));
    await bench.red.deploy([]);
    const names = readdirSync(join(bench.red.userDir, 'nimbus'), { recursive: true, withFileTypes: true });
    const files = names.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    assert.ok(files.some((file) => file.includes(node.id)));
    for (const file of files) {
      const written = readFileSync(file, 'latin1');
      for (const secret of secrets) assert.ok(!written.includes(secret), file);
    }
  });

  it('sends to each of many targets a message of its own, and keeps it for all or for none', async () => {
    const [one, two] = [await queues.create(), await queues.create()];
    const node = keeping({ queue: 'to', queueType: 'msg' });
    await deployAction(bench, node);
    const error = errorOf(await bench.red.send(node.id, { payload: 'x', to: [one, 'no queue', two] }));
    assert.equal(error.code, 'PartialFailure');
    assert.deepEqual(filesOf(node), []);
    await keep(node, { payload: 'x', to: [one, two] });
    const messages = await bench.red.collect('out', 2);
    assert.deepEqual(new Set(messages.map(({ aws }) => aws?.target)), new Set([one, two]));
    assert.deepEqual([await bodies(one), await bodies(two)], [['x'], ['x']]);
  });

  it('does not read a large message back for all of its targets at the same time', async () => {
    const to = await Promise.all(Array.from({ length: 12 }, () => queues.create()));
    const node = keeping({ queue: 'to', queueType: 'msg' });
    let reading = 0;
    let most = 0;
    onFiles('read', async (read) => {
      reading += 1;
      most = Math.max(most, reading);
      return read().finally(() => {
        reading -= 1;
      });
    });
    await deployAction(bench, node);
    await keep(node, { payload: 'x'.repeat(200_000), to });
    await bench.red.collect('out', to.length);
    assert.equal(most, 1);
    for (const url of to)
      assert.deepEqual(
        (await bodies(url)).map((body) => body?.length),
        [200_000]
      );
  });

  it('needs an account for what is new, and has what is kept wait for it; target and region are as stored', async () => {
    const url = await queues.create({}, 'eu-central-1');
    const node = keeping({ queue: basename(url) });
    await down();
    await deployAction(bench, node, { region: 'eu-central-1' });
    await keep(node, { payload: 'one' });
    await bench.red.deploy([{ ...account(bench), d: true }, node, sink('out')]);
    await bench.aws.clearFaults();
    assert.equal(errorOf(await bench.red.send(node.id, { payload: 'two' })).code, 'AccountMissing');
    await untilStatus(node, /^1 kept since .*: no account$/);
    await bench.red.deploy([account(bench, { region: 'us-east-1' }), { ...node, queue: 'elsewhere' }, sink('out')], {
      credentials: credentials()
    });
    const { aws } = await bench.red.next('out');
    assert.equal(aws?.region, 'eu-central-1');
    assert.deepEqual(await bodies(url), ['one']);
  });

  it('begins invocations in their order, several side by side, and has them wait for the function', async () => {
    const node = invokeNode({ id: 'invoke-kept', functionName: 'hello', invocationType: 'Event', keep: true });
    await bench.aws.fault({ kind: 'throttle', service: 'lambda' });
    await deployAction(bench, node);
    await keep(node, ...numbered(30, (n) => ({ payload: { n } })));
    await up(node);
    const messages = await bench.red.collect('out', 30);
    assert.ok(messages.every(({ aws }) => aws?.statusCode === 202));
    await bench.aws.until({ invocations: 30 });
    const begun = (await bench.aws.invocations()).map(({ event }) => (event as { n: number }).n);
    // Each begins when at most nine before it are under way.
    for (const [place, n] of begun.entries()) assert.ok(Math.abs(place - n) < 10, String(begun));
  });

  it('publishes to a topic what it has kept', async () => {
    const node = publishNode({ id: 'publish-kept', target: 'arn:aws:sns:us-east-1:111111111111:alerts', keep: true });
    await bench.aws.fault({ kind: 'error503', service: 'sns' });
    await deployAction(bench, node);
    await keep(node, ...numbered(3));
    await up(node);
    const messages = await bench.red.collect('out', 3);
    assert.equal(messages[0]?.aws?.tries, 2);
  });

  it('keeps an invocation only where nobody waits for its answer', async () => {
    const node = invokeNode({ id: 'invoke-now', keep: true });
    await deployAction(bench, node);
    const { sent } = await bench.red.send(node.id, { payload: {} });
    assert.equal(sent.length, 1);
    assert.equal(sent[0]?.aws?.keptAt, undefined);
  });

  it('sends later what was under way when the node closed, and all that is left of a damaged store', async () => {
    const url = await queues.create();
    const node = keeping({ queue: url });
    await down();
    await deployAction(bench, node);
    for (const msg of numbered(5)) await keep(node, msg);
    await bench.red.deploy([]);
    const [file = ''] = filesOf(node).filter((name) => name.endsWith('.log'));
    const path = join(storeOf(node), file);
    const bytes = readFileSync(path);
    bytes[Math.floor(bytes.length / 2)] = 0;
    writeFileSync(path, bytes);
    await bench.aws.clearFaults();
    await deployAction(bench, node);
    await bench.red.collect('out', 4);
    await bench.red.until(() => bench.red.logs.some(({ level, text }) => level === 'warn' && text.includes(path)));
    await bench.red.deploy([]);
    assert.deepEqual((await bodies(url)).length, 4);
    assert.deepEqual(readdirSync(storeOf(node)), [file.replace('.log', '.damaged')]);
  });

  it('has the store of each hostile id in a folder of its own', async () => {
    const url = await queues.create();
    const ids = [
      '../../../escaped',
      '..',
      '.',
      'a/b',
      'a\\b',
      'CON',
      'nul.txt',
      `${'x'.repeat(300)}`,
      'a\u0000b',
      'ä',
      'lock'
    ];
    const nodes = ids.map((id) => sendNode({ id, queue: url, keep: true }));
    const before = existsSync(stores()) ? readdirSync(stores()) : [];
    await down();
    await deployNodes(bench, [...nodes, sink('out')]);
    for (const [n, node] of nodes.entries()) await keep(node, { payload: String(n) });
    const names = readdirSync(stores()).filter((name) => !before.includes(name));
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, ids.length);
    for (const name of names)
      assert.ok(
        readdirSync(join(stores(), name)).some((file) => file.endsWith('.log')),
        name
      );
    assert.equal(
      readdirSync(join(bench.red.userDir, 'nimbus')).some((name) => name.includes('escaped')),
      false
    );
    await bench.aws.clearFaults();
    await untilOut(ids.length);
    assert.deepEqual(new Set(await bodies(url)), new Set(ids.map((_, n) => String(n))));
  });
});

/** How many entries a request has. */
const entriesIn = ({ input }: RequestRecord): number => (input.Entries as unknown[] | undefined)?.length ?? 1;

const groupsIn = ({ input }: RequestRecord): unknown[] =>
  (input.Entries as { MessageGroupId: string }[] | undefined)?.map((entry) => entry.MessageGroupId) ?? [
    input.MessageGroupId
  ];
