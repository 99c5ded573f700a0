/** The minimum policies for what is deployed with an account. */
import type { NodeAPI } from 'node-red';
import {
  type AccountNode,
  describedAccount,
  isDisabled,
  runningAccounts,
  storedCredentials,
  usersOf
} from '../account/account';
import { type CallerIdentity, callerIdentity } from '../account/caller-identity';
import { idInFlow } from '../account/calls';
import type { Clients } from '../account/clients';
import { partitionOf } from '../account/regions';
import { openAccount, readSettings } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';
import type { Config } from '../fields/read';
import { type Home, hasCredentialsOfMessages, type Need, needsOf } from './needs';
import {
  beyond,
  type Holder,
  holderOf,
  iotCommand,
  largestManaged,
  type Origin,
  type Policy,
  policyOf,
  putCommand,
  type Statement,
  sizeOf,
  statementsFor,
  trustCommand
} from './policy-document';
import { type Refusal, refusalOf } from './refusal';
import { any } from './resources';
import { rights } from './rights';

/** A policy, what it is for, and the command that puts it there. */
export interface PolicyBlock {
  /**
   * `needed` by the nodes; `optional`, for the lists in dialogs only; `source`, for the sign-in that assumes the role; `trust`
   * of the role; `certificate`, of AWS IoT.
   */
  kind: 'needed' | 'optional' | 'source' | 'trust' | 'certificate';
  policy: Policy;
  command: string;
  /** Who gets it, if that is known. */
  holder?: Holder | undefined;
}

/** What a policy cannot say of itself: JSON has no comments. */
export type PolicyNote =
  /** Messages name the resources of a statement. */
  | { kind: 'ofMessages'; sid: string }
  /** Several nodes need the same. */
  | { kind: 'shared'; sid: string; nodes: string[] }
  /** The pictures that messages bring these nodes may be in S3. */
  | { kind: 'pictures'; nodes: string[] }
  /** These nodes use the credentials of messages. */
  | { kind: 'credentials'; nodes: string[] }
  /** Queues and topics may be encrypted. */
  | { kind: 'encrypted' }
  /** AWS has not said which account this is. */
  | { kind: 'account'; name: string; message: string }
  /** Who assumes the role is not known, so that its whole account may. */
  | { kind: 'source' }
  /** A managed policy may not be as large. */
  | { kind: 'large'; size: number; most: number };

export interface Policies {
  blocks: PolicyBlock[];
  notes: PolicyNote[];
}

/** How long STS may take to say who signs in, ms. */
const limit = 5000;

type Settings = ReturnType<typeof readSettings>;

/** Who signs in, before a role is assumed, and where. */
interface SignedIn {
  /** The ID of the account as it runs: another one in each instance of a subflow. */
  readonly id: string;
  readonly settings: Settings;
  /** Absent if STS has not answered, for which there is `problem`. */
  readonly identity?: CallerIdentity;
  readonly problem?: PolicyNote;
  readonly region: string;
}

/** The account as it is deployed, but without the role that it assumes: so it works, too, before the role can be assumed. */
async function signIn(RED: NodeAPI, described: Config, node: AccountNode): Promise<SignedIn> {
  const stored = storedCredentials(RED, described.id);
  const settings = readSettings(RED, node, described, stored);
  const clients = openAccount(RED, node, { ...described, roleArn: '' }, stored);
  try {
    return { id: node.id, settings, ...(await who(clients)) };
  } finally {
    clients.close();
  }
}

async function who(clients: Clients): Promise<Omit<SignedIn, 'id' | 'settings'>> {
  try {
    const identity = await within(limit, (signal) => callerIdentity(clients, signal));
    return { identity, region: identity.region };
  } catch (thrown) {
    const secrets = clients.secrets();
    const { name, message } = toActionError(thrown, { service: 'sts', operation: 'GetCallerIdentity', secrets });
    const { region } = await clients.get('sts');
    return { region, problem: { kind: 'account', name, message } };
  }
}

const numberIn = (arn: string | undefined): string | undefined => arn?.split(':')[4] || undefined;

/** The ARN that the nodes act as, as far as it is known: the role, or who signs in. */
const actorOf = ({ settings, identity }: SignedIn): string | undefined =>
  settings.roleArn ?? (identity?.arn || settings.certificateRoleArn);

function homeOf(signedIn: SignedIn): Home {
  const { region, settings, identity } = signedIn;
  const known = [actorOf(signedIn), identity?.arn, settings.trustAnchorArn];
  const arn = known.find((each) => numberIn(each) !== undefined);
  return { home: region, account: numberIn(arn) ?? any, partition: arn?.split(':')[1] || partitionOf(region) };
}

/** A part of the rights of an account, with other members. */
function accountStatement(part: string, members: Partial<Statement>): Statement {
  const { Principal, Action, Resource, Condition } = {
    ...(rights['aws-account']?.[part]?.[0] as Statement),
    ...members
  };
  return {
    Effect: 'Allow',
    ...(Principal && { Principal }),
    Action,
    ...(Resource && { Resource }),
    ...(Condition && { Condition })
  };
}

/** Names of policies by what they are for. */
const nameOf = (id: string, kind: PolicyBlock['kind']): string =>
  `node-red-${id.replace(/[^\w+=,.@-]/g, '-')}${kind === 'needed' ? '' : `-${kind}`}`;

/** A policy for who signs in, or for the role that the nodes act as. */
const blockFor = (id: string, kind: PolicyBlock['kind'], statements: Statement[], holder: Holder | undefined) => {
  const policy = policyOf(statements);
  return { kind, policy, command: putCommand(policy, nameOf(id, kind), holder), holder };
};

/** An IAM principal for an ARN: a session is that of its role. `undefined` if it is not known. */
function principalOf(arn: string | undefined): string | undefined {
  const session = /^(arn:[^:]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn ?? '');
  return session ? `${session[1]}:iam::${session[2]}:role/${session[3]}` : arn || undefined;
}

const trustBlock = (statement: Statement, arn: string): PolicyBlock => {
  const policy = policyOf([statement]);
  const holder = holderOf(arn) as Holder;
  return { kind: 'trust', policy, command: trustCommand(policy, holder.name), holder };
};

/** The policies of both sides of the role that the account assumes. */
function roleBlocks(id: string, { settings, identity }: SignedIn): PolicyBlock[] {
  const { roleArn, certificateRoleArn } = settings;
  if (roleArn === undefined) return [];
  const arn = identity?.arn || certificateRoleArn;
  const root = `${roleArn.split(':', 5).join(':')}:root`;
  const { externalId } = settings;
  const trust = accountStatement('trust', { Principal: { AWS: principalOf(arn) ?? root } });
  if (externalId) trust.Condition = { StringEquals: { 'sts:ExternalId': externalId } };
  else delete trust.Condition;
  const source = { Sid: 'AssumeRole', ...accountStatement('role', { Resource: roleArn }) };
  return [blockFor(id, 'source', [source], arn ? holderOf(arn) : undefined), trustBlock(trust, roleArn)];
}

/** The policies of the exchange of a certificate. */
function certificateBlocks(id: string, signedIn: SignedIn): PolicyBlock[] {
  const { settings, identity, region } = signedIn;
  const { source, exchange, roleAlias, trustAnchorArn = '', certificateRoleArn = '' } = settings;
  if (source !== 'certificate') return [];
  if (exchange === 'rolesAnywhere') {
    const Condition = { ArnEquals: { 'aws:SourceArn': trustAnchorArn } };
    return [trustBlock(accountStatement('trustAnywhere', { Condition }), certificateRoleArn)];
  }
  const number = numberIn(identity?.arn) ?? any;
  const Resource = `arn:${partitionOf(region)}:iot:${region}:${number}:rolealias/${roleAlias}`;
  const policy = policyOf([accountStatement('alias', { Resource })]);
  const alias = { kind: 'certificate' as const, policy, command: iotCommand(policy, nameOf(id, 'certificate')) };
  const role = principalOf(identity?.arn);
  return role ? [alias, trustBlock(accountStatement('trustIot', {}), role)] : [alias];
}

const notesOn = (origins: Origin[]): PolicyNote[] =>
  origins.flatMap(({ sid, nodes, ofMessages }) => [
    ...(ofMessages ? [{ kind: 'ofMessages' as const, sid }] : []),
    ...(nodes.length > 1 ? [{ kind: 'shared' as const, sid, nodes }] : [])
  ]);

const namesIn = (nodes: Iterable<Need['node']>): string[] =>
  [...new Set([...nodes].map(({ name, type }) => name || type))].sort();

/** A note about nodes, if there are any. */
const noteOn = (kind: 'pictures' | 'credentials', nodes: Need['node'][]): PolicyNote[] =>
  nodes.length > 0 ? [{ kind, nodes: namesIn(nodes) }] : [];

function largeIn(blocks: PolicyBlock[]): PolicyNote[] {
  const size = Math.max(...blocks.map(({ policy }) => sizeOf(policy)), 0);
  return size > largestManaged ? [{ kind: 'large', size, most: largestManaged }] : [];
}

/** The policies for the running nodes of an account, in all instances of a subflow that sign in alike. */
function policiesFor(RED: NodeAPI, id: string, alike: readonly SignedIn[]): Policies {
  const [signedIn] = alike as [SignedIn];
  const all = alike.flatMap((each) => usersOf(RED, each.id).map((user) => ({ ...user, home: homeOf(each) })));
  const users = all.filter((user) => !hasCredentialsOfMessages(user));
  const needs = users.flatMap((user) => needsOf(RED, user, user.home));
  const certain = needs.filter(({ resources }) => resources.length > 0);
  const needed = certain.filter(({ isOptional }) => !isOptional);
  const optional = beyond(
    certain.filter(({ isOptional }) => isOptional),
    needed
  );
  const actor = actorOf(signedIn);
  const holder = actor ? holderOf(actor) : undefined;
  const parts = [
    { kind: 'needed' as const, ...statementsFor(needed) },
    { kind: 'optional' as const, ...statementsFor(optional) }
  ];
  const blocks = [
    ...parts
      .filter(({ statements }) => statements.length > 0)
      .map(({ kind, statements }) => blockFor(id, kind, statements, holder)),
    ...roleBlocks(id, signedIn),
    ...certificateBlocks(id, signedIn)
  ];
  const ofMessages = needs.filter(({ resources }) => resources.length === 0);
  const isEncryptable = users.some(({ node: { type } }) => rights[type]?.encrypted);
  return {
    blocks,
    notes: [
      ...(signedIn.problem ? [signedIn.problem] : []),
      ...parts.flatMap(({ origins }) => notesOn(origins)),
      ...noteOn(
        'pictures',
        ofMessages.map(({ node }) => node)
      ),
      ...noteOn(
        'credentials',
        all.filter(hasCredentialsOfMessages).map(({ node }) => node)
      ),
      ...(isEncryptable ? [{ kind: 'encrypted' as const }] : []),
      ...(blocks.some(({ kind, holder: known }) => kind === 'source' && !known) ? [{ kind: 'source' as const }] : []),
      ...largeIn(blocks)
    ]
  };
}

/** Those together that sign in alike: what they need is the right of one identity. */
function groupsOf(all: readonly SignedIn[]): SignedIn[][] {
  const groups = new Map<string, SignedIn[]>();
  for (const each of all) {
    const { settings, identity } = each;
    const { roleArn, externalId, source, exchange, roleAlias, trustAnchorArn, certificateRoleArn } = settings;
    const role = [roleArn, externalId, source, exchange, roleAlias, trustAnchorArn, certificateRoleArn];
    const key = JSON.stringify([identity?.arn, role]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

/** The policies for what is deployed with an account, or why there are none. `account` is its ID. */
export async function policiesOf(RED: NodeAPI, account: unknown): Promise<Policies | { refusal: Refusal }> {
  const described = describedAccount(RED, account);
  const running = runningAccounts.in(RED).filter((each) => idInFlow(each) === account);
  if (!described || isDisabled(RED, described) || running.length === 0) {
    return { refusal: { kind: described ? 'disabled' : 'notDeployed', name: 'AccountMissing', message: '' } };
  }
  try {
    const signedIn = await Promise.all(running.map((each) => signIn(RED, described, each)));
    const policies = groupsOf(signedIn).map((alike) => policiesFor(RED, described.id, alike));
    return { blocks: policies.flatMap(({ blocks }) => blocks), notes: policies.flatMap(({ notes }) => notes) };
  } catch (thrown) {
    return { refusal: refusalOf(toActionError(thrown, { type: 'aws-account', secrets: [] })) };
  }
}
