import { isObject, parseJson } from '../fields/json';
import type { Attribute } from './attributes';
import { fromAttributes } from './attributes';

/** What SNS has written around a message for a queue. */
export interface Envelope {
  /** The message that was published. */
  readonly message: string;
  readonly topicArn: string;
  readonly messageId: string;
  readonly subject: string | undefined;
  /** Ms since 1970. */
  readonly publishedAt: number | undefined;
  /** As the values that publishing takes. */
  readonly attributes: Record<string, unknown>;
}

const topicArn = /^arn:[^:]+:sns:[^:]*:[^:]*:[^:]+$/;

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** A message attribute; `undefined` for what SNS does not write for one. */
function attributeOf(given: unknown): Attribute | undefined {
  if (!isObject(given)) return undefined;
  const { Type, Value } = given;
  if (typeof Type !== 'string' || typeof Value !== 'string') return undefined;
  if (!Type.startsWith('Binary')) return { DataType: Type, StringValue: Value };
  const BinaryValue = Buffer.from(Value, 'base64');
  return BinaryValue.toString('base64') === Value ? { DataType: Type, BinaryValue } : undefined;
}

/** All attributes of an envelope; `undefined` where they are not as SNS writes them. */
function attributesOf(given: unknown): Record<string, unknown> | undefined {
  if (isAbsent(given)) return {};
  if (!isObject(given)) return undefined;
  const all = Object.keys(given).map((name) => [name, attributeOf(given[name])] as const);
  const known = all.filter((pair): pair is [string, Attribute] => pair[1] !== undefined);
  return known.length === all.length ? fromAttributes(Object.fromEntries(known)) : undefined;
}

/**
 * The envelope that a body is, as SNS writes it where a subscription has no raw message delivery; `undefined` for any other
 * body, one that only resembles it included.
 */
export function envelopeIn(body: string): Envelope | undefined {
  // Most bodies are none, and need not be read for that.
  if (!body.includes('"Notification"')) return undefined;
  const value = parseJson(body)?.value;
  if (!isObject(value) || value.Type !== 'Notification') return undefined;
  const { TopicArn, MessageId, Message, Subject, Timestamp } = value;
  const attributes = attributesOf(value.MessageAttributes);
  const isWhole = typeof TopicArn === 'string' && topicArn.test(TopicArn) && typeof MessageId === 'string';
  if (!isWhole || typeof Message !== 'string' || attributes === undefined) return undefined;
  if (!isAbsent(Subject) && typeof Subject !== 'string') return undefined;
  const time = typeof Timestamp === 'string' ? Date.parse(Timestamp) : Number.NaN;
  return {
    message: Message,
    topicArn: TopicArn,
    messageId: MessageId,
    subject: typeof Subject === 'string' ? Subject : undefined,
    publishedAt: Number.isNaN(time) ? undefined : time,
    attributes
  };
}
