/** Validates values in dialogs, with messages in the editor's language. */
import { conditionsOf, type Field, isSource } from '../fields/fields';
import { checkLiteral, goesWith } from '../fields/literal';
import { type Controls, hasVariable, textOf } from './controls';
import type { EditorNode } from './node-red';
import { credentialsOf } from './stored';

/** The result of a validator of Node-RED: `true`, or a message why the value is not valid. */
export type Reason = true | string;

/** What Node-RED's editor has in place of a password that only the runtime knows. */
const unseen = '__PWRD__';

export interface Reasons {
  /** Validates the value of a property, and, unless the dialog is open, the credentials that depend on it. */
  check(node: EditorNode, name: string, value: unknown): Reason;
  /** Validates the value of a control. */
  of(node: EditorNode, name: string): Reason;
}

export function makeReasons(controls: Controls): Reasons {
  const { fields } = controls;

  /** The message for an error of the runtime's check, whose own text is English. */
  function inWords(node: EditorNode, name: string, error: Error): Reason {
    const { control, integer, min, max } = fields[name] as Field;
    const label = controls.labelOf(node, name);
    if (error.name === 'MissingValue') return controls.say(node, 'invalid.required', { label });
    // Other errors, such as those about memory, concern the runtime only.
    if (error.name !== 'InvalidValue') return true;
    if (control === 'number')
      return controls.say(node, integer ? 'invalid.wholeNumber' : 'invalid.number', { label, min, max });
    return controls.say(node, `invalid.${name}`, { defaultValue: controls.say(node, 'invalid.text', { label }) });
  }

  /** The value of a field if the node itself has it: a plain property or a literal, without environment variables. */
  function heldBy(node: EditorNode, name: string, given: unknown): { value: string; type?: string } | undefined {
    const { types, value: initial, stored } = fields[name] as Field;
    const value = textOf(given ?? initial);
    if (hasVariable(value)) return undefined;
    // The runtime trims credentials as well.
    if (!types) return { value: stored ? value.trim() : value };
    const type = controls.typeOf(node, name);
    return value === '' || !isSource(type) ? { value, type } : undefined;
  }

  /** The value that the runtime reads of a field, if it is a valid literal. */
  function literalOf(node: EditorNode, name: string): { value: unknown } | undefined {
    const field = fields[name] as Field;
    if (!controls.isShown(node, field)) return { value: field.value === '' ? undefined : field.value };
    const held = heldBy(node, name, controls.current(node, name));
    if (!held) return undefined;
    try {
      return { value: checkLiteral(name, field, held.value, held.type) };
    } catch {
      return undefined;
    }
  }

  /** The targets of a node, if they are valid literals. */
  function targetsOf(node: EditorNode): unknown {
    const name = Object.keys(fields).find((each) => fields[each]?.many);
    return (name && literalOf(node, name)?.value) ?? [];
  }

  /** The values of all fields that are valid literals. */
  function literalsOf(node: EditorNode): Record<string, unknown> {
    const found = Object.keys(fields).map((name) => [name, literalOf(node, name)] as const);
    return Object.fromEntries(found.flatMap(([name, literal]) => (literal ? [[name, literal.value]] : [])));
  }

  function reason(node: EditorNode, name: string, given: unknown): Reason {
    const field = fields[name] as Field;
    if (field.control === 'flag' || (field.stored && given === unseen) || !controls.isShown(node, field)) return true;
    const held = heldBy(node, name, given);
    if (!held || (held.value !== '' && (held.type === 'json' || held.type === 'bool'))) {
      const type = field.types ? controls.typeOf(node, name) : 'str';
      const valid = RED.utils.validateTypedProperty(textOf(given ?? field.value), type, {});
      if (valid !== true) return `${controls.labelOf(node, name)}: ${valid}`;
    }
    if (!held) return true;
    try {
      const input = checkLiteral(name, field, held.value, held.type);
      const known = { targets: targetsOf(node), others: field.beside ? literalsOf(node) : {} };
      return goesWith(field, input, known) || controls.say(node, `beside.${name}`);
    } catch (thrown) {
      return inWords(node, name, thrown as Error);
    }
  }

  /** The credentials whose rows depend on a field. */
  const dependants = (name: string) =>
    Object.entries(fields).filter(
      ([, field]) => field.stored && conditionsOf(field).some((condition) => name in condition)
    );

  /** Validates a credential of a node whose dialog is closed. */
  function credentialReason(node: EditorNode, name: string, field: Field): Reason {
    if (!controls.isShown(node, field)) return true;
    const known = credentialsOf(node);
    if (!known) return true;
    const value = known[name];
    // Text credentials are known, and passwords that have just been typed; of others only whether they exist.
    return reason(node, name, typeof value === 'string' && value !== '' ? value : known[`has_${name}`] ? unseen : '');
  }

  function check(node: EditorNode, name: string, value: unknown): Reason {
    const own = reason(node, name, value);
    // In an open dialog each credential is validated by itself.
    if (own !== true || node === controls.edited) return own;
    for (const [credential, field] of dependants(name)) {
      const why = credentialReason(node, credential, field);
      if (why !== true) return why;
    }
    return true;
  }

  return {
    check,
    of: (node, name) =>
      reason(node, name, fields[name]?.control === 'config' ? controls.held(name) : controls.input(name).val())
  };
}
