import { randomUUID } from 'node:crypto';
import { link, open, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionError, invalid } from '../fields/errors';
import { show } from '../fields/fields';
import { devices, markOf } from '../fields/file-names';
import { codeOf, reasonOf } from '../fields/thrown';

/** The paths of the saved pictures. */
export interface Saved {
  latest: string;
  timestamped?: string;
}

/** The most bytes of the source in a file name, in UTF-8. The other parts of the name take about 60. */
const longestSource = 180;

/** The end of a file name for a source that is not a valid file name itself. */
const marked = /_[0-9a-f]{12}$/;
const markLength = 13;

/** The beginning of a text, at most so many bytes in UTF-8. */
function cut(text: string, bytes: number): string {
  let name = '';
  for (const character of text.slice(0, bytes)) {
    if (Buffer.byteLength(name + character) > bytes) break;
    name += character;
  }
  return name;
}

/**
 * The file name for a source: letters and digits of any script, and no characters that have a meaning in paths. If the source
 * is not such a name, it is changed and a mark is added, so that no two sources share their files.
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
  const code = codeOf(error);
  const reason = problems[code] ?? (code || reasonOf(error));
  return invalid('saveFolder', `: the picture was not saved in ${show(folder)}: ${reason}.`);
}

/** Writes a new temporary file beside `path`. Its name is random, so that it cannot be an existing link. */
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

/** Replaces a file at once. A link is replaced as well, not followed. */
async function replace(path: string, bytes: Buffer): Promise<void> {
  const temporary = await writeBeside(path, bytes);
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** How many latest pictures are remembered. Messages may bring any number of sources. */
const mostLatest = 1000;

/** By path: when the latest picture arrived, ms of `performance.now()`, and the end of the last write. */
const writing = new Map<string, { arrival: number; last: Promise<unknown> }>();

/**
 * Replaces the latest picture, unless a newer one is there already: answers of the service do not come in the order of the
 * pictures. One write per path at a time.
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

/** Calls `take` with `name.jpg`, `name_1.jpg`, … until one does not exist, and returns that path. */
async function withFreeName(path: string, extension: string, take: (free: string) => Promise<void>): Promise<string> {
  for (let number = 0; ; number += 1) {
    const free = `${path}${number > 0 ? `_${number}` : ''}.${extension}`;
    try {
      await take(free);
      return free;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

/** Codes of errors on file systems without hard links, such as those of memory cards and network shares. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK', 'EINVAL', 'UNKNOWN']);

/**
 * Writes a new file under a name that is free. It appears with its content, or first empty if there are no hard links.
 */
async function add(path: string, extension: string, bytes: Buffer): Promise<string> {
  const temporary = await writeBeside(path, bytes);
  try {
    return await withFreeName(path, extension, (free) => link(temporary, free));
  } catch (error) {
    if (!withoutLinks.has(codeOf(error))) throw error;
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
 * Saves a picture as the latest one of its source, unless a newer one is there, and with `time` also under that time.
 * `arrival` is in ms of `performance.now()`. No file is ever incomplete. Rejects with `InvalidValue` if it cannot be written.
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
