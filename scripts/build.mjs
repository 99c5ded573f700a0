// Compiles the nodes to dist/, makes their editor pages, and puts icons and words beside them, where Node-RED looks.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { build, transformSync } from 'esbuild';
import { helpOf } from '../nodes/editor/help.mts';
import { page, registration } from '../nodes/editor/page.mts';
import { wordsOf } from '../nodes/editor/words.mts';
import { placeOf, types } from './nodes.mts';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..');
const from = (...parts) => join(root, ...parts);
const tsc = from('node_modules', 'typescript', 'bin', 'tsc');
const compile = (...options) => execFileSync(process.execPath, [tsc, ...options], { cwd: root, stdio: 'inherit' });

/** The words of a node in a language, as Node-RED looks for them. */
function writeWords(language, type, definition) {
  const words = wordsOf(language, type);
  const { help, own, ...catalogue } = words;
  const file = from('dist', 'locales', language, type);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.json`, JSON.stringify(catalogue));
  writeFileSync(`${file}.html`, helpOf(definition, words, language));
}

/** A file of the editor's pages as browsers take it: each page has its own copy, so it should be small. */
function small(name) {
  const file = from('nodes', 'editor', name);
  return transformSync(readFileSync(file, 'utf8'), { loader: extname(file).slice(1), minify: true, target: 'es2020' })
    .code;
}

/** A node's file with its fields alone. What a field does not use, the SDK and most of Node.js, is left out of the bundle. */
const fieldsOnly = {
  name: 'fields-only',
  setup(bundle) {
    const platform = from('nodes', 'editor', 'platform.mts');
    bundle.onResolve({ filter: /^node:(buffer|util|util\/types|v8)$/ }, () => ({ path: platform, sideEffects: false }));
    bundle.onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, namespace: 'left out', sideEffects: false }));
    bundle.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => ({
      path: join(resolveDir, `${path}.ts`),
      sideEffects: false
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'left out' }, () => ({ contents: 'module.exports = {};' }));
    bundle.onLoad({ filter: /aws-[\w-]+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^export = [\s\S]*/m, 'export { fields };'),
      loader: 'ts'
    }));
  }
};

/** The fields of a node with their checks, and what checks a literal by them, as browsers take it: `nimbus` is its name. */
async function checks(set, { fields }) {
  const common = 'dynamicCredentials' in fields ? "export { commonFields } from './nodes/action/action';" : '';
  const contents = `export { fields } from './nodes/${placeOf(set)}'; export * from './nodes/fields/literal';
    export { namesIn, Variables } from './nodes/dialog/variables'; ${common}`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    inject: [from('nodes', 'editor', 'platform.mts')],
    plugins: [fieldsOnly],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'nimbus',
    target: 'es2022',
    legalComments: 'none'
  });
  return outputFiles[0].text;
}

rmSync(from('dist'), { recursive: true, force: true });
compile('-p', 'tsconfig.build.json');
compile('-p', join('nodes', 'editor'));
const style = small('form.css');
const scripts = readdirSync(from('nodes', 'editor')).filter((name) => name.endsWith('.ts'));
const shared = scripts.filter((name) => !types.includes(basename(name, '.ts'))).map(small);

for (const type of types) {
  const { definition } = require(from('dist', 'nodes', `${placeOf(type)}.js`));
  for (const language of readdirSync(from('locales'))) writeWords(language, type, definition);
  const own = scripts.filter((name) => basename(name, '.ts') === type).map(small);
  const code = [await checks(type, definition), ...shared, ...own].join('');
  writeFileSync(from('dist', `${type}.html`), page(definition, wordsOf('en-US', type), code, style));
  writeFileSync(from('dist', `${type}.js`), registration(definition, placeOf(type)));
}
cpSync(from('icons'), from('dist', 'icons'), { recursive: true });
