/**
 * Makes a node's help of its fields, its policies and its words, in the structure that Node-RED's own nodes have. People
 * write what is special about the node: see Help in CONTRIBUTING.md.
 */
import type { Field } from '../fields/fields.js';
import type { NodeModule } from '../fields/node-module.js';
import { policies, policyText } from './policy.mts';
import type { Words } from './words.mts';

type Definition = NodeModule['definition'];
type Texts = Record<string, string>;

/** Texts are HTML without paragraphs; sections have whole elements. */
export interface HelpWords {
  heading: Texts;
  summary?: string;
  /** Above the list of fields: `__fields__` are those that a message can bring. */
  inputs?: string;
  /** By field, and by what else a node takes of a message, such as `aws.handle: string`. */
  field: Texts;
  /** Names of types, and of units. */
  type: Texts;
  outputs?: string;
  /** What a node sets of a message: by property and type, such as `payload: object` or `image?: Buffer`. */
  message: Texts;
  status?: string;
  /** Above the list of errors. */
  failing?: string;
  errors: Texts;
  /** By parts of the policy, such as `least name`: the sentence above them. */
  rights: Texts;
  /** By address. */
  references: Texts;
  /** By id: the parts `outputs`, `errors` and `rights` have what stands below them, all others are of Details. */
  section: Texts;
}

const hasInput = ({ config, inputs }: Definition) => !config && inputs !== 0;
const hasAccount = ({ config, account }: Definition) => !config && account !== false;
/** Whether a node calls AWS: one that needs no rights does not. */
const asks = (definition: Definition) => hasAccount(definition) && definition.type in policies;
const calls = (definition: Definition) => hasInput(definition) && asks(definition);
const hasMany = ({ fields }: Definition) => Object.values(fields).some(({ many }) => many);
const hasTyped = ({ fields }: Definition) => Object.values(fields).some(({ types }) => types);

/** Which nodes have which of the words that they share; a node has the others where its own words name them. */
const shared: Readonly<Record<string, (definition: Definition) => boolean>> = {
  MissingValue: hasInput,
  InvalidValue: hasInput,
  AccountMissing: hasAccount,
  PartialFailure: hasMany,
  RequestThrottled: calls,
  Closed: hasInput,
  UnknownError: asks,
  'Timeout, ECONNREFUSED, ENOTFOUND, …': calls,
  'aws: object': calls
};

const paragraph = (text: string | undefined) => text && `<p>${text}</p>`;

/** The sentence above a list, or about the status, which nodes with an input share. */
const sentence = (name: 'inputs' | 'outputs' | 'status' | 'failing', definition: Definition, { help, own }: Words) =>
  hasInput(definition) || name in own ? paragraph(help[name]) : '';

const lines = (...parts: (string | undefined)[]) => parts.filter(Boolean).join('\n');
const properties = (entries: string[]) =>
  entries.length > 0 ? `<dl class="message-properties">\n${entries.join('\n')}\n</dl>` : '';

/** As the form calls a field, without the unit in brackets: help names it as the type. */
function labelOf(name: string, { takes }: Field, { label }: Words): string {
  const text = label[name] ?? name;
  return takes ? text.replace(/ ?[(（][^()（）]*[)）]$/, '') : text;
}

function entry(name: string, text: string, optional = false, types = ''): string {
  const type = types && ` <span class="property-type">${types}</span>`;
  return lines(`<dt${optional ? ' class="optional"' : ''}>${name}${type}</dt>`, text && `<dd>${text}</dd>`);
}

const typeNames = (types: string, { help }: Words) =>
  types
    .split(' | ')
    .map((type) => help.type[type] ?? type)
    .join(' | ');

/** A property of a message, by its name and types: `marker?: string`. */
function messageEntry(key: string, text: string, words: Words): string {
  const [, name = key, mark, types = ''] = /^([^?:]+)(\??): (.*)$/.exec(key) ?? [];
  return entry(name, text, mark === '?', typeNames(types, words));
}

const ofControl: Partial<Record<Field['control'], string>> = {
  text: 'string',
  secret: 'string',
  number: 'number',
  json: 'any',
  credentials: 'object',
  flag: 'boolean'
};

/**
 * What help says of a field without words of its own: its hint, its options, or the option of another field that it
 * belongs to.
 */
function toldByForm(name: string, field: Field, { hint, label, option }: Words): string {
  const { options = [], when = {} } = field;
  const hints = hint[name] ?? {};
  if (typeof hints === 'string') return hints;
  const told = options.map((each) => `<b>${option[name]?.[each]}</b>${hints[each] ? `: ${hints[each]}` : ''}`);
  for (const [other, values] of [when].flat().flatMap((condition) => Object.entries(condition))) {
    if (values !== 'filled')
      told.push(`<b>${label[other]}</b>: ${values.map((each) => option[other]?.[each]).join(', ')}`);
  }
  return told.join('<br>');
}

function fieldEntry(name: string, field: Field, words: Words): string {
  const text = words.help.field[name] ?? toldByForm(name, field, words);
  const types = [field.takes ?? ofControl[field.control], field.many && 'array'].filter(Boolean).join(' | ');
  // It has a value unless somebody changes it, while what is taken from a message may be missing there.
  const isSet = field.value !== '' && field.types?.[0] !== 'msg';
  const optional = !field.required || isSet || Boolean(field.when);
  return entry(labelOf(name, field, words), text, optional, typeNames(types, words));
}

function inputs(definition: Definition, words: Words, language: string): string {
  const { heading, field } = words.help;
  // As the texts are written: A, B and C.
  const list = new Intl.ListFormat(language === 'en-US' ? 'en-GB' : language);
  const labels = Object.entries(definition.fields)
    .filter(([, { types }]) => types)
    .map(([name, each]) => `<b>${labelOf(name, each, words)}</b>`);
  const others = Object.entries(field).filter(([name]) => name.includes(': '));
  return lines(
    `<h3>${hasInput(definition) ? heading.inputs : heading.properties}</h3>`,
    sentence('inputs', definition, words)?.replace('__fields__', () => list.format(labels)),
    properties([
      ...others.map(([name, text]) => messageEntry(name, text, words)),
      ...Object.entries(definition.fields).map(([name, each]) => fieldEntry(name, each, words))
    ])
  );
}

/** By name, which of the texts that nodes share a node has. */
const sharedBy = (definition: Definition, all: Texts) => Object.keys(all).filter((name) => shared[name]?.(definition));

/** Each named text once. */
const texts = (all: Texts, ...names: string[]): [name: string, text: string][] =>
  [...new Set(names)].map((name) => [name, all[name] ?? '']);

/** Sections that stand in another part than Details. */
const places = ['outputs', 'errors', 'rights'];

function outputs(definition: Definition, words: Words): string {
  const { heading, message, section } = words.help;
  const names = [...Object.keys(words.own.message ?? {}), ...sharedBy(definition, message)];
  return lines(
    `<h3>${heading.outputs}</h3>`,
    sentence('outputs', definition, words),
    properties(texts(message, ...names).map(([name, text]) => messageEntry(name, text, words))),
    section.outputs
  );
}

function errors(definition: Definition, words: Words): string {
  const { heading, errors: all, section } = words.help;
  const names = [...sharedBy(definition, all), ...Object.keys(words.own.errors ?? {})];
  return lines(
    `<h4>${heading.errors}</h4>`,
    sentence('failing', definition, words),
    properties(texts(all, ...names).map(([name, text]) => entry(name, text))),
    section.errors
  );
}

/** The sentences about the parts of a policy, and about `least` and `lists` also where a node has no words for them. */
function rights({ type }: Definition, { help, own }: Words): string {
  const written = Object.keys(own.rights ?? {});
  const isLeft = (part: string) => policies[type]?.[part] && !written.some((parts) => parts.split(' ').includes(part));
  const names = [...['least'].filter(isLeft), ...written, ...['lists'].filter(isLeft)];
  return lines(
    `<h4>${help.heading.rights}</h4>`,
    ...texts(help.rights, ...names).map(
      ([parts, text]) => `<p>${text}</p>\n<pre>${policyText(`${type} ${parts}`)}</pre>`
    ),
    help.section.rights
  );
}

function details(definition: Definition, words: Words): string {
  const { heading, section } = words.help;
  const own = Object.keys(words.own.section ?? {}).filter((name) => !places.includes(name));
  const names = hasMany(definition) ? [...new Set([...own, 'many'])] : own;
  return lines(
    `<h3>${heading.details}</h3>`,
    sentence('status', definition, words),
    ...names.map((name) => section[name]),
    errors(definition, words),
    rights(definition, words)
  );
}

function references(definition: Definition, { help }: Words): string {
  const all: Texts = {
    ...help.references,
    ...(hasTyped(definition) && { 'https://docs.jsonata.org/': 'JSONata' })
  };
  const items = Object.entries(all).map(
    ([address, text]) => `<li><a href="${address}" target="_blank">${text}</a></li>`
  );
  return lines(`<h3>${help.heading.references}</h3>`, '<ul>', ...items, '</ul>');
}

/** The help as Node-RED loads it. Throws for a part of a policy that there is not. */
export function helpOf(definition: Definition, words: Words, language: string): string {
  return `<script type="text/html" data-help-name="${definition.type}">
${lines(
  paragraph(words.help.summary),
  inputs(definition, words, language),
  definition.config ? '' : outputs(definition, words),
  details(definition, words),
  references(definition, words)
)}
</script>
`;
}
