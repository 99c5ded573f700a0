/** A node that is run once from its dialog: what it is run with, what it shows, and what it leaves alone. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { mock } from 'node:test';
import type { Node } from 'node-red';
import { signIns } from '../../local-aws/client';
import { drawPicture } from '../../local-aws/rekognition/drawings';
import type { TrialAnswer, TrialResult } from '../../nodes/dialog/trial';
import {
  account,
  credentials,
  deployAction,
  detectNode,
  invokeNode,
  keysOf,
  publishNode,
  sendNode,
  useBench,
  useQueues
} from '../aws';
import { type FlowNode, sink } from '../node-red';

type Answer = TrialAnswer & Partial<TrialResult> & { refusal?: { kind: string; name: string; message: string } };

describe('a node that is tried from its dialog', () => {
  const bench = useBench();
  const queues = useQueues(bench);

  const json = { 'content-type': 'application/json' };
  const post = (body: string, signal?: AbortSignal): Promise<Response> =>
    bench.red.request('aws-account/try', { method: 'POST', headers: json, body, ...(signal && { signal }) });
  /** What the editor sends for a dialog. */
  const dialogOf = ({ id, type, ...properties }: FlowNode, given: object): object => ({
    id,
    type,
    z: '',
    name: '',
    properties,
    ...given
  });
  async function tried(node: FlowNode, given: object = {}): Promise<Answer> {
    const reply = await post(JSON.stringify(dialogOf(node, given)));
    assert.equal(reply.status, 200);
    const text = await reply.text();
    assert.ok(!text.includes(signIns.demo.secretAccessKey), 'no answer holds a secret');
    return JSON.parse(text) as Answer;
  }
  const payloadIn = (answer: Answer): unknown => {
    assert.equal(answer.refusal, undefined, JSON.stringify(answer.refusal));
    return (answer.answer as { payload: unknown }).payload;
  };

  /** What the function `echo` got. */
  const eventIn = (answer: Answer): unknown => (payloadIn(answer) as { event: unknown }).event;

  it('runs as the dialog stands, deployed or not, and shows the answer, how long it took and the end of the log', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const node = invokeNode({ id: 'new', functionName: 'echo' });
    const answer = await tried(node, { text: '{"n": 1}' });
    assert.deepEqual(eventIn(answer), { n: 1 });
    assert.ok(Number(answer.took) > 0);
    assert.match(String(answer.log), /RequestId/);
    const { aws } = answer.answer as { aws: Record<string, unknown> };
    assert.deepEqual([aws.operation, aws.statusCode], ['Invoke', 200]);
    assert.equal(eventIn(await tried(node, { text: 'no JSON' })), 'no JSON');
  });

  it('takes the last message that reached the node, and leaves the flow alone', async () => {
    await deployAction(bench, invokeNode({ functionName: 'echo' }));
    assert.equal((await tried(invokeNode())).refusal?.kind, 'none');
    await bench.red.send('invoke', { payload: { last: true } });
    await bench.red.next('out');
    const before = [bench.red.received('out').length, bench.red.statuses('invoke').length];
    const node = invokeNode({ functionName: 'echo', payload: '{ "was": payload }', payloadType: 'jsonata' });
    // The flow has put its result into the message since; what reached the node is the copy.
    assert.deepEqual(eventIn(await tried(node)), { was: { last: true } });
    assert.deepEqual([bench.red.received('out').length, bench.red.statuses('invoke').length], before);
  });

  it('says that the last message is not there as a whole', async () => {
    await deployAction(bench, invokeNode({ functionName: 'echo' }));
    await bench.red.send('invoke', { payload: 'x'.repeat(40_000) });
    assert.equal((await tried(invokeNode())).refusal?.kind, 'shortened');
  });

  it('shows an error in words, and the end of the log of a function that fails', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const { refusal } = await tried(invokeNode({ functionName: 'missing' }), { text: '' });
    assert.equal(refusal?.name, 'ResourceNotFoundException');
    const empty = await tried(invokeNode({ functionName: '' }), { text: '' });
    assert.match(String(empty.refusal?.message), /Function/);
    const thrown = await tried(invokeNode({ functionName: 'fails' }), { text: '{}' });
    assert.ok(thrown.refusal);
    assert.match(String(thrown.log), /RequestId/);
    const gone = await tried(invokeNode({ account: 'gone' }), { text: '' });
    assert.equal(gone.refusal?.name, 'AccountMissing');
  });

  it('sends and publishes at once, past the store', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const url = await queues.create();
    const node = sendNode({ id: 'keeper', queue: url, queueType: 'str', keep: true });
    const sent = payloadIn(await tried(node, { text: 'hello' })) as { MessageId: string };
    assert.equal(sent.MessageId.length, 36);
    const [message] = await queues.receive(url);
    assert.equal(message?.Body, 'hello');
    assert.ok(!existsSync(join(bench.red.userDir, 'nimbus', 'outbox', 'keeper')));
    const topic = 'arn:aws:sns:us-east-1:111111111111:endpoint/GCM/app/5e3e9847-3183-3f18-a7e8-671c3a57d4b3';
    const published = payloadIn(
      await tried(publishNode({ target: topic, targetType: 'str', keep: true }), { text: 'hello' })
    );
    assert.equal((published as { MessageId: string }).MessageId.length, 36);
  });

  it('shows the picture with boxes, from a picture in the place where the node looks for it', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const bytes = drawPicture(
      { things: [{ kind: 'person', box: { left: 0.3, top: 0.2, width: 0.3, height: 0.7 } }] },
      {
        width: 320,
        height: 240,
        format: 'jpeg'
      }
    );
    const picture = `data:image/jpeg;base64,${Buffer.from(bytes).toString('base64')}`;
    for (const image of ['payload', 'camera.frame']) {
      const answer = await tried(detectNode({ image, imageType: 'msg' }), { picture });
      assert.equal((payloadIn(answer) as { count: number }).count > 0, true);
      assert.match(String(answer.image), /^data:image\/jpeg;base64,/);
    }
    const inS3 = await tried(detectNode(), { text: 's3://bucket/missing.jpg' });
    assert.ok(inS3.refusal || inS3.image === undefined);
  });

  it('goes through the account as it stands in its dialog, new or changed, whose budget counts', async () => {
    await bench.red.deploy([account(bench, { id: 'other' })], { credentials: { other: keysOf('demo') } });
    const draftOf = (id: string, stored: object, more = {}) => {
      const { id: _, type, ...properties } = account(bench, more);
      return { id, properties, credentials: { sessionToken: '', ...stored }, variables: {} };
    };
    const node = invokeNode({ functionName: 'echo', account: 'new' });
    const made = { text: '{"n": 1}', account: draftOf('new', keysOf('demo')) };
    assert.deepEqual(eventIn(await tried(node, made)), { n: 1 });
    const wrong = { ...keysOf('demo'), secretAccessKey: 'w'.repeat(40) };
    const refused = await tried(node, { text: '', account: draftOf('new', wrong) });
    assert.equal(refused.refusal?.name, 'InvalidSignatureException');
    const poor = await tried(node, { text: '', account: draftOf('new', keysOf('demo'), { budget: '0' }) });
    assert.equal(poor.refusal?.name, 'BudgetExceeded');
    const incomplete = await tried(node, { text: '', account: draftOf('new', { accessKeyId: '' }) });
    assert.equal(incomplete.refusal?.name, 'MissingValue');
    // The stored password of the deployed one, which the browser does not have.
    const stored = { accessKeyId: keysOf('demo').accessKeyId, secretAccessKey: '__PWRD__' };
    const changed = { text: '{"n": 2}', account: draftOf('other', stored, { name: 'changed' }) };
    assert.deepEqual(eventIn(await tried({ ...node, account: 'other' }, changed)), { n: 2 });
  });

  it('counts in the budget, and is refused beyond it', async () => {
    await bench.red.deploy([account(bench, { budget: '0' })], { credentials: credentials() });
    const { refusal } = await tried(invokeNode(), { text: '{}' });
    assert.equal(refusal?.name, 'BudgetExceeded');
  });

  it('ends when nobody waits for it any more', async () => {
    const ended = new EventEmitter();
    const server = createServer((_, response) => {
      response.once('close', () => ended.emit('cut'));
      ended.emit('asked');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await bench.red.deploy([account(bench, { endpoint })], { credentials: credentials() });
    const gone = new AbortController();
    const [asked, cut] = [once(ended, 'asked'), once(ended, 'cut')];
    const reply = post(JSON.stringify(dialogOf(invokeNode(), { text: '{}' })), gone.signal);
    await asked;
    gone.abort();
    await assert.rejects(reply);
    await cut;
    server.close();
  });

  it('is refused for what is no node that can be tried', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    for (const type of [
      'aws-account',
      'aws-sqs-receive',
      'inject',
      '../package',
      '__proto__',
      'constructor',
      '',
      7,
      null
    ]) {
      const reply = await post(JSON.stringify({ id: 'x', type, properties: {}, text: '' }));
      assert.equal(reply.status, 404, String(type));
    }
    for (const body of ['[]', '{}', '{"type": {"toString": 1}}']) assert.equal((await post(body)).status, 404);
    const odd = { id: 7, type: 'aws-lambda-invoke', z: [], properties: 'none', variables: 3, text: {} };
    const reply = await post(JSON.stringify(odd));
    assert.equal(((await reply.json()) as Answer).refusal?.kind, 'none');
    const form = await bench.red.request('aws-account/try', {
      method: 'POST',
      body: new URLSearchParams({ type: 'x' })
    });
    assert.equal(form.status, 415);
  });

  it('ends after 60 s', async () => {
    await bench.red.deploy([account(bench), { ...sink('out') }], { credentials: credentials() });
    await bench.aws.fault({ kind: 'hang', service: 'lambda' });
    const set = globalThis.setTimeout;
    const limits: (() => void)[] = [];
    const held = (work: () => void, ms?: number, ...more: []) => {
      if (ms === 60_000) limits.push(work);
      return set(ms === 60_000 ? () => undefined : work, ms, ...more);
    };
    mock.method(globalThis, 'setTimeout', Object.assign(held, set));
    const answer = tried(invokeNode({ timeout: '600', timeoutType: 'num' }), { text: '{}' });
    await bench.aws.until({ requests: 1, service: 'lambda' });
    for (const limit of limits) limit();
    mock.restoreAll();
    assert.equal((await answer).refusal?.name, 'Timeout');
  });

  describe('evaluates its expressions apart from the flows:', () => {
    const withPayload = (payload: string): FlowNode =>
      invokeNode({ functionName: 'echo', payload, payloadType: 'jsonata' });

    it('one that never ends, or takes all memory, fails and stops nothing', async () => {
      await bench.red.deploy([account(bench)], { credentials: credentials() });
      const endless = [
        '($f := function($x) { $f($x) }; $f(1))',
        '$match(payload, /(a+)+$/)',
        '($f := function($x) { $f($append($x, $x)) }; $f([1..1000]))'
      ];
      for (const expression of endless) {
        const { refusal } = await tried(withPayload(expression), { text: `${'a'.repeat(50)}!` });
        assert.match(refusal?.message ?? '', /^Payload: the JSONata expression failed: /, expression);
      }
    });

    it('with what they give in a flow: variables, the context, Buffers and errors', async () => {
      await deployAction(bench, invokeNode({ functionName: 'echo' }));
      const { flow, global } = (bench.red.node('invoke') as unknown as Node).context();
      flow.set('deep', { n: 7 });
      global.set('all', 'of it');
      process.env.TRIED = 'from the process';
      try {
        const expression = '[$flowContext("deep").n, $globalContext("all"), $env("TRIED"), payload.x, msg.payload.x]';
        const given = { text: '{ "x": 1 }' };
        assert.deepEqual(eventIn(await tried(withPayload(expression.replace(', msg.payload.x', '')), given)), [
          7,
          'of it',
          'from the process',
          1
        ]);
        assert.deepEqual(eventIn(await tried(withPayload('{ "old": msg.payload.x }'), given)), { old: 1 });
        const year = await tried(withPayload('$moment("2026-12-01").year()'), given);
        assert.equal(eventIn(year), 2026);
      } finally {
        delete process.env.TRIED;
      }
      await bench.red.send('invoke', { payload: { bytes: Buffer.from('abc') } });
      assert.deepEqual(eventIn(await tried(withPayload('{ "b": payload.bytes }'))), {
        b: { type: 'Buffer', data: [97, 98, 99] }
      });
      for (const [expression, problem] of [
        ['payload.(', /the JSONata expression failed/],
        ['$uppercase', /gives a function, not a value/],
        ['$error("as it says")', /as it says/]
      ] as const)
        assert.match((await tried(withPayload(expression), { text: '' })).refusal?.message ?? '', problem);
    });
  });

  it('shows no secret that its message has brought, nor those of an account that a variable chooses', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    process.env.TRIED = 'account';
    const { accessKeyId, secretAccessKey } = signIns.second;
    try {
      const node = invokeNode({
        account: '${TRIED}',
        functionName: 'echo',
        payload: '{ "said": payload.b & " and " & payload.more }',
        payloadType: 'jsonata',
        dynamicCredentials: '{ "accessKeyId": payload.a, "secretAccessKey": payload.b }',
        dynamicCredentialsType: 'jsonata'
      });
      const more = signIns.demo.secretAccessKey;
      const answer = await tried(node, { text: JSON.stringify({ a: accessKeyId, b: secretAccessKey, more }) });
      assert.ok(answer.answer, JSON.stringify(answer));
      assert.ok(!JSON.stringify(answer).includes(secretAccessKey));
    } finally {
      delete process.env.TRIED;
    }
  });

  it('ends with the next deployment', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    await bench.aws.fault({ kind: 'hang', service: 'lambda' });
    const answer = tried(invokeNode(), { text: '{}' });
    await bench.aws.until({ requests: 1, service: 'lambda' });
    await bench.red.deploy([account(bench), sink('out')], { credentials: credentials(), type: 'nodes' });
    assert.equal((await answer).refusal?.name, 'Closed');
  });

  it('is refused where only an instance of a subflow knows a variable', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    const variables = { NAME: { unknown: 'instance' } };
    const { refusal } = await tried(invokeNode({ functionName: '${NAME}' }), { text: '', variables });
    assert.deepEqual([refusal?.kind, refusal?.message], ['unknownVariable', 'NAME']);
  });

  it('takes properties of any kind for what they are, and logs nothing', async () => {
    await bench.red.deploy([account(bench)], { credentials: credentials() });
    bench.red.clearLogs();
    const odd: unknown[] = [7, -1, true, null, [], {}, ['x'], { toString: 1 }, { length: -1 }, 'x'.repeat(100_000)];
    for (const value of odd) {
      const properties = Object.fromEntries(Object.keys(invokeNode()).map((name) => [name, value]));
      for (const each of [
        properties,
        { ...invokeNode(), functionName: value, payloadType: value, account: 'account' }
      ]) {
        const answer = await tried({ ...invokeNode(), ...each, id: 'x', type: 'aws-lambda-invoke' }, { text: '' });
        assert.ok(answer.refusal ?? answer.answer, JSON.stringify(value).slice(0, 99));
      }
    }
    const inherited = `{"id":"__proto__","type":"aws-lambda-invoke","text":"","properties":{"__proto__":{"account":"account"}}}`;
    assert.equal(((await (await post(inherited)).json()) as Answer).refusal?.name, 'MissingValue');
    const { status } = await post(JSON.stringify(dialogOf(invokeNode(), { text: 'x'.repeat(6_000_000) })));
    assert.ok(status >= 400 && status < 500, 'more than Node-RED takes');
    assert.deepEqual(
      bench.red.logs.filter(({ level, text }) => /fatal|error/.test(level) && /aws-/.test(text)),
      []
    );
  });
});
