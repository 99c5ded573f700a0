import type { Node } from 'node-red';
import { inOneLine } from '../fields/errors';
import type { NodeModule } from '../fields/node-module';
import { meterOf } from '../metering/meters';
import type { AccountNode } from './account';
import { callerIdentity } from './caller-identity';
import type { Clients } from './clients';
import { warnOfProxy } from './proxy';
import type { StoredCredentials } from './settings';
import { budgetFrom, clientsFrom, fields, readSettings } from './settings';
import { toActionError } from './to-action-error';

/** Asks STS who we are and logs it. A failure is only a warning, since the network may not be up yet. */
function sayWhoWeAre(node: Node, clients: Clients): void {
  const controller = new AbortController();
  const { signal } = controller;
  node.on('close', () => controller.abort());
  callerIdentity(clients, signal)
    .then(({ account, arn, region }) => {
      if (!signal.aborted) node.log(inOneLine(`signed in to account ${account} as ${arn}, region ${region}`));
    })
    .catch((thrown: unknown) => {
      const { name, message } = toActionError(thrown, {
        type: node.type,
        service: 'sts',
        operation: 'GetCallerIdentity',
        secrets: clients.secrets()
      });
      if (!signal.aborted) node.warn(`Sign-in failed: ${name}: ${message}`);
    });
}

const account: NodeModule = {
  definition: { type: 'aws-account', fields, config: true, endpoints: true },
  create(RED, node: AccountNode & Node<StoredCredentials>, config) {
    const meter = meterOf(RED, node.id, budgetFrom(RED, node, config), (text) => node.warn(text));
    node.meter = meter;
    try {
      const settings = readSettings(RED, node, config, node.credentials ?? {});
      const clients = clientsFrom(RED, node, config, settings, meter);
      node.clients = clients;
      warnOfProxy((text) => node.warn(text), settings.endpoint);
      node.on('close', () => clients.close());
      if (settings.validate) sayWhoWeAre(node, clients);
    } catch (thrown) {
      node.problem = toActionError(thrown, { type: node.type, secrets: [] });
      node.error(`${node.problem.name}: ${node.problem.message}`);
    }
  }
};

export = account;
