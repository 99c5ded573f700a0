/*
 * The part of each node's editor that cannot be said in HTML: typed inputs, rows that come and go, lists to choose from,
 * and reasons why a value will not do. The build puts it into every node's page, so that no node waits for a script.
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
  offers?: string;
  example?: string;
}

/** Node-RED's own widget. */
interface JQuery {
  typedInput(options: object): JQuery;
  typedInput(method: 'value', value: string): JQuery;
  typedInput(method: 'value'): string;
}

declare const RED: {
  /** Words of the editor itself. */
  _(key: string): string;
  nodes: { eachConfig(visit: (node: { id: string; type: string }) => void): void };
  utils: { validateTypedProperty(value: string, type: string, options?: object): true | string };
};

/** Asks the runtime. What goes wrong on the way there is a reason, too. */
async function nimbusRequest<T extends { refusal?: Refusal }>(request: JQueryAjaxSettings): Promise<T> {
  try {
    return await $.ajax({ dataType: 'json', ...request });
  } catch (thrown) {
    const { status } = thrown as JQueryXHR;
    return { refusal: { kind: status === 401 || status === 403 ? 'forbidden' : 'offline' } } as T;
  }
}

// biome-ignore lint/correctness/noUnusedVariables: the build's pages call it
function nimbusForm(fields: Record<string, FieldView>, prefix: string) {
  let edited: EditorNode | undefined;
  let pickers: Record<string, Picker> = {};
  /** Fields that somebody has been to: an empty one need not be told before that it is required. */
  let visited = new Set<string>();

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

  /** What people see and type in: a typed input hides the control itself. */
  function face(name: string): JQuery {
    const typed = input(name).next('.red-ui-typedInput-container').find('.red-ui-typedInput-input');
    return typed.length > 0 ? typed : input(name);
  }

  function makeTypedInputs(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      if (!field.types) continue;
      const element = input(name);
      element.typedInput({ default: field.types[0], types: field.types, typeField: `#${prefix}-${name}Type` });
      const label = labelOf(node, name);
      const container = element.next('.red-ui-typedInput-container').attr({ role: 'group', 'aria-label': label });
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
  function offerExample(node: EditorNode, name: string, field: FieldView, example: string): void {
    const element = input(name);
    let last = typeOf(node, name, field);
    element.on('change', () => {
      const type = typeOf(node, name, field);
      if (type === last) return;
      const value = String(element.val());
      const untouched = value === '' || value === String(field.value);
      const from = last;
      last = type;
      if (type === 'jsonata' && untouched) element.typedInput('value', example);
      else if (from === 'jsonata' && value === example) {
        element.typedInput('value', type === field.types?.[0] ? String(field.value) : '');
      }
    });
  }

  /** A field's value where the dialog itself holds it: not a path or an expression. */
  function literal(node: EditorNode, name: string): string {
    const field = fields[name];
    if (!field || (field.types && typeOf(node, name, field) !== 'str')) return '';
    return String(current(node, name));
  }

  /** Lists that the machine itself has. */
  const ofMachine = ['regions', 'profiles'];

  /** Asks the runtime for a page of a list. It answers in time, or there is a reason. */
  async function ask(node: EditorNode, list: string, after: string): Promise<ChoicePage> {
    const account = ofMachine.includes(list) ? '' : String(input('account').val() ?? '');
    if (!ofMachine.includes(list) && (account === '' || account === '_ADD_')) return { refusal: { kind: 'noAccount' } };
    const of = list === 'qualifiers' ? literal(node, 'functionName') : '';
    if (list === 'qualifiers' && of === '') return { refusal: { kind: 'noFunction' } };
    const data = { account, region: list === 'regions' ? '' : literal(node, 'region'), of, after };
    return nimbusRequest({ url: `aws-account/choices/${list}`, data, timeout: 5000 });
  }

  function makePickers(node: EditorNode): void {
    pickers = {};
    for (const [name, { offers, types }] of Object.entries(fields)) {
      const [control] = types ? input(name).next('.red-ui-typedInput-container') : input(name);
      if (!offers || !control) continue;
      const label = labelOf(node, name);
      const choose = (value: string) => {
        if (types) input(name).typedInput('value', value);
        input(name).val(value).trigger('change');
      };
      const picker = nimbusPicker({
        control,
        label,
        choose,
        say: (key, options) => say(node, key, options),
        value: () => String(input(name).val() ?? ''),
        ask: (after) => ask(node, offers, after)
      });
      pickers[name] = picker;
      face(name).on('keydown', ({ altKey, key }) => {
        if (altKey && key === 'ArrowDown') picker.open();
      });
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

  /** Marks a control, and says why under it. */
  function mark(name: string, why: true | string): void {
    const control = face(name);
    const row = control.closest('.form-row');
    const empty = String(input(name).val() ?? '') === '';
    const text = why === true || (empty && !visited.has(name)) ? '' : why;
    const container = input(name).next('.red-ui-typedInput-container');
    (container.length > 0 ? container : input(name)).toggleClass('input-error', why !== true);
    control.attr('aria-invalid', String(why !== true));
    const id = `${prefix}-${name}-reason`;
    let reason = row.children('.nimbus-reason');
    if (reason.length === 0 && text === '') return;
    if (reason.length === 0) {
      reason = $('<div class="nimbus-reason" role="alert"></div>').attr('id', id);
      const hint = row.children('[id$="-hint"]').first();
      if (hint.length > 0) reason.insertBefore(hint);
      else row.append(reason);
      control.attr('aria-describedby', [id, input(name).attr('aria-describedby')].filter(Boolean).join(' '));
    }
    if (reason.text() !== text) reason.text(text);
  }

  /** Node-RED marks plain controls itself, but not credentials, and a typed input hides its own. */
  function markAll(node: EditorNode): void {
    for (const [name, field] of Object.entries(fields)) {
      const value = input(name).val();
      mark(name, field.stored ? credentialReason(node, name, field) : reason(node, name, value));
    }
    const account = input('account');
    if (account.length === 0 || prefix !== 'node-input') return;
    const chosen = account.val() && account.val() !== '_ADD_';
    mark('account', chosen ? true : say(node, 'invalid.required', { label: labelOf(node, 'account') }));
  }

  /** Rows, hints, lists and marks follow every change. */
  function follow(node: EditorNode): void {
    const update = () => {
      show(node);
      markAll(node);
      for (const [name, picker] of Object.entries(pickers)) {
        const field = fields[name] as FieldView;
        picker.enable(!field.types || typeOf(node, name, field) === 'str');
      }
    };
    for (const name of [...Object.keys(fields), 'account']) {
      input(name).on('input', () => visited.add(name));
      input(name).on('change input', update);
      // A typed input passes on what is typed only when it is left.
      if (fields[name]?.types) {
        face(name).on('input', () => {
          input(name).val(input(name).typedInput('value'));
          update();
        });
      }
      input(name)
        .closest('.form-row')
        .on('focusout', () => {
          visited.add(name);
          markAll(node);
        });
    }
    update();
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
      visited = new Set();
      openAdvanced(node);
      fillDefaults(node);
      makeTypedInputs(node);
      makePickers(node);
      follow(node);
      chooseOnlyAccount(node);
    },
    leave(): void {
      for (const picker of Object.values(pickers)) picker.close();
      edited = undefined;
    }
  };
}
