/** README, guides and node pages: what is made from the code is up to date, links lead somewhere, examples hold. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import jsonata from 'jsonata';
import type { NodeAPI } from 'node-red';
import { networkTexts } from '../../nodes/account/network-failures';
import { operations } from '../../nodes/account/sdks';
import { meanings } from '../../nodes/account/service-errors';
import { serve } from '../../nodes/dialog/endpoints';
import { ownErrorNames } from '../../nodes/fields/errors';
import type { NodeFile } from '../../nodes/fields/node-module';
import { billOf } from '../../nodes/metering/prices';
import { placeOf, types } from '../../scripts/nodes.mjs';
import { asksNothing } from '../contract';

const repository = join(__dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(repository, ...path), 'utf8');
const readJson = <T>(...path: string[]): T => JSON.parse(read(...path)) as T;
/** Files below a folder, by their path in the repository, with slashes. */
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => `${folder}/${path.split(sep).join('/')}`);

const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];

interface Statement {
  Action: string | string[];
}
const policies = readJson<Record<string, Record<string, Statement[]>>>('nodes', 'policies.json');

/** The fenced blocks of a page in a language. */
const blocksIn = (page: string, language: string): string[] =>
  [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(([, name]) => name === language).map(([, , text = '']) => text);

/** What is left without code and comments: there is no link in these. */
const proseOf = (page: string): string =>
  page
    .replace(/^```.*?^```$/gms, '')
    .replace(/<!--.*?-->/gs, '')
    .replace(/`[^`\n]*`/g, '');

/** Targets of links and pictures. */
const linksIn = (page: string): string[] => [
  ...[...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
  ...[...proseOf(page).matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, target = '']) => target)
];

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsIn(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of page.replace(/^```.*?^```$/gms, '').matchAll(/^#+ +(.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let number = 0;
    while (anchors.has(number === 0 ? anchor : `${anchor}-${number}`)) number += 1;
    anchors.add(number === 0 ? anchor : `${anchor}-${number}`);
  }
  return anchors;
}

/** Why a link of a page leads nowhere, if so. Addresses of other sites are not asked. */
function faultOf(path: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [file = '', anchor] = decodeURI(link).split('#');
  const target = file === '' ? join(repository, path) : resolve(repository, dirname(path), file);
  if (relative(repository, target).startsWith('..')) return `${link} leads out of the repository`;
  if (!existsSync(target)) return `${link} is not there`;
  if (anchor === undefined) return undefined;
  return anchorsIn(readFileSync(target, 'utf8')).has(anchor) ? undefined : `${link} has no such heading`;
}

/** npm's own commands need no script. */
const ofNpm = ['ci', 'install', 'exec', 'pack', 'publish'];
const missingScripts = (text: string): string[] =>
  [...text.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)]
    .map(([, script = '']) => script)
    .filter((script) => !ofNpm.includes(script) && !(script in scripts));

/** A page shows the node's policy, or says that it needs none. */
const hasRights = (type: string, page: string): boolean =>
  asksNothing.includes(type)
    ? /^## Rights\n\nNone: /m.test(page)
    : new RegExp(`^<!-- policy: ${type}( \\w+)* -->$`, 'm').test(page);

/** What a page of a node lacks. */
function lackingOf(type: string): string[] {
  const path = `docs/${type}.md`;
  if (!existsSync(join(repository, path))) return [path];
  const page = read(path);
  const examples = linksIn(page).filter((link) => /^\.\.\/examples\/\w+\/[\w-]+\.json$/.test(link));
  const shown = examples.filter((link) => read('docs', link).includes(`"type": "${type}"`));
  const there: Record<string, boolean> = {
    'its table of properties': page.includes(`<!-- properties: ${type} -->`),
    'its rights': hasRights(type, page),
    'its picture': linksIn(page).includes(`pictures/${type}.png`),
    'a link to an example that has it': shown.length > 0
  };
  return Object.keys(there).filter((part) => !there[part]);
}

/** A Function node's program, which returns and may wait. */
function compileFunction(program: string): void {
  new Function('msg', 'node', 'context', 'flow', 'global', 'env', 'RED', `return async () => {\n${program}\n};`);
}

const actionsIn = (statements: Statement[]): string[] => statements.flatMap(({ Action }) => Action);

/** What a policy has to allow for an operation: a batch has no action of its own. */
const actionFor = (service: string, operation: string): string =>
  `${service}:${operation === 'Invoke' ? 'InvokeFunction' : operation.replace(/Batch$/, '')}`;

/** Words that dialogs show: labels, choices, sections, and what nodes are called. */
function wordsOfDialogs(): string[] {
  const files = filesIn('locales/en-US', '.json').map((path) => readJson<Record<string, object>>(path));
  const textsIn = (words: unknown): string[] =>
    typeof words === 'string' ? [words] : Object.values((words ?? {}) as object).flatMap(textsIn);
  return files.flatMap(({ label, option, section, connection }) => textsIn([label, option, section, connection]));
}

/** The cells of all tables but those of the first column. */
const furtherCellsIn = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => line.split(/(?<!\\)\|/).slice(2));

/** The policies in a help text. */
const policiesIn = (html: string): string[] =>
  [...html.matchAll(/<pre>(\{\s*"Version".*?)<\/pre>/gs)].map(([, policy = '']) => policy);

describe('the documents', () => {
  it('have what is made from the code as the code is now', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/docs.mjs', '--check'], {
      cwd: repository,
      encoding: 'utf8'
    });
    assert.equal(status, 0, `run npm run docs\n${stdout}${stderr}`);
  });

  for (const path of pages) {
    it(`lead somewhere: ${path}`, () => {
      const faults = linksIn(read(path)).map((link) => faultOf(path, link));
      assert.deepEqual(
        faults.filter((fault) => fault !== undefined),
        []
      );
    });

    it(`have examples that hold: ${path}`, () => {
      const page = read(path);
      for (const block of blocksIn(page, 'json')) assert.doesNotThrow(() => JSON.parse(block), block);
      for (const block of blocksIn(page, 'jsonata')) assert.doesNotThrow(() => jsonata(block), block);
      for (const block of blocksIn(page, 'js')) assert.doesNotThrow(() => compileFunction(block), block);
      assert.deepEqual(missingScripts(blocksIn(page, 'sh').join('\n')), []);
      const inline = [...page.matchAll(/`(npm [^`\n]+)`/g)].map(([, command = '']) => command);
      assert.deepEqual(missingScripts(inline.join('\n')), []);
    });
  }

  for (const type of types) {
    it(`have a page of ${type}, with all that belongs to it`, () => assert.deepEqual(lackingOf(type), []));

    it(`give expressions for ${type} that JSONata can read`, () => {
      const { definition } = (require(`../../nodes/${placeOf(type)}`) as NodeFile).node;
      for (const { example } of Object.values(definition.fields)) {
        if (example !== undefined) assert.doesNotThrow(() => jsonata(example), example);
      }
    });
  }
});

describe('the guides', () => {
  const page = (name: string): string => read('docs', `${name}.md`);

  it('name each error of the nodes, and each that they explain', () => {
    const names = [...ownErrorNames, ...Object.keys({ ...meanings, ...networkTexts }), 'ERR_PROXY_TUNNEL'];
    assert.deepEqual(
      // Told as Timeout.
      names.filter((name) => name !== 'ETIMEDOUT' && !page('troubleshooting').includes(name)),
      []
    );
  });

  it('have the words of the connection test and of the lists', () => {
    const { connection } = readJson<{ connection: { works: string; trouble: Record<string, string> } }>(
      'locales/en-US/aws-account.json'
    );
    const { trouble } = readJson<{ trouble: Record<string, string> }>('locales/en-US/common.json');
    const ofLists = ['noAccount', 'notDeployed', 'denied', 'forbidden', 'offline', 'timeout'].map(
      (kind) => trouble[kind]
    );
    const beginnings = [connection.works, ...Object.values(connection.trouble), ...ofLists].map(
      (text = '') => /^[^.:,_]*[^.:,_ ]/.exec(text)?.[0] ?? text
    );
    assert.deepEqual(
      beginnings.filter((text) => !page('troubleshooting').includes(text)),
      []
    );
  });

  it('name each address of the admin API with its permission', () => {
    const endpoints: { method: string; path: string; permission: string }[] = [];
    const recording = (method: string) => (path: string, permission: string) =>
      endpoints.push({ method, path: path.slice(1).replace(/:.*/, ''), permission });
    const httpAdmin = { get: recording('GET'), post: recording('POST') };
    const auth = { needsPermission: (permission: string) => permission };
    serve({ httpAdmin, auth } as unknown as NodeAPI);
    assert.equal(endpoints.length, 8);
    for (const { method, path, permission } of endpoints) {
      const row = page('security')
        .split('\n')
        .find((line) => line.includes(`\`${method} ${path}`));
      assert.ok(row?.includes(`\`${permission}\``), `${method} ${path} ${permission}`);
    }
  });

  it('speak of fields and choices as the dialogs do', () => {
    const words = wordsOfDialogs();
    const ofNodeRed = ['Topic'];
    const guides = ['docs/sign-in.md', 'docs/localstack.md', ...filesIn('docs/moving', '.md')];
    const bold = guides
      .flatMap((path) => furtherCellsIn(read(path)))
      .flatMap((cell) => [...cell.matchAll(/\*\*(.+?)\*\*/g)].map(([, text = '']) => text));
    assert.ok(bold.length > 60);
    assert.deepEqual(
      bold.filter((text) => !ofNodeRed.includes(text) && !words.some((word) => word.startsWith(text))),
      []
    );
  });

  it('say what a camera costs in a month by the prices that are counted, and so does its example', () => {
    const dollars = (requests: number, operation: string): string =>
      ((requests * billOf('rekognition', operation, {}).cost) / 1e9).toLocaleString('en-US', {
        style: 'currency',
        currency: 'USD'
      });
    const month = 30 * 86_400;
    const rows = Object.entries({
      'every second': month,
      'every 10 seconds': month / 10,
      'every minute': month / 60,
      'on motion, 100 times a day': 30 * 100
    }).map(([when, pictures]) => {
      const once = dollars(pictures, 'DetectLabels');
      return {
        when,
        once,
        row: `| ${when} | ${pictures.toLocaleString('en-US')} | ${once} | ${dollars(2 * pictures, 'DetectFaces')} |`
      };
    });
    const page = read('docs', 'aws-rekognition-detect.md');
    assert.deepEqual(
      rows.filter(({ row }) => !page.includes(row)),
      []
    );
    const example = read('examples', 'Rekognition', 'detect-objects.json');
    const quoted = rows.filter(({ when }) => when !== 'every 10 seconds');
    assert.deepEqual(
      quoted.filter(({ once }) => !example.includes(once.replace('.00', ''))),
      []
    );
  });

  it('are all named in the README, but for those of a folder, which its own index names', () => {
    const guides = filesIn('docs', '.md').filter((path) => !/\/.*\/|\/aws-/.test(path));
    assert.ok(guides.length >= 6);
    assert.deepEqual(
      guides.filter((path) => !linksIn(read('README.md')).includes(path)),
      []
    );
  });
});

describe('the policies', () => {
  it('are of every node that asks AWS something, and of no other', () => {
    assert.deepEqual(Object.keys(policies).sort(), types.filter((type) => !asksNothing.includes(type)).sort());
  });

  it('allow what the nodes ask for, and nothing else of these services', () => {
    const allowed = Object.values(policies)
      .flatMap((parts) => Object.values(parts).flatMap(actionsIn))
      .filter((action) => types.some((type) => type.startsWith(`aws-${action.split(':')[0]}-`)));
    // Of the account, for which people may do without a policy.
    const { sts: _, ...ofNodes } = operations;
    const asked = Object.entries(ofNodes).flatMap(([service, names]) => names.map((name) => actionFor(service, name)));
    assert.deepEqual([...new Set(allowed)].sort(), [...new Set(asked)].sort());
  });

  // That of the alias is as in the AWS IoT Developer Guide (authorizing-direct-aws), looked up on 2026-12-01.
  it('for the sign-in with a certificate stand on its page as an account’s policy gives them', () => {
    const shown = [...read('docs', 'sign-in.md').matchAll(/```json\n(.*?)```/gs)]
      .map(([, text = '']) => JSON.parse(text) as { Statement?: Statement[] })
      .flatMap(({ Statement = [] }) => Statement);
    const given = (part: string) =>
      policies['aws-account']?.[part]?.map((each) => ({ Effect: 'Allow', ...each })) ?? [];
    for (const part of ['trustIot', 'alias', 'trustAnywhere'])
      for (const statement of given(part))
        assert.ok(
          shown.some((each) => isDeepStrictEqual(each, statement)),
          `${part}: ${JSON.stringify(statement)}`
        );
    const ofCertificates = shown.filter((each) => /iot|rolesanywhere/.test(JSON.stringify(each)));
    assert.equal(ofCertificates.length, 3);
  });

  for (const language of readdirSync(join(repository, 'locales'))) {
    it(`stand in the help in ${language} as in English, and can be read`, () => {
      for (const type of types) {
        const path = `dist/locales/${language}/${type}.html`;
        const found = policiesIn(read(path));
        assert.deepEqual(found, policiesIn(read('dist', 'locales', 'en-US', `${type}.html`)), path);
        assert.equal(found.length > 0, !asksNothing.includes(type), path);
        for (const policy of found) assert.doesNotThrow(() => JSON.parse(policy), policy);
      }
    });
  }
});
