import assert from 'node:assert/strict';
import { createCanvas } from 'canvas';
import {
  account,
  credentials,
  deployAction,
  detectNode,
  indexFaceNode,
  invokeNode,
  listNode,
  receiveNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message, NodeError } from '../node-red';
import { sink } from '../node-red';
import { useRelay } from '../relay';

/** What proxies and gateways answer in place of AWS must not be taken for what it is not. */
describe('an answer that is not one of AWS', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);

  async function failing(node: FlowNode, msg: Message = { payload: {} }): Promise<NodeError> {
    await deployAction(bench, node, { endpoint: relay.url });
    const { error, done, sent } = await bench.red.send(node.id, msg);
    assert.deepEqual([done, sent], [1, []]);
    assert.ok(error);
    return error;
  }
  const answering = (status: number, body: unknown, node = invokeNode({ retries: 2 })) => {
    relay.answer = () => ({ status, body: JSON.stringify(body) });
    return failing(node);
  };

  it('is no failed connection, whatever it says: an invocation is not sent again', async () => {
    const error = await answering(502, { errno: -111, code: 'ECONNREFUSED', syscall: 'connect' });
    assert.equal(relay.exchanges.length, 1);
    assert.deepEqual([error.name, error.statusCode], ['UnknownError', 502]);
    await answering(403, { syscall: 'connect' });
    assert.equal(relay.exchanges.length, 2);
  });

  it('is not worth another try only since it has a code', async () => {
    assert.equal((await answering(404, { code: 'NOT_FOUND' })).retryable, false);
  });

  for (const message of [['a', 'b'], { a: 1 }, 5]) {
    it(`may have a message that is no text: ${JSON.stringify(message)}`, async () => {
      relay.answer = () => ({ status: 400, errorType: 'BadRequest', body: JSON.stringify({ message }) });
      const error = await failing(invokeNode());
      assert.deepEqual([error.name, error.statusCode], ['BadRequest', 400]);
      assert.match(error.message, /[a15]/);
    });
  }

  it('may hold members that trip up the unwary', async () => {
    assert.notEqual((await answering(400, { errors: [null] })).name, 'TypeError');
    relay.answer = () => ({ status: 400, errorType: 'constructor', body: '{"message":"boo"}' });
    assert.equal((await failing(invokeNode())).message, 'boo');
    relay.answer = () => ({ status: 400, errorType: 'x'.repeat(5000), body: '{"message":"boo"}' });
    assert.equal((await failing(invokeNode())).name.length, 100);
  });

  const page = '<!DOCTYPE html>\n<html><body>Please accept the terms of this network.</body></html>';
  const says = /^The answer \(HTTP \d+\) is not from AWS: .*check the endpoint/;

  for (const [what, status, invocationType, body] of [
    ['a page of HTML', 200, 'RequestResponse', page],
    ['a page of HTML behind a byte order mark', 200, 'RequestResponse', `\ufeff ${page}`],
    ['text', 200, 'RequestResponse', 'It works!'],
    ['text', 202, 'Event', 'It works!'],
    ['nothing at all', 200, 'RequestResponse', ''],
    ['a page of HTML', 202, 'Event', page],
    ['a page of HTML', 200, 'Event', page],
    ['nothing at all', 200, 'Event', ''],
    ['a page of HTML', 200, 'DryRun', page]
  ] as const) {
    it(`is no result of a function: ${what} with ${status} for ${invocationType}`, async () => {
      relay.answer = () => ({ status, body, headers: { 'Content-Type': 'text/html' } });
      const error = await failing(invokeNode({ invocationType, functionError: 'output', retries: 2 }));
      assert.deepEqual([error.name, error.statusCode, error.retryable], ['UnknownError', status, false]);
      assert.match(error.message, says);
      assert.equal((error.cause as { message: string }).message, body);
      assert.equal(relay.exchanges.length, 1);
    });
  }

  for (const [what, reply, expected] of [
    ['JSON', { body: '{"greeting":"hi"}' }, { greeting: 'hi' }],
    ['JSON of HTML', { body: JSON.stringify(page) }, page],
    ['null', { body: 'null' }, null],
    [
      'text with the version that ran',
      { body: 'Hello', headers: { 'X-Amz-Executed-Version': '3' } },
      { StatusCode: 200, Payload: 'Hello' }
    ],
    ['HTML with the version that ran', { body: page, headers: { 'X-Amz-Executed-Version': '3' } }, page],
    ['nothing, when it was queued', { status: 202, body: '' }, { StatusCode: 202 }]
  ] as const) {
    it(`is the result of a local Lambda that names no request: ${what}`, async () => {
      relay.answer = () => reply;
      const nodes = [account(bench, { endpoint: relay.url }), invokeNode(), sink('out')];
      await bench.red.deploy(nodes, { credentials: credentials() });
      const { error, sent } = await bench.red.send('invoke', { payload: {} });
      assert.equal(error, undefined);
      const payload = sent[0]?.payload as { Payload?: string };
      assert.deepEqual(expected === page ? (payload?.Payload ?? payload) : payload, expected);
    });
  }

  for (const body of ['{}', '{"ok":true}']) {
    it(`is no list of functions: ${body}`, async () => {
      relay.answer = () => ({ body });
      assert.match((await failing(listNode())).message, says);
    });
  }

  const porch = createCanvas(100, 100).toBuffer('image/png');
  const picture = () => ({ payload: porch, topic: 'Ada' });
  const identify = { operation: 'identify', collection: 'family', collectionType: 'str' };
  for (const odd of [5, 'text', true, [null], { a: 1 }]) {
    for (const [node, member, msg] of [
      [listNode(), 'Functions'],
      [detectNode(), 'Labels', picture],
      [detectNode({ operation: 'faces' }), 'FaceDetails', picture],
      [detectNode(identify), 'FaceDetails', picture],
      [detectNode({ operation: 'text' }), 'TextDetections', picture],
      [detectNode({ operation: 'moderation' }), 'ModerationLabels', picture],
      [detectNode({ operation: 'celebrities' }), 'CelebrityFaces', picture],
      [detectNode({ operation: 'protectiveEquipment' }), 'Persons', picture],
      [indexFaceNode({ collection: 'family' }), 'FaceRecords', picture],
      [sendNode({ queue: 'https://sqs.us-east-1.amazonaws.com/111111111111/orders' }), 'MessageId', undefined]
    ] as [FlowNode, string, (() => Message)?][]) {
      it(`never shows itself as a fault of JavaScript: ${JSON.stringify(odd)} for ${member} of ${node.type}`, async () => {
        relay.answer = () => ({ body: JSON.stringify({ [member]: odd }) });
        const nodes = [account(bench, { endpoint: relay.url }), node, sink('out')];
        await bench.red.deploy(nodes, { credentials: credentials() });
        const { error, done, sent } = await bench.red.send(node.id, msg?.() ?? { payload: 'x', topic: 'Ada' });
        assert.equal(done, 1);
        assert.ok(
          error ||
            (sent.length === 1 &&
              (!['Functions', 'MessageId'].includes(member) || (member === 'MessageId' && odd === 'text'))),
          `sent: ${JSON.stringify(sent)}`
        );
        if (!error) return;
        if (error.name !== 'PartialFailure') {
          assert.deepEqual([error.name, error.statusCode], ['UnknownError', 200]);
          assert.match(error.message, /^The answer .*(is not from AWS|names no message)/);
        }
      });
    }
    for (const member of ['Successful', 'Failed']) {
      it(`says nothing of a batch: ${JSON.stringify(odd)} for ${member}`, async () => {
        relay.answer = ({ headers }) =>
          headers['x-amz-target']?.endsWith('Batch') ? { body: JSON.stringify({ [member]: odd }) } : undefined;
        const url = await queues.create();
        const nodes = [account(bench, { endpoint: relay.url }), sendNode({ queue: url }), sink('out')];
        await bench.red.deploy(nodes, { credentials: credentials() });
        const outcomes = await bench.red.sendMany('send', [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
        const [first, ...batch] = outcomes;
        assert.deepEqual([first?.done, first?.error], [1, undefined]);
        for (const { done, error } of batch) {
          assert.equal(done, 1);
          assert.match(String(error?.message), /^The answer /);
        }
      });
    }
    it(`does not stop a receiver: ${JSON.stringify(odd)} for Messages`, async () => {
      let polls = 0;
      relay.answer = ({ headers }) => {
        if (!headers['x-amz-target']?.endsWith('.ReceiveMessage')) return undefined;
        polls += 1;
        return { body: JSON.stringify({ Messages: odd }) };
      };
      bench.red.clearLogs();
      const receiver = receiveNode({ queue: 'https://sqs.us-east-1.amazonaws.com/111111111111/orders' });
      const nodes = [account(bench, { endpoint: relay.url }), receiver, sink('out')];
      await bench.red.deploy(nodes, { credentials: credentials() });
      await bench.red.until(() => polls > 1);
      assert.doesNotMatch(bench.red.logs.map(({ text }) => text).join(), /TypeError|is not a function/);
      const said = bench.red.logs.some(({ id, level }) => id === 'receive' && level === 'warn');
      if (said) assert.match(String(bench.red.statuses('receive').at(-1)?.text), /^answer not from AWS since /);
    });
  }

  for (const operation of ['labels', 'faces', 'identify', 'text', 'moderation', 'celebrities', 'protectiveEquipment']) {
    for (const [status, body] of [
      [200, '{"status":"ok"}'],
      [200, ''],
      [204, '']
    ] as const) {
      it(`is no picture without anything in it: ${status} ${body} for ${operation}`, async () => {
        relay.answer = () => ({ status, body });
        const error = await failing(detectNode({ ...identify, operation }), picture());
        assert.deepEqual([error.name, error.statusCode], ['UnknownError', status]);
        assert.match(error.message, says);
      });
    }
  }

  it('is nobody who has signed in', async () => {
    const said = () => bench.red.logs.filter(({ level }) => level === 'warn').map(({ text }) => text);
    for (const body of [page, '<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>']) {
      relay.answer = () => ({ body });
      bench.red.clearLogs();
      await bench.red.deploy([]);
      await bench.red.deploy([account(bench, { endpoint: relay.url, validate: true })], { credentials: credentials() });
      await bench.red.until(() => said().length > 0);
      assert.match(said().join(), /^Sign-in failed: UnknownError: The answer \(HTTP 200\) is not from AWS/);
    }
  });

  for (const [status, retryable] of [
    [429, true],
    [408, true],
    [404, false]
  ] as const) {
    it(`is ${retryable ? '' : 'not '}worth another try with ${status} and a page`, async () => {
      relay.answer = () => ({ status, body: page, headers: { 'Content-Type': 'text/html' } });
      for (const node of [invokeNode(), listNode(), sendNode({ queue: 'orders' })]) {
        const error = await failing(node);
        assert.deepEqual([error.name, error.statusCode, error.retryable], ['UnknownError', status, retryable]);
      }
    });
  }

  for (const path of ['/', '/aws', '/aws/', '/aws/local//']) {
    it(`is not asked for below ${path} with two slashes`, async () => {
      relay.answer = ({ headers }) => ({
        body: headers['x-amz-target'] ? '{"MessageId":"m"}' : '{"Functions":[]}'
      });
      const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
      const nodes = [account(bench, { endpoint: relay.url + path }), invokeNode(), listNode(), sendNode({ queue })];
      await bench.red.deploy([...nodes, sink('out')], { credentials: credentials() });
      for (const id of ['invoke', 'list', 'send']) {
        assert.equal((await bench.red.send(id, { payload: 'x' })).error, undefined);
      }
      const base = path.replace(/\/+$/, '');
      assert.deepEqual(
        relay.exchanges.map((exchange) => exchange.path.replace(/\?.*$/, '')),
        [`${base}/2015-03-31/functions/hello/invocations`, `${base}/2015-03-31/functions`, `${base}/`]
      );
    });
  }

  it('fails alone among many targets', async () => {
    relay.answer = ({ path }) =>
      path.includes('/fails/') ? { status: 400, body: '{"message":["odd"]}', errorType: 'Odd' } : undefined;
    const both = invokeNode({ functionName: '["hello","fails"]', functionNameType: 'json' });
    const { name, results } = await failing(both);
    const [good, bad] = results as { result?: unknown; error?: { name: string } }[];
    assert.deepEqual([name, good?.result, bad?.error?.name], ['PartialFailure', { greeting: 'Hello, world!' }, 'Odd']);
  });

  it('cannot make a list go on for ever', async () => {
    relay.answer = () => ({ body: '{"Functions":[],"NextMarker":"again"}' });
    const error = await failing(listNode());
    assert.match(error.message, /same page twice/);
    assert.equal(relay.exchanges.length, 2);
  });
});
