import type { NodeMessage } from 'node-red';
import { toActionError } from '../account/to-action-error';
import { Input } from '../action/input';
import { receivedIn } from '../action/received';
import { missing } from '../fields/errors';
import type { Fields, Inputs } from '../fields/fields';
import { choice, number, optional } from '../fields/fields';
import { type NodeModule, onClose } from '../fields/node-module';
import { settle } from './held-messages';

export const fields = {
  action: choice(['delete', 'return'], { icon: 'check' }),
  delay: optional(
    number({
      min: 0,
      max: 43_200,
      integer: true,
      takes: 'seconds',
      when: { action: ['return'] },
      example: '60 * aws.receiveCount',
      icon: 'hourglass-half'
    })
  )
} satisfies Fields;

const operations = { delete: 'DeleteMessage', return: 'ChangeMessageVisibility' };

/** The handle that `aws-sqs-receive` has put into the message. Throws `MissingValue`. */
function handleOf(msg: NodeMessage): string {
  const { handle } = receivedIn(msg);
  if (typeof handle === 'string' && handle !== '') return handle;
  throw missing('msg.aws.handle', 'is required, but has no value: only messages of an aws-sqs-receive can be settled.');
}

export const node: NodeModule = {
  definition: { type: 'aws-sqs-settle', fields, account: false },
  create(RED, node, config) {
    const input = new Input<Inputs<typeof fields>>(RED, node, config, {
      fields,
      async run(msg, inputs, task) {
        const { action, delay = 0 } = inputs;
        const handle = handleOf(msg);
        input.status.countRequests(1);
        try {
          await task.until(settle(handle, action === 'delete' ? { action } : { action, delay }));
          return {};
        } finally {
          input.status.countRequests(-1);
        }
      },
      toError: (thrown, { action = 'delete' } = {}) =>
        toActionError(thrown, {
          type: node.type,
          service: 'sqs',
          operation: operations[action],
          secrets: []
        })
    });
    onClose(node, () => input.close());
  }
};
