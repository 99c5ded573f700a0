import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signIns } from '../../local-aws/client';
import { account, credentials, deployAction, keysOf, sendNode, useBench, useQueues } from '../aws';
import type { Message, NodeError, Outcome } from '../node-red';
import { sink } from '../node-red';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('aws-sqs-send', () => {
  const bench = useBench();
  const queues = useQueues(bench);

  /** Deploys the node and gives it a message. */
  async function send(properties: Record<string, unknown>, msg: Message = { payload: 'hello' }): Promise<Outcome> {
    await deployAction(bench, sendNode(properties));
    return bench.red.send('send', msg);
  }

  async function sent(properties: Record<string, unknown>, msg?: Message): Promise<Message> {
    const outcome = await send(properties, msg);
    assert.equal(outcome.error, undefined);
    assert.equal(outcome.done, 1);
    assert.equal(outcome.sent.length, 1);
    return outcome.sent[0] as Message;
  }

  async function errorOf(properties: Record<string, unknown>, msg?: Message): Promise<NodeError> {
    const { error, sent: messages, done } = await send(properties, msg);
    assert.ok(error, 'the message ended without an error');
    assert.equal(done, 1);
    assert.deepEqual(messages, []);
    assert.equal(error.name, error.code);
    return error;
  }

  /** What the node has put on the wire: entries of batches too. */
  async function inputs(): Promise<Record<string, unknown>[]> {
    const requests = await queues.requests('SendMessage');
    return requests.flatMap(({ input }) => (input.Entries as Record<string, unknown>[]) ?? [input]);
  }

  describe('sends to a queue', () => {
    it('by its URL, and the message goes on with the result', async () => {
      const queue = await queues.create();
      const msg = await sent({ queue }, { payload: 'hello', topic: 'kept' });
      const { MessageId, ...more } = msg.payload as Record<string, unknown>;
      assert.match(String(MessageId), uuid);
      assert.deepEqual(more, {});
      assert.equal(msg.topic, 'kept');
      const { requestId, ...aws } = msg.aws ?? {};
      assert.match(String(requestId), uuid);
      assert.deepEqual(aws, {
        service: 'sqs',
        operation: 'SendMessage',
        region: 'us-east-1',
        statusCode: 200,
        attempts: 1
      });
      const [got] = await queues.receive(queue);
      assert.deepEqual([got?.Body, got?.MessageId], ['hello', MessageId]);
    });

    it('by its name, which is asked for once', async () => {
      const queue = await queues.createNamed('by-name');
      await deployAction(bench, sendNode({ queue: 'by-name' }));
      for (let index = 0; index < 3; index += 1) {
        assert.equal((await bench.red.send('send', { payload: index })).error, undefined);
      }
      assert.equal((await queues.requests('GetQueueUrl')).length, 1);
      assert.equal((await queues.counts(queue)).visible, 3);
    });

    it('by its ARN, in the region of that, without a question', async () => {
      const queue = await queues.createNamed('by-arn', {}, 'eu-west-1');
      const msg = await sent({ queue: 'arn:aws:sqs:eu-west-1:111111111111:by-arn' });
      assert.equal(msg.aws?.region, 'eu-west-1');
      assert.equal((await queues.counts(queue)).visible, 1);
      assert.deepEqual(await queues.requests('GetQueueUrl'), []);
    });

    it('of another account by its ARN: that account’s number is in the URL', async () => {
      await send({ queue: 'arn:aws:sqs:us-east-1:222222222222:theirs' });
      const [input] = await inputs();
      assert.equal(new URL(String(input?.QueueUrl)).pathname, '/222222222222/theirs');
    });

    for (const [url, region] of [
      ['https://sqs.eu-west-1.amazonaws.com/111111111111/q', 'eu-west-1'],
      ['https://sqs.eu-west-1.api.aws/111111111111/q', 'eu-west-1'],
      ['https://eu-west-1.queue.amazonaws.com/111111111111/q', 'eu-west-1'],
      ['https://sqs.cn-north-1.amazonaws.com.cn/111111111111/q', 'cn-north-1'],
      ['https://sqs.eusc-de-east-1.amazonaws.eu/111111111111/q', 'eusc-de-east-1'],
      ['https://eusc-de-east-1.queue.amazonaws.eu/111111111111/q', 'eusc-de-east-1'],
      ['https://sqs.us-isob-east-1.sc2s.sgov.gov/111111111111/q', 'us-isob-east-1'],
      ['https://sqs-fips.us-gov-west-1.amazonaws.com/111111111111/q', 'us-gov-west-1'],
      ['https://vpce-0a1b-2c3d.sqs.ap-south-1.vpce.amazonaws.com/111111111111/q', 'ap-south-1'],
      ['https://queue.amazonaws.com/111111111111/q', 'us-east-1'],
      ['http://queue.localhost.localstack.cloud:4566/111111111111/q', 'us-east-1'],
      ['http://eu-west-1.queue.localhost.localstack.cloud:4566/111111111111/q', 'eu-west-1'],
      ['http://sqs.eu-west-1.localhost.localstack.cloud:4566/111111111111/q', 'eu-west-1'],
      ['http://localhost:4566/queue/eu-west-1/111111111111/q', 'eu-west-1'],
      // The account's own.
      ['http://localhost:4566/111111111111/q', 'ca-central-1'],
      ['http://localhost:4566/queue/q', 'ca-central-1'],
      ['https://sqs.example.com/111111111111/q', 'ca-central-1'],
      ['https://queue.example.com/111111111111/q', 'ca-central-1']
    ] as const) {
      it(`in the region of ${url}`, async () => {
        await deployAction(bench, sendNode({ queue: url }), { region: 'ca-central-1' });
        await bench.red.send('send', { payload: 'hello' });
        const [request] = await queues.requests('SendMessage');
        assert.deepEqual([request?.region, request?.input.QueueUrl], [region, url]);
      });
    }

    for (const [partition, region, host] of [
      ['aws', 'eu-west-1', 'sqs.eu-west-1.amazonaws.com'],
      ['aws-cn', 'cn-north-1', 'sqs.cn-north-1.amazonaws.com.cn'],
      ['aws-us-gov', 'us-gov-west-1', 'sqs.us-gov-west-1.amazonaws.com'],
      ['aws-eusc', 'eusc-de-east-1', 'sqs.eusc-de-east-1.amazonaws.eu'],
      ['aws-iso-b', 'us-isob-east-1', 'sqs.us-isob-east-1.sc2s.sgov.gov']
    ] as const) {
      it(`by its ARN in the partition ${partition}`, async () => {
        await send({ queue: `arn:${partition}:sqs:${region}:111111111111:q` });
        const [request] = await queues.requests('SendMessage');
        assert.deepEqual([request?.region, request?.input.QueueUrl], [region, `https://${host}/111111111111/q`]);
      });
    }

    it('in the region of the node before that of the queue', async () => {
      await send({
        queue: 'https://sqs.eu-west-1.amazonaws.com/111111111111/q',
        region: 'sa-east-1',
        regionType: 'str'
      });
      assert.equal((await queues.requests('SendMessage'))[0]?.region, 'sa-east-1');
    });

    it('never at the address in a queue URL', async () => {
      let asked = 0;
      const trap = createServer((_, response) => {
        asked += 1;
        response.end('{}');
      });
      await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
      const { port } = trap.address() as AddressInfo;
      try {
        const error = await errorOf({ queue: `http://127.0.0.1:${port}/111111111111/nowhere` });
        assert.equal(error.code, 'QueueDoesNotExist');
        // Without an endpoint of the account's own the request would go to AWS: nothing goes to the URL there either.
        await bench.red.deploy(
          [
            account(bench, { endpoint: '' }),
            sendNode({
              queue: `http://127.0.0.1:${port}/111111111111/nowhere`,
              region: 'xx-none-1',
              regionType: 'str'
            }),
            sink('out')
          ],
          { credentials: credentials() }
        );
        assert.ok((await bench.red.send('send', { payload: 'hello' })).error);
        assert.equal(asked, 0);
      } finally {
        trap.close();
      }
    });
  });

  describe('sends as its body', () => {
    for (const [what, payload, body] of [
      ['a string as it is', 'Grüße', 'Grüße'],
      ['a string of JSON as it is', '{ "a": 1 }', '{ "a": 1 }'],
      ['an object as its JSON', { a: [1, null] }, '{"a":[1,null]}'],
      ['a number as its JSON', 0, '0'],
      ['a boolean as its JSON', false, 'false'],
      ['null as its JSON', null, 'null'],
      ['a Buffer as its JSON', Buffer.from('hi'), '{"type":"Buffer","data":[104,105]}']
    ] as const) {
      it(what, async () => {
        const queue = await queues.create();
        await sent({ queue }, { payload });
        assert.equal((await inputs())[0]?.MessageBody, body);
      });
    }

    it('what a JSONata expression makes of the message', async () => {
      const queue = await queues.create();
      const transform = '{"room": topic, "celsius": payload.t}';
      await sent({ queue, body: transform, bodyType: 'jsonata' }, { topic: 'hall', payload: { t: 21 } });
      assert.equal((await inputs())[0]?.MessageBody, '{"room":"hall","celsius":21}');
    });

    it('a mebibyte, with the attributes, and not a byte more', async () => {
      const queue = await queues.create();
      const attributes = { attributes: '{"a":"bc"}', attributesType: 'json' };
      // The name, "String" and the value.
      const rest = 1 + 6 + 2;
      await deployAction(bench, sendNode({ queue, ...attributes }));
      const fits = await bench.red.send('send', { payload: 'x'.repeat(1_048_576 - rest) });
      assert.equal(fits.error, undefined);
      const { error } = await bench.red.send('send', { payload: 'x'.repeat(1_048_576 - rest + 1) });
      assert.equal(error?.code, 'InvalidValue');
      assert.match(
        error?.message ?? '',
        /Message body \(body\) and its attributes have 1048577 bytes, but may have at most 1048576/
      );
      assert.equal((await queues.requests('SendMessage')).length, 1);
    });
  });

  describe('attributes', () => {
    for (const [what, value, expected] of [
      ['a string', 'red', { DataType: 'String', StringValue: 'red' }],
      ['a number', -1.5, { DataType: 'Number', StringValue: '-1.5' }],
      ['a boolean', true, { DataType: 'String', StringValue: 'true' }],
      ['a Buffer', Buffer.from('hi'), { DataType: 'Binary', BinaryValue: 'aGk=' }],
      ['a list', ['a', 1, true, null], { DataType: 'String.Array', StringValue: '["a",1,true,null]' }],
      ['a list of objects', [{ a: 1 }], { DataType: 'String', StringValue: '[{"a":1}]' }],
      ['an object', { a: { b: 1 } }, { DataType: 'String', StringValue: '{"a":{"b":1}}' }],
      [
        'a type of its own',
        { DataType: 'Number.float', StringValue: '1.50' },
        { DataType: 'Number.float', StringValue: '1.50' }
      ],
      [
        'bytes of a type of their own',
        { DataType: 'Binary.png', BinaryValue: Buffer.from('hi') },
        { DataType: 'Binary.png', BinaryValue: 'aGk=' }
      ]
    ] as const) {
      it(`${what} goes as ${JSON.stringify(expected)}`, async () => {
        const queue = await queues.create();
        await sent({ queue, attributes: 'attributes', attributesType: 'msg' }, { payload: 'x', attributes: { value } });
        assert.deepEqual((await inputs())[0]?.MessageAttributes, { value: expected });
      });
    }

    it('that are null or absent are left out, and so is an object of none', async () => {
      const queue = await queues.create();
      const attributes = { one: null, two: undefined };
      await sent({ queue, attributes: 'attributes', attributesType: 'msg' }, { payload: 'x', attributes });
      assert.ok(!('MessageAttributes' in ((await inputs())[0] ?? {})));
    });

    it('named __proto__ are attributes like others', async () => {
      const queue = await queues.create();
      const attributes = JSON.parse('{"__proto__": "x"}') as object;
      await sent({ queue, attributes: 'attributes', attributesType: 'msg' }, { payload: 'x', attributes });
      const [request] = await queues.requests('SendMessage');
      assert.ok((request?.bytes ?? 0) > 0);
      const [got] = await queues.receive(queue, { MessageAttributeNames: ['All'] });
      assert.equal(Object.keys(got?.MessageAttributes ?? {})[0], '__proto__');
    });
  });

  describe('delaySeconds', () => {
    it('holds the message back', async () => {
      const queue = await queues.create();
      await sent({ queue, delaySeconds: '60', delaySecondsType: 'num' });
      assert.deepEqual(await queues.counts(queue), { visible: 0, hidden: 0, delayed: 1 });
    });

    it('of 0 is left out for a FIFO queue, and any other refused', async () => {
      const queue = await queues.create({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      const fifo = { queue, groupId: 'g', groupIdType: 'str', delaySecondsType: 'num' };
      await sent({ ...fifo, delaySeconds: '0' });
      assert.ok(!('DelaySeconds' in ((await inputs())[0] ?? {})));
      const error = await errorOf({ ...fifo, delaySeconds: '1' });
      assert.match(
        `${error.code}: ${error.message}`,
        /^InvalidValue: Delay \(delaySeconds\) must be empty for a FIFO queue/
      );
    });
  });

  describe('groupId and deduplicationId', () => {
    it('go along, and a FIFO queue gives a sequence number', async () => {
      const queue = await queues.create({ FifoQueue: 'true' });
      const ids = { groupId: 'topic', groupIdType: 'msg', deduplicationId: 'payload', deduplicationIdType: 'msg' };
      const msg = await sent({ queue, ...ids }, { payload: 17, topic: 'g' });
      assert.match(String((msg.payload as Record<string, unknown>).SequenceNumber), /^\d+$/);
      const [input] = await inputs();
      assert.deepEqual([input?.MessageGroupId, input?.MessageDeduplicationId], ['g', '17']);
    });

    it('a FIFO queue needs a group', async () => {
      const error = await errorOf({ queue: 'orders.fifo' });
      assert.match(`${error.code}: ${error.message}`, /^MissingValue: Group ID \(groupId\) is required for a FIFO/);
      assert.deepEqual(await queues.requests(), []);
    });

    it('another queue takes a group, for fairness, and no deduplicationId', async () => {
      const queue = await queues.create();
      await sent({ queue, groupId: 'tenant', groupIdType: 'str' });
      assert.equal((await inputs())[0]?.MessageGroupId, 'tenant');
      const error = await errorOf({ queue, deduplicationId: 'x', deduplicationIdType: 'str' });
      assert.match(
        `${error.code}: ${error.message}`,
        /^InvalidValue: Deduplication ID \(deduplicationId\) must be empty, except for a FIFO/
      );
    });
  });

  describe('output raw', () => {
    it('is the service’s own answer, without the SDK’s metadata', async () => {
      const queue = await queues.create();
      const { payload } = await sent({ queue, output: 'raw' });
      const { MessageId, MD5OfMessageBody, ...more } = payload as Record<string, unknown>;
      assert.match(String(MessageId), uuid);
      assert.equal(MD5OfMessageBody, '5d41402abc4b2a76b9719d911017c592');
      assert.deepEqual(JSON.parse(JSON.stringify(more)), {});
    });

    it('of a batch is the message’s own entry', async () => {
      const queue = await queues.create();
      await deployAction(bench, sendNode({ queue, output: 'raw' }));
      const outcomes = await bench.red.sendMany('send', [{ payload: 'a' }, { payload: 'b' }, { payload: 'hello' }]);
      assert.equal((await queues.requests('SendMessage')).at(-1)?.operation, 'SendMessageBatch');
      const { Id, MD5OfMessageBody } = (outcomes[2]?.sent[0]?.payload ?? {}) as Record<string, unknown>;
      assert.deepEqual([typeof Id, MD5OfMessageBody], ['string', '5d41402abc4b2a76b9719d911017c592']);
    });
  });

  describe('many queues', () => {
    it('each get the message, and the results come in their order', async () => {
      const targets = [await queues.create(), 'by-name', 'arn:aws:sqs:eu-west-1:111111111111:by-arn'];
      await queues.createNamed('by-name');
      await queues.createNamed('by-arn', {}, 'eu-west-1');
      const msg = await sent({ queue: 'targets', queueType: 'msg' }, { payload: 'x', targets });
      const results = msg.payload as { target: string; result: { MessageId: string } }[];
      assert.deepEqual(
        results.map(({ target }) => target),
        targets
      );
      for (const { result } of results) assert.match(result.MessageId, uuid);
      const { requests, ...aws } = msg.aws as { requests: { target: string; region: string }[] };
      assert.deepEqual(aws, { service: 'sqs', operation: 'SendMessage' });
      assert.deepEqual(
        requests.map(({ target, region }) => [target, region]),
        targets.map((target, index) => [target, index === 2 ? 'eu-west-1' : 'us-east-1'])
      );
    });

    it('of which some fail are a PartialFailure that tells which, and the payload is what came in', async () => {
      const targets = [await queues.create(), 'not-there', 17];
      const outcome = await send({ queue: 'targets', queueType: 'msg' }, { payload: 'x', targets });
      const { error } = outcome;
      assert.equal(error?.code, 'PartialFailure');
      assert.match(error?.message ?? '', /^2 of 3 targets failed; the first, "not-there": There is no such queue/);
      const results = error?.results as { target: unknown; error?: { name: string } }[];
      assert.deepEqual(
        results.map(({ target, error: own }) => [target, own?.name]),
        [
          [targets[0], undefined],
          ['not-there', 'QueueDoesNotExist'],
          [17, 'InvalidValue']
        ]
      );
      assert.equal(outcome.msg.payload, 'x');
    });
  });

  describe('requests', () => {
    it('are tried three times, and msg.aws says how often', async () => {
      const queue = await queues.create();
      await bench.aws.fault({ kind: 'error503', operation: 'SendMessage', times: 2 });
      assert.equal((await sent({ queue })).aws?.attempts, 3);
      await bench.aws.fault({ kind: 'throttle', operation: 'SendMessage', times: 3 });
      const error = await errorOf({ queue });
      assert.deepEqual([error.code, error.retryable], ['RequestThrottled', true]);
      assert.equal((await queues.requests('SendMessage')).length, 6);
    });

    it('are signed by the credentials of the message, where it has some', async () => {
      const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      await send(
        { queue: 'arn:aws:sqs:us-east-1:222222222222:x', ...dynamic },
        { payload: 'x', keys: keysOf('second') }
      );
      assert.equal((await queues.requests('SendMessage'))[0]?.accessKeyId, signIns.second.accessKeyId);
    });

    it('that are refused end in the service’s error, with what it means', async () => {
      const error = await errorOf({ queue: 'https://sqs.us-east-1.amazonaws.com/111111111111/gone' });
      assert.deepEqual([error.code, error.statusCode, error.retryable], ['QueueDoesNotExist', 400, false]);
      assert.match(error.message, /^There is no such queue: check its name, the region and the account\. \(/);
      assert.match(String(error.requestId), uuid);
    });

    it('are kept in the order of their messages, however fast these come when the node has just been deployed', async () => {
      const queue = await queues.create({ FifoQueue: 'true' });
      await deployAction(bench, sendNode({ id: 'in-order', queue, groupId: 'g', groupIdType: 'str', keep: true }));
      const node = bench.red.node('in-order');
      const bodies = Array.from({ length: 25 }, (_, n) => String(n));
      for (const payload of bodies) {
        node.receive({ payload });
        // The next message comes as soon as anything at all may have happened.
        await undefined;
      }
      for (const _ of bodies) await bench.red.next('out');
      assert.deepEqual(
        (await inputs()).map(({ MessageBody }) => MessageBody),
        bodies
      );
    });

    it('show in the status while they are in flight', async () => {
      const queue = await queues.create();
      const { statuses } = await send({ queue });
      assert.deepEqual(statuses.at(-1), {});
      assert.ok(statuses.some(({ fill, shape, text }) => `${fill} ${shape} ${text}` === 'blue dot status.requesting'));
    });
  });
});
