/** Which requests may be sent again although nobody knows whether the first one was carried out. */
import type { Command } from './sdks';

interface Targets {
  QueueUrl?: string;
  TopicArn?: string;
}

/** SNS and SQS know a repetition by its deduplication id, which only FIFO queues and topics have. */
const isDeduplicated = ({ QueueUrl, TopicArn = QueueUrl }: Targets): boolean => TopicArn?.endsWith('.fifo') === true;

const doneTwice = new Set(['PublishCommand', 'PublishBatchCommand', 'SendMessageCommand', 'SendMessageBatchCommand']);

/**
 * Whether a request does nothing twice when it is sent twice. A picture that is analysed again costs once more, but the
 * answer is the same; `IndexFaces` stores nothing new for the same picture, collection and name; deleting a message and
 * changing its visibility come to the same as once.
 */
export function isRepeatable({ constructor: { name }, input }: Command<unknown>): boolean {
  return name !== 'InvokeCommand' && (!doneTwice.has(name) || isDeduplicated(input));
}

/** How long a service may take until an answer begins, ms. */
const longestThought = 5000;
/** Bytes that leave in a ms on a slow line, at 128 kbit/s. */
const slowest = 16;

/** How long a connection may be silent, ms, until it is taken for dead and a request is sent again by another one. */
export const longestWait = (bytes = 0): number => longestThought + bytes / slowest;
