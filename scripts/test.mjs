/**
 * `npm test`: everything that must hold, and at the end one line with the sum. `npm test -- messaging` runs a room, which
 * is a folder of `test/`, on Node-RED 5, or several, or single files: `npm test -- aws-sqs-send browser/walk`.
 * Node-RED 5 runs on the Node of the devDependencies, Node-RED 4.1 on the one that npm itself runs on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { onBoth, onNewerNodeToo } from '../test/on-both.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (path) => join(root, 'node_modules', path);
const counts = mkdtempSync(join(tmpdir(), 'nimbus-test-'));
const fileLimit = 15 * 60_000;
const total = { passed: 0, failed: 0 };
const newNode = process.execPath;
const oldNode = nodeOfNpm();
const began = Date.now();
/** What takes longest begins first. */
const first = ['durability', 'browser'];
const asked = process.argv.slice(2);
/** Once and before: of two processes that unpack it at a time, one runs half of it. */
const unpackBrowser = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";

console.log(`Node-RED 5 on Node ${process.version}, Node-RED 4.1 on Node ${oldNode.version}${oldNode.note}\n`);

const jobs = jobsFor(asked);
if (asked.length === 0) {
  await check('lint', [bin('@biomejs/biome/bin/biome'), 'check', '.']);
  await check('types', [bin('typescript/bin/tsc'), '--noEmit', '-p', '.']);
}
const ready = [await check('build', ['scripts/build.mjs'])];
if (jobs.some(({ room }) => room === 'browser')) ready.push(await check('chromium', ['-e', unpackBrowser]));
if (!ready.includes(false)) await runAll(jobs);
rmSync(counts, { recursive: true, force: true });
console.log(`Took ${seconds(began)}.\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** The Node that npm was started with: the user's own. Below 20.19 mocha does not run. */
function nodeOfNpm() {
  const path = process.env.npm_node_execpath;
  if (!path) return { path: newNode, version: process.version, note: ' (not started by npm: no other Node known)' };
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return { path, version, note: '' };
  const note = ` (the system's Node ${version || 'does not run'}: 20.19 or later is needed to test on it)`;
  return { path: newNode, version: process.version, note };
}

/** Every test file in a process of its own, the longest first: those with processes that die, then those in a browser. */
function jobsFor(names) {
  const files = testFiles();
  checkOnBoth(files);
  const isAsked = (file) => names.includes(dirname(file)) || names.includes(file) || names.includes(basename(file));
  const stranger = names.find((name) => !files.some((file) => [dirname(file), file, basename(file)].includes(name)));
  if (stranger)
    throw new Error(
      `There is no room or test file “${stranger}”. Rooms: ${[...new Set(files.map(dirname))].join(', ')}.`
    );
  const jobs =
    names.length > 0
      ? files.filter(isAsked).map((file) => jobFor(file, 5))
      : files.flatMap((file) => (isOnBoth(file) ? [jobFor(file, 5), jobFor(file, 4)] : [jobFor(file, 5)]));
  // The Node above may know nothing of proxies.
  if (oldNode.path !== newNode)
    jobs.push(...jobs.filter(({ file, version }) => version === 4 && onNewerNodeToo.includes(file)).map(onNewerNode));
  return jobs.sort((one, other) => placeOf(one) - placeOf(other) || sizeOf(other) - sizeOf(one));
}

/** By room and name, such as `messaging/aws-sqs-send`. */
function testFiles() {
  const files = readdirSync(join(root, 'test'), { recursive: true }).map((file) => file.split(sep).join('/'));
  return files
    .filter((file) => /^[\w-]+\/[\w-]+\.(test|browser|durability)\.ts$/.test(file))
    .map((file) => file.split('.')[0]);
}

function isOnBoth(file) {
  return onBoth[dirname(file)]?.includes(basename(file)) ?? false;
}

function checkOnBoth(files) {
  const named = Object.entries(onBoth).flatMap(([room, names]) => names.map((name) => `${room}/${name}`));
  const missing = [...named, ...onNewerNodeToo].filter((file) => !files.includes(file));
  if (missing.length > 0) throw new Error(`test/on-both.mjs names what is not there: ${missing.join(', ')}`);
}

function jobFor(file, version) {
  return { room: dirname(file), file, version, node: nodeFor(file, version) };
}

function onNewerNode(job) {
  return { ...job, node: newNode };
}

function nodeFor(file, version) {
  return version === 5 || file.startsWith('browser/') ? newNode : oldNode.path;
}

function placeOf({ room }) {
  const place = first.indexOf(room);
  return place < 0 ? first.length : place;
}

function pathOf(file) {
  const room = dirname(file);
  return join('test', `${file}.${first.includes(room) ? room : 'test'}.ts`);
}

function sizeOf({ file }) {
  return statSync(join(root, pathOf(file))).size;
}

/** One process more than the machine has cores, since tests wait for something half of the time. */
async function runAll(all) {
  const waiting = [...all];
  const open = new Map();
  for (const { room } of all) open.set(room, (open.get(room) ?? 0) + 1);
  const sums = new Map([...open.keys()].map((room) => [room, { passed: 0, failed: 0, skipped: 0, took: 0 }]));
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const result = await mocha(job);
      const sum = sums.get(job.room);
      for (const key of Object.keys(sum)) sum[key] += result[key];
      open.set(job.room, open.get(job.room) - 1);
      if (open.get(job.room) === 0) report(job.room, sum, sum.took);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));
}

/** A stage that holds or does not; counts as one test. */
async function check(name, args) {
  const { code, output, took } = await run(newNode, args);
  const ok = code === 0;
  report(name, ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }, took);
  if (!ok) console.log(`${output.trimEnd()}\n`);
  return ok;
}

/** Runs a test file; says at once what failed. */
async function mocha({ file, version, node }) {
  const name = `${file} on Node-RED ${version === 4 ? '4.1' : '5'}${file.startsWith('browser/') || node === newNode ? '' : ' and the older Node'}`;
  const counted = join(counts, `${name.replaceAll('/', '-')}.json`);
  const config = first.includes(dirname(file)) ? ['--config', `test/${dirname(file)}/.mocharc.json`] : [];
  const args = [
    bin('mocha/bin/mocha.js'),
    '--forbid-only',
    '--reporter',
    './test/reporter.ts',
    ...config,
    pathOf(file)
  ];
  const { code, output, took } = await run(node, args, { NODE_RED: String(version), MOCHA_COUNTS: counted });
  const { passed, failed, skipped } = existsSync(counted)
    ? JSON.parse(readFileSync(counted, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  // A run that broke off, or that did not end by itself, is a failure of its own.
  const result = { passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped, took };
  if (result.failed > 0) console.log(`FAILED  ${name} (${shown(took)})\n${failuresOf(output).trimEnd()}\n`);
  return result;
}

/** What mocha says after its list of tests; if it did not come so far, the end of what it said. */
function failuresOf(output) {
  const summary = output.search(/^ +\d+ passing/m);
  return summary < 0 ? output.split('\n').slice(-100).join('\n') : output.slice(summary);
}

function report(name, { passed, failed, skipped = 0 }, took) {
  total.passed += passed;
  total.failed += failed;
  const result = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  console.log(`${failed > 0 ? 'FAILED' : 'ok'}  ${name}: ${result} (${shown(took)})`);
}

/** Runs a script with its output held back, so that several may run at a time; `took` is in ms. */
function run(node, args, env = {}) {
  const start = Date.now();
  return new Promise((resolve) => {
    const child = spawn(node, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const timer = setTimeout(() => {
      output += `\nStopped after ${fileLimit / 60_000} minutes.\n`;
      child.kill('SIGKILL');
    }, fileLimit);
    child.once('error', (error) => (output += `\n${error.message}\n`));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output: stripVTControlCharacters(output), took: Date.now() - start });
    });
  });
}

function seconds(since) {
  return shown(Date.now() - since);
}

function shown(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
