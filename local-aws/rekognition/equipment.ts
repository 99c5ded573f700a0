import type {
  EquipmentDetection,
  ProtectiveEquipmentBodyPart,
  ProtectiveEquipmentPerson,
  ProtectiveEquipmentSummary,
  ProtectiveEquipmentType
} from '@aws-sdk/client-rekognition';
import type { Box } from './drawings';
import { boundingBox } from './face-details';
import type { Equipment, Seen, Sight } from './vision';

const types: Readonly<Record<Equipment, ProtectiveEquipmentType>> = {
  hardHat: 'HEAD_COVER',
  mask: 'FACE_COVER',
  glove: 'HAND_COVER'
};

/** Each person with what they wear. Hands are the person's own: the left one is on the right of who looks. */
export function peopleWithEquipment(seen: Seen): ProtectiveEquipmentPerson[] {
  const people = seen.things.filter(({ kind }) => kind === 'person');
  return people.map((person, Id) => {
    const worn = seen.equipment.filter(({ box }) => people.find((each) => holds(each.box, box)) === person);
    const middle = person.box.left + person.box.width / 2;
    const gloves = worn.filter(({ kind }) => kind === 'glove');
    const [left, right] = [
      gloves.filter(({ box }) => centre(box)[0] > middle),
      gloves.filter(({ box }) => centre(box)[0] <= middle)
    ];
    const face = seen.faces.some(({ box }) => holds(person.box, box)) || worn.some(({ kind }) => kind === 'mask');
    const sure = person.confidence;
    return {
      Id,
      BoundingBox: boundingBox(person.box),
      Confidence: sure,
      BodyParts: [
        ...(face
          ? [
              bodyPart(
                'FACE',
                sure,
                worn.filter(({ kind }) => kind === 'mask')
              )
            ]
          : []),
        bodyPart(
          'HEAD',
          sure,
          worn.filter(({ kind }) => kind === 'hardHat')
        ),
        bodyPart('LEFT_HAND', sure - 1.2, left),
        bodyPart('RIGHT_HAND', sure - 1.2, right)
      ]
    };
  });
}

function centre({ left, top, width, height }: Box): [x: number, y: number] {
  return [left + width / 2, top + height / 2];
}

function holds(outer: Box, inner: Box): boolean {
  const [x, y] = centre(inner);
  const slack = 0.1 * outer.width;
  const across = x >= outer.left - slack && x <= outer.left + outer.width + slack;
  return across && y >= outer.top - slack && y <= outer.top + outer.height;
}

function bodyPart(
  Name: NonNullable<ProtectiveEquipmentBodyPart['Name']>,
  Confidence: number,
  worn: readonly Sight<Equipment>[]
): ProtectiveEquipmentBodyPart {
  const detections: EquipmentDetection[] = worn.map(({ kind, box, confidence }) => ({
    BoundingBox: boundingBox(box),
    Confidence: confidence,
    Type: types[kind],
    CoversBodyPart: { Confidence: Math.min(99.8, confidence + 4), Value: true }
  }));
  return { Name, Confidence, EquipmentDetections: detections };
}

/**
 * Sorts people by whether they wear all required equipment with that confidence; undetermined if face or hands are
 * hidden.
 */
export function summarize(
  people: readonly ProtectiveEquipmentPerson[],
  required: readonly string[],
  least: number
): ProtectiveEquipmentSummary {
  const summary = {
    PersonsWithRequiredEquipment: [] as number[],
    PersonsWithoutRequiredEquipment: [] as number[],
    PersonsIndeterminate: [] as number[]
  };
  for (const { Id = 0, BodyParts = [], Confidence = 0 } of people) {
    if (Confidence < least) continue;
    const states = required.map((type) => wears(BodyParts, type, least));
    if (states.includes('no')) summary.PersonsWithoutRequiredEquipment.push(Id);
    else if (states.includes('unknown')) summary.PersonsIndeterminate.push(Id);
    else summary.PersonsWithRequiredEquipment.push(Id);
  }
  return summary;
}

const places: Readonly<Record<string, readonly string[]>> = {
  FACE_COVER: ['FACE'],
  HEAD_COVER: ['HEAD'],
  HAND_COVER: ['LEFT_HAND', 'RIGHT_HAND']
};

function wears(parts: readonly ProtectiveEquipmentBodyPart[], type: string, least: number): 'yes' | 'no' | 'unknown' {
  const concerned = parts.filter(({ Name = '' }) => places[type]?.includes(Name));
  if (concerned.length === 0) return 'unknown';
  const covered = concerned.every(({ EquipmentDetections = [] }) =>
    EquipmentDetections.some(({ Confidence = 0 }) => Confidence >= least)
  );
  return covered ? 'yes' : 'no';
}
