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

/** Offers an example when the type becomes an expression, and removes it, if unchanged, when the type changes again. */
function offerExample(controls: Controls, node: EditorNode, name: string, field: Field, example: string): void {
  const element = controls.input(name);
  let last = controls.typeOf(node, name);
  element.on('change', () => {
    const type = controls.typeOf(node, name);
    if (type === last) return;
    const value = String(element.val());
    const untouched = value === '' || value === String(field.value);
    last = type;
    if (type === 'jsonata' && untouched) element.typedInput('value', example);
    // Otherwise the typed input keeps the example as the value of the next type.
    else if (type !== 'jsonata' && value === example) {
      element.typedInput('value', type === field.types?.[0] ? String(field.value) : '');
    }
  });
}
