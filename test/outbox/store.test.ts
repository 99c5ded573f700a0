/** The store of a node on a real disk: who may have it, and that it does not grow by what has left. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { decode, decodeEntry } from '../../nodes/outbox/records';
import { entriesInIndex, IndexMaker, type Waiting } from '../../nodes/outbox/segment';
import { useLeaps } from './leaps';

const { disk } = require('../../dist/nodes/outbox/disk.js') as typeof import('../../nodes/outbox/disk');
const { Lock } = require('../../dist/nodes/outbox/lock.js') as typeof import('../../nodes/outbox/lock');
const { Store } = require('../../dist/nodes/outbox/store.js') as typeof import('../../nodes/outbox/store');
type Store = InstanceType<typeof Store>;

describe('the store of a node', () => {
  const { leap } = useLeaps();
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nimbus-store-'));
    folder = join(root, 'outbox', 'node');
  });
  afterEach(async () => {
    mock.restoreAll();
    mock.timers.reset();
    await rm(root, { recursive: true, force: true });
  });

  describe('is of one process at a time', () => {
    const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');
    const began = () => {
      const stat = readFileSync('/proc/self/stat', 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    };
    /** This process, as its lock says it. */
    const self = () => ({
      token: 'theirs',
      pid: process.pid,
      began: began(),
      boot: text('/proc/sys/kernel/random/boot_id'),
      space: readlinkSync('/proc/self/ns/pid'),
      machine: text('/etc/machine-id'),
      host: hostname()
    });
    const path = () => join(folder, 'lock');
    const holds = (content: unknown) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path(), typeof content === 'string' ? content : JSON.stringify(content));
    };
    const take = (signal = new AbortController().signal) => Lock.take(folder, signal);
    const canTake = async () => {
      const lock = await take();
      await lock?.release();
      return lock !== undefined;
    };
    const elsewhere = () => ({ ...self(), space: 'pid:[1]', boot: 'another', host: 'another', machine: 'another' });
    /** Does something again and again until a store is taken, or not. */
    const meanwhile = async (taking: ReturnType<typeof take>, work: () => void) => {
      const timer = setInterval(work, 20);
      return taking.finally(() => clearInterval(timer));
    };

    it('where the other one lives on this system', async () => {
      holds(self());
      assert.equal(await canTake(), false);
      assert.equal(JSON.parse(text(path())).token, 'theirs');
    });

    it('and is free where its number is that of another process by now, or none', async () => {
      holds({ ...self(), began: '1' });
      assert.equal(await canTake(), true);
      holds({ ...self(), pid: 2 ** 22 + 1 });
      assert.equal(await canTake(), true);
    });

    it('and is free after a boot of this machine', async function () {
      if (self().machine === '') return this.skip();
      holds({ ...self(), boot: 'the one before', space: 'pid:[1]' });
      assert.equal(await canTake(), true);
    });

    it('and is free where the file was not written to its end', async () => {
      for (const content of ['', '{"token": "the', '{}', '[]', 'null']) {
        holds(content);
        assert.equal(await canTake(), true, content);
      }
    });

    it('and is free when one of another container or machine has not touched the file for 25 s', async () => {
      holds(elsewhere());
      const lock = await meanwhile(take(), () => leap(25_000));
      assert.ok(lock);
      await lock.release();
      assert.equal(existsSync(path()), false);
    });

    it('and is not where that one touches the file, whatever its clock says', async () => {
      holds(elsewhere());
      let touched = 0;
      const touch = () => {
        touched += 1;
        utimesSync(path(), touched, touched);
      };
      assert.equal(await meanwhile(take(), touch), undefined);
      assert.equal(JSON.parse(text(path())).token, 'theirs');
    });

    it('of which the watching ends when the node closes', async () => {
      holds(elsewhere());
      const controller = new AbortController();
      const taking = take(controller.signal);
      controller.abort(new Error('closed'));
      await assert.rejects(taking, { name: 'AbortError' });
    });

    it('of two that find it free at the same moment', async () => {
      const locks = await Promise.all([take(), take(), take()]);
      assert.equal(locks.filter(Boolean).length, 1);
      for (const lock of locks) await lock?.release();
    });

    it('and is touched by it every 10 s, until another one has taken it', async () => {
      mock.timers.enable({ apis: ['setInterval'] });
      const lock = await take();
      assert.ok(lock);
      const stamp = () => statSync(path()).mtimeMs;
      utimesSync(path(), new Date(0), new Date(0));
      mock.timers.tick(10_000);
      while (stamp() === 0) await new Promise(setImmediate);
      assert.equal(lock.isLost, false);
      holds(elsewhere());
      mock.timers.tick(10_000);
      while (!lock.isLost) await new Promise(setImmediate);
      await lock.release();
      assert.equal(JSON.parse(text(path())).token, 'theirs');
    });

    it('which writes its name anew where the file was deleted', async () => {
      mock.timers.enable({ apis: ['setInterval'] });
      const lock = await take();
      assert.ok(lock);
      await rm(path());
      mock.timers.tick(10_000);
      while (!existsSync(path())) await new Promise(setImmediate);
      assert.equal(lock.isLost, false);
      await lock.release();
    });

    it('and takes no message any more when it is lost', async () => {
      mock.timers.enable({ apis: ['setInterval'] });
      const { store } = await open();
      holds(elsewhere());
      mock.timers.tick(10_000);
      await assert.rejects(async () => {
        for (;;) {
          await store.add(message('x'));
          await new Promise(setImmediate);
        }
      }, /another Node-RED/);
      await store.close();
    });
  });

  describe('has an index of each full part', () => {
    const place = (offset: number, member: number, share: number) => ({
      segment: 7,
      offset,
      length: 100,
      member,
      share
    });
    const entries: Waiting[] = [
      { id: 1, keptAt: 5, target: 'one', region: 'eu-west-1', group: undefined, bytes: 3, place: place(0, 0, 100) },
      { id: 2, keptAt: 6, target: 'one', region: 'us-east-1', group: undefined, bytes: 4, place: place(100, 0, 50) },
      { id: 3, keptAt: 6, target: 'two "ä"', region: 'us-east-1', group: 'g', bytes: 4, place: place(100, 1, 50) }
    ];
    const indexOf = (size: number) => {
      const index = new IndexMaker();
      for (const entry of entries) index.add(entry);
      return index.toBytes(size);
    };

    it('that gives its entries as they are', () => {
      assert.deepEqual(entriesInIndex(indexOf(200), 7, 200), entries);
      // Behind them is what nobody was told of.
      assert.deepEqual(entriesInIndex(indexOf(200), 7, 250), entries);
    });

    it('that says nothing where it is cut or damaged anywhere, or is of a longer part', () => {
      const whole = indexOf(200);
      for (let at = 0; at < whole.length; at += 1) {
        assert.equal(entriesInIndex(whole.subarray(0, at), 7, 200), undefined);
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] as number) ^ 1;
        assert.equal(entriesInIndex(damaged, 7, 200), undefined, `at ${at}`);
      }
      assert.equal(entriesInIndex(whole, 7, 199), undefined);
    });

    it('so that a start reads none of the messages', async () => {
      const { store, add } = await open();
      for (let n = 0; n < 40; n += 1) await add(`${n} ${'x'.repeat(10_000)}`);
      await store.close();
      let bytesRead = 0;
      const openFile = disk.open.bind(disk);
      mock.method(disk, 'open', async (...how: Parameters<typeof disk.open>) => {
        const file = await openFile(...how);
        const read = async (length: number, position: number) => {
          const found = await file.read(length, position);
          bytesRead += found.length;
          return found;
        };
        return { ...file, read };
      });
      const again = await open();
      assert.equal(again.rows.length, 40);
      assert.ok(bytesRead < 10_000, `${bytesRead}`);
      await again.store.close();
    });
  });

  describe('gives back the room of what has left', () => {
    const bytes = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

    it('also where a few messages of each part wait on, and has these in their order, once', async () => {
      const { store, add } = await open();
      const rows: number[] = [];
      // 0.9 of the 1 MB that may wait.
      for (let n = 0; n < 90; n += 1) rows.push(...(await add(`${n} ${'x'.repeat(10_000)}`)));
      const waits = rows.filter((_, n) => n % 9 === 4);
      for (const row of rows.filter((each) => !waits.includes(each))) {
        store.left(row);
        await new Promise(setImmediate);
      }
      // What comes and goes now shows that all of the room is there again, many times over.
      for (let n = 0; n < 300; n += 1) {
        const [row] = await add(`y${'y'.repeat(10_000)}`);
        store.left(row as number);
      }
      const [read] = await store.read(waits);
      assert.match(decode(read?.record as Buffer).message, /^"4 x/);
      assert.ok(bytes() < 900_000, `${bytes()}`);
      await store.close();
      // What waits, a quarter of 1 MB, and a segment.
      assert.ok(bytes() < 100_000 + 250_000 + 70_000, `${bytes()}`);
      const again = await open();
      const records = await again.store.read(again.rows);
      const numbers = records.map((each) => Number.parseInt(JSON.parse(decode(each?.record as Buffer).message), 10));
      assert.deepEqual(
        numbers,
        Array.from({ length: 10 }, (_, n) => 9 * n + 4)
      );
      for (const row of again.rows) again.store.left(row);
      await again.store.close();
      assert.deepEqual(readdirSync(folder), []);
    });

    it('of each target of a message by itself', async () => {
      const { store } = await open();
      const targets = ['one', 'two', 'three'];
      const waits: number[] = [];
      for (let n = 0; n < 60; n += 1) {
        const entries = await store.add(message(`${n} ${'x'.repeat(10_000)}`, targets));
        for (const [index, entry] of entries.entries()) {
          const row = store.table.add(entry, 0);
          if (index === 1 && n % 6 === 0) waits.push(row);
          else store.left(row);
        }
      }
      await store.close();
      const again = await open();
      const records = await again.store.read(again.rows);
      const found = records.map((read) => {
        const { record, member } = read ?? assert.fail('it is damaged');
        const { entries, requests, message: text } = decode(record);
        return [entries[member]?.target, requests[member], Number.parseInt(JSON.parse(text), 10)];
      });
      assert.deepEqual(
        found,
        Array.from({ length: 10 }, (_, n) => ['two', '{"to":"two"}', 6 * n])
      );
      await again.store.close();
    });

    it('and has of a record that is read meanwhile the request of its own target', async () => {
      const { store } = await open();
      for (let n = 0; n < 60; n += 1) await store.add(message(`${n} ${'x'.repeat(10_000)}`, ['one', 'two', 'three']));
      await store.close();
      const again = await open();
      const [, row = 0, ...others] = again.rows;
      const { segment } = again.store.table.place(row);
      // What was read is not handed over before all else has left, and the entry has a record of its own.
      const held = new EventEmitter();
      const openNow = disk.open.bind(disk);
      mock.method(
        disk,
        'open',
        async (...how: Parameters<typeof openNow>) => {
          const file = await openNow(...how);
          const read: typeof file.read = (...part) =>
            file.read(...part).then(async (bytes) => {
              await once(held, 'moved');
              return bytes;
            });
          return { ...file, read };
        },
        { times: 1 }
      );
      const reading = again.store.read([row]);
      for (const other of others) again.store.left(other);
      while (again.store.table.place(row).segment === segment) await new Promise(setImmediate);
      held.emit('moved');
      const [found] = await reading;
      assert.equal(found && decodeEntry(found.record, found.member).request, '{"to":"two"}');
      await again.store.close();
    });
  });

  const message = (text: string, targets = ['queue']) => ({
    id: 0,
    keptAt: 5,
    entries: targets.map((target) => ({ target, region: 'eu-west-1', bytes: text.length })),
    requests: targets.map((target) => `{"to":"${target}"}`),
    message: JSON.stringify(text)
  });

  async function open(): Promise<{ store: Store; rows: number[]; add(text: string): Promise<number[]> }> {
    const nothing = () => undefined;
    const store = new Store({ folder, root, most: 1, tell: { log: nothing, warn: nothing } });
    const waiting: Waiting[] = [];
    assert.ok(await store.open(new AbortController().signal, (entry) => waiting.push(entry)));
    const enter = (entries: Waiting[]) => entries.map((entry) => store.table.add(entry, 0));
    const rows = enter(waiting.sort((one, other) => one.id - other.id));
    return { store, rows, add: async (text) => enter(await store.add(message(text))) };
  }
});
