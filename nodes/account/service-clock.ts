import { memberOf } from '../fields/thrown';
import type { SdkClient, Signer } from './sdks';
import { credentialsRefused, signatureRefused } from './service-errors';

interface Answered {
  headers: Record<string, string>;
}

/** AWS refuses signatures that differ by 5 minutes from its own time; a little less, as in the SDK, ms. */
const tolerance = 240_000;

/** Remembers the last result: the next text is usually the same, and parsing a date is slow. */
function remembering(read: (text: string) => number): (text: string) => number {
  let last = '';
  let value = Number.NaN;
  return (text) => {
    if (text !== last) {
      value = read(text);
      last = text;
    }
    return value;
  };
}

/** The time of a `Date` header, ms since the epoch; NaN if it is not valid. */
const dateOf = remembering(Date.parse);

/** The same for an `X-Amz-Date` header, such as 20261130T120000Z. */
const signedAt = remembering((stamp) =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
);

/** Whether an answer has a request ID, as those of AWS have. The clock of a proxy or portal on the way may be wrong. */
const isOfService = ({ headers }: Answered): boolean =>
  ['x-amzn-requestid', 'x-amzn-request-id', 'x-amz-request-id'].some((name) => headers[name] !== undefined);

/**
 * The time of AWS, learnt from the answers to one account. Between answers it advances with `performance.now()`, so that it
 * does not matter if the clock of this machine is wrong or is set.
 */
export class ServiceClock {
  /** The time when `performance.now()` was 0, ms since the epoch. Until the first answer it is that of this machine. */
  // biome-ignore lint/plugin/clock: before the first answer of AWS there is no other clock
  #zero = Date.now() - performance.now();
  /** Answers to requests whose signature had another time than the service. */
  readonly #mistimed = new WeakSet<object>();

  /** The time of AWS at a moment of `performance.now()`, by default now; ms since the epoch. */
  at(moment = performance.now()): number {
    return this.#zero + moment;
  }

  /** Learns the time from an answer that came `ms` after its request was signed and sent. */
  hear(request: Answered, response: Answered, ms: number): void {
    const { date = '', age } = response.headers;
    const earliest = dateOf(date);
    // An answer from a cache has an `Age` header and an old date.
    if (Number.isNaN(earliest) || age !== undefined) return;
    // The date has whole seconds, and may have been written at any time since the request.
    const latest = earliest + 1000 + ms;
    if (isOfService(response)) {
      const now = this.at();
      this.#zero += Math.min(Math.max(now, earliest), latest) - now;
    }
    const signed = signedAt(request.headers['x-amz-date'] ?? '');
    if (signed > latest + tolerance || signed + ms < earliest - tolerance) this.#mistimed.add(response);
  }

  /** Whether the signature of a request had another time than the service that has sent this answer. */
  isMistimed(response: object): boolean {
    return this.#mistimed.has(response);
  }

  /** Whether AWS has refused a request for the time in its signature. Nothing was carried out then. */
  hasRefused(error: unknown): boolean {
    const response = memberOf(error, '$response');
    const isRefused = signatureRefused(error) || credentialsRefused(error);
    return isRefused && typeof response === 'object' && response !== null && this.#mistimed.has(response);
  }
}

/**
 * Makes a client sign with the time of the service. The SDK itself uses the clock of this machine, corrected by the date of
 * any answer, even of a proxy.
 */
export function signForTimeOf(clock: ServiceClock, { config }: Pick<SdkClient, 'config'>): void {
  config.disableClockSkewCorrection = async () => true;
  const { signer } = config;
  let made: Promise<Signer> | undefined;
  const timed = (its: Signer): Signer => ({
    sign: (request, options) => its.sign(request, { ...options, signingDate: new Date(clock.at()) })
  });
  // The SDK would make a signer for each request, although one serves for all: it gets the date with each request.
  config.signer = (scheme) => {
    made ??= signer(scheme).then(timed);
    return made;
  };
}
