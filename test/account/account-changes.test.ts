/** An account that is changed, disabled or deleted under a node that Node-RED does not restart. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { NodeAPI } from 'node-red';
import { roles, signIns } from '../../local-aws/client';
import type { CurrentAccount as AccountClass } from '../../nodes/account/account';
import {
  account,
  credentials,
  invokeNode,
  keysOf,
  receiveNode,
  sendNode,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { DeployOptions, FlowNode } from '../node-red';
import { sink } from '../node-red';
import { useRelay } from '../relay';

/** The class that the deployed nodes use. */
const { CurrentAccount }: { CurrentAccount: typeof AccountClass } = createRequire(__filename)(
  '../../dist/nodes/account/account.js'
);

type Name = 'demo' | 'second';

describe('an account that a node finds through a variable', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);

  const ACCOUNT = [{ name: 'ACCOUNT', type: 'str', value: 'account' }];
  const byVariable = { account: '${ACCOUNT}' };

  /** Where the variable can be. */
  const places: Record<string, (inner: FlowNode) => FlowNode[]> = {
    'a subflow’s property': (inner) => [
      {
        id: 'template',
        type: 'subflow',
        name: 'template',
        in: [],
        out: [],
        env: [{ name: 'ACCOUNT', type: 'str', value: '' }]
      },
      { ...inner, z: 'template', x: 1, y: 1, wires: [] },
      { id: 'instance', type: 'subflow:template', env: ACCOUNT }
    ],
    'a tab’s property': (inner) => [{ id: 'tab', type: 'tab', label: 'tab', env: ACCOUNT }, inner]
  };
  const onTab = places['a tab’s property'] as (inner: FlowNode) => FlowNode[];

  const own = (properties: Record<string, unknown> = {}): FlowNode => account(bench, properties);
  const deploy = (nodes: FlowNode[], name: Name | undefined, type: DeployOptions['type'] = 'full'): Promise<void> =>
    bench.red.deploy([...nodes, sink('out')], { type, ...(name && { credentials: credentials(name) }) });

  const signers = async (operation: string): Promise<string[]> =>
    (await bench.aws.requests())
      .filter((each) => each.operation.replace(/Batch$/, '') === operation)
      .map(({ accessKeyId }) => accessKeyId);
  const signerOfNext = async (): Promise<string | undefined> => {
    const { error } = await bench.red.send('invoke', { payload: {} });
    assert.ifError(error);
    return (await signers('Invoke')).at(-1);
  };
  const idOf = (name: Name): string => signIns[name].accessKeyId;
  const noneOpen = (): Promise<boolean> =>
    bench.red.until(async () => (await relay.open()) === 0, 'the old connections to be closed');

  for (const [place, around] of Object.entries(places)) {
    for (const type of ['nodes', 'flows'] as const) {
      describe(`which is ${place}, deployed as ${type}`, () => {
        const inner = around(invokeNode(byVariable));
        const flow = (properties: Record<string, unknown> = {}): FlowNode[] => [own(properties), ...inner];

        it('counts with its new keys and endpoint from the next message on, and its old connections are closed', async () => {
          await deploy(flow({ endpoint: relay.url }), 'demo');
          assert.equal(await signerOfNext(), idOf('demo'));
          const before = bench.red.node('invoke');
          await deploy(flow(), 'second', type);
          assert.equal(bench.red.node('invoke'), before, 'the node was not restarted');
          assert.equal(await signerOfNext(), idOf('second'));
          assert.equal(relay.exchanges.length, 1);
          await noneOpen();
        });

        it('is missing once it is deleted, closes its connections without any message, and is back once it is made anew', async () => {
          await deploy(flow({ endpoint: relay.url, name: 'prod' }), 'demo');
          assert.equal(await signerOfNext(), idOf('demo'));
          await deploy(inner, undefined, type);
          await noneOpen();
          const { error, done, sent } = await bench.red.send('invoke', { payload: {} });
          assert.deepEqual([error?.name, done, sent.length], ['AccountMissing', 1, 0]);
          await deploy(flow(), 'second', type);
          assert.equal(await signerOfNext(), idOf('second'));
        });

        it('is missing once it is disabled, which the error says with its name, and is back once it is enabled', async () => {
          await deploy(flow({ endpoint: relay.url, name: 'prod' }), 'demo');
          assert.equal(await signerOfNext(), idOf('demo'));
          await deploy(flow({ endpoint: relay.url, name: 'prod', d: true }), undefined, type);
          await noneOpen();
          const { error } = await bench.red.send('invoke', { payload: {} });
          assert.equal(error?.name, 'AccountMissing');
          assert.match(error.message, /^The account “prod” does not run, since it is disabled/);
          await deploy(flow({ name: 'prod' }), undefined, type);
          assert.equal(await signerOfNext(), idOf('demo'));
        });

        it('says what is wrong with it once it is changed to what cannot work', async () => {
          await deploy(flow(), 'demo');
          assert.equal(await signerOfNext(), idOf('demo'));
          await deploy(flow({ name: 'prod', region: '?' }), undefined, type);
          const { error } = await bench.red.send('invoke', { payload: {} });
          assert.equal(error?.name, 'InvalidValue');
          assert.match(error.message, /^The account “prod”: Region must be/);
        });
      });
    }
  }

  const flow = (inner: FlowNode, properties: Record<string, unknown> = {}): FlowNode[] => [
    own(properties),
    ...onTab(inner)
  ];

  it('lets a message finish that is under way, and closes its connection then', async () => {
    const node = invokeNode({ ...byVariable, functionName: 'slow' });
    await deploy(flow(node, { endpoint: relay.url }), 'demo');
    await bench.red.begin('invoke', { payload: { ms: 500 } });
    await bench.aws.until({ operation: 'Invoke', requests: 1 });
    await deploy(flow(node), 'second', 'nodes');
    assert.equal(await relay.open(), 1);
    assert.equal((await bench.red.nextSent('invoke')).aws?.statusCode, 200);
    assert.deepEqual(await signers('Invoke'), [idOf('demo')]);
    await noneOpen();
  });

  it('strikes the old secret out of the error of a message that began with it', async () => {
    let answer = (): void => undefined;
    const later = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const message = `no ${signIns.demo.secretAccessKey} here`;
    relay.answer = async () => {
      await later;
      return { status: 403, errorType: 'AccessDeniedException', body: JSON.stringify({ message }) };
    };
    await deploy(flow(invokeNode(byVariable), { endpoint: relay.url }), 'demo');
    await bench.red.begin('invoke', { payload: {} });
    await bench.red.until(() => relay.exchanges.length > 0);
    await deploy(flow(invokeNode(byVariable)), 'second', 'nodes');
    answer();
    const error = await bench.red.until(() =>
      bench.red.logs.find(({ id, level }) => id === 'invoke' && level === 'error')
    );
    assert.match(error?.text ?? '', /no \*\*\* here/);
  });

  it('sends no entry that came after its deployment together with those that wait for its former keys', async () => {
    const url = await queues.create();
    const node = sendNode({ ...byVariable, queue: url });
    let goOn = (): void => undefined;
    const first = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    relay.answer = async () => {
      await first;
      return undefined;
    };
    await deploy(flow(node, { endpoint: relay.url }), 'demo');
    for (const payload of ['one', 'two', 'three']) await bench.red.begin('send', { payload });
    await bench.red.until(() => relay.exchanges.length > 0);
    await deploy(flow(node), 'second', 'nodes');
    // Another account of AWS may not send to this queue: what matters is who asks.
    await bench.red.send('send', { payload: 'four' });
    goOn();
    await bench.red.until(() => bench.red.sent('send').length === 3);
    const bodies = (await queues.requests('SendMessage')).map(({ accessKeyId, input }) => [
      accessKeyId,
      JSON.stringify(input).match(/one|two|three|four/g)
    ]);
    assert.deepEqual(bodies.toSorted(), [
      [idOf('demo'), ['one']],
      [idOf('demo'), ['two', 'three']],
      [idOf('second'), ['four']]
    ]);
  });

  it('asks for the URL of a queue anew', async () => {
    await queues.createNamed('asked-again');
    const node = sendNode({ ...byVariable, queue: 'asked-again' });
    await deploy(flow(node), 'demo');
    for (const payload of ['one', 'two']) assert.ifError((await bench.red.send('send', { payload })).error);
    await deploy(flow(node, { roleArn: roles.demo.arn }), 'demo', 'nodes');
    assert.ifError((await bench.red.send('send', { payload: 'three' })).error);
    assert.equal((await signers('GetQueueUrl')).length, 2);
  });

  describe('of a receiver', () => {
    const receiving = (url: string, properties: Record<string, unknown> = {}): FlowNode =>
      receiveNode({ ...byVariable, queue: url, ...properties });
    const polls = (): Promise<string[]> => signers('ReceiveMessage');
    const poll = (count: number): Promise<void> => bench.aws.until({ operation: 'ReceiveMessage', requests: count });

    it('counts from its deployment on: the open request is given up, and the next one is signed anew', async () => {
      const url = await queues.create();
      await deploy(flow(receiving(url), { endpoint: relay.url }), 'demo');
      await poll(1);
      await deploy(flow(receiving(url), { roleArn: roles.demo.arn }), 'demo', 'nodes');
      await poll(2);
      await noneOpen();
      await queues.send(url, 'for the new sign-in');
      assert.equal((await bench.red.next('out')).payload, 'for the new sign-in');
      const [before, after] = await polls();
      assert.equal(before, idOf('demo'));
      assert.match(after ?? '', /^ASIA/);
    });

    it('counts also where the end of what went before it fails', async () => {
      const url = await queues.create();
      await deploy(flow(receiving(url), { endpoint: relay.url }), 'demo');
      await poll(1);
      const node = bench.red.node('receive');
      const { status } = node;
      node.status = (shown) => {
        // It is cleared at the end.
        if (shown.fill !== undefined) return status.call(node, shown);
        node.status = status;
        throw new Error('no status');
      };
      await deploy(flow(receiving(url), { roleArn: roles.demo.arn }), 'demo', 'nodes');
      // A request that is given up would still take the message as long as its connection is open.
      await poll(2);
      await noneOpen();
      await queues.send(url, 'for the new sign-in');
      assert.equal((await bench.red.next('out')).payload, 'for the new sign-in');
      assert.match((await polls()).at(-1) ?? '', /^ASIA/);
      const said = bench.red.logs.filter(({ id, level }) => id === 'receive' && level === 'error');
      assert.deepEqual(
        said.map(({ text }) => text),
        ['UnknownError: Something unforeseen went wrong: Error: no status']
      );
    });

    it('ends its requests once it is deleted, says so, and goes on once there is one again', async () => {
      const url = await queues.create();
      await deploy(flow(receiving(url), { endpoint: relay.url }), 'demo');
      await poll(1);
      await deploy(onTab(receiving(url)), undefined, 'nodes');
      await noneOpen();
      await bench.red.until(() => bench.red.statuses('receive').some(({ fill }) => fill === 'red'));
      assert.match(bench.red.logs.map(({ text }) => text).join('\n'), /failed, and is tried again: AccountMissing/);
      await queues.send(url, 'once it is back');
      await deploy(flow(receiving(url)), 'demo', 'nodes');
      assert.equal((await bench.red.next('out')).payload, 'once it is back');
    });

    it('gives back what the flow has not settled, by the sign-in that took it', async () => {
      const url = await queues.create();
      const node = receiving(url, { settle: 'flow', visibilityTimeout: 600 });
      const nodes = (properties: Record<string, unknown>) => [...flow(node, properties), settleNode(), sink('settled')];
      await deploy(nodes({ endpoint: relay.url }), 'demo');
      await queues.send(url, 'held');
      const held = await bench.red.next('out');
      await deploy(nodes({ roleArn: roles.demo.arn }), 'demo', 'nodes');
      const again = await bench.red.next('out');
      assert.deepEqual([held.payload, again.payload], ['held', 'held']);
      assert.notEqual(again.aws?.receiveCount, 1);
      assert.deepEqual([...new Set(await signers('ChangeMessageVisibility'))], [idOf('demo')]);
      assert.equal((await bench.red.send('settle', held)).error?.name, 'HandleExpired');
      assert.equal((await bench.red.send('settle', again)).error, undefined);
      await noneOpen();
    });
  });

  it('keeps serving nodes that were not restarted while a deployment waits for another node to close', async () => {
    const nodes = (properties: Record<string, unknown> = {}): FlowNode[] => [
      ...flow(invokeNode({ ...byVariable, functionName: 'hello' })),
      invokeNode({ id: 'slow', functionName: 'slow', ...properties })
    ];
    await deploy(nodes(), 'demo');
    await bench.red.begin('slow', { payload: { ms: 400 } });
    await bench.aws.until({ operation: 'Invoke', requests: 1 });
    let isDeployed = false;
    const deployed = bench.red
      .deploy([...nodes({ name: 'changed' }), sink('out')], {
        type: 'nodes',
        credentials: { account: keysOf('second') }
      })
      .finally(() => {
        isDeployed = true;
      });
    let sent = 0;
    while (!isDeployed) {
      sent += 1;
      bench.red.node('invoke').receive({ payload: sent });
      await bench.aws.until({ operation: 'Invoke', requests: sent + 1 });
    }
    await deployed;
    assert.ok(sent > 1);
    const failed = bench.red.logs.filter(({ id, level }) => id === 'invoke' && level === 'error');
    assert.deepEqual(failed, []);
    assert.equal(await signerOfNext(), idOf('second'));
  });
});

describe('a process with two Node-REDs', () => {
  it('has the accounts of each found anew when its own flows start', () => {
    /** One in which each account is another node whenever it is looked for. */
    const nodeRed = () =>
      ({ events: new EventEmitter(), nodes: { getNode: () => ({ type: 'aws-account' }) } }) as unknown as NodeAPI;
    const changed: string[] = [];
    const reds = ['first', 'second'].map((name) => {
      const RED = nodeRed();
      const current = new CurrentAccount(RED, 'account', () => changed.push(name));
      return { current, start: () => RED.events.emit('flows:started') };
    });
    for (const { start } of reds.toReversed()) start();
    assert.deepEqual(changed, ['second', 'first']);
    for (const { current, start } of reds) {
      current.close();
      start();
    }
    assert.equal(changed.length, 2);
  });
});
