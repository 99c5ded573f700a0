/** The ways of receiving that are compared: into a Node-RED flow, with the bare SDK, and with sqs-consumer. In this process. */
import { createRequire } from 'node:module';
import { startFlow } from './flow.mjs';

const require = createRequire(import.meta.url);
const { SQSClient, ReceiveMessageCommand, DeleteMessageBatchCommand } = require('@aws-sdk/client-sqs');
const { Consumer } = require('sqs-consumer');
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };
const region = 'us-east-1';

/**
 * Ways of receiving: each has a queue, how many messages make a turn of about the same time as the others', and begins to
 * receive and delete messages where it does not always do so; that gives what ends it.
 */
export async function waysToReceive(endpoint) {
  const urlOf = (queue) => `${endpoint}/111111111111/${queue}`;
  const client = new SQSClient({ endpoint, region, credentials });
  const nodes = {
    'flow, defaults': { queue: urlOf('defaults') },
    'flow, 100 in flight': { queue: urlOf('hundred'), maxInFlight: 100 },
    'flow settles, 100 in flight': { queue: urlOf('settled'), maxInFlight: 100, settle: 'flow', wires: [['settle']] }
  };
  const flow = await startFlow(endpoint, [
    { id: 'settle', type: 'aws-sqs-settle', action: 'delete' },
    ...Object.values(nodes).map((node) => ({ ...node, id: node.queue.split('/').at(-1), type: 'aws-sqs-receive' }))
  ]);
  const always = async () => async () => undefined;
  const ofFlow = ([name, { queue, maxInFlight = 0 }]) => [
    name,
    { queue: queue.split('/').at(-1), messages: maxInFlight > 0 ? 4000 : 1000, begin: always }
  ];
  return {
    ways: {
      'bare SDK': { queue: 'one', messages: 600, begin: () => loops(client, urlOf('one'), 1) },
      'bare SDK, 8 loops': { queue: 'eight', messages: 4000, begin: () => loops(client, urlOf('eight'), 8) },
      'sqs-consumer': { queue: 'consumer', messages: 600, begin: () => consume(client, urlOf('consumer')) },
      ...Object.fromEntries(Object.entries(nodes).map(ofFlow))
    },
    stop: flow.stop
  };
}

/** Receives ten, deletes ten, and so on, several times side by side. */
function loops(client, QueueUrl, count) {
  const over = new AbortController();
  const options = { abortSignal: over.signal };
  let received = 0;
  const loop = async () => {
    while (!over.signal.aborted) {
      const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 };
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(asked), options);
      received += Messages.filter(({ Body }) => JSON.parse(Body).n > 0).length;
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      if (Entries.length > 0) await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), options);
    }
  };
  const all = Array.from({ length: count }, () => loop().catch(() => received));
  return async () => {
    over.abort();
    await Promise.all(all);
  };
}

/** As its documentation has it for speed: ten at a time, which are deleted together. */
async function consume(sqs, queueUrl) {
  let received = 0;
  const handleMessageBatch = async (messages) => {
    received += messages.filter(({ Body }) => JSON.parse(Body).n > 0).length;
    return messages;
  };
  const consumer = Consumer.create({ queueUrl, sqs, batchSize: 10, waitTimeSeconds: 20, handleMessageBatch });
  consumer.start();
  return () =>
    new Promise((resolve) => {
      consumer.once('stopped', () => resolve(received));
      consumer.stop({ abort: true });
    });
}
