import { isStringObject, isTypedArray, isUint8Array } from 'node:util/types';

/** The length of bytes as a JSON array: 1 to 3 digits each, and a comma. Stops beyond `most`. */
function lengthOfBytes(bytes: Uint8Array, most: number): number {
  let length = 0;
  for (let at = 0; at < bytes.length && length <= most; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) break;
    length += byte < 10 ? 2 : byte < 100 ? 3 : 4;
  }
  return length;
}

/** Whether JSON leaves a member out. */
const isLeftOut = (value: unknown): boolean =>
  value === undefined || typeof value === 'function' || typeof value === 'symbol';

/** Adds up the least length of a value's JSON, and stops when that is too long. */
class LeastLength {
  #left: number;
  /** The objects around the current value. A cycle is not followed; `JSON.stringify` will throw for it. */
  #around: Set<object> | undefined;

  constructor(most: number) {
    this.#left = most;
  }

  get isOver(): boolean {
    return this.#left < 0;
  }

  add(value: unknown): void {
    if (typeof value === 'string') this.#left -= value.length + 2;
    else if (typeof value === 'object' && value !== null) this.#addObject(value);
    else this.#left -= 1;
  }

  #addObject(value: object): void {
    if (this.#around?.has(value)) return;
    this.#left -= 1;
    const hasOwnForm = 'toJSON' in value && typeof value.toJSON === 'function';
    // The JSON of a Buffer has an array of bytes, that of other typed arrays is an object with numbers as keys.
    if (isUint8Array(value) && hasOwnForm) this.#left -= lengthOfBytes(value, this.#left);
    else if (isTypedArray(value)) this.#left -= value.length * 6;
    else if (isStringObject(value)) this.#left -= value.length;
    else if (!hasOwnForm) this.#addMembers(value);
  }

  #addMembers(value: object): void {
    this.#around ??= new Set();
    this.#around.add(value);
    if (Array.isArray(value)) this.#addElements(value);
    else {
      for (const name of Object.keys(value)) {
        const member = (value as Record<string, unknown>)[name];
        if (!isLeftOut(member)) {
          this.#left -= name.length + 4;
          this.add(member);
        }
        if (this.isOver) break;
      }
    }
    this.#around.delete(value);
  }

  #addElements(value: unknown[]): void {
    // The commas first: an array of holes takes no memory but may have any length.
    this.#left -= value.length;
    for (let at = 0; at < value.length && !this.isOver; at += 1) this.add(value[at]);
  }
}

/**
 * Whether the JSON of a value certainly has more than `most` characters. It is not written for that, since it can take many
 * times the memory of a Buffer or of an array of holes. Throws whatever reading the value throws.
 */
export function isLongJson(value: unknown, most: number): boolean {
  const length = new LeastLength(most);
  length.add(value);
  return length.isOver;
}
