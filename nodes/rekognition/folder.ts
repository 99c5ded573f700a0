import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../fields/errors';
import { show } from '../fields/fields';
import { pictureKind } from './picture';
import { fileProblem, pathOf } from './picture-files';

/** A file in a folder that is a picture, or that has the name of one and cannot be used. */
export interface PictureFile {
  file: string;
  path: string;
  /** Why it cannot be used. */
  problem?: string;
}

/** The path of a folder, if a value is one. Relative paths begin at `start`. */
export async function folderOf(value: unknown, name: string, start: string): Promise<string | undefined> {
  if (typeof value !== 'string' || value.length > 4096 || /^(?:data:|s3:)/i.test(value) || /[\0\n]/.test(value)) {
    return undefined;
  }
  const path = value === '' ? '' : pathOf(value, name, start);
  // A path that does not exist is reported when the picture is read.
  const stats = path === '' ? undefined : await stat(path).catch(() => undefined);
  return stats?.isDirectory() ? path : undefined;
}

/** Names of JPEG and PNG files. Files with other names are opened, since the content counts. */
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

/** The pictures in a folder, but not in folders below it, by name. Throws `InvalidValue` if the folder cannot be read. */
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
