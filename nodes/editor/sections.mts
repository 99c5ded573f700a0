/** The parts of a form that are closed at first. */
import type { Field } from '../fields/fields.js';

/** In their order. */
export const sections = ['keep', 'advanced'] as const;

/** The part that a field is in; `undefined`: the one that is always open. */
export const sectionOf = ({ section, advanced }: Field): (typeof sections)[number] | undefined =>
  section ?? (advanced && 'advanced');
