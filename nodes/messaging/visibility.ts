import { sdkOf } from '../account/sdks';
import { metadataOf, nameOf } from '../fields/thrown';
import { Batches } from './batches';
import type { HeldMessage, HeldMessages, Settlement } from './held-messages';
import { handleExpired } from './held-messages';
import type { Source } from './locator';
import { mostPolls } from './polls';
import type { EntryOperations, TargetBatches } from './target-batches';

interface Deletion {
  ReceiptHandle: string;
}
interface Change extends Deletion {
  /** Seconds from now until the queue shows the message again. */
  VisibilityTimeout: number;
}

/**
 * Errors by which SQS says that a receipt handle is no longer valid: the message is deleted, or visible to others
 * again.
 */
const goneNames = new Set([
  'InvalidIdFormat',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MessageNotInflight',
  'ReceiptHandleIsInvalid'
]);
const isGone = (error: unknown): boolean => goneNames.has(nameOf(error));

/** The shortest time between two checks of which messages need their visibility extended, ms. */
const shortestTick = 300;
/** How long one attempt of a request may go without an answer, ms. Three attempts with their pauses stay below 30 s. */
const longestAnswer = 9000;
/** The same for a queue with a short visibility timeout, whose messages would otherwise be visible again meanwhile. */
const shortestAnswer = 1000;

/** How long a message can still be kept invisible, s: SQS allows 12 hours from when it was received. */
const secondsLeft = ({ latest }: HeldMessage): number => Math.floor((latest - performance.now()) / 1000);

/** As many requests at once as may receive, so that over a slow link messages are settled as fast as they come. */
const limits = { bytes: Infinity, requests: mostPolls };

const deletions = (QueueUrl: string): EntryOperations<Deletion, object> => {
  const { DeleteMessageCommand, DeleteMessageBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new DeleteMessageCommand({ QueueUrl, ...entry }),
    many: (Entries) => new DeleteMessageBatchCommand({ QueueUrl, Entries }),
    ...limits
  };
};

const changes = (QueueUrl: string): EntryOperations<Change, object> => {
  const { ChangeMessageVisibilityCommand, ChangeMessageVisibilityBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new ChangeMessageVisibilityCommand({ QueueUrl, ...entry }),
    many: (Entries) => new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }),
    ...limits
  };
};

/** Called after each attempt to extend the visibility of a message. */
interface Extended {
  succeeded(): void;
  failed(error: unknown): void;
}

/**
 * Sends what a receiver asks of its queue for the messages it has received: to delete them, or to change their
 * visibility.
 */
export class Visibility {
  readonly #deletions = new Batches<Deletion, object>();
  readonly #changes = new Batches<Change, object>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by `performance.now()`, ms. */
  #next = 0;
  /**
   * Messages that had passed their visibility timeout at the last check while a request to extend it had no answer yet.
   */
  #overdue = new Set<HeldMessage>();

  constructor(
    /**
     * The queue and the client for the requests, asked each time, since a new deployment of the account changes them.
     */
    private readonly source: () => Source,
    private readonly extended: Extended
  ) {}

  /**
   * Deletes a message or returns it. Rejects with the service's error, or with `HandleExpired` if its handle is no
   * longer valid.
   */
  async settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      if (settlement.action === 'delete') await this.#delete(held);
      else await this.#return(held, settlement.delay);
    } catch (error) {
      throw isGone(error) ? handleExpired() : error;
    }
  }

  /**
   * Makes messages visible in the queue at once, except for those that already are. Rejects with the first error of the
   * service.
   */
  async returnAtOnce(messages: HeldMessage[]): Promise<void> {
    const hidden = messages.filter(({ end }) => end > performance.now());
    const all = await Promise.allSettled(hidden.map((held) => this.#returnAtOnce(held)));
    for (const each of all) if (each.status === 'rejected') throw each.reason;
  }

  async #returnAtOnce(held: HeldMessage): Promise<void> {
    try {
      await this.settle(held, { action: 'return', delay: 0 });
    } catch (error) {
      // The message is visible in the queue already, which is what was asked for.
      if (nameOf(error) !== 'HandleExpired') throw error;
    }
  }

  async #delete(held: HeldMessage): Promise<void> {
    const { receiptHandle: ReceiptHandle } = held;
    await this.#batches(this.#deletions, deletions).add({ entry: { ReceiptHandle }, bytes: 0 });
    // The message was received again meanwhile, and got a new receipt handle. SQS deletes a message by its newest one
    // only.
    if (held.receiptHandle !== ReceiptHandle) await this.#delete(held);
  }

  async #return(held: HeldMessage, delay: number): Promise<void> {
    // A request that extends the visibility, answered after this one, would make the message invisible again.
    await held.extension;
    try {
      await this.#change(held, Math.min(delay, secondsLeft(held)));
    } catch (error) {
      // After a second attempt this means that the first one had made the message visible, and only its answer was
      // lost.
      const { attempts = 1 } = metadataOf(error);
      if (nameOf(error) !== 'MessageNotInflight' || attempts === 1) throw error;
    }
  }

  /** Extends the visibility timeout of all held messages before it ends, for as long as there are any. */
  keep(all: HeldMessages): void {
    const at = performance.now() + this.#period;
    // The next check may come too late if the queue's visibility timeout has become shorter.
    if (this.#timer === undefined || at < this.#next) this.#checkAt(at, all);
  }

  /** Time between checks, ms: a third of the visibility timeout, so that one failed attempt leaves time for another. */
  get #period(): number {
    return (this.source().visibilityTimeout * 1000) / 3;
  }

  #checkAt(at: number, all: HeldMessages): void {
    clearTimeout(this.#timer);
    this.#next = at;
    // Timers drop fractions of a millisecond, and would fire just before a visibility timeout ends.
    const wait = Math.ceil(at - performance.now());
    this.#timer = setTimeout(() => this.#check(all), Math.max(shortestTick, wait));
  }

  #check(all: HeldMessages): void {
    this.#timer = undefined;
    this.#expire(all);
    let next = performance.now() + this.#period;
    for (const held of all) {
      if (held.settlement?.action !== 'return') this.#extendIfDue(held, all);
      // A message that cannot be extended any more is reported as soon as its visibility timeout is over.
      if (!held.settlement) next = Math.min(next, held.end);
    }
    if (all.size > 0) this.#checkAt(next, all);
  }

  /** Aborts all requests that have no answer yet. */
  abort(reason: Error): void {
    this.#deletions.abort(reason);
    this.#changes.abort(reason);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #expire(all: HeldMessages): void {
    const now = performance.now();
    const over = [...all].filter(({ end, settlement }) => end <= now && !settlement);
    // If this process was blocked for a while, the answer to an extension may have arrived without having been read.
    // Such a message is given up at the next check only.
    all.expire(over.filter((held) => !held.extension || this.#overdue.has(held)));
    this.#overdue = new Set(over.filter(({ extension }) => extension));
  }

  #extendIfDue(held: HeldMessage, all: HeldMessages): void {
    if (held.extension !== undefined) return;
    const now = performance.now();
    const { visibilityTimeout } = this.source();
    const seconds = Math.min(visibilityTimeout, secondsLeft(held));
    const end = now + seconds * 1000;
    // Extended once a third of the timeout has passed, unless the 12 hours leave no more time than the message has
    // already.
    const due = held.end - now <= (visibilityTimeout * 2000) / 3;
    if (due && end > held.end) held.extension = this.#extend(held, all, end, seconds);
  }

  async #extend(held: HeldMessage, all: HeldMessages, end: number, seconds: number): Promise<void> {
    const { receiptHandle } = held;
    // Received again meanwhile, the message has a new receipt handle, and its visibility timeout began anew.
    const isSame = () => held.receiptHandle === receiptHandle;
    try {
      await this.#change(held, seconds);
      if (isSame()) held.end = end;
      this.extended.succeeded();
    } catch (error) {
      if (!isGone(error)) this.extended.failed(error);
      // If the message is being deleted, that request reports what became of it.
      else if (isSame() && !held.settlement) all.expire([held]);
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
    const { client, url, node } = this.source();
    const silence = Math.min(longestAnswer, Math.max(shortestAnswer, this.#period));
    const options = { abortSignal: all.signal, node, silence };
    return all.to(
      client,
      url,
      () => operations(url),
      () => (command) => client.send(command, options)
    );
  }
}
