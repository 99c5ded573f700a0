/** A service in a thread of its own, which answers as `any-service.ts` does when all is well, with its bytes changed. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { type Asked, askedFor, goodAnswer } from './any-service';
import { type Mutation, mutate } from './mutate';

/** How the requests of one node are answered. */
export interface Recipe {
  status?: number;
  headers: Record<string, string>;
  mutations: Mutation[];
  gzip?: 'right' | 'wrong' | 'bomb' | undefined;
  /** Of its length, which is told where this is a number, or `undefined`. */
  length: number | 'chunks';
  end: 'right' | 'cut' | 'never';
}

/**
 * What the thread is told: how a node is answered from now on, as a rule whatever it asks for, or which messages its queue
 * has.
 */
export type Told = { id: string; recipe?: Recipe; operation?: string; messages?: object[] };

/** Bytes after which even an answer without an end is over. */
const longest = 200 * 1024 * 1024;

/** Bytes that become of some KB: more than any answer may have. */
const bombSize = 24 * 1024 * 1024;
let bomb: Buffer | undefined;

/** Ms that a queue without messages waits for some: less than receivers wait, so that none ends a request itself. */
const longestPoll = 5000;

/** As AWS answers, with the id of the request: without one, what settles a message would not be known for its answer. */
const good: Recipe = { headers: { 'x-amzn-requestid': 'good' }, mutations: [], length: 0, end: 'right' };
const recipes = new Map<string, { recipe: Recipe; operation?: string | undefined }>();
const messages = new Map<string, object[]>();
/** Requests for messages that wait for some. */
const polls = new Map<string, { response: ServerResponse; end: () => void }>();

function write(response: ServerResponse, body: Buffer, end: Recipe['end']): void {
  if (end === 'right') response.end(body);
  else if (end === 'cut') response.write(body, () => response.destroy());
  else {
    const chunk = Buffer.alloc(65_536, body.length > 0 ? body : 'x');
    let written = 0;
    const more = () => {
      while (!response.destroyed && written < longest) {
        written += chunk.length;
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on('drain', more);
    response.write(body);
    more();
  }
}

function bodyOf(good: string, { mutations, gzip }: Recipe): Buffer {
  const body = mutate(Buffer.from(good), mutations);
  if (gzip === 'right') return gzipSync(body);
  if (gzip !== 'bomb') return body;
  bomb ??= gzipSync(Buffer.alloc(bombSize, '{},'), { level: 1 });
  return bomb;
}

function answer(recipe: Recipe, asked: Asked, response: ServerResponse): void {
  const [status, good] = goodAnswer(asked, response);
  const body = bodyOf(good, recipe);
  const { headers, gzip, length, end } = recipe;
  const type = asked.protocol === 'query' ? 'text/xml' : 'application/json';
  const told = length === 'chunks' ? {} : { 'content-length': String(Math.max(0, body.length + length)) };
  const packed = gzip ? { 'content-encoding': 'gzip' } : {};
  try {
    response.writeHead(recipe.status ?? status, { 'content-type': type, ...packed, ...told, ...headers });
    // What is told and does not come would be waited for until the time is over.
    const isShort = length !== 'chunks' && length > 0 && end === 'right';
    write(response, body, isShort ? 'cut' : end);
  } catch {
    // Not everything can be written.
    response.destroy();
  }
}

/** Answers a request for messages, once; without any, when its time is over. */
function poll(id: string, response: ServerResponse): void {
  const waiting = messages.get(id) ?? [];
  messages.delete(id);
  const give = (Messages: object[]) => {
    polls.delete(id);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify({ Messages }));
  };
  if (waiting.length > 0) {
    give(waiting);
    return;
  }
  const over = setTimeout(() => give([]), longestPoll);
  const end = () => clearTimeout(over);
  polls.set(id, { response, end });
  // A node that is gone takes no messages.
  response.once('close', () => {
    end();
    if (polls.get(id)?.response === response) polls.delete(id);
  });
}

const server = createServer((request, response) => {
  const [, id = '', ...path] = (request.url ?? '').split('/');
  const chunks: Buffer[] = [];
  request.on('error', () => undefined).on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', () => undefined);
  request.on('end', () => {
    const asked = askedFor(request, path.join('/'), Buffer.concat(chunks).toString());
    if (asked.operation === 'ReceiveMessage') return poll(id, response);
    const { recipe = good, operation = asked.operation } = recipes.get(id) ?? {};
    return answer(operation === asked.operation ? recipe : good, asked, response);
  });
});
server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));

parentPort?.on('message', ({ id, recipe, operation, messages: more }: Told) => {
  if (recipe) recipes.set(id, { recipe, operation });
  if (more) messages.set(id, more);
  const waiting = polls.get(id);
  polls.delete(id);
  waiting?.end();
  if (waiting) poll(id, waiting.response);
  parentPort?.postMessage('heard');
});
