import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const sqs = new SQSClient();

/** Sends the ID of a callback to a queue, and gives what is answered: `{"queue": "approvals", "timeout": 5}`, in seconds. */
export const handler = withDurableExecution(async ({ queue, timeout = 0, heartbeat = 0 }, context) => {
  const limits = { timeout: { seconds: timeout }, heartbeatTimeout: { seconds: heartbeat } };
  const tell = async (callbackId) => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ callbackId }) }));
  };
  try {
    return { answer: await context.waitForCallback('answer', tell, limits) };
  } catch ({ name, message, cause, errorData }) {
    return { failed: { name, message, type: cause.name, stack: cause.stack, data: errorData } };
  }
});
