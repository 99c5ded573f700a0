/** A relay in front of the local AWS: it sees what goes over the wire, and can answer for services that are not there. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
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

  private constructor(
    private readonly server: Server,
    private readonly behind: string
  ) {}

  /** @param behind the address of the local AWS */
  static async start(behind: string): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server, behind);
    server.on('request', (incoming, response) => void relay.#serve(incoming, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How many connections to the relay are open. */
  open(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    );
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
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
    const outgoing = request(`${this.behind}${path}`, { method, headers, agent: false }, async (answer) => {
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

async function textOf(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // The other side broke off: what has come is all there is.
  }
  return Buffer.concat(chunks).toString();
}
