import * as lambda from '@aws-sdk/client-lambda';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import type { AwsError } from './aws-error';

/*
 * The SDK's runtime schemas are tuples. Their first element is the kind; where it matters here:
 * [1 list, namespace, name, traits, element], [2 map, namespace, name, traits, key, value],
 * [3 structure | -3 error | 4 union, namespace, name, traits, names, members], [0 simple, …, traits, type].
 * A member is such a tuple, a number (type), a function that gives one, or [any of these, traits].
 */
const clients: Record<string, Record<string, unknown>> = { lambda, sns, sqs, sts };

/** Adds the client of a service that is loaded later. */
export function knowClient(service: string, client: Record<string, unknown>): void {
  clients[service] = client;
}

/**
 * Checks an answer against the schema in the SDK's client.
 *
 * @param shape name of the output's shape, such as `ListFunctionsResponse`
 * @throws Error that names the member which the schema does not have, or which has another type there
 */
export function checkOutput(service: string, shape: string, output: unknown): void {
  const schema = clients[service]?.[`${shape}$`];
  if (schema === undefined) throw new Error(`${service} has no shape ${shape}`);
  check(schema, output, shape);
}

/** An error of a service's model: its traits, and the names of its members. */
type ErrorSchema = [kind: -3, namespace: string, name: string, traits: ErrorTraits, members: string[]];
interface ErrorTraits {
  httpError?: number;
  /** Its name and status in the query protocol. */
  awsQueryError?: [code: string, status: number];
}

const isError = (schema: unknown): schema is ErrorSchema => Array.isArray(schema) && schema[0] === -3;

/** The error of this name in a service's model. */
function errorNamed(service: string, name: string): ErrorSchema | undefined {
  const schema = clients[service]?.[`${name}$`];
  return isError(schema) ? schema : undefined;
}

/** Whether a service's model has this error. */
export const isModelled = (service: string, name: string): boolean => errorNamed(service, name) !== undefined;

/** The name and status of an error in the query protocol. */
export const queryErrorOf = (service: string, name: string): ErrorTraits['awsQueryError'] =>
  errorNamed(service, name)?.[3]?.awsQueryError;

/** The error with this name in the query protocol. */
const errorCalled = (service: string, code: string): ErrorSchema | undefined =>
  Object.values(clients[service] ?? {})
    .filter(isError)
    .find(([, , name, traits]) => (traits?.awsQueryError?.[0] ?? name) === code);

/**
 * Checks the name, status and members of an error, if it is in the service's model. SNS only has the query protocol, in
 * which an error may have another name than in the model. Throws as `checkOutput` does.
 */
export function checkError(service: string, error: AwsError): void {
  const query = service === 'sns' ? queryErrorOf(service, error.code) : undefined;
  if (query && query[0] !== error.code) throw new Error(`${error.code} is ${query[0]} in the query protocol`);
  const schema = service === 'sns' ? errorCalled(service, error.code) : errorNamed(service, error.code);
  if (!schema) return;
  const status: unknown = schema[3]?.httpError ?? 400;
  if (status !== error.status) throw new Error(`${error.code} is ${error.status} and should be ${String(status)}`);
  const members = schema[4].map((name) => name.toLowerCase());
  const unknown = Object.keys(error.details.fields ?? {}).filter((name) => !members.includes(name.toLowerCase()));
  if (unknown.length > 0) throw new Error(`${error.code} has no member ${unknown.join(', ')}`);
}

function check(schema: unknown, value: unknown, path: string): void {
  if (typeof schema === 'function') check(schema(), value, path);
  else if (typeof schema === 'number') checkSimple(schema, value, path);
  else if (Array.isArray(schema)) checkTuple(schema, value, path);
  else throw new Error(`${path}: a schema of an unknown kind`);
}

function checkTuple(schema: readonly unknown[], value: unknown, path: string): void {
  const [kind] = schema;
  if (typeof kind !== 'number' || schema.length === 2) check(kind, value, path);
  else if (kind === 0) check(schema[4], value, path);
  else if (kind === 1) checkList(schema[4], value, path);
  else if (kind === 2) checkMap(schema[5], value, path);
  else checkStructure(schema, value, path);
}

function checkStructure(schema: readonly unknown[], value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) throw new Error(`${path} should be a structure`);
  const names = schema[4] as readonly string[];
  const members = schema[5] as readonly unknown[];
  for (const [name, member] of Object.entries(value)) {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`${path} has no member ${name}`);
    if (member !== undefined) check(members[index], member, `${path}.${name}`);
  }
}

function checkList(element: unknown, value: unknown, path: string): void {
  if (!Array.isArray(value)) throw new Error(`${path} should be a list`);
  for (const [index, each] of value.entries()) check(element, each, `${path}[${index}]`);
}

function checkMap(element: unknown, value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) throw new Error(`${path} should be a map`);
  for (const [key, each] of Object.entries(value)) check(element, each, `${path}.${key}`);
}

const simple: Record<number, (value: unknown) => boolean> = {
  0: (value) => typeof value === 'string',
  1: (value) => typeof value === 'number',
  2: (value) => typeof value === 'boolean',
  4: (value) => value instanceof Date,
  5: (value) => value instanceof Date,
  7: (value) => value instanceof Date,
  15: () => true,
  17: (value) => typeof value === 'bigint' || typeof value === 'number',
  21: (value) => value instanceof Uint8Array,
  42: (value) => value instanceof Uint8Array
};

function checkSimple(type: number, value: unknown, path: string): void {
  // 64 and 128 mark a list and a map of a simple type.
  if (type >= 128) checkMap(type - 128, value, path);
  else if (type >= 64) checkList(type - 64, value, path);
  else if (!simple[type]) throw new Error(`${path}: type ${type} is not known here`);
  else if (!simple[type](value)) throw new Error(`${path} has a value of another type`);
}
