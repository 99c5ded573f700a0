import type { Node, NodeAPI } from 'node-red';
import type { ActionError } from '../fields/errors';
import { statusOf } from './status-words';

/** A node's status: blue for what is in flight, red for what failed, none. */
export class Status {
  #requests = 0;
  #progress: string | undefined;
  #shown = '';
  #closed = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node
  ) {}

  /** Counts a request that is sent (1) or that has ended (-1). */
  countRequests(change: 1 | -1): void {
    this.#requests += change;
    // What the last request came to is shown when its message ends.
    if (this.#requests > 0) this.#showRequests();
  }

  /** How far the work for a message has come. */
  progress(text: string): void {
    this.#progress = text;
    this.show('blue', text);
  }

  /** A message has ended, with an error or without. */
  ended(problem?: ActionError): void {
    this.#progress = undefined;
    if (problem) this.show('red', statusOf(this.RED, problem));
    else this.#showRequests();
  }

  /** Sets the status where it changes. */
  show(fill?: 'blue' | 'red', text = ''): void {
    if (this.#closed || text === this.#shown) return;
    this.#shown = text;
    this.node.status(fill ? { fill, shape: fill === 'red' ? 'ring' : 'dot', text } : {});
  }

  /** Clears it, for good: what was cut still ends afterwards. */
  close(): void {
    this.show();
    this.#closed = true;
  }

  #showRequests(): void {
    if (this.#requests === 0) this.show();
    else this.show('blue', this.#progress ?? (this.#requests > 1 ? String(this.#requests) : 'status.requesting'));
  }
}
