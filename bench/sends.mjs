/** The ways of sending that are compared: through a Node-RED flow, and with the bare SDK. For one Node.js, in its process. */
import { createRequire } from 'node:module';
import { startFlow } from './flow.mjs';

const require = createRequire(import.meta.url);
const { SQSClient, SendMessageCommand, SendMessageBatchCommand } = require('@aws-sdk/client-sqs');
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'bench' };
const region = 'us-east-1';

/** The pack's own options: `nodes/account/clients.ts`. */
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
  const flow = await startSends(endpoint, QueueUrl);
  return {
    'bare SDK': bare(new SQSClient({ endpoint, region, credentials }), QueueUrl),
    'bare SDK, same options': bare(new SQSClient({ endpoint, region, credentials, ...packOptions }), QueueUrl),
    'bare SDK, own batches': batches(new SQSClient({ endpoint, region, credentials }), QueueUrl),
    'flow, batch off': through(flow, 'alone'),
    flow: through(flow, 'together'),
    stop: flow.stop
  };
}

const bodyOf = (n) => JSON.stringify({ n });

function through(flow, id) {
  const send = flow.send(id);
  return async (n) => (await send({ n })).payload.MessageId;
}

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

/** Two aws-sqs-send nodes. */
function startSends(endpoint, queue) {
  const send = { type: 'aws-sqs-send', queue, queueType: 'str' };
  return startFlow(endpoint, [
    { id: 'alone', ...send, batch: false },
    { id: 'together', ...send, batch: true }
  ]);
}
