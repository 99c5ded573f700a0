/** Certificate authorities that are made when the local AWS starts, so that no private key lies around (RFC 5280). */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate
} from 'node:crypto';
import { bitString, integer, oid, pem, sequence, tagged, time, utf8 } from './der';

/** The kinds of keys. What signs certificates is always `ec`. */
export type KeyKind = 'ec' | 'ec384' | 'rsa' | 'ed25519';

/** The subject of a certificate: each attribute once, in this order. */
export interface Subject {
  readonly CN?: string;
  readonly O?: string;
  readonly OU?: string;
}

/** What a certificate says. */
interface CertificateOptions {
  readonly subject: Subject;
  readonly key?: KeyKind;
  /** Days from now, fractions too; default: from a day ago to a year ahead. */
  readonly from?: number;
  readonly to?: number;
  /** In decimal; default: random. */
  readonly serial?: string;
  /** Host names and IPv4 addresses of a server. */
  readonly hosts?: readonly string[];
}

/** A certificate with its key. */
interface Issued {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

const attributes = { CN: '2.5.4.3', O: '2.5.4.10', OU: '2.5.4.11' } as const;
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const day = 24 * 3_600_000;

const nameOf = (subject: Subject): Buffer =>
  sequence(
    ...Object.entries(subject).map(([name, value]) =>
      tagged('set', sequence(oid(attributes[name as keyof Subject]), utf8(value)))
    )
  );

const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(isCritical ? [tagged('boolean', Buffer.from([0xff]))] : []), tagged('octetString', value));

/** The general name of a host: its IPv4 address or its DNS name. */
const hostName = (host: string): Buffer =>
  /^[\d.]+$/.test(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : tagged(0x82, Buffer.from(host));

/** The number by which a certificate names its own key, and that of its issuer. */
const keyIdOf = (publicKey: KeyObject): Buffer =>
  createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

function extensions(own: KeyObject, issuer: KeyObject, isAuthority: boolean, hosts: readonly string[]): Buffer {
  const constraints = isAuthority ? [tagged('boolean', Buffer.from([0xff]))] : [];
  // Of an authority keyCertSign and cRLSign, of others digitalSignature.
  const usage = isAuthority ? Buffer.from([1, 0x06]) : Buffer.from([7, 0x80]);
  return sequence(
    extension('2.5.29.19', true, sequence(...constraints)),
    extension('2.5.29.15', true, tagged('bitString', usage)),
    extension('2.5.29.14', false, tagged('octetString', keyIdOf(own))),
    extension('2.5.29.35', false, sequence(tagged(0x80, keyIdOf(issuer)))),
    ...(hosts.length > 0 ? [extension('2.5.29.17', false, sequence(...hosts.map(hostName)))] : [])
  );
}

/** A new pair of keys. */
export function makeKeys(kind: KeyKind = 'ec'): { privateKey: KeyObject; publicKey: KeyObject } {
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: kind === 'ec' ? 'prime256v1' : 'secp384r1' });
}

/** A certificate authority: a root, or one below another. */
export class Authority {
  readonly certificate: X509Certificate;
  readonly #key: KeyObject;
  readonly #name: Buffer;

  constructor(subject: Subject, parent?: Authority) {
    const { privateKey, publicKey } = makeKeys();
    this.#key = privateKey;
    this.#name = nameOf(subject);
    this.certificate = (parent ?? this).#sign(publicKey, { subject, to: 3650 }, true);
  }

  /** Makes a key and a certificate for it. */
  issue(options: CertificateOptions): Issued {
    const { privateKey, publicKey } = makeKeys(options.key);
    return { certificate: this.#sign(publicKey, options, false), key: privateKey };
  }

  #sign(publicKey: KeyObject, options: CertificateOptions, isAuthority: boolean): X509Certificate {
    const { subject, from = -1, to = 365, hosts = [] } = options;
    const serial = BigInt(options.serial ?? `0x01${randomBytes(8).toString('hex')}`);
    const content = sequence(
      tagged(0xa0, integer(2n)),
      integer(serial),
      ecdsaWithSha256,
      this.#name,
      sequence(time(new Date(Date.now() + from * day)), time(new Date(Date.now() + to * day))),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, extensions(publicKey, createPublicKey(this.#key), isAuthority, hosts))
    );
    const signature = sign('sha256', content, this.#key);
    return new X509Certificate(pem('CERTIFICATE', sequence(content, ecdsaWithSha256, bitString(signature))));
  }
}
