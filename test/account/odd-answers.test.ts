/** Answers that no service gives as they stand here, by a server that writes what it likes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { unpack } from '../../nodes/account/unpack';
import { asLogEntry } from '../../nodes/fields/lines';
import { invokeNode, listNode, publishNode, sendNode } from '../aws';
import { type FlowNode, type NodeRed, type Outcome, sink, startNodeRed } from '../node-red';
import { useServer } from '../relay';

type Answer = (response: ServerResponse) => void;

const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
const nodes: Record<string, FlowNode> = {
  'aws lambda invoke': invokeNode({ id: 'node' }),
  'aws lambda list': listNode({ id: 'node' }),
  'aws sqs send': sendNode({ id: 'node', queue }),
  'aws sns publish': publishNode({ id: 'node', target: 'arn:aws:sns:us-east-1:111111111111:news' })
};
const foreign = /^The answer \(HTTP \d+\) is not from AWS/;
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** What an error's name and text can be in JSON. */
const oddNames: Record<string, string> = {
  'an object': '{"a": 1}',
  'an object that gives no text': '{"toString": 1}',
  '10,000 objects in each other': nested(10_000),
  '10,000 lists in each other': '['.repeat(10_000) + ']'.repeat(10_000),
  null: 'null',
  'a list': '["a"]',
  'a number': '5',
  'text with control and direction characters': JSON.stringify('Access\u001b[2J\r\nDenied\u202e\u0085')
};

describe('an odd answer', () => {
  let red: NodeRed;
  let answer: Answer;
  const server = useServer((request, response) => request.resume().on('end', () => answer(response)));
  const ask = async (node: FlowNode, given: Answer): Promise<Outcome> => {
    answer = given;
    const account = {
      id: 'account',
      type: 'aws-account',
      source: 'keys',
      region: 'us-east-1',
      endpoint: server.url,
      validate: false
    };
    const credentials = { account: { accessKeyId: 'AKIAODD', secretAccessKey: 'the-secret-of-odd-answers' } };
    await red.deploy([account, node, sink('out')], { credentials });
    return red.send('node', { payload: { a: 1 } });
  };
  const json =
    (body: string | Buffer, status = 200, headers: Record<string, string> = {}): Answer =>
    (response) =>
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);

  before(async () => {
    red = await startNodeRed();
  });
  afterEach(async () => {
    await red.deploy([]);
    red.clearLogs();
  });

  for (const [what, odd] of Object.entries(oddNames)) {
    for (const [title, node] of Object.entries(nodes)) {
      it(`is none of AWS's where the name of its error is ${what}: ${title}`, async () => {
        const members = ['__type', 'code', 'Code', 'message', 'name', '$metadata', 'errors'];
        const body = `{${members.map((name) => `"${name}": ${odd}`).join(', ')}}`;
        const { error, statuses } = await ask(node, json(body, 400));
        assert.deepEqual([error?.name, error?.code, error?.statusCode], ['UnknownError', 'UnknownError', 400]);
        assert.match(String(error?.message), foreign);
        const shown = JSON.stringify([statuses, red.logs.filter(({ id }) => id === 'node').map(({ text }) => text)]);
        assert.doesNotMatch(shown, /[\p{Cc}\p{Bidi_Control}]|\\u001b|\\u0085|\\u202e|\[2J/u);
      });
    }
  }

  const packings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
  for (const [encoding, pack] of Object.entries(packings)) {
    it(`is unpacked, although nobody asked for it: ${encoding}`, async () => {
      const headers = { 'Content-Encoding': encoding, 'X-Amz-Executed-Version': '1' };
      const { sent } = await ask(nodes['aws lambda invoke'] as FlowNode, json(pack('{"a": "ü"}'), 200, headers));
      assert.deepEqual(sent[0]?.payload, { a: 'ü' });
    });
  }
  it('is unpacked where it is an error', async () => {
    const body = gzipSync('{"__type": "QueueDoesNotExist", "message": "No."}');
    const { error } = await ask(nodes['aws sqs send'] as FlowNode, json(body, 400, { 'Content-Encoding': 'gzip' }));
    assert.equal(error?.name, 'QueueDoesNotExist');
  });

  it('is what it is where it says that it is packed, and has no body', async () => {
    const node = { ...nodes['aws lambda invoke'], invocationType: 'DryRun' } as FlowNode;
    const { sent } = await ask(node, json('', 204, { 'Content-Encoding': 'gzip' }));
    assert.deepEqual(sent[0]?.payload, { StatusCode: 204 });
  });

  const tooMuch = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '));
  const unpackable: Record<string, [encoding: string, body: Buffer]> = {
    'of no known kind': ['zstd', Buffer.from('{}')],
    broken: ['gzip', Buffer.from('{"a": 1}')],
    'cut off': ['gzip', gzipSync(Buffer.alloc(100_000, 'abcdefg')).subarray(0, 60)],
    'far too long once it is unpacked': ['gzip', tooMuch]
  };
  for (const [what, [encoding, body]] of Object.entries(unpackable)) {
    for (const title of ['aws lambda invoke', 'aws lambda list', 'aws sqs send']) {
      it(`is none of AWS's where it is packed and ${what}: ${title}`, async () => {
        const headers = { 'Content-Encoding': encoding, 'X-Amzn-RequestId': 'r' };
        const { error, sent } = await ask(nodes[title] as FlowNode, json(body, 200, headers));
        assert.deepEqual([error?.name, sent], ['UnknownError', []]);
        assert.match(String(error?.message), what.startsWith('far too long') ? /^The answer has more than/ : foreign);
      });
    }
  }

  it('is not waited for where its connection has broken before anybody reads what is packed', async () => {
    const body: Readable = new PassThrough();
    const broken: Parameters<typeof unpack>[0] = { statusCode: 200, headers: { 'content-encoding': 'gzip' }, body };
    unpack(broken);
    body.destroy();
    await once(body, 'close');
    await assert.rejects(buffer(broken.body as Readable), { name: 'UnknownError' });
  });

  for (const [title, node] of Object.entries(nodes)) {
    it(`is not waited for after a 101, which goes on in another protocol: ${title}`, async () => {
      const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      const { error } = await ask(node, (response) => response.socket?.write(head));
      assert.deepEqual([error?.name, error?.statusCode], ['UnknownError', 101]);
    });
  }
  it('is no result of a function with a 101 that goes on in no protocol', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
    const { error } = await ask(nodes['aws lambda invoke'] as FlowNode, (response) => response.socket?.write(head));
    assert.equal(error?.name, 'UnknownError');
  });

  const types = ['RequestResponse', 'Event', 'DryRun'];
  const bare: Record<string, [status: number, body: string, isGoodFor: string[]]> = {
    'the JSON of another server': [200, '{"hello": 1}', ['RequestResponse']],
    'nothing with 200': [200, '', []],
    'nothing with 202': [202, '', types],
    'JSON with 202': [202, '{"hello": 1}', []],
    'nothing with 204': [204, '', ['DryRun']],
    'JSON with 201': [201, '{"hello": 1}', []]
  };
  for (const [what, [status, body, isGoodFor]] of Object.entries(bare)) {
    for (const invocationType of types) {
      const good = isGoodFor.includes(invocationType);
      it(`${good ? 'is' : "is none of AWS's as"} one of Lambda without its marks, as ${what}: ${invocationType}`, async () => {
        const { error, sent } = await ask(invokeNode({ id: 'node', invocationType }), json(body, status));
        assert.deepEqual([error?.name, sent.length], good ? [undefined, 1] : ['UnknownError', 0]);
      });
    }
  }

  it('has a log that clears no console and forges no entry, and is one entry', async () => {
    const forged = '30 Nov 09:00:00 - [error] [aws-sqs-send:node] forged';
    const log = `START\n\u001b[2J\u001b]0;title\u0007\r${forged}\n\u202eEND\n`;
    const headers = { 'X-Amz-Log-Result': Buffer.from(log).toString('base64'), 'X-Amz-Executed-Version': '1' };
    const { sent } = await ask(invokeNode({ id: 'node', logTail: true }), json('1', 200, headers));
    assert.equal(sent[0]?.aws?.log, log);
    const entries = red.logs.filter(({ id, level }) => id === 'node' && level === 'info');
    assert.deepEqual(
      entries.map(({ text }) => text),
      [asLogEntry(log)]
    );
    assert.equal(entries[0]?.text, `START\n  | [2J ]0;title\n  | ${forged}\n  | END`);
  });

  it('signs in as nobody whose name turns the direction of a log, or begins an entry of its own', async () => {
    const xml = `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/\u202ex&#10;y</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`;
    answer = (response) => response.writeHead(200, { 'Content-Type': 'text/xml' }).end(xml);
    const endpoint = server.url;
    await red.deploy(
      [{ id: 'account', type: 'aws-account', source: 'keys', region: 'us-east-1', endpoint, validate: true }],
      {
        credentials: { account: { accessKeyId: 'AKIAODD', secretAccessKey: 'the-secret-of-odd-answers' } }
      }
    );
    const entry = await red.until(() =>
      red.logs.find(({ id, text }) => id === 'account' && /signed in|failed/.test(text))
    );
    assert.match(entry?.text ?? '', /user\/x ?y/);
    assert.doesNotMatch(entry?.text ?? '', /[\p{Cc}\p{Bidi_Control}]/u);
  });
});
