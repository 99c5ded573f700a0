/** Connects each command with the HTTP requests that the SDK makes of it, and with their answers. */

import { closed } from '../fields/errors';
import type { Meter } from '../metering/meter';
import { limitAnswer } from './answer-size';
import { type Charge, countSignIn } from './charge';
import type { HttpHandler, Limits } from './http-handler';
import { withReadableMessages } from './message-bytes';
import type { Rate } from './rate';
import { isRepeatable, longestWait } from './repeatable';
import type { Command, RequestHandler, SdkClient, ServiceName } from './sdks';
import type { ServiceClock } from './service-clock';
import { unpack } from './unpack';

/** The limits of a command. */
export interface CommandLimits extends Omit<Limits, 'answerWithin'> {
  /** The ID of the node that sends it, for the sidebar. */
  node?: string | undefined;
}

/** A command that is being sent, and what is known of its last request and answer. */
export interface Exchange {
  readonly service: ServiceName;
  /** Such as `Invoke`. */
  readonly operation: string;
  readonly command: Command<unknown>;
  readonly limits: CommandLimits;
  readonly charge: Charge;
  /** The `authorization` header of its last request. */
  authorization?: string | undefined;
  /** The content type of the last answer. */
  contentType?: string | undefined;
}

/** The member of a command's input, and of its last request, that has the exchange. A WeakMap costs several µs a request. */
const exchangeKey = Symbol('exchange');

/** The part of an HTTP request that is used here. */
interface Written {
  headers: Record<string, string>;
  body?: { length: number };
  [exchangeKey]?: Exchange;
}

/** The part of the arguments of the SDK's middleware that is used here. */
interface Step {
  input: { [exchangeKey]?: Exchange };
  request: Written;
}

/** Whether this is the SDK's first attempt at a request. */
const isFirst = ({ headers }: Written): boolean => headers['amz-sdk-request']?.startsWith('attempt=1;') === true;

/**
 * The limits of a request. The first attempt at a request that may be repeated gets little time on a connection that was
 * used before, since that may be dead. If the second attempt takes long as well, the network or the service is slow and gets
 * its time. Requests without a command, such as those for temporary credentials, may be repeated.
 */
function limitsOf(exchange: Exchange | undefined, request: Written): Limits {
  const { limits = {}, command } = exchange ?? {};
  if (!isFirst(request) || (command && !isRepeatable(command))) return limits;
  return { ...limits, answerWithin: limits.silence ?? longestWait(request.body?.length) };
}

/**
 * The commands of an account that are being sent. Both the input and the last request of each have its exchange, since
 * signing copies requests.
 */
export class Exchanges {
  /** The bearer token of the last request to an SSO portal. */
  #ssoToken = '';

  constructor(
    private readonly clock: ServiceClock,
    private readonly meter: Meter
  ) {}

  get ssoToken(): string {
    return this.#ssoToken;
  }

  begin(exchange: Exchange): void {
    Object.assign(exchange.command.input, { [exchangeKey]: exchange });
  }

  /** Adds middleware to a client that connects its requests with their commands, and charges those that fail. */
  follow(client: SdkClient): void {
    client.middlewareStack.add(
      (next: (step: Step) => Promise<unknown>) => (step: Step) => {
        const exchange = step.input[exchangeKey];
        if (!exchange) return next(step);
        exchange.authorization = step.request.headers.authorization;
        step.request[exchangeKey] = exchange;
        const { charge } = exchange;
        charge.begin(!isFirst(step.request));
        return next(step).catch((error) => {
          charge.failed(error);
          throw error;
        });
      },
      { step: 'deserialize', priority: 'high', name: 'followCommand' }
    );
  }

  /** Adds middleware to a client that makes the SDK's own repetitions wait for the rate limit as well. */
  keepUnder(rate: Rate, client: SdkClient): void {
    client.middlewareStack.addRelativeTo(
      (next: (step: Step) => unknown, { commandName }: { commandName: string }) =>
        async (step: Step) => {
          if (!isFirst(step.request)) {
            await rate.turn(commandName, step.input[exchangeKey]?.limits.abortSignal);
          }
          return next(step);
        },
      // Before signing, since a signature holds for a few minutes only.
      { relation: 'before', toMiddleware: 'httpSigningMiddleware', name: 'keepUnderRate' }
    );
  }

  /**
   * The handler of all requests. It looks up the limits of their commands, since with options in `send` the SDK would not
   * use its cache of middleware. Once `isOver` it rejects requests with `Closed`.
   */
  handler(handler: HttpHandler, isOver: () => boolean): RequestHandler {
    const limiting: RequestHandler = Object.create(handler);
    limiting.handle = async (request) => {
      // The SDK would otherwise repeat requests that were cut off, such as those for temporary credentials.
      if (isOver()) throw closed();
      this.#ssoToken = request.headers['x-amz-sso_bearer_token'] ?? this.#ssoToken;
      const { [exchangeKey]: exchange }: Written = request;
      const sent = performance.now();
      const answer = await handler.handle(request, limitsOf(exchange, request));
      const took = performance.now() - sent;
      this.clock.hear(request, answer.response, took);
      if (!exchange) countSignIn(this.meter, request.body, took, answer.response.statusCode);
      if (exchange) exchange.contentType = answer.response.headers['content-type'];
      unpack(answer.response);
      const operation = exchange?.operation;
      // A request without a command belongs to a sign-in.
      const service = exchange?.service ?? 'sts';
      const body = limitAnswer(answer.response, service, operation === 'Invoke');
      answer.response.body = operation === 'ReceiveMessage' ? withReadableMessages(body) : body;
      return answer;
    };
    return limiting;
  }
}
