/** Runs a node once, as its dialog stands, for somebody who presses the button for it. */
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { types } from 'node:util';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { followDeployments } from '../account/account';
import type { Clients } from '../account/clients';
import { redactDeep } from '../account/redaction';
import { toActionError } from '../account/to-action-error';
import { smallCopyOf } from '../action/small-copy';
import { type ActionError, FieldError, isActionError } from '../fields/errors';
import { isObject, parseJson } from '../fields/json';
import type { NodeModule, Trial } from '../fields/node-module';
import type { Config } from '../fields/read';
import { memberOf } from '../fields/thrown';
import { substituteEnv } from '../fields/values';
import { meaningsFrom, readDraft } from './draft';
import { withProcesses } from './expressions';
import { newestMessageOf } from './last-message';
import { type Refusal, refusalOf } from './refusal';
import { type Meanings, standInFor, unknownIn } from './stand-in';

/** The time limit, seconds. */
const limit = 60;

/** The largest picture that a dialog gets, bytes. */
const largestPicture = 16 * 1024 * 1024;

/** What a node made of a message. */
export interface TrialResult {
  /** `msg.payload` and `msg.aws`, as far as they are small enough. */
  readonly answer: unknown;
  /** Whether something of it was left out, shortened or struck out. */
  readonly isShortened: boolean;
  /** The picture with boxes, as a data URL. */
  readonly image?: string | undefined;
}

export type TrialAnswer = (TrialResult | { readonly refusal: Refusal }) & {
  /** How long it took, ms; absent if nothing was tried. */
  readonly took?: number;
  /** The end of the function's log. */
  readonly log?: unknown;
};

/** A node as it is in a dialog. */
interface Draft {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly z: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The values of environment variables, by the flows in the editor, for a node that does not run. */
  readonly variables: Meanings;
}

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
const objectIn = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

const draftFrom = (body: unknown): Draft => ({
  id: textIn(memberOf(body, 'id')),
  type: textIn(memberOf(body, 'type')),
  name: textIn(memberOf(body, 'name')),
  z: textIn(memberOf(body, 'z')),
  properties: objectIn(memberOf(body, 'properties')),
  variables: meaningsFrom(objectIn(memberOf(body, 'variables')))
});

/** The module of a type of node that can be tried; `undefined` for any other. */
function moduleOf(type: string): NodeModule | undefined {
  if (!/^aws-[a-z-]+$/.test(type)) return undefined;
  try {
    const { node }: { node?: () => NodeModule } = require(join(__dirname, '..', '..', type));
    const found = node?.();
    return found?.definition.trial && found;
  } catch (thrown) {
    if (memberOf(thrown, 'code') === 'MODULE_NOT_FOUND') return undefined;
    throw thrown;
  }
}

/** In place of the node: it is on no flow, and shows nothing there. Its variables and its context are those of the node. */
class TrialNode extends EventEmitter {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly z: string;
  readonly wires = [];
  readonly _flow: unknown;
  /** What was reported beside a result. */
  problem: unknown;

  constructor(
    RED: NodeAPI,
    draft: Draft,
    private readonly running: Node | null = RED.nodes.getNode(draft.id)
  ) {
    super();
    const { id, type, name, z, variables } = draft;
    this.id = id;
    this.type = type;
    this.name = name;
    this.z = z;
    this._flow = memberOf(running ?? standInFor(RED, id, variables), '_flow');
  }

  context(): unknown {
    if (this.running) return this.running.context();
    throw new Error('the node is not deployed yet, so that it has no context');
  }

  error(problem: unknown): void {
    this.problem = problem;
  }

  status(): void {}
  log(): void {}
  warn(): void {}
}

/** The properties as Node-RED gives them to a node: variables that stand for a whole one are replaced. */
function configOf(RED: NodeAPI, node: Node, { id, type, name, z, properties }: Draft): Config {
  const found = Object.entries(properties).map(([key, value]) => [
    key,
    typeof value === 'string' && /^\$\{[^}]+\}$/.test(value) ? substituteEnv(RED, node, value) : value
  ]);
  return { ...Object.fromEntries(found), id, type, name, z } as Config;
}

/** What a trial is made of. */
interface Setting {
  readonly RED: NodeAPI;
  readonly module: NodeModule;
  readonly draft: Draft;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** What became of a message. */
interface Ended {
  readonly sent?: (NodeMessage & Record<string, unknown>) | undefined;
  readonly error?: unknown;
  /** What must not be shown of it. */
  readonly secrets: string[];
}

/** Has a node made, and gives it a message. The node ends with it. */
async function run({ RED, module, draft, signal }: Setting, msg: NodeMessage, over: object): Promise<Ended> {
  const trial = new TrialNode(RED, draft);
  const node = trial as unknown as Node;
  const once: Trial = { limit, signal };
  try {
    module.create(withProcesses(RED, signal), node, { ...configOf(RED, node, draft), ...over }, once);
    return await new Promise((resolve) => {
      let sent: Ended['sent'];
      const send = (message: Ended['sent']) => {
        sent = message;
      };
      const done = (error?: unknown) =>
        resolve({ sent, error: error ?? trial.problem, secrets: once.secrets?.() ?? [] });
      trial.emit('input', msg, send, done);
    });
  } catch (error) {
    return { error, secrets: [] };
  } finally {
    trial.emit('close', () => undefined);
  }
}

/** The values that the trial has in place of defaults, so that more is seen. */
function overFor({ module, draft: { properties } }: Setting): Record<string, unknown> {
  const { trial = {}, fields } = module.definition;
  const isDefault = (name: string) => String(properties[name] ?? fields[name]?.value) === String(fields[name]?.value);
  return Object.fromEntries(Object.entries(trial).filter(([name]) => isDefault(name)));
}

/** Whether a value that only the trial has does not go with the others: nothing was sent then. */
const isAbout = (error: unknown, over: object): boolean =>
  error instanceof FieldError && error.paths.some((path) => path in over);

/** Runs it; without what the trial has set, if that cannot be, such as boxes on a picture that is in S3. */
async function runOnce(setting: Setting, message: () => NodeMessage): Promise<Ended> {
  const over = overFor(setting);
  const ended = await run(setting, message(), over);
  return isAbout(ended.error, over) ? run(setting, message(), {}) : ended;
}

/** A Buffer from its JSON. */
const revived = (_: string, value: unknown): unknown =>
  isObject(value) && value.type === 'Buffer' && Array.isArray(value.data) ? Buffer.from(value.data) : value;

/** The member of the message in which the node looks for a picture. */
function pictureIn({ module, draft: { properties } }: Setting): string {
  const [name] = Object.entries(module.definition.fields).find(([, { picture }]) => picture) ?? [];
  const place = name !== undefined && properties[`${name}Type`] === 'msg' ? properties[name] : undefined;
  return typeof place === 'string' && place !== '' ? place : 'payload';
}

/** The message to try it with, anew for each run; or why there is none. */
function messageFor(setting: Setting, body: unknown): (() => NodeMessage) | Refusal {
  const { RED, draft } = setting;
  const [text, picture] = [memberOf(body, 'text'), memberOf(body, 'picture')];
  if (typeof text === 'string' || typeof picture === 'string') {
    return () => {
      const msg = { _msgid: RED.util.generateId(), payload: typeof text === 'string' ? ofText(text) : undefined };
      if (typeof picture === 'string') RED.util.setMessageProperty(msg, pictureIn(setting), picture, true);
      return msg;
    };
  }
  const last = newestMessageOf(RED, draft.id);
  if ('refusal' in last) return { ...last.refusal, name: '', message: '' };
  if (last.isShortened) return { kind: 'shortened', name: '', message: '' };
  return () => JSON.parse(last.json, revived);
}

/** The value of a text that is JSON, else the text itself. */
const ofText = (text: string): unknown => (parseJson(text) ?? { value: text }).value;

function imageIn(value: unknown): string | undefined {
  if (!types.isUint8Array(value) || value.length > largestPicture) return undefined;
  const bytes = Buffer.from(value);
  return `data:image/${bytes[0] === 0x89 ? 'png' : 'jpeg'};base64,${bytes.toString('base64')}`;
}

function resultOf({ payload, aws, image }: Record<string, unknown>, secrets: string[]): TrialAnswer {
  const { log, ...told } = objectIn(aws);
  const { json, isShortened } = smallCopyOf({ payload, aws: told });
  const answer = redactDeep(JSON.parse(json), secrets);
  return { answer, isShortened, log, image: imageIn(image) };
}

function failureOf(thrown: unknown, type: string, secrets: string[]): TrialAnswer {
  const error: ActionError = isActionError(thrown) ? thrown : toActionError(thrown, { type, secrets });
  return { refusal: { ...refusalOf(error), message: error.message }, log: memberOf(error, 'log') };
}

/**
 * Runs a node as its dialog stands: with the last message that reached it; or with `text`, JSON or not, as the payload; or with
 * `picture`, a data URL, where the node looks for one; through `account` as it stands in its dialog, or the deployed one. Gives what came of it; `undefined` for a type that cannot be tried. It
 * goes past the store, counts in the account's budget, and ends after 60 s, with the next deployment,
 * or when `signal` says that nobody waits for it.
 */
export async function tryNode(RED: NodeAPI, body: unknown, signal: AbortSignal): Promise<TrialAnswer | undefined> {
  const draft = draftFrom(body);
  const module = moduleOf(draft.type);
  if (!module) return undefined;
  const unknown = RED.nodes.getNode(draft.id) ? undefined : unknownIn(RED, draft.variables);
  if (unknown !== undefined) return { refusal: { kind: 'unknownVariable', name: '', message: unknown } };
  const ended = new AbortController();
  signal.addEventListener('abort', () => ended.abort());
  const leave = followDeployments(RED, { deployed: () => ended.abort() });
  try {
    return await throughAccount(RED, memberOf(body, 'account'), draft.type, (seen) =>
      outcomeOf({ RED: seen, module, draft, signal: ended.signal }, body)
    );
  } finally {
    leave();
  }
}

/**
 * Does the work with Node-RED as it is, or, where the account in the dialog is not as deployed, with that account in place of the
 * deployed one. Its budget stops what costs too much.
 */
async function throughAccount(
  RED: NodeAPI,
  given: unknown,
  type: string,
  work: (RED: NodeAPI) => Promise<TrialAnswer>
): Promise<TrialAnswer> {
  if (given === undefined) return work(RED);
  // Whoever may try a node may deploy.
  const account = await readDraft(RED, given, async () => true);
  if ('refusal' in account) return account;
  let clients: Clients;
  try {
    clients = account.open(true);
  } catch (thrown) {
    return failureOf(thrown, type, account.typed);
  }
  try {
    return await work(withAccount(RED, account.id, clients));
  } finally {
    clients.close();
  }
}

/** Node-RED, where an account has these clients. */
function withAccount(RED: NodeAPI, id: string, clients: Clients): NodeAPI {
  const account = { id, type: 'aws-account', name: '', clients };
  const getNode = (wanted: string): unknown => (wanted === id ? account : RED.nodes.getNode(wanted));
  return Object.create(RED, { nodes: { value: Object.create(RED.nodes, { getNode: { value: getNode } }) } });
}

async function outcomeOf(setting: Setting, body: unknown): Promise<TrialAnswer> {
  const message = messageFor(setting, body);
  if (typeof message !== 'function') return { refusal: message };
  const began = performance.now();
  const { sent, error, secrets } = await runOnce(setting, message);
  const took = performance.now() - began;
  return { ...(sent ? resultOf(sent, secrets) : failureOf(error, setting.draft.type, secrets)), took };
}
