/**
 * A Node-RED for `outages-run.ts`, which gives it an `Order`: messages, deployments, a disk that is full and names that cannot be
 * found. It tells its parent of each message that has ended.
 */
import dns from 'node:dns';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { forgettingDisk } from './forgetting-disk.mjs';

const { userDir, queues, endpoint, keys, seed, forgets } = JSON.parse(process.argv[2]);
const require = createRequire(import.meta.url);
const RED = require(process.env.NODE_RED === '4' ? 'node-red-4' : 'node-red');
const groups = 8;

let state = seed;
/** From 0 to 1, by the seed. */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const { disk } = require(join(userDir, 'node_modules/@red-nimbus/node-red-aws/dist/nodes/outbox/disk.js'));
let isFull = false;
const forgetting = forgets ? forgettingDisk(userDir, random) : undefined;
if (forgetting) Object.assign(disk, forgetting);
else {
  const { open } = disk;
  disk.open = async (path, how) => {
    const file = await open(path, how);
    const write = async (bytes, position) => {
      if (!isFull) return file.write(bytes, position);
      await file.write(bytes.subarray(0, bytes.length / 2), position);
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    };
    return { ...file, write };
  };
}

let isWithoutNames = false;
const { lookup } = dns;
dns.lookup = (host, options, callback) => {
  if (!isWithoutNames) return lookup(host, options, callback);
  const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), {
    code: 'EAI_AGAIN',
    syscall: 'getaddrinfo'
  });
  setImmediate(() => callback(error));
};

const send = { type: 'aws-sqs-send', z: 'tab', account: 'account', queueType: 'str', wires: [[]] };
const flows = [
  { id: 'tab', type: 'tab', label: 'outages' },
  {
    id: 'account',
    type: 'aws-account',
    source: 'keys',
    region: 'us-east-1',
    endpoint,
    validate: false,
    credentials: keys
  },
  { ...send, id: 'fifo', queue: queues.fifo, groupId: 'group', groupIdType: 'msg', keep: true, keepMost: 2 },
  { ...send, id: 'standard', queue: queues.standard, keep: true, keepMost: 2 },
  // What the rest of a flow does meanwhile: when it succeeds, what is kept is tried at once.
  { ...send, id: 'beat', queue: queues.beats, batch: false }
];

RED.init(createServer(), {
  userDir,
  credentialSecret: 'outages',
  httpAdminRoot: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'off', metrics: false, audit: false } }
});
const started = () => new Promise((resolve) => RED.events.once('flows:started', resolve));
await Promise.all([started(), RED.start()]);
const deploy = () => Promise.all([started(), RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' })]);

RED.hooks.add('onComplete', ({ msg, error }) => {
  if (msg.n !== undefined) process.send({ n: msg.n, isSafe: !error });
});
await deploy();
setInterval(() => RED.nodes.getNode('beat')?.receive({ payload: 'beat' }), 1000);

let working = Promise.resolve();
process.on('message', (order) => {
  working = working.then(async () => {
    if (order.full !== undefined) isFull = order.full;
    if (order.full !== undefined && forgetting) forgetting.isFull = order.full;
    if (order.withoutNames !== undefined) isWithoutNames = order.withoutNames;
    if (order.deploy) await deploy();
    for (const n of order.feed ?? [])
      RED.nodes.getNode(n % 2 === 0 ? 'fifo' : 'standard').receive({
        payload: { n },
        group: `g${(n >> 1) % groups}`,
        n
      });
  });
});
process.on('disconnect', () => process.exit());
process.send({ isReady: true });
