import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useEnvironment } from '../account/environment';
import { keysOf, useBench } from '../aws';
import { type FlowNode, nodeRedVersion } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

const flows = JSON.parse(readFileSync(join(__dirname, '../../demo/flows.json'), 'utf8')) as FlowNode[];
const groups = flows.filter(({ type }) => type === 'group');
const themes: Theme[] = nodeRedVersion === 4 ? ['light'] : ['light', 'dark'];

function idOf(type: string, name: string): string {
  const node = flows.find((each) => each.type === type && each.name === name);
  assert.ok(node, `there is a ${type} named ${name}`);
  return node.id;
}

describe(`the demo in Node-RED ${nodeRedVersion}`, () => {
  const environment = useEnvironment();
  const bench = useBench();

  async function openDemo(): Promise<Editor> {
    const account = flows.find(({ type }) => type === 'aws-account') as FlowNode;
    environment.set({ NIMBUS_LOCAL_AWS: bench.aws.url });
    const local = { ...account, endpoint: bench.aws.url };
    await bench.red.deploy([...flows.filter((node) => node !== account), local], {
      credentials: { [account.id]: keysOf('demo') }
    });
    return openEditor({ width: 1600, height: 1000 });
  }

  it('answers to every button', async () => {
    const editor = await openDemo();
    const live = groups.filter(({ name }) => String(name).startsWith('Live'));
    const buttons = flows.filter(({ type, g }) => type === 'inject' && !live.some(({ id }) => id === g));
    for (const { id } of buttons) await editor.inject(id);
    await editor.debugMessages(buttons.length);
    await editor.page.evaluate("$('#red-ui-workspace-chart').scrollTop(0)");
    await editor.page.locator('.red-ui-notification').last().waitFor({ state: 'hidden' });
    for (const theme of themes) {
      await editor.setTheme(theme);
      await editor.shoot('demo');
    }
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('keeps readings while their link is cut, says how many, and sends them when it is mended', async () => {
    const editor = await openDemo();
    const keeping = groups.filter(({ name }) => String(name).includes('Nothing is lost')).map(({ id }) => id);
    const shows = (id: string, pattern: RegExp) =>
      editor.page.waitForFunction(
        `${pattern}.test(document.querySelector('[id="${id}"] .red-ui-flow-node-status-label')?.textContent ?? '')`
      );
    await editor.resize({ width: 1600, height: 1200 });
    await editor.inject(idOf('inject', 'cut the link'));
    await editor.inject(idOf('inject', '50 at once'));
    await shows(idOf('aws-sqs-send', 'keep and send'), /^[5-9]\d kept since/);
    await editor.page.locator('.red-ui-notification').last().waitFor({ state: 'hidden' });
    for (const theme of themes) {
      await editor.setTheme(theme);
      await editor.shoot('demo-keep', keeping);
    }
    await editor.inject(idOf('inject', 'mend the link'));
    await shows(idOf('debug', 'arrived'), /^[5-9]\d$/);
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('lives: orders come and go, are counted and given up, and the debug sidebar stays empty', async () => {
    const editor = await openDemo();
    /** Waits until the status of a node is such a text. */
    const shows = (id: string, pattern: RegExp) =>
      editor.page.waitForFunction(
        `${pattern}.test(document.querySelector('[id="${id}"] .red-ui-flow-node-status-label')?.textContent ?? '')`,
        undefined,
        { timeout: 40_000 }
      );
    await shows(idOf('debug', 'sent'), /^8 in 2 requests$/);
    await shows(idOf('aws-sqs-receive', 'take orders'), /^\d+$/);
    await shows(idOf('debug', 'failed'), /^(soufflé|unicorn steak), try \d$/);
    await shows(idOf('debug', 'served'), /^[1-9]\d*$/);
    await shows(idOf('debug', 'given up'), /^#\d+ unicorn steak$/);
    const before = Number(await editor.status(idOf('debug', 'served')));
    await shows(idOf('debug', 'served'), new RegExp(`^(?!${before}$)`));
    assert.ok(Number(await editor.status(idOf('debug', 'served'))) > before);
    assert.equal(await editor.page.locator('.red-ui-debug-msg').count(), 0);
    // The picture in the README is this one.
    await editor.inject(idOf('inject', 'Grace'));
    await shows(idOf('debug', 'greeting'), /^Hello, Grace!$/);
    await editor.page.locator('.red-ui-notification').last().waitFor({ state: 'hidden' });
    await shows(idOf('aws-sqs-receive', 'take orders'), /^[3-9]$/);
    await editor.shoot(
      'demo-picture',
      groups.slice(0, 2).map(({ id }) => id)
    );
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
