import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { invalid, memberOf, reasonOf, textOf } from './errors';
import { withoutMark } from './json';

/** Where a typed field's value comes from: Node-RED's own names for it. */
export type ValueType = 'msg' | 'flow' | 'global' | 'env' | 'jsonata' | 'str' | 'num' | 'bool' | 'json';

/** A typed field as a flow stores it: `x` and `xType`. A literal may also be stored as what it stands for. */
export interface StoredValue {
  value: unknown;
  type: string;
}

/** A value that was waited for, in an object of its own: it may have a `then` itself, which a promise would call. */
export interface Found {
  value: unknown;
}

/** Gives a field's value, `undefined` where there is none. What it throws, or rejects with, can be anything. */
export type Reader = {
  /** Where the value comes from, in words: for the text of errors. */
  readonly origin: string;
} & (
  | { readonly constant: unknown }
  | { now(msg: NodeMessage): unknown }
  // Nothing in Node-RED catches what a callback throws, so these only pass on what they get.
  | { later(msg: NodeMessage): Promise<Found> }
);

/** Types of a value that stands in the node itself. */
export const literals: ReadonlySet<string> = new Set(['str', 'num', 'bool', 'json']);

/** The reader of a value that the node itself holds. */
export const constant = (value: unknown): Reader => ({ origin: 'the node', constant: value });

function numberLiteral(name: string, text: string): number {
  const number = Number(text);
  if (Number.isNaN(number)) throw invalid(name, `must be a number, but is ${JSON.stringify(text)}.`);
  return number;
}

/** What a literal stands for. Throws `InvalidValue` for text that is no number, or no JSON. */
export function literal(name: string, { value, type }: StoredValue): unknown {
  // Node-RED puts a variable in for a text that is one as a whole: one that holds a number stands for its text.
  if (type === 'str' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  if (typeof value !== 'string') return value;
  if (type === 'num') return numberLiteral(name, value);
  if (type === 'bool') return /^true$/i.test(value);
  if (type !== 'json') return value;
  try {
    return JSON.parse(withoutMark(value));
  } catch (error) {
    throw invalid(name, `is no valid JSON: ${(error as Error).message}.`);
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
    throw invalid(name, `: "${origin}" is no valid path into a message.`);
  }
  if (isPlainPath(parts)) {
    const plain = parts;
    return { origin, now: (msg) => follow(msg, plain) };
  }
  return {
    origin,
    now: (msg) => {
      try {
        return RED.util.getMessageProperty(msg, path);
      } catch {
        return undefined;
      }
    }
  };
}

/** JSONata throws plain objects; `secret` fields must not quote what the expression was working on. */
function expressionError(name: string, secret: boolean, thrown: unknown): Error {
  const reason = secret ? textOf(memberOf(thrown, 'code') ?? 'an error') : reasonOf(thrown);
  return invalid(name, `: the JSONata expression failed: ${reason}.`);
}

/** Functions and patterns are values to JSONata; written as JSON they would be its own workings. */
const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));

/** A function of Node-RED that calls back, with an error or with a value. */
const calledBack = (
  call: (callback: (error: unknown, value: unknown) => void) => void
): Promise<Found & { error: unknown }> => new Promise((resolve) => call((error, value) => resolve({ error, value })));

function expressionReader(RED: NodeAPI, node: Node, name: string, expression: string, secret: boolean): Reader {
  let prepared: ReturnType<NodeAPI['util']['prepareJSONataExpression']>;
  try {
    prepared = RED.util.prepareJSONataExpression(expression, node);
  } catch (error) {
    throw expressionError(name, false, error);
  }
  return {
    origin: 'the JSONata expression',
    async later(msg) {
      const found = await calledBack((callback) => RED.util.evaluateJSONataExpression(prepared, msg, callback));
      if (found.error !== null) throw expressionError(name, secret, found.error);
      if (isFunction(found.value)) throw invalid(name, ': the JSONata expression gives a function, not a value.');
      return found;
    }
  };
}

/** Context stores may be asynchronous, so their values are always asked for with a callback. */
function contextReader(RED: NodeAPI, node: Node, name: string, { value, type }: StoredValue): Reader {
  const path = String(value);
  return {
    origin: `${type}.${path}`,
    async later(msg) {
      const found = await calledBack((callback) => RED.util.evaluateNodeProperty(path, type, node, msg, callback));
      if (found.error) {
        throw invalid(name, `: ${type}.${path} cannot be read: ${reasonOf(found.error)}.`);
      }
      return found;
    }
  };
}

/** Node-RED gives an empty text for a variable that is not set: the two are the same thing here. */
function environmentReader(RED: NodeAPI, node: Node, path: string): Reader {
  return {
    origin: `the environment variable ${path}`,
    now: (msg) => {
      const value: unknown = RED.util.evaluateNodeProperty(path, 'env', node, msg);
      return value === '' ? undefined : value;
    }
  };
}

/**
 * Makes the reader of a typed field, once: expressions are compiled and paths parsed here, not for each message.
 * Throws `InvalidValue` when the expression, path or literal is malformed.
 */
export function compileValue(RED: NodeAPI, node: Node, name: string, stored: StoredValue, secret = false): Reader {
  const { value, type } = stored;
  if (value === '' || value === undefined || value === null) return constant(undefined);
  if (secret && literals.has(type)) throw invalid(name, 'must not stand in the flow itself: take it from the message.');
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
      throw invalid(name, `: "${type}" is no type of value that this field takes.`);
  }
}

/** Characters of a property that may name variables: the time that Node-RED takes grows with the square of them. */
const longestNaming = 4096;

/** Whether a property names variables, as `${NAME}`. */
export const namesVariable = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= longestNaming &&
  /\$\{[^}]/.test(value.slice(0, value.lastIndexOf('}') + 1));

/** Puts environment variables in for each `${NAME}` of a plain property, as Node-RED does for a whole one. */
export function substituteEnv(RED: NodeAPI, node: Node, value: unknown): unknown {
  return namesVariable(value) ? RED.util.evaluateNodeProperty(value, 'env', node, {}) : value;
}

/** Whether a value that a node got from the flow is that of a variable, which Node-RED has put in for its name. */
export function isOfVariable(RED: NodeAPI, node: Node, name: string, value: unknown): boolean {
  if (namesVariable(value)) return true;
  // What is inside a subflow has an id of its own for each instance.
  const { id, _alias = id } = node as Node & { _alias?: string };
  let found = false;
  RED.nodes.eachNode((each) => {
    const stored: unknown = each.id === _alias ? (each as unknown as Record<string, unknown>)[name] : undefined;
    if (namesVariable(stored)) found = substituteEnv(RED, node, stored) === value;
  });
  return found;
}
