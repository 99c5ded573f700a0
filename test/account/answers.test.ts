import assert from 'node:assert/strict';
import { createCanvas } from 'canvas';
import {
  deployNodes,
  detectNode,
  facesNode,
  indexFaceNode,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Message, NodeError } from '../node-red';
import { sink } from '../node-red';
import { type Answerer, operationOf, useRelay } from '../relay';

const porch = createCanvas(100, 100).toBuffer('image/png');
const box = { Left: 0, Top: 0, Width: 0.5, Height: 0.5 };
const face = { BoundingBox: box, Confidence: 99 };
const queueUrl = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
const topic = 'arn:aws:sns:us-east-1:111111111111:news';
const requestId = { 'x-amzn-RequestId': '00000000-0000-4000-8000-000000000000' };
const page = '<html><body>Please sign in</body></html>';

/** A node, the operation whose answer is odd, and what AWS would answer. */
interface Case {
  node: FlowNode;
  operation: string;
  good: Record<string, unknown>;
  /** What comes before, as AWS answers it. */
  before?: Record<string, unknown>;
}

const detecting = (operation: string) => detectNode({ operation, collection: 'family', collectionType: 'str' });
const cases: Case[] = [
  { node: listNode(), operation: 'ListFunctions', good: { Functions: [{ FunctionName: 'f', CodeSize: 1 }] } },
  { node: sendNode({ queue: queueUrl }), operation: 'SendMessage', good: { MessageId: 'm' } },
  { node: sendNode({ queue: 'orders' }), operation: 'GetQueueUrl', good: { QueueUrl: queueUrl } },
  {
    node: detecting('labels'),
    operation: 'DetectLabels',
    good: { Labels: [{ Name: 'Car', Confidence: 90, Instances: [face], Parents: [{ Name: 'Vehicle' }] }] }
  },
  { node: detecting('faces'), operation: 'DetectFaces', good: { FaceDetails: [face] } },
  { node: detecting('identify'), operation: 'DetectFaces', good: { FaceDetails: [] } },
  {
    node: detecting('identify'),
    operation: 'SearchFacesByImage',
    before: { FaceDetails: [face] },
    good: { FaceMatches: [{ Similarity: 99, Face: { ExternalImageId: 'Ada', FaceId: 'f' } }] }
  },
  {
    node: detecting('text'),
    operation: 'DetectText',
    good: { TextDetections: [{ DetectedText: 'x', Type: 'LINE', Confidence: 99, Geometry: { BoundingBox: box } }] }
  },
  {
    node: detecting('moderation'),
    operation: 'DetectModerationLabels',
    good: { ModerationLabels: [{ Name: 'Smoking', Confidence: 80 }] }
  },
  {
    node: detecting('celebrities'),
    operation: 'RecognizeCelebrities',
    good: { CelebrityFaces: [{ Name: 'Ada', Face: face, Urls: ['x'], MatchConfidence: 99 }], UnrecognizedFaces: [face] }
  },
  {
    node: detecting('protectiveEquipment'),
    operation: 'DetectProtectiveEquipment',
    good: { Persons: [{ ...face, BodyParts: [{ Name: 'HEAD', EquipmentDetections: [{ Type: 'HEAD_COVER' }] }] }] }
  },
  {
    node: indexFaceNode({ collection: 'family' }),
    operation: 'IndexFaces',
    good: { FaceRecords: [{ Face: { ...face, FaceId: 'f' } }], UnindexedFaces: [{ Reasons: ['SMALL'] }] }
  },
  {
    node: facesNode({ collection: 'family' }),
    operation: 'ListFaces',
    good: { Faces: [{ ...face, FaceId: 'f', ExternalImageId: 'Ada' }] }
  },
  {
    node: facesNode({ action: 'forget', collection: 'family', imageId: 'Ada' }),
    operation: 'DeleteFaces',
    before: { Faces: [{ FaceId: 'f', ExternalImageId: 'Ada' }] },
    good: { DeletedFaces: ['f'], UnsuccessfulFaceDeletions: [] }
  },
  {
    node: facesNode({ action: 'compare', target: 'payload' }),
    operation: 'CompareFaces',
    good: { SourceImageFace: face, FaceMatches: [{ Similarity: 99, Face: face }], UnmatchedFaces: [face] }
  }
];

type Path = (string | number)[];

/** The paths of all members and elements. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, each]) => {
    const here = [...path, isList ? Number(name) : name];
    return [here, ...pathsIn(each, here)];
  });
}
/** A copy with another value at a path. */
function withValue(whole: unknown, path: Path, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const copy = structuredClone(whole) as Record<string | number, unknown>;
  copy[first] = withValue(copy[first], rest, value);
  return copy;
}
const valueAt = (whole: unknown, path: Path): unknown =>
  path.reduce((value, name) => (value as Record<string | number, unknown>)[name], whole);

/** Values of other types than the one that AWS gives. */
const othersThan = (value: unknown): unknown[] =>
  ['a text', 7, true, {}, [], [null]].filter((other) => {
    if (Array.isArray(value)) return !Array.isArray(other) || other.length > 0;
    // The SDK makes an object of a list.
    return typeof other !== typeof value;
  });

describe('an answer with success', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);

  const deploy = (nodes: FlowNode[], properties: Record<string, unknown> = {}) =>
    deployNodes(bench, [...nodes, sink('out')], { endpoint: relay.url, rekognitionRate: 0, ...properties });
  const message = ({ node }: Case): Message => ({
    payload: node.type.includes('rekognition') ? porch : 'x',
    topic: 'Ada'
  });
  const says = /^The answer \(HTTP 20\d\) is not from AWS/;
  function assertForeign(error: NodeError | undefined, what: unknown): void {
    assert.equal(error?.name, 'UnknownError', `${JSON.stringify(what)}: ${error?.message}`);
    assert.match(error?.message ?? '', says);
    assert.equal(error?.statusCode, 200);
  }
  const answering =
    ({ operation, before }: Pick<Case, 'operation' | 'before'>, reply: () => ReturnType<Answerer>): Answerer =>
    (exchange) => {
      if (operationOf(exchange) === operation) return reply();
      if (before) return { body: JSON.stringify(before), headers: requestId };
      return operationOf(exchange) === 'SendMessage' ? { body: '{"MessageId":"m"}' } : undefined;
    };

  for (const each of cases) {
    const { node, operation, good } = each;
    const what = `${operation} for ${node.type}${node.operation ? ` (${String(node.operation)})` : ''}`;
    const [first] = Object.keys(good) as [string];

    it(`that lacks what it always brings is none of AWS’s: ${what}`, async () => {
      await deploy([node]);
      for (const [body, headers] of [
        ['', {}],
        ['{}', {}],
        ['null', {}],
        ['7', {}],
        ['[]', {}],
        ['"text"', {}],
        ['{"status":"ok"}', {}],
        [JSON.stringify({ ...good, [first]: undefined }), {}],
        [JSON.stringify({ ...good, [first]: null }), {}],
        [page, { 'Content-Type': 'text/html' }]
      ] as const) {
        relay.answer = answering(each, () => ({ body, headers }));
        const { error, sent, done } = await bench.red.send(node.id, message(each));
        assert.deepEqual([sent, done], [[], 1], body);
        assertForeign(error, body);
      }
    });

    it(`whose members are of other types is none of AWS’s: ${what}`, async () => {
      await deploy([node]);
      for (const path of pathsIn(good)) {
        for (const other of othersThan(valueAt(good, path))) {
          const body = JSON.stringify(withValue(good, path, other));
          relay.answer = answering(each, () => ({ body, headers: requestId }));
          const { error, sent, done } = await bench.red.send(node.id, message(each));
          assert.deepEqual([sent.length, done], [0, 1], body);
          assertForeign(error, body);
        }
      }
    });

    it(`works without a request ID where all is there: ${what}`, async () => {
      await deploy([node]);
      relay.answer = answering(each, () => ({ body: JSON.stringify(good) }));
      const { error, sent } = await bench.red.send(node.id, message(each));
      assert.deepEqual([error, sent.length], [undefined, 1]);
    });
  }

  for (const [what, body] of [
    ['a page', page],
    ['nothing', ''],
    ['an empty result', '<PublishResponse><PublishResult/></PublishResponse>'],
    ['another result', '<ListTopicsResponse><ListTopicsResult><Topics/></ListTopicsResult></ListTopicsResponse>']
  ]) {
    it(`that names no message is none of SNS: ${what}`, async () => {
      await deploy([publishNode({ target: topic })]);
      relay.answer = () => ({ body: body as string, headers: { 'Content-Type': 'text/xml' } });
      const { error, sent } = await bench.red.send('publish', { payload: 'x' });
      assert.equal(sent.length, 0);
      assertForeign(error, body);
    });
  }

  describe('of a batch', () => {
    const entry = { Id: '0', MessageId: 'm' };
    for (const [what, answer] of [
      ['nothing', {}],
      ['no list', { Successful: 'all' }],
      ['null in place of an entry', { Successful: [entry, null] }],
      ['an entry without an ID', { Successful: [entry, { MessageId: 'm' }] }],
      ['a message without an ID', { Successful: [entry, { Id: '1' }] }],
      ['a failure without an ID', { Successful: [entry], Failed: [{ Code: 'x' }] }]
    ] as const) {
      it(`that says ${what} is none of SQS`, async () => {
        const url = await queues.create();
        await deploy([sendNode({ queue: url })]);
        relay.answer = (exchange) =>
          operationOf(exchange) === 'SendMessageBatch' ? { body: JSON.stringify(answer) } : undefined;
        const [first, ...batch] = await bench.red.sendMany('send', [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
        assert.equal(first?.error, undefined);
        for (const { error } of batch) assertForeign(error, answer);
      });
    }
  });

  describe('to a receiver', () => {
    /** A receiver that has one message, and what settles it. */
    async function holding(): Promise<Message> {
      const url = await queues.create();
      await queues.send(url, 'x');
      await deploy([
        receiveNode({ queue: url, settle: 'flow' }),
        settleNode({ id: 'delete', action: 'delete' }),
        settleNode({ id: 'return', action: 'return' }),
        sink('settled')
      ]);
      return bench.red.next('out');
    }
    const statusOf = (id: string) => String(bench.red.statuses(id).at(-1)?.text);

    for (const [action, operation] of [
      ['delete', 'DeleteMessage'],
      ['return', 'ChangeMessageVisibility']
    ] as const) {
      for (const [body, headers] of [
        ['{"status":"login"}', {}],
        ['{}', { 'Content-Type': 'application/json' }],
        ['[7]', {}],
        ['"text"', {}],
        ['', { 'Content-Type': 'text/html' }]
      ] as const) {
        it(`settles nothing with ${body || 'an empty page'}: ${operation}`, async () => {
          const msg = await holding();
          relay.answer = (exchange) => (operationOf(exchange) === operation ? { body, headers } : undefined);
          assertForeign((await bench.red.send(action, msg)).error, body);
          relay.answer = () => undefined;
          assert.equal((await bench.red.send(action, msg)).error, undefined);
        });
      }
      for (const [what, body, headers] of [
        ['an empty one without a type, as ElasticMQ gives it', '', { 'Content-Type': undefined }],
        [
          'an empty object of AWS’s own JSON, as fauxqs gives it',
          '{}',
          { 'Content-Type': 'application/x-amz-json-1.0' }
        ],
        ['an empty object with a request ID', '{}', requestId]
      ] as const) {
        it(`settles a message with ${what}: ${operation}`, async () => {
          const msg = await holding();
          relay.answer = (exchange) => (operationOf(exchange) === operation ? { body, headers } : undefined);
          assert.equal((await bench.red.send(action, msg)).error, undefined);
        });
      }
    }

    for (const messages of [
      undefined,
      7,
      'text',
      {},
      [null],
      [{}],
      [{ MessageId: 'm' }],
      [{ MessageId: 7, ReceiptHandle: 'r' }],
      [{ MessageId: 'm', ReceiptHandle: 'r', Attributes: 7 }],
      [{ MessageId: 'm', ReceiptHandle: 'r', Body: {} }],
      [{ MessageId: 'm', ReceiptHandle: 'r', MessageAttributes: { a: null } }],
      [{ MessageId: 'm', ReceiptHandle: 'r', MessageAttributes: { a: {} } }]
    ]) {
      it(`is trouble, and no empty queue, with ${JSON.stringify(messages)} for its messages`, async () => {
        const url = await queues.create();
        relay.answer = (exchange) =>
          operationOf(exchange) === 'ReceiveMessage' ? { body: JSON.stringify({ Messages: messages }) } : undefined;
        await deploy([receiveNode({ queue: url })]);
        await bench.red.until(() => /^answer not from AWS since /.test(statusOf('receive')));
        assert.deepEqual(bench.red.sent('receive'), []);
        const warned = bench.red.logs.filter(({ id, level }) => id === 'receive' && level === 'warn');
        assert.match(warned.map(({ text }) => text).join(), /UnknownError/);
      });
    }

    for (const [what, headers] of [
      ['a request ID', requestId],
      ['AWS’s own JSON', { 'Content-Type': 'application/x-amz-json-1.0' }]
    ] as const) {
      it(`is an empty queue with ${what} and no messages`, async () => {
        const url = await queues.create();
        let polls = 0;
        relay.answer = (exchange) => {
          if (operationOf(exchange) !== 'ReceiveMessage') return undefined;
          polls += 1;
          return { body: '{}', headers };
        };
        await deploy([receiveNode({ queue: url })]);
        await bench.red.until(() => polls > 1);
        assert.equal(statusOf('receive'), 'status.receiving');
      });
    }

    it('is trouble where the attributes of its queue are missing', async () => {
      const url = await queues.create();
      relay.answer = (exchange) =>
        operationOf(exchange) === 'GetQueueAttributes' ? { body: '{"status":"ok"}' } : undefined;
      await deploy([receiveNode({ queue: url })]);
      await bench.red.until(() => /^answer not from AWS since /.test(statusOf('receive')));
    });
  });

  describe('to a dialog', () => {
    const ask = async (path: string) =>
      (await (await bench.red.request(`aws-account/choices/${path}&account=account`)).json()) as {
        choices?: unknown[];
        refusal?: { name: string };
      };
    for (const list of ['functions?', 'qualifiers?of=hello', 'queues?', 'collections?', 'topics?']) {
      it(`is no empty list, and is not kept: ${list}`, async () => {
        await deploy([listNode()]);
        const isXml = list === 'topics?';
        relay.answer = () =>
          isXml ? { body: page, headers: { 'Content-Type': 'text/xml' } } : { body: '{"status":"ok"}' };
        assert.equal((await ask(list)).refusal?.name, 'UnknownError');
        relay.answer = () => undefined;
        assert.ok((await ask(list)).choices);
      });
    }
  });
});
