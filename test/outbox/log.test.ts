/** The log on disk: what survives a death, a cut, damage and a disk that fails. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Disk, OpenFile } from '../../nodes/outbox/disk';
import { Log } from '../../nodes/outbox/log';
import { decode } from '../../nodes/outbox/records';
import type { Waiting } from '../../nodes/outbox/segment';
import { ForgetfulDisk, root, storeFolder } from './forgetful-disk';

interface Opened {
  log: Log;
  /** The messages that wait, in their order. */
  waiting: Waiting[];
  said: string[];
}

const segmentBytes = 2000;

async function open(disk: Disk): Promise<Opened> {
  const said: string[] = [];
  const tell = { log: (text: string) => said.push(`log ${text}`), warn: (text: string) => said.push(`warn ${text}`) };
  const log = new Log({ disk, folder: storeFolder, root, segmentBytes, tell });
  const waiting: Waiting[] = [];
  for await (const entries of log.load()) waiting.push(...entries);
  return { log, waiting: waiting.sort((one, other) => one.id - other.id), said };
}

const messageOf = (text: string, targets = ['queue']) => ({
  id: 0,
  keptAt: 5,
  entries: targets.map((target) => ({ target, region: 'eu-west-1', bytes: text.length })),
  requests: targets.map((target) => `{"to":"${target}"}`),
  message: JSON.stringify(text)
});

const add = (log: Log, text: string, targets?: string[]): Promise<Waiting[]> => log.add(messageOf(text, targets));

/** The texts of messages, read back. */
async function texts(log: Log, waiting: Waiting[]): Promise<unknown[]> {
  const records = await log.read(waiting.map(({ place }) => place));
  return records.map((record) => record && JSON.parse(decode(record).message));
}

const segmentFile = (number: number, kind = 'log') => join(storeFolder, `${String(number).padStart(12, '0')}.${kind}`);

/** A disk that does something else instead of what the log asks for. */
const without = (inner: ForgetfulDisk, changes: Partial<Disk & OpenFile>): Disk => {
  const { open: _, makeFolder: __, list: ___, flushFolder, rename, remove, ...ofFile } = changes;
  return {
    open: async (path, how) => ({ ...(await inner.open(path, how)), ...ofFile }),
    makeFolder: (path) => inner.makeFolder(path),
    flushFolder: flushFolder ?? ((path) => inner.flushFolder(path)),
    list: (path) => inner.list(path),
    rename: rename ?? ((from, to) => inner.rename(from, to)),
    remove: remove ?? ((path) => inner.remove(path))
  };
};

/** A disk whose machine dies in place of a step, and which does nothing any more then. */
function diesAt(inner: ForgetfulDisk, isTime: () => boolean, rest: 'nothing' | 'all'): Disk {
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!isTime()) return work();
    inner.die(rest);
    throw new Error('it is dead');
  };
  return {
    open: async (path, how) => {
      const file = await (how === 'read' ? inner.open(path, how) : step(() => inner.open(path, how)));
      return {
        ...file,
        write: (bytes, position) => step(() => file.write(bytes, position)),
        flush: () => step(() => file.flush())
      };
    },
    makeFolder: (path) => step(() => inner.makeFolder(path)),
    flushFolder: (path) => step(() => inner.flushFolder(path)),
    list: (path) => inner.list(path),
    rename: (from, to) => step(() => inner.rename(from, to)),
    remove: (path) => step(() => inner.remove(path))
  };
}

describe('the log', () => {
  let disk: ForgetfulDisk;
  beforeEach(() => {
    disk = new ForgetfulDisk(root);
  });

  it('has after a death what it has said is safe, in its order', async () => {
    const { log } = await open(disk);
    for (let n = 0; n < 100; n += 1) await add(log, `message ${n}`);
    disk.die();
    const after = await open(disk);
    assert.deepEqual(
      await texts(after.log, after.waiting),
      Array.from({ length: 100 }, (_, n) => `message ${n}`)
    );
    assert.deepEqual(after.said, []);
  });

  it('writes what comes together with one flush', async () => {
    const { log } = await open(disk);
    await add(log, 'first');
    disk.flushes = 0;
    await Promise.all(Array.from({ length: 10 }, (_, n) => add(log, `message ${n}`)));
    assert.equal(disk.flushes, 1);
  });

  it('deletes a segment of which all has left, and leaves nothing behind', async () => {
    const { log } = await open(disk);
    const kept: Waiting[] = [];
    for (let n = 0; n < 100; n += 1) kept.push(...(await add(log, `message ${n}`)));
    assert.ok((await disk.list(storeFolder)).length > 3);
    for (const { place } of kept) log.gone(place);
    await log.close();
    assert.deepEqual(await disk.list(storeFolder), []);
  });

  it('knows after a death what has left, where it has noted that', async () => {
    const { log } = await open(disk);
    const kept: Waiting[] = [];
    for (let n = 0; n < 30; n += 1) kept.push(...(await add(log, `message ${n}`, ['one', 'two'])));
    for (const { id, place } of kept) if (id % 7 !== 0) log.gone(place);
    await log.close();
    disk.die();
    const after = await open(disk);
    assert.deepEqual(
      after.waiting.map(({ id }) => id),
      kept.map(({ id }) => id).filter((id) => id % 7 === 0)
    );
  });

  it('knows after a death what has left, where its segment could not be deleted', async () => {
    const stubborn = without(disk, { remove: () => Promise.reject(new Error('somebody reads it')) });
    const { log } = await open(stubborn);
    const kept = (await Promise.all(Array.from({ length: 60 }, (_, n) => add(log, `message ${n}`)))).flat();
    for (const { place } of kept) log.gone(place);
    await log.close();
    assert.ok((await disk.list(storeFolder)).some((name) => name.endsWith('.log')));
    disk.die();
    const after = await open(stubborn);
    assert.deepEqual(after.waiting, []);
    await after.log.close();
    const { log: last } = await open(disk);
    await last.close();
    assert.deepEqual(await disk.list(storeFolder), []);
  });

  it('takes no note of what has left for one of what is new, where old notes could not be deleted', async () => {
    const stubborn = without(disk, {
      remove: (path) => (path.endsWith('.gone') ? Promise.reject(new Error('somebody reads it')) : disk.remove(path))
    });
    const first = await open(disk);
    const [one, other] = [await add(first.log, 'first'), await add(first.log, 'second')].flat() as [Waiting, Waiting];
    first.log.gone(one.place);
    await first.log.close();
    const second = await open(stubborn);
    second.log.gone(other.place);
    await second.log.close();
    const third = await open(stubborn);
    await add(third.log, 'third');
    disk.die();
    const { log, waiting } = await open(stubborn);
    assert.deepEqual(await texts(log, waiting), ['third']);
  });

  it('has a message that was moved once at each moment, and not again when it has left', async () => {
    /** Whether it waits after a death behind so many steps on the disk, and whether there were not so many. */
    const waitsAfter = async (steps: number, rest: 'nothing' | 'all'): Promise<{ count: number; isOver: boolean }> => {
      const inner = new ForgetfulDisk(root);
      const begun = await open(inner);
      await add(begun.log, 'moved');
      await add(begun.log, 'x'.repeat(segmentBytes));
      await begun.log.close();
      let left = steps;
      const { log, waiting } = await open(diesAt(inner, () => left-- <= 0, rest));
      const [entry] = waiting as [Waiting];
      await log
        .add({ ...messageOf('moved'), id: entry.id })
        .then(async ([copy]) => {
          await log.noteMoved(entry.place.segment, [entry.place]);
          log.gone(entry.place, true);
          log.gone((copy as Waiting).place);
        })
        .catch(() => undefined);
      await log.close();
      const isOver = left >= 0;
      inner.die(rest);
      const after = await open(inner);
      const ids = after.waiting.map(({ id }) => id).filter((id) => id === entry.id);
      return { count: new Set(ids).size, isOver };
    };
    for (const rest of ['nothing', 'all'] as const) {
      const seen: number[] = [];
      for (let steps = 0; ; steps += 1) {
        const { count, isOver } = await waitsAfter(steps, rest);
        seen.push(count);
        if (isOver) break;
      }
      assert.ok(seen.length > 8 && seen.at(-1) === 0, seen.join());
      assert.deepEqual(
        seen,
        seen.map((_, at) => (at < seen.indexOf(0) ? 1 : 0)),
        `with ${rest} of what was not flushed`
      );
    }
  });

  it('has the targets of a message all, or none, wherever it was cut', async () => {
    const { log } = await open(disk);
    await add(log, 'before');
    await add(log, 'many', ['one', 'two', 'three']);
    const whole = Buffer.from(disk.bytes(segmentFile(1)));
    for (let length = 0; length <= whole.length; length += 1) {
      disk.put(segmentFile(1), whole.subarray(0, length));
      const { waiting } = await open(disk);
      assert.ok([0, 1, 4].includes(waiting.length), `${waiting.length} at ${length}`);
    }
  });

  it('is read up to where it was cut, at each byte of the last records, and goes on', async () => {
    const { log } = await open(disk);
    const ends: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await add(log, `message ${n}`);
      ends.push(disk.bytes(segmentFile(1)).length);
    }
    const whole = Buffer.from(disk.bytes(segmentFile(1)));
    for (let length = ends[1] as number; length <= whole.length; length += 1) {
      const cut = new ForgetfulDisk(root);
      await cut.makeFolder(storeFolder);
      cut.put(segmentFile(1), whole.subarray(0, length));
      const { log: second, waiting, said } = await open(cut);
      const expected = ends.filter((end) => end <= length).map((_, n) => `message ${n}`);
      assert.deepEqual(await texts(second, waiting), expected, `cut at ${length}`);
      assert.deepEqual(
        said.filter((text) => text.startsWith('warn')),
        []
      );
      await add(second, 'later');
      cut.die('all');
      const { log: third, waiting: rest } = await open(cut);
      assert.deepEqual(await texts(third, rest), [...expected, 'later']);
    }
  });

  it('loses of damage what is damaged, at each byte, and keeps the file', async () => {
    const { log } = await open(disk);
    for (let n = 0; n < 4; n += 1) await add(log, `message ${n}`);
    const whole = Buffer.from(disk.bytes(segmentFile(1)));
    const length = whole.length / 4;
    for (let at = 0; at < 3 * length; at += 1) {
      const damaged = new ForgetfulDisk(root);
      await damaged.makeFolder(storeFolder);
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0xff;
      damaged.put(segmentFile(1), bytes);
      const { log: second, waiting, said } = await open(damaged);
      const bad = Math.floor(at / length);
      assert.deepEqual(
        await texts(second, waiting),
        [0, 1, 2, 3].filter((n) => n !== bad).map((n) => `message ${n}`),
        `damaged at ${at}`
      );
      assert.match(said.join(), /warn \d+ bytes of .* are damaged/);
      for (const { place } of waiting) second.gone(place);
      await second.close();
      assert.deepEqual(await damaged.list(storeFolder), ['000000000001.damaged']);
      assert.deepEqual(damaged.bytes(segmentFile(1, 'damaged')), bytes);
    }
  });

  it('keeps what has left apart from what has not where a record before them is damaged', async () => {
    const { log } = await open(disk);
    const kept: Waiting[] = [];
    for (let n = 0; n < 5; n += 1) kept.push(...(await add(log, `message ${n}`)));
    log.gone((kept[3] as Waiting).place);
    await log.close();
    await disk.remove(segmentFile(1, 'index'));
    disk.bytes(segmentFile(1))[40] = 0;
    const after = await open(disk);
    assert.deepEqual(await texts(after.log, after.waiting), ['message 1', 'message 2', 'message 4']);
  });

  it('reads a segment without an index, or with a damaged one, as well', async () => {
    const { log } = await open(disk);
    for (let n = 0; n < 60; n += 1) await add(log, `message ${n}`);
    await log.close();
    const indexes = (await disk.list(storeFolder)).filter((name) => name.endsWith('.index'));
    assert.ok(indexes.length > 2);
    const [first = '', second = ''] = indexes;
    await disk.remove(join(storeFolder, first));
    disk.put(join(storeFolder, second), disk.bytes(join(storeFolder, second)).subarray(0, 60));
    const after = await open(disk);
    assert.deepEqual(
      await texts(after.log, after.waiting),
      Array.from({ length: 60 }, (_, n) => `message ${n}`)
    );
  });

  for (const failing of ['ENOSPC', 'EROFS', 'EIO']) {
    it(`refuses at once what cannot be written (${failing}), never has it later, and goes on when it can`, async () => {
      const { log } = await open(disk);
      await add(log, 'before');
      disk.failing = failing;
      await assert.rejects(
        add(log, 'refused'),
        (error: Error) => error.name === 'StoreFull' && error.message.includes(storeFolder)
      );
      disk.failing = undefined;
      await add(log, 'after');
      disk.die('all');
      const { log: second, waiting } = await open(disk);
      assert.deepEqual(await texts(second, waiting), ['before', 'after']);
    });
  }

  it('never has what was written and could not be flushed', async () => {
    const { log } = await open(disk);
    await add(log, 'before');
    disk.flushFailing = 'EIO';
    await assert.rejects(add(log, 'refused'));
    disk.flushFailing = undefined;
    await add(log, 'after');
    disk.die('all');
    const { log: second, waiting } = await open(disk);
    assert.deepEqual(await texts(second, waiting), ['before', 'after']);
  });

  it('notices that its file was deleted, and begins another one', async () => {
    const { log } = await open(disk);
    await add(log, 'lost');
    await disk.remove(segmentFile(1));
    await assert.rejects(add(log, 'refused'), { name: 'StoreFull' });
    await add(log, 'after');
    disk.die();
    const { log: second, waiting } = await open(disk);
    assert.deepEqual(await texts(second, waiting), ['after']);
  });

  describe('over many deaths', () => {
    /** Adds and takes away until the machine dies, again and again; books are kept outside. Gives what is wrong. */
    async function live(seed: number, used: (inner: ForgetfulDisk) => Disk): Promise<string[]> {
      const random = randomNumbers(seed);
      const inner = new ForgetfulDisk(root);
      const wrong: string[] = [];
      const safe = new Set<string>();
      const refused = new Set<string>();
      const left = new Set<string>();
      let made = 0;
      for (let life = 0; life < 12; life += 1) {
        const { log, waiting } = await open(used(inner));
        const found = await texts(log, waiting);
        const known = new Set(found);
        for (const text of safe) if (!known.has(text) && !left.has(text)) wrong.push(`lost ${text}`);
        for (const text of refused) if (known.has(text)) wrong.push(`came back ${text}`);
        const numbers = found.map((text) => Number(text));
        if (numbers.some((number, index) => number <= (numbers[index - 1] ?? -1))) wrong.push('out of order');
        const here = waiting.map(({ place }, index) => ({ place, text: String(found[index]) }));
        const adding: Promise<void>[] = [];
        const steps = 5 + Math.floor(random() * 60);
        for (let step = 0; step < steps; step += 1) {
          if (random() < 0.02) inner.failing = inner.failing ? undefined : 'ENOSPC';
          if (random() < 0.4 && here.length > 0) {
            const [first] = here.splice(Math.floor(random() * Math.min(3, here.length)), 1);
            if (first) {
              left.add(first.text);
              log.gone(first.place);
            }
          } else {
            const text = String(made);
            made += 1;
            adding.push(
              add(log, text).then(
                ([entry]) => {
                  safe.add(text);
                  if (entry) here.push({ place: entry.place, text });
                },
                () => {
                  refused.add(text);
                }
              )
            );
          }
          if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
        }
        if (random() < 0.3) await Promise.all(adding);
        inner.failing = undefined;
        if (random() < 0.2) await log.close();
        inner.die(random() < 0.5 ? 'nothing' : () => random() < 0.5);
        // What was under way reaches nothing any more: nobody was told of it.
        const told = [new Set(safe), new Set(refused)] as const;
        await Promise.allSettled(adding);
        for (const text of safe) if (!told[0].has(text)) safe.delete(text);
        for (const text of refused) if (!told[1].has(text)) refused.delete(text);
        await log.close().catch(() => undefined);
      }
      return wrong;
    }

    const seeds = Array.from({ length: 25 }, (_, seed) => seed + 1);
    const firstWrong = async (used: (inner: ForgetfulDisk) => Disk): Promise<string[]> => {
      for (const seed of seeds) {
        const wrong = await live(seed, used);
        if (wrong.length > 0) return [`seed ${seed}`, ...wrong];
      }
      return [];
    };

    it('loses nothing that is safe, and gives nothing back that was refused', async () => {
      assert.deepEqual(await firstWrong((inner) => inner), []);
    });

    it('would be found to lose something without a flush of the file', async () => {
      assert.notDeepEqual(await firstWrong((inner) => without(inner, { flush: async () => undefined })), []);
    });

    it('would be found to lose something without a flush of the folder', async () => {
      assert.notDeepEqual(await firstWrong((inner) => without(inner, { flushFolder: async () => undefined })), []);
    });

    it('would be found to lose something if it said before the flush that it is safe', async () => {
      const early = (inner: ForgetfulDisk): Disk => ({
        ...without(inner, {}),
        open: async (path, how) => {
          const file = await inner.open(path, how);
          return { ...file, flush: async () => void file.flush().catch(() => undefined) };
        }
      });
      assert.notDeepEqual(await firstWrong(early), []);
    });
  });
});

/** Numbers from 0 to 1 that depend on the seed only. */
function randomNumbers(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    state ^= state >>> 13;
    return (state >>> 0) / 2 ** 32;
  };
}
