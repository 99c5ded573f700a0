import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { ActionError, invalid, missing } from './errors';
import type { Field, Fields, Inputs } from './fields';
import type { Reader, StoredValue, ValueType } from './values';
import { compileValue, constant, substituteEnv } from './values';

/** A node's properties as the flow holds them. */
export type Config = NodeDef & Record<string, unknown>;

/** Gives a field's checked value for a message, or a promise of it; throws, or rejects, with what is wrong with it. */
export type Read = (msg: NodeMessage) => unknown;

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
  if (origin === 'the node') return missing(`${name} is required, but is empty.`);
  return field.control === 'credentials'
    ? missing(`${name} is set, but ${origin} has no value; the account's own sign-in is not used in its place.`)
    : missing(`${name} is required, but ${origin} has no value.`);
}

/** Turns what a source gave into what `run` gets. */
function finish(name: string, field: Field, required: boolean, origin: string, value: unknown): unknown {
  if (isAbsent(value, field, required)) {
    if (required) throw absent(name, field, origin);
    return undefined;
  }
  if (!field.many || !Array.isArray(value)) return field.check(value, name);
  if (value.length === 0) throw invalid(`${name} must name at least one target, but is an empty array.`);
  // A copy: the flow may go on changing its array, and holes in it are targets too.
  return Array.from(value);
}

interface Source {
  reader: Reader;
  required: boolean;
}

function sourceOf(RED: NodeAPI, node: Node, config: Config, name: string, field: Field): Source {
  const { required } = field;
  const [type] = field.types ?? [];
  if (!type) return { reader: constant(substituteEnv(RED, node, config[name] ?? field.value)), required };
  const stored = storedValue(config, name, field, type);
  // Credentials that are set and resolve to nothing must not stand for the account's own.
  const set = field.control === 'credentials' && stored.value !== '';
  return { reader: compileValue(RED, node, name, stored, field.secret), required: required || set };
}

/** The same error anew for each message: one object must not be reported twice. */
const failing =
  ({ name, message }: Error): Read =>
  () => {
    throw new ActionError(name, message);
  };

/** Makes the reader of one field, once. What is wrong with the field itself is said for each message that meets it. */
export function compileField(RED: NodeAPI, node: Node, config: Config, name: string, fields: Fields): Read {
  const field = fields[name] as Field;
  if (!isActive(field, config, fields)) return () => (field.value === '' ? undefined : field.value);
  try {
    const { reader, required } = sourceOf(RED, node, config, name, field);
    const accept = (value: unknown) => finish(name, field, required, reader.origin, value);
    if (reader.constant) {
      const value = accept(reader.constant.value);
      return () => value;
    }
    return (msg) => {
      const value = reader(msg);
      return value instanceof Promise ? value.then(accept) : accept(value);
    };
  } catch (problem) {
    return failing(problem as Error);
  }
}

/** Reads and checks all fields of a node that takes none of them from a message. Throws `MissingValue` or `InvalidValue`. */
export function readAll<F extends Fields>(RED: NodeAPI, node: Node, config: Config, fields: F): Inputs<F> {
  const entries = Object.keys(fields).map((name) => [name, compileField(RED, node, config, name, fields)({})]);
  return Object.fromEntries(entries) as Inputs<F>;
}
