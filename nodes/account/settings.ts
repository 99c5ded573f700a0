/** The properties of an `aws-account`, and the clients that are made of them. */
import type { Node, NodeAPI } from 'node-red';
import { invalid } from '../fields/errors';
import type { Field, Fields, Inputs } from '../fields/fields';
import {
  choice,
  configNode,
  flag,
  optional,
  plainNumber,
  plainText,
  regionIs,
  regionOfArn,
  regionPattern,
  stored
} from '../fields/fields';
import type { Config } from '../fields/read';
import { readAll } from '../fields/read';
import { isOfVariable, storedNode } from '../fields/values';
import type { Budget, Meter } from '../metering/meter';
import { toNanodollars, unlimited } from '../metering/meter';
import { looseMeter, meterOf } from '../metering/meters';
import { isDescribed } from './account';
import { CallLog, callsOf, idInFlow } from './calls';
import type { CertificateSummary } from './certificate';
import { CertificateSignIn, type Exchange } from './certificate-sign-in';
import { Clients } from './clients';
import { regionName } from './regions';
import type { SignIn } from './sign-in';
import { readTlsNode } from './tls-node';

const role = { roleArn: 'filled' } as const;
const withCertificate = { source: ['certificate'] } as const;
const iot = { ...withCertificate, exchange: ['iot'] } as const;
const anywhere = { ...withCertificate, exchange: ['rolesAnywhere'] } as const;

const roleArnPattern = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const roleArnIs = 'the ARN of a role, such as arn:aws:iam::123456789012:role/name';

/** A host name or IPv6 address in brackets, with an optional port up to 65535. */
const hostPattern =
  /^([\w.-]+|\[[\da-f:.]+\])(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?$/i;
const hostIs = 'a host such as c1abc.credentials.iot.eu-west-1.amazonaws.com, without https://';

const host = plainText({ pattern: hostPattern, is: hostIs, takes: 'host', when: iot, icon: 'server' });

/** The pattern alone would accept addresses such as 256.1.1.1. */
function checkHost(given: unknown, name: string): string {
  const endpoint = host.check(given, name);
  if (!URL.canParse(`https://${endpoint}`)) throw invalid(name, `must be ${hostIs}.`);
  return endpoint;
}

/** The ARN of a resource of IAM Roles Anywhere. */
const anywhereArn = (kind: string, icon: string) =>
  plainText({
    pattern: new RegExp(`^arn:aws[a-z-]*:rolesanywhere:[a-z0-9-]+:\\d{12}:${kind}/[\\w-]+$`),
    is: `an ARN such as arn:aws:rolesanywhere:eu-west-1:123456789012:${kind}/…`,
    takes: 'ARN',
    when: anywhere,
    icon
  });

const key = { pattern: /^[\x21-\x7e]+$/, is: 'text without blanks', when: { source: ['keys'] } };
/** A secret has 40 characters, by which it is known in the place of the ID, and an ID of AWS begins with AKIA or ASIA. */
const keyId = {
  ...key,
  pattern: /^(?!(?!AKIA|ASIA)[A-Za-z0-9/+]{40}$)[\x21-\x7e]+$/,
  is: 'text without blanks, such as AKIA…, and not the secret access key'
};
const secretKey = {
  ...key,
  pattern: /^(?!(?:AKIA|ASIA)[A-Z0-9]{16}$)[\x21-\x7e]+$/,
  is: 'text without blanks, and not the access key ID'
};

const endpointIs = 'a URL such as http://localhost:4566, without a user name in it';
/** A host or IPv6 address in brackets, an optional port up to 65535, an optional path. */
const endpointPattern =
  /^https?:\/\/([\w.-]+|\[[\da-f:.]+\])(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?(\/[^\s@?#]*)?$/i;

const endpoint = plainText({ pattern: endpointPattern, is: endpointIs, takes: 'URL', advanced: true, icon: 'plug' });

/** The pattern alone would accept addresses such as http://256.1.1.1. */
function checkEndpoint(given: unknown, name: string): string {
  const url = endpoint.check(given, name);
  if (!URL.canParse(url)) throw invalid(name, `must be ${endpointIs}.`);
  return url;
}

const budgetFields = {
  budget: optional(plainNumber('', { min: 0, max: 1_000_000, takes: 'US dollars', icon: 'money' })),
  budgetPeriod: choice(['month', 'day'], { icon: 'calendar' })
} satisfies Fields;

/** The fields of an `aws-account`. */
export const fields = {
  source: choice(['default', 'keys', 'profile', 'certificate'], { icon: 'sign-in' }),
  accessKeyId: stored('text', { ...keyId, icon: 'user' }),
  secretAccessKey: stored('password', { ...secretKey, icon: 'lock' }),
  sessionToken: optional(stored('password', { ...key, icon: 'ticket' })),
  profile: plainText({ when: { source: ['profile'] }, offers: 'profiles', icon: 'id-card-o' }),
  tls: configNode('tls-config', { when: withCertificate, icon: 'certificate' }),
  exchange: choice(['iot', 'rolesAnywhere'], { when: withCertificate, icon: 'exchange' }),
  credentialEndpoint: { ...host, check: checkHost },
  roleAlias: plainText({
    pattern: /^[\w=,@-]{1,128}$/,
    is: '1 to 128 letters, digits and = , @ - _',
    when: iot,
    icon: 'id-badge'
  }),
  thingName: optional(
    plainText({
      pattern: /^[\w:-]{1,128}$/,
      is: '1 to 128 letters, digits and : - _',
      when: iot,
      icon: 'cube'
    })
  ),
  trustAnchorArn: anywhereArn('trust-anchor', 'anchor'),
  profileArn: anywhereArn('profile', 'id-card-o'),
  certificateRoleArn: plainText({
    pattern: roleArnPattern,
    is: roleArnIs,
    takes: 'ARN',
    when: anywhere,
    icon: 'user-secret'
  }),
  region: optional(plainText({ pattern: regionPattern, is: regionIs, offers: 'regions', icon: 'globe' })),
  roleArn: optional(
    plainText({
      pattern: roleArnPattern,
      is: roleArnIs,
      takes: 'ARN',
      icon: 'user-secret'
    })
  ),
  externalId: optional(
    stored('text', {
      pattern: /^[\w+=,.@:/-]{2,1224}$/,
      is: '2 to 1224 letters, digits and + = , . @ : / - _',
      when: role,
      icon: 'shield'
    })
  ),
  sessionName: optional(
    plainText({
      pattern: /^[\w+=,.@-]{2,64}$/,
      is: '2 to 64 letters, digits and + = , . @ - _',
      when: [role, anywhere],
      advanced: true,
      icon: 'tag'
    })
  ),
  duration: plainNumber(3600, {
    min: 900,
    max: 43_200,
    integer: true,
    takes: 'seconds',
    when: [role, anywhere],
    advanced: true,
    icon: 'clock-o'
  }),
  ...budgetFields,
  endpoint: optional({ ...endpoint, check: checkEndpoint }),
  validate: flag(true, { advanced: true }),
  rekognitionRate: plainNumber(5, { min: 0, max: 10_000, advanced: true, icon: 'tachometer' }),
  showResults: flag(false, { advanced: true })
} satisfies Fields;

type Settings = Inputs<typeof fields>;
/** The credentials of an account in Node-RED's store: texts, or the value of an environment variable. */
export type StoredCredentials = Partial<
  Record<'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'externalId', unknown>
>;

/** Spaces around a key come from pasting. */
const trimmed = (value: unknown): unknown => (typeof value === 'string' ? value.trim() : value);

/** Reads and checks all properties and credentials. Throws `MissingValue` or `InvalidValue`. */
export function readSettings(RED: NodeAPI, node: Node, config: Config, credentials: StoredCredentials): Settings {
  // Secrets are taken from the credential store only, never from the flow itself.
  const kept: Record<string, unknown> = {};
  const given: Readonly<Record<string, unknown>> = credentials;
  for (const [name, field] of Object.entries<Field>(fields)) if (field.stored) kept[name] = trimmed(given[name]);
  return readAll(RED, node, { ...config, ...kept }, fields);
}

/** A valid session name: IDs of nodes in subflows may be too long, and those of old flows contain other characters. */
const defaultSessionName = (id: string) => `node-red-${id}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);

/** The longest session of a role that is assumed by a role, seconds. */
const longestChained = 3600;

/** The exchange of a certificate; `undefined` for another sign-in. */
function exchangeFrom(settings: Partial<Settings>): Exchange | undefined {
  const { source, exchange, credentialEndpoint, roleAlias, thingName } = settings;
  const { trustAnchorArn, profileArn, certificateRoleArn, sessionName, duration = 3600 } = settings;
  if (source !== 'certificate') return undefined;
  if (exchange !== 'rolesAnywhere') {
    return credentialEndpoint && roleAlias
      ? { kind: 'iot', endpoint: credentialEndpoint, roleAlias, thingName }
      : undefined;
  }
  return trustAnchorArn && profileArn && certificateRoleArn
    ? { kind: 'rolesAnywhere', trustAnchorArn, profileArn, roleArn: certificateRoleArn, sessionName, duration }
    : undefined;
}

/** The region in the host of a credentials provider. */
const regionOfHost = (endpoint: string): string | undefined =>
  /\.credentials\.iot(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?(?::\d+)?$/i
    .exec(endpoint)?.[1]
    ?.toLowerCase();

/** The region that the exchange of a certificate names. */
function regionOf(exchange: Exchange | undefined): string | undefined {
  if (exchange?.kind === 'iot') return regionOfHost(exchange.endpoint);
  return exchange && regionOfArn(exchange.trustAnchorArn);
}

/** The sign-in of checked settings. Fields that the dialog does not show are `undefined`. */
function signInFrom(settings: Partial<Settings>, id: string, certificate: CertificateSignIn | undefined): SignIn {
  const { source = 'default', profile, accessKeyId, secretAccessKey, sessionToken } = settings;
  const { roleArn, externalId, sessionName = defaultSessionName(id), duration = 3600 } = settings;
  return {
    source,
    profile,
    keys:
      accessKeyId && secretAccessKey
        ? { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
        : undefined,
    certificate,
    role: roleArn
      ? {
          arn: roleArn,
          sessionName,
          duration: certificate ? Math.min(duration, longestChained) : duration,
          externalId
        }
      : undefined
  };
}

/** Values of variables that errors may quote: regions and ARNs. Any other value may be meant to be secret. */
const telling = new RegExp(`^(?:${regionName}|arn:.*)$`);

/** The values of environment variables that no error may quote; of an endpoint its host, too. */
function hiddenIn(RED: NodeAPI, node: Node, config: Config, settings: Settings): string[] {
  // Once for all settings: with many nodes, each walk takes its time.
  const stored = storedNode(RED, node);
  const values = Object.entries(settings).filter(
    ([name, value]) => typeof value === 'string' && isOfVariable(RED, node, name, config[name], stored)
  );
  return values
    .flatMap(([, value]) =>
      URL.canParse(String(value)) ? [String(value), new URL(String(value)).host] : [String(value)]
    )
    .filter((value) => !telling.test(value));
}

/** The budget of an account; none if it is not valid, in which case the account does not work. */
export function budgetFrom(RED: NodeAPI, node: Node, config: Config): Budget {
  try {
    const { budget, budgetPeriod } = readAll(RED, node, config, budgetFields);
    return { most: budget === undefined ? undefined : toNanodollars(budget), unit: budgetPeriod };
  } catch {
    return unlimited;
  }
}

/** What an account wants to know of its sign-ins. */
export interface SignInNotices {
  /** A sign-in has used this certificate. */
  certificateSeen?(summary: CertificateSummary): void;
  /** Credentials could not be renewed, and the old ones are still valid. */
  renewalFailed?(error: unknown): void;
}

/** Makes the clients of an account. Throws `InvalidValue` if the environment names a proxy that is not valid. */
export function clientsFrom(
  RED: NodeAPI,
  node: Node,
  config: Config,
  settings: Settings,
  meter: Meter,
  { certificateSeen, renewalFailed }: SignInNotices = {}
): Clients {
  const { endpoint, rekognitionRate, tls } = settings;
  const hidden = hiddenIn(RED, node, config, settings);
  const exchange = exchangeFrom(settings);
  const certificate = exchange && new CertificateSignIn(() => readTlsNode(RED, tls), exchange, certificateSeen);
  const { region = regionOf(exchange) } = settings;
  const signIn = signInFrom(settings, node.id, certificate);
  return new Clients({
    signIn,
    region,
    endpoint,
    rekognitionRate,
    hidden,
    meter,
    calls: new CallLog(callsOf(RED), idInFlow(node)),
    ...(renewalFailed && { renewalFailed })
  });
}

/**
 * Makes the clients of an account that does not run, from its dialog or its flow. What they send is counted if the account is
 * deployed, and stopped by `budget` only. Throws `MissingValue` or `InvalidValue`.
 */
export function openAccount(
  RED: NodeAPI,
  node: Node,
  config: Config,
  credentials: StoredCredentials,
  budget: Budget = unlimited
): Clients {
  const settings = readSettings(RED, node, config, credentials);
  const meter = isDescribed(RED, node.id)
    ? meterOf(RED, node.id, budget, (text) => RED.log.warn(text))
    : looseMeter(budget);
  return clientsFrom(RED, node, config, settings, meter);
}
