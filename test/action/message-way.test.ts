/** What a message keeps on its way through actions, and what becomes of one that goes no further. */
import assert from 'node:assert/strict';
import { receivedNames } from '../../nodes/action/received';
import { kindOf } from '../../nodes/fields/fields';
import {
  deployAction,
  deployNodes,
  invokeNode,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message } from '../node-red';
import { sink } from '../node-red';

describe('a message on its way', () => {
  const bench = useBench();
  const queues = useQueues(bench);

  const deploy = (...nodes: FlowNode[]) => deployNodes(bench, nodes);
  /** What the receiver says of the message, in the `msg.aws` of any node. */
  const receivedOf = ({ aws = {} }: Message) =>
    Object.fromEntries(receivedNames.flatMap((name) => (name in aws ? [[name, aws[name]]] : [])));

  describe('keeps what its receiver has put into msg.aws', () => {
    /** A queue with one message, of a group where it is FIFO. */
    async function queueWithMessage(): Promise<string> {
      const url = await queues.create();
      await queues.send(url, {
        MessageBody: '{"ms": 1}',
        MessageAttributes: { kind: { DataType: 'String', StringValue: 'order' } }
      });
      return url;
    }

    it('which are all the members that are not of its request', async () => {
      const queue = await queueWithMessage();
      await deploy(receiveNode({ queue, settle: 'flow' }), sink('out'));
      const { aws = {} } = await bench.red.next('out');
      const ofRequest = ['service', 'operation', 'region', 'statusCode', 'requestId', 'attempts'];
      const names: readonly string[] = [...ofRequest, ...receivedNames];
      assert.deepEqual(
        Object.keys(aws).filter((name) => !names.includes(name)),
        []
      );
      assert.ok(typeof aws.handle === 'string' && aws.receiveCount === 1);
    });

    it('through each action, beside what that adds, and instead of what an earlier one has added', async () => {
      const queue = await queueWithMessage();
      const other = await queues.create();
      const phone = '+12065550100';
      await deploy(
        receiveNode({ queue, settle: 'flow', wires: [['invoke']] }),
        invokeNode({ functionName: 'chatty', logTail: true, wires: [['many']] }),
        invokeNode({ id: 'many', functionName: '["slow", "hello"]', functionNameType: 'json', wires: [['list']] }),
        listNode({ wires: [['publish']] }),
        publishNode({ target: phone, message: 'text', messageType: 'str', wires: [['send']] }),
        sendNode({ queue: other, body: 'text', bodyType: 'str', wires: [['out']] }),
        sink('out')
      );
      const [received] = await Promise.all([bench.red.nextSent('receive'), bench.red.next('out')]);
      const kept = receivedOf(received);
      assert.deepEqual(kept.attributes, { kind: 'order' });
      const added = {
        invoke: ['attempts', 'executedVersion', 'log', 'region', 'requestId', 'statusCode'],
        many: ['requests'],
        list: ['attempts', 'region', 'requestId', 'statusCode'],
        publish: ['attempts', 'region', 'requestId', 'statusCode'],
        send: ['attempts', 'region', 'requestId', 'statusCode']
      };
      for (const [id, names] of Object.entries(added)) {
        const [msg = {}] = bench.red.sent(id);
        assert.deepEqual(receivedOf(msg), kept, id);
        const others = Object.keys(msg.aws ?? {}).filter((name) => !(name in kept));
        assert.deepEqual(others.sort(), [...names, 'operation', 'service'].sort(), id);
      }
    });

    it('so that behind a Catch node it returns to the queue with a delay that grows by its count', async () => {
      const queue = await queueWithMessage();
      const delay = { action: 'return', delay: '60 * aws.receiveCount', delayType: 'jsonata' };
      await deploy(
        receiveNode({ queue, settle: 'flow', wires: [['invoke']] }),
        invokeNode({ functionName: 'slow', wires: [['failing']] }),
        invokeNode({ id: 'failing', functionName: 'fails', wires: [['out']] }),
        { id: 'catch', type: 'catch', scope: ['failing'], uncaught: false, wires: [['settle']] },
        settleNode({ ...delay, wires: [['settled']] }),
        sink('out'),
        sink('settled')
      );
      const [received, settled] = await Promise.all([bench.red.nextSent('receive'), bench.red.next('settled')]);
      assert.deepEqual(receivedOf(settled), receivedOf(received));
      const [change] = await queues.requests('ChangeMessageVisibility');
      assert.equal(change?.input.VisibilityTimeout, 60);
      assert.deepEqual(await queues.counts(queue), { visible: 0, hidden: 1, delayed: 0 });
      assert.equal((await bench.aws.invocations('fails')).length, 1);
      assert.deepEqual(bench.red.received('out'), []);
    });

    for (const aws of [
      'text',
      17,
      null,
      [],
      {
        handle: 'x',
        get messageId(): never {
          throw new Error('no');
        }
      }
    ]) {
      it(`unless it came from somewhere else, with ${kindOf(aws)} in msg.aws`, async () => {
        await deployAction(bench, invokeNode());
        const { sent, error } = await bench.red.send('invoke', { payload: {}, aws: aws as never });
        assert.equal(error, undefined);
        assert.equal(sent[0]?.aws?.operation, 'Invoke');
      });
    }
  });

  describe('that cannot be sent on', () => {
    /** Fails when it is copied, or changed. */
    const traps: Record<string, (msg: Message) => void> = {
      'because Node-RED cannot copy it for a second wire': (msg) => {
        const get = () => {
          throw new TypeError('not to be looked at');
        };
        Object.defineProperty(msg, 'trap', { enumerable: true, get });
      },
      'because it is frozen': (msg) => Object.freeze(msg),
      'because its payload can only be read': (msg) => {
        Object.defineProperty(msg, 'payload', { value: msg.payload, writable: false });
      },
      'because its aws can only be read': (msg) => {
        Object.defineProperty(msg, 'aws', { value: msg.aws, writable: false });
      }
    };
    for (const [why, set] of Object.entries(traps)) {
      it(`${why} fails as it came, and nobody has it`, async () => {
        await deploy(
          invokeNode({ wires: [['out', 'other']] }),
          sink('out'),
          sink('other'),
          {
            id: 'catch',
            type: 'catch',
            wires: [['caught']]
          },
          sink('caught')
        );
        await bench.aws.fault({ kind: 'delay', delayMs: 200, operation: 'Invoke' });
        const payload = { name: 'x' };
        const aws = { messageId: '1', operation: 'ReceiveMessage' };
        const outcome = await bench.red.begin('invoke', { payload, aws });
        set(outcome.msg);
        await bench.red.until(() => outcome.done);
        const { error, done, msg } = outcome;
        assert.equal(done, 1);
        assert.equal(error?.name, 'InvalidValue');
        assert.match(String(error?.message), /^The message cannot be sent on, although the work is done: /);
        assert.deepEqual([error?.service, error?.operation, error?.retryable], ['lambda', 'Invoke', false]);
        assert.equal(msg.payload, payload);
        assert.equal(msg.aws, aws);
        assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'InvalidValue' });
        const caught = await bench.red.next('caught');
        assert.equal((caught.error as { message: string }).message.includes('although the work is done'), true);
        assert.equal(caught._msgid, msg._msgid);
        // What had been on its way to them would have come before.
        assert.deepEqual([bench.red.received('out'), bench.red.received('other')], [[], []]);
      });
    }
  });

  describe('for many targets', () => {
    const many = (targets: unknown[], properties: Record<string, unknown> = {}) =>
      deployAction(bench, invokeNode({ functionName: 'targets', functionNameType: 'msg', ...properties })).then(() =>
        bench.red.begin('invoke', { payload: {}, targets })
      );

    it('has 50 requests in flight, and sends no more of them once it has ended', async () => {
      await bench.aws.fault({ kind: 'hang' });
      const targets = Array(120).fill('hello');
      const outcome = await many(targets, { timeout: 2 });
      await bench.red.until(() => outcome.done);
      assert.equal(outcome.error?.name, 'PartialFailure');
      assert.equal((outcome.error?.results as unknown[] | undefined)?.length, 120);
      assert.equal((await bench.aws.requests()).length, 50);
    });

    it('gets all of their answers in their order', async () => {
      const targets = Array.from({ length: 130 }, (_, index) => (index % 2 === 0 ? 'returns-number' : 'returns-list'));
      const outcome = await many(targets);
      await bench.red.until(() => outcome.done);
      assert.deepEqual(
        (outcome.sent[0]?.payload as { target: string }[] | undefined)?.map(({ target }) => target),
        targets
      );
    });

    for (const [what, targets] of Object.entries({
      'more than 1,000': Array(1001).fill('hello'),
      'a million': Array(1_000_000).fill('hello'),
      'four thousand million that are not there': Array(2 ** 32 - 1),
      'a list that never ends': Object.assign(['hello'], {
        *[Symbol.iterator]() {
          for (;;) yield 'hello';
        },
        length: 5000
      })
    })) {
      it(`of which there are ${what} ends at once, and sends nothing`, async () => {
        await deployAction(bench, invokeNode({ functionName: 'targets', functionNameType: 'msg' }));
        const began = performance.now();
        const outcome = await bench.red.send('invoke', { payload: {}, targets });
        assert.equal(outcome.error?.name, 'InvalidValue');
        assert.match(String(outcome.error?.message), /at most 1000 targets/);
        assert.ok(performance.now() - began < 1000);
        assert.deepEqual(await bench.aws.requests(), []);
      });
    }
  });
});
