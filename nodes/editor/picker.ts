/**
 * A list to choose from beside a field, into which any value can still be typed. A button opens the list, a search box
 * filters it, and its pages are requested while it is open.
 */
import type { Choice, ChoicePage as RuntimePage } from '../dialog/choices';
import type { Refusal } from './request';

/** A page of a list, or why there is none; `note` is shown above the list. */
export type ChoicePage = Partial<RuntimePage> & { refusal?: Refusal; note?: string };

interface PickerOptions {
  /** The control; the button is added after it, and the list below its row. */
  control: HTMLElement;
  /** The label of the field. */
  label: string;
  say(key: string, options?: object): string;
  /** The value of the field, which is marked in the list. */
  value(): string;
  ask(after: string): Promise<ChoicePage>;
  choose(value: string): void;
}

export interface Picker {
  /** Hides the button, for values that are not literals. */
  enable(enabled: boolean): void;
  open(): void;
  close(): void;
}

/** How many rows are rendered at a time; scrolling renders more. */
const rowsAtOnce = 200;

function makeElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  attributes: Record<string, string> = {}
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export function makePicker({ control, label, say, value, ask, choose }: PickerOptions): Picker {
  const id = `nimbus-choices-${Math.random().toString(36).slice(2)}`;
  const title = say('picker.open', { label });
  const button = makeElement('button', 'red-ui-button nimbus-pick', {
    type: 'button',
    title,
    'aria-label': title,
    'aria-haspopup': 'listbox',
    'aria-expanded': 'false'
  });
  button.append(makeElement('i', 'fa fa-list', { 'aria-hidden': 'true' }));
  control.after(button);

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
  const reload = makeElement('button', 'red-ui-button nimbus-reload', {
    type: 'button',
    title: say('picker.reload'),
    'aria-label': say('picker.reload')
  });
  reload.append(makeElement('i', 'fa fa-refresh', { 'aria-hidden': 'true' }));
  const list = makeElement('div', 'nimbus-choice-list', { id, role: 'listbox', 'aria-label': label, tabindex: '-1' });
  const state = makeElement('div', 'nimbus-choice-state', { role: 'status' });
  const note = makeElement('div', 'nimbus-choice-note', { role: 'status' });
  panel.append(search, reload, note, list, state);

  let found: Choice[] = [];
  let matching: Choice[] = [];
  let active = -1;
  /** Counts the requests for the list; answers to earlier ones are ignored. */
  let opening = 0;
  let isOpen = false;
  let isComplete = false;
  let isEnabled = true;
  /** The element that had the focus before, and gets it back. */
  let opener: HTMLElement = button;

  const textOf = ({ value, label = '', detail = '' }: Choice) => `${label} ${value} ${detail}`.toLowerCase();

  function rowOf(choice: Choice, index: number): HTMLElement {
    const chosen = choice.value === value();
    const row = makeElement('div', 'nimbus-choice', {
      id: `${id}-${index}`,
      role: 'option',
      'aria-selected': String(chosen),
      title: choice.value
    });
    const name = makeElement('span', 'nimbus-choice-name');
    name.textContent = choice.label ?? choice.value;
    const detail = makeElement('span', 'nimbus-choice-detail');
    // The value that the field will get has to be visible.
    detail.textContent = choice.label === undefined ? (choice.detail ?? '') : choice.value;
    row.append(name, detail);
    return row;
  }

  /** Renders the rows up to this one, and some more. */
  function makeRows(upTo: number): void {
    const from = list.childElementCount;
    if (upTo < from) return;
    const rows = matching.slice(from, upTo + rowsAtOnce).map((choice, index) => rowOf(choice, from + index));
    list.append(...rows);
  }

  function setActive(index: number): void {
    list.children[active]?.classList.remove('nimbus-active');
    active = Math.max(-1, Math.min(index, matching.length - 1));
    makeRows(active);
    const row = list.children[active];
    row?.classList.add('nimbus-active');
    row?.scrollIntoView({ block: 'nearest' });
    if (row) search.setAttribute('aria-activedescendant', row.id);
    else search.removeAttribute('aria-activedescendant');
  }

  function sayState(): void {
    const options = { count: matching.length, total: found.length };
    if (!isComplete) state.textContent = say('picker.loading', options);
    else if (found.length === 0) state.textContent = say('picker.none');
    else state.textContent = say(matching.length === found.length ? 'picker.all' : 'picker.some', options);
  }

  const words = () => search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (choices: Choice[]) => {
    const wanted = words();
    return choices.filter((choice) => wanted.every((word) => textOf(choice).includes(word)));
  };

  /** Activates the first result of a search, or without a search the value of the field. */
  function activate(): void {
    setActive(words().length > 0 ? 0 : matching.findIndex((choice) => choice.value === value()));
  }

  /** Renders the list again when the search has changed. */
  function narrow(): void {
    matching = matches(found);
    list.replaceChildren();
    active = -1;
    makeRows(0);
    activate();
    sayState();
  }

  /** Whether the last row is visible, so that the user cannot scroll to load more. */
  const isAtEnd = () => list.scrollTop + list.clientHeight > list.scrollHeight - 100;

  function add(choices: Choice[]): void {
    const isFirst = found.length === 0;
    found.push(...choices);
    matching.push(...matches(choices));
    if (list.childElementCount < rowsAtOnce || isAtEnd()) makeRows(list.childElementCount);
    // Not after scrolling, since the visible rows would move away.
    if (active < 0 && list.scrollTop === 0) activate();
    sayState();
    if (isFirst) panel.scrollIntoView({ block: 'nearest' });
  }

  function refuse({ kind, name = '', message = '', action = '' }: Refusal): void {
    isComplete = true;
    const reason = say(`trouble.${kind}`, { action, name, message, defaultValue: `${name}: ${message}` });
    state.textContent = `${reason} ${say('picker.type')}`;
    state.title = message && `${name}: ${message}`;
    state.classList.add('nimbus-trouble');
    panel.scrollIntoView({ block: 'nearest' });
  }

  async function fill(): Promise<void> {
    opening += 1;
    const mine = opening;
    let after = '';
    do {
      const page = await ask(after);
      if (mine !== opening) return;
      if (page.note && note.textContent !== page.note) note.textContent = page.note;
      if (page.refusal) return refuse(page.refusal);
      after = page.next ?? '';
      isComplete = after === '';
      add(page.choices ?? []);
    } while (after !== '');
  }

  /** Requests the list again; the search stays. */
  function load(): void {
    isComplete = false;
    found = [];
    note.textContent = '';
    state.title = '';
    state.classList.remove('nimbus-trouble');
    narrow();
    search.focus();
    fill().catch(({ name, message }: Error) => refuse({ kind: 'other', name, message }));
  }

  function open(): void {
    if (isOpen || !isEnabled) return;
    isOpen = true;
    const { activeElement } = document;
    opener =
      activeElement instanceof HTMLElement && button.parentElement?.contains(activeElement) ? activeElement : button;
    search.value = '';
    button.setAttribute('aria-expanded', 'true');
    button.after(panel);
    load();
    panel.scrollIntoView({ block: 'nearest' });
    document.addEventListener('mousedown', closeOutside, true);
  }

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    opening += 1;
    button.setAttribute('aria-expanded', 'false');
    panel.remove();
    document.removeEventListener('mousedown', closeOutside, true);
  }

  function closeOutside({ target }: MouseEvent): void {
    if (!panel.contains(target as Node) && !button.contains(target as Node)) close();
  }

  function take(index: number): void {
    const choice = matching[index];
    if (!choice) return;
    close();
    choose(choice.value);
    opener.focus();
  }

  const pageRows = 8;
  const keys: Record<string, () => void> = {
    ArrowDown: () => setActive(active + 1),
    ArrowUp: () => setActive(Math.max(0, active - 1)),
    PageDown: () => setActive(active + pageRows),
    PageUp: () => setActive(Math.max(0, active - pageRows)),
    Home: () => setActive(0),
    End: () => setActive(matching.length - 1),
    Enter: () => take(active)
  };
  search.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    // With a modifier they belong to the text or to the editor.
    if (!act || event.isComposing || event.shiftKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  /** Closes the list with Escape, which would otherwise close the dialog. */
  function closeOnly(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !isOpen) return;
    event.preventDefault();
    event.stopPropagation();
    close();
    opener.focus();
  }
  panel.addEventListener('keydown', closeOnly);
  button.addEventListener('keydown', closeOnly);
  search.addEventListener('input', narrow);
  reload.addEventListener('click', load);
  list.addEventListener('scroll', () => {
    if (isAtEnd()) makeRows(list.childElementCount);
  });
  list.addEventListener('mousedown', (event) => event.preventDefault());
  list.addEventListener('click', ({ target }) => {
    const row = (target as Element).closest('.nimbus-choice');
    if (row) take([...list.children].indexOf(row));
  });
  panel.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget && !panel.contains(relatedTarget as Node) && relatedTarget !== button) close();
  });
  button.addEventListener('click', () => (isOpen ? close() : open()));

  return {
    enable: (enabled) => {
      isEnabled = enabled;
      button.style.visibility = enabled ? '' : 'hidden';
      if (!enabled) close();
    },
    open,
    close
  };
}
