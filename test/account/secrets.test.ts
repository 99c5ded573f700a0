/** No secret that the pack is given, or fetches, is to be found anywhere but in the requests themselves. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type Device, profiles, roles, signIns, trustAnchors } from '../../local-aws/client';
import { redact, redactDeep } from '../../nodes/account/redaction';
import { account, invokeNode, keysOf, listNode, sendNode, useBench } from '../aws';
import type { FlowNode, Message, Outcome } from '../node-red';
import { sink } from '../node-red';
import { type Exchange, useRelay } from '../relay';
import { useEnvironment } from './environment';

/** Where something was found, and a hint at what: never the secret itself. */
interface Find {
  where: string;
  what: string;
}

/** As a secret may be spelled in a text. */
const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  secret.replaceAll('/', '\\/'),
  Buffer.from(secret).toString('base64').replace(/=+$/, '')
];

/** Looks for each secret, by its name, in each text, by the place where that stands. */
function search(secrets: Map<string, string>, texts: Map<string, string>): Find[] {
  const finds: Find[] = [];
  for (const [what, secret] of secrets) {
    const spelled = spellings(secret);
    for (const [where, text] of texts) if (spelled.some((each) => text.includes(each))) finds.push({ where, what });
  }
  return finds;
}

/** Everything that can be read from a value: hidden members, symbols, causes and stacks too. */
function everythingOf(value: unknown): string {
  const shown = inspect(value, {
    showHidden: true,
    depth: Infinity,
    maxStringLength: Infinity,
    maxArrayLength: Infinity
  });
  if (!(value instanceof Error)) return shown;
  const members = Reflect.ownKeys(value).map((key) => inspect(Reflect.get(value, key), { depth: Infinity }));
  return [shown, String(value), value.stack, JSON.stringify(value), ...members, everythingOf(value.cause)].join('\n');
}

/** The secrets in what went over the wire: tokens, signatures, and the credentials that were handed out. */
function secretsOf(exchanges: Exchange[]): Map<string, string> {
  const secrets = new Map<string, string>();
  const add = (what: string, secret: string | undefined): void => {
    if (secret) secrets.set(`${what} ${secrets.size}`, secret);
  };
  for (const { headers, body, answer = '' } of exchanges) {
    add('the token of a request', headers['x-amz-security-token']);
    add('the signature of a request', /Signature=([0-9a-f]{64,})/.exec(headers.authorization ?? '')?.[1]);
    add('the SSO token of a request', headers['x-amz-sso_bearer_token']);
    add('the External ID of a request', new URLSearchParams(body).get('ExternalId') ?? undefined);
    for (const [, name, value] of answer.matchAll(/<(SecretAccessKey|SessionToken)>([^<]+)</g))
      add(`a given ${name}`, value);
    for (const [, name, value] of answer.matchAll(/"(secretAccessKey|sessionToken)":"([^"]+)"/g))
      add(`a given ${name}`, value);
  }
  return secrets;
}

describe('secrets', () => {
  const bench = useBench();
  // The files of the flows are looked through as well.
  before(() => {
    bench.red.settings.readOnly = false;
  });
  after(() => {
    bench.red.settings.readOnly = true;
  });
  const env = useEnvironment();
  const relay = useRelay(bench);
  const secrets = new Map<string, string>();
  const texts = new Map<string, string>();

  beforeEach(() => {
    secrets.clear();
    texts.clear();
  });

  const note = (where: string, value: unknown): void => {
    const text = typeof value === 'string' ? value : everythingOf(value);
    texts.set(`${where} (${texts.size})`, text);
  };

  /** Made up for one run, so that it cannot stand anywhere by accident. */
  const secret = (what: string): string => {
    const value = `${what.replaceAll(' ', '-')}/${Math.random().toString(36).slice(2)}+${Math.random().toString(36).slice(2)}=`;
    secrets.set(what, value);
    return value;
  };

  /** An account whose way goes through the relay, actions on it, and nodes that take their output, errors and statuses. */
  const flow = (properties: Record<string, unknown> = {}, action: Record<string, unknown> = {}): FlowNode[] => [
    account(bench, { endpoint: relay.url, validate: true, ...properties }),
    invokeNode({ functionName: 'echo', logTail: true, ...action }),
    listNode(action),
    { id: 'catch', type: 'catch', scope: ['invoke', 'list'], wires: [['caught']] },
    { id: 'status', type: 'status', scope: ['invoke', 'list'], wires: [['said']] },
    sink('out'),
    sink('caught'),
    sink('said')
  ];

  const start = async (nodes: FlowNode[], stored: Record<string, string> = {}): Promise<void> => {
    for (const name of ['secretAccessKey', 'sessionToken', 'externalId']) {
      const value = stored[name];
      if (value && !value.includes('${')) secrets.set(`the account’s ${name} ${secrets.size}`, value);
    }
    await bench.red.deploy(nodes, { credentials: { account: stored } });
  };

  /** Sends a message through both actions. The errors are looked through at once, down to their last member. */
  async function use(msg: Message = { payload: {} }): Promise<string | undefined> {
    const outcomes: Outcome[] = [await bench.red.send('invoke', { ...msg }), await bench.red.send('list', { ...msg })];
    for (const { error, sent, statuses, msg: left } of outcomes) {
      note('an error', error);
      note('a message sent', sent.map(withoutKeys));
      note('a message left behind', withoutKeys(left));
      note('a status', statuses);
      if (error) await bench.red.next('caught');
    }
    return outcomes[0]?.error?.name;
  }

  /** What came in with the message is the flow’s own; what the pack adds is not. */
  const withoutKeys = ({ keys: _, ...rest }: Message): Message => rest;

  /** Everything that a user, a browser or a file can see of the flow as it is now. */
  async function lookEverywhere(): Promise<void> {
    for (const node of ['caught', 'said', 'out'])
      note(`messages at ${node}`, bench.red.received(node).map(withoutKeys));
    for (const node of ['invoke', 'list', 'account']) note(`statuses of ${node}`, bench.red.statuses(node));
    const endpoints = [
      'flows',
      'nodes',
      'settings',
      'settings/user',
      'credentials/aws-account/account',
      'context/global',
      'context/flow/tab',
      'context/node/invoke',
      'flow/tab',
      'flow/global',
      'diagnostics',
      'icons',
      'locales/nodes?lng=en-US',
      'aws-account/sidebar',
      'aws-account/last-message?node=invoke',
      'aws-account/last-message?node=list'
    ];
    for (const path of endpoints) {
      const answer = await bench.red.request(path, { headers: { accept: 'application/json' } });
      note(`GET /${path}`, `${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
    }
    const exported = await bench.red.request('flows', { headers: { 'Node-RED-API-Version': 'v2' } });
    note('the exported flow', await exported.text());
    for (const name of await readdir(bench.red.userDir)) {
      if (name.endsWith('.json') || name.startsWith('.')) note(`the file ${name}`, await textOf(name));
    }
    const below = join(bench.red.userDir, 'nimbus');
    for (const file of await readdir(below, { recursive: true, withFileTypes: true }).catch(() => []))
      if (file.isFile()) note(`the file ${file.name}`, await readFile(join(file.parentPath, file.name), 'latin1'));
    for (const { level, text, msg } of bench.red.logs)
      note(`the log at level ${level}`, `${text}\n${everythingOf(msg)}`);
    for (const [what, value] of secretsOf(relay.exchanges)) secrets.set(what, value);
  }

  const textOf = async (name: string): Promise<string> => {
    try {
      return await readFile(join(bench.red.userDir, name), 'utf8');
    } catch {
      return '';
    }
  };

  /** The account has answered the question who it is, one way or the other. */
  const validated = (): Promise<unknown> =>
    bench.red.until(() => bench.red.logs.some(({ id, level }) => id === 'account' && /info|warn|error/.test(level)));

  /**
   * Node-RED shows the editor a credential of type text as it is, which is what an External ID is, and the trust policy is of no
   * use without it.
   */
  const isEditorsOwn = ({ where, what }: Find): boolean =>
    /^GET \/(credentials\/|aws-account\/policy)/.test(where) && /external ?id/i.test(what);

  async function findsNone(): Promise<void> {
    await validated();
    await lookEverywhere();
    assert.ok(secrets.size > 0, 'there was a secret to look for');
    assert.ok(texts.size > 30, 'there were places to look at');
    const finds = search(secrets, texts).filter((find) => !isEditorsOwn(find));
    assert.deepEqual(finds, []);
  }

  /** An answer that quotes the signed request, as AWS does where the signature does not match. */
  const quoting = (exchange: Exchange): { status: number; errorType: string; body: string } => {
    const lines = Object.entries(exchange.headers).map(([name, value]) => `${name}:${value}`);
    const message = `The request signature we calculated does not match. The Canonical String should have been ${lines.join('\n')}`;
    return { status: 403, errorType: 'InvalidSignatureException', body: JSON.stringify({ message }) };
  };

  const profile = { source: 'profile', profile: 'garden' };
  const role = { roleArn: roles.external.arn };
  const externalId = { externalId: roles.external.externalId as string };
  const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };

  describe('the search', () => {
    const planted = 'planted/secret+of=the test';
    const places: [where: string, value: unknown][] = [
      ['a text', `before ${planted} after`],
      ['an error’s message', new Error(planted)],
      ['an error’s cause', new Error('x', { cause: new Error(planted) })],
      ['a member of an error that is not listed', Object.defineProperty(new Error('x'), 'secret', { value: planted })],
      ['a member with a symbol', { [Symbol('secret')]: planted }],
      ['the depth of an object', { a: { b: { c: { d: { e: [{ f: planted }] } } } } }],
      ['a map', new Map([['key', { planted }]])],
      ['a URL', `https://example.com/?token=${encodeURIComponent(planted)}`],
      ['JSON', JSON.stringify({ planted })],
      ['base64', Buffer.from(planted).toString('base64')]
    ];
    for (const [where, value] of places) {
      it(`finds a secret that was planted in ${where}`, () => {
        secrets.set('the planted one', planted);
        note('the place', value);
        assert.deepEqual(search(secrets, texts), [{ where: 'the place (0)', what: 'the planted one' }]);
      });
    }

    it('finds a secret that a flow gives away itself: in logs, messages, contexts and the flow', async () => {
      const given = secret('given away');
      const code = `node.warn(${JSON.stringify(given)}); flow.set('kept', ${JSON.stringify(given)}); msg.payload = ${JSON.stringify(given)}; return msg;`;
      const leak = { id: 'leak', type: 'function', func: code, outputs: 1, libs: [], wires: [['out']] };
      await start([...flow(), leak], keysOf('demo'));
      await bench.red.send('leak', {});
      await validated();
      await lookEverywhere();
      const found = search(new Map([['given away', given]]), texts).map(({ where }) => where.replace(/ \(\d+\)$/, ''));
      for (const where of [
        'messages at out',
        'the log at level warn',
        'GET /flows',
        'GET /context/flow/tab',
        'the file flows.json'
      ]) {
        assert.ok(found.includes(where), `${where} is among ${found.join(', ')}`);
      }
    });
  });

  describe('are found nowhere', () => {
    it('when all goes well with keys', async () => {
      await start(flow(), keysOf('demo'));
      assert.equal(await use(), undefined);
      await findsNone();
    });

    it('when all goes well with a role and an External ID', async () => {
      await start(flow(role), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), undefined);
      await findsNone();
      const kinds = [...secrets.keys()].map((name) => name.replace(/ \d+$/, ''));
      for (const kind of [
        'a given SecretAccessKey',
        'a given SessionToken',
        'the token of a request',
        'the signature of a request',
        'the External ID of a request'
      ]) {
        assert.ok(kinds.includes(kind), `${kind} was looked for`);
      }
    });

    it('when messages are kept and exported, and the sidebar and the policy are looked at', async () => {
      const keep = sendNode({ id: 'keeps', keep: true, queue: 'not-there', wires: [['out']] });
      await start([...flow(role), keep], { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), undefined);
      await bench.red.send('keeps', { payload: 'kept' });
      const ask = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const body = JSON.stringify({ id: 'keeps', before: 0 });
      const exported = await (await bench.red.request('aws-account/kept/export', { ...ask, body })).text();
      assert.match(exported, /"kept"/);
      note('the exported file', exported);
      const policy = await (await bench.red.request('aws-account/policy?account=account')).text();
      assert.match(policy, /sts:AssumeRole/);
      note('GET /aws-account/policy', policy);
      await bench.red.until(async () =>
        /"identity"/.test(await (await bench.red.request('aws-account/sidebar')).text())
      );
      await findsNone();
      assert.ok(
        [...texts.keys()].some((where) => /^the file \d+\.log/.test(where)),
        'what is kept on the disk was read'
      );
    });

    it('when the secret is wrong, and the service quotes the request', async () => {
      await start(flow(), { ...keysOf('demo'), secretAccessKey: secret('wrong secret') });
      assert.equal(await use(), 'InvalidSignatureException');
      await findsNone();
    });

    it('when the token is wrong', async () => {
      await start(flow(), { ...keysOf('demo'), sessionToken: secret('wrong token') });
      assert.equal(await use(), 'UnrecognizedClientException');
      await findsNone();
    });

    it('when a service quotes the signed headers of temporary credentials', async () => {
      relay.answer = (exchange) => (exchange.path.includes('/functions') ? quoting(exchange) : undefined);
      await start(flow(role), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'InvalidSignatureException');
      await findsNone();
    });

    it('when a service quotes a token in words of its own', async () => {
      relay.answer = ({ path, headers }) =>
        path.includes('/functions')
          ? {
              status: 403,
              errorType: 'ExpiredTokenException',
              body: JSON.stringify({
                message: `"${headers['x-amz-security-token']}" has expired, ${headers.authorization}`
              })
            }
          : undefined;
      await start(flow(role), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'ExpiredTokenException');
      assert.equal(await use(), 'ExpiredTokenException');
      await findsNone();
    });

    it('when STS quotes the keys with which a role was to be assumed', async () => {
      const token = secret('session token of a profile');
      env.credentials({
        garden: {
          aws_access_key_id: 'ASIAOFTHEPROFILE0000',
          aws_secret_access_key: secret('secret of a profile'),
          aws_session_token: token
        }
      });
      relay.answer = ({ body, headers }) =>
        body.includes('Action=')
          ? { status: 403, body: stsError(`${headers['x-amz-security-token']}, ${body}`) }
          : undefined;
      await start(flow({ ...profile, ...role }), externalId);
      assert.equal(await use(), 'AccessDenied');
      await findsNone();
    });

    it('when the role may not be assumed', async () => {
      await start(flow(role), { ...keysOf('demo'), externalId: secret('wrong External ID').replace(/[^\w]/g, '-') });
      assert.equal(await use(), 'AccessDenied');
      await findsNone();
    });

    it('when temporary credentials have expired', async () => {
      await start(flow(role), { ...keysOf('demo'), ...externalId });
      await use();
      await bench.aws.fault({ kind: 'expired', service: 'lambda', times: 2 });
      assert.equal(await use(), 'ExpiredTokenException');
      assert.equal(await use(), undefined);
      await findsNone();
    });

    it('when a credential_process fails and writes secrets', async () => {
      const told = secret('told by the process');
      const script = env.file(
        'fails.js',
        `console.log(process.argv[2]); console.error(process.argv[2]); process.exit(1)`
      );
      env.config({ garden: { credential_process: `"${process.execPath}" "${script}" ${told}` } });
      await start(flow(profile));
      assert.equal(await use(), 'CredentialsProviderError');
      await findsNone();
    });

    it('when a credential_process of the default chain fails and writes secrets', async () => {
      const told = secret('told by the process');
      const script = env.file('fails.js', `console.error(${JSON.stringify(told)}); process.exit(1)`);
      env.config({ default: { credential_process: `"${process.execPath}" "${script}" ${told}` } });
      await start(flow({ source: 'default' }));
      assert.equal(await use(), 'CredentialsProviderError');
      await findsNone();
    });

    it('when a credential_process gives something else than keys', async () => {
      const told = secret('told by the process');
      for (const output of [told, JSON.stringify({ Version: 2, SecretAccessKey: told }), `{"Version":1,${told}`]) {
        const script = env.file('odd.js', `console.log(${JSON.stringify(output)})`);
        env.config({ garden: { credential_process: `"${process.execPath}" "${script}"` } });
        await start(flow(profile));
        assert.equal(await use(), 'CredentialsProviderError');
      }
      await findsNone();
    });

    it('when an SSO token is broken, over, or refused', async () => {
      const token = secret('SSO token');
      const portal = { sso_start_url: 'https://nimbus.awsapps.com/start', sso_region: 'eu-central-1' };
      env.config({ garden: { ...portal, sso_account_id: '111111111111', sso_role_name: 'Gardener' } });
      relay.answer = ({ path, headers }) =>
        path.startsWith('/federation')
          ? {
              status: 401,
              errorType: 'UnauthorizedException',
              body: JSON.stringify({ message: `no session for ${headers['x-amz-sso_bearer_token']}` })
            }
          : undefined;
      const later = new Date(Date.now() + 3_600_000).toISOString();
      for (const expiresAt of [later, '2020-01-01T00:00:00Z', token]) {
        env.ssoToken(portal.sso_start_url, { accessToken: token, expiresAt });
        await start(flow(profile));
        assert.notEqual(await use(), undefined);
      }
      assert.ok(relay.exchanges.some(({ path }) => path.startsWith('/federation')));
      await findsNone();
    });

    it('when the shared files are broken', async () => {
      const told = secret('in the file');
      env.credentials({ garden: { aws_access_key_id: 'AKIA', aws_secret_access_key: '', [told]: told } });
      await start(flow(profile));
      assert.equal(await use(), 'CredentialsProviderError');
      await findsNone();
    });

    it('when a secret cannot be sent at all', async () => {
      const value = secret('secret with a line break');
      await start(flow(), { ...keysOf('demo'), sessionToken: `${value}\n${value}` });
      assert.equal(await use(), 'InvalidValue');
      await findsNone();
    });

    it('when a profile’s token cannot be sent at all', async () => {
      env.credentials({
        garden: {
          aws_access_key_id: signIns.demo.accessKeyId,
          aws_secret_access_key: signIns.demo.secretAccessKey,
          aws_session_token: `${secret('token that is no header')}\u2028\u0001`
        }
      });
      await start(flow(profile));
      assert.equal(await use(), 'CredentialsProviderError');
      await findsNone();
    });

    it('when the endpoint does not answer', async () => {
      await start(flow({ ...role, endpoint: 'http://127.0.0.1:1' }), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'ECONNREFUSED');
      await findsNone();
    });

    for (const kind of ['html', 'resetAfter', 'truncate', 'badJson', 'error500', 'throttle'] as const) {
      it(`when the service answers with ${kind}`, async () => {
        await bench.aws.fault({ kind, service: 'lambda' });
        await start(flow(role), { ...keysOf('demo'), ...externalId });
        await use();
        assert.ok(bench.red.received('caught').length > 0, 'at least one message failed');
        await findsNone();
      });
    }

    it('when something answers that is no AWS, and quotes the request', async () => {
      relay.answer = ({ path, headers }) =>
        path.includes('/functions') ? { status: 400, body: `<html>${JSON.stringify(headers)}</html>` } : undefined;
      await start(flow(role), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'UnknownError');
      await findsNone();
    });

    it('when they come with a message that succeeds', async () => {
      await start(flow({}, dynamic), keysOf('second'));
      secrets.set('the message’s secret', signIns.demo.secretAccessKey);
      assert.equal(await use({ payload: {}, keys: keysOf('demo') }), undefined);
      await findsNone();
    });

    it('when they come with a message and are refused', async () => {
      relay.answer = (exchange) => (exchange.path.includes('/functions') ? quoting(exchange) : undefined);
      await start(flow({}, dynamic), keysOf('second'));
      const keys = {
        ...keysOf('demo'),
        secretAccessKey: secret('dynamic secret'),
        sessionToken: secret('dynamic token')
      };
      assert.equal(await use({ payload: {}, keys }), 'InvalidSignatureException');
      await findsNone();
    });

    it('when they come with a message and are malformed', async () => {
      await start(flow({}, dynamic), keysOf('second'));
      const value = secret('dynamic secret');
      for (const keys of [
        value,
        [value],
        { secretAccessKey: value },
        { accessKeyId: { value }, secretAccessKey: value },
        { accessKeyId: 'AKIA', secretAccessKey: ` ${value}` },
        { accessKeyId: 'AKIA', secretAccessKey: value, sessionToken: { value } },
        { accessKeyId: `${value}\r\n`, secretAccessKey: value }
      ]) {
        assert.equal(await use({ payload: {}, keys }), 'InvalidValue');
      }
      await findsNone();
    });

    it('when an expression over them fails', async () => {
      const value = secret('dynamic secret');
      for (const expression of [
        '$number(keys.secretAccessKey)',
        '$error(keys.secretAccessKey)',
        '{"accessKeyId": "AKIA", "secretAccessKey": keys.secretAccessKey & $error("no " & keys.secretAccessKey)}',
        'keys.secretAccessKey()',
        '$toMillis(keys.secretAccessKey)',
        '$eval(keys.secretAccessKey)',
        'keys.secretAccessKey + 1'
      ]) {
        const action = { dynamicCredentials: expression, dynamicCredentialsType: 'jsonata' };
        await start(flow({}, action), keysOf('second'));
        assert.equal(await use({ payload: {}, keys: { secretAccessKey: value } }), 'InvalidValue', expression);
      }
      await findsNone();
    });

    it('when some of many targets fail', async () => {
      relay.answer = (exchange) => (exchange.path.includes('hello') ? quoting(exchange) : undefined);
      await start(flow(role, { functionName: '["echo", "hello"]', functionNameType: 'json' }), {
        ...keysOf('demo'),
        ...externalId
      });
      assert.equal(await use(), 'PartialFailure');
      await findsNone();
    });

    it('when some of many targets fail with the credentials of the message', async () => {
      relay.answer = (exchange) => (exchange.path.includes('/functions') ? quoting(exchange) : undefined);
      await start(
        flow({}, { ...dynamic, functionName: '["echo", "hello"]', functionNameType: 'json' }),
        keysOf('second')
      );
      const keys = {
        ...keysOf('demo'),
        secretAccessKey: secret('dynamic secret'),
        sessionToken: secret('dynamic token')
      };
      assert.equal(await use({ payload: {}, keys }), 'PartialFailure');
      await findsNone();
    });

    it('when the node times out or is closed with the request under way', async () => {
      await bench.aws.fault({ kind: 'hang', operation: 'Invoke' });
      await start(flow(role, { timeout: 0.2 }), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'Timeout');
      await findsNone();
    });

    it('when the function fails and its own text names none', async () => {
      await start(flow(role, { functionName: 'fails' }), { ...keysOf('demo'), ...externalId });
      assert.equal(await use(), 'FunctionError');
      await findsNone();
    });

    /** A function that fails, and quotes what it was asked with wherever a failure can. */
    const quotingFunction = (
      exchange: Exchange,
      quoted: string
    ): { body: string; headers: Record<string, string> } => ({
      headers: {
        'x-amz-function-error': 'Unhandled',
        'x-amz-log-result': Buffer.from(`START\n${JSON.stringify({ quoted })}\n${quoted}\nEND`).toString('base64')
      },
      body: JSON.stringify({
        errorType: `Wrapped(${quoted})`,
        errorMessage: {
          text: quoted,
          list: [[quoted], { [quoted]: encodeURIComponent(quoted) }],
          nested: JSON.stringify({ quoted })
        },
        stackTrace: [{ path: '/main.go', line: 1, label: quoted }, `at ${quoted}`],
        trace: exchange.path
      })
    });

    for (const functionError of ['error', 'output']) {
      for (const output of ['parsed', 'raw']) {
        it(`when a failing function quotes them in objects, lists, keys and its log, for ${functionError} and ${output}`, async () => {
          relay.answer = (exchange) =>
            exchange.path.includes('/invocations')
              ? quotingFunction(exchange, signIns.demo.secretAccessKey)
              : undefined;
          const keys = { ...keysOf('demo'), secretAccessKey: `${signIns.demo.secretAccessKey}` };
          secrets.set('the secret', keys.secretAccessKey);
          await start(flow({}, { functionError, output }), keys);
          assert.equal(await use(), functionError === 'error' ? 'FunctionError' : undefined);
          await findsNone();
          const shown = JSON.stringify([bench.red.received('caught'), bench.red.received('out')]);
          assert.match(shown, /\*\*\*/);
        });
      }
    }

    it('when a function quotes those of a message', async () => {
      const keys = { ...keysOf('demo'), sessionToken: secret('token of a message') };
      relay.answer = (exchange) =>
        exchange.path.includes('/invocations') ? quotingFunction(exchange, keys.sessionToken) : undefined;
      await start(flow({}, dynamic), keysOf('second'));
      assert.equal(await use({ payload: {}, keys }), 'FunctionError');
      await findsNone();
    });

    it('when they come from variables', async () => {
      env.set({ THE_SECRET: signIns.demo.secretAccessKey, THE_ID: roles.external.externalId as string });
      secrets.set('the secret of a variable', signIns.demo.secretAccessKey);
      await start(flow(role), {
        accessKeyId: signIns.demo.accessKeyId,
        secretAccessKey: '${THE_SECRET}',
        externalId: '${THE_ID}'
      });
      assert.equal(await use(), undefined);
      await findsNone();
    });
  });

  const stsError = (message: string): string =>
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
    <Message>${message.replaceAll('&', '&amp;')}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;

  describe('of a certificate are found nowhere', () => {
    const anywhere = {
      source: 'certificate',
      tls: 'tls',
      exchange: 'rolesAnywhere',
      trustAnchorArn: trustAnchors.devices,
      profileArn: profiles.devices,
      certificateRoleArn: roles.device.arn
    };

    /** Deploys a certificate account, and notes its passphrase and the lines of its key, encrypted and not. */
    async function startWith(tls: (device: Device) => Record<string, string>): Promise<void> {
      const passphrase = secret('the passphrase');
      const device = await bench.aws.makeDevice({ key: 'rsa', passphrase });
      const plain = createPrivateKey({ key: device.key, passphrase }).export({ type: 'pkcs8', format: 'pem' });
      for (const [index, line] of `${device.key}\n${plain}`.split('\n').entries()) {
        // The certificate has the public half of an RSA key as well.
        const isPublic = device.certificate.replaceAll('\n', '').includes(line);
        if (line.length > 12 && !line.startsWith('-') && !isPublic) secrets.set(`line ${index} of the key`, line);
      }
      const node = { id: 'tls', type: 'tls-config', name: '', cert: '', key: '', ca: '', servername: '' };
      const stored = { certdata: device.certificate + device.chain, keydata: device.key, passphrase, ...tls(device) };
      await bench.red.deploy([node, ...flow(anywhere)], { credentials: { tls: stored } });
    }

    it('when all goes well', async () => {
      await startWith(() => ({}));
      assert.equal(await use(), undefined);
      await findsNone();
    });

    it('when Roles Anywhere quotes the signed request', async () => {
      relay.answer = (exchange) => (exchange.path === '/sessions' ? quoting(exchange) : undefined);
      await startWith(() => ({}));
      assert.equal(await use(), 'InvalidSignatureException');
      await findsNone();
    });

    it('when something that is no AWS answers with a key', async () => {
      let key = '';
      relay.answer = ({ path }) =>
        path === '/sessions'
          ? { status: 403, errorType: 'AccessDenied', body: JSON.stringify({ message: key }) }
          : undefined;
      await startWith((device) => {
        key = device.key;
        return {};
      });
      assert.equal(await use(), 'AccessDenied');
      await findsNone();
    });

    it('when the key stands in place of the certificate, or the passphrase is wrong', async () => {
      await startWith(({ key }) => ({ certdata: key }));
      assert.equal(await use(), 'CertificateError');
      await findsNone();
      await startWith(() => ({ passphrase: secret('another passphrase') }));
      assert.equal(await use(), 'CertificateError');
      await findsNone();
    });
  });

  it('are encrypted in the user folder, and stand in no flow', async () => {
    const { secretAccessKey } = signIns.demo;
    await start(flow(role), { ...keysOf('demo'), ...externalId });
    const stored = JSON.parse(await textOf('flows_cred.json')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(stored), ['$']);
    const saved = JSON.parse(await textOf('flows.json')) as Record<string, unknown>[];
    const own = saved.find(({ id }) => id === 'account');
    assert.equal(own?.endpoint, relay.url);
    assert.deepEqual(
      ['accessKeyId', 'secretAccessKey', 'sessionToken', 'externalId', 'credentials'].filter(
        (name) => own && name in own
      ),
      []
    );
    assert.ok(!JSON.stringify(saved).includes(secretAccessKey));
  });

  it('are told to the editor only as being there', async () => {
    await start(flow(role), { ...keysOf('demo'), sessionToken: secret('token'), ...externalId });
    const answer = await bench.red.request('credentials/aws-account/account');
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), {
      accessKeyId: signIns.demo.accessKeyId,
      has_secretAccessKey: true,
      has_sessionToken: true,
      externalId: roles.external.externalId
    });
  });

  it('are not looked for in what a function answers, which is the flow’s own', async () => {
    const { secretAccessKey } = signIns.demo;
    const told = { told: secretAccessKey };
    await start(flow(), keysOf('demo'));
    const { sent } = await bench.red.send('invoke', { payload: told });
    assert.deepEqual((sent[0]?.payload as { event: unknown } | undefined)?.event, told);
  });

  it('are not looked for in what other targets of a failing message answer', async () => {
    const { secretAccessKey } = signIns.demo;
    const told = { told: secretAccessKey };
    await start(flow({}, { functionName: '["echo", "nobody"]', functionNameType: 'json' }), keysOf('demo'));
    const { error } = await bench.red.send('invoke', { payload: told });
    assert.equal(error?.name, 'PartialFailure');
    const [answered] = (error as unknown as { results: { result: { event: unknown } }[] }).results;
    assert.deepEqual(answered?.result.event, told);
  });

  it('that are short words, such as LocalStack’s, are left in names and sentences', async () => {
    relay.answer = ({ path }) =>
      path.includes('/invocations')
        ? { body: '{"errorMessage":"test of the tester"}', headers: { 'x-amz-function-error': 'Unhandled' } }
        : undefined;
    await start(flow({}, { functionName: 'test-of-000000000000' }), {
      accessKeyId: '000000000000',
      secretAccessKey: 'test'
    });
    const { error } = await bench.red.send('invoke', { payload: {} });
    assert.equal(error?.message, 'The function test-of-000000000000 failed: test of the tester');
  });

  describe('in a text', () => {
    const strange = 'a/b+c=d"e\\f&g<h>i é';
    const clean = (text: string): string => redact(text, [strange, 'short']);
    const ways: [how: string, text: string][] = [
      ['as they are', strange],
      ['as a URL writes them', encodeURIComponent(strange)],
      ['as a URL in a URL writes them', encodeURIComponent(encodeURIComponent(strange))],
      [
        'as a URL writes them in small letters',
        encodeURIComponent(strange).replace(/%../g, (hex) => hex.toLowerCase())
      ],
      ['as JSON writes them', JSON.stringify(strange).slice(1, -1)],
      ['as JSON in JSON writes them', JSON.stringify(JSON.stringify(strange)).slice(3, -3)],
      [
        'as careful JSON writes them',
        strange.replace(/[^a-z]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
      ],
      ['with escaped slashes', JSON.stringify(strange).slice(1, -1).replaceAll('/', '\\/')],
      [
        'as XML writes them',
        strange.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
      ],
      ['with numbers for signs', strange.replace(/[^a-z]/g, (sign) => `&#${sign.charCodeAt(0)};`)]
    ];
    for (const [how, text] of ways) {
      it(`are struck out ${how}`, () => assert.equal(clean(`before ${text} after`), 'before *** after'));
    }

    it('are struck out where one is part of another', () => {
      assert.equal(
        redact('x secret-and-more secret-and', ['secret-and-', 'secret-and-more', 'secret-and']),
        'x *** secret-and'
      );
    });

    it('are struck out of megabytes in no time', () => {
      const began = performance.now();
      const text = `${'\\'.repeat(500_000)}${'a/b+'.repeat(500_000)}${strange}`;
      assert.ok(clean(text).endsWith('***'));
      assert.ok(performance.now() - began < 3000);
    });
  });

  describe('in a value', () => {
    const secret = 'not-to-be-seen';
    const clean = (value: unknown): unknown => redactDeep(value, [secret]);

    it('are struck out at any depth, of keys too, and nothing else is changed', () => {
      const date = new Date();
      assert.deepEqual(
        clean({ a: [`x ${secret}`, 1, null, [{ [`k ${secret}`]: true }]], date, bytes: Buffer.from('x') }),
        {
          a: ['x ***', 1, null, [{ 'k ***': true }]],
          date,
          bytes: Buffer.from('x')
        }
      );
      const odd = clean(JSON.parse('{"__proto__": {"polluted": true}}')) as object;
      assert.deepEqual([Object.keys(odd), Reflect.get({}, 'polluted')], [['__proto__'], undefined]);
    });

    it('are struck out of one that holds itself', () => {
      const round: Record<string, unknown> = { secret };
      round.self = round;
      const found = clean(round) as typeof round;
      assert.deepEqual([found.secret, found.self === found], ['***', true]);
    });

    it('are struck out of deep and of huge ones, of which the rest is left out', () => {
      let deep: unknown = secret;
      for (let depth = 0; depth < 50_000; depth += 1) deep = [deep];
      let found = clean(deep);
      while (Array.isArray(found)) [found] = found;
      assert.equal(found, '***');
      const huge = clean(Array.from({ length: 1_000_000 }, () => secret)) as unknown[];
      assert.ok(huge.length <= 100_000 && huge.every((each) => each === '***'));
    });

    it('do not make one that cannot be read an obstacle', () => {
      const hostile = {
        get trap() {
          throw new Error('no');
        }
      };
      assert.equal(clean(hostile), 'something that cannot be read');
    });
  });
});
