/** The flows of the durability tests, as a user wires them. */
import type { LocalAws } from '../../local-aws/client';
import { keysOf } from '../aws';
import type { FlowNode } from '../node-red';

const onTab = { z: 'tab', x: 0, y: 0, wires: [] };

function flow(aws: LocalAws, nodes: FlowNode[]): FlowNode[] {
  const account = {
    id: 'account',
    type: 'aws-account',
    source: 'keys',
    region: 'us-east-1',
    endpoint: aws.url,
    validate: false,
    credentials: keysOf('demo')
  };
  return [{ id: 'tab', type: 'tab', label: 'Test' }, account, ...nodes.map((node) => ({ ...onTab, ...node }))];
}

/** Only sends. */
export const sending = (aws: LocalAws, queue: string, senders = 1): FlowNode[] => flow(aws, sendNodes(queue, senders));

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
    id: `send-${index}`,
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
