import { join } from 'node:path';

/** The English catalogues, as the build makes them: of each node its own words, and those that all share. */
const catalogues = join(__dirname, '..', '..', 'locales', 'en-US');

/** What the form of a node calls its properties, in English. Read from its catalogue when it is asked for first. */
export function labelsOf(type: string): Readonly<Record<string, string>> {
  const { label }: { label: Record<string, string> } = require(join(catalogues, `${type}.json`));
  return label;
}
