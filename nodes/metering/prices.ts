/**
 * What requests cost by AWS's list prices: us-east-1, first tier, without the free tier. Looked up on 2026-11-30 at
 * https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/rekognition/pricing/, https://aws.amazon.com/sns/pricing/ and
 * https://aws.amazon.com/sqs/pricing/. What a request does not show is not in it: the run time of functions, deliveries of
 * topics, stored faces, data transfer.
 */

import { types } from 'node:util';
import { isObject } from '../fields/json';

/** A billionth of a US dollar. Prices and budgets are whole numbers of it, so that sums are exact. */
export type Nanodollars = number;

/** What a request is billed for. */
export interface Bill {
  /** Pictures, invocations, or parts of 64 KB. */
  readonly units: number;
  readonly cost: Nanodollars;
}

/** The part of a command's input that decides its price. */
interface Input extends Message {
  QueueUrl?: unknown;
  TopicArn?: unknown;
  PhoneNumber?: unknown;
  Entries?: unknown;
  PublishBatchRequestEntries?: unknown;
  InvocationType?: unknown;
  Payload?: unknown;
  Features?: unknown;
}

/** What counts of a message: of SNS, of SQS, or of one that was received. */
interface Message {
  Message?: unknown;
  Subject?: unknown;
  MessageBody?: unknown;
  Body?: unknown;
  MessageAttributes?: unknown;
  MessageGroupId?: unknown;
  Attributes?: { MessageGroupId?: unknown } | undefined;
}

interface Output {
  Messages?: unknown;
}

/** What costs nothing. */
export const free: Bill = { units: 0, cost: 0 };

/** SQS, SNS and asynchronous events are billed in parts of so many bytes. */
const part = 64 * 1024;
/** An asynchronous event of up to so many bytes is one invocation. */
const firstEvent = 256 * 1024;

/** For each unit. */
const price = {
  invocation: 200,
  picture: 1_000_000,
  imageProperties: 750_000,
  publish: 500,
  fifoPublish: 300,
  /** For each byte of a FIFO topic, beside the publish: 0.017 $ for 1 GB. */
  fifoByte: 0.017,
  /** The price depends on the country; this is more than that of most. */
  textMessage: 100_000_000,
  queue: 400,
  fifoQueue: 500,
  /** Beside the price of the queue, for a message with a group in a queue that is not FIFO. */
  fairQueue: 100
} as const satisfies Record<string, Nanodollars>;

/** The operations that take a picture. Those that list, forget or make something cost nothing. */
const withPicture = new Set([
  'CompareFaces',
  'DetectFaces',
  'DetectLabels',
  'DetectModerationLabels',
  'DetectProtectiveEquipment',
  'DetectText',
  'IndexFaces',
  'RecognizeCelebrities',
  'SearchFacesByImage'
]);

const lengthOf = (value: unknown): number => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return types.isUint8Array(value) ? value.byteLength : 0;
};

/** Bytes of message attributes: names, types and values. */
function attributeBytes(attributes: unknown): number {
  if (!isObject(attributes)) return 0;
  let bytes = 0;
  for (const name in attributes) {
    const attribute = attributes[name];
    bytes += Buffer.byteLength(name);
    if (isObject(attribute)) {
      bytes += lengthOf(attribute.DataType) + lengthOf(attribute.StringValue) + lengthOf(attribute.BinaryValue);
    }
  }
  return bytes;
}

const messageBytes = ({ Message, Subject, MessageBody, Body, MessageAttributes }: Message): number =>
  lengthOf(Message) +
  lengthOf(Subject) +
  lengthOf(MessageBody) +
  lengthOf(Body) +
  (MessageAttributes === undefined ? 0 : attributeBytes(MessageAttributes));

const messagesIn = (list: unknown): Message[] => (Array.isArray(list) ? list.filter(isObject) : []);

/** What a request carries, with the units of that: at least one. */
function carried(messages: readonly Message[]): { bytes: number; units: number } {
  let bytes = 0;
  for (const message of messages) bytes += messageBytes(message);
  return { bytes, units: Math.max(1, Math.ceil(bytes / part)) };
}

const isFifo = (name: unknown): boolean => typeof name === 'string' && name.endsWith('.fifo');

const isGrouped = ({ MessageGroupId, Attributes }: Message): boolean =>
  MessageGroupId !== undefined || Attributes?.MessageGroupId !== undefined;

function ofLambda(operation: string, { InvocationType, Payload }: Input): Bill {
  if (operation !== 'Invoke') return free;
  const beyond = InvocationType === 'Event' ? Math.max(0, lengthOf(Payload) - firstEvent) : 0;
  const units = 1 + Math.ceil(beyond / part);
  return { units, cost: units * price.invocation };
}

function ofRekognition(operation: string, { Features }: Input): Bill {
  if (!withPicture.has(operation)) return free;
  const more = Array.isArray(Features) && Features.includes('IMAGE_PROPERTIES') ? price.imageProperties : 0;
  return { units: 1, cost: price.picture + more };
}

function ofSns(operation: string, input: Input): Bill {
  if (operation !== 'Publish' && operation !== 'PublishBatch') return free;
  if (input.PhoneNumber !== undefined) return { units: 1, cost: price.textMessage };
  const { bytes, units } = carried(operation === 'Publish' ? [input] : messagesIn(input.PublishBatchRequestEntries));
  if (!isFifo(input.TopicArn)) return { units, cost: units * price.publish };
  return { units, cost: units * price.fifoPublish + Math.ceil(bytes * price.fifoByte) };
}

function ofSqs(_: string, input: Input, output: Output): Bill {
  const given = input.Entries === undefined ? [input] : messagesIn(input.Entries);
  const got = messagesIn(output.Messages);
  const messages = got.length > 0 ? got : given;
  const { units } = carried(messages);
  if (isFifo(input.QueueUrl)) return { units, cost: units * price.fifoQueue };
  return { units, cost: units * (price.queue + (messages.some(isGrouped) ? price.fairQueue : 0)) };
}

const services: Readonly<Record<string, (operation: string, input: Input, output: Output) => Bill>> = {
  lambda: ofLambda,
  rekognition: ofRekognition,
  sns: ofSns,
  sqs: ofSqs
};

/** What a request of these services costs, by its input, and by its answer where there is one. */
export const billOf = (service: string, operation: string, input: object, output: object = {}): Bill =>
  services[service]?.(operation, input, output) ?? free;
