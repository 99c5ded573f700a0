/** The certificate of a device: its key, and the certificates between it and its root. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { inOneLine } from '../fields/lines';
import { memberOf } from '../fields/thrown';
import { certificateError, type TlsMaterial } from './tls-node';

/** A certificate that can sign in. */
export interface DeviceCertificate {
  readonly leaf: X509Certificate;
  /** From the one that has signed the certificate upwards, without the root. Of a PFX they are in `context` only. */
  readonly chain: readonly X509Certificate[];
  /** Absent for a PFX. */
  readonly key: KeyObject | undefined;
  /** Shows the certificate in TLS handshakes, and trusts Node.js's roots and the CA of the TLS configuration. */
  readonly context: tls.SecureContext;
}

/** What the editor and logs say of a certificate. */
export interface CertificateSummary {
  subject: string;
  issuer: string;
  /** ISO 8601. */
  validTo: string;
  /** Whether it ends so soon that somebody should replace it. */
  endsSoon: boolean;
}

const beginning = '-----BEGIN ';
const end = '-----END ';
const dashes = '-----';

/** The parts of a PEM text by their label, such as `CERTIFICATE`. Not by a regular expression, for texts without an end. */
function* partsOf(text: string): Generator<{ label: string; text: string }> {
  let start = text.indexOf(beginning);
  while (start >= 0) {
    const ending = text.indexOf(end, start);
    const close = ending < 0 ? -1 : text.indexOf(dashes, ending + end.length);
    if (close < 0) return;
    yield { label: text.slice(ending + end.length, close), text: text.slice(start, close + dashes.length) };
    start = text.indexOf(beginning, close);
  }
}

/** Most certificates of a text that are read: a bundle of all well-known authorities has 150. */
const mostCertificates = 500;

/** The certificates in a text; those that cannot be read are `undefined`. */
function certificatesIn(text: string): (X509Certificate | undefined)[] {
  const found: (X509Certificate | undefined)[] = [];
  for (const part of partsOf(text)) {
    if (!part.label.endsWith('CERTIFICATE')) continue;
    found.push(certificateFrom(part.text));
    if (found.length === mostCertificates) break;
  }
  return found;
}

function certificateFrom(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

const isCertificate = (found: X509Certificate | undefined): found is X509Certificate => found !== undefined;

/** The private key in a text. Throws `CertificateError`, which quotes nothing of it. */
function keyFrom(text: string, passphrase: string | undefined): KeyObject {
  const part = [...partsOf(text)].find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (!part) throw certificateError('The TLS configuration has no private key in PEM form.');
  const isEncrypted = part.text.includes('ENCRYPTED');
  if (isEncrypted && passphrase === undefined) {
    throw certificateError('The private key is encrypted: enter its passphrase in the TLS configuration.');
  }
  try {
    return createPrivateKey({ key: part.text, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    throw certificateError(
      isEncrypted
        ? 'The private key cannot be decrypted: check its passphrase in the TLS configuration.'
        : 'The private key in the TLS configuration cannot be read: it has to be an RSA or EC key in PEM form.'
    );
  }
}

/** Whether a key belongs to a certificate; OpenSSL throws for some kinds. */
function belongsTo(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

/** Whether a certificate is signed by the key of another one. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** Most certificates between that of a device and the root. */
const longestChain = 10;

/** The certificates above one, each signed by the next, as far as they are known, and without the root. */
function chainOf(leaf: X509Certificate, known: readonly X509Certificate[]): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let current = leaf; chain.length < longestChain; ) {
    const issuer = known.find((each) => each !== current && !chain.includes(each) && isSignedBy(current, each));
    if (!issuer || isSignedBy(issuer, issuer)) break;
    chain.push(issuer);
    current = issuer;
  }
  return chain;
}

/** Those of Node.js, `NODE_EXTRA_CA_CERTS` among them where it can say so. */
const ownRoots = (): readonly string[] => tls.getCACertificates?.('default') ?? tls.rootCertificates;

/** Makes the part of TLS connections that shows a certificate. Throws `CertificateError` if OpenSSL does not take it. */
function contextOf(options: tls.SecureContextOptions, authorities: readonly string[]): tls.SecureContext {
  try {
    // A CA replaces Node.js's roots.
    return tls.createSecureContext({
      ...options,
      ...(authorities.length > 0 && { ca: [...ownRoots(), ...authorities] })
    });
  } catch (thrown) {
    const text = String(memberOf(thrown, 'message'));
    if (options.pfx === undefined) {
      const reason = inOneLine(text.replace(/^error:[^:]*:[^:]*:*/, ''));
      throw certificateError(`TLS cannot use the certificate or its key: ${reason}.`);
    }
    throw certificateError(
      text.includes('mac verify failure')
        ? 'The PFX file cannot be decrypted: check its passphrase in the TLS configuration.'
        : 'The PFX file of the TLS configuration cannot be read: export it anew, with AES rather than RC2 or 3DES.'
    );
  }
}

/** The certificate that a context shows, by a TLS connection that goes nowhere: Node.js cannot read a PFX otherwise. */
function shownBy(secureContext: tls.SecureContext): X509Certificate | undefined {
  const nowhere = new Duplex({ read: () => undefined, write: () => undefined });
  const socket = new tls.TLSSocket(nowhere, { secureContext });
  try {
    return socket.getX509Certificate();
  } finally {
    socket.destroy();
  }
}

/** Reads what a TLS configuration holds. Throws `CertificateError`. */
export function parseCertificate({
  cert = '',
  key: keyText = '',
  ca = '',
  pfx,
  passphrase
}: TlsMaterial): DeviceCertificate {
  const authorities = certificatesIn(ca).filter(isCertificate);
  const trusted = authorities.map(String);
  if (pfx) {
    const context = contextOf({ pfx, ...(passphrase !== undefined && { passphrase }) }, trusted);
    const leaf = shownBy(context);
    if (!leaf) throw certificateError('The PFX file of the TLS configuration has no certificate with a private key.');
    return { leaf, chain: [], key: undefined, context };
  }
  const [first, ...rest] = certificatesIn(cert);
  if (!first) {
    throw certificateError(
      cert.includes(beginning)
        ? 'The certificate in the TLS configuration cannot be read: it has to be an X.509 certificate in PEM form.'
        : 'The TLS configuration has no certificate in PEM form: choose or paste the certificate of this device.'
    );
  }
  const key = keyFrom(keyText, passphrase);
  const own = [first, ...rest.filter(isCertificate)];
  const leaf = own.find((each) => belongsTo(key, each));
  if (!leaf) {
    throw certificateError(
      'The private key does not belong to the certificate: the TLS configuration has to hold a pair.'
    );
  }
  const chain = chainOf(leaf, [...own, ...authorities]);
  const shown = { cert: [leaf, ...chain].map(String).join('\n'), key: key.export({ type: 'pkcs8', format: 'pem' }) };
  return { leaf, chain, key, context: contextOf(shown, trusted) };
}

const day = 24 * 3_600_000;

/** The time before the end of a certificate at which people are warned, ms: for those of a few days less than for others. */
function warningTime({ validFrom, validTo }: X509Certificate): number {
  const lifetime = Date.parse(validTo) - Date.parse(validFrom);
  return lifetime > 7 * day ? 30 * day : lifetime / 3;
}

/** A name in one line, such as `CN=pump, O=Nimbus`. */
const nameIn = (name: string | undefined): string => inOneLine((name ?? '').replaceAll('\n', ', ')).slice(0, 300);

/** What is said of a certificate at a time, ms since the epoch. */
export function summaryOf({ leaf }: DeviceCertificate, now: number): CertificateSummary {
  const { subject, issuer, validTo } = leaf;
  return {
    subject: nameIn(subject),
    issuer: nameIn(issuer),
    validTo: new Date(validTo).toISOString(),
    endsSoon: Date.parse(validTo) - now < warningTime(leaf)
  };
}

/** Why a certificate is not valid at a time, ms since the epoch; `undefined` if it is. */
export function invalidity({ leaf }: DeviceCertificate, now: number): string | undefined {
  const { validFrom, validTo } = leaf;
  const at = (text: string) => new Date(text).toISOString().replace('.000Z', 'Z');
  if (now >= Date.parse(validTo)) {
    return `The certificate ${nameIn(leaf.subject)} has expired, on ${at(validTo)}: replace it by a new one.`;
  }
  if (now < Date.parse(validFrom)) {
    return `The certificate ${nameIn(leaf.subject)} is not yet valid, but from ${at(validFrom)} on: check the clock of this machine.`;
  }
  return undefined;
}
