import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { LocalAws } from '../../local-aws/client';
import { account, type Bench, credentials, invokeNode, receiveNode, sendNode } from '../aws';
import { nodeRedVersion, sink, startNodeRed } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

/** In the page: the tab, without the other one that Node-RED 5 has below it. */
const show = `RED.actions.invoke('core:toggle-sidebar', true); RED.actions.invoke('aws:show-sidebar-tab');
  if ($('.red-ui-debug-container').is(':visible')) $('button[data-tab-id=debug]').trigger('click');`;

describe(`the AWS tab in Node-RED ${nodeRedVersion}`, () => {
  const bench = {} as Bench;
  let editor: Editor;
  /** What is kept outlives a flow, so that each test has a node of its own. */
  let made = 0;

  before(async function () {
    this.timeout(120_000);
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
  });
  afterEach(async () => {
    const { problems, warnings } = editor;
    assert.deepEqual([...problems.splice(0), ...warnings.splice(0)], []);
    // What is logged of messages that are kept would come to a page that does not have their flow yet.
    await editor.end();
    await bench.aws.reset();
    await bench.red.deploy([]);
    rmSync(join(bench.red.userDir, 'nimbus', 'outbox'), { recursive: true, force: true });
    bench.red.clearLogs();
  });
  after(() => bench.aws.stop());

  /** Nothing can be sent, but all else works. */
  async function cut(): Promise<void> {
    for (const operation of ['SendMessage', 'SendMessageBatch'])
      await bench.aws.fault({ kind: 'resetBefore', service: 'sqs', operation });
  }

  /** A flow in which something has been called, is kept and is received. */
  async function deploy(): Promise<void> {
    const place = (y: number) => ({ x: 300, y });
    made += 1;
    await bench.red.deploy(
      [
        account(bench, { name: 'plant', budget: '5' }),
        invokeNode({ id: `invoke-${made}`, name: 'ask the weather', ...place(100) }),
        invokeNode({ id: `fails-${made}`, functionName: 'fails', ...place(160) }),
        sendNode({ id: `kept-${made}`, name: 'send orders', keep: true, queue: 'orders', ...place(220) }),
        receiveNode({ id: 'receive', queue: 'orders', wires: [['out']], ...place(280) }),
        { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [], ...place(340) },
        { ...sink('out'), x: 560, y: 140 }
      ],
      { credentials: credentials() }
    );
    await cut();
    await bench.red.send(`kept-${made}`, { payload: 'one' });
    await bench.red.send(`kept-${made}`, { payload: 'two' });
    await bench.red.send(`invoke-${made}`, { payload: {} });
    await bench.red.send(`fails-${made}`, { payload: {} });
  }

  async function open(options: Parameters<typeof openEditor>[0] = {}): Promise<void> {
    editor = await openEditor(options);
    await editor.page.evaluate(show);
    await row('ask the weather').waitFor();
  }
  const list = (name: string): Locator => editor.page.getByRole('list', { name });
  const row = (name: string): Locator => list('Last calls').getByRole('listitem').filter({ hasText: name }).first();
  const told = (): Locator => editor.page.locator('.nimbus-tab-told');
  const kept = (): Locator => list('Kept messages').getByRole('listitem');

  /** How the tab fits a narrow window is its own matter, and not that of Node-RED. */
  const walks: [width: number, themes: Theme[]][] =
    nodeRedVersion === 5
      ? [
          [1440, ['light', 'dark']],
          [400, ['light', 'dark']]
        ]
      : [[1440, ['light']]];
  for (const [width, themes] of walks) {
    it(`shows accounts, what is kept, receivers and calls, ${width} px wide`, async () => {
      await deploy();
      await open({ width, height: 1100, sideBars: width > 1000 });
      await list('Accounts').getByText('Signed in as user/demo').waitFor();
      await kept().getByText('ECONNRESET').waitFor();
      await list('Receivers').getByText('orders is empty').waitFor();
      for (const theme of themes) {
        await editor.setTheme(theme);
        await editor.shoot(`sidebar-${width}`);
        if (width > 1000 && theme === 'light')
          await editor.page
            .locator('.nimbus-tab-root')
            .screenshot({ path: 'screenshots/docs-sidebar.png', animations: 'disabled' });
        assert.deepEqual(await editor.findings('.nimbus-tab-root'), [], theme);
      }
      const inside = '.nimbus-tab-root *';
      assert.deepEqual(
        await editor.page.evaluate(
          `[...document.querySelectorAll('${inside}')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length`
        ),
        0
      );
      const text = await editor.page.locator('.nimbus-tab-root').innerText();
      assert.match(text, /2 kept, the oldest since/);
      assert.match(text, /FunctionError: The function has failed/);
      assert.doesNotMatch(text, /nimbus:|__\w+__|undefined|NaN/);
      await editor.setTheme('light');
    });
  }

  it('is worked by mouse: filters, pauses, clears, copies, and shows the node', async () => {
    await deploy();
    await open({ sideBars: true });
    const rows = list('Last calls').getByRole('listitem');
    await editor.page.getByRole('button', { name: 'Failures only' }).click();
    await row('ask the weather').waitFor({ state: 'detached' });
    await row('fails').getByText('FunctionError').waitFor();
    await editor.page.getByRole('button', { name: 'Failures only' }).click();
    await editor.page.getByRole('combobox', { name: 'Calls of' }).selectOption({ label: 'ask the weather' });
    assert.equal(await rows.count(), 1);
    await row('ask the weather')
      .getByRole('button', { name: /^Copy the request ID/ })
      .click();
    await editor.page.waitForFunction("document.querySelector('.nimbus-tab-told').textContent === 'Copied'");
    await row('ask the weather').getByRole('button', { name: 'ask the weather' }).click();
    await editor.page.waitForFunction(`RED.nodes.node('invoke-${made}').highlighted`);
    await editor.page.getByRole('button', { name: 'Pause' }).click();
    await bench.red.send(`invoke-${made}`, { payload: {} });
    await editor.page.getByRole('button', { name: 'Clear the list' }).click();
    await editor.page.getByText('No calls yet.').waitFor();
    await editor.page.getByRole('button', { name: 'Pause' }).click();
    await row('ask the weather').waitFor();
    assert.equal(await rows.count(), 1);
  });

  it('is worked by keyboard: a key opens it, arrows go from call to call', async () => {
    await deploy();
    editor = await openEditor({ sideBars: true });
    await editor.page.evaluate('RED.view.focus()');
    await editor.page.keyboard.press('Control+g');
    await editor.page.keyboard.press('a');
    await row('ask the weather').waitFor();
    await editor.page.getByRole('button', { name: 'Pause' }).focus();
    await editor.page.keyboard.press('Enter');
    const names = await list('Last calls').locator('.nimbus-tab-node').allTextContents();
    const focused = () =>
      editor.page.evaluate("document.activeElement.closest('li')?.querySelector('.nimbus-tab-node').textContent");
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.press('Tab');
    assert.equal(await focused(), names[0]);
    await editor.page.keyboard.press('End');
    assert.equal(await focused(), names.at(-1));
    await editor.page.keyboard.press('ArrowUp');
    assert.equal(await focused(), names.at(-2));
    await editor.page.keyboard.press('Home');
    assert.equal(await focused(), names[0]);
    for (let at = 0; at < names.indexOf('ask the weather'); at += 1) await editor.page.keyboard.press('ArrowDown');
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.press('Enter');
    await editor.page.waitForFunction("document.querySelector('.nimbus-tab-told').textContent === 'Copied'");
  });

  it('exports what is kept, throws it away after a question, and sends it now', async () => {
    await deploy();
    await open({ sideBars: true });
    await kept().getByText('ECONNRESET').waitFor();
    const [download] = await Promise.all([
      editor.page.waitForEvent('download'),
      kept().getByRole('button', { name: 'Export' }).click()
    ]);
    assert.match(download.suggestedFilename(), /^send-orders-.*\.jsonl$/);
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { message: { payload: string } }).message.payload),
      ['one', 'two']
    );
    await kept().getByRole('button', { name: 'Throw away' }).click();
    const question = editor.page
      .locator('.red-ui-notification')
      .filter({ hasText: 'Throw away 2 kept messages of “send orders”?' });
    await question.waitFor();
    await editor.shoot('sidebar-question');
    await editor.page.getByRole('button', { name: 'Keep them' }).click();
    assert.match(await kept().innerText(), /2 kept/);
    await bench.aws.clearFaults();
    await kept().getByRole('button', { name: 'Send now' }).click();
    await bench.red.collect('out', 2);
    await editor.page.getByText('No messages wait on disk.').waitFor();
    await cut();
    await bench.red.send(`kept-${made}`, { payload: 'three' });
    await kept().getByText('ECONNRESET').waitFor();
    await kept().getByRole('button', { name: 'Throw away' }).click();
    await editor.page.locator('.red-ui-notification').getByRole('button', { name: 'Throw away' }).click();
    await editor.page.getByText('No messages wait on disk.').waitFor();
    assert.equal(await told().textContent(), '1 thrown away.');
  });

  it('has what a policy lacks to copy, and the policy of an account', async () => {
    await bench.aws.settings({ policy: { Version: '2012-10-17', Statement: [] } as never });
    await bench.red.deploy(
      [
        account(bench, { name: 'plant' }),
        invokeNode({ name: 'ask the weather', x: 300, y: 100 }),
        { ...sink('out'), x: 560, y: 140 }
      ],
      { credentials: credentials('limited') }
    );
    await bench.red.send('invoke', { payload: {} });
    await open({ sideBars: true });
    await editor.page.evaluate('RED.clipboard.copyText = (text) => { window.copied = text; }');
    await row('ask the weather').getByRole('button', { name: 'Copy the missing statement' }).click();
    assert.deepEqual(JSON.parse(await editor.page.evaluate('window.copied')), {
      Effect: 'Allow',
      Action: 'lambda:InvokeFunction',
      Resource: 'arn:aws:lambda:us-east-1:111111111111:function:hello'
    });
    await editor.shoot('sidebar-denied');
    assert.deepEqual(await editor.findings('.nimbus-tab-root'), []);
    await list('Accounts').getByRole('button', { name: 'Policy' }).press('Enter');
    await editor.page.getByRole('region', { name: 'What the nodes need' }).waitFor();
    await editor.shoot('sidebar-policy');
    await editor.page.getByRole('button', { name: 'Cancel' }).click();
  });

  it('shows what is left of a node that was deleted, and throws it away after a question', async () => {
    await deploy();
    await bench.red.deploy([account(bench, { name: 'plant' }), { ...sink('out'), x: 560, y: 140 }], {
      credentials: credentials()
    });
    editor = await openEditor({ sideBars: true });
    await editor.page.evaluate(show);
    await kept().getByText('The node is no longer deployed.').waitFor();
    assert.match(await kept().innerText(), new RegExp(`kept-${made}\\s+2 kept, the oldest since`));
    assert.equal(await kept().getByRole('button', { name: 'Send now' }).count(), 0);
    await editor.shoot('sidebar-left');
    assert.deepEqual(await editor.findings('.nimbus-tab-root'), []);
    await kept().getByRole('button', { name: 'Throw away' }).click();
    await editor.page.locator('.red-ui-notification').getByRole('button', { name: 'Throw away' }).click();
    await editor.page.getByText('No messages wait on disk.').waitFor();
  });

  it('says what to do where there is nothing, and asks nothing while it is not seen', async () => {
    await bench.red.deploy([{ ...sink('out'), x: 560, y: 140 }]);
    editor = await openEditor({ sideBars: true });
    const asked: string[] = [];
    editor.page.on('request', (request) => {
      if (request.url().includes('aws-account/sidebar')) asked.push(request.url());
    });
    await editor.page.evaluate(show);
    await editor.page.getByText('No AWS account is deployed.').waitFor();
    await editor.page.getByText('No node receives from a queue.').waitFor();
    await editor.shoot('sidebar-empty');
    assert.deepEqual(await editor.findings('.nimbus-tab-root'), []);
    await editor.page.evaluate("RED.sidebar.show('info')");
    await editor.page.locator('.nimbus-tab-root').waitFor({ state: 'hidden' });
    const count = asked.length;
    await editor.page.clock.install();
    await editor.page.clock.runFor(10_000);
    // One may have been on its way.
    assert.ok(asked.length <= count + 1, `${asked.length - count} in 10 s`);
  });
});
