import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateCollectionCommand, IndexFacesCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { type Camera, startCamera } from '../../demo/camera';
import { drawPicture, people } from '../../local-aws/rekognition/drawings';
import { account, detectNode, keysOf, listNode, sendNode, useBench } from '../aws';
import { type FlowNode, nodeRedVersion } from '../node-red';
import { type Editor, openPage, type Theme } from './editor';

const read = (path: string) => JSON.parse(readFileSync(join(__dirname, '../..', path), 'utf8')) as FlowNode[];
const example = read('examples/Dashboards/dashboard-detection.json');
const sizes = {
  desktop: { width: 1440, height: 900 },
  tablet: { width: 820, height: 1180 },
  phone: { width: 390, height: 844 }
};
/** Of the browser, not of the editor: the same on both versions of Node-RED. */
const themes: Theme[] = ['light', 'dark'];
/** Where Anna stands before the camera in its minute, and where a car is there as well. */
const [annaComes, annaAndCar, later] = [9, 10.4, 12.8];

/** What was there over 12 minutes, as the flow tells the dashboard. */
function twelveMinutes(time: number): object {
  const spans = (...all: [from: number, to: number, count: number, who?: string[]][]) =>
    all.map(([from, to, count, who = []]) => ({ from: time - from * 1000, to: time - to * 1000, count, who }));
  const person = spans(
    [690, 655, 1],
    [560, 470, 1, ['Ben']],
    [420, 330, 2, ['Anna', 'Ben']],
    [240, 225, 1],
    [60, 0, 1, ['Anna']]
  );
  const car = spans([700, 690, 1], [600, 560, 1], [455, 440, 2], [300, 180, 1], [30, 0, 1]);
  return {
    time,
    lanes: Object.entries({ person, car, dog: spans([440, 400, 1], [110, 90, 1]) }).map(([kind, each]) => ({
      kind,
      spans: each
    }))
  };
}

/** Names that want to be more than a name, or take more room than there is. */
const hostile = [
  '<img src=x onerror="document.title=\'hacked\'">',
  `Wolfgang ${'von und zu '.repeat(16)}Nimbus`,
  'A'.repeat(200),
  '{{ constructor.constructor("return 1")() }}',
  'עדה לאבלייס',
  '👩🏽‍🚀 Zoë',
  '😀'.repeat(20)
];

function idOf(type: string, name: string): string {
  const node = example.find((each) => each.type === type && each.name === name);
  assert.ok(node, `there is a ${type} named ${name}`);
  return node.id;
}

describe(`the dashboard in Node-RED ${nodeRedVersion}`, function () {
  this.timeout(150_000);
  const bench = useBench();
  let camera: Camera;
  let open: Editor | undefined;

  before(async () => {
    camera = await startCamera();
  });
  after(async () => {
    await open?.close();
    await camera.close();
  });

  /** As `npm start` has it, with the demo's account; but the camera is asked when the test looks. */
  async function openDashboard(): Promise<Editor> {
    const account = read('demo/flows.json').find(({ type }) => type === 'aws-account') as FlowNode;
    const flow = example
      .filter(({ type }) => type !== 'aws-account')
      .map((node) => ({
        ...node,
        ...('account' in node && { account: account.id }),
        ...(node.type === 'http request' && { url: `${camera.url}/porch.jpg?t={{second}}` }),
        ...(node.name === 'every 3 s' && { once: false, repeat: '' })
      }));
    open ??= await openPage(sizes.desktop);
    const editor = open;
    await editor.page.goto('about:blank');
    await editor.page.setViewportSize(sizes.desktop);
    editor.problems.length = 0;
    await bench.red.deploy([...flow, { ...account, endpoint: bench.aws.url }], {
      credentials: { [account.id]: keysOf('demo') }
    });
    await editor.page.goto(`${bench.red.url}dashboard/porch`);
    await editor.page.locator('.porch-people').waitFor();
    return editor;
  }

  /** Has the camera's picture of a second of its minute looked at. */
  const look = (second: number) => bench.red.send(idOf('http request', 'camera'), { second });

  /** Teaches faces as another program does; people of the local AWS look alike where they have to. */
  async function teach(names: readonly string[]): Promise<void> {
    const service = new RekognitionClient({
      region: 'us-east-1',
      endpoint: bench.aws.url,
      credentials: keysOf('demo')
    });
    await service.send(new CreateCollectionCommand({ CollectionId: 'porch' }));
    for (const [index, name] of names.entries()) {
      const who = index === 0 ? people.anna : people.ben;
      const box = { left: 0.3, top: 0.2, width: 0.4, height: 0.6 };
      const size = { width: 320 + index, height: 240, format: 'jpeg' as const };
      await service.send(
        new IndexFacesCommand({
          CollectionId: 'porch',
          ExternalImageId: writingOf(name),
          Image: { Bytes: drawPicture({ things: [{ kind: 'face', who, box }] }, size) }
        })
      );
    }
    service.destroy();
  }
  /** As the pack writes a name. */
  const writingOf = (name: string): string =>
    Buffer.from(name)
      .reduce((text, byte) => {
        const letter = String.fromCharCode(byte);
        return text + (/[\w.-]/.test(letter) ? letter : `:${byte.toString(16).toUpperCase().padStart(2, '0')}`);
      }, '')
      .slice(0, 255);

  const who = ({ page }: Editor, name: string) => page.locator('.porch-who b', { hasText: name }).waitFor();
  const toast = ({ page }: Editor, text: string) => page.locator('.v-snackbar', { hasText: text }).first().waitFor();
  const tag = ({ page }: Editor, text: string) => page.locator('.porch-tag', { hasText: text }).waitFor();
  const known = ({ page }: Editor) => page.locator('.porch-name bdi');

  it('shows what the camera sees, tells of somebody once, and learns who it is', async () => {
    const editor = await openDashboard();
    const { page } = editor;
    await page.locator('.porch-people', { hasText: 'Nobody yet' }).waitFor();
    await look(1);
    await page.locator('.porch-stage img').waitFor();
    const first = await page.locator('.porch-stage img').getAttribute('src');
    assert.deepEqual(await page.locator('.porch-kind b').allTextContents(), ['person', 'car', 'dog']);

    await look(annaComes);
    await toast(editor, 'Somebody is at the porch: the alert was published.');
    await page.locator('.porch-chip', { hasText: /^1 person$/ }).waitFor();
    assert.notEqual(await page.locator('.porch-stage img').getAttribute('src'), first);
    await tag(editor, 'person');

    await who(editor, 'Somebody unknown');
    const seen = await page.locator('.porch-who time').getAttribute('datetime');
    assert.ok(Math.abs(Date.parse(seen ?? '') - Date.now()) < 60_000);
    const here = await page.evaluate(`new Date('${seen}').toLocaleTimeString(undefined, { timeStyle: 'medium' })`);
    assert.equal(await page.locator('.porch-who time').textContent(), here);
    const button = page.getByRole('button', { name: 'Teach' });
    assert.equal(await button.isEnabled(), false);
    await page.getByLabel('Name').fill('Zoë Müller');
    await button.click();
    await toast(editor, 'Zoë Müller was taught.');
    await known(editor).getByText('Zoë Müller').waitFor();
    await look(annaAndCar);
    await who(editor, 'Zoë Müller');
    await tag(editor, 'Zoë Müller');
    await toast(editor, 'Zoë Müller is at the porch: the alert was published.');
    const bars = page.locator('.porch-lane', { hasText: 'person' }).locator('.porch-bar .porch-hidden');
    assert.match((await bars.allTextContents()).join(), /^[^,]+: 1 \(Zoë Müller\)$/);
    assert.equal(await page.locator('.porch-lane', { hasText: 'car' }).locator('.porch-bar').count(), 1);

    const alerts = (await bench.aws.requests()).filter(({ operation }) => operation === 'Publish');
    assert.deepEqual(
      alerts.map(({ input }) => (input as Record<string, string>).Message),
      ['Somebody is at the porch', 'Zoë Müller is at the porch']
    );
    assert.deepEqual(editor.problems, []);
  });

  it('keeps the face while its name is put in, and says why it was not taught', async () => {
    const editor = await openDashboard();
    const { page } = editor;
    await look(annaComes);
    await who(editor, 'Somebody unknown');
    const face = () => page.locator('.porch-crop').getAttribute('style');
    await page.getByLabel('Name').focus();
    await page.keyboard.type('Ann');
    const held = await face();
    await look(later);
    await page.waitForFunction(`document.querySelector('.porch-stage img').src !== ${JSON.stringify(held)}`);
    await page.keyboard.type('a');
    assert.equal(await face(), held);

    await bench.aws.fault({ operation: 'IndexFaces', kind: 'expired' });
    await page.keyboard.press('Enter');
    await toast(editor, 'Not taught: ');
    await page.waitForFunction(
      `document.querySelector('.porch-crop').getAttribute('style') !== ${JSON.stringify(held)}`
    );
    assert.equal(await page.getByLabel('Name').inputValue(), '');
    assert.deepEqual(editor.problems, []);
  });

  it('forgets somebody from the keyboard, but asks before, and drops the name everywhere', async () => {
    await teach(['Anna', 'Ben']);
    const editor = await openDashboard();
    const { page } = editor;
    await look(annaAndCar);
    await who(editor, 'Anna');
    await tag(editor, 'Anna');
    await page.locator('.porch-bar', { hasText: 'Anna' }).waitFor();
    assert.deepEqual(await known(editor).allTextContents(), ['Anna', 'Ben']);
    await bench.red.send(idOf('ui-template', 'over time'), { payload: twelveMinutes(Date.now()) });
    await page.locator('.porch-bar-name', { hasText: 'Anna, Ben' }).waitFor();
    await page.locator('.v-snackbar').getByRole('button', { name: 'Close' }).click();
    await page.locator('.v-snackbar').waitFor({ state: 'hidden' });
    await editor.shoot('dashboard-people');

    const forget = page.getByRole('button', { name: 'Forget Anna' });
    await forget.focus();
    await page.keyboard.press('Enter');
    const question = page.getByRole('group', { name: 'Forget Anna?' });
    await question.getByText('AWS deletes 1 face of this person.').waitFor();
    await page.keyboard.press('Escape');
    await page.waitForFunction("document.activeElement.getAttribute('aria-label') === 'Forget Anna'");
    const asked = async () => (await bench.aws.requests()).filter(({ operation }) => operation === 'DeleteFaces');
    assert.equal((await asked()).length, 0);

    await page.keyboard.press('Enter');
    await question.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await toast(editor, 'Anna is forgotten: 1 face was deleted.');
    await page.waitForFunction("document.querySelectorAll('.porch-list li').length === 1");
    assert.deepEqual(await known(editor).allTextContents(), ['Ben']);
    await who(editor, 'Nobody');
    await look(annaComes);
    await page.locator('.porch-tag', { hasText: 'Anna' }).waitFor({ state: 'detached' });
    assert.doesNotMatch(await page.locator('.porch-time').innerHTML(), /Anna/);
    assert.equal((await asked()).length, 1);

    await bench.aws.fault({ operation: 'DeleteFaces', kind: 'denied' });
    await page.getByRole('button', { name: 'Forget Ben' }).click();
    await page.getByRole('group', { name: 'Forget Ben?' }).getByRole('button', { name: 'Forget' }).click();
    await toast(editor, 'Not forgotten: ');
    await page.getByRole('button', { name: 'Forget Ben' }).waitFor();
    assert.deepEqual(editor.problems, []);
  });

  it(`is easy to read on a desktop, a tablet and a phone, whatever people are called, ${themes.join(' and ')}`, async () => {
    await teach(hostile);
    const editor = await openDashboard();
    const { page } = editor;
    for (const second of [1, 5, annaComes, annaAndCar]) await look(second);
    await who(editor, '<img');
    const lanes = idOf('ui-template', 'over time');
    await bench.red.until(() => bench.red.received(lanes).length === 4, 'all looks');
    assert.equal(await known(editor).count(), hostile.length);
    await bench.red.send(lanes, { payload: twelveMinutes(Date.now()) });
    await page.locator('.porch-bar-name', { hasText: 'Anna, Ben' }).waitFor();
    await page
      .getByRole('button', { name: /^Forget A/ })
      .first()
      .click();
    await page.locator('.v-snackbar').getByRole('button', { name: 'Close' }).last().click();
    await page.evaluate('scrollTo(0, 0)');
    for (const theme of themes) {
      await editor.setTheme(theme);
      for (const [name, size] of Object.entries(sizes)) {
        await page.setViewportSize(size);
        await editor.shoot(`dashboard-${name}`);
        assert.deepEqual(await editor.tooWide('.nrdb-ui-group'), [], name);
        assert.deepEqual(await editor.findings('.nrdb-ui-group'), [], name);
      }
    }
    assert.notEqual(await page.title(), 'hacked');
    assert.deepEqual(editor.problems, []);
  });
});

describe(`the dashboard of costs in Node-RED ${nodeRedVersion}`, function () {
  this.timeout(150_000);
  const bench = useBench();
  /** The machine may do much else. */
  const patience = { timeout: 90_000 };
  const costs = read('examples/Dashboards/dashboard-usage.json');
  const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

  it(`shows what is spent and what is left, and tells of 80 %, ${themes.join(' and ')}`, async () => {
    const id = 'costs';
    const flow = costs
      .filter(({ type }) => type !== 'aws-account')
      .map((node) => ({ ...node, ...('account' in node && { account: id }) }));
    const picture = await drawPicture({ things: [] }, { width: 120, height: 90, format: 'jpeg' });
    const nodes = [
      detectNode({ operation: 'labels', account: id, wires: [[]] }),
      sendNode({ queue: 'orders', account: id, wires: [[]] }),
      listNode({ account: id, wires: [[]] })
    ];
    await bench.red.deploy([...flow, ...nodes, account(bench, { id, name: 'Porch camera', budget: '0.01' })], {
      credentials: { [id]: keysOf('demo') }
    });
    const editor = await openPage(sizes.desktop);
    const { page } = editor;
    await page.goto(`${bench.red.url}dashboard/costs`);
    await page.getByText('No requests in this period yet.').waitFor(patience);

    await bench.aws.fault({ operation: 'DetectLabels', kind: 'throttle', times: 1 });
    for (let count = 0; count < 8; count += 1) await bench.red.send('detect', { payload: picture });
    await bench.red.send('send', { payload: 'an order' });
    await bench.red.send('list');
    await page.locator('.v-snackbar', { hasText: '80 % of the budget of $0.01' }).waitFor(patience);
    await page.getByText('$0.0020 left').waitFor(patience);
    await page.getByRole('row', { name: /^DetectLabels .* 9 1 1 throttled .* \$0\.0080$/ }).waitFor(patience);
    for (const theme of themes) {
      await editor.setTheme(theme);
      for (const [name, size] of Object.entries(sizes)) {
        await page.setViewportSize(size);
        await editor.shoot(`costs-${name}`);
        assert.deepEqual(await editor.tooWide('.nrdb-ui-group'), [], name);
        assert.deepEqual(await editor.findings('.nrdb-ui-group'), [], name);
      }
    }
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });
});
