import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { Backlog, mostBytes, mostMessages } from '../account/backlog';
import { noticeOverdue } from '../account/overdue';
import type { ActionError } from '../fields/errors';
import { closed, closing, indescribable, invalid, ownError, unanswered } from '../fields/errors';
import type { Fields } from '../fields/fields';
import type { Trial } from '../fields/node-module';
import type { Config, Read } from '../fields/read';
import { compileField } from '../fields/read';
import { memberOf, reasonOf, textOf } from '../fields/thrown';
import { LastMessage } from './last-message';
import { together } from './parallel';
import { checkCopy, sendOn } from './send-on';
import { Status } from './status';
import { Task, Tasks } from './task';

/** Members of a message to set; `undefined` deletes one. */
export type Changes = Record<string, unknown>;

/** What a node does with the messages that it takes in. */
export interface Work<Values> {
  /** The fields that are read from each message. */
  readonly fields: Fields;
  /** Whether `run` is called in the order of the messages, however long reading their fields takes. */
  readonly inOrder?: boolean;
  /** With `inOrder`: whether a message waits at most a second for the fields of earlier messages. */
  mayOvertake?(inputs: Values): boolean;
  /** The time limit of a message from its arrival on, seconds; `undefined`: none. */
  timeout?(inputs: Partial<Values>): number | undefined;
  /** The members of the message that `run` will set. */
  sets?(inputs: Values): readonly string[];
  /**
   * Does the work, and returns the members to set; nothing if the message ends here. Rejects with anything. Does not change
   * the message itself.
   */
  run(msg: NodeMessage, inputs: Values, task: Task): Promise<Changes | undefined>;
  /** The error to report; `inputs` are the fields that could be read. */
  toError(thrown: unknown, inputs?: Partial<Values>): ActionError;
  /** Aborts requests that are in flight for several messages at once. */
  abort?(reason: Error): void;
  /** The secrets that no text about a message with these values may contain. */
  secretsOf?(inputs: Partial<Values>): string[];
  /** Set for a node that is tried from its dialog: its message is none of the flow. */
  readonly trial?: Trial | undefined;
}

/** Promises about the earlier messages. */
interface Before {
  /** Resolves when the fields of all of them have been read. */
  readonly all: Promise<unknown>;
  /** The same, but a message whose fields take longer than a second is not waited for. */
  readonly timely: Promise<unknown>;
}

/**
 * The bytes of texts, Buffers and pictures among the values. Other objects are not counted, since that would take time.
 */
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

/** Bytes of a picture, as the Rekognition nodes read it from a message; 0 for any other object. */
function pictureBytes(value: object): number {
  const bytes = memberOf(value, 'bytes');
  return types.isUint8Array(bytes) ? bytes.byteLength : 0;
}

const timedOut = (seconds: number): ActionError =>
  ownError(
    'Timeout',
    `There was no answer within the timeout of ${seconds} s; the request may have been carried out.`,
    {
      retryable: true
    }
  );

/** How long a closing node waits for what is in flight, ms. */
const closeLimit = 10_000;

/** A message with only the ID of another one. Node-RED can always copy it. */
const idOf = (msg: NodeMessage): NodeMessage => ({ _msgid: textOf(memberOf(msg, '_msgid')) });

/** Reports an error to Catch nodes with the message, or with its ID alone if Node-RED cannot copy the message. */
export function reportError(node: Node, error: ActionError, msg?: NodeMessage): void {
  try {
    node.error(error, msg);
  } catch {
    try {
      node.error(error, msg && idOf(msg));
    } catch {
      // A listener for errors has thrown as well, so the error cannot be reported.
    }
  }
}

function put(msg: NodeMessage & Changes, name: string, value: unknown): void {
  if (value === undefined) delete msg[name];
  else msg[name] = value;
}

/**
 * Whether a member of a message can be set: tried with the value that it has. Throws what reading or setting it throws.
 */
function canSet(msg: NodeMessage & Changes, name: string): boolean {
  const isNew = !(name in msg);
  // Not tried: V8 accesses an object more slowly once a member was added and deleted.
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
    // Reading or setting it throws, so that it cannot be set.
  }
  throw invalid(`msg.${name}`, 'cannot be set, so that there is no place for the result: nothing was sent.');
}

/** Sets a member back to what it was. If that throws, the change itself has not been made either. */
function putBack(msg: NodeMessage, name: string, value: unknown): void {
  try {
    put(msg, name, value);
  } catch {}
}

/** The input of a deployed node. It handles each message from its arrival to the only call of its `done`. */
export class Input<Values> {
  readonly status: Status;
  readonly #readers: Read[];
  /** The messages under way. */
  readonly #running = new Tasks();
  readonly #backlog = new Backlog(mostMessages, mostBytes);
  readonly #last: LastMessage | undefined;
  /** The earlier messages whose fields are still being read; `undefined` if there are none. */
  #before: Before | undefined;
  #closing = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    config: Config,
    private readonly work: Work<Values>
  ) {
    this.status = new Status(RED, node);
    if (work.trial) work.trial.signal.addEventListener('abort', () => this.#abort());
    else this.#last = new LastMessage(RED, node);
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

  /**
   * Shows how a message ended and calls `done`. Never throws, whatever the status or a Catch or Complete node throws.
   */
  #tell(problem: ActionError | undefined, msg: NodeMessage, done: (error?: Error) => void): void {
    try {
      this.status.ended(problem);
    } catch {
      // The message must end even if its status cannot be shown.
    }
    try {
      done(problem);
    } catch (thrown) {
      // Node-RED could not give a Catch or Complete node its copy of the message.
      if (problem) reportError(this.node, problem, idOf(msg));
      else reportError(this.node, this.#errorOf(thrown));
    }
  }

  /** Never throws: without an error the message would not end, and its node could not close. */
  #errorOf(thrown: unknown, inputs?: Partial<Values>): ActionError {
    try {
      return this.work.toError(thrown, inputs);
    } catch {
      return indescribable();
    }
  }

  /** Waits 10 s for messages in flight, aborts those that remain, and resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing = true;
    const limit = setTimeout(() => this.#abort(), closeLimit);
    // Messages that arrive meanwhile end at once with `Closed`, but are waited for as well.
    while (this.#running.size > 0) await Promise.all(this.#running.inOrder().map(({ ended }) => ended));
    clearTimeout(limit);
    this.status.close();
    this.#last?.close();
  }

  #abort(): void {
    for (const task of this.#running.inOrder()) task.abort(closed());
    this.work.abort?.(closed());
  }

  /** Resolves with what went wrong, if anything did. */
  async #process(msg: NodeMessage, send: (msg: NodeMessage) => void, task: Task): Promise<ActionError | undefined> {
    const read: Partial<Values> = {};
    try {
      if (this.#closing) throw closing();
      const reading = this.#read(msg, read);
      // If the node holds too much, the message ends with that error, and nothing handles one of `reading`.
      reading?.catch(() => undefined);
      if (this.#last?.isDue) this.#last.take(msg, reading, () => this.#secretsIn(read));
      task.begin(bytesOf(read));
      const limit = this.#limit(task, read);
      try {
        // Complete once `reading` has resolved.
        const inputs = read as Values;
        const turn = this.#inOrder(reading, inputs);
        if (turn !== undefined) await task.until(turn);
        this.#check(msg, inputs);
        const changes = await this.work.run(msg, inputs, task);
        if (changes) this.#pass(msg, changes, send);
      } finally {
        clearTimeout(limit);
        task.finish();
      }
      return undefined;
    } catch (thrown) {
      return this.#errorOf(thrown, read);
    }
  }

  /** The secrets of a message; `undefined` if a field that holds some could not be read. */
  #secretsIn(inputs: Partial<Values>): string[] | undefined {
    const { fields } = this.work;
    const areKnown = Object.entries(fields).every(([name, { secret }]) => !secret || name in inputs);
    return areKnown ? (this.work.secretsOf?.(inputs) ?? []) : undefined;
  }

  /** Aborts a message that takes too long, reading its fields included. */
  #limit(task: Task, inputs: Partial<Values>): NodeJS.Timeout | undefined {
    const seconds = this.work.timeout?.(inputs);
    if (seconds === undefined) return undefined;
    const late = () => {
      const missing = Object.keys(this.work.fields).filter((name) => !(name in inputs));
      const problem = `: there was no value within the timeout of ${seconds} s; nothing was sent.`;
      task.abort(missing.length > 0 ? unanswered(missing, problem) : timedOut(seconds));
    };
    return setTimeout(late, seconds * 1000);
  }

  /**
   * Throws `InvalidValue` before the request if the result could not be sent on: after it, a flow that tries again
   * would make the request twice.
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

  /** Sends the message on with its changes. If that fails, it throws, and the message is as it came. */
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

  /**
   * Reads all fields into `inputs`. Gives a promise if a field takes time or cannot be read: it rejects with that
   * error.
   */
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

  /** What a message has to wait for before its work begins: its own fields and, in order, those of earlier messages. */
  #inOrder(reading: Promise<void> | undefined, inputs: Values): Promise<unknown> | undefined {
    const before = this.#before;
    if (!this.work.inOrder || (reading === undefined && before === undefined)) return reading;
    const forget = () => {
      if (this.#before === own) this.#before = undefined;
    };
    const all = together([before?.all, reading]).then(forget, forget);
    const timely = new Promise<void>((resolve) => {
      noticeOverdue(together([before?.timely, reading]), resolve).then(resolve, () => resolve());
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
