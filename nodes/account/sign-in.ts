/** The sign-in of an account: its source of keys, and the role that it assumes with them. */
import { assumeRole, type InnerClientOptions, type TimedOptions } from './assume-role';
import { checkKeys, type Identity, type Provider } from './identity';
import { ServiceClock } from './service-clock';
import { type SharedProvider, share } from './shared-credentials';
import { inTime, type Source, sourceProvider } from './sources';

/** The sign-in of an account. */
export interface SignInProvider extends SharedProvider {
  /** All secrets that requests in flight may carry, to be struck out of texts. */
  secrets(): string[];
}

/** Where an account's keys come from, and the role that is assumed with them. */
export interface SignIn extends Source {
  role?: { arn: string; sessionName: string; duration: number; externalId?: string | undefined } | undefined;
}

/** How many identities are remembered: the current and the previous ones of a role and of the keys that assume it. */
const remembered = 4;

/** The identities that an account has used last: requests in flight may still carry them. */
class RecentIdentities {
  /** By access key ID; the one that was used last comes last, so that the oldest can be dropped. */
  readonly #identities = new Map<string, Identity>();

  /** The same provider, whose identities are checked and remembered. */
  of(provider: Provider): Provider {
    return async () => {
      const identity = await provider();
      checkKeys(identity);
      this.#add(identity);
      return identity;
    };
  }

  secrets(): string[] {
    return [...this.#identities.values()].flatMap(({ accessKeyId, secretAccessKey, sessionToken = '' }) => [
      accessKeyId,
      secretAccessKey,
      sessionToken
    ]);
  }

  #add(identity: Identity): void {
    this.#identities.delete(identity.accessKeyId);
    this.#identities.set(identity.accessKeyId, identity);
    const [oldest] = this.#identities.keys();
    if (this.#identities.size > remembered && oldest !== undefined) this.#identities.delete(oldest);
  }
}

/** The provider of a sign-in, with its role. */
function providerOf(signIn: SignIn, options: TimedOptions, recent: RecentIdentities): Provider {
  const base = recent.of(sourceProvider(signIn, options));
  if (!signIn.role) return base;
  const { arn, sessionName, duration, externalId } = signIn.role;
  const params = {
    RoleArn: arn,
    RoleSessionName: sessionName,
    DurationSeconds: duration,
    ...(externalId && { ExternalId: externalId })
  };
  const what = `The role ${arn} could not be assumed: STS, or what its keys come from, did not answer`;
  // The SDK asks for the keys more than once per request. They are shared for one request only.
  return recent.of(() => inTime(assumeRole(share(base, options.clock), params, options), what));
}

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
  const recent = new RecentIdentities();
  const make = async () => providerOf(signIn, { ...(await options()), clock }, recent);
  let made: Promise<Provider> | undefined;
  const ask = async (): Promise<Identity> => {
    made ??= make();
    const identity = await (await made)();
    await verify();
    return identity;
  };
  return Object.assign(share(ask, clock, renewalFailed), { secrets: () => recent.secrets() });
}
