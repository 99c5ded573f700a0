import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Client } from '../account/client';
import type { Answer, Command, Metadata, Sdks, ServiceName } from '../account/sdks';
import type { ActionError } from '../fields/errors';
import type { Fields, Inputs } from '../fields/fields';
import { choice, credentials, optional, regionIs, regionPattern, text } from '../fields/fields';
import type { Config } from '../fields/read';
import type { Status } from './status';
import type { Task } from './task';

/** The fields that every action has. */
export const commonFields = {
  region: optional(
    text({
      pattern: regionPattern,
      is: regionIs,
      advanced: true,
      offers: 'regions',
      example: 'payload.region',
      icon: 'globe'
    })
  ),
  dynamicCredentials: optional(
    credentials({ advanced: true, example: '{ "accessKeyId": keys.id, "secretAccessKey": keys.secret }', icon: 'key' })
  ),
  output: choice(['parsed', 'raw'], { icon: 'sign-out' })
};

/** The checked values of an action's fields. */
export type ActionInputs<F extends Fields> = Inputs<F> & Inputs<typeof commonFields>;

/** The result of a call. Only the form that the property `output` asks for is made. */
export interface Result {
  parsed(): unknown;
  raw(): unknown;
  /** What the node adds to `msg.aws`; members that are `undefined` are left out. */
  aws?: Record<string, unknown>;
  /** Further members of the message to set, of those that `adds` names; `undefined` deletes one. */
  message?: Record<string, unknown> | undefined;
  /** An error beside the result: Catch nodes get it with the original message, and the result is sent on. */
  problem?: ActionError | undefined;
}

/** What `run` gets for one call. */
export interface Context<S extends ServiceName, F extends Fields> {
  RED: NodeAPI;
  node: Node;
  /** The SDK of the service, for its commands. */
  sdk: Sdks[S];
  /** The checked values of the fields; of a `many` field the target of this call. */
  inputs: ActionInputs<F>;
  /** The client for this call. */
  client: Client;
  /** Sends a command; rejects with the SDK's error, or when the call is aborted. */
  send<Output extends Answer>(command: Command<Output>): Promise<Output>;
  /** Shows the progress of long work in the status, until the message ends. */
  progress(text: string): void;
  /** The message that the call is for. */
  message: Task;
  /** Makes a function that sends requests for several messages at once; only `signal` aborts them. See `note`. */
  sharing(signal: AbortSignal): Request;
  /** Records a request that was sent for several messages in the `msg.aws` of this one. */
  note(metadata: Metadata | undefined, attempts?: number): void;
  /** Does work that holds so many bytes in memory. Rejects with `RequestThrottled` at once if the node holds too much. */
  hold<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** The error to report for whatever a part of the work has thrown, without secrets. */
  toError(thrown: unknown): ActionError;
  /** Strikes the secrets of this call out of a text from outside. */
  redact(text: string): string;
  /** Aborted by the time limit, and when the node is closed. */
  signal: AbortSignal;
}

/** Sends a command; rejects with the SDK's error. */
export type Request = <Output extends Answer>(command: Command<Output>) => Promise<Output>;

/** The part of an action that may keep state for a deployed node. */
export interface Runner<S extends ServiceName, F extends Fields> {
  /** Makes the call for a message. */
  run(context: Context<S, F>): Promise<Result>;
  /** Aborts requests that are in flight for several messages at once. */
  abort?(reason: Error): void;
}

/** What a keeper of messages needs of the deployed node. */
export interface Deployment<F extends Fields> {
  readonly RED: NodeAPI;
  readonly node: Node;
  readonly config: Config;
  readonly status: Status;
  /** The API's name of the operation. */
  readonly operation: string;
  /** The error to report for whatever was thrown about a target. */
  toError(thrown: unknown, target: string): ActionError;
  readonly fields: F;
}

/** A request for one target. */
export interface TargetRequest<Outgoing> {
  target: string;
  region: string;
  outgoing: Outgoing;
}

/** Takes messages over from a node to send them later. In the flow, these messages end at the node. */
export interface Keeper<F extends Fields, Outgoing> {
  /** Whether it takes messages, as the node is deployed. */
  readonly keeps: boolean;
  /** Whether it takes a message with these values. */
  takes(inputs: ActionInputs<F>): boolean;
  /** The request for one target. Throws `InvalidValue` or `MissingValue`. */
  outgoing(inputs: ActionInputs<F>, target: string): Outgoing;
  /**
   * Resolves when it has taken a message over, for all targets; rejects, with an `ActionError`, if for none. Messages are taken
   * in the order of the calls, however long the requests of each are waited for.
   */
  keep(
    msg: NodeMessage,
    inputs: ActionInputs<F>,
    requests: TargetRequest<Outgoing>[] | Promise<TargetRequest<Outgoing>[]>,
    task: Task
  ): Promise<void>;
  /** To be called when the node closes; `ended` resolves when all messages that it has taken in have ended. */
  close(ended: Promise<void>): Promise<void>;
}

/** The description of an action node. */
interface Description<S extends ServiceName, F extends Fields> {
  type: string;
  service: S;
  /** The API's name of the operation. */
  operation: string | ((inputs: Partial<ActionInputs<F>>) => string);
  fields: F;
  /** 1 if the SDK must not repeat requests. */
  maxAttempts?: number;
  /** The region in a target. Default: the region of its ARN. */
  regionOf?(target: string): string | undefined;
  /** Whether `run` is called in the order of the messages, however long reading their fields takes. */
  inOrder?: true;
  /** With the parsed output a message keeps the payload with which it came. */
  keepsPayload?: true;
  /** Members of the message, beside `payload` and `aws`, that a result may set. */
  adds?(inputs: ActionInputs<F>): readonly string[];
  /** With `inOrder`: whether a message waits at most a second for the fields of earlier messages. */
  mayOvertake?(inputs: ActionInputs<F>): boolean;
  /** The time limit of a message, seconds. Without it only the limits of requests count. */
  timeout?(inputs: Partial<ActionInputs<F>>): number | undefined;
  /**
   * The dialog can try it: run it once, on demand. In place of defaults it has these values then, so that more is seen, as far
   * as they go with the others.
   */
  trial?: Readonly<{ [name in keyof F]?: unknown }>;
  /** Makes the keeper of a deployed node. */
  keeper?(deployed: Deployment<F>): Keeper<F, unknown>;
}

/** An action node: its fields and its call. `deploy` creates a runner with state for one deployed node. */
export type Action<S extends ServiceName, F extends Fields> = Description<S, F> &
  (Runner<S, F> | { deploy(): Runner<S, F> });
