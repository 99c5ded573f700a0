import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signIns } from '../../local-aws/client';
import { account, credentials, invokeNode, useBench } from '../aws';
import { type FlowNode, nodeRedVersion, sink } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';

const roleArn = 'arn:aws:iam::111111111111:role/nimbus-demo';
/** Node-RED keeps what a deployment does not name. */
const noKeys = { accessKeyId: '', secretAccessKey: '', sessionToken: '', externalId: '' };
const themes: Theme[] = nodeRedVersion === 4 ? ['light'] : ['light', 'dark'];

describe(`the keys of an account in Node-RED ${nodeRedVersion}`, () => {
  const bench = useBench();
  let editor: Editor;

  afterEach(async () => {
    const { problems } = editor;
    await editor.close();
    assert.deepEqual(problems, []);
  });

  /** Deploys an account, with these keys in the store, and a node that uses it; opens the editor on them. */
  async function open(
    properties: Record<string, unknown> = {},
    keys: Record<string, string> = {},
    theme: Theme = 'light'
  ) {
    const nodes = [account(bench, properties), invokeNode({ x: 300, y: 100 }), { ...sink('out'), x: 560, y: 100 }];
    await bench.red.deploy(nodes, { credentials: { account: { ...noKeys, ...keys } } });
    if (editor) await editor.close();
    editor = await openEditor({ theme });
  }
  const isValid = (id: string, valid: boolean) =>
    editor.page.waitForFunction(`RED.nodes.node('${id}')?.valid === ${valid}`);
  /** The properties whose controls Node-RED marks as wrong. */
  const marked = () =>
    editor.page.evaluate(
      "$('.red-ui-tray').last().find('.input-error:visible').get().map(({ id }) => id.replace('node-config-input-', ''))"
    );
  const label = (id: string) => editor.page.evaluate(`RED.utils.getNodeLabel(RED.nodes.node('${id}'))`);
  /** What the store has, as the editor is told. */
  async function stored(): Promise<Record<string, unknown>> {
    const answer = await bench.red.request('credentials/aws-account/account');
    return (await answer.json()) as Record<string, unknown>;
  }
  const nothing = {
    accessKeyId: '',
    externalId: '',
    has_secretAccessKey: false,
    has_sessionToken: false
  };

  it('lead to the minimum policy of what is deployed, by mouse and keyboard, in each theme and width', async () => {
    await open({ roleArn }, { accessKeyId: signIns.demo.accessKeyId, secretAccessKey: signIns.demo.secretAccessKey });
    const { page } = editor;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await editor.openConfig('aws-account', 'account');
    const button = page.locator('.nimbus-policies > button');
    const block = (kind: string) => page.locator(`.nimbus-policies section:has(#nimbus-policy-${kind})`);
    const pasted = () => page.evaluate('navigator.clipboard.readText()') as Promise<string>;
    await button.click();
    await block('needed').waitFor();
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
    assert.match(await block('needed').innerText(), /What the nodes need\s+For the role nimbus-demo/);
    const shown = await block('needed').locator('pre').innerText();
    const [{ Resource }] = JSON.parse(shown).Statement;
    assert.equal(Resource, 'arn:aws:lambda:us-east-1:111111111111:function:hello');
    await block('needed').locator('button', { hasText: 'Copy policy' }).click();
    await block('needed').locator('[role=status]', { hasText: 'Copied: Copy policy' }).waitFor();
    assert.equal(await pasted(), shown);
    // By keyboard: from the button to the policy, which can be scrolled, and to what copies.
    await button.focus();
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate("document.activeElement.matches('.nimbus-policies pre')"));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await block('needed').locator('[role=status]', { hasText: 'Copied: Copy CLI command' }).waitFor();
    assert.match(await pasted(), /^aws iam put-role-policy --role-name nimbus-demo --policy-name node-red-account /);
    assert.match(await block('trust').innerText(), /"AWS": "arn:aws:iam::111111111111:user\/demo"/);
    for (const theme of themes) {
      await editor.setTheme(theme);
      for (const width of [1440, 400]) {
        await editor.resize({ width, height: 900 });
        assert.deepEqual(await editor.findings('.nimbus-policies'), []);
        const rest =
          "document.querySelector('.nimbus-policies').scrollWidth - document.querySelector('.nimbus-policies').clientWidth";
        assert.equal(await page.evaluate(rest), 0);
        await button.scrollIntoViewIfNeeded();
        const name = `policy-${theme}-${width}-${nodeRedVersion}.png`;
        await page.screenshot({ path: join(__dirname, '..', '..', 'screenshots', name) });
      }
    }
    await button.focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.nimbus-policies section').count(), 0);
    assert.equal(await button.getAttribute('aria-expanded'), 'false');
    await editor.cancel();
  });

  it('are missing after an import: it and its nodes are red until they are entered, and a deployment says so', async () => {
    await bench.red.deploy([]);
    editor = await openEditor();
    const example = readFileSync(join(__dirname, '../../examples/Lambda/lambda-invoke.json'), 'utf8');
    const imported = (JSON.parse(example) as FlowNode[]).map((node) =>
      node.type === 'aws-account' ? { ...node, source: 'keys' } : node
    );
    await editor.page.evaluate(`RED.view.importNodes(${JSON.stringify(imported)}, { generateIds: false })`);
    const { id = '' } = imported.find(({ type }) => type === 'aws-account') ?? {};
    const [user] = imported.filter((node) => node.account === id);
    await isValid(id, false);
    await isValid(user?.id ?? '', false);
    await editor.page.locator('#red-ui-header-button-deploy').click();
    const question = editor.page.locator('.red-ui-notification', { hasText: /not properly configured|invalid/i });
    await question.locator('button.primary').waitFor();
    await question.locator('button').first().click();
    await question.waitFor({ state: 'hidden' });

    await editor.openConfig('aws-account', id);
    assert.deepEqual(await marked(), ['accessKeyId', 'secretAccessKey']);
    await editor.fill('accessKeyId', 'AKIAIOSFODNN7EXAMPLE');
    await (await editor.field('secretAccessKey')).pressSequentially('two words');
    assert.deepEqual(await marked(), ['secretAccessKey']);
    await editor.fill('secretAccessKey', 'something');
    assert.deepEqual(await marked(), []);
    await editor.done();
    await isValid(id, true);
    await isValid(user?.id ?? '', true);
  });

  it('count where they are in the store, before anybody opens the account', async () => {
    await open({}, credentials().account);
    await isValid('account', true);
    await open({}, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' });
    await isValid('account', false);
    await isValid('invoke', false);
  });

  it('count as they are in the store after a deployment', async () => {
    await open({}, credentials().account);
    await editor.openConfig('aws-account', 'account');
    await editor.fill('secretAccessKey', '');
    await editor.done();
    await editor.deploy();
    await editor.page.evaluate("RED.editor.validateNode(RED.nodes.node('account'))");
    await isValid('account', false);
    await editor.openConfig('aws-account', 'account');
    await editor.fill('secretAccessKey', credentials().account.secretAccessKey);
    await editor.done();
    await editor.deploy();
    await editor.page.evaluate("RED.editor.validateNode(RED.nodes.node('account'))");
    await isValid('account', true);
  });

  it('count as another window has left them in the store', async () => {
    await open({}, credentials().account);
    await isValid('account', true);
    const nodes = [account(bench), invokeNode({ x: 300, y: 100 }), { ...sink('out'), x: 560, y: 100 }];
    await bench.red.deploy(nodes, { credentials: { account: noKeys } });
    await isValid('account', false);
    await isValid('invoke', false);
  });

  it('leave the store with the sign-in that they are for, and nothing brings them back', async () => {
    await open({ roleArn }, { ...credentials().account, sessionToken: 'token', externalId: 'external-id' });
    await editor.openConfig('aws-account', 'account');
    await editor.fill('source', 'default');
    await editor.fill('source', 'keys');
    assert.equal(await editor.read('secretAccessKey'), '__PWRD__', 'until the dialog is left');
    await editor.fill('source', 'default');
    await editor.done();
    await editor.deploy();
    assert.deepEqual(await stored(), { ...nothing, externalId: 'external-id' });
    await editor.openConfig('aws-account', 'account');
    await editor.fill('source', 'keys');
    assert.deepEqual(await marked(), ['accessKeyId', 'secretAccessKey']);
    await editor.fill('source', 'default');
    await editor.fill('roleArn', '');
    await editor.done();
    await editor.deploy();
    assert.deepEqual(await stored(), nothing);
  });

  it('stay where they are when the dialog is cancelled', async () => {
    await open({}, { ...credentials().account, sessionToken: 'token' });
    await editor.openConfig('aws-account', 'account');
    await editor.fill('source', 'default');
    await editor.cancel();
    await editor.openConfig('aws-account', 'account');
    assert.equal(await editor.read('source'), 'keys');
    assert.equal(await editor.read('sessionToken'), '__PWRD__');
    await editor.cancel();
    assert.ok(!(await editor.node('account')).changed);
  });

  for (const property of ['accessKeyId', 'secretAccessKey']) {
    it(`that are new have no session token of old ones: ${property}`, async () => {
      await open({}, { ...credentials().account, sessionToken: 'old-token' });
      await editor.openConfig('aws-account', 'account');
      await editor.fill(property, 'ASIAIOSFODNN7EXAMPLE');
      assert.equal(await editor.read('sessionToken'), '');
      await editor.done();
      await editor.deploy();
      assert.equal((await stored()).has_sessionToken, false);

      await editor.openConfig('aws-account', 'account');
      await editor.fill('sessionToken', 'new-token');
      await editor.fill(property, 'ASIAIOSFODNN8EXAMPLE');
      assert.equal(await editor.read('sessionToken'), 'new-token', 'it was entered with them');
      await editor.done();
      await editor.deploy();
      assert.equal((await stored()).has_sessionToken, true);
    });
  }

  it('give their account no name by a profile that is not used', async () => {
    await open({ name: '', profile: 'greenhouse' }, credentials().account);
    assert.equal(await label('account'), 'aws account');
    await open({ name: '', source: 'profile', profile: 'greenhouse' });
    assert.equal(await label('account'), 'greenhouse');
    await open({ name: '', source: 'default', profile: 'greenhouse', roleArn });
    assert.equal(await label('account'), 'nimbus-demo');
  });

  for (const theme of themes) {
    it(`are marked where they are missing, in the ${theme} theme`, async () => {
      await open({}, {}, theme);
      await editor.openConfig('aws-account', 'account');
      assert.deepEqual(await marked(), ['accessKeyId', 'secretAccessKey']);
      await editor.shoot('aws-account-without-keys');
    });
  }
});
