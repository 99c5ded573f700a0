/** Stores of nodes that are not there any more: when Node-RED has started, the log names each of them. */
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { fileNameOfId } from '../fields/file-names';
import { disk } from './disk';
import { folderOfStores, isOpen } from './outbox';
import { entriesInIndex, keyOf, keysGone, readWhole, SegmentFiles, scan, segmentsIn } from './segment';

/** By the events of their Node-RED: a process may run several. */
const watched = new WeakSet<object>();

/** To be called when Node-RED loads a node whose messages can be kept. */
export function watch(RED: NodeAPI): void {
  const { events, settings } = RED;
  const folder = folderOfStores(settings.userDir);
  if (folder === undefined || watched.has(events)) return;
  watched.add(events);
  events.once('flows:started', () => {
    // What cannot be read is said where it is opened.
    sayWhatIsLeft(RED, folder).catch(() => undefined);
  });
}

async function sayWhatIsLeft(RED: NodeAPI, folder: string): Promise<void> {
  const known = new Set<string>();
  RED.nodes.eachNode(({ id }) => known.add(fileNameOfId(id)));
  for (const name of await disk.list(folder)) {
    const store = join(folder, name);
    if (known.has(name) || isOpen(store)) continue;
    const count = await countIn(store).catch(() => 0);
    if (count > 0)
      RED.log.warn(
        `[aws] ${store} has ${count} messages of a node that is not deployed: they wait until a node with its ID is.`
      );
  }
}

/** How many messages wait in the store of a folder. */
async function countIn(folder: string): Promise<number> {
  let count = 0;
  for (const number of segmentsIn(await disk.list(folder))) {
    const { records, index, gone: notes } = new SegmentFiles(folder, number);
    const gone = keysGone(await readWhole(disk, notes), number);
    const file = await disk.open(records, 'read');
    try {
      const known = entriesInIndex(await readWhole(disk, index), number, await file.size());
      for await (const entries of known ? [known] : scan(file, number, () => undefined)) {
        count += entries.filter(({ place }) => !gone.has(keyOf(place))).length;
      }
    } finally {
      await file.close();
    }
  }
  return count;
}
