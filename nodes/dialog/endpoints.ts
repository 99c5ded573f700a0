/**
 * The endpoints of the editor: lists beside fields, the connection test, the policy, the last message of a node, trying it,
 * and the sidebar. Node-RED loads this file when it starts, so everything else is loaded with the first request.
 */
import { pipeline, Readable } from 'node:stream';
import type { Express, NextFunction, Request, Response } from 'express';
import type { NodeAPI } from 'node-red';

/**
 * Whether only the editor's own page can have sent a request: it has a token, which pages of other sites cannot read, or the
 * `SameSite` cookie of `request.ts`, which browsers do not send from other sites.
 */
function isProven(request: Request): boolean {
  const { user } = request as { user?: { anonymous?: boolean } };
  const hasToken = user !== undefined && !user.anonymous;
  return hasToken || /(?:^|; )nimbus=editor(?:;|$)/.test(request.headers.cookie ?? '');
}

/**
 * Whether a page of another site may have sent a request. On secure pages browsers say so (`sec-fetch-site`); otherwise the
 * origin is compared with the host. Behind a proxy that changes the host, `x-forwarded-host` and Node-RED's own header count
 * instead, but only if the CORS settings do not let other sites send them: Node-RED 4 allows all sites, Node-RED 5 those in
 * its settings.
 */
function isForeign(request: Request, response: Response): boolean {
  const { headers } = request;
  const { origin, host, 'sec-fetch-site': site, 'x-forwarded-host': forwarded } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined || isProven(request)) return false;
  const isOpen = response.getHeader('Access-Control-Allow-Origin') !== undefined;
  if (!isOpen && headers['node-red-api-version'] !== undefined) return false;
  const own = isOpen ? [host] : [host, forwarded];
  return !URL.canParse(origin) || !own.includes(new URL(origin).host);
}

function refuseForeign(request: Request, response: Response, next: NextFunction): void {
  if (isForeign(request, response))
    response.status(403).json({ kind: 'foreign', error: 'Only the editor of this Node-RED may ask for this.' });
  else next();
}

/** Pages of other sites can send text and forms without a CORS preflight request, but not JSON. */
function refuseForms(request: Request, response: Response, next: NextFunction): void {
  if (request.is('application/json')) next();
  else response.status(415).json({ error: 'The body must be application/json.' });
}

/**
 * Sends the answer of a request: JSON, or a file as it is made. If `answer` rejects, that is a bug of this pack, and is
 * logged.
 */
const answering = (RED: NodeAPI, answer: (request: Request) => Promise<object | undefined>) =>
  async function respond(request: Request, response: Response): Promise<void> {
    response.set('Cache-Control', 'no-store');
    try {
      const found = await answer(request);
      // What ends before the file does, the browser notices.
      if (found instanceof Readable) pipeline(found, response.type('application/jsonl'), () => undefined);
      else if (found) response.json(found);
      else response.status(404).json({ error: 'There is no such thing.' });
    } catch (error) {
      RED.log.error(`aws-account: ${(error as Error).stack}`);
      response.status(500).json({ error: 'This is a fault of the nodes: the log of Node-RED has more.' });
    }
  };

/** Aborted when the connection of a request has gone, or it was answered. */
function whileConnected({ res }: Request): AbortSignal {
  const controller = new AbortController();
  res?.once('close', () => controller.abort());
  return controller.signal;
}

/** Whether the user has a permission. Only Node-RED's middleware knows: it calls `next` or answers the request. */
const may = (RED: NodeAPI, request: Request, permission: string): Promise<boolean> =>
  new Promise((resolve) => {
    // In place of the real response, which must not be sent here.
    const refused: Response = Object.create(request.res as Response);
    Object.assign(refused, { status: () => refused, end: () => resolve(false) });
    RED.auth.needsPermission(permission)(request, refused, () => resolve(true));
  });

/** Whether the user may deploy flows. */
const mayDeploy = (RED: NodeAPI, request: Request): Promise<boolean> => may(RED, request, 'flows.write');

/**
 * Registers the endpoints. Users who may read flows get the lists and the sidebar; only those who may change accounts can
 * test a sign-in and get lists through one that is not deployed, see who is signed in or in a policy, see messages, and do
 * something with those that are kept. To try a node takes the right to deploy flows as well: whoever has it
 * could do the same by a deployment.
 */
export function serve(RED: NodeAPI): void {
  const { needsPermission } = RED.auth;
  const admin: Pick<Express, 'get' | 'post'> = RED.httpAdmin;
  admin.get(
    '/aws-account/choices/:list',
    needsPermission('aws-account.read'),
    refuseForeign,
    answering(RED, (request) => {
      const { params, query } = request;
      const { answerChoices }: typeof import('./choices') = require('./choices');
      return answerChoices(RED, String(params.list), query, () => mayDeploy(RED, request));
    })
  );
  admin.post(
    '/aws-account/choices/:list',
    needsPermission('aws-account.write'),
    refuseForeign,
    refuseForms,
    answering(RED, (request) => {
      const { params, body } = request;
      const { answerDraftChoices }: typeof import('./choices') = require('./choices');
      return answerDraftChoices(RED, String(params.list), body, () => mayDeploy(RED, request));
    })
  );
  admin.get(
    '/aws-account/policy',
    needsPermission('aws-account.write'),
    refuseForeign,
    answering(RED, ({ query }) => {
      const { policiesOf }: typeof import('./policy') = require('./policy');
      return policiesOf(RED, query.account);
    })
  );
  admin.get(
    '/aws-account/last-message',
    needsPermission('aws-account.write'),
    refuseForeign,
    answering(RED, ({ query }) => {
      const { lastMessageOf }: typeof import('./last-message') = require('./last-message');
      return lastMessageOf(RED, query.node);
    })
  );
  admin.post(
    '/aws-account/test',
    needsPermission('aws-account.write'),
    refuseForeign,
    refuseForms,
    answering(RED, (request) => {
      const { tryConnection }: typeof import('./connection') = require('./connection');
      return tryConnection(RED, request.body, () => mayDeploy(RED, request));
    })
  );
  admin.post(
    '/aws-account/try',
    needsPermission('aws-account.write'),
    needsPermission('flows.write'),
    refuseForeign,
    refuseForms,
    answering(RED, (request) => {
      const { tryNode }: typeof import('./trial') = require('./trial');
      return tryNode(RED, request.body, whileConnected(request));
    })
  );
  admin.get(
    '/aws-account/sidebar',
    needsPermission('aws-account.read'),
    refuseForeign,
    answering(RED, async (request) => {
      const { look }: typeof import('./sidebar') = require('./sidebar');
      const { run, after } = request.query;
      return look(RED, String(run), Number(after), await may(RED, request, 'aws-account.write'));
    })
  );
  admin.post(
    '/aws-account/kept/:act',
    needsPermission('aws-account.write'),
    refuseForeign,
    refuseForms,
    answering(RED, async ({ params, body }) => {
      const { actOnKept }: typeof import('./kept') = require('./kept');
      return actOnKept(RED, String(params.act), body);
    })
  );
}
