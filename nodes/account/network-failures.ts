/** Describes failures of the network, of a proxy, and of servers that answer in place of a service. */
import { firstLine } from '../fields/lines';
import type { Described, Failure } from './failure';
import { failureOf } from './failure';

/** System calls that fail before a byte of the request is sent. */
const connecting = new Set(['connect', 'getaddrinfo']);

/** Whether the request certainly has not reached the service, since no connection was made. */
export function couldNotConnect(error: unknown): boolean {
  const failure = failureOf(error);
  const { proxy, errors = [], $fault } = failure;
  if ($fault !== undefined) return false;
  if (proxy === true) return true;
  return errors.length > 0 ? errors.every((each) => isOfConnecting(failureOf(each))) : isOfConnecting(failure);
}

function isOfConnecting({ name, code, syscall, message = '' }: Failure): boolean {
  if (syscall !== undefined && connecting.has(syscall)) return true;
  // The SDK's connection time limit has no code of its own, only this text.
  return name === 'TimeoutError' && code === undefined && message.includes('did not establish a connection');
}

/** Node.js's own network error codes: upper case letters, digits and underscores, `ECONNRESET` or `CERT_HAS_EXPIRED`. */
export const isNetworkCode = (code: unknown): code is string =>
  typeof code === 'string' && /^(E[A-Z]+|[A-Z]+(_[A-Z]+)+)$/.test(code);

/** What a failure means and what to do, by its code. */
export const networkTexts: Record<string, string> = {
  EAI_AGAIN: 'The name of the service could not be looked up: check the network, its DNS and the region.',
  ECONNREFUSED: 'Nothing answers at the address of the service: check the endpoint and the network.',
  ECONNRESET: 'The connection broke before the answer came; the request may have been carried out.',
  EHOSTUNREACH: 'The service cannot be reached from this network.',
  ENETUNREACH: 'The service cannot be reached: there is no network.',
  ENOTFOUND: 'The address of the service was not found: check the network, the region and the endpoint.',
  EPIPE: 'The connection broke before the answer came; the request may have been carried out.',
  ETIMEDOUT: 'The service did not answer in time; the request may have been carried out.'
};

/** What to do if a proxy wants a password. */
export const proxyPasswordText =
  'The proxy does not accept the user name and password, or wants some: check HTTPS_PROXY and HTTP_PROXY in the environment.';

/** A text, and behind it what a failure says beyond its code, such as an address: the code is the error's name already. */
function withDetail(text: string, { message }: Failure, code: string, name: string): string {
  // The SDK adds a line of its own to some messages.
  const line = firstLine(message || code);
  const detail = name === code ? line.replace(new RegExp(`(?:^[a-z]+ )?${code} ?`), '') : line;
  return detail === '' ? text : `${text} (${detail})`;
}

/** Describes a failure of the proxy. The service has not seen the request. */
function describeProxy(failure: Failure, code: string): Described {
  const name = code === 'ETIMEDOUT' ? 'Timeout' : code;
  const saying = (text: string) => withDetail(text, failure, code, name);
  if (failure.statusCode === 407) return { name, message: saying(proxyPasswordText), retryable: false };
  if (code === 'ERR_PROXY_TUNNEL') {
    return { name, message: saying('The proxy made no connection to the service.'), retryable: true };
  }
  const mismatch = describeMismatch(code) !== undefined;
  const what = mismatch ? 'No TLS connection to the proxy could be made' : 'The proxy cannot be reached';
  const check = 'check HTTPS_PROXY and HTTP_PROXY in the environment';
  return { name, message: saying(`${what}: ${check}.`), retryable: !mismatch };
}

/** What to do if the server speaks another protocol or has a certificate that is not trusted; repeating does not help. */
function describeMismatch(code: string): string | undefined {
  if (code.startsWith('HPE_')) return 'The answer is not HTTP: check the endpoint.';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return 'No TLS connection could be made: check the endpoint, and whether it is http or https.';
  }
  if (/CERT|SIGNATURE/.test(code)) {
    return 'The certificate of the service is not trusted: check the endpoint, the clock and the certificates known here.';
  }
  return undefined;
}

/** Describes a network failure. The service may have received the request. */
export function describeNetwork(failure: Failure, code: string): Described {
  if (failure.proxy === true) return describeProxy(failure, code);
  const mismatch = describeMismatch(code);
  if (mismatch) return { name: code, message: mismatch, retryable: false };
  const text = networkTexts[code];
  const name = code === 'ETIMEDOUT' ? 'Timeout' : code;
  const message = text ? withDetail(text, failure, code, name) : firstLine(failure.message || code);
  return { name, message, retryable: true };
}
