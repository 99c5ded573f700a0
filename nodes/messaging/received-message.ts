import type { Message } from '@aws-sdk/client-sqs';
import type { NodeMessage } from 'node-red';
import type { Metadata } from '../account/sdks';
import { parseJson, present } from '../fields/json';
import { fromAttributes } from './attributes';
import type { Envelope } from './sns-envelope';
import { envelopeIn } from './sns-envelope';

/** What `msg.payload` becomes. */
export interface Format {
  /** The parsed JSON of the body if it is JSON (`auto`), always its text, or its bytes. */
  bodyFormat: 'auto' | 'string' | 'buffer';
  /** Whether that is the message in the body's SNS envelope, where it is one. */
  unwrap: boolean;
}

/** What `msg.aws` says about a message beside what is in it. */
interface Origin {
  region: string;
  /** Of the request that brought it. */
  metadata: Metadata;
  /** Identifies it for `aws-sqs-settle`. */
  handle: string;
}

/** The number in a text; `undefined` for anything else. */
const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;

/** What `msg.payload` becomes for a text. */
function payloadOf(text: string, bodyFormat: Format['bodyFormat']): unknown {
  if (bodyFormat === 'buffer') return Buffer.from(text);
  const parsed = bodyFormat === 'auto' ? parseJson(text) : undefined;
  return parsed ? parsed.value : text;
}

/** What `msg.aws.sns` becomes. */
const snsOf = ({ topicArn, messageId, subject, publishedAt, attributes }: Envelope) =>
  present({ topicArn, messageId, subject, publishedAt, attributes });

/** The Node-RED message for a message of SQS. Throws `InvalidValue` for attributes that cannot be read. */
export function messageOf(message: Message, format: Format, { region, metadata, handle }: Origin): NodeMessage {
  const { Body = '', Attributes = {}, MessageAttributes = {}, MessageId } = message;
  const envelope = format.unwrap ? envelopeIn(Body) : undefined;
  const aws = present({
    service: 'sqs',
    operation: 'ReceiveMessage',
    region,
    statusCode: metadata.httpStatusCode,
    requestId: metadata.requestId,
    attempts: metadata.attempts,
    messageId: MessageId,
    receiveCount: numberOf(Attributes.ApproximateReceiveCount),
    sentAt: numberOf(Attributes.SentTimestamp),
    firstReceivedAt: numberOf(Attributes.ApproximateFirstReceiveTimestamp),
    groupId: Attributes.MessageGroupId,
    sequenceNumber: Attributes.SequenceNumber,
    deduplicationId: Attributes.MessageDeduplicationId,
    senderId: Attributes.SenderId,
    deadLetterSource: Attributes.DeadLetterQueueSourceArn,
    traceHeader: Attributes.AWSTraceHeader,
    attributes: fromAttributes(MessageAttributes),
    sns: envelope && snsOf(envelope),
    handle
  });
  const payload = payloadOf(envelope?.message ?? Body, format.bodyFormat);
  return present({ topic: envelope?.subject, payload, aws }) as NodeMessage;
}
