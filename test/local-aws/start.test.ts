/** The local AWS and `npm start` as processes: how they start, and how they end. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startCamera } from '../../demo/camera';
import { LocalAws } from '../../local-aws/client';
import { controlPath } from '../../local-aws/server/control';
import { isLoopback } from '../../local-aws/server/loopback';
import type { Condition } from '../../local-aws/server/records';
import { signIns } from '../../local-aws/server/sign-ins';

const repository = join(__dirname, '..', '..');
const tsx = pathToFileURL(require.resolve('tsx')).href;

/** What it says, and how it ends: its exit code or the signal that ended it. */
interface Ending {
  readonly output: string;
  readonly end: number | NodeJS.Signals | null;
}

/** A process and what it has said so far. */
class Process {
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  #wake: () => void = () => undefined;

  constructor(folder: string, parameters: readonly string[], env: Record<string, string> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|NODE_RED|npm_|NODE_OPTIONS)/.test(name));
    this.child = spawn(process.execPath, parameters, {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text;
        this.#wake();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        this.#wake();
        resolve({ output: this.output, end: code ?? signal });
      });
    });
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits for something that it says. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found[1] ?? found[0];
      if (!this.isAlive) throw new Error(`it has ended without saying ${pattern}:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const running: Process[] = [];

function run(...parameters: ConstructorParameters<typeof Process>): Process {
  const process = new Process(...parameters);
  running.push(process);
  return process;
}

/** Ends what a failed test has left. */
async function endAll(): Promise<void> {
  for (const each of running.splice(0)) {
    if (each.isAlive) each.child.kill('SIGKILL');
    await each.ended;
  }
}

/** Asks with this `Host`, as a browser does for a page whose name leads to this machine. */
function askAs(host: string, url: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: { host }, agent: false }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
      resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    });
    outgoing.on('error', reject).end();
  });
}

const refused = { status: 403, text: 'This server answers to localhost and loopback addresses only.' };

describe('A name of this machine itself', () => {
  for (const host of [
    'localhost',
    'localhost:1880',
    'LOCALHOST:1880',
    'localhost.:1880',
    'sqs.us-east-1.localhost:14566',
    '127.0.0.1',
    '127.0.0.1:1880',
    '127.3.2.1:80',
    '[::1]',
    '[::1]:1880'
  ]) {
    it(`is ${host}`, () => assert.equal(isLoopback(host), true));
  }

  for (const host of [
    undefined,
    '',
    ':1880',
    'evil.example',
    'evil.example:1880',
    'localhost.evil.example',
    'evil.example.localhost.example:1880',
    'localhost@evil.example',
    'evil-localhost',
    'localhost:1880:80',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io:1880',
    '0.0.0.0:1880',
    '192.168.1.2',
    '1270.0.0.1',
    '[::]:1880',
    '[::ffff:10.0.0.1]',
    '::1'
  ]) {
    it(`is not ${host}`, () => assert.equal(isLoopback(host), false));
  }
});

describe('The local AWS as a process', () => {
  afterEach(endAll);

  it('answers to names of this machine only, its controls included', async () => {
    const aws = await LocalAws.start();
    try {
      const path = `${controlPath}requests`;
      const { port } = new URL(aws.url);
      assert.deepEqual(await askAs(`evil.example:${port}`, aws.url + path, 'POST'), refused);
      assert.deepEqual(await askAs(`evil.example:${port}`, aws.url), refused);
      assert.deepEqual(await askAs(`localhost:${port}`, aws.url + path, 'POST'), { status: 200, text: '[]' });
    } finally {
      await aws.stop();
    }
  });

  it('says in one sentence that its Node.js is too old, and ends', async () => {
    // What Node.js 20 lacks.
    const old = ['--no-experimental-sqlite', '--disable-warning=ExperimentalWarning', '--import', tsx];
    const { output, end } = await run(repository, [...old, 'local-aws/main.ts']).ended;
    assert.equal(output, `The local AWS needs Node.js 22.13 or later, but this is ${process.version}.\n`);
    assert.equal(end, 1);
  });

  it('says what else keeps it from starting', async () => {
    const aws = await LocalAws.start();
    const parameters = ['--import', tsx, 'local-aws/main.ts', '--port', new URL(aws.url).port];
    const { output, end } = await run(repository, parameters).ended;
    await aws.stop();
    assert.match(output, /^local-aws: Error: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\n$/);
    assert.equal(end, 1);
  });
});

describe('The camera', () => {
  it('answers to names of this machine only', async () => {
    const camera = await startCamera();
    try {
      const { port } = new URL(camera.url);
      assert.deepEqual(await askAs(`evil.example:${port}`, `${camera.url}/porch.jpg`), refused);
      assert.equal((await askAs(`localhost:${port}`, `${camera.url}/porch.jpg`)).status, 200);
    } finally {
      await camera.close();
    }
  });
});

/** The part of the package `ws`, which Node-RED brings, that is used here. */
interface Socket {
  once(name: 'open' | 'close', handler: () => void): void;
  once(name: 'error', handler: (error: Error) => void): void;
  terminate(): void;
}

describe('npm start', function () {
  this.timeout(120_000);
  let folder: string;
  const sockets: Socket[] = [];

  // A clone of its own, since it builds, and keeps its flows beside itself.
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'nimbus-start-')));
    const left = new Set(['node_modules', 'dist', 'screenshots', 'bench', 'test', 'docs']);
    const filter = (path: string) =>
      path === repository || !(left.has(basename(path)) || /^\.[^/\\]/.test(basename(path)));
    await cp(repository, folder, { recursive: true, filter });
    await symlink(await realpath(join(repository, 'node_modules')), join(folder, 'node_modules'), 'junction');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.terminate();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Starts it; gives the addresses of the editor and of the local AWS. */
  async function start() {
    const started = run(folder, ['scripts/start.mjs'], { HOME: folder });
    const editor = await started.says(/Editor +(http:\S+)/);
    const aws = await started.says(/Local AWS +(http:\S+)/);
    return { started, editor, aws };
  }

  /** Opens a connection as the editor and the dashboard do. */
  async function open(url: string, headers: Record<string, string> = {}): Promise<Socket> {
    const inside = createRequire(createRequire(require.resolve('node-red')).resolve('@node-red/editor-api'));
    const WebSocket = inside('ws') as new (url: string, options: object) => Socket;
    const socket = new WebSocket(url.replace('http', 'ws'), { headers });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return socket;
  }

  const pagesOf = (editor: string) => [`${editor}comms`, `${editor}dashboard/socket.io/?EIO=4&transport=websocket`];
  const openPages = (editor: string) => Promise.all(pagesOf(editor).map((page) => open(page)));
  /** Waits for requests to the local AWS. */
  async function happens(aws: string, condition: Condition): Promise<void> {
    const body = JSON.stringify({ ...condition, timeoutMs: 60_000 });
    assert.equal(await (await fetch(`${aws}${controlPath}until`, { method: 'POST', body })).json(), true);
  }
  const isGone = (url: string) => assert.rejects(fetch(url), { name: 'TypeError', message: 'fetch failed' });

  it('says in one sentence that its Node.js is too old, and ends', async () => {
    const old = run(folder, ['--no-experimental-strip-types', 'scripts/start.mjs']);
    const { output, end } = await old.ended;
    const text = `Start the demo with npm start, which brings its own Node.js: it needs 22.18 or later, but this is ${process.version}.\n`;
    assert.deepEqual([output, end], [text, 1]);
  });

  type Started = Awaited<ReturnType<typeof start>>;

  /** Gives all that it has said. */
  async function endsAtOne(signal: NodeJS.Signals, { started, editor, aws }: Started): Promise<string> {
    const pages = await openPages(editor);
    const closed = pages.map((page) => new Promise<void>((resolve) => page.once('close', resolve)));
    started.child.kill(signal);
    const { output, end } = await started.ended;
    assert.equal(end, 0, output);
    assert.match(output, /Stopping\.\.\./);
    await Promise.all(closed);
    await isGone(editor);
    await isGone(aws);
    return output;
  }

  const deploy = async (editor: string, flows: string): Promise<void> => {
    const headers = { 'Content-Type': 'application/json', 'Node-RED-API-Version': 'v1' };
    const deployed = await fetch(`${editor}flows`, { method: 'POST', headers, body: flows });
    assert.equal(deployed.status, 204);
  };

  describe('with the demo', () => {
    let demo: Started;
    before(async () => {
      demo = await start();
    });
    after(endAll);

    it('signs in by a device’s certificate too, and answers to names of this machine only', async () => {
      const { editor, aws } = demo;
      await happens(aws, { requests: 1, operation: 'AssumeRoleWithCertificate', finished: true });
      const { port } = new URL(editor);
      for (const url of [editor, `${editor}flows`, `${editor}dashboard`, `${editor}aws-account/choices/regions`, aws]) {
        assert.deepEqual(await askAs(`evil.example:${port}`, url), refused, url);
      }
      for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
        assert.equal((await askAs(host, `${editor}flows`)).status, 200, host);
      }
      for (const page of pagesOf(editor)) {
        await assert.rejects(open(page, { host: `evil.example:${port}` }), /Unexpected server response: 403/);
        await open(page, { host: `localhost:${port}` });
      }
    });

    it('ends at the first SIGINT, while the editor and a dashboard are open in a browser; said only what a newcomer needs', async () => {
      const { editor, aws } = demo;
      // By then all nodes have started, and said what they have to say.
      await happens(aws, { requests: 1, operation: 'DetectLabels', finished: true });
      const output = await endsAtOne('SIGINT', demo);
      const { accessKeyId, secretAccessKey } = signIns.demo;
      assert.deepEqual(output.trim().split(/\s*\n\s*/), [
        output.match(/Nimbus for Node-RED [\d.]+ is running\./)?.[0],
        `Editor      ${editor}`,
        `Dashboard   ${editor}dashboard`,
        `Local AWS   ${aws}   to try an account of your own, with this as its endpoint and`,
        `access key ID      ${accessKeyId}`,
        `secret access key  ${secretAccessKey}`,
        'Press Ctrl-C to stop.',
        'Stopping... Press Ctrl-C again to end at once.'
      ]);
    });
  });

  describe('with flows that cannot start', () => {
    const flows = [
      { id: 'tab', type: 'tab', label: 'tab' },
      { id: 'x', type: 'no-such-node', z: 'tab', x: 100, y: 100, wires: [] }
    ];
    let flowFile: string;
    /** Those of the demo. */
    let good: string;
    let mended: Started;
    before(async () => {
      flowFile = join(folder, '.node-red', 'flows.json');
      good = await readFile(flowFile, 'utf8');
      await writeFile(flowFile, JSON.stringify(flows));
      mended = await start();
    });
    after(async () => {
      await endAll();
      await writeFile(flowFile, good);
    });

    it('opens the editor on them, for somebody to mend them', async () => {
      assert.deepEqual(await (await fetch(`${mended.editor}flows`)).json(), flows);
      await deploy(mended.editor, good);
      // The flows start after the answer.
      while (!(await fetch(`${mended.editor}dashboard`)).ok) await pause(50);
    });

    it('ends at the first SIGTERM, while the editor and a dashboard are open in a browser', () =>
      endsAtOne('SIGTERM', mended));
  });

  describe('with a node that still has work when it is to end', () => {
    after(endAll);

    it('ends at once at the second Ctrl-C, and leaves nothing running', async () => {
      const { started, editor, aws } = await start();
      // A node waits 10 s for what is in flight when it closes.
      const demo = JSON.parse(await readFile(join(folder, 'demo/flows.json'), 'utf8')) as {
        id: string;
        type: string;
      }[];
      const account = demo.find(({ type }) => type === 'aws-account');
      const place = { z: 'tab', x: 100, y: 100 };
      const invoke = { type: 'aws-lambda-invoke', account: account?.id, functionName: 'slow', functionNameType: 'str' };
      const inject = { type: 'inject', once: true, onceDelay: 0.1, props: [{ p: 'payload' }] };
      const flows = [
        account,
        { id: 'tab', type: 'tab', label: 'slow' },
        { id: 'inject', ...inject, ...place, payload: '{"ms": 60000}', payloadType: 'json', wires: [['invoke']] },
        { id: 'invoke', ...invoke, ...place, wires: [[]] }
      ];
      await deploy(editor, JSON.stringify(flows));
      await happens(aws, { requests: 1, operation: 'Invoke' });
      started.child.kill('SIGINT');
      await started.says(/Stopping\.\.\./);
      const from = performance.now();
      // A terminal's one Ctrl-C may come twice, so that one just behind the other does not count: it is pressed until it does.
      while (started.isAlive && performance.now() - from < 5000) {
        started.child.kill('SIGINT');
        await pause(100);
      }
      const { output, end } = await started.ended;
      assert.equal(end, 130, output);
      await isGone(editor);
      // The local AWS sees that its parent has gone.
      while (await fetch(aws).then(Boolean, () => false)) await pause(50);
    });
  });
});
