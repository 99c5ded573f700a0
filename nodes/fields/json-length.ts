import { isStringObject, isTypedArray, isUint8Array } from 'node:util/types';

/** Characters of the JSON of so many bytes in a list: 1 to 3 digits each, and a comma. */
function lengthOfBytes(bytes: Uint8Array, most: number): number {
  let length = 0;
  for (let at = 0; at < bytes.length && length <= most; at += 1) {
    const byte = bytes[at] as number;
    length += byte < 10 ? 2 : byte < 100 ? 3 : 4;
  }
  return length;
}

/** Whether JSON leaves a member out. */
const isLeftOut = (value: unknown): boolean =>
  value === undefined || typeof value === 'function' || typeof value === 'symbol';

/** Adds up what the JSON of a value has at least, until that is too much. */
class LeastLength {
  #left: number;
  /** What the value that is looked at is in: one that contains itself is left to who writes it. */
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
    const hasOwnForm = typeof (value as { toJSON?: unknown }).toJSON === 'function';
    // A Buffer is a list there, other typed arrays are objects with a number for each name.
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
    // Commas first: of a list of holes, which takes no memory, the length is all that there is.
    this.#left -= value.length;
    for (let at = 0; at < value.length && !this.isOver; at += 1) this.add(value[at]);
  }
}

/**
 * Whether the JSON of a value certainly has more than `most` characters: found out without writing it, which would need
 * many times the memory of a Buffer or of a list of holes. Throws what looking at the value throws.
 */
export function isLongJson(value: unknown, most: number): boolean {
  const length = new LeastLength(most);
  length.add(value);
  return length.isOver;
}
