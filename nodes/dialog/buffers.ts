import { types } from 'node:util';

/** Makes Buffers again, in place, of the bytes that the way to another process has made `Uint8Array`s. */
export function withBuffers(value: unknown): unknown {
  if (types.isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value !== 'object' || value === null) return value;
  for (const [name, member] of Object.entries(value)) {
    const made = withBuffers(member);
    if (made !== member) Object.defineProperty(value, name, { value: made });
  }
  return value;
}
