import { Backlog } from './backlog';
import type { AbortSource } from './http-handler';

/**
 * How much longer than a second it takes to send the requests of a second: on their way to the service, requests that
 * were sent a second apart come closer together.
 */
const slack = 1.05;

/** The longest delay of a timer, ms: with a longer one it would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** The most requests that may wait, and bytes of pictures in them. */
const mostCalls = 10_000;
const mostBytes = 256 * 1024 * 1024;

/** A request that waits. */
interface Waiting {
  send(): void;
}

/** The requests of one operation: so many in any period of time, the others wait in the order in which they came. */
class OperationQueue {
  /** When the last ones were sent, ms of `performance.now()`; as many as may be sent within the period. */
  readonly #sent: number[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #most: number;
  /** ms. */
  readonly #period: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(rate: number) {
    this.#most = Math.max(1, Math.floor(rate));
    this.#period = (this.#most / rate) * 1000 * slack;
  }

  turn(signal: AbortSource | undefined): Promise<void> | undefined {
    if (this.#waiting.size === 0 && this.#pause() <= 0) return this.#noteSent();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) clearTimeout(this.#timer);
        reject(signal?.reason);
      };
      const waiting = {
        send() {
          signal?.removeEventListener('abort', end);
          resolve();
        }
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', end);
      this.#waiting.add(waiting);
      if (this.#waiting.size === 1) this.#wait();
    });
  }

  /** How long the next one has to wait, ms. */
  #pause(): number {
    const [first] = this.#sent.length < this.#most ? [] : this.#sent;
    return first === undefined ? 0 : first + this.#period - performance.now();
  }

  #noteSent(): undefined {
    this.#sent.push(performance.now());
    if (this.#sent.length > this.#most) this.#sent.shift();
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#next(), Math.min(longestTimer, Math.max(0, Math.ceil(this.#pause()))));
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (this.#pause() > 0) break;
      this.#waiting.delete(waiting);
      this.#noteSent();
      waiting.send();
    }
    if (this.#waiting.size > 0) this.#wait();
  }
}

/** Keeps the requests of each operation under a rate: more of them wait for their turn. */
export class Rate {
  readonly #queues = new Map<string, OperationQueue>();
  readonly #backlog = new Backlog(mostCalls, mostBytes, 'an account with its rekognitionRate');

  /** `rate` is in requests a second; 0 is no limit. */
  constructor(private readonly rate: number) {}

  /** Resolves when a request may be sent; `undefined` if that is now. Rejects with the reason of `signal`. */
  turn(operation: string, signal?: AbortSource): Promise<void> | undefined {
    if (this.rate === 0) return undefined;
    let queue = this.#queues.get(operation);
    if (!queue) {
      queue = new OperationQueue(this.rate);
      this.#queues.set(operation, queue);
    }
    return queue.turn(signal);
  }

  /** The same for a new call that holds so many bytes. Rejects with `RequestThrottled` if too much waits already. */
  async enter(operation: string, bytes: number, signal?: AbortSource): Promise<void> {
    this.#backlog.check(bytes);
    const turn = this.turn(operation, signal);
    if (!turn) return;
    this.#backlog.take(bytes);
    try {
      await turn;
    } finally {
      this.#backlog.release(bytes);
    }
  }
}
