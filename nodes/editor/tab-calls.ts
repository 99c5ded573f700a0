/** The list of the last calls in the AWS tab, the newest one on top. */
import type { CallRecord } from '../account/calls';
import { button, element, icon, link, nameOfNode, setAttribute, showNode, write } from './tab-parts';
import { clockTime, count, duration, say } from './tab-words';

/** How many calls are shown. */
const mostRows = 200;

type Ending = 'fine' | 'failed' | 'closed';

/** How a call has ended; what a deployment has cut off has not failed. */
const endingOf = ({ failure }: CallRecord): Ending =>
  failure === undefined ? 'fine' : failure.name === 'Closed' ? 'closed' : 'failed';

const signs: Readonly<Record<Ending, string>> = { fine: 'check', failed: 'exclamation-triangle', closed: 'ban' };

/** How a call has ended, as a sentence. */
function outcomeOf({ failure, messages }: CallRecord): string {
  if (failure) return `${failure.name}: ${failure.message}`;
  if (messages === undefined) return say('call.fine');
  return messages === 0 ? say('call.nothing') : say('call.received', { total: count(messages) });
}

/** The row of a call, which is used again for another one. */
class CallRow {
  readonly root = element('li', 'call');
  call: CallRecord | undefined;
  readonly #sign = icon(signs.fine);
  readonly #node = link('node', () => {
    const { node, account } = this.call as CallRecord;
    showNode(node ?? account);
  });
  readonly #time = element('span', 'time');
  readonly #what = element('span', 'what');
  readonly #took = element('span', 'took');
  readonly #outcome = element('span', 'outcome');
  readonly #request = link('request', () => this.#copy((this.call as CallRecord).requestId ?? '', this.#request));
  readonly #missing = button('clipboard', say('call.missing'), () => {
    this.#copy(JSON.stringify((this.call as CallRecord).failure?.missing, null, 2), this.#missing);
  });

  readonly #denied = element('div', 'buttons', this.#missing);

  constructor(private readonly tell: (text: string) => void) {
    const head = element('div', 'line', this.#sign, this.#node, this.#time);
    const middle = element('div', 'line', this.#what, this.#took);
    const end = element('div', 'line', this.#outcome, this.#request);
    this.root.append(head, middle, end, this.#denied);
    this.setReachable(false);
  }

  show(call: CallRecord): void {
    this.call = call;
    const { node, account, operation, target = '', took, attempts, requestId = '' } = call;
    const ending = endingOf(call);
    setAttribute(this.root, 'data-ending', ending);
    setAttribute(this.#sign, 'class', `fa fa-${signs[ending]}`);
    // What nodes share, and the editor's lists, are calls of the account.
    write(this.#node, nameOfNode(node ?? account));
    write(this.#time, clockTime(call.at));
    write(this.#what, target ? `${operation} · ${target}` : operation);
    write(this.#took, attempts > 1 ? `${duration(took)} · ${say('call.attempts', { attempts })}` : duration(took));
    write(this.#outcome, outcomeOf(call));
    write(this.#request, requestId);
    const isMissing = call.failure?.missing !== undefined;
    if (this.#denied.hidden === isMissing) this.#denied.hidden = this.#missing.hidden = !isMissing;
    setAttribute(this.#request, 'aria-label', say('call.copy', { id: requestId }));
    setAttribute(this.#request, 'title', say('call.copy', { id: requestId }));
  }

  /** Whether the key for the next control leads to its buttons: it does to those of one row. */
  setReachable(isReachable: boolean): void {
    for (const each of this.buttons) each.tabIndex = isReachable ? 0 : -1;
  }

  get buttons(): HTMLButtonElement[] {
    return [this.#node, this.#request, this.#missing];
  }

  #copy(text: string, from: HTMLElement): void {
    RED.clipboard.copyText(text, $(from), say('call.copied'));
    this.tell(say('call.copied'));
  }
}

/** What is shown of the calls. */
interface CallFilter {
  /** The ID of a node; empty: all. */
  node: string;
  failuresOnly: boolean;
}

export class CallList {
  readonly root = element('ul', 'calls');
  /** The last calls, the newest first, whatever the filter. */
  #calls: CallRecord[] = [];
  #rows: CallRow[] = [];
  #reachable: CallRow | undefined;
  #filter: CallFilter = { node: '', failuresOnly: false };

  constructor(private readonly tell: (text: string) => void) {
    this.root.setAttribute('aria-label', say('section.calls'));
    this.root.addEventListener('keydown', (event) => this.#key(event));
    this.root.addEventListener('focusin', (event) => {
      const row = this.#rows.find(({ root }) => root.contains(event.target as Node));
      if (row) this.#reach(row);
    });
  }

  /** How many rows there are. */
  get size(): number {
    return this.#rows.length;
  }

  /** How many calls there are, whatever the filter. */
  get total(): number {
    return this.#calls.length;
  }

  /** The nodes of the calls. */
  get nodes(): Set<string> {
    return new Set(this.#calls.map(({ node, account }) => node ?? account));
  }

  /** Adds calls, the oldest first. */
  add(calls: readonly CallRecord[]): void {
    const newest = calls.slice(-mostRows).reverse();
    this.#calls = [...newest, ...this.#calls].slice(0, mostRows);
    this.#put(newest.filter((call) => this.#matches(call)));
  }

  filter(filter: CallFilter): void {
    this.#filter = filter;
    this.#rows = [];
    this.root.replaceChildren();
    this.#put(this.#calls.filter((call) => this.#matches(call)));
  }

  clear(): void {
    this.#calls = [];
    this.#rows = [];
    this.root.replaceChildren();
  }

  #matches(call: CallRecord): boolean {
    const { node, account } = call;
    const { node: wanted, failuresOnly } = this.#filter;
    return (wanted === '' || (node ?? account) === wanted) && (!failuresOnly || endingOf(call) === 'failed');
  }

  /** Puts rows for calls, the newest first, above the others. The last ones of those are used again. */
  #put(calls: readonly CallRecord[]): void {
    if (calls.length === 0) return;
    const kept = this.#rows.slice(0, mostRows - calls.length);
    const free = this.#rows.slice(kept.length);
    const hadFocus = free.some(({ root }) => root.contains(document.activeElement));
    const added = calls.map((call) => {
      const row = free.pop() ?? new CallRow(this.tell);
      row.show(call);
      return row;
    });
    this.root.prepend(...added.map(({ root }) => root));
    this.#rows = [...added, ...kept];
    if (!this.#reachable || !this.#rows.includes(this.#reachable)) this.#reach(this.#rows[0] as CallRow);
    if (hadFocus) this.#reachable?.buttons[0]?.focus({ preventScroll: true });
  }

  #reach(row: CallRow): void {
    if (row === this.#reachable) return;
    this.#reachable?.setReachable(false);
    row.setReachable(true);
    this.#reachable = row;
  }

  /** Moves from row to row by the arrow keys. */
  #key(event: KeyboardEvent): void {
    const at = this.#rows.findIndex(({ root }) => root.contains(event.target as Node));
    const last = this.#rows.length - 1;
    const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    const row = to === undefined ? undefined : this.#rows[to];
    if (at < 0 || !row) return;
    event.preventDefault();
    const column = this.#rows[at]?.buttons.indexOf(event.target as HTMLButtonElement) ?? 0;
    const wanted = row.buttons[column];
    (wanted && !wanted.hidden ? wanted : row.buttons[0])?.focus();
  }
}
