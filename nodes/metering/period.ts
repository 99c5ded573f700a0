/** The periods of a budget, in UTC, as AWS bills. */

export type PeriodUnit = 'day' | 'month';

/** From its first day to the first one of the next period, each as `YYYY-MM-DD`. */
export interface Period {
  readonly unit: PeriodUnit;
  readonly from: string;
  readonly to: string;
}

const dayLength = 24 * 60 * 60 * 1000;
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** The last answer of `dayOf`, since that is asked for each request. */
const known = { began: Number.NaN, day: '' };

/** The day of a time in ms since 1970, as `YYYY-MM-DD`. */
export function dayOf(time: number): string {
  if (!(time >= known.began && time < known.began + dayLength)) {
    known.day = dateOf(time);
    known.began = Date.parse(known.day);
  }
  return known.day;
}

/** The period in which a day is, or with `before` the one that ended then. */
export function periodOf(unit: PeriodUnit, day: string, before = 0): Period {
  const date = new Date(day);
  const [year, month, number] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const begin = (later: number) =>
    dateOf(unit === 'month' ? Date.UTC(year, month + later, 1) : Date.UTC(year, month, number + later));
  return { unit, from: begin(-before), to: begin(1 - before) };
}

/** The beginning of a day, as ISO 8601. */
export const midnight = (day: string): string => `${day}T00:00:00.000Z`;
