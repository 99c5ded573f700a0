import { setMaxListeners } from 'node:events';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { ReceiveMessageCommandOutput } from '@aws-sdk/client-sqs';
import type { Node, NodeAPI } from 'node-red';
import type { CurrentAccount } from '../account/account';
import { idInFlow } from '../account/calls';
import { Running } from '../account/running';
import { sdkOf } from '../account/sdks';
import { toActionError } from '../account/to-action-error';
import { Status } from '../action/status';
import { statusTextOf } from '../action/status-words';
import { within } from '../action/within';
import type { ActionError } from '../fields/errors';
import { closed, noteAbout } from '../fields/errors';
import { inOneLine } from '../fields/lines';
import { nameOf } from '../fields/thrown';
import { BackOff, pauseAfter } from './back-off';
import type { HeldMessage, Settlement } from './held-messages';
import { HeldMessages } from './held-messages';
import { Incoming } from './incoming';
import type { Location, Source } from './locator';
import { Locator } from './locator';
import type { Poll, PollOptions } from './polls';
import { Polls } from './polls';
import { isFifo } from './queue';
import { lookAgainAfter, QueueDepth, type QueueLook } from './queue-depth';
import type { Format } from './received-message';
import type { Operation, Trouble } from './troubles';
import { Troubles } from './troubles';
import { Visibility } from './visibility';

/** The checked properties of an `aws-sqs-receive`. */
export interface ReceiverOptions extends Location, Format {
  batchSize: number;
  /** Seconds. */
  waitTime: number;
  maxInFlight: number;
}

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
/**
 * How long SQS may take to notice that a connection was closed, ms. Until then a request that was aborted still receives
 * messages, which nobody gets.
 */
const noticeTime = 250;

/** Resolves with `work`, however it ends, or after so many ms. */
async function waitFor(work: Promise<unknown>, limit: number): Promise<void> {
  const over = new AbortController();
  const timeout = wait(limit, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([work, timeout]);
  over.abort();
}

/** The receivers that run. */
export const runningReceivers = new Running<Receiver>();

/** How a receiver is at the moment, for the sidebar. */
export interface ReceiverLook extends QueueLook {
  /** The ID of the node as it runs, and in the flow. */
  readonly id: string;
  readonly node: string;
  readonly account: string | undefined;
  readonly queue: string;
  /** Messages that it has received and that are not settled. */
  readonly held: number;
  /** What keeps it from receiving, deleting or extending the visibility. */
  readonly trouble: ActionError | undefined;
}

/** A deployed receiver: asks a queue for messages for as long as it lives. */
export class Receiver {
  readonly #life = new AbortController();
  readonly #status: Status;
  readonly #locator: Locator;
  readonly #held: HeldMessages;
  readonly #incoming: Incoming;
  readonly #visibility: Visibility;
  readonly #troubles: Troubles;
  readonly #polls: Polls;
  readonly #backOff = new BackOff();
  readonly #loop: Promise<void>;
  readonly #depth: QueueDepth;
  readonly #leave: () => void;
  /** Resolves with the last turn of the event loop that an answer waits for. */
  #turns = Promise.resolve();
  #closing = false;
  /** Ends the wait for room for messages, or for the end of a request. */
  #wake: () => void = () => undefined;
  /** The IDs of messages that have expired, until one warning names them all. */
  readonly #expired: string[] = [];
  #willShow = false;
  /** Set while the status says what waits in the queue, which is then asked again even if nothing happens here. */
  #lookAgain: NodeJS.Timeout | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly account: CurrentAccount,
    private readonly options: ReceiverOptions
  ) {
    // Each pause and each request adds a listener; Node.js would warn of more than ten.
    setMaxListeners(0, this.#life.signal);
    this.#status = new Status(RED, node);
    this.#locator = new Locator(account, options, idInFlow(node));
    const { batchSize: messages, waitTime, maxInFlight } = options;
    this.#polls = new Polls({ messages, waitTime, maxInFlight });
    this.#troubles = new Troubles(node, options.queue, (thrown, operation) => this.#toError(thrown, operation));
    this.#visibility = new Visibility(() => this.#locator.source, {
      succeeded: () => this.#succeeded('ChangeMessageVisibility'),
      failed: (error) => this.#failed('ChangeMessageVisibility', error)
    });
    this.#held = new HeldMessages({
      settle: (held, settlement) => this.#settle(held, settlement),
      returnUnsent: (messages) => this.#visibility.returnAtOnce(messages),
      failed: (error) => this.#failed('ChangeMessageVisibility', error),
      expired: (messages) => this.#warnOfExpired(messages),
      removed: () => this.#messageRemoved()
    });
    this.#incoming = new Incoming(RED, node, options, this.#held, {
      sent: (held) => {
        if (options.settle === 'sent') this.#deleteSent(held).catch((error) => this.#failed('DeleteMessage', error));
      },
      returnUnsent: (held) => {
        this.#visibility.returnAtOnce([held]).catch((error) => this.#failed('ChangeMessageVisibility', error));
      }
    });
    this.#loop = this.#run();
    this.#depth = new QueueDepth(
      this.#life.signal,
      (thrown) => this.#toError(thrown, 'GetQueueAttributes'),
      () => {
        if (this.#lookAgain) this.#showSoon();
      }
    );
    this.#leave = runningReceivers.add(RED, this);
  }

  /** How it is at the moment. Looks at the queue, too, at most once a minute. */
  look(): ReceiverLook {
    return {
      id: this.node.id,
      node: idInFlow(this.node),
      account: this.account.nodeId,
      queue: this.options.queue,
      held: this.#held.size,
      trouble: this.#troubles.first?.error,
      ...this.#depth.look(this.#locator.found)
    };
  }

  /** Stops receiving, and returns to the queue what is not settled. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#lookAgain);
    this.#leave();
    this.#wake();
    this.#held.close();
    await this.#endPolls();
    await waitFor(this.#returnAll(), closeLimit);
    this.#visibility.abort(closed());
    this.#visibility.close();
    this.#status.close();
    this.#locator.close();
  }

  /**
   * Ends the open requests for messages. They would receive those that are returned to the queue next, which would then be
   * invisible to every receiver.
   */
  async #endPolls(): Promise<void> {
    // A request that was sent just now may be about to bring messages. If it were aborted, they would stay invisible
    // until their visibility timeout ends.
    const rest = this.#polls.latest + longestAnswer - performance.now();
    if (rest > 0) await waitFor(this.#polls.ended, rest);
    const isOpen = this.#polls.size > 0;
    this.#life.abort(closed());
    // Limited, since a sign-in without an answer cannot be aborted.
    await waitFor(Promise.all([this.#loop, this.#polls.ended]), abortLimit);
    if (isOpen && this.#held.size > 0) await wait(noticeTime);
  }

  /**
   * Returns all messages to the queue, except for those that the flow is settling now and settles without an error.
   * If `settle` is `sent`, a message that was sent is deleted instead of returned.
   */
  async #returnAll(): Promise<void> {
    const returned = this.#held.first.map(async (held) => {
      const behind = this.#held.returnBehind(held);
      await held.settlement?.work.catch(() => undefined);
      await behind;
      const isSent = this.options.settle === 'sent' && !held.send;
      await this.#held.settle(held.number, isSent ? { action: 'delete' } : { action: 'return', delay: 0 });
    });
    await Promise.allSettled(returned);
  }

  /** Sends one request for messages after the other, without waiting for their answers. */
  async #run(): Promise<void> {
    // Node-RED may make the account of the same deployment after this node.
    await turn();
    if (this.account.showsResults && !this.#closing) this.#showResults();
    while (await this.#isNeeded()) {
      try {
        const source = await within(longestSilence, (signal) => this.#locator.find(signal), this.#life.signal);
        const options = this.#closing ? undefined : this.#next;
        if (options) this.#polls.begin(options, (poll) => this.#poll(source, poll));
      } catch (error) {
        this.#failed('ReceiveMessage', error);
        this.#recover();
      }
    }
  }

  /** Waits until there is need for one more request for messages; gives `false` once the receiver closes. */
  async #isNeeded(): Promise<boolean> {
    await this.#backOff.over(this.#life.signal);
    while (!this.#closing && !this.#next) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // Messages that are settled in the same turn make room for one larger batch.
      await turn();
      await this.#backOff.over(this.#life.signal);
    }
    return !this.#closing;
  }

  /** What the next request for messages asks for; `undefined` where there is no need for one. */
  get #next(): PollOptions | undefined {
    if (this.#polls.size > 0 && this.#isOvertaken) return undefined;
    return this.#polls.next(this.#free);
  }

  /**
   * Whether messages of a FIFO queue may be visible again before the answer that brings them has come, so that those of
   * another request could be before them.
   */
  get #isOvertaken(): boolean {
    const { queue, waitTime } = this.options;
    return isFifo(queue) && this.#locator.source.visibilityTimeout * 1000 <= waitTime * 1000 + shortestSilence;
  }

  /** How many more messages may be asked for now. */
  get #free(): number {
    const { maxInFlight, settle } = this.options;
    const { size, waiting, room } = this.#held;
    // These messages have left the node already, and only wait to be deleted.
    const free =
      settle === 'sent'
        ? Math.min(maxInFlight, deletionsEach * maxInFlight - size)
        : Math.min(maxInFlight - (size - waiting), room);
    return free - this.#polls.messages;
  }

  async #poll(source: Source, poll: Poll): Promise<void> {
    this.#show();
    try {
      const { Messages = [], $metadata } = await this.#ask(source, poll);
      await this.#ownTurn();
      this.#polls.answered(poll, Messages.length);
      const taken = this.#incoming.take(Messages, source, $metadata);
      if (taken > 0) {
        if (!this.#closing) this.#visibility.keep(this.#held);
        this.#showSoon();
      } else if (this.#polls.size === 0) this.#backOff.rest(poll.began + shortestPoll - performance.now());
      // The answer to a request from before the last failure does not mean that all is well again.
      if (!this.#backOff.isOutdated(poll.began)) {
        this.#succeeded('ReceiveMessage');
        this.#recover();
      }
    } catch (error) {
      this.#polls.failed(poll);
      this.#failed('ReceiveMessage', error);
      this.#recover();
    }
    this.#wake();
  }

  /**
   * Waits for a turn of the event loop in which no other answer is processed. Between two turns Node.js reads the answers
   * that have arrived meanwhile; otherwise these would seem to be late.
   */
  #ownTurn(): Promise<void> {
    this.#turns = this.#turns.then(() => turn());
    return this.#turns;
  }

  /** Receives messages. Rejects with `Timeout` or the service's error. */
  #ask(
    { client, url, node, timeoutOverride }: Source,
    { messages, waitTime }: Poll
  ): Promise<ReceiveMessageCommandOutput> {
    const command = new (sdkOf('sqs').ReceiveMessageCommand)({
      QueueUrl: url,
      MaxNumberOfMessages: messages,
      WaitTimeSeconds: waitTime,
      VisibilityTimeout: timeoutOverride,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All']
    });
    const waits = waitTime * 1000;
    const limits = { node, waits, silence: waits + shortestSilence };
    return within(
      waits + longestSilence,
      (abortSignal, heard) => client.send(command, { ...limits, abortSignal, heard }),
      this.#life.signal
    );
  }

  /**
   * Deletes a message that was sent, and tries again until its visibility timeout is over: it would be received again.
   */
  async #deleteSent(held: HeldMessage): Promise<void> {
    for (let failures = 0; !this.#closing; failures += 1) {
      try {
        await this.#held.settle(held.number, { action: 'delete' });
        this.#succeeded('DeleteMessage');
        return;
      } catch (error) {
        this.#failed('DeleteMessage', error);
        // Its visibility timeout is over: it cannot be deleted any more.
        if (nameOf(error) === 'HandleExpired') return;
      }
      await wait(pauseAfter(failures), undefined, { signal: this.#life.signal }).catch(() => undefined);
    }
  }

  async #settle(held: HeldMessage, settlement: Settlement): Promise<void> {
    try {
      await this.#visibility.settle(held, settlement);
      this.#succeeded('ChangeMessageVisibility');
    } catch (error) {
      // Made here, since the node that reports it does not know this account's secrets, which must not be in its text.
      throw this.#toError(error, settlement.action === 'delete' ? 'DeleteMessage' : 'ChangeMessageVisibility');
    }
  }

  #succeeded(operation: Operation): void {
    if (this.#troubles.succeeded(operation)) this.#show();
  }

  #failed(operation: Operation, thrown: unknown): void {
    // A closing receiver does not try again, so that there is no trouble to show.
    if (this.#closing) return;
    this.#troubles.failed(operation, thrown);
    // Shown at each failure: the status says since when, and from the next day on with the date.
    this.#show();
  }

  /** While something fails, the next request for messages comes later. */
  #recover(): void {
    // That visibility cannot be extended is, by itself, no reason to receive other messages later.
    if (this.#troubles.has('ReceiveMessage') || this.#troubles.has('DeleteMessage')) {
      this.#locator.forget();
      this.#backOff.failed();
    } else this.#backOff.succeeded();
  }

  #toError(thrown: unknown, operation: Operation | 'GetQueueAttributes'): ActionError {
    const secrets = this.#locator.secrets();
    const error = toActionError(thrown, { type: this.node.type, service: 'sqs', operation, secrets });
    return noteAbout(error, this.options.queue);
  }

  /** Warns of expired messages; one warning for all that expire in the same turn. */
  #warnOfExpired(messages: HeldMessage[]): void {
    if (this.#expired.length === 0) setImmediate(() => this.#warnOfAllExpired());
    for (const { messageId } of messages) this.#expired.push(messageId);
  }

  #warnOfAllExpired(): void {
    const [id, ...others] = this.#expired.splice(0);
    const which = others.length > 0 ? `the message ${id} and ${others.length} more` : `the message ${id}`;
    this.node.warn(
      `The time for ${inOneLine(which)} is over before the flow has settled it: it comes again, unless it was deleted elsewhere.`
    );
  }

  #messageRemoved(): void {
    // Without messages there is no visibility to extend, and so no trouble with it.
    if (this.#held.size === 0) this.#succeeded('ChangeMessageVisibility');
    this.#wake();
    this.#showSoon();
  }

  /** Shows the status once, at the end of the turn, however many messages come and go in it. */
  #showSoon(): void {
    if (this.#willShow) return;
    this.#willShow = true;
    setImmediate(() => {
      this.#willShow = false;
      this.#show();
    });
  }

  #showResults(): void {
    this.#status.slowDown();
    // A little later than the queue may be asked again.
    this.#lookAgain = setInterval(() => this.#showSoon(), lookAgainAfter + 1000);
  }

  /** How many messages are here and, once that is known, in the queue, which is only asked while there are some here. */
  #resultWords(count: number): string {
    if (count === 0) return 'status.receiving';
    const total = this.#depth.look(this.#locator.found).depth?.waiting ?? 0;
    if (total > 0) return this.RED._('status.hereAndWaiting', { count, total });
    return this.RED._('status.here', { count });
  }

  #wordsFor({ error, since }: Trouble): string {
    if (error.name === 'BudgetExceeded') return 'status.budget';
    return this.RED._('status.failing', { name: statusTextOf(this.RED, error), since });
  }

  #show(): void {
    const { size, waiting } = this.#held;
    const trouble = this.#troubles.first;
    const count = size - waiting;
    if (trouble) this.#status.show('red', this.#wordsFor(trouble));
    else if (waiting > 0) this.#status.show('blue', this.RED._('status.waiting', { count, total: waiting }));
    else if (this.#lookAgain) this.#status.show('blue', this.#resultWords(count));
    else this.#status.show('blue', count > 0 ? String(count) : 'status.receiving');
  }
}
