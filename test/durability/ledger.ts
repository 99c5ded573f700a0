/** What became of every message: the books of a test, which survive the processes that they are about. */

/** A line of a runner; `at` in ms since 1970. */
export type Report = { at: number } & Event;

type Event =
  | { is: 'sent'; node: string; n: number; messageId: string }
  | { is: 'failed'; node: string; n: number; error: string }
  | { is: 'endedTwice'; n: number }
  | {
      is: 'received';
      node: string;
      n: number;
      messageId: string;
      handle: string;
      receiveCount: number;
      groupId?: string;
    }
  | { is: 'settled' | 'returned'; handle: string }
  | { is: 'unsettled'; handle: string; error: string }
  | { is: 'stopped' }
  | { is: 'logged'; level: number; type: string; text: string };

/** How a receipt ended: its message was deleted or returned; or its time, its flow or its process was over before. */
export type End = 'settled' | 'returned' | 'expired' | 'redeployed' | 'killed';

/** A message that a receiver has handed to its flow. */
export interface Receipt {
  /** The id of the receive node. */
  readonly node: string;
  readonly n: number;
  readonly messageId: string;
  readonly handle: string;
  /** How often the queue has handed it out. */
  readonly receiveCount: number;
  readonly groupId: string | undefined;
  /** Who received it. */
  readonly by: string;
  /** ms since 1970. */
  readonly at: number;
  end: End | undefined;
  /** How long the flow had it before it was settled, ms. */
  took: number;
  /** It was received again while the flow still had it. */
  overtaken: boolean;
  /** The errors of the settle node. */
  readonly errors: string[];
}

export interface Logged {
  readonly by: string;
  readonly type: string;
  readonly text: string;
}

export class Ledger {
  /** By number: the ids that the entry node gave. */
  readonly sent = new Map<number, string[]>();
  /** By number: the id of the entry node that was the first to have it. */
  readonly begunBy = new Map<number, string>();
  /** By number: how often the entry node ended it with an error. */
  readonly failed = new Map<number, number>();
  /** How often the entry nodes gave each error. */
  readonly errors: Record<string, number> = {};
  /** Numbers that an entry node ended again. */
  readonly endedTwice: number[] = [];
  /** In their order. */
  readonly receipts: Receipt[] = [];
  readonly settled = new Set<string>();
  readonly logged: Logged[] = [];
  readonly #byHandle = new Map<string, Receipt>();
  /** By message id. */
  readonly #latest = new Map<string, Receipt>();
  /** By runner: what its flow still has. */
  readonly #open = new Map<string, Set<Receipt>>();
  #waiting: (() => void)[] = [];

  /** Enters a line of the runner `by`. */
  enter(report: Report, by: string): void {
    if (report.is === 'sent' || report.is === 'failed') this.#enterEntry(report);
    else if (report.is === 'endedTwice') this.endedTwice.push(report.n);
    else if (report.is === 'logged') this.logged.push({ ...report, by });
    else if (report.is === 'stopped') this.end(by, 'redeployed');
    else if (report.is === 'received') this.#enterReceipt(report, by);
    else this.#enterEnd(report);
    this.#wake();
  }

  /** All that the runner's flow still had has ended with it. */
  end(by: string, end: End): void {
    for (const receipt of this.#openOf(by)) receipt.end = end;
    this.#open.delete(by);
    this.#wake();
  }

  /** All receipts by message id, each in their order. */
  get receiptsById(): Map<string, Receipt[]> {
    const byId = new Map<string, Receipt[]>();
    for (const receipt of this.receipts) {
      const same = byId.get(receipt.messageId);
      if (same) same.push(receipt);
      else byId.set(receipt.messageId, [receipt]);
    }
    return byId;
  }

  /** What the runner's flow has at the moment. */
  open(by: string): Receipt[] {
    return [...this.#openOf(by)];
  }

  /** How many receipts ended so. */
  count(end: End | undefined, by?: string): number {
    return this.receipts.filter((receipt) => receipt.end === end && (by === undefined || receipt.by === by)).length;
  }

  /** Resolves once the condition holds; it is looked at after each line, and every 100 ms for what happens elsewhere. */
  async until(condition: () => boolean | Promise<boolean>, what: string, limit = 150_000): Promise<void> {
    const end = Date.now() + limit;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`waited ${limit} ms in vain for ${what}: ${this}`);
      await this.#change(100);
    }
  }

  toString(): string {
    const said = this.logged.slice(-10).map(({ by, type, text }) => `\n  ${by} ${type} ${text}`);
    return `${this.sent.size} sent, ${this.failed.size} failed, ${this.receipts.length} received, ${this.settled.size} settled${said.join('')}`;
  }

  #openOf(by: string): Set<Receipt> {
    const open = this.#open.get(by) ?? new Set();
    this.#open.set(by, open);
    return open;
  }

  #enterEntry(report: Report & { is: 'sent' | 'failed' }): void {
    const { n, node } = report;
    if (!this.begunBy.has(n)) this.begunBy.set(n, node);
    if (report.is === 'sent') this.sent.set(n, [...(this.sent.get(n) ?? []), report.messageId]);
    else {
      this.failed.set(n, (this.failed.get(n) ?? 0) + 1);
      this.errors[report.error] = (this.errors[report.error] ?? 0) + 1;
    }
  }

  #enterReceipt({ is: _, ...report }: Report & { is: 'received' }, by: string): void {
    const receipt: Receipt = {
      groupId: undefined,
      ...report,
      by,
      end: undefined,
      took: 0,
      overtaken: false,
      errors: []
    };
    const former = this.#latest.get(receipt.messageId);
    if (former && !former.end) former.overtaken = true;
    this.#latest.set(receipt.messageId, receipt);
    this.receipts.push(receipt);
    this.#byHandle.set(receipt.handle, receipt);
    this.#openOf(by).add(receipt);
  }

  #enterEnd(report: Report & { is: 'settled' | 'returned' | 'unsettled' }): void {
    const receipt = this.#byHandle.get(report.handle);
    if (!receipt) throw new Error(`${report.handle} was ${report.is}, but never received`);
    if (report.is === 'unsettled') receipt.errors.push(report.error);
    // The flow tries everything else again.
    if (report.is === 'unsettled' && report.error !== 'HandleExpired') return;
    receipt.end = report.is === 'unsettled' ? 'expired' : report.is;
    receipt.took = report.at - receipt.at;
    if (receipt.end === 'settled') this.settled.add(receipt.messageId);
    this.#openOf(receipt.by).delete(receipt);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #change(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
