import type { Node } from 'node-red';
import { CurrentAccount } from '../account/account';
import { toActionError } from '../account/to-action-error';
import { Input } from '../action/input';
import type { Fields, Inputs } from '../fields/fields';
import { choice } from '../fields/fields';
import { type NodeModule, onClose } from '../fields/node-module';

export const fields = {
  period: choice(['current', 'last'], { icon: 'calendar' })
} satisfies Fields;

export const node: NodeModule = {
  definition: { type: 'aws-usage', fields },
  create(RED, node: Node, config) {
    const account = new CurrentAccount(RED, config.account);
    const input = new Input<Inputs<typeof fields>>(RED, node, config, {
      fields,
      sets: () => ['payload'],
      async run(_, { period }) {
        const { id, name, meter } = account.running;
        return { payload: { account: name || id, ...meter.report(period) } };
      },
      toError: (thrown) => toActionError(thrown, { type: node.type, secrets: [] })
    });
    onClose(node, async () => {
      await input.close();
      account.close();
    });
  }
};
