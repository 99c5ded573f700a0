/** Messages and requests as text: what is JSON in them, and Buffers. */
import { isArrayBuffer, isDate, isUint8Array } from 'node:util/types';
import { invalid } from '../fields/errors';
import { isObject } from '../fields/json';
import { reasonOf } from '../fields/thrown';

/** Texts begin with a mark where they stand for bytes, or begin with a mark themselves. */
const mark = '\u0000';
const ofBytes = `${mark}b`;
const ofText = `${mark}t`;

/**
 * How many objects a value may be in. Reading back takes more of the stack than writing: what was written without an error
 * must not overflow it then.
 */
const deepest = 1000;

/** Objects that were made by `{}`, in any realm, or without a prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const textOfBytes = (bytes: Uint8Array): string =>
  ofBytes + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Copies of values with what can be written; `around` are the objects that the current value is in. */
class Copier {
  readonly #around = new Set<object>();

  copy(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return value.startsWith(mark) ? ofText + value : value;
      case 'number':
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.#copyObject(value);
      default:
        return undefined;
    }
  }

  #copyObject(value: object): unknown {
    if (isUint8Array(value)) return textOfBytes(value);
    if (isArrayBuffer(value)) return textOfBytes(new Uint8Array(value));
    if (isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    // A cycle has no end, and neither have connections, files and timers a text.
    if (this.#around.has(value) || !(Array.isArray(value) || isPlain(value))) return undefined;
    if (this.#around.size >= deepest) throw new RangeError(`it is nested in more than ${deepest} objects`);
    this.#around.add(value);
    const copy = Array.isArray(value) ? this.#copyElements(value) : this.#copyMembers(value);
    this.#around.delete(value);
    return copy;
  }

  #copyElements(list: unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (let at = 0; at < list.length; at += 1) copy.push(this.copy(list[at]));
    return copy;
  }

  /** An object of which nothing can be written, such as what answers an HTTP request, is left out itself. */
  #copyMembers(value: object): Record<string, unknown> | undefined {
    // Without a prototype, so that a member called `__proto__` is one like any other.
    const copy: Record<string, unknown> = Object.create(null);
    const names = Object.keys(value);
    let copied = 0;
    for (const name of names) {
      const member = this.copy((value as Record<string, unknown>)[name]);
      if (member === undefined) continue;
      copy[name] = member;
      copied += 1;
    }
    return names.length > 0 && copied === 0 ? undefined : copy;
  }
}

/** The text of a value. What has none is left out. Throws `InvalidValue` for what cannot be read or is nested too deeply. */
export function toText(value: unknown, name: string): string {
  try {
    return JSON.stringify(new Copier().copy(value)) ?? 'null';
  } catch (thrown) {
    throw invalid(name, `cannot be kept: ${reasonOf(thrown)}.`);
  }
}

function revived(text: string): unknown {
  if (!text.startsWith(mark)) return text;
  const rest = text.slice(mark.length + 1);
  return text.startsWith(ofBytes) ? Buffer.from(rest, 'base64') : rest;
}

/**
 * The value of a text. Not by a reviver of `JSON.parse`, whose stack overflows where objects are nested deeply: an earlier version
 * may have kept such a message, and what cannot be read back would wait for ever.
 */
export function fromText(text: string): unknown {
  const top: Record<string, unknown> = { value: JSON.parse(text) };
  if (!text.includes('"\\u0000')) return top.value;
  const open = [top];
  for (let object = open.pop(); object; object = open.pop()) {
    for (const name of Object.keys(object)) {
      const member = object[name];
      if (typeof member === 'string') object[name] = revived(member);
      else if (isObject(member) || Array.isArray(member)) open.push(member as Record<string, unknown>);
    }
  }
  return top.value;
}
