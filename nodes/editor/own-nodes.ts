/** Finds the nodes of this package in the editor. */
import { name as packageName } from '../../package.json';
import type { EditorNode } from './node-red';

/** Whether a type is registered by this package. */
export const isOwn = (type = ''): boolean => RED.nodes.getType(type)?.set?.module === packageName;

export function eachOwnNode(visit: (node: EditorNode) => void): void {
  const visitOwn = (node: EditorNode) => {
    if (isOwn(node.type)) visit(node);
  };
  RED.nodes.eachNode(visitOwn);
  RED.nodes.eachConfig(visitOwn);
}
