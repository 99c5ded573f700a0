/**
 * One process at a time has a store. Who has it stands in a file, with what tells whether that process lives:
 *
 * - On the same running system its number and the moment at which it began say for certain. Numbers begin anew in each
 *   container and after each boot, so the name of both belongs to it.
 * - After a boot of the same machine it is dead.
 * - Of a process of another container or of another machine nothing can be seen but that it touches the file again and again.
 *   It is watched for a while, by this machine's own running time, since the clocks of machines differ.
 *
 * Whoever finds another name in its file has lost the store, such as a machine that slept for long, and writes no more.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readlink, rename, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { memberOf } from '../fields/thrown';
import { isAbsent } from './disk';
import { time } from './time';

/** How often the holder touches the file, and for how long one that does not counts as living, ms. */
const beat = 10_000;
const patience = 25_000;
/** How often a file that is watched is looked at, ms. */
const look = 1000;
/** In what time two processes that find a store free at the same moment have both written their names, ms. */
const settling = 20;

/** A process; what the system does not tell is empty. */
interface Holder {
  /** Of this one holding, so that the same process may be told apart from itself. */
  token: string;
  pid: number;
  /** When the process began, by the system's own count. */
  began: string;
  boot: string;
  /** The space of process numbers that it is in. */
  space: string;
  machine: string;
  host: string;
}

const read = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => ''
  );

/** When a process of this system began; empty if there is none, or where the system does not tell. */
async function beganOf(pid: number | 'self'): Promise<string> {
  const line = await read(`/proc/${pid}/stat`);
  // Behind the name of the program, which may have blanks and brackets.
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function thisProcess(): Promise<Holder> {
  return {
    token: randomUUID(),
    pid: process.pid,
    began: await beganOf('self'),
    boot: await read('/proc/sys/kernel/random/boot_id'),
    space: await readlink('/proc/self/ns/pid').catch(() => ''),
    machine: await read('/etc/machine-id'),
    host: hostname()
  };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return memberOf(error, 'code') !== 'ESRCH';
  }
}

/** Whether the process of a file lives; `undefined` where this cannot be told. */
async function lives(holder: Holder, self: Holder): Promise<boolean | undefined> {
  const isSameBoot = holder.boot !== '' && holder.boot === self.boot;
  if (isSameBoot && holder.space !== '' && holder.space === self.space) {
    return holder.began !== '' && (await beganOf(holder.pid)) === holder.began;
  }
  const isSameHost = holder.host === self.host && holder.machine === self.machine;
  if (isSameHost && holder.machine !== '' && holder.boot !== '' && !isSameBoot) return false;
  // A system without these files, where numbers are used again after a while.
  if (isSameHost && self.boot === '' && holder.boot === '' && !isThere(holder.pid)) return false;
  return undefined;
}

const isHolder = (value: unknown): value is Holder =>
  typeof memberOf(value, 'token') === 'string' && typeof memberOf(value, 'pid') === 'number';

/** Who has the store: `undefined` if nobody has, or if the file was not written to its end. */
async function holderIn(path: string): Promise<Holder | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isHolder(found) ? found : undefined;
  } catch (error) {
    if (isAbsent(error) || memberOf(error, 'name') === 'SyntaxError') return undefined;
    throw error;
  }
}

/** A store that this process has. */
export class Lock {
  #timer: NodeJS.Timeout | undefined;
  #isLost = false;

  private constructor(
    private readonly path: string,
    private readonly self: Holder
  ) {
    this.#timer = setInterval(() => this.#touch(), beat).unref();
  }

  /**
   * Takes the store of a folder, which is made if it is missing. `undefined` if another process has it; where only watching
   * tells, that takes half a minute. Rejects with the error of the disk, or if the signal is aborted.
   */
  static async take(folder: string, signal: AbortSignal): Promise<Lock | undefined> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'lock');
    const self = await thisProcess();
    const holder = await holderIn(path);
    if (holder && ((await lives(holder, self)) ?? (await isTouched(path, signal)))) return undefined;
    await replace(path, self);
    // Where two found it free, the one that wrote last has it.
    await wait(settling);
    return (await holderIn(path))?.token === self.token ? new Lock(path, self) : undefined;
  }

  /** Whether another process has taken it. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async #touch(): Promise<void> {
    try {
      const holder = await holderIn(this.path);
      if (holder && holder.token !== this.self.token) this.#isLost = true;
      else if (!holder) await replace(this.path, this.self);
      // biome-ignore lint/plugin/clock: only that the time changes is looked at
      else await utimes(this.path, new Date(), new Date());
    } catch {
      // A disk that cannot be written shows in what is kept.
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if ((await holderIn(this.path).catch(() => undefined))?.token === this.self.token) {
      await unlink(this.path).catch(() => undefined);
    }
  }
}

/** Whether somebody touches the file while it is watched. */
async function isTouched(path: string, signal: AbortSignal): Promise<boolean> {
  const before = await stampOf(path);
  for (const began = time.now(); time.now() - began < patience; ) {
    await wait(look, undefined, { signal });
    if ((await stampOf(path)) !== before) return true;
  }
  return false;
}

const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ mtimeMs, ino }) => `${mtimeMs} ${ino}`,
    () => ''
  );

async function replace(path: string, self: Holder): Promise<void> {
  const temporary = `${path}.${self.token}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(JSON.stringify(self));
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
