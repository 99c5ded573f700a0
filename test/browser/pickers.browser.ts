import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { LocalAws, roles, signIns } from '../../local-aws/client';
import {
  account,
  type Bench,
  detectNode,
  indexFaceNode,
  invokeNode,
  keysOf,
  publishNode,
  receiveNode,
  sendNode
} from '../aws';
import { nodeRedVersion, sink, startNodeRed } from '../node-red';
import { type Editor, openEditor } from './editor';

/** A field with a list: what its dialog has to hold first, two of its choices by a search each, and what Done stores. */
interface Offered {
  node: string;
  property: string;
  advanced?: true;
  /** Chosen with the mouse, then with the keyboard. */
  choices: readonly [search: string, stored: string][];
}

describe(`lists to choose from in Node-RED ${nodeRedVersion}`, () => {
  const bench = {} as Bench;
  let editor: Editor;
  let folder: string;
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;

  before(async () => {
    bench.aws = await LocalAws.start();
    bench.red = await startNodeRed();
    folder = await mkdtemp(join(tmpdir(), 'nimbus-profiles-'));
    // A profile that says nothing is none.
    const profiles = ['default', 'profile greenhouse', 'profile workshop'];
    await writeFile(join(folder, 'config'), profiles.map((name) => `[${name}]\nregion = eu-west-1\n`).join(''));
    process.env.AWS_CONFIG_FILE = join(folder, 'config');
    process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'none');
    await bench.aws.populate({ collections: 12, prefix: 'family' });
    // Beside the three that this account has.
    await bench.aws.populate({ functions: 2000, account: signIns.second.account });
    await deploy();
    editor = await openEditor();
  });
  afterEach(async () => {
    await bench.aws.clearFaults();
    assert.deepEqual(editor.problems.splice(0), []);
    if (await editor.page.locator('#node-dialog-cancel, #node-config-dialog-cancel').last().isVisible()) {
      await editor.cancel();
    }
  });
  after(async () => {
    await editor.close();
    await bench.red.deploy([]);
    bench.red.clearLogs();
    await bench.aws.stop();
    await rm(folder, { recursive: true });
    for (const [name, value] of Object.entries({ AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  /** Each account fails in its own way, or has another list. */
  async function deploy(): Promise<void> {
    const { certificate, chain, key } = await bench.aws.makeDevice({ subject: { CN: 'pump', O: 'Nimbus' }, to: 20 });
    const { ca } = await bench.aws.certificatePlaces();
    await bench.red.deploy(
      [
        account(bench),
        account(bench, { id: 'limited-account' }),
        account(bench, { id: 'second-account' }),
        // No list is asked for through this one, since what stands in its dialog would count.
        account(bench, { id: 'edited-account' }),
        account(bench, { id: 'nowhere-account', endpoint: 'http://127.0.0.1:9' }),
        { id: 'tls', type: 'tls-config', name: 'The broker', cert: '', key: '', ca: '', verifyservercert: true },
        invokeNode({ functionName: '', x: 300, y: 100 }),
        invokeNode({ id: 'versions', functionName: 'hello', x: 300, y: 160 }),
        invokeNode({ id: 'fleet', account: 'second-account', functionName: '', x: 300, y: 220 }),
        invokeNode({ id: 'regions', x: 300, y: 580 }),
        publishNode({ target: '', x: 300, y: 280 }),
        sendNode({ queue: '', x: 300, y: 340 }),
        receiveNode({ queue: '', maxInFlight: 1, x: 300, y: 400 }),
        detectNode({ operation: 'identify', collection: '', x: 300, y: 460 }),
        indexFaceNode({ collection: '', x: 300, y: 520 }),
        { ...sink('out'), x: 560, y: 140 }
      ],
      {
        credentials: {
          account: keysOf('demo'),
          'limited-account': keysOf('limited'),
          'second-account': keysOf('second'),
          'edited-account': keysOf('demo'),
          'nowhere-account': keysOf('demo'),
          tls: { certdata: certificate + chain, keydata: key, cadata: ca }
        }
      }
    );
  }

  const topic = (name: string) => `arn:aws:sns:us-east-1:111111111111:${name}`;
  const queue = (name: string) => `/111111111111/${name}`;
  const offered: Record<string, Offered> = {
    'a function': {
      node: 'invoke',
      property: 'functionName',
      choices: [
        ['greets', 'hello'],
        ['logs a lot', 'chatty']
      ]
    },
    'a version or an alias': {
      node: 'versions',
      property: 'qualifier',
      choices: [
        ['old', 'old'],
        ['live', 'live']
      ]
    },
    'a topic': {
      node: 'publish',
      property: 'target',
      choices: [
        ['ALERTS', topic('alerts')],
        ['placed', topic('orders-placed')]
      ]
    },
    'a queue to send to': {
      node: 'send',
      property: 'queue',
      choices: [
        ['kitch', queue('kitchen')],
        ['bill', queue('billing')]
      ]
    },
    'a queue to receive from': {
      node: 'receive',
      property: 'queue',
      choices: [
        ['dead letters', queue('orders-dead-letters')],
        ['notif', queue('notifications')]
      ]
    },
    'a collection to look in': {
      node: 'detect',
      property: 'collection',
      choices: [
        ['0003', 'family-0003'],
        ['0011', 'family-0011']
      ]
    },
    'a collection to index into': {
      node: 'index',
      property: 'collection',
      choices: [
        ['0004', 'family-0004'],
        ['0012', 'family-0012']
      ]
    },
    'a region': {
      node: 'regions',
      property: 'region',
      advanced: true,
      choices: [
        ['ireland', 'eu-west-1'],
        ['sao paulo', 'sa-east-1']
      ]
    },
    'an account’s region': {
      node: 'edited-account',
      property: 'region',
      choices: [
        ['frankf', 'eu-central-1'],
        ['ohio', 'us-east-2']
      ]
    },
    'a profile': {
      node: 'edited-account',
      property: 'profile',
      choices: [
        ['green', 'greenhouse'],
        ['work', 'workshop']
      ]
    }
  };

  for (const [what, { node, property, advanced, choices }] of Object.entries(offered)) {
    const [[byMouse, clicked] = ['', ''], [byKey, entered] = ['', '']] = choices;

    async function openField(): Promise<void> {
      await openDialog(node);
      if (property === 'profile') await editor.fill('source', 'profile');
      if (advanced) await editor.page.evaluate("$('.nimbus-advanced').prop('open', true)");
    }

    it(`${what} is chosen with the mouse`, async () => {
      await openField();
      await (await buttonOf(property)).click();
      await rows().first().waitFor();
      const all = await rows().count();
      await editor.page.keyboard.type(byMouse);
      await editor.page.waitForFunction(`$('.nimbus-choice').length < ${all}`);
      assert.ok((await rows().count()) >= 1);
      await rows().first().click();
      assert.equal(await panel().count(), 0);
      assert.ok((await (await editor.face(property)).inputValue()).endsWith(clicked));
      await editor.done();
      assert.ok(String((await editor.node(node))[property]).endsWith(clicked));
    });

    it(`${what} is chosen with the keyboard`, async () => {
      const { keyboard } = editor.page;
      await openField();
      const face = await editor.face(property);
      await face.focus();
      await keyboard.press('Tab');
      assert.equal(await focused(), 'nimbus-pick', 'Tab leads to the button');
      for (const key of ['Enter', 'Space']) {
        await keyboard.press(key);
        await rows().first().waitFor();
        assert.equal(await focused(), 'search');
        await keyboard.press('Escape');
        assert.equal(await panel().count(), 0);
        assert.equal(await focused(), 'nimbus-pick', 'Escape gives the focus back');
      }
      await keyboard.press('Shift+Tab');
      await keyboard.press('Alt+ArrowDown');
      await rows().first().waitFor();
      await keyboard.type(byKey);
      await editor.page.locator('.nimbus-choice.nimbus-active').waitFor();
      await keyboard.press('Enter');
      assert.equal(await panel().count(), 0);
      const value = await face.inputValue();
      assert.ok(value.endsWith(entered), value);
      assert.ok(await hasFocus(face), 'the field has the focus again');
      await editor.done();
      assert.ok(String((await editor.node(node))[property]).endsWith(entered));
    });
  }

  it('a topic is stored as its ARN, a queue as its URL', async () => {
    assert.equal((await editor.node('publish')).target, topic('orders-placed'));
    assert.match(String((await editor.node('send')).queue), /^http:\/\/127\.0\.0\.1:\d+\/111111111111\/billing$/);
  });

  it('arrows and page keys move through a list, Home and End go to its ends', async () => {
    const { keyboard } = editor.page;
    await openDialog('invoke');
    await (await editor.face('functionName')).fill('');
    await (await buttonOf('functionName')).click();
    await complete();
    const count = await rows().count();
    const pressed = async (key: string) => {
      await keyboard.press(key);
      return active();
    };
    assert.equal(await active(), -1);
    assert.equal(await pressed('ArrowDown'), 0);
    assert.equal(await pressed('ArrowDown'), 1);
    assert.equal(await pressed('PageDown'), 9);
    assert.equal(await pressed('ArrowUp'), 8);
    assert.equal(await pressed('PageUp'), 0);
    assert.equal(await pressed('ArrowUp'), 0);
    assert.equal(await pressed('End'), count - 1);
    assert.equal(await pressed('ArrowDown'), count - 1);
    assert.equal(await pressed('Home'), 0);
  });

  it('Escape on the button closes the list, not the dialog', async () => {
    const { keyboard } = editor.page;
    await openDialog('invoke');
    await (await buttonOf('functionName')).click();
    await rows().first().waitFor();
    await keyboard.press('Shift+Tab');
    await keyboard.press('Escape');
    assert.equal(await panel().count(), 0);
    assert.ok(await editor.page.locator('#node-dialog-ok').isVisible());
  });

  it('a click elsewhere, a second one on the button, and leaving with Tab close a list', async () => {
    await openDialog('invoke');
    const button = await buttonOf('functionName');
    for (const leave of [
      async () => (await editor.face('name')).click(),
      () => button.click(),
      async () => {
        // By way of the button that loads the list anew.
        await editor.page.keyboard.press('Tab');
        assert.equal(await focused(), 'nimbus-reload');
        await editor.page.keyboard.press('Tab');
      }
    ]) {
      await button.click();
      await rows().first().waitFor();
      await leave();
      assert.equal(await panel().count(), 0);
      assert.equal(await button.getAttribute('aria-expanded'), 'false');
    }
  });

  it('what has just been made is there when a list is opened again, and when it is loaded anew', async () => {
    const { keyboard } = editor.page;
    await openDialog('invoke');
    const button = await buttonOf('functionName');
    await button.click();
    await complete();
    const count = await rows().count();
    await keyboard.press('Escape');
    await bench.aws.populate({ functions: 1, prefix: 'made' });
    await button.click();
    await state(new RegExp(`^${count + 1} in all`));
    await keyboard.type('made');
    await state(new RegExp(`^1 of ${count + 1}`));
    await bench.aws.populate({ functions: 2, prefix: 'made-later' });
    await keyboard.press('Tab');
    assert.deepEqual(await editor.findings('.nimbus-choices'), []);
    assert.equal(await editor.page.locator(':focus').getAttribute('aria-label'), 'Reload the list');
    await keyboard.press('Enter');
    await state(new RegExp(`^3 of ${count + 3}`));
    assert.equal(await focused(), 'search', 'from where the rows can be reached');
  });

  it('a list that could not be had is there once it is loaded anew', async () => {
    await bench.aws.fault({ kind: 'denied', operation: 'ListTopics', times: 1 });
    await openDialog('publish');
    await (await buttonOf('target')).click();
    await editor.page.locator('.nimbus-choice-state.nimbus-trouble').waitFor();
    await editor.page.locator('.nimbus-reload').click();
    await complete();
    assert.equal(await editor.page.locator('.nimbus-choice-state.nimbus-trouble').count(), 0);
  });

  it('what is not in the list can be typed', async () => {
    await openDialog('invoke');
    await (await editor.face('functionName')).fill('not-made-yet');
    await editor.done();
    assert.equal((await editor.node('invoke')).functionName, 'not-made-yet');
  });

  it('there is no list where the field holds a path or an expression', async () => {
    await openDialog('invoke');
    const button = await buttonOf('functionName');
    for (const type of ['msg', 'jsonata', 'env']) {
      await editor.fillTyped('functionName', type, 'payload');
      assert.equal(await button.isVisible(), false, type);
      await (await editor.face('functionName')).press('Alt+ArrowDown');
      assert.equal(await panel().count(), 0, type);
    }
    await editor.fillTyped('functionName', 'str', 'hello');
    assert.ok(await button.isVisible());
  });

  it('the first of 2,000 functions are there while the others still come, and all can be searched', async () => {
    await bench.aws.fault({ kind: 'delay', operation: 'ListFunctions', after: 1, times: 1, delayMs: 1000 });
    await openDialog('fleet');
    await editor.page.evaluate(`
      performance.clearResourceTimings();
      globalThis.firstRow = 0;
      new MutationObserver((_, observer) => {
        if (!document.querySelector('.nimbus-choice')) return;
        globalThis.firstRow = performance.now();
        observer.disconnect();
      }).observe(document.body, { childList: true, subtree: true });`);
    await (await buttonOf('functionName')).click();
    await state(/Loading… 50 so far/);
    assert.equal(await rows().count(), 50);
    const took = await editor.page.evaluate(`
      firstRow - performance.getEntriesByType('resource').find(({ name }) => name.includes('/choices/')).responseEnd`);
    console.log(`      the rows were there ${(took as number).toFixed(1)} ms after the first page`);
    await state(/2003 in all/);
    await editor.page.keyboard.type('fleet-1999');
    await state(/1 of 2003/);
    await editor.page.keyboard.press('Enter');
    assert.equal(await (await editor.face('functionName')).inputValue(), 'fleet-1999');
  });

  it('a list whose end is reached goes on', async () => {
    await openDialog('fleet');
    await (await buttonOf('functionName')).click();
    await complete();
    const made = await rows().count();
    assert.ok(made < 2003, 'not all rows are made at once');
    await editor.page.evaluate("$('.nimbus-choice-list').scrollTop(1e6)");
    await editor.page.waitForFunction(`$('.nimbus-choice').length > ${made}`);
    await editor.page.keyboard.press('End');
    assert.equal(await rows().count(), 2003);
  });

  it('a list that somebody has scrolled stays where it is when the field’s value comes', async () => {
    let goOn = () => {};
    const scrolled = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const laterPages = /choices\/functions.*[?&]after=[^&]/;
    await editor.page.route(laterPages, (route) => scrolled.then(() => route.continue()));
    await openDialog('fleet');
    await (await editor.face('functionName')).fill('fleet-1500');
    await (await buttonOf('functionName')).click();
    await state(/Loading… 50 so far/);
    await editor.page.evaluate("$('.nimbus-choice-list').scrollTop(300)");
    goOn();
    await complete();
    await editor.page.unroute(laterPages);
    assert.equal(await editor.page.evaluate("$('.nimbus-choice-list').scrollTop()"), 300);
  });

  it('a search is text in which Shift and Home mark', async () => {
    await openDialog('invoke');
    await (await buttonOf('functionName')).click();
    await complete();
    await editor.page.keyboard.type('hello');
    await editor.page.keyboard.press('Shift+Home');
    await editor.page.keyboard.type('c');
    assert.equal(await editor.page.locator('.nimbus-choices > input').inputValue(), 'c');
  });

  it('a search that was typed before the list came chooses its first row', async () => {
    await bench.aws.fault({ kind: 'delay', operation: 'ListTopics', times: 1, delayMs: 500 });
    await openDialog('publish');
    await editor.fillTyped('region', 'str', 'us-east-1');
    await (await buttonOf('target')).click();
    await editor.page.keyboard.type('alerts');
    await editor.page.locator('.nimbus-choice.nimbus-active').waitFor();
    await editor.page.keyboard.press('Enter');
    assert.equal(await (await editor.face('target')).inputValue(), topic('alerts'));
  });

  it('a region in words becomes its name when the field is left, and a secret in place of the key ID is told', async () => {
    await editor.openConfig('aws-account', 'account');
    for (const [words, region] of [
      ['Frankfurt', 'eu-central-1'],
      ['São Paulo', 'sa-east-1'],
      ['virginia', 'us-east-1'],
      ['germany', 'germany'],
      ['us-west', 'us-west']
    ] as const) {
      await (await editor.face('region')).fill(words);
      await (await editor.face('accessKeyId')).focus();
      assert.equal(await editor.read('region'), region);
    }
    await editor.fill('accessKeyId', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
    await editor.fill('secretAccessKey', 'AKIAIOSFODNN7EXAMPLE');
    await editor.page.locator('.nimbus-reason', { hasText: /must not be the secret access key/ }).waitFor();
    await editor.page.locator('.nimbus-reason', { hasText: /must not be the access key ID/ }).waitFor();
  });

  it('without an account the list says so', async () => {
    await openDialog('invoke');
    await editor.fill('account', '_ADD_');
    await says('functionName', /^Choose an account first\. You can still type the value\.$/);
  });

  it('an account has lists as soon as it is added, before it is deployed', async () => {
    await openDialog('invoke');
    await editor.page.locator('#node-input-btn-account-add').click();
    await editor.page.locator('#node-config-dialog-ok').waitFor();
    await editor.fill('source', 'keys');
    await editor.fill('accessKeyId', signIns.demo.accessKeyId);
    await editor.fill('secretAccessKey', signIns.demo.secretAccessKey);
    await editor.page.evaluate("$('.nimbus-advanced').prop('open', true)");
    await editor.fill('endpoint', bench.aws.url);
    await editor.done();
    await (await buttonOf('functionName')).click();
    await rows().filter({ hasText: 'hello' }).first().waitFor();
    assert.deepEqual(await editor.findings('.nimbus-choices'), []);
  });

  it('a sign-in that may not list says what to allow', async () => {
    await openDialog('send');
    await editor.fill('account', 'limited-account');
    await says('queue', /^This sign-in may not list them: allow sqs:ListQueues in its policy\./);
  });

  it('AWS that cannot be reached is one line', async () => {
    await openDialog('invoke');
    await editor.fill('account', 'nowhere-account');
    await says('functionName', /^AWS cannot be reached from where Node-RED runs: check network, region and endpoint\./);
  });

  it('Node-RED that does not answer is one line', async () => {
    await openDialog('detect');
    await editor.page.route('**/aws-account/choices/**', (route) => route.abort());
    await says('collection', /^Node-RED does not answer\./);
    await editor.page.unroute('**/aws-account/choices/**');
    assert.match(editor.problems.splice(0).join(), /^console: Failed to load resource: net::ERR_FAILED/);
  });

  it('versions need a function, and one that is known', async () => {
    await openDialog('versions');
    for (const type of ['str', 'msg', 'jsonata']) {
      await editor.fillTyped('functionName', type, '');
      await says('qualifier', /^Enter the name of the function first\. You can still type the value\.$/);
    }
    for (const [type, value] of [
      ['msg', 'payload'],
      ['flow', 'name'],
      ['env', 'FUNCTION'],
      ['jsonata', 'topic'],
      ['json', '["one","two"]'],
      ['str', '${FUNCTION}']
    ] as const) {
      await editor.fillTyped('functionName', type, value);
      await says(
        'qualifier',
        /^The function comes from a message, a variable or an expression, or there are several: /
      );
    }
  });

  it('a deployed account is tested with the secret that only the runtime has', async () => {
    await editor.openConfig('aws-account', 'second-account');
    assert.equal(await editor.read('secretAccessKey'), '__PWRD__');
    assert.match(
      await connection(/works/),
      /The sign-in works\.\s+Account 222222222222\s+Signed in as .*:user\/second\s+Through Access keys\s+Region us-east-1/
    );
  });

  it('what was typed is tested before it is deployed, and again after a change', async () => {
    await editor.openConfig('aws-account', 'second-account');
    await editor.fill('secretAccessKey', 'wrong');
    assert.match(await connection(/secret access key does not belong to this access key ID/), /SignatureDoesNotMatch/);
    await editor.fill('accessKeyId', signIns.demo.accessKeyId);
    assert.equal(await answer().innerText(), '', 'the answer to what was typed before is gone');
    await editor.fill('secretAccessKey', signIns.demo.secretAccessKey);
    await connection(/Account 111111111111/);
    await editor.fill('endpoint', 'http://127.0.0.1:9');
    await connection(/AWS cannot be reached from the machine that runs Node-RED/);
  });

  it('a second test counts, whatever the first one still gets', async () => {
    await editor.openConfig('aws-account', 'second-account');
    await bench.aws.fault({ kind: 'delay', operation: 'GetCallerIdentity', times: 1, delayMs: 1000 });
    const first = editor.page.waitForResponse(/aws-account\/test/);
    await testButton().click();
    await editor.fill('accessKeyId', signIns.demo.accessKeyId);
    await editor.fill('secretAccessKey', signIns.demo.secretAccessKey);
    await testButton().press('Enter');
    await answerMatches(/Account 111111111111/);
    await (await first).finished();
    assert.match(await answer().innerText(), /Account 111111111111/);
    assert.ok(await hasFocus(testButton()), 'it keeps the focus');
  });

  it('a role that wants another External ID says what to check', async () => {
    await editor.openConfig('aws-account', 'second-account');
    await editor.fill('roleArn', roles.external.arn);
    await editor.fill('externalId', 'another-id');
    await connection(/^The keys work, but the role cannot be assumed\./);
    await editor.fill('externalId', roles.external.externalId ?? '');
    await connection(/assumed-role\/nimbus-external\/.*\s*Through Access keys → arn:aws:iam::111111111111:role/s);
  });

  it('a certificate needs what its exchange asks for, and the test says whose it is and that it ends soon', async () => {
    await editor.openConfig('aws-account', 'second-account');
    await editor.fill('source', 'certificate');
    const shown = () =>
      editor.page.evaluate(
        `$('.red-ui-tray').last().find('[id^=node-config-input-]:visible').get().map(({ id }) => id.replace('node-config-input-', ''))`
      ) as Promise<string[]>;
    const iot = ['credentialEndpoint', 'roleAlias', 'thingName'];
    const anywhere = ['trustAnchorArn', 'profileArn', 'certificateRoleArn'];
    const among = async (names: string[]) => (await shown()).filter((name) => names.includes(name));
    assert.deepEqual(await among(['accessKeyId', 'tls', 'exchange', ...iot, ...anywhere]), ['tls', 'exchange', ...iot]);
    await editor.fill('exchange', 'rolesAnywhere');
    assert.deepEqual(await among([...iot, ...anywhere]), anywhere);
    await editor.fill('exchange', 'iot');
    assert.equal(await editor.read('tls'), '_ADD_', 'an account of an earlier version has none');
    await connection(/Something in this dialog is missing or wrong\.\s*MissingValue: TLS configuration/);
    await editor.fill('tls', 'tls');
    const { credentialEndpoint } = await bench.aws.certificatePlaces();
    await editor.fill('credentialEndpoint', credentialEndpoint);
    await editor.fill('roleAlias', 'nobody');
    assert.match(
      await connection(/^Nothing was found|There is no such role alias/),
      /Certificate CN=pump, O=Nimbus\s+Issued by CN=Local AWS devices, O=Nimbus\s+Valid until 20\d\d-\d\d-\d\d \d\d:\d\d UTC/
    );
    await editor.fill('roleAlias', 'nimbus-device');
    assert.match(
      await connection(/works/),
      /assumed-role\/nimbus-device\/.*Through Certificate of this device: AWS IoT Core\s+Region us-east-1\s+Certificate CN=pump.*This certificate expires soon: replace it in time\./s
    );
    await editor.shoot('certificate');
  });

  const openDialog = (id: string) =>
    id.endsWith('account') ? editor.openConfig('aws-account', id) : editor.openByKey(id);
  const hasFocus = async (control: Locator) => (await control.and(editor.page.locator(':focus')).count()) === 1;
  const rows = () => editor.page.locator('.nimbus-choice');
  const panel = () => editor.page.locator('.nimbus-choices');
  const answer = () => editor.page.locator('.nimbus-connection');
  const testButton = () => editor.page.locator('.nimbus-test button');

  async function buttonOf(property: string) {
    const id = await (await editor.field(property)).getAttribute('id');
    return editor.page.locator(`.nimbus-row:has(#${id}) .nimbus-pick`);
  }

  /** `search`, or the class of ours that what has the focus has. */
  async function focused(): Promise<string> {
    return (await editor.page.evaluate(`document.activeElement.matches('.nimbus-choices > input')
      ? 'search' : [...document.activeElement.classList].find((name) => name.startsWith('nimbus-')) ?? ''`)) as string;
  }

  /** Which row is the one that Enter takes: what a screen reader hears. */
  async function active(): Promise<number> {
    return (await editor.page.evaluate(`[...document.querySelectorAll('.nimbus-choice')]
      .findIndex(({ id }) => id === document.activeElement.getAttribute('aria-activedescendant'))`)) as number;
  }

  async function state(text: RegExp): Promise<void> {
    await editor.page.locator('.nimbus-choice-state', { hasText: text }).waitFor();
  }

  const complete = () => state(/in all/);

  /** Opens a list that cannot be had: a line says why, and the dialog can be used meanwhile. */
  async function says(property: string, why: RegExp): Promise<void> {
    await (await buttonOf(property)).click();
    const line = editor.page.locator('.nimbus-choice-state.nimbus-trouble');
    await line.waitFor();
    assert.match(await line.innerText(), why);
    await editor.page.keyboard.press('Escape');
    const face = await editor.face(property);
    await face.fill('typed');
    assert.equal(await face.inputValue(), 'typed');
    assert.equal(await panel().count(), 0);
  }

  async function answerMatches(text: RegExp): Promise<void> {
    await answer().filter({ hasText: text }).waitFor();
  }

  /** Presses Test connection and waits for this answer. */
  async function connection(text: RegExp): Promise<string> {
    await testButton().click();
    await answerMatches(text);
    return answer().innerText();
  }
});
