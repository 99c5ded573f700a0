/**
 * A whole Node-RED for the tests: its real runtime, credential store, catalogues and admin API,
 * with the pack installed the way a user has it. `NODE_RED=4` runs it on 4.1, anything else on 5.
 *
 * Node-RED's own `node-red-node-test-helper` loads each node in `test/loads.test.ts`. It cannot do what the others need: it
 * installs no package, so that there are no catalogues and no editor; it has no encrypted store of credentials, no
 * deployments of changed nodes alone, and no version but one; and it does not tell when a message has ended, nor what a node
 * does after it has closed.
 *
 * One process holds one Node-RED, since Node-RED itself is a singleton: `startNodeRed()` starts it
 * once, and each test deploys its own flow.
 */
import { subscribe } from 'node:diagnostics_channel';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { type ClientRequest, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { mock } from 'node:test';
import { setTimeRight } from './set-clock';

/** A message as flows carry it. */
export interface Message {
  _msgid?: string;
  topic?: unknown;
  payload?: unknown;
  aws?: Record<string, unknown>;
  [property: string]: unknown;
}

/** A node, config node, tab, group or subflow as a flow file holds it; `z`, `x`, `y` and `wires` may be left out. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface Status {
  fill?: string;
  shape?: string;
  text?: string;
}

/** What a node gave to `done`: an Error, with whatever members the node put on it. */
export interface NodeError extends Error {
  code?: string;
  [member: string]: unknown;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'audit' | 'metric';

export interface LogEntry {
  level: LogLevel;
  /** The entry as a line of text. */
  text: string;
  /** What was logged: a string, or the Error itself. */
  msg: unknown;
  /** The id and type of the node that logged it, if a node did. */
  id?: string;
  type?: string;
}

/**
 * How a message fared at one node. The object is live: what happens after the message has ended
 * (a second `done`, a late message) still shows up in it.
 */
export interface Outcome {
  /** The message object that the node received, as it is now. */
  readonly msg: Message;
  /** Copies, made at the moment of sending, of what the node sent for this message, all outputs in order. */
  readonly sent: Message[];
  /** The same by output. */
  readonly outputs: Message[][];
  /** How often the node called `done`. */
  readonly done: number;
  /** The error that the first failing `done` was given: the object itself. */
  readonly error?: NodeError;
  /** The node's statuses since it received the message. */
  readonly statuses: Status[];
}

export interface NodeRedOptions {
  /** The pack's folder, an installed copy too; `false`: Node-RED without the pack. Default: this repository. */
  pack?: string | false;
  /** More Node-RED settings, over the harness's own. */
  settings?: Record<string, unknown>;
}

export interface DeployOptions {
  /** By node id; they travel as the editor sends them and end in the encrypted store. */
  credentials?: Record<string, Record<string, string>>;
  /** Node-RED's deployment types; `full` restarts every node. */
  type?: 'full' | 'nodes' | 'flows';
}

export interface NodeRed {
  /** Node-RED's own version, such as `5.0.7`. */
  readonly version: string;
  /** Address of the editor and the admin API, with a slash at the end. */
  readonly url: string;
  readonly userDir: string;
  /** Its settings, which a test may change and has to put back. */
  readonly settings: Record<string, unknown>;
  /** Everything logged since the start or the last `clearLogs()`, down to `trace`, audit entries included. */
  readonly logs: LogEntry[];
  clearLogs(): void;
  /**
   * Deploys exactly these nodes through Node-RED's runtime API; resolves once the flows have started.
   * Nodes without `z` go to a tab of their own (config nodes stay global). Rejects if a type is missing.
   */
  deploy(nodes: FlowNode[], options?: DeployOptions): Promise<void>;
  /** Resolves when the next deployment, such as one of the editor, has started its flows. */
  deployed(): Promise<void>;
  /** The running node object: by id or, inside a subflow instance, by the id in the template. */
  node(id: string): RunningNode;
  /** Gives a message to a node's input as a wire does; resolves when the message has ended there (`done`). */
  send(id: string, msg?: Message, limit?: number): Promise<Outcome>;
  /** Gives all of them at once; resolves when all have ended. */
  sendMany(id: string, msgs: Message[], limit?: number): Promise<Outcome[]>;
  /** Gives a message and resolves as soon as the node has it: for tests that look at it in flight. */
  begin(id: string, msg?: Message, limit?: number): Promise<Outcome>;
  /** The same with this very object, which has to have its `_msgid`. */
  beginWith(id: string, message: Message, limit?: number): Promise<Outcome>;
  /** Copies of all messages that the node sent since the deploy. */
  sent(id: string): Message[];
  /** All messages that the node received since the deploy: the objects themselves. */
  received(id: string): Message[];
  /** The next message that the node sends: each call gives the one after the last, one already sent too. */
  nextSent(id: string, limit?: number): Promise<Message>;
  /** The next message that arrives at the node, likewise. */
  next(id: string, limit?: number): Promise<Message>;
  /** The next `count` messages that arrive at the node. */
  collect(id: string, count: number, limit?: number): Promise<Message[]>;
  /** All statuses of the node since the deploy; a cleared status is `{}`. */
  statuses(id: string): Status[];
  /**
   * Waits until the condition gives something truthy, and gives that. It is asked again whenever anything happens
   * in Node-RED, and every 50 ms for what happens elsewhere.
   * @param what says in the error what was waited for
   * @param limit in milliseconds
   */
  until<T>(condition: () => T | Promise<T>, what?: string, limit?: number): Promise<T>;
  /** A request to the admin API or to an HTTP In node. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /**
   * What no node may do, since the last call: end a message twice, leave one unended when it has closed, or send,
   * end a message or set a status after it has closed. After each test those of the pack's nodes fail the test.
   */
  takeViolations(): Violation[];
  stop(): Promise<void>;
}

export interface Violation {
  id: string;
  type: string;
  text: string;
}

/** The part of a running node that tests use; its own members are there too. */
export interface RunningNode {
  id: string;
  type: string;
  z?: string;
  _alias?: string;
  credentials?: Record<string, string>;
  receive(msg: Message): void;
  send(msg: unknown): void;
  status(status: Status): void;
  context(): unknown;
  [member: string]: unknown;
}

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
type Deployed = { config: { flows: FlowNode[] } };

interface Runtime {
  init(server: Server, settings: Record<string, unknown>): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  httpAdmin: Handler;
  httpNode: Handler;
  version: () => string;
  util: { generateId(): string; cloneMessage<T>(msg: T): T };
  hooks: { add(name: string, handler: (event: never) => void): void };
  events: {
    on(name: string, handler: (event: never) => void): void;
    off(name: string, handler: (event: never) => void): void;
  };
  runtime: {
    flows: { setFlows(options: { flows: { flows: FlowNode[] }; deploymentType: string }): Promise<unknown> };
    nodes: { getNodeConfigs(options: { lang: string }): Promise<string> };
  };
}

interface NodePrototype {
  updateWires(this: RunningNode, wires: unknown): void;
  close(this: RunningNode, removed?: boolean): Promise<void>;
  status(this: RunningNode, status: Status): void;
}

interface Delivery {
  /** Which one it is since the last deployment. */
  number: number;
  node: RunningNode;
  msg: Message;
  done: number;
  error?: NodeError;
  outputs: Message[][];
  sent: Message[];
  firstStatus: number;
}

/** Which Node-RED the tests run on: its major version. */
export const nodeRedVersion: 4 | 5 = process.env.NODE_RED === '4' ? 4 : 5;

const repository = resolve(__dirname, '..');
const packName = '@red-nimbus/node-red-aws';
const defaultTab = 'tab';
/** For anything that is waited for, in milliseconds: long, since the machine may do much else. */
const defaultLimit = 60_000;
const levels: Record<number, LogLevel> = {
  10: 'fatal',
  20: 'error',
  30: 'warn',
  40: 'info',
  50: 'debug',
  60: 'trace',
  98: 'audit',
  99: 'metric'
};

let running: Promise<NodeRed> | undefined;

/** Starts Node-RED, or gives the one that runs already. Options count for the first start in a process only. */
export function startNodeRed(options: NodeRedOptions = {}): Promise<NodeRed> {
  running ??= start(options);
  return running;
}

/** A node that takes messages in and does nothing, to wire outputs to. */
export function sink(id: string): FlowNode {
  return { id, type: 'debug', active: false, tosidebar: false, console: false, tostatus: false, complete: 'false' };
}

/** What nobody has handled since the last test: each would have ended a Node-RED that runs by itself. */
const unhandled: unknown[] = [];

/** Mocha's root hooks: a pack node that breaks its promises fails the test, and Node-RED ends with the run. */
export const mochaHooks = {
  beforeAll(): void {
    process.on('unhandledRejection', (reason) => unhandled.push(reason));
  },
  async afterEach(): Promise<void> {
    // What a failed test has left must not be the failure of the next ones, of whatever file.
    mock.timers.reset();
    mock.restoreAll();
    setTimeRight();
    const found = (await running)?.takeViolations().filter(({ type }) => type.startsWith('aws-')) ?? [];
    if (found.length > 0) throw new Error(found.map(({ id, type, text }) => `${type} ${id} ${text}`).join('\n'));
    const [first, ...more] = unhandled.splice(0);
    if (first !== undefined) throw new Error(`${more.length + 1} unhandled rejection(s)`, { cause: first });
  },
  async afterAll(): Promise<void> {
    await (await running)?.stop();
    // Nothing forces the process to end: what keeps it alive is a leak, and is named.
    setTimeout(() => {
      console.error(`still open 10 s after the last test: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    }, 10_000).unref();
  }
};

async function start({ pack = repository, settings = {} }: NodeRedOptions): Promise<NodeRed> {
  const { runtime, Node } = loadNodeRed();
  const userDir = await makeUserDir(pack);
  const server = createServer((request, response) => {
    runtime.httpAdmin(request, response, () =>
      runtime.httpNode(request, response, () => response.writeHead(404).end())
    );
  });
  const port = await listen(server);
  const logs: LogEntry[] = [];
  const journal = new Journal(runtime, Node);
  const log = (entry: LogEntry): void => {
    logs.push(entry);
    journal.changed();
  };
  const allSettings = { ...settingsFor(userDir, port, log), ...settings };
  runtime.init(server, allSettings);
  const started = nextEvent(runtime, 'flows:started', logs);
  await runtime.start();
  await started;
  return new EmbeddedNodeRed(runtime, server, userDir, allSettings, `http://127.0.0.1:${port}/`, logs, journal);
}

/** Loads the chosen version, and its `Node` prototype: what every node inherits from. */
function loadNodeRed(): { runtime: Runtime; Node: NodePrototype } {
  const name = nodeRedVersion === 4 ? 'node-red-4' : 'node-red';
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (nodeRedVersion === 5 && (major < 22 || (major === 22 && minor < 9))) {
    throw new Error(`Node-RED 5 needs Node 22.9 or later, this is ${process.version}: run it through an npm script`);
  }
  const inside = createRequire(require.resolve(name));
  const nodeModule = inside('@node-red/runtime/lib/nodes/Node') as { prototype: NodePrototype };
  return { runtime: require(name) as Runtime, Node: nodeModule.prototype };
}

/** A user folder as `npm install` leaves it, but with a link in place of the copy. */
export async function makeUserDir(pack: string | false): Promise<string> {
  const userDir = await realpath(await mkdtemp(join(tmpdir(), 'nimbus-')));
  const dependencies = pack === false ? {} : { [packName]: '*' };
  await writeFile(
    join(userDir, 'package.json'),
    JSON.stringify({ name: 'node-red-project', private: true, dependencies })
  );
  if (pack !== false) {
    const installed = join(userDir, 'node_modules', packName);
    await mkdir(dirname(installed), { recursive: true });
    await symlink(pack, installed, 'junction');
  }
  return userDir;
}

function settingsFor(userDir: string, port: number, log: (entry: LogEntry) => void): Record<string, unknown> {
  return {
    userDir,
    // A deployment waits for the disk ten times longer than for all else. What reads the files that it writes sets this off.
    readOnly: true,
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'the secret of the tests',
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    telemetry: { enabled: false, updateNotification: false },
    // Nodes see only settings that were there when Node-RED started.
    awsAccountLastMessages: true,
    externalModules: { autoInstall: false, palette: { allowInstall: false, allowUpdate: false } },
    editorTheme: {
      tours: false,
      projects: { enabled: false },
      palette: { catalogues: [] },
      // The other one is 5 MB of scripts for a window that no test opens.
      codeEditor: { lib: 'ace' }
    },
    functionGlobalContext: {},
    logging: { harness: { level: 'trace', metrics: false, audit: true, handler: () => logHandler(log) } }
  };
}

function logHandler(log: (entry: LogEntry) => void): (raw: Record<string, unknown>) => void {
  return (raw) => {
    const { level, msg, id, type } = raw;
    log({
      level: levels[level as number] ?? 'metric',
      text: msg === undefined ? JSON.stringify(raw) : textOf(msg),
      msg: msg ?? raw,
      ...(typeof id === 'string' && { id }),
      ...(typeof type === 'string' && { type })
    });
  };
}

/** As Node-RED's console logger words it. */
function textOf(msg: unknown): string {
  if (typeof msg === 'object' && msg !== null && !(msg instanceof Error) && 'message' in msg)
    return String(msg.message);
  return String(msg);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Resolves at the event; rejects where Node-RED says that it cannot start the flows. */
function nextEvent(runtime: Runtime, name: string, logs: LogEntry[]): Promise<Deployed> {
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      clearTimeout(timer);
      runtime.events.off(name, onEvent);
      runtime.events.off('runtime-event', onState);
      end();
    };
    const onEvent = (event: Deployed): void => finish(() => resolve(event));
    const onState = ({ id, payload }: { id: string; payload?: { error?: string; types?: string[] } }): void => {
      if (id !== 'runtime-state' || !payload?.error) return;
      finish(() => reject(new Error(`the flows did not start: ${payload.error} ${payload.types?.join(', ') ?? ''}`)));
    };
    const timer = setTimeout(() => {
      const said = logs.slice(-20).map(({ level, text }) => `  [${level}] ${text}`);
      finish(() => reject(new Error(`the flows did not start within 60 s; the log ends with:\n${said.join('\n')}`)));
    }, 60_000);
    runtime.events.on(name, onEvent);
    runtime.events.on('runtime-event', onState);
  });
}

/** Writes down what nodes receive, send, end and say, by node id. */
class Journal {
  readonly deliveries = new Map<string, Delivery[]>();
  readonly sent = new Map<string, Message[]>();
  readonly statuses = new Map<string, Status[]>();
  violations: Violation[] = [];
  /** Running nodes by id, and by the template's id for nodes in subflows. */
  readonly nodes = new Map<string, RunningNode>();
  readonly #closed = new WeakSet<RunningNode>();
  /** The deliveries at a node by the message itself and by its id, since there may be thousands. */
  #found = new WeakMap<RunningNode, Map<unknown, Delivery[]>>();
  #count = 0;
  #waiting: (() => void)[] = [];
  readonly #clone: <T>(msg: T) => T;

  constructor(runtime: Runtime, prototype: NodePrototype) {
    this.#clone = (msg) => {
      try {
        return runtime.util.cloneMessage(msg);
      } catch {
        // Node-RED sends it to a single wire as it is.
        return msg;
      }
    };
    this.#watchSending(prototype);
    this.#watchClosing(prototype);
    runtime.hooks.add('onReceive.journal', (event: { msg: Message; destination: { node: RunningNode } }) =>
      this.#received(event.destination.node, event.msg)
    );
    runtime.hooks.add('onComplete.journal', (event: { msg: Message; error?: NodeError; node: { node: RunningNode } }) =>
      this.#ended(event.node.node, event.msg, event.error)
    );
    runtime.events.on('node-status', ({ id, status }: { id: string; status: Status }) => this.#said(id, status));
  }

  /** Forgets what earlier flows did. Nodes that go on running stay known. */
  clear(): void {
    this.deliveries.clear();
    this.#found = new WeakMap();
    this.sent.clear();
    this.statuses.clear();
  }

  /** The deliveries of a message at a node: by the message itself or by its id. */
  deliveriesOf(node: RunningNode, msgOrId: unknown): Delivery[] {
    return this.#found.get(node)?.get(msgOrId) ?? [];
  }

  /** Wakes everyone who waits. */
  changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when anything has happened, after `limit` milliseconds at the latest. */
  change(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /**
   * Every node passes through `updateWires` when it is made and when it is rewired, and gets its `send` there. No hook
   * sees what a node sends on an output without wires, nor what it sends after its flow has gone.
   */
  #watchSending(prototype: NodePrototype): void {
    const journal = this;
    const updateWires = prototype.updateWires;
    prototype.updateWires = function (wires) {
      updateWires.call(this, wires);
      journal.nodes.set(this.id, this);
      if (this._alias) journal.nodes.set(this._alias, this);
      const send = this.send;
      this.send = function (msg) {
        journal.#sends(this, msg);
        send.call(this, msg);
      };
    };
    const setStatus = prototype.status;
    prototype.status = function (status) {
      if (journal.#closed.has(this)) journal.#violation(this, 'set a status after it had closed');
      setStatus.call(this, status);
    };
  }

  #watchClosing(prototype: NodePrototype): void {
    const journal = this;
    const close = prototype.close;
    prototype.close = async function (removed) {
      await close.call(this, removed);
      journal.#hasClosed(this);
    };
  }

  #hasClosed(node: RunningNode): void {
    this.#closed.add(node);
    if (this.nodes.get(node.id) === node) this.nodes.delete(node.id);
    if (node._alias && this.nodes.get(node._alias) === node) this.nodes.delete(node._alias);
    const left = this.#of(this.deliveries, node.id).filter((delivery) => delivery.node === node && delivery.done === 0);
    if (left.length > 0) this.#violation(node, `has closed and left ${left.length} message(s) without done`);
    this.changed();
  }

  #received(node: RunningNode, msg: Message): void {
    if (this.#closed.has(node)) return;
    const firstStatus = this.#of(this.statuses, node.id).length;
    this.#count += 1;
    const delivery: Delivery = { number: this.#count, node, msg, done: 0, outputs: [], sent: [], firstStatus };
    this.#of(this.deliveries, node.id).push(delivery);
    const found = this.#found.get(node) ?? new Map<unknown, Delivery[]>();
    this.#found.set(node, found);
    for (const key of [msg, msg._msgid]) found.set(key, [...(found.get(key) ?? []), delivery]);
    this.changed();
  }

  #ended(node: RunningNode, msg: Message, error: NodeError | undefined): void {
    const same = this.deliveriesOf(node, msg);
    // A message that comes round a loop is delivered twice: its dones belong to one delivery each.
    const delivery = same.find(({ done }) => done === 0) ?? same.at(-1);
    if (delivery) {
      delivery.done += 1;
      if (error !== undefined) delivery.error ??= error;
      if (delivery.done > 1) this.#violation(node, `ended message ${msg._msgid} ${delivery.done} times`);
    }
    if (this.#closed.has(node)) this.#violation(node, `ended message ${msg._msgid} after it had closed`);
    this.changed();
  }

  #sends(node: RunningNode, msgs: unknown): void {
    const outputs = Array.isArray(msgs) ? msgs : [msgs];
    outputs.forEach((some: unknown, output) => {
      for (const msg of Array.isArray(some) ? some : [some]) this.#sendsOne(node, output, msg);
    });
    this.changed();
  }

  #sendsOne(node: RunningNode, output: number, msg: unknown): void {
    if (typeof msg !== 'object' || msg === null) return;
    if (this.#closed.has(node)) this.#violation(node, 'sent a message after it had closed');
    const copy = this.#clone(msg as Message);
    this.#of(this.sent, node.id).push(copy);
    const [delivery] = [this.deliveriesOf(node, msg).at(-1), this.deliveriesOf(node, copy._msgid).at(-1)]
      .filter((one) => one !== undefined)
      .sort((one, other) => other.number - one.number);
    if (!delivery) return;
    delivery.sent.push(copy);
    while (delivery.outputs.length <= output) delivery.outputs.push([]);
    delivery.outputs[output]?.push(copy);
  }

  #said(id: string, status: Status): void {
    this.#of(this.statuses, id).push({ ...status });
    this.changed();
  }

  #violation({ id, type }: RunningNode, text: string): void {
    this.violations.push({ id, type, text });
  }

  #of<T>(map: Map<string, T[]>, id: string): T[] {
    const known = map.get(id);
    if (known) return known;
    const fresh: T[] = [];
    map.set(id, fresh);
    return fresh;
  }
}

class EmbeddedNodeRed implements NodeRed {
  readonly version: string;
  readonly #taken = new Map<string, number>();
  #configTypes: Promise<Set<string>> | undefined;

  constructor(
    readonly runtime: Runtime,
    readonly server: Server,
    readonly userDir: string,
    readonly settings: Record<string, unknown>,
    readonly url: string,
    readonly logs: LogEntry[],
    readonly journal: Journal
  ) {
    this.version = runtime.version().replace(/-git$/, '');
  }

  clearLogs(): void {
    this.logs.length = 0;
  }

  async deploy(nodes: FlowNode[], { credentials = {}, type = 'full' }: DeployOptions = {}): Promise<void> {
    this.#configTypes ??= this.runtime.runtime.nodes.getNodeConfigs({ lang: 'en-US' }).then(configTypesIn);
    const flows = placed(nodes, await this.#configTypes).map((node) => {
      const own = credentials[node.id];
      return own ? { ...node, credentials: own } : node;
    });
    const started = nextEvent(this.runtime, 'flows:started', this.logs);
    const stopped = (): void => {
      this.journal.clear();
      this.#taken.clear();
    };
    this.runtime.events.on('flows:stopped', stopped);
    try {
      // What travels is JSON, as from the editor: a shared object or an undefined member would not survive.
      const body = JSON.parse(JSON.stringify({ flows })) as { flows: FlowNode[] };
      await Promise.all([started, this.runtime.runtime.flows.setFlows({ flows: body, deploymentType: type })]);
    } finally {
      this.runtime.events.off('flows:stopped', stopped);
    }
  }

  async deployed(): Promise<void> {
    await nextEvent(this.runtime, 'flows:started', this.logs);
  }

  node(id: string): RunningNode {
    const node = this.journal.nodes.get(id);
    if (!node) throw new Error(`no node ${id} is running; there are: ${[...this.journal.nodes.keys()].join(', ')}`);
    return node;
  }

  async send(id: string, msg: Message = {}, limit = defaultLimit): Promise<Outcome> {
    const outcome = await this.begin(id, msg, limit);
    await this.until(() => outcome.done > 0, `the message to end at node ${id}`, limit);
    // A second done in the same turn is to be seen by the test that asked.
    await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  }

  sendMany(id: string, msgs: Message[], limit = defaultLimit): Promise<Outcome[]> {
    return Promise.all(msgs.map((msg) => this.send(id, msg, limit)));
  }

  begin(id: string, msg: Message = {}, limit = defaultLimit): Promise<Outcome> {
    return this.beginWith(id, { _msgid: this.runtime.util.generateId(), ...msg }, limit);
  }

  async beginWith(id: string, message: Message, limit = defaultLimit): Promise<Outcome> {
    const node = this.node(id);
    setImmediate(() => node.receive(message));
    const arrived = (): Delivery | undefined => this.journal.deliveriesOf(node, message)[0];
    const delivery = await this.until(arrived, `node ${id} to receive the message`, limit);
    return outcomeOf(delivery as Delivery, () => this.statuses(node.id));
  }

  sent(id: string): Message[] {
    return [...(this.journal.sent.get(this.#idOf(id)) ?? [])];
  }

  received(id: string): Message[] {
    return (this.journal.deliveries.get(this.#idOf(id)) ?? []).map(({ msg }) => msg);
  }

  nextSent(id: string, limit = defaultLimit): Promise<Message> {
    return this.#take(`sent ${id}`, () => this.sent(id), `a message from node ${id}`, limit);
  }

  next(id: string, limit = defaultLimit): Promise<Message> {
    return this.#take(`received ${id}`, () => this.received(id), `a message at node ${id}`, limit);
  }

  collect(id: string, count: number, limit = defaultLimit): Promise<Message[]> {
    return Promise.all(Array.from({ length: count }, () => this.next(id, limit)));
  }

  statuses(id: string): Status[] {
    return [...(this.journal.statuses.get(this.#idOf(id)) ?? [])];
  }

  async until<T>(condition: () => T | Promise<T>, what = condition.toString(), limit = defaultLimit): Promise<T> {
    const end = performance.now() + limit;
    for (;;) {
      const change = this.journal.change(50);
      const value = await condition();
      if (value) return value;
      if (performance.now() > end) throw new Error(`waited ${limit} ms in vain for ${what}${this.#lastErrors()}`);
      await change;
      // What happens in the same turn makes one question: there may be thousands of messages.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(new URL(path, this.url), init);
  }

  takeViolations(): Violation[] {
    const { violations } = this.journal;
    this.journal.violations = [];
    return violations;
  }

  async stop(): Promise<void> {
    running = undefined;
    await this.runtime.stop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    // What is still written into it would hide the failure that a test ends with.
    await rm(this.userDir, { recursive: true, force: true, maxRetries: 10 });
  }

  async #take(key: string, list: () => Message[], what: string, limit: number): Promise<Message> {
    const index = this.#taken.get(key) ?? 0;
    this.#taken.set(key, index + 1);
    const message = await this.until(() => list()[index], `${what} (number ${index + 1} since the deploy)`, limit);
    return message as Message;
  }

  #idOf(id: string): string {
    return this.journal.nodes.get(id)?.id ?? id;
  }

  /** What a failing test is told: the last errors of the log, and the requests that wait for an answer. */
  #lastErrors(): string {
    const errors = this.logs.filter(({ level }) => level === 'error' || level === 'warn').slice(-5);
    const said = errors.map(({ level, id, text }) => `  [${level}] ${id ?? ''} ${text}`);
    const open = [...underWay].slice(-20).map(([request, began]) => `  ${describeRequest(request, began)}`);
    const list = (title: string, lines: string[]) => (lines.length > 0 ? `; ${title}:\n${lines.join('\n')}` : '');
    return list('last in the log', said) + list('requests under way', open);
  }
}

/** The requests of this process that are not answered, and when they were begun. */
const underWay = new Map<ClientRequest, number>();
const requestOf = (message: unknown): ClientRequest => (message as { request: ClientRequest }).request;
subscribe('http.client.request.start', (message) => {
  const request = requestOf(message);
  underWay.set(request, performance.now());
  request.on('close', () => underWay.delete(request));
});

function describeRequest(request: ClientRequest, began: number): string {
  const { method, path, host, reusedSocket, socket, writableFinished } = request;
  const bytes = `${socket?.bytesWritten ?? 0} bytes out, ${socket?.bytesRead ?? 0} in`;
  const state = [reusedSocket ? 'old connection' : 'new connection', writableFinished ? 'sent' : 'being sent', bytes];
  const target = request.getHeader('x-amz-target') ?? '';
  return `${method} ${host}${path} ${target} for ${Math.round(performance.now() - began)} ms, ${state.join(', ')}`;
}

function outcomeOf(delivery: Delivery, statuses: () => Status[]): Outcome {
  return {
    get msg() {
      return delivery.msg;
    },
    get sent() {
      return delivery.sent;
    },
    get outputs() {
      return delivery.outputs;
    },
    get done() {
      return delivery.done;
    },
    get error() {
      return delivery.error as NodeError;
    },
    get statuses() {
      return statuses().slice(delivery.firstStatus);
    }
  };
}

/** Config node types, by the editor definitions: to the runtime a config node is one without a place on a tab. */
function configTypesIn(html: string): Set<string> {
  const definitions = html.split(/RED\.nodes\.registerType\s*\(/).slice(1);
  const types = definitions.map((definition) => {
    const type = /^\s*['"]([^'"]+)['"]/.exec(definition)?.[1];
    return /category\s*:\s*['"]([^'"]+)['"]/.exec(definition)?.[1] === 'config' ? type : undefined;
  });
  return new Set(types.filter((type) => type !== undefined));
}

/** Gives every node what the editor would have given it: a tab, a position, wires. */
function placed(nodes: FlowNode[], configTypes: Set<string>): FlowNode[] {
  const flows = nodes.map((node, index) => {
    if (configTypes.has(node.type) || node.type === 'tab' || node.type === 'subflow') return node;
    const place = { z: defaultTab, x: 200, y: 40 * (index + 1) };
    return node.type === 'group' ? { ...place, ...node } : { ...place, wires: [], ...node };
  });
  const needsTab = flows.some(({ z }) => z === defaultTab) && !flows.some(({ id }) => id === defaultTab);
  return needsTab ? [{ id: defaultTab, type: 'tab', label: 'Test' }, ...flows] : flows;
}
