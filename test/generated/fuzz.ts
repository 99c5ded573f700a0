/**
 * `npm run fuzz -- 100000 [seed] [texts]`: so many generated messages, and a table of what became of them by node; so many
 * long texts for each field before.
 */

import { startNodeRed } from '../node-red';
import { generate, meetLongTexts, tableOf } from './generated';

async function main(): Promise<void> {
  const messages = Number(process.argv[2] ?? 10_000);
  const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
  const each = Number(process.argv[4] ?? Math.ceil(messages / 2000));
  const began = performance.now();
  const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(0)} s: ${line}`);
  console.log(`${messages} messages, Node.js ${process.version}, seed ${seed}`);
  const red = await startNodeRed();
  try {
    const texts = await meetLongTexts(red, { each, seed });
    say(`${texts} long texts`);
    const results = await generate(red, { messages, seed, say });
    const reached = results.filter((each) => each.reached).length;
    say(`${results.length} messages, ${reached} of which reached the service; nothing found`);
    for (const line of tableOf(results)) console.log(line);
  } finally {
    await red.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
});
