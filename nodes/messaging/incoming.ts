import type { Message } from '@aws-sdk/client-sqs';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { hasShape } from '../account/answers';
import type { Metadata } from '../account/sdks';
import { sdkOf } from '../account/sdks';
import { sendOn } from '../action/send-on';
import { inOneLine } from '../fields/lines';
import { memberOf, reasonOf, textOf } from '../fields/thrown';
import type { HeldMessage, HeldMessages } from './held-messages';
import type { Source } from './locator';
import { isFifo } from './queue';
import type { Format } from './received-message';
import { messageOf } from './received-message';

/** The options that decide what becomes of an incoming message. */
interface Options extends Format {
  queue: string;
  settle: 'sent' | 'flow';
}

/** What the receiver does for a message that has come. */
interface Handling {
  /** Called when the flow has it. */
  sent(held: HeldMessage): void;
  /** Makes a message that the flow has not had visible in the queue again. */
  returnUnsent(held: HeldMessage): void;
}

/** Takes in the messages that were received from a queue, and sends them to the flow. */
export class Incoming {
  /** Message groups of which a message of this answer could not be sent: the later ones must not overtake it. */
  readonly #stopped = new Set<string>();
  readonly #isFifo: boolean;
  /** Whether the flow has one message of a group at a time. */
  readonly #isOrdered: boolean;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly options: Options,
    private readonly held: HeldMessages,
    private readonly handling: Handling
  ) {
    this.#isFifo = isFifo(options.queue);
    this.#isOrdered = this.#isFifo && options.settle === 'flow';
  }

  /** Takes in the messages of an answer. Gives how many there was room for. */
  take(entries: Message[], source: Source, metadata: Metadata): number {
    const end = performance.now() + source.visibilityTimeout * 1000;
    this.#stopped.clear();
    try {
      const messages = entries.filter((entry) => this.#isMessage(entry));
      return messages.filter((message) => this.#add(message, end, source, metadata)).length;
    } finally {
      this.held.sendAdded();
    }
  }

  /** Takes a message in, if there is room for it. Its visibility timeout ends at `end`. */
  #add(message: Message, end: number, source: Source, metadata: Metadata): boolean {
    const { MessageId: messageId = '', ReceiptHandle: receiptHandle = '', Attributes = {} } = message;
    const { MessageGroupId, ApproximateReceiveCount } = Attributes;
    const group = this.#isFifo ? MessageGroupId : undefined;
    const receiveCount = Number(ApproximateReceiveCount) || 0;
    const groupId = this.#isOrdered ? group : undefined;
    return this.held.add({ messageId, receiptHandle, receiveCount, end, groupId }, (held) => {
      const handle = this.held.handleOf(held);
      const origin = { region: source.client.region, metadata, handle };
      this.#send(held, group, () => messageOf(message, this.options, origin));
    });
  }

  /**
   * Sends a message to the flow. If it cannot be made, or Node-RED cannot copy it, it is given up, and the others go
   * on.
   */
  #send(held: HeldMessage, group: string | undefined, make: () => NodeMessage): void {
    if (group !== undefined && this.#stopped.has(group)) {
      this.held.giveUp(held);
      this.handling.returnUnsent(held);
      return;
    }
    try {
      sendOn(this.RED, this.node, make(), (each) => this.node.send(each));
    } catch (thrown) {
      if (group !== undefined) this.#stopped.add(group);
      this.held.giveUp(held);
      this.#tellStuck(held.messageId, reasonOf(thrown));
      return;
    }
    this.handling.sent(held);
  }

  /** Whether an entry of an answer is a message as SQS gives them. If not, an error says so, and the others go on. */
  #isMessage(entry: unknown): boolean {
    if (hasShape(sdkOf('sqs').Message$, entry)) return true;
    const id = textOf(memberOf(entry, 'MessageId') ?? 'without an ID');
    this.#tellStuck(id, 'it is not as SQS gives them');
    return false;
  }

  #tellStuck(id: string, why: string): void {
    this.node.error(
      `The message ${inOneLine(id)} cannot be sent on: ${why}. It comes again when its visibility timeout is over.`
    );
  }
}
