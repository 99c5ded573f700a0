/** Through a FIFO queue, with faults on the way. */
import assert from 'node:assert/strict';
import { countFaults, kinds, troubleAll } from './faults';
import { type Runner, useFleet } from './fleet';
import { type Receiving, receiving, sending } from './flows';
import type { Receipt } from './ledger';

const count = 2000;
const groups = 20;

describe('order', () => {
  const fleet = useFleet();

  it('is kept in each of 20 groups of 2,000 messages, each of which comes once', async () => {
    const { aws, queues, ledger } = fleet;
    const queue = 'order.fifo';
    const url = await queues.create(queue);
    const options: Receiving = { receivers: 3, visibilityTimeout: 2, work: 10 };
    const [sender, receiver] = (await fleet.start('sender', 'receiver')) as [Runner, Runner];
    await Promise.all([sender.deploy(sending(aws, queue)), receiver.deploy(receiving(aws, queue, options))]);

    await troubleAll(aws);
    // What fails is left out: sent again it would come after those that were behind it.
    const fed = sender.feed({ count, window: 500, groups });
    await ledger.until(
      () => ledger.settled.size >= 0.5 * count && ledger.open('receiver').length > 0,
      'the time to redeploy'
    );
    await receiver.deploy(receiving(aws, queue, options));
    await fed;
    await ledger.until(
      async () => (await queues.size(url)) === 0 && ledger.open('receiver').length === 0,
      'an empty queue'
    );

    const met = countFaults(await aws.requests());
    console.log(
      `      ${ledger.receipts.length} received, ${ledger.failed.size} failed; faults: ${JSON.stringify(met)}`
    );
    for (const kind of kinds) assert.ok((met[kind] ?? 0) > 0, `no request met ${kind}`);
    const received = ledger.receiptsById;
    const numbers = new Set([...received.values()].map(([receipt]) => receipt?.n));
    const lost = [...ledger.sent].filter(([, [id = '']]) => !received.has(id)).map(([n]) => n);
    assert.deepEqual(lost, []);
    assert.equal(ledger.sent.size + ledger.failed.size, count);
    assert.equal(received.size, numbers.size, 'a message came as two');
    // The first time that each was received, and the time that counted.
    for (const at of [0, -1]) {
      const receipts = new Set([...received.values()].map((all) => all.at(at)));
      assert.deepEqual(outOfOrder(ledger.receipts.filter((receipt) => receipts.has(receipt))), []);
    }
  });
});

/** What came behind a later one of its group. */
function outOfOrder(receipts: Receipt[]): string[] {
  const last = new Map<string | undefined, number>();
  return receipts.flatMap(({ n, groupId }) => {
    const former = last.get(groupId) ?? -1;
    last.set(groupId, Math.max(n, former));
    return n > former && groupId === `group-${n % groups}` ? [] : [`${n} of ${groupId} came after ${former}`];
  });
}
