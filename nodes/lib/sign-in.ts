import type { STSClientResolvedConfig } from '@aws-sdk/client-sts';
import type { Credentials } from './fields';

/** Sends signed requests; every client of an account has the same one. */
export type RequestHandler = STSClientResolvedConfig['requestHandler'];

/** Credentials as the SDK's providers give them. */
export interface Identity extends Credentials {
  expiration?: Date;
  /** The SDK's marks of where they were found, such as CREDENTIALS_ENV_VARS. */
  $source?: Record<string, unknown>;
}

export type Provider = () => Promise<Identity>;

/** A provider that all clients of an account share: it asks its source once, and again before the answer expires. */
export interface SharedProvider extends Provider {
  /** Tells the SDK's clients not to keep the credentials themselves. */
  readonly memoized: true;
  /** Drops the credentials with this access key id, since a service refused them: the source is asked again. */
  forget(accessKeyId: string): void;
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
  endpoint?: string;
  requestHandler?: RequestHandler;
}

/** Credentials are renewed in the background when a tenth of their time is left, and no earlier than 5 minutes before. */
const longestWindow = 5 * 60_000;

/** How long credentials are held whose true end is not known, ms. */
const unknownTime = 5 * 60_000;

export function share(provider: Provider): SharedProvider {
  let held: Identity | undefined;
  let end = Infinity;
  let renewAt = Infinity;
  let renewal: Promise<Identity> | undefined;

  const keep = (identity: Identity): Identity => {
    const now = Date.now();
    const stated = identity.expiration?.getTime() ?? Infinity;
    // Fresh ones that are over already: this machine's clock is ahead. A service that refuses them has them dropped.
    end = stated > now ? stated : now + unknownTime;
    renewAt = end - Math.min(longestWindow, (end - now) / 10);
    held = identity;
    return identity;
  };
  const renew = (): Promise<Identity> => {
    renewal ??= provider()
      .then(keep)
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };
  const credentials = async (): Promise<Identity> => {
    const now = Date.now();
    if (!held || now >= end) return renew();
    // While the old ones are good nobody waits; should the renewal fail, the next message tries again.
    if (now >= renewAt) renew().catch(() => undefined);
    return held;
  };
  return Object.assign(credentials, {
    memoized: true as const,
    forget: (accessKeyId: string) => {
      if (held?.accessKeyId === accessKeyId) held = undefined;
    }
  });
}

type Providers = typeof import('@aws-sdk/credential-providers');

/** Keys end up in headers, which Node.js refuses to send with other characters, such as the quotes of a pasted text. */
function checkCharacters({ accessKeyId, secretAccessKey, sessionToken = '' }: Identity): void {
  if (/^[\x21-\x7e]*$/.test(accessKeyId + secretAccessKey + sessionToken)) return;
  throw Object.assign(new Error('The keys hold blanks or other characters that no key has.'), {
    name: 'CredentialsProviderError'
  });
}

/** What a credential_process wrote, and its own command line, may hold secrets that nobody here knows. */
function withoutOutput(error: Error): Error {
  if (!error.message.startsWith('Command failed: ')) return error;
  const told = new Error('The credential_process of the profile failed: run it by hand to see why.');
  return Object.assign(told, { name: error.name });
}

function baseProvider(sdk: Providers, signIn: SignIn, { region, ...clientConfig }: InnerClientOptions): Provider {
  const { source, keys, profile } = signIn;
  if (source === 'keys' && keys) return async () => keys;
  // Files are read anew each time, so that a login or rotated keys are seen without a restart. The region is for STS
  // alone: in `clientConfig` it would overrule the region of a profile's SSO portal.
  const shared = { clientConfig, parentClientConfig: { region }, ignoreCache: true };
  // The SDK's chain keeps what it found, so a new one is asked each time.
  const ask =
    source === 'profile'
      ? sdk.fromIni({ ...shared, profile: profile as string })
      : () => sdk.fromNodeProviderChain(shared)();
  return () =>
    ask().catch((error: Error) => {
      throw withoutOutput(error);
    });
}

/** How many identities are remembered: a role's and those of its keys, as they are now and as they were before. */
const remembered = 4;

/**
 * Makes the provider of an account. Nothing is loaded or asked before its first call. `options` is asked for then,
 * since the region may have to be looked up.
 */
export function signInProvider(signIn: SignIn, options: () => Promise<InnerClientOptions>): SignInProvider {
  /** The one used last at the end: keys that are used again and again must not drive the others out. */
  const identities = new Map<string, Identity>();
  const remember = (provider: Provider) => async (): Promise<Identity> => {
    const identity = await provider();
    checkCharacters(identity);
    identities.delete(identity.accessKeyId);
    identities.set(identity.accessKeyId, identity);
    const [oldest] = identities.keys();
    if (identities.size > remembered && oldest !== undefined) identities.delete(oldest);
    return identity;
  };
  const make = async (): Promise<Provider> => {
    const sdk: Providers = require('@aws-sdk/credential-providers');
    const clientOptions = await options();
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
    const assume = () =>
      sdk.fromTemporaryCredentials({ masterCredentials: share(base), params, clientConfig: clientOptions })();
    return remember(assume);
  };
  let made: Promise<Provider> | undefined;
  const shared = share(async () => {
    made ??= make();
    return (await made)();
  });
  return Object.assign(shared, {
    secrets: () =>
      [...identities.values()].flatMap(({ accessKeyId, secretAccessKey, sessionToken = '' }) => [
        accessKeyId,
        secretAccessKey,
        sessionToken
      ])
  });
}
