import assert from 'node:assert/strict';
import { deployAction, invokeNode, publishNode, sendNode, useBench } from '../aws';
import type { NodeError } from '../node-red';
import { useRelay } from '../relay';

const pending =
  'The operation cannot be performed at this time. The function is currently in the following state: Pending';
const failed = 'The function is currently in the following state: Failed';

/** What AWS answers to `Invoke`: error, HTTP status, text. */
const refusals: Record<'passing' | 'lasting', [name: string, status: number, message?: string][]> = {
  passing: [
    ['TooManyRequestsException', 429],
    ['EC2ThrottledException', 502],
    ['KMSThrottlingException', 400],
    ['LimitExceededException', 400],
    ['SnapStartNotReadyException', 409],
    ['CodeArtifactUserPendingException', 409],
    ['ResourceConflictException', 409, pending],
    ['ResourceNotReadyException', 502],
    ['ENINotReadyException', 502],
    ['EFSMountTimeoutException', 408],
    ['SnapStartTimeoutException', 408],
    ['ServiceException', 500]
  ],
  lasting: [
    ['ResourceConflictException', 409, failed],
    ['ResourceConflictException', 409, 'The resource already exists.'],
    ['ResourceNotFoundException', 404],
    ['KMSAccessDeniedException', 502],
    ['InvalidSubnetIDException', 502],
    ['InvalidRuntimeException', 502],
    ['SnapStartException', 400],
    ['RecursiveInvocationException', 400],
    ['CodeArtifactUserFailedException', 409]
  ]
};

/** Whether an error says that the same request may succeed later. */
describe('retryable', () => {
  const bench = useBench();
  const relay = useRelay(bench);

  async function failing(node: ReturnType<typeof invokeNode>): Promise<NodeError> {
    await deployAction(bench, node, { endpoint: relay.url });
    const { error, done } = await bench.red.send(node.id, { payload: 'hello' });
    assert.equal(done, 1);
    assert.ok(error);
    return error;
  }

  for (const [kind, rows] of Object.entries(refusals)) {
    for (const [name, status, message = name] of rows) {
      it(`is ${kind === 'passing'} for ${name} of Lambda: ${message}`, async () => {
        relay.answer = () => ({ status, errorType: name, body: JSON.stringify({ message }) });
        const error = await failing(invokeNode());
        assert.deepEqual([error.name, error.retryable], [name, kind === 'passing']);
        if (kind === 'lasting') assert.doesNotMatch(error.message, /again/);
        else assert.match(error.message, /try again|send fewer|EFS|SnapStart/);
      });
    }
  }

  for (const [name, expected] of [
    ['KmsThrottled', true],
    ['RequestThrottled', true],
    ['OverLimit', true],
    ['QueueDeletedRecently', true],
    ['KmsAccessDenied', false],
    ['KmsDisabled', false]
  ] as const) {
    for (const batch of [true, false]) {
      it(`is ${expected} for ${name} of SQS${batch ? ', in a batch' : ''}`, async () => {
        relay.answer = () => ({ status: 400, errorType: name, body: JSON.stringify({ __type: name, message: name }) });
        const queue = 'https://sqs.us-east-1.amazonaws.com/111111111111/orders';
        const error = await failing(sendNode({ queue, batch }));
        assert.deepEqual([error.name, error.retryable], [name, expected]);
      });
    }
  }

  for (const [name, expected] of [
    ['KMSThrottling', true],
    ['Throttled', true],
    ['ConcurrentAccess', true],
    ['KMSAccessDenied', false]
  ] as const) {
    it(`is ${expected} for ${name} of SNS`, async () => {
      const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${name}</Code><Message>no</Message></Error></ErrorResponse>`;
      relay.answer = () => ({ status: 400, body, headers: { 'Content-Type': 'text/xml' } });
      const error = await failing(publishNode({ target: 'arn:aws:sns:us-east-1:111111111111:alerts' }));
      assert.deepEqual([error.name.startsWith(name), error.retryable], [true, expected]);
    });
  }
});
