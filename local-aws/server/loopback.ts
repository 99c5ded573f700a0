/** Protects servers that are meant for this machine only from pages of other sites. */
import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const refusal = 'This server answers to localhost and loopback addresses only.';

/**
 * Whether a `Host` header is a loopback name: `localhost`, a name below it, 127.0.0.0/8 or [::1]. The page of another site can
 * make its own name resolve to this machine (DNS rebinding), but browsers then send that name.
 */
export function isLoopback(host = ''): boolean {
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '');
  return /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(name);
}

function refuse(to: ServerResponse | Duplex): void {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': refusal.length, Connection: 'close' };
  if (to instanceof ServerResponse) return void to.writeHead(403, headers).end(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  to.end(`HTTP/1.1 403 Forbidden\r\n${lines.join('')}\r\n${refusal}`);
}

/** A server that answers 403 to requests whose `Host` is not a loopback name, websockets included. */
export class LoopbackServer extends Server {
  constructor(options: ServerOptions, listener: RequestListener) {
    super(options, listener);
  }

  /** Refused requests are not emitted, so that no listener sees them, such as Node-RED's for upgrades. */
  override emit(event: string, ...given: unknown[]): boolean {
    const [request, to] = given as [IncomingMessage, ServerResponse | Duplex];
    if (
      /^(?:request|upgrade|connect|check(?:Continue|Expectation))$/.test(event) &&
      !isLoopback(request.headers.host)
    ) {
      refuse(to);
      return true;
    }
    return super.emit(event, ...given);
  }
}
