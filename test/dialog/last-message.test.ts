/** The last message of a node, as its dialog gets it: small, without secrets, and gone with the next deployment. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import { signIns } from '../../local-aws/client';
import { LastMessage } from '../../nodes/action/last-message';
import { smallCopyOf } from '../../nodes/action/small-copy';
import type { LastMessageAnswer, ShownMessage } from '../../nodes/dialog/last-message';
import { account, credentials, deployAction, invokeNode, settleNode, useBench } from '../aws';
import { type FlowNode, sink } from '../node-red';
import { letPass } from '../set-clock';

const { secretAccessKey: secret } = signIns.demo;

describe('the last message of a node', () => {
  const bench = useBench();
  beforeEach(() => deployAction(bench, invokeNode()));

  const ask = async (node = 'invoke'): Promise<LastMessageAnswer> =>
    (await (await bench.red.request(`aws-account/last-message?node=${node}`)).json()) as LastMessageAnswer;
  const refusal = async (node?: string): Promise<string | undefined> => {
    const answer = await ask(node);
    return 'refusal' in answer ? answer.refusal.kind : undefined;
  };
  /** Sends a message, and gives what the dialog is told of it. */
  async function shown(msg: Record<string, unknown>): Promise<ShownMessage & { message: Record<string, unknown> }> {
    letPass(1000);
    await bench.red.send('invoke', msg);
    const answer = await ask();
    assert.ok('message' in answer, JSON.stringify(answer));
    return answer as ShownMessage & { message: Record<string, unknown> };
  }

  /** Deploys another node beside this one, which goes on running. */
  async function deployAnother(node: FlowNode): Promise<void> {
    const running = bench.red.node('invoke');
    await bench.red.deploy([account(bench), node, sink('out'), sink('new')], { type: 'nodes' });
    assert.equal(bench.red.node('invoke'), running);
  }

  it('is as it was when it came, whatever became of it', async () => {
    const { message, at, isShortened } = await shown({
      _msgid: '1',
      payload: { name: 'Ada', list: [1, true, null, 'x'], bytes: Buffer.from('abc') },
      topic: ''
    });
    assert.deepEqual(message, {
      _msgid: '1',
      payload: { name: 'Ada', list: [1, true, null, 'x'], bytes: { type: 'Buffer', data: [97, 98, 99] } },
      topic: ''
    });
    assert.equal(isShortened, false);
    assert.ok(Math.abs(Date.now() - at) < 60_000);
  });

  it('is there for a message whose fields cannot be read, since that is when one looks', async () => {
    await deployAction(bench, invokeNode({ payload: 'payload + 1', payloadType: 'jsonata' }));
    const { message } = await shown({ payload: 'x' });
    assert.equal(message.payload, 'x');
  });

  it('is there for a node without an account, and under the ID that a node of a subflow has in the flow', async () => {
    await bench.red.deploy(
      [
        account(bench),
        { id: 'sub', type: 'subflow', name: 'sub', in: [{ wires: [{ id: 'invoke' }] }], out: [] },
        invokeNode({ z: 'sub', wires: [] }),
        { id: 'instance', type: 'subflow:sub', wires: [] },
        settleNode({ wires: [] })
      ],
      { credentials: credentials() }
    );
    await bench.red.send('settle', { payload: 'to settle' });
    assert.ok(JSON.stringify(await ask('settle')).includes('to settle'));
    await bench.red.send('invoke', { payload: 'in a subflow' });
    assert.ok(JSON.stringify(await ask()).includes('in a subflow'));
  });

  it('is one of a second', async () => {
    /** Sends a message at that time, and gives what the payload of the last one is then. */
    const payloadAt = async (time: number, payload: string) => {
      performance.now = () => time;
      await bench.red.send('invoke', { payload });
      return ((await ask()) as { message: { payload: string } }).message.payload;
    };
    const begin = performance.now() + 60_000;
    assert.equal(await payloadAt(begin, 'first'), 'first');
    assert.equal(await payloadAt(begin + 999, 'second'), 'first');
    assert.equal(await payloadAt(begin + 1000, 'third'), 'third');
  });

  it('is forgotten by each deployment, also one that does not restart the node', async () => {
    assert.equal(await refusal(), 'none');
    await shown({ payload: 'x' });
    await deployAnother(invokeNode());
    assert.equal(await refusal(), 'none');
    assert.equal(await refusal('nobody'), 'none');
  });

  it('is forgotten by a deployment also while its fields are still being read', async () => {
    const node = invokeNode({ payload: 'payload', payloadType: 'jsonata' });
    await deployAction(bench, node);
    let goOn = (_: string) => {};
    // Expressions wait for a promise.
    const payload = new Promise<string>((resolve) => {
      goOn = resolve;
    });
    await bench.red.begin('invoke', { payload });
    await deployAnother(node);
    goOn('x');
    await bench.red.next('out');
    assert.equal(await refusal(), 'none');
  });

  it('is not kept where settings.js says so', async () => {
    bench.red.settings.awsAccountLastMessages = false;
    try {
      await deployAction(bench, invokeNode());
      await bench.red.send('invoke', { payload: 'x' });
      assert.equal(await refusal(), 'off');
    } finally {
      bench.red.settings.awsAccountLastMessages = true;
    }
    assert.equal(await refusal(), 'none');
  });

  describe('has no secret:', () => {
    it('none of the account, in a text, a name or a Buffer', async () => {
      const { message } = await shown({
        payload: { text: `it is ${secret}.`, [secret]: 1, bytes: Buffer.from(`is ${secret}`) }
      });
      assert.deepEqual(message.payload, { text: 'it is ***.', '***': 1, bytes: '***' });
    });

    it('none whose beginning is where a text was cut', async () => {
      // With each of these another part of the secret is before the cut.
      for (let length = 0; length < secret.length; length += 7) {
        const text = 'x'.repeat(200 - length) + secret + 'y'.repeat(40_000);
        const { message } = await shown({ payload: Array.from({ length: 200 }, () => text) });
        // Those for which there was no room are null.
        for (const part of (message.payload as unknown[]).filter((each) => typeof each === 'string')) {
          assert.ok(!part.includes(secret.slice(0, 4)), part.slice(-60));
        }
      }
    });

    it('none that the message has brought for itself', async () => {
      const own = { accessKeyId: 'AKIAOFTHEMESSAGE', secretAccessKey: 'thesecretofthismessage' };
      await deployAction(
        bench,
        invokeNode({
          dynamicCredentials: '{ "accessKeyId": a, "secretAccessKey": b }',
          dynamicCredentialsType: 'jsonata'
        })
      );
      const { message } = await shown({ a: own.accessKeyId, b: own.secretAccessKey, payload: [own.secretAccessKey] });
      assert.deepEqual([message.a, message.b, message.payload], ['***', '***', ['***']]);
    });

    it('none that the message has brought, but that could not be read as credentials', async () => {
      await deployAction(
        bench,
        invokeNode({ dynamicCredentials: '{ "accessKeyId": a }', dynamicCredentialsType: 'jsonata' })
      );
      letPass(1000);
      const { error } = await bench.red.send('invoke', { a: 'AKIAOFTHEMESSAGE', payload: 'x' });
      assert.deepEqual([error?.name, await refusal()], ['InvalidValue', 'none']);
    });

    it('none that its name tells, at any depth', async () => {
      const { message } = await shown({
        payload: { password: 'short', tokens: ['a', { b: 'c', d: 1 }], apiKey: Buffer.from('x'), note: 'fine' },
        req: { headers: { authorization: 'Basic eA==', cookie: 'id=1', host: 'here' } }
      });
      assert.deepEqual(message.payload, {
        password: '***',
        tokens: ['***', { b: '***', d: 1 }],
        apiKey: '***',
        note: 'fine'
      });
      assert.deepEqual(message.req, { headers: { authorization: '***', cookie: '***', host: 'here' } });
    });
  });
});

describe('copying the last message', () => {
  it('takes a hundredth of the time at most, however long a message takes to be read', () => {
    let time = 0;
    performance.now = () => time;
    const RED = { events: new EventEmitter(), settings: {} } as unknown as NodeAPI;
    const last = new LastMessage(RED, { id: 'node' } as Node);
    // The clock goes on when the message is looked at.
    const secrets = () => {
      time += 50;
      return [];
    };
    last.take({ _msgid: '1' }, undefined, secrets);
    time = 50 + 4999;
    assert.equal(last.isDue, false);
    time = 50 + 5000;
    assert.equal(last.isDue, true);
  });
});

describe('a small copy', () => {
  interface Copied {
    message: Record<string, unknown>;
    isShortened: boolean;
  }

  function copied(value: object): Copied {
    const { json, isShortened } = smallCopyOf(value);
    assert.ok(Buffer.byteLength(json) <= 32_768, `${Buffer.byteLength(json)} bytes`);
    return { message: JSON.parse(json) as Record<string, unknown>, isShortened };
  }

  it('has the beginnings of long texts and Buffers, and all of the structure', () => {
    const long = 'ä'.repeat(400_000);
    const { message, isShortened } = copied({
      payload: { first: long, picture: Buffer.alloc(1_000_000, 7), second: long, end: { here: 'the end' } }
    });
    const { first, second, picture, end } = message.payload as Record<string, unknown>;
    for (const text of [first, second]) assert.match(String(text), /^ä{3000,}…$/);
    assert.deepEqual(picture, { type: 'Buffer', data: Array.from({ length: 64 }, () => 7) });
    assert.deepEqual([end, isShortened], [{ here: 'the end' }, true]);
  });

  it('has nothing of texts of many megabytes, whose pieces V8 would join, and takes one that is an object for a text', () => {
    const huge = new String('x'.repeat(100_000_000));
    const { message, isShortened } = copied({ first: 'y'.repeat(1_000_001), payload: huge, small: new String('z') });
    assert.deepEqual([message, isShortened], [{ first: '…', payload: '…', small: 'z' }, true]);
  });

  const circle: Record<string, unknown> = {};
  circle.again = { circle };
  let deep: unknown = 'bottom';
  for (let level = 0; level < 10_000; level += 1) deep = [deep];

  const large: [what: string, value: unknown][] = [
    ['lists are long', Array.from({ length: 100_000 }, (_, index) => index)],
    ['lists are empty and long', new Array(4_000_000_000)],
    ['objects have many members', Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`${index}`, {}]))],
    [
      'members have no value',
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`${index}`, undefined]))
    ],
    ['names are long', { ['n'.repeat(1_000_000)]: 1 }],
    ['texts are many', Array.from({ length: 10_000 }, () => '\u0000'.repeat(300))],
    ['numbers have no JSON', [Number.NaN, 1n]],
    ['bytes are numbers of another kind', new Float64Array(1_000_000)],
    ['objects are in themselves', circle],
    ['lists are deep in one another', deep]
  ];
  for (const [what, value] of large) {
    it(`has what is near the top, however large the rest is, where ${what}`, () => {
      const { message, isShortened } = copied({ payload: 'x', value, end: 'y' });
      assert.deepEqual([message.payload, message.end, isShortened], ['x', 'y', true]);
    });
  }

  it('runs no code that is in it', () => {
    let runs = 0;
    const run = () => {
      runs += 1;
      throw new Error('read');
    };
    const traps = { get: run, ownKeys: run, getOwnPropertyDescriptor: run, has: run };
    const odd = Object.defineProperty({ toJSON: run }, 'getter', { get: run, enumerable: true });
    const proxy = new Proxy({}, traps);
    const date = Object.assign(new Date(0), { getTime: run, toISOString: run });
    const bytes = Object.assign(Buffer.from('a'), { subarray: run, slice: run, toJSON: run });
    const heir = Object.assign(Object.create(proxy), { own: 1 });
    const { message } = copied({ odd, proxy, run, date, bytes, heir, list: [run, 1] });
    assert.deepEqual(
      [message, runs],
      [
        {
          odd: {},
          date: '1970-01-01T00:00:00.000Z',
          bytes: { type: 'Buffer', data: [97] },
          heir: { own: 1 },
          list: [null, 1]
        },
        0
      ]
    );
  });

  it('takes a name for a name', () => {
    const { message } = copied(JSON.parse('{ "__proto__": { "x": 1 } }'));
    assert.deepEqual(Object.entries(message), [['__proto__', { x: 1 }]]);
  });
});
