/** What the requests of an account came to, by UTC day and operation. */
import { Durations } from './durations';
import type { Nanodollars } from './prices';

/** What was counted of an operation. */
export interface Counts {
  /** Attempts: where the SDK repeats a request, each is one. */
  requests: number;
  failed: number;
  /** Those of the failed ones that were refused because of their rate. */
  throttled: number;
  units: number;
  nanodollars: Nanodollars;
}

/** What was counted on a day, by operation, such as `sqs SendMessage`. */
export type Day = Record<string, Counts>;
/** By day, such as `2026-11-30`. */
export type Days = Record<string, Day>;

/** The counts of one operation in a period, and how long its requests took since Node-RED has started. */
export interface OperationUsage extends Counts {
  /** Such as `sqs SendMessage`. */
  readonly operation: string;
  readonly durations: Durations | undefined;
}

export const countNames = [
  'requests',
  'failed',
  'throttled',
  'units',
  'nanodollars'
] as const satisfies (keyof Counts)[];

const none = (): Counts => ({ requests: 0, failed: 0, throttled: 0, units: 0, nanodollars: 0 });

function add(to: Counts, more: Counts): void {
  for (const name of countNames) to[name] += more[name];
}

/** The counts of an operation on a day, which are made if there are none. */
function countsIn(days: Days, day: string, operation: string): Counts {
  days[day] ??= {};
  days[day][operation] ??= none();
  return days[day][operation];
}

const entriesOf = (days: Days): [day: string, operation: string, counts: Counts][] =>
  Object.entries(days).flatMap(([day, operations]) =>
    Object.entries(operations).map(([operation, counts]): [string, string, Counts] => [day, operation, counts])
  );

/** Adds the counts of some days to others. */
export function addDays(to: Days, more: Days): void {
  for (const [day, operation, counts] of entriesOf(more)) add(countsIn(to, day, operation), counts);
}

/** The counts of an account, as far as they are known to this process. */
export class Usage {
  #days: Days = {};
  /** Those that this process has counted since it has last written them down. */
  #unwritten: Days = {};
  readonly #durations = new Map<string, Durations>();
  /** The cost by day. */
  readonly #costs = new Map<string, Nanodollars>();
  /** The last answer of `cost`, since that is asked for each request. */
  #sum = { from: '', to: '', cost: 0 };
  /** The price of the requests in flight. */
  held: Nanodollars = 0;

  /** Counts a request of an operation that has ended on this day and took so many ms. */
  count(day: string, operation: string, counts: Counts, took: number): void {
    add(countsIn(this.#days, day, operation), counts);
    add(countsIn(this.#unwritten, day, operation), counts);
    this.#addCost(day, counts);
    const durations = this.#durations.get(operation) ?? new Durations();
    this.#durations.set(operation, durations);
    durations.add(took);
  }

  /** The cost from one day to another, which is not included. */
  cost(from: string, to: string): Nanodollars {
    if (this.#sum.from !== from || this.#sum.to !== to) {
      this.#sum = { from, to, cost: 0 };
      for (const [day, cost] of this.#costs) if (day >= from && day < to) this.#sum.cost += cost;
    }
    return this.#sum.cost;
  }

  /** The counts of each operation from one day to another, which is not included. */
  operations(from: string, to: string): OperationUsage[] {
    const sums: Record<string, OperationUsage> = {};
    for (const [day, operation, counts] of entriesOf(this.#days)) {
      if (day < from || day >= to) continue;
      sums[operation] ??= { operation, durations: this.#durations.get(operation), ...none() };
      add(sums[operation], counts);
    }
    return Object.values(sums);
  }

  get days(): Days {
    return this.#days;
  }

  /** Hands over what is not written down yet. */
  takeUnwritten(): Days {
    const unwritten = this.#unwritten;
    this.#unwritten = {};
    return unwritten;
  }

  /** Takes back what could not be written down. */
  giveBack(unwritten: Days): void {
    addDays(this.#unwritten, unwritten);
  }

  /** Takes in what is written down now; some of it may be of another process. */
  setWritten(days: Days): void {
    this.#days = days;
    addDays(this.#days, this.#unwritten);
    this.#costs.clear();
    this.#sum = { from: '', to: '', cost: 0 };
    for (const [day, , counts] of entriesOf(this.#days)) this.#addCost(day, counts);
  }

  #addCost(day: string, { nanodollars }: Counts): void {
    this.#costs.set(day, (this.#costs.get(day) ?? 0) + nanodollars);
    if (day >= this.#sum.from && day < this.#sum.to) this.#sum.cost += nanodollars;
  }
}
