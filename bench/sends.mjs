/** The ways of sending that are compared: through a Node-RED flow, and with the bare SDK. For one Node.js, in its process. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const { SQSClient, SendMessageCommand, SendMessageBatchCommand } = require('@aws-sdk/client-sqs');
const pack = '@red-nimbus/node-red-aws';
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };
const region = 'us-east-1';

/** The pack's own options: `nodes/lib/clients.ts`. */
const packOptions = {
  cacheMiddleware: true,
  md5: false,
  useQueueUrlAsEndpoint: false,
  requestHandler: {
    connectionTimeout: 10_000,
    requestTimeout: 60_000,
    throwOnRequestTimeout: true,
    socketTimeout: 0,
    httpAgent: { keepAlive: true, maxSockets: Infinity },
    httpsAgent: { keepAlive: true, maxSockets: Infinity }
  }
};

/** Ways of sending: each takes a number and resolves with the id that its message got. */
export async function waysTo(endpoint) {
  const QueueUrl = `${endpoint}/111111111111/bench`;
  const flow = await startFlow(endpoint, QueueUrl);
  return {
    'bare SDK': bare(new SQSClient({ endpoint, region, credentials }), QueueUrl),
    'bare SDK, same options': bare(new SQSClient({ endpoint, region, credentials, ...packOptions }), QueueUrl),
    'bare SDK, own batches': batches(new SQSClient({ endpoint, region, credentials }), QueueUrl),
    'flow, batch off': flow.send('alone'),
    flow: flow.send('together'),
    stop: flow.stop
  };
}

const bodyOf = (n) => JSON.stringify({ n });

const bare = (client, QueueUrl) => async (n) => {
  const { MessageId } = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: bodyOf(n) }));
  return MessageId;
};

/** As a program would do it that has ten messages at a time. */
function batches(client, QueueUrl) {
  let waiting = [];
  const leave = async () => {
    const batch = waiting;
    waiting = [];
    const Entries = batch.map(({ n }, index) => ({ Id: String(index), MessageBody: bodyOf(n) }));
    const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    for (const { Id, MessageId } of Successful) batch[Number(Id)].resolve(MessageId);
  };
  return (n) =>
    new Promise((resolve) => {
      waiting.push({ n, resolve });
      if (waiting.length === 10) void leave();
    });
}

/** A Node-RED with two flows: an aws-sqs-send and a node behind it that takes what comes out. */
async function startFlow(endpoint, queue) {
  const userDir = realpathSync(mkdtempSync(join(tmpdir(), 'nimbus-bench-')));
  install(userDir, pack);
  const out = installOut(userDir);
  const RED = require(process.env.NODE_RED === '4' ? 'node-red-4' : 'node-red');
  const complain = ({ msg }) => console.error(msg);
  RED.init(createServer(), {
    userDir,
    credentialSecret: 'bench',
    httpAdminRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { complaints: { level: 'error', metrics: false, audit: false, handler: () => complain } }
  });
  const started = () => new Promise((resolve) => RED.events.once('flows:started', resolve));
  await Promise.all([started(), RED.start()]);
  const flows = { flows: flowsFor(endpoint, queue) };
  await Promise.all([started(), RED.runtime.flows.setFlows({ flows, deploymentType: 'full' })]);
  return {
    send: (id) => {
      const node = RED.nodes.getNode(id);
      return (n) =>
        new Promise((resolve) => {
          out.set(n, resolve);
          node.receive({ payload: { n }, n });
        });
    },
    async stop() {
      await RED.stop();
      rmSync(userDir, { recursive: true, force: true });
    }
  };
}

function install(userDir, name) {
  const installed = join(userDir, 'node_modules', name);
  mkdirSync(dirname(installed), { recursive: true });
  symlinkSync(root, installed, 'junction');
  writeFileSync(join(userDir, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: '*' } }));
}

/** A node that tells who waits for a message what came of it: by number, who waits. */
function installOut(userDir) {
  const name = 'node-red-bench-out';
  const folder = join(userDir, 'node_modules', name);
  mkdirSync(folder);
  const description = { version: '>=4.1.0', nodes: { out: 'out.js' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', 'node-red': description }));
  writeFileSync(
    join(folder, 'out.html'),
    `<script type="text/javascript">RED.nodes.registerType('bench-out', {})</script>`
  );
  writeFileSync(
    join(folder, 'out.js'),
    `module.exports = (RED) => RED.nodes.registerType('bench-out', function (config) {
      RED.nodes.createNode(this, config);
      this.on('input', (msg, send, done) => { globalThis.benchOut(msg); done(); });
    });`
  );
  const waiting = new Map();
  globalThis.benchOut = ({ n, payload }) => {
    const resolve = waiting.get(n);
    waiting.delete(n);
    resolve(payload.MessageId);
  };
  return waiting;
}

function flowsFor(endpoint, queue) {
  const send = { type: 'aws-sqs-send', z: 'tab', account: 'account', queue, queueType: 'str', wires: [['out']] };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    { id: 'account', type: 'aws-account', source: 'keys', region, endpoint, validate: false, credentials },
    { id: 'out', type: 'bench-out', z: 'tab', wires: [] },
    { id: 'alone', ...send, batch: false },
    { id: 'together', ...send, batch: true }
  ];
}
