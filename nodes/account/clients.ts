import { createHash } from 'node:crypto';
import { copyError, invalid } from '../fields/errors';
import type { Credentials } from '../fields/fields';
import { regionIs, regionPattern } from '../fields/fields';
import type { Meter } from '../metering/meter';
import { Agents } from './agents';
import { bytesOfAnswer } from './answer-size';
import type { CallLog } from './calls';
import type { CertificateSummary } from './certificate';
import { Client } from './client';
import type { Destination, DestinationOptions } from './destinations';
import { Destinations } from './destinations';
import { endpointOptions } from './endpoint-options';
import { Exchanges } from './exchanges';
import { HttpHandler } from './http-handler';
import type { Identity } from './identity';
import type { AccountProxy } from './proxy';
import { proxyFor } from './proxy';
import { Rate } from './rate';
import type { RequestHandler, SdkClient, ServiceName } from './sdks';
import { clientClassOf, clientOptionsOf } from './sdks';
import { ServiceClock, signForTimeOf } from './service-clock';

/** How many clients are kept. Messages may bring any number of regions and credentials. */
const mostClients = 32;

interface ClientOptions {
  /** Blank: the account's. */
  region?: string | undefined;
  /** Used instead of the account's sign-in. */
  credentials?: Credentials | undefined;
  /** 1 for requests that must not be repeated; the SDK's default is 3. */
  maxAttempts?: number | undefined;
}

interface AccountOptions extends DestinationOptions {
  /** Values of environment variables, which no error may quote. */
  hidden?: readonly string[];
  /** Requests a second for each operation of Rekognition; 0 is no limit. */
  rekognitionRate: number;
  meter: Meter;
  calls: CallLog;
  /** Called when credentials could not be renewed, and the old ones are still valid. */
  renewalFailed?: (error: unknown) => void;
}

/** A hash of credentials, so that the keys of the map hold no secret. */
const digest = (credentials: Credentials) =>
  createHash('sha256')
    .update(JSON.stringify([credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken]))
    .digest('base64');

/**
 * The SDK clients of one account, created on first use and shared by its nodes: one for each combination of service, region,
 * credentials and number of attempts. All of them use the same connections.
 */
export class Clients {
  readonly #options: AccountOptions;
  readonly #proxy: AccountProxy;
  readonly #agents: Agents;
  readonly #rekognitionRate: Rate;
  readonly #clock = new ServiceClock();
  readonly #exchanges: Exchanges;
  readonly #handler: RequestHandler;
  readonly #destinations: Destinations;
  readonly #clients = new Map<string, Client>();
  /** The client that was returned last: the next message usually needs the same one. */
  #latest: { client: Client; service: ServiceName; maxAttempts: number | undefined } | undefined;
  /** Called when a request has succeeded. */
  readonly #listeners = new Set<() => void>();
  #users = 0;
  #closed = false;
  #ended = false;

  /** Reads the proxy to use from the environment. Throws `InvalidValue` if that is not the URL of a proxy. */
  constructor(options: AccountOptions) {
    this.#options = options;
    this.#proxy = proxyFor(options.endpoint);
    this.#agents = new Agents(this.#proxy);
    this.#exchanges = new Exchanges(this.#clock, options.meter);
    this.#handler = this.#exchanges.handler(new HttpHandler(this.#agents), () => this.#ended);
    this.#rekognitionRate = new Rate(options.rekognitionRate);
    this.#destinations = new Destinations(
      options,
      this.#clock,
      ({ region, endpoints }) => ({
        region,
        endpoints,
        requestHandler: this.#handler,
        handlerWith: (host, tls) => this.#handlerWith(host, tls)
      }),
      () => this.#forgetClients(),
      options.renewalFailed
    );
  }

  /**
   * The client for a call. A promise only if the environment and the shared files have to be read first. Throws, or
   * rejects with, `InvalidValue` for a region that would make no host name.
   */
  get(service: ServiceName, options: ClientOptions = {}): Client | Promise<Client> {
    const destination = this.#destinations.current;
    if (destination) return this.#client(service, destination, options);
    return this.#destinations.find().then(
      (found) => this.#client(service, found, options),
      (error) => {
        throw copyError(error);
      }
    );
  }

  /** The account's credentials; signs in if necessary. Rejects with the SDK's error. */
  async identity(): Promise<Identity> {
    return (this.#destinations.current ?? (await this.#destinations.find())).provider();
  }

  /** The certificate of the latest sign-in, if the account signs in with one. */
  get certificate(): CertificateSummary | undefined {
    return this.#options.signIn.certificate?.summary;
  }

  /** Signs in anew before the next request. */
  signInAgain(): void {
    this.#destinations.signInAgain();
  }

  /** Calls `listener` after each request that succeeds, until the function that is returned is called. */
  onSuccess(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called by each node that uses the account, and for each message that is being handled. */
  attach(): void {
    this.#users += 1;
  }

  /** To be called once for each call of `attach`. */
  detach(): void {
    this.#users -= 1;
    this.#end();
  }

  /** Closes all connections once nothing is attached any more: Node-RED closes nodes and their accounts in any order. */
  close(): void {
    this.#options.meter.close();
    this.#closed = true;
    this.#end();
  }

  /** All secrets that the account holds at the moment. */
  secrets(): string[] {
    const { signIn, hidden = [] } = this.#options;
    const { keys, role, certificate } = signIn;
    const ofSignIn = [...Object.values(keys ?? {}), role?.externalId ?? '', ...(certificate?.secrets ?? [])];
    const own = [...ofSignIn, this.#exchanges.ssoToken];
    const all = [...this.#destinations.secrets(), ...own, ...hidden, ...this.#proxy.secrets];
    // LocalStack takes an account number as the access key ID; that is in every ARN and must not be struck out.
    return all.filter((secret) => !/^\d{12}$/.test(secret));
  }

  /** A handler whose connections to a host have options of TLS of their own. Throws `InvalidValue` as the constructor does. */
  #handlerWith(host: string, tls: object): RequestHandler {
    const agents = new Agents(proxyFor(`https://${host}`), tls);
    return this.#exchanges.handler(new HttpHandler(agents), () => this.#ended);
  }

  #end(): void {
    if (!this.#closed || this.#users > 0) return;
    this.#ended = true;
    this.#clients.clear();
    this.#agents.destroy();
  }

  #forgetClients(): void {
    this.#clients.clear();
    this.#latest = undefined;
  }

  /**
   * Finds or creates a client, and drops the least recently used one. Calls that still use that one are not affected.
   */
  #client(service: ServiceName, destination: Destination, options: ClientOptions): Client {
    const { region = destination.region, credentials, maxAttempts } = options;
    const latest = this.#latest;
    const same = latest?.client.region === region && latest.service === service && latest.maxAttempts === maxAttempts;
    if (same && !credentials) return latest.client;
    const key = `${destination.number} ${service} ${region} ${maxAttempts ?? ''} ${credentials ? digest(credentials) : ''}`;
    const client = this.#clients.get(key) ?? this.#make(key, service, region, destination, options);
    this.#clients.delete(key);
    this.#clients.set(key, client);
    const [oldest] = this.#clients.size > mostClients ? this.#clients.keys() : [];
    if (oldest !== undefined) this.#clients.delete(oldest);
    this.#latest = credentials ? undefined : { client, service, maxAttempts };
    return client;
  }

  #make(
    key: string,
    service: ServiceName,
    region: string,
    { provider, endpoints }: Destination,
    { credentials, maxAttempts }: ClientOptions
  ): Client {
    if (!regionPattern.test(region)) throw invalid('region', `must be ${regionIs}, but is ${JSON.stringify(region)}.`);
    const sdkClient = this.#makeSdkClient(service, {
      region,
      ...endpointOptions(endpoints[service]),
      credentials: credentials ?? provider,
      maxAttempts
    });
    const rate = service === 'rekognition' ? this.#rekognitionRate : undefined;
    if (rate) this.#exchanges.keepUnder(rate, sdkClient);
    return new Client(sdkClient, {
      service,
      region,
      key,
      rate,
      exchanges: this.#exchanges,
      agents: this.#agents,
      clock: this.#clock,
      meter: this.#options.meter,
      calls: this.#options.calls,
      secrets: () => [...this.secrets(), ...Object.values(credentials ?? {})],
      succeeded: () => {
        for (const listener of this.#listeners) listener();
      },
      failed: (refusedKey) => {
        this.#destinations.lookAgain();
        if (!credentials && refusedKey !== undefined) provider.forget(refusedKey);
      }
    });
  }

  #makeSdkClient(service: ServiceName, options: object): SdkClient {
    const { signIn } = this.#options;
    const ClientClass = clientClassOf(service);
    const client = new ClientClass({
      cacheMiddleware: true,
      streamCollector: bytesOfAnswer,
      ...(signIn.profile && { profile: signIn.profile }),
      ...clientOptionsOf(service),
      requestHandler: this.#handler,
      ...options
    });
    signForTimeOf(this.#clock, client);
    this.#exchanges.follow(client);
    return client;
  }
}
