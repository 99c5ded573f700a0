import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import {
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  ListFunctionsCommand,
  paginateListFunctions,
  SendDurableExecutionCallbackHeartbeatCommand
} from '@aws-sdk/client-lambda';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient
} from '@aws-sdk/client-sqs';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient
} from '@aws-sdk/client-sts';
import { LocalAws, roles, signIns } from '../../local-aws/client';
import { AwsError } from '../../local-aws/server/aws-error';
import { checkError, checkOutput } from '../../local-aws/server/schema';

interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

describe('The local AWS', () => {
  let aws: LocalAws;
  const clients: { destroy(): void }[] = [];

  before(async () => {
    aws = await LocalAws.start();
  });
  beforeEach(() => aws.reset());
  after(async () => {
    for (const client of clients) client.destroy();
    await aws.stop();
  });

  function keep<Client extends { destroy(): void }>(client: Client): Client {
    clients.push(client);
    return client;
  }
  function settings(keys: Keys = signIns.demo, region = 'us-east-1') {
    return { endpoint: aws.url, region, maxAttempts: 1, credentials: { ...keys } };
  }
  const lambda = (keys?: Keys, region?: string) => keep(new LambdaClient(settings(keys, region)));
  const sts = (keys?: Keys) => keep(new STSClient(settings(keys)));
  const sqs = (keys?: Keys) => keep(new SQSClient(settings(keys)));
  const sns = (keys?: Keys) => keep(new SNSClient(settings(keys)));

  async function invoke(functionName: string, event: unknown = {}, more: Partial<InvokeCommandInput> = {}) {
    const input = { FunctionName: functionName, Payload: JSON.stringify(event), ...more };
    const { Payload, LogResult, ...rest } = await lambda().send(new InvokeCommand(input));
    // The SDK gives null for an empty body, whatever its types say.
    const text = Payload ? Buffer.from(Payload).toString('utf8') : undefined;
    return { ...rest, text, log: Buffer.from(LogResult ?? '', 'base64').toString('utf8') };
  }
  async function result(functionName: string, event?: unknown, more?: Partial<InvokeCommandInput>): Promise<unknown> {
    return JSON.parse((await invoke(functionName, event, more)).text ?? 'undefined');
  }
  async function assume(
    input: Partial<AssumeRoleCommandInput> = {},
    keys?: Keys
  ): Promise<Keys & { Expiration: Date }> {
    const command = new AssumeRoleCommand({ RoleArn: roles.demo.arn, RoleSessionName: 'test', ...input });
    const { Credentials } = await sts(keys).send(command);
    assert.ok(
      Credentials?.AccessKeyId && Credentials.SecretAccessKey && Credentials.SessionToken && Credentials.Expiration
    );
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken,
      Expiration: Credentials.Expiration
    };
  }
  function fails(work: Promise<unknown>, status: number, name: string, message: string | RegExp): Promise<void> {
    return assert.rejects(work, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.equal(error.name, name);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      assert.equal(error.$metadata?.httpStatusCode, status);
      return true;
    });
  }

  describe('has durable functions and tenants', () => {
    const durable = { Qualifier: 'live', InvocationType: 'Event' } as const;

    it('which it describes as Lambda does', async () => {
      const { Functions = [] } = await lambda().send(new ListFunctionsCommand({}));
      const found = (name: string) => Functions.find(({ FunctionName }) => FunctionName === name);
      assert.deepEqual(found('approve')?.DurableConfig, { RetentionPeriodInDays: 14, ExecutionTimeout: 172_800 });
      assert.deepEqual(found('tenants')?.TenancyConfig, { TenantIsolationMode: 'PER_TENANT' });
    });

    it('and checks tenants and names of executions as the model does', async () => {
      const tenant = { TenantId: 'a,b' };
      const text = /^1 validation error detected: Value 'a,b' at 'tenantId' failed .* pattern: \[a-zA-Z0-9/;
      await fails(invoke('tenants', {}, tenant), 400, 'ValidationException', text);
      const name = { ...durable, DurableExecutionName: 'x'.repeat(65) };
      await fails(invoke('approve', {}, name), 400, 'ValidationException', /'durableExecutionName' .*equal to 64/);
    });

    it('and refuses a name that is taken, of another version too', async () => {
      const named = { ...durable, DurableExecutionName: 'order-1' };
      const { DurableExecutionArn: arn = '' } = await invoke('approve', { n: 1 }, named);
      assert.equal((await invoke('approve', { n: 1 }, named)).DurableExecutionArn, arn);
      const refusal = [409, 'DurableExecutionAlreadyStartedException', `Execution already started: ${arn}`] as const;
      await fails(invoke('approve', { n: 2 }, named), ...refusal);
      await fails(invoke('approve', { n: 1 }, { ...named, Qualifier: '$LATEST' }), ...refusal);
    });

    it('and lets nobody answer a callback who is not allowed to', async () => {
      const command = new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: 'YQ==' });
      const text = /not authorized to perform: lambda:SendDurableExecutionCallbackHeartbeat/;
      await fails(lambda(signIns.limited).send(command), 403, 'AccessDeniedException', text);
    });
  });

  describe('checks who signed', () => {
    const calls: Record<string, (keys: Keys) => Promise<unknown>> = {
      lambda: (keys) => lambda(keys).send(new ListFunctionsCommand({})),
      sts: (keys) => sts(keys).send(new GetCallerIdentityCommand({})),
      sqs: (keys) => sqs(keys).send(new CreateQueueCommand({ QueueName: 'signed' })),
      sns: (keys) => sns(keys).send(new CreateTopicCommand({ Name: 'signed' }))
    };
    for (const [service, call] of Object.entries(calls)) {
      const json = service === 'lambda';
      it(`and answers an unknown key as ${service} does`, async () => {
        const name = json ? 'UnrecognizedClientException' : 'InvalidClientTokenId';
        const keys = { accessKeyId: 'AKIANOBODY0000000000', secretAccessKey: 'none' };
        await fails(call(keys), 403, name, 'The security token included in the request is invalid.');
      });
      it(`and answers a wrong secret as ${service} does`, async () => {
        const name = json ? 'InvalidSignatureException' : 'SignatureDoesNotMatch';
        const text = /^The request signature we calculated does not match.*Canonical String.*host:127\.0\.0\.1/s;
        await fails(call({ ...signIns.demo, secretAccessKey: 'wrong' }), 403, name, text);
      });
      it(`and answers an expired token as ${service} does`, async () => {
        const session = await assume();
        await call(session);
        await aws.settings({ clockAheadSeconds: 3601 });
        const name = json ? 'ExpiredTokenException' : 'ExpiredToken';
        await fails(call(session), 403, name, 'The security token included in the request is expired');
      });
      it(`and answers a clock that is wrong as ${service} does`, async () => {
        await aws.settings({ clockAheadSeconds: 400 });
        const name = json ? 'InvalidSignatureException' : 'SignatureDoesNotMatch';
        await fails(call(signIns.demo), 403, name, /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z/);
        await aws.settings({ clockAheadSeconds: -400 });
        await fails(call(signIns.demo), 403, name, /^Signature not yet current: /);
        await aws.settings({ clockAheadSeconds: 200 });
        await call(signIns.demo);
      });
    }

    it('and refuses temporary keys without their token, and lasting keys with one', async () => {
      const { accessKeyId, secretAccessKey } = await assume();
      const text = 'The security token included in the request is invalid.';
      await fails(
        calls.lambda?.({ accessKeyId, secretAccessKey }) ?? assert.fail(),
        403,
        'UnrecognizedClientException',
        text
      );
      const withToken = { ...signIns.demo, sessionToken: 'made up' };
      await fails(calls.sts?.(withToken) ?? assert.fail(), 403, 'InvalidClientTokenId', text);
    });

    it('and notices a body that was changed on the way', async () => {
      const client = lambda();
      client.middlewareStack.add(
        (next) => (args) => {
          (args.request as { body: unknown }).body = '{"name":"Eve"}';
          return next(args);
        },
        { step: 'deserialize', priority: 'low' }
      );
      const call = client.send(new InvokeCommand({ FunctionName: 'hello', Payload: '{"name":"Ada"}' }));
      await fails(call, 403, 'InvalidSignatureException', /does not match/);
      assert.deepEqual(await aws.invocations(), []);
    });

    it('and takes every character of a path and a query', async () => {
      const text = /^1 validation error detected: Value 'ä b\+c!\(\)\*'/;
      await fails(invoke("ä b+c!()*'"), 400, 'ValidationException', text);
      await fails(
        invoke('hello', {}, { Qualifier: 'a b&c=d~é' }),
        400,
        'ValidationException',
        /'a b&c=d~é' at 'qualifier'/
      );
    });

    it('and answers a request without a signature', async () => {
      const answer = await raw('GET', '/2015-03-31/functions');
      assert.equal(answer.status, 403);
      assert.equal(answer.headers['x-amzn-errortype'], 'MissingAuthenticationTokenException');
      assert.deepEqual(JSON.parse(answer.body), { message: 'Missing Authentication Token' });
    });

    it('and answers an incomplete signature', async () => {
      const authorization = 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/lambda/aws4_request';
      const answer = await raw('GET', '/2015-03-31/functions', { authorization });
      assert.equal(answer.headers['x-amzn-errortype'], 'IncompleteSignatureException');
      assert.match(answer.body, /requires 'Signature' parameter/);
    });
  });

  describe('as STS', () => {
    it('says who a user is', async () => {
      const { Account, Arn, UserId } = await sts(signIns.second).send(new GetCallerIdentityCommand({}));
      assert.deepEqual([Account, Arn, UserId], ['222222222222', signIns.second.arn, signIns.second.userId]);
      const limited = await sts(signIns.limited).send(new GetCallerIdentityCommand({}));
      assert.equal(limited.Arn, 'arn:aws:iam::111111111111:user/limited');
    });

    it('gives temporary credentials that work, and tells whose they are', async () => {
      const session = await assume({ RoleSessionName: 'pump-7', DurationSeconds: 900 });
      assert.match(session.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
      const left = session.Expiration.getTime() - Date.now();
      assert.ok(left > 890_000 && left < 901_000, `${left} ms`);
      const { Arn } = await sts(session).send(new GetCallerIdentityCommand({}));
      assert.equal(Arn, 'arn:aws:sts::111111111111:assumed-role/nimbus-demo/pump-7');
    });

    it('gives credentials that are as short-lived as a test wants them', async () => {
      await aws.settings({ temporaryCredentialsSeconds: 30 });
      const session = await assume();
      assert.ok(session.Expiration.getTime() - Date.now() <= 31_000);
      await aws.settings({ clockAheadSeconds: 32 });
      const call = sts(session).send(new GetCallerIdentityCommand({}));
      await fails(call, 403, 'ExpiredToken', 'The security token included in the request is expired');
    });

    it('lets the first account assume a role of the second, and chain from there', async () => {
      const guest = await assume({ RoleArn: roles.guest.arn });
      const { Functions } = await lambda(guest).send(new ListFunctionsCommand({}));
      assert.deepEqual(
        Functions?.map((each) => each.FunctionName),
        ['echo', 'hello', 'invoices']
      );
      const chained = await assume({ RoleArn: roles.external.arn, ExternalId: 'nimbus-external-id' }, guest);
      const { Account } = await sts(chained).send(new GetCallerIdentityCommand({}));
      assert.equal(Account, '111111111111');
      const long = assume(
        { RoleArn: roles.external.arn, ExternalId: 'nimbus-external-id', DurationSeconds: 3601 },
        guest
      );
      await fails(long, 400, 'ValidationError', /1 hour session limit for roles assumed by role chaining/);
    });

    it('refuses a wrong and a missing External ID, and a role that trusts others', async () => {
      const refusal = (arn: string, user = 'demo') =>
        `User: arn:aws:iam::111111111111:user/${user} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
      const { arn } = roles.external;
      await fails(assume({ RoleArn: arn }), 403, 'AccessDenied', refusal(arn));
      await fails(assume({ RoleArn: arn, ExternalId: 'wrong' }), 403, 'AccessDenied', refusal(arn));
      await assume({ RoleArn: arn, ExternalId: 'nimbus-external-id' });
      const unknown = 'arn:aws:iam::111111111111:role/nobody';
      await fails(assume({ RoleArn: unknown }), 403, 'AccessDenied', refusal(unknown));
      await fails(assume({}, signIns.limited), 403, 'AccessDenied', refusal(roles.demo.arn, 'limited'));
      await assert.rejects(assume({}, signIns.second), { name: 'AccessDenied' });
    });

    const wrong: [Partial<AssumeRoleCommandInput>, string][] = [
      [{ RoleArn: 'nothing-valid-in-here' }, 'nothing-valid-in-here is invalid'],
      [{ RoleArn: 'arn:a:a::aaaaaaaaaa:' }, 'arn:a:a::aaaaaaaaaa: is invalid'],
      [{ RoleArn: 'arn::b:::something/test-role' }, 'arn::b:::something/test-role is invalid'],
      [
        { RoleSessionName: 'Session1:2' },
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: " +
          'Member must satisfy regular expression pattern: [\\w+=,.@-]*'
      ],
      [
        { RoleSessionName: 'x', DurationSeconds: 60 },
        "2 validation errors detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: " +
          "Member must have length greater than or equal to 2; Value '60' at 'durationSeconds' failed to satisfy constraint: " +
          'Member must have value greater than or equal to 900'
      ],
      [
        { RoleArn: roles.guest.arn, DurationSeconds: 7200 },
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
      ]
    ];
    for (const [input, message] of wrong) {
      it(`answers ${JSON.stringify(input)} with a validation error`, () =>
        fails(assume(input), 400, 'ValidationError', message));
    }
  });

  describe('as Lambda', () => {
    it('runs a handler and says which version it was', async () => {
      const answer = await invoke('hello', { name: 'Ada' });
      assert.equal(answer.text, '{"greeting":"Hello, Ada!"}');
      assert.equal(answer.ExecutedVersion, '$LATEST');
      assert.equal(answer.StatusCode, 200);
      assert.equal(answer.FunctionError, undefined);
    });

    const names: [name: string, qualifier: string | undefined, version: string, greeting: string][] = [
      ['hello', '1', '1', 'Good day, Ada.'],
      ['hello', 'live', '2', 'Hi, Ada!'],
      ['hello:old', undefined, '1', 'Good day, Ada.'],
      ['hello:live', 'live', '2', 'Hi, Ada!'],
      ['hello:$LATEST', undefined, '$LATEST', 'Hello, Ada!'],
      ['function:hello:2', undefined, '2', 'Hi, Ada!'],
      ['111111111111:function:hello', undefined, '$LATEST', 'Hello, Ada!'],
      ['111111111111:function:hello:live', undefined, '2', 'Hi, Ada!'],
      ['arn:aws:lambda:us-east-1:111111111111:function:hello', 'next', '$LATEST', 'Hello, Ada!'],
      ['arn:aws:lambda:us-east-1:111111111111:function:hello:1', undefined, '1', 'Good day, Ada.']
    ];
    for (const [name, Qualifier, version, greeting] of names) {
      it(`finds ${name}${Qualifier ? ` with the qualifier ${Qualifier}` : ''}`, async () => {
        const answer = await invoke(name, { name: 'Ada' }, Qualifier ? { Qualifier } : {});
        assert.deepEqual([answer.text, answer.ExecutedVersion], [JSON.stringify({ greeting }), version]);
      });
    }

    it('tells the handler about its call', async () => {
      const custom = { machine: 7, tags: ['a', 'ü'] };
      const ClientContext = Buffer.from(JSON.stringify({ custom })).toString('base64');
      const input = { FunctionName: '111111111111:function:echo:$LATEST', Payload: '{"a":1}', ClientContext };
      const { Payload, $metadata } = await lambda().send(new InvokeCommand(input));
      const { event, context } = JSON.parse(Buffer.from(Payload ?? '').toString('utf8'));
      assert.deepEqual(event, { a: 1 });
      const { remainingTimeInMillis, ...rest } = context;
      assert.ok(remainingTimeInMillis > 9000 && remainingTimeInMillis <= 10_000, String(remainingTimeInMillis));
      assert.deepEqual(rest, {
        functionName: 'echo',
        functionVersion: '$LATEST',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:111111111111:function:echo:$LATEST',
        memoryLimitInMB: '128',
        logGroupName: '/aws/lambda/echo',
        awsRequestId: $metadata.requestId,
        clientContext: { custom }
      });
    });

    const answers: [functionName: string, text: string][] = [
      ['returns-nothing', 'null'],
      ['returns-number', '42'],
      ['returns-list', '[3,"two",{"one":1},null]'],
      ['plain-text', 'All is well; this is no JSON.']
    ];
    for (const [functionName, text] of answers) {
      it(`gives the answer of ${functionName} as it is`, async () => {
        assert.equal((await invoke(functionName)).text, text);
      });
    }

    it('takes no payload for an empty object', async () => {
      const { Payload } = await lambda().send(new InvokeCommand({ FunctionName: 'echo' }));
      assert.deepEqual(JSON.parse(Buffer.from(Payload ?? '').toString('utf8')).event, {});
    });

    it('keeps an instance warm, and runs several at a time', async () => {
      const first = (await result('counts-calls')) as { calls: number };
      const second = (await result('counts-calls')) as { calls: number };
      assert.equal(second.calls, first.calls + 1);
      const began = Date.now();
      await Promise.all(Array.from({ length: 4 }, () => invoke('slow', { ms: 400 })));
      assert.ok(Date.now() - began < 1600, 'they ran one after the other');
    });

    it('reports a thrown error with its trace', async () => {
      const answer = await invoke('fails', { sensor: 'attic' });
      assert.deepEqual([answer.StatusCode, answer.FunctionError], [200, 'Unhandled']);
      assert.deepEqual(JSON.parse(answer.text ?? ''), {
        errorType: 'SensorOffline',
        errorMessage: 'The sensor attic does not answer',
        trace: ['SensorOffline: The sensor attic does not answer', '    at handler (file:///var/task/index.mjs:8:9)']
      });
    });

    const failures: [functionName: string, errorType: string, errorMessage: RegExp][] = [
      ['throws-text', 'string', /^out of paper$/],
      ['crashes', 'Runtime.ExitError', /^RequestId: [-0-9a-f]{36} Error: Runtime exited without providing a reason$/],
      ['fails-later', 'Runtime.UnhandledPromiseRejection', /^RangeError: forgotten$/],
      ['broken', 'Runtime.ImportModuleError', /^Cannot find package 'a-package-that-is-not-installed'/],
      ['sleeps-too-long', 'Sandbox.Timedout', /^RequestId: [-0-9a-f]{36} Error: Task timed out after 1\.00 seconds$/],
      ['never-yields', 'Sandbox.Timedout', /^RequestId: [-0-9a-f]{36} Error: Task timed out after 1\.00 seconds$/],
      [
        'returns-much',
        'Function.ResponseSizeTooLarge',
        /^Response payload size exceeded maximum allowed payload size \(6291556 bytes\)\.$/
      ]
    ];
    for (const [functionName, errorType, errorMessage] of failures) {
      it(`survives ${functionName} and reports ${errorType}`, async () => {
        const answer = await invoke(functionName);
        assert.deepEqual([answer.StatusCode, answer.FunctionError], [200, 'Unhandled']);
        const payload = JSON.parse(answer.text ?? '');
        assert.equal(payload.errorType, errorType);
        assert.match(payload.errorMessage, errorMessage);
        assert.deepEqual(
          (await aws.invocations()).map((each) => each.outcome),
          [functionName === 'returns-much' ? 'returned' : 'failed']
        );
      });
    }

    it('gives the last 4 KB of the log where it is asked for', async () => {
      const { log, $metadata } = await invoke('hello', { name: 'Ada' }, { LogType: 'Tail' });
      const lines = log.split('\n');
      assert.equal(lines[0], `START RequestId: ${$metadata.requestId} Version: $LATEST`);
      assert.match(lines[1] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z\t[-0-9a-f]{36}\tINFO\tGreeting Ada$/);
      assert.equal(lines[2], `END RequestId: ${$metadata.requestId}`);
      assert.match(
        lines[3] ?? '',
        /^REPORT RequestId: [-0-9a-f]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t/
      );
      assert.equal((await invoke('hello')).log, '');
      const long = (await invoke('chatty', { lines: 200 }, { LogType: 'Tail' })).log;
      assert.equal(Buffer.byteLength(long), 4096);
      assert.match(long, /\tINFO\tLine 200 of 200: [^\n]*\n[^\n]*\tWARN\tThat was a lot\nEND RequestId/);
    });

    it('runs an Event in the background and answers at once', async () => {
      const answer = await invoke('hello', { name: 'Ada' }, { InvocationType: 'Event' });
      assert.deepEqual([answer.StatusCode, answer.text, answer.ExecutedVersion], [202, undefined, undefined]);
      await aws.until({ invocations: 1, functionName: 'hello', finished: true });
      const [run] = await aws.invocations('hello');
      assert.deepEqual([run?.event, run?.invocationType, run?.outcome], [{ name: 'Ada' }, 'Event', 'returned']);
    });

    it('runs a failed Event again only if it is told to', async () => {
      await invoke('fails', {}, { InvocationType: 'Event' });
      await aws.until({ invocations: 1, finished: true });
      await aws.settings({ eventRetries: 2 });
      await invoke('fails', {}, { InvocationType: 'Event' });
      await aws.until({ invocations: 4, finished: true });
      const ids = (await aws.invocations('fails')).map((each) => each.requestId);
      assert.equal(new Set(ids).size, 2);
      assert.equal(ids.length, 4);
    });

    it('checks but does not run with DryRun', async () => {
      const answer = await invoke('hello', {}, { InvocationType: 'DryRun' });
      assert.deepEqual([answer.StatusCode, answer.text], [204, undefined]);
      await assert.rejects(invoke('nobody', {}, { InvocationType: 'DryRun' }), { name: 'ResourceNotFoundException' });
      assert.deepEqual(await aws.invocations(), []);
    });

    const arn = 'arn:aws:lambda:us-east-1:111111111111:function';
    const pattern =
      'Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?' +
      '(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?';
    const long = 'a'.repeat(129);
    const missing = (rest: string) => [404, 'ResourceNotFoundException', `Function not found: ${arn}:${rest}`] as const;
    const invalid = (name: string) =>
      [
        400,
        'ValidationException',
        `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: ${pattern}`
      ] as const;
    const refused: [name: string, qualifier: string | undefined, error: readonly [number, string, string]][] = [
      ['nobody', undefined, missing('nobody:$LATEST')],
      ['hello', '1221', missing('hello:1221')],
      ['hello:nobody', undefined, missing('hello:nobody')],
      ['hello', '$latest', missing('hello:$latest')],
      ['a'.repeat(65), undefined, missing(`${'a'.repeat(65)}:$LATEST`)],
      [arn, undefined, missing('function:$LATEST')],
      ['greenhouse', undefined, missing('greenhouse:$LATEST')],
      ['invoices', undefined, missing('invoices:$LATEST')],
      ['*', undefined, invalid('*')],
      ['my-function!', undefined, invalid('my-function!')],
      ['invalid-account:function:my-function', undefined, invalid('invalid-account:function:my-function')],
      [`${arn}:my-function:1:2`, undefined, invalid(`${arn}:my-function:1:2`)],
      [`${arn}:my-function:$LATES`, undefined, invalid(`${arn}:my-function:$LATES`)],
      ['arn:aws:lambda::111111111111:function:x', undefined, invalid('arn:aws:lambda::111111111111:function:x')],
      [
        'hello',
        'invalid!',
        [
          400,
          'ValidationException',
          "1 validation error detected: Value 'invalid!' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
        ]
      ],
      [
        'my-function!',
        long,
        [
          400,
          'ValidationException',
          `2 validation errors detected: Value '${long}' at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128; Value 'my-function!' at 'functionName' failed to satisfy constraint: ${pattern}`
        ]
      ],
      [
        'hello:live',
        'old',
        [
          400,
          'InvalidParameterValueException',
          'The derived qualifier from the function name does not match the specified qualifier.'
        ]
      ],
      [
        'arn:aws:lambda:ap-southeast-1:111111111111:function:hello',
        undefined,
        [
          404,
          'ResourceNotFoundException',
          "Functions from 'ap-southeast-1' are not reachable in this region ('us-east-1')"
        ]
      ],
      [
        'arn:aws:lambda:us-east-1:222222222222:function:hello',
        undefined,
        [
          403,
          'AccessDeniedException',
          'User: arn:aws:iam::111111111111:user/demo is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:222222222222:function:hello because no resource-based policy allows the lambda:InvokeFunction action'
        ]
      ]
    ];
    for (const [name, Qualifier, error] of refused) {
      it(`answers ${name.slice(0, 60)}${Qualifier ? ` with ${Qualifier.slice(0, 20)}` : ''} with ${error[1]}`, async () => {
        await fails(invoke(name, {}, Qualifier ? { Qualifier } : {}), ...error);
      });
    }

    it('refuses a user who may not invoke', async () => {
      const text = (action: string, resource: string) =>
        `User: arn:aws:iam::111111111111:user/limited is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
      const client = lambda(signIns.limited);
      const invoked = client.send(new InvokeCommand({ FunctionName: 'hello' }));
      await fails(invoked, 403, 'AccessDeniedException', text('lambda:InvokeFunction', `${arn}:hello`));
      const listed = client.send(new ListFunctionsCommand({}));
      await fails(listed, 403, 'AccessDeniedException', text('lambda:ListFunctions', '*'));
    });

    it('refuses payloads that are no JSON', async () => {
      const words =
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: ";
      const start = 'Could not parse request body into json: Could not parse payload into json: ';
      const send = (Payload: Uint8Array) => invoke('hello', undefined, { Payload });
      const refuse = (body: string | number[], text: string) =>
        fails(send(Buffer.from(body as string)), 400, 'InvalidRequestContentException', start + text);
      await refuse('hello there', `Unrecognized token 'hello': was expecting ${words}6]`);
      await refuse(
        [0x99, 0xeb, 0x2c],
        `Unexpected character ((CTRL-CHAR, code 153)): expected a valid value ${words}1]`
      );
      await refuse([0x6e, 0x87, 0x72, 0x9e], `Invalid UTF-8 start byte 0x87${words.slice(words.indexOf('\n'))}3]`);
      await assert.rejects(send(Buffer.from('{"a": ')), { name: 'InvalidRequestContentException' });
      await assert.rejects(send(Buffer.from('[1 2]')), { name: 'InvalidRequestContentException' });
      assert.deepEqual(await aws.invocations(), []);
    });

    it('refuses what is too large', async () => {
      const text = (bytes: number) => ({ Payload: `"${'x'.repeat(bytes - 2)}"` });
      assert.equal((await invoke('returns-nothing', undefined, text(6_291_556))).text, 'null');
      await fails(
        invoke('returns-nothing', undefined, text(6_291_557)),
        413,
        'RequestTooLargeException',
        'Request must be smaller than 6291556 bytes for the InvokeFunction operation'
      );
      const event = { InvocationType: 'Event' } as const;
      assert.equal((await invoke('returns-nothing', undefined, { ...event, ...text(1_048_576) })).StatusCode, 202);
      await fails(
        invoke('hello', undefined, { ...event, ...text(1_048_577) }),
        413,
        'RequestTooLargeException',
        /limit 1048576 bytes/
      );
    });

    it('refuses a client context that is no JSON object or too long', async () => {
      const ClientContext = Buffer.from('[]').toString('base64');
      const text = 'Client context must be a valid Base64-encoded JSON object.';
      await fails(invoke('hello', {}, { ClientContext }), 400, 'InvalidRequestContentException', text);
      await assert.rejects(invoke('hello', {}, { ClientContext: 'A'.repeat(3584) }), {
        name: 'InvalidRequestContentException'
      });
    });

    it('lists the functions of an account and region, page by page', async () => {
      await aws.addFunctions({ count: 120, prefix: 'meter' });
      const client = lambda();
      const pages: string[][] = [];
      for await (const page of paginateListFunctions({ client }, {})) {
        pages.push((page.Functions ?? []).map((each) => each.FunctionName ?? ''));
      }
      const all = pages.flat();
      assert.deepEqual(
        pages.slice(0, -1).map((page) => page.length),
        Array.from({ length: pages.length - 1 }, () => 50)
      );
      assert.equal(all.filter((name) => name.startsWith('meter-')).length, 120);
      assert.ok(all.includes('hello') && !all.includes('invoices') && !all.includes('greenhouse'));
      assert.deepEqual(all, all.toSorted());
      const few = await client.send(new ListFunctionsCommand({ MaxItems: 3 }));
      assert.equal(few.Functions?.length, 3);
      const { Marker } = { Marker: few.NextMarker };
      const next = await client.send(new ListFunctionsCommand({ MaxItems: 3, Marker }));
      assert.deepEqual(
        next.Functions?.map((each) => each.FunctionName),
        all.slice(3, 6)
      );
    });

    it('lists every version where it is asked for, and functions of other regions there only', async () => {
      const { Functions = [] } = await lambda(signIns.second).send(
        new ListFunctionsCommand({ FunctionVersion: 'ALL' })
      );
      const hello = Functions.filter((each) => each.FunctionName === 'hello');
      const helloArn = 'arn:aws:lambda:us-east-1:222222222222:function:hello';
      assert.deepEqual(
        hello.map((each) => each.FunctionArn),
        [`${helloArn}:$LATEST`, `${helloArn}:1`, `${helloArn}:2`]
      );
      assert.equal(new Set(hello.map((each) => each.CodeSha256)).size, 3);
      const european = await lambda(signIns.demo, 'eu-central-1').send(new ListFunctionsCommand({}));
      assert.deepEqual(
        european.Functions?.map((each) => each.FunctionName),
        ['greenhouse', 'hello']
      );
    });

    const lists: [object, string, RegExp][] = [
      [{ MaxItems: 0 }, 'ValidationException', /Value '0' at 'maxItems'.*greater than or equal to 1$/],
      [{ MaxItems: 10_001 }, 'ValidationException', /'maxItems'.*less than or equal to 10000$/],
      [
        { FunctionVersion: 'invalid' },
        'ValidationException',
        /^1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: \[ALL\]$/
      ],
      [{ Marker: 'nonsense' }, 'InvalidParameterValueException', /Marker/]
    ];
    for (const [input, name, message] of lists) {
      it(`refuses a list with ${JSON.stringify(input)}`, () =>
        fails(lambda().send(new ListFunctionsCommand(input)), 400, name, message));
    }
  });

  describe('as SQS and SNS', () => {
    it('passes messages between clients of one account, whatever is in them', async () => {
      const client = sqs();
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'orders' }));
      assert.equal(QueueUrl, `${aws.url}/111111111111/orders`);
      const body = 'For 111111111111 and 000000000000 at http://sqs.us-east-1.localhost/000000000000/x';
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      assert.deepEqual(
        Messages?.map((each) => each.Body),
        [body]
      );
    });

    it('hands a topic on to a queue, with the ARNs of the account', async () => {
      const { TopicArn } = await sns().send(new CreateTopicCommand({ Name: 'alarms' }));
      assert.equal(TopicArn, 'arn:aws:sns:us-east-1:111111111111:alarms');
      const client = sqs();
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'alarms' }));
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] })
      );
      const Endpoint = Attributes?.QueueArn;
      assert.equal(Endpoint, 'arn:aws:sqs:us-east-1:111111111111:alarms');
      await sns().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
      const { MessageId } = await sns().send(new PublishCommand({ TopicArn, Message: 'Smoke & fire' }));
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      const envelope = JSON.parse(Messages?.[0]?.Body ?? '{}');
      assert.deepEqual(
        [envelope.MessageId, envelope.Message, envelope.TopicArn],
        [MessageId, 'Smoke & fire', TopicArn]
      );
    });

    it('gives a message back that was handed to a caller who had gone', async () => {
      const { QueueUrl } = await sqs().send(new CreateQueueCommand({ QueueName: 'patient' }));
      const gone = new AbortController();
      const poll = sqs().send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
        abortSignal: gone.signal
      });
      const operation = 'ReceiveMessage';
      await aws.until({ requests: 1, operation });
      gone.abort();
      await assert.rejects(poll, { name: 'AbortError' });
      await aws.until({ requests: 1, operation, finished: true });
      await sqs().send(new SendMessageCommand({ QueueUrl, MessageBody: 'still here' }));
      const { Messages } = await sqs().send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
      assert.deepEqual(
        Messages?.map((each) => each.Body),
        ['still here']
      );
    });

    it('keeps accounts apart', async () => {
      await sqs().send(new CreateQueueCommand({ QueueName: 'mine' }));
      const client = sqs(signIns.second);
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'mine' }));
      assert.equal(QueueUrl, `${aws.url}/222222222222/mine`);
      await sqs().send(new SendMessageCommand({ QueueUrl: `${aws.url}/111111111111/mine`, MessageBody: 'for one' }));
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
      assert.equal(Messages, undefined);
    });

    it('refuses the user who may do nothing', async () => {
      const call = sqs(signIns.limited).send(new CreateQueueCommand({ QueueName: 'no' }));
      await fails(call, 403, 'AccessDenied', /^User: arn:aws:iam::111111111111:user\/limited is not authorized/);
    });
  });

  describe('makes the faults it is asked for', () => {
    it('and counts real runs only, whatever the caller saw', async () => {
      for (const kind of ['resetBefore', 'throttle', 'error500', 'html', 'expired'] as const) {
        await aws.fault({ service: 'lambda', kind, times: 1 });
        await assert.rejects(invoke('hello'));
      }
      assert.equal((await aws.invocations()).length, 0);
      for (const kind of ['resetAfter', 'truncate', 'badJson'] as const) {
        await aws.fault({ service: 'lambda', operation: 'Invoke', functionName: 'hello', kind, times: 1 });
      }
      await assert.rejects(invoke('hello'), { code: 'ECONNRESET' });
      await assert.rejects(invoke('hello'));
      assert.equal((await invoke('hello')).text, '{"broken": ');
      assert.equal((await aws.invocations('hello')).length, 3);
      assert.equal((await invoke('hello')).text, '{"greeting":"Hello, world!"}');
    });

    it('with the names and codes of each service', async () => {
      await aws.fault({ kind: 'throttle', retryAfterSeconds: 3 });
      await assert.rejects(invoke('hello'), (error: Error & Record<string, unknown>) => {
        assert.deepEqual(
          [error.name, error.message, error.Reason, error.retryAfterSeconds],
          ['TooManyRequestsException', 'Rate Exceeded.', 'ReservedFunctionConcurrentInvocationLimitExceeded', '3']
        );
        return true;
      });
      await fails(sts().send(new GetCallerIdentityCommand({})), 400, 'Throttling', 'Rate exceeded');
      await assert.rejects(sqs().send(new CreateQueueCommand({ QueueName: 'x' })), { name: 'RequestThrottled' });
      await aws.clearFaults();
      await aws.fault({ kind: 'error500' });
      await assert.rejects(invoke('hello'), { name: 'ServiceException' });
      await assert.rejects(sts().send(new GetCallerIdentityCommand({})), { name: 'InternalFailure' });
      await aws.clearFaults();
      await aws.fault({ kind: 'error503' });
      await assert.rejects(sts().send(new GetCallerIdentityCommand({})), { name: 'ServiceUnavailable' });
    });

    it('never or late, as long as the caller waits', async () => {
      for (const kind of ['hang', 'hangAfter'] as const) {
        await aws.reset();
        await aws.fault({ kind });
        const gone = new AbortController();
        const call = lambda().send(new InvokeCommand({ FunctionName: 'hello' }), { abortSignal: gone.signal });
        if (kind === 'hang') await aws.until({ requests: 1 });
        else await aws.until({ invocations: 1, finished: true });
        gone.abort();
        await assert.rejects(call, { name: 'AbortError' });
        await aws.until({ requests: 1, finished: true });
        const [request] = await aws.requests();
        assert.deepEqual([request?.fault, request?.status], [kind, undefined]);
        assert.equal((await aws.invocations()).length, kind === 'hang' ? 0 : 1);
      }
      await aws.reset();
      await aws.fault({ kind: 'delay', delayMs: 150, times: 1 });
      await aws.fault({ kind: 'delayAfter', delayMs: 150, times: 1 });
      for (let count = 0; count < 2; count += 1) {
        const began = performance.now();
        await invoke('hello');
        assert.ok(performance.now() - began >= 145);
      }
    });

    it('after some, some of the time, and the same ones each time', async () => {
      await aws.fault({ kind: 'throttle', after: 2, times: 1 });
      const outcomes = async (count: number) => {
        const seen: string[] = [];
        for (let number = 0; number < count; number += 1) {
          seen.push(
            await lambda()
              .send(new ListFunctionsCommand({}))
              .then(
                () => '+',
                () => '-'
              )
          );
        }
        return seen.join('');
      };
      assert.equal(await outcomes(4), '++-+');
      const fault = { kind: 'error503', probability: 0.5, seed: 7 } as const;
      await aws.fault(fault);
      const first = await outcomes(16);
      await aws.clearFaults();
      await aws.fault(fault);
      assert.equal(await outcomes(16), first);
      assert.match(first, /\+/);
      assert.match(first, /-/);
    });
  });

  describe('checks its own answers against the clients', () => {
    const fn = { FunctionName: 'x', Timeout: 3, Environment: { Variables: { A: 'b' } }, Architectures: ['x86_64'] };
    it('and finds nothing wrong with a good one', () => {
      checkOutput('lambda', 'ListFunctionsResponse', { Functions: [fn], NextMarker: 'm' });
    });
    const bad: [output: object, message: RegExp][] = [
      [{ Functions: [{ ...fn, Nonsense: 1 }] }, /Functions\[0\] has no member Nonsense/],
      [{ Functions: [{ ...fn, Timeout: '3' }] }, /Functions\[0\]\.Timeout has a value of another type/],
      [{ Functions: [{ ...fn, Architectures: 'x86_64' }] }, /Architectures should be a list/],
      [{ Functions: [{ ...fn, Environment: { Variables: { A: 1 } } }] }, /Variables\.A has a value/],
      [{ Functions: {} }, /Functions should be a list/],
      [{ NextMarker: null }, /NextMarker has a value of another type/]
    ];
    for (const [output, message] of bad) {
      it(`and finds ${JSON.stringify(output).slice(0, 90)} wrong`, () => {
        assert.throws(() => checkOutput('lambda', 'ListFunctionsResponse', output), message);
      });
    }
    it('and its errors too', () => {
      const fields = { Type: 'User' };
      checkError('lambda', new AwsError(404, 'ResourceNotFoundException', '', { fields }));
      const status = new AwsError(400, 'ResourceNotFoundException', '', { fields });
      assert.throws(() => checkError('lambda', status), /is 400 and should be 404/);
      const member = new AwsError(404, 'ResourceNotFoundException', '', { fields: { Reason: 'x' } });
      assert.throws(() => checkError('lambda', member), /no member Reason/);
    });
  });

  describe('lets tests look behind the scenes', () => {
    it('at each request', async () => {
      const session = await assume();
      await aws.reset();
      const client = lambda(session, 'eu-west-1');
      await client.send(new InvokeCommand({ FunctionName: 'hello:live', Payload: '{}' }));
      await client.send(new ListFunctionsCommand({ MaxItems: 2 }));
      const [first, second] = await aws.requests();
      assert.deepEqual(first?.input, { FunctionName: 'hello:live', InvocationType: 'RequestResponse' });
      assert.deepEqual(
        [
          first?.service,
          first?.operation,
          first?.region,
          first?.accessKeyId,
          first?.sessionToken,
          first?.status,
          first?.bytes
        ],
        ['lambda', 'Invoke', 'eu-west-1', session.accessKeyId, true, 200, 2]
      );
      assert.deepEqual([second?.operation, second?.input], ['ListFunctions', { MaxItems: '2' }]);
      assert.equal(second?.connection, first?.connection);
      assert.equal(await aws.connections(), 1);
      const everything = JSON.stringify(await aws.requests());
      assert.ok(!everything.includes(session.sessionToken ?? assert.fail()), 'the log holds a session token');
    });

    it('and says what happened instead of what they waited for', async () => {
      await invoke('hello');
      await assert.rejects(
        aws.until({ invocations: 2 }, 20),
        /did not come true within 20 ms.*hello returned; Invoke 200/
      );
    });
  });

  describe('is hard to break', () => {
    const garbage = [
      'GET /2015-03-31/functions/%zz%/invocations HTTP/1.1\r\nHost: x\r\n\r\n',
      'POST /2015-03-31/functions//invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=////,Signature=,SignedHeaders=;;\r\nX-Amz-Date: x\r\nContent-Length: 0\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nAction=%E',
      'POST /_local/constructor HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
      'POST /_local/fault HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nnull',
      'POST /_local/reset HTTP/1.1\r\nHost: x\r\nOrigin: http://example.com\r\nContent-Length: 0\r\n\r\n',
      'NONSENSE\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
    ];
    for (const text of garbage) {
      it(`by ${JSON.stringify(text.slice(0, 70))}`, async () => {
        const answer = await rawSocket(text);
        assert.match(answer, /^HTTP\/1\.1 4\d\d /);
        assert.equal((await invoke('returns-number')).text, '42');
      });
    }

    it('by operations and services it does not have', async () => {
      const signed = (path: string, headers: Record<string, string>) => {
        const client = lambda();
        client.middlewareStack.add(
          (next) => (args) => {
            Object.assign(args.request as object, { path });
            Object.assign((args.request as { headers: object }).headers, headers);
            return next(args);
          },
          { step: 'build', priority: 'low' }
        );
        return client.send(new ListFunctionsCommand({}));
      };
      await fails(signed('/2015-03-31/layers', {}), 404, 'UnknownOperationException', /.+/);
    });

    it('by a body that is too large', async () => {
      const answer = await raw('POST', '/', {}, Buffer.alloc(16 * 1024 * 1024 + 1));
      assert.equal(answer.status, 413);
    });
  });

  function raw(method: string, path: string, headers: Record<string, string> = {}, body?: Buffer) {
    return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      const outgoing = request(`${aws.url}${path}`, { method, headers, agent: false }, async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk);
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString('utf8')
        });
      });
      outgoing.on('error', reject).end(body);
    });
  }

  function rawSocket(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(aws.url).port), '127.0.0.1', () => socket.write(text));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString('utf8'));
      });
      socket.once('error', reject);
      socket.once('close', () => resolve(''));
    });
  }
});

describe('The process of the local AWS', () => {
  it('uses the port and the functions it is given', async () => {
    const first = await LocalAws.start();
    const port = Number(new URL(first.url).port);
    assert.ok(port >= 20_000 && port < 32_768, String(port));
    await first.stop();
    const second = await LocalAws.start({ port, functions: 'local-aws/lambda/functions' });
    assert.equal(second.url, `http://127.0.0.1:${port}`);
    await second.stop();
  });

  it('tells that its port is taken', async () => {
    const first = await LocalAws.start();
    await assert.rejects(LocalAws.start({ port: Number(new URL(first.url).port) }), /before it was ready.*EADDRINUSE/s);
    await first.stop();
  });
});
