import { setMaxListeners } from 'node:events';
import type { Backlog } from '../account/backlog';
import type { AbortSource } from '../account/http-handler';
import type { ActionError } from '../fields/errors';

/** How many messages have arrived in this process. */
let messages = 0;

/** The handling of one message by a node. A time limit or the closing of the node can abort it. */
export class Task implements AbortSource {
  /** In the order of arrival. */
  readonly number = ++messages;
  /** Resolves when the message has ended. Set by the input of the node. */
  ended: Promise<void> = Promise.resolve();
  /** Its index in `Tasks`. */
  place = 0;
  /** Bytes of the message, bytes that parts of its work hold, and the larger of the two, which counts in the backlog. */
  #bytes = 0;
  #held = 0;
  #counted = 0;
  #reason: ActionError | undefined;
  #controller: AbortController | undefined;
  /** Called when it is aborted. */
  readonly #listeners = new Set<() => void>();

  constructor(private readonly backlog: Backlog) {}

  /** Why it was aborted, if it was. */
  get reason(): ActionError | undefined {
    return this.#reason;
  }

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  /** The same for what needs an `AbortSignal`. Created on first use, since it costs more than all else of a message. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      // Each of many targets listens to it.
      setMaxListeners(0, this.#controller.signal);
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** To be called first, with the bytes of the message. Throws `RequestThrottled` if the node holds too much already. */
  begin(bytes: number): void {
    this.backlog.take(bytes);
    this.#bytes = bytes;
    this.#counted = bytes;
  }

  /** To be called when the work is done. If the message was aborted, some of it may still hold bytes until it ends. */
  finish(): void {
    this.#bytes = 0;
    this.#count(this.#held);
    this.backlog.release(0);
  }

  /**
   * Does a part of the work that holds so many bytes; they may be those of the message itself. Rejects with
   * `RequestThrottled`, without beginning, if the node holds too much already.
   */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    this.#count(this.#held + bytes);
    try {
      return await work();
    } finally {
      this.#count(this.#held - bytes);
    }
  }

  #count(held: number): void {
    const counted = Math.max(this.#bytes, held);
    this.backlog.change(this.#counted, counted);
    this.#held = held;
    this.#counted = counted;
  }

  /** Aborts the task. Of several reasons the first counts. */
  abort(reason: ActionError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
    for (const listener of this.#listeners) listener();
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Settles as `work` does, or rejects as soon as the task is aborted, since not all work can be aborted itself. */
  until<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const aborted = () => reject(this.#reason);
      if (this.#reason) aborted();
      this.#listeners.add(aborted);
      const leave =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          this.#listeners.delete(aborted);
          settle(value);
        };
      work.then(leave(resolve), leave(reject));
    });
  }
}

/**
 * The tasks of a node that are under way. Not a `Set`: V8 copies the table of one that things enter and leave all the time,
 * and an old table holds what was in it, and the next table, until the old generation of the heap is collected.
 */
export class Tasks {
  readonly #all: Task[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(task: Task): void {
    task.place = this.#all.push(task) - 1;
  }

  delete(task: Task): void {
    const last = this.#all.pop();
    if (last === undefined || last === task) return;
    this.#all[task.place] = last;
    last.place = task.place;
  }

  /** In the order of arrival. */
  inOrder(): Task[] {
    return [...this.#all].sort((one, other) => one.number - other.number);
  }
}
