import { ownError } from '../fields/errors';
import type { Picture } from './image';

/** Whose picture is drawn: a node, and one of its cameras. */
export interface Owner {
  node: string;
  source: string;
}

/** What pictures count for: their number, their bytes and their pixels. */
type Amounts = [pictures: number, bytes: number, pixels: number];

const MiB = 1024 * 1024;
/** What one node may have if no other node has anything. A fast machine draws some 30 megapixels a second. */
const mostOfOne: Amounts = [1000, 256 * MiB, 1_000_000_000];

const amountsOf = ({ bytes, width, height }: Picture): Amounts => [1, bytes.length, width * height];

/**
 * Limits the pictures that wait to be drawn, or will have to be. All nodes together may have twice `mostOfOne`, and one node
 * half of what the others leave of it: however many pictures one node gets, there is room for those of the next.
 */
export class DrawingBacklog {
  readonly #all: Amounts = [0, 0, 0];
  readonly #ofNodes = new Map<string, Amounts>();

  /** Throws `RequestThrottled` if there is no room for a picture of a node. */
  check(picture: Picture, node: string): void {
    const own = this.#ofNodes.get(node) ?? [0, 0, 0];
    const fits = amountsOf(picture).every(
      (more, kind) => (own[kind] as number) + (this.#all[kind] as number) + 2 * more <= 2 * (mostOfOne[kind] as number)
    );
    if (fits) return;
    const [pictures, bytes, pixels] = mostOfOne;
    throw ownError(
      'RequestThrottled',
      `Too many messages wait to be sent: the thread that draws pictures holds at most ${pictures} or ${bytes / MiB} MiB or ${pixels / 1e6} megapixels of a node, and less while it has those of others; nothing was sent, send more slowly.`,
      { retryable: true }
    );
  }

  take(picture: Picture, node: string): void {
    this.#add(picture, node, 1);
  }

  release(picture: Picture, node: string): void {
    this.#add(picture, node, -1);
    if (this.#ofNodes.get(node)?.[0] === 0) this.#ofNodes.delete(node);
  }

  #add(picture: Picture, node: string, times: 1 | -1): void {
    const own = this.#ofNodes.get(node) ?? [0, 0, 0];
    this.#ofNodes.set(node, own);
    for (const [kind, amount] of amountsOf(picture).entries()) {
      own[kind] = (own[kind] as number) + times * amount;
      this.#all[kind] = (this.#all[kind] as number) + times * amount;
    }
  }
}

/** A queue in which nodes take turns, and so do the cameras of each node. */
export class RoundRobin<T> {
  readonly #nodes = new Map<string, Map<string, T[]>>();

  add({ node, source }: Owner, item: T): void {
    const sources = this.#nodes.get(node) ?? new Map<string, T[]>();
    this.#nodes.set(node, sources);
    const items = sources.get(source) ?? [];
    sources.set(source, items);
    items.push(item);
  }

  next(): T | undefined {
    const [first] = this.#nodes;
    if (!first) return undefined;
    const [node, sources] = first;
    const [[source, items]] = sources as unknown as [[string, T[]]];
    const next = items.shift();
    // The camera and the node whose turn it was go to the end.
    sources.delete(source);
    if (items.length > 0) sources.set(source, items);
    this.#nodes.delete(node);
    if (sources.size > 0) this.#nodes.set(node, sources);
    return next;
  }
}
