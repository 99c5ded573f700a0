import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drawPicture, people, type Scene, type Thing } from '../local-aws/rekognition/drawings';
import { LoopbackServer } from '../local-aws/server/loopback';

/** A running camera. */
export interface Camera {
  /** `http://127.0.0.1:<port>`; the picture is at `/porch.jpg`. */
  readonly url: string;
  close(): Promise<void>;
}

/** After as many seconds everything begins anew. */
export const loopSeconds = 60;

const [width, height] = [1280, 720];

type Point = readonly [x: number, y: number];

/**
 * What the camera sees at a time, in milliseconds: only the time decides. Of each minute: Anna comes up to the camera
 * (3–20) while a car passes (8–12.5), another one passes (22–26), Ben leaves a parcel at the door (27–45), a dog runs by
 * with Chris behind it (46–56.4). In the first three seconds and in the last three and a half nothing moves.
 */
export function porchAt(milliseconds: number): Scene {
  const time = (((milliseconds / 1000) % loopSeconds) + loopSeconds) % loopSeconds;
  const things = [
    ...passingCar(time, 8, 4.5, false),
    ...passingCar(time, 22, 4, true),
    ...annaComes(time),
    ...dogWalk(time),
    ...benDelivers(time)
  ];
  return { background: 'porch', things };
}

/** Someone whose feet are at a place of the picture; the nearer, the taller. */
function someone(who: NonNullable<Thing['who']>, [x, y]: Point, step: number, more: Partial<Thing> = {}): Thing {
  const tall = 0.3 + 1.25 * Math.max(0, y - 0.68);
  const wide = (tall * height * 0.385) / width;
  return { kind: 'person', who, step, box: { left: x - wide / 2, top: y - tall, width: wide, height: tall }, ...more };
}

/** Where somebody is at a time, in seconds since they came. */
type Walk = readonly (readonly [since: number, x: number, y: number])[];

/** Up to the camera, a look into it, and back. */
const annasWalk: Walk = [
  [0, -0.06, 0.7],
  [3.4, 0.34, 0.71],
  [4.6, 0.44, 0.8],
  [5.6, 0.5, 1.02],
  [7, 0.52, 1.42],
  [11, 0.52, 1.42],
  [12.6, 0.5, 1.02],
  [13.8, 0.44, 0.8],
  [15, 0.3, 0.71],
  [17, -0.06, 0.7]
];

/** To the camera, then to the door, and away. */
const bensWalk: Walk = [
  [0, -0.06, 0.7],
  [3.4, 0.34, 0.71],
  [4.6, 0.44, 0.8],
  [6, 0.5, 1.2],
  [8, 0.5, 1.2],
  [10.6, 0.9, 0.86],
  [12.4, 0.9, 0.86],
  [14, 0.6, 0.84],
  [15.2, 0.42, 0.74],
  [18, -0.06, 0.7]
];

function placeOf(walk: Walk, since: number): { place: Point; walking: boolean } | undefined {
  const next = walk.findIndex(([at]) => at > since);
  const [from, to] = [walk[next - 1], walk[next]];
  if (!from || !to) return undefined;
  const share = (since - from[0]) / (to[0] - from[0]);
  const place = [from[1] + (to[1] - from[1]) * share, from[2] + (to[2] - from[2]) * share] as const;
  return { place, walking: from[1] !== to[1] || from[2] !== to[2] };
}

function annaComes(time: number): Thing[] {
  const since = time - 3;
  const found = placeOf(annasWalk, since);
  if (!found) return [];
  return [someone(people.anna, found.place, found.walking ? since * 2.4 : 0, { smiling: since > 8.4 && since < 11 })];
}

/** Ben carries a parcel until he is at the door. It stays there, and is taken in before the minute is over. */
function benDelivers(time: number): Thing[] {
  const since = time - 27;
  const found = placeOf(bensWalk, since);
  const left: Thing = { kind: 'parcel', box: { left: 0.792, top: 0.69, width: 0.078, height: 0.108 } };
  const lies = since >= 11.6 && time < 56.4;
  if (!found) return lies ? [left] : [];
  const ben = someone(people.ben, found.place, found.walking ? since * 2.4 : 0);
  return lies ? [left, ben] : [ben, carriedBy(ben)];
}

function carriedBy({ box }: Thing): Thing {
  const wide = 0.62 * box.width;
  const tall = (wide * width * 0.78) / height;
  const place = { left: box.left + 0.19 * box.width, top: box.top + 0.4 * box.height, width: wide, height: tall };
  return { kind: 'parcel', box: place };
}

function passingCar(time: number, start: number, seconds: number, left: boolean): Thing[] {
  const share = (time - start) / seconds;
  if (share < 0 || share > 1) return [];
  const far = -0.3 + 1.4 * share;
  const box = { left: left ? 0.7 - far : far, top: left ? 0.45 : 0.47, width: 0.27, height: 0.2 };
  const colour = left ? ([0, 172, 178] as const) : ([38, 118, 208] as const);
  return [{ kind: 'car', far: true, colour, flip: left, step: share * 6, box }];
}

/** A dog comes from behind the house and runs along the pavement; who belongs to it comes after. */
function dogWalk(time: number): Thing[] {
  const since = time - 46;
  if (since < 0 || since > 10.4) return [];
  const x = 0.76 - 0.1 * since;
  const hop = 0.008 * Math.abs(Math.sin(since * 7));
  const dog: Thing = {
    kind: 'dog',
    far: true,
    flip: true,
    step: since * 4,
    box: { left: x - 0.05, top: 0.6 - hop, width: 0.1, height: 0.136 }
  };
  return [someone(people.chris, [x + 0.16, 0.71], since * 2.6, { far: true }), dog];
}

/**
 * Starts the camera on 127.0.0.1: `GET /porch.jpg` is what it sees now, `?t=seconds` at that time of its loop, and
 * `GET /` a page that shows it.
 *
 * @param options.port default, or 0: one that the system chooses
 * @throws the system's error if the port is taken
 */
export async function startCamera(options: { readonly port?: number } = {}): Promise<Camera> {
  const server = new LoopbackServer({}, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (pathname === '/') return void response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
    if (pathname !== '/porch.jpg') return void response.writeHead(404).end();
    const asked = Number(searchParams.get('t') ?? Number.NaN);
    const picture = drawPicture(porchAt(Number.isFinite(asked) ? asked * 1000 : Date.now()), {
      width,
      height,
      format: 'jpeg'
    });
    const headers = { 'Content-Type': 'image/jpeg', 'Content-Length': picture.length, 'Cache-Control': 'no-store' };
    response.writeHead(200, headers).end(picture);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Porch camera</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; background: #20242e; }
  img { width: min(96vw, 1280px); aspect-ratio: 16 / 9; border-radius: 12px; box-shadow: 0 12px 48px #0008; }
</style>
<img src="porch.jpg" alt="What the porch camera sees">
<script>
  const image = document.querySelector('img');
  image.onload = () => setTimeout(() => { image.src = 'porch.jpg?' + Date.now(); }, 200);
  image.onerror = () => setTimeout(() => { image.src = 'porch.jpg?' + Date.now(); }, 2000);
</script>
</html>
`;
