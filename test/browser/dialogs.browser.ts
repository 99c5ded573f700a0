import assert from 'node:assert/strict';
import { account, credentials, invokeNode, listNode, useBench } from '../aws';
import { nodeRedVersion, sink } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

const themes: Theme[] = nodeRedVersion === 4 ? ['light'] : ['light', 'dark'];

describe(`the dialogs in Node-RED ${nodeRedVersion}`, () => {
  const bench = useBench();
  let editor: Editor;

  /** Deploys one node of each kind and opens the editor on them. */
  async function open(
    theme: Theme,
    properties: { invoke?: object; list?: object; account?: object } = {}
  ): Promise<void> {
    await bench.red.deploy(
      [
        account(bench, { ...properties.account }),
        invokeNode({ x: 300, y: 100, ...properties.invoke }),
        listNode({ x: 300, y: 180, ...properties.list }),
        { ...sink('out'), x: 560, y: 140 }
      ],
      { credentials: credentials() }
    );
    editor = await openEditor({ theme });
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

  for (const theme of themes) {
    it(`look like a product in the ${theme} theme`, async () => {
      await open(theme);
      for (const [id, name] of [
        ['invoke', 'aws-lambda-invoke'],
        ['list', 'aws-lambda-list']
      ] as const) {
        await editor.open(id);
        await assertWords();
        await editor.shoot(name);
        await editor.page.locator('#node-input-advanced > summary').click();
        await assertWords();
        await editor.shoot(`${name}-advanced`);
        await editor.cancel();
      }
      await editor.openConfig('aws-account', 'account');
      await assertWords();
      await editor.shoot('aws-account');
      await editor.page.locator('#node-config-input-advanced > summary').click();
      await editor.fill('roleArn', 'arn:aws:iam::111111111111:role/nimbus-demo');
      await assertWords();
      await editor.shoot('aws-account-advanced');
      await editor.cancel();
    });
  }
});
