import { invalid } from './errors';
import { checkLength, parseJson, toJson } from './json';
import type { ValueType } from './values';

/** A row is there only while each named field has one of these values, or is filled in at all. */
export type When = Readonly<Record<string, readonly string[] | 'filled'>>;

/** What there are lists of to choose from. */
export type Offer = 'collections' | 'functions' | 'profiles' | 'qualifiers' | 'queues' | 'regions' | 'topics';

/**
 * One property of a node: how the editor shows it, and how the runtime checks it. The form, its defaults, its
 * validators and the runtime's reading all come from this description.
 */
export interface Field<T = unknown> {
  readonly control: 'text' | 'number' | 'json' | 'credentials' | 'choice' | 'flag' | 'secret';
  /** The kinds of source that a typed field offers, the default one first; absent for a plain property. */
  readonly types?: readonly ValueType[];
  readonly value: string | number | boolean;
  readonly required: boolean;
  /** Whether an array stands for many targets. At most one field of a node. */
  readonly many?: true;
  /** Whether a node without a name is called by it. */
  readonly names?: true | undefined;
  /** Kept in Node-RED's credential store, never in the flow. */
  readonly stored?: 'text' | 'password';
  /** Never quoted in an error. */
  readonly secret?: true;
  readonly options?: readonly string[] | undefined;
  /** What the dialog has a list of, while any other value may be typed: a list of `choices.ts`. */
  readonly offers?: Offer | undefined;
  /** What help says it takes, where its control does not say it: `seconds`, `array | string`. */
  readonly takes?: string | undefined;
  /** A JSONata expression to begin with. */
  readonly example?: string | undefined;
  readonly pattern?: RegExp | undefined;
  readonly maxLength?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly integer?: boolean | undefined;
  readonly when?: When | undefined;
  /** In the part of the form that is closed at first. */
  readonly advanced?: true | undefined;
  /** The Font Awesome 4 name of the icon in front of the label. */
  readonly icon?: string | undefined;
  /**
   * Converts a value that is there; throws `InvalidValue`, which names the field and the limit. `typed` is text that was
   * typed in the dialog: a list may be written with commas there, while a comma from elsewhere is a part of a name.
   */
  check(value: unknown, name: string, typed?: boolean): T;
  /** Throws where a value, or none, does not go with a target of the node. */
  besideTarget?(value: T | undefined, target: string): void;
}

export type Fields = Readonly<Record<string, Field>>;

/** What `run` gets: each field's checked value under its name. */
export type Inputs<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

type Layout = Pick<Field, 'when' | 'advanced' | 'icon' | 'offers' | 'takes' | 'example' | 'names'>;
/** A typed field's default: its literal text, or a path with `from`. */
type Default = { value?: string; from?: ValueType };

const sources: readonly ValueType[] = ['msg', 'flow', 'global', 'env', 'jsonata'];
const preferring = (first: ValueType, ...literals: ValueType[]): ValueType[] => [
  first,
  ...[...literals, ...sources].filter((type) => type !== first)
];

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  try {
    if (Array.isArray(value)) return 'an array';
    if (Buffer.isBuffer(value)) return 'a Buffer';
  } catch {
    // A proxy that has been revoked.
  }
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Characters of a text that are looked at for quoting it: a text of a message can have any number. */
const mostLookedAt = 2000;

/** A URL may hold a password: what stands between its two slashes and the last @ is left out. */
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
  /** What a valid text is, in words, as in “a region such as eu-west-1”. */
  is?: string | undefined;
  maxLength?: number | undefined;
  /** Whether a number stands for its digits. */
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

/** Text from any source. */
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

/** A number from any source; text that is a number will do. */
export function number({ value = '', from = 'num', ...limits }: NumberLimits & Default & Layout): Field<number> {
  return { ...numeric(limits), types: preferring(from, 'num'), value };
}

/** Which literals a value may be that is not text or a number only. */
type Literals = { literals?: ValueType[] };

/** Any value that can be written as JSON. */
export function json({
  value = '',
  from = 'json',
  literals = ['json', 'str', 'num', 'bool'],
  ...layout
}: Default & Layout & Literals = {}): Field<unknown> {
  return {
    control: 'json',
    types: preferring(from, ...literals),
    value,
    required: true,
    ...layout,
    check: (found) => found
  };
}

/** Any value of which `check` makes what is needed. */
export function checked<T>(check: Field<T>['check'], options: Default & Layout & Literals = {}): Field<T> {
  return { ...json(options), check };
}

/** Any value, as its JSON of about `most` bytes; text or a Buffer that is JSON already is taken as it is. */
export function jsonText(most: number, options: Default & Layout = {}): Field<string> {
  return checked((found, name) => toJson(found, name, most), options);
}

/** Keys that come with the message. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Characters of credentials, or of one of them: they go with each request, in its head. */
const longestCredentials = 65_536;

/** An environment variable can only hold text, so the JSON of such an object will do. */
function checkCredentials(given: unknown, name: string): Credentials {
  if (typeof given === 'string') checkLength(given, name, longestCredentials);
  const value = typeof given === 'string' ? (parseJson(given)?.value ?? given) : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(name, `must be an object {accessKeyId, secretAccessKey, sessionToken?}, but is ${kindOf(value)}.`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = value as Record<string, unknown>;
  const key = (text: unknown, member: string) => {
    if (typeof text !== 'string' || text === '') throw invalid(`${name}.${member}`, 'must be text that is not empty.');
    checkLength(text, `${name}.${member}`, longestCredentials);
    // A line break would end up in a header; Node.js refuses it only after quoting it.
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

/** Credentials that a message brings; never a literal, since a flow file is no place for secrets. */
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

/** One of a fixed list; the first is the default. */
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

/** A plain number, stored as a number or as its text. */
export const plainNumber = (value: number | '', limits: NumberLimits & Layout): Field<number> => ({
  ...numeric(limits),
  value
});

/** Node-RED gives variables that hold a number or a boolean as such: they stand for their text. */
const asText = (found: unknown): unknown =>
  typeof found === 'number' || typeof found === 'boolean' ? String(found) : found;

/** Plain text that may hold `${ENV}`. */
export function plainText(limits: TextLimits & Layout = {}): Field<string> {
  const field = textual(limits);
  return { ...field, check: (found, name) => field.check(asText(found), name) };
}

/** Text for Node-RED's credential store; its value is never quoted. */
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

/** The field may be left out: blank, `undefined`, `null` and empty text all mean absent. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, required: false };
}

/** The field may resolve to an array: each element is then a target of its own. */
export function many<T>(field: Field<T>): Field<T> {
  return { ...field, many: true, names: true, types: [...(field.types ?? []), 'json'] };
}

/** A region name makes a host name, in lower case: letters, digits and hyphens, so that new and private regions work. */
export const regionPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
export const regionIs = 'a region name such as eu-west-1';

/** The region that an ARN names, if it names one. */
export function regionOfArn(target: string): string | undefined {
  const parts = target.split(':');
  return parts[0] === 'arn' && parts.length >= 6 && parts[3] ? parts[3] : undefined;
}
