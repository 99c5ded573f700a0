import type { Image } from '@aws-sdk/client-rekognition';
import { invalid } from '../fields/errors';
import type { StoredPicture } from './image';
import type { Picture } from './picture';
import { shrink } from './pixels';

/** The limits of most operations: bytes of a picture, and pixels of its shorter and longer side. */
const mostBytes = 5 * 1024 * 1024;
const leastPixels = 80;
const mostPixels = 10_000;

/**
 * The picture for a request, scaled down if it is too large. Rejects with `InvalidValue` for one that is too small; `name` is
 * what the error calls it.
 */
export async function toService(
  picture: Picture | StoredPicture,
  limits: { mostBytes?: number } = {},
  signal?: AbortSignal,
  name = 'image'
): Promise<Image> {
  if ('S3Object' in picture) return picture;
  const { bytes, width, height } = picture;
  const most = limits.mostBytes ?? mostBytes;
  const scale = Math.min(1, mostPixels / Math.max(width, height));
  if (Math.min(width, height) * scale < leastPixels) {
    const wide = scale < 1 ? `, of which the longer side may have at most ${mostPixels}` : '';
    throw invalid(name, `must be at least ${leastPixels} pixels wide and high, but has ${width} × ${height}${wide}.`);
  }
  const fits = scale === 1 && bytes.length <= most;
  return { Bytes: fits ? bytes : await shrink(picture, most, mostPixels, signal) };
}
