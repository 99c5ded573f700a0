/** The flows of the durability tests, as a user wires them. */
import { type LocalAws, roles } from '../../local-aws/client';
import { keysOf } from '../aws';
import type { FlowNode } from '../node-red';

const onTab = { z: 'tab', x: 0, y: 0, wires: [] };

function flow(aws: Pick<LocalAws, 'url'>, nodes: FlowNode[], properties: Record<string, unknown> = {}): FlowNode[] {
  const account = {
    id: 'account',
    type: 'aws-account',
    source: 'keys',
    region: 'us-east-1',
    endpoint: aws.url,
    validate: false,
    credentials: keysOf('demo'),
    ...properties
  };
  return [{ id: 'tab', type: 'tab', label: 'Test' }, account, ...nodes.map((node) => ({ ...onTab, ...node }))];
}

/** Only sends. */
export const sending = (aws: LocalAws, queue: string, senders = 1): FlowNode[] => flow(aws, sendNodes(queue, senders));

/** Sends each message in a request of its own, with an account that may spend so many dollars. */
export const sendingWithin = (aws: LocalAws, queue: string, senders: number, budget: number): FlowNode[] =>
  flow(
    aws,
    sendNodes(queue, senders).map((node) => ({ ...node, batch: false })),
    { budget }
  );

/** Receives, works on each message for a while, and deletes it; a deletion that failed is tried again. */
export const receiving = (aws: LocalAws, queue: string, options: Receiving = {}): FlowNode[] =>
  flow(aws, receiveNodes(queue, options));

/** Both in one flow. */
export const sendingAndReceiving = (aws: LocalAws, queue: string, options: Receiving = {}): FlowNode[] =>
  flow(aws, [...sendNodes(queue, 1), ...receiveNodes(queue, options)]);

const slowEvery = 50;

/** Whether the flow of a receiver with this `slowBelow` works on a message for 5 s. */
export const isSlow = (n: number, slowBelow: number): boolean => n < slowBelow && n % slowEvery === 0;

export interface Receiving {
  /** How many receive nodes feed the flow; each has one request under way. */
  receivers?: number;
  /** Of each. */
  maxInFlight?: number;
  batchSize?: number;
  /** Seconds. */
  visibilityTimeout?: number;
  /** How long the flow works on a message, ms; 0: not at all. */
  work?: number;
  /** It works for 5 s on every 50th message with a number below this one. */
  slowBelow?: number;
}

function sendNodes(queue: string, senders: number): FlowNode[] {
  const fifo = queue.endsWith('.fifo');
  return many(senders, (index) => ({
    id: `entry-${index}`,
    type: 'aws-sqs-send',
    account: 'account',
    queue,
    queueType: 'str',
    body: 'payload',
    bodyType: 'msg',
    ...(fifo && { groupId: 'group', groupIdType: 'msg', deduplicationId: 'once', deduplicationIdType: 'msg' }),
    batch: true
  }));
}

function receiveNodes(queue: string, options: Receiving): FlowNode[] {
  const { receivers = 1, maxInFlight = 50, batchSize = 10, visibilityTimeout = 3, work = 0, slowBelow = 0 } = options;
  return [
    ...many(receivers, (index) => ({
      id: `receive-${index}`,
      type: 'aws-sqs-receive',
      account: 'account',
      queue,
      settle: 'flow',
      maxInFlight,
      batchSize,
      waitTime: 2,
      visibilityTimeout,
      wires: [[work > 0 ? 'choose' : 'settle']]
    })),
    {
      id: 'choose',
      type: 'function',
      outputs: 2,
      func: `return msg.payload.n < ${slowBelow} && msg.payload.n % ${slowEvery} === 0 ? [null, msg] : [msg, null];`,
      wires: [['work'], ['hard work']]
    },
    delay('work', work),
    delay('hard work', 5000),
    { id: 'settle', type: 'aws-sqs-settle', action: 'delete' },
    { id: 'catch', type: 'catch', scope: ['settle'], wires: [['gone']] },
    // What is no longer this flow's comes again by itself.
    {
      id: 'gone',
      type: 'switch',
      property: 'error.code',
      rules: [{ t: 'neq', v: 'HandleExpired' }],
      wires: [['settle']]
    }
  ];
}

const delay = (id: string, ms: number): FlowNode => ({
  id,
  type: 'delay',
  pauseType: 'delay',
  timeout: String(ms),
  timeoutUnits: 'milliseconds',
  wires: [['settle']]
});

const many = (count: number, node: (index: number) => FlowNode): FlowNode[] =>
  Array.from({ length: count }, (_, index) => node(index));

/** What a flow with every node works with. */
export interface Works {
  /** Two queues that the flow sends to and receives from, the second a FIFO queue. */
  queue: string;
  fifo: string;
  /** A topic's ARN, and the queue that hears what it is told. */
  topic: string;
  heard: string;
  /** The file of a picture with a face. */
  picture: string;
}

/** Seconds that its queues hide a message. */
export const everyNodeVisibility = 4;

/**
 * Every node, in a flow whose ids are new: those of each generation end with its number. What is numbered goes to the
 * entry nodes in turn.
 */
export function everyNode(aws: LocalAws, works: Works, generation: number): FlowNode[] {
  const { queue, fifo, topic, heard, picture } = works;
  const own = { account: 'account' };
  const receive = { ...own, type: 'aws-sqs-receive', waitTime: 2, visibilityTimeout: everyNodeVisibility };
  const send = { ...own, type: 'aws-sqs-send', queueType: 'str', body: 'payload', bodyType: 'msg' };
  const image = { image: picture, imageType: 'str' };
  const nodes: FlowNode[] = [
    { ...send, id: 'entry-queue', queue },
    {
      ...send,
      id: 'entry-fifo',
      queue: fifo,
      groupId: 'group',
      groupIdType: 'msg',
      deduplicationId: 'once',
      deduplicationIdType: 'msg'
    },
    { ...own, id: 'entry-topic', type: 'aws-sns-publish', target: topic, targetType: 'str' },
    { ...own, id: 'entry-invoke', type: 'aws-lambda-invoke', functionName: 'echo', functionNameType: 'str' },
    { ...own, id: 'entry-list', type: 'aws-lambda-list' },
    { ...own, ...image, id: 'entry-detect', type: 'aws-rekognition-detect', annotate: 'jpeg' },
    {
      ...own,
      ...image,
      id: 'entry-index',
      type: 'aws-rekognition-index-face',
      collection: 'people',
      collectionType: 'str',
      imageId: 'Anna',
      imageIdType: 'str'
    },
    // Work that is done by another node of the pack, and that may fail.
    { ...receive, id: 'receive-queue', queue, settle: 'flow', wires: [['work']] },
    {
      ...own,
      id: 'work',
      type: 'aws-lambda-invoke',
      functionName: 'echo',
      functionNameType: 'str',
      wires: [['delete']]
    },
    { id: 'failed', type: 'catch', scope: ['work'], wires: [['return']] },
    { ...receive, id: 'receive-fifo', queue: fifo, settle: 'flow', wires: [['think']] },
    { ...delay('think', 300), wires: [['delete']] },
    { ...receive, id: 'receive-heard', queue: heard, settle: 'sent', wires: [['heard']] },
    { id: 'heard', type: 'junction' },
    { id: 'delete', type: 'aws-sqs-settle', action: 'delete' },
    { id: 'return', type: 'aws-sqs-settle', action: 'return' },
    { id: 'unsettled', type: 'catch', scope: ['delete', 'return'], wires: [['gone']] },
    {
      id: 'gone',
      type: 'switch',
      property: 'error.code',
      rules: [{ t: 'neq', v: 'HandleExpired' }],
      wires: [['delete']]
    }
  ];
  return renamed(flow(aws, nodes, { rekognitionRate: 0 }), generation);
}

/** The entry nodes of `everyNode`, in the order in which they get numbers. */
export const entries = ['queue', 'fifo', 'topic', 'invoke', 'list', 'detect', 'index'] as const;

/** Seconds for which the flow of a bad line works on a message, and on every 20th. */
const badLineWork = { usually: 0.2, hard: 70 };

/** What a device does all day: it sends, publishes, invokes and detects, and works on what it receives, signed in as a role. */
export function allDay(aws: Pick<LocalAws, 'url'>, works: Works, duration: number): FlowNode[] {
  const { queue, fifo, topic, heard, picture } = works;
  const own = { account: 'account' };
  const receive = { ...own, type: 'aws-sqs-receive', settle: 'flow', waitTime: 20, maxInFlight: 50 };
  const send = { ...own, type: 'aws-sqs-send', queueType: 'str' };
  const nodes: FlowNode[] = [
    { ...send, id: 'entry-queue', queue },
    {
      ...send,
      id: 'entry-fifo',
      queue: fifo,
      groupId: 'group',
      groupIdType: 'msg',
      deduplicationId: 'once',
      deduplicationIdType: 'msg'
    },
    { ...own, id: 'entry-topic', type: 'aws-sns-publish', target: topic, targetType: 'str' },
    { ...own, id: 'entry-invoke', type: 'aws-lambda-invoke', functionName: 'echo', functionNameType: 'str' },
    { ...own, id: 'entry-detect', type: 'aws-rekognition-detect', image: picture, imageType: 'str' },
    { ...receive, id: 'receive-queue', queue, wires: [['choose']] },
    {
      id: 'choose',
      type: 'function',
      outputs: 2,
      func: 'return msg.payload.n % 20 === 0 ? [null, msg] : [msg, null];',
      wires: [['work'], ['hard work']]
    },
    delay('work', badLineWork.usually * 1000),
    delay('hard work', badLineWork.hard * 1000),
    { ...receive, id: 'receive-fifo', queue: fifo, wires: [['work']] },
    { ...receive, id: 'receive-topic', queue: heard, settle: 'sent', wires: [['heard']] },
    { id: 'heard', type: 'junction' },
    { id: 'settle', type: 'aws-sqs-settle', action: 'delete' },
    { id: 'catch', type: 'catch', scope: ['settle'], wires: [['gone']] },
    {
      id: 'gone',
      type: 'switch',
      property: 'error.code',
      rules: [{ t: 'neq', v: 'HandleExpired' }],
      wires: [['rest']]
    },
    delay('rest', 2000)
  ];
  return flow(aws, nodes, { roleArn: roles.demo.arn, duration });
}

/** The same flow with other ids. */
function renamed(nodes: FlowNode[], generation: number): FlowNode[] {
  const ids = new Map(nodes.map(({ id }) => [id, `${id}.${generation}`]));
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    return (typeof value === 'string' && ids.get(value)) || value;
  };
  const references = ['id', 'z', 'account', 'wires', 'scope'];
  return nodes.map((node) => ({
    ...node,
    ...Object.fromEntries(references.filter((name) => name in node).map((name) => [name, rename(node[name])]))
  }));
}
