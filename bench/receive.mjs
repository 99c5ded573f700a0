/**
 * `npm run bench:receive`: messages from SQS into a Node-RED flow against the bare SDK and sqs-consumer, over TLS on
 * loopback, at a round trip of 20 ms, the server in a process of its own. All ways take turns within one process, several
 * times over, and what is judged is how they compare within one turn. `--quick` takes less time.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.mjs';
import { median, spread } from './figures.mjs';
import { waysToReceive } from './receives.mjs';

const script = fileURLToPath(import.meta.url);
const quick = process.argv.includes('--quick');
const turns = quick ? 3 : 5;
/** Ms. */
const roundTrip = 20;

async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'nimbus-bench-'));
  const pair = makeCertificate();
  const authority = join(folder, 'certificate.pem');
  writeFileSync(authority, pair.certificate);
  const server = fork(join(script, '..', 'queues.mjs'));
  server.send({ ...pair, roundTrip });
  const [{ port }] = await once(server, 'message');
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
  const client = fork(script, process.argv.slice(2), { env });
  client.on('message', (order) => server.send(order));
  server.on('message', (report) => client.send(report));
  client.send({ endpoint: `https://127.0.0.1:${port}` });
  const [code] = await once(client, 'exit');
  server.disconnect();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code;
}

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));

/** Measures all ways and prints what came of them. */
async function measure() {
  const [{ endpoint }] = await once(process, 'message');
  const { stop, ways } = await waysToReceive(endpoint);
  console.log(`Node.js ${process.version}, a round trip of ${roundTrip} ms: medians (ranges) of ${turns} turns\n`);
  const figures = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (const way of Object.values(ways)) await run(way, 500);
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, way] of Object.entries(ways)) {
      figures[name].push(await run(way, quick ? way.messages / 2 : way.messages));
    }
  }
  await stop();
  const faults = print(figures);
  process.exit(faults + printReach(figures) > 0 ? 1 : 0);
}

/** Has a way receive so many messages. */
async function run({ queue, begin }, count) {
  const end = await begin();
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  const done = once(process, 'message');
  process.send({ queue, count });
  const [{ messages, ReceiveMessage, DeleteMessage, twice }] = await done;
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  await end();
  return {
    rate: (messages * 1000) / ms,
    cpu: (user + system) / messages,
    received: messages / ReceiveMessage,
    deleted: messages / DeleteMessage,
    twice
  };
}

const line = (cells) => console.log(cells.map((text, index) => text.padEnd(index === 0 ? 34 : 22)).join(''));

/** Prints a table; gives how many deletions were of messages that were deleted already. */
function print(figures) {
  line(['', 'messages/s', 'CPU, us/message', 'messages/receive', 'messages/delete']);
  for (const [name, runs] of Object.entries(figures)) {
    const of = (figure, digits) => spread(runs.map(figure), digits);
    line([
      name,
      of(({ rate }) => rate, 0),
      of(({ cpu }) => cpu, 0),
      of(({ received }) => received, 1),
      of(({ deleted }) => deleted, 1)
    ]);
  }
  const twice = Object.values(figures)
    .flat()
    .reduce((sum, run) => sum + run.twice, 0);
  console.log(`${twice === 0 ? 'none' : twice} deleted twice\n`);
  return twice;
}

/** Prints what is to be reached; gives how much of it was missed. */
function printReach(figures) {
  const ratios = (name, of, other) => figures[name].map((run, turn) => of(run) / of(figures[other][turn]));
  const reaches = [
    ...[
      ['flow, defaults', 1.5],
      ['flow, 100 in flight', 6],
      ['flow settles, 100 in flight', 6]
    ].map(([name, least]) => [`${name} / bare SDK`, ratios(name, ({ rate }) => rate, 'bare SDK'), least]),
    ...['flow, 100 in flight', 'flow settles, 100 in flight'].map((name) => [
      `${name}: CPU / bare SDK, 8 loops`,
      ratios(name, ({ cpu }) => cpu, 'bare SDK, 8 loops'),
      undefined,
      1.2
    ])
  ];
  let missed = 0;
  for (const [name, values, least = 0, most = Infinity] of reaches) {
    const isReached = median(values) >= least && median(values) <= most;
    missed += isReached ? 0 : 1;
    const limit = most === Infinity ? `>= ${least}` : `<= ${most}`;
    console.log(`${name.padEnd(54)}${spread(values).padEnd(22)}${limit.padEnd(10)}${isReached ? 'reached' : 'MISSED'}`);
  }
  return missed;
}

if (process.send) await measure();
else await bench();
