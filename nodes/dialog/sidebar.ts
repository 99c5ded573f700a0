/** What the sidebar shows: it asks for that while it is open. */
import type { NodeAPI } from 'node-red';
import { type AccountNode, runningAccounts } from '../account/account';
import type { CallerIdentity } from '../account/caller-identity';
import { type CallFailure, type CallRecord, callsOf, idInFlow } from '../account/calls';
import { runningReceivers } from '../messaging/receiver';
import type { Balance } from '../metering/meter';
import { leftStoresOf } from '../outbox/left-stores';
import { runningOutboxes } from '../outbox/outbox';
import { type Presence, presenceOf } from './presence';

export interface AccountRow extends Balance {
  /** The ID of the account as it runs, and in the flow. */
  readonly id: string;
  readonly node: string;
  readonly name: string;
  /** Why nobody can sign in, or nobody is signed in. */
  readonly failure?: CallFailure | undefined;
  /** Whether somebody is signed in; `undefined` until it is known. */
  readonly signedIn?: boolean | undefined;
  /** When the credentials expire, ms since 1970. */
  readonly until?: number | undefined;
  /** Who it is, for those who may change accounts. */
  readonly identity?: CallerIdentity | undefined;
}

export interface KeptRow {
  /** The ID of the node as it runs, and in the flow. */
  readonly id: string;
  readonly node: string;
  readonly account: string | undefined;
  readonly count: number;
  readonly since: number | undefined;
  readonly failure: CallFailure | undefined;
  /** Whether it is left of a node that is not deployed any more. */
  readonly isLeft?: boolean;
}

export interface ReceiverRow {
  /** The ID of the node as it runs, and in the flow. */
  readonly id: string;
  readonly node: string;
  readonly account: string | undefined;
  readonly queue: string;
  readonly held: number;
  readonly depth: { waiting: number; inFlight: number; delayed: number } | undefined;
  readonly failure: CallFailure | undefined;
  /** Why the queue could not be looked at. */
  readonly refusal: CallFailure | undefined;
}

/** What has changed since the sidebar has asked the last time. Times are ms since 1970. */
export interface Snapshot {
  readonly now: number;
  /** Another one after each start of Node-RED: calls are numbered anew. */
  readonly run: string;
  /** The number of the last call. */
  readonly last: number;
  readonly calls: readonly CallRecord[];
  readonly accounts: readonly AccountRow[];
  readonly kept: readonly KeptRow[];
  readonly receivers: readonly ReceiverRow[];
  /** Whether the user may send, export and throw away what is kept. */
  readonly mayChange: boolean;
}

/** What names somebody who is signed in: in texts of AWS for users who may not know it. */
const signedIn = /arn:[\w-]*:(?:iam|sts|rolesanywhere):[^\s"',;]*/g;

type Said = CallFailure | undefined;

/** What a user may read of a failure. */
const failureFor = (mayKnow: boolean, said: Said): CallFailure | undefined =>
  said && {
    name: said.name,
    message: mayKnow ? said.message : said.message.replace(signedIn, '…'),
    missing: mayKnow ? said.missing : undefined
  };

/** The name alone: of a URL its end, of an ARN what is behind the account, of a phone number its last digits. */
function nameOfTarget(target: string): string {
  if (/^\+\d+$/.test(target)) return `…${target.slice(-3)}`;
  return target.replace(/^(?:https?:.*\/|arn:[^:]*:[^:]*:[^:]*:\d*:(?:function:)?)/, '').slice(0, 256);
}

const rowOfCall = (mayKnow: boolean, { target, failure, ...call }: CallRecord): CallRecord => ({
  ...call,
  target: target && nameOfTarget(target),
  failure: failureFor(mayKnow, failure)
});

function signInOf(mayKnow: boolean, { clients, problem }: AccountNode): Partial<AccountRow> {
  if (!clients) return { failure: failureFor(mayKnow, problem), signedIn: false };
  const { identity, until, refusal }: Presence = presenceOf(clients);
  if (refusal) return { failure: failureFor(mayKnow, refusal), signedIn: false };
  return identity ? { signedIn: true, until, ...(mayKnow && { identity }) } : {};
}

const rowOfAccount = (mayKnow: boolean, account: AccountNode): AccountRow => ({
  id: account.id,
  node: idInFlow(account),
  name: account.name ?? '',
  ...account.meter.balance(),
  ...signInOf(mayKnow, account)
});

/**
 * What the sidebar shows, with the calls after that number of that run. A user who may not change accounts does not get the
 * names of those who are signed in.
 */
export function look(RED: NodeAPI, run: string, after: number, mayChange: boolean): Snapshot {
  const calls = callsOf(RED);
  const isSameRun = run === calls.run && Number.isSafeInteger(after) && after >= 0;
  return {
    // biome-ignore lint/plugin/clock: the browser's clock may be another one
    now: Date.now(),
    run: calls.run,
    last: calls.last,
    calls: calls.after(isSameRun ? after : 0).map((call) => rowOfCall(mayChange, call)),
    accounts: runningAccounts.in(RED).map((account) => rowOfAccount(mayChange, account)),
    kept: [
      ...runningOutboxes
        .in(RED)
        .map((outbox) => ({ id: outbox.id, ...outbox.look() }))
        .filter(({ count, trouble }) => count > 0 || trouble !== undefined)
        .map(({ trouble, ...kept }) => ({ ...kept, failure: failureFor(mayChange, trouble) })),
      ...(leftStoresOf(RED)?.known ?? []).map(({ id, count, since }) => ({
        id,
        node: id,
        count,
        since,
        account: undefined,
        failure: undefined,
        isLeft: true
      }))
    ],
    receivers: runningReceivers.in(RED).map((receiver) => {
      const { trouble, refusal, queue, ...row } = receiver.look();
      const failures = { failure: failureFor(mayChange, trouble), refusal: failureFor(mayChange, refusal) };
      return { ...row, queue: nameOfTarget(queue), ...failures };
    }),
    mayChange
  };
}
