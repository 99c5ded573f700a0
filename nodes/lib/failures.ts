import { ActionError } from './errors';

/** The members of an SDK, Node.js or OpenSSL error that are read here; any of them may be absent. */
interface Failure {
  name?: string;
  message?: string;
  code?: unknown;
  Code?: unknown;
  syscall?: string;
  /** Of an AggregateError: one for each address of a host that was tried. */
  errors?: unknown[];
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

/** Network failures before a single byte of the request was sent, by the system call that failed. */
const connecting = new Set(['connect', 'getaddrinfo']);

/** True when the request cannot have reached the service: no connection was made at all. */
export function couldNotConnect(error: unknown): boolean {
  const { name, code, syscall, message = '', errors = [] } = error as Failure;
  if (errors.length > 0) return errors.every(couldNotConnect);
  if (syscall !== undefined && connecting.has(syscall)) return true;
  // The SDK's connection time limit has no code of its own, only this text.
  return name === 'TimeoutError' && code === undefined && message.includes('did not establish a connection');
}

const throttlingNames = new Set([
  'EC2ThrottledException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'Throttled',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException'
]);

/** True when the service refused the request because of its rate, before doing any work. */
export function wasThrottled(error: unknown): boolean {
  const { name = '', $metadata } = error as Failure;
  return throttlingNames.has(name) || $metadata?.httpStatusCode === 429;
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
export const credentialsRefused = (error: unknown): boolean => refusals.has((error as Failure).name ?? '');

/** Node.js's own network error codes: upper case letters, digits and underscores, `ECONNRESET` or `CERT_HAS_EXPIRED`. */
const isNetworkCode = (code: unknown): code is string =>
  typeof code === 'string' && /^(E[A-Z]+|[A-Z]+(_[A-Z]+)+)$/.test(code);

/**
 * Strikes secrets out of a text that a service or a library wrote: the given ones wherever they stand, and anything
 * that stands where a signed header quotes a token, a credential or a signature.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  let clean = text
    .replace(/(x-amz-security-token['"]?\s*[:=]\s*)[^\s'",;&]+/gi, '$1***')
    .replace(/(\b(?:Credential|Signature)=)[^\s,;'"&]+/g, '$1***');
  for (const secret of secrets) {
    if (secret.length >= 4) clean = clean.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return clean;
}

/** Advice for what people meet most; the service's own text stays in front of it. */
const advice: Record<string, string> = {
  AccessDenied: 'Allow it in a policy, or choose another sign-in.',
  AccessDeniedException: 'Allow it in a policy, or choose another sign-in.',
  CredentialsProviderError: 'Choose in the aws-account where the keys come from, and check that they are there.',
  ExpiredToken: 'Sign in again, or renew the session token.',
  ExpiredTokenException: 'Sign in again, or renew the session token.',
  InvalidClientTokenId: 'Check the access key ID and the session token.',
  InvalidSignatureException: 'Check the secret access key and the clock of this machine.',
  ResourceNotFoundException: 'Check the name, the region and the account.',
  SignatureDoesNotMatch: 'Check the secret access key and the clock of this machine.',
  UnrecognizedClientException: 'Check the access key ID, the session token and the region.'
};

/** What to do about a refusal; any other fault of the service may pass by itself. */
function adviceFor(name: string, failure: Failure, status: number | undefined): string | undefined {
  if (advice[name]) return advice[name];
  if (wasThrottled(failure)) return 'Send less at a time, or try again later.';
  return status !== undefined && status >= 500
    ? 'The fault is on the side of the service: try again later.'
    : undefined;
}

const networkTexts: Record<string, string> = {
  EAI_AGAIN: 'The name of the service could not be looked up: check the network, its DNS and the region.',
  ECONNREFUSED: 'Nothing answers at the address of the service: check the endpoint and the network.',
  ECONNRESET: 'The connection broke before the answer came; the request may have been carried out.',
  EHOSTUNREACH: 'The service cannot be reached from this network.',
  ENETUNREACH: 'The service cannot be reached: there is no network.',
  ENOTFOUND: 'There is no such host: check the region and the endpoint.',
  EPIPE: 'The connection broke before the answer came; the request may have been carried out.',
  ETIMEDOUT: 'The service did not answer in time; the request may have been carried out.'
};

interface Described {
  name: string;
  message: string;
  retryable: boolean;
}

/** An answer that does not come from AWS: the SDK fails to parse it, or finds no error name in it. */
function describeForeign(failure: Failure, status: number): Described {
  return {
    name: 'UnknownError',
    message: `The answer (HTTP ${status}) is not one of AWS: a proxy or gateway may have given it; check the endpoint.`,
    retryable: status >= 500 || failure.name === 'TimeoutError'
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
  const hint = adviceFor(name, failure, status);
  const [line] = (failure.message || name).split('\n', 1) as [string];
  const text = hint ? line.replace(/ Check your AWS Secret Access Key.*$/, '') : line;
  return {
    name,
    message: hint ? `${text.replace(/[.\s]*$/, '')}. ${hint}` : text,
    retryable: wasThrottled(failure) || (status !== undefined && status >= 500)
  };
}

/** The SDK's names for an answer in which it finds no error of AWS. */
const unreadable = new Set(['SyntaxError', 'UnknownError', 'Unknown', 'Error']);

function describe(failure: Failure, status: number | undefined): Described {
  if (couldNotConnect(failure) && !isNetworkCode(failure.code)) {
    return { name: 'Timeout', message: 'No connection to the service could be made in time.', retryable: true };
  }
  if (isNetworkCode(failure.code)) return describeNetwork(failure, failure.code);
  if (unreadable.has(failure.name ?? '') && status !== undefined) return describeForeign(failure, status);
  return describeService(failure, status);
}

/**
 * The error to report for whatever was thrown on the way of a message: its listed members only, since an SDK error
 * holds the signed request. `secrets` are struck out of every text.
 */
export function toActionError(
  thrown: unknown,
  context: { service?: string; operation?: string; secrets: Iterable<string> }
): ActionError {
  if (thrown instanceof ActionError) {
    const { service = context.service, operation = context.operation } = thrown;
    return Object.assign(thrown, service && { service }, operation && { operation });
  }
  const failure: Failure = typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) };
  const statusCode = failure.$metadata?.httpStatusCode ?? failure.$response?.statusCode;
  const requestId = failure.$metadata?.requestId;
  const { name, message, retryable } = describe(failure, statusCode);
  const clean = (text: string) => redact(text, context.secrets);
  return new ActionError(name, clean(message), {
    ...(context.service && { service: context.service }),
    ...(context.operation && { operation: context.operation }),
    ...(statusCode !== undefined && { statusCode }),
    ...(requestId !== undefined && { requestId }),
    retryable,
    cause: { name: failure.name ?? 'Error', message: clean(failure.message ?? '').slice(0, 1000) }
  });
}
