/**
 * Node-RED's editor in a headless Chromium, for the checks of dialogs and pictures.
 * The Node-RED behind it is the one of `startNodeRed()`: deploy a flow there, then open the editor on it.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { type NodeRed, nodeRedVersion, startNodeRed } from '../node-red';

/** Node-RED 4.1 has the light one only. */
export type Theme = 'light' | 'dark';

/** Of the window, in CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

export interface EditorOptions {
  theme?: Theme;
  width?: number;
  height?: number;
  /** Of Node-RED's own and of the pack's words. */
  language?: string;
  /** Where the editor is, if not at Node-RED's own address. */
  url?: string;
  /** The palette and the sidebar: drawing them is a part of what each dialog costs, and leaves less room for it. */
  sideBars?: boolean;
}

type Looks = Required<EditorOptions>;

/** The only Chinese and Japanese letters that this Chromium has. */
const fonts = dirname(require.resolve('@fontsource-variable/noto-sans-sc/package.json'));
const fontFamily = 'Noto Sans SC Variable';

/** Dialogs do not slide: the processor draws each frame of that, which is a quarter of what they cost. */
const still = '*, *::before, *::after { transition: none !important; animation: none !important; }';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const folder = join(__dirname, '..', '..', 'screenshots');
/** Whether pictures are taken for people to look at: not in all of `npm test`, since 200 of them take half a minute. */
export const takesPictures = process.env.PICTURES !== 'none';
/** In milliseconds: long, since the machine may do much else. */
const wait = 60_000;
/** One for all pages, whose scripts it then has at hand, compiled: a page loads in two thirds of the time. */
let launched: Promise<BrowserContext> | undefined;
/** The editor that was closed last, if nothing has changed it for good. */
let resting: Editor | undefined;

/** Mocha's root hook: the browser ends before Node-RED, whose server waits for its connections. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await (await launched)?.browser()?.close();
  }
};

/**
 * Opens the editor on the deployed flow; `close()` it at the end of the test. The page that was closed last is used again, which
 * takes a thirtieth of the time, or half of it in another language.
 */
export async function openEditor(options: EditorOptions = {}): Promise<Editor> {
  const red = await startNodeRed();
  const looks = looksOf(red, options);
  const last = resting;
  resting = undefined;
  if (last?.looks.url === looks.url) {
    await last.show(looks);
    return last;
  }
  await last?.end();
  const editor = await newPage(red, looks);
  await editor.start();
  return editor;
}

/** Opens a page that has loaded nothing yet, for what Node-RED serves beside the editor. */
export async function openPage(options: EditorOptions = {}): Promise<Editor> {
  const red = await startNodeRed();
  return newPage(red, looksOf(red, options));
}

const looksOf = ({ url }: NodeRed, options: EditorOptions): Looks => ({
  theme: 'light',
  width: 1440,
  height: 900,
  language: 'en-US',
  url,
  sideBars: false,
  ...options
});

async function newPage(red: NodeRed, looks: Looks): Promise<Editor> {
  const { theme, width, height } = looks;
  launched ??= launch();
  const context = await launched;
  const page = await context.newPage();
  page.setDefaultTimeout(wait);
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme });
  // The browser's theme is that of the editor, too.
  await page.addInitScript("localStorage.setItem('view-dark-theme', 'auto')");
  return new Editor(page, looks, red);
}

/** Serves the font as a part of the page. Korean letters are not in it. */
async function addFont(page: Page): Promise<void> {
  await page.route('**/nimbus-font/**', (route) =>
    route.fulfill({ path: join(fonts, 'files', basename(new URL(route.request().url()).pathname)) })
  );
  const rules = readFileSync(join(fonts, 'index.css'), 'utf8').replaceAll('./files/', 'nimbus-font/');
  await page.addStyleTag({ content: `${rules} :root { --red-ui-primary-font: '${fontFamily}' !important; }` });
}

async function launch(): Promise<BrowserContext> {
  const { default: packed } = await import('@sparticuz/chromium');
  // No WebGL: the editor has no use for it, and its software emulation is slow.
  packed.setGraphicsMode = false;
  const browser = await chromium.launch({
    executablePath: await packed.executablePath(),
    headless: true,
    // Nothing but the loopback address resolves, so that whatever asks for more fails and is seen.
    args: [
      ...packed.args.filter((flag) => !/^--(headless|single-process|no-zygote|disable-web-security)/.test(flag)),
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-sync',
      '--no-first-run',
      '--no-proxy-server',
      '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
    ]
  });
  return browser.newContext({ locale: 'en-US' });
}

/** In the page. */
const showSideBars = (show: boolean): string =>
  ['palette', 'sidebar'].map((bar) => `RED.actions.invoke('core:toggle-${bar}', ${show});`).join(' ');

/** In the page: that somebody else has deployed, as a test does that undeploys its flow before it closes the editor. */
const deployment = '.red-ui-notification-compact';

/** In the page: whether there is no dialog, and no question. */
const isAtRest = `$('.red-ui-tray, .red-ui-notification:not(${deployment}) button:visible').length === 0`;

/** In the page: those of earlier flows. */
const clearDebugMessages = "$('.red-ui-debug-msg').remove();";

/** In the page: without a flow, and without a revision, so that no deployment seems to be somebody else's. */
const clear = `RED.nodes.clear(); RED.history.clear(); RED.nodes.version(null); RED.nodes.dirty(false); $('${deployment}').hide();`;

/**
 * In the page: the deployed flow, and the statuses of its nodes. Node-RED sends what it said last to whoever begins to listen;
 * so what it said of earlier deployments has come, and is not taken for somebody else's.
 */
const load = `(async () => {
  await new Promise((resolve) => RED.comms.subscribe('notification/runtime-deploy', resolve));
  const { flows, rev } = await $.ajax({ headers: { Accept: 'application/json' }, cache: false, url: 'flows' });
  RED.nodes.version(rev);
  RED.nodes.import(flows);
  RED.nodes.dirty(false);
  const [first] = RED.nodes.getWorkspaceOrder();
  if (first) RED.workspaces.show(first);
  RED.view.redraw(true);
  RED.events.emit('flows:loaded');
  RED.comms.subscribe('status/#', () => undefined);
  ${clearDebugMessages}
})()`;

/** One page with the editor. */
export class Editor {
  /** Errors in the console, uncaught exceptions, and requests that left the machine or failed. */
  readonly problems: string[] = [];
  /** Warnings in the console. */
  readonly warnings: string[] = [];

  constructor(
    readonly page: Page,
    public looks: Looks,
    private readonly red: NodeRed
  ) {
    const { url } = looks;
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`console: ${message.text()} (${message.location().url})`);
      if (message.type() === 'warning') this.warnings.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.problems.push(`exception: ${error.message}`));
    page.on('request', (request) => {
      if (!/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(url)) {
        this.problems.push(`request to ${request.url()}`);
      }
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.problems.push(`${response.status()} for ${response.url()}`);
    });
  }

  /** The node as it is drawn. */
  canvas(id: string): Locator {
    return this.page.locator(`#red-ui-workspace-chart [id="${id}"]`);
  }

  /** Shows the tab that the node is on, and the node. */
  async reveal(id: string): Promise<void> {
    await this.page.evaluate(`RED.view.reveal(${JSON.stringify(id)}, false)`);
    await this.canvas(id).waitFor();
  }

  /** Opens a node's edit dialog by a double click. */
  async open(id: string): Promise<void> {
    await this.reveal(id);
    await this.canvas(id).locator('.red-ui-flow-node').first().dblclick();
    await this.#dialogIsOpen('#node-dialog-ok');
  }

  /** Opens a node's edit dialog by the key for it, which needs no room on the canvas. */
  async openByKey(id: string): Promise<void> {
    await this.page.evaluate(`RED.view.select(${JSON.stringify(id)}); RED.view.focus();`);
    await this.page.keyboard.press('Enter');
    await this.#dialogIsOpen('#node-dialog-ok');
  }

  /** Opens the dialog of a config node. */
  async openConfig(type: string, id: string): Promise<void> {
    await this.page.evaluate(`RED.editor.editConfig('', ${JSON.stringify(type)}, ${JSON.stringify(id)})`);
    await this.#dialogIsOpen('#node-config-dialog-ok');
  }

  /**
   * Puts the form of another node into the dialog that is open, as Node-RED makes it, but for the list of accounts: for its
   * words and their room. Takes a quarter of what it takes to close a dialog and to open another one.
   */
  async showForm(id: string): Promise<void> {
    await this.page.evaluate(`(() => {
      const node = RED.nodes.node(${JSON.stringify(id)});
      const { set, defaults, oneditprepare } = node._def;
      const former = $('.red-ui-tray #dialog-form');
      const place = former.parent();
      former.remove();
      RED.editor.buildEditForm(place, 'dialog-form', node.type, set.id, node);
      const controls = Object.keys(defaults).map((name) => [$('#node-input-' + name), node[name]]);
      for (const [control, value] of controls) {
        if (control.is(':checkbox')) control.prop('checked', value);
        else control.val(value);
      }
      oneditprepare.call(node);
      for (const [control] of controls) {
        if (control.data('noderedTypedInput')) control.trigger('change', [control.typedInput('type'), control.typedInput('value')]);
        else control.trigger('change');
      }
      place.i18n();
    })()`);
  }

  /** The control of a property in the topmost dialog. */
  async field(property: string): Promise<Locator> {
    const isConfig = await this.page.locator('#node-config-dialog-ok').isVisible();
    return this.page.locator(`#node-${isConfig ? 'config-' : ''}input-${property}`);
  }

  /** What people see of a property and type in: a typed field's control itself is hidden. */
  async face(property: string): Promise<Locator> {
    const id = await (await this.field(property)).getAttribute('id');
    const typed = `#${id} + .red-ui-typedInput-container .red-ui-typedInput-input`;
    return this.page.locator(`${typed}, #${id}:not(:has(+ .red-ui-typedInput-container))`).first();
  }

  /** Serious and critical findings of axe in a part of the page. */
  async findings(part: string): Promise<string[]> {
    if (!(await this.page.evaluate("'axe' in globalThis"))) await this.page.evaluate(axe);
    return (await this.page.evaluate(`axe.run(${JSON.stringify(part)}, { resultTypes: ['violations'] }).then(
      ({ violations }) => violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(': ')))
    )`)) as string[];
  }

  /** What sticks out of the window to the right: of the page, and of parts of it. */
  async tooWide(parts: string): Promise<string[]> {
    return (await this.page.evaluate(`
      [document.documentElement, ...document.querySelectorAll('${parts} *:not(.v-progress-linear *)')]
        .filter((one) => one.scrollWidth > innerWidth || one.getBoundingClientRect().right > innerWidth)
        .map(({ outerHTML }) => outerHTML.slice(0, 200))`)) as string[];
  }

  /** Fills a plain control: text, number, select or checkbox. */
  async fill(property: string, value: string | boolean): Promise<void> {
    const field = await this.field(property);
    if (typeof value === 'boolean') return field.setChecked(value);
    const isSelect = await field.evaluate(
      (element) => (element as unknown as { tagName: string }).tagName === 'SELECT'
    );
    if (isSelect) await field.selectOption(value);
    else await field.fill(value);
  }

  /** Fills a typed field: its type and its text, as if chosen and typed. */
  async fillTyped(property: string, type: string, value: string): Promise<void> {
    await this.#typedInput(property, `'type', ${JSON.stringify(type)}`);
    await this.#typedInput(property, `'value', ${JSON.stringify(value)}`);
  }

  /** What a plain control shows; a checkbox gives `true` or `false`. */
  async read(property: string): Promise<string | boolean> {
    const field = await this.field(property);
    if ((await field.getAttribute('type')) === 'checkbox') return field.isChecked();
    return field.inputValue();
  }

  async readTyped(property: string): Promise<{ type: string; value: string }> {
    return {
      type: (await this.#typedInput(property, "'type'")) as string,
      value: (await this.#typedInput(property, "'value'")) as string
    };
  }

  /** Whether the row of a control can be seen. */
  async shows(property: string): Promise<boolean> {
    const row = this.page.locator('.form-row').filter({ has: await this.field(property) });
    return row.first().isVisible();
  }

  /** Closes the open dialog by its Done (config node: Add or Update) button. */
  done(): Promise<void> {
    return this.#closeDialog('ok');
  }

  cancel(): Promise<void> {
    return this.#closeDialog('cancel');
  }

  /** A node's or config node's properties, as the editor has them; `valid` is what its validators say. */
  async node(id: string): Promise<Record<string, unknown>> {
    const json = await this.page.evaluate(`(() => {
      const node = RED.nodes.node(${JSON.stringify(id)});
      return JSON.stringify({ ...RED.nodes.convertNode(node, true), valid: node.valid, changed: node.changed });
    })()`);
    return JSON.parse(json as string) as Record<string, unknown>;
  }

  /** Presses Deploy, confirms where the editor asks (unused config nodes, invalid ones), and waits until it is done. */
  async deploy(): Promise<void> {
    // The editor gets its answer before the nodes are made.
    const started = this.red.deployed();
    const deployed = this.page.waitForResponse((answer) => answer.url().endsWith('/flows') && answer.status() === 200);
    await this.page.locator('#red-ui-header-button-deploy').click();
    const question = this.page.locator('#red-ui-deploy-dialog-confirm-deploy-deploy');
    if ((await question.count()) > 0) await question.click();
    await deployed;
    await started;
    // What it knew of credentials is forgotten with it: a dialog that were open before would meet that.
    await this.page.waitForFunction("!RED.nodes.dirty() && $('#red-ui-header-button-deploy').hasClass('disabled')");
  }

  /** Presses the button of an inject node. */
  async inject(id: string): Promise<void> {
    await this.reveal(id);
    await this.canvas(id).locator('.red-ui-flow-node-button-button').click();
  }

  /** Waits for that many messages in the debug sidebar; gives their texts. */
  async debugMessages(count = 1): Promise<string[]> {
    await this.page.evaluate("RED.actions.invoke('core:toggle-sidebar', true); RED.sidebar.show('debug')");
    const messages = this.page.locator('.red-ui-debug-msg');
    await messages.nth(count - 1).waitFor();
    return messages.allInnerTexts();
  }

  /** The status text below a node, once there is one. */
  async status(id: string): Promise<string> {
    const label = this.canvas(id).locator('.red-ui-flow-node-status-label');
    await this.page.waitForFunction(
      `document.querySelector('[id="${id}"] .red-ui-flow-node-status-label')?.textContent`,
      undefined,
      { timeout: wait }
    );
    return (await label.textContent()) ?? '';
  }

  /** Saves a picture as `screenshots/<name>-<theme>-<Node-RED version>.png`; of these groups, where some are given. */
  async shoot(name: string, groups: string[] = []): Promise<string> {
    const path = join(folder, `${name}-${this.looks.theme}-${nodeRedVersion}.png`);
    if (!takesPictures) return path;
    mkdirSync(folder, { recursive: true });
    const clip = groups.length > 0 && (await this.#around(groups));
    await this.page.screenshot({ path, animations: 'disabled', ...(clip && { clip }) });
    return path;
  }

  /** Makes the window of another size. */
  async resize({ width, height }: Size): Promise<void> {
    if (isDeepStrictEqual(this.page.viewportSize(), { width, height })) return;
    await this.page.setViewportSize({ width, height });
    await this.#settled();
  }

  /** Changes the theme of the page as it stands. */
  async setTheme(theme: Theme): Promise<void> {
    if (this.looks.theme === theme) return;
    this.looks = { ...this.looks, theme };
    await this.page.emulateMedia({ colorScheme: theme });
    // A dashboard leaves it to its styles.
    await this.page.waitForFunction(
      `typeof RED === 'undefined' || document.documentElement.classList.contains('nr-theme-dark') === ${theme === 'dark'}`
    );
  }

  /** Saves a picture of the open dialog alone, with all its rows, for the documents. */
  async shootDialog(name: string): Promise<void> {
    if (!takesPictures) return;
    const viewport = this.page.viewportSize() as Size;
    const form = '.red-ui-tray form:has(> .nimbus-row)';
    const rows = (await this.page.evaluate(`$('${form}').last()[0].scrollHeight`)) as number;
    await this.page.setViewportSize({ ...viewport, height: Math.ceil(rows) + 210 });
    await this.#settled();
    const tray = await this.page.locator('.red-ui-tray').last().boundingBox();
    const { x, y, width, height } = tray as { x: number; y: number; width: number; height: number };
    // The handle for its width stands beside it.
    const clip = { x: x + 17, y, width: width - 17, height };
    await this.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', clip });
    await this.page.setViewportSize(viewport);
    await this.#settled();
  }

  /** The page stays for the next test if it shows nothing but the canvas, and is what Node-RED made it. */
  async close(): Promise<void> {
    if (resting === this || this.page.isClosed()) return;
    if (this.page.url().split('#')[0] !== this.looks.url || !(await this.page.evaluate(isAtRest))) return this.end();
    await this.page.evaluate(clear);
    await resting?.end();
    resting = this;
  }

  /** Closes the page for good, with all that it has left for later ones but the files that it has loaded. */
  async end(): Promise<void> {
    const { page } = this;
    const context = page.context();
    if (page.url().startsWith('http') && !page.isClosed())
      await page.evaluate('localStorage.clear(); sessionStorage.clear();');
    await page.close();
    await context.clearCookies();
    await context.clearPermissions();
  }

  /** Loads the editor, in the language that it should have. */
  async start(): Promise<void> {
    const { page, looks } = this;
    await page.addInitScript(`localStorage.setItem('editor-language', '${looks.language}')`);
    await page.goto(looks.url);
    await page.locator('#red-ui-main-container, #red-ui-workspace').first().waitFor();
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await page.waitForFunction("typeof RED !== 'undefined' && RED.nodes.filterNodes({}).length >= 0");
    await page.addStyleTag({ content: still });
    if (/^(ja|ko|zh)/.test(looks.language)) await addFont(page);
    await page.evaluate(showSideBars(looks.sideBars));
  }

  /** Shows what is deployed now, as Node-RED's own program does when a project has changed, and looks as it should. */
  async show(looks: Looks): Promise<void> {
    const { language } = this.looks;
    this.problems.length = 0;
    this.warnings.length = 0;
    await this.setTheme(looks.theme);
    await this.resize(looks);
    this.looks = looks;
    if (language !== looks.language) return this.start();
    await this.page.evaluate(`${showSideBars(looks.sideBars)} ${load}`);
  }

  /** The part of the page that shows these groups, from the top left of the workspace on. */
  async #around(groups: string[]): Promise<{ x: number; y: number; width: number; height: number }> {
    return (await this.page.evaluate(`(() => {
      const chart = document.querySelector('#red-ui-workspace-chart');
      chart.scrollTo(0, 0);
      const { x, y } = chart.getBoundingClientRect();
      const groups = ${JSON.stringify(groups)}.map((id) => RED.nodes.group(id));
      const [right, bottom] = [groups.map(({ x, w }) => x + w), groups.map(({ y, h }) => y + h)];
      return { x, y, width: Math.max(...right) + 14, height: Math.max(...bottom) + 14 };
    })()`)) as { x: number; y: number; width: number; height: number };
  }

  async #typedInput(property: string, args: string): Promise<unknown> {
    const id = await (await this.field(property)).getAttribute('id');
    return this.page.evaluate(`$('#${id}').typedInput(${args})`);
  }

  async #dialogIsOpen(button: string): Promise<void> {
    await this.page.locator(button).waitFor();
    await this.page.locator('.red-ui-tray .form-row').first().waitFor({ state: 'attached' });
    // Node-RED gives it the focus while it slides in, and would take it away from a test.
    await this.page.waitForFunction("$('.red-ui-tray').last().has(document.activeElement).length > 0");
    await this.#settled();
  }

  /** The topmost dialog: a config node's lies over a node's. */
  async #closeDialog(button: 'ok' | 'cancel'): Promise<void> {
    const config = this.page.locator(`#node-config-dialog-${button}`);
    const target = (await config.isVisible()) ? config : this.page.locator(`#node-dialog-${button}`);
    await target.click();
    await target.waitFor({ state: 'hidden' });
    await this.#settled();
  }

  /** The tray slides in and out; nothing hits its mark before it stands still. */
  async #settled(): Promise<void> {
    await this.page.waitForFunction(`(() => {
      const places = [...document.querySelectorAll('.red-ui-tray')].map((tray) => tray.getBoundingClientRect().x).join();
      const still = globalThis.trayPlaces === places;
      globalThis.trayPlaces = places;
      const slides = [...document.querySelectorAll('.red-ui-tray')].some((tray) => tray.getAnimations().length > 0);
      return still && !slides && !$('.red-ui-tray').is(':animated');
    })()`);
  }
}
