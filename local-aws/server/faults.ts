import { AwsError, errorAnswer } from './aws-error';
import type { Answer, ServiceCall } from './call';
import { expiredToken } from './sigv4';

/** Faults instead of the work; `delay` happens before it. */
const before = ['throttle', 'error500', 'error503', 'html', 'expired', 'resetBefore', 'hang', 'delay'] as const;
/** Faults after the work. */
const after = ['resetAfter', 'hangAfter', 'delayAfter', 'truncate', 'badJson'] as const;
/** The caller has no rights; the service answers as it does then. */
const instead = ['denied'] as const;
/** Some entries of a batch fail. */
const inBatches = ['entries'] as const;
const kinds: readonly string[] = [...before, ...after, ...instead, ...inBatches];

export type FaultKind = (typeof before | typeof after | typeof instead | typeof inBatches)[number];

/** A fault, and the requests that it applies to. */
export interface Fault {
  readonly kind: FaultKind;
  readonly service?: string;
  readonly operation?: string;
  readonly functionName?: string;
  /** A text in the request's body: of one message among others. */
  readonly contains?: string;
  /** How many matching requests it applies to; default: all until it is cleared. */
  readonly times?: number;
  /** How many matching requests pass first. */
  readonly after?: number;
  /** The probability, 0 to 1. The same seed gives the same choices. */
  readonly probability?: number;
  readonly seed?: number;
  /** Of `delay` and `delayAfter`. */
  readonly delayMs?: number;
  /** Of `html`: its HTTP status. */
  readonly status?: number;
  /** Of `throttle`: sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** Of `entries`: the probability for each entry of a batch, 0 to 1; default: all of them fail. */
  readonly entryProbability?: number;
  /** Of `entries`: whether the entry is to blame, so that sending it again does not help. Default false. */
  readonly senderFault?: boolean;
}

interface Active extends Fault {
  seen: number;
  hits: number;
  readonly random: () => number;
}

/** A fault that applies to a call, and the source of its further random choices. */
export type Strike = Fault & Pick<Active, 'random'>;

/** The injected faults, in their order. */
export class Faults {
  #active: Active[] = [];

  /** Throws if there is no such kind of fault. */
  add(fault: Fault): void {
    if (!kinds.includes(fault.kind)) throw new Error(`There is no fault '${fault.kind}'.`);
    this.#active.push({ ...fault, seen: 0, hits: 0, random: randomNumbers(fault.seed ?? 1) });
  }

  clear(): void {
    this.#active = [];
  }

  /** The fault that applies to a call, if any. To be called once for each call. */
  next(call: ServiceCall, functionName: string | undefined): Strike | undefined {
    return this.#active.find((fault) => matches(fault, call, functionName) && strikes(fault));
  }
}

function matches(fault: Fault, call: ServiceCall, functionName: string | undefined): boolean {
  return (
    (fault.kind !== 'entries' || call.operation.endsWith('Batch')) &&
    (fault.service === undefined || fault.service === call.service) &&
    (fault.operation === undefined || fault.operation === call.operation) &&
    (fault.functionName === undefined || fault.functionName === functionName) &&
    (fault.contains === undefined || call.body.includes(fault.contains))
  );
}

function strikes(fault: Active): boolean {
  if (fault.hits >= (fault.times ?? Number.POSITIVE_INFINITY)) return false;
  fault.seen += 1;
  if (fault.seen <= (fault.after ?? 0)) return false;
  if (fault.probability !== undefined && fault.random() >= fault.probability) return false;
  fault.hits += 1;
  return true;
}

/** Random numbers from 0 to 1 that depend on the seed only: a linear congruential generator with Knuth's constants. */
function randomNumbers(seed: number): () => number {
  let state = BigInt(Math.trunc(seed));
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 11n) / 2 ** 53;
  };
}

/** The answer of a fault instead of the work; `undefined` for other kinds. */
export function answerInstead(fault: Fault, call: ServiceCall): Answer | undefined {
  if (fault.kind === 'html') return htmlPage(fault.status ?? 502);
  if (fault.kind === 'throttle') return errorAnswer(call, throttled(call, fault.retryAfterSeconds));
  if (fault.kind === 'error500') return errorAnswer(call, failed(call, 500));
  if (fault.kind === 'error503') return errorAnswer(call, failed(call, 503));
  if (fault.kind === 'expired') return errorAnswer(call, expiredToken(call));
  return undefined;
}

function throttled(call: ServiceCall, retryAfterSeconds: number | undefined): AwsError {
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  if (call.service === 'lambda') {
    const reason =
      call.operation === 'Invoke' ? 'ReservedFunctionConcurrentInvocationLimitExceeded' : 'CallerRateLimitExceeded';
    const fields = { Reason: reason, Type: 'User' };
    return new AwsError(429, 'TooManyRequestsException', 'Rate Exceeded.', { fields, headers });
  }
  if (call.service === 'sqs') return new AwsError(403, 'RequestThrottled', 'Request is throttled.', { headers });
  if (call.service === 'rekognition') {
    const code = 'ProvisionedThroughputExceededException';
    return new AwsError(400, code, 'Provisioned rate exceeded', { headers });
  }
  if (call.protocol === 'query') return new AwsError(400, 'Throttling', 'Rate exceeded', { headers });
  return new AwsError(400, 'ThrottlingException', 'Rate exceeded', { headers });
}

function failed(call: ServiceCall, status: 500 | 503): AwsError {
  if (status === 503) {
    const code = call.protocol === 'query' ? 'ServiceUnavailable' : 'ServiceUnavailableException';
    return new AwsError(503, code, 'Service is unable to handle request.');
  }
  if (call.service === 'rekognition') return new AwsError(500, 'InternalServerError', 'Internal server error');
  if (call.service !== 'lambda') return new AwsError(500, 'InternalFailure', 'An internal error occurred.');
  const details = { fields: { Type: 'Service' }, capital: true };
  return new AwsError(500, 'ServiceException', 'An error occurred and the request cannot be processed.', details);
}

function htmlPage(status: number): Answer {
  const title = { 502: '502 Bad Gateway', 503: '503 Service Temporarily Unavailable' }[status] ?? `${status} Error`;
  return {
    status,
    headers: { 'Content-Type': 'text/html' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center></body>\r\n</html>\r\n`,
    errorCode: 'html'
  };
}
