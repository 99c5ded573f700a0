/**
 * Sends the requests of an account. The SDK's own handler limits the time until an answer begins, whether or not
 * something goes over the wire, and cannot be told of it; here what is limited is silence.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Agents } from './agents';
import { overdueAfter } from './overdue';
import type { RequestHandler } from './sdks';

type HttpRequest = Parameters<RequestHandler['handle']>[0];
type Handled = ReturnType<RequestHandler['handle']>;

/** What ends a request early. */
export interface Limits {
  abortSignal?: AbortSignal;
  /** How long nothing may go over the wire in either direction, ms; 0: for ever. */
  silence?: number;
  /**
   * The same until the answer begins, on a connection that was used before and may have died since. Absent where a
   * request must not be sent twice: the SDK sends it again.
   */
  answerWithin?: number;
  /** How long the service was asked to wait before it answers, ms; 0 where this is left out. */
  waits?: number;
  /** Told whenever something has come. */
  heard?(): void;
}

/** How long a connection may take to be made, TLS and proxy included, ms. */
const longestConnecting = 10_000;
/** The limit on silence where a request has none of its own, ms: the kernel takes some MB of an upload at once. */
const longestSilence = 60_000;
/**
 * How long a connection is kept while it is idle, ms. Load balancers close theirs after a minute (AWS's own default), and
 * routers forget them, often without a word.
 */
const longestIdle = 30_000;
/** Bytes of a body that are written at a time: only so it is seen that they leave. */
const slice = 64 * 1024;

/** Codes of connections that broke; the SDK sends a request again that has failed with this name. */
const broken = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

const timeoutError = (message: string, members: { code: string } | { syscall: string }): Error =>
  Object.assign(new Error(message), { name: 'TimeoutError', ...members });

/** As it is when the SDK's own handler is aborted. */
const abortError = ({ reason }: AbortSignal): Error =>
  Object.assign(new Error('Request aborted', { cause: reason }), { name: 'AbortError' });

/** Escapes what `encodeURIComponent` leaves, as it is in what is signed. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function pathOf({ path, query = {} }: HttpRequest): string {
  const parts = Object.entries(query).flatMap(([name, given]) =>
    [given].flat().map((value) => (value === null ? escaped(name) : `${escaped(name)}=${escaped(value as string)}`))
  );
  return parts.length > 0 ? `${path}?${parts.join('&')}` : path;
}

function responseOf(body: IncomingMessage): Awaited<Handled>['response'] {
  const { statusCode = 0, statusMessage: reason } = body;
  const headers: Record<string, string> = {};
  for (const name in body.headers) headers[name] = String(body.headers[name]);
  return { statusCode, reason, headers, body };
}

/** Writes a body piece by piece, and calls `left` for each one that the kernel has taken. */
function write(sent: ClientRequest, body: string | Uint8Array | undefined, left: () => void): void {
  if (!body || body.length <= slice) {
    sent.end(body);
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length);
  const writeFrom = (start: number): void => {
    const end = start + slice;
    if (end >= bytes.length) sent.end(bytes.subarray(start));
    else
      sent.write(bytes.subarray(start, end), (error) => {
        if (error) return;
        left();
        writeFrom(end);
      });
  };
  writeFrom(0);
}

/** Ends a request whose connection is silent. */
class Watch {
  #timer: NodeJS.Timeout | undefined;
  #neighbours: NodeJS.Timeout | undefined;
  #response: IncomingMessage | undefined;
  /** When it was sent through a connection that was used before, ms; until the answer begins that may be dead. */
  #doubted: number | undefined;

  constructor(
    private readonly sent: ClientRequest,
    private readonly limits: Limits,
    private readonly agents: Agents
  ) {
    this.#limit(longestConnecting, () => timeoutError('No connection was made in time.', { syscall: 'connect' }));
    sent.once('socket', (socket: Socket & { secureConnecting?: boolean }) => {
      const connected = () => this.#begin(socket);
      if (!socket.connecting && !socket.secureConnecting) connected();
      else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
    });
    sent.once('response', (response) => {
      this.#response = response;
    });
    sent.once('close', () => {
      clearTimeout(this.#timer);
      clearTimeout(this.#neighbours);
    });
  }

  /** Something of the request has left. */
  readonly left = (): void => {
    this.#timer?.refresh();
  };

  #begin(socket: Socket): void {
    const { silence = longestSilence, answerWithin = silence, waits = 0 } = this.limits;
    const heard = () => this.#hear(silence);
    socket.on('data', heard);
    this.sent.once('close', () => socket.off('data', heard));
    this.#limitSilence(this.sent.reusedSocket ? answerWithin : silence);
    if (!this.sent.reusedSocket) return;
    this.#doubted = performance.now();
    this.#neighbours = setTimeout(() => this.#closeNeighbours(), waits + overdueAfter);
  }

  #hear(silence: number): void {
    if (this.#doubted === undefined) this.#timer?.refresh();
    else {
      this.#doubted = undefined;
      clearTimeout(this.#neighbours);
      this.#limitSilence(silence);
    }
    this.limits.heard?.();
  }

  /** Where one connection has died its neighbours may have as well, and each next request would try another one of them. */
  #closeNeighbours(): void {
    if (this.#doubted !== undefined) this.agents.closeIdle(performance.now() - this.#doubted);
  }

  #limitSilence(ms: number): void {
    this.#limit(ms, () => {
      this.#closeNeighbours();
      return timeoutError(`There was silence for ${ms / 1000} s.`, { code: 'ETIMEDOUT' });
    });
  }

  #limit(ms: number, error: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = ms > 0 ? setTimeout(() => (this.#response ?? this.sent).destroy(error()), ms) : undefined;
  }
}

/** Sends requests over an account's connections. */
export class HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly agents: Agents) {}

  async handle(request: HttpRequest, limits: Limits = {}): Handled {
    const { abortSignal } = limits;
    if (abortSignal?.aborted) throw abortError(abortSignal);
    this.agents.closeIdle(longestIdle);
    const sent = this.#open(request);
    const { left } = new Watch(sent, limits, this.agents);
    if (abortSignal) {
      const abort = () => sent.destroy(abortError(abortSignal));
      abortSignal.addEventListener('abort', abort, { once: true });
      sent.once('close', () => abortSignal.removeEventListener('abort', abort));
    }
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.on('error', (error: NodeJS.ErrnoException) =>
        reject(broken.has(error.code) ? Object.assign(error, { name: 'TimeoutError' }) : error)
      );
    });
    write(sent, request.body, left);
    return { response: responseOf(await answered) };
  }

  /** What the SDK's clients wish is none of the account's business. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  destroy(): void {
    this.agents.destroy();
  }

  #open(request: HttpRequest): ClientRequest {
    const { protocol, hostname, port, method, headers } = request;
    const isTls = protocol === 'https:';
    const { httpAgent, httpsAgent } = this.agents;
    return (isTls ? https : http).request({
      headers,
      host: hostname.replace(/^\[|\]$/g, ''),
      method,
      path: pathOf(request),
      ...(port !== undefined && { port }),
      agent: isTls ? httpsAgent : httpAgent
    });
  }
}
