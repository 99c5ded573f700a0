/** An account as it stands in the editor, deployed or not, for the runtime to sign in with. */
import type { Meaning } from '../dialog/variables';
import { meaningsOf } from './flows';
import type { EditorNode } from './node-red';
import { credentialsOf, unseen } from './stored';

interface Draft {
  id: string;
  properties: Record<string, unknown>;
  credentials: Record<string, unknown>;
  variables: Record<string, Meaning>;
}

/** An account with these values, and those of the environment variables in them. */
export function draftWith(
  account: EditorNode,
  properties: Record<string, unknown>,
  credentials: Record<string, unknown>
): Draft {
  const texts = Object.values({ ...properties, ...credentials }).map(String);
  return { id: account.id, properties, credentials, variables: meaningsOf(account, texts) };
}

/** An account as its dialog has left it. Of passwords that are stored the editor knows only that they are there. */
export function draftOf(account: EditorNode): Draft {
  const { defaults = {}, credentials = {} } = account._def;
  const known = credentialsOf(account);
  const held = (name: string): unknown => {
    const value = known?.[name];
    if (!known || (typeof value !== 'string' && known[`has_${name}`])) return unseen;
    return value ?? '';
  };
  return draftWith(
    account,
    Object.fromEntries(Object.keys(defaults).map((name) => [name, account[name]])),
    Object.fromEntries(Object.keys(credentials).map((name) => [name, held(name)]))
  );
}
