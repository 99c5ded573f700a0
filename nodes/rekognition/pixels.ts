import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invalid, ownError } from '../fields/errors';
import type { Box, Mark } from './boxes';
import { DrawingBacklog, type Owner, RoundRobin } from './drawing-backlog';
import type { Picture } from './image';

/** What is done to a picture's pixels. */
export type PixelTask =
  | { do: 'annotate'; marks: readonly Mark[]; roi: Box | undefined; format: 'jpeg' | 'png' }
  | { do: 'shrink'; mostBytes: number; mostPixels: number }
  | { do: 'cut'; faces: readonly Box[] }
  | { do: 'measure' };

interface Job {
  picture: Picture;
  task: PixelTask;
}

/** A task for the thread, and the picture that it is about, by number; without both it only has to say that it can draw. */
export interface Order {
  task?: PixelTask;
  picture?: number;
  /** Of a picture that the thread has not decoded yet. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Whether it has to keep the picture for more tasks, until it is told to forget it. */
  keep?: boolean;
}

/** What the thread is told; an order is answered. */
export type ThreadMessage = Order | { forget: number } | 'end';

/** The thread's answer: pictures, or bytes of grey, or why there are none. */
export type Drawn =
  | { results: Uint8Array<ArrayBuffer>[] }
  | { problem: 'no canvas' | 'no picture' | 'failed'; message: string };

/** How many bytes of decoded pictures the thread keeps: some four pictures of a 4K camera. */
const mostKept = 128 * 1024 * 1024;

/** What a picture takes while it is kept. */
const keptSize = ({ width, height, bytes }: Picture): number => width * height * 4 + bytes.length;

/** The pictures that the thread keeps decoded, by their numbers there; the one that was needed longest ago comes first. */
class DecodedPictures {
  readonly #numbers = new Map<Picture, number>();
  #bytes = 0;

  /** The number of a picture, which is the last one to go from now on. */
  use(picture: Picture): number | undefined {
    const number = this.take(picture);
    if (number !== undefined) this.add(picture, number);
    return number;
  }

  add(picture: Picture, number: number): void {
    this.#numbers.set(picture, number);
    this.#bytes += keptSize(picture);
  }

  /** Gives up a picture, and gives its number, if it was kept. */
  take(picture: Picture): number | undefined {
    const number = this.#numbers.get(picture);
    if (this.#numbers.delete(picture)) this.#bytes -= keptSize(picture);
    return number;
  }

  /** Gives up pictures until there is room for one more, and gives their numbers. */
  makeRoom(picture: Picture): number[] {
    const numbers: number[] = [];
    for (const [oldest] of this.#numbers) {
      if (this.#bytes + keptSize(picture) <= mostKept) break;
      numbers.push(this.take(oldest) as number);
    }
    return numbers;
  }
}

/** How long an idle thread is kept, ms: a camera's next picture comes sooner. */
const idleTime = 60_000;

/**
 * The thread that works on pixels, so that flows do not stand still for the quarter of a second which a 4K picture needs
 * on a fast machine. It is made when it is first needed, and takes one picture at a time, which bounds its memory. It decodes
 * a picture once for all that a message wants of it, unless so many messages are under way that it has to give it up.
 */
class Thread {
  #worker: Worker | undefined;
  /** Aborted when the worker has ended. */
  #ended = new AbortController();
  #idle: NodeJS.Timeout | undefined;
  /** Orders that wait for the one that is under way. */
  readonly #orders = new RoundRobin<() => Promise<void>>();
  #isBusy = false;
  /** Those of which more than one thing may be wanted. */
  readonly #wanted = new Set<Picture>();
  #kept = new DecodedPictures();
  #numbers = 0;

  /**
   * Does a job in its owner's turn, or only tells whether anything can be drawn. Nothing is drawn for a message that has
   * ended before its turn.
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

  /** From now on the picture is kept once it is decoded. */
  keep(picture: Picture): void {
    this.#wanted.add(picture);
  }

  /** Nothing more is wanted of the picture. */
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
      // Its answer comes in a later turn of the event loop.
      const [drawn] = (await once(worker, 'message', { signal: this.#ended.signal })) as [Drawn];
      if (job && 'problem' in drawn) this.#forget(this.#kept.take(job.picture));
      return drawn;
    } catch (error) {
      throw ownError('UnknownError', `The thread that draws pictures has ended: ${(error as Error).message}.`);
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => this.#end(), idleTime).unref();
    }
  }

  /** A picture for an order: as its number where the thread has it, else with a copy of its bytes, which are needed here. */
  #show(picture: Picture): Omit<Order, 'task'> {
    const known = this.#kept.use(picture);
    if (known !== undefined) return { picture: known, keep: true };
    this.#numbers += 1;
    const order = { picture: this.#numbers, bytes: new Uint8Array(picture.bytes) };
    if (!this.#wanted.has(picture) || keptSize(picture) > mostKept) return order;
    for (const number of this.#kept.makeRoom(picture)) this.#forget(number);
    this.#kept.add(picture, this.#numbers);
    return { ...order, keep: true };
  }

  #start(): Worker {
    this.#kept = new DecodedPictures();
    const worker = new Worker(join(__dirname, 'pixels-thread.js'));
    const ended = new AbortController();
    this.#ended = ended;
    // It fails before it exits: the next order must not go to it. Without a listener an idle one's failure ended Node-RED.
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

  /** It ends by itself: what it draws with does not like to be cut off. */
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

/** What waits for the thread, or is going to. */
const backlog = new DrawingBacklog();

/** Whose pictures they are; of those whose message has its room already, `hasRoom` is set. */
const owners = new WeakMap<Picture, Owner & { hasRoom?: boolean }>();
const nobody: Owner & { hasRoom?: boolean } = { node: '', source: '' };
const ownerOf = (picture: Picture | undefined) => (picture && owners.get(picture)) ?? nobody;

/** Notes whose turn it is when a picture is drawn. */
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

/** Does what may want several things of a picture: the thread keeps it decoded until that is done, if it has room. */
export async function keeping<R>(picture: Picture, work: () => Promise<R>): Promise<R> {
  thread.keep(picture);
  try {
    return await work();
  } finally {
    thread.release(picture);
  }
}

/**
 * The same for what is certainly going to be drawn: it has its room from the beginning, since many that wait for the service
 * would otherwise come at once. Rejects with `RequestThrottled` where there is none, before anything is paid for.
 */
export async function drawing<R>(picture: Picture, owner: Owner, work: () => Promise<R>): Promise<R> {
  backlog.check(picture, owner.node);
  owners.set(picture, { ...owner, hasRoom: true });
  return inRoom(picture, () => keeping(picture, work));
}

/** Whether it is known that pictures can be drawn here: then nobody has to wait for the thread to say so. */
let canDraw = false;

/** Throws `RequestThrottled` where too much waits to be drawn: asked before anything is paid for. */
export const needRoom = (picture: Picture): void => backlog.check(picture, ownerOf(picture).node);

/** Throws `InvalidValue` where nothing can be drawn here; `what` names what needs it. */
export async function needCanvas(what: string): Promise<void> {
  if (canDraw) return;
  await done(what);
  canDraw = true;
}

/** The picture with boxes. */
export async function annotate(
  picture: Picture,
  marks: readonly Mark[],
  roi: Box | undefined,
  format: 'jpeg' | 'png',
  signal?: AbortSignal
): Promise<Buffer> {
  const [drawn] = await work('annotate', picture, { do: 'annotate', marks, roi, format }, signal);
  return drawn as Buffer;
}

/** The same picture as a JPEG of at most so many bytes, and pixels on its longer side. */
export async function shrink(
  picture: Picture,
  mostBytes: number,
  mostPixels: number,
  signal?: AbortSignal
): Promise<Buffer> {
  if (!ownerOf(picture).hasRoom) needRoom(picture);
  const task: PixelTask = { do: 'shrink', mostBytes, mostPixels };
  const [smaller] = await work('A picture that is too large for the service', picture, task, signal);
  return smaller as Buffer;
}

/** A picture of each face, in which no other one is to be seen. */
export const cutFaces = (picture: Picture, faces: readonly Box[], signal?: AbortSignal): Promise<Buffer[]> =>
  work('identify', picture, { do: 'cut', faces }, signal);

/** A small grey copy: one byte for each of its cells. */
export async function measure(picture: Picture, signal?: AbortSignal): Promise<Buffer> {
  const [grey] = await work('skipUnchanged', picture, { do: 'measure' }, signal);
  return grey as Buffer;
}
