/** What the running nodes of an account need of IAM. */
import type { NodeAPI } from 'node-red';
import type { AccountUser } from '../account/account';
import { isShown } from '../fields/fields';
import { knownValue } from '../fields/read';
import { any, objectsOfExpression, type Place, resourceOfMessages, resourcesOf } from './resources';
import { type Right, rights } from './rights';

/** What a node needs of resources. */
export interface Need {
  readonly node: Pick<AccountUser['node'], 'id' | 'name' | 'type'>;
  readonly actions: readonly string[];
  /** Empty if messages decide whether there are any: the pictures that they bring may be in S3. */
  readonly resources: readonly string[];
  /** Whether messages name the resources. */
  readonly ofMessages: boolean;
  /** Whether only the lists in the node's dialog need it. */
  readonly isOptional: boolean;
}

/** What of an account is known, for the ARNs. */
export type Home = Omit<Place, 'region'>;

/** The parts that only dialogs need. */
const optionalParts = new Set(['lists']);
/** Nobody can see in a flow what is encrypted with which key. */
const unknownParts = new Set(['encrypted']);

/** A node with what the account knows. */
interface Asking {
  readonly RED: NodeAPI;
  readonly user: AccountUser;
  readonly place: Place;
}

const known = ({ RED, user: { node, config, fields } }: Asking, name: string) =>
  knownValue(RED, node, config, name, fields);

/** The version or alias, if a right tells them apart. */
function qualifierOf(asking: Asking, { qualifier }: Right) {
  if (qualifier === undefined) return undefined;
  const found = known(asking, qualifier);
  return { named: found ? (found.value as string | undefined) : any };
}

/** Whether an expression gives pictures that are in S3. Of those that messages bring nobody knows. */
function meansObjects({ config }: AccountUser, name: string): boolean {
  return config[`${name}Type`] === 'jsonata' && /s3:\/\/|S3Object/i.test(String(config[name]));
}

/** The resources of a right, and whether messages name them. */
function resourcesFor(asking: Asking, right: Right): Pick<Need, 'resources' | 'ofMessages'> {
  const { type, of } = right;
  const { user, place } = asking;
  if (type === undefined || of === undefined) return { resources: [any], ofMessages: false };
  const value = known(asking, of);
  if (value) return { resources: resourcesOf(type, value.value, place, qualifierOf(asking, right)), ofMessages: false };
  if (type !== 'object') return { resources: [resourceOfMessages(type, place)], ofMessages: true };
  const resources = meansObjects(user, of) ? [objectsOfExpression(String(user.config[of]), place)] : [];
  return { resources, ofMessages: true };
}

/** Whether a node needs a right, by the values of its fields. */
const applies = ({ user: { config, fields } }: Asking, { when }: Right): boolean =>
  when === undefined || isShown({ when }, (name) => String(config[name] ?? fields[name]?.value));

/** The region of a node: `*` if messages bring it. */
function regionOf(RED: NodeAPI, { node, config, fields }: AccountUser): string | undefined {
  const found = knownValue(RED, node, config, 'region', fields);
  return found ? (found.value as string | undefined) : any;
}

/** Whether a node uses the credentials of messages instead of the account's. */
export const hasCredentialsOfMessages = ({ config: { dynamicCredentials: found } }: AccountUser): boolean =>
  found !== undefined && found !== '';

/** What a node needs, each kind of resource by itself. */
export function needsOf(RED: NodeAPI, user: AccountUser, home: Home): Need[] {
  const { id, name, type } = user.node;
  const asking = { RED, user, place: { ...home, region: regionOf(RED, user) } };
  return Object.entries(rights[type] ?? {}).flatMap(([part, all]) => {
    if (unknownParts.has(part)) return [];
    return all
      .filter((right) => applies(asking, right))
      .map((right) => ({
        node: { id, name, type },
        actions: [right.Action].flat(),
        ...resourcesFor(asking, right),
        isOptional: optionalParts.has(part)
      }))
      .filter(({ resources, ofMessages }) => resources.length > 0 || ofMessages);
  });
}
