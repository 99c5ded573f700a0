/** *Try it* in the dialogs: what a click comes to, and how it looks. */
import assert from 'node:assert/strict';
import { LocalAws } from '../../local-aws/client';
import { drawPicture } from '../../local-aws/rekognition/drawings';
import { account, type Bench, credentials, detectNode, invokeNode } from '../aws';
import { nodeRedVersion, sink, startNodeRed } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';
import { untidyIn } from './form';

describe(`Try it in Node-RED ${nodeRedVersion}`, () => {
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
    await bench.aws.clearFaults();
    await bench.red.deploy([]);
    bench.red.clearLogs();
  });
  after(() => bench.aws.stop());

  const section = () => editor.page.locator('details').filter({ has: editor.page.locator('[id$="-trial"]') });
  const button = (name = 'Try it now') => section().getByRole('button', { name });
  const says = (text: string | RegExp) => section().getByRole('status').getByText(text).waitFor();

  /** Opens a dialog, and the part for trying by its keyboard. */
  async function open(
    node = invokeNode({ functionName: 'hello' }),
    options?: Parameters<typeof openEditor>[0]
  ): Promise<void> {
    const nodes = [
      { ...node, x: 300, y: 100 },
      { ...sink('out'), x: 560, y: 100 }
    ];
    await bench.red.deploy([account(bench), ...nodes], { credentials: credentials() });
    editor = await openEditor(options);
    await editor.open(node.id);
    await section().locator('summary').focus();
    await editor.page.keyboard.press('Enter');
    await button().waitFor();
  }
  const choose = (value: string) => section().locator('select').selectOption(value);

  const themes: Theme[] = nodeRedVersion === 5 ? ['light', 'dark'] : ['light'];
  for (const width of [1440, 400]) {
    it(`shows the picture with boxes and the answer, tidy and without a finding, ${width} px wide`, async () => {
      await open(detectNode(), { width, height: 1400 });
      await choose('picture');
      const box = { left: 0.3, top: 0.2, width: 0.3, height: 0.7 };
      const buffer = Buffer.from(
        drawPicture({ things: [{ kind: 'person', box }] }, { width: 640, height: 480, format: 'jpeg' })
      );
      await section().locator('input[type=file]').setInputFiles({ name: 'porch.jpg', mimeType: 'image/jpeg', buffer });
      await button().click();
      await says(/^Answered after/);
      const picture = section().getByRole('img', { name: 'The picture with what was found' });
      await picture.scrollIntoViewIfNeeded();
      assert.match(await section().getByRole('group', { name: 'Answer' }).innerText(), /"person"/);
      for (const theme of themes) {
        await editor.setTheme(theme);
        await editor.shoot(`trial-${width}`);
        assert.deepEqual(await editor.findings('.red-ui-tray details:has([id$="-trial"])'), [], theme);
        assert.deepEqual(await untidyIn(editor), [], theme);
      }
      await editor.setTheme('light');
    });
  }

  it('runs what stands in the dialog with a text of one’s own, by keyboard alone, and shows the end of the log', async () => {
    await open();
    await section().locator('select').focus();
    await editor.page.keyboard.press('ArrowDown');
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.type('{"name": "Ada"}');
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.press('Enter');
    await says(/^Answered after/);
    assert.match(await section().getByRole('group', { name: 'Answer' }).innerText(), /Ada/);
    assert.match(await section().getByRole('group', { name: 'End of the log' }).innerText(), /RequestId/);
    await editor.page.keyboard.press('Tab');
    assert.equal(await editor.page.evaluate('document.activeElement.tagName'), 'PRE');
  });

  it('says why nothing was tried, and what has failed', async () => {
    await open();
    await button().click();
    await says('No message has reached the node');
    await choose('own');
    await editor.fillTyped('functionName', 'str', 'missing');
    await button().click();
    await says(/^Failed after .* ResourceNotFoundException: /);
  });

  it('never gives an endless expression to the runtime', async () => {
    await open();
    await choose('own');
    await editor.fillTyped('payload', 'jsonata', '($f := function($x) { $f($x) }; $f(1))');
    await button().click();
    await says('The expression in “Payload” takes more than a second here');
  });

  it('can be cancelled', async () => {
    await open();
    await choose('own');
    await bench.aws.fault({ kind: 'hang', service: 'lambda' });
    await button().click();
    await bench.aws.until({ requests: 1, service: 'lambda' });
    await button('Cancel').click();
    await says(/^Cancelled\./);
    await button().waitFor();
  });
});
