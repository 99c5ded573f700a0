/** The queues of the durability tests, seen from outside Node-RED. */

import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalAws } from '../../local-aws/client';
import { keysOf } from '../aws';

export class Queues {
  readonly #client: SQSClient;
  readonly #topics: SNSClient;

  constructor(aws: Pick<LocalAws, 'url'>) {
    // The faults are for the nodes.
    const options = {
      region: 'us-east-1',
      endpoint: aws.url,
      credentials: keysOf('demo'),
      maxAttempts: 10,
      customUserAgent: 'nimbus-tests'
    };
    this.#client = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
    this.#topics = new SNSClient(options);
  }

  /** Makes a queue; gives its URL. */
  async create(name: string): Promise<string> {
    const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
    const { QueueUrl = '' } = await this.#client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    return QueueUrl;
  }

  /** Makes a topic that a queue of this name, which is made as well, hears; gives its ARN and the queue's URL. */
  async createTopic(name: string): Promise<{ topic: string; url: string }> {
    const url = await this.create(name);
    const { TopicArn: topic = '' } = await this.#topics.send(new CreateTopicCommand({ Name: name }));
    const Endpoint = topic.replace(':sns:', ':sqs:');
    const Attributes = { RawMessageDelivery: 'true' };
    await this.#topics.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint, Attributes }));
    return { topic, url };
  }

  /** Puts messages with the numbers from `from` on into a queue. */
  async fill(url: string, from: number, count: number): Promise<void> {
    for (let n = from; n < from + count; n += 10) {
      const numbers = Array.from({ length: Math.min(10, from + count - n) }, (_, index) => n + index);
      const Entries = numbers.map((n) => ({ Id: String(n), MessageBody: JSON.stringify({ n }) }));
      await this.#client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    }
  }

  /** How many messages it has, those that are hidden or delayed included. */
  async size(url: string): Promise<number> {
    const names = [
      'ApproximateNumberOfMessages',
      'ApproximateNumberOfMessagesNotVisible',
      'ApproximateNumberOfMessagesDelayed'
    ] as const;
    const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] });
    const { Attributes = {} } = await this.#client.send(command);
    return names.reduce((sum, name) => sum + Number(Attributes[name] ?? Number.NaN), 0);
  }

  close(): void {
    this.#client.destroy();
    this.#topics.destroy();
  }
}
