import { setMaxListeners } from 'node:events';
import type { Client } from '../account/client';
import type { Metadata } from '../account/sdks';
import type { Request } from '../action/action';
import { metadataOf } from '../fields/errors';
import type { EntryOperations, Message, QueuedEntry } from './target-batches';
import { TargetBatches } from './target-batches';

/** An entry that goes to a topic or a queue, and which requests carry it. */
interface OutgoingEntry<Entry extends object, Output extends object> extends Omit<QueuedEntry<Entry>, 'message'> {
  /** What the message calls its target. */
  name: string;
  /** A topic's ARN, a queue's URL; a promise of it where it has to be asked for first. */
  target: string | Promise<string>;
  /** The one name for what can be named in several ways; the target itself where this is left out. */
  nameOf?(target: string): string;
  operations(target: string): EntryOperations<Entry, Output>;
}

/** The part of a call that is needed to send an entry of its message. */
export interface Sender {
  client: Client;
  message: Message;
  hold<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  sharing(signal: AbortSignal): Request;
  note(metadata: Metadata | undefined, attempts?: number): void;
}

/** A group of a target, by the last part of its name: where only that is known, its account is not. */
const groupOf = ({ key }: Client, { name, group }: Pick<OutgoingEntry<object, object>, 'name' | 'group'>) =>
  group === undefined ? undefined : `${key} ${name.split(/[/:]/).at(-1)} ${group}`;

/** The batches of a node, by client and target; of those that are done nothing is left. */
export class Batches<Entry extends object, Output extends object> {
  readonly #batches = new Map<string, Map<string, TargetBatches<Entry, Output>>>();
  readonly #controller = new AbortController();
  /** By group: messages of which an entry failed before it was in its target's batches, and that have not ended. */
  readonly #failed = new Map<string, Set<Message>>();

  constructor() {
    // Each request listens to it.
    setMaxListeners(0, this.signal);
  }

  /** Ends requests and pauses; for the requests of the batches. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The batches of a client to a target; made from the rest where there are none. Something has to be added to them at once. */
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

  /** Sends an entry, alone or together with those of other messages to the same target. Rejects with its own error. */
  async send(sender: Sender, outgoing: OutgoingEntry<Entry, Output>): Promise<Output> {
    const { message } = sender;
    const group = groupOf(sender.client, outgoing);
    let isAdded = false;
    const add = async (): Promise<Output> => {
      const { target } = outgoing;
      const place = typeof target === 'string' ? target : await target;
      if (group !== undefined) {
        for (let before = this.#before(group, message); before; before = this.#before(group, message))
          await before.ended;
      }
      isAdded = true;
      return this.#add(sender, outgoing, place);
    };
    try {
      return await sender.hold(outgoing.bytes, add);
    } catch (thrown) {
      if (group !== undefined && !isAdded) this.#fail(group, message);
      throw thrown;
    }
  }

  async #add(sender: Sender, outgoing: OutgoingEntry<Entry, Output>, place: string): Promise<Output> {
    const { nameOf, operations, entry, bytes, group } = outgoing;
    const { client, message } = sender;
    const request = () => sender.sharing(this.signal);
    const batches = this.to(client, nameOf?.(place) ?? place, () => operations(place), request);
    try {
      const { output, metadata, attempts } = await batches.add({ entry, bytes, group, message });
      sender.note(metadata, attempts);
      return output;
    } catch (thrown) {
      sender.note(metadataOf(thrown));
      throw thrown;
    }
  }

  /** A message before this one whose failure in a group is still to be reported. */
  #before(group: string, { number }: Message): Message | undefined {
    const failed = this.#failed.get(group);
    return failed && [...failed].find((message) => message.number < number);
  }

  /** What comes later in its group waits until the message has ended: it has many targets, and the failure is reported then. */
  #fail(group: string, message: Message): void {
    const failed = this.#failed.get(group) ?? new Set();
    if (failed.has(message)) return;
    this.#failed.set(group, failed.add(message));
    const ended = () => {
      failed.delete(message);
      if (failed.size === 0) this.#failed.delete(group);
    };
    message.ended.then(ended, ended);
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
