import assert from 'node:assert/strict';
import {
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListTopicsCommand,
  PublishBatchCommand,
  PublishCommand,
  type PublishCommandInput,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand
} from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type Message,
  type MessageAttributeValue,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient
} from '@aws-sdk/client-sqs';
import { LocalAws, signIns } from '../../local-aws/client';
import { Texts } from '../../local-aws/messaging/sns-rules';

type Name = keyof typeof signIns;

describe('The local AWS, for messages', () => {
  let aws: LocalAws;
  const clients = new Map<string, { destroy(): void }>();
  let queues = 0;

  before(async () => {
    aws = await LocalAws.start();
  });
  beforeEach(() => aws.reset());
  after(async () => {
    for (const client of clients.values()) client.destroy();
    await aws.stop();
  });

  function client<Client extends { destroy(): void }>(
    kind: new (settings: object) => Client,
    name: Name,
    region: string
  ): Client {
    const key = `${kind.name} ${name} ${region}`;
    const { accessKeyId, secretAccessKey } = signIns[name];
    const credentials = { accessKeyId, secretAccessKey };
    const known = clients.get(key) as Client | undefined;
    const made =
      known ?? new kind({ endpoint: aws.url, region, maxAttempts: 1, credentials, useQueueUrlAsEndpoint: false });
    clients.set(key, made);
    return made;
  }
  const sqs = (name: Name = 'demo', region = 'us-east-1') => client(SQSClient, name, region);
  const sns = (name: Name = 'demo', region = 'us-east-1') => client(SNSClient, name, region);
  const url = (name: string, account = '111111111111') => `${aws.url}/${account}/${name}`;
  const queueArn = (name: string, account = '111111111111') => `arn:aws:sqs:us-east-1:${account}:${name}`;
  const topicArn = (name: string, account = '111111111111') => `arn:aws:sns:us-east-1:${account}:${name}`;

  /** A queue of the test's own; gives its URL. */
  async function newQueue(attributes: Record<string, string> = {}, name: Name = 'demo'): Promise<string> {
    queues += 1;
    const QueueName = `test-${queues}${attributes.FifoQueue ? '.fifo' : ''}`;
    const { QueueUrl } = await sqs(name).send(new CreateQueueCommand({ QueueName, Attributes: attributes }));
    assert.ok(QueueUrl);
    return QueueUrl;
  }
  const send = (QueueUrl: string, MessageBody: string, more: Partial<SendMessageCommandInput> = {}, name?: Name) =>
    sqs(name).send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
  const sendBatch = (QueueUrl: string, Entries: SendMessageBatchRequestEntry[]) =>
    sqs().send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  async function receive(QueueUrl: string, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
    const input = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All' as const], ...more };
    return (await sqs().send(new ReceiveMessageCommand(input))).Messages ?? [];
  }
  const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);
  const publish = (input: Partial<PublishCommandInput>, name?: Name) =>
    sns(name).send(new PublishCommand({ Message: 'Hello', ...input }));
  /** A topic of the test's own with a queue; gives the ARN and the queue's URL. */
  async function newTopic(attributes: Record<string, string> = {}, raw = true) {
    const QueueUrl = await newQueue(attributes.FifoTopic ? { FifoQueue: 'true' } : {});
    const name = new URL(QueueUrl).pathname.split('/').at(-1) ?? '';
    const { TopicArn = '' } = await sns().send(new CreateTopicCommand({ Name: name, Attributes: attributes }));
    const Attributes = { RawMessageDelivery: String(raw) };
    await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn(name), Attributes }));
    return { TopicArn, QueueUrl };
  }
  function fails(work: Promise<unknown>, status: number, name: string, message: string | RegExp): Promise<void> {
    return assert.rejects(work, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status]);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  }

  describe('has from the beginning', () => {
    it('queues, one of them with a place for dead letters', async () => {
      const { QueueUrls = [] } = await sqs().send(new ListQueuesCommand({ MaxResults: 1000 }));
      for (const name of ['billing', 'kitchen', 'notifications', 'orders', 'orders-dead-letters', 'orders.fifo']) {
        assert.ok(QueueUrls.includes(url(name)), `${name} is not among ${QueueUrls}`);
      }
      const AttributeNames = ['All' as const];
      const { Attributes } = await sqs().send(
        new GetQueueAttributesCommand({ QueueUrl: url('orders'), AttributeNames })
      );
      assert.equal(Attributes?.VisibilityTimeout, '30');
      assert.deepEqual(JSON.parse(Attributes?.RedrivePolicy ?? ''), {
        deadLetterTargetArn: queueArn('orders-dead-letters'),
        maxReceiveCount: 3
      });
    });

    it('a FIFO queue that needs no deduplication id', async () => {
      const first = await send(url('orders.fifo'), 'once', { MessageGroupId: 'a' });
      const second = await send(url('orders.fifo'), 'once', { MessageGroupId: 'a' });
      assert.match(first.SequenceNumber ?? '', /^\d{20}$/);
      assert.equal(second.MessageId, first.MessageId);
    });

    it('a topic that hands on to two queues, to one of them without an envelope', async () => {
      const { MessageId } = await publish({ TopicArn: topicArn('orders-placed'), Message: 'Soup 🍲', Subject: 'New' });
      const [kitchen] = await receive(url('kitchen'), { WaitTimeSeconds: 5 });
      const envelope = JSON.parse(kitchen?.Body ?? '{}');
      assert.deepEqual(
        [envelope.Message, envelope.Subject, envelope.MessageId, envelope.TopicArn],
        ['Soup 🍲', 'New', MessageId, topicArn('orders-placed')]
      );
      assert.doesNotMatch(kitchen?.Body ?? '', /:000000000000:/);
      assert.deepEqual(bodies(await receive(url('billing'), { WaitTimeSeconds: 5 })), ['Soup 🍲']);
    });

    it('topics to publish to', async () => {
      await publish({ TopicArn: topicArn('alerts') });
      const { SequenceNumber } = await publish({ TopicArn: topicArn('orders.fifo'), MessageGroupId: 'a' });
      assert.match(SequenceNumber ?? '', /^\d{20}$/);
    });
  });

  describe('finds queues', () => {
    it('by the path of the URL, in the region of the signature, whatever the host', async () => {
      const QueueUrl = await newQueue();
      const { pathname } = new URL(QueueUrl);
      await send(`https://sqs.eu-west-1.amazonaws.com${pathname}`, 'from afar');
      assert.deepEqual(bodies(await receive(QueueUrl)), ['from afar']);
      const elsewhere = sqs('demo', 'eu-west-1').send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
      await fails(elsewhere, 400, 'QueueDoesNotExist', 'The specified queue does not exist.');
    });

    it('and topics in their region only', async () => {
      const QueueName = 'only-there';
      await sqs('demo', 'eu-west-1').send(new CreateQueueCommand({ QueueName }));
      await sns('demo', 'eu-west-1').send(new CreateTopicCommand({ Name: QueueName }));
      const list = async (region: string) => [
        ((await sqs('demo', region).send(new ListQueuesCommand({}))).QueueUrls ?? []).includes(url(QueueName)),
        ((await sns('demo', region).send(new ListTopicsCommand({}))).Topics ?? []).some(
          (each) => each.TopicArn === `arn:aws:sns:eu-west-1:111111111111:${QueueName}`
        )
      ];
      assert.deepEqual(await Promise.all([list('eu-west-1'), list('us-east-1')]), [
        [true, true],
        [false, false]
      ]);
    });

    it('and says in both protocols’ words that there is none', async () => {
      await assert.rejects(receive(url('nowhere')), (error: Error & { $response?: { headers: object } }) => {
        const headers = error.$response?.headers as Record<string, string>;
        assert.equal(headers['x-amzn-query-error'], 'AWS.SimpleQueueService.NonExistentQueue;Sender');
        assert.equal(error.name, 'QueueDoesNotExist');
        return true;
      });
    });

    // As LocalStack's tests found at AWS (Apache-2.0), tests/aws/services/sqs/test_sqs.py, March 2026.
    it('and by its bare name, which is the caller’s own', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl.split('/').at(-1) ?? '', 'by name');
      assert.deepEqual(bodies(await receive(QueueUrl)), ['by name']);
      await fails(send('nowhere', 'x'), 400, 'QueueDoesNotExist', 'The specified queue does not exist.');
    });

    it('and refuses what is no URL of a queue', () =>
      fails(send('/orders', 'x'), 404, 'InvalidAddress', 'The address /orders is not valid for this endpoint.'));

    // As recorded from AWS by LocalStack (Apache-2.0), test_sqs.snapshot.json, 2024 and 2025.
    it('that can be changed, and tells what is not for them', async () => {
      const create = (QueueName: string, Attributes: Record<string, string>) =>
        sqs().send(new CreateQueueCommand({ QueueName, Attributes }));
      const set = (QueueUrl: string, Attributes: Record<string, string>) =>
        sqs().send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
      const unknown = 'Unknown Attribute FifoQueue.';
      const only = (name: string) => `You can specify the ${name} only when FifoQueue is set to true.`;
      for (const [attribute, text] of [
        [{ FifoQueue: 'false' }, unknown],
        [{ ContentBasedDeduplication: 'true' }, 'Unknown Attribute ContentBasedDeduplication.'],
        [{ DeduplicationScope: 'queue' }, only('DeduplicationScope')],
        [{ FifoThroughputLimit: 'perQueue' }, only('FifoThroughputLimit')]
      ] as [Record<string, string>, string][]) {
        await fails(create('attributes', attribute), 400, 'InvalidAttributeName', text);
      }
      await fails(set(url('notifications'), { FifoQueue: 'true' }), 400, 'InvalidAttributeName', unknown);
      await set(url('orders.fifo'), { FifoQueue: 'true' });
      const fixed = 'Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.';
      await fails(set(url('orders.fifo'), { FifoQueue: 'false' }), 400, 'InvalidAttributeValue', fixed);
      await assert.rejects(create('attributes.fifo', {}), { name: 'InvalidParameterValue' });
      await assert.rejects(create('attributes', { FifoQueue: 'true' }), { name: 'InvalidParameterValue' });
      const { QueueUrl = '' } = await create('attributes', { DelaySeconds: '1' });
      await assert.rejects(create('attributes', { DelaySeconds: '2' }), (error: Error & { $response?: object }) => {
        const { headers } = error.$response as { headers: Record<string, string> };
        assert.equal(headers['x-amzn-query-error'], 'QueueAlreadyExists;Sender');
        assert.equal(error.name, 'QueueNameExists');
        assert.match(
          error.message,
          /^A queue already exists with the same name and a different value for attribute Dela/
        );
        return true;
      });
      await set(QueueUrl, { Policy: '{}', KmsMasterKeyId: 'key' });
      await set(QueueUrl, { Policy: '', KmsMasterKeyId: '' });
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy', 'KmsMasterKeyId'] });
      assert.deepEqual((await sqs().send(command)).Attributes ?? {}, {});
    });

    it('and leaves out of its answers the lists that are empty', async () => {
      const QueueNamePrefix = 'no queue begins like this';
      assert.equal((await sqs().send(new ListQueuesCommand({ QueueNamePrefix }))).QueueUrls, undefined);
      const QueueUrl = await newQueue();
      assert.equal((await sendBatch(QueueUrl, [{ Id: 'a', MessageBody: 'x' }])).Failed, undefined);
      assert.equal((await sendBatch(QueueUrl, [{ Id: 'a', MessageBody: '' }])).Successful, undefined);
    });

    it('and counts a message whose visibility timeout is over among those to receive', async () => {
      for (const FifoQueue of ['', 'true']) {
        const QueueUrl = await newQueue(FifoQueue ? { FifoQueue } : {});
        await send(QueueUrl, 'x', FifoQueue ? { MessageGroupId: 'g', MessageDeduplicationId: 'd' } : {});
        await receive(QueueUrl, { VisibilityTimeout: 0 });
        const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
        const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
        assert.deepEqual((await sqs().send(command)).Attributes, { [names[0]]: '1', [names[1]]: '0' });
      }
    });
  });

  describe('knows another account’s queue', () => {
    const policy = (Principal: unknown, Action = 'sqs:*') =>
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action, Resource: '*' }] });

    it('if its policy lets the caller in', async () => {
      const QueueUrl = await newQueue({ Policy: policy({ AWS: 'arn:aws:iam::111111111111:root' }) }, 'second');
      await send(QueueUrl, 'across');
      assert.deepEqual(bodies(await receive(QueueUrl)), ['across']);
    });

    it('and finds its URL', async () => {
      const QueueUrl = await newQueue({ Policy: policy('*') }, 'second');
      const QueueName = QueueUrl.split('/').at(-1);
      const command = new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId: '222222222222' });
      assert.equal((await sqs().send(command)).QueueUrl, QueueUrl);
      await fails(sqs().send(new GetQueueUrlCommand({ QueueName: 'nope' })), 400, 'QueueDoesNotExist', /not exist/);
    });

    for (const [title, Policy] of [
      ['without a policy', undefined],
      ['whose policy names somebody else', policy({ AWS: '333333333333' })],
      ['whose policy allows something else', policy('*', 'sqs:ReceiveMessage')]
    ] as const) {
      it(`but keeps out of one ${title}`, async () => {
        const QueueUrl = await newQueue(Policy ? { Policy } : {}, 'second');
        const arn = queueArn(QueueUrl.split('/').at(-1) ?? '', '222222222222');
        const text = `User: ${signIns.demo.arn} is not authorized to perform: sqs:sendmessage on resource: ${arn} because no resource-based policy allows the sqs:sendmessage action`;
        await fails(send(QueueUrl, 'x'), 403, 'AccessDenied', text);
        await fails(sendBatch(QueueUrl, [{ Id: 'a', MessageBody: 'x' }]), 403, 'AccessDenied', text);
      });
    }

    it('and the same of a topic', async () => {
      const { TopicArn = '' } = await sns('second').send(new CreateTopicCommand({ Name: 'foreign' }));
      const text =
        /^User: .*demo is not authorized to perform: SNS:Publish on resource: .*222222222222:foreign because/;
      await fails(publish({ TopicArn }), 403, 'AuthorizationErrorException', text);
      const Policy = {
        TopicArn,
        AttributeName: 'Policy',
        AttributeValue: policy({ AWS: '111111111111' }, 'SNS:Publish')
      };
      await sns('second').send(new SetTopicAttributesCommand(Policy));
      await publish({ TopicArn });
    });

    it('and delivers from a topic of one to a queue of the other', async () => {
      const QueueUrl = await newQueue({ Policy: policy('*') }, 'second');
      const Endpoint = queueArn(QueueUrl.split('/').at(-1) ?? '', '222222222222');
      const { TopicArn } = await newTopic();
      await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
      await publish({ TopicArn, Message: 'to all' });
      const [message] = await receive(QueueUrl, { WaitTimeSeconds: 5 });
      assert.equal(JSON.parse(message?.Body ?? '{}').Message, 'to all');
    });
  });

  describe('sends to a queue', () => {
    const attribute = (StringValue: string): MessageAttributeValue => ({ DataType: 'String', StringValue });
    const wrongValue = (value: string | number, name: string, reason: string) =>
      `Value ${value} for parameter ${name} is invalid. Reason: ${reason}`;
    const wrongType = 'The request include parameter that is not valid for this queue type.';
    const refused: [string, Partial<SendMessageCommandInput>, boolean, string, string | RegExp][] = [
      [
        'no body',
        { MessageBody: '' },
        false,
        'MissingParameter',
        'The request must contain the parameter MessageBody.'
      ],
      ['a control character', { MessageBody: 'a\u0001' }, false, 'InvalidMessageContents', /^Invalid characters found/],
      [
        'a control character in an attribute',
        { MessageAttributes: { a: attribute('\u0001') } },
        false,
        // As LocalStack's tests found at AWS, test_sqs.py, March 2026.
        'InvalidParameterValue',
        /^Invalid characters found/
      ],
      [
        'more than 1 MiB, attributes included',
        { MessageBody: 'x'.repeat(1_048_576 - 11), MessageAttributes: { name: attribute('12') } },
        false,
        'InvalidParameterValue',
        'One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.'
      ],
      [
        'more than ten attributes',
        { MessageAttributes: Object.fromEntries(Array.from('abcdefghijk', (each) => [each, attribute('x')])) },
        false,
        'InvalidParameterValue',
        'Number of message attributes [11] exceeds the allowed maximum [10].'
      ],
      [
        'an attribute without a value',
        { MessageAttributes: { a: attribute('') } },
        false,
        'InvalidParameterValue',
        "Message (user) attribute 'a' must contain a non-empty value of type 'String'."
      ],
      // AWS's reference of SendMessage forbids these names; SNS's texts were recorded (see below), SQS has the same checks.
      [
        'an attribute whose name begins with a dot',
        { MessageAttributes: { '.a': attribute('x') } },
        false,
        'InvalidParameterValue',
        "Invalid message attribute name starting with character '.' was found."
      ],
      [
        'an attribute whose name AWS keeps for itself',
        { MessageAttributes: { 'aWs.a': attribute('x') } },
        false,
        'InvalidParameterValue',
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use."
      ],
      [
        'an attribute whose type has more than 256 characters',
        { MessageAttributes: { a: { DataType: `Number.${'L'.repeat(256)}`, StringValue: '1' } } },
        false,
        'InvalidParameterValue',
        'Message (user) attribute types must be shorter than 256 Bytes'
      ],
      [
        'a deduplication id for a standard queue',
        { MessageDeduplicationId: 'd' },
        false,
        'InvalidParameterValue',
        wrongValue('d', 'MessageDeduplicationId', wrongType)
      ],
      [
        'a delay of more than 15 minutes',
        { DelaySeconds: 901 },
        false,
        'InvalidParameterValue',
        wrongValue(901, 'DelaySeconds', 'DelaySeconds must be >= 0 and <= 900.')
      ],
      [
        'no group for a FIFO queue',
        { MessageDeduplicationId: 'd' },
        true,
        'MissingParameter',
        'The request must contain the parameter MessageGroupId.'
      ],
      [
        'no deduplication id where the content is not used',
        { MessageGroupId: 'g' },
        true,
        'InvalidParameterValue',
        'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
      ],
      [
        'a delay for a FIFO queue',
        { MessageGroupId: 'g', MessageDeduplicationId: 'd', DelaySeconds: 2 },
        true,
        'InvalidParameterValue',
        wrongValue(2, 'DelaySeconds', wrongType)
      ],
      [
        'a group with a space',
        { MessageGroupId: 'group 1', MessageDeduplicationId: 'd' },
        true,
        'InvalidParameterValue',
        wrongValue(
          'group 1',
          'MessageGroupId',
          'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.'
        )
      ]
    ];
    for (const [title, input, fifo, name, message] of refused) {
      it(`but not ${title}, alone or in a batch`, async () => {
        const QueueUrl = await newQueue(fifo ? { FifoQueue: 'true' } : {});
        await fails(send(QueueUrl, 'x', input), 400, name, message);
        const good = fifo ? { MessageGroupId: 'g', MessageDeduplicationId: 'good' } : {};
        const entries = [
          { Id: 'bad', MessageBody: 'x', ...input },
          { Id: 'good', MessageBody: 'x', ...good }
        ];
        if (title.startsWith('more than 1 MiB')) {
          const text = 'Batch requests cannot be longer than 1048576 bytes. You have sent 1048578 bytes.';
          return fails(sendBatch(QueueUrl, entries), 400, 'BatchRequestTooLong', text);
        }
        // As recorded from AWS by LocalStack (Apache-2.0), test_sqs.snapshot.json, 30 April 2024: all of them, by one name.
        if (title.startsWith('no group') || title.startsWith('no deduplication id')) {
          await fails(sendBatch(QueueUrl, entries), 400, 'InvalidParameterValue', message);
          assert.deepEqual(await receive(QueueUrl), []);
          return;
        }
        const { Successful, Failed } = await sendBatch(QueueUrl, entries);
        assert.deepEqual([Successful?.map(({ Id }) => Id), Failed?.map(({ Id }) => Id)], [['good'], ['bad']]);
        const [{ Code, SenderFault, Message: text } = {}] = Failed ?? [];
        assert.deepEqual([Code, SenderFault], [name, true]);
        assert.match(text ?? '', message instanceof RegExp ? message : /./);
        assert.equal((await receive(QueueUrl)).length, 1);
      });
    }

    it('exactly 1 MiB', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl, 'x'.repeat(1_048_576));
      assert.equal((await receive(QueueUrl))[0]?.Body?.length, 1_048_576);
    });

    it('characters of all languages, and emoji', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl, 'Zürich 北京 😀\t\n');
      assert.deepEqual(bodies(await receive(QueueUrl)), ['Zürich 北京 😀\t\n']);
    });

    it('only batches of one to ten entries with ids of their own', async () => {
      const entry = (Id: string) => ({ Id, MessageBody: 'x' });
      const batch = (...ids: string[]) => sendBatch(url('notifications'), ids.map(entry));
      const text = 'There should be at least one SendMessageBatchRequestEntry in the request.';
      await fails(batch(), 400, 'EmptyBatchRequest', text);
      const many = 'Maximum number of entries per request are 10. You have sent 11.';
      await fails(batch(...'abcdefghijk'), 400, 'TooManyEntriesInBatchRequest', many);
      await fails(batch('a', 'a'), 400, 'BatchEntryIdsNotDistinct', 'Id a repeated.');
      await fails(batch('x'.repeat(81)), 400, 'InvalidBatchEntryId', /at most 80 letters long/);
      assert.deepEqual(await receive(url('notifications')), []);
    });
  });

  describe('receives from a queue', () => {
    it('the system attributes that were asked for, and no others', async () => {
      const QueueUrl = await newQueue();
      const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } };
      await send(QueueUrl, 'x', { MessageGroupId: 'tenant', MessageSystemAttributes });
      const names = ['MessageGroupId', 'SenderId', 'AWSTraceHeader'] as const;
      const some = await receive(QueueUrl, { MessageSystemAttributeNames: [...names], VisibilityTimeout: 0 });
      const expected = { MessageGroupId: 'tenant', SenderId: signIns.demo.userId, AWSTraceHeader: 'Root=1-2-3' };
      assert.deepEqual(some[0]?.Attributes, expected);
      const [all] = await receive(QueueUrl, { VisibilityTimeout: 0 });
      assert.equal(all?.Attributes?.ApproximateReceiveCount, '2');
      const [none] = await receive(QueueUrl, { MessageSystemAttributeNames: [] });
      assert.equal(none?.Attributes, undefined);
    });

    it('the attributes that were asked for, and no others', async () => {
      const QueueUrl = await newQueue();
      const value = { DataType: 'String', StringValue: 'x' };
      await send(QueueUrl, 'x', { MessageAttributes: { one: value, 'two.a': value, 'two.b': value } });
      for (const [MessageAttributeNames, expected] of [
        [[], []],
        [['one'], ['one']],
        [['two.*'], ['two.a', 'two.b']],
        // As recorded from AWS by LocalStack (Apache-2.0), test_sqs.snapshot.json, 30 April 2024: any beginning will do.
        [['tw.*'], ['two.a', 'two.b']],
        [['*'], ['one', 'two.a', 'two.b']],
        [['.*'], ['one', 'two.a', 'two.b']],
        [['All'], ['one', 'two.a', 'two.b']]
      ]) {
        const [message] = await receive(QueueUrl, { MessageAttributeNames, VisibilityTimeout: 0 });
        assert.deepEqual(Object.keys(message?.MessageAttributes ?? {}), expected);
        assert.equal(message?.MD5OfMessageAttributes === undefined, expected?.length === 0);
      }
    });

    it('the trace that the request was part of', async () => {
      // As recorded from AWS by LocalStack (Apache-2.0), test_sqs.snapshot.json, 27 June 2025.
      const trace = 'Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1';
      const QueueUrl = await newQueue();
      const { accessKeyId, secretAccessKey } = signIns.demo;
      const credentials = { accessKeyId, secretAccessKey };
      const traced = new SQSClient({ endpoint: aws.url, region: 'us-east-1', credentials });
      traced.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['X-Amzn-Trace-Id'] = trace;
          return next(args);
        },
        { step: 'build' }
      );
      await traced.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
      traced.destroy();
      assert.equal((await receive(QueueUrl))[0]?.Attributes?.AWSTraceHeader, trace);
    });

    it('but not with numbers out of range', async () => {
      const refuse = (input: Partial<ReceiveMessageCommandInput>, text: string) =>
        fails(receive(url('notifications'), input), 400, 'InvalidParameterValue', text);
      const reason = 'is invalid. Reason: Must be';
      await refuse(
        { WaitTimeSeconds: 21 },
        `Value 21 for parameter WaitTimeSeconds ${reason} >= 0 and <= 20, if provided.`
      );
      await refuse(
        { MaxNumberOfMessages: 11 },
        `Value 11 for parameter MaxNumberOfMessages ${reason} between 1 and 10, if provided.`
      );
      const text =
        'Value 43201 for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be >= 0 and <= 43200.';
      await refuse({ VisibilityTimeout: 43_201 }, text);
    });

    it('several of a FIFO group at once, again in their order if they come back', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await sendBatch(
        QueueUrl,
        Array.from('abc', (Id) => ({ Id, MessageBody: Id, MessageGroupId: 'g', MessageDeduplicationId: Id }))
      );
      const [first, second] = await receive(QueueUrl, { MaxNumberOfMessages: 2 });
      assert.deepEqual([first?.Body, second?.Body], ['a', 'b']);
      assert.deepEqual(await receive(QueueUrl), []);
      for (const each of [first, second]) {
        const { ReceiptHandle } = each ?? {};
        await sqs().send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
      }
      assert.deepEqual(bodies(await receive(QueueUrl)), ['a', 'b', 'c']);
    });

    it('until it was tried too often, and then from the dead letters', async () => {
      const dead = await newQueue();
      const RedrivePolicy = JSON.stringify({
        deadLetterTargetArn: queueArn(dead.split('/').at(-1) ?? ''),
        maxReceiveCount: 2
      });
      const QueueUrl = await newQueue({ RedrivePolicy });
      await send(QueueUrl, 'poison');
      for (const _ of [1, 2]) assert.equal((await receive(QueueUrl, { VisibilityTimeout: 0 })).length, 1);
      assert.deepEqual(await receive(QueueUrl), []);
      const [message] = await receive(dead);
      assert.equal(message?.Body, 'poison');
      const source = queueArn(QueueUrl.split('/').at(-1) ?? '');
      const { DeadLetterQueueSourceArn, ApproximateReceiveCount } = message?.Attributes ?? {};
      assert.deepEqual([DeadLetterQueueSourceArn, ApproximateReceiveCount], [source, '3']);
    });

    it('by two long polls, of which the second waits on for the second message', async () => {
      const QueueUrl = await newQueue();
      const polls = [1, 2].map(() => receive(QueueUrl, { WaitTimeSeconds: 10, MaxNumberOfMessages: 1 }));
      await aws.until({ requests: 2, operation: 'ReceiveMessage' });
      await send(QueueUrl, 'one');
      await Promise.race(polls);
      await send(QueueUrl, 'two');
      assert.deepEqual((await Promise.all(polls)).flatMap(bodies).sort(), ['one', 'two']);
    });

    it('without losing one that comes just after its poller has gone', async () => {
      const QueueUrl = await newQueue();
      const operation = 'ReceiveMessage';
      for (let round = 1; round <= 10; round += 1) {
        const gone = new AbortController();
        const command = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 });
        const poll = sqs().send(command, { abortSignal: gone.signal });
        await aws.until({ requests: round * 2 - 1, operation });
        gone.abort();
        await assert.rejects(poll, { name: 'AbortError' });
        await send(QueueUrl, `round ${round}`);
        const [message] = await receive(QueueUrl, { WaitTimeSeconds: 5 });
        assert.deepEqual([message?.Body, message?.Attributes?.ApproximateReceiveCount], [`round ${round}`, '1']);
      }
    });
  });

  describe('settles messages', () => {
    const nonsense = 'The input receipt handle "nonsense" is not a valid receipt handle.';
    const handle = '00000000-0000-4000-8000-000000000000';

    it('only with a receipt handle', async () => {
      const QueueUrl = url('notifications');
      const ReceiptHandle = 'nonsense';
      const remove = new DeleteMessageCommand({ QueueUrl, ReceiptHandle });
      await fails(sqs().send(remove), 404, 'ReceiptHandleIsInvalid', nonsense);
      const change = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
      await fails(sqs().send(change), 404, 'ReceiptHandleIsInvalid', nonsense);
    });

    it('and tells of each entry of a batch what is wrong with it', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl, 'x');
      const [{ ReceiptHandle = '' } = {}] = await receive(QueueUrl);
      const Entries = [
        { Id: 'range', ReceiptHandle, VisibilityTimeout: 43_201 },
        { Id: 'nonsense', ReceiptHandle: 'nonsense', VisibilityTimeout: 1 },
        { Id: 'gone', ReceiptHandle: handle, VisibilityTimeout: 1 },
        { Id: 'good', ReceiptHandle, VisibilityTimeout: 43_200 }
      ];
      const changed = await sqs().send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      assert.deepEqual(changed.Successful, [{ Id: 'good' }]);
      assert.deepEqual(
        changed.Failed?.map(({ Id, Code }) => [Id, Code]),
        [
          ['range', 'InvalidParameterValue'],
          ['nonsense', 'ReceiptHandleIsInvalid'],
          ['gone', 'InvalidParameterValue']
        ]
      );
      const two = Entries.slice(0, 2).map(({ VisibilityTimeout: _, ...entry }) => entry);
      const deleted = await sqs().send(new DeleteMessageBatchCommand({ QueueUrl, Entries: two }));
      assert.deepEqual(deleted.Successful, [{ Id: 'range' }]);
      assert.deepEqual(deleted.Failed, [
        { Id: 'nonsense', Code: 'ReceiptHandleIsInvalid', SenderFault: true, Message: nonsense }
      ]);
    });
  });

  /*
   * As recorded from AWS by LocalStack (Apache-2.0), tests/aws/services/sqs/test_sqs.py and its snapshot of 10 December
   * 2025, and as AWS's API reference of DeleteMessage and its article "sqs-receipt-handle-error" say (November 2026).
   */
  describe('knows a receipt handle', () => {
    const group = (MessageDeduplicationId: string, MessageGroupId = 'g') => ({
      MessageGroupId,
      MessageDeduplicationId
    });
    const remove = (QueueUrl: string, { ReceiptHandle }: Message) =>
      sqs().send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    const change = (QueueUrl: string, { ReceiptHandle }: Message, VisibilityTimeout: number) =>
      sqs().send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
    const removeBatch = (QueueUrl: string, messages: Message[]) => {
      const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
      return sqs().send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    };
    /** Receives one message, which is hidden for so many seconds. */
    async function receiveOne(QueueUrl: string, VisibilityTimeout: number): Promise<Message> {
      const [message] = await receive(QueueUrl, { MaxNumberOfMessages: 1, VisibilityTimeout });
      assert.ok(message);
      return message;
    }
    const expired = ({ ReceiptHandle }: Message) =>
      `Value ${ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`;
    const unavailable = ({ ReceiptHandle }: Message) =>
      `Value ${ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`;

    it('of a FIFO queue only until the visibility timeout is over', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await send(QueueUrl, 'x', group('x'));
      const message = await receiveOne(QueueUrl, 0);
      await fails(remove(QueueUrl, message), 400, 'InvalidParameterValue', expired(message));
      await fails(change(QueueUrl, message, 10), 400, 'InvalidParameterValue', unavailable(message));
      const again = await receiveOne(QueueUrl, 30);
      await fails(remove(QueueUrl, message), 400, 'InvalidParameterValue', expired(message));
      await fails(change(QueueUrl, message, 0), 400, 'InvalidParameterValue', unavailable(message));
      await change(QueueUrl, again, 0);
      await fails(remove(QueueUrl, again), 400, 'InvalidParameterValue', expired(again));
      assert.equal((await receive(QueueUrl)).length, 1);
    });

    it('of a FIFO queue in a batch as well, where only its own entry fails', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await send(QueueUrl, 'late', group('late', 'one'));
      const late = await receiveOne(QueueUrl, 0);
      await send(QueueUrl, 'good', group('good', 'two'));
      const good = (await receive(QueueUrl)).filter(({ Body }) => Body === 'good');
      const { Successful, Failed } = await removeBatch(QueueUrl, [late, ...good]);
      assert.deepEqual(Successful, [{ Id: '1' }]);
      const Message = expired(late);
      assert.deepEqual(Failed, [{ Id: '0', Code: 'InvalidParameterValue', SenderFault: true, Message }]);
    });

    it('of a standard queue also after the visibility timeout, until the message is received again', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl, 'x');
      const first = await receiveOne(QueueUrl, 0);
      // Taken, and without effect: the message is there for everybody.
      await change(QueueUrl, first, 600);
      const second = await receiveOne(QueueUrl, 600);
      await remove(QueueUrl, first);
      await change(QueueUrl, first, 0);
      const third = await receiveOne(QueueUrl, 0);
      assert.equal(third.Attributes?.ApproximateReceiveCount, '3');
      await remove(QueueUrl, second);
      await remove(QueueUrl, third);
      assert.deepEqual(await receive(QueueUrl), []);
    });

    it('of a message that is deleted: it can be deleted once more, and not be shown again', async () => {
      for (const fifo of [false, true]) {
        const QueueUrl = await newQueue(fifo ? { FifoQueue: 'true' } : {});
        await send(QueueUrl, 'x', fifo ? group('x') : {});
        const message = await receiveOne(QueueUrl, 30);
        for (const _ of [1, 2]) await remove(QueueUrl, message);
        assert.deepEqual((await removeBatch(QueueUrl, [message])).Successful, [{ Id: '0' }]);
        await fails(change(QueueUrl, message, 42), 400, 'InvalidParameterValue', unavailable(message));
      }
    });

    it('of a message that was purged no more', async () => {
      const QueueUrl = await newQueue();
      await send(QueueUrl, 'x');
      const message = await receiveOne(QueueUrl, 30);
      await sqs().send(new PurgeQueueCommand({ QueueUrl }));
      await fails(change(QueueUrl, message, 42), 400, 'InvalidParameterValue', unavailable(message));
    });

    it('of a message that has gone to the dead letters no more', async () => {
      const deadLetterTargetArn = queueArn((await newQueue()).split('/').at(-1) ?? '');
      const QueueUrl = await newQueue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) });
      await send(QueueUrl, 'x');
      const message = await receiveOne(QueueUrl, 0);
      assert.deepEqual(await receive(QueueUrl), []);
      await fails(change(QueueUrl, message, 42), 400, 'InvalidParameterValue', unavailable(message));
    });
  });

  /* As recorded from AWS by LocalStack (Apache-2.0), tests/aws/services/sqs/test_sqs.py and its snapshot of 10 December 2025. */
  describe('keeps the order of a FIFO group', () => {
    const group = (Id: string, MessageGroupId = 'g') => ({
      Id,
      MessageBody: Id,
      MessageGroupId,
      MessageDeduplicationId: Id
    });
    const back = (QueueUrl: string, { ReceiptHandle }: Message, VisibilityTimeout = 0) =>
      sqs().send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));

    // Of foo, bar and baz, which are all in flight, two come back: those before the third can be received.
    for (const [staying, shown] of [
      ['foo', []],
      ['bar', ['foo']],
      ['baz', ['foo', 'bar']]
    ] as const) {
      it(`showing what is before ${staying}, which is in flight, and nothing behind it`, async () => {
        const QueueUrl = await newQueue({ FifoQueue: 'true' });
        await sendBatch(
          QueueUrl,
          ['foo', 'bar', 'baz'].map((each) => group(each))
        );
        const all = await receive(QueueUrl);
        assert.deepEqual(bodies(all), ['foo', 'bar', 'baz']);
        for (const message of all) if (message.Body !== staying) await back(QueueUrl, message);
        assert.deepEqual(bodies(await receive(QueueUrl)), shown);
      });
    }

    it('also for a long poll, which gets what is back before a later message', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await sendBatch(
        QueueUrl,
        ['foo', 'bar', 'baz'].map((each) => group(each))
      );
      const [foo, bar] = await receive(QueueUrl, { MaxNumberOfMessages: 2 });
      assert.ok(foo && bar);
      await back(QueueUrl, foo, 1);
      assert.deepEqual(bodies(await receive(QueueUrl, { WaitTimeSeconds: 10 })), ['foo']);
    });

    it('taking a group that was received from after the others, as AWS does', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      const names = ['g1-m1', 'g2-m1', 'g2-m2', 'g3-m1', 'g1-m2'];
      await sendBatch(
        QueueUrl,
        names.map((name) => group(name, name.slice(0, 2)))
      );
      const first = await receive(QueueUrl, { MaxNumberOfMessages: 3, VisibilityTimeout: 0 });
      assert.deepEqual(bodies(first), ['g1-m1', 'g1-m2', 'g2-m1']);
      const all = await receive(QueueUrl, { VisibilityTimeout: 0 });
      assert.deepEqual(bodies(all), ['g3-m1', 'g1-m1', 'g1-m2', 'g2-m1', 'g2-m2']);
    });

    it('giving each message once, also where none is to be hidden', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await sendBatch(QueueUrl, [group('g1-m1', 'g1'), group('g2-m1', 'g2'), group('g1-m2', 'g1')]);
      for (const _ of [1, 2]) {
        const all = bodies(await receive(QueueUrl, { VisibilityTimeout: 0 }));
        assert.deepEqual([...all].sort(), ['g1-m1', 'g1-m2', 'g2-m1']);
        assert.deepEqual(
          all.filter((each) => each?.startsWith('g1')),
          ['g1-m1', 'g1-m2']
        );
      }
    });

    it('and lets other groups pass', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      await sendBatch(QueueUrl, [group('g1-m1', 'g1'), group('g1-m2', 'g1'), group('g2-m1', 'g2')]);
      const [first] = await receive(QueueUrl, { MaxNumberOfMessages: 2 });
      assert.ok(first);
      await back(QueueUrl, first);
      assert.deepEqual(bodies(await receive(QueueUrl)), ['g2-m1', 'g1-m1']);
    });
  });

  /* As recorded from AWS by LocalStack (Apache-2.0), tests/aws/services/sqs/test_sqs.py and its snapshot of 10 December 2025. */
  describe('takes a repeated message for the same one', () => {
    const publishTo = async (QueueUrl: string, MessageGroupId: string, MessageDeduplicationId?: string) =>
      (await send(QueueUrl, 'Test', { MessageGroupId, MessageDeduplicationId })).MessageId;
    const isSame = async (QueueUrl: string, id?: string) =>
      (await publishTo(QueueUrl, 'one', id)) === (await publishTo(QueueUrl, 'two', id));

    it('in the whole queue, or in its group where the queue was made so', async () => {
      const FifoQueue = 'true';
      const scoped = { FifoQueue, DeduplicationScope: 'messageGroup' };
      assert.equal(await isSame(await newQueue({ FifoQueue }), 'id'), true);
      const QueueUrl = await newQueue(scoped);
      assert.equal(await isSame(QueueUrl, 'id'), false);
      assert.equal(await publishTo(QueueUrl, 'one', 'id'), await publishTo(QueueUrl, 'one', 'id'));
      assert.equal(await isSame(await newQueue({ ...scoped, ContentBasedDeduplication: 'true' })), false);
    });

    it('until the queue is purged', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'true' });
      const before = await publishTo(QueueUrl, 'one', 'id');
      await sqs().send(new PurgeQueueCommand({ QueueUrl }));
      assert.notEqual(await publishTo(QueueUrl, 'one', 'id'), before);
      assert.equal((await receive(QueueUrl)).length, 1);
    });

    it('as it was made, whatever its scope has become', async () => {
      const set = (QueueUrl: string, DeduplicationScope: string) =>
        sqs().send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DeduplicationScope } }));
      const whole = await newQueue({ FifoQueue: 'true' });
      await set(whole, 'messageGroup');
      assert.equal(await isSame(whole, 'id'), true);
      const scoped = await newQueue({ FifoQueue: 'true', DeduplicationScope: 'messageGroup' });
      await set(scoped, 'queue');
      assert.equal(await isSame(scoped, 'id'), false);
    });

    it('however true is written', async () => {
      const QueueUrl = await newQueue({ FifoQueue: 'True', ContentBasedDeduplication: 'TRUE' });
      assert.equal(await isSame(QueueUrl), true);
      const AttributeNames = ['FifoQueue' as const, 'ContentBasedDeduplication' as const];
      const read = async () =>
        (await sqs().send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;
      assert.deepEqual(await read(), { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
      const Attributes = { ContentBasedDeduplication: 'False' };
      await sqs().send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
      assert.deepEqual(await read(), { FifoQueue: 'true', ContentBasedDeduplication: 'false' });
    });
  });

  // As recorded from AWS by LocalStack (Apache-2.0), tests/aws/services/sns/test_sns.snapshot.json, 2023 to 2025.
  describe('subscribes', () => {
    const subscribe = (Protocol: string, Endpoint: string, Attributes: Record<string, string> = {}) =>
      sns().send(new SubscribeCommand({ TopicArn: topicArn('alerts'), Protocol, Endpoint, Attributes }));
    const invalid = (text: string) => `Invalid parameter: ${text}`;
    for (const [title, protocol, endpoint, attributes, text] of [
      ['a queue by its URL', 'sqs', 'http://127.0.0.1/111111111111/kitchen', {}, invalid('SQS endpoint ARN')],
      ['a queue by its name', 'sqs', 'kitchen', {}, invalid('SQS endpoint ARN')],
      [
        'a FIFO queue to a standard topic',
        'sqs',
        queueArn('orders.fifo'),
        {},
        invalid(invalid('Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics'))
      ],
      ['no number', 'sms', 'invalid-number', {}, 'Invalid SMS endpoint: invalid-number'],
      ['a number with too many dashes', 'sms', '+15--551234567', {}, 'Invalid SMS endpoint: +15--551234567'],
      ['a number with a dot behind it', 'sms', '+15551234567.', {}, 'Invalid SMS endpoint: +15551234567.'],
      [
        'with RawMessageDelivery that is neither true nor false',
        'sqs',
        queueArn('kitchen'),
        { RawMessageDelivery: 'wrongvalue' },
        invalid('Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be true or false.')
      ]
    ] as [string, string, string, Record<string, string>, string][]) {
      it(`but not ${title}`, () =>
        fails(subscribe(protocol, endpoint, attributes), 400, 'InvalidParameterException', text));
    }

    it('however true is written, also later', async () => {
      const QueueUrl = await newQueue();
      const Endpoint = queueArn(QueueUrl.split('/').at(-1) ?? '');
      const { TopicArn } = await sns().send(new CreateTopicCommand({ Name: 'subscribes' }));
      const Attributes = { RawMessageDelivery: 'TrUe' };
      const input = { TopicArn, Protocol: 'sqs', Endpoint, Attributes, ReturnSubscriptionArn: true };
      const { SubscriptionArn } = await sns().send(new SubscribeCommand(input));
      await publish({ TopicArn, Message: 'bare' });
      assert.deepEqual(bodies(await receive(QueueUrl)), ['bare']);
      const set = (AttributeValue: string) =>
        sns().send(
          new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName: 'RawMessageDelivery', AttributeValue })
        );
      await set('False');
      await publish({ TopicArn, Message: 'bare' });
      assert.match((await receive(QueueUrl))[0]?.Body ?? '', /^\{"Type":"Notification"/);
      const text = (value: string) => invalid(`RawMessageDelivery: Invalid value [${value}]. Must be true or false.`);
      await fails(set('test-ValUe'), 400, 'InvalidParameterException', text('test-ValUe'));
      await fails(set(''), 400, 'InvalidParameterException', text(''));
    });

    it('to a number with separators', async () => {
      await subscribe('sms', '+12/34-567.890');
    });

    it('and tells of a topic only by its ARN', async () => {
      const command = new GetTopicAttributesCommand({ TopicArn: 'topic' });
      const text = invalid('TopicArn Reason: An ARN must have at least 6 elements, not 1');
      await fails(sns().send(command), 400, 'InvalidParameterException', text);
    });
  });

  describe('publishes', () => {
    const TopicArn = topicArn('alerts');
    const json = (value: unknown) => ({ TopicArn, MessageStructure: 'json', Message: JSON.stringify(value) });
    const invalid: [string, Partial<PublishCommandInput>, string][] = [
      ['JSON without a default', json({ sqs: 'x' }), 'Message Structure - No default entry in JSON message body'],
      [
        'JSON whose default is no text',
        json({ default: 1 }),
        'Message Structure - No default entry in JSON message body'
      ],
      [
        'something else where JSON was promised',
        { ...json({}), Message: '{' },
        'Message Structure - JSON message body failed to parse'
      ],
      ['a subject of 100 characters', { TopicArn, Subject: 'x'.repeat(100) }, 'Subject'],
      ['a subject with a line break', { TopicArn, Subject: 'a\nb' }, 'Subject'],
      ['an empty message', { TopicArn, Message: '' }, 'Empty message'],
      ['more than 256 KiB', { TopicArn, Message: 'x'.repeat(262_145) }, 'Message too long'],
      ['to nobody', {}, 'TopicArn or TargetArn Reason: no value for required parameter'],
      [
        'to two',
        { TopicArn, PhoneNumber: '+15551234567' },
        'TopicArn, TargetArn and PhoneNumber Reason: only one of them can be specified'
      ],
      [
        'to a number without its country',
        { PhoneNumber: '5551234567' },
        'PhoneNumber Reason: 5551234567 is not valid to publish to'
      ],
      ['to no ARN', { TopicArn: 'alerts' }, 'TopicArn Reason: An ARN must have at least 6 elements, not 1'],
      ['to another region', { TopicArn: TopicArn.replace('us-east-1', 'eu-west-1') }, 'TopicArn'],
      [
        'a deduplication id to a standard topic',
        { TopicArn, MessageDeduplicationId: 'd' },
        'MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type'
      ],
      [
        'to a FIFO topic without a group',
        { TopicArn: topicArn('orders.fifo') },
        'The MessageGroupId parameter is required for FIFO topics'
      ]
    ];
    for (const [title, input, text] of invalid) {
      it(`but not ${title}`, () =>
        fails(publish(input), 400, 'InvalidParameterException', `Invalid parameter: ${text}`));
    }

    it('not to a topic that is not there', () =>
      fails(publish({ TopicArn: topicArn('nowhere') }), 404, 'NotFoundException', 'Topic does not exist'));

    it('a text for each protocol', async () => {
      const { TopicArn, QueueUrl } = await newTopic();
      await publish({ ...json({ default: 'for all', sqs: 'for queues' }), TopicArn });
      await publish({ ...json({ default: 'for all', email: 'for mail' }), TopicArn });
      assert.deepEqual(bodies(await receive(QueueUrl)).sort(), ['for all', 'for queues']);
    });

    it('to phones, to apps, and to a topic given as a target', async () => {
      const { TopicArn: TargetArn, QueueUrl } = await newTopic();
      const app = 'arn:aws:sns:us-east-1:111111111111:endpoint/GCM/app/';
      const answers = [
        await publish({ PhoneNumber: '+15551234567' }),
        await publish({ TargetArn: `${app}5e3e9847-3183-3f18-a7e8-671c3a57d4b3` }),
        await publish({ TargetArn })
      ];
      for (const { MessageId } of answers) assert.match(MessageId ?? '', /^[\da-f-]{36}$/);
      assert.equal((await receive(QueueUrl)).length, 1);
      await fails(
        publish({ TargetArn: `${app}c0ffee00-3183-3f18-a7e8-671c3a57d4b3` }),
        400,
        'EndpointDisabledException',
        'Endpoint is disabled'
      );
    });

    it('texts that nobody gets, of which the latest thousand are kept', () => {
      const texts = new Texts();
      for (let time = 1; time <= 1001; time += 1) texts.add({ to: '+1', message: 'x', messageId: 'x', time });
      assert.deepEqual([texts.all.length, texts.all[0]?.time, texts.all.at(-1)?.time], [1000, 2, 1001]);
    });

    it('the attributes, which arrive as they were', async () => {
      const { TopicArn, QueueUrl } = await newTopic();
      const MessageAttributes = { room: { DataType: 'String', StringValue: 'study' } };
      await publish({ TopicArn, MessageAttributes });
      const [message] = await receive(QueueUrl, { MessageAttributeNames: ['All'] });
      assert.deepEqual(message?.MessageAttributes, MessageAttributes);
      const empty = { room: { DataType: 'String', StringValue: '' } };
      const text =
        "The message attribute 'room' must contain non-empty message attribute value for message attribute type 'String'.";
      await fails(publish({ TopicArn, MessageAttributes: empty }), 400, 'InvalidParameterValueException', text);
    });

    describe('no attributes as AWS refuses them:', () => {
      // As recorded from AWS by LocalStack (Apache-2.0), tests/aws/services/sns/test_sns.snapshot.json, 15 November 2024
      // and, for the types with a dot or more behind them, 24 August 2023.
      const value = { DataType: 'String', StringValue: '123' };
      const bytes = Buffer.from('123');
      const nonEmpty = (type: string) =>
        `The message attribute 'attr1' must contain non-empty message attribute value for message attribute type '${type}'.`;
      const field = (type: string, name: string) =>
        `The message attribute 'attr1' with type '${type}' must use field '${name}'.`;
      const wrongType =
        "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.";
      const refused: [string, Record<string, MessageAttributeValue>, string][] = [
        ['empty text', { attr1: { DataType: 'String', StringValue: '' } }, nonEmpty('String')],
        ['no text', { attr1: { DataType: 'String' } }, nonEmpty('String')],
        ['no bytes', { attr1: { DataType: 'Binary', BinaryValue: Buffer.alloc(0) } }, nonEmpty('Binary')],
        ['text that is bytes', { attr1: { DataType: 'String', BinaryValue: bytes } }, field('String', 'String')],
        ['a number that is bytes', { attr1: { DataType: 'Number', BinaryValue: bytes } }, field('Number', 'String')],
        ['bytes that are text', { attr1: { DataType: 'Binary', StringValue: '123' } }, field('Binary', 'Binary')],
        ['a type that there is not', { attr1: { DataType: 'InvalidType', StringValue: '123' } }, wrongType],
        ['a type with nothing behind its dot', { attr1: { DataType: 'String.', StringValue: '123' } }, wrongType],
        ['a type with more but no dot', { attr1: { DataType: 'Stringprefixed', StringValue: '123' } }, wrongType],
        [
          'a name of 257 characters',
          { ['a'.repeat(257)]: value },
          'Length of message attribute name must be less than 256 bytes.'
        ],
        [
          'a name with other characters',
          { 'a^*?': value },
          "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."
        ],
        [
          'a name that begins with a dot',
          { '.abc': value },
          "Invalid message attribute name starting with character '.' was found."
        ],
        [
          'a name that ends with a dot',
          { 'abc.': value },
          "Invalid message attribute name ending with character '.' was found."
        ],
        [
          'a name with two dots in a row',
          { 'a..bc': value },
          "Message attribute name can not have successive '.' character."
        ]
      ];
      for (const [title, MessageAttributes, text] of refused) {
        it(`${title}, alone or in a batch`, async () => {
          await fails(publish({ TopicArn, MessageAttributes }), 400, 'InvalidParameterValueException', text);
          const PublishBatchRequestEntries = [
            { Id: '1', Message: 'test-batch', MessageAttributes },
            { Id: '3', Message: 'valid-batch' }
          ];
          const batch = new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries });
          await fails(sns().send(batch), 400, 'InvalidParameterValueException', text);
        });
      }

      it('no type at all, alone or in a batch', async () => {
        const MessageAttributes = { attr1: { StringValue: 'value' } as MessageAttributeValue };
        const text = (where: string) =>
          `1 validation error detected: Value null at '${where}messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null`;
        await fails(publish({ TopicArn, MessageAttributes }), 400, 'ValidationError', text(''));
        const entry = { Id: '1', Message: 'x', MessageAttributes };
        const batch = new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [entry] });
        await fails(sns().send(batch), 400, 'ValidationError', text('publishBatchRequestEntries.1.member.'));
      });
    });

    // As recorded by LocalStack on 24 August 2023.
    it('not to an endpoint that is not there', async () => {
      const text = 'Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified';
      for (const endpoint of ['APNS/abcdef/0f7d5971-aa8b-4bd5-b585-0826e9f93a66', 'GCM/app/8f1f', 'GCM', '']) {
        const TargetArn = `arn:aws:sns:us-east-1:111111111111:endpoint/${endpoint}`;
        await fails(publish({ TargetArn }), 400, 'InvalidParameterException', text);
      }
    });

    it('not more than ten attributes to a queue that gets the bare message', async () => {
      // As AWS's guide has it, "Amazon SNS message attributes" (November 2026).
      const { TopicArn, QueueUrl } = await newTopic();
      const many = (count: number) =>
        Object.fromEntries(
          Array.from({ length: count }, (_, n) => [`n${n}`, { DataType: 'Number', StringValue: '1' }])
        );
      await publish({ TopicArn, Message: 'eleven', MessageAttributes: many(11) });
      await publish({ TopicArn, Message: 'ten', MessageAttributes: many(10) });
      assert.deepEqual(bodies(await receive(QueueUrl)), ['ten']);
    });

    describe('to a FIFO topic', () => {
      // As recorded from AWS by LocalStack, tests/aws/services/sns/test_sns.snapshot.json, 18 August 2025.
      const group = { MessageGroupId: 'message-group-id-1', MessageDeduplicationId: 'message-deduplication-id-1' };

      it('in envelopes with a number, and without a signature', async () => {
        const { TopicArn, QueueUrl } = await newTopic({ FifoTopic: 'true' }, false);
        const { MessageId, SequenceNumber } = await publish({ TopicArn, Message: 'Test', ...group });
        const [message] = await receive(QueueUrl);
        const { Timestamp, UnsubscribeURL, ...envelope } = JSON.parse(message?.Body ?? '{}');
        const expected = { Type: 'Notification', MessageId, SequenceNumber, TopicArn, Message: 'Test' };
        assert.deepEqual(Object.entries(envelope), Object.entries(expected));
        assert.ok(Timestamp && UnsubscribeURL);
        const { MessageGroupId, MessageDeduplicationId } = message?.Attributes ?? {};
        assert.deepEqual({ MessageGroupId, MessageDeduplicationId }, group);
      });

      it('whose standard queues know nothing of groups', async () => {
        const { TopicArn } = await newTopic({ FifoTopic: 'true' });
        const QueueUrl = await newQueue();
        const Endpoint = queueArn(QueueUrl.split('/').at(-1) ?? '');
        await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
        const { SequenceNumber } = await publish({ TopicArn, Message: 'Test', ...group });
        const [message] = await receive(QueueUrl);
        assert.equal(JSON.parse(message?.Body ?? '{}').SequenceNumber, SequenceNumber);
        const names = ['ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount', 'SenderId', 'SentTimestamp'];
        assert.deepEqual(Object.keys(message?.Attributes ?? {}).sort(), names);
      });

      it('and to FIFO queues that know a message again in its group only', async () => {
        const { TopicArn } = await newTopic({ FifoTopic: 'true' });
        const QueueUrl = await newQueue({ FifoQueue: 'true', DeduplicationScope: 'messageGroup' });
        const Endpoint = queueArn(QueueUrl.split('/').at(-1) ?? '');
        await send(QueueUrl, 'direct', {
          MessageGroupId: 'other',
          MessageDeduplicationId: group.MessageDeduplicationId
        });
        await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
        await publish({ TopicArn, Message: 'Test', ...group });
        assert.equal((await receive(QueueUrl)).length, 2);
      });

      it('and the group of a standard topic to its standard queues', async () => {
        const { TopicArn, QueueUrl } = await newTopic();
        await publish({ TopicArn, MessageGroupId: 'my-group-id-1' });
        const [message] = await receive(QueueUrl);
        assert.equal(message?.Attributes?.MessageGroupId, 'my-group-id-1');
      });
    });

    it('numbers to a FIFO topic, and the same message only once', async () => {
      const { TopicArn, QueueUrl } = await newTopic({ FifoTopic: 'true' });
      const group = { TopicArn, MessageGroupId: 'g' };
      await fails(publish(group), 400, 'InvalidParameterException', /either have ContentBasedDeduplication enabled/);
      const first = await publish({ ...group, MessageDeduplicationId: 'a' });
      assert.deepEqual(
        await publish({ ...group, MessageDeduplicationId: 'a' }).then(({ MessageId }) => MessageId),
        first.MessageId
      );
      const entry = (Id: string) => ({ Id, Message: Id, MessageGroupId: 'g', MessageDeduplicationId: Id });
      const PublishBatchRequestEntries = [entry('b'), entry('c')];
      const { Successful = [] } = await sns().send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
      const numbers = [first, ...Successful].map(({ SequenceNumber = '' }) => SequenceNumber);
      assert.deepEqual(numbers, [...numbers].sort());
      assert.equal(new Set(numbers.map((each) => /^\d{20}$/.exec(each)?.[0])).size, 3);
      assert.deepEqual(bodies(await receive(QueueUrl)), ['Hello', 'b', 'c']);
    });

    it('a batch, or nothing of it', async () => {
      const { TopicArn, QueueUrl } = await newTopic();
      const batch = (...PublishBatchRequestEntries: { Id: string; Message: string; Subject?: string }[]) =>
        sns().send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
      const half = 'x'.repeat(131_073);
      const long = 'The length of all the messages put together is more than the limit.';
      const refused = batch({ Id: 'a', Message: half }, { Id: 'b', Message: half });
      await fails(refused, 400, 'BatchRequestTooLongException', long);
      const twice = 'Two or more batch entries in the request have the same Id.';
      await fails(
        batch({ Id: 'a', Message: 'x' }, { Id: 'a', Message: 'x' }),
        400,
        'BatchEntryIdsNotDistinctException',
        twice
      );
      const subject = batch({ Id: 'a', Message: 'x' }, { Id: 'b', Message: 'x', Subject: 'a\nb' });
      await fails(subject, 400, 'InvalidParameterException', 'Invalid parameter: Subject');
      assert.deepEqual(await receive(QueueUrl), []);
      const { Successful, Failed } = await batch({ Id: 'a', Message: 'one' }, { Id: 'b', Message: 'two' });
      assert.deepEqual([Successful?.map(({ Id }) => Id), Failed ?? []], [['a', 'b'], []]);
      assert.deepEqual(bodies(await receive(QueueUrl)), ['one', 'two']);
    });
  });
});
