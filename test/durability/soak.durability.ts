import assert from 'node:assert/strict';
import { soak } from './soak';

/** Bytes: what Node.js compiles on the way, but not what messages are made of. */
const leeway = 1_000_000;

describe('a soak', () => {
  it('of 8,000 messages leaves the heap as it was, and no socket or timer when the nodes are gone', async () => {
    const { growth, left } = await soak(8000);
    assert.ok(growth < leeway, `the heap has grown by ${growth} bytes`);
    assert.deepEqual(left, []);
  });
});
