import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { invalid } from './errors';
import { withoutMark } from './json';
import { memberOf, reasonOf, textOf } from './thrown';

/** The type of a typed field's value, by Node-RED's names. */
export type ValueType = 'msg' | 'flow' | 'global' | 'env' | 'jsonata' | 'str' | 'num' | 'bool' | 'json';

/** A typed field as a flow stores it: `x` and `xType`. A literal may be stored as text or as its value. */
export interface StoredValue {
  value: unknown;
  type: string;
}

/** A value in a promise. In an object, since a promise would call its `then` if it had one. */
interface Found {
  value: unknown;
}

/** Reads the value of a field; `undefined` if there is none. May throw, or reject with, anything. */
export type Reader = {
  /** Where the value comes from, for the text of errors. */
  readonly origin: string;
} & (
  | { readonly constant: unknown }
  | { now(msg: NodeMessage): unknown }
  // With callbacks, which must not throw: nothing in Node-RED would catch it.
  | { later(msg: NodeMessage): Promise<Found> }
);

/** The types of values that are in the node itself. */
export const literals: ReadonlySet<string> = new Set(['str', 'num', 'bool', 'json']);

/** The reader of a value that is in the node itself. */
export const constant = (value: unknown): Reader => ({ origin: 'the node', constant: value });

function numberLiteral(name: string, text: string): number {
  const number = Number(text);
  if (Number.isNaN(number)) throw invalid(name, `must be a number, but is ${JSON.stringify(text)}.`);
  return number;
}

/**
 * The value of a literal. Throws `InvalidValue` for text that is not a number or not JSON, for a secret in the flow, and for a
 * type that is none of ours.
 */
export function literal(name: string, { value, type }: StoredValue, secret = false): unknown {
  if (!literals.has(type)) throw invalid(name, `: "${type}" is not a type of value that this field accepts.`);
  if (secret) throw invalid(name, 'must not stand in the flow itself: take it from the message.');
  // Node-RED replaces `${NAME}` by the variable, which it may have converted to a number or a boolean.
  if (type === 'str' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  if (typeof value !== 'string') return value;
  if (type === 'num') return numberLiteral(name, value);
  if (type === 'bool') return /^true$/i.test(value);
  if (type !== 'json') return value;
  try {
    return JSON.parse(withoutMark(value));
  } catch (error) {
    throw invalid(name, `is not valid JSON: ${memberOf(error, 'message')}.`);
  }
}

/** Whether a path has no `[msg.x]` in it, which has to be resolved for each message. */
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
    throw invalid(name, `: "${origin}" is not a valid path in a message.`);
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

/**
 * The error for what JSONata has thrown, a plain object. Its message quotes values, which must not happen for secrets.
 */
function expressionError(name: string, secret: boolean, thrown: unknown): Error {
  const reason = secret ? textOf(memberOf(thrown, 'code') ?? 'an error') : reasonOf(thrown);
  return invalid(name, `: the JSONata expression failed: ${reason}.`);
}

/** Whether a result of JSONata is a function or a pattern: as JSON it would be an internal structure of JSONata. */
const isFunction = (value: unknown): boolean =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));

/** Calls a function of Node-RED that takes a callback. Never rejects. */
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

/** Context stores may be asynchronous, so they are always read with a callback. */
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

/** Node-RED returns empty text for a variable that is not set, so empty and not set are the same. */
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
 * Makes the reader of a typed field. Expressions and paths are parsed here, once per node and not for each message. Throws
 * `InvalidValue` if the expression, path or literal is malformed.
 */
export function compileValue(RED: NodeAPI, node: Node, name: string, stored: StoredValue, secret = false): Reader {
  const { value, type } = stored;
  if (value === '' || value === undefined || value === null) return constant(undefined);
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
    default:
      return constant(literal(name, stored, secret));
  }
}

/** The most characters of a property in which variables are replaced: Node-RED takes time with their square. */
const longestNaming = 4096;

/** Whether a property contains environment variables, as `${NAME}`. */
export const namesVariable = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= longestNaming &&
  /\$\{[^}]/.test(value.slice(0, value.lastIndexOf('}') + 1));

/**
 * Replaces each `${NAME}` in a plain property by the environment variable; Node-RED does so only for a whole property.
 */
export function substituteEnv(RED: NodeAPI, node: Node, value: unknown): unknown {
  return namesVariable(value) ? RED.util.evaluateNodeProperty(value, 'env', node, {}) : value;
}

/** A node as it stands in the flow, where Node-RED has not replaced `${NAME}` by its value; walks all nodes to find it. */
export function storedNode(RED: NodeAPI, node: Node): Readonly<Record<string, unknown>> {
  // Nodes in a subflow have an ID for each instance; `_alias` is that in the template.
  const { id, _alias = id } = node as Node & { _alias?: string };
  let stored = {};
  RED.nodes.eachNode((each) => {
    if (each.id === _alias) stored = each;
  });
  return stored;
}

/**
 * Whether a property is that of an environment variable, also if Node-RED has already replaced `${NAME}` by its value.
 *
 * @param stored the node as it stands in the flow
 */
export function isOfVariable(
  RED: NodeAPI,
  node: Node,
  name: string,
  value: unknown,
  stored = storedNode(RED, node)
): boolean {
  return namesVariable(value) || (namesVariable(stored[name]) && substituteEnv(RED, node, stored[name]) === value);
}
