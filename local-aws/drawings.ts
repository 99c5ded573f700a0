import { type Canvas, createCanvas, type SKRSContext2D } from 'canvas';
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

/** What can be part of a scene; equipment is worn by a person. */
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
type Point = readonly [x: number, y: number];

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

/** Fills with a colour of the palette. */
export function css([red, green, blue]: Colour, alpha = 1): string {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

function fill(context: Context, colour: Colour | string): void {
  context.fillStyle = typeof colour === 'string' ? colour : css(colour);
  context.fill();
}

function disc(context: Context, x: number, y: number, rx: number, ry: number, colour: Colour | string): void {
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  fill(context, colour);
}

function slab(
  context: Context,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number | number[],
  colour: Colour | string
): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  fill(context, colour);
}

function shape(context: Context, points: readonly Point[], colour: Colour | string): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  fill(context, colour);
}

function line(context: Context, points: readonly Point[], width: number, colour: Colour | string): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  stroke(context, width, colour);
}

function stroke(context: Context, width: number, colour: Colour | string): void {
  context.lineWidth = width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = typeof colour === 'string' ? colour : css(colour);
  context.stroke();
}

const shade = 'rgba(30, 34, 60, 0.16)';
const white = '#fbfbfd';
const glass = '#cfe3ec';
const steel = '#9aa3b2';

/** The size on which a figure is drawn, in units of its own; it is stretched to its box. */
interface Figure {
  readonly size: Point;
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
  drawArm(context, 14, 12, -swing, coat);
  drawArm(context, 86, 88, swing, coat);
  context.beginPath();
  context.moveTo(34, 60);
  context.bezierCurveTo(18, 62, 10, 74, 12, 92);
  context.lineTo(16, 168);
  context.quadraticCurveTo(17, 176, 26, 176);
  context.lineTo(74, 176);
  context.quadraticCurveTo(83, 176, 84, 168);
  context.lineTo(88, 92);
  context.bezierCurveTo(90, 74, 82, 62, 66, 60);
  context.closePath();
  fill(context, coat);
  line(
    context,
    [
      [24, 96],
      [22, 150]
    ],
    1.6,
    shade
  );
  line(
    context,
    [
      [76, 96],
      [78, 150]
    ],
    1.6,
    shade
  );
  const hand = wears.includes('gloves') ? (markers.glove[0] as Colour) : (who?.face ?? '#c9cdd8');
  const radius = wears.includes('gloves') ? 10 : 7;
  disc(context, 11, 158 - 5 * Math.max(0, -swing), radius, radius, hand);
  disc(context, 89, 158 - 5 * Math.max(0, swing), radius, radius, hand);
  if (who) drawCollar(context);
  else
    line(
      context,
      [
        [50, 64],
        [50, 174]
      ],
      1.6,
      shade
    );
  context.save();
  context.translate(28, 8);
  context.scale(0.44, 0.44);
  if (who) drawHead(context, who, thing);
  else drawBackOfHead(context, wears.includes('hardHat'));
  context.restore();
}

function drawLeg(context: Context, x: number, swing: number): void {
  const foot = 250 - 9 * Math.max(0, swing);
  slab(context, x - 11, 160, 22, foot - 160, [4, 4, 5, 5], trousers);
  slab(context, x - 13, foot - 3, 27, 11, [7, 7, 3, 3], '#5b6275');
}

function drawArm(context: Context, shoulder: number, hand: number, swing: number, coat: Colour): void {
  line(
    context,
    [
      [shoulder + (shoulder < 50 ? 8 : -8), 78],
      [hand, 146 - 5 * Math.max(0, swing)]
    ],
    22,
    coat
  );
}

function drawCollar(context: Context): void {
  shape(
    context,
    [
      [38, 58],
      [62, 58],
      [50, 80]
    ],
    white
  );
  for (const y of [98, 118, 138]) disc(context, 50, y, 2.4, 2.4, 'rgba(255, 255, 255, 0.75)');
}

function drawBackOfHead(context: Context, hat: boolean): void {
  slab(context, 34, 90, 32, 34, 10, '#c9cdd8');
  disc(context, 50, 52, 50, 60, '#4a5068');
  disc(context, 50, 40, 40, 40, '#565d78');
  if (hat) drawHat(context);
}

/** A head: the face fills 100 × 116 units, hair and hat go beyond. */
function drawHead(
  context: Context,
  who: Person,
  { smiling = false, glasses = false, wears = [] }: Partial<Thing>
): void {
  drawHairBehind(context, who);
  slab(context, 36, 96, 28, 34, 8, skinShade(who.face));
  disc(context, 50, 58, 50, 58, who.face);
  drawFringe(context, who);
  for (const x of [30, 70]) {
    disc(context, x, 54, 9, 10.5, white);
    disc(context, x + 1, 55, 5.6, 7, ink);
    disc(context, x + 3, 52, 1.8, 2, white);
    line(
      context,
      [
        [x - 9, 37],
        [x, 34.5],
        [x + 9, 37]
      ],
      3.4,
      who.cut === 'bald' ? '#8a8a96' : who.hair
    );
  }
  line(
    context,
    [
      [50, 60],
      [54, 71],
      [49, 72.5]
    ],
    2.6,
    'rgba(43, 34, 51, 0.4)'
  );
  if (who.beard) drawBeard(context, who.hair);
  drawMouth(context, smiling);
  if (glasses) drawGlasses(context, who.face[0] < 160 ? '#e6eaf2' : css(ink));
  if (wears.includes('mask')) drawMask(context);
  if (wears.includes('hardHat')) drawHat(context);
}

/** Of ears and neck, which are not to be taken for a part of the face. */
function skinShade(face: Colour): string {
  const dark = face[0] < 160;
  return css(
    face.map((each, channel) =>
      dark ? 0.8 * each + 48 : 0.78 * each + 0.22 * (ink[channel] as number)
    ) as unknown as Colour
  );
}

function drawHairBehind(context: Context, { cut, hair, face }: Person): void {
  for (const x of [-1, 101]) disc(context, x, 64, 8, 12, skinShade(face));
  if (cut === 'bald') return;
  if (cut === 'curly') {
    for (const [x, y] of [
      [4, 34],
      [14, 12],
      [36, -4],
      [64, -4],
      [86, 12],
      [96, 34],
      [-2, 54],
      [102, 54]
    ] as const) {
      disc(context, x, y, 17, 17, hair);
    }
    return;
  }
  if (cut === 'bun') disc(context, 50, -16, 20, 18, hair);
  disc(context, 50, 46, 57, 54, hair);
  if (cut === 'long') slab(context, -7, 46, 114, 84, [0, 0, 30, 30], hair);
}

/** Only beside the middle, so that the face still reaches from the top of its box to the bottom. */
function drawFringe(context: Context, { cut, hair }: Person): void {
  if (cut === 'bald' || cut === 'curly') return;
  context.beginPath();
  context.moveTo(-4, 50);
  context.bezierCurveTo(-6, 10, 24, -8, 46, -4);
  context.bezierCurveTo(38, 18, 22, 30, -4, 50);
  fill(context, hair);
  context.beginPath();
  context.moveTo(104, 50);
  context.bezierCurveTo(106, 10, 80, -8, 54, -4);
  context.bezierCurveTo(64, 16, 84, 26, 104, 50);
  fill(context, hair);
}

/** Over the whole chin: skin below the mouth would be seen as a part of the face in large pictures only. */
function drawBeard(context: Context, hair: Colour): void {
  context.save();
  context.beginPath();
  context.ellipse(50, 58, 51, 59, 0, 0, 2 * Math.PI);
  context.clip();
  context.beginPath();
  context.moveTo(-2, 62);
  context.bezierCurveTo(14, 98, 30, 74, 50, 79);
  context.bezierCurveTo(70, 74, 86, 98, 102, 62);
  context.lineTo(102, 120);
  context.lineTo(-2, 120);
  context.closePath();
  fill(context, hair);
  context.restore();
}

function drawMouth(context: Context, smiling: boolean): void {
  context.beginPath();
  if (!smiling) {
    context.moveTo(39, 88);
    context.lineTo(61, 88);
    stroke(context, 3.6, '#6e2436');
    return;
  }
  context.moveTo(32, 80);
  context.quadraticCurveTo(50, 86, 68, 80);
  context.quadraticCurveTo(66, 102, 50, 102);
  context.quadraticCurveTo(34, 102, 32, 80);
  fill(context, '#6e2436');
  context.beginPath();
  context.moveTo(35, 82);
  context.quadraticCurveTo(50, 87, 65, 82);
  context.quadraticCurveTo(64, 89, 50, 90);
  context.quadraticCurveTo(36, 89, 35, 82);
  fill(context, white);
}

function drawGlasses(context: Context, rim: string): void {
  for (const x of [29, 71]) {
    context.beginPath();
    context.ellipse(x, 55, 17, 16, 0, 0, 2 * Math.PI);
    stroke(context, 5, rim);
  }
  line(
    context,
    [
      [45, 52],
      [55, 52]
    ],
    5,
    rim
  );
}

function drawMask(context: Context): void {
  line(
    context,
    [
      [-4, 58],
      [14, 70]
    ],
    3,
    white
  );
  line(
    context,
    [
      [104, 58],
      [86, 70]
    ],
    3,
    white
  );
  context.beginPath();
  context.moveTo(8, 68);
  context.quadraticCurveTo(50, 58, 92, 68);
  context.quadraticCurveTo(94, 108, 50, 118);
  context.quadraticCurveTo(6, 108, 8, 68);
  fill(context, markers.mask[0] as Colour);
  for (const y of [80, 94])
    line(
      context,
      [
        [24, y],
        [76, y]
      ],
      1.6,
      'rgba(255, 255, 255, 0.55)'
    );
}

function drawHat(context: Context): void {
  context.beginPath();
  context.moveTo(-4, 26);
  context.bezierCurveTo(-4, -28, 104, -28, 104, 26);
  context.closePath();
  fill(context, markers.hardHat[0] as Colour);
  slab(context, -12, 18, 124, 12, 6, markers.hardHat[0] as Colour);
  line(
    context,
    [
      [38, -8],
      [36, 14]
    ],
    2.4,
    shade
  );
  line(
    context,
    [
      [62, -8],
      [64, 14]
    ],
    2.4,
    shade
  );
}

function drawCar(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  disc(context, 100, 80, 98, 5, shade);
  context.beginPath();
  context.moveTo(0, 58);
  context.bezierCurveTo(0, 38, 10, 36, 34, 34);
  context.bezierCurveTo(52, 6, 60, 0, 82, 0);
  context.lineTo(116, 0);
  context.bezierCurveTo(136, 0, 146, 12, 160, 34);
  context.bezierCurveTo(190, 36, 200, 42, 200, 58);
  context.lineTo(200, 64);
  context.quadraticCurveTo(200, 70, 192, 70);
  context.lineTo(8, 70);
  context.quadraticCurveTo(0, 70, 0, 64);
  context.closePath();
  fill(context, colour);
  shape(
    context,
    [
      [48, 34],
      [62, 12],
      [68, 8],
      [94, 8],
      [94, 34]
    ],
    glass
  );
  shape(
    context,
    [
      [102, 34],
      [102, 8],
      [120, 8],
      [130, 12],
      [146, 34]
    ],
    glass
  );
  line(
    context,
    [
      [98, 38],
      [98, 62]
    ],
    1.4,
    shade
  );
  line(
    context,
    [
      [108, 44],
      [118, 44]
    ],
    2.6,
    shade
  );
  slab(context, 190, 44, 10, 8, 3, white);
  slab(context, 0, 46, 7, 7, 2, '#8e2f3c');
  for (const x of [44, 156]) {
    disc(context, x, 67, 17, 17, ink);
    disc(context, x, 67, 8.5, 8.5, '#c7ccd6');
    const turn = (thing.step ?? 0) * 2 * Math.PI;
    line(
      context,
      [
        [x, 67],
        [x + 7 * Math.cos(turn), 67 + 7 * Math.sin(turn)]
      ],
      2,
      steel
    );
  }
}

function drawDog(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  const swing = 5 * Math.sin((thing.step ?? 0) * Math.PI);
  disc(context, 58, 89, 46, 3.4, shade);
  for (const [x, way] of [
    [28, 1],
    [42, -1],
    [74, 1],
    [88, -1]
  ] as const) {
    line(
      context,
      [
        [x, 62],
        [x + way * swing, 86]
      ],
      11,
      colour
    );
  }
  context.beginPath();
  context.moveTo(22, 44);
  context.quadraticCurveTo(2, 38, 6, 14);
  stroke(context, 9, colour);
  slab(context, 18, 36, 80, 34, [17, 12, 14, 17], colour);
  shape(
    context,
    [
      [78, 46],
      [84, 16],
      [104, 16],
      [98, 60]
    ],
    colour
  );
  disc(context, 92, 18, 19, 17, colour);
  slab(context, 92, 14, 28, 18, [6, 9, 9, 8], colour);
  context.save();
  context.translate(80, 18);
  context.rotate(0.22);
  disc(context, 0, 6, 7, 15, '#7d5a1c');
  context.restore();
  disc(context, 98, 14, 2.4, 2.8, ink);
  disc(context, 117, 18, 3.4, 3, ink);
  disc(context, 98, 40, 4.6, 4.6, '#3d6fa8');
}

function drawCat(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  disc(context, 46, 96, 40, 4, shade);
  context.beginPath();
  context.moveTo(62, 90);
  context.bezierCurveTo(94, 92, 90, 62, 80, 54);
  stroke(context, 9, colour);
  context.beginPath();
  context.moveTo(22, 98);
  context.bezierCurveTo(12, 66, 26, 46, 44, 46);
  context.bezierCurveTo(64, 46, 74, 70, 66, 98);
  context.closePath();
  fill(context, colour);
  shape(
    context,
    [
      [14, 28],
      [12, 0],
      [34, 14]
    ],
    colour
  );
  shape(
    context,
    [
      [74, 28],
      [76, 0],
      [54, 14]
    ],
    colour
  );
  shape(
    context,
    [
      [18, 20],
      [17, 8],
      [27, 14]
    ],
    '#f3d3c2'
  );
  shape(
    context,
    [
      [70, 20],
      [71, 8],
      [61, 14]
    ],
    '#f3d3c2'
  );
  disc(context, 44, 32, 33, 25, colour);
  disc(context, 44, 80, 12, 16, '#f7ead9');
  for (const x of [31, 57]) disc(context, x, 30, 4, 5.4, ink);
  shape(
    context,
    [
      [40, 38],
      [48, 38],
      [44, 43]
    ],
    '#8e3b46'
  );
  for (const [from, to] of [
    [26, 2],
    [62, 86]
  ] as const) {
    for (const y of [-3, 3])
      line(
        context,
        [
          [from, 41 + y / 2],
          [to, 41 + 2 * y]
        ],
        1,
        'rgba(43, 34, 51, 0.5)'
      );
  }
  line(
    context,
    [
      [44, 84],
      [44, 97]
    ],
    1.6,
    shade
  );
}

function drawBicycle(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  disc(context, 75, 93, 70, 3, shade);
  for (const x of [31, 119]) {
    context.beginPath();
    context.ellipse(x, 63, 27, 27, 0, 0, 2 * Math.PI);
    stroke(context, 8.5, colour);
    const turn = (thing.step ?? 0) * Math.PI;
    for (const spoke of [0, 1, 2]) {
      const [dx, dy] = [25 * Math.cos(turn + (spoke * Math.PI) / 3), 25 * Math.sin(turn + (spoke * Math.PI) / 3)];
      line(
        context,
        [
          [x - dx, 63 - dy],
          [x + dx, 63 + dy]
        ],
        1,
        steel
      );
    }
  }
  line(
    context,
    [
      [31, 63],
      [54, 24],
      [104, 24],
      [72, 63],
      [31, 63]
    ],
    8.5,
    colour
  );
  line(
    context,
    [
      [72, 63],
      [50, 12]
    ],
    8.5,
    colour
  );
  line(
    context,
    [
      [119, 63],
      [101, 10],
      [112, 6]
    ],
    8.5,
    colour
  );
  line(
    context,
    [
      [40, 8],
      [60, 8]
    ],
    8,
    ink
  );
  disc(context, 72, 63, 7, 7, ink);
  line(
    context,
    [
      [110, 5],
      [118, 9]
    ],
    6,
    ink
  );
}

function drawParcel(context: Context, thing: Thing): void {
  slab(context, 2, 68, 104, 11, 5, shade);
  slab(context, 0, 0, 100, 76, 3, colourOf(thing));
  slab(context, 42, 0, 14, 26, 0, '#e9e2d6');
  line(
    context,
    [
      [0, 20],
      [100, 20]
    ],
    1.4,
    shade
  );
  slab(context, 8, 44, 34, 22, 2, white);
  for (const [index, width] of [22, 26, 14].entries()) slab(context, 12, 48 + index * 5, width, 2.2, 1, steel);
  shape(
    context,
    [
      [74, 48],
      [82, 38],
      [90, 48]
    ],
    'rgba(43, 34, 51, 0.5)'
  );
  slab(context, 80, 48, 4, 14, 0, 'rgba(43, 34, 51, 0.5)');
}

function drawBottle(context: Context, thing: Thing): void {
  const colour = colourOf(thing);
  disc(context, 22, 117, 22, 3, shade);
  context.beginPath();
  context.moveTo(14, 4);
  context.lineTo(14, 32);
  context.bezierCurveTo(14, 44, 0, 46, 0, 60);
  context.lineTo(0, 112);
  context.quadraticCurveTo(0, 118, 6, 118);
  context.lineTo(34, 118);
  context.quadraticCurveTo(40, 118, 40, 112);
  context.lineTo(40, 60);
  context.bezierCurveTo(40, 46, 26, 44, 26, 32);
  context.lineTo(26, 4);
  context.closePath();
  fill(context, colour);
  slab(context, 12, 0, 16, 8, 2, '#5d2438');
  slab(context, 6, 68, 34, 30, [3, 0, 0, 3], '#f4efe6');
  disc(context, 23, 80, 6, 6, '#a99ab8');
  slab(context, 12, 90, 22, 2.4, 1, steel);
  slab(context, 5, 56, 3, 10, 1.5, 'rgba(255, 255, 255, 0.4)');
}

function drawDice(context: Context, thing: Thing): void {
  slab(context, 2, 88, 100, 14, 7, shade);
  slab(context, 0, 0, 100, 98, 18, colourOf(thing));
  for (const [x, y] of [
    [26, 26],
    [74, 26],
    [50, 50],
    [26, 74],
    [74, 74]
  ] as const)
    disc(context, x, y, 9, 9, white);
}

/** A plate with words on it, and below them bars that say the same to `vision`. */
function drawSign(context: Context, thing: Thing): void {
  const text = thing.text ?? 'NIMBUS';
  slab(context, -3, -3, 168, 108, 5, shade);
  slab(context, 0, 0, 160, 100, 2, colourOf(thing));
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

/** Everybody who can be drawn, the celebrities included. */
export const everybody: readonly Person[] = [...Object.values(people), ...Object.values(celebrities)];
