import assert from 'node:assert/strict';
import {
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  type ListAliasesCommandInput,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  type ListVersionsByFunctionCommandInput,
  paginateListAliases,
  paginateListVersionsByFunction
} from '@aws-sdk/client-lambda';
import {
  CreateCollectionCommand,
  ListCollectionsCommand,
  paginateListCollections,
  RekognitionClient
} from '@aws-sdk/client-rekognition';
import {
  DeleteTopicCommand,
  ListTopicsCommand,
  PublishCommand,
  paginateListTopics,
  SNSClient
} from '@aws-sdk/client-sns';
import {
  ListQueuesCommand,
  type ListQueuesCommandInput,
  paginateListQueues,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient
} from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { LocalAws, signIns } from '../../local-aws/client';

type SignIn = keyof typeof signIns;

const functionArn = 'arn:aws:lambda:us-east-1:111111111111:function:';
const demo = 'arn:aws:iam::111111111111:user/demo';

describe('The lists of the local AWS', () => {
  let aws: LocalAws;
  const clients: { destroy(): void }[] = [];

  before(async () => {
    aws = await LocalAws.start({ collections: ['family'] });
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await aws.stop();
  });

  function client<Client extends { destroy(): void }>(
    kind: new (settings: object) => Client,
    signIn: SignIn = 'demo',
    region = 'us-east-1'
  ): Client {
    const made = new kind({ endpoint: aws.url, region, maxAttempts: 1, credentials: { ...signIns[signIn] } });
    clients.push(made);
    return made;
  }
  const listAliases = (input: ListAliasesCommandInput, signIn?: SignIn, region?: string) =>
    client(LambdaClient, signIn, region).send(new ListAliasesCommand(input));
  const listVersions = (input: ListVersionsByFunctionCommandInput, signIn?: SignIn, region?: string) =>
    client(LambdaClient, signIn, region).send(new ListVersionsByFunctionCommand(input));
  const listQueues = (input: ListQueuesCommandInput = {}, signIn?: SignIn, region?: string) =>
    client(SQSClient, signIn, region).send(new ListQueuesCommand(input));
  const listTopics = (NextToken?: string, signIn?: SignIn, region?: string) =>
    client(SNSClient, signIn, region).send(new ListTopicsCommand({ NextToken }));
  const listCollections = () => client(RekognitionClient).send(new ListCollectionsCommand({}));

  /** What a paginator finds, page by page. */
  async function pages<Page, Item>(all: AsyncIterable<Page>, items: (page: Page) => Item[] | undefined) {
    const found: Item[][] = [];
    for await (const page of all) found.push(items(page) ?? []);
    return found;
  }
  const sizes = (of: unknown[][]) => of.map(({ length }) => length);
  const fleet = (count: number) =>
    Array.from({ length: count }, (_, index) => `fleet-${String(index + 1).padStart(4, '0')}`);
  const ofFleet = (names: (string | undefined)[]) =>
    names.map((name) => name?.split(/[:/]/).at(-1)).filter((name) => name?.startsWith('fleet-'));

  function fails(work: Promise<unknown>, status: number, name: string, message: string | RegExp): Promise<void> {
    return assert.rejects(work, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.deepEqual([error.name, error.$metadata?.httpStatusCode], [name, status]);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  }

  it('have something in them from the beginning', async () => {
    const { Functions = [] } = await client(LambdaClient).send(new ListFunctionsCommand({}));
    assert.ok(Functions.some(({ FunctionName }) => FunctionName === 'hello'));
    assert.equal((await listAliases({ FunctionName: 'hello' })).Aliases?.length, 3);
    assert.equal((await listVersions({ FunctionName: 'hello' })).Versions?.length, 3);
    const { Topics = [] } = await listTopics();
    assert.deepEqual(
      Topics.map(({ TopicArn }) => TopicArn?.split(':').at(-1)),
      ['alerts', 'orders-placed', 'orders.fifo', 'pictures']
    );
    const { QueueUrls = [] } = await listQueues();
    assert.ok(QueueUrls.includes(`${aws.url}/111111111111/orders`) && QueueUrls.length > 3);
    assert.deepEqual((await listCollections()).CollectionIds, ['family']);
  });

  describe('after a reset', () => {
    beforeEach(() => aws.reset());

    describe('tell of a function', () => {
      it('its aliases, by name', async () => {
        const { Aliases = [], NextMarker } = await listAliases({ FunctionName: 'hello' });
        assert.deepEqual(
          Aliases.map(({ Name, FunctionVersion, AliasArn }) => [Name, FunctionVersion, AliasArn]),
          [
            ['live', '2', `${functionArn}hello:live`],
            ['next', '$LATEST', `${functionArn}hello:next`],
            ['old', '1', `${functionArn}hello:old`]
          ]
        );
        assert.ok(!NextMarker);
        assert.equal(new Set(Aliases.map(({ RevisionId }) => RevisionId)).size, 3);
      });

      it('only the aliases of one version, where it is asked for that', async () => {
        const { Aliases = [] } = await listAliases({ FunctionName: 'hello', FunctionVersion: '1' });
        assert.deepEqual(
          Aliases.map(({ Name }) => Name),
          ['old']
        );
        assert.deepEqual((await listAliases({ FunctionName: 'hello', FunctionVersion: '99' })).Aliases, []);
        assert.deepEqual((await listAliases({ FunctionName: 'echo' })).Aliases, []);
      });

      it('its versions, $LATEST first', async () => {
        const { Versions = [] } = await listVersions({ FunctionName: 'hello' });
        assert.deepEqual(
          Versions.map(({ Version, FunctionArn }) => [Version, FunctionArn]),
          ['$LATEST', '1', '2'].map((version) => [version, `${functionArn}hello:${version}`])
        );
        assert.equal(Versions[0]?.Runtime, 'nodejs24.x');
      });

      for (const name of [
        '111111111111:hello',
        '111111111111:function:hello',
        'function:hello',
        `${functionArn}hello`
      ]) {
        it(`that is called ${name}`, async () => {
          assert.equal((await listAliases({ FunctionName: name })).Aliases?.length, 3);
          assert.equal((await listVersions({ FunctionName: name })).Versions?.length, 3);
        });
      }

      it('as much as fits a page, and the rest on the next ones', async () => {
        await aws.populate({ functions: 1, versions: 120, aliases: 105 });
        // Paginators leave their marker in what they are given.
        const ofOne = { FunctionName: 'fleet-0001' };
        const lambda = client(LambdaClient);
        const versions = await pages(
          paginateListVersionsByFunction({ client: lambda }, { ...ofOne }),
          (page) => page.Versions
        );
        assert.deepEqual(sizes(versions), [50, 50, 21]);
        const numbers = versions.flat().map(({ Version }) => Version);
        assert.deepEqual([numbers[0], numbers[1], numbers[120], new Set(numbers).size], ['$LATEST', '1', '120', 121]);
        const aliases = await pages(paginateListAliases({ client: lambda }, { ...ofOne }), (page) => page.Aliases);
        assert.deepEqual(sizes(aliases), [50, 50, 5]);
        assert.deepEqual([aliases[2]?.at(-1)?.Name, aliases[2]?.at(-1)?.FunctionVersion], ['alias-0105', '105']);
        assert.equal((await listAliases({ ...ofOne, MaxItems: 10_000 })).Aliases?.length, 50);
        assert.equal((await listVersions({ ...ofOne, MaxItems: 7 })).Versions?.length, 7);
      });

      const calls = { ListAliases: listAliases, ListVersionsByFunction: listVersions };
      for (const [operation, list] of Object.entries(calls)) {
        it(`but not of one that is not there, with ${operation}`, () =>
          fails(
            list({ FunctionName: 'nobody' }),
            404,
            'ResourceNotFoundException',
            `Function not found: ${functionArn}nobody`
          ));
        it(`nor of one in another region, with ${operation}`, () =>
          fails(
            list({ FunctionName: `${functionArn}hello` }, 'demo', 'eu-west-1'),
            404,
            'ResourceNotFoundException',
            "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
          ));
        it(`nor to who may do nothing, with ${operation}`, () =>
          fails(
            list({ FunctionName: 'hello' }, 'limited'),
            403,
            'AccessDeniedException',
            `User: arn:aws:iam::111111111111:user/limited is not authorized to perform: lambda:${operation} on resource: ` +
              `${functionArn}hello because no identity-based policy allows the lambda:${operation} action`
          ));
        it(`nor to another account, with ${operation}`, () =>
          fails(
            list({ FunctionName: `${functionArn}hello` }, 'second'),
            403,
            'AccessDeniedException',
            /because no resource-based policy allows/
          ));
        const wrong: [object, string, RegExp][] = [
          [{ MaxItems: 0 }, 'ValidationException', /Value '0' at 'maxItems'.*greater than or equal to 1$/],
          [{ MaxItems: 10_001 }, 'ValidationException', /less than or equal to 10000$/],
          [{ FunctionName: 'a b' }, 'ValidationException', /'functionName'.*regular expression pattern/],
          [{ Marker: 'nonsense' }, 'InvalidParameterValueException', /Marker/]
        ];
        for (const [input, name, message] of wrong) {
          it(`nor with ${operation} of ${JSON.stringify(input)}`, () =>
            fails(list({ FunctionName: 'hello', ...input }), 400, name, message));
        }
      }

      it('but know no version that is neither a number nor $LATEST', () =>
        fails(
          listAliases({ FunctionName: 'hello', FunctionVersion: 'live' }),
          400,
          'ValidationException',
          /^1 validation error detected: Value 'live' at 'functionVersion' failed to satisfy constraint/
        ));
    });

    describe('of topics', () => {
      it('have 100 a page', async () => {
        await aws.populate({ topics: 250 });
        const found = await pages(paginateListTopics({ client: client(SNSClient) }, {}), (page) => page.Topics);
        assert.deepEqual(sizes(found), [100, 100, 54]);
        assert.deepEqual(ofFleet(found.flat().map(({ TopicArn }) => TopicArn)), fleet(250));
        assert.equal(found[1]?.[0]?.TopicArn?.startsWith('arn:aws:sns:us-east-1:111111111111:fleet-'), true);
      });

      it('go on after the last one, though it was deleted meanwhile', async () => {
        await aws.populate({ topics: 150 });
        const { Topics = [], NextToken } = await listTopics();
        const TopicArn = Topics.at(-1)?.TopicArn;
        await client(SNSClient).send(new DeleteTopicCommand({ TopicArn }));
        const rest = await listTopics(NextToken);
        assert.equal(Topics.length + (rest.Topics?.length ?? 0), 154);
      });

      it('keep to the region and the account', async () => {
        await aws.populate({ topics: 3, account: signIns.second.account, region: 'eu-west-1' });
        assert.equal((await listTopics(undefined, 'demo', 'eu-west-1')).Topics?.length, 0);
        assert.equal((await listTopics(undefined, 'second')).Topics?.length, 0);
        const { Topics = [] } = await listTopics(undefined, 'second', 'eu-west-1');
        assert.equal(Topics[0]?.TopicArn, 'arn:aws:sns:eu-west-1:222222222222:fleet-0001');
      });

      it('refuse a token that was never given, and who may do nothing', async () => {
        await fails(listTopics('nonsense'), 400, 'InvalidParameterException', 'Invalid parameter: NextToken');
        await fails(
          listTopics(undefined, 'limited'),
          403,
          'AuthorizationErrorException',
          'User: arn:aws:iam::111111111111:user/limited is not authorized to perform: SNS:ListTopics on resource: ' +
            'arn:aws:sns:us-east-1:111111111111:* because no identity-based policy allows the SNS:ListTopics action'
        );
      });
    });

    describe('of queues', () => {
      it('have a page only where its size is given', async () => {
        await aws.populate({ queues: 1200 });
        const all = await listQueues();
        assert.deepEqual([all.QueueUrls?.length, all.NextToken], [1000, undefined]);
        const queues = { client: client(SQSClient), pageSize: 500 };
        const found = await pages(paginateListQueues(queues, { QueueNamePrefix: 'fleet-' }), (page) => page.QueueUrls);
        assert.deepEqual(sizes(found), [500, 500, 200]);
        assert.deepEqual(ofFleet(found.flat()), fleet(1200));
      });

      it('begin as they are asked to', async () => {
        await aws.populate({ queues: 30 });
        const { QueueUrls = [], NextToken } = await listQueues({ QueueNamePrefix: 'fleet-001', MaxResults: 10 });
        assert.deepEqual(
          [QueueUrls.length, QueueUrls[0], NextToken],
          [10, `${aws.url}/111111111111/fleet-0010`, undefined]
        );
        assert.equal((await listQueues({ QueueNamePrefix: 'FLEET' })).QueueUrls, undefined);
      });

      it('keep to the region and the account', async () => {
        await aws.populate({ queues: 3 });
        const input = { QueueNamePrefix: 'fleet-' };
        assert.equal((await listQueues(input, 'demo', 'eu-west-1')).QueueUrls, undefined);
        assert.equal((await listQueues(input, 'second')).QueueUrls, undefined);
      });

      for (const MaxResults of [0, 1001, -1]) {
        it(`refuse ${MaxResults} of them`, () =>
          fails(
            listQueues({ MaxResults }),
            400,
            'InvalidParameterValue',
            'Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.'
          ));
      }

      it('refuse a token that was never given, and who may do nothing', async () => {
        await fails(listQueues({ MaxResults: 3, NextToken: 'nonsense' }), 400, 'InvalidParameterValue', /next token/);
        await fails(
          listQueues({}, 'limited'),
          403,
          'AccessDenied',
          'User: arn:aws:iam::111111111111:user/limited is not authorized to perform: sqs:listqueues on resource: ' +
            'arn:aws:sqs:us-east-1:111111111111: because no identity-based policy allows the sqs:listqueues action'
        );
      });
    });

    it('of collections come in pages', async () => {
      await aws.populate({ collections: 230 });
      const rekognition = { client: client(RekognitionClient), pageSize: 100 };
      const found = await pages(paginateListCollections(rekognition, {}), (page) => page.CollectionIds);
      assert.deepEqual([sizes(found), found.flat()], [[100, 100, 30], fleet(230)]);
    });

    describe('get long', () => {
      it('by functions that answer, and topics and queues that pass messages on', async () => {
        await aws.populate({ functions: 2, topics: 2, queues: 2 });
        const invoke = new InvokeCommand({ FunctionName: 'fleet-0002', Payload: '{"a":1}' });
        assert.equal((await client(LambdaClient).send(invoke)).FunctionError, undefined);
        const TopicArn = 'arn:aws:sns:us-east-1:111111111111:fleet-0002';
        await client(SNSClient).send(new PublishCommand({ TopicArn, Message: 'Hello' }));
        const QueueUrl = `${aws.url}/111111111111/fleet-0002`;
        await client(SQSClient).send(new SendMessageCommand({ QueueUrl, MessageBody: 'Hello' }));
        const { Messages = [] } = await client(SQSClient).send(new ReceiveMessageCommand({ QueueUrl }));
        assert.equal(Messages[0]?.Body, 'Hello');
      });

      it('and short again, without what somebody made in between', async () => {
        await client(RekognitionClient).send(new CreateCollectionCommand({ CollectionId: 'fleet-0001' }));
        await aws.populate({ functions: 5, topics: 5, queues: 5, collections: 5 });
        await aws.clearPopulation();
        const { Functions = [] } = await client(LambdaClient).send(new ListFunctionsCommand({}));
        assert.deepEqual(ofFleet(Functions.map(({ FunctionName }) => FunctionName)), []);
        assert.deepEqual(ofFleet((await listQueues()).QueueUrls ?? []), []);
        assert.deepEqual(ofFleet(((await listTopics()).Topics ?? []).map(({ TopicArn }) => TopicArn)), []);
        assert.deepEqual((await listCollections()).CollectionIds, ['fleet-0001']);
      });
    });

    describe('can be told to refuse', () => {
      it('a list, in the words of AWS, and nothing else', async () => {
        await aws.fault({ kind: 'denied', operation: 'ListFunctions' });
        await fails(
          client(LambdaClient).send(new ListFunctionsCommand({})),
          403,
          'AccessDeniedException',
          `User: ${demo} is not authorized to perform: lambda:ListFunctions on resource: * ` +
            'because no identity-based policy allows the lambda:ListFunctions action'
        );
        assert.equal((await listAliases({ FunctionName: 'hello' })).Aliases?.length, 3);
        await aws.clearFaults();
        await client(LambdaClient).send(new ListFunctionsCommand({}));
      });

      it('everything but to say who somebody is', async () => {
        await aws.fault({ kind: 'denied' });
        await fails(
          listVersions({ FunctionName: 'hello' }),
          403,
          'AccessDeniedException',
          /lambda:ListVersionsByFunction/
        );
        await fails(listTopics(), 403, 'AuthorizationErrorException', /SNS:ListTopics/);
        await fails(listQueues(), 403, 'AccessDenied', /sqs:listqueues/);
        await fails(listCollections(), 400, 'AccessDeniedException', /rekognition:ListCollections because no identity/);
        assert.equal((await client(STSClient).send(new GetCallerIdentityCommand({}))).Arn, demo);
      });

      it('and leave a record of it', async () => {
        await aws.fault({ kind: 'denied', service: 'sns', times: 1 });
        await assert.rejects(listTopics());
        await listTopics();
        const seen = (await aws.requests()).map(({ operation, status, errorCode, fault }) => [
          operation,
          status,
          errorCode,
          fault
        ]);
        assert.deepEqual(seen, [
          ['ListTopics', 403, 'AuthorizationError', 'denied'],
          ['ListTopics', 200, undefined, undefined]
        ]);
      });
    });
  });
});
