import { resolve } from 'node:path';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import type { ActionError } from '../fields/errors';
import { invalid } from '../fields/errors';
import { choice, flag, number, optional, text } from '../fields/fields';
import { detectors } from './detectors';
import type { Picture, StoredPicture } from './image';
import { readImage } from './image';
import {
  attributesField,
  collectionField,
  folderField,
  imageField,
  roiField,
  targetsField,
  workingFolder
} from './picture-fields';
import { annotate, drawing, keeping, measure, needCanvas, own } from './pixels';
import { toService } from './prepare';
import type { Report } from './report';
import { count, leastConfidence, marksOf, report } from './report';
import type { Saved } from './save';
import { save } from './save';
import { LastFrames } from './unchanged';

const ofFaces = { operation: ['faces', 'identify'] };
const ofIdentify = { operation: ['identify'] };
const percent = { min: 0, max: 100, takes: 'percent' };

const fields = {
  operation: choice(['labels', 'faces', 'identify', 'text', 'moderation', 'celebrities', 'protectiveEquipment'], {
    icon: 'eye'
  }),
  image: imageField,
  collection: collectionField(ofIdentify),
  similarity: optional(number({ ...percent, value: '80', when: ofIdentify, icon: 'id-badge' })),
  confidence: optional(number({ ...percent, value: '70', example: 'topic = "porch" ? 80 : 60', icon: 'percent' })),
  targets: optional(targetsField),
  maxLabels: optional(number({ min: 1, max: 1000, integer: true, when: { operation: ['labels'] }, icon: 'list-ol' })),
  attributes: optional(attributesField(ofFaces)),
  annotate: choice(['none', 'jpeg', 'png'], { icon: 'object-group' }),
  saveFolder: optional(folderField),
  saveTimestamp: flag(false, { when: { saveFolder: 'filled' } }),
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

/** The properties that are set and need the bytes of the picture. */
function needsOf({ operation, annotate, saveFolder, skipUnchanged = 0 }: Detect['inputs']): string[] {
  const needs = {
    annotate: annotate !== 'none',
    saveFolder: saveFolder !== undefined,
    skipUnchanged: skipUnchanged > 0,
    operation: operation === 'identify'
  };
  return Object.entries(needs).flatMap(([name, needed]) => (needed ? [name] : []));
}

/** Throws `InvalidValue` if properties need the bytes of a picture that is in S3. */
function checkNeeds(needs: string[], image: Picture | StoredPicture): void {
  if (needs.length > 0 && 'S3Object' in image) {
    throw invalid(needs, ': the picture itself is needed, but it is in S3, where it stays.');
  }
}

async function detect(context: Detect, image: Picture | StoredPicture, arrival: number): Promise<Detection> {
  const { inputs, signal } = context;
  const detector = detectors[inputs.operation];
  const picture = 'bytes' in image ? image : undefined;
  const query = { ...inputs, confidence: leastConfidence(inputs) };
  const { raw, findings } = await detector.detect(context, await toService(image, detector, signal), query, picture);
  const counted = count(findings, inputs);
  const detection = { report: report(counted, inputs, { source: sourceOf(context), image: picture }), raw };
  if (!picture || (inputs.annotate === 'none' && inputs.saveFolder === undefined)) return detection;
  const drawn = await annotate(picture, marksOf(counted, inputs), inputs.roi, formatOf(inputs), signal);
  // After a redeployment another node may already save the pictures of this source.
  signal.throwIfAborted();
  const shown = inputs.annotate === 'none' ? detection : { ...detection, image: drawn };
  return inputs.saveFolder === undefined ? shown : saveDrawn(context, shown, drawn, inputs.saveFolder, arrival);
}

const formatOf = ({ annotate }: Detect['inputs']) => (annotate === 'png' ? 'png' : 'jpeg');

/** Saves the picture. If that fails, the result is kept, and the error is reported beside it. */
async function saveDrawn(
  context: Detect,
  detection: Detection,
  drawn: Buffer,
  folder: string,
  arrival: number
): Promise<Detection> {
  const { inputs, RED } = context;
  const { report } = detection;
  const extension = formatOf(inputs) === 'png' ? 'png' : 'jpg';
  // biome-ignore lint/plugin/clock: people read the time in the name of a picture, and on it
  const time = inputs.saveTimestamp && report.count > 0 ? new Date() : undefined;
  try {
    const saved = await save(resolve(workingFolder(RED), folder), report.source, extension, drawn, arrival, time);
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

async function run(context: Detect, frames: Frames): Promise<Result> {
  const { inputs, RED, node } = context;
  const arrival = performance.now();
  const image = await readImage(inputs.image, 'image', workingFolder(RED));
  const needs = needsOf(inputs);
  checkNeeds(needs, image);
  if ('S3Object' in image) return resultOfDetection(await detect(context, image, arrival));
  const owner = { node: node.id, source: sourceOf(context) };
  const [first] = needs;
  return context.hold(image.bytes.length, () => {
    if (first === undefined) {
      own(image, owner);
      return keeping(image, () => detectIn(context, image, arrival, frames));
    }
    return drawing(image, owner, async () => {
      // Checked before a request that costs money. `identify` needs canvas only if there is more than one face.
      if (first !== 'identify') await needCanvas(first);
      return detectIn(context, image, arrival, frames);
    });
  });
}

export = defineAction({
  type: 'aws-rekognition-detect',
  service: 'rekognition',
  operation: ({ operation = 'labels' }) => detectors[operation].api,
  fields,
  adds: ({ annotate }) => (annotate === 'none' ? [] : ['image']),
  deploy() {
    const frames: Frames = new LastFrames(({ image }) => image?.length ?? 0);
    return { run: (context) => run(context, frames) };
  }
});
