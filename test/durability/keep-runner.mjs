/** A Node-RED for `keep.ts`: `keep-runner.mjs USER-DIR QUEUE ENDPOINT KEY-ID SECRET`. It tells its parent of each message that has ended. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [userDir, queue, endpoint, accessKeyId, secretAccessKey] = process.argv.slice(2);
const RED = createRequire(import.meta.url)(process.env.NODE_RED === '4' ? 'node-red-4' : 'node-red');
const groups = 8;

const flows = [
  { id: 'tab', type: 'tab', label: 'keep' },
  {
    id: 'account',
    type: 'aws-account',
    source: 'keys',
    region: 'us-east-1',
    endpoint,
    validate: false,
    credentials: { accessKeyId, secretAccessKey }
  },
  {
    id: 'send',
    type: 'aws-sqs-send',
    z: 'tab',
    account: 'account',
    queue,
    queueType: 'str',
    groupId: 'group',
    groupIdType: 'msg',
    keep: true,
    wires: [[]]
  }
];

RED.init(createServer(), {
  userDir,
  credentialSecret: 'keep',
  httpAdminRoot: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'off', metrics: false, audit: false } }
});
const started = () => new Promise((resolve) => RED.events.once('flows:started', resolve));
await Promise.all([started(), RED.start()]);
const deploy = () => Promise.all([started(), RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' })]);

RED.hooks.add('onComplete', ({ msg, error }) => {
  process.send(error ? { refused: msg.n } : { safe: msg.n });
});
await deploy();

let working = Promise.resolve();
process.on('message', ({ feed = [], deploy: again = false }) => {
  working = working.then(async () => {
    if (again) await deploy();
    for (const n of feed) {
      RED.nodes.getNode('send').receive({ payload: String(n), group: `g${n % groups}`, n });
      if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
