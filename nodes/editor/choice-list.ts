/**
 * The rows of a list to choose from: the values that match the search, one of which is active. Rows are rendered when they are
 * scrolled to, since there may be thousands.
 */
import { folded } from '../account/regions';
import type { Choice } from '../dialog/lists';
import { makeElement, type PickerElements } from './picker-elements';

/** How many rows are rendered at a time. */
const rowsAtOnce = 200;
/** From so many pixels above the end of the list on, more rows are rendered. */
const nearEnd = 100;

const searchable = ({ value, label = '', detail = '' }: Choice): string => folded(`${label} ${value} ${detail}`);

export class ChoiceList {
  #all: Choice[] = [];
  #matching: Choice[] = [];
  #active = -1;
  readonly #list: HTMLElement;
  readonly #search: HTMLInputElement;

  /** @param current gives the value of the field, which is marked in the list */
  constructor(
    { list, search }: PickerElements,
    private readonly current: () => string
  ) {
    this.#list = list;
    this.#search = search;
    list.addEventListener('scroll', () => {
      if (this.#isAtEnd) this.#render(list.childElementCount);
    });
  }

  get total(): number {
    return this.#all.length;
  }

  /** How many match the search. */
  get count(): number {
    return this.#matching.length;
  }

  /** The index of the active row among those that match; -1 for none. */
  get active(): number {
    return this.#active;
  }

  /** The value at an index among those that match. */
  at(index: number): Choice | undefined {
    return this.#matching[index];
  }

  /** The index of the row that contains an element; -1 for none. */
  indexOf(element: Element): number {
    const row = element.closest('.nimbus-choice');
    return row ? [...this.#list.children].indexOf(row) : -1;
  }

  add(choices: readonly Choice[]): void {
    this.#all.push(...choices);
    this.#matching.push(...this.#matches(choices));
    if (this.#list.childElementCount < rowsAtOnce || this.#isAtEnd) this.#render(this.#list.childElementCount);
    // Not after scrolling, since the visible rows would move away.
    if (this.#active < 0 && this.#list.scrollTop === 0) this.#activateBest();
  }

  clear(): void {
    this.#all = [];
    this.narrow();
  }

  /** Renders the list again when the search has changed. */
  narrow(): void {
    this.#matching = this.#matches(this.#all);
    this.#list.replaceChildren();
    this.#active = -1;
    this.#render(0);
    this.#activateBest();
  }

  /** Makes a row active, or the first or last one if the index is outside of the list. */
  activate(index: number): void {
    this.#list.children[this.#active]?.classList.remove('nimbus-active');
    this.#active = Math.max(-1, Math.min(index, this.count - 1));
    this.#render(this.#active);
    const row = this.#list.children[this.#active];
    row?.classList.add('nimbus-active');
    row?.scrollIntoView({ block: 'nearest' });
    if (row) this.#search.setAttribute('aria-activedescendant', row.id);
    else this.#search.removeAttribute('aria-activedescendant');
  }

  get #words(): string[] {
    return folded(this.#search.value).split(/\s+/).filter(Boolean);
  }

  #matches(choices: readonly Choice[]): Choice[] {
    const words = this.#words;
    return choices.filter((choice) => words.every((word) => searchable(choice).includes(word)));
  }

  /** Activates the first result of a search, or without a search the value of the field. */
  #activateBest(): void {
    const current = this.current();
    this.activate(this.#words.length > 0 ? 0 : this.#matching.findIndex(({ value }) => value === current));
  }

  /** Whether the last row is visible, or nearly: then there is nothing to scroll to that would render more. */
  get #isAtEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    return scrollTop + clientHeight > scrollHeight - nearEnd;
  }

  /** Renders the rows up to this one, and some more. */
  #render(upTo: number): void {
    const from = this.#list.childElementCount;
    if (upTo < from) return;
    const rows = this.#matching
      .slice(from, upTo + rowsAtOnce)
      .map((choice, index) => this.#rowOf(choice, from + index));
    this.#list.append(...rows);
  }

  #rowOf(choice: Choice, index: number): HTMLElement {
    const row = makeElement('div', 'nimbus-choice', {
      id: `${this.#list.id}-${index}`,
      role: 'option',
      'aria-selected': String(choice.value === this.current()),
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
}
