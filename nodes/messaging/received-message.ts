import type { Message } from '@aws-sdk/client-sqs';
import type { NodeMessage } from 'node-red';
import type { Metadata } from '../account/sdks';
import { parseJson, present } from '../fields/json';
import { fromAttributes } from './attributes';

/** What `msg.payload` becomes: the parsed JSON of the body if it is JSON (`auto`), always its text, or its bytes. */
export type BodyFormat = 'auto' | 'string' | 'buffer';

/** What there is to know of a message beside itself. */
interface Receipt {
  bodyFormat: BodyFormat;
  region: string;
  /** Of the request that brought it. */
  metadata: Metadata;
  /** What it is settled by. */
  handle: string;
}

/** The number in a text; `undefined` for anything else. */
const numberOf = (text: unknown): number | undefined =>
  typeof text === 'string' && Number.isFinite(Number(text)) ? Number(text) : undefined;

/** The Node-RED message for a message of SQS. Throws `InvalidValue` for attributes that cannot be read. */
export function messageOf(message: Message, { bodyFormat, region, metadata, handle }: Receipt): NodeMessage {
  const { Body = '', Attributes = {}, MessageAttributes = {}, MessageId } = message;
  const { ApproximateReceiveCount, SentTimestamp, MessageGroupId } = Attributes;
  const asText = bodyFormat === 'buffer' ? Buffer.from(Body) : Body;
  const parsed = bodyFormat === 'auto' ? parseJson(Body) : undefined;
  const aws = present({
    service: 'sqs',
    operation: 'ReceiveMessage',
    region,
    statusCode: metadata.httpStatusCode,
    requestId: metadata.requestId,
    attempts: metadata.attempts,
    messageId: MessageId,
    receiveCount: numberOf(ApproximateReceiveCount),
    sentAt: numberOf(SentTimestamp),
    groupId: MessageGroupId,
    attributes: fromAttributes(MessageAttributes),
    handle
  });
  return { payload: parsed ? parsed.value : asText, aws } as NodeMessage;
}
