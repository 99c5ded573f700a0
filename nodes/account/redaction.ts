/** Keeps secrets out of what people see: errors, logs, statuses and messages. */

/** Characters: a shorter secret, such as LocalStack's key `test`, is a word that stands in many a text. */
const shortestSecret = 12;
/** Characters that a secret is known by: what follows them without a blank or quote is its rest. A pattern of many more is none. */
const longestStart = 500;

const named: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** A pattern for a character of a secret as it is, and as URLs, JSON and XML escape it, twice if need be. */
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

/** The last one that was made: messages that fail as a rule fail many in a row. */
let latest: { secrets: string; pattern: RegExp | undefined } | undefined;

function patternFor(secrets: Iterable<string>): RegExp | undefined {
  const long = [...new Set(secrets)].filter(({ length }) => length >= shortestSecret);
  const key = JSON.stringify(long);
  if (latest?.secrets !== key) {
    // Longest first: one may be part of another.
    long.sort((one, other) => other.length - one.length);
    const each = long.map(patternOf);
    latest = { secrets: key, pattern: each.length > 0 ? new RegExp(each.join('|'), 'gi') : undefined };
  }
  return latest.pattern;
}

/**
 * Strikes secrets out of a text that a service, a function or a library wrote: the given ones wherever they stand, and
 * anything that stands where a signed header quotes a token, a credential or a signature.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const clean = text
    .replace(/(x-amz-security-token['"]?\s*[:=]\s*)[^\s'",;&]+/gi, '$1***')
    .replace(/(\b(?:Credential|Signature)=)[^\s,;'"&]+/g, '$1***');
  const pattern = patternFor(secrets);
  return pattern ? clean.replace(pattern, '***') : clean;
}

/** Values that are looked through in one error: what has more is of no use to anybody. */
const mostValues = 100_000;

const isPlain = (value: unknown): value is Record<string, unknown> | unknown[] =>
  Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]';

/**
 * A copy of a value in which secrets are struck out of all texts, the keys of objects too. What is no plain object or array
 * stays what it is, cycles stay cycles, and of a huge value the rest is left out.
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
    open.push([part as Record<string, unknown>, copy]);
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
      // A key such as __proto__ would otherwise be more than a key.
      Object.defineProperty(to, Array.isArray(to) ? key : redact(key, secrets), member);
    }
  }
  return copy;
}
