import { invalid } from './errors';

const reader = (origin, read) => Object.assign(read, { origin });
function constant(origin, value) {
  return Object.assign(() => value, { origin, constant: { value } });
}
function literal(name, { value, type }) {
  if (typeof value !== 'string') return value;
  if (type === 'num') return Number(value);
  if (type === 'bool') return /^true$/i.test(value);
  if (type !== 'json') return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    throw invalid(`${name} is no valid JSON: ${error.message}.`);
  }
}
/** Whether a path is plain: no `[msg.x]` inside that only a message can resolve. */
const isPlainPath = (parts) => parts.every((part) => typeof part === 'string' || typeof part === 'number');
function follow(msg, parts) {
  let value = msg;
  for (const part of parts) {
    if (value === undefined || value === null) return undefined;
    value = value[part];
  }
  return value;
}
function messageReader(RED, name, path) {
  const origin = `msg.${path.replace(/^msg\./, '')}`;
  let parts;
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
function expressionError(name, secret, thrown) {
  const { message, code } = thrown;
  const reason = secret ? (code ?? 'an error') : (message ?? code ?? String(thrown));
  return invalid(`${name}: the JSONata expression failed: ${reason}.`);
}
function expressionReader(RED, node, name, expression, secret) {
  let prepared;
  try {
    prepared = RED.util.prepareJSONataExpression(expression, node);
  } catch (error) {
    throw expressionError(name, false, error);
  }
  return reader(
    'the JSONata expression',
    (msg) =>
      new Promise((resolve, reject) => {
        RED.util.evaluateJSONataExpression(prepared, msg, (error, value) =>
          error ? reject(expressionError(name, secret, error)) : resolve(value)
        );
      })
  );
}
/** Context stores may be asynchronous, so their values are always asked for with a callback. */
function contextReader(RED, node, name, { value, type }) {
  const path = String(value);
  return reader(
    `${type}.${path}`,
    (msg) =>
      new Promise((resolve, reject) => {
        RED.util.evaluateNodeProperty(path, type, node, msg, (error, found) =>
          error ? reject(invalid(`${name}: ${type}.${path} cannot be read: ${error.message}.`)) : resolve(found)
        );
      })
  );
}
/** Node-RED gives an empty text for a variable that is not set: the two are the same thing here. */
function environmentReader(RED, node, path) {
  return reader(`the environment variable ${path}`, (msg) => {
    const value = RED.util.evaluateNodeProperty(path, 'env', node, msg);
    return value === '' ? undefined : value;
  });
}
/**
 * Makes the reader of a typed field, once: expressions are compiled and paths parsed here, not for each message.
 * Throws `InvalidValue` when the expression, path or literal is malformed.
 */
export function compileValue(RED, node, name, stored, secret = false) {
  const { value, type } = stored;
  if (value === '' || value === undefined || value === null) return constant('the node', undefined);
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
      return constant('the node', literal(name, stored));
    default:
      throw invalid(`${name}: "${type}" is no type of value that this field takes.`);
  }
}
/** Puts environment variables in for each `${NAME}` of a plain property, as Node-RED does for a whole one. */
export function substituteEnv(RED, node, value) {
  if (typeof value !== 'string' || !/\$\{[^}]+\}/.test(value)) return value;
  return RED.util.evaluateNodeProperty(value, 'env', node, {});
}
