/** Signs in with the certificate of a device, which is exchanged for temporary credentials. */
import { setTimeout } from 'node:timers/promises';
import { isActionError } from '../fields/errors';
import type { CertificateSummary, DeviceCertificate } from './certificate';
import { invalidity, parseCertificate, summaryOf } from './certificate';
import type { Identity } from './identity';
import { askIot, type IotExchange } from './iot';
import { createSession, type RolesAnywhereExchange } from './roles-anywhere';
import type { RequestHandler } from './sdks';
import type { ServiceClock } from './service-clock';
import { certificateError, type TlsMaterial } from './tls-node';
import { toActionError } from './to-action-error';

/** How a certificate becomes credentials. */
export type Exchange = IotExchange | RolesAnywhereExchange;

/** What the exchange needs of the account. */
export interface ExchangeOptions {
  /** Sends requests in the same way as all others of the account. */
  requestHandler: RequestHandler;
  /** Makes a handler whose connections to a host have these options of TLS. It is destroyed after use. */
  handlerWith(host: string, options: object): RequestHandler;
  /** The endpoint of Roles Anywhere, if it is not AWS's own. */
  endpoint?: string | undefined;
  clock: ServiceClock;
}

/** How often an exchange is tried, and the pause before it is tried again, ms, which doubles. */
const mostAttempts = 3;
const pause = 100;

/** The certificate of an account. */
export class CertificateSignIn {
  /** What was read for the latest sign-in. */
  #material: TlsMaterial = {};
  #certificate: DeviceCertificate | undefined;
  #clock: ServiceClock | undefined;

  constructor(
    /** Reads the TLS configuration. Rejects with `CertificateError`. */
    private readonly read: () => Promise<TlsMaterial>,
    private readonly exchange: Exchange,
    /** Called with the certificate of each sign-in. */
    private readonly seen: (summary: CertificateSummary) => void = () => undefined
  ) {}

  /** The certificate of the latest sign-in. */
  get summary(): CertificateSummary | undefined {
    return this.#certificate && this.#clock && summaryOf(this.#certificate, this.#clock.at());
  }

  /** The passphrase, and the lines of the key. */
  get secrets(): string[] {
    const { passphrase = '', key = '' } = this.#material;
    return [passphrase, ...key.split(/\r?\n/).filter((line) => !line.startsWith('-----'))];
  }

  /** Asks for credentials. Rejects with `CertificateError`, AWS's error, or that of the network. */
  async ask(options: ExchangeOptions): Promise<Identity> {
    const { clock } = options;
    this.#material = await this.read();
    const certificate = parseCertificate(this.#material);
    this.#certificate = certificate;
    this.#clock = clock;
    const identity = await this.#repeat(certificate, options).catch((thrown: unknown) => {
      throw explained(thrown, certificate, clock);
    });
    this.seen(summaryOf(certificate, clock.at()));
    return identity;
  }

  /** Tries again what may have failed because of the network. */
  async #repeat(certificate: DeviceCertificate, options: ExchangeOptions): Promise<Identity> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#ask(certificate, options);
      } catch (thrown) {
        if (attempt === mostAttempts || !toActionError(thrown, { secrets: [] }).retryable) throw thrown;
        await setTimeout(pause * 2 ** (attempt - 1));
      }
    }
  }

  #ask(certificate: DeviceCertificate, options: ExchangeOptions): Promise<Identity> {
    const { exchange } = this;
    return exchange.kind === 'iot'
      ? askIot(exchange, certificate, options.handlerWith)
      : createSession(exchange, certificate, options);
  }
}

/**
 * The error of an exchange; if AWS refused it and the certificate is not valid, that is why. Not before the exchange: the
 * clock of this machine may be wrong, and is set right by the answer.
 */
function explained(thrown: unknown, certificate: DeviceCertificate, clock: ServiceClock): unknown {
  const isRefusal = isActionError(thrown) && (thrown.name === 'CertificateError' || (thrown.statusCode ?? 500) < 500);
  const reason = isRefusal ? invalidity(certificate, clock.at()) : undefined;
  return reason === undefined ? thrown : certificateError(reason);
}
