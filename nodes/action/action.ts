import type { Node, NodeAPI } from 'node-red';
import type { Client } from '../account/client';
import type { Answer, Command, Metadata, Sdks, ServiceName } from '../account/sdks';
import type { ActionError } from '../fields/errors';
import type { Fields, Inputs } from '../fields/fields';
import { choice, credentials, optional, regionIs, regionPattern, text } from '../fields/fields';
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

/** What one call comes to. Only the form that the node's `output` asks for is made. */
export interface Result {
  parsed(): unknown;
  raw(): unknown;
  /** What the node adds to `msg.aws`; absent members are left out. */
  aws?: Record<string, unknown>;
  /** Other members of the message to set, of those that `adds` names; `undefined` deletes one. */
  message?: Record<string, unknown> | undefined;
  /** What went wrong beside it: Catch nodes get it, with the message as it came in, and the result goes on. */
  problem?: ActionError | undefined;
}

export interface Context<S extends ServiceName, F extends Fields> {
  RED: NodeAPI;
  node: Node;
  /** The loaded SDK of the service, for its commands. */
  sdk: Sdks[S];
  /** The checked values of the fields; of a `many` field this call's own target. */
  inputs: ActionInputs<F>;
  /** The client for this call. */
  client: Client;
  /** Sends a command; rejects with the SDK's error, or when the call is aborted. */
  send<Output extends Answer>(command: Command<Output>): Promise<Output>;
  /** Shows how far a long piece of work has come, until its message ends. */
  progress(text: string): void;
  /** The message that the call is for. */
  message: Task;
  /** Makes what sends requests for several messages at once, which only the signal can end. Each of them notes its own part. */
  sharing(signal: AbortSignal): Request;
  /** Puts a request that was sent for several messages into what `msg.aws` says of this one. */
  note(metadata: Metadata | undefined, attempts?: number): void;
  /** Does work that holds so many bytes; rejects with `RequestThrottled`, and begins nothing, where the node holds too much. */
  hold<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** The error to report for what a part of the work has thrown: nothing secret is in it. */
  toError(thrown: unknown): ActionError;
  /** Strikes the secrets of this call out of a text that is not the pack's own. */
  redact(text: string): string;
  /** Aborted by the time limit and when the node has to close. */
  signal: AbortSignal;
}

/** Sends a command; rejects with the SDK's error. */
export type Request = <Output extends Answer>(command: Command<Output>) => Promise<Output>;

/** What a deployed node does. */
export interface Runner<S extends ServiceName, F extends Fields> {
  /** Makes the call of a message. */
  run(context: Context<S, F>): Promise<Result>;
  /** Ends what is under way for several messages at once. */
  abort?(reason: Error): void;
}

/** What an action node is, beside what it does. */
interface Description<S extends ServiceName, F extends Fields> {
  type: string;
  service: S;
  /** The API's name of the operation. */
  operation: string | ((inputs: Partial<ActionInputs<F>>) => string);
  fields: F;
  /** 1 where a request must not be repeated by the SDK. */
  maxAttempts?: number;
  /** The region that a target names; that of its ARN where this is left out. */
  regionOf?(target: string): string | undefined;
  /** Messages enter `run` in the order in which they came, however long each one's fields take to read. */
  inOrder?: true;
  /**
   * Makes of a message's values what all of its targets get alike, before the flow can go on changing what it has put into
   * them. Throws `InvalidValue`.
   */
  prepare?(inputs: ActionInputs<F>): ActionInputs<F>;
  /** Members of the message, beside `payload` and `aws`, that a result may set. */
  adds?(inputs: ActionInputs<F>): readonly string[];
  /** Whether a message need not wait for those before it whose fields are not read within a second. */
  mayOvertake?(inputs: ActionInputs<F>): boolean;
  /** Seconds that a message may take in all; without it the SDK's limits for each request count. */
  timeout?(inputs: Partial<ActionInputs<F>>): number | undefined;
}

/** An action node: which fields it has, and which call it makes. `deploy` makes what one deployed node keeps of its messages. */
export type Action<S extends ServiceName, F extends Fields> = Description<S, F> &
  (Runner<S, F> | { deploy(): Runner<S, F> });
