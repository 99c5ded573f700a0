import { bytesIn } from '../fields/bytes';
import { invalid } from '../fields/errors';
import type { Field } from '../fields/fields';
import { checked, optional } from '../fields/fields';
import { checkLength, isObject, parseJson, stringify } from '../fields/json';

/** A message attribute in requests and answers of SNS and SQS. */
export interface Attribute {
  DataType: string;
  StringValue?: string;
  BinaryValue?: Uint8Array;
}
export type Attributes = Record<string, Attribute>;

/** The most bytes of all attributes of a message: the largest message that a queue or topic accepts, text included. */
const mostBytes = 1_048_576;
/** The most characters of a byte in the JSON of a Buffer. */
const charactersOfByte = 4;

/** From the documentation of message attributes of both services. */
const namePattern = /^(?!\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/;
const reservedName = /^(?:aws|amazon)\./i;
const typePattern = /^(String|Number|Binary)(\..{1,249})?$/;
/** Most texts match this, which is checked faster. */
const plain = /^[\t\n\r\x20-\x7e]*$/;
/** Any character that XML 1.0 does not allow: SQS refuses them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsendable = /[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Throws `InvalidValue` for text with a character that the services refuse. */
export function checkCharacters(text: string, name: string): void {
  if (plain.test(text)) return;
  const found = unsendable.exec(text);
  if (!found) return;
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw invalid(name, `holds the character U+${code} at position ${found.index}, which AWS does not take.`);
}

const textAttribute = (StringValue: string, name: string, DataType = 'String'): Attribute => {
  if (StringValue === '') throw invalid(name, 'must not be empty text: leave it out, or set it to null.');
  checkCharacters(StringValue, name);
  return { DataType, StringValue };
};

function numberAttribute(value: number | bigint, name: string): Attribute {
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalid(name, `must be a number, but is ${value}.`);
  return { DataType: 'Number', StringValue: String(value) };
}

function binaryAttribute(value: Uint8Array, name: string, DataType = 'Binary'): Attribute {
  if (value.length === 0) throw invalid(name, 'must not be an empty Buffer: leave it out, or set it to null.');
  checkLength(value, name, mostBytes);
  // A copy, since the flow may change its Buffer while the message waits to be sent.
  return { DataType, BinaryValue: Buffer.from(value) };
}

/** The bytes of a Buffer, of the JSON of one, or of base64 text. Throws `InvalidValue`. */
function bytesOf(value: unknown, name: string): Uint8Array {
  const bytes = bytesIn(value);
  if (bytes) return bytes;
  const list = isObject(value) && value.type === 'Buffer' && Array.isArray(value.data) ? value.data : undefined;
  checkLength(typeof value === 'string' ? value : (list ?? []), name, mostBytes);
  if (typeof value === 'string') return Buffer.from(value, 'base64');
  if (list) return Buffer.from(list);
  throw invalid(`${name}.BinaryValue`, 'must be a Buffer or base64 text.');
}

type Given = { DataType: unknown; StringValue?: unknown; BinaryValue?: unknown };

function givenAttribute({ DataType, StringValue, BinaryValue }: Given, name: string): Attribute {
  if (typeof DataType !== 'string' || !typePattern.test(DataType)) {
    throw invalid(`${name}.DataType`, 'must be String, Number or Binary, or one of them with .label behind it.');
  }
  if (DataType.startsWith('Binary')) return binaryAttribute(bytesOf(BinaryValue, name), name, DataType);
  if (typeof StringValue !== 'string') throw invalid(`${name}.StringValue`, `must be text for the type ${DataType}.`);
  if (DataType.startsWith('Number') && (StringValue.trim() === '' || !Number.isFinite(Number(StringValue)))) {
    throw invalid(`${name}.StringValue`, `must be a number in text for the type ${DataType}.`);
  }
  return textAttribute(StringValue, name, DataType);
}

const isGiven = (value: object): value is Given =>
  'DataType' in value && ('StringValue' in value || 'BinaryValue' in value);
const isScalar = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value);

function toAttribute(value: unknown, name: string): Attribute {
  if (typeof value === 'string') return textAttribute(value, name);
  if (typeof value === 'number' || typeof value === 'bigint') return numberAttribute(value, name);
  if (typeof value === 'boolean') return { DataType: 'String', StringValue: String(value) };
  const bytes = bytesIn(value);
  if (bytes) return binaryAttribute(bytes, name);
  if (Array.isArray(value)) checkLength(value, name, mostBytes);
  if (Array.isArray(value) && value.every(isScalar)) {
    return textAttribute(stringify(value, name, mostBytes), name, 'String.Array');
  }
  if (typeof value === 'object' && value !== null && isGiven(value)) return givenAttribute(value, name);
  return textAttribute(stringify(value, name, mostBytes), name);
}

/**
 * The message attributes for a plain object, or for its JSON text. Text, numbers, Buffers and arrays get the matching types
 * of the services, other objects are sent as JSON text; members that are `null` are left out. Throws `InvalidValue`, which
 * names the attribute.
 */
function toAttributes(given: unknown, name: string): Attributes | undefined {
  if (typeof given === 'string') checkLength(given, name, charactersOfByte * mostBytes);
  const value = typeof given === 'string' ? parseJson(given)?.value : given;
  if (!isObject(value) || bytesIn(value)) {
    throw invalid(name, 'must be an object such as {"colour": "red"}.');
  }
  const attributes: [string, Attribute][] = [];
  let length = 0;
  // Without Object.entries, which would need more memory than the object itself.
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === null || member === undefined) continue;
    if (!namePattern.test(key)) {
      throw invalid(
        name,
        `: the name ${JSON.stringify(key.slice(0, 60))} must be 1 to 256 letters, digits and _ - . with no dot at its ends and no two in a row.`
      );
    }
    if (reservedName.test(key)) {
      const shown = JSON.stringify(key.slice(0, 60));
      throw invalid(name, `: the name ${shown} must not begin with AWS. or Amazon., which AWS keeps for itself.`);
    }
    const attribute = toAttribute(member, `${name}.${key}`);
    attributes.push([key, attribute]);
    length += sizeOf(key, attribute);
    checkLength({ length }, name, mostBytes);
  }
  return attributes.length > 0 ? Object.fromEntries(attributes) : undefined;
}

/** A field for message attributes. */
export const attributes = (layout: Parameters<typeof checked>[1]): Field<Attributes | undefined> =>
  optional(checked(toAttributes, layout));

/** The size of an attribute as the services count it, bytes. */
const sizeOf = (name: string, { DataType, StringValue = '', BinaryValue }: Attribute): number =>
  Buffer.byteLength(name) + Buffer.byteLength(DataType) + (BinaryValue?.length ?? Buffer.byteLength(StringValue));

/** The size of all attributes, bytes. */
export function sizeOfAttributes(attributes: Attributes = {}): number {
  let bytes = 0;
  for (const [name, attribute] of Object.entries(attributes)) bytes += sizeOf(name, attribute);
  return bytes;
}

/** The number in a text, if it can be represented without loss. */
function exactNumber(text: string): number | undefined {
  const number = Number(text);
  return String(number) === text ? number : undefined;
}

/**
 * Whether JavaScript can represent all numbers in a JSON text: it keeps 15 digits. The quote at the end of a string is
 * optional in the pattern, so that a string without an end does not take time with the square of its length.
 */
const hasExactNumbers = (json: string): boolean => !/\d{16}/.test(json.replace(/"(?:[^"\\]|\\.)*"?|\./gs, ''));

/** A received attribute. The SDK's type says that each member may be absent. */
interface Received {
  DataType: string | undefined;
  StringValue?: string | undefined;
  BinaryValue?: Uint8Array | undefined;
}

/** The value of a received attribute. Throws `InvalidValue` for one named `__proto__`, which the SDK loses. */
function fromAttribute(name: string, attribute: Received | undefined): unknown {
  if (!attribute) throw invalid(`attributes.${name}`, 'cannot be read.');
  const { DataType, StringValue = '', BinaryValue } = attribute;
  const bytes = BinaryValue && Buffer.from(BinaryValue);
  const given = bytes ? { DataType, BinaryValue: bytes } : { DataType, StringValue };
  if (DataType === 'String') return StringValue;
  if (DataType === 'Number') return exactNumber(StringValue) ?? given;
  if (DataType === 'Binary') return bytes;
  const list = DataType === 'String.Array' && hasExactNumbers(StringValue) ? parseJson(StringValue)?.value : undefined;
  return Array.isArray(list) ? list : given;
}

/** The values of received attributes: `toAttributes` would make the same attributes of them. Throws `InvalidValue`. */
export const fromAttributes = (attributes: Record<string, Received | undefined>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes).map(([name, each]) => [name, fromAttribute(name, each)]));
