import { AwsError, denied } from '../server/aws-error';
import { refusalOf } from '../server/policies';
import type { Principal } from '../server/sign-ins';
import { type FunctionReference, functionArn } from './function-name';
import type { Functions, LambdaFunction } from './functions';

/** Throws AwsError if no policy of the principal allows this. */
export function needRight(principal: Principal, action: string, resource: string): void {
  const reason = refusalOf(principal, action, resource);
  if (reason !== undefined) throw denied(principal, action, resource, reason);
}

/** Throws AwsError if the principal may not do this with the function. Functions allow no other account. */
export function authorize(principal: Principal, reference: FunctionReference, action: string): void {
  const { account, region, name, qualifier } = reference;
  const arn = functionArn(account, region, name) + (qualifier === undefined ? '' : `:${qualifier}`);
  needRight(principal, action, arn);
  if (account === principal.account) return;
  throw denied(principal, action, arn, `because no resource-based policy allows the ${action} action`);
}

/**
 * The function, if it is there.
 *
 * @throws AwsError ResourceNotFoundException if the reference leads out of the region
 */
export function reach(functions: Functions, reference: FunctionReference, region: string): LambdaFunction | undefined {
  if (reference.region !== region) {
    throw notFound(`Functions from '${reference.region}' are not reachable in this region ('${region}')`);
  }
  return functions.find(reference.account, region, reference.name);
}

/** Lambda's error for something that does not exist. */
export function notFound(text: string): AwsError {
  return new AwsError(404, 'ResourceNotFoundException', text, { fields: { Type: 'User' }, capital: true });
}
