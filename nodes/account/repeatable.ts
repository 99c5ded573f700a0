/** Which requests may be sent again if it is not known whether the first one was carried out. */
import type { Command } from './sdks';

interface Targets {
  QueueUrl?: string;
  TopicArn?: string;
}

/** SNS and SQS recognise repetitions by the deduplication ID, which only FIFO queues and topics have. */
const isDeduplicated = ({ QueueUrl, TopicArn = QueueUrl }: Targets): boolean => TopicArn?.endsWith('.fifo') === true;

const doneTwice = new Set(['PublishCommand', 'PublishBatchCommand', 'SendMessageCommand', 'SendMessageBatchCommand']);

/**
 * Whether a request has the same effect when it is sent twice. A picture that is analysed twice costs twice, but the answer
 * is the same; `IndexFaces` stores nothing new for the same picture, collection and name; a message can be deleted, and its
 * visibility changed, any number of times; a callback takes one answer only.
 */
export function isRepeatable({ constructor: { name }, input }: Command<unknown>): boolean {
  return name !== 'InvokeCommand' && (!doneTwice.has(name) || isDeduplicated(input));
}

/** How long a service may take until its answer begins, ms. */
const longestThought = 5000;
/** Bytes that are sent in 1 ms over a slow connection, at 128 kbit/s. */
const slowest = 16;

/** The time of silence after which a connection is taken for dead and the request is sent over another one, ms. */
export const longestWait = (bytes = 0): number => longestThought + bytes / slowest;
