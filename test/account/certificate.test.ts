/** Accounts that sign in with the certificate of a device, in AWS IoT Core and in IAM Roles Anywhere. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, verify, X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { dirname, join } from 'node:path';
import tls from 'node:tls';
import {
  type CertificatePlaces,
  type Device,
  type DeviceOptions,
  profiles,
  type RequestRecord,
  roleAliases,
  roles,
  trustAnchors
} from '../../local-aws/client';
import { parseCertificate, summaryOf } from '../../nodes/account/certificate';
import { canUseProxies } from '../../nodes/account/proxy';
import { signable, signedHeaders } from '../../nodes/account/x509-signature';
import type { Policies } from '../../nodes/dialog/policy';
import { account, errorOf, invokeNode, letAllPass, listNode, useBench } from '../aws';
import type { FlowNode, LogEntry, Outcome } from '../node-red';
import { sink } from '../node-red';
import { setClock } from '../set-clock';
import pfx from './device-pfx.json';
import { useEnvironment } from './environment';
import recorded from './signed-sessions.json';

describe('A certificate account', () => {
  const bench = useBench();
  const env = useEnvironment();
  let places: CertificatePlaces;
  let device: Device;

  before(async () => {
    places = await bench.aws.certificatePlaces();
    device = await bench.aws.makeDevice({ subject: { CN: 'pump', O: 'Nimbus' }, things: ['pump'] });
  });

  const pass = (seconds: number) => letAllPass(bench, seconds * 1000);

  /** Node-RED's own TLS configuration. */
  const tlsNode = (properties: Record<string, unknown> = {}): FlowNode => ({
    id: 'tls',
    type: 'tls-config',
    name: 'broker',
    cert: '',
    key: '',
    ca: '',
    certname: '',
    keyname: '',
    caname: '',
    // As for the broker of a device: nothing of this must count.
    servername: 'wrong.example',
    alpnprotocol: 'x-amzn-mqtt-ca',
    verifyservercert: false,
    ...properties
  });

  const pasted = ({ certificate, chain, key }: Device, more: Record<string, string> = {}) => ({
    certdata: certificate + chain,
    keydata: key,
    cadata: places.ca,
    ...more
  });

  const iot = (properties: Record<string, unknown> = {}) => ({
    source: 'certificate',
    tls: 'tls',
    exchange: 'iot',
    credentialEndpoint: places.credentialEndpoint,
    roleAlias: roleAliases.device.name,
    ...properties
  });

  const anywhere = (properties: Record<string, unknown> = {}) => ({
    source: 'certificate',
    tls: 'tls',
    exchange: 'rolesAnywhere',
    trustAnchorArn: trustAnchors.devices,
    profileArn: profiles.devices,
    certificateRoleArn: roles.device.arn,
    ...properties
  });

  const deploy = (
    properties: Record<string, unknown>,
    ofTls: Record<string, string> = pasted(device),
    tls: FlowNode[] = [tlsNode()],
    stored: Record<string, string> = {}
  ): Promise<void> =>
    bench.red.deploy([...tls, account(bench, properties), invokeNode(), listNode(), sink('out')], {
      credentials: { tls: ofTls, account: stored }
    });

  describe('has in its policies', () => {
    /** The blocks by what they are for, each with its only statement and the command without the policy. */
    async function policies(): Promise<Record<string, [statement: object | undefined, command: string]>> {
      const answer = await bench.red.request('aws-account/policy?account=account');
      const { blocks } = (await answer.json()) as Policies;
      return Object.fromEntries(
        blocks.map(({ kind, policy, command }) => [kind, [policy.Statement[0], command.replace(/ '.*/, '')]])
      );
    }

    it('that of the certificate in AWS IoT, and the trust of its role', async () => {
      await deploy(iot());
      const { needed, certificate, trust } = await policies();
      assert.deepEqual(certificate, [
        {
          Effect: 'Allow',
          Action: 'iot:AssumeRoleWithCertificate',
          Resource: 'arn:aws:iot:us-east-1:111111111111:rolealias/nimbus-device'
        },
        'aws iot create-policy --policy-name node-red-account-certificate --policy-document'
      ]);
      const Principal = { Service: 'credentials.iot.amazonaws.com' };
      assert.deepEqual(trust?.[0], { Effect: 'Allow', Principal, Action: 'sts:AssumeRole' });
      assert.match(String(trust?.[1]), /^aws iam update-assume-role-policy --role-name nimbus-device /);
      assert.match(String(needed?.[1]), /^aws iam put-role-policy --role-name nimbus-device /);
    });

    it('the trust of its role in one anchor, also where it cannot sign in', async () => {
      await deploy(anywhere({ profileArn: profiles.disabled }));
      const { needed, trust, ...others } = await policies();
      assert.deepEqual(trust?.[0], {
        Effect: 'Allow',
        Principal: { Service: 'rolesanywhere.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: { ArnEquals: { 'aws:SourceArn': trustAnchors.devices } }
      });
      assert.match(String(needed?.[1]), /^aws iam put-role-policy --role-name nimbus-device /);
      assert.deepEqual(Object.keys(others), ['optional']);
    });
  });

  const invoke = (): Promise<Outcome> => bench.red.send('invoke', { payload: {} });

  function succeeded({ error, done, sent }: Outcome): void {
    assert.ifError(error);
    assert.deepEqual([done, sent.length], [1, 1]);
  }

  const requests = async (operation: string): Promise<RequestRecord[]> =>
    (await bench.aws.requests()).filter((each) => each.operation === operation);

  const failure = async () => {
    const { name, message, retryable, statusCode } = errorOf(await invoke());
    return { name, message, retryable, statusCode };
  };

  const said = (...levels: LogEntry['level'][]): string[] =>
    bench.red.logs.filter(({ id, level }) => id === 'account' && levels.includes(level)).map(({ text }) => text);

  const exchanges = [
    { what: 'AWS IoT Core', operation: 'AssumeRoleWithCertificate', properties: iot },
    { what: 'IAM Roles Anywhere', operation: 'CreateSession', properties: anywhere }
  ] as const;

  for (const { what, operation, properties } of exchanges) {
    describe(`with ${what}`, () => {
      for (const key of ['ec', 'ec384', 'rsa'] as const) {
        it(`signs in once with a key of the kind ${key}, for all messages and nodes at the same time`, async () => {
          await deploy(properties(), pasted(await bench.aws.makeDevice({ key })));
          const all = await Promise.all([invoke(), invoke(), bench.red.send('list'), invoke()]);
          all.forEach(succeeded);
          assert.equal((await requests(operation)).length, 1);
          const [request] = await requests('Invoke');
          assert.match(request?.accessKeyId ?? '', /^ASIA/);
        });
      }

      it('takes an encrypted key, and a chain whose certificates stand in the CA in any order', async () => {
        const encrypted = await bench.aws.makeDevice({ key: 'rsa', passphrase: 'open sesame' });
        const { certificate, chain, key } = encrypted;
        const cadata = places.ca + chain;
        await deploy(properties(), { certdata: certificate, keydata: key, cadata, passphrase: 'open sesame' });
        succeeded(await invoke());
      });

      it('reads files, and reads them anew for each sign-in', async () => {
        const write = (each: Device) => ({
          cert: env.file('device/cert.pem', each.certificate + each.chain),
          key: env.file('device/key.pem', each.key),
          ca: env.file('device/ca.pem', places.ca)
        });
        env.set({ DEVICE_KEY: write(device).key });
        await deploy(properties(), {}, [tlsNode({ ...write(device), key: '${DEVICE_KEY}' })]);
        succeeded(await invoke());
        await bench.aws.revoke(device.certificate);
        device = await bench.aws.makeDevice({ subject: { CN: 'pump', O: 'Nimbus' }, things: ['pump'] });
        write(device);
        await pass(3700);
        succeeded(await invoke());
        assert.equal((await requests(operation)).length, 2);
      });

      it('assumes a role on top, with an External ID and for an hour at most', async () => {
        const role = { roleArn: roles.external.arn, duration: 43_200 };
        const stored = { externalId: 'nimbus-external-id' };
        await deploy(properties(role), pasted(device), [tlsNode()], stored);
        succeeded(await invoke());
        const [assumed] = await requests('AssumeRole');
        assert.deepEqual(
          [assumed?.input.DurationSeconds, assumed?.input.RoleSessionName],
          ['3600', 'node-red-account']
        );
      });
    });
  }

  describe('signs as others do', () => {
    for (const {
      source,
      date,
      url,
      contentType,
      body,
      region,
      certificates,
      key,
      authorization
    } of recorded.requests) {
      const [algorithm = ''] = authorization.split(' ');
      it(`${algorithm} of ${source.split(/[ ,]/, 2).join(' ').trim()}`, () => {
        const [first, ...above] = certificates.map((each) => new X509Certificate(Buffer.from(each, 'base64')));
        const cert = [first, ...above.toReversed()].join('\n');
        const signer = parseCertificate({ cert, key });
        assert.deepEqual(signer.chain.map(String), above.map(String), 'the order of the chain');
        const time = new Date(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
        const request = { url: new URL(url), contentType, body, region, date: time };
        const pair = { ...signer, key: createPrivateKey(key) };
        const { authorization: own = '' } = signedHeaders(request, pair);
        const parts = (text: string) => text.split('Signature=');
        assert.equal(parts(own)[0], parts(authorization)[0]);
        // An RSA key always signs alike. Of an EC key, the other's signature has to be one of the very same text.
        if (algorithm.includes('-RSA-')) assert.equal(own, authorization);
        for (const each of [own, authorization]) {
          const signature = Buffer.from(parts(each)[1] ?? '', 'hex');
          assert.ok(verify('sha256', Buffer.from(signable(request, pair).text), signer.leaf.publicKey, signature));
        }
      });
    }
  });

  describe('is refused', () => {
    const refused = async (message: RegExp, name = 'CertificateError') => {
      const error = await failure();
      assert.match(error.message, message);
      assert.equal(error.name, name);
      return error;
    };

    for (const { what, operation, properties } of exchanges) {
      describe(`by ${what}`, () => {
        const deployWith = async (options: DeviceOptions, more: Record<string, string> = {}, of = {}) =>
          deploy(properties(of), pasted(await bench.aws.makeDevice(options), more));

        it('when it has expired', async () => {
          await deployWith({ subject: { CN: 'old' }, from: -3, to: -1 });
          await refused(/^The certificate CN=old has expired, on 20\d\d-.*Z: replace it/);
        });

        it('when it is not yet valid', async () => {
          await deployWith({ subject: { CN: 'young' }, from: 1, to: 2 });
          await refused(/^The certificate CN=young is not yet valid, but from 20\d\d-.*Z on: check the clock/);
        });

        it('when the key is that of another one', async () => {
          await deployWith({ foreignKey: true });
          await refused(/^The private key does not belong to the certificate/);
          assert.equal((await requests(operation)).length, 0);
        });

        it('when the passphrase is wrong, or missing', async () => {
          await deployWith({ passphrase: 'right' }, { passphrase: 'wrong' });
          await refused(/^The private key cannot be decrypted: check its passphrase/);
          await deployWith({ passphrase: 'right' }, { passphrase: '' });
          await refused(/^The private key is encrypted: enter its passphrase/);
        });

        for (const [text, certdata, keydata, message] of [
          ['no certificate', 'none', undefined, /has no certificate in PEM form/],
          [
            'a broken certificate',
            '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
            undefined,
            /certificate .* cannot be read/
          ],
          ['no key', undefined, 'none', /has no private key in PEM form/],
          [
            'a broken key',
            undefined,
            '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----',
            /private key .* cannot be read/
          ],
          [
            'an endless beginning',
            '-----BEGIN CERTIFICATE-----'.repeat(20_000),
            undefined,
            /certificate .* cannot be read/
          ]
        ] as const) {
          it(`when the TLS configuration has ${text}`, async () => {
            const { certificate, key } = device;
            await deploy(properties(), { certdata: certdata ?? certificate, keydata: keydata ?? key });
            await refused(message);
          });
        }

        it('when it has been revoked', async () => {
          const revoked = await bench.aws.makeDevice();
          await bench.aws.revoke(revoked.certificate);
          await deploy(properties(), pasted(revoked));
          const { statusCode } = await refused(
            /does not know this certificate, or it is not active|has been revoked/,
            'AccessDeniedException'
          );
          assert.equal(statusCode, 403);
        });

        for (const [text, path, message] of [
          ['is missing', 'no/such.pem', /^The file ".*such.pem" of the TLS configuration does not exist/],
          ['is a folder', '.', /is not a file/],
          ['is far too large', 'large.pem', /has more than 1024 KiB/]
        ] as const) {
          it(`when a file ${text}`, async () => {
            const cert = join(dirname(env.file('large.pem', 'x'.repeat(1024 * 1024 + 1))), path);
            const key = env.file('key.pem', device.key);
            await deploy(properties(), {}, [tlsNode({ cert, key })]);
            await refused(message);
          });
        }

        it('when a file is a pipe, which nobody writes to', async function () {
          if (process.platform === 'win32') this.skip();
          const key = env.file('key.pem', device.key);
          await deploy(properties(), {}, [tlsNode({ cert: env.file('cert.pem', device.certificate), key })]);
          rmSync(key);
          execFileSync('mkfifo', [key]);
          await refused(/is not a file/);
        });

        it('when its TLS configuration does not exist, or is disabled', async () => {
          await deploy(properties(), {}, []);
          await refused(/^The TLS configuration of this aws-account does not exist/);
          assert.deepEqual(said('error').length, 1, 'one error at start');
          await deploy(properties(), {}, [tlsNode({ d: true })]);
          await refused(/^The TLS configuration “broker” does not run: enable it/);
        });
      });
    }

    it('by IoT Core when that does not know it', async () => {
      await deploy(iot(), pasted(await bench.aws.makeDevice({ status: 'unknown' })));
      await refused(/^The credentials provider has ended the connection without an answer: it does not take/);
    });

    it('by IoT Core in the TLS handshake', async () => {
      const alerts = { 40: 'handshake failure', 42: 'bad certificate', 45: 'certificate expired', 48: 'unknown ca' };
      for (const [code, words] of Object.entries(alerts)) {
        // Answers whatever comes by a fatal alert.
        const server = createTcpServer((socket) => {
          const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, Number(code)]);
          socket.on('error', () => undefined).once('data', () => socket.end(alert));
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        await deploy(iot({ credentialEndpoint: `localhost:${port}` }));
        const start = 'The credentials provider refuses the certificate in the TLS handshake';
        const { retryable } = await refused(new RegExp(`^${start} \\(${words}\\): check that it is registered`));
        assert.equal(retryable, false);
        server.close();
      }
    });

    it('by IoT Core when its thing, its policy, its alias or the role is wrong', async () => {
      const allowed = ['nimbus-device', 'nimbus-missing', 'nobody'];
      const limited = pasted(await bench.aws.makeDevice({ things: ['pump'], aliases: allowed }));
      await deploy(iot({ thingName: 'pump' }), limited);
      succeeded(await invoke());
      await deploy(iot({ thingName: 'meter' }), limited);
      await refused(
        /^The certificate is not attached to this thing.* \(Invalid thing name passed\)$/,
        'AccessDeniedException'
      );
      await deploy(iot({ roleAlias: 'other' }), limited);
      await refused(/^No policy of the certificate allows iot:AssumeRoleWithCertificate/, 'AccessDeniedException');
      await deploy(iot({ roleAlias: 'nobody' }), limited);
      await refused(/^There is no such role alias/, 'ResourceNotFoundException');
      await deploy(iot({ roleAlias: 'nimbus-missing' }), limited);
      await refused(/^AWS IoT Core cannot assume the role of the alias/, 'InvalidRequestException');
    });

    it('by Roles Anywhere when it does not lead to the trust anchor', async () => {
      const { certificate: certdata, key: keydata } = device;
      const withoutChain = { certdata, keydata };
      for (const [properties, stored] of [
        [anywhere(), pasted(await bench.aws.makeDevice({ authority: 'stranger' }))],
        [anywhere(), withoutChain],
        [anywhere({ trustAnchorArn: trustAnchors.other }), pasted(device)]
      ] as const) {
        await deploy(properties, stored);
        await refused(/^The certificate does not lead to the trust anchor/, 'AccessDeniedException');
      }
    });

    it('by Roles Anywhere when the anchor, the profile or the role is wrong', async () => {
      const other = (arn: string) => arn.replace(/.$/, '9');
      const wrong = async (properties: Record<string, unknown>, message: RegExp, name: string) => {
        await deploy(anywhere(properties));
        await refused(message, name);
      };
      const missing = 'ResourceNotFoundException';
      await wrong({ trustAnchorArn: other(trustAnchors.devices) }, /^There is no such trust anchor/, missing);
      await wrong({ profileArn: other(profiles.devices) }, /^There is no such profile/, missing);
      const denied = 'AccessDeniedException';
      await wrong({ profileArn: profiles.disabled }, /^The profile or the trust anchor is disabled/, denied);
      await wrong({ certificateRoleArn: roles.demo.arn }, /^The role cannot be assumed: the profile has to/, denied);
      await wrong({ sessionName: 'pump' }, /^The profile does not allow a session name: clear it/, denied);
    });

    it('by Roles Anywhere when its key is neither RSA nor EC', async () => {
      await deploy(anywhere(), pasted(await bench.aws.makeDevice({ key: 'ed25519' })));
      await refused(/^IAM Roles Anywhere takes RSA and EC keys only/);
    });
  });

  it('gives a session of Roles Anywhere its name and duration', async () => {
    await deploy(anywhere({ profileArn: profiles.named, sessionName: 'pump-7', duration: 7200 }));
    succeeded(await invoke());
    const [session] = await requests('CreateSession');
    assert.deepEqual(session?.input, {
      durationSeconds: 7200,
      profileArn: profiles.named,
      roleArn: roles.device.arn,
      trustAnchorArn: trustAnchors.devices,
      roleSessionName: 'pump-7'
    });
  });

  it('says who it is at start, in the region of the trust anchor', async () => {
    await deploy(anywhere({ validate: true, region: '' }));
    await bench.red.until(() => said('info', 'warn').length > 0, 'the log');
    assert.match(
      said('info', 'warn').join(),
      /^signed in to account 111111111111 as arn:aws:sts::111111111111:assumed-role\/nimbus-device\/[0-9a-f]+, region us-east-1$/
    );
  });

  it('takes odd names and serial numbers, and many certificates beside its own', async () => {
    const odd = { subject: { CN: 'a\r\nb=c, "ü"/\u202e', O: '' }, serial: String(2n ** 159n - 1n) };
    for (const properties of [iot(), anywhere()]) {
      await deploy(properties, pasted(await bench.aws.makeDevice(odd)));
      succeeded(await invoke());
    }
    const { certificate, chain, key: keydata } = device;
    const certdata = certificate + `${places.ca}not a certificate\n`.repeat(600) + chain;
    await deploy(anywhere(), { certdata, keydata, cadata: chain });
    succeeded(await invoke());
    const negative = await bench.aws.makeDevice({ serial: '-5' });
    await deploy(anywhere(), pasted(negative));
    assert.match((await failure()).message, /^IAM Roles Anywhere does not take this certificate/);
  });

  it('warns in the log that the certificate ends soon, not again for the next sign-in', async () => {
    await deploy(iot(), pasted(await bench.aws.makeDevice({ subject: { CN: 'late' }, to: 29 })));
    succeeded(await invoke());
    await pass(3700);
    succeeded(await invoke());
    assert.equal((await requests('AssumeRoleWithCertificate')).length, 2);
    assert.deepEqual(
      said('warn').map((text) => text.replace(/20.*Z/, 'T')),
      ['The certificate CN=late ends on T: replace it in time.']
    );
    await deploy(iot(), pasted(device));
    bench.red.clearLogs();
    succeeded(await invoke());
    assert.deepEqual(said('warn'), []);
  });

  it('of a few days is not said to end soon before a third of its time is left', async () => {
    const endsSoon = async (from: number, to: number) => {
      const { certificate: cert, key } = await bench.aws.makeDevice({ from, to });
      return summaryOf(parseCertificate({ cert, key }), Date.now()).endsSoon;
    };
    assert.deepEqual(
      [await endsSoon(-0.5, 0.5), await endsSoon(-0.7, 0.3), await endsSoon(-1, 29)],
      [false, true, true]
    );
  });

  describe('in a PFX file', () => {
    const properties = { certType: 'pfx', verifyservercert: true };
    const { passphrase } = pfx;
    let authorities: string[] | undefined;

    before(async function () {
      // A TLS configuration with a PFX file has no CA, so that the root of the server has to be one of Node.js's own.
      if (!tls.setDefaultCACertificates) return this.skip();
      authorities = tls.getCACertificates('default');
      tls.setDefaultCACertificates([...authorities, places.ca]);
      await bench.aws.register(pfx.certificate);
    });
    after(() => authorities && tls.setDefaultCACertificates(authorities));

    const file = (name: string, text: string) => {
      const p12 = env.file(name, '');
      writeFileSync(p12, Buffer.from(text, 'base64'));
      return [tlsNode({ ...properties, p12 })];
    };

    it('signs in to AWS IoT Core', async () => {
      await deploy(iot({ validate: true }), { passphrase }, file('device.pfx', pfx.pfx));
      succeeded(await invoke());
      assert.equal((await requests('AssumeRoleWithCertificate')).length, 1);
    });

    it('is refused where it is broken, old or has another passphrase, and by Roles Anywhere', async () => {
      const refused = async (message: RegExp) => {
        const { name, message: text } = await failure();
        assert.match(text, message);
        assert.equal(name, 'CertificateError');
      };
      await deploy(iot(), { passphrase: 'another one' }, file('device.pfx', pfx.pfx));
      await refused(/^The PFX file cannot be decrypted: check its passphrase/);
      for (const text of ['bm90aGluZw==', pfx.old]) {
        await deploy(iot(), { passphrase }, file('device.pfx', text));
        await refused(/^The PFX file of the TLS configuration cannot be read/);
      }
      await deploy(anywhere(), { passphrase }, file('device.pfx', pfx.pfx));
      await refused(/^IAM Roles Anywhere cannot be used with a PFX file/);
    });
  });

  describe('in the course of time', () => {
    const three = (): FlowNode[] => [invokeNode(), invokeNode({ id: 'second' }), listNode(), sink('out')];
    const useAll = async () => {
      const all = ['invoke', 'second', 'list'].map((id) => bench.red.send(id, { payload: {} }));
      (await Promise.all(all)).forEach(succeeded);
    };
    const sessions = async (finished = 0) => {
      if (finished) await bench.aws.until({ operation: 'CreateSession', requests: finished, finished: true });
      return (await requests('CreateSession')).length;
    };
    const keyOfLast = async () => (await requests('Invoke')).at(-1)?.accessKeyId;

    it('lives through a week with 20 renewals and a new certificate, with one exchange each, and no message fails', async () => {
      const write = (each: Device) => ({
        cert: env.file('cert.pem', each.certificate + each.chain),
        key: env.file('key.pem', each.key)
      });
      const first = await bench.aws.makeDevice({ key: 'rsa', to: 30 });
      // A third of a day and a bit: 20 of them make a week.
      const lifetime = 30_240;
      const properties = anywhere({ duration: lifetime });
      await bench.red.deploy([tlsNode(write(first)), account(bench, properties), ...three()]);
      const keys = new Set<string | undefined>();
      await useAll();
      keys.add(await keyOfLast());
      for (let renewals = 1; renewals <= 20; renewals += 1) {
        if (renewals === 10) {
          write(await bench.aws.makeDevice({ subject: { CN: 'new' } }));
          await bench.aws.revoke(first.certificate);
        }
        await pass(lifetime - 120);
        await useAll();
        assert.equal(await sessions(1 + renewals), 1 + renewals);
        await bench.red.until(async () => {
          await useAll();
          const key = await keyOfLast();
          return key !== undefined && !keys.has(key) && keys.add(key);
        }, 'the new credentials to be used');
      }
      assert.deepEqual([await sessions(), keys.size], [21, 21]);
      assert.ok(20 * (lifetime - 120) > 6.9 * 24 * 3600);
      // At the start, and at the first renewal of each of the three days until there was a new one.
      assert.deepEqual(
        said('warn').map((text) => text.split(' on ', 1)[0]),
        Array(4).fill('The certificate CN=device ends')
      );
    });

    it('goes on with what is still valid where a renewal fails, and says so once', async () => {
      await bench.red.deploy([tlsNode(), account(bench, anywhere()), ...three()], {
        credentials: { tls: pasted(device) }
      });
      await useAll();
      await bench.aws.fault({ service: 'rolesanywhere', kind: 'error500' });
      await pass(3500);
      await bench.red.until(async () => {
        await useAll();
        return said('warn').length > 0;
      }, 'a renewal to fail');
      const failed = await sessions();
      await useAll();
      assert.equal(said('warn').length, 1);
      assert.match(
        said('warn')[0] ?? '',
        /^The credentials could not be renewed; the old ones are used as long as they are valid\. InternalFailure: /
      );
      await bench.aws.clearFaults();
      await pass(61);
      await useAll();
      await bench.red.until(async () => (await sessions()) > failed, 'the renewal');
      await useAll();
    });

    for (const ms of [-400, 400].map((days) => days * 24 * 3_600_000)) {
      it(`signs in although the clock of this machine is ${Math.abs(ms) / 86_400_000} days ${ms < 0 ? 'behind' : 'ahead'}`, async () => {
        setClock(ms);
        await bench.red.deploy([tlsNode(), account(bench, anywhere()), ...three()], {
          credentials: { tls: pasted(device) }
        });
        await useAll();
        assert.equal(await sessions(), 2, 'one that AWS refused for its time');
      });
    }
  });

  describe('with a TLS configuration', () => {
    const tabs = (tls: FlowNode[], id: string): FlowNode[] => [
      ...tls,
      account(bench, iot({ tls: id })),
      invokeNode(),
      sink('out')
    ];

    for (const [how, id] of [
      ['its id', 'tls'],
      ['a variable', '${DEVICE_TLS}']
    ] as const) {
      it(`named by ${how}, that is changed, disabled or deleted, knows it from its deployment on`, async () => {
        env.set({ DEVICE_TLS: 'tls' });
        const type = 'nodes' as const;
        await bench.red.deploy(tabs([tlsNode()], id), { credentials: { tls: pasted(device) } });
        succeeded(await invoke());
        const other = await bench.aws.makeDevice({ status: 'inactive' });
        await bench.red.deploy(tabs([tlsNode({ name: 'other' })], id), { credentials: { tls: pasted(other) }, type });
        assert.match((await failure()).message, /^AWS IoT Core does not know this certificate/);
        await bench.red.deploy(tabs([tlsNode()], id), { credentials: { tls: pasted(device) }, type });
        succeeded(await invoke());
        await bench.red.deploy(tabs([tlsNode({ d: true })], id), { credentials: { tls: pasted(device) }, type });
        assert.match((await failure()).message, /does not run/);
        await bench.red.deploy(tabs([], id), { type });
        assert.match((await failure()).message, /does not exist/);
      });
    }

    it('whose certificate stands in variables signs in', async function () {
      // Node-RED 4 knows no such kind.
      if (process.env.NODE_RED === '4') this.skip();
      env.set({ DEVICE_CERT: device.certificate + device.chain, DEVICE_KEY: device.key, DEVICE_CA: places.ca });
      const named = { certType: 'env', certEnv: 'DEVICE_CERT', keyEnv: 'DEVICE_KEY', caEnv: 'DEVICE_CA' };
      await deploy(iot(), {}, [tlsNode(named)]);
      succeeded(await invoke());
    });
  });

  describe('through a proxy', () => {
    let proxy: Server;
    const asked: string[] = [];

    beforeEach(async function () {
      if (!canUseProxies) return this.skip();
      asked.length = 0;
      // Opens each tunnel to the credentials provider, whatever its name is.
      proxy = createServer().on('connect', (incoming, socket) => {
        asked.push(incoming.url ?? '');
        const onward = connect(Number(places.credentialEndpoint.split(':')[1]), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
          socket.pipe(onward).pipe(socket);
        });
        onward.on('error', () => socket.destroy());
        socket.on('error', () => onward.destroy()).once('close', () => onward.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const { port } = proxy.address() as AddressInfo;
      env.set({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
    });
    afterEach(() => void proxy?.close());

    it('shows its certificate to AWS’s own host, whose region counts where the account has none', async () => {
      const credentialEndpoint = 'c1abc.credentials.iot.eu-west-1.amazonaws.com';
      await deploy(iot({ credentialEndpoint, region: '', validate: true }));
      await bench.red.until(() => said('info', 'warn').length > 0, 'the log');
      assert.match(said('info', 'warn').join(), /^signed in to account 111111111111 .* region eu-west-1$/);
      assert.deepEqual(asked, [`${credentialEndpoint}:443`]);
    });

    it('still checks the server: one that is not AWS gets no certificate', async () => {
      const credentialEndpoint = 'other.credentials.iot.ap-east-1.amazonaws.com';
      await deploy(iot({ credentialEndpoint }));
      assert.match((await failure()).name, /^ERR_TLS_CERT_ALTNAME_INVALID$/);
      const { certificate: certdata, chain, key: keydata } = device;
      await deploy(iot(), { certdata: certdata + chain, keydata, cadata: '' });
      assert.match((await failure()).name, /CERT|SIGNATURE/);
    });
  });

  describe('that lacks something', () => {
    const arns = {
      trustAnchorArn: trustAnchors.devices,
      profileArn: profiles.devices,
      certificateRoleArn: roles.device.arn
    };
    const rows: [what: string, properties: () => Record<string, unknown>, message: RegExp][] = [
      ['its TLS configuration', () => iot({ tls: '' }), /^MissingValue: TLS configuration \(tls\) is required/],
      ['an endpoint', () => iot({ credentialEndpoint: '' }), /^MissingValue: Credential endpoint/],
      [
        'a host for the endpoint',
        () => iot({ credentialEndpoint: 'https://a/b' }),
        /^InvalidValue: Credential endpoint/
      ],
      ['an address that exists', () => iot({ credentialEndpoint: '256.1.1.1' }), /^InvalidValue: Credential endpoint/],
      ['a role alias', () => iot({ roleAlias: '' }), /^MissingValue: Role alias/],
      ['a name for its alias', () => iot({ roleAlias: 'a/../b\r\nc' }), /^InvalidValue: Role alias/],
      ['a name for its thing', () => iot({ thingName: 'two words' }), /^InvalidValue: Thing name/],
      ...Object.keys(arns).flatMap((name): typeof rows => [
        [`its ${name}`, () => anywhere({ [name]: '' }), /^MissingValue: /],
        [`an ARN for its ${name}`, () => anywhere({ [name]: 'arn:aws:s3:::bucket' }), /^InvalidValue: /]
      ]),
      ['a session name', () => anywhere({ sessionName: 'two words' }), /^InvalidValue: Session name/],
      ['a duration', () => anywhere({ duration: 899 }), /^InvalidValue: Duration/]
    ];
    for (const [what, properties, message] of rows) {
      it(`says so once at start, and to each message: ${what}`, async () => {
        await deploy({ ...properties(), validate: true });
        const [name = ''] = said('error', 'warn').map((text) => text.replace(/^\[[^\]]*\] /, ''));
        assert.match(name, message);
        assert.equal(said('error', 'warn').length, 1);
        assert.equal(`${(await failure()).name}:`, name.split(' ', 1)[0]);
      });
    }

    it('takes no notice of what belongs to the other exchange, or to another sign-in', async () => {
      await deploy(
        iot({ trustAnchorArn: 'x', profileArn: 'y', certificateRoleArn: 'z', duration: 1, sessionName: '?' })
      );
      succeeded(await invoke());
      await deploy(anywhere({ credentialEndpoint: '//', roleAlias: '/', thingName: ' ' }));
      succeeded(await invoke());
    });
  });

  describe('in the connection test', () => {
    async function test(properties: Record<string, unknown>): Promise<Record<string, unknown>> {
      const { id, type, name, ...own } = account(bench, properties);
      void [type, name];
      const answer = await bench.red.request('aws-account/test', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, properties: own, credentials: {} })
      });
      return (await answer.json()) as Record<string, unknown>;
    }

    it('says whose certificate it is and when it ends, before the account is deployed', async () => {
      const { certificate, key, chain } = await bench.aws.makeDevice({ subject: { CN: 'gate', O: 'Nimbus' }, to: 20 });
      await bench.red.deploy([tlsNode()], { credentials: { tls: pasted({ certificate, key, chain }) } });
      const found = await test(iot({ region: '' }));
      assert.equal(found.account, '111111111111');
      assert.deepEqual(found.certificate, {
        subject: 'CN=gate, O=Nimbus',
        issuer: 'CN=Local AWS devices, O=Nimbus',
        validTo: new Date(new X509Certificate(certificate).validTo).toISOString(),
        endsSoon: true
      });
    });

    it('says so, too, where AWS refuses it, and what to do', async () => {
      await bench.red.deploy([tlsNode()], { credentials: { tls: pasted(device) } });
      const { refusal, certificate } = await test(iot({ thingName: 'meter' }));
      assert.deepEqual(refusal, {
        kind: 'denied',
        name: 'AccessDeniedException',
        message:
          'The certificate is not attached to this thing: attach it in AWS IoT Core, or correct or clear the thing name. (Invalid thing name passed)'
      });
      assert.equal((certificate as { subject: string }).subject, 'CN=pump, O=Nimbus');
    });

    it('says where a TLS configuration is not deployed yet', async () => {
      const { refusal } = await test(iot());
      assert.deepEqual(refusal, {
        kind: 'certificate',
        name: 'CertificateError',
        message:
          'The TLS configuration of this aws-account does not exist, or is not deployed yet: deploy it, or choose another one.'
      });
    });
  });
});
