/** The devices of the local AWS: their certificates, and what they may do with them. */
import type { X509Certificate } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { Authority, type KeyKind, makeKeys, type Subject } from './authority';

/** A certificate to make, and what IoT Core knows of it. */
export interface DeviceOptions {
  /** Default: `CN=device`. */
  readonly subject?: Subject;
  /** Default `ec`. */
  readonly key?: KeyKind;
  /** Days from now when it begins and ends, fractions too; default: from yesterday to a year ahead. */
  readonly from?: number;
  readonly to?: number;
  /** Its serial number, in decimal. Default: a random one. */
  readonly serial?: string;
  /** Who signs it: `device`, which is below the root (default), the `root`, or a `stranger` that nobody trusts. */
  readonly authority?: 'device' | 'root' | 'stranger';
  /** Encrypts the key with a passphrase. */
  readonly passphrase?: string;
  /** Whether the key is that of another certificate. */
  readonly foreignKey?: boolean;
  /** What IoT Core knows of it: default `active`. */
  readonly status?: 'active' | 'inactive' | 'unknown';
  /** The things that it is attached to. */
  readonly things?: readonly string[];
  /** The role aliases for which its policy allows iot:AssumeRoleWithCertificate; default: all. */
  readonly aliases?: readonly string[];
}

/** The certificate, the certificates between it and the root, and the key, as PEM. */
export interface Device {
  readonly certificate: string;
  readonly chain: string;
  readonly key: string;
}

/** Where and with what devices sign in. */
export interface CertificatePlaces {
  /** Of IoT Core, `localhost:<port>`. */
  readonly credentialEndpoint: string;
  /** The root that has signed its server's certificate and the devices', as PEM. */
  readonly ca: string;
}

interface Known {
  readonly isActive: boolean;
  readonly things: readonly string[];
  readonly aliases: readonly string[] | undefined;
}

const hosts = ['us-east-1', 'eu-west-1'].flatMap((each) => [
  `*.credentials.iot.${each}.amazonaws.com`,
  `rolesanywhere.${each}.amazonaws.com`
]);

/** The authorities, and the certificates that they have signed. */
export class Devices {
  readonly root = new Authority({ CN: 'Local AWS root', O: 'Nimbus' });
  readonly #below = new Authority({ CN: 'Local AWS devices', O: 'Nimbus' }, this.root);
  readonly stranger = new Authority({ CN: 'Stranger' });
  /** By the fingerprint of the certificate. */
  readonly #known = new Map<string, Known>();
  readonly #revoked = new Set<string>();

  /** The key and certificate of the servers. */
  makeServer(): { key: string; cert: string } {
    const { key, certificate } = this.root.issue({
      subject: { CN: 'localhost' },
      hosts: ['localhost', '127.0.0.1', ...hosts]
    });
    return { key: key.export({ type: 'pkcs8', format: 'pem' }) as string, cert: certificate.toString() };
  }

  make(options: DeviceOptions): Device {
    const { authority = 'device', passphrase, status = 'active', subject = { CN: 'device' } } = options;
    const signer = { device: this.#below, root: this.root, stranger: this.stranger }[authority];
    const issued = signer.issue({ ...options, subject });
    const { certificate } = issued;
    if (status !== 'unknown') this.register(certificate, { ...options, status });
    const key = options.foreignKey ? makeKeys(options.key).privateKey : issued.key;
    const encrypted = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
    return {
      certificate: certificate.toString(),
      chain: authority === 'device' ? this.#below.certificate.toString() : '',
      key: key.export({ type: 'pkcs8', format: 'pem', ...encrypted }) as string
    };
  }

  /** Makes a certificate known to IoT Core. */
  register({ fingerprint256 }: X509Certificate, { status = 'active', things = [], aliases }: DeviceOptions = {}): void {
    this.#known.set(fingerprint256, { isActive: status === 'active', things, aliases });
  }

  /** What IoT Core knows of a certificate. */
  find({ fingerprint256 }: X509Certificate): Known | undefined {
    return this.#known.get(fingerprint256);
  }

  /** Takes a certificate's rights away: in IoT Core it is inactive, for Roles Anywhere on the list of the revoked. */
  revoke({ fingerprint256 }: X509Certificate): void {
    this.#revoked.add(fingerprint256);
    const known = this.#known.get(fingerprint256);
    if (known) this.#known.set(fingerprint256, { ...known, isActive: false });
  }

  isRevoked({ fingerprint256 }: X509Certificate): boolean {
    return this.#revoked.has(fingerprint256);
  }
}

/** A trace ID, as IoT Core adds it to its errors. */
export const traceId = (): string =>
  randomBytes(16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
