/** How messages of SNS and SQS travel together: looked at on the wire. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { queryObjects } from 'node:v8';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { type RequestRecord, signIns } from '../../local-aws/client';
import type { TargetBatches as BatchesClass } from '../../nodes/messaging/target-batches';
import {
  account,
  credentials,
  deployAction,
  invokeNode,
  keysOf,
  publishNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message, Outcome } from '../node-red';
import { sink } from '../node-red';
import { type Exchange, Relay } from '../relay';
import { Wire } from '../wire';

/** The class that the deployed nodes use. */
const { TargetBatches }: { TargetBatches: typeof BatchesClass } = createRequire(__filename)(
  '../../dist/nodes/messaging/target-batches.js'
);

const numbers = (count: number): Message[] => Array.from({ length: count }, (_, n) => ({ payload: n, n }));

describe('messages to the same queue', () => {
  const bench = useBench();
  const queues = useQueues(bench);

  const requests = (): Promise<RequestRecord[]> => queues.requests('SendMessage');
  const sizesOf = (records: RequestRecord[]): number[] =>
    records.map(({ input }) => (input.Entries as unknown[] | undefined)?.length ?? 1);
  const bodiesOf = ({ input }: RequestRecord): string[] =>
    ((input.Entries as { MessageBody: string }[]) ?? [input]).map(({ MessageBody }) => MessageBody);

  async function sendAll(properties: Record<string, unknown>, msgs: Message[]): Promise<Outcome[]> {
    await deployAction(bench, sendNode(properties));
    return bench.red.sendMany('send', msgs, 30_000);
  }

  describe('travel', () => {
    it('alone and at once while nothing is in flight, together while something is', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delayAfter', delayMs: 100, operation: 'SendMessage', times: 1 });
      const outcomes = await sendAll({ queue }, numbers(6));
      assert.ok(outcomes.every(({ error, done }) => !error && done === 1));
      const records = await requests();
      assert.deepEqual(sizesOf(records), [1, 5]);
      assert.deepEqual(records.map(bodiesOf), [['0'], ['1', '2', '3', '4', '5']]);
    });

    it('as they came: an attribute that the flow writes into again while they wait is not changed', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'SendMessage', times: 1 });
      await deployAction(bench, sendNode({ queue, attributes: 'attributes', attributesType: 'msg' }));
      const shared = Buffer.from('as it came');
      const given = [
        { shared },
        { shared: { DataType: 'Binary.png', BinaryValue: shared } },
        { shared: new Uint8Array(shared.buffer, shared.byteOffset, shared.length) }
      ];
      const outcomes = await Promise.all(
        given.map((attributes) => bench.red.begin('send', { payload: 'x', attributes }))
      );
      shared.fill(0x21);
      await bench.red.until(() => outcomes.every(({ done }) => done > 0), 'all messages to end');
      const got = await queues.receive(queue, { MessageAttributeNames: ['All'] });
      assert.deepEqual(
        got.map(({ MessageAttributes }) => Buffer.from(MessageAttributes?.shared?.BinaryValue ?? []).toString()),
        given.map(() => 'as it came')
      );
    });

    it('ten at most, in few requests at a time, and each gets its own answer', async () => {
      const queue = await queues.create();
      const outcomes = await sendAll({ queue }, numbers(95));
      const records = await requests();
      assert.ok(sizesOf(records).every((size) => size <= 10));
      assert.ok(records.length <= 13, `${records.length} requests`);
      const stored = new Map<string | undefined, string | undefined>();
      for (let got = await queues.receive(queue, { VisibilityTimeout: 60 }); got.length > 0; ) {
        for (const { MessageId, Body } of got) stored.set(MessageId, Body);
        got = await queues.receive(queue, { VisibilityTimeout: 60 });
      }
      assert.equal(stored.size, 95);
      for (const { sent } of outcomes) {
        const { payload, n } = sent[0] as Message;
        assert.equal(stored.get((payload as { MessageId: string }).MessageId), String(n));
      }
    });

    it('in no more than four requests at a time', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 1000, service: 'sqs', times: 4 });
      await deployAction(bench, sendNode({ queue }));
      const waiting = await Promise.all(numbers(100).map((msg) => bench.red.begin('send', msg)));
      await bench.aws.until({ operation: 'SendMessageBatch', requests: 3 });
      assert.deepEqual(sizesOf(await requests()), [1, 10, 10, 10]);
      assert.ok(waiting.every(({ done }) => done === 0));
    });

    it('each alone where batch is off', async () => {
      const queue = await queues.create();
      await sendAll({ queue, batch: false }, numbers(12));
      assert.deepEqual(sizesOf(await requests()), Array(12).fill(1));
    });

    it('apart where they go to other queues, regions or with other credentials', async () => {
      const [one, two] = [await queues.create(), await queues.create()];
      const msgs = numbers(40).map((msg, index) => ({
        ...msg,
        queue: index % 2 ? one : two,
        keys: index % 4 < 2 ? keysOf('demo') : undefined
      }));
      await bench.red.deploy(
        [
          account(bench),
          sendNode({ id: 'own', queue: 'queue', queueType: 'msg' }),
          sendNode({
            id: 'keys',
            queue: 'queue',
            queueType: 'msg',
            dynamicCredentials: 'keys',
            dynamicCredentialsType: 'msg'
          }),
          sink('out')
        ],
        { credentials: credentials() }
      );
      const outcomes = await Promise.all(msgs.map((msg) => bench.red.send(msg.keys ? 'keys' : 'own', msg)));
      assert.ok(outcomes.every(({ error }) => !error));
      const byBody = new Map(msgs.map(({ payload, queue }) => [String(payload), queue]));
      for (const record of await requests()) {
        for (const body of bodiesOf(record)) assert.equal(byBody.get(body), record.input.QueueUrl);
      }
    });

    it('within the size of a batch', async () => {
      const queue = await queues.create();
      const body = 'x'.repeat(300_000);
      const outcomes = await sendAll(
        { queue },
        Array.from({ length: 9 }, () => ({ payload: body }))
      );
      assert.ok(outcomes.every(({ error }) => !error));
      for (const { bytes } of await requests()) assert.ok(bytes < 1_100_000, `${bytes} bytes`);
      assert.equal((await queues.counts(queue)).visible, 9);
    });
  });

  describe('fail alone', () => {
    it('where the entry is at fault: it is not sent again', async () => {
      const queue = await queues.create();
      await bench.aws.fault({
        kind: 'entries',
        operation: 'SendMessageBatch',
        senderFault: true,
        entryProbability: 0.5
      });
      const outcomes = await sendAll({ queue }, numbers(41));
      const failed = outcomes.filter(({ error }) => error);
      assert.ok(failed.length > 5 && failed.length < 36, `${failed.length} failed`);
      for (const { error, done, sent } of failed) {
        assert.deepEqual([error?.code, error?.retryable, done, sent.length], ['InvalidMessageContents', false, 1, 0]);
        assert.match(String(error?.requestId), /^[0-9a-f-]{36}$/);
      }
      assert.equal(new Set(failed.map(({ error }) => error)).size, failed.length, 'an error was reported twice');
      assert.equal((await queues.counts(queue)).visible, 41 - failed.length);
      assert.equal(
        sizesOf(await requests()).reduce((sum, size) => sum + size),
        41
      );
    });

    it('where the service is at fault, after the third time', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'entries', operation: 'SendMessageBatch' });
      await bench.aws.fault({ kind: 'delay', delayMs: 30, operation: 'SendMessage' });
      const outcomes = await sendAll({ queue }, numbers(31));
      for (const { error, sent } of outcomes) {
        if (error) assert.deepEqual([error.code, error.retryable], ['InternalError', true]);
        else assert.equal(sent.length, 1);
      }
      const tries = new Map<string, number>();
      for (const body of (await requests()).flatMap(bodiesOf)) tries.set(body, (tries.get(body) ?? 0) + 1);
      assert.equal(Math.max(...tries.values()), 3);
      for (const [index, { error }] of outcomes.entries()) {
        if (error) assert.equal(tries.get(String(index)), 3);
      }
    });

    it('and are through where it gets better', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'entries', operation: 'SendMessageBatch', entryProbability: 0.4, seed: 7 });
      const outcomes = await sendAll({ queue }, numbers(60));
      const through = outcomes.filter(({ error }) => !error);
      assert.ok(through.length > 45, `${through.length} of 60`);
      assert.ok(through.some(({ sent }) => (sent[0]?.aws?.attempts as number) > 1));
      assert.equal((await queues.counts(queue)).visible, through.length);
    });

    it('where the whole request fails, each with an error of its own', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'error500', operation: 'SendMessageBatch' });
      const outcomes = await sendAll({ queue }, numbers(11));
      const failed = outcomes.filter(({ error }) => error);
      assert.equal(failed.length, 10);
      assert.equal(new Set(failed.map(({ error }) => error)).size, 10);
      for (const { error, done } of failed) assert.deepEqual([error?.code, done], ['InternalFailure', 1]);
    });
  });

  describe('of a FIFO group', () => {
    const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
    const byTopic = { groupId: 'topic', groupIdType: 'msg' };
    const grouped = (count: number, groups: number): Message[] =>
      Array.from({ length: count }, (_, n) => ({ payload: `${n % groups}:${n}`, topic: `g${n % groups}` }));

    const inOrder = (bodies: string[]): void => {
      const last = new Map<string, number>();
      for (const body of bodies) {
        const [group = '', n] = body.split(':');
        assert.ok(Number(n) > (last.get(group) ?? -1), `${body} overtook ${last.get(group)}`);
        last.set(group, Number(n));
      }
    };

    it('go one after the other, and those of several groups together', async () => {
      const queue = await queues.create(fifo);
      const outcomes = await sendAll({ queue, ...byTopic }, grouped(40, 4));
      assert.ok(outcomes.every(({ error }) => !error));
      const records = await requests();
      inOrder(records.flatMap(bodiesOf));
      for (const record of records) {
        const groups = bodiesOf(record).map((body) => body.split(':')[0]);
        assert.equal(new Set(groups).size, groups.length, 'two of a group in one batch');
      }
      assert.ok(Math.max(...sizesOf(records)) >= 3);
    });

    it('also where batch is off', async () => {
      const queue = await queues.create(fifo);
      await sendAll({ queue, ...byTopic, batch: false }, grouped(24, 3));
      inOrder((await requests()).flatMap(bodiesOf));
    });

    it('in the order in which they came, however long their expressions take', async () => {
      const queue = await queues.create(fifo);
      const slow = '$string(topic) & ":" & payload & $substring($join([1..(100 - payload * 4)].("x")), 0, 0)';
      const msgs = Array.from({ length: 20 }, (_, n) => ({ payload: n, topic: '0' }));
      await sendAll({ queue, ...byTopic, body: slow, bodyType: 'jsonata' }, msgs);
      inOrder((await requests()).flatMap(bodiesOf));
    });

    it('wait for the report of a failure', async () => {
      const queue = await queues.create(fifo);
      await bench.aws.fault({ kind: 'error500', operation: 'SendMessage', times: 3 });
      await deployAction(bench, sendNode({ queue, ...byTopic }));
      const [first, second] = await Promise.all(grouped(2, 1).map((msg) => bench.red.begin('send', msg)));
      await bench.red.until(async () => (await requests()).length > 3, 'the second message to be sent');
      assert.equal(first?.error?.code, 'InternalFailure');
      await bench.red.until(() => second?.done);
      assert.equal(second?.error, undefined);
    });

    it('do not wait for themselves where a message names a queue twice', async () => {
      const queue = await queues.create(fifo);
      await bench.aws.fault({ kind: 'error500', operation: 'SendMessage' });
      const targets = { queue: 'targets', queueType: 'msg', groupId: 'g', groupIdType: 'str' };
      const [outcome] = await sendAll(targets, [{ payload: 'x', targets: [queue, queue] }]);
      assert.match(outcome?.error?.message ?? '', /^2 of 2 targets failed/);
    });
  });

  describe('that are one message, which names a FIFO queue twice,', () => {
    const group = { queue: 'queues', queueType: 'msg', groupId: 'a', groupIdType: 'str' };
    const twice = async (list: string[]): Promise<Outcome> => {
      await deployAction(bench, sendNode(group));
      return bench.red.send('send', { payload: 1, queues: list });
    };
    const resultsOf = ({ error }: Outcome) => error?.results as { error?: { name: string } }[];

    it('end where the first one fails before the second one comes', async () => {
      const queue = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      await bench.aws.fault({ kind: 'denied', operation: 'SendMessage', times: 1 });
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'GetQueueUrl', times: 1 });
      const outcome = await twice([queue, queue.split('/').at(-1) as string]);
      assert.equal(outcome.done, 1);
      assert.deepEqual(
        resultsOf(outcome).map(({ error }) => error?.name),
        ['AccessDenied', undefined]
      );
      assert.deepEqual(await queues.counts(queue), { visible: 1, hidden: 0, delayed: 0 });
    });

    it('end where more targets than may go at once are between the two', async () => {
      const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
      const [gone, queue] = [await queues.create(fifo), await queues.create(fifo)];
      await queues.delete(gone);
      const outcome = await twice([gone, ...Array<string>(58).fill(queue), gone]);
      assert.equal(outcome.done, 1);
      const failed = resultsOf(outcome).flatMap(({ error }, index) => (error ? [index] : []));
      assert.deepEqual(failed, [0, 59]);
    });
  });

  describe('to FIFO queues that have several names, or that others name in another order,', () => {
    const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' };
    const group = { queue: 'queues', queueType: 'msg', groupId: 'a', groupIdType: 'str' };
    let relay: Relay;
    beforeEach(async () => {
      relay = await Relay.start(bench.aws.url);
    });
    afterEach(async () => {
      await bench.red.deploy([]);
      await relay.stop();
    });
    const pathOf = (url: string): string => new URL(url).pathname;
    const sentTo = ({ headers, body }: Exchange): string | undefined =>
      headers['x-amz-target']?.endsWith('.SendMessage') ? pathOf(JSON.parse(body).QueueUrl) : undefined;
    const refusal = { status: 400, errorType: 'InvalidMessageContents', body: '{"message":"No."}' };

    it('keep the order of a group by whatever name the queue goes', async () => {
      const url = await queues.create(fifo);
      const [account, name] = url.split('/').slice(-2) as [string, string];
      const names = [
        url,
        name,
        `arn:aws:sqs:us-east-1:${account}:${name}`,
        `http://LOCALHOST:1/${account}/${name}`,
        `https://sqs.us-east-1.amazonaws.com/${account}/${name}`
      ];
      let open = 0;
      let most = 0;
      const bodies: string[] = [];
      relay.answer = async (exchange) => {
        if (!sentTo(exchange)) return undefined;
        open += 1;
        most = Math.max(most, open);
        bodies.push(JSON.parse(exchange.body).MessageBody);
        await new Promise((resolve) => setTimeout(resolve, 20));
        open -= 1;
        return undefined;
      };
      await deployAction(bench, sendNode({ ...group, batch: false }), { endpoint: relay.url });
      const msgs = Array.from({ length: 20 }, (_, n) => ({ payload: String(n), queues: names[n % names.length] }));
      const outcomes = await bench.red.sendMany('send', msgs);
      assert.ok(outcomes.every(({ error }) => !error));
      assert.equal(most, 1);
      assert.deepEqual(
        bodies,
        msgs.map(({ payload }) => payload)
      );
    });

    it('end where each waits for the other one’s end', async () => {
      const [one, other, busy] = [await queues.create(fifo), await queues.create(fifo), await queues.create()];
      const refused: string[] = [];
      let goOn: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      relay.answer = async (exchange) => {
        const { headers, body } = exchange;
        const target = headers['x-amz-target'] ?? '';
        if (!target.includes('.SendMessage')) return undefined;
        const to = pathOf(JSON.parse(body).QueueUrl);
        // The first message has no room for its last target before the second one is there.
        if (to === pathOf(busy) || (to === pathOf(one) && refused.length === 0)) await held;
        if (to === pathOf(busy)) return undefined;
        refused.push(to);
        return refusal;
      };
      await deployAction(bench, sendNode(group), { endpoint: relay.url });
      const first = await bench.red.begin('send', {
        payload: 1,
        queues: [one, ...Array<string>(49).fill(busy), other]
      });
      const second = await bench.red.begin('send', { payload: 2, queues: [other, one] });
      await bench.red.until(() => refused.length === 1);
      goOn();
      await bench.red.until(() => first.done + second.done === 2);
      assert.equal(refused.length, 4);
    });

    it('do not overtake those for which the URL is still asked for', async () => {
      const url = await queues.create(fifo);
      const bodies: string[] = [];
      relay.answer = async (exchange) => {
        if (exchange.headers['x-amz-target']?.endsWith('.GetQueueUrl')) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        } else bodies.push(JSON.parse(exchange.body).MessageBody);
        return undefined;
      };
      await deployAction(bench, sendNode(group), { endpoint: relay.url });
      const name = url.split('/').at(-1);
      await bench.red.sendMany('send', [
        { payload: 'first', queues: name },
        { payload: 'second', queues: url }
      ]);
      assert.deepEqual(bodies, ['first', 'second']);
    });

    it('that failed twice hold up those behind them until the failure is reported', async () => {
      const url = await queues.create(fifo);
      relay.answer = (exchange) => (sentTo(exchange) && exchange.body.includes('bad') ? refusal : undefined);
      const sent: string[] = [];
      await deployAction(bench, sendNode({ ...group, batch: false }), { endpoint: relay.url });
      const bad = await bench.red.begin('send', { payload: 'bad', queues: [url, url, url] });
      const good = await bench.red.begin('send', { payload: 'good', queues: url });
      await bench.red.until(() => good.done);
      for (const exchange of relay.exchanges) sent.push(JSON.parse(exchange.body).MessageBody);
      assert.deepEqual(sent, ['bad', 'bad', 'bad', 'good']);
      assert.equal(bad.done, 1);
    });

    it('whose queue is not found for one of its targets hold up those behind them until that is reported', async () => {
      const [url, slow] = [await queues.create(fifo), await queues.create(fifo)];
      const name = url.split('/').at(-1);
      let goOn: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const asked: string[] = [];
      const sent: string[] = [];
      relay.answer = async ({ headers, body }) => {
        if (headers['x-amz-target']?.endsWith('.GetQueueUrl')) {
          asked.push(JSON.parse(body).QueueName);
          return asked.length === 1 ? refusal : undefined;
        }
        const { QueueUrl, MessageBody } = JSON.parse(body);
        if (pathOf(QueueUrl) === pathOf(slow)) await held;
        else sent.push(`${MessageBody}, ${bad.done}`);
        return undefined;
      };
      await deployAction(bench, sendNode({ ...group, groupId: 'topic', groupIdType: 'msg' }), { endpoint: relay.url });
      const bad = await bench.red.begin('send', { payload: 'bad', topic: 'a', queues: [slow, name] });
      await bench.red.until(() => asked.length === 1);
      // Its answer takes longer than the first one.
      await bench.red.send('send', { payload: 'none', topic: 'b', queues: 'none.fifo' });
      const good = await bench.red.begin('send', { payload: 'good', topic: 'a', queues: name });
      const behind = await bench.red.begin('send', { payload: 'behind', topic: 'a', queues: url });
      const other = await bench.red.begin('send', { payload: 'other', topic: 'b', queues: name });
      await bench.red.until(() => other.done);
      goOn();
      await bench.red.until(() => good.done + behind.done === 2);
      assert.deepEqual(sent, ['other, 0', 'good, 1', 'behind, 1']);
    });

    it('that are refused before they are sent to one of their targets hold up those behind them as well', async () => {
      const [url, busy] = [await queues.create(fifo), await queues.create()];
      let goOn: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const sent: string[] = [];
      relay.answer = async (exchange) => {
        if (sentTo(exchange) === pathOf(busy)) await held;
        else sent.push(`${JSON.parse(exchange.body).MessageBody}, ${bad.done}`);
        return undefined;
      };
      const delay = { delaySeconds: 'delay', delaySecondsType: 'msg', groupId: 'topic', groupIdType: 'msg' };
      await deployAction(bench, sendNode({ ...group, ...delay }), { endpoint: relay.url });
      // Only a FIFO queue takes no delay.
      const bad = await bench.red.begin('send', { payload: 'bad', topic: 'a', delay: 1, queues: [busy, url] });
      const good = await bench.red.begin('send', { payload: 'good', topic: 'a', queues: url });
      await bench.red.send('send', { payload: 'other', topic: 'b', queues: url });
      goOn();
      await bench.red.until(() => good.done);
      assert.deepEqual(sent, ['other, 0', 'good, 1']);
      assert.match(bad.error?.message ?? '', /^1 of 2 targets failed.*delaySeconds/);
    });
  });

  describe('that are too many', () => {
    /** ms: 64 MiB of new memory take a while on a machine that is short of it. */
    const unhurried = 120_000;

    it('fail at once beyond 10,000 that wait or are in flight, and the others arrive', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 3000, operation: 'SendMessage', times: 1 });
      await bench.aws.fault({ kind: 'delay', delayMs: 3000, operation: 'SendMessageBatch', times: 3 });
      await bench.red.deploy(
        [
          account(bench),
          { id: 'many', type: 'split', wires: [['send']] },
          sendNode({ queue }),
          sink('out'),
          { id: 'catch', type: 'catch', wires: [['failed']] },
          sink('failed')
        ],
        { credentials: credentials() }
      );
      // What is in flight, one alone and three batches, counts as well.
      await bench.red.send('many', { payload: Array.from({ length: 10_100 }, (_, n) => n) });
      const refused = await bench.red.collect('failed', 100);
      for (const { error } of refused) {
        const { code, message } = error as { code: string; message: string };
        assert.equal(code, 'RequestThrottled');
        assert.match(message, /at most 10000 or 64 MiB/);
      }
      await bench.red.until(() => bench.red.received('out').length === 10_000, 'the others to arrive', unhurried);
      assert.equal(bench.red.received('failed').length, 100);
      assert.equal((await queues.counts(queue)).visible, 10_000);
    }).timeout(2 * unhurried);

    const megabyte = 'x'.repeat(1_000_000);

    for (const [how, properties] of [
      ['that wait', {}],
      ['in flight, each alone', { batch: false }]
    ] as const) {
      it(`fail at once beyond 64 MiB ${how}`, async () => {
        const queue = await queues.create();
        await bench.aws.fault({ kind: 'delay', delayMs: 2000, service: 'sqs' });
        await deployAction(bench, sendNode({ queue, ...properties }));
        const waiting = await Promise.all(
          numbers(75).map((msg) => bench.red.begin('send', { ...msg, payload: megabyte }))
        );
        await bench.red.until(() => waiting.filter(({ error }) => error?.code === 'RequestThrottled').length === 8);
        assert.equal(waiting.filter(({ done }) => done === 0).length, 67);
        await bench.aws.clearFaults();
        await bench.red.until(() => waiting.every(({ done }) => done === 1), 'the others to arrive', unhurried);
        assert.equal((await queues.counts(queue)).visible, 67);
      }).timeout(2 * unhurried);
    }

    it('to other targets leave nothing behind that belongs to these', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 3000, service: 'sqs' });
      await deployAction(bench, sendNode({ queue: 'queue', queueType: 'msg' }));
      const waiting = await Promise.all(
        numbers(67).map((msg) => bench.red.begin('send', { ...msg, payload: megabyte, queue }))
      );
      const others = numbers(1000).map(({ n }) => ({ payload: megabyte, queue: `${queue}-${n}` }));
      for (const { error } of await bench.red.sendMany('send', others)) assert.equal(error?.code, 'RequestThrottled');
      assert.equal(queryObjects(TargetBatches, { format: 'count' }), 1);
      await bench.aws.clearFaults();
      await bench.red.until(() => waiting.every(({ done }) => done === 1), 'the others to arrive', unhurried);
      await bench.red.until(
        () => queryObjects(TargetBatches, { format: 'count' }) === 0,
        'the batches to be forgotten'
      );
    }).timeout(2 * unhurried);

    it('fail at once beyond 64 MiB of invocations, and invoke nothing', async () => {
      await bench.aws.fault({ kind: 'delay', delayMs: 2000, service: 'lambda' });
      await deployAction(bench, invokeNode({ functionName: 'hello' }));
      const payload = 'x'.repeat(5_000_000);
      const waiting = await Promise.all(numbers(15).map((msg) => bench.red.begin('invoke', { ...msg, payload })));
      await bench.red.until(() => waiting.every(({ done }) => done === 1), 'all to end', unhurried);
      assert.equal(waiting.filter(({ error }) => error?.code === 'RequestThrottled').length, 2);
      // On a busy machine a function's own time may be over before it begins.
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'Invoke').length, 13);
    }).timeout(2 * unhurried);

    it('for one message with many targets fail for those without room, and say nothing of the others', async () => {
      await bench.aws.fault({ kind: 'delay', delayMs: 2000, service: 'lambda', times: 1 });
      await deployAction(bench, invokeNode({ functionName: 'targets', functionNameType: 'msg' }));
      const payload = 'x'.repeat(5_000_000);
      const first = await bench.red.begin('invoke', { payload, targets: 'hello' });
      const targets = Array<string>(14).fill('hello');
      const { error } = await bench.red.send('invoke', { payload, targets }, unhurried);
      assert.match(
        error?.message ?? '',
        /^2 of 14 targets failed; the first, "hello": Too many .* 64 MiB; this one was not sent, send more slowly\.$/
      );
      await bench.red.until(() => first.done === 1);
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'Invoke').length, 13);
    }).timeout(2 * unhurried);

    it('have no more room once others have run out of time, each with several targets', async () => {
      await bench.aws.fault({ kind: 'hang', service: 'lambda' });
      await deployAction(bench, invokeNode({ functionName: 'targets', functionNameType: 'msg', timeout: 3 }));
      const msgs = (count: number, targets: unknown) =>
        numbers(count).map((msg) => ({ ...msg, payload: 'x'.repeat(5_000_000), targets }));
      // Each is in memory twice.
      const late = await bench.red.sendMany('invoke', msgs(6, ['hello', 'other']));
      for (const { error } of late) assert.equal(error?.code, 'PartialFailure');
      const waiting = await Promise.all(msgs(15, 'hello').map((msg) => bench.red.begin('invoke', msg)));
      await bench.red.until(() => waiting.every(({ done }) => done === 1), 'all to end', unhurried);
      const codes = waiting.map(({ error }) => error?.code);
      assert.deepEqual(codes, [...Array(13).fill('Timeout'), ...Array(2).fill('RequestThrottled')]);
    }).timeout(2 * unhurried);
  });

  describe('whose connection has died', () => {
    let wire: Wire;
    before(async () => {
      wire = await Wire.start(bench.aws.url);
    });
    // What still hangs goes by new connections, so that no node has to wait for it when it closes.
    afterEach(() => wire.cut());
    after(() => wire.stop());

    const deploy = (node: FlowNode) =>
      bench.red.deploy([account(bench, { endpoint: wire.url }), node, sink('out')], { credentials: credentials() });

    async function newTopic(): Promise<string> {
      const client = new SNSClient({ region: 'us-east-1', endpoint: bench.aws.url, credentials: signIns.demo });
      const { TopicArn } = await client.send(new CreateTopicCommand({ Name: 'alarms' }));
      return TopicArn as string;
    }

    for (const [what, make] of [
      ['a queue', async () => sendNode({ queue: await queues.create() })],
      ['a queue, batch being off', async () => sendNode({ queue: await queues.create(), batch: false })],
      ['a topic', async () => publishNode({ target: await newTopic() })],
      ['a phone', async () => publishNode({ target: '+12065550100' })]
    ] as const) {
      it(`to ${what} keep later ones waiting for a second at most, whatever connections were idle`, async () => {
        const node = await make();
        await deploy(node);
        const { id } = node;
        await bench.aws.fault({ kind: 'delay', delayMs: 100, times: 4 });
        await bench.red.sendMany(id, numbers(60));
        wire.die();
        const hung = await bench.red.begin(id, { payload: 'hung' });
        // They would be tried one after the other.
        await wire.untilDead(1);
        for (let n = 0; n < 5; n += 1) {
          const later = await bench.red.send(id, { payload: 'later' }, 30_000);
          assert.deepEqual([later.error, later.sent[0]?.aws?.attempts], [undefined, 1]);
        }
        assert.equal(hung.done, 0);
        wire.cut();
        await bench.red.until(() => hung.done);
        assert.deepEqual([hung.error, hung.sent[0]?.aws?.attempts], [undefined, 2]);
      });
    }

    it('keep those that came with them waiting for a second, and then all of these leave together', async () => {
      const queue = await queues.create();
      await deploy(sendNode({ queue }));
      await bench.red.send('send', { payload: 'first' });
      wire.die();
      const hung = await bench.red.begin('send', { payload: 'hung' });
      const behind = await Promise.all(numbers(7).map((msg) => bench.red.begin('send', msg)));
      await bench.red.until(() => behind.every(({ done }) => done === 1), 'those behind it');
      assert.equal(hung.done, 0);
      assert.deepEqual(sizesOf(await requests()), [1, 7]);
      wire.cut();
      await bench.red.until(() => hung.done);
      assert.equal((await queues.counts(queue)).visible, 9);
    });

    it('keep their own FIFO group waiting, and no other', async () => {
      const queue = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      await deploy(sendNode({ queue, groupId: 'topic', groupIdType: 'msg' }));
      await bench.red.send('send', { payload: 'first', topic: 'a' });
      wire.die();
      const [hung, behind] = await Promise.all(
        ['hung', 'behind'].map((payload) => bench.red.begin('send', { payload, topic: 'a' }))
      );
      for (let n = 0; n < 3; n += 1)
        assert.equal((await bench.red.send('send', { payload: n, topic: 'b' })).error, undefined);
      assert.deepEqual([hung?.done, behind?.done], [0, 0]);
      wire.cut();
      await bench.red.until(() => hung?.done && behind?.done);
      assert.deepEqual((await requests()).flatMap(bodiesOf), ['first', '0', '1', '2', 'hung', 'behind']);
    });

    it('on a question for the URL of a queue keep none waiting, and their order stays', async () => {
      const url = await queues.createNamed('asked-for.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      await bench.aws.fault({ kind: 'hang', operation: 'GetQueueUrl', times: 2 });
      await deploy(sendNode({ queue: 'asked-for.fifo', groupId: 'a', groupIdType: 'str' }));
      const waiting = await Promise.all(numbers(2).map((msg) => bench.red.begin('send', msg)));
      await bench.aws.until({ operation: 'GetQueueUrl', requests: 2 });
      waiting.push(await bench.red.begin('send', { payload: 2 }));
      await bench.red.until(() => waiting.every(({ done }) => done === 1), 'all to be sent');
      assert.deepEqual((await requests()).flatMap(bodiesOf), ['0', '1', '2']);
      assert.equal((await queues.counts(url)).visible, 3);
      assert.equal((await queues.requests('GetQueueUrl')).length, 3);
    });
  });

  describe('that wait when the node closes', () => {
    it('are all sent', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 200, operation: 'SendMessage', times: 1 });
      await deployAction(bench, sendNode({ queue }));
      const waiting = await Promise.all(numbers(45).map((msg) => bench.red.begin('send', msg)));
      await bench.red.deploy([]);
      assert.ok(waiting.every(({ done, error }) => done === 1 && !error));
      assert.equal((await queues.counts(queue)).visible, 45);
    });
  });
});
