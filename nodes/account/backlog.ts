import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';

/** The most messages, and the most bytes of them, that may wait or be in flight in one node. */
export const mostMessages = 10_000;
export const mostBytes = 64 * 1024 * 1024;

/** Counts the messages or requests that wait, and their bytes, and refuses more than the limits. */
export class Backlog {
  #messages = 0;
  #bytes = 0;

  constructor(
    private readonly mostMessages: number,
    private readonly mostBytes: number,
    /** What holds them, for the text of the error. */
    private readonly holder = 'this node'
  ) {}

  /** Throws `RequestThrottled` if there is no room for a message of so many bytes. */
  check(bytes: number): void {
    if (this.#messages >= this.mostMessages || this.#isFullFor(this.#bytes, bytes)) throw this.#full();
  }

  /** Adds a message of so many bytes. Throws `RequestThrottled` if there is no room. */
  take(bytes: number): void {
    this.check(bytes);
    this.#messages += 1;
    this.#bytes += bytes;
  }

  /** Changes the bytes of a message that was added. Throws `RequestThrottled` if there is no room for more. */
  change(from: number, to: number): void {
    const others = this.#bytes - from;
    if (to > from && this.#isFullFor(others, to)) throw this.#full();
    this.#bytes = others + to;
  }

  release(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
  }

  /** A single message always fits, since its own size has a check of its own. */
  #isFullFor(others: number, bytes: number): boolean {
    return others > 0 && others + bytes > this.mostBytes;
  }

  #full(): ActionError {
    return ownError(
      'RequestThrottled',
      `Too many messages wait to be sent: ${this.holder} holds at most ${this.mostMessages} or ${this.mostBytes / 1024 / 1024} MiB; this one was not sent, send more slowly.`,
      { retryable: true }
    );
  }
}
