import { errorKindOf } from '../account/error-kinds';
import type { ActionError } from '../fields/errors';

/**
 * Why the editor cannot have what it asked for. `kind` is the key of its words for it; `name` and `message` are those
 * of the error, for people who want to know more.
 */
export interface Refusal {
  kind: string;
  name: string;
  message: string;
  /** What a policy has to allow, as IAM calls it. */
  action?: string;
}

/** What the editor is told of an error, from which secrets have been struck out. */
export function refusalOf(error: ActionError): Refusal {
  const { name, message, cause } = error;
  // The editor has words of its own for what an error means, and those of an answer that is not AWS's mean nothing.
  const said = name === 'UnknownError' ? message : (cause as { message?: string } | undefined)?.message;
  return { kind: errorKindOf(error), name, message: said || message };
}
