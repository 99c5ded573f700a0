import { isUtf8 } from 'node:buffer';
import { bytesIn } from './bytes';
import { invalid, reasonOf } from './errors';

/** Text without the byte order mark that some programs put in front: JSON has none. */
export const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** The value of a text that is JSON, behind a byte order mark or not; `undefined` for any other text, or none. */
export function parseJson(text: string | undefined): { value: unknown } | undefined {
  if (text === undefined) return undefined;
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

/** The JSON of a value. Throws `InvalidValue` for what has none: circular objects, functions, big integers. */
export function stringify(value: unknown, name: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw invalid(name, `cannot be written as JSON: ${whyNotJson(error)}.`);
  }
  if (text === undefined) throw invalid(name, `cannot be written as JSON: it is a ${typeof value}.`);
  return text;
}

/**
 * What to send for a value: text or bytes that are JSON already go as they are, without a byte order mark, which no
 * service takes for JSON; anything else goes as its JSON. It is text in any case, which Node.js writes together with a request's head, and into which no flow can write before it is sent.
 */
export function toJson(value: unknown, name: string): string {
  const bytes = bytesIn(value);
  const text = bytes && isUtf8(bytes) ? bytes.toString() : value;
  return typeof text === 'string' && parseJson(text) ? withoutMark(text) : stringify(value, name);
}

/** The text of a message: text as it is, any other value as its JSON. */
export const toText = (value: unknown, name: string): string =>
  typeof value === 'string' ? value : stringify(value, name);

/** An object without the members that are absent. */
export function present(members: Record<string, unknown>): Record<string, unknown> {
  const there: Record<string, unknown> = {};
  for (const name in members) if (members[name] !== undefined) there[name] = members[name];
  return there;
}
