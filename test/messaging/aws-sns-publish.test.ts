import assert from 'node:assert/strict';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import type { RequestRecord } from '../../local-aws/client';
import { signIns } from '../../local-aws/client';
import { deployAction, keysOf, publishNode, useBench, useQueues } from '../aws';
import type { Message, NodeError, Outcome } from '../node-red';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('aws-sns-publish', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  let made = 0;

  function client(region = 'us-east-1'): SNSClient {
    return new SNSClient({ region, endpoint: bench.aws.url, credentials: signIns.demo });
  }

  async function newTopic(Attributes: Record<string, string> = {}, region?: string): Promise<string> {
    made += 1;
    const Name = `topic-${made}${Attributes.FifoTopic ? '.fifo' : ''}`;
    const { TopicArn } = await client(region).send(new CreateTopicCommand({ Name, Attributes }));
    return TopicArn as string;
  }

  /** A topic and a queue that gets what it is told: the bare message. */
  async function heard(attributes: Record<string, string> = {}): Promise<{ target: string; queue: string }> {
    const fifo: Record<string, string> = attributes.FifoTopic
      ? { FifoQueue: 'true', ContentBasedDeduplication: 'true' }
      : {};
    const [target, queue] = [await newTopic(attributes), await queues.create(fifo)];
    const Endpoint = `arn:aws:sqs:us-east-1:111111111111:${queue.split('/').at(-1)}`;
    const subscription = { TopicArn: target, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } };
    await client().send(new SubscribeCommand(subscription));
    return { target, queue };
  }

  async function publish(properties: Record<string, unknown>, msg: Message = { payload: 'hello' }): Promise<Outcome> {
    await deployAction(bench, publishNode(properties));
    return bench.red.send('publish', msg);
  }

  async function published(properties: Record<string, unknown>, msg?: Message): Promise<Message> {
    const { error, done, sent } = await publish(properties, msg);
    assert.equal(error, undefined);
    assert.deepEqual([done, sent.length], [1, 1]);
    return sent[0] as Message;
  }

  async function errorOf(properties: Record<string, unknown>, msg?: Message): Promise<NodeError> {
    const { error, sent, done } = await publish(properties, msg);
    assert.ok(error, 'the message ended without an error');
    assert.deepEqual([error.name, done, sent], [error.code, 1, []]);
    return error;
  }

  const requests = async (): Promise<RequestRecord[]> =>
    (await bench.aws.requests()).filter(({ operation }) => operation.startsWith('Publish'));

  describe('publishes to', () => {
    it('a topic, and the message goes on with the result', async () => {
      const { target, queue } = await heard();
      const msg = await published({ target }, { payload: 'hello', topic: 'kept' });
      const { MessageId, ...more } = msg.payload as Record<string, unknown>;
      assert.match(String(MessageId), uuid);
      assert.deepEqual([more, msg.topic], [{}, 'kept']);
      const { requestId, ...aws } = msg.aws ?? {};
      assert.match(String(requestId), uuid);
      const expected = { service: 'sns', operation: 'Publish', region: 'us-east-1', statusCode: 200, attempts: 1 };
      assert.deepEqual(aws, expected);
      assert.equal((await queues.receive(queue))[0]?.Body, 'hello');
    });

    it('a topic of another region, as its ARN says', async () => {
      const msg = await published({ target: await newTopic({}, 'eu-west-1') });
      assert.equal(msg.aws?.region, 'eu-west-1');
    });

    for (const [partition, region] of [
      ['aws-cn', 'cn-north-1'],
      ['aws-eusc', 'eusc-de-east-1'],
      ['aws-iso-b', 'us-isob-east-1']
    ] as const) {
      it(`a topic of the partition ${partition}, in the region that its ARN names`, async () => {
        const target = `arn:${partition}:sns:${region}:111111111111:alarms`;
        await publish({ target });
        const [request] = await requests();
        assert.deepEqual([request?.region, request?.input.TopicArn], [region, target]);
      });
    }

    it('a phone number', async () => {
      const msg = await published({ target: '+12065550100' }, { payload: 'Door open' });
      assert.match(String((msg.payload as { MessageId: string }).MessageId), uuid);
      const [request] = await requests();
      assert.deepEqual([request?.input.PhoneNumber, request?.input.TopicArn], ['+12065550100', undefined]);
    });

    it('an endpoint of a mobile app', async () => {
      const target = 'arn:aws:sns:us-east-1:111111111111:endpoint/GCM/app/5e3e9847-3183-3f18-a7e8-671c3a57d4b3';
      await published({ target });
      assert.equal((await requests())[0]?.input.TargetArn, target);
    });

    it('phone numbers each in a request of its own, since they take no batches', async () => {
      await deployAction(bench, publishNode({ target: '+12065550100' }));
      const outcomes = await bench.red.sendMany('publish', [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
      assert.ok(outcomes.every(({ error }) => !error));
      assert.deepEqual(
        (await requests()).map(({ operation }) => operation),
        ['Publish', 'Publish', 'Publish']
      );
    });

    for (const [what, target, text] of [
      ['nobody', '', /^MissingValue: Target is required, but is empty/],
      ['a name', 'alerts', /^InvalidValue: Target must be the ARN of a topic or an endpoint, or a phone number/],
      ['a queue', 'arn:aws:sqs:us-east-1:111111111111:orders', /^InvalidValue: Target must be/],
      ['a number without a country', '015123456', /^InvalidValue: Target must be/],
      ['a number with blanks', '+1 206 555 0100', /^InvalidValue: Target must be/],
      [
        'a topic that is not there',
        'arn:aws:sns:us-east-1:111111111111:gone',
        /^NotFoundException: There is no such topic/
      ]
    ] as const) {
      it(`${what}: not at all`, async () => {
        const error = await errorOf({ target });
        assert.match(`${error.code}: ${error.message}`, text);
      });
    }
  });

  describe('the message', () => {
    for (const [what, payload, text] of [
      ['a string as it is', 'Grüße', 'Grüße'],
      ['an object as its JSON', { a: 1 }, '{"a":1}'],
      ['a number as its JSON', 0, '0'],
      ['null as its JSON', null, 'null']
    ] as const) {
      it(`is ${what}`, async () => {
        await published({ target: await newTopic() }, { payload });
        assert.equal((await requests())[0]?.input.Message, text);
      });
    }

    it('may be a mebibyte where the topic allows it; more is refused before it is sent', async () => {
      const target = await newTopic();
      const error = await errorOf({ target }, { payload: 'x'.repeat(1_048_577) });
      assert.match(`${error.code}: ${error.message}`, /^InvalidValue: Message and its attributes have 1048577 bytes/);
      assert.deepEqual(await requests(), []);
      await publish({ target }, { payload: 'x'.repeat(1_048_576) });
      assert.equal((await requests()).length, 1);
    });

    it('of each protocol is its own', async () => {
      const { target, queue } = await heard();
      await published({ target, perProtocol: true }, { payload: { default: 'short', sqs: { long: true } } });
      const [request] = await requests();
      assert.equal(request?.input.MessageStructure, 'json');
      assert.deepEqual(JSON.parse(String(request?.input.Message)), { default: 'short', sqs: '{"long":true}' });
      assert.equal((await queues.receive(queue))[0]?.Body, '{"long":true}');
    });

    for (const payload of ['text', 17, [], { sqs: 'no default' }, { default: 17 }, { default: null }]) {
      it(`of each protocol needs an object with a default text, not ${JSON.stringify(payload)}`, async () => {
        const error = await errorOf({ target: '+12065550100', perProtocol: true }, { payload });
        assert.match(`${error.code}: ${error.message}`, /^InvalidValue: Message( \(message\.default\))? must be /);
      });
    }
  });

  describe('the subject', () => {
    it('goes along, and is left out where it is empty', async () => {
      const target = await newTopic();
      await published({ target, subject: 'topic', subjectType: 'msg' }, { payload: 'x', topic: 'Door' });
      await published({ target, subject: 'topic', subjectType: 'msg' }, { payload: 'x', topic: '' });
      assert.deepEqual(
        (await requests()).map(({ input }) => input.Subject),
        ['Door', undefined]
      );
    });

    for (const [topic, text] of [
      ['x'.repeat(100), /Subject may have at most 99 characters, but has 100/],
      ['two\nlines', /Subject must be text without line breaks and control characters/],
      ['tab\t', /Subject must be text without/]
    ] as const) {
      it(`will not do as ${JSON.stringify(topic.slice(0, 12))}`, async () => {
        const error = await errorOf(
          { target: '+12065550100', subject: 'topic', subjectType: 'msg' },
          { payload: 'x', topic }
        );
        assert.match(`${error.code}: ${error.message}`, text);
      });
    }
  });

  describe('attributes', () => {
    it('go along with their types', async () => {
      const { target, queue } = await heard();
      const attributes = { text: 'red', number: 1.5, list: ['a', 1], bytes: Buffer.from('hi'), none: null };
      await published({ target, attributes: 'attributes', attributesType: 'msg' }, { payload: 'x', attributes });
      const [got] = await queues.receive(queue, { MessageAttributeNames: ['All'] });
      const { list, ...others } = got?.MessageAttributes ?? {};
      assert.deepEqual([list?.DataType, list?.StringValue], ['String.Array', '["a",1]']);
      assert.deepEqual(Object.keys(others).sort(), ['bytes', 'number', 'text']);
      assert.equal(others.number?.DataType, 'Number');
      assert.deepEqual(Buffer.from(others.bytes?.BinaryValue ?? []).toString(), 'hi');
    });
  });

  describe('groupId and deduplicationId', () => {
    it('go along to a FIFO topic, which gives a sequence number', async () => {
      const { target, queue } = await heard({ FifoTopic: 'true' });
      const ids = { groupId: 'g', groupIdType: 'str', deduplicationId: 'd', deduplicationIdType: 'str' };
      const msg = await published({ target, ...ids });
      assert.match(String((msg.payload as { SequenceNumber: string }).SequenceNumber), /^\d+$/);
      assert.equal((await queues.counts(queue)).visible, 1);
      const [request] = await requests();
      assert.deepEqual([request?.input.MessageGroupId, request?.input.MessageDeduplicationId], ['g', 'd']);
    });

    it('are needed there: the group at least', async () => {
      const error = await errorOf({ target: 'arn:aws:sns:us-east-1:111111111111:orders.fifo' });
      assert.match(`${error.code}: ${error.message}`, /^MissingValue: Group ID \(groupId\) is required for a FIFO/);
    });

    it('keep the order of a group: one at a time, those of several groups together', async () => {
      const { target, queue } = await heard({ FifoTopic: 'true', ContentBasedDeduplication: 'true' });
      await deployAction(bench, publishNode({ target, groupId: 'topic', groupIdType: 'msg' }));
      const msgs = Array.from({ length: 18 }, (_, n) => ({ payload: n, topic: `g${n % 3}` }));
      const outcomes = await bench.red.sendMany('publish', msgs);
      assert.ok(outcomes.every(({ error }) => !error));
      assert.equal((await queues.counts(queue)).visible, 18);
      const sent = (await requests()).map(({ input }) =>
        Object.entries(input).flatMap(([name, value]) => (/Message$/.test(name) ? [Number(value)] : []))
      );
      for (const batch of sent) assert.equal(new Set(batch.map((n) => n % 3)).size, batch.length);
      for (const group of [0, 1, 2]) {
        const order = sent.flat().filter((n) => n % 3 === group);
        assert.deepEqual(
          order,
          [...order].sort((a, b) => a - b)
        );
      }
    });
  });

  describe('batch', () => {
    it('puts together what comes while a request is in flight, and each gets its own answer', async () => {
      const { target, queue } = await heard();
      await deployAction(bench, publishNode({ target, output: 'raw' }));
      const outcomes = await bench.red.sendMany(
        'publish',
        Array.from({ length: 14 }, (_, n) => ({ payload: n }))
      );
      const operations = (await requests()).map(({ operation }) => operation);
      assert.deepEqual(operations.slice(0, 2), ['Publish', 'PublishBatch']);
      assert.ok(operations.length <= 4);
      const answers = outcomes.map(({ sent }) => (sent[0] as Message).payload as { MessageId: string });
      assert.equal(new Set(answers.map(({ MessageId }) => MessageId)).size, 14);
      assert.ok(answers.every((answer) => !('$metadata' in answer)));
      assert.equal((await queues.counts(queue)).visible, 14);
    });

    it('keeps to 256 KiB, which every topic allows for a batch', async () => {
      const { target, queue } = await heard();
      await deployAction(bench, publishNode({ target }));
      const msgs = Array.from({ length: 7 }, () => ({ payload: 'x'.repeat(100_000) }));
      const outcomes = await bench.red.sendMany('publish', msgs);
      assert.ok(outcomes.every(({ error }) => !error));
      assert.equal((await queues.counts(queue)).visible, 7);
    });

    it('lets an entry fail alone', async () => {
      const target = await newTopic();
      await bench.aws.fault({ kind: 'entries', senderFault: true, entryProbability: 0.5 });
      await deployAction(bench, publishNode({ target }));
      const outcomes = await bench.red.sendMany(
        'publish',
        Array.from({ length: 21 }, (_, n) => ({ payload: n }))
      );
      const failed = outcomes.filter(({ error }) => error);
      assert.ok(failed.length > 2 && failed.length < 19, `${failed.length} failed`);
      for (const { error, done } of failed) assert.deepEqual([error?.code, done], ['InvalidMessageContents', 1]);
    });

    it('that is off gives each a request of its own', async () => {
      await deployAction(bench, publishNode({ target: await newTopic(), batch: false }));
      await bench.red.sendMany(
        'publish',
        Array.from({ length: 5 }, (_, n) => ({ payload: n }))
      );
      assert.equal((await requests()).length, 5);
    });
  });

  describe('many targets', () => {
    it('each get the message, of whatever kind they are', async () => {
      const { target, queue } = await heard();
      const targets = [target, '+12065550100'];
      const msg = await published({ target: 'targets', targetType: 'msg' }, { payload: 'x', targets });
      const results = msg.payload as { target: string; result: { MessageId: string } }[];
      assert.deepEqual(
        results.map((each) => each.target),
        targets
      );
      const { requests: each, ...aws } = msg.aws as { requests: { target: string; statusCode: number }[] };
      assert.deepEqual(aws, { service: 'sns', operation: 'Publish' });
      assert.deepEqual(
        each.map(({ target: to, statusCode }) => [to, statusCode]),
        targets.map((to) => [to, 200])
      );
      assert.equal((await queues.counts(queue)).visible, 1);
    });

    it('that fail in part are a PartialFailure', async () => {
      const targets = [await newTopic(), 'arn:aws:sns:us-east-1:111111111111:gone'];
      const error = await errorOf({ target: 'targets', targetType: 'msg' }, { payload: 'x', targets });
      assert.equal(error.code, 'PartialFailure');
      const results = error.results as { error?: { name: string } }[];
      assert.deepEqual(
        results.map((each) => each.error?.name),
        [undefined, 'NotFoundException']
      );
    });

    it('that are none are an InvalidValue', async () => {
      const error = await errorOf({ target: 'targets', targetType: 'msg' }, { payload: 'x', targets: [] });
      assert.equal(error.code, 'InvalidValue');
    });
  });

  describe('requests', () => {
    it('are tried three times', async () => {
      const target = await newTopic();
      await bench.aws.fault({ kind: 'error503', times: 2 });
      assert.equal((await published({ target })).aws?.attempts, 3);
      await bench.aws.fault({ kind: 'throttle', operation: 'Publish', times: 3 });
      const error = await errorOf({ target });
      assert.deepEqual([error.retryable, error.statusCode], [true, 400]);
      assert.equal((await requests()).length, 6);
    });

    it('are signed by the credentials of the message, where it has some', async () => {
      const target = await newTopic();
      const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      await publish({ target, ...dynamic }, { payload: 'x', keys: keysOf('second') });
      assert.equal((await requests())[0]?.accessKeyId, signIns.second.accessKeyId);
    });
  });
});
