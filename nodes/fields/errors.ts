import { inLines, longestText, shortLine } from './lines';
import { memberOf, reasonOf, textOf } from './thrown';

/** The members of an error beside `name`, `code` and `message`. */
interface ErrorDetails {
  /** Catch nodes have it as `msg.error.cause`. Always plain data, never an object of the SDK. */
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

/** The name and message in a cause, else all of it as JSON. */
function causeText(cause: object): string {
  const message = memberOf(cause, 'message');
  return shortLine(typeof message === 'string' ? `${textOf(memberOf(cause, 'name'))}: ${message}` : textOf(cause));
}

/**
 * Adds a `toString` to a cause, which Node-RED's debug sidebar calls. It is not enumerable, so that JSON and copies do not
 * contain it.
 */
const printable = <T>(cause: T): T =>
  typeof cause === 'object' && cause !== null
    ? Object.defineProperty(cause, 'toString', { value: () => causeText(cause), enumerable: false })
    : cause;

/** The error that a node passes to `done`. `name` and `code` are AWS's name of the error or one of `ownErrorNames`. */
export class ActionError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  declare statusCode?: number;
  declare requestId?: string;
  declare service?: string;
  declare operation?: string;
  /** The name of the function, queue, topic or collection of the request, for the status. */
  declare readonly about?: string;

  constructor(name: string, message: string, { cause, retryable = false, extra, ...details }: ErrorDetails = {}) {
    super(shortLine(message), cause === undefined ? undefined : { cause: printable(cause) });
    this.name = shortLine(name);
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
  'BudgetExceeded',
  'CertificateError',
  'Closed',
  'Expired',
  'FunctionError',
  'HandleExpired',
  'InvalidValue',
  'MissingValue',
  'PartialFailure',
  'RequestThrottled',
  'StoreFull',
  'Timeout',
  'UnknownError'
] as const;

type OwnErrorName = (typeof ownErrorNames)[number];

/** An error of the pack itself. */
export const ownError = (name: OwnErrorName, message: string, details?: ErrorDetails): ActionError =>
  new ActionError(name, message, details);

/** Sets `about`, which is not enumerable, since users do not need to see it. */
export function noteAbout<E extends ActionError>(error: E, about: string): E {
  return Object.defineProperty(error, 'about', { value: about, configurable: true });
}

/** Adds to an error what was done before it: as `error.results`, and for Catch nodes as `msg.error.cause.results`. */
export function withResults(error: ActionError, results: object): ActionError {
  if (error.cause) Object.assign(error.cause, { results });
  return Object.assign(error, { results });
}

/** Whether whatever was thrown is an `ActionError`; it may be a proxy that throws. */
export function isActionError(thrown: unknown): thrown is ActionError {
  try {
    return thrown instanceof ActionError;
  } catch {
    return false;
  }
}

/** Joins the subject and the problem; no space before a colon. */
const sentence = (subjects: readonly string[], problem: string): string =>
  `${subjects.join(', ')}${problem.startsWith(':') ? '' : ' '}${problem}`;

/** The label of a field, followed by the property in brackets if that is another word. */
function subjectOf(path: string, labels: Readonly<Record<string, string>>): string {
  const [property = ''] = path.split('.', 1);
  const label = Object.hasOwn(labels, property) ? labels[property] : undefined;
  // Some labels end in a unit, such as `Timeout (s)`.
  const name = (label ?? path).replace(/ \([^()]*\)$/, '');
  return name.toLowerCase() === path.toLowerCase() ? name : `${name} (${path})`;
}

/** A problem without the value in it: without quotes, and without what follows “, but”. */
function withoutValue(problem: string): string {
  const plain = problem.replace(/"(?:[^"\\]|\\.)*"?…?/gs, '***');
  const [must = '', found] = plain.split(', but ', 2);
  if (found !== undefined) return `${must}, but its variable holds something else.`;
  // The messages of parsers, after a colon, quote without quotation marks.
  return plain.replace(/(?<=.): .*$/s, '.');
}

/** An error about the value of a field, or of several fields together. */
export class FieldError extends ActionError {
  declare name: OwnErrorName;
  readonly #paths: readonly string[];
  readonly #problem: string;
  #labelled = false;

  /**
   * `path` is the field's property, or a member of its value; `problem` is the rest of the sentence that it begins. The text
   * names the property until `useLabels` replaces it.
   */
  constructor(name: OwnErrorName, path: string | readonly string[], problem: string, retryable = false) {
    const paths = [path].flat();
    super(name, sentence(paths, problem), { retryable });
    this.#paths = paths;
    this.#problem = problem;
  }

  /** The properties of the fields, or members of their values. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** The same error without the value, which may be a secret if it comes from an environment variable. */
  unquoted(): FieldError {
    return new FieldError(this.name, this.#paths, withoutValue(this.#problem));
  }

  /** A copy: one object must not be reported twice. */
  copy(): FieldError {
    return new FieldError(this.name, this.#paths, this.#problem, this.retryable);
  }

  /** Replaces the properties in the text by their labels. `labels` are those of the node, by property. */
  useLabels(labels: Readonly<Record<string, string>>): void {
    if (this.#labelled) return;
    this.#labelled = true;
    const subjects = this.#paths.map((path) => subjectOf(path, labels));
    const text = shortLine(sentence(subjects, this.#problem));
    this.stack = this.stack?.replace(this.message, () => text) ?? text;
    this.message = text;
  }
}

/** For a required field without a value, or for several fields of which one must have a value. */
export const missing = (path: string | readonly string[], problem: string): FieldError =>
  new FieldError('MissingValue', path, problem);
/** For fields whose value does not come in time. */
export const unanswered = (path: string | readonly string[], problem: string): FieldError =>
  new FieldError('Timeout', path, problem, true);
/** For a value that is not valid. `path` is the field, or says in words whose value it is. */
export const invalid = (path: string | readonly string[], problem: string): FieldError =>
  new FieldError('InvalidValue', path, problem);

/** A copy of an error that concerns several messages, for one of them. */
export function copyError(thrown: unknown): unknown {
  if (!isActionError(thrown)) return thrown;
  if (thrown instanceof FieldError) return thrown.copy();
  const { name, message, retryable, statusCode, requestId } = thrown;
  // Copied as well, since what is added to it later concerns one message.
  const cause = typeof thrown.cause === 'object' ? { ...thrown.cause } : thrown.cause;
  return new ActionError(name, message, {
    retryable,
    cause,
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { requestId })
  });
}

/** The error for whatever reading or checking a field's value has thrown. Of a secret field nothing is quoted. */
export function valueError(name: string, thrown: unknown, secret = false): ActionError {
  if (isActionError(thrown)) return thrown;
  return invalid(name, `cannot be read${secret ? '' : `: ${reasonOf(thrown)}`}.`);
}
/** For something thrown that cannot even be read. */
export const indescribable = (details?: ErrorDetails): ActionError =>
  ownError('UnknownError', 'Something went wrong that cannot be described: what was thrown cannot be read.', details);

/** The text for an answer that is not from AWS. */
export const foreignText = (status: number | undefined): string =>
  `The answer${status === undefined ? '' : ` (HTTP ${status})`} is not from AWS: it may be from a proxy or gateway; check the endpoint.`;

/**
 * The error for an answer that is not from AWS although its status is that of a success: the page of a portal, or another
 * server at a wrong endpoint. `said` is the beginning of the answer.
 */
export function foreignAnswer(status?: number, said = ''): ActionError {
  const cause = { name: 'UnknownError', message: inLines(said.slice(0, longestText)) };
  return ownError('UnknownError', foreignText(status), {
    cause,
    ...(status !== undefined && { statusCode: status })
  });
}

/** For a message that arrives while the node is being closed. */
export const closing = (): ActionError =>
  ownError('Closed', 'The node is being closed: nothing was sent.', { retryable: true });
/** For a message that is cut off because the node has been closed. */
export const closed = (): ActionError =>
  ownError('Closed', 'The node was closed before the answer came; the request may have been carried out.', {
    retryable: true
  });
