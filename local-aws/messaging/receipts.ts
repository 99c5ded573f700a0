import type { Message, Queue } from './sqs-rules';

/**
 * Which message each receipt handle of a queue is of, until the message is deleted. fauxqs knows a handle only while its
 * message is in flight.
 */
export class Receipts {
  readonly #messages = new Map<string, Message>();
  readonly #handles = new Map<Message, string[]>();

  /** Notes the handle that somebody has received a message with. */
  add(handle: string, message: Message): void {
    this.#messages.set(handle, message);
    const handles = this.#handles.get(message);
    if (handles) handles.push(handle);
    else this.#handles.set(message, [handle]);
  }

  messageOf(handle: string): Message | undefined {
    return this.#messages.get(handle);
  }

  /** The handle that the message was last received with. */
  newest(message: Message): string | undefined {
    return this.#handles.get(message)?.at(-1);
  }

  /** Forgets all handles of a message that is no longer in the queue. */
  forget(message: Message): void {
    for (const handle of this.#handles.get(message) ?? []) this.#messages.delete(handle);
    this.#handles.delete(message);
  }

  /** Forgets all handles of all messages. */
  clear(): void {
    this.#messages.clear();
    this.#handles.clear();
  }
}

const all = new WeakMap<Queue, Receipts>();

export function receiptsOf(queue: Queue): Receipts {
  const receipts = all.get(queue) ?? new Receipts();
  all.set(queue, receipts);
  return receipts;
}
