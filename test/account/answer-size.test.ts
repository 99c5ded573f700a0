/** Answers that are larger than any of AWS, or that never end. */
import assert from 'node:assert/strict';
import type { RequestListener, ServerResponse } from 'node:http';
import { createCanvas } from 'canvas';
import {
  deployAction,
  detectNode,
  indexFaceNode,
  invokeNode,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  useBench
} from '../aws';
import type { FlowNode } from '../node-red';
import { useServer } from '../relay';

const bench = useBench();

/** A service that answers each request alike, and notes what becomes of the answers. */
class Service {
  requests = 0;
  /** Bytes of answers that were written. */
  written = 0;
  /** Answers whose connection was closed before their end. */
  cut = 0;
  answer: (response: ServerResponse, operation: string) => void = () => undefined;

  readonly listener: RequestListener = (request, response) => {
    this.requests += 1;
    response.on('close', () => {
      if (!response.writableFinished) this.cut += 1;
    });
    request.resume().on('end', () => {
      this.answer(response, String(request.headers['x-amz-target']).split('.').pop() ?? '');
    });
  };

  /** Writes the same bytes for ever, as fast as they are taken. */
  endless(response: ServerResponse, chunk: string): void {
    const bytes = Buffer.from(chunk.repeat(Math.ceil(65_536 / chunk.length)));
    const more = () => {
      while (!response.destroyed) {
        this.written += bytes.length;
        if (!response.write(bytes)) break;
      }
    };
    response.on('drain', more).on('error', () => undefined);
    more();
  }

  reset(): void {
    this.requests = 0;
    this.written = 0;
    this.cut = 0;
  }
}

const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
const topic = 'arn:aws:sns:us-east-1:111111111111:news';
const picture = createCanvas(100, 100).encodeSync('png');
const MiB = 1024 * 1024;

const nodes: [what: string, node: FlowNode, most: number, text: string][] = [
  ['a function', invokeNode({ functionName: 'hello' }), 16 * MiB, '16 MiB'],
  ['a list of functions', listNode(), 16 * MiB, '16 MiB'],
  ['a queue', sendNode({ queue }), 16 * MiB, '16 MiB'],
  ['a topic', publishNode({ target: topic }), MiB / 2, '0.5 MiB'],
  ['Rekognition', detectNode(), 8 * MiB, '8 MiB'],
  ['a collection', indexFaceNode({ collection: 'people', imageId: 'Ada', imageIdType: 'str' }), 8 * MiB, '8 MiB']
];

describe('an answer that is larger than any of AWS', () => {
  const service = new Service();
  const server = useServer(service.listener);
  beforeEach(() => service.reset());

  const deploy = (node: FlowNode, properties = {}) =>
    deployAction(bench, { ...node, id: 'node' }, { endpoint: server.url, ...properties });

  for (const [what, node, most, text] of nodes) {
    for (const status of [200, 500]) {
      it(`of ${what} is cut off, and not asked for again, when it never ends (HTTP ${status})`, async () => {
        service.answer = (response) => {
          response.writeHead(status, { 'Content-Type': 'application/json', 'x-amzn-RequestId': 'r' });
          service.endless(response, 'x');
        };
        await deploy(node);
        const { error, done, sent } = await bench.red.send('node', { payload: picture });
        assert.equal(done, 1);
        assert.deepEqual(sent, []);
        assert.equal(error?.name, 'UnknownError');
        assert.match(
          String(error?.message),
          new RegExp(`^The answer has more than ${text}, which is far more than AWS`)
        );
        assert.equal(error?.retryable, false);
        assert.equal(error?.statusCode, status);
        await bench.red.until(() => service.cut === 1, 'the connection to be closed');
        assert.equal(service.requests, 1);
        assert.ok(service.written < most + 8 * MiB, `${service.written} bytes were taken`);
      });
    }

    it(`of ${what} is not even begun when its head tells its length`, async () => {
      service.answer = (response) => {
        // Nothing follows: whoever waits for more than the head waits for ever.
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': String(2 ** 40) });
        response.flushHeaders();
      };
      await deploy(node);
      const { error } = await bench.red.send('node', { payload: picture });
      assert.match(String(error?.message), new RegExp(`^The answer has more than ${text}`));
      await bench.red.until(() => service.cut === 1, 'the connection to be closed');
      assert.equal(service.requests, 1);
    });
  }

  for (const [what, node] of nodes.filter(([, { type }]) => !['aws-lambda-invoke', 'aws-sns-publish'].includes(type))) {
    it(`of ${what} is cut off when it holds more values than its memory allows`, async () => {
      service.answer = (response) => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(`{"x": [${'{},'.repeat(1_000_000)}{}]}`);
      };
      await deploy(node);
      const { error } = await bench.red.send('node', { payload: picture });
      assert.match(String(error?.message), /^The answer has more than 500000 values/);
      assert.equal(service.requests, 1);
    });
  }

  it('is told by a receiver, which asks again later', async () => {
    service.answer = (response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' });
      service.endless(response, 'x');
    };
    await deploy(receiveNode({ queue }));
    await bench.red.until(
      () => bench.red.logs.some(({ text }) => text.includes('The answer has more than 16 MiB')),
      'the receiver to say so'
    );
    await bench.red.deploy([]);
  });

  it('is cut off where a role is assumed', async () => {
    service.answer = (response) => {
      response.writeHead(200, { 'Content-Type': 'text/xml' });
      service.endless(response, '<a/>');
    };
    await deploy(sendNode({ queue }), { roleArn: 'arn:aws:iam::111111111111:role/reader' });
    const { error } = await bench.red.send('node', { payload: 'x' });
    assert.match(String(error?.message), /^The answer has more than 0\.5 MiB/);
  });

  it('is not one that has as many messages as a queue gives, however they are written', async () => {
    const body = '"'.repeat(1_000_000);
    const text = JSON.stringify({ Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: body }] });
    assert.ok(text.length > 2_000_000);
    const answers = ['{}', text];
    service.answer = (response, operation) => {
      const known = operation === 'GetQueueAttributes' ? '{"Attributes":{"VisibilityTimeout":"30"}}' : undefined;
      const answer = known ?? (operation === 'ReceiveMessage' ? answers.pop() : undefined) ?? '{}';
      response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' }).end(answer);
    };
    await deploy({ ...receiveNode({ queue }), wires: [['out']] });
    assert.equal((await bench.red.nextSent('node')).payload, body);
    await bench.red.deploy([]);
  });
});
