import type { Message, Queue } from './sqs-rules';

/**
 * The messages of receipt handles, until a message is deleted. fauxqs itself knows a handle only while its message is in
 * flight.
 */
class Receipts {
  readonly #messages = new Map<string, Message>();
  readonly #handles = new Map<Message, string[]>();

  /** Adds the handle of a message that was received. */
  add(handle: string, message: Message): void {
    this.#messages.set(handle, message);
    const handles = this.#handles.get(message);
    if (handles) handles.push(handle);
    else this.#handles.set(message, [handle]);
  }

  messageOf(handle: string): Message | undefined {
    return this.#messages.get(handle);
  }

  /** The latest handle of a message. */
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
