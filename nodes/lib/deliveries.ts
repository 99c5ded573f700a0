import { randomBytes } from 'node:crypto';
import { ActionError } from './errors';

/** What becomes of a message that a flow has finished with. */
export type Settlement = { action: 'delete' } | { action: 'return'; delay: number };

/** A message that a flow has and that is not settled yet. */
export interface Delivery {
  readonly number: number;
  readonly messageId: string;
  /** The newest one: the service gives another one each time that it hands a message out. */
  receiptHandle: string;
  /** When the queue shows the message again unless that is put off, ms since 1970. */
  end: number;
  /** When it can be put off no longer. */
  readonly latest: number;
  settlement?: { action: Settlement['action']; work: Promise<void> } | undefined;
  /** Putting off under way. */
  extension?: Promise<void> | undefined;
}

/** Whether a message that comes again is still held: it is being deleted or put off. */
const isHeld = ({ settlement, extension, end }: Delivery): boolean =>
  // One that is being returned may be back before the answer that says so.
  settlement ? settlement.action === 'delete' : extension !== undefined || end > Date.now();

/** Carries a settlement out: rejects with the service's error, or with `HandleExpired`. */
type Settle = (delivery: Delivery, settlement: Settlement) => Promise<void>;

/** The queue hides a message for so long in all, ms. */
const longest = 12 * 3600 * 1000;
/** How many deliveries whose time is over are remembered, to be told from settled ones. */
const mostLapsed = 10_000;

/** By the first part of a handle: all receivers of this process that are deployed. */
const receivers = new Map<string, Deliveries>();

const expired = (why: string): ActionError => new ActionError('HandleExpired', why);
export const handleExpired = (): ActionError =>
  expired(
    'The time for this message is over: the queue has shown it again, and may have handed it to another receiver already.'
  );

/**
 * Settles the message with this handle through the receiver that took it. Resolves when that is done, or has been done
 * already. Rejects with `HandleExpired` for a handle that no deployed receiver has given, or whose time is over, and with
 * the service's error.
 */
export async function settle(handle: string, settlement: Settlement): Promise<void> {
  const [id = '', number = ''] = handle.split('.');
  const receiver = receivers.get(id);
  if (!receiver) {
    throw expired(
      'The receiver of this message is gone: it was deployed anew or stopped, and the queue has the message back.'
    );
  }
  await receiver.settle(Number(number), settlement);
}

/** The messages of one receiver that are not settled. Handles are text, so that they survive cloning and JSON. */
export class Deliveries {
  readonly #id = randomBytes(12).toString('base64url');
  readonly #pending = new Map<number, Delivery>();
  readonly #byMessage = new Map<string, Delivery>();
  /** The numbers of those whose time is over. */
  readonly #lapsed = new Set<number>();
  #last = 0;

  constructor(
    private readonly carryOut: Settle,
    /** Told whenever there is one less. */
    private readonly changed: () => void
  ) {
    receivers.set(this.#id, this);
  }

  get size(): number {
    return this.#pending.size;
  }

  [Symbol.iterator](): IterableIterator<Delivery> {
    return this.#pending.values();
  }

  /**
   * Takes in what the queue has handed out. Gives nothing for a message that the flow still has and that was only put off
   * too late: what counts from now on is its new receipt handle.
   */
  add(messageId: string, receiptHandle: string, end: number): Delivery | undefined {
    const former = this.#byMessage.get(messageId);
    if (former && isHeld(former)) {
      former.receiptHandle = receiptHandle;
      former.end = end;
      return undefined;
    }
    if (former && !former.settlement) this.lapse(former);
    this.#last += 1;
    const delivery = { number: this.#last, messageId, receiptHandle, end, latest: Date.now() + longest };
    this.#pending.set(delivery.number, delivery);
    this.#byMessage.set(messageId, delivery);
    return delivery;
  }

  handleOf({ number }: Delivery): string {
    return `${this.#id}.${number}`;
  }

  /** The receiver lost its hold of a message: it cannot be settled any more. */
  lapse(delivery: Delivery): void {
    if (this.#pending.get(delivery.number) !== delivery) return;
    this.#lapsed.add(delivery.number);
    const [oldest] = this.#lapsed.size > mostLapsed ? this.#lapsed : [];
    if (oldest !== undefined) this.#lapsed.delete(oldest);
    this.forget(delivery);
  }

  /** The flow is not waited for any more. */
  forget(delivery: Delivery): void {
    this.#pending.delete(delivery.number);
    if (this.#byMessage.get(delivery.messageId) === delivery) this.#byMessage.delete(delivery.messageId);
    this.changed();
  }

  async settle(number: number, settlement: Settlement): Promise<void> {
    const delivery = this.#pending.get(number);
    if (!delivery) {
      if (this.#lapsed.has(number)) throw handleExpired();
      if (Number.isInteger(number) && number > 0 && number <= this.#last) return;
      throw expired('No receiver has given this handle: settle messages with the msg.aws.handle that they came with.');
    }
    // Being put off may only take long.
    if (!delivery.settlement && !delivery.extension && delivery.end <= Date.now()) {
      this.lapse(delivery);
      throw handleExpired();
    }
    delivery.settlement ??= { action: settlement.action, work: this.#settle(delivery, settlement) };
    await delivery.settlement.work;
  }

  async #settle(delivery: Delivery, settlement: Settlement): Promise<void> {
    try {
      await this.carryOut(delivery, settlement);
      this.forget(delivery);
    } catch (error) {
      delivery.settlement = undefined;
      if ((error as Error).name === 'HandleExpired') this.lapse(delivery);
      throw error;
    }
  }

  /** Handles are no longer known from now on. */
  close(): void {
    receivers.delete(this.#id);
  }
}
