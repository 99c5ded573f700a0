/**
 * The local AWS as programs see it that were not written for it: sqs-producer and sqs-consumer, which run against AWS
 * every day. What they need and what they report is what AWS does.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient
} from '@aws-sdk/client-sqs';
import { Consumer, type ConsumerOptions } from 'sqs-consumer';
import { Producer } from 'sqs-producer';
import { LocalAws, signIns } from '../../local-aws/client';

type SqsError = Error & { readonly code?: string; readonly statusCode?: number; readonly messageIds?: string[] };

describe('sqs-producer and sqs-consumer at the local AWS', () => {
  let aws: LocalAws;
  let sqs: SQSClient;
  let made = 0;
  const consumers: Consumer[] = [];

  before(async () => {
    aws = await LocalAws.start();
    const { accessKeyId, secretAccessKey } = signIns.demo;
    const credentials = { accessKeyId, secretAccessKey };
    sqs = new SQSClient({ endpoint: aws.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  });
  beforeEach(() => aws.reset());
  afterEach(() => {
    for (const consumer of consumers.splice(0)) consumer.stop({ abort: true });
  });
  after(async () => {
    sqs.destroy();
    await aws.stop();
  });

  async function newQueue(Attributes: Record<string, string> = {}): Promise<string> {
    made += 1;
    const QueueName = `clients-${made}${Attributes.FifoQueue ? '.fifo' : ''}`;
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    assert.ok(QueueUrl);
    return QueueUrl;
  }
  const producerOf = (queueUrl: string) => Producer.create({ queueUrl, sqs });
  function consume(queueUrl: string, options: Partial<ConsumerOptions>): Consumer {
    const consumer = Consumer.create({ queueUrl, sqs, suppressFifoWarning: true, ...options } as ConsumerOptions);
    consumers.push(consumer);
    // Aborting its poll is an error to it.
    consumer.on('error', () => undefined);
    consumer.on('processing_error', () => undefined);
    return consumer;
  }
  /** Consumes until so many messages are dealt with, deleted and all. */
  async function consumed(queueUrl: string, count: number, options: Partial<ConsumerOptions>): Promise<void> {
    const consumer = consume(queueUrl, options);
    let processed = 0;
    await new Promise<void>((resolve) => {
      consumer.on('message_processed', () => {
        processed += 1;
        if (processed === count) resolve();
      });
      consumer.start();
    });
  }
  /** How many messages are there, and how many of them are in flight. */
  async function counts(QueueUrl: string): Promise<[all: number, inFlight: number]> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
    const { Attributes = {} } = await sqs.send(command);
    const [visible = 0, inFlight = 0] = names.map((name) => Number(Attributes[name]));
    return [visible + inFlight, inFlight];
  }

  for (const fifo of [false, true]) {
    const kind = fifo ? 'FIFO' : 'standard';
    const attributes: Record<string, string> = fifo ? { FifoQueue: 'true' } : {};
    const entry = (body: string, groupId: string) =>
      fifo ? { id: body, body, groupId, deduplicationId: body } : { id: body, body };
    const entries = Array.from({ length: 25 }, (_, number) =>
      entry(`m${String(number).padStart(2, '0')}`, `g${number % 3}`)
    );

    describe(`through a ${kind} queue`, () => {
      it('carry messages in batches, each to be handled once', async () => {
        const url = await newQueue(attributes);
        const sent = await producerOf(url).send(entries);
        assert.deepEqual(
          sent.map(({ Id }) => Id),
          entries.map(({ id }) => id)
        );
        await aws.until({ requests: 3, operation: 'SendMessageBatch' });
        const handled: string[] = [];
        await consumed(url, 25, {
          batchSize: 10,
          handleMessage: async (message) => {
            handled.push(message.Body ?? '');
            return message;
          }
        });
        assert.deepEqual(
          [...handled].sort(),
          entries.map(({ body }) => body)
        );
        assert.deepEqual(await counts(url), [0, 0]);
      });

      it('handle and delete them in batches', async () => {
        const url = await newQueue(attributes);
        await producerOf(url).send(entries);
        const batches: number[] = [];
        await consumed(url, 25, {
          batchSize: 10,
          handleMessageBatch: async (messages) => {
            batches.push(messages.length);
            return messages;
          }
        });
        assert.deepEqual(batches, [10, 10, 5]);
        assert.deepEqual(await counts(url), [0, 0]);
      });

      it('give back what failed, until it is handled', async () => {
        const url = await newQueue(attributes);
        await producerOf(url).send(entries.slice(0, 5));
        const tries = new Map<string, number>();
        await consumed(url, 5, {
          batchSize: 10,
          terminateVisibilityTimeout: true,
          messageSystemAttributeNames: ['ApproximateReceiveCount'],
          handleMessage: async (message) => {
            const { Body = '', Attributes } = message;
            tries.set(Body, Number(Attributes?.ApproximateReceiveCount));
            if (Body === 'm03' && tries.get(Body) === 1) throw new Error('not yet');
            return message;
          }
        });
        assert.deepEqual([...tries.values()].sort(), [1, 1, 1, 1, 2]);
        assert.deepEqual(await counts(url), [0, 0]);
      });

      it('keep a message that takes longer than its visibility timeout', async () => {
        const url = await newQueue(attributes);
        await producerOf(url).send(entry('slow', 'g'));
        await consumed(url, 1, {
          visibilityTimeout: 2,
          heartbeatInterval: 1,
          handleMessage: async (message) => {
            await aws.until({ requests: 2, operation: 'ChangeMessageVisibility', finished: true });
            assert.deepEqual(await counts(url), [1, 1]);
            return message;
          }
        });
        assert.deepEqual(await counts(url), [0, 0]);
      });

      it('leave a message to others that comes after their poll was ended', async () => {
        const url = await newQueue(attributes);
        const consumer = consume(url, { handleMessage: async (message) => message });
        consumer.start();
        await aws.until({ requests: 1, operation: 'ReceiveMessage' });
        consumer.stop({ abort: true });
        await producerOf(url).send(entry('late', 'g'));
        const MessageSystemAttributeNames = ['ApproximateReceiveCount' as const];
        const input = { QueueUrl: url, MessageSystemAttributeNames, WaitTimeSeconds: 5 };
        const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand(input));
        assert.deepEqual([message?.Body, message?.Attributes?.ApproximateReceiveCount], ['late', '1']);
      });
    });
  }

  it('carry attributes, and the delay of a message', async () => {
    const url = await newQueue();
    const messageAttributes = {
      room: { DataType: 'String', StringValue: 'study' },
      degrees: { DataType: 'Number', StringValue: '18.2' }
    };
    await producerOf(url).send([
      { id: 'one', body: 'one', messageAttributes },
      { id: 'two', body: 'two', delaySeconds: 900 }
    ]);
    const handled: Message[] = [];
    await consumed(url, 1, {
      messageAttributeNames: ['All'],
      handleMessage: async (message) => {
        handled.push(message);
        return message;
      }
    });
    assert.deepEqual(handled[0]?.MessageAttributes, messageAttributes);
    assert.equal(handled.length, 1);
  });

  it('keep the order of each group, and take a repeated message once', async () => {
    const url = await newQueue({ FifoQueue: 'true' });
    const entry = (id: string, groupId: string) => ({ id, body: id, groupId, deduplicationId: id });
    const ids = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'];
    await producerOf(url).send(ids.map((id) => entry(id, id[0] ?? '')));
    await producerOf(url).send(ids.map((id) => entry(id, id[0] ?? '')));
    const handled: string[] = [];
    // One at a time, of which one fails at first: those behind it wait.
    await consumed(url, 6, {
      terminateVisibilityTimeout: true,
      handleMessage: async (message) => {
        handled.push(message.Body ?? '');
        if (handled.filter((body) => body === 'a2').length === 1 && message.Body === 'a2') throw new Error('not yet');
        return message;
      }
    });
    const ofGroup = (group: string) => handled.filter((body) => body.startsWith(group));
    assert.deepEqual(ofGroup('a'), ['a1', 'a2', 'a2', 'a3']);
    assert.deepEqual(ofGroup('b'), ['b1', 'b2', 'b3']);
  });

  it('bring what fails too often to the dead letters', async () => {
    const dead = await newQueue();
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:111111111111:${dead.split('/').at(-1)}`;
    const url = await newQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }) });
    await producerOf(url).send('poison');
    let tries = 0;
    const handleMessage = async () => {
      tries += 1;
      throw new Error('never');
    };
    consume(url, { terminateVisibilityTimeout: true, handleMessage }).start();
    await consumed(dead, 1, { handleMessage: async (message) => message });
    assert.equal(tries, 2);
  });

  describe('report as at AWS', () => {
    it('the messages of a batch that were refused, and send the others', async () => {
      const url = await newQueue();
      const sending = producerOf(url).send([
        { id: 'good', body: 'good' },
        { id: 'bad', body: 'a\u0001' }
      ]);
      await assert.rejects(sending, { message: 'Failed to send messages: bad', failedMessages: ['bad'] });
      assert.equal(await producerOf(url).queueSize(), 1);
    });

    it('a queue that is not there', async () => {
      const url = `${aws.url}/111111111111/nowhere`;
      const consumer = consume(url, { handleMessage: async (message) => message });
      consumer.start();
      const [{ code, statusCode, message }] = (await once(consumer, 'error')) as [SqsError];
      assert.deepEqual([code, statusCode], ['QueueDoesNotExist', 400]);
      assert.equal(message, 'SQS receive message failed: The specified queue does not exist.');
      await assert.rejects(producerOf(url).send('x'), { name: 'QueueDoesNotExist' });
    });

    it('a secret that is wrong', async () => {
      const credentials = { accessKeyId: signIns.demo.accessKeyId, secretAccessKey: 'wrong' };
      const stranger = new SQSClient({ endpoint: aws.url, region: 'us-east-1', credentials, maxAttempts: 1 });
      const consumer = consume(await newQueue(), { sqs: stranger, handleMessage: async (message) => message });
      consumer.start();
      const [{ statusCode }] = (await once(consumer, 'error')) as [SqsError];
      assert.equal(statusCode, 403);
      stranger.destroy();
    });

    it('a message of a FIFO queue that is handled too late, and of a standard queue nothing', async () => {
      for (const fifo of [false, true]) {
        const url = await newQueue(fifo ? { FifoQueue: 'true' } : {});
        await producerOf(url).send({ id: 'x', body: 'x', ...(fifo ? { groupId: 'g', deduplicationId: 'x' } : {}) });
        const handleMessage = async (message: Message) => {
          const { ReceiptHandle } = message;
          consumer.stop();
          // As if its time were over.
          await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 }));
          return message;
        };
        const consumer = consume(url, { handleMessage });
        const done = Promise.race([once(consumer, 'error'), once(consumer, 'message_processed')]);
        consumer.start();
        const [outcome] = (await done) as [SqsError & Message];
        // The texts are AWS's, as recorded by LocalStack (Apache-2.0), test_sqs.snapshot.json, 28 March 2025.
        if (fifo) {
          const text =
            /^SQS delete message failed: Value \S+ for parameter ReceiptHandle is invalid\. Reason: The receipt handle has expired\.$/;
          assert.match(outcome.message, text);
          assert.deepEqual([outcome.code, outcome.statusCode], ['InvalidParameterValue', 400]);
        } else assert.equal(outcome.Body, 'x');
        assert.deepEqual(await counts(url), [fifo ? 1 : 0, 0]);
      }
    });

    it('a heartbeat for a message that somebody else has deleted', async () => {
      const url = await newQueue();
      await producerOf(url).send('x');
      const consumer = consume(url, {
        visibilityTimeout: 30,
        heartbeatInterval: 1,
        handleMessage: async (message) => {
          const [{ messageIds }] = (await once(consumer, 'error')) as [SqsError];
          assert.deepEqual(messageIds, [message.MessageId]);
          return message;
        }
      });
      const failed = once(consumer, 'error') as Promise<[SqsError]>;
      consumer.once('message_received', ({ ReceiptHandle }) => {
        void sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      });
      consumer.start();
      const [{ message, code, statusCode }] = await failed;
      const text =
        /^Error changing visibility timeout: Value \S+ for parameter ReceiptHandle is invalid\. Reason: Message does not exist or is not available for visibility timeout change\.$/;
      assert.match(message, text);
      assert.deepEqual([code, statusCode], ['InvalidParameterValue', 400]);
    });
  });
});
