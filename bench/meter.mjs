/**
 * `npm run bench:meter`: what it costs to count a request, µs of CPU time: to hold its price, to count it with its time, and
 * to look whether the budget is nearly spent. Of a message of 64 KB its bytes have to be counted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { require as requireTs } from 'tsx/cjs/api';
import { median, spread } from './figures.mjs';

const { Charge } = requireTs('../nodes/account/charge.ts', import.meta.url);
const { Meter } = requireTs('../nodes/metering/meter.ts', import.meta.url);
const { Usage } = requireTs('../nodes/metering/usage.ts', import.meta.url);
const { UsageFile } = requireTs('../nodes/metering/usage-file.ts', import.meta.url);

const requests = 200_000;
const turns = 9;
/** µs. */
const reach = 2;

const folder = mkdtempSync(join(tmpdir(), 'nimbus-bench-'));
const usage = new Usage();
const file = new UsageFile(join(folder, 'usage.json'), usage, console.error);
const meter = new Meter(usage, file, { most: 1e18, unit: 'month' }, { warn: console.error, closed() {} });
const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/orders';

function count(input, output) {
  const began = process.cpuUsage();
  for (let done = 0; done < requests; done += 1) {
    const charge = new Charge(meter, { service: 'sqs', operation: 'SendMessage', input, signal: undefined });
    charge.begin(false);
    charge.answered(output);
    charge.end();
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / requests;
}

let isReached = true;
for (const bytes of [100, 64 * 1024]) {
  const input = { QueueUrl, MessageBody: 'x'.repeat(bytes) };
  count(input, {});
  const all = Array.from({ length: turns }, () => count(input, {}));
  console.log(`${bytes} bytes: ${spread(all)} µs a request${bytes < 1000 ? `, of at most ${reach}` : ''}`);
  if (bytes < 1000) isReached = median(all) <= reach;
}
rmSync(folder, { recursive: true });
process.exitCode = isReached ? 0 : 1;
