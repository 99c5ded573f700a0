import type { GetQueueUrlCommandOutput } from '@aws-sdk/client-sqs';
import type { Client } from '../account/client';
import { noticeOverdue, overdueAfter } from '../account/overdue';
import { domainOf, regionName } from '../account/regions';
import type { Sdks } from '../account/sdks';
import { foreignAnswer, nameOf } from '../fields/errors';
import { regionOfArn } from '../fields/fields';

/** A queue as users name it: its URL, its name, or its ARN. */
export const queuePattern =
  /^(?:https?:\/\/[^\s@?#]+\/[\w-]{1,80}(?:\.fifo)?|arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(?:\.fifo)?|[\w-]{1,80}(?:\.fifo)?)$/;
export const queueIs = 'the URL, the name or the ARN of a queue';

/** Whether a queue or a topic keeps the order of its messages: its name says so. */
export const isFifo = (target: string): boolean => target.endsWith('.fifo');
/** The same for whatever a message may name as a target. */
export const isOrdered = (target: unknown): boolean => typeof target === 'string' && isFifo(target);

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

/** A queue's account and name, which tell it from others of its region, whatever host its URL names. */
export const nameOfQueue = (url: string): string => url.split('/').slice(-2).join('/');

/** The URL that an answer gives for a queue. Throws `UnknownError` where it is none. */
function urlIn({ QueueUrl = '', $metadata }: GetQueueUrlCommandOutput, name: string): string {
  if (URL.canParse(QueueUrl) && QueueUrl.endsWith(`/${name}`)) return QueueUrl;
  throw foreignAnswer($metadata.httpStatusCode, `It gives ${QueueUrl} for the queue ${name}.`);
}

/** Asks for the URL of a queue by its name. All who need it wait for the same answer. */
class Lookup {
  /** What the service says. */
  readonly url: Promise<string>;
  /** Needed until the answer is there, which is known for longer than a client. */
  #client: Client | undefined;
  #resolve!: (url: string) => void;
  #reject!: (error: unknown) => void;
  /** The questions so far. */
  #asked = 0;
  /** Whether the last one is not answered in time, and whether somebody else has come to wait for it. */
  #overdue = false;
  #joined = false;

  constructor(
    private readonly sdk: Sdks['sqs'],
    client: Client,
    private readonly name: string
  ) {
    this.#client = client;
    this.url = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#ask(client);
  }

  /** Whether the answer is still to come. */
  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** The same, for one more: nobody waits for an answer that is overdue. */
  join(): Promise<string> {
    this.#joined = true;
    if (this.#overdue && this.#client) this.#ask(this.#client);
    return this.url;
  }

  #ask(client: Client): void {
    this.#asked += 1;
    const number = this.#asked;
    this.#overdue = false;
    this.#joined = false;
    // Nobody's end may end the request.
    const request = client.send(new this.sdk.GetQueueUrlCommand({ QueueName: this.name }), {});
    noticeOverdue(
      request.then((output) => urlIn(output, this.name)),
      () => this.#overtake(client)
    ).then(
      (url) => {
        this.#client = undefined;
        this.#resolve(url);
      },
      // A later question may still be answered.
      (error) => number === this.#asked && this.#reject(error)
    );
  }

  #overtake(client: Client): void {
    client.closeIdle(overdueAfter);
    this.#overdue = true;
    if (this.#joined) this.#ask(client);
  }
}

/** How many names of all accounts are kept: messages may bring any number of them, and of credentials. */
const mostNames = 10_000;

/** What was asked for, by the key of a client and by name. A queue that is made anew has the same URL. */
const known = new Map<string, Lookup>();

const keyOf = (client: Client, name: string): string => `${client.key} ${name}`;

/**
 * The URL that a queue's URL or ARN gives; `undefined` for a name. Services look at its path only and requests never go to
 * its host, so that an ARN can be written as one.
 */
function urlGivenBy(queue: string): string | undefined {
  if (/^https?:/.test(queue)) return queue;
  const [, partition = '', , region, account, name] = queue.split(':');
  return name === undefined ? undefined : `https://sqs.${region}.${domainOf(partition)}/${account}/${name}`;
}

/** The URL for requests to a queue; for a name it is asked for once. */
export function urlOfQueue(sdk: Sdks['sqs'], client: Client, queue: string): string | Promise<string> {
  const url = urlGivenBy(queue);
  if (url === undefined) return urlOfName(sdk, client, queue);
  // Where messages keep their order, none overtakes those for which the URL of the same queue is just asked for.
  const lookup = isFifo(url) ? known.get(keyOf(client, url.split('/').at(-1) as string)) : undefined;
  const itself = () => url;
  return lookup?.isOpen ? lookup.join().then(itself, itself) : url;
}

function urlOfName(sdk: Sdks['sqs'], client: Client, name: string): Promise<string> {
  const key = keyOf(client, name);
  const former = known.get(key);
  const lookup = former ?? new Lookup(sdk, client, name);
  known.delete(key);
  known.set(key, lookup);
  const [oldest] = known.size > mostNames ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  if (former) return former.join();
  lookup.url.catch(() => forgetUrl(client, name, lookup.url));
  return lookup.url;
}

/** The URL for a name was wrong, or may be by now: it is asked for again the next time. */
export function forgetUrl(client: Client, name: string, url: string | Promise<string>): void {
  const key = keyOf(client, name);
  if (known.get(key)?.url === url) known.delete(key);
}

/** What is said where a queue's URL leads nowhere, or elsewhere. */
const astray = /^(?:AccessDenied|InvalidAddress|QueueDoesNotExist|UnknownError)/;

/** True for an error that a wrong URL may have caused. */
export const isAstray = (error: unknown): boolean => astray.test(nameOf(error));
