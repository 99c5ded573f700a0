import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type RequestRecord, roles, signIns } from '../../local-aws/client';
import { CallLog, Calls } from '../../nodes/account/calls';
import { Clients } from '../../nodes/account/clients';
import { signInProvider } from '../../nodes/account/sign-in';
import { looseMeter } from '../../nodes/metering/meters';
import { account, credentials, invokeNode, keysOf, letAllPass, listNode, receiveNode, useBench } from '../aws';
import type { FlowNode, LogEntry, Message, Outcome } from '../node-red';
import { sink } from '../node-red';
import { Relay, useRelay } from '../relay';
import { letPass, setClock } from '../set-clock';
import { useEnvironment } from './environment';

type Name = keyof typeof signIns;

const idOf = (name: Name): string => signIns[name].accessKeyId;

/** A sign-in as the shared files hold it. */
const section = (name: Name): Record<string, string> => ({
  aws_access_key_id: signIns[name].accessKeyId,
  aws_secret_access_key: signIns[name].secretAccessKey
});

const variables = (name: Name): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: signIns[name].accessKeyId,
  AWS_SECRET_ACCESS_KEY: signIns[name].secretAccessKey
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** In milliseconds. */
const minute = 60_000;

describe('aws-account', () => {
  const bench = useBench();
  const env = useEnvironment();
  const relay = useRelay(bench);

  const actions = (): FlowNode[] => [invokeNode(), listNode(), sink('out')];

  /** Deploys an account without keys of its own, and actions that use it. */
  const deploy = (properties: Record<string, unknown>, stored: Record<string, string> = {}): Promise<void> =>
    bench.red.deploy([account(bench, properties), ...actions()], { credentials: { account: stored } });

  const deployKeys = (properties: Record<string, unknown> = {}, stored: Record<string, string> = {}): Promise<void> =>
    deploy(properties, { ...keysOf('demo'), ...stored });

  const invoke = (msg: Message = { payload: {} }): Promise<Outcome> => bench.red.send('invoke', msg);

  const requests = async (operation?: string): Promise<RequestRecord[]> =>
    (await bench.aws.requests()).filter((each) => operation === undefined || each.operation === operation);

  const signers = async (operation = 'Invoke'): Promise<string[]> =>
    (await requests(operation)).map(({ accessKeyId }) => accessKeyId);

  const assumed = async (): Promise<Record<string, unknown>[]> =>
    (await requests('AssumeRole')).map(({ input }) => input);

  function succeeded({ error, done, sent }: Outcome): void {
    assert.ifError(error);
    assert.deepEqual([done, sent.length], [1, 1]);
  }

  /** Invokes, and says who signed. */
  async function signerOfNext(): Promise<string | undefined> {
    succeeded(await invoke());
    return (await signers()).at(-1);
  }

  /** What the account itself has logged. */
  const said = (...levels: LogEntry['level'][]): string[] =>
    bench.red.logs.filter(({ id, level }) => id === 'account' && levels.includes(level)).map(({ text }) => text);

  /** Temporary keys with a session token, got without the pack. */
  async function temporaryKeys(): Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }> {
    const client = new STSClient({ region: 'us-east-1', endpoint: bench.aws.url, credentials: keysOf('demo') });
    const { Credentials } = await client.send(
      new AssumeRoleCommand({ RoleArn: roles.demo.arn, RoleSessionName: 'from-the-test' })
    );
    client.destroy();
    return {
      accessKeyId: Credentials?.AccessKeyId as string,
      secretAccessKey: Credentials?.SecretAccessKey as string,
      sessionToken: Credentials?.SessionToken as string
    };
  }

  describe('with keys', () => {
    it('signs every request with them', async () => {
      await deployKeys();
      succeeded(await invoke());
      succeeded(await bench.red.send('list'));
      assert.deepEqual(
        (await requests()).map(({ operation, accessKeyId, sessionToken }) => [operation, accessKeyId, sessionToken]),
        [
          ['Invoke', idOf('demo'), false],
          ['ListFunctions', idOf('demo'), false]
        ]
      );
    });

    it('sends the session token of temporary ones', async () => {
      const keys = await temporaryKeys();
      await deploy({}, keys);
      succeeded(await invoke());
      const [request] = await requests('Invoke');
      assert.deepEqual([request?.accessKeyId, request?.sessionToken], [keys.accessKeyId, true]);
    });

    it('takes no others from the environment', async () => {
      env.set(variables('second'));
      await deployKeys();
      assert.equal(await signerOfNext(), idOf('demo'));
    });

    it('says what is wrong with a secret that does not match', async () => {
      await deployKeys({}, { secretAccessKey: 'not-the-secret-of-this-key' });
      const { error, sent } = await invoke();
      assert.equal(error?.name, 'InvalidSignatureException');
      assert.match(error.message, /^The secret access key is wrong, or the clock.*signature.*does not match/);
      assert.equal(error.statusCode, 403);
      assert.deepEqual(sent, []);
    });

    it('takes keys that were pasted with blanks around them', async () => {
      const { accessKeyId, secretAccessKey } = keysOf('second');
      await deployKeys({}, { accessKeyId: ` ${accessKeyId}\n`, secretAccessKey: `\t${secretAccessKey} ` });
      assert.equal(await signerOfNext(), idOf('second'));
    });

    it('says what is wrong with a key that nobody has', async () => {
      await deployKeys({}, { accessKeyId: 'AKIANOBODYHASTHISONE' });
      const { error } = await invoke();
      assert.equal(error?.name, 'UnrecognizedClientException');
      assert.match(error.message, /^AWS does not know this access key ID.*security token.*invalid/);
    });
  });

  describe('with the default chain', () => {
    it('takes the keys of the environment', async () => {
      env.set(variables('second'));
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), idOf('second'));
    });

    it('takes the session token of the environment along', async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await temporaryKeys();
      env.set({
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken
      });
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), accessKeyId);
    });

    it('leaves keys alone that are stored for another source', async () => {
      env.set(variables('second'));
      await deployKeys({ source: 'default', profile: 'nobody' });
      assert.equal(await signerOfNext(), idOf('second'));
    });

    it('takes the default profile of the shared files', async () => {
      env.credentials({ default: section('second') });
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), idOf('second'));
    });

    it('takes the profile that AWS_PROFILE names, and its region', async () => {
      env.credentials({ default: section('demo'), garden: section('second') });
      env.config({ garden: { region: 'eu-west-1' } });
      env.set({ AWS_PROFILE: 'garden' });
      await deploy({ source: 'default', region: '' });
      assert.equal(await signerOfNext(), idOf('second'));
      assert.equal((await requests('Invoke'))[0]?.region, 'eu-west-1');
    });

    it('takes the keys of a container', async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await temporaryKeys();
      const body = JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: new Date(Date.now() + 3_600_000).toISOString()
      });
      relay.answer = ({ path }) => (path === '/container' ? { body } : undefined);
      env.set({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${relay.url}/container` });
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), accessKeyId);
    });

    /** Lets the relay give the keys of an EC2 instance, which last an hour. */
    async function answerAsInstance(): Promise<string> {
      const { accessKeyId, secretAccessKey, sessionToken } = await temporaryKeys();
      const keys = {
        Code: 'Success',
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        LastUpdated: new Date().toISOString(),
        Expiration: new Date(Date.now() + 3_600_000).toISOString()
      };
      relay.answer = ({ path }) => {
        if (path === '/latest/api/token') return { body: 'the-token-of-the-metadata-service' };
        if (/security-credentials(-extended)?\/$/.test(path)) return { body: 'instance-role' };
        return path.endsWith('/instance-role') ? { body: JSON.stringify(keys) } : undefined;
      };
      env.set({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: relay.url });
      return accessKeyId;
    }

    it('takes the keys of an EC2 instance', async () => {
      const accessKeyId = await answerAsInstance();
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), accessKeyId);
    });

    it('keeps the keys of an EC2 instance for as long as they last, where the clock of this machine is hours ahead', async () => {
      const accessKeyId = await answerAsInstance();
      const asked = () => relay.exchanges.filter(({ path }) => path.endsWith('/instance-role')).length;
      setClock(2 * 3_600_000);
      await deploy({ source: 'default' });
      assert.equal(await signerOfNext(), accessKeyId);
      const before = asked();
      letPass(50 * minute);
      await bench.aws.settings({ clockAheadSeconds: 50 * 60 });
      assert.equal(await signerOfNext(), accessKeyId);
      assert.equal(asked(), before);
      letPass(6 * minute);
      await bench.aws.settings({ clockAheadSeconds: 56 * 60 });
      await invoke();
      await bench.red.until(() => asked() > before, 'the instance to be asked again');
    });

    it('exchanges a web identity token', async () => {
      const keys = await temporaryKeys();
      relay.answer = ({ body }) =>
        body.includes('Action=AssumeRoleWithWebIdentity') ? { body: webIdentityAnswer(keys) } : undefined;
      env.set({
        AWS_WEB_IDENTITY_TOKEN_FILE: env.file('token', 'the-web-identity-token'),
        AWS_ROLE_ARN: roles.demo.arn
      });
      await deploy({ source: 'default', endpoint: relay.url });
      assert.equal(await signerOfNext(), keys.accessKeyId);
      const [asked] = relay.exchanges.filter(({ body }) => body.includes('AssumeRoleWithWebIdentity'));
      assert.equal(new URLSearchParams(asked?.body).get('WebIdentityToken'), 'the-web-identity-token');
    });

    it('says that it found no keys, and uses them once they are there', async () => {
      await deploy({ source: 'default' });
      const { error } = await invoke();
      assert.equal(error?.name, 'CredentialsProviderError');
      assert.match(error.message, /No usable keys were found: check in the aws-account where they come from/);
      assert.deepEqual(await requests(), []);

      env.credentials({ default: section('demo') });
      assert.equal(await signerOfNext(), idOf('demo'));
    });
  });

  const webIdentityAnswer = (keys: { accessKeyId: string; secretAccessKey: string; sessionToken: string }): string => `
    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>${keys.accessKeyId}</AccessKeyId><SecretAccessKey>${keys.secretAccessKey}</SecretAccessKey>
        <SessionToken>${keys.sessionToken}</SessionToken>
        <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration>
      </Credentials></AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>`;

  describe('with a profile', () => {
    const garden = { source: 'profile', profile: 'garden' };

    it('takes its keys, whatever the environment has', async () => {
      env.set({ ...variables('demo'), AWS_PROFILE: 'default' });
      env.credentials({ default: section('demo'), garden: section('second') });
      await deploy(garden);
      assert.equal(await signerOfNext(), idOf('second'));
    });

    it('assumes its role with the keys of its source profile', async () => {
      env.credentials({ base: section('demo') });
      env.config({
        garden: {
          role_arn: roles.external.arn,
          source_profile: 'base',
          external_id: roles.external.externalId as string,
          role_session_name: 'gardener',
          duration_seconds: '1800'
        }
      });
      await deploy(garden);
      assert.match((await signerOfNext()) ?? '', /^ASIA/);
      assert.deepEqual(await signers('AssumeRole'), [idOf('demo')]);
      const [asked] = await assumed();
      assert.equal(asked?.RoleSessionName, 'gardener');
      assert.equal(asked?.DurationSeconds, '1800');
    });

    it('runs its credential_process', async () => {
      env.config({ garden: { credential_process: `"${process.execPath}" "${processScript('second')}"` } });
      await deploy(garden);
      assert.equal(await signerOfNext(), idOf('second'));
    });

    const ssoKeys = async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await temporaryKeys();
      const roleCredentials = { accessKeyId, secretAccessKey, sessionToken, expiration: Date.now() + 3_600_000 };
      relay.answer = ({ path }) =>
        path.startsWith('/federation/credentials') ? { body: JSON.stringify({ roleCredentials }) } : undefined;
      return accessKeyId;
    };
    const sso = { sso_account_id: '111111111111', sso_role_name: 'Gardener' };
    const portal = { sso_start_url: 'https://nimbus.awsapps.com/start', sso_region: 'eu-central-1' };
    const loggedIn = { accessToken: 'the-sso-token', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };

    it('exchanges the token of an SSO login', async () => {
      const accessKeyId = await ssoKeys();
      env.config({ garden: { ...sso, ...portal } });
      env.ssoToken(portal.sso_start_url, loggedIn);
      await deploy({ ...garden, endpoint: relay.url });
      assert.equal(await signerOfNext(), accessKeyId);
      const [asked] = relay.exchanges;
      assert.match(asked?.path ?? '', /^\/federation\/credentials\?/);
      const query = new URLSearchParams(asked?.path.split('?')[1]);
      assert.deepEqual([query.get('account_id'), query.get('role_name')], ['111111111111', 'Gardener']);
      assert.equal(asked?.headers['x-amz-sso_bearer_token'], 'the-sso-token');
    });

    it('exchanges the token of an SSO session', async () => {
      const accessKeyId = await ssoKeys();
      env.config({ garden: { ...sso, sso_session: 'nimbus' }, 'sso-session nimbus': portal });
      env.ssoToken('nimbus', loggedIn);
      await deploy({ ...garden, endpoint: relay.url });
      assert.equal(await signerOfNext(), accessKeyId);
    });

    it('says how to log in when the SSO login is over, and goes on by itself after the next one', async () => {
      const accessKeyId = await ssoKeys();
      env.config({ garden: { ...sso, ...portal } });
      env.ssoToken(portal.sso_start_url, { ...loggedIn, expiresAt: new Date(Date.now() - 1000).toISOString() });
      await deploy({ ...garden, endpoint: relay.url });
      const { error } = await invoke();
      assert.equal(error?.name, 'CredentialsProviderError');
      assert.match(error.message, /SSO session .* has expired\. .* aws sso login/);

      env.ssoToken(portal.sso_start_url, loggedIn);
      assert.equal(await signerOfNext(), accessKeyId);
    });

    it('asks the SSO portal of its own region, not of the region of the account', async () => {
      env.config({ garden: { ...sso, ...portal } });
      env.ssoToken(portal.sso_start_url, loggedIn);
      const hosts: string[] = [];
      const requestHandler = {
        metadata: { handlerProtocol: 'http/1.1' },
        handle: async ({ hostname }: { hostname: string }) => {
          hosts.push(hostname);
          throw Object.assign(new Error('the test sends nothing'), { name: 'NotSent' });
        }
      };
      const signIn = { source: 'profile', profile: 'garden' } as const;
      const provider = signInProvider(signIn, async () => ({ region: 'us-west-2', requestHandler }) as never);
      await assert.rejects(provider(), /the test sends nothing/);
      assert.deepEqual(hosts, ['portal.sso.eu-central-1.amazonaws.com']);
    });

    it('says which profile is not there, and uses it once it is', async () => {
      await deploy(garden);
      const { error } = await invoke();
      assert.equal(error?.name, 'CredentialsProviderError');
      assert.match(error.message, /garden/);

      env.credentials({ garden: section('demo') });
      assert.equal(await signerOfNext(), idOf('demo'));
    });

    it('says that its keys hold characters that cannot be sent', async () => {
      env.credentials({ garden: { ...section('demo'), aws_session_token: '“pasted”' } });
      await deploy(garden);
      const { error } = await invoke();
      assert.equal(error?.name, 'CredentialsProviderError');
      assert.match(error.message, /The keys hold blanks or other characters that no key has\./);
    });

    it('says that a credential_process failed', async () => {
      env.config({ garden: { credential_process: `"${process.execPath}" -e "process.exit(3)"` } });
      await deploy(garden);
      const { error } = await invoke();
      assert.equal(error?.name, 'CredentialsProviderError');
      assert.match(error.message, /credential_process/);
    });
  });

  /** A script that prints a sign-in's keys as a credential_process does. */
  const processScript = (name: Name): string => {
    const { accessKeyId, secretAccessKey } = signIns[name];
    const output = { Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey };
    return env.file('keys.js', `console.log(${JSON.stringify(JSON.stringify(output))})`);
  };

  describe('its region', () => {
    const regionOfNext = async (msg: Message = { payload: {} }): Promise<unknown> => {
      const outcome = await invoke(msg);
      succeeded(outcome);
      assert.equal((await requests('Invoke')).at(-1)?.region, outcome.msg.aws?.region);
      return outcome.msg.aws?.region;
    };

    beforeEach(() => {
      env.config({ default: { region: 'eu-central-1' }, garden: { region: 'eu-west-1' } });
      env.credentials({ default: section('demo'), garden: section('demo') });
    });

    it('is its own, whatever environment and profile say', async () => {
      env.set({ AWS_REGION: 'eu-west-1' });
      await deploy({ source: 'profile', profile: 'garden', region: 'eu-central-1' });
      assert.equal(await regionOfNext(), 'eu-central-1');
    });

    it('is AWS_REGION where it has none', async () => {
      env.set({ AWS_REGION: 'eu-central-1' });
      await deploy({ source: 'profile', profile: 'garden', region: '' });
      assert.equal(await regionOfNext(), 'eu-central-1');
    });

    it('is not guessed where the environment names one that cannot be', async () => {
      env.set({ AWS_REGION: 'eu_west_1' });
      await deploy({ source: 'profile', profile: 'garden', region: '' });
      const { error } = await invoke();
      assert.equal(error?.name, 'InvalidValue');
      assert.match(
        error.message,
        /^The region of the environment or of the profile must be a region name such as eu-west-1\.$/
      );
      assert.deepEqual(await requests(), []);
    });

    it('is that of its profile where AWS_REGION is not set either', async () => {
      await deploy({ source: 'profile', profile: 'garden', region: '' });
      assert.equal(await regionOfNext(), 'eu-west-1');
    });

    it('is that of the default profile with the default chain', async () => {
      await deploy({ source: 'default', region: '' });
      assert.equal(await regionOfNext(), 'eu-central-1');
    });

    it('is us-east-1 where nothing names one', async () => {
      env.config({});
      await deployKeys({ region: '' });
      assert.equal(await regionOfNext(), 'us-east-1');
    });

    it('may be one that nobody has heard of', async () => {
      await deployKeys({ region: 'mars-north-7' });
      const { error } = await invoke();
      assert.equal((await requests('Invoke'))[0]?.region, 'mars-north-7');
      assert.equal(error?.name, 'ResourceNotFoundException');
    });

    it('gives way to the region of a node', async () => {
      await bench.red.deploy([account(bench), invokeNode({ region: 'eu-west-1', regionType: 'str' }), sink('out')], {
        credentials: credentials()
      });
      assert.equal(await regionOfNext(), 'eu-west-1');
    });

    it('gives way to the region of a message, and is back for one without', async () => {
      await bench.red.deploy([account(bench), invokeNode({ region: 'place', regionType: 'msg' }), sink('out')], {
        credentials: credentials()
      });
      assert.equal(await regionOfNext({ payload: {}, place: 'eu-central-1' }), 'eu-central-1');
      assert.equal(await regionOfNext(), 'us-east-1');
    });

    it('gives way to the region of an ARN, which gives way to that of a node', async () => {
      const functionName = 'arn:aws:lambda:eu-west-1:111111111111:function:hello';
      await deployKeys();
      await bench.red.deploy([account(bench), invokeNode({ functionName }), sink('out')], {
        credentials: credentials()
      });
      assert.equal(await regionOfNext(), 'eu-west-1');

      await bench.red.deploy(
        [account(bench), invokeNode({ functionName, region: 'eu-central-1', regionType: 'str' }), sink('out')],
        { credentials: credentials() }
      );
      await invoke();
      assert.equal((await requests('Invoke')).at(-1)?.region, 'eu-central-1');
    });

    it('is refused where a message names one that makes no host name', async () => {
      await bench.red.deploy([account(bench), invokeNode({ region: 'place', regionType: 'msg' }), sink('out')], {
        credentials: credentials()
      });
      const { error } = await invoke({ payload: {}, place: 'example.com/#' });
      assert.equal(error?.name, 'InvalidValue');
      assert.match(error.message, /Region must be a region name such as eu-west-1, but is "example\.com\/#"/);
      assert.deepEqual(await requests(), []);
    });
  });

  describe('its endpoint', () => {
    it('takes the requests of every service, those for temporary credentials too', async () => {
      await deployKeys({ endpoint: relay.url, roleArn: roles.demo.arn, validate: true });
      succeeded(await invoke());
      await bench.red.until(() => said('info').length > 0);
      const hosts = new Set(relay.exchanges.map(({ headers }) => headers.host));
      assert.deepEqual([...hosts], [new URL(relay.url).host]);
      const seen = (await requests()).map(({ operation }) => operation);
      assert.deepEqual(seen.toSorted(), ['AssumeRole', 'GetCallerIdentity', 'Invoke']);
      assert.equal(relay.exchanges.length, 3);
    });

    it('may have a path', async () => {
      relay.answer = ({ path }) => (path.startsWith('/behind/a/gateway/') ? { body: '{"reached":true}' } : undefined);
      await deployKeys({ endpoint: `${relay.url}/behind/a/gateway` });
      assert.deepEqual((await invoke()).msg.payload, { reached: true });
    });

    it('is named in the advice when nothing answers there', async () => {
      const closed = await Relay.start(bench.aws.url);
      const { url } = closed;
      await closed.stop();
      await deployKeys({ endpoint: url });
      const { error } = await invoke();
      assert.equal(error?.name, 'ECONNREFUSED');
      assert.match(error.message, /check the endpoint/);
      assert.equal(error.retryable, true);
    });
  });

  describe('with a role', () => {
    const role = { roleArn: roles.demo.arn };

    it('assumes it with its keys', async () => {
      await deployKeys(role);
      const signer = await signerOfNext();
      assert.match(signer ?? '', /^ASIA/);
      assert.deepEqual(await signers('AssumeRole'), [idOf('demo')]);
      assert.equal((await requests('Invoke'))[0]?.sessionToken, true);
    });

    it('assumes it with the keys of a profile', async () => {
      env.credentials({ garden: section('demo') });
      await deploy({ ...role, source: 'profile', profile: 'garden' });
      assert.match((await signerOfNext()) ?? '', /^ASIA/);
      assert.deepEqual(await signers('AssumeRole'), [idOf('demo')]);
    });

    it('assumes it with the keys of the default chain', async () => {
      env.set(variables('demo'));
      await deploy({ ...role, source: 'default' });
      assert.match((await signerOfNext()) ?? '', /^ASIA/);
      assert.deepEqual(await signers('AssumeRole'), [idOf('demo')]);
    });

    it('assumes it on top of the role of a profile', async () => {
      env.credentials({ base: section('demo') });
      env.config({ garden: { role_arn: roles.demo.arn, source_profile: 'base' } });
      await deploy({ ...role, source: 'profile', profile: 'garden' });
      const signer = await signerOfNext();
      const [first, second] = await signers('AssumeRole');
      assert.equal(first, idOf('demo'));
      assert.match(second ?? '', /^ASIA/);
      assert.notEqual(signer, second);
    });

    it('may be a role of another AWS account', async () => {
      await deployKeys({ roleArn: roles.guest.arn, validate: true });
      await bench.red.until(() => said('info').length > 0);
      assert.match(said('info')[0] ?? '', /222222222222 .*assumed-role\/nimbus-guest\/node-red-account/);
    });

    it('takes a session name that the service accepts from any id', async () => {
      const id = `an id with blanks ${'x'.repeat(70)}`;
      const role = { ...account(bench, { roleArn: roles.demo.arn }), id };
      await bench.red.deploy([role, invokeNode({ account: id }), sink('out')], {
        credentials: { [id]: keysOf('demo') }
      });
      succeeded(await invoke());
      assert.equal((await assumed())[0]?.RoleSessionName, `node-red-${id}`.replaceAll(' ', '-').slice(0, 64));
    });

    it('sends the session name node-red-<id> and an hour where nothing else is said, and no External ID', async () => {
      await deployKeys(role);
      succeeded(await invoke());
      const [asked = {}] = await assumed();
      const { RoleArn, RoleSessionName, DurationSeconds, ExternalId } = asked;
      assert.deepEqual(
        [RoleArn, RoleSessionName, DurationSeconds, ExternalId],
        [roles.demo.arn, 'node-red-account', '3600', undefined]
      );
    });

    it('sends its own session name and duration', async () => {
      await deployKeys({ ...role, sessionName: 'green=house@home', duration: 43_200 });
      succeeded(await invoke());
      const [asked = {}] = await assumed();
      assert.deepEqual([asked.RoleSessionName, asked.DurationSeconds], ['green=house@home', '43200']);
    });

    it('takes a duration that is stored as text', async () => {
      await deployKeys({ ...role, duration: '900' });
      succeeded(await invoke());
      assert.equal((await assumed())[0]?.DurationSeconds, '900');
    });

    it('sends the External ID that the role demands', async () => {
      await deployKeys({ roleArn: roles.external.arn }, { externalId: roles.external.externalId as string });
      assert.match((await signerOfNext()) ?? '', /^ASIA/);
      assert.equal((await assumed())[0]?.ExternalId, roles.external.externalId);
    });

    for (const [what, externalId] of [
      ['wrong', 'not-the-external-id'],
      ['missing', '']
    ] as const) {
      it(`says that it may not assume it when the External ID is ${what}`, async () => {
        await deployKeys({ roleArn: roles.external.arn }, { externalId });
        const { error, sent } = await invoke();
        assert.equal(error?.name, 'AccessDenied');
        assert.match(error.message, /user\/demo is not authorized to perform: sts:AssumeRole on resource: .*external/);
        assert.deepEqual([error.service, error.operation, error.statusCode, sent.length], ['lambda', 'Invoke', 403, 0]);
        assert.deepEqual(await requests('Invoke'), []);
      });
    }

    it('says that the session may not be as long as asked for', async () => {
      await deployKeys({ roleArn: roles.guest.arn, duration: 7200 });
      const { error } = await invoke();
      assert.equal(error?.name, 'ValidationError');
      assert.match(error.message, /exceeds the MaxSessionDuration set for this role/);
    });

    it('ignores the External ID, session name and duration that are left from an earlier role', async () => {
      await deployKeys({ roleArn: '', sessionName: '?', duration: 1 }, { externalId: '?' });
      assert.equal(await signerOfNext(), idOf('demo'));
      assert.deepEqual(said('error'), []);
    });
  });

  describe('its temporary credentials', () => {
    const role = { roleArn: roles.demo.arn };
    /** Of the hour that they last, so that they are to be renewed. */
    const nearlyOver = 56 * minute;

    /** Gives messages to both actions, all at once. */
    const inParallel = async (count: number): Promise<Outcome[]> => {
      const msgs = (): Message[] => Array.from({ length: count / 2 }, () => ({ payload: {} }));
      const all = [bench.red.sendMany('invoke', msgs()), bench.red.sendMany('list', msgs())];
      return (await Promise.all(all)).flat();
    };

    /** Keeps both actions busy until STS, behind the relay, has granted the role `times` times. */
    async function workUntilAssumed(times: number): Promise<void> {
      const granted = (): number =>
        relay.exchanges.filter(({ answer = '' }) => answer.includes('AssumeRoleResult')).length;
      while (granted() < times) for (const outcome of await inParallel(4)) succeeded(outcome);
    }

    it('come from one AssumeRole for all nodes, services and messages', async () => {
      await deployKeys({ ...role, validate: true });
      for (const outcome of await inParallel(50)) succeeded(outcome);
      await bench.red.until(() => said('info').length > 0);
      assert.equal((await assumed()).length, 1);
      const actions = (await requests()).filter(({ operation }) => operation !== 'AssumeRole');
      assert.equal(actions.length, 51);
      assert.equal(new Set(actions.map(({ accessKeyId }) => accessKeyId)).size, 1);
    });

    it('come from one AssumeRole for all regions', async () => {
      await bench.red.deploy(
        [account(bench, role), invokeNode({ region: 'topic', regionType: 'msg' }), listNode(), sink('out')],
        { credentials: credentials() }
      );
      const regions = ['us-east-1', 'eu-west-1', 'eu-central-1'];
      const outcomes = await bench.red.sendMany(
        'invoke',
        regions.map((topic) => ({ payload: {}, topic }))
      );
      for (const outcome of outcomes) succeeded(outcome);
      assert.deepEqual((await requests('Invoke')).map(({ region }) => region).toSorted(), regions.toSorted());
      assert.equal((await assumed()).length, 1);
    });

    it('come from one question to a profile as well', async () => {
      env.credentials({ base: section('demo') });
      env.config({ garden: { role_arn: roles.demo.arn, source_profile: 'base' } });
      await deploy({ source: 'profile', profile: 'garden' });
      for (const outcome of await inParallel(50)) succeeded(outcome);
      assert.equal((await assumed()).length, 1);
    });

    it('are renewed before they expire, while messages go on with the old ones', async () => {
      await deployKeys({ ...role, endpoint: relay.url });
      const first = await signerOfNext();
      await bench.aws.fault({ kind: 'delay', operation: 'AssumeRole', delayMs: 200 });
      for (const times of [2, 3]) {
        await letAllPass(bench, nearlyOver);
        await workUntilAssumed(times);
      }
      succeeded(await invoke());
      assert.deepEqual(
        (await requests()).filter(({ status }) => status !== 200),
        []
      );
      assert.equal(new Set(await signers()).size, 3);
      const renewal = (await requests('AssumeRole'))[1]?.time ?? Infinity;
      const meanwhile = (await requests('Invoke')).filter(
        ({ accessKeyId, time }) => accessKeyId === first && time > renewal
      );
      assert.notEqual(meanwhile.length, 0);
    });

    it('serve on when their renewal fails, and are renewed by a later message', async () => {
      await deployKeys({ ...role, endpoint: relay.url });
      succeeded(await invoke());
      await bench.aws.fault({ kind: 'expired', operation: 'AssumeRole', times: 2 });
      await letAllPass(bench, nearlyOver);
      await workUntilAssumed(2);
      assert.deepEqual(
        (await requests()).filter(({ status }) => status !== 200).map(({ operation }) => operation),
        ['AssumeRole', 'AssumeRole']
      );
    });

    it('are asked for anew by the first message after a failure', async () => {
      await bench.aws.fault({ kind: 'expired', operation: 'AssumeRole', times: 1 });
      await deployKeys(role);
      assert.equal((await invoke()).error?.name, 'ExpiredToken');
      succeeded(await invoke());
      assert.equal((await assumed()).length, 2);
    });

    it('are fetched anew by the next message when a service says that they have expired', async () => {
      await deployKeys(role);
      const before = await signerOfNext();
      await bench.aws.fault({ kind: 'expired', operation: 'Invoke', times: 1 });
      const { error } = await invoke();
      assert.equal(error?.name, 'ExpiredTokenException');
      assert.match(error.message, /no longer valid: sign in again, or renew the session token.*expired/);
      assert.notEqual(await signerOfNext(), before);
      assert.equal((await assumed()).length, 2);
    });

    it('are fetched anew once, however many requests were refused, and however late', async () => {
      await deployKeys({ ...role, endpoint: relay.url });
      succeeded(await invoke());
      const refusal = { status: 403, errorType: 'ExpiredTokenException', body: '{"message":"expired"}' };
      let refuseLate = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        refuseLate = resolve;
      });
      relay.answer = async ({ body }) => {
        if (body === '{"refuse":"late"}') await late;
        return body.includes('refuse') ? refusal : undefined;
      };
      const slow = await bench.red.begin('invoke', { payload: { refuse: 'late' } });
      const refused = await bench.red.sendMany(
        'invoke',
        Array.from({ length: 20 }, () => ({ payload: { refuse: 'now' } }))
      );
      const renewed = await signerOfNext();
      refuseLate();
      await bench.red.until(() => slow.done > 0);
      assert.deepEqual([...new Set([slow, ...refused].map(({ error }) => error?.name))], ['ExpiredTokenException']);
      assert.equal(await signerOfNext(), renewed);
      assert.equal((await assumed()).length, 2);
    });

    it('are fetched anew where those of a file had expired without saying when', async () => {
      await bench.aws.settings({ temporaryCredentialsSeconds: 4 });
      const { accessKeyId, secretAccessKey, sessionToken } = await temporaryKeys();
      env.credentials({
        garden: {
          aws_access_key_id: accessKeyId,
          aws_secret_access_key: secretAccessKey,
          aws_session_token: sessionToken
        }
      });
      await deploy({ source: 'profile', profile: 'garden' });
      assert.equal(await signerOfNext(), accessKeyId);
      await bench.red.until(async () => (await invoke()).error?.name === 'ExpiredTokenException');

      env.credentials({ garden: section('demo') });
      assert.equal(await signerOfNext(), idOf('demo'));
    });
  });

  describe('keys that were replaced at their source', () => {
    const wrong = { ...section('demo'), aws_secret_access_key: 'the-secret-of-yesterday' };
    const gone = { ...section('demo'), aws_access_key_id: 'AKIAOFYESTERDAY00000' };

    for (const [what, before, refusal] of [
      ['key id', gone, 'UnrecognizedClientException'],
      ['secret', wrong, 'InvalidSignatureException']
    ] as const) {
      it(`are used after the service has refused the old ${what} of a profile`, async () => {
        env.credentials({ garden: before });
        await deploy({ source: 'profile', profile: 'garden' });
        assert.equal((await invoke()).error?.name, refusal);
        env.credentials({ garden: section('demo') });
        assert.equal(await signerOfNext(), idOf('demo'));
      });

      it(`are used after the service has refused the old ${what} of the default profile`, async () => {
        env.credentials({ default: before });
        await deploy({ source: 'default' });
        assert.equal((await invoke()).error?.name, refusal);
        env.credentials({ default: section('demo') });
        assert.equal(await signerOfNext(), idOf('demo'));
      });

      it(`are used after STS has refused to assume a role with the old ${what}`, async () => {
        env.credentials({ garden: before });
        await deploy({ source: 'profile', profile: 'garden', roleArn: roles.demo.arn });
        const { error } = await invoke();
        assert.match(error?.name ?? '', /^(InvalidClientTokenId|SignatureDoesNotMatch)$/);
        env.credentials({ garden: section('demo') });
        succeeded(await invoke());
        assert.deepEqual((await signers('AssumeRole')).at(-1), idOf('demo'));
      });
    }

    it('are used for the next renewal of a role', async () => {
      env.credentials({ garden: section('demo') });
      await deploy({ source: 'profile', profile: 'garden', roleArn: roles.external.arn }, external());
      succeeded(await invoke());
      env.credentials({ garden: section('second') });
      await letAllPass(bench, 56 * minute);
      await bench.red.until(async () => {
        succeeded(await invoke());
        return (await signers('AssumeRole')).length > 1;
      });
      assert.deepEqual((await signers('AssumeRole')).slice(0, 2), [idOf('demo'), idOf('second')]);
    });
  });

  const external = (): Record<string, string> => ({ externalId: roles.external.externalId as string });

  describe('two of them', () => {
    const second = { id: 'other' };
    const both = { account: keysOf('demo'), other: keysOf('second') };

    /** Two accounts, each with an action of its own. */
    const deployTwo = (one: Record<string, unknown> = {}, other: Record<string, unknown> = {}): Promise<void> =>
      bench.red.deploy(
        [
          account(bench, one),
          account(bench, { ...second, ...other }),
          invokeNode(),
          invokeNode({ id: 'invoke-2', account: 'other' }),
          sink('out')
        ],
        { credentials: both }
      );

    /** The payload says through which account a message went. */
    async function sendThroughBoth(count: number): Promise<Map<unknown, Set<string>>> {
      const msgs = (through: string): Message[] => Array.from({ length: count }, () => ({ payload: { through } }));
      const outcomes = await Promise.all([
        bench.red.sendMany('invoke', msgs('one')),
        bench.red.sendMany('invoke-2', msgs('other'))
      ]);
      for (const outcome of outcomes.flat()) succeeded(outcome);
      const runs = await bench.aws.invocations();
      const signerOf = new Map((await requests('Invoke')).map((each) => [each.requestId, each.accessKeyId]));
      const seen = new Map<unknown, Set<string>>();
      for (const { event, requestId } of runs) {
        const { through } = event as { through: string };
        seen.set(through, (seen.get(through) ?? new Set()).add(signerOf.get(requestId) as string));
      }
      return seen;
    }

    it('never see each other’s keys, however many messages pass through both', async () => {
      await deployTwo();
      assert.deepEqual(
        await sendThroughBoth(50),
        new Map([
          ['one', new Set([idOf('demo')])],
          ['other', new Set([idOf('second')])]
        ])
      );
    });

    it('never see each other’s temporary credentials, though they assume the same role', async () => {
      const role = { roleArn: roles.external.arn, sessionName: 'shared' };
      await bench.red.deploy(
        [
          account(bench, role),
          account(bench, { ...second, ...role }),
          invokeNode(),
          invokeNode({ id: 'invoke-2', account: 'other' }),
          sink('out')
        ],
        {
          credentials: {
            account: { ...keysOf('demo'), ...external() },
            other: { ...keysOf('second'), ...external() }
          }
        }
      );
      const seen = await sendThroughBoth(50);
      const [one, other] = [[...(seen.get('one') ?? [])], [...(seen.get('other') ?? [])]];
      assert.deepEqual([one.length, other.length], [1, 1]);
      assert.notEqual(one[0], other[0]);
      assert.deepEqual((await signers('AssumeRole')).toSorted(), [idOf('demo'), idOf('second')].toSorted());
    });

    it('may read one profile each of the same file', async () => {
      env.credentials({ garden: section('demo'), house: section('second') });
      await deployTwo({ source: 'profile', profile: 'garden' }, { source: 'profile', profile: 'house' });
      assert.deepEqual(
        await sendThroughBoth(20),
        new Map([
          ['one', new Set([idOf('demo')])],
          ['other', new Set([idOf('second')])]
        ])
      );
    });

    it('do not hurt each other when one of them cannot sign in', async () => {
      await deployTwo({ source: 'profile', profile: 'nobody' });
      const [broken, working] = await Promise.all([invoke(), bench.red.send('invoke-2', { payload: {} })]);
      assert.equal(broken.error?.name, 'CredentialsProviderError');
      succeeded(working);
    });
  });

  describe('validate', () => {
    const signedIn = /^signed in to account 111111111111 as arn:aws:iam::111111111111:user\/demo, region us-east-1$/;

    it('says in the log who it is, and warns of nothing', async () => {
      await deployKeys({ validate: true });
      await bench.red.until(() => said('info').length > 0);
      assert.match(said('info').join(), signedIn);
      assert.deepEqual(said('warn', 'error'), []);
      assert.equal((await requests('GetCallerIdentity')).length, 1);
    });

    it('is on where the flow does not say', async () => {
      await deployKeys({ validate: undefined });
      await bench.red.until(() => said('info').length > 0);
      assert.match(said('info').join(), signedIn);
    });

    it('is done where it is stored as text', async () => {
      await deployKeys({ validate: 'false' });
      succeeded(await invoke());
      assert.deepEqual(await requests('GetCallerIdentity'), []);
    });

    it('works for one that is allowed nothing else', async () => {
      await deploy({ validate: true }, keysOf('limited'));
      await bench.red.until(() => said('info').length > 0);
      assert.match(said('info').join(), /user\/limited/);
    });

    it('warns once when the keys are wrong, and the runtime goes on', async () => {
      await deploy({ validate: true }, { ...keysOf('demo'), secretAccessKey: 'not-the-secret-of-this-key' });
      await bench.red.until(() => said('warn').length > 0);
      assert.equal((await invoke()).error?.name, 'InvalidSignatureException');
      assert.equal(said('warn').length, 1);
      assert.match(said('warn')[0] ?? '', /^Sign-in failed: SignatureDoesNotMatch: .*secret access key/);
      assert.deepEqual(said('error', 'info'), []);
    });

    it('warns once when there are no keys, or the role may not be assumed', async () => {
      await deploy({ validate: true, source: 'profile', profile: 'nobody' });
      await bench.red.until(() => said('warn').length > 0);
      assert.match(said('warn').join(), /^Sign-in failed: CredentialsProviderError: .*nobody/);

      bench.red.clearLogs();
      await deployKeys({ validate: true, roleArn: roles.external.arn });
      await bench.red.until(() => said('warn').length > 0);
      assert.match(said('warn').join(), /^Sign-in failed: AccessDenied: .*sts:AssumeRole/);
    });

    it('warns once when nothing answers, and the account works as soon as something does', async () => {
      await bench.aws.fault({ kind: 'html', operation: 'GetCallerIdentity', status: 403 });
      await deployKeys({ validate: true });
      await bench.red.until(() => said('warn').length > 0);
      assert.match(said('warn').join(), /^Sign-in failed: UnknownError: The answer \(HTTP 403\)/);
      assert.equal(await signerOfNext(), idOf('demo'));
    });

    it('asks nothing and says nothing when it is off', async () => {
      await deployKeys({ validate: false });
      succeeded(await invoke());
      assert.deepEqual(
        (await requests()).map(({ operation }) => operation),
        ['Invoke']
      );
      assert.deepEqual(said('info', 'warn', 'error'), []);
    });

    it('says nothing of an account that was closed before the answer came', async () => {
      await bench.aws.fault({ kind: 'hang', operation: 'GetCallerIdentity' });
      await deployKeys({ validate: true, endpoint: relay.url });
      await bench.aws.until({ operation: 'GetCallerIdentity', requests: 1 });
      await bench.red.deploy([]);
      await bench.red.until(async () => (await relay.open()) === 0, 'the connections to be closed');
      assert.deepEqual(said('info', 'warn', 'error'), []);
    });
  });

  describe('a property of it', () => {
    const garden = { source: 'profile', profile: 'garden' };

    it('may be a variable, whole or in part', async () => {
      env.set({
        PLACE: 'eu-west-1',
        PORT: new URL(bench.aws.url).port,
        ROLE: roles.external.arn,
        HOUSE: 'green',
        SECONDS: '1800'
      });
      await deployKeys(
        {
          region: '${PLACE}',
          endpoint: 'http://127.0.0.1:${PORT}',
          roleArn: '${ROLE}',
          sessionName: 'the-${HOUSE}-house',
          duration: '${SECONDS}'
        },
        external()
      );
      const outcome = await invoke();
      succeeded(outcome);
      assert.equal(outcome.msg.aws?.region, 'eu-west-1');
      const [{ RoleArn, RoleSessionName, DurationSeconds } = {}] = await assumed();
      assert.deepEqual([RoleArn, RoleSessionName, DurationSeconds], [roles.external.arn, 'the-green-house', '1800']);
    });

    it('may be a variable in part where it was one as a whole, and the other way round', async () => {
      env.set({ REST: 'west-1', URL: bench.aws.url, NUMBER: '111111111111', SESSION: 'from-a-variable' });
      await deployKeys({
        region: 'eu-${REST}',
        endpoint: '${URL}',
        roleArn: 'arn:aws:iam::${NUMBER}:role/nimbus-demo',
        sessionName: '${SESSION}'
      });
      succeeded(await invoke());
      assert.deepEqual(
        (await requests()).map(({ operation, region }) => [operation, region]),
        [
          ['AssumeRole', 'eu-west-1'],
          ['Invoke', 'eu-west-1']
        ]
      );
      assert.equal((await assumed())[0]?.RoleSessionName, 'from-a-variable');
    });

    for (const [how, source, profile] of [
      ['as a whole', '${SOURCE}', '${PROFILE}'],
      ['in part', 'profile', 'gar${DEN}']
    ] as const) {
      it(`that names the profile may be a variable ${how}`, async () => {
        env.set({ SOURCE: 'profile', PROFILE: 'garden', DEN: 'den' });
        env.credentials({ garden: section('second') });
        await deploy({ source, profile });
        assert.equal(await signerOfNext(), idOf('second'));
      });
    }

    it('that is a credential may be a variable, whole or in part', async () => {
      const { accessKeyId, secretAccessKey } = signIns.demo;
      env.set({
        KEY: accessKeyId,
        FIRST: secretAccessKey.slice(0, 10),
        LAST: secretAccessKey.slice(10),
        EXTERNAL: 'nimbus-external'
      });
      await deploy(
        { roleArn: roles.external.arn },
        { accessKeyId: '${KEY}', secretAccessKey: '${FIRST}${LAST}', externalId: '${EXTERNAL}-id' }
      );
      assert.match((await signerOfNext()) ?? '', /^ASIA/);
      assert.deepEqual(await signers('AssumeRole'), [accessKeyId]);
    });

    it('that is a session token may be a variable', async () => {
      const { sessionToken, ...keys } = await temporaryKeys();
      env.set({ TOKEN: sessionToken });
      await deploy({}, { ...keys, sessionToken: '${TOKEN}' });
      assert.equal(await signerOfNext(), keys.accessKeyId);
    });

    it('may be a variable that holds a number or a boolean, which counts as its text', async () => {
      const variable = (name: string, type: string, value: string) => ({ name, type, value });
      const variables = [
        variable('EXTERNAL', 'num', '12345'),
        variable('SESSION', 'bool', 'true'),
        variable('SECONDS', 'num', '1800'),
        variable('PROFILE', 'num', '2026'),
        variable('QUEUE', 'num', '77'),
        variable('FUNCTION', 'num', '88'),
        variable('VALIDATE', 'bool', 'false')
      ];
      env.credentials({ 2026: section('demo') });
      await bench.red.deploy(
        [
          { id: 'variables', type: 'global-config', name: '', env: variables },
          account(bench, {
            source: 'profile',
            profile: '${PROFILE}',
            roleArn: roles.demo.arn,
            sessionName: '${SESSION}',
            duration: '${SECONDS}',
            validate: '${VALIDATE}',
            endpoint: relay.url
          }),
          invokeNode({ functionName: '${FUNCTION}' }),
          receiveNode({ queue: '${QUEUE}' }),
          sink('out')
        ],
        { credentials: { account: { externalId: '${EXTERNAL}' } } }
      );
      assert.equal((await invoke()).error?.name, 'ResourceNotFoundException');
      const [{ RoleSessionName, DurationSeconds, ExternalId } = {}] = await assumed();
      assert.deepEqual([RoleSessionName, DurationSeconds, ExternalId], ['true', '1800', '12345']);
      assert.ok(relay.exchanges.some(({ path }) => path.includes('/functions/88/')));
      await bench.red.until(() => relay.exchanges.some(({ body }) => body.includes('"QueueName":"77"')));
      assert.deepEqual(said('error'), []);
    });

    for (const value of ['{}', '[1]', 'null']) {
      it(`is refused where its variable holds ${value}`, async () => {
        await bench.red.deploy(
          [
            {
              id: 'variables',
              type: 'global-config',
              name: '',
              env: [{ name: 'EXTERNAL', type: 'json', value }]
            },
            account(bench, { roleArn: roles.demo.arn }),
            ...actions()
          ],
          { credentials: { account: { ...keysOf('demo'), externalId: '${EXTERNAL}' } } }
        );
        const { error } = await invoke();
        assert.notEqual(error?.name, 'TypeError');
        assert.doesNotMatch(bench.red.logs.map(({ text }) => text).join('\n'), /TypeError|is not a function/);
      });
    }

    it('is looked up anew with each deploy', async () => {
      env.set({ WHO: 'garden' });
      env.credentials({ garden: section('demo'), house: section('second') });
      await deploy({ ...garden, profile: '${WHO}' });
      assert.equal(await signerOfNext(), idOf('demo'));
      env.set({ WHO: 'house' });
      await deploy({ ...garden, profile: '${WHO}' });
      assert.equal(await signerOfNext(), idOf('second'));
    });
  });

  describe('that cannot work', () => {
    const role = { roleArn: roles.demo.arn };
    const { accessKeyId, secretAccessKey } = signIns.demo;

    const cases: [what: string, properties: Record<string, unknown>, error: RegExp, stored?: Record<string, string>][] =
      [
        [
          'keys without the key id',
          {},
          /^MissingValue: Access key ID \(accessKeyId\) is required/,
          { accessKeyId: '' }
        ],
        [
          'keys without the secret',
          {},
          /^MissingValue: Secret access key \(secretAccessKey\) is required/,
          { secretAccessKey: '' }
        ],
        [
          'keys of a variable that is not set',
          {},
          /^MissingValue: Access key ID \(accessKeyId\) is required/,
          { accessKeyId: '${NOT_SET}' }
        ],
        [
          'a secret with a line break',
          {},
          /^InvalidValue: Secret access key \(secretAccessKey\) must be text without blanks/,
          { secretAccessKey: `${secretAccessKey.slice(0, 9)}\n${secretAccessKey.slice(9)}` }
        ],
        ...['http://256.256.256.256', 'http://1.2.3.4.5:80', 'http://[::::]'].map(
          (endpoint): [string, Record<string, unknown>, RegExp] => [
            `the endpoint ${endpoint}`,
            { endpoint },
            /^InvalidValue: Endpoint must be a URL such as/
          ]
        ),
        [
          'a password in its endpoint, which is not told',
          { endpoint: 'http://ada:hunter2@localhost:4566' },
          /^InvalidValue: Endpoint must be a URL such as (?!.*hunter2)/
        ],
        [
          'a key id with a blank',
          {},
          /^InvalidValue: Access key ID \(accessKeyId\) must be text without blanks/,
          { accessKeyId: accessKeyId.replace('LOCAL', ' ') }
        ],
        [
          'a session token with a blank',
          {},
          /^InvalidValue: Session token \(sessionToken\) must be text without blanks/,
          { sessionToken: 'a b' }
        ],
        [
          'a source that does not exist',
          { source: 'vault' },
          /^InvalidValue: Sign in with \(source\) must be one of default, keys, profile, certificate, but is "vault"/
        ],
        ['a profile without a name', { source: 'profile' }, /^MissingValue: Profile is required/],
        [
          'a role that is no ARN',
          { roleArn: 'nimbus-demo' },
          /^InvalidValue: Role to assume \(roleArn\) must be the ARN of a role.*"nimbus-demo"/
        ],
        [
          'the ARN of a user as role',
          { roleArn: 'arn:aws:iam::111111111111:user/demo' },
          /^InvalidValue: Role to assume \(roleArn\) must be/
        ],
        [
          'a role without an account number',
          { roleArn: 'arn:aws:iam::1:role/demo' },
          /^InvalidValue: Role to assume \(roleArn\) must be/
        ],
        [
          'an External ID of one character',
          role,
          /^InvalidValue: External ID \(externalId\) must be 2 to 1224/,
          { externalId: 'x' }
        ],
        [
          'an External ID with a blank',
          role,
          /^InvalidValue: External ID \(externalId\) must be/,
          { externalId: 'two words' }
        ],
        [
          'an External ID that is too long',
          role,
          /^InvalidValue: External ID \(externalId\) must be/,
          { externalId: 'x'.repeat(1225) }
        ],
        [
          'a session name of one character',
          { ...role, sessionName: 'x' },
          /^InvalidValue: Session name \(sessionName\) must be 2 to 64 .*"x"/
        ],
        [
          'a session name with a slash',
          { ...role, sessionName: 'a/b' },
          /^InvalidValue: Session name \(sessionName\) must be/
        ],
        [
          'a session name that is too long',
          { ...role, sessionName: 'x'.repeat(65) },
          /^InvalidValue: Session name \(sessionName\) must be/
        ],
        [
          'a duration that is too short',
          { ...role, duration: 899 },
          /^InvalidValue: Duration must be a whole number from 900 to 43200, but is 899/
        ],
        ['a duration that is too long', { ...role, duration: '43201' }, /^InvalidValue: Duration must be .* "43201"/],
        ['a duration that is no whole number', { ...role, duration: 1000.5 }, /^InvalidValue: Duration must be/],
        [
          'a duration that is no number',
          { ...role, duration: 'an hour' },
          /^InvalidValue: Duration must be .* "an hour"/
        ],
        ['a duration that is left blank', { ...role, duration: '' }, /^(MissingValue|InvalidValue): Duration/],
        [
          'an endpoint without http',
          { endpoint: 'localhost:4566' },
          /^InvalidValue: Endpoint must be a URL.*"localhost:4566"/
        ],
        ['an endpoint of another protocol', { endpoint: 'ftp://localhost' }, /^InvalidValue: Endpoint must be a URL/],
        ['an endpoint with a query', { endpoint: 'http://localhost/?a=b' }, /^InvalidValue: Endpoint must be a URL/],
        [
          'an endpoint with a port that is none',
          { endpoint: 'http://localhost:99999' },
          /^InvalidValue: Endpoint must be a URL/
        ],
        ['an endpoint with a blank', { endpoint: 'http://local host' }, /^InvalidValue: Endpoint must be a URL/],
        [
          'a region with a dot',
          { region: 'us.east.1' },
          /^InvalidValue: Region must be a region name such as eu-west-1, but is "us\.east\.1"/
        ],
        ['a region with a slash', { region: 'evil.example/' }, /^InvalidValue: Region must be/],
        [
          'a Rekognition rate below nothing',
          { rekognitionRate: -1 },
          /^InvalidValue: Rekognition rate \(rekognitionRate\) must be/
        ],
        [
          'a choice that is neither true nor false',
          { validate: 'perhaps' },
          /^InvalidValue: Check the sign-in at start \(validate\) must be true or false/
        ]
      ];

    for (const [what, properties, expected, stored = {}] of cases) {
      it(`says so once at the start, and to every message: ${what}`, async () => {
        await bench.red.deploy([account(bench, { validate: true, ...properties }), ...actions()], {
          credentials: { account: { ...keysOf('demo'), ...stored } }
        });
        assert.equal(said('error').length, 1);
        assert.match(said('error')[0] ?? '', expected);

        const name = said('error')[0]?.split(':')[0];
        for (const { error, done, sent } of [await invoke(), await bench.red.send('list')]) {
          assert.equal(error?.name, name);
          assert.match(error?.message ?? '', /^The aws-account: \w+ /);
          assert.deepEqual([error?.service, done, sent.length], ['lambda', 1, 0]);
        }
        assert.deepEqual(await requests(), []);
        assert.deepEqual([said('error').length, said('warn', 'info').length], [1, 0]);
      });
    }

    it('does not quote the keys in what it says', async () => {
      await deployKeys({}, { secretAccessKey: 'a secret with blanks', accessKeyId: 'a key with blanks' });
      const { error } = await invoke();
      const texts = [...bench.red.logs.map(({ text }) => text), String(error), error?.stack ?? ''].join('\n');
      assert.doesNotMatch(texts, /with blanks/);
    });

    it('works once it was put right', async () => {
      await deployKeys({ source: 'profile' });
      assert.equal((await invoke()).error?.name, 'MissingValue');
      await deployKeys();
      succeeded(await invoke());
    });

    it('leaves other accounts alone', async () => {
      await bench.red.deploy(
        [
          account(bench, { region: '?' }),
          account(bench, { id: 'other' }),
          invokeNode({ account: 'other' }),
          sink('out')
        ],
        { credentials: { account: keysOf('demo'), other: keysOf('second') } }
      );
      assert.equal(await signerOfNext(), idOf('second'));
    });
  });

  describe('that is changed', () => {
    const flow = (properties: Record<string, unknown> = {}): FlowNode[] => [
      account(bench, { endpoint: relay.url, ...properties }),
      ...actions()
    ];
    const noneOpen = (): Promise<boolean> =>
      bench.red.until(async () => (await relay.open()) === 0, 'the old connections to be closed');

    for (const type of ['full', 'nodes', 'flows'] as const) {
      it(`uses its new keys and endpoint from the deploy on (${type}), and closes its old connections`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        await bench.red.sendMany('invoke', [{ payload: 1 }, { payload: 2 }]);
        assert.equal(await relay.open(), 2);
        await bench.red.deploy(flow({ endpoint: bench.aws.url }), { credentials: credentials('second'), type });
        assert.equal(await signerOfNext(), idOf('second'));
        await noneOpen();
        assert.equal(relay.exchanges.length, 2);
      });

      it(`uses new keys where nothing else was changed (${type})`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        assert.equal(await signerOfNext(), idOf('demo'));
        await bench.red.deploy(flow(), { credentials: credentials('second'), type });
        assert.equal(await signerOfNext(), idOf('second'));
      });

      it(`is missing once it was deleted (${type}), and its connections are closed`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        succeeded(await invoke());
        await bench.red.deploy(actions(), { type });
        const { error, sent } = await invoke();
        assert.equal(error?.name, 'AccountMissing');
        assert.match(error.message, /The aws-account of this node does not exist or is disabled/);
        assert.deepEqual(sent, []);
        await noneOpen();
      });

      it(`is missing once it was disabled (${type}), and back once it was enabled`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        succeeded(await invoke());
        await bench.red.deploy(flow({ d: true }), { type });
        assert.equal((await invoke()).error?.name, 'AccountMissing');
        await noneOpen();
        await bench.red.deploy(flow(), { type });
        succeeded(await invoke());
      });
    }

    it('is missing for a node that names none, or a node that is no account', async () => {
      await bench.red.deploy([invokeNode({ account: '' }), listNode({ account: 'out' }), sink('out')]);
      for (const { error } of [await invoke(), await bench.red.send('list')]) {
        assert.equal(error?.name, 'AccountMissing');
      }
    });

    it('closes its connections when Node-RED stops its flows', async () => {
      await bench.red.deploy(flow({ roleArn: roles.demo.arn, validate: true }), { credentials: credentials('demo') });
      succeeded(await invoke());
      assert.notEqual(await relay.open(), 0);
      await bench.red.deploy([]);
      await noneOpen();
    });

    it('lets a request finish that is under way', async () => {
      await bench.aws.fault({ kind: 'delay', operation: 'Invoke', delayMs: 300 });
      await bench.red.deploy(flow(), { credentials: credentials('demo') });
      const outcome = await bench.red.begin('invoke', { payload: {} });
      await bench.aws.until({ operation: 'Invoke', requests: 1 });
      await bench.red.deploy(flow({ region: 'eu-west-1' }), { credentials: credentials('second'), type: 'nodes' });
      succeeded(outcome);
      await bench.aws.clearFaults();
      succeeded(await invoke());
      assert.deepEqual(
        (await requests('Invoke')).map(({ accessKeyId, region }) => [accessKeyId, region]),
        [
          [idOf('demo'), 'us-east-1'],
          [idOf('second'), 'eu-west-1']
        ]
      );
    });

    it('ends a message with Closed that waits for temporary credentials in vain, and asks for them no more', async function () {
      this.timeout(120_000);
      await bench.aws.fault({ kind: 'hang', operation: 'AssumeRole' });
      await bench.red.deploy(flow({ roleArn: roles.demo.arn, validate: true }), { credentials: credentials('demo') });
      const outcome = await bench.red.begin('invoke', { payload: {} });
      await bench.aws.until({ operation: 'AssumeRole', requests: 1 });
      await bench.red.deploy(flow({ endpoint: bench.aws.url }), { credentials: credentials('second') });
      assert.deepEqual([outcome.done, outcome.error?.name, outcome.sent.length], [1, 'Closed', 0]);
      assert.equal(await signerOfNext(), idOf('second'));
      await noneOpen();
      assert.equal((await assumed()).length, 1);
      assert.deepEqual(said('warn', 'error'), []);
    });
  });

  describe('the credentials of a message', () => {
    const dynamic = { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' };
    const flow = (properties: Record<string, unknown> = {}): FlowNode[] => [
      account(bench, properties),
      invokeNode({ functionName: 'echo', ...dynamic }),
      listNode(dynamic),
      sink('out')
    ];

    it('are used instead of those of the account', async () => {
      await bench.red.deploy(flow(), { credentials: credentials('demo') });
      succeeded(await invoke({ payload: {}, keys: keysOf('second') }));
      assert.deepEqual(await signers(), [idOf('second')]);
    });

    it('work where the account has none', async () => {
      await bench.red.deploy(flow({ source: 'default' }));
      succeeded(await invoke({ payload: {}, keys: keysOf('second') }));
      assert.deepEqual(await signers(), [idOf('second')]);
    });

    it('are not used to assume the role of the account, while its region and endpoint count', async () => {
      await bench.red.deploy(flow({ roleArn: roles.demo.arn, endpoint: relay.url, region: 'eu-west-1' }), {
        credentials: credentials('demo')
      });
      const { error, msg } = await bench.red.send('list', { keys: keysOf('second') });
      assert.ifError(error);
      assert.equal(msg.aws?.region, 'eu-west-1');
      assert.deepEqual(
        (await requests()).map(({ operation, accessKeyId, region }) => [operation, accessKeyId, region]),
        [['ListFunctions', idOf('second'), 'eu-west-1']]
      );
      assert.equal(relay.exchanges.length, 1);
    });

    it('may have a session token', async () => {
      const keys = await temporaryKeys();
      await bench.red.deploy(flow(), { credentials: credentials('second') });
      succeeded(await invoke({ payload: {}, keys }));
      assert.deepEqual(await signers(), [keys.accessKeyId]);
    });

    const nothing: [what: string, keys: unknown][] = [
      ['are not there', undefined],
      ['are null', null],
      ['are empty text', '']
    ];
    for (const [what, keys] of nothing) {
      it(`are a MissingValue where they ${what}, and never those of the account instead`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        const { error, done, sent } = await invoke({ payload: {}, keys });
        assert.equal(error?.name, 'MissingValue');
        assert.match(error.message, /^Credentials \(dynamicCredentials\) is set, but msg\.keys has no value/);
        assert.deepEqual([done, sent.length], [1, 0]);
        assert.deepEqual(await requests(), []);
      });
    }

    const malformed: [what: string, keys: unknown][] = [
      ['are text', 'AKIA'],
      ['are a list', [keysOf('demo')]],
      ['have no secret', { accessKeyId: 'AKIA' }],
      ['have an empty secret', { accessKeyId: 'AKIA', secretAccessKey: '' }],
      ['have a number as key id', { accessKeyId: 1, secretAccessKey: 'secret' }],
      ['have a line break in the token', { ...keysOf('demo'), sessionToken: 'a\r\nX-Amz-Evil: b' }]
    ];
    for (const [what, keys] of malformed) {
      it(`are an InvalidValue where they ${what}, and never those of the account instead`, async () => {
        await bench.red.deploy(flow(), { credentials: credentials('demo') });
        const { error } = await invoke({ payload: {}, keys });
        assert.equal(error?.name, 'InvalidValue');
        assert.match(error.message, /^Credentials \(dynamicCredentials(\.\w+)?\) must /);
        assert.deepEqual(await requests(), []);
      });
    }

    it('are never those of the account when the service refuses them, and leave the account’s alone', async () => {
      await bench.red.deploy([...flow({ roleArn: roles.demo.arn }), invokeNode({ id: 'own' })], {
        credentials: credentials('demo')
      });
      succeeded(await bench.red.send('own', { payload: {} }));
      const wrong = { ...keysOf('second'), secretAccessKey: 'not-the-secret-of-this-key' };
      const { error, sent } = await invoke({ payload: {}, keys: wrong });
      assert.equal(error?.name, 'InvalidSignatureException');
      assert.deepEqual(sent, []);
      succeeded(await bench.red.send('own', { payload: {} }));
      assert.equal((await assumed()).length, 1);
      assert.equal((await requests('Invoke')).length, 3);
    });

    it('are told apart where many messages with many of them come at once, and come back', async () => {
      const many = await Promise.all(Array.from({ length: 40 }, temporaryKeys));
      await bench.red.deploy(flow(), { credentials: credentials('second') });
      await bench.aws.reset();
      const msgs = [...many, ...many.toReversed()].map((keys) => ({ payload: { of: keys.accessKeyId }, keys }));
      for (const outcome of await bench.red.sendMany('invoke', msgs)) succeeded(outcome);
      const signerOf = new Map((await requests('Invoke')).map((each) => [each.requestId, each.accessKeyId]));
      const runs = await bench.aws.invocations();
      assert.equal(runs.length, 80);
      for (const { requestId, event } of runs) assert.deepEqual(event, { of: signerOf.get(requestId) });
    });

    it('are told apart by secret and token too, not by the key id alone', async () => {
      const { sessionToken, ...keys } = await temporaryKeys();
      await bench.red.deploy(flow(), { credentials: credentials('demo') });
      succeeded(await invoke({ payload: {}, keys: { ...keys, sessionToken } }));
      const errors = [
        await invoke({ payload: {}, keys }),
        await invoke({ payload: {}, keys: { ...keys, sessionToken, secretAccessKey: 'another' } })
      ].map(({ error }) => error?.name);
      assert.deepEqual(errors, ['UnrecognizedClientException', 'InvalidSignatureException']);
    });

    it('are kept in memory for a few at a time only', async () => {
      const clients = new Clients({
        signIn: { source: 'default' },
        rekognitionRate: 5,
        region: 'us-east-1',
        endpoint: bench.aws.url,
        meter: looseMeter(),
        calls: new CallLog(new Calls(), 'account')
      });
      const made: WeakRef<object>[] = [];
      for (let index = 0; index < 300; index += 1) {
        const credentials = { accessKeyId: `AKIA${index}`, secretAccessKey: 'secret' };
        const client = await clients.get('lambda', { credentials });
        made.push(new WeakRef((client as unknown as { client: object }).client));
      }
      const alive = (): number => made.filter((each) => each.deref() !== undefined).length;
      await bench.red.until(() => {
        collectGarbage();
        return alive() <= 40;
      }, 'clients to be collected');
      assert.notEqual(alive(), 0);
      clients.close();
    });
  });
});
