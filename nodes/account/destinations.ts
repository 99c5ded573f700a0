import { ActionError } from '../fields/errors';
import type { InnerClientOptions } from './assume-role';
import { noKeysName } from './identity';
import type { ResolvedConfig } from './profiles';
import { oneEndpointForAll, resolveConfig, sharedFilesStamp } from './profiles';
import type { ServiceClock } from './service-clock';
import type { SignIn, SignInProvider } from './sign-in';
import { signInProvider } from './sign-in';

/** The shared files are checked for changes at most once in so many ms; a check takes some µs. */
const lookAgain = 10;

/** Where requests go and who signs them. Keys, region and endpoint belong together and change together. */
export interface Destination extends ResolvedConfig {
  /** Unique in this process. */
  readonly number: number;
  readonly provider: SignInProvider;
}

const isSameConfig = (one: ResolvedConfig, other: ResolvedConfig): boolean =>
  one.region === other.region && JSON.stringify(one.endpoints) === JSON.stringify(other.endpoints);

/**
 * How many destinations the accounts of this process have had: their numbers tell cached clients and queue URLs apart.
 */
let destinations = 0;

/**
 * The properties of an account that decide where requests go. The environment and the shared files decide what is
 * absent.
 */
export interface DestinationOptions {
  signIn: SignIn;
  region?: string | undefined;
  endpoint?: string | undefined;
}

/** Finds the destination of an account in the environment and the shared files, and again when these have changed. */
export class Destinations {
  /** Valid while the shared files do not change. */
  #destination: Destination | undefined;
  /** The one before, which messages that are being handled may still use. */
  #former: Destination | undefined;
  #finding: Promise<Destination> | undefined;
  /** Whether the shared files matter, their stamp when they were read, and when they were last checked for changes. */
  readonly #hasFiles: boolean;
  #stamp = '';
  #lookedAt = -Infinity;
  /** Why there is no destination. It is not looked for again until the files change. */
  #obstacle: { stamp: string; error: unknown } | undefined;

  constructor(
    private readonly options: DestinationOptions,
    private readonly clock: ServiceClock,
    /** The options of the SDK's own clients that only sign in. */
    private readonly optionsFor: (config: ResolvedConfig) => InnerClientOptions,
    /** Called when the destination has changed. */
    private readonly moved: () => void,
    /** Called when credentials could not be renewed, and the old ones are still valid. */
    private readonly renewalFailed: (error: unknown) => void = () => undefined
  ) {
    const { signIn, region, endpoint } = options;
    this.#hasFiles = !(signIn.source === 'keys' || signIn.source === 'certificate') || !region || !endpoint;
  }

  /** The destination, if it is known and the shared files have not changed since. */
  get current(): Destination | undefined {
    const isDue = this.#hasFiles && performance.now() - this.#lookedAt >= lookAgain;
    return this.#finding || (isDue && this.#isChanged()) ? undefined : this.#destination;
  }

  /** The secrets of the last two sign-ins. */
  secrets(): string[] {
    return [this.#destination, this.#former].flatMap((each) => each?.provider.secrets() ?? []);
  }

  /** Checks the files before the next request: after a failure somebody may have corrected them. */
  lookAgain(): void {
    this.#lookedAt = -Infinity;
  }

  /** Signs in anew before the next request, since what the sign-in is made of has changed. */
  signInAgain(): void {
    this.#destination?.provider.reset();
  }

  /** Reads the environment and the files, once for all callers. Rejects with `InvalidValue`, or the SDK's error. */
  find(): Promise<Destination> {
    this.#finding ??= this.#lookUp().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  #isChanged(): boolean {
    const isChanged = sharedFilesStamp() !== this.#stamp;
    // Every caller checks again until they have been read.
    this.#lookedAt = isChanged ? -Infinity : performance.now();
    return isChanged;
  }

  async #lookUp(): Promise<Destination> {
    // Taken before they are read, so that a change in between is noticed the next time.
    const stamp = this.#hasFiles ? sharedFilesStamp() : '';
    if (this.#obstacle?.stamp === stamp) throw this.#obstacle.error;
    try {
      const config = await this.#resolve();
      const known = this.#destination;
      this.#stamp = stamp;
      this.#obstacle = undefined;
      if (!known || !isSameConfig(known, config)) return this.#moveTo(config);
      known.provider.reset();
      return known;
    } catch (error) {
      this.#obstacle = { stamp, error };
      throw error;
    }
  }

  async #resolve(): Promise<ResolvedConfig> {
    const { signIn, region, endpoint } = this.options;
    if (region && endpoint) return { region, endpoints: oneEndpointForAll(endpoint) };
    return resolveConfig(signIn.profile, { region, endpoint });
  }

  #moveTo(config: ResolvedConfig): Destination {
    destinations += 1;
    const destination: Destination = {
      ...config,
      number: destinations,
      provider: signInProvider(
        this.options.signIn,
        async () => this.optionsFor(config),
        () => this.#verify(destination),
        this.clock,
        this.renewalFailed
      )
    };
    this.#former = this.#destination;
    this.#destination = destination;
    this.moved();
    return destination;
  }

  /** Keys that were read after the files had changed must not sign requests for the former region and endpoint. */
  async #verify(destination: Destination): Promise<void> {
    if (!this.#hasFiles || !this.#isChanged() || (await this.find()) === destination) return;
    throw new ActionError(
      noKeysName,
      'The shared files were changed while this message was on its way, and name another region or endpoint: send it again.',
      { retryable: true }
    );
  }
}
