import type { Node, NodeAPI } from 'node-red';
import { ActionError, ownError } from '../fields/errors';
import type { Fields } from '../fields/fields';
import type { Config } from '../fields/read';
import type { Meter } from '../metering/meter';
import type { Clients } from './clients';
import { Running } from './running';

/** The part of a deployed `aws-account` that other nodes use. */
export interface AccountNode extends Node {
  /** Absent if a property of the account is not valid. */
  clients?: Clients;
  /** Counts its requests. */
  meter: Meter;
  /** Whether the status of its nodes says on success, too, what has come of it. */
  showResults?: boolean;
  /** What is wrong with its properties, if anything is. */
  problem?: ActionError;
}

/** The accounts that run. */
export const runningAccounts = new Running<AccountNode>();

/** The running account with this id. */
export function accountFrom(RED: NodeAPI, id: unknown): AccountNode | undefined {
  const node = typeof id === 'string' && id !== '' ? (RED.nodes.getNode(id) as AccountNode | null) : null;
  return node?.type === 'aws-account' ? node : undefined;
}

/** An account as the deployed flows describe it, whether it runs or not; `undefined` if there is none with this id. */
export function describedAccount(RED: NodeAPI, id: unknown): Config | undefined {
  let found: Config | undefined;
  RED.nodes.eachNode((node) => {
    if (node.id === id && node.type === 'aws-account') found = node as Config;
  });
  return found;
}

/** Whether there is a deployed account with this id, running or not: disabled ones and those of subflows do not run. */
export const isDescribed = (RED: NodeAPI, id: unknown): boolean => describedAccount(RED, id) !== undefined;

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
  (isDescribed(RED, id) && (RED.nodes.getCredentials(id) as Record<string, string> | undefined)) || {};

/** What an error calls an account. */
const called = (name: string | undefined): string => (name ? `The account “${name}”` : 'The aws-account');

/** The clients of a running account. Throws the error of its properties if one is not valid. */
function clientsOf({ clients, problem, name }: AccountNode): Clients {
  if (clients) return clients;
  throw new ActionError(problem?.name ?? 'AccountMissing', `${called(name)}: ${problem?.message}`);
}

/** Is told when something has been deployed. */
interface Follower {
  /** Called when a deployment has started its flows. */
  deployed(): void;
}

/** All followers of the deployments of one Node-RED. */
class Followers extends Set<Follower> {
  readonly tell = (): void => {
    for (const each of this) each.deployed();
  };
}

/** By the events of their Node-RED: a process may run several. */
const followersOf = new WeakMap<object, Followers>();

/**
 * Calls `deployed` after each deployment, until the function that is returned is called. All nodes of a Node-RED share one
 * listener, since Node.js warns if an event has more than ten.
 */
export function followDeployments({ events }: NodeAPI, follower: Follower): () => void {
  const followers = followersOf.get(events) ?? new Followers();
  followersOf.set(events, followers);
  if (followers.size === 0) events.on('flows:started', followers.tell);
  followers.add(follower);
  return () => {
    if (followers.delete(follower) && followers.size === 0) events.off('flows:started', followers.tell);
  };
}

/** A running node that uses an account. */
export interface AccountUser {
  readonly node: Node;
  readonly config: Config;
  readonly fields: Fields;
}

/** The running nodes that use an account, those in subflows and those whose account a variable chooses among them. */
export function usersOf({ events }: NodeAPI, account: string): AccountUser[] {
  const followers = [...(followersOf.get(events) ?? [])];
  return followers.flatMap((each) => (each instanceof CurrentAccount && each.id === account ? (each.user ?? []) : []));
}

/**
 * The account of a node, as it is deployed at the moment. If a node's account is chosen by an environment variable, Node-RED
 * does not restart the node when that account is changed, disabled or deleted. So the account is looked up again after each
 * deployment; until the deployed flows have started, the old one is still used.
 */
export class CurrentAccount {
  #node: AccountNode | undefined;
  readonly #leave: () => void;

  /** `changed` is called when a deployment has made it another one, or none. */
  constructor(
    private readonly RED: NodeAPI,
    /** As Node-RED has resolved it for the node. */
    readonly id: unknown,
    private readonly changed: () => void = () => undefined,
    /** The node, unless it has another one of these. */
    readonly user?: AccountUser
  ) {
    this.#node = accountFrom(RED, id);
    this.#node?.clients?.attach();
    this.#leave = followDeployments(RED, this);
  }

  /** Whether the account is running. In the constructor of a node it may be missing: it may be created after the node. */
  get exists(): boolean {
    return this.#node !== undefined;
  }

  /** Its clients. Throws `AccountMissing`, or the error of the account's properties if one is not valid. */
  get clients(): Clients {
    return clientsOf(this.running);
  }

  /** The account as it runs, even if one of its properties is not valid. Throws `AccountMissing`. */
  get running(): AccountNode {
    if (!this.#node) this.#find();
    if (this.#node) return this.#node;
    const described = describedAccount(this.RED, this.id);
    throw ownError(
      'AccountMissing',
      described
        ? `${called(described.name)} does not run, since it is disabled or belongs to a flow that is: enable it, or open the node and choose one.`
        : 'The aws-account of this node does not exist or is disabled: open the node and choose one.'
    );
  }

  /** Whether the status says on success, too, what has come of it. */
  get showsResults(): boolean {
    if (!this.#node) this.#find();
    return this.#node?.showResults === true;
  }

  /** Its ID, if it is running. */
  get nodeId(): string | undefined {
    return this.#node?.id;
  }

  /** All secrets that the account holds at the moment. */
  secrets(): string[] {
    return this.#node?.clients?.secrets() ?? [];
  }

  /** To be called when a deployment has started its flows. */
  deployed(): void {
    if (this.#find()) this.changed();
  }

  /** To be called when the node closes. */
  close(): void {
    this.#leave();
    this.#node?.clients?.detach();
  }

  /** Looks the account up again. Returns whether it is another one than before. */
  #find(): boolean {
    const found = accountFrom(this.RED, this.id);
    if (found === this.#node) return false;
    this.#node?.clients?.detach();
    this.#node = found;
    found?.clients?.attach();
    return true;
  }
}
