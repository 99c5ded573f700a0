/** What a dialog knows of a node's values without running the flow: its valid literals. */
import { type Field, isSource } from '../fields/fields';
import { checkLiteral } from '../fields/literal';
import { type Controls, hasVariable, textOf } from './controls';
import type { EditorNode } from './node-red';

/** A value that stands in the node itself. `type` is absent for a plain property. */
interface Held {
  value: string;
  type?: string;
}

/** The value of a field if the node itself has it: a plain property or a literal, without environment variables. */
export function heldBy(
  controls: Controls,
  node: EditorNode,
  name: string,
  { types, value: initial, stored }: Field,
  given: unknown
): Held | undefined {
  const value = textOf(given ?? initial);
  if (hasVariable(value)) return undefined;
  // The runtime trims credentials as well.
  if (!types) return { value: stored ? value.trim() : value };
  const type = controls.typeOf(node, name);
  return value === '' || !isSource(type) ? { value, type } : undefined;
}

/** The value that the runtime reads of a field, if it is a valid literal. */
function literalOf(controls: Controls, node: EditorNode, name: string, field: Field): { value: unknown } | undefined {
  if (!controls.isShown(node, field)) return { value: field.value === '' ? undefined : field.value };
  const held = heldBy(controls, node, name, field, controls.current(node, name));
  if (!held) return undefined;
  try {
    return { value: checkLiteral(name, field, held.value, held.type) };
  } catch {
    return undefined;
  }
}

/** The targets of a node, if they are valid literals. */
export function targetsOf(controls: Controls, node: EditorNode): unknown {
  const many = Object.entries(controls.fields).find(([, field]) => field.many);
  return (many && literalOf(controls, node, ...many)?.value) ?? [];
}

/** The values of all fields that are valid literals. */
export function literalsOf(controls: Controls, node: EditorNode): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(controls.fields)) {
    const literal = literalOf(controls, node, name, field);
    if (literal) found[name] = literal.value;
  }
  return found;
}
