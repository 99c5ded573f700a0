import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf, useBench } from '../aws';
import { type FlowNode, nodeRedVersion } from '../node-red';
import { openEditor, type Theme } from './editor';

const flows = JSON.parse(readFileSync(join(__dirname, '../../demo/flows.json'), 'utf8')) as FlowNode[];
const injects = flows.filter(({ type }) => type === 'inject');
const themes: Theme[] = nodeRedVersion === 4 ? ['light'] : ['light', 'dark'];

describe(`the demo in Node-RED ${nodeRedVersion}`, () => {
  const bench = useBench();

  for (const theme of themes) {
    it(`answers to every button, in the ${theme} theme`, async () => {
      const account = flows.find(({ type }) => type === 'aws-account') as FlowNode;
      const local = { ...account, endpoint: bench.aws.url };
      await bench.red.deploy([...flows.filter((node) => node !== account), local], {
        credentials: { [account.id]: keysOf('demo') }
      });
      const editor = await openEditor({ theme, width: 1600, height: 1000 });
      for (const { id } of injects) await editor.inject(id);
      await editor.debugMessages(injects.length);
      await editor.page.evaluate("$('#red-ui-workspace-chart').scrollTop(0)");
      await editor.page.locator('.red-ui-notification').last().waitFor({ state: 'hidden' });
      await editor.shoot('demo');
      assert.deepEqual(editor.problems, []);
      await editor.close();
    });
  }
});
