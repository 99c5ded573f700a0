/** What the AWS tab says of accounts, of messages that are kept, and of receivers. */
import type { CallFailure } from '../account/calls';
import type { AccountRow, KeptRow, ReceiverRow } from '../dialog/sidebar';
import { showPolicies } from './account-policies';
import { button, element, icon, KeyedList, link, nameOfNode, setAttribute, showNode, write } from './tab-parts';
import { count, dollars, momentOf, say } from './tab-words';

/** The part of a budget at which a warning is logged. */
const nearly = 0.8;

/** An item with the name of a node, lines, and why something does not work. */
class Card {
  readonly root = element('li', 'card');
  readonly head: HTMLElement;
  readonly #name: HTMLButtonElement;
  readonly #lines = element('div', 'lines');
  readonly #failure = element('div', 'failure');
  readonly #texts: HTMLElement[] = [];

  constructor(look: string, id: string) {
    this.#name = link('node', () => showNode(id));
    this.head = element('div', 'line', icon(look), this.#name);
    this.root.append(this.head, this.#lines, this.#failure);
  }

  show(name: string, lines: readonly string[], failure: CallFailure | undefined): void {
    write(this.#name, name);
    for (const [index, text] of lines.entries()) {
      const line = this.#texts[index] ?? element('div', 'detail');
      if (!line.parentNode) this.#lines.append(line);
      this.#texts[index] = line;
      write(line, text);
    }
    write(this.#failure, failure ? `${failure.name}: ${failure.message}` : '');
  }
}

/** Who is signed in: the end of the ARN. */
const nameOfArn = (arn: string): string => arn.split(':').slice(5).join(':') || arn;

function signInText({ identity, signedIn, failure, until }: AccountRow): string {
  if (failure) return say('account.notSignedIn');
  if (!signedIn) return say('account.asking');
  const who = identity
    ? say('account.as', { name: nameOfArn(identity.arn), account: identity.account, region: identity.region })
    : say('account.signedIn');
  return until === undefined ? who : `${who} ${say('account.until', { time: momentOf(until) })}`;
}

function costText({ cost, budget, period: { unit } }: AccountRow): string {
  const spent = { cost: dollars(cost), period: say(`period.${unit}`) };
  return budget === null ? say('account.cost', spent) : say('account.costOf', { ...spent, budget: dollars(budget) });
}

class AccountCard extends Card {
  readonly #spent = element('div', 'spent');
  readonly #meter = element('div', 'meter', this.#spent);
  readonly #policy: HTMLButtonElement;

  constructor({ node }: AccountRow) {
    super('cloud', node);
    this.root.classList.add('nimbus-tab-account');
    this.#policy = button('shield', say('account.policy'), () => showPolicies(node));
    this.head.append(this.#policy);
    setAttribute(this.#meter, 'role', 'meter');
    this.root.append(this.#meter);
  }

  fill(row: AccountRow, mayChange: boolean): void {
    const { node, name, identity, failure, cost, budget } = row;
    this.#policy.hidden = !mayChange || RED.nodes.node(node) === null;
    this.show(name || nameOfNode(node), [signInText(row), costText(row)], failure);
    setAttribute(this.root, 'title', identity ? `${signInText(row)}\n${identity.arn}` : '');
    this.#meter.hidden = budget === null;
    if (budget === null) return;
    const part = budget > 0 ? Math.min(1, cost / budget) : 1;
    this.#spent.style.width = `${100 * part}%`;
    setAttribute(this.#meter, 'data-level', part >= 1 ? 'spent' : part >= nearly ? 'nearly' : 'fine');
    setAttribute(this.#meter, 'aria-valuemax', String(budget));
    setAttribute(this.#meter, 'aria-valuenow', String(Math.min(cost, budget)));
    setAttribute(this.#meter, 'aria-label', costText(row));
  }
}

function depthText(queue: string, { waiting, inFlight, delayed }: NonNullable<ReceiverRow['depth']>): string {
  if (waiting + inFlight + delayed === 0) return say('receiver.empty', { queue });
  const counted = { waiting: count(waiting), inFlight: count(inFlight), delayed: count(delayed) };
  return say('receiver.depth', { queue, ...counted });
}

class ReceiverCard extends Card {
  constructor({ node }: ReceiverRow) {
    super('inbox', node);
  }

  fill({ node, queue, depth, held, failure, refusal }: ReceiverRow): void {
    const inQueue = depth ? depthText(queue, depth) : say(refusal ? 'receiver.unknown' : 'receiver.asking', { queue });
    this.show(nameOfNode(node), [inQueue, say('receiver.held', { total: count(held) })], failure ?? refusal);
  }
}

/** What can be done with messages that are kept. */
export type KeptAct = 'send' | 'export' | 'discard';

class KeptCard extends Card {
  #row: KeptRow;
  readonly #buttons: HTMLElement;
  readonly #send: HTMLElement;

  constructor(row: KeptRow, act: (name: KeptAct, row: KeptRow) => void) {
    super('hdd-o', row.node);
    this.#row = row;
    const on = (name: KeptAct, look: string) => button(look, say(`kept.${name}`), () => act(name, this.#row));
    this.#send = on('send', 'send-o');
    this.#buttons = element('div', 'buttons', this.#send, on('export', 'download'), on('discard', 'trash-o'));
    this.root.append(this.#buttons);
  }

  fill(row: KeptRow, mayChange: boolean): void {
    this.#row = row;
    const { node, count: total, since, failure, isLeft = false } = row;
    const counted = { total: count(total) };
    const waits =
      since === undefined ? say('kept.count', counted) : say('kept.since', { ...counted, time: momentOf(since) });
    this.show(nameOfNode(node), [waits, isLeft ? say('kept.left') : ''], failure);
    this.#send.hidden = isLeft;
    this.#buttons.hidden = !mayChange || total === 0;
  }
}

/** The lists of all these. */
export class Cards {
  readonly accounts = new KeyedList<AccountRow, AccountCard>(
    say('section.accounts'),
    ({ id }) => id,
    (row) => new AccountCard(row),
    (card, row) => card.fill(row, this.mayChange)
  );
  readonly receivers = new KeyedList<ReceiverRow, ReceiverCard>(
    say('section.receivers'),
    ({ id }) => id,
    (row) => new ReceiverCard(row),
    (card, row) => card.fill(row)
  );
  readonly kept: KeyedList<KeptRow, KeptCard>;
  mayChange = false;

  constructor(act: (name: KeptAct, row: KeptRow) => void) {
    this.kept = new KeyedList(
      say('section.kept'),
      ({ id }) => id,
      (row) => new KeptCard(row, act),
      (card, row) => card.fill(row, this.mayChange)
    );
  }
}
