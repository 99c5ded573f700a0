import type { FaceDetail, FaceMatch, Image } from '@aws-sdk/client-rekognition';
import { inParallel } from '../action/parallel';
import { nameOf, reasonOf } from '../fields/thrown';
import { inCollection } from './collection';
import type { Detector, DetectorCall, Finding, Query } from './detector';
import { boxOf, faceOf } from './detector';
import { personOf } from './people';
import type { Picture } from './picture';
import { cutFaces } from './pixels';

/** How many searches run at the same time: a picture may show a hundred faces. */
const mostSearches = 5;

/** The most matches of a search; the service returns the best ones first. */
const mostMatches = 5;

const wholePicture = { left: 0, top: 0, width: 1, height: 1 };

interface IdentifiedFace {
  Detail: FaceDetail;
  Matches: FaceMatch[];
}

/** Searches the collection for the largest face of a picture. The face is not added to the collection. */
async function search(call: DetectorCall, image: Image, { collection = '', similarity }: Query): Promise<FaceMatch[]> {
  const { sdk, send } = call;
  const request = {
    CollectionId: collection,
    Image: image,
    FaceMatchThreshold: similarity,
    MaxFaces: mostMatches
  };
  try {
    const { FaceMatches = [] } = await inCollection(call, collection, () =>
      send(new sdk.SearchFacesByImageCommand(request))
    );
    return FaceMatches;
  } catch (error) {
    if (sawNoFace(error)) return [];
    throw error;
  }
}

/** Whether the service found no face, which can happen if a face was cut out of the picture. */
const sawNoFace = (error: unknown): boolean =>
  nameOf(error) === 'InvalidParameterException' && /no faces/i.test(reasonOf(error));

/** A face, and the picture in which to search for it. */
interface VisibleFace {
  Detail: FaceDetail;
  image: Image;
}

/** A picture for each face, in which the other faces are covered; the whole picture if there is only one face. */
async function coverOthers(
  faces: FaceDetail[],
  image: Image,
  picture: Picture | undefined,
  signal: AbortSignal
): Promise<VisibleFace[]> {
  if (faces.length <= 1) return faces.map((Detail) => ({ Detail, image }));
  if (!picture) throw new Error('Only a picture that is here can be cut.');
  const boxes = faces.map(({ BoundingBox }) => boxOf(BoundingBox) ?? wholePicture);
  const pictures = await cutFaces(picture, boxes, signal);
  return faces.map((Detail, index) => ({ Detail, image: { Bytes: pictures[index] } }));
}

function findingOf({ Detail, Matches: [best] }: IdentifiedFace): Finding {
  const { Face = {} } = best ?? {};
  const name = personOf(Face) || 'unknown';
  return {
    name,
    confidence: Detail.Confidence ?? 0,
    box: boxOf(Detail.BoundingBox),
    certainty: best?.Similarity,
    details: {
      face: faceOf(Detail),
      match: best ? { name, similarity: best.Similarity, faceId: Face.FaceId } : null
    }
  };
}

/** Detects all faces, then searches the collection for those with enough confidence. */
export const identify: Detector = {
  api: 'SearchFacesByImage',
  async detect(call, image, query, picture) {
    const { sdk, send, signal } = call;
    const { attributes, confidence: least = 0 } = query;
    const answer = await send(new sdk.DetectFacesCommand({ Image: image, Attributes: attributes }));
    const faces = await coverOthers(answer.FaceDetails ?? [], image, picture, signal);
    const sure = faces.filter(({ Detail: { Confidence = 0 } }) => Confidence >= least);
    const Faces = await inParallel(sure, mostSearches, async ({ Detail, image }) => ({
      Detail,
      Matches: await search(call, image, query)
    }));
    return { raw: { Faces }, findings: Faces.map(findingOf) };
  }
};
