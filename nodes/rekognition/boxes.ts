import type { SKRSContext2D } from 'canvas';
import { colourKey, coloursOf, inkOn, luminance } from './colours';
import { capitalHeight, type Pen, penOfThisMachine } from './lettering';

/** A rectangle in a picture, in fractions of its width and height, from the top left. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** An object to draw a box around. */
export interface Mark {
  /** Marks with the same name, whatever its case, get the same colour. */
  name: string;
  /** The text of the tag, such as `person 97%`. */
  caption: string;
  box: Box;
  /** Whether the object counts. If not, its box is dashed and its tag dark. */
  counted: boolean;
}

interface Size {
  width: number;
  height: number;
}

/** In pixels. */
interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The sizes to draw with on a picture, in pixels. */
interface Scale {
  text: number;
  tag: number;
  padding: number;
  line: number;
  halo: number;
}

/** A mark with the rectangle that is drawn. */
interface Framed {
  mark: Mark;
  colour: string;
  /** The middle of the line. */
  frame: Rectangle;
  line: number;
}

interface Tag extends Framed {
  text: string;
  place: Rectangle;
}

const white = '#ffffff';
const darkHalo = 'rgba(0, 0, 0, 0.6)';
const lightHalo = 'rgba(255, 255, 255, 0.9)';

/**
 * Large pictures are usually shown scaled down, but less than in proportion. So sizes grow more slowly than the picture
 * does.
 */
function scaleOf({ width, height }: Size): Scale {
  const grown = (Math.min(width, height) / 720) ** 0.75;
  const text = Math.max(9, Math.round(20 * grown));
  const line = Math.max(1, Math.round(4 * grown));
  return {
    text,
    tag: Math.round(text * 1.4),
    padding: Math.max(2, Math.round(text * 0.4)),
    line,
    halo: Math.max(line > 1 ? 1 : 0.5, 0.9 * grown)
  };
}

const between = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** The part of a box that is inside the picture, in pixels; `undefined` if there is none. */
function rectangleOf(box: Box, { width, height }: Size): Rectangle | undefined {
  const rectangle = {
    left: between(box.left, 0, 1) * width,
    top: between(box.top, 0, 1) * height,
    right: between(box.left + box.width, 0, 1) * width,
    bottom: between(box.top + box.height, 0, 1) * height
  };
  // Also false for NaN.
  const { left, top, right, bottom } = rectangle;
  return right > left && bottom > top ? rectangle : undefined;
}

/** The middle of the line: on whole pixels, so that thin lines are sharp, and with the whole line inside the picture. */
function frameOf({ left, top, right, bottom }: Rectangle, { width, height }: Size, line: number): Rectangle {
  const half = line / 2;
  const on = (value: number, end: number): number => between(Math.round(value - half) + half, half, end - half);
  return { left: on(left, width), top: on(top, height), right: on(right, width), bottom: on(bottom, height) };
}

function framed(mark: Mark, colour: string, size: Size, scale: Scale): Framed | undefined {
  const rectangle = rectangleOf(mark.box, size);
  if (!rectangle) return undefined;
  const side = Math.min(rectangle.right - rectangle.left, rectangle.bottom - rectangle.top);
  const line = Math.round(between(mark.counted ? scale.line : scale.line * 0.6, 1, Math.max(1, side / 6)));
  return { mark, colour, line, frame: frameOf(rectangle, size, line) };
}

const areaOf = ({ left, top, right, bottom }: Rectangle): number => (right - left) * (bottom - top);

/** A path with rounded corners. */
function outline(context: SKRSContext2D, { left, top, right, bottom }: Rectangle, radius: number): void {
  context.beginPath();
  context.roundRect(left, top, right - left, bottom - top, radius);
}

function strokeIn(context: SKRSContext2D, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

/** Draws the sides one by one, with dashes that are fitted to each side so that there is one in every corner. */
function dashSides(
  context: SKRSContext2D,
  { left, top, right, bottom }: Rectangle,
  dash: number,
  longer: number
): void {
  const half = context.lineWidth / 2;
  const side = (x1: number, y1: number, x2: number, y2: number): void => {
    const length = Math.max(1, x2 - x1 + y2 - y1);
    const period = length / Math.max(1, Math.round(length / (dash * 2)));
    const on = Math.min(period, period * 0.5 + longer);
    context.setLineDash([on, period - on]);
    context.lineDashOffset = on / 2;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  };
  side(left, top, right, top);
  side(left, bottom, right, bottom);
  side(left, top - half, left, bottom + half);
  side(right, top - half, right, bottom + half);
  context.setLineDash([]);
}

/** A stroke of a line, from the bottom up. Those that are wider than the line itself are its halo. */
interface Layer {
  colour: string;
  wider: number;
}

/** The strokes of a line: a light colour gets a dark halo, a dark colour a light one with a dark edge. */
function layersOf(colour: string, halo: number): Layer[] {
  const line = { colour, wider: 0 };
  if (luminance(colour) > 0.33) return [{ colour: darkHalo, wider: 2 * halo }, line];
  return [{ colour: darkHalo, wider: 3.5 * halo }, { colour: lightHalo, wider: 2 * halo }, line];
}

function drawDashed(context: SKRSContext2D, frame: Rectangle, line: number, layers: Layer[], dash: number): void {
  for (const { colour, wider } of layers) {
    context.strokeStyle = colour;
    context.lineWidth = line + wider;
    dashSides(context, frame, dash, wider);
  }
}

function drawSolid(context: SKRSContext2D, frame: Rectangle, line: number, layers: Layer[]): void {
  const radius = Math.min(line * 1.5, (frame.right - frame.left) / 4, (frame.bottom - frame.top) / 4);
  outline(context, frame, radius);
  for (const { colour, wider } of layers) strokeIn(context, colour, line + wider);
}

function drawFrame(context: SKRSContext2D, { mark, colour, frame, line }: Framed, scale: Scale): void {
  if (mark.counted) drawSolid(context, frame, line, layersOf(colour, scale.halo));
  else drawDashed(context, frame, line, layersOf(colour, scale.halo * 0.75), scale.line * 3.5);
}

/** A text as one line, without characters that change the direction of text. */
const oneLine = (text: string): string =>
  text
    .slice(0, 1000)
    .replace(/[\p{Bidi_Control}\uFEFF]/gu, '')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** As much of a text as fits into `room` pixels, with an ellipsis if it was cut. Empty if not even one letter fits. */
function cut(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text;
  const letters = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const first = (count: number): string => `${letters.slice(0, count).join('').trimEnd()}…`;
  let [fits, tooMany] = [0, letters.length];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (widthOf(first(middle)) <= room) fits = middle;
    else tooMany = middle;
  }
  return fits > 0 ? first(fits) : '';
}

/** The places inside the picture where a tag of this size can be, the best one first. */
function* placesFor({ frame, line }: Framed, tag: Size, size: Size): Generator<Rectangle> {
  const half = line / 2;
  const [left, right] = [frame.left - half, frame.right + half - tag.width];
  const [top, bottom] = [frame.top - half, frame.bottom + half];
  const at = (x: number, y: number): Rectangle => {
    const shifted = between(x, 0, size.width - tag.width);
    return { left: shifted, top: y, right: shifted + tag.width, bottom: y + tag.height };
  };
  const over = Math.min(line, Math.floor((bottom - top) / 8));
  const rows = [top - tag.height + over, top, bottom - over, bottom - tag.height];
  for (let n = 1; n <= 3; n++) rows.push(top - (n + 1) * tag.height, bottom + n * tag.height);
  for (let y = top + tag.height; y < bottom - tag.height; y += tag.height) rows.push(y);
  for (const y of rows) {
    if (y < 0 || y + tag.height > size.height) continue;
    yield at(left, y);
    yield at(right, y);
    yield at(Math.round((left + right) / 2), y);
  }
}

const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** The tag at the first place where it covers no other; `undefined` if there is no such place or no text. */
function placeTag(
  framed: Framed,
  text: string,
  width: number,
  size: Size,
  scale: Scale,
  taken: Tag[]
): Tag | undefined {
  if (text === '' || scale.tag > size.height / 2) return undefined;
  for (const place of placesFor(framed, { width, height: scale.tag }, size)) {
    if (!taken.some((other) => overlap(other.place, place))) return { ...framed, text, place };
  }
  return undefined;
}

/** Tags of objects that count are placed first, then those of small boxes, for which there are the fewest places. */
function tagsFor(context: SKRSContext2D, all: readonly Framed[], size: Size, scale: Scale, pen: Pen): Tag[] {
  const tags: Tag[] = [];
  const widthOf = (text: string): number => Math.ceil(pen.measure(context, text, scale.text));
  for (const framed of all.toReversed()) {
    const { frame, mark } = framed;
    const room = Math.min(size.width, Math.max(frame.right - frame.left, size.width / 2, scale.text * 14));
    const text = cut(oneLine(mark.caption), room - 2 * scale.padding, widthOf);
    const tag = placeTag(framed, text, widthOf(text) + 2 * scale.padding, size, scale, tags);
    if (tag) tags.push(tag);
  }
  return tags;
}

function drawTag(context: SKRSContext2D, { mark, colour, place, text }: Tag, scale: Scale, pen: Pen): void {
  const radius = Math.round(scale.text * 0.18);
  const fill = mark.counted ? colour : '#14171c';
  outline(context, place, radius);
  strokeIn(context, darkHalo, 2 * scale.halo);
  context.globalAlpha = mark.counted ? 1 : 0.85;
  context.fillStyle = fill;
  context.fill();
  context.globalAlpha = 1;
  context.save();
  context.clip();
  if (!mark.counted) strokeIn(context, colour, Math.max(2, scale.line));
  context.fillStyle = inkOn(fill);
  const base = Math.round((place.top + place.bottom + capitalHeight * scale.text) / 2);
  pen.write(context, text, place.left + scale.padding, base, scale.text);
  context.restore();
}

function drawRegion(context: SKRSContext2D, roi: Box, size: Size, scale: Scale): void {
  const rectangle = rectangleOf(roi, size);
  if (!rectangle || areaOf(rectangle) >= size.width * size.height) return;
  const { left, top, right, bottom } = frameOf(rectangle, size, 0);
  context.beginPath();
  context.rect(0, 0, size.width, size.height);
  context.rect(left, top, right - left, bottom - top);
  context.fillStyle = 'rgba(6, 9, 14, 0.4)';
  context.fill('evenodd');
  const line = Math.max(1, Math.round(scale.line * 0.5));
  const frame = frameOf(rectangle, size, line);
  drawSolid(context, frame, line, [{ colour: darkHalo, wider: 2 * scale.halo }]);
  drawDashed(context, frame, line, [{ colour: white, wider: 0 }], scale.text * 0.6);
}

/** Draws marks and the region of interest over the picture on the context. `size` is in pixels. */
export function drawBoxes(
  context: SKRSContext2D,
  size: { width: number; height: number },
  marks: readonly Mark[],
  roi?: Box
): void {
  if (!(size.width >= 1 && size.height >= 1)) return;
  const scale = scaleOf(size);
  const pen = penOfThisMachine();
  const colours = coloursOf(marks.map(({ name }) => colourKey(name)));
  const all = marks
    .flatMap((mark) => framed(mark, colours.get(colourKey(mark.name)) ?? white, size, scale) ?? [])
    .sort((a, b) => Number(a.mark.counted) - Number(b.mark.counted) || areaOf(b.frame) - areaOf(a.frame));
  context.save();
  context.lineJoin = 'round';
  context.lineCap = 'butt';
  if (roi) drawRegion(context, roi, size, scale);
  for (const one of all) drawFrame(context, one, scale);
  for (const tag of tagsFor(context, all, size, scale, pen).reverse()) drawTag(context, tag, scale, pen);
  context.restore();
}
