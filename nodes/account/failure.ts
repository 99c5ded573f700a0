import { memberOf, metadataOf, textOf } from '../fields/errors';
import { present } from '../fields/json';

/** The members of an SDK, Node.js or OpenSSL error that are read here; any of them may be absent. */
export interface Failure {
  name?: string;
  message?: string;
  code?: unknown;
  Code?: unknown;
  syscall?: string;
  /** Of an AggregateError: one for each address of a host that was tried. */
  errors?: unknown[];
  /** The connection to a proxy failed, or the proxy refused: see `proxy.ts`. */
  proxy?: boolean;
  /** What a proxy answered instead of opening a tunnel. */
  statusCode?: number;
  /** Whose fault it is; only of what a service answered: the SDK copies every member of the answer into the error. */
  $fault?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

/** What an error is called, and says; `retryable`: whether the same request may succeed later. */
export interface Described {
  name: string;
  message: string;
  retryable: boolean;
}

/** Characters of an error's name, which a status and `code` show; a gateway may send any. */
const longestName = 100;

/** Characters of a text that are read: far more than are shown, so that no secret is shown that was cut in two. */
const longestRead = 20_000;

/** Of the addresses of a host, as many as are looked at. */
const mostErrors = 100;

function listOf(value: unknown): unknown[] | undefined {
  try {
    return Array.isArray(value) ? value.slice(0, mostErrors) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads what was thrown, which can be anything; looking at it may throw again. An answer may hold anything where text is
 * expected, such as the list of texts that some gateways give.
 */
export function failureOf(thrown: unknown): Failure {
  if (typeof thrown !== 'object' || thrown === null) return { message: textOf(thrown) };
  const member = (name: string) => memberOf(thrown, name);
  const text = (name: string) => {
    const value = member(name);
    return value === undefined ? undefined : textOf(value).slice(0, longestRead);
  };
  const statusCode = member('statusCode');
  const status = memberOf(member('$response'), 'statusCode');
  const $metadata = { ...(typeof status === 'number' && { httpStatusCode: status }), ...metadataOf(thrown) };
  return present({
    name: text('name')?.slice(0, longestName),
    message: text('message'),
    code: member('code'),
    syscall: text('syscall'),
    errors: listOf(member('errors')),
    proxy: member('proxy') === true || undefined,
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
    $fault: text('$fault'),
    $metadata
  });
}
