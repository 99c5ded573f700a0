/**
 * Evaluates JSONata expressions as Node-RED does, in a worker of its own: the page ends it when an expression takes too long.
 * Bundled with JSONata into a file that is loaded with the first preview.
 */
import jsonata from 'jsonata';
import { type Outcome, type Question, ready } from './evaluation';

/** Functions of Node-RED that need a running flow, or what only the runtime has. */
const ofRuntime = ['env', 'flowContext', 'globalContext', 'moment'];

/** The most characters of a result that are shown, and of one that is shown on one line. */
const longestResult = 1000;
const longestLine = 60;

/** Is thrown where an expression calls one of them. */
class OfRuntime {
  constructor(readonly name: string) {}
}

interface BufferAsJson {
  readonly type: 'Buffer';
  readonly data: number[];
}

const isBuffer = (value: unknown): value is BufferAsJson => {
  const { type, data } = (value ?? {}) as Partial<BufferAsJson>;
  return type === 'Buffer' && Array.isArray(data);
};

/** A copy of a message in which Buffers are bytes, as they are in the runtime. */
const withBuffers = (message: unknown): unknown =>
  JSON.parse(JSON.stringify(message), (_, value) => (isBuffer(value) ? Uint8Array.from(value.data) : value));

/** Bytes as the JSON of a Buffer. */
const asJson = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { type: 'Buffer', data: [...value] } : value;

/** JSON of functions and patterns would be an internal structure of JSONata. */
const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));

/** Node-RED's old way, by which the message is `msg` in the expression. */
const namesMsg = (expression: string): boolean => /(^|[^a-zA-Z0-9_'".])msg([^a-zA-Z0-9_'"]|$)/.test(expression);

/** JSON over several lines, but lists of numbers, which Buffers have, on one each. */
const inLines = (value: unknown): string =>
  JSON.stringify(value, asJson, 2).replace(/\[\n[-+\d\s.,e]+\]/g, (numbers) => numbers.replace(/\s+/g, ''));

function outcomeOf(value: unknown): Outcome {
  if (isFunction(value)) return { kind: 'function' };
  const line = JSON.stringify(value, asJson);
  if (line === undefined) return { kind: 'nothing' };
  const text = line.length > longestLine ? inLines(value) : line;
  return { kind: 'value', text: text.length > longestResult ? `${text.slice(0, longestResult)}…` : text };
}

function failureOf(thrown: unknown): Outcome {
  if (thrown instanceof OfRuntime) return { kind: 'runtime', text: thrown.name };
  const { message, code } = (thrown ?? {}) as { message?: unknown; code?: unknown };
  return { kind: 'failed', text: String(message ?? code ?? thrown).slice(0, longestResult) };
}

async function evaluate({ expression, message }: Question): Promise<Outcome> {
  try {
    const prepared = jsonata(expression);
    for (const name of ofRuntime) {
      prepared.assign(name, () => {
        throw new OfRuntime(name);
      });
    }
    prepared.registerFunction('clone', (value: unknown) => structuredClone(value), '<(oa)-:o>');
    const input = withBuffers(message);
    return outcomeOf(await prepared.evaluate(namesMsg(expression) ? { msg: input } : input));
  } catch (thrown) {
    return failureOf(thrown);
  }
}

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  evaluate(data).then(
    (outcome) => postMessage(outcome),
    () => postMessage({ kind: 'unavailable' })
  );
});
postMessage(ready);
