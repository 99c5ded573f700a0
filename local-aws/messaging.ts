import { createHash } from 'node:crypto';
import { AwsError } from './aws-error';
import type { Answer, Call } from './call';
import type { Principal } from './sign-ins';

type App = Awaited<ReturnType<typeof load>>;

/** The account number that fauxqs puts into every ARN and URL. */
const placeholder = '000000000000';
/** What users wrote is never touched. */
const contents = new Set(['MessageBody', 'Body', 'MessageAttributes', 'MessageSystemAttributes', 'Message', 'Subject']);

/** SQS and SNS: one fauxqs for each account, loaded with its first request, called without a port of its own. */
export class Messaging {
  readonly #apps = new Map<string, Promise<App>>();

  /** Passes a verified call on. When `gone` has aborted, messages that nobody took go back to their queue. */
  async answer(call: Call, principal: Principal, gone: AbortSignal): Promise<Answer> {
    if (principal.allows === 'nothing') throw denied(call, principal);
    const app = await this.#app(principal.account);
    const headers = headersOf(call);
    const payload = inward(call, principal.account);
    const response = await app.inject({ method: 'POST', url: '/', headers, payload });
    if (gone.aborted && call.operation === 'ReceiveMessage') await giveBack(app, call, payload, response.body);
    const type = String(response.headers['content-type'] ?? '');
    return {
      status: response.statusCode,
      headers: { 'Content-Type': type, 'x-amzn-RequestId': call.requestId, ...queryError(response.headers) },
      body: outward(call, principal.account, response.body, type.includes('json')),
      ...(response.statusCode >= 400 ? { errorCode: errorCode(response.body) } : {})
    };
  }

  async close(): Promise<void> {
    const apps = await Promise.all(this.#apps.values());
    await Promise.all(apps.map((app) => app.close()));
    this.#apps.clear();
  }

  #app(account: string): Promise<App> {
    const app = this.#apps.get(account) ?? load();
    this.#apps.set(account, app);
    return app;
  }
}

/** fauxqs is an ES module and takes a while to load: only who uses it waits for it. */
async function load() {
  const { buildApp } = await import('fauxqs');
  return buildApp({ logger: false });
}

/** All headers but those that describe the body as it was on the wire. */
function headersOf(call: Call): Record<string, string> {
  return Object.fromEntries(
    Object.entries(call.headers)
      .filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding')
      .map(([name, value]) => [name, String(value)])
  );
}

function denied(call: Call, principal: Principal): AwsError {
  const action = `${call.service}:${call.operation}`;
  const text = `User: ${principal.arn} is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`;
  if (call.service === 'sns') return new AwsError(403, 'AuthorizationError', text);
  return new AwsError(403, 'AccessDeniedException', text, { queryCode: 'AccessDenied' });
}

function queryError(headers: Record<string, unknown>): Record<string, string> {
  const value = headers['x-amzn-query-error'];
  return value === undefined ? {} : { 'x-amzn-query-error': String(value) };
}

function errorCode(body: string): string {
  return /"__type":\s*"(?:[^"#]*#)?([^"]+)"/.exec(body)?.[1] ?? /<Code>([^<]*)</.exec(body)?.[1] ?? 'unknown';
}

/** The body as fauxqs wants it: its account number, and queue URLs whose host tells the region. */
function inward(call: Call, account: string): string {
  const rename = (text: string) => text.replaceAll(account, placeholder);
  if (call.protocol === 'query') return renameForm(call.body.toString('utf8'), rename);
  const json = renameJson(call.body.toString('utf8'), rename);
  return json.replace(/("QueueUrl":\s*")https?:\/\/[^/"]*/, `$1http://sqs.${call.region}.localhost`);
}

/** Its answer as the caller wants it: the account's own number, and queue URLs at this server. */
function outward(call: Call, account: string, body: string, json: boolean): string {
  const rename = (text: string) =>
    text
      .replace(/^http:\/\/sqs\.[^/]*(?=\/000000000000\/)/, `http://${call.headers.host}`)
      .replaceAll(placeholder, account);
  return json ? renameJson(body, rename) : rename(body);
}

/** fauxqs does not notice that a long poll's caller has gone, and hands the messages out all the same. */
async function giveBack(app: App, call: Call, request: string, answer: string): Promise<void> {
  const { QueueUrl } = JSON.parse(request) as { QueueUrl: string };
  const { Messages = [] } = JSON.parse(answer) as { Messages?: { ReceiptHandle: string }[] };
  for (const { ReceiptHandle } of Messages) {
    const headers = { ...headersOf(call), 'x-amz-target': 'AmazonSQS.ChangeMessageVisibility' };
    const payload = JSON.stringify({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
    await app.inject({ method: 'POST', url: '/', headers, payload });
  }
}

function renameForm(form: string, rename: Rename): string {
  const fields = new URLSearchParams(form);
  for (const [name, value] of [...fields]) {
    const written = name.split('.').some((part) => contents.has(part));
    if (!written) fields.set(name, rename(value));
  }
  return fields.toString();
}

type Rename = (text: string) => string;

function renameJson(json: string, rename: Rename): string {
  try {
    return JSON.stringify(renameValue(JSON.parse(json), rename));
  } catch {
    return json;
  }
}

function renameValue(value: unknown, rename: Rename): unknown {
  if (typeof value === 'string') return rename(value);
  if (Array.isArray(value)) return value.map((each) => renameValue(each, rename));
  if (typeof value !== 'object' || value === null) return value;
  const renamed = Object.entries(value).map(([name, each]) => [
    name,
    contents.has(name) ? each : renameValue(each, rename)
  ]);
  return renameEnvelope(Object.fromEntries(renamed), rename);
}

/** A message that SNS has put into a queue: its envelope names the topic, and its checksum has to fit again. */
function renameEnvelope(message: Record<string, unknown>, rename: Rename): Record<string, unknown> {
  const body = message.Body;
  if (typeof body !== 'string' || !('ReceiptHandle' in message) || !body.includes('"TopicArn"')) return message;
  try {
    const envelope = JSON.parse(body) as Record<string, unknown>;
    if (envelope.Type !== 'Notification' || typeof envelope.TopicArn !== 'string') return message;
    const Body = JSON.stringify(renameValue(envelope, rename));
    return { ...message, Body, MD5OfBody: createHash('md5').update(Body).digest('hex') };
  } catch {
    return message;
  }
}
