/** How many requests receive at once, whatever room there is. */
export const mostPolls = 20;
/** How long a request waits for messages where another one waits as long as it may, s. */
const shortWait = 1;
/**
 * An answer with messages that takes longer than this, ms, had to wait for them, or this process or the network is
 * busy: more requests would only wait for each other.
 */
const longestAnswer = 500;

/** What a request for messages asks for. */
export interface PollOptions {
  readonly messages: number;
  /** How long it waits for messages while the queue is empty, s. */
  readonly waitTime: number;
}

/** A `ReceiveMessage` that has no answer yet. */
export interface Poll extends PollOptions {
  /** When it was sent, by `performance.now()`, ms. */
  readonly began: number;
}

/**
 * The requests of a receiver that have no answer yet, and whether one more is worth it: each that soon brings as many messages
 * as it asked for makes room for one more, each that does not for one less. One of them waits for messages as long as it may,
 * the others hardly do, so that an empty queue costs one long poll.
 */
export class Polls {
  readonly #open = new Map<Poll, Promise<void>>();
  /** How many may be open. */
  #most = 1;

  /** @param options what a request asks for at most, and how many messages all of them may bring */
  constructor(private readonly options: PollOptions & { readonly maxInFlight: number }) {}

  get size(): number {
    return this.#open.size;
  }

  /** How many messages they may bring together. */
  get messages(): number {
    let sum = 0;
    for (const { messages } of this.#open.keys()) sum += messages;
    return sum;
  }

  /** When the last one of them was sent, ms. */
  get latest(): number {
    return Math.max(...[...this.#open.keys()].map(({ began }) => began));
  }

  /** Resolves when each of them has ended. */
  get ended(): Promise<unknown> {
    return Promise.all(this.#open.values());
  }

  /**
   * What the next request asks for where there is room for so many messages; `undefined` where it has to wait. Beside others
   * it asks for a full batch or not at all: a part of one costs as much.
   */
  next(room: number): PollOptions | undefined {
    const { messages, waitTime } = this.options;
    if (this.size === 0) return room > 0 ? { messages: Math.min(messages, room), waitTime } : undefined;
    if (this.size >= this.#most || room < messages) return undefined;
    const isWaiting = [...this.#open.keys()].some((poll) => poll.waitTime === waitTime);
    return { messages, waitTime: isWaiting ? Math.min(waitTime, shortWait) : waitTime };
  }

  /** Sends a request. */
  begin(options: PollOptions, send: (poll: Poll) => Promise<void>): void {
    const poll = { ...options, began: performance.now() };
    this.#open.set(poll, send(poll));
  }

  /** Notes how many messages a request has brought. */
  answered(poll: Poll, messages: number): void {
    this.#open.delete(poll);
    const isBusy = messages >= poll.messages && performance.now() - poll.began < longestAnswer;
    if (isBusy) this.#allow(this.#most + 1);
    // The queue is empty: the others will find nothing either.
    else if (messages === 0) this.#allow(this.size);
    else this.#allow(this.#most - 1);
  }

  failed(poll: Poll): void {
    this.#open.delete(poll);
    this.#allow(1);
  }

  #allow(most: number): void {
    const { maxInFlight, messages } = this.options;
    this.#most = Math.max(1, Math.min(most, mostPolls, Math.floor(maxInFlight / messages)));
  }
}
