/** The nodes of this package among those of the editor. */
import { name as packageName } from '../../package.json';
import type { EditorNode } from './node-red';

/** Whether a type is one of the package's, and registered. */
export const isOwn = (type = ''): boolean => RED.nodes.getType(type)?.set?.module === packageName;

export function eachOwnNode(visit: (node: EditorNode) => void): void {
  const visitOwn = (node: EditorNode) => {
    if (isOwn(node.type)) visit(node);
  };
  RED.nodes.eachNode(visitOwn);
  RED.nodes.eachConfig(visitOwn);
}
