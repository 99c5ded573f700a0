/** A Node-RED whose messages are kept, through outages and deaths of its process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type FaultKind, LocalAws, type RequestRecord } from '../../local-aws/client';
import { keysOf } from '../aws';
import { makeUserDir } from '../node-red';
import { sentUntold } from './faults';
import { Books } from './outages-books';

/** What is wrong with the link: a fault of the local AWS, or that no name is found. */
type Outage = FaultKind | 'noNames';

export interface Plan {
  messages: number;
  /** One after the other, each behind a time without one. */
  outages: Outage[];
  /** How long the link is up before each, ms; it is down for at least half of that. */
  up: number;
  kills: number;
  deployments: number;
  seed: number;
  /** Whether the disk forgets at each death what was not flushed. */
  forgets: boolean;
}

export interface Report {
  /** What must not be. */
  problems: string[];
  figures: Record<string, number>;
}

/** What `outages-runner.mjs` is told. */
interface Order {
  feed?: number[];
  deploy?: true;
  full?: boolean;
  withoutNames?: boolean;
}

export const allOutages: Outage[] = ['hang', 'resetAfter', 'noNames', 'entries', 'throttle', 'resetBefore', 'error503'];

/** Messages come in so many parts while the link is up, and while it is down; something else may happen before each. */
const parts = 10;
/** Nothing has arrived for so long, ms: longer than a request without an answer and the pause behind it. */
const longestSilence = 40_000;

/** Numbers from 0 to 1 that depend on the seed only: Knuth's. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lives through the plan. Starts a local AWS and a Node-RED of its own, and stops them. */
export async function liveThrough(plan: Plan): Promise<Report> {
  const run = await Run.begin(plan);
  try {
    await run.pass();
    return await run.end();
  } finally {
    await run.stop();
  }
}

class Run {
  readonly #books = new Books();
  readonly #random: () => number;
  readonly #requests = new Map<string, RequestRecord>();
  readonly #receiving: Promise<void>[];
  #child: ChildProcess | undefined;
  #lives = 0;
  #isOver = false;
  #next = 0;
  #up = 0;
  #down = 0;
  #isWithoutNames = false;
  #isFull = false;
  #isDeploymentDue = false;

  private constructor(
    private readonly plan: Plan,
    private readonly aws: LocalAws,
    private readonly userDir: string,
    private readonly client: SQSClient,
    private readonly queues: { fifo: string; standard: string; beats: string }
  ) {
    this.#random = randomNumbers(plan.seed);
    this.#receiving = [queues.fifo, queues.standard].map((queue) => this.#receive(queue));
  }

  static async begin(plan: Plan): Promise<Run> {
    const aws = await LocalAws.start();
    const client = new SQSClient({ endpoint: aws.url, region: 'us-east-1', credentials: keysOf('demo') });
    const create = async (name: string): Promise<string> => {
      const Attributes = { VisibilityTimeout: '600', ...(name.endsWith('.fifo') && { FifoQueue: 'true' }) };
      const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
      return QueueUrl;
    };
    const queues = {
      fifo: await create('outages.fifo'),
      standard: await create('outages'),
      beats: await create('outages-beats')
    };
    const userDir = await makeUserDir(join(__dirname, '..', '..'));
    const run = new Run(plan, aws, userDir, client, queues);
    await run.#start();
    return run;
  }

  async #start(): Promise<void> {
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#lives += 1;
    const options = {
      userDir: this.userDir,
      queues: this.queues,
      // A name, which has to be looked up.
      endpoint: this.aws.url.replace('127.0.0.1', 'localhost'),
      keys: keysOf('demo'),
      seed: this.plan.seed + this.#lives,
      forgets: this.plan.forgets
    };
    const child = fork(join(__dirname, 'outages-runner.mjs'), [JSON.stringify(options)], { env, execArgv: [] });
    child.on('message', ({ n, isSafe }: { n?: number; isSafe: boolean }) => {
      if (n !== undefined) this.#books.ended(n, isSafe);
    });
    const isReady = once(child, 'message');
    await Promise.race([isReady, once(child, 'exit').then(() => Promise.reject(new Error('the runner has ended')))]);
    this.#child = child;
    this.#tell({ withoutNames: this.#isWithoutNames, full: this.#isFull });
  }

  #tell(order: Order): void {
    this.#child?.send(order);
  }

  /** Kills the process and starts another one, before which something may happen. */
  async #kill(between?: () => Promise<void>): Promise<void> {
    const child = this.#child as ChildProcess;
    await wait(this.#random() * 100);
    this.#child = undefined;
    child.kill('SIGKILL');
    await once(child, 'exit');
    this.#books.deaths.push(Date.now());
    await between?.();
    await this.#start();
  }

  /** All that comes out of a queue. */
  async #receive(QueueUrl: string): Promise<void> {
    while (!this.#isOver) {
      const request = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await this.client.send(
        new ReceiveMessageCommand({ ...request, MessageSystemAttributeNames: ['SentTimestamp'] })
      );
      for (const { Body, MessageId = '', Attributes } of Messages)
        this.#books.arrive((JSON.parse(Body ?? '') as { n: number }).n, {
          messageId: MessageId,
          sent: Number(Attributes?.SentTimestamp)
        });
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      if (Entries.length > 0) await this.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  }

  async pass(): Promise<void> {
    const { outages, kills, deployments, messages } = this.plan;
    const steps = 2 * outages.length;
    const moments = steps * parts;
    const due = new Map<number, () => Promise<void> | void>();
    const at = (work: () => Promise<void> | void, moment: number) => {
      const free = due.has(moment) ? (moment + 1) % moments : moment;
      due.set(free, work);
    };
    // The first outage is one without an answer, and a process that waits for that dies.
    at(() => this.#kill(() => this.#mend()), 2 * parts - 1);
    for (let n = 1; n < kills; n += 1) at(() => this.#kill(), Math.floor(((n + this.#random()) / kills) * moments));
    for (let n = 0; n < deployments; n += 1) at(() => this.#deploy(), Math.floor(this.#random() * moments));
    // A full disk, while the link is down and for a while after.
    const full = (1 + 2 * Math.floor(outages.length / 2)) * parts;
    at(() => this.#fill(true), full + 3);
    at(() => this.#empty(), full + parts + 2);
    for (let step = 0; step < steps; step += 1) {
      const isDown = step % 2 === 1;
      const length = isDown ? Math.max(this.plan.up / 2, this.#up / 2 - this.#down) : this.plan.up;
      const began = performance.now();
      const outage = isDown ? (outages[(step - 1) / 2] as Outage) : undefined;
      if (outage) await this.#cut(outage);
      else await this.#mend();
      for (let part = 0; part < parts; part += 1) {
        if (outage && part === parts - 1) await this.#untilMet(outage);
        await due.get(step * parts + part)?.();
        this.#feed(Math.ceil(messages / moments));
        await wait(Math.max(0, (length * (part + 1)) / parts - (performance.now() - began)));
      }
      if (isDown) this.#down += performance.now() - began;
      else this.#up += performance.now() - began;
      await this.#collect();
    }
    await this.#mend();
  }

  #fill(isFull: boolean): void {
    this.#isFull = isFull;
    this.#books.full[isFull ? 'from' : 'to'] = Date.now();
    this.#tell({ full: isFull });
  }

  /** Makes room again once a message was refused; on a busy machine that takes longer than the plan says. */
  async #empty(): Promise<void> {
    for (let time = 0; time < 300 && this.#books.refused.size === 0; time += 1) await wait(100);
    this.#fill(false);
    if (this.#isDeploymentDue) this.#tell({ deploy: true });
    this.#isDeploymentDue = false;
  }

  /** Not while the disk is full: what has gone out cannot be noted then, and another node would send it again. */
  #deploy(): void {
    if (this.#isFull) this.#isDeploymentDue = true;
    else this.#tell({ deploy: true });
  }

  #feed(count: number): void {
    const to = Math.min(this.plan.messages, this.#next + count);
    this.#tell({ feed: Array.from({ length: to - this.#next }, (_, index) => this.#next + index) });
    this.#next = to;
  }

  async #cut(outage: Outage): Promise<void> {
    for (const operation of ['SendMessage', 'SendMessageBatch']) {
      // Connections that are open need no name.
      const kind = outage === 'noNames' ? 'resetBefore' : outage;
      const parts = { entries: { entryProbability: 0.5 }, resetAfter: { probability: 0.5, seed: this.plan.seed } };
      const part = outage in parts ? parts[outage as keyof typeof parts] : {};
      await this.aws.fault({ kind, service: 'sqs', operation, ...part });
    }
    this.#isWithoutNames = outage === 'noNames';
    this.#tell({ withoutNames: this.#isWithoutNames });
  }

  /** Resolves when something that is kept has met an outage; on a busy machine that takes longer than the plan says. */
  async #untilMet(outage: Outage): Promise<void> {
    const kind = outage === 'noNames' ? 'resetBefore' : outage;
    const isMet = ({ fault, input }: RequestRecord) => fault === kind && !isBeat(input);
    for (let time = 0; time < 300; time += 1) {
      await this.#collect();
      if ([...this.#requests.values()].some(isMet)) return;
      await wait(100);
    }
  }

  async #mend(): Promise<void> {
    this.#isWithoutNames = false;
    this.#tell({ withoutNames: false });
    await this.aws.clearFaults();
  }

  /** Enters what was asked of SQS so far. */
  async #collect(): Promise<void> {
    for (const request of await this.aws.requests())
      if (request.operation.startsWith('SendMessage')) this.#requests.set(request.requestId, request);
  }

  async end(): Promise<Report> {
    for (let arrived = -1, since = performance.now(); this.#books.missing.length > 0; await wait(100)) {
      if (this.#books.arrived !== arrived) since = performance.now();
      arrived = this.#books.arrived;
      if (performance.now() - since > longestSilence) break;
    }
    // What is sent again comes soon.
    await wait(1500);
    await this.#collect();
    const sent = [...this.#requests.values()].filter(({ input }) => !isBeat(input));
    const { problems, figures } = this.#books.close(sentUntold(sent));
    const faults = new Set(sent.flatMap(({ fault }) => fault ?? []));
    const unmet = this.plan.outages.filter((outage) => outage !== 'noNames' && !faults.has(outage));
    if (unmet.length > 0) problems.push(`nothing met ${unmet.join(', ')}`);
    const downPart = this.#down / (this.#up + this.#down);
    return { problems, figures: { ...figures, downPercent: Math.round(100 * downPart), requests: sent.length } };
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#receiving);
    this.#child?.kill('SIGKILL');
    await this.aws.stop();
    this.client.destroy();
    await rm(this.userDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const isBeat = ({ MessageBody }: { MessageBody?: unknown }): boolean => MessageBody === 'beat';
