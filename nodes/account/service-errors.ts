/** What the errors of the services mean, by their names. */
import { firstLine } from '../fields/lines';
import { nameOf } from '../fields/thrown';
import { meaningOfDenial } from './denial';
import type { Described, Failure } from './failure';
import { isBecomingReady, mayPass, wasThrottled } from './retryable';

const credentialErrors = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException'
]);

/** Whether the service refused the credentials: they have expired or are wrong, and others may be right by now. */
export const credentialsRefused = (error: unknown): boolean => credentialErrors.has(nameOf(error));

const signatureErrors = new Set([
  'InvalidSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch'
]);

/** Whether the service refused the signature: the secret key or the time in it is wrong. */
export const signatureRefused = (error: unknown): boolean => signatureErrors.has(nameOf(error));

/**
 * What the errors that people meet most mean, and what to do, some by the service's own text; that follows in brackets.
 */
export const meanings: Record<string, string | ((text: string) => string)> = {
  AccessDenied: meaningOfDenial,
  AccessDeniedException: meaningOfDenial,
  AuthorizationErrorException: meaningOfDenial,
  CallbackTimeoutException:
    'Nobody waits for this callback any more: it was answered before, be it by an earlier attempt of this request, or its time is over.',
  CredentialsProviderError: 'No usable keys were found: check in the aws-account where they come from.',
  DurableExecutionAlreadyStartedException:
    'A durable execution of this name has begun with another payload or version: choose another name.',
  ExpiredToken: 'The keys are no longer valid: sign in again, or renew the session token.',
  ExpiredTokenException: 'The keys are no longer valid: sign in again, or renew the session token.',
  ImageTooLargeException: 'The picture is too large for the service.',
  InvalidClientTokenId: 'AWS does not know this access key ID or session token: check both.',
  InvalidImageFormatException: 'The service cannot decode the picture: it has to be a JPEG or PNG that is not broken.',
  InvalidS3ObjectException:
    'The picture in S3 cannot be read: check bucket and key, that the bucket is in the same region, and that this sign-in may call s3:GetObject.',
  InvalidSignatureException: 'The secret access key is wrong, or the clock of this machine.',
  NotFoundException: 'There is no such topic or endpoint: check its ARN.',
  QueueDoesNotExist: 'There is no such queue: check its name, the region and the account.',
  ResourceNotFoundException: 'There is nothing by this name: check the name, the region and the account.',
  SignatureDoesNotMatch: 'The secret access key is wrong, or the clock of this machine.',
  UnrecognizedClientException: 'AWS does not know this access key ID or session token: check both, and the region.'
};

/** What an error means and what to do; `undefined` if only the service's own text is known. */
function meaningOf(name: string, failure: Failure, status: number | undefined): string | undefined {
  if (name === 'AccessDenied' && failure.message?.includes('sts:AssumeRole')) {
    return 'The role cannot be assumed: check its ARN, its trust policy, the External ID, and that the sign-in may call sts:AssumeRole.';
  }
  const meaning = Object.hasOwn(meanings, name) ? meanings[name] : undefined;
  if (meaning !== undefined) return typeof meaning === 'function' ? meaning(failure.message ?? '') : meaning;
  if (wasThrottled(failure)) return 'There were too many requests: send fewer at a time, or try again later.';
  if (isBecomingReady(failure)) return 'It is just being made ready: try again in a moment.';
  return isOwnFault(failure, status) ? 'The service has a fault of its own: try again later.' : undefined;
}

/** Whether the service blames itself and not the request. */
const isOwnFault = (failure: Failure, status: number | undefined): boolean =>
  mayPass(failure) !== false && (failure.$fault === 'server' || (status !== undefined && status >= 500));

/** Describes an error that a service answered with. */
export function describeService(failure: Failure, status: number | undefined): Described {
  const name = failure.name || 'UnknownError';
  const meaning = meaningOf(name, failure, status);
  // The further lines of some texts quote what was signed.
  const text = firstLine(failure.message || name);
  return {
    name,
    message: meaning ? `${meaning} (${text})` : text,
    retryable: mayPass(failure) ?? isOwnFault(failure, status)
  };
}
