/** The clock of this process, which a test sets as NTP or a user does. `performance.now()` and timers go on as they do then. */
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
