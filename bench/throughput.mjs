/**
 * `npm run bench`: messages through a Node-RED flow to SQS against the bare SDK, over TLS on loopback, the server in a
 * process of its own. All ways take turns within one process, several times over, and what is judged is how they compare
 * within one turn: these ratios hold on a machine that does other things besides. Node-RED 5 runs on the Node.js of the
 * devDependencies, Node-RED 4.1 on the one that npm runs on. `--quick` takes less time.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.mjs';
import { median, spread } from './figures.mjs';
import { waysTo } from './sends.mjs';

const script = fileURLToPath(import.meta.url);
const quick = process.argv.includes('--quick');
const turns = quick ? 3 : 7;
/** Messages in flight, and how many each way sends in a turn: about as long for each. */
const loads = [
  { inFlight: 1, messages: quick ? 150 : 400, batched: quick ? 150 : 400 },
  { inFlight: 10, messages: quick ? 500 : 1000, batched: quick ? 2000 : 5000 },
  { inFlight: 50, messages: quick ? 500 : 1000, batched: quick ? 2000 : 5000 }
];

async function bench() {
  for (const { node, nodeRed } of nodes()) {
    const folder = mkdtempSync(join(tmpdir(), 'nimbus-bench-'));
    const pair = makeCertificate();
    const authority = join(folder, 'certificate.pem');
    writeFileSync(authority, pair.certificate);
    const server = fork(join(script, '..', 'server.mjs'));
    server.send(pair);
    const [{ port }] = await once(server, 'message');
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority, NODE_RED: nodeRed };
    const client = fork(script, process.argv.slice(2), { execPath: node, env });
    relay(server, client);
    client.send({ endpoint: `https://127.0.0.1:${port}` });
    const [code] = await once(client, 'exit');
    server.disconnect();
    rmSync(folder, { recursive: true, force: true });
    if (code !== 0) process.exitCode = 1;
  }
}

/** The Node.js of the devDependencies, which npm puts first, and the one that npm itself runs on. */
function nodes() {
  const old = process.env.npm_node_execpath;
  const version = old && spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const all = [{ node: process.execPath, nodeRed: '5' }];
  if (version?.startsWith('v20.')) return [{ node: old, nodeRed: '4' }, ...all];
  console.log('npm does not run on Node.js 20 here: only the newer one is measured.\n');
  return all;
}

/** The client asks the server what has come. */
function relay(server, client) {
  client.on('message', () => {
    server.once('message', (report) => client.send(report));
    server.send({});
  });
}

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));

/** One Node.js: measures all ways and prints what came of them. */
async function measure() {
  const [{ endpoint }] = await once(process, 'message');
  const { stop, ...all } = await waysTo(endpoint);
  const nodeRed = process.env.NODE_RED === '4' ? '4.1' : '5';
  console.log(`Node.js ${process.version}, Node-RED ${nodeRed}: medians (ranges) of ${turns} turns\n`);
  let faults = 0;
  const results = {};
  for (const load of loads) {
    // Who waits for ten messages needs ten in flight.
    const possible = Object.entries(all).filter(([name]) => load.inFlight >= 10 || !name.endsWith('batches'));
    for (const [, way] of possible) await run(way, load, 200);
    await report();
    results[load.inFlight] = await compare(possible, load);
    faults += print(load.inFlight, results[load.inFlight]);
  }
  printReach(results);
  await stop();
  process.exit(faults > 0 ? 1 : 0);
}

/** By way: its figures in each turn. */
async function compare(ways, load) {
  const figures = Object.fromEntries(ways.map(([name]) => [name, []]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [name, way] of ways) {
      const messages = name === 'flow' || name.endsWith('batches') ? load.batched : load.messages;
      figures[name].push({ ...(await run(way, load, messages)), ...(await report()) });
    }
  }
  return figures;
}

let next = 0;

/** Sends messages, so many at a time. */
async function run(way, { inFlight }, messages) {
  const waits = [];
  let mixed = 0;
  let left = messages;
  const cpuStart = process.cpuUsage();
  const start = performance.now();
  const work = async () => {
    while (left > 0) {
      left -= 1;
      next += 1;
      const n = next;
      const sent = performance.now();
      if ((await way(n)) !== `message-${n}`) mixed += 1;
      waits.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuStart);
  return {
    sent: messages,
    mixed,
    us: (ms * 1000) / messages,
    cpu: (user + system) / messages,
    p50: median(waits) * 1000
  };
}

/** What the server has seen since it was asked last. */
async function report() {
  const answer = once(process, 'message');
  process.send({});
  return (await answer)[0];
}

const cell = (text) => String(text).padEnd(24);

/** Prints a table; gives how many messages were lost, doubled or mixed up. */
function print(inFlight, figures) {
  console.log(
    [`${inFlight} in flight`, 'messages/s', 'CPU, us/message', 'p50, us', 'messages/request', 'connections/request']
      .map(cell)
      .join('')
  );
  let faults = 0;
  for (const [name, runs] of Object.entries(figures)) {
    const of = (figure) => runs.map(figure);
    const row = [
      name,
      spread(
        of(({ us }) => 1e6 / us),
        0
      ),
      spread(
        of(({ cpu }) => cpu),
        0
      ),
      spread(
        of(({ p50 }) => p50),
        0
      ),
      (sum(of(({ messages }) => messages)) / sum(of(({ requests }) => requests))).toFixed(1),
      sum(of(({ connections }) => connections)) / sum(of(({ requests }) => requests))
    ];
    console.log(row.map(cell).join(''));
    for (const { sent, messages, twice, mixed } of runs) faults += sent - messages + twice + mixed;
  }
  console.log(`${faults === 0 ? 'none' : faults} lost, doubled or mixed up\n`);
  return faults;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** How many times as fast one way is as another, turn by turn. */
const ratios = (figures, way, other) => figures[way].map(({ us }, turn) => figures[other][turn].us / us);

function printReach(results) {
  const old = process.version.startsWith('v20.');
  const reaches = [
    ...[10, 50].flatMap((load) => [
      [
        `not batched, ${load} in flight / bare SDK`,
        ratios(results[load], 'flow, batch off', 'bare SDK'),
        old ? 1.15 : 1
      ],
      [`  / bare SDK, same options`, ratios(results[load], 'flow, batch off', 'bare SDK, same options'), 0.95]
    ]),
    ['batched, 10 in flight / bare SDK', ratios(results[10], 'flow', 'bare SDK'), 6],
    ['batched, 50 in flight / bare SDK', ratios(results[50], 'flow', 'bare SDK'), 7.5],
    ['  / bare SDK, own batches', ratios(results[50], 'flow', 'bare SDK, own batches'), 0.9]
  ];
  console.log(['', 'ratio', 'reach'].map((text) => text.padEnd(44)).join(''));
  for (const [name, values, reach] of reaches) {
    console.log(
      `${name.padEnd(44)}${spread(values).padEnd(44)}>= ${reach}  ${median(values) >= reach ? 'reached' : 'MISSED'}`
    );
  }
  const later = results[1].flow.map(({ p50 }, turn) => p50 - results[1]['bare SDK'][turn].p50);
  console.log(
    `${'1 in flight, p50 above the bare SDK, us'.padEnd(44)}${spread(later, 0).padEnd(44)}<= 50  ${median(later) <= 50 ? 'reached' : 'MISSED'}\n`
  );
}

if (process.send) await measure();
else await bench();
