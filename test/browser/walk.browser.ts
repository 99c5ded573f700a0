import assert from 'node:assert/strict';
import jsonata from 'jsonata';
import { LocalAws } from '../../local-aws/client';
import {
  account,
  type Bench,
  credentials,
  detectNode,
  indexFaceNode,
  invokeNode,
  listNode,
  otherNodes,
  publishNode,
  receiveNode,
  sendNode,
  settleNode
} from '../aws';
import { nodeRedVersion, sink, startNodeRed } from '../node-red';
import { type Editor, openEditor, type Theme } from './editor';
import { inForm, untidyIn } from './form';

/** Dialogs: the node of each, and values that will not do. */
const named: ReadonlyArray<readonly [id: string, type: string, wrong: Record<string, string>]> = [
  [
    'invoke',
    'aws-lambda-invoke',
    { functionName: 'no such/function', qualifier: 'a b', retries: '11', durableName: 'a b' }
  ],
  ['list', 'aws-lambda-list', { maxItems: '51' }],
  ['publish', 'aws-sns-publish', { target: 'alerts', subject: 'x'.repeat(100) }],
  ['send', 'aws-sqs-send', { queue: 'no queue', delaySeconds: '901' }],
  ['receive', 'aws-sqs-receive', { queue: 'no queue', batchSize: '11', region: 'not a region' }],
  ['settle', 'aws-sqs-settle', { delay: '43201' }],
  ['detect', 'aws-rekognition-detect', { collection: 'no such!', similarity: '101' }],
  ['index', 'aws-rekognition-index-face', { collection: 'no such!' }],
  ['account', 'aws-account', { region: 'not a region', roleArn: 'role', endpoint: 'ftp://nowhere' }]
];
const others = otherNodes(
  named.map(([, type]) => type),
  580
);
const all: typeof named = [...others.map(({ id, type }) => [id, type, {}] as const), ...named];
/**
 * These have every kind of control, which is what Node-RED 4.1, keys and clicks have to do with. The other forms are looked at,
 * in Node-RED 5; all open in 4.1 in `dialogs.browser.ts`.
 */
const ofEachKind = ['invoke', 'receive', 'detect', 'account'];
const dialogs = nodeRedVersion === 4 ? all.filter(([id]) => ofEachKind.includes(id)) : all;

interface Walk {
  theme: Theme;
  /** In CSS pixels: the narrow window is so high that a whole dialog is in its picture. */
  width: number;
  height: number;
  /** Whether every kind of control is tried with keys and clicked on. What these do is not a matter of the width. */
  tries: boolean;
}

/** A width is the forms' own: it is tried in one Node-RED, and the form as it opens in both. */
const walks: Walk[] = [{ theme: 'light', width: 1440, height: 900, tries: true }];
if (nodeRedVersion === 5) walks.push({ theme: 'dark', width: 400, height: 1700, tries: false });

/** Something that has the focus, or may get it. */
interface Control {
  name: string;
  tag: string;
  /** Its place in the form, from the first to the last. */
  index: number;
  /** What lies over it, or nothing. */
  cover: string;
  isSeen: boolean;
  /** 0 for what Tab comes to in the order of the page. */
  tabIndex: number;
}

/** In the page: whether a list or a menu is open. */
const anyMenu = "$('.nimbus-choices, .red-ui-typedInput-options').is(':visible')";

describe(`a walk through the dialogs in Node-RED ${nodeRedVersion}`, () => {
  const bench = {} as Bench;
  let editor: Editor;
  /** What was found on a walk: all of it, since walks are long. */
  let faults: string[];
  /** The kinds of controls in the forms that are tried, and in those that are only looked at. */
  let kinds: { tried: Set<string>; seen: Set<string> };

  before(async () => {
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
    await bench.aws.populate({ collections: 3, prefix: 'family' });
    const place = (y: number) => ({ x: 300, y });
    await bench.red.deploy(
      [
        account(bench),
        invokeNode(place(100)),
        listNode(place(160)),
        publishNode({ target: 'arn:aws:sns:us-east-1:111111111111:alerts', ...place(220) }),
        sendNode({ queue: 'orders', ...place(280) }),
        receiveNode({ queue: 'orders', ...place(340) }),
        settleNode({ wires: [['out']], action: 'return', delay: '5', delayType: 'num', ...place(400) }),
        detectNode({ operation: 'identify', collection: 'family', ...place(460) }),
        indexFaceNode({ collection: 'family', ...place(520) }),
        ...others,
        { ...sink('out'), x: 560, y: 140 }
      ],
      { credentials: credentials() }
    );
  });
  afterEach(() => {
    const { problems, warnings } = editor;
    assert.deepEqual([...problems.splice(0), ...warnings.splice(0)], []);
  });
  after(async () => {
    await bench.red.deploy([]);
    bench.red.clearLogs();
    await bench.aws.stop();
  });

  for (const { theme, width, height, tries } of walks) {
    it(`meets nothing that is cut, hidden or nameless, ${theme}, ${width} px wide`, async function () {
      this.timeout(180_000);
      editor = await openEditor({ theme, width, height, sideBars: width > 1000 });
      faults = [];
      kinds = { tried: new Set(), seen: new Set() };
      for (const [id, type, wrong] of dialogs) {
        await openDialog(id, type);
        await assertTidy(type);
        const isTried = tries && ofEachKind.includes(id);
        if (isTried) {
          await walkByKeyboard(type);
          await walkByMouse(type);
        } else await lookAtAll(type);
        for (const kind of await inPage<string[]>('return controls.map(kindOf);'))
          kinds[isTried ? 'tried' : 'seen'].add(kind);
        await assertTidy(`${type}, all of it`);
        await enterWrong(wrong);
        await assertTidy(`${type} with reasons`);
        const picture = width < 500 ? `${type}-400` : '';
        await assertAccessible(`${type} with reasons`);
        if (picture) await editor.shoot(`${picture}-reasons`);
        await openFirstPicker();
        await assertTidy(`${type} with a list`);
        await assertAccessible(`${type} with a list`);
        if (picture && id === 'publish') await editor.shoot(`${picture}-list`);
        await editor.cancel();
      }
      await editor.close();
      assert.deepEqual(faults, []);
      if (tries)
        assert.deepEqual(
          [...kinds.seen].filter((kind) => !kinds.tried.has(kind)),
          [],
          'kinds of controls that nobody has tried'
        );
    });
  }

  describe('whose values are entered one by one', () => {
    before(async () => {
      editor = await openEditor();
    });
    after(() => editor.close());

    it('begins an expression with one that works, and takes it away again', async () => {
      for (const [id, property, kept] of [
        ['invoke', 'payload', 'payload'],
        ['invoke', 'clientContext', ''],
        ['publish', 'subject', '']
      ] as const) {
        await editor.openByKey(id);
        const { type } = await editor.readTyped(property);
        await editor.page.evaluate("$('.nimbus-advanced').prop('open', true)");
        await chooseType(property, 'jsonata');
        const { value } = await editor.readTyped(property);
        assert.ok(value.length > kept.length, property);
        await jsonata(value).evaluate({ payload: { id: 1 }, topic: 'porch' });
        assert.equal(await isValid(property), true);
        await chooseType(property, type);
        assert.deepEqual(await editor.readTyped(property), { type, value: kept });
        await editor.cancel();
      }
    });

    it('takes an expression away again however many types are tried', async () => {
      await editor.openByKey('invoke');
      for (const type of ['flow', 'jsonata', 'flow', 'msg']) await chooseType('payload', type);
      assert.deepEqual(await editor.readTyped('payload'), { type: 'msg', value: 'payload' });
      await editor.cancel();
    });

    it('keeps what somebody has entered when it becomes an expression, also the text of a default', async () => {
      await editor.openByKey('invoke');
      for (const [type, entered] of [
        ['msg', 'payload.name'],
        ['str', 'payload'],
        ['json', '{"order": 1}'],
        ['msg', '']
      ] as const) {
        await chooseType('payload', type);
        await (await editor.face('payload')).fill(entered);
        await chooseType('payload', 'jsonata');
        if (entered) assert.equal((await editor.readTyped('payload')).value, entered);
        await chooseType('payload', type);
        assert.deepEqual(await editor.readTyped('payload'), { type, value: entered });
      }
      await editor.cancel();
    });

    it('leaves an expression and a value alone that somebody has entered', async () => {
      await editor.openByKey('publish');
      await (await editor.face('subject')).fill('Hello');
      await chooseType('subject', 'jsonata');
      assert.equal((await editor.readTyped('subject')).value, 'Hello');
      await (await editor.face('subject')).fill('topic & "!"');
      await chooseType('subject', 'str');
      assert.equal((await editor.readTyped('subject')).value, 'topic & "!"');
      await editor.cancel();
    });

    it('says under a field why its value will not do, and stops when it will', async () => {
      await editor.openByKey('invoke');
      const [face, reason] = [await editor.face('functionName'), reasonOf('functionName')];
      assert.equal(await isValid('functionName'), true);
      await face.fill('no such/function');
      assert.match(await reason.innerText(), /Function must be a name or an ARN/);
      assert.equal(await reason.getAttribute('role'), 'alert');
      assert.equal(await isValid('functionName'), false);
      const describedBy = (await face.getAttribute('aria-describedby')) ?? '';
      assert.deepEqual(describedBy.split(' '), ['node-input-functionName-reason', 'node-input-functionName-hint']);
      await face.fill('hello');
      assert.equal(await reason.innerText(), '');
      assert.equal(await isValid('functionName'), true);
      await chooseType('functionName', 'jsonata');
      await face.fill('((');
      assert.match(await reason.innerText(), /^⚠? ?Function: /);
      await editor.cancel();
    });

    it('asks for an empty field only when somebody has been there', async () => {
      await editor.openByKey('send');
      await (await editor.face('queue')).fill('');
      await editor.done();
      await editor.openByKey('send');
      const face = await editor.face('queue');
      assert.equal(await reasonOf('queue').count(), 0);
      assert.equal(await isValid('queue'), false, 'a screen reader hears it all the same');
      await face.focus();
      assert.equal(await reasonOf('queue').count(), 0);
      await face.blur();
      assert.match(await reasonOf('queue').innerText(), /Queue is required/);
      await face.fill('orders');
      assert.equal(await reasonOf('queue').innerText(), '');
      await editor.cancel();
    });
  });

  const reasonOf = (property: string) => editor.page.locator(`#node-input-${property}-reason`);
  const isValid = async (property: string) =>
    (await (await editor.face(property)).getAttribute('aria-invalid')) !== 'true';
  const chooseType = (property: string, type: string) =>
    editor.page.evaluate(`$('#node-input-${property}').typedInput('type', '${type}')`);

  const openDialog = (id: string, type: string) =>
    type === 'aws-account' ? editor.openConfig(type, id) : editor.openByKey(id);

  const inPage = async <T>(script: string): Promise<T> =>
    (await editor.page.evaluate(`(() => { ${inForm} ${script} })()`)) as T;

  /** Tab goes through all controls from the top to the bottom, past the summary that Enter opens, and out at the end. */
  async function walkByKeyboard(type: string): Promise<void> {
    const { keyboard } = editor.page;
    await inPage("controls[0].focus(); $('.nimbus-advanced').prop('open', false);");
    const seen: Control[] = [];
    for (;;) {
      const focused = await inPage<Control>('return controlOf(document.activeElement);');
      // The form has ended.
      if (focused.index < 0) break;
      const at = `${type}: ${focused.tag} ${focused.name}`;
      assertInSight(at, focused);
      assert.equal(focused.index, seen.length, `${at} is not the next one from the top`);
      seen.push(focused);
      if (focused.tag === 'summary') {
        await keyboard.press('Enter');
        await editor.page.waitForFunction('document.activeElement.parentElement.open');
      }
      await keyboard.press('Tab');
    }
    assert.deepEqual(
      await inPage('return controls.map(nameOf);'),
      seen.map(({ name }) => name),
      `${type}: all can be reached`
    );
    await assertInOrder(type);
  }

  function assertInSight(at: string, { isSeen, cover, name, tabIndex }: Control): void {
    if (tabIndex !== 0) faults.push(`${at} is out of the order of Tab`);
    if (!isSeen) faults.push(`${at} cannot be seen`);
    if (cover) faults.push(`${at} is covered by ${cover}`);
    if (!name) faults.push(`${at} has no name`);
  }

  async function assertInOrder(type: string): Promise<void> {
    const stray = await inPage<string>('return inOrder(controls);');
    if (stray) faults.push(`${type}: after ${stray} comes what stands before it`);
  }

  /** A click on each control gives it the focus; what opens is closed by a click beside it. */
  async function walkByMouse(type: string): Promise<void> {
    const { mouse } = editor.page;
    const count = await inPage<number>('return controls.length;');
    for (let index = 0; index < count; index += 1) {
      const control = await inPage<Control & { x: number; y: number; checked?: boolean; opensDialog: boolean }>(`
        const control = controls[${index}];
        control.scrollIntoView({ block: 'nearest' });
        return { ...controlOf(control), ...placeOf(control), checked: control.checked, opensDialog: control.matches('.red-ui-typedInput-option-expand') };`);
      const at = `${type}: ${control.tag} ${control.name}`;
      if (control.cover) faults.push(`${at} is covered by ${control.cover}`);
      // A click on a select opens a menu of the system, one on the summary closes what is to be walked through.
      if (control.tag === 'select' || control.tag === 'summary' || control.opensDialog) continue;
      await mouse.click(control.x, control.y);
      const after = await inPage<{ hasFocus: boolean; isOpen: boolean; isChanged: boolean; x: number; y: number }>(`
        const control = controls[${index}];
        return {
          ...placeOf(control),
          hasFocus: control === document.activeElement,
          isOpen: ${anyMenu},
          isChanged: control.checked !== undefined && control.checked !== ${control.checked}
        };`);
      // What an earlier click has asked for may have come above it meanwhile.
      if (!after.hasFocus && !after.isOpen && (after.x !== control.x || after.y !== control.y)) {
        index -= 1;
        continue;
      }
      if (!after.hasFocus && !after.isOpen) faults.push(`${at} takes no click`);
      if (after.isChanged) await mouse.click(control.x, control.y);
      // The answer of the connection test moves what is below it.
      await editor.page.waitForFunction("!$('.nimbus-connection').is(':not(:empty):not(:has(*))')");
      if (!after.isOpen) continue;
      // A menu that still slides open takes no notice of a click beside it.
      await editor.page.waitForFunction("!$('.red-ui-typedInput-options').is(':animated')");
      const header = await inPage<{ x: number; y: number }>(
        "const { x, y } = $('.red-ui-tray-header').last()[0].getBoundingClientRect(); return { x: x + 12, y: y + 12 };"
      );
      await mouse.click(header.x, header.y);
      await editor.page.waitForFunction(`!${anyMenu}`);
    }
  }

  /** Where keys and clicks would hit a control, it can be seen, and nothing lies over it. */
  async function lookAtAll(type: string): Promise<void> {
    await inPage("$('.nimbus-advanced').prop('open', true);");
    const controls = await inPage<Control[]>(`return controls.map((control) => {
      control.scrollIntoView({ block: 'nearest' });
      return controlOf(control);
    });`);
    for (const control of controls) assertInSight(`${type}: ${control.tag} ${control.name}`, control);
    await assertInOrder(type);
  }

  /** Values that will not do, entered as people do. */
  async function enterWrong(wrong: Record<string, string>): Promise<void> {
    for (const [property, value] of Object.entries(wrong)) {
      const id = await (await editor.field(property)).getAttribute('id');
      const face = await editor.face(property);
      await face.fill(value);
      await face.blur();
      await editor.page.locator(`#${id}-reason:not(:empty)`).waitFor();
    }
  }

  /** Opens the first list; a dialog may have none. */
  async function openFirstPicker(): Promise<void> {
    const button = editor.page.locator('.nimbus-pick:visible').first();
    if ((await button.count()) === 0) return;
    await button.click();
    await editor.page.locator('.nimbus-choice, .nimbus-trouble').first().waitFor();
  }

  /** Nothing is cut off, nothing lies over something else, nothing sticks out, and every word is translated. */
  async function assertTidy(what: string): Promise<void> {
    faults.push(...(await untidyIn(editor)).map((fault) => `${what}: ${fault}`));
  }

  async function assertAccessible(what: string): Promise<void> {
    const findings = await editor.findings('form > :is(.nimbus-row, .nimbus-advanced)');
    faults.push(...findings.map((finding) => `${what}: ${finding}`));
  }
});
