/** What the log does on the disk. Everything goes through this interface, so that tests can replace the disk. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { memberOf } from '../fields/thrown';

/** An open file. Everything rejects with the error of Node.js. */
export interface OpenFile {
  /** Writes all of it at a position, bytes. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** At most `length` bytes; less at the end of the file. */
  read(length: number, position: number): Promise<Buffer>;
  /** Resolves when what was written is on the disk. */
  flush(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Whether somebody has deleted it. */
  isDeleted(): Promise<boolean>;
  close(): Promise<void>;
}

export interface Disk {
  /** For reading, or for writing a file that only its owner may read: a new one, or any. */
  open(path: string, how: 'read' | 'new' | 'any'): Promise<OpenFile>;
  /** Makes a folder that only its owner may enter, and those above it that are missing. */
  makeFolder(path: string): Promise<void>;
  /** Resolves when the names in a folder are on the disk. */
  flushFolder(path: string): Promise<void>;
  /** The names in a folder; none if there is no such folder. */
  list(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing where there is no such file. */
  remove(path: string): Promise<void>;
}

export const isAbsent = (error: unknown): boolean => memberOf(error, 'code') === 'ENOENT';

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  // A disk that is nearly full takes a part, and says so with the next one.
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function readUpTo(file: FileHandle, length: number, position: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

const openFile = (file: FileHandle): OpenFile => ({
  write: (bytes, position) => writeAll(file, bytes, position),
  read: (length, position) => readUpTo(file, length, position),
  flush: () => file.datasync(),
  truncate: (length) => file.truncate(length),
  size: async () => (await file.stat()).size,
  isDeleted: async () => (await file.stat()).nlink === 0,
  close: () => file.close()
});

const { O_RDWR, O_CREAT } = constants;
const flags = { read: 'r', new: 'wx+', any: O_RDWR | O_CREAT };

/** Windows has no flush of folders, and does not need it. */
const hasFolderFlush = process.platform !== 'win32';

export const disk: Disk = {
  open: async (path, how) => openFile(await open(path, flags[how], 0o600)),

  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },

  async flushFolder(path) {
    if (!hasFolderFlush) return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },

  async list(path) {
    try {
      return await readdir(path);
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  },

  rename,

  async remove(path) {
    try {
      await unlink(path);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
};
