/**
 * Sends the requests of an account. The SDK's own handler limits the time until an answer begins, even while data is still
 * being sent or received. Here only silence on the connection is limited.
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

/** What aborts requests: an `AbortSignal`, or an object that has the part of it that is needed here and costs less. */
export interface AbortSource {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The limits of a request. */
export interface Limits {
  abortSignal?: AbortSource;
  /** The longest time without data in either direction, ms; 0: no limit. */
  silence?: number;
  /**
   * The same until the answer begins, on a connection that was used before and may be dead. The SDK then sends the request
   * again, so this is absent for requests that must not be sent twice.
   */
  answerWithin?: number;
  /** How long the service was asked to wait before it answers (long polling), ms; default 0. */
  waits?: number;
  /** Called whenever data has been received. */
  heard?(): void;
}

/** The longest time for making a connection, TLS and proxy included, ms. */
const longestConnecting = 10_000;
/** The default of `silence`, ms. The kernel buffers some MB of an upload, which then take time in silence. */
const longestSilence = 60_000;
/**
 * How long an idle connection is kept, ms. Load balancers close theirs after a minute (the default of AWS's), and routers
 * forget them, often without closing them.
 */
const longestIdle = 30_000;
/** How often idle connections are looked for, ms: looking through them takes several µs. */
const lookEvery = 1000;
/** Bytes of a body that are written at a time, so that progress is seen. */
const slice = 64 * 1024;

/** Codes of connections that broke. The SDK repeats a request that failed with the name `TimeoutError`. */
const broken = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

const timeoutError = (message: string, members: { code: string } | { syscall: string }): Error =>
  Object.assign(new Error(message), { name: 'TimeoutError', ...members });

/** The error with which the SDK's own handler rejects when it is aborted. */
const abortError = ({ reason }: AbortSource): Error =>
  Object.assign(new Error('Request aborted', { cause: reason }), { name: 'AbortError' });

/** Percent-encodes as SigV4 does, which escapes more than `encodeURIComponent`. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function pathOf({ path, query }: HttpRequest): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).map((value) =>
      value === null ? escaped(name) : `${escaped(name)}=${escaped(value)}`
    )
  );
  return parts.length > 0 ? `${path}?${parts.join('&')}` : path;
}

function responseOf(body: IncomingMessage): Awaited<Handled>['response'] {
  const { statusCode = 0, statusMessage: reason } = body;
  const headers: Record<string, string> = {};
  for (const name in body.headers) headers[name] = String(body.headers[name]);
  return { statusCode, reason, headers, body };
}

/** Writes a body in slices, and calls `left` after each one that the kernel has taken. */
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

/** A request that is being sent. It fails if its connection is silent for too long. */
class Sending {
  readonly answer: Promise<IncomingMessage>;
  #response: IncomingMessage | undefined;
  /** The longest time without data, ms; `undefined` until the connection is made. */
  #silence: number | undefined;
  /** Rings when the connection has been silent for too long, or is not made in time. */
  #timer: NodeJS.Timeout | undefined;
  readonly #began = performance.now();

  constructor(
    private readonly sent: ClientRequest,
    private readonly limits: Limits,
    private readonly agents: Agents
  ) {
    const { silence = longestSilence, answerWithin = silence, waits = 0, abortSignal } = limits;
    const abort = abortSignal && (() => sent.destroy(abortError(abortSignal)));
    if (abort) abortSignal.addEventListener('abort', abort);
    const overdue = sent.reusedSocket ? setTimeout(() => this.#closeNeighbours(), waits + overdueAfter) : undefined;
    this.answer = new Promise((resolve, reject) => {
      sent.on('response', (response) => {
        this.#response = response;
        clearTimeout(overdue);
        this.#limitSilence(silence);
        resolve(response);
      });
      sent.on('error', (error: NodeJS.ErrnoException) =>
        reject(broken.has(error.code) ? Object.assign(error, { name: 'TimeoutError' }) : error)
      );
    });
    sent.on('close', () => {
      clearTimeout(this.#timer);
      clearTimeout(overdue);
      if (abort) abortSignal.removeEventListener('abort', abort);
    });
    if (sent.reusedSocket) {
      this.#limitSilence(answerWithin);
      if (this.#listens) sent.once('socket', (socket) => this.#listenTo(socket));
    } else {
      this.#ringAfter(longestConnecting);
      sent.once('socket', (socket) => this.#connect(socket, silence));
    }
  }

  /** To be called when data has gone over the connection. */
  readonly progressed = (): void => {
    if (this.#silence) this.#timer?.refresh();
  };

  #fail(): void {
    this.#closeNeighbours();
    const error =
      this.#silence === undefined
        ? timeoutError('No connection was made in time.', { syscall: 'connect' })
        : timeoutError(`There was silence for ${this.#silence / 1000} s.`, { code: 'ETIMEDOUT' });
    (this.#response ?? this.sent).destroy(error);
  }

  /** If a connection that was used before is dead, those may be as well that have been idle for as long: closes them. */
  #closeNeighbours(): void {
    if (this.sent.reusedSocket && !this.#response) this.agents.closeIdle(performance.now() - this.#began);
  }

  /** Whether anybody wants to know when data comes. */
  get #listens(): boolean {
    const { silence, heard } = this.limits;
    return silence !== 0 || heard !== undefined;
  }

  #connect(socket: Socket & { secureConnecting?: boolean }, silence: number): void {
    const connected = () => {
      this.#limitSilence(silence);
      if (this.#listens) this.#listenTo(socket);
    };
    if (!socket.connecting && !socket.secureConnecting) connected();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
  }

  #listenTo(socket: Socket): void {
    const heard = () => {
      this.progressed();
      this.limits.heard?.();
    };
    socket.on('data', heard);
    this.sent.on('close', () => socket.off('data', heard));
  }

  #limitSilence(ms: number): void {
    this.#silence = ms;
    clearTimeout(this.#timer);
    if (ms > 0) this.#ringAfter(ms);
  }

  #ringAfter(ms: number): void {
    this.#timer = setTimeout(() => this.#fail(), ms);
  }
}

/** Sends requests over an account's connections. */
export class HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  /** When idle connections were last looked for, in ms of `performance.now()`. */
  #lookedAt = -Infinity;

  constructor(private readonly agents: Agents) {}

  async handle(request: HttpRequest, limits: Limits = {}): Handled {
    const { abortSignal } = limits;
    if (abortSignal?.aborted) throw abortError(abortSignal);
    this.#closeIdle();
    const sent = this.#open(request);
    const sending = new Sending(sent, limits, this.agents);
    write(sent, request.body, sending.progressed);
    return { response: responseOf(await sending.answer) };
  }

  /** The handler is shared by all clients of the account, so that none of them may configure it. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  destroy(): void {
    this.agents.destroy();
  }

  #closeIdle(): void {
    const now = performance.now();
    if (now - this.#lookedAt < lookEvery) return;
    this.#lookedAt = now;
    this.agents.closeIdle(longestIdle);
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
      port,
      agent: isTls ? httpsAgent : httpAgent
    });
  }
}
