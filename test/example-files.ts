/** The flows of `examples/`. Their folders are those that the import dialog shows. */
import { readdirSync } from 'node:fs';
import { basename, join, sep } from 'node:path';

const all = readdirSync(join(__dirname, '..', 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.json'))
  .map((path) => path.split(sep).join('/'));

/** Where each is below the repository, by its name. */
const places = new Map(all.map((path) => [basename(path, '.json'), `examples/${path}`]));

export const exampleNames: readonly string[] = [...places.keys()];

/** Where an example is below the repository. Throws if there is none of that name. */
export function placeOfExample(name: string): string {
  const place = places.get(name);
  if (!place) throw new Error(`There is no example ${name}.`);
  return place;
}

/** Its address in Node-RED's admin API. */
export const addressOfExample = (pack: string, name: string): string =>
  `library/examples/flows/${pack}/${placeOfExample(name).replace(/^examples\/|\.json$/g, '')}`;
