/** Which refusals of the services may pass by themselves. What is not named here does where its HTTP status is 5xx. */

import { memberOf, metadataOf, nameOf, textOf } from '../fields/errors';

/** Kinds of throttling whose name does not say so; the SDK takes them for it as well. */
const rates = new Set([
  'BandwidthLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
  'TooManyRequestsException'
]);

/** True when a service refused the request because of its rate, or KMS or EC2 refused the service's, before any work. */
export function wasThrottled(error: unknown): boolean {
  const name = nameOf(error);
  return /throttl/i.test(name) || rates.has(name) || metadataOf(error).httpStatusCode === 429;
}

/** A function or a queue is just being made ready. */
const becomingReady = new Set([
  'CodeArtifactUserDeletedException',
  'CodeArtifactUserPendingException',
  'ENINotReadyException',
  'QueueDeletedRecently',
  'ResourceNotReadyException',
  'SnapStartNotReadyException',
  'SnapStartRegenerationFailureException'
]);

/** A conflict with a function's state, such as Pending. A function that could not be made stays so. */
const isBetweenStates = (error: unknown): boolean =>
  nameOf(error) === 'ResourceConflictException' &&
  !/already exists|\bFailed\b/.test(textOf(memberOf(error, 'message') ?? ''));

/** True when what the request needs is just being made. */
export const isBecomingReady = (error: unknown): boolean => becomingReady.has(nameOf(error)) || isBetweenStates(error);

const passing = new Set([
  // The file system or snapshot of a function did not come in time.
  'EFSIOException',
  'EFSMountConnectivityException',
  'EFSMountTimeoutException',
  'S3FilesMountConnectivityException',
  'S3FilesMountTimeoutException',
  'SnapStartTimeoutException',
  // As soon as others are done: too many messages in flight, or the same thing is being changed.
  'ConcurrentAccessException',
  'OverLimit',
  // The provider of a web identity did not answer STS.
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  // The request did not arrive in time.
  'RequestTimeout',
  'RequestTimeoutException'
]);

/** Lambda says these with 502, but somebody has to mend a function, its network or its key first. */
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

/** Whether the same request may succeed later; `undefined` where the name says nothing of it. */
export function mayPass(error: unknown): boolean | undefined {
  const name = nameOf(error);
  if (wasThrottled(error) || isBecomingReady(error) || passing.has(name)) return true;
  return lasting.has(name) ? false : undefined;
}
