import { AwsError, validationError, violation } from '../server/aws-error';

/** The parts of a function's name or ARN. */
export interface FunctionReference {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** Version or alias; undefined where none was given. */
  readonly qualifier: string | undefined;
}

/** The pattern of `FunctionName` of Invoke, as Lambda's validation errors quote it. */
const namePattern =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?' +
  '([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?';
const qualifierPattern = '\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+';

const nameParts = new RegExp(
  '^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:(?<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\\d):)?' +
    '(?:(?<account>\\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9\\-_.]+)' +
    '(?::(?<qualifier>\\$LATEST(?:\\.PUBLISHED)?|[a-zA-Z0-9\\-_]+))?$'
);

/** The bare name in a name, partial ARN or ARN; `undefined` if there is none. */
export function bareName(functionName: string): string | undefined {
  return nameParts.exec(functionName)?.groups?.name;
}

/**
 * Parses `name`, `name:qualifier`, a partial ARN or an ARN.
 *
 * @throws AwsError ValidationException for what the model forbids, InvalidParameterValueException if name and
 * qualifier contradict each other
 */
export function readFunctionName(
  functionName: string,
  givenQualifier: string | undefined,
  caller: { account: string; region: string }
): FunctionReference {
  const parts = nameParts.exec(functionName)?.groups;
  const violations = qualifierViolations(givenQualifier);
  if (!parts)
    violations.push(violation(functionName, 'functionName', `satisfy regular expression pattern: ${namePattern}`));
  if (violations.length > 0) throw validationError('ValidationException', violations);
  const derived = parts?.qualifier;
  if (derived !== undefined && givenQualifier !== undefined && derived !== givenQualifier) {
    const text = 'The derived qualifier from the function name does not match the specified qualifier.';
    throw new AwsError(400, 'InvalidParameterValueException', text, { fields: { Type: 'User' } });
  }
  return {
    account: parts?.account ?? caller.account,
    region: parts?.region ?? caller.region,
    name: parts?.name ?? '',
    qualifier: derived ?? givenQualifier
  };
}

function qualifierViolations(qualifier: string | undefined): string[] {
  if (qualifier === undefined) return [];
  const found: string[] = [];
  if (qualifier.length > 128) found.push(violation(qualifier, 'qualifier', 'have length less than or equal to 128'));
  if (qualifier.length < 1) found.push(violation(qualifier, 'qualifier', 'have length greater than or equal to 1'));
  if (!/^(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9\-_$]+)$/.test(qualifier)) {
    found.push(violation(qualifier, 'qualifier', `satisfy regular expression pattern: ${qualifierPattern}`));
  }
  return found;
}

/** The ARN of a function, without a qualifier. */
export function functionArn(account: string, region: string, name: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`;
}
