/**
 * What requests cost, against what AWS says on its pages (read on 2026-11-30), each sum worked out by hand:
 * https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/rekognition/pricing/, https://aws.amazon.com/sns/pricing/,
 * https://aws.amazon.com/sqs/pricing/
 */
import assert from 'node:assert/strict';
import { billOf } from '../../nodes/metering/prices';

const kb = 1024;
const text = (bytes: number): string => 'x'.repeat(bytes);
const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/orders';
const TopicArn = 'arn:aws:sns:us-east-1:123456789012:orders';

/** What a million of these requests cost, dollars; and the units of one. */
function million(service: string, operation: string, input: object, output?: object): [dollars: number, units: number] {
  const { units, cost } = billOf(service, operation, input, output);
  return [(cost * 1_000_000) / 1e9, units];
}

describe('the price of a request', () => {
  it('of Lambda is 0.20 $ for a million invocations', () => {
    // AWS's own example: two million requests beyond the free ones are 0.40 $.
    assert.deepEqual(million('lambda', 'Invoke', { Payload: Buffer.alloc(6_000_000) }), [0.2, 1]);
    assert.deepEqual(
      million('lambda', 'Invoke', { InvocationType: 'Event', Payload: Buffer.alloc(256 * kb) }),
      [0.2, 1]
    );
  });

  it('of an asynchronous event is one more for each 64 KB that it has begun beyond 256', () => {
    const event = (bytes: number) =>
      million('lambda', 'Invoke', { InvocationType: 'Event', Payload: Buffer.alloc(bytes) });
    assert.deepEqual(event(256 * kb + 1), [0.4, 2]);
    assert.deepEqual(event(320 * kb), [0.4, 2]);
    assert.deepEqual(event(320 * kb + 1), [0.6, 3]);
    assert.deepEqual(event(1024 * kb), [2.6, 13]);
  });

  it('of Rekognition is 1 $ for a thousand pictures, whatever is looked for', () => {
    for (const operation of [
      'CompareFaces',
      'DetectFaces',
      'DetectLabels',
      'DetectModerationLabels',
      'DetectProtectiveEquipment',
      'DetectText',
      'IndexFaces',
      'RecognizeCelebrities',
      'SearchFacesByImage'
    ]) {
      assert.deepEqual(million('rekognition', operation, {}), [1000, 1], operation);
    }
    const both = { Features: ['GENERAL_LABELS', 'IMAGE_PROPERTIES'] };
    assert.deepEqual(million('rekognition', 'DetectLabels', both), [1750, 1]);
  });

  it('of SQS is 0.40 $ for a million requests, 0.50 of FIFO queues, and 0.10 more with fair queues', () => {
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: 'x' }), [0.4, 1]);
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl: `${QueueUrl}.fifo`, MessageBody: 'x' }), [0.5, 1]);
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: 'x', MessageGroupId: 'a' }), [0.5, 1]);
    const grouped = { Messages: [{ Body: 'x', Attributes: { MessageGroupId: 'a' } }] };
    assert.deepEqual(million('sqs', 'ReceiveMessage', { QueueUrl }, grouped), [0.5, 1]);
    for (const operation of [
      'ReceiveMessage',
      'DeleteMessage',
      'ChangeMessageVisibility',
      'GetQueueUrl',
      'ListQueues'
    ]) {
      assert.deepEqual(million('sqs', operation, { QueueUrl }), [0.4, 1], operation);
    }
  });

  it('of SQS counts each 64 KB that one request carries, in or out', () => {
    // AWS's own example: a payload of 256 KB is four requests.
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: text(256 * kb) }), [1.6, 4]);
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: text(64 * kb) }), [0.4, 1]);
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: text(64 * kb + 1) }), [0.8, 2]);
    const Messages = Array.from({ length: 10 }, () => ({ Body: text(30 * kb) }));
    assert.deepEqual(million('sqs', 'ReceiveMessage', { QueueUrl }, { Messages }), [2, 5]);
    const small = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody: text(100) }));
    assert.deepEqual(million('sqs', 'SendMessageBatch', { QueueUrl, Entries: small }), [0.4, 1]);
  });

  it('counts bytes of UTF-8, and those of attributes', () => {
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: '€'.repeat(22 * kb) }), [0.8, 2]);
    const MessageAttributes = { picture: { DataType: 'Binary', BinaryValue: new Uint8Array(64 * kb) } };
    assert.deepEqual(million('sqs', 'SendMessage', { QueueUrl, MessageBody: 'x', MessageAttributes }), [0.8, 2]);
  });

  it('of SNS is 0.50 $ for a million publishes of 64 KB', () => {
    assert.deepEqual(million('sns', 'Publish', { TopicArn, Message: 'x' }), [0.5, 1]);
    assert.deepEqual(million('sns', 'Publish', { TopicArn, Message: text(256 * kb) }), [2, 4]);
    const PublishBatchRequestEntries = Array.from({ length: 10 }, () => ({ Message: text(20 * kb), Subject: 'x' }));
    assert.deepEqual(million('sns', 'PublishBatch', { TopicArn, PublishBatchRequestEntries }), [2, 4]);
  });

  it('of a FIFO topic is 0.30 $ for a million publishes, and 0.017 $ for a GB', () => {
    // 0.30 $ for a million publishes, and 0.017 $ for the 1 GB that a million of 1,000 bytes are.
    assert.deepEqual(million('sns', 'Publish', { TopicArn: `${TopicArn}.fifo`, Message: text(1000) }), [0.317, 1]);
  });

  it('of a text message is 0.10 $', () => {
    assert.deepEqual(million('sns', 'Publish', { PhoneNumber: '+15550100', Message: text(100) }), [100_000, 1]);
  });

  it('is nothing for what AWS does not bill', () => {
    for (const [service, operation] of [
      ['sts', 'AssumeRole'],
      ['sts', 'GetCallerIdentity'],
      ['lambda', 'ListFunctions'],
      ['lambda', 'SendDurableExecutionCallbackSuccess'],
      ['rekognition', 'ListFaces'],
      ['rekognition', 'DeleteFaces'],
      ['rekognition', 'CreateCollection'],
      ['sns', 'ListTopics']
    ] as const) {
      assert.deepEqual(billOf(service, operation, {}), { units: 0, cost: 0 }, operation);
    }
  });
});
