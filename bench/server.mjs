/**
 * SQS as far as sending goes, over TLS, in a process of its own and as cheap as can be: each body is a number in JSON, and
 * the id that the message gets is made of it, so that answers can be matched to messages.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:https';

/** How long an answer takes, ms, and whether there is an outage. */
let delay = 0;
let isDown = false;
let connections = 0;
let requests = 0;
/** By body: how often it came. */
let seen = new Map();

const md5 = (text) => createHash('md5').update(text).digest('hex');

function accept(body) {
  const { n } = JSON.parse(body);
  seen.set(n, (seen.get(n) ?? 0) + 1);
  return { MessageId: `message-${n}`, MD5OfMessageBody: md5(body) };
}

function answer({ Entries, MessageBody }) {
  if (!Entries) return accept(MessageBody);
  return { Successful: Entries.map((entry) => ({ Id: entry.Id, ...accept(entry.MessageBody) })) };
}

function serve(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    requests += 1;
    if (isDown) return response.writeHead(503).end();
    const body = JSON.stringify(answer(JSON.parse(Buffer.concat(chunks))));
    response.writeHead(200, {
      'Content-Type': 'application/x-amz-json-1.0',
      'x-amzn-RequestId': `request-${requests}`,
      'Content-Length': body.length
    });
    if (delay === 0) response.end(body);
    else setTimeout(() => response.end(body), delay);
  });
}

/** What came since the last question. */
function report() {
  const twice = [...seen.values()].filter((times) => times > 1).length;
  const counts = { connections, requests, messages: seen.size, twice };
  connections = 0;
  requests = 0;
  seen = new Map();
  return counts;
}

process.once('message', ({ key, certificate }) => {
  const server = createServer({ key, cert: certificate, keepAliveTimeout: 60_000 }, serve);
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('message', (change) => {
    ({ delay = delay, isDown = isDown } = change);
    process.send(report());
  });
  process.on('disconnect', () => process.exit());
});
