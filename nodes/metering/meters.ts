/** The meters of all accounts of this process. */
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { fileNameOfId } from '../fields/file-names';
import type { Budget } from './meter';
import { Meter, unlimited } from './meter';
import { Usage } from './usage';
import { UsageFile } from './usage-file';

/** The counts of an account. They outlive its deployments. */
interface Book {
  readonly usage: Usage;
  readonly file: UsageFile;
}

/** By the path of their file. */
const books = new Map<string, Book>();

// What was counted last is written when Node-RED ends.
process.once('exit', () => {
  for (const { file } of books.values()) file.writeNow();
});

function bookAt(path: string, isKept: boolean, warn: (text: string) => void): Book {
  const known = books.get(path);
  if (known) return known;
  const usage = new Usage();
  const book = { usage, file: new UsageFile(isKept ? path : undefined, usage, warn) };
  books.set(path, book);
  return book;
}

/** The meter of the account with this ID. `warn` logs a text about it. */
export function meterOf(RED: NodeAPI, id: string, budget: Budget, warn: (text: string) => void): Meter {
  const { userDir } = RED.settings;
  const path = join(userDir ?? '', 'nimbus', 'usage', `${fileNameOfId(id)}.json`);
  const { usage, file } = bookAt(path, userDir !== undefined, warn);
  return new Meter(usage, file, budget, warn);
}

/** A meter whose counts are of no account. */
export function looseMeter(): Meter {
  const usage = new Usage();
  const file = new UsageFile(undefined, usage, () => undefined);
  return new Meter(usage, file, unlimited, () => undefined);
}
