import { setMaxListeners } from 'node:events';
import type { ActionError } from './errors';

/** A message's way through a node, which a time limit or the node's end can cut short. */
export class Passage {
  /** Resolves when the message has ended. */
  ended: Promise<void> = Promise.resolve();
  #reason: ActionError | undefined;
  #controller: AbortController | undefined;
  readonly #cut: ((reason: ActionError) => void)[] = [];

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
    for (const cut of this.#cut) cut(this.#reason);
  }

  /** Settles as `work` does, or rejects as soon as the way is cut short: not all work can be told to stop. */
  until<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reason) reject(this.#reason);
      this.#cut.push(reject);
      work.then(resolve, reject);
    });
  }
}
