import type { NodeMessage } from 'node-red';
import { missing } from './lib/errors';
import type { Fields, Inputs } from './lib/fields';
import { choice, number, optional } from './lib/fields';
import { settle } from './lib/held-messages';
import { Input } from './lib/input';
import { type NodeModule, onClose } from './lib/node-module';
import { receivedIn } from './lib/received';
import { toActionError } from './lib/to-action-error';

const fields = {
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

/** The handle that the receiver of the message has put into it. Throws `MissingValue`. */
function handleOf(msg: NodeMessage): string {
  const { handle } = receivedIn(msg);
  if (typeof handle === 'string' && handle !== '') return handle;
  throw missing('msg.aws.handle', 'is required, but has no value: only messages of an aws-sqs-receive can be settled.');
}

const settleNode: NodeModule = {
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

export = settleNode;
