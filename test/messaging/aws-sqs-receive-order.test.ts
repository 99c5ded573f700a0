/** The order of a FIFO queue's groups on their way through a flow. */
import assert from 'node:assert/strict';
import { HeldMessages } from '../../nodes/messaging/held-messages';
import { account, credentials, receiveNode, settleNode, useBench, useQueues } from '../aws';
import type { Message } from '../node-red';
import { sink } from '../node-red';
import { useRelays } from '../relay';

const second = 1000;
const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };

describe('a FIFO queue whose messages the flow settles', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const newRelay = useRelays(bench);

  /** Deploys a receiver, and settle nodes that delete, return, and return after a second. */
  const deploy = (queue: string, properties: Record<string, unknown> = {}, endpoint = bench.aws.url) =>
    bench.red.deploy(
      [
        account(bench, { endpoint }),
        receiveNode({ queue, settle: 'flow', ...properties }),
        sink('out'),
        settleNode({ id: 'delete' }),
        settleNode({ id: 'return', action: 'return' }),
        settleNode({ id: 'later', action: 'return', delay: '1', delayType: 'num' }),
        sink('settled')
      ],
      { credentials: credentials() }
    );

  /** The bodies `a0` to `a9` and so on. */
  const bodies = (group: string, count: number) => Array.from({ length: count }, (_, index) => `${group}${index}`);
  const send = (url: string, ...all: string[]) =>
    queues.send(url, ...all.map((body) => ({ MessageBody: body, MessageGroupId: body.replace(/\d+$/, '') })));
  const next = (): Promise<Message> => bench.red.next('out');
  const settle = async (how: 'delete' | 'return' | 'later', msg: Message): Promise<void> =>
    assert.equal((await bench.red.send(how, msg)).error, undefined);
  const payloads = (): string[] => bench.red.received('out').map(({ payload }) => payload as string);
  const lastStatus = () => bench.red.statuses('receive').at(-1)?.text;
  const shows = (text: string) => bench.red.until(() => lastStatus() === text, `the status ${text}`);
  const counted = (url: string, visible: number, hidden: number) =>
    bench.red.until(async () => {
      const found = await queues.counts(url);
      return found.visible === visible && found.hidden === hidden;
    }, `${visible} messages in the queue, and ${hidden} that are hidden`);
  /** Deletes so many messages, one after the other as they come; gives their bodies. */
  async function deleteAll(count: number): Promise<unknown[]> {
    const order: unknown[] = [];
    while (order.length < count) {
      const msg = await next();
      order.push(msg.payload);
      await settle('delete', msg);
    }
    return order;
  }
  const inputs = async (operation: string) => (await queues.requests(operation)).map(({ input }) => input);
  /** Every visibility that was asked for after a message was received, seconds, in the order of the requests. */
  const changes = async () =>
    (await inputs('ChangeMessageVisibility')).map((input) =>
      ((input.Entries ?? [input]) as { VisibilityTimeout: number }[]).map(({ VisibilityTimeout }) => VisibilityTimeout)
    );

  it('gives it one message of a group at a time, the next one when that is deleted', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 10));
    await deploy(url);
    for (let index = 0; index < 10; index += 1) {
      const msg = await next();
      if (index < 9) await shows(`1, ${9 - index} waiting`);
      assert.deepEqual(payloads(), bodies('a', index + 1));
      assert.equal(msg.aws?.receiveCount, 1);
      await settle('delete', msg);
    }
    await counted(url, 0, 0);
    assert.deepEqual(await changes(), []);
  });

  it('gives it a message that was returned again before those behind it, each of which costs that a receive', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 10));
    await deploy(url);
    for (const body of bodies('a', 3)) {
      const first = await next();
      assert.equal(first.payload, body);
      await settle('return', first);
      const again = await next();
      assert.equal(again.payload, body);
      assert.equal(again.aws?.receiveCount, (first.aws?.receiveCount as number) + 1);
      await settle('delete', again);
    }
    assert.deepEqual(await deleteAll(7), bodies('a', 10).slice(3));
    const [a3] = bench.red.received('out').filter(({ payload }) => payload === 'a3');
    assert.equal(a3?.aws?.receiveCount, 4);
    await counted(url, 0, 0);
  });

  it('returns nothing but the message itself where each request asks for one: none waits behind another', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 3), ...bodies('b', 3));
    await deploy(url, { batchSize: 1 });
    const first = await bench.red.collect('out', 2);
    for (const msg of first) await settle('return', msg);
    const counts: unknown[] = [];
    for (let index = 0; index < 6; index += 1) {
      const msg = await next();
      counts.push([msg.payload, msg.aws?.receiveCount]);
      await settle('delete', msg);
    }
    const expected = ['a', 'b'].flatMap((group) => bodies(group, 3).map((body, index) => [body, index === 0 ? 2 : 1]));
    assert.deepEqual(counts.toSorted(), expected);
    await counted(url, 0, 0);
  });

  it('returns those behind it first: as long as it is hidden, nobody gets them', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 4));
    await deploy(url);
    const msg = await next();
    await shows('1, 3 waiting');
    await settle('later', msg);
    assert.deepEqual((await changes()).flat(), [0, 0, 0, 1]);
  });

  it('keeps those behind a message that is returned with a delay from overtaking it', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 5), ...bodies('b', 2));
    await deploy(url);
    const [first, other] = (await bench.red.collect('out', 2)) as [Message, Message];
    assert.deepEqual(payloads(), ['a0', 'b0']);
    const began = performance.now();
    await settle('later', first);
    await settle('delete', other);
    assert.equal((await next()).payload, 'b1');
    assert.deepEqual(await queues.receive(url), []);
    const again = await next();
    assert.equal(again.payload, 'a0');
    assert.ok(performance.now() - began > 0.95 * second, 'came before its time');
    await settle('delete', again);
    assert.deepEqual(await deleteAll(4), bodies('a', 5).slice(1));
  });

  it('holds no group up for another one, and counts no message that waits', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 8), ...bodies('b', 8), ...bodies('c', 8), ...bodies('d', 8));
    await deploy(url, { maxInFlight: 3 });
    await bench.red.collect('out', 3);
    assert.deepEqual(payloads(), ['a0', 'b0', 'c0']);
    await settle('delete', bench.red.received('out')[1] as Message);
    assert.equal((await next()).payload, 'b1');
    for (const { MaxNumberOfMessages } of await inputs('ReceiveMessage'))
      assert.ok((MaxNumberOfMessages as number) <= 3);
  });

  it('lets at most 100 messages wait, and gives it the first ones of other groups all the same', async () => {
    const url = await queues.create(fifo);
    const groups = Array.from({ length: 20 }, (_, index) => `group-${index}-`);
    for (const group of groups) await send(url, ...bodies(group, 10));
    await deploy(url, { maxInFlight: 50 });
    await bench.red.collect('out', groups.length);
    assert.deepEqual(payloads().sort(), groups.map((group) => `${group}0`).sort());
    await shows('20, 100 waiting');
    assert.deepEqual(await queues.counts(url), { visible: 80, hidden: 120, delayed: 0 });
    const asked = (await inputs('ReceiveMessage')).map(({ MaxNumberOfMessages }) => MaxNumberOfMessages);
    assert.deepEqual(asked.slice(0, 14), [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 2, 1, 1]);
    // Nothing more can be received: the request waits, and is not repeated.
    assert.equal(asked.length, 21);
  });

  it('returns what it did not ask for: a queue that gives more of a group than may wait', async () => {
    const url = await queues.create(fifo);
    const relay = await newRelay();
    let made = 0;
    const message = () => {
      made += 1;
      return {
        MessageId: `id-${made}`,
        ReceiptHandle: `handle-${made}`,
        Body: `a${made}`,
        Attributes: { MessageGroupId: 'a' }
      };
    };
    const polls: number[] = [];
    const returned: string[] = [];
    relay.answer = ({ headers, body }) => {
      const operation = headers['x-amz-target']?.split('.')[1];
      const input = JSON.parse(body) as { MaxNumberOfMessages: number; ReceiptHandle: string };
      if (operation === 'ReceiveMessage') {
        polls.push(performance.now());
        return { body: JSON.stringify({ Messages: Array.from({ length: input.MaxNumberOfMessages }, message) }) };
      }
      if (operation !== 'ChangeMessageVisibility') return undefined;
      returned.push(input.ReceiptHandle);
      return { body: '{}', headers: { 'x-amzn-RequestId': 'r' } };
    };
    await deploy(url, { maxInFlight: 20 }, relay.url);
    await bench.red.until(() => returned.length >= 3, 'three messages to be returned');
    assert.deepEqual(returned.slice(0, 3), ['handle-102', 'handle-103', 'handle-104']);
    assert.deepEqual(payloads(), ['a1']);
    await shows('1, 100 waiting');
    const [one = 0, two = 0] = polls.slice(-2);
    assert.ok(two - one > 0.9 * second, `asked again after ${two - one} ms`);
    // What waits goes nowhere.
    relay.answer = ({ headers }) =>
      headers['x-amz-target']?.includes('ChangeMessageVisibility') ? { body: '{"Successful": []}' } : undefined;
  });

  it('keeps what waits hidden for as long as that takes', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 6));
    await deploy(url, { visibilityTimeout: 1 });
    const msg = await next();
    assert.deepEqual(await queues.receive(url, { WaitTimeSeconds: 2 }), []);
    await settle('delete', msg);
    assert.deepEqual(await deleteAll(5), bodies('a', 6).slice(1));
    for (const { aws } of bench.red.received('out')) assert.equal(aws?.receiveCount, 1);
  });

  it('begins again with the message whose time was over, and tells how many were lost', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 2), 'b0');
    for (const operation of ['ChangeMessageVisibility', 'ChangeMessageVisibilityBatch']) {
      await bench.aws.fault({ kind: 'expired', operation });
    }
    // There is no room to receive more meanwhile.
    await deploy(url, { visibilityTimeout: 1, maxInFlight: 2 });
    const [msg] = await bench.red.collect('out', 2);
    await shows('2, 1 waiting');
    const again = await bench.red.collect('out', 2);
    assert.deepEqual(payloads(), ['a0', 'b0', 'a0', 'b0']);
    assert.equal((await bench.red.send('delete', msg)).error?.code, 'HandleExpired');
    await bench.aws.clearFaults();
    for (const each of again) await settle('delete', each);
    assert.deepEqual(await deleteAll(1), ['a1']);
    const lost = bench.red.logs.filter(({ level, text }) => level === 'warn' && text.startsWith('The time for'));
    assert.match(lost[0]?.text ?? '', /^The time for the message \S+ and [12] more is over/);
  });

  it('keeps what came back before it was given up, and hands it on once', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 3));
    await bench.aws.fault({ kind: 'hang', operation: 'ChangeMessageVisibility', times: 1 });
    await bench.aws.fault({ kind: 'hang', operation: 'ChangeMessageVisibilityBatch', times: 1 });
    // As in a slow network: for the service, the time is over sooner.
    await bench.aws.fault({ kind: 'delayAfter', delayMs: 500, operation: 'ReceiveMessage', times: 1 });
    await deploy(url, { visibilityTimeout: 1, maxInFlight: 4 });
    const msg = await next();
    await bench.aws.until({ operation: 'ReceiveMessage', requests: 2, finished: true });
    await settle('delete', msg);
    assert.deepEqual(await deleteAll(2), ['a1', 'a2']);
    assert.deepEqual(payloads(), bodies('a', 3));
  });

  it('returns those behind a message that is not its own any more when it is settled', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 6));
    const relay = await newRelay();
    await deploy(url, { visibilityTimeout: 2 }, relay.url);
    const msg = await next();
    await shows('1, 5 waiting');
    relay.answer = ({ headers }) =>
      headers['x-amz-target']?.endsWith('DeleteMessage')
        ? {
            status: 400,
            errorType: 'InvalidParameterValue',
            body: '{"message": "The receipt handle has expired."}'
          }
        : undefined;
    assert.equal((await bench.red.send('delete', msg)).error?.code, 'HandleExpired');
    relay.answer = () => undefined;
    await bench.red.until(async () => (await changes()).flat().filter((seconds) => seconds === 0).length === 5);
    assert.deepEqual(await deleteAll(6), bodies('a', 6));
  });

  it('goes on with a message that could not be deleted, and only then with those behind it', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 3));
    await deploy(url);
    const msg = await next();
    await bench.aws.fault({ kind: 'error500', operation: 'DeleteMessage', times: 3 });
    assert.equal((await bench.red.send('delete', msg)).error?.code, 'InternalFailure');
    assert.deepEqual(payloads(), ['a0']);
    await settle('delete', msg);
    assert.deepEqual(await deleteAll(2), ['a1', 'a2']);
  });

  it('returns what waits as well when it closes: each redeploy costs each message one receive', async () => {
    const url = await queues.create({ ...fifo, VisibilityTimeout: '3600' });
    await send(url, ...bodies('a', 5), ...bodies('b', 5));
    for (const receiveCount of [1, 2, 3, 4]) {
      await deploy(url);
      const msgs = await bench.red.collect('out', 2);
      assert.deepEqual(
        msgs.map(({ payload, aws }) => [payload, aws?.receiveCount]),
        [
          ['a0', receiveCount],
          ['b0', receiveCount]
        ]
      );
      await shows('2, 8 waiting');
    }
    const began = performance.now();
    await bench.red.deploy([account(bench)]);
    assert.ok(performance.now() - began < 2 * second, `took ${performance.now() - began} ms`);
    assert.deepEqual(await queues.counts(url), { visible: 10, hidden: 0, delayed: 0 });
    const received = await queues.receive(url);
    assert.deepEqual(
      received.map(({ Body }) => Body),
      [...bodies('a', 5), ...bodies('b', 5)]
    );
    for (const { Attributes } of received) assert.equal(Attributes?.ApproximateReceiveCount, '5');
  });

  it('does not hand on the next one when the one before it is deleted while it closes', async () => {
    const url = await queues.create(fifo);
    await send(url, ...bodies('a', 3));
    await deploy(url);
    const msg = await next();
    await shows('1, 2 waiting');
    await bench.aws.fault({ kind: 'delay', delayMs: 1000, operation: 'DeleteMessage' });
    const outcome = await bench.red.begin('delete', msg);
    await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
    await bench.red.deploy([account(bench)]);
    assert.equal(outcome.error, undefined);
    assert.deepEqual(await queues.counts(url), { visible: 2, hidden: 0, delayed: 0 });
  });

  it('keeps the order of each group with returns, and with faults of all kinds on the way', async () => {
    const url = await queues.create(fifo);
    const groups = ['a', 'b', 'c'];
    for (const group of groups) await send(url, ...bodies(group, 15));
    for (const [index, kind] of (['resetBefore', 'resetAfter', 'error500', 'throttle'] as const).entries()) {
      await bench.aws.fault({ kind, service: 'sqs', probability: 0.06, seed: index + 1 });
    }
    await bench.aws.fault({ kind: 'entries', service: 'sqs', probability: 0.2, seed: 9 });
    await deploy(url, { visibilityTimeout: 2, maxInFlight: 20, waitTime: 1 });
    const reached = new Map(groups.map((group) => [group, -1]));
    const returned = new Set<unknown>();
    while (groups.some((group) => reached.get(group) !== 14)) {
      // A receiver that meets several faults in a row waits longer each time.
      const msg = await bench.red.next('out', 40 * second);
      const [, group = '', number = ''] = /^([abc])(\d+)$/.exec(msg.payload as string) ?? [];
      const last = reached.get(group) as number;
      assert.ok(Number(number) <= last + 1, `${msg.payload} came when ${group}${last} had been deleted`);
      if (Number(number) % 3 === 0 && !returned.has(msg.payload)) {
        returned.add(msg.payload);
        await bench.red.send('return', msg);
        continue;
      }
      // What fails may have been done all the same; a failure leaves the message with the flow.
      for (let error: string | undefined = 'none yet'; error && error !== 'HandleExpired'; ) {
        error = (await bench.red.send('delete', msg)).error?.code;
        if (!error) reached.set(group, Math.max(last, Number(number)));
      }
    }
    await bench.aws.clearFaults();
    await counted(url, 0, 0);
  }).timeout(180_000);
});

describe('messages of one group', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const inGroup = (MessageBody: string) => ({ MessageBody, MessageGroupId: 'a' });

  async function received(attributes: Record<string, string>, settle: string): Promise<unknown[]> {
    const url = await queues.create(attributes);
    await queues.send(url, ...['one', 'two', 'three'].map(inGroup));
    await bench.aws.fault({ kind: 'hang', operation: 'DeleteMessage' });
    await bench.red.deploy([account(bench), receiveNode({ queue: url, settle }), sink('out')], {
      credentials: credentials()
    });
    return (await bench.red.collect('out', 3)).map(({ payload }) => payload);
  }

  it('come all at once where the queue keeps no order: groups of fair queues', async () => {
    assert.deepEqual((await received({}, 'flow')).sort(), ['one', 'three', 'two']);
  });

  it('come in their order, and do not wait, where each is deleted once it was sent on', async () => {
    assert.deepEqual(await received(fifo, 'sent'), ['one', 'two', 'three']);
  });

  it('are not handed on when their turn comes and their time is over', async () => {
    const told: string[] = [];
    const deliveries = new HeldMessages({
      settle: () => Promise.resolve(),
      returnUnsent: async (behind) => void told.push(...behind.map(({ messageId }) => `${messageId} goes back`)),
      failed: assert.ifError,
      expired: (lost) => void told.push(...lost.map(({ messageId }) => `${messageId} is lost`)),
      removed: () => undefined
    });
    for (const [messageId, seconds] of [
      ['a0', 60],
      ['a1', 0],
      ['a2', 60]
    ] as const) {
      const end = performance.now() + seconds * second;
      const received = { messageId, receiptHandle: messageId, receiveCount: 1, end, groupId: 'a' };
      deliveries.add(received, () => told.push(`${messageId} comes`));
    }
    deliveries.sendAdded();
    await deliveries.settle(1, { action: 'delete' });
    deliveries.close();
    assert.deepEqual(told, ['a0 comes', 'a2 goes back', 'a1 is lost']);
    assert.equal(deliveries.size, 0);
  });
});
