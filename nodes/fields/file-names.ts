/** Names of files that are made of what stands in a flow or comes with a message. */
import { createHash } from 'node:crypto';

/** Names that Windows reserves for devices, whatever their ending. */
export const devices = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** The mark of a text: twelve digits of a hash of its UTF-16, in which lone surrogates differ as well. */
export const markOf = (text: string): string => createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 12);

/** The most characters of an ID in a file name. */
const longestId = 100;

/**
 * The file name for the ID of a node: the ID itself where it has only letters, digits and `. - _`, else as much of it as has,
 * and a mark, so that no two IDs share a file.
 */
export function fileNameOfId(id: string): string {
  const plain = id.slice(0, longestId).replace(/[^A-Za-z\d._-]+/g, '_');
  const isName = plain === id && !/^\.*$/.test(id) && !devices.test(id) && !/\.$/.test(id);
  return isName ? id : `_${plain.replace(/^[._]+/, '')}_${markOf(id)}`;
}
