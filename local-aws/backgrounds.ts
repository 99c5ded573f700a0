import type { SKRSContext2D } from 'canvas';
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

function discs(context: Context, colour: string, all: readonly (readonly [number, number, number])[]): void {
  context.fillStyle = colour;
  for (const [x, y, radius] of all) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function area(context: Context, colour: string, points: readonly (readonly [number, number])[]): void {
  context.fillStyle = colour;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  context.fill();
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
  discs(context, '#a9c8ba', [
    [190, 250, 34],
    [234, 266, 44]
  ]);
  rounded(context, [146, 270, 138, 44], 2, '#93b7a8');
  context.fillStyle = '#b3bdd2';
  context.beginPath();
  context.ellipse(620, 640, 420, 46, 0, 0, 2 * Math.PI);
  context.fill();
  rounded(context, [1190, 440, 60, 96], [4, 4, 16, 16], '#f6f7fb');
  discs(context, '#86b394', [
    [1220, 390, 46],
    [1188, 412, 30],
    [1252, 412, 32]
  ]);
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
  drawTrees(context);
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
  discs(context, 'rgba(255, 255, 255, 0.85)', [
    [150, 92, 26],
    [184, 76, 36],
    [226, 88, 28],
    [560, 60, 20],
    [590, 48, 28],
    [624, 58, 22]
  ]);
  rounded(context, [122, 88, 136, 30], 15, 'rgba(255, 255, 255, 0.85)');
  rounded(context, [540, 54, 108, 26], 13, 'rgba(255, 255, 255, 0.85)');
  context.fillStyle = '#c3ddd6';
  context.beginPath();
  context.moveTo(0, 260);
  context.bezierCurveTo(140, 170, 300, 200, 420, 250);
  context.bezierCurveTo(560, 190, 760, 190, 900, 260);
  context.lineTo(900, 360);
  context.lineTo(0, 360);
  context.fill();
  context.fillStyle = '#aacfbd';
  context.beginPath();
  context.moveTo(0, 310);
  context.bezierCurveTo(200, 240, 380, 290, 520, 300);
  context.bezierCurveTo(640, 260, 780, 280, 900, 300);
  context.lineTo(900, 380);
  context.lineTo(0, 380);
  context.fill();
}

function drawTrees(context: Context): void {
  for (const [x, y, size] of [
    [90, 350, 1.1],
    [330, 352, 0.8],
    [690, 350, 0.95]
  ] as const) {
    rounded(context, [x - 7 * size, y - 80 * size, 14 * size, 84 * size], 4, '#6d6870');
    discs(context, '#84b98b', [
      [x - 26 * size, y - 92 * size, 36 * size],
      [x + 28 * size, y - 96 * size, 36 * size],
      [x, y - 128 * size, 42 * size]
    ]);
    discs(context, '#97c89a', [
      [x - 10 * size, y - 136 * size, 28 * size],
      [x + 24 * size, y - 108 * size, 22 * size]
    ]);
  }
  rounded(context, [0, 318, 900, 34], [16, 16, 0, 0], '#8fbf92');
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
  for (let x = -60; x < 900; x += 220) {
    area(context, rgb(stripe), [
      [x + 60, 514],
      [x + 160, 514],
      [x + 90, 720],
      [x - 40, 720]
    ]);
  }
  area(context, '#e3e1de', [
    [470, 514],
    [560, 514],
    [700, 580],
    [900, 618],
    [900, 700],
    [620, 650],
    [500, 590]
  ]);
  for (const [x, y, colour] of [
    [60, 690, '#f4f6fb'],
    [96, 704, '#d9c8ee'],
    [150, 684, '#f4f6fb'],
    [206, 706, '#d9c8ee'],
    [300, 694, '#f4f6fb'],
    [350, 710, '#d9c8ee']
  ] as const) {
    rectangle(context, x - 1, y, 2, 14, '#7fb184');
    discs(context, colour, [[x, y, 6]]);
  }
}

function drawHouse(context: Context): void {
  const [wall, board] = sceneColours.house;
  rectangle(context, 900, 60, 380, 540, rgb(wall));
  for (let y = 92; y < 560; y += 28) rectangle(context, 900, y, 380, 3, rgb(board));
  rectangle(context, 900, 556, 380, 46, '#b4bac7');
  area(context, '#5f6c86', [
    [858, 70],
    [930, 0],
    [1280, 0],
    [1280, 70]
  ]);
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
  for (const [x, y, width, height] of [
    [1036, 250, 108, 78],
    [1036, 350, 46, 84],
    [1098, 350, 46, 84],
    [1036, 454, 108, 84]
  ] as const) {
    rounded(context, [x, y, width, height], 4, y === 250 ? '#cfe3ec' : '#4a7d8b');
  }
  discs(context, '#e8eaf0', [[1148, 444, 6]]);
  rounded(context, [966, 270, 22, 38], 6, '#4b5468');
  rounded(context, [970, 276, 14, 24], 4, '#f2f4f8');
  context.fillStyle = '#5f6c86';
  context.font = `bold 26px ${font}`;
  context.fillText('7', 970, 350);
}

function drawWindow(context: Context): void {
  rounded(context, [1208, 220, 90, 150], 4, '#f8f9fc');
  rectangle(context, 1218, 230, 80, 130, '#bfd7e4');
  area(context, '#cfe3ec', [
    [1218, 330],
    [1280, 250],
    [1280, 300],
    [1230, 360],
    [1218, 360]
  ]);
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
  discs(context, '#7fb184', [
    [947, 464, 36],
    [924, 478, 24],
    [972, 478, 24]
  ]);
  discs(context, '#94c296', [
    [940, 454, 20],
    [962, 468, 16]
  ]);
}
