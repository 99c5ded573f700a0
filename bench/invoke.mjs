/**
 * `npm run bench:invoke`: what CPU time an invocation costs through an aws-lambda-invoke, against the bare SDK with the same
 * options, and against a Node-RED node that does nothing but call that: what Node-RED itself costs is told apart. The ways
 * take turns within one process; the server is a process of its own. What is judged is how they compare within one turn.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { startFlow } from './flow.mjs';

const script = fileURLToPath(import.meta.url);
const require = createRequire(import.meta.url);
const turns = Number(process.argv[2] ?? 9);
const messages = 2000;
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };

/** Lambda as far as invoking goes: each function gives back what it gets. */
function serve() {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const headers = {
        'x-amzn-RequestId': 'request',
        'Content-Type': 'application/json',
        'Content-Length': body.length
      };
      response.writeHead(200, { ...headers, 'X-Amz-Executed-Version': '$LATEST' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('disconnect', () => process.exit());
}

function bareInvoke(endpoint) {
  const { LambdaClient, InvokeCommand } = require('@aws-sdk/client-lambda');
  const agent = { keepAlive: true, maxSockets: Infinity };
  const client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials,
    cacheMiddleware: true,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true, httpAgent: agent }
  });
  return async (payload) => {
    const { Payload } = await client.send(
      new InvokeCommand({ FunctionName: 'bench', InvocationType: 'RequestResponse', Payload: JSON.stringify(payload) })
    );
    return JSON.parse(Buffer.from(Payload).toString());
  };
}

async function ways(endpoint) {
  const invoke = bareInvoke(endpoint);
  globalThis.benchBare = async (msg) => {
    msg.payload = await invoke(msg.payload);
  };
  const flow = await startFlow(endpoint, [
    { id: 'invoke', type: 'aws-lambda-invoke', functionName: 'bench', functionNameType: 'str' },
    { id: 'bare', type: 'bench-bare' }
  ]);
  const through = (id) => {
    const send = flow.send(id);
    return async (payload) => (await send(payload)).payload;
  };
  return { bare: invoke, 'Node-RED, bare': through('bare'), 'aws-lambda-invoke': through('invoke'), stop: flow.stop };
}

let last = 0;

/** Microseconds of CPU time that a message costs. */
async function costOf(way, inFlight) {
  let left = messages;
  const start = process.cpuUsage();
  const work = async () => {
    while (left > 0) {
      left -= 1;
      last += 1;
      const n = last;
      const answer = await way({ n });
      if (answer.n !== n) throw new Error(`message ${n} got ${JSON.stringify(answer)}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  const { user, system } = process.cpuUsage(start);
  return (user + system) / messages;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];
const spread = (values, digits) => {
  const all = sorted(values);
  const [low, middle, high] = [all[0], median(all), all.at(-1)].map((value) => value.toFixed(digits));
  return `${middle} (${low}-${high})`;
};

async function bench() {
  const server = fork(script, ['serve']);
  const [{ port }] = await new Promise((resolve) => server.once('message', (...values) => resolve(values)));
  const { stop, ...all } = await ways(`http://127.0.0.1:${port}`);
  console.log(`Node.js ${process.version}: medians (ranges) of ${turns} turns of ${messages} invocations each\n`);
  for (const inFlight of [1, 10, 50]) {
    const costs = Object.fromEntries(Object.keys(all).map((name) => [name, []]));
    for (const way of Object.values(all)) await costOf(way, inFlight);
    for (let turn = 0; turn < turns; turn += 1) {
      for (const [name, way] of Object.entries(all)) costs[name].push(await costOf(way, inFlight));
    }
    console.log(
      [`${inFlight} in flight`, 'CPU, us/message', 'of the bare SDK'].map((text) => text.padEnd(24)).join('')
    );
    for (const [name, values] of Object.entries(costs)) {
      const ratios = values.map((value, turn) => value / costs.bare[turn]);
      console.log(`  ${name}`.padEnd(24) + spread(values, 0).padEnd(24) + spread(ratios, 3));
    }
  }
  await stop();
  server.disconnect();
  process.exit();
}

if (process.argv[2] === 'serve') serve();
else await bench();
