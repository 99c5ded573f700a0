/**
 * CreateSession of IAM Roles Anywhere, with the signature of a certificate's key (“The IAM Roles Anywhere authentication
 * signing process” and “CreateSession API” in its user guide).
 */
import { verify, X509Certificate } from 'node:crypto';
import { AwsError, validationError, violation } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { findRole, type Role, roles } from '../server/sign-ins';
import { checkClock, readAuthorization, refuse, stringToSign } from '../server/sigv4';
import { type CertificateSettings, isValidAt } from './iot';
import { profiles, trustAnchors } from './resources';

/** What a profile allows. */
interface Profile {
  readonly enabled: boolean;
  readonly roles: readonly string[];
  readonly acceptRoleSessionName: boolean;
}

const allows = (rest: Partial<Profile>): Profile => ({
  enabled: true,
  roles: [roles.device.arn],
  acceptRoleSessionName: false,
  ...rest
});

const profilesByArn: Record<string, Profile> = {
  [profiles.devices]: allows({}),
  [profiles.named]: allows({ acceptRoleSessionName: true }),
  [profiles.disabled]: allows({ enabled: false })
};

const denied = (message: string): AwsError => new AwsError(403, 'AccessDeniedException', message);
const notFound = (message: string): AwsError => new AwsError(404, 'ResourceNotFoundException', message);

const algorithms: Record<string, string> = { rsa: 'AWS4-X509-RSA-SHA256', ec: 'AWS4-X509-ECDSA-SHA256' };

function certificateFrom(text: string): X509Certificate {
  try {
    const certificate = new X509Certificate(Buffer.from(text, 'base64'));
    if (!certificate.serialNumber.startsWith('-')) return certificate;
  } catch {
    // As for one with a negative serial number.
  }
  throw denied('Untrusted certificate. Insufficient certificate');
}

/** The certificate that has signed a request, and those between it and the root. Throws AwsError. */
function checkSignature(call: ServiceCall, now: number): { leaf: X509Certificate; chain: X509Certificate[] } {
  const header = String(call.headers['x-amz-x509'] ?? '');
  const leaf = certificateFrom(header);
  const chainHeader = call.headers['x-amz-x509-chain'];
  const chain = chainHeader === undefined ? [] : String(chainHeader).split(',').map(certificateFrom);
  const algorithm = algorithms[leaf.publicKey.asymmetricKeyType ?? ''] ?? '';
  const signed = readAuthorization(call, algorithm);
  checkClock(call, signed.time, now);
  const needed = ['host', 'x-amz-date', 'x-amz-x509', ...(chainHeader === undefined ? [] : ['x-amz-x509-chain'])];
  const isRight =
    needed.every((name) => signed.signedHeaders.includes(name)) &&
    signed.accessKeyId === BigInt(`0x${leaf.serialNumber}`).toString() &&
    verify(
      'sha256',
      Buffer.from(stringToSign(call, signed, algorithm)),
      leaf.publicKey,
      Buffer.from(signed.signature, 'hex')
    );
  if (!isRight)
    throw refuse(call, 'mismatch', 'The request signature we calculated does not match the signature you provided.');
  return { leaf, chain };
}

const isSignedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** Throws AwsError if a certificate does not lead to a trust anchor, each of them by the next one. */
function checkChain(leaf: X509Certificate, chain: X509Certificate[], anchor: X509Certificate, now: number): void {
  let current = leaf;
  for (const next of chain) {
    if (isSignedBy(current, anchor)) break;
    if (!next.ca || !isSignedBy(current, next)) throw denied('Untrusted Signing Certificate');
    current = next;
    if (!isValidAt(current, now)) throw denied('Certificate expired');
  }
  if (!isSignedBy(current, anchor)) throw denied('Untrusted Signing Certificate');
  if (!isValidAt(leaf, now)) throw denied('Certificate expired');
}

/** A parameter, which may stand in the body or in the query. */
function text(call: ServiceCall, name: string): string {
  const value = call.input[name] ?? new URLSearchParams(call.query).get(name);
  if (typeof value === 'string') return value;
  throw validationError('ValidationException', [violation(undefined, name, 'not be null')]);
}

function checkDuration(seconds: number, role: Role): void {
  const member = 'durationSeconds';
  if (!(seconds >= 900 && seconds <= 43_200)) {
    const limit = seconds > 900 ? 'less than or equal to 43200' : 'greater than or equal to 900';
    throw validationError('ValidationException', [violation(String(seconds), member, `have value ${limit}`)]);
  }
  if (seconds > role.maxSessionDuration) {
    throw denied('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
}

/** Answers CreateSession. Throws AwsError. */
export function rolesAnywhere(call: ServiceCall, settings: CertificateSettings): Answer {
  const now = settings.now();
  const { leaf, chain } = checkSignature(call, now);
  const { devices } = settings;
  const anchors = { [trustAnchors.devices]: devices.root, [trustAnchors.other]: devices.stranger };
  const anchor = anchors[text(call, 'trustAnchorArn')];
  if (!anchor) throw notFound('Trust anchor not found');
  const profile = profilesByArn[text(call, 'profileArn')];
  if (!profile) throw notFound('Profile not found');
  if (!profile.enabled) throw denied('Profile is disabled');
  checkChain(leaf, chain, anchor.certificate, now);
  if (devices.isRevoked(leaf)) throw denied('Certificate revoked');
  const { roleSessionName } = call.input;
  if (roleSessionName !== undefined && !profile.acceptRoleSessionName) {
    throw denied('Not authorized to set roleSessionName.');
  }
  const roleArn = text(call, 'roleArn');
  const role: Role | undefined = findRole(roleArn);
  if (!role?.services?.includes('rolesanywhere.amazonaws.com') || !profile.roles.includes(roleArn)) {
    throw denied(`Unable to assume role for ${roleArn}`);
  }
  const duration = Number(call.input.durationSeconds ?? 3600);
  checkDuration(duration, role);
  const lifetime = settings.temporaryCredentialsSeconds ?? duration;
  const expires = Math.ceil(now / 1000 + lifetime) * 1000;
  const name = String(roleSessionName ?? leaf.serialNumber.toLowerCase());
  const session = settings.principals.startSession(role, name, expires);
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  const expiration = new Date(expires).toISOString().replace('.000Z', 'Z');
  return {
    status: 201,
    headers: { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId },
    body: JSON.stringify({
      credentialSet: [
        {
          assumedRoleUser: { arn: session.arn, assumedRoleId: session.userId },
          credentials: { accessKeyId, secretAccessKey, sessionToken, expiration },
          packedPolicySize: 10,
          roleArn,
          sourceIdentity: leaf.subject
        }
      ],
      subjectArn: trustAnchors.devices.replace('trust-anchor', 'subject')
    })
  };
}
