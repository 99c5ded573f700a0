import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { homeAssistantTypes } from '../docs/home-assistant-nodes';
import { exampleNames, placeOfExample } from '../example-files';
import { type FlowNode, nodeRedVersion, startNodeRed } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

/** Importing takes its time: each Node-RED shows them in one way. */
const modes: { theme: Theme; width: number }[] =
  nodeRedVersion === 4 ? [{ theme: 'light', width: 1440 }] : [{ theme: 'dark', width: 1024 }];

const read = (name: string) => readFileSync(join(__dirname, '../..', placeOfExample(name)), 'utf8');

/** The id of the example's tab: an import keeps ids that are not in use yet. */
function tabOf(name: string): string {
  const flow = JSON.parse(read(name)) as FlowNode[];
  return flow.find(({ type }) => type === 'tab')?.id ?? '';
}

interface Box {
  name: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

describe(`the examples in Node-RED ${nodeRedVersion}`, () => {
  for (const { theme, width } of modes) {
    it(`look tidy when they are imported, ${theme}, ${width} px wide`, async () => {
      const red = await startNodeRed();
      await red.deploy([]);
      const editor = await openEditor({ theme, width });
      await registerHomeAssistant(editor);
      const [first = '', ...others] = exampleNames;
      await importByHand(editor, first);
      await editor.page.waitForFunction(`RED.nodes.workspace('${tabOf(first)}')`);
      for (const name of others) {
        // What an earlier one has brought along stays, as with *Import copy*.
        const added = `${read(name)}.filter(({ id }) => !RED.nodes.node(id))`;
        await editor.page.evaluate(`RED.view.importNodes(${added}, { generateIds: false })`);
      }
      await editor.page.locator('.red-ui-notification').last().waitFor({ state: 'hidden' });
      for (const name of exampleNames) {
        await showFlow(editor, name);
        await editor.shoot(`example-${name}`);
        const { nodes, groups } = await boxes(editor);
        assert.ok(nodes.length > 5, name);
        assert.deepEqual(overlapping(nodes), [], name);
        assert.deepEqual(overlapping(groups), [], name);
        const cut = groups.filter(({ left, top }) => left < 0 || top < 0);
        assert.deepEqual(cut, [], `${name}: beyond the edge of the canvas`);
      }
      await importByHand(editor, 'lambda-list');
      await editor.page.getByRole('button', { name: 'Import copy' }).click();
      const lists = "RED.nodes.filterNodes({ type: 'aws-lambda-list' }).filter(({ name }) => name === 'all functions')";
      await editor.page.waitForFunction(`${lists}.length === 2`);
      assert.deepEqual(
        await editor.page.evaluate(`(() => {
          const accounts = [];
          RED.nodes.eachConfig(({ type, id }) => { if (type === 'aws-account') accounts.push(id); });
          return [new Set(${lists}.map(({ account }) => account)).size, accounts.length];
        })()`),
        [1, 2],
        'a copy uses the account that is there; from-prismatic has its own'
      );
      assert.deepEqual(editor.problems, []);
      // It knows more types of nodes than before: not for the next test.
      await editor.end();
    });
  }

  /** The nodes of Home Assistant, as large as they are where they are installed: unknown ones are drawn in another way. */
  async function registerHomeAssistant({ page }: Editor): Promise<void> {
    const set = {
      id: 'home-assistant/nodes',
      name: 'nodes',
      module: 'home-assistant',
      types: homeAssistantTypes,
      enabled: true
    };
    await page.evaluate(`RED.nodes.addNodeSet(${JSON.stringify(set)})`);
    for (const type of homeAssistantTypes) {
      const category = type === 'server' ? 'config' : 'function';
      const inputs = /^server/.test(type) ? 0 : 1;
      const outputs = type === 'server-state-changed' ? 2 : 1;
      await page.evaluate(`RED.nodes.registerType('${type}', {
        category: '${category}', defaults: { name: { value: '' } }, color: '#41bdf5', inputs: ${inputs}, outputs: ${outputs},
        label() { return this.name; }
      })`);
    }
  }

  /** As a user does it: Import, Examples, the pack, the folder with all that belongs there, one of these, Import. */
  async function importByHand(editor: Editor, name: string): Promise<void> {
    const { page } = editor;
    await page.evaluate("RED.actions.invoke('core:show-examples-import-dialog')");
    const list = page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    const item = (text: string | RegExp) => list.locator('.red-ui-treeList-label').filter({ hasText: text });
    await item('@red-nimbus/node-red-aws').locator('.fa-angle-right').click();
    const folder = dirname(placeOfExample(name));
    await item(new RegExp(`^\\s*${basename(folder)}\\s*$`))
      .locator('.fa-angle-right')
      .click();
    for (const each of exampleNames.filter((other) => dirname(placeOfExample(other)) === folder))
      await item(new RegExp(`^\\s*${each}\\s*$`)).waitFor();
    const ok = page.locator('#red-ui-clipboard-dialog-ok:not([disabled])');
    // A click while the list still opens selects nothing.
    while (!(await ok.isVisible())) await item(new RegExp(`^\\s*${name}\\s*$`)).click();
    await ok.click();
  }

  /** Node-RED draws a flow, and finds how wide its nodes are, when it is looked at. */
  async function showFlow(editor: Editor, name: string): Promise<void> {
    await editor.page.evaluate(`RED.workspaces.show('${tabOf(name)}')`);
    await editor.page.locator('.red-ui-flow-node').nth(5).waitFor();
  }

  /** Where the nodes and groups of the shown tab are drawn. */
  async function boxes(editor: Editor): Promise<{ nodes: Box[]; groups: Box[] }> {
    const json = await editor.page.evaluate(`JSON.stringify({
      nodes: RED.nodes.filterNodes({ z: RED.workspaces.active() }).map(({ name, x, y, w, h }) =>
        ({ name, left: x - w / 2, right: x + w / 2, top: y - h / 2, bottom: y + h / 2 })),
      groups: RED.nodes.groups(RED.workspaces.active()).map(({ name, x, y, w, h }) =>
        ({ name, left: x, right: x + w, top: y, bottom: y + h }))
    })`);
    return JSON.parse(json as string) as { nodes: Box[]; groups: Box[] };
  }

  const apart = (one: Box, other: Box): boolean =>
    one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;

  const overlapping = (all: Box[]): string[] =>
    all.flatMap((one, index) =>
      all.slice(index + 1).flatMap((other) => (apart(one, other) ? [] : [`${one.name} and ${other.name}`]))
    );
});
