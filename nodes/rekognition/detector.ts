import type { Attribute, BoundingBox, FaceDetail, Image } from '@aws-sdk/client-rekognition';
import type { Client } from '../account/client';
import type { Answer, Command, Sdks } from '../account/sdks';
import type { Box } from './boxes';
import type { Picture } from './image';

/** What a person wears to be protected. */
export interface Equipment {
  name: string;
  bodyPart: string;
  /** Whether it covers that part, as it should. */
  covers: boolean;
  confidence: number;
  box: Box | undefined;
}

/** Something that was found in a picture. */
export interface Finding {
  /** In lower case, but identities and celebrities as they are spelled where they were taught. */
  name: string;
  /** Percent. */
  confidence: number;
  /** Where it is; absent for what has no place, such as a label for the whole scene. */
  box?: Box | undefined;
  /** Another name by which it can be a target. */
  alias?: string;
  /** A part of something else that counts: it does not count itself. */
  part?: true;
  equipment?: Equipment[];
  /** What else the operation says of it. */
  details?: Record<string, unknown>;
  /** What it is called on the picture where its name does not say it. */
  caption?: string;
  /** How sure its name is, in percent, where that is something else than that there is something at all. */
  certainty?: number | undefined;
}

/** What a picture came to: the service's own answer, and what is in it. */
export interface Detected {
  raw: object;
  findings: Finding[];
}

/** What to look for. */
export interface Query {
  /** Percent: the least that is of use to anybody; absent: the service's own. */
  confidence: number | undefined;
  maxLabels: number | undefined;
  attributes: Attribute[] | undefined;
  collection: string | undefined;
  similarity: number | undefined;
}

/** The part of a call that is needed here. */
export interface DetectorCall {
  sdk: Sdks['rekognition'];
  client: Client;
  send<Output extends Answer>(command: Command<Output>): Promise<Output>;
  /** Aborted when the message has to end. */
  signal: AbortSignal;
}

export interface Detector {
  /** The API's name of it. */
  api: string;
  /** Bytes of a picture; absent: as for most operations. */
  mostBytes?: number;
  /** What has no place in the picture counts also where nobody has asked for it by name. */
  countsLabels?: true;
  detect(call: DetectorCall, image: Image, query: Query, picture: Picture | undefined): Promise<Detected>;
}

export const boxOf = (box: BoundingBox | undefined): Box | undefined =>
  box && { left: box.Left ?? 0, top: box.Top ?? 0, width: box.Width ?? 0, height: box.Height ?? 0 };

/** How names are written. */
export const lower = (name: string | undefined) => (name ?? '').toLowerCase();

/** The service's answer without what the SDK adds. */
export function rawOf<Output extends Answer>({ $metadata, ...raw }: Output): Omit<Output, '$metadata'> {
  return raw;
}

/** What the service says of a face beside its place. */
export function faceOf({
  BoundingBox,
  Confidence,
  ...face
}: FaceDetail): Omit<FaceDetail, 'BoundingBox' | 'Confidence'> {
  return face;
}
