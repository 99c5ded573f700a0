import { ActionError } from './errors';

/** Messages, and their bytes, that wait or are in flight in a node: beyond that a flow is told at once. */
export const mostMessages = 10_000;
export const mostBytes = 64 * 1024 * 1024;

/** How much may wait at the same time: messages, or requests, and their bytes. */
export class Backlog {
  #messages = 0;
  #bytes = 0;

  constructor(
    private readonly mostMessages: number,
    private readonly mostBytes: number,
    /** Who holds them, for the text of the error. */
    private readonly holder = 'this node'
  ) {}

  /** Throws `RequestThrottled` where there is no room. */
  check(bytes: number): void {
    // What is too large by itself is told so elsewhere.
    const isFull = this.#bytes > 0 && this.#bytes + bytes > this.mostBytes;
    if (this.#messages >= this.mostMessages || isFull) {
      throw new ActionError(
        'RequestThrottled',
        `Too many messages wait to be sent: ${this.holder} holds at most ${this.mostMessages} or ${this.mostBytes / 1024 / 1024} MiB; nothing was sent, send more slowly.`,
        { retryable: true }
      );
    }
  }

  take(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
  }
}
