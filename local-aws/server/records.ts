/** One request that reached a service. */
export interface RequestRecord {
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly service: string;
  readonly operation: string;
  readonly accessKeyId: string;
  /** Whether it had a session token. */
  readonly sessionToken: boolean;
  readonly region: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly input: Record<string, unknown>;
  /** Bytes of the body. */
  readonly bytes: number;
  /** Number of the TCP connection, from 1. */
  readonly connection: number;
  /** The fault that applied to the request. */
  fault?: string;
  /** HTTP status of the answer; absent if none has been sent. */
  status?: number;
  errorCode?: string;
  /** Whether the answer was sent or the connection was closed. */
  finished: boolean;
}

/** One run of a function's handler. */
export interface InvocationRecord {
  readonly requestId: string;
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly invocationType: 'RequestResponse' | 'Event';
  readonly account: string;
  readonly region: string;
  readonly time: number;
  readonly tenantId?: string;
  /** The event; left out if it is longer than 64 KB. */
  readonly event?: unknown;
  outcome: 'running' | 'returned' | 'failed';
}

/** A number of requests or runs of functions to wait for. */
export interface Condition {
  readonly invocations?: number;
  readonly functionName?: string;
  readonly requests?: number;
  readonly service?: string;
  readonly operation?: string;
  /** Count only those that have ended. */
  readonly finished?: boolean;
  /** Count only those that were refused for want of a right. */
  readonly refused?: boolean;
}

/** Errors for want of a right; Rekognition says the same of an object in S3 that is not there. */
const refusals = /^(AccessDenied(Exception)?|AuthorizationError|InvalidS3ObjectException)$/;

const most = 20_000;

/** Everything that has happened since the last reset, at most the latest 20,000 of a kind. */
export class Records {
  requests: RequestRecord[] = [];
  invocations: InvocationRecord[] = [];
  connections = 0;
  readonly #waiting = new Set<() => void>();

  addRequest(record: RequestRecord): void {
    this.requests.push(record);
    if (this.requests.length > most) this.requests.splice(0, most / 10);
    this.changed();
  }

  addInvocation(record: InvocationRecord): void {
    this.invocations.push(record);
    if (this.invocations.length > most) this.invocations.splice(0, most / 10);
    this.changed();
  }

  /** To be called when a record has changed, so that conditions are checked again. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  clear(): void {
    this.requests = [];
    this.invocations = [];
    this.connections = 0;
  }

  /** Resolves to true once the condition holds, to false after `timeoutMs` or when `signal` aborts. */
  until(condition: Condition, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (held: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        signal.removeEventListener('abort', giveUp);
        resolve(held);
      };
      const giveUp = () => finish(false);
      const look = () => {
        if (this.holds(condition)) finish(true);
      };
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp);
      this.#waiting.add(look);
      look();
    });
  }

  holds(condition: Condition): boolean {
    const { finished = false } = condition;
    const runs = this.invocations.filter(
      (each) =>
        (condition.functionName === undefined || each.functionName === condition.functionName) &&
        (!finished || each.outcome !== 'running')
    );
    const requests = this.requests.filter(
      (each) =>
        (condition.service === undefined || each.service === condition.service) &&
        (condition.operation === undefined || each.operation === condition.operation) &&
        (!finished || each.finished) &&
        (!condition.refused || refusals.test(each.errorCode ?? ''))
    );
    return runs.length >= (condition.invocations ?? 0) && requests.length >= (condition.requests ?? 0);
  }
}
