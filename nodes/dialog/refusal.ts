import { errorKindOf } from '../account/error-kinds';
import type { ActionError } from '../fields/errors';
import { memberOf } from '../fields/thrown';

/**
 * Why the editor does not get what it asked for. `kind` is the key of its text in `locales`; `name` and `message` are those
 * of the error, as details.
 */
export interface Refusal {
  kind: string;
  name: string;
  message: string;
  /** The IAM action that a policy has to allow. */
  action?: string;
}

/** The refusal for an error, which must not contain secrets any more. */
export function refusalOf(error: ActionError): Refusal {
  const { name, message, cause } = error;
  // The service's own text, since the editor has a text for the meaning. That of an answer which is not from AWS says
  // nothing.
  const said = name === 'UnknownError' ? message : memberOf(cause, 'message');
  return { kind: errorKindOf(error), name, message: typeof said === 'string' && said !== '' ? said : message };
}
