import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Message } from '@aws-sdk/client-sqs';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { AccountNode } from './account';
import { accountFrom, clientsOf } from './account';
import { fromAttributes } from './attributes';
import type { Answer, Client, Metadata } from './clients';
import type { Delivery, Settlement } from './deliveries';
import { Deliveries } from './deliveries';
import type { ActionError } from './errors';
import { closed } from './errors';
import { toActionError } from './failures';
import { parseJson, present } from './json';
import { Passage } from './passage';
import { regionOfQueue, urlOfQueue } from './queue';
import type { Command } from './sdks';
import { sdkOf } from './sdks';
import { Status } from './status';
import type { Place } from './visibility';
import { Visibility } from './visibility';

/** The checked properties of an `aws-sqs-receive`. */
export interface ReceiverOptions {
  queue: string;
  region: string | undefined;
  batchSize: number;
  /** Seconds. */
  waitTime: number;
  /** Seconds; absent: the queue's own. */
  visibilityTimeout: number | undefined;
  maxInFlight: number;
  settle: 'sent' | 'flow';
  bodyFormat: 'auto' | 'string' | 'buffer';
}

/** What a receiver does all the time, as the log words it. */
const doing = {
  ReceiveMessage: 'receiving from',
  DeleteMessage: 'deleting from',
  ChangeMessageVisibility: 'hiding messages of'
};
type Operation = keyof typeof doing;

/** A place that was found at some time. */
interface Found extends Place {
  /** To be asked for in each request; the queue's own where it is absent. */
  visibilityTimeout: number | undefined;
  /** When the queue is to be asked again for its own time, ms since 1970. */
  until: number;
}

/** Pauses after failures, ms: up to this long, and twice as long after each further one. */
const firstPause = 1000;
const longestPause = 30_000;
/** A queue that has nothing and says so at once is not asked more often than this, ms. */
const shortestPoll = 1000;
/** Seconds, where the queue's own time may not be asked for, or where it hides nothing. */
const assumedVisibility = 30;
/** Seconds; what is not hidden at all cannot be kept hidden. */
const shortestVisibility = 1;
/** How long the queue's own time is taken for granted, ms. */
const visibilityAge = 5 * 60_000;
/** How long a closing receiver may take to give messages back, ms. */
const closeLimit = 10_000;

/** How long a queue that has messages takes to answer, ms. */
const longestAnswer = 250;
/** How long an aborted request may take to end, ms. */
const abortLimit = 1000;

/** Resolves with `work`, or after so many ms. */
async function within(limit: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const timeout = wait(limit, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([work, timeout]);
  over.abort();
}

const isDenied = (error: unknown): boolean => /AccessDenied|AuthorizationError/.test((error as Error).name);

/** A deployed receiver: asks a queue for messages for as long as it lives. */
export class Receiver {
  readonly #life = new Passage();
  readonly #status: Status;
  readonly #deliveries: Deliveries;
  readonly #visibility: Visibility;
  readonly #loop: Promise<void>;
  #account: AccountNode | undefined;
  #detach: (() => void) | undefined;
  #place: Found | undefined;
  #closing = false;
  /** Ends the wait for room. */
  #wake: () => void = () => undefined;
  /** By operation: what is wrong and since when. */
  readonly #troubles = new Map<Operation, { name: string; since: string }>();
  #pauses = 0;
  /** Whether a request for messages is in flight, and whether the last one brought some. */
  #polling = false;
  #flowing = false;
  #showing = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly accountId: unknown,
    private readonly options: ReceiverOptions
  ) {
    this.#status = new Status(node);
    this.#visibility = new Visibility(
      () => this.#place as Found,
      (error) => this.#tried('ChangeMessageVisibility', error),
      (ids) => this.#lost(ids)
    );
    this.#deliveries = new Deliveries(
      (delivery, settlement) => this.#carryOut(delivery, settlement),
      () => this.#oneLess()
    );
    this.#loop = this.#run();
  }

  /** Stops receiving and gives back what is not settled. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    this.#deliveries.close();
    // A request that is cut off would take what is given back with it: the open one gets it, and then it is given back.
    const first = this.#giveBack();
    if (this.#polling && (this.#deliveries.size > 0 || this.#flowing)) await within(longestAnswer, this.#loop);
    this.#life.abort(closed());
    // A sign-in that hangs cannot be told to stop.
    await within(abortLimit, this.#loop);
    await within(closeLimit, Promise.all([first, this.#giveBack()]));
    this.#visibility.abort(closed());
    this.#visibility.close();
    this.#status.close();
    this.#detach?.();
  }

  /** Whatever the flow is not settling at this moment is returned, and what it fails to settle. */
  async #giveBack(): Promise<void> {
    const returned = [...this.#deliveries].map(async ({ settlement, number }) => {
      await settlement?.work.catch(() => undefined);
      await this.#deliveries.settle(number, { action: 'return', delay: 0 });
    });
    await Promise.allSettled(returned);
  }

  async #run(): Promise<void> {
    // An account that is deployed at the same moment may come later.
    await turn();
    while (!this.#closing) {
      try {
        const place = await this.#life.until(this.#findPlace());
        await this.#poll(place, await this.#room());
        this.#tried('ReceiveMessage');
      } catch (error) {
        this.#polling = false;
        if (!this.#closing) this.#tried('ReceiveMessage', error);
      }
      await this.#recover();
    }
  }

  /** Waits until the flow may have more messages; gives how many. */
  async #room(): Promise<number> {
    const { maxInFlight } = this.options;
    while (!this.#closing && this.#deliveries.size >= maxInFlight) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      // What is settled together makes room together.
      await turn();
    }
    return maxInFlight - this.#deliveries.size;
  }

  async #poll(place: Found, room: number): Promise<void> {
    if (this.#closing) return;
    this.#show();
    const { batchSize, waitTime } = this.options;
    const began = Date.now();
    this.#polling = true;
    const output = await this.#send(
      place.client,
      new (sdkOf('sqs').ReceiveMessageCommand)({
        QueueUrl: place.url,
        MaxNumberOfMessages: Math.min(batchSize, room),
        WaitTimeSeconds: waitTime,
        VisibilityTimeout: place.visibilityTimeout,
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
        MessageAttributeNames: ['All']
      })
    );
    this.#polling = false;
    const { Messages = [] } = output;
    this.#flowing = Messages.length > 0;
    for (const message of Messages) this.#take(message, place, output.$metadata);
    const rest = shortestPoll - (Date.now() - began);
    if (Messages.length === 0 && rest > 0) await this.#pause(rest);
  }

  /** Hands a message to the flow; one that came too late goes back with the rest. */
  #take(message: Message, place: Found, metadata: Metadata): void {
    const { MessageId = '', ReceiptHandle = '' } = message;
    const delivery = this.#deliveries.add(MessageId, ReceiptHandle, Date.now() + place.hidden * 1000);
    if (!delivery || this.#closing) return;
    this.#showSoon();
    this.node.send(this.#toMessage(message, delivery, place.client.region, metadata));
    if (this.options.settle === 'sent') {
      this.#deleteSent(delivery).catch((error) => this.#tried('DeleteMessage', error));
    } else this.#visibility.keep(this.#deliveries);
  }

  #toMessage(message: Message, delivery: Delivery, region: string, metadata: Metadata): NodeMessage {
    const { Body = '', Attributes = {}, MessageAttributes = {}, MessageId } = message;
    const { bodyFormat } = this.options;
    const { ApproximateReceiveCount, SentTimestamp, MessageGroupId } = Attributes;
    const asText = bodyFormat === 'buffer' ? Buffer.from(Body) : Body;
    const parsed = bodyFormat === 'auto' ? parseJson(Body) : undefined;
    const aws = present({
      service: 'sqs',
      operation: 'ReceiveMessage',
      region,
      statusCode: metadata.httpStatusCode,
      requestId: metadata.requestId,
      attempts: metadata.attempts,
      messageId: MessageId,
      receiveCount: ApproximateReceiveCount === undefined ? undefined : Number(ApproximateReceiveCount),
      sentAt: SentTimestamp === undefined ? undefined : Number(SentTimestamp),
      groupId: MessageGroupId,
      attributes: fromAttributes(MessageAttributes),
      handle: this.#deliveries.handleOf(delivery)
    });
    return { payload: parsed ? parsed.value : asText, aws } as NodeMessage;
  }

  async #deleteSent(delivery: Delivery): Promise<void> {
    try {
      await this.#deliveries.settle(delivery.number, { action: 'delete' });
      this.#tried('DeleteMessage');
    } catch (error) {
      this.#deliveries.forget(delivery);
      this.#tried('DeleteMessage', error);
    }
  }

  async #carryOut(delivery: Delivery, settlement: Settlement): Promise<void> {
    try {
      await this.#visibility.settle(delivery, settlement);
      this.#tried('ChangeMessageVisibility');
    } catch (error) {
      // Another node reports it, which knows nothing of this account's secrets.
      throw this.#toError(error, settlement.action === 'delete' ? 'DeleteMessage' : 'ChangeMessageVisibility');
    }
  }

  /** The client, the queue's URL, and how long it hides messages: asked for once, and again after a failure. */
  async #findPlace(): Promise<Found> {
    const { queue, region } = this.options;
    const account = accountFrom(this.RED, this.accountId);
    if (account !== this.#account) {
      this.#detach?.();
      this.#account = account;
      this.#detach = account?.clients?.attach();
    }
    const client = await clientsOf(account).get('sqs', { region: region ?? regionOfQueue(queue) });
    if (this.#place?.client === client && Date.now() < this.#place.until) return this.#place;
    const url = await urlOfQueue(sdkOf('sqs'), client, queue);
    this.#place = { client, url, ...(await this.#hiding(client, url)), until: Date.now() + visibilityAge };
    return this.#place;
  }

  async #hiding(client: Client, url: string): Promise<Pick<Found, 'visibilityTimeout' | 'hidden'>> {
    const { visibilityTimeout, settle } = this.options;
    // A message that is deleted at once does not have to be kept hidden.
    if (settle === 'sent') return { visibilityTimeout, hidden: Infinity };
    if (visibilityTimeout !== undefined) {
      const hidden = Math.max(shortestVisibility, visibilityTimeout);
      return { visibilityTimeout: hidden, hidden };
    }
    try {
      const { GetQueueAttributesCommand } = sdkOf('sqs');
      const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] });
      const { Attributes } = await this.#send(client, command);
      const hidden = Number(Attributes?.VisibilityTimeout ?? 0);
      // Asked for in each request, since the queue's own may become another one at any time.
      if (hidden >= shortestVisibility) return { visibilityTimeout: hidden, hidden };
    } catch (error) {
      if (!isDenied(error)) throw error;
    }
    return { visibilityTimeout: assumedVisibility, hidden: assumedVisibility };
  }

  #send<Output extends Answer>(client: Client, command: Command<Output>): Promise<Output> {
    return client.send(command, { abortSignal: this.#life.signal });
  }

  /** Says what is wrong, once for as long as it is, and that it is all right again. */
  #tried(operation: Operation, thrown?: unknown): void {
    const known = this.#troubles.get(operation);
    if (thrown === undefined) {
      if (!known) return;
      this.#troubles.delete(operation);
      this.node.log(`${doing[operation]} ${this.options.queue} again`);
    } else {
      const { name, message } = this.#toError(thrown, operation);
      if (name === known?.name) return;
      const since = new Date().toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
      this.#troubles.set(operation, { name, since });
      const what = doing[operation].replace(/^./, (letter) => letter.toUpperCase());
      if (!known) this.node.warn(`${what} ${this.options.queue} failed, and is tried again: ${name}: ${message}`);
    }
    this.#show();
  }

  /** Waits a while, longer each time, as long as something is wrong. */
  async #recover(): Promise<void> {
    // Messages that cannot be kept hidden are no reason to take others later.
    if (!this.#troubles.has('ReceiveMessage') && !this.#troubles.has('DeleteMessage')) this.#pauses = 0;
    else {
      // The account, the queue's URL and its visibility timeout are found anew.
      if (this.#place) this.#place.until = 0;
      const longest = Math.min(longestPause, firstPause * 2 ** this.#pauses);
      this.#pauses += 1;
      await this.#pause(longest * (0.5 + Math.random() / 2));
    }
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#life.signal }).catch(() => undefined);
  }

  #toError(thrown: unknown, operation: Operation): ActionError {
    const secrets = this.#account?.clients?.secrets() ?? [];
    return toActionError(thrown, { type: this.node.type, service: 'sqs', operation, secrets });
  }

  /** These messages are no longer held. */
  #lost([id, ...others]: string[]): void {
    const which = others.length > 0 ? `the message ${id} and ${others.length} more` : `the message ${id}`;
    this.node.warn(`The time for ${which} is over before the flow has settled it; it will come again.`);
  }

  #oneLess(): void {
    if (this.#deliveries.size === 0) this.#tried('ChangeMessageVisibility');
    this.#wake();
    this.#showSoon();
  }

  /** Many messages come and go in a turn: the status is for people. */
  #showSoon(): void {
    if (this.#showing) return;
    this.#showing = true;
    setImmediate(() => {
      this.#showing = false;
      this.#show();
    });
  }

  #show(): void {
    const { size } = this.#deliveries;
    const [trouble] = this.#troubles.values();
    if (trouble) this.#status.show('red', this.RED._('status.failing', trouble));
    else this.#status.show('blue', size > 0 ? String(size) : 'status.receiving');
  }
}
