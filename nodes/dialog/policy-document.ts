/** Policies as IAM takes them, and the commands that put them there. */
import type { Need } from './needs';

/** A statement of a policy. */
export interface Statement {
  Sid?: string;
  Effect: 'Allow';
  Principal?: object;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: object;
}

/** A policy of IAM. */
export interface Policy {
  Version: '2012-10-17';
  Statement: Statement[];
}

/** The nodes and the needs that a statement of a policy is made of. */
export interface Origin {
  /** The `Sid`. */
  sid: string;
  /** The names of the nodes. */
  nodes: string[];
  ofMessages: boolean;
}

export const policyOf = (Statement: Statement[]): Policy => ({ Version: '2012-10-17', Statement });

/** The most characters of a managed policy, without white space. */
export const largestManaged = 6144;
/** The same of all policies in a user, and in a role. */
const largestInline = { user: 2048, role: 10_240 };

/** The characters of a policy as IAM counts them. */
export const sizeOf = (policy: Policy): number => JSON.stringify(policy).replace(/\s/g, '').length;

const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();
const alone = (texts: string[]): string | string[] => (texts.length === 1 ? (texts[0] as string) : texts);
const nameOf = ({ node: { name, type } }: Need): string => name || type;

/** The letters and digits of a name, as a `Sid` may have them; the node's type if there are none. */
function sidOf({ node: { name, type } }: Need): string {
  const words = (text: string) => text.normalize('NFKD').match(/[A-Za-z0-9]+/g) ?? [];
  const [...found] = words((name ?? '').replace(/\p{M}/gu, ''));
  return (found.length > 0 ? found : words(type)).map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

/** Rights of the same nodes, which one statement can allow. */
interface Group {
  needs: Need[];
  actions: string[];
  resources: string[];
}

function grouped<T>(all: T[], keyOf: (each: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return [...groups.values()];
}

const joined = (groups: Group[]): Group => ({
  needs: [...new Set(groups.flatMap(({ needs }) => needs))],
  actions: sorted(groups.flatMap(({ actions }) => actions)),
  resources: sorted(groups.flatMap(({ resources }) => resources))
});

const nodesOf = ({ needs }: Group): string[] => sorted(needs.map(({ node }) => node.id));

/** Each action on each resource once, with all nodes that need it; then as few statements as say this. */
function groupsOf(needs: Need[]): Group[] {
  const single = needs.flatMap((need) =>
    need.actions.flatMap((action) =>
      need.resources.map((resource) => ({ needs: [need], actions: [action], resources: [resource] }))
    )
  );
  const steps: ((group: Group) => unknown)[] = [
    ({ actions, resources }) => [actions, resources],
    (group) => [nodesOf(group), group.resources],
    (group) => [nodesOf(group), group.actions]
  ];
  return steps.reduce<Group[]>(
    (groups, keyOf) => grouped(groups, (group) => JSON.stringify(keyOf(group))).map(joined),
    single
  );
}

/** A name that no other statement has. */
function unique(sid: string, taken: Set<string>): string {
  let free = sid;
  for (let number = 2; taken.has(free); number += 1) free = `${sid}${number}`;
  taken.add(free);
  return free;
}

/** The statements for what nodes need, in the order of their names, and where each comes from. */
export function statementsFor(needs: Need[]): { statements: Statement[]; origins: Origin[] } {
  const byName = needs.toSorted(
    (one, other) =>
      compare(nameOf(one).toLowerCase(), nameOf(other).toLowerCase()) || compare(one.node.id, other.node.id)
  );
  const taken = new Set<string>();
  const all = groupsOf(byName).map((group) => ({ ...group, sid: unique(sidOf(group.needs[0] as Need), taken) }));
  return {
    statements: all.map(({ sid, actions, resources }) => ({
      Sid: sid,
      Effect: 'Allow',
      Action: alone(actions),
      Resource: alone(resources)
    })),
    origins: all.map(({ sid, needs: own }) => ({
      sid,
      nodes: [...new Set(own.map(nameOf))],
      ofMessages: own.some(({ ofMessages }) => ofMessages)
    }))
  };
}

const compare = (one: string, other: string): number => Number(one > other) - Number(one < other);

/** What is left of needs that others do not cover. */
export const beyond = (needs: Need[], others: Need[]): Need[] =>
  needs.flatMap((need) => {
    const covers = (other: Need, resource: string) => other.resources.some((each) => each === '*' || each === resource);
    const isCovered = (action: string) =>
      need.resources.every((resource) =>
        others.some((other) => other.actions.includes(action) && covers(other, resource))
      );
    const actions = need.actions.filter((action) => !isCovered(action));
    return actions.length > 0 ? [{ ...need, actions }] : [];
  });

/** Who gets a policy. */
export interface Holder {
  kind: 'user' | 'role';
  name: string;
}

/** The user or role of an ARN; `undefined` for another principal, such as the root user of an account. */
export function holderOf(arn: string): Holder | undefined {
  const [, kind, path = ''] = /^arn:[^:]*:(?:iam|sts)::\d{12}:(user|role|assumed-role)\/(.+)$/.exec(arn) ?? [];
  if (kind === undefined) return undefined;
  const parts = path.split('/');
  // The session stands last in the ARN of an assumed role.
  const name = (kind === 'assumed-role' ? parts[0] : parts.at(-1)) as string;
  return { kind: kind === 'user' ? 'user' : 'role', name };
}

/** A text as one word of a POSIX shell. */
export const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const command = (...words: string[]): string => ['aws', ...words.map(quoted)].join(' ');

/** The command that gives a policy to who needs it, or makes a managed policy if it does not fit there or nobody is known. */
export function putCommand(policy: Policy, name: string, holder: Holder | undefined): string {
  const document = JSON.stringify(policy);
  if (!holder || sizeOf(policy) > largestInline[holder.kind]) {
    return command('iam', 'create-policy', '--policy-name', name, '--policy-document', document);
  }
  const { kind, name: held } = holder;
  return command(
    'iam',
    `put-${kind}-policy`,
    `--${kind}-name`,
    held,
    '--policy-name',
    name,
    '--policy-document',
    document
  );
}

/** The command that lets a role be assumed. */
export const trustCommand = (policy: Policy, role: string): string =>
  command('iam', 'update-assume-role-policy', '--role-name', role, '--policy-document', JSON.stringify(policy));

/** The command that makes a policy of AWS IoT. */
export const iotCommand = (policy: Policy, name: string): string =>
  command('iot', 'create-policy', '--policy-name', name, '--policy-document', JSON.stringify(policy));
