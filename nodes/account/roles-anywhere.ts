/** IAM Roles Anywhere: credentials for a request that is signed with the key of a certificate. */

import type { KeyObject } from 'node:crypto';
import { regionOfArn } from '../fields/fields';
import { memberOf } from '../fields/thrown';
import type { DeviceCertificate } from './certificate';
import type { Identity } from './identity';
import { credentialsIn, type Meaning } from './issued-credentials';
import type { RequestHandler } from './sdks';
import type { ServiceClock } from './service-clock';
import { certificateError } from './tls-node';
import { canSign, signedHeaders } from './x509-signature';

/** What a session of Roles Anywhere needs. */
export interface RolesAnywhereExchange {
  readonly kind: 'rolesAnywhere';
  readonly trustAnchorArn: string;
  readonly profileArn: string;
  readonly roleArn: string;
  /** The profile has to allow one. */
  readonly sessionName: string | undefined;
  /** Seconds. */
  readonly duration: number;
}

const meanings: readonly Meaning[] = [
  [
    /Untrusted Signing Certificate/i,
    'The certificate does not lead to the trust anchor: check the anchor, and add the certificates between them to the certificate or the CA of the TLS configuration.'
  ],
  [
    /Insufficient certificate/i,
    'IAM Roles Anywhere does not take this certificate: it has to lead to the trust anchor, to be of version 3, for digital signatures, and not that of an authority.'
  ],
  [/revoked/i, 'The certificate has been revoked: give the device a new one.'],
  [
    /roleSessionName/i,
    'The profile does not allow a session name: clear it in the aws-account, or let the profile accept one (acceptRoleSessionName).'
  ],
  [
    /assume role/i,
    'The role cannot be assumed: the profile has to name it, and its trust policy to allow rolesanywhere.amazonaws.com sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity.'
  ],
  [/disabled/i, 'The profile or the trust anchor is disabled: enable it in IAM Roles Anywhere.'],
  [/trust anchor/i, 'There is no such trust anchor: check its ARN.'],
  [/profile/i, 'There is no such profile: check its ARN, and that it is in the region of the trust anchor.'],
  [
    /MaxSessionDuration/i,
    'The role does not allow sessions that long: shorten the duration in the aws-account, or allow it in the role.'
  ]
];

/** The endpoint of Roles Anywhere in the region and partition of a trust anchor. */
function endpointOf(trustAnchorArn: string, region: string): string {
  const [, partition] = trustAnchorArn.split(':', 2);
  return `https://rolesanywhere.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/** Reads the JSON of CreateSession. */
function firstOf(json: unknown): unknown {
  const set = memberOf(json, 'credentialSet');
  return Array.isArray(set) ? memberOf(set[0], 'credentials') : undefined;
}

/** The key that can sign for a session. Throws `CertificateError` if there is none. */
function signingKey(key: KeyObject | undefined): KeyObject {
  if (!key) {
    throw certificateError(
      'IAM Roles Anywhere cannot be used with a PFX file: put the certificate and its key into the TLS configuration as PEM.'
    );
  }
  if (canSign(key)) return key;
  throw certificateError(
    'IAM Roles Anywhere takes RSA and EC keys only: the key of this certificate is of another kind.'
  );
}

/** What the request for a session needs of the account. */
interface SessionOptions {
  requestHandler: RequestHandler;
  endpoint?: string | undefined;
  clock: ServiceClock;
}

/**
 * Starts a session. If AWS refuses the time of the signature, the clock is right afterwards and the request is sent again.
 * Rejects with `CertificateError`, the service's error, or that of the network.
 */
export async function createSession(
  { trustAnchorArn, profileArn, roleArn, sessionName, duration }: RolesAnywhereExchange,
  certificate: DeviceCertificate,
  { requestHandler, endpoint, clock }: SessionOptions
): Promise<Identity> {
  const signer = { leaf: certificate.leaf, chain: certificate.chain, key: signingKey(certificate.key) };
  const region = regionOfArn(trustAnchorArn) ?? 'us-east-1';
  const url = new URL(`${(endpoint ?? endpointOf(trustAnchorArn, region)).replace(/\/$/, '')}/sessions`);
  const body = JSON.stringify({
    durationSeconds: duration,
    profileArn,
    roleArn,
    trustAnchorArn,
    ...(sessionName !== undefined && { roleSessionName: sessionName })
  });
  const ask = async () => {
    const signed = { url, contentType: 'application/json', body, region, date: new Date(clock.at()) };
    const { response } = await requestHandler.handle({
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port && { port: Number(url.port) }),
      method: 'POST',
      path: url.pathname,
      headers: signedHeaders(signed, signer),
      body
    } as never);
    return response;
  };
  const first = await ask();
  const isMistimed = first.statusCode >= 400 && clock.isMistimed(first);
  if (isMistimed) first.body.destroy();
  const asked = { service: 'rolesanywhere', operation: 'CreateSession', meanings };
  return credentialsIn(isMistimed ? await ask() : first, asked, firstOf);
}
