/** Strikes secrets out of errors, logs, statuses and messages. */

/**
 * The fewest characters of a secret that is struck out: a shorter one, such as LocalStack's `test`, may be an ordinary
 * word.
 */
const shortestSecret = 12;
/**
 * Characters of a secret that are searched for; the rest is taken to end at a space or quote. A much longer pattern is
 * too large for a RegExp.
 */
const longestStart = 500;

const named: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** A pattern for a character: as it is, and as URLs, JSON and XML escape it, once or twice. */
function spellings(character: string): string {
  if (/^[a-z0-9]$/i.test(character)) return character;
  const code = character.charCodeAt(0);
  const hex = code.toString(16).padStart(4, '0');
  const bytes = [...Buffer.from(character)].map((byte) => `%(?:25)?${byte.toString(16).padStart(2, '0')}`).join('');
  const entities = [`#${code}`, `#x0*${code.toString(16)}`, ...(named[character] ? [named[character]] : [])];
  return `(?:\\\\{0,4}\\u${hex}|\\\\{1,4}u${hex}|${bytes}|&(?:amp;)?(?:${entities.join('|')});)`;
}

function patternOf(secret: string): string {
  const start = secret.slice(0, longestStart).split('').map(spellings).join('');
  return secret.length > longestStart ? `${start}[^\\s'"<>]*` : start;
}

/** The pattern that was made last: when messages fail, usually many fail in a row. */
let latest: { secrets: string; pattern: RegExp | undefined } | undefined;

function patternFor(secrets: Iterable<string>): RegExp | undefined {
  const long = [...new Set(secrets)].filter(({ length }) => length >= shortestSecret);
  const key = JSON.stringify(long);
  if (latest?.secrets !== key) {
    // Longest first, since one secret may be part of another.
    long.sort((one, other) => other.length - one.length);
    const each = long.map(patternOf);
    latest = { secrets: key, pattern: each.length > 0 ? new RegExp(each.join('|'), 'gi') : undefined };
  }
  return latest.pattern;
}

/**
 * Replaces secrets by `***` in a text that a service, a function or a library wrote: the given ones wherever they are, and
 * any token, credential or signature of a signed header that is quoted in it.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const clean = text
    .replace(/(x-amz-security-token['"]?\s*[:=]\s*)[^\s'",;&]+/gi, '$1***')
    .replace(/(\b(?:Credential|Signature)=)[^\s,;'"&]+/g, '$1***');
  const pattern = patternFor(secrets);
  return pattern ? clean.replace(pattern, '***') : clean;
}

/** The most values that are copied of one error. */
const mostValues = 100_000;

/** Whether a value is a plain object or an array, which is a record by its indices. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';

/**
 * A copy of a value in which secrets are struck out of all texts and keys. Only plain objects and arrays are copied; cycles
 * stay cycles, and what exceeds `mostValues` is left out.
 */
export function redactDeep(value: unknown, secrets: Iterable<string>): unknown {
  try {
    return copyWithout(value, secrets);
  } catch {
    return 'something that cannot be read';
  }
}

function copyWithout(value: unknown, secrets: Iterable<string>): unknown {
  const copies = new Map<unknown, object>();
  const open: [from: Record<string, unknown>, to: object][] = [];
  let left = mostValues;
  const copyOf = (part: unknown): unknown => {
    if (typeof part === 'string') return redact(part, secrets);
    if (!isPlain(part)) return part;
    const known = copies.get(part);
    if (known) return known;
    const copy = Array.isArray(part) ? [] : {};
    copies.set(part, copy);
    open.push([part, copy]);
    return copy;
  };
  const copy = copyOf(value);
  for (let next = open.pop(); next; next = open.pop()) {
    const [from, to] = next;
    for (const key in from) {
      if (left <= 0) break;
      left -= 1;
      if (!Object.hasOwn(from, key)) continue;
      const member = { value: copyOf(from[key]), enumerable: true, writable: true, configurable: true };
      // By assignment, the key __proto__ would change the prototype.
      Object.defineProperty(to, Array.isArray(to) ? key : redact(key, secrets), member);
    }
  }
  return copy;
}
