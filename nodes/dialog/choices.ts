/** The lists that dialogs offer beside fields: functions, queues, regions and so on. */
import type { NodeAPI } from 'node-red';
import { accountFrom, describedAccount, isDisabled, storedCredentials } from '../account/account';
import type { Client } from '../account/client';
import type { Clients } from '../account/clients';
import { profileNames } from '../account/profiles';
import { redact } from '../account/redaction';
import { inSamePartition, regionName, regions } from '../account/regions';
import type { Sdks, ServiceName } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import { openAccount } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';
import type { ActionError } from '../fields/errors';
import { invalid } from '../fields/errors';
import type { Offer } from '../fields/fields';
import { regionIs, regionOfArn } from '../fields/fields';
import { inOneLine } from '../fields/lines';
import { substituteEnv } from '../fields/values';
import { peopleIn } from '../rekognition/people';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import { standInFor, standInForAccount } from './stand-in';

/** An entry of a list. */
export interface Choice {
  /** The value of the field when it is chosen. */
  value: string;
  /** What the list shows; default: the value. */
  label?: string;
  /** Further information, such as a description. */
  detail?: string;
}

export interface ChoicePage {
  choices: Choice[];
  /** The token of the next page; absent on the last one. */
  next?: string;
}

/** The parameters of a page. */
interface Question {
  /** The region of the node; default: that of the account. */
  region?: string | undefined;
  /** The function whose versions and aliases are wanted. */
  of?: string | undefined;
  /** `next` of the page before. */
  after?: string | undefined;
}

interface Asked<S extends ServiceName> extends Omit<Question, 'region'> {
  signal: AbortSignal;
  sdk: Sdks[S];
  client: Client;
}

/** A list of AWS. `action` is the IAM action that a policy has to allow. */
interface List<S extends ServiceName> {
  service: S;
  action: string;
  ask(asked: Asked<S>): Promise<ChoicePage>;
}

const define = <S extends ServiceName>(list: List<S>): List<S> => list;

const page = (choices: Choice[], next: string | undefined): ChoicePage => ({ choices, ...(next && { next }) });
const lastPart = (arnOrUrl: string): string => arnOrUrl.split(/[:/]/).pop() ?? arnOrUrl;
const filled = (...texts: Array<string | undefined>): string => inOneLine(texts.filter(Boolean).join(' · '));
const withDetail = (choice: Choice, ...texts: Array<string | undefined>): Choice => {
  const detail = filled(...texts);
  return detail ? { ...choice, detail } : choice;
};

/** A function's name or ARN without a version or alias, as `ListAliases` takes it. */
const unqualified = (name: string): string => {
  const parts = name.split(':');
  const full = parts[0] === 'arn' ? 7 : parts.length > 2 ? 3 : 1;
  return parts.slice(0, full).join(':');
};

const functions = define({
  service: 'lambda',
  action: 'lambda:ListFunctions',
  async ask({ sdk, client, after, signal }) {
    const limits = { abortSignal: signal };
    const output = await client.send(new sdk.ListFunctionsCommand({ Marker: after, MaxItems: 50 }), limits);
    const choices = (output.Functions ?? []).map(({ FunctionName = '', Runtime, Description }) =>
      withDetail({ value: FunctionName }, Runtime, Description)
    );
    return page(choices, output.NextMarker);
  }
});

/** The beginning of the tokens of pages with versions, which follow those with aliases. */
const versionsMark = 'versions:';

/** Aliases come before versions, since users should prefer them. */
const aliases = define({
  service: 'lambda',
  action: 'lambda:ListAliases',
  async ask({ sdk, client, of = '', after, signal }) {
    const limits = { abortSignal: signal };
    const command = new sdk.ListAliasesCommand({ FunctionName: unqualified(of), Marker: after, MaxItems: 50 });
    const { Aliases = [], NextMarker } = await client.send(command, limits);
    const choices = Aliases.map(({ Name = '', FunctionVersion, Description }) =>
      withDetail({ value: Name }, `→ ${FunctionVersion}`, Description)
    );
    return page(choices, NextMarker ?? versionsMark);
  }
});

const versions = define({
  service: 'lambda',
  action: 'lambda:ListVersionsByFunction',
  async ask({ sdk, client, of = '', after = '', signal }) {
    const limits = { abortSignal: signal };
    const Marker = after.slice(versionsMark.length) || undefined;
    const command = new sdk.ListVersionsByFunctionCommand({ FunctionName: unqualified(of), Marker, MaxItems: 50 });
    const { Versions = [], NextMarker } = await client.send(command, limits);
    const choices = Versions.map(({ Version = '', LastModified, Description }) =>
      withDetail({ value: Version }, LastModified?.slice(0, 10), Description)
    );
    return page(choices, NextMarker && versionsMark + NextMarker);
  }
});

/** The value is the ARN: it has the region, and `Publish` needs it. */
const topics = define({
  service: 'sns',
  action: 'sns:ListTopics',
  async ask({ sdk, client, after, signal }) {
    const output = await client.send(new sdk.ListTopicsCommand({ NextToken: after }), { abortSignal: signal });
    const arns = (output.Topics ?? []).map(({ TopicArn = '' }) => TopicArn);
    return page(
      arns.map((arn) => ({ value: arn, label: lastPart(arn) })),
      output.NextToken
    );
  }
});

/** The value is the URL, so that the node does not have to look it up by the name. */
const queues = define({
  service: 'sqs',
  action: 'sqs:ListQueues',
  async ask({ sdk, client, after, signal }) {
    // Without MaxResults the service returns 1,000 queues and no token for more.
    const command = new sdk.ListQueuesCommand({ MaxResults: 200, NextToken: after });
    const output = await client.send(command, { abortSignal: signal });
    return page(
      (output.QueueUrls ?? []).map((url) => ({ value: url, label: lastPart(url) })),
      output.NextToken
    );
  }
});

const collections = define({
  service: 'rekognition',
  action: 'rekognition:ListCollections',
  async ask({ sdk, client, after, signal }) {
    const command = new sdk.ListCollectionsCommand({ NextToken: after, MaxResults: 100 });
    const output = await client.send(command, { abortSignal: signal });
    return page(
      (output.CollectionIds ?? []).map((value) => ({ value })),
      output.NextToken
    );
  }
});

/** Who is known in a collection, and by how many faces. */
const people = define({
  service: 'rekognition',
  action: 'rekognition:ListFaces',
  async ask({ sdk, client, of, after, signal }) {
    const command = new sdk.ListFacesCommand({ CollectionId: of, NextToken: after, MaxResults: 4096 });
    const { Faces = [], NextToken } = await client.send(command, { abortSignal: signal });
    const choices = peopleIn(Faces).map(([value, { length }]) => withDetail({ value }, `× ${length}`));
    return page(choices, NextToken);
  }
});

const lists = { functions, qualifiers: aliases, topics, queues, collections, people } satisfies Partial<
  Record<Offer, unknown>
>;

type ListName = keyof typeof lists;

/** The list of a page. */
const listFor = (name: ListName, after = '') =>
  name === 'qualifiers' && after.startsWith(versionsMark) ? versions : lists[name];

function regionFor({ region, of }: Question): string | undefined {
  return region || (of && regionOfArn(of)) || undefined;
}

/** The time limit for a page, ms: a user is waiting. */
const limit = 4500;

/**
 * A page of a list. Nothing is cached, since users look for what they have just created. Rejects with the SDK's error.
 */
async function choicesOf(name: ListName, clients: Clients, question: Question): Promise<ChoicePage> {
  const list = listFor(name, question.after) as List<ServiceName>;
  return within(limit, async (signal) => {
    const client = await clients.get(list.service, { region: regionFor(question) });
    return list.ask({ ...question, sdk: sdkOf(list.service), client, signal });
  });
}

/** The list of regions. */
const regionChoices = (): Choice[] => Object.entries(regions).map(([value, detail]) => ({ value, detail }));

const asText = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A name that can only be that of a region. */
const usualRegion = new RegExp(`^${regionName}$`);

/**
 * The region in a dialog, which may contain an environment variable. Users with only the right to read must not learn the
 * values of variables: one that is not a region is neither quoted nor used in a host name, and one that is a region is added
 * to `hidden`, so that the answer does not contain it. Throws `InvalidValue`.
 */
function regionIn(RED: NodeAPI, given: unknown, hidden: string[]): string | undefined {
  const region = asText(substituteEnv(RED, standInFor(RED, '', {}), given));
  if (region === undefined || region === given) return region;
  if (!usualRegion.test(region)) throw invalid('region', `must be ${regionIs}, but its variable holds something else.`);
  hidden.push(region);
  return region;
}

/**
 * Throws `InvalidValue` for a region in another partition, which others operate, unless the user could deploy that as
 * well.
 */
async function needPartition(region: string, account: Client, mayDeploy: MayDeploy): Promise<void> {
  if (inSamePartition(region, account.region) || (await mayDeploy())) return;
  throw invalid('region', 'is in another partition of AWS than the account: it takes the right to deploy flows.');
}

/** Whether the user may deploy flows. */
type MayDeploy = () => Promise<boolean>;

/** A page of a list, or why there is none. `region` is the region of the list, unless that is the value of a variable. */
type ListAnswer = (ChoicePage & { region?: string }) | { refusal: Refusal };

async function listFrom(
  RED: NodeAPI,
  clients: Clients,
  name: ListName,
  query: Query,
  mayDeploy: MayDeploy
): Promise<ListAnswer> {
  const hidden: string[] = [];
  const after = asText(query.after);
  try {
    const question = { region: regionIn(RED, query.region, hidden), of: asText(query.of), after };
    const client = await within(limit, async () => clients.get(lists[name].service));
    const region = regionFor(question);
    if (region) await needPartition(region, client, mayDeploy);
    const page = await choicesOf(name, clients, question);
    return hidden.length > 0 ? page : { ...page, region: redact(region ?? client.region, clients.secrets()) };
  } catch (thrown) {
    const error = toActionError(thrown, { type: 'aws-account', secrets: clients.secrets() });
    const { message, ...refusal } = refusalOf(error);
    const shown = hidden.reduce((text, region) => text.replaceAll(region, '***'), message);
    return { refusal: { ...refusal, message: shown, action: listFor(name, after).action } };
  }
}

/** A page of a list through the running account, or, if its flows do not run, through the account as it is stored. */
async function choicesFor(RED: NodeAPI, name: ListName, query: Query, mayDeploy: MayDeploy): Promise<ListAnswer> {
  const running = accountFrom(RED, query.account);
  if (running?.clients) return listFrom(RED, running.clients, name, query, mayDeploy);
  if (running) return { refusal: refusalOf(running.problem as ActionError) };
  const described = describedAccount(RED, query.account);
  if (!described || isDisabled(RED, described)) {
    return { refusal: { kind: described ? 'disabled' : 'notDeployed', name: 'AccountMissing', message: '' } };
  }
  const { id } = described;
  let clients: Clients;
  try {
    clients = openAccount(RED, standInForAccount(RED, id), described, storedCredentials(RED, id));
  } catch (thrown) {
    return { refusal: refusalOf(toActionError(thrown, { type: 'aws-account', secrets: [] })) };
  }
  try {
    return await listFrom(RED, clients, name, query, mayDeploy);
  } finally {
    clients.close();
  }
}

/** The query of the URL; its members may be anything. */
type Query = Readonly<Record<'account' | 'region' | 'of' | 'after', unknown>>;

/**
 * A page of a list for a dialog, or why there is none; `undefined` if the list does not exist. `query.account` is the ID of a
 * deployed `aws-account`, running or not.
 */
export async function answerChoices(
  RED: NodeAPI,
  name: string,
  query: object,
  mayDeploy: MayDeploy
): Promise<object | undefined> {
  if (name === 'regions') return { choices: regionChoices() };
  if (name === 'profiles') return { choices: (await profileNames()).map((value) => ({ value })) };
  return Object.hasOwn(lists, name) ? choicesFor(RED, name as ListName, query as Query, mayDeploy) : undefined;
}
