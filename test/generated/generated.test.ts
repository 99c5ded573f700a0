import assert from 'node:assert/strict';
import { startNodeRed } from '../node-red';
import { generate, meetLongTexts, nodeTypes, tableOf } from './generated';

/** Of this run: another one each time, unless `NIMBUS_SEED` gives it. */
const seed = Number(process.env.NIMBUS_SEED ?? Date.now() % 2 ** 31);

describe('generated cases', () => {
  it(`end each of 3,000 messages as the contract says (NIMBUS_SEED=${seed})`, async () => {
    const results = await generate(await startNodeRed(), { messages: 3000, seed });
    const reached = results.filter(({ reached }) => reached).length;
    const table = tableOf(results).join('\n');
    assert.ok(reached >= results.length / 2, `only ${reached} of ${results.length} reached the service:\n${table}`);
    for (const type of nodeTypes) {
      assert.ok(
        results.some((each) => each.type === type && each.outcome === 'sent'),
        `no message of ${type} was sent on; is what makes a request of it in “working”?\n${table}`
      );
    }
  }).timeout(900_000);

  it(`stop nobody by long texts, in whatever field (NIMBUS_SEED=${seed})`, async () => {
    await meetLongTexts(await startNodeRed(), { each: 2, seed });
  }).timeout(900_000);
});
