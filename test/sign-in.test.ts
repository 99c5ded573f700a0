import assert from 'node:assert/strict';
import { type Identity, share } from '../nodes/lib/sign-in';

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
});
