import type { NodeAPI } from 'node-red';
import { errorKindOf } from '../account/error-kinds';
import { isBecomingReady, wasThrottled } from '../account/retryable';
import type { ActionError } from '../fields/errors';
import { FieldError } from '../fields/errors';

/** The texts for errors, by name. The values are keys below `status` in `common.json`. */
const byName: Readonly<Record<string, string>> = {
  AccountMissing: 'noAccount',
  BudgetExceeded: 'budgetSpent',
  CallbackTimeoutException: 'callbackOver',
  DurableExecutionAlreadyStartedException: 'nameTaken',
  Expired: 'tooOld',
  FunctionError: 'functionFailed',
  HandleExpired: 'handleExpired',
  ImageTooLargeException: 'largePicture',
  InvalidImageFormatException: 'badPicture',
  InvalidS3ObjectException: 'noPicture',
  QueueDoesNotExist: 'notFound',
  StoreFull: 'storeFull'
};

/** The text for an unknown function, queue, topic or collection, by service. */
const things: Readonly<Record<string, string>> = {
  lambda: 'noFunction',
  sqs: 'noQueue',
  sns: 'noTopic',
  rekognition: 'noCollection'
};

/** What precedes the name in an ARN or URL. */
const place = /^(?:https?:.*\/|arn:[^:]*:[^:]*:[^:]*:\d*:(?:function:)?)/;
/** The most characters of a name in the status of a node. */
const longestName = 30;
/** The same in a part of a longer text. */
const longestInText = 20;

function shortName(target: string, longest: number): string {
  const name = target.replace(place, '');
  return name.length > longest ? `${name.slice(0, longest)}…` : name;
}

function keyOf(error: ActionError): string | undefined {
  const { name, statusCode } = error;
  if (Object.hasOwn(byName, name)) return byName[name];
  if (name === 'UnknownError') return statusCode === undefined ? undefined : 'foreign';
  if (wasThrottled({ name, $metadata: { httpStatusCode: statusCode } })) return 'throttled';
  if (isBecomingReady(error)) return 'notReady';
  const kind = errorKindOf(error);
  if (kind !== 'other' && kind !== 'settings') return kind;
  return statusCode !== undefined && statusCode >= 500 ? 'fault' : undefined;
}

/** The label of a field in the runtime's language, without its unit. */
function labelOf(RED: NodeAPI, property: string): string | undefined {
  const key = `label.${property}`;
  const label = RED._(key);
  return label === key ? undefined : label.replace(/ ?[(（][^()（）]*[)）]$/, '');
}

/** What a status calls a field, or a member of the message, which has no label but its path. */
function calledBy(RED: NodeAPI, path: string): string | undefined {
  const [property = ''] = path.split('.', 1);
  return property === 'msg' ? path : labelOf(RED, property);
}

/**
 * The text for a `FieldError`. If that does not name fields but something in words, which has no translation, its name.
 */
function fieldWords(RED: NodeAPI, { name, paths }: FieldError): string {
  const labels = paths.map((path) => calledBy(RED, path));
  if (labels.includes(undefined)) return name;
  return RED._(name === 'MissingValue' ? 'status.missing' : 'status.invalid', { label: labels.join(', ') });
}

function partWords(RED: NodeAPI, { results }: ActionError & { results?: unknown }): string {
  if (!Array.isArray(results)) return 'status.nothingIndexed';
  const failed = results.filter(({ error }) => error).length;
  return RED._('status.someFailed', { count: failed, total: results.length });
}

/**
 * The text of a status for an error: a locale key, which the editor translates; a text in the runtime's language if it
 * contains a value; or the name of the error if there is no text for it.
 */
export function statusOf(RED: NodeAPI, error: ActionError, longest = longestName): string {
  if (error instanceof FieldError) return fieldWords(RED, error);
  if (error.name === 'PartialFailure') return partWords(RED, error);
  const key = keyOf(error);
  if (key === undefined) return error.name;
  const thing = key === 'notFound' ? things[error.service ?? ''] : undefined;
  return thing && error.about ? RED._(`status.${thing}`, { name: shortName(error.about, longest) }) : `status.${key}`;
}

/** The same in the runtime's language, to be part of a longer text. */
export function statusTextOf(RED: NodeAPI, error: ActionError): string {
  const text = statusOf(RED, error, longestInText);
  return text.startsWith('status.') ? RED._(text) : text;
}

/** The time of day, with the date if that is not today. */
export const timeOf = (time: Date): string =>
  // biome-ignore lint/plugin/clock: people read it
  time.toDateString() === new Date().toDateString()
    ? time.toLocaleTimeString(undefined, { timeStyle: 'short' })
    : time.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
