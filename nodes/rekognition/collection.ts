import type { Client } from '../account/client';
import { nameOf } from '../fields/thrown';
import type { DetectorCall } from './detector';

/** A valid ID of a collection of faces. */
export const collectionPattern = /^[a-zA-Z0-9_.-]{1,255}$/;
export const collectionIs = 'the ID of a collection: 1 to 255 letters, digits and . - _';

/** The creation of collections by client and ID, so that each is created once for all messages that need it. */
const created = new WeakMap<Client, Map<string, Promise<void>>>();

async function create({ sdk, client }: DetectorCall, collection: string): Promise<void> {
  try {
    // Without a signal, since other messages may wait for it, too.
    await client.send(new sdk.CreateCollectionCommand({ CollectionId: collection }), {});
  } catch (error) {
    // Another process has created it.
    if (nameOf(error) !== 'ResourceAlreadyExistsException') throw error;
  }
}

/**
 * Does work that needs a collection. If the collection does not exist, it is created, and the work is done again. So a
 * collection that exists needs neither another request nor the right to create it.
 */
export async function inCollection<R>(call: DetectorCall, collection: string, work: () => Promise<R>): Promise<R> {
  const creations = created.get(call.client) ?? new Map<string, Promise<void>>();
  created.set(call.client, creations);
  // Until it exists, the work would fail, and a second creation would be asked for.
  await creations.get(collection)?.catch(() => undefined);
  const before = creations.get(collection);
  try {
    return await work();
  } catch (error) {
    if (nameOf(error) !== 'ResourceNotFoundException') throw error;
    // Unless it was created during the work.
    if (creations.get(collection) === before) {
      const creation = create(call, collection);
      creations.set(collection, creation);
      creation.catch(() => creations.delete(collection));
    }
    await creations.get(collection);
    return work();
  }
}
