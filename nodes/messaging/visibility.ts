import { sdkOf } from '../account/sdks';
import { metadataOf, nameOf } from '../fields/errors';
import { Batches } from './batches';
import type { HeldMessage, HeldMessages, Settlement } from './held-messages';
import { handleExpired } from './held-messages';
import type { Place } from './locator';
import type { EntryOperations, TargetBatches } from './target-batches';

interface Deletion {
  ReceiptHandle: string;
}
interface Change extends Deletion {
  /** Seconds from now until the queue shows the message again. */
  VisibilityTimeout: number;
}

/** The service's names for a message that is not this receiver's any more. */
const goneNames = new Set([
  'InvalidIdFormat',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MessageNotInflight',
  'ReceiptHandleIsInvalid'
]);
const isGone = (error: unknown): boolean => goneNames.has(nameOf(error));

/** How often messages are looked at, at most, ms. */
const shortestTick = 300;
/** How long each attempt of a request may take, ms: three of them and their pauses take less than 30 s. */
const longestAnswer = 9000;
/** The same where messages would be shown again meanwhile. */
const shortestAnswer = 1000;

/** How long a message can stay hidden at all. */
const secondsLeft = ({ latest }: HeldMessage): number => Math.floor((latest - performance.now()) / 1000);

const deletions = (QueueUrl: string): EntryOperations<Deletion, object> => {
  const { DeleteMessageCommand, DeleteMessageBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new DeleteMessageCommand({ QueueUrl, ...entry }),
    many: (Entries) => new DeleteMessageBatchCommand({ QueueUrl, Entries }),
    bytes: Infinity
  };
};

const changes = (QueueUrl: string): EntryOperations<Change, object> => {
  const { ChangeMessageVisibilityCommand, ChangeMessageVisibilityBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new ChangeMessageVisibilityCommand({ QueueUrl, ...entry }),
    many: (Entries) => new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }),
    bytes: Infinity
  };
};

/** What a receiver tells its queue about the messages that it took: that they stay hidden, come back, or can go. */
export class Visibility {
  readonly #deletions = new Batches<Deletion, object>();
  readonly #changes = new Batches<Change, object>();
  #timer: NodeJS.Timeout | undefined;
  /** When it is due, ms. */
  #next = 0;
  /** Messages whose time was over, while they were being put off, when they were last looked at. */
  #overdue = new Set<HeldMessage>();

  constructor(
    /** Where the requests go; it may become another one. */
    private readonly place: () => Place,
    /** Told of each try to put off a message: what went wrong, if anything did. */
    private readonly tried: (error?: unknown) => void
  ) {}

  /** Rejects with the service's error, or with `HandleExpired` if the message is not the receiver's any more. */
  async settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      if (settlement.action === 'delete') await this.#delete(held);
      else await this.#return(held, settlement.delay);
    } catch (error) {
      throw isGone(error) ? handleExpired() : error;
    }
  }

  /** Shows messages again, as far as they are still hidden. Rejects with the service's error. */
  async giveBack(messages: HeldMessage[]): Promise<void> {
    const hidden = messages.filter(({ end }) => end > performance.now());
    const all = await Promise.allSettled(hidden.map((held) => this.#giveBack(held)));
    for (const each of all) if (each.status === 'rejected') throw each.reason;
  }

  async #giveBack(held: HeldMessage): Promise<void> {
    try {
      await this.settle(held, { action: 'return', delay: 0 });
    } catch (error) {
      // It is back already.
      if (nameOf(error) !== 'HandleExpired') throw error;
    }
  }

  async #delete(held: HeldMessage): Promise<void> {
    const { receiptHandle: ReceiptHandle } = held;
    await this.#batches(this.#deletions, deletions).add({ entry: { ReceiptHandle }, bytes: 0 });
    // Handed out again in the meantime: only its newest handle deletes a message.
    if (held.receiptHandle !== ReceiptHandle) await this.#delete(held);
  }

  async #return(held: HeldMessage, delay: number): Promise<void> {
    // It would hide the message again.
    await held.extension;
    try {
      await this.#change(held, Math.min(delay, secondsLeft(held)));
    } catch (error) {
      // It is back already where the answer to a first try was lost.
      const { attempts = 1 } = metadataOf(error);
      if (nameOf(error) !== 'MessageNotInflight' || attempts === 1) throw error;
    }
  }

  /** Keeps messages hidden for as long as there are any: each is put off in time. */
  keep(all: HeldMessages): void {
    const at = performance.now() + this.#period;
    // The queue may hide messages for a shorter time than before.
    if (this.#timer === undefined || at < this.#next) this.#lookAt(at, all);
  }

  /** A third of the time that the queue hides a message, ms. */
  get #period(): number {
    return (this.place().hidden * 1000) / 3;
  }

  #lookAt(at: number, all: HeldMessages): void {
    clearTimeout(this.#timer);
    this.#next = at;
    // Timers leave out parts of milliseconds: it would look just before a message's time is over.
    const wait = Math.ceil(at - performance.now());
    this.#timer = setTimeout(() => this.#look(all), Math.max(shortestTick, wait));
  }

  #look(all: HeldMessages): void {
    this.#timer = undefined;
    this.#lapse(all);
    let next = performance.now() + this.#period;
    for (const held of all) {
      if (held.settlement?.action !== 'return') this.#putOff(held, all);
      // What cannot be put off is to be told when its time is over.
      if (!held.settlement) next = Math.min(next, held.end);
    }
    if (all.size > 0) this.#lookAt(next, all);
  }

  /** Ends what is under way. */
  abort(reason: Error): void {
    this.#deletions.abort(reason);
    this.#changes.abort(reason);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lapse(all: HeldMessages): void {
    const now = performance.now();
    const over = [...all].filter(({ end, settlement }) => end <= now && !settlement);
    // Where this process was held up, the answer that puts it off may be about to be read.
    all.lapse(over.filter((held) => !held.extension || this.#overdue.has(held)));
    this.#overdue = new Set(over.filter(({ extension }) => extension));
  }

  #putOff(held: HeldMessage, all: HeldMessages): void {
    if (held.extension !== undefined) return;
    const now = performance.now();
    const { hidden } = this.place();
    const seconds = Math.min(hidden, secondsLeft(held));
    const end = now + seconds * 1000;
    // Early enough, and not for nothing at the end of the longest time.
    const due = held.end - now <= (hidden * 2000) / 3;
    if (due && end > held.end) held.extension = this.#extend(held, all, end, seconds);
  }

  async #extend(held: HeldMessage, all: HeldMessages, end: number, seconds: number): Promise<void> {
    const { receiptHandle } = held;
    // Handed out again in the meantime, a message has another handle and another end.
    const isSame = () => held.receiptHandle === receiptHandle;
    try {
      await this.#change(held, seconds);
      if (isSame()) held.end = end;
      this.tried();
    } catch (error) {
      if (!isGone(error)) this.tried(error);
      // Its deletion, if it is under way, will tell.
      else if (isSame() && !held.settlement) all.lapse([held]);
    }
    held.extension = undefined;
  }

  async #change({ receiptHandle }: HeldMessage, seconds: number): Promise<void> {
    const entry = { ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
    await this.#batches(this.#changes, changes).add({ entry, bytes: 0 });
  }

  #batches<Entry extends object>(
    all: Batches<Entry, object>,
    operations: (url: string) => EntryOperations<Entry, object>
  ): TargetBatches<Entry, object> {
    const { client, url } = this.place();
    const silence = Math.min(longestAnswer, Math.max(shortestAnswer, this.#period));
    const limits = { abortSignal: all.signal, silence };
    return all.to(
      client,
      url,
      () => operations(url),
      () => (command) => client.send(command, limits)
    );
  }
}
