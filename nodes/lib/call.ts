import type { Node, NodeAPI } from 'node-red';
import type { AccountNode } from './account';
import { clientsOf } from './account';
import type { Action, Result } from './action';
import type { Client, Command, ServiceName } from './clients';
import { sdkOf } from './clients';
import type { ActionError } from './errors';
import { toActionError } from './failures';
import type { Credentials, Fields, Inputs } from './fields';
import { regionOfArn } from './fields';
import { present } from './json';

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
  toMessage(added: Record<string, unknown> = {}): Record<string, unknown> {
    return present({
      region: this.#region,
      statusCode: this.#statusCode,
      requestId: this.#requestId,
      attempts: this.#attempts,
      ...added
    });
  }

  /** The error to report for what was thrown on the way. */
  toError(thrown: unknown): ActionError {
    const { service, operation } = this.caller.action;
    const secrets = [...(this.account?.clients?.secrets() ?? []), ...Object.values(this.#dynamicCredentials ?? {})];
    const error = toActionError(thrown, { service, operation, secrets });
    const known = present({ statusCode: this.#statusCode, requestId: this.#requestId });
    // Of an error's own members Catch nodes see only the cause.
    if (error.cause) Object.assign(error.cause, known, { retryable: error.retryable });
    return Object.assign(error, known);
  }

  get #dynamicCredentials(): Credentials | undefined {
    return this.inputs.dynamicCredentials as Credentials | undefined;
  }

  #client(): Promise<Client> {
    const { service, fields, maxAttempts } = this.caller.action;
    const many = Object.keys(fields).find((name) => fields[name]?.many);
    const target = many && this.inputs[many];
    const named = typeof target === 'string' ? regionOfArn(target) : undefined;
    return clientsOf(this.account).get(service, {
      region: (this.inputs.region as string | undefined) ?? named,
      credentials: this.#dynamicCredentials,
      maxAttempts
    });
  }

  async #send<Output>(client: Client, command: Command<Output>): Promise<Output> {
    this.caller.countRequests(1);
    try {
      // With a limit for the whole message, the one for a single request is off.
      const unlimited = this.caller.action.timeout ? { requestTimeout: 0 } : {};
      const output = await client.send(command, { abortSignal: this.signal, ...unlimited });
      this.#note(output as { $metadata?: Metadata });
      return output;
    } catch (thrown) {
      this.#note(thrown as { $metadata?: Metadata });
      throw thrown;
    } finally {
      this.caller.countRequests(-1);
    }
  }

  #note({ $metadata: { httpStatusCode, requestId, attempts = 1 } = {} }: { $metadata?: Metadata }): void {
    this.#statusCode = httpStatusCode;
    this.#requestId = requestId;
    this.#attempts += attempts;
  }
}
