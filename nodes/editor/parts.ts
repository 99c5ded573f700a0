/** What a dialog shows: rows whose conditions are met, hints of chosen options, and the parts that can be collapsed. */
import type { Field } from '../fields/fields';
import type { Controls } from './controls';
import type { EditorNode } from './node-red';
import { sectionOf, sections } from './sections.mts';

const partOf = (controls: Controls, section: string): JQuery => $(`#${controls.prefix}-${section}-section`);

/** Shows the rows whose conditions are met, the parts that have such rows, and the hint of each chosen option. */
export function showParts(controls: Controls, node: EditorNode): void {
  for (const [name, field] of Object.entries(controls.fields)) {
    if (field.when) controls.row(name).toggle(controls.isShown(node, field));
  }
  for (const section of sections) {
    const fields = Object.values(controls.fields).filter((field) => sectionOf(field) === section);
    partOf(controls, section).toggle(fields.some((field) => controls.isShown(node, field)));
  }
  for (const hint of $('.nimbus-hint[data-option]').toArray()) {
    const { field = '', option } = hint.dataset;
    $(hint).toggle(controls.input(field).val() === option);
  }
}

/** Opens the parts that have such a field. */
export function openWhere(controls: Controls, isSuch: (name: string, field: Field) => boolean): void {
  for (const [name, field] of Object.entries(controls.fields)) {
    const section = sectionOf(field);
    if (section && isSuch(name, field)) partOf(controls, section).prop('open', true);
  }
}

/** Opens the parts in which something is not the default. */
export function openChanged(controls: Controls, node: EditorNode): void {
  openWhere(controls, (name, { value }) => node[name] !== undefined && String(node[name]) !== String(value));
}
