import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { Sdks } from '../account/sdks';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { invalid } from '../fields/errors';
import { flag, json, many, optional, text } from '../fields/fields';
import { checkJsonLength, checkLength, parseJson, stringify, toText } from '../fields/json';
import { Batches } from './batches';
import type { Receipt } from './message';
import { bytesOf, checkText, entryOf, messageFields, resultOfReceipt } from './message';
import { isFifo, isOrdered } from './queue';
import type { EntryOperations } from './target-batches';

/** The most bytes of a message, if the topic allows it, and of a batch, which every topic allows. */
const sizeLimit = 1_048_576;
const batchLimit = 262_144;
/** The most characters of one character in JSON: `\u0041`. */
const escapedCharacter = 6;

const targetPattern = /^(?:arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w/.-]{1,512}|\+[1-9]\d{1,14})$/;

const { attributes, ...otherFields } = messageFields;

const fields = {
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
  ...otherFields
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
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw invalid(
      'message',
      'must be an object such as {"default": "text", "sqs": {…}} with a text for each protocol.'
    );
  }
  if (typeof (message as { default?: unknown }).default !== 'string') {
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

async function publish(context: Context<'sns', typeof fields>, batches: Batches<Entry, Receipt>): Promise<Result> {
  const { sdk, inputs } = context;
  const { target, perProtocol, subject, batch, groupId } = inputs;
  const receipt = await batches.send(context, target, isFifo(target) ? groupId : undefined, () => {
    const message = inputs.message as string;
    return {
      target,
      entry: {
        Message: message,
        ...(perProtocol && { MessageStructure: 'json' }),
        ...(subject !== undefined && { Subject: subject }),
        ...entryOf(inputs, target)
      },
      bytes: bytesOf(message, inputs.attributes, 'message', sizeLimit),
      operations: (topic) => operationsTo(sdk, topic, batch)
    };
  });
  return resultOfReceipt(receipt);
}

export = defineAction({
  type: 'aws-sns-publish',
  service: 'sns',
  operation: 'Publish',
  fields,
  inOrder: true,
  mayOvertake: ({ target }) => ![target].flat().some(isOrdered),
  deploy() {
    const batches = new Batches<Entry, Receipt>();
    return {
      run: (context) => publish(context, batches),
      abort: (reason) => batches.abort(reason)
    };
  }
});
