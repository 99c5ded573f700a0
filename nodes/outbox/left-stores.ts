/**
 * Stores of nodes that are not there any more: when Node-RED has started, the log names each of them, and the sidebar shows
 * them, exports what is in them, and throws it away.
 */
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { fileNameOfId } from '../fields/file-names';
import { disk } from './disk';
import { folderOfStores, hold, isOpen, linesOf } from './outbox';
import { entriesInIndex, keyOf, keysGone, readWhole, SegmentFiles, scan, segmentsIn, type Waiting } from './segment';
import { Store, taken } from './store';

/** What is in the store of a node that is not deployed. */
export interface LeftStore {
  /** The name of its folder, which is the ID of the node in nearly all cases. */
  readonly id: string;
  readonly folder: string;
  readonly count: number;
  /** When the oldest message was kept, ms since 1970. */
  readonly since: number;
}

/** How long it is good for what was found, ms. A deployment ends that. */
const goodFor = 60_000;

/** The stores that are left in a Node-RED. */
class LeftStores {
  #known: readonly LeftStore[] = [];
  #again = -Infinity;

  constructor(
    private readonly RED: NodeAPI,
    private readonly folder: string
  ) {}

  /** What is known. If that is old, it is looked for anew, and known the next time. */
  get known(): readonly LeftStore[] {
    if (performance.now() >= this.#again) {
      this.#again = performance.now() + goodFor;
      // What cannot be read is looked for the next time.
      this.find().catch(() => undefined);
    }
    return this.#known.filter(({ folder }) => !isOpen(folder));
  }

  /** To be called when other ones may be left. */
  forget(): void {
    this.#again = -Infinity;
  }

  async find(): Promise<readonly LeftStore[]> {
    const nodes = idsIn(this.RED);
    const found: LeftStore[] = [];
    for (const id of await disk.list(this.folder)) {
      const folder = join(this.folder, id);
      if (nodes.has(id) || isOpen(folder)) continue;
      const times = await timesIn(folder).catch(() => []);
      if (times.length === 0) continue;
      found.push({ id, folder, count: times.length, since: times.reduce((one, other) => Math.min(one, other)) });
    }
    this.#known = found;
    return found;
  }

  /** Does something with a store that is left; `undefined` if there is none by this name. */
  open(id: string): OpenLeft | undefined {
    const left = this.#known.find((each) => each.id === id);
    return left && !isOpen(left.folder) ? new OpenLeft(left.folder, this.RED, () => this.forget()) : undefined;
  }
}

/** What is done with a store that is left, which is opened for that. */
export class OpenLeft {
  constructor(
    private readonly folder: string,
    private readonly RED: NodeAPI,
    private readonly changed: () => void
  ) {}

  /** There is no node that sends it. */
  sendNow(): void {}

  /** Throws away what was kept before a time, ms since 1970. Resolves with how much that was; rejects with the error of the disk. */
  async throwAway(before: number): Promise<number> {
    const { store, waiting, close } = await this.#open();
    const older = waiting.filter(({ keptAt }) => keptAt < before);
    for (const entry of older) store.gone(entry.place);
    await close();
    this.changed();
    this.RED.log.warn(`[aws] ${older.length} messages of ${this.folder} were thrown away in the editor.`);
    return older.length;
  }

  /** What is in it, a line of JSON each. Rejects with the error of the disk. */
  async *lines(): AsyncGenerator<string> {
    const { store, waiting, close } = await this.#open();
    try {
      for (const entry of waiting) store.table.add(entry, 0);
      yield* linesOf(store);
    } finally {
      await close();
    }
  }

  async #open(): Promise<{ store: Store; waiting: Waiting[]; close(): Promise<void> }> {
    const { log, settings } = this.RED;
    const letGo = await hold(this.folder);
    const tell = { log: (text: string) => log.info(text), warn: (text: string) => log.warn(text) };
    const store = new Store({ folder: this.folder, root: settings.userDir ?? '', most: 1, tell });
    const close = () => store.close().finally(letGo);
    const waiting: Waiting[] = [];
    try {
      if (!(await store.open(new AbortController().signal, (entry) => waiting.push(entry)))) throw taken(this.folder);
    } catch (thrown) {
      await close();
      throw thrown;
    }
    return { store, waiting, close };
  }
}

/** By the events of their Node-RED: a process may run several. */
const watched = new WeakMap<object, LeftStores>();

/** The stores that are left in a Node-RED; `undefined` where it has no user directory. */
export function leftStoresOf(RED: NodeAPI): LeftStores | undefined {
  const { events, settings } = RED;
  const folder = folderOfStores(settings.userDir);
  const known = watched.get(events);
  if (known !== undefined || folder === undefined) return known;
  const stores = new LeftStores(RED, folder);
  watched.set(events, stores);
  events.on('flows:started', () => stores.forget());
  return stores;
}

/** To be called when Node-RED loads its nodes: has the log name what is left once it has started. */
export function watch(RED: NodeAPI): void {
  const { events, log } = RED;
  if (watched.has(events)) return;
  const stores = leftStoresOf(RED);
  const say = ({ folder, count }: LeftStore) =>
    log.warn(
      `[aws] ${folder} has ${count} messages of a node that is not deployed: they wait until a node with its ID is.`
    );
  // What cannot be read is said where it is opened.
  events.once('flows:started', () =>
    stores?.find().then(
      (found) => found.forEach(say),
      () => undefined
    )
  );
}

interface Described {
  id: string;
  type: string;
  z?: string;
}

/** The file names of the IDs of all deployed nodes, disabled ones and those in instances of subflows included. */
function idsIn(RED: NodeAPI): ReadonlySet<string> {
  const ids = new Set<string>();
  const inside = new Map<string | undefined, Described[]>();
  RED.nodes.eachNode((node: Described) => {
    const around = inside.get(node.z) ?? [];
    around.push(node);
    inside.set(node.z, around);
  });
  /** A node in an instance of a subflow has the ID of the instance before its own. */
  const add = (nodes: readonly Described[], before: string, around: readonly string[]): void => {
    for (const { id, type } of nodes) {
      ids.add(fileNameOfId(before + id));
      const [, template] = /^subflow:(.+)$/.exec(type) ?? [];
      if (template !== undefined && !around.includes(template))
        add(inside.get(template) ?? [], `${before}${id}-`, [...around, template]);
    }
  };
  for (const nodes of [...inside.values()]) add(nodes, '', []);
  return ids;
}

/** When the messages were kept that wait in the store of a folder, ms since 1970. */
async function timesIn(folder: string): Promise<number[]> {
  const times: number[] = [];
  for (const number of segmentsIn(await disk.list(folder))) {
    const { records, index, gone: notes } = new SegmentFiles(folder, number);
    const gone = keysGone(await readWhole(disk, notes), number);
    const file = await disk.open(records, 'read');
    try {
      const known = entriesInIndex(await readWhole(disk, index), number, await file.size());
      for await (const entries of known ? [known] : scan(file, number, () => undefined)) {
        for (const { place, keptAt } of entries) if (!gone.has(keyOf(place))) times.push(keptAt);
      }
    } finally {
      await file.close();
    }
  }
  return times;
}
