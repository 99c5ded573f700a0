import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { AccountNode } from './account';
import { accountFrom, accountMissing } from './account';
import type { Client, Command, Sdks, ServiceName } from './clients';
import { sdkOf } from './clients';
import { ActionError, closed, credentialsExpired, toActionError } from './errors';
import type { Credentials, Field, Fields, Inputs } from './fields';
import { choice, credentials, optional, regionIs, regionOfArn, regionPattern, text } from './fields';
import type { Config, Read } from './inputs';
import { compileField } from './inputs';
import { present } from './json';
import type { NodeModule } from './node-module';

/** What one call comes to. Only the form that the node's `output` asks for is made. */
export interface Result {
  parsed(): unknown;
  raw(): unknown;
  /** What the node adds to `msg.aws`; absent members are left out. */
  aws?: Record<string, unknown>;
  /** Other members of the message to set; `undefined` deletes one. */
  message?: Record<string, unknown>;
}

export interface Context<S extends ServiceName, F extends Fields> {
  RED: NodeAPI;
  node: Node;
  /** The loaded SDK of the service, for its commands. */
  sdk: Sdks[S];
  /** The checked values of the fields; of a `many` field this call's own target. */
  inputs: Inputs<F>;
  /** Sends a command; rejects with the SDK's error, or when the call is aborted. */
  send<Output>(command: Command<Output>): Promise<Output>;
  /** Aborted by the time limit and when the node has to close. */
  signal: AbortSignal;
}

/** An action node: which fields it has, and which call it makes. */
export interface Action<S extends ServiceName, F extends Fields> {
  type: string;
  service: S;
  /** The API's name of the operation. */
  operation: string;
  fields: F;
  /** 1 where a request must not be repeated by the SDK. */
  maxAttempts?: number;
  /** Seconds that a message may take in all; without it the SDK's limits for each request count. */
  timeout?(inputs: Inputs<F>): number;
  run(context: Context<S, F>): Promise<Result>;
}

/** The fields that every action has. */
export const commonFields = {
  region: optional(text({ pattern: regionPattern, is: regionIs, advanced: true, icon: 'globe', value: '' })),
  dynamicCredentials: optional(credentials({ advanced: true, icon: 'key' })),
  output: choice(['parsed', 'raw'], { icon: 'sign-out' })
};

/** How long a closing node waits for what is in flight, ms. */
const closeLimit = 10_000;

/** `$metadata` of an SDK's answer. */
interface Metadata {
  httpStatusCode?: number;
  requestId?: string;
  attempts?: number;
}

/** What `msg.aws` says of one target's requests. */
class Trace {
  region: string | undefined;
  statusCode: number | undefined;
  requestId: string | undefined;
  attempts = 0;

  note({ httpStatusCode, requestId, attempts = 1 }: Metadata = {}): void {
    this.statusCode = httpStatusCode;
    this.requestId = requestId;
    this.attempts += attempts;
  }

  /** Without the members that are not known. */
  toMessage(added: Record<string, unknown> = {}): Record<string, unknown> {
    const { region, statusCode, requestId, attempts } = this;
    return present({ region, statusCode, requestId, attempts, ...added });
  }
}

/** What one message, or one of its many targets, came to. */
type Attempt = { trace: Trace; result: Result } | { trace: Trace; error: ActionError };

/** Settles as `work` does, or rejects with the signal's reason as soon as that is aborted. */
function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

/** A deployed action node. */
class ActionInstance<S extends ServiceName, F extends Fields> {
  readonly #readers: Array<[name: string, read: Read]>;
  /** The field that may name many targets. */
  readonly #many: string | undefined;
  readonly #account: AccountNode | undefined;
  readonly #detach: (() => void) | undefined;
  /** The messages under way: each ends in one `done`. */
  readonly #running = new Map<Promise<void>, AbortController>();
  #closing = false;
  #requests = 0;
  #shown = '{}';

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    config: Config,
    private readonly action: Action<S, F>
  ) {
    const fields: Fields = { ...commonFields, ...action.fields };
    this.#readers = Object.keys(fields).map((name) => [name, compileField(RED, node, config, name, fields)]);
    this.#many = Object.keys(fields).find((name) => fields[name]?.many);
    this.#account = accountFrom(RED, config.account);
    this.#detach = this.#account?.clients?.attach();
    // Loaded at deploy: the first message would have to wait for it.
    if (this.#account) sdkOf(action.service);
  }

  /** Takes a message in; `done` is called exactly once. */
  receive(msg: NodeMessage, send: (msg: NodeMessage) => void, done: (error?: Error) => void): void {
    const controller = new AbortController();
    const work = this.#process(msg, controller)
      .then((problem) => {
        this.#running.delete(work);
        this.#show(problem ? { fill: 'red', shape: 'ring', text: problem.name } : this.#inFlight());
        if (problem) return done(problem);
        send(msg);
        done();
      })
      .catch((error: Error) => this.node.error(error));
    this.#running.set(work, controller);
  }

  /** Lets what is under way finish for a while, ends the rest, and says nothing afterwards. */
  async close(): Promise<void> {
    this.#closing = true;
    const limit = setTimeout(() => {
      for (const controller of this.#running.values()) controller.abort(closed());
    }, closeLimit);
    // Messages that still arrive are refused; they end here as well.
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
    clearTimeout(limit);
    this.#show({});
    this.#detach?.();
  }

  /** Does a message's work and puts the result into it. Resolves with what went wrong, and then leaves it as it was. */
  async #process(msg: NodeMessage, controller: AbortController): Promise<ActionError | undefined> {
    const { signal } = controller;
    let timer: NodeJS.Timeout | undefined;
    try {
      if (this.#closing) throw closed();
      const inputs = await untilAborted(signal, this.#read(msg));
      const seconds = this.action.timeout?.(inputs as Inputs<F>);
      if (seconds !== undefined) timer = setTimeout(() => controller.abort(timedOut(seconds)), seconds * 1000);
      const targets = this.#many && inputs[this.#many];
      await (Array.isArray(targets) ? this.#runMany(msg, inputs, targets, signal) : this.#runOne(msg, inputs, signal));
      return undefined;
    } catch (thrown) {
      return this.#toError(thrown);
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(msg: NodeMessage): Promise<Record<string, unknown>> {
    const inputs: Record<string, unknown> = {};
    for (const [name, read] of this.#readers) {
      const value = read(msg);
      inputs[name] = value instanceof Promise ? await value : value;
    }
    return inputs;
  }

  async #runOne(msg: NodeMessage, inputs: Record<string, unknown>, signal: AbortSignal): Promise<void> {
    const attempt = await this.#attempt(() => inputs, signal);
    if ('error' in attempt) throw attempt.error;
    const { result, trace } = attempt;
    this.#apply(msg, inputs, result, { ...this.#identity(), ...trace.toMessage(result.aws) });
  }

  async #runMany(
    msg: NodeMessage,
    inputs: Record<string, unknown>,
    targets: unknown[],
    signal: AbortSignal
  ): Promise<void> {
    const many = this.#many as string;
    const field = this.action.fields[many] as Field;
    // A target that is malformed fails alone.
    const inputsFor = (target: unknown) => ({ ...inputs, [many]: field.check(target, many) });
    const attempts = await Promise.all(targets.map((target) => this.#attempt(() => inputsFor(target), signal)));
    const results = attempts.map((attempt, index) => {
      const target = targets[index];
      if ('error' in attempt) return { target, error: { name: attempt.error.name, message: attempt.error.message } };
      return { target, result: attempt.result[inputs.output as 'parsed' | 'raw']() };
    });
    const failures = attempts.flatMap((attempt) => ('error' in attempt ? [attempt.error] : []));
    if (failures.length > 0) throw partialFailure(failures, results, signal);
    const requests = attempts.map(({ trace, ...attempt }, index) => ({
      target: targets[index],
      ...trace.toMessage('result' in attempt ? attempt.result.aws : {})
    }));
    this.#apply(msg, inputs, { parsed: () => results, raw: () => results }, { ...this.#identity(), requests });
  }

  /** One target's way, from its checks to its result; it never rejects. */
  async #attempt(inputsFor: () => Record<string, unknown>, signal: AbortSignal): Promise<Attempt> {
    const trace = new Trace();
    let dynamic: Credentials | undefined;
    try {
      const inputs = inputsFor();
      dynamic = inputs.dynamicCredentials as Credentials | undefined;
      return { trace, result: await untilAborted(signal, this.#call(inputs, signal, trace)) };
    } catch (thrown) {
      const error = this.#toError(signal.aborted ? signal.reason : thrown, dynamic);
      const { statusCode, requestId } = trace;
      return { trace, error: Object.assign(error, present({ statusCode, requestId })) };
    }
  }

  async #call(inputs: Record<string, unknown>, signal: AbortSignal, trace: Trace): Promise<Result> {
    const { action, RED, node } = this;
    const client = await this.#client(inputs, trace);
    return action.run({
      RED,
      node,
      sdk: sdkOf(action.service),
      inputs: inputs as Inputs<F>,
      signal,
      send: (command) => this.#send(client, command, inputs, signal, trace)
    });
  }

  async #client(inputs: Record<string, unknown>, trace: Trace): Promise<Client> {
    const clients = this.#account?.clients;
    if (this.#account?.problem) throw copy(this.#account.problem);
    if (!clients) throw accountMissing();
    const { action } = this;
    const target = this.#many && inputs[this.#many];
    const region =
      (inputs.region as string | undefined) ?? (typeof target === 'string' ? regionOfArn(target) : undefined);
    const client = await clients.get(action.service, {
      region,
      credentials: inputs.dynamicCredentials as Credentials | undefined,
      maxAttempts: action.maxAttempts
    });
    trace.region = client.region;
    return client;
  }

  async #send<Output>(
    client: Client,
    command: Command<Output>,
    inputs: Record<string, unknown>,
    signal: AbortSignal,
    trace: Trace
  ): Promise<Output> {
    this.#requests += 1;
    this.#show(this.#inFlight());
    try {
      // With a limit for the whole message, the one for a single request is off.
      const limits = { abortSignal: signal, ...(this.action.timeout && { requestTimeout: 0 }) };
      const output = await client.send(command, limits);
      trace.note((output as { $metadata?: Metadata }).$metadata);
      return output;
    } catch (thrown) {
      trace.note((thrown as { $metadata?: Metadata }).$metadata);
      if (!inputs.dynamicCredentials && credentialsExpired(thrown)) this.#account?.clients?.provider.forget();
      throw thrown;
    } finally {
      this.#requests -= 1;
      if (this.#requests > 0) this.#show(this.#inFlight());
    }
  }

  #apply(msg: NodeMessage, inputs: Record<string, unknown>, result: Result, aws: Record<string, unknown>): void {
    msg.payload = result[inputs.output as 'parsed' | 'raw']();
    msg.aws = aws;
    for (const [name, value] of Object.entries(result.message ?? {})) {
      if (value === undefined) delete msg[name];
      else msg[name] = value;
    }
  }

  #identity(): { service: ServiceName; operation: string } {
    return { service: this.action.service, operation: this.action.operation };
  }

  #toError(thrown: unknown, dynamic?: Credentials): ActionError {
    const secrets = [...(this.#account?.clients?.secrets() ?? []), ...Object.values(dynamic ?? {})];
    return toActionError(thrown, { ...this.#identity(), secrets });
  }

  #inFlight(): object {
    if (this.#requests === 0) return {};
    return { fill: 'blue', shape: 'dot', text: this.#requests > 1 ? String(this.#requests) : 'status.requesting' };
  }

  #show(status: object): void {
    const text = JSON.stringify(status);
    if (text === this.#shown) return;
    this.#shown = text;
    this.node.status(status);
  }
}

const timedOut = (seconds: number): ActionError =>
  new ActionError('Timeout', `There was no answer within ${seconds} s; the request may have been carried out.`, {
    retryable: true
  });

const copy = ({ name, message }: ActionError): ActionError => new ActionError(name, message);

function partialFailure(failures: ActionError[], results: unknown[], signal: AbortSignal): ActionError {
  const details = { extra: { results }, cause: { results }, retryable: failures.every((error) => error.retryable) };
  if (signal.aborted && (signal.reason as Error).name === 'Closed') {
    return new ActionError('Closed', (signal.reason as Error).message, details);
  }
  const [first] = failures as [ActionError];
  const message = `${failures.length} of ${results.length} targets failed; the first: ${first.name}: ${first.message}`;
  return new ActionError('PartialFailure', message, details);
}

/** Makes the module of an action node. */
export function defineAction<S extends ServiceName, const F extends Fields>(action: Action<S, F>): NodeModule {
  return {
    definition: { type: action.type, fields: { ...action.fields, ...commonFields } },
    create(RED, node, config) {
      const instance = new ActionInstance(RED, node, config, action);
      node.on('input', (msg, send, done) => instance.receive(msg, send, done));
      node.on('close', (done: () => void) => void instance.close().finally(done));
    }
  };
}
