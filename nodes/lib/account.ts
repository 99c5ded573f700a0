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

export const accountMissing = (): ActionError =>
  new ActionError(
    'AccountMissing',
    'The aws-account of this node does not exist or is disabled: open the node and choose one.'
  );
