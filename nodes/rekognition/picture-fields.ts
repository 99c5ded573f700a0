import type { Attribute } from '@aws-sdk/client-rekognition';
import type { NodeAPI } from 'node-red';
import { invalid } from '../fields/errors';
import type { Field, When } from '../fields/fields';
import { checked, kindOf, show, text } from '../fields/fields';
import { checkLength, isObject, parseJson } from '../fields/json';
import type { Box } from './boxes';
import { collectionIs, collectionPattern } from './collection';
import { takeImage } from './image';
import { toExternalImageId } from './names';
import { needLocal } from './picture-files';
import type { EquipmentName, Target } from './report';

/** The values of `Attributes` for faces. */
const attributeNames: readonly Attribute[] = [
  'ALL',
  'DEFAULT',
  'AGE_RANGE',
  'BEARD',
  'EMOTIONS',
  'EYEGLASSES',
  'EYES_OPEN',
  'EYE_DIRECTION',
  'FACE_OCCLUDED',
  'GENDER',
  'MOUTH_OPEN',
  'MUSTACHE',
  'SMILE',
  'SUNGLASSES'
];

/** The most names in a list: the service knows some thousands of labels. */
const mostNames = 10_000;
/** The most characters of a list as text. */
const longestList = 1_048_576;

/** The most characters of an `ExternalImageId`. */
const longestId = 255;
/** What the service takes as one, whoever wrote it. */
const foreignId = /^[a-zA-Z0-9_.:-]{1,255}$/;

/** What the service takes as the `FaceId` of a face. */
const faceId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Splits text at commas; other values stay as they are. */
const split = (value: unknown): unknown =>
  typeof value !== 'string'
    ? value
    : value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');

/** Throws `InvalidValue` for a list with too many names, or for text that is too long for a list. */
function checkCount(given: unknown, name: string): void {
  if (typeof given === 'string') checkLength(given, name, longestList);
  if (Array.isArray(given) && given.length > mostNames) {
    throw invalid(name, `may be at most ${mostNames}, but are ${given.length}.`);
  }
}

/** Parses text that is JSON of a list or object, since environment variables contain only text. Throws `InvalidValue`. */
function fromText(given: unknown, name: string): unknown {
  checkCount(given, name);
  const value = typeof given === 'string' ? parseJson(given)?.value : undefined;
  return typeof value === 'object' && value !== null ? value : given;
}

function checkAttributes(given: unknown, name: string): Attribute[] {
  // Their names contain no comma, so text from any source may be a list.
  const list = split(fromText(given, name));
  if (!Array.isArray(list)) throw invalid(name, `must be a list, but is ${kindOf(given)}.`);
  checkCount(list, name);
  return list.map((attribute) => {
    const given = typeof attribute === 'string' ? attribute.trim().toUpperCase() : '';
    const known = attributeNames.find((each) => each === given);
    if (!known) throw invalid(name, `must be of ${attributeNames.join(', ')}, but has ${show(attribute)}.`);
    return known;
  });
}

const equipmentNames: readonly EquipmentName[] = ['face_cover', 'hand_cover', 'head_cover'];

function checkRequired(given: unknown, name: string): EquipmentName[] | undefined {
  // None of them has a comma in it, so that text from anywhere may be a list.
  const list = [split(fromText(given, name))].flat();
  checkCount(list, name);
  const names = list.map((each) => {
    const known = typeof each === 'string' && equipmentNames.find((equipment) => equipment === each.toLowerCase());
    if (!known) throw invalid(name, `must be of ${equipmentNames.join(', ')}, but has ${show(each)}.`);
    return known;
  });
  return names.length > 0 ? [...new Set(names)] : undefined;
}

function checkTarget(given: unknown, name: string): Target {
  if (typeof given === 'string' && given.trim() !== '') return { name: given.trim() };
  const { name: target, confidence } = isObject(given) ? given : {};
  if (typeof target !== 'string' || target.trim() === '') {
    throw invalid(name, `must be a list of names or of {name, confidence}, but has ${show(given)}.`);
  }
  if (confidence === undefined || confidence === null) return { name: target.trim() };
  if (typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 100)) {
    throw invalid(name, `: the confidence of ${show(target)} must be from 0 to 100, but is ${show(confidence)}.`);
  }
  return { name: target.trim(), confidence };
}

/**
 * An empty list is the same as none. A single target is accepted, since JSONata returns a single result without an array
 * around it.
 */
function checkTargets(given: unknown, name: string, typed = false): Target[] | undefined {
  const value = fromText(given, name);
  const names = typed ? split(value) : value;
  checkCount(names, name);
  const list = [names].flat();
  return list.length > 0 ? list.map((each) => checkTarget(each, name)) : undefined;
}

const isFraction = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/** A box with an area; `undefined` if its members are not fractions. */
function boxIn({ left, top, width, height }: Record<string, unknown>): Box | undefined {
  const isBox = isFraction(left) && isFraction(top) && isFraction(width) && isFraction(height);
  return isBox && width > 0 && height > 0 ? { left, top, width, height } : undefined;
}

function checkRoi(given: unknown, name: string): Box {
  const value = fromText(given, name);
  const roi = boxIn(isObject(value) ? value : {});
  if (!roi) {
    throw invalid(
      name,
      `must be {left, top, width, height} in fractions of the picture from 0 to 1, but is ${show(given)}.`
    );
  }
  const { left, top, width, height } = roi;
  // Rounding may make a sum such as 0.7 + 0.3 a little more than 1.
  if (left + width > 1.001 || top + height > 1.001)
    throw invalid(name, 'must lie within the picture: left + width and top + height may be at most 1.');
  return { left, top, width, height };
}

/** A picture in any of its forms, by default that of a property of the message; one that is elsewhere is read later. */
export const pictureField = (layout: { value: string; when?: When }) =>
  checked(takeImage, {
    from: 'msg',
    literals: ['str', 'json'],
    takes: 'Buffer | string | object',
    picture: true,
    example: '"/data/cameras/" & topic & ".jpg"',
    icon: 'picture-o',
    ...layout
  });

export const imageField = pictureField({ value: 'payload' });

const anyFolder = text({ maxLength: 65_536, example: '"/data/pictures/" & topic', icon: 'folder-o' });

/** A field for the folder in which pictures are saved. */
export const folderField: Field<string> = {
  ...anyFolder,
  check(given, name, typed) {
    const folder = anyFolder.check(given, name);
    if (!typed) needLocal(folder, name);
    return folder;
  }
};

export const attributesField = (when?: Record<string, string[]>) =>
  checked(checkAttributes, {
    value: 'DEFAULT',
    from: 'str',
    literals: ['str', 'json'],
    takes: 'string | array',
    example: '["AGE_RANGE", "SMILE"]',
    icon: 'smile-o',
    when
  });

export const collectionField = (when?: Record<string, string[]>) =>
  text({
    pattern: collectionPattern,
    is: collectionIs,
    offers: 'collections',
    example: '"family-" & topic',
    icon: 'users',
    when
  });

/** Throws `InvalidValue` for a name that the service cannot keep. */
function checkWriting(person: string, name: string): string {
  const { length } = person.length > longestId ? person : toExternalImageId(person);
  if (length > longestId) {
    throw invalid(
      name,
      `may have at most ${longestId} characters as the service stores it, in which any but letters without accents, digits and _ . - take 3 to 12, but has ${length}.`
    );
  }
  if (/\p{Cs}/u.test(person)) throw invalid(name, 'must be text, but holds half of a character (a lone surrogate).');
  return person;
}

const anyName = text({ value: 'topic', from: 'msg', numbers: true, example: 'payload.name', icon: 'user' });

/** The name of somebody whose face is taught. */
export const nameField: Field<string> = {
  ...anyName,
  check: (given, name) => checkWriting(anyName.check(given, name), name)
};

/** The name of somebody who is known, which may be an id that another program made. */
export function knownNameField(when: When): Field<string> {
  const known = text({ numbers: true, offers: 'people', example: 'payload.name', icon: 'user', when });
  return {
    ...known,
    check(given, name) {
      const person = known.check(given, name);
      return foreignId.test(person) ? person : checkWriting(person, name);
    }
  };
}

function checkFaceIds(given: unknown, name: string): string[] {
  // None of them has a comma in it, so that text from anywhere may be a list.
  const list = split(fromText(given, name));
  if (!Array.isArray(list)) throw invalid(name, `must be a list of face IDs, but is ${kindOf(given)}.`);
  checkCount(list, name);
  const wrong = list.findIndex((id) => typeof id !== 'string' || !faceId.test(id));
  if (wrong >= 0)
    throw invalid(name, `must be face IDs of 36 characters as AWS gives them, but has ${show(list[wrong])}.`);
  return [...new Set<string>(list)];
}

/** Faces of a collection, by the ids that the service gave them. */
export const faceIdsField = (when: When) =>
  checked(checkFaceIds, {
    literals: ['json', 'str'],
    takes: 'array | string',
    example: 'payload.faces.faceId',
    icon: 'id-card-o',
    when
  });

export const targetsField = checked(checkTargets, {
  literals: ['json', 'str'],
  takes: 'array | string',
  example: '["person", { "name": "car", "confidence": 90 }]',
  icon: 'crosshairs'
});

/** What everybody has to wear. */
export const requiredField = (when: When) =>
  checked(checkRequired, {
    from: 'str',
    literals: ['str', 'json'],
    takes: 'string | array',
    example: 'topic = "site" ? ["head_cover", "hand_cover"] : "head_cover"',
    icon: 'shield',
    when
  });

export const roiField = checked(checkRoi, {
  literals: ['json'],
  takes: 'object',
  advanced: true,
  example: '{ "left": 0.5, "top": 0, "width": 0.5, "height": 1 }',
  icon: 'object-group'
});

/** The folder where relative paths begin, as in Node-RED's file nodes. */
export const workingFolder = ({ settings }: NodeAPI): string =>
  (settings as { fileWorkingDirectory?: string }).fileWorkingDirectory ?? process.cwd();
