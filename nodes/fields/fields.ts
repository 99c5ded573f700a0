import { invalid } from './errors';
import { checkLength, isObject, parseJson, toJson } from './json';
import type { ValueType } from './values';

/** A condition: each named field has one of these values, or is not blank (`filled`). */
type Condition = Readonly<Record<string, readonly string[] | 'filled'>>;

/** The dialog shows a row only while a condition, or one of several, is met. */
export type When = Condition | readonly Condition[];

/** The conditions of a field; one of them has to be met. Without any, the field always counts. */
export const conditionsOf = ({ when = {} }: Pick<Field, 'when'>): readonly Condition[] => [when].flat();

/** Whether the dialog shows a field, by the values of others. */
export const isShown = (field: Pick<Field, 'when'>, heldBy: (name: string) => string): boolean =>
  conditionsOf(field).some((condition) =>
    Object.entries(condition).every(([name, values]) =>
      values === 'filled' ? heldBy(name) !== '' : values.includes(heldBy(name))
    )
  );

/** The lists that a dialog can offer beside a field. */
export type Offer =
  | 'collections'
  | 'functions'
  | 'people'
  | 'profiles'
  | 'qualifiers'
  | 'queues'
  | 'regions'
  | 'topics';

/**
 * One property of a node: how the editor shows it, and how the runtime checks it. The form, its defaults, its
 * validators and the runtime's reading all come from this description.
 */
export interface Field<T = unknown> {
  readonly control: 'text' | 'number' | 'json' | 'credentials' | 'choice' | 'flag' | 'secret' | 'config';
  /** The kinds of source that a typed field offers, the default one first; absent for a plain property. */
  readonly types?: readonly ValueType[];
  readonly value: string | number | boolean;
  readonly required: boolean;
  /** Whether `null` and empty text are values of a field that may be left out. */
  readonly takesEmpty?: true;
  /** Whether an array stands for many targets. At most one field of a node. */
  readonly many?: true;
  /** Whether the value is the label of a node without a name. */
  readonly names?: true | undefined;
  /** Kept in Node-RED's credential store, never in the flow. */
  readonly stored?: 'text' | 'password';
  /** Never quoted in an error. */
  readonly secret?: true;
  readonly options?: readonly string[] | undefined;
  /** The type of the config node whose ID it is. */
  readonly configType?: string;
  /** The list that the dialog offers; users may type any other value. */
  readonly offers?: Offer | undefined;
  /** The type in the help if the control does not say it, such as `seconds` or `array | string`. */
  readonly takes?: string | undefined;
  /** Whether it is a picture. */
  readonly picture?: true | undefined;
  /** A JSONata expression to begin with. */
  readonly example?: string | undefined;
  readonly pattern?: RegExp | undefined;
  readonly maxLength?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly integer?: boolean | undefined;
  readonly when?: When | undefined;
  /** Whether it is in the collapsed part of the form. */
  readonly advanced?: true | undefined;
  /** The part of the form that it is in, if that is another one. */
  readonly section?: 'keep' | undefined;
  /** The Font Awesome 4 name of the icon in front of the label. */
  readonly icon?: string | undefined;
  /**
   * Converts a value that is not absent. Throws `InvalidValue`, which names the field and the limit. `typed`: the value is
   * text that was typed in the dialog, where commas separate the elements of a list; elsewhere they are part of a name.
   */
  check(value: unknown, name: string, typed?: boolean): T;
  /** Throws if a value, or the lack of one, does not fit a target of the node, such as a FIFO queue. */
  besideTarget?(value: T | undefined, target: string): void;
  /**
   * Converts a checked value, or the lack of one, depending on the values of the other fields. Called once for all
   * targets of a message, before the flow can change the objects that it has passed. Throws if the values do not go
   * together. In a dialog `others` has only the values that are known there.
   */
  beside?(value: T | undefined, others: Readonly<Record<string, unknown>>): T | undefined;
}

export type Fields = Readonly<Record<string, Field>>;

/** The field of that name. Throws if there is none, which would be a mistake in the pack. */
export function fieldNamed(fields: Fields, name: string): Field {
  const field = fields[name];
  if (!field) throw new Error(`There is no field ${name}.`);
  return field;
}

/** The checked values of fields, by name. */
export type Inputs<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

type Layout = Pick<
  Field,
  'when' | 'advanced' | 'section' | 'icon' | 'offers' | 'takes' | 'picture' | 'example' | 'names'
>;
/** A typed field's default: its literal text, or a path with `from`. */
type Default = { value?: string; from?: ValueType };

const sources: readonly ValueType[] = ['msg', 'flow', 'global', 'env', 'jsonata'];
/** Whether a value of a type is not in the node itself. */
export const isSource = (type: string): boolean => sources.some((source) => source === type);

const preferring = (first: ValueType, ...literals: ValueType[]): ValueType[] => [
  first,
  ...[...literals, ...sources].filter((type) => type !== first)
];

/** The type of a value for the text of an error, such as `an array` or `a number`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  try {
    if (Array.isArray(value)) return 'an array';
    if (Buffer.isBuffer(value)) return 'a Buffer';
  } catch {
    // A revoked proxy.
  }
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** How many characters of a text are looked at in order to quote it. */
const mostLookedAt = 2000;

/** A URL without the user name and password that it may contain between `//` and the last `@`. */
function withoutPassword(text: string): string {
  const start = text.indexOf('//') + 2;
  const end = text.lastIndexOf('@');
  return start > 1 && end >= start ? `${text.slice(0, start)}***${text.slice(end)}` : text;
}

/** A short quote of a value for the text of an error. */
export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return kindOf(value);
  const text = withoutPassword(value.slice(0, mostLookedAt));
  return text.length > 60 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
}

interface TextLimits {
  pattern?: RegExp | undefined;
  /** What a valid text is, for errors: “must be …”, such as “a region such as eu-west-1”. */
  is?: string | undefined;
  maxLength?: number | undefined;
  /** Whether a number is accepted and becomes its digits. */
  numbers?: boolean | undefined;
}

function checkText(given: unknown, name: string, limits: TextLimits): string {
  const { pattern, is = 'text', maxLength = Infinity, numbers = false } = limits;
  const value = numbers && typeof given === 'number' ? String(given) : given;
  if (typeof value !== 'string') throw invalid(name, `must be ${is}, but is ${kindOf(value)}.`);
  if (value.length > maxLength) {
    throw invalid(name, `may have at most ${maxLength} characters, but has ${value.length}.`);
  }
  if (pattern && !pattern.test(value)) throw invalid(name, `must be ${is}, but is ${show(value)}.`);
  return value;
}

interface NumberLimits {
  min: number;
  max: number;
  integer?: boolean;
}

function checkNumber(value: unknown, name: string, { min, max, integer = false }: NumberLimits): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const fits = typeof number === 'number' && number >= min && number <= max && (!integer || Number.isInteger(number));
  if (!fits) {
    throw invalid(
      name,
      `must be a ${integer ? 'whole number' : 'number'} from ${min} to ${max}, but is ${show(value)}.`
    );
  }
  return number;
}

/** What plain and typed text have in common. */
const textual = ({ pattern, is, maxLength, numbers, ...layout }: TextLimits & Layout) => ({
  control: 'text' as const,
  value: '',
  required: true,
  pattern,
  maxLength,
  ...layout,
  check: (found: unknown, name: string) => checkText(found, name, { pattern, is, maxLength, numbers })
});

/** A typed field for text. */
export function text({ value = '', from = 'str', ...limits }: TextLimits & Default & Layout = {}): Field<string> {
  return { ...textual(limits), types: preferring(from, 'str'), value };
}

/** What plain and typed numbers have in common. */
const numeric = ({ min, max, integer = false, ...layout }: NumberLimits & Layout) => ({
  control: 'number' as const,
  required: true,
  min,
  max,
  integer,
  ...layout,
  check: (found: unknown, name: string) => checkNumber(found, name, { min, max, integer })
});

/** A typed field for a number; text that is a number is accepted. */
export function number({ value = '', from = 'num', ...limits }: NumberLimits & Default & Layout): Field<number> {
  return { ...numeric(limits), types: preferring(from, 'num'), value };
}

/** The types of literals that a field accepts. */
type Literals = { literals?: ValueType[] };

/** A typed field for any value that `check` converts. */
export function checked<T>(
  check: Field<T>['check'],
  { value = '', from = 'json', literals = ['json', 'str', 'num', 'bool'], ...layout }: Default & Layout & Literals = {}
): Field<T> {
  return { control: 'json', types: preferring(from, ...literals), value, required: true, ...layout, check };
}

/** A typed field for any value. */
export const json = (options: Default & Layout & Literals = {}): Field<unknown> => checked((found) => found, options);

/** A typed field whose value becomes JSON of about `most` bytes; text or a Buffer that is JSON stays as it is. */
export function jsonText(most: number, options: Default & Layout = {}): Field<string> {
  return checked((found, name) => toJson(found, name, most), options);
}

/** Keys that come with the message. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Most characters of credentials as JSON, or of one of the keys: they are sent in a header of each request. */
const longestCredentials = 65_536;

/** Checks credentials: an object, or its JSON, since an environment variable can only hold text. */
function checkCredentials(given: unknown, name: string): Credentials {
  if (typeof given === 'string') checkLength(given, name, longestCredentials);
  const value = typeof given === 'string' ? (parseJson(given)?.value ?? given) : given;
  if (!isObject(value)) {
    throw invalid(name, `must be an object {accessKeyId, secretAccessKey, sessionToken?}, but is ${kindOf(value)}.`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = value;
  const key = (text: unknown, member: string) => {
    if (typeof text !== 'string' || text === '') throw invalid(`${name}.${member}`, 'must be text that is not empty.');
    checkLength(text, `${name}.${member}`, longestCredentials);
    // Node.js refuses such characters in a header, but with an error that quotes them.
    if (!/^[\x21-\x7e]+$/.test(text)) throw invalid(`${name}.${member}`, 'must not hold blanks or control characters.');
    return text;
  };
  return {
    accessKeyId: key(accessKeyId, 'accessKeyId'),
    secretAccessKey: key(secretAccessKey, 'secretAccessKey'),
    ...(sessionToken !== undefined &&
      sessionToken !== null &&
      sessionToken !== '' && { sessionToken: key(sessionToken, 'sessionToken') })
  };
}

/** A typed field for credentials; never a literal, since secrets must not be in a flow file. */
export function credentials(layout: Layout = {}): Field<Credentials> {
  return {
    control: 'credentials',
    types: sources,
    value: '',
    required: true,
    secret: true,
    ...layout,
    check: checkCredentials
  };
}

/** A plain field for one of several options; the first is the default. */
export function choice<const O extends readonly [string, ...string[]]>(
  options: O,
  layout: Layout = {}
): Field<O[number]> {
  return {
    control: 'choice',
    value: options[0],
    required: true,
    options,
    ...layout,
    check(value, name) {
      const found = options.find((option) => option === value);
      if (found === undefined) throw invalid(name, `must be one of ${options.join(', ')}, but is ${show(value)}.`);
      return found;
    }
  };
}

/** A checkbox. */
export function flag(value: boolean, layout: Layout = {}): Field<boolean> {
  return {
    control: 'flag',
    value,
    required: true,
    ...layout,
    check(found, name) {
      if (typeof found === 'boolean') return found;
      if (found === 'true' || found === 'false') return found === 'true';
      throw invalid(name, `must be true or false, but is ${show(found)}.`);
    }
  };
}

/** A plain field for a number, which flows store as a number or as text. */
export const plainNumber = (value: number | '', limits: NumberLimits & Layout): Field<number> => ({
  ...numeric(limits),
  value
});

/** Node-RED converts the values of some environment variables to numbers and booleans; this undoes it. */
const asText = (found: unknown): unknown =>
  typeof found === 'number' || typeof found === 'boolean' ? String(found) : found;

/** A plain field for text, which may contain `${ENV}`. */
export function plainText(limits: TextLimits & Layout = {}): Field<string> {
  const field = textual(limits);
  return { ...field, check: (found, name) => field.check(asText(found), name) };
}

/** A plain field for the ID of a config node of a type. */
export const configNode = (configType: string, layout: Layout = {}): Field<string> => ({
  ...plainText(layout),
  control: 'config',
  configType
});

/** A field in Node-RED's credential store. Errors never quote its value. */
export function stored(kind: 'text' | 'password', limits: TextLimits & Layout = {}): Field<string> {
  const { pattern, is = 'text' } = limits;
  return {
    ...textual(limits),
    control: kind === 'password' ? 'secret' : 'text',
    stored: kind,
    secret: true,
    check(found, name) {
      const value = asText(found);
      if (typeof value !== 'string' || (pattern && !pattern.test(value))) throw invalid(name, `must be ${is}.`);
      return value;
    }
  };
}

/** Makes a field optional: blank, `undefined`, `null` and empty text mean that it is absent. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, required: false };
}

/** The field may be left out, which blank and `undefined` do: `null` and empty text are values. */
export function unlessMissing<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, required: false, takesEmpty: true };
}

/** Makes a field accept an array, whose elements are targets of their own. */
export function many<T>(field: Field<T>): Field<T> {
  return { ...field, many: true, names: true, types: [...(field.types ?? []), 'json'] };
}

/** A region becomes a part of a host name: lower case letters, digits and hyphens. So new and private regions work. */
export const regionPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
export const regionIs = 'a region name such as eu-west-1';

/** The region in an ARN, if there is one. */
export function regionOfArn(target: string): string | undefined {
  const parts = target.split(':');
  return parts[0] === 'arn' && parts.length >= 6 && parts[3] ? parts[3] : undefined;
}
