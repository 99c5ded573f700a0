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
import { alone, onBoth, onNewerNodeToo, slow, waiting } from '../test/on-both.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (path) => join(root, 'node_modules', path);
const counts = mkdtempSync(join(tmpdir(), 'nimbus-test-'));
const processLimit = 15 * 60_000;
/** Seconds of tests that one process runs: each pays for its start, and none is so long that the others wait for it. */
const share = 130;
/** What all of `npm test` may take on two cores. */
const timeLimit = 8 * 60_000;
const total = { passed: 0, failed: 0 };
/** How long the tests of each file took, in ms. */
const times = new Map();
const newNode = process.execPath;
const oldNode = nodeOfNpm();
const began = Date.now();
/** How many processes of tests. */
let started = 0;
/** More processes than the machine has cores, since tests wait for something now and then. */
const workers = Math.ceil(2.5 * availableParallelism());
/** More of them for tests that hardly do anything but wait. */
const waiters = availableParallelism();
/** Rooms that mocha runs in their own way. */
const special = ['browser', 'durability'];
const asked = process.argv.slice(2);
/** Once and before: of two processes that unpack it at a time, one runs half of it. */
const unpackBrowser = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";

console.log(`Node-RED 5 on Node ${process.version}, Node-RED 4.1 on Node ${oldNode.version}${oldNode.note}\n`);

const jobs = jobsFor(asked);
const style =
  asked.length > 0
    ? []
    : [
        check('lint', [bin('@biomejs/biome/bin/biome'), 'check', '.']),
        check('types', [bin('typescript/bin/tsc'), '--noEmit', '-p', '.'])
      ];
const ready = [check('build', ['scripts/build.mjs'])];
if (jobs.some(({ config }) => config === 'browser')) ready.push(check('chromium', ['-e', unpackBrowser]));
if (!(await Promise.all(ready)).includes(false)) await runAll(jobs);
await Promise.all(style);
rmSync(counts, { recursive: true, force: true });
reportTimes();
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

function jobsFor(names) {
  const files = testFiles();
  checkOnBoth(files);
  const rooms = new Set(files.map(dirname));
  const isMeant = (file, name) => (rooms.has(name) ? dirname(file) === name : [file, basename(file)].includes(name));
  const isAsked = (file) => names.some((name) => isMeant(file, name));
  const stranger = names.find((name) => !files.some((file) => isMeant(file, name)));
  if (stranger) throw new Error(`There is no room or test file “${stranger}”. Rooms: ${[...rooms].join(', ')}.`);
  const jobs =
    names.length > 0 ? jobsOf(files.filter(isAsked), 5) : [...jobsOf(files, 5), ...jobsOf(files.filter(isOnBoth), 4)];
  // The Node above may know nothing of proxies.
  if (names.length === 0 && oldNode.path !== newNode)
    jobs.push(...onNewerNodeToo.map((file) => ({ ...jobFor([file], 4), node: newNode })));
  // What takes longest begins first.
  return jobs.sort((one, other) => secondsOf(other.files) - secondsOf(one.files));
}

/** Files share processes, of which each starts Node-RED and the local AWS once. */
function jobsOf(files, version) {
  const isSingle = (file) => isAlone(file) || waiting.includes(file);
  const [single, shared] = [files.filter(isSingle), files.filter((file) => !isSingle(file))];
  // What is run by itself keeps all cores busy.
  const most = asked.length > 0 ? Math.min(share, secondsOf(shared) / workers) : share;
  const hands = [true, false].flatMap((isInBrowser) => {
    const some = shared.filter((file) => (dirname(file) === 'browser') === isInBrowser);
    return dealt(some, Math.ceil(secondsOf(some) / most));
  });
  return [...single.map((file) => [file]), ...hands].map((some) => jobFor(some, version));
}

/** Deals files to so many processes, each the longest that is left to the one that has least. */
function dealt(files, count) {
  const hands = Array.from({ length: count }, () => []);
  for (const file of files.toSorted((one, other) => secondsOf([other]) - secondsOf([one])))
    hands.toSorted((one, other) => secondsOf(one) - secondsOf(other))[0].push(file);
  return hands.filter(({ length }) => length > 0);
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

function isAlone(file) {
  return alone.includes(file) || alone.includes(dirname(file));
}

function checkOnBoth(files) {
  const named = Object.entries(onBoth).flatMap(([room, names]) => names.map((name) => `${room}/${name}`));
  const isThere = (name) => files.some((file) => file === name || dirname(file) === name);
  const missing = [...named, ...onNewerNodeToo, ...alone, ...waiting, ...Object.keys(slow)].filter(
    (name) => !isThere(name)
  );
  if (missing.length > 0) throw new Error(`test/on-both.mjs names what is not there: ${missing.join(', ')}`);
}

function jobFor(files, version) {
  const config = special.find((room) => room === dirname(files[0]));
  return { files, config, version, node: version === 5 || config === 'browser' ? newNode : oldNode.path };
}

function pathOf(file) {
  const room = dirname(file);
  return join('test', `${file}.${special.includes(room) ? room : 'test'}.ts`);
}

/** About how many seconds files take: where nobody has measured it, by how long they are. */
function secondsOf(files) {
  return files.reduce((sum, file) => sum + (slow[file] ?? statSync(join(root, pathOf(file))).size / 2000), 0);
}

/** Says of each room what became of it as soon as the last of its files has run. */
async function runAll(all) {
  const isWaiting = ({ files }) => files.every((file) => waiting.includes(file));
  const [idle, busy] = [all.filter(isWaiting), all.filter((job) => !isWaiting(job))];
  const open = new Map();
  for (const room of all.flatMap(({ files }) => files.map(dirname))) open.set(room, (open.get(room) ?? 0) + 1);
  const sums = new Map([...open.keys()].map((room) => [room, { passed: 0, failed: 0, skipped: 0, took: 0 }]));
  const work = async (next) => {
    for (let job = next(); job; job = next()) {
      for (const [file, result] of await mocha(job)) {
        const room = dirname(file);
        const sum = sums.get(room);
        for (const key of Object.keys(sum)) sum[key] += result[key];
        open.set(room, open.get(room) - 1);
        if (open.get(room) === 0) report(room, sum, sum.took);
      }
    }
  };
  const any = () => busy.shift() ?? idle.shift();
  const onlyIdle = () => idle.shift();
  await Promise.all([
    ...Array.from({ length: workers }, () => work(any)),
    ...Array.from({ length: waiters }, () => work(onlyIdle))
  ]);
}

/** A stage that holds or does not; counts as one test. */
async function check(name, args) {
  const { code, output, took } = await run(newNode, args);
  const ok = code === 0;
  report(name, ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }, took);
  if (!ok) console.log(`${output.trimEnd()}\n`);
  return ok;
}

/** Runs test files in a process; says at once what failed, and gives what became of each. */
async function mocha({ files, config, version, node }) {
  const on = `on Node-RED ${version === 4 ? '4.1' : '5'}${node === newNode ? '' : ' and the older Node'}`;
  const counted = join(counts, `${started++}.json`);
  const args = [
    bin('mocha/bin/mocha.js'),
    '--forbid-only',
    '--reporter',
    './test/reporter.ts',
    ...(config ? ['--config', `test/${config}/.mocharc.json`] : []),
    ...files.map(pathOf)
  ];
  const { code, output, took } = await run(node, args, {
    NODE_RED: String(version),
    MOCHA_COUNTS: counted,
    ...(asked.length === 0 && { PICTURES: 'none' }),
    NODE_COMPILE_CACHE: join(counts, 'compiled')
  });
  const known = existsSync(counted) ? JSON.parse(readFileSync(counted, 'utf8')) : {};
  const nothing = { passed: 0, failed: 0, skipped: 0, took: 0 };
  const results = new Map(files.map((file) => [file, { ...nothing, ...known[join(root, pathOf(file))] }]));
  // A run that broke off, or that did not end by itself, is a failure of its own.
  const isBroken = code !== 0 && ![...results.values()].some(({ failed }) => failed > 0);
  if (isBroken) results.get(files[0]).failed = 1;
  for (const [file, result] of results) noteTime(`${pathOf(file)} ${on}`, result.took);
  const failed = isBroken ? files : files.filter((file) => results.get(file).failed > 0);
  if (failed.length > 0)
    console.log(`FAILED  ${failed.join(', ')} ${on} (${shown(took)})\n${failuresOf(output).trimEnd()}\n`);
  return results;
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

function noteTime(name, duration) {
  times.set(name, (times.get(name) ?? 0) + duration);
}

/** What all took, and where to look when it is too much. */
function reportTimes() {
  const took = Date.now() - began;
  console.log(`Took ${shown(took)}.\n`);
  if (asked.length > 0 || took <= timeLimit) return;
  const slowest = [...times].sort(([, one], [, other]) => other - one).slice(0, 10);
  console.log(`That is more than ${timeLimit / 60_000} minutes. The slowest files:`);
  console.log(`${slowest.map(([name, duration]) => `  ${shown(duration)} ${name}`).join('\n')}\n`);
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
      output += `\nStopped after ${processLimit / 60_000} minutes.\n`;
      child.kill('SIGKILL');
    }, processLimit);
    child.once('error', (error) => (output += `\n${error.message}\n`));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output: stripVTControlCharacters(output), took: Date.now() - start });
    });
  });
}

function shown(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
