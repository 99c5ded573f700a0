/** The controls of a dialog and their values. */
import { type Field, type Fields, isShown } from '../fields/fields';
import type { EditorNode } from './node-red';

/** The controls of a type of node. Values are read from them while the dialog is open, else from the node. */
export class Controls {
  /** The node whose dialog is open. */
  edited: EditorNode | undefined;

  constructor(
    readonly fields: Fields,
    readonly prefix: string
  ) {}

  input(name: string): JQuery {
    return $(`#${this.prefix}-${name}`);
  }

  /** The element that replaces the control of a typed input. */
  container(name: string): JQuery {
    return this.input(name).next('.red-ui-typedInput-container');
  }

  /** The element that users type in. A typed input hides the control itself. */
  face(name: string): JQuery {
    const typed = this.container(name).find('.red-ui-typedInput-input');
    return typed.length > 0 ? typed : this.input(name);
  }

  row(name: string): JQuery {
    return this.input(name).closest('.form-row');
  }

  say(node: EditorNode, key: string, options: object = {}): string {
    return node._def._(key, options);
  }

  labelOf(node: EditorNode, name: string): string {
    return this.say(node, `label.${name}`);
  }

  /** The text in a control. `_ADD_`, the option to add a config node, counts as none. */
  held(name: string): string {
    const text = String(this.input(name).val() ?? '');
    return text === '_ADD_' ? '' : text;
  }

  /** The value of a property: from the dialog if it is open for this node, else from the node. */
  current(node: EditorNode, name: string): unknown {
    const field = this.fields[name];
    const input = this.input(name);
    if (node !== this.edited || input.length === 0) return node[name] ?? field?.value ?? '';
    if (field?.control === 'config') return this.held(name);
    return field?.control === 'flag' ? input.prop('checked') : input.val();
  }

  typeOf(node: EditorNode, name: string): string {
    const held = node === this.edited ? this.input(`${name}Type`).val() : undefined;
    return String(held || node[`${name}Type`] || this.fields[name]?.types?.[0]);
  }

  /** The value of a field if it is literal text; empty if it is a path or an expression. */
  literal(node: EditorNode, name: string): string {
    const field = this.fields[name];
    if (!field || (field.types && this.typeOf(node, name) !== 'str')) return '';
    return String(this.current(node, name));
  }

  /** Whether a row is shown, by the values of other fields. */
  isShown(node: EditorNode, field: Field): boolean {
    return isShown(field, (name) => String(this.current(node, name)));
  }
}

/** The text of a property. A flow may have a literal as its value instead, as an array or an object. */
export const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

/** Whether a text contains environment variables. */
export const hasVariable = (value: string): boolean => /\$\{[^}]/.test(value.slice(0, value.lastIndexOf('}') + 1));
