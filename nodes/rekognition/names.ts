/** What Rekognition does not take in an `ExternalImageId`, and what stands in front of the code for it. */
const written = /[^a-zA-Z0-9_.-]/gu;

const codeOf = (character: string): string =>
  Buffer.from(character).reduce((code, byte) => `${code}:${byte.toString(16).toUpperCase().padStart(2, '0')}`, '');

/** A person's name as an `ExternalImageId`: `Ada Lovelace` is `Ada:20Lovelace`. Lone surrogates cannot be written. */
export const toExternalImageId = (name: string): string => name.replace(written, codeOf);

/** The name that an `ExternalImageId` is the writing of. One that was made elsewhere, such as `user:42`, is a name itself. */
export function fromExternalImageId(id: string): string {
  if (!id.includes(':')) return id;
  const bytes = id.replace(/:([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const name = Buffer.from(bytes, 'latin1').toString();
  return toExternalImageId(name) === id ? name : id;
}

/**
 * What names that are the same have in common, whatever their case and composition: `ß` and `SS`, both kinds of small sigma,
 * and a letter with its accent in one character or two are the same.
 */
export const keyOf = (name: string): string =>
  name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
