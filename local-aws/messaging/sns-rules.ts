import { createHash, randomUUID } from 'node:crypto';
import { AwsError, escapeXml, validationError, violation, xmlNamespace } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { wrongAttributeName } from './attribute-names';
import { deduplicationKey, type Message, type Queue, type WireAttribute } from './sqs-rules';

/** A topic that the caller may publish to. */
export interface Topic {
  /** With the account's own number. */
  readonly arn: string;
  readonly attributes: Record<string, string>;
  /** Delivers a message to its subscriptions. */
  deliver(delivery: Delivery): void;
}

/** A message as fauxqs's own function delivers it to the subscriptions. */
export interface Delivery {
  readonly topicArn: string;
  readonly messageId: string;
  readonly message: string;
  readonly messageAttributes: Record<string, WireAttribute>;
  readonly subject: string | undefined;
  readonly messageGroupId: string | undefined;
  readonly messageDeduplicationId: string | undefined;
  /** For FIFO topics; fauxqs itself does not have it. */
  readonly sequenceNumber: string | undefined;
}

/** A message to a phone, or to an app through its endpoint. It is delivered to nobody. */
export interface Text {
  /** Phone number or ARN. */
  readonly to: string;
  readonly message: string;
  readonly subject?: string;
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What publishing needs to know of the server. */
interface Publishing {
  readonly call: ServiceCall;
  /**
   * The topic of this ARN, wherever it is.
   *
   * @throws AwsError if there is none, or the caller may not publish to it
   */
  findTopic(arn: string): Topic;
  keepText(text: Text): void;
}

const mostBytes = 262_144;
const mostTexts = 1000;
const mostRawAttributes = 10;

/** The existing endpoints of apps, and whether they are enabled. No others can be created. */
const endpoints: Record<string, boolean> = {
  'arn:aws:sns:us-east-1:111111111111:endpoint/GCM/app/5e3e9847-3183-3f18-a7e8-671c3a57d4b3': true,
  'arn:aws:sns:us-east-1:111111111111:endpoint/GCM/app/c0ffee00-3183-3f18-a7e8-671c3a57d4b3': false
};

/** The latest texts, oldest first. */
export class Texts {
  readonly #texts: Text[] = [];

  get all(): readonly Text[] {
    return this.#texts;
  }
  add(text: Text): void {
    this.#texts.push(text);
    if (this.#texts.length > mostTexts) this.#texts.shift();
  }
  clear(): void {
    this.#texts.length = 0;
  }
}

type Fields = Record<string, string | undefined>;

/** The fields of a message, in a batch with its ID. */
interface Publication {
  readonly Id?: string | undefined;
  readonly fields: Fields;
  readonly attributes: Record<string, WireAttribute>;
}

/** The ID of a published message, and its sequence number for a FIFO topic. */
interface Published {
  readonly messageId: string;
  readonly sequenceNumber?: string;
}

/** Answers Publish and PublishBatch, with the rules that fauxqs lacks. */
export class Publisher {
  readonly #numbers = new Map<string, number>();
  readonly #published = new Map<string, Published & { readonly time: number }>();

  /** @throws AwsError */
  publish(publishing: Publishing): Answer {
    const { call } = publishing;
    const fields = call.input as Fields;
    const message = { fields, attributes: readAttributes(fields, 'MessageAttributes.entry.') };
    const { messageId, sequenceNumber } = this.#publishOne(publishing, message);
    return answer(call, `${member('MessageId', messageId)}${member('SequenceNumber', sequenceNumber)}`);
  }

  /** @throws AwsError */
  publishBatch(publishing: Publishing): Answer {
    const { call } = publishing;
    const arn = (call.input as Fields).TopicArn;
    if (!arn) throw wrong('TopicArn Reason: no value for required parameter');
    const topic = publishing.findTopic(arn);
    const messages = readEntries(call.input as Fields);
    checkEntries(messages);
    // In the service, a mistake in one message fails all of them.
    const ready = messages.map((message, index) => {
      const text = checkMessage(message, `publishBatchRequestEntries.${index + 1}.member.`);
      return { message, text, ...orderOf(topic, message) };
    });
    let successful = '';
    for (const { message, text, group, deduplication } of ready) {
      const { messageId, sequenceNumber } = this.#deliver(topic, message, text, group, deduplication);
      const inner = `${member('Id', message.Id)}${member('MessageId', messageId)}${member('SequenceNumber', sequenceNumber)}`;
      successful += `<member>${inner}</member>`;
    }
    return answer(call, `<Successful>${successful}</Successful><Failed></Failed>`);
  }

  #publishOne(publishing: Publishing, message: Publication): Published {
    const { TopicArn, TargetArn, PhoneNumber } = message.fields;
    const targets = [TopicArn, TargetArn, PhoneNumber].filter((each) => each !== undefined);
    if (targets.length === 0) throw wrong('TopicArn or TargetArn Reason: no value for required parameter');
    if (targets.length > 1) {
      throw wrong('TopicArn, TargetArn and PhoneNumber Reason: only one of them can be specified');
    }
    if (PhoneNumber !== undefined) checkPhoneNumber(PhoneNumber);
    const arn = TopicArn ?? TargetArn;
    const endpoint = TargetArn?.split(':').slice(5).join(':').startsWith('endpoint/') ? TargetArn : undefined;
    if (PhoneNumber === undefined && endpoint === undefined && arn !== undefined) {
      const topic = publishing.findTopic(arn);
      const text = checkMessage(message);
      const { group, deduplication } = orderOf(topic, message);
      return this.#deliver(topic, message, text, group, deduplication);
    }
    checkEndpoint(publishing.call, endpoint);
    return keep(publishing, message, PhoneNumber ?? endpoint ?? '');
  }

  /** For FIFO topics: fauxqs assigns no sequence numbers and does not deduplicate. */
  #deliver(
    topic: Topic,
    { fields, attributes }: Publication,
    text: string,
    group: string | undefined,
    deduplication: string | undefined
  ): Published {
    const key = `${topic.arn} ${deduplication}`;
    const earlier = deduplication === undefined ? undefined : this.#published.get(key);
    if (earlier && Date.now() - earlier.time < 300_000) return earlier;
    const messageId = randomUUID();
    const sequenceNumber = topic.attributes.FifoTopic === 'true' ? this.#nextNumber(topic) : undefined;
    topic.deliver({
      topicArn: topic.arn,
      messageId,
      message: text,
      messageAttributes: attributes,
      subject: fields.Subject,
      messageGroupId: group,
      messageDeduplicationId: deduplication,
      sequenceNumber
    });
    if (sequenceNumber === undefined) return { messageId };
    const published = { messageId, sequenceNumber, time: Date.now() };
    this.#published.delete(key);
    this.#published.set(key, published);
    const [oldest] = this.#published.keys();
    if (this.#published.size > 10_000 && oldest !== undefined) this.#published.delete(oldest);
    return published;
  }

  #nextNumber({ arn }: Topic): string {
    const number = (this.#numbers.get(arn) ?? 0) + 1;
    this.#numbers.set(arn, number);
    return `1${String(number).padStart(19, '0')}`;
  }
}

/** fauxqs knows topics only. */
function keep(publishing: Publishing, message: Publication, to: string): Published {
  const text = checkMessage(message);
  const messageId = randomUUID();
  const { Subject } = message.fields;
  publishing.keepText({
    to,
    message: text,
    ...(Subject === undefined ? {} : { subject: Subject }),
    messageId,
    time: Date.now()
  });
  return { messageId };
}

function checkPhoneNumber(number: string): void {
  if (!/^\+[1-9]\d{1,14}$/.test(number)) throw wrong(`PhoneNumber Reason: ${number} is not valid to publish to`);
}

function checkEndpoint(call: ServiceCall, arn: string | undefined): void {
  if (arn === undefined) return;
  checkArn('TargetArn', arn, call);
  const enabled = Object.hasOwn(endpoints, arn) ? endpoints[arn] : undefined;
  if (enabled === undefined) throw wrong('TargetArn Reason: No endpoint found for the target arn specified');
  if (!enabled) throw new AwsError(400, 'EndpointDisabled', 'Endpoint is disabled');
}

/**
 * Checks the form of an ARN and its region.
 *
 * @throws AwsError
 */
export function checkArn(name: string, arn: string, call: ServiceCall): void {
  const parts = arn.split(':');
  if (parts.length < 6) throw wrong(`${name} Reason: An ARN must have at least 6 elements, not ${parts.length}`);
  if (parts[0] !== 'arn' || parts[2] !== 'sns' || parts[3] !== call.region) throw wrong(name);
}

/** Checks a message and returns the text for SQS; fauxqs does not handle `MessageStructure`. */
function checkMessage({ fields, attributes }: Publication, where = ''): string {
  const { Message, Subject, MessageStructure } = fields;
  if (!Message) throw wrong('Empty message');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: These are the characters that are not allowed.
  if (Subject !== undefined && !/^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,99}$/u.test(Subject)) throw wrong('Subject');
  checkAttributes(attributes, where);
  if (sizeOf(Message, attributes) > mostBytes) throw wrong('Message too long');
  return MessageStructure === 'json' ? forSqs(Message) : Message;
}

function forSqs(json: string): string {
  let texts: unknown;
  try {
    texts = JSON.parse(json);
  } catch {
    throw wrong('Message Structure - JSON message body failed to parse');
  }
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) {
    throw wrong('Message Structure - JSON message body failed to parse');
  }
  const { default: other, sqs } = texts as Record<string, unknown>;
  if (typeof other !== 'string') throw wrong('Message Structure - No default entry in JSON message body');
  return typeof sqs === 'string' ? sqs : other;
}

/** `where` is the position of the attributes in the request, for the service's error texts. */
function checkAttributes(attributes: Record<string, WireAttribute>, where: string): void {
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    if (!DataType) {
      const member = `${where}messageAttributes.${name}.member.dataType`;
      throw validationError('ValidationError', [violation(undefined, member, 'not be null')]);
    }
    const wrongName = wrongAttributeName(name);
    if (wrongName) throw wrongValue(wrongName);
    const [, type] = /^(String|Number|Binary)(?:\..+)?$/s.exec(DataType) ?? [];
    if (!type) {
      throw wrongValue(
        `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`
      );
    }
    const value = type === 'Binary' ? BinaryValue : StringValue;
    if (value) continue;
    const reason =
      (StringValue ?? BinaryValue)
        ? `with type '${type}' must use field '${type === 'Binary' ? 'Binary' : 'String'}'.`
        : `must contain non-empty message attribute value for message attribute type '${DataType}'.`;
    throw wrongValue(`The message attribute '${name}' ${reason}`);
  }
}

function sizeOf(message: string, attributes: Record<string, WireAttribute>): number {
  let bytes = Buffer.byteLength(message);
  for (const [name, { DataType, StringValue = '', BinaryValue = '' }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue);
    bytes += Buffer.byteLength(BinaryValue, 'base64');
  }
  return bytes;
}

/** Group and deduplication id. fauxqs ignores a deduplication id that a standard topic cannot have. */
function orderOf(
  topic: Topic,
  { fields }: Publication
): { group: string | undefined; deduplication: string | undefined } {
  const { MessageGroupId: group, MessageDeduplicationId: deduplication, Message = '' } = fields;
  if (topic.attributes.FifoTopic !== 'true') {
    if (deduplication !== undefined) {
      throw wrong(
        'MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type'
      );
    }
    return { group, deduplication };
  }
  if (!group) throw wrong('The MessageGroupId parameter is required for FIFO topics');
  if (deduplication) return { group, deduplication };
  if (topic.attributes.ContentBasedDeduplication !== 'true') {
    throw wrong(
      'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
    );
  }
  return { group, deduplication: createHash('sha256').update(Message).digest('hex') };
}

/** fauxqs has no limit for a whole batch, drops entries without an ID, and has other error texts. */
function checkEntries(messages: readonly Publication[]): void {
  const refuse = (code: string, text: string) => new AwsError(400, code, text);
  if (messages.length === 0) throw refuse('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  if (messages.length > 10) {
    throw refuse('TooManyEntriesInBatchRequest', 'The batch request contains more entries than permissible.');
  }
  const ids = new Set<string>();
  for (const { Id = '' } of messages) {
    const problem = Id.length > 80 ? 'is too long' : 'contains an impermissible character';
    if (!/^[\w-]{1,80}$/.test(Id)) {
      throw refuse('InvalidBatchEntryId', `The Id of a batch entry in the batch request ${problem}: ${Id}`);
    }
    if (ids.has(Id)) {
      throw refuse('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
    }
    ids.add(Id);
  }
  const bytes = messages.reduce((sum, { fields, attributes }) => sum + sizeOf(fields.Message ?? '', attributes), 0);
  if (bytes > mostBytes) {
    throw refuse('BatchRequestTooLong', 'The length of all the messages put together is more than the limit.');
  }
}

const entryName = /^PublishBatchRequestEntries\.member\.(\d+)\.(.+)$/;

function readEntries(input: Fields): Publication[] {
  const entries = new Map<number, Fields>();
  for (const [name, value] of Object.entries(input)) {
    const [, number, field] = entryName.exec(name) ?? [];
    if (number === undefined || field === undefined) continue;
    const entry = entries.get(Number(number)) ?? {};
    entry[field] = value;
    entries.set(Number(number), entry);
  }
  return [...entries]
    .sort(([one], [other]) => one - other)
    .map(([, fields]) => ({ Id: fields.Id, fields, attributes: readAttributes(fields, 'MessageAttributes.entry.') }));
}

function readAttributes(fields: Fields, prefix: string): Record<string, WireAttribute> {
  const attributes: Record<string, WireAttribute> = {};
  for (let number = 1; ; number += 1) {
    const name = fields[`${prefix}${number}.Name`];
    if (name === undefined) return attributes;
    const value = `${prefix}${number}.Value`;
    const StringValue = fields[`${value}.StringValue`];
    const BinaryValue = fields[`${value}.BinaryValue`];
    attributes[name] = {
      DataType: fields[`${value}.DataType`] ?? '',
      ...(StringValue === undefined ? {} : { StringValue }),
      ...(BinaryValue === undefined ? {} : { BinaryValue })
    };
  }
}

/**
 * A queue as fauxqs's delivery uses it. `rename` replaces the account number of fauxqs in the envelopes of messages by the
 * real one.
 */
export function inbox(queue: Queue, delivery: Delivery, rename: (text: string) => string): Partial<Queue> {
  const key = (id: string) => deduplicationKey(queue, delivery.messageGroupId, id);
  return {
    isFifo: () => queue.isFifo(),
    checkDeduplication: (id) => queue.checkDeduplication(key(id)),
    recordDeduplication: (id, messageId, number) => queue.recordDeduplication(key(id), messageId, number),
    nextSequenceNumber: () => queue.nextSequenceNumber(),
    enqueue: (message: Message) => {
      // With raw message delivery only; the service then drops the message.
      if (Object.keys(message.messageAttributes).length > mostRawAttributes) return;
      if (message.body !== delivery.message) {
        message.body = complete(message.body.replace(/"UnsubscribeURL":"[^"]*"/, rename), delivery.sequenceNumber);
        message.md5OfBody = createHash('md5').update(message.body).digest('hex');
      }
      // A standard queue gets the group ID of a message from a standard topic, but not from a FIFO topic.
      if (!queue.isFifo() && delivery.sequenceNumber !== undefined) {
        delete message.messageGroupId;
        delete message.messageDeduplicationId;
      }
      queue.enqueue(message);
    }
  };
}

/** The envelope of a message from a FIFO topic has a sequence number and no signature. */
function complete(envelope: string, SequenceNumber: string | undefined): string {
  if (SequenceNumber === undefined) return envelope;
  const {
    Type,
    MessageId,
    Signature: _,
    SignatureVersion: __,
    SigningCertURL: ___,
    ...rest
  } = JSON.parse(envelope) as Record<string, unknown>;
  return JSON.stringify({ Type, MessageId, SequenceNumber, ...rest });
}

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(value)}</${name}>`;
}

function answer(call: ServiceCall, result: string): Answer {
  const name = call.operation;
  const body = `<${name}Response xmlns="${xmlNamespace('sns')}"><${name}Result>${result}</${name}Result><ResponseMetadata><RequestId>${call.requestId}</RequestId></ResponseMetadata></${name}Response>`;
  return { status: 200, headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': call.requestId }, body };
}

const wrong = (text: string) => new AwsError(400, 'InvalidParameter', `Invalid parameter: ${text}`);
const wrongValue = (text: string) => new AwsError(400, 'ParameterValueInvalid', text);
