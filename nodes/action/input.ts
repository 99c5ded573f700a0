import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { Backlog, mostBytes, mostMessages } from '../account/backlog';
import { withPatience } from '../account/patience';
import {
  ActionError,
  closed,
  closing,
  indescribable,
  invalid,
  memberOf,
  reasonOf,
  textOf,
  unanswered
} from '../fields/errors';
import type { Fields } from '../fields/fields';
import type { Config, Read } from '../fields/read';
import { compileField } from '../fields/read';
import { together } from './parallel';
import { checkCopy, sendOn } from './send-on';
import { Status } from './status';
import { Task } from './task';

/** Members of a message to set; `undefined` deletes one. */
export type Changes = Record<string, unknown>;

/** What a node does with the messages that it takes in. */
export interface Work<Values> {
  /** Those whose values it needs. */
  readonly fields: Fields;
  /** Messages enter `run` in the order in which they came, however long each one's fields take to read. */
  readonly inOrder?: boolean;
  /** Whether a message need not wait for those before it whose fields are not read within a second. */
  mayOvertake?(inputs: Values): boolean;
  /** Seconds that a message may take in all, from its arrival on, as far as there is a limit. */
  timeout?(inputs: Partial<Values>): number | undefined;
  /** The members of the message that it will set, so far as is known before. */
  sets?(inputs: Values): readonly string[];
  /** Does the work and gives what the message gets of it; rejects with what went wrong. Leaves the message as it is. */
  run(msg: NodeMessage, inputs: Values, task: Task): Promise<Changes>;
  /** The error to report, after whatever of the fields could be read. */
  toError(thrown: unknown, inputs?: Partial<Values>): ActionError;
  /** Ends what is under way for several messages at once. */
  abort?(reason: Error): void;
}

/** What waits for the messages before: all of them, and those that take less than a second. */
interface Before {
  readonly all: Promise<unknown>;
  readonly timely: Promise<unknown>;
}

/** Bytes that a message holds, as far as that is known without looking into its objects. */
function bytesOf(inputs: Record<string, unknown>): number {
  let bytes = 0;
  for (const name in inputs) {
    const value = inputs[name];
    if (typeof value === 'string') bytes += value.length;
    else if (typeof value === 'object' && value !== null) {
      bytes += types.isUint8Array(value) ? value.byteLength : pictureBytes(value);
    }
  }
  return bytes;
}

/** Those of a picture that was taken from its message. */
function pictureBytes(value: object): number {
  const bytes = memberOf(value, 'bytes');
  return types.isUint8Array(bytes) ? bytes.byteLength : 0;
}

const timedOut = (seconds: number): ActionError =>
  new ActionError(
    'Timeout',
    `There was no answer within the timeout of ${seconds} s; the request may have been carried out.`,
    {
      retryable: true
    }
  );

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
export class Input<Values> {
  readonly status: Status;
  readonly #readers: Read[];
  /** The messages under way. */
  readonly #running = new Set<Task>();
  readonly #backlog = new Backlog(mostMessages, mostBytes);
  /** The reading of the messages so far, where it has to be waited for. */
  #before: Before | undefined;
  #closing = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    config: Config,
    private readonly work: Work<Values>
  ) {
    this.status = new Status(RED, node);
    const { fields } = work;
    this.#readers = Object.keys(fields).map((name) => compileField(RED, node, config, name, fields));
    node.on('input', (msg, send, done) => this.#receive(msg, send, done));
  }

  /** Takes a message in; `done` is called exactly once. */
  #receive(msg: NodeMessage, send: (msg: NodeMessage) => void, done: (error?: Error) => void): void {
    const task = new Task(this.#backlog);
    this.#running.add(task);
    task.ended = this.#process(msg, send, task).then((problem) => {
      this.#running.delete(task);
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
  #errorOf(thrown: unknown, inputs?: Partial<Values>): ActionError {
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
      for (const task of this.#running) task.abort(closed());
      this.work.abort?.(closed());
    }, closeLimit);
    // Messages that still arrive are refused; they end here as well.
    while (this.#running.size > 0) await Promise.all([...this.#running].map(({ ended }) => ended));
    clearTimeout(limit);
    this.status.close();
  }

  /** Resolves with what went wrong, if anything did. */
  async #process(msg: NodeMessage, send: (msg: NodeMessage) => void, task: Task): Promise<ActionError | undefined> {
    const inputs: Partial<Values> = {};
    try {
      if (this.#closing) throw closing();
      const reading = this.#read(msg, inputs);
      // Complete as soon as they have been read.
      const work = () => this.#work(msg, inputs as Values, reading, send, task);
      // Where the message is not even begun, nobody is told what else is wrong with it.
      reading?.catch(() => undefined);
      await task.during(bytesOf(inputs), () => this.#limit(inputs, task, work));
      return undefined;
    } catch (thrown) {
      return this.#errorOf(thrown, inputs);
    }
  }

  /** Ends a message that takes longer than it may, its fields included. */
  async #limit(inputs: Partial<Values>, task: Task, work: () => Promise<void>): Promise<void> {
    const seconds = this.work.timeout?.(inputs);
    if (seconds === undefined) {
      await work();
      return;
    }
    const late = () => {
      const missing = Object.keys(this.work.fields).filter((name) => !(name in inputs));
      const problem = `: there was no value within the timeout of ${seconds} s; nothing was sent.`;
      task.abort(missing.length > 0 ? unanswered(missing, problem) : timedOut(seconds));
    };
    const timer = setTimeout(late, seconds * 1000);
    try {
      await work();
    } finally {
      clearTimeout(timer);
    }
  }

  async #work(
    msg: NodeMessage,
    inputs: Values,
    reading: Promise<void> | undefined,
    send: (msg: NodeMessage) => void,
    task: Task
  ): Promise<void> {
    const turn = this.#inOrder(reading, inputs);
    if (turn !== undefined) await task.until(turn);
    this.#check(msg, inputs);
    this.#pass(msg, await this.work.run(msg, inputs, task), send);
  }

  /**
   * Throws `InvalidValue` for a message that could not be sent on after the work: a flow that tries again would have it done
   * twice.
   */
  #check(msg: NodeMessage, inputs: Values): void {
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
  #inOrder(reading: Promise<void> | undefined, inputs: Values): Promise<unknown> | undefined {
    const before = this.#before;
    if (!this.work.inOrder || (reading === undefined && before === undefined)) return reading;
    const forget = () => {
      if (this.#before === own) this.#before = undefined;
    };
    const all = together([before?.all, reading]).then(forget, forget);
    const timely = new Promise<void>((resolve) => {
      withPatience(together([before?.timely, reading]), resolve).then(resolve, () => resolve());
    });
    const own = { all, timely };
    this.#before = own;
    return this.#turn(before, reading, inputs);
  }

  async #turn(before: Before | undefined, reading: Promise<void> | undefined, inputs: Values): Promise<void> {
    await reading;
    await (this.work.mayOvertake?.(inputs) ? before?.timely : before?.all);
  }
}
