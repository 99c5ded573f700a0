/** Reads whatever was thrown, which may be anything, and may throw when it is read. */
import { isLongJson } from './json-length';
import { longestText, shortLine } from './lines';

/** A member of whatever was thrown; `undefined` if reading it throws. */
export function memberOf(thrown: unknown, name: string): unknown {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** The name of whatever was thrown; empty if that is not text. */
export function nameOf(thrown: unknown): string {
  const name = memberOf(thrown, 'name');
  return typeof name === 'string' ? name : '';
}

/** The code that Node.js gives an error of the system, such as `ENOENT`; empty if there is none. */
export function codeOf(thrown: unknown): string {
  const code = memberOf(thrown, 'code');
  return typeof code === 'string' ? code : '';
}

/** The SDK's metadata of a request in an output or error. An answer may contain anything by the same names. */
export function metadataOf(thrown: unknown): { httpStatusCode?: number; requestId?: string; attempts?: number } {
  const metadata = memberOf(thrown, '$metadata');
  const httpStatusCode = memberOf(metadata, 'httpStatusCode');
  const requestId = memberOf(metadata, 'requestId');
  const attempts = memberOf(metadata, 'attempts');
  const known: ReturnType<typeof metadataOf> = {};
  if (typeof httpStatusCode === 'number') known.httpStatusCode = httpStatusCode;
  if (typeof requestId === 'string') known.requestId = shortLine(requestId);
  if (typeof attempts === 'number') known.attempts = attempts;
  return known;
}

/** The longest JSON that is written in order to show the beginning of it, in characters. */
const longestJson = 1_000_000;
/** Larger integers are not written, since that takes time with the square of their digits. */
const largestInteger = 10n ** 1000n;

/** Whether the text of a value would be far too long. Throws whatever reading the value throws. */
function isFarTooLong(value: unknown): boolean {
  if (typeof value === 'bigint') return value > largestInteger || value < -largestInteger;
  return typeof value === 'object' && value !== null && isLongJson(value, longestJson);
}

/** A text for any value. One that would be far too long, such as that of a picture or a huge list, is not written. */
export function textOf(value: unknown): string {
  try {
    if (isFarTooLong(value)) return 'something too long to be shown';
    if (typeof value !== 'object' || value === null) return String(value);
    return JSON.stringify(value) ?? 'an object';
  } catch {
    return 'something that cannot be read';
  }
}

/** The message or code of whatever was thrown, without a full stop at the end. */
export function reasonOf(thrown: unknown): string {
  const reason = memberOf(thrown, 'message') || memberOf(thrown, 'code') || thrown;
  return shortLine(textOf(reason))
    .slice(0, longestText)
    .replace(/(?<![.\s])[.\s]+$/, '');
}
