import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(__dirname, '..', 'locales');
const first = 'en-US';
const others = ['de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'ru', 'zh-CN', 'zh-TW'];
const read = (language: string, file: string) => readFileSync(join(folder, language, file), 'utf8');

type Words = { [key: string]: string | Words };

/** Texts by their path, such as `label.functionName`. */
function textsOf(words: Words, path: string[] = []): [key: string, text: string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [[[...path, key].join('.'), value] as [string, string]] : textsOf(value, [...path, key])
  );
}

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([found]) => found).sort();

/** What Node-RED puts values in for. */
const placeholders = (text: string) => all(text, /__\w+__/g);

/** What stays as it is in every language: names of AWS and of code, in words that people read otherwise. */
const names = (text: string) =>
  all(
    text,
    /\b(?:msg(?:\.\w+)*|[a-z]+:[A-Z]\w+|\w*_\w+|[a-z]+[A-Z]\w*|arn:[\w:/…-]*|RequestResponse|DryRun|Event(?= ?[)）])|ASIA|AKIA|JSONata|JSON|FIFO|ARN|STS|SSO|SQS|SNS|AWS)\b/g
  ).filter((name) => !/^__/.test(name));

/** What the structure of a help text consists of: tags with what they name, and code. */
const structure = (html: string) =>
  [...html.matchAll(/<(\/?[a-z]\w*)((?:\s+[a-z-]+="[^"]*")*)\s*\/?>/g)]
    .filter(([, tag = '']) => !/^\/?(?:b|i|br|code|em|strong)$/.test(tag))
    .map(([, tag = '', attributes = '']) => `<${tag}${attributes}>`);
const code = (html: string) =>
  [...html.matchAll(/<(?:code|pre)[^>]*>([\s\S]*?)<\/(?:code|pre)>/g)].map(([, text = '']) => text);
const examples = (html: string) => [...html.matchAll(/<pre[^>]*>([\s\S]*?)<\/pre>/g)].map(([, text = '']) => text);

const catalogues = readdirSync(join(folder, first)).filter((file) => file.endsWith('.json'));
const helps = readdirSync(join(folder, first)).filter((file) => file.endsWith('.html'));

describe('the words', () => {
  it('are in the ten languages of Node-RED', () => {
    assert.deepEqual(readdirSync(folder).sort(), [first, ...others].sort());
  });

  for (const language of others.filter((each) => existsSync(join(folder, each)))) {
    describe(`in ${language}`, () => {
      it('are as many files as in English', () => {
        assert.deepEqual(readdirSync(join(folder, language)).sort(), [...catalogues, ...helps].sort());
      });

      for (const file of catalogues) {
        it(`have the keys, placeholders and names of ${file}`, () => {
          const english = textsOf(JSON.parse(read(first, file)));
          const texts = new Map(textsOf(JSON.parse(read(language, file))));
          assert.deepEqual(
            [...texts.keys()],
            english.map(([key]) => key)
          );
          for (const [key, text] of english) {
            const translated = texts.get(key) ?? '';
            assert.deepEqual(placeholders(translated), placeholders(text), `placeholders of ${key}: ${translated}`);
            assert.deepEqual(new Set(names(translated)), new Set(names(text)), `names in ${key}: ${translated}`);
            assert.doesNotMatch(translated, /[<&]/, `${key} becomes HTML`);
          }
        });
      }

      for (const file of helps) {
        it(`have the structure and the code of ${file}`, () => {
          const [english, translated] = [read(first, file), read(language, file)];
          assert.deepEqual(structure(translated), structure(english));
          assert.deepEqual(new Set(code(translated)), new Set(code(english)));
          assert.deepEqual(examples(translated), examples(english));
        });
      }

      it('are not English', () => {
        const same = [...catalogues].flatMap((file) => {
          const english = new Map(textsOf(JSON.parse(read(first, file))));
          return textsOf(JSON.parse(read(language, file)))
            .filter(
              ([key, text]) => key !== 'palette' && english.get(key) === text && /^[A-Za-z]+(?: [a-z]+){3,}/.test(text)
            )
            .map(([key]) => `${file} ${key}`);
        });
        assert.deepEqual(same, []);
      });
    });
  }
});
