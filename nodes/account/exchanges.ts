/** What belongs to a command reaches its requests and their answers here: in between is the SDK. */

import { closed } from '../fields/errors';
import type { Response } from './answer-size';
import { limitAnswer } from './answer-size';
import type { HttpHandler, Limits } from './http-handler';
import { withReadableMessages } from './message-bytes';
import type { Rate } from './rate';
import { isRepeatable, longestWait } from './repeatable';
import type { Command, RequestHandler, SdkClient, ServiceName } from './sdks';
import type { ServiceClock } from './service-clock';
import { unpack } from './unpack';

/** What ends a command early. */
export type CommandLimits = Omit<Limits, 'answerWithin'>;

/** A command that is being sent, and what is known of its last request and answer. */
export interface Exchange {
  readonly service: ServiceName;
  readonly command: Command<unknown>;
  readonly limits: CommandLimits;
  /** The signed header of its last request. */
  authorization?: string | undefined;
  /** The content type of the last answer. */
  contentType?: string | undefined;
}

/** A request as it is written. */
interface Written {
  headers: Record<string, string>;
  body?: { length: number };
}

/** A step of the SDK's middleware, as far as it is used here. */
interface Step {
  input: object;
  request: Written;
}

/** Whether the SDK sends a request for the first time. */
const isFirst = ({ headers }: Written): boolean => headers['amz-sdk-request']?.startsWith('attempt=1;') === true;

/**
 * What is no command, such as a question for temporary credentials, may be repeated. That is quick once only: where no connection
 * was dead, the link or the service is slow, and needs the time.
 */
function limitsOf(exchange: Exchange | undefined, request: Written): Limits {
  const { limits = {}, command } = exchange ?? {};
  if (!isFirst(request) || (command && !isRepeatable(command))) return limits;
  return { ...limits, answerWithin: limits.silence ?? longestWait(request.body?.length) };
}

/** The commands of an account that are being sent: by their input, and by their last request, since signed ones are copies. */
export class Exchanges {
  readonly #exchanges = new WeakMap<object, Exchange>();
  /** What the last question to an SSO portal was asked with. */
  #ssoToken = '';

  constructor(private readonly clock: ServiceClock) {}

  get ssoToken(): string {
    return this.#ssoToken;
  }

  begin(exchange: Exchange): void {
    this.#exchanges.set(exchange.command.input, exchange);
  }

  /** Has a client's commands followed to their last request. */
  follow(client: SdkClient): void {
    client.middlewareStack.add(
      (next: (step: Step) => unknown) => (step: Step) => {
        const exchange = this.#exchanges.get(step.input);
        if (exchange) {
          exchange.authorization = step.request.headers.authorization;
          this.#exchanges.set(step.request, exchange);
        }
        return next(step);
      },
      { step: 'deserialize', priority: 'low', name: 'followCommand' }
    );
  }

  /** Has what the SDK sends again by itself wait for its turn as well. */
  keepUnder(rate: Rate, client: SdkClient): void {
    client.middlewareStack.addRelativeTo(
      (next: (step: Step) => unknown, { commandName }: { commandName: string }) =>
        async (step: Step) => {
          if (!isFirst(step.request)) {
            await rate.turn(commandName, this.#exchanges.get(step.input)?.limits.abortSignal);
          }
          return next(step);
        },
      // A signature is made for a moment.
      { relation: 'before', toMiddleware: 'httpSigningMiddleware', name: 'keepUnderRate' }
    );
  }

  /**
   * The handler of all requests, which knows the limits of their commands: options in `send` would cost the SDK's cache of
   * its middleware. It refuses requests once `isOver`.
   */
  handler(handler: HttpHandler, isOver: () => boolean): RequestHandler {
    const limiting = Object.create(handler) as RequestHandler;
    limiting.handle = async (request) => {
      // Otherwise the SDK would try again what its end has cut off, such as a question for temporary credentials.
      if (isOver()) throw closed();
      this.#ssoToken = request.headers['x-amz-sso_bearer_token'] ?? this.#ssoToken;
      const exchange = this.#exchanges.get(request);
      const sent = performance.now();
      const answer = await handler.handle(request, limitsOf(exchange, request));
      this.clock.hear(request, answer.response, performance.now() - sent);
      if (exchange) exchange.contentType = answer.response.headers['content-type'];
      unpack(answer.response);
      const operation = exchange?.command.constructor.name;
      // Where there is no command, it is a question for a sign-in.
      const service = exchange?.service ?? 'sts';
      const body = limitAnswer(answer.response as Response, service, operation === 'InvokeCommand');
      answer.response.body = operation === 'ReceiveMessageCommand' ? withReadableMessages(body) : body;
      return answer;
    };
    return limiting;
  }
}
