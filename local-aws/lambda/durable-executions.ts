import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError, validationError, violation } from '../server/aws-error';
import type { Answer, ServiceCall } from '../server/call';
import { checkOutput } from '../server/schema';
import type { DurableError, DurableInput, DurableOutput, Operation } from './durable-sdk.mts';
import type { RunResult } from './sandbox';

/** Bytes of a callback's result, and of an error's members together. */
const callbackLimit = 1_048_576;
/** What a timer can wait at most, ms. */
const longestTimer = 2 ** 31 - 1;

/** Runs a durable function, until it ends or has to wait; notes what it asks to be noted. */
type RunOnce = (input: DurableInput, note: (operation: Operation) => Operation) => Promise<RunResult>;

/** What tells one execution from another. */
interface Start {
  /** The ARN of the version that runs it. */
  readonly functionArn: string;
  /** The same without the version: a name is there once for all of them. */
  readonly family: string;
  readonly name: string | undefined;
  /** JSON text. */
  readonly payload: string;
}

/** A callback that is open: what there is to be done when its time is over. */
interface Open {
  readonly execution: DurableExecution;
  readonly operation: Operation;
  timeout?: NodeJS.Timeout | undefined;
  heartbeat?: NodeJS.Timeout | undefined;
}

const invalidValue = (text: string): AwsError =>
  new AwsError(400, 'InvalidParameterValueException', text, { fields: { Type: 'User' } });

/** A function on its way, which may wait for days. */
class DurableExecution {
  readonly arn: string;
  /** Resolves when the function has ended. */
  readonly ended: Promise<RunResult>;
  readonly #operations = new Map<string, Operation>();
  #end: (result: RunResult) => void = () => undefined;
  #isRunning = false;
  /** Something has come that a run under way may not know of. */
  #isBehind = false;

  constructor(
    readonly start: Start,
    private readonly run: RunOnce,
    private readonly opened: (execution: DurableExecution, operation: Operation) => void
  ) {
    const id = randomUUID();
    this.arn = `${start.functionArn}/durable-execution/${start.name ?? randomUUID()}/${id}`;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Notes what became of an operation, and lets the function go on. */
  settle(operation: Operation): void {
    this.#operations.set(operation.Id, operation);
    this.goOn();
  }

  goOn(): void {
    this.#isBehind = true;
    if (!this.#isRunning) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isRunning = true;
    while (this.#isBehind) {
      this.#isBehind = false;
      const input = {
        DurableExecutionArn: this.arn,
        InputPayload: this.start.payload,
        Operations: [...this.#operations.values()]
      };
      const result = await this.run(input, (operation) => this.#note(operation));
      const end = endOf(result);
      if (end) this.#end(end);
    }
    this.#isRunning = false;
  }

  #note(operation: Operation): Operation {
    if (operation.Type === 'STEP') {
      this.#operations.set(operation.Id, operation);
      return operation;
    }
    const callback = { ...operation, CallbackId: randomBytes(48).toString('base64') };
    this.#operations.set(callback.Id, callback);
    this.opened(this, callback);
    return callback;
  }
}

/** What a caller gets who waits; undefined while the function waits itself. */
function endOf(result: RunResult): RunResult | undefined {
  if (result.failed) return result;
  const output = JSON.parse(result.payload) as DurableOutput;
  if (output.Status === 'PENDING') return undefined;
  if (output.Status === 'SUCCEEDED') return { ...result, payload: output.Result };
  const { ErrorType, ErrorMessage, ErrorData, StackTrace } = output.Error;
  const told = { errorType: ErrorType, errorMessage: ErrorMessage, errorData: ErrorData, stackTrace: StackTrace };
  return { ...result, failed: true, payload: JSON.stringify(told) };
}

/** The durable executions of the local Lambda, and the callbacks that they wait for. */
export class DurableExecutions {
  /** By the function and their name. */
  readonly #named = new Map<string, DurableExecution>();
  /** By their IDs. */
  readonly #open = new Map<string, Open>();
  /** IDs of those that are closed. */
  readonly #closed = new Set<string>();

  /**
   * Begins an execution, or finds the one that has begun by this name.
   *
   * @throws AwsError DurableExecutionAlreadyStartedException where that has another payload or version
   */
  start(start: Start, run: RunOnce): DurableExecution {
    const key = `${start.family} ${start.name}`;
    const known = start.name === undefined ? undefined : this.#named.get(key);
    if (known) {
      if (known.start.payload === start.payload && known.start.functionArn === start.functionArn) return known;
      const details = { fields: { Type: 'User' }, capital: true };
      const text = `Execution already started: ${known.arn}`;
      throw new AwsError(409, 'DurableExecutionAlreadyStartedException', text, details);
    }
    const execution = new DurableExecution(start, run, (owner, operation) => this.#opened(owner, operation));
    if (start.name !== undefined) this.#named.set(key, execution);
    execution.goOn();
    return execution;
  }

  /** The ARN of the execution that waits for a callback; `*` if none does. */
  arnOf(callbackId: string): string {
    return this.#open.get(callbackId)?.execution.arn ?? '*';
  }

  /** Answers a callback, or keeps it open. Throws AwsError. */
  answer(call: ServiceCall, action: string): Answer {
    const id = String(call.input.CallbackId);
    const operation = `SendDurableExecutionCallback${action}`;
    checkId(id);
    const settled = action === 'Heartbeat' ? undefined : readOutcome(call, action === 'Success');
    const open = this.#open.get(id);
    if (!open) throw this.#noneOpen(id);
    if (settled) this.#close(id, settled);
    else this.#beat(id, open);
    checkOutput('lambda', `${operation}Response`, {});
    const headers = { 'Content-Type': 'application/json', 'x-amzn-RequestId': call.requestId };
    return { status: 200, headers, body: '' };
  }

  /** Forgets all of them; nobody hears of their ends. */
  clear(): void {
    for (const { timeout, heartbeat } of this.#open.values()) {
      clearTimeout(timeout);
      clearTimeout(heartbeat);
    }
    this.#open.clear();
    this.#named.clear();
  }

  #opened(execution: DurableExecution, operation: Operation): void {
    const { CallbackId: id = '', TimeoutSeconds: seconds = 0 } = operation;
    const open: Open = { execution, operation };
    this.#open.set(id, open);
    if (seconds > 0) {
      open.timeout = this.#after(seconds, id, { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' });
    }
    this.#beat(id, open);
  }

  #beat(id: string, open: Open): void {
    clearTimeout(open.heartbeat);
    const { HeartbeatTimeoutSeconds: seconds = 0 } = open.operation;
    const error = { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' };
    open.heartbeat = seconds > 0 ? this.#after(seconds, id, error) : undefined;
  }

  #after(seconds: number, id: string, error: DurableError): NodeJS.Timeout {
    const end = () => this.#close(id, { Status: 'TIMED_OUT', Error: error });
    return setTimeout(end, Math.min(seconds * 1000, longestTimer));
  }

  #close(id: string, outcome: Pick<Operation, 'Status' | 'Result' | 'Error'>): void {
    const open = this.#open.get(id);
    if (!open) return;
    clearTimeout(open.timeout);
    clearTimeout(open.heartbeat);
    this.#open.delete(id);
    this.#closed.add(id);
    open.execution.settle({ ...open.operation, ...outcome });
  }

  #noneOpen(id: string): AwsError {
    if (!this.#closed.has(id)) return invalidValue('Invalid callback id');
    const text = 'The callback is either timed out or already completed';
    return new AwsError(400, 'CallbackTimeoutException', text, { fields: { Type: 'User' }, capital: true });
  }
}

function checkId(id: string): void {
  const found: string[] = [];
  if (id.length > 1024) found.push(violation(id, 'callbackId', 'have length less than or equal to 1024'));
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(id)) {
    found.push(violation(id, 'callbackId', 'satisfy regular expression pattern: [A-Za-z0-9+/]+={0,2}'));
  }
  if (found.length > 0) throw validationError('ValidationException', found);
}

function readOutcome({ body }: ServiceCall, succeeded: boolean): Pick<Operation, 'Status' | 'Result' | 'Error'> {
  if (body.length > callbackLimit) {
    throw invalidValue(`CALLBACK output payload size must be less than or equal to ${callbackLimit} bytes.`);
  }
  if (succeeded) return { Status: 'SUCCEEDED', ...(body.length > 0 && { Result: body.toString() }) };
  try {
    return { Status: 'FAILED', Error: JSON.parse(body.toString() || '{}') as DurableError };
  } catch {
    throw new AwsError(400, 'SerializationException', 'The request body is no JSON.');
  }
}
