import type { Message } from '@aws-sdk/client-sqs';
import type { NodeMessage } from 'node-red';
import type { Metadata } from '../account/sdks';
import { parseJson, present } from '../fields/json';
import { fromAttributes } from './attributes';

/** What becomes of a body: what its JSON says, where it is some, or the text as it is, or its bytes. */
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

/** A number that is sent as text; `undefined` for anything else. */
const numberOf = (text: unknown): number | undefined =>
  typeof text === 'string' && Number.isFinite(Number(text)) ? Number(text) : undefined;

/** What a flow gets of a message that a queue has handed out. */
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
