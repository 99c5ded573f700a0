import assert from 'node:assert/strict';
import { kinds } from './faults';
import { redeploys } from './redeploys';

const times = 45;
/** Bytes: what Node.js compiles on the way, but not what a generation of nodes is made of. */
const leeway = 2_000_000;

describe('redeploys in mid-flight', () => {
  it(`lose and double nothing, and leave nothing behind: ${times} of a flow with every node`, async () => {
    const { problems, left, growth, ...figures } = await redeploys(times);
    console.log(`      ${JSON.stringify({ ...figures, growth })}`);
    for (const kind of kinds) assert.ok((figures.faults[kind] ?? 0) > 0, `no request met ${kind}`);
    assert.ok((figures.ends.redeployed ?? 0) >= times, 'redeploys have met no messages');
    assert.deepEqual(problems, []);
    assert.deepEqual(left, []);
    assert.ok(growth < leeway, `the heap has grown by ${growth} bytes`);
  });
});
