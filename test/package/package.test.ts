/**
 * The package as npm delivers it: packed, installed into an empty user folder, and run by a Node-RED in a process of its
 * own. It takes `dist/` as the build has left it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { LocalAws, signIns } from '../../local-aws/client';
import { drawPicture } from '../../local-aws/rekognition/drawings';
import { keysOf } from '../aws';
import { addressOfExample, exampleNames, placeOfExample } from '../example-files';
import { type FlowNode, nodeRedVersion } from '../node-red';

const repository = join(__dirname, '..', '..');
const nodeRed = nodeRedVersion === 4 ? 'node-red-4' : 'node-red';
const description = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  'node-red': { nodes: Record<string, string> };
};
const sets = Object.keys(description['node-red'].nodes);

/** Runs npm: the one that runs the tests, else the one on the path. */
async function npm(folder: string, ...args: string[]): Promise<string> {
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  const { stdout } = await promisify(execFile)(command, [...first, ...args], { cwd: folder });
  return stdout;
}

/** Files below a folder of the repository whose path there fits, with slashes. */
const filesIn = (folder: string, pattern: RegExp): string[] =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => pattern.test(path));
const compiled = (path: string): string => `dist/nodes/${path.replace(/\.ts$/, '.js')}`;

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

interface CommsEvent {
  topic: string;
  data?: { id?: string; msg?: string; text?: string; revision?: string };
}

/** The part of the package `ws`, which Node-RED brings, that is used here: Node 20 has no WebSocket of its own. */
interface Socket {
  on(name: 'message', handler: (data: Buffer) => void): void;
  once(name: 'open', handler: () => void): void;
  once(name: 'error', handler: (error: Error) => void): void;
  terminate(): void;
}

/** A Node-RED as `node-red -u <folder>` starts it, and what its editor hears of it. */
class Process {
  readonly events: CommsEvent[] = [];
  output = '';
  #url = '';
  #wake: () => void = () => undefined;
  #socket: Socket | undefined;

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text;
        this.#wake();
      });
    }
    child.once('exit', () => this.#wake());
  }

  static async start(userDir: string, env: Record<string, string>): Promise<Process> {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_RED|npm_|NODE_OPTIONS)/.test(name));
    const child = spawn(
      process.execPath,
      [
        require.resolve(`${nodeRed}/red.js`),
        '--userDir',
        userDir,
        '--settings',
        join(userDir, 'settings.js'),
        '-p',
        '0'
      ],
      { cwd: userDir, env: { ...Object.fromEntries(inherited), ...env }, stdio: ['ignore', 'pipe', 'pipe'] }
    );
    const started = new Process(child);
    try {
      started.#url = await started.until(
        () => /running at (http:\S+)/.exec(started.output)?.[1],
        'its address',
        30_000
      );
      await started.until(() => started.output.includes('Started flows'), 'the flows to start');
      await started.#listen();
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  /** Waits for something that shows in its output or at its editor. */
  async until<T>(condition: () => T | undefined | false, what: string, limit = 10_000): Promise<T> {
    const end = Date.now() + limit;
    for (;;) {
      const value = condition();
      if (value) return value;
      const left = end - Date.now();
      if (left <= 0 || this.child.exitCode !== null) {
        throw new Error(`waited in vain for ${what}; Node-RED says:\n${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const answer = await fetch(new URL(path, this.#url), init);
    assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
    return answer;
  }

  async json(path: string): Promise<unknown> {
    return (await this.request(path, { headers: { Accept: 'application/json' } })).json();
  }

  /** Deploys as the editor does. */
  async deploy(flows: FlowNode[]): Promise<void> {
    const headers = { 'Content-Type': 'application/json', 'Node-RED-API-Version': 'v2' };
    const answer = await this.request('flows', { method: 'POST', headers, body: JSON.stringify({ flows }) });
    const { rev } = (await answer.json()) as { rev: string };
    const deployed = ({ topic, data }: CommsEvent) => topic === 'notification/runtime-deploy' && data?.revision === rev;
    await this.until(() => this.events.some(deployed), 'the flows to be deployed');
    this.events.length = 0;
  }

  /** As Ctrl-C does; resolves with the exit code, or the signal that was needed after 10 s. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#socket?.terminate();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGINT');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(timer);
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Opens the connection over which the editor gets statuses and what debug nodes show. */
  async #listen(): Promise<void> {
    const inside = createRequire(createRequire(require.resolve(nodeRed)).resolve('@node-red/editor-api'));
    const WebSocket = inside('ws') as new (url: string) => Socket;
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}comms`);
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('message', (data) => {
      this.events.push(...(JSON.parse(data.toString()) as CommsEvent[]));
      this.#wake();
    });
  }
}

describe('the package', () => {
  let folder: string;
  let packed: Packed;
  let installed: string;

  before(async function () {
    this.timeout(120_000);
    folder = await realpath(await mkdtemp(join(tmpdir(), 'nimbus-package-')));
    // Without its scripts: the build must not run while other tests read what it makes.
    [packed] = JSON.parse(
      await npm(repository, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder)
    ) as [Packed];
    const userDir = join(folder, 'user');
    await mkdir(userDir);
    // What Node-RED itself writes into an empty user folder.
    await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'node-red-project', private: true }));
    const tarball = join(folder, basename(packed.filename));
    // As Node-RED's palette manager calls it.
    await npm(userDir, 'install', '--no-audit', '--no-update-notifier', '--no-fund', '--prefer-offline', tarball);
    installed = join(userDir, 'node_modules', description.name);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe('as a tarball', () => {
    it('holds what Node-RED loads, the examples and the documents, and nothing else', () => {
      const expected = [
        ...['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'],
        ...sets.flatMap((set) => [`dist/${set}.js`, `dist/${set}.html`]),
        'dist/nimbus.html',
        'resources/preview.js',
        'dist/nodes/policies.json',
        ...filesIn('nodes', /^(?!editor\/).*\.ts$/).map(compiled),
        ...filesIn('icons', /\.svg$/).map((path) => `dist/icons/${path}`),
        ...readdirSync(join(repository, 'locales')).flatMap((language) => [
          `dist/locales/${language}/nimbus.json`,
          ...sets.flatMap((set) => ['json', 'html'].map((ending) => `dist/locales/${language}/${set}.${ending}`))
        ]),
        ...exampleNames.map(placeOfExample)
      ];
      assert.deepEqual(packed.files.map(({ path }) => path).sort(), expected.sort());
    });

    it('is small', () => {
      assert.ok(packed.size < 112_000 * sets.length, `it has ${packed.size} bytes`);
    });

    it('holds nothing of the machine that it was made on, and no keys of the local AWS', async () => {
      const own = [repository, join(homedir(), sep), 'sourceMappingURL'];
      const keys = Object.values(signIns).flatMap(({ accessKeyId, secretAccessKey }) => [accessKeyId, secretAccessKey]);
      const found: string[] = [];
      for (const { path } of packed.files) {
        const text = await readFile(join(installed, path), 'utf8');
        for (const trace of [...own, ...keys]) if (text.includes(trace)) found.push(`${path}: ${trace}`);
      }
      assert.deepEqual(found, []);
    });

    it('is installed with its dependencies and without those of its development', async () => {
      const modules = await readdir(dirname(dirname(installed)));
      assert.ok(modules.includes('@aws-sdk'), `there are ${modules}`);
      for (const name of ['node-red', 'mocha', 'typescript', 'tsx']) assert.ok(!modules.includes(name), name);
      assert.ok((await stat(join(installed, 'LICENSE'))).size > 10_000);
    });
  });

  describe(`in a Node-RED ${nodeRedVersion} of its own`, () => {
    let aws: LocalAws;
    let red: Process;

    before(async function () {
      this.timeout(120_000);
      aws = await LocalAws.start();
      const userDir = join(folder, 'user');
      const settings = {
        uiHost: '127.0.0.1',
        credentialSecret: 'the secret of the tests',
        telemetry: { enabled: false, updateNotification: false },
        flowFile: 'flows.json',
        editorTheme: { tours: false, palette: { catalogues: [] } }
      };
      await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings)};\n`);
      const { accessKeyId, secretAccessKey } = keysOf('demo');
      red = await Process.start(userDir, {
        HOME: folder,
        AWS_ENDPOINT_URL: aws.url,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true'
      });
    });
    beforeEach(() => aws.reset());
    after(async () => {
      await red?.stop();
      await aws?.stop();
    });

    /** Imports an example, deploys it and gives its nodes by name. */
    async function deployExample(name: string): Promise<(name: string) => string> {
      const flow = (await red.json(addressOfExample(description.name, name))) as FlowNode[];
      await red.deploy(flow);
      return (wanted) => {
        const node = flow.find((each) => each.name === wanted);
        assert.ok(node, `there is a node ${wanted}`);
        return node.id;
      };
    }

    /** Presses the button of an inject node; resolves with what the debug node shows in the sidebar and below itself. */
    async function press(inject: string, debug: string): Promise<{ shown: unknown; status: string }> {
      await red.request(`inject/${inject}`, { method: 'POST' });
      const shown = await red.until(
        () => red.events.find(({ topic, data }) => topic === 'debug' && data?.id === debug)?.data?.msg,
        'a message in the debug sidebar'
      );
      const status = await red.until(
        () => red.events.find(({ topic, data }) => topic === `status/${debug}` && data?.text)?.data?.text,
        'the status of the debug node'
      );
      red.events.length = 0;
      return { shown, status };
    }

    it('is loaded from the user folder, every set without an error', async () => {
      const all = (await red.json('nodes')) as Record<string, unknown>[];
      const own = all.filter(({ module }) => module === description.name);
      assert.deepEqual(
        own.map(({ name, types, enabled, local, version, err }) => ({ name, types, enabled, local, version, err })),
        sets.map((set) => {
          return {
            name: set,
            types: [set],
            enabled: true,
            local: true,
            version: description.version,
            err: undefined
          };
        })
      );
    });

    it('starts without a word of the pack', () => {
      const lines = red.output
        .split('\n')
        .filter((line) => /aws|nimbus|\[error\]/i.test(line) && !line.includes(folder));
      assert.deepEqual(lines, []);
    });

    it('brings the program of its dialogs to the editor, also where it comes while that is open', async () => {
      const id = `${description.name}/nimbus`;
      const plugins = (await red.json('plugins')) as { id: string; err?: unknown }[];
      assert.deepEqual(
        plugins.filter((plugin) => plugin.id.startsWith(description.name)).map((plugin) => [plugin.id, plugin.err]),
        [[id, undefined]]
      );
      // As the editor asks at its start, and when a package is installed: its words, then its page.
      const words = (await red.json(`nodes/${id}/messages?lng=en-US`)) as { tab?: string };
      assert.equal(words.tab, 'AWS');
      for (const path of ['plugins', `plugins/${id}`]) {
        const page = await (await red.request(path, { headers: { Accept: 'text/html' } })).text();
        assert.ok(page.includes('var redNimbus='), path);
      }
    });

    it('brings its icons, words and help to the editor', async () => {
      const icons = (await red.json('icons')) as Record<string, string[]>;
      assert.deepEqual(icons[description.name]?.sort(), filesIn('icons', /\.svg$/).sort());
      const pages = await (await red.request('nodes', { headers: { Accept: 'text/html' } })).text();
      for (const set of sets) {
        assert.ok(pages.includes(`data-template-name="${set}"`), `the form of ${set}`);
        assert.ok(pages.includes(`data-help-name="${set}"`), `the help of ${set}`);
        const words = (await red.json(`nodes/${description.name}/${set}/messages?lng=en-US`)) as { palette?: string };
        assert.ok(words.palette, `the words of ${set}`);
      }
    });

    it('runs the example lambda-invoke, its Catch branch too', async () => {
      const id = await deployExample('lambda-invoke');
      const answer = await press(id('study, 18.2 °C'), id('answer'));
      assert.equal(answer.status, 'Heating Study to 21 °C');
      assert.deepEqual(JSON.parse(String(answer.shown)), {
        room: 'Study',
        heating: true,
        power: 100,
        message: 'Heating Study to 21 °C'
      });
      const failure = await press(id('broken sensor'), id('error'));
      assert.match(String(failure.shown), /FunctionError/);
      assert.equal((await aws.invocations()).length, 2);
      const line = /signed in to account 111111111111 as \S+, region us-east-1/;
      await red.until(() => line.test(red.output), 'the line of the account');
    });

    it('runs the example lambda-invoke-async', async () => {
      const id = await deployExample('lambda-invoke-async');
      assert.equal((await press(id('wait 5 seconds'), id('accepted'))).status, 'status 202');
      await aws.until({ invocations: 1, functionName: 'slow' });
    });

    it('runs the example lambda-list, all at once and page by page', async () => {
      const id = await deployExample('lambda-list');
      const { shown, status } = await press(id('list'), id('functions'));
      assert.match(String(shown), /thermostat/);
      assert.match(status, /^\d+ functions$/);
      await press(id('first page'), id('page'));
      await aws.until({ requests: 1 + Math.ceil(Number.parseInt(status, 10) / 5), operation: 'ListFunctions' });
    });

    it('runs the example sqs-receive-settle: an order is sent, received and deleted', async () => {
      const id = await deployExample('sqs-receive-settle');
      assert.equal((await press(id('a pizza'), id('served'))).status, 'pizza is served');
      await aws.until({ requests: 1, operation: 'DeleteMessage', finished: true });
    });

    it('detects without the optional canvas, says what needs it and how to get it, and draws once it is there', async () => {
      const canvas = join(dirname(dirname(installed)), 'canvas');
      const picture = drawPicture({ things: [] }, { width: 160, height: 120, format: 'jpeg' });
      // Without a place on the tab they would be configuration nodes.
      const place = { z: 'tab', x: 100, y: 100 };
      const debug = { type: 'debug', ...place, active: true, tosidebar: true, complete: 'true', tostatus: true };
      const detect = { type: 'aws-rekognition-detect', ...place, account: 'account' };
      const statusOf = (statusVal: string) => ({ ...debug, targetType: 'full', statusVal, statusType: 'jsonata' });
      const inject = (id: string, to: string) => {
        const payload = `data:image/jpeg;base64,${picture.toString('base64')}`;
        return { id, type: 'inject', ...place, props: [{ p: 'payload' }], payload, payloadType: 'str', wires: [[to]] };
      };
      const flow = [
        { id: 'tab', type: 'tab', label: 'canvas' },
        { id: 'account', type: 'aws-account', source: 'default', region: 'us-east-1', validate: false },
        inject('press-plain', 'plain'),
        inject('press-drawn', 'drawn'),
        { id: 'plain', ...detect, wires: [['found']] },
        { id: 'drawn', ...detect, annotate: 'png', wires: [['found']] },
        { id: 'catch', type: 'catch', ...place, scope: null, wires: [['why']] },
        { id: 'found', ...statusOf('payload.image.width & (image ? " drawn" : " plain")'), wires: [] },
        { id: 'why', ...statusOf('error.code'), wires: [] }
      ];
      await rename(canvas, `${canvas}-away`);
      try {
        await red.deploy(flow);
        assert.equal((await press('press-plain', 'found')).status, '160 plain');
        const { shown } = await press('press-drawn', 'why');
        assert.match(
          String(shown),
          /Draw boxes \(annotate\) needs the optional package canvas, .* npm install canvas@npm:@napi-rs\/canvas/
        );
      } finally {
        await rename(`${canvas}-away`, canvas);
      }
      assert.equal((await press('press-drawn', 'found')).status, '160 drawn');
    });

    it('has written neither keys nor the endpoint into the user’s flows', async () => {
      const files = (await readdir(join(folder, 'user'))).filter((file) => /^flows.*\.json$/.test(file));
      assert.ok(files.length > 0);
      for (const file of files) {
        const text = await readFile(join(folder, 'user', file), 'utf8');
        const { accessKeyId, secretAccessKey } = signIns.demo;
        for (const own of [accessKeyId, secretAccessKey, aws.url]) assert.ok(!text.includes(own), `${file}: ${own}`);
      }
    });

    it('ends with its Node-RED at the first Ctrl-C', async () => {
      assert.equal(await red.stop(), 0);
      assert.match(red.output, /Stopped flows/);
    });
  });
});
