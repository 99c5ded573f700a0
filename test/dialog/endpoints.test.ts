/** What the editor can ask of the runtime: who may, what comes of it, and what never does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { CreateCollectionCommand, IndexFacesCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { type RequestRecord, roles, signIns } from '../../local-aws/client';
import { drawPicture, people } from '../../local-aws/rekognition/drawings';
import { within } from '../../nodes/action/within';
import { refusalOf } from '../../nodes/dialog/refusal';
import { useEnvironment } from '../account/environment';
import { account, credentials, invokeNode, keysOf, useBench } from '../aws';
import { nodeRedVersion, sink } from '../node-red';
import { Relay, useRelay } from '../relay';
import { startWithUsers, type WithUsers } from './users';

interface Choice {
  value: string;
  label?: string;
  detail?: string;
}

interface Refusal {
  kind: string;
  name: string;
  message: string;
  action?: string;
}

/** All that an answer of either endpoint may have. */
interface Body {
  choices?: Choice[];
  next?: string;
  refusal?: Refusal;
  account?: string;
  arn?: string;
  region?: string;
  way?: string;
  error?: string;
  /** Of an error. */
  kind?: string;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The JSON that it is, if it is that. */
  body: Body;
}

interface Asking {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | undefined;
}

/** By hand, since `fetch` sets some of the headers that matter here itself. */
function ask(url: URL, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = answer.headers['content-type']?.startsWith('application/json');
        const parsed = (isJson ? JSON.parse(text) : {}) as Body;
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, body: parsed });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const choicesPath = 'aws-account/choices';
const testPath = 'aws-account/test';
const policyPath = 'aws-account/policy?account=account';
const messagePath = 'aws-account/last-message?node=invoke';
const trialPath = 'aws-account/try';
/** Of a node that cannot be tried, so that whoever may try one gets 404. */
const triedAccount = JSON.stringify({ id: 'account', type: 'aws-account', properties: {}, text: '' });

/** Where somebody's face is in a picture. */
const face = { left: 0.3, top: 0.2, width: 0.4, height: 0.6 };

describe('the endpoints for the editor', () => {
  const texts: string[] = [];
  const secrets = new Set<string>();

  // Registered before the bench's own hook, which empties the log.
  afterEach(() => {
    const found = [...texts, ...bench.red.logs.map(({ text, msg }) => `${text} ${inspect(msg, { depth: 9 })}`)];
    for (const secret of secrets) {
      assert.ok(!found.some((text) => text.includes(secret)), 'no answer and no line of the log holds a secret');
    }
  });
  beforeEach(() => {
    texts.length = 0;
    secrets.clear();
    for (const { secretAccessKey } of Object.values(signIns)) secrets.add(secretAccessKey);
    secrets.add(roles.external.externalId as string);
  });
  const bench = useBench();
  const env = useEnvironment();

  const at = (path: string): URL => new URL(path, bench.red.url);

  async function asked(path: string, options: Asking = {}): Promise<Reply> {
    const reply = await ask(at(path), options);
    texts.push(reply.text, JSON.stringify(reply.headers));
    return reply;
  }

  type Query = Record<string, string> | [string, string][];

  /** One page of a list, from the account of the tests. */
  async function list(name: string, query: Query = {}): Promise<Body> {
    const parameters = new URLSearchParams(Array.isArray(query) ? query : { account: 'account', ...query });
    const { status, body } = await asked(`${choicesPath}/${name}?${parameters}`);
    assert.equal(status, 200);
    return body;
  }

  /** All pages of a list, as the editor asks for them. */
  async function pages(name: string, query: Record<string, string> = {}): Promise<Choice[][]> {
    const found: Choice[][] = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const page: Body = await list(name, { ...query, after });
      assert.equal(page.refusal, undefined);
      found.push(page.choices ?? []);
      after = page.next;
    }
    return found;
  }

  const valuesOf = (choices: Choice[] = []): string[] => choices.map(({ value }) => value);
  const fleetOf = (choices: Choice[] = []): Choice[] => choices.filter(({ value }) => value.includes('fleet-'));

  const deploy = (properties: Record<string, unknown> = {}, name: keyof typeof signIns = 'demo') =>
    bench.red.deploy([account(bench, properties)], { credentials: credentials(name) });

  async function requests(operation?: string): Promise<RequestRecord[]> {
    const all = await bench.aws.requests();
    return operation === undefined ? all : all.filter((each) => each.operation === operation);
  }

  /** What the dialog holds of an account that signs in by keys. */
  const dialog = (
    properties: Record<string, unknown> = {},
    stored: Record<string, unknown> = keysOf('demo'),
    id = 'account'
  ) => ({
    id,
    properties: { source: 'keys', region: 'us-east-1', endpoint: bench.aws.url, ...properties },
    credentials: stored
  });

  const post = (body: unknown, headers: OutgoingHttpHeaders = json): Promise<Reply> =>
    asked(testPath, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

  async function test(body: unknown): Promise<Body> {
    const { status, body: found } = await post(body);
    assert.equal(status, 200);
    return found;
  }

  const demo = { account: signIns.demo.account, arn: signIns.demo.arn, region: 'us-east-1' };

  describe('with adminAuth', () => {
    let users: WithUsers;
    let url: string;
    let relay: Relay;
    const planted = 'planted-token-of-the-test';

    before(async function () {
      this.timeout(120_000);
      relay = await Relay.start(bench.aws.url);
      const flow = [
        account(bench),
        account(bench, { id: 'token' }),
        account(bench, { id: 'role', roleArn: roles.external.arn }),
        account(bench, { id: 'open', region: '${PLACE}', endpoint: '${PLANTED_AT}', sessionName: 'a' }),
        account(bench, { id: 'bad', endpoint: '${PLANTED}' }),
        account(bench, { id: 'free', endpoint: '' })
      ];
      const externalId = roles.external.externalId as string;
      const stored = {
        ...Object.fromEntries(flow.map(({ id }) => [id, keysOf('demo')])),
        token: { ...keysOf('demo'), sessionToken: planted },
        role: { ...keysOf('demo'), externalId }
      };
      users = await startWithUsers(flow, stored, {
        PLANTED: planted,
        PLACE: 'eu-west-1',
        PLANTED_AT: bench.aws.url
      });
      url = users.url;
    });
    after(async () => {
      await relay.stop();
      await users.stop();
    });

    const login = (username: string): Promise<OutgoingHttpHeaders> => users.login(username);

    const everyList = [
      'functions',
      'qualifiers',
      'topics',
      'queues',
      'collections',
      'people',
      'regions',
      'profiles',
      'unknown'
    ];

    async function statuses(headers: OutgoingHttpHeaders): Promise<Record<string, number>> {
      const found: Record<string, number> = {};
      for (const name of everyList) {
        const path = `${choicesPath}/${name}?account=account&of=hello`;
        found[name] = (await ask(new URL(path, url), { headers })).status;
      }
      const body = JSON.stringify(dialog());
      const tried = await ask(new URL(testPath, url), { method: 'POST', headers: { ...json, ...headers }, body });
      const { status: policy } = await ask(new URL(policyPath, url), { headers });
      const { status: message } = await ask(new URL(messagePath, url), { headers });
      const fromDialog = await ask(new URL(`${choicesPath}/queues`, url), {
        method: 'POST',
        headers: { ...json, ...headers },
        body: JSON.stringify({ draft: dialog() })
      });
      const { status: trial } = await ask(new URL(trialPath, url), {
        method: 'POST',
        headers: { ...json, ...headers },
        body: triedAccount
      });
      return { ...found, test: tried.status, policy, message, fromDialog: fromDialog.status, trial };
    }

    const all = (status: number) =>
      Object.fromEntries(
        [...everyList, 'test', 'policy', 'message', 'fromDialog', 'trial'].map((name) => [name, status])
      );
    const allOfOwner = { ...all(200), unknown: 404, trial: 404 };

    it('nobody gets anything without a token, or with a wrong one', async () => {
      for (const headers of [
        {},
        { authorization: 'Bearer nonsense' },
        { host: 'made-to-lead-here.example', origin: 'http://made-to-lead-here.example' },
        { 'node-red-api-version': 'v2', 'sec-fetch-site': 'same-origin' }
      ]) {
        assert.deepEqual(await statuses(headers), all(401));
      }
      assert.deepEqual(await requests(), []);
    });

    it('a reader gets the lists, but tries no sign-in and no node, gets no list through one, and sees neither policy nor message', async () => {
      const refused = { test: 401, policy: 401, message: 401, fromDialog: 401, trial: 401 };
      assert.deepEqual(await statuses(await login('reader')), { ...all(200), unknown: 404, ...refused });
      assert.deepEqual(await requests('GetCallerIdentity'), []);
    });

    it('somebody who may change accounts sees messages, and tries no node without the right to deploy', async () => {
      const headers = await login('tester');
      const { status, body } = await ask(new URL(messagePath, url), { headers });
      assert.deepEqual([status, body.refusal?.kind], [200, 'none']);
      assert.equal((await statuses(headers)).trial, 401);
    });

    it('an owner gets all', async () => {
      assert.deepEqual(await statuses(await login('owner')), allOfOwner);
      assert.equal((await requests('GetCallerIdentity')).length, 2);
    });

    it('somebody with other rights only gets neither, no policy and no message', async () => {
      assert.deepEqual(await statuses(await login('stranger')), all(401));
      assert.deepEqual(await requests(), []);
    });

    it('a reader sees the access key ID and the External ID of an account, and no password', async () => {
      const { text } = await ask(new URL('credentials/aws-account/role', url), { headers: await login('reader') });
      assert.deepEqual(JSON.parse(text), {
        accessKeyId: signIns.demo.accessKeyId,
        externalId: roles.external.externalId,
        has_secretAccessKey: true,
        has_sessionToken: false
      });
    });

    describe('the test of a user who may not deploy', () => {
      const unchanged = '__PWRD__';
      const known = { accessKeyId: signIns.demo.accessKeyId, secretAccessKey: unchanged, sessionToken: unchanged };
      const asDeployed = { source: 'keys', region: 'us-east-1', rekognitionRate: '5', validate: false };
      beforeEach(() => {
        relay.exchanges.length = 0;
      });

      async function tried(
        username: string,
        id: string,
        properties: object,
        stored: object = known,
        variables?: object
      ): Promise<Body> {
        const draft = {
          id,
          variables,
          properties: { ...asDeployed, endpoint: bench.aws.url, ...properties },
          credentials: stored
        };
        return answerTo(username, testPath, draft);
      }
      async function answerTo(username: string, path: string, content: object): Promise<Body> {
        const headers = { ...json, ...(await login(username)) };
        const reply = await ask(new URL(path, url), { method: 'POST', headers, body: JSON.stringify(content) });
        assert.equal(reply.status, 200);
        assert.ok(!reply.text.includes(planted), 'no answer holds what is stored, or what a variable holds');
        return reply.body;
      }
      const asked = () => relay.exchanges.map(({ headers }) => headers['x-amz-security-token']);
      const notYours = { refusal: { kind: 'notYours', name: '', message: '' } };

      it('takes what is stored to where it is deployed to go', async () => {
        assert.equal((await tried('tester', 'account', {}, { ...known, sessionToken: '' })).arn, signIns.demo.arn);
        assert.equal(
          (
            await tried(
              'tester',
              'role',
              { roleArn: roles.external.arn },
              { ...known, sessionToken: '', externalId: roles.external.externalId }
            )
          ).account,
          '111111111111'
        );
        // AWS does not know the token.
        assert.equal((await tried('tester', 'token', {})).refusal?.kind, 'unknownKeys');
      });

      const others: [what: string, id: string, properties: () => object, stored?: object][] = [
        ['to another endpoint', 'token', () => ({ endpoint: relay.url })],
        ['to AWS instead of its endpoint', 'token', () => ({ endpoint: '' })],
        ['to another region', 'free', () => ({ endpoint: '', region: 'eu-west-1' })],
        ['to another role', 'role', () => ({ roleArn: roles.guest.arn })],
        ['to no role', 'role', () => ({ roleArn: '' })],
        ['under the name of another session', 'role', () => ({ roleArn: roles.external.arn, sessionName: 'other' })],
        ['as a new account', 'nowhere', () => ({})],
        [
          'beside a secret that is typed',
          'token',
          () => ({ endpoint: relay.url }),
          { ...keysOf('demo'), sessionToken: unchanged }
        ]
      ];
      for (const [what, id, properties, stored] of others) {
        it(`takes nothing that is stored ${what}`, async () => {
          assert.deepEqual(await tried('tester', id, properties(), stored), notYours);
          const draft = {
            id,
            properties: { ...asDeployed, endpoint: bench.aws.url, ...properties() },
            credentials: stored ?? known
          };
          assert.deepEqual(await answerTo('tester', `${choicesPath}/queues`, { draft }), notYours, 'a list neither');
          assert.deepEqual(asked(), []);
          assert.deepEqual(await requests(), []);
        });
      }

      it('takes no variable, and no sign-in of the machine, elsewhere than these are deployed to go', async () => {
        const keys = keysOf('demo');
        for (const [properties, stored] of [
          [{ endpoint: '${PLANTED}' }, keys],
          [{ endpoint: `${relay.url}/\${PLANTED}` }, keys],
          [{ endpoint: 'http://${PLANTED}' }, keys],
          [{ region: '${PLANTED}' }, keys],
          [{ endpoint: relay.url, roleArn: roles.demo.arn, sessionName: '${PLANTED}' }, keys],
          [{ endpoint: relay.url }, { ...keys, sessionToken: '${PLANTED}' }],
          [{}, { ...keys, sessionToken: '${PLANTED}' }],
          [{ endpoint: relay.url, source: 'default' }, {}],
          [{ endpoint: relay.url, source: undefined }, keys],
          [{ endpoint: relay.url, source: 'profile', profile: 'garden' }, {}]
        ] as const) {
          assert.deepEqual(await tried('tester', 'account', properties, stored), notYours, JSON.stringify(properties));
        }
        assert.deepEqual(asked(), []);
        assert.deepEqual(await requests(), []);
      });

      it('takes variables to where they are deployed to go', async () => {
        const properties = { region: '${PLACE}', endpoint: '${PLANTED_AT}', sessionName: 'a' };
        const { arn, region } = await tried('tester', 'open', properties, { ...known, sessionToken: '' });
        assert.deepEqual([arn, region], [signIns.demo.arn, 'eu-west-1']);
      });

      it('takes variables as they are deployed, whatever the editor says of them', async () => {
        const properties = { region: '${PLACE}', endpoint: '${PLANTED_AT}', sessionName: 'a' };
        const stored = { ...known, sessionToken: '' };
        const variables = { PLANTED_AT: { value: relay.url }, PLACE: { value: 'eu-west-3' } };
        const { arn, region } = await tried('tester', 'open', properties, stored, variables);
        assert.deepEqual([arn, region], [signIns.demo.arn, 'eu-west-1']);
        assert.deepEqual(asked(), []);
        assert.equal((await tried('writer', 'open', properties, stored, variables)).region, 'eu-west-3');
        assert.deepEqual(asked(), [undefined]);
      });

      it('takes keys that are typed anew anywhere', async () => {
        assert.equal((await tried('tester', 'token', { endpoint: relay.url }, keysOf('demo'))).arn, signIns.demo.arn);
        assert.deepEqual(asked(), [undefined]);
        assert.equal((await tried('tester', 'nowhere', {}, keysOf('demo'))).arn, signIns.demo.arn);
      });

      it('is as free as a deployment where the user may deploy', async () => {
        for (const username of ['owner', 'writer']) {
          relay.exchanges.length = 0;
          assert.equal((await tried(username, 'token', { endpoint: relay.url })).refusal?.kind, 'unknownKeys');
          assert.deepEqual(asked(), [planted]);
        }
      });

      it('quotes no variable to anybody, in dialogs and lists', async () => {
        for (const username of ['tester', 'owner']) {
          for (const endpoint of ['${PLANTED}', 'http://${PLANTED}', 'x${PLANTED}']) {
            const { refusal } = await tried(username, 'bad', { endpoint }, keysOf('demo'));
            assert.ok(refusal, endpoint);
          }
        }
        const headers = await login('reader');
        const reply = await ask(new URL(`${choicesPath}/functions?account=bad`, url), { headers });
        assert.deepEqual(reply.body.refusal?.kind, 'settings');
        assert.match(
          reply.body.refusal?.message ?? '',
          /^Endpoint must be a URL .*, but its variable holds something else\.$/
        );
      });
    });

    it('a list for a reader is asked in the partition of the account only', async () => {
      const list = async (username: string, query: string) => {
        const headers = await login(username);
        return (await ask(new URL(`${choicesPath}/functions?account=account&${query}`, url), { headers })).body;
      };
      assert.ok((await list('reader', 'region=eu-west-1')).choices);
      for (const region of [
        'cn-north-1',
        'us-gov-west-1',
        'eusc-de-east-1',
        'us-iso-east-1',
        'us-isob-east-1',
        'CN-north-1'
      ]) {
        const { refusal } = await list('reader', `region=${region}`);
        assert.match(refusal?.message ?? '', /^Region is in another partition/, region);
      }
      assert.deepEqual(
        (await requests('ListFunctions')).map(({ region }) => region),
        ['eu-west-1']
      );
      assert.ok(!(await list('owner', 'region=cn-north-1')).refusal?.message.includes('partition'));
    });

    it('a token is of the editor’s own page, whatever host a proxy has left', async () => {
      const headers = { ...(await login('owner')), origin: 'https://flows.example' };
      assert.deepEqual(await statuses(headers), allOfOwner);
    });

    it('a token does not open them to another site’s page', async () => {
      const headers = { ...(await login('owner')), 'sec-fetch-site': 'cross-site' };
      assert.deepEqual(await statuses(headers), all(403));
      assert.deepEqual(await requests(), []);
    });
  });

  describe('with another site’s page', () => {
    beforeEach(() => deploy());

    /** The status of each endpoint. */
    const each = async (headers: OutgoingHttpHeaders): Promise<number[]> => {
      const paths = [`${choicesPath}/functions?account=account`, policyPath, messagePath];
      const answers = await Promise.all(paths.map((path) => asked(path, { headers })));
      const options = { method: 'POST', headers: { ...json, ...headers }, body: triedAccount };
      const posted = [await post(dialog(), { ...json, ...headers }), await asked(trialPath, options)];
      return [...answers, ...posted].map(({ status }) => status);
    };
    const host = () => new URL(bench.red.url).host;

    const foreign: [what: string, headers: () => OutgoingHttpHeaders][] = [
      ['the browser calls it cross-site', () => ({ 'sec-fetch-site': 'cross-site' })],
      ['the browser calls it same-site', () => ({ 'sec-fetch-site': 'same-site' })],
      ['the browser says something new', () => ({ 'sec-fetch-site': 'near-site' })],
      ['the browser says two things', () => ({ 'sec-fetch-site': 'same-origin, cross-site' })],
      [
        'the browser calls it cross-site, whatever other headers say',
        () => ({ 'sec-fetch-site': 'cross-site', 'node-red-api-version': 'v2', origin: `http://${host()}` })
      ],
      [
        'the browser calls it cross-site, though it has the editor’s cookie',
        () => ({ 'sec-fetch-site': 'cross-site', cookie: 'nimbus=editor' })
      ],
      [
        'the cookie only looks like the editor’s',
        () => ({ origin: 'null', cookie: 'x=nimbus=editor; nimbus=editors' })
      ],
      ['the origin is another host', () => ({ origin: 'https://evil.example' })],
      ['the origin is another port', () => ({ origin: 'http://127.0.0.1:1' })],
      ['the origin only begins as this host does', () => ({ origin: `http://${host()}.evil.example` })],
      ['the origin has this host as its user name', () => ({ origin: `http://${host()}@evil.example` })],
      ['the origin is opaque', () => ({ origin: 'null' })],
      ['the origin is empty', () => ({ origin: '' })],
      ['the origin is a file', () => ({ origin: 'file://' })],
      [
        'the origin is neither this host nor the proxy’s',
        () => ({ origin: 'https://evil.example', 'x-forwarded-host': 'flows.example' })
      ]
    ];
    for (const [what, headers] of foreign) {
      it(`are refused, and ask nothing of AWS, where ${what}`, async () => {
        assert.deepEqual(await each(headers()), [403, 403, 403, 403, 403]);
        assert.equal((await post(dialog(), { ...json, ...headers() })).body.kind, 'foreign');
        assert.deepEqual(await requests(), []);
      });
    }

    const own: [what: string, headers: () => OutgoingHttpHeaders][] = [
      ['the browser calls it the same origin', () => ({ 'sec-fetch-site': 'same-origin' })],
      ['somebody entered the address', () => ({ 'sec-fetch-site': 'none' })],
      ['the origin is this host', () => ({ origin: `http://${host()}` })],
      [
        'the browser sends the editor’s cookie, whatever host a proxy has left',
        () => ({ origin: 'https://flows.example', cookie: 'io=1; nimbus=editor' })
      ],
      ['the browser is too old to say anything', () => ({})]
    ];
    for (const [what, headers] of own) {
      it(`answer where ${what}`, async () => {
        assert.deepEqual(await each(headers()), [200, 200, 200, 200, 404]);
      });
    }

    it('take no text and no form, which it could send without being asked', async () => {
      const body = JSON.stringify(dialog());
      for (const type of [
        'text/plain',
        'text/plain; application/json',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/octet-stream',
        'application/jsonp',
        'text/json'
      ]) {
        assert.equal((await post(body, { 'content-type': type })).status, 415, type);
      }
      assert.equal((await post(body, {})).status, 415, 'no type at all');
      const list = { method: 'POST', body: JSON.stringify({ draft: dialog() }) };
      const sent = (headers: OutgoingHttpHeaders) => asked(`${choicesPath}/queues`, { ...list, headers });
      assert.equal((await sent({ 'content-type': 'text/plain' })).status, 415, 'a list');
      assert.equal((await sent({ ...json, 'sec-fetch-site': 'cross-site' })).status, 403, 'a list of another site');
      assert.deepEqual(await requests(), []);
    });

    it('do not try a sign-in for a GET', async () => {
      assert.equal((await asked(testPath)).status, 404);
    });

    for (const [what, header] of [
      ['the editor’s own header', { 'node-red-api-version': 'v2' }],
      ['the host that a proxy says it was asked for', { 'x-forwarded-host': 'flows.example' }]
    ] as const) {
      it(`take ${what} as proof only where Node-RED lets no other site send it`, async () => {
        const origin = 'https://flows.example';
        const preflight = {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': `content-type,${Object.keys(header)}`
        };
        const { headers } = await asked(testPath, { method: 'OPTIONS', headers: preflight });
        const letsOthers = headers['access-control-allow-origin'] !== undefined;
        assert.equal(letsOthers, nodeRedVersion === 4);
        const status = letsOthers ? 403 : 200;
        assert.deepEqual(await each({ ...header, origin }), [
          status,
          status,
          status,
          status,
          status === 200 ? 404 : status
        ]);
      });
    }
  });

  describe('list', () => {
    it('functions by name, with what tells them apart', async () => {
      await deploy();
      const { choices = [] } = await list('functions');
      const hello = choices.find(({ value }) => value === 'hello');
      assert.match(hello?.detail ?? '', /^nodejs24\.x/);
      assert.equal(hello?.label, undefined);
    });

    it('topics with the ARN as value and the name to read', async () => {
      await deploy();
      const { choices = [] } = await list('topics');
      assert.deepEqual(
        choices.find(({ label }) => label === 'alerts'),
        { value: 'arn:aws:sns:us-east-1:111111111111:alerts', label: 'alerts' }
      );
    });

    it('queues with the URL as value and the name to read', async () => {
      await deploy();
      const { choices = [] } = await list('queues');
      assert.deepEqual(
        choices.find(({ label }) => label === 'orders'),
        { value: `${bench.aws.url}/111111111111/orders`, label: 'orders' }
      );
    });

    it('collections by their id', async () => {
      await bench.aws.populate({ collections: 2 });
      await deploy();
      const choices = [{ value: 'fleet-0001' }, { value: 'fleet-0002' }];
      assert.deepEqual(await list('collections'), { choices, region: 'us-east-1' });
    });

    it('people of a collection by name, with the number of their faces', async () => {
      const client = new RekognitionClient({
        region: 'us-east-1',
        endpoint: bench.aws.url,
        credentials: signIns.demo
      });
      try {
        await client.send(new CreateCollectionCommand({ CollectionId: 'friends' }));
        for (const [who, ExternalImageId] of [
          [people.ben, 'Zo:C3:AB'],
          [people.anna, 'Ada:20Lovelace']
        ] as const) {
          const Bytes = drawPicture(
            { things: [{ kind: 'face', who, box: face }] },
            { width: 320, height: 240, format: 'png' }
          );
          await client.send(new IndexFacesCommand({ CollectionId: 'friends', ExternalImageId, Image: { Bytes } }));
        }
        await deploy();
        const choices = [
          { value: 'Ada Lovelace', detail: '× 1' },
          { value: 'Zoë', detail: '× 1' }
        ];
        assert.deepEqual(await list('people', { of: 'friends' }), { choices, region: 'us-east-1' });
        assert.equal((await list('people', { of: 'nobody' })).refusal?.kind, 'notFound');
      } finally {
        client.destroy();
      }
    });

    it('regions without an account, and without asking AWS', async () => {
      const { choices = [] } = await list('regions', []);
      assert.ok(valuesOf(choices).includes('eu-central-1'));
      assert.match(choices.find(({ value }) => value === 'eu-central-1')?.detail ?? '', /Frankfurt/);
      assert.deepEqual(await requests(), []);
    });

    it('nothing by another name', async () => {
      await deploy();
      for (const name of ['unknown', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'Functions', '%00']) {
        const reply = await asked(`${choicesPath}/${name}?account=account`);
        assert.deepEqual([name, reply.status], [name, 404]);
        assert.ok(!reply.text.includes('    at '), 'no stack');
      }
      assert.deepEqual(await requests(), []);
    });

    it('what is there now: no browser and no proxy keeps it', async () => {
      await deploy();
      for (const name of ['functions', 'regions', 'profiles', 'unknown'])
        assert.equal((await asked(`${choicesPath}/${name}?account=account`)).headers['cache-control'], 'no-store');
      assert.equal((await post(dialog())).headers['cache-control'], 'no-store');
    });

    describe('versions and aliases', () => {
      beforeEach(() => bench.aws.populate({ functions: 1, aliases: 60, versions: 60 }));

      it('page by page, the aliases first', async () => {
        await deploy();
        const found = await pages('qualifiers', { of: 'fleet-0001' });
        assert.deepEqual(
          found.map(({ length }) => length),
          [50, 10, 50, 11]
        );
        const all = found.flat();
        assert.deepEqual([all[0]?.value, all[59]?.value], ['alias-0001', 'alias-0060']);
        assert.match(all[0]?.detail ?? '', /^→ \d+$/);
        assert.deepEqual([all[60]?.value, all.at(-1)?.value], ['$LATEST', '60']);
        assert.match(all[61]?.detail ?? '', /^\d{4}-\d\d-\d\d$/);
      });

      const arn = 'arn:aws:lambda:us-east-1:111111111111:function:fleet-0001';
      for (const [what, of] of [
        ['a name', 'fleet-0001'],
        ['a name with an alias', 'fleet-0001:alias-0001'],
        ['a name with $LATEST', 'fleet-0001:$LATEST'],
        ['a part of an ARN', '111111111111:function:fleet-0001'],
        ['a part of an ARN with an alias', '111111111111:function:fleet-0001:alias-0001'],
        ['an ARN', arn],
        ['an ARN with a version', `${arn}:7`]
      ] as const) {
        it(`of a function that is given as ${what}`, async () => {
          await deploy();
          const { choices, next } = await list('qualifiers', { of });
          assert.equal(choices?.[0]?.value, 'alias-0001');
          const { choices: others } = await list('qualifiers', { of, after: 'versions:' });
          assert.equal(others?.[0]?.value, '$LATEST');
          assert.ok(next);
        });
      }

      it('of a function in the region that its ARN names', async () => {
        await bench.aws.populate({ functions: 1, aliases: 1, versions: 1, prefix: 'west', region: 'eu-west-1' });
        await deploy();
        const of = 'arn:aws:lambda:eu-west-1:111111111111:function:west-0001:alias-0001';
        assert.deepEqual(valuesOf((await pages('qualifiers', { of })).flat()), ['alias-0001', '$LATEST', '1']);
        assert.deepEqual([...new Set((await requests()).map(({ region }) => region))], ['eu-west-1']);
      });

      it('of no function that is not there', async () => {
        await deploy();
        const { refusal } = await list('qualifiers', { of: 'nowhere' });
        assert.deepEqual([refusal?.kind, refusal?.name], ['notFound', 'ResourceNotFoundException']);
      });

      it('of nothing that is no function’s name', async () => {
        await deploy();
        for (const of of [
          '',
          '../../x',
          'a'.repeat(200),
          'arn:',
          'arn:aws:lambda:evil.example/#:1:function:x',
          ':::::'
        ])
          assert.ok((await list('qualifiers', { of })).refusal, of);
        const { refusal } = await list('qualifiers', [
          ['account', 'account'],
          ['of', 'hello'],
          ['of', 'echo']
        ]);
        assert.ok(refusal);
      });
    });

    describe('profiles', () => {
      const profiles = async () => (await list('profiles', [])).choices;

      it('of both shared files, each once and in order', async () => {
        const region = { region: 'eu-west-1' };
        env.config({ default: region, garden: region, 'sso-session work': region, 'services local': region });
        env.credentials({ garden: region, attic: { aws_access_key_id: 'AKIAATTIC' } });
        assert.deepEqual(await profiles(), [{ value: 'attic' }, { value: 'default' }, { value: 'garden' }]);
      });

      it('not at all where there are no files', async () => {
        env.set({ AWS_CONFIG_FILE: '/nowhere/config', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' });
        assert.deepEqual(await profiles(), []);
        env.set({ AWS_CONFIG_FILE: '/', AWS_SHARED_CREDENTIALS_FILE: '/' });
        assert.deepEqual(await profiles(), []);
      });

      it('in the files of the home folder, where no others are named', async () => {
        env.set({ AWS_CONFIG_FILE: '', AWS_SHARED_CREDENTIALS_FILE: '' });
        env.file('.aws/config', '[profile home]\nregion = eu-west-1\n');
        env.file('.aws/credentials', '[default]\nregion = eu-west-1\n');
        assert.deepEqual(await profiles(), [{ value: 'default' }, { value: 'home' }]);
      });

      it('as other systems write them', async () => {
        const region = '\r\nregion = eu-west-1\r\n';
        env.file(
          'config',
          `  [profile dent]${region}[profile wide] # of the house${region}[profile "quoted"]${region}`
        );
        env.file('credentials', `\uFEFF[mark]${region}; [no]${region}# [nor this]${region}`);
        assert.deepEqual(await profiles(), [
          { value: 'dent' },
          { value: 'mark' },
          { value: 'quoted' },
          { value: 'wide' }
        ]);
      });

      const planted = 'planted/secret+in=the/file';
      for (const [what, text] of [
        ['that are whole', `[garden]\naws_secret_access_key = ${planted}\naws_session_token = [${planted}]\n`],
        ['without an end to a section’s name', `[garden\naws_secret_access_key = ${planted}\n[attic]\n`],
        ['with a bracket that stands alone', `[\naws_secret_access_key = ${planted}]\n[attic]\n`],
        ['with a comment that ends a bracket', `[garden # ${planted}]\naws_secret_access_key = ${planted}\n`],
        ['with old line ends', `[garden\raws_secret_access_key = ${planted}\r[attic]\r`],
        ['with old line ends and new ones', `[garden\rsecret = ${planted}\r[attic]\nregion = eu-west-1\n`],
        ['with a nested block', `[garden]\ns3 =\n  token = ${planted}\n  [attic]\n`]
      ] as const) {
        it(`by nothing but their names, with files ${what}`, async () => {
          secrets.add(planted);
          env.file('config', text.replace('[garden', '[profile garden'));
          env.file('credentials', text);
          const found = await profiles();
          for (const each of found ?? []) {
            assert.deepEqual(Object.keys(each), ['value']);
            assert.match(each.value, /^(garden|attic)$/);
          }
        });
      }
    });

    describe('thousands', () => {
      for (const [name, size] of [
        ['functions', 50],
        ['topics', 100],
        ['queues', 200],
        ['collections', 100]
      ] as const) {
        it(`of ${name}, page by page, each once`, async () => {
          await bench.aws.populate({ [name]: 2000 });
          await deploy();
          const found = await pages(name);
          assert.equal(Math.max(...found.map(({ length }) => length)), size);
          const fleet = fleetOf(found.flat()).map(({ label, value }) => label ?? value);
          assert.equal(fleet.length, 2000);
          assert.equal(new Set(fleet).size, 2000);
        });
      }

      it('but go on from no page that was never given', async () => {
        await deploy();
        for (const name of ['functions', 'topics', 'queues']) {
          const { refusal } = await list(name, { after: 'nonsense' });
          assert.ok(refusal, name);
        }
      });
    });
  });

  describe('ask anew', () => {
    const counted = async () => (await requests('ListFunctions')).length;

    it('for whoever asks again, so that what has just been made is there', async () => {
      await deploy();
      const before = valuesOf((await list('functions')).choices);
      await bench.aws.populate({ functions: 1 });
      const after = valuesOf((await list('functions')).choices);
      assert.deepEqual(
        after.filter((value) => !before.includes(value)),
        ['fleet-0001']
      );
      assert.equal(await counted(), 2);
    });

    it('for its own account only', async () => {
      const other = account(bench, { id: 'other' });
      const keys = { ...credentials(), other: keysOf('second') };
      await bench.aws.populate({ functions: 1, account: signIns.second.account });
      await bench.red.deploy([account(bench), other], { credentials: keys });
      assert.deepEqual(fleetOf((await list('functions')).choices), []);
      assert.equal(fleetOf((await list('functions', { account: 'other' })).choices).length, 1);
    });

    it('not where it could not be had', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'denied', operation: 'ListFunctions', times: 1 });
      assert.equal((await list('functions')).refusal?.kind, 'denied');
      assert.ok((await list('functions')).choices);
      assert.equal(await counted(), 2);
    });

    it('not when the account is deployed anew', async () => {
      await deploy();
      await list('functions');
      await deploy({ region: 'eu-west-1' }, 'second');
      await list('functions');
      assert.deepEqual(
        (await requests('ListFunctions')).map(({ accessKeyId, region }) => [accessKeyId, region]),
        [
          [signIns.demo.accessKeyId, 'us-east-1'],
          [signIns.second.accessKeyId, 'eu-west-1']
        ]
      );
    });
  });

  describe('refuse a list, and say why', () => {
    const serviceLists = ['functions', 'qualifiers', 'topics', 'queues', 'collections', 'people'] as const;
    const refusal = async (name = 'functions', query: Query = {}) => (await list(name, query)).refusal;

    it('where the account is not deployed, or is no account', async () => {
      await bench.red.deploy([account(bench), invokeNode(), sink('out')], { credentials: credentials() });
      for (const id of ['nowhere', 'invoke', 'out', 'tab', '', '__proto__', 'constructor', '_ADD_']) {
        assert.deepEqual(await refusal('functions', { account: id }), {
          kind: 'notDeployed',
          name: 'AccountMissing',
          message: ''
        });
      }
      for (const query of [
        [],
        [
          ['account', 'account'],
          ['account', 'account']
        ],
        [['account[id]', 'account']]
      ] as [string, string][][]) {
        assert.equal((await refusal('functions', query))?.kind, 'notDeployed');
      }
      assert.deepEqual(await requests(), []);
    });

    it('where the account is disabled, or its flow is', async () => {
      await bench.red.deploy([
        account(bench, { id: 'idle', d: true }),
        { id: 'off', type: 'tab', label: 'off', disabled: true },
        account(bench, { id: 'there', z: 'off' })
      ]);
      for (const id of ['idle', 'there']) {
        assert.equal((await refusal('functions', { account: id }))?.kind, 'disabled', id);
      }
      assert.deepEqual(await requests(), []);
    });

    it('where the account is not valid', async () => {
      await deploy({ region: 'not a region' });
      const found = await refusal();
      assert.deepEqual([found?.kind, found?.name], ['settings', 'InvalidValue']);
      assert.match(found?.message ?? '', /Region must be/);
      await bench.red.deploy([account(bench, { id: 'bare' })]);
      assert.equal((await refusal('functions', { account: 'bare' }))?.name, 'MissingValue');
      assert.deepEqual(await requests(), []);
    });

    it('where the sign-in may not list them, with the action to allow', async () => {
      await deploy({}, 'limited');
      const found: unknown[] = [];
      for (const name of serviceLists) {
        const { kind, action } = (await refusal(name, { of: 'hello' })) ?? {};
        found.push([name, kind, action]);
      }
      assert.deepEqual(found, [
        ['functions', 'denied', 'lambda:ListFunctions'],
        ['qualifiers', 'denied', 'lambda:ListAliases'],
        ['topics', 'denied', 'sns:ListTopics'],
        ['queues', 'denied', 'sqs:ListQueues'],
        ['collections', 'denied', 'rekognition:ListCollections'],
        ['people', 'denied', 'rekognition:ListFaces']
      ]);
    });

    it('where the versions are what the sign-in may not list', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'denied', operation: 'ListVersionsByFunction' });
      const { next = '' } = await list('qualifiers', { of: 'hello' });
      const { kind, action } = (await refusal('qualifiers', { of: 'hello', after: next })) ?? {};
      assert.deepEqual([kind, action], ['denied', 'lambda:ListVersionsByFunction']);
    });

    it('where the secret is wrong', async () => {
      const wrong = 'wrong/secret+of=the/test';
      secrets.add(wrong);
      await bench.red.deploy([account(bench)], { credentials: credentials('demo', { secretAccessKey: wrong }) });
      for (const name of serviceLists) assert.equal((await refusal(name, { of: 'hello' }))?.kind, 'wrongSecret', name);
    });

    it('where AWS does not know the key', async () => {
      await bench.red.deploy([account(bench)], { credentials: credentials('demo', { accessKeyId: 'AKIANOBODY' }) });
      for (const name of serviceLists) assert.equal((await refusal(name, { of: 'hello' }))?.kind, 'unknownKeys', name);
    });

    it('where the keys are over, or there are none', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'expired' });
      for (const name of serviceLists) assert.equal((await refusal(name, { of: 'hello' }))?.kind, 'expired', name);
      await deploy({ source: 'default' });
      assert.equal((await refusal())?.kind, 'noKeys');
    });

    it('where the role cannot be assumed', async () => {
      const role = { roleArn: roles.external.arn };
      const stored = credentials('demo', { externalId: 'another-external-id' });
      secrets.add('another-external-id');
      await bench.red.deploy([account(bench, role)], { credentials: stored });
      assert.equal((await refusal())?.kind, 'role');
    });

    it('where nothing answers at the endpoint', async () => {
      await deploy({ endpoint: 'http://127.0.0.1:1' });
      for (const name of serviceLists) assert.equal((await refusal(name, { of: 'hello' }))?.kind, 'unreachable', name);
    });

    it('where something answers that is no AWS', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'html', status: 404 });
      assert.equal((await refusal())?.kind, 'unreachable');
    });

    it('where AWS does not answer, to each who waits', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'hang', operation: 'ListFunctions' });
      const found = await Promise.all([refusal(), refusal()]);
      assert.deepEqual(
        found.map((each) => each?.kind),
        ['timeout', 'timeout']
      );
      await bench.aws.clearFaults();
      assert.ok((await list('functions')).choices, 'and asks again then');
    });

    it('where the sign-in does not come about, in time too', async () => {
      await deploy({ roleArn: roles.demo.arn });
      await bench.aws.fault({ kind: 'hang', operation: 'AssumeRole' });
      assert.equal((await refusal())?.kind, 'timeout');
    });

    it('where the account is closed while the question is under way', async () => {
      await deploy();
      await bench.aws.fault({ kind: 'hang', operation: 'ListFunctions' });
      const waiting = refusal();
      await bench.aws.until({ requests: 1, operation: 'ListFunctions' });
      await bench.red.deploy([]);
      assert.ok(await waiting);
      assert.deepEqual(
        bench.red.logs.filter(({ level }) => level === 'error'),
        []
      );
    });
  });

  describe('ask through what is stored of an account that does not run,', () => {
    const variables = [
      { name: 'KEY', type: 'str', value: signIns.demo.accessKeyId },
      { name: 'SECRET', type: 'cred', value: '' },
      { name: 'PLACE', type: 'env', value: 'OTHER' }
    ];
    const stored = () => account(bench, { region: '${PLACE}' });
    const ofVariables = { accessKeyId: '${KEY}', secretAccessKey: '${SECRET}' };
    const { secretAccessKey } = signIns.demo;

    it('since a type is missing, with the variables that its flows have', async () => {
      env.set({ OTHER: 'eu-west-1' });
      const nodes = [{ id: 'all', type: 'global-config', env: variables }, stored(), { id: 'x', type: 'no-such-node' }];
      const credentials = { account: ofVariables, all: { map: { SECRET: secretAccessKey } } };
      await assert.rejects(bench.red.deploy(nodes, { credentials: credentials as never }), /missing-types/);
      const { choices, region } = await list('functions');
      assert.ok(valuesOf(choices).includes('hello'));
      assert.equal(region, 'eu-west-1');
      assert.deepEqual(
        await test({ ...dialog({ region: '${PLACE}' }, ofVariables), variables: undefined }),
        { ...demo, region: 'eu-west-1' },
        'as its test does'
      );
    });

    /** Node-RED in a process of its own, which finds these flows and starts none of them. A message of any kind ends it. */
    const idle = `
      const { writeFileSync } = require('node:fs');
      const { createServer } = require('node:http');
      const { join } = require('node:path');
      const { makeUserDir, nodeRedVersion } = require('./test/node-red');
      const RED = require(nodeRedVersion === 4 ? 'node-red-4' : 'node-red');
      const { settings, files } = JSON.parse(process.argv[1]);
      process.on('disconnect', () => process.exit(1));
      makeUserDir(process.cwd()).then(async (userDir) => {
        for (const [name, held] of Object.entries(files)) writeFileSync(join(userDir, name), JSON.stringify(held));
        const server = createServer((request, response) => RED.httpAdmin(request, response));
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        RED.init(server, { userDir, flowFile: 'flows.json', credentialSecret: false, httpAdminRoot: '/', logging: {}, ...settings });
        RED.events.on('runtime-event', ({ id, payload }) => {
          if (id !== 'runtime-state' || !payload) return;
          process.send({ state: payload.state, url: 'http://127.0.0.1:' + server.address().port });
        });
        process.once('message', async () => {
          await RED.stop();
          require('node:fs').rmSync(userDir, { recursive: true, force: true });
          process.exit(0);
        });
        await RED.start();
      });`;

    for (const [why, state, settings, kept] of [
      ['Node-RED is in safe mode', 'safe', { safeMode: true }, {}],
      ['somebody has stopped the flows', 'stop', {}, { runtimeFlowState: 'stop' }]
    ] as const) {
      it(`since ${why}, and test it with its stored secret`, async () => {
        const files = {
          'flows.json': [account(bench), { id: 'tab', type: 'tab', label: 'tab' }, invokeNode({ z: 'tab' })],
          'flows_cred.json': credentials(),
          '.config.runtime.json': kept
        };
        const child = spawn(
          process.execPath,
          ['--require', 'tsx/cjs', '-e', idle, JSON.stringify({ settings, files })],
          { cwd: resolve(__dirname, '..', '..'), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }
        );
        const gone = once(child, 'exit');
        try {
          const [told] = (await Promise.race([once(child, 'message'), gone.then(() => [])])) as {
            state: string;
            url: string;
          }[];
          assert.equal(told?.state, state);
          const path = `${choicesPath}/functions?account=account`;
          const listed = await ask(new URL(path, told.url));
          assert.deepEqual(valuesOf(listed.body.choices).includes('hello'), true, listed.text);
          const body = JSON.stringify(dialog({}, { ...keysOf('demo'), secretAccessKey: '__PWRD__' }));
          const tested = await ask(new URL(testPath, told.url), { method: 'POST', headers: json, body });
          assert.deepEqual(tested.body, demo);
          texts.push(listed.text, tested.text);
        } finally {
          if (child.connected) child.send('stop');
          await gone;
        }
      }).timeout(120_000);
    }

    it('since it is in a subflow, with the variables that its instances agree about', async () => {
      const inside = { ...stored(), z: 'sub' };
      const place = (value: string) => [{ name: 'PLACE', type: 'str', value }];
      const nodes = [
        { id: 'sub', type: 'subflow', name: 'sub', in: [], out: [], env: place('eu-west-3') },
        inside,
        { id: 'one', type: 'subflow:sub', env: place('eu-west-1') }
      ];
      await bench.red.deploy(nodes, { credentials: credentials() });
      const { choices, region } = await list('functions');
      assert.ok(valuesOf(choices).includes('hello'));
      assert.equal(region, 'eu-west-1');
    });
  });

  describe('take the region of the node', () => {
    const regionsAsked = async () => (await requests('ListFunctions')).map(({ region }) => region);

    it('or else the account’s', async () => {
      await deploy({ region: 'eu-north-1' });
      await list('functions', { region: '' });
      await list('functions', { region: 'eu-west-1' });
      assert.deepEqual(await regionsAsked(), ['eu-north-1', 'eu-west-1']);
    });

    it('from an environment variable', async () => {
      env.set({ PLACE: 'eu-west-3', CONTINENT: 'eu' });
      await deploy();
      await list('functions', { region: '${PLACE}' });
      await list('functions', { region: '${CONTINENT}-west-2' });
      await list('functions', { region: '${NO_SUCH_VARIABLE}' });
      assert.deepEqual(await regionsAsked(), ['eu-west-3', 'eu-west-2', 'us-east-1']);
    });

    it('only as one text', async () => {
      await deploy();
      const twice: [string, string][] = [
        ['account', 'account'],
        ['region', 'eu-west-1'],
        ['region', 'eu-west-2']
      ];
      assert.ok((await list('functions', twice)).choices);
      for (const name of ['region[]', 'region[toString]', 'region[__proto__]']) {
        const query: [string, string][] = [
          ['account', 'account'],
          [name, 'eu-west-1']
        ];
        assert.ok((await list('functions', query)).choices);
      }
      assert.deepEqual([...new Set(await regionsAsked())], ['us-east-1']);
    });

    it('and ask nobody where it is none', async () => {
      await deploy({ endpoint: '' });
      for (const region of [
        'evil.example/#',
        'a b',
        '-',
        '../..',
        'x@evil.example',
        'a'.repeat(64),
        '\r\nhost: x',
        'é'
      ]) {
        const { refusal } = await list('functions', { region });
        assert.deepEqual([refusal?.kind, refusal?.name], ['settings', 'InvalidValue'], region);
        assert.match(refusal?.message ?? '', /Region must be/);
      }
    });

    it('and give no reader the value of a variable by it', async () => {
      const planted = ['planted/secret of the environment', 'plantedsecret123', 'PlantedSecret-9', 'x'.repeat(70)];
      // Without an endpoint it would become a part of the host’s name, which errors quote.
      for (const endpoint of [bench.aws.url, 'http://127.0.0.1:1', '']) {
        await deploy({ endpoint });
        for (const [index, value] of planted.entries()) {
          env.set({ [`PLANTED_${index}`]: value });
          for (const region of [`\${PLANTED_${index}}`, `a\${PLANTED_${index}}`, `\${PLANTED_${index}}/`]) {
            const { refusal } = await list('functions', { region });
            const told = JSON.stringify(refusal).toLowerCase();
            assert.ok(refusal && !told.includes(value.toLowerCase().slice(0, 12)), `${index}`);
            assert.equal(refusal.kind, 'settings');
          }
        }
      }
      assert.deepEqual(await requests(), []);
    });

    it('and name no region of a variable in what AWS says of it', async () => {
      env.set({ PLACE: 'xx-hidden-9' });
      await deploy({}, 'limited');
      const { refusal } = await list('functions', { region: '${PLACE}' });
      assert.equal(refusal?.kind, 'denied');
      assert.ok(!JSON.stringify(refusal).includes('xx-hidden-9'));
    });
  });

  describe('try a sign-in', () => {
    const relay = useRelay(bench);

    /** What AWS has handed out is as secret as what it was asked with. */
    function noteGiven(): void {
      for (const { answer = '', headers } of relay.exchanges) {
        for (const [, , value = ''] of answer.matchAll(/<(SecretAccessKey|SessionToken)>([^<]+)</g)) secrets.add(value);
        const signature = /Signature=([0-9a-f]{64})/.exec(headers.authorization ?? '')?.[1];
        if (signature) secrets.add(signature);
      }
    }

    const unchanged = '__PWRD__';
    const kindOf = async (body: unknown) => (await test(body)).refusal?.kind;

    it('with the keys of the dialog, deployed or not', async () => {
      assert.deepEqual(await test(dialog()), demo);
      await deploy({}, 'second');
      assert.deepEqual(await test(dialog()), demo);
      assert.deepEqual(await test(dialog({}, keysOf('second'), 'another')), {
        account: signIns.second.account,
        arn: signIns.second.arn,
        region: 'us-east-1'
      });
    });

    it('that is allowed nothing', async () => {
      assert.equal((await test(dialog({}, keysOf('limited')))).arn, signIns.limited.arn);
    });

    it('with the secret that only the runtime has, and do not give it away', async () => {
      await deploy();
      const { accessKeyId } = signIns.demo;
      assert.deepEqual(await test(dialog({}, { accessKeyId, secretAccessKey: unchanged, sessionToken: '' })), demo);
    });

    it('with a session token that only the runtime has', async () => {
      const token = 'planted/token+of=the/test';
      secrets.add(token);
      await bench.red.deploy([account(bench)], { credentials: credentials('demo', { sessionToken: token }) });
      const { accessKeyId } = signIns.demo;
      const stored = { accessKeyId, secretAccessKey: unchanged, sessionToken: unchanged };
      assert.equal(await kindOf(dialog({ endpoint: relay.url }, stored)), 'unknownKeys');
      assert.equal(relay.exchanges[0]?.headers['x-amz-security-token'], token);
      assert.deepEqual(await test(dialog({}, { ...stored, sessionToken: '' })), demo, 'which may be taken out');
    });

    it('with the stored secret and another key, which do not go together', async () => {
      await deploy();
      const { accessKeyId } = signIns.second;
      assert.equal(await kindOf(dialog({}, { accessKeyId, secretAccessKey: unchanged })), 'wrongSecret');
    });

    it('with the stored secret of an account that is disabled, or in a subflow', async () => {
      await bench.red.deploy(
        [
          account(bench, { id: 'idle', d: true }),
          { id: 'sub', type: 'subflow', name: 'sub', in: [], out: [] },
          account(bench, { id: 'inside', z: 'sub' }),
          { id: 'instance', type: 'subflow:sub' }
        ],
        { credentials: { idle: keysOf('demo'), inside: keysOf('demo') } }
      );
      const { accessKeyId } = signIns.demo;
      for (const id of ['idle', 'inside']) {
        assert.deepEqual(await test(dialog({}, { accessKeyId, secretAccessKey: unchanged }, id)), demo, id);
      }
    });

    it('but have no stored secret of an account that is not deployed, or of another node', async () => {
      await bench.red.deploy([account(bench), invokeNode(), sink('out')], { credentials: credentials() });
      // No node of the pack but the account has credentials; those of others could have the same names.
      for (const id of ['invoke', 'out']) bench.red.node(id).credentials = keysOf('demo');
      const { accessKeyId } = signIns.demo;
      for (const id of ['nowhere', 'idle', 'invoke', 'out', 'tab', '', '__proto__', 'constructor']) {
        const { refusal } = await test(dialog({}, { accessKeyId, secretAccessKey: unchanged }, id));
        assert.deepEqual([id, refusal?.kind, refusal?.name], [id, 'settings', 'MissingValue']);
      }
      for (const id of [['account'], { account: 1 }, 1, null]) {
        const body = { ...dialog({}, { accessKeyId, secretAccessKey: unchanged }), id };
        assert.equal(await kindOf(body), 'settings');
      }
      assert.deepEqual(await requests(), []);
    });

    it('but take no secret that stands among the properties', async () => {
      assert.equal(await kindOf(dialog(keysOf('demo'), {})), 'settings');
      assert.deepEqual(await requests(), []);
    });

    it('with environment variables in any of its texts', async () => {
      env.set({ PLACE: 'eu-west-1', AT: bench.aws.url, KEY: signIns.demo.accessKeyId });
      env.set({ SECRET: signIns.demo.secretAccessKey, ROLE: roles.external.arn });
      env.set({ EXTERNAL: roles.external.externalId as string });
      const stored = { accessKeyId: '${KEY}', secretAccessKey: '${SECRET}', externalId: '${EXTERNAL}' };
      const properties = { region: '${PLACE}', endpoint: '${AT}', roleArn: '${ROLE}', sessionName: 'tried' };
      const { region, arn } = await test(dialog(properties, stored, 'undeployed'));
      assert.deepEqual([region, arn], ['eu-west-1', 'arn:aws:sts::111111111111:assumed-role/nimbus-external/tried']);
    });

    describe('with variables that the editor knows', () => {
      const keys = { accessKeyId: '${KEY}', secretAccessKey: '${SECRET}' };
      const { accessKeyId, secretAccessKey } = signIns.demo;
      const tried = (variables: unknown, properties: Record<string, unknown> = {}) =>
        test({ ...dialog(properties, keys, 'undeployed'), variables });

      it('before the first deployment', async () => {
        env.set({ OTHER: 'eu-west-1', PLACE: 'eu-north-1', KEY: 'of the process' });
        const variables = {
          KEY: { value: accessKeyId },
          SECRET: { value: secretAccessKey },
          PLACE: { text: '${OTHER}' }
        };
        assert.deepEqual(await tried(variables, { region: '${PLACE}' }), { ...demo, region: 'eu-west-1' });
        env.set({ KEY: accessKeyId });
        const { KEY: _, ...others } = variables;
        assert.deepEqual(await tried(others), demo, 'and those of the process');
      });

      it('of which only the runtime has the value of a credential', async () => {
        const nodes = [
          { id: 'all', type: 'global-config', env: [{ name: 'SECRET', type: 'cred', value: '' }] },
          { id: 'tab', type: 'tab', label: 'tab', env: [{ name: 'TOKEN', type: 'cred', value: '' }] }
        ];
        const given = { all: { map: { SECRET: secretAccessKey } }, tab: { TOKEN: 'planted-token' } };
        await bench.red.deploy(nodes, { credentials: given as never });
        const KEY = { value: accessKeyId };
        assert.deepEqual(await tried({ KEY, SECRET: { secret: 'SECRET', of: ['nowhere', 'all'] } }), demo);
        const wrong = await tried({ KEY, SECRET: { secret: 'TOKEN', of: ['tab'] } });
        assert.equal(wrong.refusal?.kind, 'wrongSecret');
        assert.ok(!JSON.stringify(wrong).includes('planted'));
      });

      it('beside those in a stored password, which the editor does not see', async () => {
        const all = {
          id: 'all',
          type: 'global-config',
          env: [{ name: 'SECRET', type: 'str', value: secretAccessKey }]
        };
        await bench.red.deploy([all, account(bench)], { credentials: { account: keys } });
        const body = dialog({}, { ...keys, secretAccessKey: unchanged });
        assert.deepEqual(await test({ ...body, variables: { KEY: { value: accessKeyId } } }), demo);
      });

      it('but not those of other nodes’ credentials, and nothing that is known only to flows that run', async () => {
        await bench.red.deploy([account(bench), invokeNode(), sink('out')], { credentials: credentials() });
        bench.red.node('invoke').credentials = { ...keysOf('demo') };
        const KEY = { value: accessKeyId };
        for (const SECRET of [
          { unknown: 'expression' },
          { secret: 'secretAccessKey', of: ['invoke'] },
          { secret: 'secretAccessKey', of: ['account'] },
          { secret: '__proto__', of: ['tab'] },
          { secret: 'SECRET', of: 'tab' },
          null,
          [],
          1
        ]) {
          const { refusal } = await tried({ KEY, SECRET });
          assert.deepEqual([refusal?.kind, refusal?.message], ['unknownVariable', 'SECRET'], JSON.stringify(SECRET));
        }
        assert.deepEqual(await requests(), []);
      });
    });

    it('with blanks around what was pasted', async () => {
      const { accessKeyId, secretAccessKey } = signIns.demo;
      const pasted = { accessKeyId: ` ${accessKeyId}\n`, secretAccessKey: `\t${secretAccessKey} ` };
      assert.deepEqual(await test(dialog({}, pasted)), demo);
    });

    describe('with a role', () => {
      const role = () => ({ endpoint: relay.url, roleArn: roles.external.arn, sessionName: '', duration: '3600' });
      const externalId = roles.external.externalId as string;

      it('and the right External ID', async () => {
        const found = await test(dialog(role(), { ...keysOf('demo'), externalId }));
        noteGiven();
        assert.deepEqual(found, {
          account: '111111111111',
          arn: 'arn:aws:sts::111111111111:assumed-role/nimbus-external/node-red-account',
          region: 'us-east-1'
        });
        assert.ok(secrets.size > 6, 'temporary keys were looked for');
      });

      it('and the External ID that is stored', async () => {
        await bench.red.deploy([account(bench, role())], { credentials: credentials('demo', { externalId }) });
        const stored = { ...keysOf('demo'), secretAccessKey: unchanged, externalId: unchanged };
        assert.equal((await test(dialog(role(), stored))).account, '111111111111');
        noteGiven();
      });

      it('and a wrong External ID, or none', async () => {
        secrets.add('wrong-external-id');
        assert.equal(await kindOf(dialog(role(), { ...keysOf('demo'), externalId: 'wrong-external-id' })), 'role');
        assert.equal(await kindOf(dialog(role())), 'role');
        noteGiven();
      });

      it('that does not exist, or with a session that is too long for it', async () => {
        const roleArn = 'arn:aws:iam::111111111111:role/nobody';
        assert.equal(await kindOf(dialog({ ...role(), roleArn })), 'role');
        const guest = { ...role(), roleArn: roles.guest.arn };
        assert.equal(await kindOf(dialog({ ...guest, duration: '7200' })), 'other');
        assert.equal((await test(dialog({ ...guest, duration: '900' }))).account, roles.guest.account);
        noteGiven();
      });

      it('and an id that is no session’s name', async () => {
        const id = `sub/flow ${'x'.repeat(100)}`;
        const { arn = '' } = await test(dialog(role(), { ...keysOf('demo'), externalId }, id));
        assert.match(arn, /\/node-red-sub-flow-x+$/);
        noteGiven();
      });

      it('but not where STS quotes what it was asked', async () => {
        relay.answer = ({ body, headers }) => ({
          status: 403,
          body: `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>sts:AssumeRole: ${body.replaceAll('&', '&amp;')}
            ${headers.authorization} ${headers['x-amz-security-token']}</Message></Error></ErrorResponse>`
        });
        const token = 'planted/token+of=the/test';
        secrets.add(token);
        const stored = { ...keysOf('demo'), sessionToken: token, externalId };
        assert.equal(await kindOf(dialog(role(), stored)), 'role');
        noteGiven();
      });
    });

    describe('of the default chain, and say where it found it:', () => {
      const chain = (properties: object = {}) => dialog({ source: 'default', ...properties }, {});

      it('environment variables', async () => {
        env.set({ AWS_ACCESS_KEY_ID: signIns.demo.accessKeyId, AWS_SECRET_ACCESS_KEY: signIns.demo.secretAccessKey });
        assert.deepEqual(await test(chain()), { ...demo, way: 'environment' });
      });

      it('shared files', async () => {
        const { accessKeyId, secretAccessKey } = signIns.demo;
        env.credentials({ default: { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } });
        assert.deepEqual(await test(chain()), { ...demo, way: 'files' });
      });

      it('a credential_process', async () => {
        const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = signIns.demo;
        const output = JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey });
        const script = env.file('gives.js', `console.log(${JSON.stringify(output)})`);
        env.config({ default: { credential_process: `"${process.execPath}" "${script}"` } });
        assert.deepEqual(await test(chain()), { ...demo, way: 'process' });
      });

      it('the region of the environment, where the dialog has none', async () => {
        env.set({ AWS_ACCESS_KEY_ID: signIns.demo.accessKeyId, AWS_SECRET_ACCESS_KEY: signIns.demo.secretAccessKey });
        env.set({ AWS_REGION: 'ap-south-1' });
        assert.equal((await test(chain({ region: '' }))).region, 'ap-south-1');
      });

      it('or nothing', async () => {
        assert.equal(await kindOf(chain()), 'noKeys');
        assert.deepEqual(await requests(), []);
      });

      it('but never take the keys of the dialog for it', async () => {
        assert.equal(await kindOf({ ...chain(), credentials: keysOf('demo') }), 'noKeys');
      });
    });

    it('of a profile, or say that there is none', async () => {
      const { accessKeyId, secretAccessKey } = signIns.demo;
      env.credentials({ garden: { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } });
      const profile = (name: unknown) => dialog({ source: 'profile', profile: name }, {});
      assert.equal((await test(profile('garden'))).arn, signIns.demo.arn);
      assert.equal(await kindOf(profile('attic')), 'noKeys');
      assert.equal(await kindOf(profile('')), 'settings');
      for (const name of ['__proto__', 'constructor', '../garden', 'toString'])
        assert.equal(await kindOf(profile(name)), 'noKeys', name);
    });

    it('of a profile whose credential_process fails, without what that wrote', async () => {
      const told = 'told-by-the-process';
      secrets.add(told);
      const script = env.file(
        'fails.js',
        'console.log(process.argv[2]); console.error(process.argv[2]); process.exit(1)'
      );
      env.config({ garden: { credential_process: `"${process.execPath}" "${script}" ${told}` } });
      assert.equal(await kindOf(dialog({ source: 'profile', profile: 'garden' }, {})), 'noKeys');
    });

    it('and tell what is wrong with keys', async () => {
      const { accessKeyId, secretAccessKey } = signIns.demo;
      const wrong = 'wrong/secret+of=the/test';
      secrets.add(wrong);
      assert.equal(await kindOf(dialog({}, { accessKeyId, secretAccessKey: wrong })), 'wrongSecret');
      assert.equal(await kindOf(dialog({}, { accessKeyId: 'AKIANOBODY', secretAccessKey })), 'unknownKeys');
      assert.equal(await kindOf(dialog({}, { accessKeyId, secretAccessKey: `${wrong} ${wrong}` })), 'settings');
      assert.equal(await kindOf(dialog({}, { accessKeyId, secretAccessKey: `${wrong}\u2028x` })), 'settings');
      assert.equal(await kindOf(dialog({}, { accessKeyId })), 'settings');
      assert.equal(await kindOf(dialog({}, {})), 'settings');
      await bench.aws.fault({ kind: 'expired' });
      assert.equal(await kindOf(dialog()), 'expired');
    });

    it('and tell what is wrong with the endpoint', async () => {
      for (const endpoint of ['nonsense', 'ftp://x', 'http://', 'http://u:p@x', 'http://256.1.1.1', 'http://x:99999']) {
        const { refusal } = await test(dialog({ endpoint }));
        assert.equal(refusal?.kind, 'settings', endpoint);
        assert.match(refusal?.message ?? '', /endpoint must be/);
      }
      assert.equal(await kindOf(dialog({ endpoint: 'http://127.0.0.1:1' })), 'unreachable');
      await bench.aws.fault({ kind: 'html' });
      assert.equal(await kindOf(dialog()), 'unreachable');
    });

    it('and quote no password of an endpoint', async () => {
      secrets.add('planted-password');
      assert.equal(await kindOf(dialog({ endpoint: 'http://user:planted-password@127.0.0.1:1' })), 'settings');
    });

    it('and tell what is wrong with the region', async () => {
      for (const region of ['not a region', 'evil.example/#', 'x@y']) {
        const { refusal } = await test(dialog({ region, endpoint: '' }));
        assert.equal(refusal?.kind, 'settings');
        assert.match(refusal?.message ?? '', /region must be/);
      }
    });

    for (const name of ['source', 'profile', 'region', 'roleArn', 'sessionName', 'duration', 'endpoint']) {
      it(`and survive anything as ${name}`, async () => {
        const role = { roleArn: roles.external.arn, sessionName: '', duration: '3600' };
        const base = { ...(name === 'profile' ? { source: 'profile' } : role) };
        for (const value of [7, -1, true, [], ['us-east-1'], {}, { toString: 1 }, { __proto__: null, valueOf: 1 }]) {
          const { refusal } = await test(dialog({ ...base, [name]: value }));
          assert.ok(refusal, inspect(value));
          assert.ok(!refusal.message.includes('    at '), 'no stack');
        }
      });
    }

    it('and leave out credentials that are no texts', async () => {
      for (const value of [7, true, null, [], {}, [signIns.demo.secretAccessKey], { toString: 1 }]) {
        const { accessKeyId } = signIns.demo;
        assert.equal(await kindOf(dialog({}, { accessKeyId, secretAccessKey: value })), 'settings');
      }
      assert.deepEqual(await requests(), []);
    });

    it('and take any body for what it is', async () => {
      for (const body of ['[]', '[1, 2]', '{}', '{"properties": [], "credentials": []}', '{"properties": null}'])
        assert.equal((await test(body)).refusal?.kind, 'noKeys', body);
      for (const body of ['null', '7', '"text"', 'true', '{']) {
        const { status } = await asked(testPath, { method: 'POST', headers: json, body });
        assert.ok(status >= 400 && status < 500, body);
      }
      assert.deepEqual(await requests(), []);
    });

    it('and are not misled by the names of what every object has', async () => {
      const { accessKeyId, secretAccessKey } = signIns.demo;
      const inner = JSON.stringify({ source: 'keys', endpoint: bench.aws.url, region: 'us-east-1' });
      const keys = JSON.stringify({ accessKeyId, secretAccessKey });
      const body = `{"id": "__proto__", "__proto__": {"properties": ${inner}, "credentials": ${keys}}}`;
      assert.equal(await kindOf(body), 'noKeys');
      const nested = `{"id": "x", "properties": {"source": "keys", "__proto__": ${inner}, "constructor": {"prototype": {"polluted": 1}}},
        "credentials": {"__proto__": ${keys}, "constructor": "${unchanged}", "toString": "${unchanged}"}}`;
      assert.equal(await kindOf(nested), 'settings');
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
      assert.equal(({} as Record<string, unknown>).source, undefined);
      assert.deepEqual(await requests(), []);
    });

    it('and answer a body of any size', async () => {
      const huge = 'x'.repeat(4_000_000);
      for (const properties of [
        { profile: huge, source: 'profile' },
        { region: huge },
        { endpoint: huge },
        { [huge]: 1 }
      ]) {
        const { status, text } = await post(dialog(properties));
        assert.equal(status, 200);
        assert.ok(text.length < 3000);
      }
      const { status } = await post(dialog({ region: huge + huge }));
      assert.ok(status >= 400 && status < 500, 'more than Node-RED takes');
    });

    it('and leave the deployed account as it is', async () => {
      await bench.red.deploy([account(bench), invokeNode(), sink('out')], { credentials: credentials() });
      const before = bench.red.node('account').clients;
      const { accessKeyId } = signIns.second;
      await test(dialog({ region: 'eu-west-1' }, { accessKeyId, secretAccessKey: unchanged }));
      await test(dialog({ region: 'eu-west-1' }, keysOf('second')));
      assert.equal(bench.red.node('account').clients, before);
      assert.deepEqual(bench.red.node('account').credentials, keysOf('demo'));
      assert.equal((await bench.red.send('invoke', { payload: {} })).error, undefined);
    });

    it('and leave no connection open, whether it works or not', async () => {
      const role = { endpoint: relay.url, roleArn: roles.demo.arn };
      assert.ok((await test(dialog({ endpoint: relay.url }))).arn);
      assert.ok((await test(dialog(role))).arn);
      assert.equal(await kindOf(dialog(role, { ...keysOf('demo'), accessKeyId: 'AKIANOBODY' })), 'unknownKeys');
      noteGiven();
      assert.equal(relay.exchanges.length, 4);
      await bench.red.until(async () => (await relay.open()) === 0, 'connections to end');
    });

    it('and write nothing to the log', async () => {
      await deploy();
      bench.red.clearLogs();
      await test(dialog());
      await test(dialog({}, { ...keysOf('demo'), accessKeyId: 'AKIANOBODY' }));
      await test(dialog({ region: '!' }));
      assert.deepEqual(
        bench.red.logs.filter(({ level }) => /fatal|error|warn|info/.test(level)),
        []
      );
    });
  });

  describe('list through an account as it stands in the dialog', () => {
    const unchanged = '__PWRD__';
    const listed = async (name: string, body: object): Promise<Body> => {
      const reply = await asked(`${choicesPath}/${name}`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify(body)
      });
      assert.equal(reply.status, 200);
      return reply.body;
    };

    it('before the first deployment, in the region of the node', async () => {
      const { choices } = await listed('topics', { draft: dialog({}, keysOf('demo'), 'new'), region: 'eu-west-1' });
      assert.deepEqual(choices, []);
      const { choices: here, region } = await listed('topics', { draft: dialog({}, keysOf('demo'), 'new') });
      assert.ok(valuesOf(here).includes('arn:aws:sns:us-east-1:111111111111:alerts'));
      assert.equal(region, 'us-east-1');
      assert.ok((await listed('functions', { draft: dialog({}, keysOf('second'), 'new') })).choices);
    });

    it('with the secret that only the runtime has, and the region of the dialog', async () => {
      await deploy();
      const { accessKeyId } = signIns.demo;
      const draft = dialog(
        { region: 'eu-west-2' },
        { accessKeyId, secretAccessKey: unchanged, sessionToken: unchanged }
      );
      assert.equal((await listed('queues', { draft })).region, 'eu-west-2');
      assert.equal((await listed('queues', { draft: { ...draft, id: 'another' } })).refusal?.kind, 'settings');
    });

    it('with one sign-in for all its pages, after which no connection is open', async () => {
      const relay = await Relay.start(bench.aws.url);
      try {
        await bench.aws.populate({ functions: 120 });
        const draft = dialog({ endpoint: relay.url, roleArn: roles.demo.arn }, keysOf('demo'), 'new');
        let after: string | undefined = '';
        let pages = 0;
        while (after !== undefined) {
          const page: Body = await listed('functions', { draft, after });
          assert.equal(page.refusal, undefined);
          after = page.next;
          pages += 1;
        }
        assert.ok(pages > 2);
        assert.equal((await requests('AssumeRole')).length, 1);
        await bench.red.until(async () => (await relay.open()) === 0, 'connections to end');
      } finally {
        await relay.stop();
      }
    });

    it('and say why there is none', async () => {
      const refusalFrom = async (draft: object) => (await listed('queues', { draft })).refusal;
      assert.equal(
        (await refusalFrom(dialog({}, { ...keysOf('demo'), accessKeyId: 'AKIANOBODY' })))?.kind,
        'unknownKeys'
      );
      assert.equal((await refusalFrom(dialog({}, keysOf('limited'))))?.action, 'sqs:ListQueues');
      assert.equal((await refusalFrom(dialog({ region: '!' })))?.kind, 'settings');
      for (const body of [{}, { draft: [] }, { draft: { id: 7, properties: 'x', credentials: { accessKeyId: {} } } }]) {
        assert.ok((await listed('queues', { ...body, region: {}, of: [], after: 7 })).refusal, JSON.stringify(body));
      }
      for (const name of ['regions', 'profiles', 'constructor']) {
        const { status } = await asked(`${choicesPath}/${name}`, { method: 'POST', headers: json, body: '{}' });
        assert.equal(status, 404, name);
      }
    });
  });

  describe('have kinds of refusal', () => {
    for (const [kind, names] of Object.entries({
      unreachable: [
        'ENOTFOUND',
        'ECONNREFUSED',
        'EAI_AGAIN',
        'EPROTO',
        'ERR_PROXY_TUNNEL',
        'ERR_SSL_WRONG_VERSION_NUMBER',
        'CERT_HAS_EXPIRED',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'HPE_INVALID_CONSTANT'
      ],
      expired: ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'],
      wrongSecret: ['SignatureDoesNotMatch', 'InvalidSignatureException'],
      other: ['ThrottlingException', 'constructor', '', 'Timeouts', 'AccessDeniedFor\nAccessDenied']
    })) {
      it(`of which ${kind} is for ${names.length} names of errors`, () => {
        for (const name of names) {
          const error = Object.assign(new Error('x'), { name, code: name, retryable: false });
          assert.equal(refusalOf(error).kind, kind, name);
        }
      });
    }
  });

  describe('have a limit of time', () => {
    const never = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });

    it('after which the work is told to end', async () => {
      let told: AbortSignal | undefined;
      const work = within(1, (signal) => {
        told = signal;
        return never(signal);
      });
      await assert.rejects(work, { name: 'Timeout' });
      assert.equal(told?.aborted, true);
    });

    it('even for work that does not listen', async () => {
      await assert.rejects(
        within(1, () => new Promise<never>(() => undefined)),
        { name: 'Timeout' }
      );
    });

    it('that ends with the work', async () => {
      let told: AbortSignal | undefined;
      const found = await within(60_000, async (signal) => {
        told = signal;
        return 'found';
      });
      assert.deepEqual([found, told?.aborted], ['found', false]);
      await assert.rejects(
        within(60_000, () => Promise.reject(new Error('no'))),
        /^Error: no$/
      );
      await assert.rejects(
        within(60_000, () => {
          throw new Error('at once');
        }),
        /^Error: at once$/
      );
    });
  });
});
