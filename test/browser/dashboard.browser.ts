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
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const sizes = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
const themes: Theme[] = ['light', 'dark'];

describe(`the dashboard in Node-RED ${nodeRedVersion}`, function () {
  this.timeout(150_000);
  const bench = useBench();
  let camera: Camera;
  let minute: Server;
  let began: number;

  before(async () => {
    camera = await startCamera();
    // Its minute begins with each test, not with the clock's.
    minute = createServer(async (_request, response) => {
      const second = 1 + (Date.now() - began) / 1000;
      const answer = await fetch(`${camera.url}/porch.jpg?t=${second}`);
      response.writeHead(answer.status, { 'Content-Type': 'image/jpeg' }).end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve) => minute.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    minute.closeAllConnections();
    await new Promise((resolve) => minute.close(resolve));
    await camera.close();
  });

  async function openDashboard(theme: Theme): Promise<Editor> {
    const editor = await openEditor({ theme, ...sizes.desktop });
    began = Date.now();
    const account = read('demo/flows.json').find(({ type }) => type === 'aws-account') as FlowNode;
    const url = `http://127.0.0.1:${(minute.address() as AddressInfo).port}/porch.jpg`;
    const flow = example
      .filter(({ type }) => type !== 'aws-account')
      .map((node) => ({
        ...node,
        ...('account' in node && { account: account.id }),
        ...(node.type === 'http request' && { url })
      }));
    await bench.red.deploy([...flow, { ...account, endpoint: bench.aws.url }], {
      credentials: { [account.id]: keysOf('demo') }
    });
    await editor.page.goto(`${bench.red.url}dashboard/porch`);
    return editor;
  }

  it('explore', async () => {
    const editor = await openDashboard('light');
    const { page } = editor;
    await page.locator('.porch-wait').waitFor().catch(() => console.log('no wait'));
    await editor.shoot('dashboard-empty');
    await page.locator('.porch-live img').waitFor();
    await page.waitForFunction(`!document.querySelector('.porch-who b').textContent.includes('Nobody')`, undefined, { timeout: 60_000 });
    console.log(await page.locator('.nrdb-ui-group').allInnerTexts());
    console.log(await page.evaluate(`[...document.querySelectorAll('canvas')].map(c => c.outerHTML + c.parentElement.parentElement.outerHTML.slice(0, 900))`));
    console.log(await page.evaluate(`document.querySelector('.nrdb-ui-table, .v-table')?.outerHTML.slice(0,3000)`));
    await page.waitForFunction("document.querySelectorAll('tbody tr').length >= 6", undefined, { timeout: 60_000 });
    await page.addStyleTag({ content: '* { transition: none !important }' });
    for (const theme of themes) for (const [name, size] of Object.entries(sizes)) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize(size);
      await page.screenshot({ path: `screenshots/explore-${name}-${theme}.png`, fullPage: true });
      console.log(name, await page.evaluate('document.documentElement.scrollWidth'));
      await page.evaluate(axe);
      const found = await page.evaluate(`axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.impact, v.nodes.map(n => [n.target.join(' '), n.any.map(a=>a.message).join(';')])])))`);
      console.log(theme, name, found);
    }
    console.log(editor.problems);
    await editor.close();
  });
});
