/** What dialogs show below a JSONata expression: its result for the last message, while one types. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { LocalAws } from '../../local-aws/client';
import { account, type Bench, credentials, invokeNode } from '../aws';
import { nodeRedVersion, sink, startNodeRed } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';
import { untidyIn } from './form';

describe(`the preview of an expression in Node-RED ${nodeRedVersion}`, () => {
  const bench = {} as Bench;
  let editor: Editor;

  before(async function () {
    this.timeout(120_000);
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
  });
  afterEach(async () => {
    await editor.cancel();
    assert.deepEqual([...editor.problems.splice(0), ...editor.warnings.splice(0)], []);
    await editor.close();
    await bench.red.deploy([]);
    bench.red.clearLogs();
  });
  after(() => bench.aws.stop());

  /** Opens the dialog of a node with this expression, which this message has reached. */
  async function open(
    payload: string,
    msg?: Record<string, unknown>,
    options?: Parameters<typeof openEditor>[0]
  ): Promise<void> {
    const node = invokeNode({ payload, payloadType: 'jsonata', x: 300, y: 100 });
    await bench.red.deploy([account(bench), node, { ...sink('out'), x: 560, y: 100 }], { credentials: credentials() });
    if (msg) await bench.red.send('invoke', msg);
    editor = await openEditor(options);
    await editor.open('invoke');
  }
  const preview = async (property = 'payload'): Promise<Locator> =>
    editor.page
      .locator('.form-row')
      .filter({ has: await editor.field(property) })
      .locator('.nimbus-preview');
  const shows = async (text: string): Promise<void> => {
    await (await preview()).getByText(text).waitFor();
  };
  /** Types an expression in place of the one that stands there. */
  async function type(expression: string): Promise<void> {
    const face = await editor.face('payload');
    await face.click();
    await editor.page.keyboard.press('Control+a');
    await editor.page.keyboard.insertText(expression);
  }

  const themes: Theme[] = nodeRedVersion === 5 ? ['light', 'dark'] : ['light'];
  it('is tidy and without a finding, however wide the window is and long the result', async () => {
    const list = Array.from({ length: 20 }, (_, index) => ({ name: `one of them, number ${index}`, price: index / 2 }));
    await open('{ "text": payload.text, "list": payload.list }', {
      payload: { text: 'a text that is much longer than the dialog is wide, '.repeat(3), list }
    });
    await shows('a text that is much longer');
    const code = (await preview()).locator('code');
    for (const width of [1440, 400]) {
      await editor.resize({ width, height: 1100 });
      for (const theme of themes) {
        await editor.setTheme(theme);
        await editor.shoot(`preview-${width}`);
        assert.deepEqual(await editor.findings('.red-ui-tray .nimbus-row:has(.nimbus-preview:not(:empty))'), [], theme);
        assert.deepEqual(await untidyIn(editor), [], theme);
      }
      await editor.setTheme('light');
    }
    await code.focus();
    await editor.page.keyboard.press('End');
    await editor.page.waitForFunction(
      "document.activeElement.matches('.nimbus-preview > code') && document.activeElement.scrollTop > 0"
    );
  });

  it('follows what is typed: values, none, errors in words, and what only the runtime knows', async () => {
    await open('payload.name', { payload: { name: 'Ada', bytes: Buffer.from('ab') } });
    await shows('"Ada"');
    assert.match(await (await preview()).innerText(), /^With the last message \(.*\d.*\):/);
    for (const [expression, text] of [
      ['payload.missing', 'no value'],
      ['payload.name & "!"', '"Ada!"'],
      ['msg.payload.name', '"Ada"'],
      ['payload.bytes', '{"type":"Buffer","data":[97,98]}'],
      ['payload.name + 1', 'The expression fails: The left side of the "+" operator must evaluate to a number'],
      // As in Node-RED, unlike in JSONata elsewhere.
      ['payload.bytes.length', '2'],
      ['$uppercase', 'The expression gives a function, not a value.'],
      ['$env("HOME")', '$env is known only when the flow runs.'],
      ['$flowContext("x")', '$flowContext is known only when the flow runs.'],
      ['$clone(payload).name', '"Ada"']
    ] as const) {
      await type(expression);
      await shows(text);
    }
  });

  it('gives up what never ends, and goes on with what is typed then', async () => {
    await open('payload', { payload: 'fine' });
    // Not deployed: the runtime, which has no limit, would evaluate it for the message, in the process of this test.
    await type('($f := function($x) { $f($x) }; $f(1))');
    await shows('The expression takes more than a second');
    await editor.shoot('preview-slow');
    await type('payload');
    await shows('"fine"');
  });

  it('says nothing of what is no expression, or has a mistake that is marked already', async () => {
    await open('payload', { payload: 'fine' });
    await shows('"fine"');
    await type('payload.(');
    await (await preview()).locator('*').first().waitFor({ state: 'detached' });
    await editor.page.locator('.nimbus-reason').filter({ hasText: /\S/ }).waitFor();
    assert.equal(await (await preview()).innerText(), '');
    await editor.fillTyped('payload', 'str', 'payload');
    assert.equal(await (await preview()).innerText(), '');
  });

  it('says what it waits for, and takes up a message that comes later', async () => {
    await open('payload');
    await shows('once a message has reached the node');
    await bench.red.send('invoke', { payload: 'late' });
    // The browser asks again with the next key, after a while.
    await editor.page.evaluate(
      '{ const steady = performance.now.bind(performance); performance.now = () => steady() + 2001; }'
    );
    await type('payload & "r"');
    await shows('"later"');
  });

  it('is a live region that says a result once, also where half an expression stood before', async () => {
    await open('payload', { payload: 'fine' });
    await shows('"fine"');
    assert.equal(await (await preview()).getAttribute('role'), 'status');
    await (await editor.face('payload')).focus();
    // All at once, so that no machine is too slow for it.
    await editor.page.evaluate(`
      globalThis.changes = 0;
      new MutationObserver(() => { changes += 1; })
        .observe(document.querySelector('.nimbus-preview:not(:empty)'), { childList: true });
      for (const text of ['payload &', 'payload & "l', 'payload & "ly"']) {
        document.activeElement.value = text;
        document.activeElement.dispatchEvent(new Event('input', { bubbles: true }));
      }`);
    await shows('"finely"');
    assert.equal(await editor.page.evaluate('changes'), 1);
  });
});
