import type { NodeMessage } from 'node-red';
import { memberOf } from '../fields/thrown';

/**
 * The members of `msg.aws` by which an `aws-sqs-receive` describes the message itself. Unlike those about a request, all
 * other nodes keep them, so that the message can be settled and recognised at the end of a flow.
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

/** The members that a message has from an `aws-sqs-receive`; an empty object if there are none. */
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
