import { createCanvas, type Image, loadImage } from 'canvas';
import { type Area, findAreas, type Pixels } from './areas';
import { sceneColours } from './backgrounds';
import { type Box, everybody } from './drawings';
import { type FaceSight, lookAtFace } from './face-sight';
import { figureOf } from './figures';
import { type Colour, distance } from './palette';
import { readSign, type SignSight } from './sign-sight';

/** What can be seen without being told apart further. */
export type SeenKind = 'person' | 'car' | 'dog' | 'cat' | 'bicycle' | 'parcel' | 'bottle' | 'dice';
export type Equipment = 'hardHat' | 'mask' | 'glove';

/** Something in a picture; the box is within the picture. */
export interface Sight<What extends string = string> {
  readonly kind: What;
  readonly box: Box;
  /** 0 to 100. */
  readonly confidence: number;
}

/** Everything that is seen in a picture, from left to right. */
export interface Seen {
  /** In pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly things: readonly Sight<SeenKind>[];
  readonly equipment: readonly Sight<Equipment>[];
  /** The largest first. */
  readonly faces: readonly FaceSight[];
  readonly signs: readonly SignSight[];
  /** Shares of the picture, 0 to 1. */
  readonly scene: Readonly<Record<keyof typeof sceneColours, number>>;
  /** The picture in at most 480 pixels a side. */
  readonly pixels: Pixels;
}

const longSide = 480;
let decoding: Promise<unknown> = Promise.resolve();

/**
 * Finds everything in a JPEG or PNG. The decoder applies the EXIF orientation. Pictures are decoded one at a time, on a thread
 * of libuv, since 100 megapixels take 400 MB.
 *
 * @throws Error if it cannot be decoded
 */
export function look(bytes: Uint8Array): Promise<Seen> {
  const seen = decoding.then(() => lookNow(bytes));
  decoding = seen.catch(() => undefined);
  return seen;
}

async function lookNow(bytes: Uint8Array): Promise<Seen> {
  // The decoder keeps what it is given; a view of a larger buffer would keep all of it.
  const image = await loadImage(Buffer.from(bytes));
  if (!(image.width > 0 && image.height > 0)) throw new Error('no picture');
  const scale = Math.min(1, longSide / Math.max(image.width, image.height));
  const whole = { left: 0, top: 0, width: 1, height: 1 };
  const pixels = crop(image, whole, Math.round(image.width * scale), Math.round(image.height * scale));
  const areas = findAreas(pixels);
  const of = (part: Area['part']) => areas.filter((area) => area.part === part);
  const things = [
    ...joinCoats(of('person')).flatMap((coat) => seePerson(coat, of('trousers'), pixels)),
    ...kinds.flatMap((kind) => of(kind).flatMap((area) => seeThing(kind, area, pixels)))
  ].filter((thing) => showsEnough(thing, pixels));
  const equipment = wearables.flatMap((kind) => of(kind).map((area) => seeEquipment(kind, area, pixels)));
  const faces = of('face').flatMap((area) => seeFace(area, image, pixels, equipment));
  return {
    width: image.width,
    height: image.height,
    things: things.sort((one, other) => one.box.left - other.box.left),
    equipment,
    faces: withoutParts(faces.sort((one, other) => size(other.box) - size(one.box))),
    signs: of('sign').flatMap((area) =>
      readSign(area, pixels, (box, width, height) => crop(image, box, width, height))
    ),
    scene: seeScene(pixels),
    pixels
  };
}

const kinds = ['car', 'dog', 'cat', 'bicycle', 'parcel', 'bottle', 'dice'] as const;
const wearables = ['hardHat', 'mask', 'glove'] as const;

/** A part of a picture in as many pixels as asked for; white where there is none. */
function crop(image: Image, box: Box, width: number, height: number): Pixels {
  const canvas = createCanvas(Math.max(1, width), Math.max(1, height));
  const context = canvas.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  const [left, top] = [box.left * image.width, box.top * image.height];
  const [across, down] = [box.width * image.width, box.height * image.height];
  context.drawImage(image, left, top, across, down, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { data: data as Uint8ClampedArray, width: canvas.width, height: canvas.height };
}

function size(box: Box): number {
  return box.width * box.height;
}

/** The box of what has this area, in fractions; `marks` is where the area is in the box of such a figure. */
function boxAround(area: Area, marks: Box, { width, height }: Pixels): Box {
  const across = (area.right - area.left) / marks.width / width;
  const down = (area.bottom - area.top) / marks.height / height;
  return {
    left: area.left / width - marks.left * across,
    top: area.top / height - marks.top * down,
    width: across,
    height: down
  };
}

/** As much of a box as is inside the picture. */
export function clamp({ left, top, width, height }: Box): Box {
  const [x, y] = [Math.min(1, Math.max(0, left)), Math.min(1, Math.max(0, top))];
  return {
    left: x,
    top: y,
    width: Math.max(0, Math.min(1, left + width) - x),
    height: Math.max(0, Math.min(1, top + height) - y)
  };
}

/**
 * A share of the picture's shorter side. What shows less of itself is not recognised, such as a sleeve at the edge: the service
 * says of faces that they need 40 pixels of 1,080.
 */
const leastShown = 40 / 1080;

function showsEnough({ box }: Sight, { width, height }: Pixels): boolean {
  return Math.min(box.width * width, box.height * height) >= leastShown * Math.min(width, height);
}

function seeThing(kind: (typeof kinds)[number], area: Area, pixels: Pixels): Sight<SeenKind>[] {
  const figure = figureOf(kind, area.marker);
  const share = area.count / ((area.right - area.left) * (area.bottom - area.top)) / figure.fill;
  if (share < 0.35) return [];
  const box = boxAround(area, figure.marks, pixels);
  return [{ kind, box: clamp(box), confidence: confidence(box, share, pixels) }];
}

function seePerson(coat: Area, trousers: readonly Area[], pixels: Pixels): Sight<SeenKind>[] {
  const figure = figureOf('person', coat.marker);
  const share = coat.count / ((coat.right - coat.left) * (coat.bottom - coat.top)) / figure.fill;
  if (share < 0.35) return [];
  const legs = trousers.find((each) => wears(coat, each));
  let box = boxAround(coat, figure.marks, pixels);
  if (legs && legs.bottom < pixels.height) {
    const { top, height } = figure.marks;
    const down = (legs.bottom - coat.top) / ((figure.legs ?? 1) - top) / pixels.height;
    // Legs that are hidden in part say less than the coat.
    if (down > box.height * 0.8 || height === 0)
      box = { ...box, top: coat.top / pixels.height - top * down, height: down };
  } else if (coat.bottom >= pixels.height) {
    const down = (2.6 * box.width * pixels.width) / pixels.height;
    box = { ...box, top: coat.top / pixels.height - figure.marks.top * down, height: down };
  }
  return [{ kind: 'person', box: clamp(box), confidence: confidence(box, share, pixels) }];
}

/** A coat of which something hides the middle is still one coat. */
function joinCoats(coats: readonly Area[]): Area[] {
  const joined: Area[] = [];
  for (const coat of coats) {
    const index = joined.findIndex((each) => each.marker === coat.marker && isOneCoat(each, coat));
    const other = joined[index];
    if (other) joined[index] = union(other, coat);
    else joined.push(coat);
  }
  return joined;
}

function isOneCoat(one: Area, other: Area): boolean {
  const shared = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const narrow = Math.min(one.right - one.left, other.right - other.left);
  const apart = Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom);
  return shared > 0.7 * narrow && apart < 0.5 * Math.max(one.right - one.left, other.right - other.left);
}

function union(one: Area, other: Area): Area {
  return {
    ...one,
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
    count: one.count + other.count,
    solid: one.solid + other.solid
  };
}

function wears(coat: Area, trousers: Area): boolean {
  const shared = Math.min(coat.right, trousers.right) - Math.max(coat.left, trousers.left);
  const near = 2 + 0.12 * (coat.bottom - coat.top);
  return shared > 0.2 * (coat.right - coat.left) && Math.abs(trousers.top - coat.bottom) <= near;
}

function seeEquipment(kind: Equipment, area: Area, pixels: Pixels): Sight<Equipment> {
  const whole = { left: 0, top: 0, width: 1, height: 1 };
  const box = boxAround(area, whole, pixels);
  return { kind, box: clamp(box), confidence: confidence(box, area.solid / area.count + 0.3, pixels) };
}

function seeFace(area: Area, image: Image, pixels: Pixels, equipment: Seen['equipment']): FaceSight[] {
  const who = everybody.find(({ face }) => face === area.marker);
  if (!who || area.bottom - area.top < 5) return [];
  const covered = boxAround(area, figureOf('face', area.marker, ['mask', 'hardHat']).marks, pixels);
  const wears = (['mask', 'hardHat'] as const).filter((kind) =>
    equipment.some((each) => each.kind === kind && overlaps(each.box, covered))
  );
  const box = boxAround(area, figureOf('face', area.marker, wears).marks, pixels);
  if (box.height * pixels.height < 11 || box.width > 1.6 || box.height > 1.6) return [];
  const details = crop(image, box, 100, 116);
  const sure = 100 - (100 - confidence(box, 1, pixels)) / 4;
  return lookAtFace({
    who,
    box,
    details,
    masked: wears.includes('mask'),
    colour: area.colour,
    confidence: sure,
    image
  });
}

/** Skin behind the lenses of glasses is no face of its own. The largest come first. */
function withoutParts(faces: readonly FaceSight[]): FaceSight[] {
  return faces.filter(
    (face, index) =>
      !faces.slice(0, index).some((larger) => larger.who === face.who && overlaps(face.box, larger.box, 0, 0))
  );
}

/** Whether they share more than these parts of the other's width and height. */
function overlaps(one: Box, other: Box, width = 0.5, height = 0.15): boolean {
  const across = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const down = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  return across > width * other.width && down > height * other.height;
}

/** 70 to 99.9: less for what is small, covered (`share` of the pixels that it should have) or cut off by the edge. */
function confidence(box: Box, share: number, pixels: Pixels): number {
  const side = Math.sqrt(size(box) * pixels.width * pixels.height);
  const { left, top, width, height } = box;
  const cut = left <= 0.002 || top <= 0.002 || left + width >= 0.998 || top + height >= 1.01;
  const lost = 40 * Math.max(0, 0.97 - share) + 20 * Math.max(0, 1 - side / 48) + (cut ? 6 : 0);
  return Math.max(70, 99.9 - lost - 40 / (side + 20));
}

function seeScene(pixels: Pixels): Seen['scene'] {
  const shares = { sky: 0, lawn: 0, house: 0, room: 0 };
  const names = Object.keys(sceneColours) as (keyof typeof sceneColours)[];
  const step = 37;
  for (let index = 0; index < pixels.width * pixels.height; index += step) {
    const colour = colourAt(pixels, index);
    const name = names.find((each) => sceneColours[each].some((known) => distance(known, colour) < 9));
    if (name) shares[name] += step / (pixels.width * pixels.height);
  }
  return shares;
}

function colourAt({ data }: Pixels, index: number): Colour {
  return [data[index * 4] as number, data[index * 4 + 1] as number, data[index * 4 + 2] as number];
}
