import type { GetQueueUrlCommandOutput } from '@aws-sdk/client-sqs';
import type { Client } from '../account/client';
import { noticeOverdue, overdueAfter } from '../account/overdue';
import { domainOf, regionName } from '../account/regions';
import type { Sdks } from '../account/sdks';
import { foreignAnswer } from '../fields/errors';
import { regionOfArn } from '../fields/fields';
import { nameOf } from '../fields/thrown';

/** A queue as users name it: by URL, name or ARN. */
export const queuePattern =
  /^(?:https?:\/\/[^\s@?#]+\/[\w-]{1,80}(?:\.fifo)?|arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(?:\.fifo)?|[\w-]{1,80}(?:\.fifo)?)$/;
export const queueIs = 'the URL, the name or the ARN of a queue';

/** Whether a queue or topic is a FIFO one, by the end of its name, ARN or URL. */
export const isFifo = (target: string): boolean => target.endsWith('.fifo');
/** The same for a target of any type. */
export const isOrdered = (target: unknown): boolean => typeof target === 'string' && isFifo(target);

/** Hosts that contain a region: those of AWS, including VPC endpoints and older ones, and those of LocalStack. */
const hostPattern = new RegExp(`(?:^|\\.)sqs(?:-fips)?\\.(${regionName})\\.|^(${regionName})\\.queue\\.`);

/** Hosts of AWS's first region, which do not contain its name. */
const firstHosts = new Set(['queue.amazonaws.com', 'queue.localhost.localstack.cloud']);
const firstRegion = 'us-east-1';

/** The region in the ARN or URL of a queue, if there is one. */
export function regionOfQueue(queue: string): string | undefined {
  const [, host, path = ''] = /^https?:\/\/([^/:]+)(.*)/s.exec(queue.toLowerCase()) ?? [];
  if (host === undefined) return regionOfArn(queue);
  // LocalStack can have the region in the path.
  const [, inPath] = /\/queue\/([a-z0-9-]+)\/\d{12}\/[^/]+$/.exec(path) ?? [];
  const [, region, older] = hostPattern.exec(host) ?? [];
  return inPath ?? region ?? older ?? (firstHosts.has(host) ? firstRegion : undefined);
}

/** The account number and name in a queue's URL, which identify the queue in its region whatever the host is. */
export const nameOfQueue = (url: string): string => url.split('/').slice(-2).join('/');

/** The URL in an answer. Throws `UnknownError` if it is not one of the queue. */
function urlIn({ QueueUrl = '', $metadata }: GetQueueUrlCommandOutput, name: string): string {
  if (URL.canParse(QueueUrl) && QueueUrl.endsWith(`/${name}`)) return QueueUrl;
  throw foreignAnswer($metadata.httpStatusCode, `It gives ${QueueUrl} for the queue ${name}.`);
}

/** Looks up the URL of a queue by its name, once for all messages that need it. */
class Lookup {
  /** The URL, or the error of the last request. */
  readonly url: Promise<string>;
  /** Forgotten once the URL is known, which is kept for longer than a client. */
  #client: Client | undefined;
  #resolve!: (url: string) => void;
  #reject!: (error: unknown) => void;
  /** The number of requests so far. */
  #asked = 0;
  /** Whether the last request is overdue, and whether another message has come to wait for it. */
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

  /** The URL for one more message. If the answer is overdue, another request is sent. */
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
    // Without a signal, since other messages may wait for it, too.
    const request = client.send(new this.sdk.GetQueueUrlCommand({ QueueName: this.name }), {});
    noticeOverdue(
      request.then((output) => urlIn(output, this.name)),
      () => this.#answerIsOverdue(client)
    ).then(
      (url) => {
        this.#client = undefined;
        this.#resolve(url);
      },
      // If there is a later request, that one counts.
      (error) => number === this.#asked && this.#reject(error)
    );
  }

  #answerIsOverdue(client: Client): void {
    client.closeIdle(overdueAfter);
    this.#overdue = true;
    if (this.#joined) this.#ask(client);
  }
}

/** How many names are kept, of all accounts together. Messages may bring any number of names and credentials. */
const mostNames = 10_000;

/** The lookups by client key and queue name. A queue that is deleted and created again has the same URL. */
const known = new Map<string, Lookup>();

const keyOf = (client: Client, name: string): string => `${client.key} ${name}`;

/**
 * The URL of a queue from its URL or ARN; `undefined` for a name. AWS only reads the path of it, and requests are never sent
 * to its host, so that the URL can be made from the ARN.
 */
function urlGivenBy(queue: string): string | undefined {
  if (/^https?:/.test(queue)) return queue;
  const [, partition = '', , region, account, name] = queue.split(':');
  return name === undefined ? undefined : `https://sqs.${region}.${domainOf(partition)}/${account}/${name}`;
}

/** The URL of a queue for requests. For a name it is looked up, once. Rejects with the SDK's error or `UnknownError`. */
export function urlOfQueue(sdk: Sdks['sqs'], client: Client, queue: string): string | Promise<string> {
  const url = urlGivenBy(queue);
  return url ?? urlOfName(sdk, client, queue);
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

/** Forgets the URL of a name that may be wrong, so that it is looked up again. */
export function forgetUrl(client: Client, name: string, url: string | Promise<string>): void {
  const key = keyOf(client, name);
  if (known.get(key)?.url === url) known.delete(key);
}

/** The names of errors for a queue URL that is wrong. */
const astray = /^(?:AccessDenied|InvalidAddress|QueueDoesNotExist|UnknownError)/;

/** Whether a wrong queue URL may have caused an error. */
export const isAstray = (error: unknown): boolean => astray.test(nameOf(error));
