import { createHash } from 'node:crypto';
import { Agents } from './agents';
import { limitAnswer, type Response } from './answer-size';
import { checkAnswer } from './answers';
import { ActionError, anew, closed, invalid, memberOf } from './errors';
import type { Credentials } from './fields';
import { regionIs, regionPattern } from './fields';
import type { Limits } from './http-handler';
import { HttpHandler } from './http-handler';
import { messagesApart } from './message-bytes';
import type { Place } from './profiles';
import { everywhere, placeOf, sharedFilesStamp } from './profiles';
import type { AccountProxy } from './proxy';
import { proxyFor } from './proxy';
import { Rate } from './rate';
import { isRepeatable, longestWait } from './repeatable';
import type { Command, SdkClient, ServiceName } from './sdks';
import { clientClassOf, clientOptionsOf } from './sdks';
import { ServiceClock, signForTimeOf } from './service-clock';
import { credentialsRefused, signatureRefused } from './service-errors';
import type { Identity, InnerClientOptions, RequestHandler, SignIn, SignInProvider } from './sign-in';
import { at, signInProvider } from './sign-in';
import { unpack } from './unpack';

/** Per call: what ends it early. */
type CallLimits = Omit<Limits, 'answerWithin'>;

/** What the SDK tells of a request, in its output and in its errors. */
export interface Metadata {
  httpStatusCode?: number | undefined;
  requestId?: string | undefined;
  attempts?: number | undefined;
}

/** What every SDK output has. */
export interface Answer {
  $metadata: Metadata;
}

/** A call under way. */
interface Call {
  readonly service: ServiceName;
  readonly command: Command<unknown>;
  readonly limits: CallLimits;
  /** The signed header of its last request. */
  authorization?: string | undefined;
  /** The content type of the last answer. */
  contentType?: string | undefined;
}

/** How many clients are kept: messages may bring any number of regions and credentials. */
const mostClients = 32;

export interface ClientOptions {
  /** Blank: the account's. */
  region?: string | undefined;
  /** Used instead of the account's sign-in. */
  credentials?: Credentials | undefined;
  /** 1 for what must not be done twice; the SDK's standard is 3. */
  maxAttempts?: number | undefined;
}

export interface AccountOptions {
  signIn: SignIn;
  region?: string | undefined;
  endpoint?: string | undefined;
  /** What no error may quote, although it is no secret of AWS: what variables hold. */
  hidden?: readonly string[];
  /** Requests a second for each operation of Rekognition; 0 is no limit. */
  rekognitionRate: number;
}

/** How often it is looked whether the shared files are others, ms: each time takes some µs. */
const lookAgain = 10;

/** Where requests go, and who signs them: keys, region and endpoint belong together. */
interface Destination extends Place {
  /** Told apart from those before it. */
  readonly number: number;
  readonly provider: SignInProvider;
}

const isSamePlace = (one: Place, other: Place): boolean =>
  one.region === other.region && JSON.stringify(one.endpoints) === JSON.stringify(other.endpoints);

/** All destinations of all accounts of this process are numbered, so that nothing of one is taken for another's. */
let destinations = 0;

/**
 * The SDK clients of one account, made when they are first needed and shared by its nodes: one for each service,
 * region, and number of attempts. All of them use one set of connections.
 */
export class Clients {
  readonly #options: AccountOptions;
  readonly #proxy: AccountProxy;
  readonly #agents: Agents;
  readonly #rekognitionRate: Rate;
  readonly #clock = new ServiceClock();
  readonly #clients = new Map<string, Client>();
  /** By the command's input and by its last request. */
  readonly #calls = new WeakMap<object, Call>();
  readonly #handler: RequestHandler;
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
  /** The client that was asked for last: as a rule the next message needs the same one. */
  #latest: { client: Client; service: ServiceName; maxAttempts: number | undefined } | undefined;
  #users = 0;
  #closed = false;
  #ended = false;
  /** What the last question to an SSO portal was asked with. */
  #ssoToken = '';

  /** Reads from the environment which proxy to use; throws `InvalidValue` where that is none. */
  constructor(options: AccountOptions) {
    this.#options = options;
    this.#proxy = proxyFor(options.endpoint);
    this.#agents = new Agents(this.#proxy);
    this.#handler = this.#limiting(new HttpHandler(this.#agents));
    this.#rekognitionRate = new Rate(options.rekognitionRate);
    const { signIn, region, endpoint } = options;
    this.#hasFiles = signIn.source !== 'keys' || !region || !endpoint;
  }

  /** The client for a call. Throws `InvalidValue` for a region that would make no host name. */
  get(service: ServiceName, options: ClientOptions = {}): Client | Promise<Client> {
    const destination = this.#current();
    if (destination) return this.#client(service, destination, options);
    return this.#find().then(
      (found) => this.#client(service, found, options),
      (error) => {
        throw anew(error);
      }
    );
  }

  /** Signs in, if that has not been done. Rejects with what the SDK throws. */
  async identity(): Promise<Identity> {
    return (this.#current() ?? (await this.#find())).provider();
  }

  /** A node that uses the account says so, and so does each message on its way. */
  attach(): void {
    this.#users += 1;
  }

  /** Once for each time that it was attached. */
  detach(): void {
    this.#users -= 1;
    this.#end();
  }

  /** Ends all connections as soon as nobody uses them any more: nodes and accounts close side by side. */
  close(): void {
    this.#closed = true;
    this.#end();
  }

  /** Everything secret that this account knows at the moment. */
  secrets(): string[] {
    const { signIn, hidden = [] } = this.#options;
    const { keys, role } = signIn;
    const own = [...Object.values(keys ?? {}), role?.externalId ?? '', this.#ssoToken];
    const fetched = [this.#destination, this.#former].flatMap((each) => each?.provider.secrets() ?? []);
    // LocalStack takes an account's number for a key id, which stands in each ARN.
    return [...fetched, ...own, ...hidden, ...this.#proxy.secrets].filter((secret) => !/^\d{12}$/.test(secret));
  }

  /** Where requests go, as far as that is known and the shared files are still the same. */
  #current(): Destination | undefined {
    const isDue = this.#hasFiles && performance.now() - this.#lookedAt >= lookAgain;
    return this.#finding || (isDue && this.#isChanged()) ? undefined : this.#destination;
  }

  #isChanged(): boolean {
    const isChanged = sharedFilesStamp() !== this.#stamp;
    // Until they have been read, whoever comes next has to look as well.
    this.#lookedAt = isChanged ? -Infinity : performance.now();
    return isChanged;
  }

  /** Reads environment and files, once for all who need them. */
  #find(): Promise<Destination> {
    this.#finding ??= this.#lookUp().finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  async #lookUp(): Promise<Destination> {
    // What changes while they are read is found the next time.
    const stamp = this.#hasFiles ? sharedFilesStamp() : '';
    if (this.#obstacle?.stamp === stamp) throw this.#obstacle.error;
    try {
      const place = await this.#place();
      const known = this.#destination;
      this.#stamp = stamp;
      this.#obstacle = undefined;
      if (!known || !isSamePlace(known, place)) return this.#moveTo(place);
      known.provider.begin();
      return known;
    } catch (error) {
      this.#obstacle = { stamp, error };
      throw error;
    }
  }

  async #place(): Promise<Place> {
    const { signIn, region, endpoint } = this.#options;
    if (region && endpoint) return { region, endpoints: everywhere(endpoint) };
    return placeOf(signIn.profile, { region, endpoint });
  }

  #moveTo(place: Place): Destination {
    destinations += 1;
    const destination: Destination = {
      ...place,
      number: destinations,
      provider: signInProvider(
        this.#options.signIn,
        async () => this.#innerOptions(destination),
        () => this.#verify(destination),
        this.#clock
      )
    };
    this.#former = this.#destination;
    this.#destination = destination;
    this.#clients.clear();
    this.#latest = undefined;
    return destination;
  }

  /** Keys that were read after the files had changed must not sign for the place that these named before. */
  async #verify(destination: Destination): Promise<void> {
    if (!this.#hasFiles || !this.#isChanged() || (await this.#find()) === destination) return;
    throw new ActionError(
      'CredentialsProviderError',
      'The shared files were changed while this message was on its way, and name another region or endpoint: send it again.',
      { retryable: true }
    );
  }

  #end(): void {
    if (!this.#closed || this.#users > 0) return;
    this.#ended = true;
    this.#clients.clear();
    this.#agents.destroy();
  }

  /** Least recently used ones go first. They own nothing but memory, so that calls under way are not hurt. */
  #client(service: ServiceName, destination: Destination, options: ClientOptions): Client {
    const { region = destination.region, credentials, maxAttempts } = options;
    const latest = this.#latest;
    const same = latest?.client.region === region && latest.service === service && latest.maxAttempts === maxAttempts;
    if (same && !credentials) return latest.client;
    const { number, provider, endpoints } = destination;
    const key = `${number} ${service} ${region} ${maxAttempts ?? ''} ${credentials ? digest(credentials) : ''}`;
    let client = this.#clients.get(key);
    if (client) this.#clients.delete(key);
    else {
      if (!regionPattern.test(region))
        throw invalid('region', `must be ${regionIs}, but is ${JSON.stringify(region)}.`);
      const failed = (refusedKey: string | undefined) => {
        // Somebody may be putting the files right just now.
        this.#lookedAt = -Infinity;
        if (!credentials && refusedKey !== undefined) provider.forget(refusedKey);
      };
      const sdkClient = this.#make(service, {
        region,
        ...at(endpoints[service]),
        credentials: credentials ?? provider,
        maxAttempts
      });
      const rate = service === 'rekognition' ? this.#rekognitionRate : undefined;
      if (rate) keepRepetitionsUnder(rate, sdkClient, this.#calls);
      client = new Client(sdkClient, service, region, key, this.#calls, failed, this.#agents, this.#clock, rate);
    }
    this.#clients.set(key, client);
    const [oldest] = this.#clients.size > mostClients ? this.#clients.keys() : [];
    if (oldest !== undefined) this.#clients.delete(oldest);
    this.#latest = credentials ? undefined : { client, service, maxAttempts };
    return client;
  }

  #make(service: ServiceName, options: object): SdkClient {
    const { signIn } = this.#options;
    const ClientClass = clientClassOf(service);
    const client = new ClientClass({
      cacheMiddleware: true,
      ...(signIn.profile && { profile: signIn.profile }),
      ...clientOptionsOf(service),
      requestHandler: this.#handler,
      ...options
    });
    signForTimeOf(this.#clock, client);
    // Signed requests are copies: a call is followed from its input to its last request.
    client.middlewareStack.add(
      (next: (args: object) => unknown) => (args: { input: object; request: { headers: Record<string, string> } }) => {
        const call = this.#calls.get(args.input);
        if (call) {
          call.authorization = args.request.headers.authorization;
          this.#calls.set(args.request, call);
        }
        return next(args);
      },
      { step: 'deserialize', priority: 'low', name: 'followCall' }
    );
    return client;
  }

  /** Options in `send` would cost the SDK's cache of its middleware, so limits reach the handler by the request itself. */
  #limiting(handler: HttpHandler): RequestHandler {
    const limiting = Object.create(handler) as RequestHandler;
    limiting.handle = async (request) => {
      // Otherwise the SDK would try again what its end has cut off, such as a question for temporary credentials.
      if (this.#ended) throw closed();
      this.#ssoToken = request.headers['x-amz-sso_bearer_token'] ?? this.#ssoToken;
      const call = this.#calls.get(request);
      const sent = performance.now();
      const answer = await handler.handle(request, limitsOf(call, request));
      this.#clock.hear(request, answer.response, performance.now() - sent);
      if (call) call.contentType = answer.response.headers['content-type'];
      unpack(answer.response);
      // Who has no call is asked for a sign-in.
      const operation = call?.command.constructor.name;
      const isPayload = operation === 'InvokeCommand';
      const body = limitAnswer(answer.response as Response, call?.service ?? 'sts', isPayload);
      answer.response.body = operation === 'ReceiveMessageCommand' ? messagesApart(body) : body;
      return answer;
    };
    return limiting;
  }

  #innerOptions({ region, endpoints }: Place): InnerClientOptions {
    return { region, endpoints, requestHandler: this.#handler };
  }
}

/** Whether the SDK sends a request for the first time. */
const isFirst = ({ headers }: { headers: Record<string, string> }): boolean =>
  headers['amz-sdk-request']?.startsWith('attempt=1;') === true;

/**
 * What is no call, such as a question for temporary credentials, may be repeated. That is quick once only: where no connection
 * was dead, the link or the service is slow, and needs the time.
 */
function limitsOf(
  call: Call | undefined,
  request: { headers: Record<string, string>; body?: { length: number } }
): Limits {
  const { limits = {}, command } = call ?? {};
  if (!isFirst(request) || (command && !isRepeatable(command))) return limits;
  return { ...limits, answerWithin: limits.silence ?? longestWait(request.body?.length) };
}

/** What the SDK sends again by itself waits for its turn as well. */
function keepRepetitionsUnder(rate: Rate, client: SdkClient, calls: WeakMap<object, Call>): void {
  client.middlewareStack.addRelativeTo(
    (next: (args: object) => unknown, { commandName }: { commandName: string }) =>
      async (args: { input: object; request: { headers: Record<string, string> } }) => {
        if (!isFirst(args.request)) await rate.turn(commandName, calls.get(args.input)?.limits.abortSignal);
        return next(args);
      },
    // A signature is made for a moment.
    { relation: 'before', toMiddleware: 'httpSigningMiddleware', name: 'keepUnderRate' }
  );
}

/** The bytes of a picture in a command. */
const bytesOf = ({ Image }: { Image?: { Bytes?: Uint8Array | undefined } }): number => Image?.Bytes?.length ?? 0;

/** Hashed, so that no secret stands in a key that a heap dump or a debugger shows first. */
const digest = (credentials: Credentials) =>
  createHash('sha256')
    .update(JSON.stringify([credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken]))
    .digest('base64');

/** One of the SDK's clients, in one region. */
export class Client {
  constructor(
    private readonly client: SdkClient,
    private readonly service: ServiceName,
    readonly region: string,
    /** The same for all clients that send the same request in the same way, and no other account's or deployment's. */
    readonly key: string,
    private readonly calls: WeakMap<object, Call>,
    /** Told of each failure, with the access key id where that was refused. */
    private readonly failed: (refusedKey: string | undefined) => void,
    private readonly agents: Agents,
    private readonly clock: ServiceClock,
    private readonly rate?: Rate
  ) {}

  /** Closes the account's connections that have been idle for so many ms, since they may be dead. */
  closeIdle(ms: number): void {
    this.agents.closeIdle(ms);
  }

  /** Sends a command. A limit on silence of 0 is for calls that have a limit as a whole, which aborts `abortSignal`. */
  async send<Output extends Answer>(command: Command<Output>, limits: CallLimits): Promise<Output> {
    try {
      return await this.#send(command, limits);
    } catch (refusal) {
      if (!this.clock.hasRefused(refusal)) throw refusal;
      // By now the time of the service is known.
      const output = await this.#send(command, limits);
      output.$metadata.attempts = (output.$metadata.attempts ?? 1) + 1;
      return output;
    }
  }

  /** Before the command is written as JSON, which needs more memory than the picture in it. */
  async #turn(rate: Rate, command: Command<unknown>, { abortSignal }: CallLimits): Promise<void> {
    // Those that wait for the same sign-in would leave together.
    await this.client.config.credentials();
    await rate.enter(command.constructor.name, bytesOf(command.input), abortSignal);
  }

  async #send<Output extends Answer>(command: Command<Output>, limits: CallLimits): Promise<Output> {
    if (limits.abortSignal?.aborted) throw limits.abortSignal.reason;
    if (this.rate) await this.#turn(this.rate, command, limits);
    const call: Call = { service: this.service, command, limits };
    this.calls.set(command.input, call);
    try {
      const output = (await this.client.send(command)) as Output;
      checkAnswer(command.schema, output, call.contentType);
      return output;
    } catch (error) {
      // Whoever ended it has said why; the SDK only says that it was.
      if (limits.abortSignal?.aborted && memberOf(error, 'name') === 'AbortError') throw limits.abortSignal.reason;
      const signer = /Credential=([^/]+)/.exec(call.authorization ?? '')?.[1];
      const isForTime = signatureRefused(error) && this.clock.hasRefused(error);
      this.failed(credentialsRefused(error) && !isForTime ? signer : undefined);
      throw error;
    }
  }
}
