/** What belongs to a node, and what belongs to a package for Node-RED: says what is missing when somebody adds a node. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { commonFields } from '../../nodes/action/action';
import type { Field } from '../../nodes/fields/fields';
import type { NodeFile } from '../../nodes/fields/node-module';
import { keepFields } from '../../nodes/outbox/keep-fields';
import { placeOf, types } from '../../scripts/nodes.mjs';
import { asksNothing, contract } from '../contract';
import { exampleNames, placeOfExample } from '../example-files';

const repository = join(__dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');
const readJson = <T>(...path: string[]): T => JSON.parse(read(...path)) as T;
const there = (path: string): boolean => existsSync(join(repository, path));
const namesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(repository, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));

interface Package {
  name: string;
  version: string;
  description?: string;
  keywords: string[];
  license: string;
  repository: { url: string };
  bugs: { url: string };
  homepage: string;
  engines: { node: string };
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  'node-red': { version: string; nodes: Record<string, string>; plugins: Record<string, string> };
}

/** A catalogue of words, as `locales/` has it. */
interface Words {
  palette?: string;
  label?: Record<string, string>;
  hint?: Record<string, string | Record<string, string>>;
  placeholder?: Record<string, string>;
  option?: Record<string, Record<string, string>>;
  invalid?: Record<string, string>;
  beside?: Record<string, string>;
  /** Of the help: by field, and by property of a message, such as `aws.handle: string`. */
  help?: { summary?: string; field?: Record<string, string> };
}

/** What a page gives to `RED.nodes.registerType`. */
interface EditorDefinition {
  category: string;
  color?: string;
  icon?: string;
  paletteLabel?: string;
  inputs?: number;
  outputs?: number;
  defaults: Record<string, { value: unknown; type?: string; required?: boolean; validate?: unknown }>;
  credentials?: Record<string, { type: string }>;
}

const pack = readJson<Package>('package.json');
const sets = types;
const common = readJson<Words>('locales', 'en-US', 'common.json');
const semver = createRequire(require.resolve('node-red'))('semver') as {
  satisfies(version: string, range: string): boolean;
};

const definitionOf = (set: string): NodeFile['node']['definition'] =>
  (require(`../../nodes/${placeOf(set)}`) as NodeFile).node.definition;
const wordsOf = (set: string): Words => readJson('locales', 'en-US', `${set}.json`);
/** The words that the editor gets: the node's own over those of all nodes. */
const builtWordsOf = (set: string): Words => readJson('dist', 'locales', 'en-US', `${set}.json`);
const pageOf = (set: string): string => read('dist', `${set}.html`);
/** The program in a page. */
const scriptOf = (set: string): string =>
  /<script type="text\/javascript">(.*?)<\/script>/s.exec(pageOf(set))?.[1] ?? '';

/** Runs a page's program as the editor does; without the plugin, which may come later. */
function registeredBy(set: string): { type: string; definition: EditorDefinition }[] {
  const registered: { type: string; definition: EditorDefinition }[] = [];
  const registerType = (type: string, definition: EditorDefinition) => registered.push({ type, definition });
  runInNewContext(scriptOf(set), { RED: { nodes: { registerType } } });
  return registered;
}
const editorDefinitionOf = (set: string): EditorDefinition =>
  registeredBy(set)[0]?.definition ?? { category: '', defaults: {} };

/** Which types are in some example. */
const typesInExamples = new Set(
  exampleNames.flatMap((name) => readJson<{ type: string }[]>(placeOfExample(name)).map(({ type }) => type))
);

/** The contrast of two colours such as `#A6BBCF`, 1 to 21, as WCAG 2 defines it. */
function contrast(...colours: [string, string]): number {
  const [dark = 0, light = 0] = colours
    .map((colour) => {
      const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
        const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    })
    .sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

/** What a set lacks: files, and its place in the examples. */
function missingOf(set: string): string[] {
  const place = types.includes(set) ? placeOf(set) : `room/${set}`;
  const isConfig = there(`nodes/${place}.ts`) && definitionOf(set).config === true;
  const files = [
    `nodes/${place}.ts`,
    `dist/${set}.html`,
    `dist/${set}.js`,
    `dist/nodes/${place}.js`,
    `locales/en-US/${set}.json`,
    `dist/locales/en-US/${set}.html`,
    `test/${place}.test.ts`,
    ...(isConfig ? [] : [`icons/${set}.svg`, `dist/icons/${set}.svg`])
  ];
  const missing = files.filter((path) => !there(path));
  if (!typesInExamples.has(set)) missing.push(`an example in examples/ that uses ${set}`);
  if (!(set in contract)) missing.push(`${set} in test/contract.ts`);
  return missing;
}

/** Every text of a catalogue with its path. */
function textsIn(words: unknown, path = ''): [path: string, text: string][] {
  if (typeof words === 'string') return [[path, words]];
  return Object.entries(words as object).flatMap(([key, value]) => textsIn(value, path ? `${path}.${key}` : key));
}

/** Of a value that will not do, of a receiver's trouble, of a policy, and of a preview. */
const placeholders = [
  '__label__',
  '__min__',
  '__max__',
  '__name__',
  '__region__',
  '__since__',
  '__text__',
  '__time__',
  '__total__',
  '__count__',
  '__message__',
  '__action__',
  '__sid__',
  '__nodes__',
  '__size__',
  '__most__'
];

/** The words that speak of fields, or choices, that there are not. */
function strayWords(words: Words, fields: Record<string, Pick<Field, 'options'>>): string[] {
  const stray: string[] = [];
  for (const part of ['label', 'hint', 'placeholder', 'option', 'invalid', 'beside'] as const) {
    for (const [name, value] of Object.entries(words[part] ?? {})) {
      const field = fields[name];
      if (!field) stray.push(`${part}.${name}`);
      else if (typeof value === 'object') {
        const options = Object.keys(value).filter((option) => !field.options?.includes(option));
        stray.push(...options.map((option) => `${part}.${name}.${option}`));
      }
    }
  }
  const ofHelp = Object.keys(words.help?.field ?? {}).filter((name) => !fields[name] && !name.includes(': '));
  return [...stray, ...ofHelp.map((name) => `help.field.${name}`)];
}

/** What the form of a field needs and the catalogue lacks. */
function lackingWords(words: Words, name: string, field: Field): string[] {
  const needed: [path: string, text: string | undefined][] = [
    [`label.${name}`, words.label?.[name]],
    ...(field.options ?? []).map((option): [string, string | undefined] => [
      `option.${name}.${option}`,
      words.option?.[name]?.[option]
    ]),
    ...(field.pattern ? [[`invalid.${name}`, words.invalid?.[name]] as [string, string | undefined]] : []),
    ...(field.besideTarget ? [[`beside.${name}`, words.beside?.[name]] as [string, string | undefined]] : [])
  ];
  return needed.filter(([, text]) => !text).map(([path]) => path);
}

describe('the project', () => {
  describe('has for each node all that belongs to it', () => {
    for (const set of sets) {
      it(set, () => assert.deepEqual(missingOf(set), []));
    }

    it('and would say what a new one lacks', () => {
      assert.deepEqual(missingOf('aws-new'), [
        'nodes/room/aws-new.ts',
        'dist/aws-new.html',
        'dist/aws-new.js',
        'dist/nodes/room/aws-new.js',
        'locales/en-US/aws-new.json',
        'dist/locales/en-US/aws-new.html',
        'test/room/aws-new.test.ts',
        'icons/aws-new.svg',
        'dist/icons/aws-new.svg',
        'an example in examples/ that uses aws-new',
        'aws-new in test/contract.ts'
      ]);
    });

    it('and nothing of nodes that package.json does not name', () => {
      const named = (folder: string, ending: string) =>
        namesIn(folder, ending)
          .filter((name) => name.startsWith('aws-'))
          .sort();
      const all = [...sets].sort();
      const rooms = readdirSync(join(repository, 'nodes')).filter((room) => !/\.|^editor$/.test(room));
      assert.deepEqual(rooms.flatMap((room) => named(`nodes/${room}`, '.ts')).sort(), all);
      assert.deepEqual(named('locales/en-US', '.json'), all);
      assert.deepEqual(
        named('locales/en-US', '.html').filter((name) => !all.includes(name)),
        []
      );
      assert.deepEqual(named('dist/locales/en-US', '.html'), all);
      assert.deepEqual(Object.keys(contract).sort(), all);
      assert.deepEqual(
        namesIn('icons', '.svg').filter((name) => !sets.includes(name)),
        []
      );
    });

    it('and in its page the fields alone, without the code of the runtime', () => {
      const full = sets.filter((set) => /Command\(/.test(read('dist', `${set}.html`)));
      assert.deepEqual(full, []);
    });

    it('under one name', () => {
      for (const [set, file] of Object.entries(pack['node-red'].nodes)) {
        assert.equal(file, `dist/${set}.js`);
        assert.equal(definitionOf(set).type, set);
      }
    });
  });

  describe('has the words', () => {
    for (const set of sets) {
      it(`for every field and choice of ${set}, and what to say where a value does not fit`, () => {
        const words = builtWordsOf(set);
        assert.ok(words.palette && words.label?.name);
        const fields = Object.entries(definitionOf(set).fields);
        assert.deepEqual(
          fields.flatMap(([name, field]) => lackingWords(words, name, field)),
          []
        );
        if (!definitionOf(set).config) assert.ok(words.label?.account);
      });

      it(`of ${set} for nothing but its fields`, () => {
        assert.deepEqual(strayWords(wordsOf(set), definitionOf(set).fields), []);
      });

      it(`of ${set} without markup, and with Node-RED’s own placeholders`, () => {
        const wrong = textsIn(builtWordsOf(set)).filter(
          ([, text]) =>
            text.trim() !== text ||
            text === '' ||
            /[<>&]|\{\{|\$t\(/.test(text) ||
            (text.match(/__\w+?__/g) ?? []).some((name) => !placeholders.includes(name)) ||
            /(?<!_)_{2}(?!_)/.test(text.replace(/__\w+?__/g, ''))
        );
        assert.deepEqual(wrong, []);
      });

      it(`of help for every field and error of ${set}`, () => {
        const html = read('dist', 'locales', 'en-US', `${set}.html`);
        assert.match(html, new RegExp(`^<script type="text/html" data-help-name="${set}">`));
        const told = [...html.matchAll(/<dt[^>]*>([^<]+?)(?: <span[^>]*>[^<]+<\/span>)?<\/dt>\n<dd>/g)].map(
          ([, head]) => head
        );
        const { label = {} } = builtWordsOf(set);
        const unsaid = Object.keys(definitionOf(set).fields).filter(
          (name) => !told.includes(label[name]?.replace(/ \((?:s|h|MB|%|US\$)\)$/, ''))
        );
        assert.deepEqual(unsaid, []);
        assert.doesNotMatch(html, /<\/dt>\n(?!<dd>)/, 'each has a text');
        const { config, account, inputs } = definitionOf(set);
        const hasAccount = !config && account !== false;
        const hasInput = !config && inputs !== 0;
        const errors = [
          'MissingValue',
          'InvalidValue',
          ...(hasAccount ? ['AccountMissing'] : []),
          ...(hasInput ? ['Closed'] : [])
        ];
        assert.deepEqual(
          errors.filter((name) => !told.some((names) => names?.split(', ').includes(name))),
          []
        );
        const rights = asksNothing.includes(set) ? /<h4>Rights<\/h4>\n<p>None: / : /<pre>\{\s*"Version"/;
        assert.match(html, rights, 'the minimum policy, or that there is none');
        assert.doesNotMatch(html, /undefined|__\w+?__| id="/);
        assert.ok(wordsOf(set).help?.summary, 'what the node does');
      });
    }

    it('that nodes share for nothing but what all nodes, or those that keep messages, have', () => {
      const ofTheForm = { name: {}, account: {}, required: {}, number: {}, wholeNumber: {}, text: {} };
      assert.deepEqual(strayWords(common, { ...ofTheForm, ...commonFields, ...keepFields() }), []);
    });
  });

  describe('makes an editor page that', () => {
    for (const set of sets) {
      const saved = contract[set];
      it(`registers ${set} in a plain script, under a literal name`, () => {
        const scripts = pageOf(set).match(/<script[^>]*>/g);
        assert.deepEqual(scripts, [
          '<script type="text/javascript">',
          `<script type="text/html" data-template-name="${set}">`
        ]);
        assert.deepEqual(
          registeredBy(set).map(({ type }) => type),
          [set]
        );
        const [literal, ...more] = scriptOf(set).split(`RED.nodes.registerType('${set}', {\n`).slice(1);
        assert.ok(literal && more.length === 0);
        assert.ok(!/^\s*\.\.\./m.test(literal), 'no spread: tools read the object as it stands');
      });

      it(`gives a new ${set} the contract’s defaults`, () => {
        const { defaults } = editorDefinitionOf(set);
        const values = Object.fromEntries(Object.entries(defaults).map(([name, { value }]) => [name, value]));
        assert.deepEqual(values, saved?.properties);
      });

      it(`has the contract’s typed fields of ${set}, each with its type beside it`, () => {
        const { fields } = definitionOf(set);
        const typed = Object.keys(fields).filter((name) => fields[name]?.types);
        assert.deepEqual(typed.sort(), [...(saved?.typed ?? [])].sort());
        const types = Object.keys(editorDefinitionOf(set).defaults).filter(
          (name) => /.Type$/.test(name) && name !== 'invocationType'
        );
        assert.deepEqual(types.sort(), typed.map((name) => `${name}Type`).sort());
      });

      it(`has a row, and a check, for each property of ${set}`, () => {
        const { defaults } = editorDefinitionOf(set);
        const { config, fields } = definitionOf(set);
        const id = (name: string) => `id="${config ? 'node-config-input' : 'node-input'}-${name}"`;
        const all = [...Object.keys(defaults), ...Object.keys(saved?.credentials ?? {})];
        assert.deepEqual(
          all.filter((name) => pageOf(set).split(id(name)).length !== 2),
          []
        );
        const unchecked = Object.keys(fields).filter((name) => defaults[name] && !defaults[name]?.validate);
        assert.deepEqual(unchecked, []);
        const account = saved?.properties.account === undefined ? [undefined, undefined] : ['aws-account', true];
        assert.deepEqual([defaults.account?.type, defaults.account?.required], account);
      });

      it(`keeps the contract’s credentials of ${set} in Node-RED’s store, as its runtime does`, () => {
        const expected = saved?.credentials;
        const types = (credentials: Record<string, { type: string }> = {}) =>
          Object.fromEntries(Object.entries(credentials).map(([name, { type }]) => [name, type]));
        assert.deepEqual(types(editorDefinitionOf(set).credentials), expected ?? {});
        let runtime: { credentials?: Record<string, { type: string }> } | undefined;
        const registerType = (type: string, _: unknown, options: typeof runtime = {}) => {
          assert.equal(type, set);
          runtime = options;
        };
        const httpAdmin = { get: () => undefined, post: () => undefined };
        const auth = { needsPermission: () => undefined };
        (require(`../../dist/${set}.js`) as (RED: object) => void)({
          nodes: { registerType },
          httpAdmin,
          auth,
          settings: {}
        });
        assert.ok(runtime);
        assert.deepEqual(types(runtime.credentials), expected ?? {});
      });

      it(`shows ${set} as the kind of node that it is`, () => {
        const { category, icon, color, inputs, outputs } = editorDefinitionOf(set);
        const expected = definitionOf(set).config
          ? { category: 'config', icon: undefined, inputs: undefined, outputs: undefined }
          : { category: 'AWS', icon: `${set}.svg`, inputs: saved?.inputs ?? 1, outputs: 1 };
        assert.deepEqual({ category, icon, inputs, outputs }, expected);
        assert.equal(color === undefined, category === 'config');
        if (!color) return;
        assert.ok(contrast(color, '#333333') >= 4.5, 'the label');
        assert.ok(contrast(color, '#ffffff') >= contrast('#A6BBCF', '#ffffff'), 'the sign, as on an inject node');
      });

      it(`calls ${set} in the palette by words that fit into a line, the end of its own name`, () => {
        const { paletteLabel = '' } = editorDefinitionOf(set);
        const { palette = '' } = wordsOf(set);
        assert.ok(palette.endsWith(paletteLabel.replace('λ', 'lambda')), paletteLabel);
        assert.ok(
          definitionOf(set).config || paletteLabel.split(' ').every(({ length }) => length <= 11),
          paletteLabel
        );
      });

      it(`takes the colours of ${set} from the theme`, () => {
        const page = pageOf(set);
        const { color } = editorDefinitionOf(set);
        const literal = page.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl)a?\(/gi) ?? [];
        assert.deepEqual(
          literal.filter((found) => found !== color),
          []
        );
      });
    }
  });

  describe('makes a page of the plugin that', () => {
    it('has the program and the style sheet of all dialogs, once', () => {
      assert.deepEqual(pack['node-red'].plugins, { nimbus: 'dist/nimbus.html' });
      assert.deepEqual(pageOf('nimbus').match(/<(?:script|style)[^>]*>/g), [
        '<style>',
        '<script type="text/javascript">'
      ]);
      const shared = /<style|InvalidValue|nimbus-choices|red-ui-typedInput-container/;
      assert.ok(shared.test(pageOf('nimbus')));
      assert.deepEqual(
        sets.filter((set) => shared.test(pageOf(set))),
        []
      );
    });

    it('takes its colours from the theme', () => {
      const [, style = ''] = /<style>(.*?)<\/style>/s.exec(pageOf('nimbus')) ?? [];
      assert.deepEqual(style.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl)a?\(/gi), null);
      const declarations = [
        ...style.matchAll(/([\w-]*(?:color|background|border|shadow|outline|fill|stroke))\s*:\s*([^;}]+)/g)
      ];
      assert.ok(declarations.length > 0);
      for (const [whole, , value = ''] of declarations) {
        assert.match(value, /^(?:[\d.]+(?:px)? |solid )*var\(--red-ui-[\w-]+\)$/, whole);
      }
    });
  });

  describe('is a package for Node-RED:', () => {
    it('it has a scoped name, a licence, a repository and the keyword', () => {
      assert.match(pack.name, /^@[a-z\d][\w.-]*\/node-red-[\w.-]+$/);
      assert.equal(pack.license, 'Apache-2.0');
      assert.match(read('LICENSE'), /Apache License\s+Version 2\.0/);
      assert.match(pack.repository.url, /^git\+https:\/\/github\.com\/[\w-]+\/[\w-]+\.git$/);
      assert.ok(pack.bugs.url && pack.homepage && pack.description);
      assert.ok(pack.keywords.includes('node-red'));
    });

    it('it says that it runs on Node-RED 4.1 and 5, and on no earlier one', () => {
      const admits = (version: string) => semver.satisfies(version, pack['node-red'].version);
      assert.deepEqual(['4.0.9', '4.1.0', '4.1.15', '5.0.0', '5.0.7'].filter(admits), [
        '4.1.0',
        '4.1.15',
        '5.0.0',
        '5.0.7'
      ]);
    });

    it('it says that it runs on Node.js 20 and later', () => {
      const admits = (version: string) => semver.satisfies(version, pack.engines.node);
      assert.deepEqual(['18.20.8', '20.0.0', '22.9.0', '24.0.0'].filter(admits), ['20.0.0', '22.9.0', '24.0.0']);
    });

    it('it has 6 dependencies at most', () => {
      assert.ok(Object.keys(pack.dependencies).length <= 6, Object.keys(pack.dependencies).join(', '));
    });

    it('it is built when it is packed, and packs what it needs', () => {
      assert.equal(pack.scripts.prepack, 'npm run build');
      assert.deepEqual([...pack.files].sort(), ['CHANGELOG.md', 'dist', 'examples', 'resources']);
    });

    it('its changelog speaks of this version, and its README of every node', () => {
      assert.match(read('CHANGELOG.md'), new RegExp(`^## ${pack.version.replaceAll('.', '\\.')}`, 'm'));
      const readme = read('README.md');
      assert.deepEqual(
        sets.filter((set) => !readme.includes(`**${wordsOf(set).palette}**`)),
        []
      );
    });

    it('its lockfile names no registry', () => {
      const lock = read('package-lock.json');
      assert.ok(lock.includes(`"name": "${pack.name}"`));
      assert.ok(!lock.includes('"resolved"'));
    });
  });
});

/** What must not stand in the code of a node: by kind, the rule that says so and examples. */
const forbidden = {
  'a promise that is left without a handler: its rejection ends Node-RED': {
    rule: String.raw`lint/\w+/no(FloatingPromises|MisusedPromises|Void)`,
    examples: {
      'a call': 'work();',
      'a call behind void': 'void work();',
      'a call in an arrow function behind void': 'const f = () => void work(); f();',
      'a chain without an end': 'work().then(() => 1);',
      'a chain that only ends': 'work().finally(() => 1);',
      'a call that may not be made': 'Math.random() > 0.5 && work();',
      'several calls': 'Promise.all([work(), work()]);',
      'an async function where nobody waits': '[1].forEach(async () => work());',
      'a member': 'new Worker().work();',
      'a member behind void': 'void new Worker().promise;'
    }
  },
  'an instance of a built-in class: flows make theirs in realms of their own': {
    rule: 'plugin',
    examples: Object.fromEntries(
      ['Uint8Array', 'ArrayBuffer', 'Buffer', 'Error', 'TypeError', 'Date', 'Map', 'Set', 'Promise', 'RegExp'].map(
        (name) => [name, `if (value instanceof ${name}) return;`]
      )
    )
  },
  'the clock of this machine, which is set at any time': {
    rule: 'plugin',
    examples: {
      'the time now': 'value(Date.now());',
      'a date of now': 'value(new Date());',
      'its text': 'value(Date());'
    }
  },
  'an error of its own whose name is not in the list of them': {
    rule: 'plugin',
    examples: {
      'without details': "throw new ActionError('Odd', 'It is odd.');",
      'with details': "throw new ActionError('Odd', 'It is odd.', { retryable: true });"
    }
  }
};

describe('the linter finds in nodes/', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimbus-lint-'));
  let said = '';
  const all = Object.entries(forbidden).flatMap(([kind, { rule, examples }]) =>
    Object.entries(examples).map(([name, code]) => ({ kind, rule, name, code }))
  );

  before(() => {
    const { vcs, ...config } = readJson<Record<string, unknown>>('biome.json');
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(config));
    cpSync(join(repository, 'lint'), join(folder, 'lint'), { recursive: true });
    mkdirSync(join(folder, 'nodes'));
    const head = `
      declare function value(of: unknown): void;
      class ActionError extends Error { constructor(name: string, text: string, details?: object) { super(text, details); } }
      async function work(): Promise<void> {}
      class Worker { promise = work(); async work(): Promise<void> {} }
    `;
    for (const [index, { code }] of all.entries()) {
      writeFileSync(join(folder, 'nodes', `way-${index}.ts`), `${head}export function run(): void { ${code} }`);
    }
    const good =
      'if (value instanceof ActionError) value(new Date(5)); value(Date.parse("")); value(performance.now()); value(new ActionError(String(5), "It is 5."));';
    writeFileSync(join(folder, 'nodes', 'good.ts'), `${head}export async function run() { ${good} await work(); }`);
    const biome = join(repository, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
    const { stdout, stderr } = spawnSync(process.execPath, [biome, 'lint', '--max-diagnostics=none', '.'], {
      cwd: folder,
      encoding: 'utf8'
    });
    said = stdout + stderr;
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [index, { kind, rule, name }] of all.entries()) {
    it(`${kind}: ${name}`, () => assert.match(said, new RegExp(`way-${index}\\.ts:\\d+:\\d+ ${rule} `)));
  }

  it('and nothing in what is as it should be', () =>
    assert.doesNotMatch(said, /good\.ts:\d+:\d+ (?:plugin|lint\/\w+\/no(?:Floating|Misused|Void))/));
});
