/**
 * `npm run bench`, second part: pictures. What the thread that draws costs over the bare library, how long the event loop
 * stands still while 4K frames go through an aws-rekognition-detect, whether memory stays flat over many frames, and how often
 * a picture is decoded for all that a message asks of it. Ratios within one turn are what is judged. `--quick` takes less time.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startFlow } from './flow.mjs';

const require = createRequire(import.meta.url);
const { createCanvas, Image } = require('canvas');
const { decodes } = require('./decodes.cjs');
const script = fileURLToPath(import.meta.url);
const quick = process.argv.includes('--quick');
/** A PNG in 4K takes seconds. */
const turnsFor = (name, kind) => (quick ? 5 : name === '4K' && kind === 'png' ? 7 : 25);

const sizes = { '720p': [1280, 720], '1080p': [1920, 1080], '4K': [3840, 2160] };
const kinds = ['jpeg', 'png'];

/** What the service finds in every picture. */
const found = ['Person', 'Person', 'Car', 'Dog', 'Bicycle'].map((Name, index) => ({
  Name,
  Confidence: 97.5,
  Instances: [{ Confidence: 97.5, BoundingBox: { Left: 0.05 + index * 0.18, Top: 0.3, Width: 0.15, Height: 0.5 } }]
}));
const marks = found.map(({ Name, Instances: [{ BoundingBox: box }] }) => ({
  name: Name.toLowerCase(),
  caption: `${Name} 97%`,
  box: { left: box.Left, top: box.Top, width: box.Width, height: box.Height },
  counted: true
}));

/** A sensor's noise: without it a file would be much smaller than a camera's. */
function addGrain(context, width, height) {
  const pixels = context.getImageData(0, 0, width, height);
  let seed = 1;
  for (let at = 0; at < pixels.data.length; at += 4) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const grain = (seed >>> 28) - 8;
    for (let colour = at; colour < at + 3; colour += 1) pixels.data[colour] += grain;
  }
  context.putImageData(pixels, 0, 0);
}

/** A picture with about as much in it as a camera's. */
function pictureOf([width, height], kind) {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  for (let index = 0; index < 3000; index += 1) {
    context.fillStyle = `hsl(${(index * 37) % 360} ${30 + (index % 40)}% ${20 + (index % 60)}%)`;
    const size = (width / 12) * (0.1 + ((index * 13) % 100) / 100);
    context.fillRect((index * 977) % width, (index * 613) % height, size, size * 0.7);
  }
  addGrain(context, width, height);
  const bytes = kind === 'png' ? canvas.encodeSync('png') : canvas.encodeSync('jpeg', 85);
  return { bytes, kind, width, height };
}

/** What a program without the pack would do: lines with an edge, so that they can be seen on any background, and labels. */
async function bare({ bytes, kind, width, height }) {
  const image = new Image();
  image.src = bytes;
  await image.decode();
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  context.font = `${height / 36}px sans-serif`;
  for (const { caption, box } of marks) {
    const [left, top] = [box.left * width, box.top * height];
    for (const [colour, lineWidth] of [
      ['rgba(0, 0, 0, 0.6)', height / 150],
      ['#0af', height / 240]
    ]) {
      Object.assign(context, { strokeStyle: colour, lineWidth });
      context.strokeRect(left, top, box.width * width, box.height * height);
    }
    context.fillStyle = '#0af';
    context.fillRect(left, top - height / 24, context.measureText(caption).width + 10, height / 24);
    context.fillStyle = '#000';
    context.fillText(caption, left + 5, top - height / 72);
  }
  return kind === 'png' ? canvas.encode('png') : canvas.encode('jpeg', 90);
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];
const cell = (text) => String(text).padEnd(22);
const row = (...cells) => console.log(cells.map(cell).join(''));
const reached = (text, value, most, digits = 2) => {
  const ok = value <= most;
  console.log(`${ok ? 'reached' : 'MISSED '}  ${text}: ${value.toFixed(digits)} (at most ${most})`);
};

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function compareWithLibrary() {
  const { annotate } = require('../dist/nodes/rekognition/pixels.js');
  console.log(`Decode, draw ${marks.length} boxes, encode: medians of ${quick ? 5 : '7 to 25'} turns\n`);
  row('', 'library, ms', 'pack, ms', 'pack / library');
  const ratios = [];
  for (const [name, size] of Object.entries(sizes)) {
    for (const kind of kinds) {
      const picture = pictureOf(size, kind);
      const ours = () => annotate(picture, marks, undefined, kind);
      await ours();
      await bare(picture);
      const times = [];
      for (let turn = 0; turn < turnsFor(name, kind); turn += 1) {
        // Which comes first makes a difference: they take turns in that, too.
        const order = turn % 2 === 0 ? [ours, () => bare(picture)] : [() => bare(picture), ours];
        const [first, second] = [await timed(order[0]), await timed(order[1])];
        times.push(turn % 2 === 0 ? { pack: first, library: second } : { pack: second, library: first });
      }
      const ratio = median(times.map(({ pack, library }) => pack / library));
      ratios.push([`${name} ${kind}`, ratio]);
      const of = (way) => median(times.map((time) => time[way])).toFixed(1);
      row(`${name} ${kind}`, of('library'), of('pack'), ratio.toFixed(2));
    }
  }
  console.log('');
  for (const [name, ratio] of ratios) reached(`${name}, of the library's time`, ratio, 1.15);
}

/** The event loop's delay while something goes on, in ms, beyond that of the idle loop. */
async function delayDuring(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return { p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 };
}

async function measureDelay(detect) {
  const { bytes } = pictureOf(sizes['4K'], 'jpeg');
  const frames = quick ? 10 : 40;
  await detect(bytes);
  let took = 0;
  const during = async (work) => {
    took = 0;
    return delayDuring(async () => {
      took = await timed(async () => {
        for (let frame = 0; frame < frames; frame += 1) await work(bytes);
      });
    });
  };
  const flow = await during(detect);
  const idle = await delayDuring(() => wait(took));
  const library = await during((each) => bare({ bytes: each, kind: 'jpeg', width: 3840, height: 2160 }));
  console.log(
    `\n${frames} 4K frames of ${(bytes.length / 1e6).toFixed(1)} MB through a flow: delay of the event loop\n`
  );
  row('', 'p99, ms', 'longest, ms');
  row('idle', idle.p99.toFixed(1), idle.max.toFixed(1));
  row('flow', flow.p99.toFixed(1), flow.max.toFixed(1));
  row('library, same thread', library.p99.toFixed(1), library.max.toFixed(1));
  console.log('');
  reached('p99 over the idle one, ms', flow.p99 - idle.p99, 20, 1);
}

async function measureMemory(detect) {
  const { bytes } = pictureOf(sizes['720p'], 'jpeg');
  const frames = quick ? 300 : 1000;
  const memory = async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      globalThis.gc();
      await wait(50);
    }
    return process.memoryUsage().rss / 1e6;
  };
  const marksAt = [];
  for (let frame = 1; frame <= frames; frame += 1) {
    await detect(Buffer.from(bytes));
    if (frame % (frames / 5) === 0) marksAt.push([frame, await memory()]);
  }
  console.log(`\nMemory of the process over ${frames} frames in 720p, analysed and drawn on\n`);
  row('frames', 'resident, MB');
  for (const [frame, megabytes] of marksAt) row(frame, megabytes.toFixed(0));
  console.log('');
  const [[, start]] = marksAt;
  reached('growth from the first fifth to the end, MB', (marksAt.at(-1)?.[1] ?? 0) - start, 20, 0);
}

const detect = { type: 'aws-rekognition-detect' };
const identify = { ...detect, operation: 'identify', collection: 'family' };
const save = { saveFolder: 'saved', saveFolderType: 'env', saveTimestamp: true };
const everything = { ...identify, ...save, skipUnchanged: '0.001', annotate: 'jpeg', saveBoxes: false };

/** What a message may ask of its picture. */
const asked = {
  labels: detect,
  'measure (skip unchanged)': { ...detect, skipUnchanged: '0.001' },
  'cut faces (identify)': identify,
  draw: { ...detect, annotate: 'jpeg' },
  'draw, save with boxes': { ...detect, ...save, annotate: 'jpeg' },
  'save without boxes': { ...detect, ...save, saveBoxes: false },
  'measure, cut, draw, save without boxes': everything,
  teach: { type: 'aws-rekognition-index-face', collection: 'family', imageId: 'Anna', imageIdType: 'str' },
  'compare two': { type: 'aws-rekognition-faces', action: 'compare', target: 'payload', targetType: 'msg' }
};
const nodeId = (name) => name.replaceAll(/\W+/g, '-');
const askedNodes = Object.entries(asked).map(([name, node]) => ({ id: nodeId(name), ...node }));

/** Prints how often the picture of a message is decoded. A PNG with grain is too large for the service, and is shrunk as well. */
async function countDecodes(flow) {
  const pictures = {
    '720p JPEG': pictureOf(sizes['720p'], 'jpeg'),
    '4K PNG, shrunk': pictureOf(sizes['4K'], 'png'),
    '40 MP JPEG, shrunk': pictureOf([7680, 5200], 'jpeg')
  };
  console.log('\nHow often a picture is decoded for all that its message asks of it\n');
  console.log(`${''.padEnd(40)}${Object.keys(pictures).map(cell).join('')}`);
  let most = 0;
  for (const name of Object.keys(asked)) {
    const counts = [];
    for (const { bytes } of Object.values(pictures)) {
      const before = decodes();
      await flow.send(nodeId(name))(bytes);
      counts.push(decodes() - before);
    }
    // Two pictures are compared.
    most = Math.max(most, ...counts.map((count) => (name === 'compare two' ? count / 2 : count)));
    console.log(`${name.padEnd(40)}${counts.map(cell).join('')}`);
  }
  console.log('');
  reached('times that a picture is decoded', most, 1, 0);
}

async function measure(endpoint) {
  console.log(`Node.js ${process.version}\n`);
  await compareWithLibrary();
  const folder = mkdtempSync(join(tmpdir(), 'nimbus-saved-'));
  process.env.saved = folder;
  const flow = await startFlow(endpoint, [{ id: 'each', ...detect, annotate: 'jpeg' }, ...askedNodes]);
  await countDecodes(flow);
  await measureDelay(flow.send('each'));
  await measureMemory(flow.send('each'));
  await flow.stop();
  rmSync(folder, { recursive: true });
}

/** Rekognition as far as this goes, in a process of its own. */
function serve() {
  const face = { BoundingBox: found[0].Instances[0].BoundingBox, Confidence: 99 };
  const other = { BoundingBox: found[2].Instances[0].BoundingBox, Confidence: 99 };
  const answers = {
    DetectLabels: { Labels: found },
    DetectFaces: { FaceDetails: [face, other] },
    SearchFacesByImage: { FaceMatches: [] },
    IndexFaces: { FaceRecords: [{ Face: { FaceId: '1', ...face } }] },
    CompareFaces: { SourceImageFace: face, FaceMatches: [], UnmatchedFaces: [other] }
  };
  const server = createServer((request, response) => {
    const [, operation] = request.headers['x-amz-target'].split('.');
    const body = JSON.stringify(answers[operation]);
    request.resume().on('end', () => {
      response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1', 'Content-Length': body.length });
      response.end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('disconnect', () => process.exit());
}

if (process.argv[2] === 'server') serve();
else {
  const server = fork(script, ['server']);
  const [{ port }] = await new Promise((resolve) => server.once('message', (...values) => resolve(values)));
  await measure(`http://127.0.0.1:${port}`);
  server.disconnect();
  process.exit(process.exitCode ?? 0);
}
