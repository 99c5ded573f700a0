import { types } from 'node:util';
import type { Node, NodeAPI } from 'node-red';
import type { CurrentAccount } from './account';
import type { Action, Context, Result } from './action';
import type { Carrier, Lanes, Parcel, Request } from './batch';
import type { Answer, Client, Clients, Metadata } from './clients';
import type { ActionError } from './errors';
import { metadataOf } from './errors';
import type { Credentials, Fields, Inputs } from './fields';
import { present } from './json';
import type { Passage } from './passage';
import { redact } from './redaction';
import type { Command, Sdks, ServiceName } from './sdks';
import { sdkOf } from './sdks';

/** The deployed node that makes a call. */
export interface Caller<S extends ServiceName, F extends Fields> {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly action: Action<S, F>;
  readonly lanes: Lanes;
  /** The region that a target names. */
  regionOf(target: string): string | undefined;
  /** To be told of each request that is sent (1) and that has ended (-1). */
  countRequests(change: 1 | -1): void;
  /** To be told how far a long piece of work has come. */
  progress(text: string): void;
  /** What must not stand in any text about a message that uses these clients. */
  secretsOf(inputs: Record<string, unknown>, clients?: Clients): string[];
  /** The error to report for what was thrown on its way. */
  toError(thrown: unknown, inputs: Record<string, unknown>, clients?: Clients): ActionError;
}

/** A message for a lane: what it is, where it goes, and which requests carry it. */
export interface Shipment<Entry extends object, Output extends object> extends Parcel<Entry> {
  /** A topic's ARN, a queue's URL; a promise of it where it has to be asked for first. */
  target: string | Promise<string>;
  /** The one name for what can be named in several ways; the target itself where this is left out. */
  nameOf?(target: string): string;
  carrier(target: string): Carrier<Entry, Output>;
}

/** One target's way for one message: its client, its requests, and what `msg.aws` says of them. */
export class Call<S extends ServiceName, F extends Fields> implements Context<S, F> {
  /** Those of the account as it was when the message came. */
  #clients: Clients | undefined;
  #client: Client | undefined;
  #statusCode: number | undefined;
  #requestId: string | undefined;
  #attempts = 0;

  constructor(
    private readonly caller: Caller<S, F>,
    private readonly account: CurrentAccount,
    readonly inputs: Inputs<F>,
    private readonly target: unknown,
    private readonly passage: Passage
  ) {}

  get RED(): NodeAPI {
    return this.caller.RED;
  }

  get node(): Node {
    return this.caller.node;
  }

  get sdk(): Sdks[S] {
    return sdkOf(this.caller.action.service);
  }

  get signal(): AbortSignal {
    return this.passage.signal;
  }

  get client(): Client {
    return this.#client as Client;
  }

  async run(): Promise<Result> {
    const { action } = this.caller;
    const { service, maxAttempts } = action;
    const { region, dynamicCredentials } = this.inputs as { region?: string; dynamicCredentials?: Credentials };
    const named = region ?? (typeof this.target === 'string' ? this.caller.regionOf(this.target) : undefined);
    const options = { region: named, credentials: dynamicCredentials, maxAttempts };
    this.#clients = this.account.clients;
    this.#clients.attach();
    const client = this.#clients.get(service, options);
    this.#client = types.isPromise(client) ? await client : client;
    return action.run(this);
  }

  /** The message has ended here: the account may close its connections, if it was replaced in the meantime. */
  end(): void {
    this.#clients?.detach();
  }

  /** What `msg.aws` says of this target, with what the action adds; what is not known is left out. */
  toMessage(added: Record<string, unknown> | undefined): Record<string, unknown> {
    return present({
      region: this.#client?.region,
      statusCode: this.#statusCode,
      requestId: this.#requestId,
      attempts: this.#attempts,
      ...added
    });
  }

  /** Adds to an error what is known of the last request. */
  complete(error: ActionError): ActionError {
    const known = present({ statusCode: this.#statusCode ?? error.statusCode, requestId: this.#requestId });
    // Of an error's own members Catch nodes see only the cause.
    if (error.cause) Object.assign(error.cause, known, { retryable: error.retryable });
    return Object.assign(error, known);
  }

  // `run` takes these apart from the call.
  readonly send = async <Output extends Answer>(command: Command<Output>): Promise<Output> => {
    // With a limit for the whole message, the one on silence is off.
    const unlimited = this.caller.action.timeout ? { silence: 0 } : {};
    this.caller.countRequests(1);
    try {
      const output = await this.client.send(command, { abortSignal: this.signal, ...unlimited });
      this.#note(metadataOf(output));
      return output;
    } catch (thrown) {
      this.#note(metadataOf(thrown));
      throw thrown;
    } finally {
      this.caller.countRequests(-1);
    }
  };

  readonly toError = (thrown: unknown): ActionError => this.caller.toError(thrown, this.inputs, this.#clients);

  readonly redact = (text: string): string => redact(text, this.caller.secretsOf(this.inputs, this.#clients));

  readonly progress = (text: string): void => {
    if (!this.passage.reason) this.caller.progress(text);
  };

  readonly ship = async <Entry extends object, Output extends object>(
    shipment: Shipment<Entry, Output>
  ): Promise<Output> => {
    const { lanes } = this.caller;
    const { target, nameOf, carrier, entry, bytes, group } = shipment;
    const place = typeof target === 'string' ? target : await lanes.hold(bytes, () => target);
    const request = () => this.#laneRequest();
    const lane = lanes.lane(this.client, nameOf?.(place) ?? place, () => carrier(place), request);
    try {
      const { output, metadata, attempts } = await lane.add({ entry, bytes, group, message: this.passage });
      this.#note(metadata, attempts);
      return output;
    } catch (thrown) {
      this.#note(metadataOf(thrown));
      throw thrown;
    }
  };

  readonly hold = <T>(bytes: number, work: () => Promise<T>): Promise<T> => this.caller.lanes.hold(bytes, work);

  /** Requests of a lane carry many messages: none of them can end one. */
  #laneRequest(): Request {
    const { caller, client } = this;
    const limits = { abortSignal: caller.lanes.signal };
    return async (command) => {
      caller.countRequests(1);
      try {
        return await client.send(command, limits);
      } finally {
        caller.countRequests(-1);
      }
    };
  }

  #note(metadata: Metadata = {}, attempts = metadata.attempts ?? 1): void {
    this.#statusCode = metadata.httpStatusCode;
    this.#requestId = metadata.requestId;
    this.#attempts += attempts;
  }
}
