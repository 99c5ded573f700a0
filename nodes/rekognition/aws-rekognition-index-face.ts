import type { IndexFacesCommandOutput } from '@aws-sdk/client-rekognition';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { inParallel, Semaphore } from '../action/parallel';
import type { ActionError } from '../fields/errors';
import { ownError, withResults } from '../fields/errors';
import { choice, optional } from '../fields/fields';
import { inCollection } from './collection';
import { boxOf } from './detector';
import type { PictureFile } from './folder';
import { folderOf, picturesIn } from './folder';
import type { StoredPicture } from './image';
import { readImage } from './image';
import { toExternalImageId } from './names';
import type { Picture } from './picture';
import { pictureFrom } from './picture';
import { attributesField, collectionField, imageField, nameField, workingFolder } from './picture-fields';
import { readFile } from './picture-files';
import { own } from './pixels';
import { toService } from './prepare';
import { rounded } from './report';

export const fields = {
  collection: collectionField(),
  imageId: nameField,
  image: imageField,
  attributes: { ...optional(attributesField()), advanced: true as const },
  quality: choice(['AUTO', 'NONE', 'LOW', 'MEDIUM', 'HIGH'], { icon: 'star-half-o' })
};

type IndexFace = Context<'rekognition', typeof fields>;

/** How many pictures of folders are handled at the same time. */
const mostPictures = 5;

type IndexAnswer = Omit<IndexFacesCommandOutput, '$metadata'>;

interface Indexed {
  file?: string;
  faceId: string | undefined;
  confidence: number;
  box: ReturnType<typeof boxOf>;
}

interface Skipped {
  file?: string;
  reason: string;
}

/** The outcome for a picture: the service's answer, or why the picture was not sent or not accepted. */
type Outcome = { file?: string } & ({ answer: IndexAnswer } | { reason: string });

/** So many errors in a row that may pass are taken to concern every picture. */
const mostInARow = 2 * mostPictures;

/**
 * Indexes the largest face of a picture; `name` is what an error calls the picture. Rejects with the SDK's error, or
 * `InvalidValue`.
 */
async function indexPicture(context: IndexFace, image: Picture | StoredPicture, name = 'image'): Promise<IndexAnswer> {
  const { sdk, inputs, node, send, signal } = context;
  const { collection, imageId, attributes, quality } = inputs;
  if ('bytes' in image) own(image, { node: node.id, source: '' });
  const command = {
    CollectionId: collection,
    ExternalImageId: toExternalImageId(imageId),
    Image: await toService(image, {}, signal, name),
    DetectionAttributes: attributes,
    QualityFilter: quality,
    MaxFaces: 1
  };
  const output = await inCollection(context, collection, () => send(new sdk.IndexFacesCommand(command)));
  const { $metadata, ...answer } = output;
  return answer;
}

const indexedIn = (outcome: Outcome): Indexed[] => {
  if (!('answer' in outcome)) return [];
  return (outcome.answer.FaceRecords ?? []).map(({ Face }) => ({
    ...(outcome.file !== undefined && { file: outcome.file }),
    faceId: Face?.FaceId,
    confidence: Face?.Confidence ?? 0,
    box: boxOf(Face?.BoundingBox)
  }));
};

/** Why no face of a picture was indexed; `undefined` if one was. Only the largest face counts. */
function reasonOf(outcome: Outcome): string | undefined {
  if ('reason' in outcome) return outcome.reason;
  const { FaceRecords = [], UnindexedFaces = [] } = outcome.answer;
  if (FaceRecords.length > 0) return undefined;
  const reasons = new Set(UnindexedFaces.flatMap(({ Reasons = [] }) => Reasons));
  return reasons.size > 0 ? [...reasons].join(', ') : 'no face was found';
}

const skippedOf = (outcomes: Outcome[]): Skipped[] =>
  outcomes.flatMap((outcome) => {
    const reason = reasonOf(outcome);
    return reason === undefined ? [] : [{ ...(outcome.file !== undefined && { file: outcome.file }), reason }];
  });

/** Errors that concern one picture only. */
const ofPicture = new Set([
  'ImageTooLargeException',
  'InvalidImageFormatException',
  'InvalidParameterException',
  'InvalidValue'
]);

/** Decides which errors end the work on a folder. */
class FolderErrors {
  /** The first that would concern every picture. */
  end: ActionError | undefined;
  /** The first that may pass, and how many there were in a row. */
  passing: ActionError | undefined;
  #row = 0;

  /** The face of a picture was indexed. */
  passed(): void {
    this.#row = 0;
  }

  /** A picture failed; `isOver`: the message has no time left. */
  met(error: ActionError, isOver: boolean): void {
    if (ofPicture.has(error.name)) return;
    this.#row += 1;
    const mayPass = error.retryable && !isOver;
    if (mayPass) this.passing ??= error;
    if (!mayPass || this.#row >= mostInARow) this.end ??= error;
  }
}

/**
 * Indexes the pictures of a folder. An error that concerns one picture, or that may pass, does not stop the others; one that
 * would concern all of them does, and is thrown with the results so far. One that may pass is thrown if nothing was indexed.
 */
async function indexFolder(context: IndexFace, files: PictureFile[], turns: Semaphore): Promise<Outcome[]> {
  const errors = new FolderErrors();
  let finished = 0;
  let skipped = 0;
  const indexFile = async ({ file, path, problem }: PictureFile): Promise<Outcome> => {
    if (problem) return { file, reason: problem };
    if (errors.end) return { file, reason: `not sent after ${errors.end.name}` };
    try {
      const name = 'the picture';
      const answer = await indexPicture(context, pictureFrom(await readFile(path, name), name), name);
      errors.passed();
      return { file, answer };
    } catch (thrown) {
      const error = context.toError(thrown);
      errors.met(error, context.signal.aborted);
      return { file, reason: error.message };
    }
  };
  const outcomes = await inParallel(files, mostPictures, async (each) => {
    const outcome = await turns.take(() => indexFile(each));
    finished += 1;
    if (reasonOf(outcome) !== undefined) skipped += 1;
    context.progress(`${finished}/${files.length}${skipped > 0 ? ` ✗${skipped}` : ''}`);
    return outcome;
  });
  const error = errors.end ?? (skipped === files.length ? errors.passing : undefined);
  if (error) throw withResults(error, resultsOf(outcomes));
  return outcomes;
}

const resultsOf = (outcomes: Outcome[]) => ({
  indexed: rounded(outcomes.flatMap(indexedIn)),
  skipped: skippedOf(outcomes)
});

async function indexAll(context: IndexFace, turns: Semaphore): Promise<Outcome[]> {
  const { RED, inputs } = context;
  const start = workingFolder(RED);
  const folder = await folderOf(inputs.image, 'image', start);
  if (folder !== undefined) return indexFolder(context, await picturesIn(folder, 'image'), turns);
  const image = await readImage(inputs.image, 'image', start, 'file or folder');
  const bytes = 'bytes' in image ? image.bytes.length : 0;
  return [{ answer: await context.hold(bytes, () => indexPicture(context, image)) }];
}

/** The error if no face was indexed. */
function nothing(skipped: Skipped[]): ActionError {
  const [first] = skipped;
  const message = !first
    ? 'Nothing was indexed: there is no JPEG or PNG in the folder.'
    : `Nothing was indexed: ${first.file === undefined ? '' : `${first.file}: `}${first.reason.replace(/\.$/, '')}${skipped.length > 1 ? `; ${skipped.length - 1} more pictures were skipped` : ''}.`;
  return ownError('PartialFailure', message, {
    extra: { results: { skipped } },
    cause: { results: { skipped } }
  });
}

/** The service's answer; for a folder an array with one for each file. */
function rawOf(outcomes: Outcome[]): unknown {
  const raw = outcomes.map(({ file, ...outcome }) => ({
    ...(file !== undefined && { File: file }),
    ...('answer' in outcome ? outcome.answer : { Reason: outcome.reason })
  }));
  return outcomes[0]?.file === undefined ? raw[0] : raw;
}

async function run(context: IndexFace, turns: Semaphore): Promise<Result> {
  const { collection, imageId } = context.inputs;
  const outcomes = await indexAll(context, turns);
  const indexed = outcomes.flatMap(indexedIn);
  const skipped = skippedOf(outcomes);
  if (indexed.length === 0) throw nothing(skipped);
  return {
    parsed: () => ({
      collection,
      imageId,
      externalImageId: toExternalImageId(imageId),
      indexed: rounded(indexed),
      skipped
    }),
    raw: () => rawOf(outcomes)
  };
}

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-rekognition-index-face',
  service: 'rekognition',
  operation: 'IndexFaces',
  fields,
  deploy() {
    // Shared by all folders of a node: if the service hangs, pictures must not fill the memory.
    const turns = new Semaphore(mostPictures);
    return { run: (context) => run(context, turns) };
  }
});
