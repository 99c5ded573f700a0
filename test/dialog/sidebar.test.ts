/** What the sidebar of the editor is told, who may ask, and what is done with messages that are kept. */
import assert from 'node:assert/strict';
import { roles, signIns } from '../../local-aws/client';
import type { AccountRow, KeptRow, ReceiverRow, Snapshot } from '../../nodes/dialog/sidebar';
import {
  account,
  credentials,
  deployNodes,
  invokeNode,
  keysOf,
  receiveNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import { type FlowNode, sink } from '../node-red';
import { startWithUsers, type WithUsers } from './users';

const json = { 'content-type': 'application/json' };

describe('the sidebar', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  let run = '';
  let last = 0;
  beforeEach(async () => {
    ({ run, last } = await look());
  });

  const look = async (query: Record<string, string | number> = {}): Promise<Snapshot> => {
    const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    const answer = await bench.red.request(`aws-account/sidebar?${parameters}`);
    assert.equal(answer.status, 200);
    return (await answer.json()) as Snapshot;
  };
  /** What has happened in this test. */
  const lookNow = () => look({ run, after: last });
  const act = (name: string, body: object): Promise<Response> =>
    bench.red.request(`aws-account/kept/${name}`, { method: 'POST', headers: json, body: JSON.stringify(body) });
  const until = async <T>(find: (snapshot: Snapshot) => T | undefined): Promise<T> =>
    (await bench.red.until(async () => find(await lookNow()), 'the sidebar to show it', 60_000)) as T;

  describe('is told of the last calls', () => {
    it('by which node, of what, how long, how often and under which ID', async () => {
      await deployNodes(bench, [invokeNode({ functionName: 'echo' }), sink('out')]);
      const secret = 'what nobody else may read';
      const { sent } = await bench.red.send('invoke', { payload: { secret } });
      const aws = sent[0]?.aws as { requestId: string };
      const { calls } = await lookNow();
      const [call] = calls;
      assert.equal(calls.length, 1);
      assert.deepEqual(
        { ...call, at: 0, took: 0, number: 0 },
        {
          number: 0,
          at: 0,
          account: 'account',
          node: 'invoke',
          service: 'lambda',
          operation: 'Invoke',
          region: 'us-east-1',
          target: 'echo',
          took: 0,
          attempts: 1,
          requestId: aws.requestId
        }
      );
      assert.ok((call?.took ?? 0) > 0);
      assert.ok(!JSON.stringify(calls).includes(secret));
    });

    it('with the error where one has failed, also one that AWS has answered', async () => {
      await deployNodes(bench, [
        invokeNode({ functionName: 'fails' }),
        invokeNode({ id: 'nowhere', functionName: 'arn:aws:lambda:us-east-1:111111111111:function:not-there' }),
        sink('out')
      ]);
      await bench.red.send('invoke', { payload: {} });
      await bench.red.send('nowhere', { payload: {} });
      const { calls } = await lookNow();
      assert.deepEqual(
        calls.map(({ target, failure }) => [target, failure?.name]),
        [
          ['fails', 'FunctionError'],
          ['not-there', 'ResourceNotFoundException']
        ]
      );
      assert.match(calls[1]?.failure?.message ?? '', /Function not found/);
    });

    it('with what a policy lacks where one is missing, but not where AWS names a deny', async () => {
      const url = await queues.create();
      const resource = `arn:aws:sqs:us-east-1:${signIns.demo.account}:${url.split('/').at(-1)}`;
      const deny = { Effect: 'Deny', Action: 'sqs:SendMessage', Resource: '*' } as const;
      const allow = { Effect: 'Allow', Action: '*', Resource: '*' } as const;
      const missing = async (...statements: object[]) => {
        await bench.aws.settings({ policy: { Version: '2012-10-17', Statement: statements } as never });
        await bench.red.deploy([account(bench), sendNode({ queue: url }), sink('out')], {
          credentials: { account: keysOf('limited') }
        });
        await bench.red.send('send', { payload: 'x' });
        const failure = (await lookNow()).calls.at(-1)?.failure;
        assert.match(String(failure?.name), /^AccessDenied/);
        return failure;
      };
      assert.deepEqual((await missing())?.missing, { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: resource });
      const denied = await missing(allow, deny);
      assert.equal(denied?.missing, undefined);
      assert.match(
        denied?.message ?? '',
        /an identity-based policy denies sqs:SendMessage on .*, whatever other policies allow/
      );
    });

    it('with all attempts of one that was repeated', async () => {
      await deployNodes(bench, [sendNode({ queue: await queues.create() }), sink('out')]);
      await bench.aws.fault({ kind: 'error500', service: 'sqs', operation: 'SendMessage', times: 1 });
      await bench.red.send('send', { payload: 'x' });
      const [call] = (await lookNow()).calls;
      assert.deepEqual([call?.attempts, call?.failure], [2, undefined]);
    });

    it('since it has asked the last time, and of all if Node-RED has started anew', async () => {
      await deployNodes(bench, [invokeNode(), sink('out')]);
      await bench.red.send('invoke', { payload: {} });
      const first = await until((seen) => (seen.accounts[0]?.signedIn ? seen : undefined));
      await bench.red.send('invoke', { payload: {} });
      assert.deepEqual(
        (await look({ run, after: first.last })).calls.map(({ number }) => number),
        [first.last + 1]
      );
      assert.deepEqual((await look({ run, after: first.last + 1 })).calls, []);
      const { calls } = await look({ run: 'another', after: first.last });
      assert.deepEqual(
        calls.map(({ number }) => number),
        Array.from({ length: Math.min(200, first.last + 1) }, (_, index) => first.last + 1 - index).reverse()
      );
    });

    it('of 200 at most', async () => {
      await deployNodes(bench, [invokeNode(), sink('out')]);
      await bench.red.sendMany(
        'invoke',
        Array.from({ length: 210 }, () => ({ payload: {} }))
      );
      const { calls, last: newest } = await lookNow();
      assert.deepEqual([calls.length, newest - last, calls.at(-1)?.number], [200, 210, newest]);
    });

    it('under the ID that a node of a subflow has in the flow', async () => {
      await bench.red.deploy(
        [
          account(bench),
          { id: 'sub', type: 'subflow', name: 'sub', in: [{ wires: [{ id: 'invoke' }] }], out: [] },
          invokeNode({ z: 'sub', wires: [] }),
          { id: 'instance', type: 'subflow:sub', wires: [] }
        ],
        { credentials: credentials() }
      );
      await bench.red.send('invoke', { payload: {} });
      assert.deepEqual(
        (await lookNow()).calls.map(({ node }) => node),
        ['invoke']
      );
    });
  });

  describe('is told of accounts', () => {
    const find = ({ accounts }: Snapshot, id = 'account'): AccountRow | undefined =>
      accounts.find((each) => each.id === id);

    it('who is signed in, asked once, and only while it is open', async () => {
      await deployNodes(bench, []);
      assert.deepEqual(await bench.aws.requests(), []);
      const { identity, until: end } = await until((seen) => (find(seen)?.identity ? find(seen) : undefined));
      const { account: number, arn } = signIns.demo;
      assert.deepEqual([identity, end], [{ account: number, arn, region: 'us-east-1' }, undefined]);
      await lookNow();
      assert.deepEqual(
        (await bench.aws.requests()).map(({ operation }) => operation),
        ['GetCallerIdentity']
      );
    });

    it('until when', async () => {
      await bench.red.deploy([account(bench, { roleArn: roles.external.arn })], {
        credentials: { account: { ...keysOf('demo'), externalId: roles.external.externalId as string } }
      });
      const { until: end = 0 } = await until((seen) => (find(seen)?.until ? find(seen) : undefined));
      const { now } = await lookNow();
      assert.ok(end > now && end <= now + 3_700_000);
    });

    it('why nobody is', async () => {
      await deployNodes(bench, [], { region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' });
      const { failure } = await until((seen) => (find(seen)?.signedIn === false ? find(seen) : undefined));
      assert.equal(failure?.name, 'ECONNREFUSED');
    });

    it('what they have cost beside the budget', async () => {
      await deployNodes(bench, [invokeNode(), sink('out')], { budget: '1000', budgetPeriod: 'day' });
      const row = async () => find(await lookNow()) as AccountRow;
      const before = (await row()).cost;
      // One costs less than what is shown.
      await bench.red.sendMany(
        'invoke',
        Array.from({ length: 10 }, () => ({ payload: {} }))
      );
      const { cost, budget, left, period } = await row();
      assert.ok(cost > before && cost < before + 0.01);
      assert.deepEqual([budget, period.unit], [1000, 'day']);
      assert.ok(left !== null && Math.abs(left - (1000 - cost)) < 0.000002);
    });
  });

  describe('is told of receivers', () => {
    it('what is in their queues, which are asked once a minute', async () => {
      const url = await queues.create();
      await queues.send(url, 'one', 'two', 'three');
      await deployNodes(bench, [
        receiveNode({ queue: url, settle: 'flow', maxInFlight: 1, wires: [['out']] }),
        sink('out')
      ]);
      await bench.red.next('out');
      const row: ReceiverRow = await until(({ receivers }) => receivers.find(({ depth }) => depth));
      assert.deepEqual(
        { ...row, queue: '' },
        {
          id: 'receive',
          node: 'receive',
          account: 'account',
          queue: '',
          held: 1,
          depth: { waiting: 2, inFlight: 1, delayed: 0 }
        }
      );
      assert.ok(url.endsWith(`/${row.queue}`));
      await lookNow();
      const asked = (await bench.aws.requests()).filter(
        ({ operation, input }) =>
          operation === 'GetQueueAttributes' && JSON.stringify(input).includes('ApproximateNumberOfMessages')
      );
      assert.equal(asked.length, 1);
    });

    it('of each instance of a subflow, and of its account, with their IDs in the flow', async () => {
      const queue = await queues.create();
      await bench.red.deploy([
        { id: 'sub', type: 'subflow', name: 'sub', in: [], out: [] },
        { ...account(bench), z: 'sub' },
        receiveNode({ z: 'sub', queue, wires: [] }),
        { id: 'one', type: 'subflow:sub', wires: [] },
        { id: 'two', type: 'subflow:sub', wires: [] }
      ]);
      const { receivers, accounts } = await lookNow();
      const ids = (rows: readonly { id: string; node: string }[]) => rows.map(({ id, node }) => `${node} ${id}`).sort();
      assert.deepEqual(ids(receivers), ['receive one-receive', 'receive two-receive']);
      assert.deepEqual(ids(accounts), ['account one-account', 'account two-account']);
    });

    it('and of none any more when it is gone', async () => {
      await deployNodes(bench, [receiveNode({ queue: 'not-there', wires: [['out']] }), sink('out')]);
      const row = await until(({ receivers: [first] }) => (first?.failure ? first : undefined));
      assert.equal(row.failure?.name, 'QueueDoesNotExist');
      await bench.red.deploy([]);
      assert.deepEqual((await lookNow()).receivers, []);
    });
  });

  describe('has messages that are kept', () => {
    let made = 0;
    let node: FlowNode;
    let url: string;
    beforeEach(async () => {
      made += 1;
      url = await queues.create();
      node = sendNode({ id: `seen-${made}`, keep: true, queue: url });
      await bench.aws.fault({ kind: 'resetBefore', service: 'sqs' });
      await deployNodes(bench, [node, sink('out')]);
      for (const payload of ['one', 'two', 'three']) {
        await bench.red.send(node.id, { payload, picture: Buffer.from('picture'), topic: 'mine' });
      }
    });
    const kept = (isReady: (row: KeptRow) => boolean = () => true): Promise<KeptRow> =>
      until((seen) => seen.kept.find((row) => row.node === node.id && isReady(row)));

    it('counted, with their age, and why they wait', async () => {
      const { id, account: of, count, since = 0, failure } = await kept((row) => row.failure !== undefined);
      assert.deepEqual([id, of, count], [node.id, 'account', 3]);
      const { now } = await lookNow();
      assert.ok(since <= now && since > now - 60_000);
      assert.equal(failure?.name, 'ECONNRESET');
    });

    it('sent now', async () => {
      const { id } = await kept((row) => row.failure !== undefined);
      await bench.aws.clearFaults();
      assert.equal((await act('send', { id, before: 0 })).status, 200);
      await bench.red.collect('out', 3);
      assert.deepEqual(
        (await lookNow()).kept.filter((row) => row.node === node.id),
        []
      );
    });

    it('exported as lines of JSON, and still kept', async () => {
      const { id } = await kept();
      const answer = await act('export', { id, before: 0 });
      assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/jsonl');
      const lines = (await answer.text()).trimEnd().split('\n');
      const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(
        found.map(({ request, message }) => [
          (request as { MessageBody: string }).MessageBody,
          (message as { topic: string }).topic
        ]),
        ['one', 'two', 'three'].map((body) => [body, 'mine'])
      );
      const { keptAt, message, ...first } = found[0] as { keptAt: string; message: { picture: { data: number[] } } };
      assert.deepEqual(first, { target: url, region: 'us-east-1', request: { MessageBody: 'one' } });
      assert.ok(Date.parse(keptAt) > 0);
      assert.equal(Buffer.from(message.picture.data).toString(), 'picture');
      assert.equal((await kept()).count, 3);
    });

    it('thrown away, as far as they were there when it was asked', async () => {
      // What is under way is not thrown away.
      await kept((row) => row.failure !== undefined && row.since !== undefined);
      const { now } = await lookNow();
      assert.deepEqual(await (await act('discard', { id: node.id, before: now - 3_600_000 })).json(), { count: 0 });
      const { count } = (await (await act('discard', { id: node.id, before: now })).json()) as { count: number };
      assert.equal(count, 3);
      assert.deepEqual(
        (await lookNow()).kept.filter((row) => row.node === node.id),
        []
      );
      await bench.aws.clearFaults();
      await bench.red.send(node.id, { payload: 'four' });
      await bench.red.next('out');
      assert.deepEqual(
        (await queues.receive(url)).map(({ Body }) => Body),
        ['four']
      );
    });

    it('also where its node is deleted, but not where it is disabled with its flow or its subflow', async () => {
      const flow = (isOff: boolean, ...more: FlowNode[]): FlowNode[] => [
        account(bench),
        { id: 'tab', type: 'tab', label: 'a flow', disabled: isOff },
        sendNode({ id: `in-flow-${made}`, keep: true, queue: url, z: 'tab', wires: [] }),
        { id: 'sub', type: 'subflow', name: 'sub', in: [], out: [] },
        sendNode({ id: `inner-${made}`, keep: true, queue: url, z: 'sub', wires: [] }),
        { id: `one-${made}`, type: 'subflow:sub', wires: [], ...(isOff && { d: true }) },
        sink('out'),
        ...more
      ];
      const stored = { credentials: credentials() };
      await bench.red.deploy(flow(false, node), stored);
      const others = [`in-flow-${made}`, `one-${made}-inner-${made}`];
      for (const id of others) await bench.red.send(id, { payload: 'x' });
      await bench.red.deploy(flow(true), stored);
      const left = ({ kept: rows }: Snapshot) =>
        rows.filter(({ isLeft, id }) => isLeft && [node.id, ...others].includes(id));
      const [row, ...rest] = await until((seen) => (left(seen).length > 0 ? left(seen) : undefined));
      assert.deepEqual([row?.node, row?.count, rest], [node.id, 3, []]);
      const { now } = await lookNow();
      assert.ok((row?.since ?? 0) > now - 60_000 && (row?.since ?? 0) <= now);
      const lines = (await (await act('export', { id: node.id, before: 0 })).text()).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => (JSON.parse(line) as { request: { MessageBody: string } }).request.MessageBody),
        ['one', 'two', 'three']
      );
      assert.deepEqual(await (await act('discard', { id: node.id, before: now - 3_600_000 })).json(), { count: 0 });
      assert.deepEqual(await (await act('discard', { id: node.id, before: now + 1 })).json(), { count: 3 });
      await until((seen) => left(seen).length === 0 || undefined);
      await bench.aws.clearFaults();
      await bench.red.deploy(flow(false, node), stored);
      await bench.red.send(node.id, { payload: 'four' });
      await bench.red.next('out');
      const arrived = await queues.receive(url);
      assert.deepEqual(arrived.map(({ Body }) => Body).sort(), ['four', 'x', 'x']);
      assert.deepEqual(await (await act('export', { id: '../outbox', before: 0 })).json(), {
        refusal: { kind: 'gone' }
      });
    });

    it('not where the node is gone, or what shall be done is nothing', async () => {
      assert.deepEqual(await (await act('send', { id: 'nobody', before: 0 })).json(), { refusal: { kind: 'gone' } });
      assert.equal((await act('toString', { id: node.id, before: 0 })).status, 404);
      assert.equal((await act('send', { id: node.id })).status, 404);
    });
  });

  describe('with users', () => {
    let users: WithUsers;
    before(async function () {
      this.timeout(120_000);
      const flow = [
        account(bench, { validate: true }),
        account(bench, { id: 'refused', validate: true }),
        invokeNode()
      ];
      users = await startWithUsers(flow, { account: keysOf('demo'), refused: keysOf('limited') });
    });
    after(() => users.stop());

    const acts = ['send', 'export', 'discard'];
    async function statuses(headers: Record<string, string>): Promise<number[]> {
      const seen = await fetch(new URL('aws-account/sidebar', users.url), { headers });
      const done = await Promise.all(
        acts.map((name) =>
          fetch(new URL(`aws-account/kept/${name}`, users.url), {
            method: 'POST',
            headers: { ...json, ...headers },
            body: JSON.stringify({ id: 'invoke', before: 0 })
          })
        )
      );
      return [seen, ...done].map(({ status }) => status);
    }

    it('lets those look who may read accounts, and those act who may change them', async () => {
      assert.deepEqual(await statuses({}), [401, 401, 401, 401]);
      assert.deepEqual(await statuses(await users.login('stranger')), [401, 401, 401, 401]);
      assert.deepEqual(await statuses(await users.login('reader')), [200, 401, 401, 401]);
      assert.deepEqual(await statuses(await users.login('tester')), [200, 200, 200, 200]);
      assert.deepEqual(await statuses(await users.login('owner')), [200, 200, 200, 200]);
    });

    it('refuses another site’s page, whoever is logged in', async () => {
      const headers = { ...(await users.login('owner')), 'sec-fetch-site': 'cross-site' };
      assert.deepEqual(await statuses(headers), [403, 403, 403, 403]);
    });

    it('tells a reader that somebody is signed in, but not who', async () => {
      const lookAs = async (username: string): Promise<Snapshot> => {
        const headers = await users.login(username);
        return (await (await fetch(new URL('aws-account/sidebar', users.url), { headers })).json()) as Snapshot;
      };
      const asOwner = await bench.red.until(async () => {
        const seen = await lookAs('owner');
        return seen.accounts.every(({ signedIn }) => signedIn !== undefined) ? seen : undefined;
      });
      assert.ok(asOwner);
      assert.ok(JSON.stringify(asOwner).includes(signIns.demo.arn));
      assert.equal(asOwner.mayChange, true);
      const asReader = await lookAs('reader');
      assert.deepEqual(
        asReader.accounts.map(({ id, signedIn }) => [id, signedIn]),
        asOwner.accounts.map(({ id, signedIn }) => [id, signedIn])
      );
      assert.equal(asReader.mayChange, false);
      for (const { arn, account: number } of Object.values(signIns)) {
        assert.ok(!JSON.stringify(asReader).includes(arn), arn);
        assert.ok(!JSON.stringify(asReader.accounts).includes(number));
      }
    });
  });
});
