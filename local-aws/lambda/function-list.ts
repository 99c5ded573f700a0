import { createHash } from 'node:crypto';
import { AwsError, validationError, violation } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { checkOutput } from '../server/schema';
import type { Principal } from '../server/sign-ins';
import { authorize, needRight, notFound, reach } from './function-access';
import { functionArn, readFunctionName } from './function-name';
import type { Functions, FunctionVersion, LambdaFunction } from './functions';

/** The most functions on a page, whatever `MaxItems` is. */
const mostItems = 50;
const versionPattern = '(\\$LATEST(\\.PUBLISHED)?|[0-9]+)';

type ListInput = Readonly<Record<string, string | undefined>>;

/** Lambda's ListFunctions. Throws AwsError. */
export function listFunctions(call: ServiceCall, principal: Principal, functions: Functions): Answer {
  const { FunctionVersion: all } = call.input as ListInput;
  const known = all === undefined || all === 'ALL';
  checkListInput(call, known ? [] : [violation(all, 'functionVersion', 'satisfy enum value set: [ALL]')]);
  needRight(principal, 'lambda:ListFunctions', '*');
  const { account } = principal;
  const everything = functions.list(account, call.region).flatMap((fn) => {
    const versions = [...fn.versions.values()].filter(({ version }) => all || version === '$LATEST');
    return versions.map((version) => ({ fn, version }));
  });
  return listAnswer(call, 'ListFunctionsResponse', 'Functions', everything, ({ fn, version }) => {
    const arn = functionArn(account, call.region, fn.name);
    return configuration(fn, version, all ? `${arn}:${version.version}` : arn, account);
  });
}

/** Lambda's ListVersionsByFunction. Throws AwsError. */
export function listVersions(call: ServiceCall, principal: Principal, functions: Functions): Answer {
  checkListInput(call, []);
  const { fn, arn } = findFunction(call, principal, functions);
  return listAnswer(call, 'ListVersionsByFunctionResponse', 'Versions', [...fn.versions.values()], (version) =>
    configuration(fn, version, `${arn}:${version.version}`, principal.account)
  );
}

/** Lambda's ListAliases. Throws AwsError. */
export function listAliases(call: ServiceCall, principal: Principal, functions: Functions): Answer {
  const { FunctionVersion: only } = call.input as ListInput;
  const known = only === undefined || new RegExp(`^${versionPattern}$`).test(only);
  const constraint = `satisfy regular expression pattern: ${versionPattern}`;
  checkListInput(call, known ? [] : [violation(only, 'functionVersion', constraint)]);
  const { fn, arn } = findFunction(call, principal, functions);
  const aliases = Object.entries(fn.aliases)
    .filter(([, version]) => only === undefined || version === only)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return listAnswer(call, 'ListAliasesResponse', 'Aliases', aliases, ([name, version]) => ({
    AliasArn: `${arn}:${name}`,
    Name: name,
    FunctionVersion: version,
    Description: '',
    RevisionId: revision(`${arn}:${name} ${version}`)
  }));
}

/** The function that a call names, and its ARN without a qualifier. */
function findFunction(
  call: ServiceCall,
  principal: Principal,
  functions: Functions
): { fn: LambdaFunction; arn: string } {
  const caller = { account: principal.account, region: call.region };
  const reference = readFunctionName(String(call.input.FunctionName), undefined, caller);
  authorize(principal, reference, `lambda:${call.operation}`);
  const fn = reach(functions, reference, call.region);
  const arn = functionArn(reference.account, reference.region, reference.name);
  if (!fn) throw notFound(`Function not found: ${arn}`);
  return { fn, arn };
}

/** The page for a call. Only the functions on it are described, since there may be thousands. */
function listAnswer<Item>(
  call: ServiceCall,
  shape: string,
  member: string,
  items: readonly Item[],
  describe: (item: Item) => object
): Answer {
  const { MaxItems, Marker } = call.input as ListInput;
  const start = Marker === undefined ? 0 : readMarker(Marker, items.length);
  const end = start + Math.min(Number(MaxItems ?? mostItems), mostItems);
  const output = {
    [member]: items.slice(start, end).map(describe),
    ...(end < items.length ? { NextMarker: writeMarker(end) } : {})
  };
  checkOutput('lambda', shape, output);
  const headers = { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId };
  return { status: 200, headers, body: JSON.stringify({ NextMarker: null, ...output }) };
}

/** Throws AwsError for violations that were found before, and for a `MaxItems` out of range. */
function checkListInput(call: ServiceCall, found: readonly string[]): void {
  const { MaxItems: maxItems } = call.input as ListInput;
  if (maxItems !== undefined && !/^-?\d+$/.test(maxItems)) {
    throw new AwsError(400, 'SerializationException', `STRING_VALUE can not be converted to an Integer`);
  }
  const violations: string[] = [];
  if (Number(maxItems ?? 1) < 1)
    violations.push(violation(maxItems, 'maxItems', 'have value greater than or equal to 1'));
  if (Number(maxItems ?? 1) > 10_000)
    violations.push(violation(maxItems, 'maxItems', 'have value less than or equal to 10000'));
  violations.push(...found);
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
    LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${fn.name}` },
    ...(fn.durable !== undefined && { DurableConfig: { RetentionPeriodInDays: 14, ExecutionTimeout: fn.durable } }),
    ...(fn.tenants && { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } })
  };
}

function revision(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
