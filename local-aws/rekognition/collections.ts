import { createHash } from 'node:crypto';
import type { BoundingBox, Face } from '@aws-sdk/client-rekognition';
import type { FaceSight } from './face-sight';
import { type Colour, distance } from './palette';
import { invalidParameters, refuse } from './rekognition-rules';

/** Version of the model that the local AWS claims to use. */
export const faceModelVersion = '7.0';

/** A face that was indexed. */
interface KnownFace {
  readonly face: Face & { readonly FaceId: string };
  readonly colour: Colour;
}

/** A collection of faces. */
export interface Collection {
  readonly id: string;
  readonly arn: string;
  readonly created: Date;
  readonly faces: Map<string, KnownFace>;
}

/** The collections of all accounts and regions. */
export class Collections {
  readonly #all = new Map<string, Map<string, Collection>>();
  readonly #added = new Set<Collection>();

  /** Those of an account in a region, by id. */
  in(account: string, region: string): Map<string, Collection> {
    const name = `${account} ${region}`;
    const found = this.#all.get(name) ?? new Map<string, Collection>();
    this.#all.set(name, found);
    return found;
  }

  /** Makes a collection without faces, unless there is one of that id. */
  add(account: string, region: string, id: string): Collection {
    const collections = this.in(account, region);
    const arn = `arn:aws:rekognition:${region}:${account}:collection/${id}`;
    const collection = collections.get(id) ?? { id, arn, created: new Date(), faces: new Map<string, KnownFace>() };
    collections.set(id, collection);
    return collection;
  }

  /** Adds collections that `removeAdded` takes back. */
  addMany(account: string, region: string, ids: readonly string[]): void {
    for (const id of ids.filter((each) => !this.in(account, region).has(each))) {
      this.#added.add(this.add(account, region, id));
    }
  }

  removeAdded(): void {
    for (const collections of this.#all.values()) {
      for (const [id, collection] of collections) if (this.#added.has(collection)) collections.delete(id);
    }
    this.#added.clear();
  }

  clear(): void {
    this.#all.clear();
    this.#added.clear();
  }
}

/** Throws AwsError if there is no such collection. */
export function findCollection(all: ReadonlyMap<string, Collection>, id: string): Collection {
  const found = all.get(id);
  if (found) return found;
  throw refuse('ResourceNotFoundException', `The collection id: ${id} does not exist`);
}

/** Makes an ID that is the same for the same parts. */
function idOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** How alike two faces are, 0 to 100: above 98 for the same through any JPEG, below 60 for any other. */
export function similarity(one: Colour, other: Colour): number {
  return 100 * Math.exp(-((distance(one, other) / 45) ** 2));
}

/** Adds a face, unless the same picture was indexed with the same name before. */
export function keepFace(
  collection: Collection,
  sight: FaceSight,
  box: BoundingBox,
  image: Buffer,
  externalImageId: string | undefined
): Face {
  const ImageId = idOf(collection.arn, image);
  const place = [sight.box.left, sight.box.top].map((each) => each.toFixed(4)).join();
  const FaceId = idOf(ImageId, externalImageId ?? '', place);
  const known = collection.faces.get(FaceId);
  if (known) return known.face;
  const face = {
    FaceId,
    BoundingBox: box,
    ImageId,
    ...(externalImageId === undefined ? {} : { ExternalImageId: externalImageId }),
    Confidence: sight.confidence,
    IndexFacesModelVersion: faceModelVersion
  };
  collection.faces.set(FaceId, { face, colour: sight.colour });
  return face;
}

/** A page of a list and the token of the next one. Throws AwsError for an unknown token. */
export function pageOf<Item>(
  items: readonly Item[],
  size: number,
  token: string | undefined
): { page: readonly Item[]; next: string | undefined } {
  const start = token === undefined ? 0 : Number(/^page-(\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1]);
  if (!(start <= items.length)) throw refuse('InvalidPaginationTokenException', 'Invalid pagination token');
  if (size < 0) throw invalidParameters();
  const end = start + (size || 4096);
  const next = end < items.length ? Buffer.from(`page-${end}`).toString('base64') : undefined;
  return { page: items.slice(start, end), next };
}
