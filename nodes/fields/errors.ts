import { isLongJson } from './json-length';

/** What an error of this pack carries beside `name`, `code` and `message`. */
interface ErrorDetails {
  /** Seen by Catch nodes as `msg.error.cause`: always plain data, never an SDK object. */
  cause?: unknown;
  statusCode?: number;
  requestId?: string;
  service?: string;
  operation?: string;
  /** Whether the same message may succeed later, unchanged. */
  retryable?: boolean;
  /** Members that only one kind of error has, such as `errorType` of `FunctionError` or `results` of `PartialFailure`. */
  extra?: Record<string, unknown>;
}

/** Characters; a function may fail with a text of megabytes. */
const longestText = 1000;

/**
 * A text from outside as one line that a log, a status and the debug sidebar can show: without what would clear a console,
 * begin another entry of a log, or turn the direction of what stands around it.
 */
export const inOneLine = (text: string): string =>
  text
    .replace(/\p{Bidi_Control}+/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();

/** The same for a text that keeps its lines, as a member of an error: what shows it makes one line of it. */
export const inLines = (text: string): string => text.replace(/\p{Bidi_Control}+|[^\P{Cc}\t\n\r]+/gu, '');

/** A text of several lines as one entry of a log: no line but the first can be taken for the beginning of an entry. */
export const asLogEntry = (text: string): string =>
  text
    .split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
    .map(inOneLine)
    .filter((line) => line !== '')
    .join('\n  | ');

function oneLine(text: string): string {
  const line = inOneLine(text.slice(0, 2 * longestText));
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}

/** A member of what was thrown, which can be anything: looking at it may throw again. */
export function memberOf(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** The name of what was thrown; empty where it has none that is text. */
export function nameOf(thrown: unknown): string {
  const name = memberOf(thrown, 'name');
  return typeof name === 'string' ? name : '';
}

/** What the SDK tells of a request that has failed. An answer may hold anything by the same names. */
export function metadataOf(thrown: unknown): { httpStatusCode?: number; requestId?: string; attempts?: number } {
  const metadata = memberOf(thrown, '$metadata');
  const httpStatusCode = memberOf(metadata, 'httpStatusCode');
  const requestId = memberOf(metadata, 'requestId');
  const attempts = memberOf(metadata, 'attempts');
  return {
    ...(typeof httpStatusCode === 'number' && { httpStatusCode }),
    ...(typeof requestId === 'string' && { requestId: oneLine(requestId) }),
    ...(typeof attempts === 'number' && { attempts })
  };
}

/** Characters of JSON that are written for a text: far more than are shown of it. */
const longestJson = 1_000_000;
/** Beyond it writing the digits of an integer takes the square of their number. */
const largestInteger = 10n ** 1000n;

/** Whether the text of a value would be far longer than anybody reads. Throws what looking at the value throws. */
function isFarTooLong(value: unknown): boolean {
  if (typeof value === 'bigint') return value > largestInteger || value < -largestInteger;
  return typeof value === 'object' && value !== null && isLongJson(value, longestJson);
}

/** A text for any value at all. What would be far too long is not written: what is thrown may hold a picture, or a list of millions. */
export function textOf(value: unknown): string {
  try {
    if (isFarTooLong(value)) return 'something too long to be shown';
    if (typeof value !== 'object' || value === null) return String(value);
    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'something that cannot be read';
  }
}

/** What a thrown thing says of itself, without the full stop at its end. */
export function reasonOf(thrown: unknown): string {
  const reason = memberOf(thrown, 'message') || memberOf(thrown, 'code') || thrown;
  return oneLine(textOf(reason))
    .slice(0, longestText)
    .replace(/(?<![.\s])[.\s]+$/, '');
}

/** What a service or a function said, else all of it as JSON. */
function causeText(cause: object): string {
  const { name, message } = cause as { name?: unknown; message?: unknown };
  return oneLine(typeof message === 'string' ? `${textOf(name)}: ${message}` : textOf(cause));
}

/**
 * Plain data that reads well where it is put into a text, as in Node-RED's debug sidebar. The method is none of the data:
 * it goes into no JSON and no copy.
 */
const printable = <T>(cause: T): T =>
  typeof cause === 'object' && cause !== null
    ? Object.defineProperty(cause, 'toString', { value: () => causeText(cause), enumerable: false })
    : cause;

/** The error that a node hands to `done`. `name` and `code` are the AWS error name or one of the pack's own. */
export class ActionError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  declare statusCode?: number;
  declare requestId?: string;
  declare service?: string;
  declare operation?: string;
  /** What the request named, such as a function: for the status. */
  declare readonly about?: string;

  constructor(name: string, message: string, { cause, retryable = false, extra, ...details }: ErrorDetails = {}) {
    super(oneLine(message), cause === undefined ? undefined : { cause: printable(cause) });
    this.name = oneLine(name);
    this.code = this.name;
    this.retryable = retryable;
    for (const [key, value] of Object.entries({ ...extra, ...details })) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }
}

/** The names of the pack's own errors. All others are those of AWS, of the SDK or of Node.js. */
export const ownErrorNames = [
  'AccountMissing',
  'Closed',
  'FunctionError',
  'HandleExpired',
  'InvalidValue',
  'MissingValue',
  'PartialFailure',
  'RequestThrottled',
  'Timeout',
  'UnknownError'
] as const;

export type OwnErrorName = (typeof ownErrorNames)[number];

/** An error that the pack itself has found. */
export const ownError = (name: OwnErrorName, message: string, details?: ErrorDetails): ActionError =>
  new ActionError(name, message, details);

/** Notes what the request named. It is not one of the members that people see of an error. */
export function noteAbout<E extends ActionError>(error: E, about: string): E {
  return Object.defineProperty(error, 'about', { value: about, configurable: true });
}

/** Whether a thrown thing, which can be anything, is an error of this pack. */
export function isActionError(thrown: unknown): thrown is ActionError {
  try {
    return thrown instanceof ActionError;
  } catch {
    return false;
  }
}

/** Words that begin with a colon go on without a blank. */
const sentence = (subjects: readonly string[], problem: string): string =>
  `${subjects.join(', ')}${problem.startsWith(':') ? '' : ' '}${problem}`;

/** A field as people know it, and behind it the property, where that is another word. */
function subjectOf(path: string, labels: Readonly<Record<string, string>>): string {
  const [property = ''] = path.split('.', 1);
  const label = Object.hasOwn(labels, property) ? labels[property] : undefined;
  // Some have a unit, such as `Timeout (s)`.
  const name = (label ?? path).replace(/ \([^()]*\)$/, '');
  return name.toLowerCase() === path.toLowerCase() ? name : `${name} (${path})`;
}

/** A problem without the value that it tells of: what is quoted in it, and what follows on what would be right. */
function withoutValue(problem: string): string {
  const plain = problem.replace(/"(?:[^"\\]|\\.)*"?…?/gs, '***');
  const [must = '', found] = plain.split(', but ', 2);
  if (found !== undefined) return `${must}, but its variable holds something else.`;
  // What a parser says quotes without marks.
  return plain.replace(/(?<=.): .*$/s, '.');
}

/** What is wrong with a field's value, or with several fields together. */
export class FieldError extends ActionError {
  declare name: OwnErrorName;
  readonly #paths: readonly string[];
  readonly #problem: string;
  #labelled = false;

  /**
   * `path` is the field's property, or a member of its value; `problem` makes a sentence of it. Until the node is known
   * whose field it is, the property stands for its label.
   */
  constructor(name: OwnErrorName, path: string | readonly string[], problem: string, retryable = false) {
    const paths = [path].flat();
    super(name, sentence(paths, problem), { retryable });
    this.#paths = paths;
    this.#problem = problem;
  }

  /** The fields, or members of their values. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** The same without what the value is: of a variable, it may be anything. */
  unquoted(): FieldError {
    return new FieldError(this.name, this.#paths, withoutValue(this.#problem));
  }

  /** The same error anew: one object must not be reported twice. */
  copy(): FieldError {
    return new FieldError(this.name, this.#paths, this.#problem, this.retryable);
  }

  /** Puts the fields' labels in place of their properties. `labels` are those of the node, by property. */
  useLabels(labels: Readonly<Record<string, string>>): void {
    if (this.#labelled) return;
    this.#labelled = true;
    const subjects = this.#paths.map((path) => subjectOf(path, labels));
    const text = oneLine(sentence(subjects, this.#problem));
    this.stack = this.stack?.replace(this.message, () => text) ?? text;
    this.message = text;
  }
}

/** A field has no value that needs one. */
export const missing = (path: string, problem: string): FieldError => new FieldError('MissingValue', path, problem);
/** What fields wait for does not come. */
export const unanswered = (path: string | readonly string[], problem: string): FieldError =>
  new FieldError('Timeout', path, problem, true);
/** A field, or what `path` says in words, is not as it must be. */
export const invalid = (path: string | readonly string[], problem: string): FieldError =>
  new FieldError('InvalidValue', path, problem);

/** What several messages meet, anew for each of them. */
export function copyError(thrown: unknown): unknown {
  if (!isActionError(thrown)) return thrown;
  if (thrown instanceof FieldError) return thrown.copy();
  const { name, message, retryable, statusCode } = thrown;
  // A copy: what is added to it later is about one message.
  const cause = typeof thrown.cause === 'object' ? { ...thrown.cause } : thrown.cause;
  return new ActionError(name, message, { retryable, cause, ...(statusCode !== undefined && { statusCode }) });
}

/** The error for what reading or checking a value of a flow has thrown; of a secret one nothing is quoted. */
export function valueError(name: string, thrown: unknown, secret = false): ActionError {
  if (isActionError(thrown)) return thrown;
  return invalid(name, `cannot be read${secret ? '' : `: ${reasonOf(thrown)}`}.`);
}
/** For what cannot even be read. */
export const indescribable = (details?: ErrorDetails): ActionError =>
  ownError('UnknownError', 'Something went wrong that cannot be described: what was thrown cannot be read.', details);

/** What to say of an answer that is none of AWS's. */
export const foreignText = (status: number | undefined): string =>
  `The answer${status === undefined ? '' : ` (HTTP ${status})`} is not one of AWS: a proxy or gateway may have given it; check the endpoint.`;

/**
 * An answer that does not come from AWS although it says that all is well: a portal's page, or that of another server at a
 * wrong endpoint. `said` is how it begins.
 */
export function foreignAnswer(status?: number, said = ''): ActionError {
  const cause = { name: 'UnknownError', message: inLines(said.slice(0, longestText)) };
  return ownError('UnknownError', foreignText(status), {
    cause,
    ...(status !== undefined && { statusCode: status })
  });
}

export const closing = (): ActionError =>
  ownError('Closed', 'The node is being closed: nothing was sent.', { retryable: true });
export const closed = (): ActionError =>
  ownError('Closed', 'The node was closed before the answer came; the request may have been carried out.', {
    retryable: true
  });
