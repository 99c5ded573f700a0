import { types } from 'node:util';

/**
 * The bytes of a Buffer, Uint8Array, DataView or ArrayBuffer, not copied; `undefined` for any other value. Without
 * `instanceof`, since values of function nodes come from another realm.
 */
export function bytesIn(value: unknown): Buffer | undefined {
  if (types.isUint8Array(value) || types.isDataView(value)) {
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return types.isAnyArrayBuffer(value) ? Buffer.from(value) : undefined;
}
