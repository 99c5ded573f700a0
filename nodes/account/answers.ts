import { types } from 'node:util';
import { foreignAnswer } from '../fields/errors';
import { isObject } from '../fields/json';
import type { Answer } from './sdks';

/**
 * A schema as the SDK's clients keep it at run time: a number for a simple type, a function that returns the schema, or one
 * of the tuples [schema, traits], [0, …, …, …, type], [1 list, …, …, …, element], [2 map, …, …, …, key, value] and
 * [3 structure or 4 union, …, name, …, names of the members, their schemas].
 */
type Schema = number | string | (() => Schema) | readonly unknown[];

type Check = (value: unknown) => boolean;

const isSchema = (part: unknown): part is Schema =>
  typeof part === 'number' || typeof part === 'string' || typeof part === 'function' || Array.isArray(part);

/** A part of a schema that is a schema itself. Throws for anything else, which no client of the SDK has. */
function schemaAt(tuple: unknown, index: number): Schema {
  const part: unknown = Array.isArray(tuple) ? tuple[index] : undefined;
  if (isSchema(part)) return part;
  throw new Error('The schemas of the SDK are not as expected.');
}

/** The members that AWS always sends, by structure: text that is not empty, a structure, or a list, which may be empty. */
const always: Readonly<Record<string, readonly string[]>> = {
  BatchResultErrorEntry: ['Id'],
  ChangeMessageVisibilityBatchResult: ['Successful'],
  ChangeMessageVisibilityBatchResultEntry: ['Id'],
  CompareFacesResponse: ['SourceImageFace', 'FaceMatches'],
  CreateCollectionResponse: ['StatusCode'],
  DeleteFacesResponse: ['DeletedFaces'],
  DeleteMessageBatchResult: ['Successful'],
  DeleteMessageBatchResultEntry: ['Id'],
  DetectFacesResponse: ['FaceDetails'],
  DetectLabelsResponse: ['Labels'],
  DetectModerationLabelsResponse: ['ModerationLabels'],
  DetectProtectiveEquipmentResponse: ['Persons'],
  DetectTextResponse: ['TextDetections'],
  GetCallerIdentityResponse: ['Account', 'Arn'],
  GetQueueAttributesResult: ['Attributes'],
  GetQueueUrlResult: ['QueueUrl'],
  IndexFacesResponse: ['FaceRecords'],
  ListAliasesResponse: ['Aliases'],
  ListCollectionsResponse: ['CollectionIds'],
  ListFacesResponse: ['Faces'],
  ListFunctionsResponse: ['Functions'],
  ListQueuesResult: ['QueueUrls'],
  ListTopicsResponse: ['Topics'],
  ListVersionsByFunctionResponse: ['Versions'],
  Message: ['MessageId', 'ReceiptHandle'],
  MessageAttributeValue: ['DataType'],
  PublishBatchResponse: ['Successful'],
  PublishBatchResultEntry: ['Id', 'MessageId'],
  PublishResponse: ['MessageId'],
  ReceiveMessageResult: ['Messages'],
  RecognizeCelebritiesResponse: ['CelebrityFaces'],
  SearchFacesByImageResponse: ['FaceMatches'],
  SendMessageBatchResult: ['Successful'],
  SendMessageBatchResultEntry: ['Id', 'MessageId'],
  SendMessageResult: ['MessageId']
};

/** The check of each simple type, by its number in schemas. */
const simpleTypes: Readonly<Record<number, Check>> = {
  0: (value) => typeof value === 'string',
  1: (value) => typeof value === 'number' || typeof value === 'bigint',
  2: (value) => typeof value === 'boolean',
  21: types.isUint8Array
};
const listOfType = 64;
const mapOfType = 128;

const anything: Check = () => true;
const listOf =
  (element: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return false;
    for (const each of value) if (!element(each)) return false;
    return true;
  };

/** A list that is empty or has at least one valid element: the receiver checks each of them again. */
const someOf =
  (element: Check): Check =>
  (value) =>
    Array.isArray(value) && (value.length === 0 || value.some(element));

const mapOf =
  (element: Check): Check =>
  (value) => {
    if (!isObject(value)) return false;
    // The SDK loses the value of a key called `__proto__`.
    for (const name in value) if (value[name] !== undefined && !element(value[name])) return false;
    return true;
  };

function simple(type: number): Check {
  if (type >= mapOfType) return mapOf(simple(type - mapOfType));
  if (type >= listOfType) return listOf(simple(type - listOfType));
  return simpleTypes[type] ?? anything;
}

/** A member of a structure. */
interface Member {
  readonly name: string;
  readonly check: Check;
  readonly isNeeded: boolean;
}

/** By schema. Made on first use, since a structure may contain itself. */
const structures = new Map<Schema, Member[]>();

function membersOf(schema: readonly unknown[]): Member[] {
  const known = structures.get(schema);
  if (known) return known;
  const [, , kind, , names, schemas] = schema;
  const needed = always[String(kind)] ?? [];
  const makeCheck = kind === 'ReceiveMessageResult' ? messages : checkOf;
  const members = (Array.isArray(names) ? names : []).map((name, index) => ({
    name: String(name),
    check: makeCheck(schemaAt(schemas, index)),
    isNeeded: needed.includes(String(name))
  }));
  structures.set(schema, members);
  return members;
}

const isGood = ({ name, check, isNeeded }: Member, of: Record<string, unknown>): boolean => {
  const value = of[name];
  return value === undefined || value === null ? !isNeeded : check(value) && !(isNeeded && value === '');
};

function structure(schema: readonly unknown[]): Check {
  let members: Member[] | undefined;
  return (value) => {
    members ??= membersOf(schema);
    if (!isObject(value)) return false;
    for (const member of members) if (!isGood(member, value)) return false;
    return true;
  };
}

function checkOf(schema: Schema): Check {
  if (typeof schema === 'function') return checkOf(schema());
  if (typeof schema === 'number') return simple(schema);
  if (typeof schema === 'string') return anything;
  if (schema.length === 2) return checkOf(schemaAt(schema, 0));
  const [kind] = schema;
  if (kind === 0) return checkOf(schemaAt(schema, 4));
  if (kind === 1) return listOf(checkOf(schemaAt(schema, 4)));
  return kind === 2 ? mapOf(checkOf(schemaAt(schema, 5))) : structure(schema);
}

const isList = (schema: Schema): boolean => Array.isArray(schema) && schema[0] === 1;

/** The check of the messages that a queue hands out: one invalid message does not make the others invalid. */
function messages(schema: Schema): Check {
  if (typeof schema === 'function') return messages(schema());
  return isList(schema) ? someOf(checkOf(schemaAt(schema, 4))) : messages(schemaAt(schema, 0));
}

/** Whether a value fits the schema of a structure, one of those that the SDK's clients export. */
export const hasShape = (schema: readonly unknown[], value: unknown): boolean => structure(schema)(value);

const dereferenced = (schema: Schema): Schema => (typeof schema === 'function' ? schema() : schema);

/**
 * Whether an answer has the headers of AWS: a request ID, or AWS's own content type of JSON, since some local services send
 * no request ID. ElasticMQ sends no content type with an empty answer.
 */
const isSigned = ({ $metadata }: Answer, type: string | undefined): boolean =>
  $metadata.requestId !== undefined || /^application\/x-amz-json-/.test(type ?? '');

/** Checks the answer to an operation without output. */
function checkNothing(output: Answer, type: string | undefined): void {
  const said = Object.keys(output).filter((name) => name !== '$metadata');
  const isNothing = said.length === 0 && (type === undefined || isSigned(output, type));
  if (!isNothing) throw foreignAnswer(output.$metadata.httpStatusCode, `It says ${said.join(', ') || 'nothing'}.`);
}

/**
 * Checks a successful answer against the SDK's schema of the operation: each member has to have its type, and members that
 * AWS always sends have to be there; only an empty list may be left out of an answer with the headers of AWS. `operation` is
 * the schema of the operation, `type` the content type of the answer. Throws `UnknownError` for an answer that cannot be
 * from AWS.
 */
export function checkAnswer(operation: unknown, output: Answer, type: string | undefined): void {
  const schema = dereferenced(schemaAt(operation, 5));
  const members = typeof schema === 'object' ? membersOf(schema) : [];
  if (members.length === 0) {
    checkNothing(output, type);
    return;
  }
  if (!isObject(output)) throw foreignAnswer();
  const isLeftOut = ({ name, check }: Member) => output[name] === undefined && isSigned(output, type) && check([]);
  const wrong = members.find((member) => !isGood(member, output) && !isLeftOut(member));
  if (wrong) throw foreignAnswer(output.$metadata.httpStatusCode, `Its ${wrong.name} is missing or of another type.`);
}
