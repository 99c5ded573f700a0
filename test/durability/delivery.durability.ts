/** From one Node-RED to others through a queue: with faults on the way, a redeploy, and a process that is killed. */
import assert from 'node:assert/strict';
import { countFaults, deletedUntold, heldUp, kinds, notPutOff, sentUntold, sideBySide, troubleAll } from './faults';
import { type Runner, useFleet } from './fleet';
import { isSlow, type Receiving, receiving, sending } from './flows';
import type { Ledger, Receipt } from './ledger';

const count = 10_000;
/** Longer than the queue hides a message: the receiver has to keep it hidden. */
const slowBelow = 0.7 * count;
/** Seconds. */
const visibilityTimeout = 4;

describe('delivery', () => {
  const fleet = useFleet();

  it('loses none of 10,000 messages, and repeats only those that nobody can know about', async () => {
    const { aws, queues, ledger } = fleet;
    const queue = 'deliveries';
    const url = await queues.create(queue);
    const options: Receiving = { receivers: 6, visibilityTimeout, work: 50, slowBelow };
    const [sender, receiver] = (await fleet.start('sender', 'receiver')) as [Runner, Runner];
    const deploy = () =>
      Promise.all([sender.deploy(sending(aws, queue, 2)), receiver.deploy(receiving(aws, queue, options))]);
    const inHand = () => ledger.open('receiver').filter(({ n }) => isSlow(n, slowBelow)).length;
    const busy = (part: number) => ledger.settled.size >= part * count && inHand() >= 2;

    await troubleAll(aws);
    await deploy();
    const began = Date.now();
    const fed = sender.feed({ count, window: 1000, again: true });
    await ledger.until(() => busy(0.25), 'the time to redeploy');
    await deploy();
    await ledger.until(() => busy(0.5), 'the time to kill');
    await receiver.kill();
    const [successor] = (await fleet.start('successor')) as [Runner];
    await successor.deploy(receiving(aws, queue, options));
    await fed;
    await ledger.until(
      async () => (await queues.size(url)) === 0 && ledger.open('successor').length === 0,
      'an empty queue'
    );

    const seconds = (Date.now() - began) / 1000;
    const requests = await aws.requests();
    const met = countFaults(requests);
    const untold = sentUntold(requests);
    const fates = fatesOf(ledger);
    const { unexplained, ...again } = fates;
    console.log(
      `      ${seconds.toFixed(1)} s, ${sum(untold.values())} copies, ${JSON.stringify(again)}; faults: ${JSON.stringify(met)}`
    );
    for (const kind of kinds) assert.ok((met[kind] ?? 0) > 0, `no request met ${kind}`);
    // Those as well that receive beside others.
    const beside = countFaults(sideBySide(requests));
    for (const kind of ['throttle', 'error503']) assert.ok((beside[kind] ?? 0) > 0, `none of several met ${kind}`);
    assert.deepEqual(lostOf(ledger), []);
    assert.deepEqual(wrongCopies(ledger, untold), []);
    assert.deepEqual(unexplained, []);
    // Each of them lost what it had, and its successor got that.
    assert.ok(fates.killed > 0 && fates.redeployed > 0, JSON.stringify(fates));
    assert.ok(fates.late <= heldUp(requests), `${fates.late} late, ${heldUp(requests)} held up`);
    // A tenth of them for a machine that stands still.
    const most = notPutOff(requests) + slowBelow / 500;
    assert.ok(fates.slow <= most, `${fates.slow} came again, of at most ${most}`);
    assert.ok(fates.untold <= ledger.count('killed') + deletedUntold(requests), JSON.stringify(fates));
  });
});

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, each) => total + each, 0);

/** Messages that the send node said were sent, and that no flow received; and numbers that it did not send once. */
function lostOf({ sent, receiptsById }: Ledger): string[] {
  const received = receiptsById;
  return Array.from({ length: count }, (_, n) => {
    const [id, ...more] = sent.get(n) ?? [];
    if (id === undefined || more.length > 0) return `${n} was sent ${id ? more.length + 1 : 0} times`;
    return received.has(id) ? '' : `${n} was sent as ${id} and never received`;
  }).filter(Boolean);
}

/** Numbers that came as more or fewer messages than one, and one for each time that the sender was not told. */
function wrongCopies({ receiptsById }: Ledger, untold: Map<number, number>): string[] {
  const copies = new Map<number, number>();
  for (const [{ n }] of receiptsById.values() as Iterable<[Receipt]>) copies.set(n, (copies.get(n) ?? 0) + 1);
  return Array.from({ length: count }, (_, n) => {
    const [found, expected] = [copies.get(n) ?? 0, 1 + (untold.get(n) ?? 0)];
    return found === expected ? '' : `${n} came as ${found} messages instead of ${expected}`;
  }).filter(Boolean);
}

/**
 * Why messages came again: the process or the flow that had them was gone, or their time was over before they were
 * settled, `late` in a deletion that faults held up, or `slow` in the flow, where they were to be kept hidden. At the end of each there is a deletion, of which some were not told: a process that was killed, a flow that was
 * stopped or whose time was over when it asked again.
 */
function fatesOf({ receiptsById }: Ledger) {
  const fates = { killed: 0, redeployed: 0, late: 0, slow: 0, untold: 0, unexplained: [] as string[] };
  for (const receipts of receiptsById.values()) {
    const last = receipts.at(-1) as Receipt;
    for (const { n, end, overtaken, took, errors } of receipts.slice(0, -1)) {
      if (overtaken || took > visibilityTimeout * 1000 || end === 'expired') {
        fates[isSlow(n, slowBelow) ? 'slow' : 'late'] += 1;
      } else if (end === 'killed' || end === 'redeployed') fates[end] += 1;
      else fates.unexplained.push(`${last.messageId} came again, but its flow said: ${end} ${errors}`);
    }
    if (last.end !== 'settled') fates.untold += 1;
  }
  return fates;
}
