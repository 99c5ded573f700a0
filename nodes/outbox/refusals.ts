/** Which errors of a message that is kept may pass, so that it waits, and which are its own. */

import { mayPass, wasThrottled } from '../account/retryable';
import { memberOf, metadataOf, nameOf } from '../fields/thrown';

/** What somebody has to put right outside of the message: the sign-in, its rights, a key of KMS, or what it is sent to. */
const ofOthers =
  /^(?:AccessDenied|AuthorizationError|Unauthorized|NotAuthorized|OptInRequired|ExpiredToken|TokenRefresh|RequestExpired|RequestInTheFuture|RequestTimeTooSkewed|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|MissingAuthenticationToken|IncompleteSignature|InvalidSignature|SignatureDoesNotMatch|InvalidToken|InvalidSecurity|NotFound|ResourceNotFound|QueueDoesNotExist|NonExistentQueue|InvalidAddress|TopicNotFound|EndpointDisabled|PlatformApplicationDisabled|KMS|Kms|FilterPolicyLimit|RecursiveInvocation|BudgetExceeded|UnknownError)/;

/** Statuses that say nothing of the message: sign-in, rights, absence, a proxy, time, conflict with what is being made, rate. */
const passingStatuses = new Set([401, 403, 404, 407, 408, 425, 429]);

/** Whether the service has refused a message because of the message itself: it would refuse it again. */
export function isRefusal(error: unknown): boolean {
  if (memberOf(error, '$fault') !== 'client') return false;
  const name = nameOf(error).split('.').pop() ?? '';
  const { httpStatusCode = 400 } = metadataOf(error);
  return (
    !ofOthers.test(name) && mayPass(error) !== true && !passingStatuses.has(httpStatusCode) && httpStatusCode < 500
  );
}

/**
 * Whether an error that may pass may be of one message alone: the service fails over it, or something on the way to it does
 * not let it through.
 */
export const mayBeOfMessage = (error: unknown): boolean =>
  ((metadataOf(error).httpStatusCode ?? 0) >= 500 || (nameOf(error) === 'UnknownError' && wasAnswered(error))) &&
  !wasThrottled(error);

/** Whether the service, or something in its place, has answered at all. If not, the link to it is down. */
export const wasAnswered = (error: unknown): boolean =>
  memberOf(error, '$fault') !== undefined || metadataOf(error).httpStatusCode !== undefined;
