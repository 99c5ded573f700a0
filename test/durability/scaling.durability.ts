/** Several Node-REDs at one queue. */
import assert from 'node:assert/strict';
import { sideBySide } from './faults';
import { type Runner, useFleet } from './fleet';
import { receiving } from './flows';
import type { Ledger, Receipt } from './ledger';

const count = 3000;
const names = ['first', 'second', 'third'];

describe('scaling out', () => {
  const fleet = useFleet();

  it('gives each of three processes a fair part of 3,000 messages, and that of one that is killed to the others', async () => {
    const { aws, queues, ledger } = fleet;
    const url = await queues.create('shared');
    const runners = (await fleet.start(...names)) as [Runner, Runner, Runner];
    const flow = receiving(aws, 'shared', { maxInFlight: 20, visibilityTimeout: 4, work: 20 });
    await Promise.all(runners.map((runner) => runner.deploy(flow)));
    await aws.until({ operation: 'ReceiveMessage', requests: names.length });

    await queues.fill(url, 0, count);
    await ledger.until(() => ledger.settled.size === count && ledger.count(undefined) === 0, 'all to be settled');
    assert.equal(ledger.receipts.length, count);
    assert.equal(await queues.size(url), 0);
    const shares = names.map((name) => ledger.count('settled', name));
    console.log(`      shares: ${shares}`);
    for (const share of shares) assert.ok(share >= 0.15 * count, `${names} settled ${shares}`);

    assert.ok(sideBySide(await aws.requests()).length > 0, 'never several requests at once');

    const filled = queues.fill(url, count, count);
    const more = (name: string) => ledger.count('settled', name) - (shares[names.indexOf(name)] ?? 0);
    await ledger.until(() => more('first') >= 0.1 * count && ledger.open('first').length >= 5, 'the time to kill');
    await runners[0].kill();
    await filled;
    const done = () => ledger.open('second').length + ledger.open('third').length === 0;
    await ledger.until(async () => (await queues.size(url)) === 0 && done(), 'an empty queue');
    console.log(`      with a kill: ${names.map(more)}, ${ledger.count('killed')} left behind`);
    assert.ok(ledger.count('killed') > 0, 'it was killed when it had nothing');
    assert.equal(ledger.receiptsById.size, 2 * count);
    assert.deepEqual(strays(ledger), []);
  });
});

/** Messages that came again though their process lived, or that were left. */
function strays({ receiptsById }: Ledger): string[] {
  return [...receiptsById.values()].flatMap((receipts) => {
    const { messageId, end, by } = receipts.at(-1) as Receipt;
    const again = receipts.slice(0, -1).filter((receipt) => receipt.end !== 'killed');
    // The one that was killed may have deleted messages that it did not live to tell of.
    const ok = again.length === 0 && (end === 'settled' || end === 'killed');
    return ok ? [] : [`${messageId} came ${receipts.length} times, at last to ${by}, where it was ${end}`];
  });
}
