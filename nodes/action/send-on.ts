import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** Whether a node is wired to several nodes. Node-RED's types do not have `wires`. */
function hasSeveral(node: Node & { wires?: string[][] }): boolean {
  const { wires = [] } = node;
  return wires.length > 1 ? wires.flat().length > 1 : (wires[0]?.length ?? 0) > 1;
}

/**
 * Stack frames that must be left when copying a message is tried: Node-RED will copy it with a deeper stack, where a deeply
 * nested message could overflow although it can be copied here.
 */
const spareCalls = 200;

function tryCopy(RED: NodeAPI, msg: NodeMessage, calls = spareCalls): void {
  if (calls > 0) tryCopy(RED, msg, calls - 1);
  else RED.util.cloneMessage(msg);
}

/**
 * Throws what Node-RED would throw if it cannot copy a message for a second wire. The members `but` are left out, since they
 * will be replaced.
 */
export function checkCopy(RED: NodeAPI, node: Node, msg: NodeMessage, but: readonly string[]): void {
  if (!hasSeveral(node)) return;
  const rest: NodeMessage & Record<string, unknown> = { ...msg };
  for (const name of but) delete rest[name];
  tryCopy(RED, rest);
}

/**
 * Sends a message on. If Node-RED cannot copy it for a second wire, it would notice only after the first wire has got it. So
 * copying is tried first: if that throws, so does this, and no wire has got the message.
 */
export function sendOn(RED: NodeAPI, node: Node, msg: NodeMessage, send: (msg: NodeMessage) => void): void {
  if (hasSeveral(node)) tryCopy(RED, msg);
  send(msg);
}
