/** The controls of a dialog and what they hold. */
import type { Field, Fields } from '../fields/fields';
import type { EditorNode } from './node-red';

/** The controls of one type of node. While its dialog is open they hold the values, else the node does. */
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

  /** Of a typed input: what stands in place of the control. */
  container(name: string): JQuery {
    return this.input(name).next('.red-ui-typedInput-container');
  }

  /** What people see and type in: a typed input hides the control itself. */
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

  /** The text in a control. Where a new config node is offered, none is chosen yet. */
  held(name: string): string {
    const text = String(this.input(name).val() ?? '');
    return text === '_ADD_' ? '' : text;
  }

  /** A property's value: from the open dialog while its node is edited, else as the node holds it. */
  current(node: EditorNode, name: string): unknown {
    const field = this.fields[name];
    const input = this.input(name);
    if (node !== this.edited || input.length === 0) return node[name] ?? field?.value ?? '';
    return field?.control === 'flag' ? input.prop('checked') : input.val();
  }

  typeOf(node: EditorNode, name: string): string {
    const held = node === this.edited ? this.input(`${name}Type`).val() : undefined;
    return String(held || node[`${name}Type`] || this.fields[name]?.types?.[0]);
  }

  /** A field's value where the dialog itself holds it: not a path or an expression. */
  literal(node: EditorNode, name: string): string {
    const field = this.fields[name];
    if (!field || (field.types && this.typeOf(node, name) !== 'str')) return '';
    return String(this.current(node, name));
  }

  /** Whether a row is there, for what other fields hold. */
  isShown(node: EditorNode, { when = {} }: Field): boolean {
    return Object.entries(when).every(([name, values]) => {
      const value = String(this.current(node, name));
      return values === 'filled' ? value !== '' : values.includes(value);
    });
  }
}

/** Whether a text takes its value, or a part of it, from the environment. */
export const hasVariable = (value: string): boolean => /\$\{[^}]/.test(value.slice(0, value.lastIndexOf('}') + 1));
