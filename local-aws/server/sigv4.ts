import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { AwsError } from './aws-error';
import { decode, type ServiceCall, split } from './call';
import type { Principal, Principals } from './sign-ins';

const hmacAlgorithm = 'AWS4-HMAC-SHA256';
const allowedSkew = 5 * 60_000;

/** What the `Authorization` header of a request says. */
interface Signed {
  readonly accessKeyId: string;
  /** Date, region, service and `aws4_request`. */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `x-amz-date`, like 20260131T120000Z. */
  readonly time: string;
}

/**
 * Checks the Signature Version 4 of a request, and returns who has signed it.
 *
 * @param now the server's clock, in milliseconds since the epoch
 * @throws AwsError with the name that the call's protocol has for what is wrong
 */
export function authenticate(call: ServiceCall, principals: Principals, now: number): Principal {
  const signed = readAuthorization(call, hmacAlgorithm);
  const principal = principals.find(signed.accessKeyId);
  if (!principal || (call.headers['x-amz-security-token'] ?? undefined) !== principal.sessionToken) {
    throw refuse(call, 'unknown', 'The security token included in the request is invalid.');
  }
  if (principal.expires !== undefined && principal.expires <= now) throw expiredToken(call);
  checkClock(call, signed.time, now);
  checkSignature(call, signed, principal);
  return principal;
}

/** The error for temporary credentials that have expired. */
export function expiredToken(call: ServiceCall): AwsError {
  return refuse(call, 'expired', 'The security token included in the request is expired');
}

const names = {
  missing: ['MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  incomplete: ['IncompleteSignatureException', 'IncompleteSignature'],
  unknown: ['UnrecognizedClientException', 'InvalidClientTokenId'],
  mismatch: ['InvalidSignatureException', 'SignatureDoesNotMatch'],
  expired: ['ExpiredTokenException', 'ExpiredToken']
} as const;

/** The error for what is wrong with a signature, by the name that the call's protocol has for it. */
export function refuse(call: ServiceCall, problem: keyof typeof names, message: string): AwsError {
  const [json, query] = names[problem];
  if (call.protocol === 'query') return new AwsError(problem === 'incomplete' ? 400 : 403, query, message);
  if (call.protocol === 'json-1.1') return new AwsError(400, json, message);
  return new AwsError(403, json, message, call.protocol === 'json-1.0' ? { queryCode: query } : {});
}

/** Reads the `Authorization` header. Throws AwsError if it is incomplete, or of another algorithm. */
export function readAuthorization(call: ServiceCall, algorithm: string): Signed {
  const header = call.headers.authorization;
  if (!header) {
    const text = call.protocol === 'query' ? 'Request is missing Authentication Token' : 'Missing Authentication Token';
    throw refuse(call, 'missing', text);
  }
  const [scheme, rest] = split(header.trim(), ' ');
  const parts = new Map(rest.split(',').map((part) => split(part.trim(), '=')));
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parts.get(name));
  const time = String(call.headers['x-amz-date'] ?? '');
  const [accessKeyId, scope] = split(parts.get('Credential') ?? '', '/');
  if (scheme !== algorithm || missing.length > 0 || !time || !/^\d{8}\/[^/]+\/[^/]+\/aws4_request$/.test(scope)) {
    const texts = missing.map((name) => `Authorization header requires '${name}' parameter.`);
    if (!time) texts.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    if (texts.length === 0)
      texts.push("Credential must have exactly 5 slash-delimited elements, e.g. 'keyid/date/region/service/term'.");
    throw refuse(call, 'incomplete', `${texts.join(' ')} Authorization=${scheme}`);
  }
  const signedHeaders = (parts.get('SignedHeaders') ?? '').split(';');
  return { accessKeyId, scope, signedHeaders, signature: parts.get('Signature') ?? '', time };
}

/** Throws AwsError if the time of a signature is too far from the server's. */
export function checkClock(call: ServiceCall, time: string, now: number): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (parts ?? []).slice(1).map(Number);
  const sent = parts ? Date.UTC(year, month - 1, day, hour, minute, second) : Number.NaN;
  if (Number.isNaN(sent)) throw refuse(call, 'incomplete', `Date must be in ISO-8601 'basic format'. Got '${time}'.`);
  if (sent < now - allowedSkew) {
    const text = `${time} is now earlier than ${stamp(now - allowedSkew)} (${stamp(now)} - 5 min.)`;
    throw refuse(call, 'mismatch', `Signature expired: ${text}`);
  }
  if (sent > now + allowedSkew) {
    const text = `${time} is still later than ${stamp(now + allowedSkew)} (${stamp(now)} + 5 min.)`;
    throw refuse(call, 'mismatch', `Signature not yet current: ${text}`);
  }
}

function stamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** The string to sign of a request. */
export const stringToSign = (call: ServiceCall, { time, scope, signedHeaders }: Signed, algorithm: string): string =>
  [algorithm, time, scope, sha256(canonicalRequest(call, signedHeaders))].join('\n');

function checkSignature(call: ServiceCall, signed: Signed, principal: Principal): void {
  const canonical = canonicalRequest(call, signed.signedHeaders);
  const text = stringToSign(call, signed, hmacAlgorithm);
  const expected = Buffer.from(hmac(signingKey(principal.secretAccessKey, signed.scope), text).toString('hex'));
  const given = Buffer.from(signed.signature);
  const complete = ['host', 'x-amz-date'].every((name) => signed.signedHeaders.includes(name));
  const sameDay = signed.scope.startsWith(signed.time.slice(0, 8));
  if (complete && sameDay && given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw refuse(
    call,
    'mismatch',
    'The request signature we calculated does not match the signature you provided. ' +
      'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n' +
      `The Canonical String for this request should have been\n'${canonical}'\n\n` +
      `The String-to-Sign should have been\n'${text}'\n`
  );
}

const signingKeys = new Map<string, KeyObject>();

/**
 * The signing key of a day, region and service. It is cached, since it costs four times as much as the signature
 * itself.
 */
function signingKey(secretAccessKey: string, scope: string): KeyObject {
  const name = `${secretAccessKey} ${scope}`;
  const known = signingKeys.get(name);
  if (known) return known;
  if (signingKeys.size >= 1000) signingKeys.clear();
  const key = createSecretKey(scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`) as Buffer);
  signingKeys.set(name, key);
  return key;
}

function canonicalRequest(call: ServiceCall, signedHeaders: readonly string[]): string {
  const headers = signedHeaders.map((name) => {
    const value = call.headers[name];
    return `${name}:${(Array.isArray(value) ? value.join(',') : (value ?? '')).trim().replaceAll(/ +/g, ' ')}\n`;
  });
  const path = call.service === 's3' ? call.path : encodePath(call.path);
  const list = signedHeaders.join(';');
  return [call.method, path, canonicalQuery(call.query), headers.join(''), list, sha256(call.body)].join('\n');
}

/** The path as it is signed: for all services but S3 encoded once more, and without empty and dotted segments. */
function encodePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter(Boolean)
    .map((pair) => split(pair, '=').map((part) => encode(decode(part))))
    .sort(([name1 = '', value1 = ''], [name2 = '', value2 = '']) => compare(name1, name2) || compare(value1, value2))
    .map((pair) => pair.join('='))
    .join('&');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer | KeyObject, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
