/** The faults that messages meet on their way, and what these did to them. */
import type { Fault, LocalAws, RequestRecord } from '../../local-aws/client';

const service = 'sqs';

/** One request in seven fails, and of one batch in twenty every third entry. */
const faults: Fault[] = [
  { kind: 'throttle', service, probability: 0.05, seed: 11 },
  { kind: 'error503', service, probability: 0.05, seed: 12 },
  { kind: 'resetBefore', service, probability: 0.02, seed: 13 },
  { kind: 'resetAfter', service, probability: 0.02, seed: 14 },
  { kind: 'entries', service, probability: 0.05, seed: 15, entryProbability: 0.3 }
];

/** Less trouble for the other services: a function is not invoked again by the node itself. */
const more: Fault[] = ['lambda', 'sns', 'rekognition'].flatMap((service, index) => [
  { kind: 'throttle', service, probability: 0.04, seed: 21 + index },
  { kind: 'error503', service, probability: 0.03, seed: 31 + index },
  { kind: 'resetBefore', service, probability: 0.02, seed: 41 + index },
  { kind: 'resetAfter', service, probability: 0.02, seed: 51 + index }
]);

export const kinds = faults.map(({ kind }) => kind);

/** From now on all requests to SQS meet them. */
export async function troubleAll(aws: LocalAws): Promise<void> {
  for (const fault of faults) await aws.fault(fault);
}

/** From now on requests to every service do. */
export async function troubleEverything(aws: LocalAws): Promise<void> {
  for (const fault of [...faults, ...more]) await aws.fault(fault);
}

/** One more request that sends is carried out and never answered: a node that closes has to give it up. */
export const hangOne = (aws: LocalAws): Promise<void> =>
  aws.fault({ kind: 'hangAfter', service, operation: 'SendMessage', times: 1 });

/** How many requests met each fault. */
export function countFaults(requests: RequestRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault } of requests) if (fault) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
}

/** By number of the message: how often it was put into the queue, or told to the topic, without the sender being told. */
export function sentUntold(requests: RequestRecord[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { MessageBody, Message } of requests.filter(isUntold).flatMap(entriesOf)) {
    const body = MessageBody ?? Message;
    if (body === undefined) continue;
    const { n } = JSON.parse(body) as { n: number };
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return counts;
}

/** How many messages were deleted without the receiver being told at that time. */
export function deletedUntold(requests: RequestRecord[]): number {
  return requests.filter((request) => isUntold(request) && isFor(request, 'DeleteMessage')).flatMap(entriesOf).length;
}

/** How many answers with messages in them, or none, were lost. */
export const receivedUntold = (requests: RequestRecord[]): number =>
  requests.filter((request) => isUntold(request) && isFor(request, 'ReceiveMessage')).length;

/** How many times a message's deletion was held up. */
export function heldUp(requests: RequestRecord[]): number {
  return requests.filter((request) => request.fault && isFor(request, 'DeleteMessage')).flatMap(entriesOf).length;
}

/** How many times the SDK gave up to keep a message hidden. */
export function notPutOff(requests: RequestRecord[]): number {
  const last = (request: RequestRecord) => request.headers['amz-sdk-request']?.startsWith('attempt=3');
  const failed = requests.filter((request) => request.fault && last(request));
  return failed.filter((request) => isFor(request, 'ChangeMessageVisibility')).flatMap(entriesOf).length;
}

/** The requests for messages that were sent beside another one of their receiver: these hardly wait. */
export const sideBySide = (requests: RequestRecord[]): RequestRecord[] =>
  requests.filter(({ operation, input }) => operation === 'ReceiveMessage' && input.WaitTimeSeconds === 1);

const isUntold = ({ fault }: RequestRecord): boolean => fault === 'resetAfter' || fault === 'hangAfter';
/** Alone or in a batch. */
const isFor = ({ operation: name }: RequestRecord, operation: string): boolean =>
  name === operation || name === `${operation}Batch`;

interface Entry {
  MessageBody?: string;
  Message?: string;
}

/** Of a batch; a request for one message is its own entry. */
const entriesOf = ({ input }: RequestRecord): Entry[] => {
  const { Entries } = input as { Entries?: Entry[] };
  // The query protocol has a name for each member of each entry.
  const texts = Object.entries(input).filter(([name]) =>
    /^PublishBatchRequestEntries\.member\.\d+\.Message$/.test(name)
  );
  if (texts.length > 0) return texts.map(([, text]) => ({ Message: String(text) }));
  return Entries ?? [input as Entry];
};
