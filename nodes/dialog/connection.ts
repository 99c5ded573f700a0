/** The connection test of an account's dialog: who a sign-in is, or what is wrong with it. */
import type { Node, NodeAPI } from 'node-red';
import { accountFrom, describedAccount, storedCredentials } from '../account/account';
import type { CallerIdentity } from '../account/caller-identity';
import { callerIdentity } from '../account/caller-identity';
import type { Clients } from '../account/clients';
import { fields as accountFields, openAccount } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';
import { textOf } from '../fields/errors';
import type { Fields } from '../fields/fields';
import type { Config } from '../fields/read';
import { namesVariable, substituteEnv } from '../fields/values';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import type { Meanings } from './stand-in';
import { standInFor, standInForAccount, unknownIn } from './stand-in';
import { type Meaning, namesIn } from './variables';

/** What the test of a sign-in that works tells; `way` is where the default chain has found keys. */
export interface Connection extends CallerIdentity {
  way?: string | undefined;
}

/** What stands in a dialog, deployed or not: its properties, and its credentials as far as the browser has them. */
interface Draft {
  id: string;
  properties: Record<string, unknown>;
  credentials: Record<string, string>;
  /** What the variables in them stand for in the flows of the editor; it has the last word on them where it says so. */
  variables?: Meanings;
}

/** What Node-RED's editor shows in place of a password that only the runtime has. */
const unchanged = '__PWRD__';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** What does not look like a meaning is one that nobody knows. */
function meaningOf(given: unknown): Meaning {
  if (isRecord(given) && Object.hasOwn(given, 'value')) return { value: given.value };
  const { text, secret, of } = isRecord(given) ? given : {};
  if (typeof text === 'string') return { text };
  return typeof secret === 'string' && isTexts(of) ? { secret, of } : { unknown: 'expression' };
}

const meaningsFrom = (given: Record<string, unknown>): Meanings =>
  Object.fromEntries(Object.entries(given).map(([name, each]) => [name, meaningOf(each)]));

function draftFrom(body: unknown): Draft {
  const { id, properties, credentials, variables } = isRecord(body) ? body : {};
  const texts = Object.entries(isRecord(credentials) ? credentials : {}).filter(
    ([, value]) => typeof value === 'string'
  );
  return {
    id: typeof id === 'string' ? id : '',
    properties: isRecord(properties) ? properties : {},
    credentials: Object.fromEntries(texts) as Record<string, string>,
    ...(isRecord(variables) && { variables: meaningsFrom(variables) })
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

const fields: Fields = accountFields;

/** Whether the properties of a draft are those of the deployed account. */
function isDeployed(RED: NodeAPI, { id, properties }: Draft): boolean {
  const deployed = describedAccount(RED, id);
  const names = Object.keys(fields).filter((name) => !fields[name]?.stored);
  const textIn = (held: Record<string, unknown>, name: string) => textOf(held[name] ?? fields[name]?.value);
  return deployed !== undefined && names.every((name) => textIn(properties, name) === textIn(deployed, name));
}

/**
 * Whether a draft takes what only the runtime has elsewhere than it is deployed to go: stored passwords, variables, and
 * what the machine itself signs in with.
 */
function leadsElsewhere(RED: NodeAPI, draft: Draft, stored: Record<string, string>): boolean {
  const { properties, credentials } = draft;
  const names = Object.keys(credentials);
  if (names.some((name) => namesVariable(credentials[name]) && credentials[name] !== stored[name])) return true;
  const isTyped =
    properties.source === 'keys' &&
    !Object.values(credentials).includes(unchanged) &&
    ![...Object.values(properties), ...Object.values(credentials)].some(namesVariable);
  return !isTyped && !isDeployed(RED, draft);
}

/** Of the variables in stored passwords, which the browser does not have: what they stand for where these are deployed. */
function meaningsInStored(RED: NodeAPI, draft: Draft, stored: Record<string, string>, deployed: Node): Meanings {
  const kept = Object.keys(draft.credentials).filter((name) => draft.credentials[name] === unchanged);
  const names = kept.flatMap((name) => namesIn(stored[name] ?? ''));
  return Object.fromEntries(names.map((name) => [name, { value: substituteEnv(RED, deployed, `\${${name}}`) }]));
}

/** How long it may take, ms: an instance's metadata, an SSO portal and STS may have to be asked in turn. */
const limit = 15_000;

/**
 * Tries the sign-in that stands in a dialog. Passwords that the browser does not have are those of the deployed account,
 * and do not leave the runtime; who may not deploy does not get them anywhere but where they are deployed to go. `mayDeploy`
 * tells whether who asks may deploy flows.
 */
export async function tryConnection(
  RED: NodeAPI,
  body: unknown,
  mayDeploy: () => Promise<boolean>
): Promise<Connection | { refusal: Refusal }> {
  const draft = draftFrom(body);
  const { id, properties, credentials } = draft;
  const stored = storedCredentials(RED, id);
  const isElsewhere = leadsElsewhere(RED, draft, stored);
  const isFree = (isElsewhere || draft.variables !== undefined) && (await mayDeploy());
  if (isElsewhere && !isFree) return { refusal: { kind: 'notYours', name: '', message: '' } };
  const variables = isFree ? draft.variables : undefined;
  const unknown = variables && unknownIn(RED, variables);
  if (unknown) return { refusal: { kind: 'unknownVariable', name: '', message: unknown } };
  const kept = Object.entries(credentials).map(([name, value]) => [
    name,
    value === unchanged ? (stored[name] ?? '') : value
  ]);
  let clients: Clients | undefined;
  try {
    const deployed = accountFrom(RED, id) ?? standInForAccount(RED, id);
    const node = variables
      ? standInFor(RED, id, { ...meaningsInStored(RED, draft, stored, deployed), ...variables })
      : deployed;
    const made = openAccount(RED, node, properties as Config, Object.fromEntries(kept));
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
