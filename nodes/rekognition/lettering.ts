import type { SKRSContext2D } from 'canvas';

/**
 * Writes text on a picture. `size` is the height of a line of text without leading, in pixels; capitals have `capitalHeight`
 * of it.
 */
export interface Pen {
  /** The width of a text, in pixels. */
  measure(context: SKRSContext2D, text: string, size: number): number;
  /** Writes with the fill style of the context, from `x` to the right, on the base line `y`. */
  write(context: SKRSContext2D, text: string, x: number, y: number, size: number): void;
}

/** The height of capitals, as a fraction of the size. */
export const capitalHeight = 0.72;

/** The unit of all lengths of glyphs, a tenth of the height of a capital, as a fraction of the size. */
const unit = capitalHeight / 10;
/** The largest radius of a rounded corner. */
const roundness = 2.6;
/** The space between glyphs. */
const gap = 2.5;
/** The thickness of strokes. */
const weight = 1.45;

/**
 * The strokes of each glyph, separated by `|`. y goes up from the base line, `x,yr` is a rounded corner, a single point
 * a dot.
 */
const glyphs: Record<string, string> = {
  '!': '0,10 0,3.2|0,0',
  '"': '0,10 0,7.4|2.2,10 2.2,7.4',
  '#': '2,10 0.9,0|5.3,10 4.2,0|0.3,7 6.2,7|0,3.2 5.9,3.2',
  $: '4.8,7.2 4.8,9r 0,9r 0,5.1r 4.8,5.1r 4.8,1r 0,1r 0,2.8|2.4,10.8 2.4,-0.8',
  '%': '6.9,10 1.5,0|1.2,10 2.4,10r 2.4,6r 0,6r 0,10r 1.2,10|7.2,4 8.4,4r 8.4,0r 6,0r 6,4r 7.2,4',
  '&': '6,4.4 6,4r 4.4,0r 0,0r 0,4.4r 2,5.6 4.4,6.8r 4.4,10r 1,10r 0.9,7r 2,5.6 6,0',
  "'": '0,10 0,7.4',
  '(': '1.8,11 0,8.4r 0,0.6r 1.8,-2',
  ')': '0,11 1.8,8.4r 1.8,0.6r 0,-2',
  '*': '2.2,10 2.2,5|0,8.8 4.4,6.2|4.4,8.8 0,6.2',
  '+': '2.5,7 2.5,1.6|0,4.3 5,4.3',
  ',': '0.6,0.2 0,-2',
  '-': '0,4.2 3,4.2',
  '.': '0,0',
  '/': '0,-1 3.6,11',
  0: '2.5,10 5,10r 5,0r 0,0r 0,10r 2.5,10',
  1: '0,8 2.4,10 2.4,0',
  2: '0.1,7.7 0.1,10r 5,10r 5,6.2r 0,0 5.2,0',
  3: '0.1,8 0.1,10r 4.8,10r 4.8,5.4r 2,5.4|2,5.4 5,5.4r 5,0r 0,0r 0,2',
  4: '4,0 4,10 0,2.7 5.4,2.7',
  5: '4.6,10 0.4,10 0.2,6.2 5,6.2r 5,0r 0,0r 0,1.8',
  6: '4.6,8.4 4.6,10r 0,10r 0,0r 5,0r 5,6r 0,6r 0,3',
  7: '0,10 5,10 1.6,0',
  8: '2.5,10 4.8,10r 4.8,5.4r 0.2,5.4r 0.2,10r 2.5,10|2.5,5.4 5,5.4r 5,0r 0,0r 0,5.4r 2.5,5.4',
  9: '0.4,1.6 0.4,0r 5,0r 5,10r 0,10r 0,4r 5,4r 5,7',
  ':': '0,6|0,0.6',
  ';': '0.6,6|0.6,0.2 0,-2',
  '<': '4.6,7.4 0,4.3 4.6,1.2',
  '=': '0,5.9 4.8,5.9|0,2.7 4.8,2.7',
  '>': '0,7.4 4.6,4.3 0,1.2',
  '?': '0,7.8 0,10r 4.6,10r 4.6,5.8r 2.2,5r 2.2,3.2|2.2,0',
  '@': '5.6,2.6 5.6,6.6r 2.6,6.6r 2.6,2r 5.6,2r 5.6,4|5.6,2.6 5.6,1.6r 8,1.6r 8,9.4r 0,9.4r 0,-1.4r 6.4,-1.4',
  A: '0,0 2.9,10 5.8,0|1,3.2 4.8,3.2',
  B: '0,5.4 0,10 4.7,10r 4.7,5.4r 0,5.4 0,0 5.1,0r 5.1,5.4r 0,5.4',
  C: '5,7.4 5,10r 0,10r 0,0r 5,0r 5,2.6',
  D: '0,0 0,10 5.2,10r 5.2,0r 0,0',
  E: '4.6,10 0,10 0,0 4.6,0|0,5.2 4,5.2',
  F: '4.6,10 0,10 0,0|0,5 4,5',
  G: '5,7.6 5,10r 0,10r 0,0r 5.1,0r 5.1,4.6 3,4.6',
  H: '0,10 0,0|5.2,10 5.2,0|0,5.2 5.2,5.2',
  I: '0,10 0,0',
  J: '3.8,10 3.8,0r 0,0r 0,2.2',
  K: '0,10 0,0|5,10 0,4|1.8,6.1 5.2,0',
  L: '0,10 0,0 4.4,0',
  M: '0,0 0,10 3.2,3.6 6.4,10 6.4,0',
  N: '0,0 0,10 5.2,0 5.2,10',
  O: '2.7,10 5.4,10r 5.4,0r 0,0r 0,10r 2.7,10',
  P: '0,0 0,10 5,10r 5,4.6r 0,4.6',
  Q: '2.7,10 5.4,10r 5.4,0r 0,0r 0,10r 2.7,10|3.4,2.2 5.8,-0.8',
  R: '0,0 0,10 5,10r 5,4.8r 0,4.8|2.6,4.8 5.3,0',
  S: '4.9,7.8 4.9,10r 0,10r 0,5.3r 5,5.3r 5,0r 0,0r 0,2.2',
  T: '0,10 5.4,10|2.7,10 2.7,0',
  U: '0,10 0,0r 5.2,0r 5.2,10',
  V: '0,10 2.8,0 5.6,10',
  W: '0,10 1.9,0 3.8,7.6 5.7,0 7.6,10',
  X: '0,10 5.4,0|5.4,10 0,0',
  Y: '0,10 2.7,4.8 5.4,10|2.7,4.8 2.7,0',
  Z: '0,10 5,10 0,0 5.2,0',
  '[': '1.8,11 0,11 0,-2 1.8,-2',
  '\\': '0,11 3.6,-1',
  ']': '0,11 1.8,11 1.8,-2 0,-2',
  '^': '0,7 2.2,10 4.4,7',
  _: '0,-1.4 5,-1.4',
  '`': '0,10.6 1.4,8.8',
  a: '0.4,7 4.4,7r 4.4,0|4.4,4.1 0,4.1r 0,0r 4.4,0r 4.4,2.4',
  b: '0,10 0,0|0,3.5 0,7r 4.6,7r 4.6,0r 0,0r 0,3.5',
  c: '4.3,5.3 4.3,7r 0,7r 0,0r 4.3,0r 4.3,1.7',
  d: '4.6,10 4.6,0|4.6,3.5 4.6,7r 0,7r 0,0r 4.6,0r 4.6,3.5',
  e: '0,3.6 4.6,3.6 4.6,7r 0,7r 0,0r 4.2,0r 4.4,1.2',
  f: '3.4,10 1.2,10r 1.2,0|0,6.8 3.2,6.8',
  g: '4.6,7 4.6,-3r 0.4,-3|4.6,3.5 4.6,7r 0,7r 0,0r 4.6,0r 4.6,3.5',
  h: '0,10 0,0|0,4 0,7r 4.4,7r 4.4,0',
  i: '0,7 0,0|0,9.8',
  j: '1.6,7 1.6,-3r 0,-3|1.6,9.8',
  k: '0,10 0,0|4,7 0,2.6|1.5,4.3 4.3,0',
  l: '0,10 0,0r 1.6,0',
  m: '0,7 0,0|0,4 0,7r 3.5,7r 3.5,0|3.5,4 3.5,7r 7,7r 7,0',
  n: '0,7 0,0|0,4 0,7r 4.4,7r 4.4,0',
  o: '2.3,7 4.6,7r 4.6,0r 0,0r 0,7r 2.3,7',
  p: '0,7 0,-3|0,3.5 0,7r 4.6,7r 4.6,0r 0,0r 0,3.5',
  q: '4.6,7 4.6,-3|4.6,3.5 4.6,7r 0,7r 0,0r 4.6,0r 4.6,3.5',
  r: '0,7 0,0|0,3.6 0,7r 2.8,7',
  s: '4,5.6 4,7r 0,7r 0,3.7r 4.1,3.7r 4.1,0r 0,0r 0,1.4',
  t: '1.2,9.4 1.2,0r 3.4,0|0,6.8 3.2,6.8',
  u: '4.4,7 4.4,0|0,7 0,0r 4.4,0r 4.4,3',
  v: '0,7 2.3,0 4.6,7',
  w: '0,7 1.6,0 3.4,5.4 5.2,0 6.8,7',
  x: '0,7 4.2,0|4.2,7 0,0',
  y: '0,7 2.4,0|4.8,7 2.4,0 1.2,-3 0.2,-3',
  z: '0,7 4.2,7 0,0 4.3,0',
  '{': '2.4,11 1,11r 1,4.5r 0,4.5|0,4.5 1,4.5r 1,-2r 2.4,-2',
  '|': '0,11 0,-2',
  '}': '0,11 1.4,11r 1.4,4.5r 2.4,4.5|2.4,4.5 1.4,4.5r 1.4,-2r 0,-2',
  '~': '0,3.6 0,5.2r 2.6,5.2r 2.6,3.6r 5.2,3.6r 5.2,5.2',
  '…': '0,0|2.8,0|5.6,0',
  '°': '1.4,10 2.8,10r 2.8,7.2r 0,7.2r 0,10r 1.4,10',
  '·': '0,4.2'
};
/** Shown for characters without a glyph. */
const hollow = '0,0 0,8 4.6,8 4.6,0 0,0';
const blankWidth = 1.6;
const alike: Record<string, string> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-'
};

interface Point {
  x: number;
  y: number;
  /** The distance from the corner at which the rounding begins; 0 for a sharp corner. */
  cut: number;
}
interface Glyph {
  width: number;
  strokes: Point[][];
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

/** Limits the radius so that two rounded corners share the line between them. */
function cutOf(corner: Point, neighbour: Point): number {
  return distance(corner, neighbour) / (neighbour.cut > 0 ? 2 : 1);
}

function strokeOf(text: string): Point[] {
  const points = text.split(' ').map((point): Point => {
    const [x = 0, y = 0] = point.split(',').map((value) => Number.parseFloat(value));
    return { x, y, cut: point.endsWith('r') ? roundness : 0 };
  });
  return points.map((point, n) => {
    const [before, after] = [points[n - 1], points[n + 1]];
    if (!before || !after || point.cut === 0) return point;
    return { ...point, cut: Math.min(roundness, cutOf(point, before), cutOf(point, after)) };
  });
}

function glyphOf(text: string): Glyph {
  const strokes = text.split('|').map(strokeOf);
  return { strokes, width: Math.max(...strokes.flat().map(({ x }) => x)) };
}

const drawn = new Map<string, Glyph>();

/** The strokes of a character; none for a space. */
function glyphFor(character: string): Glyph | undefined {
  if (character === ' ') return undefined;
  let glyph = drawn.get(character);
  if (!glyph) {
    glyph = glyphOf(glyphs[character] ?? hollow);
    if (drawn.size < 1000) drawn.set(character, glyph);
  }
  return glyph;
}

/** Removes accents and joiners. */
function charactersOf(text: string): string[] {
  const plain = text.normalize('NFD').replace(/[\p{M}\p{Cf}]/gu, '');
  return Array.from(plain, (character) => alike[character] ?? character);
}

/** Adds a rounded corner to the path, a curve that approximates an arc at any angle. `x` is the left of the glyph. */
function corner(context: SKRSContext2D, x: number, before: Point, point: Point, after: Point): void {
  const towards = (other: Point): [number, number] => {
    const part = point.cut / (distance(point, other) || 1);
    return [point.x + (other.x - point.x) * part, point.y + (other.y - point.y) * part];
  };
  const [fromX, fromY] = towards(before);
  const [toX, toY] = towards(after);
  // For a quarter of a circle, the control points are at 0.5523 of the way to the corner.
  const bend = (from: number, to: number): number => from + (to - from) * 0.5523;
  context.lineTo(x + fromX, fromY);
  context.bezierCurveTo(
    x + bend(fromX, point.x),
    bend(fromY, point.y),
    x + bend(toX, point.x),
    bend(toY, point.y),
    x + toX,
    toY
  );
}

function trace(context: SKRSContext2D, x: number, points: Point[]): void {
  points.forEach((point, n) => {
    const [before, after] = [points[n - 1], points[n + 1]];
    if (!before) context.moveTo(x + point.x, point.y);
    else if (after && point.cut > 0) corner(context, x, before, point, after);
    else context.lineTo(x + point.x, point.y);
  });
  const [only] = points;
  // A path without length would not show its round caps.
  if (only && points.length === 1) context.rect(x + only.x - 0.15, only.y - 0.15, 0.3, 0.3);
}

/** The width of a text, in units. */
function lengthOf(text: string): number {
  const widths = charactersOf(text).map((character) => glyphFor(character)?.width ?? blankWidth);
  return widths.reduce((sum, width) => sum + width + gap, 0) - gap + weight;
}

/** The thickness of strokes at a size, in units: at least a good pixel, since thinner strokes would look grey. */
const weightAt = (size: number): number => Math.max(weight, 1.05 / (unit * size));

/**
 * Writes printable ASCII with drawn strokes, for machines without fonts such as Node-RED's Docker image. Accents are left
 * out, and other characters become a hollow box.
 */
export const lettering: Pen = {
  measure: (_context, text, size) => (text === '' ? 0 : lengthOf(text) * unit * size),
  write(context, text, x, y, size) {
    context.save();
    context.translate(x, y);
    context.scale(unit * size, -unit * size);
    context.translate(0, weight / 2);
    context.strokeStyle = context.fillStyle;
    context.lineWidth = weightAt(size);
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.setLineDash([]);
    context.beginPath();
    let from = weight / 2;
    for (const character of charactersOf(text)) {
      const glyph = glyphFor(character);
      for (const stroke of glyph?.strokes ?? []) trace(context, from, stroke);
      from += (glyph?.width ?? blankWidth) + gap;
    }
    context.stroke();
    context.restore();
  }
};

/** Font families that look good on a picture, the most common first. */
const wellKnown = [
  'Inter',
  'Segoe UI',
  'Helvetica Neue',
  'Helvetica',
  'Arial',
  'Roboto',
  'Noto Sans',
  'Open Sans',
  'Ubuntu',
  'Liberation Sans',
  'DejaVu Sans',
  'FreeSans'
];
const withoutLetters = /emoji|symbol|math|icon|awesome|dingbat/i;
const otherScripts =
  /^Noto (Sans|Color|Kufi|Naskh)|CJK|Fallback|Emoji|Gothic|Hiragino|PingFang|YaHei|JhengHei|Malgun|Meiryo|Nirmala|Leelawadee|WenQuanYi|Nanum|Arabic|Hebrew|Thai/i;

/**
 * The font families to write with, as CSS; empty if there are none. `sans-serif` alone is not enough: on Linux the library
 * takes any installed family for it, maybe one of symbols, and has no fallback for scripts that it lacks.
 */
export function fontsFrom(families: readonly string[]): string | undefined {
  const able = families.filter((family) => !withoutLetters.test(family));
  const main =
    wellKnown.find((family) => able.includes(family)) ??
    able.find((family) => /sans/i.test(family) && !/mono|fallback/i.test(family)) ??
    able[0];
  if (main === undefined) return undefined;
  const others = families.filter((family) => family !== main && otherScripts.test(family) && !/mono/i.test(family));
  const names = [main, ...others.slice(0, 100)].map((family) => `"${family.replace(/["\\]/g, '')}"`);
  return [...names, 'sans-serif'].join(', ');
}

/** Whether a caption begins in a script that is written from right to left, such as Arabic or Hebrew. */
const fromTheRight = /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

function typesetter(fonts: string): Pen {
  const use = (context: SKRSContext2D, text: string, size: number): void => {
    context.font = `600 ${size}px ${fonts}`;
    context.textAlign = 'left';
    context.textBaseline = 'alphabetic';
    context.direction = fromTheRight.test(text) ? 'rtl' : 'ltr';
  };
  return {
    measure(context, text, size) {
      use(context, text, size);
      return context.measureText(text).width;
    },
    write(context, text, x, y, size) {
      use(context, text, size);
      context.fillText(text, x, y);
    }
  };
}

let pen: Pen | undefined;

/** The pen that writes with the fonts of this machine, or `lettering` if it has none. They are looked for once. */
export function penOfThisMachine(): Pen {
  if (pen) return pen;
  const { GlobalFonts }: typeof import('canvas') = require('canvas');
  const fonts = fontsFrom(GlobalFonts.families.map(({ family }) => family));
  pen = fonts === undefined ? lettering : typesetter(fonts);
  return pen;
}
