import assert from 'node:assert/strict';
import {
  account,
  credentials,
  detectNode,
  indexFaceNode,
  invokeNode,
  listNode,
  otherNodes,
  receiveNode,
  settleNode,
  useBench
} from '../aws';
import { nodeRedVersion, sink } from '../node-red';
import { type Editor, type EditorOptions, openEditor, type Theme, takesPictures } from './editor';

const publishNode = (properties: object) => ({
  id: 'publish',
  type: 'aws-sns-publish',
  account: 'account',
  target: 'arn:aws:sns:us-east-1:111111111111:alerts',
  targetType: 'str',
  wires: [['out']],
  ...properties
});
const sendNode = (properties: object) => ({
  id: 'send',
  type: 'aws-sqs-send',
  account: 'account',
  queue: 'orders',
  queueType: 'str',
  wires: [['out']],
  ...properties
});
const named = [
  ['invoke', 'aws-lambda-invoke'],
  ['list', 'aws-lambda-list'],
  ['publish', 'aws-sns-publish'],
  ['send', 'aws-sqs-send'],
  ['receive', 'aws-sqs-receive'],
  ['settle', 'aws-sqs-settle'],
  ['detect', 'aws-rekognition-detect'],
  ['index', 'aws-rekognition-index-face']
] as const;
const others = otherNodes(
  named.map(([, type]) => type),
  740
);
const dialogs: readonly [(typeof named)[0], ...(readonly [id: string, type: string])[]] = [
  ...named,
  ...others.map(({ id, type }) => [id, type] as const)
];
/** The pictures in `docs/pictures` are of the newest Node-RED, in the light theme. */
const isForDocs = nodeRedVersion === 5;
const themes: Theme[] = nodeRedVersion === 4 ? ['light'] : ['light', 'dark'];
/** What the pack's own program makes of values and of its form's width is the same in both. */
const itOnce = nodeRedVersion === 5 ? it : () => {};

describe(`the dialogs in Node-RED ${nodeRedVersion}`, () => {
  const bench = useBench();
  let editor: Editor;

  type Id = (typeof named)[number][0] | 'account';
  type Properties = Partial<Record<Id, object>>;

  /** Deploys one node of each kind and opens the editor on them. */
  async function open(properties: Properties = {}, looks: EditorOptions = {}): Promise<void> {
    await bench.red.deploy(
      [
        account(bench, { ...properties.account }),
        invokeNode({ x: 300, y: 100, ...properties.invoke }),
        listNode({ x: 300, y: 180, ...properties.list }),
        publishNode({ x: 300, y: 260, ...properties.publish }),
        sendNode({ x: 300, y: 340, ...properties.send }),
        receiveNode({ queue: 'orders', settle: 'flow', x: 300, y: 420, ...properties.receive }),
        settleNode({ wires: [['out']], x: 300, y: 500, ...properties.settle }),
        detectNode({ operation: 'identify', collection: 'family', x: 300, y: 580, ...properties.detect }),
        indexFaceNode({ collection: 'family', x: 300, y: 660, ...properties.index }),
        ...others,
        { ...sink('out'), x: 560, y: 140 }
      ],
      { credentials: credentials() }
    );
    editor = await openEditor(looks);
  }
  afterEach(async () => {
    const { problems } = editor;
    await editor.close();
    assert.deepEqual(problems, []);
  });

  /** Words that were not translated look like keys: `label.functionName`. */
  async function assertWords(): Promise<void> {
    const text = await editor.page.locator('.red-ui-tray').last().innerText();
    assert.doesNotMatch(text, /\b(label|hint|option|placeholder|section|invalid|status)\.\w/);
  }

  /** The dialog as it stands, in all themes. */
  async function shootAll(name: string): Promise<void> {
    if (!takesPictures) return;
    for (const theme of themes) {
      await editor.setTheme(theme);
      await editor.shoot(name);
    }
    await editor.setTheme('light');
  }

  // Without pictures it is their words, which are looked at in Node-RED 5 where they are walked through.
  const itIsToSee = takesPictures || nodeRedVersion === 4 ? it : () => {};
  itIsToSee(`look like a product, ${themes.join(' and ')}`, async () => {
    await open();
    for (const [id, name] of dialogs) {
      await editor.open(id);
      if (id === 'settle') await editor.fill('action', 'return');
      await assertWords();
      await shootAll(name);
      if (isForDocs) await editor.shootDialog(`docs-${name}`);
      if (id !== 'settle') {
        await openAdvanced();
        await assertWords();
        await shootAll(`${name}-advanced`);
      }
      await editor.cancel();
    }
    await editor.openConfig('aws-account', 'account');
    await editor.fill('roleArn', 'arn:aws:iam::111111111111:role/nimbus-demo');
    await assertWords();
    await shootAll('aws-account');
    if (isForDocs) {
      await testConnection();
      await editor.shootDialog('docs-aws-account');
    }
    await editor.fill('source', 'default');
    await editor.page.locator('#node-config-input-rekognitionRate').scrollIntoViewIfNeeded();
    await assertWords();
    await shootAll('aws-account-advanced');
    await editor.cancel();
  });

  itOnce('fit into a narrow window', async () => {
    await open({}, { width: 1024, sideBars: true });
    const [[first]] = dialogs;
    await editor.open(first);
    for (const [id, name] of dialogs) {
      if (id !== first) await editor.showForm(id);
      if (id === 'settle') await editor.fill('action', 'return');
      await openAdvanced();
      await assertFits();
      await editor.shoot(`${name}-narrow`);
    }
    await editor.cancel();
    await editor.openConfig('aws-account', 'account');
    await editor.fill('source', 'default');
    await openAdvanced();
    await assertFits();
    await editor.shoot('aws-account-narrow');
    await editor.cancel();
  });

  it('show a row only where it matters', async () => {
    await open();
    await editor.open('invoke');
    const synchronous = ['logTail', 'functionError', 'clientContext', 'hostContext'];
    assert.deepEqual(await shown(synchronous), synchronous);
    await editor.fill('invocationType', 'Event');
    assert.deepEqual(await shown(synchronous), []);
    await editor.cancel();

    await editor.open('list');
    assert.equal(await editor.shows('marker'), false);
    await editor.fill('scope', 'page');
    assert.equal(await editor.shows('marker'), true);
    await editor.cancel();

    await editor.open('settle');
    assert.deepEqual(await shown(['action', 'delay']), ['action']);
    await editor.fill('action', 'return');
    assert.deepEqual(await shown(['action', 'delay']), ['action', 'delay']);
    assert.equal(await (await editor.field('account')).count(), 0, 'it works through the receiver’s account');
    await editor.cancel();

    await editor.open('detect');
    const ofOperation = ['collection', 'similarity', 'maxLabels', 'attributes', 'saveTimestamp'];
    assert.deepEqual(await shown(ofOperation), ['collection', 'similarity', 'attributes']);
    await editor.fill('operation', 'labels');
    assert.deepEqual(await shown(ofOperation), ['maxLabels']);
    await editor.fillTyped('saveFolder', 'str', '/data/porch');
    assert.deepEqual(await shown(ofOperation), ['maxLabels', 'saveTimestamp']);
    await editor.cancel();

    await editor.open('receive');
    const hint = () => editor.page.locator('.red-ui-tray').last().innerText();
    assert.match(await hint(), /has to reach an aws sqs settle node/);
    await editor.fill('settle', 'sent');
    assert.doesNotMatch(await hint(), /has to reach an aws sqs settle node/);
    await editor.cancel();

    await editor.openConfig('aws-account', 'account');
    const rows = ['accessKeyId', 'secretAccessKey', 'sessionToken', 'profile', 'externalId', 'sessionName', 'duration'];
    assert.deepEqual(await shown(rows), rows.slice(0, 3));
    await editor.fill('source', 'profile');
    assert.deepEqual(await shown(rows), ['profile']);
    await editor.fill('source', 'default');
    await editor.fill('roleArn', 'arn:aws:iam::111111111111:role/nimbus-demo');
    assert.deepEqual(await shown(rows), ['externalId', 'sessionName', 'duration']);
    await editor.cancel();
  });

  it('draw ports where messages go in and out', async () => {
    await open();
    const ports = async (id: string) => {
      const port = (side: string) => editor.canvas(id).locator(`.red-ui-flow-port-${side}`).count();
      return { in: await port('input'), out: await port('output') };
    };
    for (const [id] of dialogs) assert.deepEqual(await ports(id), { in: id === 'receive' ? 0 : 1, out: 1 }, id);
  });

  itOnce('are not needed to see what a node without a name is for', async () => {
    await open();
    const label = (id: string, property: string, value: string) =>
      editor.page.evaluate(`(() => {
        const node = RED.nodes.node('${id}');
        return RED.utils.getNodeLabel({ ...node, _def: node._def, _: node._, name: '', ${property}: '${value}' });
      })()`);
    for (const [id, property, value, name] of [
      ['invoke', 'functionName', 'arn:aws:lambda:eu-west-1:123456789012:function:orders:live', 'orders:live'],
      ['invoke', 'functionName', '123456789012:function:orders', 'orders'],
      ['invoke', 'functionName', '123456789012:orders:live', 'orders:live'],
      ['invoke', 'functionName', 'function:orders', 'orders'],
      ['invoke', 'functionName', 'orders:live', 'orders:live'],
      ['send', 'queue', 'https://sqs.eu-west-1.amazonaws.com/123456789012/orders', 'orders'],
      ['send', 'queue', 'arn:aws:sqs:eu-west-1:123456789012:orders.fifo', 'orders.fifo'],
      ['receive', 'queue', '123456789012', '123456789012'],
      ['publish', 'target', 'arn:aws:sns:eu-west-1:123456789012:alerts', 'alerts'],
      ['publish', 'target', '+12065550100', '+12065550100']
    ] as const) {
      assert.equal(await label(id, property, value), name, value);
    }
  });

  itOnce('say in words why a target, a queue or a number will not do', async () => {
    await open({
      publish: { target: 'alerts', subject: 'x'.repeat(100), subjectType: 'str' },
      send: { queue: 'no queue', delaySeconds: '901', delaySecondsType: 'num' },
      receive: { queue: '', batchSize: 11, visibilityTimeout: 43201 },
      settle: { action: 'return', delay: '43201', delayType: 'num' }
    });
    for (const [id, property, why] of [
      ['publish', 'target', /Target must be the ARN of a topic or an endpoint, or a phone number/],
      ['publish', 'subject', /Subject must have fewer than 100 characters/],
      ['send', 'queue', /Queue must be a URL, an ARN, or a name/],
      ['send', 'delaySeconds', /Delay \(s\) must be a whole number from 0 to 900/],
      ['receive', 'queue', /Queue is required/],
      ['receive', 'batchSize', /Batch size must be a whole number from 1 to 10/],
      ['receive', 'visibilityTimeout', /Visibility \(s\) must be a whole number from 0 to 43200/],
      ['settle', 'delay', /Delay \(s\) must be a whole number from 0 to 43200/]
    ] as const) {
      assert.equal((await editor.node(id)).valid, false, id);
      assert.match(await reason(id, property), why);
    }
  });

  itOnce('refuse a literal that the runtime would refuse, and say why', async () => {
    await open({
      invoke: { functionName: '[]', functionNameType: 'json' },
      publish: { target: 'arn:aws:sns:us-east-1:111111111111:alerts.fifo' },
      send: { queue: 'orders.fifo', attributes: '[1]', attributesType: 'json' },
      receive: { region: 'EU-WEST-1' },
      detect: { roi: '{"left":2}', roiType: 'json' }
    });
    for (const [id, property, why] of [
      ['invoke', 'functionName', /^Function must be/],
      ['publish', 'groupId', /^Group ID is required for a FIFO queue or topic/],
      ['send', 'groupId', /^Group ID is required for a FIFO queue or topic/],
      ['send', 'attributes', /^Attributes is not valid$/],
      ['receive', 'region', /^Region must be .* lower-case letters/],
      ['detect', 'roi', /is not valid$/]
    ] as const) {
      assert.equal((await editor.node(id)).valid, false, id);
      assert.match(await reason(id, property), why);
    }
    await editor.open('invoke');
    await editor.fillTyped('functionName', 'json', '{"a":1}');
    assert.match(await reasonUnder('functionName'), /^Function must be/);
    await editor.fillTyped('functionName', 'json', '["hello","other"]');
    await editor.done();
    assert.equal((await editor.node('invoke')).valid, true);
    await editor.open('send');
    assert.equal(await editor.shows('groupId'), true, 'although it is advanced');
    await editor.fillTyped('queue', 'str', 'orders');
    await editor.fillTyped('attributes', 'json', '{"a":1}');
    await editor.fillTyped('deduplicationId', 'str', 'a');
    assert.match(await reasonUnder('deduplicationId'), /^Deduplication ID must be empty, except for a FIFO queue/);
    await editor.fillTyped('queue', 'str', 'orders.fifo');
    await editor.fillTyped('groupId', 'msg', 'topic');
    await editor.shoot('aws-sqs-send-fifo');
    await editor.done();
    assert.equal((await editor.node('send')).valid, true);
  });

  itOnce('say in words why a value will not do', async () => {
    await open({ invoke: { functionName: '', retries: 11 }, list: { maxItems: '51', maxItemsType: 'num' } });
    assert.deepEqual((await editor.node('invoke')).valid, false);
    assert.deepEqual((await editor.node('list')).valid, false);
    assert.match(await reason('invoke', 'functionName'), /Function/);
    assert.match(await reason('invoke', 'retries'), /Retries must be a whole number from 0 to 10/);
    assert.match(await reason('list', 'maxItems'), /Page size must be a whole number from 1 to 50/);
    await editor.open('invoke');
    await editor.fillTyped('functionName', 'str', 'no such/function');
    assert.match(await reason('invoke', 'functionName', 'no such/function'), /Function must be/);
    assert.match(await reasonUnder('functionName'), /Function must be/);
    await editor.fillTyped('functionName', 'jsonata', '((');
    assert.match(await reason('invoke', 'functionName', '(('), /Function: /);
    await editor.fillTyped('functionName', 'str', 'hello');
    await editor.fill('retries', '${RETRIES}');
    await editor.done();
    assert.deepEqual((await editor.node('invoke')).valid, true);
  });

  itOnce('miss the secret of an account that signs in by keys', async () => {
    await open();
    await editor.openConfig('aws-account', 'account');
    await editor.fill('secretAccessKey', '');
    assert.match(await reasonUnder('secretAccessKey'), /Secret access key is required/);
    assert.equal(await reason('account', 'source', 'keys'), 'true', 'each control is told about itself');
    await editor.fill('source', 'profile');
    assert.match(await reason('account', 'profile', ''), /Profile/);
    await editor.fill('source', 'keys');
    await editor.fill('secretAccessKey', 'something');
    assert.equal(await reason('account', 'source', 'keys'), 'true');
    await editor.fill('endpoint', 'ftp://nowhere');
    assert.match(await reason('account', 'endpoint', 'ftp://nowhere'), /Endpoint must be a URL/);
    await editor.cancel();
  });

  itOnce('mark an account, and say why, whose credentials will not do', async () => {
    await open({ account: { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' } });
    const cases = [
      ['externalId', 'x', /External ID must/],
      ['externalId', 'two words', /External ID must/],
      ['accessKeyId', 'two words', /Access key ID must/],
      ['secretAccessKey', 'two words', /Secret access key must/],
      ['sessionToken', 'two words', /Session token must/],
      ['secretAccessKey', '', /Secret access key is required/],
      ['accessKeyId', '', /Access key ID is required/]
    ] as const;
    for (const [name, value, why] of cases) {
      await editor.openConfig('aws-account', 'account');
      const before = String(await editor.read(name));
      await editor.fill(name, value);
      assert.match(await reasonUnder(name), why);
      await editor.done();
      assert.equal((await editor.node('account')).valid, false, `${name} ${value}`);
      await editor.openConfig('aws-account', 'account');
      if (name === 'externalId') assert.match(await reasonUnder(name), why);
      await editor.fill(name, before === '__PWRD__' ? 'something' : before);
      await editor.done();
      assert.equal((await editor.node('account')).valid, true, `${name} ${value}, put right`);
    }
  });

  it('change nothing when they are only looked at', async () => {
    const literal = { functionName: 'hello', functionNameType: 'str', region: 'eu-west-1', regionType: 'str' };
    await open({ invoke: { ...literal, clientContext: '{"a":1}', clientContextType: 'json', timeout: 5 } });
    const before = await editor.node('invoke');
    await editor.open('invoke');
    await editor.done();
    const { changed, ...after } = await editor.node('invoke');
    for (const [name, value] of Object.entries(before)) assert.deepEqual(after[name] ?? value, value, name);
    assert.deepEqual([after.clientContextType, String(after.timeout), after.region], ['json', '5', 'eu-west-1']);
  });

  it('take a property that is null, text for a box, or a value for its JSON, as the runtime does', async () => {
    await open({
      invoke: { timeout: null, hostContext: 'false', payload: { a: [1] }, payloadType: 'json' }
    });
    assert.equal((await editor.node('invoke')).valid, true);
    await editor.openByKey('invoke');
    await editor.done();
    const { timeout, hostContext, payload, valid } = await editor.node('invoke');
    const expected = { timeout: '900', hostContext: false, payload: '{"a":[1]}', valid: true };
    assert.deepEqual({ timeout, hostContext, payload, valid }, expected);
  });

  itOnce('refuse a choice that there is not', async () => {
    await open({ invoke: { invocationType: 'Sometimes' }, list: { output: '${OUTPUT}' } });
    assert.equal((await editor.node('invoke')).valid, false);
    assert.equal((await editor.node('list')).valid, true);
  });

  it('choose the only account that a node can use', async () => {
    await bench.red.deploy(
      [
        { id: 'here', type: 'tab', label: 'here' },
        { id: 'there', type: 'tab', label: 'there' },
        account(bench),
        account(bench, { id: 'theirs', z: 'there' }),
        invokeNode({ account: '', z: 'here', x: 300, y: 100 }),
        { ...sink('out'), z: 'here', x: 560, y: 100 }
      ],
      { credentials: credentials() }
    );
    editor = await openEditor();
    await editor.openByKey('invoke');
    assert.equal(await editor.read('account'), 'account');
    await editor.cancel();
  });

  it('are done with an account that was deleted in its own', async () => {
    await open();
    await editor.openConfig('aws-account', 'account');
    await editor.page.locator('.red-ui-tray').last().getByRole('button', { name: 'Delete' }).click();
    await editor.page.locator('#node-config-dialog-ok').waitFor({ state: 'hidden' });
    await editor.page.evaluate("RED.history.pop(); RED.editor.validateNode(RED.nodes.node('account'));");
    assert.equal((await editor.node('account')).valid, true);
  });

  it('start with the defaults for a node from the palette, which asks for an account and a function', async () => {
    await open({}, { sideBars: true });
    await editor.page.locator('.red-ui-palette-node[data-palette-type="aws-lambda-invoke"]').scrollIntoViewIfNeeded();
    await editor.page
      .locator('.red-ui-palette-node[data-palette-type="aws-lambda-invoke"]')
      .dragTo(editor.page.locator('#red-ui-workspace-chart'), { targetPosition: { x: 300, y: 400 } });
    const id = (await editor.page.evaluate(
      "RED.nodes.filterNodes({ type: 'aws-lambda-invoke' }).find(({ id }) => id !== 'invoke').id"
    )) as string;
    const { valid, functionName, payload, payloadType, invocationType, timeout } = await editor.node(id);
    assert.deepEqual(
      { valid, functionName, payload, payloadType, invocationType, timeout },
      {
        valid: false,
        functionName: '',
        payload: 'payload',
        payloadType: 'msg',
        invocationType: 'RequestResponse',
        timeout: 900
      }
    );
    await editor.open(id);
    assert.equal(await editor.read('account'), 'account', 'the only account is chosen');
    await editor.fillTyped('functionName', 'str', 'hello');
    await editor.shoot('aws-lambda-invoke-new');
    await editor.done();
    assert.equal((await editor.node(id)).valid, true);
    await editor.deploy();
    assert.deepEqual((await bench.red.send(id, { payload: { name: 'editor' } })).msg.payload, {
      greeting: 'Hello, editor!'
    });
  });

  it('can be walked through with the keyboard alone', async () => {
    await open({ invoke: { functionName: '' } });
    await editor.open('invoke');
    await (await editor.field('name')).focus();
    await editor.page.keyboard.type('by keyboard');
    await tabTo('Function');
    await editor.page.keyboard.type('hello');
    await editor.page.keyboard.press('Control+Enter');
    await editor.page.locator('#node-dialog-ok').waitFor({ state: 'hidden' });
    const { name, functionName, functionNameType } = await editor.node('invoke');
    assert.deepEqual(
      { name, functionName, functionNameType },
      { name: 'by keyboard', functionName: 'hello', functionNameType: 'str' }
    );
  });

  /** Opens the advanced part of the topmost dialog. */
  const openAdvanced = () => editor.page.evaluate("$('[id$=-advanced-section]').last().prop('open', true)");

  /** Those of the rows that can be seen. */
  async function shown(names: string[]): Promise<string[]> {
    await openAdvanced();
    const visible: string[] = [];
    for (const name of names) if (await editor.shows(name)) visible.push(name);
    return visible;
  }

  /** Nothing of the topmost dialog lies outside it, once it has slid to its place. */
  async function assertFits(): Promise<void> {
    await editor.page.waitForFunction(
      `(() => {
        const body = $('.red-ui-tray').last().find('.red-ui-tray-body')[0];
        return body.scrollWidth <= Math.min(body.clientWidth, innerWidth - body.getBoundingClientRect().left);
      })()`,
      undefined,
      { timeout: 5000 }
    );
  }

  async function testConnection(): Promise<void> {
    await editor.fill('roleArn', '');
    await editor.page.locator('.nimbus-test button').click();
    await editor.page.locator('.nimbus-fine').waitFor();
  }

  /** The reason that stands under a control. */
  async function reasonUnder(property: string): Promise<string> {
    const id = await (await editor.field(property)).getAttribute('id');
    const shown = editor.page.locator(`#${id}-reason`);
    await shown.waitFor();
    return shown.innerText();
  }

  /** What the validator of a property says of its value, or of another one. */
  async function reason(id: string, property: string, value?: string): Promise<string> {
    return (await editor.page.evaluate(`(() => {
      const node = RED.nodes.node('${id}');
      const value = ${value === undefined ? `node.${property}` : JSON.stringify(value)};
      return String(node._def.defaults.${property}.validate.call(node, value, {}));
    })()`)) as string;
  }

  /** Presses Tab until the control with this name has the focus. */
  async function tabTo(label: string): Promise<void> {
    for (let presses = 0; presses < 30; presses += 1) {
      await editor.page.keyboard.press('Tab');
      if ((await editor.page.evaluate("document.activeElement.getAttribute('aria-label')")) === label) return;
    }
    assert.fail(`${label} cannot be reached with the keyboard`);
  }
});
