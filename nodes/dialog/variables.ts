/**
 * Resolves environment variables by the definition of the flows: in the editor, where they may not be deployed, and in the
 * runtime while they do not run. The order is Node-RED's: the groups of the node; its tab, or the instances and the template
 * of its subflow; the global variables; the process. The editor uses this file as well.
 */

/** An environment variable of a tab, a group, a subflow, an instance of one, or of all flows. */
interface Variable {
  name: string;
  type: string;
  value?: unknown;
}

/** A tab, group, subflow or node of a flow. */
export interface Item {
  id: string;
  type: string;
  z?: string | undefined;
  g?: string | undefined;
  name?: string | undefined;
  /** The name of a tab. */
  label?: string;
  env?: Variable[];
}

/** Why a value is known only while the flow runs. */
type UnknownReason = 'message' | 'expression' | 'secret' | 'instance';

/** The value of a variable, as far as it is known. */
export type Meaning =
  | { value: unknown }
  /** Text that contains variables of the process as `${NAME}`, since no flow defines them. */
  | { text: string }
  /** A credential of this name in Node-RED's store, of the first of these IDs that has it. */
  | { secret: string; of: string[] }
  | { unknown: UnknownReason };

/** A text with its variables replaced, except for those of the process. */
export type ResolvedText = { text: string } | { unknown: UnknownReason };

type LookUp = (name: string) => Meaning;

const parent = '$parent.';

/** A variable in a text, as `${NAME}`, and its position. */
interface Reference {
  name: string;
  start: number;
  end: number;
}

/** The variables in a text. Not by a regular expression, which would take time with the square of the text. */
function* referencesIn(text: string): Generator<Reference> {
  let start = text.indexOf('${');
  while (start >= 0) {
    const end = text.indexOf('}', start) + 1;
    if (end === 0) return;
    const name = text.slice(start + 2, end - 1);
    if (name !== '') yield { name, start, end };
    start = text.indexOf('${', name === '' ? start + 1 : end);
  }
}

/** The names of the variables in a text. */
export const namesIn = (text: string): string[] => [...referencesIn(text)].map(({ name }) => name);

/** Whether Node-RED replaces variables in a text of type `env`, instead of taking all of it for the name of one. */
const hasReference = (text: string): boolean =>
  text.split(/\s/).some((word) => {
    const start = word.indexOf('${');
    return start >= 0 && word.lastIndexOf('}') > start + 2;
  });

/** The text that Node-RED inserts for a value. */
const written = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function literalOf({ name, type, value }: Variable, owners: string[]): Meaning {
  if (type === 'cred') return { secret: name, of: owners };
  if (type === 'jsonata') return { unknown: 'expression' };
  if (type === 'bool') return { value: value === true || value === 'true' };
  if (type === 'num') return { value: Number(value) };
  return { value: type === 'json' ? parsed(String(value)) : value };
}

/** Replaces the variables in a text. */
function resolveText(text: string, lookUp: LookUp): ResolvedText {
  let unknown: UnknownReason | undefined;
  let resolved = '';
  let rest = 0;
  for (const { name, start, end } of referencesIn(text)) {
    const meaning = lookUp(name);
    resolved += text.slice(rest, start);
    rest = end;
    if ('text' in meaning) resolved += meaning.text;
    else if ('value' in meaning) resolved += written(meaning.value);
    else unknown = 'unknown' in meaning ? meaning.unknown : 'secret';
  }
  return unknown ? { unknown } : { text: resolved + text.slice(rest) };
}

/** The value of a variable of type `env`: its text is the name of another one, or contains names. */
function refer(text: string, lookUp: LookUp): Meaning {
  const [, name] = /^\$\{([^}]+)\}$/.exec(text) ?? [];
  if (name !== undefined || !hasReference(text)) return lookUp(name ?? text);
  const resolved = resolveText(text, lookUp);
  return 'text' in resolved && !resolved.text.includes('${') ? { value: resolved.text } : resolved;
}

/** The values of the variables of one scope. Those of type `env` come last, and can use those before them. */
function valuesOf(env: Variable[], owners: string[], beyond: LookUp): Map<string, Meaning> {
  const values = new Map(env.map((variable) => [variable.name, literalOf(variable, owners)] as const));
  for (const { name, type, value } of env) {
    if (type !== 'env') continue;
    const other = value === name ? parent + name : written(value);
    values.set(
      name,
      refer(other, (wanted) => values.get(wanted) ?? beyond(wanted))
    );
  }
  return values;
}

const same = (one: Meaning, other: Meaning): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Resolves environment variables in the given items. */
export class Variables {
  readonly #items: ReadonlyMap<string, Item>;
  readonly #globals: Item[];

  constructor(items: Item[]) {
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#globals = items.filter(({ type }) => type === 'global-config');
  }

  /** The value of a variable in a node. */
  of(node: Item, name: string): Meaning {
    if (name === 'NR_NODE_NAME') return { value: node.name };
    if (name === 'NR_NODE_ID') return { value: node.id };
    return this.#around(node, name);
  }

  /** Replaces the variables in a text of a node. With the type `env` the text itself may be a name. */
  resolveText(node: Item, text: string, type = 'str'): ResolvedText {
    const named = type === 'env' && !hasReference(text) ? `\${${text}}` : text;
    return resolveText(named, (name) => this.of(node, name));
  }

  /** The value in the group, the tab or the subflow that contains an item, or in all flows. */
  #around(item: Item, name: string): Meaning {
    const around = this.#items.get(item.g ?? '') ?? this.#items.get(item.z ?? '');
    if (around?.type === 'group') {
      return this.#inScope(around, { NR_GROUP_NAME: around.name, NR_GROUP_ID: around.id }, name);
    }
    if (around?.type === 'tab')
      return this.#inScope(around, { NR_FLOW_NAME: around.label, NR_FLOW_ID: around.id }, name);
    if (around?.type === 'subflow') return this.#inInstances(around, name);
    return this.#inAll(name);
  }

  #inScope(
    scope: Item,
    own: Record<string, string | undefined>,
    name: string,
    env = scope.env,
    owners = [scope.id]
  ): Meaning {
    if (Object.hasOwn(own, name)) return { value: own[name] };
    const beyond: LookUp = (wanted) =>
      Object.hasOwn(own, wanted) ? { value: own[wanted] } : this.#around(scope, wanted.replace(/^\$parent\./, ''));
    if (name.startsWith(parent)) return beyond(name);
    return valuesOf(env ?? [], owners, beyond).get(name) ?? beyond(name);
  }

  /** The value in all instances of a subflow; unknown if it differs. */
  #inInstances(subflow: Item, name: string): Meaning {
    const type = `subflow:${subflow.id}`;
    const instances = [...this.#items.values()].filter((item) => item.type === type);
    const [first = { value: undefined }, ...others] = (instances.length > 0 ? instances : [subflow]).map((instance) => {
      const { id, name: called } = instance;
      const own = { NR_SUBFLOW_NAME: called, NR_SUBFLOW_ID: id, NR_NODE_NAME: called, NR_NODE_ID: id };
      const env = new Map([...(subflow.env ?? []), ...(instance.env ?? [])].map((each) => [each.name, each]));
      return this.#inScope(instance, own, name, [...env.values()], [id, subflow.id]);
    });
    return others.every((other) => same(first, other)) ? first : { unknown: 'instance' };
  }

  #inAll(name: string): Meaning {
    const beyond: LookUp = (wanted) => ({ text: `\${${wanted.replace(/^\$parent\./, '')}}` });
    if (name.startsWith(parent)) return beyond(name);
    for (const { id, env = [] } of this.#globals.toReversed()) {
      const meaning = valuesOf(env, [id], beyond).get(name);
      if (meaning) return meaning;
    }
    return beyond(name);
  }
}
