/** Dialogs take variables for what the edited node will, before anything is deployed. */
import assert from 'node:assert/strict';
import { signIns } from '../../local-aws/client';
import { account, credentials, invokeNode, useBench } from '../aws';
import { type FlowNode, nodeRedVersion, sink } from '../node-red';
import { type Editor, openEditor } from './editor';

describe(`variables in dialogs of Node-RED ${nodeRedVersion}`, function () {
  // Each opens an editor of its own, and many dialogs.
  this.timeout(180_000);
  const bench = useBench();
  let editor: Editor;
  const { accessKeyId, secretAccessKey } = signIns.demo;

  afterEach(async () => {
    const { problems } = editor;
    await editor.close();
    assert.deepEqual(problems, []);
  });

  const place = (value: string, type = 'str') => [{ name: 'PLACE', type, value }];
  const invoke = (id: string, more: Record<string, unknown>) =>
    invokeNode({ id, functionName: '', x: 300, y: 100, wires: [], ...more });
  const subflow = (id: string, more: Record<string, unknown>) => ({
    id,
    type: 'subflow',
    name: id,
    in: [],
    out: [],
    ...more
  });

  async function open(nodes: FlowNode[]): Promise<void> {
    await bench.red.deploy(nodes, { credentials: credentials() });
    editor = await openEditor();
  }

  const note = () => editor.page.locator('.nimbus-choice-note');
  const rows = () => editor.page.locator('.nimbus-choice');

  /** Opens the list of functions in a node's dialog; gives the regions that AWS was asked in. */
  async function regionsOf(id: string): Promise<string[]> {
    await bench.aws.reset();
    await editor.reveal(id);
    await editor.openByKey(id);
    await editor.page.locator('.nimbus-pick').first().click();
    await editor.page.locator('.nimbus-choice-state', { hasText: /in all|are none/ }).waitFor();
    const asked = await bench.aws.requests();
    return asked.map(({ region }) => region);
  }
  const change = (script: string) => editor.page.evaluate(script);

  it('are those of the node’s group, tab, subflow and all flows, as they stand', async () => {
    const region = { region: 'PLACE', regionType: 'env' };
    await open([
      { id: 'all', type: 'global-config', env: place('ap-south-1') },
      { id: 'tab', type: 'tab', label: 'tab', env: place('eu-west-1') },
      { id: 'other', type: 'tab', label: 'other' },
      {
        id: 'group',
        type: 'group',
        z: 'tab',
        name: '',
        nodes: ['grouped'],
        style: { label: true },
        x: 20,
        y: 20,
        w: 90,
        h: 90,
        env: place('eu-west-2')
      },
      subflow('sub', { env: place('eu-west-3') }),
      { id: 'instance', type: 'subflow:sub', z: 'tab', x: 90, y: 300, wires: [], env: place('eu-north-1') },
      account(bench),
      invoke('plain', { z: 'tab', region: '${PLACE}' }),
      invoke('grouped', { z: 'tab', g: 'group', ...region }),
      invoke('inside', { z: 'sub', ...region }),
      invoke('elsewhere', { z: 'other', ...region }),
      { ...sink('out'), z: 'tab', x: 560, y: 140 }
    ]);
    for (const [id, expected] of [
      ['plain', 'eu-west-1'],
      ['grouped', 'eu-west-2'],
      ['inside', 'eu-north-1'],
      ['elsewhere', 'ap-south-1']
    ] as const) {
      assert.deepEqual([id, await regionsOf(id)], [id, [expected]]);
      assert.equal(await note().innerText(), '');
      await editor.cancel();
    }
    // What nobody has deployed yet counts, too.
    await change("RED.nodes.workspace('tab').env[0].value = 'sa-east-1'; RED.nodes.node('instance').env = [];");
    assert.deepEqual(await regionsOf('plain'), ['sa-east-1']);
    await editor.cancel();
    assert.deepEqual(await regionsOf('inside'), ['eu-west-3']);
    await editor.cancel();
  });

  it('that are known only when the node runs are named, and why, beside the region that is shown, as credentials are', async () => {
    await open([
      { id: 'tab', type: 'tab', label: 'tab', env: place('', 'cred') },
      subflow('sub', { env: place('eu-west-1') }),
      { id: 'one', type: 'subflow:sub', z: 'tab', x: 90, y: 300, wires: [] },
      { id: 'two', type: 'subflow:sub', z: 'tab', x: 90, y: 360, wires: [], env: place('eu-west-2') },
      account(bench, { region: 'eu-central-1' }),
      invoke('message', { z: 'tab', region: 'payload.region', regionType: 'msg' }),
      invoke('context', { z: 'tab', region: 'place', regionType: 'flow' }),
      invoke('expression', { z: 'tab', region: '"eu-" & topic', regionType: 'jsonata' }),
      invoke('secret', { z: 'tab', region: 'PLACE', regionType: 'env' }),
      invoke('credentials', { z: 'tab', dynamicCredentials: 'keys', dynamicCredentialsType: 'msg' }),
      invoke('instance', { z: 'sub', region: '${PLACE}' })
    ]);
    for (const [id, why] of [
      ['message', /from the message or the context/],
      ['context', /from the message or the context/],
      ['expression', /from an expression/],
      ['secret', /from a credential/],
      ['instance', /differs between the instances/]
    ] as const) {
      assert.deepEqual([id, await regionsOf(id)], [id, ['eu-central-1']]);
      assert.match(await note().innerText(), /^Shows eu-central-1, the account's region: /);
      assert.match(await note().innerText(), why);
      assert.deepEqual(await editor.findings('.nimbus-choices'), []);
      await editor.cancel();
    }
    await regionsOf('credentials');
    assert.equal(
      await note().innerText(),
      'Shows what the account sees: the node signs in with the credentials of each message.'
    );
    await editor.cancel();
  });

  it('name the function whose versions are listed', async () => {
    const env = [{ name: 'FUNCTION', type: 'str', value: 'hello' }];
    await open([
      { id: 'tab', type: 'tab', label: 'tab', env },
      account(bench),
      invoke('named', { z: 'tab', functionName: 'FUNCTION', functionNameType: 'env' })
    ]);
    await editor.openByKey('named');
    await editor.page.locator('.nimbus-row:has(#node-input-qualifier) .nimbus-pick').click();
    await rows().first().waitFor();
    assert.match(await rows().allInnerTexts().then(String), /live/);
    await editor.cancel();
  });

  it('and whatever else is changed in an account count in lists at once, before they are deployed', async () => {
    await open([
      { id: 'tab', type: 'tab', label: 'tab' },
      account(bench),
      account(bench, { id: 'keyless' }),
      invoke('one', { z: 'tab' }),
      invoke('other', { z: 'tab', account: 'keyless' })
    ]);
    await editor.openConfig('aws-account', 'account');
    await editor.fill('region', 'eu-west-2');
    await editor.done();
    assert.deepEqual(await regionsOf('one'), ['eu-west-2']);
    assert.equal(await note().innerText(), '');
    await editor.cancel();

    await editor.openConfig('aws-account', 'keyless');
    await editor.fill('accessKeyId', accessKeyId);
    await editor.fill('secretAccessKey', 'wrong');
    await editor.done();
    await editor.openByKey('other');
    await editor.page.locator('.nimbus-pick').first().click();
    await editor.page.locator('.nimbus-choice-state', { hasText: /secret access key is wrong/ }).waitFor();
    assert.deepEqual(await editor.findings('.nimbus-choices'), []);
    await editor.cancel();
    await editor.openConfig('aws-account', 'keyless');
    await editor.fill('secretAccessKey', secretAccessKey);
    await editor.done();
    assert.deepEqual(await regionsOf('other'), ['us-east-1']);
    await editor.cancel();
  });

  it('that an account has only while it runs leave lists to the deployed one, and they say so', async () => {
    await open([
      { id: 'tab', type: 'tab', label: 'tab' },
      account(bench),
      invoke('message', { z: 'tab', region: 'topic', regionType: 'msg' })
    ]);
    const nodes = [{ id: 'all', type: 'global-config', modules: {}, env: [{ ...place('"x"', 'jsonata')[0] }] }];
    await change(`RED.nodes.import(${JSON.stringify(nodes)}, { generateIds: false })`);
    await editor.openConfig('aws-account', 'account');
    await editor.fill('region', '${PLACE}');
    await editor.done();
    assert.deepEqual(await regionsOf('message'), ['us-east-1']);
    assert.match(
      await note().innerText(),
      /^The account has changes that are not deployed: this is the list of the deployed one\. Shows us-east-1, the account's region: /
    );
    await editor.cancel();
  });

  it('of a subflow may be its account', async () => {
    const env = [{ name: 'ACCOUNT', type: 'aws-account', value: 'account', ui: { type: 'conf-types' } }];
    const other = { name: 'ACCOUNT', type: 'conf-type', value: 'other' };
    await open([
      { id: 'tab', type: 'tab', label: 'tab' },
      subflow('sub', { env }),
      { id: 'one', type: 'subflow:sub', z: 'tab', x: 90, y: 300, wires: [] },
      { id: 'two', type: 'subflow:sub', z: 'tab', x: 90, y: 360, wires: [] },
      account(bench),
      account(bench, { id: 'other' }),
      invoke('inside', { z: 'sub', account: '${ACCOUNT}' })
    ]);
    assert.deepEqual(await regionsOf('inside'), ['us-east-1']);
    await editor.cancel();
    await change(`RED.nodes.node('two').env = [${JSON.stringify(other)}]`);
    assert.deepEqual(await regionsOf('inside'), ['us-east-1']);
    assert.match(
      await note().innerText(),
      /^Shows .*account.*: the account differs between the instances of the subflow\.$/
    );
    await editor.cancel();
    const none = JSON.stringify([{ ...other, value: 'gone' }]);
    await change(`RED.nodes.subflow('sub').env[0].value = ''; RED.nodes.node('two').env = ${none}`);
    await editor.openByKey('inside');
    await editor.page.locator('.nimbus-pick').first().click();
    await editor.page.locator('.nimbus-choice-state', { hasText: /depends on the instance of the subflow/ }).waitFor();
    await editor.cancel();
  });

  it('are what a connection is tested with, before the first deployment and after it', async () => {
    await open([{ id: 'tab', type: 'tab', label: 'tab' }, account(bench)]);
    const keys = [
      { name: 'KEY', type: 'str', value: accessKeyId },
      { name: 'SECRET', type: 'cred', value: '' },
      { name: 'PLACE', type: 'env', value: 'OTHER' },
      { name: 'OTHER', type: 'str', value: 'eu-west-1' }
    ];
    const nodes = [
      { id: 'all', type: 'global-config', env: keys, modules: {} },
      account(bench, { id: 'new', region: '${PLACE}' })
    ];
    await change(`RED.nodes.import(${JSON.stringify(nodes)}, { generateIds: false })`);
    await change(
      `RED.nodes.node('all').credentials = { map: { SECRET: ${JSON.stringify(secretAccessKey)}, has_SECRET: true } }`
    );
    await editor.openConfig('aws-account', 'new');
    await editor.fill('accessKeyId', '${KEY}');
    await editor.fill('secretAccessKey', '${SECRET}');
    const answer = editor.page.locator('.nimbus-connection', { hasText: /works.*Region eu-west-1/s });
    // An answer does not stand beside values that change while it is awaited.
    const works = () =>
      bench.red.until(
        async () => {
          await editor.page.locator('.nimbus-test button').click();
          return answer.waitFor({ timeout: 20_000 }).then(
            () => true,
            () => false
          );
        },
        'the sign-in works',
        120_000
      );
    await works();
    await editor.done();
    await editor.deploy();
    await editor.page.waitForFunction('!RED.nodes.dirty()');
    await editor.openConfig('aws-account', 'new');
    await works();
    await editor.cancel();
  });

  it('that only a running flow knows keep a connection from being tested, and the dialog names them', async () => {
    await open([
      subflow('sub', { env: place('eu-west-1') }),
      { id: 'tab', type: 'tab', label: 'tab' },
      { id: 'one', type: 'subflow:sub', z: 'tab', x: 90, y: 300, wires: [] },
      { id: 'two', type: 'subflow:sub', z: 'tab', x: 90, y: 360, wires: [], env: place('eu-west-2') },
      account(bench, { z: 'sub', region: '${PLACE}' })
    ]);
    await editor.openConfig('aws-account', 'account');
    await editor.page.locator('.nimbus-test button').click();
    const why = /^The variable PLACE is known only while flows run: deploy, then use the account in a flow\./;
    await editor.page.locator('.nimbus-connection.nimbus-trouble', { hasText: why }).waitFor();
    await editor.cancel();
  });
});
