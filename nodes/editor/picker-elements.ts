/** The elements of a picker: a button beside the field, and the panel that it opens. */

/** Gives a text in the editor's language. */
export type Say = (key: string, options?: object) => string;

type Attributes = Readonly<Record<string, string>>;

export function makeElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  attributes: Attributes = {}
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function iconButton(className: string, icon: string, title: string, attributes: Attributes = {}): HTMLButtonElement {
  const button = makeElement('button', `red-ui-button ${className}`, {
    type: 'button',
    title,
    'aria-label': title,
    ...attributes
  });
  button.append(makeElement('i', `fa ${icon}`, { 'aria-hidden': 'true' }));
  return button;
}

export interface PickerElements {
  button: HTMLButtonElement;
  panel: HTMLDivElement;
  search: HTMLInputElement;
  reload: HTMLButtonElement;
  list: HTMLDivElement;
  /** Says how many values there are, or why there are none. */
  state: HTMLDivElement;
  note: HTMLDivElement;
}

/** Makes the elements; they are not in the page yet. `label` is that of the field. */
export function makePickerElements(label: string, say: Say): PickerElements {
  const id = `nimbus-choices-${Math.random().toString(36).slice(2)}`;
  const title = say('picker.open', { label });
  const panel = makeElement('div', 'nimbus-choices');
  const search = makeElement('input', '', {
    type: 'text',
    role: 'combobox',
    placeholder: say('picker.search'),
    'aria-label': `${title}: ${say('picker.search')}`,
    'aria-controls': id,
    'aria-expanded': 'true',
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false'
  });
  const reload = iconButton('nimbus-reload', 'fa-refresh', say('picker.reload'));
  const list = makeElement('div', 'nimbus-choice-list', { id, role: 'listbox', 'aria-label': label, tabindex: '-1' });
  const state = makeElement('div', 'nimbus-choice-state', { role: 'status' });
  const note = makeElement('div', 'nimbus-choice-note', { role: 'status' });
  panel.append(search, reload, note, list, state);
  const button = iconButton('nimbus-pick', 'fa-list', title, { 'aria-haspopup': 'listbox', 'aria-expanded': 'false' });
  return { button, panel, search, reload, list, state, note };
}
