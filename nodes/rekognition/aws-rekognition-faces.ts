import type {
  ComparedFace,
  CompareFacesResponse,
  Face,
  FaceDetail,
  Image,
  UnsuccessfulFaceDeletion
} from '@aws-sdk/client-rekognition';
import type { Context, Result } from '../action/action';
import { defineAction } from '../action/define-action';
import type { ActionError } from '../fields/errors';
import { invalid, missing, ownError, withResults } from '../fields/errors';
import { choice, number, optional } from '../fields/fields';
import { nameOf } from '../fields/thrown';
import { boxOf, rawOf } from './detector';
import type { StoredPicture } from './image';
import { readImage } from './image';
import { peopleIn, personOf } from './people';
import type { Picture } from './picture';
import { collectionField, faceIdsField, knownNameField, pictureField, workingFolder } from './picture-fields';
import { own } from './pixels';
import { toService } from './prepare';
import { rounded } from './report';

const ofCollection = { action: ['list', 'forget'] };
const ofForget = { action: ['forget'] };
const ofCompare = { action: ['compare'] };

/** Throws `MissingValue` if neither a name nor face IDs say what to delete. */
function checkWho(imageId: string | undefined, others: Readonly<Record<string, unknown>>): string | undefined {
  const isMissing = imageId === undefined && 'faceIds' in others && others.faceIds === undefined;
  if (!isMissing || others.action !== 'forget') return imageId;
  throw missing(['imageId', 'faceIds'], ': one of them has to say who is to be forgotten.');
}

export const fields = {
  action: choice(['list', 'forget', 'compare'], { icon: 'address-book-o' }),
  collection: collectionField(ofCollection),
  imageId: { ...optional(knownNameField(ofCollection)), beside: checkWho },
  faceIds: optional(faceIdsField(ofForget)),
  image: pictureField({ value: 'payload', when: ofCompare }),
  target: pictureField({ value: 'target', when: ofCompare }),
  similarity: optional(number({ min: 0, max: 100, takes: 'percent', value: '80', when: ofCompare, icon: 'id-badge' }))
};

type Faces = Context<'rekognition', typeof fields>;

/** The API's name of each action. */
const operations = { list: 'ListFaces', forget: 'DeleteFaces', compare: 'CompareFaces' };

/** Faces that the service lists, or deletes, at a time. */
const mostFaces = 4096;

/** All faces of the collection, or those of the name that is asked for. */
async function knownFaces({ sdk, inputs: { collection, imageId }, send }: Faces): Promise<Face[]> {
  const name = imageId?.normalize('NFC');
  const known: Face[] = [];
  let next: string | undefined;
  do {
    const request = { CollectionId: collection, MaxResults: mostFaces, NextToken: next };
    const { Faces = [], NextToken } = await send(new sdk.ListFacesCommand(request));
    for (const face of Faces) if (name === undefined || personOf(face) === name) known.push(face);
    next = NextToken;
  } while (next);
  return known;
}

const placeOf = ({ BoundingBox, Confidence = 0 }: ComparedFace) => ({
  confidence: Confidence,
  box: boxOf(BoundingBox)
});

const faceOf = (face: Face) => ({ faceId: face.FaceId, ...placeOf(face) });

async function list(context: Faces): Promise<Result> {
  const known = await knownFaces(context);
  return {
    parsed() {
      const people = peopleIn(known).map(([name, faces]) => ({ name, faces: rounded(faces.map(faceOf)) }));
      return { collection: context.inputs.collection, count: people.length, people };
    },
    raw: () => ({ Faces: known })
  };
}

/** What became of faces that were to be deleted, as the service says it. */
interface Deletions {
  DeletedFaces: string[];
  UnsuccessfulFaceDeletions: UnsuccessfulFaceDeletion[];
}

/** Deletes faces. If that fails in between, the error has in its results what was deleted before. */
async function deleteFaces({ sdk, inputs, send, toError }: Faces, faceIds: readonly string[]): Promise<Deletions> {
  const deletions: Deletions = { DeletedFaces: [], UnsuccessfulFaceDeletions: [] };
  const { DeletedFaces, UnsuccessfulFaceDeletions } = deletions;
  for (let from = 0; from < faceIds.length; from += mostFaces) {
    const FaceIds = faceIds.slice(from, from + mostFaces);
    try {
      const answer = await send(new sdk.DeleteFacesCommand({ CollectionId: inputs.collection, FaceIds }));
      DeletedFaces.push(...(answer.DeletedFaces ?? []));
      UnsuccessfulFaceDeletions.push(...(answer.UnsuccessfulFaceDeletions ?? []));
    } catch (thrown) {
      throw DeletedFaces.length > 0 ? withResults(toError(thrown), { deleted: DeletedFaces }) : thrown;
    }
  }
  // A face counts as deleted only if the service says so.
  const told = new Set([...DeletedFaces, ...UnsuccessfulFaceDeletions.map(({ FaceId }) => FaceId)]);
  for (const FaceId of faceIds) if (!told.has(FaceId)) UnsuccessfulFaceDeletions.push({ FaceId });
  return deletions;
}

/** The text for faces that were not deleted, with their IDs and the service's reasons. */
function notDeleted(deleted: string[], left: readonly UnsuccessfulFaceDeletion[]): ActionError {
  const failed = left.map(({ FaceId, Reasons = [] }) => ({
    faceId: FaceId,
    reason: Reasons.join(', ') || 'no reason'
  }));
  const [first] = failed;
  const others = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
  const message = `Not every face was deleted: AWS kept ${first?.faceId} (${first?.reason})${others}.`;
  const results = { deleted, failed };
  return ownError('PartialFailure', message, { extra: { results }, cause: { results } });
}

const isGone = ({ Reasons = [] }: UnsuccessfulFaceDeletion): boolean => Reasons.includes('FACE_NOT_FOUND');

async function forget(context: Faces): Promise<Result> {
  const { collection, imageId, faceIds } = context.inputs;
  const named = faceIds ?? (await knownFaces(context)).map(({ FaceId = '' }) => FaceId);
  const deletions = await deleteFaces(context, named);
  const { DeletedFaces: deleted, UnsuccessfulFaceDeletions: failed } = deletions;
  // By name: a face that somebody else has deleted since it was listed is forgotten too.
  const left = faceIds ? failed : failed.filter((face) => !isGone(face));
  if (left.length > 0) throw notDeleted(deleted, left);
  return { parsed: () => ({ collection, ...(!faceIds && { imageId }), deleted }), raw: () => deletions };
}

/** What a comparison comes to, as the service says it. */
type Comparison = Pick<CompareFacesResponse, 'SourceImageFace' | 'FaceMatches' | 'UnmatchedFaces'>;

const areaOf = ({ BoundingBox: { Width = 0, Height = 0 } = {} }: FaceDetail): number => Width * Height;

/** The service finds no face in one of the pictures, and does not say in which. Throws `InvalidValue` if it is in `image`. */
async function withoutFace({ sdk, send }: Faces, Image: Image): Promise<Comparison> {
  const { FaceDetails = [] } = await send(new sdk.DetectFacesCommand({ Image }));
  const [largest] = FaceDetails.sort((one, other) => areaOf(other) - areaOf(one));
  if (!largest) throw invalid('image', 'must show the face to look for, but no face was found in it.');
  const { BoundingBox, Confidence } = largest;
  return { SourceImageFace: { BoundingBox, Confidence }, FaceMatches: [], UnmatchedFaces: [] };
}

async function compareIn(context: Faces, image: Picture | StoredPicture, target: Picture | StoredPicture) {
  const { sdk, inputs, node, send, signal } = context;
  for (const picture of [image, target]) if ('bytes' in picture) own(picture, { node: node.id, source: '' });
  const SourceImage = await toService(image, {}, signal, 'image');
  const TargetImage = await toService(target, {}, signal, 'target');
  const request = { SourceImage, TargetImage, SimilarityThreshold: inputs.similarity };
  try {
    return rawOf(await send(new sdk.CompareFacesCommand(request)));
  } catch (thrown) {
    if (nameOf(thrown) !== 'InvalidParameterException') throw thrown;
    return withoutFace(context, SourceImage);
  }
}

const bytesOf = (picture: Picture | StoredPicture): number => ('bytes' in picture ? picture.bytes.length : 0);

async function compare(context: Faces): Promise<Result> {
  const { inputs, RED } = context;
  const image = await readImage(inputs.image, 'image', workingFolder(RED));
  const target = await readImage(inputs.target, 'target', workingFolder(RED));
  const both = bytesOf(image) + bytesOf(target);
  const answer: Comparison = await context.hold(both, () => compareIn(context, image, target));
  const { SourceImageFace = {}, FaceMatches = [], UnmatchedFaces = [] } = answer;
  return {
    parsed: () =>
      rounded({
        matches: FaceMatches.map(({ Similarity, Face = {} }) => ({ similarity: Similarity, ...placeOf(Face) })),
        unmatched: UnmatchedFaces.length,
        source: placeOf(SourceImageFace)
      }),
    raw: () => answer
  };
}

const actions = { list, forget, compare };

export const node = /* @__PURE__ */ defineAction({
  type: 'aws-rekognition-faces',
  service: 'rekognition',
  operation: ({ action = 'list' }) => operations[action],
  fields,
  run: (context) => actions[context.inputs.action](context)
});
