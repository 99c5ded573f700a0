/** Credentials that all clients of an account share: asked for once, and again before they expire. */
import { copyError } from '../fields/errors';
import type { Identity, Provider } from './identity';
import { ServiceClock } from './service-clock';

/** A provider that all clients of an account share. It asks its source once, and again before the credentials expire. */
export interface SharedProvider extends Provider {
  /** Tells the SDK's clients not to cache the credentials themselves. */
  readonly memoized: true;
  /** Drops credentials that a service has refused, by their access key ID, so that the source is asked again. */
  forget(accessKeyId: string): void;
  /** Drops the credentials and failures, to be called when the source has changed. */
  reset(): void;
}

/** Credentials are renewed in the background when a tenth of their lifetime is left, but at most so many ms. */
const longestWindow = 5 * 60_000;

/** How long credentials are kept if their stated expiration has passed already, ms. */
const unknownTime = 5 * 60_000;

/** The pause after the second failure in a row, ms; it doubles with each further one. After the first there is none. */
const firstPause = 100;
/** The longest pause, ms: without valid credentials, and while the old ones are still valid. */
const longestPause = { waiting: 5000, serving: 60_000 };
/** After so many ms without a failure, the next one counts as the first. */
const calm = 2 * longestPause.serving;

/** Counts failures in a row and makes pauses between attempts, so that a failing source is not asked for each message. */
class Failures {
  #count = 0;
  #last = -Infinity;

  add(): void {
    const now = performance.now();
    this.#count = now - this.#last > calm ? 1 : this.#count + 1;
    this.#last = now;
  }

  /** Whether it is too early to ask again. */
  isPause(longest: number): boolean {
    const pause = this.#count < 2 ? 0 : firstPause * 2 ** (this.#count - 2);
    return performance.now() - this.#last < Math.min(longest, pause);
  }

  clear(): void {
    this.#count = 0;
  }
}

interface Held {
  identity: Identity;
  /** When they were received, ms of `performance.now()`. */
  since: number;
}

/** The lifetime of credentials from when they were received, by the time of AWS as it is known now; ms. */
function lifetimeOf({ identity, since }: Held, clock: ServiceClock): number {
  const { expiration, originalExpiration = expiration } = identity;
  const stated = (originalExpiration?.getTime() ?? Infinity) - clock.at(since);
  // If fresh credentials seem to have expired, the clock is ahead. If AWS refuses them, they are dropped anyway.
  return stated > 0 ? stated : unknownTime;
}

/** What a shared provider knows: the credentials that it has, and the last failure. */
class SharedCredentials {
  #held: Held | undefined;
  #asking: Promise<Identity> | undefined;
  /** Why the last attempt failed. During a pause, messages fail with it at once. */
  #failure: { error: unknown } | undefined;
  readonly #failures = new Failures();

  constructor(
    private readonly source: Provider,
    private readonly clock: ServiceClock,
    private readonly renewalFailed: (error: unknown) => void
  ) {}

  async get(): Promise<Identity> {
    const held = this.#held;
    const age = held ? performance.now() - held.since : 0;
    const lifetime = held ? lifetimeOf(held, this.clock) : 0;
    if (!held || age >= lifetime) {
      const isPause = this.#asking === undefined && this.#failures.isPause(longestPause.waiting);
      if (this.#failure && isPause) throw copyError(this.#failure.error);
      return this.#ask().catch((error) => {
        throw copyError(error);
      });
    }
    // Nobody waits for a renewal while the old credentials are valid.
    const renewAt = lifetime - Math.min(longestWindow, lifetime / 10);
    if (age >= renewAt && !this.#failures.isPause(longestPause.serving)) this.#ask().catch(() => undefined);
    return held.identity;
  }

  forget(accessKeyId: string): void {
    // Credentials that are refused every time, such as a wrong key in a file, are not read again for each message.
    if (this.#held?.identity.accessKeyId !== accessKeyId || this.#failures.isPause(longestPause.waiting)) return;
    this.#failures.add();
    this.#held = undefined;
  }

  reset(): void {
    this.#failures.clear();
    this.#held = undefined;
    this.#asking = undefined;
    this.#failure = undefined;
  }

  /** Asks the source. All callers in the meantime wait for the same answer. */
  #ask(): Promise<Identity> {
    if (this.#asking !== undefined) return this.#asking;
    const asking = this.source();
    this.#asking = asking;
    asking.then(
      (identity) => this.#answered(asking, () => this.#keep(identity)),
      (error) => this.#answered(asking, () => this.#fail(error))
    );
    return asking;
  }

  #answered(asking: Promise<Identity>, note: () => void): void {
    // After a reset, the answer of the former source does not count.
    if (this.#asking !== asking) return;
    this.#asking = undefined;
    note();
  }

  #keep(identity: Identity): void {
    this.#held = { identity, since: performance.now() };
    this.#failure = undefined;
  }

  #fail(error: unknown): void {
    const held = this.#held;
    const isValid = held !== undefined && performance.now() - held.since < lifetimeOf(held, this.clock);
    const isFirst = this.#failure === undefined;
    this.#failures.add();
    this.#failure = { error };
    if (isFirst && isValid) this.renewalFailed(error);
  }
}

/**
 * Makes a shared provider of a source. `clock` has the time of AWS, by which credentials expire. `renewalFailed` is called
 * with the first of several failures in a row while the old credentials are still valid.
 */
export function share(
  source: Provider,
  clock = new ServiceClock(),
  renewalFailed: (error: unknown) => void = () => undefined
): SharedProvider {
  const shared = new SharedCredentials(source, clock, renewalFailed);
  return Object.assign(() => shared.get(), {
    memoized: true as const,
    forget: (accessKeyId: string) => shared.forget(accessKeyId),
    reset: () => shared.reset()
  });
}
