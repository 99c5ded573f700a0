import { present } from '../fields/json';
import { memberOf, metadataOf, textOf } from '../fields/thrown';

/** The members of an SDK, Node.js or OpenSSL error that are read here; any of them may be absent. */
export interface Failure {
  name?: string;
  message?: string;
  code?: unknown;
  Code?: unknown;
  syscall?: string;
  /** Of an AggregateError: one for each address of a host that was tried. */
  errors?: unknown[];
  /** Whether the connection to a proxy failed or the proxy refused: see `proxy.ts`. */
  proxy?: boolean;
  /** The HTTP status with which a proxy refused to open a tunnel. */
  statusCode?: number;
  /** `client` or `server`; only in errors of services. The SDK copies every member of an error answer into the error. */
  $fault?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string };
}

/** An error as users see it; `retryable`: whether the same request may succeed later. */
export interface Described {
  name: string;
  message: string;
  retryable: boolean;
}

/** Most characters of an error's name, which the status and `code` show. A gateway may send any name. */
const longestName = 100;

/**
 * Most characters of a text that are read: many more than are shown, so that no secret is cut before it is struck out.
 */
const longestRead = 20_000;

/** Most errors of an AggregateError that are looked at. */
const mostErrors = 100;

function listOf(value: unknown): unknown[] | undefined {
  try {
    return Array.isArray(value) ? value.slice(0, mostErrors) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the known members of whatever was thrown. Reading one may throw again, and an answer may hold anything in place of
 * text, such as the list of texts that some gateways send.
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
