import { bytesIn } from '../fields/bytes';
import { invalid } from '../fields/errors';
import type { Field } from '../fields/fields';
import { checked, optional } from '../fields/fields';
import { checkLength, parseJson, stringify } from '../fields/json';

/** A message attribute of SNS or SQS, as both take and give it. */
export interface Attribute {
  DataType: string;
  StringValue?: string;
  BinaryValue?: Uint8Array;
}
export type Attributes = Record<string, Attribute>;

/** Bytes of all attributes of a message: no queue or topic takes more, its text included. */
const mostBytes = 1_048_576;
/** Characters that one byte takes in the JSON of a Buffer. */
const charactersOfByte = 4;

/** As both services' documentation of message attributes has it. */
const namePattern = /^(?!\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/;
const reservedName = /^(?:aws|amazon)\./i;
const typePattern = /^(String|Number|Binary)(\..{1,249})?$/;
/** What most text consists of. */
const plain = /^[\t\n\r\x20-\x7e]*$/;
/** Everything that XML 1.0 can hold; SQS refuses the rest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsendable = /[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Throws `InvalidValue` for text with a character that the services do not take. */
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
  // A copy: the flow may write into its Buffer again while the message waits for others.
  return { DataType, BinaryValue: Buffer.from(value) };
}

/** A Buffer, also one that has been through JSON, or base64. */
function bytesOf(value: unknown, name: string): Uint8Array {
  const bytes = bytesIn(value);
  if (bytes) return bytes;
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  const list = type === 'Buffer' && Array.isArray(data) ? data : undefined;
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
 * The message attributes for a plain object, or for the JSON text of one: text, numbers, Buffers and lists get the types
 * that the services have for them, other objects go as their JSON. Members that are `null` are left out.
 * Throws `InvalidValue`, which names the attribute.
 */
function toAttributes(given: unknown, name: string): Attributes | undefined {
  if (typeof given === 'string') checkLength(given, name, charactersOfByte * mostBytes);
  const value = typeof given === 'string' ? parseJson(given)?.value : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || bytesIn(value)) {
    throw invalid(name, 'must be an object such as {"colour": "red"}.');
  }
  const attributes: [string, Attribute][] = [];
  let length = 0;
  // Pairs of all of them would need more memory than the object itself.
  for (const key of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[key];
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

/** Bytes, as the services count them. */
const sizeOf = (name: string, { DataType, StringValue = '', BinaryValue }: Attribute): number =>
  Buffer.byteLength(name) + Buffer.byteLength(DataType) + (BinaryValue?.length ?? Buffer.byteLength(StringValue));

/** Bytes of all of them. */
export function sizeOfAttributes(attributes: Attributes = {}): number {
  let bytes = 0;
  for (const [name, attribute] of Object.entries(attributes)) bytes += sizeOf(name, attribute);
  return bytes;
}

/** A number that text stands for, if none of its digits is lost. */
function exactNumber(text: string): number | undefined {
  const number = Number(text);
  return String(number) === text ? number : undefined;
}

/** JavaScript keeps 15 digits of any number. A string without an end is looked through once, not from each of its quotes. */
const hasExactNumbers = (json: string): boolean => !/\d{16}/.test(json.replace(/"(?:[^"\\]|\\.)*"?|\./gs, ''));

/** Throws `InvalidValue` for an attribute that the SDK has lost: one called `__proto__`. */
function fromAttribute(name: string, attribute: Attribute | undefined): unknown {
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

/** The values that `toAttributes` would take for these attributes. Throws `InvalidValue` for what is none. */
export const fromAttributes = (attributes: Record<string, object>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, each]) => [name, fromAttribute(name, each as Attribute | undefined)])
  );
