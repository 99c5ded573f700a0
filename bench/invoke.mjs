/**
 * `npm run bench:invoke`: what CPU time an invocation costs through an aws-lambda-invoke, against the bare SDK with the same
 * options, and against a Node-RED node that does nothing but call that and show whether it is busy, about as often as an
 * aws-lambda-invoke does: what Node-RED itself costs is told apart. Each way has
 * a process of its own, so that none pays for another's garbage, and so has the server. They take turns in slices of some
 * 50 ms: what else the machine does slows all of them down alike. What is judged is how they compare within one turn. Each
 * turn has processes of its own, since how well V8 compiles the same code differs from one to the next by several percent.
 * `npm run bench:invoke -- 21` takes as many turns.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { median, spread } from './figures.mjs';
import { startFlow } from './flow.mjs';

const script = fileURLToPath(import.meta.url);
const require = createRequire(import.meta.url);
/** Slices of each way in a turn, and messages in a slice. */
const slices = 16;
const messages = 125;
/** Turns before those that are measured: flows run for months, and V8 takes some thousand invocations to compile all of it. */
const warmUps = 8;
/** How many times the CPU time of the bare SDK an invocation may take. */
const reach = 1.05;

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
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
}

/** The ways to invoke: each is made for an endpoint, and then gives what the function gave. */
const ways = {
  'bare SDK': bareInvoke,
  async 'Node-RED, bare SDK'(endpoint) {
    const invoke = bareInvoke(endpoint);
    globalThis.benchBare = async (msg) => {
      msg.payload = await invoke(msg.payload);
    };
    return through(endpoint, { type: 'bench-bare' });
  },
  'aws-lambda-invoke': (endpoint) =>
    through(endpoint, { type: 'aws-lambda-invoke', functionName: 'bench', functionNameType: 'str' })
};
const [bare, nodeRed, pack] = Object.keys(ways);

/** With the options of `nodes/account/clients.ts`. */
function bareInvoke(endpoint) {
  const { LambdaClient, InvokeCommand } = require('@aws-sdk/client-lambda');
  const agent = { keepAlive: true, maxSockets: Infinity };
  const client = new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' },
    cacheMiddleware: true,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000, throwOnRequestTimeout: true, httpAgent: agent }
  });
  return async (payload) => {
    const { Payload } = await client.send(
      new InvokeCommand({ FunctionName: 'bench', InvocationType: 'RequestResponse', Payload: JSON.stringify(payload) })
    );
    return JSON.parse(Payload.transformToString());
  };
}

async function through(endpoint, node) {
  const flow = await startFlow(endpoint, [{ id: 'invoke', ...node }]);
  const send = flow.send('invoke');
  return async (payload) => (await send(payload)).payload;
}

/** One way, in its process: tells for each slice what a message cost, in microseconds of CPU time. */
async function work(name, endpoint) {
  const way = await ways[name](endpoint);
  let last = 0;
  const send = async () => {
    last += 1;
    const n = last;
    const answer = await way({ n });
    if (answer.n !== n) throw new Error(`message ${n} got ${JSON.stringify(answer)}`);
  };
  process.on('message', async (inFlight) => {
    let left = messages;
    const start = process.cpuUsage();
    const sendAll = async () => {
      for (; left > 0; left -= 1) await send();
    };
    await Promise.all(Array.from({ length: inFlight }, sendAll));
    const { user, system } = process.cpuUsage(start);
    process.send((user + system) / messages);
  });
  process.send('ready');
}

const answerOf = (child) => new Promise((resolve) => child.once('message', resolve));

/** Microseconds that a message costs each way in one turn. */
async function turn(children, inFlight) {
  const costs = Object.fromEntries(Object.keys(children).map((name) => [name, 0]));
  for (let slice = 0; slice < slices; slice += 1) {
    for (const [name, child] of Object.entries(children)) {
      child.send(inFlight);
      costs[name] += (await answerOf(child)) / slices;
    }
  }
  return costs;
}

const row = (...cells) => console.log(cells.map((text) => text.padEnd(24)).join(''));

function print(inFlight, results) {
  row(`${inFlight} in flight`, 'CPU, us/message', 'of the bare SDK');
  for (const name of Object.keys(ways)) {
    const of = (figure) => results.map(figure);
    const ratios = of((costs) => costs[name] / costs[bare]);
    row(
      `  ${name}`,
      spread(
        of((costs) => costs[name]),
        0
      ),
      spread(ratios, 3)
    );
  }
  const own = results.map((costs) => 1 + (costs[pack] - costs[nodeRed]) / costs[bare]);
  row('  without Node-RED', '', spread(own, 3), `<= ${reach}  ${median(own) <= reach ? 'reached' : 'MISSED'}`);
}

/** What each way costs by messages in flight, in processes that are begun for this. */
async function measure(endpoint) {
  const children = {};
  for (const name of Object.keys(ways)) {
    children[name] = fork(script, ['work', name, endpoint]);
    await answerOf(children[name]);
  }
  const costs = {};
  for (let warm = 0; warm < warmUps; warm += 1) await turn(children, 10);
  for (const inFlight of [10, 1, 50]) {
    await turn(children, inFlight);
    costs[inFlight] = await turn(children, inFlight);
  }
  for (const child of Object.values(children)) child.kill();
  return costs;
}

async function bench(turns) {
  const server = fork(script, ['serve']);
  const endpoint = await answerOf(server);
  console.log(
    `Node.js ${process.version}: medians (ranges) of ${turns} turns of ${slices * messages} invocations each\n`
  );
  const results = [];
  while (results.length < turns) results.push(await measure(endpoint));
  for (const inFlight of [1, 10, 50]) {
    print(
      inFlight,
      results.map((costs) => costs[inFlight])
    );
  }
  server.kill();
}

// Whatever becomes of the process that began the others, they end with it.
process.on('disconnect', () => process.exit());
const [task = '9', ...rest] = process.argv.slice(2);
if (task === 'serve') serve();
else if (task === 'work') await work(...rest);
else await bench(Number(task));
