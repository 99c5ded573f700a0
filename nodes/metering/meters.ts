/** The meters of all accounts of this process. */
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { fileNameOfId } from '../fields/file-names';
import type { Budget } from './meter';
import { Meter, unlimited } from './meter';
import { Usage } from './usage';
import { UsageFile } from './usage-file';

/** The counts of an account. They outlive its deployments, but not the account itself. */
interface Book {
  readonly path: string;
  readonly usage: Usage;
  readonly file: UsageFile;
  /** How many meters count there. */
  meters: number;
}

/** By the path of their file. */
const books = new Map<string, Book>();

/** How long counts stay in memory when their account is gone, ms: longer than Node-RED waits for closing nodes of a deployment. */
const longestUnused = 20_000;

function bookAt(RED: NodeAPI, id: string): Book {
  const { userDir } = RED.settings;
  const path = join(userDir ?? '', 'nimbus', 'usage', `${fileNameOfId(id)}.json`);
  const known = books.get(path);
  if (known) return known;
  const usage = new Usage();
  // Not the account's own `warn`, which would keep its first deployment in memory.
  const warn = (text: string) => RED.log.warn(`[aws-account:${id}] ${text}`);
  const book = { path, usage, file: new UsageFile(userDir === undefined ? undefined : path, usage, warn), meters: 0 };
  books.set(path, book);
  return book;
}

/** The meter of the account with this ID, to be closed with it. `warn` logs a text about it. */
export function meterOf(RED: NodeAPI, id: string, budget: Budget, warn: (text: string) => void): Meter {
  const book = bookAt(RED, id);
  book.meters += 1;
  const closed = () => {
    book.meters -= 1;
    const drop = () => {
      if (book.meters === 0) books.delete(book.path);
    };
    setTimeout(drop, longestUnused).unref();
  };
  return new Meter(book.usage, book.file, budget, { warn, closed });
}

/** A meter whose counts are of no account. */
export function looseMeter(budget: Budget = unlimited): Meter {
  const nothing = () => undefined;
  const usage = new Usage();
  return new Meter(usage, new UsageFile(undefined, usage, nothing), budget, { warn: nothing, closed: nothing });
}
