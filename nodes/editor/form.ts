/**
 * The part of each node's editor that cannot be said in HTML: typed inputs, rows that come and go, lists to choose from,
 * and reasons why a value will not do.
 */
import type { Field, Fields } from '../fields/fields';
import { Controls } from './controls';
import { type Lists, makeLists } from './lists';
import { makeMarks } from './marks';
import type { EditorNode } from './node-red';
import { makeReasons } from './reasons';

/** What one node has for itself. */
export interface OwnPart {
  fields: Fields;
  /** Of its own editor file: adds to its dialog, which is filled in by then. */
  prepare?(node: EditorNode, fields: Fields): void;
}

/** The form of a type of node; the ids of its controls begin with `prefix`. */
export function makeForm({ fields, prepare }: OwnPart, prefix: string) {
  const controls = new Controls(fields, prefix);
  const reasons = makeReasons(controls);
  let lists: Lists = {};

  /** Flows that were not made in this editor may leave properties out: the runtime takes their defaults, so does the form. */
  function fillDefaults(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.stored) continue;
      // A box would be ticked by the text "false".
      if (field.control === 'flag') controls.input(name).prop('checked', String(node[name] ?? field.value) === 'true');
      else if (node[name] === undefined || node[name] === null) controls.input(name).val(field.value as string);
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
      // Node-RED's button with three dots has no name.
      const expand = `${label}: ${RED._('markdownEditor.expand')}`;
      container.find('.red-ui-typedInput-option-expand').attr({ 'aria-label': expand, title: expand });
      if (field.example) offerExample(node, name, field, field.example);
    }
  }

  /** Whoever chooses an expression begins with one that works, and may leave it again. */
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
      // A typed input keeps it, and may bring it back later under another type.
      else if (type !== 'jsonata' && value === example) {
        element.typedInput('value', type === field.types?.[0] ? String(field.value) : '');
      }
    });
  }

  /** Shows the rows that matter, and of a choice's hints the one for what is chosen. */
  function show(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.when) controls.row(name).toggle(controls.isShown(node, field));
    }
    for (const hint of $('.nimbus-hint[data-option]').toArray()) {
      const { field = '', option } = hint.dataset;
      $(hint).toggle(controls.input(field).val() === option);
    }
  }

  /** Blanks around what was pasted. Only names, which have a pattern, may not have them. */
  function trim(node: EditorNode, name: string): void {
    const text = controls.literal(node, name);
    const { pattern, stored, types } = fields[name] ?? {};
    if (!pattern || stored || text.trim() === text) return;
    if (types) controls.input(name).typedInput('value', text.trim());
    else controls.input(name).val(text.trim()).trigger('change');
  }

  /** Else Node-RED names a control after what was once wrong with it. */
  function nameControls(node: EditorNode): void {
    for (const name of [...Object.keys(fields), 'account']) {
      if (fields[name]?.types || fields[name]?.control === 'flag') continue;
      controls.input(name).attr('aria-label', controls.labelOf(node, name)).removeData('red-ui-tooltip-managed');
    }
  }

  /** Rows, hints, lists and marks follow every change. */
  function follow(node: EditorNode): void {
    const marks = makeMarks(controls, reasons);
    const isWrong = (name: string) => reasons.of(node, name) !== true;
    const update = () => {
      show(node);
      marks.update(node);
      // What is wrong has to be seen.
      if (Object.keys(fields).some((name) => fields[name]?.advanced && isWrong(name))) openAdvanced();
      for (const [name, list] of Object.entries(lists)) {
        list.enable(!fields[name]?.types || controls.typeOf(node, name) === 'str');
      }
    };
    for (const name of [...Object.keys(fields), 'account']) {
      const input = controls.input(name);
      input.on('input', () => marks.visit(name));
      input.on('change input', update);
      // A typed input passes on what is typed only when it is left.
      if (fields[name]?.types) {
        controls.face(name).on('input', () => {
          input.val(input.typedInput('value'));
          update();
        });
      }
      controls.row(name).on('focusout', ({ currentTarget, relatedTarget }) => {
        // To the list beside the field is not away from it.
        if (relatedTarget && currentTarget.contains(relatedTarget as Node)) return;
        marks.visit(name);
        trim(node, name);
        marks.update(node);
      });
    }
    update();
  }

  /** Where there is one account only, it is the one that is meant: of those that this node can use. */
  function chooseOnlyAccount(node: EditorNode): void {
    const options = controls.input('account').children('option').toArray() as HTMLOptionElement[];
    const accounts = options.map(({ value }) => value).filter((value) => value !== '' && value !== '_ADD_');
    const [only] = accounts;
    if (node.account === '' && only && accounts.length === 1) controls.input('account').val(only).trigger('change');
  }

  const openAdvanced = () => $(`#${prefix}-advanced`).prop('open', true);

  /** The advanced part opens by itself where something in it was set. */
  function openChanged(node: EditorNode): void {
    const changed = Object.entries(fields).some(
      ([name, field]) => field.advanced && node[name] !== undefined && String(node[name]) !== String(field.value)
    );
    if (changed) openAdvanced();
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
    /** What no longer applies does not stay in the credential store, where nobody sees it. */
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
