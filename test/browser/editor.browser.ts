import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { contract } from '../contract';
import { type NodeRed, nodeRedVersion, startNodeRed } from '../node-red';
import { openEditor, takesPictures } from './editor';

const inject = {
  id: 'press',
  type: 'inject',
  name: 'press me',
  props: [{ p: 'payload' }],
  payload: 'first',
  payloadType: 'str',
  repeat: '',
  crontab: '',
  once: false,
  onceDelay: 0.1,
  topic: '',
  wires: [['change']]
};
const change = {
  id: 'change',
  type: 'change',
  name: '',
  rules: [{ t: 'set', p: 'topic', pt: 'msg', to: 'a topic', tot: 'str' }],
  x: 400,
  y: 40,
  wires: [['show']]
};
const debug = {
  id: 'show',
  type: 'debug',
  name: 'show',
  active: true,
  tosidebar: true,
  console: false,
  tostatus: true,
  complete: 'payload',
  targetType: 'msg',
  statusVal: 'payload',
  statusType: 'auto',
  x: 600,
  y: 40,
  wires: []
};

describe('the editor', () => {
  let red: NodeRed;

  before(async () => {
    red = await startNodeRed();
  });

  it('edits a node, deploys it, and shows what comes out', async () => {
    await red.deploy([inject, change, debug]);
    const editor = await openEditor();
    await editor.open('change');
    await editor.fill('name', 'renamed');
    assert.equal(await editor.read('name'), 'renamed');
    await editor.done();
    assert.equal((await editor.node('change')).name, 'renamed');
    await editor.deploy();
    assert.equal(red.node('change').name, 'renamed');
    await editor.inject('press');
    assert.match((await editor.debugMessages())[0] ?? '', /first/);
    assert.equal(await editor.status('show'), 'first');
    const picture = await editor.shoot('editor');
    assert.ok(existsSync(picture) || !takesPictures);
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('confirms a deployment that the editor asks about', async () => {
    await red.deploy([change, { id: 'unused', type: 'mqtt-broker', name: 'b', broker: '127.0.0.1', port: '1' }]);
    const editor = await openEditor();
    await editor.open('change');
    await editor.fill('name', 'again');
    await editor.done();
    await editor.deploy();
    assert.equal(red.node('change').name, 'again');
    await editor.close();
  });

  it('edits typed fields and config nodes', async () => {
    await red.deploy([
      { id: 'broker', type: 'mqtt-broker', name: 'b', broker: '127.0.0.1', port: '1', autoConnect: false },
      { id: 'out', type: 'mqtt out', name: '', topic: 't', broker: 'broker' },
      { id: 'switch', type: 'switch', name: '', property: 'payload', propertyType: 'msg', rules: [], x: 500, y: 40 }
    ]);
    const editor = await openEditor();
    await editor.open('switch');
    await editor.fillTyped('property', 'flow', 'state');
    assert.deepEqual(await editor.readTyped('property'), { type: 'flow', value: 'state' });
    await editor.cancel();
    assert.equal((await editor.node('switch')).propertyType, 'msg');
    await editor.openConfig('mqtt-broker', 'broker');
    await editor.fill('name', 'other');
    await editor.done();
    assert.equal((await editor.node('broker')).name, 'other');
    assert.deepEqual(editor.problems, []);
    await editor.close();
  });

  it('opens a dialog also where the program of the dialogs has not come, says so, and checks nodes once it has', async () => {
    const list = { id: 'list', type: 'aws-lambda-list', ...contract['aws-lambda-list']?.properties, x: 400, y: 40 };
    await red.deploy([
      { id: 'account', type: 'aws-account', ...contract['aws-account']?.properties, validate: false },
      { ...list, account: 'account', maxItems: '99', wires: [[]] }
    ]);
    const editor = await openEditor();
    const { page } = editor;
    // As where the package is installed while the editor is open, and the page of its plugin takes longer than the nodes'.
    await page.route(/\/plugins\?_=/, (route) =>
      route.request().headers().accept?.includes('text/html') ? route.fulfill({ body: '' }) : route.continue()
    );
    await page.reload();
    await page.waitForFunction("typeof RED !== 'undefined' && RED.nodes.node('list')");
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    const before = await editor.node('list');
    assert.equal(before.valid, true);
    const alone = page.locator('.nimbus-alone');
    await editor.open('list');
    assert.match(await alone.innerText(), /has not been loaded.*Reload the page/);
    await editor.done();
    assert.deepEqual(await editor.node('list'), before);
    await page.evaluate(`$.ajax({ url: 'plugins/@red-nimbus/node-red-aws/nimbus', headers: { Accept: 'text/html' } })
      .then((page) => $('#red-ui-editor-plugin-configs').append(page))`);
    assert.equal((await editor.node('list')).valid, false);
    await editor.open('list');
    assert.ok(!(await alone.isVisible()));
    assert.match(await page.locator('.nimbus-reason').innerText(), /must be a whole number from 1 to 50/);
    await editor.cancel();
    assert.deepEqual(editor.problems, []);
    await editor.end();
  });

  // Node-RED 4.1 has no dark theme.
  const itInNodeRed5 = nodeRedVersion === 5 ? it : () => {};
  itInNodeRed5('can be looked at in the dark', async () => {
    await red.deploy([inject, change, debug]);
    const editor = await openEditor({ theme: 'dark' });
    const background = await editor.page.evaluate('getComputedStyle(document.body).backgroundColor');
    const [red_ = 255] = /\d+/.exec(String(background))?.map(Number) ?? [];
    assert.ok(red_ < 100, `the page is ${background}`);
    await editor.open('change');
    await editor.shoot('editor-dialog');
    await editor.close();
  });
});
