import { ActionError, FieldError, foreignText, indescribable, isActionError } from '../fields/errors';
import { inLines, inOneLine } from '../fields/lines';
import { labelsOf } from '../fields/words';
import type { Described, Failure } from './failure';
import { failureOf } from './failure';
import { couldNotConnect, describeNetwork, isNetworkCode, proxyPasswordText } from './network-failures';
import { redact, redactDeep } from './redaction';
import { describeService } from './service-errors';

/** Describes an answer that is not from AWS: the SDK cannot parse it, or finds no error name in it. */
function describeForeign(failure: Failure, status: number): Described {
  // Only proxies answer with 407.
  if (status === 407) return { name: 'UnknownError', message: `${proxyPasswordText} (HTTP 407)`, retryable: false };
  return {
    name: 'UnknownError',
    message: foreignText(status),
    retryable: status >= 500 || status === 408 || status === 429 || failure.name === 'TimeoutError'
  };
}

/** JavaScript's own errors, such as a TypeError of the SDK over an answer with unexpected types. */
const ofJavaScript = new Set([
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError'
]);

/** Describes an error that nothing else describes. */
function describeUnforeseen({ name = 'Error', message = '' }: Failure): Described {
  const text = message === '' ? name : `${name}: ${message}`;
  return { name: 'UnknownError', message: `Something unforeseen went wrong: ${text}`, retryable: false };
}

/** AWS's names of errors, with or without a namespace. A gateway may send anything as a code. */
const isErrorName = /^[a-z][\w.:-]*$/i;

/** The SDK's names of errors for an answer without an error of AWS, or that it cannot parse. */
const unreadable = new Set([...ofJavaScript, 'UnknownError', 'Unknown']);
const isUnreadable = ({ name = '', message = '', $metadata }: Failure): boolean =>
  unreadable.has(name) || !isErrorName.test(name) || ($metadata?.requestId === undefined && unreadable.has(message));

function describe(failure: Failure, status: number | undefined): Described {
  if (couldNotConnect(failure) && !isNetworkCode(failure.code)) {
    return { name: 'Timeout', message: 'No connection to the service could be made in time.', retryable: true };
  }
  if (failure.$fault === undefined && isNetworkCode(failure.code)) return describeNetwork(failure, failure.code);
  if (status === 407 || (isUnreadable(failure) && status !== undefined)) return describeForeign(failure, status);
  return ofJavaScript.has(failure.name ?? 'Error') ? describeUnforeseen(failure) : describeService(failure, status);
}

/**
 * Strikes secrets out of an error of the pack: out of its text, its stack, which repeats the text, and its other
 * members.
 */
function redactMembers(error: ActionError, secrets: string[]): void {
  const cleanAll = (members: object) => {
    for (const [key, value] of Object.entries(members)) {
      // The results of many targets: their errors are clean already, and the answers are handed to the flow as they are.
      if (key !== 'results') Object.assign(members, { [key]: redactDeep(value, secrets) });
    }
  };
  error.message = redact(error.message, secrets);
  error.stack = redact(error.stack ?? '', secrets);
  cleanAll(error);
  if (typeof error.cause === 'object' && error.cause !== null) cleanAll(error.cause);
}

/** Where an error happened; `secrets` are struck out of every text. */
interface Circumstances {
  /** The node's type, for the labels of its fields. */
  type?: string;
  service?: string;
  operation?: string;
  secrets: string[];
}

function described(thrown: unknown, { service, operation, secrets }: Circumstances): ActionError {
  const clean = (text: string) => redact(text, secrets);
  const found = failureOf(thrown);
  // Before the pack's own texts are added, in which a secret that is a common word must not be struck out.
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

/** Adds to an error of the pack where it happened. */
function completed(error: ActionError, context: Circumstances): ActionError {
  const { service = context.service, operation = context.operation } = error;
  if (error instanceof FieldError && context.type) error.useLabels(labelsOf(context.type));
  redactMembers(error, context.secrets);
  return Object.assign(error, service && { service }, operation && { operation });
}

/**
 * The error to report for whatever was thrown while a message was handled. Of an SDK error only known members are taken,
 * since it holds the signed request. Never throws itself, although what was thrown can be anything from a message.
 */
export function toActionError(thrown: unknown, context: Circumstances): ActionError {
  try {
    return isActionError(thrown) ? completed(thrown, context) : described(thrown, context);
  } catch {
    const { service, operation } = context;
    return indescribable({ ...(service && { service }), ...(operation && { operation }) });
  }
}
