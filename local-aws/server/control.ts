import type { Fault } from './faults';
import type { Population } from './population';
import type { Condition, InvocationRecord, RequestRecord } from './records';

/** What tests may set; what is left out stays as it is, `null` gives the default back. */
export interface Settings {
  /** Lifetime of the credentials that AssumeRole gives from now on, in seconds. Default: what the caller asks for. */
  readonly temporaryCredentialsSeconds?: number | null;
  /** How far the server's clock is ahead of the real one, in seconds. Default 0. */
  readonly clockAheadSeconds?: number | null;
  /** How often a failed Event is run again. Default 0. */
  readonly eventRetries?: number | null;
}

/** Functions to be added, only to make a list long. */
export interface ManyFunctions {
  readonly count: number;
  /** Default `device`: they are called `device-0001` and so on. */
  readonly prefix?: string;
  readonly account?: string;
  readonly region?: string;
}

/** The control calls: what each takes and gives. They go to `POST /_local/<name>` as JSON. */
export interface Control {
  fault: { takes: Fault; gives: null };
  clearFaults: { takes: null; gives: null };
  settings: { takes: Settings; gives: null };
  requests: { takes: null; gives: RequestRecord[] };
  invocations: { takes: { functionName?: string }; gives: InvocationRecord[] };
  connections: { takes: null; gives: number };
  addFunctions: { takes: ManyFunctions; gives: null };
  populate: { takes: Population; gives: null };
  clearPopulation: { takes: null; gives: null };
  until: { takes: Condition & { timeoutMs: number }; gives: boolean };
  reset: { takes: null; gives: null };
}

/** Where control calls go. */
export const controlPath = '/_local/';
