import assert from 'node:assert/strict';
import { deployNodes, receiveNode, sendNode, useBench, useQueues } from '../aws';
import type { FlowNode, Message } from '../node-red';
import { sink } from '../node-red';
import { operationOf, useRelay } from '../relay';

/** How many clients an account keeps. */
const mostClients = 32;

describe('the URL of a queue, which is asked for by its name,', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  const relay = useRelay(bench);

  const deploy = (...nodes: FlowNode[]) => deployNodes(bench, [...nodes, sink('out')], { endpoint: relay.url });
  const count = (operation: string): number =>
    relay.exchanges.filter((exchange) => operationOf(exchange) === operation).length;
  const send = async (name: string, more: Message = {}) => bench.red.send('send', { payload: 'x', to: name, ...more });
  const byName = sendNode({ queue: 'to', queueType: 'msg' });

  for (const body of [
    '',
    '{}',
    'null',
    '{"QueueUrl":7}',
    '{"QueueUrl":""}',
    '{"QueueUrl":"login"}',
    '{"QueueUrl":"http://x/login"}'
  ]) {
    it(`is not kept from an answer that is none of AWS: ${body || 'nothing'}`, async () => {
      const name = (await queues.create()).split('/').at(-1) as string;
      await deploy(byName);
      relay.answer = (exchange) => (operationOf(exchange) === 'GetQueueUrl' ? { body } : undefined);
      assert.equal((await send(name)).error?.name, 'UnknownError');
      relay.answer = () => undefined;
      assert.equal((await send(name)).error, undefined);
      assert.equal((await send(name)).error, undefined);
      assert.equal(count('GetQueueUrl'), 2);
    });
  }

  it('is asked for again by a sender where it leads nowhere', async () => {
    const name = (await queues.create()).split('/').at(-1) as string;
    await deploy(byName);
    relay.answer = (exchange) =>
      operationOf(exchange) === 'GetQueueUrl'
        ? { body: JSON.stringify({ QueueUrl: `http://localhost/999999999999/${name}` }) }
        : undefined;
    assert.equal((await send(name)).error?.name, 'QueueDoesNotExist');
    relay.answer = () => undefined;
    assert.equal((await send(name)).error, undefined);
    assert.equal(count('GetQueueUrl'), 2);
  });

  it('is asked for again by a receiver where it leads nowhere', async () => {
    const url = await queues.create();
    const name = url.split('/').at(-1) as string;
    await queues.send(url, 'x');
    relay.answer = (exchange) =>
      operationOf(exchange) === 'GetQueueUrl' && count('GetQueueUrl') === 1
        ? { body: JSON.stringify({ QueueUrl: `http://localhost/999999999999/${name}` }) }
        : undefined;
    await deploy(receiveNode({ queue: name }));
    assert.equal((await bench.red.next('out')).payload, 'x');
  });

  it('is kept where a message fails for another reason', async () => {
    const name = (await queues.create()).split('/').at(-1) as string;
    await deploy(byName);
    await send(name);
    relay.answer = () => ({ status: 400, errorType: 'InvalidMessageContents', body: '{"message":"No."}' });
    assert.equal((await send(name)).error?.name, 'InvalidMessageContents');
    relay.answer = () => undefined;
    await send(name);
    assert.equal(count('GetQueueUrl'), 1);
  });

  it('is asked for once by each of more tenants than an account keeps clients', async () => {
    const tenants = mostClients + 8;
    const url = await queues.create();
    relay.answer = (exchange) =>
      operationOf(exchange) === 'GetQueueUrl'
        ? { body: JSON.stringify({ QueueUrl: url }) }
        : { body: '{"MessageId":"m"}' };
    await deploy(sendNode({ ...byName, dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' }));
    for (let round = 0; round < 10; round += 1) {
      for (let tenant = 0; tenant < tenants; tenant += 1) {
        const keys = { accessKeyId: `AKIATENANT${tenant}`, secretAccessKey: 'secret/0123456789' };
        const { error } = await send(url.split('/').at(-1) as string, { keys });
        assert.equal(error, undefined);
      }
    }
    assert.deepEqual([count('SendMessage'), count('GetQueueUrl')], [10 * tenants, tenants]);
  });

  it('is not asked for again with each poll of a receiver beside so many tenants', async () => {
    const url = await queues.create();
    const name = url.split('/').at(-1) as string;
    let polls = 0;
    let tenant = 0;
    const keep = () => {
      tenant += 1;
      return { accessKeyId: `AKIATENANT${tenant}`, secretAccessKey: 'secret/0123456789' };
    };
    relay.answer = async (exchange) => {
      if (operationOf(exchange) === 'SendMessage') return { body: '{"MessageId":"m"}' };
      if (operationOf(exchange).startsWith('DeleteMessage'))
        return { body: '', headers: { 'Content-Type': undefined } };
      if (operationOf(exchange) !== 'ReceiveMessage') return undefined;
      polls += 1;
      // Meanwhile other clients push the receiver's out.
      if (polls < 4) await Promise.all(Array.from({ length: mostClients + 1 }, () => send(url, { keys: keep() })));
      const Messages = [{ MessageId: `m${polls}`, ReceiptHandle: 'r', Body: 'x' }];
      return { body: JSON.stringify({ Messages }) };
    };
    await deploy(
      sendNode({ ...byName, dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' }),
      receiveNode({ queue: name, settle: 'sent' })
    );
    await bench.red.until(() => polls > 3);
    assert.deepEqual([count('GetQueueUrl'), count('GetQueueAttributes')], [1, 1]);
  });
});
