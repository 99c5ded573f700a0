import { sdkOf } from '../account/sdks';
import { within } from '../action/within';
import type { ActionError } from '../fields/errors';
import type { Source } from './locator';

/** A queue is not asked more often than this, ms. */
export const lookAgainAfter = 60_000;
/** How long its answer is waited for, ms. */
const longestAnswer = 15_000;

/** What is in a queue, as SQS counts it: roughly. */
interface Depth {
  readonly waiting: number;
  /** Received by somebody, and not settled. */
  readonly inFlight: number;
  /** Not visible yet. */
  readonly delayed: number;
}

/** What is known of a queue. */
export interface QueueLook {
  /** `undefined` until it is known. */
  readonly depth: Depth | undefined;
  /** Why it could not be looked at the last time. */
  readonly refusal: ActionError | undefined;
}

/** Looks how much is in the queue of a receiver, while somebody asks for it. */
export class QueueDepth {
  #known: QueueLook = { depth: undefined, refusal: undefined };
  #asked = -Infinity;

  constructor(
    private readonly signal: AbortSignal,
    private readonly toError: (thrown: unknown) => ActionError,
    /** Called when the queue has answered, or could not be asked. */
    private readonly answered: () => void
  ) {}

  /** What is known. If that is old, the queue is asked anew, and the answer is known the next time. */
  look(source: Source | undefined): QueueLook {
    const now = performance.now();
    if (source && !this.signal.aborted && now - this.#asked >= lookAgainAfter) {
      this.#asked = now;
      this.#ask(source).catch((thrown: unknown) => {
        this.#known = { depth: undefined, refusal: this.toError(thrown) };
        this.answered();
      });
    }
    return this.#known;
  }

  async #ask({ client, url, node }: Source): Promise<void> {
    const { GetQueueAttributesCommand } = sdkOf('sqs');
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed'
      ]
    });
    const { Attributes = {} } = await within(
      longestAnswer,
      (abortSignal) => client.send(command, { abortSignal, node }),
      this.signal
    );
    const depth = {
      waiting: Number(Attributes.ApproximateNumberOfMessages),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed)
    };
    this.#known = { depth, refusal: undefined };
    this.answered();
  }
}
