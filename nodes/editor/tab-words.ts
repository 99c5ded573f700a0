/** Words of the AWS tab, and numbers and times, in the editor's language. */
import { name as packageName } from '../../package.json';

/** A text of `locales/<language>/nimbus.json`. */
export const say = (key: string, options: object = {}): string => RED._(`${packageName}/nimbus:${key}`, options);

type Unit = 'millisecond' | 'second';

/** Makes a format once for each way of writing. */
function formats<O, F>(make: (options: O) => F): (options: O) => F {
  const made = new Map<O, F>();
  return (options) => {
    const known = made.get(options) ?? make(options);
    made.set(options, known);
    return known;
  };
}

const numberOf = formats((options: Intl.NumberFormatOptions) => new Intl.NumberFormat(RED.i18n.lang(), options));
const timeOf = formats((options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(RED.i18n.lang(), options));

const unitOf = (unit: Unit, digits: number): Intl.NumberFormatOptions => ({
  style: 'unit',
  unit,
  unitDisplay: 'short',
  maximumFractionDigits: digits
});
const plain: Intl.NumberFormatOptions = {};
const money: Intl.NumberFormatOptions = { style: 'currency', currency: 'USD', maximumFractionDigits: 4 };
const shortTime: Intl.NumberFormatOptions = unitOf('millisecond', 0);
const longTime: Intl.NumberFormatOptions = unitOf('second', 1);
const clock: Intl.DateTimeFormatOptions = { timeStyle: 'medium' };
const dated: Intl.DateTimeFormatOptions = { dateStyle: 'short', timeStyle: 'short' };

export const count = (value: number): string => numberOf(plain).format(value);
export const dollars = (value: number): string => numberOf(money).format(value);

/** How long something took. */
export const duration = (ms: number): string =>
  ms < 1000 ? numberOf(shortTime).format(Math.round(ms)) : numberOf(longTime).format(ms / 1000);

/** A time of the day with its seconds. */
export const clockTime = (ms: number): string => timeOf(clock).format(ms);

/** A time, with its date where that is not today. */
export const momentOf = (ms: number): string => {
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return isToday ? clockTime(ms) : timeOf(dated).format(ms);
};
