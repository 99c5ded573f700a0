import { copyError, ownError } from '../fields/errors';
import type { Credentials } from '../fields/fields';
import { show } from '../fields/fields';
import type { Endpoints } from './profiles';
import type { RequestHandler } from './sdks';
import { sdkOf } from './sdks';
import { ServiceClock, signForTimeOf } from './service-clock';

/** Credentials as the SDK's providers give them. */
export interface Identity extends Credentials {
  expiration?: Date;
  /** What an EC2 instance has said, where this machine's clock made the SDK put another time in its place. */
  originalExpiration?: Date;
  /** The SDK's marks of where they were found, such as CREDENTIALS_ENV_VARS. */
  $source?: Record<string, unknown>;
}

type Provider = () => Promise<Identity>;

/** A provider that all clients of an account share: it asks its source once, and again before the answer expires. */
interface SharedProvider extends Provider {
  /** Tells the SDK's clients not to keep the credentials themselves. */
  readonly memoized: true;
  /** Drops the credentials with this access key id, since a service refused them: the source is asked again. */
  forget(accessKeyId: string): void;
  /** Drops what is held and what went wrong, since the source is another one now. */
  reset(): void;
}

/** The sign-in of an account. */
export interface SignInProvider extends SharedProvider {
  /** Everything secret that requests under way may carry, for striking it out of texts. */
  secrets(): string[];
}

/** Where an account's keys come from: the checked properties of an `aws-account`. */
export interface SignIn {
  source: 'default' | 'keys' | 'profile';
  profile?: string | undefined;
  keys?: Credentials | undefined;
  role?: { arn: string; sessionName: string; duration: number; externalId?: string | undefined } | undefined;
}

/** How the SDK's own STS and SSO clients, which some sources need, are made. */
export interface InnerClientOptions {
  region: string;
  endpoints?: Pick<Endpoints, 'sts' | 'sso'>;
  requestHandler?: RequestHandler;
}

/** The same, and the time that they sign for. */
interface TimedOptions extends InnerClientOptions {
  clock: ServiceClock;
}

/** Credentials are renewed in the background when a tenth of their time is left, and no earlier than 5 minutes before. */
const longestWindow = 5 * 60_000;

/** How long credentials are held whose true end is not known, ms. */
const unknownTime = 5 * 60_000;

/** The pause after the second failure in a row, ms; each further one is twice as long. The first one has none. */
const firstPause = 100;
/** The longest pause, ms: while nobody can sign in, and while the old credentials serve on. */
const longestPause = { waiting: 5000, serving: 60_000 };
/** After so long without a failure the next one counts as the first, ms. */
const calm = 2 * longestPause.serving;

/** Failures in a row, and the pauses between them: a source is not asked for each message. */
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
  /** When they came, ms of `performance.now()`. */
  since: number;
}

/** How long credentials hold from when they came, as far as the time of AWS is known by now; ms. */
function lifetimeOf({ identity, since }: Held, clock: ServiceClock): number {
  const { expiration, originalExpiration = expiration } = identity;
  const stated = (originalExpiration?.getTime() ?? Infinity) - clock.at(since);
  // Fresh ones that are over already: the clock is ahead. A service that refuses them has them dropped.
  return stated > 0 ? stated : unknownTime;
}

/** Shares what a source gives. Until when it holds, AWS says by its own time, which `clock` tells. */
export function share(provider: Provider, clock = new ServiceClock()): SharedProvider {
  let held: Held | undefined;
  let asking: Promise<Identity> | undefined;
  /** Why nobody can sign in; until the source is asked again, messages fail with it at once. */
  let failure: { error: unknown } | undefined;
  const failures = new Failures();

  const keep = (identity: Identity): void => {
    held = { identity, since: performance.now() };
    failure = undefined;
  };
  /** Whoever needs credentials meanwhile waits for the same answer. */
  const ask = (): Promise<Identity> => {
    if (asking) return asking;
    const mine = provider();
    asking = mine;
    const answered = (note: () => void) => {
      // What a former source says does not count.
      if (asking !== mine) return;
      asking = undefined;
      note();
    };
    const fail = (error: unknown) => {
      failures.add();
      failure = { error };
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
    // While the old ones are good nobody waits.
    const renewAt = lifetime - Math.min(longestWindow, lifetime / 10);
    if (age >= renewAt && !failures.isPause(longestPause.serving)) ask().catch(() => undefined);
    return held.identity;
  };
  return Object.assign(credentials, {
    memoized: true as const,
    forget: (accessKeyId: string) => {
      // What is refused each time, as a wrong key of a file is, is not fetched anew for each message.
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

/** Keys end up in headers, which Node.js refuses to send with other characters, such as the quotes of a pasted text. */
function checkKeys({ accessKeyId, secretAccessKey, sessionToken = '' }: Identity): void {
  if (/^[\x21-\x7e]*$/.test(accessKeyId + secretAccessKey + sessionToken)) return;
  throw noKeys('The keys hold blanks or other characters that no key has.');
}

/** The SDK's own name for an error without keys. */
export const noKeysName = 'CredentialsProviderError';
const noKeys = (text: string): Error => Object.assign(new Error(text), { name: noKeysName });

/** What a source has thrown, as people can use it. */
function sourceError(error: NodeJS.ErrnoException): Error {
  // What the process wrote, and its own command line, may hold secrets that nobody here knows.
  if (error.message.startsWith('Command failed: ')) {
    return noKeys('The credential_process of the profile failed: run it by hand to see why.');
  }
  // Such as the token of a web identity.
  if (error.syscall === 'open') return noKeys(error.message);
  if (error.name !== 'TypeError') return error;
  return noKeys('The profile names something that is not there, such as its sso_session: look at the shared files.');
}

/** The endpoint of a client; without one it is AWS's own, not that of some other profile, which the SDK would look up. */
export const endpointOptions = (endpoint: string | undefined) =>
  endpoint ? { endpoint: withoutSlash(endpoint) } : { ignoreConfiguredEndpointUrls: true };

/** The SDK puts what begins with a slash behind it. */
function withoutSlash(url: string): string {
  let { length } = url;
  while (url[length - 1] === '/') length -= 1;
  return url.slice(0, length);
}

/** How clients for STS are made. */
const stsOptions = ({ region, endpoints = {}, requestHandler }: InnerClientOptions) => ({
  region,
  ...endpointOptions(endpoints.sts),
  ...(requestHandler && { requestHandler })
});

/** Assumes a role; once more where the request was signed for another time than that of AWS, which is known by then. */
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
  // Temporary keys are of no use without their token.
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

/** How long any source outside may take, ms: a program that asks a portal in its turn, or three requests. */
const longestAnswer = 60_000;

/** Rejects with `Timeout` where a source has not answered by then: all messages of the account wait for it. */
function inTime<T>(answer: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `${what} within ${longestAnswer / 1000} s.`;
    timer = setTimeout(() => reject(ownError('Timeout', text, { retryable: true })), longestAnswer);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

function baseProvider(sdk: Providers, signIn: SignIn, options: TimedOptions): Provider {
  const { source, keys, profile } = signIn;
  if (source === 'keys' && keys) return async () => keys;
  const { region, endpoints = {}, requestHandler } = options;
  const clientConfig = stsOptions(options);
  const init = {
    // Files are read anew each time, so that a login or rotated keys are seen without a restart.
    ignoreCache: true,
    // For the portal of an SSO login, which has a region of its own.
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
  // The SDK's chain keeps what it found, so a new one is asked each time.
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

/** How many identities are remembered: a role's and those of its keys, as they are now and as they were before. */
const remembered = 4;

/**
 * Makes the provider of an account. Nothing is loaded or asked before its first call; `options` is asked for then.
 * `verify` rejects where what was found must not be used any more.
 */
export function signInProvider(
  signIn: SignIn,
  options: () => Promise<InnerClientOptions>,
  verify: () => Promise<void> = async () => undefined,
  clock = new ServiceClock()
): SignInProvider {
  /** The one used last at the end: keys that are used again and again must not drive the others out. */
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
    const sdk: Providers = require('@aws-sdk/credential-providers');
    const clientOptions = { ...(await options()), clock };
    const base = remember(baseProvider(sdk, signIn, clientOptions));
    if (!signIn.role) return base;
    const { arn, sessionName, duration, externalId } = signIn.role;
    const params = {
      RoleArn: arn,
      RoleSessionName: sessionName,
      DurationSeconds: duration,
      ...(externalId && { ExternalId: externalId })
    };
    // The SDK asks for keys more than once a request: they are held for one, not for the next time the role is assumed.
    const what = `The role ${arn} could not be assumed: STS, or what its keys come from, did not answer`;
    return remember(() => inTime(assumeRole(share(base, clock), params, clientOptions), what));
  };
  let made: Promise<Provider> | undefined;
  const shared = share(async () => {
    made ??= make();
    const identity = await (await made)();
    await verify();
    return identity;
  }, clock);
  return Object.assign(shared, {
    secrets: () =>
      [...identities.values()].flatMap(({ accessKeyId, secretAccessKey, sessionToken = '' }) => [
        accessKeyId,
        secretAccessKey,
        sessionToken
      ])
  });
}
