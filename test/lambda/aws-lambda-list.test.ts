import assert from 'node:assert/strict';
import type { RequestRecord } from '../../local-aws/client';
import { account, credentials, deployAction, keysOf, listNode, useBench } from '../aws';
import { type FlowNode, type Message, sink } from '../node-red';

const bench = useBench();

interface Configuration {
  FunctionName: string;
  FunctionArn: string;
  Version: string;
  [member: string]: unknown;
}

const functionsIn = (payload: unknown): Configuration[] => {
  assert.ok(Array.isArray(payload), 'the payload is an array');
  return payload as Configuration[];
};
const namesIn = (payload: unknown): string[] => functionsIn(payload).map(({ FunctionName }) => FunctionName);

/** Deploys a list node, sends it one message, and gives what came out. */
async function list(properties: Record<string, unknown> = {}, msg: Message = {}): Promise<Message> {
  await deployAction(bench, listNode(properties));
  const { sent, done, error } = await bench.red.send('list', msg);
  assert.equal(error, undefined);
  assert.equal(done, 1);
  assert.equal(sent.length, 1);
  return sent[0] as Message;
}

const requests = async (): Promise<RequestRecord[]> => {
  const all = await bench.aws.requests();
  return all.filter(({ operation }) => operation === 'ListFunctions');
};
const inputs = async (): Promise<Record<string, unknown>[]> => (await requests()).map(({ input }) => input);

describe('aws-lambda-list', () => {
  describe('scope', () => {
    it('all, the default, gives every function of every page as one array', async () => {
      await bench.aws.addFunctions({ count: 120 });
      const { payload, aws } = await list();
      const names = namesIn(payload);
      assert.ok(names.includes('hello') && names.includes('device-0001') && names.includes('device-0120'));
      assert.equal(new Set(names).size, names.length, 'no function twice');
      const asked = await requests();
      assert.equal(asked.length, Math.ceil(names.length / 50));
      assert.deepEqual(aws, {
        service: 'lambda',
        operation: 'ListFunctions',
        region: 'us-east-1',
        statusCode: 200,
        requestId: asked.at(-1)?.requestId,
        attempts: asked.length
      });
    });

    it('all takes no notice of a marker in the message, and leaves it there', async () => {
      const { payload, marker } = await list({}, { marker: 'from another node' });
      assert.ok(namesIn(payload).includes('hello'));
      assert.equal(marker, 'from another node');
    });

    it('all sends nothing when a later page fails', async () => {
      await bench.aws.addFunctions({ count: 60 });
      await bench.aws.fault({ kind: 'error500', operation: 'ListFunctions', after: 1 });
      await deployAction(bench, listNode());
      const { sent, error, done, msg } = await bench.red.send('list', { payload: 'kept' });
      assert.deepEqual([sent, done, msg.payload], [[], 1, 'kept']);
      assert.equal(error?.name, 'ServiceException');
    });

    it('page gives one page and where to go on', async () => {
      await bench.aws.addFunctions({ count: 60 });
      const { payload, marker } = await list({ scope: 'page' });
      assert.equal(functionsIn(payload).length, 50);
      assert.equal(typeof marker, 'string');
      assert.equal((await requests()).length, 1);
    });

    it('page goes on at the marker of the message', async () => {
      const all = namesIn((await list()).payload);
      const first = await list({ scope: 'page', maxItems: '3' });
      const second = await list({ scope: 'page', maxItems: '3' }, { marker: first.marker });
      assert.deepEqual([...namesIn(first.payload), ...namesIn(second.payload)], all.slice(0, 6));
    });

    it('page deletes the marker after the last page', async () => {
      await deployAction(bench, listNode({ scope: 'page' }));
      const { sent, msg } = await bench.red.send('list', { marker: '', topic: 'kept' });
      assert.equal(sent[0]?.topic, 'kept');
      assert.equal('marker' in (sent[0] as Message), false);
      assert.equal('marker' in msg, false);
    });

    it('page goes through all of a long list when its output is wired back to its input', async () => {
      await bench.aws.addFunctions({ count: 103 });
      const more: FlowNode = {
        id: 'more',
        type: 'switch',
        property: 'marker',
        propertyType: 'msg',
        rules: [{ t: 'nnull' }, { t: 'else' }],
        checkall: 'false',
        outputs: 2,
        wires: [['list'], ['end']]
      };
      await bench.red.deploy(
        [
          account(bench),
          listNode({ scope: 'page', maxItems: '20', wires: [['page', 'more']] }),
          more,
          sink('page'),
          sink('end')
        ],
        { credentials: credentials() }
      );
      await bench.red.begin('list', { payload: 'go' });
      const last = await bench.red.next('end');
      assert.equal('marker' in last, false);
      const pages = bench.red.received('page').map(({ payload }) => namesIn(payload));
      const names = pages.flat();
      assert.equal(new Set(names).size, names.length, 'no function twice');
      assert.equal(names.filter((name) => name.startsWith('device-')).length, 103);
      assert.ok(pages.slice(0, -1).every(({ length }) => length === 20));
      assert.equal((await requests()).length, pages.length);
    });
  });

  describe('maxItems', () => {
    it('is 50 by default', async () => {
      await list({ scope: 'page' });
      assert.deepEqual(await inputs(), [{ MaxItems: '50' }]);
    });

    it('is the size of every page', async () => {
      const names = namesIn((await list({ maxItems: '7', maxItemsType: 'num' })).payload);
      const asked = await inputs();
      assert.equal(asked.length, Math.ceil(names.length / 7));
      assert.ok(asked.every(({ MaxItems }) => MaxItems === '7'));
    });

    it('is not sent when it is blank', async () => {
      await list({ scope: 'page', maxItems: '', maxItemsType: 'num' });
      assert.deepEqual(await inputs(), [{}]);
    });

    for (const most of [undefined, null, '']) {
      it(`is not sent when it resolves to ${JSON.stringify(most) ?? 'nothing'}`, async () => {
        await list({ scope: 'page', maxItems: 'most', maxItemsType: 'msg' }, { most });
        assert.deepEqual(await inputs(), [{}]);
      });
    }

    for (const most of [2, '2']) {
      it(`may come from the message, as ${typeof most}`, async () => {
        const { payload } = await list({ scope: 'page', maxItems: 'most', maxItemsType: 'msg' }, { most });
        assert.equal(functionsIn(payload).length, 2);
      });
    }

    it('may come from a transform', async () => {
      const { payload } = await list(
        { scope: 'page', maxItems: '$count(wanted)', maxItemsType: 'jsonata' },
        { wanted: ['a', 'b', 'c'] }
      );
      assert.equal(functionsIn(payload).length, 3);
    });

    for (const most of [1, 50]) {
      it(`may be ${most}`, async () => {
        await bench.aws.addFunctions({ count: 50 });
        const { payload } = await list({ scope: 'page', maxItems: 'most', maxItemsType: 'msg' }, { most });
        assert.equal(functionsIn(payload).length, most);
      });
    }
  });

  describe('marker', () => {
    it('is msg.marker by default', async () => {
      const { marker } = await list({ scope: 'page', maxItems: '1' });
      await bench.red.send('list', { marker });
      assert.deepEqual(
        (await inputs()).map(({ Marker }) => Marker),
        [undefined, marker]
      );
    });

    it('may come from elsewhere, and the next one is still in msg.marker', async () => {
      const first = await list({ scope: 'page', maxItems: '1' });
      const second = await list(
        { scope: 'page', maxItems: '1', marker: 'state.at', markerType: 'jsonata' },
        { state: { at: first.marker }, marker: 'old' }
      );
      assert.equal((await inputs()).at(-1)?.Marker, first.marker);
      assert.equal(typeof second.marker, 'string');
      assert.notEqual(second.marker, 'old');
      assert.deepEqual(second.state, { at: first.marker });
    });

    for (const marker of [undefined, null, '']) {
      it(`starts at the beginning when it is ${JSON.stringify(marker) ?? 'undefined'}`, async () => {
        const { payload } = await list({ scope: 'page', maxItems: '1' }, { marker });
        assert.equal((await inputs())[0]?.Marker, undefined);
        assert.equal(functionsIn(payload).length, 1);
      });
    }
  });

  describe('allVersions', () => {
    it('is off by default: one entry for each function', async () => {
      const { payload } = await list();
      const hello = functionsIn(payload).filter(({ FunctionName }) => FunctionName === 'hello');
      assert.deepEqual(
        hello.map(({ Version }) => Version),
        ['$LATEST']
      );
      assert.equal((await inputs())[0]?.FunctionVersion, undefined);
    });

    it('gives every version of every function, in all pages', async () => {
      const { payload } = await list({ allVersions: true, maxItems: '10' });
      const versions = functionsIn(payload).filter(({ FunctionName }) => FunctionName === 'hello');
      assert.deepEqual(
        versions.map(({ Version, FunctionArn }) => [Version, FunctionArn.split(':').at(-1)]),
        [
          ['$LATEST', '$LATEST'],
          ['1', '1'],
          ['2', '2']
        ]
      );
      const asked = await inputs();
      assert.ok(asked.length > 1);
      assert.ok(asked.every(({ FunctionVersion }) => FunctionVersion === 'ALL'));
    });
  });

  describe('output', () => {
    it('parsed is an array of the functions as Lambda describes them', async () => {
      const { payload } = await list();
      const hello = functionsIn(payload).find(({ FunctionName }) => FunctionName === 'hello');
      assert.equal(hello?.FunctionArn, 'arn:aws:lambda:us-east-1:111111111111:function:hello');
      assert.equal(hello?.Description, 'Greets by name');
      assert.equal(hello?.Timeout, 3);
    });

    it('raw holds the functions, and nothing else when there are no more', async () => {
      const parsed = await list();
      const raw = await list({ output: 'raw' });
      assert.deepEqual(raw.payload, { Functions: parsed.payload });
    });

    it('raw holds the next marker of a page, which is in msg.marker as well', async () => {
      const { payload, marker } = await list({ output: 'raw', scope: 'page', maxItems: '4' });
      const { Functions, ...rest } = payload as { Functions: Configuration[] };
      assert.equal(Functions.length, 4);
      assert.equal(typeof marker, 'string');
      assert.deepEqual(rest, { NextMarker: marker });
    });

    it('raw of the last page has no marker', async () => {
      const { payload } = await list({ output: 'raw', scope: 'page' });
      assert.deepEqual(Object.keys(payload as object), ['Functions']);
    });

    it('is empty where there are no functions', async () => {
      const region = { region: 'ap-southeast-2', regionType: 'str' };
      assert.deepEqual((await list(region)).payload, []);
      assert.deepEqual((await list({ ...region, output: 'raw' })).payload, { Functions: [] });
    });
  });

  describe('the message', () => {
    it('is the same one, with all else that it carried', async () => {
      await deployAction(bench, listNode());
      const functions = { kept: true };
      const { msg, sent } = await bench.red.send('list', { _msgid: 'mine', topic: 'kept', req: functions });
      assert.equal(msg.req, functions);
      assert.deepEqual(Object.keys(sent[0] as Message).sort(), ['_msgid', 'aws', 'payload', 'req', 'topic'].sort());
      assert.equal(sent[0]?._msgid, 'mine');
      const out = await bench.red.next('out');
      assert.deepEqual(out.payload, sent[0]?.payload);
    });

    it('needs no payload, and takes any', async () => {
      for (const payload of [undefined, null, 7, 'x', Symbol('x')]) {
        assert.ok(namesIn((await list({}, { payload })).payload).includes('hello'));
      }
    });

    it('does not get mixed up with others in flight', async () => {
      await bench.aws.addFunctions({ count: 30 });
      await deployAction(bench, listNode({ scope: 'page', maxItems: 'most', maxItemsType: 'msg' }));
      const most = Array.from({ length: 30 }, (_, index) => index + 1);
      const outcomes = await bench.red.sendMany(
        'list',
        most.map((number) => ({ most: number }))
      );
      assert.deepEqual(
        outcomes.map(({ sent, done }) => [done, sent.length, functionsIn(sent[0]?.payload).length]),
        most.map((number) => [1, 1, number])
      );
    });
  });

  describe('region', () => {
    it("is the account's when it is blank", async () => {
      await deployAction(bench, listNode(), { region: 'eu-central-1' });
      const { sent } = await bench.red.send('list');
      assert.ok(namesIn(sent[0]?.payload).includes('greenhouse'));
      assert.equal(sent[0]?.aws?.region, 'eu-central-1');
    });

    it("goes before the account's, from the message too", async () => {
      const { payload, aws } = await list({ region: 'place', regionType: 'msg' }, { place: 'eu-central-1' });
      assert.ok(namesIn(payload).includes('greenhouse'));
      assert.equal(aws?.region, 'eu-central-1');
      assert.deepEqual(
        (await requests()).map(({ region }) => region),
        ['eu-central-1']
      );
    });

    it("is the account's where the message has none", async () => {
      const { aws } = await list({ region: 'place', regionType: 'msg' }, { place: '' });
      assert.equal(aws?.region, 'us-east-1');
    });
  });

  describe('dynamicCredentials', () => {
    it('list the functions of another account for one message', async () => {
      const node = { dynamicCredentials: 'login', dynamicCredentialsType: 'msg' };
      const { payload } = await list(node, { login: keysOf('second') });
      assert.ok(namesIn(payload).includes('invoices'));
      assert.ok(functionsIn(payload).every(({ FunctionArn }) => FunctionArn.includes(':222222222222:')));
      const { sent } = await bench.red.send('list', { login: keysOf('demo') });
      assert.equal(namesIn(sent[0]?.payload).includes('invoices'), false);
    });
  });

  describe('retries', () => {
    it('are the standard ones of the SDK: three attempts, and msg.aws says how many there were', async () => {
      await bench.aws.fault({ kind: 'throttle', operation: 'ListFunctions', times: 2 });
      const { payload, aws } = await list();
      assert.ok(namesIn(payload).includes('hello'));
      assert.equal(aws?.attempts, 3);
      assert.deepEqual(
        (await requests()).map(({ status }) => status),
        [429, 429, 200]
      );
    });

    it('count for each page', async () => {
      await bench.aws.addFunctions({ count: 60 });
      await bench.aws.fault({ kind: 'error503', operation: 'ListFunctions', after: 1, times: 1 });
      const { payload, aws } = await list();
      assert.equal(namesIn(payload).filter((name) => name.startsWith('device-')).length, 60);
      const asked = await requests();
      assert.equal(aws?.attempts, asked.length);
      assert.deepEqual(
        asked.map(({ status }) => status),
        [200, 503, 200]
      );
    });

    it('end in one error, which says that it may be tried again', async () => {
      await bench.aws.fault({ kind: 'throttle', operation: 'ListFunctions' });
      await deployAction(bench, listNode());
      const { error, done, sent } = await bench.red.send('list');
      assert.deepEqual([done, sent], [1, []]);
      assert.equal(error?.name, 'TooManyRequestsException');
      assert.equal(error?.statusCode, 429);
      assert.equal(error?.retryable, true);
      assert.equal(error?.requestId, (await requests()).at(-1)?.requestId);
      assert.equal((await requests()).length, 3);
    });
  });

  describe('status', () => {
    it('is a blue dot while the request is in flight, and clear afterwards', async () => {
      await deployAction(bench, listNode());
      await bench.aws.fault({ kind: 'delay', delayMs: 100, times: 1 });
      const { statuses } = await bench.red.send('list');
      assert.deepEqual(statuses, [{ fill: 'blue', shape: 'dot', text: 'status.requesting' }, {}]);
    });

    it('does not flicker between pages', async () => {
      await bench.aws.addFunctions({ count: 120 });
      await deployAction(bench, listNode());
      const { statuses } = await bench.red.send('list');
      assert.ok((await requests()).length > 2);
      assert.deepEqual(statuses, [{ fill: 'blue', shape: 'dot', text: 'status.requesting' }, {}]);
    });

    it('says how many are in flight', async () => {
      await deployAction(bench, listNode());
      await bench.aws.fault({ kind: 'delay', delayMs: 400, times: 3 });
      await bench.red.sendMany('list', [{}, {}, {}]);
      const texts = bench.red.statuses('list').map(({ text }) => text);
      // Numbers that change in the same turn are shown once.
      const shown = new Set(texts.filter((text) => text !== '2'));
      assert.deepEqual([...shown].sort(), ['3', 'status.requesting', undefined]);
      assert.deepEqual(bench.red.statuses('list').at(-1), {});
    });

    it('is a red ring with the name of the error, until the next message passes', async () => {
      await deployAction(bench, listNode({ scope: 'page' }));
      await bench.red.send('list', { marker: 'none of AWS' });
      assert.deepEqual(bench.red.statuses('list').at(-1), {
        fill: 'red',
        shape: 'ring',
        text: 'InvalidParameterValueException'
      });
      await bench.red.send('list');
      assert.deepEqual(bench.red.statuses('list').at(-1), {});
    });
  });

  it('hands an error to a Catch node, and no completion to a Complete node', async () => {
    await bench.red.deploy(
      [
        account(bench),
        listNode({ scope: 'page' }),
        sink('out'),
        { id: 'catch', type: 'catch', scope: ['list'], uncaught: false, wires: [['caught']] },
        { id: 'complete', type: 'complete', scope: ['list'], uncaught: false, wires: [['completed']] },
        sink('caught'),
        sink('completed')
      ],
      { credentials: credentials() }
    );
    await bench.red.send('list', { payload: 'kept', marker: 'none of AWS' });
    const caught = await bench.red.next('caught');
    assert.equal((caught.error as { code?: string }).code, 'InvalidParameterValueException');
    assert.equal(caught.payload, 'kept');
    await bench.red.send('list', { payload: 'good' });
    await bench.red.next('completed');
    assert.equal(bench.red.received('completed').length, 1);
    assert.equal(bench.red.received('caught').length, 1);
  });
});
