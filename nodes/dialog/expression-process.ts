/**
 * Evaluates one JSONata expression in a process of its own, by what Node-RED itself evaluates it with: who has started the process
 * ends it if that takes too long.
 */
import type { NodeAPI, NodeMessage } from 'node-red';
import { withBuffers } from './buffers';
import type { Answer, Question, Report, RuntimeFunction } from './expressions';

type Evaluating = Pick<NodeAPI['util'], 'evaluateJSONataExpression' | 'prepareJSONataExpression'>;
type Callback = (error: unknown, value?: unknown) => void;

const waiting = new Map<number, (answer: Answer) => void>();
let asked = 0;

const tell = (report: Report): void => {
  process.send?.(report);
};

/** Has the runtime call one of its functions. */
function askRuntime(name: RuntimeFunction, given: unknown[]): Promise<unknown> {
  asked += 1;
  const id = asked;
  tell({ id, name, given });
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ value, problem }) => {
      if (problem === undefined) resolve(withBuffers(value));
      else reject(new Error(problem));
    });
  });
}

const contextOf = (name: RuntimeFunction) => ({
  get: (key: unknown, store: unknown, callback: Callback): void => {
    askRuntime(name, [key, store]).then((value) => callback(null, value), callback);
  }
});

/** In place of the node. */
const node = { context: () => ({ flow: contextOf('flowContext'), global: contextOf('globalContext') }) };

const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));

function fail(thrown: unknown): void {
  const { message, code } = (thrown ?? {}) as { message?: unknown; code?: unknown };
  tell({ problem: String(message ?? code ?? thrown), code });
}

function evaluate({ expression, message }: Question): void {
  const util: Evaluating = require(process.argv[2] as string);
  const prepared = util.prepareJSONataExpression(expression, node as never);
  prepared.assign('env', (name: unknown) => askRuntime('env', [name]));
  util.evaluateJSONataExpression(prepared, withBuffers(message) as NodeMessage, (error: unknown, value: unknown) => {
    if (error) fail(error);
    // A function cannot leave the process.
    else tell({ value: isFunction(value) ? { _jsonata_lambda: true } : value });
  });
}

process.on('message', (given: Question | Answer) => {
  if ('id' in given) {
    waiting.get(given.id)?.(given);
    waiting.delete(given.id);
    return;
  }
  try {
    evaluate(given);
  } catch (thrown) {
    fail(thrown);
  }
});
