import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { invalid } from './errors';

/** Where a typed field's value comes from: Node-RED's own names for it. */
export type ValueType = 'msg' | 'flow' | 'global' | 'env' | 'jsonata' | 'str' | 'num' | 'bool' | 'json';

/** A typed field as a flow stores it: `x` and `xType`. A literal may also be stored as what it stands for. */
export interface StoredValue {
  value: unknown;
  type: string;
}

/**
 * Gives a field's value for a message, `undefined` where there is none. It throws, or rejects, with `InvalidValue`
 * for a value that cannot be read at all.
 */
export interface Reader {
  (msg: NodeMessage): unknown;
  /** The value where it is the same for every message. */
  readonly constant?: { value: unknown };
  /** Where the value comes from, in words: for the text of errors. */
  readonly origin: string;
}

const literals = new Set(['str', 'num', 'bool', 'json']);

const reader = (origin: string, read: (msg: NodeMessage) => unknown): Reader => Object.assign(read, { origin });

/** The reader of a value that the node itself holds. */
export const constant = (value: unknown): Reader =>
  Object.assign(() => value, { origin: 'the node', constant: { value } });

function numberLiteral(name: string, text: string): number {
  const number = Number(text);
  if (Number.isNaN(number)) throw invalid(`${name} must be a number, but is ${JSON.stringify(text)}.`);
  return number;
}

function literal(name: string, { value, type }: StoredValue): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'num') return numberLiteral(name, value);
  if (type === 'bool') return /^true$/i.test(value);
  if (type !== 'json') return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    throw invalid(`${name} is no valid JSON: ${(error as Error).message}.`);
  }
}

/** Whether a path is plain: no `[msg.x]` inside that only a message can resolve. */
const isPlainPath = (parts: unknown[]): parts is Array<string | number> =>
  parts.every((part) => typeof part === 'string' || typeof part === 'number');

function follow(msg: NodeMessage, parts: Array<string | number>): unknown {
  let value: unknown = msg;
  for (const part of parts) {
    if (value === undefined || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function messageReader(RED: NodeAPI, name: string, path: string): Reader {
  const origin = `msg.${path.replace(/^msg\./, '')}`;
  let parts: unknown[];
  try {
    parts = RED.util.normalisePropertyExpression(path.replace(/^msg\./, ''));
  } catch {
    throw invalid(`${name}: "${origin}" is no valid path into a message.`);
  }
  if (isPlainPath(parts)) {
    const plain = parts;
    return reader(origin, (msg) => follow(msg, plain));
  }
  return reader(origin, (msg) => {
    try {
      return RED.util.getMessageProperty(msg, path);
    } catch {
      return undefined;
    }
  });
}

/** JSONata throws plain objects; `secret` fields must not quote what the expression was working on. */
function expressionError(name: string, secret: boolean, thrown: unknown): Error {
  const { message, code } = thrown as { message?: string; code?: string };
  const reason = secret ? (code ?? 'an error') : (message ?? code ?? String(thrown));
  return invalid(`${name}: the JSONata expression failed: ${reason.replace(/[.\s]+$/, '')}.`);
}

/** Functions and patterns are values to JSONata; written as JSON they would be its own workings. */
const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));

function expressionReader(RED: NodeAPI, node: Node, name: string, expression: string, secret: boolean): Reader {
  let prepared: ReturnType<NodeAPI['util']['prepareJSONataExpression']>;
  try {
    prepared = RED.util.prepareJSONataExpression(expression, node);
  } catch (error) {
    throw expressionError(name, false, error);
  }
  return reader(
    'the JSONata expression',
    (msg) =>
      new Promise((resolve, reject) => {
        RED.util.evaluateJSONataExpression(prepared, msg, (error, value: unknown) => {
          if (error) reject(expressionError(name, secret, error));
          else if (isFunction(value)) reject(invalid(`${name}: the JSONata expression gives a function, not a value.`));
          else resolve(value);
        });
      })
  );
}

/** Context stores may be asynchronous, so their values are always asked for with a callback. */
function contextReader(RED: NodeAPI, node: Node, name: string, { value, type }: StoredValue): Reader {
  const path = String(value);
  return reader(
    `${type}.${path}`,
    (msg) =>
      new Promise((resolve, reject) => {
        RED.util.evaluateNodeProperty(path, type, node, msg, (error, found: unknown) =>
          error ? reject(invalid(`${name}: ${type}.${path} cannot be read: ${error.message}.`)) : resolve(found)
        );
      })
  );
}

/** Node-RED gives an empty text for a variable that is not set: the two are the same thing here. */
function environmentReader(RED: NodeAPI, node: Node, path: string): Reader {
  return reader(`the environment variable ${path}`, (msg) => {
    const value: unknown = RED.util.evaluateNodeProperty(path, 'env', node, msg);
    return value === '' ? undefined : value;
  });
}

/**
 * Makes the reader of a typed field, once: expressions are compiled and paths parsed here, not for each message.
 * Throws `InvalidValue` when the expression, path or literal is malformed.
 */
export function compileValue(RED: NodeAPI, node: Node, name: string, stored: StoredValue, secret = false): Reader {
  const { value, type } = stored;
  if (value === '' || value === undefined || value === null) return constant(undefined);
  if (secret && literals.has(type))
    throw invalid(`${name} must not stand in the flow itself: take it from the message.`);
  switch (type) {
    case 'msg':
      return messageReader(RED, name, String(value));
    case 'flow':
    case 'global':
      return contextReader(RED, node, name, stored);
    case 'env':
      return environmentReader(RED, node, String(value));
    case 'jsonata':
      return expressionReader(RED, node, name, String(value), secret);
    case 'str':
    case 'num':
    case 'bool':
    case 'json':
      return constant(literal(name, stored));
    default:
      throw invalid(`${name}: "${type}" is no type of value that this field takes.`);
  }
}

/** Puts environment variables in for each `${NAME}` of a plain property, as Node-RED does for a whole one. */
export function substituteEnv(RED: NodeAPI, node: Node, value: unknown): unknown {
  if (typeof value !== 'string' || !/\$\{[^}]+\}/.test(value)) return value;
  return RED.util.evaluateNodeProperty(value, 'env', node, {});
}
