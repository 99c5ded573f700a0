import type { Node } from 'node-red';
import { timeOf } from '../action/status-words';
import type { ActionError } from '../fields/errors';

/** The operations of a receiver, as the log words them. */
const doing = {
  ReceiveMessage: 'receiving from',
  DeleteMessage: 'deleting from',
  ChangeMessageVisibility: 'hiding messages of'
};
export type Operation = keyof typeof doing;

/** What is failing, and since when as text for the status. */
export interface Trouble {
  readonly error: ActionError;
  readonly since: string;
}

/** The operations of a receiver that are failing, and since when. Each is logged once when it begins and when it ends. */
export class Troubles {
  readonly #known = new Map<Operation, { error: ActionError; since: Date }>();

  constructor(
    private readonly node: Node,
    private readonly queue: string,
    private readonly toError: (thrown: unknown, operation: Operation) => ActionError
  ) {}

  /** The operation that has been failing for longest. */
  get first(): Trouble | undefined {
    const [first] = this.#known.values();
    return first && { error: first.error, since: timeOf(first.since) };
  }

  has(operation: Operation): boolean {
    return this.#known.has(operation);
  }

  /** Notes that an operation has succeeded. Returns whether it was failing before, which is then logged as over. */
  succeeded(operation: Operation): boolean {
    if (!this.#known.delete(operation)) return false;
    this.node.log(`${doing[operation]} ${this.queue} again`);
    return true;
  }

  /** Notes that an operation has failed, and warns the first time. */
  failed(operation: Operation, thrown: unknown): void {
    const error = this.toError(thrown, operation);
    const { name, message } = error;
    const knownName = this.#known.get(operation)?.error.name;
    if (name === knownName) return;
    // biome-ignore lint/plugin/clock: people read in a status since when there is trouble
    this.#known.set(operation, { error, since: new Date() });
    const what = doing[operation].replace(/^./, (letter) => letter.toUpperCase());
    if (!knownName) this.node.warn(`${what} ${this.queue} failed, and is tried again: ${name}: ${message}`);
  }
}
