/**
 * The program of all dialogs, in the page of the package's plugin: Node-RED loads it once, before the nodes' pages, for
 * which it is the global `redNimbus`. What is exported here is what their own parts may import; the build leaves it out of them.
 */
import { eachOwnNode } from './own-nodes';
import { showSentences } from './sidebar';
import { validate } from './stored';

export * from '../action/action';
export * from '../fields/bytes';
export * from '../fields/errors';
export * from '../fields/fields';
export * from '../fields/json';
export * from './flows';
export * from './form';
export * from './platform.mts';
export * from './request';

/** What there is to do once it is the global. */
export function start(): void {
  showSentences();
  // Where the package is installed while the editor is open, nodes may have come before what checks them.
  eachOwnNode(validate);
}
