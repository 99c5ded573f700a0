/** Very many messages through one Node-RED: `npm run soak` sends 100,000, the tests fewer. */
import { LocalAws } from '../../local-aws/client';
import { Runner } from './fleet';
import { sendingAndReceiving } from './flows';
import { Ledger } from './ledger';
import { Queues } from './queues';

/** What a Node-RED is after very many messages. */
export interface Soaked {
  /** Bytes by which its heap grows in two fifths of the messages: a leak grows in each, what is compiled late in one. */
  growth: number;
  /** What keeps it alive when the nodes are gone, and did not before they came. */
  left: string[];
  messagesPerSecond: number;
}

/**
 * Sends `count` messages to a queue, receives and deletes them, all in one Node-RED. Its heap is measured
 * after each fifth; the last two count, since by then nearly all is compiled.
 *
 * @throws Error if a message is lost or comes twice
 */
export async function soak(count: number, say: (line: string) => void = () => undefined): Promise<Soaked> {
  const aws = await LocalAws.start();
  const queues = new Queues(aws);
  const ledger = new Ledger();
  const runner = await Runner.start('soak', ledger);
  try {
    await queues.create('soak');
    const before = (await runner.measure()).resources;
    // What leaks, leaks with each request: small batches make more of them.
    const options = { receivers: 4, batchSize: 2, visibilityTimeout: 30 };
    await runner.deploy(sendingAndReceiving(aws, 'soak', options));
    const heaps: number[] = [];
    const began = Date.now();
    for (let from = 0; from < count; from += count / 5) {
      await pass(runner, ledger, from, count / 5);
      const { heap } = await runner.measure();
      heaps.push(heap);
      say(`${from + count / 5} messages, ${seconds(began)} s, heap ${(heap / 1e6).toFixed(2)} MB`);
    }
    const messagesPerSecond = count / seconds(began);
    if (ledger.receipts.length !== count) throw new Error(`${ledger.receipts.length} of ${count} were received`);
    await runner.deploy([]);
    const left = await runner.left(before);
    const [, , third = 0, fourth = 0, last = 0] = heaps;
    return { growth: 2 * Math.min(fourth - third, last - fourth), left, messagesPerSecond };
  } finally {
    await runner.kill();
    queues.close();
    await aws.stop();
  }
}

async function pass(runner: Runner, ledger: Ledger, from: number, count: number): Promise<void> {
  await runner.feed({ from, count, window: 200 });
  const through = () => ledger.settled.size === from + count && ledger.open('soak').length === 0;
  await ledger.until(through, `${from + count} messages to be through`, 600_000);
}

const seconds = (since: number): number => Math.round((Date.now() - since) / 100) / 10;

/** Bytes by which the heap may grow in the last two fifths. */
const leeway = 5_000_000;

async function main(count: number): Promise<void> {
  const { growth, left, messagesPerSecond } = await soak(count, (line) => console.log(line));
  const ok = growth < leeway && left.length === 0;
  console.log(
    `${Math.round(messagesPerSecond)} messages a second, left after the undeployment: ${left.join(', ') || 'nothing'}`
  );
  console.log(`${ok ? 'PASS' : 'FAIL'}: the heap grew by ${(growth / 1e6).toFixed(2)} MB, of at most ${leeway / 1e6}`);
  process.exitCode = ok ? 0 : 1;
}

if (require.main === module) void main(Number(process.argv[2] ?? 100_000));
