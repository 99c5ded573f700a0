/** Which errors of the services may pass by themselves. For names that are not listed here, the HTTP status decides. */

import { memberOf, metadataOf, nameOf, textOf } from '../fields/thrown';

/** Names of throttling without “throttl” in them, as in the SDK. */
const rates = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
  'TooManyRequestsException'
]);

/** Whether a service refused the request because of its rate, or KMS or EC2 refused that of Lambda. No work was done. */
export function wasThrottled(error: unknown): boolean {
  const name = nameOf(error);
  return /throttl/i.test(name) || rates.has(name) || metadataOf(error).httpStatusCode === 429;
}

/** Errors of a function or queue that is just being made ready. */
const becomingReady = new Set([
  'CodeArtifactUserDeletedException',
  'CodeArtifactUserPendingException',
  'ENINotReadyException',
  'QueueDeletedRecently',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
  'SnapStartRegenerationFailureException'
]);

/** A conflict with a temporary state of a function, such as Pending. Failed is a lasting state. */
const isBetweenStates = (error: unknown): boolean =>
  nameOf(error) === 'ResourceConflictException' &&
  !/already exists|\bFailed\b/.test(textOf(memberOf(error, 'message') ?? ''));

/** Whether the request needs something that is just being made ready. */
export const isBecomingReady = (error: unknown): boolean => becomingReady.has(nameOf(error)) || isBetweenStates(error);

const passing = new Set([
  // The file system or snapshot of a function did not come in time.
  'EFSIOException',
  'EFSMountConnectivityException',
  'EFSMountTimeoutException',
  'S3FilesMountConnectivityException',
  'S3FilesMountTimeoutException',
  'SnapStartTimeoutException',
  // Too many messages in flight, or another request is changing the same thing.
  'ConcurrentAccessException',
  'OverLimit',
  // The provider of a web identity did not answer STS.
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  // The request did not arrive in time.
  'RequestTimeout',
  'RequestTimeoutException'
]);

/** Lambda sends these with HTTP 502, but they last until somebody corrects the function, its network or its key. */
const lasting = new Set([
  'EC2AccessDeniedException',
  'InvalidRuntimeException',
  'InvalidSecurityGroupIDException',
  'InvalidSubnetIDException',
  'InvalidZipFileException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException'
]);

/** Whether the same request may succeed later; `undefined` if the name does not say. */
export function mayPass(error: unknown): boolean | undefined {
  const name = nameOf(error);
  if (wasThrottled(error) || isBecomingReady(error) || passing.has(name)) return true;
  return lasting.has(name) ? false : undefined;
}
