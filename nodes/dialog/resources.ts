/** The ARNs of what nodes name: queues, functions, topics and so on. */
import { partitionOf } from '../account/regions';
import { isObject } from '../fields/json';
import { nameOfQueue, regionOfQueue } from '../messaging/queue';
import type { ResourceType } from './rights';

/** Where the requests of a node go. */
export interface Place {
  /** The node's own region; `*` if it comes from messages; `undefined` if it has none. */
  readonly region: string | undefined;
  /** The account's region. */
  readonly home: string;
  /** The account number; `*` if it is not known. */
  readonly account: string;
  /** The account's partition, for nodes whose region comes from messages. */
  readonly partition: string;
}

/** Every resource. */
export const any = '*';

const partitionAt = ({ region: own, home, partition }: Place, region = own ?? home): string =>
  region === any ? partition : partitionOf(region);

/** An ARN of a service. The region that a name brings along counts if the node has none of its own. */
function arn(place: Place, service: string, rest: string, named: { region?: string; account?: string } = {}): string {
  const region = place.region ?? named.region ?? place.home;
  return `arn:${partitionAt(place, region)}:${service}:${region}:${named.account ?? place.account}:${rest}`;
}

const isArn = (text: string): boolean => text.startsWith('arn:');

function queueArn(queue: string, place: Place): string {
  const region = regionOfQueue(queue);
  const within = (name: string, account = '') =>
    arn(place, 'sqs', name, { ...(region && { region }), account: /^\d{12}$/.test(account) ? account : any });
  if (/^https?:/.test(queue)) {
    const [account, name = queue] = nameOfQueue(queue).split('/');
    return within(name, account);
  }
  // AWS finds the queue of an ARN in the region that the request goes to.
  const [, , , , account, name] = queue.split(':');
  return name === undefined ? arn(place, 'sqs', queue) : within(name, account);
}

/** A name, partial ARN or ARN of a function, with or without a version or alias. */
const functionParts =
  /^(?<arn>arn:[^:]*:lambda:[^:]*:)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[^:]+)(?::(?<qualifier>.+))?$/;

function functionArns(text: string, place: Place, qualifier: Qualifier): string[] {
  const { arn: start, account, name, qualifier: own } = functionParts.exec(text)?.groups ?? {};
  if (name === undefined) return [];
  const bare = start
    ? `${start}${account}:function:${name}`
    : arn(place, 'lambda', `function:${name}`, account ? { account } : {});
  // One in the name has to equal one beside it.
  const named = qualifier && (own ?? qualifier.named);
  if (named === undefined) return [bare];
  return named === any ? [bare, `${bare}:*`] : [`${bare}:${named}`];
}

/** A text without wildcards and variables of IAM. */
const literally = (text: string): string => text.replace(/[*?$]/g, '${$&}');

/** The objects that an expression can mean: those with the beginning that it has as text, or all. */
export function objectsOfExpression(expression: string, place: Place): string {
  const [, bucket, key = ''] = /^\s*["']s3:\/\/([a-z0-9.-]+)\/([^"'\\]*)["']/.exec(expression) ?? [];
  return bucket ? `arn:${partitionAt(place)}:s3:::${bucket}/${literally(key)}*` : any;
}

function objectArns(image: unknown, place: Place): string[] {
  const object = isObject(image) && isObject(image.S3Object) ? image.S3Object : undefined;
  return object ? [`arn:${partitionAt(place)}:s3:::${String(object.Bucket)}/${literally(String(object.Name))}`] : [];
}

/**
 * The version or alias of a function beside its name: `*` if messages may bring one. `undefined` if only the function itself
 * counts.
 */
export type Qualifier = { readonly named: string | undefined } | undefined;

interface Named {
  /** The ARNs for a value of the field; none if it is not of this type. */
  of(value: string, place: Place, qualifier: Qualifier): string[];
  /** The resource if messages bring the value. */
  any(place: Place): string;
}

const everything = () => any;

const types: Readonly<Record<Exclude<ResourceType, 'object'>, Named>> = {
  collection: {
    of: (id, place) => [arn(place, 'rekognition', `collection/${id}`)],
    any: (place) => arn(place, 'rekognition', 'collection/*')
  },
  'durable execution': { of: () => [], any: (place) => arn(place, 'lambda', 'function:*') },
  function: { of: functionArns, any: everything },
  phone: { of: (target) => (isArn(target) ? [] : [any]), any: everything },
  queue: { of: (queue, place) => [queueArn(queue, place)], any: everything },
  'queue name': {
    of: (queue, place) => (/[:/]/.test(queue) ? [] : [queueArn(queue, place)]),
    any: (place) => arn(place, 'sqs', any)
  },
  topic: { of: (target) => (isArn(target) ? [target] : []), any: everything }
};

/** The resources of a type that the value of a field names, as the field has checked it: one, or a list of them. */
export function resourcesOf(type: ResourceType, value: unknown, place: Place, qualifier: Qualifier): string[] {
  if (type === 'object') return objectArns(value, place);
  const texts = [value].flat().filter((each) => typeof each === 'string');
  return texts.flatMap((text) => types[type].of(text, place, qualifier));
}

/** The resource of a type that messages name. */
export const resourceOfMessages = (type: ResourceType, place: Place): string =>
  type === 'object' ? any : types[type].any(place);
