/** Answers a dialog that asks for a page of a list. */
import type { NodeAPI } from 'node-red';
import { accountFrom, describedAccount, isDisabled, storedCredentials } from '../account/account';
import type { Client } from '../account/client';
import type { Clients } from '../account/clients';
import { profileNames } from '../account/profiles';
import { redact } from '../account/redaction';
import { inSamePartition, regionName, regions } from '../account/regions';
import { openAccount } from '../account/settings';
import { toActionError } from '../account/to-action-error';
import { within } from '../action/within';
import { invalid } from '../fields/errors';
import { regionIs, regionOfArn } from '../fields/fields';
import { isObject } from '../fields/json';
import { substituteEnv } from '../fields/values';
import { errorOfSignIn, readDraft, refusalFor } from './draft';
import type { Choice, ChoicePage, ListName, Question } from './lists';
import { isListName, listFor } from './lists';
import type { Refusal } from './refusal';
import { refusalOf } from './refusal';
import { standInFor, standInForAccount } from './stand-in';

function regionFor({ region, of }: Question): string | undefined {
  return region || (of && regionOfArn(of)) || undefined;
}

/** The time limit for a page, ms: a user is waiting. */
const limit = 4500;

/**
 * A page of a list. Nothing is cached, since users look for what they have just created. Rejects with the SDK's error.
 */
async function choicesOf(name: ListName, clients: Clients, question: Question): Promise<ChoicePage> {
  const list = listFor(name, question.after);
  return within(limit, async (signal) => {
    const client = await clients.get(list.service, { region: regionFor(question) });
    return list.page(client, question, signal);
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
    const client = await within(limit, async () => clients.get(listFor(name).service));
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
  if (running?.problem) return { refusal: refusalOf(running.problem) };
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

/** How long the clients of an account in a dialog wait to be asked for the next page, ms. */
const nextPageWithin = 10_000;

/** The clients of accounts in dialogs between two pages of a list, so that there is one sign-in for all of them. */
class BetweenPages {
  readonly #waiting = new Map<string, { clients: Clients; end: NodeJS.Timeout }>();

  /** Takes the clients out: nobody else has them then. */
  take(key: string): Clients | undefined {
    const found = this.#waiting.get(key);
    clearTimeout(found?.end);
    this.#waiting.delete(key);
    return found?.clients;
  }

  keep(key: string, clients: Clients): void {
    this.take(key)?.close();
    const end = setTimeout(() => this.take(key)?.close(), nextPageWithin).unref();
    this.#waiting.set(key, { clients, end });
  }
}

const betweenPages = new WeakMap<NodeAPI, BetweenPages>();

/**
 * A page of a list through an account as it is in the dialog, deployed or not: `draft` in the body, as for the connection
 * test. `undefined` if the list does not exist, or needs no account.
 */
export async function answerDraftChoices(
  RED: NodeAPI,
  name: string,
  body: unknown,
  mayDeploy: MayDeploy
): Promise<object | undefined> {
  if (!isListName(name)) return undefined;
  const { draft: given, ...query } = isObject(body) ? body : {};
  const draft = await readDraft(RED, given, mayDeploy);
  if ('refusal' in draft) return draft;
  const waiting = betweenPages.get(RED) ?? new BetweenPages();
  betweenPages.set(RED, waiting);
  let clients: Clients;
  try {
    clients = waiting.take(draft.key) ?? draft.open();
  } catch (thrown) {
    return { refusal: refusalFor(thrown, errorOfSignIn(thrown, draft.typed)) };
  }
  const answer = await listFrom(RED, clients, name, query, mayDeploy);
  if ('next' in answer && answer.next) waiting.keep(draft.key, clients);
  else clients.close();
  return answer;
}

/** The query of the URL; its members may be anything. */
type Query = Readonly<Record<string, unknown>>;

/**
 * A page of a list for a dialog, or why there is none; `undefined` if the list does not exist. `query.account` is the ID of a
 * deployed `aws-account`, running or not.
 */
export async function answerChoices(
  RED: NodeAPI,
  name: string,
  query: Query,
  mayDeploy: MayDeploy
): Promise<object | undefined> {
  if (name === 'regions') return { choices: regionChoices() };
  if (name === 'profiles') return { choices: (await profileNames()).map((value) => ({ value })) };
  return isListName(name) ? choicesFor(RED, name, query, mayDeploy) : undefined;
}
