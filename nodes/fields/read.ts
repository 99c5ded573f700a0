import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { ActionError, FieldError, invalid, missing, unanswered, valueError } from './errors';
import type { Field, Fields, Inputs } from './fields';
import type { Reader, StoredValue, ValueType } from './values';
import { compileValue, constant, isOfVariable, literals, substituteEnv } from './values';

/** A node's properties as the flow holds them. */
export type Config = NodeDef & Record<string, unknown>;

/**
 * Reads a field of a message, checks it, and puts it into the inputs under its name. Gives a promise where that has to be
 * waited for. Throws, or rejects, with `MissingValue` or `InvalidValue`.
 */
export type Read = (msg: NodeMessage, inputs: Record<string, unknown>) => Promise<void> | undefined;

/** Whether a field's conditions are met: one that is not shown is as if it were blank. */
const isActive = ({ when = {} }: Field, config: Config, fields: Fields): boolean =>
  Object.entries(when).every(([name, values]) => {
    const value = String(config[name] ?? fields[name]?.value);
    return values === 'filled' ? value !== '' : values.includes(value);
  });

function storedValue(config: Config, name: string, field: Field, type: ValueType): StoredValue {
  const value = config[name];
  if (value === undefined) return { value: field.value, type };
  return { value, type: String(config[`${name}Type`] ?? type) };
}

/** Empty text and `null` are absent too, except where they are a value that a required field can send. */
function isAbsent(value: unknown, field: Field, required: boolean): boolean {
  if (value === undefined) return true;
  if (value !== '' && value !== null) return false;
  return !required || field.secret === true || (value === '' && field.control === 'text');
}

function absent(name: string, field: Field, origin: string): ActionError {
  if (origin === 'the node') return missing(name, 'is required, but is empty.');
  return field.control === 'credentials'
    ? missing(name, `is set, but ${origin} has no value; the account's own sign-in is not used in its place.`)
    : missing(name, `is required, but ${origin} has no value.`);
}

/** What there is to know of a value beside itself. */
interface ValueContext {
  required: boolean;
  /** Whether it is text that was typed in the dialog. */
  typed: boolean;
  /** Where it comes from, in words. */
  origin: string;
}

/** Many targets of one message: beyond that it is taken for a mistake. */
const mostTargets = 1000;

/** Checks a value that a flow gave for a field. Throws `InvalidValue`, whatever looking at the value comes to. */
export function checkValue(name: string, field: Field, value: unknown): unknown {
  try {
    return field.check(value, name);
  } catch (thrown) {
    throw valueError(name, thrown, field.secret);
  }
}

/** Turns what a source gave into what `run` gets. */
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
  // A copy: the flow may go on changing its array, and holes in it are targets too.
  return Array.from({ length }, (_, index) => value[index] as unknown);
}

/** Where a field's value comes from, and what makes an input of it. */
interface Source {
  reader: Reader;
  accept(value: unknown): unknown;
}

/** Throws `InvalidValue` where what the flow holds of the field is malformed. */
function sourceOf(RED: NodeAPI, node: Node, config: Config, name: string, fields: Fields): Source {
  const field = fields[name] as Field;
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
  // Credentials that are set and resolve to nothing must not stand for the account's own.
  const set = field.control === 'credentials' && stored.value !== '';
  return source(compileValue(RED, node, name, stored, field.secret), field.required || set, stored.type === 'str');
}

/** Whether it is a variable that gives a field its value. */
function comesFromVariable(RED: NodeAPI, node: Node, config: Config, name: string, { types }: Field): boolean {
  const type = types && String(config[`${name}Type`] ?? types[0]);
  if (type === 'env') return true;
  return (type === undefined || literals.has(type)) && isOfVariable(RED, node, name, config[name]);
}

/** The error for what was thrown over the value of a field. What a variable or a secret field holds is not quoted. */
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

/** The same error anew for each message: one object must not be reported twice. */
const failing =
  (problem: Error): Read =>
  () => {
    throw problem instanceof FieldError ? problem.copy() : new ActionError(problem.name, problem.message);
  };

/** How long a context store, or an expression that waits for something, may take, ms. */
const longestReading = 60_000;

/** Rejects with `Timeout` where a value does not come. */
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

/** Makes the reader of one field, once. What is wrong with the field itself is said for each message that meets it. */
export function compileField(RED: NodeAPI, node: Node, config: Config, name: string, fields: Fields): Read {
  const wrong = (thrown: unknown) => fieldError(RED, node, config, name, fields[name] as Field, thrown);
  try {
    return readerOf(name, sourceOf(RED, node, config, name, fields), wrong);
  } catch (problem) {
    return failing(wrong(problem));
  }
}

/** Reads and checks all fields of a node that takes none of them from a message. Throws `MissingValue` or `InvalidValue`. */
export function readAll<F extends Fields>(RED: NodeAPI, node: Node, config: Config, fields: F): Inputs<F> {
  const inputs: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    try {
      const { reader, accept } = sourceOf(RED, node, config, name, fields);
      if ('constant' in reader) inputs[name] = accept(reader.constant);
    } catch (thrown) {
      throw fieldError(RED, node, config, name, fields[name] as Field, thrown);
    }
  }
  return inputs as Inputs<F>;
}
