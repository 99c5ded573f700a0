/**
 * A disk in memory that forgets when the machine dies: what was written and not flushed, and names in folders that were not
 * flushed. The page cache of a real one survives the death of a process, so that no `kill -9` shows a missing flush.
 */
import { dirname, join } from 'node:path';
import type { Disk, OpenFile } from '../../nodes/outbox/disk';

interface File {
  now: Buffer;
  flushed: Buffer;
}

/** What of that which was not flushed is there after a death. */
type Rest = 'nothing' | 'all' | (() => boolean);

const problem = (code: string): Error => Object.assign(new Error(code), { code });

/** A text of the name and the folder that it is in. */
type Names = Map<string, File | 'folder'>;

export class ForgetfulDisk implements Disk {
  #names: Names = new Map();
  #flushedNames: Names = new Map();
  /** The error of all that writes, if it fails. */
  failing: string | undefined;
  /** The error of flushes alone. */
  flushFailing: string | undefined;
  flushes = 0;
  /** How often it has died: what was opened before is of no use. */
  #life = 0;

  constructor(root: string) {
    for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) this.#names.set(folder, 'folder');
    this.#flushedNames = new Map(this.#names);
  }

  /** Forgets. Processes that use it go on, and reach nothing any more. */
  die(rest: Rest = 'nothing'): void {
    this.#life += 1;
    const stays = () => rest === 'all' || (rest !== 'nothing' && rest());
    const names = new Map(this.#flushedNames);
    for (const path of new Set([...this.#names.keys(), ...this.#flushedNames.keys()])) {
      const now = this.#names.get(path);
      if (now === names.get(path) || !stays()) continue;
      if (now === undefined) names.delete(path);
      else names.set(path, now);
    }
    for (const path of [...names.keys()].sort()) {
      const above = dirname(path);
      if (above !== path && above !== dirname(above) && !names.has(above)) names.delete(path);
    }
    this.#names = new Map();
    for (const [path, file] of names) {
      if (file === 'folder') this.#names.set(path, file);
      else {
        const bytes = stays() ? file.now : stays() ? cut(file, 0.5) : file.flushed;
        this.#names.set(path, { now: Buffer.from(bytes), flushed: Buffer.from(bytes) });
      }
    }
    this.#flushedNames = new Map(this.#names);
  }

  /** The bytes of a file, to be read or changed. */
  bytes(path: string): Buffer {
    return this.#file(path).now;
  }

  put(path: string, bytes: Buffer): void {
    const file = { now: Buffer.from(bytes), flushed: Buffer.from(bytes) };
    this.#names.set(path, file);
    this.#flushedNames.set(path, file);
  }

  #file(path: string): File {
    const found = this.#names.get(path);
    if (found === undefined || found === 'folder') throw problem('ENOENT');
    return found;
  }

  #check(life: number): void {
    if (life !== this.#life) throw problem('EIO');
    if (this.failing) throw problem(this.failing);
  }

  async open(path: string, how: 'read' | 'new' | 'any'): Promise<OpenFile> {
    await turn();
    const life = this.#life;
    if (how !== 'read') {
      this.#check(life);
      if (this.#names.get(dirname(path)) !== 'folder') throw problem('ENOENT');
      if (how === 'new' && this.#names.has(path)) throw problem('EEXIST');
      if (!this.#names.has(path)) this.#names.set(path, { now: Buffer.alloc(0), flushed: Buffer.alloc(0) });
    }
    const file = this.#file(path);
    return {
      write: async (bytes, position) => {
        await turn();
        if (this.failing === 'ENOSPC' && life === this.#life)
          write(file, bytes.subarray(0, bytes.length / 2), position);
        this.#check(life);
        write(file, bytes, position);
      },
      read: async (length, position) => {
        await turn();
        return Buffer.from(file.now.subarray(position, position + length));
      },
      flush: async () => {
        this.flushes += 1;
        const { now } = file;
        await turn();
        this.#check(life);
        if (this.flushFailing) throw problem(this.flushFailing);
        file.flushed = Buffer.from(now);
      },
      truncate: async (length) => {
        await turn();
        if (life !== this.#life) throw problem('EIO');
        file.now = Buffer.from(file.now.subarray(0, length));
      },
      size: async () => file.now.length,
      isDeleted: async () => this.#names.get(path) !== file,
      close: async () => undefined
    };
  }

  async makeFolder(path: string): Promise<void> {
    await turn();
    this.#check(this.#life);
    for (let folder = path; !this.#names.has(folder); folder = dirname(folder)) this.#names.set(folder, 'folder');
  }

  async flushFolder(path: string): Promise<void> {
    const life = this.#life;
    this.flushes += 1;
    await turn();
    this.#check(life);
    for (const name of new Set([...this.#names.keys(), ...this.#flushedNames.keys()])) {
      if (dirname(name) !== path) continue;
      const now = this.#names.get(name);
      if (now === undefined) this.#flushedNames.delete(name);
      else this.#flushedNames.set(name, now);
    }
  }

  async list(path: string): Promise<string[]> {
    return [...this.#names.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check(this.#life);
    this.#names.set(to, this.#file(from));
    this.#names.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#check(this.#life);
    this.#names.delete(path);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function write(file: File, bytes: Buffer, position: number): void {
  const now = Buffer.alloc(Math.max(file.now.length, position + bytes.length));
  file.now.copy(now);
  bytes.copy(now, position);
  file.now = now;
}

/** A part of what was written and not flushed. */
const cut = ({ now, flushed }: File, part: number): Buffer =>
  now.subarray(0, flushed.length + Math.floor((now.length - flushed.length) * part));

export const root = join('/', 'user');
export const storeFolder = join(root, 'nimbus', 'outbox', 'node');
