import type { Client } from '../account/client';
import { nameOf } from '../fields/errors';
import type { DetectorCall } from './detector';

/** What Rekognition accepts as the name of a collection of faces. */
export const collectionPattern = /^[a-zA-Z0-9_.-]{1,255}$/;
export const collectionIs = 'the ID of a collection: 1 to 255 letters, digits and . - _';

/** Collections that were made here, by client and ID: whoever misses one waits for the same making of it. */
const made = new WeakMap<Client, Map<string, Promise<void>>>();

async function make({ sdk, client }: DetectorCall, collection: string): Promise<void> {
  try {
    // Others wait for it as well, so that nobody's end may end it.
    await client.send(new sdk.CreateCollectionCommand({ CollectionId: collection }), {});
  } catch (error) {
    // Another process was quicker.
    if (nameOf(error) !== 'ResourceAlreadyExistsException') throw error;
  }
}

/**
 * Does what needs a collection; where that does not exist, it is made, once for all who miss it at the time, and the work
 * is done again. So an existing one needs neither a further request nor the right to make it.
 */
export async function inCollection<R>(call: DetectorCall, collection: string, work: () => Promise<R>): Promise<R> {
  const makings = made.get(call.client) ?? new Map<string, Promise<void>>();
  made.set(call.client, makings);
  const before = makings.get(collection);
  try {
    return await work();
  } catch (error) {
    if (nameOf(error) !== 'ResourceNotFoundException') throw error;
    // Unless it was made while this was under way.
    if (makings.get(collection) === before) {
      const making = make(call, collection);
      makings.set(collection, making);
      making.catch(() => makings.delete(collection));
    }
    await makings.get(collection);
    return work();
  }
}
