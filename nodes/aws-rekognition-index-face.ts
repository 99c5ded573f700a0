import type { IndexFacesCommandOutput } from '@aws-sdk/client-rekognition';
import type { Context, Result } from './lib/action';
import { defineAction } from './lib/action';
import { inCollection } from './lib/collection';
import { boxOf } from './lib/detection';
import { ActionError } from './lib/errors';
import { choice, optional } from './lib/fields';
import type { PictureFile } from './lib/folder';
import { folderOf, picturesIn } from './lib/folder';
import type { Picture, StoredPicture } from './lib/image';
import { pictureFrom, readFile, readImage } from './lib/image';
import { present } from './lib/json';
import { idOf } from './lib/names';
import { inParallel } from './lib/parallel';
import { attributesField, collectionField, imageField, nameField, workingFolder } from './lib/picture-fields';
import { own } from './lib/pixels';
import { toService } from './lib/prepare';
import { rounded } from './lib/report';

const fields = {
  collection: collectionField(),
  imageId: nameField,
  image: imageField,
  attributes: optional(attributesField()),
  quality: choice(['AUTO', 'NONE', 'LOW', 'MEDIUM', 'HIGH'], { icon: 'star-half-o' })
};

type IndexFace = Context<'rekognition', typeof fields>;

/** Pictures of a folder that are under way at a time. */
const mostPictures = 5;

type Taught = Omit<IndexFacesCommandOutput, '$metadata'>;

interface Indexed {
  file?: string;
  faceId: string | undefined;
  confidence: number;
  box: ReturnType<typeof boxOf>;
}

/** What came of a picture: the service's answer, or why it was not sent, or refused. */
type Outcome = { file?: string } & ({ taught: Taught } | { reason: string });

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

/** Faults of one picture: others may be all right. */
const ofPicture = new Set([
  'ImageTooLargeException',
  'InvalidImageFormatException',
  'InvalidParameterException',
  'InvalidValue'
]);

/** Teaches the pictures of a folder. What is wrong with one stops no other; what would be wrong with all stops them. */
async function teachFolder(context: IndexFace, files: PictureFile[]): Promise<Outcome[]> {
  let end: ActionError | undefined;
  let finished = 0;
  let skipped = 0;
  const teachFile = async ({ file, path, problem }: PictureFile): Promise<Outcome> => {
    if (problem) return { file, reason: problem };
    if (end) return { file, reason: `not sent after ${end.name}` };
    try {
      const name = 'the picture';
      return { file, taught: await teach(context, pictureFrom(await readFile(path, name), name), name) };
    } catch (thrown) {
      const error = context.toError(thrown);
      if (!ofPicture.has(error.name)) end ??= error;
      return { file, reason: error.message };
    }
  };
  const outcomes = await inParallel(files, mostPictures, async (each) => {
    const outcome = await teachFile(each);
    finished += 1;
    if (reasonOf(outcome) !== undefined) skipped += 1;
    context.progress(`${finished}/${files.length}${skipped > 0 ? ` ✗${skipped}` : ''}`);
    return outcome;
  });
  if (end && skipped === files.length) throw end;
  return outcomes;
}

async function teachAll(context: IndexFace): Promise<Outcome[]> {
  const { RED, inputs } = context;
  const start = workingFolder(RED);
  const folder = await folderOf(inputs.image, 'image', start);
  if (folder !== undefined) return teachFolder(context, await picturesIn(folder, 'image'));
  return [{ taught: await teach(context, await readImage(inputs.image, 'image', start, 'file or folder')) }];
}

/** What to say where nothing was indexed. */
function nothing(skipped: { file?: string; reason: string }[]): ActionError {
  const [first] = skipped;
  const message = !first
    ? 'Nothing was indexed: there is no JPEG or PNG in the folder.'
    : `Nothing was indexed: ${first.file === undefined ? '' : `${first.file}: `}${first.reason.replace(/\.$/, '')}${skipped.length > 1 ? `; ${skipped.length - 1} more pictures were skipped` : ''}.`;
  return new ActionError('PartialFailure', message, {
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

export = defineAction({
  type: 'aws-rekognition-index-face',
  service: 'rekognition',
  operation: 'IndexFaces',
  fields,
  async run(context): Promise<Result> {
    const { collection, imageId } = context.inputs;
    const outcomes = await teachAll(context);
    const indexed = outcomes.flatMap(indexedIn);
    const skipped = outcomes.flatMap((outcome) => {
      const reason = reasonOf(outcome);
      return reason === undefined ? [] : [present({ file: outcome.file, reason }) as { file?: string; reason: string }];
    });
    if (indexed.length === 0) throw nothing(skipped);
    return {
      parsed: () => ({ collection, imageId, externalImageId: idOf(imageId), indexed: rounded(indexed), skipped }),
      raw: () => rawOf(outcomes)
    };
  }
});
