/**
 * Servers for tests of what goes over the wire: a relay in front of the local AWS, which sees everything and can answer for
 * services that are not there, and a bare server for answers that are no texts, or never end.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request and its answer, as they went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  answer?: string;
}

interface Reply {
  status?: number;
  body: string;
  /** The name of an error, where the services with a JSON protocol say it. */
  errorType?: string;
  /** `undefined` for one that is left out. */
  headers?: Record<string, string | undefined>;
}

/** Answers in place of the local AWS, or leaves the request to it by giving `undefined`. */
export type Answerer = (exchange: Exchange) => Reply | undefined | Promise<Reply | undefined>;

export class Relay {
  readonly exchanges: Exchange[] = [];
  /** Asked for each request before it goes on. */
  answer: Answerer = () => undefined;

  readonly #server = createServer((incoming, response) => void this.#serve(incoming, response));
  #behind = '';

  /** @param behind the address of the local AWS */
  static async start(behind: string): Promise<Relay> {
    const relay = new Relay();
    await relay.listen(behind);
    return relay;
  }

  /** @param behind the address of the local AWS */
  async listen(behind: string): Promise<void> {
    this.#behind = behind;
    await listen(this.#server);
  }

  get url(): string {
    return urlOf(this.#server);
  }

  /** Forgets what went through, and answers nothing itself. */
  reset(): void {
    this.exchanges.length = 0;
    this.answer = () => undefined;
  }

  /** How many connections to the relay are open. */
  open(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    );
  }

  stop(): Promise<void> {
    return stop(this.#server);
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const exchange: Exchange = { method: incoming.method ?? '', path: incoming.url ?? '', headers, body };
    this.exchanges.push(exchange);
    const reply = await this.answer(exchange);
    if (!reply) return this.#forward(exchange, response);
    exchange.answer = reply.body;
    const { status = 200, errorType, headers: more, body: text } = reply;
    if (errorType) response.setHeader('X-Amzn-ErrorType', errorType);
    const all = Object.entries({ 'Content-Type': 'application/json', ...more });
    response.writeHead(status, Object.fromEntries(all.filter(([, value]) => value !== undefined))).end(text);
  }

  /** The host header stays as it is, since it is signed. */
  #forward(exchange: Exchange, response: ServerResponse): void {
    const { method, path, headers, body } = exchange;
    const outgoing = request(`${this.#behind}${path}`, { method, headers, agent: false }, async (answer) => {
      const text = await textOf(answer);
      exchange.answer = text;
      const { 'transfer-encoding': _, connection: __, ...kept } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, kept);
      if (answer.complete) response.end(text);
      else response.write(text, () => response.destroy());
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.end(body);
  }
}

/** A relay for the tests of a file or a suite, from which each test starts anew; its address is known when they run. */
export function useRelay(bench: { readonly aws: { readonly url: string } }): Relay {
  const relay = new Relay();
  before(() => relay.listen(bench.aws.url));
  beforeEach(() => relay.reset());
  // What still asks after a test gets no answer that was meant for it.
  afterEach(() => relay.reset());
  after(() => relay.stop());
  return relay;
}

/** Starts relays that a test has for itself; they stop when nothing of the test is deployed any more. */
export function useRelays(bench: { readonly aws: { readonly url: string } }): () => Promise<Relay> {
  const relays: Relay[] = [];
  afterEach(async () => {
    for (const relay of relays.splice(0)) await relay.stop();
  });
  return async () => {
    const relay = await Relay.start(bench.aws.url);
    relays.push(relay);
    return relay;
  };
}

/** A server for the tests of a file or a suite. Its address is known when they run. */
export function useServer(listener: RequestListener): { readonly url: string } {
  const server = createServer(listener);
  before(() => listen(server));
  after(() => stop(server));
  return {
    get url() {
      return urlOf(server);
    }
  };
}

const listen = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** The operation that a request asks for; of Lambda, whose requests name none, the only one with GET that nodes make. */
export const operationOf = ({ headers, body, method }: Exchange): string =>
  headers['x-amz-target']?.split('.').pop() ??
  (method === 'GET' ? 'ListFunctions' : (new URLSearchParams(body).get('Action') ?? ''));

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // The other side broke off: what has come is all there is.
  }
  return Buffer.concat(chunks).toString();
}
