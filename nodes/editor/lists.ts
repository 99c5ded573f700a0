/** The lists beside the fields of a dialog. */
import type { Controls } from './controls';
import { ListRequests } from './list-requests';
import type { EditorNode } from './node-red';
import { Picker } from './picker';

/** The lists by their fields. */
export type Lists = Record<string, Picker>;

function choose(controls: Controls, name: string, value: string): void {
  if (controls.fields[name]?.types) controls.input(name).typedInput('value', value);
  controls.input(name).val(value).trigger('change');
}

/** Makes a list for each field that offers one. */
export function makeLists(controls: Controls, node: EditorNode): Lists {
  const requests = new ListRequests(controls, node);
  const lists: Lists = {};
  for (const [name, { offers, types }] of Object.entries(controls.fields)) {
    const [control] = types ? controls.container(name) : controls.input(name);
    if (!offers || !control) continue;
    const picker = new Picker({
      control,
      label: controls.labelOf(node, name),
      say: (key, options) => controls.say(node, key, options),
      value: () => controls.held(name),
      ask: (after) => requests.page(offers, after),
      choose: (value) => choose(controls, name, value)
    });
    lists[name] = picker;
    controls.face(name).on('keydown', ({ altKey, key }) => {
      if (altKey && key === 'ArrowDown') picker.open();
    });
  }
  return lists;
}
