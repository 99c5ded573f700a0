import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ActionError } from './errors';
import { closed, closing, indescribable, invalid, memberOf, reasonOf, textOf } from './errors';
import type { Fields } from './fields';
import { together } from './parallel';
import { Passage } from './passage';
import type { Config, Read } from './read';
import { compileField } from './read';
import { checkCopy, sendOn } from './send-on';
import { Status } from './status';

/** Members of a message to set; `undefined` deletes one. */
export type Changes = Record<string, unknown>;

/** What a node does with the messages that it takes in. */
export interface Work {
  /** Those whose values it needs. */
  readonly fields: Fields;
  /** Messages enter `run` in the order in which they came, however long each one's fields take to read. */
  readonly inOrder?: boolean;
  /** The members of the message that it will set, so far as is known before. */
  sets?(inputs: Record<string, unknown>): readonly string[];
  /** Does the work and gives what the message gets of it; rejects with what went wrong. Leaves the message as it is. */
  run(msg: NodeMessage, inputs: Record<string, unknown>, passage: Passage): Promise<Changes>;
  /** The error to report, after whatever of the fields could be read. */
  toError(thrown: unknown, inputs?: Record<string, unknown>): ActionError;
  /** Ends what is under way for several messages at once. */
  abort?(reason: Error): void;
}

/** How long a closing node waits for what is in flight, ms. */
const closeLimit = 10_000;

/** As much of a message as can always be copied. */
const idOf = (msg: NodeMessage): NodeMessage => ({ _msgid: textOf(memberOf(msg, '_msgid')) });

/** Tells Catch nodes of an error, with the message; without it where Node-RED cannot copy that. */
export function report(node: Node, error: ActionError, msg?: NodeMessage): void {
  try {
    node.error(error, msg);
  } catch {
    try {
      node.error(error, msg && idOf(msg));
    } catch {
      // Whoever takes errors has failed at this one: nobody is left to tell.
    }
  }
}

function put(msg: NodeMessage & Changes, name: string, value: unknown): void {
  if (value === undefined) delete msg[name];
  else msg[name] = value;
}

/** Whether a member of a message can be set: tried with the value that it has. Throws what reading or setting it throws. */
function canSet(msg: NodeMessage & Changes, name: string): boolean {
  const isNew = !(name in msg);
  // To set a member and delete it again makes an object slower.
  if (isNew && !types.isProxy(msg)) return Object.isExtensible(msg);
  const value = msg[name];
  msg[name] = value;
  if (isNew) delete msg[name];
  return true;
}

/** Throws `InvalidValue` for a member of a message that cannot be set. */
function checkSet(msg: NodeMessage, name: string): void {
  try {
    if (canSet(msg, name)) return;
  } catch {
    // Told below.
  }
  throw invalid(`msg.${name}`, 'cannot be set, so that there is no place for the result: nothing was sent.');
}

/** A message that takes no change has not been changed. */
function putBack(msg: NodeMessage, name: string, value: unknown): void {
  try {
    put(msg, name, value);
  } catch {}
}

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
    private readonly RED: NodeAPI,
    private readonly node: Node,
    config: Config,
    private readonly work: Work
  ) {
    this.status = new Status(RED, node);
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
      this.#tell(problem, msg, done);
    });
  }

  /** Nothing waits for what this would throw: what it calls is Node-RED's, and what listens there. */
  #tell(problem: ActionError | undefined, msg: NodeMessage, done: (error?: Error) => void): void {
    try {
      this.status.ended(problem);
    } catch {
      // The message has to end all the same.
    }
    try {
      done(problem);
    } catch (thrown) {
      // Node-RED could not give a Catch or Complete node its copy of the message.
      if (problem) report(this.node, problem, idOf(msg));
      else report(this.node, this.#errorOf(thrown));
    }
  }

  /** Cannot fail: a message whose error could not be made would never end, and its node never close. */
  #errorOf(thrown: unknown, inputs?: Record<string, unknown>): ActionError {
    try {
      return this.work.toError(thrown, inputs);
    } catch {
      return indescribable();
    }
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
      this.#check(msg, inputs);
      this.#pass(msg, await this.work.run(msg, inputs, passage), send);
      return undefined;
    } catch (thrown) {
      return this.#errorOf(thrown, inputs);
    }
  }

  /**
   * Throws `InvalidValue` for a message that could not be sent on after the work: a flow that tries again would have it done
   * twice.
   */
  #check(msg: NodeMessage, inputs: Record<string, unknown>): void {
    const names = this.work.sets?.(inputs) ?? [];
    for (const name of names) checkSet(msg, name);
    try {
      checkCopy(this.RED, this.node, msg, names);
    } catch (thrown) {
      throw invalid('The message', `cannot be copied for a second wire: ${reasonOf(thrown)}. Nothing was sent.`);
    }
  }

  /** Sends the message on with its changes. Where that fails, the message is as it came, and nobody has it. */
  #pass(msg: NodeMessage, changes: Changes, send: (msg: NodeMessage) => void): void {
    const before: Changes = {};
    try {
      for (const name in changes) {
        before[name] = msg[name as keyof NodeMessage];
        put(msg, name, changes[name]);
      }
      sendOn(this.RED, this.node, msg, send);
    } catch (thrown) {
      for (const name in before) putBack(msg, name, before[name]);
      throw invalid('The message', `cannot be sent on, although the work is done: ${reasonOf(thrown)}.`);
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
