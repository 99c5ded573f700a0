/** `npm run fuzz:network -- 100000 [seed]`: so many inputs from the network, in a process with 128 MB of heap. */

import { startNodeRed } from '../node-red';
import { runNetwork } from './network';

async function main(): Promise<void> {
  const inputs = Number(process.argv[2] ?? 10_000);
  const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  const began = Date.now();
  const say = (line: string) => console.log(`${((Date.now() - began) / 1000).toFixed()} s: ${line}`);
  console.log(`${inputs} inputs, Node.js ${process.version}, seed ${seed}`);
  const unhandled: unknown[] = [];
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  const red = await startNodeRed();
  try {
    const { outcomes, longestWall, longestWork, heap } = await runNetwork(red, { inputs, seed, say });
    if (unhandled.length > 0) throw new Error('a rejection was left without a handler', { cause: unhandled[0] });
    for (const [outcome, count] of [...outcomes].sort()) console.log(`${String(count).padStart(8)}  ${outcome}`);
    say(`${inputs} inputs ended; at most ${heap.toFixed()} MB of heap`);
    say(
      `no turn of the event loop took more than ${longestWork.toFixed()} ms of work, ${longestWall.toFixed()} ms in all`
    );
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  await red.stop();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
