import type { NodeMessage } from 'node-red';
import { memberOf } from '../fields/errors';

/**
 * What an `aws-sqs-receive` puts into `msg.aws` of the message itself, beside what every node puts there of its request.
 * It stays until the message is settled, whatever is done before: which one it is, and how often it came, is in here.
 */
export const receivedNames = [
  'messageId',
  'receiveCount',
  'sentAt',
  'firstReceivedAt',
  'groupId',
  'sequenceNumber',
  'deduplicationId',
  'senderId',
  'deadLetterSource',
  'traceHeader',
  'attributes',
  'sns',
  'handle'
] as const;

/** What a message has of its receiver; nothing where there was none. */
export function receivedIn(msg: NodeMessage): Record<string, unknown> {
  const received: Record<string, unknown> = {};
  const aws = memberOf(msg, 'aws');
  if (typeof aws !== 'object' || aws === null) return received;
  for (const name of receivedNames) {
    const value = memberOf(aws, name);
    if (value !== undefined) received[name] = value;
  }
  return received;
}
