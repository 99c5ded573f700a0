import { Backlog } from './backlog';
import type { Carrier, Lane } from './batch';
import { Lanes } from './batch';
import type { Answer, Client } from './clients';
import type { Deliveries, Delivery, Settlement } from './deliveries';
import { handleExpired } from './deliveries';
import { sdkOf } from './sdks';

interface Deletion {
  ReceiptHandle: string;
}
interface Change extends Deletion {
  /** Seconds from now until the queue shows the message again. */
  VisibilityTimeout: number;
}

/** The service's names for a message that is not this receiver's any more. */
const goneNames = new Set(['InvalidIdFormat', 'InvalidParameterValue', 'MessageNotInflight', 'ReceiptHandleIsInvalid']);
const isGone = (error: unknown): boolean => goneNames.has((error as Error).name);

/** ms, for a queue whose own time is too short to be put off in time. */
const shortestTick = 300;

/** How long a message can stay hidden at all. */
const secondsLeft = ({ latest }: Delivery): number => Math.floor((latest - Date.now()) / 1000);

const deletions = (QueueUrl: string): Carrier<Deletion, object> => {
  const { DeleteMessageCommand, DeleteMessageBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new DeleteMessageCommand({ QueueUrl, ...entry }),
    many: (Entries) => new DeleteMessageBatchCommand({ QueueUrl, Entries }),
    bytes: Infinity
  };
};

const changes = (QueueUrl: string): Carrier<Change, object> => {
  const { ChangeMessageVisibilityCommand, ChangeMessageVisibilityBatchCommand } = sdkOf('sqs');
  return {
    one: (entry) => new ChangeMessageVisibilityCommand({ QueueUrl, ...entry }),
    many: (Entries) => new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }),
    bytes: Infinity
  };
};

/** Where the requests of a receiver go. */
export interface Place {
  client: Client;
  url: string;
  /** How long the queue hides what it hands out, seconds. */
  hidden: number;
}

/** What a receiver tells its queue about the messages that it took: that they stay hidden, come back, or can go. */
export class Visibility {
  // What a receiver takes is limited already.
  readonly #lanes = new Lanes(new Backlog(Infinity, Infinity));
  #timer: NodeJS.Timeout | undefined;

  constructor(
    /** Where the requests go; it may become another one. */
    private readonly place: () => Place,
    /** Told of each try to put off a message: what went wrong, if anything did. */
    private readonly tried: (error?: unknown) => void,
    /** Told the ids of messages whose time is over. */
    private readonly over: (messageIds: string[]) => void
  ) {}

  /** Rejects with the service's error, or with `HandleExpired` if the message is not the receiver's any more. */
  async settle(delivery: Delivery, settlement: Settlement): Promise<void> {
    try {
      if (settlement.action === 'delete') await this.#delete(delivery);
      else await this.#return(delivery, settlement.delay);
    } catch (error) {
      throw isGone(error) ? handleExpired() : error;
    }
  }

  async #delete(delivery: Delivery): Promise<void> {
    const { receiptHandle: ReceiptHandle } = delivery;
    await this.#lane('delete', deletions).add({ entry: { ReceiptHandle }, bytes: 0 });
    // Handed out again in the meantime: only its newest handle deletes a message.
    if (delivery.receiptHandle !== ReceiptHandle) await this.#delete(delivery);
  }

  async #return(delivery: Delivery, delay: number): Promise<void> {
    // It would hide the message again.
    await delivery.extension;
    try {
      await this.#change(delivery, Math.min(delay, secondsLeft(delivery)));
    } catch (error) {
      // It is back already where the answer to a first try was lost.
      const { attempts = 1 } = (error as Partial<Answer>).$metadata ?? {};
      if ((error as Error).name !== 'MessageNotInflight' || attempts === 1) throw error;
    }
  }

  /** Keeps messages hidden for as long as there are any: each is put off in time. */
  keep(deliveries: Deliveries): void {
    const period = Math.max(shortestTick, (this.place().hidden * 1000) / 3);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#lapse(deliveries);
      for (const delivery of deliveries) {
        if (delivery.settlement?.action !== 'return') this.#putOff(delivery, deliveries);
      }
      if (deliveries.size > 0) this.keep(deliveries);
    }, period);
  }

  /** Ends what is under way. */
  abort(reason: Error): void {
    this.#lanes.abort(reason);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lapse(deliveries: Deliveries): void {
    const now = Date.now();
    const lapsed = [...deliveries].filter(({ end, settlement, extension }) => end <= now && !settlement && !extension);
    for (const delivery of lapsed) deliveries.lapse(delivery);
    if (lapsed.length > 0) this.over(lapsed.map(({ messageId }) => messageId));
  }

  #putOff(delivery: Delivery, deliveries: Deliveries): void {
    if (delivery.extension !== undefined) return;
    const now = Date.now();
    const { hidden } = this.place();
    const seconds = Math.min(hidden, secondsLeft(delivery));
    const end = now + seconds * 1000;
    // Early enough, and not for nothing at the end of the longest time.
    const due = delivery.end - now <= (hidden * 2000) / 3;
    if (due && end > delivery.end) delivery.extension = this.#extend(delivery, deliveries, end, seconds);
  }

  async #extend(delivery: Delivery, deliveries: Deliveries, end: number, seconds: number): Promise<void> {
    const { receiptHandle } = delivery;
    // Handed out again in the meantime, a message has another handle and another end.
    const isSame = () => delivery.receiptHandle === receiptHandle;
    try {
      await this.#change(delivery, seconds);
      if (isSame()) delivery.end = end;
      this.tried();
    } catch (error) {
      if (!isGone(error)) this.tried(error);
      // Its deletion, if it is under way, will tell.
      else if (isSame() && !delivery.settlement) deliveries.lapse(delivery);
    }
    delivery.extension = undefined;
  }

  async #change({ receiptHandle }: Delivery, seconds: number): Promise<void> {
    const entry = { ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
    await this.#lane('change', changes).add({ entry, bytes: 0 });
  }

  #lane<Entry extends object>(kind: string, carrier: (url: string) => Carrier<Entry, object>): Lane<Entry, object> {
    const { client, url } = this.place();
    const limits = { abortSignal: this.#lanes.signal };
    return this.#lanes.lane(
      client,
      `${kind} ${url}`,
      () => carrier(url),
      () => (command) => client.send(command, limits)
    );
  }
}
