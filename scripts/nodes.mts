/** The nodes of the package, and where their files are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Package {
  'node-red': { nodes: Record<string, string> };
}

/** All types, as `package.json` names them. */
export const types = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package)['node-red'].nodes
);

const files = readdirSync(join(root, 'nodes'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !file.startsWith('editor/'));

/** The path of a node's file below `nodes/`, without its ending: `messaging/aws-sqs-send`. Throws if there is none. */
export function placeOf(type: string): string {
  const file = files.find((each) => each.endsWith(`/${type}.ts`));
  if (!file) throw new Error(`There is no nodes/<room>/${type}.ts.`);
  return file.replace(/\.ts$/, '');
}
