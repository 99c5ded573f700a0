import { setMaxListeners } from 'node:events';
import type { Backlog } from '../account/backlog';
import type { ActionError } from '../fields/errors';

/** How many messages have come. */
let messages = 0;

/** A message on its way through a node, which a time limit or the node's end can cut short. */
export class Task {
  /** Lower than that of each message that comes later. */
  readonly number = ++messages;
  /** Resolves when the message has ended. */
  ended: Promise<void> = Promise.resolve();
  /** Bytes of the message itself, of all parts of its work, and what of these counts with those that the node holds. */
  #bytes = 0;
  #held = 0;
  #counted = 0;
  #reason: ActionError | undefined;
  #controller: AbortController | undefined;
  /** What waits for work that is not done yet. */
  readonly #waiting = new Set<(reason: ActionError) => void>();

  constructor(private readonly backlog: Backlog) {}

  /** Why it was cut short, if it was. */
  get reason(): ActionError | undefined {
    return this.#reason;
  }

  /** Aborted when it is cut short: made only for who asks, since most messages need none. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      // Each of many targets listens to it.
      setMaxListeners(0, this.#controller.signal);
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Does the work of a message of so many bytes. Rejects with `RequestThrottled` where the node holds too much already. */
  async during(bytes: number, work: () => Promise<void>): Promise<void> {
    this.backlog.take(bytes);
    this.#bytes = bytes;
    this.#counted = bytes;
    try {
      await work();
    } finally {
      // Work that was cut short holds its own bytes until it ends.
      this.#bytes = 0;
      this.#count(this.#held);
      this.backlog.release(0);
    }
  }

  /**
   * Does a part of the work that holds so many bytes, which may be the message's own. Rejects with `RequestThrottled`, and
   * begins nothing, where the node holds too much already.
   */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.#count(this.#held + bytes);
    try {
      return await work();
    } finally {
      this.#count(this.#held - bytes);
    }
  }

  #count(held: number): void {
    const counted = Math.max(this.#bytes, held);
    this.backlog.change(this.#counted, counted);
    this.#held = held;
    this.#counted = counted;
  }

  abort(reason: ActionError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
    for (const end of this.#waiting) end(this.#reason);
  }

  /** Settles as `work` does, or rejects as soon as the message is cut short: not all work can be told to stop. */
  until<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reason) reject(this.#reason);
      this.#waiting.add(reject);
      const leave =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          this.#waiting.delete(reject);
          settle(value);
        };
      work.then(leave(resolve), leave(reject));
    });
  }
}
