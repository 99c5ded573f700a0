import type { DetectLabelsImageProperties, DominantColor } from '@aws-sdk/client-rekognition';
import type { Pixels } from './areas';
import { type Colour, distance } from './palette';

/** Colours of CSS by their names there, and as whole pictures are described. */
const colours: readonly [css: string, simplified: string, colour: Colour][] = [
  ['black', 'black', [0, 0, 0]],
  ['darkslategrey', 'grey', [47, 79, 79]],
  ['dimgrey', 'grey', [105, 105, 105]],
  ['grey', 'grey', [128, 128, 128]],
  ['darkgrey', 'grey', [169, 169, 169]],
  ['lightgrey', 'grey', [211, 211, 211]],
  ['white', 'white', [255, 255, 255]],
  ['beige', 'white', [245, 245, 220]],
  ['saddlebrown', 'brown', [139, 69, 19]],
  ['sienna', 'brown', [160, 82, 45]],
  ['tan', 'brown', [210, 180, 140]],
  ['maroon', 'red', [128, 0, 0]],
  ['indianred', 'red', [205, 92, 92]],
  ['red', 'red', [255, 0, 0]],
  ['orange', 'orange', [255, 165, 0]],
  ['gold', 'yellow', [255, 215, 0]],
  ['olivedrab', 'green', [107, 142, 35]],
  ['darkseagreen', 'green', [143, 188, 143]],
  ['seagreen', 'green', [46, 139, 87]],
  ['yellowgreen', 'green', [154, 205, 50]],
  ['teal', 'cyan', [0, 128, 128]],
  ['skyblue', 'blue', [135, 206, 235]],
  ['lightblue', 'blue', [173, 216, 230]],
  ['steelblue', 'blue', [70, 130, 180]],
  ['slateblue', 'blue', [106, 90, 205]],
  ['navy', 'blue', [0, 0, 128]],
  ['mediumpurple', 'purple', [147, 112, 219]],
  ['palevioletred', 'pink', [219, 112, 147]]
];

/** Pixels that are looked at in each direction. */
const step = 3;

/** How bright, sharp and rich in contrast a picture is, 0 to 100 each, and its main colours: at most so many. */
export function imageProperties(pixels: Pixels, mostColours: number): DetectLabelsImageProperties {
  const counts = new Map<string, number>();
  let [all, sum, squares, edges] = [0, 0, 0, 0];
  for (let y = 0; y + 1 < pixels.height; y += step) {
    for (let x = 0; x + 1 < pixels.width; x += step) {
      const colour = colourAt(pixels, x, y);
      const grey = greyOf(colour);
      all += 1;
      sum += grey;
      squares += grey * grey;
      edges +=
        Math.abs(grey - greyOf(colourAt(pixels, x + 1, y))) + Math.abs(grey - greyOf(colourAt(pixels, x, y + 1)));
      const name = nearest(colour);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const mean = sum / Math.max(1, all);
  const spread = Math.sqrt(Math.max(0, squares / Math.max(1, all) - mean * mean));
  const found = [...counts].sort(([, one], [, other]) => other - one).slice(0, mostColours);
  return {
    Quality: {
      Brightness: (mean / 255) * 100,
      Sharpness: Math.min(99, 12 * (edges / Math.max(1, all))),
      Contrast: Math.min(99, (spread / 127.5) * 100)
    },
    DominantColors: found.map(([name, count]) => dominant(name, (count / all) * 100))
  };
}

function dominant(name: string, PixelPercent: number): DominantColor {
  const [css = '', simplified = '', [Red, Green, Blue] = [0, 0, 0]] = colours.find(([each]) => each === name) ?? [];
  const hex = [Red, Green, Blue].map((part) => part.toString(16).padStart(2, '0')).join('');
  return { Red, Blue, Green, HexCode: `#${hex}`, CSSColor: css, SimplifiedColor: simplified, PixelPercent };
}

function nearest(colour: Colour): string {
  let [best, least] = ['', Infinity];
  for (const [name, , known] of colours) {
    const apart = distance(known, colour);
    if (apart < least) [best, least] = [name, apart];
  }
  return best;
}

function colourAt({ data, width }: Pixels, x: number, y: number): Colour {
  const at = 4 * (y * width + x);
  return [data[at] as number, data[at + 1] as number, data[at + 2] as number];
}

function greyOf([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
