import { isUtf8 } from 'node:buffer';
import { AwsError } from '../server/aws-error';

const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/**
 * The JSON text of an invocation's payload; an empty body is an empty object.
 *
 * @throws AwsError InvalidRequestContentException, in the words of Lambda's JSON parser
 */
export function checkPayload(body: Buffer): string {
  if (body.length === 0) return '{}';
  if (!isUtf8(body)) throw badEncoding(body);
  const text = body.toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw badJson(text, error);
  }
}

function badEncoding(body: Buffer): AwsError {
  let index = 0;
  while (isUtf8(body.subarray(0, index + 1)) || isUtf8Prefix(body, index)) index += 1;
  const byte = body[index] ?? 0;
  if (index === 0 && byte < 0xa0)
    return problem(`Unexpected character ((CTRL-CHAR, code ${byte})): expected a valid value ${values}`, 1, 1);
  return problem(`Invalid UTF-8 start byte 0x${byte.toString(16)}`, 1, index + 2);
}

/** Whether the bytes up to this position can be the beginning of valid JSON. */
function isUtf8Prefix(body: Buffer, index: number): boolean {
  return [2, 3, 4].some((length) => isUtf8(body.subarray(0, index + length)) && index + length <= body.length);
}

function badJson(text: string, error: unknown): AwsError {
  const start = text.length - text.trimStart().length;
  const word = /^[\p{L}\d_$]+/u.exec(text.slice(start))?.[0];
  if (word && !/^(true|false|null|\d+)$/.test(word)) {
    return problem(
      `Unrecognized token '${word.slice(0, 256)}': was expecting ${values}`,
      ...place(text, start + word.length)
    );
  }
  const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length);
  const character = text[at];
  if (character === undefined) return problem('Unexpected end-of-input', ...place(text, text.length));
  const shown = character < ' ' ? '(CTRL-CHAR' : `'${character}' (code ${character.charCodeAt(0)}`;
  const code = character < ' ' ? `(${shown}, code ${character.charCodeAt(0)}))` : `(${shown})`;
  return problem(`Unexpected character ${code}: expected a valid value ${values}`, ...place(text, at));
}

function place(text: string, at: number): [line: number, column: number] {
  const lines = text.slice(0, at).split('\n');
  return [lines.length, (lines.at(-1) ?? '').length + 1];
}

function problem(what: string, line: number, column: number): AwsError {
  const source = `\n at [Source: REDACTED (\`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION\` disabled); line: ${line}, column: ${column}]`;
  const text = `Could not parse request body into json: Could not parse payload into json: ${what}${source}`;
  return new AwsError(400, 'InvalidRequestContentException', text, { fields: { Type: 'User' } });
}
