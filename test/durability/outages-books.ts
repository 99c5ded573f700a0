/** The books of a run over outages: they survive the processes that they are about. */

/** A message that came out of a queue. */
interface Arrival {
  messageId: string;
  /** When the queue took it, ms since 1970. */
  sent: number;
}

/** How long after a message has gone out the store has noted that, ms: 2 s, and what a busy machine adds. */
const notedAfter = 10_000;
/** How long after the death of the sender a queue may take what it was sent before, ms. */
const underWay = 2000;

/** From 0 to `groups`: messages with even numbers go to the FIFO queue, the others to the standard one. */
export const groups = 8;
const isFifo = (n: number): boolean => n % 2 === 0;
const groupOf = (n: number): number => (n >> 1) % groups;

export class Books {
  /** Numbers of messages that ended without an error, and with one. What a process that died has told nobody is neither. */
  readonly safe = new Set<number>();
  readonly refused = new Set<number>();
  /** When the process was killed, ms since 1970. */
  readonly deaths: number[] = [];
  /** While the disk was full, ms since 1970: nothing could be noted. */
  readonly full = { from: Infinity, to: Infinity };
  readonly #arrivals = new Map<number, Arrival[]>();
  /** By FIFO group: the number of the latest message. */
  readonly #latest = new Map<number, number>();
  #disorder = 0;
  #arrived = 0;

  ended(n: number, isSafe: boolean): void {
    (isSafe ? this.safe : this.refused).add(n);
  }

  /** A queue gives a message out; one that it has given out before counts once. */
  arrive(n: number, arrival: Arrival): void {
    const arrivals = this.#arrivals.get(n) ?? [];
    this.#arrivals.set(n, arrivals);
    if (arrivals.some(({ messageId }) => messageId === arrival.messageId)) return;
    arrivals.push(arrival);
    this.#arrived += 1;
    if (arrivals.length > 1 || !isFifo(n)) return;
    const group = groupOf(n);
    if (n < (this.#latest.get(group) ?? -1)) this.#disorder += 1;
    this.#latest.set(group, n);
  }

  /** How many came out of the queues, repetitions included. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Those that are safe and have not arrived. */
  get missing(): number[] {
    return [...this.safe].filter((n) => !this.#arrivals.has(n));
  }

  /**
   * What must not be, in sentences, and figures.
   *
   * @param untold by number: how often the queue has taken a message without telling the sender
   */
  close(untold: ReadonlyMap<number, number>): { problems: string[]; figures: Record<string, number> } {
    const repeated = { afterDeath: 0, afterLostAnswer: 0, unexplained: [] as number[] };
    for (const [n, arrivals] of this.#arrivals) this.#explain(n, arrivals, untold.get(n) ?? 0, repeated);
    const back = [...this.refused].filter((n) => this.#arrivals.has(n));
    const said = (numbers: number[], what: string) =>
      numbers.length === 0 ? [] : [`${numbers.length} ${what}: ${numbers.slice(0, 10).join(', ')}`];
    return {
      problems: [
        ...said(this.missing, 'were safe and have not arrived'),
        ...said(back, 'ended with an error and have arrived'),
        ...said(repeated.unexplained, 'came again, and no death and no lost answer explains it'),
        ...(this.#disorder > 0 ? [`${this.#disorder} came before an earlier one of their FIFO group`] : [])
      ],
      figures: {
        safe: this.safe.size,
        refused: this.refused.size,
        arrived: this.#arrivals.size,
        deaths: this.deaths.length,
        repeatedAfterDeath: repeated.afterDeath,
        repeatedAfterLostAnswer: repeated.afterLostAnswer
      }
    };
  }

  #explain(
    n: number,
    arrivals: Arrival[],
    lostAnswers: number,
    counts: { afterDeath: number; afterLostAnswer: number; unexplained: number[] }
  ): void {
    const times = arrivals.map(({ sent }) => sent).sort((one, other) => one - other);
    let lost = lostAnswers;
    times.slice(1).forEach((next, index) => {
      const before = times[index] as number;
      const { from, to } = this.full;
      const noted = notedAfter + (before > from - notedAfter && before < to ? to : before);
      const isDead = this.deaths.some((at) => at >= before - underWay && at <= next && at <= noted);
      if (isDead) counts.afterDeath += 1;
      else if (lost > 0) {
        lost -= 1;
        counts.afterLostAnswer += 1;
      } else counts.unexplained.push(n);
    });
  }
}
