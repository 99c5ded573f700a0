import type { Node, NodeAPI } from 'node-red';
import type { Fields } from './fields';
import type { Config } from './read';
import { reasonOf } from './thrown';

/** What a node's file exports. The build bundles `fields` for the editor. */
export interface NodeFile {
  readonly node: NodeModule;
  readonly fields: Fields;
}

/** A type of node. The build makes the editor's page and the registration from `definition`. */
export interface NodeModule {
  readonly definition: {
    type: string;
    fields: Fields;
    /** A configuration node. */
    config?: true;
    /** A node without an input. */
    inputs?: 0;
    /** A node without an account of its own. */
    account?: false;
    /** Its registration adds the endpoints of `endpoints.ts`, which all dialogs use. */
    endpoints?: true;
  };
  /** Sets up a node that Node-RED has just created. */
  create(RED: NodeAPI, node: Node, config: Config): void;
}

/** Calls `close` when a node is closed. Node-RED waits until it settles; a rejection is reported. */
export function onClose(node: Node, close: () => Promise<void>): void {
  node.on('close', (done: () => void) => {
    close()
      .catch((thrown: unknown) => node.error(`Closing failed: ${reasonOf(thrown)}.`))
      .finally(done);
  });
}
