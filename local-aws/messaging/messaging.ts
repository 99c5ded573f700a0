import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { AwsError, unknownOperation } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { refusalOf } from '../server/policies';
import { type Principal, signIns } from '../server/sign-ins';
import { listQueues, listTopics } from './message-lists';
import { readNewQueue, setQueueAttributes } from './queue-rules';
import { receiptsOf } from './receipts';
import { checkArn, type Delivery, inbox, Publisher, type Text, Texts, type Topic } from './sns-rules';
import {
  answerSqs,
  type CreateMessage,
  isMessageOperation,
  noQueue,
  type Queue,
  type Queues,
  SqsError,
  sqsErrorAnswer
} from './sqs-rules';
import { readSubscription } from './subscription-rules';

/** A topic in fauxqs. */
interface StoredTopic {
  readonly arn: string;
  readonly attributes: Record<string, string>;
}
interface Topics {
  readonly topics: ReadonlyMap<string, StoredTopic>;
  getTopic(arn: string): StoredTopic | undefined;
  createTopic(name: string, attributes: undefined, tags: undefined, region: string): StoredTopic;
  deleteTopic(arn: string): boolean;
}
interface StoredQueues extends Queues {
  allQueues(): Iterable<Queue>;
  createQueue(name: string, url: string, arn: string): Queue;
  deleteQueue(url: string): boolean;
}

/** The fauxqs of an account. */
interface Fauxqs {
  readonly account: string;
  readonly queues: StoredQueues;
  readonly topics: Topics;
  readonly createMessage: CreateMessage;
  /** Delivers a message to the subscriptions of a topic. */
  fanOut(delivery: Delivery & { topic: StoredTopic; snsStore: Topics; sqsStore: Record<string, unknown> }): void;
  request(headers: Record<string, string>, payload: string): Promise<Response>;
  close(): Promise<unknown>;
}

interface Response {
  readonly statusCode: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** Queues and topics to add. */
interface AddedMessaging {
  readonly queues: readonly string[];
  readonly topics: readonly string[];
  readonly account: string;
  readonly region: string;
}

/** The account number in every ARN and URL of fauxqs. */
const placeholder = '000000000000';
const accounts = new Set<string>(Object.values(signIns).map(({ account }) => account));
const json = 'application/x-amz-json-1.0';

/**
 * SQS and SNS. Each account has a fauxqs, which is loaded with its first request and called without a port of its own. It
 * stores the messages and answers most operations; `sqs-rules` and `sns-rules` answer those that deal with messages.
 */
export class Messaging {
  readonly #loading = new Map<string, Promise<Fauxqs>>();
  readonly #loaded = new Map<string, Fauxqs>();
  readonly #publisher = new Publisher();
  readonly #texts = new Texts();
  /** Takes back what `addMany` has added. */
  readonly #removals: (() => void)[] = [];

  /** The latest messages to phones and apps, oldest first. They are delivered to nobody. */
  get texts(): readonly Text[] {
    return this.#texts.all;
  }

  /** Clears the messages to phones and apps. */
  clearTexts(): void {
    this.#texts.clear();
  }

  /**
   * Answers a verified call. `gone` is aborted when the caller has closed the connection, and gets no messages. Throws
   * AwsError.
   */
  async answer(call: ServiceCall, principal: Principal, gone: AbortSignal): Promise<Answer> {
    if (call.service === 'sns') return this.#answerSns(call, principal);
    if (call.protocol !== 'json-1.0') throw unknownOperation(call);
    try {
      return await this.#answerSqs(call, principal, gone);
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      return sqsErrorAnswer(call, error);
    }
  }

  /** Adds queues and topics with default attributes, without a request for each. Existing ones are kept. */
  async addMany({ queues: queueNames, topics: topicNames, account, region }: AddedMessaging): Promise<void> {
    const { queues, topics } = await this.#fauxqs(account);
    for (const name of queueNames) {
      const arn = `arn:aws:sqs:${region}:${placeholder}:${name}`;
      if (queues.getQueueByArn(arn)) continue;
      const { url } = queues.createQueue(name, `http://sqs.${region}.localhost/${placeholder}/${name}`, arn);
      this.#removals.push(() => queues.deleteQueue(url));
    }
    for (const name of topicNames) {
      if (topics.getTopic(`arn:aws:sns:${region}:${placeholder}:${name}`)) continue;
      const { arn } = topics.createTopic(name, undefined, undefined, region);
      this.#removals.push(() => topics.deleteTopic(arn));
    }
  }

  /** Takes back what `addMany` has added. */
  removeAdded(): void {
    for (const remove of this.#removals.splice(0)) remove();
  }

  async close(): Promise<void> {
    const all = await Promise.all(this.#loading.values());
    await Promise.all(all.map((fauxqs) => fauxqs.close()));
    this.#loading.clear();
    this.#loaded.clear();
  }

  #fauxqs(account: string): Promise<Fauxqs> {
    const loading = this.#loading.get(account) ?? this.#load(account);
    this.#loading.set(account, loading);
    return loading;
  }

  async #load(account: string): Promise<Fauxqs> {
    const fauxqs = await load(account);
    if (account === signIns.demo.account) await setUp(fauxqs);
    // Last, so that no request finds only a part of the queues.
    this.#loaded.set(account, fauxqs);
    return fauxqs;
  }

  async #answerSqs(call: ServiceCall, principal: Principal, gone: AbortSignal): Promise<Answer> {
    const target = targetOf(call, principal.account);
    requireSqs(call, principal, target);
    if (!target) {
      const own = await this.#fauxqs(principal.account);
      if (call.operation === 'ListQueues') return listQueues(call, principal.account, own.queues.allQueues());
      return passOn(own, call.operation === 'CreateQueue' ? newQueue(call) : call);
    }
    if (!accounts.has(target.account)) throw noQueue();
    const fauxqs = this.#loaded.get(target.account) ?? (await this.#fauxqs(target.account));
    const queue = fauxqs.queues.getQueueByArn(arnOf(call, placeholder, target.name));
    if (!queue) throw noQueue();
    if (target.account !== principal.account) {
      const allowed = policyAllows(queue.attributes.Policy, principal, sqsAction(call));
      if (!allowed) throw deniedBy(call, principal, target, noResourcePolicy(sqsAction(call)));
    }
    if (call.operation === 'SetQueueAttributes') {
      setQueueAttributes(queue, (call.input.Attributes ?? {}) as Record<string, string>);
      return sqsAnswer(call, {});
    }
    if (!isMessageOperation(call.operation)) {
      prepare(call.operation, queue);
      const { QueueUrl } = call.input;
      return passOn(fauxqs, QueueUrl === undefined ? call : withInput(call, { ...call.input, QueueUrl: queue.url }));
    }
    const { operation, input } = call;
    const { queues, createMessage } = fauxqs;
    const senderId = principal.userId;
    const arn = arnOf(call, target.account, target.name);
    const trace = call.headers['x-amzn-trace-id']?.toString();
    const output = answerSqs({ operation, input, queue, arn, queues, createMessage, senderId, trace, gone });
    return sqsAnswer(call, output instanceof Promise ? await output : output);
  }

  async #answerSns(call: ServiceCall, principal: Principal): Promise<Answer> {
    const { TopicArn, TargetArn } = call.input as Record<string, string | undefined>;
    const arn = TopicArn ?? TargetArn;
    requireSns(call, principal, arn ?? anyTopic(call, principal));
    const own = await this.#fauxqs(principal.account);
    if (call.operation === 'ListTopics') return listTopics(call, principal.account, own.topics.topics.values());
    if (call.operation !== 'Publish' && call.operation !== 'PublishBatch') {
      if (TopicArn !== undefined) checkArn('TopicArn', TopicArn, call);
      const subscribes = call.operation === 'Subscribe' || call.operation === 'SetSubscriptionAttributes';
      return passOn(own, subscribes ? readSubscription(call) : call);
    }
    const account = arn?.split(':')[4];
    if (account !== undefined && accounts.has(account)) await this.#fauxqs(account);
    const publishing = {
      call,
      findTopic: (topicArn: string) => this.#findTopic(call, principal, topicArn),
      keepText: (text: Text) => this.#texts.add(text)
    };
    return call.operation === 'Publish'
      ? this.#publisher.publish(publishing)
      : this.#publisher.publishBatch(publishing);
  }

  #findTopic(call: ServiceCall, principal: Principal, arn: string): Topic {
    checkArn('TopicArn', arn, call);
    const account = arn.split(':')[4] ?? '';
    const fauxqs = this.#loaded.get(account);
    const topic = fauxqs?.topics.getTopic(renumber(arn, account, placeholder));
    if (account !== principal.account && !policyAllows(topic?.attributes.Policy, principal, 'SNS:Publish')) {
      throw notAuthorized(call, principal, arn, noResourcePolicy('SNS:Publish'));
    }
    if (!fauxqs || !topic) throw new AwsError(404, 'NotFound', 'Topic does not exist');
    const rename = (text: string) => renumber(text, placeholder, account);
    const deliver = (delivery: Delivery) => {
      const getQueueByArn = (queueArn: string) => {
        const queue = this.#findQueue(queueArn, fauxqs);
        return queue && inbox(queue, delivery, rename);
      };
      fauxqs.fanOut({ ...delivery, topic, snsStore: fauxqs.topics, sqsStore: { getQueueByArn } });
    };
    return { arn, attributes: topic.attributes, deliver };
  }

  /** A subscribed queue, which may belong to another account: fauxqs only finds its own ones. */
  #findQueue(arn: string, own: Fauxqs): Queue | undefined {
    const account = arn.split(':')[4] ?? '';
    const fauxqs = account === placeholder ? own : this.#loaded.get(account);
    return fauxqs?.queues.getQueueByArn(renumber(arn, account, placeholder));
  }
}

interface Internals {
  SqsStore: { new (): StoredQueues; createMessage: CreateMessage };
  SnsStore: new () => Topics;
  fanOutToSubscriptions: Fauxqs['fanOut'];
}

/**
 * Loads fauxqs on first use, since it is an ES module and takes a while. Its package exports only the server, so its stores
 * are imported by their paths.
 */
async function load(account: string): Promise<Fauxqs> {
  const folder = path.join(__dirname, '../../node_modules/fauxqs/dist');
  const part = async (name: string) => (await import(pathToFileURL(path.join(folder, name)).href)) as Internals;
  const { buildApp } = await import('fauxqs');
  const { SqsStore } = await part('sqs/sqsStore.js');
  const { SnsStore } = await part('sns/snsStore.js');
  const { fanOutToSubscriptions } = await part('sns/actions/publish.js');
  const queues = new SqsStore();
  const topics = new SnsStore();
  const stores = { sqsStore: queues, snsStore: topics } as unknown as NonNullable<
    NonNullable<Parameters<typeof buildApp>[0]>['stores']
  >;
  const app = buildApp({ logger: false, stores });
  return {
    account,
    queues,
    topics,
    createMessage: SqsStore.createMessage,
    fanOut: fanOutToSubscriptions,
    request: (headers, payload) => app.inject({ method: 'POST', url: '/', headers, payload }),
    close: () => app.close()
  };
}

interface SetUp {
  readonly service: 'sqs' | 'sns';
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

/** Creates the initial queues and topics, by the requests that a client would send. */
async function setUp(fauxqs: Fauxqs): Promise<void> {
  const all = JSON.parse(readFileSync(path.join(__dirname, 'messaging.json'), 'utf8')) as SetUp[];
  for (const { service, operation, input } of all) {
    const authorization = `AWS4-HMAC-SHA256 Credential=set-up/20000101/us-east-1/${service}/aws4_request`;
    const ofSns = { 'content-type': 'application/x-www-form-urlencoded' };
    const ofSqs = { 'content-type': json, 'x-amz-target': `AmazonSQS.${operation}` };
    const headers = { authorization, host: 'localhost', ...(service === 'sqs' ? ofSqs : ofSns) };
    const fields = { Action: operation, ...input } as Record<string, string>;
    const payload = service === 'sqs' ? JSON.stringify(input) : new URLSearchParams(fields).toString();
    const response = await fauxqs.request(headers, renumber(payload, fauxqs.account, placeholder));
    if (response.statusCode !== 200) throw new Error(`messaging.json, ${operation}: ${response.body}`);
  }
}

/** Which queue a request is for. */
interface Target {
  readonly account: string;
  readonly name: string;
}

/** The name of a queue from the path of its URL, or from a name alone. */
function targetOf(call: ServiceCall, account: string): Target | undefined {
  const { QueueUrl, QueueName, QueueOwnerAWSAccountId } = call.input as Record<string, string | undefined>;
  if (call.operation === 'GetQueueUrl' && QueueName)
    return { account: QueueOwnerAWSAccountId ?? account, name: QueueName };
  if (QueueUrl === undefined) return undefined;
  if (/^[\w-]+(\.fifo)?$/.test(QueueUrl)) return { account, name: QueueUrl };
  const [, owner, name] = /^(?:https?:\/\/[^/]*)?\/(\d{12})\/([^/?]+)\/?$/.exec(QueueUrl) ?? [];
  if (owner && name) return { account: owner, name };
  throw new SqsError('InvalidAddress', `The address ${QueueUrl} is not valid for this endpoint.`);
}

function arnOf(call: ServiceCall, account: string, name: string): string {
  return `arn:aws:sqs:${call.region}:${account}:${name}`;
}

function sqsAction(call: ServiceCall): string {
  return `sqs:${call.operation.replace(/Batch$/, '').toLowerCase()}`;
}

const noResourcePolicy = (action: string): string => `because no resource-based policy allows the ${action} action`;

/** Throws if no policy of the principal allows the call. */
function requireSqs(call: ServiceCall, principal: Principal, target: Target | undefined): void {
  const { account, name } = target ?? { account: principal.account, name: '' };
  const reason = refusalOf(principal, sqsAction(call), arnOf(call, account, name));
  if (reason !== undefined) throw deniedBy(call, principal, target, reason);
}

/** The same for SNS. */
function requireSns(call: ServiceCall, principal: Principal, resource: string): void {
  const reason = refusalOf(principal, snsAction(call), resource);
  if (reason !== undefined) throw notAuthorized(call, principal, resource, reason);
}

function deniedBy(
  call: ServiceCall,
  { arn, account }: Principal,
  target: Target | undefined,
  reason: string
): SqsError {
  const action = sqsAction(call);
  // Lists have no queue name; the service's text then ends in a colon.
  const { account: owner, name } = target ?? { account, name: String(call.input.QueueName ?? '') };
  const resource = arnOf(call, owner, name);
  return new SqsError(
    'AccessDenied',
    `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`
  );
}

/** The resource in the error of a list that is not allowed. */
function anyTopic({ operation, region }: ServiceCall, { account }: Principal): string {
  return operation.startsWith('List') ? `arn:aws:sns:${region}:${account}:*` : '*';
}

const snsAction = ({ operation }: ServiceCall): string => `SNS:${operation.replace(/Batch$/, '')}`;

function notAuthorized(call: ServiceCall, { arn }: Principal, resource: string, reason: string): AwsError {
  return new AwsError(
    403,
    'AuthorizationError',
    `User: ${arn} is not authorized to perform: ${snsAction(call)} on resource: ${resource} ${reason}`
  );
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
}

/** Whether the policy of a queue or topic allows an action to a principal of another account. */
function policyAllows(policy: string | undefined, principal: Principal, action: string): boolean {
  if (!policy) return false;
  const { Statement: found = [] } = readPolicy(policy);
  const fitting = [found].flat().filter((each) => names(each, principal) && covers(each, action));
  return fitting.length > 0 && fitting.every(({ Effect }) => Effect === 'Allow');
}

/** Refuses a policy that is not JSON, as the service does; fauxqs accepts it. */
function readPolicy(policy: string): { Statement?: Statement | Statement[] } {
  try {
    return JSON.parse(policy) as { Statement?: Statement | Statement[] };
  } catch {
    return {};
  }
}

function names({ Principal }: Statement, { account, arn }: Principal): boolean {
  const given = typeof Principal === 'object' && Principal !== null ? (Principal as { AWS?: unknown }).AWS : Principal;
  return [given].flat().some((each) => ['*', account, `arn:aws:iam::${account}:root`, arn].includes(String(each)));
}

function covers({ Action = [] }: Statement, action: string): boolean {
  return [Action].flat().some((each) => {
    const pattern = each.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*');
    return new RegExp(`^${pattern}$`, 'i').test(action);
  });
}

function sqsAnswer(call: ServiceCall, output: Record<string, unknown>): Answer {
  const headers = { 'Content-Type': json, 'x-amzn-RequestId': call.requestId };
  return { status: 200, headers, body: JSON.stringify(output) };
}

/** Does what fauxqs should do before it answers. */
function prepare(operation: string, queue: Queue): void {
  if (operation === 'PurgeQueue') {
    receiptsOf(queue).clear();
    queue.deduplicationCache.clear();
  }
  // fauxqs makes messages visible again only when it is asked for some.
  if (operation === 'GetQueueAttributes') queue.processTimers();
}

function withInput(call: ServiceCall, input: Record<string, unknown>): ServiceCall {
  return { ...call, input, body: Buffer.from(JSON.stringify(input)) };
}

/** The call that creates a queue, as fauxqs understands it. */
function newQueue(call: ServiceCall): ServiceCall {
  const { QueueName, Attributes = {} } = call.input as { QueueName?: string; Attributes?: Record<string, string> };
  return withInput(call, { ...call.input, Attributes: readNewQueue(String(QueueName ?? ''), Attributes) });
}

/** Has fauxqs answer, with its own account number in the request. */
async function passOn(fauxqs: Fauxqs, call: ServiceCall): Promise<Answer> {
  const { account } = fauxqs;
  const response = await fauxqs.request(headersOf(call), inward(call, account));
  const type = String(response.headers['content-type'] ?? '');
  const ofSqs = call.protocol === 'json-1.0';
  if (response.statusCode >= 400) {
    if (/[">]Unknown action: /.test(response.body)) throw unknownOperation(call);
    if (ofSqs) throw errorOf(response.body);
  }
  const headers = { 'Content-Type': type, 'x-amzn-RequestId': call.requestId };
  return {
    status: response.statusCode,
    headers,
    body: outward(call, account, response.body),
    ...(response.statusCode >= 400 ? { errorCode: /<Code>([^<]*)</.exec(response.body)?.[1] ?? 'unknown' } : {})
  };
}

function errorOf(body: string): Error {
  const { __type: type = '', message = '' } = JSON.parse(body) as { __type?: string; message?: string };
  if (!type.startsWith('com.amazonaws.sqs#')) return new SqsError('SerializationException', '');
  return new SqsError(type.slice('com.amazonaws.sqs#'.length), message);
}

/** All headers except those that describe the body as it was sent. */
function headersOf(call: ServiceCall): Record<string, string> {
  return Object.fromEntries(
    Object.entries(call.headers)
      .filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding')
      .map(([name, value]) => [name, String(value)])
  );
}

function inward(call: ServiceCall, account: string): string {
  return renumber(call.body.toString('utf8'), account, placeholder);
}

/** The answer of fauxqs with the real account number, and with queue URLs of this server. */
function outward(call: ServiceCall, account: string, body: string): string {
  const here = body.replace(/"http:\/\/sqs\.[^/"]*(?=\/000000000000\/)/g, `"http://${call.headers.host}`);
  return renumber(here, placeholder, account);
}

function renumber(text: string, from: string, to: string): string {
  return text.replaceAll(from, to);
}
