/** A budget over many requests and sudden ends: `npm run budget` sends 10,000 messages through ten of these, the tests fewer. */
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalAws } from '../../local-aws/client';
import type { Days } from '../../nodes/metering/usage';
import { makeUserDir } from '../node-red';
import { Runner } from './fleet';
import { sendingWithin } from './flows';
import { Ledger } from './ledger';
import { Queues } from './queues';

/** Of a request to a queue: 0.40 dollars for a million. */
const nanodollars = 400;
const senders = 5;
/** Messages under way at a time. */
const window = 10;
/** How long a request takes, ms: the budget has to last longer than the ends are apart. */
const roundTrip = 100;

/** What a budget has come to. */
export interface Spent {
  /** How many requests the budget was for. */
  budget: number;
  /** How many the file has at the end, and the most that it ever had. */
  counted: number;
  mostCounted: number;
  /** How many have come to AWS. */
  sent: number;
  /** Of these, how many a process had not written down when it was killed. */
  lost: number;
  /** How messages ended. */
  ended: { sent: number; BudgetExceeded: number; others: number };
}

/** Sends `count` messages from five nodes within a budget for half of them; Node-RED is killed so many times. */
export async function spend(count: number, kills: number): Promise<Spent> {
  const aws = await LocalAws.start();
  const queues = new Queues(aws);
  const ledger = new Ledger();
  const userDir = await makeUserDir(resolve(__dirname, '..', '..'));
  let runner: Runner | undefined;
  try {
    await queues.create('orders');
    await aws.fault({ kind: 'delay', delayMs: roundTrip, service: 'sqs', operation: 'SendMessage' });
    const budget = count / 2;
    let mostCounted = 0;
    const counted = async (): Promise<number> => {
      const requests = await countedIn(userDir);
      mostCounted = Math.max(mostCounted, requests);
      return requests;
    };
    const sent = async () => (await aws.requests()).filter(({ service, headers }) => isOfNode(service, headers)).length;
    let lost = 0;
    for (let life = 0; life <= kills; life += 1) {
      const [name, from, before] = [`life ${life}`, ledger.begunBy.size + life * window, await counted()];
      runner = await Runner.start(name, ledger, userDir);
      await runner.deploy(sendingWithin(aws, 'orders', senders, (budget * nanodollars) / 1e9));
      const fed = runner.feed({ from, count: count - from, window });
      if (life < kills) {
        // It is killed while messages are under way: those end with it.
        fed.catch(() => undefined);
        await ledger.until(async () => (await counted()) > before, 'counts to be written');
        await runner.kill();
        lost = (await sent()) - (await counted());
      } else {
        await fed;
        await ledger.until(async () => (await counted()) === budget, 'the budget to be spent');
      }
    }
    const { errors } = ledger;
    const { BudgetExceeded = 0, ...others } = errors;
    const ended = {
      sent: ledger.sent.size,
      BudgetExceeded,
      others: Object.keys(others).length + ledger.endedTwice.length
    };
    return { budget, counted: await counted(), mostCounted, sent: await sent(), lost, ended };
  } finally {
    await runner?.kill();
    queues.close();
    await aws.stop();
    await rm(userDir, { recursive: true, force: true });
  }
}

/** Whether a request to a queue is not one of the test itself. */
const isOfNode = (service: string, headers: Record<string, string>): boolean =>
  service === 'sqs' && !headers['user-agent']?.includes('nimbus-tests');

/** How many requests the file has; what stands there is always whole. */
async function countedIn(userDir: string): Promise<number> {
  const text = await readFile(join(userDir, 'nimbus', 'usage', 'account.json'), 'utf8').catch(() => '{"days":{}}');
  const { days } = JSON.parse(text) as { days: Days };
  const counts = Object.values(days).flatMap((day) => Object.values(day));
  return counts.reduce((sum, { requests }) => sum + requests, 0);
}

/** What of it is not as promised. */
export function faultsOf({ budget, counted, mostCounted, sent, lost, ended }: Spent): string[] {
  return [
    mostCounted > budget && `${mostCounted} requests were counted, of at most ${budget}`,
    counted !== budget && `${counted} requests were counted at the end, not ${budget}`,
    sent - lost !== budget && `${sent} requests came to AWS, of which ${lost} were lost by a kill: not ${budget}`,
    ended.others > 0 && `${ended.others} messages ended otherwise`,
    ended.BudgetExceeded === 0 && 'no message was stopped'
  ].filter((fault) => fault !== false);
}

async function main(count: number, kills: number): Promise<void> {
  const spent = await spend(count, kills);
  console.log(JSON.stringify(spent));
  const faults = faultsOf(spent);
  console.log(faults.length > 0 ? `FAIL: ${faults.join('; ')}` : 'PASS');
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (require.main === module) void main(Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 10));
