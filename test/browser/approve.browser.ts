import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysOf, useBench } from '../aws';
import { type FlowNode, nodeRedVersion } from '../node-red';
import { type Editor, openPage } from './editor';

const read = (path: string) => JSON.parse(readFileSync(join(__dirname, '../..', path), 'utf8')) as FlowNode[];
const example = read('examples/Dashboards/approve.json');
const sizes = { desktop: { width: 1280, height: 620 }, phone: { width: 390, height: 844 } };
const themes = ['light', 'dark'] as const;
const patience = { timeout: 90_000 };

describe(`the dashboard of orders in Node-RED ${nodeRedVersion}`, function () {
  this.timeout(150_000);
  const bench = useBench();

  /** As somebody has it who imports the example into the demo. */
  async function deploy(): Promise<void> {
    const account = read('demo/flows.json').find(({ type }) => type === 'aws-account') as FlowNode;
    const flow = example
      .filter(({ type }) => type !== 'aws-account')
      .map((node) => ({ ...node, ...('account' in node && { account: account.id }) }));
    await bench.red.deploy([...flow, { ...account, endpoint: bench.aws.url }], {
      credentials: { [account.id]: keysOf('demo') }
    });
  }
  async function openDashboard(): Promise<Editor> {
    const editor = await openPage(sizes.desktop);
    await deploy();
    await editor.page.goto(`${bench.red.url}dashboard/approve`);
    await editor.page.getByText('No order waits for a decision.').waitFor(patience);
    return editor;
  }
  async function order(button: string): Promise<void> {
    const inject = example.find(({ type, name }) => type === 'inject' && name === button);
    await bench.red.request(`inject/${inject?.id}`, { method: 'POST' });
  }
  const button = ({ page }: Editor, name: string) => page.getByRole('button', { name });
  const row = ({ page }: Editor, decision: string) =>
    page.getByRole('cell', { name: decision, exact: true }).first().waitFor(patience);

  it('shows orders that wait, also after a restart, and lets somebody decide', async () => {
    const editor = await openDashboard();
    const { page } = editor;
    await order('a coffee machine');
    await button(editor, 'Approve Coffee machine').waitFor(patience);
    await order('ten chairs');
    await button(editor, 'Reject Ten chairs').waitFor(patience);

    // What the flow and the dashboard have kept goes with them.
    await bench.red.deploy([]);
    await deploy();
    await page.goto(`${bench.red.url}dashboard/approve`);
    await button(editor, 'Reject Ten chairs').waitFor(patience);
    await button(editor, 'Approve Coffee machine').click(patience);
    await row(editor, 'approved');
    await button(editor, 'Reject Ten chairs').click();
    await row(editor, 'Somebody said no.');
    await page.getByText('No order waits for a decision.').waitFor(patience);

    await order('ten chairs');
    await button(editor, 'Approve Ten chairs').waitFor(patience);
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme });
      for (const [name, size] of Object.entries(sizes)) {
        await page.setViewportSize(size);
        await editor.shoot(`approve-${name}-${colorScheme}`);
        assert.deepEqual(await editor.tooWide('.nrdb-ui-group'), [], name);
        assert.deepEqual(await editor.findings('.nrdb-ui-group'), [], name);
      }
    }
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
