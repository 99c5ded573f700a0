import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../fields/errors';
import { show } from '../fields/fields';
import { fileProblem, pathOf, pictureKind } from './image';

/** A file of a folder that is a picture, or looks like one and cannot be taken. */
export interface PictureFile {
  file: string;
  path: string;
  /** Why it cannot be taken. */
  problem?: string;
}

/** The folder that a value means, if it means one. */
export async function folderOf(value: unknown, name: string, start: string): Promise<string | undefined> {
  if (typeof value !== 'string' || value.length > 4096 || /^(?:data:|s3:)/i.test(value) || /[\0\n]/.test(value)) {
    return undefined;
  }
  const path = value === '' ? '' : pathOf(value, name, start);
  // What is no path at all, or of a file, is found out where the picture is read.
  const stats = path === '' ? undefined : await stat(path).catch(() => undefined);
  return stats?.isDirectory() ? path : undefined;
}

/** Files that say that they are a JPEG or PNG; others are looked into, since the content counts. */
const namedPicture = /\.(?:jpe?g|png)$/i;

async function lookInto(folder: string, file: string): Promise<PictureFile | undefined> {
  const path = join(folder, file);
  const stats = await lstat(path);
  // A link may lead out of the folder.
  if (stats.isSymbolicLink()) return namedPicture.test(file) ? { file, path, problem: 'it is a link' } : undefined;
  if (!stats.isFile()) return undefined;
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(8) });
    return namedPicture.test(file) || pictureKind(buffer.subarray(0, bytesRead)) ? { file, path } : undefined;
  } finally {
    await handle.close();
  }
}

/** The pictures directly in a folder, by name. Throws `InvalidValue` where it cannot be read. */
export async function picturesIn(folder: string, name: string): Promise<PictureFile[]> {
  let files: string[];
  try {
    files = (await readdir(folder)).sort();
  } catch (error) {
    throw invalid(name, `: ${show(folder)} cannot be read: ${fileProblem(error)}.`);
  }
  const pictures: PictureFile[] = [];
  for (const file of files) {
    try {
      const picture = await lookInto(folder, file);
      if (picture) pictures.push(picture);
    } catch (error) {
      pictures.push({ file, path: join(folder, file), problem: fileProblem(error) });
    }
  }
  return pictures;
}
