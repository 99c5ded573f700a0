import { types } from 'node:util';

/**
 * The bytes of a Buffer, Uint8Array, DataView or ArrayBuffer, not copied; `undefined` for any other value. Function nodes
 * make theirs in a realm of their own, whose bytes are no instance of the classes here.
 */
export function bytesIn(value: unknown): Buffer | undefined {
  if (types.isUint8Array(value) || types.isDataView(value)) {
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : undefined;
}
