import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

const sqs = new SQSClient();

async function send(queue, message) {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
}

/** Waits for somebody to decide, for a day at most. */
async function decisionOn(order, context) {
  const ask = (callbackId) => send('approvals', { ...order, callbackId });
  try {
    const answer = await context.waitForCallback('approval', ask, { timeout: { hours: 24 } });
    return { approved: true, ...JSON.parse(answer) };
  } catch (error) {
    return { approved: false, why: error.message };
  }
}

/** An order that somebody has to approve; what came of it goes to the queue `decisions`. */
export const handler = withDurableExecution(async (order, context) => {
  const decision = await decisionOn(order, context);
  await context.step('tell', () => send('decisions', { ...order, ...decision }));
  return decision;
});
