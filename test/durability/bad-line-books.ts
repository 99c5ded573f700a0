/** The books of a day on a bad line: what became of each message, and what was wrong with the line at that time. */

/** The entry nodes, by what carries their messages. */
export const kinds = ['queue', 'fifo', 'topic', 'invoke', 'detect'] as const;
export type Kind = (typeof kinds)[number];

/** The receivers, by the entry nodes whose messages come there. */
export const received = ['queue', 'fifo', 'topic'] as const;

/** Something that is wrong with the line, or with the clock of this machine. Times are s since the beginning. */
export interface Trouble {
  what: 'death' | 'reset' | 'jump' | 'portal' | 'slow' | 'renewal';
  start: number;
  end: number;
}

/** What was given to an entry node. */
interface Entry {
  kind: Kind;
  n: number;
  begun: number;
  /** When it ended, the first time. */
  ended?: number;
  dones: number;
  error?: string;
}

/** A message that a receiver has sent on. */
interface Receipt {
  n: number;
  messageId: string;
  at: number;
}

/** How long after the end of a trouble everything is to be as it was, s. */
const recovery = 30;
/** How long the throughput is measured, s. */
const stretch = 30;

export class Books {
  readonly #entries = new Map<string, Entry>();
  readonly #receipts: Record<(typeof received)[number], Receipt[]> = { queue: [], fifo: [], topic: [] };
  readonly troubles: Trouble[] = [];
  readonly problems: string[] = [];

  /** @param now the time, s since the beginning */
  constructor(
    private readonly now: () => number,
    /** How many messages an entry node of each kind gets in a second. */
    private readonly rates: Record<Kind, number>
  ) {}

  begin(kind: Kind, n: number): void {
    this.#entries.set(`${kind} ${n}`, { kind, n, begun: this.now(), dones: 0 });
  }

  /** A message has ended at its entry node. */
  end(kind: Kind, n: number, error?: string): void {
    const entry = this.#entries.get(`${kind} ${n}`);
    if (!entry) return void this.problems.push(`${kind} ${n} ended, but was never begun`);
    entry.dones += 1;
    entry.ended ??= this.now();
    if (error !== undefined) entry.error ??= error;
  }

  receive(kind: (typeof received)[number], n: number, messageId: string): void {
    this.#receipts[kind].push({ n, messageId, at: this.now() });
  }

  /** How many messages have not ended. */
  get open(): number {
    return [...this.#entries.values()].filter(({ dones }) => dones === 0).length;
  }

  /** Adds what is wrong; `runs` says how often the function was invoked with each number. */
  judge(runs: Map<number, number>): Record<string, unknown> {
    this.#judgeEnds();
    const doubles = this.#judgeReceipts();
    const invokedTwice = this.#judgeRuns(runs);
    const windows = this.#judgeThroughput();
    const entries = [...this.#entries.values()];
    const quick = entries.filter(({ error }) => error === undefined).map(({ begun, ended = 0 }) => ended - begun);
    return {
      messages: entries.length,
      received: Object.fromEntries(received.map((kind) => [kind, this.#receipts[kind].length])),
      errors: countBy(entries.flatMap(({ kind, error }) => (error === undefined ? [] : [`${kind} ${error}`]))),
      doubles,
      invokedTwice,
      windows,
      troubles: countBy(this.troubles.map(({ what }) => what)),
      slowest: Math.round(quick.reduce((most, each) => Math.max(most, each), 0) * 10) / 10
    };
  }

  /** What explains that a request failed, or that nobody knows whether it was carried out. */
  #cut(from: number, to: number): Trouble | undefined {
    const isCut = ({ what }: Trouble) => what === 'death' || what === 'reset' || what === 'portal';
    return this.troubles.find((trouble) => isCut(trouble) && isIn(trouble, from, to));
  }

  /** What explains that a message was shown again: it could not be deleted, nor kept hidden, until its time was over. */
  #longCut(from: number, to: number): Trouble | undefined {
    return this.troubles.find((trouble) => trouble.what === 'portal' && isIn(trouble, from, to));
  }

  #judgeEnds(): void {
    for (const { kind, n, begun, ended, dones, error } of this.#entries.values()) {
      const name = `${kind} ${n} of ${at(begun)}`;
      if (dones !== 1) this.problems.push(`${name} has ended ${dones} times`);
      else if (error !== undefined && !this.#cut(begun, ended as number))
        this.problems.push(`${name} has failed with ${error} at ${at(ended as number)} on a good line`);
    }
  }

  /** Gives what came twice, and why. */
  #judgeReceipts(): string[] {
    const doubles: string[] = [];
    for (const kind of received) {
      const byNumber = new Map<number, Receipt[]>();
      for (const receipt of this.#receipts[kind])
        byNumber.set(receipt.n, [...(byNumber.get(receipt.n) ?? []), receipt]);
      for (const entry of this.#entries.values()) {
        const isLost = entry.kind === kind && entry.error === undefined && !byNumber.has(entry.n);
        if (isLost && entry.dones > 0)
          this.problems.push(`${kind} ${entry.n} of ${at(entry.begun)} was never received`);
      }
      for (const [n, receipts] of byNumber) {
        receipts.slice(1).forEach((receipt, index) => {
          const former = receipts[index] as Receipt;
          const isSent = former.messageId !== receipt.messageId;
          const from = isSent ? (this.#entries.get(`${kind} ${n}`)?.begun ?? 0) : former.at;
          const cut = isSent ? this.#cut(from, receipt.at) : this.#longCut(from, receipt.at);
          const twice = `${kind} ${n} came at ${at(former.at)} and at ${at(receipt.at)}${isSent ? ', since it was sent twice' : ''}`;
          if (cut) doubles.push(`${twice}: ${cut.what} at ${at(cut.start)}`);
          else this.problems.push(`${twice}, on a good line`);
        });
      }
    }
    return doubles;
  }

  #judgeRuns(runs: Map<number, number>): number {
    let twice = 0;
    for (const { kind, n, begun, error } of this.#entries.values()) {
      const count = runs.get(n) ?? 0;
      if (kind !== 'invoke') continue;
      if (count > 1) twice += 1;
      // Not even a reset explains that: an invocation is never sent again.
      if (count > 1) this.problems.push(`invoke ${n} of ${at(begun)} ran ${count} times`);
      if (count === 0 && error === undefined) this.problems.push(`invoke ${n} of ${at(begun)} has never run`);
    }
    return twice;
  }

  /** Half a minute after each end of a trouble everything goes on as before it; gives how many ends were looked at. */
  #judgeThroughput(): number {
    const ends = this.troubles.filter((trouble) => !this.#isFollowed(trouble));
    for (const { what, end } of ends) {
      const [from, to] = [end + recovery, end + recovery + stretch];
      const isMeasured = (moment = -1) => from <= moment && moment < to;
      const name = `after the end of a ${what} at ${at(end)}`;
      const done = [...this.#entries.values()].filter(({ error, ended }) => error === undefined && isMeasured(ended));
      for (const kind of kinds)
        this.#compare(name, `${kind} done`, done.filter((each) => each.kind === kind).length, kind);
      for (const kind of received)
        this.#compare(
          name,
          `${kind} received`,
          this.#receipts[kind].filter((each) => isMeasured(each.at)).length,
          kind
        );
    }
    return ends.length;
  }

  /** One message may fall out of the stretch, or into it. */
  #compare(name: string, what: string, count: number, kind: Kind): void {
    const usual = Math.floor(this.rates[kind] * stretch);
    if (count < usual - 1) this.problems.push(`${name}: ${count} ${what} in ${stretch} s, usually ${usual}`);
  }

  /** Whether another trouble begins, or goes on, before the throughput has been measured. A slow line takes all that comes. */
  #isFollowed(trouble: Trouble): boolean {
    const until = trouble.end + recovery + stretch;
    return this.troubles.some(
      (other) =>
        other !== trouble &&
        other.what !== 'renewal' &&
        other.what !== 'slow' &&
        other.start <= until &&
        other.end >= trouble.end
    );
  }
}

const isIn = ({ start, end }: Trouble, from: number, to: number): boolean => start <= to && from <= end + recovery;

const two = (number: number): string => String(number).padStart(2, '0');

/** A time of the day. */
export const at = (seconds: number): string =>
  `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.floor(seconds) % 60)}`;

function countBy(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
