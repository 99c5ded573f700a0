import { createHash } from 'node:crypto';
import { AwsError, denied, validationError, violation } from './aws-error';
import type { Answer, Call } from './call';
import { functionArn } from './function-name';
import type { Functions, FunctionVersion, LambdaFunction } from './functions';
import { checkOutput } from './schema';
import type { Principal } from './sign-ins';

/** More than these are never on a page, whatever `MaxItems` says. */
const mostItems = 50;

/** Lambda's ListFunctions. Throws AwsError. */
export function listFunctions(call: Call, principal: Principal, functions: Functions): Answer {
  const { MaxItems, Marker, FunctionVersion: all } = call.input as Record<string, string | undefined>;
  checkListInput(MaxItems, all);
  if (principal.allows === 'nothing') throw denied(principal, 'lambda:ListFunctions', '*');
  const everything = functions
    .list(principal.account, call.region)
    .flatMap((fn) => configurations(fn, principal.account, call.region, all === 'ALL'));
  const start = Marker === undefined ? 0 : readMarker(Marker, everything.length);
  const end = start + Math.min(Number(MaxItems ?? mostItems), mostItems);
  const output = {
    Functions: everything.slice(start, end),
    ...(end < everything.length ? { NextMarker: writeMarker(end) } : {})
  };
  checkOutput('lambda', 'ListFunctionsResponse', output);
  const headers = { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId };
  return { status: 200, headers, body: JSON.stringify({ NextMarker: null, ...output }) };
}

function checkListInput(maxItems: string | undefined, all: string | undefined): void {
  const violations: string[] = [];
  if (maxItems !== undefined && !/^-?\d+$/.test(maxItems)) {
    throw new AwsError(400, 'SerializationException', `STRING_VALUE can not be converted to an Integer`);
  }
  if (Number(maxItems ?? 1) < 1)
    violations.push(violation(maxItems, 'maxItems', 'have value greater than or equal to 1'));
  if (Number(maxItems ?? 1) > 10_000)
    violations.push(violation(maxItems, 'maxItems', 'have value less than or equal to 10000'));
  if (all !== undefined && all !== 'ALL')
    violations.push(violation(all, 'functionVersion', 'satisfy enum value set: [ALL]'));
  if (violations.length > 0) throw validationError('ValidationException', violations);
}

function writeMarker(index: number): string {
  return Buffer.from(JSON.stringify({ index })).toString('base64');
}

function readMarker(marker: string, length: number): number {
  try {
    const { index } = JSON.parse(Buffer.from(marker, 'base64').toString('utf8')) as { index?: unknown };
    if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index <= length) return index;
  } catch {}
  throw new AwsError(400, 'InvalidParameterValueException', 'Invalid Marker', { fields: { Type: 'User' } });
}

function configurations(fn: LambdaFunction, account: string, region: string, all: boolean): object[] {
  const versions = [...fn.versions.values()].filter(({ version }) => all || version === '$LATEST');
  return versions.map((version) => {
    const arn = functionArn(account, region, fn.name);
    return configuration(fn, version, all ? `${arn}:${version.version}` : arn, account);
  });
}

function configuration(fn: LambdaFunction, version: FunctionVersion, arn: string, account: string): object {
  return {
    FunctionName: fn.name,
    FunctionArn: arn,
    Runtime: 'nodejs24.x',
    Role: `arn:aws:iam::${account}:role/lambda-${fn.name}`,
    Handler: 'index.handler',
    CodeSize: version.bytes,
    Description: fn.description,
    Timeout: fn.timeout,
    MemorySize: fn.memory,
    LastModified: version.modified.toISOString().replace('Z', '+0000'),
    CodeSha256: version.sha256,
    Version: version.version,
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: revision(`${arn} ${version.sha256}`),
    PackageType: 'Zip',
    Architectures: ['x86_64'],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${fn.name}` }
  };
}

function revision(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
