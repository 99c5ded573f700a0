/**
 * HTTP proxies as the environment names them: `https_proxy`, `http_proxy` and `no_proxy`, in small or capital letters.
 * Node.js itself speaks with the proxy, where it can: 22.21, 24.5 and later do (`proxyEnv` of an agent).
 */
import type { AgentOptions, RequestOptions } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { invalid } from '../fields/errors';

type Environment = Record<string, string | undefined>;
type Connected = (error: Error | null, socket: Duplex) => void;

/** An error of the proxy or of the connection to it: the service has not seen the request. */
interface ProxyFailure extends Error {
  proxy: true;
}

/** What an account's requests need for the proxies of the environment. */
export interface AccountProxy {
  /** Agents that use the proxy; `undefined` if there is no proxy, or if this version of Node.js cannot use one. */
  agents(options: AgentOptions): { httpAgent: http.Agent; httpsAgent: https.Agent } | undefined;
  /** Passwords, in clear text and as they are sent. */
  readonly secrets: readonly string[];
}

/**
 * The longest time for connecting through a proxy, ms: less than the limit for connecting, whose error names no proxy.
 */
const proxyLimit = 9500;

/**
 * Whether this version of Node.js can use a proxy: those that can throw for this invalid URL, others ignore the option.
 */
export const canUseProxies: boolean = (() => {
  try {
    new https.Agent({ proxyEnv: { https_proxy: 'http://[' } });
    return false;
  } catch {
    return true;
  }
})();

interface Variable {
  name: string;
  value: string;
}

/** A variable that is not empty. Lower case comes first, as in Node.js and Node-RED. */
function variable(env: Environment, name: string): Variable | undefined {
  for (const each of [name, name.toUpperCase()]) {
    const value = env[each]?.trim();
    if (value) return { name: each, value };
  }
  return undefined;
}

/** The hosts in `no_proxy`, separated by commas as in Node.js, or by spaces as in Node-RED. */
const bypassesOf = (env: Environment): string[] =>
  variable(env, 'no_proxy')
    ?.value.toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '') ?? [];

/** Whether `no_proxy` contains a host, as Node.js matches it, except for ranges of IP addresses. */
function bypasses(entries: string[], host: string, port: unknown): boolean {
  const name = host.toLowerCase();
  return entries.some((entry) => {
    if (entry === '*' || entry === name || entry === `${name}:${port}`) return true;
    if (entry.startsWith('.')) return `.${name}`.endsWith(entry);
    return entry.startsWith('*.') && name.endsWith(entry.slice(1));
  });
}

/** The URL of a proxy; `undefined` if Node.js cannot use it. Without a scheme it is http, as in curl. */
function addressOf({ value }: Variable): URL | undefined {
  const text = value.includes('://') ? value : `http://${value}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // If a password has an unescaped / ? or # in it, its rest would be here, and the user name would be taken for the host.
  const isWhole = url.pathname === '/' && url.search === '' && url.hash === '';
  return isWhole && /^https?:$/.test(url.protocol) && decoded(url) ? url : undefined;
}

/** User name and password; `undefined` if they are not valid percent-encoding. */
function decoded({ username, password }: URL): { user: string; password: string } | undefined {
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

function secretsOf(url: URL | undefined): string[] {
  const login = url && decoded(url);
  if (!url || !login?.password) return [];
  const sent = Buffer.from(`${login.user}:${login.password}`).toString('base64');
  return [login.password, url.password, sent];
}

/** The variable whose proxy an account's requests use. They go to its endpoint, or to AWS by https. */
function variableFor(endpoint: string | undefined, env: Environment): Variable | undefined {
  const { protocol, hostname, port } = new URL(endpoint || 'https://sts.amazonaws.com');
  const host = hostname.replace(/^\[|\]$/g, '');
  const known = port || (protocol === 'https:' ? 443 : 80);
  if (bypasses(bypassesOf(env), host, known)) return undefined;
  return variable(env, protocol === 'https:' ? 'https_proxy' : 'http_proxy');
}

/**
 * Reads the proxy of an account from the environment. Throws `InvalidValue` if the variable that counts for the account
 * is not the URL of a proxy: otherwise requests would leave the network by a route that they are not meant to take.
 */
export function proxyFor(endpoint: string | undefined, env: Environment = process.env): AccountProxy {
  if (!canUseProxies) return { agents: () => undefined, secrets: [] };
  const needed = variableFor(endpoint, env);
  if (needed && !addressOf(needed)) {
    throw invalid(
      `The environment variable ${needed.name}`,
      'must be the URL of an HTTP proxy, such as http://proxy.example.com:3128, with special characters of a user name or password percent-encoded.'
    );
  }
  const addresses = ['http_proxy', 'https_proxy'].map((name) => {
    const set = variable(env, name);
    return set && addressOf(set);
  });
  const [http_proxy, https_proxy] = addresses.map((url) => url?.href);
  const entries = bypassesOf(env);
  const proxyEnv = { http_proxy, https_proxy, no_proxy: entries.join(',') };
  return {
    agents: (options) =>
      (http_proxy || https_proxy) === undefined
        ? undefined
        : {
            httpAgent: new ForwardingAgent({ ...options, proxyEnv }, isProxiedBy(http_proxy, entries)),
            httpsAgent: new TunnelAgent({ ...options, proxyEnv }, isProxiedBy(https_proxy, entries))
          },
    secrets: addresses.flatMap(secretsOf)
  };
}

/** Whether a connection goes to the proxy. */
type IsProxied = (options: RequestOptions) => boolean;

const isProxiedBy =
  (address: string | undefined, entries: string[]): IsProxied =>
  ({ host, port }) =>
    address !== undefined && !bypasses(entries, host ?? 'localhost', port);

/** Marks an error for `failure.ts`. The SDK passes it on unchanged. */
const markProxy = (error: Error): ProxyFailure => Object.assign(error, { proxy: true as const });

/**
 * Marks the errors of a connection to a proxy, and ends it if the proxy does not answer: Node.js does not know the connection
 * before the proxy has opened it. Returns a function to call once it has.
 */
function watch(socket: Duplex): () => void {
  const late = () =>
    socket.destroy(
      Object.assign(new Error('The proxy did not answer in time.'), { code: 'ETIMEDOUT', syscall: 'connect' })
    );
  const timer = setTimeout(late, proxyLimit);
  socket.on('error', markProxy);
  const end = () => {
    clearTimeout(timer);
    socket.off('error', markProxy);
  };
  socket.once('close', end);
  return end;
}

/** Sends http requests to the proxy, which forwards them. */
class ForwardingAgent extends http.Agent {
  readonly #isProxied: IsProxied;

  constructor(options: AgentOptions, isProxied: IsProxied) {
    super(options);
    this.#isProxied = isProxied;
  }

  override createConnection(options: RequestOptions, connected?: Connected): Duplex | null | undefined {
    const socket = super.createConnection(options, connected);
    if (!socket || !this.#isProxied(options)) return socket;
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', watch(socket));
    return socket;
  }
}

/** Makes https connections through a tunnel, which the proxy opens on CONNECT. */
class TunnelAgent extends https.Agent {
  readonly #isProxied: IsProxied;

  constructor(options: AgentOptions, isProxied: IsProxied) {
    super(options);
    this.#isProxied = isProxied;
  }

  override createConnection(options: RequestOptions, connected?: Connected): Duplex | null | undefined {
    if (!this.#isProxied(options)) return super.createConnection(options, connected);
    // Node.js calls back with the TLS connection in the tunnel, or with an error and the connection that failed.
    const toProxy = super.createConnection(options, (error, socket) => {
      watched?.();
      // Node.js leaves the connection open if the proxy refuses.
      if (error) toProxy?.destroy();
      connected?.(error && socket === toProxy ? markProxy(error) : error, socket);
    });
    const watched = toProxy && watch(toProxy);
    return toProxy;
  }
}

let hasWarned = false;

/**
 * Warns if an account should use a proxy and this version of Node.js cannot; once for all accounts. The text names the
 * variable but not its value, which may hold a password.
 */
export function warnOfProxy(warn: (text: string) => void, endpoint: string | undefined): void {
  const needed = canUseProxies || hasWarned ? undefined : variableFor(endpoint, process.env);
  if (!needed) return;
  hasWarned = true;
  warn(
    `${needed.name} names a proxy, but Node.js ${process.versions.node} cannot use one here, so AWS is called without it: update Node.js to 22.21, 24.5 or later.`
  );
}
