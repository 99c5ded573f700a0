import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Devices } from '../../local-aws/certificates/devices';
import { rolesAnywhere } from '../../local-aws/certificates/roles-anywhere';
import { type CertificatePlaces, type Device, LocalAws, roles } from '../../local-aws/client';
import { AwsError } from '../../local-aws/server/aws-error';
import { readCall } from '../../local-aws/server/call';
import { Principals } from '../../local-aws/server/sign-ins';
import recorded from '../account/signed-sessions.json';

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: string;
}

interface Answer {
  status?: number | undefined;
  errorType?: unknown;
  body: { message?: string; credentials?: Credentials };
}

describe('Certificates in the local AWS', () => {
  let aws: LocalAws;
  let places: CertificatePlaces;

  before(async () => {
    aws = await LocalAws.start();
    places = await aws.certificatePlaces();
  });
  after(() => aws.stop());

  /** Asks the credentials provider of IoT Core, as curl would. */
  function ask(device: Partial<Device>, alias = 'nimbus-device', options: RequestOptions = {}): Promise<Answer> {
    const [host, port] = places.credentialEndpoint.split(':');
    return new Promise((resolve, reject) => {
      const { certificate: cert = '', chain = '', key } = device;
      const client = key ? { key, cert: cert + chain } : {};
      const path = `/role-aliases/${alias}/credentials`;
      const sent = request({ host, port, path, ca: places.ca, agent: false, ...client, ...options }, (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => {
          text += part;
        });
        answer.on('end', () =>
          resolve({
            status: answer.statusCode,
            errorType: answer.headers['x-amzn-errortype'],
            body: JSON.parse(text) as Answer['body']
          })
        );
      });
      sent.on('error', reject);
      sent.end();
    });
  }
  const refusal = async (device: Partial<Device>, alias?: string, options?: RequestOptions) => {
    const { status, errorType, body } = await ask(device, alias, options);
    return [status, errorType, body.message];
  };

  it('give credentials that the other services take, and that assume roles for an hour', async () => {
    const { status, body } = await ask(await aws.makeDevice());
    assert.equal(status, 200);
    const { expiration, ...credentials } = body.credentials as Credentials;
    assert.ok(Date.parse(expiration) > Date.now());
    const sts = new STSClient({ endpoint: aws.url, region: 'us-east-1', credentials });
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    assert.match(Arn ?? '', /^arn:aws:sts::111111111111:assumed-role\/nimbus-device\/[0-9a-f]{64}$/);
    const role = { RoleArn: roles.demo.arn, RoleSessionName: 'test' };
    await sts.send(new AssumeRoleCommand(role));
    await assert.rejects(sts.send(new AssumeRoleCommand({ ...role, DurationSeconds: 7200 })), /role chaining/);
    sts.destroy();
  });

  it('are refused as IoT Core refuses them', async () => {
    const thing = (name: string) => ({ headers: { 'x-amzn-iot-thingname': name } });
    const device = await aws.makeDevice({ things: ['pump'], aliases: ['nimbus-device', 'nimbus-missing', 'nobody'] });
    assert.equal((await ask(device, 'nimbus-device', thing('pump'))).status, 200);
    const denied = [403, 'AccessDeniedException'];
    assert.deepEqual(await refusal(device, undefined, thing('meter')), [...denied, 'Invalid thing name passed']);
    assert.deepEqual(await refusal(device, 'other'), [...denied, 'Access Denied']);
    assert.deepEqual(await refusal(device, 'nobody'), [404, 'ResourceNotFoundException', 'Role alias does not exist']);
    assert.equal((await refusal(device, 'nimbus-missing'))[1], 'InvalidRequestException');
    await aws.revoke(device.certificate);
    assert.deepEqual(await refusal(device), [...denied, 'Certificate is invalid on this endpoint']);
  });

  it('need a connection with a server name and a certificate that is known and valid', async () => {
    const device = await aws.makeDevice();
    const port = places.credentialEndpoint.split(':')[1];
    await assert.rejects(ask(device, undefined, { host: '127.0.0.1', port }), { code: 'ECONNRESET' });
    await assert.rejects(ask({}), { code: 'ECONNRESET' });
    await assert.rejects(ask(await aws.makeDevice({ status: 'unknown' })), { code: 'ECONNRESET' });
    await assert.rejects(ask(await aws.makeDevice({ from: -3, to: -1 })), { code: 'ECONNRESET' });
    const response = await fetch(`${aws.url}/role-aliases/nimbus-device/credentials`);
    assert.equal(response.status, 403, 'without TLS');
  });

  for (const { source, date, url, contentType, body, certificates, authorization } of recorded.requests) {
    const [kind = ''] = authorization.split(' ');
    it(`are checked by the signature that ${source.split(/[ ,]/, 2).join(' ').trim()} makes with ${kind}`, () => {
      const { pathname, search, host } = new URL(url);
      const check = (content: string) => {
        const [certificate, ...chain] = certificates;
        const headers = {
          'content-type': contentType,
          host,
          'x-amz-date': date,
          'x-amz-x509': certificate,
          ...(chain.length > 0 && { 'x-amz-x509-chain': chain.join(',') }),
          authorization
        };
        const wire = { requestId: randomUUID(), method: 'POST', url: pathname + search, headers };
        return rolesAnywhere(readCall({ ...wire, body: Buffer.from(content) }), {
          principals: new Principals(),
          devices: new Devices(),
          now: () => Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')),
          temporaryCredentialsSeconds: undefined
        });
      };
      const error = (text: string) => (thrown: unknown) => thrown instanceof AwsError && thrown.message.includes(text);
      assert.throws(() => check(body), error('Trust anchor not found'));
      assert.throws(() => check(`${body} `), error('does not match the signature'));
    });
  }
});
