import { join } from 'node:path';

/** The English catalogues that the build makes: of each node, its own texts and the shared ones. */
const catalogues = join(__dirname, '..', '..', 'locales', 'en-US');

/** The English labels of a node's fields, by property. The catalogue is read on first use. */
export function labelsOf(type: string): Readonly<Record<string, string>> {
  const { label }: { label: Record<string, string> } = require(join(catalogues, `${type}.json`));
  return label;
}
