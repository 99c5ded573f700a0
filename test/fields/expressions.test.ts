/**
 * Regular expressions meet what strangers send: none may take more than a time that grows as the text does. Each that the
 * code has is tried with texts that are made of its own characters and words.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { parse, type Token, tokTypes } from 'acorn';
import { transform } from 'esbuild';
import { refusalOf } from '../../nodes/dialog/refusal';
import { ActionError } from '../../nodes/fields/errors';
import { show } from '../../nodes/fields/fields';
import { reasonOf } from '../../nodes/fields/thrown';
import { fromAttributes } from '../../nodes/messaging/attributes';
import { regionOfQueue } from '../../nodes/messaging/queue';
import { fileNameOf } from '../../nodes/rekognition/save';
import { workTime } from '../work-time';

const repository = join(__dirname, '..', '..');

/** The sources whose expressions meet what comes from outside. */
const sources = ['nodes', 'local-aws'].flatMap((folder) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?ts$/.test(name))
    .map((name) => join(folder, name))
);

/** The literals of a file, as a parser finds them. */
async function expressionsIn(file: string): Promise<RegExp[]> {
  const { code } = await transform(await readFile(join(repository, file)), { loader: 'ts' });
  const tokens: Token[] = [];
  parse(code, { ecmaVersion: 'latest', sourceType: 'module', onToken: tokens });
  const literals = tokens.filter(({ type }) => type === tokTypes.regexp);
  return literals.map(({ start, end }) => {
    const slash = code.lastIndexOf('/', end - 1);
    return new RegExp(code.slice(start + 1, slash), code.slice(slash + 1, end));
  });
}

/** The parts of a pattern: what it opens, a class, an escaped character, or any other. */
const part = /\(\?(?:<?[=!]|<\w+>|:)|\[(?:[^\]\\]|\\.)*\]|\\[pPu]\{[^}]*\}|\\u\w{4}|\{\d+,?\d*\}|\\?./gs;
/** A character that stands for itself; `undefined` for every other part. */
const characterOf = (text: string): string | undefined =>
  /^(?:[^\\()[\]{}|*+?^$.]|\\\W)$/.test(text) ? text.slice(-1) : undefined;

/** The words that an expression looks for, and the one that it begins with; what may be left out is there. */
function wordsOf({ source }: RegExp): { words: string[]; head: string } {
  const parts = (source.match(part) ?? []).filter((each) => each !== '?' && each !== '^' && !each.startsWith('(?'));
  const characters = parts.map((each) => characterOf(each) ?? '\n');
  const words = characters.join('').split('\n').filter(Boolean);
  const begins = parts.findIndex((each) => each !== '(' && characterOf(each) === undefined);
  const head = (begins < 0 ? parts : parts.slice(0, begins)).map((each) => characterOf(each) ?? '').join('');
  return { words, head };
}

/** Characters of a text. One that takes the square of them takes some tenths of a second, another no thousandth. */
const length = 20_000;

/** Puts into `place` which text is the first that takes longer than so many ms. */
const watched = `
  for (; place < texts.length; place += 1) {
    const began = now();
    texts[place].replace(expression, '');
    if (now() - began > 50) break;
  }`;
/** The first of the texts, from the given one on, that takes long. */
function firstSlow(expression: RegExp, texts: readonly string[], place = 0): number {
  const context = createContext({ expression, texts, place, now: workTime });
  try {
    runInContext(watched, context, { timeout: 2000 });
  } catch {
    // It takes even longer.
  }
  return context.place as number;
}

/** The first of the texts that takes too long. One that took long once may only have waited for the processor. */
function slowTextOf(expression: RegExp, texts: readonly string[]): string | undefined {
  for (let place = 0; ; place += 1) {
    place = firstSlow(expression, texts, place);
    const text = texts[place];
    if (text === undefined || [1, 2, 3].every(() => firstSlow(expression, [text]) === 0)) return text;
  }
}

/** Texts of one word or character, of two in turn, with another at the end, behind what the expression begins with. */
function* textsFor(expression: RegExp): Generator<string> {
  const { words, head } = wordsOf(expression);
  const units = [...new Set([...words, ...words.join(''), ...'a1 \t\n.\0(/@'])].filter((unit) => unit.length < 40);
  const many = (unit: string) => unit.repeat(Math.ceil(length / unit.length));
  for (const one of units) {
    for (const other of ['', ...units]) {
      yield `${head}${many(one + other)}`;
      yield `${head}${many(one)}${other}\n`;
      yield `${head}x${many(one)}${other}\n`;
    }
  }
}

const slowOnes = [
  /[.\s]+$/,
  /^[. ]+|[. ]+$/g,
  /\/\/.*@/,
  /\$\{[^}]+\}/,
  / \([^)]*\)$/,
  /"(?:[^"\\]|\\.)*"|\./g,
  /^https?:\/\/([^/:]+)(.*)$/,
  /^(E[A-Z_]+|[A-Z_]*CERT[A-Z_]*|HPE_[A-Z_]+)$/
];

/** Characters that a message of SQS has room for. */
const megabyte = 1_000_000;
/** What meets a text of a stranger, and one that takes hours with an expression that needs its square. */
const meetings: Record<string, () => unknown> = {
  'a quote': () => show('/'.repeat(megabyte)),
  'a reason': () => reasonOf({ message: `${' '.repeat(megabyte)}x` }),
  'a list of attributes, with quotes': () =>
    fromAttributes({ list: { DataType: 'String.Array', StringValue: `"${'\\"'.repeat(megabyte / 2)}` } }),
  'a list of attributes, with a line break': () =>
    fromAttributes({ list: { DataType: 'String.Array', StringValue: '"\\\n'.repeat(megabyte / 3) } }),
  "a camera's name": () => fileNameOf(`x${' '.repeat(megabyte)}x`),
  'the URL of a queue': () => regionOfQueue(`http://${'x'.repeat(megabyte)}:\n`),
  "an error's name": () => refusalOf(new ActionError(`${'CERT'.repeat(megabyte / 4)}-`, 'No.'))
};

describe('regular expressions', () => {
  it('take as long as a text is long, and not the square of it: each that the code has', async function () {
    this.timeout(120_000);
    const all = (await Promise.all(sources.map(expressionsIn))).flat();
    const found = new Map(all.map((expression) => [String(expression), expression]));
    assert.ok(found.size > 150, `there are more expressions than ${found.size}`);
    const slow: string[] = [];
    for (const [name, expression] of found) {
      const text = slowTextOf(expression, [...textsFor(expression)]);
      if (text) slow.push(`${name} with ${JSON.stringify(text.slice(0, 60))}…${JSON.stringify(text.slice(-10))}`);
    }
    assert.deepEqual(slow, []);
  });

  for (const expression of slowOnes) {
    it(`are found where they take the square: ${expression}`, () => {
      assert.ok(slowTextOf(expression, [...textsFor(expression)]));
    });
  }

  for (const [what, meet] of Object.entries(meetings)) {
    it(`stop nobody with a text of a megabyte: ${what}`, () => {
      const began = workTime();
      // One that would need hours is stopped, so that the test fails.
      runInContext('meet()', createContext({ meet }), { timeout: 10_000 });
      assert.ok(workTime() - began < 1000);
    });
  }
});
