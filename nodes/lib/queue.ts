import type { Client } from './clients';
import { regionOfArn } from './fields';
import type { Sdks } from './sdks';

/** A queue as users name it: its URL, its name, or its ARN. */
export const queuePattern =
  /^(?:https?:\/\/[^\s@?#]+\/[\w-]{1,80}(?:\.fifo)?|arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(?:\.fifo)?|[\w-]{1,80}(?:\.fifo)?)$/;
export const queueIs = 'the URL, the name or the ARN of a queue';

/** Whether a queue or a topic keeps the order of its messages: its name says so. */
export const isFifo = (target: string): boolean => target.endsWith('.fifo');

/** Queue URLs of AWS name the region in their host: today's, the older ones, and those of a VPC endpoint. */
const hostPattern =
  /^(?:[\w.-]*\.)?(?:sqs(?:-fips)?\.)([a-z]{2}(?:-[a-z]+)+-\d+)\.|^([a-z]{2}(?:-[a-z]+)+-\d+)\.queue\./;

/** The region that a queue's ARN or URL names, if it names one. */
export function regionOfQueue(queue: string): string | undefined {
  const host = /^https?:\/\/([^/:]+)/.exec(queue)?.[1];
  if (host === undefined) return regionOfArn(queue);
  const [, region, older] = hostPattern.exec(host) ?? [];
  return region ?? older;
}

/** URLs that were asked for, by client and name. A queue that is made anew has the same one. */
const known = new WeakMap<Client, Map<string, Promise<string>>>();

/** How many names of a client are kept: messages may bring any number of them. */
const mostNames = 1000;

/** Others wait for the same answer, so that nobody's end may end the request. */
async function ask(sdk: Sdks['sqs'], client: Client, name: string): Promise<string> {
  const { QueueUrl } = await client.send(new sdk.GetQueueUrlCommand({ QueueName: name }), {});
  return QueueUrl ?? '';
}

/**
 * The URL for requests to a queue. Services look at its path only and requests never go to its host, so that an ARN can be
 * written as one; the URL for a name is asked for once.
 */
export function urlOfQueue(sdk: Sdks['sqs'], client: Client, queue: string): string | Promise<string> {
  if (/^https?:/.test(queue)) return queue;
  const [, partition = '', , region, account, name] = queue.split(':');
  if (name !== undefined) {
    return `https://sqs.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}/${account}/${name}`;
  }
  const names = known.get(client) ?? new Map<string, Promise<string>>();
  known.set(client, names);
  const url = names.get(queue) ?? ask(sdk, client, queue);
  names.delete(queue);
  names.set(queue, url);
  url.catch(() => names.delete(queue));
  const [oldest] = names.size > mostNames ? names.keys() : [];
  if (oldest !== undefined) names.delete(oldest);
  return url;
}
