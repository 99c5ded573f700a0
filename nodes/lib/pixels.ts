import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Backlog } from './backlog';
import type { Box, Mark } from './boxes';
import { ActionError, invalid } from './errors';
import type { Picture } from './image';

/** What is done to a picture's pixels. */
export type Task =
  | { do: 'annotate'; marks: readonly Mark[]; roi: Box | undefined; format: 'jpeg' | 'png' }
  | { do: 'shrink'; mostBytes: number; mostPixels: number }
  | { do: 'cut'; faces: readonly Box[] }
  | { do: 'measure' };

/** A task for the thread; without one it only has to say that it can draw. */
export interface Order {
  task?: Task;
  bytes?: Uint8Array<ArrayBuffer>;
}

/** The thread's answer: pictures, or bytes of grey, or why there are none. */
export type Delivery =
  | { results: Uint8Array<ArrayBuffer>[] }
  | { problem: 'no canvas' | 'no picture' | 'failed'; message: string };

/** How long an idle thread is kept, ms: a camera's next picture comes sooner. */
const idleTime = 60_000;

/**
 * The thread that works on pixels, so that flows do not stand still for the quarter of a second which a 4K picture needs
 * on a fast machine. It is made when it is first needed, and takes one picture at a time, which bounds its memory.
 */
class Thread {
  #worker: Worker | undefined;
  /** Aborted when the worker has ended. */
  #ended = new AbortController();
  #idle: NodeJS.Timeout | undefined;
  /** The end of the last order. */
  #last: Promise<unknown> = Promise.resolve();

  order(makeOrder: () => Order): Promise<Delivery> {
    const delivery = this.#last.then(() => this.#deliver(makeOrder()));
    this.#last = delivery.catch(() => undefined);
    return delivery;
  }

  async #deliver(order: Order): Promise<Delivery> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    try {
      worker.ref();
      const answer = once(worker, 'message', { signal: this.#ended.signal });
      worker.postMessage(order, order.bytes ? [order.bytes.buffer] : []);
      const [delivery] = (await answer) as [Delivery];
      return delivery;
    } catch (error) {
      throw new ActionError('UnknownError', `The thread that draws pictures has ended: ${(error as Error).message}.`);
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => this.#end(), idleTime).unref();
    }
  }

  #start(): Worker {
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
    this.#worker?.postMessage('end');
    this.#worker = undefined;
  }
}

const thread = new Thread();

const withoutCanvas = (what: string, message: string) =>
  invalid(
    what,
    `needs the optional package canvas, which is not installed here; install it in the Node-RED user folder with: npm install canvas@npm:@napi-rs/canvas. (${message})`
  );

async function done(what: string, makeOrder: () => Order): Promise<Buffer[]> {
  const delivery = await thread.order(makeOrder);
  if ('results' in delivery) return delivery.results.map((result) => Buffer.from(result.buffer));
  if (delivery.problem === 'no canvas') throw withoutCanvas(what, delivery.message);
  if (delivery.problem === 'no picture') throw invalid('image', 'is a broken picture: it cannot be decoded.');
  throw new ActionError('UnknownError', `${what}: the picture cannot be drawn: ${delivery.message}.`);
}

/** What waits for the thread at most, with the pictures in it. */
const backlog = new Backlog(1000, 256 * 1024 * 1024, 'the thread that draws pictures');

/**
 * The thread gets a copy of its own: the message's bytes are still needed here. Nothing is drawn for a message that has
 * ended before its turn.
 */
async function work(what: string, { bytes }: Picture, task: Task, signal?: AbortSignal): Promise<Buffer[]> {
  backlog.take(bytes.length);
  try {
    return await done(what, () => {
      signal?.throwIfAborted();
      return { task, bytes: new Uint8Array(bytes) };
    });
  } finally {
    backlog.give(bytes.length);
  }
}

/** Whether it is known that pictures can be drawn here: then nobody has to wait for the thread to say so. */
let canDraw = false;

/** Throws `RequestThrottled` where too much waits to be drawn: asked before anything is paid for. */
export const needRoom = ({ bytes }: Picture): void => backlog.check(bytes.length);

/** Throws `InvalidValue` where nothing can be drawn here; `what` names what needs it. */
export async function needCanvas(what: string): Promise<void> {
  if (canDraw) return;
  await done(what, () => ({}));
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
  needRoom(picture);
  const task: Task = { do: 'shrink', mostBytes, mostPixels };
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
