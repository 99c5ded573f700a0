/**
 * A disk for a process that is killed: what it has not flushed, of files and of the names in folders, is in its memory alone
 * and dies with it, as it would with the machine. What is flushed goes to the real folder, by hard links of files that a
 * folder of its own holds. Now and then something gets there that nobody has asked for yet, as with a real disk.
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** How long a flush takes at most, ms. */
const longestFlush = 8;
/** How often something is written by itself. */
const ownAccord = 0.05;

const problem = (code) => Object.assign(new Error(code), { code });
const isManaged = (name) => /^\d{12}\./.test(name);

class File {
  /** What a process reads: bytes up to a length. */
  #bytes = Buffer.alloc(0);
  length = 0;
  /** What has to be written to the real file. */
  #dirty = [];

  constructor(real) {
    this.real = real;
    this.descriptor = fs.openSync(real, 'r+');
    this.#bytes = fs.readFileSync(real);
    this.length = this.#bytes.length;
  }

  write(bytes, position) {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(2 * end);
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, position);
    this.length = Math.max(this.length, end);
    this.#dirty.push(() => fs.writeSync(this.descriptor, bytes, 0, bytes.length, position));
  }

  read(length, position) {
    return Buffer.from(this.#bytes.subarray(position, Math.min(position + length, this.length)));
  }

  truncate(length) {
    this.#bytes.fill(0, length);
    this.length = length;
    this.#dirty.push(() => fs.ftruncateSync(this.descriptor, length));
  }

  /** What brings all that was written so far to the real file. */
  takeDirty() {
    const works = this.#dirty;
    this.#dirty = [];
    return () => {
      for (const work of works) work();
    };
  }
}

/** Makes it in a user directory, from what earlier processes have flushed there. */
export function forgettingDisk(userDir, random) {
  const platter = join(userDir, 'platter');
  const foldersFile = join(platter, 'folders.json');
  fs.mkdirSync(platter, { recursive: true });
  const safeFolders = new Set(fs.existsSync(foldersFile) ? JSON.parse(fs.readFileSync(foldersFile, 'utf8')) : []);
  forgetFolders(join(userDir, 'nimbus'), safeFolders);
  /** By path: what a process sees, and what is on the disk. */
  const names = new Map();
  const onDisk = new Map();
  const known = new Set();
  let made = fs.readdirSync(platter).length;
  let isFull = false;

  const newReal = () => join(platter, `${process.pid}-${made++}`);

  function look(folder) {
    if (known.has(folder) || !fs.existsSync(folder)) return;
    known.add(folder);
    for (const name of fs.readdirSync(folder).filter(isManaged)) {
      const real = newReal();
      fs.linkSync(join(folder, name), real);
      const file = new File(real);
      names.set(join(folder, name), file);
      onDisk.set(join(folder, name), file);
    }
  }

  function at(path) {
    look(dirname(path));
    const file = names.get(path);
    if (!file) throw problem('ENOENT');
    return file;
  }

  function saveName(path) {
    const [now, then] = [names.get(path), onDisk.get(path)];
    if (now === then) return;
    if (then) fs.unlinkSync(path);
    if (now) fs.linkSync(now.real, path);
    if (now) onDisk.set(path, now);
    else onDisk.delete(path);
  }

  /** By itself, sooner or later. */
  const maybe = (work) => random() < ownAccord && setTimeout(work, longestFlush * random());
  const flushing = () => wait(longestFlush * random());
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  const opened = (path, file) => ({
    async write(bytes, position) {
      await turn();
      // A disk that is nearly full takes a part.
      const taken = Buffer.from(isFull ? bytes.subarray(0, bytes.length / 2) : bytes);
      file.write(taken, position);
      if (isFull) throw problem('ENOSPC');
      maybe(() => file.takeDirty()());
    },
    async read(length, position) {
      await turn();
      return file.read(length, position);
    },
    async flush() {
      const save = file.takeDirty();
      await flushing();
      save();
    },
    async truncate(length) {
      await turn();
      file.truncate(length);
    },
    size: async () => file.length,
    isDeleted: async () => names.get(path) !== file,
    close: async () => undefined
  });

  return {
    set isFull(is) {
      isFull = is;
    },

    async open(path, how) {
      await turn();
      look(dirname(path));
      if (how === 'read') return opened(path, at(path));
      if (how === 'new' && names.has(path)) throw problem('EEXIST');
      if (!names.has(path)) {
        if (isFull) throw problem('ENOSPC');
        const real = newReal();
        fs.writeFileSync(real, '');
        names.set(path, new File(real));
        maybe(() => saveName(path));
      }
      return opened(path, at(path));
    },

    async makeFolder(path) {
      fs.mkdirSync(path, { recursive: true });
    },

    async flushFolder(path) {
      look(path);
      const inIt = [...new Set([...names.keys(), ...onDisk.keys()])].filter((name) => dirname(name) === path);
      const saved = new Map(inIt.map((name) => [name, names.get(name)]));
      await flushing();
      for (const [name, file] of saved) if (names.get(name) === file) saveName(name);
      for (const entry of fs.readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) safeFolders.add(join(path, entry.name));
      fs.writeFileSync(`${foldersFile}.new`, JSON.stringify([...safeFolders]));
      fs.renameSync(`${foldersFile}.new`, foldersFile);
    },

    async list(path) {
      look(path);
      const real = fs.existsSync(path) ? fs.readdirSync(path).filter((name) => !isManaged(name)) : [];
      return [...real, ...[...names.keys()].filter((name) => dirname(name) === path).map((name) => basename(name))];
    },

    async rename(from, to) {
      names.set(to, at(from));
      names.delete(from);
      maybe(() => saveName(to));
    },

    async remove(path) {
      look(dirname(path));
      names.delete(path);
      maybe(() => saveName(path));
    }
  };
}

/** Folders whose names were not flushed are gone, with all that is in them. */
function forgetFolders(folder, safe) {
  if (!fs.existsSync(folder)) return;
  if (!safe.has(folder)) fs.rmSync(folder, { recursive: true });
  else
    for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) forgetFolders(join(folder, entry.name), safe);
}
