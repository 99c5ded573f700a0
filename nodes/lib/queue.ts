import type { Client } from './clients';
import { regionOfArn } from './fields';
import { patience, withPatience } from './patience';
import { domainOf, regionName } from './regions';
import type { Sdks } from './sdks';

/** A queue as users name it: its URL, its name, or its ARN. */
export const queuePattern =
  /^(?:https?:\/\/[^\s@?#]+\/[\w-]{1,80}(?:\.fifo)?|arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(?:\.fifo)?|[\w-]{1,80}(?:\.fifo)?)$/;
export const queueIs = 'the URL, the name or the ARN of a queue';

/** Whether a queue or a topic keeps the order of its messages: its name says so. */
export const isFifo = (target: string): boolean => target.endsWith('.fifo');

/** Hosts that name a region: those of AWS, VPC endpoints included, its older ones, and those of LocalStack. */
const hostPattern = new RegExp(`(?:^|\\.)sqs(?:-fips)?\\.(${regionName})\\.|^(${regionName})\\.queue\\.`);

/** Such hosts of the first region, which do without its name. */
const firstHosts = new Set(['queue.amazonaws.com', 'queue.localhost.localstack.cloud']);
const firstRegion = 'us-east-1';

/** The region that a queue's ARN or URL names, if it names one. */
export function regionOfQueue(queue: string): string | undefined {
  const [, host, path = ''] = /^https?:\/\/([^/:]+)(.*)/s.exec(queue.toLowerCase()) ?? [];
  if (host === undefined) return regionOfArn(queue);
  // LocalStack can have the region in the path.
  const [, inPath] = /\/queue\/([a-z0-9-]+)\/\d{12}\/[^/]+$/.exec(path) ?? [];
  const [, region, older] = hostPattern.exec(host) ?? [];
  return inPath ?? region ?? older ?? (firstHosts.has(host) ? firstRegion : undefined);
}

/** Asks for the URL of a queue by its name. All who need it wait for the same answer. */
class Lookup {
  /** What the service says. */
  readonly url: Promise<string>;
  #resolve!: (url: string) => void;
  #reject!: (error: unknown) => void;
  /** The questions so far. */
  #asked = 0;
  /** Whether the last one is not answered in time, and whether somebody else has come to wait for it. */
  #overdue = false;
  #joined = false;

  constructor(
    private readonly sdk: Sdks['sqs'],
    private readonly client: Client,
    private readonly name: string
  ) {
    this.url = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ask();
  }

  /** The same, for one more: nobody waits for an answer that is overdue. */
  join(): Promise<string> {
    this.#joined = true;
    if (this.#overdue) this.#ask();
    return this.url;
  }

  #ask(): void {
    this.#asked += 1;
    const number = this.#asked;
    this.#overdue = false;
    this.#joined = false;
    // Nobody's end may end the request.
    const request = this.client.send(new this.sdk.GetQueueUrlCommand({ QueueName: this.name }), {});
    withPatience(request, () => this.#overtake()).then(
      ({ QueueUrl }) => this.#resolve(QueueUrl ?? ''),
      // A later question may still be answered.
      (error) => number === this.#asked && this.#reject(error)
    );
  }

  #overtake(): void {
    this.client.closeIdle(patience);
    this.#overdue = true;
    if (this.#joined) this.#ask();
  }
}

/** What was asked for, by client and name. A queue that is made anew has the same URL. */
const known = new WeakMap<Client, Map<string, Lookup>>();

/** How many names of a client are kept: messages may bring any number of them. */
const mostNames = 1000;

/**
 * The URL for requests to a queue. Services look at its path only and requests never go to its host, so that an ARN can be
 * written as one; the URL for a name is asked for once.
 */
export function urlOfQueue(sdk: Sdks['sqs'], client: Client, queue: string): string | Promise<string> {
  if (/^https?:/.test(queue)) return queue;
  const [, partition = '', , region, account, name] = queue.split(':');
  if (name !== undefined) return `https://sqs.${region}.${domainOf(partition)}/${account}/${name}`;
  const names = known.get(client) ?? new Map<string, Lookup>();
  known.set(client, names);
  const former = names.get(queue);
  const lookup = former ?? new Lookup(sdk, client, queue);
  names.delete(queue);
  names.set(queue, lookup);
  const [oldest] = names.size > mostNames ? names.keys() : [];
  if (oldest !== undefined) names.delete(oldest);
  if (former) return former.join();
  lookup.url.catch(() => {
    if (names.get(queue) === lookup) names.delete(queue);
  });
  return lookup.url;
}
