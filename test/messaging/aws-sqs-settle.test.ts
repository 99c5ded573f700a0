import assert from 'node:assert/strict';
import type { Message as QueueMessage } from '@aws-sdk/client-sqs';
import {
  account,
  assertFailed,
  credentials,
  errorOf,
  keysOf,
  receiveNode,
  sentBy,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message, Outcome } from '../node-red';
import { sink } from '../node-red';
import { type Relay, useRelays } from '../relay';

const second = 1000;

describe('aws-sqs-settle', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const newRelay = useRelays(bench);

  /** Deploys a receiver and settle nodes: `settle` with these properties, `delete` and `return`. */
  async function deploy(
    url: string,
    properties: Record<string, unknown> = {},
    { more = [], receiver = {}, endpoint = bench.aws.url }: Deployed = {}
  ): Promise<void> {
    const flow = [
      account(bench, { endpoint }),
      receiveNode({ queue: url, settle: 'flow', ...receiver }),
      sink('out'),
      settleNode(properties),
      settleNode({ id: 'delete', action: 'delete' }),
      settleNode({ id: 'return', action: 'return' }),
      sink('settled')
    ];
    await bench.red.deploy([...flow, ...more], { credentials: credentials() });
  }
  interface Deployed {
    more?: FlowNode[];
    receiver?: Record<string, unknown>;
    endpoint?: string;
  }

  /** A queue whose only message is in the flow. */
  async function holding(properties: Record<string, unknown> = {}, deployed: Deployed = {}) {
    const url = await queues.create();
    await queues.send(url, {
      MessageBody: '{"order": 7}',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } }
    });
    await deploy(url, properties, deployed);
    return { url, msg: await bench.red.next('out') };
  }

  /** A queue with messages that are all in the flow. */
  async function holdingMany(count: number, properties: Record<string, unknown> = {}, deployed: Deployed = {}) {
    const url = await queues.create();
    await queues.send(url, ...Array.from({ length: count }, (_, index) => `message ${index}`));
    await deploy(url, properties, { ...deployed, receiver: { maxInFlight: count, ...deployed.receiver } });
    return { url, msgs: await bench.red.collect('out', count) };
  }

  const empty = { visible: 0, hidden: 0, delayed: 0 };
  const counted = (url: string, counts: Partial<typeof empty>) =>
    bench.red.until(
      async () => {
        const found = await queues.counts(url);
        return Object.entries(counts).every(([name, count]) => found[name as keyof typeof empty] === count);
      },
      `${JSON.stringify(counts)} in the queue`
    );
  const inputs = async (operation: string) => (await queues.requests(operation)).map(({ input }) => input);
  const handled = (handle: unknown): Message => ({ payload: 'kept', aws: { handle } });

  describe('deletes', () => {
    it('the message, and passes on what it was given, unchanged', async () => {
      const { url, msg } = await holding();
      const given = { ...msg, payload: { changed: [1, 2] }, topic: 'kept', deep: { own: 7 } };
      const { _msgid, ...before } = structuredClone(given);
      const { _msgid: id, ...after } = sentBy(await bench.red.send('settle', given));
      assert.deepEqual(after, before);
      assert.equal(id, _msgid);
      assert.deepEqual(await queues.counts(url), empty);
    });

    it('through the receiver’s own account and region, having none itself', async () => {
      const url = await queues.create({}, 'eu-west-1');
      await queues.send(url, 'from afar');
      await deploy(url);
      sentBy(await bench.red.send('settle', await bench.red.next('out')));
      const [deletion] = await queues.requests('DeleteMessage');
      assert.deepEqual([deletion?.region, deletion?.status], ['eu-west-1', 200]);
    });

    it('many at once in few requests', async () => {
      const { url, msgs } = await holdingMany(60);
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      await counted(url, empty);
      const deletions = await queues.requests('DeleteMessage');
      assert.ok(deletions.length <= 9, `${deletions.length} requests for 60 messages`);
      for (const { Entries = [] } of deletions.map(({ input }) => input)) {
        assert.ok((Entries as unknown[]).length <= 10);
      }
    });

    it('full batches at once, none of which waits for the answer to another', async () => {
      const { msgs } = await holdingMany(120);
      await bench.aws.fault({ kind: 'delay', delayMs: 900, operation: 'DeleteMessageBatch' });
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      const [first, ...others] = await queues.requests('DeleteMessage');
      const atOnce = others.filter(({ time }) => time - (first?.time ?? 0) < 900);
      assert.equal(atOnce.length, 11);
    });

    it('and shows in its status how many are under way', async () => {
      const { msgs } = await holdingMany(2);
      await bench.aws.fault({ kind: 'delay', delayMs: 100, operation: 'DeleteMessage' });
      await bench.red.sendMany('settle', msgs);
      assert.deepEqual(bench.red.statuses('settle').at(-1), {});
      assert.ok(bench.red.statuses('settle').some(({ fill, shape }) => fill === 'blue' && shape === 'dot'));
    });
  });

  describe('returns', () => {
    it('the message to the queue, where it is to be seen at once', async () => {
      const { url, msg } = await holding({ action: 'return' }, { receiver: { maxInFlight: 1, waitTime: 0 } });
      await bench.aws.fault({ kind: 'hang', operation: 'ReceiveMessage', times: 1 });
      sentBy(await bench.red.send('settle', msg));
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });

    it('the message, which comes again under another handle', async () => {
      const { url, msg } = await holding({ action: 'return' });
      sentBy(await bench.red.send('settle', msg));
      const again = await bench.red.next('out');
      assert.equal(again.aws?.messageId, msg.aws?.messageId);
      assert.ok((again.aws?.receiveCount as number) > 1);
      assert.notEqual(again.aws?.handle, msg.aws?.handle);
      sentBy(await bench.red.send('delete', again));
      await counted(url, empty);
    });

    for (const [what, properties, more] of [
      ['a number', { delay: 7, delayType: 'num' }, {}],
      ['a number in text', { delay: '7', delayType: 'num' }, {}],
      ['a member of the message', { delay: 'wait', delayType: 'msg' }, { wait: 7 }],
      ['an expression', { delay: 'aws.receiveCount + 6', delayType: 'jsonata' }, {}]
    ] as const) {
      it(`after a delay: ${what}`, async () => {
        const { url, msg } = await holding({ action: 'return', ...properties });
        sentBy(await bench.red.send('settle', { ...msg, ...more }));
        assert.deepEqual(
          (await inputs('ChangeMessageVisibility')).map(({ VisibilityTimeout }) => VisibilityTimeout),
          [7]
        );
        assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 1, delayed: 0 });
      });
    }

    for (const [what, properties] of [
      ['blank', { delay: '', delayType: 'num' }],
      ['without a value', { delay: 'nothing', delayType: 'msg' }]
    ] as const) {
      it(`at once where the delay is ${what}`, async () => {
        const { msg } = await holding({ action: 'return', ...properties });
        sentBy(await bench.red.send('settle', msg));
        assert.equal((await inputs('ChangeMessageVisibility'))[0]?.VisibilityTimeout, 0);
      });
    }

    it('for no longer than a queue hides a message in all: 12 hours', async () => {
      const { msg } = await holding({ action: 'return', delay: 43_200, delayType: 'num' });
      sentBy(await bench.red.send('settle', msg));
      const [{ VisibilityTimeout } = {}] = await inputs('ChangeMessageVisibility');
      assert.ok((VisibilityTimeout as number) < 43_200 && (VisibilityTimeout as number) > 43_000);
    });

    it('and the message comes when the delay is over, not before', async () => {
      const { url, msg } = await holding({ action: 'return', delay: 1, delayType: 'num' });
      const began = Date.now();
      sentBy(await bench.red.send('settle', msg));
      const again = await bench.red.next('out');
      assert.ok(Date.now() - began >= 0.95 * second);
      sentBy(await bench.red.send('delete', again));
      await counted(url, empty);
    });

    it('many at once in few requests', async () => {
      const { msgs } = await holdingMany(30, { action: 'return', delay: 60, delayType: 'num' });
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      const changes = await queues.requests('ChangeMessageVisibility');
      assert.ok(changes.length <= 6, `${changes.length} requests for 30 messages`);
    });

    it('too often: the queue’s dead-letter queue takes the message', async () => {
      const dead = await queues.create();
      const deadLetterTargetArn = `arn:aws:sqs:us-east-1:111111111111:${dead.split('/').at(-1)}`;
      const url = await queues.create({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: '3' }) });
      await queues.send(url, 'poison');
      await deploy(url);
      for (let count = 1; count <= 3; count += 1) {
        const msg = await bench.red.next('out');
        assert.equal(msg.aws?.receiveCount, count);
        sentBy(await bench.red.send('return', msg));
      }
      const [message] = (await bench.red.until(async () => {
        const found = await queues.receive(dead);
        return found.length > 0 ? found : undefined;
      }, 'the message in the dead-letter queue')) as QueueMessage[];
      assert.equal(message?.Body, 'poison');
      assert.equal(bench.red.received('out').length, 3);
    });
  });

  describe('finds the message', () => {
    it('by any copy that Node-RED makes for a second wire', async () => {
      const url = await queues.create();
      await queues.send(url, 'twice in the flow');
      await deploy(url, {}, { receiver: { wires: [['settle', 'out']] } });
      await bench.red.next('settled');
      await counted(url, empty);
      sentBy(await bench.red.send('delete', await bench.red.next('out')));
    });

    it('after it was JSON, link nodes and another tab', async () => {
      const url = await queues.create();
      await queues.send(url, 'far away');
      const tab = { z: 'other', x: 100, y: 40 };
      await deploy(
        url,
        {},
        {
          receiver: { wires: [['pack']] },
          more: [
            { id: 'other', type: 'tab', label: 'Other' },
            {
              id: 'pack',
              type: 'function',
              func: 'return { payload: JSON.stringify(msg), topic: "packed" };',
              outputs: 1,
              wires: [['link-out']]
            },
            { id: 'link-out', type: 'link out', mode: 'link', links: ['link-in'] },
            { id: 'link-in', type: 'link in', ...tab, links: ['link-out'], wires: [['json']] },
            { id: 'json', type: 'json', ...tab, property: 'payload', action: 'obj', wires: [['unpack']] },
            { id: 'unpack', type: 'function', ...tab, func: 'return msg.payload;', outputs: 1, wires: [['far']] },
            settleNode({ id: 'far', ...tab, wires: [['far-out']] }),
            { ...sink('far-out'), ...tab }
          ]
        }
      );
      assert.equal((await bench.red.next('far-out')).payload, 'far away');
      await counted(url, empty);
    });

    it('behind other nodes of the pack, which keep its handle', async () => {
      const url = await queues.create();
      await queues.send(url, '{"name": "Ada"}');
      const invoke = {
        id: 'invoke',
        type: 'aws-lambda-invoke',
        account: 'account',
        functionName: 'hello',
        functionNameType: 'str',
        wires: [['settle']]
      };
      await deploy(url, {}, { receiver: { wires: [['invoke']] }, more: [invoke] });
      const { payload, aws } = await bench.red.next('settled');
      assert.deepEqual(payload, { greeting: 'Hello, Ada!' });
      assert.equal(aws?.operation, 'Invoke');
      await counted(url, empty);
    });

    it('from each of two receivers', async () => {
      const [one, two] = [await queues.create(), await queues.create()];
      await queues.send(one, 'of one');
      await queues.send(two, 'of two');
      await deploy(one, {}, { more: [receiveNode({ id: 'second', queue: two, settle: 'flow' })] });
      for (const outcome of await bench.red.sendMany('settle', await bench.red.collect('out', 2))) sentBy(outcome);
      await counted(one, empty);
      await counted(two, empty);
    });

    it('behind a Catch node, to return it', async () => {
      const url = await queues.create();
      await queues.send(url, 'bad');
      await deploy(
        url,
        {},
        {
          receiver: { wires: [['work']] },
          more: [
            { id: 'work', type: 'function', func: 'throw new Error("no");', outputs: 1, wires: [['settle']] },
            { id: 'catch', type: 'catch', scope: ['work'], uncaught: false, wires: [['back']] },
            settleNode({ id: 'back', action: 'return', delay: 60, delayType: 'num', wires: [['out']] })
          ]
        }
      );
      await bench.red.next('out');
      assert.equal((await inputs('ChangeMessageVisibility'))[0]?.VisibilityTimeout, 60);
      assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 1, delayed: 0 });
    });
  });

  describe('does nothing a second time', () => {
    for (const [first, then] of [
      ['delete', 'delete'],
      ['delete', 'return'],
      ['return', 'delete'],
      ['return', 'return']
    ] as const) {
      it(`after each other: ${first}, then ${then}`, async () => {
        const { url, msg } = await holding({}, { receiver: { maxInFlight: 1 } });
        // What is returned must not come back at once: another one is held in its place.
        await bench.aws.fault({ kind: 'hang', operation: 'ReceiveMessage' });
        sentBy(await bench.red.send(first, msg));
        sentBy(await bench.red.send(then, msg));
        assert.deepEqual(await queues.counts(url), { visible: first === 'return' ? 1 : 0, hidden: 0, delayed: 0 });
        const settlements = [...(await inputs('DeleteMessage')), ...(await inputs('ChangeMessageVisibility'))];
        assert.equal(settlements.length, 1);
      });

      it(`at the same time: ${first} and ${then}`, async () => {
        const { url, msg } = await holding({}, { receiver: { maxInFlight: 1 } });
        await bench.aws.fault({ kind: 'hang', operation: 'ReceiveMessage' });
        const copies = [bench.red.send(first, msg), bench.red.send(then, { ...msg, _msgid: 'copy' })];
        for (const outcome of await Promise.all(copies)) sentBy(outcome);
        assert.deepEqual(await queues.counts(url), { visible: first === 'return' ? 1 : 0, hidden: 0, delayed: 0 });
      });
    }

    it('where the receiver deletes what it has sent on', async () => {
      const { url, msg } = await holding({}, { receiver: { settle: 'sent' } });
      sentBy(await bench.red.send('return', msg));
      sentBy(await bench.red.send('delete', msg));
      await counted(url, empty);
      assert.equal(bench.red.received('out').length, 1);
    });

    it('also where an extension was under way that finds the message deleted', async () => {
      const { url, msg } = await holding({}, { receiver: { visibilityTimeout: 1 } });
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'ChangeMessageVisibility', times: 1 });
      await bench.aws.fault({ kind: 'delayAfter', delayMs: 600, operation: 'DeleteMessage', times: 1 });
      await bench.aws.until({ operation: 'ChangeMessageVisibility', requests: 1 });
      sentBy(await bench.red.send('delete', msg));
      sentBy(await bench.red.send('delete', msg));
      await counted(url, empty);
    });

    it('and is done where the connection broke after the message was returned', async () => {
      const { url, msg } = await holding({ action: 'return' }, { receiver: { maxInFlight: 1 } });
      await bench.aws.fault({ kind: 'hang', operation: 'ReceiveMessage' });
      await bench.aws.fault({ kind: 'resetAfter', operation: 'ChangeMessageVisibility', times: 1 });
      sentBy(await bench.red.send('settle', msg));
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });
  });

  describe('looks at what became of each message', () => {
    /** Fails every entry of the next deletions, as many requests as said. */
    const failing =
      (Code: string, SenderFault: boolean, times: number) =>
      (relay: Relay): void => {
        let left = times;
        relay.answer = ({ headers, body }) => {
          const [, operation = ''] = headers['x-amz-target']?.split('.') ?? [];
          if (!operation.startsWith('DeleteMessage') || left <= 0) return undefined;
          left -= 1;
          const { Entries } = JSON.parse(body) as { Entries?: { Id: string }[] };
          if (!Entries) return { status: 503, errorType: Code, body: '{"message": "Not this time."}' };
          const Failed = Entries.map(({ Id }) => ({ Id, Code, SenderFault, Message: 'Not this time.' }));
          return { body: JSON.stringify({ Successful: [], Failed }) };
        };
      };
    const relayed = async (prepare: (relay: Relay) => void): Promise<Relay> => {
      const relay = await newRelay();
      prepare(relay);
      return relay;
    };

    it('and deletes again what the service failed', async () => {
      const { url: endpoint } = await relayed(failing('InternalError', false, 2));
      const { url, msgs } = await holdingMany(5, {}, { endpoint });
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      await counted(url, empty);
    });

    it('and deletes again what failed without a reason in the answer', async () => {
      const { url: endpoint } = await relayed((relay) => {
        relay.answer = ({ headers, body }) => {
          if (!headers['x-amz-target']?.endsWith('DeleteMessageBatch')) return undefined;
          relay.answer = () => undefined;
          const { Entries } = JSON.parse(body) as { Entries: { Id: string }[] };
          const Failed = Entries.map(({ Id }) => ({ Id }));
          return { headers: { 'x-amzn-RequestId': 'id' }, body: JSON.stringify({ Failed }) };
        };
      });
      const { url, msgs } = await holdingMany(4, {}, { endpoint });
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      await counted(url, empty);
    });

    it('and deletes again what the answer says nothing of', async () => {
      const { url: endpoint } = await relayed((relay) => {
        relay.answer = ({ headers }) =>
          headers['x-amz-target']?.endsWith('DeleteMessageBatch') ? { body: '{"Successful": []}' } : undefined;
      });
      const { url, msgs } = await holdingMany(4, {}, { endpoint });
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      await counted(url, empty);
    });

    it('and says so where that does not help; the message can be settled again', async () => {
      const relay = await relayed(failing('ServiceUnavailable', false, Infinity));
      const { url, msgs } = await holdingMany(4, {}, { endpoint: relay.url });
      for (const outcome of await bench.red.sendMany('settle', msgs)) {
        const { code, message, service, operation, retryable } = errorOf(outcome);
        assert.deepEqual([code, service, operation, retryable], ['ServiceUnavailable', 'sqs', 'DeleteMessage', true]);
        assert.match(message, /Not this time\./);
      }
      relay.answer = () => undefined;
      for (const outcome of await bench.red.sendMany('settle', msgs)) sentBy(outcome);
      await counted(url, empty);
    });

    it('and takes a receipt handle that the service refuses for a message whose time is over', async () => {
      const { url: endpoint } = await relayed(failing('ReceiptHandleIsInvalid', true, Infinity));
      const { msgs } = await holdingMany(4, {}, { endpoint });
      const [, ...batch] = await bench.red.sendMany('settle', msgs);
      for (const outcome of batch) assert.equal(errorOf(outcome).code, 'HandleExpired');
    });
  });

  describe('tries again', () => {
    for (const [what, fault, code, retryable] of [
      ['a fault of the service', { kind: 'error500', times: 3 }, 'InternalFailure', true],
      ['connections that break', { kind: 'resetBefore', times: 3 }, 'ECONNRESET', true],
      ['a session that has expired', { kind: 'expired', times: 1 }, 'ExpiredToken', false],
      ['a page of HTML with 200', { kind: 'html', status: 200, times: 1 }, 'UnknownError', false]
    ] as const) {
      it(`after ${what}: the message stays with the flow, and can be settled`, async () => {
        const { url, msg } = await holding();
        await bench.aws.fault({ ...fault, operation: 'DeleteMessage' });
        const error = errorOf(await bench.red.send('settle', msg));
        assert.match(String(error.code), new RegExp(`^${code}`));
        assert.equal(error.retryable, retryable);
        assert.deepEqual([error.service, error.operation], ['sqs', 'DeleteMessage']);
        assertFailed(bench.red.statuses('settle').at(-1), error);
        sentBy(await bench.red.send('settle', msg));
        assert.deepEqual(bench.red.statuses('settle').at(-1), {});
        await counted(url, empty);
      });
    }

    it('by itself where a connection breaks, before or after the work', async () => {
      for (const kind of ['resetBefore', 'resetAfter'] as const) {
        const { url, msg } = await holding();
        await bench.aws.fault({ kind, operation: 'DeleteMessage', times: 1 });
        sentBy(await bench.red.send('settle', msg));
        await counted(url, empty);
      }
    });

    it('with return, after a delete that failed', async () => {
      const { url, msg } = await holding({}, { receiver: { maxInFlight: 1 } });
      await bench.aws.fault({ kind: 'hang', operation: 'ReceiveMessage' });
      await bench.aws.fault({ kind: 'error500', operation: 'DeleteMessage' });
      errorOf(await bench.red.send('delete', msg));
      sentBy(await bench.red.send('return', msg));
      assert.deepEqual(await queues.counts(url), { visible: 1, hidden: 0, delayed: 0 });
    });
  });

  describe('ends in HandleExpired', () => {
    const isExpired = (outcome: Outcome, says: RegExp, operation = 'DeleteMessage') => {
      const { code, name, message, service, operation: which, retryable, stack } = errorOf(outcome);
      assert.deepEqual(
        [code, name, service, which, retryable],
        ['HandleExpired', 'HandleExpired', 'sqs', operation, false]
      );
      assert.match(message, says);
      assert.equal(typeof stack, 'string');
      assert.deepEqual(bench.red.statuses('settle').at(-1), {
        fill: 'red',
        shape: 'ring',
        text: 'status.handleExpired'
      });
    };

    for (const [what, handle] of [
      ['words', 'not a handle'],
      ['a dot', '.'],
      ['dots', '....'],
      ['__proto__', '__proto__'],
      ['__proto__ with a number', '__proto__.1'],
      ['constructor', 'constructor.1'],
      ['a receipt handle of SQS', 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a=='],
      ['a megabyte', 'x'.repeat(1_000_000)],
      ['NUL and line breaks', '\u0000\r\n.1'],
      ['half a character', '\ud800.1']
    ] as const) {
      it(`for a handle that nobody gave: ${what}`, async () => {
        const { url } = await holding();
        const given = handled(handle);
        const outcome = await bench.red.send('settle', given);
        isExpired(outcome, /receiver of this message is gone|No receiver has given/);
        assert.ok((outcome.error?.message.length ?? 0) < 500);
        assert.equal(outcome.msg.payload, 'kept');
        assert.deepEqual(await queues.requests('DeleteMessage'), []);
        assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 1, delayed: 0 });
      });
    }

    for (const [what, change] of [
      ['a number that comes later', (id: string) => `${id}.2`],
      ['the number 0', (id: string) => `${id}.0`],
      ['a negative number', (id: string) => `${id}.-1`],
      ['no number', (id: string) => `${id}.`],
      ['NaN', (id: string) => `${id}.NaN`],
      ['Infinity', (id: string) => `${id}.Infinity`],
      ['half a number', (id: string) => `${id}.0.5`],
      ['nothing behind it', (id: string) => id]
    ] as const) {
      it(`for a handle of the receiver with ${what}`, async () => {
        const { msg } = await holding({ action: 'return' });
        const [id = ''] = String(msg.aws?.handle).split('.');
        isExpired(
          await bench.red.send('settle', handled(change(id))),
          /No receiver has given/,
          'ChangeMessageVisibility'
        );
        assert.deepEqual(await queues.requests('ChangeMessageVisibility'), []);
      });
    }

    it('when the receiver was deployed anew meanwhile', async () => {
      const { url, msg } = await holding();
      await deploy(url);
      const again = await bench.red.next('out');
      isExpired(await bench.red.send('settle', msg), /receiver of this message is gone/);
      sentBy(await bench.red.send('settle', again));
      await counted(url, empty);
    });

    it('when the time is over, since the queue could not be told to wait', async () => {
      const { url, msg } = await holding({}, { receiver: { maxInFlight: 1, visibilityTimeout: 1 } });
      await bench.aws.fault({ kind: 'expired', operation: 'ChangeMessageVisibility' });
      const again = await bench.red.next('out');
      assert.equal(again.aws?.messageId, msg.aws?.messageId);
      isExpired(await bench.red.send('settle', msg), /time for this message is over/);
      isExpired(await bench.red.send('settle', msg), /time for this message is over/);
      const warnings = bench.red.logs.filter(({ level, id }) => level === 'warn' && id === 'receive');
      assert.ok(warnings.some(({ text }) => text.includes(`the message ${msg.aws?.messageId} is over`)));
      sentBy(await bench.red.send('settle', again));
      await counted(url, empty);
    });

    it('when the message was deleted elsewhere, as soon as that is known', async () => {
      const { url, msg } = await holding({}, { receiver: { visibilityTimeout: 1 } });
      await queues.purge(url);
      await bench.red.until(
        () => bench.red.statuses('receive').at(-1)?.text !== '1',
        'the receiver to find that the message is gone'
      );
      isExpired(await bench.red.send('settle', msg), /time for this message is over/);
    });

    it('where it is returned after it was deleted elsewhere', async () => {
      const { url, msg } = await holding({ action: 'return' });
      await queues.purge(url);
      isExpired(await bench.red.send('settle', msg), /time for this message is over/, 'ChangeMessageVisibility');
    });
  });

  describe('says at once what is wrong with', () => {
    const notNumbers = /^Delay must be a whole number from 0 to 43200, but is /;
    for (const [what, aws] of [
      ['no msg.aws', undefined],
      ['a msg.aws that is null', null],
      ['a msg.aws that is text', 'text'],
      ['a msg.aws of another node', { service: 'lambda', operation: 'Invoke' }],
      ['a handle that is null', { handle: null }],
      ['a handle that is empty', { handle: '' }],
      ['a handle that is inherited', { __proto__: null, other: 1 }]
    ] as const) {
      it(what, async () => {
        const { url } = await holding();
        const outcome = await bench.red.send('settle', {
          payload: 'kept',
          ...(aws !== undefined && { aws: aws as never })
        });
        const { code, message, operation } = errorOf(outcome);
        assert.deepEqual([code, operation], ['MissingValue', 'DeleteMessage']);
        assert.match(message, /^msg\.aws\.handle is required, but has no value/);
        assert.equal(outcome.statuses.at(-1)?.text, 'msg.aws.handle: no value');
        assert.equal(outcome.msg.payload, 'kept');
        assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 1, delayed: 0 });
      });
    }

    for (const [what, handle] of [
      ['a number', 7],
      ['an object', { toString: () => 'x.1' }],
      ['a list', ['x.1']],
      ['a Buffer', Buffer.from('x.1')],
      ['true', true]
    ] as const) {
      it(`a handle that is ${what}`, async () => {
        await holding();
        const { code } = errorOf(await bench.red.send('settle', handled(handle)));
        assert.match(String(code), /^(MissingValue|HandleExpired)$/);
        assert.deepEqual(await queues.requests('DeleteMessage'), []);
      });
    }

    for (const [what, delay] of [
      ['less than nothing', -1],
      ['over 12 hours', 43_201],
      ['half a second', 0.5],
      ['NaN', Number.NaN],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['words', 'soon'],
      ['blanks', ' '],
      ['true', true],
      ['an object', {}],
      ['a list', [5]],
      ['a bigint', 5n]
    ] as const) {
      it(`a delay that is ${what}; the message stays with the flow`, async () => {
        const { url, msg } = await holding({ action: 'return', delay: 'wait', delayType: 'msg' });
        const outcome = await bench.red.send('settle', { ...msg, wait: delay });
        const { code, message, operation } = errorOf(outcome);
        assert.deepEqual([code, operation], ['InvalidValue', 'ChangeMessageVisibility']);
        assert.match(message, notNumbers);
        sentBy(await bench.red.send('delete', msg));
        await counted(url, empty);
      });
    }

    it('an action that there is not', async () => {
      const { msg } = await holding({ action: 'burn' });
      const { code, message } = errorOf(await bench.red.send('settle', msg));
      assert.equal(code, 'InvalidValue');
      assert.match(message, /^Action must be one of delete, return, but is "burn"/);
    });

    it('a queue that was deleted: the message cannot be settled any more', async () => {
      const { url, msg } = await holding();
      await queues.delete(url);
      const { code, retryable } = errorOf(await bench.red.send('settle', msg));
      assert.equal(code, 'QueueDoesNotExist');
      assert.equal(retryable, false);
    });

    it('rights that are missing, without a secret', async () => {
      const { secretAccessKey, accessKeyId } = keysOf('demo');
      const relay = await newRelay();
      relay.answer = ({ headers }) =>
        headers['x-amz-target']?.endsWith('DeleteMessage')
          ? {
              status: 403,
              errorType: 'AccessDeniedException',
              body: JSON.stringify({ message: `User ${accessKeyId} ${secretAccessKey} is not authorized` })
            }
          : undefined;
      const { url, msg } = await holding({}, { endpoint: relay.url });
      const { code, message, cause, stack } = errorOf(await bench.red.send('settle', msg));
      assert.match(String(code), /^AccessDenied/);
      assert.match(message, /not allowed to do that/);
      assert.ok(
        !JSON.stringify([message, cause, stack, bench.red.logs.map(({ text }) => text)]).includes(secretAccessKey)
      );
      relay.answer = () => undefined;
      sentBy(await bench.red.send('settle', msg));
      await counted(url, empty);
    });
  });

  describe('when it closes', () => {
    it('finishes what is under way and passes it on', async () => {
      const { url, msg } = await holding();
      await bench.aws.fault({ kind: 'delay', delayMs: 300, operation: 'DeleteMessage' });
      const outcome = await bench.red.begin('settle', msg);
      await bench.aws.until({ operation: 'DeleteMessage', requests: 1 });
      const rest = [
        account(bench),
        receiveNode({ queue: url, settle: 'flow' }),
        sink('out'),
        settleNode({ id: 'delete', action: 'delete' }),
        settleNode({ id: 'return', action: 'return' }),
        sink('settled')
      ];
      await bench.red.deploy(rest, { type: 'nodes' });
      sentBy(outcome);
      await counted(url, empty);
    });

    it('together with the receiver, ends each message once', async () => {
      const { url, msgs } = await holdingMany(40);
      const outcomes = await Promise.all(msgs.map((msg) => bench.red.begin('settle', msg)));
      await bench.red.deploy([account(bench)]);
      for (const outcome of outcomes) assert.equal(outcome.done, 1);
      const left = outcomes.filter(({ error }) => error).length;
      assert.deepEqual(await queues.counts(url), { visible: left, hidden: 0, delayed: 0 });
    });
  });
});
