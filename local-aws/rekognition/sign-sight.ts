import { type Area, markerTest, type Pixels } from './areas';
import type { Box } from './drawings';
import { decodeSign, layOut, type SignLine, signColumns, signStrip } from './signs';

/** A sign that could be read. */
export interface SignSight {
  readonly text: string;
  /** Lines and words; boxes as fractions of the picture. */
  readonly lines: readonly SignLine[];
  readonly confidence: number;
}

type Crop = (box: Box, width: number, height: number) => Pixels;

const [across, down] = [480, 300];

/** Reads the bars of a sign; nothing if they say nothing. */
export function readSign(area: Area, { width, height }: Pixels, crop: Crop): SignSight[] {
  const margin = 3;
  const rough: Box = {
    left: (area.left - margin) / width,
    top: (area.top - margin) / height,
    width: (area.right - area.left + 2 * margin) / width,
    height: (area.bottom - area.top + 2 * margin) / height
  };
  const details = crop(rough, across, down);
  const plate = findPlate(area, details);
  const text = plate && readBars(details, plate);
  if (plate === undefined || text === undefined) return [];
  const whole: Box = {
    left: rough.left + plate.left * rough.width,
    top: rough.top + plate.top * rough.height,
    width: plate.width * rough.width,
    height: plate.height * rough.height
  };
  const side = Math.sqrt(whole.width * width * whole.height * height);
  return [
    { text, lines: layOut(text).map((line) => placeLine(line, whole)), confidence: Math.max(72, 99.9 - 260 / side) }
  ];
}

function placeLine({ line, box, words }: SignLine, plate: Box): SignLine {
  const placed = (each: Box): Box => ({
    left: plate.left + each.left * plate.width,
    top: plate.top + each.top * plate.height,
    width: each.width * plate.width,
    height: each.height * plate.height
  });
  return { line, box: placed(box), words: words.map(({ word, box: each }) => ({ word, box: placed(each) })) };
}

/** Where the plate is in the details, as fractions: rows and columns that have its colour for the most part. */
function findPlate({ marker }: Area, details: Pixels): Box | undefined {
  const { width, height } = details;
  const isPlate = markerTest(marker, details);
  const [columns, rows] = [new Uint32Array(width), new Uint32Array(height)];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!isPlate(y * width + x)) continue;
      columns[x] = (columns[x] as number) + 1;
      rows[y] = (rows[y] as number) + 1;
    }
  }
  const [left, right] = ends(columns, 0.4 * height);
  const [top, bottom] = ends(rows, 0.3 * width);
  if (right - left < 0.3 * width || bottom - top < 0.3 * height) return undefined;
  return { left: left / width, top: top / height, width: (right - left) / width, height: (bottom - top) / height };
}

function ends(counts: Uint32Array, least: number): [first: number, end: number] {
  return [counts.findIndex((count) => count >= least), counts.findLastIndex((count) => count >= least) + 1];
}

/** A plate is a little larger or smaller than it seems: some ways of laying the grid are tried. */
function readBars(details: Pixels, plate: Box): string | undefined {
  for (const columns of signColumns) {
    for (const shift of [0, -0.006, 0.006]) {
      for (const stretch of [1, 0.988, 1.012]) {
        const cells = sample(details, plate, columns, shift, stretch);
        const text = cells && decodeSign({ columns, rows: 4, cells });
        if (text !== undefined && text !== '') return text;
      }
    }
  }
  return undefined;
}

function sample(details: Pixels, plate: Box, columns: number, shift: number, stretch: number): boolean[] | undefined {
  const cells: boolean[] = [];
  for (let row = 0; row < 4; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const x = 0.5 + (signStrip.left + (signStrip.width * (column + 0.5)) / columns - 0.5) * stretch + shift;
      const y = signStrip.top + (signStrip.height * (row + 0.5)) / 4;
      const light = luminance(details, plate.left + x * plate.width, plate.top + y * plate.height);
      if (light === undefined) return undefined;
      cells.push(light < 142);
    }
  }
  return cells;
}

function luminance({ data, width, height }: Pixels, left: number, top: number): number | undefined {
  const [x, y] = [Math.round(left * width - 0.5), Math.round(top * height - 0.5)];
  if (x < 1 || y < 1 || x >= width - 1 || y >= height - 1) return undefined;
  let sum = 0;
  for (const dy of [-1, 0, 1]) {
    const at = 4 * ((y + dy) * width + x);
    sum += 0.299 * (data[at] as number) + 0.587 * (data[at + 1] as number) + 0.114 * (data[at + 2] as number);
  }
  return sum / 3;
}
