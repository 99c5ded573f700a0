import { type Colour, distance, type Kind, markers, trousers } from './palette';

/** Pixels, four bytes each. */
export interface Pixels {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** What a connected area of one marker colour is part of. */
type Part = Kind | 'trousers';

/** A connected area of one marker colour; edges in pixels, right and bottom exclusive. */
export interface Area {
  readonly part: Part;
  readonly marker: Colour;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Pixels of this colour. */
  readonly count: number;
  /** Of these, those with nothing else around them. */
  readonly solid: number;
  /** Mean colour of the solid ones. */
  readonly colour: Colour;
}

/** How far a pixel may be from a marker's colour: JPEG noise, and no two markers' middle. */
const tolerance = 19;
/** Parts of an area may be cut apart by lines as thick as this, in pixels. */
const gap = 3;

const all: readonly { readonly part: Part; readonly marker: Colour }[] = [
  ...Object.entries(markers).flatMap(([part, colours]) => colours.map((marker) => ({ part: part as Part, marker }))),
  { part: 'trousers', marker: trousers }
];

/** For every colour, 6 bits a channel, the number of its marker from 1; 0 for none. */
const table = makeTable();

function makeTable(): Uint8Array {
  const made = new Uint8Array(1 << 18);
  for (const [index, { marker }] of all.entries()) {
    const [low, high] = [marker.map((each) => (each - tolerance) >> 2), marker.map((each) => (each + tolerance) >> 2)];
    for (let red = Math.max(0, low[0] as number); red <= Math.min(63, high[0] as number); red += 1) {
      for (let green = Math.max(0, low[1] as number); green <= Math.min(63, high[1] as number); green += 1) {
        for (let blue = Math.max(0, low[2] as number); blue <= Math.min(63, high[2] as number); blue += 1) {
          const colour: Colour = [red * 4 + 2, green * 4 + 2, blue * 4 + 2];
          const at = (red << 12) | (green << 6) | blue;
          const other = all[(made[at] as number) - 1];
          const nearer = !other || distance(colour, marker) < distance(colour, other.marker);
          if (distance(colour, marker) <= tolerance && nearer) made[at] = index + 1;
        }
      }
    }
  }
  return made;
}

/** The marker of each pixel, from 1; 0 for none. */
function classify({ data, width, height }: Pixels): Uint8Array {
  const found = new Uint8Array(width * height);
  for (let index = 0; index < found.length; index += 1) {
    const at = index * 4;
    const [red, green, blue] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    found[index] = table[((red >> 2) << 12) | ((green >> 2) << 6) | (blue >> 2)] as number;
  }
  return found;
}

/** Tells whether a pixel, by its number, has that marker's colour. */
export function markerTest(marker: Colour, { data }: Pixels): (index: number) => boolean {
  const wanted = all.findIndex((each) => each.marker === marker) + 1;
  return (index) => {
    const at = index * 4;
    const [red, green, blue] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    return table[((red >> 2) << 12) | ((green >> 2) << 6) | (blue >> 2)] === wanted;
  };
}

/** All areas that are more than a line or a speck, the largest first. */
export function findAreas(pixels: Pixels): Area[] {
  const found = classify(pixels);
  const roots = connect(found, pixels.width);
  const drafts = new Map<number, Draft>();
  for (let index = 0; index < found.length; index += 1) {
    if (found[index] === 0) continue;
    const root = rootOf(roots, index);
    let draft = drafts.get(root);
    if (!draft) {
      draft = new Draft(found[index] as number);
      drafts.set(root, draft);
    }
    draft.add(pixels, found, index);
  }
  return [...drafts.values()]
    .filter(({ count, solid }) => count >= 16 && solid >= 4 && solid >= 0.12 * count)
    .map((draft) => draft.area())
    .sort((one, other) => other.count - one.count);
}

/** Joins equal pixels that are at most `gap` apart: each pixel points to another of its area, or to itself. */
function connect(found: Uint8Array, width: number): Int32Array {
  const roots = new Int32Array(found.length);
  for (let index = 0; index < found.length; index += 1) roots[index] = index;
  for (let index = 0; index < found.length; index += 1) {
    const marker = found[index] as number;
    if (marker === 0) continue;
    const x = index % width;
    let left = 1;
    while (left <= gap && left <= x && found[index - left] !== marker) left += 1;
    if (left <= gap && left <= x) join(roots, index, index - left);
    // What the pixel above is joined to is joined already.
    if (found[index - width] === marker) join(roots, index, index - width);
    else connectUpwards(found, roots, width, index);
  }
  return roots;
}

function connectUpwards(found: Uint8Array, roots: Int32Array, width: number, index: number): void {
  const marker = found[index];
  const x = index % width;
  for (let up = 1; up <= gap && index >= up * width; up += 1) {
    const row = index - up * width;
    const last = Math.min(width - 1 - x, gap - up);
    for (let dx = Math.max(-x, up - gap); dx <= last; dx += 1) {
      if (found[row + dx] === marker) join(roots, index, row + dx);
    }
  }
}

function rootOf(roots: Int32Array, index: number): number {
  let at = index;
  while (roots[at] !== at) {
    roots[at] = roots[roots[at] as number] as number;
    at = roots[at] as number;
  }
  return at;
}

function join(roots: Int32Array, one: number, other: number): void {
  const [first, second] = [rootOf(roots, one), rootOf(roots, other)];
  if (first !== second) roots[Math.max(first, second)] = Math.min(first, second);
}

class Draft {
  count = 0;
  solid = 0;
  #left = Number.POSITIVE_INFINITY;
  #top = Number.POSITIVE_INFINITY;
  #right = 0;
  #bottom = 0;
  readonly #sum: [number, number, number] = [0, 0, 0];

  constructor(private readonly marker: number) {}

  add({ data, width, height }: Pixels, found: Uint8Array, index: number): void {
    const { marker } = this;
    const x = index % width;
    const y = (index - x) / width;
    let same = 0;
    if (x === 0 || found[index - 1] === marker) same += 1;
    if (x === width - 1 || found[index + 1] === marker) same += 1;
    if (y === 0 || found[index - width] === marker) same += 1;
    if (y === height - 1 || found[index + width] === marker) same += 1;
    this.count += 1;
    // A pixel that only hangs on by one side may be noise.
    if (same < 2) return;
    if (x < this.#left) this.#left = x;
    if (x >= this.#right) this.#right = x + 1;
    if (y < this.#top) this.#top = y;
    if (y >= this.#bottom) this.#bottom = y + 1;
    if (same < 4) return;
    this.solid += 1;
    this.#sum[0] += data[index * 4] as number;
    this.#sum[1] += data[index * 4 + 1] as number;
    this.#sum[2] += data[index * 4 + 2] as number;
  }

  area(): Area {
    const { part, marker } = all[this.marker - 1] as (typeof all)[number];
    const colour = this.#sum.map((sum) => sum / this.solid) as unknown as Colour;
    const [left, top, right, bottom] = [this.#left, this.#top, this.#right, this.#bottom];
    return { part, marker, left, top, right, bottom, count: this.count, solid: this.solid, colour };
  }
}
