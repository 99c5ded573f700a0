import { AwsError, validationError, violation } from '../server/aws-error';
import type { ServiceCall } from '../server/call';
import { refusalOf } from '../server/policies';
import type { Principal } from '../server/sign-ins';
import { drawPicture, people, type Scene } from './drawings';

/** The checked input of a request. */
export type Input = Readonly<Record<string, unknown>>;

/** The rule for a member of an input. */
interface Rule {
  readonly required?: boolean;
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: RegExp;
  readonly values?: readonly string[];
  readonly kind: 'text' | 'number' | 'list';
}

const collectionId: Rule = { kind: 'text', required: true, least: 1, most: 255, pattern: /^[a-zA-Z0-9_.-]+$/ };
const externalImageId: Rule = { kind: 'text', least: 1, most: 255, pattern: /^[a-zA-Z0-9_.:-]+$/ };
const percent: Rule = { kind: 'number', least: 0, most: 100 };
const quality: Rule = { kind: 'text', values: ['AUTO', 'NONE', 'LOW', 'MEDIUM', 'HIGH'] };
const faceIds: Rule = { kind: 'list', least: 1, most: 4096, pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ };
const attributes: Rule = {
  kind: 'list',
  values: [
    ...['DEFAULT', 'ALL', 'AGE_RANGE', 'BEARD', 'EMOTIONS', 'EYE_DIRECTION', 'EYEGLASSES', 'EYES_OPEN', 'GENDER'],
    ...['MOUTH_OPEN', 'MUSTACHE', 'FACE_OCCLUDED', 'SMILE', 'SUNGLASSES']
  ]
};
const page: Readonly<Record<string, Rule>> = {
  MaxResults: { kind: 'number', least: 0, most: 4096 },
  NextToken: { kind: 'text', most: 255 }
};

/** The members of each operation's input but the image. */
export const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  DetectLabels: {
    MaxLabels: { kind: 'number', least: 0 },
    MinConfidence: percent,
    Features: { kind: 'list', most: 2, values: ['GENERAL_LABELS', 'IMAGE_PROPERTIES'] }
  },
  DetectFaces: { Attributes: attributes },
  DetectText: {},
  DetectModerationLabels: { MinConfidence: percent },
  RecognizeCelebrities: {},
  DetectProtectiveEquipment: {},
  CreateCollection: { CollectionId: collectionId },
  DeleteCollection: { CollectionId: collectionId },
  DescribeCollection: { CollectionId: collectionId },
  ListCollections: page,
  IndexFaces: {
    CollectionId: collectionId,
    ExternalImageId: externalImageId,
    DetectionAttributes: attributes,
    MaxFaces: { kind: 'number', least: 1 },
    QualityFilter: quality
  },
  SearchFacesByImage: {
    CollectionId: collectionId,
    FaceMatchThreshold: percent,
    MaxFaces: { kind: 'number', least: 1, most: 4096 },
    QualityFilter: quality
  },
  CompareFaces: { SimilarityThreshold: percent, QualityFilter: quality },
  ListFaces: { CollectionId: collectionId, ...page, FaceIds: faceIds },
  DeleteFaces: { CollectionId: collectionId, FaceIds: { ...faceIds, required: true } }
};

/** What the service's model does not know, as the service says it. */
export function refuse(code: string, message: string): AwsError {
  return new AwsError(400, code, message);
}

/** What is said of values that only the service itself finds wrong. */
export function invalidParameters(message = 'Request has invalid parameters'): AwsError {
  return refuse('InvalidParameterException', message);
}

/** Throws AwsError if no policy of the principal allows the call. */
export function authorize(call: ServiceCall, principal: Principal): void {
  const action = `rekognition:${call.operation}`;
  const id = call.input.CollectionId;
  const arn = `arn:aws:rekognition:${call.region}:${principal.account}:collection/${String(id)}`;
  const reason = refusalOf(principal, action, id === undefined ? '*' : arn);
  if (reason === undefined) return;
  throw refuse(
    'AccessDeniedException',
    `User: ${principal.arn} is not authorized to perform: ${action}${id === undefined ? '' : ` on resource: ${arn}`} ${reason}`
  );
}

/** Checks an input against the model. Throws AwsError. */
export function checkInput(call: ServiceCall): void {
  if (!isJson(call.body)) throw refuse('SerializationException', 'Unable to parse the request body as JSON.');
  const found: string[] = [];
  for (const [name, rule] of Object.entries(rules[call.operation] ?? {})) {
    const value = call.input[name];
    const member = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    if (value !== undefined && value !== null) found.push(...checkMember(member, value, rule));
    else if (rule.required) found.push(violation(undefined, member, 'not be null'));
  }
  if (found.length > 0) throw validationError('ValidationException', found);
}

function isJson(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString('utf8') || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function checkMember(member: string, value: unknown, rule: Rule): string[] {
  const fits = { text: typeof value === 'string', number: typeof value === 'number', list: Array.isArray(value) };
  if (!fits[rule.kind]) throw refuse('SerializationException', `${member} has a value of another type.`);
  if (rule.kind === 'number') return checkNumber(member, value as number, rule);
  if (rule.kind === 'text') return checkText(member, value as string, rule);
  const shown = `[${(value as unknown[]).join(', ')}]`;
  const wrong = (value as unknown[]).filter(
    (each) => checkText(member, String(each), { ...rule, kind: 'text', least: 0, most: 4096 }).length > 0
  );
  if (wrong.length > 0) return [violation(shown, member, `satisfy constraint: [${constraintOf(rule)}]`)];
  return checkLength(member, shown, (value as unknown[]).length, rule);
}

function constraintOf({ values, pattern }: Rule): string {
  if (values) return `Member must satisfy enum value set: [${values.join(', ')}]`;
  return `Member must satisfy regular expression pattern: ${shownPattern(pattern as RegExp)}`;
}

function checkNumber(member: string, value: number, { least, most }: Rule): string[] {
  if (least !== undefined && value < least) {
    return [violation(String(value), member, `have value greater than or equal to ${least}`)];
  }
  if (most !== undefined && value > most) {
    return [violation(String(value), member, `have value less than or equal to ${most}`)];
  }
  return [];
}

function checkText(member: string, value: string, rule: Rule): string[] {
  const found: string[] = [];
  const { values, pattern } = rule;
  if (values && !values.includes(value)) {
    found.push(violation(value, member, `satisfy enum value set: [${values.join(', ')}]`));
  }
  if (pattern && !pattern.test(value)) {
    found.push(violation(value, member, `satisfy regular expression pattern: ${shownPattern(pattern)}`));
  }
  return [...found, ...checkLength(member, value, value.length, rule)];
}

function shownPattern({ source }: RegExp): string {
  return source
    .replace(/^\^|\$$/g, '')
    .replace('-]', '\\-]')
    .replace('.:\\-', '.\\-:');
}

function checkLength(member: string, shown: string, length: number, { least, most }: Rule): string[] {
  if (least !== undefined && length < least) {
    return [violation(shown, member, `have length greater than or equal to ${least}`)];
  }
  if (most !== undefined && length > most) {
    return [violation(shown, member, `have length less than or equal to ${most}`)];
  }
  return [];
}

const mebi = 1024 * 1024;

/** What a request may hold a picture in: two are compared, everything else is about one. */
export type ImageMember = 'Image' | 'SourceImage' | 'TargetImage';

/** The bytes of a request's picture, checked but not yet decoded. Throws AwsError. */
export function readImage(call: ServiceCall, member: ImageMember, principal: Principal): Buffer {
  const path = `${member.charAt(0).toLowerCase()}${member.slice(1)}`;
  const image = call.input[member];
  if (typeof image !== 'object' || image === null) {
    throw validationError('ValidationException', [violation(undefined, path, 'not be null')]);
  }
  const { Bytes, S3Object } = image as { Bytes?: unknown; S3Object?: unknown };
  if ((Bytes === undefined) === (S3Object === undefined)) {
    throw invalidParameters('Requested image should either contain bytes or s3 object.');
  }
  const bytes = S3Object === undefined ? readBytes(Bytes, `${path}.bytes`) : readObject(S3Object, principal);
  if (call.operation === 'DetectProtectiveEquipment' && bytes.length > 4_000_000) {
    throw refuse('ImageTooLargeException', 'Image size is too large');
  }
  checkPixels(call.operation, bytes);
  return bytes;
}

function readBytes(value: unknown, member: string): Buffer {
  if (typeof value !== 'string') throw refuse('SerializationException', `Expected base64 in ${member}.`);
  const bytes = Buffer.from(value, 'base64');
  const shown = `java.nio.HeapByteBuffer[pos=0 lim=${bytes.length} cap=${bytes.length}]`;
  const found = checkLength(member, shown, bytes.length, { kind: 'text', least: 1, most: 5 * mebi });
  if (found.length > 0) throw validationError('ValidationException', found);
  return bytes;
}

function checkPixels(operation: string, bytes: Buffer): void {
  const size = readSize(bytes);
  if (!size) throw invalidFormat();
  const { width, height } = size;
  if (width < 80 || height < 80) throw invalidParameters();
  if (width > 10_000 || height > 10_000) {
    if (operation !== 'DetectLabels') throw refuse('ImageTooLargeException', 'Image size is too large');
    throw invalidParameters(
      `Input image dimensions ${width} x ${height} exceed maximum dimension size of 10000 pixels`
    );
  }
}

/** The error for bytes that are not a JPEG or PNG. */
export function invalidFormat(): AwsError {
  return refuse('InvalidImageFormatException', 'Request has invalid image format');
}

/** Width and height in pixels from the header of a picture; `undefined` if it is not a JPEG or PNG. */
export function readSize(bytes: Buffer): { width: number; height: number } | undefined {
  if (bytes.length >= 33 && bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) {
    if (bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined;
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? jpegSize(bytes) : undefined;
}

function jpegSize(bytes: Buffer): { width: number; height: number } | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    // Cameras leave bytes that are no marker between segments.
    if (bytes[at] !== 0xff || bytes[at + 1] === 0) {
      at += 1;
      continue;
    }
    const marker = bytes[at + 1] as number;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    // Fill bytes and markers without a length.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else at += 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  return undefined;
}

/** The bucket `nimbus-pictures`: what is in it is drawn when it is asked for. */
const bucket: Readonly<Record<string, Scene>> = {
  'porch.jpg': {
    background: 'porch',
    things: [
      { kind: 'car', box: { left: 0.08, top: 0.46, width: 0.26, height: 0.18 } },
      { kind: 'person', who: people.anna, smiling: true, box: { left: 0.42, top: 0.4, width: 0.12, height: 0.54 } },
      { kind: 'dog', box: { left: 0.26, top: 0.72, width: 0.13, height: 0.17 } }
    ]
  },
  'anna.jpg': portrait(people.anna),
  'ben.jpg': portrait(people.ben),
  'garden.png': {
    background: 'plain',
    things: [{ kind: 'cat', box: { left: 0.4, top: 0.5, width: 0.14, height: 0.3 } }]
  }
};

function portrait(who: (typeof people)[keyof typeof people]): Scene {
  return {
    background: 'room',
    things: [{ kind: 'person', who, box: { left: 0.3, top: 0.12, width: 0.4, height: 1.8 } }]
  };
}

function readObject(value: unknown, principal: Principal): Buffer {
  const { Bucket, Name } = (value ?? {}) as { Bucket?: unknown; Name?: unknown };
  const isRefused = refusalOf(principal, 's3:GetObject', `arn:aws:s3:::${Bucket}/${Name}`) !== undefined;
  const scene = Bucket === 'nimbus-pictures' && Object.hasOwn(bucket, String(Name)) ? bucket[String(Name)] : undefined;
  if (!scene || isRefused) {
    const text = 'Unable to get object metadata from S3. Check object key, region and/or access permissions.';
    throw refuse('InvalidS3ObjectException', text);
  }
  return drawPicture(scene, { width: 1280, height: 720, format: String(Name).endsWith('.png') ? 'png' : 'jpeg' });
}
