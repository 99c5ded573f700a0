import { randomBytes } from 'node:crypto';
import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';
import { nameOf } from '../fields/thrown';
import { MessageGroups } from './message-groups';

/** What becomes of a message that a flow has finished with. */
export type Settlement = { action: 'delete' } | { action: 'return'; delay: number };

/** A message as it was received from the queue. Times are of `performance.now()`, which nobody can set. */
interface Received {
  readonly messageId: string;
  /** Each time a message is received, SQS gives it another one, and accepts the newest only. */
  receiptHandle: string;
  /** How often it was received by then; 0 where that is not known. */
  receiveCount: number;
  /** When its visibility timeout ends, unless that is extended, ms. */
  end: number;
  /** Its message group, if the flow gets the messages of a group one by one; else none. */
  readonly groupId: string | undefined;
}

/** A message that is neither deleted nor returned yet: the flow has it, or it waits for an earlier one of its group. */
export interface HeldMessage extends Received {
  readonly number: number;
  /** When SQS makes it visible again at the latest, however often its visibility is extended, ms. */
  readonly latest: number;
  /** Sends it to the flow; absent once that is done. */
  send?: Send | undefined;
  settlement?: { action: Settlement['action']; work: Promise<void> } | undefined;
  /** The request that extends its visibility, while there is no answer. */
  extension?: Promise<void> | undefined;
}

/**
 * Gives a message that was received again its newer receipt handle. The receive count tells which is newer, since answers may
 * arrive in another order.
 */
function renew(held: HeldMessage, { receiptHandle, receiveCount, end }: Received): void {
  if (receiveCount < held.receiveCount) return;
  Object.assign(held, { receiptHandle, receiveCount, end });
}

type Send = (held: HeldMessage) => void;

/** What a receiver does for its held messages. */
interface Holder {
  /** Deletes or returns a message. Rejects with the service's error, or with `HandleExpired`. */
  settle(held: HeldMessage, settlement: Settlement): Promise<void>;
  /** Makes messages that the flow has not had visible in the queue again. Rejects with the service's error. */
  returnUnsent(messages: HeldMessage[]): Promise<void>;
  /** Called when `returnUnsent` fails. The messages become visible anyway when their visibility timeout ends. */
  readonly failed: (error: unknown) => void;
  /** Called with messages whose visibility timeout ended before the flow had settled them. */
  expired(messages: HeldMessage[]): void;
  /** Called whenever a message is no longer held. */
  removed(): void;
}

/** How long SQS keeps a message invisible in all, ms: see `VisibilityTimeout` of `ChangeMessageVisibility`. */
const longest = 12 * 3600 * 1000;
/**
 * How many expired messages are remembered: settling one of them is an error, settling one that is settled already is
 * not.
 */
const mostExpired = 10_000;

/** The held messages of all receivers that are deployed, by the first part of their handles. */
const receivers = new Map<string, HeldMessages>();

const handleError = (why: string): ActionError => ownError('HandleExpired', why);
export const handleExpired = (): ActionError =>
  handleError(
    'The time for this message is over: the queue has shown it again, and may have handed it to another receiver already.'
  );

/**
 * Settles the message with this handle through the receiver that took it. Resolves when that is done, or has been done
 * already. Rejects with `HandleExpired` for a handle that no deployed receiver has given, or whose time is over, and
 * with the service's error.
 */
export async function settle(handle: string, settlement: Settlement): Promise<void> {
  const [id = '', number = ''] = handle.split('.');
  const receiver = receivers.get(id);
  if (!receiver) {
    throw handleError(
      'The receiver of this message is gone: it was deployed anew or stopped, and the queue has the message back.'
    );
  }
  await receiver.settle(Number(number), settlement);
}

/** The messages of one receiver that are not settled. Handles are text, so that they survive cloning and JSON. */
export class HeldMessages {
  readonly #id = randomBytes(12).toString('base64url');
  readonly #pending = new Map<number, HeldMessage>();
  readonly #byMessage = new Map<string, HeldMessage>();
  readonly #groups = new MessageGroups<HeldMessage>();
  /** The numbers of messages whose visibility timeout ended before they were settled, the oldest first. */
  readonly #expired = new Set<number>();
  #last = 0;
  /** Messages that were added since the last `sendAdded`. */
  readonly #added: HeldMessage[] = [];
  #closed = false;

  constructor(private readonly holder: Holder) {
    receivers.set(this.#id, this);
  }

  /** How many there are, those that wait behind their group included. */
  get size(): number {
    return this.#pending.size;
  }

  /** How many wait behind their group. */
  get waiting(): number {
    return this.#groups.waiting;
  }

  /** How many more may come together, for those that wait. */
  get room(): number {
    return this.#groups.room;
  }

  [Symbol.iterator](): IterableIterator<HeldMessage> {
    return this.#pending.values();
  }

  /**
   * Adds a message that was received, for `sendAdded` to send to the flow. If the same message is held already, its
   * visibility was extended too late: the flow keeps the one it has, which takes over the new receipt handle. Gives
   * `false` if too many wait already; the message is then returned to the queue.
   */
  add(received: Received, send: Send): boolean {
    const former = this.#byMessage.get(received.messageId);
    // A message that is being returned can be received again before the answer to the return has arrived: it is a new
    // one.
    if (former && former.settlement?.action !== 'return') {
      renew(former, received);
      return true;
    }
    this.#last += 1;
    const held: HeldMessage = { number: this.#last, latest: performance.now() + longest, ...received };
    if (this.#groups.isFullFor(held)) {
      this.holder.returnUnsent([held]).catch(this.holder.failed);
      return false;
    }
    this.#pending.set(held.number, held);
    this.#byMessage.set(held.messageId, held);
    held.send = send;
    this.#groups.add(held);
    this.#added.push(held);
    return true;
  }

  /**
   * Sends the added messages to the flow, but only the first one of each group. Called once all messages of an answer
   * are added: if one cannot be sent, the later ones of its group have to be returned with it.
   */
  sendAdded(): void {
    for (const held of this.#added.splice(0)) {
      if (this.#pending.has(held.number) && this.#groups.isFirst(held)) this.#send(held);
    }
  }

  handleOf({ number }: HeldMessage): string {
    return `${this.#id}.${number}`;
  }

  /**
   * Gives up messages whose visibility timeout is over: others may receive them, and the flow cannot settle them any
   * more.
   */
  expire(messages: HeldMessage[]): void {
    // From the last to the first: giving up a message returns those that wait behind it, but these have expired as
    // well.
    const lost = messages.toReversed().filter((held) => this.giveUp(held));
    if (lost.length > 0) this.holder.expired(lost.reverse());
  }

  /** The messages that wait for no other one of their group. */
  get first(): HeldMessage[] {
    return [...this.#pending.values()].filter((held) => this.#groups.isFirst(held));
  }

  /** Returns the messages that wait behind this one. */
  async returnBehind(held: HeldMessage): Promise<void> {
    await this.holder.returnUnsent(this.#takeBehind(held)).catch(this.holder.failed);
  }

  /** Removes a message, and sends the next one of its group to the flow. */
  #remove(held: HeldMessage): void {
    this.#delete(held);
    const next = this.#groups.remove(held);
    if (next && next.end <= performance.now()) this.expire([next]);
    else if (next) this.#send(next);
    this.holder.removed();
  }

  async settle(number: number, settlement: Settlement): Promise<void> {
    const held = this.#pending.get(number);
    if (!held) {
      if (this.#expired.has(number)) throw handleExpired();
      if (Number.isInteger(number) && number > 0 && number <= this.#last) return;
      throw handleError(
        'No receiver has given this handle: settle messages with the msg.aws.handle that they came with.'
      );
    }
    // While a request extends its visibility, the answer to that decides.
    if (!held.settlement && !held.extension && held.end <= performance.now()) {
      this.giveUp(held);
      throw handleExpired();
    }
    held.settlement ??= { action: settlement.action, work: this.#settle(held, settlement) };
    await held.settlement.work;
  }

  async #settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      // Returned first: while this one is invisible, SQS gives no later message of its group to anybody.
      if (settlement.action === 'return') await this.returnBehind(held);
      await this.holder.settle(held, settlement);
      this.#remove(held);
    } catch (error) {
      held.settlement = undefined;
      if (nameOf(error) === 'HandleExpired') this.giveUp(held);
      throw error;
    }
  }

  /** From now on no handle of these messages is valid, and no more messages go to the flow. */
  close(): void {
    this.#closed = true;
    receivers.delete(this.#id);
  }

  #send(held: HeldMessage): void {
    const { send } = held;
    // Once the receiver closes, it returns what the flow does not have.
    if (this.#closed || !send) return;
    held.send = undefined;
    send(held);
  }

  /**
   * Gives a message up, if it is still held: the flow cannot settle it any more, and it comes again when its visibility timeout
   * ends. Those that wait behind it are returned, so that they come after it again. Returns whether it was held.
   */
  giveUp(held: HeldMessage): boolean {
    if (this.#pending.get(held.number) !== held) return false;
    this.#expired.add(held.number);
    const [oldest] = this.#expired.size > mostExpired ? this.#expired : [];
    if (oldest !== undefined) this.#expired.delete(oldest);
    this.holder.returnUnsent(this.#takeBehind(held)).catch(this.holder.failed);
    this.#remove(held);
    return true;
  }

  #takeBehind(held: HeldMessage): HeldMessage[] {
    const behind = this.#groups.takeBehind(held);
    for (const each of behind) this.#delete(each);
    return behind;
  }

  #delete(held: HeldMessage): void {
    this.#pending.delete(held.number);
    if (this.#byMessage.get(held.messageId) === held) this.#byMessage.delete(held.messageId);
  }
}
