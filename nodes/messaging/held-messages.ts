import { randomBytes } from 'node:crypto';
import { ActionError, nameOf } from '../fields/errors';
import { MessageGroups } from './message-groups';

/** What becomes of a message that a flow has finished with. */
export type Settlement = { action: 'delete' } | { action: 'return'; delay: number };

/** A message as the queue has handed it out. Times are those of `performance.now()`: no clock that is set changes them. */
interface Received {
  readonly messageId: string;
  /** The newest one: the service gives another one each time that it hands a message out. */
  receiptHandle: string;
  /** When the queue shows the message again unless that is put off, ms. */
  end: number;
  /** Where messages of the same group have to keep their order: of these the flow has one at a time. */
  readonly groupId: string | undefined;
}

/** A message that is not settled yet: the flow has it, or it waits behind its group. */
export interface HeldMessage extends Received {
  readonly number: number;
  /** When it can be put off no longer, ms. */
  readonly latest: number;
  /** Hands it to the flow; absent once the flow has it. */
  hand?: Hand | undefined;
  settlement?: { action: Settlement['action']; work: Promise<void> } | undefined;
  /** Putting off under way. */
  extension?: Promise<void> | undefined;
}

type Hand = (held: HeldMessage) => void;

/** The receiver of the messages. */
export interface Holder {
  /** Carries a settlement out: rejects with the service's error, or with `HandleExpired`. */
  settle(held: HeldMessage, settlement: Settlement): Promise<void>;
  /** Returns messages that the flow has not had: rejects with the service's error. */
  giveBack(messages: HeldMessage[]): Promise<void>;
  /** Told of what has failed; what was not given back comes again by itself. */
  readonly failed: (error: unknown) => void;
  /** Told of messages that it lost its hold of. */
  lapsed(messages: HeldMessage[]): void;
  /** Told whenever there is one less. */
  changed(): void;
}

/** The queue hides a message for so long in all, ms. */
const longest = 12 * 3600 * 1000;
/** How many messages whose time is over are remembered, to be told from settled ones. */
const mostLapsed = 10_000;

/** By the first part of a handle: all receivers of this process that are deployed. */
const receivers = new Map<string, HeldMessages>();

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
export class HeldMessages {
  readonly #id = randomBytes(12).toString('base64url');
  readonly #pending = new Map<number, HeldMessage>();
  readonly #byMessage = new Map<string, HeldMessage>();
  readonly #groups = new MessageGroups<HeldMessage>();
  /** The numbers of those whose time is over. */
  readonly #lapsed = new Set<number>();
  #last = 0;
  /** What has come and was not looked at by `handOn`. */
  readonly #arrived: HeldMessage[] = [];
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
   * Takes in what the queue has handed out, for `handOn` to hand to the flow. A message that is still here was only put off
   * too late: what counts from now on is its new receipt handle. Gives `false` where too many wait already, and the message
   * goes back.
   */
  add(received: Received, hand: Hand): boolean {
    const former = this.#byMessage.get(received.messageId);
    // One that is being returned may be back before the answer that says so.
    if (former && former.settlement?.action !== 'return') {
      former.receiptHandle = received.receiptHandle;
      former.end = received.end;
      return true;
    }
    this.#last += 1;
    const held: HeldMessage = { number: this.#last, latest: performance.now() + longest, ...received };
    if (this.#groups.isFullFor(held)) {
      this.holder.giveBack([held]).catch(this.holder.failed);
      return false;
    }
    this.#pending.set(held.number, held);
    this.#byMessage.set(held.messageId, held);
    held.hand = hand;
    this.#groups.add(held);
    this.#arrived.push(held);
    return true;
  }

  /**
   * Hands to the flow what has come, as far as it is its turn. All of an answer have to be here: where the flow cannot have
   * one, those behind it in its group go back.
   */
  handOn(): void {
    for (const held of this.#arrived.splice(0)) {
      if (this.#pending.has(held.number) && this.#groups.isFirst(held)) this.#hand(held);
    }
  }

  handleOf({ number }: HeldMessage): string {
    return `${this.#id}.${number}`;
  }

  /** The receiver lost its hold of messages: they cannot be settled any more. */
  lapse(messages: HeldMessage[]): void {
    // From the last one on: none of them has to be returned for the one before it.
    const lost = messages.toReversed().filter((held) => this.#lose(held));
    if (lost.length > 0) this.holder.lapsed(lost.reverse());
  }

  /** The flow cannot have a message: it comes again when its time is over, and so do those behind it, in their order. */
  abandon(held: HeldMessage): void {
    this.#lose(held);
  }

  /** Those that no other one has to be settled before. */
  get first(): HeldMessage[] {
    return [...this.#pending.values()].filter((held) => this.#groups.isFirst(held));
  }

  /** Returns the messages that wait behind this one. */
  async returnBehind(held: HeldMessage): Promise<void> {
    await this.holder.giveBack(this.#takeBehind(held)).catch(this.holder.failed);
  }

  /** The flow is not waited for any more. */
  forget(held: HeldMessage): void {
    this.#forget(held);
    const next = this.#groups.remove(held);
    if (next && next.end <= performance.now()) this.lapse([next]);
    else if (next) this.#hand(next);
    this.holder.changed();
  }

  async settle(number: number, settlement: Settlement): Promise<void> {
    const held = this.#pending.get(number);
    if (!held) {
      if (this.#lapsed.has(number)) throw handleExpired();
      if (Number.isInteger(number) && number > 0 && number <= this.#last) return;
      throw expired('No receiver has given this handle: settle messages with the msg.aws.handle that they came with.');
    }
    // Being put off may only take long.
    if (!held.settlement && !held.extension && held.end <= performance.now()) {
      this.#lose(held);
      throw handleExpired();
    }
    held.settlement ??= { action: settlement.action, work: this.#settle(held, settlement) };
    await held.settlement.work;
  }

  async #settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      // As long as this one is hidden, nobody gets those behind it.
      if (settlement.action === 'return') await this.returnBehind(held);
      await this.holder.settle(held, settlement);
      this.forget(held);
    } catch (error) {
      held.settlement = undefined;
      if (nameOf(error) === 'HandleExpired') this.#lose(held);
      throw error;
    }
  }

  /** Handles are no longer known from now on, and the flow gets nothing more. */
  close(): void {
    this.#closed = true;
    receivers.delete(this.#id);
  }

  #hand(held: HeldMessage): void {
    const { hand } = held;
    // What comes too late goes back with the rest.
    if (this.#closed || !hand) return;
    held.hand = undefined;
    hand(held);
  }

  /** Whether it was still held. Those behind it have to come after it again. */
  #lose(held: HeldMessage): boolean {
    if (this.#pending.get(held.number) !== held) return false;
    this.#lapsed.add(held.number);
    const [oldest] = this.#lapsed.size > mostLapsed ? this.#lapsed : [];
    if (oldest !== undefined) this.#lapsed.delete(oldest);
    this.holder.giveBack(this.#takeBehind(held)).catch(this.holder.failed);
    this.forget(held);
    return true;
  }

  #takeBehind(held: HeldMessage): HeldMessage[] {
    const behind = this.#groups.takeBehind(held);
    for (const each of behind) this.#forget(each);
    return behind;
  }

  #forget(held: HeldMessage): void {
    this.#pending.delete(held.number);
    if (this.#byMessage.get(held.messageId) === held) this.#byMessage.delete(held.messageId);
  }
}
