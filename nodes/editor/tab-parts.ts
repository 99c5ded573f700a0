/** Parts that the AWS tab is made of. What is drawn stays and is filled anew, since calls come by the thousand. */
import type { EditorNode } from './node-red';

/** An element with a class of the tab, in which others are. */
export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  name: string,
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  if (name) made.className = `nimbus-tab-${name}`;
  made.append(...inside);
  return made;
}

/** An icon, which says nothing that words beside it do not say. */
export function icon(name: string): HTMLElement {
  const made = document.createElement('i');
  made.className = `fa fa-${name}`;
  made.setAttribute('aria-hidden', 'true');
  return made;
}

/** Writes a text, if it is another one, and hides what is empty. */
export function write(into: HTMLElement, text: string): void {
  if (into.textContent !== text) into.textContent = text;
  const isHidden = text === '';
  if (into.hidden !== isHidden) into.hidden = isHidden;
}

export function setAttribute(of: Element, name: string, value: string): void {
  if (of.getAttribute(name) !== value) of.setAttribute(name, value);
}

/** A button that looks like text. */
export function link(name: string, press: () => void): HTMLButtonElement {
  const button = element('button', name);
  button.type = 'button';
  button.addEventListener('click', press);
  return button;
}

/** One of Node-RED's small buttons. */
export function button(look: string, label: string, press: () => void): HTMLButtonElement {
  const made = link('', press);
  made.className = 'red-ui-button red-ui-button-small';
  made.append(icon(look), ` ${label}`);
  return made;
}

/** A node as the editor calls it; its ID if it is not there any more. */
export function nameOfNode(id: string): string {
  const node: EditorNode | null = RED.nodes.node(id);
  return node ? RED.utils.getNodeLabel(node, node.type) : id;
}

/** Shows a node on the canvas, or the dialog of an account. */
export function showNode(id: string): void {
  const node = RED.nodes.node(id);
  if (node?.type === 'aws-account') RED.editor.editConfig('', node.type, id);
  else if (node) RED.view.reveal(id);
}

/** A list whose items stay, by their keys. */
export class KeyedList<Row, Item extends { readonly root: HTMLElement }> {
  readonly root = element('ul', 'list');
  readonly #items = new Map<string, Item>();

  constructor(
    label: string,
    private readonly keyOf: (row: Row) => string,
    private readonly make: (row: Row) => Item,
    private readonly fill: (item: Item, row: Row) => void
  ) {
    this.root.setAttribute('aria-label', label);
  }

  show(rows: readonly Row[]): void {
    const keys = new Set(rows.map(this.keyOf));
    for (const [key, { root }] of this.#items) {
      if (keys.has(key)) continue;
      root.remove();
      this.#items.delete(key);
    }
    for (const row of rows) {
      const known = this.#items.get(this.keyOf(row));
      const item = known ?? this.make(row);
      if (!known) {
        this.#items.set(this.keyOf(row), item);
        this.root.append(item.root);
      }
      this.fill(item, row);
    }
  }
}
