/** What the sidebar does with messages that are kept: it sends them now, exports them, or throws them away. */
import { Readable } from 'node:stream';
import type { NodeAPI } from 'node-red';
import { memberOf } from '../fields/thrown';
import { leftStoresOf } from '../outbox/left-stores';
import { type RunningOutbox, runningOutboxes } from '../outbox/outbox';

/** What became of it; `gone`: the node does not run any more. */
export interface ActOnKept {
  readonly refusal?: { kind: 'gone' };
  /** How many messages were thrown away. */
  readonly count?: number;
}

type Acted = ActOnKept | Readable;
type Act = (outbox: Omit<RunningOutbox, 'id' | 'look'>, before: number) => Acted | Promise<Acted>;

const acts: Readonly<Record<string, Act>> = {
  send(outbox) {
    outbox.sendNow();
    return {};
  },
  // The messages as they came to the node, and as AWS would have got them. The account's keys are not in them.
  export: (outbox) => Readable.from(outbox.lines()),
  discard: async (outbox, before) => ({ count: await outbox.throwAway(before) })
};

/**
 * Does something with what a node keeps: `id` is that of the node as it runs, `before` the time up to which it was seen, ms
 * since 1970. Gives a file or what became of it; `undefined` for what cannot be done.
 */
export async function actOnKept(RED: NodeAPI, name: string, body: unknown): Promise<ActOnKept | Readable | undefined> {
  const act = Object.hasOwn(acts, name) ? acts[name] : undefined;
  const before = memberOf(body, 'before');
  if (!act || typeof before !== 'number') return undefined;
  const wanted = memberOf(body, 'id');
  const running = runningOutboxes.in(RED).find(({ id }) => id === wanted);
  const outbox = running ?? leftStoresOf(RED)?.open(String(wanted));
  return outbox ? act(outbox, before) : { refusal: { kind: 'gone' } };
}
