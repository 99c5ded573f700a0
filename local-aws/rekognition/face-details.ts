import type {
  BoundingBox,
  ComparedFace,
  Emotion,
  EmotionName,
  FaceDetail,
  Landmark
} from '@aws-sdk/client-rekognition';
import type { Box } from './drawings';
import type { FaceSight } from './face-sight';

/** A box as the service writes it. */
export function boundingBox({ left, top, width, height }: Box): BoundingBox {
  return { Width: width, Height: height, Left: left, Top: top };
}

/** What DetectFaces says of a face; `attributes` are the ones asked for. */
export function faceDetail(face: FaceSight, attributes: readonly string[]): FaceDetail {
  const all = allAttributes(face);
  const wanted = Object.entries(all).filter(([name]) => attributes.includes('ALL') || attributes.includes(name));
  return Object.assign(defaultAttributes(face), ...wanted.map(([, part]) => part)) as FaceDetail;
}

/** What RecognizeCelebrities says of a face. */
export function comparedFace(face: FaceSight): ComparedFace {
  return {
    ...defaultAttributes(face),
    Emotions: emotions(face),
    Smile: { Value: face.smiling, Confidence: certain(face) }
  };
}

function defaultAttributes(face: FaceSight): FaceDetail {
  const landmarks: Landmark[] = (['eyeLeft', 'eyeRight', 'mouthLeft', 'mouthRight', 'nose'] as const).map((Type) => {
    const [X, Y] = face.landmarks[Type];
    return { Type, X, Y };
  });
  return {
    BoundingBox: boundingBox(face.box),
    Confidence: face.confidence,
    Landmarks: landmarks,
    Pose: { Roll: face.roll, Yaw: 1.6 - face.roll / 3, Pitch: 2.4 + face.roll / 5 },
    Quality: { Brightness: face.brightness, Sharpness: face.sharpness }
  };
}

/** By the name of the attribute that asks for it. */
function allAttributes(face: FaceSight): Record<string, FaceDetail> {
  const { who, smiling, glasses, masked } = face;
  const Confidence = certain(face);
  const says = (Value: boolean) => ({ Value, Confidence });
  return {
    AGE_RANGE: { AgeRange: { Low: Math.max(0, who.age - 4), High: who.age + 4 } },
    SMILE: { Smile: says(smiling) },
    EYEGLASSES: { Eyeglasses: says(glasses) },
    SUNGLASSES: { Sunglasses: says(false) },
    GENDER: { Gender: { Value: who.gender, Confidence } },
    BEARD: { Beard: says(who.beard === true && !masked) },
    MUSTACHE: { Mustache: says(false) },
    EYES_OPEN: { EyesOpen: says(true) },
    MOUTH_OPEN: { MouthOpen: says(smiling) },
    EMOTIONS: { Emotions: emotions(face) },
    FACE_OCCLUDED: { FaceOccluded: says(masked) },
    EYE_DIRECTION: { EyeDirection: { Yaw: 3.2 + face.roll / 4, Pitch: -1.8, Confidence } }
  };
}

function certain({ confidence }: FaceSight): number {
  return Math.max(51, confidence - 1.5);
}

/** The strongest first. */
function emotions({ smiling }: FaceSight): Emotion[] {
  const order: EmotionName[] = smiling
    ? ['HAPPY', 'CALM', 'SURPRISED', 'FEAR', 'SAD', 'CONFUSED', 'ANGRY', 'DISGUSTED']
    : ['CALM', 'SURPRISED', 'FEAR', 'SAD', 'CONFUSED', 'HAPPY', 'ANGRY', 'DISGUSTED'];
  return order.map((Type, index) => ({ Type, Confidence: index === 0 ? 97.4 : 6.4 / 2 ** index }));
}
