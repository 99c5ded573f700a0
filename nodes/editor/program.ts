/**
 * The program of all dialogs, in the page of the package's plugin. Node-RED loads it once, before the pages of the nodes,
 * which use it as the global `redNimbus`. The nodes' own parts may import what is exported here without bundling it.
 */
import { eachOwnNode } from './own-nodes';
import { showSentences } from './sidebar';
import { followDeployments, validate } from './stored';
import { addTab } from './tab';

export * from '../action/action';
export * from '../fields/bytes';
export * from '../fields/errors';
export * from '../fields/fields';
export * from '../fields/json';
export * from '../fields/lines';
export * from '../fields/thrown';
export * from './flows';
export * from './form';
export * from './platform.mts';
export * from './request';

/** Called once the program is available as the global. */
export function start(): void {
  showSentences();
  addTab();
  followDeployments();
  // If the package is installed while the editor is open, nodes may have been registered before their validators.
  eachOwnNode(validate);
}
