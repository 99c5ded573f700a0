/**
 * What the form of each node does beside its HTML: typed inputs, rows that are shown or hidden, lists to choose from, and
 * messages about values that are not valid.
 */
import type { Field, Fields } from '../fields/fields';
import { Controls, textOf } from './controls';
import { type Lists, makeLists } from './lists';
import { makeMarks } from './marks';
import type { EditorNode } from './node-red';
import { makeReasons } from './reasons';
import { sectionOf, sections } from './sections.mts';

/** The part of the form that belongs to one type of node. */
interface OwnPart {
  fields: Fields;
  /** From the node's own editor file: called when the dialog is open and filled in. */
  prepare?(node: EditorNode, fields: Fields): void;
}

/** The form of a type of node. The IDs of its controls begin with `prefix`. */
export function makeForm({ fields, prepare }: OwnPart, prefix: string) {
  const controls = new Controls(fields, prefix);
  const reasons = makeReasons(controls);
  let lists: Lists = {};

  /** Fills in, as the runtime reads it, what is not text, and the defaults of properties that the flow does not have. */
  function fillDefaults(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
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

  function makeTypedInputs(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (!field.types) continue;
      const element = controls.input(name);
      element.typedInput({ default: field.types[0], types: [...field.types], typeField: `#${prefix}-${name}Type` });
      const label = controls.labelOf(node, name);
      const container = controls.container(name).attr({ role: 'group', 'aria-label': label });
      container
        .find('input')
        .attr({ 'aria-label': label, 'aria-describedby': element.attr('aria-describedby') ?? null });
      // Node-RED's button with three dots has no accessible name.
      const expand = `${label}: ${RED._('markdownEditor.expand')}`;
      container.find('.red-ui-typedInput-option-expand').attr({ 'aria-label': expand, title: expand });
      if (field.example) offerExample(node, name, field, field.example);
    }
  }

  /** Offers an example when the type becomes an expression, and removes it, if unchanged, when the type changes again. */
  function offerExample(node: EditorNode, name: string, field: Field, example: string): void {
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

  /** Shows the rows whose conditions are met, and the hint of each chosen option. */
  function show(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.when) controls.row(name).toggle(controls.isShown(node, field));
    }
    for (const section of sections) {
      partOf(section).toggle(
        Object.values(fields).some((field) => sectionOf(field) === section && controls.isShown(node, field))
      );
    }
    for (const hint of $('.nimbus-hint[data-option]').toArray()) {
      const { field = '', option } = hint.dataset;
      $(hint).toggle(controls.input(field).val() === option);
    }
  }

  /** Removes spaces around a pasted value, if the field has a pattern: in other texts they may be intended. */
  function trim(node: EditorNode, name: string): void {
    const text = controls.literal(node, name);
    const { pattern, stored, types } = fields[name] ?? {};
    if (!pattern || stored || text.trim() === text) return;
    if (types) controls.input(name).typedInput('value', text.trim());
    else controls.input(name).val(text.trim()).trigger('change');
  }

  /** Sets the accessible names. Otherwise Node-RED uses the message about a value that was not valid. */
  function nameControls(node: EditorNode): void {
    for (const name of [...Object.keys(fields), 'account']) {
      if (fields[name]?.types || fields[name]?.control === 'flag') continue;
      controls.input(name).attr('aria-label', controls.labelOf(node, name)).removeData('red-ui-tooltip-managed');
    }
  }

  /** Updates rows, hints, lists and marks after every change. */
  function follow(node: EditorNode): void {
    const marks = makeMarks(controls, reasons);
    const isWrong = (name: string) => reasons.of(node, name) !== true;
    const update = () => {
      show(node);
      marks.update(node);
      // Invalid values must be visible.
      openWhere(isWrong);
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
        if (relatedTarget && currentTarget.contains(relatedTarget as Node)) return;
        marks.visit(name);
        trim(node, name);
        marks.update(node);
      });
    }
    update();
  }

  /** Chooses the account if there is only one that the node can use. */
  function chooseOnlyAccount(node: EditorNode): void {
    const options = controls.input('account').children('option').toArray() as HTMLOptionElement[];
    const accounts = options.map(({ value }) => value).filter((value) => value !== '' && value !== '_ADD_');
    const [only] = accounts;
    if (node.account === '' && only && accounts.length === 1) controls.input('account').val(only).trigger('change');
  }

  const partOf = (section: string) => $(`#${prefix}-${section}-section`);

  /** Opens the parts that have such a field. */
  function openWhere(isSuch: (name: string, field: Field) => boolean): void {
    for (const [name, field] of Object.entries(fields)) {
      const section = sectionOf(field);
      if (section && isSuch(name, field)) partOf(section).prop('open', true);
    }
  }

  /** Opens the parts in which something is not the default. */
  function openChanged(node: EditorNode): void {
    openWhere((name, { value }) => node[name] !== undefined && String(node[name]) !== String(value));
  }

  function leave(node: EditorNode): void {
    if (node !== controls.edited) return;
    for (const list of Object.values(lists)) list.close();
    controls.edited = undefined;
  }

  return {
    check: reasons.check,
    prepare(node: EditorNode): void {
      controls.edited = node;
      openChanged(node);
      fillDefaults(node);
      makeTypedInputs(node);
      lists = makeLists(controls, node);
      nameControls(node);
      follow(node);
      chooseOnlyAccount(node);
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
