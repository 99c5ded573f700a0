import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from '../account/client';
import { noticeOverdue, overdueAfter } from '../account/overdue';
import type { Answer, Command, Metadata } from '../account/sdks';
import type { Request } from '../action/action';
import { closed, copyError } from '../fields/errors';
import { metadataOf, nameOf } from '../fields/thrown';

/** Entries of one batch request: the services' own limit. */
export const mostEntries = 10;
/** Requests in flight to one target by default, those that are not answered in time aside. */
const usualRequests = 4;
/** How often an entry that the service failed is sent, as often as the SDK sends a request. */
const mostAttempts = 3;
/** The pause before an entry is sent again is up to this long, ms, and twice as long each further time. */
const firstPause = 100;
/** Turns of the event loop in which a flow that was just answered sends its next messages. */
const restingTurns = 5;

/** What the service says of an entry that it did not accept. */
interface Failed {
  Id: string | undefined;
  Code: string | undefined;
  Message?: string | undefined;
  SenderFault: boolean | undefined;
}

/** The output of every batch operation of SNS and SQS. */
interface BatchOutput<Output> extends Answer {
  Successful?: (Output & { Id?: string | undefined })[] | undefined;
  Failed?: Failed[] | undefined;
}

/** The requests that carry an entry: alone, or with others. Both operations take and give the same members. */
export interface EntryOperations<Entry extends object, Output extends object> {
  one(entry: Entry): Command<Output & Answer>;
  many(entries: (Entry & { Id: string })[]): Command<BatchOutput<Output>>;
  /** Most bytes of one batch. */
  bytes: number;
  /** Most requests in flight, those that are not answered in time aside; default 4. */
  requests?: number;
  /** Each entry has a request of its own, and leaves at once. */
  alone?: boolean;
}

/** What one entry came to. */
interface Sent<Output> {
  output: Output;
  /** Of its last request. */
  metadata: Metadata;
  /** Those of all its requests. */
  attempts: number;
}

/** An entry, and its bytes as they count for a batch. */
export interface QueuedEntry<Entry> {
  entry: Entry;
  bytes: number;
}

interface Waiting<Entry, Output> extends QueuedEntry<Entry> {
  attempts: number;
  resolve(sent: Sent<Output>): void;
  reject(error: unknown): void;
}

/**
 * The way of entries to one target. While nothing is in flight an entry leaves at once, alone. What comes in the meantime
 * waits and leaves together when an answer has come or is overdue, or as soon as a batch is full. Each entry ends once, by
 * itself.
 */
export class TargetBatches<Entry extends object, Output extends object> {
  /** Those that may leave, in their order. */
  readonly #ready: Waiting<Entry, Output>[] = [];
  #readyBytes = 0;
  /** All that have not ended. */
  #entries = 0;
  /** The batches in flight whose answers are waited for. */
  readonly #awaited = new Set<object>();
  #resting = false;
  readonly #operations: EntryOperations<Entry, Output>;
  readonly #size: number;

  constructor(
    private readonly client: Client,
    operations: EntryOperations<Entry, Output>,
    private readonly request: Request,
    /** Ends pauses and requests. */
    private readonly signal: AbortSignal,
    /** Called when there is nothing more to do. */
    private readonly idle: () => void
  ) {
    this.#operations = operations;
    this.#size = operations.alone ? 1 : mostEntries;
  }

  /** Takes an entry in. Rejects with the service's error for this entry. */
  add({ entry, bytes }: QueuedEntry<Entry>): Promise<Sent<Output>> {
    return new Promise((resolve, reject) => {
      this.#entries += 1;
      this.#makeReady({ entry, bytes, attempts: 0, resolve, reject });
      this.#leave();
    });
  }

  #makeReady(waiting: Waiting<Entry, Output>): void {
    this.#ready.push(waiting);
    this.#readyBytes += waiting.bytes;
  }

  #leave(): void {
    while (this.#ready.length > 0 && this.#mayLeave()) {
      const batch = this.#load();
      this.#send(batch).catch((error) => {
        for (const waiting of batch) this.#fail(waiting, error);
      });
    }
  }

  #mayLeave(): boolean {
    if (this.#size === 1 || (this.#awaited.size === 0 && !this.#resting)) return true;
    const full = this.#ready.length >= this.#size || this.#readyBytes >= this.#operations.bytes;
    return full && this.#awaited.size < (this.#operations.requests ?? usualRequests);
  }

  /** The next batch. */
  #load(): Waiting<Entry, Output>[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#ready) {
      if (count === this.#size || (count > 0 && bytes + waiting.bytes > this.#operations.bytes)) break;
      count += 1;
      bytes += waiting.bytes;
    }
    this.#readyBytes -= bytes;
    return this.#ready.splice(0, count);
  }

  async #send(batch: Waiting<Entry, Output>[]): Promise<void> {
    this.#awaited.add(batch);
    const [first] = batch as [Waiting<Entry, Output>];
    const work = batch.length === 1 ? this.#sendOne(first) : this.#sendMany(batch);
    await noticeOverdue(work, () => this.#overtake(batch));
    this.#awaited.delete(batch);
    if (this.#size > 1 && (batch.length > 1 || this.#ready.length > 0)) this.#rest(restingTurns);
    this.#goOn();
  }

  /** A batch is not answered, and may never be: what comes later goes without it, by a connection that is not old. */
  #overtake(batch: object): void {
    this.#awaited.delete(batch);
    this.client.closeIdle(overdueAfter);
    this.#leave();
  }

  #goOn(): void {
    this.#leave();
    const busy = this.#resting || this.#entries > 0 || this.#awaited.size > 0;
    if (!busy) this.idle();
  }

  /** A flow answers a batch with a batch: its messages leave together instead of the first one alone. */
  #rest(turns: number): void {
    this.#resting = turns > 0;
    if (this.#resting) setImmediate(() => this.#rest(turns - 1));
    else this.#goOn();
  }

  async #sendOne(waiting: Waiting<Entry, Output>): Promise<void> {
    try {
      const output = await this.request(this.#operations.one(waiting.entry));
      this.#arrive(waiting, output, output.$metadata);
    } catch (error) {
      this.#fail(waiting, error);
    }
  }

  async #sendMany(batch: Waiting<Entry, Output>[]): Promise<void> {
    try {
      const entries = batch.map(({ entry }, index) => ({ ...entry, Id: String(index) }));
      const output = await this.request(this.#operations.many(entries));
      this.#sort(batch, partsOf(output), output.$metadata);
    } catch (error) {
      // One entry may be what the service does not like about all of them.
      if (refusedTogether(error)) await Promise.all(batch.map((waiting) => this.#sendOne(waiting)));
      else for (const waiting of batch) this.#fail(waiting, copyError(error));
    }
  }

  /** Gives each entry its own part of the answer. */
  #sort(batch: Waiting<Entry, Output>[], parts: Map<string | undefined, Output | Failed>, $metadata: Metadata): void {
    batch.forEach((waiting, index) => {
      const part = parts.get(String(index)) ?? unanswered;
      if ('SenderFault' in part) this.#refuse(waiting, part, $metadata);
      else this.#arrive(waiting, part, $metadata);
    });
  }

  #arrive(waiting: Waiting<Entry, Output>, output: Output, metadata: Metadata): void {
    this.#entries -= 1;
    waiting.resolve({ output, metadata, attempts: waiting.attempts + (metadata.attempts ?? 1) });
  }

  /** An entry that was not accepted: it is sent again where that may help. */
  #refuse(waiting: Waiting<Entry, Output>, failed: Failed, metadata: Metadata): void {
    waiting.attempts += metadata.attempts ?? 1;
    if (failed.SenderFault || waiting.attempts >= mostAttempts) this.#fail(waiting, entryError(failed, metadata));
    else this.#again(waiting).catch((error) => this.#fail(waiting, error));
  }

  async #again(waiting: Waiting<Entry, Output>): Promise<void> {
    try {
      await wait(Math.random() * firstPause * 2 ** waiting.attempts, undefined, { signal: this.signal });
      this.#makeReady(waiting);
    } catch {
      this.#fail(waiting, closed());
    }
    this.#goOn();
  }

  #fail(waiting: Waiting<Entry, Output>, error: unknown): void {
    this.#entries -= 1;
    waiting.reject(error);
  }
}

/** What an answer says of each entry, by its id. */
export const partsOf = <Output>({ Successful = [], Failed = [] }: BatchOutput<Output>) =>
  new Map<string | undefined, Output | Failed>([...Successful, ...Failed].map((part) => [part.Id, part]));

/** True when a service refused a whole batch for what is in it, so that some of its entries may be all right. */
export function refusedTogether(error: unknown): boolean {
  if (metadataOf(error).httpStatusCode === 413) return true;
  return /^(BatchRequestTooLong|InvalidAttribute|InvalidMessage|InvalidParameter|ParameterValueInvalid|Validation)/.test(
    nameOf(error)
  );
}

/** For an entry that the service says nothing about. */
export const unanswered: Failed = {
  Id: undefined,
  Code: 'InternalError',
  Message: 'The answer does not say what became of this entry.',
  SenderFault: false
};

/** A refused entry as the SDK's error for a refused request of its own. */
export const entryError = ({ Code, Message, SenderFault }: Failed, $metadata: Metadata): Error =>
  Object.assign(new Error(Message ?? Code), {
    name: Code?.split('.').pop() || 'UnknownError',
    $fault: SenderFault ? 'client' : 'server',
    $metadata
  });
