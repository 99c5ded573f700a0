/** The queues of the durability tests, seen from outside Node-RED. */
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalAws } from '../../local-aws/client';
import { keysOf } from '../aws';

export class Queues {
  readonly #client: SQSClient;

  constructor(aws: LocalAws) {
    this.#client = new SQSClient({
      region: 'us-east-1',
      endpoint: aws.url,
      credentials: keysOf('demo'),
      useQueueUrlAsEndpoint: false,
      // The faults are for the nodes.
      maxAttempts: 10
    });
  }

  /** Makes a queue; gives its URL. */
  async create(name: string): Promise<string> {
    const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
    const { QueueUrl = '' } = await this.#client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    return QueueUrl;
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
  }
}
