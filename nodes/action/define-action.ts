import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { CurrentAccount } from '../account/account';
import type { Clients } from '../account/clients';
import { redact } from '../account/redaction';
import type { ServiceName } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import { toActionError } from '../account/to-action-error';
import type { ActionError } from '../fields/errors';
import { invalid, noteAbout, ownError, valueError } from '../fields/errors';
import type { Field, Fields } from '../fields/fields';
import { regionOfArn, show } from '../fields/fields';
import { type NodeModule, onClose, type Trial } from '../fields/node-module';
import type { Config } from '../fields/read';
import { checkValue } from '../fields/read';
import type { Action, ActionInputs, Keeper, Result, Runner, TargetRequest } from './action';
import { commonFields } from './action';
import type { Caller } from './call';
import { Call } from './call';
import type { Changes, Work } from './input';
import { Input, reportError } from './input';
import { inParallel } from './parallel';
import { receivedIn } from './received';
import type { Task } from './task';

/** The members of the message that each result sets. */
const resultNames = ['payload', 'aws'];
/** The same where the payload stays. */
const besidePayload = ['aws'];

/** How many targets of one message are tried at the same time. */
const mostAtOnce = 50;

/** A result as it is put into the message: `aws` becomes `msg.aws`. */
interface Success extends Pick<Result, 'message' | 'problem'> {
  payload: unknown;
  aws: Record<string, unknown>;
}

/** The outcome for one target. */
type Attempt = Success | { error: ActionError };

/** A deployed action node. */
class ActionInstance<S extends ServiceName, F extends Fields> implements Caller<S, F>, Work<ActionInputs<F>> {
  readonly fields: Fields;
  readonly inOrder: boolean;
  readonly runner: Runner<S, F>;
  readonly #input: Input<ActionInputs<F>>;
  /** The field that accepts many targets. */
  readonly #many: { readonly name: string; readonly field: Field } | undefined;
  /** The fields whose values depend on those of others. */
  readonly #dependent: readonly (readonly [name: string, field: Field])[];
  /** The last target and its region: the next message usually has the same target. */
  #named: { target: string; region: string | undefined } | undefined;
  readonly #account: CurrentAccount;
  /** Keeps messages to send them later, if the node can do that. */
  readonly #keeper: Keeper<F, unknown> | undefined;

  constructor(
    readonly RED: NodeAPI,
    readonly node: Node,
    config: Config,
    readonly action: Action<S, F>,
    readonly trial?: Trial
  ) {
    this.fields = { ...commonFields, ...action.fields };
    this.runner = 'deploy' in action ? action.deploy() : action;
    const named = Object.entries(this.fields);
    const [many] = named.filter(([, field]) => field.many);
    this.#many = many && { name: many[0], field: many[1] };
    this.#dependent = named.filter(([, field]) => field.beside);
    this.#account = new CurrentAccount(
      RED,
      config.account,
      () => this.#input.status.took(),
      trial ? undefined : { node, config, fields: this.fields }
    );
    // During the deployment, so that no message waits until the SDK is loaded.
    if (this.#account.exists) sdkOf(action.service);
    this.#input = new Input(RED, node, config, this);
    this.#keeper = trial
      ? undefined
      : action.keeper?.({
          RED,
          node,
          config,
          fields: action.fields,
          status: this.#input.status,
          operation: this.#operation({}),
          toError: (thrown, target) => this.toError(thrown, {}, undefined, target)
        });
    this.inOrder = action.inOrder ?? this.#keeper?.keeps ?? false;
  }

  async close(): Promise<void> {
    const ended = this.#input.close();
    await Promise.all([ended, this.#keeper?.close(ended)]);
    this.#account.close();
  }

  abort(reason: Error): void {
    this.runner.abort?.(reason);
  }

  /** The error to report. Its texts contain neither the account's secrets nor those of the message. */
  toError(
    thrown: unknown,
    inputs: Partial<ActionInputs<F>> = {},
    clients?: Clients,
    target: unknown = inputs[this.#many?.name ?? 'collection']
  ): ActionError {
    const { type, service } = this.action;
    const operation = this.#operation(inputs);
    const secrets = this.secretsOf(inputs, clients);
    const error = toActionError(thrown, { type, service, operation, secrets });
    if (typeof target === 'string') noteAbout(error, redact(target, secrets));
    return error;
  }

  secretsOf(inputs: Partial<ActionInputs<F>>, clients?: Clients): string[] {
    return [...(clients ?? this.#account).secrets(), ...Object.values(inputs.dynamicCredentials ?? {})];
  }

  regionOf(target: string): string | undefined {
    if (target !== this.#named?.target) {
      this.#named = { target, region: (this.action.regionOf ?? regionOfArn)(target) };
    }
    return this.#named.region;
  }

  countRequests(change: 1 | -1): void {
    this.#input.status.countRequests(change);
  }

  progress(text: string): void {
    this.#input.status.progress(text);
  }

  sets(inputs: ActionInputs<F>): readonly string[] {
    const { adds } = this.action;
    const names = this.#keepsPayload(inputs) ? besidePayload : resultNames;
    return adds ? [...names, ...adds(inputs)] : names;
  }

  run(msg: NodeMessage, read: ActionInputs<F>, task: Task): Promise<Changes | undefined> {
    if (this.trial) this.trial.secrets = () => this.secretsOf(read);
    const inputs = this.#together(read);
    const targets = this.#many && inputs[this.#many.name];
    if (this.#keeper?.takes(inputs)) return this.#keep(this.#keeper, msg, inputs, [targets].flat(), task);
    const began = this.#account.showsResults ? performance.now() : undefined;
    const work = Array.isArray(targets) ? this.#runMany(msg, inputs, targets, task) : this.#runOne(msg, inputs, task);
    return began === undefined ? work : this.#timed(work, began);
  }

  /** Has the status say how long work took that has succeeded. */
  async #timed(work: Promise<Changes>, began: number): Promise<Changes> {
    const changes = await work;
    this.#input.status.took(performance.now() - began);
    return changes;
  }

  mayOvertake(inputs: ActionInputs<F>): boolean {
    if (this.#keeper?.takes(inputs)) return false;
    return this.action.mayOvertake?.(inputs) ?? false;
  }

  timeout(inputs: Partial<ActionInputs<F>>): number | undefined {
    const own = this.action.timeout?.(inputs);
    return this.trial ? Math.min(own ?? Infinity, this.trial.limit) : own;
  }

  /** The values of a message, checked against each other. Throws `MissingValue` or `InvalidValue`. */
  #together(read: ActionInputs<F>): ActionInputs<F> {
    if (this.#dependent.length === 0) return read;
    let inputs = read;
    for (const [name, field] of this.#dependent) {
      try {
        inputs = { ...inputs, [name]: field.beside?.(inputs[name], read) };
      } catch (thrown) {
        throw valueError(name, thrown, field.secret);
      }
    }
    return inputs;
  }

  #keepsPayload({ output }: ActionInputs<F>): boolean {
    return this.action.keepsPayload === true && output === 'parsed';
  }

  #operation(inputs: Partial<ActionInputs<F>>): string {
    const { operation } = this.action;
    return typeof operation === 'string' ? operation : operation(inputs);
  }

  async #runOne(msg: NodeMessage, inputs: ActionInputs<F>, task: Task): Promise<Changes> {
    const attempt = await this.#attempt(inputs, inputs[this.#many?.name ?? ''], task);
    if ('error' in attempt) throw attempt.error;
    return this.#changes(msg, inputs, attempt);
  }

  async #runMany(msg: NodeMessage, inputs: ActionInputs<F>, targets: unknown[], task: Task): Promise<Changes> {
    const attempts = await inParallel(targets, mostAtOnce, (target) => this.#attempt(inputs, target, task));
    const results = attempts.map((attempt, index) => {
      const target = targets[index];
      if ('error' in attempt) return { target, error: { name: attempt.error.name, message: attempt.error.message } };
      return { target, result: attempt.payload };
    });
    const failures = attempts.flatMap((attempt) => ('error' in attempt ? [attempt.error] : []));
    const [failure] = failures;
    if (failure) throw manyFailed(failure, failures, results);
    const requests = attempts.map((attempt, index) => ({
      target: targets[index],
      ...('aws' in attempt ? attempt.aws : {})
    }));
    return this.#changes(msg, inputs, { payload: results, aws: { requests } });
  }

  /**
   * Checks a target and makes the call for it. Never rejects, since the failure of one target does not end the others.
   */
  async #attempt(inputs: ActionInputs<F>, target: unknown, task: Task): Promise<Attempt> {
    const many = this.#many;
    const isOneOfMany = many !== undefined && this.#hasMany(inputs);
    const own = isOneOfMany ? { ...inputs, [many.name]: target } : inputs;
    const call = new Call(this, this.#account, own, target, task);
    try {
      if (task.reason) throw task.reason;
      if (isOneOfMany) checkValue(many.name, many.field, target);
      const result = await task.until(call.run());
      const { message, problem } = result;
      // Inside the try, since this may throw for an answer with unexpected members.
      const payload = result[inputs.output]();
      return { payload, aws: call.toMessage(result.aws), message, problem };
    } catch (thrown) {
      const error = call.toError(task.reason ?? thrown);
      return { error: call.complete(error) };
    } finally {
      call.end();
    }
  }

  /** Has the keeper take a message over, for all of its targets or for none. */
  async #keep(
    keeper: Keeper<F, unknown>,
    msg: NodeMessage,
    inputs: ActionInputs<F>,
    targets: unknown[],
    task: Task
  ): Promise<undefined> {
    if (inputs.dynamicCredentials)
      throw invalid('dynamicCredentials', 'must be empty where messages are kept: keys are not written to disk.');
    await keeper.keep(msg, inputs, this.#requestsFor(keeper, inputs, targets), task);
  }

  /** The requests for all targets; a promise only if the account's region has to be read first. Throws if one fails. */
  #requestsFor(
    keeper: Keeper<F, unknown>,
    inputs: ActionInputs<F>,
    targets: unknown[]
  ): TargetRequest<unknown>[] | Promise<TargetRequest<unknown>[]> {
    const found = targets.map((target) => this.#findRequest(keeper, inputs, target));
    return found.every(isFound)
      ? this.#allOrNone(inputs, targets, found)
      : Promise.all(found).then((all) => this.#allOrNone(inputs, targets, all));
  }

  #findRequest(keeper: Keeper<F, unknown>, inputs: ActionInputs<F>, target: unknown): Found | Promise<Found> {
    const failed = (thrown: unknown): Found => ({ error: this.toError(thrown, inputs) });
    try {
      const request = this.#requestFor(keeper, inputs, target);
      return types.isPromise(request) ? request.then((found) => ({ request: found }), failed) : { request };
    } catch (thrown) {
      return failed(thrown);
    }
  }

  #allOrNone(inputs: ActionInputs<F>, targets: unknown[], found: Found[]): TargetRequest<unknown>[] {
    const failures = found.flatMap((each) => ('error' in each ? [each.error] : []));
    const [failure] = failures;
    if (!failure) return found.flatMap((each) => ('request' in each ? [each.request] : []));
    if (!this.#hasMany(inputs)) throw failure;
    const results = found.map((each, index) => ({
      target: targets[index],
      ...('error' in each && { error: { name: each.error.name, message: each.error.message } })
    }));
    throw manyFailed(failure, failures, results);
  }

  /** The request for a target; a promise only if the account's region has to be read first. */
  #requestFor(
    keeper: Keeper<F, unknown>,
    inputs: ActionInputs<F>,
    target: unknown
  ): TargetRequest<unknown> | Promise<TargetRequest<unknown>> {
    const many = this.#many;
    const named = many && checkValue(many.name, many.field, target);
    if (!many || typeof named !== 'string') throw new Error('Only a node whose targets are texts can keep messages.');
    const outgoing = keeper.outgoing({ ...inputs, [many.name]: named }, named);
    const region = inputs.region ?? this.regionOf(named);
    const client = this.#account.clients.get(this.action.service, { region, maxAttempts: 1 });
    if (types.isPromise(client)) return client.then((found) => ({ target: named, region: found.region, outgoing }));
    return { target: named, region: client.region, outgoing };
  }

  /** Whether the message names its targets in an array, even if there is only one. */
  #hasMany(inputs: ActionInputs<F>): boolean {
    return this.#many !== undefined && Array.isArray(inputs[this.#many.name]);
  }

  /** The members of the message to set for a result. */
  #changes(msg: NodeMessage, inputs: ActionInputs<F>, { payload, aws, message, problem }: Success): Changes {
    const { service } = this.action;
    const operation = this.#operation(inputs);
    if (problem) reportError(this.node, Object.assign(problem, { service, operation }), msg);
    const changes: Changes = { ...message, payload, aws: { service, operation, ...aws, ...receivedIn(msg) } };
    if (this.#keepsPayload(inputs)) delete changes.payload;
    return changes;
  }
}

/** What came of looking for the request for a target. */
type Found = { request: TargetRequest<unknown> } | { error: ActionError };

const isFound = (found: Found | Promise<Found>): found is Found => !types.isPromise(found);

/** The error for many targets if some failed: `PartialFailure`, or `Closed` if the node was closed in between. */
function manyFailed(
  first: ActionError,
  failures: ActionError[],
  results: { target: unknown; error?: unknown }[]
): ActionError {
  const details = { extra: { results }, cause: { results }, retryable: failures.every((error) => error.retryable) };
  const cut = failures.find(({ name }) => name === 'Closed');
  if (cut) return ownError('Closed', cut.message, details);
  const target = results.find(({ error }) => error)?.target;
  const message = `${failures.length} of ${results.length} targets failed; the first, ${show(target)}: ${first.message}`;
  return ownError('PartialFailure', message, details);
}

/** Makes the module of an action node. */
export function defineAction<S extends ServiceName, const F extends Fields>(action: Action<S, F>): NodeModule {
  return {
    definition: { type: action.type, fields: { ...action.fields, ...commonFields }, trial: action.trial },
    create(RED, node, config, trial) {
      const instance = new ActionInstance(RED, node, config, action, trial);
      onClose(node, () => instance.close());
    }
  };
}
