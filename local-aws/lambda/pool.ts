import type { FunctionVersion, LambdaFunction } from './functions';
import { type HandlerRequest, type Note, type RunResult, Sandbox } from './sandbox';

/** A run of a function that is requested. */
interface Run {
  readonly request: HandlerRequest;
  /** Called when the handler really starts. */
  readonly started: () => void;
  /** Of a durable function. */
  readonly note?: Note;
}

interface Job {
  readonly run: Run;
  readonly since: number;
  readonly resolve: (result: RunResult) => void;
}

const mostWorkers = 64;
const mostStarting = 4;
/** A run that has waited for so many ms gets a new thread. So short runs share a few threads, and long ones get many. */
const patienceMs = 20;
const idleMs = 60_000;

/**
 * The threads that run one version of a function, for one tenant where it keeps these apart: kept warm, one run at a
 * time each, as many as it takes.
 */
export class Pool {
  readonly #jobs: Job[] = [];
  readonly #idle: Sandbox[] = [];
  readonly #all = new Set<Sandbox>();
  #starting = 0;
  #closed = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(
    private readonly fn: LambdaFunction,
    private readonly version: FunctionVersion,
    private readonly region: string,
    /** What the environment of its threads has of the function's own sign-in. */
    private readonly access: () => Readonly<Record<string, string>>
  ) {}

  /** Runs the handler. Never rejects, since a failure of the handler is a result as well. */
  run(run: Run): Promise<RunResult> {
    return new Promise((resolve) => {
      this.#jobs.push({ run, resolve, since: performance.now() });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#patience);
    await Promise.all([...this.#all].map((sandbox) => sandbox.stop()));
  }

  #next(): void {
    if (this.#closed) return;
    while (this.#jobs.length > 0) {
      const sandbox = this.#idle.pop();
      if (!sandbox) break;
      void this.#serve(sandbox);
    }
    this.#grow();
  }

  #grow(): void {
    clearTimeout(this.#patience);
    const waiting = this.#jobs[this.#starting];
    if (!waiting || this.#starting >= mostStarting || this.#all.size >= mostWorkers) return;
    const left = this.#all.size === 0 ? 0 : waiting.since + patienceMs - performance.now();
    if (left > 0) {
      this.#patience = setTimeout(() => this.#next(), left);
      return;
    }
    void this.#start();
    this.#grow();
  }

  async #start(): Promise<void> {
    const sandbox = new Sandbox(this.fn, this.version, this.region, this.access());
    this.#all.add(sandbox);
    this.#starting += 1;
    const failure = await sandbox.ready;
    this.#starting -= 1;
    if (!failure) return this.#rest(sandbox);
    this.#all.delete(sandbox);
    const job = this.#jobs.shift();
    job?.run.started();
    job?.resolve(failure);
    this.#next();
  }

  async #serve(sandbox: Sandbox): Promise<void> {
    const job = this.#jobs.shift();
    if (!job) return this.#rest(sandbox);
    job.run.started();
    const result = await sandbox.run(job.run.request, job.run.note ?? ((operation) => operation));
    job.resolve(result);
    if (sandbox.usable) return this.#rest(sandbox);
    this.#all.delete(sandbox);
    this.#next();
  }

  #rest(sandbox: Sandbox): void {
    this.#idle.push(sandbox);
    sandbox.whenIdle(idleMs, () => {
      const index = this.#idle.indexOf(sandbox);
      if (index < 0) return;
      this.#idle.splice(index, 1);
      this.#all.delete(sandbox);
      void sandbox.stop();
    });
    this.#next();
  }
}
