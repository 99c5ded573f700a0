import {
  ActionError,
  FieldError,
  foreignText,
  indescribable,
  inLines,
  inOneLine,
  isActionError
} from '../fields/errors';
import { labelsOf } from '../fields/words';
import type { Described, Failure } from './failure';
import { failureOf } from './failure';
import { couldNotConnect, describeNetwork, isNetworkCode, proxyPasswordText } from './network-failures';
import { redact, redactDeep } from './redaction';
import { describeService } from './service-errors';

/** An answer that does not come from AWS: the SDK fails to parse it, or finds no error name in it. */
function describeForeign(failure: Failure, status: number): Described {
  // No service answers so.
  if (status === 407) return { name: 'UnknownError', message: `${proxyPasswordText} (HTTP 407)`, retryable: false };
  return {
    name: 'UnknownError',
    message: foreignText(status),
    retryable: status >= 500 || status === 408 || status === 429 || failure.name === 'TimeoutError'
  };
}

/** JavaScript's own: what stumbles over something unforeseen, such as an answer with other types than AWS gives. */
const stumbles = new Set([
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError'
]);

/** What no library describes. */
function describeUnforeseen({ name = 'Error', message = '' }: Failure): Described {
  const text = message === '' ? name : `${name}: ${message}`;
  return { name: 'UnknownError', message: `Something unforeseen went wrong: ${text}`, retryable: false };
}

/** AWS's names of errors, with or without a namespace. What some gateway gives as a code can be anything. */
const isErrorName = /^[a-z][\w.:-]*$/i;

/** The SDK's names for an answer in which it finds no error of AWS, or that it cannot read. */
const unreadable = new Set([...stumbles, 'UnknownError', 'Unknown']);
const isUnreadable = ({ name = '', message = '', $metadata }: Failure): boolean =>
  unreadable.has(name) || !isErrorName.test(name) || ($metadata?.requestId === undefined && unreadable.has(message));

function describe(failure: Failure, status: number | undefined): Described {
  if (couldNotConnect(failure) && !isNetworkCode(failure.code)) {
    return { name: 'Timeout', message: 'No connection to the service could be made in time.', retryable: true };
  }
  if (failure.$fault === undefined && isNetworkCode(failure.code)) return describeNetwork(failure, failure.code);
  if (status === 407 || (isUnreadable(failure) && status !== undefined)) return describeForeign(failure, status);
  return stumbles.has(failure.name ?? 'Error') ? describeUnforeseen(failure) : describeService(failure, status);
}

/** Strikes secrets out of an error of our own: of its text, of its stack, which repeats that, and of what it adds. */
function redactMembers(error: ActionError, secrets: string[]): void {
  const cleanAll = (members: object) => {
    for (const [key, value] of Object.entries(members)) {
      // Of many targets: their errors have been cleaned, and the other ones' answers are the flow's own.
      if (key !== 'results') Object.assign(members, { [key]: redactDeep(value, secrets) });
    }
  };
  error.message = redact(error.message, secrets);
  error.stack = redact(error.stack ?? '', secrets);
  cleanAll(error);
  if (typeof error.cause === 'object' && error.cause !== null) cleanAll(error.cause);
}

/** What an error is told of where it happened; `secrets` are struck out of every text. */
interface Circumstances {
  /** Of the node, whose labels its fields are called by. */
  type?: string;
  service?: string;
  operation?: string;
  secrets: string[];
}

function described(thrown: unknown, { service, operation, secrets }: Circumstances): ActionError {
  const clean = (text: string) => redact(text, secrets);
  const found = failureOf(thrown);
  // Before it is put into our own words, in which a secret such as “wrong” would be struck out.
  const failure = {
    ...found,
    ...(found.name !== undefined && { name: clean(found.name) }),
    message: clean(found.message ?? '')
  };
  const { httpStatusCode: statusCode, requestId } = failure.$metadata ?? {};
  const { name, message, retryable } = describe(failure, statusCode);
  return new ActionError(name, message, {
    ...(service && { service }),
    ...(operation && { operation }),
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { requestId }),
    retryable,
    cause: { name: inOneLine(failure.name ?? 'Error'), message: inLines(failure.message.slice(0, 1000)) }
  });
}

/** An error of our own, which lacks only where it happened. */
function completed(error: ActionError, context: Circumstances): ActionError {
  const { service = context.service, operation = context.operation } = error;
  if (error instanceof FieldError && context.type) error.useLabels(labelsOf(context.type));
  redactMembers(error, context.secrets);
  return Object.assign(error, service && { service }, operation && { operation });
}

/**
 * The error to report for whatever was thrown on the way of a message: its listed members only, since an SDK error
 * holds the signed request. It never throws itself: what was thrown can be anything that a flow has put into a message.
 */
export function toActionError(thrown: unknown, context: Circumstances): ActionError {
  try {
    return isActionError(thrown) ? completed(thrown, context) : described(thrown, context);
  } catch {
    const { service, operation } = context;
    return indescribable({ ...(service && { service }), ...(operation && { operation }) });
  }
}
