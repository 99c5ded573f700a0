/**
 * `npm run bench:load`: what the pack costs a Node-RED that uses none of its nodes.
 *
 * Every figure is the median of 7 fresh processes, with their range; the kinds of runs take turns, so that what else
 * the machine does meets all of them. A whole start varies by many times the limit, so the limit is put on what the
 * sets themselves cost: in a running Node-RED, its registry adds the pack (package, pages, catalogues, code), and what
 * it takes to add a package with one set of a single line, just before and just after, is taken off: that is
 * Node-RED's search for packages. Time is the CPU time of the thread that starts Node-RED, since
 * the clock's also tells what else the machine does. Memory is the heap, after collection.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);
const root = join(dirname(script), '..');
const require = createRequire(script);
const pack = '@red-nimbus/node-red-aws';
const runs = 7;
const limit = { ms: 5, megabytes: 2 };

if (process.argv[2]) await measure(process.argv[2]);
else await bench();

async function bench() {
  const results = { without: [], with: [], load: [] };
  for (let run = 0; run < runs; run += 1) {
    for (const kind of Object.keys(results)) results[kind].push(await inFreshProcess(kind));
  }
  const { version, sets } = results.load[0];
  console.log(`Node-RED ${version}, Node ${process.version}, medians (ranges) of ${runs} fresh processes\n`);
  console.log(row('whole start', 'without the pack', 'with it', 'difference'));
  for (const [name, figure] of [
    ['until the flows run, ms', 'ms'],
    ['CPU time, ms', 'cpu'],
    ['resident memory, MB', 'resident'],
    ['heap after collection, MB', 'heap']
  ]) {
    const [without, withIt] = [results.without, results.with].map((all) => all.map((each) => each[figure]));
    console.log(row(name, spread(without), spread(withIt), (median(withIt) - median(without)).toFixed(1)));
  }
  const [cpu, ms, heap] = ['cpu', 'ms', 'heap'].map((figure) => results.load.map((each) => each[figure]));
  console.log(
    `\nloading all ${sets} sets: ${spread(cpu)} ms of CPU, ${spread(ms)} ms by the clock, ${spread(heap)} MB`
  );
  const ok = median(cpu) <= limit.ms && median(heap) <= limit.megabytes;
  console.log(`${ok ? 'PASS' : 'FAIL'}: at most ${limit.ms} ms of CPU and ${limit.megabytes} MB`);
  process.exitCode = ok ? 0 : 1;
}

function inFreshProcess(kind) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', script, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => {
      const line = output.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve(JSON.parse(line));
      else reject(new Error(`the run ended with ${code}: ${output}`));
    });
  });
}

/** One run, in the process of its own; prints its figures as JSON. */
async function measure(kind) {
  const userDir = realpathSync(mkdtempSync(join(tmpdir(), 'nimbus-bench-')));
  try {
    if (kind === 'with') install(userDir);
    const RED = await startNodeRed(userDir);
    const figures = kind === 'load' ? await loadSets(RED, userDir) : wholeStart();
    console.log(JSON.stringify({ ...figures, version: RED.version().replace(/-git$/, '') }));
    await RED.stop();
  } finally {
    rmSync(userDir, { recursive: true, force: true });
  }
  process.exit();
}

function install(userDir) {
  const installed = join(userDir, 'node_modules', pack);
  mkdirSync(dirname(installed), { recursive: true });
  symlinkSync(root, installed, 'junction');
  writeFileSync(join(userDir, 'package.json'), JSON.stringify({ private: true, dependencies: { [pack]: '*' } }));
}

function nodeRed() {
  return process.env.NODE_RED === '4' ? 'node-red-4' : 'node-red';
}

async function startNodeRed(userDir) {
  const RED = require(nodeRed());
  RED.init(createServer(), {
    userDir,
    credentialSecret: 'bench',
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { projects: { enabled: false } },
    logging: { quiet: { level: 'fatal', metrics: false, audit: false, handler: () => () => {} } }
  });
  const started = new Promise((resolve) => RED.events.once('flows:started', resolve));
  await RED.start();
  await started;
  return RED;
}

function wholeStart() {
  const ms = performance.now();
  const { user, system } = process.cpuUsage();
  collect();
  return { ms, cpu: (user + system) / 1000, resident: megabytes(process.memoryUsage().rss), heap: heapInUse() };
}

async function loadSets(RED, userDir) {
  const registry = createRequire(require.resolve(nodeRed()))('@node-red/registry');
  // Adding a package at run time also writes the list of all sets to the settings, which no start does.
  RED.settings.set = async () => {};
  const least = ['least-0', 'least-1', 'least-2', 'least-3'];
  for (const name of least) installLeast(userDir, name);
  install(userDir);
  // The first two only warm Node-RED up, as its own nodes do when it starts.
  await add(registry, least[0]);
  await add(registry, least[1]);
  const before = await add(registry, least[2]);
  const own = await add(registry, pack);
  const after = await add(registry, least[3]);
  const broken = own.nodes.filter(({ err }) => err);
  if (own.nodes.length === 0 || broken.length > 0) throw new Error(`not loaded: ${JSON.stringify(broken)}`);
  const over = (figure) => own[figure] - (before[figure] + after[figure]) / 2;
  return { cpu: over('cpu'), ms: over('ms'), heap: own.heap, sets: own.nodes.length };
}

async function add(registry, name) {
  collect();
  const heap = heapInUse();
  const start = performance.now();
  const cpuStart = process.threadCpuUsage();
  const { nodes } = await registry.addModule(name);
  const { user, system } = process.threadCpuUsage(cpuStart);
  const ms = performance.now() - start;
  collect();
  return { nodes, ms, cpu: (user + system) / 1000, heap: heapInUse() - heap };
}

/** A package with the smallest set that there is. */
function installLeast(userDir, name) {
  const folder = join(userDir, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  const description = { version: '>=4.1.0', nodes: { [name]: 'set.js' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', 'node-red': description }));
  writeFileSync(join(folder, 'set.js'), `module.exports = (RED) => RED.nodes.registerType('${name}', function () {});`);
  writeFileSync(
    join(folder, 'set.html'),
    `<script type="text/javascript">RED.nodes.registerType('${name}', {})</script>`
  );
}

function collect() {
  globalThis.gc();
  globalThis.gc();
}

/** With what lies outside of V8's heap, such as buffers. */
function heapInUse() {
  const { heapUsed, external } = process.memoryUsage();
  return megabytes(heapUsed + external);
}

function megabytes(bytes) {
  return bytes / 2 ** 20;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function spread(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(1)} (${least.toFixed(1)}-${most.toFixed(1)})`;
}

function row(name, ...cells) {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(24)).join('');
}
