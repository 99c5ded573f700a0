/** Values that would be many times as long when they are written as they are to be sent. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  account,
  credentials,
  detectNode,
  indexFaceNode,
  invokeNode,
  listNode,
  publishNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode } from '../node-red';
import { sink } from '../node-red';
import { workTime } from '../work-time';

const bench = useBench();
const queues = useQueues(bench);

interface Row {
  what: string;
  node: FlowNode;
  says: RegExp;
}

const from = (field: string) => ({ [field]: 'long', [`${field}Type`]: 'msg' });
const farMore = /^InvalidValue: .* has far more than the \d+ bytes that it may have\.$/;
const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/good';
const topic = 'arn:aws:sns:us-east-1:111111111111:news';
const invoke = (field: string) => invokeNode({ functionName: 'hello', ...from(field) });
const send = (field: string) => sendNode({ queue, ...from(field) });
const publish = (field: string, more = {}) => publishNode({ target: topic, ...from(field), ...more });

/** Fields that are written as JSON. */
const written: Row[] = [
  { what: 'payload of an invocation', node: invoke('payload'), says: farMore },
  { what: 'client context', node: invoke('clientContext'), says: farMore },
  { what: 'body for SQS', node: send('body'), says: farMore },
  { what: 'message for SNS', node: publish('message'), says: farMore }
];

/** Something in which it is not allowed to write a Buffer as JSON, whose every byte would be a number in a list. */
function unwritable(bytes: Buffer): Buffer {
  return Object.assign(bytes, {
    toJSON(): never {
      throw new Error('it was written');
    }
  });
}

const big = () => unwritable(Buffer.alloc(16 * 1024 * 1024, 200));

const values: [what: string, value: () => unknown][] = [
  ['a Buffer of 16 MB', big],
  ['an object with such a Buffer deep inside', () => ({ a: [{ b: { c: big() } }] })],
  ['a typed array', () => new Uint16Array(8_000_000)],
  ['a list of 50 million holes', () => new Array(50_000_000)],
  ['a text object', () => Object(' '.repeat(20_000_000))],
  [
    'lists that hold one another twice, 40 deep',
    () => Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], 1)
  ]
];

/** Other fields, with what would be made longer in them. */
const others: [what: string, node: FlowNode, value: () => unknown, says?: RegExp][] = [
  ['an attribute that is a Buffer', send('attributes'), () => ({ a: Buffer.alloc(16_000_000) })],
  ['an attribute that is an object', send('attributes'), () => ({ a: { b: big() } })],
  ['an attribute that is a list of holes', send('attributes'), () => ({ a: new Array(4_000_000_000) })],
  [
    'an attribute as base64',
    send('attributes'),
    () => ({ a: { DataType: 'Binary', BinaryValue: 'A'.repeat(9_000_000) } })
  ],
  [
    'an attribute as the JSON of a Buffer',
    send('attributes'),
    () => ({ a: { DataType: 'Binary', BinaryValue: { type: 'Buffer', data: new Array(50_000_000) } } })
  ],
  [
    'a million attributes',
    publish('attributes'),
    () => Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`a${index}`, 'x']))
  ],
  ['attributes as JSON text', send('attributes'), () => `{"a":"${'x'.repeat(9_000_000)}"}`],
  [
    'texts for protocols, of which one is long',
    publish('message', { perProtocol: true }),
    () => ({ default: 'x', sqs: big() })
  ],
  [
    'a thousand texts for protocols',
    publish('message', { perProtocol: true }),
    () => ({
      default: 'x',
      ...Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`p${at}`, [' '.repeat(1_000_000)]]))
    })
  ],
  [
    'texts for protocols as JSON text',
    publish('message', { perProtocol: true }),
    () => `{"default":"${'x'.repeat(13_000_000)}"}`
  ],
  ['JSON text as a payload', invoke('payload'), () => `[${'{},'.repeat(10_000_000)}{}]`],
  ['JSON in a Buffer as a payload', invoke('payload'), () => Buffer.from(`[${'{},'.repeat(10_000_000)}{}]`)],
  [
    'a name to teach',
    indexFaceNode({ collection: 'people', ...from('imageId') }),
    () => '花'.repeat(10_000_000),
    /may have at most 255 characters as the service stores it/
  ],
  [
    'a list of targets of holes',
    detectNode(from('targets')),
    () => new Array(4_000_000_000),
    /may be at most 10000, but are 4000000000\.$/
  ],
  ['targets as text', detectNode(from('targets')), () => `[${'"a",'.repeat(1_000_000)}"a"]`],
  ['attributes of faces as text', detectNode({ operation: 'faces', ...from('attributes') }), () => ','.repeat(9e6)],
  [
    'attributes of faces as a list of holes',
    detectNode({ operation: 'faces', ...from('attributes') }),
    () => new Array(4_000_000_000),
    /may be at most 10000/
  ],
  ['a camera', detectNode(from('source')), () => 'x'.repeat(10_000_000), /may have at most 65536 characters/],
  ['a folder', detectNode(from('saveFolder')), () => 'x'.repeat(10_000_000), /may have at most 65536 characters/],
  [
    'a queue',
    send('queue'),
    () => `https://example.com/${'x/'.repeat(5_000_000)}q`,
    /may have at most 2048 characters/
  ],
  [
    'a marker',
    listNode({ scope: 'page', ...from('marker') }),
    () => '\t('.repeat(500_000),
    /may have at most 16384 characters/
  ],
  ['keys as JSON text', send('dynamicCredentials'), () => ' '.repeat(10_000_000)],
  [
    'a key',
    send('dynamicCredentials'),
    () => ({ accessKeyId: 'x'.repeat(10_000_000), secretAccessKey: 'y' }),
    /far more than the 65536 bytes/
  ]
];

/** Such values end before anything is made of them. */
async function refuse(node: FlowNode, long: unknown, says: RegExp): Promise<void> {
  await bench.red.deploy([account(bench), { ...node, id: 'bad' }, sink('out')], { credentials: credentials() });
  const { heapUsed } = process.memoryUsage();
  const began = workTime();
  const { error, done, sent } = await bench.red.send('bad', { payload: 'x', long });
  const took = workTime() - began;
  assert.equal(done, 1);
  assert.deepEqual(sent, []);
  assert.match(`${error?.code}: ${error?.message}`, says);
  assert.equal((await bench.aws.requests()).length, 0);
  const grown = (process.memoryUsage().heapUsed - heapUsed) / 1024 / 1024;
  // The names of a million members, which V8 lists for the copy of the last message, take 16 MB.
  assert.ok(grown < 80, `${grown.toFixed()} MB of heap were made of it`);
  assert.ok(took < 2000, `it took ${took.toFixed()} ms`);
}

describe('a value that would be far too long', () => {
  before(() => queues.createNamed('good'));

  for (const { what, node, says } of written) {
    for (const [value, make] of values) {
      it(`is not written: ${value} as the ${what}`, () => refuse(node, make(), says));
    }
  }

  for (const [what, node, make, says = farMore] of others) {
    it(`is not made longer: ${what}`, () => refuse(node, make(), says));
  }

  it('is not read where its values would fill the memory, which ends no process', () => {
    const script = `
      const { parseJson } = require(${JSON.stringify(join(__dirname, '../../dist/nodes/fields/json.js'))});
      for (const unit of ['{}', '[]', '0', '{"a":1}']) {
        try {
          parseJson('[' + (unit + ',').repeat(6e6 / (unit.length + 1)) + unit + ']');
        } catch ({ name, message }) {
          console.log(name, message);
        }
      }
      console.log(parseJson('"' + '{},'.repeat(2e6) + '"').value.length);`;
    const { stdout, status, stderr } = spawnSync(process.execPath, ['--max-old-space-size=64', '-e', script], {
      encoding: 'utf8'
    });
    assert.equal(status, 0, stderr.slice(-500));
    assert.match(stdout, /^UnknownError A JSON text holds 4000002 values, for which there is not memory enough/);
    assert.match(stdout, /\n6000000\n$/);
  });

  it('is told its own length where that is near its limit', async () => {
    await bench.red.deploy([account(bench), { ...send('body'), id: 'near' }, sink('out')], {
      credentials: credentials()
    });
    const { error } = await bench.red.send('near', { long: { a: 'x'.repeat(1_048_576) } });
    assert.match(String(error?.message), /^Message body \(body\) and its attributes have 1048584 bytes/);
  });

  it('may hold the same list many times, or a Buffer, as long as it is not too long', async () => {
    await bench.red.deploy([account(bench), { ...send('body'), id: 'fine' }, sink('out')], {
      credentials: credentials()
    });
    const list = Array.from({ length: 1000 }, (_, number) => number);
    const long = { lists: [list, list, list], bytes: Buffer.alloc(200_000, 7), left: undefined, no: [undefined] };
    const { error } = await bench.red.send('fine', { long });
    assert.equal(error, undefined);
  });
});
