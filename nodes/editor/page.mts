/**
 * Makes what Node-RED loads of a node from its definition: the page for the editor and the registration for the
 * runtime.
 */
import type { Field } from '../fields/fields.js';
import type { NodeModule } from '../fields/node-module.js';
import { sectionOf, sections } from './sections.mts';
import type { Words } from './words.mts';

type Definition = NodeModule['definition'];

const packageName = '@red-nimbus/node-red-aws';
/** By service. Node-RED writes a dark label on a node, and draws a white sign: a test checks that both are seen. */
const colors: Readonly<Record<string, string>> = {
  lambda: '#F0A860',
  sqs: '#E88CB0',
  sns: '#C79BE8',
  rekognition: '#6FC3AE'
};
/** Of nodes that belong to no service. */
const color = '#7FB2E5';
/** What the palette calls a node, under AWS: it has room for some 11 letters on a line. */
const shortName = (type: string) =>
  type
    .replace(/^aws-(?:rekognition-)?/, '')
    .replace('lambda-', 'λ ')
    .replaceAll('-', ' ');
/** Node-RED's widgets take their width from this attribute. A field with a list leaves room for its button. */
const width = (field?: Field) => `style="width: calc(100% - ${field?.offers ? 199 : 161}px)"`;

const prefixOf = ({ config }: Definition) => (config ? 'node-config-input' : 'node-input');
const indent = (text: string, by: string) => text.trim().replace(/^(?=.)/gm, by);

const describedBy = (id: string, name: string, words: Words) =>
  words.hint?.[name] ? ` aria-describedby="${id}-hint"` : '';

function control(id: string, name: string, field: Field, words: Words): string {
  const placeholder = words.placeholder?.[name] ? ` data-i18n="[placeholder]placeholder.${name}"` : '';
  const hint = describedBy(id, name, words);
  if (field.control === 'choice') {
    const options = field.options?.map(
      (option) => `<option value="${option}" data-i18n="option.${name}.${option}"></option>`
    );
    return `<select id="${id}" ${width()}${hint}>${options?.join('')}</select>`;
  }
  const kind = field.control === 'secret' ? 'password' : 'text';
  const quiet = field.stored ? ' autocomplete="off"' : '';
  return [
    `<input type="${kind}" id="${id}" ${width(field)}${quiet}${placeholder}${hint}>`,
    field.types ? `<input type="hidden" id="${id}Type">` : ''
  ].join('');
}

function hints(id: string, name: string, words: Words): string {
  const hint = words.hint?.[name];
  if (!hint) return '';
  if (typeof hint === 'string') return `<div class="nimbus-hint" id="${id}-hint" data-i18n="hint.${name}"></div>`;
  const lines = Object.keys(hint).map(
    (option) =>
      `<div class="nimbus-hint" data-field="${name}" data-option="${option}" data-i18n="hint.${name}.${option}"></div>`
  );
  return `<div id="${id}-hint">${lines.join('')}</div>`;
}

function row(prefix: string, name: string, field: Field, words: Words): string {
  const id = `${prefix}-${name}`;
  const label = `<span data-i18n="label.${name}"></span>`;
  const parts =
    field.control === 'flag'
      ? [
          `<label class="nimbus-flag" for="${id}"><input type="checkbox" id="${id}"${describedBy(id, name, words)}> ${label}</label>`
        ]
      : [
          `<label for="${id}"><i class="fa fa-${field.icon ?? 'cog'}"></i> ${label}</label>`,
          control(id, name, field, words)
        ];
  const lines = [...parts, hints(id, name, words)].filter((line) => line !== '');
  return `<div class="form-row nimbus-row">\n${indent(lines.join('\n'), '  ')}\n</div>`;
}

/** A part of the form that is closed at first. */
const part = (prefix: string, section: string, rows: string) =>
  rows &&
  `<details class="nimbus-advanced" id="${prefix}-${section}-section">
  <summary data-i18n="section.${section}"></summary>
${indent(rows, '  ')}
</details>`;

const hasAccount = ({ config, account }: Definition) => !config && account !== false;

function template(definition: Definition, words: Words): string {
  const prefix = prefixOf(definition);
  const rows = (section?: string) =>
    Object.entries(definition.fields)
      .filter(([, field]) => sectionOf(field) === section)
      .map(([name, field]) => row(prefix, name, field, words))
      .join('\n');
  const account = !hasAccount(definition)
    ? ''
    : `<div class="form-row nimbus-row">
  <label for="${prefix}-account"><i class="fa fa-cloud"></i> <span data-i18n="label.account"></span></label>
  <input type="text" id="${prefix}-account" ${width()}>
</div>`;
  return `<div class="form-tips nimbus-alone" data-i18n="alone"></div>
<div class="form-row nimbus-row">
  <label for="${prefix}-name"><i class="fa fa-tag"></i> <span data-i18n="label.name"></span></label>
  <input type="text" id="${prefix}-name" ${width()} data-i18n="[placeholder]label.name">
</div>
${account}
${rows()}
${sections.map((section) => part(prefix, section, rows(section))).join('\n')}
${definition.trial ? part(prefix, 'trial', `<div id="${prefix}-trial"></div>`) : ''}`.trim();
}

const validate = (name: string) =>
  `validate: function (value, opt) { return form()?.check(this, '${name}', value) ?? true; }`;

/** Node-RED uses this label in its message about a missing config node; each node has its own catalogue. */
const labelOf = (type: string, name: string) => `get label() { return RED._('${packageName}/${type}:label.${name}'); }`;

function defaults(definition: Definition): string {
  const { type, fields } = definition;
  const lines = ["name: { value: '' }"];
  if (hasAccount(definition)) {
    lines.push(`account: { value: '', type: 'aws-account', required: true, ${labelOf(type, 'account')} }`);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.stored) continue;
    // A row that is hidden may stay empty.
    const configNode = field.configType ? ` type: '${field.configType}', required: false, ${labelOf(type, name)},` : '';
    lines.push(`${name}: { value: ${JSON.stringify(field.value)},${configNode} ${validate(name)} }`);
    if (field.types) lines.push(`${name}Type: { value: '${field.types[0]}' }`);
  }
  return lines.join(',\n');
}

/** What precedes the name in a full or partial ARN, or in a URL. */
const place = '/^(?:https?:.*\\/|(?:arn:[^:]*:[^:]*:[^:]*:)?(?:\\d{12}:)?(?:function:)?)/';

/** The label of a node without a name: its target, if that is in the flow. */
function label({ fields, config }: Definition): string {
  const name = Object.keys(fields).find((field) => fields[field]?.names);
  const target = name && `String(this.${name} || '').replace(${place}, '')`;
  const typed = name && fields[name]?.types ? `(this.${name}Type === 'str' && ${target})` : target;
  const named = config ? "(this.source === 'profile' && this.profile) || (this.roleArn || '').split('/').pop()" : typed;
  return `return this.name || ${named ? `${named} || ` : ''}this._('palette');`;
}

/** The definition of the credentials as source text. Only the editor needs their validators. */
function credentials({ fields }: Definition, more: (name: string) => string = () => ''): string | undefined {
  const stored = Object.entries(fields).filter(([, field]) => field.stored);
  if (stored.length === 0) return undefined;
  return `{ ${stored.map(([name, field]) => `${name}: { type: '${field.stored}'${more(name)} }`).join(', ')} }`;
}

function editorRegistration(definition: Definition): string {
  const { type, config, inputs = 1 } = definition;
  const members = [
    `category: '${config ? 'config' : 'AWS'}'`,
    `defaults: {\n${indent(defaults(definition), '  ')}\n}`,
    `label: function () { ${label(definition)} }`,
    `paletteLabel: '${config ? type.replaceAll('-', ' ') : shortName(type)}'`,
    'oneditprepare: function () { form()?.prepare(this); }',
    'oneditsave: function () { form()?.save(this); }',
    'oneditcancel: function () { form()?.leave(this); }',
    'oneditdelete: function () { form()?.leave(this); }'
  ];
  const stored = credentials(definition, (name) => `, ${validate(name)}`);
  if (stored) members.push(`credentials: ${stored}`);
  if (!config) {
    members.push(
      `color: '${colors[type.split('-')[1] ?? ''] ?? color}'`,
      `icon: '${type}.svg'`,
      `inputs: ${inputs}`,
      'outputs: 1',
      "labelStyle: function () { return this.name ? 'node_label_italic' : ''; }"
    );
  }
  return `RED.nodes.registerType('${type}', {\n${indent(members.join(',\n'), '  ')}\n});`;
}

/**
 * The page of a node. `own` is the compiled CommonJS module of its own part, which may only require the program of all
 * dialogs, the global `redNimbus`. If the package is installed while the editor is open, that may be loaded after this page.
 */
export function page(definition: Definition, words: Words, own: string): string {
  return `<script type="text/javascript">
(function () {
  let made;
  function form() {
    const { redNimbus } = globalThis;
    if (!redNimbus) return undefined;
    made ??= redNimbus.makeForm(own(() => redNimbus, {}), '${prefixOf(definition)}');
    return made;
  }
  function own(require, module) {
${indent(own, '    ')}
    return module.exports;
  }
${indent(editorRegistration(definition), '  ')}
})();
</script>
<script type="text/html" data-template-name="${definition.type}">
${indent(template(definition, words), '  ')}
</script>
`;
}

/** The page of the package's plugin: the program of all dialogs and their style sheet. */
export const pluginPage = (program: string, style: string): string => `<style>
${indent(style, '  ')}
</style>
<script type="text/javascript">
${program.trim()}
redNimbus.start();
</script>
`;

/**
 * The file that Node-RED loads when it starts. It only registers the type. The node itself is loaded when the first one is
 * deployed, so that Node-RED starts as fast as without the pack if it is not used. `place` is the node's file below `nodes/`.
 */
export function registration(definition: Definition, place: string): string {
  const { type, endpoints } = definition;
  const stored = credentials(definition);
  // Its dialog can have it run before it is deployed.
  const offer = definition.trial ? `\nmodule.exports.node = () => require('./nodes/${place}').node;` : '';
  const serve = endpoints ? "\n  require('./nodes/dialog/endpoints').serve(RED);" : '';
  // What nodes that are gone have left on the disk is found when Node-RED starts; without such a folder nothing is loaded.
  const watch = !('keep' in definition.fields)
    ? ''
    : `
  const { existsSync } = require('node:fs');
  const { join } = require('node:path');
  const { userDir } = RED.settings;
  if (userDir && existsSync(join(userDir, 'nimbus', 'outbox'))) require('./nodes/outbox/left-stores').watch(RED);`;
  return `module.exports = function (RED) {
  function Node(config) {
    RED.nodes.createNode(this, config);
    require('./nodes/${place}').node.create(RED, this, config);
  }
  RED.nodes.registerType('${type}', Node${stored ? `, { credentials: ${stored} }` : ''});${serve}${watch}
};${offer}
`;
}
