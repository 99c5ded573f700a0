/** The sign-in of an account: its source of keys, and the role that it assumes with them. */
import { assumeRole, type InnerClientOptions } from './assume-role';
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
    const base = remember(sourceProvider(signIn, clientOptions));
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
