/** The lists of AWS that dialogs offer beside fields: functions, queues and so on, page by page. */
import type { Client } from '../account/client';
import type { Sdks, ServiceName } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import type { Offer } from '../fields/fields';
import { inOneLine } from '../fields/lines';
import { peopleIn } from '../rekognition/people';

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
export interface Question {
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

/** A list of a service. `action` is the IAM action that a policy has to allow. */
interface Description<S extends ServiceName> {
  service: S;
  action: string;
  ask(asked: Asked<S>): Promise<ChoicePage>;
}

/** A list of any service. */
interface List {
  readonly service: ServiceName;
  readonly action: string;
  /** Requests a page. Rejects with the SDK's error. */
  page(client: Client, question: Question, signal: AbortSignal): Promise<ChoicePage>;
}

const define = <S extends ServiceName>({ service, action, ask }: Description<S>): List => ({
  service,
  action,
  page: (client, question, signal) => ask({ ...question, sdk: sdkOf(service), client, signal })
});

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

export type ListName = keyof typeof lists;

export const isListName = (name: string): name is ListName => Object.hasOwn(lists, name);

/** The list of a page. */
export const listFor = (name: ListName, after = ''): List =>
  name === 'qualifiers' && after.startsWith(versionsMark) ? versions : lists[name];
