/** Charges the requests of a command to its account. */
import { metadataOf, nameOf } from '../fields/errors';
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

/** Whether AWS has refused a request. A gateway on the way may say that something failed that AWS has done. */
function wasRefused(error: unknown): boolean {
  const { httpStatusCode = 0, requestId } = metadataOf(error);
  return httpStatusCode >= 400 && (httpStatusCode < 500 || requestId !== undefined);
}

/** What the requests of a command cost, from before the first one is sent until the last one has ended. */
export class Charge {
  #held: Nanodollars;
  /** When the current request was sent, ms; `undefined` if it has been counted. */
  #began: number | undefined;

  /** Holds the price of the first request. Throws `BudgetExceeded`. */
  constructor(
    private readonly meter: Meter,
    private readonly of: Charged
  ) {
    this.#held = meter.hold(of.service, of.operation, of.input);
  }

  /** A request is sent: the first one, or a repetition, which costs as much again. */
  begin(isRepetition: boolean): void {
    const { service, operation, input } = this.of;
    if (isRepetition) this.#held += this.meter.hold(service, operation, input, true);
    this.#began = performance.now();
  }

  /** The answer has come. */
  answered(output: object): void {
    this.#count(billOf(this.of.service, this.of.operation, this.of.input, output), {});
  }

  /** The request that was sent last has failed; one that has been counted already is not counted again. */
  failed(error: unknown): void {
    const { service, operation, input, signal } = this.of;
    const isFree = wasRefused(error) || couldNotConnect(error);
    // What a closing node cuts off has not failed by itself.
    const wasClosed = signal?.aborted === true && nameOf(signal.reason) === 'Closed';
    const failure = wasClosed ? {} : { failed: true, throttled: wasThrottled(error) };
    this.#count(isFree ? free : billOf(service, operation, input), failure);
  }

  /** The command has ended. */
  end(): void {
    this.meter.release(this.#held);
    this.#held = 0;
  }

  #count(bill: Bill, { failed = false, throttled = false }: { failed?: boolean; throttled?: boolean }): void {
    if (this.#began === undefined) return;
    const took = performance.now() - this.#began;
    this.#began = undefined;
    // Before it is counted as spent, so that it is never both.
    this.end();
    this.meter.count(this.of.service, this.of.operation, { ...bill, failed, throttled, took });
  }
}

/** The operation of a request for temporary credentials of STS, which has no command. */
const operationIn = (body: unknown): string | undefined =>
  typeof body === 'string' ? /^Action=(\w+)/.exec(body)?.[1] : undefined;

/** Counts a request of a sign-in. */
export function countSignIn(meter: Meter, body: unknown, took: number, status: number): void {
  const operation = operationIn(body);
  if (operation === undefined) return;
  meter.count('sts', operation, { ...free, failed: status >= 400, throttled: status === 429, took });
}
