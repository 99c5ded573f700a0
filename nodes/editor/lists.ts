/** The lists beside the fields of a dialog, and how they are requested. */
import type { ResolvedText } from '../dialog/variables';
import { type Controls, hasVariable } from './controls';
import { resolveText } from './flows';
import type { EditorNode } from './node-red';
import { type ChoicePage, makePicker, type Picker } from './picker';
import { request } from './request';

/** The lists by their fields. */
export type Lists = Record<string, Picker>;

/** The field that names what a list is of, and what to say where it does not. */
interface Owner {
  field: string;
  missing: string;
  unknown: string;
}

const owners: Partial<Record<string, Owner>> = {
  qualifiers: { field: 'functionName', missing: 'noFunction', unknown: 'unknownFunction' },
  people: { field: 'collection', missing: 'noCollection', unknown: 'unknownCollection' }
};

export function makeLists(controls: Controls, node: EditorNode): Lists {
  /** Lists that need no account. */
  const ofMachine = ['regions', 'profiles'];

  /** The value of a field, if it is known without running the flow. */
  function resolved(name: string): ResolvedText {
    const { types } = controls.fields[name] ?? {};
    const type = types ? controls.typeOf(node, name) : 'str';
    const value = String(controls.current(node, name));
    if (value === '' || (type === 'str' && !hasVariable(value))) return { text: value };
    if (type === 'str' || type === 'env') return resolveText(node, value, type);
    return { unknown: type === 'jsonata' ? 'expression' : 'message' };
  }

  /** The ID of the account. In a subflow it may be an environment variable. */
  function accountId(): ResolvedText {
    const held = controls.held('account');
    return hasVariable(held) ? resolveText(node, held, 'str') : { text: held };
  }

  /** Why a list cannot be asked for that is of what another field names. */
  function withoutOwner({ field, missing, unknown }: Owner, of: ResolvedText): string | undefined {
    if ('text' in of && of.text !== '' && !hasVariable(of.text)) return undefined;
    return controls.current(node, field) === '' ? missing : unknown;
  }

  /** A note if the account has changes that are not deployed: the runtime uses it as it is deployed. */
  const undeployed = (id: string, { refusal }: ChoicePage): string[] =>
    RED.nodes.node(id)?.changed && refusal?.kind !== 'notDeployed' ? [controls.say(node, 'picker.undeployed')] : [];

  /** Requests a page of a list from the runtime. Never rejects: a timeout is a refusal as well. */
  async function ask(list: string, after: string): Promise<ChoicePage> {
    const url = `aws-account/choices/${list}`;
    if (ofMachine.includes(list)) return request({ url, data: { after }, timeout: 5000 });
    const id = accountId();
    if (!('text' in id)) return { refusal: { kind: 'unknownAccount' } };
    if (id.text === '') return { refusal: { kind: 'noAccount' } };
    const owner = owners[list];
    const of: ResolvedText = owner ? resolved(owner.field) : { text: '' };
    const kind = owner && withoutOwner(owner, of);
    if (kind) return { refusal: { kind } };
    const region = resolved('region');
    const data = {
      account: id.text,
      region: 'text' in region ? region.text : '',
      of: 'text' in of ? of.text : '',
      after
    };
    const page: ChoicePage & { region?: string } = await request({ url, data, timeout: 5000 });
    const notes = undeployed(id.text, page);
    if (controls.fields.dynamicCredentials && controls.current(node, 'dynamicCredentials') !== '')
      notes.push(controls.say(node, 'picker.credentials'));
    if ('unknown' in region && page.region)
      notes.push(controls.say(node, `picker.region.${region.unknown}`, { region: page.region }));
    return { ...page, note: notes.join(' ') };
  }

  function choose(name: string, value: string): void {
    if (controls.fields[name]?.types) controls.input(name).typedInput('value', value);
    controls.input(name).val(value).trigger('change');
  }

  const lists: Lists = {};
  for (const [name, { offers, types }] of Object.entries(controls.fields)) {
    const [control] = types ? controls.container(name) : controls.input(name);
    if (!offers || !control) continue;
    const picker = makePicker({
      control,
      label: controls.labelOf(node, name),
      say: (key, options) => controls.say(node, key, options),
      value: () => controls.held(name),
      ask: (after) => ask(offers, after),
      choose: (value) => choose(name, value)
    });
    lists[name] = picker;
    controls.face(name).on('keydown', ({ altKey, key }) => {
      if (altKey && key === 'ArrowDown') picker.open();
    });
  }
  return lists;
}
