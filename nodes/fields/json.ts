import { isUtf8 } from 'node:buffer';
import { getHeapStatistics } from 'node:v8';
import { bytesIn } from './bytes';
import { invalid, isActionError, ownError, reasonOf } from './errors';
import { isLongJson } from './json-length';
import { JsonValues } from './json-values';

/** Text without the byte order mark that some programs put in front: JSON has none. */
export const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** Characters up to which nobody asks what memory a text needs. */
const short = 1_048_576;
/** Bytes of an object or a list without members; of a thing of three characters, such as `{},`. */
const bytesOfValue = 64;

/** Throws where the values of a JSON text would fill the memory that Node.js has left: it would end the process. */
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
 * The value of a text that is JSON, behind a byte order mark or not; `undefined` for any other text, or none. Throws
 * `UnknownError` where there is not memory enough for it.
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

/** What is more than this many times as long as its limit is not written, nor read, to tell its length. */
const farBeyond = 2;

const tooLong = (name: string, most: number) => invalid(name, `has far more than the ${most} bytes that it may have.`);

/** Throws `InvalidValue` for what has far more characters, bytes or members than it may have bytes, before anything is made of it. */
export function checkLength({ length }: { length: number }, name: string, most: number): void {
  if (length > farBeyond * most) throw tooLong(name, most);
}

/** The same for a value by the length of its JSON, which is not written for it. Throws also what looking at the value throws. */
export function checkJsonLength(value: unknown, name: string, most: number): void {
  if (isLongJson(value, farBeyond * most)) throw tooLong(name, most);
}

/**
 * The JSON of a value. Throws `InvalidValue` for what has none: circular objects, functions, big integers; and, before it is
 * written, for one that would be far longer than `most` bytes. Whether it has a few more is for the caller to say.
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
 * What to send for a value: text or bytes that are JSON already go as they are, without a byte order mark, which no
 * service takes for JSON; anything else goes as its JSON. It is text in any case, which Node.js writes together with a request's head, and into which no flow can write before it is sent.
 * Throws `InvalidValue` as `stringify` does.
 */
export function toJson(value: unknown, name: string, most: number): string {
  const bytes = bytesIn(value);
  const given = typeof value === 'string' ? value : bytes;
  if (given) checkLength(given, name, most);
  const text = bytes && isUtf8(bytes) ? bytes.toString() : value;
  return typeof text === 'string' && parseJson(text) ? withoutMark(text) : stringify(value, name, most);
}

/** The text of a message: text as it is, any other value as its JSON. */
export const toText = (value: unknown, name: string, most: number): string =>
  typeof value === 'string' ? value : stringify(value, name, most);

/** An object without the members that are absent. */
export function present(members: Record<string, unknown>): Record<string, unknown> {
  const there: Record<string, unknown> = {};
  for (const name in members) if (members[name] !== undefined) there[name] = members[name];
  return there;
}
