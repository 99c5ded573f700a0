import { createCanvas } from 'canvas';

/** Bars of a sign, row by row. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly cells: readonly boolean[];
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A word or a line of a sign, and where it is, as fractions of the plate. */
export interface SignLine {
  readonly line: string;
  readonly box: Place;
  readonly words: readonly { readonly word: string; readonly box: Place }[];
}

/** Where the bars are, as fractions of the plate. */
export const signStrip: Place = { left: 0.05, top: 0.72, width: 0.9, height: 0.22 };
/** How many columns of bars a sign may have. */
export const signColumns: readonly number[] = [12, 24, 36, 48, 72];

/** What signs are written in. */
export const font = '"DejaVu Sans", Arial, Helvetica, sans-serif';

const rows = 4;
const lengthBits = 6;
const checkBits = 12;
const charBits = 7;

/** The bars that say a text. Throws if it is longer than 38 characters, or not ASCII. */
export function encodeSign(text: string): Grid {
  const codes = [...text].map((character) => character.charCodeAt(0));
  if (codes.some((code) => code > 127)) throw new Error('A sign can only say ASCII.');
  const columns = signColumns.find((each) => capacity(each) >= codes.length);
  if (columns === undefined) throw new Error('A sign has at most 38 characters.');
  const bits = [
    ...bitsOf(codes.length, lengthBits),
    ...codes.flatMap((code) => bitsOf(code, charBits)),
    ...bitsOf(check(codes), checkBits)
  ];
  const filling = Array.from({ length: columns * rows - bits.length }, (_, index) => index % 2 === 0);
  return { columns, rows, cells: [...bits, ...filling] };
}

/** What bars say; undefined if they are no sign's. */
export function decodeSign({ columns, cells }: Grid): string | undefined {
  const length = numberOf(cells.slice(0, lengthBits));
  if (length > capacity(columns)) return undefined;
  const codes = Array.from({ length }, (_, index) => {
    const start = lengthBits + index * charBits;
    return numberOf(cells.slice(start, start + charBits));
  });
  const start = lengthBits + length * charBits;
  if (numberOf(cells.slice(start, start + checkBits)) !== check(codes)) return undefined;
  return String.fromCharCode(...codes);
}

/** Where the lines and words of a text are on the plate. */
export function layOut(text: string): SignLine[] {
  const lines = text.split('\n').map((each) => each.trim());
  const widths = lines.map(widthOf);
  const room = { left: 0.06, top: 0.08, width: 0.88, height: 0.58 };
  // A plate is 160 × 100: a height of 1 is a width of 0.625.
  const size = Math.min(room.height / lines.length / 1.1, room.width / (0.625 * Math.max(0.1, ...widths)));
  const start = room.top + (room.height - size * 1.1 * lines.length) / 2;
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    const width = 0.625 * size * (widths[index] ?? 0);
    const box = { left: 0.5 - width / 2, top: start + index * size * 1.1, width, height: size };
    return [{ line, box, words: placeWords(line, box) }];
  });
}

function placeWords(line: string, box: Place): SignLine['words'] {
  const all = widthOf(line);
  return [...line.matchAll(/\S+/g)].map(({ 0: word, index }) => {
    const left = box.left + (box.width * widthOf(line.slice(0, index))) / all;
    return { word, box: { ...box, left, width: (box.width * widthOf(word)) / all } };
  });
}

const measure = createCanvas(1, 1).getContext('2d');

/** In heights of the letters; a machine without fonts has letters of one width. */
function widthOf(text: string): number {
  measure.font = `bold 100px ${font}`;
  return measure.measureText(text).width / 100 || text.length * 0.6;
}

function capacity(columns: number): number {
  return Math.min(2 ** lengthBits - 1, Math.floor((columns * rows - lengthBits - checkBits) / charBits));
}

function bitsOf(value: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, index) => ((value >> (count - 1 - index)) & 1) === 1);
}

function numberOf(bits: readonly boolean[]): number {
  return bits.reduce((value, bit) => value * 2 + Number(bit), 0);
}

/** Tells a sign from chance: of a text without characters it is not 0 either. */
function check(codes: readonly number[]): number {
  let sum = 0xa53;
  for (const code of codes) sum = (sum * 31 + code + 7) & 0xfff;
  return sum;
}
