/** Policies of IAM, as far as the local AWS enforces them: actions and resources with wildcards, and `Deny`. */
import reference from './service-authorization.json';
import type { Principal } from './sign-ins';

/** A statement. */
export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: { readonly AWS?: string | readonly string[] };
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, string>> };
}

/** A policy. */
export interface Policy {
  readonly Version?: string;
  readonly Statement: Statement | readonly Statement[];
}

/** A pattern in which `*` and `?` are wildcards; `${*}`, `${?}` and `${$}` are these characters themselves. */
function matches(pattern: string, text: string, flags = ''): boolean {
  const source = pattern.replace(/\$\{([*?$])\}|([*?])|[^\w]/g, (each, literal?: string, wildcard?: string) => {
    if (wildcard) return wildcard === '*' ? '[^]*' : '[^]';
    return `\\u${(literal ?? each).charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return new RegExp(`^${source}$`, flags).test(text);
}

const list = (given: string | readonly string[] | undefined): readonly string[] => [given ?? []].flat();

/** The statements of a policy for an action on a resource. */
const statementsFor = ({ Statement }: Policy, action: string, resource: string): Statement[] =>
  [Statement]
    .flat()
    .filter(
      (each) =>
        list(each.Action).some((pattern) => matches(pattern, action, 'i')) &&
        list(each.Resource).some((pattern) => matches(pattern, resource))
    );

const resourceTypes = new Map<string, readonly string[]>(
  Object.entries(reference.resourceTypes).map(([action, types]) => [action.toLowerCase(), types])
);

/** The resource as IAM looks at it: for an action without resources only `*`. */
const resourceOf = (action: string, resource: string): string =>
  resourceTypes.get(action.toLowerCase())?.length === 0 ? '*' : resource;

/** Why a principal may not do something, in AWS's words; `undefined` if it may. */
export function refusalOf({ allows }: Principal, action: string, resource: string): string | undefined {
  const implicit = `because no identity-based policy allows the ${action} action`;
  if (typeof allows === 'string') return allows === 'everything' ? undefined : implicit;
  const found = statementsFor(allows, action, resourceOf(action, resource));
  if (found.some(({ Effect }) => Effect === 'Deny')) return 'with an explicit deny in an identity-based policy';
  return found.length > 0 ? undefined : implicit;
}

/** Whether the trust policy of a role lets a user, or a session of a role, assume it. */
export function trusts({ Statement }: Policy, { arn, account }: Principal, externalId: string | undefined): boolean {
  const role = arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*/, 'arn:aws:iam::$1:role/$2');
  return [Statement].flat().some(({ Effect, Action, Principal: named, Condition }) => {
    const isNamed = list(named?.AWS).some((each) => each === role || each === `arn:aws:iam::${account}:root`);
    const wanted = Condition?.StringEquals?.['sts:ExternalId'];
    const isMet = wanted === undefined || wanted === externalId;
    return Effect === 'Allow' && list(Action).includes('sts:AssumeRole') && isNamed && isMet;
  });
}
