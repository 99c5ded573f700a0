import { realpathSync } from 'node:fs';
import type { Node, NodeAPI } from 'node-red';

const setting = (RED: NodeAPI, node: Node, name: string): string =>
  String(RED.util.evaluateNodeProperty(name, 'env', node, {}));

/** The present offset of local time from UTC, such as `+05:30`, which is a valid name of a time zone as well. */
function offset(): string {
  // biome-ignore lint/plugin/clock: how far the local time is from UTC stands for a time zone without a name
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const two = (number: number) => String(Math.trunc(Math.abs(number))).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** The time zone of a file in the system's database. `/etc/localtime` is usually a link to one. */
function zoneOfFile(path: string): string | undefined {
  try {
    const [, ...below] = realpathSync(path).split('/zoneinfo/');
    return below.join('/zoneinfo/').replace(/^(?:posix|right)\//, '') || undefined;
  } catch {
    return undefined;
  }
}

/** The time zone of this process. JavaScript has no name for one that `TZ` gives as a file or not at all. */
function timeZone(): string {
  const known: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (known && known !== 'Etc/Unknown') return known;
  const [, file] = /^:?(\/.+)$/.exec(process.env.TZ ?? '') ?? [];
  return (file && zoneOfFile(file)) || offset();
}

/** Who is calling: what a function may want to know of the Node-RED that invoked it. */
export async function hostContext(RED: NodeAPI, node: Node): Promise<Record<string, string>> {
  return {
    nodeRedVersion: await RED.version(),
    nodeVersion: process.version,
    flow: setting(RED, node, 'NR_FLOW_NAME') || node.z,
    node: node.name || node.id,
    timeZone: timeZone()
  };
}
