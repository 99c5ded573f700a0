/**
 * `npm run bench:sidebar`: what CPU time a message costs the runtime while the AWS tab is open, against the same while it is
 * closed, at 1,000 calls a second. Slices of a second take turns, so that what else the machine does slows both down alike,
 * and each slice with the tab open has the two questions of a second in it. What counts is the median over many pairs of
 * neighbours. Lambda, and the browser that asks, have processes of their own. `npm run bench:sidebar -- 61` takes as many
 * turns.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median, spread } from './figures.mjs';
import { startFlow } from './flow.mjs';

const script = fileURLToPath(import.meta.url);
/** Calls a second, in bursts of 10. */
const rate = 1000;
const burst = 10;
/** How long a slice takes, ms. */
const slice = 1000;
/** How many times the CPU time with the tab closed a message may take with the tab open. */
const reach = 1.05;

/** Lambda as far as invoking goes. */
function serve() {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'x-amzn-RequestId': 'request' }).end('{}'));
  });
  server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`));
}

/** The tab as far as the runtime sees it: asks when it is told to, and tells how many calls came. */
function browse(url) {
  let query = '';
  process.on('message', async () => {
    const { run, last, calls } = await (await fetch(`${url}aws-account/sidebar?${query}`)).json();
    query = new URLSearchParams({ run, after: last });
    process.send(calls.length);
  });
}

const answerOf = (child) => new Promise((resolve) => child.once('message', resolve));

/** Microseconds of CPU time that a message costs in a slice; `ask` is called twice in it. */
async function measure(send, ask) {
  const messages = (rate * slice) / 1000;
  const bursts = messages / burst;
  const began = performance.now();
  const start = process.cpuUsage();
  const sent = [];
  for (let each = 0; each < bursts; each += 1) {
    if (each % (bursts / 2) === bursts / 4) sent.push(ask());
    for (let one = 0; one < burst; one += 1) sent.push(send({}));
    await wait(Math.max(0, began + ((each + 1) * 1000 * burst) / rate - performance.now()));
  }
  await Promise.all(sent);
  const { user, system } = process.cpuUsage(start);
  return { cost: (user + system) / messages, rate: messages / ((performance.now() - began) / 1000) };
}

async function bench(turns) {
  const server = fork(script, ['serve']);
  const nodes = [{ id: 'invoke', type: 'aws-lambda-invoke', functionName: 'bench', functionNameType: 'str' }];
  const flow = await startFlow(await answerOf(server), nodes, { admin: true });
  const browser = fork(script, ['browse', flow.url]);
  const send = flow.send('invoke');
  const measureWith = async (isOpen) => {
    let seen = 0;
    const measured = await measure(send, async () => {
      if (!isOpen) return;
      browser.send('ask');
      seen += await answerOf(browser);
    });
    return { ...measured, seen };
  };
  // V8 compiles what is measured.
  for (const isOpen of [true, false, true]) await measureWith(isOpen);
  const open = [];
  const closed = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const order = turn % 2 === 0 ? [true, false] : [false, true];
    for (const isOpen of order) (isOpen ? open : closed).push(await measureWith(isOpen));
  }
  const costs = (all) => all.map(({ cost }) => cost);
  const ratios = open.map(({ cost }, turn) => cost / closed[turn].cost);
  const rates = [...open, ...closed].map((each) => each.rate);
  console.log(`Node.js ${process.version}: medians (ranges) of ${turns} turns, ${spread(rates, 0)} calls a second`);
  console.log(`  closed  ${spread(costs(closed), 0)} µs a message`);
  console.log(`  open    ${spread(costs(open), 0)} µs a message, ${median(open.map(({ seen }) => seen))} calls shown`);
  const isReached = median(ratios) <= reach;
  console.log(`  ratio   ${spread(ratios, 3)}, of at most ${reach}  ${isReached ? 'reached' : 'MISSED'}`);
  server.kill();
  browser.kill();
  await flow.stop();
  process.exit(isReached ? 0 : 1);
}

// Whatever becomes of the process that began the others, they end with it.
process.on('disconnect', () => process.exit());
const [task = '41', ...rest] = process.argv.slice(2);
if (task === 'serve') serve();
else if (task === 'browse') browse(...rest);
else await bench(Number(task));
