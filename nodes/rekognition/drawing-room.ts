import { ownError } from '../fields/errors';
import type { Picture } from './image';

/** Who wants something drawn: a node, and within it a camera. */
export interface Owner {
  node: string;
  source: string;
}

/** Pictures, their bytes, and their pixels, as they count for what may wait. */
type Amounts = [pictures: number, bytes: number, pixels: number];

const MiB = 1024 * 1024;
/** What one node may have, where no other has anything. A fast machine draws some 30 megapixels a second. */
const mostOfOne: Amounts = [1000, 256 * MiB, 1_000_000_000];

const amountsOf = ({ bytes, width, height }: Picture): Amounts => [1, bytes.length, width * height];

/**
 * The room for pictures that wait to be drawn, or are going to be. A node may have as much as it leaves to others: however
 * much comes for one, there is room for the next.
 */
export class DrawingRoom {
  readonly #all: Amounts = [0, 0, 0];
  readonly #ofNodes = new Map<string, Amounts>();

  /** Throws `RequestThrottled` where there is no room for a picture. */
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

  give(picture: Picture, node: string): void {
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

/** What waits for its turn: nodes have theirs one after the other, and so have the cameras of a node. */
export class Turns<T> {
  readonly #nodes = new Map<string, Map<string, T[]>>();

  add({ node, source }: Owner, waiting: T): void {
    const sources = this.#nodes.get(node) ?? new Map<string, T[]>();
    this.#nodes.set(node, sources);
    const line = sources.get(source) ?? [];
    sources.set(source, line);
    line.push(waiting);
  }

  next(): T | undefined {
    const [first] = this.#nodes;
    if (!first) return undefined;
    const [node, sources] = first;
    const [[source, line]] = sources as unknown as [[string, T[]]];
    const next = line.shift();
    // Whose turn it was comes last.
    sources.delete(source);
    if (line.length > 0) sources.set(source, line);
    this.#nodes.delete(node);
    if (sources.size > 0) this.#nodes.set(node, sources);
    return next;
  }
}
