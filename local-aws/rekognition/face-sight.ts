import type { Pixels } from './areas';
import type { Box } from './drawings';
import { type Colour, distance, type Person } from './palette';

/** A face in a picture. */
export interface FaceSight {
  /** May reach beyond the picture. */
  readonly box: Box;
  /** 0 to 100. */
  readonly confidence: number;
  /** What tells people apart. */
  readonly colour: Colour;
  /** Whom the colour belongs to: age and gender are theirs. */
  readonly who: Person;
  readonly smiling: boolean;
  readonly glasses: boolean;
  readonly masked: boolean;
  /** Eyes, nose and ends of the mouth, as fractions of the picture. */
  readonly landmarks: Readonly<Record<LandmarkName, readonly [x: number, y: number]>>;
  /** In degrees, clockwise. */
  readonly roll: number;
  /** 0 to 100. */
  readonly brightness: number;
  readonly sharpness: number;
}

type LandmarkName = 'eyeLeft' | 'eyeRight' | 'mouthLeft' | 'mouthRight' | 'nose';

/** A place that may be a face; `details` are 100 × 116 pixels of it. */
interface Candidate {
  readonly who: Person;
  readonly box: Box;
  readonly details: Pixels;
  readonly masked: boolean;
  readonly colour: Colour;
  readonly confidence: number;
  readonly image: { readonly width: number; readonly height: number };
}

const white: Colour = [251, 251, 253];

/** The face, or nothing if there are no eyes in it. */
export function lookAtFace(candidate: Candidate): FaceSight[] {
  const { who, box, details, masked, colour, confidence, image } = candidate;
  const [left, right] = [findEye(details, 30, colour), findEye(details, 70, colour)];
  if (!left || !right) return [];
  const at = ([x, y]: readonly [number, number]) =>
    [box.left + (x / 100) * box.width, box.top + (y / 116) * box.height] as const;
  const width = box.width * image.width;
  return [
    {
      box,
      who,
      colour,
      masked,
      confidence,
      smiling: !masked && showsTeeth(details, colour),
      glasses: hasGlasses(details, colour),
      landmarks: {
        eyeLeft: at(left),
        eyeRight: at(right),
        mouthLeft: at([34, 84]),
        mouthRight: at([66, 84]),
        nose: at([51, 70])
      },
      roll: (Math.atan2(right[1] - left[1], right[0] - left[0]) * 180) / Math.PI,
      brightness: (luminance(colour) / 255) * 100,
      sharpness: Math.min(99.2, 12 + 0.9 * width)
    }
  ];
}

function colourAt({ data, width, height }: Pixels, x: number, y: number): Colour {
  const at =
    4 * (Math.min(height - 1, Math.max(0, Math.round(y))) * width + Math.min(width - 1, Math.max(0, Math.round(x))));
  return [data[at] as number, data[at + 1] as number, data[at + 2] as number];
}

/** The middle of what is not skin where an eye has to be, if there is enough of it. */
function findEye(details: Pixels, middle: number, skin: Colour): [x: number, y: number] | undefined {
  let [sumX, sumY, count] = [0, 0, 0];
  for (let y = 43; y <= 66; y += 1) {
    for (let x = middle - 11; x <= middle + 11; x += 1) {
      if (distance(colourAt(details, x, y), skin) < 36) continue;
      sumX += x;
      sumY += y;
      count += 1;
    }
  }
  return count >= 70 ? [sumX / count, sumY / count] : undefined;
}

/** A smile shows its teeth. */
function showsTeeth(details: Pixels, skin: Colour): boolean {
  const near = Math.min(90, distance(skin, white) / 2);
  let [light, all] = [0, 0];
  for (let y = 85; y <= 88; y += 1) {
    for (let x = 40; x <= 60; x += 1) {
      all += 1;
      light += Number(distance(colourAt(details, x, y), white) < near);
    }
  }
  return light > 0.25 * all;
}

/** Whether there is a ring around each eye, darker or lighter than the face. */
function hasGlasses(details: Pixels, face: Colour): boolean {
  return [29, 71].every((middle) => {
    let rim = 0;
    for (let step = 0; step < 32; step += 1) {
      const angle = (step / 32) * 2 * Math.PI;
      const colour = colourAt(details, middle + 17 * Math.cos(angle), 55 + 16 * Math.sin(angle));
      rim += Number(Math.abs(luminance(colour) - luminance(face)) > 24);
    }
    return rim >= 24;
  });
}

function luminance([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
