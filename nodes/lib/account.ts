import type { Node, NodeAPI } from 'node-red';
import type { Clients } from './clients';
import { ActionError } from './errors';

/** The part of a deployed `aws-account` that other nodes use. */
export interface AccountNode extends Node {
  /** Absent where the account's properties will not do. */
  clients?: Clients;
  /** Why they will not. */
  problem?: ActionError;
}

/** The account with this id, if there is one that is deployed. */
export function accountFrom(RED: NodeAPI, id: unknown): AccountNode | undefined {
  const node = typeof id === 'string' && id !== '' ? (RED.nodes.getNode(id) as AccountNode | null) : null;
  return node?.type === 'aws-account' ? node : undefined;
}

/** Whether there is a deployed account with this id, running or not: disabled ones and those of subflows do not run. */
export function isAccount(RED: NodeAPI, id: unknown): boolean {
  let found = false;
  RED.nodes.eachNode((node) => {
    if (node.id === id && node.type === 'aws-account') found = true;
  });
  return found;
}

/** The clients of an account. Throws `AccountMissing`, or what is wrong with the account's own properties. */
export function clientsOf(account: AccountNode | undefined): Clients {
  if (account?.problem) throw new ActionError(account.problem.name, `The aws-account: ${account.problem.message}`);
  if (account?.clients) return account.clients;
  throw new ActionError(
    'AccountMissing',
    'The aws-account of this node does not exist or is disabled: open the node and choose one.'
  );
}
