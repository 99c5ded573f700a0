/** The shared files `~/.aws/config` and `~/.aws/credentials`: what an account takes from them, and when. */
import assert from 'node:assert/strict';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { fromIni } from '@aws-sdk/credential-providers';
import fc from 'fast-check';
import { type RequestRecord, roles, signIns } from '../../local-aws/client';
import { profileNames, resolveConfig } from '../../nodes/account/profiles';
import { account, invokeNode, keysOf, useBench } from '../aws';
import type { Outcome } from '../node-red';
import { sink } from '../node-red';
import { useRelay } from '../relay';
import { useEnvironment } from './environment';

describe('the shared files', () => {
  const bench = useBench();
  const env = useEnvironment();
  const relay = useRelay(bench);
  const other = useRelay(bench);

  const section = (name: keyof typeof signIns): Record<string, string> => ({
    aws_access_key_id: signIns[name].accessKeyId,
    aws_secret_access_key: signIns[name].secretAccessKey
  });
  const garden = { source: 'profile', profile: 'garden', region: '' };

  const deploy = (properties: Record<string, unknown>, action: Record<string, unknown> = {}): Promise<void> =>
    bench.red.deploy([account(bench, properties), invokeNode(action), sink('out')], {
      credentials: { account: properties.source === 'keys' ? keysOf('demo') : {} }
    });
  const invoke = (msg: object = {}): Promise<Outcome> => bench.red.send('invoke', { payload: {}, ...msg });
  const requests = async (operation: string): Promise<RequestRecord[]> =>
    (await bench.aws.requests()).filter((each) => each.operation === operation);

  /** The region of the next message, as it is signed and as the message says. */
  async function regionOfNext(msg: object = {}): Promise<unknown> {
    const { error, msg: left } = await invoke(msg);
    assert.ifError(error);
    assert.equal((await requests('Invoke')).at(-1)?.region, left.aws?.region);
    return left.aws?.region;
  }

  /** The answer of an endpoint of the dialogs. */
  const ask = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> =>
    (await (await bench.red.request(`aws-account/${path}`, init)).json()) as Record<string, unknown>;
  const profiles = async (): Promise<unknown[]> =>
    ((await ask('choices/profiles')).choices as { value: string }[]).map(({ value }) => value);

  describe('are read anew', () => {
    it('so that an edited region of a profile counts for the next message', async () => {
      env.credentials({ garden: section('demo') });
      env.config({ garden: { region: 'eu-west-1' } });
      await deploy(garden);
      assert.equal(await regionOfNext(), 'eu-west-1');
      env.config({ garden: { region: 'eu-central-1' } });
      await bench.red.until(async () => (await regionOfNext()) === 'eu-central-1');
    });

    for (const source of ['default', 'keys']) {
      it(`so that a default region counts that is written later, with the source ${source}`, async () => {
        env.credentials({ default: section('demo') });
        await deploy({ source, region: '' });
        assert.equal(await regionOfNext(), 'us-east-1');
        env.config({ default: { region: 'eu-west-1' } });
        await bench.red.until(async () => (await regionOfNext()) === 'eu-west-1');
      });
    }

    it('so that a profile counts that is added after a message has failed for want of it, with its region', async () => {
      await deploy(garden);
      assert.equal((await invoke()).error?.name, 'CredentialsProviderError');
      env.credentials({ garden: section('second') });
      env.config({ garden: { region: 'eu-west-1' } });
      assert.equal(await regionOfNext(), 'eu-west-1');
      assert.deepEqual(
        (await requests('Invoke')).map(({ accessKeyId }) => accessKeyId),
        [signIns.second.accessKeyId]
      );
    });

    it('at once, even where many messages have failed before', async () => {
      await deploy(garden);
      for (let count = 0; count < 20; count += 1) assert.ok((await invoke()).error);
      env.credentials({ garden: section('demo') });
      assert.equal(await regionOfNext(), 'us-east-1');
    });

    it('so that rotated keys count before a service has refused the old ones', async () => {
      env.credentials({ garden: section('demo') });
      await deploy(garden);
      assert.equal(await regionOfNext(), 'us-east-1');
      env.credentials({ garden: section('second') });
      await bench.red.until(async () => {
        await regionOfNext();
        return (await requests('Invoke')).at(-1)?.accessKeyId === signIns.second.accessKeyId;
      });
    });

    it('for messages that bring credentials of their own', async () => {
      await deploy({ source: 'default', region: '' }, { dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' });
      const keys = keysOf('second');
      assert.equal(await regionOfNext({ keys }), 'us-east-1');
      env.config({ default: { region: 'eu-west-1' } });
      await bench.red.until(async () => (await regionOfNext({ keys })) === 'eu-west-1');
    });

    it('for the lists of a dialog, whose pages are those of the region', async () => {
      env.credentials({ garden: section('demo') });
      await deploy(garden);
      await ask('choices/functions?account=account');
      env.config({ garden: { region: 'eu-west-1' } });
      await bench.red.until(async () => {
        await ask('choices/functions?account=account');
        return (await requests('ListFunctions')).at(-1)?.region === 'eu-west-1';
      });
    });

    it('so that a region that cannot be is no obstacle once it is put right', async () => {
      env.credentials({ garden: section('demo') });
      env.config({ garden: { region: 'eu_west_1' } });
      await deploy(garden);
      for (const { error } of [await invoke(), await invoke()]) {
        assert.equal(error?.name, 'InvalidValue');
        assert.match(error.message, /^The region of the environment or of the profile must be .*"eu_west_1"/);
      }
      env.config({ garden: { region: 'eu-west-1' } });
      assert.equal(await regionOfNext(), 'eu-west-1');
    });

    it('and not for each message', async () => {
      const script = env.file('keys.js', `require('fs').appendFileSync(__dirname + '/runs', 'x'); ${printed('demo')}`);
      env.config({ garden: { credential_process: `"${process.execPath}" "${script}"` } });
      await deploy(garden);
      for (const { error } of await bench.red.sendMany(
        'invoke',
        Array.from({ length: 100 }, () => ({ payload: {} }))
      )) {
        assert.ifError(error);
      }
      assert.equal(await regionOfNext(), 'us-east-1');
      assert.equal(env.read('runs'), 'x');
    });
  });

  /** A script's line that prints a sign-in's keys as a credential_process does. */
  const printed = (name: keyof typeof signIns): string => {
    const { accessKeyId, secretAccessKey } = signIns[name];
    const output = { Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey };
    return `console.log(${JSON.stringify(JSON.stringify(output))});`;
  };

  it('do not have a credential_process run for each message whose keys a service refuses', async () => {
    const wrong = `console.log(JSON.stringify({ Version: 1, AccessKeyId: 'AKIANOBODYHASTHISONE', SecretAccessKey: 'none' }));`;
    const script = env.file('keys.js', `require('fs').appendFileSync(__dirname + '/runs', 'x'); ${wrong}`);
    env.config({ garden: { credential_process: `"${process.execPath}" "${script}"` } });
    await deploy(garden);
    for (let count = 0; count < 40; count += 1)
      assert.equal((await invoke()).error?.name, 'UnrecognizedClientException');
    assert.ok(env.read('runs').length <= 12, `it ran ${env.read('runs').length} times`);
  });

  describe('that name what is not there', () => {
    const cases: [what: string, profile: Record<string, string>, reason: RegExp][] = [
      [
        'an SSO session',
        { sso_session: 'nobody', sso_account_id: '1', sso_role_name: 'x' },
        /names something that is not there, such as its sso_session/
      ],
      [
        'the file of a web identity token',
        { role_arn: roles.demo.arn, web_identity_token_file: '/nowhere/token' },
        /ENOENT.*\/nowhere\/token/
      ],
      ['a program', { credential_process: '/nowhere/program' }, /credential_process of the profile failed/],
      ['a source profile', { role_arn: roles.demo.arn, source_profile: 'nobody' }, /\[nobody\]/]
    ];
    for (const [what, profile, reason] of cases) {
      it(`are a sign-in without keys, which says why: ${what}`, async () => {
        env.config({ garden: profile });
        await deploy(garden);
        const { error } = await invoke();
        assert.equal(error?.name, 'CredentialsProviderError');
        assert.match(error.message, reason);
      });
    }
  });

  describe('name the endpoints of a profile', () => {
    const here = { ...garden, endpoint: '' };
    const hosts = (): string[] =>
      [relay, other].map(({ exchanges }) => exchanges.map(({ path }) => operationOf(path)).join());
    const operationOf = (path: string): string => (path.includes('/functions') ? 'lambda' : 'sts');

    beforeEach(() => {
      env.credentials({ garden: section('demo') });
    });

    it('for all services, the one for temporary credentials too', async () => {
      env.config({ garden: { endpoint_url: relay.url, region: 'eu-west-1' } });
      await deploy({ ...here, roleArn: roles.demo.arn });
      assert.equal(await regionOfNext(), 'eu-west-1');
      assert.deepEqual(hosts(), ['sts,lambda', '']);
    });

    it('for one service, before the one for all', async () => {
      env.config({
        garden: { endpoint_url: relay.url, services: 'local' },
        'services local': { sts: `\n  endpoint_url = ${other.url}` }
      });
      await deploy({ ...here, roleArn: roles.demo.arn });
      await regionOfNext();
      assert.deepEqual(hosts(), ['lambda', 'sts']);
    });

    it('for the role of the profile itself, and not those of its source profile', async () => {
      env.credentials({ base: section('demo') });
      env.config({
        base: { endpoint_url: 'http://127.0.0.1:1' },
        garden: { role_arn: roles.demo.arn, source_profile: 'base', endpoint_url: relay.url, services: 'local' },
        'services local': { sts: `\n  endpoint_url = ${other.url}` }
      });
      await deploy(here);
      await regionOfNext();
      assert.deepEqual(hosts(), ['lambda', 'sts']);
    });

    it('for the role of a web identity', async () => {
      env.credentials({});
      env.config({
        garden: {
          role_arn: roles.demo.arn,
          web_identity_token_file: env.file('token', 'the-token'),
          endpoint_url: relay.url
        }
      });
      await deploy(here);
      assert.ok((await invoke()).error);
      assert.match(relay.exchanges[0]?.body ?? '', /Action=AssumeRoleWithWebIdentity/);
    });

    it('for the portal of an SSO login, whose token goes to no endpoint that is another service’s', async () => {
      const portal = { sso_start_url: 'https://nimbus.awsapps.com/start', sso_region: 'eu-central-1' };
      const later = new Date(Date.now() + 3_600_000).toISOString();
      env.ssoToken(portal.sso_start_url, { accessToken: 'the-sso-token', expiresAt: later });
      env.credentials({});
      env.config({
        garden: {
          ...portal,
          sso_account_id: '1',
          sso_role_name: 'x',
          endpoint_url: relay.url,
          services: 'local'
        },
        'services local': { sts: `\n  endpoint_url = ${other.url}` }
      });
      await deploy(here);
      assert.ok((await invoke()).error);
      assert.match(relay.exchanges[0]?.path ?? '', /^\/federation\/credentials/);
      assert.deepEqual(other.exchanges, []);
    });

    it('for the lists and the test of a dialog', async () => {
      env.config({ garden: { endpoint_url: relay.url } });
      await deploy(here);
      assert.ok((await ask('choices/functions?account=account')).choices);
      const properties = { ...here, validate: false };
      const tested = await ask('test', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: 'account', properties, credentials: {} })
      });
      assert.equal(tested.account, signIns.demo.account);
      assert.deepEqual(hosts(), ['lambda,sts', '']);
    });

    it('anew with each edit', async () => {
      env.config({ garden: { endpoint_url: relay.url } });
      await deploy(here);
      await regionOfNext();
      env.config({ garden: { endpoint_url: other.url } });
      await bench.red.until(async () => {
        await regionOfNext();
        return other.exchanges.length > 0;
      });
    });

    it('and give way to the endpoint of the account', async () => {
      env.config({ garden: { endpoint_url: 'http://127.0.0.1:1' } });
      env.set({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
      await deploy({ ...here, endpoint: relay.url });
      await regionOfNext();
      assert.deepEqual(hosts(), ['lambda', '']);
    });

    it('and sign nothing for AWS where the services section of a profile is missing', async () => {
      env.config({ garden: { services: 'local' } });
      await deploy(here);
      const { error } = await invoke();
      assert.equal(error?.name, 'InvalidValue');
      assert.match(error.message, /^The profile names the services section "local", which is not in/);
      env.config({ garden: { services: 'local' }, 'services local': { lambda: `\n  endpoint_url = ${relay.url}` } });
      assert.equal(await regionOfNext(), 'us-east-1');
    });

    it('and sign nothing where an endpoint is no URL, which may hold a password and is not quoted', async () => {
      env.config({ garden: { endpoint_url: 'http://ada:hunter2@localhost' } });
      await deploy(here);
      const { error } = await invoke();
      assert.equal(error?.name, 'InvalidValue');
      assert.match(error.message, /^The endpoint URL of the environment or of the profile must be a URL (?!.*hunter2)/);
    });
  });

  describe('are read as the SDK reads them', () => {
    const unknown = { region: undefined, endpoint: undefined };

    it('in the order of variables and settings that AWS documents, whatever there is', async () => {
      const url = fc.constantFrom('http://one', 'http://two', 'https://three/path');
      const flag = fc.constantFrom('true', 'false', undefined);
      const some = fc.option(url, { nil: undefined });
      const setup = fc.record({
        AWS_ENDPOINT_URL: some,
        AWS_ENDPOINT_URL_LAMBDA: some,
        AWS_ENDPOINT_URL_STS: some,
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: flag,
        ignored: flag,
        general: some,
        lambda: some,
        sqs: some,
        ofDefault: some,
        region: fc.constantFrom('eu-west-1', undefined),
        regionInCredentials: fc.constantFrom('eu-north-1', undefined),
        AWS_REGION: fc.constantFrom('us-west-2', undefined)
      });
      const present = (values: Record<string, string | undefined>): Record<string, string> =>
        Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<string, string>;
      await fc.assert(
        fc.asyncProperty(setup, async ({ ignored, general, lambda, sqs, ofDefault, region, ...rest }) => {
          const { regionInCredentials, ...variables } = rest;
          for (const name of Object.keys(variables)) delete process.env[name];
          env.set({ ...present(variables), AWS_PROFILE: 'garden' });
          env.credentials({ garden: { ...section('demo'), ...present({ region: regionInCredentials }) } });
          const ofServices = Object.entries(present({ lambda, sqs }));
          env.config({
            default: present({ endpoint_url: ofDefault, region: 'ap-south-1' }),
            garden: present({
              endpoint_url: general,
              ignore_configured_endpoint_urls: ignored,
              region,
              services: ofServices.length > 0 ? 'local' : undefined
            }),
            'services local': Object.fromEntries(
              ofServices.map(([name, value]) => [name, `\n  endpoint_url = ${value}`])
            )
          });
          const found = await resolveConfig('garden', unknown);
          for (const [service, Client] of [
            ['lambda', LambdaClient],
            ['sqs', SQSClient],
            ['sts', STSClient]
          ] as const) {
            const { config } = new Client({ profile: 'garden' });
            const { serviceConfiguredEndpoint } = config as { serviceConfiguredEndpoint?: () => Promise<string> };
            assert.equal(found.endpoints[service], await serviceConfiguredEndpoint?.());
            assert.equal(found.region, await config.region().catch(() => 'us-east-1'));
          }
        }),
        { numRuns: 150 }
      );
    });

    it('so that the endpoint of one profile is never that of another', async () => {
      env.config({ default: { endpoint_url: 'http://localhost:4566' }, garden: {} });
      env.credentials({ garden: section('demo') });
      assert.deepEqual((await resolveConfig('garden', unknown)).endpoints, {});
      assert.equal((await resolveConfig(undefined, unknown)).endpoints.sqs, 'http://localhost:4566');
      assert.equal((await resolveConfig('default', unknown)).endpoints.sqs, 'http://localhost:4566');
    });

    it('so that the picker offers the profiles that a sign-in finds, and no others', async () => {
      const keys = 'aws_access_key_id = AKIA\naws_secret_access_key = secret\n';
      const names = [
        'garden',
        'my team',
        'a.b',
        'a@b',
        'a/b',
        'über',
        'default',
        '"x"',
        "'x'",
        'x y z',
        '-',
        'services.x'
      ];
      const name = fc.constantFrom(...names);
      const quote = fc.constantFrom('', '"', "'");
      const header = fc
        .record({ prefix: fc.constantFrom('profile ', '', 'profile  ', 'sso-session ', 'services '), quote, name })
        .map(({ prefix, quote, name }) => `[${prefix}${quote}${name}${quote}]`);
      const dirt = fc.constantFrom('', ' # comment', ' ; comment', '#', '\r', ' ', ']');
      const sectionText = fc.tuple(fc.constantFrom('', ' ', '\t', '# '), header, dirt, fc.constantFrom(keys, '', '\n'));
      const file = fc
        .array(sectionText, { maxLength: 6 })
        .map((all) => all.map(([before, header, dirt, after]) => `${before}${header}${dirt}\n${after}`).join(keys));
      const found = async (profile: string): Promise<boolean> =>
        fromIni({ profile, ignoreCache: true })().then(
          () => true,
          () => false
        );
      await fc.assert(
        fc.asyncProperty(file, file, async (config, inCredentials) => {
          env.file('config', `${config}\n${keys}`);
          env.file('credentials', `${inCredentials}\n${keys}`);
          const offered = await profileNames();
          const more = names.flatMap((each) => [each, `"${each}"`, `profile ${each}`, `profile.${each}`]);
          for (const each of new Set([...offered, ...more])) {
            // A session or services section is found by the SDK as well, where it has keys; nobody means it.
            if (/^(sso-session|services)\./.test(each)) continue;
            if (offered.includes(each) !== (await found(each))) {
              assert.fail(
                `${each} is ${offered.includes(each) ? '' : 'not '}offered in\n${config}\n---\n${inCredentials}`
              );
            }
          }
        }),
        { numRuns: 60 }
      );
    });

    it('in the home folder where a path begins with ~', async () => {
      env.set({ AWS_CONFIG_FILE: '~/elsewhere/config', AWS_SHARED_CREDENTIALS_FILE: '~/elsewhere/credentials' });
      env.file('elsewhere/config', '[profile garden]\nregion = eu-west-1\n');
      env.file('elsewhere/credentials', `[garden]\naws_access_key_id = ${signIns.demo.accessKeyId}\n`);
      env.file(
        'elsewhere/credentials',
        `[garden]\naws_access_key_id = ${signIns.demo.accessKeyId}\naws_secret_access_key = ${signIns.demo.secretAccessKey}\n`
      );
      await deploy(garden);
      assert.deepEqual(await profiles(), ['garden']);
      assert.equal(await regionOfNext(), 'eu-west-1');
      env.file('elsewhere/config', '[profile garden]\nregion = eu-central-1\n');
      await bench.red.until(async () => (await regionOfNext()) === 'eu-central-1');
    });

    it('so that a name with a blank in it, which the SDK does not find, is not offered', async () => {
      env.file('config', '[profile "my team"]\nregion = eu-west-1\n[profile garden]\nregion = eu-west-1\n');
      await deploy(garden);
      assert.deepEqual(await profiles(), ['garden']);
    });
  });
});
