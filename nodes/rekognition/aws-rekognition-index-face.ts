import type { IndexFacesCommandOutput } from '@aws-sdk/client-rekognition';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import { inParallel, Turns } from '../action/parallel';
import type { ActionError } from '../fields/errors';
import { ownError } from '../fields/errors';
import { choice, optional } from '../fields/fields';
import { inCollection } from './collection';
import type { PictureFile } from './folder';
import { folderOf, picturesIn } from './folder';
import type { Picture, StoredPicture } from './image';
import { pictureFrom, readFile, readImage } from './image';
import { idOf } from './names';
import { boxOf } from './operation';
import { attributesField, collectionField, imageField, nameField, workingFolder } from './picture-fields';
import { own } from './pixels';
import { toService } from './prepare';
import { rounded } from './report';

const fields = {
  collection: collectionField(),
  imageId: nameField,
  image: imageField,
  attributes: optional(attributesField()),
  quality: choice(['AUTO', 'NONE', 'LOW', 'MEDIUM', 'HIGH'], { icon: 'star-half-o' })
};

type IndexFace = Context<'rekognition', typeof fields>;

/** Pictures of folders that are under way at a time. */
const mostPictures = 5;

type Taught = Omit<IndexFacesCommandOutput, '$metadata'>;

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

/** What came of a picture: the service's answer, or why it was not sent, or refused. */
type Outcome = { file?: string } & ({ taught: Taught } | { reason: string });

/** Faults in a row that may pass: as many would be those of all. */
const mostInARow = 2 * mostPictures;

/** Teaches the largest face of a picture; `name` is what an error calls the picture. */
async function teach(context: IndexFace, image: Picture | StoredPicture, name = 'image'): Promise<Taught> {
  const { sdk, inputs, node, send, signal } = context;
  const { collection, imageId, attributes, quality } = inputs;
  if ('bytes' in image) own(image, { node: node.id, source: '' });
  const command = {
    CollectionId: collection,
    ExternalImageId: idOf(imageId),
    Image: await toService(image, {}, signal, name),
    DetectionAttributes: attributes,
    QualityFilter: quality,
    MaxFaces: 1
  };
  const output = await inCollection(context, collection, () => send(new sdk.IndexFacesCommand(command)));
  const { $metadata, ...taught } = output;
  return taught;
}

const indexedIn = (outcome: Outcome): Indexed[] => {
  if (!('taught' in outcome)) return [];
  return (outcome.taught.FaceRecords ?? []).map(({ Face }) => ({
    ...(outcome.file !== undefined && { file: outcome.file }),
    faceId: Face?.FaceId,
    confidence: Face?.Confidence ?? 0,
    box: boxOf(Face?.BoundingBox)
  }));
};

/** Why nothing of a picture was indexed; `undefined` where something was. Smaller faces than the largest do not matter. */
function reasonOf(outcome: Outcome): string | undefined {
  if ('reason' in outcome) return outcome.reason;
  const { FaceRecords = [], UnindexedFaces = [] } = outcome.taught;
  if (FaceRecords.length > 0) return undefined;
  const reasons = new Set(UnindexedFaces.flatMap(({ Reasons = [] }) => Reasons));
  return reasons.size > 0 ? [...reasons].join(', ') : 'no face was found';
}

const skippedOf = (outcomes: Outcome[]): Skipped[] =>
  outcomes.flatMap((outcome) => {
    const reason = reasonOf(outcome);
    return reason === undefined ? [] : [{ ...(outcome.file !== undefined && { file: outcome.file }), reason }];
  });

/** Faults of one picture: others may be all right. */
const ofPicture = new Set([
  'ImageTooLargeException',
  'InvalidImageFormatException',
  'InvalidParameterException',
  'InvalidValue'
]);

/** What stands in the way of a folder's pictures. */
class Obstacles {
  /** What would be wrong with all of them. */
  end: ActionError | undefined;
  /** The first fault that may pass, and how many there were in a row. */
  passing: ActionError | undefined;
  #row = 0;

  /** A picture has been taught. */
  passed(): void {
    this.#row = 0;
  }

  /** A picture could not be taught. */
  met(error: ActionError, isOver: boolean): void {
    if (ofPicture.has(error.name)) return;
    this.#row += 1;
    const mayPass = error.retryable && !isOver;
    if (mayPass) this.passing ??= error;
    if (!mayPass || this.#row >= mostInARow) this.end ??= error;
  }
}

/**
 * Teaches the pictures of a folder. What is wrong with one, or may pass, stops no other; what would be wrong with all stops
 * them. Throws that, with what came of the pictures; and what may pass where nothing was taught.
 */
async function teachFolder(context: IndexFace, files: PictureFile[], turns: Turns): Promise<Outcome[]> {
  const obstacles = new Obstacles();
  let finished = 0;
  let skipped = 0;
  const teachFile = async ({ file, path, problem }: PictureFile): Promise<Outcome> => {
    if (problem) return { file, reason: problem };
    if (obstacles.end) return { file, reason: `not sent after ${obstacles.end.name}` };
    try {
      const name = 'the picture';
      const taught = await teach(context, pictureFrom(await readFile(path, name), name), name);
      obstacles.passed();
      return { file, taught };
    } catch (thrown) {
      const error = context.toError(thrown);
      obstacles.met(error, context.signal.aborted);
      return { file, reason: error.message };
    }
  };
  const outcomes = await inParallel(files, mostPictures, async (each) => {
    const outcome = await turns.take(() => teachFile(each));
    finished += 1;
    if (reasonOf(outcome) !== undefined) skipped += 1;
    context.progress(`${finished}/${files.length}${skipped > 0 ? ` ✗${skipped}` : ''}`);
    return outcome;
  });
  const obstacle = obstacles.end ?? (skipped === files.length ? obstacles.passing : undefined);
  if (obstacle) throw withResults(obstacle, outcomes);
  return outcomes;
}

/** The error, with what was taught and what was not. */
function withResults(error: ActionError, outcomes: Outcome[]): ActionError {
  const results = { indexed: rounded(outcomes.flatMap(indexedIn)), skipped: skippedOf(outcomes) };
  if (error.cause) Object.assign(error.cause, { results });
  return Object.assign(error, { results });
}

async function teachAll(context: IndexFace, turns: Turns): Promise<Outcome[]> {
  const { RED, inputs } = context;
  const start = workingFolder(RED);
  const folder = await folderOf(inputs.image, 'image', start);
  if (folder !== undefined) return teachFolder(context, await picturesIn(folder, 'image'), turns);
  const image = await readImage(inputs.image, 'image', start, 'file or folder');
  const bytes = 'bytes' in image ? image.bytes.length : 0;
  return [{ taught: await context.hold(bytes, () => teach(context, image)) }];
}

/** What to say where nothing was indexed. */
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

/** The service's own answer; of a folder one for each file. */
function rawOf(outcomes: Outcome[]): unknown {
  const raw = outcomes.map(({ file, ...outcome }) => ({
    ...(file !== undefined && { File: file }),
    ...('taught' in outcome ? outcome.taught : { Reason: outcome.reason })
  }));
  return outcomes[0]?.file === undefined ? raw[0] : raw;
}

async function run(context: IndexFace, turns: Turns): Promise<Result> {
  const { collection, imageId } = context.inputs;
  const outcomes = await teachAll(context, turns);
  const indexed = outcomes.flatMap(indexedIn);
  const skipped = skippedOf(outcomes);
  if (indexed.length === 0) throw nothing(skipped);
  return {
    parsed: () => ({ collection, imageId, externalImageId: idOf(imageId), indexed: rounded(indexed), skipped }),
    raw: () => rawOf(outcomes)
  };
}

export = defineAction({
  type: 'aws-rekognition-index-face',
  service: 'rekognition',
  operation: 'IndexFaces',
  fields,
  deploy() {
    // For all folders of a node together: a service that hangs must not fill the memory with pictures.
    const turns = new Turns(mostPictures);
    return { run: (context) => run(context, turns) };
  }
});
