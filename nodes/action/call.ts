import { types } from 'node:util';
import type { Node, NodeAPI } from 'node-red';
import type { CurrentAccount } from '../account/account';
import { idInFlow } from '../account/calls';
import type { Client } from '../account/client';
import type { Clients } from '../account/clients';
import { redact } from '../account/redaction';
import type { Answer, Command, Metadata, Sdks, ServiceName } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import type { ActionError } from '../fields/errors';
import type { Fields } from '../fields/fields';
import { present } from '../fields/json';
import { metadataOf } from '../fields/thrown';
import type { Action, ActionInputs, Context, Request, Result, Runner } from './action';
import type { Task } from './task';

/** The deployed node, as its calls use it. */
export interface Caller<S extends ServiceName, F extends Fields> {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly action: Action<S, F>;
  readonly runner: Runner<S, F>;
  /** The region in a target. */
  regionOf(target: string): string | undefined;
  /** To be called for each request that is sent (1) and that has ended (-1). */
  countRequests(change: 1 | -1): void;
  /** Shows the progress of long work in the status. */
  progress(text: string): void;
  /** The secrets that no text about a message with these inputs and clients may contain. */
  secretsOf(inputs: Partial<ActionInputs<F>>, clients?: Clients): string[];
  /** The error to report for whatever was thrown. */
  toError(thrown: unknown, inputs: Partial<ActionInputs<F>>, clients?: Clients): ActionError;
}

/** The call for one target of one message: its client, its requests, and what `msg.aws` says about them. */
export class Call<S extends ServiceName, F extends Fields> implements Context<S, F> {
  /** The clients of the account at the time when the call began. */
  #clients: Clients | undefined;
  #client: Client | undefined;
  #statusCode: number | undefined;
  #requestId: string | undefined;
  #attempts = 0;

  constructor(
    private readonly caller: Caller<S, F>,
    private readonly account: CurrentAccount,
    readonly inputs: ActionInputs<F>,
    private readonly target: unknown,
    readonly message: Task
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
    return this.message.signal;
  }

  get client(): Client {
    if (!this.#client) throw new Error('The call has not begun.');
    return this.#client;
  }

  /** Throws, or rejects with, anything. */
  run(): Promise<Result> {
    const { action } = this.caller;
    const { service, maxAttempts } = action;
    const { region, dynamicCredentials } = this.inputs;
    const named = region ?? (typeof this.target === 'string' ? this.caller.regionOf(this.target) : undefined);
    const options = { region: named, credentials: dynamicCredentials, maxAttempts };
    this.#clients = this.account.clients;
    this.#clients.attach();
    const client = this.#clients.get(service, options);
    return types.isPromise(client) ? client.then((found) => this.#runWith(found)) : this.#runWith(client);
  }

  #runWith(client: Client): Promise<Result> {
    this.#client = client;
    return this.caller.runner.run(this);
  }

  /** To be called when the call has ended: an account that was replaced in the meantime can close its connections. */
  end(): void {
    this.#clients?.detach();
  }

  /** What `msg.aws` says about this target, with what the action adds; what is not known is left out. */
  toMessage(added: Record<string, unknown> | undefined): Record<string, unknown> {
    return present({
      region: this.#client?.region,
      statusCode: this.#statusCode,
      requestId: this.#requestId,
      attempts: this.#attempts,
      ...added
    });
  }

  /** Adds to an error what is known about the last request. */
  complete(error: ActionError): ActionError {
    const known = present({ statusCode: this.#statusCode ?? error.statusCode, requestId: this.#requestId });
    // Catch nodes get no other members of an error than its cause.
    if (error.cause) Object.assign(error.cause, known, { retryable: error.retryable });
    return Object.assign(error, known);
  }

  // Arrow functions, since `run` destructures the call.
  readonly send = async <Output extends Answer>(command: Command<Output>): Promise<Output> => {
    // A message with a time limit of its own needs no limit on silence.
    const unlimited = this.caller.action.timeout ? { silence: 0 } : {};
    const node = idInFlow(this.caller.node);
    this.caller.countRequests(1);
    try {
      const output = await this.client.send(command, { abortSignal: this.message, node, ...unlimited });
      this.note(metadataOf(output));
      return output;
    } catch (thrown) {
      this.note(metadataOf(thrown));
      throw thrown;
    } finally {
      this.caller.countRequests(-1);
    }
  };

  readonly toError = (thrown: unknown): ActionError => this.caller.toError(thrown, this.inputs, this.#clients);

  readonly redact = (text: string): string => redact(text, this.caller.secretsOf(this.inputs, this.#clients));

  readonly progress = (text: string): void => {
    if (!this.message.reason) this.caller.progress(text);
  };

  readonly hold = <T>(bytes: number, work: () => Promise<T>): Promise<T> => this.message.hold(bytes, work);

  /** The function that is returned must not keep this call, and so its message, in memory. */
  readonly sharing = (signal: AbortSignal): Request => sharedRequest(this.caller, this.client, signal);

  readonly note = (metadata: Metadata = {}, attempts = metadata.attempts ?? 1): void => {
    this.#statusCode = metadata.httpStatusCode;
    this.#requestId = metadata.requestId;
    this.#attempts += attempts;
  };
}

/** Makes a function that sends requests for several messages at once. The status counts them. */
function sharedRequest(
  caller: Pick<Caller<ServiceName, Fields>, 'countRequests' | 'node'>,
  client: Client,
  abortSignal: AbortSignal
): Request {
  const limits = { abortSignal, node: idInFlow(caller.node) };
  return async (command) => {
    caller.countRequests(1);
    try {
      return await client.send(command, limits);
    } finally {
      caller.countRequests(-1);
    }
  };
}
