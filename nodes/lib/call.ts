import type { Node, NodeAPI } from 'node-red';
import type { AccountNode } from './account';
import { clientsOf } from './account';
import type { Action, Result } from './action';
import type { Client } from './clients';
import type { ActionError } from './errors';
import { clockCorrected } from './failures';
import type { Credentials, Fields, Inputs } from './fields';
import { regionOfArn } from './fields';
import { present } from './json';
import type { Command, ServiceName } from './sdks';
import { sdkOf } from './sdks';

/** The deployed node that makes a call. */
export interface Caller<S extends ServiceName, F extends Fields> {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly action: Action<S, F>;
  /** To be told of each request that is sent (1) and that has ended (-1). */
  countRequests(change: 1 | -1): void;
}

/** `$metadata` of an SDK's answer or error. */
interface Metadata {
  httpStatusCode?: number;
  requestId?: string;
  attempts?: number;
}

/** One target's way for one message: its client, its requests, and what `msg.aws` says of them. */
export class Call<S extends ServiceName, F extends Fields> {
  #region: string | undefined;
  #statusCode: number | undefined;
  #requestId: string | undefined;
  #attempts = 0;

  constructor(
    private readonly caller: Caller<S, F>,
    private readonly account: AccountNode | undefined,
    private readonly inputs: Record<string, unknown>,
    private readonly target: unknown,
    private readonly signal: AbortSignal
  ) {}

  async run(): Promise<Result> {
    const { caller, inputs, signal } = this;
    const { RED, node, action } = caller;
    const client = await this.#client();
    this.#region = client.region;
    return action.run({
      RED,
      node,
      sdk: sdkOf(action.service),
      inputs: inputs as Inputs<F>,
      signal,
      send: (command) => this.#send(client, command)
    });
  }

  /** What `msg.aws` says of this target, with what the action adds; what is not known is left out. */
  toMessage(added: Record<string, unknown> | undefined): Record<string, unknown> {
    return present({
      region: this.#region,
      statusCode: this.#statusCode,
      requestId: this.#requestId,
      attempts: this.#attempts,
      ...added
    });
  }

  /** Adds to an error what is known of the last request. */
  complete(error: ActionError): ActionError {
    const known = present({ statusCode: this.#statusCode, requestId: this.#requestId });
    // Of an error's own members Catch nodes see only the cause.
    if (error.cause) Object.assign(error.cause, known, { retryable: error.retryable });
    return Object.assign(error, known);
  }

  #client(): Promise<Client> {
    const { service, maxAttempts } = this.caller.action;
    const named = typeof this.target === 'string' ? regionOfArn(this.target) : undefined;
    return clientsOf(this.account).get(service, {
      region: (this.inputs.region as string | undefined) ?? named,
      credentials: this.inputs.dynamicCredentials as Credentials | undefined,
      maxAttempts
    });
  }

  async #send<Output>(client: Client, command: Command<Output>): Promise<Output> {
    this.caller.countRequests(1);
    try {
      return await this.#request(client, command).catch((refusal: unknown) => {
        // Refused before any work, for this machine's clock: the SDK has taken the service's time by now.
        if (clockCorrected(refusal)) return this.#request(client, command);
        throw refusal;
      });
    } finally {
      this.caller.countRequests(-1);
    }
  }

  async #request<Output>(client: Client, command: Command<Output>): Promise<Output> {
    // With a limit for the whole message, the one for a single request is off.
    const unlimited = this.caller.action.timeout ? { requestTimeout: 0 } : {};
    try {
      const output = await client.send(command, { abortSignal: this.signal, ...unlimited });
      this.#note(output as { $metadata?: Metadata });
      return output;
    } catch (thrown) {
      this.#note(thrown as { $metadata?: Metadata });
      throw thrown;
    }
  }

  #note({ $metadata: { httpStatusCode, requestId, attempts = 1 } = {} }: { $metadata?: Metadata }): void {
    this.#statusCode = httpStatusCode;
    this.#requestId = requestId;
    this.#attempts += attempts;
  }
}
