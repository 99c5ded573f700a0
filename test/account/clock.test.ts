/** The clock of this machine is set, that of AWS is another one: no message may notice. */
import assert from 'node:assert/strict';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { createCanvas } from 'canvas';
import { roles } from '../../local-aws/client';
import { ServiceClock } from '../../nodes/account/service-clock';
import {
  account,
  credentials,
  detectNode,
  invokeNode,
  keysOf,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Outcome } from '../node-red';
import { sink } from '../node-red';
import { useRelay } from '../relay';
import { setClock } from '../set-clock';

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

const jumps: ReadonlyArray<readonly [what: string, ms: number]> = [
  ['a minute ahead', 60 * second],
  ['a minute back', -60 * second],
  ['2 hours ahead', 2 * hour],
  ['2 hours back', -2 * hour],
  ['400 days ahead', 400 * day],
  ['400 days back', -400 * day]
];

const picture = createCanvas(100, 100).toBuffer('image/png');

describe('a clock', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);
  let topicArn = '';

  before(async () => {
    const client = new SNSClient({ region: 'us-east-1', endpoint: bench.aws.url, credentials: keysOf('demo') });
    topicArn = (await client.send(new CreateTopicCommand({ Name: 'clocks' }))).TopicArn as string;
    client.destroy();
  });

  const deploy = (nodes: FlowNode[], properties: Record<string, unknown> = {}) =>
    bench.red.deploy([account(bench, { endpoint: relay.url, ...properties }), ...nodes, sink('out')], {
      credentials: credentials()
    });

  function passed({ error, done, sent }: Outcome): void {
    assert.ifError(error);
    assert.deepEqual([done, sent.length], [1, 1]);
  }

  const operations = async () => (await bench.aws.requests()).map(({ operation }) => operation);
  /** How far AWS is ahead of the true time from now on. */
  const setService = (ms: number) => bench.aws.settings({ clockAheadSeconds: ms / 1000 });

  const actions = async (): Promise<[operation: string, node: FlowNode][]> => [
    ['Invoke', invokeNode()],
    ['ListFunctions', listNode()],
    ['SendMessage', sendNode({ queue: await queues.create(), batch: false })],
    ['SendMessageBatch', sendNode({ id: 'batch', queue: await queues.create() })],
    ['DetectFaces', detectNode({ feature: 'faces' })],
    ['Publish', publishNode({ target: topicArn, batch: false })]
  ];
  const payloads: Record<string, unknown> = { detect: picture };
  const send = (id: string) => bench.red.send(id, { payload: payloads[id] ?? { name: 'Ada' } });

  for (const [what, ms] of jumps) {
    it(`that is set ${what} between two messages costs none of them a request more, whatever the service`, async () => {
      const nodes = await actions();
      await deploy(nodes.map(([, node]) => node));
      for (const [, { id }] of nodes) passed(await send(id));
      const before = await operations();
      relay.exchanges.length = 0;
      setClock(ms);
      for (const [, { id }] of nodes) passed(await send(id));
      const after = await operations();
      assert.equal(after.length - before.length, relay.exchanges.length);
      assert.ok(after.length <= 2 * before.length, String(after));
    });

    it(`that is set ${what} while a request is under way, and then put right, harms neither it nor the next ones`, async () => {
      await deploy([invokeNode()]);
      relay.answer = () => {
        setClock(ms);
        return undefined;
      };
      passed(await send('invoke'));
      relay.answer = () => {
        setClock(0);
        return undefined;
      };
      passed(await send('invoke'));
      passed(await send('invoke'));
      assert.deepEqual(await operations(), ['Invoke', 'Invoke', 'Invoke']);
    });

    it(`of AWS that is found ${what} when a message is sent costs the account one request more, and no node a message`, async () => {
      const nodes = await actions();
      await deploy(nodes.map(([, node]) => node));
      for (const [, { id }] of nodes) passed(await send(id));
      const usual = (await operations()).length;
      for (const skew of [ms, 0]) {
        await setService(skew);
        const before = (await operations()).length;
        for (const [, { id }] of nodes) passed(await send(id));
        const refused = (await bench.aws.requests()).slice(before).filter(({ status = 0 }) => status === 403);
        assert.equal(refused.length, Math.abs(ms) > 300 * second ? 1 : 0);
        assert.ok((await operations()).length - before <= usual + 1);
      }
    });
  }

  it('of AWS that many messages find changed at the same time harms none of them', async () => {
    await deploy([invokeNode()]);
    passed(await send('invoke'));
    for (const skew of [2 * hour, 0, -2 * hour, 0]) {
      await setService(skew);
      const outcomes = await bench.red.sendMany(
        'invoke',
        Array.from({ length: 30 }, () => ({ payload: { name: 'Ada' } }))
      );
      for (const outcome of outcomes) passed(outcome);
    }
    assert.equal((await bench.aws.invocations()).length, 121);
  });

  for (const [what, reply] of [
    ['with a page', { status: 200, body: '<html></html>' }],
    ['with JSON', { status: 403, body: '{"message":"Please sign in"}' }],
    ['with a fault of its own', { status: 511, body: '' }]
  ] as const) {
    it(`of a portal that answers once ${what} is no clock of AWS`, async () => {
      await deploy([invokeNode(), sendNode({ queue: await queues.create(), batch: false })]);
      passed(await send('invoke'));
      for (const ms of [2 * hour, -400 * day]) {
        const date = new Date(Date.now() + ms).toUTCString();
        relay.answer = () => ({ ...reply, headers: { Date: date } });
        assert.ok((await send('invoke')).error);
        relay.answer = () => undefined;
        const before = (await operations()).length;
        passed(await send('invoke'));
        passed(await send('send'));
        assert.equal((await operations()).length - before, 2);
      }
    });
  }

  it('is not what is wrong where the secret key is: it is asked once', async () => {
    await bench.red.deploy([account(bench), invokeNode(), sink('out')], {
      credentials: credentials('demo', { secretAccessKey: 'not-the-secret-of-this-key' })
    });
    setClock(2 * hour);
    await send('invoke');
    const before = (await operations()).length;
    const { error } = await send('invoke');
    assert.equal(error?.name, 'InvalidSignatureException');
    assert.equal((await operations()).length - before, 1);
  });

  describe('and temporary credentials:', () => {
    const role = { roleArn: roles.demo.arn };

    for (const [what, ms] of jumps) {
      it(`one that is set ${what} has them neither renewed early nor kept too long`, async () => {
        await deploy([invokeNode()], role);
        passed(await send('invoke'));
        setClock(ms);
        for (let count = 0; count < 3; count += 1) passed(await send('invoke'));
        setClock(0);
        passed(await send('invoke'));
        assert.deepEqual(await operations(), ['AssumeRole', ...Array(5).fill('Invoke')]);
      });

      it(`one of AWS that is found ${what} has them assumed all the same, at the first time and at the next`, async () => {
        await setService(ms);
        await deploy([invokeNode()], role);
        passed(await send('invoke'));
        await bench.aws.fault({ kind: 'expired', operation: 'Invoke', times: 1 });
        assert.equal((await send('invoke')).error?.name, 'ExpiredTokenException');
        await setService(0);
        passed(await send('invoke'));
        assert.equal((await operations()).at(-1), 'Invoke');
      });

      it(`one that is set ${what} leaves the connection test of the dialog alone`, async () => {
        setClock(ms);
        await deploy([]);
        for (const properties of [{}, role]) {
          const body = {
            id: 'account',
            properties: { source: 'keys', region: 'us-east-1', endpoint: relay.url, ...properties },
            credentials: keysOf('demo')
          };
          const answer = await bench.red.request('aws-account/test', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(body)
          });
          const { arn, refusal } = (await answer.json()) as { arn?: string; refusal?: unknown };
          assert.equal(refusal, undefined);
          assert.ok(arn);
        }
      });
    }

    it('one of a portal that answers while a role is assumed', async () => {
      await deploy([invokeNode()], role);
      const headers = { 'Content-Type': 'text/html', Date: 'Tue, 01 Jan 2019 00:00:00 GMT' };
      let asked = 0;
      relay.answer = () => {
        asked += 1;
        return asked === 1 ? { status: 503, body: '<html></html>', headers } : undefined;
      };
      passed(await send('invoke'));
    });

    it('one that is put right while a role is assumed', async () => {
      await setService(2 * hour);
      await deploy([invokeNode()], role);
      let asked = 0;
      relay.answer = async () => {
        asked += 1;
        if (asked === 2) await setService(0);
        return undefined;
      };
      passed(await send('invoke'));
    });
  });

  describe('and what is measured by hours and minutes:', () => {
    const receiving = async (properties: Record<string, unknown>): Promise<string> => {
      const url = await queues.create();
      await deploy([receiveNode({ queue: url, ...properties }), settleNode(), sink('settled')]);
      return url;
    };
    const asked = (operation: string, count: number) =>
      bench.red.until(async () => (await queues.requests(operation)).length >= count, `${operation} ${count} times`);

    for (const [what, ms] of jumps) {
      it(`one that is set ${what} while the receiver waits for an answer leaves it at its pace`, async () => {
        let polls = 0;
        relay.answer = ({ headers }) => {
          if (!headers['x-amz-target']?.endsWith('ReceiveMessage')) return undefined;
          polls += 1;
          setClock(polls % 2 === 1 ? ms : 0);
          return undefined;
        };
        await receiving({ waitTime: 0 });
        await asked('ReceiveMessage', 3);
        const times = (await queues.requests('ReceiveMessage')).map(({ time }) => time);
        assert.ok((times[2] as number) - (times[0] as number) > 1.8 * second, String(times));
      });

      it(`one that is set ${what} neither ends the visibility of a held message nor lets it run out`, async () => {
        const url = await receiving({ settle: 'flow', visibilityTimeout: 2 });
        await queues.send(url, 'held');
        const msg = await bench.red.next('out');
        const received = Date.now();
        setClock(ms);
        await asked('ChangeMessageVisibility', 2);
        const times = (await queues.requests('ChangeMessageVisibility')).map(({ time }) => time - received);
        assert.ok((times[0] as number) < 2 * second && (times[1] as number) < 4 * second, String(times));
        passed(await bench.red.send('settle', msg));
        setClock(0);
        assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 0, delayed: 0 });
      });
    }
  });
});

describe('the time of a service', () => {
  const answer = (at: number, more: Record<string, string> = {}) => ({
    headers: { date: new Date(at).toUTCString(), 'x-amzn-requestid': 'some', ...more }
  });
  const request = { headers: {} };
  const near = (clock: ServiceClock, expected: number) => assert.ok(Math.abs(clock.at() - expected) < 1500);

  it('is that of this machine before the first answer, and goes on as time does', () => {
    const began = Date.now();
    const clock = new ServiceClock();
    setClock(-400 * day);
    near(clock, began);
  });

  it('stays as it is where an answer agrees with it', () => {
    const clock = new ServiceClock();
    const before = clock.at() - performance.now();
    clock.hear(request, answer(Date.now() - 5000), 6000);
    assert.ok(Math.abs(clock.at() - performance.now() - before) < 1);
  });

  it('is learned from an answer with a request ID, and from no other, nor from what a cache has kept', () => {
    const clock = new ServiceClock();
    const now = Date.now();
    clock.hear(request, { headers: { date: new Date(now + day).toUTCString() } }, 1);
    clock.hear(request, answer(now + day, { age: '86400' }), 1);
    clock.hear(request, { headers: { date: 'yesterday', 'x-amzn-requestid': 'some' } }, 1);
    near(clock, now);
    clock.hear(request, answer(now + day), 1);
    near(clock, now + day);
    clock.hear(request, answer(now - day), 1);
    near(clock, now - day);
  });
});
