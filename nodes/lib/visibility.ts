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

/** What a receiver tells its queue about the messages that it took: that they stay hidden, come back, or can go. */
export class Visibility {
  readonly #lanes = new Lanes();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    /** Told of each try to put off a message: what went wrong, if anything did. */
    private readonly tried: (error?: unknown) => void,
    /** Told the id of a message whose time is over. */
    private readonly over: (messageId: string) => void
  ) {}

  /** Rejects with the service's error, or with `HandleExpired` if the message is not the receiver's any more. */
  async settle(delivery: Delivery, settlement: Settlement, client: Client, url: string): Promise<void> {
    try {
      if (settlement.action === 'delete') await this.#delete(delivery, client, url);
      else await this.#return(delivery, settlement.delay, client, url);
    } catch (error) {
      throw isGone(error) ? handleExpired() : error;
    }
  }

  async #delete(delivery: Delivery, client: Client, url: string): Promise<void> {
    const { receiptHandle: ReceiptHandle } = delivery;
    await this.#lane('delete', client, url, deletions).add({ entry: { ReceiptHandle }, bytes: 0 });
    // Handed out again in the meantime: only its newest handle deletes a message.
    if (delivery.receiptHandle !== ReceiptHandle) await this.#delete(delivery, client, url);
  }

  async #return(delivery: Delivery, delay: number, client: Client, url: string): Promise<void> {
    // It would hide the message again.
    await delivery.extension;
    try {
      await this.#change(delivery, Math.min(delay, secondsLeft(delivery)), client, url);
    } catch (error) {
      // It is back already where the answer to a first try was lost.
      const { attempts = 1 } = (error as Partial<Answer>).$metadata ?? {};
      if ((error as Error).name !== 'MessageNotInflight' || attempts === 1) throw error;
    }
  }

  /** Keeps messages hidden for as long as there are any: each is put off in time. `hidden` in seconds. */
  keep(deliveries: Deliveries, client: Client, url: string, hidden: number): void {
    const period = Math.max(shortestTick, (hidden * 1000) / 3);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const delivery of deliveries) {
        if (delivery.settlement?.action !== 'return') this.#putOff(delivery, deliveries, { client, url, hidden });
      }
      if (deliveries.size > 0) this.keep(deliveries, client, url, hidden);
    }, period);
  }

  /** Ends what is under way. */
  abort(reason: Error): void {
    this.#lanes.abort(reason);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #putOff(delivery: Delivery, deliveries: Deliveries, place: { client: Client; url: string; hidden: number }): void {
    const now = Date.now();
    if (delivery.extension) return;
    if (delivery.end <= now && !delivery.settlement) {
      deliveries.lapse(delivery);
      this.over(delivery.messageId);
      return;
    }
    const seconds = Math.min(place.hidden, secondsLeft(delivery));
    const end = now + seconds * 1000;
    // Early enough, and not for nothing at the end of the longest time.
    const due = delivery.end - now <= (place.hidden * 2000) / 3;
    if (due && end > delivery.end) {
      delivery.extension = this.#extend(delivery, deliveries, end, seconds, place);
    }
  }

  async #extend(
    delivery: Delivery,
    deliveries: Deliveries,
    end: number,
    seconds: number,
    { client, url }: { client: Client; url: string }
  ): Promise<void> {
    const { receiptHandle } = delivery;
    // Handed out again in the meantime, a message has another handle and another end.
    const isSame = () => delivery.receiptHandle === receiptHandle;
    try {
      await this.#change(delivery, seconds, client, url);
      if (isSame()) delivery.end = end;
      this.tried();
    } catch (error) {
      if (!isGone(error)) this.tried(error);
      // Its deletion, if it is under way, will tell.
      else if (isSame() && !delivery.settlement) deliveries.lapse(delivery);
    }
    delivery.extension = undefined;
  }

  async #change({ receiptHandle }: Delivery, seconds: number, client: Client, url: string): Promise<void> {
    const entry = { ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
    await this.#lane('change', client, url, changes).add({ entry, bytes: 0 });
  }

  #lane<Entry extends object>(
    kind: string,
    client: Client,
    url: string,
    carrier: (url: string) => Carrier<Entry, object>
  ): Lane<Entry, object> {
    const limits = { abortSignal: this.#lanes.signal };
    return this.#lanes.lane(
      client.key,
      `${kind} ${url}`,
      () => carrier(url),
      () => (command) => client.send(command, limits)
    );
  }
}
