import type { Node, NodeAPI } from 'node-red';
import type { ActionError } from '../fields/errors';
import { statusOf } from './status-words';

type Fill = 'blue' | 'green' | 'red' | 'yellow';

/** Where results are shown, the status changes at most this often but for errors, ms. */
const shortestView = 250;

/**
 * The status of a node: blue while requests are in flight, red after a failure, otherwise what waits, the last result if it is
 * to be shown, or nothing.
 */
export class Status {
  #requests = 0;
  #progress: string | undefined;
  /** What waits, as text. */
  #waiting: string | undefined;
  /** How long the last message took, as text; `undefined` unless the account has results shown. */
  #result: string | undefined;
  #shown = '';
  /** Since when that is shown, ms; `undefined` unless the account has results shown. */
  #since: number | undefined;
  /** Set while a status waits until the one before it has been seen. */
  #later: NodeJS.Timeout | undefined;
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

  /** Sets how long a message took, ms, to be shown once it has ended. Without it no result is shown any more. */
  took(ms?: number): void {
    if (ms === undefined) {
      if (this.#result === undefined) return;
      this.#result = undefined;
      this.#showRequests();
      this.#since = undefined;
      return;
    }
    this.#result = this.RED._('status.took', { time: Math.round(ms) });
    this.slowDown();
  }

  /** From now on, the status changes a few times a second at most but for errors. */
  slowDown(): void {
    this.#since ??= performance.now();
  }

  /** Sets the status if it changes. */
  show(fill?: Fill, text = ''): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    clearTimeout(this.#later);
    if (this.#closed || text === this.#shown) return;
    const rest = this.#since === undefined || fill === 'red' ? 0 : this.#since + shortestView - performance.now();
    if (rest > 0) this.#later = setTimeout(() => this.#set(fill, text), rest);
    else this.#set(fill, text);
  }

  #set(fill: Fill | undefined, text: string): void {
    this.#shown = text;
    if (this.#since !== undefined) this.#since = performance.now();
    this.node.status(fill ? { fill, shape: fill === 'blue' || fill === 'green' ? 'dot' : 'ring', text } : {});
  }

  /** Clears the status for good: messages that were aborted may still end afterwards. */
  close(): void {
    this.#since = undefined;
    this.show();
    this.#closed = true;
  }

  /**
   * A changed number is shown once, at the end of the turn: in a busy flow one request begins as another one ends, and
   * Node-RED tells every editor of each status.
   */
  #showRequests(): void {
    if (this.#requests === 0) {
      if (this.#waiting !== undefined) this.show('yellow', this.#waiting);
      else this.show(this.#result === undefined ? undefined : 'green', this.#result);
    } else if (this.#shown === '') this.#showBusy();
    else this.#soon ??= setImmediate(() => this.#showBusy());
  }

  #showBusy(): void {
    this.#soon = undefined;
    // After the last request, the status changes when its message ends.
    if (this.#requests === 0) return;
    this.show('blue', this.#progress ?? (this.#requests > 1 ? String(this.#requests) : 'status.requesting'));
  }
}
