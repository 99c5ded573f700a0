/** What each node needs of IAM: `nodes/policies.json`, in which help and pages have their examples, too. */
import type { When } from '../fields/fields';
import list from '../policies.json';

/** What a right is for: AWS's resource types, and what is more exact than these. */
export type ResourceType =
  | 'collection'
  | 'durable execution'
  | 'function'
  | 'object'
  | 'phone'
  | 'queue'
  /** Of the values that name a queue only those that have to be looked up. */
  | 'queue name'
  | 'topic';

/** A statement without `Effect`, which is always `Allow`. */
export interface Right {
  readonly Principal?: object;
  readonly Action: string | string[];
  /** In help and pages; a policy of a flow has what the nodes name. */
  readonly Resource?: string | string[];
  readonly Condition?: object;
  /** The type of the resource; absent where IAM knows no resources of the action, or the account has them. */
  readonly type?: ResourceType;
  /** The field that names the resource. */
  readonly of?: string;
  /** The field that has a function's version or alias. */
  readonly qualifier?: string;
  /** The values of fields with which a node needs it; default: all. */
  readonly when?: When;
}

/**
 * By type of node and by part. `least` is what the node cannot do without; the others say what they are for: `lists` for
 * the lists in the dialog, `name` for a queue that is given by its name, and so on.
 */
export type Rights = Readonly<Record<string, Readonly<Record<string, readonly Right[]>>>>;

/** The one list of what each node needs. */
export const rights = list as unknown as Rights;
