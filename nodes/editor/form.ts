/*
 * The part of each node's editor that cannot be said in HTML: typed inputs, rows that come and go, and reasons why a
 * value will not do. The build puts it into every node's page, so that no node waits for a script of its own.
 */

interface EditorNode {
  id: string;
  credentials?: Record<string, unknown>;
  _def: { _: (key: string, options?: object) => string };
  [property: string]: unknown;
}

/** What the build passes on of a field's description. */
interface FieldView {
  control: string;
  types?: string[];
  value: string | number | boolean;
  required: boolean;
  many?: boolean;
  stored?: string;
  options?: string[];
  pattern?: [source: string, flags: string];
  maxLength?: number;
  min?: number;
  max?: number;
  integer?: boolean;
  when?: Record<string, string[] | 'filled'>;
  advanced?: boolean;
}

/** Node-RED's own widget. */
interface JQuery {
  typedInput(options: object): JQuery;
}

interface Tooltip {
  setContent(text: string): void;
  delete(): void;
}

declare const RED: {
  popover: { tooltip(target: JQuery, text: string): Tooltip };
  nodes: { eachConfig(visit: (node: { id: string; type: string }) => void): void };
  utils: { validateTypedProperty(value: string, type: string, options?: object): true | string };
};

// biome-ignore lint/correctness/noUnusedVariables: the build's pages call it
function nimbusForm(fields: Record<string, FieldView>, prefix: string) {
  let edited: EditorNode | undefined;

  const input = (name: string) => $(`#${prefix}-${name}`);
  const say = (node: EditorNode, key: string, options: object = {}) => node._def._(key, options);
  const labelOf = (node: EditorNode, name: string) => say(node, `label.${name}`);
  const isEnv = (value: string) => /\$\{[^}]+\}/.test(value);

  /** A property's value: from the open dialog while its node is edited, else as the node holds it. */
  function current(node: EditorNode, name: string): unknown {
    if (node !== edited || input(name).length === 0) return node[name] ?? fields[name]?.value ?? '';
    return fields[name]?.control === 'flag' ? input(name).prop('checked') : input(name).val();
  }

  function typeOf(node: EditorNode, name: string, field: FieldView): string {
    const held = node === edited ? input(`${name}Type`).val() : undefined;
    return String(held || node[`${name}Type`] || field.types?.[0]);
  }

  function isShown(node: EditorNode, field: FieldView): boolean {
    return Object.entries(field.when ?? {}).every(([name, values]) => {
      const value = String(current(node, name));
      return values === 'filled' ? value !== '' : values.includes(value);
    });
  }

  function numberReason(node: EditorNode, name: string, field: FieldView, value: string): true | string {
    const { min = -Infinity, max = Infinity, integer = false } = field;
    const number = Number(value);
    if (value.trim() !== '' && number >= min && number <= max && (!integer || Number.isInteger(number))) return true;
    return say(node, integer ? 'invalid.wholeNumber' : 'invalid.number', { label: labelOf(node, name), min, max });
  }

  function textReason(node: EditorNode, name: string, field: FieldView, value: string): true | string {
    const { pattern, maxLength = Infinity } = field;
    if (value.length <= maxLength && (!pattern || new RegExp(...pattern).test(value))) return true;
    return say(node, `invalid.${name}`, { defaultValue: say(node, 'invalid.text', { label: labelOf(node, name) }) });
  }

  function literalReason(node: EditorNode, name: string, field: FieldView, value: string): true | string {
    if (isEnv(value)) return true;
    if (field.control === 'number') return numberReason(node, name, field, value);
    return field.control === 'text' || field.control === 'secret' ? textReason(node, name, field, value) : true;
  }

  function reason(node: EditorNode, name: string, given: unknown): true | string {
    const field = fields[name] as FieldView;
    const value = String(given ?? field.value);
    if (field.control === 'flag' || !isShown(node, field)) return true;
    if (value === '') return !field.required || say(node, 'invalid.required', { label: labelOf(node, name) });
    if (!field.types) return literalReason(node, name, field, value);
    const type = typeOf(node, name, field);
    const literal = type === 'str' || type === 'num';
    if (literal && field.control !== 'json') return literalReason(node, name, field, value);
    const valid = RED.utils.validateTypedProperty(value, type, {});
    return valid === true || `${labelOf(node, name)}: ${valid}`;
  }

  /** Stored credentials that depend on a field. Unless the dialog is open, the editor only knows whether they are set. */
  const dependants = (name: string) =>
    Object.entries(fields).filter(([, field]) => field.stored && field.when && name in field.when);

  function credentialReason(node: EditorNode, name: string, field: FieldView): true | string {
    if (node === edited) {
      const value = String(input(name).val() ?? '');
      return value === '__PWRD__' ? true : reason(node, name, value);
    }
    if (!node.credentials || !field.required || !isShown(node, field)) return true;
    const known = node.credentials[name] || node.credentials[`has_${name}`];
    return known ? true : say(node, 'invalid.required', { label: labelOf(node, name) });
  }

  /** Why a property's value will not do, in words, or true. */
  function check(node: EditorNode, name: string, value: unknown): true | string {
    const own = reason(node, name, value);
    if (own !== true) return own;
    for (const [credential, field] of dependants(name)) {
      const why = credentialReason(node, credential, field);
      if (why !== true) return why;
    }
    return true;
  }

  /** Flows that were not made in this editor may leave properties out: the runtime takes their defaults, so does the form. */
  function fillDefaults(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.stored || node[name] !== undefined) continue;
      if (field.control === 'flag') input(name).prop('checked', field.value);
      else input(name).val(field.value as string);
    }
  }

  function makeTypedInputs(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (!field.types) continue;
      const element = input(name);
      element.typedInput({ default: field.types[0], types: field.types, typeField: `#${prefix}-${name}Type` });
      const hint = element.attr('aria-describedby') ?? null;
      element
        .next('.red-ui-typedInput-container')
        .find('input')
        .attr({ 'aria-label': labelOf(node, name), 'aria-describedby': hint });
    }
  }

  /** Shows the rows that matter, and of a choice's hints the one for what is chosen. */
  function show(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (field.when) input(name).closest('.form-row').toggle(isShown(node, field));
    }
    for (const hint of $('.nimbus-hint[data-option]').toArray()) {
      const { field = '', option } = hint.dataset;
      $(hint).toggle(input(field).val() === option);
    }
  }

  /** Marks a control, and says why when the pointer rests on it. */
  function mark(control: JQuery, why: true | string): void {
    control.toggleClass('input-error', why !== true);
    const tooltip: Tooltip | undefined = control.data('nimbus-tooltip');
    if (why === true) {
      tooltip?.delete();
      control.removeData('nimbus-tooltip');
    } else if (tooltip) tooltip.setContent(why);
    else control.data('nimbus-tooltip', RED.popover.tooltip(control, why));
  }

  /** Node-RED marks plain controls itself. Credentials have no validators there, and a typed input hides its own. */
  function markAll(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      const element = input(name);
      if (field.stored) mark(element, credentialReason(node, name, field));
      else if (field.types) mark(element.next('.red-ui-typedInput-container'), check(node, name, element.val()));
    }
  }

  /** Rows, hints and marks follow every change. */
  function follow(node: EditorNode): void {
    for (const name of Object.keys(fields)) {
      input(name).on('change input', () => {
        show(node);
        markAll(node);
      });
    }
  }

  /** Where there is one account only, it is the one that is meant. */
  function chooseOnlyAccount(node: EditorNode): void {
    const accounts: string[] = [];
    RED.nodes.eachConfig(({ id, type }) => {
      if (type === 'aws-account') accounts.push(id);
    });
    const [only] = accounts;
    if (node.account === '' && only && accounts.length === 1) input('account').val(only).trigger('change');
  }

  /** The advanced part opens by itself where something in it was set. */
  function openAdvanced(node: EditorNode): void {
    const changed = Object.entries(fields).some(
      ([name, field]) => field.advanced && node[name] !== undefined && String(node[name]) !== String(field.value)
    );
    $(`#${prefix}-advanced`).prop('open', changed);
  }

  return {
    check,
    prepare(node: EditorNode): void {
      edited = node;
      openAdvanced(node);
      fillDefaults(node);
      makeTypedInputs(node);
      follow(node);
      chooseOnlyAccount(node);
      show(node);
      markAll(node);
    },
    leave(): void {
      edited = undefined;
    }
  };
}
