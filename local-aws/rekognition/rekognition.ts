import type {
  Celebrity as CelebrityFace,
  FaceRecord,
  ModerationLabel,
  TextDetection,
  UnindexedFace
} from '@aws-sdk/client-rekognition';
import * as client from '@aws-sdk/client-rekognition';
import { unknownOperation } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { checkOutput, knowClient } from '../server/schema';
import type { Principal } from '../server/sign-ins';
import {
  type Collection,
  Collections,
  faceModelVersion,
  findCollection,
  keepFace,
  pageOf,
  similarity
} from './collections';
import { peopleWithEquipment, summarize } from './equipment';
import { boundingBox, comparedFace, faceDetail } from './face-details';
import type { FaceSight } from './face-sight';
import { labelsOf } from './labels';
import type { Celebrity } from './palette';
import { imageProperties } from './quality';
import {
  authorize,
  checkInput,
  type ImageMember,
  type Input,
  invalidFormat,
  invalidParameters,
  readImage,
  refuse,
  rules
} from './rekognition-rules';
import { clamp, look, type Seen } from './vision';

/** What an operation works with. */
interface Work {
  readonly input: Input;
  readonly call: ServiceCall;
  readonly principal: Principal;
  /** The account's collections in the region, by id. */
  readonly collections: Map<string, Collection>;
  readonly see: (member?: ImageMember) => Promise<Seen>;
  /** The picture's bytes. */
  readonly image: (member?: ImageMember) => Buffer;
}

type Output = Record<string, unknown>;
type Operation = (work: Work) => Output | Promise<Output>;

/** Rekognition, for the pictures of `drawings`. */
export class Rekognition {
  /** Those of all accounts and regions. */
  readonly collections = new Collections();

  constructor() {
    knowClient('rekognition', client);
  }

  /** Answers a verified call. Throws AwsError. */
  async answer(call: ServiceCall, principal: Principal): Promise<Answer> {
    const operation = Object.hasOwn(rules, call.operation) ? operations[call.operation] : undefined;
    if (!operation) throw unknownOperation(call);
    authorize(call, principal);
    checkInput(call);
    const read = new Map<ImageMember, Buffer>();
    const image = (member: ImageMember = 'Image') => {
      const bytes = read.get(member) ?? readImage(call, member, principal);
      read.set(member, bytes);
      return bytes;
    };
    const see = (member?: ImageMember) => lookAt(image(member));
    const collections = this.collections.in(principal.account, call.region);
    const output = await operation({ input: call.input, call, principal, collections, image, see });
    checkOutput('rekognition', `${call.operation}Response`, output);
    const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': call.requestId };
    return { status: 200, headers, body: JSON.stringify(onWire(output)) };
  }
}

async function lookAt(bytes: Buffer): Promise<Seen> {
  try {
    return await look(bytes);
  } catch {
    throw invalidFormat();
  }
}

/** The service's fractions have 32 bits, and its times are seconds. */
function onWire(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Math.fround(value);
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(onWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, onWire(each)]));
}

const operations: Readonly<Record<string, Operation>> = {
  DetectLabels: detectLabels,
  DetectFaces: detectFaces,
  DetectText: async ({ see }) => ({ TextDetections: textDetections(await see()), TextModelVersion: '3.0' }),
  DetectModerationLabels: detectModerationLabels,
  RecognizeCelebrities: recognizeCelebrities,
  DetectProtectiveEquipment: detectProtectiveEquipment,
  CreateCollection: createCollection,
  DeleteCollection: deleteCollection,
  DescribeCollection: describeCollection,
  ListCollections: listCollections,
  IndexFaces: indexFaces,
  SearchFacesByImage: searchFacesByImage,
  CompareFaces: compareFaces,
  ListFaces: listFaces,
  DeleteFaces: deleteFaces
};

interface LabelSettings {
  readonly GeneralLabels?: { readonly LabelInclusionFilters?: string[]; readonly LabelExclusionFilters?: string[] };
  readonly ImageProperties?: { readonly MaxDominantColors?: number };
}

async function detectLabels({ input, see }: Work): Promise<Output> {
  const seen = await see();
  const {
    MinConfidence = 55,
    MaxLabels = 1000,
    Features = ['GENERAL_LABELS']
  } = input as {
    MinConfidence?: number;
    MaxLabels?: number;
    Features?: string[];
  };
  const { GeneralLabels = {}, ImageProperties = {} } = (input.Settings ?? {}) as LabelSettings;
  const { MaxDominantColors = 10 } = ImageProperties;
  const { LabelInclusionFilters: only = [], LabelExclusionFilters: without = [] } = GeneralLabels;
  const labels = labelsOf(seen)
    .filter(({ Confidence = 0 }) => Confidence >= MinConfidence)
    .filter(({ Name = '' }) => (only.length === 0 || only.includes(Name)) && !without.includes(Name))
    .slice(0, MaxLabels);
  return {
    ...(Features.includes('GENERAL_LABELS') ? { Labels: labels } : {}),
    LabelModelVersion: '3.0',
    ...(Features.includes('IMAGE_PROPERTIES')
      ? { ImageProperties: imageProperties(seen.pixels, MaxDominantColors) }
      : {})
  };
}

async function detectFaces({ input, see }: Work): Promise<Output> {
  const { Attributes = ['DEFAULT'] } = input as { Attributes?: string[] };
  const { faces } = await see();
  return { FaceDetails: faces.slice(0, 100).map((face) => faceDetail(face, Attributes)) };
}

/** Lines first, then their words: ids count on. */
function textDetections({ signs }: Seen): TextDetection[] {
  const lines: TextDetection[] = [];
  const words: TextDetection[] = [];
  const all = signs.flatMap(({ lines: of, confidence }) => of.map((line) => ({ ...line, confidence })));
  for (const [Id, { line, box, confidence }] of all.entries()) {
    lines.push({ DetectedText: line, Type: 'LINE', Id, Confidence: confidence, Geometry: geometry(box) });
  }
  for (const [ParentId, { words: of, confidence }] of all.entries()) {
    for (const { word, box } of of) {
      const Id = lines.length + words.length;
      words.push({ DetectedText: word, Type: 'WORD', Id, ParentId, Confidence: confidence, Geometry: geometry(box) });
    }
  }
  return [...lines, ...words].slice(0, 100);
}

function geometry(box: FaceSight['box']): NonNullable<TextDetection['Geometry']> {
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  const corners = [
    [box.left, box.top],
    [right, box.top],
    [right, bottom],
    [box.left, bottom]
  ] as const;
  return { BoundingBox: boundingBox(box), Polygon: corners.map(([X, Y]) => ({ X, Y })) };
}

async function detectModerationLabels({ input, see }: Work): Promise<Output> {
  const { MinConfidence = 50 } = input as { MinConfidence?: number };
  const { things } = await see();
  const sure = (kind: string) =>
    Math.max(0, ...things.filter((each) => each.kind === kind).map((each) => each.confidence));
  const labels: ModerationLabel[] = [
    { Name: 'Alcohol', Confidence: sure('bottle'), ParentName: '', TaxonomyLevel: 1 },
    { Name: 'Alcoholic Beverages', Confidence: sure('bottle'), ParentName: 'Alcohol', TaxonomyLevel: 2 },
    { Name: 'Gambling', Confidence: sure('dice'), ParentName: '', TaxonomyLevel: 1 }
  ];
  return {
    ModerationLabels: labels
      .filter(({ Confidence = 0 }) => Confidence > 0 && Confidence >= MinConfidence)
      .sort((one, other) => (other.Confidence ?? 0) - (one.Confidence ?? 0)),
    ModerationModelVersion: '7.0',
    ContentTypes: [{ Name: 'Illustrated', Confidence: 98.7 }]
  };
}

async function recognizeCelebrities({ see }: Work): Promise<Output> {
  const { faces } = await see();
  const known: CelebrityFace[] = [];
  for (const face of faces) {
    if (!('id' in face.who)) continue;
    const { id, name, urls, gender } = face.who as Celebrity;
    const MatchConfidence = similarity(face.colour, face.who.face);
    const Face = comparedFace(face);
    known.push({ Urls: [...urls], Name: name, Id: id, Face, MatchConfidence, KnownGender: { Type: gender } });
  }
  const others = faces.filter(({ who }) => !('id' in who));
  return { CelebrityFaces: known, UnrecognizedFaces: others.map(comparedFace) };
}

async function detectProtectiveEquipment({ input, see }: Work): Promise<Output> {
  const { SummarizationAttributes: asked } = input as {
    SummarizationAttributes?: { MinConfidence?: number; RequiredEquipmentTypes?: string[] };
  };
  const { MinConfidence, RequiredEquipmentTypes = [] } = asked ?? {};
  const known = RequiredEquipmentTypes.every((each) => ['FACE_COVER', 'HAND_COVER', 'HEAD_COVER'].includes(each));
  if (asked && (!known || !(MinConfidence !== undefined && MinConfidence >= 50 && MinConfidence <= 100))) {
    throw invalidParameters();
  }
  const people = peopleWithEquipment(await see()).slice(0, 15);
  return {
    ProtectiveEquipmentModelVersion: '1.0',
    Persons: people,
    ...(asked ? { Summary: summarize(people, RequiredEquipmentTypes, MinConfidence ?? 50) } : {})
  };
}

function idIn(input: Input): string {
  return String(input.CollectionId);
}

function createCollection({ input, call, principal, collections }: Work): Output {
  const id = idIn(input);
  if (collections.has(id)) {
    throw refuse('ResourceAlreadyExistsException', `The collection id: ${id} already exists`);
  }
  const name = `rekognition:${call.region}:${principal.account}:collection/${id}`;
  collections.set(id, { id, arn: `arn:aws:${name}`, created: new Date(), faces: new Map() });
  // Without `arn:`, as in the answers of the service.
  return { StatusCode: 200, CollectionArn: `aws:${name}`, FaceModelVersion: faceModelVersion };
}

function deleteCollection({ input, collections }: Work): Output {
  const { id } = findCollection(collections, idIn(input));
  collections.delete(id);
  return { StatusCode: 200 };
}

function describeCollection({ input, collections }: Work): Output {
  const { arn, created, faces } = findCollection(collections, idIn(input));
  return {
    FaceCount: faces.size,
    FaceModelVersion: faceModelVersion,
    CollectionARN: arn,
    CreationTimestamp: created,
    UserCount: 0
  };
}

function listCollections({ input, collections }: Work): Output {
  const { MaxResults = 0, NextToken } = input as { MaxResults?: number; NextToken?: string };
  const { page, next } = pageOf([...collections.keys()].sort(), MaxResults, NextToken);
  return {
    CollectionIds: page,
    FaceModelVersions: page.map(() => faceModelVersion),
    ...(next ? { NextToken: next } : {})
  };
}

/** Sharpness that a face needs to pass the filter. */
const sharpEnough: Readonly<Record<string, number>> = { NONE: 0, LOW: 20, AUTO: 30, MEDIUM: 45, HIGH: 70 };

function isGood({ sharpness, masked }: FaceSight, filter: string): boolean {
  return sharpness >= (sharpEnough[filter] ?? 0) && !(masked && filter !== 'NONE' && filter !== 'LOW');
}

async function indexFaces({ input, collections, image, see }: Work): Promise<Output> {
  const {
    ExternalImageId,
    MaxFaces = 100,
    QualityFilter = 'AUTO',
    DetectionAttributes = ['DEFAULT']
  } = input as {
    ExternalImageId?: string;
    MaxFaces?: number;
    QualityFilter?: string;
    DetectionAttributes?: string[];
  };
  const bytes = image();
  findCollection(collections, idIn(input));
  const { faces } = await see();
  // It may have been deleted while the picture was looked at.
  const collection = findCollection(collections, idIn(input));
  const records: FaceRecord[] = [];
  const unindexed: UnindexedFace[] = [];
  for (const face of faces) {
    const FaceDetail = faceDetail(face, DetectionAttributes);
    if (!isGood(face, QualityFilter)) {
      unindexed.push({ FaceDetail, Reasons: ['LOW_FACE_QUALITY'] });
    } else if (records.length >= Math.min(100, MaxFaces)) {
      unindexed.push({ FaceDetail, Reasons: ['EXCEEDS_MAX_FACES'] });
    } else {
      const Face = keepFace(collection, face, boundingBox(clamp(face.box)), bytes, ExternalImageId);
      records.push({ Face, FaceDetail });
    }
  }
  return { FaceRecords: records, FaceModelVersion: faceModelVersion, UnindexedFaces: unindexed };
}

async function searchFacesByImage({ input, collections, image, see }: Work): Promise<Output> {
  const {
    FaceMatchThreshold = 80,
    MaxFaces = 80,
    QualityFilter = 'NONE'
  } = input as {
    FaceMatchThreshold?: number;
    MaxFaces?: number;
    QualityFilter?: string;
  };
  image();
  findCollection(collections, idIn(input));
  const seen = await see();
  const collection = findCollection(collections, idIn(input));
  const [largest] = seen.faces.filter((face) => isGood(face, QualityFilter));
  if (!largest) throw invalidParameters('There are no faces in the image. Should be at least 1.');
  const matches = [...collection.faces.values()]
    .map(({ face, colour }) => ({ Similarity: similarity(colour, largest.colour), Face: face }))
    .filter((match) => match.Similarity >= FaceMatchThreshold)
    .sort((one, other) => other.Similarity - one.Similarity)
    .slice(0, MaxFaces);
  return {
    SearchedFaceBoundingBox: boundingBox(largest.box),
    SearchedFaceConfidence: largest.confidence,
    FaceMatches: matches,
    FaceModelVersion: faceModelVersion
  };
}

async function compareFaces({ input, image, see }: Work): Promise<Output> {
  const { SimilarityThreshold = 80, QualityFilter = 'NONE' } = input as {
    SimilarityThreshold?: number;
    QualityFilter?: string;
  };
  image('SourceImage');
  image('TargetImage');
  const good = (face: FaceSight) => isGood(face, QualityFilter);
  const [largest] = (await see('SourceImage')).faces.filter(good);
  const others = (await see('TargetImage')).faces.filter(good).slice(0, 100);
  // The service does not say which of the two it is about.
  if (!largest || others.length === 0) throw invalidParameters();
  const compared = others.map((face) => ({
    Similarity: similarity(largest.colour, face.colour),
    Face: comparedFace(face)
  }));
  return {
    SourceImageFace: { BoundingBox: boundingBox(largest.box), Confidence: largest.confidence },
    FaceMatches: compared
      .filter((match) => match.Similarity >= SimilarityThreshold)
      .sort((one, other) => other.Similarity - one.Similarity),
    UnmatchedFaces: compared.filter((match) => match.Similarity < SimilarityThreshold).map(({ Face }) => Face)
  };
}

function listFaces({ input, collections }: Work): Output {
  const {
    MaxResults = 0,
    NextToken,
    FaceIds
  } = input as { MaxResults?: number; NextToken?: string; FaceIds?: string[] };
  const { faces } = findCollection(collections, idIn(input));
  const all = [...faces.values()].map(({ face }) => face);
  const wanted = FaceIds ? all.filter(({ FaceId }) => FaceIds.includes(FaceId)) : all;
  const { page, next } = pageOf(wanted, MaxResults, NextToken);
  return { Faces: page, FaceModelVersion: faceModelVersion, ...(next ? { NextToken: next } : {}) };
}

function deleteFaces({ input, collections }: Work): Output {
  const { faces } = findCollection(collections, idIn(input));
  const ids = [...new Set(input.FaceIds as string[])];
  const deleted = ids.filter((id) => faces.delete(id));
  const unknown = ids.filter((id) => !deleted.includes(id));
  return {
    DeletedFaces: deleted,
    UnsuccessfulFaceDeletions: unknown.map((FaceId) => ({ FaceId, Reasons: ['FACE_NOT_FOUND'] }))
  };
}
