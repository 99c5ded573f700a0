/** Charges the requests of a command to its account. */
import { metadataOf, nameOf } from '../fields/thrown';
import type { Meter } from '../metering/meter';
import { type Bill, billOf, free, type Nanodollars } from '../metering/prices';
import type { AbortSource } from './http-handler';
import { couldNotConnect } from './network-failures';
import { wasThrottled } from './retryable';

/** A command as it is charged. */
interface Charged {
  readonly service: string;
  readonly operation: string;
  readonly input: object;
  readonly signal: AbortSource | undefined;
}

/**
 * Whether AWS has refused a request. A gateway in between may report a failure although AWS has done what it was asked
 * for.
 */
function wasRefused(error: unknown): boolean {
  const { httpStatusCode = 0, requestId } = metadataOf(error);
  return httpStatusCode >= 400 && (httpStatusCode < 500 || requestId !== undefined);
}

/** What the requests of a command cost, from before the first one is sent until the last one has ended. */
export class Charge {
  /** The bill for each request, as far as its input shows it. */
  readonly #bill: Bill;
  #held: Nanodollars;
  /** When the current request was sent, ms; `undefined` if it has been counted. */
  #began: number | undefined;

  /** Holds the price of the first request. Throws `BudgetExceeded`. */
  constructor(
    private readonly meter: Meter,
    private readonly of: Charged
  ) {
    this.#bill = billOf(of.service, of.operation, of.input);
    this.#held = this.#bill.cost;
    meter.hold(of.operation, this.#held);
  }

  /** A request is sent: the first one, or a repetition, which costs as much again and is not stopped. */
  begin(isRepetition: boolean): void {
    if (isRepetition) {
      this.#held += this.#bill.cost;
      this.meter.holdMore(this.#bill.cost);
    }
    this.#began = performance.now();
  }

  /** The answer has come. */
  answered(output: object): void {
    const { service, operation, input } = this.of;
    const bill = 'Messages' in output ? billOf(service, operation, input, output) : this.#bill;
    this.#count(bill, false, false);
  }

  /** The request that was sent last has failed; one that has been counted already is not counted again. */
  failed(error: unknown): void {
    const { signal } = this.of;
    const isFree = wasRefused(error) || couldNotConnect(error);
    // A request that a closing node has aborted has not failed by itself.
    const wasClosed = signal?.aborted === true && nameOf(signal.reason) === 'Closed';
    this.#count(isFree ? free : this.#bill, !wasClosed, wasThrottled(error));
  }

  /** The command has ended. */
  end(): void {
    this.meter.release(this.#held);
    this.#held = 0;
  }

  #count(bill: Bill, failed: boolean, throttled: boolean): void {
    if (this.#began === undefined) return;
    const took = performance.now() - this.#began;
    this.#began = undefined;
    // Before it is counted as spent, so that it is never both.
    this.end();
    this.meter.count(this.of.service, this.of.operation, bill, { failed, throttled, took });
  }
}

/** The operation of a request for temporary credentials of STS, which has no command. */
const operationIn = (body: unknown): string | undefined =>
  typeof body === 'string' ? /^Action=(\w+)/.exec(body)?.[1] : undefined;

/** Counts a request of a sign-in. */
export function countSignIn(meter: Meter, body: unknown, took: number, status: number): void {
  const operation = operationIn(body);
  if (operation === undefined) return;
  meter.count('sts', operation, free, { failed: status >= 400, throttled: status === 429, took });
}
