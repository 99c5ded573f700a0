import type {
  DetectLabelsFeatureName,
  DetectLabelsImageProperties,
  Label,
  ProtectiveEquipmentPerson
} from '@aws-sdk/client-rekognition';
import type { Detector, Equipment, Finding, Quality } from './detector';
import { boxOf, faceOf, lower, rawOf } from './detector';
import { identify } from './identify';

const namesIn = (list: readonly { Name?: string | undefined }[] = []): string[] => list.map(({ Name }) => lower(Name));

/** What a label is a kind of, belongs to, and is also called; empty lists are left out. */
function kinshipOf({ Parents, Categories, Aliases }: Label): Record<string, string[]> {
  const all = { parents: namesIn(Parents), categories: namesIn(Categories), aliases: namesIn(Aliases) };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

/** A label of the whole scene, or each of the things in it. */
function labelled(label: Label): Finding[] {
  const { Confidence = 0, Instances = [] } = label;
  const details = kinshipOf(label);
  const finding = { name: lower(label.Name), confidence: Confidence, aliases: Object.values(details).flat(), details };
  if (Instances.length === 0) return [finding];
  return Instances.map((each) => ({
    ...finding,
    confidence: each.Confidence ?? Confidence,
    box: boxOf(each.BoundingBox)
  }));
}

const qualityOf = ({ Quality = {}, DominantColors = [] }: DetectLabelsImageProperties): Quality => ({
  brightness: Quality.Brightness,
  sharpness: Quality.Sharpness,
  contrast: Quality.Contrast,
  colors: DominantColors.map(({ CSSColor, HexCode, PixelPercent }) => ({
    name: CSSColor,
    hex: HexCode,
    percent: PixelPercent
  }))
});

const labels: Detector = {
  api: 'DetectLabels',
  async detect({ sdk, send }, Image, { confidence, maxLabels, imageQuality }) {
    const request = { Image, MinConfidence: confidence, MaxLabels: maxLabels };
    const Features: DetectLabelsFeatureName[] = ['GENERAL_LABELS', 'IMAGE_PROPERTIES'];
    const answer = await send(new sdk.DetectLabelsCommand({ ...request, ...(imageQuality && { Features }) }));
    return {
      raw: rawOf(answer),
      findings: (answer.Labels ?? []).flatMap(labelled),
      ...(imageQuality && { quality: qualityOf(answer.ImageProperties ?? {}) })
    };
  }
};

const faces: Detector = {
  api: 'DetectFaces',
  async detect({ sdk, send }, Image, { attributes }) {
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

const text: Detector = {
  api: 'DetectText',
  async detect({ sdk, send }, Image) {
    const answer = await send(new sdk.DetectTextCommand({ Image }));
    const findings = (answer.TextDetections ?? []).map(
      ({ Type, DetectedText = '', Confidence = 0, Geometry }): Finding => ({
        name: lower(Type),
        confidence: Confidence,
        box: boxOf(Geometry?.BoundingBox),
        aliases: [DetectedText],
        ...(Type === 'WORD' && { part: true }),
        details: { text: DetectedText },
        caption: DetectedText
      })
    );
    return { raw: rawOf(answer), findings };
  }
};

const moderation: Detector = {
  api: 'DetectModerationLabels',
  countsLabels: true,
  async detect({ sdk, send }, Image, { confidence }) {
    const answer = await send(new sdk.DetectModerationLabelsCommand({ Image, MinConfidence: confidence }));
    const findings = (answer.ModerationLabels ?? []).map(({ Name, Confidence = 0, ParentName, TaxonomyLevel }) => {
      const parent = lower(ParentName);
      return { name: lower(Name), confidence: Confidence, parent, details: { parent, level: TaxonomyLevel } };
    });
    return { raw: rawOf(answer), findings };
  }
};

const celebrities: Detector = {
  api: 'RecognizeCelebrities',
  async detect({ sdk, send }, Image) {
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

const protectiveEquipment: Detector = {
  api: 'DetectProtectiveEquipment',
  mostBytes: 4_000_000,
  async detect({ sdk, send }, Image) {
    const answer = await send(new sdk.DetectProtectiveEquipmentCommand({ Image }));
    const findings = (answer.Persons ?? []).map((person) => ({
      name: 'person',
      confidence: person.Confidence ?? 0,
      box: boxOf(person.BoundingBox),
      equipment: equipmentOf(person),
      bodyParts: namesIn(person.BodyParts)
    }));
    return { raw: rawOf(answer), findings };
  }
};

/** The detectors by the values of the property `operation`. */
export const detectors = { labels, faces, identify, text, moderation, celebrities, protectiveEquipment };
export type DetectorName = keyof typeof detectors;
