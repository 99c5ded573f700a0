import { once } from 'node:events';
import { MessageChannel, type MessagePort, parentPort } from 'node:worker_threads';

/*
 * Stands for the package @aws/durable-execution-sdk-js in a thread that runs a durable function: as much of it as the
 * functions here need. A function that has to wait ends its run, and begins anew once it can go on; what it has done
 * before is not done again, but given from the operations that the service has noted.
 */

export interface DurableError {
  readonly ErrorType?: string;
  readonly ErrorMessage?: string;
  readonly ErrorData?: string;
  readonly StackTrace?: readonly string[];
}

/** A step, or a callback that somebody is to answer. */
export interface Operation {
  readonly Id: string;
  readonly Name: string;
  readonly Type: 'STEP' | 'CALLBACK';
  readonly Status: 'STARTED' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
  readonly CallbackId?: string;
  readonly TimeoutSeconds?: number;
  readonly HeartbeatTimeoutSeconds?: number;
  readonly Result?: string;
  readonly Error?: DurableError;
}

/** What a durable function is really called with. */
export interface DurableInput {
  readonly DurableExecutionArn: string;
  /** JSON of the event. */
  readonly InputPayload: string;
  readonly Operations: readonly Operation[];
}

/** How a run ended. */
export type DurableOutput =
  | { readonly Status: 'PENDING' }
  | { readonly Status: 'SUCCEEDED'; readonly Result: string }
  | { readonly Status: 'FAILED'; readonly Error: DurableError };

/** Asks the service to note an operation; it says the same, with the ID of a callback that is new. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly operation: Operation;
  readonly reply: MessagePort;
}

interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}
interface CallbackConfig {
  readonly timeout?: Duration;
  readonly heartbeatTimeout?: Duration;
}

const inSeconds = ({ days = 0, hours = 0, minutes = 0, seconds = 0 }: Duration): number =>
  ((days * 24 + hours) * 60 + minutes) * 60 + seconds;

function describe(error: unknown): DurableError {
  if (!(error instanceof Error)) return { ErrorMessage: String(error) };
  const { errorData } = error as { errorData?: string };
  return {
    ErrorType: error.name,
    ErrorMessage: error.message,
    StackTrace: (error.stack ?? '').split('\n'),
    ...(errorData !== undefined && { ErrorData: errorData })
  };
}

/** An operation has failed; its `cause` has the name of what went wrong. */
class DurableOperationError extends Error {
  readonly errorData: string | undefined;

  constructor({ ErrorType = 'Error', ErrorMessage, ErrorData, StackTrace }: DurableError, otherwise: string) {
    super(ErrorMessage ?? otherwise);
    this.name = new.target.name;
    const stack = StackTrace?.join('\n');
    this.cause = Object.assign(new Error(ErrorMessage), { name: ErrorType, ...(stack !== undefined && { stack }) });
    this.errorData = ErrorData;
  }
}
export class StepError extends DurableOperationError {}
export class CallbackError extends DurableOperationError {}
export class CallbackTimeoutError extends DurableOperationError {}

async function note(operation: Operation): Promise<Operation> {
  const { port1, port2 } = new MessageChannel();
  parentPort?.postMessage({ kind: 'checkpoint', operation, reply: port2 } satisfies Checkpoint, [port2]);
  const [noted] = (await once(port1, 'message')) as [Operation];
  port1.close();
  return noted;
}

class DurableContext {
  /** Resolves where the function has to wait. */
  readonly waiting: Promise<void>;
  readonly lambdaContext: unknown;
  #wait: () => void = () => undefined;
  #count = 0;
  readonly #operations: Map<string, Operation>;

  constructor(operations: readonly Operation[], lambdaContext: unknown) {
    this.lambdaContext = lambdaContext;
    this.#operations = new Map(operations.map((operation) => [operation.Id, operation]));
    this.waiting = new Promise((resolve) => {
      this.#wait = resolve;
    });
  }

  /** Does something once, however often the function begins anew. */
  async step(Name: string, work: () => unknown): Promise<unknown> {
    const { Id, known } = this.#next();
    const done = known ?? (await this.#doStep({ Id, Name, Type: 'STEP' }, work));
    if (done.Status === 'FAILED') throw new StepError(done.Error ?? {}, 'Step failed');
    return done.Result === undefined ? undefined : JSON.parse(done.Result);
  }

  /** Hands the ID of a callback to `submit`, once, and waits for its answer: the text that was sent. */
  async waitForCallback(
    Name: string,
    submit: (callbackId: string) => unknown,
    { timeout = {}, heartbeatTimeout = {} }: CallbackConfig = {}
  ): Promise<string | undefined> {
    const { Id, known } = this.#next();
    const limits = { TimeoutSeconds: inSeconds(timeout), HeartbeatTimeoutSeconds: inSeconds(heartbeatTimeout) };
    const callback = known ?? (await note({ Id, Name, Type: 'CALLBACK', Status: 'STARTED', ...limits }));
    await this.step(`${Name} submitter`, () => submit(callback.CallbackId ?? ''));
    if (callback.Status === 'SUCCEEDED') return callback.Result;
    if (callback.Status === 'FAILED') throw new CallbackError(callback.Error ?? {}, 'Callback failed');
    if (callback.Status === 'TIMED_OUT') throw new CallbackTimeoutError(callback.Error ?? {}, 'Callback timed out');
    this.#wait();
    return new Promise(() => undefined);
  }

  #next(): { Id: string; known: Operation | undefined } {
    this.#count += 1;
    const Id = String(this.#count);
    return { Id, known: this.#operations.get(Id) };
  }

  async #doStep(step: Pick<Operation, 'Id' | 'Name' | 'Type'>, work: () => unknown): Promise<Operation> {
    try {
      const value = await work();
      return await note({
        ...step,
        Status: 'SUCCEEDED',
        ...(value !== undefined && { Result: JSON.stringify(value) })
      });
    } catch (error) {
      return note({ ...step, Status: 'FAILED', Error: describe(error) });
    }
  }
}

/** Makes of a durable function what Lambda's runtime calls. */
export function withDurableExecution(handler: (event: unknown, context: DurableContext) => unknown) {
  return async ({ InputPayload, Operations }: DurableInput, lambdaContext: unknown): Promise<DurableOutput> => {
    const context = new DurableContext(Operations, lambdaContext);
    const run = async (): Promise<DurableOutput> => {
      try {
        const value = await handler(JSON.parse(InputPayload), context);
        return { Status: 'SUCCEEDED', Result: JSON.stringify(value) ?? 'null' };
      } catch (error) {
        return { Status: 'FAILED', Error: describe(error) };
      }
    };
    return Promise.race([run(), context.waiting.then((): DurableOutput => ({ Status: 'PENDING' }))]);
  };
}
