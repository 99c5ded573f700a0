/** What waits for a target: which entry goes when, by numbers that a test gives as the time. */
import assert from 'node:assert/strict';
import type { Node } from 'node-red';
import type { ActionError } from '../../nodes/fields/errors';
import { EntryTable, none } from '../../nodes/outbox/entry-table';
import { Pause, Sequence } from '../../nodes/outbox/sequence';
import { type Taken, TargetQueue } from '../../nodes/outbox/target-queue';
import { Troubles } from '../../nodes/outbox/troubles';

const batch = { entries: 10, bytes: 1000 };

describe('a target queue', () => {
  let table: EntryTable;
  let queue: TargetQueue;
  beforeEach(() => {
    table = new EntryTable();
    queue = new TargetQueue(table, 'queue', 'eu-west-1');
  });

  const rowOf = (id: number, since = 0, bytes = 10): number => {
    const place = { segment: 1, offset: id * 100, length: 100, member: 0, share: 100 };
    return table.add({ id, keptAt: 0, target: 'queue', region: 'eu-west-1', bytes, place }, since);
  };
  const add = (id: number, group?: string, since = 0): boolean => queue.add(rowOf(id, since), group);
  const idsOf = (taken: Taken[]): number[] => taken.map(({ id }) => id);
  const take = (): Taken[] => queue.take(batch);
  const only = (taken: Taken[]): Taken => {
    assert.equal(taken.length, 1);
    return taken[0] as Taken;
  };

  it('gives entries in the order of their numbers, ten in a request, and no more bytes than it takes', () => {
    for (let id = 1; id <= 13; id += 1) add(id);
    assert.deepEqual(idsOf(take()), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    queue.add(rowOf(14, 0, 980), undefined);
    assert.deepEqual(idsOf(take()), [11, 12, 13]);
    assert.deepEqual(idsOf(take()), [14]);
  });

  it('has an entry that comes back where it was', () => {
    for (let id = 1; id <= 4; id += 1) add(id);
    const taken = queue.take({ entries: 3, bytes: 1000 });
    for (const each of [taken[2], taken[0], taken[1]]) queue.putBack(each as Taken);
    assert.deepEqual(idsOf(take()), [1, 2, 3, 4]);
  });

  it('takes an entry once that stands in two segments', () => {
    assert.deepEqual([add(1), add(2), add(3), add(2)], [true, true, true, false]);
    assert.deepEqual(idsOf(take()), [1, 2, 3]);
  });

  it('has one entry of a group under way, groups side by side by the age of their first entries', () => {
    for (const [id, group] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
      [4, 'c'],
      [5, 'b']
    ] as const) {
      add(id, group);
    }
    const [first, second, third] = take();
    assert.deepEqual([first?.id, second?.id, third?.id], [1, 3, 4]);
    assert.deepEqual(take(), []);
    queue.left(second as Taken);
    assert.deepEqual(idsOf(take()), [5]);
    queue.putBack(first as Taken);
    assert.deepEqual(idsOf(take()), [1]);
  });

  it('lets what comes later pass an entry that is set aside, and its group not', () => {
    add(1);
    add(2);
    queue.setAside(only(queue.take({ entries: 1, bytes: 10 })), 0, false);
    assert.deepEqual(idsOf(take()), [2]);
    add(3, 'a');
    add(4, 'a');
    queue.setAside(only(take()), 0, false);
    assert.deepEqual(take(), []);
    queue.endRests(5000);
    assert.deepEqual(idsOf(take()), [1, 3]);
  });

  it('has one that may be why a request failed go alone until it has left', () => {
    add(1);
    add(2);
    queue.setAside(only(queue.take({ entries: 1, bytes: 10 })), 0, true);
    queue.endRests(5000);
    const suspect = only(take());
    assert.equal(suspect.id, 1);
    add(3);
    assert.deepEqual(idsOf(take()), [2, 3]);
    queue.left(suspect);
    assert.equal(queue.isInTrouble, false);
  });

  it('makes requests small after one of many entries has failed, and twice as large after each that succeeds', () => {
    for (let id = 1; id <= 30; id += 1) add(id);
    for (const each of take()) queue.putBack(each);
    queue.failed(0, 0, true);
    const sizes: number[] = [];
    for (let time = 1; !queue.isEmpty; time += 1) {
      const taken = take();
      if (taken.length === 0) break;
      sizes.push(taken.length);
      for (const each of taken) queue.left(each);
      queue.succeeded(time);
    }
    assert.deepEqual(sizes, [1, 2, 4, 8, 10, 5]);
  });

  it('gives up what is too old wherever it waits: in a row, in a group, at rest and after its rest', () => {
    const one = { entries: 1, bytes: 1000 };
    for (let id = 1; id <= 4; id += 1) add(id);
    const [first, second] = [only(queue.take(one)), only(queue.take(one))];
    queue.setAside(first, 0, false);
    queue.endRests(5000);
    queue.setAside(second, 5000, false);
    for (const id of [5, 6]) add(id, 'a');
    for (const id of [7, 8]) add(id, 'a', 100);
    add(9, undefined, 100);
    const found = idsOf(queue.takeOlder(50));
    assert.deepEqual(found.sort(), [1, 2, 3, 4, 5, 6]);
    queue.endRests(100_000);
    assert.deepEqual(idsOf(take()), [7, 9]);
  });

  it('puts what could not be read as too old back into its group', () => {
    add(1, 'a');
    add(2, 'a');
    for (const each of queue.takeOlder(50)) queue.restore(each);
    assert.deepEqual(idsOf(take()), [1]);
    assert.deepEqual(take(), []);
  });

  it('is empty when all has left', () => {
    add(1, 'a');
    add(2);
    const taken = take();
    assert.equal(queue.oldest, Infinity);
    for (const each of taken) queue.left(each);
    assert.ok(queue.isEmpty);
    assert.equal(table.count, 2);
  });
});

describe('a sequence', () => {
  it('is in the order of its numbers, in whatever order they come', () => {
    const table = new EntryTable();
    const sequence = new Sequence(table, undefined);
    const numbers = Array.from({ length: 200 }, (_, index) => ((index * 67) % 199) + 1);
    const place = { segment: 1, offset: 0, length: 1, member: 0, share: 1 };
    const added = numbers.map((id) =>
      sequence.put(table.add({ id, keptAt: 0, target: '', region: '', bytes: 1, place }, 0))
    );
    assert.equal(added.filter(Boolean).length, 199);
    const found: number[] = [];
    for (let row = sequence.take(); row !== none; row = sequence.take()) found.push(table.id(row));
    assert.deepEqual(
      found,
      Array.from({ length: 199 }, (_, index) => index + 1)
    );
  });
});

describe('a pause', () => {
  it('lasts at most 5 s at first, then up to twice as long each time, and at most a minute', () => {
    for (let round = 0; round < 50; round += 1) {
      const pause = new Pause();
      for (const longest of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
        pause.failed(7);
        assert.ok(pause.until > 7 + longest / 2 - 1 && pause.until <= 7 + longest, `${pause.until}`);
      }
    }
  });

  it('ends when something else succeeds, a second after the last try at the earliest', () => {
    const pause = new Pause();
    pause.failed(0);
    pause.wake(10);
    assert.equal(pause.until, 1000);
    pause.failed(20_000);
    pause.wake(22_000);
    assert.equal(pause.until, 22_000);
  });

  it('is one for requests that fail side by side, and goes on when one succeeds that began before', () => {
    const pause = new Pause();
    for (let request = 0; request < 10; request += 1) pause.failed(100 + request, 50);
    assert.ok(pause.until <= 5100);
    pause.succeeded(50);
    assert.ok(pause.isOn && pause.hasFailed);
    pause.succeeded(101);
    assert.ok(!pause.isOn && !pause.hasFailed);
  });
});

describe('the log of what kept messages wait for', () => {
  it('has each cause once as long as it lasts, whatever comes in between', () => {
    const said: string[] = [];
    const say = (text: string) => said.push(text);
    const troubles = new Troubles({ error: say, log: say } as unknown as Node);
    const error = (name: string) => ({ name, message: 'no' }) as ActionError;
    for (let round = 0; round < 3; round += 1) {
      troubles.failed('one', error('ThrottlingException'), true);
      troubles.failed('one', error('InternalFailure'), true);
      troubles.failed('two', error('ECONNRESET'), false);
      troubles.failed('one', error('Timeout'), false);
    }
    assert.deepEqual(said, [
      'Kept messages wait: ThrottlingException: no',
      'Kept messages wait: InternalFailure: no',
      'Kept messages wait: ECONNRESET: no'
    ]);
    assert.equal(troubles.of('one')?.name, 'Timeout');
    troubles.succeeded('one');
    assert.equal(said.length, 3);
    troubles.succeeded('two');
    assert.equal(said.at(-1), 'kept messages go out again');
    troubles.failed('one', error('InternalFailure'), true);
    assert.equal(said.length, 5);
  });
});
