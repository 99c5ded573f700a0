/** A Node-RED for benchmarks, in this process, and a node in it that tells who waits for a message what came of it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const pack = '@red-nimbus/node-red-aws';
const region = 'us-east-1';

/** What is deployed beside the nodes to be measured: they are in `tab`, have `account`, and are wired to `out`. */
const surroundings = (endpoint, credentials) => [
  { id: 'tab', type: 'tab', label: 'bench' },
  {
    id: 'account',
    type: 'aws-account',
    source: 'keys',
    region,
    endpoint,
    validate: false,
    rekognitionRate: 0,
    credentials
  },
  { id: 'out', type: 'bench-out', z: 'tab', wires: [] }
];

const anybody = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };

/**
 * Starts Node-RED with these nodes. `send(id)` makes a function that resolves with what comes out for a message. With `admin`
 * it has its admin API, at `url`.
 */
export async function startFlow(endpoint, nodes, { credentials = anybody, admin = false } = {}) {
  const userDir = realpathSync(mkdtempSync(join(tmpdir(), 'nimbus-bench-')));
  install(userDir, pack);
  const out = installOut(userDir);
  const RED = require(process.env.NODE_RED === '4' ? 'node-red-4' : 'node-red');
  const complain = ({ msg }) => console.error(msg);
  const server = createServer((request, response) => RED.httpAdmin(request, response));
  RED.init(server, {
    userDir,
    credentialSecret: 'bench',
    httpAdminRoot: admin ? '/' : false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { complaints: { level: 'error', metrics: false, audit: false, handler: () => complain } }
  });
  const started = () => new Promise((resolve) => RED.events.once('flows:started', resolve));
  await Promise.all([started(), RED.start()]);
  const placed = nodes.map((node) =>
    node.type === 'aws-account' ? node : { z: 'tab', account: 'account', wires: [['out']], ...node }
  );
  const flows = { flows: [...surroundings(endpoint, credentials), ...placed] };
  await Promise.all([started(), RED.runtime.flows.setFlows({ flows, deploymentType: 'full' })]);
  if (admin) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: admin && `http://127.0.0.1:${server.address().port}/`,
    send: (id) => {
      const node = RED.nodes.getNode(id);
      let last = 0;
      return (payload) =>
        new Promise((resolve) => {
          last += 1;
          const n = `${id} ${last}`;
          out.set(n, resolve);
          node.receive({ payload, n });
        });
    },
    async stop() {
      await RED.stop();
      server.close();
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

/**
 * A node that tells who waits for a message what came of it, and one that has the bare SDK do its work. Gives who waits, by
 * number.
 */
function installOut(userDir) {
  const name = 'node-red-bench-out';
  const folder = join(userDir, 'node_modules', name);
  mkdirSync(folder);
  const description = { version: '>=4.1.0', nodes: { out: 'out.js' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', 'node-red': description }));
  writeFileSync(
    join(folder, 'out.html'),
    `<script type="text/javascript">RED.nodes.registerType('bench-out', {}); RED.nodes.registerType('bench-bare', {})</script>`
  );
  writeFileSync(
    join(folder, 'out.js'),
    `module.exports = (RED) => {
      RED.nodes.registerType('bench-out', function (config) {
        RED.nodes.createNode(this, config);
        this.on('input', (msg, send, done) => { globalThis.benchOut(msg); done(); });
      });
      RED.nodes.registerType('bench-bare', function (config) {
        RED.nodes.createNode(this, config);
        let inFlight = 0;
        this.on('input', async (msg, send, done) => {
          inFlight += 1;
          if (inFlight === 1) this.status({ fill: 'blue', shape: 'dot', text: 'requesting' });
          await globalThis.benchBare(msg);
          send(msg);
          inFlight -= 1;
          if (inFlight === 0) this.status({});
          done();
        });
      });
    };`
  );
  const waiting = new Map();
  globalThis.benchOut = (msg) => {
    const resolve = waiting.get(msg.n);
    waiting.delete(msg.n);
    resolve?.(msg);
  };
  return waiting;
}
