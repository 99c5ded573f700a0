/** The clock of this process, which a test sets as NTP or a user does, and the time that passes for it. Timers know neither. */
const RealDate = Date;
let ahead = 0;

/** The true time, ms since the epoch, whatever the clock says. */
export const trueTime = (): number => RealDate.now();

const now = (): number => trueTime() + ahead;

class SetDate extends RealDate {
  constructor(...given: []) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static override now = now;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof RealDate;
  }
}

/** Sets the clock so many ms ahead of the true time; a negative number sets it back, 0 puts it right. */
export function setClock(ms: number): void {
  ahead = ms;
  globalThis.Date = (ms === 0 ? RealDate : SetDate) as DateConstructor;
}

const steadyTime = performance.now;
let passed = 0;

/** Lets so many ms pass by `performance.now()`, which no clock changes; gives how many have passed so in all. */
export function letPass(ms: number): number {
  passed += ms;
  performance.now = () => steadyTime.call(performance) + passed;
  return passed;
}

/** Puts right what a test has set: also when it has failed. */
export function setTimeRight(): void {
  setClock(0);
  passed = 0;
  performance.now = steadyTime;
}
