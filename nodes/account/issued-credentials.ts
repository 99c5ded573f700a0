/** Reads what a service answers to a certificate: temporary credentials, or an error. */
import { ActionError, foreignAnswer } from '../fields/errors';
import { parseJson } from '../fields/json';
import { memberOf } from '../fields/thrown';
import type { Identity } from './identity';
import type { RequestHandler } from './sdks';
import { toActionError } from './to-action-error';

type Response = Awaited<ReturnType<RequestHandler['handle']>>['response'];

/** What an error of a service means, by its name and text. */
export type Meaning = readonly [text: RegExp, meaning: string];

/** Most bytes of an answer: credentials take 2 KB. */
const mostBytes = 64 * 1024;

/** The text of an answer. Rejects with `UnknownError` for one that is too long. */
async function textOf({ statusCode, body }: Response): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const received: AsyncIterable<Buffer> = body;
  for await (const chunk of received) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw foreignAnswer(statusCode);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Where a request went, and what its errors mean. */
interface Asked {
  service: string;
  operation: string;
  meanings: readonly Meaning[];
}

/** The error of an answer; that of an answer which is not from AWS names no error. */
function refusalOf(
  { statusCode, headers }: Response,
  text: string,
  { service, operation, meanings }: Asked
): ActionError {
  const json = parseJson(text)?.value;
  const [name] = (headers['x-amzn-errortype'] ?? '').split(':', 1);
  const said = memberOf(json, 'message') ?? memberOf(json, 'Message');
  if (!name || typeof said !== 'string') return foreignAnswer(statusCode, text);
  const $metadata = { httpStatusCode: statusCode, requestId: headers['x-amzn-requestid'] };
  const $fault = statusCode < 500 ? 'client' : 'server';
  const failure = Object.assign(new Error(said), { name, $fault, $metadata });
  const error = toActionError(failure, { service, operation, secrets: [] });
  const [, meaning] = meanings.find(([pattern]) => pattern.test(said)) ?? [];
  if (meaning === undefined) return error;
  const { requestId, retryable, cause } = error;
  return new ActionError(name, `${meaning} (${said})`, {
    cause: typeof cause === 'object' ? { ...cause } : cause,
    retryable,
    service,
    operation,
    statusCode,
    ...(requestId !== undefined && { requestId })
  });
}

/** Temporary credentials as both services write them; `undefined` if it is something else. */
function identityFrom(credentials: unknown): Identity | undefined {
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = (
    ['accessKeyId', 'secretAccessKey', 'sessionToken', 'expiration'] as const
  ).map((name) => memberOf(credentials, name));
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || typeof sessionToken !== 'string') {
    return undefined;
  }
  const expires = new Date(String(expiration));
  const isComplete = accessKeyId && secretAccessKey && sessionToken && !Number.isNaN(expires.getTime());
  return isComplete ? { accessKeyId, secretAccessKey, sessionToken, expiration: expires } : undefined;
}

/**
 * The credentials in an answer; `find` finds them in its JSON. Rejects with the service's error, or `UnknownError` for an
 * answer that is not from AWS.
 */
export async function credentialsIn(
  response: Response,
  asked: Asked,
  find: (json: unknown) => unknown
): Promise<Identity> {
  const text = await textOf(response);
  if (response.statusCode >= 300) throw refusalOf(response, text, asked);
  const identity = identityFrom(find(parseJson(text)?.value));
  // Whatever it is, it may hold secrets.
  if (!identity) throw foreignAnswer(response.statusCode);
  return identity;
}
