import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Checkpoint, Operation } from './durable-sdk.mts';
import type { FunctionVersion, LambdaFunction } from './functions';
import type { HandlerCall, HandlerReport, HandlerSetup } from './handler-worker.mts';

/** The arguments of a handler, without its deadline. */
export type HandlerRequest = Omit<HandlerCall, 'deadline'>;
/** Notes an operation of a durable function, and says what is known of it then. */
export type Note = (operation: Operation) => Operation;

/** How a run ended. */
export interface RunResult {
  readonly payload: string;
  readonly failed: boolean;
  /** The whole log of this run. */
  readonly log: string;
}

type Ending =
  | Extract<HandlerReport, { payload: string }>
  | { readonly kind: 'timeout' }
  | { readonly kind: 'exit'; readonly reason: string };
type Outcome = Ending | { readonly kind: 'ready' };

const initMs = 10_000;
const workerUrls = new Map<string, URL>();

/** A thread's code with its types stripped: done once here, it takes each thread half the time to start. */
function workerUrl(file: string): URL {
  const known = workerUrls.get(file);
  if (known) return known;
  const code = stripTypeScriptTypes(readFileSync(path.join(__dirname, file), 'utf8'));
  const url = new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  workerUrls.set(file, url);
  return url;
}

/** A thread with a handler, which runs one call at a time. */
export class Sandbox {
  /** Resolves when the handler is loaded, or with a result if that has failed. */
  readonly ready: Promise<RunResult | undefined>;
  readonly #worker: Worker;
  readonly #created = performance.now();
  #initMs: number | undefined;
  #log = '';
  #exited: string | undefined;
  #settle: (outcome: Outcome) => void = () => undefined;
  #note: Note = (operation) => operation;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly fn: LambdaFunction,
    private readonly version: FunctionVersion,
    region: string,
    access: Readonly<Record<string, string>>
  ) {
    this.#worker = new Worker(workerUrl('handler-worker.mts'), {
      workerData: handlerSetup(fn, version),
      env: { ...environment(fn, version, region), ...access },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: fn.memory }
    });
    this.#listen();
    this.ready = this.#init();
  }

  /** Whether it can run another call at the moment. */
  get usable(): boolean {
    return this.#exited === undefined;
  }

  /** Calls the handler. Never rejects. */
  async run(request: HandlerRequest, note: Note): Promise<RunResult> {
    clearTimeout(this.#idleTimer);
    this.#note = note;
    const started = performance.now();
    const limit = this.fn.timeout * 1000;
    this.#log = `START RequestId: ${request.awsRequestId} Version: ${this.version.version}\n`;
    const ended = this.#wait(limit);
    this.#worker.postMessage({ ...request, deadline: Date.now() + limit } satisfies HandlerCall);
    const ending = (await ended) as Ending;
    if (ending.kind === 'timeout' || (ending.kind === 'error' && ending.fatal)) await this.stop();
    this.#log += this.#closingLines(request.awsRequestId, ending, performance.now() - started);
    const payload = 'payload' in ending ? ending.payload : lostPayload(request.awsRequestId, ending, this.fn.timeout);
    return { payload, failed: ending.kind !== 'result', log: this.#log };
  }

  /** Calls back if it is still idle after `ms`. */
  whenIdle(ms: number, callback: () => void): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(callback, ms).unref();
  }

  async stop(): Promise<void> {
    this.#exited ??= 'Runtime exited';
    clearTimeout(this.#idleTimer);
    await this.#worker.terminate();
  }

  #listen(): void {
    let reason = 'Runtime exited without providing a reason';
    this.#worker.on('message', (report: HandlerReport | Checkpoint) => {
      if (report.kind === 'log') this.#log += report.text;
      else if (report.kind === 'checkpoint') report.reply.postMessage(this.#note(report.operation));
      else this.#settle(report);
    });
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') reason = 'Runtime exited with error: signal: killed';
    });
    this.#worker.on('exit', () => {
      this.#exited ??= reason;
      this.#settle({ kind: 'exit', reason });
    });
  }

  async #init(): Promise<RunResult | undefined> {
    const outcome = await this.#wait(initMs);
    this.#initMs = performance.now() - this.#created;
    if (outcome.kind === 'ready') return undefined;
    await this.stop();
    const payload = 'payload' in outcome ? outcome.payload : lostPayload('', outcome, initMs / 1000);
    return { payload, failed: true, log: this.#log };
  }

  #wait(ms: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle({ kind: 'timeout' }), ms);
      this.#settle = (outcome) => {
        clearTimeout(timer);
        this.#settle = () => undefined;
        resolve(outcome);
      };
      if (this.#exited !== undefined) this.#settle({ kind: 'exit', reason: this.#exited });
    });
  }

  #closingLines(requestId: string, ending: Ending, ms: number): string {
    const memory = 'memory' in ending ? ending.memory : this.fn.memory;
    const init = this.#initMs === undefined ? '' : `Init Duration: ${this.#initMs.toFixed(2)} ms\t`;
    this.#initMs = undefined;
    return (
      `${lostLine(requestId, ending, this.fn.timeout)}END RequestId: ${requestId}\n` +
      `REPORT RequestId: ${requestId}\tDuration: ${ms.toFixed(2)} ms\tBilled Duration: ${Math.ceil(ms)} ms\t` +
      `Memory Size: ${this.fn.memory} MB\tMax Memory Used: ${memory} MB\t${init}\n`
    );
  }
}

function lostPayload(requestId: string, ending: Outcome, seconds: number): string {
  const [errorType, text] =
    ending.kind === 'exit'
      ? ['Runtime.ExitError', ending.reason]
      : ['Sandbox.Timedout', `Task timed out after ${seconds.toFixed(2)} seconds`];
  const prefix = requestId ? `RequestId: ${requestId} ` : '';
  return JSON.stringify({ errorType, errorMessage: `${prefix}Error: ${text}` });
}

function lostLine(requestId: string, ending: Ending, seconds: number): string {
  if (ending.kind === 'exit') return `RequestId: ${requestId} Error: ${ending.reason}\nRuntime.ExitError\n`;
  if (ending.kind !== 'timeout') return '';
  return `${new Date().toISOString()} ${requestId} Task timed out after ${seconds.toFixed(2)} seconds\n\n`;
}

function handlerSetup(fn: LambdaFunction, version: FunctionVersion): HandlerSetup {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    file: version.file,
    functionName: fn.name,
    functionVersion: version.version,
    memoryLimitInMB: String(fn.memory),
    logStreamName: `${day}/[${version.version}]${randomBytes(16).toString('hex')}`,
    raw: fn.raw,
    durableSdk: fn.durable === undefined ? undefined : workerUrl('durable-sdk.mts').href
  };
}

/** The environment variables of Lambda's runtime, without those of this server. */
function environment(fn: LambdaFunction, version: FunctionVersion, region: string): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memory),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC'
  };
}
