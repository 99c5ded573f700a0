import type { Attribute, BoundingBox, FaceDetail, Image, ProtectiveEquipmentPerson } from '@aws-sdk/client-rekognition';
import type { Box } from './boxes';
import type { Answer, Client } from './clients';
import { identify } from './identify';
import type { Picture } from './image';
import type { Command, Sdks } from './sdks';

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
export interface Seen {
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
export interface Asking {
  sdk: Sdks['rekognition'];
  client: Client;
  send<Output extends Answer>(command: Command<Output>): Promise<Output>;
  /** Aborted when the message has to end. */
  signal: AbortSignal;
}

export interface Operation {
  /** The API's name of it. */
  api: string;
  /** Bytes of a picture; absent: as for most operations. */
  mostBytes?: number;
  /** What has no place in the picture counts also where nobody has asked for it by name. */
  countsLabels?: true;
  look(asking: Asking, image: Image, query: Query, picture: Picture | undefined): Promise<Seen>;
}

export const boxOf = (box: BoundingBox | undefined): Box | undefined =>
  box && { left: box.Left ?? 0, top: box.Top ?? 0, width: box.Width ?? 0, height: box.Height ?? 0 };

const lower = (name: string | undefined) => (name ?? '').toLowerCase();

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

const labels: Operation = {
  api: 'DetectLabels',
  async look({ sdk, send }, Image, { confidence, maxLabels }) {
    const command = new sdk.DetectLabelsCommand({ Image, MinConfidence: confidence, MaxLabels: maxLabels });
    const answer = await send(command);
    const findings = (answer.Labels ?? []).flatMap(({ Name, Confidence = 0, Instances = [] }): Finding[] => {
      const name = lower(Name);
      if (Instances.length === 0) return [{ name, confidence: Confidence }];
      return Instances.map((each) => ({
        name,
        confidence: each.Confidence ?? Confidence,
        box: boxOf(each.BoundingBox)
      }));
    });
    return { raw: rawOf(answer), findings };
  }
};

const faces: Operation = {
  api: 'DetectFaces',
  async look({ sdk, send }, Image, { attributes }) {
    const answer = await send(new sdk.DetectFacesCommand({ Image, Attributes: attributes }));
    const findings = (answer.FaceDetails ?? []).map((face) => ({
      name: 'face',
      confidence: face.Confidence ?? 0,
      box: boxOf(face.BoundingBox),
      details: { face: faceOf(face) }
    }));
    return { raw: rawOf(answer), findings };
  }
};

const text: Operation = {
  api: 'DetectText',
  async look({ sdk, send }, Image) {
    const answer = await send(new sdk.DetectTextCommand({ Image }));
    const findings = (answer.TextDetections ?? []).map(
      ({ Type, DetectedText = '', Confidence = 0, Geometry }): Finding => ({
        name: lower(Type),
        confidence: Confidence,
        box: boxOf(Geometry?.BoundingBox),
        alias: DetectedText,
        ...(Type === 'WORD' && { part: true }),
        details: { text: DetectedText },
        caption: DetectedText
      })
    );
    return { raw: rawOf(answer), findings };
  }
};

const moderation: Operation = {
  api: 'DetectModerationLabels',
  countsLabels: true,
  async look({ sdk, send }, Image, { confidence }) {
    const answer = await send(new sdk.DetectModerationLabelsCommand({ Image, MinConfidence: confidence }));
    const findings = (answer.ModerationLabels ?? []).map(({ Name, Confidence = 0 }) => ({
      name: lower(Name),
      confidence: Confidence
    }));
    return { raw: rawOf(answer), findings };
  }
};

const celebrities: Operation = {
  api: 'RecognizeCelebrities',
  async look({ sdk, send }, Image) {
    const answer = await send(new sdk.RecognizeCelebritiesCommand({ Image }));
    const known = (answer.CelebrityFaces ?? []).map(({ Name = 'unknown', MatchConfidence, Id, Urls, Face }) => ({
      name: Name,
      confidence: Face?.Confidence ?? 0,
      box: boxOf(Face?.BoundingBox),
      certainty: MatchConfidence,
      details: { match: { name: Name, similarity: MatchConfidence, id: Id, urls: Urls } }
    }));
    const unknown = (answer.UnrecognizedFaces ?? []).map(({ Confidence = 0, BoundingBox }) => ({
      name: 'unknown',
      confidence: Confidence,
      box: boxOf(BoundingBox),
      details: { match: null }
    }));
    return { raw: rawOf(answer), findings: [...known, ...unknown] };
  }
};

const equipmentOf = ({ BodyParts = [] }: ProtectiveEquipmentPerson): Equipment[] =>
  BodyParts.flatMap(({ Name, EquipmentDetections = [] }) =>
    EquipmentDetections.map(({ Type, Confidence = 0, BoundingBox, CoversBodyPart }) => ({
      name: lower(Type),
      bodyPart: lower(Name),
      covers: CoversBodyPart?.Value ?? false,
      confidence: Confidence,
      box: boxOf(BoundingBox)
    }))
  );

const protectiveEquipment: Operation = {
  api: 'DetectProtectiveEquipment',
  mostBytes: 4_000_000,
  async look({ sdk, send }, Image) {
    const answer = await send(new sdk.DetectProtectiveEquipmentCommand({ Image }));
    const findings = (answer.Persons ?? []).map((person) => ({
      name: 'person',
      confidence: person.Confidence ?? 0,
      box: boxOf(person.BoundingBox),
      equipment: equipmentOf(person)
    }));
    return { raw: rawOf(answer), findings };
  }
};

/** What `operation` may be, and what each asks the service. */
export const operations = { labels, faces, identify, text, moderation, celebrities, protectiveEquipment };
export type OperationName = keyof typeof operations;
