import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './call';

const mostBytes = 16 * 1024 * 1024;

/** The body; `too large` if it exceeds the limit, `gone` if the sender closed the connection before its end. */
export async function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | 'gone'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // The rest is still read, since some clients do not see an answer before the end of their request.
      if (bytes <= mostBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    return 'gone';
  }
  return bytes <= mostBytes ? Buffer.concat(chunks) : 'too large';
}

/** Answers a request whose body is too large. */
export function tooLarge(response: ServerResponse): void {
  response.writeHead(413, { Connection: 'close', 'Content-Type': 'text/plain' }).end('The request is too large.');
}

/** Resets the connection. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Resolves after that time, or when the caller has closed the connection. */
export function delay(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Sends an answer; with `truncate` only its first half, before the connection is reset. `now` becomes its `Date`. */
export function send(response: ServerResponse, answer: Answer, truncate: boolean, now: number): void {
  const body = Buffer.from(answer.body as string);
  response.writeHead(answer.status, {
    ...answer.headers,
    Date: new Date(now).toUTCString(),
    ...(answer.status === 204 ? {} : { 'Content-Length': body.length })
  });
  if (!truncate) return void response.end(body);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.resetAndDestroy());
}
