import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawPicture } from '../../local-aws/rekognition/drawings';
import {
  account,
  assertFailed,
  credentials,
  detectNode,
  errorOf,
  invokeNode,
  listNode,
  publishNode,
  receiveNode,
  sendNode,
  sentBy,
  settleNode,
  useBench,
  useQueues
} from '../aws';
import type { FlowNode, Outcome } from '../node-red';
import { sink } from '../node-red';
import { setClock, trueTime } from '../set-clock';

interface OperationReport {
  service: string;
  operation: string;
  requests: number;
  failed: number;
  throttled: number;
  units: number;
  cost: number;
  medianMs: number | null;
  p95Ms: number | null;
}

interface Report {
  account: string;
  period: { unit: string; from: string; to: string };
  cost: number;
  budget: number | null;
  left: number | null;
  operations: OperationReport[];
}

const day = 24 * 60 * 60 * 1000;

describe('aws-usage', () => {
  const bench = useBench();
  const queues = useQueues(bench);
  let picture: Buffer;
  let made = 0;
  /** The ID of the account of a test: no two count together. */
  let id: string;

  before(async () => {
    picture = await drawPicture({ things: [] }, { width: 120, height: 90, format: 'jpeg' });
  });
  beforeEach(() => {
    made += 1;
    id = `account-${made}`;
  });

  const usageNode = (properties: Record<string, unknown> = {}): FlowNode => ({
    id: 'usage',
    type: 'aws-usage',
    account: id,
    wires: [['told']],
    ...properties
  });

  /** Deploys nodes with an account of these properties, and one that reports. */
  async function deploy(nodes: FlowNode[], properties: Record<string, unknown> = {}): Promise<void> {
    const all = nodes.map((node) => ({ ...node, account: id }));
    const flow = [
      account(bench, { id, rekognitionRate: 0, ...properties }),
      ...all,
      sink('out'),
      usageNode(),
      sink('told')
    ];
    await bench.red.deploy(flow, { credentials: { [id]: credentials().account } });
  }

  async function report(): Promise<Report> {
    return sentBy(await bench.red.send('usage', { payload: 'any' })).payload as Report;
  }

  async function countsOf(operation: string): Promise<Partial<OperationReport>> {
    const {
      medianMs: _,
      p95Ms: __,
      service: ___,
      operation: ____,
      ...counts
    } = (await report()).operations.find((each) => each.operation === operation) ?? ({} as OperationReport);
    return counts;
  }

  const detect = (): FlowNode => detectNode({ operation: 'labels' });
  const look = (): Promise<Outcome> => bench.red.send('detect', { payload: picture });

  const fileOf = (name: string): string => join(bench.red.userDir, 'nimbus', 'usage', `${name}.json`);
  const kept = (): Promise<unknown> =>
    bench.red.until(() => existsSync(fileOf(id)) && JSON.parse(readFileSync(fileOf(id), 'utf8')), 'the file of counts');

  describe('reports', () => {
    it('what each operation came to, most costly first, and keeps the rest of the message', async () => {
      await deploy([detect(), invokeNode(), listNode()], { name: 'The shed' });
      for (let count = 0; count < 3; count += 1) sentBy(await look());
      sentBy(await bench.red.send('invoke', { payload: {} }));
      sentBy(await bench.red.send('list', {}));
      const told = sentBy(await bench.red.send('usage', { topic: 'kept', aws: { region: 'x' } }));
      assert.equal(told.topic, 'kept');
      assert.deepEqual(told.aws, { region: 'x' });
      const { operations, period, ...rest } = told.payload as Report;
      assert.deepEqual(rest, { account: 'The shed', cost: 0.003, budget: null, left: null });
      const now = new Date(trueTime());
      assert.deepEqual(period, {
        unit: 'month',
        from: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)).toISOString(),
        to: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString()
      });
      assert.deepEqual(
        operations.map(({ medianMs, p95Ms, ...counts }) => {
          assert.ok(medianMs !== null && p95Ms !== null && medianMs > 0 && p95Ms >= medianMs);
          return counts;
        }),
        [
          {
            service: 'rekognition',
            operation: 'DetectLabels',
            requests: 3,
            failed: 0,
            throttled: 0,
            units: 3,
            cost: 0.003
          },
          { service: 'lambda', operation: 'Invoke', requests: 1, failed: 0, throttled: 0, units: 1, cost: 0 },
          { service: 'lambda', operation: 'ListFunctions', requests: 1, failed: 0, throttled: 0, units: 0, cost: 0 }
        ]
      );
    });

    it('under the ID of an account without a name, and nothing where nothing was sent', async () => {
      await deploy([]);
      const { operations, account: name, cost } = await report();
      assert.deepEqual({ operations, name, cost }, { operations: [], name: id, cost: 0 });
    });

    it('without a request, and where the sign-in does not work', async () => {
      await bench.red.deploy([account(bench, { id }), usageNode(), sink('told')]);
      assert.equal((await report()).cost, 0);
      assert.deepEqual(await bench.aws.requests(), []);
    });

    it('AccountMissing where there is no account', async () => {
      await bench.red.deploy([usageNode({ account: '' }), sink('told')]);
      const outcome = await bench.red.send('usage', {});
      assert.equal(errorOf(outcome).name, 'AccountMissing');
      assertFailed(outcome.statuses.at(-1), outcome.error);
    });

    it('the last period too: the day or the month before, in UTC', async () => {
      await deploy([detect()], { budgetPeriod: 'day' });
      setClock(Date.parse('2027-03-01T12:00:00Z') - trueTime());
      sentBy(await look());
      setClock(Date.parse('2027-03-02T00:00:01Z') - trueTime());
      sentBy(await look());
      sentBy(await look());
      const now = await report();
      assert.equal(now.cost, 0.002);
      assert.deepEqual(now.period, { unit: 'day', from: '2027-03-02T00:00:00.000Z', to: '2027-03-03T00:00:00.000Z' });
      await deploy([detect(), usageNode({ id: 'last', period: 'last' })], { budgetPeriod: 'day' });
      const last = sentBy(await bench.red.send('last', {})).payload as Report;
      assert.equal(last.cost, 0.001);
      assert.deepEqual(last.period, { unit: 'day', from: '2027-03-01T00:00:00.000Z', to: '2027-03-02T00:00:00.000Z' });
      await deploy([usageNode({ id: 'last', period: 'last' })], { budgetPeriod: 'month' });
      assert.equal((await report()).cost, 0.003);
      setClock(Date.parse('2027-04-30T23:59:59Z') - trueTime());
      assert.equal((await report()).cost, 0);
      const month = sentBy(await bench.red.send('last', {})).payload as Report;
      assert.deepEqual(month.period, {
        unit: 'month',
        from: '2027-03-01T00:00:00.000Z',
        to: '2027-04-01T00:00:00.000Z'
      });
      assert.equal(month.cost, 0.003);
    });
  });

  describe('counts', () => {
    it('each attempt, also where the SDK repeats it; what is refused costs nothing', async () => {
      await deploy([detect()]);
      await bench.aws.fault({ kind: 'throttle', service: 'rekognition', times: 2 });
      sentBy(await look());
      assert.deepEqual(await countsOf('DetectLabels'), { requests: 3, failed: 2, throttled: 2, units: 1, cost: 0.001 });
    });

    it('what was sent and never answered in full', async () => {
      await deploy([detect()]);
      await bench.aws.fault({ kind: 'resetAfter', service: 'rekognition' });
      errorOf(await look());
      const { requests = 0, failed, units, cost = 0 } = await countsOf('DetectLabels');
      assert.ok(requests > 1);
      assert.deepEqual({ failed, units, cost }, { failed: requests, units: requests, cost: requests / 1000 });
    });

    it('an answer that is not from AWS in full', async () => {
      await deploy([detect()]);
      await bench.aws.fault({ kind: 'html', service: 'rekognition', status: 200 });
      errorOf(await look());
      assert.deepEqual(await countsOf('DetectLabels'), { requests: 1, failed: 1, throttled: 0, units: 1, cost: 0.001 });
    });

    it('nothing for what could not be sent', async () => {
      await deploy([detect()], { endpoint: 'http://127.0.0.1:1' });
      errorOf(await look());
      const { requests = 0, failed, units, cost } = await countsOf('DetectLabels');
      assert.ok(requests > 0);
      assert.deepEqual({ failed, units, cost }, { failed: requests, units: 0, cost: 0 });
    });

    it('a function that fails as an invocation that has not failed', async () => {
      await deploy([invokeNode({ functionName: 'fails' })]);
      errorOf(await bench.red.send('invoke', { payload: {} }));
      assert.deepEqual(await countsOf('Invoke'), { requests: 1, failed: 0, throttled: 0, units: 1, cost: 0 });
    });

    it('what a closing node cuts off, not as failed', async () => {
      await deploy([detect()]);
      await bench.aws.fault({ kind: 'hang', service: 'rekognition' });
      const outcome = await bench.red.begin('detect', { payload: picture });
      await bench.aws.until({ requests: 1, operation: 'DetectLabels' });
      await deploy([]);
      await bench.red.until(() => outcome.done, 'the message to end');
      assert.equal(outcome.error?.name, 'Closed');
      assert.deepEqual(await countsOf('DetectLabels'), { requests: 1, failed: 0, throttled: 0, units: 1, cost: 0.001 });
    });

    it('a batch as one request, and an empty poll as one', async () => {
      const url = await queues.create();
      await deploy([sendNode({ queue: url })]);
      await bench.aws.fault({ kind: 'delay', delayMs: 300, service: 'sqs', times: 1 });
      await bench.red.sendMany(
        'send',
        Array.from({ length: 11 }, (_, index) => ({ payload: index }))
      );
      assert.deepEqual(await countsOf('SendMessage'), { requests: 1, failed: 0, throttled: 0, units: 1, cost: 0 });
      assert.deepEqual(await countsOf('SendMessageBatch'), {
        requests: 1,
        failed: 0,
        throttled: 0,
        units: 1,
        cost: 0.0
      });
      await queues.purge(url);
      await deploy([receiveNode({ queue: url, waitTime: 0 })]);
      await bench.aws.until({ requests: 1, operation: 'ReceiveMessage' });
      await bench.red.until(
        async () => ((await countsOf('ReceiveMessage')).units ?? 0) > 0,
        'an empty poll to be counted'
      );
    });

    it('of a sign-in what STS is asked', async () => {
      await deploy([invokeNode()], { roleArn: 'arn:aws:iam::222222222222:role/nimbus' });
      await bench.red.send('invoke', { payload: {} });
      const { requests, cost } = await countsOf('AssumeRole');
      assert.deepEqual({ requests, cost }, { requests: 1, cost: 0 });
    });
  });

  describe('a budget', () => {
    it('stops a request that would pass it, before it is sent', async () => {
      await deploy([detect()], { budget: 0.002 });
      sentBy(await look());
      sentBy(await look());
      const { left } = await report();
      assert.equal(left, 0);
      const outcome = await look();
      const error = errorOf(outcome);
      assert.equal(error.name, 'BudgetExceeded');
      assert.equal(error.retryable, false);
      assert.match(error.message, /0\.002 USD.*month.*0\.001 USD.*0\.002 USD.*-01T00:00:00\.000Z/);
      assert.deepEqual(outcome.statuses.at(-1), { fill: 'red', shape: 'ring', text: 'status.budgetSpent' });
      assert.equal((await bench.aws.requests()).filter(({ operation }) => operation === 'DetectLabels').length, 2);
      assert.deepEqual(await countsOf('DetectLabels'), { requests: 2, failed: 0, throttled: 0, units: 2, cost: 0.002 });
    });

    it('is never passed by requests side by side, and spent to the last unit', async () => {
      await deploy([detect()], { budget: '0.007' });
      const outcomes = await bench.red.sendMany(
        'detect',
        Array.from({ length: 20 }, () => ({ payload: picture }))
      );
      assert.equal(outcomes.filter(({ error }) => error?.name === 'BudgetExceeded').length, 13);
      assert.equal(outcomes.filter(({ error }) => error === undefined).length, 7);
      assert.equal((await report()).cost, 0.007);
    });

    it('takes back what a refused request has held', async () => {
      await deploy([detect()], { budget: 0.001 });
      await bench.aws.fault({ kind: 'denied', service: 'rekognition', times: 1 });
      assert.equal(errorOf(await look()).name, 'AccessDeniedException');
      sentBy(await look());
      assert.equal(errorOf(await look()).name, 'BudgetExceeded');
    });

    it('does not stop a repetition by the SDK', async () => {
      await deploy([detect()], { budget: 0.001 });
      await bench.aws.fault({ kind: 'resetAfter', service: 'rekognition', times: 1 });
      sentBy(await look());
      assert.equal((await report()).cost, 0.002);
    });

    it('of 0 stops all that costs, and nothing that is free', async () => {
      await deploy([detect(), listNode(), publishNode({ target: 'arn:aws:sns:us-east-1:111111111111:alerts' })], {
        budget: 0
      });
      assert.equal(errorOf(await look()).name, 'BudgetExceeded');
      assert.equal(errorOf(await bench.red.send('publish', { payload: 'x' })).name, 'BudgetExceeded');
      sentBy(await bench.red.send('list', {}));
    });

    it('begins anew with the next period', async () => {
      await deploy([detect()], { budget: 0.001, budgetPeriod: 'day' });
      sentBy(await look());
      assert.equal(errorOf(await look()).name, 'BudgetExceeded');
      setClock(day);
      sentBy(await look());
      setClock(0);
      assert.equal(errorOf(await look()).name, 'BudgetExceeded');
    });

    it('is that of the period in which a request ends', async () => {
      await deploy([detect()], { budget: 0.001, budgetPeriod: 'day' });
      await bench.aws.fault({ kind: 'delay', service: 'rekognition', delayMs: 500, times: 1 });
      const outcome = await bench.red.begin('detect', { payload: picture });
      await bench.aws.until({ requests: 1, operation: 'DetectLabels' });
      assert.equal(errorOf(await look()).name, 'BudgetExceeded', 'it is held while the request is in flight');
      setClock(day);
      await bench.red.until(() => outcome.done, 'the request to end');
      assert.equal((await report()).cost, 0.001);
      assert.equal(errorOf(await look()).name, 'BudgetExceeded');
      setClock(0);
      assert.equal((await report()).cost, 0);
      sentBy(await look());
    });

    it('does not stop the lists of the editor, which are counted', async () => {
      await deploy([], { budget: 0 });
      const path = `aws-account/choices/queues?account=${id}`;
      const answer = await bench.red.request(path, { headers: { 'Node-RED-API-Version': 'v2' } });
      assert.ok('choices' in ((await answer.json()) as object));
      assert.deepEqual(await countsOf('ListQueues'), { requests: 1, failed: 0, throttled: 0, units: 1, cost: 0 });
    });

    it('ends each message of a batch, with what it was', async () => {
      const url = await queues.create();
      await deploy([sendNode({ queue: url })], { budget: 0.000_000_4 });
      const outcomes = await bench.red.sendMany(
        'send',
        Array.from({ length: 5 }, (_, index) => ({ payload: index }))
      );
      assert.deepEqual(
        outcomes.map(({ error, done }) => [error?.name, done]),
        [[undefined, 1], ...Array.from({ length: 4 }, () => ['BudgetExceeded', 1])]
      );
      assert.deepEqual(outcomes.map(({ msg }) => msg.payload).slice(1), [1, 2, 3, 4]);
    });

    it('never stops deletes and returns, and makes receivers wait', async () => {
      const url = await queues.create();
      await queues.send(url, 'a', 'b');
      // Two requests: one to receive, and one that would send.
      await deploy(
        [
          receiveNode({ queue: url, settle: 'flow', visibilityTimeout: 30 }),
          sink('out'),
          settleNode({ action: 'delete' })
        ],
        {
          budget: 0.000_000_4
        }
      );
      const [first, second] = await bench.red.collect('out', 2);
      assert.ok(first && second);
      await bench.red.until(
        () => bench.red.statuses('receive').at(-1)?.text === 'status.budget',
        'the receiver to say that it waits'
      );
      sentBy(await bench.red.send('settle', first));
      sentBy(await bench.red.send('settle', second));
      const { units } = await countsOf('DeleteMessage');
      assert.equal(units, 2);
      assert.deepEqual(await queues.counts(url), { visible: 0, hidden: 0, delayed: 0 });
    });

    it('is warned of once at 80 %, restarts included', async () => {
      await deploy([detect()], { budget: 0.01 });
      const warnings = () =>
        bench.red.logs.filter(({ level, text }) => level === 'warn' && /% of the budget/.test(text));
      for (let count = 0; count < 7; count += 1) sentBy(await look());
      assert.deepEqual(warnings(), []);
      for (let count = 0; count < 2; count += 1) sentBy(await look());
      assert.equal(warnings().length, 1);
      assert.match(warnings()[0]?.text ?? '', /80 % of the budget of 0\.01 USD/);
      await deploy([detect()], { budget: 0.01 });
      sentBy(await look());
      assert.equal(warnings().length, 1);
      const { warned } = (await kept()) as { warned: string[] };
      assert.equal(warned.length, 1);
    });

    it('that is no number leaves the account unusable, with one error', async () => {
      await deploy([detect()], { budget: 'much' });
      assert.equal(errorOf(await look()).name, 'InvalidValue');
      const errors = bench.red.logs.filter(({ level, type }) => level === 'error' && type === 'aws-account');
      assert.equal(errors.length, 1);
      assert.match(errors[0]?.text ?? '', /Budget must be a number/);
    });
  });

  describe('the file', () => {
    it('has the counts by day, and a name that is not a path', async () => {
      id = '../../escape/é';
      await deploy([detect()]);
      sentBy(await look());
      const folder = join(bench.red.userDir, 'nimbus', 'usage');
      const named = () => readdirSync(folder).find((each) => /^_escape_+[0-9a-f]{12}\.json$/.test(each));
      const name = await bench.red.until(() => existsSync(folder) && named(), 'the file');
      assert.ok(name);
      const { days } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      assert.deepEqual(Object.values(days as object), [
        { 'rekognition DetectLabels': { requests: 1, failed: 0, throttled: 0, units: 1, nanodollars: 1_000_000 } }
      ]);
    });
  });
});
