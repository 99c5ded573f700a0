import assert from 'node:assert/strict';
import type { Identity } from '../../nodes/account/identity';
import { ServiceClock } from '../../nodes/account/service-clock';
import { share } from '../../nodes/account/shared-credentials';
import { invalid } from '../../nodes/fields/errors';
import { letPass, setClock } from '../set-clock';

/** The credentials that all clients of an account share. */
describe('shared credentials', () => {
  const identity = (millisecondsFromNow: number): Identity => ({
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: 'none',
    expiration: new Date(Date.now() + millisecondsFromNow)
  });

  /** Shares a source that gives this, and counts how often it is asked. */
  function shareCounted(give: () => Promise<Identity>) {
    const counted = { asked: 0 };
    const provider = share(() => {
      counted.asked += 1;
      return give();
    });
    return { provider, counted };
  }

  it('are asked for once, however many need them', async () => {
    const { provider, counted } = shareCounted(async () => identity(3_600_000));
    await Promise.all(Array.from({ length: 50 }, provider));
    await provider();
    assert.equal(counted.asked, 1);
  });

  it('are held for a while where this machine’s clock says that fresh ones are over already', async () => {
    const { provider, counted } = shareCounted(async () => identity(-3_600_000));
    for (let times = 0; times < 5; times += 1) await provider();
    assert.equal(counted.asked, 1);
  });

  it('are asked for again when a service has refused them, and not when it has refused older ones', async () => {
    const { provider, counted } = shareCounted(async () => identity(3_600_000));
    await provider();
    provider.forget('AKIAOLDER');
    await provider();
    assert.equal(counted.asked, 1);
    provider.forget('AKIAEXAMPLE');
    await provider();
    assert.equal(counted.asked, 2);
  });

  it('are asked for again after a failure', async () => {
    let fails = true;
    const { provider, counted } = shareCounted(async () => {
      if (fails) throw new Error('offline');
      return identity(3_600_000);
    });
    await assert.rejects(provider(), /offline/);
    fails = false;
    assert.equal((await provider()).accessKeyId, 'AKIAEXAMPLE');
    assert.equal(counted.asked, 2);
  });

  describe('while the clock of this machine is set', () => {
    const minute = 60_000;
    let passed = 0;
    beforeEach(() => {
      passed = 0;
    });
    /** Asks at these minutes after the credentials came, and gives how often the source was asked by then. */
    async function askedAt(provider: () => Promise<Identity>, counted: { asked: number }, minutes: number[]) {
      const found: number[] = [];
      for (const each of minutes) {
        letPass(each * minute - passed);
        passed = each * minute;
        await provider();
        found.push(counted.asked);
      }
      return found;
    }

    for (const days of [-400, -1 / 12, -1 / 1440, 1 / 1440, 1 / 12, 400]) {
      const ms = days * 1440 * minute;

      it(`by ${ms / 1000} s, they are renewed when their time is nearly over, not before and not later`, async () => {
        const { provider, counted } = shareCounted(async () => identity(60 * minute));
        await provider();
        setClock(ms);
        assert.deepEqual(await askedAt(provider, counted, [30, 54]), [1, 1]);
        setClock(-ms);
        assert.deepEqual(await askedAt(provider, counted, [54.5]), [1]);
        setClock(0);
        assert.deepEqual(await askedAt(provider, counted, [55.5]), [2]);
      });

      it(`by ${ms / 1000} s before they came, they last as AWS has said by its own time, which its answers tell`, async () => {
        const clock = new ServiceClock();
        const serviceTime = Date.now() + ms;
        const headers = { date: new Date(serviceTime).toUTCString(), 'x-amzn-requestid': 'some' };
        const counted = { asked: 0 };
        const provider = share(async () => {
          counted.asked += 1;
          return { ...identity(0), expiration: new Date(serviceTime + passed + 60 * minute) };
        }, clock);
        await provider();
        clock.hear({ headers: {} }, { headers }, 1);
        assert.deepEqual(await askedAt(provider, counted, [1, 30, 54, 55.5]), [1, 1, 1, 2]);
      });
    }
  });

  describe('while their source fails', () => {
    const clocks = [Date, performance].map((clock) => ({ clock, now: clock.now }));
    let passed = 0;
    const pass = (ms: number): void => {
      passed += ms;
    };

    beforeEach(() => {
      passed = 0;
      for (const { clock, now } of clocks) {
        const began = now.call(clock);
        clock.now = () => began + passed;
      }
    });
    afterEach(() => {
      for (const { clock, now } of clocks) clock.now = now;
    });

    /** A source that fails as long as it is told to. */
    function failing(seconds = 3600) {
      const source = { fails: true, error: (): Error => new Error('offline') };
      const { provider, counted } = shareCounted(async () => {
        if (source.fails) throw source.error();
        return identity(seconds * 1000);
      });
      return { source, provider, counted };
    }

    /** A message each millisecond. */
    async function messages(provider: () => Promise<unknown>, ms: number): Promise<number> {
      let failed = 0;
      for (let count = 0; count < ms; count += 1) {
        await provider().catch(() => {
          failed += 1;
        });
        pass(1);
      }
      return failed;
    }

    it('are renewed after pauses that grow, up to a minute, and not with every message', async () => {
      const { source, provider, counted } = failing();
      source.fails = false;
      await provider();
      source.fails = true;
      pass(3_300_500);
      counted.asked = 0;
      assert.equal(await messages(provider, 1000), 0);
      assert.equal(counted.asked, 5);
      for (let second = 0; second < 290; second += 1) {
        assert.equal((await provider()).accessKeyId, 'AKIAEXAMPLE');
        pass(1000);
      }
      assert.ok(counted.asked < 16, `asked ${counted.asked} times`);
      pass(60_000);
      source.fails = false;
      assert.equal((await provider()).accessKeyId, 'AKIAEXAMPLE');
    });

    it('are asked for by one question of all who wait, and after a failure again at once', async () => {
      const { provider, counted } = failing();
      const tries = await Promise.allSettled(Array.from({ length: 100 }, provider));
      assert.ok(tries.every(({ status }) => status === 'rejected'));
      assert.equal(counted.asked, 1);
      await assert.rejects(provider(), /offline/);
      assert.equal(counted.asked, 2);
    });

    it('are asked for after pauses that grow, up to 5 s, while each message fails at once with what went wrong', async () => {
      const { source, provider, counted } = failing();
      assert.equal(await messages(provider, 1000), 1000);
      assert.equal(counted.asked, 5);
      await messages(provider, 60_000);
      assert.ok(counted.asked < 25, `asked ${counted.asked} times`);
      source.fails = false;
      pass(5000);
      assert.equal((await provider()).accessKeyId, 'AKIAEXAMPLE');
    });

    it('are asked for at once where the source is another one', async () => {
      const { source, provider } = failing();
      await messages(provider, 1000);
      source.fails = false;
      await assert.rejects(provider(), /offline/);
      provider.reset();
      assert.equal((await provider()).accessKeyId, 'AKIAEXAMPLE');
    });

    it('are not what a former source gives late', async () => {
      let give = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        give = resolve;
      });
      let [key, wait] = ['AKIAFORMER', late];
      const provider = share(async () => {
        const mine = { accessKeyId: key, secretAccessKey: 'none' };
        await wait;
        return mine;
      });
      const first = provider();
      provider.reset();
      [key, wait] = ['AKIALATTER', Promise.resolve()];
      assert.equal((await provider()).accessKeyId, 'AKIALATTER');
      give();
      await first;
      assert.equal((await provider()).accessKeyId, 'AKIALATTER');
    });

    it('that a service refuses each time are fetched anew after such pauses too', async () => {
      const { source, provider, counted } = failing();
      source.fails = false;
      for (let count = 0; count < 10_000; count += 1) {
        provider.forget((await provider()).accessKeyId);
        pass(1);
      }
      assert.ok(counted.asked < 12, `asked ${counted.asked} times`);
    });

    it('give each message an error of its own', async () => {
      const { source, provider } = failing();
      source.error = () => invalid('region', 'must be another.');
      const errors = await Promise.all(
        [provider(), provider()].map((each) => each.then(String, (error: unknown) => error))
      );
      for (let count = 0; count < 3; count += 1) {
        errors.push(await provider().then(String, (error: unknown) => error));
      }
      assert.equal(new Set(errors).size, 5);
      assert.deepEqual([...new Set(errors.map(String))], ['InvalidValue: region must be another.']);
    });
  });
});
