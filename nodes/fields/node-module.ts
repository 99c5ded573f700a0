import type { Node, NodeAPI } from 'node-red';
import type { Fields } from './fields';
import type { Config } from './read';
import { reasonOf } from './thrown';

/** What a node's file exports. The build bundles `fields` for the editor. */
export interface NodeFile {
  readonly node: NodeModule;
  readonly fields: Fields;
}

/** A node that is run once, from its dialog: it keeps no messages, and is no part of the flow. */
export interface Trial {
  /** The time limit of its message, seconds. */
  readonly limit: number;
  /** Aborted when nobody waits for what it comes to. */
  readonly signal: AbortSignal;
  /** The secrets that nothing of its message may show, once its fields have been read. */
  secrets?: () => string[];
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
    /** Its dialog can run it once, with these values in place of defaults, as far as they go with the others. */
    trial?: Readonly<Record<string, unknown>> | undefined;
  };
  /** Sets up a node that Node-RED has just created, or one for a trial. */
  create(RED: NodeAPI, node: Node, config: Config, trial?: Trial): void;
}

/** Calls `close` when a node is closed. Node-RED waits until it settles; a rejection is reported. */
export function onClose(node: Node, close: () => Promise<void>): void {
  node.on('close', (done: () => void) => {
    close()
      .catch((thrown: unknown) => node.error(`Closing failed: ${reasonOf(thrown)}.`))
      .finally(done);
  });
}
