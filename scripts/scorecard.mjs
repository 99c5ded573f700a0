/**
 * `npm run scorecard`: runs Node-RED's own `node-red-dev validate` on this package and prints the rows that the Flow Library
 * shows. Exits with 1 if one fails. Needs npm's registry and a built `dist/`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

import { placeOf, types } from './nodes.mts';

const root = join(import.meta.dirname, '..');
const catalogue = 'https://catalogue.nodered.org/catalogue.json';
/** Rows that compare this package with those of the catalogue. */
const comparing = ['P08', 'N01'];

/** The rows by the tool's names: https://nodered.org/docs/creating-nodes/scorecard */
const rows = {
  P01: 'has a licence',
  P03: 'has a repository, or a place for bugs',
  P04: 'has a scoped name',
  P05: 'has the keyword node-red',
  P06: 'runs on the Node-RED versions of today',
  P07: 'runs on their least Node.js',
  P08: 'has a name that is unlike others',
  N01: 'has types of nodes that no other package has',
  N02: 'has an example of each node',
  D01: 'has few dependencies',
  D02: 'has no dependency that harms Node-RED',
  D03: 'has dependencies of today'
};

/** The same instance that the tool uses. */
const axios = createRequire(require.resolve('node-red-dev/package.json'))('axios');

/**
 * Replaces the catalogue by an empty one if it cannot be reached, since the tool would stop without it. Only the two rows
 * that need the catalogue are then left out.
 */
function allowWithoutCatalogue() {
  let reached = true;
  const { adapter } = axios.defaults;
  axios.defaults.adapter = async (request) => {
    try {
      return await adapter(request);
    } catch (error) {
      if (request.url !== catalogue || error.response) throw error;
      reached = false;
      return { data: { modules: [] }, status: 200, statusText: 'OK', headers: {}, config: request };
    }
  };
  return () => reached;
}

/** Runs the tool in this process, so that its requests can be intercepted. Rejects if it stops early. */
async function validate() {
  const Validate = require('node-red-dev/src/commands/validate');
  // Its own output is misleading without the catalogue; its warnings are kept.
  Validate.prototype.log = () => undefined;
  const folder = mkdtempSync(join(tmpdir(), 'nimbus-scorecard-'));
  const output = join(folder, 'scorecard.json');
  try {
    await Validate.run(['--path', root, '--output', output, '--embed', 'yes']);
    return JSON.parse(readFileSync(output, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Finds nodes whose pages the tool cannot read: it does not report them, it only finds no example for them. */
function nodesLeftOut({ N02 }) {
  const isConfig = (type) => require(`../dist/nodes/${placeOf(type)}.js`).node.definition.config;
  return types.filter((type) => !isConfig(type) && !N02?.nodes?.includes(type));
}

const wasReached = allowWithoutCatalogue();
const scorecard = await validate();
const left = nodesLeftOut(scorecard);
if (left.length > 0) scorecard.N02 = { ...scorecard.N02, test: false, missing: left };

let failed = 0;
for (const [name, meaning] of Object.entries(rows)) {
  const { test = false, ...details } = scorecard[name] ?? {};
  const judged = wasReached() || !comparing.includes(name);
  if (judged && !test) failed += 1;
  const word = !judged ? 'not judged: no catalogue' : test ? 'ok' : `FAILED ${JSON.stringify(details)}`;
  console.log(`${name}  ${meaning}: ${word}`);
}
console.log(`\nRows that fail: ${failed}`);
// The tool leaves its standard input open.
process.exit(failed === 0 ? 0 : 1);
