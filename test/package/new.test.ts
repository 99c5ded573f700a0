/** `npm run new` in a copy of the project: what it makes builds, has all that belongs to a node, and passes its test. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { SavedNode } from '../contract';
import type { FlowNode } from '../node-red';

const repository = join(__dirname, '..', '..');
/** What is made, or belongs to nobody but this folder. */
const left = ['node_modules', 'dist', '.git', '.node-red', 'screenshots'];

/** Nobody has made these yet, and nobody will soon. */
const numbers = 'aws-sns-list-phone-numbers-opted-out';
const made = [numbers, 'aws-sqs-empty', 'aws-s3-list-buckets'];

interface Words {
  label: Record<string, string>;
  option: Record<string, Record<string, string>>;
  help: { summary: string; field: Record<string, string> };
}

describe('npm run new', () => {
  let folder: string;
  const path = (file: string): string => join(folder, file);
  const readJson = <T>(file: string): T => JSON.parse(readFileSync(path(file), 'utf8')) as T;
  const savedOf = (type: string): SavedNode | undefined =>
    readJson<Record<string, SavedNode>>('test/contract.json')[type];

  /** What a script says in the copy, without the colours that some environments ask for; rejects with it where it fails. */
  async function run(...args: string[]): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
      return stripVTControlCharacters(stdout);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`);
    }
  }
  const makeNode = (...names: string[]): Promise<string> => run('scripts/new.mjs', ...names);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nimbus-new-'));
    cpSync(repository, folder, { recursive: true, filter: (file) => !left.includes(basename(file)) });
    symlinkSync(join(repository, 'node_modules'), path('node_modules'), 'junction');
    await makeNode(numbers);
    await makeNode('aws-sqs-empty', 'PurgeQueue');
    // Of a service that no node has yet.
    await makeNode('aws-s3-list-buckets');
    await run('scripts/build.mjs');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('makes nodes that load, have all that belongs to them, and pass their tests', async () => {
    const test = (...files: string[]) => run('node_modules/mocha/bin/mocha.js', ...files, '--grep', made.join('|'));
    const own = [`messaging/${numbers}`, 'messaging/aws-sqs-empty', 's3/aws-s3-list-buckets'];
    const [said, loaded] = await Promise.all([
      test(...own.map((file) => `test/${file}.test.ts`), 'test/package/structure.test.ts'),
      // One process has one Node-RED.
      test('test/package/loads.test.ts')
    ]);
    assert.equal(
      said.match(/✔ asks AWS for (ListPhoneNumbersOptedOut|PurgeQueue|ListBuckets), and ends the message/g)?.length,
      3,
      said
    );
    for (const type of made) assert.ok(said.includes(`✔ gives a new ${type} the contract’s defaults`), said);
    for (const type of made) assert.ok(loaded.includes(`✔ ${type} says of a message why it goes no further`), loaded);
  });

  it('makes fields of what AWS requires', () => {
    const { properties, typed } = savedOf('aws-sqs-empty') as SavedNode;
    assert.deepEqual([properties.queueUrl, properties.queueUrlType], ['', 'str']);
    assert.deepEqual(typed, ['queueUrl', 'region', 'dynamicCredentials']);
  });

  it('writes files as the formatter does', async () => {
    const lists = ['package.json', 'nodes/policies.json', 'nodes/account/sdks.ts', 'test/contract.json'];
    const own = made.map((type) => `locales/en-US/${type}.json`);
    const folders = ['nodes/messaging', 'nodes/s3', 'test/messaging', 'test/s3', 'examples'];
    await run('node_modules/@biomejs/biome/bin/biome', 'format', ...lists, ...own, ...folders);
  });

  it('brings contract, example and words up to the fields when they have changed, and leaves what people wrote', async () => {
    const file = path(`nodes/messaging/${numbers}.ts`);
    const words = `locales/en-US/${numbers}.json`;
    const written = readJson<Words>(words);
    written.help.summary = 'Lists numbers.';
    writeFileSync(path(words), JSON.stringify(written));
    const code = readFileSync(file, 'utf8')
      .replace('export const fields = {};', "export const fields = { pageScope: choice(['all', 'onePage']) };")
      .replace(/^/, "import { choice } from '../fields/fields';\n");
    writeFileSync(file, code);
    await makeNode(numbers);
    assert.equal(readFileSync(file, 'utf8'), code);
    assert.equal(savedOf(numbers)?.properties.pageScope, 'all');
    const [node] = readJson<FlowNode[]>('examples/Messaging/sns-list-phone-numbers-opted-out.json').filter(
      ({ type }) => type === numbers
    );
    assert.equal(node?.pageScope, 'all');
    const { label, option, help } = readJson<Words>(words);
    assert.deepEqual(
      [label, option],
      [{ pageScope: 'Page scope' }, { pageScope: { all: 'All', onePage: 'One page' } }]
    );
    assert.deepEqual(help, written.help);
  });

  it('says what to do where the name alone does not tell', async () => {
    for (const [names, hint] of [
      [['aws-sqs'], /npm run new aws-sns-list-topics/],
      [['aws-sqs-no-such-thing'], /sqs has no operation NoSuchThing: name the operation/],
      [['aws-nosuchservice-list'], /npm install @aws-sdk\/client-nosuchservice/]
    ] as const) {
      await assert.rejects(makeNode(...names), hint);
    }
  });
});
