import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** Whether several nodes get what a node sends; Node-RED's types do not tell of its wires. */
function hasSeveral(node: Node & { wires?: string[][] }): boolean {
  const { wires = [] } = node;
  return wires.length > 1 ? wires.flat().length > 1 : (wires[0]?.length ?? 0) > 1;
}

/**
 * Calls within calls that are left free where copying a message is tried: Node-RED copies it from further within, where a deep
 * message that can just be copied from here cannot.
 */
const spareCalls = 200;

function tryCopy(RED: NodeAPI, msg: NodeMessage, calls = spareCalls): void {
  if (calls > 0) tryCopy(RED, msg, calls - 1);
  else RED.util.cloneMessage(msg);
}

/**
 * Throws what Node-RED throws where it cannot copy a message for a second wire, apart from its members `but`, which will be
 * others by then.
 */
export function checkCopy(RED: NodeAPI, node: Node, msg: NodeMessage, but: readonly string[]): void {
  if (!hasSeveral(node)) return;
  const rest: Record<string, unknown> = { ...msg };
  for (const name of but) delete rest[name];
  tryCopy(RED, rest as NodeMessage);
}

/**
 * Sends a message on. Throws what Node-RED throws where it cannot copy the message for a second wire: it would notice when
 * the first one has got it already, so that is tried before, and no wire gets it.
 */
export function sendOn(RED: NodeAPI, node: Node, msg: NodeMessage, send: (msg: NodeMessage) => void): void {
  if (hasSeveral(node)) tryCopy(RED, msg);
  send(msg);
}
