import { AwsError, escapeXml, unknownOperation, validationError, violation, xmlNamespace } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { type Policy, refusalOf, trusts } from '../server/policies';
import { checkOutput } from '../server/schema';
import { findRole, type Principal, type Principals, type Role } from '../server/sign-ins';

/** What STS needs to know of the server. */
interface StsSettings {
  readonly principals: Principals;
  /** The server's clock, in milliseconds since the epoch. */
  now(): number;
  /** If set, temporary credentials last as long as this, whatever was asked for. */
  readonly temporaryCredentialsSeconds: number | undefined;
  /** If set, the trust policy of every role. */
  readonly trust: Policy | undefined;
}

type Output = { [member: string]: string | number | Date | Output };

/** Answers GetCallerIdentity and AssumeRole. Throws AwsError. */
export function sts(call: ServiceCall, principal: Principal, settings: StsSettings): Answer {
  if (call.operation === 'GetCallerIdentity') {
    return xmlAnswer(call, { UserId: principal.userId, Account: principal.account, Arn: principal.arn });
  }
  if (call.operation === 'AssumeRole') return xmlAnswer(call, assumeRole(call, principal, settings));
  throw unknownOperation(call);
}

function assumeRole(call: ServiceCall, principal: Principal, settings: StsSettings): Output {
  const roleArn = field(call, 'RoleArn') ?? '';
  const sessionName = field(call, 'RoleSessionName') ?? '';
  checkInput(call);
  if (!/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(roleArn)) {
    throw new AwsError(400, 'ValidationError', `${roleArn} is invalid`);
  }
  const role = findRole(roleArn);
  if (!role || !mayAssume(role, principal, field(call, 'ExternalId'), settings.trust)) {
    throw new AwsError(
      403,
      'AccessDenied',
      `User: ${principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`
    );
  }
  const duration = Number(field(call, 'DurationSeconds') ?? 3600);
  checkDuration(duration, role, principal);
  const seconds = settings.temporaryCredentialsSeconds ?? duration;
  // AWS gives whole seconds.
  const expires = Math.ceil(settings.now() / 1000 + seconds) * 1000;
  const session = settings.principals.startSession(role, sessionName, expires);
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken ?? '',
      Expiration: new Date(expires)
    },
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn }
  };
}

function mayAssume(
  role: Role,
  principal: Principal,
  externalId: string | undefined,
  trust: Policy | undefined
): boolean {
  if (refusalOf(principal, 'sts:AssumeRole', role.arn) !== undefined) return false;
  if (trust) return trusts(trust, principal, externalId);
  if (!role.trusts.includes(principal.account)) return false;
  return role.externalId === undefined || role.externalId === externalId;
}

function checkDuration(duration: number, role: Role, principal: Principal): void {
  if (principal.sessionToken && duration > 3600) {
    const text = 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';
    throw new AwsError(400, 'ValidationError', text);
  }
  if (duration > role.maxSessionDuration) {
    const text = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.';
    throw new AwsError(400, 'ValidationError', text);
  }
}

function checkInput(call: ServiceCall): void {
  const duration = field(call, 'DurationSeconds');
  const found = [
    ...text(
      call,
      'RoleArn',
      true,
      20,
      2048,
      /^[\t\n\r\x20-\x7e\x85\xa0-\uffff]+$/,
      '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+'
    ),
    ...text(call, 'RoleSessionName', true, 2, 64, /^[\w+=,.@-]*$/, '[\\w+=,.@-]*'),
    ...text(call, 'ExternalId', false, 2, 1224, /^[\w+=,.@:/-]*$/, '[\\w+=,.@:\\/-]*')
  ];
  if (duration !== undefined && !(Number(duration) >= 900)) {
    found.push(violation(duration, 'durationSeconds', 'have value greater than or equal to 900'));
  } else if (Number(duration ?? 900) > 43_200) {
    found.push(violation(duration, 'durationSeconds', 'have value less than or equal to 43200'));
  }
  if (found.length > 0) throw validationError('ValidationError', found);
}

function text(
  call: ServiceCall,
  name: string,
  required: boolean,
  least: number,
  most: number,
  pattern: RegExp,
  shown: string
): string[] {
  const value = field(call, name);
  const member = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  if (value === undefined) return required ? [violation(undefined, member, 'not be null')] : [];
  const found: string[] = [];
  if (!pattern.test(value)) found.push(violation(value, member, `satisfy regular expression pattern: ${shown}`));
  if (value.length > most) found.push(violation(value, member, `have length less than or equal to ${most}`));
  if (value.length < least) found.push(violation(value, member, `have length greater than or equal to ${least}`));
  return found;
}

function field(call: ServiceCall, name: string): string | undefined {
  const value = call.input[name];
  return typeof value === 'string' ? value : undefined;
}

function xmlAnswer(call: ServiceCall, output: Output): Answer {
  checkOutput('sts', `${call.operation}Response`, output);
  const name = call.operation;
  const body = `<${name}Response xmlns="${xmlNamespace('sts')}">
<${name}Result>${xml(output)}</${name}Result>
<ResponseMetadata><RequestId>${call.requestId}</RequestId></ResponseMetadata>
</${name}Response>
`;
  return { status: 200, headers: { 'Content-Type': 'text/xml', 'x-amzn-RequestId': call.requestId }, body };
}

function xml(output: Output): string {
  return Object.entries(output)
    .map(([name, value]) => `<${name}>${xmlValue(value)}</${name}>`)
    .join('');
}

function xmlValue(value: Output[string]): string {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  return typeof value === 'object' ? xml(value) : escapeXml(String(value));
}
