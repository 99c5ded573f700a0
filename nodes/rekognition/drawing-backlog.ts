import { ownError } from '../fields/errors';
import type { Picture } from './picture';

/** Whose picture is drawn: a node, and one of its cameras. */
export interface Owner {
  node: string;
  source: string;
}

/** What pictures count for. */
interface Amounts {
  pictures: number;
  bytes: number;
  pixels: number;
}

const kinds = ['pictures', 'bytes', 'pixels'] as const satisfies (keyof Amounts)[];

const MiB = 1024 * 1024;
/** What one node may have if no other node has anything. A fast machine draws some 30 megapixels a second. */
const mostOfOne: Amounts = { pictures: 1000, bytes: 256 * MiB, pixels: 1_000_000_000 };

const none = (): Amounts => ({ pictures: 0, bytes: 0, pixels: 0 });
const amountsOf = ({ bytes, width, height }: Picture): Amounts => ({
  pictures: 1,
  bytes: bytes.length,
  pixels: width * height
});

/**
 * Limits the pictures that wait to be drawn, or will have to be. All nodes together may have twice `mostOfOne`, and one node
 * half of what the others leave of it: however many pictures one node gets, there is room for those of the next.
 */
export class DrawingBacklog {
  readonly #all = none();
  readonly #ofNodes = new Map<string, Amounts>();

  /** Throws `RequestThrottled` if there is no room for a picture of a node. */
  check(picture: Picture, node: string): void {
    const [own, more] = [this.#ofNodes.get(node) ?? none(), amountsOf(picture)];
    if (kinds.every((kind) => own[kind] + this.#all[kind] + 2 * more[kind] <= 2 * mostOfOne[kind])) return;
    const { pictures, bytes, pixels } = mostOfOne;
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
    if (this.#ofNodes.get(node)?.pictures === 0) this.#ofNodes.delete(node);
  }

  #add(picture: Picture, node: string, times: 1 | -1): void {
    const [own, amounts] = [this.#ofNodes.get(node) ?? none(), amountsOf(picture)];
    this.#ofNodes.set(node, own);
    for (const kind of kinds) {
      own[kind] += times * amounts[kind];
      this.#all[kind] += times * amounts[kind];
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
    for (const [node, sources] of this.#nodes) {
      for (const [source, items] of sources) {
        const next = items.shift();
        // The camera and the node whose turn it was go to the end.
        sources.delete(source);
        if (items.length > 0) sources.set(source, items);
        this.#nodes.delete(node);
        if (sources.size > 0) this.#nodes.set(node, sources);
        return next;
      }
    }
    return undefined;
  }
}
