/** The properties of an `aws-account`, and what becomes of them. */
import type { Node, NodeAPI } from 'node-red';
import { invalid } from '../fields/errors';
import type { Fields, Inputs } from '../fields/fields';
import { choice, flag, optional, plainNumber, plainText, regionIs, regionPattern, stored } from '../fields/fields';
import type { Config } from '../fields/read';
import { readAll } from '../fields/read';
import { isOfVariable } from '../fields/values';
import { Clients } from './clients';
import { regionName } from './regions';
import type { SignIn } from './sign-in';

const role = { roleArn: 'filled' } as const;

const key = { pattern: /^[\x21-\x7e]+$/, is: 'text without blanks', when: { source: ['keys'] } };

const endpointIs = 'a URL such as http://localhost:4566, without a user name in it';
/** Host or bracketed IPv6 address, port up to 65535, path. */
const endpointPattern =
  /^https?:\/\/([\w.-]+|\[[\da-f:.]+\])(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?(\/[^\s@?#]*)?$/i;

const endpoint = plainText({ pattern: endpointPattern, is: endpointIs, takes: 'URL', advanced: true, icon: 'plug' });

/** The pattern lets addresses such as http://256.1.1.1 through. */
function checkEndpoint(given: unknown, name: string): string {
  const url = endpoint.check(given, name);
  if (!URL.canParse(url)) throw invalid(name, `must be ${endpointIs}.`);
  return url;
}

/** What an account consists of. */
export const fields = {
  source: choice(['default', 'keys', 'profile'], { icon: 'sign-in' }),
  accessKeyId: stored('text', { ...key, icon: 'user' }),
  secretAccessKey: stored('password', { ...key, icon: 'lock' }),
  sessionToken: optional(stored('password', { ...key, icon: 'ticket' })),
  profile: plainText({ when: { source: ['profile'] }, offers: 'profiles', icon: 'id-card-o' }),
  region: optional(plainText({ pattern: regionPattern, is: regionIs, offers: 'regions', icon: 'globe' })),
  roleArn: optional(
    plainText({
      pattern: /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
      is: 'the ARN of a role, such as arn:aws:iam::123456789012:role/name',
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
      when: role,
      advanced: true,
      icon: 'tag'
    })
  ),
  duration: plainNumber(3600, {
    min: 900,
    max: 43_200,
    integer: true,
    takes: 'seconds',
    when: role,
    advanced: true,
    icon: 'clock-o'
  }),
  endpoint: optional({ ...endpoint, check: checkEndpoint }),
  validate: flag(true, { advanced: true }),
  rekognitionRate: plainNumber(5, { min: 0, max: 10_000, advanced: true, icon: 'tachometer' })
} satisfies Fields;

type Settings = Inputs<typeof fields>;
/** Texts, or what a variable holds that stands in place of one. */
/** The credentials that Node-RED keeps of an account. */
export type StoredCredentials = Partial<
  Record<'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'externalId', unknown>
>;

/** Blanks around a key come from pasting. */
const trimmed = (value: unknown): unknown => (typeof value === 'string' ? value.trim() : value);

/** Reads and checks all properties and credentials. Throws `MissingValue` or `InvalidValue`. */
export function readSettings(RED: NodeAPI, node: Node, config: Config, credentials: StoredCredentials): Settings {
  // A secret that stands in the flow itself is not looked at: its place is the credential store.
  const stored = Object.keys(fields).filter((name) => (fields as Fields)[name]?.stored);
  const kept = stored.map((name) => [name, trimmed(credentials[name as keyof StoredCredentials])]);
  const all = { ...config, ...Object.fromEntries(kept) };
  return readAll(RED, node, all, fields);
}

/** As the service takes it: ids of nodes in subflows can be long, and those of old flows hold other characters. */
const defaultSessionName = (id: string) => `node-red-${id}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);

/** Fields that are not shown are `undefined`, those that are shown have been checked. */
function signInFrom(settings: Partial<Settings>, id: string): SignIn {
  const { source = 'default', profile, accessKeyId, secretAccessKey, sessionToken } = settings;
  const { roleArn, externalId, sessionName = defaultSessionName(id), duration = 3600 } = settings;
  return {
    source,
    profile,
    keys:
      accessKeyId && secretAccessKey
        ? { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
        : undefined,
    role: roleArn ? { arn: roleArn, sessionName, duration, externalId } : undefined
  };
}

/** A region of AWS, or a role, is what its variable is there for; anything else may be meant to be seen by nobody. */
const telling = new RegExp(`^(?:${regionName}|arn:.*)$`);

/** What variables hold: an endpoint is quoted by its host. */
function hiddenIn(RED: NodeAPI, node: Node, config: Config, settings: Settings): string[] {
  const values = Object.entries(settings).filter(
    ([name, value]) => typeof value === 'string' && isOfVariable(RED, node, name, config[name])
  );
  return values
    .flatMap(([, value]) =>
      URL.canParse(String(value)) ? [String(value), new URL(String(value)).host] : [String(value)]
    )
    .filter((value) => !telling.test(value));
}

/** Makes the clients of an account. Throws `InvalidValue` where the environment names a proxy that is none. */
export function clientsFrom(RED: NodeAPI, node: Node, config: Config, settings: Settings): Clients {
  const { region, endpoint, rekognitionRate } = settings;
  const hidden = hiddenIn(RED, node, config, settings);
  return new Clients({ signIn: signInFrom(settings, node.id), region, endpoint, rekognitionRate, hidden });
}

/** Makes the clients of an account that does not run, of what its dialog or its flow says. Throws what is wrong with that. */
export const openAccount = (RED: NodeAPI, node: Node, config: Config, credentials: StoredCredentials): Clients =>
  clientsFrom(RED, node, config, readSettings(RED, node, config, credentials));
