import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { mock } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { signIns } from '../../local-aws/client';
import { Backlog } from '../../nodes/account/backlog';
import { Task } from '../../nodes/action/task';
import { type Poll, Polls } from '../../nodes/messaging/polls';
import { account, assertFailed, credentials, keysOf, receiveNode, settleNode, useBench, useQueues } from '../aws';
import type { DeployOptions, FlowNode, Message, Status } from '../node-red';
import { sink } from '../node-red';
import { operationOf, Relay } from '../relay';
import { letPass } from '../set-clock';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const second = 1000;
const hour = 3600;

/** A network between Node-RED and the local AWS that can go away: nothing answers then. */
class Line {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(private readonly behind: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async up(): Promise<this> {
    const { hostname: host, port } = new URL(this.behind);
    const server = createServer((socket) => {
      const other = connect({ host, port: Number(port) });
      for (const [one, end] of [
        [socket, other],
        [other, socket]
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => end.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          end.destroy();
        });
      }
      socket.pipe(other).pipe(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as { port: number }).port;
    return this;
  }

  /** Breaks what is connected at the moment. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async down(): Promise<void> {
    const gone = new Promise((resolve) => this.#server?.close(resolve));
    this.cut();
    await gone;
  }
}

describe('aws-sqs-receive', () => {
  /** Lets timers from 5 s to below a minute end a hundred times sooner. Gives what they were set to, ms. */
  function hurry(): number[] {
    const set = globalThis.setTimeout;
    const long: number[] = [];
    const sooner = (work: () => void, ms = 0, ...more: []) => {
      // A limit of a minute is for what is not tested here; a part of it may be over when its timer is set.
      if (ms < 5 * second || ms > 55 * second) return set(work, ms, ...more);
      long.push(ms);
      return set(work, ms / 100, ...more);
    };
    mock.method(globalThis, 'setTimeout', Object.assign(sooner, set));
    return long;
  }

  const bench = useBench();
  const queues = useQueues(bench);
  /** What a test has started besides; ended when nothing of the test is deployed any more. */
  const started: (() => Promise<void>)[] = [];

  afterEach(async () => {
    mock.restoreAll();
    for (const stop of started.splice(0)) await stop();
  });

  async function newLine(): Promise<Line> {
    const line = await new Line(bench.aws.url).up();
    started.push(() => line.down());
    return line;
  }

  async function newRelay(): Promise<Relay> {
    const relay = await Relay.start(bench.aws.url);
    started.push(() => relay.stop());
    return relay;
  }

  /** Deploys a receiver and more nodes, with an account of these properties. */
  async function receive(
    properties: Record<string, unknown>,
    more: FlowNode[] = [],
    accountProperties: Record<string, unknown> = {}
  ): Promise<void> {
    const flow = [
      account(bench, accountProperties),
      receiveNode(properties),
      sink('out'),
      settleNode(),
      sink('settled')
    ];
    await bench.red.deploy([...flow, ...more], { credentials: credentials() });
  }

  /** As `receive`, once the receiver waits for messages. */
  async function receiving(
    properties: Record<string, unknown>,
    more: FlowNode[] = [],
    accountProperties: Record<string, unknown> = {}
  ): Promise<void> {
    await receive(properties, more, accountProperties);
    await polled(1);
  }

  const next = (): Promise<Message> => bench.red.next('out');
  const polls = async () => queues.requests('ReceiveMessage');
  const polled = (count: number) =>
    bench.red.until(async () => (await polls()).length >= count, `request number ${count} for messages`);
  const inputs = async (operation: string) => (await queues.requests(operation)).map(({ input }) => input);
  const lastStatus = (id = 'receive'): Status => bench.red.statuses(id).at(-1) ?? {};
  const isRed = (name: string) => () => lastStatus().fill === 'red' && lastStatus().text?.startsWith(name);
  const red = (name: string) => bench.red.until(isRed(name), `a red status with ${name}`);
  const logged = (level: string, id = 'receive') =>
    bench.red.logs.filter((entry) => entry.level === level && entry.id === id).map(({ text }) => text);
  const settle = (msg: Message) => bench.red.send('settle', msg);
  const payloads = (id = 'out') => bench.red.received(id).map(({ payload }) => payload);
  const empty = { visible: 0, hidden: 0, delayed: 0 };
  /** Waits until the queue counts so many messages. */
  const counted = (url: string, counts: Partial<typeof empty>) =>
    bench.red.until(
      async () => {
        const found = await queues.counts(url);
        return Object.entries(counts).every(([name, count]) => found[name as keyof typeof empty] === count);
      },
      `${JSON.stringify(counts)} in the queue`
    );

  describe('takes the queue', () => {
    const arn = (name: string, region = 'us-east-1') => `arn:aws:sqs:${region}:111111111111:${name}`;
    const nameOf = (url: string) => url.split('/').at(-1) as string;

    for (const [what, as] of [
      ['by its URL', (url: string) => url],
      ['by its name', nameOf],
      ['by its ARN', (url: string) => arn(nameOf(url))],
      [
        'by a URL of AWS, whose host is not asked',
        (url: string) => `https://queue.amazonaws.com${new URL(url).pathname}`
      ]
    ] as const) {
      it(what, async () => {
        const url = await queues.create();
        await queues.send(url, 'hello');
        await receive({ queue: as(url) });
        const msg = await next();
        assert.equal(msg.payload, 'hello');
        assert.equal(msg.aws?.region, 'us-east-1');
        await counted(url, empty);
      });
    }

    it('from an environment variable, also in part', async () => {
      const url = await queues.create();
      await queues.send(url, 'hello');
      process.env.QUEUE_OF_TESTS = url;
      process.env.BATCH_OF_TESTS = '4';
      try {
        await receive({ queue: '${QUEUE_OF_TESTS}', batchSize: '${BATCH_OF_TESTS}' });
        assert.equal((await next()).payload, 'hello');
        assert.equal((await inputs('ReceiveMessage'))[0]?.MaxNumberOfMessages, 4);
        process.env.QUEUE_OF_TESTS = nameOf(url);
        await receive({ queue: `${url.slice(0, url.lastIndexOf('/'))}/\${QUEUE_OF_TESTS}` });
        await queues.send(url, 'again');
        assert.equal((await next()).payload, 'again');
      } finally {
        delete process.env.QUEUE_OF_TESTS;
        delete process.env.BATCH_OF_TESTS;
      }
    });

    it('asking for the URL of a name once', async () => {
      const url = await queues.create();
      await receiving({ queue: nameOf(url), batchSize: 1 });
      await queues.send(url, 'one', 'two', 'three');
      await bench.red.collect('out', 3);
      await polled(4);
      assert.deepEqual(
        (await inputs('GetQueueUrl')).map(({ QueueName }) => QueueName),
        [nameOf(url)]
      );
    });

    for (const [what, as, ofAccount] of [
      ['of its ARN', (url: string) => ({ queue: arn(nameOf(url), 'eu-west-1') }), {}],
      ['of its URL', (url: string) => ({ queue: url }), {}],
      ['of the node, before any other', (url: string) => ({ queue: arn(nameOf(url)), region: 'eu-west-1' }), {}],
      ['of the account', (url: string) => ({ queue: nameOf(url) }), { region: 'eu-west-1' }]
    ] as const) {
      it(`in the region ${what}`, async () => {
        const url = await queues.create({}, 'eu-west-1');
        await queues.send(url, 'from afar');
        await receive(as(url), [], ofAccount);
        const { payload, aws } = await next();
        assert.deepEqual([payload, aws?.region, (await polls())[0]?.region], ['from afar', 'eu-west-1', 'eu-west-1']);
        await counted(url, empty);
      });
    }

    it('that is FIFO: in order, the next one of a group when the last one is deleted', async () => {
      const url = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      const of = (MessageGroupId: string) => (MessageBody: string) => ({ MessageBody, MessageGroupId });
      await queues.send(url, ...['a1', 'a2', 'a3'].map(of('a')), ...['b1', 'b2'].map(of('b')));
      await receive({ queue: url, settle: 'flow' });
      const order: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        const msg = await next();
        order.push(msg.payload as string);
        assert.equal(msg.aws?.groupId, String(msg.payload)[0]);
        assert.equal((await settle(msg)).error, undefined);
      }
      assert.deepEqual([...order].sort(), ['a1', 'a2', 'a3', 'b1', 'b2']);
      assert.deepEqual(
        order.filter((each) => each.startsWith('a')),
        ['a1', 'a2', 'a3']
      );
      await counted(url, empty);
    });
  });

  describe('asks', () => {
    it('for ten messages at a time, for 20 s, and leaves the visibility to the queue', async () => {
      await receiving({ queue: await queues.create() });
      const [{ MaxNumberOfMessages, WaitTimeSeconds, VisibilityTimeout } = {}] = await inputs('ReceiveMessage');
      assert.deepEqual([MaxNumberOfMessages, WaitTimeSeconds, VisibilityTimeout], [10, 20, undefined]);
    });

    it('with the batch size, the wait time and the visibility of the node, text or numbers', async () => {
      const queue = await queues.create();
      const asked: unknown[] = [];
      for (const settings of [
        { batchSize: '3', waitTime: '5', visibilityTimeout: '7' },
        { batchSize: 1, waitTime: 0, visibilityTimeout: 43_200 }
      ]) {
        await bench.aws.reset();
        await receiving({ queue, ...settings });
        const [input] = await inputs('ReceiveMessage');
        asked.push([input?.MaxNumberOfMessages, input?.WaitTimeSeconds, input?.VisibilityTimeout]);
      }
      assert.deepEqual(asked, [
        [3, 5, 7],
        [1, 0, 43_200]
      ]);
    });

    it('an empty queue once a second where it does not wait', async () => {
      await receiving({ queue: await queues.create(), waitTime: 0 });
      await polled(2);
      const [first, other] = await polls();
      assert.ok((other?.time ?? 0) - (first?.time ?? 0) > 0.9 * second, 'asked again at once');
    });

    it('again at once as long as messages come, wait or not', async () => {
      const url = await queues.create();
      await queues.send(url, ...Array.from({ length: 30 }, (_, index) => `message ${index}`));
      const began = Date.now();
      await receive({ queue: url, waitTime: 0, batchSize: 5 });
      await bench.red.collect('out', 30);
      assert.ok(Date.now() - began < 2 * second, 'paused although there were messages');
    });

    it('for 30 s of visibility where the queue may not be asked for its own', async () => {
      const url = await queues.create({ VisibilityTimeout: '90' });
      const relay = await newRelay();
      relay.answer = ({ headers }) =>
        headers['x-amz-target']?.endsWith('GetQueueAttributes')
          ? { status: 403, errorType: 'AccessDeniedException', body: '{"message": "not allowed"}' }
          : undefined;
      await receiving({ queue: url, settle: 'flow' }, [], { endpoint: relay.url });
      assert.equal((await inputs('ReceiveMessage'))[0]?.VisibilityTimeout, 30);
      assert.deepEqual(logged('warn'), []);
    });

    it('for a visibility of at least a second where the flow settles: what is not hidden cannot be kept', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 0 });
      assert.equal((await inputs('ReceiveMessage'))[0]?.VisibilityTimeout, 1);
    });
  });

  describe('gives a message', () => {
    it('with the body as payload, and everything about it in msg.aws', async () => {
      const url = await queues.create();
      await receiving({ queue: url });
      const before = Date.now();
      await queues.send(url, '{"colour": "red"}');
      const { payload, aws, _msgid, ...rest } = await next();
      assert.deepEqual(payload, { colour: 'red' });
      assert.match(String(_msgid), /^[0-9a-f]{16}$/);
      assert.deepEqual(rest, {});
      const { requestId, messageId, sentAt, firstReceivedAt, handle, ...known } = aws as Record<string, unknown>;
      assert.deepEqual(known, {
        service: 'sqs',
        operation: 'ReceiveMessage',
        region: 'us-east-1',
        statusCode: 200,
        attempts: 1,
        receiveCount: 1,
        senderId: signIns.demo.userId,
        attributes: {}
      });
      assert.match(String(requestId), uuid);
      assert.match(String(messageId), uuid);
      assert.equal(typeof handle, 'string');
      assert.ok((sentAt as number) >= before && (sentAt as number) <= Date.now());
      assert.ok((firstReceivedAt as number) >= (sentAt as number) && (firstReceivedAt as number) <= Date.now());
    });

    it('of a FIFO queue with its sequence number and its deduplication ID', async () => {
      const url = await queues.create({ FifoQueue: 'true' });
      await queues.send(url, { MessageBody: 'in order', MessageGroupId: 'a', MessageDeduplicationId: 'once' });
      await receive({ queue: url });
      const { groupId, deduplicationId, sequenceNumber } = (await next()).aws ?? {};
      assert.deepEqual([groupId, deduplicationId], ['a', 'once']);
      assert.match(String(sequenceNumber), /^\d{20}$/);
    });

    it('with the trace that it is part of', async () => {
      const url = await queues.create();
      const StringValue = 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1';
      const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue } };
      await queues.send(url, { MessageBody: 'traced', MessageSystemAttributes });
      await receive({ queue: url });
      assert.equal((await next()).aws?.traceHeader, StringValue);
    });

    it('of a dead-letter queue with the queue that it comes from', async () => {
      const dead = await queues.create();
      const deadLetterTargetArn = `arn:aws:sqs:us-east-1:111111111111:${dead.split('/').at(-1)}`;
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 });
      const url = await queues.create({ RedrivePolicy });
      await queues.send(url, 'fails');
      await queues.receive(url);
      assert.deepEqual(await queues.receive(url), []);
      await receive({ queue: dead });
      const { aws } = await next();
      assert.equal(aws?.deadLetterSource, `arn:aws:sqs:us-east-1:111111111111:${url.split('/').at(-1)}`);
    });

    it('with its group, of a fair queue too', async () => {
      const url = await queues.create();
      await queues.send(url, { MessageBody: 'fair', MessageGroupId: 'tenant-7' });
      await receive({ queue: url });
      assert.equal((await next()).aws?.groupId, 'tenant-7');
    });

    it('with how often it has come', async () => {
      const url = await queues.create();
      await queues.send(url, 'the third time');
      await queues.receive(url);
      await queues.receive(url);
      const before = Date.now();
      await receive({ queue: url });
      const { aws } = await next();
      assert.equal(aws?.receiveCount, 3);
      assert.ok((aws?.firstReceivedAt as number) <= before, 'the time of this receive');
    });

    for (const [bodyFormat, body, payload] of [
      ['auto', '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
      ['auto', '[1, "two"]', [1, 'two']],
      ['auto', '12', 12],
      ['auto', 'false', false],
      ['auto', 'null', null],
      ['auto', '"text"', 'text'],
      ['auto', '\ufeff{"a": 1}', { a: 1 }],
      ['auto', '\ufeffno JSON {', '\ufeffno JSON {'],
      ['auto', 'no JSON {', 'no JSON {'],
      ['auto', 'Grüße, 世界 🌍', 'Grüße, 世界 🌍'],
      ['string', '{"a": 1}', '{"a": 1}'],
      ['string', '12', '12'],
      ['string', '\ufeff{"a": 1}', '\ufeff{"a": 1}'],
      ['buffer', '{"a": 1}', Buffer.from('{"a": 1}')],
      ['buffer', 'Grüße 🌍', Buffer.from('Grüße 🌍')]
    ] as const) {
      it(`as ${bodyFormat}: ${body}`, async () => {
        const url = await queues.create();
        await queues.send(url, body);
        await receive({ queue: url, bodyFormat });
        const msg = await next();
        assert.deepEqual(msg.payload, payload);
        assert.equal(Buffer.isBuffer(msg.payload), bodyFormat === 'buffer');
      });
    }

    it('that tries to change prototypes, as plain data', async () => {
      const url = await queues.create();
      await queues.send(url, '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}');
      await receive({ queue: url });
      const { payload } = await next();
      assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
      assert.deepEqual((payload as { constructor: unknown }).constructor, { prototype: { polluted: 1 } });
    });

    it('of a megabyte', async () => {
      const url = await queues.create();
      const body = 'x'.repeat(1_048_576);
      await queues.send(url, body);
      await receive({ queue: url });
      assert.equal((await next()).payload, body);
    });

    it('with its attributes as the values that aws-sqs-send takes', async () => {
      const url = await queues.create();
      const given = {
        text: 'Grüße',
        digits: '0042',
        number: 21.5,
        negative: -7,
        bytes: Buffer.from([0, 255, 7]),
        list: ['one', 2, true, null],
        'custom.type': { DataType: 'Number.celsius', StringValue: '21.50' },
        picture: { DataType: 'Binary.png', BinaryValue: Buffer.from([137, 80]) }
      };
      const send = {
        id: 'send',
        type: 'aws-sqs-send',
        account: 'account',
        queue: url,
        queueType: 'str',
        attributes: 'attributes',
        attributesType: 'msg',
        wires: [['sent']]
      };
      await receiving({ queue: url }, [send, sink('sent')]);
      assert.equal((await bench.red.send('send', { payload: 'first', attributes: given })).error, undefined);
      const first = await next();
      assert.deepEqual(first.aws?.attributes, given);
      const { attributes } = first.aws as { attributes: { bytes: unknown } };
      assert.ok(Buffer.isBuffer(attributes.bytes));
      const again = { payload: 'again', attributes };
      assert.equal((await bench.red.send('send', again)).error, undefined);
      assert.deepEqual((await next()).aws?.attributes, given);
      const [one, two] = await inputs('SendMessage');
      assert.deepEqual(one?.MessageAttributes, two?.MessageAttributes);
    });

    for (const [what, exact] of [
      ['large numbers', { DataType: 'Number', StringValue: '12345678901234567890' }],
      ['zeros at the end', { DataType: 'Number', StringValue: '1.50' }],
      ['large numbers in a list', { DataType: 'String.Array', StringValue: '[12345678901234567890]' }],
      ['a list that is none', { DataType: 'String.Array', StringValue: 'one, two' }]
    ] as const) {
      it(`with an attribute that JavaScript cannot hold as it was: ${what}`, async () => {
        const url = await queues.create();
        await queues.send(url, { MessageBody: 'exact', MessageAttributes: { exact } });
        await receive({ queue: url });
        assert.deepEqual((await next()).aws?.attributes, { exact });
      });
    }
  });

  describe('gives the message of a topic', () => {
    const attributes = {
      text: { DataType: 'String', StringValue: 'Grüße' },
      number: { DataType: 'Number', StringValue: '21.5' },
      exact: { DataType: 'Number', StringValue: '1.50' },
      list: { DataType: 'String.Array', StringValue: '["one", 2]' },
      bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255, 7]) }
    };

    /** A queue that a topic has told something, in its envelope or not. */
    async function told(RawMessageDelivery = 'false'): Promise<{ queue: string; topicArn: string; messageId: string }> {
      const sns = new SNSClient({ region: 'us-east-1', endpoint: bench.aws.url, credentials: signIns.demo });
      const queue = await queues.create();
      const Name = `told-${queue.split('/').at(-1)}`;
      const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name }));
      const Endpoint = `arn:aws:sqs:us-east-1:111111111111:${queue.split('/').at(-1)}`;
      const subscription = { TopicArn: topicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery } };
      await sns.send(new SubscribeCommand(subscription));
      const message = { Subject: 'Weather', Message: '{"colour": "red"}', MessageAttributes: attributes };
      const { MessageId: messageId = '' } = await sns.send(new PublishCommand({ TopicArn: topicArn, ...message }));
      sns.destroy();
      return { queue, topicArn, messageId };
    }

    it('as it was published, where it is to be unwrapped', async () => {
      const before = Date.now();
      const { queue, topicArn, messageId } = await told();
      await receive({ queue, unwrap: true });
      const { payload, topic, aws } = await next();
      assert.deepEqual([payload, topic], [{ colour: 'red' }, 'Weather']);
      const { publishedAt, ...sns } = (aws as { sns: Record<string, unknown> }).sns;
      assert.deepEqual(sns, {
        topicArn,
        messageId,
        subject: 'Weather',
        attributes: {
          text: 'Grüße',
          number: 21.5,
          exact: { DataType: 'Number', StringValue: '1.50' },
          list: ['one', 2],
          bytes: Buffer.from([0, 255, 7])
        }
      });
      assert.ok((publishedAt as number) >= before - second && (publishedAt as number) <= Date.now());
      assert.deepEqual(aws?.attributes, {});
    });

    for (const [bodyFormat, payload] of [
      ['string', '{"colour": "red"}'],
      ['buffer', Buffer.from('{"colour": "red"}')]
    ] as const) {
      it(`as ${bodyFormat}, where it is to be unwrapped`, async () => {
        const { queue } = await told();
        await receive({ queue, unwrap: 'true', bodyFormat });
        assert.deepEqual((await next()).payload, payload);
      });
    }

    it('in its envelope, where it is not to be unwrapped', async () => {
      const { queue, topicArn } = await told();
      await receive({ queue });
      const { payload, topic, aws } = await next();
      const { Type, TopicArn, Message } = payload as Record<string, unknown>;
      assert.deepEqual([Type, TopicArn, Message], ['Notification', topicArn, '{"colour": "red"}']);
      assert.deepEqual([topic, aws?.sns], [undefined, undefined]);
    });

    it('without an envelope as it is, unwrapped or not', async () => {
      const { queue } = await told('true');
      await receive({ queue, unwrap: true });
      const { payload, topic, aws } = await next();
      assert.deepEqual([payload, topic, aws?.sns], [{ colour: 'red' }, undefined, undefined]);
      assert.equal((aws as { attributes: Record<string, unknown> }).attributes.text, 'Grüße');
    });

    it('with what unwrapping found behind other nodes as well', async () => {
      const { queue, topicArn } = await told();
      const send = { id: 'send', type: 'aws-sqs-send', account: 'account', queue: await queues.create() };
      const more = [{ ...send, queueType: 'str', wires: [['sent']] }, sink('sent')];
      await receive({ queue, unwrap: true, wires: [['send']] }, more);
      const { aws } = await bench.red.next('sent');
      assert.equal(aws?.operation, 'SendMessage');
      assert.equal((aws as { sns: Record<string, unknown> }).sns.topicArn, topicArn);
    });
  });

  describe('with several requests at once', () => {
    interface Settling {
      Id: string;
      ReceiptHandle: string;
    }
    /** A request for messages that waits for its answer. */
    interface Open {
      MaxNumberOfMessages: number;
      WaitTimeSeconds: number;
      answer(messages: object[]): void;
      refuse(): void;
    }
    const fifo = 'https://sqs.us-east-1.amazonaws.com/111111111111/busy.fifo';
    const standard = fifo.replace('.fifo', '');
    let open: Open[];
    let made: number;
    let deleted: string[];

    beforeEach(() => {
      open = [];
      made = 0;
      deleted = [];
    });

    /** Deploys a receiver of a queue that answers when the test says so. */
    async function answering(properties: Record<string, unknown>, VisibilityTimeout = '600'): Promise<void> {
      const relay = await newRelay();
      relay.answer = (exchange) => {
        const operation = operationOf(exchange);
        if (operation === 'GetQueueAttributes') return { body: JSON.stringify({ Attributes: { VisibilityTimeout } }) };
        const input = JSON.parse(exchange.body) as Open & Settling & { Entries?: Settling[] };
        if (operation === 'ReceiveMessage') {
          return new Promise((resolve) => {
            const refuse = () =>
              resolve({ status: 403, errorType: 'AccessDeniedException', body: '{"message": "no"}' });
            const answer = (Messages: object[]) => resolve({ body: JSON.stringify({ Messages }) });
            open.push({ ...input, answer, refuse });
          });
        }
        const { Entries, ReceiptHandle } = input;
        const handles = Entries ? Entries.map((entry) => entry.ReceiptHandle) : [ReceiptHandle];
        if (operation.startsWith('DeleteMessage')) deleted.push(...handles);
        const headers = { 'Content-Type': 'application/x-amz-json-1.0' };
        return { headers, body: JSON.stringify({ Successful: Entries?.map(({ Id }) => ({ Id })) }) };
      };
      await receive({ queue: standard, ...properties }, [], { endpoint: relay.url });
    }

    const message = (members: object = {}) => {
      made += 1;
      return { MessageId: `m${made}`, ReceiptHandle: `r${made}`, Body: `${made}`, ...members };
    };
    const full = ({ MaxNumberOfMessages }: Open) => Array.from({ length: MaxNumberOfMessages }, () => message());
    /** The open requests, once there are so many, in the order in which they came. */
    async function requests(count: number): Promise<Open[]> {
      await bench.red.until(() => open.length >= count, `${count} requests for messages`);
      assert.equal(open.length, count);
      return open.splice(0);
    }

    it('asks with one more after each full batch, as long as there is room, and with one when there are no more', async () => {
      await answering({ maxInFlight: 45 });
      const seen: number[][] = [];
      for (const count of [1, 2, 4, 4]) {
        const all = await requests(count);
        seen.push(all.map(({ WaitTimeSeconds }) => WaitTimeSeconds));
        for (const each of all) {
          assert.equal(each.MaxNumberOfMessages, 10);
          each.answer(full(each));
        }
      }
      // One waits for messages as long as it may, the others take what is there.
      assert.deepEqual(
        seen.map((times) => times.toSorted((a, b) => b - a)),
        [[20], [20, 1], [20, 1, 1, 1], [20, 1, 1, 1]]
      );
      for (const { answer } of await requests(4)) answer([]);
      const [last] = await requests(1);
      assert.equal(last?.WaitTimeSeconds, 20);
      // A part of a batch is no reason for more.
      last?.answer([message()]);
      await requests(1);
      await bench.red.until(() => deleted.length === 111, 'all to be deleted');
      assert.equal(payloads().length, 111);
    });

    it('asks for no more than the flow may have, those included that requests may bring', async () => {
      await answering({ settle: 'flow', maxInFlight: 35 });
      for (const [count, sizes] of [
        [1, [10]],
        [2, [10, 10]],
        [1, [5]]
      ] as const) {
        const all = await requests(count);
        assert.deepEqual(
          all.map(({ MaxNumberOfMessages }) => MaxNumberOfMessages),
          sizes
        );
        for (const each of all) each.answer(full(each));
      }
      const msgs = await bench.red.collect('out', 35);
      // Deletions wait for no request for messages, nor the other way round.
      for (const { error } of await bench.red.sendMany('settle', msgs.slice(0, 20))) assert.equal(error, undefined);
      await bench.red.until(() => open.length >= 1, 'a request for messages');
      assert.ok(open.reduce((sum, { MaxNumberOfMessages }) => sum + MaxNumberOfMessages, 0) <= 20);
    });

    it('fails with all of them once: it warns once, and asks with one request after the pause', async () => {
      await answering({ maxInFlight: 40 });
      for (const count of [1, 2]) for (const each of await requests(count)) each.answer(full(each));
      for (const { refuse } of await requests(4)) refuse();
      const [again] = await requests(1);
      assert.equal(logged('warn').length, 1, logged('warn').join('\n'));
      again?.answer([]);
      await bench.red.until(() => logged('info').length === 1, 'that all is well again');
    });

    it('is not well again by the answer to a request that was sent before the failure', async () => {
      await answering({ maxInFlight: 20 });
      for (const each of await requests(1)) each.answer(full(each));
      const [one, other] = await requests(2);
      one?.refuse();
      await red('not allowed');
      other?.answer([message()]);
      await bench.red.until(() => payloads().length === 11, 'the message');
      const [again] = await requests(1);
      assert.deepEqual([logged('warn').length, logged('info').length, lastStatus().fill], [1, 0, 'red']);
      again?.answer([]);
      await bench.red.until(() => lastStatus().fill === 'blue');
    });

    it('keeps the newest receipt handle of a message, in whatever order the answers come', async () => {
      await answering({ settle: 'flow', maxInFlight: 40 });
      for (const each of await requests(1)) each.answer(full(each));
      const [one, other] = await requests(2);
      const twice = (count: string) =>
        message({ MessageId: 'twice', ReceiptHandle: count, Attributes: { ApproximateReceiveCount: count } });
      other?.answer([twice('2')]);
      await bench.red.until(() => payloads().length === 11, 'the message');
      one?.answer([twice('1'), message()]);
      await bench.red.until(() => payloads().length === 12, 'the message behind it');
      const [msg] = bench.red.received('out').filter(({ aws }) => aws?.messageId === 'twice');
      assert.equal((await settle(msg as Message)).error, undefined);
      assert.deepEqual(deleted, ['2']);
    });

    it('does not ask a FIFO queue that may have shown messages again before their answer has come', async () => {
      await answering({ queue: fifo, maxInFlight: 40 }, '25');
      for (const count of [1, 1, 1]) for (const each of await requests(count)) each.answer(full(each));
      await requests(1);
      await answering({ queue: fifo, maxInFlight: 40 }, '26');
      for (const count of [1, 2]) for (const each of await requests(count)) each.answer(full(each));
      await requests(4);
    });

    it('asks with one less for a full batch that took its time: more would wait for each other', () => {
      let now = 0;
      mock.method(performance, 'now', () => now);
      const all = new Polls({ messages: 10, waitTime: 20, maxInFlight: 1000 });
      const polls: Poll[] = [];
      const begin = () => {
        for (let asked = all.next(1000); asked; asked = all.next(1000)) {
          all.begin(asked, async (poll) => void polls.push(poll));
        }
      };
      const answer = (after: number) => {
        now += after;
        for (const poll of polls.splice(0)) all.answered(poll, 10);
        begin();
        return polls.length;
      };
      begin();
      assert.deepEqual([1, 20, 300, 499, 499, 499].map(answer), [2, 4, 8, 16, 20, 20]);
      assert.deepEqual([500, 20].map(answer), [1, 2]);
    });

    it('returns what they bring when it closes, and loses nothing', async () => {
      const url = await queues.create({ VisibilityTimeout: String(hour) });
      await queues.send(url, ...Array.from({ length: 300 }, (_, index) => `message ${index}`));
      await bench.aws.fault({ kind: 'delayAfter', delayMs: 20, operation: 'ReceiveMessage' });
      await receive({ queue: url, settle: 'flow', maxInFlight: 1000 });
      await bench.red.collect('out', 40);
      assert.ok(
        (await inputs('ReceiveMessage')).some(({ WaitTimeSeconds }) => WaitTimeSeconds === 1),
        'one at a time'
      );
      await bench.red.deploy([]);
      await counted(url, { visible: 300, hidden: 0 });
    });
  });

  describe('deletes what it has sent on', () => {
    it('and does not get it again', async () => {
      const url = await queues.create({ VisibilityTimeout: '1' });
      await receiving({ queue: url });
      await queues.send(url, 'once');
      await next();
      await counted(url, empty);
      assert.deepEqual(payloads(), ['once']);
    });

    it('together, in batches', async () => {
      const url = await queues.create();
      await queues.send(url, ...Array.from({ length: 40 }, (_, index) => `message ${index}`));
      await receive({ queue: url });
      await bench.red.collect('out', 40);
      await counted(url, empty);
      const deletions = await queues.requests('DeleteMessage');
      assert.ok(deletions.length <= 12, `${deletions.length} requests for 40 messages`);
    });

    it('also where it is hidden for no time at all', async () => {
      const url = await queues.create();
      await queues.send(url, 'once');
      await receive({ queue: url, visibilityTimeout: 0 });
      await next();
      await counted(url, empty);
      assert.deepEqual(payloads(), ['once']);
      assert.deepEqual(logged('warn'), []);
    });

    it('and receives more while that is under way, for ten times as many messages as the flow may have', async () => {
      const url = await queues.create();
      await queues.send(url, ...Array.from({ length: 25 }, (_, index) => `message ${index}`));
      await bench.aws.fault({ kind: 'hang', operation: 'DeleteMessage' });
      await bench.aws.fault({ kind: 'hang', operation: 'DeleteMessageBatch' });
      await receive({ queue: url, maxInFlight: 2 });
      await bench.red.collect('out', 20);
      await bench.red.until(() => lastStatus().text === '20');
      // A request is in flight only where there is room for what it brings.
      await bench.aws.until({ operation: 'ReceiveMessage', requests: 10, finished: true });
      assert.equal((await polls()).length, 10);
      for (const { MaxNumberOfMessages } of await inputs('ReceiveMessage')) assert.equal(MaxNumberOfMessages, 2);
      assert.equal(payloads().length, 20);
    });

    for (const [what, attributes, properties] of [
      ['the queue', { VisibilityTimeout: '0' }, {}],
      ['the node', {}, { visibilityTimeout: 0 }]
    ] as const) {
      it(`from a FIFO queue as well where ${what} hides it for no time at all`, async () => {
        const url = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true', ...attributes });
        await queues.send(url, { MessageBody: 'once', MessageGroupId: 'a' });
        await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'DeleteMessage' });
        await receive({ queue: url, ...properties });
        await next();
        await counted(url, empty);
        assert.deepEqual(payloads(), ['once']);
        assert.deepEqual(logged('warn'), []);
      });
    }

    it('and keeps it hidden while that is under way, however long it takes', async () => {
      const url = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '1' });
      await queues.send(url, { MessageBody: 'once', MessageGroupId: 'a' });
      await bench.aws.fault({ kind: 'delay', delayMs: 1.8 * second, operation: 'DeleteMessage', times: 1 });
      await receive({ queue: url });
      await next();
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      assert.deepEqual(await queues.receive(url, { WaitTimeSeconds: 2 }), [], 'another consumer has got it');
      await counted(url, empty);
      assert.deepEqual(payloads(), ['once']);
      assert.deepEqual(logged('warn'), []);
    });

    it('and says so where that fails, once for as long as it does', async () => {
      const url = await queues.create({ VisibilityTimeout: '2' });
      await bench.aws.fault({ kind: 'expired', operation: 'DeleteMessage' });
      await queues.send(url, 'stays');
      await receive({ queue: url, waitTime: 1 });
      await red('keys expired');
      // Its deletion fails again, for longer than it was hidden at first: that is the same trouble.
      await bench.aws.until({ operation: 'DeleteMessage', requests: 4, finished: true });
      await queues.send(url, 'another one');
      await bench.red.collect('out', 2);
      assert.deepEqual(payloads(), ['stays', 'another one']);
      assert.equal(logged('warn').length, 1, logged('warn').join('\n'));
    });
  });

  for (const settle of ['sent', 'flow']) {
    describe(`with settle ${settle}, of a message that Node-RED cannot copy for a second wire`, () => {
      /** Deeper than anything can be copied that calls itself for each level. */
      const deep = '['.repeat(50_000) + ']'.repeat(50_000);

      it('says so, hands it to neither, keeps no place for it, and goes on with the next ones', async () => {
        const queue = await queues.create({ VisibilityTimeout: '600' });
        await receiving({ queue, settle, maxInFlight: 1, wires: [['out', 'settled']] });
        await queues.send(queue, deep);
        await bench.red.until(() => logged('error').length > 0, 'an error');
        await queues.send(queue, 'next');
        assert.equal((await next()).payload, 'next');
        assert.deepEqual([payloads(), payloads('settled')], [['next'], ['next']]);
        const [said, ...more] = logged('error');
        assert.match(said ?? '', /^The message [0-9a-f-]{36} cannot be sent on: .+ It comes again/);
        assert.deepEqual([more, logged('warn')], [[], []]);
        // Nobody has settled the first one: it is hidden for as long as the queue says.
        await counted(queue, { visible: 0, hidden: settle === 'sent' ? 1 : 2 });
      });
    });
  }

  it('hands on nothing of a group before a message of it that Node-RED cannot copy for a second wire', async () => {
    const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '600' };
    const queue = await queues.create(fifo);
    const bodies = ['first', '['.repeat(50_000) + ']'.repeat(50_000), 'behind it'];
    await queues.send(queue, ...bodies.map((MessageBody) => ({ MessageBody, MessageGroupId: 'a' })));
    await receive({ queue, settle: 'flow', wires: [['out', 'settled']] });
    const first = await next();
    const { error } = await settle(first);
    assert.ifError(error);
    await bench.red.until(() => logged('error').length > 0, 'an error');
    // The one behind it is back in the queue, which gives nothing of the group as long as the second one is hidden.
    await counted(queue, { visible: 1, hidden: 1 });
    assert.deepEqual(payloads(), ['first']);
  });

  it('hands on nothing of a group whose first message Node-RED cannot copy, though all came together', async () => {
    const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '600' };
    const queue = await queues.create(fifo);
    const bodies = ['['.repeat(50_000) + ']'.repeat(50_000), 'behind it', 'behind that'];
    await queues.send(queue, ...bodies.map((MessageBody) => ({ MessageBody, MessageGroupId: 'a' })));
    await receive({ queue, settle: 'flow', wires: [['out', 'settled']] });
    await counted(queue, { visible: 2, hidden: 1 });
    assert.equal(logged('error').length, 1);
    assert.deepEqual(payloads(), []);
  });

  describe('keeps a message that the flow has not settled', () => {
    it('hidden from others for as long as that takes, for the node’s own time or the queue’s', async () => {
      const [url, other] = [await queues.create(), await queues.create({ VisibilityTimeout: '2' })];
      const more = receiveNode({ id: 'other', queue: other, settle: 'flow', maxInFlight: 1 });
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 2, maxInFlight: 3 }, [more]);
      await queues.send(url, 'one', 'two', 'three');
      await queues.send(other, 'four');
      const msgs = await bench.red.collect('out', 4);
      const seen = await Promise.all([url, other].map((queue) => queues.receive(queue, { WaitTimeSeconds: 6 })));
      assert.deepEqual(seen, [[], []]);
      for (const { error } of await bench.red.sendMany('settle', msgs)) assert.equal(error, undefined);
      await counted(url, empty);
      await counted(other, empty);
      assert.equal(payloads().length, 4);
      const extensions = await queues.requests('ChangeMessageVisibility');
      assert.ok(extensions.length <= 4 * 10, `${extensions.length} requests in 6 s`);
      assert.deepEqual([...logged('warn'), ...logged('warn', 'other')], []);
    });

    it('hidden also when the queue’s own time becomes shorter meanwhile', async () => {
      const url = await queues.create({ VisibilityTimeout: '60' });
      await receiving({ queue: url, settle: 'flow', maxInFlight: 2 });
      await queues.send(url, 'before');
      const before = await next();
      await queues
        .client()
        .send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '1' } }));
      await queues.send(url, 'after');
      await next();
      assert.deepEqual(await queues.receive(url, { WaitTimeSeconds: 2 }), []);
      assert.equal(bench.red.received('out').length, 2);
      assert.equal((await settle(before)).error, undefined);
    });

    it('hidden while its deletion is under way, however long that takes', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 1, maxInFlight: 1 });
      await queues.send(url, 'kept');
      const msg = await next();
      await bench.aws.fault({ kind: 'delay', delayMs: 1.6 * second, operation: 'DeleteMessage', times: 1 });
      const outcome = await bench.red.begin('settle', msg);
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      assert.deepEqual(await queues.receive(url, { WaitTimeSeconds: 2 }), [], 'another consumer has got it');
      await bench.red.until(() => outcome.done);
      assert.equal(outcome.error, undefined);
      await counted(url, empty);
    });

    it('by its newest receipt handle: one that came back meanwhile is not sent on again, and is deleted', async () => {
      const url = await queues.create();
      await queues.send(url, 'kept');
      // A slow network: the message is shown again before the node thinks so, and before it is put off.
      await bench.aws.fault({ kind: 'delayAfter', delayMs: 500, operation: 'ReceiveMessage', times: 1 });
      await bench.aws.fault({ kind: 'delay', delayMs: 500, operation: 'ChangeMessageVisibility', times: 1 });
      await receive({ queue: url, settle: 'flow', visibilityTimeout: 1 });
      const msg = await next();
      await bench.red.until(
        async () => (await queues.requests('ChangeMessageVisibility')).filter(({ finished }) => finished).length > 1,
        'the second extension'
      );
      assert.deepEqual(payloads(), ['kept'], 'it was sent on again');
      assert.equal((await settle(msg)).error, undefined);
      await counted(url, empty);
    });

    it('by the receipt handle that it got while the deletion was under way', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'hang', operation: 'ChangeMessageVisibility' });
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 1 });
      await queues.send(url, 'kept');
      const msg = await next();
      await bench.aws.fault({ kind: 'delay', delayMs: 1.4 * second, operation: 'DeleteMessage', times: 1 });
      assert.equal((await settle(msg)).error, undefined);
      await counted(url, empty);
      assert.deepEqual(payloads(), ['kept'], 'it was sent on again');
    });

    it('and says so once, not for each message and time, where it cannot be kept', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'error500', operation: 'ChangeMessageVisibility' });
      await bench.aws.fault({ kind: 'error500', operation: 'ChangeMessageVisibilityBatch' });
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 2, maxInFlight: 5 });
      await queues.send(url, 'one', 'two', 'three', 'four', 'five');
      await bench.red.collect('out', 5);
      await red('fault at AWS since ');
      await bench.red.until(async () => (await queues.requests('ChangeMessageVisibility')).length >= 6, 'more tries');
      const failed = logged('warn').filter((text) => text.includes('InternalFailure'));
      assert.equal(failed.length, 1, logged('warn').join('\n'));
    });

    for (const [what, kind] of [
      ['where the service does not answer', 'hang'],
      ['where it answers too late', 'hangAfter']
    ] as const) {
      it(`and tells that its time is over when it is, ${what}`, async () => {
        const url = await queues.create();
        await bench.aws.fault({ kind, operation: 'ChangeMessageVisibility' });
        await receiving({ queue: url, settle: 'flow', visibilityTimeout: 2, maxInFlight: 1 });
        await queues.send(url, 'kept');
        const { aws } = await next();
        const began = performance.now();
        const told = () => logged('warn').some((text) => text.includes(`the message ${aws?.messageId} is over`));
        await bench.red.until(told, 'the warning', 4 * second);
        const took = performance.now() - began;
        assert.ok(took > 1.8 * second && took < 3.2 * second, `told after ${took} ms`);
      });
    }

    it('and tells that it is gone when its extension finds that out, all at once where there are many', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 1 });
      await queues.send(url, 'one', 'two', 'three');
      const msgs = await bench.red.collect('out', 3);
      await queues.purge(url);
      const lost = () => logged('warn').filter((text) => text.startsWith('The time for the message'));
      await bench.red.until(() => lost().length > 0, 'the warning', 2 * second);
      await bench.red.until(() => lastStatus().text?.endsWith('receiving'));
      assert.ok(msgs.some(({ aws }) => lost()[0]?.includes(String(aws?.messageId))));
      const told = lost().map((text) => Number(/ and (\d+) more/.exec(text)?.[1] ?? 0) + 1);
      assert.equal(
        told.reduce((sum, count) => sum + count),
        3
      );
    });

    it('and goes on as before when there is none any more that could not be kept', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'expired', operation: 'ChangeMessageVisibility', times: 1 });
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 1 });
      await queues.send(url, 'kept');
      const msg = await next();
      await red('keys expired');
      await settle(msg);
      const began = Date.now();
      for (const body of ['one', 'two', 'three']) {
        await queues.send(url, body);
        await settle(await next());
      }
      assert.ok(Date.now() - began < second, `three messages took ${Date.now() - began} ms`);
      await bench.red.until(() => lastStatus().fill === 'blue', 'a status without trouble', second);
    });
  });

  describe('has never more messages in the flow than it may', () => {
    for (const [maxInFlight, batchSize] of [
      [1, 10],
      [3, 2],
      [7, 10]
    ] as const) {
      it(`${maxInFlight}, with batches of ${batchSize}`, async () => {
        const url = await queues.create();
        await queues.send(url, ...Array.from({ length: 15 }, (_, index) => `message ${index}`));
        await receive({ queue: url, settle: 'flow', maxInFlight, batchSize });
        let most = 0;
        for (let settled = 0; settled < 15; settled += 1) {
          const msg = await next();
          const { hidden } = await queues.counts(url);
          most = Math.max(most, hidden, bench.red.received('out').length - settled);
          assert.equal((await settle(msg)).error, undefined);
        }
        assert.equal(most, maxInFlight);
        for (const { MaxNumberOfMessages } of await inputs('ReceiveMessage')) {
          assert.ok((MaxNumberOfMessages as number) <= Math.min(maxInFlight, batchSize));
        }
      });
    }

    it('and says from the first request on that it is receiving', async () => {
      await receiving({ queue: await queues.create() });
      await bench.red.until(() => lastStatus().text, 'a status', 2 * second);
      assert.deepEqual(lastStatus(), { fill: 'blue', shape: 'dot', text: 'status.receiving' });
    });

    it('and says how many there are', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'one', 'two');
      const [one, two] = (await bench.red.collect('out', 2)) as [Message, Message];
      await bench.red.until(() => lastStatus().text === '2');
      await settle(one);
      await bench.red.until(() => lastStatus().text === '1');
      await settle(two);
      await bench.red.until(() => lastStatus().text?.endsWith('receiving'));
    });

    it('and says, if the account has results shown, how many are here and in the queue, asked once a minute', async () => {
      const set = globalThis.setInterval;
      const sooner = (work: () => void, ms?: number) => set(work, ms === 61 * second ? 10 : ms);
      mock.method(globalThis, 'setInterval', Object.assign(sooner, set));
      const url = await queues.create();
      await queues.send(url, 'one', 'two', 'three');
      const properties = { queue: url, settle: 'flow', maxInFlight: 1, visibilityTimeout: 300 };
      await receive(properties, [], { showResults: true });
      const shows = (text: string) => bench.red.until(() => lastStatus().text === text, `the status ${text}`);
      const asked = async () => (await queues.requests('GetQueueAttributes')).length;
      const first = await next();
      await shows('1 here · 2 waiting');
      assert.equal(lastStatus().fill, 'blue');
      const before = await asked();
      await queues.send(url, 'four');
      await settle(first);
      const another = await next();
      assert.equal(await asked(), before);
      letPass(61 * second);
      await bench.red.until(async () => (await asked()) > before, 'a second look');
      await settle(another);
      await settle(await next());
      const last = await next();
      letPass(61 * second);
      await shows('1 here');
      await settle(last);
      await shows('status.receiving');
    });

    it('and says only how many are here where it may not ask the queue', async () => {
      const url = await queues.create();
      await queues.send(url, 'one', 'two');
      await bench.aws.fault({ kind: 'denied', operation: 'GetQueueAttributes' });
      const properties = { queue: url, settle: 'flow', maxInFlight: 1, visibilityTimeout: 300 };
      await receive(properties, [], { showResults: true });
      await next();
      await bench.red.until(() => lastStatus().text === '1 here', 'how many are here');
      await bench.red.until(async () => (await queues.requests('GetQueueAttributes')).length > 0, 'a refusal');
    });
  });

  describe('goes on by itself', () => {
    it('when the network comes back', async () => {
      const url = await queues.create();
      const line = await newLine();
      await receiving({ queue: url }, [], { endpoint: line.url });
      await line.down();
      await red('no connection');
      await queues.send(url, 'at last');
      await line.up();
      assert.equal((await next()).payload, 'at last');
      await bench.red.until(() => lastStatus().fill === 'blue');
      assert.equal(logged('warn').length, 1);
      assert.match(logged('warn')[0] as string, /http.*\/queue-\d+ .*: ECONN/);
      assert.deepEqual(logged('info'), [`receiving from ${url} again`]);
    });

    it('when a queue that was missing is made', async () => {
      await receive({ queue: 'made-later' });
      await red('no queue “');
      const url = await queues.createNamed('made-later');
      await queues.send(url, 'made');
      assert.equal((await next()).payload, 'made');
      assert.equal(logged('warn').length, 1);
    });

    it('when a queue was deleted under it and made anew', async () => {
      const url = await queues.createNamed('made-anew');
      await receiving({ queue: 'made-anew' });
      await queues.delete(url);
      await red('no queue “');
      await queues.createNamed('made-anew');
      await queues.send(url, 'made');
      assert.equal((await next()).payload, 'made');
    });

    it('with longer and longer pauses', async () => {
      await receive({ queue: 'is-not-there' });
      const asked = async () => queues.requests('GetQueueUrl');
      await bench.red.until(async () => (await asked()).length > 2, 'the third try');
      const [one = 0, two = 0, three = 0] = (await asked()).map(({ time }) => time);
      assert.ok(two - one >= 490 && two - one < 1.5 * second, `${two - one} ms`);
      assert.ok(three - two >= 990 && three - two < 2.5 * second, `${three - two} ms`);
      assert.equal(logged('warn').length, 1);
      assert.equal(bench.red.statuses('receive').filter(({ fill }) => fill === 'red').length, 1);
    });

    it('after answers that are no help: expired, throttled, broken, no JSON, not from AWS', async () => {
      const html = '<html><title>502 Bad Gateway</title></html>';
      const answers = [
        ['keys expired', 400, 'ExpiredToken', '{"message": "The security token has expired"}'],
        ['throttled', 403, 'RequestThrottled', '{"message": "Request is throttled."}'],
        ['fault at AWS', 500, 'InternalFailure', '{"message": "An internal error occurred."}'],
        ['answer not from AWS', 200, '', html],
        ['answer not from AWS', 502, '', html],
        ['answer not from AWS', 200, '', '{"broken": ']
      ] as const;
      const flow: FlowNode[] = [sink('out')];
      const logins: Record<string, Record<string, string>> = {};
      const urls: string[] = [];
      const relays: Relay[] = [];
      for (const [index, [, status, errorType, body]] of answers.entries()) {
        const relay = await newRelay();
        relay.answer = ({ headers }) =>
          headers['x-amz-target']?.endsWith('ReceiveMessage') ? { status, errorType, body } : undefined;
        relays.push(relay);
        urls.push(await queues.create());
        logins[`account ${index}`] = keysOf('demo');
        flow.push(account(bench, { id: `account ${index}`, endpoint: relay.url }));
        flow.push(receiveNode({ id: `receive ${index}`, account: `account ${index}`, queue: urls[index] }));
      }
      await bench.red.deploy(flow, { credentials: logins });
      for (const [index, [name]] of answers.entries()) {
        const id = `receive ${index}`;
        await bench.red.until(() => lastStatus(id).fill === 'red', `a red status of ${id}, ${name}`);
        assert.equal(lastStatus(id).shape, 'ring');
        assert.match(lastStatus(id).text as string, new RegExp(`^${name} since .*\\d`));
      }
      for (const [index, relay] of relays.entries()) {
        relay.answer = () => undefined;
        await queues.send(urls[index] as string, `${index}`);
      }
      await bench.red.collect('out', answers.length);
      assert.deepEqual(payloads().sort(), [...answers.keys()]);
      for (const index of answers.keys()) {
        const id = `receive ${index}`;
        await bench.red.until(() => lastStatus(id).fill === 'blue');
        assert.deepEqual([logged('warn', id).length, logged('info', id).length], [1, 1]);
      }
    });

    it('after connections that break, also in the middle of a long poll', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'resetBefore', operation: 'ReceiveMessage', times: 3 });
      const line = await newLine();
      await receive({ queue: url }, [], { endpoint: line.url });
      await red('no connection since ');
      await queues.send(url, 'at last');
      assert.equal((await next()).payload, 'at last');
      await bench.red.until(() => lastStatus().fill === 'blue');
      await polled(5);
      line.cut();
      await polled(6);
      await queues.send(url, 'once more');
      assert.equal((await next()).payload, 'once more');
      assert.deepEqual([logged('warn').length, logged('info').length], [1, 1]);
    });

    it('without a word where a broken connection is mended by trying again at once', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'resetBefore', operation: 'ReceiveMessage', times: 2 });
      await receive({ queue: url });
      await queues.send(url, 'hello');
      const msg = await next();
      assert.equal(msg.aws?.attempts, 3);
      assert.deepEqual(logged('warn'), []);
    });

    it('and says what is wrong now, where that is something else than before', async () => {
      await receive({ queue: 'gone-and-more' });
      await red('no queue “');
      await bench.aws.fault({ kind: 'expired' });
      await red('keys expired');
    });

    it('once its account is there', async () => {
      const url = await queues.create();
      await queues.send(url, 'hello');
      const flow = [receiveNode({ queue: url }), sink('out')];
      await bench.red.deploy(flow);
      await red('no account since ');
      await bench.red.deploy([account(bench), ...flow], { credentials: credentials(), type: 'nodes' });
      assert.equal((await next()).payload, 'hello');
    });

    it('once its account is right', async () => {
      const url = await queues.create();
      await queues.send(url, 'hello');
      const flow = [receiveNode({ queue: url }), sink('out')];
      const wrong = { account: { ...keysOf('demo'), secretAccessKey: 'w'.repeat(40) } };
      await bench.red.deploy([account(bench), ...flow], { credentials: wrong });
      await red('wrong secret key or clock since ');
      await bench.red.deploy([account(bench, { name: 'right' }), ...flow], {
        credentials: credentials(),
        type: 'nodes'
      });
      assert.equal((await next()).payload, 'hello');
    });

    for (const [what, operation, waitTime, longest] of [
      ['what it asks for messages', 'ReceiveMessage', 0, 30],
      ['what it asks for messages, beyond the time that it waits for them', 'ReceiveMessage', 20, 50],
      ['its question for the queue', 'GetQueueUrl', 0, 30],
      ['its sign-in', 'AssumeRole', 0, 30]
    ] as const) {
      it(`and says within 30 s that there is no answer to ${what}`, async () => {
        const asked = hurry();
        await queues.createNamed('never-answers');
        await bench.aws.fault({ kind: 'hang', operation });
        const role = operation === 'AssumeRole' ? { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' } : {};
        await receive({ queue: 'never-answers', waitTime }, [], role);
        await red('timeout since ');
        mock.restoreAll();
        assert.ok(Math.max(...asked) <= longest * second, `waited for ${Math.max(...asked)} ms`);
        assert.equal(logged('warn').length, 1);
        // A sign-in that hangs is the account's, and may go on.
        if (operation === 'AssumeRole') return;
        await bench.aws.clearFaults();
        await queues.send(await queues.createNamed('never-answers'), 'at last');
        assert.equal((await next()).payload, 'at last');
        await bench.red.until(() => lastStatus().fill === 'blue');
      });
    }

    it('and settles what it had before, when the network comes back', async () => {
      const url = await queues.create();
      const line = await newLine();
      await receiving({ queue: url, settle: 'flow' }, [], { endpoint: line.url });
      await queues.send(url, 'kept');
      const msg = await next();
      await line.down();
      const failed = await settle(msg);
      assert.match(String(failed.error?.code), /^ECONN/);
      assert.equal(failed.error?.retryable, true);
      await line.up();
      assert.equal((await settle(msg)).error, undefined);
      await counted(url, empty);
    });

    it('for a long time: its waiting leaves nothing behind', async () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as () => void;
      const task = new Task(new Backlog(1, 1));
      const waits = Array.from({ length: 100 }, () => new WeakRef(task.until(Promise.resolve())));
      await new Promise((resolve) => setTimeout(resolve));
      collect();
      assert.equal(waits.filter((wait) => wait.deref()).length, 0);
    });
  });

  describe('when it closes', () => {
    const gone = [account];
    const withoutNodes = () => gone.map((make) => make(bench));

    it('returns what is not settled, at once', async () => {
      const url = await queues.create({ VisibilityTimeout: String(12 * hour) });
      await queues.send(url, ...Array.from({ length: 14 }, (_, index) => `message ${index}`));
      await receive({ queue: url, settle: 'flow', maxInFlight: 12 });
      const msgs = await bench.red.collect('out', 12);
      await settle(msgs[0] as Message);
      await bench.red.until(() => bench.red.received('out').length === 13);
      const began = Date.now();
      await bench.red.deploy(withoutNodes());
      assert.ok(Date.now() - began < 2 * second, `took ${Date.now() - began} ms`);
      assert.deepEqual(await queues.counts(url), { visible: 13, hidden: 0, delayed: 0 });
      const returns = await queues.requests('ChangeMessageVisibility');
      assert.ok(returns.length <= 4, `${returns.length} requests for 12 messages`);
    });

    it('returns it also when it is only disabled, or deployed anew', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'kept');
      const { aws } = await next();
      const flow = [account(bench), sink('out')];
      await bench.red.deploy([...flow, receiveNode({ queue: url, settle: 'flow', d: true })], { type: 'nodes' });
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
      await bench.red.deploy([...flow, receiveNode({ queue: url, settle: 'flow' })], { type: 'nodes' });
      const again = await next();
      assert.equal(again.aws?.messageId, aws?.messageId);
      assert.ok((again.aws?.receiveCount as number) > 1);
      assert.notEqual(again.aws?.handle, aws?.handle);
    });

    it('costs a message that the flow has one receive with each redeploy, also while it waits for more', async () => {
      const url = await queues.create({ VisibilityTimeout: String(hour) });
      await queues.send(url, 'kept');
      for (const receiveCount of [1, 2, 3, 4, 5, 6]) {
        await bench.aws.reset();
        await receive({ queue: url, settle: 'flow' });
        assert.equal((await next()).aws?.receiveCount, receiveCount);
        await polled(2);
      }
      await bench.red.deploy(withoutNodes());
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
      const [message] = await queues.receive(url);
      assert.equal(message?.Attributes?.ApproximateReceiveCount, '7');
    });

    it('ends its request for messages before it returns any: by then the service knows', async () => {
      const url = await queues.create();
      const relay = await newRelay();
      await receiving({ queue: url, settle: 'flow' }, [], { endpoint: relay.url });
      await queues.send(url, 'kept');
      await next();
      await polled(2);
      const open: string[] = [];
      relay.answer = async ({ headers }) => {
        if (!headers['x-amz-target']?.endsWith('ChangeMessageVisibility')) return undefined;
        open.push(...(await polls()).filter(({ finished }) => !finished).map(({ operation }) => operation));
        return undefined;
      };
      await bench.red.deploy(withoutNodes());
      assert.equal((await queues.requests('ChangeMessageVisibility')).length, 1);
      assert.deepEqual(open, []);
    });

    it('leaves what comes afterwards alone, and does not wait for its long poll', async () => {
      const url = await queues.create();
      await receiving({ queue: url });
      const began = Date.now();
      await bench.red.deploy([...withoutNodes(), sink('out')]);
      assert.ok(Date.now() - began < second, `took ${Date.now() - began} ms`);
      await queues.send(url, 'for somebody else');
      assert.equal((await queues.receive(url))[0]?.Body, 'for somebody else');
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
      assert.deepEqual(payloads(), []);
    });

    it('returns what it got too late to send it on', async () => {
      const url = await queues.create({ VisibilityTimeout: String(hour) });
      await queues.send(url, ...Array.from({ length: 200 }, (_, index) => `message ${index}`));
      await receive({ queue: url, settle: 'flow', maxInFlight: 1000 });
      await bench.red.collect('out', 20);
      await bench.red.deploy(withoutNodes());
      await counted(url, { visible: 200, hidden: 0 });
    });

    it('lets deletions finish that are under way', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'done', 'not done');
      const msgs = await bench.red.collect('out', 2);
      const done = msgs.find(({ payload }) => payload === 'done') as Message;
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'DeleteMessage' });
      const outcome = await bench.red.begin('settle', done);
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      await bench.red.deploy(withoutNodes());
      assert.equal(outcome.error, undefined);
      assert.equal(outcome.done, 1);
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });

    it('returns what is not settled without waiting for what is', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'slow', 'kept');
      const msgs = await bench.red.collect('out', 2);
      await bench.aws.fault({ kind: 'delay', delayMs: 1.5 * second, operation: 'DeleteMessage' });
      const outcome = await bench.red.begin('settle', msgs.find(({ payload }) => payload === 'slow') as Message);
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      const closed = bench.red.deploy(withoutNodes());
      await bench.red.until(async () => (await queues.counts(url)).visible === 1, 'the return', second);
      await closed;
      assert.equal(outcome.error, undefined);
    });

    it('returns also what could not be deleted meanwhile', async () => {
      const url = await queues.create({ VisibilityTimeout: String(hour) });
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'not done');
      const msg = await next();
      await bench.aws.fault({ kind: 'error500', operation: 'DeleteMessage' });
      const outcome = await bench.red.begin('settle', msg);
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      await bench.red.deploy(withoutNodes());
      assert.equal(outcome.error?.code, 'InternalFailure');
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });

    it('waits for the deletions of what it has sent on', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'DeleteMessage' });
      await receiving({ queue: url });
      await queues.send(url, 'once');
      await next();
      await bench.red.deploy(withoutNodes());
      assert.deepEqual(await queues.counts(url), empty);
    });

    it('waits for an extension under way, which would hide the message again', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'delay', delayMs: 400, operation: 'ChangeMessageVisibility', times: 1 });
      await receiving({ queue: url, settle: 'flow', visibilityTimeout: 1 });
      await queues.send(url, 'kept');
      await next();
      await bench.aws.until({ operation: 'ChangeMessageVisibility', requests: 1 });
      await bench.red.deploy(withoutNodes());
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });

    it('is quick when nothing answers', async () => {
      const url = await queues.create();
      const line = await newLine();
      await receiving({ queue: url, settle: 'flow' }, [], { endpoint: line.url });
      await queues.send(url, 'kept');
      await next();
      await line.down();
      const began = Date.now();
      await bench.red.deploy(withoutNodes());
      assert.ok(Date.now() - began < 3 * second, `took ${Date.now() - began} ms`);
    });

    it('is quick when its sign-in hangs', async () => {
      const url = await queues.create();
      await bench.aws.fault({ kind: 'hang', operation: 'AssumeRole' });
      await receive({ queue: url }, [], { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' });
      await bench.aws.until({ operation: 'AssumeRole', requests: 1 });
      const began = Date.now();
      await bench.red.deploy(withoutNodes());
      assert.ok(Date.now() - began < 3 * second, `took ${Date.now() - began} ms`);
    });

    it('leaves no timer and no connection', async () => {
      const timers = () => process.getActiveResourcesInfo().filter((each) => /Timeout|Immediate/.test(each)).length;
      const url = await queues.create();
      const relay = await newRelay();
      // Counted in the same place both times, since waiting has a timer of its own.
      const before = await bench.red.until(timers);
      await receiving({ queue: url, settle: 'flow' }, [], { endpoint: relay.url });
      await queues.send(url, 'kept', 'settled');
      const [, msg] = await bench.red.collect('out', 2);
      await settle(msg as Message);
      assert.ok((await relay.open()) > 0);
      await bench.red.deploy([]);
      await bench.red.until(async () => (await relay.open()) === 0, 'the connections to end');
      await bench.red.until(() => timers() <= before, 'the timers to end', 2 * second);
    });
  });

  describe('beside others', () => {
    it('shares a queue: each message goes to one of them', async () => {
      const url = await queues.create();
      const other = receiveNode({ id: 'other', queue: url, batchSize: 1, wires: [['other-out']] });
      await receiving({ queue: url, batchSize: 1 }, [other, sink('other-out')]);
      await polled(2);
      await queues.send(url, ...Array.from({ length: 20 }, (_, index) => index.toString()));
      await bench.red.until(() => [...payloads(), ...payloads('other-out')].length === 20);
      await counted(url, empty);
      const got = [...payloads(), ...payloads('other-out')] as number[];
      assert.deepEqual(
        got.sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, index) => index)
      );
      assert.ok(payloads().length > 0 && payloads('other-out').length > 0);
    });

    it('does not end the question of another one with its own end', async () => {
      const url = await queues.createNamed('asked-by-two');
      await queues.send(url, 'hello');
      await bench.aws.fault({ kind: 'delay', delayMs: 500, operation: 'GetQueueUrl', times: 1 });
      const flow = [account(bench), receiveNode({ id: 'other', queue: 'asked-by-two' }), sink('out')];
      await bench.red.deploy([receiveNode({ queue: 'asked-by-two', wires: [] }), ...flow], {
        credentials: credentials()
      });
      await bench.aws.until({ operation: 'GetQueueUrl', requests: 1 });
      await bench.red.deploy([receiveNode({ queue: 'asked-by-two', d: true }), ...flow], { type: 'nodes' });
      assert.equal((await next()).payload, 'hello');
      assert.deepEqual(logged('warn', 'other'), []);
    });

    it('works in a subflow, once for each place where that is used', async () => {
      const [one, two] = [await queues.create(), await queues.create()];
      const instance = (id: string, queue: string): FlowNode => ({
        id,
        type: 'subflow:taker',
        env: [{ name: 'QUEUE', type: 'str', value: queue }],
        wires: [['out']]
      });
      await bench.red.deploy(
        [
          account(bench),
          {
            id: 'taker',
            type: 'subflow',
            name: 'taker',
            in: [],
            out: [{ x: 400, y: 40, wires: [{ id: 'inner', port: 0 }] }],
            env: [{ name: 'QUEUE', type: 'str', value: '' }]
          },
          receiveNode({ id: 'inner', z: 'taker', x: 100, y: 40, queue: '${QUEUE}', wires: [] }),
          instance('first', one),
          instance('second', two),
          sink('out')
        ],
        { credentials: credentials() }
      );
      await queues.send(one, 'to one');
      await queues.send(two, 'to two');
      const msgs = await bench.red.collect('out', 2);
      assert.deepEqual(msgs.map(({ payload }) => payload).sort(), ['to one', 'to two']);
    });

    it('goes on undisturbed when another node is deployed, with the handles that it gave', async () => {
      const url = await queues.create();
      await receiving({ queue: url, settle: 'flow' });
      await queues.send(url, 'kept');
      const msg = await next();
      const flow = [account(bench), receiveNode({ queue: url, settle: 'flow' }), sink('out'), sink('settled')];
      await bench.red.deploy([...flow, settleNode({ name: 'changed' })], { type: 'nodes' });
      assert.equal((await polls()).length, 2);
      assert.equal((await settle(msg)).error, undefined);
      await counted(url, empty);
    });

    it('comes out of an export as it went in', async () => {
      const url = await queues.create();
      const exported = {
        name: '',
        account: 'account',
        region: '',
        queue: url,
        batchSize: 10,
        waitTime: '20',
        visibilityTimeout: '',
        maxInFlight: '10',
        settle: 'sent',
        bodyFormat: 'auto'
      };
      await receiving({ id: 'receive', ...exported });
      const served = (await (await bench.red.request('flows')).json()) as FlowNode[];
      const { id, type, z, x, y, wires, ...properties } = served.find((node) => node.id === 'receive') as FlowNode;
      assert.deepEqual(properties, exported);
      await queues.send(url, 'hello');
      assert.equal((await next()).payload, 'hello');
    });
  });

  describe('says at once what is wrong with', () => {
    const options: DeployOptions = { credentials: credentials() };

    for (const [what, properties, name, says] of [
      ['no queue', {}, 'MissingValue', /Queue is required, but is empty/],
      [
        'a queue from a variable that is not there',
        { queue: '$' + '{NOT_SET_AT_ALL}' },
        'MissingValue',
        /Queue is req/
      ],
      ['a queue name with a blank', { queue: 'my queue' }, 'InvalidValue', /Queue must be the URL, .*"my queue"/],
      ['a queue name of 81 letters', { queue: 'q'.repeat(81) }, 'InvalidValue', /Queue must be the URL/],
      [
        'a queue URL with a password',
        { queue: 'https://me:secret@host/1/q' },
        'InvalidValue',
        /"https:\/\/\*\*\*@host/
      ],
      ['a queue URL without a queue', { queue: 'https://sqs.us-east-1.amazonaws.com/' }, 'InvalidValue', /Queue must/],
      ['the ARN of a topic', { queue: 'arn:aws:sns:us-east-1:111111111111:t' }, 'InvalidValue', /Queue must be/],
      ['a line break in the queue', { queue: 'queue\r\nHost: evil' }, 'InvalidValue', /Queue must be/],
      ['a queue that is a list', { queue: ['one', 'two'] }, 'InvalidValue', /Queue must be .*, but is an array/],
      [
        'a batch of 0',
        { queue: 'q', batchSize: 0 },
        'InvalidValue',
        /Batch size \(batchSize\) must be a whole number from 1 to 10/
      ],
      [
        'a batch of 11',
        { queue: 'q', batchSize: '11' },
        'InvalidValue',
        /Batch size \(batchSize\) must .* but is "11"/
      ],
      [
        'a batch of one and a half',
        { queue: 'q', batchSize: 1.5 },
        'InvalidValue',
        /Batch size \(batchSize\) must .* 1\.5/
      ],
      [
        'a batch that is text',
        { queue: 'q', batchSize: 'many' },
        'InvalidValue',
        /Batch size \(batchSize\) must .* "many"/
      ],
      ['no batch size', { queue: 'q', batchSize: '' }, 'InvalidValue', /Batch size \(batchSize\) must .* but is ""/],
      ['a wait of 21 s', { queue: 'q', waitTime: 21 }, 'InvalidValue', /Wait time \(waitTime\) must .* 0 to 20/],
      ['a wait of -1 s', { queue: 'q', waitTime: -1 }, 'InvalidValue', /Wait time \(waitTime\) must/],
      [
        'a visibility of over 12 h',
        { queue: 'q', visibilityTimeout: 43_201 },
        'InvalidValue',
        /Visibility \(visibilityTimeout\) must/
      ],
      [
        'a visibility that is true',
        { queue: 'q', visibilityTimeout: true },
        'InvalidValue',
        /Visibility \(visibilityTimeout\) .* true/
      ],
      [
        'none at a time',
        { queue: 'q', maxInFlight: 0 },
        'InvalidValue',
        /Maximum at once \(maxInFlight\) must be a whole number from 1/
      ],
      [
        'an unknown way to settle',
        { queue: 'q', settle: 'never' },
        'InvalidValue',
        /Delete \(settle\) must be one of sent, flow/
      ],
      [
        'an unknown format',
        { queue: 'q', bodyFormat: '__proto__' },
        'InvalidValue',
        /Payload \(bodyFormat\) must be one of auto/
      ],
      ['a region that is a host', { queue: 'q', region: 'evil.example/x' }, 'InvalidValue', /Region must be a region/]
    ] as const) {
      it(what, async () => {
        await bench.red.deploy([account(bench), receiveNode(properties), sink('out')], options);
        await bench.red.until(() => lastStatus().fill === 'red');
        assertFailed(lastStatus(), { name });
        assert.equal(logged('error').length, 1);
        assert.match(logged('error')[0] as string, new RegExp(`^${name}: `));
        assert.match(logged('error')[0] as string, says);
        assert.doesNotMatch(logged('error')[0] as string, /secret|\bat \S+:\d+|\[object/);
        assert.deepEqual(await queues.requests(), []);
      });
    }

    for (const [what, login, name, says] of [
      ['keys without rights', keysOf('limited'), 'not allowed', /not allowed to do that.*sqs:/],
      ['the keys of another account', keysOf('second'), 'not allowed', /not allowed to do that.*sqs:/],
      [
        'a secret that is wrong',
        { ...keysOf('demo'), secretAccessKey: 'w'.repeat(40) },
        'wrong secret key or clock',
        /secret/
      ],
      ['a key that nobody knows', { ...keysOf('demo'), accessKeyId: 'AKIANOBODY' }, 'unknown keys', /not know/]
    ] as const) {
      it(what, async () => {
        const url = await queues.create();
        await bench.red.deploy([account(bench), receiveNode({ queue: url }), sink('out')], {
          credentials: { account: login }
        });
        await bench.red.until(() => lastStatus().fill === 'red');
        assert.match(lastStatus().text as string, new RegExp(`^${name} since `));
        assert.match(logged('warn')[0] as string, says);
        assert.ok(!JSON.stringify([...bench.red.logs, lastStatus()]).includes(login.secretAccessKey));
      });
    }
  });
});
