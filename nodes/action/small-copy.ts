/** Small copies of messages, for people to look at. */
import { types } from 'node:util';

/** How large a copy may be, in bytes of JSON. */
const mostBytes = 32_768;
/** How many characters of each text, and bytes of each Buffer, are copied first; texts get more where there is room. */
const firstCharacters = 200;
const firstBytes = 64;
/** How many characters the texts may have of which a beginning is read: V8 joins the pieces of a text for that. */
const mostRead = 1_000_000;
/** The longest name of a member that is copied, in characters. */
const longestName = 200;
/** How deep objects may be in one another. */
const mostLevels = 20;

/** What takes the place of a secret. */
const struckOut = '***';

/** Names of members that usually have secrets. */
const secretNames = /secret|passw|passphrase|token|authori[sz]ation|cookie|credential|accesskey|api.?key|private.?key/i;

/** A copy of a value as JSON. */
export interface SmallCopy {
  readonly json: string;
  /** Whether something was left out, shortened or struck out. */
  readonly isShortened: boolean;
}

type Members = { [name: string]: unknown };

/** An object whose members are still to be copied. `around` is the one that it is in. */
interface Open {
  readonly from: object;
  readonly to: Members | unknown[];
  readonly level: number;
  readonly isSecret: boolean;
  readonly around: Open | undefined;
}

/** A text that did not fit as a whole. */
interface Cut {
  readonly to: Members;
  readonly name: string;
  readonly text: string;
  readonly bytes: number;
}

/** The bytes of a text, a number or the like as JSON. */
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const isAround = (open: Open | undefined, object: object): boolean =>
  open !== undefined && (open.from === object || isAround(open.around, object));

/** A member of an object, unless reading it would run code of the flow. */
const memberIn = (object: object, name: string): unknown => Object.getOwnPropertyDescriptor(object, name)?.value;

/** A date as JSON has it; `undefined` for one that is none. */
function textOfDate(date: Date): string | undefined {
  const time = Date.prototype.getTime.call(date);
  return Number.isFinite(time) ? new Date(time).toISOString() : undefined;
}

/** By assignment, the name `__proto__` would change the prototype. */
const put = (to: object, name: string, value: unknown): void => {
  Object.defineProperty(to, name, { value, enumerable: true, writable: true, configurable: true });
};

/** Level by level, so that what is near the top has its place before what is deep in something large. */
class Copier {
  isShortened = false;
  /** Without the braces of the message itself. */
  #left = mostBytes - 2;
  /** How many characters of texts may still be read. */
  #readable = mostRead;
  readonly #open: Open[] = [];
  readonly #cuts: Cut[] = [];

  copy(value: object): SmallCopy {
    const top: Members = {};
    this.#open.push({ from: value, to: top, level: 1, isSecret: false, around: undefined });
    for (const open of this.#open) this.#copyMembers(open);
    this.#lengthen();
    // As one new text: parts of long texts would keep these in memory.
    return { json: JSON.stringify(top), isShortened: this.isShortened };
  }

  #copyMembers(open: Open): void {
    if (Array.isArray(open.to)) this.#copyElements(open, open.from as unknown[], open.to);
    else this.#copyNamed(open);
  }

  #copyElements(open: Open, from: unknown[], to: unknown[]): void {
    for (let index = 0; index < from.length && this.#hasRoom(); index += 1) {
      // What cannot be copied, and a hole, keeps its place.
      to.push(null);
      this.#copyMember(open, String(index), open.isSecret);
    }
  }

  #copyNamed(open: Open): void {
    const { from, isSecret } = open;
    for (const name of Object.keys(from)) {
      if (!this.#hasRoom()) return;
      if (name.length > longestName) this.isShortened = true;
      else this.#copyMember(open, name, isSecret || secretNames.test(name));
    }
  }

  #hasRoom(): boolean {
    // An element takes at least a null and a comma.
    if (this.#left >= 5) return true;
    this.isShortened = true;
    return false;
  }

  #copyMember(open: Open, name: string, isSecret: boolean): void {
    // Of what is left out as well, since there may be a million of these.
    this.#left -= Array.isArray(open.to) ? 5 : sizeOf(name) + 2;
    const value = this.#copyOf(open, name, memberIn(open.from, name), isSecret);
    if (value === undefined) return;
    this.#left -= typeof value === 'object' && value !== null ? 2 : sizeOf(value);
    if (this.#left >= 0) put(open.to, name, value);
    else this.isShortened = true;
  }

  /** The copy of a value; of an object or array without its members, which come later. `undefined` leaves it out. */
  #copyOf(open: Open, name: string, value: unknown, isSecret: boolean): unknown {
    if (typeof value === 'string')
      return isSecret && value !== '' ? this.#strikeOut() : this.#textOf(open, name, value);
    if (typeof value === 'boolean' || value === null || Number.isFinite(value)) return value;
    if (typeof value !== 'object') {
      // Expressions see neither functions nor symbols.
      this.isShortened ||= typeof value === 'number' || typeof value === 'bigint';
      return undefined;
    }
    // Each of its characters is a member of its own.
    if (types.isStringObject(value)) return this.#copyOf(open, name, String.prototype.valueOf.call(value), isSecret);
    if (types.isUint8Array(value)) return isSecret ? this.#strikeOut() : this.#bufferOf(value);
    if (types.isDate(value)) return textOfDate(value);
    return this.#begin(open, value, isSecret);
  }

  #strikeOut(): string {
    this.isShortened = true;
    return struckOut;
  }

  #textOf({ to }: Open, name: string, text: string): string {
    if (text.length <= firstCharacters) return text;
    this.#readable -= text.length;
    if (this.#readable < 0) {
      this.isShortened = true;
      return '…';
    }
    const first = `${text.slice(0, firstCharacters)}…`;
    this.#cuts.push({ to: to as Members, name, text, bytes: sizeOf(first) });
    return first;
  }

  /** A Buffer as JSON has it. Only read by its indices, since a flow may have changed its other members. */
  #bufferOf(value: Uint8Array): unknown {
    const data: number[] = [];
    for (let at = value[0]; at !== undefined && data.length < firstBytes; at = value[data.length]) data.push(at);
    this.isShortened ||= value[data.length] !== undefined;
    this.#left -= 30 + 4 * data.length;
    return { type: 'Buffer', data };
  }

  #begin(around: Open, from: object, isSecret: boolean): unknown {
    const { level } = around;
    if (types.isProxy(from) || ArrayBuffer.isView(from) || level === mostLevels || isAround(around, from)) {
      this.isShortened = true;
      return undefined;
    }
    const to = Array.isArray(from) ? [] : {};
    this.#open.push({ from, to, level: level + 1, isSecret, around });
    return to;
  }

  /** Gives the texts that were cut the room that is left. */
  #lengthen(): void {
    for (const [index, { to, name, text, bytes }] of this.#cuts.entries()) {
      const share = Math.max(0, this.#left / (this.#cuts.length - index));
      // As many bytes a character as the beginning of the text has.
      const room = firstCharacters + Math.floor(share / Math.max(1, Math.round(bytes / firstCharacters)));
      const longer = text.length <= room ? text : `${text.slice(0, room)}…`;
      const more = sizeOf(longer) - bytes;
      const fits = Object.hasOwn(to, name) && more <= this.#left;
      this.isShortened ||= !fits || longer !== text;
      if (!fits) continue;
      this.#left -= more;
      put(to, name, longer);
    }
  }
}

/**
 * A copy of an object of at most 32 KB, with its structure as far as it fits: long texts, Buffers and lists are shortened,
 * and what is usually secret by its name is struck out. No getter is called. Reads little of what is large.
 */
export const smallCopyOf = (value: object): SmallCopy => new Copier().copy(value);
