/** A Node-RED with users, in a process of its own: there can be one in each. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { FlowNode } from '../node-red';

/** The harness again. A message of any kind ends it. */
const program = `
  const { createRequire } = require('node:module');
  const { startNodeRed, nodeRedVersion } = require('./test/node-red');
  const nodeRed = require.resolve(nodeRedVersion === 4 ? 'node-red-4' : 'node-red');
  const { hashSync } = createRequire(nodeRed)('bcryptjs');
  const { users, flow, credentials } = JSON.parse(process.argv[1]);
  const known = users.map(({ username, permissions }) => ({ username, permissions, password: hashSync(username, 4) }));
  process.on('disconnect', () => process.exit(1));
  startNodeRed({ settings: { adminAuth: { type: 'credentials', users: known } } }).then(async (red) => {
    process.once('message', () => red.stop().then(() => process.exit(0)));
    await red.deploy(flow, { credentials });
    process.send(red.url);
  });`;

/** Their passwords are their names. */
const users = [
  { username: 'reader', permissions: 'read' },
  { username: 'owner', permissions: '*' },
  { username: 'writer', permissions: ['read', 'write'] },
  { username: 'tester', permissions: ['read', 'aws-account.write'] },
  { username: 'stranger', permissions: ['flows.read', 'flows.write'] }
];

export interface WithUsers {
  readonly url: string;
  /** Logs in as the editor does, and gives the headers of what it sends from then on. */
  login(username: string): Promise<{ authorization: string }>;
  stop(): Promise<void>;
}

/** Starts it with a deployed flow. */
export async function startWithUsers(
  flow: FlowNode[],
  credentials: Record<string, Record<string, string>>,
  environment: Record<string, string> = {}
): Promise<WithUsers> {
  const child = spawn(
    process.execPath,
    ['--require', 'tsx/cjs', '-e', program, JSON.stringify({ users, flow, credentials })],
    {
      cwd: resolve(__dirname, '..', '..'),
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    }
  );
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('Node-RED ended before it was ready')));
  ended.catch(() => undefined);
  const [url] = (await Promise.race([once(child, 'message'), ended])) as [string];
  return {
    url,
    async login(username) {
      const form = { client_id: 'node-red-editor', grant_type: 'password', scope: '', username, password: username };
      const reply = await fetch(new URL('auth/token', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(form)
      });
      const { access_token: token } = (await reply.json()) as { access_token: string };
      return { authorization: `Bearer ${token}` };
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      if (child.connected) child.send('stop');
      else child.kill();
      await gone;
    }
  };
}
