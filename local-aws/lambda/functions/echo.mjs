/** Gives back what it was called with, and what it knows of the call. */
export const handler = async (event, context) => ({
  event,
  context: {
    functionName: context.functionName,
    functionVersion: context.functionVersion,
    invokedFunctionArn: context.invokedFunctionArn,
    memoryLimitInMB: context.memoryLimitInMB,
    logGroupName: context.logGroupName,
    awsRequestId: context.awsRequestId,
    remainingTimeInMillis: context.getRemainingTimeInMillis(),
    clientContext: context.clientContext ?? null
  }
});
