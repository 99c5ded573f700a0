import type { Node, NodeAPI } from 'node-red';
import { inOneLine } from '../fields/lines';
import type { NodeModule } from '../fields/node-module';
import { meterOf } from '../metering/meters';
import { type AccountNode, followDeployments, runningAccounts } from './account';
import { callerIdentity } from './caller-identity';
import type { CertificateSummary } from './certificate';
import type { Clients } from './clients';
import { warnOfProxy } from './proxy';
import type { StoredCredentials } from './settings';
import { budgetFrom, clientsFrom, fields, readSettings, type SignInNotices } from './settings';
import { requireTlsNode, tlsNodeFrom } from './tls-node';
import { toActionError } from './to-action-error';

export { fields };

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

const day = 24 * 3_600_000;

/** What is logged of sign-ins: once a day that the certificate ends soon, and that credentials could not be renewed. */
function noticesOf(node: Node, clients: () => Clients | undefined): SignInNotices {
  let said = -Infinity;
  return {
    certificateSeen({ subject, validTo, endsSoon }: CertificateSummary) {
      const now = performance.now();
      if (!endsSoon || now - said < day) return;
      said = now;
      node.warn(`The certificate ${subject} ends on ${validTo}: replace it in time.`);
    },
    renewalFailed(thrown) {
      const { name, message } = toActionError(thrown, { type: node.type, secrets: clients()?.secrets() ?? [] });
      node.warn(
        `The credentials could not be renewed; the old ones are used as long as they are valid. ${name}: ${message}`
      );
    }
  };
}

/**
 * Signs in anew after a deployment that has changed the TLS configuration. Node-RED restarts the account as well, but not if
 * a variable names the TLS configuration. Returns whether it runs; if not, that is logged.
 */
function followTlsNode(RED: NodeAPI, node: Node, id: string, clients: Clients): boolean {
  let known = tlsNodeFrom(RED, id);
  const leave = followDeployments(RED, {
    deployed: () => {
      const found = tlsNodeFrom(RED, id);
      if (found !== known) clients.signInAgain();
      known = found;
    }
  });
  node.on('close', leave);
  try {
    requireTlsNode(RED, id);
    return true;
  } catch (thrown) {
    const { name, message } = toActionError(thrown, { secrets: [] });
    node.error(`${name}: ${message}`);
    return false;
  }
}

export const node: NodeModule = {
  definition: { type: 'aws-account', fields, config: true, endpoints: true },
  create(RED, node: AccountNode & Node<StoredCredentials>, config) {
    const meter = meterOf(RED, node.id, budgetFrom(RED, node, config), (text) => node.warn(text));
    node.meter = meter;
    node.on('close', runningAccounts.add(RED, node));
    // An account that is not valid has no clients, which would close the meter.
    node.on('close', () => (node.clients ?? meter).close());
    try {
      const settings = readSettings(RED, node, config, node.credentials ?? {});
      const notices = noticesOf(node, () => node.clients);
      const clients = clientsFrom(RED, node, config, settings, meter, notices);
      node.clients = clients;
      node.showResults = settings.showResults;
      warnOfProxy((text) => node.warn(text), settings.endpoint);
      const runs = settings.source !== 'certificate' || followTlsNode(RED, node, settings.tls, clients);
      if (settings.validate && runs) sayWhoWeAre(node, clients);
    } catch (thrown) {
      node.problem = toActionError(thrown, { type: node.type, secrets: [] });
      node.error(`${node.problem.name}: ${node.problem.message}`);
    }
  }
};
