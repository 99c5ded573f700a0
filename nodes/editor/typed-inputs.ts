/** Node-RED's typed inputs in a dialog, and the examples that they offer for expressions. */
import type { Field } from '../fields/fields';
import type { Controls } from './controls';
import type { EditorNode } from './node-red';

export function makeTypedInputs(controls: Controls, node: EditorNode): void {
  for (const [name, field] of Object.entries(controls.fields)) {
    if (!field.types) continue;
    const [first] = field.types;
    const typeField = `#${controls.prefix}-${name}Type`;
    controls.input(name).typedInput({ default: first, types: [...field.types], typeField });
    labelTypedInput(controls, node, name);
    if (field.example) offerExample(controls, node, name, field, field.example);
  }
}

function labelTypedInput(controls: Controls, node: EditorNode, name: string): void {
  const label = controls.labelOf(node, name);
  const described = controls.input(name).attr('aria-describedby') ?? null;
  const container = controls.container(name).attr({ role: 'group', 'aria-label': label });
  container.find('input').attr({ 'aria-label': label, 'aria-describedby': described });
  // Node-RED's button with three dots has no accessible name.
  const expand = `${label}: ${RED._('markdownEditor.expand')}`;
  container.find('.red-ui-typedInput-option-expand').attr({ 'aria-label': expand, title: expand });
}

/**
 * Offers an example when the type becomes an expression and nothing has been entered: the field is empty, or has its default.
 * The example, if unchanged, gives way to what stood there when the type changes again.
 */
function offerExample(controls: Controls, node: EditorNode, name: string, field: Field, example: string): void {
  const element = controls.input(name);
  const initial = { type: field.types?.[0], value: String(field.value) };
  let last = controls.typeOf(node, name);
  /** What the example has replaced. */
  let replaced: { type: string | undefined; value: string } = initial;
  element.on('change', () => {
    const type = controls.typeOf(node, name);
    if (type === last) return;
    const value = String(element.val());
    // The text of the default is no default where another type has been chosen for it.
    const untouched = value === '' || (value === initial.value && last === initial.type);
    const former = last;
    last = type;
    if (type === 'jsonata' && untouched) {
      replaced = { type: former, value };
      element.typedInput('value', example);
    }
    // Otherwise the typed input keeps the example as the value of the next type.
    else if (former === 'jsonata' && value === example) {
      element.typedInput('value', type === replaced.type ? replaced.value : '');
    }
  });
}
