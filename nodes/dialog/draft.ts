/** An account as it is in a dialog, deployed or not, and the clients that are made of it. */
import type { Node, NodeAPI } from 'node-red';
import { accountFrom, describedAccount, storedCredentials } from '../account/account';
import type { Clients } from '../account/clients';
import { fields as accountFields, budgetFrom, openAccount } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import type { ActionError } from '../fields/errors';
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

/** Reads the values of variables from a request. */
export const meaningsFrom = (given: Record<string, unknown>): Meanings =>
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

/** What a draft comes to. */
export interface Opened {
  readonly id: string;
  /**
   * Makes its clients, which the caller closes. `isLimited`: its budget stops what they send. Throws `MissingValue` or
   * `InvalidValue`.
   */
  open(isLimited?: boolean): Clients;
  /** The same for each draft of which the same clients are made. It contains secrets. */
  readonly key: string;
  /** The credentials that were typed, which no answer may quote. */
  readonly typed: string[];
}

/** The refusal for what was thrown. An error of the pack itself says what to do; of all others the editor has the meaning. */
export function refusalFor(thrown: unknown, error: ActionError): Refusal {
  return { ...refusalOf(error), ...(isActionError(thrown) && { message: error.message }) };
}

/** The error of a draft's sign-in, without secrets. */
export const errorOfSignIn = (thrown: unknown, secrets: string[]): ActionError =>
  toActionError(thrown, { service: 'sts', operation: 'GetCallerIdentity', secrets });

/**
 * Reads the account in a dialog. Passwords that the browser does not have are taken from the deployed account and do not
 * leave the runtime. A user who may not deploy flows (`mayDeploy`) cannot have them sent to another place than the deployed
 * account does.
 */
export async function readDraft(
  RED: NodeAPI,
  body: unknown,
  mayDeploy: () => Promise<boolean>
): Promise<Opened | { refusal: Refusal }> {
  const draft = draftFrom(body);
  const { id, properties, credentials } = draft;
  const stored = storedCredentials(RED, id);
  const isElsewhere = leadsElsewhere(RED, draft, stored);
  const isFree = (isElsewhere || draft.variables !== undefined) && (await mayDeploy());
  if (isElsewhere && !isFree) return { refusal: { kind: 'notYours', name: '', message: '' } };
  const variables = isFree ? draft.variables : undefined;
  const unknown = variables && unknownIn(RED, variables);
  if (unknown) return { refusal: { kind: 'unknownVariable', name: '', message: unknown } };
  const kept = Object.fromEntries(
    Object.entries(credentials).map(([name, value]) => [name, value === unchanged ? (stored[name] ?? '') : value])
  );
  const open = (isLimited = false): Clients => {
    const deployed = accountFrom(RED, id) ?? standInForAccount(RED, id);
    const node = variables
      ? standInFor(RED, id, { ...meaningsInStored(RED, draft, stored, deployed), ...variables })
      : deployed;
    const config = properties as Config;
    return openAccount(RED, node, config, kept, isLimited ? budgetFrom(RED, node, config) : undefined);
  };
  return { id, open, key: JSON.stringify([id, properties, kept, variables]), typed: Object.values(credentials) };
}
