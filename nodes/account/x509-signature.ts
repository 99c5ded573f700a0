/**
 * Signs requests to IAM Roles Anywhere with the key of a certificate: Signature Version 4 with another algorithm, as in “The
 * IAM Roles Anywhere authentication signing process” of its user guide.
 */
import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto';

type Headers = Record<string, string>;

/** A POST request to sign. Its query, if there is one, has to be in the order and encoding of Signature Version 4. */
interface SessionRequest {
  url: URL;
  contentType: string;
  body: string;
  region: string;
  date: Date;
}

/** Who signs: the certificate, its key, and the certificates above it, each signed by the next. */
interface X509Signer {
  leaf: X509Certificate;
  key: KeyObject;
  chain: readonly X509Certificate[];
}

const algorithms: Record<string, string> = { rsa: 'AWS4-X509-RSA-SHA256', ec: 'AWS4-X509-ECDSA-SHA256' };

/** Whether a key can sign requests: only RSA and EC keys can. */
export const canSign = ({ asymmetricKeyType }: KeyObject): boolean =>
  Object.hasOwn(algorithms, asymmetricKeyType ?? '');

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const base64 = ({ raw }: X509Certificate): string => raw.toString('base64');

/** A serial number in decimal. OpenSSL writes it in hexadecimal, a negative one with a sign. */
function decimal(serialNumber: string): string {
  const [, sign = '', digits = '0'] = /^(-?)(.*)$/.exec(serialNumber) ?? [];
  return `${sign}${BigInt(`0x${digits}`)}`;
}

/** The headers of a request before it is signed; all of them are signed. */
function headersOf({ url, contentType }: SessionRequest, { leaf, chain }: X509Signer, time: string): Headers {
  return {
    'content-type': contentType,
    host: url.host,
    'x-amz-date': time,
    'x-amz-x509': base64(leaf),
    ...(chain.length > 0 && { 'x-amz-x509-chain': chain.map(base64).join(',') })
  };
}

/** What the signature of a request is made of. */
export function signable(request: SessionRequest, signer: X509Signer) {
  const { url, body, region, date } = request;
  const time = date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const headers = headersOf(request, signer, time);
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const path = url.pathname.split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', path, url.search.slice(1), lines.join(''), names, sha256(body)].join('\n');
  const algorithm = algorithms[signer.key.asymmetricKeyType ?? ''] ?? '';
  const scope = `${time.slice(0, 8)}/${region}/rolesanywhere/aws4_request`;
  const text = [algorithm, time, scope, sha256(canonical)].join('\n');
  return { headers, names, algorithm, scope, text };
}

/** The headers of a request, with the signature among them. */
export function signedHeaders(request: SessionRequest, signer: X509Signer): Headers {
  const { headers, names, algorithm, scope, text } = signable(request, signer);
  const signature = sign('sha256', Buffer.from(text), signer.key).toString('hex');
  const credential = `Credential=${decimal(signer.leaf.serialNumber)}/${scope}`;
  const authorization = `${algorithm} ${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}
