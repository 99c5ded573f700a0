import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListCollectionsCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { LocalAws, signIns } from '../../local-aws/client';
import { SqsError, sqsErrorAnswer } from '../../local-aws/messaging/sqs-rules';
import { AwsError, errorAnswer } from '../../local-aws/server/aws-error';
import type { Answer, ServiceCall } from '../../local-aws/server/call';
import { checkError, queryErrorOf } from '../../local-aws/server/schema';

type Thrown = Error & { Code?: string; $metadata: { httpStatusCode?: number } };
interface Client {
  send(command: unknown): Promise<unknown>;
  destroy(): void;
}

const { accessKeyId, secretAccessKey } = signIns.demo;
const settings = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey }
});
const thrownBy = (client: Client, command: unknown): Promise<Thrown> =>
  client.send(command).then(
    () => assert.fail('It answered.'),
    (error: Thrown) => error
  );
/** The names of the errors that an SDK's client has a class for. */
const modelled = (client: object) =>
  Object.entries(client)
    .filter(([, schema]) => Array.isArray(schema) && schema[0] === -3)
    .map(([name]) => name.slice(0, -1))
    .filter((name) => !name.endsWith('ServiceException'));

describe('The errors of the local AWS', () => {
  /** What the SDK makes of an answer. */
  async function readBack(answer: Answer, Kind: new (options: object) => Client, command: unknown): Promise<Thrown> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new Kind(settings(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    try {
      return await thrownBy(client, command);
    } finally {
      client.destroy();
      server.close();
      server.closeAllConnections();
    }
  }
  const call = (service: string, protocol: ServiceCall['protocol']) =>
    ({ service, protocol, requestId: 'request' }) as unknown as ServiceCall;

  it('are those of SQS by the name, the status and the older code that its model has', async () => {
    for (const name of modelled(sqs)) {
      const answer = sqsErrorAnswer(call('sqs', 'json-1.0'), new SqsError(name, 'It failed.'));
      const thrown = await readBack(answer, sqs.SQSClient as never, new sqs.ListQueuesCommand({}));
      const [code, status] = queryErrorOf('sqs', name) ?? [name, 400];
      assert.deepEqual([thrown.name, thrown.constructor.name], [name, name]);
      assert.deepEqual([thrown.Code, thrown.$metadata.httpStatusCode], [code, status]);
      assert.equal(JSON.parse(String(answer.body)).__type, `com.amazonaws.sqs#${name}`);
    }
  });

  it('are those of SNS by the code of its protocol, and by no other name', async () => {
    for (const name of modelled(sns)) {
      const [code, status] = queryErrorOf('sns', name) ?? [name, 400];
      const error = new AwsError(status, code, 'It failed.');
      checkError('sns', error);
      const answer = errorAnswer(call('sns', 'query'), error);
      const thrown = await readBack(answer, sns.SNSClient as never, new sns.ListTopicsCommand({}));
      assert.deepEqual([thrown.constructor.name, thrown.$metadata.httpStatusCode], [name, status]);
      assert.throws(() => checkError('sns', new AwsError(status + 1, code, 'It failed.')), /should be/);
      if (code !== name) assert.throws(() => checkError('sns', new AwsError(status, name, 'It failed.')), /is .* in/);
    }
  });

  describe('for an operation that it does not know', () => {
    let aws: LocalAws;
    before(async () => {
      aws = await LocalAws.start();
    });
    after(() => aws.stop());

    interface Middle {
      middlewareStack: { add(middleware: unknown, options: object): void };
    }
    interface Wired {
      request: { headers: Record<string, string>; path: string; body?: string };
    }
    /** The same command, asking for another operation. */
    function renamed<C extends Middle>(command: C, name: string): C {
      const rename = ({ request }: Wired) => {
        const { headers, body } = request;
        const target = headers['x-amz-target'];
        if (target) headers['x-amz-target'] = target.replace(/\w+$/, name);
        else if (body?.includes('Action=')) {
          request.body = body.replace(/Action=\w+/, `Action=${name}`);
          headers['content-length'] = String(request.body.length);
        } else request.path = `/2015-03-31/${name}`;
      };
      const middleware = (next: (args: Wired) => unknown) => (args: Wired) => {
        rename(args);
        return next(args);
      };
      command.middlewareStack.add(middleware, { step: 'build', priority: 'low', name: 'rename' });
      return command;
    }

    // Some are in every object of JavaScript.
    for (const name of ['Frobnicate', 'toString', 'constructor', '__proto__']) {
      it(`say so for each service: ${name}`, async () => {
        const QueueUrl = `${aws.url}/111111111111/orders`;
        for (const [Kind, command, status, known] of [
          [sqs.SQSClient, new sqs.ListQueuesCommand({}), 400, 'InvalidAction'],
          [sqs.SQSClient, new sqs.GetQueueAttributesCommand({ QueueUrl }), 400, 'InvalidAction'],
          [sns.SNSClient, new sns.ListTopicsCommand({}), 400, 'InvalidAction'],
          [STSClient, new GetCallerIdentityCommand({}), 400, 'InvalidAction'],
          [RekognitionClient, new ListCollectionsCommand({}), 400, 'UnknownOperationException'],
          [LambdaClient, new ListFunctionsCommand({}), 404, 'UnknownOperationException']
        ] as [unknown, Middle, number, string][]) {
          const client = new (Kind as new (options: object) => Client)(settings(aws.url));
          const thrown = await thrownBy(client, renamed(command, name));
          client.destroy();
          assert.deepEqual([thrown.name, thrown.$metadata.httpStatusCode], [known, status]);
          assert.match(thrown.message, new RegExp(`does not know the operation .*${name} of \\w+\\.$`));
        }
      });
    }
  });
});
