import { memberOf } from '../fields/errors';
import type { Agents } from './agents';
import { checkAnswer } from './answers';
import type { CommandLimits, Exchange, Exchanges } from './exchanges';
import type { Rate } from './rate';
import type { Answer, Command, SdkClient, ServiceName } from './sdks';
import type { ServiceClock } from './service-clock';
import { credentialsRefused, signatureRefused } from './service-errors';

/** The bytes of a picture in a command. */
const bytesOf = ({ Image }: { Image?: { Bytes?: Uint8Array | undefined } }): number => Image?.Bytes?.length ?? 0;

/** What a client is made of, beside the SDK's own. */
interface Parts {
  readonly service: ServiceName;
  readonly region: string;
  /** The same for all clients that send the same request in the same way, and no other account's or deployment's. */
  readonly key: string;
  readonly rate: Rate | undefined;
  readonly exchanges: Exchanges;
  readonly agents: Agents;
  readonly clock: ServiceClock;
  /** Told of each failure, with the access key id where that was refused. */
  failed(refusedKey: string | undefined): void;
}

/** One of the SDK's clients, in one region. */
export class Client {
  readonly region: string;
  /** The same for all clients that send the same request in the same way, and no other account's or deployment's. */
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

  /** Sends a command. A limit on silence of 0 is for calls that have a limit as a whole, which aborts `abortSignal`. */
  async send<Output extends Answer>(command: Command<Output>, limits: CommandLimits): Promise<Output> {
    try {
      return await this.#send(command, limits);
    } catch (failure) {
      if (!this.parts.clock.hasRefused(failure)) throw failure;
      // By now the time of the service is known.
      const output = await this.#send(command, limits);
      output.$metadata.attempts = (output.$metadata.attempts ?? 1) + 1;
      return output;
    }
  }

  /** Before the command is written as JSON, which needs more memory than the picture in it. */
  async #turn(rate: Rate, command: Command<unknown>, { abortSignal }: CommandLimits): Promise<void> {
    // Those that wait for the same sign-in would leave together.
    await this.client.config.credentials();
    await rate.enter(command.constructor.name, bytesOf(command.input), abortSignal);
  }

  async #send<Output extends Answer>(command: Command<Output>, limits: CommandLimits): Promise<Output> {
    if (limits.abortSignal?.aborted) throw limits.abortSignal.reason;
    if (this.parts.rate) await this.#turn(this.parts.rate, command, limits);
    const exchange: Exchange = { service: this.parts.service, command, limits };
    this.parts.exchanges.begin(exchange);
    try {
      const output = (await this.client.send(command)) as Output;
      checkAnswer(command.schema, output, exchange.contentType);
      return output;
    } catch (error) {
      // Whoever ended it has said why; the SDK only says that it was.
      if (limits.abortSignal?.aborted && memberOf(error, 'name') === 'AbortError') throw limits.abortSignal.reason;
      const signer = /Credential=([^/]+)/.exec(exchange.authorization ?? '')?.[1];
      const isForTime = signatureRefused(error) && this.parts.clock.hasRefused(error);
      this.parts.failed(credentialsRefused(error) && !isForTime ? signer : undefined);
      throw error;
    }
  }
}
