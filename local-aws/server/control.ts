import type { CertificatePlaces, Device, DeviceOptions } from '../certificates/devices';
import type { Fault } from './faults';
import type { Policy } from './policies';
import type { Population } from './population';
import type { Condition, InvocationRecord, RequestRecord } from './records';

/** What tests can set. Members that are left out do not change; `null` restores the default. */
export interface Settings {
  /** Lifetime of the credentials that AssumeRole gives from now on, in seconds. Default: what the caller asks for. */
  readonly temporaryCredentialsSeconds?: number | null;
  /** How far the server's clock is ahead of the real one, in seconds. Default 0. */
  readonly clockAheadSeconds?: number | null;
  /** How often a failed Event is run again. Default 0. */
  readonly eventRetries?: number | null;
  /** The rights of the user `limited`. Default: none. */
  readonly policy?: Policy | null;
  /** The trust policy of every role. Default: each has its own. */
  readonly trust?: Policy | null;
}

/** Functions to add, for long lists. */
export interface ManyFunctions {
  readonly count: number;
  /** Default `device`: they are called `device-0001` and so on. */
  readonly prefix?: string;
  readonly account?: string;
  readonly region?: string;
}

/** The control calls: what each takes and returns, as JSON of `POST /_local/<name>`. */
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
  certificatePlaces: { takes: null; gives: CertificatePlaces };
  makeDevice: { takes: DeviceOptions; gives: Device };
  register: { takes: { certificate: string }; gives: null };
  revoke: { takes: { certificate: string }; gives: null };
  until: { takes: Condition & { timeoutMs: number }; gives: boolean };
  reset: { takes: null; gives: null };
}

/** The beginning of the path of control calls. */
export const controlPath = '/_local/';
