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

export const kinds = faults.map(({ kind }) => kind);

/** From now on all requests to SQS meet them. */
export async function troubleAll(aws: LocalAws): Promise<void> {
  for (const fault of faults) await aws.fault(fault);
}

/** How many requests met each fault. */
export function countFaults(requests: RequestRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault } of requests) if (fault) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
}

/** By number of the message: how often it was put into the queue without the sender being told. */
export function sentUntold(requests: RequestRecord[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const entry of requests.filter(isUntold).flatMap(entriesOf)) {
    if (entry.MessageBody === undefined) continue;
    const { n } = JSON.parse(entry.MessageBody) as { n: number };
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return counts;
}

/** How many messages were deleted without the receiver being told at that time. */
export function deletedUntold(requests: RequestRecord[]): number {
  return requests.filter((request) => isUntold(request) && isFor(request, 'DeleteMessage')).flatMap(entriesOf).length;
}

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

const isUntold = ({ fault }: RequestRecord): boolean => fault === 'resetAfter';
/** Alone or in a batch. */
const isFor = ({ operation: name }: RequestRecord, operation: string): boolean =>
  name === operation || name === `${operation}Batch`;

interface Entry {
  MessageBody?: string;
}

/** Of a batch; a request for one message is its own entry. */
const entriesOf = ({ input }: RequestRecord): Entry[] => (input as { Entries?: Entry[] }).Entries ?? [input as Entry];
