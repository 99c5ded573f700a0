/** What there is in AWS, and on this machine, that a field of a dialog can name. */
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
import { inOneLine, invalid } from '../fields/errors';
import type { Offer } from '../fields/fields';
import { regionIs, regionOfArn } from '../fields/fields';
import { substituteEnv } from '../fields/values';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import { standInFor, standInForAccount } from './stand-in';

/** One of the things that can be chosen. */
export interface Choice {
  /** What the field holds once it is chosen. */
  value: string;
  /** What people read; the value where this is left out. */
  label?: string;
  /** What else tells it apart. */
  detail?: string;
}

export interface ChoicePage {
  choices: Choice[];
  /** Where the next page begins; absent on the last one. */
  next?: string;
}

/** What is asked for. */
interface Question {
  /** The region that the node names; the account's own where it names none. */
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

/** A list that a service keeps. `action` is what a policy has to allow, as IAM calls it. */
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

/** A function as its own calls take it, without the version or alias that a name may end in. */
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

/** Begins the marks of the pages that follow the aliases. */
const versionsMark = 'versions:';

/** Aliases come first: they are what people should choose. */
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

/** The ARN tells the region, and is what publishing takes. */
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

/** With a URL nobody has to ask for it by the name. */
const queues = define({
  service: 'sqs',
  action: 'sqs:ListQueues',
  async ask({ sdk, client, after, signal }) {
    // Without MaxResults the service gives 1000 and no way to go on.
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

const lists = { functions, qualifiers: aliases, topics, queues, collections } satisfies Partial<Record<Offer, unknown>>;

type ListName = keyof typeof lists;

/** The list that a page is of. */
const listFor = (name: ListName, after = '') =>
  name === 'qualifiers' && after.startsWith(versionsMark) ? versions : lists[name];

function regionFor({ region, of }: Question): string | undefined {
  return region || (of && regionOfArn(of)) || undefined;
}

/** How long AWS may take for a page, ms: somebody waits in front of a dialog. */
const limit = 4500;

/** One page of a list, asked anew each time: whoever has just made something looks for it. Rejects with what the SDK throws. */
async function choicesOf(name: ListName, clients: Clients, question: Question): Promise<ChoicePage> {
  const list = listFor(name, question.after) as List<ServiceName>;
  return within(limit, async (signal) => {
    const client = await clients.get(list.service, { region: regionFor(question) });
    return list.ask({ ...question, sdk: sdkOf(list.service), client, signal });
  });
}

/** Regions, by what they are called. */
const regionChoices = (): Choice[] => Object.entries(regions).map(([value, detail]) => ({ value, detail }));

const asText = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** As AWS calls its regions. */
const usualRegion = new RegExp(`^${regionName}$`);

/**
 * The region that a dialog names. It may be a variable of the process, but who may only read must not learn by it what a
 * variable holds: one that is no region is not quoted, and becomes no part of a host name; one that is goes into `hidden`.
 */
function regionIn(RED: NodeAPI, given: unknown, hidden: string[]): string | undefined {
  const region = asText(substituteEnv(RED, standInFor(RED, '', {}), given));
  if (region === undefined || region === given) return region;
  if (!usualRegion.test(region)) throw invalid('region', `must be ${regionIs}, but its variable holds something else.`);
  hidden.push(region);
  return region;
}

/** Requests with the account's keys go to another partition, which others run, only for those who could deploy that. */
async function needPartition(region: string, account: Client, mayDeploy: () => Promise<boolean>): Promise<void> {
  if (inSamePartition(region, account.region) || (await mayDeploy())) return;
  throw invalid('region', 'is in another partition of AWS than the account: it takes the right to deploy flows.');
}

/** Whether who asks may deploy flows. */
type MayDeploy = () => Promise<boolean>;

/** A page of a list, or why it cannot be had; `region` is where it was asked for, unless a variable names that. */
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

/** Asks through the account that runs, or else, where its flows do not run, through what is stored of it. */
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

/** As a URL's query gives them: each may be anything. */
type Query = Readonly<Record<'account' | 'region' | 'of' | 'after', unknown>>;

/**
 * One page of a list for a dialog, or why it cannot be had; `undefined` where there is no such list. `query.account` is
 * the id of a deployed `aws-account`, running or not.
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
