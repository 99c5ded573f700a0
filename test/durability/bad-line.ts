/**
 * A day on a bad line, in the time that this machine needs for its work: `npm run bad-line` takes 24 hours, with `hour`
 * behind it the hour that the tests take.
 */
import type { Plan, Report } from './bad-line-day';
import { VirtualTime } from './virtual-time';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** How far the clock of the machine is set ahead, one after the other, s. */
const jumps = [60, 0, -2 * hour, 0, 400 * day, 2 * hour, -400 * day, -60, 0, -2 * hour];

const plans: Record<string, Plan> = {
  day: { length: day, deaths: 20, resets: 10, jumps, portal: hour, slow: 2 * hour, credentials: hour, every: 5 },
  hour: {
    length: hour,
    deaths: 6,
    resets: 4,
    jumps: jumps.filter((_, index) => index % 2 === 0),
    portal: 3 * minute,
    slow: 7 * minute,
    credentials: hour / 4,
    every: 8
  }
};

function print({ problems, figures }: Report): void {
  console.log(JSON.stringify(figures, null, 2));
  for (const problem of problems.slice(0, 40)) console.log(problem);
  console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems`);
}

async function main(name: string): Promise<void> {
  const plan = plans[name];
  if (!plan) throw new Error(`there is no plan ${name}; there are: ${Object.keys(plans).join(', ')}`);
  const time = VirtualTime.install();
  // Only now, since it looks at the clock.
  const { liveThrough } = await import('./bad-line-day.js');
  const report = await liveThrough(plan, time, (line) => console.log(line));
  print(report);
  process.exit(report.problems.length > 0 ? 1 : 0);
}

main(process.argv[2] ?? 'day').catch((error) => {
  console.error(error);
  process.exit(1);
});
