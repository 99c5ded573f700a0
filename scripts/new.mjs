/**
 * `npm run new aws-sns-list-topics`: makes all files of a node that calls `ListTopics` of SNS, in the room of its service. The
 * node builds, shows its form and passes its test. If its name is not that of the operation, the operation is the second
 * argument: `npm run new aws-sqs-empty PurgeQueue`.
 *
 * When it is run again after the fields have changed, it adds the texts that the fields need, and updates
 * `test/contract.json` and the node in its example. What people have written is not changed.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { require as requireTs } from 'tsx/cjs/api';
import { placeOf, types } from './nodes.mts';

const root = join(import.meta.dirname, '..');
const at = (file) => join(root, file);
const read = (file) => readFileSync(at(file), 'utf8');
const readJson = (file) => JSON.parse(read(file));
const changed = new Set();

const [type = '', ...names] = process.argv.slice(2);
const [, service, action] = /^aws-([a-z\d]+)-([a-z][a-z\d-]*)$/.exec(type) ?? [];
if (!service)
  stop('How to: npm run new aws-<service>-<action> [<operation>], such as npm run new aws-sns-list-topics.');
const inWords = type.replaceAll('-', ' ');
const room = roomOf(service);
const nodeFile = `nodes/${room}/${type}.ts`;
/** In the folder of its room, by which the import dialog shows it. */
const exampleFile = `examples/${room[0].toUpperCase()}${room.slice(1)}/${type.slice('aws-'.length)}.json`;

function format(files) {
  if (files.length === 0) return;
  const biome = at('node_modules/@biomejs/biome/bin/biome');
  execFileSync(process.execPath, [biome, 'format', '--write', ...files], { cwd: root, stdio: ['ignore', 'ignore', 2] });
}

function stop(reason) {
  console.error(reason);
  process.exit(1);
}

function write(file, text) {
  if (existsSync(at(file)) && read(file) === text) return;
  mkdirSync(dirname(at(file)), { recursive: true });
  writeFileSync(at(file), text);
  changed.add(file);
  console.log(`wrote ${file}`);
}

/** Writes JSON, which biome formats afterwards, unless only the spaces would change. */
function writeJson(file, value) {
  if (!existsSync(at(file)) || JSON.stringify(readJson(file)) !== JSON.stringify(value)) {
    write(file, `${JSON.stringify(value, null, 2)}\n`);
  }
}

/** The members of an object, sorted by name. */
const sorted = (all) => Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)));

/** The room of a service; one without a node gets a new room. */
function roomOf(name) {
  const other = types.find((each) => each.startsWith(`aws-${name}-`));
  return other ? dirname(placeOf(other)) : name;
}

function sdkOf(name) {
  try {
    return createRequire(import.meta.url)(`@aws-sdk/client-${name}`);
  } catch {
    return stop(
      `There is no @aws-sdk/client-${name} here. If that is its name, run: npm install @aws-sdk/client-${name}`
    );
  }
}

/** `list-topics` is `ListTopics`. */
const pascal = (text) => text.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
/** `QueueUrl` is `queueUrl`. */
const camel = (text) => text.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (letters) => letters.toLowerCase());
/** `maxItems` is `Max items`. */
const label = (name) => name[0].toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
/** Properties that every node has, so that no field can have these names. */
const taken = ['id', 'type', 'name', 'account', 'region', 'output', 'wires', 'x', 'y', 'z', 'g'];

/** The members that an operation requires, by the SDK's schema, and the fields for them. */
function requiredOf(sdk, operation) {
  const [, , , , input] = new sdk[`${operation}Command`]({}).schema;
  const [, , , , members = [], shapes = [], required = 0] = typeof input === 'function' ? input() : input;
  return members.slice(0, required).map((member, index) => {
    const [shape] = [shapes[index]].flat();
    const name = taken.includes(camel(member)) ? camel(`${operation.match(/[A-Z][a-z]*$/)}${member}`) : camel(member);
    return { member, name, isText: shape === 0 };
  });
}

function makeAll() {
  const sdk = sdkOf(service);
  const operation = names[0] ?? pascal(action);
  if (!sdk[`${operation}Command`])
    stop(`${service} has no operation ${operation}: name the operation behind the node.`);
  const required = requiredOf(sdk, operation);
  knowService(sdk);
  knowOperation(operation);
  const facts = { operation, required };
  write(nodeFile, nodeText(facts));
  writeJson(`locales/en-US/${type}.json`, words(facts));
  writeJson(exampleFile, example(operation));
  write(`test/${room}/${type}.test.ts`, testText(facts));
  write(`icons/${type}.svg`, icon);
  write(`docs/${type}.md`, page(operation));
  const policies = readJson('nodes/policies.json');
  policies[type] ??= { least: [{ Action: `${service}:${operation}`, Resource: '*' }] };
  writeJson('nodes/policies.json', sorted(policies));
  const pack = readJson('package.json');
  pack['node-red'].nodes = sorted({ ...pack['node-red'].nodes, [type]: `dist/${type}.js` });
  writeJson('package.json', pack);
  write('CHANGELOG.md', withAddition(read('CHANGELOG.md'), `- A new node, **${inWords}**.`));
}

/** Adds a new service to the lists of `sdks.ts`. */
function knowService(sdk) {
  const text = read('nodes/account/sdks.ts');
  if (new RegExp(`^  ${service}: `, 'm').test(text)) return;
  const client = Object.keys(sdk).find((name) => /^[A-Z].*Client$/.test(name));
  const ofTypes = `  ${service}: typeof import('@aws-sdk/client-${service}');\n`;
  const ofLoaders = `  ${service}: { load: () => require('@aws-sdk/client-${service}'), client: '${client}' },\n`;
  write(
    'nodes/account/sdks.ts',
    text
      .replace(/^ {2}sts: typeof/m, (sts) => ofTypes + sts)
      .replace(/^ {2}sts: \[/m, (sts) => `  ${service}: [],\n${sts}`)
      .replace(/^ {2}sts: \{/m, (sts) => ofLoaders + sts)
  );
}

/** Adds the operation to `operations` in `sdks.ts`. */
function knowOperation(operation) {
  const withIt = (names) => [...new Set([...(names.match(/\w+/g) ?? []), operation])].sort();
  const list = new RegExp(`^  ${service}: \\[([^\\]]*)\\]`, 'm');
  const inQuotes = (names) => names.map((name) => `'${name}'`).join(', ');
  write(
    'nodes/account/sdks.ts',
    read('nodes/account/sdks.ts').replace(list, (_, names) => `  ${service}: [${inQuotes(withIt(names))}]`)
  );
}

function nodeText({ operation, required }) {
  const kinds = [...new Set(required.map(({ isText }) => (isText ? 'text' : 'json')))].sort();
  const inputs = required.map(({ member, name, isText }) => {
    const cast = isText ? '' : ` as ${operation}CommandInput['${member}']`;
    return `${member}: inputs.${name}${cast}`;
  });
  return [
    required.some(({ isText }) => !isText) &&
      `import type { ${operation}CommandInput } from '@aws-sdk/client-${service}';`,
    "import { defineAction } from '../action/define-action';",
    kinds.length > 0 && `import { ${kinds.join(', ')} } from '../fields/fields';`,
    '',
    `export const fields = {${required.map(({ name, isText }) => `\n  ${name}: ${isText ? 'text' : 'json'}()`).join(',')}${required.length > 0 ? '\n' : ''}};`,
    '',
    'export const node = /* @__PURE__ */ defineAction({',
    `  type: '${type}',`,
    `  service: '${service}',`,
    `  operation: '${operation}',`,
    '  fields,',
    `  async run({ sdk, ${required.length > 0 ? 'inputs, ' : ''}send }) {`,
    `    const { $metadata, ...answer } = await send(new sdk.${operation}Command({ ${inputs.join(', ')} }));`,
    '    return { parsed: () => answer, raw: () => answer };',
    '  }',
    '});',
    ''
  ]
    .filter((line) => line !== false)
    .join('\n');
}

/** The addresses of AWS's API references. */
const references = {
  lambda: 'lambda/latest/api',
  sns: 'sns/latest/api',
  sqs: 'AWSSimpleQueueService/latest/APIReference'
};
const address = (operation) =>
  `https://docs.aws.amazon.com/${references[service] ?? `${service}/latest/APIReference`}/API_${operation}.html`;

function words({ operation, required }) {
  return {
    palette: inWords,
    label: {},
    help: {
      summary: `Calls <code>${operation}</code> of ${service.toUpperCase()}.`,
      field: Object.fromEntries(required.map(({ member, name }) => [name, `What AWS calls <code>${member}</code>.`])),
      message: { 'payload: object': 'What AWS answers.' },
      errors: { 'AccessDenied, AccessDeniedException': 'The policy below is missing.' },
      references: { [address(operation)]: `${operation} in the AWS API` }
    }
  };
}

function testText({ operation, required }) {
  const given = required.flatMap(({ name, isText }) => [
    `    ${name}: '${isText ? 'a text' : '{}'}',`,
    `    ${name}Type: '${isText ? 'str' : 'json'}',`
  ]);
  return `import assert from 'node:assert/strict';
import { deployAction, useBench } from '../aws';

describe('${type}', () => {
  const bench = useBench();
  const node = (properties: object = {}) => ({
    id: 'node',
    type: '${type}',
    account: 'account',
    wires: [['out']],
${given.map((line) => `${line}\n`).join('')}    ...properties
  });

  it('asks AWS for ${operation}, and ends the message', async () => {
    await deployAction(bench, node());
    const { done } = await bench.red.send('node');
    const asked = (await bench.aws.requests()).map(({ service }) => service);
    assert.deepEqual([asked, done], [['${service}'], 1]);
  });
});
`;
}

const icon = `<svg width="40" height="60" viewBox="0, 0, 40, 60" xmlns="http://www.w3.org/2000/svg">
  <path d="M12 30h16" fill="none" stroke="#fff" stroke-linecap="round" stroke-linejoin="round" stroke-width="5"/>
</svg>
`;

const page = (operation) => `# ${inWords}

Calls \`${operation}\` of ${service.toUpperCase()}.

![The dialog of ${inWords}](pictures/${type}.png)

## Properties

<!-- properties: ${type} -->

<!-- /properties -->

## Output

The same message, with \`payload\` and \`aws\` set. \`payload\` is what AWS answers.

## Rights

<!-- policy: ${type} -->

<!-- /policy -->

## See also

- Example: [${type.slice('aws-'.length)}](../${exampleFile})
- [aws account](aws-account.md), [troubleshooting](troubleshooting.md)
- [${operation}](${address(operation)}) in the AWS API
`;

function withAddition(changelog, line) {
  const text = /^## Unreleased$/m.test(changelog) ? changelog : changelog.replace(/^## /m, '## Unreleased\n\n## ');
  const [head, ...sections] = text.split(/^(?=## )/m);
  const [first = '', ...older] = sections;
  const added = /^### Added\n\n/m.test(first)
    ? first.replace(/^### Added\n\n/m, (heading) => `${heading}${line}\n`)
    : first.replace(/^## Unreleased\n\n/, (heading) => `${heading}### Added\n\n${line}\n\n`);
  return [head, added, ...older].join('');
}

/** A flow with the node, an inject node, and debug nodes for the result and the error. */
function example(operation) {
  const ids = Object.fromEntries(
    ['tab', 'account', 'comment', 'inject', 'node', 'result', 'catch', 'error'].map((name) => [
      name,
      randomBytes(8).toString('hex')
    ])
  );
  const placed = (name, kind, called, x, y, more) => {
    return { id: ids[name], type: kind, z: ids.tab, name: called, ...more, x, y };
  };
  const debug = (complete, status) => {
    const shown = { tostatus: true, complete, targetType: 'msg', statusVal: status, statusType: 'jsonata' };
    return { active: true, tosidebar: true, console: false, ...shown };
  };
  const { properties } = readJson('test/contract.json')['aws-account'];
  return [
    {
      id: ids.tab,
      type: 'tab',
      label: `${service}: ${action.replaceAll('-', ' ')}`,
      disabled: false,
      info: `Calls \`${operation}\`.\n\nOpen **My AWS account** to sign in, deploy, and press the inject node.\n`,
      env: []
    },
    { id: ids.account, type: 'aws-account', ...properties, name: 'My AWS account' },
    placed('comment', 'comment', operation, 140, 60, { info: '', wires: [] }),
    placed('inject', 'inject', 'go', 110, 120, {
      props: [{ p: 'payload' }],
      repeat: '',
      crontab: '',
      once: false,
      onceDelay: 0.1,
      topic: '',
      payload: '',
      payloadType: 'date',
      wires: [[ids.node]]
    }),
    placed('node', type, '', 360, 120, { account: ids.account, wires: [[ids.result]] }),
    placed('result', 'debug', 'result', 610, 120, { ...debug('payload', 'aws.operation & " answered"'), wires: [] }),
    placed('catch', 'catch', '', 130, 220, { scope: [ids.node], uncaught: false, wires: [[ids.error]] }),
    placed('error', 'debug', 'error', 350, 220, { ...debug('error', 'error.code'), wires: [] })
  ];
}

/** Updates everything that depends on the fields. */
function update() {
  const { fields } = requireTs(`../${nodeFile}`, import.meta.url).node.definition;
  const { commonFields } = requireTs('../nodes/action/action.ts', import.meta.url);
  const saved = savedOf(fields);
  writeJson('test/contract.json', sorted({ ...readJson('test/contract.json'), [type]: saved }));
  const wordsFile = `locales/en-US/${type}.json`;
  const own = Object.entries(fields).filter(([name]) => !(name in commonFields));
  writeJson(wordsFile, withWords(readJson(wordsFile), own));
  if (!existsSync(at(exampleFile))) return;
  writeJson(
    exampleFile,
    readJson(exampleFile).map((node) => (node.type === type ? inFlow(node, saved) : node))
  );
}

/** The properties of a new node in a flow. */
function savedOf(fields) {
  const properties = { name: '', account: '' };
  const typed = [];
  for (const [name, field] of Object.entries(fields)) {
    properties[name] = field.value;
    if (!field.types) continue;
    properties[`${name}Type`] = field.types[0];
    typed.push(name);
  }
  return { properties, typed };
}

/** A node in a flow, with exactly the properties of the contract. */
function inFlow({ id, type: own, z, g, x, y, wires, ...node }, { properties }) {
  const kept = Object.keys(properties).map((name) => [name, node[name] ?? properties[name]]);
  return { id, type: own, z, ...(g && { g }), ...Object.fromEntries(kept), x, y, wires };
}

/** Adds the texts that form and help need, made from the names of the fields, until somebody writes better ones. */
function withWords(written, fields) {
  const all = structuredClone(written);
  const add = (group, name, text, into = all) => {
    into[group] ??= {};
    into[group][name] ??= text;
  };
  for (const [name, { options, pattern, control }] of fields) {
    add('label', name, label(name));
    if (pattern) add('invalid', name, '__label__ is not valid');
    if (options) add('option', name, Object.fromEntries(options.map((option) => [option, label(option)])));
    else if (!all.hint?.[name]) add('field', name, `${label(name)}${control === 'flag' ? ', or not' : ''}.`, all.help);
  }
  return all;
}

if (!existsSync(at(nodeFile))) makeAll();
update();
format([...changed].filter((file) => /\.(json|ts)$/.test(file)));
execFileSync(process.execPath, [at('scripts/docs.mjs')], { cwd: root, stdio: 'inherit' });
