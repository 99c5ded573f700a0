import type { ActionError } from './errors';

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

/** Kinds by the error's name; the first that fits. */
const kinds: ReadonlyArray<readonly [kind: string, names: RegExp]> = [
  ['settings', /^(MissingValue|InvalidValue)$/],
  ['noKeys', /^(CredentialsProviderError|TokenProviderError)$/],
  ['unknownKeys', /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId)$/],
  ['wrongSecret', /^(SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature(Exception)?)$/],
  ['expired', /^(ExpiredToken(Exception)?|RequestExpired)$/],
  ['denied', /^(AccessDenied(Exception)?|AuthorizationError(Exception)?|UnauthorizedOperation)$/],
  ['notFound', /^(ResourceNotFoundException|NotFoundException)$/],
  ['timeout', /^Timeout$/],
  ['unreachable', /^UnknownError$|^(?=[A-Z_]+$)(?:E|UNABLE_TO_|HPE_|.*CERT)/]
];

/** What the editor is told of an error, from which secrets have been struck out. */
export function refusalOf({ name, message, cause }: ActionError): Refusal {
  const [kind] = kinds.find(([, names]) => names.test(name)) ?? ['other'];
  const isRole = kind === 'denied' && message.includes('sts:AssumeRole');
  // The editor has words of its own for what an error means, and those of an answer that is not AWS's mean nothing.
  const said = name === 'UnknownError' ? message : (cause as { message?: string } | undefined)?.message;
  return { kind: isRole ? 'role' : kind, name, message: said || message };
}
