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
/** Turns of the event loop that a flow gets, after an answer, to send its next messages, so that they leave together. */
const collectingTurns = 5;

/** What the service says of an entry that it did not accept. */
interface Failed {
  Id: string | undefined;
  Code: string | undefined;
  Message?: string | undefined;
  SenderFault: boolean | undefined;
}

/** What an answer says of an entry. */
type EntryResult<Output> = { output: Output } | { failed: Failed };

/** The output of every batch operation of SNS and SQS. */
interface BatchOutput<Output> extends Answer {
  Successful?: (Output & { Id?: string | undefined })[] | undefined;
  Failed?: Failed[] | undefined;
}

/** The requests that send an entry: alone, or with others. Both operations take and give the same members. */
export interface EntryOperations<Entry extends object, Output extends object> {
  one(entry: Entry): Command<Output & Answer>;
  many(entries: (Entry & { Id: string })[]): Command<BatchOutput<Output>>;
  /** Most bytes of one batch. */
  bytes: number;
  /** Most requests in flight, those that are not answered in time aside; default 4. */
  requests?: number;
  /** Each entry is sent at once, in a request of its own. */
  alone?: boolean;
}

/** An entry that was accepted. */
interface SentEntry<Output> {
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

interface PendingEntry<Entry, Output> extends QueuedEntry<Entry> {
  attempts: number;
  resolve(sent: SentEntry<Output>): void;
  reject(error: unknown): void;
}

/**
 * Sends entries to one target, in batches where that saves requests. While nothing is in flight an entry is sent at once,
 * alone. Entries that come in the meantime are sent together as soon as an answer has come or is overdue, or a batch is full.
 * Each entry succeeds or fails by itself.
 */
export class TargetBatches<Entry extends object, Output extends object> {
  /** Entries that can be sent, in the order in which they came. */
  readonly #ready: PendingEntry<Entry, Output>[] = [];
  #readyBytes = 0;
  /** How many entries have neither succeeded nor failed. */
  #entries = 0;
  /** The batches in flight, except for those whose answers are overdue. */
  readonly #awaited = new Set<object>();
  /** Whether a flow that was just answered gets time to send its next messages. */
  #collecting = false;
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
  add({ entry, bytes }: QueuedEntry<Entry>): Promise<SentEntry<Output>> {
    return new Promise((resolve, reject) => {
      this.#entries += 1;
      this.#makeReady({ entry, bytes, attempts: 0, resolve, reject });
      this.#sendReady();
    });
  }

  #makeReady(pending: PendingEntry<Entry, Output>): void {
    this.#ready.push(pending);
    this.#readyBytes += pending.bytes;
  }

  #sendReady(): void {
    while (this.#ready.length > 0 && this.#maySend()) {
      const batch = this.#takeBatch();
      this.#send(batch).catch((error) => {
        for (const pending of batch) this.#fail(pending, error);
      });
    }
  }

  #maySend(): boolean {
    if (this.#size === 1 || (this.#awaited.size === 0 && !this.#collecting)) return true;
    const full = this.#ready.length >= this.#size || this.#readyBytes >= this.#operations.bytes;
    return full && this.#awaited.size < (this.#operations.requests ?? usualRequests);
  }

  /** The next batch. */
  #takeBatch(): PendingEntry<Entry, Output>[] {
    let count = 0;
    let bytes = 0;
    for (const pending of this.#ready) {
      if (count === this.#size || (count > 0 && bytes + pending.bytes > this.#operations.bytes)) break;
      count += 1;
      bytes += pending.bytes;
    }
    this.#readyBytes -= bytes;
    return this.#ready.splice(0, count);
  }

  async #send(batch: PendingEntry<Entry, Output>[]): Promise<void> {
    this.#awaited.add(batch);
    const [first] = batch;
    const work = first && batch.length === 1 ? this.#sendOne(first) : this.#sendMany(batch);
    await noticeOverdue(work, () => this.#stopAwaiting(batch));
    this.#awaited.delete(batch);
    if (this.#size > 1 && (batch.length > 1 || this.#ready.length > 0)) this.#collect(collectingTurns);
    this.#continue();
  }

  /** The answer to a batch is overdue, and may never come: later entries do not wait for it, and use newer connections. */
  #stopAwaiting(batch: object): void {
    this.#awaited.delete(batch);
    this.client.closeIdle(overdueAfter);
    this.#sendReady();
  }

  #continue(): void {
    this.#sendReady();
    const busy = this.#collecting || this.#entries > 0 || this.#awaited.size > 0;
    if (!busy) this.idle();
  }

  /**
   * Waits for some turns before entries are sent: a flow that has just got the results of a batch usually sends as many
   * messages again, which then leave together instead of the first one alone.
   */
  #collect(turns: number): void {
    this.#collecting = turns > 0;
    if (this.#collecting) setImmediate(() => this.#collect(turns - 1));
    else this.#continue();
  }

  async #sendOne(pending: PendingEntry<Entry, Output>): Promise<void> {
    try {
      const output = await this.request(this.#operations.one(pending.entry));
      this.#succeed(pending, output, output.$metadata);
    } catch (error) {
      this.#fail(pending, error);
    }
  }

  async #sendMany(batch: PendingEntry<Entry, Output>[]): Promise<void> {
    try {
      const entries = batch.map(({ entry }, index) => ({ ...entry, Id: String(index) }));
      const output = await this.request(this.#operations.many(entries));
      this.#settleAll(batch, resultsById(output), output.$metadata);
    } catch (error) {
      // A single entry may be the reason why the service has rejected all of them.
      if (refusedTogether(error)) await Promise.all(batch.map((pending) => this.#sendOne(pending)));
      else for (const pending of batch) this.#fail(pending, copyError(error));
    }
  }

  /** Settles each entry by its own result in the answer. */
  #settleAll(
    batch: PendingEntry<Entry, Output>[],
    results: Map<string | undefined, EntryResult<Output>>,
    $metadata: Metadata
  ): void {
    batch.forEach((pending, index) => {
      const result = results.get(String(index)) ?? withoutResult;
      if ('failed' in result) this.#rejected(pending, result.failed, $metadata);
      else this.#succeed(pending, result.output, $metadata);
    });
  }

  #succeed(pending: PendingEntry<Entry, Output>, output: Output, metadata: Metadata): void {
    this.#entries -= 1;
    pending.resolve({ output, metadata, attempts: pending.attempts + (metadata.attempts ?? 1) });
  }

  /** Sends an entry that the service did not accept again, where that may help. */
  #rejected(pending: PendingEntry<Entry, Output>, failed: Failed, metadata: Metadata): void {
    pending.attempts += metadata.attempts ?? 1;
    if (failed.SenderFault || pending.attempts >= mostAttempts) this.#fail(pending, entryError(failed, metadata));
    else this.#retry(pending).catch((error) => this.#fail(pending, error));
  }

  async #retry(pending: PendingEntry<Entry, Output>): Promise<void> {
    try {
      await wait(Math.random() * firstPause * 2 ** pending.attempts, undefined, { signal: this.signal });
      this.#makeReady(pending);
    } catch {
      this.#fail(pending, closed());
    }
    this.#continue();
  }

  #fail(pending: PendingEntry<Entry, Output>, error: unknown): void {
    this.#entries -= 1;
    pending.reject(error);
  }
}

/** What an answer says of each entry, by its ID. Where it says both, the entry was not accepted. */
export function resultsById<Output>({ Successful = [], Failed = [] }: BatchOutput<Output>) {
  const results = new Map<string | undefined, EntryResult<Output>>();
  for (const output of Successful) results.set(output.Id, { output });
  for (const failed of Failed) results.set(failed.Id, { failed });
  return results;
}

/** Whether a service has rejected a whole batch because of what is in it: some of its entries may be all right. */
export function refusedTogether(error: unknown): boolean {
  if (metadataOf(error).httpStatusCode === 413) return true;
  return /^(BatchRequestTooLong|InvalidAttribute|InvalidMessage|InvalidParameter|ParameterValueInvalid|Validation)/.test(
    nameOf(error)
  );
}

/** The result of an entry that the answer does not mention. */
export const withoutResult: { failed: Failed } = {
  failed: {
    Id: undefined,
    Code: 'InternalError',
    Message: 'The answer does not say what became of this entry.',
    SenderFault: false
  }
};

/** The error of an entry that was not accepted, as the SDK would give it for a request with this entry alone. */
export const entryError = ({ Code, Message, SenderFault }: Failed, $metadata: Metadata): Error =>
  Object.assign(new Error(Message ?? Code), {
    name: Code?.split('.').pop() || 'UnknownError',
    $fault: SenderFault ? 'client' : 'server',
    $metadata
  });
