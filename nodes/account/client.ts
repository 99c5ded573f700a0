import { memberOf } from '../fields/thrown';
import type { Meter } from '../metering/meter';
import type { Agents } from './agents';
import { checkAnswer } from './answers';
import type { Caller, CallLog } from './calls';
import { Charge } from './charge';
import type { CommandLimits, Exchange, Exchanges } from './exchanges';
import type { Rate } from './rate';
import type { Answer, Command, SdkClient, ServiceName } from './sdks';
import type { ServiceClock } from './service-clock';
import { credentialsRefused, signatureRefused } from './service-errors';

interface Picture {
  Bytes?: Uint8Array | undefined;
}

/** The bytes of the pictures in a command: two are compared, all else is about one. */
const bytesOf = (input: Partial<Record<'Image' | 'SourceImage' | 'TargetImage', Picture>>): number =>
  [input.Image, input.SourceImage, input.TargetImage].reduce((sum, picture) => sum + (picture?.Bytes?.length ?? 0), 0);

/** The operations of commands, by their classes. */
const operationNames = new Map<object, string>();

/** The name of a command's operation. It is always the same string, which maps find faster than an equal one. */
function operationOf(command: Command<unknown>): string {
  const known = operationNames.get(command.constructor);
  if (known !== undefined) return known;
  const name = command.constructor.name.replace(/Command$/, '');
  operationNames.set(command.constructor, name);
  return name;
}

/** What a client has beside the SDK's own client. */
interface Parts {
  readonly service: ServiceName;
  readonly region: string;
  /** Equal for clients that send the same requests in the same way; never that of another account or deployment. */
  readonly key: string;
  readonly rate: Rate | undefined;
  readonly exchanges: Exchanges;
  readonly agents: Agents;
  readonly clock: ServiceClock;
  readonly meter: Meter;
  readonly calls: CallLog;
  /** What no text about its calls may contain. */
  secrets(): string[];
  succeeded(): void;
  /** Called after each failure, with the access key ID if AWS has refused that. */
  failed(refusedKey: string | undefined): void;
}

/** A client of the SDK for one service in one region. */
export class Client {
  readonly region: string;
  /** Equal for clients that send the same requests in the same way; never that of another account or deployment. */
  readonly key: string;

  constructor(
    private readonly client: SdkClient,
    private readonly parts: Parts
  ) {
    this.region = parts.region;
    this.key = parts.key;
  }

  /** Closes the account's connections that have been idle for so many ms, since they may be dead. */
  closeIdle(ms: number): void {
    this.parts.agents.closeIdle(ms);
  }

  /**
   * Sends a command, and checks the answer. Rejects with the SDK's error, with `UnknownError` for an answer that is not from
   * AWS, or with the reason of `abortSignal`. Callers with a time limit of their own set `silence` to 0.
   */
  async send<Output extends Answer>(command: Command<Output>, limits: CommandLimits): Promise<Output> {
    const { service, region } = this.parts;
    const caller = { service, region, node: limits.node, began: performance.now() };
    try {
      const output = await this.#send(command, limits);
      this.#answered(caller, command, output);
      return output;
    } catch (failure) {
      if (this.parts.clock.hasRefused(failure)) return this.#sendAgain(caller, command, limits);
      this.#failed(caller, command, failure);
      throw failure;
    }
  }

  /** The refusal has told the clock the time of the service, so that the next signature is right. */
  async #sendAgain<Output extends Answer>(
    caller: Caller,
    command: Command<Output>,
    limits: CommandLimits
  ): Promise<Output> {
    try {
      const output = await this.#send(command, limits);
      output.$metadata.attempts = (output.$metadata.attempts ?? 1) + 1;
      this.#answered(caller, command, output);
      return output;
    } catch (failure) {
      this.#failed(caller, command, failure);
      throw failure;
    }
  }

  #answered(caller: Caller, command: Command<unknown>, output: Answer): void {
    this.parts.calls.answered(caller, operationOf(command), command, output);
  }

  #failed(caller: Caller, command: Command<unknown>, failure: unknown): void {
    this.parts.calls.failed(caller, operationOf(command), command, failure, this.parts.secrets());
  }

  /** Waits before the SDK writes the command as JSON, since that needs more memory than the picture in it. */
  async #turn(rate: Rate, command: Command<unknown>, { abortSignal }: CommandLimits): Promise<void> {
    // First, since all commands that wait for the same sign-in would be sent at the same moment.
    await this.client.config.credentials();
    await rate.enter(command.constructor.name, bytesOf(command.input), abortSignal);
  }

  async #send<Output extends Answer>(command: Command<Output>, limits: CommandLimits): Promise<Output> {
    if (limits.abortSignal?.aborted) throw limits.abortSignal.reason;
    if (this.parts.rate) await this.#turn(this.parts.rate, command, limits);
    const { service } = this.parts;
    const operation = operationOf(command);
    const charged = { service, operation, input: command.input, signal: limits.abortSignal };
    const charge = new Charge(this.parts.meter, charged);
    const exchange: Exchange = { service, operation, command, limits, charge };
    this.parts.exchanges.begin(exchange);
    try {
      const output = await this.client.send(command);
      checkAnswer(command.schema, output, exchange.contentType);
      charge.answered(output);
      this.parts.succeeded();
      return output;
    } catch (error) {
      charge.failed(error);
      // The SDK only says that it was aborted; the signal has the reason.
      if (limits.abortSignal?.aborted && memberOf(error, 'name') === 'AbortError') throw limits.abortSignal.reason;
      const signer = /Credential=([^/]+)/.exec(exchange.authorization ?? '')?.[1];
      const isForTime = signatureRefused(error) && this.parts.clock.hasRefused(error);
      this.parts.failed(credentialsRefused(error) && !isForTime ? signer : undefined);
      throw error;
    } finally {
      charge.end();
    }
  }
}
