import type { Metadata } from '../account/sdks';
import { invalid, missing } from '../fields/errors';
import { flag, optional, text } from '../fields/fields';
import { present } from '../fields/json';
import type { Attributes } from './attributes';
import { attributes, checkCharacters, sizeOfAttributes } from './attributes';
import { isFifo } from './queue';

/** A valid group ID or deduplication ID. */
const idPattern = /^[\x21-\x7e]{1,128}$/;
const id = {
  pattern: idPattern,
  is: '1 to 128 letters, digits and punctuation marks, without blanks',
  numbers: true,
  advanced: true
} as const;

function checkGroup(groupId: string | undefined, target: string): void {
  if (!isFifo(target) || groupId !== undefined) return;
  throw missing('groupId', 'is required for a FIFO queue or topic, whose name ends in .fifo, but is empty.');
}

function checkDeduplication(deduplicationId: string | undefined, target: string): void {
  if (isFifo(target) || deduplicationId === undefined) return;
  throw invalid('deduplicationId', 'must be empty, except for a FIFO queue or topic, whose name ends in .fifo.');
}

/** The fields that SNS and SQS messages have in common. */
export const messageFields = {
  attributes: attributes({ takes: 'object', example: '{ "site": topic, "level": payload.level }', icon: 'tags' }),
  groupId: { ...optional(text({ ...id, example: 'topic', icon: 'object-group' })), besideTarget: checkGroup },
  deduplicationId: {
    ...optional(text({ ...id, example: 'payload.id', icon: 'clone' })),
    besideTarget: checkDeduplication
  },
  batch: flag(true, { advanced: true })
};

interface MessageInputs {
  attributes: Attributes | undefined;
  groupId: string | undefined;
  deduplicationId: string | undefined;
}

/**
 * The members that requests of SNS and SQS have in common. Throws `MissingValue` or `InvalidValue` if the queue or topic does
 * not accept them.
 */
export function entryOf({ attributes, groupId, deduplicationId }: MessageInputs, target: string) {
  checkGroup(groupId, target);
  checkDeduplication(deduplicationId, target);
  return {
    ...(attributes && { MessageAttributes: attributes }),
    ...(groupId !== undefined && { MessageGroupId: groupId }),
    ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId })
  };
}

/** Throws `InvalidValue` for text that neither SNS nor SQS takes as a message. */
export function checkText(text: string, name: string): void {
  if (text === '') throw invalid(name, 'must not be empty text.');
  checkCharacters(text, name);
}

/** The size of a message as its limit counts it, bytes. Throws `InvalidValue` for one that is too long. */
export function bytesOf(text: string, attributes: Attributes | undefined, name: string, limit: number): number {
  const bytes = Buffer.byteLength(text) + sizeOfAttributes(attributes);
  if (bytes > limit) {
    throw invalid(
      name,
      `and its attributes have ${bytes} bytes, but may have at most ${limit}: put larger data into S3 and send its key.`
    );
  }
  return bytes;
}

/** What SNS and SQS answer for a message that they have accepted. */
export interface Receipt {
  MessageId?: string | undefined;
  SequenceNumber?: string | undefined;
  /** Of a request of its own. */
  $metadata?: Metadata;
}

/** The result of a message that was accepted. */
export function resultOfReceipt(receipt: Receipt) {
  const { MessageId, SequenceNumber } = receipt;
  return {
    parsed: () => present({ MessageId, SequenceNumber }),
    raw: () => {
      const { $metadata: _, ...members } = receipt;
      return members;
    }
  };
}
