/**
 * The pack's public interface as data: what a saved flow holds of each node. Flows that users have saved depend on it,
 * so it is written down a second time, in `contract.json`, and is not taken from the nodes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Properties in the flow, with the values of a node that was just dragged in, and what is in the credential store. */
export interface SavedNode {
  properties: Record<string, string | number | boolean>;
  credentials?: Record<string, 'text' | 'password'>;
  /** Names of the typed fields: each is stored with an `xType` beside it. */
  typed: string[];
  /** Without it, one. */
  inputs?: 0;
}

export const contract: Record<string, SavedNode> = JSON.parse(readFileSync(join(__dirname, 'contract.json'), 'utf8'));

/** The nodes that ask AWS nothing, and so need no rights. */
export const asksNothing = ['aws-usage'];

/** The kinds of source of every typed field; some take literals as well. */
export const sources = ['msg', 'flow', 'global', 'env', 'jsonata'];
export const literals = ['str', 'num', 'bool', 'json'];
