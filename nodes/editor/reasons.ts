/** Validates values in dialogs, with messages in the editor's language. */
import { conditionsOf, type Field, fieldNamed } from '../fields/fields';
import { checkLiteral, goesWith } from '../fields/literal';
import { nameOf } from '../fields/thrown';
import { type Controls, textOf } from './controls';
import { heldBy, literalsOf, targetsOf } from './literals';
import type { EditorNode } from './node-red';
import { credentialsOf, unseen } from './stored';

/** The result of a validator of Node-RED: `true`, or a message why the value is not valid. */
export type Reason = true | string;

/** Validates the values of a type of node. */
export class Reasons {
  constructor(private readonly controls: Controls) {}

  /** Validates the value of a property, and, unless the dialog is open, the credentials that depend on it. */
  check(node: EditorNode, name: string, value: unknown): Reason {
    const own = this.#reason(node, name, fieldNamed(this.controls.fields, name), value);
    // In an open dialog each credential is validated by itself.
    if (own !== true || node === this.controls.edited) return own;
    for (const [credential, field] of this.#credentialsBy(name)) {
      const why = this.#credentialReason(node, credential, field);
      if (why !== true) return why;
    }
    return true;
  }

  /** Validates the value of a control. */
  of(node: EditorNode, name: string): Reason {
    const { controls } = this;
    const field = fieldNamed(controls.fields, name);
    const value = field.control === 'config' ? controls.held(name) : controls.input(name).val();
    return this.#reason(node, name, field, value);
  }

  #reason(node: EditorNode, name: string, field: Field, given: unknown): Reason {
    const { controls } = this;
    if (field.control === 'flag' || (field.stored && given === unseen) || !controls.isShown(node, field)) return true;
    const held = heldBy(controls, node, name, field, given);
    if (!held || (held.value !== '' && (held.type === 'json' || held.type === 'bool'))) {
      const type = field.types ? controls.typeOf(node, name) : 'str';
      const valid = RED.utils.validateTypedProperty(textOf(given ?? field.value), type, {});
      if (valid !== true) return `${controls.labelOf(node, name)}: ${valid}`;
    }
    if (!held) return true;
    try {
      const input = checkLiteral(name, field, held.value, held.type);
      const known = { targets: targetsOf(controls, node), others: field.beside ? literalsOf(controls, node) : {} };
      return goesWith(field, input, known) || controls.say(node, `beside.${name}`);
    } catch (thrown) {
      return this.#inWords(node, name, field, nameOf(thrown));
    }
  }

  /** The message for an error of the runtime's check, whose own text is English. */
  #inWords(node: EditorNode, name: string, { control, integer, min, max }: Field, error: string): Reason {
    const { controls } = this;
    const label = controls.labelOf(node, name);
    if (error === 'MissingValue') return controls.say(node, 'invalid.required', { label });
    // Other errors, such as those about memory, concern the runtime only.
    if (error !== 'InvalidValue') return true;
    if (control === 'number')
      return controls.say(node, integer ? 'invalid.wholeNumber' : 'invalid.number', { label, min, max });
    return controls.say(node, `invalid.${name}`, { defaultValue: controls.say(node, 'invalid.text', { label }) });
  }

  /** The credentials that are shown or hidden by the value of a field. */
  #credentialsBy(name: string): [string, Field][] {
    return Object.entries(this.controls.fields).filter(
      ([, field]) => field.stored && conditionsOf(field).some((condition) => name in condition)
    );
  }

  /** Validates a credential of a node whose dialog is closed. */
  #credentialReason(node: EditorNode, name: string, field: Field): Reason {
    if (!this.controls.isShown(node, field)) return true;
    const known = credentialsOf(node);
    if (!known) return true;
    const value = known[name];
    // Text credentials are known, and passwords that have just been typed; of others only whether they exist.
    const given = typeof value === 'string' && value !== '' ? value : known[`has_${name}`] ? unseen : '';
    return this.#reason(node, name, field, given);
  }
}
