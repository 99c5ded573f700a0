import { createCanvas } from 'canvas';
import { type Area, findAreas } from './areas';
import { type Box, drawThing, everybody, type Thing, type ThingKind } from './drawings';
import type { Colour } from './palette';

/** What a figure's marker colour looks like in its box. */
interface Figure {
  /** Where the colour is, as fractions of the figure's box. */
  readonly marks: Box;
  /** Share of that place which has the colour. */
  readonly fill: number;
  /** Of a person: where the trousers end. */
  readonly legs?: number;
}

const known = new Map<string, Figure>();
const side = 240;
const place: Box = { left: 0.2, top: 0.2, width: 0.6, height: 0.6 };

/** Measures a figure: it is drawn once and looked at. A face that is covered in part is another one. */
export function figureOf(kind: ThingKind, colour: Colour, wears: NonNullable<Thing['wears']> = []): Figure {
  const name = `${kind} ${colour.join()} ${wears.join()}`;
  const figure = known.get(name) ?? measure({ kind, box: place, colour, wears });
  known.set(name, figure);
  return figure;
}

function measure(thing: Thing): Figure {
  const canvas = createCanvas(side, side);
  const context = canvas.getContext('2d');
  context.fillStyle = '#eef0f4';
  context.fillRect(0, 0, side, side);
  const who = everybody.find(({ face }) => thing.kind === 'face' && face === thing.colour);
  drawThing(context, who ? { ...thing, who } : thing, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const areas = findAreas({ data: data as Uint8ClampedArray, width: side, height: side });
  const area = areas.find(({ part }) => part === thing.kind) as Area;
  const legs = areas.find(({ part }) => part === 'trousers');
  const across = (x: number) => (x / side - place.left) / place.width;
  const down = (y: number) => (y / side - place.top) / place.height;
  const [left, top] = [across(area.left), down(area.top)];
  return {
    marks: { left, top, width: across(area.right) - left, height: down(area.bottom) - top },
    fill: area.count / ((area.right - area.left) * (area.bottom - area.top)),
    ...(legs ? { legs: down(legs.bottom) } : {})
  };
}
