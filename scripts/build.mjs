// Compiles the nodes to dist/, makes their pages and the page of the plugin for the editor, and puts icons and texts
// where Node-RED looks for them. What the editor loads later is in resources/, which Node-RED serves.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { build, transformSync } from 'esbuild';
import { helpOf } from '../nodes/editor/help.mts';
import { page, pluginPage, registration } from '../nodes/editor/page.mts';
import { translated, wordsOf } from '../nodes/editor/words.mts';
import { placeOf, types } from './nodes.mts';

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, '..');
const from = (...parts) => join(root, ...parts);
const program = from('nodes', 'editor', 'program.ts');
const tsc = from('node_modules', 'typescript', 'bin', 'tsc');
const compile = (...options) => execFileSync(process.execPath, [tsc, ...options], { cwd: root, stdio: 'inherit' });

/** Writes the catalogue and the help of a node in a language. */
function writeWords(language, type, definition) {
  const words = wordsOf(language, type);
  const { help, own, ...catalogue } = words;
  const file = from('dist', 'locales', language, type);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.json`, JSON.stringify(catalogue));
  writeFileSync(`${file}.html`, helpOf(definition, words, language));
}

/** Writes the catalogue of the plugin, with the words of its tab. */
function writeOwnWords(language) {
  const file = from('dist', 'locales', language, 'nimbus.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(translated(language, 'nimbus')));
}

/** Options of esbuild for browsers. Those that Node-RED 4.1 and 5 support know private members. */
const forBrowsers = { minify: true, target: 'es2022', legalComments: 'none' };
const platform = from('nodes', 'editor', 'platform.mts');

/**
 * A plugin of esbuild that bundles files of the runtime for browsers, without the SDK and most of Node.js. Of a node's file
 * only the fields are used, and `@__PURE__` says that the rest can be left out. Files in `shared` are not bundled but taken from the program of all dialogs.
 */
const inBrowsers = (shared = new Set()) => ({
  name: 'in-browsers',
  setup(bundle) {
    const at = (path) =>
      shared.has(path) ? { path: 'program', external: true, sideEffects: false } : { path, sideEffects: false };
    bundle.onResolve({ filter: /^node:(buffer|util|util\/types|v8)$/ }, () => at(platform));
    bundle.onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, namespace: 'left out', sideEffects: false }));
    bundle.onResolve({ filter: /^\.\.?\/[^.]+$/ }, ({ path, resolveDir }) => at(join(resolveDir, `${path}.ts`)));
    bundle.onLoad({ filter: /.*/, namespace: 'left out' }, () => ({ contents: 'module.exports = {};' }));
  }
});

/** Bundles the program of all dialogs. `shared` are the files that it exports for the nodes' own parts. */
async function makeProgram() {
  const { outputFiles, metafile } = await build({
    ...forBrowsers,
    entryPoints: [program],
    absWorkingDir: root,
    inject: [platform],
    plugins: [inBrowsers()],
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    globalName: 'redNimbus'
  });
  const { imports } = metafile.inputs[relative(root, program).replaceAll('\\', '/')];
  return { code: outputFiles[0].text, shared: new Set(imports.map(({ path }) => from(path))) };
}

/** Bundles a node's own part: its fields with their checks, and the exports of its editor file if it has one. */
async function ownPart(type, { fields }, shared) {
  const common = 'dynamicCredentials' in fields ? '...commonFields' : '';
  const file = `./nodes/editor/${type}`;
  const contents = `import { commonFields } from './nodes/action/action';
    import { fields as own } from './nodes/${placeOf(type)}';
    export const fields = { ...own, ${common} };
    ${existsSync(from(`${file}.ts`)) ? `export * from '${file}';` : ''}`;
  const { outputFiles } = await build({
    ...forBrowsers,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    define: { Buffer: 'redNimbus.Buffer' },
    plugins: [inBrowsers(shared)],
    bundle: true,
    write: false,
    format: 'cjs',
    logOverride: { 'require-resolve-not-external': 'silent' }
  });
  return outputFiles[0].text;
}

/** JSONata as it is in Node-RED, which has changed how it looks up names: previews must give what flows do. */
const jsonata = createRequire(require.resolve('node-red')).resolve('@node-red/util/lib/jsonata.js');

/** Bundles the worker of the previews with JSONata, whose licence has to be in each copy. */
async function makePreviewWorker() {
  const licence = readFileSync(from('node_modules', 'jsonata', 'LICENSE'), 'utf8').trim();
  await build({
    ...forBrowsers,
    entryPoints: [from('nodes', 'editor', 'preview-worker.ts')],
    alias: { jsonata },
    banner: { js: `/*! JSONata: ${licence.replaceAll('*/', '* /')} */` },
    bundle: true,
    format: 'iife',
    outfile: from('resources', 'preview.js')
  });
}

rmSync(from('dist'), { recursive: true, force: true });
rmSync(from('resources'), { recursive: true, force: true });
compile('-p', 'tsconfig.build.json');
compile('-p', join('nodes', 'editor'));
const styles = ['form.css', 'tab.css'].map((file) => readFileSync(from('nodes', 'editor', file), 'utf8'));
const style = transformSync(styles.join('\n'), { ...forBrowsers, loader: 'css' });
const { code, shared } = await makeProgram();
writeFileSync(from('dist', 'nimbus.html'), pluginPage(code, style.code));
await makePreviewWorker();
for (const language of readdirSync(from('locales'))) writeOwnWords(language);

for (const type of types) {
  const { definition } = require(from('dist', 'nodes', `${placeOf(type)}.js`)).node;
  for (const language of readdirSync(from('locales'))) writeWords(language, type, definition);
  const own = await ownPart(type, definition, shared);
  writeFileSync(from('dist', `${type}.html`), page(definition, wordsOf('en-US', type), own));
  writeFileSync(from('dist', `${type}.js`), registration(definition, placeOf(type)));
}
cpSync(from('icons'), from('dist', 'icons'), { recursive: true });
