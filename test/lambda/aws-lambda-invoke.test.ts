import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { roles } from '../../local-aws/client';
import { asLogEntry } from '../../nodes/fields/lines';
import { useEnvironment } from '../account/environment';
import { callbackNode, deployAction, deployNodes, errorOf, invokeNode, sentBy, useBench, useQueues } from '../aws';
import { type Message, type Outcome, sink } from '../node-red';
import { Relay } from '../relay';

describe('aws-lambda-invoke', () => {
  const bench = useBench();

  /** Deploys the node with these properties and sends it a message. */
  async function invoke(properties: Record<string, unknown>, msg: Message = { payload: {} }): Promise<Outcome> {
    await deployAction(bench, invokeNode(properties));
    return bench.red.send('invoke', msg);
  }
  const [inputs, lastRequest] = [
    async () => (await bench.aws.requests()).map(({ input }) => input),
    async () => (await bench.aws.requests()).at(-1)
  ];

  describe('the answer', () => {
    it('goes on in the same message, whose other properties are kept', async () => {
      const outcome = await invoke({}, { payload: { name: 'Ada' }, topic: 'kept', deep: { own: 7 } });
      const msg = sentBy(outcome);
      assert.deepEqual(msg.payload, { greeting: 'Hello, Ada!' });
      assert.equal(msg.topic, 'kept');
      assert.deepEqual(msg.deep, { own: 7 });
      const { requestId, ...aws } = msg.aws as Record<string, unknown>;
      assert.match(String(requestId), /^[0-9a-f-]{36}$/);
      assert.deepEqual(aws, {
        service: 'lambda',
        operation: 'Invoke',
        region: 'us-east-1',
        statusCode: 200,
        attempts: 1,
        executedVersion: '$LATEST'
      });
    });

    for (const [functionName, answer] of [
      ['returns-list', [3, 'two', { one: 1 }, null]],
      ['returns-number', 42],
      ['returns-nothing', null]
    ] as const) {
      it(`is the JSON value as it is: ${functionName}`, async () => {
        assert.deepEqual(sentBy(await invoke({ functionName })).payload, answer);
      });
    }

    it('is {StatusCode, Payload} where the function gives no JSON', async () => {
      const msg = sentBy(await invoke({ functionName: 'plain-text' }));
      assert.deepEqual(msg.payload, { StatusCode: 200, Payload: 'All is well; this is no JSON.' });
    });

    it('is always the service’s own form with raw output, without absent members', async () => {
      const plain = sentBy(await invoke({ output: 'raw' }, { payload: { name: 'Ada' } }));
      assert.deepEqual(plain.payload, {
        StatusCode: 200,
        Payload: '{"greeting":"Hello, Ada!"}',
        ExecutedVersion: '$LATEST'
      });
      const failed = sentBy(
        await invoke({ functionName: 'fails', output: 'raw', functionError: 'output', logTail: true })
      ).payload as Record<string, string>;
      assert.deepEqual(Object.keys(failed).sort(), [
        'ExecutedVersion',
        'FunctionError',
        'LogResult',
        'Payload',
        'StatusCode'
      ]);
      assert.match(failed.LogResult as string, /^START RequestId: .*Asking porch/s);
    });
  });

  describe('functionName and qualifier', () => {
    const account = '111111111111';
    for (const [functionName, version] of [
      ['hello:live', '2'],
      [`${account}:function:hello:old`, '1'],
      [`arn:aws:lambda:us-east-1:${account}:function:hello`, '$LATEST'],
      [`arn:aws:lambda:us-east-1:${account}:function:hello:2`, '2']
    ] as const) {
      it(`takes ${functionName}`, async () => {
        assert.equal(sentBy(await invoke({ functionName })).aws?.executedVersion, version);
      });
    }

    it('goes to the region that the ARN names', async () => {
      const msg = sentBy(await invoke({ functionName: `arn:aws:lambda:eu-west-1:${account}:function:hello` }));
      assert.equal(msg.aws?.region, 'eu-west-1');
      assert.equal((await lastRequest())?.region, 'eu-west-1');
    });

    for (const [partition, region] of [
      ['aws-cn', 'cn-north-1'],
      ['aws-eusc', 'eusc-de-east-1'],
      ['aws-iso-b', 'us-isob-east-1']
    ] as const) {
      it(`goes to the region that the ARN names in the partition ${partition}`, async () => {
        await invoke({ functionName: `arn:${partition}:lambda:${region}:${account}:function:hello` });
        assert.equal((await lastRequest())?.region, region);
      });
    }

    it('sends a qualifier that is given, and none by default', async () => {
      assert.equal(sentBy(await invoke({ qualifier: 'live', qualifierType: 'str' })).aws?.executedVersion, '2');
      assert.equal(sentBy(await invoke({})).aws?.executedVersion, '$LATEST');
      assert.deepEqual(
        (await inputs()).map(({ Qualifier }) => Qualifier),
        ['live', undefined]
      );
    });

    it('takes a version that comes as a number', async () => {
      const outcome = await invoke({ qualifier: 'version', qualifierType: 'msg' }, { payload: 1, version: 2 });
      assert.equal(sentBy(outcome).aws?.executedVersion, '2');
    });

    it('takes name and qualifier from the message', async () => {
      const from = { functionName: 'fn', functionNameType: 'msg', qualifier: 'q', qualifierType: 'msg' };
      assert.equal(sentBy(await invoke(from, { payload: 1, fn: 'hello', q: 'old' })).aws?.executedVersion, '1');
      assert.equal(sentBy(await bench.red.send('invoke', { payload: 1, fn: 'hello' })).aws?.executedVersion, '$LATEST');
    });
  });

  describe('invocationType', () => {
    it('Event is accepted with 202 and no payload, and the function runs', async () => {
      const msg = sentBy(await invoke({ invocationType: 'Event' }, { payload: { name: 'later' } }));
      assert.deepEqual(msg.payload, { StatusCode: 202 });
      assert.equal(msg.aws?.statusCode, 202);
      await bench.aws.until({ invocations: 1, functionName: 'hello', finished: true });
      assert.deepEqual((await bench.aws.invocations())[0]?.event, { name: 'later' });
    });

    it('DryRun is accepted with 204, and the function does not run', async () => {
      const msg = sentBy(await invoke({ invocationType: 'DryRun' }));
      assert.deepEqual(msg.payload, { StatusCode: 204 });
      assert.deepEqual(await bench.aws.invocations(), []);
    });
  });

  describe('payload', () => {
    const echoed = async (properties: Record<string, unknown>, msg: Message): Promise<unknown> => {
      const { event } = sentBy(await invoke({ functionName: 'echo', ...properties }, msg)).payload as Record<
        string,
        unknown
      >;
      return event;
    };

    for (const [what, payload, event] of [
      ['text that is JSON goes as it is', '{"a": [1, 2]}', { a: [1, 2] }],
      ['a Buffer that is JSON goes as it is', Buffer.from('[true]'), [true]],
      ['text that is no JSON goes as a JSON text', 'hello there', 'hello there'],
      ['a Buffer that is no JSON goes as its JSON', Buffer.from([255, 1]), { type: 'Buffer', data: [255, 1] }],
      ['an object goes as its JSON', { when: new Date(0) }, { when: '1970-01-01T00:00:00.000Z' }],
      ['empty text is a value', '', ''],
      ['null is a value', null, null],
      ['zero is a value', 0, 0],
      ['false is a value', false, false],
      ['other scripts arrive unharmed', { text: 'Grüße, 世界 🌍' }, { text: 'Grüße, 世界 🌍' }]
    ] as const) {
      it(what, async () => {
        assert.deepEqual(await echoed({}, { payload }), event);
      });
    }

    it('is sent as it came, also where the flow writes into its Buffer while the sign-in is waited for', async () => {
      await bench.aws.fault({ kind: 'delay', delayMs: 300, service: 'sts', times: 1 });
      await deployAction(bench, invokeNode({ functionName: 'echo' }), { roleArn: roles.demo.arn, validate: false });
      const payload = Buffer.from('{"as": "it came"}');
      const outcome = await bench.red.begin('invoke', { payload });
      payload.fill(0x20);
      await bench.red.until(() => outcome.done > 0, 'the message to end');
      assert.deepEqual((sentBy(outcome).payload as { event: unknown }).event, { as: 'it came' });
    });

    it('is sent byte for byte where it is JSON already', async () => {
      await invoke({ functionName: 'echo' }, { payload: '  {"a" : 1e2}' });
      assert.equal((await lastRequest())?.bytes, '  {"a" : 1e2}'.length);
    });

    for (const [what, payload] of [
      ['text', '\ufeff{"a":1}'],
      ['a Buffer', Buffer.from('\ufeff{"a":1}')]
    ] as const) {
      it(`is JSON also behind a byte order mark, which the service does not get: ${what}`, async () => {
        await invoke({ functionName: 'echo' }, { payload });
        assert.equal((await lastRequest())?.bytes, '{"a":1}'.length);
      });
    }

    it('may come from another place: a transform sees the whole message', async () => {
      const expression = '{"name": user.first & " " & $uppercase(user.last), "env": $env("NIMBUS_TEST")}';
      process.env.NIMBUS_TEST = 'from the environment';
      const msg = { payload: 'untouched', user: { first: 'Ada', last: 'Lovelace' } };
      assert.deepEqual(await echoed({ payload: expression, payloadType: 'jsonata' }, msg), {
        name: 'Ada LOVELACE',
        env: 'from the environment'
      });
      delete process.env.NIMBUS_TEST;
    });

    it('may be a JSON literal', async () => {
      assert.deepEqual(await echoed({ payload: '{"fixed": true}', payloadType: 'json' }, {}), { fixed: true });
      assert.deepEqual(await echoed({ payload: '\ufeff{"fixed": true}', payloadType: 'json' }, {}), { fixed: true });
    });

    it('may be just under the limit of the service', async () => {
      const msg = sentBy(await invoke({ functionName: 'returns-number' }, { payload: 'x'.repeat(6_000_000) }));
      assert.equal(msg.payload, 42);
    });
  });

  describe('clientContext and hostContext', () => {
    const contextOf = async (properties: Record<string, unknown>, msg: Message = { payload: 1 }) => {
      const answer = sentBy(await invoke({ functionName: 'echo', ...properties }, msg)).payload;
      return (answer as { context: { clientContext: unknown } }).context.clientContext;
    };
    const custom = { clientContext: '{"two": "three"}', clientContextType: 'json' };

    it('arrives as custom', async () => {
      assert.deepEqual(await contextOf(custom), { custom: { two: 'three' } });
      const encoded = (await lastRequest())?.headers['x-amz-client-context'] ?? '';
      assert.equal(Buffer.from(encoded, 'base64').toString(), '{"custom":{"two":"three"}}');
    });

    it('is not sent when blank', async () => {
      assert.equal(await contextOf({}), null);
    });

    it('is sent as it is with a custom object of its own, so that other members go along', async () => {
      const context = { custom: { two: 'three' }, hass: { device_id: 'porch' }, client: null };
      const given = { clientContext: 'context', clientContextType: 'msg' };
      assert.deepEqual(await contextOf(given, { payload: 1, context }), context);
      const { host, ...rest } = (await contextOf({ ...given, hostContext: true }, { payload: 1, context })) as {
        host: object;
      };
      assert.deepEqual(rest, context);
      assert.ok('nodeRedVersion' in host);
    });

    for (const [what, value] of [
      ['a list', ['custom']],
      ['text', 'custom'],
      ['an object whose custom is text', { custom: 'x' }],
      ['an object whose custom is a list', { custom: [1], hass: 1 }],
      ['an object whose custom is null', { custom: null }]
    ] as const) {
      it(`arrives as custom: ${what}`, async () => {
        const given = { clientContext: 'context', clientContextType: 'msg' };
        assert.deepEqual(await contextOf(given, { payload: 1, context: value }), { custom: value });
      });
    }

    it('tells about the host beside custom', async () => {
      const { custom: value, host } = (await contextOf({ ...custom, hostContext: true, name: 'caller' })) as {
        custom: unknown;
        host: Record<string, string>;
      };
      assert.deepEqual(value, { two: 'three' });
      assert.deepEqual(Object.keys(host), ['nodeRedVersion', 'nodeVersion', 'flow', 'node', 'timeZone']);
      // Within a repository Node-RED adds “-git” to its own version.
      assert.equal(host.nodeRedVersion?.replace('-git', ''), bench.red.version);
      assert.equal(host.nodeVersion, process.version);
      assert.equal(host.node, 'caller');
      assert.ok(host.flow && host.timeZone);
    });

    describe('names the time zone', () => {
      const env = useEnvironment();
      const zoneWith = async (TZ: string) => {
        env.set({ TZ });
        const { host } = (await contextOf({ hostContext: true })) as { host: { timeZone?: string } };
        return host.timeZone;
      };

      it('of TZ', async () => {
        assert.equal(await zoneWith('Asia/Tokyo'), 'Asia/Tokyo');
        assert.equal(await zoneWith(':Europe/Berlin'), 'Europe/Berlin');
      });

      it('of the file that TZ names, be it a link', async () => {
        // A path with digits in it would count as none for JavaScript, which then looks elsewhere.
        const letters = randomUUID().replace(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)));
        const folder = join(tmpdir(), `nimbus-zone-${letters}`);
        const file = join(folder, 'zoneinfo', 'Asia', 'Kolkata');
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, '');
        const link = join(folder, 'localtime');
        symlinkSync(file, link);
        for (const path of [file, link]) {
          assert.equal(await zoneWith(`:${path}`), 'Asia/Kolkata');
          assert.equal(await zoneWith(path), 'Asia/Kolkata');
        }
        rmSync(folder, { recursive: true });
      });

      it('by its distance from UTC where there is no name for it', async () => {
        assert.equal(await zoneWith(''), 'UTC');
        assert.equal(await zoneWith('nowhere'), 'UTC');
        // As POSIX has it, so many hours behind UTC.
        assert.equal(await zoneWith('UTC+3'), '-03:00');
        assert.match((await zoneWith(':/etc/localtime')) ?? '', /^(?:[A-Z]\w+(?:\/[\w+-]+)*|[+-]\d\d:\d\d)$/);
      });
    });

    it('tells about the host alone', async () => {
      assert.deepEqual(Object.keys((await contextOf({ hostContext: true })) as object), ['host']);
    });

    it('is for RequestResponse only', async () => {
      sentBy(await invoke({ ...custom, hostContext: true, logTail: true, invocationType: 'Event' }));
      const headers = (await lastRequest())?.headers ?? {};
      assert.equal(headers['x-amz-client-context'], undefined);
      assert.equal(headers['x-amz-log-type'], undefined);
    });
  });

  describe('logTail', () => {
    it('gives the last 4 KB of the log, decoded, in the message and in the runtime log', async () => {
      const { aws } = sentBy(await invoke({ functionName: 'chatty', logTail: true }));
      const log = aws?.log as string;
      assert.match(log, /Line 200 of 200/);
      assert.match(log, /REPORT RequestId: /);
      assert.ok(Buffer.byteLength(log) <= 4096 && Buffer.byteLength(log) > 3000);
      const entries = bench.red.logs.filter(({ level, id }) => level === 'info' && id === 'invoke');
      assert.deepEqual(
        entries.map(({ text }) => text),
        [asLogEntry(log)]
      );
    });

    it('is not asked for by default', async () => {
      assert.equal(sentBy(await invoke({ functionName: 'chatty' })).aws?.log, undefined);
    });
  });

  describe('a function that fails', () => {
    it('ends in a FunctionError with its type, message, trace and log', async () => {
      const outcome = await invoke({ functionName: 'fails', logTail: true }, { payload: { sensor: 'cellar' } });
      const error = errorOf(outcome);
      assert.equal(error.name, 'FunctionError');
      assert.equal(error.code, 'FunctionError');
      assert.equal(error.errorType, 'SensorOffline');
      assert.equal(error.errorMessage, 'The sensor cellar does not answer');
      assert.ok(Array.isArray(error.stackTrace) && error.stackTrace.length > 0);
      assert.match(String(error.log), /Asking cellar/);
      assert.match(error.message, /fails.*SensorOffline: The sensor cellar does not answer/);
      assert.equal(error.statusCode, 200);
      assert.equal(error.service, 'lambda');
      assert.equal(error.operation, 'Invoke');
      assert.equal(error.retryable, false);
      assert.match(String(error.requestId), /^[0-9a-f-]{36}$/);
      assert.deepEqual(outcome.msg.payload, { sensor: 'cellar' });
      assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.functionFailed' });
    });

    it('ends in a FunctionError when it threw no Error', async () => {
      const { name, errorMessage } = errorOf(await invoke({ functionName: 'throws-text' }));
      assert.deepEqual({ name, errorMessage }, { name: 'FunctionError', errorMessage: 'out of paper' });
    });

    it('ends in a FunctionError when its runtime went down or its time was up', async () => {
      assert.match(String(errorOf(await invoke({ functionName: 'crashes' })).errorType), /Runtime\.ExitError/);
      assert.match(
        String(errorOf(await invoke({ functionName: 'sleeps-too-long' })).errorMessage),
        /timed out after 1/
      );
    });

    for (const [what, body, expected] of [
      ['plain text', 'out of paper', { errorType: 'Unhandled', errorMessage: 'out of paper', reason: 'out of paper' }],
      ['text', '"out of ink"', { errorType: 'Unhandled', errorMessage: 'out of ink', reason: 'out of ink' }],
      ['a message', '{"message":"no ink"}', { errorType: 'Unhandled', errorMessage: 'no ink', reason: 'no ink' }],
      [
        'a type and a message behind a byte order mark',
        '\ufeff{"errorType":"Ink","message":"none"}',
        { errorType: 'Ink', errorMessage: 'none', reason: 'Ink: none' }
      ],
      [
        'an object',
        '{"errorMessage":{"code":7}}',
        { errorType: 'Unhandled', errorMessage: { code: 7 }, reason: '{"code":7}' }
      ],
      ['nothing', '{}', { errorType: 'Unhandled', errorMessage: '', reason: 'it gave no reason' }],
      ['null', 'null', { errorType: 'Unhandled', errorMessage: '', reason: 'it gave no reason' }]
    ] as const) {
      it(`keeps what it says: ${what}`, async () => {
        const headers = { 'X-Amz-Function-Error': 'Unhandled', 'x-amzn-RequestId': 'one' };
        const relay = await Relay.start(bench.aws.url);
        relay.answer = () => ({ body, headers });
        await deployAction(bench, invokeNode(), { endpoint: relay.url });
        const { errorType, errorMessage, message, cause } = errorOf(await bench.red.send('invoke', { payload: 1 }));
        const { reason, ...told } = expected;
        assert.deepEqual({ errorType, errorMessage }, told);
        assert.equal(message, `The function hello failed: ${reason}`);
        assert.deepEqual((cause as { errorMessage: unknown }).errorMessage, told.errorMessage);
        await relay.stop();
      });
    }

    it('answers JSON behind a byte order mark', async () => {
      const relay = await Relay.start(bench.aws.url);
      relay.answer = () => ({ body: '\ufeff{"a":1}', headers: { 'x-amzn-RequestId': 'one' } });
      await deployAction(bench, invokeNode(), { endpoint: relay.url });
      assert.deepEqual(sentBy(await bench.red.send('invoke', { payload: 1 })).payload, { a: 1 });
      await relay.stop();
    });

    it('goes on with its payload where that is asked for', async () => {
      const msg = sentBy(await invoke({ functionName: 'fails', functionError: 'output' }));
      assert.equal(msg.aws?.functionError, 'Unhandled');
      assert.equal((msg.payload as { errorType: string }).errorType, 'SensorOffline');
    });

    it('is not run again, whatever the retries', async () => {
      errorOf(await invoke({ functionName: 'fails', retries: 3 }));
      assert.equal((await bench.aws.invocations('fails')).length, 1);
    });
  });

  describe('timeout', () => {
    it('ends the message with Timeout, and the function was invoked once', async () => {
      const error = errorOf(
        // Long enough for the function to begin, on whatever machine.
        await invoke({ functionName: 'slow', timeout: 2.5, retries: 5 }, { payload: { ms: 30_000 } })
      );
      assert.equal(error.name, 'Timeout');
      assert.equal(error.retryable, true);
      assert.match(error.message, /2\.5 s/);
      assert.equal((await bench.aws.invocations('slow')).length, 1);
    });

    it('may be stored as text', async () => {
      const error = errorOf(await invoke({ functionName: 'slow', timeout: '0.2' }, { payload: { ms: 3000 } }));
      assert.equal(error.name, 'Timeout');
    });
  });

  describe('retries', () => {
    // A function that was invoked before, and not waited for, may begin only now.
    const counts = async () => ({
      requests: (await bench.aws.requests()).length,
      invocations: (await bench.aws.invocations('hello')).length
    });

    it('are none by default, even where the function cannot have run', async () => {
      await bench.aws.fault({ kind: 'throttle', times: 1 });
      const error = errorOf(await invoke({}));
      assert.equal(error.name, 'TooManyRequestsException');
      assert.equal(error.retryable, true);
      assert.equal(error.statusCode, 429);
      assert.deepEqual(await counts(), { requests: 1, invocations: 0 });
    });

    it('follow a throttled invocation', async () => {
      await bench.aws.fault({ kind: 'throttle', times: 2 });
      assert.equal(sentBy(await invoke({ retries: 2 })).aws?.attempts, 3);
      assert.deepEqual(await counts(), { requests: 3, invocations: 1 });
    });

    it('end when they are used up', async () => {
      await bench.aws.fault({ kind: 'throttle' });
      assert.equal(errorOf(await invoke({ retries: 2 })).name, 'TooManyRequestsException');
      assert.deepEqual(await counts(), { requests: 3, invocations: 0 });
    });

    for (const kind of ['resetBefore', 'resetAfter', 'error500', 'error503', 'html', 'truncate', 'expired'] as const) {
      it(`do not follow where the function may have run: ${kind}`, async () => {
        await bench.aws.fault({ kind, times: 1 });
        errorOf(await invoke({ retries: 5 }));
        const after = kind === 'resetAfter' || kind === 'truncate';
        assert.deepEqual(await counts(), { requests: 1, invocations: after ? 1 : 0 });
      });
    }

    it('say that the request may have been carried out when the connection broke', async () => {
      await bench.aws.fault({ kind: 'resetAfter', times: 1 });
      const error = errorOf(await invoke({}));
      assert.equal(error.name, 'ECONNRESET');
      assert.match(error.message, /may have been carried out/);
    });
  });

  describe('many functions', () => {
    const list = (...targets: unknown[]) => ({ functionName: JSON.stringify(targets), functionNameType: 'json' });

    it('are invoked all at once, and the answers come in their order', async () => {
      const msg = sentBy(await invoke(list('hello:old', 'returns-number', 'hello'), { payload: { name: 'all' } }));
      assert.deepEqual(
        (msg.payload as Array<{ target: string }>).map(({ target }) => target),
        ['hello:old', 'returns-number', 'hello']
      );
      assert.deepEqual((msg.payload as unknown[])[1], { target: 'returns-number', result: 42 });
      const { service, operation, requests, ...rest } = msg.aws as {
        requests: Array<Record<string, unknown>>;
      } & Record<string, unknown>;
      assert.deepEqual({ service, operation, rest }, { service: 'lambda', operation: 'Invoke', rest: {} });
      assert.deepEqual(
        requests.map(({ target, region, statusCode, attempts }) => [target, region, statusCode, attempts]),
        ['hello:old', 'returns-number', 'hello'].map((target) => [target, 'us-east-1', 200, 1])
      );
      assert.equal(new Set(requests.map(({ requestId }) => requestId)).size, 3);
    });

    it('are in flight at the same time, and the status says how many', async () => {
      const outcome = await bench.red
        .deploy([])
        .then(() => deployAction(bench, invokeNode(list('slow', 'slow', 'slow'))))
        .then(() => bench.red.begin('invoke', { payload: { ms: 300 } }));
      await bench.aws.until({ invocations: 3, functionName: 'slow' });
      await bench.red.until(() => outcome.done === 1);
      const [one, three] = outcome.statuses;
      assert.deepEqual(one, { fill: 'blue', shape: 'dot', text: 'status.requesting' });
      // Those that begin in the same turn are shown together.
      assert.deepEqual(three, { fill: 'blue', shape: 'dot', text: '3' });
      assert.deepEqual(outcome.statuses.at(-1), {});
    });

    it('fail together as PartialFailure, with the results of all', async () => {
      const outcome = await invoke(list('hello', 'fails', 'no-such', 17), { payload: { name: 'x' } });
      const error = errorOf(outcome);
      assert.equal(error.name, 'PartialFailure');
      const results = error.results as Array<{
        target: unknown;
        result?: unknown;
        error?: { name: string; message: string };
      }>;
      assert.deepEqual(
        results.map(({ target, result, error: failure }) => [target, result, failure?.name]),
        [
          ['hello', { greeting: 'Hello, x!' }, undefined],
          ['fails', undefined, 'FunctionError'],
          ['no-such', undefined, 'ResourceNotFoundException'],
          [17, undefined, 'InvalidValue']
        ]
      );
      assert.match(results[2]?.error?.message ?? '', /Function not found/);
      assert.match(error.message, /3 of 4/);
      assert.deepEqual(outcome.msg.payload, { name: 'x' });
    });

    it('go each to the region of its ARN', async () => {
      const arn = (region: string) => `arn:aws:lambda:${region}:111111111111:function:hello`;
      const msg = sentBy(await invoke(list(arn('eu-west-1'), arn('eu-central-1'))));
      assert.deepEqual(
        (msg.aws as { requests: Array<{ region: string }> }).requests.map(({ region }) => region),
        ['eu-west-1', 'eu-central-1']
      );
    });

    it('may be one', async () => {
      const msg = sentBy(await invoke(list('returns-number')));
      assert.deepEqual(msg.payload, [{ target: 'returns-number', result: 42 }]);
    });
  });

  describe('tenantId', () => {
    const ofTenant = { functionName: 'tenants', tenantId: 'customer', tenantIdType: 'msg' };

    it('is the tenant, who shares no instance of the function with another one', async () => {
      await deployAction(bench, invokeNode(ofTenant));
      const answers: unknown[] = [];
      for (const customer of ['blue', 'green', 'blue', 17]) {
        answers.push(sentBy(await bench.red.send('invoke', { payload: 1, customer })).payload);
      }
      assert.deepEqual(
        answers,
        [
          ['blue', 1],
          ['green', 1],
          ['blue', 2],
          ['17', 1]
        ].map(([tenantId, calls]) => ({ tenantId, calls }))
      );
    });

    it('is sent with an Event, too', async () => {
      sentBy(await invoke({ ...ofTenant, invocationType: 'Event' }, { payload: 1, customer: 'a/b:c@d e' }));
      await bench.aws.until({ invocations: 1, functionName: 'tenants', finished: true });
      assert.equal((await bench.aws.invocations())[0]?.tenantId, 'a/b:c@d e');
    });

    it('is not sent by default, which a function with tenants refuses', async () => {
      const error = errorOf(await invoke({ functionName: 'tenants' }));
      assert.deepEqual([error.name, error.statusCode], ['InvalidParameterValueException', 400]);
      assert.match(error.message, /Add a valid tenant ID/);
      assert.equal((await lastRequest())?.headers['x-amz-tenant-id'], undefined);
    });
  });

  describe('durableName', () => {
    const queues = useQueues(bench);
    const ofOrder = { functionName: 'waits:live', durableName: '"order-" & number', durableNameType: 'jsonata' };
    const payload = { queue: 'asked' };
    /** IDs of callbacks that functions have handed out. */
    const asked = async (queue: string) => {
      const messages = await queues.receive(queue, { WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
      return messages.map(({ Body = '' }) => (JSON.parse(Body) as { callbackId: string }).callbackId);
    };

    it('names an execution: the same name and payload give the same one, be it under way or done', async () => {
      const queue = await queues.createNamed('asked');
      await deployNodes(bench, [invokeNode(ofOrder), callbackNode(), sink('out'), sink('called')]);
      const both = await Promise.all([1, 2].map(() => bench.red.begin('invoke', { payload, number: 7 })));
      await bench.aws.until({ requests: 2, operation: 'Invoke' });
      const [callbackId, ...more] = await asked(queue);
      assert.deepEqual(more, []);
      sentBy(await bench.red.send('callback', { callbackId, payload: 'yes' }));
      await bench.red.until(() => both.every(({ done }) => done > 0), 'both to end', 60_000);
      const again = await bench.red.send('invoke', { payload, number: 7 }, 60_000);
      const answers = [...both, again].map(sentBy);
      for (const answer of answers) assert.deepEqual(answer.payload, { answer: '"yes"' });
      const [arn, ...others] = answers.map(({ aws }) => aws?.durableExecutionArn);
      assert.match(String(arn), /:function:waits:1\/durable-execution\/order-7\/[\w-]+$/);
      assert.deepEqual(others, [arn, arn]);
      const { visible, hidden } = await queues.counts(queue);
      assert.equal(visible + hidden, 1);

      const refused = await bench.red.send('invoke', { payload: { ...payload, timeout: 1 }, number: 7 });
      const error = errorOf(refused);
      assert.deepEqual(
        [error.name, error.statusCode, error.retryable],
        ['DurableExecutionAlreadyStartedException', 409, false]
      );
      assert.match(error.message, /another payload/);
      assert.deepEqual(refused.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.nameTaken' });
    });

    it('says with an Event which execution it is, and need not be there', async () => {
      const durable = { functionName: 'waits:live', invocationType: 'Event' };
      const { payload: answer, aws } = sentBy(await invoke(durable, { payload: { queue: 'nobody' } }));
      assert.deepEqual(answer, { StatusCode: 202 });
      assert.match(String(aws?.durableExecutionArn), /\/durable-execution\/[\w-]+\/[\w-]+$/);
      assert.equal((await lastRequest())?.headers['x-amz-durable-execution-name'], undefined);
    });

    it('needs a version or alias, as AWS says', async () => {
      const error = errorOf(await invoke({ ...ofOrder, functionName: 'waits' }, { payload, number: 8 }));
      assert.equal(error.name, 'InvalidParameterValueException');
      assert.match(error.message, /unqualified ARN/);
      const named = { ...ofOrder, functionName: 'waits', qualifier: 'live', qualifierType: 'str' };
      const { aws } = sentBy(await invoke({ ...named, invocationType: 'Event' }, { payload, number: 9 }));
      assert.match(String(aws?.durableExecutionArn), /\/order-9\//);
    });
  });

  it('keeps many messages at once apart', async () => {
    await deployAction(bench, invokeNode());
    const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
    const outcomes = await bench.red.sendMany(
      'invoke',
      names.map((name) => ({ payload: { name }, topic: name })),
      60_000
    );
    for (const outcome of outcomes) {
      const msg = sentBy(outcome);
      assert.deepEqual(msg.payload, { greeting: `Hello, ${msg.topic}!` });
    }
    assert.equal((await inputs()).length, 300);
  });
});
