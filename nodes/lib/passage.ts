import { setMaxListeners } from 'node:events';
import type { ActionError } from './errors';

/** How many messages have come. */
let messages = 0;

/** A message's way through a node, which a time limit or the node's end can cut short. */
export class Passage {
  /** Lower than that of each message that comes later. */
  readonly number = ++messages;
  /** Resolves when the message has ended. */
  ended: Promise<void> = Promise.resolve();
  #reason: ActionError | undefined;
  #controller: AbortController | undefined;
  /** What waits for work that is not done yet. */
  readonly #waiting = new Set<(reason: ActionError) => void>();

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

  abort(reason: ActionError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
    for (const end of this.#waiting) end(this.#reason);
  }

  /** Settles as `work` does, or rejects as soon as the way is cut short: not all work can be told to stop. */
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
