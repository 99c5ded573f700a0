/**
 * Store and forward: what a node keeps is first written to disk, and goes out from there.
 *
 * The log is our own rather than an embedded database. Those that are fit for it are native modules: none has binaries for
 * all of arm, arm64 and x64 with musl and glibc on Node.js 20, and `node:sqlite` begins with 22. What is needed is little: to
 * add, to read in order, to forget. A B-tree would write each message several times, and an SD card wears out by that. Here
 * each is written once, what comes together shares one flush, and parts that are done are deleted whole.
 *
 * - `records`: a message with its requests, behind its length and CRC-32. `segment`: a file of these, its index, and notes
 *   of what has left. `log`: the segments. `disk`: all that they ask of the file system, asynchronously.
 * - What counts for `keepMost` is what waits. What has left takes at most a quarter of that on top: where one message waits
 *   long among many that do not, it is written anew at the end of the log, and its old segment is deleted.
 * - `entry-table`, `sequence`, `target-queue`: what is in memory, some 50 bytes a message. `way-out`: which goes when.
 * - `lock`: one process at a time. `store` is all of this on the side of the disk.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import { idInFlow } from '../account/calls';
import { Running } from '../account/running';
import type { ServiceName } from '../account/sdks';
import type { ActionInputs, Deployment, Keeper, TargetRequest } from '../action/action';
import { statusTextOf, timeOf } from '../action/status-words';
import type { Task } from '../action/task';
import { type ActionError, closing as closingError, isActionError, ownError } from '../fields/errors';
import type { Fields } from '../fields/fields';
import { fileNameOfId } from '../fields/file-names';
import { readAll } from '../fields/read';
import { diskError } from './disk-errors';
import { fromText, toText } from './json-text';
import type { KeepFields } from './keep-fields';
import { decode, type Entry, type Kept } from './records';
import type { Outgoing, Route } from './route';
import { segmentsIn, type Waiting } from './segment';
import { Store, taken } from './store';
import { time } from './time';
import { type KeptRequest, WayOut } from './way-out';

/** What a node keeps at the moment, for the sidebar. */
export interface OutboxLook {
  readonly node: string;
  readonly account: string | undefined;
  /** Messages that wait or are under way, one for each target. */
  readonly count: number;
  /** When the oldest of those that wait was kept, ms since 1970. */
  readonly since: number | undefined;
  /** What keeps them from going out. */
  readonly trouble: ActionError | undefined;
}

/** The store of a node, as the sidebar uses it. */
export interface RunningOutbox {
  /** The ID of its node as it runs: each instance of a subflow has another one. */
  readonly id: string;
  look(): OutboxLook;
  /** Tries all that waits at once. */
  sendNow(): void;
  /** Throws away what was kept before a time, ms since 1970; what is under way may arrive. Gives how much that was. */
  throwAway(before: number): number | Promise<number>;
  /** What is kept, a line of JSON each, the oldest first. Rejects with the error of the disk. */
  lines(): AsyncGenerator<string>;
}

/** The stores that nodes have. */
export const runningOutboxes = new Running<RunningOutbox>();

/** How long a closing node waits for what is under way, ms: as long as for messages that are not kept. */
const closeLimit = 10_000;
/** How long after a store could not be opened it is tried again, ms. */
const openAgainAfter = 10_000;
/** Messages that are read at once to be exported. */
const exportedAtOnce = 50;
/** The status is shown anew so long after something has changed, ms. */
const showAfter = 500;

const hour = 3_600_000;

interface Settings {
  keep: boolean;
  /** MB. */
  keepMost: number;
  keepHours: number;
}

/** The folder for the stores of a Node-RED; `undefined` where it has no user directory. */
export const folderOfStores = (userDir: string | undefined): string | undefined =>
  userDir === undefined ? undefined : join(userDir, 'nimbus', 'outbox');

/** The folders of stores that nodes have opened. */
const opened = new Set<string>();

/** Whether a node has the store of a folder. */
export const isOpen = (folder: string): boolean => opened.has(folder);

/** Stores that are being closed, by folder: a deployment may open one before the node that had it has let it go. */
const closing = new Map<string, Promise<void>>();

/**
 * Has a node that is deployed in the meantime wait for its store. Resolves when nobody else has it, with the function that lets
 * it go.
 */
export async function hold(folder: string): Promise<() => void> {
  const before = closing.get(folder);
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  }).finally(() => {
    if (closing.get(folder) === held) closing.delete(folder);
  });
  closing.set(folder, held);
  await before;
  return letGo;
}

/** The names of the files in a folder; none where there is no such folder. */
function filesIn(folder: string): string[] {
  try {
    return existsSync(folder) ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}

/** What a node says of keeping. What is wrong there is an error of each message, and what is kept goes out. */
function settingsOf<F extends Fields & KeepFields>({ RED, node, config, fields }: Deployment<F>): Settings {
  try {
    const plain = Object.entries(fields).filter(([name, { types }]) => !types && isOfKeeping(name, fields));
    return readAll(RED, node, config, Object.fromEntries(plain)) as unknown as Settings;
  } catch {
    return { keep: false, keepMost: Number(fields.keepMost.value), keepHours: 0 };
  }
}

type Requests = TargetRequest<Outgoing>[];

/** The store of a deployed node, and the way out of it. */
class Outbox<S extends ServiceName, F extends Fields & KeepFields> implements Keeper<F, Outgoing>, RunningOutbox {
  readonly #folder: string | undefined;
  readonly #controller = new AbortController();
  readonly #store: Store | undefined;
  readonly #wayOut: WayOut<S, F> | undefined;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** Why the store could not be opened the last time. */
  #problem: (() => ActionError) | undefined;
  /** Ends the waiting until it is tried again. */
  #notAgain: (() => void) | undefined;
  #showing: NodeJS.Timeout | undefined;
  #isShown = false;
  #isClosing = false;
  /** The last message that waits for its requests or the store, and those before it. */
  #turn: Promise<unknown> | undefined;
  #leave: () => void = () => undefined;
  readonly keeps: boolean;

  constructor(
    private readonly deployed: Deployment<F>,
    private readonly route: Route<S, F>
  ) {
    const { RED, node } = deployed;
    const { userDir } = RED.settings;
    const stores = folderOfStores(userDir);
    const { keep, keepMost: most, keepHours: hours } = settingsOf(deployed);
    this.keeps = keep;
    this.#folder = stores && join(stores, fileNameOfId(node.id));
    if (!this.#folder || (!keep && segmentsIn(filesIn(this.#folder)).length === 0)) return;
    opened.add(this.#folder);
    const tell = { log: (text: string) => node.log(text), warn: (text: string) => node.warn(text) };
    this.#store = new Store({ folder: this.#folder, root: userDir as string, most, tell });
    this.#wayOut = new WayOut(deployed, route, this.#store, hours * hour, () => this.#changed());
    this.#leave = runningOutboxes.add(RED, this);
    this.#open().catch(() => undefined);
  }

  takes({ keep }: ActionInputs<F>): boolean {
    return keep === true;
  }

  outgoing(inputs: ActionInputs<F>, target: string): Outgoing {
    return this.route.outgoing(inputs, target);
  }

  /** Resolves when the message is safe. Rejects with the reason of the task if that is over by then: it is not kept then. */
  async keep(
    msg: NodeMessage,
    inputs: ActionInputs<F>,
    requests: Requests | Promise<Requests>,
    task: Task
  ): Promise<void> {
    let found: Requests;
    if (this.#isOpen && this.#turn === undefined && Array.isArray(requests)) found = requests;
    else {
      const turn = Promise.allSettled([this.#ready(requests), this.#turn]);
      this.#turn = turn;
      const [outcome] = await turn;
      // Not earlier than now: what comes between would be kept before it.
      if (this.#turn === turn) this.#turn = undefined;
      if (outcome.status === 'rejected') throw outcome.reason;
      found = outcome.value;
    }
    const kept = keptOf(msg, inputs, found);
    const { store, wayOut } = this.#found;
    if (task.reason) throw task.reason;
    const entries = await store.add(kept);
    if (task.reason) {
      for (const { place } of entries) store.gone(place);
      throw task.reason;
    }
    for (const entry of entries) wayOut.add(entry);
    this.#changed();
  }

  /** Resolves when all is there that a message needs. */
  async #ready(requests: Requests | Promise<Requests>): Promise<Requests> {
    const [found] = await Promise.all([requests, this.#opened()]);
    return found;
  }

  /** The store and the way out of it. Throws where there is none. */
  get #found(): { store: Store; wayOut: WayOut<S, F> } {
    if (!this.#store || !this.#wayOut) throw withoutFolder();
    return { store: this.#store, wayOut: this.#wayOut };
  }

  /** Resolves when the store is open. */
  async #opened(): Promise<void> {
    if (!this.#store) throw withoutFolder();
    if (this.#isOpen) return;
    if (this.#problem && this.#opening !== undefined) throw this.#problem();
    await this.#open();
  }

  /** Opens the store, if that is not under way. Rejects with the error of a message. */
  #open(): Promise<void> {
    this.#opening ??= this.#tryToOpen().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #tryToOpen(): Promise<void> {
    const folder = this.#folder as string;
    const { signal } = this.#controller;
    await closing.get(folder);
    const now = time.now();
    // biome-ignore lint/plugin/clock: how long ago another process kept it, only its clock and this one can say
    const today = Date.now();
    const take = (entry: Waiting) => this.#wayOut?.add(entry, Math.max(0, today - entry.keptAt) + time.now() - now);
    try {
      if (!(await this.#store?.open(signal, take))) return this.#notOpen(() => taken(folder));
    } catch (thrown) {
      if (signal.aborted) throw closingError();
      return this.#notOpen(() => (isActionError(thrown) ? thrown : diskError(thrown, folder)));
    }
    this.#isOpen = true;
    this.#problem = undefined;
    this.#notAgain?.();
    if (!this.#isClosing) this.#wayOut?.start();
    this.#changed();
  }

  /** Rejects, and tries again in a while. The first time it is one error in the log. */
  #notOpen(problem: () => ActionError): never {
    const error = problem();
    if (!this.#problem && !this.#isClosing) this.deployed.node.error(`Nothing can be kept: ${error.message}`);
    this.#problem = problem;
    this.#notAgain?.();
    if (!this.#isClosing) this.#notAgain = time.after(openAgainAfter, () => this.#open().catch(() => undefined));
    throw error;
  }

  /** Shows soon what waits. */
  #changed(): void {
    if (this.#isClosing) return;
    if (this.#wayOut?.trouble && !this.#isShown) this.#show();
    this.#showing ??= setTimeout(() => {
      this.#showing = undefined;
      this.#show();
    }, showAfter);
  }

  #show(): void {
    const count = this.#store?.table.count ?? 0;
    this.#isShown = count > 0;
    this.deployed.status.rest(count === 0 ? undefined : this.#text(count));
  }

  #text(count: number): string {
    const { RED } = this.deployed;
    const trouble = this.#wayOut?.trouble;
    if (!trouble) return RED._('status.kept', { count });
    const since = sinceOf(this.#wayOut?.oldest ?? Infinity);
    return RED._('status.keptWhy', { count, since, name: statusTextOf(RED, trouble) });
  }

  get id(): string {
    return this.deployed.node.id;
  }

  look(): OutboxLook {
    const oldest = this.#wayOut?.oldest ?? Infinity;
    const count = this.#store?.table.count ?? 0;
    return {
      node: idInFlow(this.deployed.node),
      account: this.#wayOut?.account,
      count,
      since: Number.isFinite(oldest) ? dateOf(oldest) : undefined,
      trouble: this.#problem?.() ?? this.#wayOut?.trouble
    };
  }

  sendNow(): void {
    this.#wayOut?.sendNow();
  }

  throwAway(before: number): number {
    const count = this.#wayOut?.throwAway(before - dateOf(0)) ?? 0;
    this.deployed.node.warn(`${count} kept messages were thrown away in the editor.`);
    return count;
  }

  async *lines(): AsyncGenerator<string> {
    if (this.#store) yield* linesOf(this.#store);
  }

  async close(ended: Promise<void>): Promise<void> {
    this.#isClosing = true;
    this.#leave();
    this.#notAgain?.();
    clearTimeout(this.#showing);
    this.#controller.abort();
    const folder = this.#folder;
    if (!folder || !this.#store) return;
    const work = this.#close(ended).finally(() => {
      if (closing.get(folder) === work) closing.delete(folder);
    });
    closing.set(folder, work);
    await work;
  }

  async #close(ended: Promise<void>): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await Promise.all([this.#wayOut?.close(closeLimit), ended]);
    await this.#store?.close();
    opened.delete(this.#folder as string);
  }
}

/** A time of `time.now()` as ms since 1970. */
// biome-ignore lint/plugin/clock: people read it
const dateOf = (moment: number): number => Date.now() - (time.now() - moment);

/** Since when the oldest message waits, as text. */
const sinceOf = (oldest: number): string => timeOf(new Date(dateOf(Number.isFinite(oldest) ? oldest : time.now())));

/** What waits in a store, a line of JSON each, the oldest first. Rejects with the error of the disk. */
export async function* linesOf(store: Store): AsyncGenerator<string> {
  const entries = store.table.entries();
  for (let first = 0; first < entries.length; first += exportedAtOnce) {
    const found = await store.look(entries.slice(first, first + exportedAtOnce));
    for (const { record, member } of found) yield lineOf(decode(record), member);
  }
}

/** A message and its request to one target, as a line of a file. */
function lineOf({ keptAt, entries, requests, message }: Kept, member: number): string {
  const { target, region, group } = entries[member] as Entry;
  const { entry } = fromText(requests[member] as string) as KeptRequest;
  return `${JSON.stringify({ keptAt: new Date(keptAt), target, region, group, request: entry, message: fromText(message) })}\n`;
}

/** Whether a field is one of these, or decides whether the dialog shows them. */
const isOfKeeping = (name: string, { keep, keepMost, keepHours }: KeepFields): boolean =>
  name.startsWith('keep') || [keep, keepMost, keepHours].some(({ when = {} }) => name in when);

function keptOf<F extends Fields>(msg: NodeMessage, { output }: ActionInputs<F>, requests: Requests): Kept {
  const isMany = requests.length > 1;
  return {
    id: 0,
    // biome-ignore lint/plugin/clock: people read it, and another process has no other measure of how old it is
    keptAt: Date.now(),
    entries: requests.map(({ target, region, outgoing }) => ({ target, region, ...sizesOf(outgoing) })),
    requests: requests.map(({ outgoing }) =>
      toText({ entry: outgoing.entry, output, ...(isMany && { many: true }) } satisfies KeptRequest, 'The request')
    ),
    message: toText(msg, 'The message')
  };
}

/** The most bytes that count for a batch; what goes alone counts as that. */
const mostBytes = 0xffff_ffff;

const sizesOf = ({ bytes, group }: Outgoing) => ({ bytes: Math.min(bytes, mostBytes), group });

/** A FIFO message has an ID of its own, so that sending it again is not a second message. */
export const madeUpId = (): string => randomUUID();

const withoutFolder = (): ActionError =>
  ownError('StoreFull', 'The message cannot be kept: this Node-RED has no user directory. It was not sent either.');

/** Makes the part of a node that keeps messages. */
export const keeping =
  <S extends ServiceName, F extends Fields & KeepFields>(route: Route<S, F>) =>
  (deployed: Deployment<F>): Keeper<F, Outgoing> =>
    new Outbox(deployed, route);
