import { Path2D, type SKRSContext2D } from 'canvas';
import { font } from './signs';

/** Where a scene takes place. */
export type BackgroundName = 'plain' | 'porch' | 'room';

/** What of a background `vision` recognises, by these colours. None is a marker's. */
export const sceneColours = {
  sky: [
    [208, 232, 245],
    [224, 240, 247]
  ],
  lawn: [
    [158, 206, 136],
    [146, 197, 126]
  ],
  house: [
    [236, 238, 243],
    [222, 226, 233]
  ],
  room: [
    [226, 230, 240],
    [198, 206, 222]
  ]
} as const;

type Context = SKRSContext2D;

/** Fills a picture of that many pixels; `drawForeground` completes it. */
export function drawBackground(context: Context, name: BackgroundName, width: number, height: number): void {
  context.save();
  context.scale(width / 1280, height / 720);
  ({ plain: drawPlain, porch: drawPorch, room: drawRoom })[name](context);
  context.restore();
}

function rgb([red, green, blue]: readonly [number, number, number]): string {
  return `rgb(${red}, ${green}, ${blue})`;
}

function rectangle(context: Context, x: number, y: number, width: number, height: number, colour: string): void {
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
}

function rounded(
  context: Context,
  [x, y, width, height]: readonly [number, number, number, number],
  radius: number | number[],
  colour: string
): void {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

/** Fills what an SVG path goes around. */
function area(context: Context, path: string, colour: string): void {
  context.fillStyle = colour;
  context.fill(new Path2D(path));
}

/** Discs, as `x y radius` of each. */
function discs(context: Context, colour: string, all: string): void {
  context.fillStyle = colour;
  for (const each of all.split(', ')) {
    const [x = 0, y = 0, radius = 0] = each.split(' ').map(Number);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawPlain(context: Context): void {
  rectangle(context, 0, 0, 1280, 720, '#eef0f4');
  rectangle(context, 0, 590, 1280, 130, '#dfe3ea');
}

function drawRoom(context: Context): void {
  const [wall, floor] = sceneColours.room;
  rectangle(context, 0, 0, 1280, 720, rgb(wall));
  rectangle(context, 0, 540, 1280, 180, rgb(floor));
  rectangle(context, 0, 528, 1280, 14, '#f6f7fb');
  rounded(context, [840, 90, 300, 240], 8, '#f6f7fb');
  rounded(context, [856, 106, 128, 208], 4, '#d0e8f5');
  rounded(context, [996, 106, 128, 208], 4, '#d0e8f5');
  rounded(context, [130, 110, 170, 220], 6, '#f6f7fb');
  rounded(context, [146, 126, 138, 188], 2, '#c4d9cf');
  discs(context, '#a9c8ba', '190 250 34, 234 266 44');
  rounded(context, [146, 270, 138, 44], 2, '#93b7a8');
  area(context, 'M200 640a420 46 0 1 0 840 0a420 46 0 1 0 -840 0Z', '#b3bdd2');
  rounded(context, [1190, 440, 60, 96], [4, 4, 16, 16], '#f6f7fb');
  discs(context, '#86b394', '1220 390 46, 1188 412 30, 1252 412 32');
}

/** Draws what is nearer than things that are far: the porch's house. */
export function drawForeground(context: Context, name: BackgroundName, width: number, height: number): void {
  if (name !== 'porch') return;
  context.save();
  context.scale(width / 1280, height / 720);
  drawHouse(context);
  context.restore();
}

/** The garden of a small house, and the street before it. */
function drawPorch(context: Context): void {
  drawSky(context);
  for (const [x, size] of [
    [90, 1.1],
    [330, 0.8],
    [690, 0.95]
  ] as const)
    drawTree(context, x, size);
  rounded(context, [0, 318, 900, 34], [16, 16, 0, 0], '#8fbf92');
  drawStreet(context);
  drawGarden(context);
}

function drawSky(context: Context): void {
  const [high, low] = sceneColours.sky;
  const gradient = context.createLinearGradient(0, 0, 0, 330);
  gradient.addColorStop(0, rgb(high));
  gradient.addColorStop(1, rgb(low));
  context.fillStyle = gradient;
  context.fillRect(0, 0, 1280, 340);
  const cloud = 'rgba(255, 255, 255, 0.85)';
  discs(context, cloud, '150 92 26, 184 76 36, 226 88 28, 560 60 20, 590 48 28, 624 58 22');
  rounded(context, [122, 88, 136, 30], 15, cloud);
  rounded(context, [540, 54, 108, 26], 13, cloud);
  area(context, 'M0 260C140 170 300 200 420 250C560 190 760 190 900 260V360H0Z', '#c3ddd6');
  area(context, 'M0 310C200 240 380 290 520 300C640 260 780 280 900 300V380H0Z', '#aacfbd');
}

function drawTree(context: Context, x: number, size: number): void {
  context.save();
  context.translate(x, 350);
  context.scale(size, size);
  rounded(context, [-7, -80, 14, 84], 4, '#6d6870');
  discs(context, '#84b98b', '-26 -92 36, 28 -96 36, 0 -128 42');
  discs(context, '#97c89a', '-10 -136 28, 24 -108 22');
  context.restore();
}

function drawStreet(context: Context): void {
  rectangle(context, 0, 344, 1280, 22, '#d3d7df');
  rectangle(context, 0, 366, 1280, 112, '#98a1b1');
  rectangle(context, 0, 366, 1280, 6, '#88909f');
  for (let x = 20; x < 1280; x += 120) rounded(context, [x, 418, 64, 7], 3, '#dfe3ea');
  rectangle(context, 0, 478, 1280, 36, '#d9dde4');
  rectangle(context, 0, 478, 1280, 5, '#c2c7d1');
  for (let x = 60; x < 1280; x += 110) rectangle(context, x, 484, 2, 30, '#c8cdd6');
}

function drawGarden(context: Context): void {
  const [lawn, stripe] = sceneColours.lawn;
  rectangle(context, 0, 514, 1280, 206, rgb(lawn));
  for (let x = 0; x < 900; x += 220) area(context, `M${x} 514H${x + 100}L${x + 30} 720H${x - 100}Z`, rgb(stripe));
  area(context, 'M470 514H560C590 560 640 580 700 588L900 618V700L640 656C540 640 500 590 470 514Z', '#e3e1de');
  const flowers = { '#f4f6fb': [60, 150, 300], '#d9c8ee': [96, 206, 350] };
  for (const [colour, places] of Object.entries(flowers)) {
    for (const x of places) {
      const y = 684 + ((x * 7) % 23);
      rectangle(context, x - 1, y, 2, 14, '#7fb184');
      discs(context, colour, `${x} ${y} 6`);
    }
  }
}

function drawHouse(context: Context): void {
  const [wall, board] = sceneColours.house;
  rectangle(context, 900, 60, 380, 540, rgb(wall));
  for (let y = 92; y < 560; y += 28) rectangle(context, 900, y, 380, 3, rgb(board));
  rectangle(context, 900, 556, 380, 46, '#b4bac7');
  area(context, 'M858 70L930 0H1280V70Z', '#5f6c86');
  rectangle(context, 858, 66, 422, 14, '#f8f9fc');
  rectangle(context, 900, 80, 380, 12, 'rgba(40, 50, 80, 0.10)');
  drawDoor(context);
  drawWindow(context);
  drawSteps(context);
}

function drawDoor(context: Context): void {
  rectangle(context, 1004, 214, 172, 348, '#f8f9fc');
  rectangle(context, 1018, 228, 144, 334, '#3f6f7c');
  rectangle(context, 1018, 228, 144, 8, '#386370');
  rounded(context, [1036, 250, 108, 78], 4, '#cfe3ec');
  rounded(context, [1036, 350, 46, 84], 4, '#4a7d8b');
  rounded(context, [1098, 350, 46, 84], 4, '#4a7d8b');
  rounded(context, [1036, 454, 108, 84], 4, '#4a7d8b');
  discs(context, '#e8eaf0', '1148 444 6');
  rounded(context, [966, 270, 22, 38], 6, '#4b5468');
  rounded(context, [970, 276, 14, 24], 4, '#f2f4f8');
  context.fillStyle = '#5f6c86';
  context.font = `bold 26px ${font}`;
  context.fillText('7', 968, 350);
}

function drawWindow(context: Context): void {
  rounded(context, [1208, 220, 90, 150], 4, '#f8f9fc');
  rectangle(context, 1218, 230, 80, 130, '#bfd7e4');
  area(context, 'M1218 330L1280 250V300L1230 360H1218Z', '#cfe3ec');
  rectangle(context, 1200, 366, 90, 10, '#e6e9ef');
}

function drawSteps(context: Context): void {
  rectangle(context, 900, 562, 380, 40, '#c9ced8');
  rectangle(context, 900, 562, 380, 6, '#dde1e8');
  rectangle(context, 876, 600, 404, 46, '#bcc2ce');
  rectangle(context, 876, 600, 404, 6, '#d3d8e0');
  rectangle(context, 852, 644, 428, 76, '#aeb5c3');
  rectangle(context, 852, 644, 428, 6, '#c7ccd6');
  rounded(context, [1020, 564, 140, 16], 4, '#7c8190');
  rounded(context, [920, 500, 54, 64], [4, 4, 14, 14], '#6d7890');
  rounded(context, [914, 494, 66, 14], 5, '#7d88a0');
  discs(context, '#7fb184', '947 464 36, 924 478 24, 972 478 24');
  discs(context, '#94c296', '940 454 20, 962 468 16');
}
