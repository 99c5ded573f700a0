/** Store and forward, through a whole Node-RED and the real SDK. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deployAction, errorOf, sendNode, useBench, useQueues } from '../aws';

describe('keep', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const folder = () => join(bench.red.userDir, 'nimbus', 'outbox', 'send');

  it('ends a message when it is safe, and sends it on when the service has accepted it', async () => {
    const url = await queues.create();
    await deployAction(bench, sendNode({ queue: url, keep: true }));
    const outcome = await bench.red.send('send', { payload: 'one', topic: 'here' });
    assert.equal(outcome.error, undefined);
    const message = await bench.red.next('out');
    assert.equal(message.topic, 'here');
    assert.equal((message.payload as { MessageId: string }).MessageId.length, 36);
    assert.equal(message.aws?.tries, 1);
    assert.deepEqual((await queues.receive(url)).map(({ Body }) => Body), ['one']);
  });

  it('keeps messages while the service does not answer, over a deployment', async () => {
    const url = await queues.create();
    await deployAction(bench, sendNode({ queue: url, keep: true }));
    await bench.aws.fault({ kind: 'resetBefore', service: 'sqs' });
    for (let n = 0; n < 25; n += 1) assert.equal((await bench.red.send('send', { payload: String(n) })).error, undefined);
    await bench.red.until(() => bench.red.statuses('send').some(({ text }) => /25 kept since/.test(text ?? '')));
    await bench.red.deploy([]);
    assert.ok(existsSync(folder()));
    await bench.aws.clearFaults();
    await deployAction(bench, sendNode({ queue: url }));
    const messages = await bench.red.collect('out', 25);
    assert.equal(messages.length, 25);
    await bench.red.until(() => JSON.stringify(bench.red.statuses('send').at(-1)) === '{}');
    await bench.red.deploy([]);
    assert.deepEqual(readdirSync(folder()), []);
  });
});
