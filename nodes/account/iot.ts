/** The credentials provider of AWS IoT Core: credentials for a certificate that is shown in the TLS handshake. */
import { memberOf } from '../fields/thrown';
import type { DeviceCertificate } from './certificate';
import type { Identity } from './identity';
import { credentialsIn, type Meaning } from './issued-credentials';
import { couldNotConnect } from './network-failures';
import type { RequestHandler } from './sdks';
import { certificateError } from './tls-node';

/** Where IoT Core is asked, and for what. */
export interface IotExchange {
  readonly kind: 'iot';
  /** A host, or host and port. */
  readonly endpoint: string;
  readonly roleAlias: string;
  readonly thingName: string | undefined;
}

/** The errors that awslabs/aws-iot-core-credential-provider-session-helper has noted, and what to do. */
const meanings: readonly Meaning[] = [
  [
    /^Certificate is invalid on this endpoint/,
    'AWS IoT Core does not know this certificate, or it is not active: register and activate it in the account and region of the endpoint.'
  ],
  [
    /^Invalid thing name/,
    'The certificate is not attached to this thing: attach it in AWS IoT Core, or correct or clear the thing name.'
  ],
  [
    /^Access Denied/i,
    'No policy of the certificate allows iot:AssumeRoleWithCertificate for this role alias: attach one in AWS IoT Core.'
  ],
  [
    /^Role alias does not exist/,
    'There is no such role alias: check its name, and the account and region of the endpoint.'
  ],
  [
    /^Unable to assume the role/,
    'AWS IoT Core cannot assume the role of the alias: it has to exist, and its trust policy to allow credentials.iot.amazonaws.com to assume it.'
  ],
  [
    /CredentialDurationSeconds exceeds/,
    'The role alias asks for longer sessions than its role allows: shorten those of the alias, or allow longer ones in the role.'
  ],
  [
    /^Not Found/i,
    'This is not the credentials provider of AWS IoT Core: aws iot describe-endpoint --endpoint-type iot:CredentialProvider says its host.'
  ]
];

/** The alerts of TLS (RFC 8446, section 6.2) by which a server refuses a certificate, in OpenSSL's words. */
const refusals = /alert ((?:[a-z]+ )?certificate[a-z ]*|unknown ca|access denied|decrypt error|handshake failure)/;

/** Codes of connections that the other side has ended. */
const ended: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

/** The error for a server that does not take the certificate in the handshake; others stay as they are. */
function handshakeError(thrown: Error & { code?: unknown }): Error {
  const { code, message } = thrown;
  if (couldNotConnect(thrown)) return thrown;
  const [, alert] = refusals.exec(message.replaceAll('_', ' ').toLowerCase()) ?? [];
  if (alert !== undefined) {
    const text = `The credentials provider refuses the certificate in the TLS handshake (${alert}): check that it is registered there and active.`;
    return certificateError(text);
  }
  if (!ended.has(code)) return thrown;
  const text =
    'The credentials provider has ended the connection without an answer: it does not take the certificate, which has to be registered there and active, or the network is bad.';
  return certificateError(text, { retryable: true, cause: { name: String(code), message } });
}

/** Asks for credentials. Rejects with `CertificateError`, IoT Core's error, or that of the network. */
export async function askIot(
  { endpoint, roleAlias, thingName }: IotExchange,
  { context }: DeviceCertificate,
  handlerWith: (host: string, options: object) => RequestHandler
): Promise<Identity> {
  const { hostname, port, host } = new URL(`https://${endpoint}`);
  const handler = handlerWith(host, { secureContext: context, rejectUnauthorized: true });
  const request = {
    protocol: 'https:',
    hostname,
    ...(port && { port: Number(port) }),
    method: 'GET',
    path: `/role-aliases/${encodeURIComponent(roleAlias)}/credentials`,
    headers: { host, ...(thingName !== undefined && { 'x-amzn-iot-thingname': thingName }) }
  };
  try {
    const { response } = await handler.handle(request as never).catch((thrown) => {
      throw handshakeError(thrown);
    });
    const asked = { service: 'iot', operation: 'AssumeRoleWithCertificate', meanings };
    return await credentialsIn(response, asked, (json) => memberOf(json, 'credentials'));
  } finally {
    handler.destroy?.();
  }
}
