import type { Node } from 'node-red';
import type { ActionError } from '../fields/errors';

/**
 * What keeps messages from going out, by target. A cause is one error in the log, however many targets and messages it
 * concerns: the way to the service is one cause for all targets, what a service answers is one for each.
 */
export class Troubles {
  /** By target. */
  readonly #known = new Map<string, { error: ActionError; cause: string }>();

  constructor(private readonly node: Node) {}

  /** The first of them. */
  get first(): ActionError | undefined {
    const [first] = this.#known.values();
    return first?.error;
  }

  of(target: string): ActionError | undefined {
    return this.#known.get(target)?.error;
  }

  failed(target: string, error: ActionError, wasAnswered: boolean): void {
    const cause = wasAnswered ? `${error.name} ${target}` : ofTheWay.has(error.name) ? error.name : 'the way';
    const isKnown = [...this.#known.values()].some((other) => other.cause === cause);
    this.#known.delete(target);
    this.#known.set(target, { error, cause });
    if (!isKnown) this.node.error(`Kept messages wait: ${error.name}: ${error.message}`);
  }

  succeeded(target: string): void {
    if (!this.#known.delete(target) || this.#known.size > 0) return;
    this.node.log('kept messages go out again');
  }
}

/** Causes on this side that somebody has to see by themselves; all others without an answer are the network. */
const ofTheWay = new Set([
  'AccountMissing',
  'BudgetExceeded',
  'CertificateError',
  'CredentialsProviderError',
  'InvalidValue',
  'MissingValue',
  'StoreFull'
]);
