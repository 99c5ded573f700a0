/** The local AWS and a Node-RED for tests of the pack's nodes, and the nodes that they deploy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  type Message as QueueMessage,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient
} from '@aws-sdk/client-sqs';
import { LocalAws, type RequestRecord, signIns } from '../local-aws/client';
import { contract } from './contract';
import {
  type FlowNode,
  type Message,
  type NodeError,
  type NodeRed,
  type Outcome,
  sink,
  startNodeRed
} from './node-red';
import { letPass, setClock } from './set-clock';

/** Paths that on Windows lead to another machine or a device. */
export const elsewhere = [
  '\\\\stranger.example\\share\\1.jpg',
  '//stranger.example/share/1.jpg',
  '\\/stranger.example/share/1.jpg',
  '/\\stranger.example\\share\\1.jpg',
  '\\\\?\\UNC\\stranger.example\\share\\1.jpg',
  '//?/UNC/stranger.example/share/1.jpg',
  '\\\\.\\UNC\\stranger.example\\share\\1.jpg',
  '\\\\.\\pipe\\stranger',
  '\\\\.\\PhysicalDrive0',
  '\\\\?\\C:\\1.jpg'
] as const;

export interface Bench {
  red: NodeRed;
  aws: LocalAws;
}

/** Keys of a local sign-in, as an account's credentials. */
export const keysOf = (name: keyof typeof signIns): { accessKeyId: string; secretAccessKey: string } => ({
  accessKeyId: signIns[name].accessKeyId,
  secretAccessKey: signIns[name].secretAccessKey
});

/** Starts both before a file's tests and cleans up between them; the bench is filled in when the tests run. */
export function useBench(): Bench {
  const bench = {} as Bench;
  before(async function () {
    // What starts is a whole Node-RED, on a machine that may do much else.
    this.timeout(90_000);
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
  });
  beforeEach(() => bench.aws.reset());
  afterEach(async () => {
    await bench.red.deploy([]);
    bench.red.clearLogs();
  });
  after(() => bench.aws.stop());
  return bench;
}

/** Lets so many ms pass for this machine and for AWS, until the test ends. */
export async function letAllPass({ aws }: Bench, ms: number): Promise<void> {
  const passed = letPass(ms);
  setClock(passed);
  await aws.settings({ clockAheadSeconds: passed / 1000 });
}

/** An account that signs in to the local AWS by keys. */
export const account = ({ aws }: Bench, properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'account',
  type: 'aws-account',
  name: '',
  source: 'keys',
  profile: '',
  region: 'us-east-1',
  endpoint: aws.url,
  roleArn: '',
  sessionName: '',
  duration: 3600,
  validate: false,
  rekognitionRate: 5,
  ...properties
});

/** Credentials for `deploy`: the account's keys. */
export const credentials = (name: keyof typeof signIns = 'demo', more: Record<string, string> = {}) => ({
  account: { ...keysOf(name), ...more }
});

export const invokeNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'invoke',
  type: 'aws-lambda-invoke',
  account: 'account',
  functionName: 'hello',
  functionNameType: 'str',
  wires: [['out']],
  ...properties
});

export const callbackNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'callback',
  type: 'aws-lambda-callback',
  account: 'account',
  wires: [['called']],
  ...properties
});

export const listNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'list',
  type: 'aws-lambda-list',
  account: 'account',
  wires: [['out']],
  ...properties
});

/** Deploys nodes with an account that signs in as `demo`. */
export const deployNodes = (bench: Bench, nodes: FlowNode[], properties: Record<string, unknown> = {}): Promise<void> =>
  bench.red.deploy([account(bench, properties), ...nodes], { credentials: credentials() });

/** Deploys one action with such an account, and a node that takes its output. */
export const deployAction = (bench: Bench, node: FlowNode, properties: Record<string, unknown> = {}): Promise<void> =>
  deployNodes(bench, [node, sink('out')], properties);

const { status: statusWords } = JSON.parse(
  readFileSync(join(__dirname, '..', 'locales', 'en-US', 'common.json'), 'utf8')
) as { status: Record<string, string> };

/** A status that says that something failed: a key of its words, or a few words; the error's name where there are none. */
export function assertFailed(status: unknown, error: { name: string } | undefined): void {
  const { text = '', ...rest } = status as { text?: string };
  assert.deepEqual(rest, { fill: 'red', shape: 'ring' });
  const [, key] = /^status\.(\w+)$/.exec(text) ?? [];
  const isText = text === error?.name || (/^[^\n]{1,70}$/.test(text) && !/^status\.|__/.test(text));
  assert.ok(key === undefined ? isText : Object.hasOwn(statusWords, key), text);
}

export const sendNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'send',
  type: 'aws-sqs-send',
  account: 'account',
  queueType: 'str',
  wires: [['out']],
  ...properties
});

export const publishNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'publish',
  type: 'aws-sns-publish',
  account: 'account',
  targetType: 'str',
  wires: [['out']],
  ...properties
});

export const receiveNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'receive',
  type: 'aws-sqs-receive',
  account: 'account',
  wires: [['out']],
  ...properties
});

export const settleNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'settle',
  type: 'aws-sqs-settle',
  wires: [['settled']],
  ...properties
});

export const detectNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'detect',
  type: 'aws-rekognition-detect',
  account: 'account',
  wires: [['out']],
  ...properties
});

export const indexFaceNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'index',
  type: 'aws-rekognition-index-face',
  account: 'account',
  collectionType: 'str',
  wires: [['out']],
  ...properties
});

export const facesNode = (properties: Record<string, unknown> = {}): FlowNode => ({
  id: 'faces',
  type: 'aws-rekognition-faces',
  account: 'account',
  wires: [['out']],
  ...properties
});

/** Of each action that is not among these types a node as it was just dragged in, one below the other. */
export const otherNodes = (known: readonly string[], y: number): FlowNode[] =>
  Object.entries(contract)
    .filter(([type, { properties }]) => !known.includes(type) && 'account' in properties)
    .map(([type, { properties }], index) => {
      return { id: type, type, ...properties, account: 'account', wires: [['out']], x: 300, y: y + 80 * index };
    });

/** How many messages a queue shows, hides because somebody has them, and holds back for a delay. */
export interface Counts {
  visible: number;
  hidden: number;
  delayed: number;
}

/** Queues of the local AWS through the SDK, as another program uses them. */
export class Queues {
  readonly #clients = new Map<string, SQSClient>();
  #made = 0;

  constructor(private readonly bench: Bench) {}

  /** Makes a queue that no other test knows and gives its URL: in another region the one that AWS has for it. */
  async create(attributes: Record<string, string> = {}, region?: string): Promise<string> {
    this.#made += 1;
    const QueueName = `queue-${this.#made}${attributes.FifoQueue ? '.fifo' : ''}`;
    return this.createNamed(QueueName, attributes, region);
  }

  async createNamed(QueueName: string, Attributes: Record<string, string> = {}, region?: string): Promise<string> {
    const { QueueUrl } = await this.client(region).send(new CreateQueueCommand({ QueueName, Attributes }));
    const url = QueueUrl as string;
    return region ? `https://sqs.${region}.amazonaws.com${new URL(url).pathname}` : url;
  }

  async delete(QueueUrl: string): Promise<void> {
    await this.#clientOf(QueueUrl).send(new DeleteQueueCommand({ QueueUrl }));
  }

  /** Forgets all messages of a queue, those that somebody has as well. */
  async purge(QueueUrl: string): Promise<void> {
    await this.#clientOf(QueueUrl).send(new PurgeQueueCommand({ QueueUrl }));
  }

  /** Sends messages, each a body or a whole entry. */
  async send(QueueUrl: string, ...messages: (string | Partial<SendMessageBatchRequestEntry>)[]): Promise<void> {
    for (let first = 0; first < messages.length; first += 10) {
      const Entries = messages.slice(first, first + 10).map((message, index) => ({
        Id: String(index),
        MessageBody: 'a message',
        ...(typeof message === 'string' ? { MessageBody: message } : message)
      }));
      const { Failed = [] } = await this.#clientOf(QueueUrl).send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      if (Failed.length > 0) throw new Error(`not sent: ${Failed[0]?.Code}`);
    }
  }

  /** Receives as another consumer does: what it gets is hidden for as long as `VisibilityTimeout` says, at first 0 s. */
  async receive(QueueUrl: string, input: Partial<ReceiveMessageCommandInput> = {}): Promise<QueueMessage[]> {
    const asked = { MaxNumberOfMessages: 10, VisibilityTimeout: 0, MessageSystemAttributeNames: ['All' as const] };
    const command = new ReceiveMessageCommand({ QueueUrl, ...asked, ...input });
    const { Messages = [] } = await this.#clientOf(QueueUrl).send(command);
    return Messages;
  }

  async counts(QueueUrl: string): Promise<Counts> {
    const number = 'ApproximateNumberOfMessages' as const;
    const { Attributes: { [number]: visible, ...more } = {} } = await this.#clientOf(QueueUrl).send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [number, `${number}NotVisible` as const, `${number}Delayed` as const]
      })
    );
    return {
      visible: Number(visible),
      hidden: Number(more[`${number}NotVisible`]),
      delayed: Number(more[`${number}Delayed`])
    };
  }

  /** The SDK's client, for what is not here. */
  client(region = 'us-east-1'): SQSClient {
    let client = this.#clients.get(region);
    if (!client) {
      const options = {
        region,
        endpoint: this.bench.aws.url,
        credentials: signIns.demo,
        customUserAgent: 'nimbus-tests',
        useQueueUrlAsEndpoint: false
      };
      client = new SQSClient(options);
      this.#clients.set(region, client);
    }
    return client;
  }

  /** What the nodes have asked SQS since the last reset; of one operation, a batch or not. */
  async requests(operation?: string): Promise<RequestRecord[]> {
    const all = (await this.bench.aws.requests()).filter(
      ({ service, headers }) => service === 'sqs' && !headers['user-agent']?.includes('nimbus-tests')
    );
    return operation === undefined ? all : all.filter((each) => each.operation.replace(/Batch$/, '') === operation);
  }

  #clientOf(url: string): SQSClient {
    return this.client(/^https:\/\/sqs\.([\w-]+)\.amazonaws\.com/.exec(url)?.[1]);
  }

  close(): void {
    for (const client of this.#clients.values()) client.destroy();
  }
}

/** Queues for the tests of a file. */
export function useQueues(bench: Bench): Queues {
  const queues = new Queues(bench);
  after(() => queues.close());
  return queues;
}

/** The one message that was sent on, by a node that has ended it without an error. */
export function sentBy(outcome: Outcome): Message {
  assert.equal(outcome.error, undefined);
  assert.equal(outcome.done, 1);
  assert.equal(outcome.sent.length, 1);
  return outcome.sent[0] as Message;
}

/** The error of a message that went no further. */
export function errorOf(outcome: Outcome): NodeError {
  assert.ok(outcome.error, 'the message ended without an error');
  assert.equal(outcome.done, 1);
  assert.deepEqual(outcome.sent, []);
  return outcome.error;
}
