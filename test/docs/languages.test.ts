/** Words in other languages: those that are there have to fit, those that are not there yet are shown in English. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { helpOf } from '../../nodes/editor/help.mts';
import { wordsOf, writtenIn } from '../../nodes/editor/words.mts';
import type { NodeFile } from '../../nodes/fields/node-module';

const folder = join(__dirname, '..', '..', 'locales');
const first = 'en-US';
const others = ['de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'ru', 'zh-CN', 'zh-TW'];

type Words = { [key: string]: string | Words };

/** Texts by their path, such as `label.functionName`, or `help > errors > Timeout, …` where a name has dots. */
function textsOf(words: Words, path: string[] = []): [key: string, text: string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[[...path, key].join(' > '), value] as [string, string]]
      : textsOf(value, [...path, key])
  );
}
/** What people wrote, sections of the help included. */
const textsIn = (language: string, name: string) => new Map(textsOf(writtenIn(language, name)));

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([found]) => found).sort();

/** What values are put in for, by Node-RED or in the help. */
const placeholders = (text: string) => all(text, /__\w+?__/g);

/** What stays as it is in every language: names of AWS and of code, in words that people read otherwise. */
const names = (text: string) =>
  all(
    text,
    /\b(?:msg(?:\.\w+)*|[a-z]+:[A-Z]\w+|\w*_\w+|[a-z]+[A-Z]\w*|arn:[\w:/…-]*|RequestResponse|DryRun|Event(?= ?[)）])|ASIA|AKIA|JSONata|JSON|FIFO|ARN|STS|SSO|SQS|SNS|AWS)\b/g
  ).filter((name) => !/^__/.test(name));

const tag = /<(\/?)([a-z]\w*)((?:\s+[a-z-]+="[^"]*")*)\s*>/g;
/** Where a language may put them as its sentences ask for. */
const inline = ['b', 'i', 'br', 'code'];
const structure = (html: string) =>
  [...html.matchAll(tag)].filter(([, , name = '']) => !inline.includes(name)).map(([found]) => found);
const code = (html: string) => [...html.matchAll(/<code>(.*?)<\/code>/gs)].map(([, text = '']) => text);
const examples = (html: string) => [...html.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, text = '']) => text);

/** What is wrong with the HTML of a help's text, such as a tag that is not ended. */
function faultsIn(html: string): string[] {
  const open: string[] = [];
  const faults = all(html.replace(tag, ''), /[<>]|&(?!(?:lt|gt|amp|quot|#\d+);)/g);
  for (const [found, end, name = ''] of html.matchAll(tag)) {
    if (!/^(?:p|h4|ul|ol|li|pre|dl|dt|dd|b|i|br|code)$/.test(name)) faults.push(found);
    else if (!end && name !== 'br') open.push(name);
    else if (end && open.pop() !== name) faults.push(found);
  }
  return [...faults, ...open.map((name) => `<${name}> without an end`)];
}

/** What is wrong with a text of the help, beside the English one. */
function assertHelp(translated: string, english: string, key: string): void {
  assert.deepEqual(faultsIn(translated), [], `${key}: ${translated}`);
  assert.deepEqual(structure(translated), structure(english), `the structure of ${key}`);
  assert.deepEqual(new Set(code(translated)), new Set(code(english)), `the code in ${key}: ${translated}`);
  const wanted = examples(english);
  const wrong = examples(translated).filter((text, index) => text !== '' && text !== wanted[index]);
  assert.deepEqual(wrong, [], `an example of ${key} is empty, or the English one`);
}

const nameOf = (file: string) => file.replace(/\.\w+$/, '');
const files = [...new Set(readdirSync(join(folder, first)).map(nameOf))];
const isHelp = (key: string) => key.startsWith('help > ');
/** Nothing to translate: other words stand there, those of all nodes or those of the form. */
const isReference = (text: string) => text === '__common__' || text === '<h4>__common__</h4>';

describe('the words', () => {
  it('are in the ten languages of Node-RED', () => {
    assert.deepEqual(readdirSync(folder).sort(), [first, ...others].sort());
  });

  for (const name of files) {
    it(`of the help in English are HTML with whole tags: ${name}`, () => {
      for (const [key, text] of textsIn(first, name)) {
        if (isHelp(key)) assert.deepEqual(faultsIn(text), [], `${key}: ${text}`);
      }
    });

    it(`of the help are in sections, each with a name of its own: ${name}`, () => {
      for (const language of [first, ...others]) {
        const path = join(folder, language, `${name}.html`);
        const html = existsSync(path) ? readFileSync(path, 'utf8') : '';
        const ids = all(html, /(?<= id=")[^"]*/g);
        assert.deepEqual(Object.keys(writtenIn(language, name).help.section ?? {}).sort(), ids, path);
      }
    });
  }

  for (const language of others) {
    describe(`in ${language}`, () => {
      const missing: string[] = [];
      after(() => {
        if (missing.length > 0) console.log(`      in English for now in ${language}: ${missing.join(', ')}`);
      });

      it('are for what there are English words for', () => {
        const there = readdirSync(join(folder, language)).map(nameOf);
        assert.deepEqual(
          there.filter((name) => !files.includes(name)),
          []
        );
      });

      for (const name of files) {
        it(`have the keys, placeholders, names, tags and code of ${name}, where they are there`, () => {
          const english = textsIn(first, name);
          const texts = textsIn(language, name);
          assert.deepEqual(
            [...texts.keys()].filter((key) => !english.has(key)),
            [],
            'which English does not have'
          );
          for (const [key, text] of english) {
            const translated = texts.get(key);
            if (translated === undefined) {
              if (!isReference(text)) missing.push(`${name} ${key}`);
              continue;
            }
            assert.notEqual(translated.trim(), '', key);
            assert.deepEqual(placeholders(translated), placeholders(text), `placeholders of ${key}: ${translated}`);
            if (isHelp(key)) {
              assertHelp(translated, text, key);
              continue;
            }
            assert.deepEqual(new Set(names(translated)), new Set(names(text)), `names in ${key}: ${translated}`);
            assert.doesNotMatch(translated, /[<&]/, `${key} becomes HTML`);
          }
        });
      }

      it('are put together into help that is whole', () => {
        const folder = join(__dirname, '..', '..', 'dist', 'locales', language);
        for (const file of readdirSync(folder).filter((each) => each.endsWith('.html'))) {
          const html = readFileSync(join(folder, file), 'utf8');
          assert.doesNotMatch(html, /undefined|__\w+?__| id="|<pre><\/pre>/, file);
          assert.doesNotMatch(html, /<\/dt>\n(?!<dd>)/, `${file}: each has a text`);
        }
      });

      it('are not English', () => {
        const same = files.flatMap((name) => {
          const english = textsIn(first, name);
          return [...textsIn(language, name)]
            .filter(([key, text]) => english.get(key) === text && /^[A-Za-z]+(?: [a-z]+){3,}/.test(text))
            .filter(([key]) => key !== 'palette')
            .map(([key]) => `${name} ${key}`);
        });
        assert.deepEqual(same, []);
      });
    });
  }
});

describe('a language that lacks words', () => {
  const locales = mkdtempSync(join(tmpdir(), 'nimbus-words-'));
  const write = (language: string, file: string, text: string | object) => {
    mkdirSync(join(locales, language), { recursive: true });
    writeFileSync(join(locales, language, file), typeof text === 'string' ? text : JSON.stringify(text));
  };
  after(() => rmSync(locales, { recursive: true }));

  const heading = { inputs: 'Inputs', outputs: 'Outputs', details: 'Details', errors: 'Errors', rights: 'Rights' };
  write(first, 'common.json', {
    label: { region: 'Region' },
    placeholder: { region: "the account's region" },
    help: {
      heading,
      status: 'A blue dot.',
      type: {},
      message: {},
      references: {},
      errors: { Closed: 'Deployed anew.' },
      rights: { least: 'The least.' }
    }
  });
  write(first, 'aws-sqs-settle.json', {
    label: { action: 'Action', delay: 'Delay (s)' },
    placeholder: { region: 'from the queue' },
    help: {
      summary: 'Deletes a message.',
      field: { action: 'What becomes of it.', delay: 'How long.' },
      errors: { Closed: '__common__ The receiver counts, too.' }
    }
  });
  write(
    first,
    'aws-sqs-settle.html',
    '<h4 id="a">A</h4>\n<pre>{"a": 1}</pre>\n<p>Text.</p>\n<h4 id="b">B</h4>\n<p>More.</p>\n'
  );
  write('de', 'common.json', {
    label: { region: 'Region' },
    placeholder: { region: 'die Region des Kontos' },
    help: { heading: { inputs: 'Eingänge' }, errors: { Closed: 'Neu übernommen.' } }
  });
  write('de', 'aws-sqs-settle.json', { label: { delay: 'Verzögerung (s)' }, help: { field: { delay: 'Wie lange.' } } });
  write('de', 'aws-sqs-settle.html', '<h4 id="a">Ä</h4>\n<pre></pre>\n<p>Wörter.</p>\n');

  const { definition } = (require('../../nodes/messaging/aws-sqs-settle') as NodeFile).node;
  const words = (language: string) => wordsOf(language, 'aws-sqs-settle', pathToFileURL(`${locales}/`));

  it('shows English in forms, the node’s own rather than the general one in its language', () => {
    const { label, placeholder } = words('de');
    assert.deepEqual(label, { region: 'Region', action: 'Action', delay: 'Verzögerung (s)' });
    assert.deepEqual(placeholder, { region: 'from the queue' });
  });

  it('shows English in the help, piece by piece', () => {
    const help = helpOf(definition, words('de'), 'de');
    for (const text of [
      '<p>Deletes a message.</p>',
      '<h3>Eingänge</h3>',
      '<h3>Outputs</h3>',
      '<dt class="optional">Action</dt>\n<dd>What becomes of it.</dd>',
      '<dt class="optional">Verzögerung <span class="property-type">seconds</span></dt>\n<dd>Wie lange.</dd>',
      '<p>A blue dot.</p>\n<h4>Ä</h4>\n<pre>{"a": 1}</pre>\n<p>Wörter.</p>\n<h4>B</h4>\n<p>More.</p>',
      '<dt>Closed</dt>\n<dd>Neu übernommen. The receiver counts, too.</dd>',
      '<p>The least.</p>\n<pre>{'
    ]) {
      assert.ok(help.includes(text), `${text} is not in ${help}`);
    }
  });

  it('shows English as a whole where it has nothing, and so does one that nobody has begun', () => {
    write('fr', 'common.json', {});
    assert.deepEqual(words('fr'), words(first));
    assert.deepEqual(words('it'), words(first));
    assert.equal(helpOf(definition, words('it'), 'it'), helpOf(definition, words(first), 'it'));
  });
});

describe('a translation that does not fit is found:', () => {
  const english = '<p>See <code>msg.aws</code>, <b>Delay</b>.</p>\n<pre>{"a": 1}</pre>';
  const wrong = {
    'a tag that is not ended': '<p>Siehe <code>msg.aws</code>, <b>Verzögerung.</p>\n<pre></pre>',
    'a tag that is not begun': '<p>Siehe <code>msg.aws</code>, Verzögerung</b>.</p>\n<pre></pre>',
    'a tag that is cut off': '<p>Siehe <code>msg.aws</code>, <b Verzögerung.</p>\n<pre></pre>',
    'another tag': '<h4>Siehe <code>msg.aws</code>, Verzögerung.</h4>\n<pre></pre>',
    'a script': '<p>Siehe <code>msg.aws</code>, <script>1</script>Verzögerung.</p>\n<pre></pre>',
    'no paragraph': 'Siehe <code>msg.aws</code>, Verzögerung.\n<pre></pre>',
    'a bare ampersand': '<p>Siehe <code>msg.aws</code> & Verzögerung.</p>\n<pre></pre>',
    'code in its own language': '<p>Siehe <code>nachricht.aws</code>, Verzögerung.</p>\n<pre></pre>',
    'an example of its own': '<p>Siehe <code>msg.aws</code>, Verzögerung.</p>\n<pre>{"ä": 1}</pre>'
  };
  for (const [fault, text] of Object.entries(wrong)) {
    it(fault, () => assert.throws(() => assertHelp(text, english, 'a text')));
  }

  it('and one that fits is not', () => {
    assertHelp('<p><b>Verzögerung</b>: siehe <code>msg.aws</code>.</p>\n<pre></pre>', english, 'a text');
  });
});
