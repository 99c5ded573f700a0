import assert from 'node:assert/strict';
import { allOutages, liveThrough } from './outages-run';

const seed = Number(process.env.NIMBUS_SEED ?? 1);

describe('messages that are kept, over outages and deaths of Node-RED', () => {
  it(`all arrive if they were safe, each FIFO group in order, and again only where a death or a lost answer explains it (NIMBUS_SEED=${seed})`, async () => {
    const plan = { messages: 1500, outages: allOutages, up: 700, kills: 3, deployments: 1, seed, forgets: true };
    const { problems, figures } = await liveThrough(plan);
    assert.deepEqual(problems, [], JSON.stringify(figures));
    assert.ok((figures.safe ?? 0) > 750 && (figures.refused ?? 0) > 0, JSON.stringify(figures));
  });
});
