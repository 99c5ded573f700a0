import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Lives through a plan in a process of its own, whose time is another one; gives how it ended and what it said. */
function liveThrough(plan: string): Promise<{ code: number | null; said: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const parameters = ['--import', 'tsx', join(__dirname, 'bad-line.ts'), plan];
  const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      said += bytes;
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

describe('an hour on a bad line', () => {
  it('costs no message, gives none twice that a dead line does not explain, and is over half a minute after its end', async () => {
    const { code, said } = await liveThrough('hour');
    assert.equal(code, 0, said);
    assert.match(said, /^PASS/m);
  }).timeout(600_000);
});
