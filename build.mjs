// Compiles the nodes to dist/, makes their editor pages, and puts icons and words beside them, where Node-RED looks.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { page, registration } from './nodes/editor/page.mts';

const require = createRequire(import.meta.url);
const root = import.meta.dirname;
const from = (...parts) => join(root, ...parts);
const tsc = from('node_modules', 'typescript', 'bin', 'tsc');
const compile = (...options) => execFileSync(process.execPath, [tsc, ...options], { cwd: root, stdio: 'inherit' });
const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {});

/** `more` over `base`, group by group. */
function merge(base, more) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(more)) {
    merged[key] = typeof value === 'object' && typeof base[key] === 'object' ? merge(base[key], value) : value;
  }
  return merged;
}

/** Each set has a catalogue of its own, so the common words go into every one. */
function writeWords(language, sets) {
  const source = from('locales', language);
  const target = from('dist', 'locales', language);
  mkdirSync(target, { recursive: true });
  for (const set of sets) {
    const words = merge(readJson(join(source, 'common.json')), readJson(join(source, `${set}.json`)));
    writeFileSync(join(target, `${set}.json`), JSON.stringify(words));
    const help = join(source, `${set}.html`);
    if (existsSync(help)) cpSync(help, join(target, `${set}.html`));
  }
}

const sets = Object.keys(readJson(from('package.json'))['node-red'].nodes);

rmSync(from('dist'), { recursive: true, force: true });
compile('-p', 'tsconfig.build.json');
compile('-p', join('nodes', 'editor'));
const form = readFileSync(from('dist', 'editor', 'form.js'), 'utf8');
rmSync(from('dist', 'editor'), { recursive: true });

for (const language of readdirSync(from('locales'))) writeWords(language, sets);
for (const set of sets) {
  const words = readJson(from('dist', 'locales', 'en-US', `${set}.json`));
  const { definition } = require(from('dist', 'nodes', `${set}.js`));
  writeFileSync(from('dist', `${set}.html`), page(definition, words, form));
  writeFileSync(from('dist', `${set}.js`), registration(definition));
}
cpSync(from('icons'), from('dist', 'icons'), { recursive: true });
