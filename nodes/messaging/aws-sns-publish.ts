import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { Sdks } from '../account/sdks';
import type { ActionInputs, Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { invalid } from '../fields/errors';
import { flag, json, many, optional, text } from '../fields/fields';
import { checkJsonLength, checkLength, isObject, parseJson, stringify, toText } from '../fields/json';
import { keepFields } from '../outbox/keep-fields';
import { keeping } from '../outbox/outbox';
import type { Route } from '../outbox/route';
import { Batches } from './batches';
import { outgoingOf, sendEntries } from './kept-entries';
import type { Receipt } from './message';
import { bytesOf, checkText, entryOf, messageFields, resultOfReceipt } from './message';
import { isFifo, isOrdered } from './queue';
import { type EntryOperations, mostEntries } from './target-batches';

/** The most bytes of a message, if the topic allows it, and of a batch, which every topic allows. */
const sizeLimit = 1_048_576;
const batchLimit = 262_144;
/** The most characters of one character in JSON: `\u0041`. */
const escapedCharacter = 6;

const targetPattern = /^(?:arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w/.-]{1,512}|\+[1-9]\d{1,14})$/;

const { attributes, ...otherFields } = messageFields;

export const fields = {
  target: many(
    text({
      pattern: targetPattern,
      is: 'the ARN of a topic or an endpoint, or a phone number such as +12065550100',
      offers: 'topics',
      example: '"arn:aws:sns:eu-west-1:123456789012:" & topic',
      icon: 'bullhorn'
    })
  ),
  message: {
    ...json({
      value: 'payload',
      from: 'msg',
      example: '"The temperature is " & payload.temperature & " °C"',
      icon: 'envelope'
    }),
    beside: messageText
  },
  perProtocol: flag(false),
  subject: optional(
    text({
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      pattern: /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/,
      is: 'text without line breaks and control characters',
      maxLength: 99,
      example: '"Alert from " & topic',
      icon: 'header'
    })
  ),
  attributes,
  ...otherFields,
  ...keepFields()
};

type Entry = Omit<PublishCommandInput, 'TopicArn' | 'TargetArn' | 'PhoneNumber'>;

const isTopic = (target: string): boolean => target.startsWith('arn:') && !target.includes('/');

/** The requests that can carry an entry. Only topics accept batches. */
function operationsTo(sdk: Sdks['sns'], target: string, batch: boolean): EntryOperations<Entry, Receipt> {
  const [member] = [isTopic(target) ? 'TopicArn' : target.startsWith('+') ? 'PhoneNumber' : 'TargetArn'] as const;
  return {
    one: (entry) => new sdk.PublishCommand({ [member]: target, ...entry }),
    many: (entries) => new sdk.PublishBatchCommand({ TopicArn: target, PublishBatchRequestEntries: entries }),
    bytes: batchLimit,
    alone: !batch || !isTopic(target)
  };
}

/** The JSON of a message with a text for each protocol. Throws `InvalidValue`, or whatever reading the value throws. */
function protocolTexts(given: unknown): string {
  if (typeof given === 'string') checkLength(given, 'message', escapedCharacter * sizeLimit);
  const message = typeof given === 'string' ? parseJson(given)?.value : given;
  if (!isObject(message)) {
    throw invalid(
      'message',
      'must be an object such as {"default": "text", "sqs": {…}} with a text for each protocol.'
    );
  }
  if (typeof message.default !== 'string') {
    throw invalid('message.default', 'must be text: it is for every protocol that the message does not name.');
  }
  checkJsonLength(message, 'message', sizeLimit);
  const texts = Object.entries(message).map(([protocol, value]) => [
    protocol,
    toText(value, `message.${protocol}`, sizeLimit)
  ]);
  return stringify(Object.fromEntries(texts), 'message', sizeLimit);
}

/** The text to publish. Throws `InvalidValue`, or whatever reading the value throws. */
function messageText(given: unknown, { perProtocol }: Readonly<Record<string, unknown>>): string {
  const text = perProtocol === true ? protocolTexts(given) : toText(given, 'message', sizeLimit);
  checkText(text, 'message');
  return text;
}

/** The entry for a target, and its bytes. Throws `MissingValue` or `InvalidValue`. */
function entryFor(inputs: ActionInputs<typeof fields>, target: string): { entry: Entry; bytes: number } {
  const { perProtocol, subject } = inputs;
  const message = inputs.message as string;
  const entry = {
    Message: message,
    ...(perProtocol && { MessageStructure: 'json' }),
    ...(subject !== undefined && { Subject: subject }),
    ...entryOf(inputs, target)
  };
  return { entry, bytes: bytesOf(message, inputs.attributes, 'message', sizeLimit) };
}

async function publish(context: Context<'sns', typeof fields>, batches: Batches<Entry, Receipt>): Promise<Result> {
  const { sdk, inputs } = context;
  const { target, batch, groupId } = inputs;
  const receipt = await batches.send(context, target, isFifo(target) ? groupId : undefined, () => ({
    target,
    ...entryFor(inputs, target),
    operations: (topic) => operationsTo(sdk, topic, batch)
  }));
  return resultOfReceipt(receipt);
}

/** How messages that are kept are sent. */
const route: Route<'sns', typeof fields> = {
  service: 'sns',
  outgoing(inputs, target) {
    const { entry, bytes } = entryFor(inputs, target);
    return outgoingOf(entry, target, bytes, !inputs.batch || !isTopic(target));
  },
  capacity: () => ({ entries: mostEntries, bytes: batchLimit, requests: 1 }),
  send: ({ sdk, request }, target, entries, tell) =>
    sendEntries(operationsTo(sdk, target, true), entries as Entry[], request, tell)
};

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-sns-publish',
  service: 'sns',
  operation: 'Publish',
  fields,
  inOrder: true,
  mayOvertake: ({ target }) => ![target].flat().some(isOrdered),
  trial: {},
  keeper: /* @__PURE__ */ keeping(route),
  deploy() {
    const batches = new Batches<Entry, Receipt>();
    return {
      run: (context) => publish(context, batches),
      abort: (reason) => batches.abort(reason)
    };
  }
});
