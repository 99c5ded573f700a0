import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LocalAws } from '../../local-aws/client';
import { wordsOf, writtenIn } from '../../nodes/editor/words.mts';
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
import { type Editor, openEditor } from './editor';
import { untidyIn } from './form';

const locales = join(__dirname, '..', '..', 'locales');

const named = {
  account: 'aws-account',
  invoke: 'aws-lambda-invoke',
  list: 'aws-lambda-list',
  publish: 'aws-sns-publish',
  send: 'aws-sqs-send',
  receive: 'aws-sqs-receive',
  settle: 'aws-sqs-settle',
  detect: 'aws-rekognition-detect',
  index: 'aws-rekognition-index-face'
};
const others = otherNodes(Object.values(named), 100);
const types: Record<string, string> = { ...named, ...Object.fromEntries(others.map(({ id, type }) => [id, type])) };
/** The longest words. */
const longest = 'de';
/** Whether each dialog is opened in a language. In the others, one is opened, and shows the forms of all nodes. */
const opens = (language: string): boolean => language === longest && nodeRedVersion === 5;
/** Long words, many letters, and two scripts that break where they like: their pictures are to be looked at. */
const shown = [longest, 'ja', 'zh-CN'];
const wide = { width: 1440, height: 900 };
const narrow = { width: 400, height: 1700 };
const all = readdirSync(locales).filter((language) => language !== 'en-US');
/** The pack's words are the same in Node-RED 4.1, and its forms: those with the longest words say whether they fit there. */
const languages = nodeRedVersion === 4 ? [longest] : all;

describe(`the dialogs in Node-RED ${nodeRedVersion}, in other languages,`, () => {
  const bench = {} as Bench;
  let editor: Editor;

  before(async () => {
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
    await bench.red.deploy(
      [
        account(bench, { roleArn: 'arn:aws:iam::111111111111:role/nimbus-demo' }),
        invokeNode(),
        listNode({ scope: 'page' }),
        publishNode({ target: 'arn:aws:sns:us-east-1:111111111111:alerts' }),
        sendNode({ queue: 'orders' }),
        receiveNode({ queue: 'orders', settle: 'flow' }),
        settleNode({ wires: [['out']], action: 'return' }),
        detectNode({ operation: 'identify', collection: 'family', saveFolder: '/tmp' }),
        indexFaceNode({ collection: 'family' }),
        ...others,
        sink('out')
      ],
      { credentials: credentials() }
    );
  });
  afterEach(async () => {
    const { problems } = editor;
    await editor.close();
    assert.deepEqual(problems, []);
  });
  after(async () => {
    await bench.red.deploy([]);
    bench.red.clearLogs();
    await bench.aws.stop();
  });

  for (const language of languages) {
    const isShown = shown.includes(language);
    it(`${language}, are whole${isShown ? ', in a narrow window too,' : ''} and speak it`, async () => {
      editor = await openEditor({ language, ...wide });
      const faults: string[] = [];
      let isNarrow = false;
      const look = async (type: string): Promise<void> => {
        await editor.page.evaluate("$('.nimbus-advanced').prop('open', true)");
        const text = await editor.page.locator('.red-ui-tray').last().innerText();
        const { label: labels, help: words } = wordsOf(language, type);
        const [own = ''] = Object.keys(writtenIn('en-US', type).label ?? {});
        for (const label of [labels.name, labels[own]]) {
          if (!text.includes(label ?? '')) faults.push(`${type} lacks ${label}`);
        }
        const help = await editor.page.evaluate<string>(`RED.nodes.getNodeHelp('${type}')`);
        if (!help.includes(`<p>${words.summary}</p>`)) faults.push(`${type} has other help`);
        // Begins in the window as it stands, since each change of it is drawn.
        for (const size of isShown ? (isNarrow ? [narrow, wide] : [wide, narrow]) : [wide]) {
          await editor.resize(size);
          isNarrow = size === narrow;
          faults.push(...(await untidyIn(editor)).map((fault) => `${type}, ${size.width} px: ${fault}`));
          if (isShown) await editor.shoot(`${type}-${language}${size === narrow ? '-400' : ''}`);
        }
      };
      let isOpen = false;
      for (const [id, type] of Object.entries(types)) {
        if (isOpen) await editor.showForm(id);
        else if (id === 'account') await editor.openConfig(type, id);
        else await editor.openByKey(id);
        await look(type);
        isOpen = id !== 'account' && !opens(language);
        if (!isOpen) await editor.cancel();
      }
      if (isOpen) await editor.cancel();
      assert.deepEqual(faults, []);
    });
  }
});
