/**
 * Has the expressions of a node that is tried evaluated in processes of their own: one that never ends, or takes all memory,
 * must not stop Node-RED. A thread would not do: where its memory does not suffice, the whole process ends.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { reasonOf } from '../fields/thrown';
import { withBuffers } from './buffers';

/** How long an expression may take, ms. */
const limit = 5000;
/** How much memory it may take, MB. */
const mostMemory = 256;

/** Functions of expressions that ask the runtime. */
export type RuntimeFunction = 'env' | 'flowContext' | 'globalContext';

export interface Question {
  readonly expression: string;
  readonly message: unknown;
}

/** What the process says: it calls a function of the runtime, or has a value, or an error. */
export type Report =
  | { readonly id: number; readonly name: RuntimeFunction; readonly given: unknown[] }
  | { readonly value: unknown }
  | { readonly problem: string; readonly code?: unknown };

/** What a function of the runtime has given, or its error. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: string;
}

interface Prepared extends Pick<Question, 'expression'> {
  readonly node: Node;
}

function callRuntime(RED: NodeAPI, node: Node, name: RuntimeFunction, given: unknown[]): Promise<unknown> {
  const [key, store] = given.map(String);
  if (name === 'env') return Promise.resolve(RED.util.evaluateNodeProperty(key ?? '', 'env', node, {}));
  const context = node.context()[name === 'flowContext' ? 'flow' : 'global'];
  return new Promise((resolve, reject) => {
    context.get(key ?? '', store, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
  });
}

/** Calls a function of the runtime for the process. Never rejects. */
async function answerTo(
  RED: NodeAPI,
  node: Node,
  { id, name, given }: Extract<Report, { name: string }>
): Promise<Answer> {
  try {
    return { id, value: await callRuntime(RED, node, name, given) };
  } catch (thrown) {
    return { id, problem: reasonOf(thrown) };
  }
}

/** The file by which this Node-RED evaluates expressions. Throws if it is not where it is in all that are supported. */
function evaluatingFile(): string {
  const found = Object.keys(require.cache).find((path) => /[\\/]@node-red[\\/]util[\\/]lib[\\/]util\.js$/.test(path));
  if (found === undefined) throw new Error('it cannot be evaluated apart from the flows in this Node-RED');
  return found;
}

/** The value of an expression. Rejects as JSONata does, and when it takes too long or too much memory. */
async function evaluate(
  RED: NodeAPI,
  { expression, node }: Prepared,
  message: NodeMessage,
  signal: AbortSignal
): Promise<unknown> {
  const child = fork(join(__dirname, 'expression-process.js'), [evaluatingFile()], {
    execArgv: [`--max-old-space-size=${mostMemory}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc']
  });
  const evaluated = new Promise((resolve, reject) => {
    const late = () => reject(new Error(`it takes more than ${limit / 1000} seconds, and may never end`));
    let timer: NodeJS.Timeout | undefined;
    // Not before it has begun, since the machine may be busy.
    child.once('spawn', () => {
      timer = setTimeout(late, limit);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error('it takes too much memory'));
    });
    child.on('error', reject);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    child.on('message', (report: Report) => {
      if ('name' in report)
        answerTo(RED, node, report)
          .then((answer) => child.send(answer, () => undefined))
          .catch(reject);
      else if ('problem' in report) reject({ message: report.problem, code: report.code });
      else resolve(report.value);
    });
    child.send({ expression, message } satisfies Question, (error) => error && reject(error));
  });
  return evaluated.finally(() => child.kill('SIGKILL'));
}

/** Node-RED for a node that is tried: the same, but for its expressions, which end with `signal` at the latest. */
export function withProcesses(RED: NodeAPI, signal: AbortSignal): NodeAPI {
  const util = Object.create(RED.util, {
    prepareJSONataExpression: { value: (expression: string, node: Node): Prepared => ({ expression, node }) },
    evaluateJSONataExpression: {
      value: (prepared: Prepared, message: NodeMessage, callback: (error: unknown, value: unknown) => void): void => {
        evaluate(RED, prepared, message, signal).then(
          (value) => callback(null, withBuffers(value)),
          (thrown: unknown) => callback(thrown, undefined)
        );
      }
    }
  });
  return Object.create(RED, { util: { value: util } });
}
