/**
 * `npm test`: everything that must hold, stage by stage, and at the end one line with the sum.
 * Node-RED 5 runs on the Node of the devDependencies, Node-RED 4.1 on the one that npm itself runs on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const bin = (path) => join(root, 'node_modules', path);
const counts = mkdtempSync(join(tmpdir(), 'nimbus-test-'));
const stageLimit = 15 * 60_000;
const total = { passed: 0, failed: 0 };
const newNode = process.execPath;
const oldNode = nodeOfNpm();
const began = Date.now();

console.log(`Node-RED 5 on Node ${process.version}, Node-RED 4.1 on Node ${oldNode.version}${oldNode.note}\n`);

await Promise.all([
  check('lint', [bin('@biomejs/biome/bin/biome'), 'check', '.']),
  check('types', [bin('typescript/bin/tsc'), '--noEmit', '-p', '.'])
]);
if (await check('build', ['build.mjs'])) {
  // In parts, four at a time, side by side: they wait for something most of the time.
  const messages = 'test/{aws-s,bad-messages,batch}*.test.ts';
  const detection = 'test/{aws-rekognition-detect,boxes,rekognition}*.test.ts';
  const pictures = 'test/{aws-rekognition-index,bad-pictures}*.test.ts';
  const connections =
    'test/{account-changes,aws-account,clock,endpoints,links,secrets,shared-files,sign-in,variables}*.test.ts';
  const rest = [messages, detection, pictures, connections].flatMap((each) => ['--ignore', each]);
  // What hangs on neither Node-RED nor the Node that it runs on: the local AWS, words, texts, pictures and answers as such.
  const same =
    'test/{answer,docs,examples,expressions,jpeg,languages,local-aws,long-values,names,network,odd-answers,package,queue-urls,retryable,security,structure,unchanged}*.test.ts';
  const onBoth = (name, files) => [
    mocha(`${name} on Node-RED 5`, newNode, { NODE_RED: '5' }, files),
    mocha(`${name} on Node-RED 4.1`, oldNode.path, { NODE_RED: '4' }, files)
  ];
  await Promise.all([
    mocha('tests on Node-RED 5', newNode, { NODE_RED: '5' }, rest),
    mocha('tests on Node-RED 4.1', oldNode.path, { NODE_RED: '4' }, [...rest, '--ignore', same]),
    ...onBoth('tests of messages', [messages])
  ]);
  await Promise.all([...onBoth('tests of connections', [connections]), ...onBoth('tests of detection', [detection])]);
  await Promise.all(onBoth('tests of pictures', [pictures]));
  if (oldNode.path !== newNode) {
    // The Node above may know nothing of proxies.
    await mocha('proxies on Node-RED 4.1 and the newer Node', newNode, { NODE_RED: '4' }, [
      '--spec',
      'test/proxy.test.ts'
    ]);
  }
  const browser = ['--config', 'test/browser/.mocharc.json', '--ignore'];
  const forms = 'test/browser/{languages,pickers,walk}.browser.ts';
  const others = 'test/browser/{dashboard,demo,dialogs,editor,errors,examples}.browser.ts';
  for (const [name, files] of [
    ['browser checks', [...browser, forms]],
    ['browser checks of forms', [...browser, others]]
  ]) {
    await Promise.all([
      mocha(`${name} on Node-RED 5`, newNode, { NODE_RED: '5' }, files),
      mocha(`${name} on Node-RED 4.1`, newNode, { NODE_RED: '4' }, files)
    ]);
  }
  const durability = ['--config', 'test/durability/.mocharc.json'];
  // Node-RED and Node.js matter for what is left behind; what happens to messages is the same for both.
  const soak = ['--no-parallel', '--ignore', '**/{bad-line,delivery,order,scaling}.durability.ts'];
  await Promise.all([
    mocha('durability on Node-RED 5', newNode, { NODE_RED: '5' }, durability),
    mocha('durability on Node-RED 4.1', oldNode.path, { NODE_RED: '4' }, [...durability, ...soak])
  ]);
}
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

/** A stage that holds or does not; counts as one test. */
async function check(name, args) {
  const { code, output, took } = await run(newNode, args);
  const ok = code === 0;
  report(name, ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }, took, ok ? '' : output);
  return ok;
}

async function mocha(name, node, env, args = []) {
  const file = join(counts, `${name}.json`);
  const mochaArgs = [bin('mocha/bin/mocha.js'), '--forbid-only', '--reporter', './test/reporter.ts', ...args];
  const { code, output, took } = await run(node, mochaArgs, { ...env, MOCHA_COUNTS: file });
  const result = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 0 };
  // A run that broke off, or that did not end by itself, is a failure of its own.
  if (code !== 0 && result.failed === 0) result.failed = 1;
  report(name, result, took, result.failed > 0 ? failuresOf(output) : '');
}

/** What mocha says after its list of tests; if it did not come so far, the end of what it said. */
function failuresOf(output) {
  const summary = output.search(/^ +\d+ passing/m);
  return summary < 0 ? output.split('\n').slice(-100).join('\n') : output.slice(summary);
}

function report(name, { passed, failed, skipped = 0 }, took, output) {
  total.passed += passed;
  total.failed += failed;
  const result = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  console.log(`${failed > 0 ? 'FAILED' : 'ok'}  ${name}: ${result} (${took})`);
  if (output.trim()) console.log(`${output.trimEnd()}\n`);
}

/** Runs a script with its output held back, so that two may run at a time. */
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
      output += `\nStopped after ${stageLimit / 60_000} minutes.\n`;
      child.kill('SIGKILL');
    }, stageLimit);
    child.once('error', (error) => (output += `\n${error.message}\n`));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, took: seconds(start) });
    });
  });
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
