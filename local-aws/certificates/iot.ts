/**
 * The credentials provider of AWS IoT Core: `GET /role-aliases/<alias>/credentials` over mutual TLS. Its errors are those
 * that awslabs/aws-iot-core-credential-provider-session-helper has noted (docs/dev_notes.md, October 2024).
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { AwsError } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import type { Principals, Role } from '../server/sign-ins';
import { type Devices, traceId } from './devices';
import { roleAliases } from './resources';

/** What both services need to know of the server. */
export interface CertificateSettings {
  readonly principals: Principals;
  readonly devices: Devices;
  /** The server's clock, ms since the epoch. */
  now(): number;
  /** If set, temporary credentials last as long as this, whatever was asked for. */
  readonly temporaryCredentialsSeconds: number | undefined;
}

/** Whether a certificate is valid at a time, ms since the epoch. */
export const isValidAt = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  Date.parse(validFrom) <= now && now < Date.parse(validTo);

/**
 * Whether IoT Core ends a connection at once: without a server name or a certificate, and with a certificate that it does
 * not know or that is not valid.
 */
export function refusesConnection(socket: TLSSocket, devices: Devices, now: number): boolean {
  const certificate = socket.getPeerX509Certificate();
  return !socket.servername || !certificate || !devices.find(certificate) || !isValidAt(certificate, now);
}

const refuse = (status: number, code: string, message: string): AwsError =>
  new AwsError(status, code, message, { fields: { traceId: traceId() } });

/** The role and the lifetime of its credentials, s. Throws AwsError. */
function allowedAlias(call: ServiceCall, certificate: X509Certificate | undefined, devices: Devices) {
  const known = certificate && devices.find(certificate);
  if (!known?.isActive) throw refuse(403, 'AccessDeniedException', 'Certificate is invalid on this endpoint');
  const thing = call.headers['x-amzn-iot-thingname'];
  if (thing !== undefined && !known.things.includes(String(thing))) {
    throw refuse(403, 'AccessDeniedException', 'Invalid thing name passed');
  }
  const { roleAlias } = call.input;
  if (known.aliases && !known.aliases.includes(String(roleAlias))) {
    throw refuse(403, 'AccessDeniedException', 'Access Denied');
  }
  const alias = Object.values(roleAliases).find(({ name }) => name === roleAlias);
  if (!alias) throw refuse(404, 'ResourceNotFoundException', 'Role alias does not exist');
  return alias;
}

/** Answers a request for credentials. Throws AwsError. */
export function iot(
  call: ServiceCall,
  certificate: X509Certificate | undefined,
  settings: CertificateSettings
): Answer {
  const { role, seconds } = allowedAlias(call, certificate, settings.devices);
  if (!(role as Role).services?.includes('credentials.iot.amazonaws.com')) {
    const text = 'Unable to assume the role, or the role to assume does not exist';
    throw refuse(400, 'InvalidRequestException', text);
  }
  const lifetime = settings.temporaryCredentialsSeconds ?? seconds;
  const expires = Math.ceil(settings.now() / 1000 + lifetime) * 1000;
  const sessionName = (certificate?.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  const session = settings.principals.startSession(role, sessionName.slice(0, 64), expires);
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  const expiration = new Date(expires).toISOString().replace('.000Z', 'Z');
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId },
    body: JSON.stringify({ credentials: { accessKeyId, secretAccessKey, sessionToken, expiration } })
  };
}
