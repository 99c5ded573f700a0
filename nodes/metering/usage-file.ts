/**
 * Keeps the counts of an account on disk. A new file replaces the old one only when it is complete, so that the file is
 * never cut off in the middle.
 */

import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isObject } from '../fields/json';
import { memberOf, reasonOf } from '../fields/thrown';
import type { Day, Days, Usage } from './usage';
import { addDays, countNames } from './usage';

/** How long counts wait until they are written, ms. With the time that writing takes they stay below 10 s. */
const longestWait = 5000;
/** How many days are kept: those of two months. */
const mostDays = 62;
/** How many budgets are remembered for which a warning was logged. */
const mostWarnings = 20;
/** A file of two months has some 100 KB; one that is larger was not written here. */
const mostBytes = 16 * 1024 * 1024;

/** What is in the file. */
interface Content {
  days: Days;
  /** The periods and budgets for which a warning was logged. */
  warned: string[];
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isCounts = (value: unknown): boolean => isObject(value) && countNames.every((name) => isCount(value[name]));

const isDay = (value: unknown): value is Day =>
  isObject(value) && Object.entries(value).every(([name, counts]) => /^[a-z]+ \w+$/.test(name) && isCounts(counts));

const isDays = (value: unknown): value is Days =>
  isObject(value) && Object.entries(value).every(([day, counts]) => /^\d{4}-\d\d-\d\d$/.test(day) && isDay(counts));

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** Reads the text of the file. Throws if it was not written by this pack. */
function contentOf(text: string): Content {
  const read: unknown = JSON.parse(text);
  if (isObject(read) && isDays(read.days) && isTexts(read.warned)) return { days: read.days, warned: read.warned };
  throw new Error('it is not what was written there');
}

/**
 * The text of the file, with the latest days. Those before a certain day are not dropped, since a clock that runs ahead would
 * drop all of them.
 */
function textOf(days: Days, warned: string[]): string {
  const latest = Object.entries(days)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .slice(-mostDays);
  return JSON.stringify({ days: Object.fromEntries(latest), warned: warned.slice(-mostWarnings) } satisfies Content);
}

/** The files with counts that are not written yet; they are written when the process ends, if not before. */
const unwritten = new Set<UsageFile>();

function writeAll(): void {
  for (const file of unwritten) file.writeNow();
}

/** The file with the counts of an account. */
export class UsageFile {
  #warned: string[] = [];
  /** The version of the file that was last read or written here. */
  #version = '';
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #isWriting = false;

  /** Reads the file, if there is one. `path` is `undefined` where Node-RED has no user directory. `warn` logs a text. */
  constructor(
    private readonly path: string | undefined,
    private readonly usage: Usage,
    private readonly warn: (text: string) => void
  ) {
    const content = this.#read();
    if (content) this.#take(content);
    this.#version = this.#versionOfFile();
  }

  /** To be called when something was counted. */
  changed(): void {
    if (this.#timer !== undefined) return;
    if (this.path === undefined) {
      this.#failed(new Error('Node-RED has no user directory'));
      return;
    }
    if (unwritten.size === 0) process.on('exit', writeAll);
    unwritten.add(this);
    this.#timer = setTimeout(() => this.write(), longestWait).unref();
  }

  /** Whether a warning was logged already. From now on it was. */
  wasWarned(what: string): boolean {
    if (this.#warned.includes(what)) return true;
    this.#warned = [...this.#warned, what];
    this.changed();
    return false;
  }

  /** Writes at once what is not written yet, for the end of the process. */
  writeNow(): void {
    if (this.path === undefined) return;
    this.#endWait();
    try {
      mkdirSync(dirname(this.path), { recursive: true });
      writeFileSync(this.#newPath(this.path), this.#next(this.usage.takeUnwritten()).text, { mode: 0o600 });
      renameSync(this.#newPath(this.path), this.path);
    } catch {
      // The process is ending, so there is nobody left to tell.
    }
  }

  /** Writes what is not written yet. If that fails, it is tried again later, and one warning says so. */
  async write(): Promise<void> {
    if (this.path === undefined) return;
    this.#endWait();
    // A disk that hangs must not take one of Node.js's few threads for files after the other.
    if (this.#isWriting) return this.changed();
    const days = this.usage.takeUnwritten();
    this.#isWriting = true;
    try {
      await this.#write(this.path, days);
      this.#isFailing = false;
      if (this.#timer === undefined) unwritten.delete(this);
      if (unwritten.size === 0) process.off('exit', writeAll);
    } catch (error) {
      this.usage.giveBack(days);
      this.changed();
      this.#failed(error);
    } finally {
      this.#isWriting = false;
    }
  }

  #endWait(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #write(path: string, days: Days): Promise<void> {
    const { text, others } = this.#next(days);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(this.#newPath(path), 'w', 0o600);
    try {
      await file.writeFile(text);
      // After a power failure the file could otherwise be empty.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(this.#newPath(path), path);
    if (others) this.#take(others);
    this.#version = this.#versionOfFile();
  }

  /** Another process of the same user directory has another one. */
  #newPath(path: string): string {
    return `${path}.${process.pid}.new`;
  }

  /**
   * The next text of the file: its counts, with those that this process has not written yet. If another process has
   * written to the file, `others` is everything in it.
   */
  #next(fresh: Days): { text: string; others?: Content } {
    const others = this.#version === this.#versionOfFile() ? undefined : this.#read();
    if (!others) return { text: textOf(this.usage.days, this.#warned) };
    addDays(others.days, fresh);
    others.warned = [...new Set([...others.warned, ...this.#warned])];
    return { text: textOf(others.days, others.warned), others };
  }

  #take({ days, warned }: Content): void {
    this.usage.setWritten(days);
    this.#warned = warned;
  }

  #versionOfFile(): string {
    const stats = this.path === undefined ? undefined : statSync(this.path, { throwIfNoEntry: false });
    return stats ? `${stats.ino} ${stats.mtimeMs} ${stats.size}` : '';
  }

  /** What the file holds; `undefined` if there is none. One that cannot be read is set aside. */
  #read(): Content | undefined {
    if (this.path === undefined) return undefined;
    try {
      if (statSync(this.path).size > mostBytes) throw new Error('it is too large');
      return contentOf(readFileSync(this.path, 'utf8'));
    } catch (error) {
      const code = memberOf(error, 'code');
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#setAside(this.path, error);
      return undefined;
    }
  }

  #setAside(path: string, why: unknown): void {
    // biome-ignore lint/plugin/clock: people read it
    const aside = `${path}.${new Date().toISOString().replaceAll(':', '.')}.damaged`;
    try {
      renameSync(path, aside);
      this.warn(
        `The counts of this account in ${path} cannot be read (${reasonOf(why)}): the file is ${aside} now, and counting begins anew.`
      );
    } catch {
      this.warn(`The counts of this account in ${path} cannot be read (${reasonOf(why)}): counting begins anew.`);
    }
  }

  /** Says once that counts cannot be written. */
  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const where = this.path === undefined ? '' : ` to ${this.path}`;
    this.warn(
      `The counts of this account cannot be written${where}: ${reasonOf(error)}. Counting goes on, but a restart begins with what was written before.`
    );
  }
}
