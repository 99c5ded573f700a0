import { Backlog } from './backlog';

/**
 * How much longer than a second it takes to send the requests of a second: on their way to the service, requests that
 * were sent a second apart come closer together.
 */
const slack = 1.05;

/** Of a timer, ms: a longer one would ring at once. */
const longestTimer = 2 ** 31 - 1;

/** What waits at most, with the pictures in it: beyond that a flow is told at once. */
const mostCalls = 10_000;
const mostBytes = 256 * 1024 * 1024;

/** What wants to leave. */
interface Waiting {
  leave(): void;
}

/** The requests of one operation: so many in any stretch of time, the others in the order in which they came. */
class OperationQueue {
  /** When the last ones left, ms; as many as may leave within the stretch. */
  readonly #sent: number[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #most: number;
  readonly #stretch: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(rate: number) {
    this.#most = Math.max(1, Math.floor(rate));
    this.#stretch = (this.#most / rate) * 1000 * slack;
  }

  turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#waiting.size === 0 && this.#pause() <= 0) return this.#noteSent();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) clearTimeout(this.#timer);
        reject(signal?.reason);
      };
      const waiting = {
        leave() {
          signal?.removeEventListener('abort', end);
          resolve();
        }
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', end, { once: true });
      this.#waiting.add(waiting);
      if (this.#waiting.size === 1) this.#wait();
    });
  }

  /** How long the next one has to wait, ms. */
  #pause(): number {
    const [first] = this.#sent.length < this.#most ? [] : this.#sent;
    return first === undefined ? 0 : first + this.#stretch - performance.now();
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
      waiting.leave();
    }
    if (this.#waiting.size > 0) this.#wait();
  }
}

/** Keeps the requests of each operation under a rate: more of them wait their turn. */
export class Rate {
  readonly #queues = new Map<string, OperationQueue>();
  readonly #backlog = new Backlog(mostCalls, mostBytes, 'an account with its rekognitionRate');

  /** `rate` is in requests a second; 0 is no limit. */
  constructor(private readonly rate: number) {}

  /** Resolves, or gives nothing at all, when a request may leave; rejects when it is aborted before. */
  turn(operation: string, signal?: AbortSignal): Promise<void> | undefined {
    if (this.rate === 0) return undefined;
    let queue = this.#queues.get(operation);
    if (!queue) {
      queue = new OperationQueue(this.rate);
      this.#queues.set(operation, queue);
    }
    return queue.turn(signal);
  }

  /** The turn of a call that is not begun yet, and that holds so many bytes. Throws `RequestThrottled` if too much waits. */
  async enter(operation: string, bytes: number, signal?: AbortSignal): Promise<void> {
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
