import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeRed } from '../node-red';
import { type Fault, faults, fileOf, withFault } from './faults';
import { generate, meetLongTexts, nodeTypes, tableOf } from './generated';

/** Of this run: another one each time, unless `NIMBUS_SEED` gives it. */
const seed = Number(process.env.NIMBUS_SEED ?? Date.now() % 2 ** 31);

/** Puts a fault into the sources, as read here; throws where these have changed since. */
function putBack({ edits }: Fault): void {
  for (const edit of edits) withFault(readFileSync(join(__dirname, '..', '..', fileOf(edit)), 'utf8'), edit);
}

describe('generated cases', () => {
  it('can be proved by each fault that the pack once had: what is put back is still in the code', () => {
    for (const fault of faults) assert.doesNotThrow(() => putBack(fault), fault.name);
  });

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
