import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FlowNode, type NodeRed, nodeRedVersion, sink, startNodeRed } from '../node-red';

const fn = (id: string, func: string, more: Partial<FlowNode> = {}): FlowNode => ({
  id,
  type: 'function',
  func,
  outputs: 1,
  libs: [],
  initialize: '',
  finalize: '',
  ...more
});

describe('the Node-RED of the tests', () => {
  let red: NodeRed;

  before(async () => {
    red = await startNodeRed();
    red.settings.readOnly = false;
  });
  after(() => {
    red.settings.readOnly = true;
  });

  it('is the version that NODE_RED asks for', () => {
    assert.equal(red.version.split('.')[0], String(nodeRedVersion));
  });

  it('tells what a node sent for a message, though nothing is wired to it', async () => {
    await red.deploy([fn('double', 'msg.payload *= 2; return msg;')]);
    const outcome = await red.send('double', { payload: 21, topic: 'kept' });
    assert.equal(outcome.done, 1);
    assert.equal(outcome.error, undefined);
    assert.deepEqual(
      outcome.sent.map(({ payload, topic }) => ({ payload, topic })),
      [{ payload: 42, topic: 'kept' }]
    );
  });

  it('tells the outputs apart', async () => {
    await red.deploy([fn('split', 'return [null, [{ ...msg, payload: 1 }, { ...msg, payload: 2 }]];', { outputs: 2 })]);
    const { outputs } = await red.send('split');
    assert.deepEqual(
      outputs.map((some) => some.map(({ payload }) => payload)),
      [[], [1, 2]]
    );
  });

  it('keeps a sent message as it was, whatever the next node makes of it', async () => {
    await red.deploy([
      fn('first', 'msg.payload = { n: 1 }; return msg;', { wires: [['second']] }),
      fn('second', 'msg.payload.n = 2; return msg;', { wires: [['end']] }),
      sink('end')
    ]);
    const { sent } = await red.send('first');
    // As JSON: a function node's objects come from another realm, with another Object.prototype.
    assert.equal(JSON.stringify((await red.next('end')).payload), '{"n":2}');
    assert.equal(JSON.stringify(sent[0]?.payload), '{"n":1}');
  });

  it('waits for an asynchronous node, and tells many messages apart', async () => {
    await red.deploy([
      fn('later', 'setTimeout(() => { node.send({ ...msg, payload: -msg.payload }); node.done(); }, 20 - msg.payload);')
    ]);
    const outcomes = await red.sendMany(
      'later',
      [1, 5, 9, 13].map((payload) => ({ payload }))
    );
    assert.deepEqual(
      outcomes.map(({ done, sent }) => [done, sent.map(({ payload }) => payload)]),
      [-1, -5, -9, -13].map((payload) => [1, [payload]])
    );
  });

  it('gives the very error that the node ended with', async () => {
    await red.deploy([
      fn('fails', "const e = new Error('no'); e.code = 'Refused'; node.done(e); if (false) node.done();")
    ]);
    red.clearLogs();
    const { error, sent, done } = await red.send('fails');
    assert.deepEqual([done, sent], [1, []]);
    assert.equal(error?.code, 'Refused');
    assert.equal(error?.message, 'no');
    assert.ok(red.logs.some(({ level, id, text }) => level === 'error' && id === 'fails' && text.includes('no')));
  });

  it('notices a second done, also one that comes later', async () => {
    await red.deploy([fn('twice', 'node.done(); setTimeout(() => node.done(), 10);')]);
    const outcome = await red.send('twice');
    await red.until(() => outcome.done === 2);
    assert.deepEqual(
      red.takeViolations().map(({ id, text }) => [id, /2 times/.test(text)]),
      [['twice', true]]
    );
  });

  it('notices messages that a closed node never ended, and what it does after its close', async () => {
    await red.deploy([fn('late', 'if (false) node.done();')]);
    await red.begin('late');
    const late = red.node('late');
    await red.deploy([]);
    late.send({ payload: 1 });
    late.status({ text: 'still here' });
    assert.deepEqual(
      red.takeViolations().map(({ id, text }) => `${id} ${text}`),
      [
        'late has closed and left 1 message(s) without done',
        'late sent a message after it had closed',
        'late set a status after it had closed'
      ]
    );
  });

  it('catches errors and completions through Catch and Complete nodes', async () => {
    await red.deploy([
      fn('work', "if (msg.payload === 'bad') node.error('broken', msg); else { node.send(msg); node.done(); }"),
      { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['caught']] },
      { id: 'complete', type: 'complete', scope: ['work'], uncaught: false, wires: [['completed']] },
      sink('caught'),
      sink('completed')
    ]);
    await red.begin('work', { payload: 'bad' });
    assert.equal(((await red.next('caught')).error as Error).message, 'broken');
    await red.send('work', { payload: 'good' });
    assert.equal((await red.next('completed')).payload, 'good');
    red.takeViolations();
  });

  it('lists statuses in order', async () => {
    await red.deploy([
      fn(
        'says',
        "node.status({ fill: 'blue', shape: 'dot', text: 'a' }); node.status({}); node.send(msg); node.done();"
      )
    ]);
    const { statuses } = await red.send('says');
    assert.deepEqual(statuses, [{ fill: 'blue', shape: 'dot', text: 'a' }, {}]);
    assert.deepEqual(red.statuses('says'), statuses);
  });

  it('runs source nodes, subflows, context and environment variables', async () => {
    process.env.HARNESS_GREETING = 'hello';
    await red.deploy([
      {
        id: 'source',
        type: 'inject',
        props: [{ p: 'payload' }],
        once: true,
        onceDelay: 0.1,
        payload: 'HARNESS_GREETING',
        payloadType: 'env',
        wires: [['instance']]
      },
      {
        id: 'sub',
        type: 'subflow',
        name: 'sub',
        in: [{ wires: [{ id: 'inner' }] }],
        out: [{ wires: [{ id: 'inner', port: 0 }] }]
      },
      fn('inner', "flow.set('n', 7); msg.n = flow.get('n'); return msg;", { z: 'sub' }),
      { id: 'instance', type: 'subflow:sub', wires: [['end']] },
      sink('end')
    ]);
    assert.equal((await red.nextSent('source')).payload, 'hello');
    assert.equal((await red.next('end')).n, 7);
    assert.equal((await red.send('inner')).sent[0]?.n, 7);
  });

  it('keeps nodes running that a partial deploy does not touch', async () => {
    const flow = [fn('a', 'return msg;'), fn('b', 'msg.v = 1; return msg;')];
    await red.deploy(flow);
    const before = red.node('a');
    await red.deploy([flow[0] as FlowNode, fn('b', 'msg.v = 2; return msg;')], { type: 'nodes' });
    assert.equal(red.node('a'), before);
    assert.equal((await red.send('b')).sent[0]?.v, 2);
  });

  it('stores credentials encrypted, and shows none in the exported flow', async () => {
    await red.deploy(
      [
        { id: 'broker', type: 'mqtt-broker', broker: '127.0.0.1', port: '1', autoConnect: false },
        { id: 'out', type: 'mqtt out', broker: 'broker', topic: 't' }
      ],
      { credentials: { broker: { user: 'someone', password: 'very-secret' } } }
    );
    assert.equal(red.node('broker').credentials?.password, 'very-secret');
    const exported = await (await red.request('flows')).text();
    const stored = await readFile(join(red.userDir, 'flows_cred.json'), 'utf8');
    assert.ok(exported.includes('mqtt-broker'));
    assert.ok(!exported.includes('very-secret') && !stored.includes('very-secret'));
  });

  it('says which types are missing instead of waiting', async () => {
    await assert.rejects(red.deploy([{ id: 'x', type: 'no-such-node' }]), /missing-types no-such-node/);
    await red.deploy([]);
  });

  it('ends a wait in vain with what it waited for', async () => {
    await red.deploy([fn('mute', ';')]);
    await assert.rejects(red.nextSent('mute', 100), /waited 100 ms in vain for a message from node mute/);
  });
});
