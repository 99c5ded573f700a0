/** Characters that Rekognition does not allow in an `ExternalImageId`, and the colon, which begins the code for one. */
const written = /[^a-zA-Z0-9_.-]/gu;

const codeOf = (character: string): string =>
  Buffer.from(character).reduce((code, byte) => `${code}:${byte.toString(16).toUpperCase().padStart(2, '0')}`, '');

/** Encodes the name of a person as an `ExternalImageId`: `Ada Lovelace` is `Ada:20Lovelace`. Lone surrogates are lost. */
export const toExternalImageId = (name: string): string => name.replace(written, codeOf);

/** Decodes an `ExternalImageId`. One that was not encoded here, such as `user:42`, is returned as it is. */
export function fromExternalImageId(id: string): string {
  if (!id.includes(':')) return id;
  const bytes = id.replace(/:([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const name = Buffer.from(bytes, 'latin1').toString();
  return toExternalImageId(name) === id ? name : id;
}

/**
 * A key that is equal for names that differ only in case or composition: `ß` and `SS`, both kinds of small sigma, and an
 * accented letter as one character or two are the same.
 */
export const keyOf = (name: string): string =>
  name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
