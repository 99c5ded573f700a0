import assert from 'node:assert/strict';
import { callbackNode, deployAction, deployNodes, errorOf, invokeNode, sentBy, useBench, useQueues } from '../aws';
import { type FlowNode, type Message, type Outcome, sink } from '../node-red';

/** A durable function that waits for a callback, on its way. */
interface Waiting {
  callbackId: string;
  /** What the function says of its callback, once it has gone on. */
  told(): Promise<unknown>;
}

describe('aws-lambda-callback', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  let queue = '';

  before(async () => {
    queue = await queues.createNamed('callbacks');
  });

  /** Deploys the node with these properties, and others, beside one that invokes a durable function, which waits by then. */
  async function wait(
    properties: Record<string, unknown>,
    limits: Record<string, number> = {},
    others: FlowNode[] = []
  ): Promise<Waiting> {
    const invoke = invokeNode({ functionName: 'waits:live' });
    await deployNodes(bench, [invoke, callbackNode(properties), ...others, sink('out'), sink('called')]);
    const invoked = await bench.red.begin('invoke', { payload: { queue: 'callbacks', ...limits } });
    const [message] = await queues.receive(queue, { WaitTimeSeconds: 20 });
    const { callbackId } = JSON.parse(message?.Body ?? '') as { callbackId: string };
    await queues.purge(queue);
    return {
      callbackId,
      async told() {
        await bench.red.until(() => invoked.done > 0, 'the function to end', 60_000);
        return sentBy(invoked).payload;
      }
    };
  }
  const call = (msg: Message): Promise<Outcome> => bench.red.send('callback', msg, 60_000);
  const failure = { action: 'failure' };

  describe('success', () => {
    it('lets the function go on with the payload, and the message with its payload unchanged', async () => {
      const { callbackId, told } = await wait({});
      const payload = { approved: true, by: 'Ada' };
      const msg = sentBy(await call({ callbackId, payload, topic: 'kept' }));
      assert.deepEqual(msg.payload, payload);
      assert.equal(msg.topic, 'kept');
      const { requestId, ...aws } = msg.aws as Record<string, unknown>;
      assert.match(String(requestId), /^[0-9a-f-]{36}$/);
      const operation = 'SendDurableExecutionCallbackSuccess';
      assert.deepEqual(aws, { service: 'lambda', operation, region: 'us-east-1', statusCode: 200, attempts: 1 });
      assert.deepEqual(await told(), { answer: '{"approved":true,"by":"Ada"}' });
    });

    for (const [what, payload, answer] of [
      ['null', null, 'null'],
      ['empty text', '', '""'],
      ['false', false, 'false'],
      ['text that is JSON, as it is', '{"a": 1}', '{"a": 1}'],
      ['a Buffer that is JSON, as it is', Buffer.from('[true]'), '[true]']
    ] as const) {
      it(`sends ${what}`, async () => {
        const { callbackId, told } = await wait({});
        const msg = sentBy(await call({ callbackId, payload }));
        assert.deepEqual(msg.payload, payload);
        assert.deepEqual(await told(), { answer });
      });
    }

    for (const [what, properties, msg] of [
      ['the message has no payload', {}, {}],
      ['the field is blank', { result: '', resultType: 'msg' }, { payload: 'not this' }]
    ] as const) {
      it(`sends no result where ${what}`, async () => {
        const { callbackId, told } = await wait(properties);
        sentBy(await call({ callbackId, ...msg }));
        assert.deepEqual(await told(), {});
      });
    }

    it('takes ID and result from elsewhere, and gives the empty answer of the service with raw output', async () => {
      const elsewhere = {
        callbackId: 'card.id',
        callbackIdType: 'msg',
        result: 'payload & "!"',
        resultType: 'jsonata'
      };
      const { callbackId, told } = await wait({ ...elsewhere, output: 'raw' });
      assert.deepEqual(sentBy(await call({ card: { id: callbackId }, payload: 'yes' })).payload, {});
      assert.deepEqual(await told(), { answer: '"yes!"' });
    });

    it('needs no place for a result: a message whose payload can only be read goes on', async () => {
      const { callbackId, told } = await wait({});
      const msg = Object.defineProperty({ callbackId }, 'payload', { value: 'sealed', enumerable: true });
      const outcome = await bench.red.beginWith('callback', msg, 60_000);
      await bench.red.until(() => outcome.done > 0);
      assert.equal(sentBy(outcome).payload, 'sealed');
      assert.deepEqual(await told(), { answer: '"sealed"' });
    });
  });

  describe('failure', () => {
    const thrown = Object.assign(new TypeError('no ink'), { code: 'E_INK', stack: 'TypeError: no ink\n    at print' });
    const nobody = { message: 'nobody', source: { id: 'x' } };
    for (const [what, error, failed] of [
      ['text', 'out of paper', { message: 'out of paper', type: 'Error' }],
      [
        'an object of Lambda’s own members',
        { errorType: 'Rejected', errorMessage: 'too dear', errorData: { limit: 100 }, stackTrace: ['one', 'two'] },
        { message: 'too dear', type: 'Rejected', data: '{"limit":100}', stack: 'one\ntwo' }
      ],
      ['an Error', thrown, { message: 'no ink', type: 'TypeError', stack: 'TypeError: no ink\n    at print' }],
      ['what a Catch node gives', { ...nobody, name: 'Gone' }, { message: 'nobody', type: 'Gone' }],
      [
        'what a Catch node gives, with a code',
        { ...nobody, code: 'ETIMEDOUT' },
        { message: 'nobody', type: 'ETIMEDOUT' }
      ]
    ] as const) {
      it(`lets the function go on with an error: ${what}`, async () => {
        const { callbackId, told } = await wait(failure);
        const msg = sentBy(await call({ callbackId, error, payload: 'kept' }));
        assert.equal(msg.payload, 'kept');
        assert.equal(msg.aws?.operation, 'SendDurableExecutionCallbackFailure');
        const { failed: seen } = (await told()) as { failed: Record<string, unknown> };
        const { stack, ...rest } = seen;
        assert.deepEqual('stack' in failed ? { ...rest, stack } : rest, { name: 'CallbackError', ...failed });
      });
    }

    it('takes what a Catch node gives of a function that failed', async () => {
      const broken = invokeNode({ id: 'broken', functionName: 'fails', wires: [] });
      const caught = { id: 'catch', type: 'catch', scope: ['broken'], uncaught: false, wires: [['callback']] };
      const { callbackId, told } = await wait(failure, {}, [broken, caught]);
      const { stack, message } = errorOf(await bench.red.send('broken', { callbackId, payload: { sensor: 'cellar' } }));
      const { failed } = (await told()) as { failed: Record<string, string> };
      assert.deepEqual([failed.type, failed.stack], ['FunctionError', stack]);
      assert.match(failed.message ?? '', new RegExp(`${message}$`));
    });
  });

  describe('heartbeat', () => {
    it('keeps a callback open, and needs neither result nor error', async () => {
      const beat = callbackNode({ id: 'beat', action: 'heartbeat' });
      const { callbackId, told } = await wait({}, { heartbeat: 600 }, [beat]);
      const msg = sentBy(await bench.red.send('beat', { callbackId, payload: 'kept' }));
      assert.equal(msg.payload, 'kept');
      assert.equal(msg.aws?.operation, 'SendDurableExecutionCallbackHeartbeat');
      sentBy(await call({ callbackId, payload: 'done' }));
      assert.deepEqual(await told(), { answer: '"done"' });
    });

    for (const [what, limits, type] of [
      ['without a sign of life', { heartbeat: 1 }, 'Callback.Heartbeat'],
      ['when the time for an answer is over', { timeout: 1 }, 'Callback.Timeout']
    ] as const) {
      it(`the function goes on ${what}, and who comes too late is told so`, async () => {
        const { callbackId, told } = await wait({}, limits);
        const { failed } = (await told()) as { failed: Record<string, string> };
        assert.deepEqual([failed.name, failed.type], ['CallbackTimeoutError', type]);
        const outcome = await call({ callbackId, payload: 'late' });
        assert.equal(errorOf(outcome).name, 'CallbackTimeoutException');
        assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.callbackOver' });
      });
    }
  });

  it('says that a callback was answered before', async () => {
    const { callbackId, told } = await wait({});
    sentBy(await call({ callbackId, payload: 1 }));
    await told();
    const error = errorOf(await call({ callbackId, payload: 2 }));
    assert.equal(error.name, 'CallbackTimeoutException');
    assert.equal(error.statusCode, 400);
    assert.equal(error.retryable, false);
    assert.match(error.message, /answered before.*already completed/);
  });

  it('says that there is no such callback', async () => {
    await deployAction(bench, callbackNode());
    const error = errorOf(await call({ callbackId: 'bm9ib2R5', payload: 1 }));
    assert.deepEqual([error.name, error.statusCode], ['InvalidParameterValueException', 400]);
  });

  it('sends again what a broken line has lost, so that the function goes on', async () => {
    const { callbackId, told } = await wait({});
    await bench.aws.fault({ kind: 'resetBefore', operation: 'SendDurableExecutionCallbackSuccess', times: 1 });
    assert.equal(sentBy(await call({ callbackId, payload: 'yes' })).aws?.attempts, 2);
    assert.deepEqual(await told(), { answer: '"yes"' });
  });
});
