import {
  ActionError,
  FieldError,
  foreignText,
  indescribable,
  inLines,
  inOneLine,
  isActionError,
  memberOf,
  metadataOf,
  nameOf,
  textOf
} from './errors';
import { present } from './json';
import { redact, redactDeep } from './redaction';
import { isBecomingReady, mayPass, wasThrottled } from './retryable';
import { labelsOf } from './words';

/** The members of an SDK, Node.js or OpenSSL error that are read here; any of them may be absent. */
interface Failure {
  name?: string;
  message?: string;
  code?: unknown;
  Code?: unknown;
  syscall?: string;
  /** Of an AggregateError: one for each address of a host that was tried. */
  errors?: unknown[];
  /** The connection to a proxy failed, or the proxy refused: see `proxy.ts`. */
  proxy?: boolean;
  /** What a proxy answered instead of opening a tunnel. */
  statusCode?: number;
  /** Whose fault it is; only of what a service answered: the SDK copies every member of the answer into the error. */
  $fault?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

/** Network failures before a single byte of the request was sent, by the system call that failed. */
const connecting = new Set(['connect', 'getaddrinfo']);

/** True when the request cannot have reached the service: no connection was made at all. */
export function couldNotConnect(error: unknown): boolean {
  const failure = failureOf(error);
  const { proxy, errors = [], $fault } = failure;
  if ($fault !== undefined) return false;
  if (proxy === true) return true;
  return errors.length > 0 ? errors.every((each) => isOfConnecting(failureOf(each))) : isOfConnecting(failure);
}

function isOfConnecting({ name, code, syscall, message = '' }: Failure): boolean {
  if (syscall !== undefined && connecting.has(syscall)) return true;
  // The SDK's connection time limit has no code of its own, only this text.
  return name === 'TimeoutError' && code === undefined && message.includes('did not establish a connection');
}

/** True when a service refused a whole batch for what is in it, so that some of its entries may be all right. */
export function refusedTogether(error: unknown): boolean {
  if (metadataOf(error).httpStatusCode === 413) return true;
  return /^(BatchRequestTooLong|InvalidAttribute|InvalidMessage|InvalidParameter|ParameterValueInvalid|Validation)/.test(
    nameOf(error)
  );
}

const refusals = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException'
]);

/** True when the service says that the credentials are no longer valid, or never were: others may be by now. */
export const credentialsRefused = (error: unknown): boolean => refusals.has(nameOf(error));

const signatureRefusals = new Set([
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch'
]);

/** True when the service says that the signature is not right: the secret key is wrong, or the time that it was made for. */
export const signatureRefused = (error: unknown): boolean => signatureRefusals.has(nameOf(error));

/** Node.js's own network error codes: upper case letters, digits and underscores, `ECONNRESET` or `CERT_HAS_EXPIRED`. */
const isNetworkCode = (code: unknown): code is string =>
  typeof code === 'string' && /^(E[A-Z]+|[A-Z]+(_[A-Z]+)+)$/.test(code);

/** Characters of an error's name, which a status and `code` show; a gateway may send any. */
const longestName = 100;

/** What the refusals that people meet most mean for them; the service's own text follows in brackets. */
const meanings: Record<string, string> = {
  AccessDenied: 'This sign-in is not allowed to do that: allow it in a policy, or choose another sign-in.',
  AccessDeniedException: 'This sign-in is not allowed to do that: allow it in a policy, or choose another sign-in.',
  AuthorizationErrorException:
    'This sign-in is not allowed to do that: allow it in a policy, or choose another sign-in.',
  CredentialsProviderError: 'No usable keys were found: check in the aws-account where they come from.',
  ExpiredToken: 'The keys are no longer valid: sign in again, or renew the session token.',
  ExpiredTokenException: 'The keys are no longer valid: sign in again, or renew the session token.',
  ImageTooLargeException: 'The picture is too large for the service.',
  InvalidClientTokenId: 'AWS does not know this access key ID or session token: check both.',
  InvalidImageFormatException: 'The service cannot decode the picture: it has to be a JPEG or PNG that is not broken.',
  InvalidS3ObjectException:
    'The picture in S3 cannot be read: check bucket and key, that the bucket is in the same region, and that this sign-in may call s3:GetObject.',
  InvalidSignatureException: 'The secret access key is wrong, or the clock of this machine.',
  NotFoundException: 'There is no such topic or endpoint: check its ARN.',
  QueueDoesNotExist: 'There is no such queue: check its name, the region and the account.',
  ResourceNotFoundException: 'There is nothing by this name: check the name, the region and the account.',
  SignatureDoesNotMatch: 'The secret access key is wrong, or the clock of this machine.',
  UnrecognizedClientException: 'AWS does not know this access key ID or session token: check both, and the region.'
};

/** What a refusal means and what to do; any other fault of the service may pass by itself. */
function meaningOf(name: string, failure: Failure, status: number | undefined): string | undefined {
  if (name === 'AccessDenied' && failure.message?.includes('sts:AssumeRole')) {
    return 'The role cannot be assumed: check its ARN, its trust policy, the External ID, and that the sign-in may call sts:AssumeRole.';
  }
  if (Object.hasOwn(meanings, name)) return meanings[name];
  if (wasThrottled(failure)) return 'There were too many requests: send fewer at a time, or try again later.';
  if (isBecomingReady(failure)) return 'It is just being made ready: try again in a moment.';
  return isOwnFault(failure, status) ? 'The service has a fault of its own: try again later.' : undefined;
}

/** True when the service says that the request was all right. */
const isOwnFault = (failure: Failure, status: number | undefined): boolean =>
  mayPass(failure) !== false && (failure.$fault === 'server' || (status !== undefined && status >= 500));

const networkTexts: Record<string, string> = {
  EAI_AGAIN: 'The name of the service could not be looked up: check the network, its DNS and the region.',
  ECONNREFUSED: 'Nothing answers at the address of the service: check the endpoint and the network.',
  ECONNRESET: 'The connection broke before the answer came; the request may have been carried out.',
  EHOSTUNREACH: 'The service cannot be reached from this network.',
  ENETUNREACH: 'The service cannot be reached: there is no network.',
  ENOTFOUND: 'The address of the service was not found: check the network, the region and the endpoint.',
  EPIPE: 'The connection broke before the answer came; the request may have been carried out.',
  ETIMEDOUT: 'The service did not answer in time; the request may have been carried out.'
};

interface Described {
  name: string;
  message: string;
  retryable: boolean;
}

const proxyRefusal =
  'The proxy does not accept the user name and password, or wants some: check HTTPS_PROXY and HTTP_PROXY in the environment.';

/** The proxy that the environment names is at fault; a service has not seen the request. */
function describeProxy({ message, statusCode }: Failure, code: string): Described {
  const name = code === 'ETIMEDOUT' ? 'Timeout' : code;
  const [detail] = (message || code).split('\n', 1) as [string];
  if (statusCode === 407) return { name, message: `${proxyRefusal} (${detail})`, retryable: false };
  if (code === 'ERR_PROXY_TUNNEL') {
    return { name, message: `The proxy made no connection to the service. (${detail})`, retryable: true };
  }
  const mismatch = describeMismatch(code) !== undefined;
  const what = mismatch ? 'No TLS connection to the proxy could be made' : 'The proxy cannot be reached';
  const check = 'check HTTPS_PROXY and HTTP_PROXY in the environment';
  return { name, message: `${what}: ${check}. (${detail})`, retryable: !mismatch };
}

/** An answer that does not come from AWS: the SDK fails to parse it, or finds no error name in it. */
function describeForeign(failure: Failure, status: number): Described {
  // No service answers so.
  if (status === 407) return { name: 'UnknownError', message: `${proxyRefusal} (HTTP 407)`, retryable: false };
  return {
    name: 'UnknownError',
    message: foreignText(status),
    retryable: status >= 500 || status === 408 || status === 429 || failure.name === 'TimeoutError'
  };
}

/** Something answers that is not what the endpoint promises: trying again does not help. */
function describeMismatch(code: string): string | undefined {
  if (code.startsWith('HPE_')) return 'The answer is not HTTP: check the endpoint.';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return 'No TLS connection could be made: check the endpoint, and whether it is http or https.';
  }
  if (/CERT|SIGNATURE/.test(code)) {
    return 'The certificate of the service is not trusted: check the endpoint, the clock and the certificates known here.';
  }
  return undefined;
}

function describeNetwork(failure: Failure, code: string): Described {
  if (failure.proxy === true) return describeProxy(failure, code);
  const mismatch = describeMismatch(code);
  if (mismatch) return { name: code, message: `${mismatch} (${code})`, retryable: false };
  // The SDK adds a line of its own to some.
  const [detail] = (failure.message || code).split('\n', 1) as [string];
  const text = networkTexts[code];
  const name = code === 'ETIMEDOUT' ? 'Timeout' : code;
  return { name, message: text ? `${text} (${detail})` : detail, retryable: true };
}

function describeService(failure: Failure, status: number | undefined): Described {
  const name = failure.name || 'UnknownError';
  const meaning = meaningOf(name, failure, status);
  // Some texts go on with what was signed, line by line.
  const [text] = (failure.message || name).split('\n', 1) as [string];
  return {
    name,
    message: meaning ? `${meaning} (${text})` : text,
    retryable: mayPass(failure) ?? isOwnFault(failure, status)
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

/** Characters of a text that are read: far more than are shown, so that no secret is shown that was cut in two. */
const longestRead = 20_000;

/** Of the addresses of a host, as many as are looked at. */
const mostErrors = 100;

function listOf(value: unknown): unknown[] | undefined {
  try {
    return Array.isArray(value) ? value.slice(0, mostErrors) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads what was thrown, which can be anything; looking at it may throw again. An answer may hold anything where text is
 * expected, such as the list of texts that some gateways give.
 */
function failureOf(thrown: unknown): Failure {
  if (typeof thrown !== 'object' || thrown === null) return { message: textOf(thrown) };
  const member = (name: string) => memberOf(thrown, name);
  const text = (name: string) => {
    const value = member(name);
    return value === undefined ? undefined : textOf(value).slice(0, longestRead);
  };
  const statusCode = member('statusCode');
  const status = memberOf(member('$response'), 'statusCode');
  const $metadata = { ...(typeof status === 'number' && { httpStatusCode: status }), ...metadataOf(thrown) };
  return present({
    name: text('name')?.slice(0, longestName),
    message: text('message'),
    code: member('code'),
    syscall: text('syscall'),
    errors: listOf(member('errors')),
    proxy: member('proxy') === true || undefined,
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
    $fault: text('$fault'),
    $metadata
  });
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
