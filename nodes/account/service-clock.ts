import type { SdkClient, Signer } from './sdks';
import { credentialsRefused, signatureRefused } from './service-errors';

interface Answered {
  headers: Record<string, string>;
}

/** AWS refuses what was signed 5 minutes before or after its own time; ms. A little less, as the SDK does. */
const tolerance = 240_000;

/** Keeps what the last text was read as: as a rule the next one is the same, and to read a date takes a while. */
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

/** The time in a header `Date`, ms since the epoch; NaN where it holds none. */
const dateOf = remembering(Date.parse);

/** The same for a header `X-Amz-Date`, such as 20261130T120000Z. */
const signedAt = remembering((stamp) =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
);

/** An answer of AWS has a request ID. The clock of a proxy or a portal on the way may show anything. */
const isOfService = ({ headers }: Answered): boolean =>
  ['x-amzn-requestid', 'x-amzn-request-id', 'x-amz-request-id'].some((name) => headers[name] !== undefined);

/**
 * The time of AWS, as its answers tell it to one account. In between it goes on by `performance.now()`: no matter when,
 * and how far, the clock of this machine is set.
 */
export class ServiceClock {
  /** When `performance.now()` was 0, ms since the epoch; as long as no answer has come, by the clock of this machine. */
  // biome-ignore lint/plugin/clock: there is no other time before AWS has told its own
  #zero = Date.now() - performance.now();
  /** Answers to requests that were signed for another time than the service's. */
  readonly #mistimed = new WeakSet<object>();

  /** The time at a moment of `performance.now()`, or now; ms since the epoch. */
  at(moment = performance.now()): number {
    return this.#zero + moment;
  }

  /** Learns from an answer, which came `ms` after its request had been signed and sent. */
  hear(request: Answered, response: Answered, ms: number): void {
    const { date = '', age } = response.headers;
    const earliest = dateOf(date);
    // What comes out of a cache has an age, and the date of long ago.
    if (Number.isNaN(earliest) || age !== undefined) return;
    // Its date has whole seconds, and may have been written at any time since the request.
    const latest = earliest + 1000 + ms;
    if (isOfService(response)) {
      const now = this.at();
      this.#zero += Math.min(Math.max(now, earliest), latest) - now;
    }
    const signed = signedAt(request.headers['x-amz-date'] ?? '');
    if (signed > latest + tolerance || signed + ms < earliest - tolerance) this.#mistimed.add(response);
  }

  /** Whether a request was refused, and so before any work, that was signed for another time than the service's. */
  hasRefused(error: unknown): boolean {
    const { $response } = error as { $response?: object };
    const isRefused = signatureRefused(error) || credentialsRefused(error);
    return isRefused && $response !== undefined && this.#mistimed.has($response);
  }
}

/**
 * Lets a client sign for the time of the service. The SDK would follow the clock of this machine, and take its own time from
 * whatever answers.
 */
export function signForTimeOf(clock: ServiceClock, { config }: Pick<SdkClient, 'config'>): void {
  config.disableClockSkewCorrection = async () => true;
  const { signer } = config;
  let made: Promise<Signer> | undefined;
  const timed = (its: Signer): Signer => ({
    sign: (request, options) => its.sign(request, { ...options, signingDate: new Date(clock.at()) })
  });
  // The SDK would make a signer for each request. It takes what is signed, when, and the credentials each time anyway.
  config.signer = (scheme) => {
    made ??= signer(scheme).then(timed);
    return made;
  };
}
