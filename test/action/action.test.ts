import assert from 'node:assert/strict';
import {
  account,
  assertFailed,
  credentials,
  deployAction,
  deployNodes,
  invokeNode,
  keysOf,
  listNode,
  useBench
} from '../aws';
import { type FlowNode, type Message, type NodeError, type Outcome, sink } from '../node-red';

/** What all actions have in common, shown with aws-lambda-invoke. */
describe('every action', () => {
  const bench = useBench();

  async function invoke(properties: Record<string, unknown>, msg: Message = { payload: {} }): Promise<Outcome> {
    await deployAction(bench, invokeNode(properties));
    return bench.red.send('invoke', msg);
  }
  const deploy = (...nodes: FlowNode[]) =>
    bench.red.deploy([account(bench), sink('out'), ...nodes], { credentials: credentials() });
  const lastRequest = async () => (await bench.aws.requests()).at(-1);
  const nameOf = (outcome: Outcome) => {
    assert.equal(outcome.done, 1);
    return outcome.error?.name;
  };

  describe('reads typed fields', () => {
    const answer = async (functionName: string, functionNameType: string, msg: Message = { payload: {} }) =>
      (await invoke({ functionName, functionNameType }, msg)).sent[0]?.payload;

    it('from the message, also deep inside and by another property', async () => {
      assert.equal(await answer('fn.names[1]', 'msg', { payload: 1, fn: { names: ['x', 'returns-number'] } }), 42);
      assert.equal(await answer('fns[msg.topic]', 'msg', { payload: 1, topic: 'a', fns: { a: 'returns-number' } }), 42);
    });

    for (const scope of ['flow', 'global'] as const) {
      it(`from ${scope} context`, async () => {
        await deploy(invokeNode({ functionName: 'settings.fn', functionNameType: scope }));
        const context = bench.red.node('invoke').context() as Record<
          string,
          { set(key: string, value: unknown): void }
        >;
        context[scope]?.set('settings', { fn: 'returns-number' });
        assert.equal((await bench.red.send('invoke')).error?.name, 'MissingValue', 'the payload is required');
        assert.equal((await bench.red.send('invoke', { payload: 1 })).sent[0]?.payload, 42);
      });
    }

    it('from the environment', async () => {
      process.env.NIMBUS_FUNCTION = 'returns-number';
      assert.equal(await answer('NIMBUS_FUNCTION', 'env'), 42);
      delete process.env.NIMBUS_FUNCTION;
    });

    it('from an expression, which may look into the context and use Node-RED’s functions', async () => {
      const functionName = '$flowContext("fn") & "-" & $join(["num", "ber"])';
      await deploy(invokeNode({ functionName, functionNameType: 'jsonata' }));
      const context = bench.red.node('invoke').context() as { flow: { set(key: string, value: unknown): void } };
      context.flow.set('fn', 'returns');
      assert.equal((await bench.red.send('invoke', { payload: 1 })).sent[0]?.payload, 42);
      assert.match(
        String(
          await answer('$moment(0).toISOString() = "1970-01-01T00:00:00.000Z" ? "returns-number" : "no"', 'jsonata')
        ),
        /42/
      );
    });

    it('by the contract’s defaults where a flow does not hold them', async () => {
      await deploy({
        id: 'invoke',
        type: 'aws-lambda-invoke',
        account: 'account',
        functionName: 'returns-number',
        wires: [['out']]
      });
      assert.equal((await bench.red.send('invoke', { payload: 1 })).sent[0]?.payload, 42);
    });

    it('and plain ones with environment variables in them', async () => {
      process.env.NIMBUS_OUTPUT = 'raw';
      process.env.NIMBUS_SECONDS = '0.2';
      const outcome = await invoke({ functionName: 'returns-number', output: '${NIMBUS_OUTPUT}' });
      assert.deepEqual(outcome.sent[0]?.payload, { StatusCode: 200, Payload: '42', ExecutedVersion: '$LATEST' });
      const late = await invoke({ functionName: 'slow', timeout: '${NIMBUS_SECONDS}' }, { payload: { ms: 3000 } });
      assert.equal(nameOf(late), 'Timeout');
      delete process.env.NIMBUS_OUTPUT;
      delete process.env.NIMBUS_SECONDS;
    });

    it('and ignores those that the node does not show', async () => {
      const hidden = { clientContext: '$error("no")', clientContextType: 'jsonata' };
      assert.equal(nameOf(await invoke({ ...hidden, invocationType: 'Event' })), undefined);
      assert.equal(nameOf(await invoke(hidden)), 'InvalidValue');
    });
  });

  describe('region', () => {
    const arn = 'arn:aws:lambda:eu-west-1:111111111111:function:hello';

    it('is the account’s where nothing else names one', async () => {
      await invoke({});
      assert.equal((await lastRequest())?.region, 'us-east-1');
    });

    it('of the node goes before the one of the ARN, and may come from the message', async () => {
      const outcome = await invoke({ region: 'where', regionType: 'msg' }, { payload: {}, where: 'eu-central-1' });
      assert.equal(outcome.sent[0]?.aws?.region, 'eu-central-1');
      await bench.red.send('invoke', { payload: {} });
      assert.equal((await lastRequest())?.region, 'us-east-1');
      await invoke({ functionName: arn, region: 'eu-central-1', regionType: 'str' });
      assert.equal((await lastRequest())?.region, 'eu-central-1');
    });
  });

  describe('dynamicCredentials', () => {
    const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };

    it('sign the request of their message, and of no other', async () => {
      await deployAction(bench, invokeNode(dynamic));
      const [one, other] = await bench.red.sendMany('invoke', [
        { payload: {}, keys: keysOf('second') },
        { payload: {}, keys: keysOf('demo') }
      ]);
      assert.deepEqual([one?.error, other?.error], [undefined, undefined]);
      const seen = (await bench.aws.requests()).map(({ accessKeyId }) => accessKeyId).sort();
      assert.deepEqual(seen, [keysOf('demo').accessKeyId, keysOf('second').accessKeyId].sort());
    });

    it('never fall back to the account’s rights', async () => {
      for (const keys of [undefined, null, '']) {
        assert.equal(nameOf(await invoke(dynamic, { payload: {}, keys })), 'MissingValue');
      }
      assert.deepEqual(await bench.aws.requests(), []);
    });

    it('may be the JSON text of an environment variable', async () => {
      process.env.NIMBUS_LOGIN = JSON.stringify(keysOf('second'));
      const env = { dynamicCredentials: 'NIMBUS_LOGIN', dynamicCredentialsType: 'env' };
      assert.equal(nameOf(await invoke(env)), undefined);
      assert.equal((await lastRequest())?.accessKeyId, keysOf('second').accessKeyId);
      delete process.env.NIMBUS_LOGIN;
    });

    it('are used as they are, with their session token', async () => {
      const outcome = await invoke(dynamic, { payload: {}, keys: { ...keysOf('demo'), sessionToken: 'made-up' } });
      assert.equal(nameOf(outcome), 'UnrecognizedClientException');
      assert.equal((await lastRequest())?.sessionToken, true);
    });
  });

  describe('ends in AccountMissing', () => {
    for (const [what, id] of [
      ['no account', ''],
      ['an account that is not there', 'gone'],
      ['a node that is no account', 'out']
    ] as const) {
      it(`with ${what}`, async () => {
        const outcome = await invoke({ account: id });
        assert.equal(nameOf(outcome), 'AccountMissing');
        assert.match(outcome.error?.message ?? '', /aws-account/);
      });
    }

    it('until the account is there again', async () => {
      const nodes = [invokeNode(), sink('out')];
      await bench.red.deploy(nodes);
      assert.equal(nameOf(await bench.red.send('invoke', { payload: {} })), 'AccountMissing');
      await bench.red.deploy([account(bench), ...nodes], { credentials: credentials(), type: 'nodes' });
      assert.equal(nameOf(await bench.red.send('invoke', { payload: {} })), undefined);
    });

    it('with an account that is disabled', async () => {
      await deployAction(bench, invokeNode(), { d: true });
      assert.equal(nameOf(await bench.red.send('invoke', { payload: {} })), 'AccountMissing');
    });
  });

  describe('reports', () => {
    it('an error to Catch nodes, with its code and what was behind it, and keeps the message’s payload', async () => {
      await deploy(
        invokeNode({ functionName: 'fails' }),
        { id: 'catch', type: 'catch', scope: ['invoke'], wires: [['caught']] },
        sink('caught')
      );
      await bench.red.send('invoke', { payload: { sensor: 'roof' }, topic: 'kept' });
      const msg = await bench.red.next('caught');
      const { message, code, cause, source } = msg.error as Record<string, Record<string, unknown>>;
      assert.match(String(message), /^FunctionError: The function fails failed/);
      assert.equal(code, 'FunctionError');
      assert.equal(cause?.errorType, 'SensorOffline');
      assert.equal(source?.id, 'invoke');
      assert.deepEqual(msg.payload, { sensor: 'roof' });
      assert.equal(msg.topic, 'kept');
    });

    it('the end of a message to Complete nodes, and a failure not', async () => {
      const complete = { id: 'complete', type: 'complete', scope: ['invoke'], wires: [['ended']] };
      await deploy(invokeNode(), complete, sink('ended'));
      await bench.red.send('invoke', { payload: {} });
      assert.deepEqual((await bench.red.next('ended')).payload, { greeting: 'Hello, world!' });
      await bench.red.send('invoke', {});
      await bench.red.send('invoke', { payload: {} });
      await bench.red.next('ended');
      assert.equal(bench.red.received('ended').length, 2);
    });

    it('what was behind an error as data that also reads well in a text', async () => {
      const causeOf = async (functionName: string, type = 'str') => {
        const { error } = await invoke({ functionName, functionNameType: type });
        return error?.cause as { message?: string; toString(): string };
      };
      const refused = await causeOf('no-such');
      assert.equal(`${refused}`, `ResourceNotFoundException: ${refused.message}`);
      assert.deepEqual(Object.keys(refused), ['name', 'message', 'statusCode', 'requestId', 'retryable']);
      assert.match(`${await causeOf('fails')}`, /^\{"functionError":"Unhandled","errorType":"SensorOffline"/);
      assert.match(`${await causeOf('["hello", "no-such"]', 'json')}`, /^\{"results":\[\{"target":"hello"/);
    });

    it('an error once in the log, without a stack of the SDK', async () => {
      await invoke({ functionName: 'no-such' });
      const lines = bench.red.logs.filter(({ level }) => level === 'error' || level === 'warn');
      assert.equal(lines.length, 1);
      assert.match(
        lines[0]?.text ?? '',
        /^ResourceNotFoundException: There is nothing by this name: .*Function not found: arn:aws:lambda:us-east-1:/
      );
    });

    it('with a blue dot what is in flight, and clears it', async () => {
      assert.deepEqual((await invoke({})).statuses, [{ fill: 'blue', shape: 'dot', text: 'status.requesting' }, {}]);
    });

    const statusOf = async (properties: Record<string, unknown>, msg?: Message) => {
      const { statuses, error } = await invoke(properties, msg);
      assertFailed(statuses.at(-1), error);
      return statuses.at(-1)?.text;
    };

    it('with a red ring and a few words what failed', async () => {
      assert.equal(await statusOf({ functionName: 'helo' }), 'no function “helo”');
      const arn = 'arn:aws:lambda:eu-west-1:111111111111:function:helo:live';
      assert.equal(await statusOf({ functionName: arn }), 'no function “helo:live”');
      assert.equal(await statusOf({ functionName: 'x'.repeat(64) }), `no function “${'x'.repeat(30)}…”`);
      assert.equal(await statusOf({ timeout: 0 }), 'Timeout: invalid value');
      assert.equal(await statusOf({ functionName: 'fails' }), 'status.functionFailed');
      assert.equal(await statusOf({ account: '' }), 'status.noAccount');
      const both = { functionName: '["hello", "helo"]', functionNameType: 'json' };
      assert.equal(await statusOf(both), '1 of 2 failed');
    });

    for (const [kind, text] of [
      ['throttle', 'status.throttled'],
      ['error500', 'status.fault'],
      ['html', 'status.foreign'],
      ['expired', 'status.expired'],
      ['denied', 'status.denied'],
      ['resetAfter', 'status.unreachable']
    ] as const) {
      it(`with a key for the words, which the editor translates: ${text}`, async () => {
        await bench.aws.fault({ kind });
        assert.equal(await statusOf({}), text);
      });
    }

    it('with the error’s name where there are no words for it', async () => {
      const large = await statusOf({ qualifier: '1', functionName: 'hello:live' });
      assert.equal(large, 'InvalidParameterValueException');
    });

    it('with a red ring what failed, until the next message', async () => {
      const failed = await invoke({ functionName: 'fn', functionNameType: 'msg' });
      assert.deepEqual(failed.statuses, [{ fill: 'red', shape: 'ring', text: 'Function: no value' }]);
      const { statuses } = await bench.red.send('invoke', { payload: {}, fn: 'hello' });
      assert.deepEqual(
        statuses.map(({ fill }) => fill),
        ['blue', undefined]
      );
    });

    describe('and, if the account has results shown,', () => {
      const lastStatus = () => bench.red.statuses('invoke').at(-1);
      const took = () => lastStatus()?.fill === 'green';
      const deployShowing = (showResults: boolean) =>
        deployNodes(bench, [invokeNode({ functionName: 'fn', functionNameType: 'msg' }), sink('out')], { showResults });

      it('how long a success took, which a failure replaces at once and the next success replaces again', async () => {
        await deployShowing(true);
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await bench.red.until(took, 'a result');
        assert.deepEqual(Object.keys(lastStatus() ?? {}), ['fill', 'shape', 'text']);
        assert.match(lastStatus()?.text ?? '', /^\d+ ms$/);
        const { statuses } = await bench.red.send('invoke', { payload: {} });
        assert.deepEqual(statuses.at(-1), { fill: 'red', shape: 'ring', text: 'Function: no value' });
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await bench.red.until(took, 'a result after the failure');
      });

      it('a failure that follows a success before that was shown stays', async () => {
        await deployShowing(true);
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await bench.red.until(took, 'a result');
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await bench.red.send('invoke', { payload: {} });
        await bench.red.send('invoke', { payload: {} });
        const { length } = bench.red.statuses('invoke');
        // A timer that ends after the one of a status that waits, since it was set later and is longer.
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.deepEqual([bench.red.statuses('invoke').length, lastStatus()?.fill], [length, 'red']);
      });

      it('a few times a second at most, however many messages come', async () => {
        await deployShowing(true);
        for (let sent = 0; sent < 1000; sent += 1) {
          await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        }
        await bench.red.until(took, 'the last result');
        const { length } = bench.red.statuses('invoke');
        assert.ok(length < 250, `${length} statuses for 1,000 messages`);
      });

      it('nothing any more when the node closes, nor when the setting is off', async () => {
        await deployShowing(true);
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await bench.red.until(took, 'a result');
        // Its result still waits to be shown when the node closes.
        await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        await deployShowing(false);
        const { statuses } = await bench.red.send('invoke', { payload: {}, fn: 'hello' });
        assert.deepEqual(
          statuses.map(({ fill }) => fill),
          ['blue', undefined]
        );
      });
    });
  });

  describe('names a field', () => {
    const textOf = async (properties: Record<string, unknown>, msg?: Message) =>
      (await invoke(properties, msg)).error?.message;

    it('by its label, with the property in brackets where that is another word', async () => {
      assert.equal(
        await textOf({ functionName: 'fn', functionNameType: 'msg' }),
        'Function (functionName) is required, but msg.fn has no value.'
      );
      assert.equal(await textOf({}, {}), 'Payload is required, but msg.payload has no value.');
      assert.equal(await textOf({ timeout: 0 }), 'Timeout must be a number from 0.001 to 3600, but is 0.');
    });

    it('by its label also where the flow itself holds what is wrong, for each message anew', async () => {
      const expected = 'Client context (clientContext) is not valid JSON';
      await deployAction(bench, invokeNode({ clientContext: '{', clientContextType: 'json' }));
      for (const payload of [1, 2]) {
        const { error } = await bench.red.send('invoke', { payload });
        assert.ok(error?.message.startsWith(expected), error?.message);
        assert.ok(error?.stack?.includes(expected), 'its stack says the same');
      }
    });

    it('and the member of its value, at each of many targets', async () => {
      const dynamicCredentials = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      assert.equal(
        await textOf(dynamicCredentials, { payload: 1, keys: { accessKeyId: 5 } }),
        'Credentials (dynamicCredentials.accessKeyId) must be text that is not empty.'
      );
      const functions = { functionName: '["hello", 7]', functionNameType: 'json' };
      assert.match(String(await textOf(functions)), /the first, 7: Function \(functionName\) must be the name of/);
    });
  });

  describe('is not disturbed', () => {
    it('by an array of targets that has holes, or changes while they are invoked', async () => {
      await deploy(invokeNode({ functionName: 'fn', functionNameType: 'msg' }));
      const fn = ['returns-number'];
      fn[2] = 'hello';
      const holes = await bench.red.send('invoke', { payload: {}, fn });
      assert.deepEqual(
        ((holes.error as NodeError).results as { error?: { name: string } }[]).map(({ error }) => error?.name),
        [undefined, 'InvalidValue', undefined]
      );
      const changing = ['slow', 'returns-number'];
      const outcome = await bench.red.begin('invoke', { payload: { ms: 200 }, fn: changing });
      await bench.aws.until({ invocations: 1, functionName: 'slow' });
      changing.reverse();
      await bench.red.until(() => outcome.done === 1);
      assert.deepEqual(outcome.sent[0]?.payload, [
        { target: 'slow', result: { waited: 200 } },
        { target: 'returns-number', result: 42 }
      ]);
    });

    it('by more targets than Node.js likes listeners', async () => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      await deploy(invokeNode({ functionName: JSON.stringify(Array(20).fill('hello')), functionNameType: 'json' }));
      await bench.red.send('invoke', { payload: {} });
      process.off('warning', note);
      assert.deepEqual(
        warnings.filter(({ name }) => name === 'MaxListenersExceededWarning'),
        []
      );
    });

    it('by a payload for many targets: it is written as JSON once', async () => {
      let times = 0;
      const payload = {
        toJSON() {
          times += 1;
          return {};
        }
      };
      await deploy(invokeNode({ functionName: JSON.stringify(Array(20).fill('hello')), functionNameType: 'json' }));
      await bench.red.send('invoke', { payload });
      assert.equal(times, 1);
    });

    it('by secrets in its own texts', async () => {
      const { secretAccessKey } = keysOf('second');
      const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
      const quoting = { payload: '$number(keys.secretAccessKey)', payloadType: 'jsonata' };
      const { error } = await invoke({ ...dynamic, ...quoting }, { keys: keysOf('second') });
      assert.equal(error?.name, 'InvalidValue');
      assert.doesNotMatch(`${error.message} ${error.stack}`, new RegExp(secretAccessKey.slice(0, 20)));
      assert.match(error.message, /\*\*\*/);
    });
  });

  describe('ends a message once where several fields fail', () => {
    const later: Record<string, Record<string, unknown>> = {
      'a variable of the flow that is not set': { functionName: 'settings.fn', functionNameType: 'flow' },
      'a variable of all flows with an index that is none': { functionName: 'a[msg.none]', functionNameType: 'global' },
      'an expression that fails': { functionName: '$error("no")', functionNameType: 'jsonata' },
      'an expression that throws a number': { functionName: '$error(5)', functionNameType: 'jsonata' },
      'an expression that gives a function': { functionName: '$uppercase', functionNameType: 'jsonata' }
    };
    const atOnce: Record<string, Record<string, unknown>> = {
      'a payload that is missing': { payload: 'none', payloadType: 'msg' },
      'a payload with a getter that throws': { payload: 'trap.door', payloadType: 'msg' },
      'a qualifier of the wrong type': { qualifier: 'trap', qualifierType: 'msg' },
      'keys that are missing': { dynamicCredentials: 'none', dynamicCredentialsType: 'msg' },
      'a variable of the environment that is not set': { payload: 'NIMBUS_NONE', payloadType: 'env' }
    };
    for (const [slow, slowOnes] of Object.entries(later)) {
      for (const [quick, quickOnes] of Object.entries(atOnce)) {
        it(`${slow}, and ${quick}`, async () => {
          const trap = {
            get door() {
              throw new TypeError('a trap');
            }
          };
          const outcome = await invoke({ ...slowOnes, ...quickOnes }, { payload: {}, trap });
          assert.match(String(nameOf(outcome)), /^(MissingValue|InvalidValue)$/);
          assert.equal(outcome.error?.service, 'lambda');
          assert.equal(outcome.error?.operation, 'Invoke');
          assert.deepEqual(await bench.aws.requests(), []);
        });
      }
    }
  });

  describe('takes a value that could be waited for as any other', () => {
    const values: Record<string, unknown> = {
      'a promise that never settles': new Promise(() => undefined),
      'an object with a then of its own': Object.fromEntries([['then', () => undefined]])
    };
    for (const [what, value] of Object.entries(values)) {
      for (const type of ['msg', 'flow']) {
        it(`${what}, from ${type}`, async () => {
          await deploy(invokeNode({ functionName: 'echo', payload: 'value', payloadType: type }));
          const context = bench.red.node('invoke').context() as { flow: { set(key: string, value: unknown): void } };
          context.flow.set('value', value);
          const outcome = await bench.red.send('invoke', { value });
          assert.equal(nameOf(outcome), undefined);
          assert.deepEqual((outcome.sent[0]?.payload as { event?: unknown } | undefined)?.event, {});
        });
      }
    }
  });

  it('ends a message once that Node-RED cannot clone for the second of two wires', async () => {
    await deploy(invokeNode({ wires: [['out', 'other']] }), sink('other'));
    await bench.aws.fault({ kind: 'delay', delayMs: 200, operation: 'Invoke' });
    const outcome = await bench.red.begin('invoke', { payload: {} });
    // A message that the flow has already may get anything meanwhile.
    Object.defineProperty(outcome.msg, 'trap', {
      enumerable: true,
      get() {
        throw new Error('not to be looked at');
      }
    });
    await bench.red.until(() => outcome.done);
    assert.equal(outcome.done, 1);
    assert.match(String(outcome.error?.message), /not to be looked at/);
  });

  it('works in more regions than clients are kept', async () => {
    await deploy(listNode({ region: 'topic', regionType: 'msg', scope: 'page' }));
    const regions = Array.from({ length: 40 }, (_, index) => `xx-test-${index}`);
    const outcomes = await bench.red.sendMany(
      'list',
      [...regions, ...regions].map((topic) => ({ payload: {}, topic }))
    );
    assert.deepEqual(
      outcomes.map(({ sent }) => sent[0]?.aws?.region),
      [...regions, ...regions]
    );
  });

  describe('works inside a subflow', () => {
    it('with the account and the function from the subflow’s properties', async () => {
      const template = {
        id: 'template',
        type: 'subflow',
        name: 'call',
        in: [{ wires: [{ id: 'invoke' }] }],
        out: [{ wires: [{ id: 'invoke', port: 0 }] }],
        env: [{ name: 'FN', type: 'str', value: '' }]
      };
      const inner = { ...invokeNode({ functionName: 'FN', functionNameType: 'env' }), z: 'template', wires: [] };
      const instance = (id: string, fn: string) => ({
        id,
        type: 'subflow:template',
        env: [{ name: 'FN', type: 'str', value: fn }],
        wires: [['out']]
      });
      await deploy(template, inner, instance('number', 'returns-number'), instance('hello', 'hello'));
      bench.red.node('number').receive({ payload: {} });
      assert.equal((await bench.red.next('out')).payload, 42);
      bench.red.node('hello').receive({ payload: {} });
      assert.deepEqual((await bench.red.next('out')).payload, { greeting: 'Hello, world!' });
    });
  });

  describe('closing', () => {
    const slow = (ms: number) => ({ payload: { ms } });

    it('waits for what is in flight and emits it as usual', async () => {
      await deploy(invokeNode({ functionName: 'slow' }));
      const outcome = await bench.red.begin('invoke', slow(500));
      await bench.aws.until({ invocations: 1 });
      await bench.red.deploy([]);
      assert.equal(outcome.error, undefined);
      assert.deepEqual(
        outcome.sent.map(({ payload }) => payload),
        [{ waited: 500 }]
      );
      assert.equal(outcome.done, 1);
    });

    it('ends what takes longer than 10 seconds with Closed, and lets go of its connection', async () => {
      await bench.aws.fault({ kind: 'hang' });
      await deploy(invokeNode(), listNode());
      const outcomes: Outcome[] = [];
      for (let index = 0; index < 3; index += 1) outcomes.push(await bench.red.begin('invoke', { payload: {} }));
      await bench.aws.until({ requests: 3 });
      const start = Date.now();
      await bench.red.deploy([]);
      const seconds = (Date.now() - start) / 1000;
      assert.ok(seconds > 9 && seconds < 14, `it took ${seconds} s`);
      for (const outcome of outcomes) {
        assert.equal(nameOf(outcome), 'Closed');
        assert.equal(outcome.error?.retryable, true);
        assert.deepEqual(outcome.sent, []);
      }
      await bench.aws.until({ requests: 3, finished: true });
    });

    it('of the account beside its nodes does not cut what they wait for', async () => {
      await deploy(invokeNode({ functionName: 'slow' }));
      const outcome = await bench.red.begin('invoke', slow(700));
      await bench.aws.until({ invocations: 1 });
      const changed = [account(bench, { region: 'eu-west-1' }), sink('out'), invokeNode({ functionName: 'slow' })];
      await bench.red.deploy(changed, { credentials: credentials(), type: 'nodes' });
      assert.deepEqual(
        outcome.sent.map(({ payload }) => payload),
        [{ waited: 700 }]
      );
      await bench.red.send('invoke', slow(1)).catch(() => undefined);
      assert.equal((await lastRequest())?.region, 'eu-west-1');
    });

    it('and deploying again loses no message of a hundred', async () => {
      await deploy(invokeNode({ functionName: 'slow' }));
      const outcomes: Outcome[] = [];
      for (let index = 0; index < 50; index += 1) outcomes.push(await bench.red.begin('invoke', slow(200)));
      await deploy(invokeNode({ functionName: 'slow', name: 'changed' }));
      for (let index = 0; index < 50; index += 1) outcomes.push(await bench.red.begin('invoke', slow(10)));
      await bench.red.until(() => outcomes.every(({ done }) => done === 1));
      assert.deepEqual(
        outcomes.filter(({ error }) => error),
        []
      );
      assert.equal(outcomes.flatMap(({ sent }) => sent).length, 100);
    });
  });
});
