import { setMaxListeners } from 'node:events';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { AccountNode } from './account';
import { accountFrom } from './account';
import type { Caller } from './call';
import { Call } from './call';
import { ActionError, closed, closing } from './errors';
import { toActionError } from './failures';
import type { Credentials, Field, Fields, Inputs } from './fields';
import { choice, credentials, optional, regionIs, regionPattern, text } from './fields';
import type { Config, Read } from './inputs';
import { compileField } from './inputs';
import type { NodeModule } from './node-module';
import type { Command, Sdks, ServiceName } from './sdks';
import { sdkOf } from './sdks';

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

/** What one message, or one of its many targets, came to; `aws` is for `msg.aws`. */
type Attempt = { aws: Record<string, unknown>; result: Result } | { error: ActionError };

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
class ActionInstance<S extends ServiceName, F extends Fields> implements Caller<S, F> {
  readonly #readers: Array<[name: string, read: Read]>;
  /** The field that may name many targets. */
  readonly #many: string | undefined;
  #account: AccountNode | undefined;
  #detach: (() => void) | undefined;
  /** The messages under way: each ends in one `done`. */
  readonly #running = new Map<Promise<void>, AbortController>();
  #closing = false;
  #closed = false;
  #requests = 0;
  #shown = '';

  constructor(
    readonly RED: NodeAPI,
    readonly node: Node,
    private readonly config: Config,
    readonly action: Action<S, F>
  ) {
    const fields: Fields = { ...commonFields, ...action.fields };
    this.#readers = Object.keys(fields).map((name) => [name, compileField(RED, node, config, name, fields)]);
    this.#many = Object.keys(fields).find((name) => fields[name]?.many);
    this.#findAccount();
  }

  /** At deploy, so that no message waits for the SDK to load. An account that comes later does not restart its nodes. */
  #findAccount(): void {
    this.#account = accountFrom(this.RED, this.config.account);
    if (!this.#account) return;
    sdkOf(this.action.service);
    this.#detach = this.#account.clients?.attach();
  }

  /** Takes a message in; `done` is called exactly once. */
  receive(msg: NodeMessage, send: (msg: NodeMessage) => void, done: (error?: Error) => void): void {
    const controller = new AbortController();
    const work = this.#process(msg, controller)
      .then((problem) => {
        this.#running.delete(work);
        if (problem) this.#show('red', problem.name);
        else this.#showRequests();
        if (problem) return done(problem);
        try {
          // Node-RED clones the message here, which can fail for what a flow has put into it.
          send(msg);
        } catch (thrown) {
          return done(this.#toError(thrown));
        }
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
    this.#show();
    // Requests that were cut still count down.
    this.#closed = true;
    this.#detach?.();
  }

  /** Does a message's work and puts the result into it. Resolves with what went wrong, and then leaves it as it was. */
  async #process(msg: NodeMessage, controller: AbortController): Promise<ActionError | undefined> {
    const { signal } = controller;
    const inputs: Record<string, unknown> = {};
    let timer: NodeJS.Timeout | undefined;
    try {
      if (this.#closing) throw closing();
      if (!this.#account) this.#findAccount();
      const reading = this.#read(msg, inputs);
      if (reading) await untilAborted(signal, reading);
      const seconds = this.action.timeout?.(inputs as Inputs<F>);
      if (seconds !== undefined) timer = setTimeout(() => controller.abort(timedOut(seconds)), seconds * 1000);
      const targets = this.#many && inputs[this.#many];
      await (Array.isArray(targets) ? this.#runMany(msg, inputs, targets, signal) : this.#runOne(msg, inputs, signal));
      return undefined;
    } catch (thrown) {
      return this.#toError(thrown, inputs.dynamicCredentials as Credentials | undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Fills in the inputs; gives a promise only where some of them have to be waited for. */
  #read(msg: NodeMessage, inputs: Record<string, unknown>): Promise<unknown> | undefined {
    const waiting: Promise<void>[] = [];
    for (const [name, read] of this.#readers) {
      const value = read(msg);
      if (value instanceof Promise) {
        waiting.push(
          value.then((found) => {
            inputs[name] = found;
          })
        );
      } else inputs[name] = value;
    }
    return waiting.length > 0 ? Promise.all(waiting) : undefined;
  }

  /** The error to report. `dynamic`: the message's own credentials, which no text may quote either. */
  #toError(thrown: unknown, dynamic?: Credentials): ActionError {
    const { service, operation } = this.action;
    const secrets = [...(this.#account?.clients?.secrets() ?? []), ...Object.values(dynamic ?? {})];
    return toActionError(thrown, { service, operation, secrets });
  }

  async #runOne(msg: NodeMessage, inputs: Record<string, unknown>, signal: AbortSignal): Promise<void> {
    const attempt = await this.#attempt(inputs, inputs[this.#many ?? ''], signal);
    if ('error' in attempt) throw attempt.error;
    this.#apply(msg, inputs, attempt.result, attempt.aws);
  }

  async #runMany(
    msg: NodeMessage,
    inputs: Record<string, unknown>,
    targets: unknown[],
    signal: AbortSignal
  ): Promise<void> {
    // Each target listens to it.
    setMaxListeners(0, signal);
    const attempts = await Promise.all(targets.map((target) => this.#attempt(inputs, target, signal)));
    const results = attempts.map((attempt, index) => {
      const target = targets[index];
      if ('error' in attempt) return { target, error: { name: attempt.error.name, message: attempt.error.message } };
      return { target, result: attempt.result[inputs.output as 'parsed' | 'raw']() };
    });
    const failures = attempts.flatMap((attempt) => ('error' in attempt ? [attempt.error] : []));
    if (failures.length > 0) throw manyFailed(failures, results);
    const requests = attempts.map((attempt, index) => ({
      target: targets[index],
      ...('aws' in attempt ? attempt.aws : {})
    }));
    this.#apply(msg, inputs, { parsed: () => results, raw: () => results }, { requests });
  }

  /** One target's way, from its check to its result; never rejects, since one target's failure is its own. */
  async #attempt(inputs: Record<string, unknown>, target: unknown, signal: AbortSignal): Promise<Attempt> {
    const many = this.#many;
    const call = new Call(this, this.#account, many ? { ...inputs, [many]: target } : inputs, target, signal);
    try {
      if (many) (this.action.fields[many] as Field).check(target, many);
      const result = await untilAborted(signal, call.run());
      return { aws: call.toMessage(result.aws), result };
    } catch (thrown) {
      const error = this.#toError(signal.aborted ? signal.reason : thrown, inputs.dynamicCredentials as Credentials);
      return { error: call.complete(error) };
    }
  }

  #apply(msg: NodeMessage, inputs: Record<string, unknown>, result: Result, aws: Record<string, unknown>): void {
    const { service, operation } = this.action;
    msg.payload = result[inputs.output as 'parsed' | 'raw']();
    msg.aws = { service, operation, ...aws };
    for (const [name, value] of Object.entries(result.message ?? {})) {
      if (value === undefined) delete msg[name];
      else msg[name] = value;
    }
  }

  countRequests(change: 1 | -1): void {
    this.#requests += change;
    // What the last request came to is shown when its message ends.
    if (this.#requests > 0) this.#showRequests();
  }

  #showRequests(): void {
    if (this.#requests === 0) this.#show();
    else this.#show('blue', this.#requests > 1 ? String(this.#requests) : 'status.requesting');
  }

  /** Sets the status where it changes: blue for what is in flight, red for what failed, none. */
  #show(fill?: 'blue' | 'red', text = ''): void {
    if (this.#closed || text === this.#shown) return;
    this.#shown = text;
    this.node.status(fill ? { fill, shape: fill === 'red' ? 'ring' : 'dot', text } : {});
  }
}

const timedOut = (seconds: number): ActionError =>
  new ActionError(
    'Timeout',
    `There was no answer within the timeout of ${seconds} s; the request may have been carried out.`,
    {
      retryable: true
    }
  );

/** What many targets came to when some failed; `Closed` where the node's end cut them off. */
function manyFailed(failures: ActionError[], results: unknown[]): ActionError {
  const details = { extra: { results }, cause: { results }, retryable: failures.every((error) => error.retryable) };
  const cut = failures.find(({ name }) => name === 'Closed');
  if (cut) return new ActionError('Closed', cut.message, details);
  const [first] = failures as [ActionError];
  const message = `${failures.length} of ${results.length} targets failed; the first: ${first.message}`;
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
