/** What a flow can get wrong about messages for SNS and SQS, as a table; `test/bad-input.test.ts` has the rest. */
import assert from 'node:assert/strict';
import { account, assertFailed, credentials, publishNode, sendNode, useBench, useQueues } from '../aws';
import type { Message } from '../node-red';
import { sink } from '../node-red';

interface Row {
  bad: string;
  node: Record<string, unknown>;
  msg?: () => Message;
  /** The error's name and text. */
  says: RegExp;
  /** Requests that reach SQS or SNS; without it none, since what is wrong is found before. */
  requests?: number;
}

const bench = useBench();
const queues = useQueues(bench);
const good = 'https://sqs.us-east-1.amazonaws.com/111111111111/good';
const fifo = 'https://sqs.us-east-1.amazonaws.com/111111111111/good.fifo';
const phone = '+12065550100';

const circular = (): Message => {
  const payload: Record<string, unknown> = {};
  payload.itself = payload;
  return { payload };
};

const queueRow = (queue: unknown, says: RegExp, requests = 0): Row => ({
  bad: `the queue ${JSON.stringify(queue) ?? String(queue)}`,
  node: { queue: 'queue', queueType: 'msg' },
  msg: () => ({ payload: 'x', queue }),
  says,
  requests
});

const noQueue = /^InvalidValue: Queue must be the URL, the name or the ARN of a queue, but is /;

const whichQueue: Row[] = [
  queueRow(undefined, /^MissingValue: Queue is required, but msg\.queue has no value/),
  queueRow('', /^MissingValue: Queue is required/),
  queueRow(17, noQueue),
  queueRow({ url: good }, noQueue),
  queueRow('two words', noQueue),
  queueRow('ümlaut', noQueue),
  queueRow(`${'x'.repeat(81)}`, noQueue),
  queueRow('a/b', noQueue),
  queueRow('orders.txt', noQueue),
  queueRow('../111111111111/orders', noQueue),
  queueRow('arn:aws:sqs:us-east-1:111111111111', noQueue),
  queueRow('arn:aws:sqs:us-east-1:1:orders', noQueue),
  queueRow('arn:aws:sns:us-east-1:111111111111:orders', noQueue),
  queueRow('ftp://sqs.us-east-1.amazonaws.com/111111111111/orders', noQueue),
  queueRow('http://user:secret@localhost/111111111111/orders', noQueue),
  queueRow('https://sqs.us-east-1.amazonaws.com/111111111111/orders?x=1', noQueue),
  queueRow('https://sqs.us-east-1.amazonaws.com', noQueue),
  queueRow('https://sqs.us-east-1.amazonaws.com/111111111111/orders\r\nHost: evil', noQueue),
  queueRow([], /^InvalidValue: Queue must name at least one target, but is an empty array/),
  queueRow([[good]], /^PartialFailure: 1 of 1 targets failed; the first, an array: Queue must be/),
  queueRow('no-such-queue', /^QueueDoesNotExist: There is no such queue/, 1),
  {
    bad: 'the queue from a broken expression',
    node: { queue: '$error("no")', queueType: 'jsonata' },
    says: /^InvalidValue: Queue: the JSONata expression failed/
  }
];

const bodyRow = (bad: string, payload: unknown, says: RegExp): Row => ({
  bad: `a body that is ${bad}`,
  node: { queue: good },
  msg: () => ({ payload }),
  says
});

const bodies: Row[] = [
  bodyRow('empty', '', /^InvalidValue: Message body \(body\) must not be empty text/),
  bodyRow('absent', undefined, /^MissingValue: Message body \(body\) is required, but msg\.payload has no value/),
  bodyRow('a function', () => 1, /^InvalidValue: Message body \(body\) cannot be written as JSON: it is a function/),
  bodyRow('a symbol', Symbol('x'), /^InvalidValue: Message body \(body\) cannot be written as JSON/),
  bodyRow('a bigint', 17n, /^InvalidValue: Message body \(body\) cannot be written as JSON/),
  {
    bad: 'a body that contains itself',
    node: { queue: good },
    msg: circular,
    says: /^InvalidValue: Message body \(body\) .*itself/
  },
  bodyRow(
    'text with a NUL',
    'a\u0000b',
    /^InvalidValue: Message body \(body\) holds the character U\+0000 at position 1/
  ),
  bodyRow(
    'text with half a character',
    'ab\ud83d',
    /^InvalidValue: Message body \(body\) holds the character U\+D83D at position 2/
  ),
  bodyRow('text with a non-character', '\uffff', /^InvalidValue: Message body \(body\) holds the character U\+FFFF/),
  bodyRow('too long', 'ü'.repeat(524_289), /^InvalidValue: Message body \(body\) and its attributes have 1048578 bytes/)
];

const attributeRow = (attributes: unknown, says: RegExp): Row => ({
  bad: `the attributes ${
    JSON.stringify(attributes, (_, value: unknown) =>
      typeof value === 'number' || typeof value === 'symbol' ? String(value) : value
    )?.slice(0, 70) ?? String(attributes)
  }`,
  node: { queue: good, attributes: 'attributes', attributesType: 'msg' },
  msg: () => ({ payload: 'x', attributes }),
  says
});

const noObject = /^InvalidValue: Attributes must be an object such as /;
const noName = /^InvalidValue: Attributes: the name ".*" must be 1 to 256 letters, digits and _ - \./;
const reserved = /^InvalidValue: Attributes: the name ".*" must not begin with AWS\. or Amazon\., which AWS keeps/;

const attributes: Row[] = [
  attributeRow('text', noObject),
  attributeRow(17, noObject),
  attributeRow(['a'], noObject),
  attributeRow(Buffer.from('a'), noObject),
  attributeRow({ '': 'x' }, noName),
  attributeRow({ 'two words': 'x' }, noName),
  attributeRow({ '.dot': 'x' }, noName),
  attributeRow({ 'dot.': 'x' }, noName),
  attributeRow({ 'dot..dot': 'x' }, noName),
  attributeRow({ ['x'.repeat(257)]: 'x' }, noName),
  // Both services' guides to message attributes reserve these, in any case (November 2026).
  attributeRow({ 'AWS.x': 'x' }, reserved),
  attributeRow({ 'amaZon.x': 'x' }, reserved),
  attributeRow(
    { a: '' },
    /^InvalidValue: Attributes \(attributes\.a\) must not be empty text: leave it out, or set it to null/
  ),
  attributeRow({ a: Buffer.alloc(0) }, /^InvalidValue: Attributes \(attributes\.a\) must not be an empty Buffer/),
  attributeRow({ a: Number.NaN }, /^InvalidValue: Attributes \(attributes\.a\) must be a number, but is NaN/),
  attributeRow(
    { a: Number.POSITIVE_INFINITY },
    /^InvalidValue: Attributes \(attributes\.a\) must be a number, but is Infinity/
  ),
  attributeRow({ a: 'x\u0001' }, /^InvalidValue: Attributes \(attributes\.a\) holds the character U\+0001/),
  attributeRow({ a: () => 1 }, /^InvalidValue: Attributes \(attributes\.a\) cannot be written as JSON/),
  attributeRow(
    { a: { DataType: 'Text', StringValue: 'x' } },
    /^InvalidValue: Attributes \(attributes\.a\.DataType\) must be String/
  ),
  attributeRow(
    { a: { DataType: 'Number', StringValue: 'x' } },
    /^InvalidValue: Attributes \(attributes\.a\.StringValue\) must be a num/
  ),
  attributeRow(
    { a: { DataType: 'String', StringValue: 17 } },
    /^InvalidValue: Attributes \(attributes\.a\.StringValue\) must be text/
  ),
  attributeRow(
    { a: { DataType: 'Binary', BinaryValue: 17 } },
    /^InvalidValue: Attributes \(attributes\.a\.BinaryValue\) must be a B/
  ),
  attributeRow(
    Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`a${n}`, n])),
    /^InvalidValue: Attributes may be at most 10, but are 11/
  )
];

const others: Row[] = [
  ...[-1, 901, 1.5, 'soon', {}, Number.NaN].map((delay) => ({
    bad: `a delay of ${typeof delay === 'object' ? 'an object' : delay}`,
    node: { queue: good, delaySeconds: 'delay', delaySecondsType: 'msg' },
    msg: () => ({ payload: 'x', delay }),
    says: /^InvalidValue: Delay \(delaySeconds\) must be a whole number from 0 to 900, but is /
  })),
  ...['two words', 'ü', 'x'.repeat(129), '\n', {}].map((group) => ({
    bad: `the group ${JSON.stringify(group).slice(0, 20)}`,
    node: { queue: fifo, groupId: 'group', groupIdType: 'msg' },
    msg: () => ({ payload: 'x', group }),
    says: /^InvalidValue: Group ID \(groupId\) (must be 1 to 128 letters|may have at most)/
  })),
  {
    bad: 'a group that is empty for a FIFO queue',
    node: { queue: fifo, groupId: 'group', groupIdType: 'msg' },
    msg: () => ({ payload: 'x', group: '' }),
    says: /^MissingValue: Group ID \(groupId\) is required/
  },
  {
    bad: 'a batch that is neither on nor off',
    node: { queue: good, batch: 'perhaps' },
    says: /^InvalidValue: Send waiting messages together \(batch\) must be true or false, but is "perhaps"/
  },
  {
    bad: 'an output that there is not',
    node: { queue: good, output: 'xml' },
    says: /^InvalidValue: Output must be one of parsed, raw, but is "xml"/
  }
];

const publishRow = (bad: string, node: Record<string, unknown>, says: RegExp, payload: unknown = 'x'): Row => ({
  bad: `for SNS ${bad}`,
  node: { ...publishNode({ target: phone }), ...node },
  msg: () => ({ payload }),
  says
});

const publishing: Row[] = [
  publishRow('an empty message', {}, /^InvalidValue: Message must not be empty text/, ''),
  publishRow('a target of digits', { target: '49151234567' }, /^InvalidValue: Target must be/),
  publishRow('a target that is too long', { target: `+1${'2'.repeat(15)}` }, /^InvalidValue: Target must be/),
  publishRow(
    'a topic with a blank',
    { target: 'arn:aws:sns:us-east-1:111111111111:a b' },
    /^InvalidValue: Target must/
  ),
  publishRow('attributes that are a list', { attributes: '[1]', attributesType: 'json' }, noObject),
  publishRow(
    'a deduplicationId without a FIFO topic',
    { deduplicationId: 'x', deduplicationIdType: 'str' },
    /^InvalidVa/
  ),
  publishRow(
    'protocols that contain themselves',
    { perProtocol: true },
    /^InvalidValue: Message \(message\.sqs\) .*itself/,
    {
      default: 'x',
      sqs: circular().payload
    }
  )
];

describe('a bad message', () => {
  before(async () => {
    await queues.createNamed('good');
    await queues.createNamed('good.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
  });

  for (const [name, rows] of Object.entries({ whichQueue, bodies, attributes, others, publishing })) {
    describe(name, () => {
      for (const row of rows) {
        it(`${row.bad} ends in one clear error, and the next message is sent`, async () => {
          await bench.red.deploy(
            [account(bench), sendNode({ ...row.node, id: 'bad' }), sendNode({ id: 'next', queue: good }), sink('out')],
            { credentials: credentials() }
          );
          const msg = row.msg?.() ?? { payload: 'x' };
          const { payload } = msg;
          const { error, done, sent, statuses, msg: after } = await bench.red.send('bad', msg);
          assert.equal(done, 1);
          assert.deepEqual(sent, []);
          assert.match(`${error?.code}: ${error?.message}`, row.says);
          assert.equal(error?.name, error?.code);
          assert.ok((error?.message.length ?? 0) < 1100);
          assertFailed(statuses.at(-1), error);
          assert.equal(after.payload, payload);
          const requests = (await bench.aws.requests()).filter(({ service }) => service === 'sqs' || service === 'sns');
          assert.equal(requests.length, row.requests ?? 0);
          assert.equal((await bench.red.send('next', { payload: 'fine' })).error, undefined);
        });
      }
    });
  }
});
