/** The AWS tab of the sidebar: who is signed in, what it costs, what is kept, what is received, and the last calls. */
import type { Snapshot } from '../dialog/sidebar';
import { request } from './request';
import { CallList } from './tab-calls';
import { Cards } from './tab-cards';
import { actOnKept } from './tab-kept';
import { element, icon, nameOfNode, setAttribute, write } from './tab-parts';
import { say } from './tab-words';

const tab = 'nimbus';
const action = 'aws:show-sidebar-tab';

/** The runtime is asked so often, ms, while the tab can be seen; less often while it does not answer. */
const pollEach = 500;
const pollAfterTrouble = 5000;

/** A part of the tab that can be closed, and what it says while nothing is in it. */
class Section {
  readonly root = element('details', 'section');
  readonly #none = element('p', 'none');

  constructor(name: string, list: HTMLElement, ...above: HTMLElement[]) {
    this.root.open = true;
    this.root.append(element('summary', 'title', say(`section.${name}`)), ...above, this.#none, list);
  }

  /** `text` is what to say of nothing; empty if there is something. */
  none(text: string): void {
    write(this.#none, text);
  }
}

/** A button that stays pressed. */
function toggle(look: string, label: string, press: (isPressed: boolean) => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'red-ui-button red-ui-button-small nimbus-tab-toggle';
  made.append(icon(look));
  setAttribute(made, 'aria-label', label);
  setAttribute(made, 'aria-pressed', 'false');
  made.addEventListener('click', () => {
    const isPressed = made.getAttribute('aria-pressed') !== 'true';
    setAttribute(made, 'aria-pressed', String(isPressed));
    made.classList.toggle('selected', isPressed);
    press(isPressed);
  });
  RED.popover.tooltip($(made), label);
  return made;
}

class Tab {
  readonly root = element('div', 'root');
  readonly #cards = new Cards((name, row) => {
    actOnKept(name, row, this.#now).then(
      (text) => this.#tell(text),
      () => this.#tell(say('trouble.offline'))
    );
  });
  readonly #calls = new CallList((text) => this.#tell(text));
  readonly #nodes = document.createElement('select');
  readonly #trouble = element('p', 'trouble');
  /** Says what was done, to those who do not see it. */
  readonly #told = element('p', 'told');
  readonly #sections: Readonly<Record<'accounts' | 'kept' | 'receivers' | 'calls', Section>>;
  #failuresOnly = false;
  #isPaused = false;
  #isSeen = false;
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #run = '';
  #last = 0;
  #now = 0;

  constructor() {
    const { accounts, kept, receivers } = this.#cards;
    // What waits comes first: many accounts would have it below what can be seen.
    this.#sections = {
      kept: new Section('kept', kept.root),
      accounts: new Section('accounts', accounts.root),
      receivers: new Section('receivers', receivers.root),
      calls: new Section('calls', this.#calls.root, this.#toolbar())
    };
    this.#told.setAttribute('role', 'status');
    this.#trouble.setAttribute('role', 'alert');
    write(this.#trouble, '');
    this.root.append(this.#trouble, ...Object.values(this.#sections).map(({ root }) => root), this.#told);
    this.#sections.accounts.none(say('none.asking'));
  }

  /** Asks while it can be seen. */
  watch(): void {
    new IntersectionObserver((entries) => this.#see(entries.at(-1)?.isIntersecting === true)).observe(this.root);
    document.addEventListener('visibilitychange', () => this.#soon(0));
  }

  #toolbar(): HTMLElement {
    this.#nodes.className = 'nimbus-tab-nodes';
    setAttribute(this.#nodes, 'aria-label', say('filter.node'));
    this.#nodes.append(new Option(say('filter.all'), ''));
    this.#nodes.addEventListener('change', () => this.#filter());
    const failures = toggle('exclamation-triangle', say('filter.failures'), (isPressed) => {
      this.#failuresOnly = isPressed;
      this.#filter();
    });
    const pause = toggle('pause', say('filter.pause'), (isPressed) => {
      this.#isPaused = isPressed;
      this.#soon(0);
    });
    const clear = document.createElement('button');
    clear.type = 'button';
    clear.className = 'red-ui-button red-ui-button-small';
    clear.append(icon('trash-o'));
    setAttribute(clear, 'aria-label', say('filter.clear'));
    RED.popover.tooltip($(clear), say('filter.clear'));
    clear.addEventListener('click', () => {
      this.#calls.clear();
      this.#showCalls();
    });
    return element('div', 'toolbar', this.#nodes, failures, pause, clear);
  }

  #see(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#soon(0);
  }

  #soon(after: number): void {
    clearTimeout(this.#timer);
    if (!this.#isSeen || this.#isPaused || this.#isAsking || document.visibilityState !== 'visible') return;
    this.#timer = setTimeout(() => this.#ask(), after);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    const data = { run: this.#run, after: this.#last };
    const answer = await request<Snapshot>({ url: 'aws-account/sidebar', data, cache: false });
    this.#isAsking = false;
    const isTrouble = 'refusal' in answer;
    write(this.#trouble, isTrouble ? say(`trouble.${answer.refusal.kind}`) : '');
    // While it was asked somebody may have pressed the button for a pause.
    if (!isTrouble && !this.#isPaused) this.#show(answer);
    this.#soon(isTrouble ? pollAfterTrouble : pollEach);
  }

  #show({ run, last, now, calls, accounts, kept, receivers, mayChange }: Snapshot): void {
    this.#run = run;
    this.#last = last;
    this.#now = now;
    this.#cards.mayChange = mayChange;
    this.#cards.accounts.show(accounts);
    this.#cards.kept.show(kept);
    this.#cards.receivers.show(receivers);
    this.#calls.add(calls);
    this.#sections.accounts.none(accounts.length > 0 ? '' : say('none.accounts'));
    this.#sections.kept.none(kept.length > 0 ? '' : say('none.kept'));
    this.#sections.receivers.none(receivers.length > 0 ? '' : say('none.receivers'));
    this.#showCalls();
  }

  #showCalls(): void {
    this.#offer(this.#calls.nodes);
    const { size, total } = this.#calls;
    this.#sections.calls.none(size > 0 ? '' : say(total > 0 ? 'none.matching' : 'none.calls'));
  }

  /** Offers the nodes to choose from, and the one that is chosen. */
  #offer(nodes: Set<string>): void {
    const options = [...this.#nodes.options].slice(1);
    const isOffered = new Set(options.map(({ value }) => value));
    for (const id of nodes) if (!isOffered.has(id)) this.#nodes.append(new Option(nameOfNode(id), id));
    for (const option of options) if (!nodes.has(option.value) && !option.selected) option.remove();
  }

  #filter(): void {
    this.#calls.filter({ node: this.#nodes.value, failuresOnly: this.#failuresOnly });
    this.#showCalls();
  }

  #tell(text: string): void {
    this.#told.textContent = text;
  }
}

/** Adds the tab. If the program is loaded again, the one that is there stays. */
export function addTab(): void {
  if (RED.sidebar.containsTab(tab)) return;
  const made = new Tab();
  const name = say('tab');
  RED.actions.add(action, () => RED.sidebar.show(tab), { label: say('action') });
  RED.keyboard.add('*', 'ctrl-g a', action);
  RED.sidebar.addTab({
    id: tab,
    label: name,
    name,
    iconClass: 'fa fa-cloud',
    content: $(made.root),
    enableOnEdit: true,
    action
  });
  made.watch();
}
