/** What AWS says of a request that no policy allows, or that one denies. */
import { operations, type ServiceName } from './sdks';

/** A request that was refused, as far as AWS says it. */
interface Denial {
  /** Such as `sqs:SendMessage`. */
  action: string;
  /** An ARN, or a name; absent for an action without a resource. */
  resource: string | undefined;
  /** The kind of policy that denies it, or does not allow it, such as `service control policy`; absent where AWS does not say. */
  policy: string | undefined;
  /** Whether a policy denies it, so that allowing it in another one is no use. */
  isExplicit: boolean;
}

/** The kind of policy that a sign-in itself has. */
const ofIdentity = 'identity-based policy';

/** The longest text that is looked at: AWS's own have some hundred characters. */
const longest = 4000;

/** The name of an action as policies have it: SQS writes it in lower case, SNS its own prefix in upper case. */
function spelled(action: string): string {
  const [service = '', name = ''] = action.toLowerCase().split(':');
  const known: readonly string[] = Object.hasOwn(operations, service) ? operations[service as ServiceName] : [];
  const found = known.find((operation) => operation.toLowerCase() === name);
  return found ? `${service}:${found}` : action;
}

/** Reads the text of an `AccessDenied`; `undefined` for one that names no action. */
function denialIn(message: string): Denial | undefined {
  const text = message.slice(0, longest);
  const [, action, resource] =
    /not authorized to perform: ([\w-]+:\w+)(?: on resource: "?([^\s"]+)"?)?/.exec(text) ?? [];
  if (action === undefined) return undefined;
  const [, denying] = /with an explicit deny in (?:an?|the) ([a-zA-Z -]*?(?:policy|boundary))\b/.exec(text) ?? [];
  const [, missing] = /because no ([a-zA-Z -]*?(?:policy|boundary)) allows/.exec(text) ?? [];
  return { action: spelled(action), resource, policy: denying ?? missing, isExplicit: denying !== undefined };
}

/** What a missing right means, and what to do. */
export function meaningOfDenial(message: string): string {
  const start = 'This sign-in is not allowed to do that:';
  const denial = denialIn(message);
  if (!denial) return `${start} allow it in a policy, or choose another sign-in.`;
  const { action, resource, policy, isExplicit } = denial;
  const what = resource === undefined ? action : `${action} on ${resource}`;
  if (isExplicit) return `${start} ${article(policy)} denies ${what}, whatever other policies allow.`;
  if (policy !== undefined && policy !== ofIdentity) {
    return `${start} no ${policy} allows ${what}, and policies of the sign-in alone cannot.`;
  }
  return `${start} allow ${what} in a policy (the aws-account makes one: Policy), or choose another sign-in.`;
}

/**
 * The statement that is missing in a policy of the sign-in; `undefined` where it would be no use, since AWS names an explicit
 * deny or another kind of policy, or says too little.
 */
export function missingStatement(message: string): object | undefined {
  const denial = denialIn(message);
  if (!denial || denial.isExplicit || (denial.policy ?? ofIdentity) !== ofIdentity) return undefined;
  return { Effect: 'Allow', Action: denial.action, Resource: denial.resource ?? '*' };
}

const article = (noun = 'policy'): string => `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
