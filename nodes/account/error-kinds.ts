/** The kinds of what goes wrong with a sign-in or a service, for which the editor has words. */
import type { ActionError } from '../fields/errors';

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

/** The kind of an error: the key of its words; `other` where there are none. */
export function errorKindOf({ name, message }: ActionError): string {
  const [kind] = kinds.find(([, names]) => names.test(name)) ?? ['other'];
  return kind === 'denied' && message.includes('sts:AssumeRole') ? 'role' : kind;
}
