import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';

/*
 * Runs in a worker thread and plays the Node.js runtime of Lambda: loads the handler, calls it once per message,
 * and reports in the runtime's own words. It has no dependencies, so that a cold start is fast: what durable functions
 * need is loaded for these only.
 */

export interface HandlerSetup {
  readonly file: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly memoryLimitInMB: string;
  readonly logStreamName: string;
  readonly raw: boolean;
  /** What a durable function gets for its SDK: a URL. */
  readonly durableSdk: string | undefined;
}

export interface HandlerCall {
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
  /** JSON texts. */
  readonly event: string;
  readonly clientContext: string | undefined;
  readonly tenantId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

/** A message to the server. `fatal`: the thread cannot be used any more. */
export type HandlerReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'result'; readonly payload: string; readonly memory: number }
  | { readonly kind: 'error'; readonly payload: string; readonly memory: number; readonly fatal: boolean };

type Handler = (event: unknown, context: Record<string, unknown>) => unknown;

const port = parentPort;
if (!port) throw new Error('This file runs in a worker thread only.');
const setup = workerData as HandlerSetup;
let requestId = 'undefined';

function report(message: HandlerReport): void {
  port?.postMessage(message);
}

function writeLine(level: string, text: string): void {
  report({ kind: 'log', text: `${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n` });
}

function redirectOutput(): void {
  const levels = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' } as const;
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...parts: unknown[]) => writeLine(level, format(...parts));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (text: unknown) => {
      report({ kind: 'log', text: String(text) });
      return true;
    };
  }
}

function describeError(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  const frames = (error.stack ?? '').split('\n').filter((line) => !/data:text\/javascript|node:internal/.test(line));
  return { errorType: error.name, errorMessage: asOnLambda(error.message), trace: frames.map(asOnLambda) };
}

/** Replaces the path of the code by /var/task, where it is in Lambda. */
function asOnLambda(text: string): string {
  const folder = path.dirname(setup.file);
  return text
    .replaceAll(pathToFileURL(setup.file).href, 'file:///var/task/index.mjs')
    .replaceAll(setup.file, '/var/task/index.mjs')
    .replaceAll(pathToFileURL(folder).href, 'file:///var/task')
    .replaceAll(folder, '/var/task');
}

function fail(description: ReturnType<typeof describeError> & Record<string, unknown>, line: string, fatal: boolean) {
  const { trace, ...rest } = description;
  writeLine('ERROR', `${line} \t${JSON.stringify({ ...rest, stack: trace })}`);
  report({ kind: 'error', payload: JSON.stringify(description), memory: usedMemory(), fatal });
}

function usedMemory(): number {
  return Math.ceil(process.memoryUsage().heapUsed / 2 ** 20);
}

/** A durable function finds its SDK by the package's name, as in Lambda, although it is not installed here. */
function offerDurableSdk(url: string): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@aws/durable-execution-sdk-js'
        ? { url, format: 'module', shortCircuit: true }
        : next(specifier, context)
  });
}

async function loadHandler(): Promise<Handler | undefined> {
  try {
    const { handler } = (await import(pathToFileURL(setup.file).href)) as { handler?: unknown };
    if (typeof handler === 'function') return handler as Handler;
    const errorMessage = 'index.handler is undefined or not exported';
    fail({ errorType: 'Runtime.HandlerNotFound', errorMessage, trace: [] }, 'Uncaught Exception', true);
  } catch (error) {
    const description = describeError(error);
    const code = (error as { code?: unknown } | undefined)?.code;
    if (error instanceof SyntaxError) description.errorType = 'Runtime.UserCodeSyntaxError';
    if (code === 'ERR_MODULE_NOT_FOUND') description.errorType = 'Runtime.ImportModuleError';
    fail(description, 'Uncaught Exception', true);
  }
  return undefined;
}

function makeContext(call: HandlerCall): Record<string, unknown> {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: setup.functionVersion,
    functionName: setup.functionName,
    memoryLimitInMB: setup.memoryLimitInMB,
    logGroupName: `/aws/lambda/${setup.functionName}`,
    logStreamName: setup.logStreamName,
    clientContext: call.clientContext === undefined ? undefined : JSON.parse(call.clientContext),
    identity: undefined,
    tenantId: call.tenantId,
    invokedFunctionArn: call.invokedFunctionArn,
    awsRequestId: call.awsRequestId,
    getRemainingTimeInMillis: () => Math.max(0, call.deadline - Date.now())
  };
}

function serialize(value: unknown): string {
  if (setup.raw) return String(value);
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

async function invoke(handler: Handler, call: HandlerCall): Promise<void> {
  requestId = call.awsRequestId;
  try {
    const payload = serialize(await handler(JSON.parse(call.event), makeContext(call)));
    report({ kind: 'result', payload, memory: usedMemory() });
  } catch (error) {
    fail(describeError(error), 'Invoke Error', false);
  }
}

function reportUncaught(): void {
  process.on('uncaughtException', (error) => {
    fail(describeError(error), 'Uncaught Exception', true);
  });
  process.on('unhandledRejection', (reason) => {
    const { trace } = describeError(reason);
    const description = {
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: String(reason),
      reason: describeError(reason),
      promise: {},
      trace: [`Runtime.UnhandledPromiseRejection: ${String(reason)}`, ...trace.slice(1)]
    };
    fail(description, 'Unhandled Promise Rejection', true);
  });
}

redirectOutput();
reportUncaught();
if (setup.durableSdk !== undefined) offerDurableSdk(setup.durableSdk);
const handler = await loadHandler();
if (handler) {
  port.on('message', (call: HandlerCall) => void invoke(handler, call));
  report({ kind: 'ready' });
}
