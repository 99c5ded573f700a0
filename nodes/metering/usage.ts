/** What the requests of an account came to, by UTC day and operation. */
import { Durations } from './durations';
import type { Bill, Nanodollars } from './prices';

/** What was counted of an operation. */
interface Counts {
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

/** What became of a request. */
export interface Outcome {
  readonly failed: boolean;
  /** Refused because of its rate. */
  readonly throttled: boolean;
  /** How long it took, ms. */
  readonly took: number;
}

/** Where the requests of an operation are counted on a day. */
interface Current {
  readonly day: string;
  readonly all: Counts;
  readonly unwritten: Counts;
  readonly durations: Durations;
}

/** The counts of one operation in a period, and how long its requests took since Node-RED has started. */
interface OperationUsage extends Counts {
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

/** Counts a request. */
function count(counts: Counts, { units, cost }: Bill, { failed, throttled }: Outcome): void {
  counts.requests += 1;
  if (failed) counts.failed += 1;
  if (throttled) counts.throttled += 1;
  counts.units += units;
  counts.nanodollars += cost;
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
  /** Where requests are counted at the moment, by operation: names are put together and looked up once. */
  readonly #current = new Map<string, Current>();
  /** The cost by day. */
  readonly #costs = new Map<string, Nanodollars>();
  /** The last answer of `cost`, since that is asked for each request. */
  #sum = { from: '', to: '', cost: 0 };
  /** The price of the requests in flight. */
  held: Nanodollars = 0;

  /** Counts a request that has ended on this day. */
  count(day: string, service: string, operation: string, bill: Bill, outcome: Outcome): void {
    const known = this.#current.get(operation);
    const { all, unwritten, durations } = known?.day === day ? known : this.#find(day, service, operation);
    count(all, bill, outcome);
    count(unwritten, bill, outcome);
    durations.add(outcome.took);
    this.#addCost(day, bill.cost);
  }

  #find(day: string, service: string, operation: string): Current {
    const name = `${service} ${operation}`;
    const durations = this.#durations.get(name) ?? new Durations();
    this.#durations.set(name, durations);
    const [all, unwritten] = [countsIn(this.#days, day, name), countsIn(this.#unwritten, day, name)];
    const current = { day, all, unwritten, durations };
    this.#current.set(operation, current);
    return current;
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

  /** Takes out the counts that are not written to the file yet. */
  takeUnwritten(): Days {
    const unwritten = this.#unwritten;
    this.#unwritten = {};
    this.#current.clear();
    return unwritten;
  }

  /** Puts back counts that could not be written. */
  giveBack(unwritten: Days): void {
    addDays(this.#unwritten, unwritten);
  }

  /** Sets the counts that are in the file now; some of them may be from another process. */
  setWritten(days: Days): void {
    this.#days = days;
    this.#current.clear();
    addDays(this.#days, this.#unwritten);
    this.#costs.clear();
    this.#sum = { from: '', to: '', cost: 0 };
    for (const [day, , { nanodollars }] of entriesOf(this.#days)) this.#addCost(day, nanodollars);
  }

  #addCost(day: string, nanodollars: Nanodollars): void {
    this.#costs.set(day, (this.#costs.get(day) ?? 0) + nanodollars);
    if (day >= this.#sum.from && day < this.#sum.to) this.#sum.cost += nanodollars;
  }
}
