import assert from 'node:assert/strict';
import { LastFrames } from '../../nodes/rekognition/unchanged';

const mebi = 1024 * 1024;

describe('the last frames of cameras', () => {
  let frames: LastFrames<{ bytes: number }>;
  beforeEach(() => {
    frames = new LastFrames(({ bytes }) => bytes);
  });

  /** Looks at the same frame of a source; tells whether it was analysed. */
  async function analysed(source: string, bytes = 0): Promise<boolean> {
    const frame = { source, question: '', grey: Buffer.alloc(64), percent: 1 };
    return !(await frames.look(frame, () => Promise.resolve({ bytes }))).skipped;
  }

  const number = (count: number) => Array.from({ length: count }, (_, index) => `camera ${index}`);

  it('are those of a hundred sources', async () => {
    for (const source of number(100)) assert.equal(await analysed(source), true);
    for (const source of number(100)) assert.equal(await analysed(source), false);
    await analysed('one more');
    assert.equal(await analysed('camera 1'), false);
    assert.equal(await analysed('camera 0'), true);
  });

  it('are no more than 64 MiB of pictures', async () => {
    for (const source of number(5)) assert.equal(await analysed(source, 16 * mebi), true);
    for (const source of number(5).slice(1)) assert.equal(await analysed(source), false, source);
    assert.equal(await analysed('camera 0', 16 * mebi), true);
    assert.equal(await analysed('camera 1'), true);
  });

  it('are those of the sources that were heard of last', async () => {
    for (const source of number(4)) await analysed(source, 16 * mebi);
    assert.equal(await analysed('camera 0'), false);
    await analysed('one more', 16 * mebi);
    assert.equal(await analysed('camera 0'), false);
    assert.equal(await analysed('camera 1'), true);
  });

  it('make room for a single picture that is larger, and for others again when it is gone', async () => {
    await analysed('small', mebi);
    await analysed('large', 100 * mebi);
    assert.equal(await analysed('large'), false);
    assert.equal(await analysed('small', mebi), true);
    assert.equal(await analysed('large', mebi), true);
    assert.equal(await analysed('small'), false);
  });

  it('count the picture that is there now, not those before it', async () => {
    const look = (grey: number) =>
      frames.look({ source: 'porch', question: '', grey: Buffer.alloc(64, grey), percent: 1 }, () =>
        Promise.resolve({ bytes: 40 * mebi })
      );
    await analysed('garden', 20 * mebi);
    for (const grey of [0, 50, 100, 150]) assert.equal((await look(grey)).skipped, false);
    assert.equal(await analysed('garden'), false);
  });

  it('do not count what could not be analysed', async () => {
    const frame = { source: 'porch', question: '', grey: Buffer.alloc(64), percent: 1 };
    await assert.rejects(frames.look(frame, () => Promise.reject(new Error('no'))));
    assert.equal(await analysed('porch', 60 * mebi), true);
    assert.equal(await analysed('garden', mebi), true);
    assert.equal(await analysed('porch'), false);
  });
});
