import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';
import type { Sdks } from '../account/sdks';
import type { ActionInputs, Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { invalid } from '../fields/errors';
import { checked, many, number, optional, text } from '../fields/fields';
import { toText } from '../fields/json';
import { keepFields } from '../outbox/keep-fields';
import { keeping } from '../outbox/outbox';
import type { Route } from '../outbox/route';
import type { Attributes } from './attributes';
import { Batches } from './batches';
import { outgoingOf, sendEntries } from './kept-entries';
import type { Receipt } from './message';
import { bytesOf, checkText, entryOf, messageFields, resultOfReceipt } from './message';
import {
  forgetUrl,
  isAstray,
  isFifo,
  isOrdered,
  nameOfQueue,
  queueIs,
  queuePattern,
  regionOfQueue,
  urlOfQueue
} from './queue';
import { type EntryOperations, mostEntries } from './target-batches';

/** The most bytes of a message with its attributes, and of a whole batch. */
const sizeLimit = 1_048_576;
const mostAttributes = 10;

const { attributes, ...otherFields } = messageFields;

function checkAttributes(given: unknown, name: string): Attributes | undefined {
  const found = attributes.check(given, name);
  const count = Object.keys(found ?? {}).length;
  if (count > mostAttributes) throw invalid(name, `may be at most ${mostAttributes}, but are ${count}.`);
  return found;
}

function checkBody(found: unknown, name: string): string {
  const text = toText(found, name, sizeLimit);
  checkText(text, name);
  return text;
}

export const fields = {
  queue: many(
    text({
      pattern: queuePattern,
      is: queueIs,
      maxLength: 2048,
      offers: 'queues',
      example: '"orders-" & topic',
      icon: 'inbox'
    })
  ),
  body: checked(checkBody, {
    value: 'payload',
    from: 'msg',
    example: '{ "order": payload.id, "time": $now() }',
    icon: 'envelope'
  }),
  attributes: { ...attributes, check: checkAttributes },
  delaySeconds: {
    ...optional(
      number({
        min: 0,
        max: 900,
        integer: true,
        takes: 'seconds',
        example: 'payload.urgent ? 0 : 60',
        icon: 'hourglass-half'
      })
    ),
    besideTarget: checkDelay
  },
  ...otherFields,
  ...keepFields()
};

type Entry = Omit<SendMessageCommandInput, 'QueueUrl'>;

const operationsTo = (sdk: Sdks['sqs'], QueueUrl: string, alone: boolean): EntryOperations<Entry, Receipt> => ({
  one: (entry) => new sdk.SendMessageCommand({ QueueUrl, ...entry }),
  many: (Entries) => new sdk.SendMessageBatchCommand({ QueueUrl, Entries }),
  bytes: sizeLimit,
  alone
});

/** Throws `InvalidValue` for a delay with a FIFO queue: only the queue itself can have one. */
function checkDelay(seconds: number | undefined, queue: string): void {
  if (!seconds || !isFifo(queue)) return;
  throw invalid('delaySeconds', 'must be empty for a FIFO queue: only the queue itself can have a delay.');
}

/** The delay for a request; left out for a FIFO queue, which refuses even 0. */
function delayOf(seconds: number | undefined, queue: string): { DelaySeconds?: number } {
  checkDelay(seconds, queue);
  return seconds === undefined || isFifo(queue) ? {} : { DelaySeconds: seconds };
}

/** The entry for a queue, and its bytes. Throws `MissingValue` or `InvalidValue`. */
function entryFor(inputs: ActionInputs<typeof fields>, queue: string): { entry: Entry; bytes: number } {
  const { body, attributes: found, delaySeconds } = inputs;
  const entry = { MessageBody: body, ...delayOf(delaySeconds, queue), ...entryOf(inputs, queue) };
  return { entry, bytes: bytesOf(body, found, 'body', sizeLimit) };
}

async function send(context: Context<'sqs', typeof fields>, batches: Batches<Entry, Receipt>): Promise<Result> {
  const { sdk, client, inputs } = context;
  const { queue, batch, groupId } = inputs;
  const receipt = await batches.send(context, queue, isFifo(queue) ? groupId : undefined, () => {
    const { entry, bytes } = entryFor(inputs, queue);
    // Looked up last, when the message is known to be valid.
    const target = urlOfQueue(sdk, client, queue);
    return {
      entry,
      bytes,
      target,
      nameOf: nameOfQueue,
      operations: (url) => operationsTo(sdk, url, !batch),
      failed: (error) => isAstray(error) && forgetUrl(client, queue, target)
    };
  });
  return resultOfReceipt(receipt);
}

/** How messages that are kept are sent. */
const route: Route<'sqs', typeof fields> = {
  service: 'sqs',
  outgoing(inputs, queue) {
    const { entry, bytes } = entryFor(inputs, queue);
    return outgoingOf(entry, queue, bytes, !inputs.batch);
  },
  capacity: () => ({ entries: mostEntries, bytes: sizeLimit, requests: 1 }),
  sharedName: (queue) => (isFifo(queue) ? queue.split(/[/:]/).at(-1) : undefined),
  async send({ sdk, client, request }, queue, entries, tell) {
    const url = urlOfQueue(sdk, client, queue);
    try {
      await sendEntries(operationsTo(sdk, await url, false), entries as Entry[], request, tell);
    } catch (error) {
      if (isAstray(error)) forgetUrl(client, queue, url);
      throw error;
    }
  }
};

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-sqs-send',
  service: 'sqs',
  operation: 'SendMessage',
  fields,
  inOrder: true,
  mayOvertake: ({ queue }) => ![queue].flat().some(isOrdered),
  regionOf: regionOfQueue,
  trial: {},
  keeper: /* @__PURE__ */ keeping(route),
  deploy() {
    const batches = new Batches<Entry, Receipt>();
    return {
      run: (context) => send(context, batches),
      abort: (reason) => batches.abort(reason)
    };
  }
});
