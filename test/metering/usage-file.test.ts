/** What is kept of the counts, whatever becomes of the file. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Usage } from '../../nodes/metering/usage';
import { UsageFile } from '../../nodes/metering/usage-file';

describe('the file of counts', () => {
  let folder: string;
  let path: string;
  let warnings: string[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nimbus-usage-'));
    path = join(folder, 'nimbus', 'usage', 'account.json');
    warnings = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const bill = { units: 1, cost: 400 };
  const outcome = { failed: false, throttled: false, took: 10 };

  /** A process that counts so many requests of a day. */
  class Counter {
    readonly usage = new Usage();
    readonly file = new UsageFile(path, this.usage, (text) => warnings.push(text));

    count(requests = 1, day = '2026-11-30'): this {
      for (let count = 0; count < requests; count += 1) this.usage.count(day, 'sqs', 'SendMessage', bill, outcome);
      this.file.changed();
      return this;
    }

    get cost(): number {
      return this.usage.cost('0000-00-00', '9999-99-99');
    }
  }

  it('is read again by the next process', () => {
    new Counter().count(3).file.writeNow();
    const next = new Counter();
    assert.equal(next.cost, 1200);
    next.count(2).file.writeNow();
    assert.equal(new Counter().cost, 2000);
    assert.deepEqual(warnings, []);
  });

  it('has what two processes count side by side', () => {
    const [one, other] = [new Counter(), new Counter()];
    one.count(3).file.writeNow();
    other.count(2).file.writeNow();
    one.count(1).file.writeNow();
    assert.equal(new Counter().cost, 2400);
  });

  it('counts from nothing when it was cut off, at whatever byte, and is set aside as it is', () => {
    new Counter().count(3).file.writeNow();
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.subarray(0, length);
      writeFileSync(path, cut);
      warnings = [];
      const counter = new Counter();
      assert.equal(counter.cost, 0, `${length} bytes`);
      assert.equal(warnings.length, 1);
      const [aside, ...more] = readdirSync(join(path, '..'));
      assert.ok(aside && more.length === 0);
      assert.match(aside, /^account\.json\..+\.damaged$/);
      assert.ok(warnings[0]?.includes(aside));
      assert.deepEqual(readFileSync(join(path, '..', aside)), cut);
      rmSync(join(path, '..', aside));
    }
  });

  it('counts from nothing when somebody else has written it', () => {
    new Counter().count().file.writeNow();
    const wrong = [
      'null',
      '[]',
      '{"days":{},"warned":"x"}',
      '{"days":{"2026-11-30":{"constructor":{}}},"warned":[]}',
      '{"days":{"__proto__":{"sqs SendMessage":{}}},"warned":[]}',
      '{"days":{"2026-11-30":{"sqs SendMessage":{"requests":-1,"failed":0,"throttled":0,"units":0,"nanodollars":0}}},"warned":[]}',
      '{"days":{"2026-11-30":{"sqs SendMessage":{"requests":1e999,"failed":0,"throttled":0,"units":0,"nanodollars":0}}},"warned":[]}'
    ];
    for (const text of wrong) {
      writeFileSync(path, text);
      assert.equal(new Counter().count().cost, 400, text);
    }
    assert.equal(warnings.length, wrong.length);
  });

  it('goes on from memory when the file becomes unreadable while it counts', () => {
    const counter = new Counter().count(3);
    counter.file.writeNow();
    writeFileSync(path, '{"da');
    counter.count(2).file.writeNow();
    assert.equal(new Counter().cost, 2000);
    assert.equal(warnings.length, 1);
  });

  it('warns once where it cannot be written, and keeps counting', async () => {
    writeFileSync(join(folder, 'nimbus'), 'a file where the folder should be');
    const counter = new Counter().count(3);
    for (let count = 0; count < 3; count += 1) await counter.file.write();
    counter.count(1);
    assert.equal(counter.cost, 1600);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be written to .*account\.json/);
    rmSync(join(folder, 'nimbus'));
    await counter.file.write();
    assert.equal(new Counter().cost, 1600);
  });

  it('loses nothing that is counted while it is written', async () => {
    const counter = new Counter().count(3);
    const written = counter.file.write();
    counter.count(2);
    assert.equal(counter.cost, 2000);
    await written;
    assert.equal(counter.cost, 2000);
    counter.file.writeNow();
    assert.equal(new Counter().cost, 2000);
    assert.equal(existsSync(`${path}.${process.pid}.new`), false);
  });

  it('is written by one write at a time, and what comes meanwhile by the next one', async () => {
    const counter = new Counter().count(1);
    const first = counter.file.write();
    counter.count(1);
    await Promise.all([first, counter.file.write()]);
    assert.equal(new Counter().cost, 400);
    await counter.file.write();
    assert.equal(new Counter().cost, 800);
  });

  it('keeps two months of days, by their order and not by the clock', () => {
    const counter = new Counter();
    const date = (number: number) => new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10);
    for (let number = 0; number < 100; number += 1) counter.count(1, date(number));
    counter.file.writeNow();
    assert.equal(new Counter().cost, 62 * 400);
  });
});
