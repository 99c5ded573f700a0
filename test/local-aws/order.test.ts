/** The order of a FIFO group in the local AWS, with a clock that the test moves. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { mock } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { CreateMessage, Queue } from '../../local-aws/messaging/sqs-rules';
import { answerSqs } from '../../local-aws/messaging/sqs-rules';

interface Store {
  SqsStore: { new (): { createQueue(...all: unknown[]): Queue }; createMessage: CreateMessage };
}

const store = pathToFileURL(join(__dirname, '..', '..', 'node_modules', 'fauxqs', 'dist', 'sqs', 'sqsStore.js')).href;
const arn = 'arn:aws:sqs:us-east-1:000000000000:q.fifo';

describe('a FIFO group of the local AWS', () => {
  afterEach(() => mock.restoreAll());

  it('keeps its order where its time is over in the middle of a request', async () => {
    const { SqsStore }: Store = await import(store);
    const url = 'http://sqs.us-east-1.localhost/000000000000/q.fifo';
    const queue = new SqsStore().createQueue('q.fifo', url, arn, { FifoQueue: 'true' });
    let now = Date.now();
    mock.method(Date, 'now', () => now);
    const call = async (operation: string, input: Record<string, unknown>) =>
      answerSqs({
        operation,
        input,
        queue,
        arn,
        queues: { getQueueByArn: () => queue },
        createMessage: SqsStore.createMessage,
        senderId: 'me',
        trace: undefined,
        gone: new AbortController().signal
      });
    const receive = async (VisibilityTimeout: number): Promise<string[]> => {
      const input = { MaxNumberOfMessages: 5, VisibilityTimeout, WaitTimeSeconds: 0 };
      const { Messages = [] } = (await call('ReceiveMessage', input)) as { Messages?: { Body: string }[] };
      return Messages.map(({ Body }) => Body);
    };
    const bodies = ['0', '1', '2', '3', '4'];
    for (const body of bodies) {
      await call('SendMessage', { MessageBody: body, MessageGroupId: 'a', MessageDeduplicationId: body });
    }
    assert.deepEqual(await receive(2), bodies);
    now += 1999;
    // The last millisecond goes by between the first look at the clock and the next one.
    const { processTimers } = queue;
    let looks = 0;
    queue.processTimers = () => {
      looks += 1;
      if (looks === 2) now += 1;
      processTimers.call(queue);
    };
    assert.deepEqual(await receive(60), []);
    now += 1;
    queue.processTimers = processTimers;
    assert.deepEqual(await receive(60), bodies);
  });
});
