/**
 * `npm run outages`: 20,000 messages through an aws-sqs-send with `keep`, while the link is down for a third of the time (resets,
 * no answer, throttling, 503), and Node-RED is killed ten times at random moments and deployed anew. Books are kept outside of
 * its process: every message that ended without an error has to arrive, and each FIFO group in its order. What arrives twice is
 * counted: a death or a lost answer explains it. `npm run outages -- 2000` sends fewer.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Fault, LocalAws, signIns } from '../../local-aws/client';
import { makeUserDir } from '../node-red';

const count = Number(process.argv[2] ?? 20_000);
const kills = 10;
const groups = 8;
const faults: Fault[] = [
  { kind: 'resetBefore', service: 'sqs' },
  { kind: 'resetAfter', service: 'sqs', probability: 0.5 },
  { kind: 'hang', service: 'sqs' },
  { kind: 'throttle', service: 'sqs' },
  { kind: 'error503', service: 'sqs' }
];

/** Node-RED in a process of its own, which tells of each message that ended. */
async function start(userDir: string, queue: string, aws: LocalAws): Promise<ChildProcess> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { accessKeyId, secretAccessKey } = signIns.demo;
  const parameters = [userDir, queue, aws.url, accessKeyId, secretAccessKey];
  const child = fork(join(__dirname, 'keep-runner.mjs'), parameters, { env, execArgv: [] });
  await once(child, 'message');
  return child;
}

async function main(): Promise<void> {
  const aws = await LocalAws.start();
  const userDir = await makeUserDir(join(__dirname, '..', '..'));
  const client = new SQSClient({ endpoint: aws.url, region: 'us-east-1', credentials: signIns.demo });
  const { QueueUrl } = await client.send(
    new CreateQueueCommand({
      QueueName: `keep-${process.pid}.fifo`,
      Attributes: { FifoQueue: 'true', VisibilityTimeout: '600' }
    })
  );
  const safe = new Set<number>();
  const refused = new Set<number>();
  let next = 0;
  let died = 0;
  let child = await start(userDir, QueueUrl as string, aws);
  const listen = () =>
    child.on('message', (told: { safe?: number; refused?: number }) => {
      if (told.safe !== undefined) safe.add(told.safe);
      if (told.refused !== undefined) refused.add(told.refused);
    });
  listen();
  const arrived = new Map<number, number>();
  const lastOf = new Map<number, number>();
  let disorder = 0;
  let isOver = false;
  const receiving = (async () => {
    while (!isOver) {
      const { Messages = [] } = await client
        .send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: 10,
            MessageSystemAttributeNames: ['MessageGroupId']
          })
        )
        .catch(() => ({ Messages: [] }));
      for (const { Body } of Messages) {
        const n = Number(Body);
        const times = (arrived.get(n) ?? 0) + 1;
        arrived.set(n, times);
        const group = n % groups;
        if (times === 1 && n < (lastOf.get(group) ?? -1)) disorder += 1;
        if (times === 1) lastOf.set(group, n);
      }
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      if (Entries.length > 0)
        await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })).catch(() => undefined);
      else await wait(50);
    }
  })();
  const perStep = Math.ceil(count / (kills * 3));
  for (let step = 0; next < count; step += 1) {
    const fault = faults[Math.floor(step / 3) % faults.length] as Fault;
    if (step % 3 === 1) await aws.fault({ ...fault, operation: 'SendMessageBatch' });
    if (step % 3 === 1) await aws.fault({ ...fault, operation: 'SendMessage' });
    if (step % 3 === 2) await aws.clearFaults();
    const until = Math.min(count, next + perStep);
    const numbers = Array.from({ length: until - next }, (_, index) => next + index);
    next = until;
    if (child.connected) child.send({ feed: numbers });
    if (step % 3 === 1 && died < kills) {
      await wait(Math.random() * 800);
      died += 1;
      child.kill('SIGKILL');
      await once(child, 'exit');
      child = await start(userDir, QueueUrl as string, aws);
      listen();
    } else {
      const expected = safe.size + numbers.length * 0.9;
      for (let time = 0; time < 200 && safe.size < expected; time += 1) await wait(50);
      if (step % 6 === 3) child.send({ deploy: true });
    }
  }
  await aws.clearFaults();
  const missing = () => [...safe].filter((n) => !arrived.has(n));
  for (let time = 0; time < 1200 && missing().length > 0; time += 1) await wait(100);
  await wait(500);
  isOver = true;
  await receiving;
  child.kill('SIGKILL');
  await once(child, 'exit');
  const twice = [...arrived.values()].filter((times) => times > 1).length;
  const back = [...refused].filter((n) => arrived.has(n)).length;
  console.log(
    `${count} messages, ${died} deaths: ${safe.size} were safe, ${refused.size} refused; ${arrived.size} arrived, ${twice} of them more than once.`
  );
  console.log(`lost: ${missing().length}; out of order: ${disorder}; refused and sent all the same: ${back}`);
  await aws.stop();
  client.destroy();
  await rm(userDir, { recursive: true, force: true });
  process.exitCode = missing().length + disorder + back > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
