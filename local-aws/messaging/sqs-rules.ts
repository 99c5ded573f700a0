import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AwsError, errorAnswer } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { queryErrorOf } from '../server/schema';
import { wrongAttributeName } from './attribute-names';
import { scopeOf } from './queue-rules';
import { receiptsOf } from './receipts';

/** A message's attribute, as in a request. */
export interface WireAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}
type Attributes = Record<string, WireAttribute>;

/** A message in fauxqs, with further members that are kept here. */
export interface Message {
  readonly messageId: string;
  body: string;
  md5OfBody: string;
  readonly messageAttributes: Attributes;
  readonly md5OfMessageAttributes: string;
  readonly sentTimestamp: number;
  approximateReceiveCount: number;
  readonly approximateFirstReceiveTimestamp?: number;
  messageGroupId?: string;
  messageDeduplicationId?: string;
  sequenceNumber?: string;
  senderId?: string;
  traceHeader?: string;
  deadLetterSource?: string;
}

interface Received {
  MessageId: string;
  ReceiptHandle: string;
  MessageAttributes?: Attributes;
  MD5OfMessageAttributes?: string;
  Attributes?: Record<string, string>;
}

interface Duplicate {
  readonly isDuplicate: boolean;
  readonly originalMessageId?: string;
  readonly originalSequenceNumber?: string;
}

/** The part of a queue of fauxqs that is used here. */
export interface Queue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly attributes: Record<string, string>;
  /** By receipt handle, with the time at which the message comes back, in milliseconds since the epoch. */
  readonly inflightMessages: Map<string, { readonly message: Message; visibilityDeadline: number }>;
  readonly messages: Message[];
  readonly fifoMessages: Map<string, Message[]>;
  readonly fifoLockedGroups: Map<string, number>;
  readonly pollWaiters: { resolve(): void; timer: NodeJS.Timeout }[];
  isFifo(): boolean;
  enqueue(message: Message): void;
  dequeue(
    most: number,
    visibilityTimeout: number | undefined,
    find: (arn: string) => Pick<Queue, 'enqueue'> | undefined
  ): Received[];
  deleteMessage(receiptHandle: string): boolean;
  changeVisibility(receiptHandle: string, seconds: number): void;
  waitForMessages(seconds: number): Promise<void>;
  readonly deduplicationCache: { clear(): void };
  checkDeduplication(id: string): Duplicate;
  recordDeduplication(id: string, messageId: string, sequenceNumber?: string): void;
  nextSequenceNumber(): string;
  processTimers(): void;
  setAttributes(attributes: Record<string, string>): void;
}

/** The part of an account's queues that is used here. */
export interface Queues {
  getQueueByArn(arn: string): Queue | undefined;
}

/** fauxqs's function that creates a message. */
export type CreateMessage = (
  body: string,
  attributes: Attributes,
  delaySeconds?: number,
  group?: string,
  deduplication?: string
) => Message;

/** A queue that a verified request is for. */
interface QueueCall {
  readonly operation: string;
  /** Must not be changed, since it is recorded as well. */
  readonly input: Record<string, unknown>;
  readonly queue: Queue;
  /** The queue's, with the account's own number. */
  readonly arn: string;
  readonly queues: Queues;
  readonly createMessage: CreateMessage;
  /** Who sends, as in the attribute SenderId. */
  readonly senderId: string;
  /** The trace that the request is part of, by its header. */
  readonly trace: string | undefined;
  /** Aborted when the caller has closed the connection or has got its answer. */
  readonly gone: AbortSignal;
}

/** An error of SQS. */
export class SqsError extends Error {
  constructor(
    readonly code: string,
    message: string
  ) {
    super(message);
    this.name = 'SqsError';
  }
}

/** Names in JSON, by the name in the older protocol, of errors that are not in the service's model. */
const unmodelled: Record<string, string> = {
  InvalidParameterValue: 'InvalidParameterValueException',
  MissingParameter: 'MissingRequiredParameterException',
  AccessDenied: 'AccessDeniedException'
};

/** The answer for an error. In the older protocol it has the name and status that the service's model has for it. */
export function sqsErrorAnswer(call: ServiceCall, { code, message }: SqsError): Answer {
  const unknown = unmodelled[code];
  const [queryCode, status] = queryErrorOf('sqs', code) ?? [code, code === 'AccessDenied' ? 403 : 400];
  return errorAnswer(call, new AwsError(status, unknown ?? code, message, { queryCode }));
}

/** The error for a queue that does not exist. */
export const noQueue = () => new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');

type Work = (call: QueueCall, entry: Record<string, unknown>) => Record<string, unknown>;

const single: Record<string, Work> = {
  SendMessage: send,
  DeleteMessage: remove,
  ChangeMessageVisibility: changeVisibility
};

/** Whether `answerSqs` answers this operation; fauxqs answers the others. */
export function isMessageOperation(operation: string): boolean {
  return operation === 'ReceiveMessage' || Object.hasOwn(single, operation.replace(/Batch$/, ''));
}

/**
 * Answers the operations that deal with messages, on the queues of fauxqs, with the rules that fauxqs lacks.
 *
 * @throws SqsError
 */
export function answerSqs(call: QueueCall): Record<string, unknown> | Promise<Record<string, unknown>> {
  if (call.operation === 'ReceiveMessage') return receive(call);
  const work = single[call.operation.replace(/Batch$/, '')] as Work;
  return call.operation.endsWith('Batch') ? batch(call, work) : work(call, call.input);
}

/** Answers a batch with an error for each wrong entry; fauxqs fails the whole batch, or crashes. */
function batch(call: QueueCall, work: Work): Record<string, unknown> {
  const entries = (call.input.Entries ?? []) as Record<string, unknown>[];
  checkEntries(call.operation, entries);
  if (work === send) {
    const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (bytes > mostBytes) {
      const text = `Batch requests cannot be longer than ${mostBytes} bytes. You have sent ${bytes} bytes.`;
      throw new SqsError('BatchRequestTooLong', text);
    }
    if (call.queue.isFifo()) checkOrder(call.queue, entries);
  }
  const Successful: Record<string, unknown>[] = [];
  const Failed: Record<string, unknown>[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...work(call, entry) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.code, SenderFault: true, Message: error.message });
    }
  }
  return { ...(Successful.length > 0 ? { Successful } : {}), ...(Failed.length > 0 ? { Failed } : {}) };
}

/** The service fails the whole batch, with the same error, if an entry has no group ID or no deduplication ID. */
function checkOrder(queue: Queue, entries: readonly Record<string, unknown>[]): void {
  for (const { MessageGroupId, MessageDeduplicationId } of entries) {
    if (text(MessageGroupId) === undefined) throw invalid(missing('MessageGroupId').message);
    if (text(MessageDeduplicationId) === undefined && !usesContent(queue)) throw invalid(noDeduplication);
  }
}

function checkEntries(operation: string, entries: readonly Record<string, unknown>[]): void {
  if (entries.length === 0) {
    const text = `There should be at least one ${operation}RequestEntry in the request.`;
    throw new SqsError('EmptyBatchRequest', text);
  }
  if (entries.length > 10) {
    const text = `Maximum number of entries per request are 10. You have sent ${entries.length}.`;
    throw new SqsError('TooManyEntriesInBatchRequest', text);
  }
  const ids = new Set<unknown>();
  for (const { Id } of entries) {
    // fauxqs does not limit the length.
    if (typeof Id !== 'string' || !/^[\w-]{1,80}$/.test(Id)) {
      const text =
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
      throw new SqsError('InvalidBatchEntryId', text);
    }
    if (ids.has(Id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`);
    ids.add(Id);
  }
}

const mostBytes = 1_048_576;
const mostAttributes = 10;

function sizeOf(entry: Record<string, unknown>): number {
  let bytes = Buffer.byteLength(text(entry.MessageBody) ?? '');
  for (const [name, attribute] of Object.entries((entry.MessageAttributes ?? {}) as Attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType ?? '');
    bytes += Buffer.byteLength(attribute.StringValue ?? '');
    // fauxqs counts the characters of the Base64.
    bytes += Buffer.byteLength(attribute.BinaryValue ?? '', 'base64');
  }
  return bytes;
}

/** Not done by fauxqs, which refuses emoji and drops the group ID in standard queues. */
function send(call: QueueCall, entry: Record<string, unknown>): Record<string, unknown> {
  const { queue } = call;
  const body = text(entry.MessageBody);
  if (!body) throw missing('MessageBody');
  checkContents(body);
  const attributes = (entry.MessageAttributes ?? {}) as Attributes;
  checkAttributes(attributes);
  const most = Number(queue.attributes.MaximumMessageSize);
  if (sizeOf(entry) > most) {
    const many = call.operation.endsWith('Batch') && most < mostBytes;
    const first = many ? 'One or more parameters cannot be validated.' : 'One or more parameters are invalid.';
    throw invalid(`${first} Reason: Message must be shorter than ${most} bytes.`);
  }
  const { delay, group, deduplication } = readOptions(queue, entry, body);
  const key = deduplication === undefined ? undefined : deduplicationKey(queue, group, deduplication);
  const original = key === undefined ? undefined : queue.checkDeduplication(key);
  const message = call.createMessage(body, attributes, delay > 0 ? delay : undefined, group, deduplication);
  message.senderId = call.senderId;
  const system = (entry.MessageSystemAttributes ?? {}) as Attributes;
  const trace = system.AWSTraceHeader?.StringValue || call.trace;
  if (trace) message.traceHeader = trace;
  if (!original?.isDuplicate) {
    if (key !== undefined) {
      message.sequenceNumber = queue.nextSequenceNumber();
      queue.recordDeduplication(key, message.messageId, message.sequenceNumber);
    }
    queue.enqueue(message);
  }
  return {
    MessageId: original?.originalMessageId ?? message.messageId,
    MD5OfMessageBody: message.md5OfBody,
    ...(message.md5OfMessageAttributes ? { MD5OfMessageAttributes: message.md5OfMessageAttributes } : {}),
    ...(system.AWSTraceHeader ? { MD5OfMessageSystemAttributes: md5OfAttributes(call, system) } : {}),
    ...(key === undefined ? {} : { SequenceNumber: original?.originalSequenceNumber ?? message.sequenceNumber })
  };
}

/** The key for deduplication in a FIFO queue: fauxqs has one scope only. Group IDs contain no spaces. */
export function deduplicationKey(queue: Queue, group: string | undefined, id: string): string {
  return scopeOf(queue) === 'messageGroup' ? `${group} ${id}` : id;
}

function md5OfAttributes(call: QueueCall, attributes: Attributes): string {
  return call.createMessage('', attributes).md5OfMessageAttributes;
}

// Lone surrogates are not characters.
const wrongCharacters =
  'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.';
const forbidden = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** fauxqs refuses all characters beyond U+FFFF, and does not check attributes. */
function checkContents(value: string): void {
  if (forbidden.test(value)) throw new SqsError('InvalidMessageContents', wrongCharacters);
}

/** fauxqs takes any attributes. */
function checkAttributes(attributes: Attributes): void {
  const all = Object.entries(attributes);
  if (all.length > mostAttributes) {
    throw invalid(`Number of message attributes [${all.length}] exceeds the allowed maximum [${mostAttributes}].`);
  }
  for (const [name, { DataType = '', StringValue, BinaryValue }] of all) {
    const wrong = wrongAttributeName(name);
    if (wrong) throw invalid(wrong);
    if (DataType.length > 256) throw invalid('Message (user) attribute types must be shorter than 256 Bytes');
    const [, type] = /^(String|Number|Binary)(?:\..*)?$/s.exec(DataType) ?? [];
    if (!type) {
      throw invalid(
        `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`
      );
    }
    const value = type === 'Binary' ? BinaryValue : StringValue;
    if (!value) throw invalid(`Message (user) attribute '${name}' must contain a non-empty value of type '${type}'.`);
    if (type === 'Number' && Number.isNaN(Number(value))) {
      throw invalid(`Can't cast the value of message (user) attribute '${name}' to a number.`);
    }
    if (type !== 'Binary' && forbidden.test(value)) throw invalid(wrongCharacters);
  }
}

const noDeduplication =
  'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly';
const usesContent = ({ attributes }: Queue): boolean => attributes.ContentBasedDeduplication === 'true';

interface Options {
  readonly delay: number;
  readonly group?: string;
  readonly deduplication?: string;
}

/** fauxqs ignores parameters of FIFO queues in requests to standard queues, and does not check the form of IDs. */
function readOptions(queue: Queue, entry: Record<string, unknown>, body: string): Options {
  const group = identifier('MessageGroupId', entry);
  let deduplication = identifier('MessageDeduplicationId', entry);
  const delay = entry.DelaySeconds ?? undefined;
  const wrongType = 'The request include parameter that is not valid for this queue type.';
  if (delay !== undefined && !isBetween(delay, 0, 900)) {
    throw invalidValue(delay, 'DelaySeconds', 'DelaySeconds must be >= 0 and <= 900.');
  }
  const queueDelay = Number(queue.attributes.DelaySeconds ?? 0);
  if (!queue.isFifo()) {
    if (deduplication !== undefined) throw invalidValue(deduplication, 'MessageDeduplicationId', wrongType);
    return { delay: delay === undefined ? queueDelay : Number(delay), ...(group === undefined ? {} : { group }) };
  }
  if (group === undefined) throw missing('MessageGroupId');
  if (delay) throw invalidValue(delay, 'DelaySeconds', wrongType);
  if (deduplication === undefined) {
    if (!usesContent(queue)) throw invalid(noDeduplication);
    deduplication = createHash('sha256').update(body).digest('hex');
  }
  return { delay: queueDelay, group, deduplication };
}

function identifier(name: string, entry: Record<string, unknown>): string | undefined {
  const value = text(entry[name]);
  if (value === undefined || /^[\x21-\x7e]{1,128}$/.test(value)) return value;
  throw invalidValue(
    value,
    name,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`
  );
}

const handlePattern = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** fauxqs takes any text for a receipt handle. */
function handleOf(entry: Record<string, unknown>): string {
  const handle = text(entry.ReceiptHandle);
  if (!handle) throw missing('ReceiptHandle');
  if (handlePattern.test(handle)) return handle;
  throw new SqsError('ReceiptHandleIsInvalid', `The input receipt handle "${handle}" is not a valid receipt handle.`);
}

/** The older handles of a message that was received again: a standard queue accepts them, but deletes nothing. */
function remove({ queue }: QueueCall, entry: Record<string, unknown>): Record<string, unknown> {
  const handle = handleOf(entry);
  queue.processTimers();
  const receipts = receiptsOf(queue);
  const message = receipts.messageOf(handle);
  if (!message) return {};
  if (queue.inflightMessages.has(handle)) queue.deleteMessage(handle);
  else if (queue.isFifo()) throw invalidValue(handle, 'ReceiptHandle', 'The receipt handle has expired.');
  else if (receipts.newest(message) === handle) removeVisible(queue, message);
  else return {};
  receipts.forget(message);
  return {};
}

function removeVisible(queue: Queue, message: Message): void {
  const index = queue.messages.indexOf(message);
  if (index >= 0) queue.messages.splice(index, 1);
}

/** A standard queue also accepts older handles; for a message that is visible again, a change has no effect. */
function changeVisibility({ queue }: QueueCall, entry: Record<string, unknown>): Record<string, unknown> {
  const handle = handleOf(entry);
  const seconds = entry.VisibilityTimeout;
  if (seconds === undefined) throw missing('VisibilityTimeout');
  checkVisibility(seconds);
  queue.processTimers();
  const receipts = receiptsOf(queue);
  const message = receipts.messageOf(handle);
  if (!message || (queue.isFifo() && !queue.inflightMessages.has(handle))) {
    const reason = 'Message does not exist or is not available for visibility timeout change.';
    throw invalidValue(handle, 'ReceiptHandle', reason);
  }
  const newest = receipts.newest(message);
  if (newest !== undefined && queue.inflightMessages.has(newest)) queue.changeVisibility(newest, Number(seconds));
  return {};
}

function checkVisibility(seconds: unknown): void {
  if (isBetween(seconds, 0, 43_200)) return;
  throw invalidValue(seconds, 'VisibilityTimeout', 'VisibilityTimeout must be >= 0 and <= 43200.');
}

/**
 * Long polling. That of fauxqs ends without messages if another poll was quicker, and returns messages to callers that have
 * closed the connection.
 */
async function receive(call: QueueCall): Promise<Record<string, unknown>> {
  const { queue, input, gone } = call;
  const most = input.MaxNumberOfMessages ?? 1;
  if (!isBetween(most, 1, 10)) {
    throw invalidValue(most, 'MaxNumberOfMessages', 'Must be between 1 and 10, if provided.');
  }
  const visibility = input.VisibilityTimeout ?? undefined;
  if (visibility !== undefined) checkVisibility(visibility);
  const wait = input.WaitTimeSeconds ?? Number(queue.attributes.ReceiveMessageWaitTimeSeconds ?? 0);
  if (!isBetween(wait, 0, 20)) throw invalidValue(wait, 'WaitTimeSeconds', 'Must be >= 0 and <= 20, if provided.');
  const systemNames = systemAttributeNames(input);
  const until = Date.now() + Number(wait) * 1000;
  while (!gone.aborted) {
    const messages = take(call, Number(most), visibility as number | undefined);
    if (messages.length > 0) {
      for (const message of messages) complete(call, message, systemNames);
      return { Messages: messages };
    }
    if (Date.now() >= until) break;
    const next = Math.min(until, nextReturn(queue));
    await someMessage(queue, Math.max(0, next - Date.now()) / 1000, gone);
    // The caller may close the connection just as the message arrives; that event may be read later than the message.
    await pause(5);
    if (call.queues.getQueueByArn(queue.arn) !== queue) throw noQueue();
  }
  return {};
}

/**
 * When the next message of a FIFO queue becomes visible again, ms since the epoch. fauxqs does not wake polls for a message
 * whose group has others in flight.
 */
function nextReturn(queue: Queue): number {
  let next = Infinity;
  if (queue.isFifo())
    for (const each of queue.inflightMessages.values()) next = Math.min(next, each.visibilityDeadline);
  return next;
}

/** Resolves when there may be messages, when the time is up, or when the caller has closed the connection. */
async function someMessage(queue: Queue, seconds: number, gone: AbortSignal): Promise<void> {
  const waiting = queue.waitForMessages(seconds);
  const waiter = queue.pollWaiters.at(-1);
  const leave = () => {
    const index = waiter ? queue.pollWaiters.indexOf(waiter) : -1;
    if (!waiter || index < 0) return;
    queue.pollWaiters.splice(index, 1);
    clearTimeout(waiter.timer);
    waiter.resolve();
  };
  gone.addEventListener('abort', leave);
  await waiting;
  gone.removeEventListener('abort', leave);
}

function take({ queue, arn: source, queues }: QueueCall, most: number, visibility: number | undefined): Received[] {
  const receipts = receiptsOf(queue);
  // fauxqs does not have the source of a dead letter, and counts the receive that moved it.
  const deadLetters = (arn: string) => {
    const target = queues.getQueueByArn(arn);
    if (!target) return undefined;
    const enqueue = (message: Message) => {
      receipts.forget(message);
      message.deadLetterSource = source;
      message.approximateReceiveCount -= 1;
      target.enqueue(message);
    };
    return { enqueue };
  };
  const seconds = visibility ?? Number(queue.attributes.VisibilityTimeout);
  const dequeue = (count: number, hidden: number) => queue.dequeue(count, hidden, deadLetters);
  const taken = queue.isFifo() ? takeFifo(queue, most, seconds, dequeue) : dequeue(most, seconds);
  for (const { ReceiptHandle } of taken) {
    const message = queue.inflightMessages.get(ReceiptHandle)?.message;
    if (message) receipts.add(ReceiptHandle, message);
  }
  return taken;
}

/**
 * Does several things at the same instant: messages whose visibility timeout ends in between become visible with the next
 * request, which puts them into their order.
 */
function atOneTime(queue: Queue, work: () => void): void {
  const { processTimers } = queue;
  queue.processTimers = () => undefined;
  try {
    work();
  } finally {
    queue.processTimers = processTimers;
  }
}

/**
 * Receives messages of groups in order. fauxqs returns one message of a group at a time, and none while another one is in
 * flight; the service returns all that precede the first one in flight. fauxqs also reverses the order of messages that
 * become visible again.
 */
function takeFifo(
  queue: Queue,
  most: number,
  seconds: number,
  dequeue: (count: number, hidden: number) => Received[]
): Received[] {
  queue.processTimers();
  for (const messages of queue.fifoMessages.values()) restoreOrder(messages);
  const firstInFlight = new Map<string, string>();
  const groups = new Set<string>();
  for (const { message } of queue.inflightMessages.values()) {
    const { messageGroupId: group = '', sequenceNumber = '' } = message;
    if (sequenceNumber <= (firstInFlight.get(group) ?? sequenceNumber)) firstInFlight.set(group, sequenceNumber);
  }
  const taken: Received[] = [];
  atOneTime(queue, () => {
    while (taken.length < most) {
      queue.fifoLockedGroups.clear();
      for (const [group, first] of firstInFlight) {
        if ((queue.fifoMessages.get(group)?.[0]?.sequenceNumber ?? '') > first) queue.fifoLockedGroups.set(group, 1);
      }
      // With a visibility timeout of 0 the same messages would be taken again.
      const more = dequeue(1, Math.max(seconds, 60));
      if (more.length === 0) break;
      taken.push(...more);
      for (const { ReceiptHandle } of more) {
        groups.add(queue.inflightMessages.get(ReceiptHandle)?.message.messageGroupId ?? '');
      }
    }
  });
  putLast(queue, groups);
  for (const { ReceiptHandle } of taken) {
    const inFlight = queue.inflightMessages.get(ReceiptHandle);
    if (inFlight) inFlight.visibilityDeadline = Date.now() + seconds * 1000;
  }
  countInFlight(queue);
  return taken;
}

/** Moves a group to the end after it was served. fauxqs keeps no position for a group without visible messages. */
function putLast({ fifoMessages, inflightMessages }: Queue, groups: ReadonlySet<string>): void {
  const inFlight = new Set<string>();
  for (const { message } of inflightMessages.values()) inFlight.add(message.messageGroupId ?? '');
  for (const [group, messages] of fifoMessages) {
    if (messages.length === 0 && !inFlight.has(group)) fifoMessages.delete(group);
  }
  for (const group of groups) {
    const messages = fifoMessages.get(group) ?? [];
    fifoMessages.delete(group);
    fifoMessages.set(group, messages);
  }
}

/** Restores fauxqs's state of groups when a message is deleted or becomes visible again. */
function countInFlight({ inflightMessages, fifoLockedGroups }: Queue): void {
  fifoLockedGroups.clear();
  for (const { message } of inflightMessages.values()) {
    const group = message.messageGroupId ?? '';
    fifoLockedGroups.set(group, (fifoLockedGroups.get(group) ?? 0) + 1);
  }
}

function restoreOrder(messages: Message[]): void {
  const number = (index: number) => messages[index]?.sequenceNumber ?? '';
  // No more than ten of a group are in flight.
  for (let index = 1; index < Math.min(messages.length, 12); index += 1) {
    if (number(index - 1) <= number(index)) continue;
    messages.sort((one, other) => ((one.sequenceNumber ?? '') < (other.sequenceNumber ?? '') ? -1 : 1));
    return;
  }
}

type SystemAttribute = (message: Message) => string | number | undefined;

/** fauxqs knows no AWSTraceHeader, no DeadLetterQueueSourceArn, and no sender. */
const systemAttributes: Record<string, SystemAttribute> = {
  SenderId: ({ senderId }) => senderId ?? 'AIDALOCALSNS000000000',
  SentTimestamp: ({ sentTimestamp }) => sentTimestamp,
  ApproximateReceiveCount: ({ approximateReceiveCount }) => approximateReceiveCount,
  ApproximateFirstReceiveTimestamp: ({ approximateFirstReceiveTimestamp }) => approximateFirstReceiveTimestamp,
  SequenceNumber: ({ sequenceNumber }) => sequenceNumber,
  MessageDeduplicationId: ({ messageDeduplicationId }) => messageDeduplicationId,
  MessageGroupId: ({ messageGroupId }) => messageGroupId,
  AWSTraceHeader: ({ traceHeader }) => traceHeader,
  DeadLetterQueueSourceArn: ({ deadLetterSource }) => deadLetterSource
};

/** fauxqs takes any name. */
function systemAttributeNames(input: Record<string, unknown>): readonly string[] {
  const asked = [...list(input.AttributeNames), ...list(input.MessageSystemAttributeNames)];
  if (asked.length === 0) return asked;
  const wrong = asked.find((name) => name !== 'All' && !Object.hasOwn(systemAttributes, name));
  if (wrong !== undefined) throw new SqsError('InvalidAttributeName', `Unknown Attribute ${wrong}.`);
  return asked.includes('All') ? Object.keys(systemAttributes) : asked;
}

function complete(call: QueueCall, received: Received, names: readonly string[]): void {
  const message = call.queue.inflightMessages.get(received.ReceiptHandle)?.message;
  if (!message) return;
  if (names.length > 0) {
    const values = names.map((name) => [name, systemAttributes[name]?.(message)] as const);
    const known = values.filter(([, value]) => value !== undefined && value !== '');
    received.Attributes = Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
  }
  if (received.MessageAttributes) selectAttributes(call, received, received.MessageAttributes);
}

/** fauxqs returns all attributes if none were requested, and the checksum of all if some were. */
function selectAttributes(call: QueueCall, received: Received, all: Attributes): void {
  const asked = list(call.input.MessageAttributeNames);
  if (['All', '*', '.*'].some((each) => asked.includes(each))) return;
  const wanted = Object.entries(all).filter(([name]) =>
    asked.some((each) => (each.endsWith('.*') ? name.startsWith(each.slice(0, -2)) : each === name))
  );
  delete received.MessageAttributes;
  delete received.MD5OfMessageAttributes;
  if (wanted.length === 0) return;
  received.MessageAttributes = Object.fromEntries(wanted);
  received.MD5OfMessageAttributes = md5OfAttributes(call, received.MessageAttributes);
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? value : []);
const isBetween = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const invalid = (message: string) => new SqsError('InvalidParameterValue', message);
const invalidValue = (value: unknown, name: string, reason: string) =>
  invalid(`Value ${String(value)} for parameter ${name} is invalid. Reason: ${reason}`);
const missing = (name: string) => new SqsError('MissingParameter', `The request must contain the parameter ${name}.`);
