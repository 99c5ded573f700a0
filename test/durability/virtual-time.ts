/**
 * Time that passes as fast as this process can work: `performance.now()`, `Date` and timers stand still while anything is
 * left to do, and leap to the next timer when there is nothing. Sockets on loopback are real; what is sent has arrived when
 * the next turn of the event loop begins, and the loop counts what arrives, so that it is known when nothing is on its way.
 *
 * To be installed before anything is loaded that keeps one of these functions for itself.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import { performance as measured } from 'node:perf_hooks';
import timers from 'node:timers';
import promises from 'node:timers/promises';
import { promisify } from 'node:util';

const RealDate = Date;
const real = {
  now: performance.now.bind(performance),
  turn: promises.setImmediate,
  pause: promises.setTimeout
};

/** Turns of the event loop in which nothing arrives, after which nothing is on its way. */
const calmTurns = 2;
/** Work of other threads, whose end nobody can foresee. */
const elsewhere = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap']);
/** Node.js takes a longer time for 1 ms. */
const longestTimer = 2 ** 31 - 1;

type Work = (...given: unknown[]) => void;
type Within = (work: Work, ...given: unknown[]) => void;

/** What `setTimeout` and `setInterval` give. */
class Timer {
  /** When it is due, ms; `undefined` when it is over. */
  at: number | undefined;
  /** In the asynchronous context in which it was set. */
  readonly #within = AsyncLocalStorage.snapshot() as Within;
  readonly #ms: number;
  #closed = false;

  constructor(
    private readonly time: VirtualTime,
    private readonly work: Work,
    ms: unknown,
    private readonly given: unknown[],
    private readonly repeats: boolean
  ) {
    const whole = Math.trunc(Number(ms));
    this.#ms = whole >= 1 && whole <= longestTimer ? whole : 1;
    this.#set();
  }

  #set(): void {
    const at = this.time.now + this.#ms;
    if (at === this.at) return;
    this.at = at;
    this.time.add(this, at);
  }

  ring(): void {
    this.at = undefined;
    if (this.repeats) this.#set();
    this.#within(this.work, ...this.given);
  }

  refresh(): this {
    // As in Node.js, one that has rung rings again.
    if (!this.#closed) this.#set();
    return this;
  }

  close(): this {
    this.#closed = true;
    this.at = undefined;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

interface Due {
  at: number;
  order: number;
  timer: Timer;
}

const isEarlier = (one: Due, other: Due): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/** Timers by when they are due: a binary heap, from which those that were cleared or put off are left out when they are met. */
class Schedule {
  readonly #heap: Due[] = [];
  #order = 0;

  add(timer: Timer, at: number): void {
    const heap = this.#heap;
    this.#order += 1;
    const added = { at, order: this.#order, timer };
    let index = heap.push(added) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Due;
      if (!isEarlier(added, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = added;
  }

  /** The first that is still to ring. */
  get first(): Timer | undefined {
    while (this.#heap[0] && this.#heap[0].timer.at !== this.#heap[0].at) this.#drop();
    return this.#heap[0]?.timer;
  }

  #drop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isEarlier(heap[below + 1] as Due, heap[below] as Due)) below += 1;
      if (!isEarlier(heap[below] as Due, last)) break;
      heap[index] = heap[below] as Due;
      index = below;
    }
    heap[index] = last;
  }
}

/** The time of this process. There is one. */
export class VirtualTime {
  /** By `performance.now()`, ms. */
  now = 1000;
  /** How far the clock of this machine is ahead of the true time, ms. It is set as NTP or a user does: only `Date` follows. */
  ahead = 0;
  readonly #epoch = RealDate.now();
  readonly #schedule = new Schedule();
  readonly #service = new AsyncLocalStorage<boolean>();
  #holds = 0;
  #over = false;

  /** Takes the place of the time of this process. */
  static install(): VirtualTime {
    const time = new VirtualTime();
    performance.now = () => time.now;
    globalThis.Date = time.#dateClass() as DateConstructor;
    const set = (work: Work, ms?: unknown, ...given: unknown[]) => new Timer(time, work, ms, given, false);
    const repeat = (work: Work, ms?: unknown, ...given: unknown[]) => new Timer(time, work, ms, given, true);
    const clear = (timer: unknown) => void (timer instanceof Timer && timer.close());
    const wait = waitWith(set);
    Object.assign(set, { [promisify.custom]: wait });
    const replaced = { setTimeout: set, setInterval: repeat, clearTimeout: clear, clearInterval: clear };
    Object.assign(globalThis, replaced);
    Object.assign(timers, replaced);
    Object.assign(promises, { setTimeout: wait });
    syncBuiltinESMExports();
    return time;
  }

  /** The true time, ms since the epoch, whatever the clock of this machine says. */
  get true(): number {
    return this.#epoch + Math.floor(this.now);
  }

  /** What begins here, and all that follows from it, has a clock of its own, which goes right: it is the service's. */
  asService<T>(work: () => T): T {
    return this.#service.run(true, work);
  }

  /** Until the function that this gives is called, time passes as it really does: something is under way in another thread. */
  hold(): () => void {
    this.#holds += 1;
    let isOver = false;
    return () => {
      if (!isOver) this.#holds -= 1;
      isOver = true;
    };
  }

  add(timer: Timer, at: number): void {
    this.#schedule.add(timer, at);
  }

  /** Lets time pass until `end` is called. */
  async run(): Promise<void> {
    while (!this.#over) {
      await this.#calm();
      const { first } = this.#schedule;
      const next = first?.at ?? Infinity;
      if (next > this.now && this.#isHeld()) {
        await this.#followRealTime(next);
        continue;
      }
      if (!first) throw new Error('time stands still: nothing is under way, and nobody waits');
      this.now = Math.max(this.now, next);
      first.ring();
    }
  }

  end(): void {
    this.#over = true;
  }

  /** Lets time pass as it really does, for a moment; what is due on the way rings at its own time. */
  async #followRealTime(next: number): Promise<void> {
    const began = real.now();
    await real.pause(1);
    this.now = Math.min(this.now + real.now() - began, next);
  }

  #isHeld(): boolean {
    return this.#holds > 0 || process.getActiveResourcesInfo().some((name) => elsewhere.has(name));
  }

  async #calm(): Promise<void> {
    let seen = -1;
    for (let calm = 0; calm < calmTurns; ) {
      await real.turn();
      const { events } = measured.nodeTiming.uvMetricsInfo;
      calm = events === seen ? calm + 1 : 0;
      seen = events;
    }
  }

  #dateClass(): unknown {
    const now = () => this.true + (this.#service.getStore() ? 0 : this.ahead);
    return class extends RealDate {
      constructor(...given: []) {
        if (given.length === 0) super(now());
        else super(...given);
      }

      static override now = now;

      static override [Symbol.hasInstance](value: unknown): boolean {
        return value instanceof RealDate;
      }
    };
  }
}

/** `setTimeout` of `node:timers/promises`. */
function waitWith(set: (work: Work, ms?: number) => Timer) {
  return <T>(ms?: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      const abort = () => {
        timer.close();
        reject(
          Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), {
            name: 'AbortError',
            code: 'ABORT_ERR'
          })
        );
      };
      const timer = set(() => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      }, ms);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
}
