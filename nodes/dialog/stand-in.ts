/** Substitutes for nodes that do not run, for which Node-RED can resolve environment variables. */
import type { Node, NodeAPI } from 'node-red';
import { describedAccount } from '../account/account';
import { isObject } from '../fields/json';
import { memberOf } from '../fields/thrown';
import type { Item, Meaning } from './variables';
import { Variables } from './variables';

/** The values of environment variables, by name. */
export type Meanings = Readonly<Record<string, Meaning>>;

/** A variable of the process, unless Node-RED's settings hide it from flows. */
function ofProcess(RED: NodeAPI, name: string): string | undefined {
  const { envVarExcludes } = RED.settings as { envVarExcludes?: unknown };
  return Array.isArray(envVarExcludes) && envVarExcludes.includes(name) ? undefined : process.env[name];
}

/** The items of all deployed flows. */
function deployedItems(RED: NodeAPI): Item[] {
  const items: Item[] = [];
  RED.nodes.eachNode((node) => items.push(node as Item));
  return items;
}

/** The types of items whose variables may be credentials. Credentials of other nodes are never read. */
const hasVariables = /^(tab|group|subflow(:.*)?|global-config)$/;

function secretOf(RED: NodeAPI, { secret, of }: Extract<Meaning, { secret: string }>): unknown {
  const owners = deployedItems(RED).filter(({ id, type }) => of.includes(id) && hasVariables.test(type));
  for (const id of of) {
    if (!owners.some((owner) => owner.id === id)) continue;
    const stored: unknown = RED.nodes.getCredentials(id);
    const credentials = memberOf(stored, 'map') ?? stored;
    if (isObject(credentials) && Object.hasOwn(credentials, secret)) return credentials[secret];
  }
  return undefined;
}

/** A substitute for a node, of which it has only the ID, the name, and variables with these values. */
function standIn(RED: NodeAPI, node: Pick<Item, 'id' | 'name'>, meaningOf: (name: string) => Meaning): Node {
  const process = { getSetting: (name: string) => ofProcess(RED, name) };
  const getSetting = (name: string): unknown => {
    const meaning = meaningOf(name);
    if ('text' in meaning) return RED.util.evaluateNodeProperty(meaning.text, 'env', { _flow: process } as never, {});
    if ('secret' in meaning) return secretOf(RED, meaning);
    return 'value' in meaning ? meaning.value : undefined;
  };
  return { id: node.id, name: node.name, _flow: { getSetting } } as unknown as Node;
}

/** A substitute for a node in the editor, which knows the variables of its flows. All others are those of the process. */
export function standInFor(RED: NodeAPI, id: string, meanings: Meanings): Node {
  return standIn(RED, { id }, (name) => (Object.hasOwn(meanings, name) && meanings[name]) || { text: `\${${name}}` });
}

/** The name of the first variable whose value is not known. */
export function unknownIn(RED: NodeAPI, meanings: Meanings): string | undefined {
  const isUnknown = (meaning: Meaning) =>
    'unknown' in meaning || ('secret' in meaning && secretOf(RED, meaning) === undefined);
  const [name] = Object.entries(meanings).find(([, meaning]) => isUnknown(meaning)) ?? [];
  return name;
}

/** A substitute for an account that is deployed but does not run. */
export function standInForAccount(RED: NodeAPI, id: string): Node {
  const node = describedAccount(RED, id) as Item | undefined;
  if (!node) return standInFor(RED, id, {});
  const variables = new Variables(deployedItems(RED));
  return standIn(RED, node, (name) => variables.of(node, name));
}
