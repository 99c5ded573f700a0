/** The connection test of an account's dialog: who a sign-in is, or what is wrong with it. */
import type { Node, NodeAPI } from 'node-red';
import { accountFrom, describedAccount, isAccount } from './account';
import type { Clients } from './clients';
import { textOf } from './errors';
import type { Fields } from './fields';
import type { Config } from './read';
import { redact } from './redaction';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import { sdkOf } from './sdks';
import { toActionError } from './to-action-error';
import { namesVariable } from './values';
import { within } from './within';

/** Who a sign-in is. */
interface Identity {
  /** The account's number. */
  account: string;
  arn: string;
  region: string;
}

/** What the test of a sign-in that works tells; `way` is where the default chain has found keys. */
export interface Connection extends Identity {
  way?: string | undefined;
}

/** Asks STS whose the keys are; no permission is needed for it. Rejects with what the SDK throws. */
export async function callerIdentity(clients: Clients, signal: AbortSignal): Promise<Identity> {
  const { GetCallerIdentityCommand } = sdkOf('sts');
  const client = await clients.get('sts');
  const limits = { abortSignal: signal };
  const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}), limits);
  const clean = (text: string) => redact(text, clients.secrets());
  return { account: Account, arn: clean(Arn), region: clean(client.region) };
}

/** What stands in a dialog, deployed or not: its properties, and its credentials as far as the browser has them. */
interface Draft {
  id: string;
  properties: Record<string, unknown>;
  credentials: Record<string, string>;
}

/** What Node-RED's editor shows in place of a password that only the runtime has. */
const unchanged = '__PWRD__';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function draftFrom(body: unknown): Draft {
  const { id, properties, credentials } = isRecord(body) ? body : {};
  const texts = Object.entries(isRecord(credentials) ? credentials : {}).filter(
    ([, value]) => typeof value === 'string'
  );
  return {
    id: typeof id === 'string' ? id : '',
    properties: isRecord(properties) ? properties : {},
    credentials: Object.fromEntries(texts) as Record<string, string>
  };
}

/** The ways of the SDK's default chain, by the SDK's own marks of where it found keys. */
const ways: ReadonlyArray<readonly [way: string, mark: RegExp]> = [
  ['environment', /_ENV_VARS$/],
  ['instance', /_IMDS$/],
  ['container', /_HTTP$/],
  ['webIdentity', /_WEB_ID/],
  ['sso', /_SSO/],
  ['process', /_PROCESS$/],
  ['files', /_PROFILE/]
];

async function wayOf(clients: Clients): Promise<string | undefined> {
  const marks = Object.keys((await clients.identity()).$source ?? {});
  return ways.find(([, mark]) => marks.some((each) => mark.test(each)))?.[0];
}

/** The stored credentials of a deployed account, running or not; never of another node. */
const storedCredentials = (RED: NodeAPI, id: string): Record<string, string> =>
  (isAccount(RED, id) && (RED.nodes.getCredentials(id) as Record<string, string> | undefined)) || {};

/** Whether the properties of a draft are those of the deployed account. */
function isDeployed(RED: NodeAPI, { id, properties }: Draft, fields: Fields): boolean {
  const deployed = describedAccount(RED, id);
  const names = Object.keys(fields).filter((name) => !fields[name]?.stored);
  const textIn = (held: Record<string, unknown>, name: string) => textOf(held[name] ?? fields[name]?.value);
  return deployed !== undefined && names.every((name) => textIn(properties, name) === textIn(deployed, name));
}

/**
 * Whether a draft takes what only the runtime has elsewhere than it is deployed to go: stored passwords, variables, and
 * what the machine itself signs in with.
 */
function leadsElsewhere(RED: NodeAPI, draft: Draft, stored: Record<string, string>, fields: Fields): boolean {
  const { properties, credentials } = draft;
  const names = Object.keys(credentials);
  if (names.some((name) => namesVariable(credentials[name]) && credentials[name] !== stored[name])) return true;
  const isTyped =
    properties.source === 'keys' &&
    !Object.values(credentials).includes(unchanged) &&
    ![...Object.values(properties), ...Object.values(credentials)].some(namesVariable);
  return !isTyped && !isDeployed(RED, draft, fields);
}

/** How long it may take, ms: an instance's metadata, an SSO portal and STS may have to be asked in turn. */
const limit = 15_000;

/** What a test needs to know of the account, and of who asks. */
interface Trial {
  fields: Fields;
  /** Makes an account's clients; throws where a property will not do. */
  open(node: Node, config: Config, credentials: Record<string, string>): Clients;
  /** Whether who asks may deploy flows. */
  mayDeploy(): Promise<boolean>;
}

/**
 * Tries the sign-in that stands in a dialog. Passwords that the browser does not have are those of the deployed account,
 * and do not leave the runtime; who may not deploy does not get them anywhere but where they are deployed to go.
 */
export async function tryConnection(
  RED: NodeAPI,
  body: unknown,
  { fields, open, mayDeploy }: Trial
): Promise<Connection | { refusal: Refusal }> {
  const draft = draftFrom(body);
  const { id, properties, credentials } = draft;
  const stored = storedCredentials(RED, id);
  if (leadsElsewhere(RED, draft, stored, fields) && !(await mayDeploy())) {
    return { refusal: { kind: 'notYours', name: '', message: '' } };
  }
  const kept = Object.entries(credentials).map(([name, value]) => [
    name,
    value === unchanged ? (stored[name] ?? '') : value
  ]);
  let clients: Clients | undefined;
  try {
    const made = open(accountFrom(RED, id) ?? ({ id } as Node), properties as Config, Object.fromEntries(kept));
    clients = made;
    const identity = await within(limit, (signal) => callerIdentity(made, signal));
    return { ...identity, way: await wayOf(made) };
  } catch (thrown) {
    const secrets = [...(clients?.secrets() ?? []), ...Object.values(credentials)];
    return { refusal: refusalOf(toActionError(thrown, { service: 'sts', operation: 'GetCallerIdentity', secrets })) };
  } finally {
    clients?.close();
  }
}
