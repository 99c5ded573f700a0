import type { NodeAPI } from 'node-red';

/** What runs of one kind in each Node-RED at the moment, those in subflows included, which Node-RED does not list. */
export class Running<T> {
  /** By the events of their Node-RED: a process may run several. */
  readonly #known = new WeakMap<object, Set<T>>();

  /** Adds one, until the function that is returned is called. */
  add({ events }: NodeAPI, each: T): () => void {
    const running = this.#known.get(events) ?? new Set<T>();
    this.#known.set(events, running);
    running.add(each);
    return () => running.delete(each);
  }

  /** Those of a Node-RED. */
  in({ events }: NodeAPI): T[] {
    return [...(this.#known.get(events) ?? [])];
  }
}
