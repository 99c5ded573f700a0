/** What an environment variable holds may be a secret of something else: it is used, and quoted nowhere. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { account, credentials, detectNode, invokeNode, sendNode, useBench } from '../aws';
import type { FlowNode } from '../node-red';
import { sink } from '../node-red';
import { useEnvironment } from './environment';

const planted = 'planted secret of/something else';

describe('what a variable holds', () => {
  const bench = useBench();
  const env = useEnvironment();
  beforeEach(() => env.set({ PLANTED: planted, HOST: 'planted-host.invalid' }));

  /** Everything that is logged, and the errors of a message to the node. */
  async function told(id?: string): Promise<string> {
    const outcome =
      id === undefined ? undefined : await bench.red.send(id, { payload: 's3://nimbus-pictures/porch.jpg' });
    assert.ok(id === undefined || outcome?.error, 'it fails');
    const error = outcome?.error;
    const said = bench.red.logs.filter(({ level }) => /fatal|error|warn|info/.test(level));
    const logs = said.map(({ text, msg }) => `${text} ${inspect(msg, { depth: 9 })}`);
    return [...logs, inspect(error, { depth: 9 }), error?.message ?? '', inspect(outcome?.statuses)].join('\n');
  }

  const quotesNothing = (text: string) => {
    assert.ok(!text.includes('planted'), text);
    return text;
  };

  for (const [name, value] of Object.entries({
    source: '${PLANTED}',
    region: '${PLANTED}',
    endpoint: '${PLANTED}',
    roleArn: 'arn:aws:iam::${PLANTED}',
    sessionName: 'x${PLANTED}',
    duration: '${PLANTED}',
    validate: '${PLANTED}',
    rekognitionRate: '${PLANTED}'
  })) {
    it(`is not quoted where it will not do as ${name} of an account`, async () => {
      const role = { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' };
      await bench.red.deploy([account(bench, { ...role, [name]: value }), invokeNode(), sink('out')], {
        credentials: credentials()
      });
      const text = quotesNothing(await told('invoke'));
      assert.match(text, /but its variable holds something else\./);
    });
  }

  it('is not quoted where it becomes the host of requests that find nobody', async () => {
    await bench.red.deploy(
      [account(bench, { endpoint: 'http://${HOST}', validate: true }), invokeNode(), sink('out')],
      {
        credentials: credentials()
      }
    );
    await bench.red.until(() => bench.red.logs.some(({ text }) => text.includes('Sign-in failed')));
    assert.match(quotesNothing(await told('invoke')), /ENOTFOUND|EAI_AGAIN/);
  });

  it('is not quoted where it becomes the name of a session that is signed in', async () => {
    env.set({ NAME: 'planted-session-name' });
    const role = { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo', sessionName: '${NAME}', validate: true };
    await bench.red.deploy([account(bench, role)], { credentials: credentials() });
    await bench.red.until(() => bench.red.logs.some(({ text }) => text.includes('signed in to')));
    quotesNothing(await told());
  });

  const fields: [what: string, node: FlowNode][] = [
    ['a typed field of the kind env', invokeNode({ id: 'node', region: 'PLANTED', regionType: 'env' })],
    ['a text that is a variable as a whole', invokeNode({ id: 'node', region: '${PLANTED}', regionType: 'str' })],
    ['a number', detectNode({ id: 'node', confidence: 'PLANTED', confidenceType: 'env' })],
    [
      'a number that is a variable as a whole',
      detectNode({ id: 'node', confidence: '${PLANTED}', confidenceType: 'num' })
    ],
    ['JSON that is a variable as a whole', detectNode({ id: 'node', targets: '${PLANTED}', targetsType: 'json' })],
    ['a choice', sendNode({ id: 'node', queue: 'orders', output: '${PLANTED}' })],
    ['a list', detectNode({ id: 'node', operation: 'faces', attributes: 'PLANTED', attributesType: 'env' })],
    ['a part of the picture', detectNode({ id: 'node', roi: 'PLANTED', roiType: 'env' })]
  ];
  for (const [what, node] of fields) {
    it(`is not quoted where it will not do as ${what} of an action`, async () => {
      await bench.red.deploy([account(bench), { ...node, wires: [['out']] }, sink('out')], {
        credentials: credentials()
      });
      assert.match(quotesNothing(await told('node')), /but its variable holds something else|is not valid JSON\./);
    });
  }

  it('is not quoted within a subflow, whose property it may be', async () => {
    const inner = { ...account(bench, { id: 'inner', region: '${PLACE}' }), z: 'template' };
    await bench.red.deploy(
      [
        {
          id: 'template',
          type: 'subflow',
          name: 'template',
          in: [],
          out: [],
          env: [{ name: 'PLACE', type: 'str', value: '' }]
        },
        inner,
        { id: 'instance', type: 'subflow:template', env: [{ name: 'PLACE', type: 'str', value: planted }] }
      ],
      { credentials: { inner: credentials().account } as never }
    );
    await bench.red.until(() => bench.red.logs.some(({ text }) => text.includes('InvalidValue')));
    assert.match(quotesNothing(await told()), /but its variable holds something else\./);
  });

  it('is told from what is typed, which is quoted', async () => {
    await bench.red.deploy([account(bench, { region: 'typed by hand' })], { credentials: credentials() });
    assert.match(await told(), /but is "typed by hand"\./);
  });
});
