/**
 * Replaces the parts of Node.js that the checks of fields use, as far as literals in a dialog need them; see
 * `scripts/build.mjs`.
 */

export const isUint8Array = (value: unknown): boolean => value instanceof Uint8Array;
export const isDataView = (value: unknown): boolean => value instanceof DataView;
export const isTypedArray = (value: unknown): boolean => ArrayBuffer.isView(value) && !isDataView(value);
export const isAnyArrayBuffer = (value: unknown): boolean => value instanceof ArrayBuffer;
export const isStringObject = (value: unknown): boolean => value instanceof String;
export const types = { isUint8Array, isDataView, isAnyArrayBuffer };

/** Text that is typed into a dialog never uses up the memory. */
export const getHeapStatistics = () => ({ heap_size_limit: Number.POSITIVE_INFINITY, used_heap_size: 0 });

/** Only called for bytes, and literals are never bytes. */
export const isUtf8 = (): boolean => false;

/** Only the length of Buffers is used. */
const base64 = (text: string): Uint8Array => new Uint8Array(Math.floor((text.replace(/[^\w+/-]/g, '').length * 3) / 4));

export const Buffer = {
  isBuffer: (value: unknown): boolean => value instanceof Uint8Array,
  byteLength: (text: string): number => new TextEncoder().encode(text).length,
  from(source: string | ArrayLike<number>, encoding?: string): Uint8Array {
    if (typeof source !== 'string') return Uint8Array.from(source);
    return encoding === 'base64' ? base64(source) : new TextEncoder().encode(source);
  }
};
