/**
 * `npm run faults [-- words]`, of their names or of what finds them: puts faults back into a copy of the project, one after the other, and fails where
 * one is not found.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Edit, type Fault, type Finder, faults, fileOf, withFault } from './faults';

const project = resolve(__dirname, '..', '..');
const seed = process.env.NIMBUS_SEED ?? '1';
/** Ms after which a finder that has not ended has found something that does not end. */
const longest = 300_000;

/** What is copied: nothing that is made, downloaded or of no use to tests. */
const left = new Set(['.git', 'dist', 'node_modules', 'screenshots']);

/** How Node.js is called for what finds a fault: with few inputs at first, which most take. */
function commandsOf(by: Finder): string[][] {
  const fuzz = ['--require', 'tsx/cjs', 'test/generated/fuzz.ts'];
  const network = ['--max-old-space-size=128', '--require', 'tsx/cjs', 'test/generated/fuzz-network.ts'];
  if (by === 'messages') return ['400', '4000'].map((count) => [...fuzz, count, seed, '0']);
  if (by === 'texts') return ['1', '4'].map((each) => [...fuzz, '0', seed, each]);
  if (by === 'network') return ['400', '4000'].map((count) => [...network, count, seed]);
  const [file, name] = by;
  const ofDurability = ['--config', 'test/durability/.mocharc.json', `test/${file}.durability.ts`];
  const test = file.startsWith('durability/') ? ofDurability : [`test/${file}.test.ts`];
  return [['node_modules/mocha/bin/mocha.js', ...test, '--bail', '--grep', name]];
}

/** What a run has come to: what was found, in a line; nothing where it has ended well. */
interface End {
  finding: string | undefined;
  said: string;
}

/** Fuzzers go on to look for the smallest input, which nobody needs to know here. */
const found = /(?<=\bfound: ).*/;
const telling = /^\s*(?:\d+\) .*|(?:\w*Error\b|FATAL ERROR|\[\w*Error\b).*)/m;

async function run(folder: string, command: string[]): Promise<End> {
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let late = false;
  const end = () => child.kill('SIGKILL');
  const timer = setTimeout(() => {
    late = true;
    end();
  }, longest);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text;
      if (found.test(said)) end();
    });
  }
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  if (code === 0) return { finding: undefined, said };
  const [line = 'it ends at once'] = found.exec(said) ?? (late ? ['it does not end'] : (telling.exec(said) ?? []));
  return { finding: line.trim().slice(0, 300), said };
}

async function edit(folder: string, edits: Edit[]): Promise<() => Promise<void>> {
  const before = new Map<string, string>();
  for (const each of edits) {
    const path = join(folder, fileOf(each));
    const source = await readFile(path, 'utf8');
    if (!before.has(path)) before.set(path, source);
    await writeFile(path, withFault(source, each));
  }
  return async () => {
    for (const [path, source] of before) await writeFile(path, source);
  };
}

/** Gives what is found of a fault, or `undefined` where that is nothing. */
async function find(folder: string, { edits, by }: Fault): Promise<string | undefined> {
  const undo = await edit(folder, edits);
  try {
    const built = await run(folder, ['scripts/build.mjs']);
    if (built.finding !== undefined) throw new Error(`cannot be built: ${built.said.slice(0, 1000)}`);
    for (const command of commandsOf(by)) {
      const { finding } = await run(folder, command);
      if (finding !== undefined) return finding;
    }
    return undefined;
  } finally {
    await undo();
  }
}

async function main(words: string): Promise<void> {
  const chosen = faults.filter(({ name, by }) => `${name} ${by}`.includes(words));
  const folder = await mkdtemp(join(tmpdir(), 'nimbus-faults-'));
  try {
    await cp(project, folder, { recursive: true, filter: (path) => !left.has(path.slice(project.length + 1)) });
    // A fault may leave something that nobody needs.
    const options = join(folder, 'tsconfig.json');
    await writeFile(options, (await readFile(options, 'utf8')).replaceAll(/("noUnused\w+"): true/g, '$1: false'));
    await symlink(join(project, 'node_modules'), join(folder, 'node_modules'), 'junction');
    for (const fault of chosen) {
      const began = performance.now();
      const found = await find(folder, fault);
      if (found === undefined) process.exitCode = 1;
      const seconds = ((performance.now() - began) / 1000).toFixed();
      console.log(
        `${found === undefined ? 'NOT FOUND' : 'found'}, ${seconds} s: ${fault.name} (${[fault.by].flat()[0]})`
      );
      if (found !== undefined) console.log(`  ${found}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

main(process.argv.slice(2).join(' ')).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
