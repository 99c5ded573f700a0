/**
 * `npm run outages`: 20,000 messages through nodes with `keep`, to a FIFO queue and to a standard one, while the link is down for
 * a third of the time (no answer, lost answers, no names, refused entries, throttling, resets, 503), and Node-RED is killed ten
 * times at random moments, deployed anew, and once has a full disk. Books are kept outside of its process. Then the same again
 * on a disk that forgets at each death what was not flushed. `npm run outages -- 2000 7` sends fewer, with another seed.
 */
import { allOutages, liveThrough, type Plan } from './outages-run';

async function main(messages = 20_000, seed = Math.floor(Math.random() * 1e6)): Promise<void> {
  const outages = [...allOutages, ...allOutages];
  const plan = { messages, outages, up: 8000, kills: 10, deployments: 3, seed };
  const disks: Partial<Plan>[] = [{ forgets: false }, { forgets: true }];
  for (const { forgets = false } of disks) {
    const { problems, figures } = await liveThrough({ ...plan, forgets });
    console.log(`seed ${seed}, ${forgets ? 'a disk that forgets what was not flushed' : 'the disk of this machine'}`);
    console.log(JSON.stringify({ messages, ...figures }, undefined, 2));
    for (const problem of problems) console.log(problem);
    console.log(`${problems.length === 0 ? 'PASS' : 'FAIL'}: ${problems.length} problems`);
    if (problems.length > 0) process.exitCode = 1;
  }
}

const [messages, seed] = process.argv.slice(2).map(Number);
main(messages, seed).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
