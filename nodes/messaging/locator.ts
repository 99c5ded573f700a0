import type { CurrentAccount } from '../account/account';
import type { Client } from '../account/client';
import type { Clients } from '../account/clients';
import { sdkOf } from '../account/sdks';
import { nameOf } from '../fields/errors';
import { forgetUrl, regionOfQueue, urlOfQueue } from './queue';

/** What a receiver has to know to find its queue. */
export interface Location {
  queue: string;
  region: string | undefined;
  /** Seconds; absent: the queue's own. */
  visibilityTimeout: number | undefined;
  settle: 'sent' | 'flow';
}

/** Where the requests of a receiver go. */
export interface Place {
  readonly client: Client;
  readonly url: string;
  /** How long the queue hides what it hands out, seconds. */
  readonly hidden: number;
  /** To be asked for in each request; the queue's own where it is absent. */
  readonly visibilityTimeout: number | undefined;
}

/** Seconds, where the queue's own time may not be asked for, or where it hides nothing. */
const assumedVisibility = 30;
/** Seconds; what is not hidden at all cannot be kept hidden, nor deleted from a FIFO queue. */
const shortestVisibility = 1;
/** Seconds; the most that a queue can have. */
const longestVisibility = 43_200;
/** How long the queue's own time is taken for granted, ms. */
const visibilityAge = 5 * 60_000;

const isDenied = (error: unknown): boolean => /AccessDenied|AuthorizationError/.test(nameOf(error));

/** Finds a receiver's account and queue: once, and again after a failure. */
export class Locator {
  #clients: Clients | undefined;
  #place: Place | undefined;
  /** When the queue is to be asked again for its own time, by `performance.now()`. */
  #until = 0;
  #forgetUrl: () => void = () => undefined;

  constructor(
    private readonly account: CurrentAccount,
    private readonly location: Location
  ) {}

  /** The place that was found last: there is one as soon as there is a message. */
  get place(): Place {
    return this.#place as Place;
  }

  /** The client, the queue's URL, and how long it hides messages. */
  async find(abortSignal: AbortSignal): Promise<Place> {
    const { queue, region } = this.location;
    const { clients } = this.account;
    if (clients !== this.#clients) {
      this.#clients?.detach();
      clients.attach();
      this.#clients = clients;
    }
    const client = await clients.get('sqs', { region: region ?? regionOfQueue(queue) });
    // The account may have made another one that is the same.
    if (this.#place?.client.key === client.key && performance.now() < this.#until) return this.#place;
    const asked = urlOfQueue(sdkOf('sqs'), client, queue);
    this.#forgetUrl = () => forgetUrl(client, queue, asked);
    const url = await asked;
    this.#place = { client, url, ...(await this.#hiding(client, url, abortSignal)) };
    this.#until = performance.now() + visibilityAge;
    return this.#place;
  }

  /** All of it is found anew the next time. */
  forget(): void {
    this.#until = 0;
    this.#forgetUrl();
  }

  /** The secrets of the account. */
  secrets(): string[] {
    return this.#clients?.secrets() ?? [];
  }

  close(): void {
    this.#clients?.detach();
  }

  async #hiding(
    client: Client,
    url: string,
    abortSignal: AbortSignal
  ): Promise<Pick<Place, 'visibilityTimeout' | 'hidden'>> {
    const { visibilityTimeout, settle } = this.location;
    const asked = (hidden: number) => ({ visibilityTimeout: hidden, hidden });
    if (visibilityTimeout !== undefined) return asked(Math.max(shortestVisibility, visibilityTimeout));
    const own = await this.#ownVisibility(client, url, abortSignal);
    if (own < shortestVisibility) return asked(assumedVisibility);
    // Asked for where the flow takes its time: the queue's own may become another one meanwhile.
    return settle === 'flow' ? asked(own) : { visibilityTimeout: undefined, hidden: own };
  }

  /** The queue's own, seconds; 0 where it may not be asked for, or is none. */
  async #ownVisibility(client: Client, url: string, abortSignal: AbortSignal): Promise<number> {
    const { GetQueueAttributesCommand } = sdkOf('sqs');
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] });
    try {
      const { Attributes } = await client.send(command, { abortSignal });
      const own = Number(Attributes?.VisibilityTimeout);
      return own <= longestVisibility ? own : 0;
    } catch (error) {
      if (isDenied(error)) return 0;
      throw error;
    }
  }
}
