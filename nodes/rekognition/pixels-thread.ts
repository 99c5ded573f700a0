import { parentPort } from 'node:worker_threads';
import type { Canvas, Image, SKRSContext2D } from 'canvas';
import { codeOf, reasonOf } from '../fields/thrown';
import type { Box } from './boxes';
import { drawBoxes } from './boxes';
import type { Drawn, Order, PixelTask, ThreadMessage } from './pixels';

/** The quality of JPEGs, percent. */
const quality = 90;
/** The width and height of the small grey copy, in cells. */
const cells = 64;
/** The margin around a face, in fractions of its width and height: the service finds no face without it. */
const margin = 0.4;
/**
 * The sides of a cut-out face, in pixels: the service refuses less than 80, and more than some hundreds does not help
 * it.
 */
const leastFace = 160;
const mostFace = 1600;
const leastSide = 80;

type Library = typeof import('canvas');
/** A decoded picture, already turned by its EXIF orientation. */
type Decoded = Image;

const load = (): Library => require('canvas');

async function decode({ Image }: Library, bytes: Uint8Array): Promise<Decoded> {
  const image = new Image();
  image.src = bytes;
  await image.decode();
  if (image.width === 0 || image.height === 0) throw new Error('no picture');
  return image;
}

/**
 * A canvas with the picture. With `paper` it has a white background, since in a JPEG transparent pixels would be black.
 */
function sheetOf({ createCanvas }: Library, image: Decoded, width: number, height: number, paper: boolean): Canvas {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  if (paper) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
  }
  if (width === image.width && height === image.height) context.drawImage(image, 0, 0);
  else {
    // Without smoothing single pixels are picked, and a series of scaled pictures would flicker.
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
  }
  return canvas;
}

function annotate(
  library: Library,
  image: Decoded,
  { marks, roi, format }: PixelTask & { do: 'annotate' }
): Uint8Array {
  const { width, height } = image;
  const canvas = sheetOf(library, image, width, height, format === 'jpeg');
  drawBoxes(canvas.getContext('2d'), { width, height }, marks, roi);
  return format === 'png' ? canvas.encodeSync('png') : canvas.encodeSync('jpeg', quality);
}

function shrink(library: Library, image: Decoded, { mostBytes, mostPixels }: PixelTask & { do: 'shrink' }): Uint8Array {
  const { width, height } = image;
  for (let scale = Math.min(1, mostPixels / Math.max(width, height)); ; ) {
    const size = (side: number) => Math.max(1, Math.round(side * scale));
    const smaller = sheetOf(library, image, size(width), size(height), true).encodeSync('jpeg', quality);
    if (smaller.length <= mostBytes) return smaller;
    // The number of bytes is about proportional to the area.
    scale *= Math.min(0.9, Math.sqrt(mostBytes / smaller.length) * 0.95);
  }
}

/** The pixels of a box with a margin (`around`, in fractions of its size), clipped to the picture. */
function area({ width, height }: Decoded, box: Box, around: number) {
  const left = Math.max(0, (box.left - box.width * around) * width);
  const top = Math.max(0, (box.top - box.height * around) * height);
  const right = Math.min(width, (box.left + box.width * (1 + around)) * width);
  const bottom = Math.min(height, (box.top + box.height * (1 + around)) * height);
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

type Area = ReturnType<typeof area>;

/** Cuts out a face and covers all others: the service searches the largest face it sees, which must be this one. */
function cut(library: Library, image: Decoded, faces: readonly Box[], face: Box): Uint8Array {
  const whole = area(image, face, margin);
  const enough = Math.max(1, leastFace / Math.min(whole.width, whole.height));
  const scale = Math.min(enough, mostFace / Math.max(whole.width, whole.height));
  // A narrow face gets grey bars beside it.
  const side = (length: number) => Math.max(leastSide, Math.round(length * scale));
  const canvas = library.createCanvas(side(whole.width), side(whole.height));
  const context = canvas.getContext('2d');
  context.fillStyle = '#808080';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  context.translate(-whole.left, -whole.top);
  place(context, image, whole);
  for (const other of faces) {
    const { left, top, width, height } = area(image, other, 0);
    if (other !== face) context.fillRect(left, top, width, height);
  }
  place(context, image, area(image, face, 0));
  return canvas.encodeSync('jpeg', quality);
}

const place = (context: SKRSContext2D, image: Decoded, { left, top, width, height }: Area) =>
  context.drawImage(image, left, top, width, height, left, top, width, height);

function measure(library: Library, image: Decoded): Uint8Array {
  const { data } = sheetOf(library, image, cells, cells, true).getContext('2d').getImageData(0, 0, cells, cells);
  const grey = new Uint8Array(cells * cells);
  for (let cell = 0; cell < grey.length; cell += 1) {
    const [red = 0, green = 0, blue = 0] = data.subarray(cell * 4, cell * 4 + 3);
    grey[cell] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return grey;
}

function work(library: Library, image: Decoded, task: PixelTask): Uint8Array[] {
  if (task.do === 'annotate') return [annotate(library, image, task)];
  if (task.do === 'shrink') return [shrink(library, image, task)];
  if (task.do === 'cut') return task.faces.map((face) => cut(library, image, task.faces, face));
  return [measure(library, image)];
}

/** Decoded pictures that are needed again, by number. */
const kept = new Map<number, Decoded>();

async function pictureOf(library: Library, { picture = 0, bytes, keep }: Order): Promise<Decoded> {
  const image = bytes ? await decode(library, bytes) : kept.get(picture);
  if (!image) throw new Error('it is not here');
  if (keep) kept.set(picture, image);
  return image;
}

async function draw(order: Order): Promise<Drawn> {
  const { task } = order;
  let library: Library;
  try {
    library = load();
  } catch (error) {
    return { problem: 'no canvas', message: codeOf(error) || String(error) };
  }
  if (!task) return { results: [] };
  let image: Decoded;
  try {
    image = await pictureOf(library, order);
  } catch (error) {
    return { problem: 'no picture', message: reasonOf(error) };
  }
  try {
    // Copies, since buffers of the library cannot be transferred.
    return { results: work(library, image, task).map((result) => new Uint8Array(result)) };
  } catch (error) {
    return { problem: 'failed', message: reasonOf(error) };
  }
}

parentPort?.on('message', async (message: ThreadMessage) => {
  if (message === 'end') return parentPort?.close();
  if ('forget' in message) return kept.delete(message.forget);
  const drawn = await draw(message);
  const results = 'results' in drawn ? drawn.results : [];
  parentPort?.postMessage(
    drawn,
    results.map(({ buffer }) => buffer)
  );
});
