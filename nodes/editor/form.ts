/**
 * What the form of each node does beside its HTML: typed inputs, rows that are shown or hidden, lists to choose from, previews
 * of expressions, and messages about values that are not valid.
 */
import { regionCalled } from '../account/regions';
import type { Fields } from '../fields/fields';
import { Controls, textOf } from './controls';
import { type Lists, makeLists } from './lists';
import { makeMarks } from './marks';
import type { EditorNode } from './node-red';
import { openChanged, openWhere, showParts } from './parts';
import { addPreviews } from './preview';
import { Reasons } from './reasons';
import { addTrial } from './trial';
import { makeTypedInputs } from './typed-inputs';

/** The part of the form that belongs to one type of node. */
interface OwnPart {
  fields: Fields;
  /** From the node's own editor file: called when the dialog is open and filled in. */
  prepare?(node: EditorNode, fields: Fields): void;
}

/** Fills in, as the runtime reads it, what is not text, and the defaults of properties that the flow does not have. */
function fillDefaults(controls: Controls, node: EditorNode): void {
  for (const [name, field] of Object.entries(controls.fields)) {
    if (field.stored) continue;
    // Node-RED would tick the checkbox for the text "false".
    if (field.control === 'flag') controls.input(name).prop('checked', String(node[name] ?? field.value) === 'true');
    else if (node[name] === undefined || typeof node[name] === 'object') {
      const text = textOf(node[name] ?? field.value);
      // The option of Node-RED for no config node.
      controls.input(name).val(field.control === 'config' && text === '' ? '_ADD_' : text);
    }
  }
}

/** Sets the accessible names. Otherwise Node-RED uses the message about a value that was not valid. */
function nameControls(controls: Controls, node: EditorNode): void {
  for (const name of [...Object.keys(controls.fields), 'account']) {
    const { types, control } = controls.fields[name] ?? {};
    if (types || control === 'flag') continue;
    controls.input(name).attr('aria-label', controls.labelOf(node, name)).removeData('red-ui-tooltip-managed');
  }
}

/**
 * Removes spaces around a pasted value, if the field has a pattern: in other texts they may be intended. A region in words
 * becomes its name.
 */
function tidy(controls: Controls, node: EditorNode, name: string): void {
  const text = controls.literal(node, name);
  const { pattern, stored, types, offers } = controls.fields[name] ?? {};
  if (!pattern || stored) return;
  const tidied = (offers === 'regions' && regionCalled(text)) || text.trim();
  if (tidied === text) return;
  if (types) controls.input(name).typedInput('value', tidied);
  else controls.input(name).val(tidied).trigger('change');
}

/** Updates rows, hints, lists and marks after every change. */
function follow(controls: Controls, reasons: Reasons, lists: Lists, node: EditorNode): void {
  const { fields } = controls;
  const marks = makeMarks(controls, reasons);
  const update = () => {
    showParts(controls, node);
    marks.update(node);
    // Invalid values must be visible.
    openWhere(controls, (name) => reasons.of(node, name) !== true);
    for (const [name, list] of Object.entries(lists)) {
      list.enable(!fields[name]?.types || controls.typeOf(node, name) === 'str');
    }
  };
  for (const name of [...Object.keys(fields), 'account']) {
    const input = controls.input(name);
    input.on('input', () => marks.visit(name));
    input.on('change input', update);
    // A typed input updates its control only when it loses the focus.
    if (fields[name]?.types) {
      controls.face(name).on('input', () => {
        input.val(input.typedInput('value'));
        update();
      });
    }
    controls.row(name).on('focusout', ({ currentTarget, relatedTarget }) => {
      // The list beside the field belongs to its row.
      if (relatedTarget instanceof Node && currentTarget.contains(relatedTarget)) return;
      marks.visit(name);
      tidy(controls, node, name);
      marks.update(node);
    });
  }
  update();
}

/** Chooses the account if there is only one that the node can use. */
function chooseOnlyAccount(controls: Controls, node: EditorNode): void {
  const select = controls.input('account');
  const ids = select.children('option').map((_, option) => $(option).attr('value'));
  const [only, ...others] = ids.toArray().filter((id) => id !== '' && id !== '_ADD_');
  if (node.account === '' && only !== undefined && others.length === 0) select.val(only).trigger('change');
}

/** The form of a type of node. The IDs of its controls begin with `prefix`. */
export function makeForm({ fields, prepare }: OwnPart, prefix: string) {
  const controls = new Controls(fields, prefix);
  const reasons = new Reasons(controls);
  let lists: Lists = {};
  let endPreviews = () => {};
  let endTrial = () => {};

  function leave(node: EditorNode): void {
    if (node !== controls.edited) return;
    for (const list of Object.values(lists)) list.close();
    endPreviews();
    endTrial();
    controls.edited = undefined;
  }

  return {
    check: (node: EditorNode, name: string, value: unknown) => reasons.check(node, name, value),
    prepare(node: EditorNode): void {
      controls.edited = node;
      openChanged(controls, node);
      fillDefaults(controls, node);
      makeTypedInputs(controls, node);
      lists = makeLists(controls, node);
      nameControls(controls, node);
      follow(controls, reasons, lists, node);
      endPreviews = addPreviews(controls, reasons, node);
      endTrial = addTrial(controls, node);
      chooseOnlyAccount(controls, node);
      prepare?.(node, fields);
    },
    /** Clears credentials whose rows are hidden, so that they do not stay in the credential store unseen. */
    save(node: EditorNode): void {
      if (node !== controls.edited) return;
      for (const [name, field] of Object.entries(fields)) {
        if (field.stored && !controls.isShown(node, field)) controls.input(name).val('');
      }
      leave(node);
    },
    leave
  };
}
