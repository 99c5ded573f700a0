import { isUtf8 } from 'node:buffer';
import { getHeapStatistics } from 'node:v8';
import { bytesIn } from './bytes';
import { invalid, isActionError, ownError } from './errors';
import { isLongJson } from './json-length';
import { JsonValues } from './json-values';
import { reasonOf } from './thrown';

/** Text without a byte order mark at its beginning, which JSON does not allow. */
export const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** Up to so many characters a text is parsed without a check of the memory. */
const short = 1_048_576;
/** The memory of an empty object or array, bytes. In JSON it may have only three characters: `{},`. */
const bytesOfValue = 64;

/** Throws `UnknownError` if the values of a JSON text would use up the memory of Node.js, which would end the process. */
function checkMemory(text: string): void {
  if (text.length <= short) return;
  const values = new JsonValues();
  values.addText(text);
  const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
  if (values.count * bytesOfValue <= (limit - used) / 2) return;
  throw ownError(
    'UnknownError',
    `A JSON text holds ${values.count} values, for which there is not memory enough: give Node.js more with --max-old-space-size.`,
    { retryable: true }
  );
}

/**
 * Parses JSON, with or without a byte order mark; `undefined` for text that is not JSON, or for no text. Throws
 * `UnknownError` if there is not enough memory.
 */
export function parseJson(text: string | undefined): { value: unknown } | undefined {
  if (text === undefined) return undefined;
  checkMemory(text);
  try {
    return { value: JSON.parse(withoutMark(text)) };
  } catch {
    return undefined;
  }
}

function whyNotJson(error: unknown): string {
  const reason = reasonOf(error);
  return reason.includes('circular') ? 'it contains itself; pick the members that are needed' : reason;
}

/** If a value is longer than this many times its limit, its exact length is not found out. */
const farBeyond = 2;

const tooLong = (name: string, most: number) => invalid(name, `has far more than the ${most} bytes that it may have.`);

/** Throws `InvalidValue` for a text, list or Buffer with far more than `most` elements, before it is converted. */
export function checkLength({ length }: { length: number }, name: string, most: number): void {
  if (length > farBeyond * most) throw tooLong(name, most);
}

/**
 * The same for the length of a value's JSON, which is not written for that. Also throws whatever reading the value
 * throws.
 */
export function checkJsonLength(value: unknown, name: string, most: number): void {
  if (isLongJson(value, farBeyond * most)) throw tooLong(name, most);
}

/**
 * The JSON of a value. Throws `InvalidValue` for values without JSON (circular objects, functions, big integers), and for one
 * whose JSON would be far longer than `most` bytes. The caller checks the exact limit.
 */
export function stringify(value: unknown, name: string, most: number): string {
  let text: string | undefined;
  try {
    checkJsonLength(value, name, most);
    text = JSON.stringify(value);
  } catch (error) {
    if (isActionError(error)) throw error;
    throw invalid(name, `cannot be written as JSON: ${whyNotJson(error)}.`);
  }
  if (text === undefined) throw invalid(name, `cannot be written as JSON: it is a ${typeof value}.`);
  return text;
}

/**
 * The JSON to send for a value: text or bytes that are JSON already stay as they are, except for a byte order mark; any other
 * value is written as JSON. The result is always text, which flows cannot change before it is sent, and which Node.js writes
 * together with the headers. Throws `InvalidValue` as `stringify` does.
 */
export function toJson(value: unknown, name: string, most: number): string {
  const bytes = bytesIn(value);
  const given = typeof value === 'string' ? value : bytes;
  if (given) checkLength(given, name, most);
  const text = bytes && isUtf8(bytes) ? bytes.toString() : value;
  return typeof text === 'string' && parseJson(text) ? withoutMark(text) : stringify(value, name, most);
}

/**
 * The text to send for a value: text as it is, any other value as its JSON. Throws `InvalidValue` as `stringify` does.
 */
export const toText = (value: unknown, name: string, most: number): string =>
  typeof value === 'string' ? value : stringify(value, name, most);

/** A copy of an object without the members that are `undefined`. */
export function present(members: Record<string, unknown>): Record<string, unknown> {
  const there: Record<string, unknown> = {};
  for (const name in members) if (members[name] !== undefined) there[name] = members[name];
  return there;
}

/** Whether a value is an object and no array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
