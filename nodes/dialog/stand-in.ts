/** Stands in for nodes that do not run, wherever Node-RED looks variables up for them. */
import type { Node, NodeAPI } from 'node-red';
import { describedAccount } from '../account/account';
import type { Item, Meaning } from './variables';
import { Variables } from './variables';

/** What variables stand for, by their names. */
export type Meanings = Readonly<Record<string, Meaning>>;

/** A variable of the process, as far as Node-RED's settings show it to flows. */
function ofProcess(RED: NodeAPI, name: string): string | undefined {
  const { envVarExcludes } = RED.settings as { envVarExcludes?: unknown };
  return Array.isArray(envVarExcludes) && envVarExcludes.includes(name) ? undefined : process.env[name];
}

/** All flows, as they were deployed. */
function deployedItems(RED: NodeAPI): Item[] {
  const items: Item[] = [];
  RED.nodes.eachNode((node) => items.push(node as Item));
  return items;
}

/** What may have variables that are credentials: no other node's are read by the name of one. */
const hasVariables = /^(tab|group|subflow(:.*)?|global-config)$/;

function secretOf(RED: NodeAPI, { secret, of }: Extract<Meaning, { secret: string }>): unknown {
  const owners = deployedItems(RED).filter(({ id, type }) => of.includes(id) && hasVariables.test(type));
  for (const id of of) {
    if (!owners.some((owner) => owner.id === id)) continue;
    const stored = RED.nodes.getCredentials(id) as Record<string, unknown> | undefined;
    const credentials = (stored?.map ?? stored ?? {}) as Record<string, unknown>;
    if (Object.hasOwn(credentials, secret)) return credentials[secret];
  }
  return undefined;
}

/** A node for which variables stand for these things. It has nothing else of a node. */
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

/** For what stands in the editor, which has found out what variables of its flows stand for: others are the process's. */
export function standInFor(RED: NodeAPI, id: string, meanings: Meanings): Node {
  return standIn(RED, { id }, (name) => (Object.hasOwn(meanings, name) && meanings[name]) || { text: `\${${name}}` });
}

/** The first variable that stands for something which is not known here. */
export function unknownIn(RED: NodeAPI, meanings: Meanings): string | undefined {
  const isUnknown = (meaning: Meaning) =>
    'unknown' in meaning || ('secret' in meaning && secretOf(RED, meaning) === undefined);
  return Object.keys(meanings).find((name) => isUnknown(meanings[name] as Meaning));
}

/** For an account that is deployed and does not run. */
export function standInForAccount(RED: NodeAPI, id: string): Node {
  const node = describedAccount(RED, id) as Item | undefined;
  if (!node) return standInFor(RED, id, {});
  const variables = new Variables(deployedItems(RED));
  return standIn(RED, node, (name) => variables.of(node, name));
}
