import { createHash, randomUUID } from 'node:crypto';
import { link, open, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionError, invalid } from '../fields/errors';
import { show } from '../fields/fields';

/** Where a detection's pictures were saved. */
export interface Saved {
  latest: string;
  timestamped?: string;
}

/** Bytes of a file name, of which other parts than the source take some 60; UTF-8. */
const longestSource = 180;

/** Names that Windows keeps for devices. */
const devices = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** How the file name of a source ends that is no file name itself. */
const marked = /_[0-9a-f]{12}$/;
const markLength = 13;

/** The mark of a source; of UTF-16, in which each text is different. */
const markOf = (source: string): string =>
  createHash('sha256')
    .update(source, 'utf16le')
    .digest('hex')
    .slice(0, markLength - 1);

/** The beginning of a text, of so many bytes. */
function cut(text: string, bytes: number): string {
  let name = '';
  for (const character of text.slice(0, bytes)) {
    if (Buffer.byteLength(name + character) > bytes) break;
    name += character;
  }
  return name;
}

/**
 * A source as a part of a file name: letters and digits of any script, and none of the characters that lead elsewhere. One
 * that is no such name gets a mark of its own, so that it shares its files with no other source.
 */
export function fileNameOf(source: string): string {
  const text = source.normalize('NFC');
  const plain = cut(text, longestSource)
    .replace(/[^\p{L}\p{M}\p{N} ._-]+/gu, '_')
    .replace(/^[. ]+|(?<![. ])[. ]+$/g, '_');
  if (plain === text && text !== '' && !devices.test(text) && !marked.test(text)) return text;
  const name = cut(plain, longestSource - markLength);
  return `${name === '' || devices.test(name) ? '_' : ''}${name}_${markOf(text)}`;
}

/** `YYYY-MM-DD_HH.MM.SS`, in this machine's time zone. */
export function timestamp(time: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day}_${[two(time.getHours()), two(time.getMinutes()), two(time.getSeconds())].join('.')}`;
}

const problems: Record<string, string> = {
  EACCES: 'Node-RED may not write there',
  EPERM: 'Node-RED may not write there',
  EROFS: 'it can only be read',
  ENOENT: 'there is no such folder',
  ENOTDIR: 'it is no folder',
  EISDIR: 'there is a folder in its place',
  ELOOP: 'its links lead in a circle',
  ERR_INVALID_ARG_VALUE: 'its path holds a NUL',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the path is too long'
};

function problemOf(error: unknown, folder: string): ActionError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = problems[code] ?? (code || message);
  return invalid('saveFolder', `: the picture was not saved in ${show(folder)}: ${reason}.`);
}

/** Writes a new file under a name that nobody has, so that no link can lead it elsewhere. */
async function writeBeside(path: string, bytes: Buffer): Promise<string> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx', flush: true });
    return temporary;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Puts a whole file in the place of whatever is there; a link is replaced, not followed. */
async function replace(path: string, bytes: Buffer): Promise<void> {
  const temporary = await writeBeside(path, bytes);
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** How many latest pictures are known: messages may bring any number of names. */
const mostLatest = 1000;

/** When the picture came that each latest one shows, and the end of its last writing. */
const writing = new Map<string, { arrival: number; last: Promise<unknown> }>();

/**
 * Replaces the latest picture, one writer after the other, unless a later one is there: answers do not come in the order of
 * the pictures.
 */
async function replaceLatest(path: string, bytes: Buffer, arrival: number): Promise<void> {
  const state = writing.get(path) ?? { arrival: -Infinity, last: Promise.resolve() };
  writing.delete(path);
  writing.set(path, state);
  const [oldest] = writing.size > mostLatest ? writing.keys() : [];
  if (oldest !== undefined) writing.delete(oldest);
  const turn = state.last.then(async () => {
    if (arrival < state.arrival) return;
    await replace(path, bytes);
    state.arrival = arrival;
  });
  state.last = turn.catch(() => undefined);
  await turn;
}

/** Does it under the first name that is free: `name.jpg`, `name_1.jpg`, … */
async function withFreeName(path: string, extension: string, take: (free: string) => Promise<void>): Promise<string> {
  for (let number = 0; ; number += 1) {
    const free = `${path}${number > 0 ? `_${number}` : ''}.${extension}`;
    try {
      await take(free);
      return free;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** What file systems without hard links say, such as those of memory cards and network shares. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK', 'EINVAL', 'UNKNOWN']);

/** Writes a whole file under a name that is free. Nobody sees it empty, except where there are no hard links. */
async function add(path: string, extension: string, bytes: Buffer): Promise<string> {
  const temporary = await writeBeside(path, bytes);
  try {
    return await withFreeName(path, extension, (free) => link(temporary, free));
  } catch (error) {
    if (!withoutLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
  const reserved = await withFreeName(path, extension, async (free) => (await open(free, 'wx')).close());
  await replace(reserved, bytes).catch(async (error: unknown) => {
    await unlink(reserved).catch(() => undefined);
    throw error;
  });
  return reserved;
}

/**
 * Saves a picture as the latest one of its source, unless that arrived after it, and with `time` also under that time. Each
 * file is there as a whole or not at all. Throws `InvalidValue` where that is not possible.
 */
export async function save(
  folder: string,
  source: string,
  extension: string,
  bytes: Buffer,
  arrival: number,
  time?: Date
): Promise<Saved> {
  const path = join(folder, fileNameOf(source));
  const latest = `${path}_latest.${extension}`;
  try {
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    await replaceLatest(latest, bytes, arrival);
    if (!time) return { latest };
    return { latest, timestamped: await add(`${path}_${timestamp(time)}`, extension, bytes) };
  } catch (error) {
    throw problemOf(error, folder);
  }
}
