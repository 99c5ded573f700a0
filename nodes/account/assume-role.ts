/** Assumes roles with the SDK's client for STS. */
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import type { ExchangeOptions } from './certificate-sign-in';
import { endpointOptions } from './endpoint-options';
import { type Identity, noKeys, type Provider } from './identity';
import type { Endpoints } from './profiles';
import type { RequestHandler } from './sdks';
import { sdkOf } from './sdks';
import { type ServiceClock, signForTimeOf } from './service-clock';

/** Options for the SDK's own STS and SSO clients, which some sources need. */
export interface InnerClientOptions {
  region: string;
  endpoints?: Pick<Endpoints, 'sts' | 'sso' | 'rolesanywhere'>;
  requestHandler?: RequestHandler;
  /** For the exchange of a certificate. */
  handlerWith?: ExchangeOptions['handlerWith'];
}

/** The same, with the clock for signatures. */
export interface TimedOptions extends InnerClientOptions {
  clock: ServiceClock;
}

/** The options of clients for STS. */
export const stsOptions = ({ region, endpoints = {}, requestHandler }: InnerClientOptions) => ({
  region,
  ...endpointOptions(endpoints.sts),
  ...(requestHandler && { requestHandler })
});

/**
 * Assumes a role. If AWS refuses the time of the signature, the clock is right afterwards and the role is assumed
 * again.
 */
export async function assumeRole(
  masterCredentials: Identity | Provider,
  params: AssumeRoleCommandInput,
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
