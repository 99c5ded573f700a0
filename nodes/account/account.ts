import type { Node, NodeAPI } from 'node-red';
import { ActionError, ownError } from '../fields/errors';
import type { Config } from '../fields/read';
import type { Clients } from './clients';

/** The part of a deployed `aws-account` that other nodes use. */
export interface AccountNode extends Node {
  /** Absent where the account's properties will not do. */
  clients?: Clients;
  /** Why they will not. */
  problem?: ActionError;
}

/** The account with this id, if there is one that is deployed. */
export function accountFrom(RED: NodeAPI, id: unknown): AccountNode | undefined {
  const node = typeof id === 'string' && id !== '' ? (RED.nodes.getNode(id) as AccountNode | null) : null;
  return node?.type === 'aws-account' ? node : undefined;
}

/** The flow's own description of an account; `undefined` where there is no such account, running or not. */
export function describedAccount(RED: NodeAPI, id: unknown): Config | undefined {
  let found: Config | undefined;
  RED.nodes.eachNode((node) => {
    if (node.id === id && node.type === 'aws-account') found = node as Config;
  });
  return found;
}

/** Whether there is a deployed account with this id, running or not: disabled ones and those of subflows do not run. */
const isAccount = (RED: NodeAPI, id: unknown): boolean => describedAccount(RED, id) !== undefined;

/** Whether a deployed account is disabled, by itself or with its flow. */
export function isDisabled(RED: NodeAPI, { d, z }: Config): boolean {
  let isOff = d === true;
  RED.nodes.eachNode((node) => {
    if (node.id === z && (node as Config).disabled === true) isOff = true;
  });
  return isOff;
}

/** The stored credentials of a deployed account, running or not; never of another node. */
export const storedCredentials = (RED: NodeAPI, id: string): Record<string, string> =>
  (isAccount(RED, id) && (RED.nodes.getCredentials(id) as Record<string, string> | undefined)) || {};

/** As people know an account: by its name, where it has one. */
const called = (name: string | undefined): string => (name ? `The account “${name}”` : 'The aws-account');

/** The clients of a running account. Throws what is wrong with its properties. */
function clientsOf({ clients, problem, name }: AccountNode): Clients {
  if (clients) return clients;
  throw new ActionError(problem?.name ?? 'AccountMissing', `${called(name)}: ${problem?.message}`);
}

/** The accounts of all nodes that are deployed. */
const inUse = new Set<CurrentAccount>();

function deployed(): void {
  for (const account of inUse) account.deployed();
}

/** One listener for all of them, as long as there are any: Node-RED warns of many. */
function use(RED: NodeAPI, account: CurrentAccount): void {
  if (inUse.size === 0) RED.events.on('flows:started', deployed);
  inUse.add(account);
}

function leave(RED: NodeAPI, account: CurrentAccount): void {
  if (inUse.delete(account) && inUse.size === 0) RED.events.off('flows:started', deployed);
}

/**
 * The account of a node, as it is deployed at the moment. Node-RED does not restart a node whose account is chosen through
 * a variable when that account is changed, disabled or deleted, so it is found anew when a deployment has started its
 * flows: until then the former one serves on.
 */
export class CurrentAccount {
  #node: AccountNode | undefined;

  /** `changed` is called when a deployment has made it another one, or none. */
  constructor(
    private readonly RED: NodeAPI,
    private readonly id: unknown,
    private readonly changed: () => void = () => undefined
  ) {
    this.#node = accountFrom(RED, id);
    this.#node?.clients?.attach();
    use(RED, this);
  }

  /** Whether there is one; in the constructor of a node that is deployed with it, it may still be to come. */
  get exists(): boolean {
    return this.#node !== undefined;
  }

  /** Its clients. Throws `AccountMissing`, or what is wrong with the account's own properties. */
  get clients(): Clients {
    if (!this.#node) this.#find();
    if (this.#node) return clientsOf(this.#node);
    const described = describedAccount(this.RED, this.id);
    throw ownError(
      'AccountMissing',
      described
        ? `${called(described.name)} does not run, since it is disabled or belongs to a flow that is: enable it, or open the node and choose one.`
        : 'The aws-account of this node does not exist or is disabled: open the node and choose one.'
    );
  }

  /** Everything secret that the account knows at the moment. */
  secrets(): string[] {
    return this.#node?.clients?.secrets() ?? [];
  }

  /** A deployment has started its flows. */
  deployed(): void {
    if (this.#find()) this.changed();
  }

  /** The node is closed: it uses the account no longer. */
  close(): void {
    leave(this.RED, this);
    this.#node?.clients?.detach();
  }

  /** Takes the one that is deployed now; gives whether it is another one. */
  #find(): boolean {
    const found = accountFrom(this.RED, this.id);
    if (found === this.#node) return false;
    this.#node?.clients?.detach();
    this.#node = found;
    found?.clients?.attach();
    return true;
  }
}
