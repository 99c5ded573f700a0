/** Sends entries that were kept on disk: one request at a time, without the pauses and repetitions of `target-batches`. */
import type { Request } from '../action/action';
import { madeUpId } from '../outbox/outbox';
import { isRefusal } from '../outbox/refusals';
import type { Outcome, Outgoing } from '../outbox/route';
import type { Receipt } from './message';
import { resultOfReceipt } from './message';
import { isFifo } from './queue';
import { type EntryOperations, entryError, refusedTogether, resultsById, withoutResult } from './target-batches';

/** The members of an entry that FIFO queues and topics need. */
interface Ordered {
  MessageGroupId?: string | undefined;
  MessageDeduplicationId?: string | undefined;
}

/** An entry as it is kept. For a FIFO queue or topic it has an ID, so that sending it again is not a second message. */
export function outgoingOf(entry: Ordered & object, target: string, bytes: number, alone: boolean): Outgoing {
  const ordered = isFifo(target);
  return {
    entry: ordered ? { ...entry, MessageDeduplicationId: entry.MessageDeduplicationId ?? madeUpId() } : entry,
    bytes: alone ? Infinity : bytes,
    group: ordered ? entry.MessageGroupId : undefined
  };
}

/** Sends entries in one request, or each alone if the service rejects them together. */
export async function sendEntries<Entry extends object>(
  operations: EntryOperations<Entry, Receipt>,
  entries: readonly Entry[],
  request: Request,
  tell: (index: number, outcome: Outcome) => void
): Promise<void> {
  const sendOne = async (entry: Entry, index: number) => {
    try {
      const output = await request(operations.one(entry));
      tell(index, { result: resultOfReceipt(output), metadata: output.$metadata });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      tell(index, { error });
    }
  };
  const [first] = entries;
  if (first && entries.length === 1) return sendOne(first, 0);
  try {
    const output = await request(operations.many(entries.map((entry, index) => ({ ...entry, Id: String(index) }))));
    const results = resultsById(output);
    for (const index of entries.keys()) {
      const result = results.get(String(index)) ?? withoutResult;
      if ('failed' in result) tell(index, { error: entryError(result.failed, output.$metadata) });
      else tell(index, { result: resultOfReceipt(result.output), metadata: output.$metadata });
    }
  } catch (error) {
    if (!refusedTogether(error)) throw error;
    for (const [index, entry] of entries.entries()) await sendOne(entry, index);
  }
}
