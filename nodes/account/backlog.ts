import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';

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

  /** Throws `RequestThrottled` where there is no room for a message of so many bytes. */
  check(bytes: number): void {
    if (this.#messages >= this.mostMessages || this.#isFullFor(this.#bytes, bytes)) throw this.#full();
  }

  /** Takes a message in. Throws `RequestThrottled` where there is no room. */
  take(bytes: number): void {
    this.check(bytes);
    this.#messages += 1;
    this.#bytes += bytes;
  }

  /** A message that was taken in has another number of bytes. Throws `RequestThrottled` where there is no room for more. */
  change(from: number, to: number): void {
    const others = this.#bytes - from;
    if (to > from && this.#isFullFor(others, to)) throw this.#full();
    this.#bytes = others + to;
  }

  release(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
  }

  /** What is too large by itself is told so elsewhere. */
  #isFullFor(others: number, bytes: number): boolean {
    return others > 0 && others + bytes > this.mostBytes;
  }

  #full(): ActionError {
    return ownError(
      'RequestThrottled',
      `Too many messages wait to be sent: ${this.holder} holds at most ${this.mostMessages} or ${this.mostBytes / 1024 / 1024} MiB; nothing was sent, send more slowly.`,
      { retryable: true }
    );
  }
}
