/**
 * A Node-RED in a process of its own, which its parent feeds, deploys to, measures and kills: `runner.mjs NODE-RED USER-DIR`.
 * Plain JavaScript, since a loader's memory would be measured with it. Commands come and are answered by IPC. What
 * happens to messages goes to descriptor 3, a line of JSON each, written before anything else happens: a line that was
 * written survives the end of this process, however sudden.
 */
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';

const [nodeRed, userDir] = process.argv.slice(2);
const RED = createRequire(import.meta.url)(nodeRed);

/** With the time, in ms since 1970. */
const report = (what) => writeSync(3, `${JSON.stringify({ ...what, at: Date.now() })}\n`);

/** What the parent can ask for. */
const commands = { deploy, feed, stopFeeding, measure };

/** The messages that are given to a node one after the other, from outside its flow as a broker would. */
let source;
let deploying = false;
/** How many messages the pack's nodes have been given, and how many they have ended. */
const messages = { begun: 0, ended: 0 };

const isOurs = ({ type }) => type.startsWith('aws-');
/** Those that messages are given to from outside. */
const isEntry = ({ id }) => id.startsWith('entry');

process.on('message', async ({ id, command, argument }) => {
  try {
    process.send({ id, value: (await commands[command](argument)) ?? null });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
// The parent is gone.
process.on('disconnect', () => process.exit(1));

await start();
process.send({ ready: true });

async function start() {
  RED.init(createServer(), {
    userDir,
    flowFile: 'flows.json',
    credentialSecret: 'the secret of the tests',
    httpAdminRoot: false,
    httpNodeRoot: false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { parent: { level: 'warn', metrics: false, audit: false, handler: () => logged } }
  });
  RED.hooks.add('onSend.report', (sent) => {
    for (const { source: from, msg } of sent) if (from.node.type === 'aws-sqs-receive') received(msg, from.node);
  });
  RED.hooks.add('onReceive.report', ({ destination: { node } }) => {
    // What comes to a node that has closed is dropped by Node-RED.
    if (isOurs(node) && node._inputCallback) messages.begun += 1;
  });
  RED.hooks.add('onComplete.report', ({ node: { node }, msg, error }) => {
    if (isOurs(node)) messages.ended += 1;
    if (isEntry(node)) sent(msg, error, node);
    if (node.type === 'aws-sqs-settle') settled(msg, error, node);
  });
  RED.events.on('flows:stopped', () => report({ is: 'stopped' }));
  const started = flowsStarted();
  await RED.start();
  await started;
}

function logged({ level, msg, type }) {
  report({ is: 'logged', level, type: type ?? '', text: String(msg?.message ?? msg) });
}

function received({ payload, aws }, { id: node }) {
  const { messageId, handle, receiveCount, groupId } = aws;
  report({ is: 'received', node, n: payload.n, messageId, handle, receiveCount, ...(groupId && { groupId }) });
}

/** Nodes that return messages say so in their ids. */
function settled({ aws }, error, { id }) {
  const is = error ? 'unsettled' : id.startsWith('return') ? 'returned' : 'settled';
  report({ is, handle: aws.handle, ...(error && { error: error.code }) });
}

/** Only queues and topics give a message an id. */
function sent({ n, payload }, error, { id: node }) {
  if (!source?.ended(n, error)) report({ is: 'endedTwice', n });
  if (error) report({ is: 'failed', node, n, error: error.code });
  else report({ is: 'sent', node, n, messageId: payload?.MessageId ?? '' });
}

async function deploy(flows) {
  deploying = true;
  const started = flowsStarted();
  await Promise.all([started, RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' })]);
  deploying = false;
  source?.goOn();
}

/** Rejects where Node-RED says that it cannot start them, such as for a type that is missing. */
function flowsStarted() {
  return new Promise((resolve, reject) => {
    const settle = (end) => {
      RED.events.off('flows:started', started);
      RED.events.off('runtime-event', state);
      end();
    };
    const started = () => settle(resolve);
    const state = ({ id, payload }) => {
      if (id === 'runtime-state' && payload?.error) settle(() => reject(new Error(JSON.stringify(payload))));
    };
    RED.events.on('flows:started', started);
    RED.events.on('runtime-event', state);
  });
}

/**
 * Gives messages to the entry nodes in turn: those with the numbers from `from` on, `count` of them or until `stopFeeding`,
 * at most `window` of which have not ended at a time. One that fails is given `again`, or is not. Resolves when all have
 * ended, with how many they were.
 */
function feed({ from = 0, count = Infinity, window, groups, again }) {
  return new Promise((resolve) => {
    const failed = [];
    const underWay = new Set();
    let next = from;
    let end = from + count;
    const take = () => failed.pop() ?? next++;
    source = {
      goOn() {
        // What is given to a node that is about to close would be refused.
        if (deploying) return;
        const nodes = [];
        RED.nodes.eachNode((config) => isEntry(config) && nodes.push(RED.nodes.getNode(config.id)));
        while (underWay.size < window && (failed.length > 0 || next < end)) {
          const n = take();
          underWay.add(n);
          nodes[n % nodes.length].receive({
            n,
            payload: { n },
            ...(groups && { group: `group-${n % groups}`, once: `message-${n}` })
          });
        }
        if (underWay.size === 0 && failed.length === 0 && next >= end) {
          source = undefined;
          resolve(next - from);
        }
      },
      stop() {
        end = next;
        this.goOn();
      },
      /** Gives false for a message that has ended before. */
      ended(n, error) {
        if (!underWay.delete(n)) return false;
        if (error && again) failed.push(n);
        // What ends together makes room together.
        setImmediate(() => this.goOn());
        return true;
      }
    };
    source.goOn();
  });
}

/** No more new messages. */
function stopFeeding() {
  source?.stop();
}

/** The heap after collection, in bytes, what keeps the process alive, who listens, and the messages so far. */
async function measure() {
  for (let round = 0; round < 5; round += 1) {
    await turn();
    globalThis.gc?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  const listeners = [process, RED.events].flatMap((emitter) =>
    emitter.eventNames().flatMap((name) => Array(emitter.listenerCount(name)).fill(`listener for ${String(name)}`))
  );
  const resources = [...process.getActiveResourcesInfo(), ...listeners].sort();
  return { heap: heapUsed + external, resources, messages };
}
