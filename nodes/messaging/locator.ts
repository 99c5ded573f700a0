import type { CurrentAccount } from '../account/account';
import type { Client } from '../account/client';
import type { Clients } from '../account/clients';
import { sdkOf } from '../account/sdks';
import { nameOf } from '../fields/thrown';
import { forgetUrl, regionOfQueue, urlOfQueue } from './queue';

/** The properties of a receiver that decide where its requests go. */
export interface Location {
  queue: string;
  region: string | undefined;
  /** Seconds; absent: the queue's own. */
  visibilityTimeout: number | undefined;
  settle: 'sent' | 'flow';
}

/** The queue that a receiver takes messages from, as it was found. */
export interface Source {
  readonly client: Client;
  readonly url: string;
  /** The ID of the node in the flow. */
  readonly node: string;
  /** How long received messages are invisible, seconds. */
  readonly visibilityTimeout: number;
  /** The `VisibilityTimeout` to send with requests, seconds; absent where the queue's own applies. */
  readonly timeoutOverride: number | undefined;
}

/** The visibility timeout if the queue's own may not be read or is 0, seconds. */
const assumedVisibility = 30;
/** Seconds; with 0, the visibility could not be extended, and messages could not be deleted from a FIFO queue. */
const shortestVisibility = 1;
/** The longest visibility timeout of a queue, seconds. */
const longestVisibility = 43_200;
/** How long the queue's own visibility timeout is used before it is read again, ms. */
const visibilityAge = 5 * 60_000;

const isDenied = (error: unknown): boolean => /AccessDenied|AuthorizationError/.test(nameOf(error));

/** Finds the client and the queue URL for a receiver, again after a failure and after some minutes. */
export class Locator {
  #clients: Clients | undefined;
  #source: Source | undefined;
  /** When the visibility timeout of the queue has to be read again, ms of `performance.now()`. */
  #validUntil = 0;
  #forgetUrl: () => void = () => undefined;

  constructor(
    private readonly account: CurrentAccount,
    private readonly location: Location,
    private readonly node: string
  ) {}

  /** The source that was found last, if one has been found. */
  get found(): Source | undefined {
    return this.#source;
  }

  /** The source that was found last. There is one once a message has been asked for. */
  get source(): Source {
    if (!this.#source) throw new Error('The queue has not been found yet.');
    return this.#source;
  }

  /**
   * Finds the client, the queue's URL and its visibility timeout. Rejects with the error of the account or of the SDK.
   */
  async find(abortSignal: AbortSignal): Promise<Source> {
    const { queue, region } = this.location;
    const { clients } = this.account;
    if (clients !== this.#clients) {
      this.#clients?.detach();
      clients.attach();
      this.#clients = clients;
    }
    const client = await clients.get('sqs', { region: region ?? regionOfQueue(queue) });
    // By key, since the account may have created an equal client again.
    if (this.#source?.client.key === client.key && performance.now() < this.#validUntil) return this.#source;
    const asked = urlOfQueue(sdkOf('sqs'), client, queue);
    this.#forgetUrl = () => forgetUrl(client, queue, asked);
    const url = await asked;
    this.#source = { client, url, node: this.node, ...(await this.#timeouts(client, url, abortSignal)) };
    this.#validUntil = performance.now() + visibilityAge;
    return this.#source;
  }

  /** Makes the next `find` look everything up again. */
  forget(): void {
    this.#validUntil = 0;
    this.#forgetUrl();
  }

  /** The secrets of the account. */
  secrets(): string[] {
    return this.#clients?.secrets() ?? [];
  }

  close(): void {
    this.#clients?.detach();
  }

  async #timeouts(
    client: Client,
    url: string,
    abortSignal: AbortSignal
  ): Promise<Pick<Source, 'visibilityTimeout' | 'timeoutOverride'>> {
    const { visibilityTimeout, settle } = this.location;
    const override = (seconds: number) => ({ visibilityTimeout: seconds, timeoutOverride: seconds });
    if (visibilityTimeout !== undefined) return override(Math.max(shortestVisibility, visibilityTimeout));
    const own = await this.#ownVisibility(client, url, abortSignal);
    if (own < shortestVisibility) return override(assumedVisibility);
    // Fixed in each request if the flow settles messages itself, since the queue's own may change in the meantime.
    return settle === 'flow' ? override(own) : { visibilityTimeout: own, timeoutOverride: undefined };
  }

  /** The queue's own visibility timeout, seconds; 0 if the policy does not allow reading it or if it is not valid. */
  async #ownVisibility(client: Client, url: string, abortSignal: AbortSignal): Promise<number> {
    const { GetQueueAttributesCommand } = sdkOf('sqs');
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] });
    try {
      const { Attributes } = await client.send(command, { abortSignal, node: this.node });
      const own = Number(Attributes?.VisibilityTimeout);
      return own <= longestVisibility ? own : 0;
    } catch (error) {
      if (isDenied(error)) return 0;
      throw error;
    }
  }
}
