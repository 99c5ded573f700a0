/** Where the keys of an account come from, and what their errors mean. */
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { ownError } from '../fields/errors';
import type { Credentials } from '../fields/fields';
import { show } from '../fields/fields';
import { assumeRole, stsOptions, type TimedOptions } from './assume-role';
import type { CertificateSignIn } from './certificate-sign-in';
import { endpointOptions } from './endpoint-options';
import { type Identity, noKeys, type Provider } from './identity';

type Providers = typeof import('@aws-sdk/credential-providers');

type WebIdentity = Parameters<NonNullable<Parameters<Providers['fromWebToken']>[0]['roleAssumerWithWebIdentity']>>[0];

/** A source of keys: the checked properties of an `aws-account`. */
export interface Source {
  source: 'default' | 'keys' | 'profile' | 'certificate';
  profile?: string | undefined;
  keys?: Credentials | undefined;
  certificate?: CertificateSignIn | undefined;
}

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

/** The longest time that a source may take, ms: it may be a program that asks a portal, or need three requests. */
const longestAnswer = 60_000;

/** Rejects with `Timeout` if a source takes longer: all messages of the account wait for it. `what` begins the text. */
export function inTime<T>(answer: Promise<T>, what: string): Promise<T> {
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

export function sourceProvider(origin: Source, options: TimedOptions): Provider {
  const { source, keys, profile, certificate } = origin;
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
    roleAssumer: (masterCredentials: Identity, params: AssumeRoleCommandInput) =>
      assumeRole(masterCredentials, params, options),
    roleAssumerWithWebIdentity: ({ RoleArn, RoleSessionName, WebIdentityToken }: WebIdentity) =>
      sdk.fromWebToken({
        roleArn: RoleArn,
        roleSessionName: RoleSessionName,
        webIdentityToken: WebIdentityToken,
        clientConfig
      })()
  };
  // The SDK's chain caches its result, so a new one is made each time.
  const ask =
    source === 'profile'
      ? sdk.fromIni({ ...init, ...(profile !== undefined && { profile }) })
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
