import { type Queue, SqsError } from './sqs-rules';

type Attributes = Record<string, string>;

/** Boolean attributes; requests may write `true` and `false` in any case. */
const flags = new Set(['FifoQueue', 'ContentBasedDeduplication', 'SqsManagedSseEnabled']);
/** Attributes of FIFO queues only, with the service's error for other queues. */
const fifoOnly: Record<string, string> = {
  FifoQueue: 'Unknown Attribute FifoQueue.',
  ContentBasedDeduplication: 'Unknown Attribute ContentBasedDeduplication.',
  DeduplicationScope: 'You can specify the DeduplicationScope only when FifoQueue is set to true.',
  FifoThroughputLimit: 'You can specify the FifoThroughputLimit only when FifoQueue is set to true.'
};
const settable = new Set([
  ...Object.keys(fifoOnly),
  'DelaySeconds',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'Policy',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout'
]);
const ranges: Record<string, readonly [least: number, most: number]> = {
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200]
};

/**
 * The attributes of a new queue as fauxqs understands them: it knows `true` and `false` only in lower case, and creates a FIFO
 * queue for every name that ends in .fifo.
 *
 * @throws SqsError
 */
export function readNewQueue(name: string, given: Attributes): Attributes {
  const attributes = plainFlags(given);
  const isFifo = attributes.FifoQueue === 'true';
  checkName(name, isFifo);
  check(attributes, isFifo);
  return attributes;
}

/**
 * Changes the attributes of a queue, also those that fauxqs cannot change.
 *
 * @throws SqsError
 */
export function setQueueAttributes(queue: Queue, given: Attributes): void {
  const attributes = plainFlags(given);
  check(attributes, queue.isFifo());
  if (attributes.FifoQueue === 'false') throw invalidValue('FifoQueue', 'Modifying queue type is not supported.');
  scopeOf(queue);
  queue.setAttributes(attributes);
  for (const [name, value] of Object.entries(attributes)) if (value === '') delete queue.attributes[name];
}

const scopes = new WeakMap<Queue, string>();

/**
 * The deduplication scope of a queue, `queue` or `messageGroup`. In the service it is fixed when the queue is created.
 */
export function scopeOf(queue: Queue): string {
  const scope = scopes.get(queue) ?? queue.attributes.DeduplicationScope ?? 'queue';
  scopes.set(queue, scope);
  return scope;
}

function plainFlags(given: Attributes): Attributes {
  const entries = Object.entries(given);
  return Object.fromEntries(entries.map(([name, value]) => [name, flags.has(name) ? value.toLowerCase() : value]));
}

function checkName(name: string, isFifo: boolean): void {
  if (/^[\w-]{1,80}$/.test(isFifo ? name.replace(/\.fifo$/, '') : name) && name.length <= 80) {
    if (!isFifo || name.endsWith('.fifo')) return;
    const kinds = 'alphanumeric characters, hyphens, or underscores';
    const text = `The name of a FIFO queue can only include ${kinds}, must end with .fifo suffix and be 1 to 80 in length.`;
    throw new SqsError('InvalidParameterValue', text);
  }
  const text = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
  throw new SqsError('InvalidParameterValue', text);
}

function check(attributes: Attributes, isFifo: boolean): void {
  for (const [name, value] of Object.entries(attributes)) {
    const refusal = settable.has(name) ? !isFifo && fifoOnly[name] : `Unknown Attribute ${name}.`;
    if (refusal) throw new SqsError('InvalidAttributeName', refusal);
    const [least, most] = ranges[name] ?? [];
    const number = Number(value);
    if (least === undefined || most === undefined) continue;
    if (!Number.isInteger(number) || number < least || number > most) {
      throw invalidValue(name, `Must be between ${least} and ${most}.`);
    }
  }
}

const invalidValue = (name: string, reason: string) =>
  new SqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}. Reason: ${reason}`);
