import type { Node, NodeAPI } from 'node-red';
import { reasonOf } from './errors';
import type { Fields } from './fields';
import type { Config } from './read';

/** What a node's file exports. The build makes the editor's page and the registration from `definition`. */
export interface NodeModule {
  readonly definition: {
    type: string;
    fields: Fields;
    /** A configuration node: it has no wires and no place in the palette. */
    config?: true;
    /** It begins flows: nothing can be wired to it. */
    inputs?: 0;
    /** It needs no account of its own. */
    account?: false;
    /** Its dialog asks the runtime: see `endpoints.ts`. */
    endpoints?: true;
  };
  /** Brings a node to life that Node-RED has just made. */
  create(RED: NodeAPI, node: Node, config: Config): void;
}

/** Has a node do this when it is closed. Node-RED waits for it, and goes on whatever becomes of it. */
export function onClose(node: Node, close: () => Promise<void>): void {
  node.on('close', (done: () => void) => {
    close()
      .catch((thrown: unknown) => node.error(`Closing failed: ${reasonOf(thrown)}.`))
      .finally(done);
  });
}
