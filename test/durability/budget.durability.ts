import assert from 'node:assert/strict';
import { faultsOf, spend } from './budget';

describe('a budget', () => {
  it('is spent to the last unit and never passed, and a kill loses only what was not written yet', async () => {
    const spent = await spend(1600, 1);
    assert.deepEqual(faultsOf(spent), [], JSON.stringify(spent));
  });
});
