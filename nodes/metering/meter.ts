/** Counts what the requests of an account come to, and stops those for which its budget has nothing left. */
import { ownError } from '../fields/errors';
import { dayOf, midnight, type Period, type PeriodUnit, periodOf } from './period';
import type { Bill, Nanodollars } from './prices';
import type { Outcome, Usage } from './usage';
import type { UsageFile } from './usage-file';

/** The limit of an account. */
export interface Budget {
  /** What all requests of a period may cost; `undefined`: no limit. */
  readonly most: Nanodollars | undefined;
  readonly unit: PeriodUnit;
}

export const unlimited: Budget = { most: undefined, unit: 'month' };

/** What the requests of an account have cost in a period, and its budget for that, dollars. */
export interface Balance {
  readonly period: { unit: PeriodUnit; from: string; to: string };
  readonly cost: number;
  readonly budget: number | null;
  readonly left: number | null;
}

/** What the requests of an account came to. */
interface Report extends Balance {
  readonly operations: readonly OperationReport[];
}

interface OperationReport {
  readonly service: string;
  readonly operation: string;
  readonly requests: number;
  readonly failed: number;
  readonly throttled: number;
  readonly units: number;
  readonly cost: number;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
}

/**
 * What is sent whatever the budget: what protects messages that were received already, and the lists of the editor.
 */
const always = new Set([
  'ChangeMessageVisibility',
  'ChangeMessageVisibilityBatch',
  'DeleteMessage',
  'DeleteMessageBatch',
  'ListQueues'
]);

/** The part of a budget at which a warning is logged. */
const nearly = 0.8;

/** Dollars with 6 decimals. */
const dollars = (nanodollars: Nanodollars): number => Math.round(nanodollars / 1000) / 1e6;

const nanodollarsIn = 1e9;
export const toNanodollars = (dollars: number): Nanodollars => Math.round(dollars * nanodollarsIn);
/** An amount for people, without zeros at the end. */
const shown = (nanodollars: Nanodollars): string =>
  `${(nanodollars / nanodollarsIn).toLocaleString('en-US', { maximumFractionDigits: 9, useGrouping: false })} USD`;

/** What a meter asks of those who have made it. */
interface MeterHolder {
  /** Logs a text about the account. */
  warn(text: string): void;
  /** Called when nothing new is counted any more. */
  closed(): void;
}

/** The meter of an account as it is deployed now. The counts and their file outlive it. */
export class Meter {
  #day = '';
  #period: Period;

  constructor(
    private readonly usage: Usage,
    private readonly file: UsageFile,
    private readonly budget: Budget,
    private readonly holder: MeterHolder
  ) {
    this.#period = periodOf(budget.unit, this.#today());
  }

  /** Holds what a request will cost, until it is released. Throws `BudgetExceeded` if there is less left than that. */
  hold(operation: string, cost: Nanodollars): void {
    if (cost > 0 && this.budget.most !== undefined && !always.has(operation)) this.#check(cost, this.budget.most);
    this.usage.held += cost;
  }

  /** The same for a repetition, which is not stopped. */
  holdMore(cost: Nanodollars): void {
    this.usage.held += cost;
  }

  release(held: Nanodollars): void {
    this.usage.held -= held;
  }

  /** Counts a request that has ended. */
  count(service: string, operation: string, bill: Bill, outcome: Outcome): void {
    this.usage.count(this.#today(), service, operation, bill, outcome);
    this.file.changed();
    this.#warnIfNearlySpent();
  }

  /** To be called when its account is closed; requests in flight are still counted. */
  close(): void {
    this.holder.closed();
  }

  /** What this period has cost so far, beside the budget. */
  balance(): Balance {
    return this.#balance(periodOf(this.budget.unit, this.#today()));
  }

  #balance({ from, to }: Period): Balance {
    const { unit, most } = this.budget;
    const cost = this.usage.cost(from, to);
    return {
      period: { unit, from: midnight(from), to: midnight(to) },
      cost: dollars(cost),
      budget: most === undefined ? null : dollars(most),
      left: most === undefined ? null : dollars(Math.max(0, most - cost))
    };
  }

  /** What was counted in this period, or in the one before. */
  report(which: 'current' | 'last'): Report {
    const period = periodOf(this.budget.unit, this.#today(), which === 'last' ? 1 : 0);
    const { from, to } = period;
    const operations = this.usage
      .operations(from, to)
      .sort((one, other) => other.nanodollars - one.nanodollars || other.requests - one.requests);
    return {
      ...this.#balance(period),
      operations: operations.map(({ operation, nanodollars, durations, ...counts }) => {
        const [service = '', name = ''] = operation.split(' ');
        const times = { medianMs: durations?.at(0.5) ?? null, p95Ms: durations?.at(0.95) ?? null };
        return { service, operation: name, ...counts, cost: dollars(nanodollars), ...times };
      })
    };
  }

  /** What was spent in this period. */
  get #spent(): Nanodollars {
    return this.usage.cost(this.#period.from, this.#period.to);
  }

  #check(cost: Nanodollars, most: Nanodollars): void {
    this.#today();
    const spent = this.#spent;
    const { held } = this.usage;
    if (spent + held + cost <= most) return;
    const { unit, to } = this.#period;
    const inFlight = held > 0 ? `, and ${shown(held)} are held for requests in flight` : '';
    throw ownError(
      'BudgetExceeded',
      `The account's budget of ${shown(most)} for this ${unit} has nothing left for a request of about ${shown(cost)}: ${shown(spent)} are spent${inFlight}; the next ${unit} begins at ${midnight(to)} (UTC).`
    );
  }

  #warnIfNearlySpent(): void {
    const { most } = this.budget;
    const spent = this.#spent;
    if (most === undefined || spent === 0 || spent < most * nearly) return;
    const { unit, from, to } = this.#period;
    if (this.file.wasWarned(`${unit} ${from} ${most}`)) return;
    this.holder.warn(
      `${Math.floor((100 * spent) / most)} % of the budget of ${shown(most)} for this ${unit} are spent; requests that cost more than is left will end with BudgetExceeded until ${midnight(to)} (UTC).`
    );
  }

  /** The day by this machine's clock, which may be set at any time. The period follows it. */
  #today(): string {
    // biome-ignore lint/plugin/clock: AWS bills by date
    const day = dayOf(Date.now());
    if (day !== this.#day) {
      this.#day = day;
      this.#period = periodOf(this.budget.unit, day);
    }
    return day;
  }
}
