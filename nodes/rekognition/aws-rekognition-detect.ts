import { resolve } from 'node:path';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import type { ActionError } from '../fields/errors';
import { invalid } from '../fields/errors';
import { choice, flag, number, optional, text } from '../fields/fields';
import { detectors } from './detectors';
import type { ImageSource, StoredPicture } from './image';
import { readImage } from './image';
import type { Picture } from './picture';
import {
  attributesField,
  collectionField,
  folderField,
  imageField,
  requiredField,
  roiField,
  targetsField,
  workingFolder
} from './picture-fields';
import { annotate, drawing, keeping, measure, needCanvas, own } from './pixels';
import { toService } from './prepare';
import type { Counted, Report } from './report';
import { count, leastConfidence, marksOf, report } from './report';
import type { Saved } from './save';
import { save } from './save';
import { LastFrames } from './unchanged';

const ofLabels = { operation: ['labels'] };
const ofFaces = { operation: ['faces', 'identify'] };
const ofIdentify = { operation: ['identify'] };
const whereSaved = { saveFolder: 'filled' } as const;
const percent = { min: 0, max: 100, takes: 'percent' };

/** The properties that are set and need the bytes of the picture. */
function needsOf({ operation, annotate = 'none', saveFolder, skipUnchanged = 0 }: Readonly<Record<string, unknown>>) {
  const needs = {
    annotate: annotate !== 'none',
    saveFolder: saveFolder !== undefined,
    skipUnchanged: skipUnchanged !== 0,
    operation: operation === 'identify'
  };
  return Object.entries(needs).flatMap(([name, needed]) => (needed ? [name] : []));
}

/** Throws `InvalidValue` if properties need the bytes of a picture that is in S3. */
function checkNeeds(image: ImageSource | undefined, others: Readonly<Record<string, unknown>>) {
  const needs = typeof image === 'object' && 'S3Object' in image ? needsOf(others) : [];
  if (needs.length === 0) return image;
  throw invalid(needs, ': the picture itself is needed, but it is in S3, where it stays.');
}

export const fields = {
  operation: choice(['labels', 'faces', 'identify', 'text', 'moderation', 'celebrities', 'protectiveEquipment'], {
    icon: 'eye'
  }),
  image: { ...imageField, beside: checkNeeds },
  collection: collectionField(ofIdentify),
  similarity: optional(number({ ...percent, value: '80', when: ofIdentify, icon: 'id-badge' })),
  confidence: optional(number({ ...percent, value: '70', example: 'topic = "porch" ? 80 : 60', icon: 'percent' })),
  targets: optional(targetsField),
  required: optional(requiredField({ operation: ['protectiveEquipment'] })),
  maxLabels: optional(number({ min: 1, max: 1000, integer: true, when: ofLabels, icon: 'list-ol' })),
  imageQuality: flag(false, { when: ofLabels }),
  attributes: optional(attributesField(ofFaces)),
  annotate: choice(['none', 'jpeg', 'png'], { icon: 'object-group' }),
  saveFolder: optional(folderField),
  saveLatest: choice(['each', 'found'], { when: whereSaved, icon: 'floppy-o' }),
  saveBoxes: flag(true, { when: whereSaved }),
  saveTimestamp: flag(false, { when: whereSaved }),
  skipUnchanged: optional(number({ ...percent, value: '0', icon: 'clone' })),
  roi: optional(roiField),
  source: optional(text({ maxLength: 65_536, numbers: true, advanced: true, example: 'topic', icon: 'video-camera' }))
};

type Detect = Context<'rekognition', typeof fields>;

/** The result of a picture. */
interface Detection {
  report: Report & { saved?: Saved | { error: { name: string; message: string } } };
  raw: object;
  /** The annotated picture. */
  image?: Buffer;
  /** Why the picture could not be saved, if it could not. */
  problem?: ActionError;
}

type Frames = LastFrames<Detection>;

const sourceOf = ({ inputs, node }: Detect): string => inputs.source ?? (node.name || node.id);

async function detect(context: Detect, image: Picture | StoredPicture, arrival: number): Promise<Detection> {
  const { inputs, signal } = context;
  const detector = detectors[inputs.operation];
  const picture = 'bytes' in image ? image : undefined;
  const query = { ...inputs, confidence: leastConfidence(inputs) };
  const sent = await toService(image, detector, signal);
  const { raw, findings, quality } = await detector.detect(context, sent, query, picture);
  // biome-ignore lint/plugin/clock: people read the time in the result, in the name of a picture, and on it
  const time = new Date();
  const counted = count(findings, inputs);
  const found = { report: report(counted, inputs, { source: sourceOf(context), time, image: picture, quality }), raw };
  return picture ? drawnIn(context, found, { picture, counted, arrival, time }) : found;
}

const formatOf = ({ annotate }: Detect['inputs']) => (annotate === 'png' ? 'png' : 'jpeg');

/** A picture that was analysed, and when. */
interface Frame {
  picture: Picture;
  counted: readonly Counted[];
  /** When it came, ms. */
  arrival: number;
  time: Date;
}

/** Adds the picture with boxes, and saves it, as far as that is asked for. */
async function drawnIn(context: Detect, found: Detection, frame: Frame): Promise<Detection> {
  const { inputs, signal } = context;
  const { picture, counted } = frame;
  const format = formatOf(inputs);
  const shows = inputs.annotate !== 'none';
  const saves = inputs.saveFolder !== undefined && (inputs.saveLatest === 'each' || found.report.count > 0);
  let bytes = picture.bytes;
  let detection = found;
  if (shows || (saves && inputs.saveBoxes)) {
    bytes = await annotate(picture, marksOf(counted, inputs), inputs.roi, format, signal);
    if (shows) detection = { ...found, image: bytes };
  }
  if (inputs.saveFolder === undefined || !saves) return detection;
  if (!inputs.saveBoxes) bytes = await inFormat(picture, format, signal);
  // Another node may save the pictures of this source by now.
  signal.throwIfAborted();
  return saveIn(context, inputs.saveFolder, detection, bytes, frame);
}

/** A picture as it came, where it has the format already. */
const inFormat = async (picture: Picture, format: 'jpeg' | 'png', signal: AbortSignal): Promise<Buffer> =>
  picture.kind === format ? picture.bytes : annotate(picture, [], undefined, format, signal);

/** If the picture cannot be saved, the result is sent all the same. */
async function saveIn(
  context: Detect,
  folder: string,
  detection: Detection,
  bytes: Buffer,
  { arrival, time }: Frame
): Promise<Detection> {
  const { inputs, RED } = context;
  const { report } = detection;
  const extension = formatOf(inputs) === 'png' ? 'png' : 'jpg';
  const found = inputs.saveTimestamp && report.count > 0 ? time : undefined;
  try {
    const saved = await save(resolve(workingFolder(RED), folder), report.source, extension, bytes, arrival, found);
    return { ...detection, report: { ...report, saved } };
  } catch (thrown) {
    const problem = context.toError(thrown);
    const { name, message } = problem;
    return { ...detection, report: { ...report, saved: { error: { name, message } } }, problem };
  }
}

/** A text of everything that the result depends on except what the picture shows. */
function questionOf({ inputs, client }: Detect, { width, height }: Picture): string {
  const { image, dynamicCredentials, ...asked } = inputs;
  return JSON.stringify([client.key, asked, width, height]);
}

/**
 * A copy for a flow, which may change it, while the original is kept for the next picture. `problem` is reported once
 * only.
 */
const copyOf = ({ report, raw, image }: Detection): Detection => ({
  report: structuredClone(report),
  raw: structuredClone(raw),
  ...(image && { image: Buffer.from(image) })
});

const resultOfDetection = ({ report, raw, image, problem }: Detection): Result => ({
  parsed: () => report,
  raw: () => raw,
  ...(image && { message: { image } }),
  problem
});

/** The result of a picture, or that of the last one if nothing has changed since. */
async function detectIn(context: Detect, image: Picture, arrival: number, frames: Frames): Promise<Result> {
  const percent = context.inputs.skipUnchanged ?? 0;
  const analyse = () => detect(context, image, arrival);
  if (percent === 0) return resultOfDetection(await analyse());
  const frame = {
    source: sourceOf(context),
    question: questionOf(context, image),
    grey: await measure(image, context.signal),
    percent
  };
  const { result, skipped } = await frames.look(frame, analyse);
  return skipped
    ? { ...resultOfDetection(copyOf(result)), aws: { skipped } }
    : { ...resultOfDetection(copyOf(result)), problem: result.problem };
}

/** The first property for which there is certainly something to draw: a picture with one face is searched as it is. */
function drawnFor(needs: string[], inputs: Detect['inputs'], { kind }: Picture): string | undefined {
  const isSavedAsItIs = !inputs.saveBoxes && kind === formatOf(inputs);
  return needs.find((name) => name !== 'operation' && !(name === 'saveFolder' && isSavedAsItIs));
}

async function run(context: Detect, frames: Frames): Promise<Result> {
  const { inputs, RED, node } = context;
  const arrival = performance.now();
  const image = await readImage(inputs.image, 'image', workingFolder(RED));
  const needs = needsOf(inputs);
  if ('S3Object' in image) return resultOfDetection(await detect(context, image, arrival));
  const owner = { node: node.id, source: sourceOf(context) };
  return context.hold(image.bytes.length, () => {
    if (needs.length === 0) {
      own(image, owner);
      return keeping(image, () => detectIn(context, image, arrival, frames));
    }
    return drawing(image, owner, async () => {
      // Before any request that costs money.
      const first = drawnFor(needs, inputs, image);
      if (first !== undefined) await needCanvas(first);
      return detectIn(context, image, arrival, frames);
    });
  });
}

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-rekognition-detect',
  service: 'rekognition',
  operation: ({ operation = 'labels' }) => detectors[operation].api,
  fields,
  adds: ({ annotate }) => (annotate === 'none' ? [] : ['image']),
  trial: { annotate: 'jpeg' },
  deploy() {
    const frames: Frames = new LastFrames(({ image }) => image?.length ?? 0);
    return { run: (context) => run(context, frames) };
  }
});
