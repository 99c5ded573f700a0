import type { Node } from 'node-red';
import { CurrentAccount } from '../account/account';
import { sdkOf } from '../account/sdks';
import { toActionError } from '../account/to-action-error';
import { statusOf } from '../action/status-words';
import type { Fields } from '../fields/fields';
import { choice, flag, optional, plainNumber, plainText, regionIs, regionPattern } from '../fields/fields';
import { type NodeModule, onClose } from '../fields/node-module';
import { readAll } from '../fields/read';
import { queueIs, queuePattern } from './queue';
import type { ReceiverOptions } from './receiver';
import { Receiver } from './receiver';

export const fields = {
  queue: plainText({ pattern: queuePattern, is: queueIs, names: true, offers: 'queues', icon: 'inbox' }),
  settle: choice(['sent', 'flow'], { icon: 'check' }),
  bodyFormat: choice(['auto', 'string', 'buffer'], { icon: 'envelope-open-o' }),
  unwrap: flag(false),
  maxInFlight: plainNumber(10, { min: 1, max: 120_000, integer: true, icon: 'tasks' }),
  batchSize: plainNumber(10, { min: 1, max: 10, integer: true, advanced: true, icon: 'list-ol' }),
  waitTime: plainNumber(20, { min: 0, max: 20, integer: true, takes: 'seconds', advanced: true, icon: 'clock-o' }),
  visibilityTimeout: optional(
    plainNumber('', { min: 0, max: 43_200, integer: true, takes: 'seconds', advanced: true, icon: 'eye-slash' })
  ),
  region: optional(
    plainText({ pattern: regionPattern, is: regionIs, advanced: true, offers: 'regions', icon: 'globe' })
  )
} satisfies Fields;

export const node: NodeModule = {
  definition: { type: 'aws-sqs-receive', fields, inputs: 0 },
  create(RED, node: Node, config) {
    const failed = (thrown: unknown): undefined => {
      const error = toActionError(thrown, {
        type: node.type,
        service: 'sqs',
        operation: 'ReceiveMessage',
        secrets: []
      });
      node.error(`${error.name}: ${error.message}`);
      node.status({ fill: 'red', shape: 'ring', text: statusOf(RED, error) });
    };
    try {
      const options: ReceiverOptions = readAll(RED, node, config, fields);
      // With another account the receiver starts again, as if it had been deployed: what it holds is returned with the
      // old sign-in.
      const restart = () => {
        // The new one starts even if closing the former one has failed.
        const ended = receiver.then((former) => former?.close()).catch(failed);
        receiver = ended.then(start).catch(failed);
      };
      const account = new CurrentAccount(RED, config.account, restart, { node, config, fields });
      const start = () => new Receiver(RED, node, account, options);
      if (account.exists) sdkOf('sqs');
      let receiver: Promise<Receiver | undefined> = Promise.resolve(start());
      onClose(node, async () => {
        await (await receiver)?.close();
        account.close();
      });
    } catch (thrown) {
      failed(thrown);
    }
  }
};
