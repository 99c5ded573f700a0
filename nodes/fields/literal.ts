/** Checks values that are typed in a dialog with the runtime's own code, which the build bundles for the editor. */
import type { Field } from './fields';
import { checkValue, toInput } from './read';
import { literal } from './values';

/**
 * Checks a plain property, or a typed field's literal of the given type, as the runtime does. Returns the value that `run`
 * would get. Throws `MissingValue` or `InvalidValue`.
 */
export function checkLiteral(name: string, field: Field, value: unknown, type?: string): unknown {
  const given = type !== undefined && value === '' ? undefined : value;
  const isTyped = type !== undefined && given !== undefined;
  const found = isTyped ? literal(name, { value: given, type }, field.secret) : given;
  const input = toInput(name, field, { required: field.required, typed: type === 'str', origin: 'the node' }, found);
  if (field.many && Array.isArray(found)) for (const target of found) checkValue(name, field, target);
  return input;
}

/** What a dialog knows of a node: its targets that are literals, and the checked values of its other fields. */
interface Known {
  targets: unknown;
  others: Readonly<Record<string, unknown>>;
}

/** Whether a field's checked literal, or the lack of one, fits the targets and the other fields. */
export function goesWith(field: Field, input: unknown, { targets, others }: Known): boolean {
  try {
    for (const target of [targets].flat()) field.besideTarget?.(input, String(target));
    field.beside?.(input, others);
    return true;
  } catch {
    return false;
  }
}
