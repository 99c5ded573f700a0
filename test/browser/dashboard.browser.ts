import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Camera, startCamera } from '../../demo/camera';
import { keysOf, useBench } from '../aws';
import { type FlowNode, nodeRedVersion } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

const read = (path: string) => JSON.parse(readFileSync(join(__dirname, '../..', path), 'utf8')) as FlowNode[];
const example = read('examples/dashboard-detection.json');
const sizes = {
  desktop: { width: 1280, height: 900 },
  tablet: { width: 820, height: 1180 },
  phone: { width: 390, height: 844 }
};
/** Of the browser, not of the editor: the same on both versions of Node-RED. */
const themes: Theme[] = ['light', 'dark'];
/** Who has gone comes back within the camera's minute. */
const patience = { timeout: 90_000 };

function idOf(type: string, name: string): string {
  const node = example.find((each) => each.type === type && each.name === name);
  assert.ok(node, `there is a ${type} named ${name}`);
  return node.id;
}

describe(`the dashboard in Node-RED ${nodeRedVersion}`, function () {
  this.timeout(150_000);
  const bench = useBench();
  let camera: Camera;
  let porch: Server;
  /** When the camera's minute began; before that there is nobody. */
  let began: number | undefined;

  before(async () => {
    camera = await startCamera();
    porch = createServer(async (_request, response) => {
      const second = began ? 1 + (Date.now() - began) / 1000 : 1;
      const picture = await fetch(`${camera.url}/porch.jpg?t=${second}`);
      response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(Buffer.from(await picture.arrayBuffer()));
    });
    await new Promise<void>((resolve) => porch.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    porch.closeAllConnections();
    await new Promise((resolve) => porch.close(resolve));
    await camera.close();
  });

  /** As `npm start` has it, with the demo's account. The camera's minute begins when its first picture is shown. */
  async function openDashboard(theme: Theme = 'light'): Promise<Editor> {
    const account = read('demo/flows.json').find(({ type }) => type === 'aws-account') as FlowNode;
    const url = `http://127.0.0.1:${(porch.address() as AddressInfo).port}/porch.jpg`;
    const flow = example
      .filter(({ type }) => type !== 'aws-account')
      .map((node) => ({
        ...node,
        ...('account' in node && { account: account.id }),
        ...(node.type === 'http request' && { url })
      }));
    const editor = await openEditor({ theme, ...sizes.desktop });
    began = undefined;
    await bench.red.deploy([...flow, { ...account, endpoint: bench.aws.url }], {
      credentials: { [account.id]: keysOf('demo') }
    });
    // With this the dashboard has its charts at hand: it is for its own tests.
    await editor.page.addInitScript('window.Cypress = true');
    await editor.page.goto(`${bench.red.url}dashboard/porch`);
    await editor.page.locator('.porch-live img').waitFor();
    began = Date.now();
    return editor;
  }

  const who = ({ page }: Editor, name: string) => page.locator('.porch-who b', { hasText: name }).waitFor(patience);
  const toast = ({ page }: Editor, text: string) =>
    page.locator('.v-snackbar', { hasText: text }).first().waitFor(patience);
  const row = ({ page }: Editor, what: string) =>
    page
      .locator('.nrdb-ui-table tbody tr', { has: page.getByRole('cell', { name: what, exact: true }) })
      .first()
      .waitFor(patience);

  /** How many points each line of the chart has. */
  async function points({ page }: Editor): Promise<Record<string, number>> {
    const { series } = (await page.evaluate(
      `({ series: uiCharts['${idOf('ui-chart', 'chart')}'].chart.getOption().series.map(({ name, data }) => [name, data.length]) })`
    )) as { series: [string, number][] };
    return Object.fromEntries(series);
  }

  it('shows what the camera sees, tells of somebody once, and learns who it is', async () => {
    const editor = await openDashboard();
    const { page } = editor;
    const first = await page.locator('.porch-live img').getAttribute('src');
    const before = await points(editor);
    assert.deepEqual(Object.keys(before), ['person', 'car', 'dog']);

    await toast(editor, 'Somebody is at the porch: the alert was published.');
    await page.locator('.porch-chip', { hasText: /^1 person$/ }).waitFor(patience);
    assert.notEqual(await page.locator('.porch-live img').getAttribute('src'), first);
    await row(editor, 'person');

    await who(editor, 'Somebody unknown');
    await row(editor, 'unknown face');
    const teach = page.getByRole('button', { name: 'Teach' });
    assert.equal(await teach.isEnabled(), false);
    await page.getByLabel('Name').fill('Zoë Müller');
    await teach.click();
    await toast(editor, 'Zoë Müller was taught.');
    await who(editor, 'Zoë Müller');
    await row(editor, 'Zoë Müller');

    const after = await points(editor);
    for (const [name, count] of Object.entries(after)) assert.ok(count > (before[name] ?? 0), `${name} has grown`);
    const alerts = (await bench.aws.requests()).filter(({ operation }) => operation === 'Publish');
    assert.deepEqual(
      alerts.map(({ input }) => (input as Record<string, string>).Message),
      ['1 at the porch']
    );
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('keeps the face while its name is put in, and says why it was not taught', async () => {
    const editor = await openDashboard();
    const { page } = editor;
    await who(editor, 'Somebody unknown');
    const face = () => page.locator('.porch-crop').getAttribute('style');
    await page.getByLabel('Name').focus();
    await page.keyboard.type('Ann');
    const held = await face();
    const seen = idOf('ui-template', 'face');
    const count = bench.red.received(seen).length;
    await bench.red.until(() => bench.red.received(seen).length > count, 'another picture with a face', 90_000);
    await page.keyboard.type('a');
    assert.equal(await face(), held);

    await bench.aws.fault({ operation: 'IndexFaces', kind: 'expired' });
    await page.keyboard.press('Enter');
    await toast(editor, 'Not taught: ');
    await page.waitForFunction(
      `document.querySelector('.porch-crop').getAttribute('style') !== ${JSON.stringify(held)}`,
      undefined,
      patience
    );
    assert.equal(await page.getByLabel('Name').inputValue(), '');
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  for (const theme of themes) {
    it(`is easy to read on a desktop, a tablet and a phone, ${theme}`, async () => {
      const editor = await openDashboard(theme);
      const { page } = editor;
      await who(editor, 'Somebody unknown');
      await row(editor, 'unknown face');
      await page.locator('.v-snackbar').first().waitFor({ state: 'hidden' });
      for (const [name, size] of Object.entries(sizes)) {
        await page.setViewportSize(size);
        await page.waitForFunction(`document.querySelector('.nrdb-ui-chart canvas').clientWidth < ${size.width}`);
        await editor.shoot(`dashboard-${name}`);
        assert.deepEqual(await editor.tooWide('.nrdb-ui-group'), [], name);
        assert.deepEqual(await editor.findings('.nrdb-ui-group'), [], name);
      }
      assert.deepEqual(editor.problems, []);
      await editor.close();
    });
  }
});
