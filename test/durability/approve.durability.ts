/** Orders that wait for somebody, while the Node-RED that has asked is killed. */
import assert from 'node:assert/strict';
import { keysOf } from '../aws';
import type { FlowNode } from '../node-red';
import { type Runner, useFleet } from './fleet';

const count = 20;
/** Seconds that a question stays hidden when its process has gone. */
const visibilityTimeout = 5;

describe('durable orders', () => {
  const fleet = useFleet();

  const flow = (nodes: FlowNode[]): FlowNode[] => [
    { id: 'tab', type: 'tab', label: 'Orders' },
    {
      id: 'account',
      type: 'aws-account',
      source: 'keys',
      region: 'us-east-1',
      endpoint: fleet.aws.url,
      validate: false,
      credentials: keysOf('demo')
    },
    ...nodes.map((node) => ({ z: 'tab', x: 0, y: 0, wires: [], account: 'account', ...node }))
  ];
  const order = {
    id: 'entry-order',
    type: 'aws-lambda-invoke',
    functionName: 'approve:live',
    invocationType: 'Event',
    durableName: '"order-" & n',
    durableNameType: 'jsonata'
  };
  const question = {
    id: 'question',
    type: 'aws-sqs-receive',
    queue: 'approvals',
    settle: 'flow',
    maxInFlight: 100,
    waitTime: 1,
    visibilityTimeout
  };
  const answer = { id: 'answer', type: 'aws-lambda-callback', callbackId: 'payload.callbackId', callbackIdType: 'msg' };

  it('are answered by another Node-RED after the one that has asked was killed, each once', async () => {
    const { aws, ledger, queues } = fleet;
    const numbersAt = (name: string) => ledger.receipts.filter(({ node }) => node === name).map(({ n }) => n);
    const [before] = (await fleet.start('before')) as [Runner];
    // What goes nowhere is not noted.
    const nobody = { id: 'nobody', type: 'junction' };
    await before.deploy(flow([order, { ...question, wires: [['nobody']] }, nobody]));
    await before.feed({ count, window: count });
    await ledger.until(() => new Set(numbersAt('question')).size === count, 'all questions');
    await before.kill();

    const [after] = (await fleet.start('after')) as [Runner];
    const settle = { id: 'settle', type: 'aws-sqs-settle', action: 'delete' };
    const decision = { id: 'decision', type: 'aws-sqs-receive', queue: 'decisions', waitTime: 1, wires: [['nobody']] };
    await after.deploy(
      flow([{ ...question, wires: [['answer']] }, { ...answer, wires: [['settle']] }, settle, decision, nobody])
    );
    await ledger.until(() => new Set(numbersAt('decision')).size === count, 'all decisions');
    const left = () => queues.size(`${aws.url}/111111111111/approvals`);
    await ledger.until(async () => (await left()) === 0, 'no question left');
    assert.deepEqual(
      numbersAt('decision').sort((one, other) => one - other),
      Array.from({ length: count }, (_, n) => n)
    );
    const answers = (await aws.requests()).filter(({ operation }) => operation.endsWith('CallbackSuccess'));
    assert.equal(answers.filter(({ status }) => status === 200).length, count);
  });
});
