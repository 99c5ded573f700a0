/**
 * What the editor asks of the runtime: lists to choose from, and whether a sign-in works. Node-RED loads this at its
 * start, so everything else is loaded when it is asked for.
 */
import type { Express, NextFunction, Request, Response } from 'express';
import type { NodeAPI } from 'node-red';

/**
 * Whether only the editor's own page can have sent a request: it has a token, which pages of other sites cannot read, or
 * the cookie of `request.ts`, which a browser puts beside JSON for its own site alone.
 */
function isProven(request: Request): boolean {
  const { user } = request as { user?: { anonymous?: boolean } };
  const hasToken = user !== undefined && !user.anonymous;
  return hasToken || /(?:^|; )nimbus=editor(?:;|$)/.test(request.headers.cookie ?? '');
}

/**
 * Whether another site's page may have sent a request. On a secure page browsers say so themselves; else an origin tells
 * that is not this host. Where a proxy changes the host, other headers prove something only where a browser does not let
 * other sites send them: Node-RED 4 allows that to all sites, and Node-RED 5 where its settings say so.
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

/** Other pages can send text or a form without being asked, but no JSON. */
function refuseForms(request: Request, response: Response, next: NextFunction): void {
  if (request.is('application/json')) next();
  else response.status(415).json({ error: 'The body must be application/json.' });
}

/** Sends the answer; what goes wrong on the way to one is a fault of this pack. */
const answering = (RED: NodeAPI, answer: (request: Request) => Promise<object | undefined>) =>
  async function respond(request: Request, response: Response): Promise<void> {
    response.set('Cache-Control', 'no-store');
    try {
      const found = await answer(request);
      if (found) response.json(found);
      else response.status(404).json({ error: 'There is no such list.' });
    } catch (error) {
      RED.log.error(`aws-account: ${(error as Error).stack}`);
      response.status(500).json({ error: 'This is a fault of the nodes: the log of Node-RED has more.' });
    }
  };

/** Whether who asks may deploy flows. Node-RED alone knows: it lets a request through, or answers it. */
const mayDeploy = (RED: NodeAPI, request: Request): Promise<boolean> =>
  new Promise((resolve) => {
    // Stands in for the response, which is ours to give.
    const refused: Response = Object.create(request.res as Response);
    Object.assign(refused, { status: () => refused, end: () => resolve(false) });
    RED.auth.needsPermission('flows.write')(request, refused, () => resolve(true));
  });

/** Puts the endpoints up. Those who may see flows may see the lists; only those who may change accounts may try a sign-in. */
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
    '/aws-account/test',
    needsPermission('aws-account.write'),
    refuseForeign,
    refuseForms,
    answering(RED, (request) => {
      const { tryConnection }: typeof import('./connection') = require('./connection');
      return tryConnection(RED, request.body, () => mayDeploy(RED, request));
    })
  );
}
