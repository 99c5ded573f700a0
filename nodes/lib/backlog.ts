import { ActionError } from './errors';

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
    if (this.#messages >= this.mostMessages || this.#bytes + bytes > this.mostBytes) {
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
