import { AwsError, unknownOperation, validationError, violation } from '../server/aws-error';
import { type Answer, decode, type ServiceCall } from '../server/call';
import type { Records } from '../server/records';
import { checkOutput } from '../server/schema';
import type { Principal } from '../server/sign-ins';
import { DurableExecutions } from './durable-executions';
import { authorize, needRight, notFound, reach } from './function-access';
import { listAliases, listFunctions, listVersions } from './function-list';
import { type FunctionReference, functionArn, readFunctionName } from './function-name';
import type { Functions, FunctionVersion, LambdaFunction } from './functions';
import { checkPayload } from './payload';
import { Pool } from './pool';
import type { Note, RunResult } from './sandbox';

const kibi = 1024;
const syncLimit = 6 * kibi * kibi + 100;
const eventLimit = kibi * kibi;

interface Target {
  readonly fn: LambdaFunction;
  readonly version: FunctionVersion;
  readonly reference: FunctionReference;
  readonly arn: string;
}

type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';

/** What a function gets in its environment, so that it may call other services: of an account and its own name. */
type Access = (account: string, functionName: string) => Readonly<Record<string, string>>;

/** What one invocation asks for, and what it is to be told. */
interface Request {
  readonly type: 'RequestResponse' | 'Event';
  /** JSON text. */
  readonly event: string;
  readonly clientContext: string | undefined;
  readonly tenantId: string | undefined;
}

const lists = { ListFunctions: listFunctions, ListAliases: listAliases, ListVersionsByFunction: listVersions };

/** Lambda: `Invoke`, with functions that really run, and the lists. */
export class Lambda {
  /** How often a failed `Event` is repeated; AWS does so twice, after minutes. */
  eventRetries = 0;
  readonly #pools = new Map<string, Pool>();
  readonly #executions = new DurableExecutions();

  constructor(
    private readonly functions: Functions,
    private readonly records: Records,
    private readonly access: Access
  ) {}

  /** Answers a call that was signed by `principal`. Throws AwsError. */
  async answer(call: ServiceCall, principal: Principal): Promise<Answer> {
    if (call.operation === 'Invoke') return this.#invoke(call, principal);
    const [, answer] = /^SendDurableExecutionCallback(\w+)$/.exec(call.operation) ?? [];
    if (answer) {
      needRight(principal, `lambda:${call.operation}`, this.#executions.arnOf(String(call.input.CallbackId)));
      return this.#executions.answer(call, answer);
    }
    if (Object.hasOwn(lists, call.operation)) {
      return lists[call.operation as keyof typeof lists](call, principal, this.functions);
    }
    throw unknownOperation(call);
  }

  /** Forgets what durable executions there are. */
  reset(): void {
    this.#executions.clear();
  }

  /** Stops all threads. */
  async close(): Promise<void> {
    this.#executions.clear();
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async #invoke(call: ServiceCall, principal: Principal): Promise<Answer> {
    const reference = readReference(call, principal);
    const type = readInvocationType(call);
    authorize(principal, reference, 'lambda:InvokeFunction');
    const target = this.#find(reference, call.region);
    const { durableName, tenantId } = readHeaders(call, target);
    if (type === 'DryRun') return invokeAnswer(call, { StatusCode: 204 });
    checkSize(call.body.length, type);
    const request: Request = { type, event: checkPayload(call.body), clientContext: readClientContext(call), tenantId };
    if (target.fn.durable !== undefined) return this.#invokeDurable(call, target, request, durableName);
    if (type === 'Event') {
      void this.#runEvent(call, target, request);
      return invokeAnswer(call, { StatusCode: 202 });
    }
    return syncAnswer(call, target, await this.#run(call, target, request, request.event));
  }

  async #runEvent(call: ServiceCall, target: Target, request: Request): Promise<void> {
    for (let attempt = 0; attempt <= this.eventRetries; attempt += 1) {
      const result = await this.#run(call, target, { ...request, clientContext: undefined }, request.event);
      if (!result.failed) return;
    }
  }

  /** Begins a durable execution, or joins the one of this name. */
  async #invokeDurable(call: ServiceCall, target: Target, request: Request, name: string | undefined): Promise<Answer> {
    const { account, region } = target.reference;
    const family = functionArn(account, region, target.fn.name);
    const start = { family, functionArn: `${family}:${target.version.version}`, name, payload: request.event };
    const execution = this.#executions.start(start, (input, note) =>
      this.#run(call, target, request, JSON.stringify(input), note)
    );
    if (request.type === 'Event') return invokeAnswer(call, { StatusCode: 202, DurableExecutionArn: execution.arn });
    return syncAnswer(call, target, await execution.ended, execution.arn);
  }

  /** Runs a handler. `given` is what it is called with, which for a durable function is more than its event. */
  async #run(
    call: ServiceCall,
    target: Target,
    { type, event, clientContext, tenantId }: Request,
    given: string,
    note?: Note
  ): Promise<RunResult> {
    const record = {
      requestId: call.requestId,
      functionName: target.fn.name,
      version: target.version.version,
      invocationType: type,
      account: target.reference.account,
      region: target.reference.region,
      time: Date.now(),
      ...(event.length <= 64 * kibi ? { event: JSON.parse(event) as unknown } : {}),
      ...(tenantId !== undefined && { tenantId }),
      outcome: 'running' as 'running' | 'returned' | 'failed'
    };
    const request = {
      awsRequestId: call.requestId,
      invokedFunctionArn: target.arn,
      event: given,
      clientContext,
      tenantId
    };
    const started = () => this.records.addInvocation(record);
    const result = await this.#pool(target, tenantId).run({ request, started, ...(note && { note }) });
    record.outcome = result.failed ? 'failed' : 'returned';
    this.records.changed();
    return result;
  }

  #pool(target: Target, tenantId: string | undefined): Pool {
    const { account, region, name } = target.reference;
    const key = [account, region, name, target.version.version, tenantId ?? ''].join(':');
    const access = () => this.access(account, name);
    const pool = this.#pools.get(key) ?? new Pool(target.fn, target.version, region, access);
    this.#pools.set(key, pool);
    return pool;
  }

  #find(reference: FunctionReference, region: string): Target {
    const fn = reach(this.functions, reference, region);
    const { account, name, qualifier } = reference;
    const plain = functionArn(account, region, name);
    const version = fn?.versions.get(fn.aliases[qualifier ?? ''] ?? qualifier ?? '$LATEST');
    if (!fn || !version) throw notFound(`Function not found: ${plain}:${qualifier ?? '$LATEST'}`);
    return { fn, version, reference, arn: qualifier === undefined ? plain : `${plain}:${qualifier}` };
  }
}

function readReference(call: ServiceCall, principal: Principal): FunctionReference {
  const query = new URLSearchParams(call.query);
  const functionName = decode(call.path.split('/')[3] ?? '');
  const caller = { account: principal.account, region: call.region };
  return readFunctionName(functionName, query.get('Qualifier') ?? undefined, caller);
}

function readInvocationType(call: ServiceCall): InvocationType {
  const type = String(call.headers['x-amz-invocation-type'] ?? 'RequestResponse');
  if (type === 'RequestResponse' || type === 'Event' || type === 'DryRun') return type;
  const constraint = 'satisfy enum value set: [Event, RequestResponse, DryRun]';
  throw validationError('ValidationException', [violation(type, 'invocationType', constraint)]);
}

const headerRules = {
  'x-amz-tenant-id': { member: 'tenantId', most: 256, pattern: '[a-zA-Z0-9\\._:\\/=+\\-@ ]+' },
  'x-amz-durable-execution-name': { member: 'durableExecutionName', most: 64, pattern: '[a-zA-Z0-9-_]+' }
};

/** The tenant and the name of a durable execution, checked against the function. Throws AwsError. */
function readHeaders(
  call: ServiceCall,
  { fn, reference }: Target
): { tenantId: string | undefined; durableName: string | undefined } {
  const violations: string[] = [];
  const [tenantId, durableName] = Object.entries(headerRules).map(([header, { member, most, pattern }]) => {
    const value = call.headers[header] as string | undefined;
    if (value === undefined) return undefined;
    if (value.length > most) violations.push(violation(value, member, `have length less than or equal to ${most}`));
    if (!new RegExp(`^(?:${pattern})$`).test(value)) {
      violations.push(violation(value, member, `satisfy regular expression pattern: ${pattern}`));
    }
    return value;
  });
  if (violations.length > 0) throw validationError('ValidationException', violations);
  const details = { fields: { Type: 'User' } };
  if (fn.tenants && tenantId === undefined) {
    const text =
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.';
    throw new AwsError(400, 'InvalidParameterValueException', text, details);
  }
  if (fn.durable !== undefined && reference.qualifier === undefined) {
    const text = 'You cannot invoke a durable function using an unqualified ARN.';
    throw new AwsError(400, 'InvalidParameterValueException', text, details);
  }
  return { tenantId: fn.tenants ? tenantId : undefined, durableName };
}

function checkSize(bytes: number, type: InvocationType): void {
  const details = { fields: { Type: 'User' } };
  if (type === 'Event' && bytes > eventLimit) {
    const text = `${bytes} byte payload is too large for the Event invocation type (limit ${eventLimit} bytes)`;
    throw new AwsError(413, 'RequestTooLargeException', text, details);
  }
  if (bytes > syncLimit) {
    const text = `Request must be smaller than ${syncLimit} bytes for the InvokeFunction operation`;
    throw new AwsError(413, 'RequestTooLargeException', text, details);
  }
}

/** The client context as JSON text. */
function readClientContext(call: ServiceCall): string | undefined {
  const header = call.headers['x-amz-client-context'];
  if (header === undefined || header === '') return undefined;
  const encoded = String(header);
  const details = { fields: { Type: 'User' } };
  if (encoded.length > 3583) {
    const text = `Client context must be at most 3583 bytes, but was ${encoded.length} bytes.`;
    throw new AwsError(400, 'InvalidRequestContentException', text, details);
  }
  try {
    const decoded = Buffer.from(encoded, 'base64').toString('utf8');
    const value: unknown = JSON.parse(decoded);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return decoded;
  } catch {}
  const text = 'Client context must be a valid Base64-encoded JSON object.';
  throw new AwsError(400, 'InvalidRequestContentException', text, details);
}

interface InvocationResponse {
  readonly StatusCode: number;
  readonly FunctionError?: string;
  readonly LogResult?: string;
  readonly Payload?: Uint8Array;
  readonly ExecutedVersion?: string;
  readonly DurableExecutionArn?: string;
}

function syncAnswer(call: ServiceCall, target: Target, result: RunResult, executionArn?: string): Answer {
  let { failed } = result;
  let payload = Buffer.from(result.payload);
  if (payload.length > syncLimit) {
    failed = true;
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${syncLimit} bytes).`;
    payload = Buffer.from(JSON.stringify({ errorMessage, errorType: 'Function.ResponseSizeTooLarge' }));
  }
  const tail = call.headers['x-amz-log-type'] === 'Tail';
  return invokeAnswer(call, {
    StatusCode: 200,
    ExecutedVersion: target.version.version,
    Payload: payload,
    ...(executionArn !== undefined && { DurableExecutionArn: executionArn }),
    ...(failed ? { FunctionError: 'Unhandled' } : {}),
    ...(tail
      ? {
          LogResult: Buffer.from(result.log)
            .subarray(-4 * kibi)
            .toString('base64')
        }
      : {})
  });
}

function invokeAnswer(call: ServiceCall, output: InvocationResponse): Answer {
  checkOutput('lambda', 'InvocationResponse', output);
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'x-amzn-RequestId': call.requestId,
    'X-Amzn-Trace-Id': `root=1-${Math.floor(Date.now() / 1000).toString(16)}-${call.requestId.replaceAll('-', '').slice(0, 24)}`
  };
  if (output.ExecutedVersion) headers['X-Amz-Executed-Version'] = output.ExecutedVersion;
  if (output.FunctionError) headers['X-Amz-Function-Error'] = output.FunctionError;
  if (output.DurableExecutionArn) headers['X-Amz-Durable-Execution-Arn'] = output.DurableExecutionArn;
  if (output.LogResult) headers['X-Amz-Log-Result'] = output.LogResult;
  return { status: output.StatusCode, headers, body: Buffer.from(output.Payload ?? '') };
}
