/** Pictures in files of this machine. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Semaphore } from '../action/parallel';
import { invalid, isActionError } from '../fields/errors';
import { show } from '../fields/fields';
import { codeOf, reasonOf } from '../fields/thrown';
import { checkBytes } from './picture';

/** What the value of a field for a picture can be, for errors. */
export const imageIs =
  'a JPEG or PNG picture: a Buffer, a data URL, base64 text, a file path, s3://bucket/key or {S3Object}';

/** The most characters of a path. */
const longestPath = 4096;

/** Two slashes or backslashes at the beginning: the share of another machine, or a device. */
const elsewhere = /^(?:[\\/]|%5c|%2f){2}/i;

function isElsewhere(path: string): boolean {
  if (!/^file:/i.test(path)) return elsewhere.test(path);
  // A longer one is not a path, which is reported later.
  if (path.length > longestPath || !URL.canParse(path)) return false;
  const { host, pathname } = new URL(path);
  return host !== '' || elsewhere.test(pathname);
}

/**
 * Throws `InvalidValue`, which does not quote the path, for a path on another machine: Windows would sign in there with the
 * name and password of its user. Only those who edit the node may name such a path.
 */
export function needLocal(path: string, name: string): void {
  if (isElsewhere(path)) {
    const is = 'a path on this machine, but begins as those of other machines and devices do';
    throw invalid(name, `must be ${is}, which count only where they stand in the node itself.`);
  }
}

/** The absolute path for a text that is a path or a file URL. Throws `InvalidValue`. */
export function pathOf(value: string, name: string, folder: string): string {
  if (value.includes('\0') || value.length > longestPath || value.includes('\n')) {
    throw invalid(name, `must be ${imageIs}, but is other text.`);
  }
  try {
    const path = resolvePath(folder, /^file:/i.test(value) ? fileURLToPath(value) : value);
    if (!path.includes('\0')) return path;
  } catch {
    // Reported below.
  }
  throw invalid(name, `is not a valid file URL: ${show(value)}.`);
}

/** Texts for the codes of errors about files. */
const fileProblems: Record<string, string> = {
  EACCES: 'Node-RED may not read it',
  EPERM: 'Node-RED may not read it',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its links lead in a circle'
};

/** Why a file cannot be read, for the text of an error. */
export const fileProblem = (error: unknown, sought = 'file'): string => {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no such ${sought}`;
  return fileProblems[code] ?? (code || reasonOf(error));
};

/** Limits how many files are read at the same time, as Node.js does: each is in memory before it counts in a backlog. */
const reading = new Semaphore(4);

/** Reads a regular file, but never a device or pipe, which may be endless. Rejects with `InvalidValue`. */
export const readFile = (path: string, name: string, sought?: string): Promise<Buffer> =>
  reading.take(() => readNow(path, name, sought));

async function readNow(path: string, name: string, sought?: string): Promise<Buffer> {
  try {
    // O_NONBLOCK, since opening a pipe would wait for a writer. Windows has neither the flag nor such pipes.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw invalid(name, `: ${show(path)} is ${stats.isDirectory() ? 'a folder' : 'no file'}.`);
      checkBytes(stats.size, name);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isActionError(error)) throw error;
    throw invalid(name, `: ${show(path)} cannot be read: ${fileProblem(error, sought)}.`);
  }
}
