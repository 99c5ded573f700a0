import type { Node } from 'node-red';
import type { ActionError } from '../fields/errors';

/**
 * What keeps messages from going out, by target. A cause is one error in the log, however many targets and messages it
 * concerns: the way to the service is one cause for all targets, what a service answers is one for each.
 */
export class Troubles {
  /** By target, and by cause, the last one at the end. */
  readonly #known = new Map<string, Map<string, ActionError>>();

  constructor(private readonly node: Node) {}

  /** That of the target that has had none for the longest time. */
  get first(): ActionError | undefined {
    const [first] = this.#known.keys();
    return first === undefined ? undefined : this.of(first);
  }

  /** The last one of a target. */
  of(target: string): ActionError | undefined {
    return [...(this.#known.get(target)?.values() ?? [])].at(-1);
  }

  failed(target: string, error: ActionError, wasAnswered: boolean): void {
    const cause = wasAnswered ? `${error.name} ${target}` : ofTheWay.has(error.name) ? error.name : 'the way';
    const isKnown = [...this.#known.values()].some((causes) => causes.has(cause));
    const causes = this.#known.get(target) ?? new Map<string, ActionError>();
    causes.delete(cause);
    this.#known.delete(target);
    this.#known.set(target, causes.set(cause, error));
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
