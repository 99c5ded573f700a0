/** The kinds of errors of sign-ins and services for which the editor has texts. */
import type { ActionError } from '../fields/errors';

/** The kind for an error's name; the first match counts. */
const kinds: ReadonlyArray<readonly [kind: string, names: RegExp]> = [
  ['settings', /^(MissingValue|InvalidValue)$/],
  ['certificate', /^CertificateError$/],
  ['noKeys', /^(CredentialsProviderError|TokenProviderError)$/],
  ['unknownKeys', /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId)$/],
  ['wrongSecret', /^(SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature(Exception)?)$/],
  ['expired', /^(ExpiredToken(Exception)?|RequestExpired)$/],
  ['denied', /^(AccessDenied(Exception)?|AuthorizationError(Exception)?|UnauthorizedOperation)$/],
  ['notFound', /^(ResourceNotFoundException|NotFoundException)$/],
  ['timeout', /^Timeout$/],
  ['unreachable', /^UnknownError$|^(?=[A-Z_]+$)(?:E|UNABLE_TO_|HPE_|.*CERT)/]
];

/** The kind of an error, which is the key of its text in `locales`; `other` if it has none. */
export function errorKindOf({ name, message }: ActionError): string {
  const [kind] = kinds.find(([, names]) => names.test(name)) ?? ['other'];
  return kind === 'denied' && message.includes('sts:AssumeRole') ? 'role' : kind;
}
