/**
 * `npm start`: builds the pack and runs it in a Node-RED 5 with its editor, against the local AWS.
 * What the user makes there stays in `.node-red/`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { require as requireTs } from 'tsx/cjs/api';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const userDir = join(root, '.node-red');
const pack = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const runningFile = join(userDir, 'running.json');
const localAwsPort = 14566;
const editorPort = 1880;
/** The ID of the node of the demo that uses the account *Local device*: it lists the functions. */
const listing = 'dbbe6e848293a69a';

/** ms. One Ctrl-C in a terminal may arrive twice, from the shell and from npm. */
const oneKeystroke = 300;

let stopping;
let stoppingSince;
const toStop = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => onSignal(signal));
stopWithParent();
// If the terminal is closed, the running processes have to be stopped before this one ends.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.stack : error);
  await stop(1);
}

async function start() {
  if (!process.features.typescript) {
    const brings = 'Start the demo with npm start, which brings its own Node.js';
    console.error(`${brings}: it needs 22.18 or later, but this is ${process.version}.`);
    process.exit(1);
  }
  const other = await runningAlready();
  if (other) {
    console.log(`Nimbus for Node-RED is running already: ${other}`);
    process.exit(0);
  }
  build();
  prepareUserDir();
  const aws = await startLocalAws();
  if (stopping) return;
  offerSignIn(aws.url);
  await offerDevice(aws);
  process.env.NIMBUS_CAMERA = `${await startCamera()}/porch.jpg`;
  const editor = await startNodeRed();
  if (stopping) return;
  writeFileSync(runningFile, JSON.stringify({ pid: process.pid, url: editor }));
  process.on('exit', () => rmSync(runningFile, { force: true }));
  console.log(`
Nimbus for Node-RED ${pack.version} is running.

  Editor      ${editor}
  Dashboard   ${editor}dashboard
  Local AWS   ${aws.url}   to try an account of your own, with this as its endpoint and
                access key ID      ${process.env.NIMBUS_ACCESS_KEY_ID}
                secret access key  ${process.env.NIMBUS_SECRET_ACCESS_KEY}

Press Ctrl-C to stop.
`);
}

/** The address of another instance that is running: two of them must not write the same flows. */
async function runningAlready() {
  if (!existsSync(runningFile)) return undefined;
  try {
    const { pid, url } = JSON.parse(readFileSync(runningFile, 'utf8'));
    process.kill(pid, 0);
    await fetch(url, { signal: AbortSignal.timeout(2000) });
    return url;
  } catch {
    return undefined;
  }
}

function build() {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: root,
    encoding: 'utf8'
  });
  if (status !== 0) throw `The build failed.\n${stdout}${stderr}`;
}

/** Prepares the user directory as `npm install` of the pack would; adds the demo if there are no flows yet. */
function prepareUserDir() {
  const installed = join(userDir, 'node_modules', pack.name);
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(dirname(installed), { recursive: true });
  symlinkSync(root, installed, 'junction');
  const packageFile = join(userDir, 'package.json');
  if (!existsSync(packageFile)) {
    const dependencies = { [pack.name]: pack.version };
    writeFileSync(packageFile, JSON.stringify({ name: 'nimbus-demo', private: true, dependencies }, null, 2));
  }
  const preferences = join(userDir, '.config.users.json');
  // Node-RED's tips would cover the end of a tab's explanation.
  const withoutTips = { _: { editor: { view: { 'view-show-tips': false } } } };
  if (!existsSync(preferences)) writeFileSync(preferences, JSON.stringify(withoutTips, null, 4));
  const flowFile = join(userDir, 'flows.json');
  if (existsSync(flowFile)) return;
  const demo = demoFlows();
  writeFileSync(flowFile, JSON.stringify(demo, null, 4));
  writeFileSync(join(userDir, 'flows_cred.json'), JSON.stringify(demoCredentials(demo), null, 2));
}

/**
 * An account that signs in with the certificate of a device. Its files are made anew at each start, as the local AWS is;
 * `offerDevice` sets the variables.
 */
function localDevice(account) {
  const files = { cert: '${NIMBUS_DEVICE_CERT}', key: '${NIMBUS_DEVICE_KEY}', ca: '${NIMBUS_DEVICE_CA}' };
  const none = { certname: '', keyname: '', caname: '', servername: '', alpnprotocol: '' };
  const tls = { id: 'd4a1c6f0b8e25973', type: 'tls-config', name: 'Local device', ...files, ...none };
  return [
    { ...tls, certType: 'files', verifyservercert: true },
    {
      ...account,
      id: '7e0b93d5a1f4c286',
      name: 'Local device',
      source: 'certificate',
      tls: tls.id,
      credentialEndpoint: '${NIMBUS_CREDENTIAL_ENDPOINT}',
      roleAlias: 'nimbus-device',
      thingName: 'local-device'
    }
  ];
}

/**
 * The flows of the demo with an account of a device, and the example of a dashboard with the demo's camera: that has an
 * account of its own, whose budget and cost are shown.
 */
function demoFlows() {
  const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));
  const flows = read('demo', 'flows.json');
  const own = flows.find(({ type }) => type === 'aws-account');
  const [tls, device] = localDevice(own);
  flows.find(({ id }) => id === listing).account = device.id;
  const cost = read('demo', 'camera-cost.json');
  const account = cost.find(({ type }) => type === 'aws-account').id;
  const dashboard = read('examples', 'Dashboards', 'dashboard-detection.json')
    .filter(({ type }) => type !== 'aws-account')
    .map((node) => ({
      ...node,
      ...(node.account && { account }),
      ...(node.type === 'http request' && { url: '${NIMBUS_CAMERA}' })
    }));
  return [tls, device, ...flows, ...dashboard, ...cost];
}

/** Environment variables in place of secrets; `offerSignIn` sets them before Node-RED creates the account. */
function demoCredentials(flows) {
  const accounts = flows.filter(({ type, source }) => type === 'aws-account' && source === 'keys');
  const keys = { accessKeyId: '${NIMBUS_ACCESS_KEY_ID}', secretAccessKey: '${NIMBUS_SECRET_ACCESS_KEY}' };
  return Object.fromEntries(accounts.map(({ id }) => [id, keys]));
}

/** Starts the local AWS on its usual port, so that addresses in flows stay valid; on another one if that is taken. */
async function startLocalAws() {
  const { LocalAws } = requireTs('../local-aws/client.ts', import.meta.url);
  const port = (await firstFreePort(localAwsPort)) ?? 0;
  const aws = await LocalAws.start({ port, collections: ['family'] });
  toStop.push(() => aws.stop());
  aws.whenEnded(() => {
    if (!stopping) console.log('The local AWS has stopped by itself. Press Ctrl-C and start again.');
  });
  return aws;
}

/** Starts the camera, which shows a drawn porch. */
async function startCamera() {
  const { startCamera: start } = requireTs('../demo/camera.ts', import.meta.url);
  const camera = await start();
  toStop.push(() => camera.close());
  return camera.url;
}

/** Sets the variables of the demo's account: `${NIMBUS_LOCAL_AWS}` and the keys of a user of the local AWS. */
function offerSignIn(url) {
  const { signIns } = requireTs('../local-aws/server/sign-ins.ts', import.meta.url);
  process.env.NIMBUS_LOCAL_AWS = url;
  process.env.NIMBUS_ACCESS_KEY_ID = signIns.demo.accessKeyId;
  process.env.NIMBUS_SECRET_ACCESS_KEY = signIns.demo.secretAccessKey;
}

/** Makes a device with a certificate, and sets the variables of the account *Local device*. */
async function offerDevice(aws) {
  const { credentialEndpoint, ca } = await aws.certificatePlaces();
  const made = await aws.makeDevice({ subject: { CN: 'local-device' }, things: ['local-device'] });
  const { certificate, chain, key } = made;
  process.env.NIMBUS_CREDENTIAL_ENDPOINT = credentialEndpoint;
  const folder = join(userDir, 'device');
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries({ cert: certificate + chain, key, ca })) {
    const file = join(folder, `${name}.pem`);
    writeFileSync(file, text, { mode: 0o600 });
    process.env[`NIMBUS_DEVICE_${name.toUpperCase()}`] = file;
  }
}

async function startNodeRed() {
  const RED = require('node-red');
  const { LoopbackServer } = requireTs('../local-aws/server/loopback.ts', import.meta.url);
  // Loopback names only, since the editor has no password: a page of another site could reach it by DNS rebinding.
  const server = new LoopbackServer({}, (request, response) => {
    RED.httpAdmin(request, response, () => RED.httpNode(request, response, () => response.writeHead(404).end()));
  });
  const port = await listen(server, editorPort);
  RED.init(server, settingsFor(port));
  const started = new Promise((resolve) => {
    RED.events.once('flows:started', resolve);
    // Flows that cannot start, such as those with a missing type, can be corrected in the editor.
    RED.events.on('runtime-event', ({ id, payload }) => id === 'runtime-state' && payload?.error && resolve());
  });
  // The server does not track connections that have become websockets, those of the editor and the dashboard.
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  toStop.push(async () => {
    await RED.stop();
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  await RED.start();
  await started;
  return `http://127.0.0.1:${port}/`;
}

function settingsFor(port) {
  return {
    userDir,
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    flowFilePretty: true,
    httpAdminRoot: '/',
    httpNodeRoot: '/',
    telemetry: { enabled: false, updateNotification: false },
    functionExternalModules: false,
    functionGlobalContext: {},
    diagnostics: { enabled: true, ui: true },
    paletteCategories: ['subflows', 'AWS', 'common', 'function', 'network', 'sequence', 'parser', 'storage'],
    editorTheme: {
      page: { title: 'Nimbus for Node-RED' },
      header: { title: 'Nimbus for Node-RED' },
      tours: false,
      projects: { enabled: false },
      // The palette manager would ask a server for its list of nodes.
      palette: { catalogues: [] }
    },
    logging: { plain: { level: 'info', metrics: false, audit: false, handler: () => print } }
  };
}

/** Logs the errors, and the warnings of nodes. */
function print({ level, msg, type, name, id }) {
  const ofNode = type !== undefined;
  if (level > (ofNode ? 30 : 20)) return;
  const text = typeof msg === 'object' && msg !== null && !(msg instanceof Error) ? (msg.message ?? String(msg)) : msg;
  const time = new Date().toTimeString().slice(0, 8);
  const kind = level <= 20 ? 'error: ' : level === 30 ? 'warning: ' : '';
  console.log(`${time} ${kind}${ofNode ? `[${type}: ${name || id}] ` : ''}${text}`);
}

/** Listens on the port, or on the next free one. */
async function listen(server, from) {
  const port = await firstFreePort(from);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port ?? 0, '127.0.0.1', resolve);
  });
  return server.address().port;
}

async function firstFreePort(from) {
  for (let port = from; port < from + 20; port += 1) {
    if (await isFree(port)) return port;
  }
  return undefined;
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * Stops when npm has been killed, which leaves its scripts running. (Signals to npm end at its shell, so the script in
 * package.json replaces the shell by this process, if the shell has `exec`.)
 */
function stopWithParent() {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(0), 200).unref();
}

/** Stops everything in order at the first signal. Another one ends this process at once, and the local AWS with it. */
function onSignal(signal) {
  if (!stopping) return stop(0);
  if (Date.now() - stoppingSince > oneKeystroke) process.exit(128 + constants.signals[signal]);
}

/** Stops everything that was started, the newest first. */
function stop(code) {
  stoppingSince ??= Date.now();
  stopping ??= (async () => {
    if (code === 0) console.log('\nStopping... Press Ctrl-C again to end at once.');
    for (const each of toStop.reverse()) await each();
    process.exit(code);
  })().catch((error) => {
    console.error(error);
    process.exit(1);
  });
  return stopping;
}
