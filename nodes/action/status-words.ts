import type { NodeAPI } from 'node-red';
import { errorKindOf } from '../account/error-kinds';
import { isBecomingReady, wasThrottled } from '../account/retryable';
import type { ActionError } from '../fields/errors';
import { FieldError } from '../fields/errors';

/** The words for errors whose name says enough. Keys below `status` of the common words. */
const byName: Readonly<Record<string, string>> = {
  AccountMissing: 'noAccount',
  FunctionError: 'functionFailed',
  HandleExpired: 'handleExpired',
  ImageTooLargeException: 'largePicture',
  InvalidImageFormatException: 'badPicture',
  InvalidS3ObjectException: 'noPicture',
  QueueDoesNotExist: 'notFound'
};

/** What a service knows by name. */
const things: Readonly<Record<string, string>> = {
  lambda: 'noFunction',
  sqs: 'noQueue',
  sns: 'noTopic',
  rekognition: 'noCollection'
};

/** In front of the name in an ARN or URL. */
const place = /^(?:https?:.*\/|arn:[^:]*:[^:]*:[^:]*:\d*:(?:function:)?)/;
/** Characters of a name: a status stands below a node. */
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

/** A field by its label in the runtime's language, without its unit. */
function labelOf(RED: NodeAPI, property: string): string | undefined {
  const key = `label.${property}`;
  const label = RED._(key);
  return label === key ? undefined : label.replace(/ ?[(（][^()（）]*[)）]$/, '');
}

/** A member of the message has no label: it is called by its path. */
function calledBy(RED: NodeAPI, path: string): string | undefined {
  const [property = ''] = path.split('.', 1);
  return property === 'msg' ? path : labelOf(RED, property);
}

/** What is said in words, instead of a property, would not be translated. */
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
 * What a status says of an error: a locale key, which the editor translates, or a text in the runtime's language where it
 * has a value in it; the error's name where there are no words for it.
 */
export function statusOf(RED: NodeAPI, error: ActionError, longest = longestName): string {
  if (error instanceof FieldError) return fieldWords(RED, error);
  if (error.name === 'PartialFailure') return partWords(RED, error);
  const key = keyOf(error);
  if (key === undefined) return error.name;
  const thing = key === 'notFound' && error.about && things[error.service ?? ''];
  return thing ? RED._(`status.${thing}`, { name: shortName(error.about as string, longest) }) : `status.${key}`;
}

/** The same in the runtime's language, for a part of a longer text. */
export function statusTextOf(RED: NodeAPI, error: ActionError): string {
  const text = statusOf(RED, error, longestInText);
  return text.startsWith('status.') ? RED._(text) : text;
}
