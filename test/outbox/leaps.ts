/** The time of the store, in the pack that Node-RED runs: it stands still, and leaps where somebody says so. */
const { time } = require('../../dist/nodes/outbox/time.js') as typeof import('../../nodes/outbox/time');

interface Timer {
  at: number;
  work(): void;
}

interface Leaps {
  /** Lets so many ms pass at once: what is due by then happens in its order. */
  leap(ms: number): void;
  /** How much is due later. */
  readonly due: number;
  /** Lets time go on as it does. */
  end(): void;
}

/** For the tests of a file. */
export function useLeaps(): Pick<Leaps, 'leap' | 'due'> {
  let leaps: Leaps | undefined;
  before(() => {
    leaps = startLeaps();
  });
  after(() => leaps?.end());
  return {
    leap: (ms) => leaps?.leap(ms),
    get due() {
      return leaps?.due ?? 0;
    }
  };
}

export function startLeaps(): Leaps {
  const real = { ...time };
  const timers = new Set<Timer>();
  // A whole number, so that sums of it are exact.
  let now = Math.ceil(real.now());
  time.now = () => now;
  time.after = (ms, work) => {
    const timer = { at: now + ms, work };
    timers.add(timer);
    return () => timers.delete(timer);
  };

  const leap = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (!next) break;
      timers.delete(next);
      now = Math.max(now, next.at);
      next.work();
    }
    now = end;
  };
  return {
    leap,
    get due() {
      return timers.size;
    },
    end: () => Object.assign(time, real)
  };
}
