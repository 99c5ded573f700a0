/**
 * A list to choose from beside a field, into which any value can still be typed. A button opens the list, a search box
 * filters it, and its pages are requested while it is open.
 */
import type { ChoicePage as RuntimePage } from '../dialog/lists';
import { ChoiceList } from './choice-list';
import { makePickerElements, type PickerElements, type Say } from './picker-elements';
import type { Refusal } from './request';

/** A page of a list, or why there is none; `note` is shown above the list. */
export type ChoicePage = Partial<RuntimePage> & { refusal?: Refusal; note?: string };

interface PickerOptions {
  /** The control; the button is added after it, and the list below its row. */
  control: HTMLElement;
  /** The label of the field. */
  label: string;
  say: Say;
  /** The value of the field, which is marked in the list. */
  value(): string;
  ask(after: string): Promise<ChoicePage>;
  choose(value: string): void;
}

/** How many rows the keys Page Up and Page Down move. */
const pageRows = 8;

export class Picker {
  readonly #elements: PickerElements;
  readonly #choices: ChoiceList;
  #isOpen = false;
  #isEnabled = true;
  /** Whether all pages of the list are there, or it has failed. */
  #isComplete = false;
  /** Counts how often the list was requested or closed; answers to earlier requests are ignored. */
  #requests = 0;
  /** The element that had the focus before, and gets it back. */
  #opener: HTMLElement;

  constructor(private readonly options: PickerOptions) {
    const { control, label, say, value } = options;
    this.#elements = makePickerElements(label, say);
    this.#choices = new ChoiceList(this.#elements, value);
    this.#opener = this.#elements.button;
    control.after(this.#elements.button);
    this.#listenToKeys();
    this.#listenToPointer();
    this.#elements.search.addEventListener('input', () => {
      this.#choices.narrow();
      this.#sayState();
    });
  }

  /** Hides the button, for values that are not literals. */
  enable(enabled: boolean): void {
    this.#isEnabled = enabled;
    this.#elements.button.style.visibility = enabled ? '' : 'hidden';
    if (!enabled) this.close();
  }

  open(): void {
    if (this.#isOpen || !this.#isEnabled) return;
    this.#isOpen = true;
    const { button, panel, search } = this.#elements;
    const { activeElement } = document;
    const isBeside = activeElement instanceof HTMLElement && button.parentElement?.contains(activeElement);
    this.#opener = isBeside ? activeElement : button;
    search.value = '';
    button.setAttribute('aria-expanded', 'true');
    button.after(panel);
    this.#load();
    panel.scrollIntoView({ block: 'nearest' });
    document.addEventListener('mousedown', this.#closeOutside, true);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#requests += 1;
    this.#elements.button.setAttribute('aria-expanded', 'false');
    this.#elements.panel.remove();
    document.removeEventListener('mousedown', this.#closeOutside, true);
  }

  readonly #closeOutside = ({ target }: MouseEvent): void => {
    if (!this.#contains(target)) this.close();
  };

  #contains(target: EventTarget | null): boolean {
    const { panel, button } = this.#elements;
    return target instanceof Node && (panel.contains(target) || button.contains(target));
  }

  #choose(index: number): void {
    const choice = this.#choices.at(index);
    if (!choice) return;
    this.close();
    this.options.choose(choice.value);
    this.#opener.focus();
  }

  /** Requests the list again; the search stays. */
  #load(): void {
    const { note, state, search } = this.#elements;
    this.#isComplete = false;
    note.textContent = '';
    state.title = '';
    state.classList.remove('nimbus-trouble');
    this.#choices.clear();
    this.#sayState();
    search.focus();
    this.#fill().catch(({ name, message }: Error) => this.#sayTrouble({ kind: 'other', name, message }));
  }

  /** Requests one page after the other. */
  async #fill(): Promise<void> {
    this.#requests += 1;
    const mine = this.#requests;
    let after = '';
    do {
      const page = await this.options.ask(after);
      if (mine !== this.#requests) return;
      after = page.next ?? '';
      this.#show(page, after === '');
    } while (after !== '' && !this.#isComplete);
  }

  #show({ note = '', refusal, choices = [] }: ChoicePage, isLast: boolean): void {
    const { panel, note: shown } = this.#elements;
    if (note && shown.textContent !== note) shown.textContent = note;
    if (refusal) {
      this.#sayTrouble(refusal);
      return;
    }
    const isFirst = this.#choices.total === 0;
    this.#isComplete = isLast;
    this.#choices.add(choices);
    this.#sayState();
    if (isFirst) panel.scrollIntoView({ block: 'nearest' });
  }

  #sayState(): void {
    const { say } = this.options;
    const { count, total } = this.#choices;
    const { state } = this.#elements;
    if (!this.#isComplete) state.textContent = say('picker.loading', { count, total });
    else if (total === 0) state.textContent = say('picker.none');
    else state.textContent = say(count === total ? 'picker.all' : 'picker.some', { count, total });
  }

  #sayTrouble({ kind, name = '', message = '', action = '' }: Refusal): void {
    const { say } = this.options;
    const { state, panel } = this.#elements;
    this.#isComplete = true;
    const reason = say(`trouble.${kind}`, { action, name, message, defaultValue: `${name}: ${message}` });
    state.textContent = `${reason} ${say('picker.type')}`;
    state.title = message && `${name}: ${message}`;
    state.classList.add('nimbus-trouble');
    panel.scrollIntoView({ block: 'nearest' });
  }

  #listenToKeys(): void {
    const { panel, button, search } = this.#elements;
    const choices = this.#choices;
    const keys: Record<string, () => void> = {
      ArrowDown: () => choices.activate(choices.active + 1),
      ArrowUp: () => choices.activate(Math.max(0, choices.active - 1)),
      PageDown: () => choices.activate(choices.active + pageRows),
      PageUp: () => choices.activate(Math.max(0, choices.active - pageRows)),
      Home: () => choices.activate(0),
      End: () => choices.activate(choices.count - 1),
      Enter: () => this.#choose(choices.active)
    };
    search.addEventListener('keydown', (event) => {
      const act = keys[event.key];
      // With a modifier they belong to the text or to the editor.
      if (!act || event.isComposing || event.shiftKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    // Escape closes the list only; the editor would close the whole dialog.
    const closeOnly = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || !this.#isOpen) return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
      this.#opener.focus();
    };
    panel.addEventListener('keydown', closeOnly);
    button.addEventListener('keydown', closeOnly);
  }

  #listenToPointer(): void {
    const { panel, button, reload, list } = this.#elements;
    button.addEventListener('click', () => (this.#isOpen ? this.close() : this.open()));
    reload.addEventListener('click', () => this.#load());
    // The search keeps the focus.
    list.addEventListener('mousedown', (event) => event.preventDefault());
    list.addEventListener('click', ({ target }) => {
      if (target instanceof Element) this.#choose(this.#choices.indexOf(target));
    });
    panel.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget && !this.#contains(relatedTarget)) this.close();
    });
  }
}
