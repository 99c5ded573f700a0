import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invalid, ownError } from '../fields/errors';
import { reasonOf } from '../fields/thrown';
import type { Box, Mark } from './boxes';
import { DrawingBacklog, type Owner, RoundRobin } from './drawing-backlog';
import type { Picture } from './picture';

/** Work on the pixels of a picture. */
export type PixelTask =
  | { do: 'annotate'; marks: readonly Mark[]; roi: Box | undefined; format: 'jpeg' | 'png' }
  | { do: 'shrink'; mostBytes: number; mostPixels: number }
  | { do: 'cut'; faces: readonly Box[] }
  | { do: 'measure' };

interface Job {
  picture: Picture;
  task: PixelTask;
}

/** A task for the thread, with the number of the picture. Without both the thread only checks whether it can draw. */
export interface Order {
  task?: PixelTask;
  picture?: number;
  /** The file, if the thread has not decoded the picture yet. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Whether to keep the decoded picture until `forget`. */
  keep?: boolean;
}

/** A message to the thread. It answers orders only. */
export type ThreadMessage = Order | { forget: number } | 'end';

/** The answer of the thread: files, or grey values for `measure`, or why there are none. */
export type Drawn =
  | { results: Uint8Array<ArrayBuffer>[] }
  | { problem: 'no canvas' | 'no picture' | 'failed'; message: string };

/** The most bytes of decoded pictures that the thread keeps: about four pictures of a 4K camera, or one that is larger. */
const mostKept = 128 * 1024 * 1024;

/** The memory of a decoded picture, bytes. */
const keptSize = ({ width, height, bytes }: Picture): number => width * height * 4 + bytes.length;

/** The pictures that the thread keeps decoded, and their numbers. The least recently used one comes first. */
class DecodedPictures {
  readonly #numbers = new Map<Picture, number>();
  #bytes = 0;

  /** The number of a picture, which becomes the most recently used one. */
  use(picture: Picture): number | undefined {
    const number = this.take(picture);
    if (number !== undefined) this.add(picture, number);
    return number;
  }

  add(picture: Picture, number: number): void {
    this.#numbers.set(picture, number);
    this.#bytes += keptSize(picture);
  }

  /** Removes a picture, and returns its number if it was kept. */
  take(picture: Picture): number | undefined {
    const number = this.#numbers.get(picture);
    if (this.#numbers.delete(picture)) this.#bytes -= keptSize(picture);
    return number;
  }

  /** Removes pictures until there is room for another one, or none is left, and returns their numbers. */
  makeRoom(picture: Picture): number[] {
    const numbers: number[] = [];
    for (const [oldest, number] of this.#numbers) {
      if (this.#bytes + keptSize(picture) <= mostKept) break;
      this.take(oldest);
      numbers.push(number);
    }
    return numbers;
  }
}

/** How long an idle thread is kept, ms: usually a camera sends its next picture sooner. */
const idleTime = 60_000;

/**
 * The thread that works on pixels, so that flows are not blocked for the quarter of a second that a 4K picture takes on a
 * fast machine. It is started on first use, and handles one picture at a time, which limits its memory. It decodes a picture
 * once for all tasks of a message, unless it has to drop the picture because of too many other messages.
 */
class Thread {
  #worker: Worker | undefined;
  /** Aborted when the worker has ended. */
  #ended = new AbortController();
  #idle: NodeJS.Timeout | undefined;
  /** Orders that wait for the current one. */
  readonly #orders = new RoundRobin<() => Promise<void>>();
  #isBusy = false;
  /** Pictures for which there may be more than one task. */
  readonly #wanted = new Set<Picture>();
  #kept = new DecodedPictures();
  #numbers = 0;

  /**
   * Does a job when it is its owner's turn; without a job only checks whether the thread can draw. Rejects with the reason of
   * `signal` if that has been aborted by then.
   */
  order(owner: Owner, job?: Job, signal?: AbortSignal): Promise<Drawn> {
    const drawn = new Promise<Drawn>((resolve, reject) => {
      this.#orders.add(owner, async () => {
        try {
          signal?.throwIfAborted();
          resolve(await this.#draw(job));
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
    if (!this.#isBusy) this.#next();
    return drawn;
  }

  #next(): void {
    const next = this.#orders.next();
    this.#isBusy = next !== undefined;
    const goOn = () => this.#next();
    next?.().then(goOn, goOn);
  }

  /** Has a picture kept once it is decoded. */
  keep(picture: Picture): void {
    this.#wanted.add(picture);
  }

  /** Has a picture dropped, since there are no more tasks for it. */
  release(picture: Picture): void {
    this.#wanted.delete(picture);
    this.#forget(this.#kept.take(picture));
  }

  #forget(number: number | undefined): void {
    if (number !== undefined) this.#tell({ forget: number });
  }

  #tell(message: ThreadMessage): void {
    this.#worker?.postMessage(message);
  }

  async #draw(job: Job | undefined): Promise<Drawn> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    try {
      worker.ref();
      const order: Order = job ? { task: job.task, ...this.#show(job.picture) } : {};
      worker.postMessage(order, order.bytes ? [order.bytes.buffer] : []);
      // Listening now is early enough, since the answer comes in a later turn of the event loop.
      const [drawn] = (await once(worker, 'message', { signal: this.#ended.signal })) as [Drawn];
      if (job && 'problem' in drawn) this.#forget(this.#kept.take(job.picture));
      return drawn;
    } catch (error) {
      throw ownError('UnknownError', `The thread that draws pictures has ended: ${reasonOf(error)}.`);
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => this.#end(), idleTime).unref();
    }
  }

  /**
   * The picture in an order: its number, and, unless the thread has it, a copy of its bytes, which will be transferred.
   */
  #show(picture: Picture): Omit<Order, 'task'> {
    const known = this.#kept.use(picture);
    if (known !== undefined) return { picture: known, keep: true };
    this.#numbers += 1;
    const order = { picture: this.#numbers, bytes: new Uint8Array(picture.bytes) };
    if (!this.#wanted.has(picture)) return order;
    for (const number of this.#kept.makeRoom(picture)) this.#forget(number);
    this.#kept.add(picture, this.#numbers);
    return { ...order, keep: true };
  }

  #start(): Worker {
    this.#kept = new DecodedPictures();
    const worker = new Worker(join(__dirname, 'pixels-thread.js'));
    const ended = new AbortController();
    this.#ended = ended;
    // A worker fails before it exits, and must get no more orders. Without a listener its error would end Node-RED.
    const giveUp = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.on('error', giveUp);
    worker.once('exit', () => {
      giveUp();
      ended.abort();
    });
    return worker;
  }

  /** Asks the worker to end by itself: the drawing library may crash if it is terminated. */
  #end(): void {
    this.#tell('end');
    this.#worker = undefined;
  }
}

const thread = new Thread();

const withoutCanvas = (what: string, message: string) =>
  invalid(
    what,
    `needs the optional package canvas, which is not installed here; install it in the Node-RED user folder with: npm install canvas@npm:@napi-rs/canvas. (${message})`
  );

async function done(what: string, job?: Job, signal?: AbortSignal): Promise<Buffer[]> {
  const drawn = await thread.order(ownerOf(job?.picture), job, signal);
  if ('results' in drawn) return drawn.results.map((result) => Buffer.from(result.buffer));
  if (drawn.problem === 'no canvas') throw withoutCanvas(what, drawn.message);
  if (drawn.problem === 'no picture') throw invalid('image', 'is a broken picture: it cannot be decoded.');
  throw ownError('UnknownError', `${what}: the picture cannot be drawn: ${drawn.message}.`);
}

/** The pictures that wait for the thread, or will have to. */
const backlog = new DrawingBacklog();

/** The owners of pictures. `hasRoom`: the picture is counted in the backlog already, until its message ends. */
const owners = new WeakMap<Picture, Owner & { hasRoom?: boolean }>();
const nobody: Owner & { hasRoom?: boolean } = { node: '', source: '' };
const ownerOf = (picture: Picture | undefined) => (picture && owners.get(picture)) ?? nobody;

/** Sets the owner of a picture, in whose turn it is drawn. */
export function own(picture: Picture, owner: Owner): void {
  owners.set(picture, owner);
}

async function inRoom<R>(picture: Picture, work: () => Promise<R>): Promise<R> {
  const { node } = ownerOf(picture);
  backlog.take(picture, node);
  try {
    return await work();
  } finally {
    backlog.release(picture, node);
  }
}

function work(what: string, picture: Picture, task: PixelTask, signal?: AbortSignal): Promise<Buffer[]> {
  const draw = () => done(what, { picture, task }, signal);
  return ownerOf(picture).hasRoom ? draw() : inRoom(picture, draw);
}

/** The result of a task that has one. */
function onlyOne([result]: Buffer[]): Buffer {
  if (result) return result;
  throw ownError('UnknownError', 'The thread that draws pictures has given no picture.');
}

/** Does work that may have several tasks for a picture. The thread keeps it decoded until then, if there is memory. */
export async function keeping<R>(picture: Picture, work: () => Promise<R>): Promise<R> {
  thread.keep(picture);
  try {
    return await work();
  } finally {
    thread.release(picture);
  }
}

/**
 * The same for a picture that will certainly be drawn. It counts in the backlog from the beginning, since many pictures that
 * wait for the service could need the thread at once. Rejects with `RequestThrottled`, before any request that costs money.
 */
export async function drawing<R>(picture: Picture, owner: Owner, work: () => Promise<R>): Promise<R> {
  backlog.check(picture, owner.node);
  owners.set(picture, { ...owner, hasRoom: true });
  return inRoom(picture, () => keeping(picture, work));
}

/** Whether the thread has already confirmed that it can draw. */
let canDraw = false;

/** Throws `RequestThrottled` if too many pictures wait to be drawn. To be called before a request that costs money. */
export const needRoom = (picture: Picture): void => backlog.check(picture, ownerOf(picture).node);

/** Rejects with `InvalidValue` if the package canvas is missing; `what` is the property that needs it. */
export async function needCanvas(what: string): Promise<void> {
  if (canDraw) return;
  await done(what);
  canDraw = true;
}

/** A file with boxes drawn on the picture. */
export async function annotate(
  picture: Picture,
  marks: readonly Mark[],
  roi: Box | undefined,
  format: 'jpeg' | 'png',
  signal?: AbortSignal
): Promise<Buffer> {
  return onlyOne(await work('annotate', picture, { do: 'annotate', marks, roi, format }, signal));
}

/** The picture as a JPEG with at most so many bytes, and pixels on its longer side. Throws `RequestThrottled`. */
export async function shrink(
  picture: Picture,
  mostBytes: number,
  mostPixels: number,
  signal?: AbortSignal
): Promise<Buffer> {
  if (!ownerOf(picture).hasRoom) needRoom(picture);
  const task: PixelTask = { do: 'shrink', mostBytes, mostPixels };
  return onlyOne(await work('A picture that is too large for the service', picture, task, signal));
}

/** A JPEG of each face, in which all others are covered. */
export const cutFaces = (picture: Picture, faces: readonly Box[], signal?: AbortSignal): Promise<Buffer[]> =>
  work('identify', picture, { do: 'cut', faces }, signal);

/** A small grey copy of the picture, one byte for each cell. */
export async function measure(picture: Picture, signal?: AbortSignal): Promise<Buffer> {
  return onlyOne(await work('skipUnchanged', picture, { do: 'measure' }, signal));
}
