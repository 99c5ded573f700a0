import { setMaxListeners } from 'node:events';
import type { Client } from '../account/client';
import type { Metadata } from '../account/sdks';
import type { Request } from '../action/action';
import { metadataOf } from '../fields/thrown';
import type { Message } from './fifo-groups';
import { FifoGroups } from './fifo-groups';
import type { EntryOperations, QueuedEntry } from './target-batches';
import { TargetBatches } from './target-batches';

/** An entry that goes to a topic or a queue, and which requests carry it. */
interface OutgoingEntry<Entry extends object, Output extends object> extends QueuedEntry<Entry> {
  /** A topic's ARN, a queue's URL; a promise of it where it has to be asked for first. */
  target: string | Promise<string>;
  /** The name of a target that is the same however the target was named; default: the target itself. */
  nameOf?(target: string): string;
  operations(target: string): EntryOperations<Entry, Output>;
  /** Called with the error if the entry could not be sent to its target. */
  failed?(error: unknown): void;
}

/** The part of a call that is needed to send an entry of its message. */
interface Sender {
  client: Client;
  message: Message;
  hold<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  sharing(signal: AbortSignal): Request;
  note(metadata: Metadata | undefined, attempts?: number): void;
}

/** The batches of a node, by client and target. Those that are done are forgotten. */
export class Batches<Entry extends object, Output extends object> {
  readonly #batches = new Map<string, Map<string, TargetBatches<Entry, Output>>>();
  readonly #controller = new AbortController();
  readonly #groups = new FifoGroups();

  constructor() {
    // Each request listens to it.
    setMaxListeners(0, this.signal);
  }

  /** Ends requests and pauses; for the requests of the batches. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The batches of a client to a target, made where there are none yet. The caller has to add an entry at once. */
  to(
    client: Client,
    target: string,
    operations: () => EntryOperations<Entry, Output>,
    request: () => Request
  ): TargetBatches<Entry, Output> {
    const { key } = client;
    const byTarget = this.#batches.get(key) ?? new Map<string, TargetBatches<Entry, Output>>();
    const known = byTarget.get(target);
    if (known) return known;
    const batches = new TargetBatches(client, operations(), request(), this.signal, () =>
      this.#forget(key, target, batches)
    );
    this.#batches.set(key, byTarget.set(target, batches));
    return batches;
  }

  /**
   * Sends the entry that `make` returns, alone or in a batch with entries of other messages for the same target. `name`
   * is what the message calls its target. Rejects with the error of this entry, or with what `make` throws, which
   * counts as a failure in its FIFO group as well.
   */
  send(
    sender: Sender,
    name: string,
    group: string | undefined,
    make: () => OutgoingEntry<Entry, Output>
  ): Promise<Output> {
    // By the last part of the name, since a message that gives only that does not say the account.
    const key = group === undefined ? undefined : `${sender.client.key} ${name.split(/[/:]/).at(-1)} ${group}`;
    return this.#groups.send(key, sender.message, async (turn) => {
      const outgoing = make();
      return sender.hold(outgoing.bytes, async () => {
        const { target } = outgoing;
        const found = typeof target === 'string' ? target : await target;
        await turn;
        return this.#add(sender, outgoing, found);
      });
    });
  }

  async #add(sender: Sender, outgoing: OutgoingEntry<Entry, Output>, target: string): Promise<Output> {
    const { nameOf, operations, entry, bytes } = outgoing;
    const request = () => sender.sharing(this.signal);
    const batches = this.to(sender.client, nameOf?.(target) ?? target, () => operations(target), request);
    try {
      const { output, metadata, attempts } = await batches.add({ entry, bytes });
      sender.note(metadata, attempts);
      return output;
    } catch (thrown) {
      sender.note(metadataOf(thrown));
      outgoing.failed?.(thrown);
      throw thrown;
    }
  }

  #forget(client: string, target: string, batches: TargetBatches<Entry, Output>): void {
    const byTarget = this.#batches.get(client);
    if (!byTarget || byTarget.get(target) !== batches) return;
    byTarget.delete(target);
    if (byTarget.size === 0) this.#batches.delete(client);
  }

  /** Ends what is under way. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }
}
