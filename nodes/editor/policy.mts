/** Makes the policies in help and documents from `nodes/policies.json`. */
import { readFileSync } from 'node:fs';

/** A statement without `Effect`, which is always `Allow`. */
interface Statement {
  Principal?: object;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: object;
}

/**
 * By type of node and by part. `least` is what the node cannot do without; the others say what they are for: `lists` for
 * the lists in the dialog, `name` for a queue that is given by its name, and so on.
 */
type Policies = Record<string, Record<string, Statement[]>>;

/** The one list of what each node needs. */
export const policies: Policies = JSON.parse(readFileSync(new URL('../policies.json', import.meta.url), 'utf8'));

const isPlain = ({ Principal, Condition }: Statement) => !Principal && !Condition;
const actionsOf = ({ Action }: Statement) => [Action].flat();
const isFor = (resource: Statement['Resource']) => (statement: Statement) =>
  isPlain(statement) && JSON.stringify(statement.Resource) === JSON.stringify(resource);

/** Joins statements for the same resource. */
function joined(statements: Statement[]): Statement[] {
  const all: Statement[] = [];
  for (const statement of statements) {
    const same = isPlain(statement) && all.find(isFor(statement.Resource));
    if (same) same.Action = [...actionsOf(same), ...actionsOf(statement)];
    else all.push({ ...statement });
  }
  return all;
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
