import { ActionError } from '../fields/errors';
import type { ResolvedConfig } from './profiles';
import { oneEndpointForAll, resolveConfig, sharedFilesStamp } from './profiles';
import type { ServiceClock } from './service-clock';
import type { InnerClientOptions, SignIn, SignInProvider } from './sign-in';
import { noKeysName, signInProvider } from './sign-in';

/** How often it is looked whether the shared files are others, ms: each time takes some µs. */
const lookAgain = 10;

/** Where requests go, and who signs them: keys, region and endpoint belong together. */
export interface Destination extends ResolvedConfig {
  /** Told apart from those before it. */
  readonly number: number;
  readonly provider: SignInProvider;
}

const isSameConfig = (one: ResolvedConfig, other: ResolvedConfig): boolean =>
  one.region === other.region && JSON.stringify(one.endpoints) === JSON.stringify(other.endpoints);

/** All destinations of all accounts of this process are numbered, so that nothing of one is taken for another's. */
let destinations = 0;

/** What an account says of where to go; blank is what the environment and the shared files say. */
export interface DestinationOptions {
  signIn: SignIn;
  region?: string | undefined;
  endpoint?: string | undefined;
}

/** Where the requests of an account go: found in the environment and the shared files, and again when these have changed. */
export class Destinations {
  /** Known as long as the shared files stay as they are. */
  #destination: Destination | undefined;
  /** The one before, which messages on their way may still use. */
  #former: Destination | undefined;
  #finding: Promise<Destination> | undefined;
  /** Whether the shared files have a say, what they were like when they were read, and when that was last looked at. */
  readonly #hasFiles: boolean;
  #stamp = '';
  #lookedAt = -Infinity;
  /** Why there is no destination: it stays so while the files do. */
  #obstacle: { stamp: string; error: unknown } | undefined;

  constructor(
    private readonly options: DestinationOptions,
    private readonly clock: ServiceClock,
    /** What a client that only signs in for a place has to be made with. */
    private readonly optionsFor: (config: ResolvedConfig) => InnerClientOptions,
    /** Called when there is another destination. */
    private readonly moved: () => void
  ) {
    const { signIn, region, endpoint } = options;
    this.#hasFiles = signIn.source !== 'keys' || !region || !endpoint;
  }

  /** Where requests go, as far as that is known and the shared files are still the same. */
  get current(): Destination | undefined {
    const isDue = this.#hasFiles && performance.now() - this.#lookedAt >= lookAgain;
    return this.#finding || (isDue && this.#isChanged()) ? undefined : this.#destination;
  }

  /** The secrets that the last two sign-ins have brought. */
  secrets(): string[] {
    return [this.#destination, this.#former].flatMap((each) => each?.provider.secrets() ?? []);
  }

  /** Somebody may be putting the files right just now. */
  lookAgain(): void {
    this.#lookedAt = -Infinity;
  }

  /** Reads environment and files, once for all who need them. Rejects with what is wrong there. */
  find(): Promise<Destination> {
    this.#finding ??= this.#lookUp().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  #isChanged(): boolean {
    const isChanged = sharedFilesStamp() !== this.#stamp;
    // Until they have been read, whoever comes next has to look as well.
    this.#lookedAt = isChanged ? -Infinity : performance.now();
    return isChanged;
  }

  async #lookUp(): Promise<Destination> {
    // What changes while they are read is found the next time.
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
        this.clock
      )
    };
    this.#former = this.#destination;
    this.#destination = destination;
    this.moved();
    return destination;
  }

  /** Keys that were read after the files had changed must not sign for the place that these named before. */
  async #verify(destination: Destination): Promise<void> {
    if (!this.#hasFiles || !this.#isChanged() || (await this.find()) === destination) return;
    throw new ActionError(
      noKeysName,
      'The shared files were changed while this message was on its way, and name another region or endpoint: send it again.',
      { retryable: true }
    );
  }
}
