/** Node-RED processes of their own with the pack: started, deployed to, fed, measured and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { LocalAws } from '../../local-aws/client';
import { type FlowNode, makeUserDir, nodeRedVersion } from '../node-red';
import { Ledger, type Report } from './ledger';
import { Queues } from './queues';

const repository = resolve(__dirname, '..', '..');

/** What to give to the entry nodes, and how. */
export interface Feed {
  /** The number of the first message. */
  from?: number;
  /** Until `stopFeeding` where it is left out. */
  count?: number;
  /** How many may be on their way at a time. */
  window: number;
  /** FIFO: message n belongs to group n modulo this. */
  groups?: number;
  /** Whether a message that failed is given again. */
  again?: boolean;
}

export interface Measurement {
  /** Bytes in use after collection. */
  heap: number;
  /** What keeps the process alive, and the listeners of Node-RED and the process, sorted. */
  resources: string[];
  /** How many the pack's nodes have been given since the start, and have ended. */
  messages: { begun: number; ended: number };
}

type Answer = { id: number; value?: unknown; error?: string };

/** What is in `all` more often than in `known`. */
function difference(all: string[], known: string[]): string[] {
  const rest = [...known];
  return all.filter((each) => {
    const index = rest.indexOf(each);
    if (index >= 0) rest.splice(index, 1);
    return index < 0;
  });
}

/** One Node-RED process. */
export class Runner {
  readonly #gone: Promise<void>;
  readonly #answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #commands = 0;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly userDir: string,
    private readonly isKept: boolean,
    ledger: Ledger
  ) {
    const lines = createInterface({ input: child.stdio[3] as Readable });
    lines.on('line', (line) => ledger.enter(JSON.parse(line) as Report, name));
    const read = new Promise<void>((resolve) => lines.once('close', resolve));
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    // What it said last is read even after its end.
    this.#gone = Promise.all([ended, read]).then(() => this.#forget(ledger));
  }

  /**
   * Starts one; what becomes of its messages is entered into the ledger under its name. A user directory that is given, as by
   * `makeUserDir`, is kept when it ends.
   */
  static async start(name: string, ledger: Ledger, given?: string): Promise<Runner> {
    const userDir = given ?? (await makeUserDir(repository));
    const script = join(__dirname, 'runner.mjs');
    const parameters = ['--expose-gc', script, nodeRedVersion === 4 ? 'node-red-4' : 'node-red', userDir];
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'ipc'] });
    const runner = new Runner(name, child, userDir, given !== undefined, ledger);
    await runner.#ready();
    return runner;
  }

  /** Deploys these nodes as a full deployment, and no others. */
  async deploy(nodes: FlowNode[]): Promise<void> {
    await this.#command('deploy', nodes);
  }

  /** Gives messages to the entry nodes in turn; resolves when all of them have ended there. */
  async feed(feed: Feed): Promise<void> {
    await this.#command('feed', feed);
  }

  /** What has not ended is waited for, and given again, as before. */
  async stopFeeding(): Promise<void> {
    await this.#command('stopFeeding', null);
  }

  async measure(): Promise<Measurement> {
    return (await this.#command('measure', null)) as Measurement;
  }

  /**
   * What keeps it alive, and who listens, beside what did so before; waited for where that may end by itself: what was counted
   * is written 5 s later.
   */
  async left(before: string[]): Promise<string[]> {
    const end = performance.now() + 20_000;
    for (;;) {
      const left = difference((await this.measure()).resources, before);
      if (left.length === 0 || performance.now() > end) return left;
      await wait(200);
    }
  }

  /** `kill -9`; resolves when it is gone and all that it has said is in the ledger. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#gone;
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.child.once('message', () => {
        this.child.on('message', (answer) => this.#answered(answer as Answer));
        resolve();
      });
      this.child.once('error', reject);
      this.child.once('exit', (code) => reject(new Error(`${this.name} ended before it was ready, with ${code}`)));
    });
  }

  #command(command: string, argument: unknown): Promise<unknown> {
    this.#commands += 1;
    const id = this.#commands;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.child.send({ id, command, argument }, (error) => error && reject(error));
    });
  }

  #answered({ id, value, error }: Answer): void {
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) answer?.resolve(value);
    else answer?.reject(new Error(`${this.name}: ${error}`));
  }

  async #forget(ledger: Ledger): Promise<void> {
    ledger.end(this.name, 'killed');
    for (const { reject } of this.#answers.values()) reject(new Error(`${this.name} is gone`));
    this.#answers.clear();
    if (!this.isKept) await rm(this.userDir, { recursive: true, force: true });
  }
}

/** What a test works with; each test has a ledger of its own. */
export interface Fleet {
  aws: LocalAws;
  queues: Queues;
  ledger: Ledger;
  /** Starts Node-RED processes side by side. They end with the test at the latest. */
  start(...names: string[]): Promise<Runner[]>;
}

/** Starts the local AWS before a file's tests, and ends what is left after each of them. */
export function useFleet(): Fleet {
  const runners: Runner[] = [];
  const fleet = {
    async start(...names) {
      const started = await Promise.all(names.map((name) => Runner.start(name, fleet.ledger)));
      runners.push(...started);
      return started;
    }
  } as Fleet;
  before(async () => {
    fleet.aws = await LocalAws.start();
    fleet.queues = new Queues(fleet.aws);
  });
  beforeEach(async () => {
    await fleet.aws.reset();
    fleet.ledger = new Ledger();
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.kill()));
  });
  after(async () => {
    fleet.queues.close();
    await fleet.aws.stop();
  });
  return fleet;
}
