import { setMaxListeners } from 'node:events';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Message } from '@aws-sdk/client-sqs';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { CurrentAccount } from '../account/account';
import { hasShape } from '../account/answers';
import type { Metadata } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import { toActionError } from '../account/to-action-error';
import { sendOn } from '../action/send-on';
import { Status } from '../action/status';
import { statusTextOf } from '../action/status-words';
import { within } from '../action/within';
import type { ActionError } from '../fields/errors';
import { closed, inOneLine, memberOf, noteAbout, reasonOf, textOf } from '../fields/errors';
import type { HeldMessage, Settlement } from './held-messages';
import { HeldMessages } from './held-messages';
import type { Location, Place } from './locator';
import { Locator } from './locator';
import { isFifo } from './queue';
import type { BodyFormat } from './received-message';
import { messageOf } from './received-message';
import type { Operation } from './troubles';
import { Troubles } from './troubles';
import { Visibility } from './visibility';

/** The checked properties of an `aws-sqs-receive`. */
export interface ReceiverOptions extends Location {
  batchSize: number;
  /** Seconds. */
  waitTime: number;
  maxInFlight: number;
  bodyFormat: BodyFormat;
}

/** Pauses after failures, ms: up to this long, and twice as long after each further one. */
const firstPause = 1000;
const longestPause = 30_000;
/** A queue that has nothing and says so at once is not asked more often than this, ms. */
const shortestPoll = 1000;
/** How long SQS may take to answer beyond the wait time of the request, before the request has failed, ms. */
const longestSilence = 29_000;
/** The same before the request is sent once more over another connection, ms: that leaves time for a second answer. */
const shortestSilence = 5000;
/** If `settle` is `sent`: how many messages may wait to be deleted, for each that may be in flight. */
const deletionsEach = 10;

/** How long a closing receiver may take to return its messages to the queue, ms. */
const closeLimit = 8000;
/** How long SQS usually takes to answer if the queue has messages, ms. */
const longestAnswer = 250;
/** How long an aborted request may take to end, ms. */
const abortLimit = 1000;
/** How long SQS may take to notice that a connection was closed, ms. */
const goodbye = 250;

/** Resolves with `work`, however it ends, or after so many ms. */
async function waitFor(work: Promise<unknown>, limit: number): Promise<void> {
  const over = new AbortController();
  const timeout = wait(limit, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([work, timeout]);
  over.abort();
}

/** A deployed receiver: asks a queue for messages for as long as it lives. */
export class Receiver {
  readonly #life = new AbortController();
  readonly #status: Status;
  readonly #locator: Locator;
  readonly #held: HeldMessages;
  readonly #visibility: Visibility;
  readonly #troubles: Troubles;
  readonly #loop: Promise<void>;
  /** Whether the flow has one message of a group at a time. */
  readonly #ordered: boolean;
  #closing = false;
  /** Ends the wait for room. */
  #wake: () => void = () => undefined;
  #pauses = 0;
  /** When the `ReceiveMessage` that has no answer yet was sent, ms; `undefined` if there is none. */
  #asked: number | undefined;
  /** The IDs of messages that have expired, until one warning names them all. */
  readonly #lost: string[] = [];
  #showing = false;
  /** Message groups of which a message of the last answer could not be sent: the later ones must not overtake it. */
  readonly #stopped = new Set<string>();

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    account: CurrentAccount,
    private readonly options: ReceiverOptions
  ) {
    // Each pause and each request adds a listener; Node.js would warn of more than ten.
    setMaxListeners(0, this.#life.signal);
    this.#status = new Status(RED, node);
    this.#ordered = options.settle === 'flow' && isFifo(options.queue);
    this.#locator = new Locator(account, options);
    this.#troubles = new Troubles(node, options.queue, (thrown, operation) => this.#toError(thrown, operation));
    this.#visibility = new Visibility(
      () => this.#locator.place,
      (error) => this.#tried('ChangeMessageVisibility', error)
    );
    this.#held = new HeldMessages({
      settle: (held, settlement) => this.#settle(held, settlement),
      giveBack: (messages) => this.#visibility.giveBack(messages),
      failed: (error) => this.#tried('ChangeMessageVisibility', error),
      lapsed: (messages) => this.#tellLost(messages),
      changed: () => this.#oneLess()
    });
    this.#loop = this.#run();
  }

  /** Stops receiving, and returns to the queue what is not settled. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    this.#held.close();
    await this.#endPolls();
    await waitFor(this.#giveBack(), closeLimit);
    this.#visibility.abort(closed());
    this.#visibility.close();
    this.#status.close();
    this.#locator.close();
  }

  /**
   * Ends the open `ReceiveMessage`: it would receive the messages that are returned next, and they would be invisible
   * to all.
   */
  async #endPolls(): Promise<void> {
    // A request that was sent just now may be about to bring messages. If it were aborted, they would stay invisible
    // until their visibility timeout ends.
    const young = this.#asked === undefined ? 0 : this.#asked + longestAnswer - performance.now();
    if (young > 0) await waitFor(this.#loop, young);
    const isOpen = this.#asked !== undefined;
    this.#life.abort(closed());
    // Limited, since a sign-in without an answer cannot be aborted.
    await waitFor(this.#loop, abortLimit);
    if (isOpen && this.#held.size > 0) await wait(goodbye);
  }

  /**
   * Returns all messages to the queue, except for those that the flow is settling now and settles without an error.
   * If `settle` is `sent`, a message that was sent is deleted instead of returned.
   */
  async #giveBack(): Promise<void> {
    const returned = this.#held.first.map(async (held) => {
      const behind = this.#held.returnBehind(held);
      await held.settlement?.work.catch(() => undefined);
      await behind;
      const isSent = this.options.settle === 'sent' && !held.hand;
      await this.#held.settle(held.number, isSent ? { action: 'delete' } : { action: 'return', delay: 0 });
    });
    await Promise.allSettled(returned);
  }

  async #run(): Promise<void> {
    // Node-RED may make the account of the same deployment after this node.
    await turn();
    while (!this.#closing) {
      try {
        const place = await within(longestSilence, (signal) => this.#locator.find(signal), this.#life.signal);
        await this.#poll(place, await this.#room());
        this.#tried('ReceiveMessage');
      } catch (error) {
        this.#tried('ReceiveMessage', error);
      }
      await this.#recover();
    }
  }

  /** How many more messages may be received now. */
  get #free(): number {
    const { maxInFlight, settle } = this.options;
    const { size, waiting, room } = this.#held;
    // These messages have left the node already, and only wait to be deleted.
    if (settle === 'sent') return Math.min(maxInFlight, deletionsEach * maxInFlight - size);
    return Math.min(maxInFlight - (size - waiting), room);
  }

  /** Waits until more messages may be received, and gives how many. */
  async #room(): Promise<number> {
    while (!this.#closing && this.#free <= 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // Messages that are settled in the same turn make room for one larger batch.
      await turn();
    }
    return this.#free;
  }

  async #poll(place: Place, room: number): Promise<void> {
    if (this.#closing) return;
    this.#show();
    const { batchSize, waitTime } = this.options;
    const command = new (sdkOf('sqs').ReceiveMessageCommand)({
      QueueUrl: place.url,
      MaxNumberOfMessages: Math.min(batchSize, room),
      WaitTimeSeconds: waitTime,
      VisibilityTimeout: place.visibilityTimeout,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All']
    });
    const began = performance.now();
    this.#asked = began;
    try {
      const waits = waitTime * 1000;
      const limits = { waits, silence: waits + shortestSilence };
      const ask = (abortSignal: AbortSignal, heard: () => void) =>
        place.client.send(command, { ...limits, abortSignal, heard });
      const { Messages = [], $metadata } = await within(waits + longestSilence, ask, this.#life.signal);
      this.#asked = undefined;
      const end = performance.now() + place.hidden * 1000;
      const taken = this.#takeAll(Messages, end, place, $metadata);
      const rest = shortestPoll - (performance.now() - began);
      if (taken === 0 && rest > 0) await this.#pause(rest);
    } finally {
      this.#asked = undefined;
    }
  }

  /** Takes in the messages of an answer, and gives how many there was room for. */
  #takeAll(entries: Message[], end: number, place: Place, metadata: Metadata): number {
    this.#stopped.clear();
    try {
      const messages = entries.filter((entry) => this.#isMessage(entry));
      return messages.filter((message) => this.#take(message, end, place, metadata)).length;
    } finally {
      this.#held.handOn();
    }
  }

  /** Takes a message in, if there is room for it, and keeps it invisible until it is settled. */
  #take(message: Message, end: number, place: Place, metadata: Metadata): boolean {
    const { MessageId = '', ReceiptHandle = '', Attributes } = message;
    const group = isFifo(this.options.queue) ? Attributes?.MessageGroupId : undefined;
    const groupId = this.#ordered ? group : undefined;
    const received = { messageId: MessageId, receiptHandle: ReceiptHandle, end, groupId };
    const taken = this.#held.add(received, (held) =>
      this.#hand(held, group, () =>
        messageOf(message, {
          bodyFormat: this.options.bodyFormat,
          region: place.client.region,
          metadata,
          handle: this.#held.handleOf(held)
        })
      )
    );
    if (!this.#closing) this.#visibility.keep(this.#held);
    this.#showSoon();
    return taken;
  }

  /**
   * Sends a message to the flow. If it cannot be made, or Node-RED cannot copy it, it is given up, and the others go
   * on.
   */
  #hand(held: HeldMessage, group: string | undefined, make: () => NodeMessage): void {
    if (group !== undefined && this.#stopped.has(group)) {
      this.#held.abandon(held);
      this.#visibility.giveBack([held]).catch((error) => this.#tried('ChangeMessageVisibility', error));
      return;
    }
    try {
      sendOn(this.RED, this.node, make(), (each) => this.node.send(each));
    } catch (thrown) {
      if (group !== undefined) this.#stopped.add(group);
      this.#held.abandon(held);
      this.#tellStuck(held.messageId, reasonOf(thrown));
      return;
    }
    if (this.options.settle === 'sent') {
      this.#deleteSent(held).catch((error) => this.#tried('DeleteMessage', error));
    }
  }

  /** Whether an entry of an answer is a message as SQS gives them. If not, an error says so, and the others go on. */
  #isMessage(entry: unknown): boolean {
    if (hasShape(sdkOf('sqs').Message$, entry)) return true;
    const id = textOf(memberOf(entry, 'MessageId') ?? 'without an ID');
    this.#tellStuck(id, 'it is not as SQS gives them');
    return false;
  }

  #tellStuck(id: string, why: string): void {
    this.node.error(
      `The message ${inOneLine(id)} cannot be sent on: ${why}. It comes again when its visibility timeout is over.`
    );
  }

  /**
   * Deletes a message that was sent, and tries again until its visibility timeout is over: it would be received again.
   */
  async #deleteSent(held: HeldMessage): Promise<void> {
    for (let failures = 0; !this.#closing; failures += 1) {
      try {
        await this.#held.settle(held.number, { action: 'delete' });
        this.#tried('DeleteMessage');
        return;
      } catch (error) {
        this.#tried('DeleteMessage', error);
        // Its visibility timeout is over: it cannot be deleted any more.
        if ((error as Error).name === 'HandleExpired') return;
      }
      await this.#pauseAfter(failures);
    }
  }

  async #settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      await this.#visibility.settle(held, settlement);
      this.#tried('ChangeMessageVisibility');
    } catch (error) {
      // Made here, since the node that reports it does not know this account's secrets, which must not be in its text.
      throw this.#toError(error, settlement.action === 'delete' ? 'DeleteMessage' : 'ChangeMessageVisibility');
    }
  }

  #tried(operation: Operation, thrown?: unknown): void {
    // A closing receiver does not try again, so that there is no trouble to show.
    if (this.#closing && thrown !== undefined) return;
    // Shown at each failure, too: the status names the time since when, and adds the date on another day.
    if (this.#troubles.tried(operation, thrown) || thrown !== undefined) this.#show();
  }

  /** After a failure, waits before the next request, longer each time. */
  async #recover(): Promise<void> {
    // Only a visibility that cannot be extended is no reason to receive other messages later.
    if (!this.#troubles.has('ReceiveMessage') && !this.#troubles.has('DeleteMessage')) this.#pauses = 0;
    else {
      this.#locator.forget();
      this.#pauses += 1;
      await this.#pauseAfter(this.#pauses - 1);
    }
  }

  /** Waits, longer after each further failure. */
  async #pauseAfter(failures: number): Promise<void> {
    const longest = Math.min(longestPause, firstPause * 2 ** failures);
    await this.#pause(longest * (0.5 + Math.random() / 2));
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#life.signal }).catch(() => undefined);
  }

  #toError(thrown: unknown, operation: Operation): ActionError {
    const secrets = this.#locator.secrets();
    const error = toActionError(thrown, { type: this.node.type, service: 'sqs', operation, secrets });
    return noteAbout(error, this.options.queue);
  }

  /** Warns of expired messages; one warning for all that expire in the same turn. */
  #tellLost(messages: HeldMessage[]): void {
    if (this.#lost.length === 0) setImmediate(() => this.#tellAllLost());
    for (const { messageId } of messages) this.#lost.push(messageId);
  }

  #tellAllLost(): void {
    const [id, ...others] = this.#lost.splice(0);
    const which = others.length > 0 ? `the message ${id} and ${others.length} more` : `the message ${id}`;
    this.node.warn(
      `The time for ${inOneLine(which)} is over before the flow has settled it: it comes again, unless it was deleted elsewhere.`
    );
  }

  #oneLess(): void {
    if (this.#held.size === 0) this.#tried('ChangeMessageVisibility');
    this.#wake();
    this.#showSoon();
  }

  /** Shows the status once, at the end of the turn, however many messages come and go in it. */
  #showSoon(): void {
    if (this.#showing) return;
    this.#showing = true;
    setImmediate(() => {
      this.#showing = false;
      this.#show();
    });
  }

  #show(): void {
    const { size, waiting } = this.#held;
    const trouble = this.#troubles.first;
    const count = size - waiting;
    if (trouble)
      this.#status.show(
        'red',
        this.RED._('status.failing', { name: statusTextOf(this.RED, trouble.error), since: trouble.since })
      );
    else if (waiting > 0) this.#status.show('blue', this.RED._('status.waiting', { count, total: waiting }));
    else this.#status.show('blue', count > 0 ? String(count) : 'status.receiving');
  }
}
