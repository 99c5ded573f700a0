/** Makes the policies in help and documents from `nodes/policies.json`. */
import { readFileSync } from 'node:fs';
import type { Right, Rights } from '../dialog/rights.js';

/** A statement as IAM knows it: what else a right has is for the policy of a flow. */
type Statement = Pick<Right, 'Principal' | 'Action' | 'Resource' | 'Condition'>;

/** The one list of what each node needs. */
export const policies: Rights = JSON.parse(readFileSync(new URL('../policies.json', import.meta.url), 'utf8'));

const isPlain = ({ Principal, Condition }: Statement) => !Principal && !Condition;
const actionsOf = ({ Action }: Statement) => [Action].flat();
const isFor = (resource: Statement['Resource']) => (statement: Statement) =>
  isPlain(statement) && JSON.stringify(statement.Resource) === JSON.stringify(resource);

/** Joins statements for the same resource. */
function joined(statements: Statement[]): Statement[] {
  const all: Statement[] = [];
  for (const { Principal, Action, Resource, Condition } of statements) {
    const statement: Statement = {
      ...(Principal && { Principal }),
      Action,
      ...(Resource && { Resource }),
      ...(Condition && { Condition })
    };
    const same = isPlain(statement) ? all.findIndex(isFor(Resource)) : -1;
    const former = all[same];
    if (!former) all.push(statement);
    else all[same] = { ...former, Action: alone(new Set([...actionsOf(former), ...actionsOf(statement)])) };
  }
  return all;
}

/** One action stands without a list around it. */
function alone(actions: ReadonlySet<string>): string | string[] {
  const [first = '', ...others] = actions;
  return others.length > 0 ? [first, ...others] : first;
}

/**
 * The JSON text of a policy. `wanted` is a type of node and the parts of its policy, such as `aws-sqs-send least name`;
 * the type alone means `least`. Throws for one that is not in the list.
 */
export function policyText(wanted: string): string {
  const [type = '', ...parts] = wanted.trim().split(/\s+/);
  const statements = (parts.length > 0 ? parts : ['least']).flatMap((part) => {
    const found = policies[type]?.[part];
    if (!found) throw new Error(`nodes/policies.json has no ${type} ${part}`);
    return found;
  });
  const texts = joined(statements).map((statement) => JSON.stringify({ Effect: 'Allow', ...statement }, null, 2));
  return `{\n  "Version": "2012-10-17",\n  "Statement": [${texts.join(', ').replaceAll('\n', '\n  ')}]\n}`;
}
