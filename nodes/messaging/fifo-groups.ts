/** A message that has entries in FIFO groups: one for each of its targets. */
export interface Message {
  /** In the order in which they came. */
  readonly number: number;
  readonly ended: Promise<unknown>;
}

/** An entry's turn in its group. */
class Turn {
  begin!: () => void;
  /** Resolves when it begins. */
  readonly begun = new Promise<void>((resolve) => {
    this.begin = resolve;
  });

  constructor(readonly message: Message) {}
}

interface Group {
  /** The one whose turn it is. */
  sending: Turn | undefined;
  /** Those behind it, in the order of their messages. */
  readonly waiting: Turn[];
  /** The messages with a failed entry that have not ended yet. */
  readonly failed: Set<Message>;
}

/**
 * The FIFO groups that a node sends to. Of each group one entry is sent at a time, in the order of the messages. After
 * a failure the entries of later messages wait until the message that failed has ended, since its failure has been
 * reported by then. Groups without entries are forgotten.
 */
export class FifoGroups {
  readonly #groups = new Map<string, Group>();

  /**
   * Calls `work`, which sends an entry. It waits for the turn itself, so that it can prepare before. Without a group
   * there is no turn.
   */
  async send<T>(
    name: string | undefined,
    message: Message,
    work: (turn: Promise<void> | undefined) => Promise<T>
  ): Promise<T> {
    if (name === undefined) return work(undefined);
    const group = this.#groups.get(name) ?? { sending: undefined, waiting: [], failed: new Set<Message>() };
    this.#groups.set(name, group);
    const turn = new Turn(message);
    const later = group.waiting.findLastIndex((other) => other.message.number <= message.number);
    group.waiting.splice(later + 1, 0, turn);
    this.#goOn(name, group);
    try {
      return await work(turn.begun);
    } catch (thrown) {
      this.#awaitEnd(name, group, message);
      throw thrown;
    } finally {
      if (group.sending === turn) group.sending = undefined;
      else group.waiting.splice(group.waiting.indexOf(turn), 1);
      this.#goOn(name, group);
    }
  }

  #awaitEnd(name: string, group: Group, message: Message): void {
    if (group.failed.has(message)) return;
    group.failed.add(message);
    const ended = () => {
      group.failed.delete(message);
      this.#goOn(name, group);
    };
    message.ended.then(ended, ended);
  }

  /**
   * Lets the next entry of a group be sent, unless an earlier message has failed and has not ended. Only earlier ones are
   * waited for: messages that name the same queues, or one of them twice, would wait for each other, or for themselves.
   */
  #goOn(name: string, group: Group): void {
    const { sending, waiting, failed } = group;
    const [next] = waiting;
    if (sending) return;
    if (!next) {
      if (failed.size === 0) this.#groups.delete(name);
    } else if ([...failed].every(({ number }) => number >= next.message.number)) {
      group.sending = waiting.shift();
      next.begin();
    }
  }
}
