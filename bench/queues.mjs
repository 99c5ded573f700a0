/**
 * SQS as far as receiving goes, over TLS, in a process of its own and as cheap as can be. Each answer takes a round trip,
 * `roundTrip` ms. Queues are there as soon as somebody asks for them; messages come from who runs the benchmark.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:https';

const md5 = (text) => createHash('md5').update(text).digest('hex');

class Queue {
  #waiting = [];
  #next = 0;
  /** Numbers that somebody has received, by receipt handle. */
  #inFlight = new Map();
  #left = 0;
  #twice = 0;
  #requests = { ReceiveMessage: 0, DeleteMessage: 0, messages: 0 };
  #polls = new Set();
  #done = () => undefined;

  /** Puts messages in. Resolves with what was asked for them, once all of them are deleted. */
  fill(count) {
    this.#requests = { ReceiveMessage: 0, DeleteMessage: 0, messages: count };
    this.#twice = 0;
    this.#left += count;
    for (let index = 0; index < count; index += 1) this.#waiting.push(this.#make());
    for (const answer of [...this.#polls]) answer();
    return new Promise((resolve) => {
      this.#done = () => resolve({ ...this.#requests, twice: this.#twice });
    });
  }

  #make() {
    this.#next += 1;
    const Body = JSON.stringify({ n: this.#next, temperature: 21.5, room: 'kitchen' });
    return { MessageId: randomUUID(), Body, MD5OfBody: md5(Body) };
  }

  /** Messages, as soon as there are some; none when the time is over, s, or the caller has gone. */
  receive({ MaxNumberOfMessages = 1, WaitTimeSeconds = 0, MessageSystemAttributeNames = [] }, gone) {
    this.#requests.ReceiveMessage += 1;
    const take = () =>
      this.#waiting.splice(0, MaxNumberOfMessages).map((message) => {
        const ReceiptHandle = randomUUID();
        this.#inFlight.set(ReceiptHandle, message);
        const Attributes = MessageSystemAttributeNames.length > 0 ? attributes : undefined;
        return { ...message, ReceiptHandle, Attributes };
      });
    if (this.#waiting.length > 0) return { Messages: take() };
    return new Promise((resolve) => {
      const answer = () => {
        clearTimeout(timer);
        this.#polls.delete(answer);
        const Messages = take();
        resolve(Messages.length > 0 ? { Messages } : {});
      };
      const timer = setTimeout(answer, WaitTimeSeconds * 1000);
      this.#polls.add(answer);
      gone(() => {
        clearTimeout(timer);
        this.#polls.delete(answer);
      });
    });
  }

  delete({ Entries, ReceiptHandle }) {
    this.#requests.DeleteMessage += 1;
    for (const entry of Entries ?? [{ ReceiptHandle }]) {
      if (this.#inFlight.delete(entry.ReceiptHandle)) this.#left -= 1;
      else this.#twice += 1;
    }
    if (this.#left === 0) this.#done();
    return Entries ? { Successful: Entries.map(({ Id }) => ({ Id })) } : {};
  }
}

const attributes = {
  SenderId: 'AIDAJDPLRKLG7UEXAMPLE',
  ApproximateFirstReceiveTimestamp: '1795254809046',
  ApproximateReceiveCount: '1',
  SentTimestamp: '1795254809000'
};

const queues = new Map();
function queueOf(name) {
  if (!queues.has(name)) queues.set(name, new Queue());
  return queues.get(name);
}

function answerTo(operation, input, gone) {
  const queue = queueOf(input.QueueUrl.split('/').at(-1));
  if (operation === 'ReceiveMessage') return queue.receive(input, gone);
  if (operation.startsWith('DeleteMessage')) return queue.delete(input);
  if (operation === 'GetQueueAttributes') return { Attributes: { VisibilityTimeout: '30' } };
  return {};
}

function serve(request, response, roundTrip) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const operation = request.headers['x-amz-target'].split('.')[1];
    const input = JSON.parse(Buffer.concat(chunks));
    const body = JSON.stringify(await answerTo(operation, input, (work) => response.once('close', work)));
    setTimeout(() => {
      response.writeHead(200, {
        'Content-Type': 'application/x-amz-json-1.0',
        'x-amzn-RequestId': randomUUID(),
        'Content-Length': Buffer.byteLength(body)
      });
      response.end(body);
    }, roundTrip);
  });
}

process.once('message', ({ key, certificate, roundTrip }) => {
  const server = createServer({ key, cert: certificate, keepAliveTimeout: 60_000 }, (request, response) =>
    serve(request, response, roundTrip)
  );
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('message', async ({ queue, count }) => process.send(await queueOf(queue).fill(count)));
  process.on('disconnect', () => process.exit());
});
