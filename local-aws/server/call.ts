import type { IncomingHttpHeaders } from 'node:http';

/** The protocols of the services. */
type Protocol = 'rest-json' | 'query' | 'json-1.0' | 'json-1.1';

/** A request as far as it can be read before it is checked. */
export interface ServiceCall {
  readonly requestId: string;
  readonly service: string;
  /** AWS's name of the operation; empty if there is no such operation. */
  readonly operation: string;
  readonly protocol: Protocol;
  /** Region of the signature's scope. */
  readonly region: string;
  readonly method: string;
  /** As it was on the wire, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The parsed input, for the log and for faults: a form's fields, a JSON body, or a function's name. */
  readonly input: Record<string, unknown>;
}

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | string;
  /** The error's code, for the log. */
  readonly errorCode?: string;
}

/** The part of a request that identifies the service and the operation. */
interface WireRequest {
  readonly requestId: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const versions: Record<string, string> = { '2011-06-15': 'sts', '2010-03-31': 'sns', '2012-11-05': 'sqs' };

/** Identifies the service and the operation of a request. Never throws. */
export function readCall(request: WireRequest): ServiceCall {
  const [path = '/', query = ''] = split(request.url, '?');
  const scope = / Credential=[^/,\s]*\/[^/,\s]*\/([^/,\s]*)\/([^/,\s]*)\//.exec(request.headers.authorization ?? '');
  const target = String(request.headers['x-amz-target'] ?? '');
  const form = isForm(request.headers) ? new URLSearchParams(request.body.toString('utf8')) : undefined;
  const service = scope?.[2] || guessService(path, target, form);
  const common = { ...request, path, query, service, region: scope?.[1] || 'us-east-1' };
  if (service === 'lambda') return { ...common, protocol: 'rest-json', ...lambdaOperation(request, path, query) };
  if (service === 'iot') return { ...common, protocol: 'rest-json', ...iotOperation(request, path) };
  if (service === 'rolesanywhere') {
    const operation = request.method === 'POST' && path === '/sessions' ? 'CreateSession' : '';
    return { ...common, protocol: 'rest-json', operation, input: jsonInput(request.body) };
  }
  if (service === 'rekognition' || (target && service !== 'sts' && service !== 'sns')) {
    const protocol = service === 'rekognition' ? 'json-1.1' : 'json-1.0';
    return { ...common, protocol, operation: target.split('.')[1] ?? '', input: jsonInput(request.body) };
  }
  const fields = form ?? new URLSearchParams(query);
  return { ...common, protocol: 'query', operation: fields.get('Action') ?? '', input: Object.fromEntries(fields) };
}

function guessService(path: string, target: string, form: URLSearchParams | undefined): string {
  if (/^\/(?:2015-03-31|2025-12-01)\//.test(path)) return 'lambda';
  if (path.startsWith('/role-aliases/')) return 'iot';
  if (path === '/sessions') return 'rolesanywhere';
  if (target.startsWith('AmazonSQS.')) return 'sqs';
  if (target.startsWith('RekognitionService.')) return 'rekognition';
  return versions[form?.get('Version') ?? ''] ?? '';
}

function lambdaOperation(request: WireRequest, path: string, query: string): Pick<ServiceCall, 'operation' | 'input'> {
  const fields = Object.fromEntries(new URLSearchParams(query));
  const invoked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path);
  if (invoked && request.method === 'POST') {
    const type = String(request.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    return { operation: 'Invoke', input: { ...fields, FunctionName: decode(invoked[1] ?? ''), InvocationType: type } };
  }
  if (/^\/2015-03-31\/functions\/?$/.test(path) && request.method === 'GET') {
    return { operation: 'ListFunctions', input: fields };
  }
  const [, callback = '', answer = ''] =
    /^\/2025-12-01\/durable-execution-callbacks\/([^/]+)\/(succeed|fail|heartbeat)$/.exec(path) ?? [];
  if (answer && request.method === 'POST') {
    const kind = { succeed: 'Success', fail: 'Failure', heartbeat: 'Heartbeat' }[answer];
    return { operation: `SendDurableExecutionCallback${kind}`, input: { ...fields, CallbackId: decode(callback) } };
  }
  const [, listed = '', kind] = /^\/2015-03-31\/functions\/([^/]+)\/(aliases|versions)\/?$/.exec(path) ?? [];
  if (kind && request.method === 'GET') {
    const operation = kind === 'aliases' ? 'ListAliases' : 'ListVersionsByFunction';
    return { operation, input: { ...fields, FunctionName: decode(listed) } };
  }
  return { operation: '', input: fields };
}

function iotOperation(request: WireRequest, path: string): Pick<ServiceCall, 'operation' | 'input'> {
  const [, roleAlias] = /^\/role-aliases\/([^/]+)\/credentials$/.exec(path) ?? [];
  const isKnown = roleAlias !== undefined && request.method === 'GET';
  return { operation: isKnown ? 'AssumeRoleWithCertificate' : '', input: { roleAlias: decode(roleAlias ?? '') } };
}

function jsonInput(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8') || '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isForm(headers: IncomingHttpHeaders): boolean {
  return (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
}

/** Decodes percent-encoding; text that is not valid stays as it is. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Cuts a text at the first separator. */
export function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
