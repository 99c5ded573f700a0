import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { ActionError, FieldError, invalid, missing, unanswered, valueError } from './errors';
import type { Field, Fields, Inputs } from './fields';
import { fieldNamed, isShown } from './fields';
import type { Reader, StoredValue, ValueType } from './values';
import { compileValue, constant, isOfVariable, literals, substituteEnv } from './values';

/** The properties of a node as the flow has them. */
export type Config = NodeDef & Record<string, unknown>;

/**
 * Reads the value of a field for a message, checks it, and sets it in `inputs`. Returns a promise if the value has to be
 * waited for. Throws, or rejects with, `MissingValue`, `InvalidValue` or `Timeout`.
 */
export type Read = (msg: NodeMessage, inputs: Record<string, unknown>) => Promise<void> | undefined;

/** Whether the dialog shows a field: one that is not shown counts as blank. */
const isActive = (field: Field, config: Config, fields: Fields): boolean =>
  isShown(field, (name) => String(config[name] ?? fields[name]?.value));

function storedValue(config: Config, name: string, field: Field, type: ValueType): StoredValue {
  const value = config[name];
  if (value === undefined) return { value: field.value, type };
  return { value, type: String(config[`${name}Type`] ?? type) };
}

/** Empty text and `null` are absent as well, unless they are a value that the field can send. */
function isAbsent(value: unknown, field: Field, required: boolean): boolean {
  if (value === undefined) return true;
  if ((value !== '' && value !== null) || field.takesEmpty) return false;
  return (
    !required || field.secret === true || (value === '' && (field.control === 'text' || field.control === 'config'))
  );
}

function absent(name: string, field: Field, origin: string): ActionError {
  if (origin === 'the node') return missing(name, 'is required, but is empty.');
  return field.control === 'credentials'
    ? missing(name, `is set, but ${origin} has no value; the account's own sign-in is not used in its place.`)
    : missing(name, `is required, but ${origin} has no value.`);
}

/** What is known about a value. */
interface ValueContext {
  required: boolean;
  /** Whether it is text that was typed in the dialog. */
  typed: boolean;
  /** Where it comes from, in words. */
  origin: string;
}

/** The most targets of one message; more are taken for a mistake. */
const mostTargets = 1000;

/** Checks the value of a field. Throws `InvalidValue`, also if reading the value throws something else. */
export function checkValue(name: string, field: Field, value: unknown): unknown {
  try {
    return field.check(value, name);
  } catch (thrown) {
    throw valueError(name, thrown, field.secret);
  }
}

/** Checks and converts a value to what `run` gets. Throws `MissingValue` or `InvalidValue`. */
export function toInput(
  name: string,
  field: Field,
  { required, typed, origin }: ValueContext,
  value: unknown
): unknown {
  if (isAbsent(value, field, required)) {
    if (required) throw absent(name, field, origin);
    return undefined;
  }
  if (!field.many || !Array.isArray(value)) return field.check(value, name, typed);
  const { length } = value;
  if (length === 0) throw invalid(name, 'must name at least one target, but is an empty array.');
  if (length > mostTargets) throw invalid(name, `may name at most ${mostTargets} targets, but names ${length}.`);
  // A copy, since the flow may change its array later. Holes in it are targets as well, and fail.
  return Array.from({ length }, (_, index): unknown => value[index]);
}

/** The reader of a field's value, and the function that checks and converts it. */
interface Source {
  reader: Reader;
  accept(value: unknown): unknown;
}

/** Throws `InvalidValue` if the property in the flow is not valid, such as a malformed expression. */
function sourceOf(RED: NodeAPI, node: Node, config: Config, name: string, fields: Fields): Source {
  const field = fieldNamed(fields, name);
  const [type] = field.types ?? [];
  const source = (reader: Reader, required = field.required, typed = false): Source => {
    const context = { required, typed, origin: reader.origin };
    return { reader, accept: (value) => toInput(name, field, context, value) };
  };
  if (!isActive(field, config, fields)) {
    return { reader: constant(field.value === '' ? undefined : field.value), accept: (value) => value };
  }
  if (!type) return source(constant(substituteEnv(RED, node, config[name] ?? field.value)));
  const stored = storedValue(config, name, field, type);
  // If credentials are set but resolve to nothing, the account's own must not be used instead.
  const set = field.control === 'credentials' && stored.value !== '';
  return source(compileValue(RED, node, name, stored, field.secret), field.required || set, stored.type === 'str');
}

/** Whether a field's value comes from an environment variable. */
function comesFromVariable(RED: NodeAPI, node: Node, config: Config, name: string, { types }: Field): boolean {
  const type = types && String(config[`${name}Type`] ?? types[0]);
  if (type === 'env') return true;
  return (type === undefined || literals.has(type)) && isOfVariable(RED, node, name, config[name]);
}

/**
 * The error for whatever was thrown about the value of a field. Values of variables and of secret fields are not
 * quoted.
 */
function fieldError(
  RED: NodeAPI,
  node: Node,
  config: Config,
  name: string,
  field: Field,
  thrown: unknown
): ActionError {
  const error = valueError(name, thrown, field.secret);
  const isQuoted = error instanceof FieldError && error.name === 'InvalidValue';
  return isQuoted && comesFromVariable(RED, node, config, name, field) ? error.unquoted() : error;
}

/** Fails for each message, with a copy of the error: one object must not be reported twice. */
const failing =
  (problem: Error): Read =>
  () => {
    throw problem instanceof FieldError ? problem.copy() : new ActionError(problem.name, problem.message);
  };

/** The longest time that a context store or a JSONata expression may take, ms. */
const longestReading = 60_000;

/** Rejects with `Timeout` if a value does not come in time. */
function inTime<T>(name: string, origin: string, reading: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const text = `cannot be read: ${origin} gave no value within ${longestReading / 1000} s; nothing was sent.`;
    const timer = setTimeout(() => reject(unanswered(name, text)), longestReading);
    reading.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function readerOf(name: string, { reader, accept }: Source, wrong: (thrown: unknown) => ActionError): Read {
  if ('constant' in reader) {
    const value = accept(reader.constant);
    return (_, inputs) => {
      inputs[name] = value;
    };
  }
  if ('now' in reader) {
    return (msg, inputs) => {
      try {
        inputs[name] = accept(reader.now(msg));
      } catch (thrown) {
        throw wrong(thrown);
      }
    };
  }
  return async (msg, inputs) => {
    try {
      const { value } = await inTime(name, reader.origin, reader.later(msg));
      inputs[name] = accept(value);
    } catch (thrown) {
      throw wrong(thrown);
    }
  };
}

/** Makes the reader of a field, once per node. If the property in the flow is not valid, it fails for each message. */
export function compileField(RED: NodeAPI, node: Node, config: Config, name: string, fields: Fields): Read {
  const field = fieldNamed(fields, name);
  const wrong = (thrown: unknown) => fieldError(RED, node, config, name, field, thrown);
  try {
    return readerOf(name, sourceOf(RED, node, config, name, fields), wrong);
  } catch (problem) {
    return failing(wrong(problem));
  }
}

/**
 * The value of a field if no message decides it; `undefined` if one may. A value that is not valid counts as absent, since
 * nothing is sent then.
 */
export function knownValue(
  RED: NodeAPI,
  node: Node,
  config: Config,
  name: string,
  fields: Fields
): { value: unknown } | undefined {
  const type = config[`${name}Type`] ?? fields[name]?.types?.[0];
  try {
    const { reader, accept } = sourceOf(RED, node, config, name, fields);
    if ('constant' in reader) return { value: accept(reader.constant) };
    return 'now' in reader && type === 'env' ? { value: accept(reader.now({ _msgid: '' })) } : undefined;
  } catch {
    return { value: undefined };
  }
}

/**
 * Reads and checks the fields of a node that takes none of them from messages. Throws `MissingValue` or `InvalidValue`.
 */
export function readAll<F extends Fields>(RED: NodeAPI, node: Node, config: Config, fields: F): Inputs<F> {
  const inputs: Record<string, unknown> = {};
  for (const [name, field] of Object.entries<Field>(fields)) {
    try {
      const { reader, accept } = sourceOf(RED, node, config, name, fields);
      if ('constant' in reader) inputs[name] = accept(reader.constant);
    } catch (thrown) {
      throw fieldError(RED, node, config, name, field, thrown);
    }
  }
  return inputs as Inputs<F>;
}
