import { type Canvas, createCanvas, Path2D, type SKRSContext2D } from 'canvas';
import { type BackgroundName, drawBackground, drawForeground } from './backgrounds';
import { type Colour, celebrities, coats, ink, type Kind, markers, type Person, people, trousers } from './palette';
import { encodeSign, font, type Grid, layOut, signStrip } from './signs';

export { celebrities, coats, people } from './palette';

/** A rectangle, as fractions of the picture's width and height. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The kinds of things in a scene; equipment is worn by a person. */
export type ThingKind = Exclude<Kind, 'hardHat' | 'mask' | 'glove'>;

/** One thing of a scene. */
export interface Thing {
  readonly kind: ThingKind;
  /** Of a face: its skin only; the hair is around it. May reach beyond the picture. */
  readonly box: Box;
  /** One of the kind's marker colours. */
  readonly colour?: Colour;
  /** Of a person or face: who it is. A person who is nobody is seen from behind. */
  readonly who?: Person;
  readonly smiling?: boolean;
  readonly glasses?: boolean;
  readonly wears?: readonly ('hardHat' | 'mask' | 'gloves')[];
  /** Of a sign: at most 38 characters of ASCII; `\n` begins another line. */
  readonly text?: string;
  /** How far the legs or wheels have moved, in steps; whole numbers stand still. */
  readonly step?: number;
  /** Looks to the left instead of to the right. */
  readonly flip?: boolean;
  /** Passes behind the porch's house instead of before it. */
  readonly far?: boolean;
}

/** A picture: things in their order, the nearest last. */
export interface Scene {
  readonly background?: BackgroundName;
  readonly things: readonly Thing[];
}

/** How a picture is to be made. */
export interface PictureOptions {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly format: 'jpeg' | 'png';
  /** Of a JPEG, 1 to 100; default 85. */
  readonly quality?: number;
}

type Context = SKRSContext2D;

/** Draws a scene and gives the file's bytes. Throws if a sign's text is too long. */
export function drawPicture(scene: Scene, options: PictureOptions): Buffer {
  const canvas = drawScene(scene, options.width, options.height);
  return options.format === 'png' ? canvas.toBuffer('image/png') : canvas.toBuffer('image/jpeg', options.quality ?? 85);
}

/** Draws a scene on a new canvas of that many pixels. */
export function drawScene({ background = 'plain', things }: Scene, width: number, height: number): Canvas {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  drawBackground(context, background, width, height);
  for (const thing of things) if (thing.far) drawThing(context, thing, width, height);
  drawForeground(context, background, width, height);
  for (const thing of things) if (!thing.far) drawThing(context, thing, width, height);
  return canvas;
}

/** Draws one thing into a picture of that many pixels. */
export function drawThing(context: Context, thing: Thing, width: number, height: number): void {
  const { draw, size } = figures[thing.kind];
  const { box, flip = false } = thing;
  context.save();
  context.translate((box.left + (flip ? box.width : 0)) * width, box.top * height);
  context.scale(((flip ? -1 : 1) * box.width * width) / size[0], (box.height * height) / size[1]);
  draw(context, thing);
  context.restore();
}

function css([red, green, blue]: Colour): string {
  return `rgb(${red}, ${green}, ${blue})`;
}

type Paint = Colour | string;

function paintOf(colour: Paint): string {
  return typeof colour === 'string' ? colour : css(colour);
}

/** Fills what an SVG path goes around. */
function area(context: Context, path: string, colour: Paint): void {
  context.fillStyle = paintOf(colour);
  context.fill(new Path2D(path));
}

/** Draws along an SVG path. */
function line(context: Context, path: string, width: number, colour: Paint): void {
  context.lineWidth = width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = paintOf(colour);
  context.stroke(new Path2D(path));
}

function oval(x: number, y: number, rx: number, ry: number): string {
  return `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0Z`;
}

function disc(context: Context, x: number, y: number, rx: number, ry: number, colour: Paint): void {
  area(context, oval(x, y, rx, ry), colour);
}

type Rectangle = readonly [x: number, y: number, width: number, height: number];

function slab(context: Context, [x, y, width, height]: Rectangle, radius: number | number[], colour: Paint): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fillStyle = paintOf(colour);
  context.fill();
}

const shade = 'rgba(30, 34, 60, 0.16)';
const white = '#fbfbfd';
const glass = '#cfe3ec';
const steel = '#9aa3b2';

/** The size on which a figure is drawn, in units of its own; it is stretched to its box. */
interface Figure {
  readonly size: readonly [width: number, height: number];
  draw(context: Context, thing: Thing): void;
}

const figures: Readonly<Record<ThingKind, Figure>> = {
  person: { size: [100, 260], draw: drawPerson },
  face: { size: [100, 116], draw: (context, thing) => drawHead(context, thing.who ?? people.anna, thing) },
  car: { size: [200, 84], draw: drawCar },
  dog: { size: [120, 92], draw: drawDog },
  cat: { size: [90, 100], draw: drawCat },
  bicycle: { size: [150, 96], draw: drawBicycle },
  parcel: { size: [100, 78], draw: drawParcel },
  bottle: { size: [40, 120], draw: drawBottle },
  dice: { size: [100, 100], draw: drawDice },
  sign: { size: [160, 100], draw: drawSign }
};

function colourOf(thing: Thing): Colour {
  return thing.colour ?? (markers[thing.kind][0] as Colour);
}

/** A person stands, or walks while `step` grows. */
function drawPerson(context: Context, thing: Thing): void {
  const { who, wears = [], step = 0 } = thing;
  const coat = thing.colour ?? who?.coat ?? coats.red;
  const swing = Math.sin(step * Math.PI);
  disc(context, 50, 255, 44, 5, shade);
  drawLeg(context, 37, swing);
  drawLeg(context, 63, -swing);
  drawCoat(context, coat, swing, who !== undefined);
  const gloves = wears.includes('gloves');
  const hand = gloves ? (markers.glove[0] as Colour) : (who?.face ?? neutral);
  const radius = gloves ? 10 : 7;
  disc(context, 11, 158 - 5 * Math.max(0, -swing), radius, radius, hand);
  disc(context, 89, 158 - 5 * Math.max(0, swing), radius, radius, hand);
  context.save();
  context.translate(28, 8);
  context.scale(0.44, 0.44);
  if (who) drawHead(context, who, thing);
  else drawBackOfHead(context, wears.includes('hardHat'));
  context.restore();
}

/** Skin of those who are nobody. */
const neutral = '#c9cdd8';

function drawLeg(context: Context, x: number, swing: number): void {
  const foot = 250 - 9 * Math.max(0, swing);
  slab(context, [x - 11, 160, 22, foot - 160], [4, 4, 5, 5], trousers);
  slab(context, [x - 13, foot - 3, 27, 11], [7, 7, 3, 3], '#5b6275');
}

function drawCoat(context: Context, coat: Colour, swing: number, front: boolean): void {
  line(context, `M22 78L12 ${146 - 5 * Math.max(0, -swing)}`, 22, coat);
  line(context, `M78 78L88 ${146 - 5 * Math.max(0, swing)}`, 22, coat);
  const body = 'M34 60C18 62 10 74 12 92L16 168Q17 176 26 176H74Q83 176 84 168L88 92C90 74 82 62 66 60Z';
  area(context, body, coat);
  line(context, 'M24 96L22 150M76 96L78 150', 1.6, shade);
  if (!front) return void line(context, 'M50 64V174', 1.6, shade);
  area(context, 'M38 58H62L50 80Z', white);
  for (const y of [98, 118, 138]) disc(context, 50, y, 2.4, 2.4, 'rgba(255, 255, 255, 0.75)');
}

function drawBackOfHead(context: Context, hat: boolean): void {
  slab(context, [34, 90, 32, 34], 10, neutral);
  disc(context, 50, 52, 50, 60, '#4a5068');
  disc(context, 50, 40, 40, 40, '#565d78');
  if (hat) drawHat(context);
}

/** A head: the face fills 100 × 116 units, hair and hat go beyond. */
function drawHead(context: Context, who: Person, thing: Partial<Thing>): void {
  const { smiling = false, glasses = false, wears = [] } = thing;
  const dark = who.face[0] < 160;
  drawHairBehind(context, who);
  slab(context, [36, 96, 28, 34], 8, skinShade(who.face));
  disc(context, 50, 58, 50, 58, who.face);
  drawFringe(context, who);
  for (const x of [30, 70]) drawEye(context, x, who.cut === 'bald' ? '#8a8a96' : who.hair);
  line(context, 'M50 60L54 71L49 72.5', 2.6, 'rgba(43, 34, 51, 0.4)');
  if (who.beard) drawBeard(context, who.hair);
  drawMouth(context, smiling);
  if (glasses) line(context, `${oval(29, 55, 17, 16)}${oval(71, 55, 17, 16)}M45 52H55`, 5, dark ? '#e6eaf2' : ink);
  if (wears.includes('mask')) drawMask(context);
  if (wears.includes('hardHat')) drawHat(context);
}

function drawEye(context: Context, x: number, brow: Paint): void {
  disc(context, x, 54, 9, 10.5, white);
  disc(context, x + 1, 55, 5.6, 7, ink);
  disc(context, x + 3, 52, 1.8, 2, white);
  line(context, `M${x - 9} 37L${x} 34.5L${x + 9} 37`, 3.4, brow);
}

/** Of ears and neck, which are not to be taken for a part of the face. */
function skinShade([red, green, blue]: Colour): Colour {
  const shaded = (channel: number, dark: number) => (red < 160 ? 0.8 * channel + 48 : 0.78 * channel + 0.22 * dark);
  return [shaded(red, ink[0]), shaded(green, ink[1]), shaded(blue, ink[2])];
}

const curls = [4, 34, 14, 12, 36, -4, 64, -4, 86, 12, 96, 34, -2, 54, 102, 54];

function drawHairBehind(context: Context, { cut, hair, face }: Person): void {
  for (const x of [-1, 101]) disc(context, x, 64, 8, 12, skinShade(face));
  if (cut === 'bald') return;
  if (cut === 'curly') {
    for (let at = 0; at < curls.length; at += 2) disc(context, curls[at] ?? 0, curls[at + 1] ?? 0, 17, 17, hair);
    return;
  }
  if (cut === 'bun') disc(context, 50, -16, 20, 18, hair);
  disc(context, 50, 46, 57, 54, hair);
  if (cut === 'long') slab(context, [-7, 46, 114, 84], [0, 0, 30, 30], hair);
}

/** Only beside the middle, so that the face still reaches from the top of its box to the bottom. */
function drawFringe(context: Context, { cut, hair }: Person): void {
  if (cut === 'bald' || cut === 'curly') return;
  area(context, 'M-4 50C-6 10 24 -8 46 -4C38 18 22 30 -4 50Z', hair);
  area(context, 'M104 50C106 10 80 -8 54 -4C64 16 84 26 104 50Z', hair);
}

/** Over the whole chin: skin below the mouth would be seen as a part of the face in large pictures only. */
function drawBeard(context: Context, hair: Colour): void {
  context.save();
  context.clip(new Path2D(oval(50, 58, 51, 59)));
  area(context, 'M-2 62C14 98 30 74 50 79C70 74 86 98 102 62V120H-2Z', hair);
  context.restore();
}

function drawMouth(context: Context, smiling: boolean): void {
  if (!smiling) return void line(context, 'M39 88H61', 3.6, '#6e2436');
  area(context, 'M32 80Q50 86 68 80Q66 102 50 102Q34 102 32 80Z', '#6e2436');
  area(context, 'M35 82Q50 87 65 82Q64 89 50 90Q36 89 35 82Z', white);
}

function drawMask(context: Context): void {
  line(context, 'M-4 58L14 70M104 58L86 70', 3, white);
  area(context, 'M8 68Q50 58 92 68Q94 108 50 118Q6 108 8 68Z', markers.mask[0] as Colour);
  line(context, 'M24 80H76M24 94H76', 1.6, 'rgba(255, 255, 255, 0.55)');
}

function drawHat(context: Context): void {
  const colour = markers.hardHat[0] as Colour;
  area(context, 'M-4 26C-4 -28 104 -28 104 26Z', colour);
  slab(context, [-12, 18, 124, 12], 6, colour);
  line(context, 'M38 -8L36 14M62 -8L64 14', 2.4, shade);
}

const carBody =
  'M0 58C0 38 10 36 34 34C52 6 60 0 82 0H116C136 0 146 12 160 34C190 36 200 42 200 58V64Q200 70 192 70H8Q0 70 0 64Z';

function drawCar(context: Context, thing: Thing): void {
  disc(context, 100, 80, 98, 5, shade);
  area(context, carBody, colourOf(thing));
  area(context, 'M51 34L65 17Q67 14 71 14H92V34Z', glass);
  area(context, 'M103 34V14H118Q122 14 125 17L142 34Z', glass);
  line(context, 'M98 38V62', 1.4, shade);
  line(context, 'M108 44H118', 2.6, shade);
  slab(context, [190, 44, 10, 8], 3, white);
  slab(context, [0, 46, 7, 7], 2, '#8e2f3c');
  const turn = (thing.step ?? 0) * 2 * Math.PI;
  for (const x of [44, 156]) {
    disc(context, x, 67, 17, 17, ink);
    disc(context, x, 67, 8.5, 8.5, '#c7ccd6');
    line(context, `M${x} 67l${7 * Math.cos(turn)} ${7 * Math.sin(turn)}`, 2, steel);
  }
}

function drawDog(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  const swing = 5 * Math.sin((thing.step ?? 0) * Math.PI);
  disc(context, 58, 89, 46, 3.4, shade);
  for (const x of [28, 74]) line(context, `M${x} 62l${swing} 24M${x + 14} 62l${-swing} 24`, 11, colour);
  line(context, 'M24 44Q4 38 8 16', 13, colour);
  slab(context, [18, 36, 80, 34], [17, 12, 14, 17], colour);
  area(context, 'M78 46L84 16H104L98 60Z', colour);
  disc(context, 92, 18, 19, 17, colour);
  slab(context, [92, 14, 28, 18], [6, 9, 9, 8], colour);
  area(context, 'M82 9C74 12 69 30 74 38C80 42 88 30 87 14Q86 8 82 9Z', '#7d5a1c');
  disc(context, 98, 14, 2.4, 2.8, ink);
  disc(context, 117, 18, 3.4, 3, ink);
  disc(context, 98, 40, 4.6, 4.6, '#3d6fa8');
}

function drawCat(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  disc(context, 46, 96, 40, 4, shade);
  line(context, 'M62 90C94 92 90 62 80 54', 9, colour);
  area(context, 'M22 98C12 66 26 46 44 46C64 46 74 70 66 98Z', colour);
  area(context, 'M14 28L12 0L34 14ZM74 28L76 0L54 14Z', colour);
  area(context, 'M18 20L17 8L27 14ZM70 20L71 8L61 14Z', '#f3d3c2');
  disc(context, 44, 32, 33, 25, colour);
  disc(context, 44, 80, 12, 16, '#f7ead9');
  for (const x of [31, 57]) disc(context, x, 30, 4, 5.4, ink);
  area(context, 'M40 38H48L44 43Z', '#8e3b46');
  line(context, 'M26 39L2 35M26 43L2 47M62 39L86 35M62 43L86 47', 1, 'rgba(43, 34, 51, 0.5)');
  line(context, 'M44 84V97', 1.6, shade);
}

function drawBicycle(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  const turn = (thing.step ?? 0) * Math.PI;
  disc(context, 75, 93, 70, 3, shade);
  for (const x of [31, 119]) {
    line(context, oval(x, 63, 27, 27), 8.5, colour);
    for (const spoke of [0, 1, 2]) {
      const angle = turn + (spoke * Math.PI) / 3;
      const [across, down] = [23 * Math.cos(angle), 23 * Math.sin(angle)];
      line(context, `M${x - across} ${63 - down}l${2 * across} ${2 * down}`, 1, steel);
    }
  }
  line(context, 'M31 63L54 24H104L72 63ZM72 63L50 12M119 63L101 10L112 6', 8.5, colour);
  line(context, 'M40 8H60', 8, ink);
  disc(context, 72, 63, 7, 7, ink);
  line(context, 'M110 5L118 9', 6, ink);
}

function drawParcel(context: Context, thing: Thing): void {
  slab(context, [2, 68, 104, 11], 5, shade);
  slab(context, [0, 0, 100, 76], 3, colourOf(thing));
  slab(context, [42, 0, 14, 26], 0, '#e9e2d6');
  line(context, 'M0 20H100', 1.4, shade);
  slab(context, [8, 44, 34, 22], 2, white);
  line(context, 'M13 49H34M13 54H38M13 59H26', 2, steel);
  area(context, 'M74 48L82 38L90 48H84V62H80V48Z', 'rgba(43, 34, 51, 0.5)');
}

function drawBottle(context: Context, thing: Thing): void {
  disc(context, 22, 117, 22, 3, shade);
  const outline = 'M14 4V32C14 44 0 46 0 60V112Q0 118 6 118H34Q40 118 40 112V60C40 46 26 44 26 32V4Z';
  area(context, outline, colourOf(thing));
  slab(context, [12, 0, 16, 8], 2, '#5d2438');
  slab(context, [6, 68, 34, 30], [3, 0, 0, 3], '#f4efe6');
  disc(context, 23, 80, 6, 6, '#a99ab8');
  slab(context, [12, 90, 22, 2.4], 1, steel);
  slab(context, [5, 56, 3, 10], 1.5, 'rgba(255, 255, 255, 0.4)');
}

function drawDice(context: Context, thing: Thing): void {
  slab(context, [2, 88, 100, 14], 7, shade);
  slab(context, [0, 0, 100, 98], 18, colourOf(thing));
  for (const x of [26, 74]) for (const y of [26, 74]) disc(context, x, y, 9, 9, white);
  disc(context, 50, 50, 9, 9, white);
}

/** A plate with words on it, and below them bars that say the same to `vision`. */
function drawSign(context: Context, thing: Thing): void {
  const text = thing.text ?? 'NIMBUS';
  slab(context, [-3, -3, 168, 108], 5, shade);
  slab(context, [0, 0, 160, 100], 2, colourOf(thing));
  for (const { words } of layOut(text)) {
    for (const { word, box } of words) {
      const height = box.height * 100;
      context.font = `bold ${height}px ${font}`;
      context.textBaseline = 'alphabetic';
      context.fillStyle = css(ink);
      const stretch = (box.width * 160) / (context.measureText(word).width || box.width * 160);
      context.save();
      context.translate(box.left * 160, (box.top + 0.86 * box.height) * 100);
      context.scale(stretch, 1);
      context.fillText(word, 0, 0);
      context.restore();
    }
  }
  drawStrip(context, encodeSign(text));
}

function drawStrip(context: Context, grid: Grid): void {
  const { left, top, width, height } = signStrip;
  const [cellWidth, cellHeight] = [(width * 160) / grid.columns, (height * 100) / grid.rows];
  for (const [index, dark] of grid.cells.entries()) {
    if (!dark) continue;
    const [column, row] = [index % grid.columns, Math.floor(index / grid.columns)];
    context.fillStyle = css(ink);
    context.fillRect(
      left * 160 + column * cellWidth,
      top * 100 + row * cellHeight,
      cellWidth + 0.02,
      cellHeight + 0.02
    );
  }
}

/** All people who can be drawn, celebrities included. */
export const everybody: readonly Person[] = [...Object.values(people), ...Object.values(celebrities)];
