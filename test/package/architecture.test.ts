/** Which room of the house may know which: an arrow that leads the other way, or a circle, is found here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { placeOf, types } from '../../scripts/nodes.mjs';

const repository = join(__dirname, '..', '..');

/** Rooms of services: they have nodes that are in a flow. */
const services = [...new Set(types.map((type) => dirname(placeOf(type))))].filter((room) => room !== 'account');

/** From a room to those that it may know. What stands lower knows nothing of what stands on it. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  fields: [],
  metering: ['fields'],
  account: ['metering', 'fields'],
  action: ['account', 'fields'],
  outbox: ['action', 'account', 'metering', 'fields'],
  ...Object.fromEntries(services.map((room) => [room, ['outbox', 'action', 'account', 'metering', 'fields']])),
  // It lists what services hold, in their own terms, and shows what is kept and what it costs.
  dialog: [...services, 'outbox', 'action', 'account', 'metering', 'fields']
};

/** Who imports whom: of each file those that it names, and how. */
type Graph = Record<string, { path: string; kind: string }[]>;

/** What runs, as the bundler finds it. */
async function graphOfCode(files: string[]): Promise<Graph> {
  const { metafile } = await build({
    entryPoints: files.map((file) => join(repository, file)),
    absWorkingDir: repository,
    bundle: true,
    write: false,
    outdir: 'out',
    metafile: true,
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } }
  });
  return Object.fromEntries(Object.entries(metafile.inputs).map(([path, { imports }]) => [path, imports]));
}

/** What the compiler reads, types included: it tells of each file who imports it. */
async function graphOfTypes(): Promise<Graph> {
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--noEmit', '--explainFiles'],
    { cwd: repository, maxBuffer: 64 * 1024 * 1024 }
  );
  const graph: Graph = {};
  let path = '';
  for (const line of stdout.split(/\r?\n/)) {
    if (/^\S/.test(line)) path = line;
    const [, from] = /^ +Imported via .* from file '(.*?)'/.exec(line) ?? [];
    if (!from?.startsWith('nodes/') || !path.startsWith('nodes/')) continue;
    graph[from] ??= [];
    graph[from].push({ path, kind: 'type' });
  }
  return graph;
}

/** The list of rights is data, which is in no room. */
const isCode = (file: string): boolean => !file.endsWith('.json');

const merged = (...graphs: Graph[]): Graph => {
  const all: Graph = {};
  for (const [file, imports] of graphs.flatMap((graph) => Object.entries(graph))) {
    if (isCode(file)) all[file] = [...(all[file] ?? []), ...imports.filter(({ path }) => isCode(path))];
  }
  return all;
};

const roomOf = (file: string): string => file.split('/')[1] ?? '';

/** Arrows from a file to a file of a room that it may not know. */
const wrongArrows = (graph: Graph): string[] =>
  Object.entries(graph).flatMap(([from, imports]) =>
    imports
      .filter(({ path }) => path.startsWith('nodes/') && roomOf(path) !== roomOf(from))
      .filter(({ path }) => !allowed[roomOf(from)]?.includes(roomOf(path)))
      .map(({ path }) => `${from} -> ${path}`)
  );

/** The first circle of files that name each other, if there is one. */
function circleIn(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, way: string[]): string[] | undefined => {
    const start = way.indexOf(file);
    if (start >= 0) return [...way.slice(start), file];
    if (done.has(file)) return undefined;
    for (const { path } of graph[file] ?? []) {
      const circle = graph[path] && visit(path, [...way, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of Object.keys(graph)) {
    const circle = visit(file, []);
    if (circle) return circle;
  }
  return undefined;
}

describe('the house', () => {
  const files = globSync('nodes/*/*.ts', { cwd: repository })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => roomOf(file) !== 'editor');
  let withAll: Graph = {};
  let running: Graph = {};

  before(async () => {
    const [code, types] = await Promise.all([graphOfCode(files), graphOfTypes()]);
    running = code;
    withAll = merged(code, types);
  });

  it('has the rooms that are named here, and no others', () => {
    assert.deepEqual([...new Set(files.map(roomOf))].sort(), Object.keys(allowed).sort());
    assert.deepEqual(Object.keys(withAll).sort(), files.sort());
  });

  it('is seen with its types', () => {
    const [named] =
      withAll['nodes/fields/node-module.ts']?.filter(({ path }) => path === 'nodes/fields/fields.ts') ?? [];
    assert.equal(named?.kind, 'type');
  });

  it('has arrows from a room to those that it stands on, and no others', () => {
    assert.deepEqual(wrongArrows(withAll), []);
  });

  it('has no circle, types and what is loaded later included', () => assert.equal(circleIn(withAll), undefined));

  it('loads nothing of the SDK before a node is deployed', () => {
    const early = Object.entries(running).flatMap(([file, imports]) =>
      imports
        .filter(({ path, kind }) => /^@(aws-sdk|smithy)\//.test(path) && kind === 'import-statement')
        .map(({ path }) => `${file}: ${path}`)
    );
    assert.deepEqual(early, []);
  });

  describe('would be found to be built wrong', () => {
    it('where a room knows one that stands on it', () => {
      const wrong = { 'nodes/action/call.ts': [{ path: 'nodes/messaging/batches.ts', kind: 'require-call' }] };
      assert.deepEqual(wrongArrows(wrong), ['nodes/action/call.ts -> nodes/messaging/batches.ts']);
    });

    it('where a service knows another one', () => {
      const wrong = { 'nodes/lambda/host.ts': [{ path: 'nodes/messaging/queue.ts', kind: 'import-statement' }] };
      assert.equal(wrongArrows(wrong).length, 1);
    });

    it('where files name each other in a circle', () => {
      const to = (path: string) => [{ path, kind: 'import-statement' }];
      const circle = {
        'nodes/a/a.ts': to('nodes/a/b.ts'),
        'nodes/a/b.ts': to('nodes/a/c.ts'),
        'nodes/a/c.ts': to('nodes/a/a.ts')
      };
      assert.deepEqual(circleIn(circle), ['nodes/a/a.ts', 'nodes/a/b.ts', 'nodes/a/c.ts', 'nodes/a/a.ts']);
    });
  });
});
