/** Reads Node-RED's own `tls-config` nodes, of which only certificate, key, passphrase and CA count for signing in. */
import { readFile, stat } from 'node:fs/promises';
import type { Node, NodeAPI } from 'node-red';
import { ownError } from '../fields/errors';
import type { Config } from '../fields/read';
import { namesVariable, substituteEnv } from '../fields/values';

/** What a TLS configuration holds. Texts are PEM; with `pfx` there is neither certificate nor key. */
export interface TlsMaterial {
  cert?: string | undefined;
  key?: string | undefined;
  ca?: string | undefined;
  pfx?: Buffer | undefined;
  passphrase?: string | undefined;
}

/** The part of a running `tls-config` that is used here. */
interface TlsNode extends Node {
  /** Node-RED's id of the node in the template of a subflow. */
  _alias?: string;
  addTLSOptions(options: object): Partial<Record<'cert' | 'key' | 'ca' | 'pfx', string | Buffer>>;
  credentials: { passphrase?: unknown };
}

/** For what is wrong with a certificate, its key or the TLS configuration. */
export const certificateError = (message: string, details: { cause?: unknown; retryable?: boolean } = {}) =>
  ownError('CertificateError', message, details);

/** The running TLS configuration with this id. */
export function tlsNodeFrom(RED: NodeAPI, id: string): TlsNode | undefined {
  const node = RED.nodes.getNode(id) as TlsNode | null;
  return node?.type === 'tls-config' ? node : undefined;
}

/** The properties of a TLS configuration as the flow has them, before variables are replaced. */
function describedBy(RED: NodeAPI, id: string): Config | undefined {
  let found: Config | undefined;
  RED.nodes.eachNode((node) => {
    if (node.id === id && node.type === 'tls-config') found = node as Config;
  });
  return found;
}

/** The running TLS configuration with this id. Throws `CertificateError` if there is none. */
export function requireTlsNode(RED: NodeAPI, id: string): TlsNode {
  const node = tlsNodeFrom(RED, id);
  if (node) return node;
  const described = describedBy(RED, id);
  throw certificateError(
    described
      ? `The TLS configuration ${called(described)} does not run: enable it, set the environment variables in it, or choose another one in the aws-account.`
      : 'The TLS configuration of this aws-account does not exist, or is not deployed yet: deploy it, or choose another one.'
  );
}

const called = ({ name, id }: { name?: string | undefined; id: string }): string => `“${name || id}”`;

/** The largest file that is read, bytes; that of all well-known authorities has a quarter of it. */
const mostBytes = 1024 * 1024;

const reasons: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by Node-RED',
  EPERM: 'may not be read by Node-RED'
};

/** Reads a small file. `shown` is its path for errors. A pipe is not opened, since that could wait for ever. */
async function readSmall(path: string, shown: string): Promise<Buffer> {
  const wrong = (reason: string) =>
    certificateError(`The file ${JSON.stringify(shown)} of the TLS configuration ${reason}.`);
  const stats = await stat(path).catch(({ code }) => {
    throw wrong(reasons[code] ?? `cannot be read (${code})`);
  });
  if (!stats.isFile()) throw wrong('is not a file');
  if (stats.size > mostBytes)
    throw wrong(`has more than ${mostBytes / 1024} KiB, so that it is not a certificate or key`);
  return readFile(path).catch(({ code }) => {
    throw wrong(reasons[code] ?? `cannot be read (${code})`);
  });
}

/** The files that a TLS configuration names, by what they hold: those of the kind that it uses. */
const fileNames: Readonly<Partial<Record<string, Record<string, string>>>> = {
  files: { cert: 'cert', key: 'key', ca: 'ca' },
  pfx: { pfx: 'p12' }
};

/** Reads the files that a TLS configuration names; `undefined` if it names none. */
async function readFiles(RED: NodeAPI, node: TlsNode): Promise<Partial<Record<string, Buffer>> | undefined> {
  const config: Partial<Config> = describedBy(RED, node._alias ?? node.id) ?? {};
  const names = fileNames[String(config.certType || 'files')] ?? {};
  const given = Object.entries(names).flatMap(([what, property]) => {
    const shown = String(config[property] ?? '').trim();
    const path = String(substituteEnv(RED, node, shown) ?? '').trim();
    return path === '' ? [] : [{ what, path, shown: namesVariable(shown) ? shown : path }];
  });
  if (given.length === 0) return undefined;
  const read = given.map(async ({ what, path, shown }) => [what, await readSmall(path, shown)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/**
 * Reads a TLS configuration, its files anew, since Node-RED itself reads them at a deployment only. Rejects with
 * `CertificateError`.
 */
export async function readTlsNode(RED: NodeAPI, id: string): Promise<TlsMaterial> {
  const node = requireTlsNode(RED, id);
  const { cert, key, ca, pfx } = (await readFiles(RED, node)) ?? node.addTLSOptions({});
  const { passphrase } = node.credentials ?? {};
  return {
    cert: cert?.toString(),
    key: key?.toString(),
    ca: ca?.toString(),
    pfx: typeof pfx === 'string' ? Buffer.from(pfx) : pfx,
    passphrase: passphrase === undefined || passphrase === '' ? undefined : String(passphrase)
  };
}
