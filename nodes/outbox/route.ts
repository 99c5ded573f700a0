import type { Client } from '../account/client';
import type { Answer, Command, Metadata, Sdks, ServiceName } from '../account/sdks';
import type { ActionInputs, Result } from '../action/action';
import type { Fields } from '../fields/fields';
import type { Capacity } from './target-queue';

/** The request for a message to one target, as it is kept. */
export interface Outgoing {
  /** What is sent: JSON, and Buffers. */
  entry: object;
  /** As the service counts them for a batch; `Infinity` if it has to go alone. */
  bytes: number;
  /** The FIFO group. */
  group?: string | undefined;
}

/** What one entry came to: a result, or the error of the service. */
export type Outcome = { result: Result; metadata: Metadata } | { error: unknown };

/** What a service needs to send entries. */
export interface Way<S extends ServiceName> {
  sdk: Sdks[S];
  client: Client;
  /** Sends a command; rejects with the SDK's error, or with `Timeout` after 15 s. */
  request<Output extends Answer>(command: Command<Output>): Promise<Output>;
}

/** How a service's messages are kept and sent. */
export interface Route<S extends ServiceName, F extends Fields> {
  readonly service: S;
  /** The request for a target. Throws `InvalidValue` or `MissingValue`. */
  outgoing(inputs: ActionInputs<F>, target: string): Outgoing;
  /** What one request to a target takes, and how many requests are under way side by side. */
  capacity(target: string): Capacity & { requests: number };
  /** What all names of a FIFO queue have in common; `undefined` for a target that has one name. */
  sharedName?(target: string): string | undefined;
  /** Sends entries, and tells what each came to. Rejects with what holds for all that were not told. */
  send(
    way: Way<S>,
    target: string,
    entries: readonly object[],
    tell: (index: number, outcome: Outcome) => void
  ): Promise<void>;
}
