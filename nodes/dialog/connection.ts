/** The connection test in the dialog of an account. */
import type { Node, NodeAPI } from 'node-red';
import { accountFrom, describedAccount, storedCredentials } from '../account/account';
import type { CallerIdentity } from '../account/caller-identity';
import { callerIdentity } from '../account/caller-identity';
import type { CertificateSummary } from '../account/certificate';
import type { Clients } from '../account/clients';
import { fields as accountFields, openAccount } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';
import { isActionError } from '../fields/errors';
import type { Fields } from '../fields/fields';
import { isObject } from '../fields/json';
import type { Config } from '../fields/read';
import { textOf } from '../fields/thrown';
import { namesVariable, substituteEnv } from '../fields/values';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import type { Meanings } from './stand-in';
import { standInFor, standInForAccount, unknownIn } from './stand-in';
import { type Meaning, namesIn } from './variables';

/** What a test knows of the certificate that signs in, whether it works or not. */
interface WithCertificate {
  certificate?: CertificateSummary | undefined;
}

/** The result of a successful test; `way` is where the default chain has found the keys. */
export interface Connection extends CallerIdentity, WithCertificate {
  way?: string | undefined;
}

/**
 * An account as it is in the dialog, deployed or not: its properties, and its credentials as far as the browser has
 * them.
 */
interface Draft {
  id: string;
  properties: Record<string, unknown>;
  credentials: Record<string, string>;
  /** The values of the environment variables in them, by the flows in the editor. They count before the deployed ones. */
  variables?: Meanings;
}

/** What Node-RED's editor has in place of a password that only the runtime knows. */
const unchanged = '__PWRD__';

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** Reads the value of a variable from a request; unknown if it is malformed. */
function meaningOf(given: unknown): Meaning {
  if (isObject(given) && Object.hasOwn(given, 'value')) return { value: given.value };
  const { text, secret, of } = isObject(given) ? given : {};
  if (typeof text === 'string') return { text };
  return typeof secret === 'string' && isTexts(of) ? { secret, of } : { unknown: 'expression' };
}

const meaningsFrom = (given: Record<string, unknown>): Meanings =>
  Object.fromEntries(Object.entries(given).map(([name, each]) => [name, meaningOf(each)]));

function draftFrom(body: unknown): Draft {
  const { id, properties, credentials, variables } = isObject(body) ? body : {};
  const texts = Object.entries(isObject(credentials) ? credentials : {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string'
  );
  return {
    id: typeof id === 'string' ? id : '',
    properties: isObject(properties) ? properties : {},
    credentials: Object.fromEntries(texts),
    ...(isObject(variables) && { variables: meaningsFrom(variables) })
  };
}

/** The sources of the SDK's default chain, by the SDK's names for where it found keys. */
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

/** Whether the properties of a draft equal those of the deployed account. */
function isDeployed(RED: NodeAPI, { id, properties }: Draft): boolean {
  const deployed = describedAccount(RED, id);
  const names = Object.keys(fields).filter((name) => !fields[name]?.stored);
  const textIn = (held: Record<string, unknown>, name: string) => textOf(held[name] ?? fields[name]?.value);
  return deployed !== undefined && names.every((name) => textIn(properties, name) === textIn(deployed, name));
}

/**
 * Whether a draft would send what only the runtime knows to another place than the deployed account does: stored passwords,
 * environment variables, and the machine's own credentials.
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

/** The deployed values of the environment variables in stored passwords, which the browser does not have. */
function meaningsInStored(RED: NodeAPI, draft: Draft, stored: Record<string, string>, deployed: Node): Meanings {
  const kept = Object.keys(draft.credentials).filter((name) => draft.credentials[name] === unchanged);
  const names = kept.flatMap((name) => namesIn(stored[name] ?? ''));
  return Object.fromEntries(names.map((name) => [name, { value: substituteEnv(RED, deployed, `\${${name}}`) }]));
}

/** The time limit, ms: the metadata of an instance, an SSO portal and STS may have to be asked in turn. */
const limit = 15_000;

/**
 * Tests the sign-in in a dialog. Passwords that the browser does not have are taken from the deployed account and do not
 * leave the runtime. A user who may not deploy flows (`mayDeploy`) cannot have them sent to another place than the deployed
 * account does.
 */
export async function tryConnection(
  RED: NodeAPI,
  body: unknown,
  mayDeploy: () => Promise<boolean>
): Promise<Connection | (WithCertificate & { refusal: Refusal })> {
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
    return { ...identity, way: await wayOf(made), certificate: made.certificate };
  } catch (thrown) {
    const secrets = [...(clients?.secrets() ?? []), ...Object.values(credentials)];
    const error = toActionError(thrown, { service: 'sts', operation: 'GetCallerIdentity', secrets });
    // An error of the pack itself says what to do; of all others the editor has the meaning.
    const refusal = { ...refusalOf(error), ...(isActionError(thrown) && { message: error.message }) };
    return { refusal, certificate: clients?.certificate };
  } finally {
    clients?.close();
  }
}
