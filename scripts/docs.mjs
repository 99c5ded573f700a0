/**
 * `npm run docs`: writes what the code knows into README.md, CONTRIBUTING.md and the pages in docs/, between two marks:
 *
 *   <!-- properties: aws-sqs-send -->             and <!-- /properties -->   the table of a node's properties,
 *   <!-- policy: aws-sqs-send least name -->      and <!-- /policy -->       parts of its policy,
 *   <!-- nodes -->                                and <!-- /nodes -->        the table of all nodes.
 *
 * With `--check` nothing is written; it exits with 1 if a page is not up to date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { require as requireTs } from 'tsx/cjs/api';

const root = join(import.meta.dirname, '..');
const from = (...parts) => join(root, ...parts);
const read = (...path) => readFileSync(from(...path), 'utf8');
const readJson = (...path) => JSON.parse(read(...path));
const load = (path) => requireTs(path, import.meta.url);

const { policyText } = load('../nodes/editor/policy.mts');
const { sectionOf, sections } = load('../nodes/editor/sections.mts');
const { placeOf, types } = load('./nodes.mts');
const common = readJson('locales', 'en-US', 'common.json');

const definitionOf = (type) => load(`../nodes/${placeOf(type)}.ts`).node.definition;

/** A function that finds a text of a node, or else a shared one: `word('hint', 'queue')`. */
function wordsOf(type) {
  const own = readJson('locales', 'en-US', `${type}.json`);
  const find = (words, path) => path.reduce((found, key) => found?.[key], words);
  return (...path) => find(own, path) ?? find(common, path);
}

const code = (text) => `\`${text}\``;
const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}` : '');
const sentences = (...texts) => texts.filter(Boolean).map(sentence).join(' ');
/** A list as text: a, b or c. */
const either = (words) =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
/** A row of a table, with bars in the cells escaped. */
const row = (...cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

const literals = { str: 'text', num: 'a number', bool: 'true or false', json: 'JSON' };
const ofControl = { text: 'text', secret: 'text', number: 'a number', flag: 'true or false' };

/** The types of literals that a field accepts. */
function written({ control, types, min, max, integer }) {
  const kinds = types ? types.filter((type) => literals[type]).map((type) => literals[type]) : [ofControl[control]];
  if (kinds.length === Object.keys(literals).length) return ['any value'];
  const range = `a ${integer ? 'whole ' : ''}number from ${min} to ${max}`;
  return kinds.map((kind) => (kind === literals.num && min !== undefined ? range : kind));
}

/** The values that a field accepts, and whether they may come from any source. */
function kinds(field) {
  const all = [...written(field), ...(field.types ? ['any source'] : [])];
  return `${either(all)}${field.many ? '; an array for many targets' : ''}`;
}

/** The options of a choice: the value in the flow, the text in the dialog, and its hint. */
function choices(name, { options }, word) {
  const lines = options.map((option) => {
    const hint = word('hint', name, option);
    return `${code(option)} ${sentence(word('option', name, option))}${typeof hint === 'string' ? ` ${hint}` : ''}`;
  });
  return lines.join('<br>');
}

function takes(name, field, word) {
  if (field.options) return choices(name, field, word);
  const list = field.offers && 'the dialog has a list to choose from';
  const place = field.stored && "kept in Node-RED's credential store";
  const length = field.maxLength && `at most ${field.maxLength} characters`;
  return sentences(kinds(field), length, list, place);
}

/** What an empty field means: its placeholder, unless that is an example. */
function ifEmpty(name, { required }, word) {
  const placeholder = word('placeholder', name);
  if (required) return '*required*';
  return !placeholder || /^(arn|https?):/.test(placeholder) ? 'none' : placeholder;
}

function standard(name, field, word) {
  const { types, value } = field;
  if (value === '') return ifEmpty(name, field, word);
  return code(types?.[0] === 'msg' ? `msg.${value}` : value);
}

/** The condition for the dialog to show the row. */
function condition({ when = {} }, word) {
  const met = [when].flat().map((condition) =>
    Object.entries(condition)
      .map(([name, values]) => {
        if (values === 'filled') return `where **${word('label', name)}** is filled in`;
        return `with **${word('label', name)}** ${either(values.map(code))}`;
      })
      .join(' and ')
  );
  return met[0] ? `only ${met.join(', or ')}` : '';
}

function meaning(name, field, word) {
  const hint = word('hint', name);
  const example = field.example && `as an expression, for example: ${code(field.example)}`;
  return sentences(typeof hint === 'string' ? hint : '', condition(field, word), word('invalid', name), example);
}

const accountRow = (word, to) =>
  row(word('label', 'account'), code('account'), `An [aws account](${to('docs/aws-account.md')}).`, '*required*', '');

/** The table of a node's properties, in the order of the dialog. */
function properties(type, to) {
  const { fields, config, account } = definitionOf(type);
  const word = wordsOf(type);
  const all = Object.entries(fields);
  const rows = (some) =>
    some.map(([name, field]) =>
      row(
        word('label', name),
        code(name),
        takes(name, field, word),
        standard(name, field, word),
        meaning(name, field, word)
      )
    );
  const part = (section) => {
    const some = rows(all.filter(([, field]) => sectionOf(field) === section));
    return some.length > 0 ? [row(`**${word('section', section)}**`, '', '', '', ''), ...some] : [];
  };
  return [
    row('Property', 'Name', 'Takes', 'Default', 'Meaning'),
    row('---', '---', '---', '---', '---'),
    ...(config || account === false ? [] : [accountRow(word, to)]),
    ...rows(all.filter(([, field]) => sectionOf(field) === undefined)),
    ...sections.flatMap(part),
    ...(all.some(([, field]) => field.types)
      ? [
          '',
          '*Any source*: a property of the message, the flow or the global context, an environment variable, or a JSONata expression.'
        ]
      : [])
  ].join('\n');
}

/** All types in the order of package.json, but with the account at the end. */
function inOrder() {
  const isConfig = (type) => Boolean(definitionOf(type).config);
  return [...types.filter((type) => !isConfig(type)), ...types.filter(isConfig)];
}

/** The table of all nodes. What a node does is the first paragraph of its page. */
function nodes(_, to) {
  const rows = inOrder().map((type) => {
    const [, summary = ''] = /^# .*\n\n([^\n]+(?:\n[^\n]+)*)/.exec(read('docs', `${type}.md`)) ?? [];
    const name = `[**${wordsOf(type)('palette')}**](${to(`docs/${type}.md`)})`;
    return row(name, summary.replaceAll('\n', ' '));
  });
  return [row('Node', 'What it does'), row('---', '---'), ...rows].join('\n');
}

const policy = (wanted) => `\`\`\`json\n${policyText(wanted)}\n\`\`\``;

const makers = { properties, policy, nodes };

/** The page with all its marked parts made again. Throws for a part without an end, or for an unknown node or policy. */
function filled(path, text) {
  // The link from the page to a file.
  const to = (file) =>
    relative(dirname(from(path)), from(file))
      .split(sep)
      .join('/');
  const made = text.replace(
    /^<!-- (properties|policy|nodes)(?:: ([^\n]*?))? -->\n.*?^<!-- \/\1 -->$/gms,
    (_, kind, what = '') => `<!-- ${kind}${what && `: ${what}`} -->\n\n${makers[kind](what, to)}\n\n<!-- /${kind} -->`
  );
  const opened = made.match(/^<!-- (properties|policy|nodes)\b/gm)?.length ?? 0;
  const ended = made.match(/^<!-- \/(properties|policy|nodes) -->/gm)?.length ?? 0;
  if (opened !== ended) throw new Error(`${path}: ${opened} regions begin, ${ended} end`);
  return made;
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...(existsSync(from('docs')) ? readdirSync(from('docs'), { recursive: true }) : [])
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file))
];

const check = process.argv.includes('--check');
for (const path of pages) {
  const text = read(path);
  const made = filled(path, text);
  if (made === text) continue;
  console.log(check ? `${path} is not what the code says: npm run docs` : `wrote ${path}`);
  if (check) process.exitCode = 1;
  else writeFileSync(from(path), made);
}
