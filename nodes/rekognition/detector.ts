import type { Attribute, BoundingBox, FaceDetail, Image } from '@aws-sdk/client-rekognition';
import type { Client } from '../account/client';
import type { Answer, Command, Sdks } from '../account/sdks';
import type { Box } from './boxes';
import type { Picture } from './picture';

/** A piece of protective equipment that a person wears. */
export interface Equipment {
  name: string;
  bodyPart: string;
  /** Whether it covers the body part. */
  covers: boolean;
  confidence: number;
  box: Box | undefined;
}

/** An object, face, text or label that was found in a picture. */
export interface Finding {
  /** In lower case, except for the names of people, which are spelled as in the collection or by AWS. */
  name: string;
  /** Percent. */
  confidence: number;
  /** Absent for what has no place in the picture, such as a label for the whole scene. */
  box?: Box | undefined;
  /** Other names by which it can be a target, such as those of what it is a kind of. */
  aliases?: readonly string[];
  /** What it is a kind of, where the service counts that as found as well. */
  parent?: string;
  /** A part of something else that counts: it does not count itself. */
  part?: true;
  equipment?: Equipment[];
  /** The parts of a person that are to be seen, covered or not. */
  bodyParts?: readonly string[];
  /** What else the operation says of it. */
  details?: Record<string, unknown>;
  /** The text on the annotated picture; default: the name. */
  caption?: string;
  /**
   * The confidence in the name, percent, if that differs from `confidence`: a face is certain, whose it is may not be.
   */
  certainty?: number | undefined;
}

/** The service's answer for a picture, and the findings in it. */
interface Detected {
  raw: object;
  findings: Finding[];
  /** How good the picture itself is, where that was asked for. */
  quality?: Quality;
}

/** Percent each, and the main colours by how much of the picture they fill. */
export interface Quality {
  brightness: number | undefined;
  sharpness: number | undefined;
  contrast: number | undefined;
  colors: { name: string | undefined; hex: string | undefined; percent: number | undefined }[];
}

/** What to look for. */
export interface Query {
  /** The least confidence that is needed, percent; absent: the service's own default. */
  confidence: number | undefined;
  maxLabels: number | undefined;
  imageQuality: boolean;
  attributes: Attribute[] | undefined;
  collection: string | undefined;
  similarity: number | undefined;
}

/** The part of a call that detectors use. */
export interface DetectorCall {
  sdk: Sdks['rekognition'];
  client: Client;
  send<Output extends Answer>(command: Command<Output>): Promise<Output>;
  /** Aborted when the message has to end. */
  signal: AbortSignal;
}

/** How a picture is analysed for one value of the property `operation`. */
export interface Detector {
  /** AWS's name of the operation. */
  api: string;
  /** The most bytes of a picture; absent: as for most operations. */
  mostBytes?: number;
  /** Whether findings without a place in the picture count even if they are not among the targets. */
  countsLabels?: true;
  /** Rejects with the SDK's error. `picture` is absent if the picture is in S3. */
  detect(call: DetectorCall, image: Image, query: Query, picture: Picture | undefined): Promise<Detected>;
}

export const boxOf = (box: BoundingBox | undefined): Box | undefined =>
  box && { left: box.Left ?? 0, top: box.Top ?? 0, width: box.Width ?? 0, height: box.Height ?? 0 };

/** Names in results are in lower case. */
export const lower = (name: string | undefined) => (name ?? '').toLowerCase();

/** The service's answer without what the SDK adds. */
export function rawOf<Output extends Answer>({ $metadata, ...raw }: Output): Omit<Output, '$metadata'> {
  return raw;
}

/** What the service says about a face, except for its place. */
export function faceOf({
  BoundingBox,
  Confidence,
  ...face
}: FaceDetail): Omit<FaceDetail, 'BoundingBox' | 'Confidence'> {
  return face;
}
