import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ActionError } from './errors';
import { closed, closing } from './errors';
import type { Fields } from './fields';
import { together } from './parallel';
import { Passage } from './passage';
import type { Config, Read } from './read';
import { compileField } from './read';
import { Status } from './status';

/** What a node does with the messages that it takes in. */
export interface Work {
  /** Those whose values it needs. */
  readonly fields: Fields;
  /** Messages enter `run` in the order in which they came, however long each one's fields take to read. */
  readonly inOrder?: boolean;
  /** Does the work and puts the result into the message; rejects with what went wrong, and then leaves it as it was. */
  run(msg: NodeMessage, inputs: Record<string, unknown>, passage: Passage): Promise<void>;
  /** The error to report, after whatever of the fields could be read. */
  toError(thrown: unknown, inputs?: Record<string, unknown>): ActionError;
  /** Ends what is under way for several messages at once. */
  abort?(reason: Error): void;
}

/** How long a closing node waits for what is in flight, ms. */
const closeLimit = 10_000;

/** The input of a deployed node: the way of each message from its arrival to its one `done`. */
export class Input {
  readonly status: Status;
  readonly #readers: Read[];
  /** The messages under way. */
  readonly #running = new Set<Passage>();
  /** The reading of the last message that has to be waited for. */
  #lastReading: Promise<unknown> | undefined;
  #closing = false;

  constructor(
    RED: NodeAPI,
    private readonly node: Node,
    config: Config,
    private readonly work: Work
  ) {
    this.status = new Status(node);
    const { fields } = work;
    this.#readers = Object.keys(fields).map((name) => compileField(RED, node, config, name, fields));
    node.on('input', (msg, send, done) => this.#receive(msg, send, done));
  }

  /** Takes a message in; `done` is called exactly once. */
  #receive(msg: NodeMessage, send: (msg: NodeMessage) => void, done: (error?: Error) => void): void {
    const passage = new Passage();
    this.#running.add(passage);
    passage.ended = this.#process(msg, send, passage).then((problem) => {
      this.#running.delete(passage);
      this.status.ended(problem);
      try {
        done(problem);
      } catch (thrown) {
        // Node-RED could not give the message to a Catch or Complete node: nobody else says what became of it.
        this.node.error(problem ?? this.work.toError(thrown));
      }
    });
  }

  /** Lets what is under way finish for a while, ends the rest, and says nothing afterwards. */
  async close(): Promise<void> {
    this.#closing = true;
    const limit = setTimeout(() => {
      for (const passage of this.#running) passage.abort(closed());
      this.work.abort?.(closed());
    }, closeLimit);
    // Messages that still arrive are refused; they end here as well.
    while (this.#running.size > 0) await Promise.all([...this.#running].map(({ ended }) => ended));
    clearTimeout(limit);
    this.status.close();
  }

  /** Resolves with what went wrong, if anything did. */
  async #process(
    msg: NodeMessage,
    send: (msg: NodeMessage) => void,
    passage: Passage
  ): Promise<ActionError | undefined> {
    const inputs: Record<string, unknown> = {};
    try {
      if (this.#closing) throw closing();
      const reading = this.#inOrder(this.#read(msg, inputs));
      if (reading !== undefined) await passage.until(reading);
      await this.work.run(msg, inputs, passage);
      // Node-RED clones the message here, which can fail for what a flow has put into it.
      send(msg);
      return undefined;
    } catch (thrown) {
      return this.work.toError(thrown, inputs);
    }
  }

  /** Fills in the inputs. Gives a promise where some of them have to be waited for, which covers whatever has failed. */
  #read(msg: NodeMessage, inputs: Record<string, unknown>): Promise<void> | undefined {
    const waiting: Promise<void>[] = [];
    try {
      for (const read of this.#readers) {
        const reading = read(msg, inputs);
        if (reading !== undefined) waiting.push(reading);
      }
    } catch (thrown) {
      waiting.push(Promise.reject(thrown));
    }
    return waiting.length > 0 ? together(waiting) : undefined;
  }

  /** What to wait for before a message goes on, if anything. */
  #inOrder(reading: Promise<unknown> | undefined): Promise<unknown> | undefined {
    const before = this.#lastReading;
    if (!this.work.inOrder || (reading === undefined && before === undefined)) return reading;
    const turn = together([before, reading]);
    const over: Promise<void> = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#lastReading === over) this.#lastReading = undefined;
      });
    this.#lastReading = over;
    return turn;
  }
}
