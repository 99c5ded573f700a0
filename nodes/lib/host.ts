import type { Node, NodeAPI } from 'node-red';

const setting = (RED: NodeAPI, node: Node, name: string): string =>
  String(RED.util.evaluateNodeProperty(name, 'env', node, {}));

/** Who is calling: what a function may want to know of the Node-RED that invoked it. */
export async function hostContext(RED: NodeAPI, node: Node): Promise<Record<string, string>> {
  return {
    nodeRedVersion: await RED.version(),
    nodeVersion: process.version,
    flow: setting(RED, node, 'NR_FLOW_NAME') || node.z,
    node: node.name || node.id,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone
  };
}
