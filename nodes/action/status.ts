import type { Node, NodeAPI } from 'node-red';
import type { ActionError } from '../fields/errors';
import { statusOf } from './status-words';

/** The status of a node: blue while requests are in flight, red after a failure, otherwise what waits, or nothing. */
export class Status {
  #requests = 0;
  #progress: string | undefined;
  /** What waits, as text. */
  #waiting: string | undefined;
  #shown = '';
  /** Set while a changed number of requests is still to be shown. */
  #soon: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node
  ) {}

  /** Counts a request that is sent (1) or that has ended (-1). */
  countRequests(change: 1 | -1): void {
    this.#requests += change;
    if (this.#requests > 0) this.#showRequests();
  }

  /** Shows the progress of the work for a message. */
  progress(text: string): void {
    this.#progress = text;
    this.show('blue', text);
  }

  /** To be called when a message has ended, with its error if it failed. */
  ended(problem?: ActionError): void {
    this.#progress = undefined;
    if (problem) this.show('red', statusOf(this.RED, problem));
    else this.#showRequests();
  }

  /** Sets what waits in the node, which is shown when there is nothing else to show. Without a text nothing waits. */
  rest(text?: string): void {
    this.#waiting = text;
    this.#showRequests();
  }

  /** Sets the status if it changes. */
  show(fill?: 'blue' | 'red' | 'yellow', text = ''): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    if (this.#closed || text === this.#shown) return;
    this.#shown = text;
    this.node.status(fill ? { fill, shape: fill === 'blue' ? 'dot' : 'ring', text } : {});
  }

  /** Clears the status for good: messages that were aborted may still end afterwards. */
  close(): void {
    this.show();
    this.#closed = true;
  }

  /**
   * A changed number is shown once, at the end of the turn: in a busy flow one request begins as another one ends, and
   * Node-RED tells every editor of each status.
   */
  #showRequests(): void {
    if (this.#requests === 0) this.show(this.#waiting === undefined ? undefined : 'yellow', this.#waiting);
    else if (this.#shown === '') this.#showBusy();
    else this.#soon ??= setImmediate(() => this.#showBusy());
  }

  #showBusy(): void {
    this.#soon = undefined;
    // After the last request, the status changes when its message ends.
    if (this.#requests === 0) return;
    this.show('blue', this.#progress ?? (this.#requests > 1 ? String(this.#requests) : 'status.requesting'));
  }
}
