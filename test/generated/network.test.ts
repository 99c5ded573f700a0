import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Of this run: another one each time, unless `NIMBUS_SEED` gives it. */
const seed = Number(process.env.NIMBUS_SEED ?? Date.now() % 2 ** 31);

describe('inputs from the network', () => {
  it(`end no process with 128 MB of heap, and hold up the event loop for less than a second (NIMBUS_SEED=${seed})`, async () => {
    const program = ['--max-old-space-size=128', '--require', 'tsx/cjs', join(__dirname, 'fuzz-network.ts')];
    const child = spawn(process.execPath, [...program, '100', String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
    const [code] = await once(child, 'close');
    assert.equal(code, 0, said.slice(-3000));
    assert.match(said, /100 inputs ended/);
  }).timeout(240_000);
});
