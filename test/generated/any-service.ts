/**
 * A service that answers anything: as AWS does, or as AWS, a gateway or a broken line would at its worst. Each trial has a
 * path of its own as its endpoint, and so its own answers, in the order of its requests.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { setClock, trueTime } from '../set-clock';

/** How a request is answered; `good` where nothing is said. */
export const answerKinds = [
  'good',
  'throttled',
  'refused',
  'denied',
  'broken',
  'unavailable',
  'page',
  'gateway',
  'busy',
  'redirect',
  'empty',
  'half',
  'odd',
  'missing',
  'null',
  'otherType',
  'stranger',
  'oddError',
  'deepError',
  'packed',
  'upgrade',
  'nothing',
  'reset',
  'resetAfter',
  'silent',
  'hang',
  'quoting',
  'functionError'
] as const;

export interface AnswerPlan {
  kind: (typeof answerKinds)[number];
  /** Milliseconds. */
  delay: number;
  /** What an odd answer holds in place of what it should. */
  odd: unknown;
  /** Which of its members, of all in it, is another one or missing. */
  at: number;
  /** So many ms ahead of the true time the clock of this process, and so of the nodes, is set while the request is under way. */
  clock?: number;
}

/** Kinds of answers that are none of the service: they come from what is in between, whose clock has never been set. */
const portals = new Set(['page', 'gateway', 'busy', 'redirect', 'stranger']);

type Protocol = 'rest' | 'query' | 'json';
export interface Asked {
  protocol: Protocol;
  operation: string;
  body: string;
  request: IncomingMessage;
}

const requestId = '00000000-0000-4000-8000-000000000000';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const face = { BoundingBox: { Left: 0.1, Top: 0.1, Width: 0.5, Height: 0.5 }, Confidence: 99 };

/** What a batch says of entries that all went well. */
const allOf = ({ body }: Asked) => ({
  Successful: JSON.parse(body).Entries.map(({ Id }: { Id: string }) => ({ Id })),
  Failed: []
});

/** What AWS says when all is well, by operation. */
const good: Record<string, (asked: Asked) => unknown> = {
  Invoke: () => ({ ok: true }),
  ListFunctions: () => ({ Functions: [{ FunctionName: 'hello' }] }),
  SendMessage: ({ body }) => ({ MessageId: 'm', MD5OfMessageBody: md5(JSON.parse(body).MessageBody) }),
  SendMessageBatch: ({ body }) => ({
    Successful: JSON.parse(body).Entries.map(({ Id, MessageBody }: Record<string, string>) => ({
      Id,
      MessageId: 'm',
      MD5OfMessageBody: md5(MessageBody as string)
    })),
    Failed: []
  }),
  GetQueueUrl: ({ body }) => ({
    QueueUrl: `https://sqs.us-east-1.amazonaws.com/111111111111/${JSON.parse(body).QueueName}`
  }),
  GetQueueAttributes: () => ({ Attributes: { VisibilityTimeout: '60' } }),
  DeleteMessage: () => ({}),
  DeleteMessageBatch: allOf,
  ChangeMessageVisibilityBatch: allOf,
  ChangeMessageVisibility: () => ({}),
  DetectLabels: () => ({ Labels: [{ Name: 'Car', Confidence: 90, Instances: [face] }] }),
  DetectFaces: () => ({ FaceDetails: [face] }),
  DetectText: () => ({ TextDetections: [{ DetectedText: 'x', Type: 'LINE', Confidence: 99, Geometry: face }] }),
  DetectModerationLabels: () => ({ ModerationLabels: [{ Name: 'Smoking', Confidence: 80 }] }),
  RecognizeCelebrities: () => ({ CelebrityFaces: [], UnrecognizedFaces: [face] }),
  DetectProtectiveEquipment: () => ({ Persons: [{ ...face, BodyParts: [] }] }),
  SearchFacesByImage: () => ({ FaceMatches: [{ Similarity: 99, Face: { ExternalImageId: 'Ada', FaceId: 'f' } }] }),
  IndexFaces: () => ({ FaceRecords: [{ Face: { ...face, FaceId: 'f' } }], UnindexedFaces: [] }),
  ListFaces: () => ({ Faces: [{ ...face, ExternalImageId: 'Ada', FaceId: 'f' }] }),
  DeleteFaces: ({ body }) => ({ DeletedFaces: JSON.parse(body).FaceIds, UnsuccessfulFaceDeletions: [] }),
  CompareFaces: () => ({
    SourceImageFace: face,
    FaceMatches: [{ Similarity: 99, Face: face }],
    UnmatchedFaces: [face]
  }),
  CreateCollection: () => ({ StatusCode: 200 }),
  ReceiveMessage: () => ({ Messages: [{ MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: md5('x') }] })
};

const xml = (operation: string, result: string) =>
  `<${operation}Response><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${operation}Response>`;

const goodXml: Record<string, (asked: Asked) => string> = {
  Publish: () => '<MessageId>m</MessageId>',
  PublishBatch: ({ body }) => {
    const ids = [...new URLSearchParams(body)].filter(([name]) => name.endsWith('.Id')).map(([, id]) => id);
    const members = ids.map((id) => `<member><Id>${id}</Id><MessageId>m</MessageId></member>`);
    return `<Successful>${members.join('')}</Successful><Failed/>`;
  },
  GetCallerIdentity: () =>
    '<Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/x</Arn><UserId>x</UserId>',
  AssumeRole: () => {
    const keys = `<AccessKeyId>ASIATRIAL0000000</AccessKeyId><SecretAccessKey>${secrets.role}</SecretAccessKey>`;
    return `<Credentials>${keys}<SessionToken>${secrets.session}</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>`;
  }
};

/** What nobody may ever read: the account's, the role's and the message's. */
export const secrets = {
  account: 'account-secret/0123456789+ABCDEF',
  role: 'role-secret/0123456789+ABCDEFGHIJ',
  session: 'session-token/0123456789+ABCDEFGH==',
  message: 'message-secret/0123456789+ABCDEFG'
};

/** What a trial has besides its answers. */
interface TrialOptions {
  /** Messages that a receiver gets, each time that it begins. */
  queue?: string[];
  /** The operations that the answers are for, and whose requests count; all where nothing is said. */
  operations?: string[] | undefined;
  /** How far the service's clock is ahead of the true time, ms. */
  ahead?: number;
  /** Whether its endpoint ends in a slash. */
  slash?: boolean;
}

interface Trial extends TrialOptions {
  answers: AnswerPlan[];
  /** Those of the queue that are still to come. */
  waiting: string[];
  requests: number;
  /** What has asked for messages and waits for them. */
  polls: ServerResponse[];
  /** What was wrong with its requests. */
  faults: Set<string>;
  /** The texts of its requests; what names the trial is left out. */
  asked: Set<string>;
  /** Messages that were deleted. */
  deleted: number;
  /** FIFO groups of which a message is under way. */
  groups: Set<string>;
}

/** What stands in a request for SQS. */
interface SqsRequest {
  QueueUrl?: string;
  MessageGroupId?: string;
  Entries?: { MessageGroupId?: string }[];
}
const isQueue = (url: string): boolean => URL.canParse(url) && /\/[\w-]{1,80}(\.fifo)?$/.test(url);

export class AnyService {
  readonly #trials = new Map<string, Trial>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  static async start(): Promise<AnyService> {
    const service = new AnyService();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  /** Makes a trial with these answers and gives its endpoint. */
  trial(id: string, answers: AnswerPlan[], options: TrialOptions = {}): string {
    this.#trials.set(id, {
      ...options,
      answers: [...answers],
      waiting: [],
      requests: 0,
      polls: [],
      faults: new Set(),
      asked: new Set(),
      deleted: 0,
      groups: new Set()
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${id}${options.slash ? '/' : ''}`;
  }

  /** How many requests of a trial have come. */
  requests(id: string): number {
    return this.#trials.get(id)?.requests ?? 0;
  }

  /** What was wrong with the requests of a trial. */
  faults(id: string): Iterable<string> {
    return this.#trials.get(id)?.faults ?? [];
  }

  /** What a trial has asked for, each thing once, in an order that does not depend on time. */
  asked(id: string): string[] {
    return [...(this.#trials.get(id)?.asked ?? [])].sort();
  }

  /** How many messages a trial has deleted. */
  deleted(id: string): number {
    return this.#trials.get(id)?.deleted ?? 0;
  }

  /** Whether somebody waits for a message of a trial's queue. */
  isAsked(id: string): boolean {
    return (this.#trials.get(id)?.polls.length ?? 0) > 0;
  }

  /** Gives an answer to whoever waits for messages. */
  hand(id: string, answer: string): void {
    this.#trials.get(id)?.polls.shift()?.writeHead(200, headers('json')).end(answer);
  }

  forget(): void {
    this.#trials.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const [, id = '', ...path] = (request.url ?? '').split('/');
    const trial = this.#trials.get(id);
    if (request.url?.includes('//')) trial?.faults.add('was asked for with two slashes');
    const chunks: Buffer[] = [];
    request.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', () => undefined);
    request.on('end', () => {
      const asked = askedFor(request, path.join('/'), Buffer.concat(chunks).toString());
      if (!trial) {
        response.destroy();
        return;
      }
      const now = trueTime() + (trial.ahead ?? 0);
      response.setHeader('Date', new Date(now).toUTCString());
      if (Math.abs(signedAt(request) - now) > 300_000) {
        const code = asked.protocol === 'rest' ? 'InvalidSignatureException' : 'SignatureDoesNotMatch';
        fail(asked, response, 403, code, mistimed);
        return;
      }
      look(trial, asked, response);
      trial.asked.add(`${asked.operation} ${asked.body.replaceAll(id, '')}`);
      const planned = trial.operations?.includes(asked.operation) ?? true;
      if (planned) trial.requests += 1;
      if (asked.operation === 'GetQueueUrl') trial.waiting = [...(trial.queue ?? [])];
      const plan = planned ? trial.answers.shift() : undefined;
      if (plan?.clock !== undefined) setClock(plan.clock);
      if (portals.has(plan?.kind ?? '')) response.setHeader('Date', 'Tue, 01 Jan 2019 00:00:00 GMT');
      if (!plan && asked.operation === 'ReceiveMessage') {
        receive(trial, response);
        return;
      }
      const { delay, ...how }: AnswerPlan = plan ?? { kind: 'good', delay: 0, odd: null, at: 0 };
      if (asked.operation === 'DeleteMessage') {
        response.once('finish', () => {
          if (response.statusCode === 200 && !portals.has(how.kind)) trial.deleted += 1;
        });
      }
      setTimeout(() => answer(how, asked, response), delay);
    });
  }
}

/** What a request is told that was signed for another time than the service's. */
export const mistimed = 'Signature expired or not yet current: it was made for another time.';

/** When a request was signed, ms since the epoch. */
const signedAt = ({ headers }: IncomingMessage): number =>
  Date.parse(String(headers['x-amz-date']).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** Lambda says by method and path what it is asked for. */
function ofLambda({ method }: IncomingMessage, path: string): string {
  const [, answer] = /^2025-12-01\/durable-execution-callbacks\/.+\/(\w+)/.exec(path) ?? [];
  const callback = { succeed: 'Success', fail: 'Failure', heartbeat: 'Heartbeat' }[answer ?? ''];
  if (callback) return `SendDurableExecutionCallback${callback}`;
  return method === 'POST' ? 'Invoke' : 'ListFunctions';
}

export function askedFor(request: IncomingMessage, path: string, body: string): Asked {
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target) return { protocol: 'json', operation: target.split('.').pop() as string, body, request };
  if (/^(?:2015-03-31|2025-12-01)/.test(path))
    return { protocol: 'rest', operation: ofLambda(request, path), body, request };
  return { protocol: 'query', operation: /(?:^|&)Action=(\w+)/.exec(body)?.[1] ?? '', body, request };
}

/** Notes what is wrong with a request for SQS: one for no queue, or for a FIFO group of which a message is under way. */
function look({ groups, faults }: Trial, { protocol, body }: Asked, response: ServerResponse): void {
  if (protocol !== 'json' || !body.startsWith('{"QueueUrl"')) return;
  const { QueueUrl = '', ...rest } = JSON.parse(body) as SqsRequest;
  if (!isQueue(QueueUrl)) faults.add(`asked for a queue that is none: ${JSON.stringify(QueueUrl.slice(0, 200))}`);
  if (!QueueUrl.endsWith('.fifo')) return;
  for (const { MessageGroupId } of rest.Entries ?? [rest]) {
    const group = `${QueueUrl.split('/').at(-1)} ${MessageGroupId}`;
    if (groups.has(group)) faults.add(`sent two messages of a group at once: ${group}`);
    groups.add(group);
    for (const end of ['finish', 'close']) response.once(end, () => groups.delete(group));
  }
}

/** What SNS puts around a message for a queue. */
export const envelope = {
  Type: 'Notification',
  MessageId: 'published',
  TopicArn: 'arn:aws:sns:us-east-1:111111111111:topic',
  Subject: 'subject',
  Message: '{"published": true}',
  Timestamp: '2026-11-30T15:00:00.000Z',
  MessageAttributes: { colour: { Type: 'String', Value: 'red' }, bytes: { Type: 'Binary', Value: 'AQI=' } }
};

/** An answer with messages. */
export const messagesIn = (...Messages: object[]): string => JSON.stringify({ Messages });

/** A queue hands out what it has, and keeps the next request open. */
function receive({ waiting, polls }: Trial, response: ServerResponse): void {
  const bodies = waiting.splice(0, 10);
  const Messages = bodies.map((Body, index) => ({
    MessageId: `m${index}`,
    ReceiptHandle: `r${index}`,
    Body,
    MD5OfBody: md5(Body),
    Attributes: {
      ApproximateReceiveCount: '2',
      SentTimestamp: '1',
      ApproximateFirstReceiveTimestamp: '2',
      SenderId: 'AIDASENDER',
      AWSTraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793'
    }
  }));
  if (bodies.length > 0) response.writeHead(200, headers('json')).end(messagesIn(...Messages));
  else polls.push(response);
}

const types: Record<Protocol, string> = {
  rest: 'application/json',
  query: 'text/xml',
  json: 'application/x-amz-json-1.0'
};
const headers = (protocol: Protocol) => ({ 'Content-Type': types[protocol], 'x-amzn-RequestId': requestId });

/** What a function has logged. */
const log = Buffer.from('START\u001b[2J\r\n[error] \u202enode\n').toString('base64');

/** What the service says when it has done its work. */
export function goodAnswer(asked: Asked, response: ServerResponse): [status: number, text: string] {
  const { protocol, operation } = asked;
  if (operation === 'Invoke') {
    response.setHeader('X-Amz-Executed-Version', '$LATEST');
    if (asked.request.headers['x-amz-log-type'] === 'Tail') response.setHeader('X-Amz-Log-Result', log);
    const type = asked.request.headers['x-amz-invocation-type'];
    if (type === 'Event') return [202, ''];
    if (type === 'DryRun') return [204, ''];
  }
  if (protocol === 'query') return [200, xml(operation, goodXml[operation]?.(asked) ?? '')];
  return [200, JSON.stringify(good[operation]?.(asked) ?? {})];
}

function fail(asked: Asked, response: ServerResponse, status: number, code: string, message: unknown): void {
  const { protocol } = asked;
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  const body =
    protocol === 'query'
      ? `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(text)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`
      : JSON.stringify({ __type: code, message });
  const type = protocol === 'rest' ? { 'x-amzn-ErrorType': code } : {};
  response.writeHead(status, { ...headers(protocol), ...type }).end(body);
}

/** The secrets that belong to a request, by its access key ID: no other is known to who reports its failure. */
function knownTo(authorization: string): string {
  if (authorization.includes('AKIAMESSAGE')) return secrets.message;
  if (authorization.includes('ASIATRIAL')) return `${secrets.role} ${secrets.session} ${secrets.account}`;
  return secrets.account;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The same members, all with a value of some other type. */
const oddly = (text: string, odd: unknown): string => {
  try {
    const members = Object.keys(JSON.parse(text) as object);
    return JSON.stringify(Object.fromEntries(members.map((name) => [name, odd])));
  } catch {
    return text.replace(/>[^<]+</g, `>${escaped(JSON.stringify(odd) ?? '')}<`);
  }
};

/** All members of a value and of those in it, each with its owner. */
function membersIn(value: unknown): [owner: Record<string, unknown>, name: string][] {
  if (typeof value !== 'object' || value === null) return [];
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap((name) => [[owner, name] as [typeof owner, string], ...membersIn(owner[name])]);
}

/** The same answer with one member that is another one, or missing where that is `undefined`. */
function reshaped(text: string, at: number, value: unknown): string {
  if (text.startsWith('<')) {
    const leaves = [...text.matchAll(/<(\w+)>[^<]+<\/\1>/g)];
    const leaf = leaves[at % Math.max(1, leaves.length)];
    if (!leaf) return text;
    const [whole, name] = leaf;
    const other = value === undefined ? '' : `<${name}><odd>${escaped(JSON.stringify(value))}</odd></${name}>`;
    return text.slice(0, leaf.index) + other + text.slice(leaf.index + whole.length);
  }
  const answer = JSON.parse(text || '{}') as unknown;
  const members = membersIn(answer);
  const [owner, name] = members[at % Math.max(1, members.length)] ?? [];
  if (!owner || name === undefined) return text;
  owner[name] = value;
  return JSON.stringify(answer);
}

function answer({ kind, odd, at }: Omit<AnswerPlan, 'delay'>, asked: Asked, response: ServerResponse): void {
  const { protocol, request } = asked;
  const [status, text] = goodAnswer(asked, response);
  const page = '<html><body><h1>Please sign in</h1></body></html>';
  switch (kind) {
    case 'good':
      response.writeHead(status, headers(protocol)).end(text);
      break;
    case 'throttled':
      fail(asked, response, protocol === 'rest' ? 429 : 400, 'ThrottlingException', 'Rate exceeded');
      break;
    case 'refused':
      fail(asked, response, 400, 'InvalidParameterValueException', 'No.');
      break;
    case 'denied':
      fail(asked, response, 403, 'AccessDeniedException', 'User is not authorized');
      break;
    case 'broken':
      fail(asked, response, 500, 'InternalFailure', 'An internal error occurred.');
      break;
    case 'unavailable':
      fail(asked, response, 503, 'ServiceUnavailable', 'Service is unable to handle request.');
      break;
    case 'page':
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
      break;
    case 'gateway':
      response.writeHead(502, { 'Content-Type': 'text/html' }).end(page);
      break;
    case 'busy':
      response.writeHead(429, { 'Content-Type': 'text/html' }).end(page);
      break;
    case 'redirect':
      response.writeHead(307, { Location: 'https://login.example.com/' }).end();
      break;
    case 'empty':
      response.writeHead(200, headers(protocol)).end();
      break;
    case 'half':
      response.writeHead(status, { ...headers(protocol), 'Content-Length': String(text.length + 10) }).write(text);
      setImmediate(() => response.destroy());
      break;
    case 'odd':
      response.writeHead(status, headers(protocol)).end(oddly(text, odd));
      break;
    case 'missing':
      response.writeHead(status, headers(protocol)).end(reshaped(text, at, undefined));
      break;
    case 'null':
      response.writeHead(status, headers(protocol)).end(reshaped(text, at, null));
      break;
    case 'otherType':
      response.writeHead(status, headers(protocol)).end(reshaped(text, at, odd));
      break;
    case 'stranger':
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"status":"ok"}');
      break;
    case 'oddError':
      response
        .writeHead(400, headers(protocol))
        .end(JSON.stringify({ __type: odd, message: odd, code: odd, errors: odd, name: odd }));
      break;
    case 'deepError':
      response.writeHead(400, headers(protocol)).end(`{"__type": ${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`);
      break;
    case 'packed':
      response.writeHead(status, { ...headers(protocol), 'Content-Encoding': 'gzip' }).end(gzipSync(text));
      break;
    case 'upgrade':
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
      break;
    case 'nothing':
      response.writeHead(400, headers(protocol)).end(JSON.stringify(odd) ?? '');
      break;
    case 'quoting':
      fail(
        asked,
        response,
        403,
        'SignatureDoesNotMatch',
        `You sent ${request.headers.authorization} with ${request.headers['x-amz-security-token']}: ${knownTo(String(request.headers.authorization))}`
      );
      break;
    case 'functionError':
      response.setHeader('X-Amz-Function-Error', 'Unhandled');
      response
        .writeHead(status, headers(protocol))
        .end(
          asked.operation === 'Invoke' ? JSON.stringify({ errorMessage: odd, errorType: odd, stackTrace: odd }) : text
        );
      break;
    case 'hang':
      break;
    case 'silent':
      // Longer than others wait for it.
      setTimeout(() => response.destroy(), 1500);
      break;
    default:
      response.destroy();
  }
}
