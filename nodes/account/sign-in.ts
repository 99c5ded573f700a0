import { copyError, ownError } from '../fields/errors';
import type { Credentials } from '../fields/fields';
import { show } from '../fields/fields';
import type { CertificateSignIn, ExchangeOptions } from './certificate-sign-in';
import type { Identity } from './identity';
import type { Endpoints } from './profiles';
import type { RequestHandler } from './sdks';
import { sdkOf } from './sdks';
import { ServiceClock, signForTimeOf } from './service-clock';

type Provider = () => Promise<Identity>;

/** A provider that all clients of an account share. It asks its source once, and again before the credentials expire. */
interface SharedProvider extends Provider {
  /** Tells the SDK's clients not to cache the credentials themselves. */
  readonly memoized: true;
  /** Drops credentials that a service has refused, by their access key ID, so that the source is asked again. */
  forget(accessKeyId: string): void;
  /** Drops the credentials and failures, to be called when the source has changed. */
  reset(): void;
}

/** The sign-in of an account. */
export interface SignInProvider extends SharedProvider {
  /** All secrets that requests in flight may carry, to be struck out of texts. */
  secrets(): string[];
}

/** Where an account's keys come from: the checked properties of an `aws-account`. */
export interface SignIn {
  source: 'default' | 'keys' | 'profile' | 'certificate';
  profile?: string | undefined;
  keys?: Credentials | undefined;
  certificate?: CertificateSignIn | undefined;
  role?: { arn: string; sessionName: string; duration: number; externalId?: string | undefined } | undefined;
}

/** Options for the SDK's own STS and SSO clients, which some sources need. */
export interface InnerClientOptions {
  region: string;
  endpoints?: Pick<Endpoints, 'sts' | 'sso' | 'rolesanywhere'>;
  requestHandler?: RequestHandler;
  /** For the exchange of a certificate. */
  handlerWith?: ExchangeOptions['handlerWith'];
}

/** The same, with the clock for signatures. */
interface TimedOptions extends InnerClientOptions {
  clock: ServiceClock;
}

/** Credentials are renewed in the background when a tenth of their lifetime is left, but at most so many ms. */
const longestWindow = 5 * 60_000;

/** How long credentials are kept if their stated expiration has passed already, ms. */
const unknownTime = 5 * 60_000;

/** The pause after the second failure in a row, ms; it doubles with each further one. After the first there is none. */
const firstPause = 100;
/** The longest pause, ms: without valid credentials, and while the old ones are still valid. */
const longestPause = { waiting: 5000, serving: 60_000 };
/** After so many ms without a failure, the next one counts as the first. */
const calm = 2 * longestPause.serving;

/** Counts failures in a row and makes pauses between attempts, so that a failing source is not asked for each message. */
class Failures {
  #count = 0;
  #last = -Infinity;

  add(): void {
    const now = performance.now();
    this.#count = now - this.#last > calm ? 1 : this.#count + 1;
    this.#last = now;
  }

  /** Whether it is too early to ask again. */
  isPause(longest: number): boolean {
    const pause = this.#count < 2 ? 0 : firstPause * 2 ** (this.#count - 2);
    return performance.now() - this.#last < Math.min(longest, pause);
  }

  clear(): void {
    this.#count = 0;
  }
}

interface Held {
  identity: Identity;
  /** When they were received, ms of `performance.now()`. */
  since: number;
}

/** The lifetime of credentials from when they were received, by the time of AWS as it is known now; ms. */
function lifetimeOf({ identity, since }: Held, clock: ServiceClock): number {
  const { expiration, originalExpiration = expiration } = identity;
  const stated = (originalExpiration?.getTime() ?? Infinity) - clock.at(since);
  // If fresh credentials seem to have expired, the clock is ahead. If AWS refuses them, they are dropped anyway.
  return stated > 0 ? stated : unknownTime;
}

/**
 * Makes a shared provider of a source. `clock` has the time of AWS, by which credentials expire. `renewalFailed` is called
 * with the first of several failures in a row while the old credentials are still valid.
 */
export function share(
  provider: Provider,
  clock = new ServiceClock(),
  renewalFailed: (error: unknown) => void = () => undefined
): SharedProvider {
  let held: Held | undefined;
  let asking: Promise<Identity> | undefined;
  /** Why the last attempt failed. During a pause, messages fail with it at once. */
  let failure: { error: unknown } | undefined;
  const failures = new Failures();

  const keep = (identity: Identity): void => {
    held = { identity, since: performance.now() };
    failure = undefined;
  };
  /** Asks the source. All callers in the meantime wait for the same answer. */
  const ask = (): Promise<Identity> => {
    if (asking) return asking;
    const mine = provider();
    asking = mine;
    const answered = (note: () => void) => {
      // After a reset, the answer of the former source does not count.
      if (asking !== mine) return;
      asking = undefined;
      note();
    };
    const fail = (error: unknown) => {
      const isNews = failure === undefined && held && performance.now() - held.since < lifetimeOf(held, clock);
      failures.add();
      failure = { error };
      if (isNews) renewalFailed(error);
    };
    mine.then(
      (identity) => answered(() => keep(identity)),
      (error) => answered(() => fail(error))
    );
    return mine;
  };
  const credentials = async (): Promise<Identity> => {
    const age = held ? performance.now() - held.since : 0;
    const lifetime = held ? lifetimeOf(held, clock) : 0;
    if (!held || age >= lifetime) {
      if (failure && !asking && failures.isPause(longestPause.waiting)) throw copyError(failure.error);
      return ask().catch((error) => {
        throw copyError(error);
      });
    }
    // Nobody waits for a renewal while the old credentials are valid.
    const renewAt = lifetime - Math.min(longestWindow, lifetime / 10);
    if (age >= renewAt && !failures.isPause(longestPause.serving)) ask().catch(() => undefined);
    return held.identity;
  };
  return Object.assign(credentials, {
    memoized: true as const,
    forget: (accessKeyId: string) => {
      // Credentials that are refused every time, such as a wrong key in a file, are not read again for each message.
      if (held?.identity.accessKeyId !== accessKeyId || failures.isPause(longestPause.waiting)) return;
      failures.add();
      held = undefined;
    },
    reset: () => {
      failures.clear();
      held = undefined;
      asking = undefined;
      failure = undefined;
    }
  });
}

type Providers = typeof import('@aws-sdk/credential-providers');
type AssumeRole = import('@aws-sdk/client-sts').AssumeRoleCommandInput;
type WebIdentity = import('@aws-sdk/client-sts').AssumeRoleWithWebIdentityCommandInput;

/** Throws for keys with characters that Node.js refuses in headers, such as typographic quotes from pasted text. */
function checkKeys({ accessKeyId, secretAccessKey, sessionToken = '' }: Identity): void {
  if (/^[\x21-\x7e]*$/.test(accessKeyId + secretAccessKey + sessionToken)) return;
  throw noKeys('The keys hold blanks or other characters that no key has.');
}

/** The SDK's own name for the error of a sign-in that found no keys. */
export const noKeysName = 'CredentialsProviderError';
const noKeys = (text: string): Error => Object.assign(new Error(text), { name: noKeysName });

/** The error of a source, with a text that tells users what to do. */
function sourceError(error: NodeJS.ErrnoException): Error {
  // The output of the process and its command line may contain secrets that cannot be struck out.
  if (error.message.startsWith('Command failed: ')) {
    return noKeys('The credential_process of the profile failed: run it by hand to see why.');
  }
  // A file cannot be opened, such as the token of a web identity.
  if (error.syscall === 'open') return noKeys(error.message);
  if (error.name !== 'TypeError') return error;
  return noKeys('The profile names something that is not there, such as its sso_session: look at the shared files.');
}

/**
 * The options of a client for its endpoint. Without one it uses AWS's own; the SDK would look for one in other
 * profiles.
 */
export const endpointOptions = (endpoint: string | undefined) =>
  endpoint ? { endpoint: withoutSlash(endpoint) } : { ignoreConfiguredEndpointUrls: true };

/** The SDK appends paths that begin with a slash. */
function withoutSlash(url: string): string {
  let { length } = url;
  while (url[length - 1] === '/') length -= 1;
  return url.slice(0, length);
}

/** The options of clients for STS. */
const stsOptions = ({ region, endpoints = {}, requestHandler }: InnerClientOptions) => ({
  region,
  ...endpointOptions(endpoints.sts),
  ...(requestHandler && { requestHandler })
});

/**
 * Assumes a role. If AWS refuses the time of the signature, the clock is right afterwards and the role is assumed
 * again.
 */
async function assumeRole(
  masterCredentials: Identity | Provider,
  params: AssumeRole,
  { clock, ...options }: TimedOptions
): Promise<Identity> {
  const { AssumeRoleCommand, STSClient } = sdkOf('sts');
  const client = new STSClient({ ...stsOptions(options), credentials: masterCredentials });
  signForTimeOf(clock, client);
  const ask = () => client.send(new AssumeRoleCommand(params));
  const { Credentials } = await ask().catch((failure) => {
    if (!clock.hasRefused(failure)) throw failure;
    return ask();
  });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  // Temporary keys are useless without their session token.
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) {
    throw noKeys(`STS has answered without keys for the role ${params.RoleArn}.`);
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration && { expiration: Expiration })
  };
}

/** The longest time that a source may take, ms: it may be a program that asks a portal, or need three requests. */
const longestAnswer = 60_000;

/** Rejects with `Timeout` if a source takes longer: all messages of the account wait for it. `what` begins the text. */
function inTime<T>(answer: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `${what} within ${longestAnswer / 1000} s.`;
    timer = setTimeout(() => reject(ownError('Timeout', text, { retryable: true })), longestAnswer);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Asks for credentials in exchange for a certificate. */
function certificateProvider(certificate: CertificateSignIn, options: TimedOptions): Provider {
  const { requestHandler, handlerWith, endpoints, clock } = options;
  if (!requestHandler || !handlerWith) throw new Error('A certificate needs the connections of an account.');
  const exchange = { requestHandler, handlerWith, endpoint: endpoints?.rolesanywhere, clock };
  const what = 'The certificate was not exchanged for credentials: its files could not be read, or AWS did not answer';
  return () => inTime(certificate.ask(exchange), what);
}

function baseProvider(signIn: SignIn, options: TimedOptions): Provider {
  const { source, keys, profile, certificate } = signIn;
  if (source === 'keys' && keys) return async () => keys;
  if (source === 'certificate' && certificate) return certificateProvider(certificate, options);
  const sdk: Providers = require('@aws-sdk/credential-providers');
  const { region, endpoints = {}, requestHandler } = options;
  const clientConfig = stsOptions(options);
  const init = {
    // Files are read again each time, so that a new login or rotated keys count without a restart.
    ignoreCache: true,
    // For the portal of an SSO login, whose region is in the profile.
    clientConfig: { ...endpointOptions(endpoints.sso), ...(requestHandler && { requestHandler }) },
    parentClientConfig: { region },
    roleAssumer: (masterCredentials: Identity, params: AssumeRole) => assumeRole(masterCredentials, params, options),
    roleAssumerWithWebIdentity: ({ RoleArn, RoleSessionName, WebIdentityToken }: WebIdentity) =>
      sdk.fromWebToken({
        roleArn: RoleArn as string,
        roleSessionName: RoleSessionName as string,
        webIdentityToken: WebIdentityToken as string,
        clientConfig
      })()
  };
  // The SDK's chain caches its result, so a new one is made each time.
  const ask =
    source === 'profile'
      ? sdk.fromIni({ ...init, profile: profile as string })
      : () => sdk.fromNodeProviderChain(init)();
  const what =
    source === 'profile'
      ? `The profile ${show(profile)} gave no keys: its credential_process, its SSO portal or its role did not answer`
      : "The SDK's default chain found no keys: a credential_process, an SSO portal, a container or an instance did not answer";
  return () =>
    inTime(ask(), what).catch((error: Error) => {
      throw sourceError(error);
    });
}

/** How many identities are remembered: the current and the previous ones of a role and of the keys that assume it. */
const remembered = 4;

/**
 * Makes the provider of an account. Nothing is loaded, and `options` is not called, before its first use. `verify` rejects if
 * the credentials that were found must not be used any more.
 */
export function signInProvider(
  signIn: SignIn,
  options: () => Promise<InnerClientOptions>,
  verify: () => Promise<void> = async () => undefined,
  clock = new ServiceClock(),
  renewalFailed?: (error: unknown) => void
): SignInProvider {
  /** By access key ID; the one that was used last comes last, so that the oldest can be dropped. */
  const identities = new Map<string, Identity>();
  const remember = (provider: Provider) => async (): Promise<Identity> => {
    const identity = await provider();
    checkKeys(identity);
    identities.delete(identity.accessKeyId);
    identities.set(identity.accessKeyId, identity);
    const [oldest] = identities.keys();
    if (identities.size > remembered && oldest !== undefined) identities.delete(oldest);
    return identity;
  };
  const make = async (): Promise<Provider> => {
    const clientOptions = { ...(await options()), clock };
    const base = remember(baseProvider(signIn, clientOptions));
    if (!signIn.role) return base;
    const { arn, sessionName, duration, externalId } = signIn.role;
    const params = {
      RoleArn: arn,
      RoleSessionName: sessionName,
      DurationSeconds: duration,
      ...(externalId && { ExternalId: externalId })
    };
    // The SDK asks for the keys more than once per request. They are shared for one request only.
    const what = `The role ${arn} could not be assumed: STS, or what its keys come from, did not answer`;
    return remember(() => inTime(assumeRole(share(base, clock), params, clientOptions), what));
  };
  let made: Promise<Provider> | undefined;
  const shared = share(
    async () => {
      made ??= make();
      const identity = await (await made)();
      await verify();
      return identity;
    },
    clock,
    renewalFailed
  );
  return Object.assign(shared, {
    secrets: () =>
      [...identities.values()].flatMap(({ accessKeyId, secretAccessKey, sessionToken = '' }) => [
        accessKeyId,
        secretAccessKey,
        sessionToken
      ])
  });
}
