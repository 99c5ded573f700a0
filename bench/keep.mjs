/**
 * `npm run bench:keep`: what it costs to keep messages on disk first. An aws-sqs-send with `keep` against the same node without
 * it, and draining against one loop of the bare SDK's own batches of 10, all in one process, taking turns. Also how many
 * flushes a thousand messages cost, what 100,000 that wait hold in memory, and how long a store of 1 GB takes to open.
 * `--quick` takes less time.
 */
import { fork } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from './certificate.mjs';
import { median, spread } from './figures.mjs';
import { startFlow } from './flow.mjs';

const require = createRequire(import.meta.url);
const script = fileURLToPath(import.meta.url);
const quick = process.argv.includes('--quick');
const turns = quick ? 3 : 7;
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));

async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'nimbus-bench-'));
  const pair = makeCertificate();
  const authority = join(folder, 'certificate.pem');
  writeFileSync(authority, pair.certificate);
  const server = fork(join(script, '..', 'server.mjs'));
  server.send(pair);
  const [{ port }] = await once(server, 'message');
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
  const client = fork(script, process.argv.slice(2), { env, execArgv: ['--expose-gc'] });
  client.on('message', (change) => {
    server.once('message', (report) => client.send(report));
    server.send(change);
  });
  client.send({ endpoint: `https://127.0.0.1:${port}` });
  const [code] = await once(client, 'exit');
  server.disconnect();
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0) process.exitCode = 1;
}

/** Changes the server; resolves with what it has seen. */
async function tell(change = {}) {
  const answer = once(process, 'message');
  process.send(change);
  return (await answer)[0];
}

let faults = 0;

function judge(name, values, reach, isReached, digits = 2) {
  const reached = isReached(median(values));
  if (!reached) faults += 1;
  console.log(`${name.padEnd(64)}${spread(values, digits).padEnd(32)}${reach}  ${reached ? 'reached' : 'MISSED'}`);
}

async function run(send, messages, inFlight) {
  let left = messages;
  const waits = [];
  const start = performance.now();
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const sent = performance.now();
      await send({ n: left });
      waits.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return { rate: (messages * 1000) / (performance.now() - start), p50: median(waits) };
}

/** What one write with a flush takes here, ms. */
function flushTime() {
  const path = join(tmpdir(), `nimbus-flush-${process.pid}`);
  const file = openSync(path, 'w');
  const times = [];
  for (let n = 0; n < 50; n += 1) {
    const start = performance.now();
    writeSync(file, Buffer.alloc(500), 0, 500, n * 500);
    fdatasyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  rmSync(path);
  return median(times);
}

async function speed(flow) {
  const [kept, plain] = [flow.send('kept'), flow.send('plain')];
  for (const send of [kept, plain]) await run(send, 500, 50);
  const ratios = [];
  const later = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const messages = quick ? 2000 : 5000;
    const [without, withKeep] = [await run(plain, messages, 50), await run(kept, messages, 50)];
    ratios.push(withKeep.rate / without.rate);
    const [one, other] = [await run(plain, 150, 1), await run(kept, 150, 1)];
    later.push(other.p50 - one.p50 - flushTime());
  }
  judge('50 in flight: messages/s with keep / without', ratios, '>= 0.5', (value) => value >= 0.5);
  judge('1 in flight: p50 with keep - without - one flush, ms', later, '<= 3', (value) => value <= 3);
}

async function draining(flow, endpoint) {
  const { SQSClient, SendMessageBatchCommand } = require('@aws-sdk/client-sqs');
  const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };
  const client = new SQSClient({ endpoint, region: 'us-east-1', credentials });
  const QueueUrl = `${endpoint}/111111111111/bench`;
  const count = quick ? 1000 : 3000;
  const loop = async () => {
    const start = performance.now();
    for (let first = 0; first < count; first += 10) {
      const Entries = Array.from({ length: 10 }, (_, n) => ({
        Id: String(n),
        MessageBody: JSON.stringify({ n: first + n })
      }));
      await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    }
    return (count * 1000) / (performance.now() - start);
  };
  await tell({ delay: 20 });
  await loop();
  const send = flow.send('kept');
  const ratios = [];
  for (let turn = 0; turn < Math.ceil(turns / 2); turn += 1) {
    const bare = await loop();
    await tell({ isDown: true });
    const times = [];
    const all = Array.from({ length: count }, (_, n) => send({ n }).then(() => times.push(performance.now())));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await tell({ isDown: false });
    await Promise.all(all);
    // The first request after the outage carries ten.
    ratios.push(((times.length - 10) * 1000) / (times.at(-1) - times[0]) / bare);
  }
  await tell({ delay: 0 });
  judge('draining / one loop of the bare SDK in batches, at 20 ms', ratios, '>= 0.9', (value) => value >= 0.9);
}

const { Store } = require('../dist/nodes/outbox/store.js');
const storeIn = (root) =>
  new Store({
    folder: join(root, 'nimbus', 'outbox', 'node'),
    root,
    most: 10_000,
    tell: { log: () => undefined, warn: console.warn }
  });

const messageOf = (size) => ({
  id: 0,
  keptAt: Date.now(),
  entries: [{ target: 'https://sqs.us-east-1.amazonaws.com/111111111111/bench', region: 'us-east-1', bytes: size }],
  requests: [JSON.stringify({ entry: { MessageBody: 'x'.repeat(size / 2) }, output: 'parsed' })],
  message: JSON.stringify({ payload: 'x'.repeat(size / 2) })
});

async function fill(store, messages, size, inFlight) {
  let left = messages;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      for (const entry of await store.add(messageOf(size))) store.table.add(entry, 0);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** Buffers are let go of some time after the objects that had them. */
async function collect() {
  for (let time = 0; time < 5; time += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function costs() {
  const root = mkdtempSync(join(tmpdir(), 'nimbus-bench-'));
  for (const inFlight of [1, 10, 50]) {
    const store = storeIn(join(root, String(inFlight)));
    await store.open(new AbortController().signal, () => undefined);
    await fill(store, 1000, 300, inFlight);
    console.log(`flushes of 1,000 messages, ${inFlight} in flight: ${store.flushes}`);
    await store.close();
  }
  await collect();
  const before = process.memoryUsage();
  const many = storeIn(join(root, 'many'));
  await many.open(new AbortController().signal, () => undefined);
  await fill(many, 100_000, 300, 500);
  await collect();
  const after = process.memoryUsage();
  // What is external includes Buffers.
  const held = after.heapUsed + after.external - before.heapUsed - before.external;
  judge('100,000 messages that wait: MB in memory', [held / 1e6], '< 20', (value) => value < 20);
  await many.close();
  const large = storeIn(join(root, 'large'));
  await large.open(new AbortController().signal, () => undefined);
  await fill(large, quick ? 20_000 : 100_000, 10_000, 500);
  await large.close();
  const again = storeIn(join(root, 'large'));
  await collect();
  const rss = process.memoryUsage.rss();
  const start = performance.now();
  await again.open(new AbortController().signal, (entry) => again.table.add(entry, 0));
  const took = performance.now() - start;
  console.log(
    `a store of ${quick ? '0.2' : '1'} GB, ${again.table.count} messages: open after ${took.toFixed(0)} ms, ${((process.memoryUsage.rss() - rss) / 1e6).toFixed(0)} MB more`
  );
  await again.close();
  rmSync(root, { recursive: true, force: true });
}

async function measure() {
  const [{ endpoint }] = await once(process, 'message');
  const send = { type: 'aws-sqs-send', queue: `${endpoint}/111111111111/bench`, queueType: 'str' };
  const flow = await startFlow(endpoint, [
    { id: 'plain', ...send },
    { id: 'kept', ...send, keep: true, keepMost: 1000 }
  ]);
  await speed(flow);
  await draining(flow, endpoint);
  await flow.stop();
  await costs();
  process.exit(faults > 0 ? 1 : 0);
}

if (process.send) await measure();
else await bench();
